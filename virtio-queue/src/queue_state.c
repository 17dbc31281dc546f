/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Saving and restoring the state of a queue. */
#include <virtio/queue_state.h>

#include "queue_internal.h"

/* A map without memory, for checks that need no memory. */
static const struct virtio_memory_map no_memory;

/* Sets *out to all zeroes, the state of a queue that is not started. */
static void save_nothing(struct virtio_queue_state *out)
{
	const struct virtio_queue_state empty = { .next_avail = 0 };

	*out = empty;
}

/*
 * Returns whether next_avail minus used_idx equals the number of popped requests that are not in
 * the used ring. A restore computes this number from the two indices.
 */
static bool indices_agree(const struct virtio_queue *queue)
{
	return (uint16_t)(queue->next_avail - queue->used_idx) == virtio_queue_in_flight(queue) + queue->waiting;
}

static void save(const struct virtio_queue *queue, struct virtio_queue_state *out)
{
	out->config = queue->config;
	out->next_avail = (uint16_t)queue->next_avail;
	out->next_used = (uint16_t)queue->used_idx;
	out->broken = queue->broken;
}

int virtio_queue_save(const struct virtio_queue *queue, struct virtio_queue_state *out)
{
	if (queue->size == 0) {
		save_nothing(out);
		return 0;
	}
	if (queue->replay != 0 || queue->waiting != 0 || !virtio_queue_quiesced(queue))
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

/*
 * Returns the number of pops since a request was popped, modulo 2^32. The number includes the
 * request's own pop.
 */
static uint32_t age(const struct virtio_queue *queue, uint32_t head)
{
	return queue->next_avail - queue->inflight[head].place;
}

/*
 * Sorts the requests from oldest to newest. Uses Shell's sort, because the guest could choose an
 * order that is the worst case of an insertion sort.
 */
static void sort_by_age(const struct virtio_queue *queue, struct virtio_queue_flight *record, uint32_t n)
{
	for (uint32_t gap = n / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11)
		for (uint32_t i = gap; i < n; i++) {
			const struct virtio_queue_flight one = record[i];
			uint32_t j = i;

			for (; j >= gap && age(queue, record[j - gap].head) < age(queue, one.head); j -= gap)
				record[j] = record[j - gap];
			record[j] = one;
		}
}

int virtio_queue_save_in_flight(const struct virtio_queue *queue, struct virtio_queue_state *out,
				struct virtio_queue_flight *record, uint32_t capacity, uint32_t *count)
{
	uint32_t n = 0;

	if (queue->size == 0) {
		save_nothing(out);
		*count = 0;
		return 0;
	}
	if (queue->replay != 0)
		return VIRTIO_EBUSY;
	if (!indices_agree(queue))
		return VIRTIO_EINVAL;
	if (virtio_queue_in_flight(queue) + queue->waiting > capacity)
		return VIRTIO_ENOBUFS;
	for (uint32_t head = 0; head < queue->size; head++) {
		const struct virtio_inflight *entry = &queue->inflight[head];
		const bool waits = (entry->flags & VIRTIO_IMPL_INFLIGHT_WAITS) != 0;

		if (entry->state == VIRTIO_IMPL_INFLIGHT_IDLE)
			continue;
		record[n++] = (struct virtio_queue_flight){
			.head = (uint16_t)head,
			.completed = waits,
			.written = waits ? virtio_impl_queue_waiting_length(entry) : 0,
		};
	}
	sort_by_age(queue, record, n);
	save(queue, out);
	*count = n;
	return 0;
}

/*
 * Returns whether a bool is valid. Reads the bool as a byte, because loading a bool that is neither
 * 0 nor 1 is undefined in C.
 */
static bool is_bool(const bool *value)
{
	VIRTIO_STATIC_ASSERT(sizeof *value == 1, "a bool is one byte");
	return *(const unsigned char *)value <= 1;
}

/*
 * Returns whether all values are 0, as for a queue that was not started. The bools must be valid.
 */
static bool is_empty(const struct virtio_queue_state *state)
{
	const struct virtio_queue_config *config = &state->config;

	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++)
		if (config->addr[i] != 0)
			return false;
	return config->max_size == 0 && config->size == 0 && !config->ready && !config->event_idx &&
	       !config->indirect && !config->in_order && !config->allow_unnegotiated_indirect &&
	       !config->allow_long_indirect && state->next_avail == 0 && state->next_used == 0 && state->broken == 0;
}

