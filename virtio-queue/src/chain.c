/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Descriptor chains: indirect tables, tables without a host address, resolving, faults. */
#include "queue_internal.h"

/* The most entries an indirect table may have: next is 16 bits wide, and so is the length in entries. */
#define INDIRECT_MAX_ENTRIES 65535u

/* A chain knows its queue by the cursor that it shares with it. */
static struct virtio_queue *queue_of(struct virtio_memory_cursor *memory)
{
	return (struct virtio_queue *)(void *)((uint8_t *)memory - offsetof(struct virtio_queue, memory));
}

/* Ends the walk with an error, which this and every later call returns. */
static int fail(struct virtio_walk *walk, struct virtio_queue *queue, uint32_t head, int error)
{
	walk->left = VIRTIO_IMPL_WALK_FAILED;
	walk->next = (uint64_t)error;
	if (error == VIRTIO_ENOTMAPPED)
		queue->stats.not_mapped++;
	else
		virtio_impl_queue_count_fault(queue, error, (uint16_t)head, &queue->stats.chain_faults);
	return error;
}

void virtio_impl_walk_use_table(struct virtio_walk *walk, const uint8_t *host, uint64_t addr, uint32_t entries,
				uint32_t first, uint32_t left)
{
	const bool fast = host && ((uintptr_t)host & 7) == 0;
	const int32_t number = ((int32_t)left + 1) * VIRTIO_IMPL_WALK_ONE;

	walk->table = fast ? (uintptr_t)host : addr;
	walk->next = walk->table + (uint64_t)first * VIRTIO_IMPL_DESC_BYTES;
	walk->last = walk->table + ((uint64_t)entries - 1) * VIRTIO_IMPL_DESC_BYTES;
	walk->left = (fast ? number : -number) | (walk->left & (VIRTIO_IMPL_WALK_ONE - 1));
}

/* Descriptors that may still be yielded. */
static uint32_t left_of(const struct virtio_walk *walk)
{
	const int32_t number = walk->left & ~(VIRTIO_IMPL_WALK_ONE - 1);

	return (uint32_t)((number < 0 ? -number : number) / VIRTIO_IMPL_WALK_ONE - 1);
}

/*
 * Goes on in the table that an indirect descriptor refers to.
 *
 * The descriptor's write flag is ignored, as 2.7.5.3.2 demands, and so is its next flag: what
 * follows an indirect descriptor is its table and nothing else. The table may have any alignment;
 * one at an odd address, or over several regions, is read by copying. It does not renew the number of
 * descriptors that may be yielded, unless tables longer than the queue are allowed.
 */
static int enter_indirect(struct virtio_walk *walk, struct virtio_queue *queue, const struct virtio_guest_desc *d)
{
	const struct virtio_queue_config *config = &queue->config;
	struct virtio_memory_cursor *tables = &queue->memory[VIRTIO_MEMORY_TABLES];
	const uint32_t bytes = (uint32_t)d->len;
	const uint32_t entries = bytes / VIRTIO_IMPL_DESC_BYTES;
	uint32_t left = left_of(walk);
	const uint8_t *host;
	int error;

	if (!(walk->left & VIRTIO_IMPL_WALK_DIRECT))
		return VIRTIO_EINDIRECT;
	if (bytes == 0 || bytes % VIRTIO_IMPL_DESC_BYTES || entries > INDIRECT_MAX_ENTRIES)
		return VIRTIO_EINDIRECT;
	if (entries > config->size) {
		if (!config->allow_long_indirect)
			return VIRTIO_EINDIRECT;
		left = entries;
	}
	host = virtio_memory_find(tables, d->addr, bytes, VIRTIO_ACCESS_READ);
	if (!host) {
		error = virtio_memory_check(tables, d->addr, bytes, VIRTIO_ACCESS_READ);
		if (error)
			return error;
	}
	walk->left &= ~VIRTIO_IMPL_WALK_DIRECT;
	virtio_impl_walk_use_table(walk, host, d->addr, entries, 0, left);
	return 0;
}

