# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A request may have more ranges than advertised.
# file: virtio-blk/src/parse.c
# harness: fuzz_blk
s/sent > max_count || //
