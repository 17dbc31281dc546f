# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# More may be moved than was asked for.
# file: virtio-blk/src/execute.c
# harness: fuzz_blk
s/ || (uint64_t)moved > wanted || / || /
