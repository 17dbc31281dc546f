# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A range may be one byte longer than the window that it is in.
# file: include/virtio/inline/guest_memory.h
# harness: fuzz_guest_memory
s/cursor->plain_small - off + (VIRTIO_MEMORY_SMALL - 1));/cursor->plain_small - off + VIRTIO_MEMORY_SMALL);/
