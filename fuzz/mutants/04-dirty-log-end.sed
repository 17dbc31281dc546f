# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A mark may reach the first byte after the end of a dirty log's bitmap.
# file: virtio-queue/src/guest_memory.c
# harness: fuzz_guest_memory
s/if (last \/ 8 >= log->size)/if (last \/ 8 > log->size)/
