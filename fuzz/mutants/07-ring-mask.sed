# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Available entries are looked for in half of the ring.
# file: virtio-queue/include/virtio/inline/queue.h
# harness: fuzz_queue
s/(queue->next_avail & queue->mask)/(queue->next_avail \& (queue->mask >> 1))/
