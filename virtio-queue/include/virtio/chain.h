/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A descriptor chain: one request of the driver's, as virtio_queue_pop() yields it.
 *
 * Three ways to read one. virtio_chain_next() walks it descriptor by descriptor and costs least; it
 * suits a device whose requests have one or two pieces. virtio_chain_walk() is the same in one call, for
 * callers from another language. virtio_chain_collect() walks it once to the
 * end, checks all of it, and resolves every buffer into segments in the caller's array; readers,
 * writers and I/O vectors work on those (<virtio/reader.h>). A parser collects, so that nothing has
 * happened yet when it finds the chain wrong. Requests of a header, data and a status have a parser already,
 * <virtio/request.h>.
 *
 * What the guest can do: point any field anywhere and rewrite the tables during the walk. Each
 * descriptor is read from guest memory exactly once, forward only, and at most as many as the queue
 * has entries, an indirect table included; what was read is what is checked and used. An end and an
 * error are different values, and both are final: after either, the walk yields nothing more.
 *
 * Threads: a chain is walked under the serialisation of its queue. Its token, and segments collected
 * from it, may go to another thread.
 *
 * virtio 1.4, 2.7.4 (framing), 2.7.5 (descriptor table), 2.7.5.3 (indirect descriptors)
 */
#ifndef VIRTIO_CHAIN_H
#define VIRTIO_CHAIN_H

#include <virtio/bindings/virtio_ring.h>
#include <virtio/guest_memory.h>

VIRTIO_BEGIN_DECLS

/* The flags of a descriptor that mean something; others are to be ignored (virtio 1.4, 2.7.5). */
#define VIRTIO_DESC_FLAGS (VRING_DESC_F_NEXT | VRING_DESC_F_WRITE | VRING_DESC_F_INDIRECT)

/* The most bytes that one chain may describe (virtio 1.4, 2.7.5.2). */
#define VIRTIO_CHAIN_MAX_BYTES (INT64_C(1) << 32)

/*
 * Names one request in flight: needed to complete it, once. A token of an earlier use of the same
 * head, or from before a reset, is recognised and refused. All zero is never a valid token.
 */
struct virtio_token {
	uint32_t sequence;
	uint32_t head; /* index of the chain's first descriptor */
};

/* A buffer of a chain, in the host's byte order. It may end with the address space, but not past it. */
struct virtio_desc {
	uint64_t addr; /* as the driver gave it */
	uint32_t len;  /* bytes; may be 0 */
	bool writable; /* the device may write to it, and not read it; otherwise the reverse */
};

/*
 * Where the walk along a chain has come to. No two members of one size are neighbours, hence the gaps: compilers
 * make vectors of such, which costs more than it saves. Addresses rather than indices, for these need no
 * arithmetic before a load.
 */
struct virtio_walk {
	uint64_t table; /* the table in use: its host address, or for a slow walk its guest address */
	int32_t left;   /* how the walk goes on: see below */
	uint64_t next;  /* address of the next descriptor, as table; or the error that ended the walk */
	uint32_t gap_1;
	uint64_t last; /* likewise of the last descriptor in the table: next is none behind it */
	uint32_t gap_2;
	int64_t bytes_left; /* that further descriptors may describe */
};

/*
 * What left holds: 0 at the end, 1 after an error. Otherwise the number of descriptors that may still be
 * yielded, plus 1, times VIRTIO_WALK_ONE, plus the flags. The number is negated for a walk in a table
 * without a host address. So the inline part serves what is at least twice VIRTIO_WALK_ONE.
 */
#define VIRTIO_WALK_END 0
#define VIRTIO_WALK_FAILED 1
#define VIRTIO_WALK_ONE 8
#define VIRTIO_WALK_WRITABLE 2 /* flag: a writable descriptor has been yielded; the value of VRING_DESC_F_WRITE */
#define VIRTIO_WALK_DIRECT 4   /* flag: an indirect descriptor is allowed, for none has been met */

/*
 * A chain. Filled in by virtio_queue_pop(); a caller uses token and memory, and leaves the rest to the
 * functions below.
 */
