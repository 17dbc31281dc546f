# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The byte behind a region belongs to it.
# file: virtio-queue/src/guest_memory.c
# harness: fuzz_guest_memory
s/return addr - base->addr < base->len ? base : NULL/return addr - base->addr <= base->len ? base : NULL/
