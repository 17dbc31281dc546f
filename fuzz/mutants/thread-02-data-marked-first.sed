# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A writer marks its bytes in the dirty log before it writes them.
# file: virtio-queue/src/reader.c
# harness: dirty-log
s/^\tvirtio_guest_copy_out(here, bytes, (size_t)n);/\tif (s->region->dirty) { virtio_region_mark_dirty(s->region, here, n); virtio_guest_copy_out(here, bytes, (size_t)n); return; } virtio_guest_copy_out(here, bytes, (size_t)n);/