struct virtio_chain {
	struct virtio_token token;
	/*
	 * Of the queue popped from: for reading and writing the buffers. The queue has two more right behind it, for
	 * what lies elsewhere: one for indirect tables, and one for data, see virtio_chain_data_memory().
	 *
	 * All three show the queue's map of the moment, not the one that the chain was popped under. After
	 * virtio_queue_set_memory() an address may mean other bytes: those of an uncompleted request are then reached
	 * through segments that were collected before, or through a cursor of the caller's own on the old map.
	 */
	struct virtio_memory_cursor *memory;
	struct virtio_walk walk;
};

/*
 * A whole chain in segments: readable ones first, then writable ones, as the chain has them.
 * Before virtio_chain_collect() the caller sets segments and capacity, and nothing else.
 */
struct virtio_collected {
	struct virtio_segment *segments; /* the caller's array */
	uint32_t capacity;               /* its entries */
	uint32_t readable;               /* segments of readable buffers, at the front */
	uint32_t writable;               /* segments of writable buffers, after those */
	uint32_t needed;                 /* segments that the chain needs: on success readable + writable */
	uint64_t readable_bytes;
	uint64_t writable_bytes;
	/*
	 * The last writable byte of the chain, of length 1, or of length 0 if there is none: where
	 * devices put a status. Set also when the array was too small.
	 */
	struct virtio_segment last_writable;
};

/*
 * Yields the next descriptor of a chain.
 *
 * @chain  from virtio_queue_pop(), not completed yet
 * @out    the descriptor; untouched unless 1 is returned
 *
 * Returns 1 for a descriptor and 0 at the end. The buffer itself is not looked up: that happens
 * when it is accessed through chain->memory. An error means that the chain is malformed, and the
 * caller gives it back with length 0:
 *   VIRTIO_ENEXT       next is outside the table; such a descriptor is not yielded itself
 *   VIRTIO_ETOOLONG    more descriptors than the queue size, or, where long tables are allowed, than the table
 *                      has entries; one that refers to a table does not count
 *   VIRTIO_EORDER      a readable descriptor after a writable one
 *   VIRTIO_EBYTES      more than 2^32 bytes in all
 *   VIRTIO_EINDIRECT   a bad indirect table: nested, empty, not a multiple of 16 bytes, or not allowed
 *   VIRTIO_EFAULT      the buffer's addr + len wraps, or a table is not in guest memory
 *   VIRTIO_EPERM       a table is not readable
 * VIRTIO_ENOTMAPPED is no fault of the chain's: undo the pop and come again (virtio_queue_undo()).
 */
inline VIRTIO_HOT int virtio_chain_next(struct virtio_chain *chain, struct virtio_desc *out);

/*
 * Walks a chain to its end in one call.
 *
 * @chain     from virtio_queue_pop(), not completed yet
 * @out       the caller's array: the descriptors, as from virtio_chain_next()
 * @capacity  its entries, perhaps 0; with three or more there is a short cut for the shape that most requests have: a
 *            header to read, data, and a status to write
 *
 * Returns how many there were, 0 only if the walk had ended before; an error of virtio_chain_next(), which is final
 * likewise, and of which the array doesn't tell how far the walk had come; or VIRTIO_ENOBUFS if the array is full, or
 * has no entries and may be NULL, before the walk has ended: then it can go on, to another descriptor or an error.
 */
VIRTIO_MUST_CHECK
inline VIRTIO_HOT int virtio_chain_walk(struct virtio_chain *chain, struct virtio_desc *out, uint32_t capacity);

/*
 * Walks a chain to its end, checks all of it and resolves its buffers.
 *
 * @chain  from virtio_queue_pop(), not walked yet
 * @out    segments and capacity set by the caller; segments may be NULL if capacity is 0. Buffers of length 0 make no
 *         segment, and one that lies over several regions makes several.
 *
 * Returns 0; an error of virtio_chain_next(); VIRTIO_EFAULT or VIRTIO_EPERM for a buffer that is not in
 * guest memory or not accessible in its direction; VIRTIO_ENOTMAPPED, see there; VIRTIO_ENOBUFS if
 * the array is too small, and then needed and last_writable are set and no other member is valid.
 * On every other failure out keeps its members, but for the content of the array. The walk is over
 * in any case.
 */
