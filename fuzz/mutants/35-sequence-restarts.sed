# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A second virtio_queue_init() restarts the sequence numbers of tokens.
# file: virtio-queue/src/queue.c
# harness: fuzz_queue
s/sequence = (queue->sequence & ~VIRTIO_IMPL_INFLIGHT_FLAGGED) | VIRTIO_IMPL_TOKEN_SET;/sequence = VIRTIO_IMPL_TOKEN_SET;/
