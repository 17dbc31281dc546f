# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Used elements are not recorded in the dirty log.
# file: virtio-queue/src/ring.c
# harness: fuzz_queue
/^int virtio_impl_ring_store_used(/,/^}/s/if (queue->used_region)/if (queue->size == 0)/
