# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The status of a request is marked in the dirty log before it is written.
# file: virtio-queue/src/request.c
# harness: dirty-log-interleave
s/^\t\tvirtio_guest_copy_out(data->last_writable\.host, &status, 1);/\t\tvirtio_region_mark_dirty(data->last_writable.region, data->last_writable.host, 1); virtio_guest_copy_out(data->last_writable.host, \&status, 1); return virtio_impl_queue_complete_slow(queue, request->token.value, request->error ? 0 : virtio_impl_request_used(data->writable_bytes, written));/
