# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The first byte after a region is treated as part of the region.
# file: virtio-queue/src/guest_memory.c
# harness: fuzz_guest_memory
s/return addr - region->addr < region->len ? region : NULL/return addr - region->addr <= region->len ? region : NULL/