/* All checks of one descriptor, in full: the inline part of virtio_chain_next() is a fast path through them. */
static int check_and_step(struct virtio_walk *walk, const struct virtio_guest_desc *d, struct virtio_desc *out)
{
	const uint32_t len = (uint32_t)d->len, flags = d->flags_next;
	const uint64_t next = flags >> 16;

	if (len > walk->bytes_left)
		return VIRTIO_EBYTES;
	if ((walk->left & VIRTIO_IMPL_WALK_WRITABLE) && !(flags & VRING_DESC_F_WRITE))
		return VIRTIO_EORDER;
	if (flags & VRING_DESC_F_NEXT) {
		/* Offsets, for a table in guest memory may end with the address space. */
		if (next * VIRTIO_IMPL_DESC_BYTES > walk->last - walk->table)
			return VIRTIO_ENEXT;
		walk->next = walk->table + next * VIRTIO_IMPL_DESC_BYTES;
		walk->left += walk->left < 0 ? VIRTIO_IMPL_WALK_ONE : -VIRTIO_IMPL_WALK_ONE;
		walk->left |= (int32_t)(flags & VRING_DESC_F_WRITE);
	} else {
		walk->left = VIRTIO_IMPL_WALK_END;
	}
	walk->bytes_left -= len;
	out->addr = d->addr;
	out->len = len;
	out->writable = (flags & VRING_DESC_F_WRITE) != 0;
	return 1;
}

/* Reads the descriptor that is next. */
static int load(const struct virtio_walk *walk, struct virtio_memory_cursor *tables, struct virtio_guest_desc *d)
{
	uint8_t raw[VIRTIO_IMPL_DESC_BYTES];
	int error;

	if (walk->left > 0) {
		*d = virtio_guest_load_desc((const void *)(uintptr_t)walk->next);
		return 0;
	}
	error = virtio_memory_read(tables, walk->next, raw, sizeof raw);
	if (error)
		return error;
	d->addr = virtio_get_le64(raw);
	d->len = virtio_get_le32(raw + 8);
	d->flags_next = virtio_get_le32(raw + 12);
	return 0;
}

int virtio_impl_walk_step(struct virtio_walk *walk, struct virtio_memory_cursor *memory, uint32_t head,
			  const struct virtio_guest_desc *d, uint64_t charged, struct virtio_desc *out)
{
	struct virtio_memory_cursor *tables = &memory[VIRTIO_MEMORY_TABLES];
	struct virtio_queue *queue = queue_of(memory);
	struct virtio_guest_desc desc;
	int got = 0;

	walk->bytes_left += (int64_t)charged;
	if (walk->left == VIRTIO_IMPL_WALK_FAILED)
		return (int)walk->next;
	/* The last descriptor that the chain may have said that there is another. */
	if (left_of(walk) == 0)
		return fail(walk, queue, head, VIRTIO_ETOOLONG);
	if (d)
		desc = *d;
	else
		got = load(walk, tables, &desc);
	if (!got && (desc.flags_next & VRING_DESC_F_INDIRECT)) {
		got = enter_indirect(walk, queue, &desc);
		if (!got)
			got = load(walk, tables, &desc);
		if (!got && (desc.flags_next & VRING_DESC_F_INDIRECT))
			got = VIRTIO_EINDIRECT;
	}
	if (!got)
		got = check_and_step(walk, &desc, out);
	return got < 0 ? fail(walk, queue, head, got) : got;
}

/* Where a resolution has come to. */
struct resolution {
	struct virtio_segment *next, *end; /* of the caller's array */
	int64_t base;                      /* less the walk's bytes_left: bytes of all buffers so far */
	uint32_t readable;                 /* segments in front of the first writable one */
	uint64_t readable_bytes;
	bool writable; /* a writable buffer has been met, so these two are known */

	/* Segments for which there is no room are counted, so that the caller is told how large the array must be. */
	uint64_t over;
	struct virtio_segment last_over;

	struct virtio_desc bad; /* the buffer that could not be resolved, after an error */
};

