# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A driver that has not accepted VIRTIO_BLK_F_RO may write to a read-only disk.
# file: virtio-blk/src/parse.c
# harness: fuzz_blk
s/if (blk->options\.read_only)/if (negotiated(blk, VIRTIO_BLK_F_RO))/
