/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Descriptor chains: indirect tables, tables without a host address, resolving, faults. */
#include "run.h"

/* The most entries of an indirect table: the largest number that fits in 16 bits. */
#define INDIRECT_MAX_ENTRIES 65535u

/*
 * Returns the queue of a chain. The argument must be chain->memory, which points into the queue.
 */
static struct virtio_queue *queue_of(struct virtio_memory_cursor *memory)
{
	return (struct virtio_queue *)(void *)((uint8_t *)memory - offsetof(struct virtio_queue, memory));
}

/* Ends the walk with an error, and counts the error. Every later step returns the same error. */
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

/* Returns the number of descriptors that the walk may still yield. */
static uint32_t left_of(const struct virtio_walk *walk)
{
	const int32_t number = walk->left & ~(VIRTIO_IMPL_WALK_ONE - 1);

	return (uint32_t)((number < 0 ? -number : number) / VIRTIO_IMPL_WALK_ONE - 1);
}

/*
 * Enters the table that an indirect descriptor refers to.
 *
 * The descriptor's write flag is ignored, as 2.7.5.3.2 demands. The next flag is ignored, too,
 * because the chain ends in the table. The table may have any alignment. A misaligned table, or a
 * table over several regions, is read by copying. The number of descriptors that the walk may still
 * yield does not change, unless the table is longer than the queue. Then the walk may yield all
 * entries of the table.
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

/*
 * Checks a descriptor that refers to no table, and advances the walk. The inline
 * virtio_chain_next() makes the same checks.
 */
