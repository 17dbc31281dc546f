# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A full array of segments gets another.
# file: virtio-queue/src/chain.c
# harness: fuzz_queue
s/s != c->end && desc->len != 0/s <= c->end \&\& desc->len != 0/
