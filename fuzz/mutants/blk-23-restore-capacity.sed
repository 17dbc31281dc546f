# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A disk is restored although it has shrunk.
# file: virtio-blk/src/disk.c
# harness: fuzz_blk
s/if (state->capacity > capacity || !reachable/if (!reachable/
