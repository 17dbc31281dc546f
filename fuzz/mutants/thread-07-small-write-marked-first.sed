# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# If the compiler knows the length of a small write, the write is marked in the dirty log before its
# bytes are written.
# file: include/virtio/inline/guest_memory.h
# harness: dirty-log-interleave
/int virtio_impl_memory_write_small(/,/^}/s/^\t\tvirtio_guest_copy_out(to, src, len);/\t\tif (region->unlogged_small == 0) { virtio_region_mark_dirty(region->self, to, len); virtio_guest_copy_out(to, src, len); return 0; } virtio_guest_copy_out(to, src, len);/
