/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Slow paths of a request through the queue: pop, unpop, complete, interrupts and kicks. */
#include "memory_internal.h"
#include "queue_internal.h"

/* Available ring */

/* Handles a failed access to a ring. Breaks the queue, unless a translation is not known yet. */
static int ring_error(struct virtio_queue *queue, int error)
{
	if (error != VIRTIO_ENOTMAPPED)
		return virtio_impl_queue_break(queue, error, UINT16_MAX);
	queue->stats.not_mapped++;
	return error;
}

/*
 * Returns the error that stops every pop, whatever the rings contain. Returns 0 if pops are
 * possible.
 */
static int why_not_running(const struct virtio_queue *queue)
{
	if (queue->size == 0)
		return VIRTIO_ENOTREADY;
	if (queue->broken)
		return VIRTIO_EBROKEN;
	return queue->replay != 0 ? VIRTIO_EBUSY : 0;
}

/*
 * Reads the available index. Returns 1 if a chain is available, 0 if no chain is available, or an
 * error. The acquire pairs with the driver's release of the index: we see all entries and
 * descriptors that the driver wrote before the index (virtio 1.4, 2.7.13.3.1).
 */
static inline VIRTIO_HOT int refresh(struct virtio_queue *queue)
{
	const uint16_t known = virtio_queue_known(queue);
	uint16_t idx, ahead;
	int error = virtio_ring_load(queue, VIRTIO_QUEUE_AVAIL, VIRTIO_IMPL_RING_IDX, &idx);

	if (error)
		return ring_error(queue, error);
	ahead = (uint16_t)(idx - queue->next_avail);
	/*
	 * The ring holds at most `size` chains, and no driver may decrement the index (2.7.6.1).
	 */
	if (ahead > queue->size || ahead < known)
		return virtio_impl_queue_break(queue, VIRTIO_EAVAILIDX, UINT16_MAX);
	/* No other derived member depends on avail_idx, so only fast_avail is computed again. */
	queue->avail_idx = idx;
	queue->fast_avail = queue->next_avail + (queue->fast_avail_ring ? ahead : 0u);
	return ahead != 0;
}

int virtio_impl_queue_pop_head_slow(struct virtio_queue *queue, uint16_t head, struct virtio_chain *chain)
{
	const uint32_t slot = queue->next_avail & queue->mask;

	if (head >= queue->size)
		return virtio_impl_queue_break(queue, VIRTIO_EHEAD, head);
	if (queue->inflight[head].state != VIRTIO_IMPL_INFLIGHT_IDLE)
		return virtio_impl_queue_break(queue, VIRTIO_EINFLIGHT, head);
	virtio_impl_queue_pop_head(queue, head, chain);
	if (queue->config.in_order)
		queue->inflight[slot].order = head;
	if (!queue->desc)
		virtio_impl_walk_use_table(&chain->walk, NULL, queue->config.addr[VIRTIO_QUEUE_DESC], queue->size, head,
					   queue->size);
	/*
	 * Without a fast path, fast_avail must stay equal to next_avail. The next pop then takes
	 * the slow path again.
	 */
	if (!queue->fast_avail_ring)
		queue->fast_avail = queue->next_avail;
	return 1;
}

int virtio_impl_queue_pop_slow(struct virtio_queue *queue, struct virtio_chain *chain)
{
	const uint32_t slot = queue->next_avail & queue->mask;
	uint16_t head;
	int got = why_not_running(queue);

	if (got)
		return got;
	if (virtio_queue_known(queue) == 0) {
		got = refresh(queue);
		if (got <= 0)
			return got;
	}
	got = virtio_ring_load(queue, VIRTIO_QUEUE_AVAIL, VIRTIO_IMPL_RING_ENTRIES + 2 * (uint64_t)slot, &head);
	return got ? ring_error(queue, got) : virtio_impl_queue_pop_head_slow(queue, head, chain);
}

int virtio_queue_available(struct virtio_queue *queue)
{
	int got = why_not_running(queue);

	if (got)
		return got;
	got = refresh(queue);
	return got < 0 ? got : virtio_queue_known(queue);
}

/* In flight */

