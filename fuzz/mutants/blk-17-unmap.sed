# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# WRITE_ZEROES unmaps although the configuration space says that it does not.
# file: virtio-blk/src/execute.c
# harness: fuzz_blk
s/blk->options\.write_zeroes_may_unmap);/true);/
