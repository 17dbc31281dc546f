# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Any token with the head of a request in flight completes this request.
# file: virtio-queue/include/virtio/inline/queue.h
# harness: fuzz_queue
s/return VIRTIO_LIKELY(entry->state == token\.value) ? entry : NULL;/return VIRTIO_LIKELY(entry->state != VIRTIO_IMPL_INFLIGHT_IDLE) ? entry : NULL;/
