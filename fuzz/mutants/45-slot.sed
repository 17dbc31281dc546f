# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A look-up accepts the first region that it tries, although the address lies past the region's end.
# file: include/virtio/inline/guest_memory.h
# harness: fuzz_guest_memory
/virtio_impl_memory_cache_region($/,/^}/s/>= region->writable_small))/>= region->len + 2 * VIRTIO_MEMORY_SMALL))/
