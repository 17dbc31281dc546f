/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Inline bodies of <virtio/chain.h>, which includes this file. Do not include it directly. */
#ifndef VIRTIO_INLINE_CHAIN_H
#define VIRTIO_INLINE_CHAIN_H

#include <virtio/chain.h>

VIRTIO_BEGIN_DECLS

/*
 * Bytes of a descriptor, and of a used element. The type is uint32_t, so a product with a uint32_t
 * or a uint64_t keeps the type of that operand.
 */
#define VIRTIO_IMPL_DESC_BYTES ((uint32_t)sizeof(struct vring_desc))
#define VIRTIO_IMPL_USED_BYTES ((uint32_t)sizeof(struct vring_used_elem))

/*
 * The value of walk->left: 0 at the end, 1 after an error. Otherwise (the number of descriptors
 * that may still be yielded + 1) * VIRTIO_IMPL_WALK_ONE + the flags. The product is negated for a
 * walk in a table without an aligned host address. So the fast path serves values from 2 *
 * VIRTIO_IMPL_WALK_ONE on.
 */
#define VIRTIO_IMPL_WALK_END 0
#define VIRTIO_IMPL_WALK_FAILED 1
#define VIRTIO_IMPL_WALK_ONE 8
/* Flag: a writable descriptor was yielded. The flag has the value of VRING_DESC_F_WRITE. */
#define VIRTIO_IMPL_WALK_WRITABLE 2
#define VIRTIO_IMPL_WALK_DIRECT 4 /* flag: an indirect descriptor is still allowed */

VIRTIO_INLINE uint16_t virtio_token_head(struct virtio_token token)
{
	return (uint16_t)token.value;
}

/*
 * The slow path of virtio_chain_next(): a step of any walk that has not ended, with all checks.
 * Computes the queue's address from the parameter `memory`, which points into the queue.
 *
 * @d        the next descriptor if it was read already, or NULL
 * @charged  bytes that the caller has subtracted from bytes_left for d. This function adds them
 *           back. If the caller added them back, the compiler would keep the old value in a
 *           register that the fast path needs.
 */
int virtio_impl_walk_step(struct virtio_walk *walk, struct virtio_memory_cursor *memory, uint32_t head,
			  const struct virtio_guest_desc *d, uint64_t charged, struct virtio_desc *out);

/*
 * Does the work of virtio_chain_resolve() for a parser that has already loaded the first
 * descriptors of the chain.
 *
 * @d      descriptors as read from guest memory, in order, from the walk's next descriptor on
 * @count  number of these descriptors, at most 3
 *
 * The walk is over after success, and after an error other than VIRTIO_ENOBUFS.
 */
int virtio_impl_chain_resolve_loaded(struct virtio_chain *chain, const struct virtio_guest_desc *d, uint32_t count,
				     struct virtio_chain_segments *out);

/*
 * Copies a walk without gap_1 and gap_2. A compiler that copies the whole struct keeps these two
 * members in registers that the fast path needs.
 */
VIRTIO_INLINE VIRTIO_HOT void virtio_impl_walk_copy(struct virtio_walk *to, const struct virtio_walk *from)
{
	to->table = from->table;
	to->left = from->left;
	to->next = from->next;
	to->last = from->last;
	to->bytes_left = from->bytes_left;
}

/*
 * Takes the slow path on copies. If the addresses of the caller's chain and descriptor were passed,
 * the compiler would keep both in memory. With copies, chain and descriptor stay in registers. The
 * copies cost nothing until the slow path needs them.
 */
VIRTIO_INLINE VIRTIO_HOT int virtio_impl_chain_next_slow(struct virtio_chain *chain, struct virtio_guest_desc d,
							 bool loaded, uint64_t charged, struct virtio_desc *out)
{
	struct virtio_guest_desc read = d;
	struct virtio_walk walk;
	struct virtio_desc desc;
	int got;

	virtio_impl_walk_copy(&walk, &chain->walk);
	got = virtio_impl_walk_step(&walk, chain->memory, virtio_token_head(chain->token), loaded ? &read : NULL,
				    charged, &desc);
	virtio_impl_walk_copy(&chain->walk, &walk);
	if (got != 1)
		return got;
	*out = desc;
	return 1;
}

