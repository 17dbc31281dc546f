# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# An out-of-line write of up to 8 bytes into one region is not recorded in the dirty log.
# file: virtio-queue/src/guest_memory.c
# harness: fuzz_guest_memory
/^static inline void write_recorded(/,/^}/s/if (region->dirty)/if (region->dirty \&\& len > 8)/
