# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A head that is in flight may be popped again.
# file: virtio-queue/include/virtio/inline/queue.h
# harness: fuzz_queue
s/VIRTIO_UNLIKELY(queue->inflight\[head\]\.state != VIRTIO_IMPL_INFLIGHT_IDLE)/VIRTIO_UNLIKELY(queue->inflight[head].state == 0)/
