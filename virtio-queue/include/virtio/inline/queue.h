/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Inline bodies of <virtio/queue.h>, which includes this file. Do not include it directly. */
#ifndef VIRTIO_INLINE_QUEUE_H
#define VIRTIO_INLINE_QUEUE_H

#include <virtio/queue.h>

VIRTIO_BEGIN_DECLS

/*
 * The state of a head:
 *
 *   idle       VIRTIO_IMPL_INFLIGHT_IDLE, which has all bits set
 *   in flight  the token. If the head has a flag, the token with bits 0 to 15 set and bit 16 clear.
 *   waiting    the used length in bits 32 to 63, and bits 0 to 15 set. The request is completed,
 *              but not in the used ring yet: under IN_ORDER until all earlier requests are
 *              completed, otherwise while virtio_queue_complete_batch() stores used elements.
 *
 * No queue has a head with all 16 bits set. So a token can equal only the state of its own request,
 * and only if the head has no flag. If the head has a flag, bit 16 must be clear: otherwise the
 * state with the last sequence number before the wrap would equal the idle state.
 */
#define VIRTIO_IMPL_INFLIGHT_OLD_MAP 1u  /* flag: popped under an earlier map */
#define VIRTIO_IMPL_INFLIGHT_REPLAYED 2u /* flag: from virtio_queue_replay() */
#define VIRTIO_IMPL_INFLIGHT_WAITS 4u    /* flag: the state is waiting */
#define VIRTIO_IMPL_INFLIGHT_IDLE UINT64_MAX
/* All bits of the head's number. They are set in the state of a head that has a flag. */
#define VIRTIO_IMPL_INFLIGHT_FLAGGED UINT64_C(0xffff)

/*
 * The distance between the sequence numbers of successive pops. Bit 16 is set in every token, so no
 * token is 0.
 */
#define VIRTIO_IMPL_TOKEN_STEP (UINT64_C(1) << 17)
#define VIRTIO_IMPL_TOKEN_SET (UINT64_C(1) << 16)

/* The set-up, and slow paths. */
int virtio_impl_queue_init_layout_6(struct virtio_queue *queue, struct virtio_inflight *inflight, uint32_t entries);
int virtio_impl_queue_pop_slow(struct virtio_queue *queue, struct virtio_chain *chain);
int virtio_impl_queue_complete_slow(struct virtio_queue *queue, uint64_t token, uint32_t len);
bool virtio_impl_queue_needs_interrupt_slow(struct virtio_queue *queue);

/* Offsets in the rings (virtio 1.4, 2.7.6 and 2.7.8). */
#define VIRTIO_IMPL_RING_FLAGS 0
#define VIRTIO_IMPL_RING_IDX 2
#define VIRTIO_IMPL_RING_ENTRIES 4

/*
 * The name of the called function contains the version of the layouts in <virtio/queue.h>, so a
 * program compiled against another version does not link.
 */
VIRTIO_INLINE int virtio_queue_init(struct virtio_queue *queue, struct virtio_inflight *inflight, uint32_t entries)
{
	return virtio_impl_queue_init_layout_6(queue, inflight, entries);
}

/* Begins a walk at a head. If the table has no host address, the caller must replace the walk. */
VIRTIO_INLINE VIRTIO_HOT void virtio_impl_queue_begin_walk(const struct virtio_queue *queue, uint16_t head,
							   struct virtio_walk *walk)
{
	walk->table = (uintptr_t)queue->desc;
	walk->next = (uintptr_t)queue->desc + (uint64_t)head * VIRTIO_IMPL_DESC_BYTES;
	/* Lets the compiler drop the tests of these two conditions for the first descriptor. */
	VIRTIO_ASSUME(queue->walk_left >= 2 * VIRTIO_IMPL_WALK_ONE);
	VIRTIO_ASSUME((queue->walk_left & VIRTIO_IMPL_WALK_WRITABLE) == 0);
	walk->left = queue->walk_left;
	walk->last = (uintptr_t)queue->desc_last;
	walk->bytes_left = VIRTIO_CHAIN_MAX_BYTES;
}

/* Puts an idle head in flight, and begins its walk: see virtio_impl_queue_begin_walk(). */
VIRTIO_INLINE VIRTIO_HOT void virtio_impl_queue_pop_head(struct virtio_queue *queue, uint16_t head,
							 struct virtio_chain *chain)
{
	struct virtio_inflight *entry = &queue->inflight[head];
	const uint64_t sequence = queue->sequence + VIRTIO_IMPL_TOKEN_STEP;
	const uint64_t token = sequence | head;

