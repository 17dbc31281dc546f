# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A range may have the flag UNMAP in every command.
# file: virtio-blk/src/parse.c
# harness: fuzz_blk
s/flags \& ~rules\.flags/flags \& ~(rules.flags | VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP)/
