# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A range may end one byte past the end of the cached region.
# file: include/virtio/inline/guest_memory.h
# harness: fuzz_guest_memory
s|VIRTIO_LIKELY(last < region->writable);|VIRTIO_LIKELY(last <= region->writable);|
