# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path for a header and a status accepts a last buffer of any length.
# file: virtio-queue/src/request.c
# harness: fuzz_queue
s/ || status->len != 1 ||$/ ||/
