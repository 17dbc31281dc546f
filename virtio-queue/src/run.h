/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The fast path of a resolution is called a run. A run handles tables with a host address, and
 * buffers in one region each. The steps of a run are inline, because the state must stay in
 * registers.
 */
#ifndef VIRTIO_RUN_H
#define VIRTIO_RUN_H

#include <virtio/request.h>

#include "memory_internal.h"
#include "queue_internal.h"

/* How a run has ended. */
enum virtio_run_result {
	VIRTIO_RUN_STOPPED, /* the descriptor was not added: indirect, or for the slow path */
	VIRTIO_RUN_FULL,    /* the array is full, or the walk may yield no more descriptors */
	VIRTIO_RUN_LAST,    /* the run has reached the last descriptor of the chain */
};

/*
 * Begins a run. Under a translation a run uses the cached region, but cannot cache another region.
 * Every buffer, also a readable buffer, must be in a region that can be read and written.
 *
 * @walk    may yield at least one descriptor
 * @memory  the cursor for the buffers
 */
static inline VIRTIO_HOT void virtio_run_begin(struct virtio_run *r, const struct virtio_walk *walk,
					       const struct virtio_memory_cursor *memory,
					       struct virtio_segment *segments, uint32_t capacity)
{
	/* Each descriptor adds one segment, so the walk's limit also limits the segments. */
	const uint32_t room = (uint32_t)walk->left / VIRTIO_IMPL_WALK_ONE - 1;

	r->map = memory->map;
	r->table = walk->table;
	r->last = walk->last;
	r->next = walk->next;
	r->bytes = 0;
	r->usual = VRING_DESC_F_NEXT;
	r->at = segments;
	r->room = room < capacity ? room : capacity;
	r->region = memory->region;
}

/*
 * Makes the buffer's region the cached region of the run. Under a translation, or if the buffer is
 * not in one writable region, returns false and changes nothing.
 */
static inline VIRTIO_HOT bool virtio_run_move(struct virtio_run *r, const struct virtio_guest_desc *d)
{
	const struct virtio_region *region = virtio_impl_memory_guess(r->map, d->addr);

	if (VIRTIO_UNLIKELY(!region) || VIRTIO_UNLIKELY(!virtio_impl_memory_in_region(region, d->addr, d->len))) {
		if (r->map->translate || r->map->count == 0)
			return false;
		region = virtio_memory_search(r->map, d->addr);
		if (!virtio_impl_memory_in_region(region, d->addr, d->len))
			return false;
	}
	r->region = region;
	return true;
}

/*
 * Adds a buffer. Returns false, and adds nothing, if the buffer is empty or not in one writable
 * region.
 */
static inline VIRTIO_HOT bool virtio_run_put(struct virtio_run *r, const struct virtio_guest_desc *d)
{
	/* Looks the buffer up here, and not in another function, so that `off` is computed once. */
	uint64_t off = d->addr - r->region->addr, last;

	if (VIRTIO_UNLIKELY(__builtin_add_overflow(d->len - 1, off, &last)) ||
	    VIRTIO_UNLIKELY(last >= r->region->writable)) {
		if (VIRTIO_UNLIKELY(!virtio_run_move(r, d)))
			return false;
		off = d->addr - r->region->addr;
	}
	virtio_impl_segment_set(r->at, d->addr, d->len, (uint8_t *)r->region->host + off, r->region->self);
	r->at++;
	r->room--;
	r->bytes += d->len;
	return true;
}

/*
 * Checks flags that differ from r->usual. Returns false for an indirect descriptor, and for a
 * readable descriptor after a writable descriptor. Otherwise returns true: the descriptor is the
 * last of the chain, or the first writable descriptor, which begins the writable part.
 */
