# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A payload that was written directly to guest memory is not recorded in the dirty log.
# file: virtio-vsock/src/packet.c
# harness: fuzz_vsock
s/virtio_segments_mark_dirty(data->segments, data->writable, virtio_vsock_len(&packet->header));/virtio_segments_mark_dirty(data->segments, data->writable, 0);/
