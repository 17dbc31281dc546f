# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A read may run past the end of the cached region.
# file: include/virtio/inline/guest_memory.h
# harness: fuzz_guest_memory
/^VIRTIO_INLINE .*int virtio_memory_read(/,/^}/s/off >= region->len || (uint64_t)len - 1 >= region->len - off ||$/off >= region->len ||/
