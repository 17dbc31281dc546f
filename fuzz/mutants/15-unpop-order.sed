# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Any pop may be undone, not only the last pop.
# file: virtio-queue/src/queue_flow.c
# harness: fuzz_queue
s/if (entry->place != queue->next_avail - queue->replay - 1)/if (queue->size == 0)/
