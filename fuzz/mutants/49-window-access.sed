# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A window permits all accesses that its region permits, even if the translation forbids them.
# file: virtio-queue/src/guest_memory.c
# harness: fuzz_guest_memory
s/window->access = t->access;/window->access = region->access;/
