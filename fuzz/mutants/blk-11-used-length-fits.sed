# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A read may be too long for the 32 bits of a used length.
# file: virtio-blk/src/parse.c
# harness: fuzz_blk
s/ \&\& bytes >= UINT32_MAX)/ \&\& bytes > UINT64_MAX - 1)/