	queue->sequence = sequence;
	entry->state = token;
	entry->place = queue->next_avail++;

	chain->token.value = token;
	chain->memory = queue->memory;
	virtio_impl_queue_begin_walk(queue, head, &chain->walk);
}

/*
 * Reads the available index when all known chains are popped. The acquire pairs with the driver's
 * release of the index: see refresh() in queue_flow.c, which also handles an index that is too far
 * ahead.
 *
 * @entries  queue->fast_avail_ring
 * @next     queue->next_avail
 *
 * Returns 1 if there is something to pop, 0 if there is nothing, and -1 if the slow path has to
 * decide.
 */
VIRTIO_INLINE VIRTIO_HOT int virtio_impl_queue_reload(struct virtio_queue *queue, const uint8_t *entries, uint32_t next)
{
	uint16_t idx, ahead;

	if (VIRTIO_UNLIKELY(!entries))
		return -1;
	idx = virtio_guest_load_le16_acquire(entries - VIRTIO_IMPL_RING_ENTRIES + VIRTIO_IMPL_RING_IDX);
	ahead = (uint16_t)(idx - next);
	if (ahead == 0)
		return 0;
	if (VIRTIO_UNLIKELY(ahead > queue->size))
		return -1;
	queue->avail_idx = idx;
	queue->fast_avail = next + ahead;
	return 1;
}

/*
 * Reads the next head without popping it. Returns 1 if the head may be popped, 0 if no head is
 * available, and -1 if the slow path has to decide. The slow path reads the ring again. Then the
 * slow path pops a head, finds no head, or returns an error.
 */
VIRTIO_INLINE VIRTIO_HOT int virtio_impl_queue_peek(struct virtio_queue *queue, uint16_t *out)
{
	/* Without these copies the compiler would load both members again after the acquire. */
	const uint8_t *entries = queue->fast_avail_ring;
	const uint32_t next = queue->next_avail;
	uint16_t head;

	if (VIRTIO_UNLIKELY(next == queue->fast_avail)) {
		const int got = virtio_impl_queue_reload(queue, entries, next);

		if (got != 1)
			return got;
	}
	head = virtio_guest_load_le16(entries + 2 * (size_t)(next & queue->mask));
	*out = head;
	if (VIRTIO_UNLIKELY(head >= queue->size) ||
	    VIRTIO_UNLIKELY(queue->inflight[head].state != VIRTIO_IMPL_INFLIGHT_IDLE))
		return -1;
	return 1;
}

VIRTIO_INLINE VIRTIO_HOT int virtio_queue_pop(struct virtio_queue *queue, struct virtio_chain *chain)
{
	struct virtio_memory_cursor *memory = queue->memory;
	struct virtio_chain copy;
	uint16_t head;
	int got;

	got = virtio_impl_queue_peek(queue, &head);
	if (VIRTIO_LIKELY(got == 1)) {
		virtio_impl_queue_pop_head(queue, head, chain);
		goto taken;
	}
	if (got == 0)
		return 0;
	/*
	 * Pops into a copy, so the caller's chain can stay in registers: see
	 * virtio_impl_chain_next_slow().
	 */
	got = virtio_impl_queue_pop_slow(queue, &copy);
	if (got <= 0)
		return got;
	chain->token = copy.token;
	virtio_impl_walk_copy(&chain->walk, &copy.walk);
taken:
	/*
	 * Completes a slow pop. After a fast pop chain->memory has this value already, but the
	 * assignment tells the compiler the value. So the member needs no register.
	 */
	chain->memory = memory;
	return 1;
}

/*
 * Returns the entry of a request that the fast path may complete. Returns NULL if the token is
 * stale, or only the slow path may complete the request.
 */
VIRTIO_INLINE VIRTIO_HOT struct virtio_inflight *virtio_impl_queue_find_unflagged(const struct virtio_queue *queue,
										  struct virtio_token token)
{
	const uint32_t head = virtio_token_head(token);
	struct virtio_inflight *entry;

