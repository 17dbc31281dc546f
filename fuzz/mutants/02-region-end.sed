# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The byte behind a region belongs to it.
# file: virtio-queue/src/guest_memory.c
# harness: fuzz_guest_memory
s/return addr - region->addr < region->len ? region : NULL/return addr - region->addr <= region->len ? region : NULL/
