# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Any token of a head in flight completes it.
# file: virtio-queue/include/virtio/inline/queue.h
# harness: fuzz_queue
s/return VIRTIO_LIKELY(entry->state == token\.value) ? entry : NULL;/return VIRTIO_LIKELY(entry->state != VIRTIO_IMPL_INFLIGHT_IDLE) ? entry : NULL;/
