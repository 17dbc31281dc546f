# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Any token of a head in flight completes it.
# file: virtio-queue/include/virtio/queue.h
# harness: fuzz_queue
s/return VIRTIO_LIKELY(entry->state == token\.sequence) ? entry : NULL;/return VIRTIO_LIKELY(entry->state != VIRTIO_INFLIGHT_IDLE) ? entry : NULL;/
