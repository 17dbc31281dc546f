# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A back end may report that it moved more bytes than were requested.
# file: virtio-blk/src/execute.c
# harness: fuzz_blk
s/ || (uint64_t)moved > wanted || / || /