	if (VIRTIO_UNLIKELY(head >= queue->fast_heads))
		return NULL;
	entry = &queue->inflight[head];
	return VIRTIO_LIKELY(entry->state == token.value) ? entry : NULL;
}

/* Stores a used element and publishes it. */
VIRTIO_INLINE VIRTIO_HOT void virtio_impl_queue_publish_used(struct virtio_queue *queue, uint32_t head, uint32_t len)
{
	const uint64_t used_idx = queue->used_idx + 1;
	uint8_t *used = queue->fast_used;

	queue->used_idx = used_idx;
	virtio_guest_store_used(used + VIRTIO_IMPL_RING_ENTRIES +
					VIRTIO_IMPL_USED_BYTES * (size_t)((used_idx - 1) & queue->mask),
				head, len);
	/* The store is a release, because the driver reads element and buffers after this index. */
	virtio_guest_store_le16_release(used + VIRTIO_IMPL_RING_IDX, (uint16_t)used_idx);
}

/* Completes the request of an entry. The head must have no flag. */
VIRTIO_INLINE VIRTIO_HOT void virtio_impl_queue_store_completion(struct virtio_queue *queue,
								 struct virtio_inflight *entry, uint32_t head,
								 uint32_t len)
{
	entry->state = VIRTIO_IMPL_INFLIGHT_IDLE;
	virtio_impl_queue_publish_used(queue, head, len);
}

/*
 * Pops and completes a head in one step, so the head is never in flight. Before,
 * virtio_impl_queue_peek() must have returned 1 for this head. The head must be below fast_heads.
 */
VIRTIO_INLINE VIRTIO_HOT void virtio_impl_queue_complete_peeked(struct virtio_queue *queue, uint32_t head, uint32_t len)
{
	queue->next_avail++;
	virtio_impl_queue_publish_used(queue, head, len);
}

VIRTIO_INLINE VIRTIO_HOT int virtio_queue_complete(struct virtio_queue *queue, struct virtio_token token, uint32_t len)
{
	struct virtio_inflight *entry = virtio_impl_queue_find_unflagged(queue, token);

	if (VIRTIO_UNLIKELY(!entry))
		return virtio_impl_queue_complete_slow(queue, token.value, len);
	virtio_impl_queue_store_completion(queue, entry, virtio_token_head(token), len);
	return 0;
}

VIRTIO_INLINE VIRTIO_HOT bool virtio_queue_needs_interrupt(struct virtio_queue *queue)
{
	const uint64_t used_idx = queue->used_idx;
	const uint64_t added = used_idx - queue->signalled;
	uint16_t event;

	if (VIRTIO_UNLIKELY(!queue->fast_used_event))
		return virtio_impl_queue_needs_interrupt_slow(queue);
	/*
	 * The used index must be visible before used_event is read. This fence pairs with the
	 * barrier between the driver's store of used_event and its last read of the used index
	 * (2.7.14).
	 */
	virtio_full_fence();
	event = virtio_guest_load_le16(queue->fast_used_event);
	queue->signalled = used_idx;
	/*
	 * Returns false unless used_event is the index of an added element. After 65,536 or more
	 * additions every index belongs to an added element.
	 */
	if ((uint16_t)(used_idx - 1 - event) >= added)
		return false;
	queue->stats.interrupts++;
	return true;
}

VIRTIO_INLINE uint32_t virtio_queue_in_flight(const struct virtio_queue *queue)
{
	/*
	 * Every pop advances next_avail. Every completion in the used ring advances used_idx. The
	 * member `waiting` counts all other completions. After a restore next_avail already
	 * includes the requests still to be replayed.
	 */
	return queue->next_avail - queue->replay - (uint32_t)queue->used_idx - queue->waiting - queue->flight_base;
}

VIRTIO_INLINE bool virtio_queue_quiesced(const struct virtio_queue *queue)
{
	return virtio_queue_in_flight(queue) == 0;
}

VIRTIO_INLINE bool virtio_queue_old_maps_unused(const struct virtio_queue *queue)
{
	return queue->old_map_in_flight == 0;
}

VIRTIO_INLINE uint16_t virtio_queue_next_avail(const struct virtio_queue *queue)
{
	return (uint16_t)queue->next_avail;
}

VIRTIO_INLINE uint16_t virtio_queue_next_used(const struct virtio_queue *queue)
{
	return (uint16_t)queue->used_idx;
}

VIRTIO_END_DECLS

#endif
