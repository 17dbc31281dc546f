# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A write by guest address is marked in the dirty log before the bytes are written.
# file: virtio-queue/src/guest_memory.c
# harness: dirty-log
/^static inline void write_recorded(/,/^}/s/^\tvirtio_guest_copy_out(to, src, len);/\tif (region->dirty) { virtio_memory_mark(region->dirty, virtio_memory_guest_address(region, to), len); virtio_guest_copy_out(to, src, len); return; } virtio_guest_copy_out(to, src, len);/
