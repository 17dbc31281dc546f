# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Any token of a head in flight completes it.
# file: virtio-queue/include/virtio/queue.h
# harness: fuzz_queue
/^inline VIRTIO_HOT int virtio_queue_complete(.*$/,/^}/s/if (VIRTIO_UNLIKELY(entry->state != token\.sequence))/if (VIRTIO_UNLIKELY(entry->state == VIRTIO_INFLIGHT_IDLE))/
