# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A buffer that wraps around the address space is accepted as inside a region.
# file: include/virtio/inline/guest_memory.h
# harness: fuzz_guest_memory
s/VIRTIO_LIKELY(!__builtin_add_overflow(off, len - 1, &last))/((last = off + (len - 1)), true)/
