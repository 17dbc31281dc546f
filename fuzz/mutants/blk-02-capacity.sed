# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A request may reach one sector past the end of the disk.
# file: virtio-blk/src/parse.c
# harness: fuzz_blk
s/sectors <= capacity - sector;/sectors <= capacity - sector + 1;/
