# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path for an empty queue accepts an available index that is too far ahead.
# file: virtio-queue/include/virtio/inline/queue.h
# harness: fuzz_queue
s/if (VIRTIO_UNLIKELY(ahead > queue->size))/if (VIRTIO_UNLIKELY(ahead > 65535u))/
