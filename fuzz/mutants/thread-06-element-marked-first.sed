# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A used element is marked in the dirty log before it is stored.
# file: virtio-queue/src/ring.c
# harness: dirty-log-interleave
s/^\t\tvirtio_guest_store_used(queue->used + offset, head, len);/\t\tif (queue->used_region) { virtio_region_mark_dirty(queue->used_region, queue->used + offset, sizeof raw); virtio_guest_store_used(queue->used + offset, head, len); return 0; } virtio_guest_store_used(queue->used + offset, head, len);/