VIRTIO_MUST_CHECK
int virtio_chain_collect(struct virtio_chain *chain, struct virtio_collected *out);

/*
 * As virtio_chain_collect(), for a chain of which the first descriptors have been yielded already, by
 * virtio_chain_next() or virtio_chain_walk(): a parser that looks at them may find that it wants the whole chain after
 * all.
 *
 * @walked  those descriptors, all of them, in order; only read. NULL if count is 0. One that is missing here is missing
 *          from what is collected.
 * @count   how many
 *
 * An error that the walk has ended with is returned again.
 */
VIRTIO_MUST_CHECK
int virtio_chain_collect_after(struct virtio_chain *chain, const struct virtio_desc *walked, uint32_t count,
			       struct virtio_collected *out);

/*
 * The memory of chain->memory once more, with a window of its own: for a parser that knows which buffer is data. Drivers
 * keep headers and status bytes together, and data somewhere else.
 *
 * @chain  from virtio_queue_pop()
 *
 * Returns the cursor, which belongs to the queue, as chain->memory does.
 */
inline struct virtio_memory_cursor *virtio_chain_data_memory(const struct virtio_chain *chain);

/* Inline bodies. */

inline struct virtio_memory_cursor *virtio_chain_data_memory(const struct virtio_chain *chain)
{
	return chain->memory + 2;
}

/*
 * The rarely taken part of virtio_chain_next(): a step of any walk, with all checks. It knows the queue
 * by its cursor for buffers.
 *
 * @d        the next descriptor if it has been read already, or NULL
 * @charged  what has already been taken from bytes_left for it. (Given back there: if it were done here,
 *           the compiler would keep the value from before for it, in a register that the hot path needs.)
 */
int virtio_walk_step(struct virtio_walk *walk, struct virtio_memory_cursor *memory, uint32_t head,
		     const struct virtio_guest_desc *d, uint64_t charged, struct virtio_desc *out);

/*
 * Takes that step on copies. Were the caller's own chain and descriptor passed on, the compiler would have
 * to keep them in memory all the time; so they stay in registers, and the copies cost nothing until
 * they are needed.
 */
inline VIRTIO_HOT int virtio_chain_next_aside(struct virtio_chain *chain, struct virtio_guest_desc d, bool loaded,
					      uint64_t charged, struct virtio_desc *out)
{
	struct virtio_walk walk = chain->walk;
	struct virtio_guest_desc read = d;
	struct virtio_desc desc;
	int got;

	got = virtio_walk_step(&walk, chain->memory, chain->token.head, loaded ? &read : NULL, charged, &desc);
	chain->walk = walk;
	if (got != 1)
		return got;
	*out = desc;
	return 1;
}

/*
 * Goes on in the table that an indirect descriptor refers to, if it is a plain one: allowed, no longer
 * than the queue, and in the window of the cursor for tables. Otherwise changes nothing, returns false, and leaves
 * the judgement to virtio_walk_step().
 */
inline VIRTIO_HOT bool virtio_walk_enter_table(struct virtio_walk *walk, const struct virtio_memory_cursor *tables,
					       const struct virtio_guest_desc *d)
{
	const uint64_t less_1 = d->len - 1; /* of 0 bytes: too many */
	const uint64_t off = d->addr - tables->start;
	uint64_t host;

	/* The table in use is the queue's, for in no other is an indirect descriptor allowed: no more bytes than that. */
	if (!(walk->left & VIRTIO_WALK_DIRECT) || less_1 >= walk->last - walk->table + 16 || off >= tables->len ||
	    less_1 >= tables->len - off || !(tables->access & VIRTIO_ACCESS_READ))
		return false;
	host = (uintptr_t)tables->host + off;
	if (((d->len | host) & 15) != 0)
		return false;
	walk->table = host;
	walk->next = host;
	walk->last = host + d->len - 16;
	walk->left &= ~VIRTIO_WALK_DIRECT;
	return true;
}

