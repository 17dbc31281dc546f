# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The status is written before the token is checked.
# file: virtio-blk/src/execute.c
# harness: fuzz_blk
s/if (!virtio_queue_is_in_flight(queue, request->base\.token))/if (virtio_guest_copy_out(request->base.data.last_writable.host, \&result->status, request->base.data.last_writable.len), !virtio_queue_is_in_flight(queue, request->base.token))/
