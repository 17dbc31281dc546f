# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The used length counts all writable bytes, even those that a read did not fill.
# file: virtio-blk/src/execute.c
# harness: fuzz_blk
s/result->status, result->written);/result->status, request->base.data.writable_bytes);/
