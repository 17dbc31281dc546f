# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A range may be one byte longer than the cached region that it is in.
# file: include/virtio/inline/guest_memory.h
# harness: fuzz_guest_memory
s/cursor->writable_small - off + (VIRTIO_MEMORY_SMALL - 1));/cursor->writable_small - off + VIRTIO_MEMORY_SMALL);/
