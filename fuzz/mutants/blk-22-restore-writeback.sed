# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A restored disk without a negotiated FLUSH may have a write-back cache.
# file: virtio-blk/src/disk.c
# harness: fuzz_blk
s/^\t\treturn (features \& FEATURE(FLUSH)) != 0;/\t\treturn true;/