/* Where the descriptor is that d refers to, if it is in the table. */
inline VIRTIO_HOT bool virtio_walk_refer(const struct virtio_walk *walk, const struct virtio_guest_desc *d,
					 uint64_t *out)
{
	const uint64_t next = walk->table + (uint64_t)(d->flags_next >> 16) * 16;

	if (VIRTIO_UNLIKELY(next > walk->last))
		return false;
	*out = next;
	return true;
}

inline VIRTIO_HOT int virtio_chain_next(struct virtio_chain *chain, struct virtio_desc *out)
{
	struct virtio_walk *walk = &chain->walk;
	struct virtio_guest_desc d = { 0, 0, 0 };
	uint64_t charged = 0, next;
	bool loaded = false;

	/* The end, an error, a slow walk, or one that has used up its number of descriptors. */
	if (walk->left < 2 * VIRTIO_WALK_ONE) {
		if (VIRTIO_LIKELY(walk->left == VIRTIO_WALK_END))
			return 0;
		goto aside;
	}
	loaded = true;
	d = virtio_guest_load_desc((const void *)(uintptr_t)walk->next);
	if (VIRTIO_UNLIKELY(d.flags_next & VRING_DESC_F_INDIRECT)) {
		if (!virtio_walk_enter_table(walk, chain->memory + 1, &d))
			goto aside;
		d = virtio_guest_load_desc((const void *)(uintptr_t)walk->table);
		if (VIRTIO_UNLIKELY(d.flags_next & VRING_DESC_F_INDIRECT))
			goto aside;
	}
	/*
	 * What is not plainly right is looked at again, in full, by virtio_walk_step(). Too many bytes
	 * make bytes_left negative, and addr + len can wrap only if addr's highest bit is set. What has
	 * been changed by then does not disturb it: it gives len back, and a writable descriptor may follow itself.
	 */
	charged = d.len;
	walk->bytes_left -= (int64_t)d.len;
	if (VIRTIO_UNLIKELY(walk->bytes_left < 0) || VIRTIO_UNLIKELY((int64_t)d.addr < 0))
		goto aside;
	if (d.flags_next & VRING_DESC_F_WRITE)
		walk->left |= VIRTIO_WALK_WRITABLE;
	else if (VIRTIO_UNLIKELY(walk->left & VIRTIO_WALK_WRITABLE))
		goto aside;
	if (d.flags_next & VRING_DESC_F_NEXT) {
		if (!virtio_walk_refer(walk, &d, &next))
			goto aside;
		walk->next = next;
		walk->left -= VIRTIO_WALK_ONE;
	} else {
		walk->left = VIRTIO_WALK_END;
	}
	out->addr = d.addr;
	out->len = (uint32_t)d.len;
	out->writable = (d.flags_next & VRING_DESC_F_WRITE) != 0;
	return 1;
aside:
	return virtio_chain_next_aside(chain, d, loaded, charged, out);
}

/* A walk that has come to its end. */
inline void virtio_walk_end(struct virtio_walk *walk)
{
	memset(walk, 0, sizeof *walk);
	walk->left = VIRTIO_WALK_END;
}

/* Three descriptors as they were read, or as many as loaded says. */
struct virtio_guest_three {
	struct virtio_guest_desc d[3];
	uint32_t loaded;
};

#define VIRTIO_GUEST_THREE_NONE                                                                                        \
	{                                                                                                              \
		{ { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 } }, 0                                                           \
	}

/* virtio_chain_walk() of any other shape. What has been loaded, of which out has room for all, isn't loaded again. */
int virtio_chain_walk_slow(struct virtio_chain *chain, const struct virtio_guest_three *three, struct virtio_desc *out,
			   uint32_t capacity);