/* Returns whether this error is a fault of the ring that breaks a queue. */
static bool can_break(int error)
{
	return error == VIRTIO_EAVAILIDX || error == VIRTIO_EHEAD || error == VIRTIO_EINFLIGHT ||
	       error == VIRTIO_EFAULT || error == VIRTIO_EPERM;
}

/* Stores which value is refused, and returns the error. */
static int refuse(struct virtio_refusal *refusal, const char *field, uint32_t entry, int error)
{
	*refusal = (struct virtio_refusal){ .field = field, .entry = entry };
	return error;
}

/* Returns the first area whose address is not aligned, or the number of areas. */
static int find_misaligned(const struct virtio_queue_config *config)
{
	struct virtio_queue_config one;
	int area = VIRTIO_QUEUE_DESC;

	/* This configuration is not ready, so only a misaligned address is refused. */
	(void)!virtio_queue_config_init(&one, 1);
	while (area <= VIRTIO_QUEUE_USED &&
	       virtio_queue_config_set_addr(&one, (enum virtio_queue_area)area, config->addr[area]) == 0)
		area++;
	return area;
}

/* Returns the name of the configured value that caused the error, as in the section "queue". */
static const char *bad_config(const struct virtio_queue_config *config, int error, const struct virtio_memory_map *map)
{
	static const char *const areas[] = { "desc", "avail", "used" };
	struct virtio_queue_config one;
	struct virtio_memory_cursor cursor;
	int area = VIRTIO_QUEUE_DESC;

	if (error == VIRTIO_ESIZE)
		return virtio_queue_config_init(&one, config->max_size) ? "max_size" : "size";
	if (error == VIRTIO_EALIGN)
		return areas[find_misaligned(config)];
	virtio_memory_cursor_init(&cursor, map);
	while (area < VIRTIO_QUEUE_USED &&
	       virtio_memory_check(&cursor, config->addr[area],
				   virtio_queue_config_area_bytes(config, (enum virtio_queue_area)area),
				   VIRTIO_ACCESS_READ) == 0)
		area++;
	return areas[area];
}

static int check_bools(const struct virtio_queue_config *config, struct virtio_refusal *refusal)
{
	const struct {
		const bool *value;
		const char *name;
	} bools[] = {
		{ &config->ready, "ready" },
		{ &config->event_idx, "event_idx" },
		{ &config->indirect, "indirect" },
		{ &config->in_order, "in_order" },
		{ &config->allow_unnegotiated_indirect, "allow_unnegotiated_indirect" },
		{ &config->allow_long_indirect, "allow_long_indirect" },
	};

	for (size_t i = 0; i < sizeof bools / sizeof bools[0]; i++) {
		if (!is_bool(bools[i].value))
			return refuse(refusal, bools[i].name, VIRTIO_SECTION_NO_ENTRY, VIRTIO_EINVAL);
	}
	return 0;
}

/*
 * Checks whether a queue may start from a configuration, and sets *latch if the queue must start
 * broken. The areas of a broken queue may lie outside guest memory. Under a translation the guest
 * may have unmapped an area. The restore then succeeds, and the queue starts broken.
 */
static int check_config(const struct virtio_queue_state *state, const struct virtio_memory_map *map, bool *latch)
{
	const int error = virtio_queue_config_check(&state->config, map);
	const bool gone = error == VIRTIO_EFAULT || error == VIRTIO_EPERM;

	if (error && error != VIRTIO_ESIZE && find_misaligned(&state->config) <= VIRTIO_QUEUE_USED)
		return VIRTIO_EALIGN;
	*latch = state->broken || (gone && map && map->translate);
	return *latch && (gone || error == VIRTIO_ENOTMAPPED) ? 0 : error;
}

/* Checks a state that is not empty. The bools were checked before. */
static int check_values(const struct virtio_queue_state *state, struct virtio_refusal *refusal)
{
	if (state->broken && !can_break(state->broken))
		return refuse(refusal, "broken", VIRTIO_SECTION_NO_ENTRY, VIRTIO_EINVAL);
	if ((uint16_t)(state->next_avail - state->next_used) > state->config.size)
		return refuse(refusal, "in_flight", VIRTIO_SECTION_NO_ENTRY, VIRTIO_EINVAL);
	if (!state->config.ready)
		return refuse(refusal, "ready", VIRTIO_SECTION_NO_ENTRY, VIRTIO_ENOTREADY);
	return 0;
}

/*
 * Checks a record. `count` must be next_avail - next_used. Each head must be below the queue size
 * and occur once, and `completed` and `written` must have possible values.
 */
