/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Calls on a queue under the caller's lock. */
#include <virtio/queue_sync.h>

#include "queue_internal.h"

const char *virtio_queue_lock_missing_op(const struct virtio_queue_lock *lock)
{
	if (!lock->lock)
		return "lock";
	return lock->unlock ? NULL : "unlock";
}

int virtio_queue_sync_init(struct virtio_queue_sync *sync, const struct virtio_queue_lock *lock,
			   struct virtio_inflight *inflight, uint32_t entries)
{
	int error;

	if (virtio_queue_lock_missing_op(lock))
		return VIRTIO_ENOOP;
	error = virtio_queue_init(&sync->queue, inflight, entries);
	if (!error)
		sync->lock = *lock;
	return error;
}

struct virtio_queue *virtio_queue_sync_lock(struct virtio_queue_sync *sync)
{
	sync->lock.lock(sync->lock.context);
	return &sync->queue;
}

void virtio_queue_sync_unlock(struct virtio_queue_sync *sync)
{
	sync->lock.unlock(sync->lock.context);
}

int virtio_queue_sync_pop(struct virtio_queue_sync *sync, struct virtio_token *token,
			  struct virtio_chain_segments *resolved, int *chain_error)
{
	struct virtio_queue *queue = virtio_queue_sync_lock(sync);
	struct virtio_chain chain;
	int got = virtio_queue_pop(queue, &chain);

	got = virtio_impl_queue_resolve_popped(queue, got, &chain, token, resolved, chain_error);
	virtio_queue_sync_unlock(sync);
	return got;
}

int virtio_queue_sync_replay(struct virtio_queue_sync *sync, const struct virtio_queue_flight *request,
			     struct virtio_token *token, struct virtio_chain_segments *resolved, int *chain_error)
{
	struct virtio_queue *queue = virtio_queue_sync_lock(sync);
	struct virtio_chain chain;
	int got = virtio_queue_replay(queue, request, &chain);

	got = virtio_impl_queue_resolve_popped(queue, got, &chain, token, resolved, chain_error);
	virtio_queue_sync_unlock(sync);
	return got;
}

int virtio_request_sync_pop(struct virtio_queue_sync *sync, struct virtio_request *request)
{
	int got = virtio_request_pop(virtio_queue_sync_lock(sync), request);

	virtio_queue_sync_unlock(sync);
	return got;
}

int virtio_request_sync_complete(struct virtio_queue_sync *sync, const struct virtio_request *request, uint8_t status,
				 uint64_t written)
{
	int error = virtio_request_complete(virtio_queue_sync_lock(sync), request, status, written);

	virtio_queue_sync_unlock(sync);
	return error;
}
