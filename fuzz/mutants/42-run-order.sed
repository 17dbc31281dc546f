# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path of a resolution accepts a readable buffer after a writable buffer.
# file: virtio-queue/src/run.h
# harness: fuzz_queue
s/return r->usual == VRING_DESC_F_NEXT;/return true;/
