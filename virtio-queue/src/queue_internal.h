/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Declarations shared by the source files of virtio-queue, and access to fields of the rings. */
#ifndef VIRTIO_QUEUE_INTERNAL_H
#define VIRTIO_QUEUE_INTERNAL_H

#include <virtio/queue.h>

#pragma GCC visibility push(hidden)

/* Slow paths of virtio_ring_load() and virtio_ring_store(), for a field without a host address. */
int virtio_impl_ring_load_cut(struct virtio_queue *queue, enum virtio_queue_area area, uint64_t offset, uint16_t *out);
int virtio_impl_ring_store_cut(struct virtio_queue *queue, uint64_t offset, uint16_t value);

/*
 * Read or write a 16-bit field of the available or used ring. Use the area's host address if the
 * area has one, else the map. Return 0 or the error of the access.
 */
static inline int virtio_ring_load(struct virtio_queue *queue, enum virtio_queue_area area, uint64_t offset,
				   uint16_t *out)
{
	const uint8_t *host = area == VIRTIO_QUEUE_AVAIL ? queue->avail : queue->used;

	if (VIRTIO_UNLIKELY(!host))
		return virtio_impl_ring_load_cut(queue, area, offset, out);
	*out = virtio_guest_load_le16_acquire(host + offset);
	return 0;
}

static inline int virtio_ring_store(struct virtio_queue *queue, uint64_t offset, uint16_t value)
{
	if (VIRTIO_UNLIKELY(!queue->used))
		return virtio_impl_ring_store_cut(queue, offset, value);
	virtio_guest_store_le16_release(queue->used + offset, value);
	if (VIRTIO_UNLIKELY(queue->used_region != NULL))
		virtio_region_mark_dirty(queue->used_region, queue->used + offset, sizeof value);
	return 0;
}

/*
 * virtio_impl_ring_store_used() writes the used element with index idx. virtio_impl_ring_publish()
 * sets the used index to idx, which makes all elements before idx visible.
 */
int virtio_impl_ring_store_used(struct virtio_queue *queue, uint64_t idx, uint16_t head, uint32_t len);
int virtio_impl_ring_publish(struct virtio_queue *queue, uint64_t idx);

/*
 * Breaks the queue for a fault of the ring. `head` is UINT16_MAX if the fault has no head. Returns
 * `error`.
 */
int virtio_impl_queue_break(struct virtio_queue *queue, int error, uint16_t head);

/* Increments a counter in queue->stats. Stores the fault if the queue had no fault before. */
void virtio_impl_queue_count_fault(struct virtio_queue *queue, int error, uint16_t head, uint64_t *counter);

/*
 * Lets a walk begin or continue at an entry of a checked table. The walk reads the table at `host`.
 * If `host` is NULL or not aligned to 8 bytes, the walk is slow and reads the table at `addr`.
 */
void virtio_impl_walk_use_table(struct virtio_walk *walk, const uint8_t *host, uint64_t addr, uint32_t entries,
				uint32_t first, uint32_t left);

/* The state of a resolution on the fast path. The compiler can keep this state in registers. */
struct virtio_run {
	const struct virtio_memory_map *map;
	/* Same as the members of struct virtio_walk. */
	uint64_t table, last, next;
	/* Bytes of the added buffers. A buffer has fewer than 2^32 bytes, so no sum wraps. */
	uint64_t bytes;
	int32_t left; /* set only if the run has stopped */
	/*
	 * The expected flags of the next descriptor: VRING_DESC_F_NEXT, and also VRING_DESC_F_WRITE
	 * after the first writable buffer. The next two members describe the readable buffers, and
	 * are set after the first writable buffer.
	 */
	uint32_t usual;
	struct virtio_segment *readable_end;
	uint64_t readable_bytes;
	struct virtio_segment *at; /* the next free entry of the caller's array */
	uint32_t room;             /* number of segments that array and walk still permit */
	/* The cached region. The cursor gets this region when the run succeeds. */
	const struct virtio_region *region;
	/* Set by a run that has stopped: descriptors that were read and not added yet. */
	struct virtio_guest_desc loaded[3];
	uint32_t loaded_count;
};

