# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Under write-through a change of ranges is not flushed.
# file: virtio-blk/src/execute.c
# harness: fuzz_blk
/^static int change_next(/,/^}/s/steps->changed = true;/steps->changed = false;/
