/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The queue behind a lock. */
#include <virtio/queue_sync.h>

#include "queue_internal.h"

int virtio_queue_sync_init(struct virtio_queue_sync *sync, const struct virtio_queue_lock *lock,
			   struct virtio_inflight *inflight, uint32_t entries)
{
	int error;

	if (!lock->lock || !lock->unlock)
		return VIRTIO_EINVAL;
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

/* Resolves a popped chain, if got is 1. Unpops a chain that is not mapped yet. */
static int resolve(struct virtio_queue *queue, int got, struct virtio_chain *chain, struct virtio_token *token,
		   struct virtio_chain_segments *resolved, int *chain_error)
{
	int error;

	if (got != 1)
		return got;
	error = virtio_chain_resolve(chain, resolved);
	if (error == VIRTIO_ENOTMAPPED)
		return virtio_queue_put_back(queue, chain->token, error);
	*token = chain->token;
	*chain_error = error;
	return 1;
}

int virtio_queue_sync_pop(struct virtio_queue_sync *sync, struct virtio_token *token,
			  struct virtio_chain_segments *resolved, int *chain_error)
{
	struct virtio_queue *queue = virtio_queue_sync_lock(sync);
	struct virtio_chain chain;
	int got = virtio_queue_pop(queue, &chain);

	got = resolve(queue, got, &chain, token, resolved, chain_error);
	virtio_queue_sync_unlock(sync);
	return got;
}

int virtio_queue_sync_replay(struct virtio_queue_sync *sync, const struct virtio_queue_flight *request,
			     struct virtio_token *token, struct virtio_chain_segments *resolved, int *chain_error)
{
	struct virtio_queue *queue = virtio_queue_sync_lock(sync);
	struct virtio_chain chain;
	int got = virtio_queue_replay(queue, request, &chain);

	got = resolve(queue, got, &chain, token, resolved, chain_error);
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
