# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The status is not logged.
# file: virtio-queue/src/request.c
# harness: fuzz_blk
/virtio_segments_mark_dirty(&data->last_writable, 1, 1);/d
