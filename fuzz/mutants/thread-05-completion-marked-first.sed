# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A completion is marked in the dirty log before it is stored.
# file: virtio-queue/src/queue_flow.c
# harness: dirty-log-interleave
s/^\tvirtio_impl_queue_store_completion(queue, entry, head, len);/\tmark_completion(queue, queue->used_idx); virtio_impl_queue_store_completion(queue, entry, head, len); return true;/
