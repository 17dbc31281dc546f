# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A head may be popped twice.
# file: virtio-queue/include/virtio/inline/queue.h
# harness: fuzz_queue
s/VIRTIO_UNLIKELY(queue->inflight\[head\]\.state != VIRTIO_IMPL_INFLIGHT_IDLE)/VIRTIO_UNLIKELY(queue->inflight[head].state == 0)/