static inline VIRTIO_HOT bool virtio_run_turn(struct virtio_run *r, uint32_t flags)
{
	if (VIRTIO_UNLIKELY(flags & VRING_DESC_F_INDIRECT))
		return false;
	if (VIRTIO_UNLIKELY(!(flags & VRING_DESC_F_WRITE)))
		return r->usual == VRING_DESC_F_NEXT;
	if (r->usual == VRING_DESC_F_NEXT) {
		/*
		 * Forces a branch, because conditional moves would load these members in each step.
		 */
		virtio_force_branch();
		r->usual = VRING_DESC_F_WRITE | VRING_DESC_F_NEXT;
		r->readable_end = r->at;
		r->readable_bytes = r->bytes;
	}
	return true;
}

/*
 * Adds a descriptor. Returns true if another descriptor follows, and there is room for its segment.
 * Otherwise sets *result to the reason why the run ends.
 *
 * @add_last  if false, the last descriptor of the chain is not added, and the caller must add it
 */
static inline VIRTIO_HOT bool virtio_run_step(struct virtio_run *r, const struct virtio_guest_desc *d, bool add_last,
					      enum virtio_run_result *result)
{
	const uint32_t flags = d->flags_next & VIRTIO_DESC_FLAGS;

	*result = VIRTIO_RUN_STOPPED;
	if (VIRTIO_UNLIKELY(flags != r->usual)) {
		if (VIRTIO_UNLIKELY(!virtio_run_turn(r, flags)))
			return false;
		if (!(flags & VRING_DESC_F_NEXT)) {
			if (!add_last || VIRTIO_LIKELY(virtio_run_put(r, d)))
				*result = VIRTIO_RUN_LAST;
			return false;
		}
	}
	r->next = r->table + (uint64_t)(d->flags_next >> 16) * VIRTIO_IMPL_DESC_BYTES;
	if (VIRTIO_UNLIKELY(r->next > r->last))
		return false;
	if (VIRTIO_UNLIKELY(!virtio_run_put(r, d)))
		return false;
	*result = VIRTIO_RUN_FULL;
	return VIRTIO_LIKELY(r->room != 0);
}

/*
 * Reads and adds descriptors until the run ends.
 *
 * @d  set to the last descriptor that the run has read
 */
static inline VIRTIO_HOT enum virtio_run_result virtio_run_on(struct virtio_run *r, struct virtio_guest_desc *d,
							      bool add_last)
{
	enum virtio_run_result result;

	do {
		*d = virtio_guest_load_desc((const void *)(uintptr_t)r->next);
	} while (virtio_run_step(r, d, add_last, &result));
	return result;
}

/*
 * Fills in *out after a run that has put the whole chain into the array.
 *
 * @last    the last descriptor
 * @memory  the cursor for the buffers, which then caches the region of the last buffer
 */
static inline VIRTIO_HOT void virtio_run_end(const struct virtio_run *r, const struct virtio_guest_desc *last,
					     struct virtio_memory_cursor *memory, struct virtio_chain_segments *out)
{
	const uint64_t end = last->addr + (last->len - 1);
	const uint32_t count = (uint32_t)(r->at - out->segments);

	memory->region = r->region;
	out->needed = count;
	if (VIRTIO_LIKELY(r->usual != VRING_DESC_F_NEXT)) {
		out->readable = (uint32_t)(r->readable_end - out->segments);
		out->writable = count - out->readable;
		out->readable_bytes = r->readable_bytes;
		out->writable_bytes = r->bytes - r->readable_bytes;
		virtio_impl_segment_set(&out->last_writable, end, 1, virtio_impl_memory_host(r->region, end),
					r->region->self);
	} else {
		out->readable = count;
		out->writable = 0;
		out->readable_bytes = r->bytes;
		out->writable_bytes = 0;
		out->last_writable.len = 0;
	}
}

/*
 * Prepares r for virtio_impl_chain_resolve_rest(), after the run has stopped. The caller then
 * appends to r->loaded all other descriptors that were read but not added.
 *
 * @left  walk.left, from which this call subtracts the descriptors that the run has added
 * @d     the descriptor that has stopped the run, or NULL
 */
VIRTIO_COLD void virtio_impl_run_stop(struct virtio_run *r, int32_t left, const struct virtio_segment *segments,
				      const struct virtio_guest_desc *d);

#endif
