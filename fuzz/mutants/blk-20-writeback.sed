# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A driver that has not negotiated FLUSH may switch the cache to write-back.
# file: virtio-blk/src/disk.c
# harness: fuzz_blk
s/if (value > 1 || (value == 1 \&\& .*/if (value > 1)/