/* Segments so far; should there be too many for 32 bits, no array has that many entries either. */
static uint32_t needed(const struct resolution *c, const struct virtio_chain_segments *out)
{
	/* An array of no entries may be NULL, and NULL - NULL is undefined in C. */
	const uint64_t n = (out->capacity != 0 ? (uint64_t)(c->next - out->segments) : 0) + c->over;

	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* Adds the pieces of a buffer, wherever they are. A buffer that is bad leaves array and counts as they were. */
static VIRTIO_COLD int add_pieces(struct resolution *c, struct virtio_memory_cursor *memory,
				  const struct virtio_desc *desc)
{
	const uint32_t access = desc->writable ? VIRTIO_ACCESS_WRITE : VIRTIO_ACCESS_READ;
	struct virtio_segment *const before = c->next;
	const uint64_t over_before = c->over;
	uint64_t addr = desc->addr, left = desc->len;
	int error = 0;

	if (left != 0 && addr + (left - 1) < addr)
		error = VIRTIO_EFAULT;
	while (!error && left > 0) {
		struct virtio_segment *piece = c->next == c->end ? &c->last_over : c->next;

		error = virtio_memory_segment(memory, addr, left, access, piece);
		if (error)
			break;
		addr += piece->len;
		left -= piece->len;
		if (piece == c->next)
			c->next++;
		else
			c->over++;
	}
	if (error) {
		c->next = before;
		c->over = over_before;
		c->bad = *desc;
	}
	return error;
}

/*
 * Adds a buffer, which most of the time lies in the cursor's cached region, or can be had there.
 *
 * @next      c->next, which the caller keeps in a register: it is out of date there until it is needed
 * @writable  as the descriptor has it; a constant, for the compiler's sake
 */
static inline VIRTIO_HOT int add_buffer(struct resolution *c, struct virtio_segment **next,
					struct virtio_memory_cursor *memory, const struct virtio_desc *desc,
					bool writable)
{
	const uint32_t access = writable ? VIRTIO_ACCESS_WRITE : VIRTIO_ACCESS_READ;
	uint64_t off = desc->addr - memory->start;
	struct virtio_segment *s = *next;
	struct virtio_desc copy;
	int error;

	if (VIRTIO_UNLIKELY(off >= memory->len) && virtio_impl_memory_cache_region(memory, desc->addr))
		off = desc->addr - memory->start;
	if (VIRTIO_LIKELY(off < memory->len && desc->len <= memory->len - off && (memory->access & access) &&
			  s != c->end && desc->len != 0)) {
		s->addr = desc->addr;
		s->len = desc->len;
		s->host = memory->host + off;
		s->region = memory->region;
		*next = s + 1;
		return 0;
	}
	/* A copy, so that the descriptor itself can stay in registers. */
	copy = *desc;
	c->next = s;
	error = add_pieces(c, memory, &copy);
	*next = c->next;
	return error;
}

/* The first writable buffer has been met, after so many bytes of readable ones. */
static inline void begin_writable(struct resolution *c, const struct virtio_chain_segments *out, uint64_t bytes)
{
	c->writable = true;
	c->readable = needed(c, out);
	c->readable_bytes = bytes;
}

/* Adds descriptors that have been walked along already. Returns how many, or the error of a buffer. */
static int add_walked(struct resolution *c, struct virtio_memory_cursor *memory, const struct virtio_desc *walked,
		      uint32_t count, const struct virtio_chain_segments *out, uint32_t *done)
{
	uint64_t bytes = 0;
	int error = 0;

	for (*done = 0; !error && *done < count; ++*done) {
		if (walked[*done].writable && !c->writable)
			begin_writable(c, out, bytes);
		error = add_pieces(c, memory, &walked[*done]);
		bytes += walked[*done].len;
	}
	c->base += (int64_t)bytes;
	return error;
}

/* Walks to the end and adds what comes. Returns 0, or the error of a buffer; one of the walk stays in @got. */
static inline VIRTIO_HOT int add_rest(struct resolution *c, struct virtio_chain *chain,
				      const struct virtio_chain_segments *out, int *got)
{
	struct virtio_segment *next = c->next;
	struct virtio_desc desc;
	int error = 0;

	if (!c->writable) {
		while ((*got = virtio_chain_next(chain, &desc)) == 1 && !desc.writable) {
			error = add_buffer(c, &next, chain->memory, &desc, false);
			if (VIRTIO_UNLIKELY(error)) {
				c->next = next;
				return error;
			}
		}
		c->next = next;
		if (*got != 1)
			return 0;
		begin_writable(c, out, (uint64_t)(c->base - chain->walk.bytes_left) - desc.len);
		error = add_buffer(c, &next, chain->memory, &desc, true);
	}
	while (!error && (*got = virtio_chain_next(chain, &desc)) == 1)
		error = add_buffer(c, &next, chain->memory, &desc, true);
	c->next = next;
	return error;
}

/* The last byte of the last segment, if that is a writable one. */
static void set_last_writable(const struct resolution *c, struct virtio_chain_segments *out)
{
	const struct virtio_segment *last;

	out->last_writable.len = 0;
	if (out->needed == c->readable)
		return;
	last = c->over ? &c->last_over : c->next - 1;
	out->last_writable.addr = last->addr + (last->len - 1);
	out->last_writable.len = 1;
	out->last_writable.host = (uint8_t *)last->host + (last->len - 1);
	out->last_writable.region = last->region;
}

/* Nothing of the chain can be used. */
static void set_nothing(struct virtio_chain_segments *out)
{
	out->readable = 0;
	out->writable = 0;
	out->needed = 0;
	out->readable_bytes = 0;
	out->writable_bytes = 0;
	out->last_writable.len = 0;
}

/* What is in the array is the front of the chain, and not all of it. */
static void set_front(const struct resolution *c, struct virtio_chain_segments *out)
{
	/* NULL - NULL, as above. */
	const uint32_t count = out->capacity != 0 ? (uint32_t)(c->next - out->segments) : 0;

	out->readable = c->writable && c->readable < count ? c->readable : count;
	out->writable = count - out->readable;
	out->readable_bytes = virtio_segments_bytes(out->segments, out->readable);
	out->writable_bytes = count != 0 ? virtio_segments_bytes(out->segments + out->readable, out->writable) : 0;
}

/* Keeps a buffer if it is a writable one that is not empty: the last of these has the last writable byte. */
static void keep_writable(struct virtio_desc *last, const struct virtio_desc *desc)
{
	if (desc->writable && desc->len != 0)
		*last = *desc;
}

/*
 * A buffer is bad: not in memory, or without permission. Walks on, for only a chain in order has a byte for a status.
 *
 * @rest   descriptors behind the bad one that have been walked along already
 *
 * Returns 0; or VIRTIO_ENOTMAPPED for that byte. An error of the walk stays in the walk.
 */
static int end_at_bad_buffer(struct virtio_chain *walking, const struct resolution *c, const struct virtio_desc *rest,
			     uint32_t count, struct virtio_chain_segments *out)
{
	struct virtio_segment status = { .len = 0 };
	struct virtio_desc desc, last = { .len = 0 };
	uint64_t addr;
	int got;

	keep_writable(&last, &c->bad);
	for (uint32_t i = 0; i < count; i++)
		keep_writable(&last, &rest[i]);
	while ((got = virtio_chain_next(walking, &desc)) == 1)
		keep_writable(&last, &desc);
	if (got < 0)
		return 0;
	addr = last.addr + (last.len - 1u);
	if (last.len != 0 && addr >= last.addr &&
	    virtio_memory_segment(walking->memory, addr, 1, VIRTIO_ACCESS_WRITE, &status) == VIRTIO_ENOTMAPPED)
		return VIRTIO_ENOTMAPPED;
	out->needed = needed(c, out);
	set_front(c, out);
	out->last_writable = status;
	return 0;
}

/*
 * The resolution has met an error of the walk, which is kept and counted there, or that of a buffer. Both end the walk.
 * Returns the error that counts.
 */
static VIRTIO_COLD int end_resolution(struct virtio_chain *chain, struct virtio_chain *walking,
				      const struct resolution *c, const struct virtio_desc *rest, uint32_t count,
				      int error, struct virtio_chain_segments *out)
{
	int other = 0;

	set_nothing(out);
	if (error == VIRTIO_EFAULT || error == VIRTIO_EPERM)
		other = end_at_bad_buffer(walking, c, rest, count, out);
	chain->walk = walking->walk;
	if (chain->walk.left == VIRTIO_IMPL_WALK_FAILED)
		return (int)chain->walk.next;
	return fail(&chain->walk, queue_of(chain->memory), virtio_token_head(chain->token), other ? other : error);
}

int virtio_impl_chain_resolve_after(struct virtio_chain *chain, const struct virtio_desc *walked, uint32_t count,
				    struct virtio_chain_segments *out)
{
	/* The walk is done in locals, which the compiler can keep in registers. */
	struct virtio_chain walking = *chain;
	struct resolution c;
	uint32_t done = 0;
	uint64_t bytes;
	int got = 0, error = 0;

	c.next = out->segments;
	/* NULL + 0 is undefined in C. */
	c.end = out->capacity != 0 ? out->segments + out->capacity : out->segments;
	c.base = walking.walk.bytes_left;
	c.writable = false;
	c.over = 0;
	if (count != 0)
		error = add_walked(&c, walking.memory, walked, count, out, &done);
	if (!error)
		error = add_rest(&c, &walking, out, &got);
	if (VIRTIO_UNLIKELY(error != 0 || got < 0))
		return end_resolution(chain, &walking, &c, done != 0 ? walked + done : walked, count - done, error,
				      out);
	bytes = (uint64_t)(c.base - walking.walk.bytes_left);
	if (!c.writable)
		begin_writable(&c, out, bytes);
	out->needed = needed(&c, out);
	set_last_writable(&c, out);
	if (VIRTIO_UNLIKELY(c.over != 0)) {
		/* The walk stays where it was, for another call with a larger array. */
		set_front(&c, out);
		queue_of(chain->memory)->stats.too_many_segments++;
		return VIRTIO_ENOBUFS;
	}
	chain->walk = walking.walk;
	out->readable = c.readable;
	out->writable = out->needed - c.readable;
	out->readable_bytes = c.readable_bytes;
	out->writable_bytes = bytes - c.readable_bytes;
	return 0;
}

int virtio_chain_resolve(struct virtio_chain *chain, struct virtio_chain_segments *out)
{
	return virtio_impl_chain_resolve_after(chain, NULL, 0, out);
}
