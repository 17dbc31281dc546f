# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The used length counts what was not read.
# file: virtio-blk/src/execute.c
# harness: fuzz_blk
s/uint64_t used = result->written;/uint64_t used = request->in.bytes;/
