# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The status is the first writable byte.
# file: virtio-blk/src/parse.c
# harness: fuzz_blk
s/request->status = any\.data\.last_writable;/request->status = *request->in.segments;/