/*
 * Enters the table that an indirect descriptor refers to, and returns true. The table must be
 * allowed, not empty, no longer than the queue, and in one region that can be read and written. Its
 * length and its host address must be multiples of 16. Otherwise returns false and leaves the walk
 * unchanged; the slow path then decides. May also return false near the region's end and under a
 * translation. Even if the result is false, the cached region of the cursor for tables may change.
 */
VIRTIO_INLINE VIRTIO_HOT bool virtio_impl_walk_enter_table(struct virtio_walk *walk,
							   struct virtio_memory_cursor *tables,
							   const struct virtio_guest_desc *d)
{
	const uint64_t less_1_desc = d->len - VIRTIO_IMPL_DESC_BYTES;
	const struct virtio_region *region = tables->region;
	uint64_t host;

	/*
	 * The flag DIRECT is set only while walk->table is the queue's descriptor table. So the
	 * second test refuses a new table that is longer than the queue's table.
	 */
	if (!(walk->left & VIRTIO_IMPL_WALK_DIRECT))
		return false;
	/* If the length is less than 16, the subtraction has wrapped, and this test is true. */
	if (less_1_desc > walk->last - walk->table)
		return false;
	if (VIRTIO_UNLIKELY(!virtio_impl_memory_in_region(region, d->addr, d->len))) {
		region = virtio_impl_memory_cache_region(tables, d->addr);
		if (!region || !virtio_impl_memory_in_region(region, d->addr, d->len))
			return false;
	}
	host = (uintptr_t)virtio_impl_memory_host(region, d->addr);
	if (((d->len | host) & (VIRTIO_IMPL_DESC_BYTES - 1)) != 0)
		return false;
	walk->table = host;
	walk->next = host;
	walk->last = host + less_1_desc;
	walk->left &= ~VIRTIO_IMPL_WALK_DIRECT;
	return true;
}

/* Finds the descriptor after d. Returns false if that descriptor is not in the table. */
VIRTIO_INLINE VIRTIO_HOT bool virtio_impl_walk_refer(const struct virtio_walk *walk, const struct virtio_guest_desc *d,
						     uint64_t *out)
{
	const uint64_t next = walk->table + (uint64_t)(d->flags_next >> 16) * VIRTIO_IMPL_DESC_BYTES;

	if (VIRTIO_UNLIKELY(next > walk->last))
		return false;
	*out = next;
	return true;
}

VIRTIO_INLINE VIRTIO_HOT int virtio_chain_next(struct virtio_chain *chain, struct virtio_desc *out)
{
	struct virtio_walk *walk = &chain->walk;
	struct virtio_guest_desc d = { 0, 0, 0 };
	uint64_t charged = 0, next;
	bool loaded = false;

	/* The walk is over, has failed, is slow, or has reached the limit of descriptors. */
	if (walk->left < 2 * VIRTIO_IMPL_WALK_ONE) {
		if (VIRTIO_LIKELY(walk->left == VIRTIO_IMPL_WALK_END))
			return 0;
		goto slow;
	}
	loaded = true;
	d = virtio_guest_load_desc((const void *)(uintptr_t)walk->next);
	if (VIRTIO_UNLIKELY(d.flags_next & VRING_DESC_F_INDIRECT)) {
		if (!virtio_impl_walk_enter_table(walk, &chain->memory[VIRTIO_MEMORY_TABLES], &d))
			goto slow;
		d = virtio_guest_load_desc((const void *)(uintptr_t)walk->table);
		if (VIRTIO_UNLIKELY(d.flags_next & VRING_DESC_F_INDIRECT))
			goto slow;
	}
	/*
	 * Too many bytes make bytes_left negative. On the slow path virtio_impl_walk_step() checks
	 * this descriptor again. The changes made here then do no harm: virtio_impl_walk_step()
	 * adds len back to bytes_left, and the flag WRITABLE still permits this descriptor.
	 */
	charged = d.len;
	walk->bytes_left -= (int64_t)d.len;
	if (VIRTIO_UNLIKELY(walk->bytes_left < 0))
		goto slow;
	if (d.flags_next & VRING_DESC_F_WRITE)
		walk->left |= VIRTIO_IMPL_WALK_WRITABLE;
	else if (VIRTIO_UNLIKELY(walk->left & VIRTIO_IMPL_WALK_WRITABLE))
		goto slow;
	if (d.flags_next & VRING_DESC_F_NEXT) {
		if (!virtio_impl_walk_refer(walk, &d, &next))
			goto slow;
		walk->next = next;
		walk->left -= VIRTIO_IMPL_WALK_ONE;
	} else {
		walk->left = VIRTIO_IMPL_WALK_END;
	}
	out->addr = d.addr;
	out->len = (uint32_t)d.len;
	out->writable = (d.flags_next & VRING_DESC_F_WRITE) != 0;
	return 1;
slow:
	return virtio_impl_chain_next_slow(chain, d, loaded, charged, out);
}

