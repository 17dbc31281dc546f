# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The index into the available ring wraps at half of the ring.
# file: virtio-queue/include/virtio/inline/queue.h
# harness: fuzz_queue
s/(next & queue->mask)/(next \& (queue->mask >> 1))/
