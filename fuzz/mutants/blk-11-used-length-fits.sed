# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A read may be too long for a used length.
# file: virtio-blk/src/parse.c
# harness: fuzz_blk
s/ \&\& request->base\.data\.writable_bytes < UINT32_MAX \&\&/ \&\&/
