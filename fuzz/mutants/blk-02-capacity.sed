# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The disk has one sector more.
# file: virtio-blk/src/parse.c
# harness: fuzz_blk
s/sectors <= capacity - sector;/sectors <= capacity - sector + 1;/
