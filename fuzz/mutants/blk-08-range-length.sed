# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A range may be longer than advertised.
# file: virtio-blk/src/parse.c
# harness: fuzz_blk
s/if (range->sectors > rules\.max_sectors)/if (range->sectors > UINT32_MAX - 1)/
