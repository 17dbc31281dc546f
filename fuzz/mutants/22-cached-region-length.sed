# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A range that begins in a newly cached region is accepted although it ends outside.
# file: include/virtio/inline/guest_memory.h
# harness: fuzz_guest_memory
s/VIRTIO_LIKELY(len - 1 < region->len - (addr - region->addr));/len != 0;/
