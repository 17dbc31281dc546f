# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The status counts although there is a gap before it.
# file: virtio-blk/src/execute.c
# harness: fuzz_blk
s/if (used == request->in\.bytes \&\& !request->error)/if (!request->error)/
