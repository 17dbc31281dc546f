# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A disk is restored although it has shrunk.
# file: virtio-blk/src/disk.c
# harness: fuzz_blk
s/else if (state->capacity > virtio_blk_capacity(blk))/else if (state->capacity == UINT64_MAX)/
