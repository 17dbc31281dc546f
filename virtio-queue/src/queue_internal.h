/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What the source files of virtio-queue share: field access to the rings, and fault accounting. */
#ifndef VIRTIO_QUEUE_INTERNAL_H
#define VIRTIO_QUEUE_INTERNAL_H

#include <virtio/queue.h>

#pragma GCC visibility push(hidden)

/*
 * Reads or writes a 16-bit field of the available or used ring, by its host address where the area
 * has one and through the map where not. 0, or the error of the access.
 */
int virtio_impl_ring_load(struct virtio_queue *queue, enum virtio_queue_area area, uint64_t offset, uint16_t *out);
int virtio_impl_ring_store(struct virtio_queue *queue, uint64_t offset, uint16_t value);

/* Writes a used element into the slot of used index idx; then makes all up to idx visible. */
int virtio_impl_ring_store_used(struct virtio_queue *queue, uint64_t idx, uint16_t head, uint32_t len);
int virtio_impl_ring_publish(struct virtio_queue *queue, uint64_t idx);

/* Breaks the queue, for a fault of the ring at this head. Returns the error. */
int virtio_impl_queue_break(struct virtio_queue *queue, int error, uint16_t head);

/* Adds a fault to one of the counters in queue->stats, and keeps it if it is the first. */
void virtio_impl_queue_count_fault(struct virtio_queue *queue, int error, uint16_t head, uint64_t *counter);

/*
 * Makes a walk go on, or begin, at an entry of a table that has been checked: by its host address
 * if it has one that is aligned for whole loads, or else slowly, through its guest address.
 */
void virtio_impl_walk_use_table(struct virtio_walk *walk, const uint8_t *host, uint64_t addr, uint32_t entries,
				uint32_t first, uint32_t left);

/*
 * virtio_impl_queue_take() of any head, with what the inline pop leaves to the slow one: the
 * faults, the order under IN_ORDER, and a table without a host address.
 */
int virtio_impl_queue_take_slow(struct virtio_queue *queue, uint16_t head, struct virtio_chain *chain);

/*
 * Resolves what has been popped, if got is 1: what virtio_queue_pop_segments() does after its pop.
 */
int virtio_impl_queue_resolve_popped(struct virtio_queue *queue, int got, struct virtio_chain *chain,
				     struct virtio_token *token, struct virtio_chain_segments *segments,
				     int *chain_error);

/* Unpops a request for this error. Returns it, or that of the unpopping. */
static inline int virtio_queue_put_back(struct virtio_queue *queue, struct virtio_token token, int error)
{
	const int unpop = virtio_queue_unpop(queue, token);

	return unpop ? unpop : error;
}

/* Chains known to be available: the driver's index as last read, less ours. */
static inline uint16_t virtio_queue_known(const struct virtio_queue *queue)
{
	return (uint16_t)(queue->avail_idx - queue->next_avail);
}

/* Whether a request is in flight: not idle, and not waiting for its turn either. */
static inline bool virtio_inflight_has_request(const struct virtio_inflight *entry)
{
	return entry->state != VIRTIO_IMPL_INFLIGHT_IDLE && !(entry->flags & VIRTIO_IMPL_INFLIGHT_WAITS);
}

/* The state of a request in flight that has flags. */
static inline uint64_t virtio_inflight_flagged(uint64_t token)
{
	return (token | VIRTIO_IMPL_INFLIGHT_FLAGGED) & ~VIRTIO_IMPL_TOKEN_SET;
}

/* Gives a request in flight a flag, which takes its completion off the fast path. */
static inline void virtio_inflight_flag(struct virtio_inflight *entry, uint16_t flag)
{
	entry->flags |= flag;
	entry->state = virtio_inflight_flagged(entry->state);
}

/* Decides anew whether pops and completions may take the inline path. */
void virtio_impl_queue_update_paths(struct virtio_queue *queue);

#pragma GCC visibility pop

#endif
