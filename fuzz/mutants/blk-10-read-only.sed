# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Read-only for those only who have accepted it.
# file: virtio-blk/src/parse.c
# harness: fuzz_blk
s/!blk->options\.read_only \&\&/!negotiated(blk, VIRTIO_BLK_F_RO) \&\&/