static int check_record(const struct virtio_queue_state *state, const struct virtio_queue_flight *record,
			uint32_t count, struct virtio_refusal *refusal)
{
	uint8_t seen[VIRTIO_QUEUE_MAX_SIZE / 8] = { 0 };

	if (count != (uint16_t)(state->next_avail - state->next_used))
		return refuse(refusal, "in_flight", VIRTIO_SECTION_NO_ENTRY, VIRTIO_EINVAL);
	for (uint32_t i = 0; i < count; i++) {
		const uint16_t head = record[i].head;

		if (head >= state->config.size || (seen[head / 8] >> head % 8 & 1))
			return refuse(refusal, "head", i, VIRTIO_EINVAL);
		seen[head / 8] |= (uint8_t)(1u << head % 8);
		/* A completed first request would be in the used ring already, so it is refused. */
		if (!is_bool(&record[i].completed) || (record[i].completed && (!state->config.in_order || i == 0)))
			return refuse(refusal, "completed", i, VIRTIO_EINVAL);
		if (record[i].written && !record[i].completed)
			return refuse(refusal, "written", i, VIRTIO_EINVAL);
	}
	return 0;
}

int virtio_queue_check_state(const struct virtio_queue_state *state, const struct virtio_queue_flight *record,
			     uint32_t count, const struct virtio_memory_map *map, struct virtio_refusal *refusal)
{
	bool latch = false;
	int error = check_bools(&state->config, refusal);

	if (!error && is_empty(state))
		return count ? refuse(refusal, "in_flight", VIRTIO_SECTION_NO_ENTRY, VIRTIO_EINVAL) : 0;
	if (!error)
		error = check_values(state, refusal);
	if (error)
		return error;
	error = check_config(state, map ? map : &no_memory, &latch);
	if (error && (map || error == VIRTIO_ESIZE || error == VIRTIO_EALIGN))
		return refuse(refusal, bad_config(&state->config, error, map), VIRTIO_SECTION_NO_ENTRY, error);
	return record ? check_record(state, record, count, refusal) : 0;
}

int virtio_queue_restore(struct virtio_queue *queue, const struct virtio_queue_state *state,
			 const struct virtio_memory_map *map)
{
	const uint16_t in_flight = (uint16_t)(state->next_avail - state->next_used);
	struct virtio_refusal refusal;
	bool latch = false;
	int error;

	if (queue->size != 0)
		return VIRTIO_EBUSY;
	error = check_bools(&state->config, &refusal);
	if (!error && is_empty(state))
		return 0;
	if (!error)
		error = check_values(state, &refusal);
	if (!error)
		error = check_config(state, map, &latch);
	if (!error && latch)
		error = virtio_impl_queue_start_broken(queue, &state->config, map,
						       state->broken ? state->broken : VIRTIO_EFAULT);
	else if (!error)
		error = virtio_queue_start(queue, &state->config, map);
	if (error)
		return error;
	/* These calls cannot fail, because nothing is in flight after a start. */
	(void)!virtio_queue_set_next_avail(queue, state->next_avail);
	(void)!virtio_queue_set_next_used(queue, state->next_used);
	/*
	 * Treats the saved requests as not popped yet. So nothing is in flight until the replay.
	 */
	queue->replay = in_flight;
	queue->flight_base -= in_flight;
	queue->oldest = state->next_used;
	virtio_impl_queue_update_paths(queue);
	return 0;
}

int virtio_queue_replay(struct virtio_queue *queue, const struct virtio_queue_flight *request,
			struct virtio_chain *chain)
{
	const uint32_t next_avail = queue->next_avail;
	const uint16_t head = request->head;
	struct virtio_chain walk;
	int got;

	if (queue->size == 0)
		return VIRTIO_ENOTREADY;
	if (head >= queue->size || queue->replay == 0 || queue->inflight[head].state != VIRTIO_IMPL_INFLIGHT_IDLE)
		return VIRTIO_EINVAL;
	if (request->completed && !queue->config.in_order)
		return VIRTIO_EINVAL;
	/*
	 * The replays take the last indices before next_avail, in the order of the calls. Under
	 * IN_ORDER these are the same indices as before the save. After the checks above the pop
	 * cannot fail.
	 */
	queue->next_avail = next_avail - queue->replay;
	got = virtio_impl_queue_pop_head_slow(queue, head, &walk);
	queue->next_avail = next_avail;
	virtio_inflight_flag(&queue->inflight[head], VIRTIO_IMPL_INFLIGHT_REPLAYED);
	queue->replay--;
	if (request->completed) {
		virtio_impl_queue_mark_completed(queue, walk.token, request->written);
		got = 0;
	} else {
		*chain = walk;
	}
	virtio_impl_queue_update_paths(queue);
	return got;
}
