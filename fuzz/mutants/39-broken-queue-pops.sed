# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path for an empty queue pops from a broken queue.
# file: virtio-queue/src/queue.c
# harness: fuzz_queue
s/queue->fast_avail_ring = pop ? /queue->fast_avail_ring = contiguous ? /
