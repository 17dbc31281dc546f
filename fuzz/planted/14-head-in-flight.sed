# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A head may be popped twice.
# file: virtio-queue/include/virtio/queue.h
# harness: fuzz_queue
s/if (VIRTIO_UNLIKELY(entry->state != VIRTIO_INFLIGHT_IDLE))/if (VIRTIO_UNLIKELY(entry->state == 0))/
