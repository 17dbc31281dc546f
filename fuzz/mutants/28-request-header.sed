# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A buffer that holds more than the header is used up with it.
# file: virtio-queue/src/request.c
# harness: fuzz_queue
s/used += s->len == 0;/used++;/
