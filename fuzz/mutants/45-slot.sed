# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A look-up takes the last region of a slot, whether it holds the address or not.
# file: virtio-queue/src/guest_memory.c
# harness: fuzz_guest_memory
s/if (VIRTIO_UNLIKELY(off >= region->len - (VIRTIO_MEMORY_SMALL - 1)))/if (VIRTIO_UNLIKELY(off >= region->len + (VIRTIO_MEMORY_SMALL - 1)))/
