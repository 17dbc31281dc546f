# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A window permits the accesses that its region permits, and ignores the translation.
# file: virtio-queue/src/guest_memory.c
# harness: fuzz_guest_memory
s/window->access = t->access;/window->access = region->access;/
