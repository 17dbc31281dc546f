# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The sum of sector and length may wrap around.
# file: virtio-blk/src/parse.c
# harness: fuzz_blk
s/return sector <= capacity \&\& sectors <= capacity - sector;/return sector + sectors <= capacity;/
