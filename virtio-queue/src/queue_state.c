/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Saving and restoring the state of a queue. */
#include <virtio/queue_state.h>

#include "queue_internal.h"

/* The state of a queue that is not started. */
static void save_nothing(struct virtio_queue_state *out)
{
	const struct virtio_queue_state empty = { .next_avail = 0 };

	*out = empty;
}

static int may_save(const struct virtio_queue *queue)
{
	if (queue->broken)
		return VIRTIO_EBROKEN;
	if (queue->replay != 0 || queue->waiting != 0)
		return VIRTIO_EBUSY;
	return 0;
}

/* A restore computes the number of requests in flight from the distance between the indices. */
static bool indices_agree(const struct virtio_queue *queue)
{
	return (uint16_t)(queue->next_avail - queue->used_idx) == virtio_queue_in_flight(queue);
}

static void save(const struct virtio_queue *queue, struct virtio_queue_state *out)
{
	out->config = queue->config;
	out->next_avail = (uint16_t)queue->next_avail;
	out->next_used = (uint16_t)queue->used_idx;
}

int virtio_queue_save(const struct virtio_queue *queue, struct virtio_queue_state *out)
{
	int error;

	if (queue->size == 0) {
		save_nothing(out);
		return 0;
	}
	error = may_save(queue);
	if (error)
		return error;
	if (!virtio_queue_quiesced(queue))
		return VIRTIO_EBUSY;
	if (!indices_agree(queue))
		return VIRTIO_EINVAL;
	save(queue, out);
	return 0;
}

int virtio_queue_pause(struct virtio_queue *queue, struct virtio_queue_state *out)
{
	const int error = queue->size == 0 ? VIRTIO_ENOTREADY : virtio_queue_save(queue, out);

	if (!error)
		virtio_queue_reset(queue);
	return error;
}

/* How many pops ago a request was popped: exact up to 2^32 - 1. */
static uint32_t age(const struct virtio_queue *queue, uint32_t head)
{
	return queue->next_avail - queue->inflight[head].place;
}

/*
 * Oldest first. Shell's sort: the guest chooses the order, and could choose the worst case of an
 * insertion sort.
 */
static void sort_by_age(const struct virtio_queue *queue, uint16_t *heads, uint32_t n)
{
	for (uint32_t gap = n / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11)
		for (uint32_t i = gap; i < n; i++) {
			const uint16_t head = heads[i];
			uint32_t j = i;

			for (; j >= gap && age(queue, heads[j - gap]) < age(queue, head); j -= gap)
				heads[j] = heads[j - gap];
			heads[j] = head;
		}
}

int virtio_queue_save_in_flight(const struct virtio_queue *queue, struct virtio_queue_state *out, uint16_t *heads,
				uint32_t capacity, uint32_t *count)
{
	uint32_t n = 0;
	int error;

	if (queue->size == 0) {
		save_nothing(out);
		*count = 0;
		return 0;
	}
	error = may_save(queue);
	if (error)
		return error;
	if (!indices_agree(queue))
		return VIRTIO_EINVAL;
	if (virtio_queue_in_flight(queue) > capacity)
		return VIRTIO_ENOBUFS;
	for (uint32_t head = 0; head < queue->size; head++)
		if (virtio_inflight_has_request(&queue->inflight[head]))
			heads[n++] = (uint16_t)head;
	sort_by_age(queue, heads, n);
	save(queue, out);
	*count = n;
	return 0;
}

/* Looks at the byte: a bool that is neither 0 nor 1 must not be loaded as a bool. */
static bool is_bool(const bool *value)
{
	VIRTIO_STATIC_ASSERT(sizeof *value == 1, "a bool is one byte");
	return *(const unsigned char *)value <= 1;
}

static bool bools_are_valid(const struct virtio_queue_config *config)
{
	return is_bool(&config->ready) && is_bool(&config->event_idx) && is_bool(&config->indirect) &&
	       is_bool(&config->in_order) && is_bool(&config->allow_unnegotiated_indirect) &&
	       is_bool(&config->allow_long_indirect);
}

/* The state of a queue that was not started is all zeroes. The bools are known to be valid. */
static bool is_empty(const struct virtio_queue_state *state)
{
	const struct virtio_queue_config *config = &state->config;

	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++)
		if (config->addr[i] != 0)
			return false;
	return config->max_size == 0 && config->size == 0 && !config->ready && !config->event_idx &&
	       !config->indirect && !config->in_order && !config->allow_unnegotiated_indirect &&
	       !config->allow_long_indirect && state->next_avail == 0 && state->next_used == 0;
}

int virtio_queue_restore(struct virtio_queue *queue, const struct virtio_queue_state *state,
			 const struct virtio_memory_map *map)
{
	const uint16_t in_flight = (uint16_t)(state->next_avail - state->next_used);
	int error;

	if (queue->size != 0)
		return VIRTIO_EBUSY;
	if (!bools_are_valid(&state->config))
		return VIRTIO_EINVAL;
	if (is_empty(state))
		return 0;
	if (in_flight > state->config.size)
		return VIRTIO_EINVAL;
	error = virtio_queue_start(queue, &state->config, map);
	if (error)
		return error;
	/* Cannot fail: in a queue that has just started nothing is in flight. */
	(void)!virtio_queue_set_next_avail(queue, state->next_avail);
	(void)!virtio_queue_set_next_used(queue, state->next_used);
	/* Treats these requests as not popped yet: nothing is in flight. */
	queue->replay = in_flight;
	queue->flight_base -= in_flight;
	queue->oldest = state->next_used;
	virtio_impl_queue_update_paths(queue);
	return 0;
}

int virtio_queue_replay(struct virtio_queue *queue, uint16_t head, struct virtio_chain *chain)
{
	const uint32_t next_avail = queue->next_avail;
	int got;

	if (queue->size == 0)
		return VIRTIO_ENOTREADY;
	if (queue->broken)
		return VIRTIO_EBROKEN;
	if (head >= queue->size || queue->replay == 0 || queue->inflight[head].state != VIRTIO_IMPL_INFLIGHT_IDLE)
		return VIRTIO_EINVAL;
	/* Pops at the old position. After the checks above this cannot fail. */
	queue->next_avail = next_avail - queue->replay;
	got = virtio_impl_queue_take_slow(queue, head, chain);
	queue->next_avail = next_avail;
	virtio_inflight_flag(&queue->inflight[head], VIRTIO_IMPL_INFLIGHT_REPLAYED);
	queue->replay--;
	virtio_impl_queue_update_paths(queue);
	return got;
}