/* Marks a walk as ended. */
VIRTIO_INLINE void virtio_impl_walk_end(struct virtio_walk *walk)
{
	memset(walk, 0, sizeof *walk);
	walk->left = VIRTIO_IMPL_WALK_END;
}

/* Up to three descriptors as read from guest memory. `loaded` is their number. */
struct virtio_impl_three {
	struct virtio_guest_desc d[3];
	uint32_t loaded;
};

#define VIRTIO_IMPL_THREE_NONE                                                                                         \
	{                                                                                                              \
		{ { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 } }, 0                                                           \
	}

/*
 * Loads a chain of exactly three descriptors: the first is readable, the last is writable, and the
 * middle one is either. Call with three->loaded = 0. Returns true only for a chain of this form.
 *
 * Afterwards the walk is at its old position, or at the start of an indirect table. If the result
 * is false, the slow path continues with the loaded descriptors, and handles a chain of any form.
 */
VIRTIO_INLINE VIRTIO_HOT bool virtio_impl_walk_three(struct virtio_walk *walk, struct virtio_memory_cursor *tables,
						     struct virtio_impl_three *three)
{
	struct virtio_guest_desc *d = three->d;
	uint64_t next;

	if (VIRTIO_UNLIKELY(walk->left < 4 * VIRTIO_IMPL_WALK_ONE) ||
	    VIRTIO_UNLIKELY(walk->left & VIRTIO_IMPL_WALK_WRITABLE))
		return false;
	d[0] = virtio_guest_load_desc((const void *)(uintptr_t)walk->next);
	three->loaded = 1;
	if (VIRTIO_UNLIKELY(d[0].flags_next & VRING_DESC_F_INDIRECT)) {
		if (!virtio_impl_walk_enter_table(walk, tables, &d[0]))
			return false;
		three->loaded = 0;
		/* Drivers allocate a table for one chain, so a longer table has a longer chain. */
		if (VIRTIO_UNLIKELY(walk->last - walk->table > 2 * VIRTIO_IMPL_DESC_BYTES))
			return false;
		d[0] = virtio_guest_load_desc((const void *)(uintptr_t)walk->table);
		three->loaded = 1;
	}
	if (VIRTIO_UNLIKELY((d[0].flags_next & VIRTIO_DESC_FLAGS) != VRING_DESC_F_NEXT) ||
	    !virtio_impl_walk_refer(walk, &d[0], &next))
		return false;
	d[1] = virtio_guest_load_desc((const void *)(uintptr_t)next);
	three->loaded = 2;
	if (VIRTIO_UNLIKELY((d[1].flags_next & (VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT)) != VRING_DESC_F_NEXT) ||
	    !virtio_impl_walk_refer(walk, &d[1], &next))
		return false;
	d[2] = virtio_guest_load_desc((const void *)(uintptr_t)next);
	three->loaded = 3;
	/* Refuses too many bytes, as virtio_chain_next() does. */
	return VIRTIO_LIKELY((d[2].flags_next & VIRTIO_DESC_FLAGS) == VRING_DESC_F_WRITE) &&
	       VIRTIO_LIKELY((int64_t)(d[0].len + d[1].len + d[2].len) <= walk->bytes_left);
}

VIRTIO_END_DECLS

#endif
