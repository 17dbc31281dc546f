# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A disk without operations never offers FLUSH.
# file: virtio-blk/src/disk.c
# harness: fuzz_blk
s/if (options->flush || (ops \&\& ops->flush))/if (ops \&\& ops->flush)/
