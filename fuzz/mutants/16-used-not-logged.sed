# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# If the used ring is contiguous in host memory, the slow path does not record used elements in the
# dirty log.
# file: virtio-queue/src/ring.c
# harness: fuzz_queue
/^int virtio_impl_ring_store_used(/,/^}/s/if (queue->used_region)/if (queue->size == 0)/
