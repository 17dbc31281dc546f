# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A write of few bytes, known to the compiler, is not recorded in a dirty log.
# file: include/virtio/inline/guest_memory.h
# harness: fuzz_guest_memory
s/if (region->unlogged_small == 0)/if (region->unlogged_small == 0 \&\& len > 8)/
