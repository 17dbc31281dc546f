# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A range that begins in memory without a log is taken for a range that lies wholly there.
# file: include/virtio/inline/guest_memory.h
# harness: fuzz_guest_memory
s/VIRTIO_LIKELY(len - 1 < region->len - (addr - region->addr));/len != 0;/
