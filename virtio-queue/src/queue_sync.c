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

/* Resolves what has been taken, if 1 says so; what isn't mapped yet goes back. */
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

int virtio_queue_sync_replay(struct virtio_queue_sync *sync, uint16_t head, struct virtio_token *token,
			     struct virtio_chain_segments *resolved, int *chain_error)
{
	struct virtio_queue *queue = virtio_queue_sync_lock(sync);
	struct virtio_chain chain;
	int got = virtio_queue_replay(queue, head, &chain);

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

int virtio_queue_sync_start(struct virtio_queue_sync *sync, const struct virtio_queue_config *config,
			    const struct virtio_memory_map *map)
{
	int error = virtio_queue_start(virtio_queue_sync_lock(sync), config, map);

	virtio_queue_sync_unlock(sync);
	return error;
}

void virtio_queue_sync_reset(struct virtio_queue_sync *sync)
{
	virtio_queue_reset(virtio_queue_sync_lock(sync));
	virtio_queue_sync_unlock(sync);
}

int virtio_queue_sync_set_memory(struct virtio_queue_sync *sync, const struct virtio_memory_map *map)
{
	int error = virtio_queue_set_memory(virtio_queue_sync_lock(sync), map);

	virtio_queue_sync_unlock(sync);
	return error;
}

int virtio_queue_sync_available(struct virtio_queue_sync *sync)
{
	int got = virtio_queue_available(virtio_queue_sync_lock(sync));

	virtio_queue_sync_unlock(sync);
	return got;
}

int virtio_queue_sync_unpop(struct virtio_queue_sync *sync, struct virtio_token token)
{
	int error = virtio_queue_unpop(virtio_queue_sync_lock(sync), token);

	virtio_queue_sync_unlock(sync);
	return error;
}

int virtio_queue_sync_complete(struct virtio_queue_sync *sync, struct virtio_token token, uint32_t len)
{
	int error = virtio_queue_complete(virtio_queue_sync_lock(sync), token, len);

	virtio_queue_sync_unlock(sync);
	return error;
}

int virtio_queue_sync_complete_batch(struct virtio_queue_sync *sync, const struct virtio_completion *completions,
				     uint32_t count)
{
	int error = virtio_queue_complete_batch(virtio_queue_sync_lock(sync), completions, count);

	virtio_queue_sync_unlock(sync);
	return error;
}

bool virtio_queue_sync_needs_notification(struct virtio_queue_sync *sync)
{
	bool yes = virtio_queue_needs_notification(virtio_queue_sync_lock(sync));

	virtio_queue_sync_unlock(sync);
	return yes;
}

int virtio_queue_sync_enable_notification(struct virtio_queue_sync *sync)
{
	int got = virtio_queue_enable_notification(virtio_queue_sync_lock(sync));

	virtio_queue_sync_unlock(sync);
	return got;
}

int virtio_queue_sync_disable_notification(struct virtio_queue_sync *sync)
{
	int error = virtio_queue_disable_notification(virtio_queue_sync_lock(sync));

	virtio_queue_sync_unlock(sync);
	return error;
}

bool virtio_queue_sync_quiesced(struct virtio_queue_sync *sync)
{
	bool yes = virtio_queue_quiesced(virtio_queue_sync_lock(sync));

	virtio_queue_sync_unlock(sync);
	return yes;
}

bool virtio_queue_sync_old_maps_unused(struct virtio_queue_sync *sync)
{
	bool yes = virtio_queue_old_maps_unused(virtio_queue_sync_lock(sync));

	virtio_queue_sync_unlock(sync);
	return yes;
}

void virtio_queue_sync_get_stats(struct virtio_queue_sync *sync, struct virtio_queue_stats *out)
{
	virtio_queue_get_stats(virtio_queue_sync_lock(sync), out);
	virtio_queue_sync_unlock(sync);
}

uint32_t virtio_queue_sync_in_flight(struct virtio_queue_sync *sync)
{
	uint32_t count = virtio_queue_in_flight(virtio_queue_sync_lock(sync));

	virtio_queue_sync_unlock(sync);
	return count;
}

uint16_t virtio_queue_sync_next_avail(struct virtio_queue_sync *sync)
{
	uint16_t index = virtio_queue_next_avail(virtio_queue_sync_lock(sync));

	virtio_queue_sync_unlock(sync);
	return index;
}

uint16_t virtio_queue_sync_next_used(struct virtio_queue_sync *sync)
{
	uint16_t index = virtio_queue_next_used(virtio_queue_sync_lock(sync));

	virtio_queue_sync_unlock(sync);
	return index;
}

int virtio_queue_sync_set_next_avail(struct virtio_queue_sync *sync, uint16_t index)
{
	int error = virtio_queue_set_next_avail(virtio_queue_sync_lock(sync), index);

	virtio_queue_sync_unlock(sync);
	return error;
}

int virtio_queue_sync_set_next_used(struct virtio_queue_sync *sync, uint16_t index)
{
	int error = virtio_queue_set_next_used(virtio_queue_sync_lock(sync), index);

	virtio_queue_sync_unlock(sync);
	return error;
}

int virtio_queue_sync_read_avail_idx(struct virtio_queue_sync *sync, uint16_t *out)
{
	int error = virtio_queue_read_avail_idx(virtio_queue_sync_lock(sync), out);

	virtio_queue_sync_unlock(sync);
	return error;
}

int virtio_queue_sync_read_used_idx(struct virtio_queue_sync *sync, uint16_t *out)
{
	int error = virtio_queue_read_used_idx(virtio_queue_sync_lock(sync), out);

	virtio_queue_sync_unlock(sync);
	return error;
}

int virtio_queue_sync_save(struct virtio_queue_sync *sync, struct virtio_queue_state *out)
{
	int error = virtio_queue_save(virtio_queue_sync_lock(sync), out);

	virtio_queue_sync_unlock(sync);
	return error;
}

int virtio_queue_sync_save_in_flight(struct virtio_queue_sync *sync, struct virtio_queue_state *out, uint16_t *heads,
				     uint32_t capacity, uint32_t *count)
{
	int error = virtio_queue_save_in_flight(virtio_queue_sync_lock(sync), out, heads, capacity, count);

	virtio_queue_sync_unlock(sync);
	return error;
}

int virtio_queue_sync_restore(struct virtio_queue_sync *sync, const struct virtio_queue_state *state,
			      const struct virtio_memory_map *map)
{
	int error = virtio_queue_restore(virtio_queue_sync_lock(sync), state, map);

	virtio_queue_sync_unlock(sync);
	return error;
}
