# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path writes the status but does not record it in the dirty log.
# file: virtio-queue/src/request.c
# harness: fuzz_queue
s/request->fast_complete = last->region->dirty ? 0 : VIRTIO_IMPL_ACCESS_UNLOGGED;/request->fast_complete = VIRTIO_IMPL_ACCESS_UNLOGGED;/
