# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A request may have more ranges than its storage has room for.
# file: virtio-blk/src/parse.c
# harness: fuzz_blk
s/whole < request->range_capacity ? (uint32_t)whole : request->range_capacity;/(uint32_t)whole;/
