# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The status is not logged.
# file: virtio-blk/src/execute.c
# harness: fuzz_blk
/virtio_segments_mark_dirty(&request->status, 1, 1);/d