/*
 * Walks along exactly three descriptors: one to read, another, and as the last of the chain one to write. three->loaded is
 * 0 beforehand. If that is what the chain is, the walk is over. Otherwise false, and the walk is where it was, or at the
 * start of an indirect table; what has been loaded from there on is what virtio_chain_walk_slow() goes by.
 */
inline VIRTIO_HOT bool virtio_walk_three(struct virtio_walk *walk, const struct virtio_memory_cursor *tables,
					 struct virtio_guest_three *three)
{
	struct virtio_guest_desc *d = three->d;
	int64_t bytes_left;
	uint64_t next;

	if (VIRTIO_UNLIKELY(walk->left < 4 * VIRTIO_WALK_ONE) || VIRTIO_UNLIKELY(walk->left & VIRTIO_WALK_WRITABLE))
		return false;
	d[0] = virtio_guest_load_desc((const void *)(uintptr_t)walk->next);
	three->loaded = 1;
	if (VIRTIO_UNLIKELY(d[0].flags_next & VRING_DESC_F_INDIRECT)) {
		if (!virtio_walk_enter_table(walk, tables, &d[0]))
			return false;
		d[0] = virtio_guest_load_desc((const void *)(uintptr_t)walk->table);
	}
	if (VIRTIO_UNLIKELY((d[0].flags_next & VIRTIO_DESC_FLAGS) != VRING_DESC_F_NEXT) ||
	    !virtio_walk_refer(walk, &d[0], &next))
		return false;
	d[1] = virtio_guest_load_desc((const void *)(uintptr_t)next);
	three->loaded = 2;
	if (VIRTIO_UNLIKELY((d[1].flags_next & (VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT)) != VRING_DESC_F_NEXT) ||
	    !virtio_walk_refer(walk, &d[1], &next))
		return false;
	d[2] = virtio_guest_load_desc((const void *)(uintptr_t)next);
	three->loaded = 3;
	/* As in virtio_chain_next(): not too many bytes, and addresses that can't wrap. */
	bytes_left = walk->bytes_left - (int64_t)(d[0].len + d[1].len + d[2].len);
	if (VIRTIO_UNLIKELY((d[2].flags_next & VIRTIO_DESC_FLAGS) != VRING_DESC_F_WRITE) ||
	    VIRTIO_UNLIKELY(bytes_left < 0) || VIRTIO_UNLIKELY((int64_t)(d[0].addr | d[1].addr | d[2].addr) < 0))
		return false;
	walk->bytes_left = bytes_left;
	walk->left = VIRTIO_WALK_END;
	return true;
}

inline VIRTIO_HOT void virtio_desc_set(struct virtio_desc *out, const struct virtio_guest_desc *d, bool writable)
{
	out->addr = d->addr;
	out->len = (uint32_t)d->len;
	out->writable = writable;
}

/* The descriptors of a walk that virtio_walk_three() has made. */
inline VIRTIO_HOT void virtio_guest_three_get(const struct virtio_guest_three *three, struct virtio_desc *out)
{
	virtio_desc_set(&out[0], &three->d[0], false);
	virtio_desc_set(&out[1], &three->d[1], (three->d[1].flags_next & VRING_DESC_F_WRITE) != 0);
	virtio_desc_set(&out[2], &three->d[2], true);
}

inline VIRTIO_HOT int virtio_chain_walk(struct virtio_chain *chain, struct virtio_desc *out, uint32_t capacity)
{
	struct virtio_guest_three three = VIRTIO_GUEST_THREE_NONE, loaded;
	struct virtio_chain copy;
	int got;

	if (VIRTIO_LIKELY(capacity >= 3) && VIRTIO_LIKELY(virtio_walk_three(&chain->walk, chain->memory + 1, &three))) {
		virtio_guest_three_get(&three, out);
		return 3;
	}
	/* On copies: see virtio_chain_next_aside(). */
	loaded = three;
	copy = *chain;
	got = virtio_chain_walk_slow(&copy, &loaded, out, capacity);
	chain->walk = copy.walk;
	return got;
}

VIRTIO_END_DECLS

#endif