static struct virtio_inflight *find_in_flight(const struct virtio_queue *queue, struct virtio_token token)
{
	const uint16_t head = virtio_token_head(token);
	struct virtio_inflight *entry;
	uint64_t state;

	/*
	 * Checks bit 16 first. The state of a request with flags lacks this bit, so a forged token
	 * without the bit would pass the comparison below.
	 */
	if (head >= queue->size || !(token.value & VIRTIO_IMPL_TOKEN_SET))
		return NULL;
	entry = &queue->inflight[head];
	state = entry->flags ? virtio_inflight_flagged(token.value) : token.value;
	return virtio_inflight_has_request(entry) && entry->state == state ? entry : NULL;
}

bool virtio_queue_is_in_flight(const struct virtio_queue *queue, struct virtio_token token)
{
	return find_in_flight(queue, token) != NULL;
}

static void leave_flight(struct virtio_queue *queue, struct virtio_inflight *entry)
{
	const uint16_t flags = entry->flags;

	entry->state = VIRTIO_IMPL_INFLIGHT_IDLE;
	entry->flags = 0;
	if (flags & VIRTIO_IMPL_INFLIGHT_OLD_MAP) {
		queue->old_map_in_flight--;
		virtio_impl_queue_update_paths(queue);
	}
}

int virtio_queue_unpop(struct virtio_queue *queue, struct virtio_token token)
{
	struct virtio_inflight *entry = find_in_flight(queue, token);

	if (!entry)
		return VIRTIO_ESTALE;
	if (queue->broken)
		return VIRTIO_EBROKEN;
	if (entry->place != queue->next_avail - queue->replay - 1)
		return VIRTIO_ENOTLAST;
	if (entry->flags & VIRTIO_IMPL_INFLIGHT_REPLAYED)
		queue->replay++;
	else
		queue->next_avail--;
	leave_flight(queue, entry);
	virtio_impl_queue_update_paths(queue);
	return 0;
}

/* Used ring */

/*
 * Returns 0 if the used ring can be written now, or the error of a write. The caller makes this
 * check before any change, so a completion happens completely or not at all.
 */
static int used_ring_error(struct virtio_queue *queue)
{
	if (queue->used)
		return 0;
	return virtio_memory_check(&queue->ring_memory, queue->config.addr[VIRTIO_QUEUE_USED],
				   virtio_queue_config_area_bytes(&queue->config, VIRTIO_QUEUE_USED),
				   VIRTIO_ACCESS_WRITE);
}

/*
 * Under IN_ORDER, stores completions in the used ring, and publishes them together. Stops before
 * the first request that is not completed. The queue's records change only after all stores have
 * succeeded. A store can fail only if a translation breaks the rule of virtio_translate_fn.
 */
static int complete_in_order(struct virtio_queue *queue)
{
	const uint16_t end = (uint16_t)(queue->next_avail - queue->replay);
	const uint16_t begin = queue->oldest;
	uint64_t idx = queue->used_idx;
	uint16_t next = begin;
	int error;

	for (; next != end; next++) {
		const uint16_t head = queue->inflight[next & queue->mask].order;
		const struct virtio_inflight *entry = &queue->inflight[head];

		if (entry->state == VIRTIO_IMPL_INFLIGHT_IDLE || virtio_inflight_has_request(entry))
			break;
		error = virtio_impl_ring_store_used(queue, idx++, head, virtio_impl_queue_waiting_length(entry));
		if (error)
			return error;
	}
	error = idx == queue->used_idx ? 0 : virtio_impl_ring_publish(queue, idx);
	if (error)
		return error;
	for (uint16_t slot = begin; slot != next; slot++) {
		leave_flight(queue, &queue->inflight[queue->inflight[slot & queue->mask].order]);
		queue->waiting--;
	}
	queue->oldest = next;
	return 0;
}

/*
 * Stores completions in the used ring and publishes them together. If one completion cannot be
 * stored, the driver sees no completion of this call.
 */
static int complete_at_once(struct virtio_queue *queue, const struct virtio_completion *completions, uint32_t count)
{
	uint64_t idx = queue->used_idx;

	for (uint32_t i = 0; i < count; i++) {
		const int error = virtio_impl_ring_store_used(queue, idx++, virtio_token_head(completions[i].token),
							      completions[i].len);

		if (error)
			return error;
	}
	return virtio_impl_ring_publish(queue, idx);
}