static int check_and_step(struct virtio_walk *walk, const struct virtio_guest_desc *d, struct virtio_desc *out)
{
	const uint32_t len = (uint32_t)d->len, flags = d->flags_next;
	const uint64_t next = flags >> 16;

	if (len > walk->bytes_left)
		return VIRTIO_EBYTES;
	if ((walk->left & VIRTIO_IMPL_WALK_WRITABLE) && !(flags & VRING_DESC_F_WRITE))
		return VIRTIO_EORDER;
	if (flags & VRING_DESC_F_NEXT) {
		/*
		 * Compares offsets, because a sum could wrap if the table is near the last guest
		 * address.
		 */
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

/* Reads the next descriptor. */
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
	/* The last allowed descriptor had the next flag, so the chain is too long. */
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

/* The progress of a resolution. */
struct resolution {
	struct virtio_segment *next, *end; /* free entries of the caller's array: [next, end) */
	int64_t base;                      /* base - walk.bytes_left is the length walked so far */
	uint32_t readable;                 /* number of segments before the first writable one */
	uint64_t readable_bytes;
	bool writable; /* a writable buffer was met, so readable and readable_bytes are set */

	/*
	 * Segments that do not fit are counted, so the caller learns the size of a sufficient
	 * array.
	 */
	uint64_t over;
	struct virtio_segment last_over;

	struct virtio_desc bad; /* the bad buffer, if add_pieces() has returned an error */
};

/* Returns the number of segments so far, at most UINT32_MAX, the largest capacity of an array. */
static uint32_t needed(const struct resolution *c, const struct virtio_chain_segments *out)
{
	/* The array may be NULL when capacity is 0; NULL - NULL is undefined in C. */
	const uint64_t n = (out->capacity != 0 ? (uint64_t)(c->next - out->segments) : 0) + c->over;

	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/*
 * Cuts a buffer into pieces that are contiguous in host memory, and adds a segment for each piece.
 * If the buffer is bad, adds no segment, stores the buffer in c->bad and returns an error.
 */
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

/* Records where the writable buffers begin. `bytes` is the length of all readable buffers. */
static inline void begin_writable(struct resolution *c, const struct virtio_chain_segments *out, uint64_t bytes)
{
	c->writable = true;
	c->readable = needed(c, out);
	c->readable_bytes = bytes;
}

/* Descriptors of the chain that were read from guest memory and not yielded yet. */
struct loaded {
	const struct virtio_guest_desc *d;
	uint32_t count;
};

/* Works as virtio_chain_next(), but uses up the loaded descriptors first. */
static int next_desc(struct virtio_chain *chain, struct loaded *loaded, struct virtio_desc *out)
{
	if (loaded->count == 0)
		return virtio_chain_next(chain, out);
	loaded->count--;
	return virtio_impl_walk_step(&chain->walk, chain->memory, virtio_token_head(chain->token), loaded->d++, 0, out);
}

/*
 * Walks to the end of the chain, and adds each buffer. Returns 0, or the error of a buffer. An
 * error of the walk is stored in *got instead.
 */
static VIRTIO_COLD int add_rest(struct resolution *c, struct virtio_chain *chain, struct loaded *loaded,
				const struct virtio_chain_segments *out, int *got)
{
	struct virtio_desc desc;
	int error = 0;

	while (!error && (*got = next_desc(chain, loaded, &desc)) == 1) {
		if (desc.writable && !c->writable)
			begin_writable(c, out, (uint64_t)(c->base - chain->walk.bytes_left) - desc.len);
		error = add_pieces(c, chain->memory, &desc);
	}
	return error;
}

/* Sets last_writable to the last byte of the last segment, if that segment is writable. */
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

/* Sets all counts to 0: the caller can use no part of the chain. */
static void set_nothing(struct virtio_chain_segments *out)
{
	out->readable = 0;
	out->writable = 0;
	out->needed = 0;
	out->readable_bytes = 0;
	out->writable_bytes = 0;
	out->last_writable.len = 0;
}

/* Sets the counts for an array that holds only the front of the chain. */
static void set_front(const struct resolution *c, struct virtio_chain_segments *out)
{
	/* Avoids NULL - NULL, which is undefined in C. */
	const uint32_t count = out->capacity != 0 ? (uint32_t)(c->next - out->segments) : 0;

	out->readable = c->writable && c->readable < count ? c->readable : count;
	out->writable = count - out->readable;
	out->readable_bytes = virtio_segments_bytes(out->segments, out->readable);
	out->writable_bytes = count != 0 ? virtio_segments_bytes(out->segments + out->readable, out->writable) : 0;
}

/*
 * Remembers a writable buffer that is not empty. The last such buffer contains the last writable
 * byte.
 */
static void keep_writable(struct virtio_desc *last, const struct virtio_desc *desc)
{
	if (desc->writable && desc->len != 0)
		*last = *desc;
}

/*
 * Continues the walk after a bad buffer, to find the byte for a status. A malformed chain gets no
 * status. Returns 0, or VIRTIO_ENOTMAPPED if the byte is not mapped yet. An error of the walk is
 * stored in walking->walk.
 */
static int end_at_bad_buffer(struct virtio_chain *walking, const struct resolution *c, struct loaded *loaded,
			     struct virtio_chain_segments *out)
{
	struct virtio_segment status = { .len = 0 };
	struct virtio_desc desc, last = { .len = 0 };
	uint64_t addr;
	int got;

	keep_writable(&last, &c->bad);
	while ((got = next_desc(walking, loaded, &desc)) == 1)
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
 * Ends a resolution after an error. Returns the error to report.
 *
 * @error  the error of a buffer; 0 after an error of the walk, which has been stored and counted
 */
static VIRTIO_COLD int end_resolution(struct virtio_chain *chain, struct virtio_chain *walking,
				      const struct resolution *c, struct loaded *loaded, int error,
				      struct virtio_chain_segments *out)
{
	int other = 0;

	set_nothing(out);
	if (error == VIRTIO_EFAULT || error == VIRTIO_EPERM)
		other = end_at_bad_buffer(walking, c, loaded, out);
	chain->walk = walking->walk;
	if (chain->walk.left == VIRTIO_IMPL_WALK_FAILED)
		return (int)chain->walk.next;
	return fail(&chain->walk, queue_of(chain->memory), virtio_token_head(chain->token), other ? other : error);
}

/* Sets all counts of a resolved chain. */
static void set_all(struct virtio_chain_segments *out, uint32_t needed, uint32_t readable, uint64_t readable_bytes,
		    uint64_t bytes)
{
	out->needed = needed;
	out->readable = readable;
	out->writable = needed - readable;
	out->readable_bytes = readable_bytes;
	out->writable_bytes = bytes - readable_bytes;
}

int virtio_impl_chain_resolve_rest(struct virtio_chain *chain, const struct virtio_run *r,
				   struct virtio_chain_segments *out)
{
	struct virtio_chain walking = *chain;
	const int64_t base = chain->walk.bytes_left;
	struct resolution c = { .next = r->at, .base = base };
	struct loaded loaded = { r->loaded, r->loaded_count };
	uint64_t bytes;
	int got = 0, error;

	if (r->bytes > (uint64_t)base) {
		set_nothing(out);
		return fail(&chain->walk, queue_of(chain->memory), virtio_token_head(chain->token), VIRTIO_EBYTES);
	}
	/* segments may be NULL when capacity is 0; NULL + 0 is undefined in C. */
	c.end = out->capacity != 0 ? out->segments + out->capacity : out->segments;
	walking.walk.table = r->table;
	walking.walk.last = r->last;
	walking.walk.next = r->next;
	walking.walk.left = r->left | (int32_t)(r->usual & VRING_DESC_F_WRITE);
	walking.walk.bytes_left = base - (int64_t)r->bytes;
	/* Keeps the error of a walk that has failed before. */
	if (chain->walk.left == VIRTIO_IMPL_WALK_FAILED)
		walking.walk = chain->walk;
	if (r->usual & VRING_DESC_F_WRITE) {
		c.writable = true;
		c.readable = (uint32_t)(r->readable_end - out->segments);
		c.readable_bytes = r->readable_bytes;
	}
	error = add_rest(&c, &walking, &loaded, out, &got);
	if (error != 0 || got < 0)
		return end_resolution(chain, &walking, &c, &loaded, error, out);
	bytes = (uint64_t)(c.base - walking.walk.bytes_left);
	if (!c.writable)
		begin_writable(&c, out, bytes);
	out->needed = needed(&c, out);
	set_last_writable(&c, out);
	if (c.over != 0) {
		/* The walk stays at its start, for another call with a larger array. */
		set_front(&c, out);
		queue_of(chain->memory)->stats.too_many_segments++;
		return VIRTIO_ENOBUFS;
	}
	chain->walk.left = VIRTIO_IMPL_WALK_END;
	set_all(out, out->needed, c.readable, c.readable_bytes, bytes);
	return 0;
}

void virtio_impl_run_stop(struct virtio_run *r, int32_t left, const struct virtio_segment *segments,
			  const struct virtio_guest_desc *d)
{
	r->left = left - VIRTIO_IMPL_WALK_ONE * (int32_t)(r->at - segments);
	r->loaded_count = d ? 1 : 0;
	if (d)
		r->loaded[0] = *d;
}

/* Sets *stopped so that the slow path does the whole walk, because no run can begin. */
static VIRTIO_COLD bool stop_early(struct virtio_run *stopped, const struct virtio_walk *walk,
				   const struct virtio_guest_desc *d, uint32_t count,
				   const struct virtio_chain_segments *out)
{
	memset(stopped, 0, sizeof *stopped);
	stopped->table = walk->table;
	stopped->last = walk->last;
	stopped->next = walk->next;
	stopped->usual = VRING_DESC_F_NEXT;
	stopped->at = out->segments;
	virtio_impl_run_stop(stopped, walk->left, out->segments, NULL);
	while (stopped->loaded_count < count)
		stopped->loaded[stopped->loaded_count++] = *d++;
	return false;
}

/*
 * The body of virtio_impl_chain_resolve_fast(); the compiler specialises it for count == 0.
 *
 * @d, @count  descriptors that were loaded already; count may be 0
 */
static inline VIRTIO_HOT bool resolve_fast(struct virtio_memory_cursor *memory, const struct virtio_walk *from,
					   const struct virtio_guest_desc *d, uint32_t count,
					   struct virtio_run *stopped, struct virtio_chain_segments *out)
{
	struct virtio_walk walk = *from;
	struct virtio_guest_desc desc, bad;
	enum virtio_run_result result;
	struct virtio_run r;
	uint32_t next = 0;

	if (VIRTIO_UNLIKELY(from->left < 2 * VIRTIO_IMPL_WALK_ONE) || VIRTIO_UNLIKELY(out->capacity == 0))
		return stop_early(stopped, from, d, count, out);
	virtio_run_begin(&r, &walk, memory, out->segments, out->capacity);
	while (next < count) {
		desc = d[next++];
		if (!virtio_run_step(&r, &desc, true, &result))
			goto end;
	}
read:
	result = virtio_run_on(&r, &desc, true);
end:
	if (VIRTIO_LIKELY(result == VIRTIO_RUN_LAST) && VIRTIO_LIKELY(r.bytes <= (uint64_t)from->bytes_left)) {
		virtio_run_end(&r, &desc, memory, out);
		return true;
	}
	/*
	 * When a run stops, the cause is usually an indirect descriptor, the first of its chain.
	 * The run enters at most one table, because the walk permits no second table.
	 */
	if (VIRTIO_LIKELY(result == VIRTIO_RUN_STOPPED) && VIRTIO_LIKELY(desc.flags_next & VRING_DESC_F_INDIRECT) &&
	    next >= count && virtio_impl_walk_enter_table(&walk, &memory[VIRTIO_MEMORY_TABLES], &desc)) {
		r.table = walk.table;
		r.last = walk.last;
		r.next = walk.next;
		goto read;
	}
	/* Passes a copy, so desc itself can stay in registers. */
	bad = desc;
	*stopped = r;
	virtio_impl_run_stop(stopped, walk.left, out->segments, result == VIRTIO_RUN_STOPPED ? &bad : NULL);
	while (next < count)
		stopped->loaded[stopped->loaded_count++] = d[next++];
	return false;
}

bool virtio_impl_chain_resolve_fast(struct virtio_memory_cursor *memory, const struct virtio_walk *walk,
				    const struct virtio_guest_desc *d, uint32_t count, struct virtio_run *stopped,
				    struct virtio_chain_segments *out)
{
	return resolve_fast(memory, walk, d, count, stopped, out);
}

int virtio_impl_chain_resolve_loaded(struct virtio_chain *chain, const struct virtio_guest_desc *d, uint32_t count,
				     struct virtio_chain_segments *out)
{
	struct virtio_run stopped;

	if (VIRTIO_UNLIKELY(!virtio_impl_chain_resolve_fast(chain->memory, &chain->walk, d, count, &stopped, out)))
		return virtio_impl_chain_resolve_rest(chain, &stopped, out);
	chain->walk.left = VIRTIO_IMPL_WALK_END;
	return 0;
}

int virtio_chain_resolve(struct virtio_chain *chain, struct virtio_chain_segments *out)
{
	struct virtio_run stopped;

	if (VIRTIO_UNLIKELY(!resolve_fast(chain->memory, &chain->walk, NULL, 0, &stopped, out)))
		return virtio_impl_chain_resolve_rest(chain, &stopped, out);
	chain->walk.left = VIRTIO_IMPL_WALK_END;
	return 0;
}
