# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The dirty log lacks a write of up to 8 bytes whose length the compiler knows.
# file: include/virtio/inline/guest_memory.h
# harness: fuzz_guest_memory
s/if (region->unlogged_small == 0)/if (region->unlogged_small == 0 \&\& len > 8)/
