# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The status is not recorded in the dirty log.
# file: virtio-queue/src/request.c
# harness: fuzz_blk
/virtio_region_mark_dirty(data->last_writable.region, data->last_writable.host, 1);/d