/*
 * The fast path of virtio_impl_chain_resolve_loaded(): for tables with a host address, and buffers
 * in one region each.
 *
 * @walk     has yielded no descriptor yet; is not changed
 * @stopped  set if the function returns false
 *
 * Returns true if the whole chain was resolved. Otherwise *out is unchanged except for its array,
 * and the caller must call virtio_impl_chain_resolve_rest().
 */
bool virtio_impl_chain_resolve_fast(struct virtio_memory_cursor *memory, const struct virtio_walk *walk,
				    const struct virtio_guest_desc *d, uint32_t count, struct virtio_run *stopped,
				    struct virtio_chain_segments *out);

/*
 * Finishes a resolution that the fast path has stopped. Returns the same as virtio_chain_resolve().
 */
VIRTIO_COLD int virtio_impl_chain_resolve_rest(struct virtio_chain *chain, const struct virtio_run *stopped,
					       struct virtio_chain_segments *out);

/*
 * Does the same as virtio_impl_queue_pop_head() for any head. Also handles what the inline pop
 * omits: faults, the order under IN_ORDER, and a table without a host address.
 */
int virtio_impl_queue_pop_head_slow(struct virtio_queue *queue, uint16_t head, struct virtio_chain *chain);

/*
 * Resolves a chain if `got`, the result of its pop, is 1. This is the second half of
 * virtio_queue_pop_segments(), virtio_queue_sync_pop() and virtio_queue_sync_replay().
 */
int virtio_impl_queue_resolve_popped(struct virtio_queue *queue, int got, struct virtio_chain *chain,
				     struct virtio_token *token, struct virtio_chain_segments *segments,
				     int *chain_error);

/* Unpops a request because of an error. Returns `error`, or the error of a failed unpop. */
static inline int virtio_queue_unpop_after(struct virtio_queue *queue, struct virtio_token token, int error)
{
	const int unpop = virtio_queue_unpop(queue, token);

	return unpop ? unpop : error;
}

/* Returns the number of chains known to be available: avail_idx minus next_avail. */
static inline uint16_t virtio_queue_known(const struct virtio_queue *queue)
{
	return (uint16_t)(queue->avail_idx - queue->next_avail);
}

/* Returns whether the head is in flight: neither idle nor waiting. */
static inline bool virtio_inflight_has_request(const struct virtio_inflight *entry)
{
	return entry->state != VIRTIO_IMPL_INFLIGHT_IDLE && !(entry->flags & VIRTIO_IMPL_INFLIGHT_WAITS);
}

/* Returns the in-flight state of a request that has flags. */
static inline uint64_t virtio_inflight_flagged(uint64_t token)
{
	return (token | VIRTIO_IMPL_INFLIGHT_FLAGGED) & ~VIRTIO_IMPL_TOKEN_SET;
}

/* Sets a flag of a request in flight. Its completion then takes the slow path. */
static inline void virtio_inflight_flag(struct virtio_inflight *entry, uint16_t flag)
{
	entry->flags |= flag;
	entry->state = virtio_inflight_flagged(entry->state);
}

/* Returns the used length of a request that waits. */
static inline uint32_t virtio_impl_queue_waiting_length(const struct virtio_inflight *entry)
{
	return (uint32_t)(entry->state >> 32);
}

/*
 * Marks a request as completed. Under IN_ORDER the completion still waits for an earlier request.
 */
void virtio_impl_queue_mark_completed(struct virtio_queue *queue, struct virtio_token token, uint32_t len);

/*
 * Starts a queue in the broken state, with the error `fault`. The areas may lie outside guest
 * memory, and nothing is written to them.
 */
int virtio_impl_queue_start_broken(struct virtio_queue *queue, const struct virtio_queue_config *config,
				   const struct virtio_memory_map *map, int fault);

/* Recomputes the members of the queue that permit and limit the fast paths. */
void virtio_impl_queue_update_paths(struct virtio_queue *queue);

#pragma GCC visibility pop

#endif