/*
 * Records the writes of a completion in the dirty log. The marks may follow the publication,
 * because the log is read for the last time after the device has stopped.
 */
static inline void mark_completion(const struct virtio_queue *queue, uint64_t idx)
{
	const struct virtio_region *region = queue->used_region;
	const struct virtio_dirty_log *log = region->dirty;
	const uint64_t offset = VIRTIO_IMPL_RING_ENTRIES + VIRTIO_IMPL_USED_BYTES * (idx & queue->mask);
	const uint64_t used = virtio_memory_guest_address(region, queue->used);
	const uint64_t index = used + VIRTIO_IMPL_RING_IDX, end = used + offset + VIRTIO_IMPL_USED_BYTES;

	/* One mark suffices if the element and the index are in one page. */
	if (VIRTIO_LIKELY((index - log->base) >> log->page_shift == (end - 1 - log->base) >> log->page_shift)) {
		virtio_memory_mark(log, index, end - index);
		return;
	}
	virtio_memory_mark(log, used + offset, VIRTIO_IMPL_USED_BYTES);
	virtio_memory_mark(log, index, sizeof(uint16_t));
}

/*
 * Completes a request on a fast path for a used ring with a dirty log. Returns false, and changes
 * nothing, if the slow path must complete the request.
 */
static inline bool complete_logged(struct virtio_queue *queue, uint64_t token, uint32_t len)
{
	const uint32_t head = virtio_token_head((struct virtio_token){ token });
	struct virtio_inflight *entry;

	if (!queue->used_region || !queue->fast_used || queue->old_map_in_flight != 0 || head >= queue->size)
		return false;
	entry = &queue->inflight[head];
	if (entry->state != token)
		return false;
	virtio_impl_queue_store_completion(queue, entry, head, len);
	mark_completion(queue, queue->used_idx - 1);
	return true;
}

int virtio_impl_queue_complete_slow(struct virtio_queue *queue, uint64_t token, uint32_t len)
{
	const struct virtio_completion one = { { token }, len };

	if (complete_logged(queue, token, len))
		return 0;
	return virtio_queue_complete_batch(queue, &one, 1);
}

/* Undoes mark_waiting(): the requests are in flight again. */
static void mark_in_flight(struct virtio_queue *queue, const struct virtio_completion *completions, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct virtio_inflight *entry = &queue->inflight[virtio_token_head(completions[i].token)];

		entry->flags &= (uint16_t)~VIRTIO_IMPL_INFLIGHT_WAITS;
		entry->state = completions[i].token.value;
		if (entry->flags)
			entry->state = virtio_inflight_flagged(entry->state);
	}
	queue->waiting -= count;
}

/*
 * Marks all requests as waiting. On an error no request is marked. The state of a waiting request
 * holds the used length instead of the token.
 */
static int mark_waiting(struct virtio_queue *queue, const struct virtio_completion *completions, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct virtio_inflight *entry = find_in_flight(queue, completions[i].token);

		if (!entry) {
			mark_in_flight(queue, completions, i);
			return VIRTIO_ESTALE;
		}
		/* From here on a second occurrence of the same token is stale. */
		entry->flags |= VIRTIO_IMPL_INFLIGHT_WAITS;
		entry->state = (uint64_t)completions[i].len << 32 | VIRTIO_IMPL_INFLIGHT_FLAGGED;
		queue->waiting++;
	}
	return 0;
}

/*
 * Ends the use of old maps by completed requests, also by requests that are not in the used ring
 * yet.
 */
static void forget_old_maps(struct virtio_queue *queue, const struct virtio_completion *completions, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct virtio_inflight *entry = &queue->inflight[virtio_token_head(completions[i].token)];

		if (entry->state == VIRTIO_IMPL_INFLIGHT_IDLE)
			continue;
		queue->old_map_in_flight -= (entry->flags & VIRTIO_IMPL_INFLIGHT_OLD_MAP) != 0;
		entry->flags = VIRTIO_IMPL_INFLIGHT_WAITS;
	}
	virtio_impl_queue_update_paths(queue);
}

void virtio_impl_queue_mark_completed(struct virtio_queue *queue, struct virtio_token token, uint32_t len)
{
	const struct virtio_completion one = { token, len };

	/* Cannot fail, because the request is in flight. */
	(void)mark_waiting(queue, &one, 1);
	queue->inflight[virtio_token_head(token)].flags = VIRTIO_IMPL_INFLIGHT_WAITS;
}

int virtio_queue_complete_batch(struct virtio_queue *queue, const struct virtio_completion *completions, uint32_t count)
{
	int error;

	if (queue->size == 0)
		return count ? VIRTIO_ESTALE : 0;
	error = used_ring_error(queue);
	if (!error)
		error = mark_waiting(queue, completions, count);
	if (error || count == 0)
		return error;
	error = queue->config.in_order ? complete_in_order(queue) : complete_at_once(queue, completions, count);
	if (error) {
		mark_in_flight(queue, completions, count);
		return error;
	}
	if (queue->config.in_order) {
		forget_old_maps(queue, completions, count);
		return 0;
	}
	for (uint32_t i = 0; i < count; i++)
		leave_flight(queue, &queue->inflight[virtio_token_head(completions[i].token)]);
	queue->waiting -= count;
	return 0;
}

/* Interrupts and kicks */

/*
 * Returns whether the available ring asks for an interrupt. Also returns true if the ring cannot be
 * read, or if signalled_valid is false under EVENT_IDX.
 */
static bool driver_wants_it(struct virtio_queue *queue, uint64_t added)
{
	uint16_t field;

	if (queue->config.event_idx) {
		if (virtio_ring_load(queue, VIRTIO_QUEUE_AVAIL, VIRTIO_IMPL_RING_ENTRIES + 2 * (uint64_t)queue->size,
				     &field))
			return true;
		return !queue->signalled_valid || (uint16_t)(queue->used_idx - 1 - field) < added;
	}
	if (virtio_ring_load(queue, VIRTIO_QUEUE_AVAIL, VIRTIO_IMPL_RING_FLAGS, &field))
		return true;
	return !(field & VRING_AVAIL_F_NO_INTERRUPT);
}

bool virtio_impl_queue_needs_interrupt_slow(struct virtio_queue *queue)
{
	const uint64_t added = queue->used_idx - queue->signalled;
	bool yes;

	if (queue->size == 0 || (added == 0 && queue->signalled_valid))
		return false;
	/*
	 * The used index must be visible before the queue reads the driver's event field or flags,
	 * as in the inline virtio_queue_needs_interrupt().
	 */
	virtio_full_fence();
	yes = driver_wants_it(queue, added);
	queue->signalled = queue->used_idx;
	if (!queue->signalled_valid) {
		queue->signalled_valid = true;
		virtio_impl_queue_update_paths(queue);
	}
	queue->stats.interrupts += yes;
	return yes;
}

int virtio_queue_enable_kicks(struct virtio_queue *queue)
{
	int error = why_not_running(queue);

	if (error)
		return error;
	if (queue->config.event_idx)
		error = virtio_ring_store(queue,
					  VIRTIO_IMPL_RING_ENTRIES + VIRTIO_IMPL_USED_BYTES * (uint64_t)queue->size,
					  (uint16_t)queue->next_avail);
	else
		error = virtio_ring_store(queue, VIRTIO_IMPL_RING_FLAGS, 0);
	if (error)
		return ring_error(queue, error);
	/*
	 * The request for kicks must be visible before the index is read again. The fence pairs
	 * with the barrier between the driver's store of its index and its read of avail_event or
	 * the flags (2.7.13.4.1). At least one side then sees the other side's store.
	 */
	virtio_full_fence();
	return refresh(queue);
}

int virtio_queue_disable_kicks(struct virtio_queue *queue)
{
	int error = why_not_running(queue);

	if (error || queue->config.event_idx)
		return error;
	error = virtio_ring_store(queue, VIRTIO_IMPL_RING_FLAGS, VRING_USED_F_NO_NOTIFY);
	return error ? ring_error(queue, error) : 0;
}
