/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Descriptor chains: indirect tables, tables without a host address, collecting, faults. */
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
	walk->left = VIRTIO_WALK_FAILED;
	walk->next = (uint64_t)error;
	if (error == VIRTIO_ENOTMAPPED)
		queue->stats.not_mapped++;
	else
		virtio_queue_count_fault(queue, error, (uint16_t)head, &queue->stats.chain_faults);
	return error;
}

void virtio_walk_use_table(struct virtio_walk *walk, const uint8_t *host, uint64_t addr, uint32_t entries,
			   uint32_t first, uint32_t left)
{
	const bool fast = host && ((uintptr_t)host & 7) == 0;
	const int32_t number = ((int32_t)left + 1) * VIRTIO_WALK_ONE;

	walk->table = fast ? (uintptr_t)host : addr;
	walk->next = walk->table + (uint64_t)first * 16;
	walk->last = walk->table + ((uint64_t)entries - 1) * 16;
	walk->left = (fast ? number : -number) | (walk->left & (VIRTIO_WALK_ONE - 1));
}

/* Descriptors that may still be yielded. */
static uint32_t left_of(const struct virtio_walk *walk)
{
	const int32_t number = walk->left & ~(VIRTIO_WALK_ONE - 1);

	return (uint32_t)((number < 0 ? -number : number) / VIRTIO_WALK_ONE - 1);
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
	struct virtio_memory_cursor *tables = &queue->tables;
	const uint32_t bytes = (uint32_t)d->len;
	const uint32_t entries = bytes / 16;
	uint32_t left = left_of(walk);
	const uint8_t *host;
	int error;

	if (!(walk->left & VIRTIO_WALK_DIRECT))
		return VIRTIO_EINDIRECT;
	if (bytes == 0 || bytes % 16 || entries > INDIRECT_MAX_ENTRIES)
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
	walk->left &= ~VIRTIO_WALK_DIRECT;
	virtio_walk_use_table(walk, host, d->addr, entries, 0, left);
	return 0;
}

/* All checks of one descriptor, in full: the inline part of virtio_chain_next() is a short cut through them. */
static int check_and_step(struct virtio_walk *walk, const struct virtio_guest_desc *d, struct virtio_desc *out)
{
	const uint32_t len = (uint32_t)d->len, flags = d->flags_next;
	const uint64_t next = flags >> 16;

	if (len > walk->bytes_left)
		return VIRTIO_EBYTES;
	/* A buffer that ends at the last byte of the address space wraps to exactly 0, and is legal. */
	if (d->addr + len < d->addr && d->addr + len != 0)
		return VIRTIO_EFAULT;
	if ((walk->left & VIRTIO_WALK_WRITABLE) && !(flags & VRING_DESC_F_WRITE))
		return VIRTIO_EORDER;
	if (flags & VRING_DESC_F_NEXT) {
		/* Offsets, for a table in guest memory may end with the address space. */
		if (next * 16 > walk->last - walk->table)
			return VIRTIO_ENEXT;
		walk->next = walk->table + next * 16;
		walk->left += walk->left < 0 ? VIRTIO_WALK_ONE : -VIRTIO_WALK_ONE;
		walk->left |= (int32_t)(flags & VRING_DESC_F_WRITE);
	} else {
		walk->left = VIRTIO_WALK_END;
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
	uint8_t raw[16];
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

int virtio_walk_step(struct virtio_walk *walk, struct virtio_memory_cursor *memory, uint32_t head,
		     const struct virtio_guest_desc *d, uint64_t charged, struct virtio_desc *out)
{
	struct virtio_queue *queue = queue_of(memory);
	struct virtio_guest_desc desc;
	int got = 0;

	walk->bytes_left += (int64_t)charged;
	if (walk->left == VIRTIO_WALK_FAILED)
		return (int)walk->next;
	/* The last descriptor that the chain may have said that there is another. */
	if (left_of(walk) == 0)
		return fail(walk, queue, head, VIRTIO_ETOOLONG);
	if (d)
		desc = *d;
	else
		got = load(walk, &queue->tables, &desc);
	if (!got && (desc.flags_next & VRING_DESC_F_INDIRECT)) {
		got = enter_indirect(walk, queue, &desc);
		if (!got)
			got = load(walk, &queue->tables, &desc);
		if (!got && (desc.flags_next & VRING_DESC_F_INDIRECT))
			got = VIRTIO_EINDIRECT;
	}
	if (!got)
		got = check_and_step(walk, &desc, out);
	return got < 0 ? fail(walk, queue, head, got) : got;
}

/* What has been collected of a chain so far. */
struct tally {
	uint32_t needed;         /* segments */
	uint32_t readable;       /* of those, in front of the first writable one */
	uint64_t bytes;          /* in all */
	uint64_t readable_bytes; /* likewise */
	bool writable;           /* a writable buffer has been seen */
};

/*
 * Adds the pieces of one buffer that is not contiguous, or for which there is no room: then it goes on
 * counting, so that the caller is told how large the array must be, and where the last writable byte is.
 *
 * @piece  set to the last one
 */
static VIRTIO_COLD int add_pieces(struct tally *t, struct virtio_memory_cursor *memory, const struct virtio_desc *desc,
				  const struct virtio_collected *out, struct virtio_segment *piece)
{
	const uint32_t access = desc->writable ? VIRTIO_ACCESS_WRITE : VIRTIO_ACCESS_READ;
	uint64_t addr = desc->addr, left = desc->len;

	while (left > 0) {
		int error = virtio_memory_segment(memory, addr, left, access, piece);

		if (error)
			return error;
		if (t->needed < out->capacity)
			out->segments[t->needed] = *piece;
		/* 2^32 one-byte pieces are a legal chain, but not one that anyone has an array for. */
		if (++t->needed == UINT32_MAX)
			return VIRTIO_EBYTES;
		addr += piece->len;
		left -= piece->len;
	}
	return 0;
}

static inline VIRTIO_HOT int add_buffer(struct tally *t, struct virtio_memory_cursor *memory,
					const struct virtio_desc *desc, const struct virtio_collected *out,
					struct virtio_segment *piece)
{
	struct virtio_desc desc_copy;
	struct virtio_segment *s;
	struct tally copy;
	void *host;
	int error;

	if (desc->writable && !t->writable) {
		t->writable = true;
		t->readable = t->needed;
		t->readable_bytes = t->bytes;
	}
	if (desc->len == 0)
		return 0;
	t->bytes += desc->len;
	host = virtio_memory_find(memory, desc->addr, desc->len,
				  desc->writable ? VIRTIO_ACCESS_WRITE : VIRTIO_ACCESS_READ);
	if (VIRTIO_UNLIKELY(!host || t->needed >= out->capacity)) {
		/* On copies, so that the tally and the descriptor themselves can stay in registers. */
		copy = *t;
		desc_copy = *desc;
		error = add_pieces(&copy, memory, &desc_copy, out, piece);
		*t = copy;
		return error;
	}
	s = &out->segments[t->needed++];
	s->addr = desc->addr;
	s->len = desc->len;
	s->host = host;
	s->region = memory->region;
	return 0;
}

/* The last byte of the last segment, if that is a writable one. */
static inline VIRTIO_HOT void set_last_writable(const struct tally *t, const struct virtio_segment *piece,
						struct virtio_collected *out)
{
	const struct virtio_segment *end;

	out->last_writable.len = 0;
	if (t->needed == t->readable)
		return;
	end = t->needed > out->capacity ? piece : &out->segments[t->needed - 1];
	out->last_writable.addr = end->addr + (end->len - 1);
	out->last_writable.len = 1;
	out->last_writable.host = (uint8_t *)end->host + (end->len - 1);
	out->last_writable.region = end->region;
}

int virtio_chain_collect(struct virtio_chain *chain, struct virtio_collected *out)
{
	/* The walk is done in locals, which the compiler can keep in registers. */
	struct virtio_chain walking = *chain;
	struct virtio_desc desc;
	struct virtio_segment piece;
	struct tally t = { 0 };
	int got, error = 0;

	while (!error && (got = virtio_chain_next(&walking, &desc)) == 1)
		error = add_buffer(&t, walking.memory, &desc, out, &piece);
	chain->walk = walking.walk;
	if (error)
		return fail(&chain->walk, queue_of(chain->memory), chain->token.head, error);
	if (got < 0)
		return got;
	if (!t.writable) {
		t.readable = t.needed;
		t.readable_bytes = t.bytes;
	}
	out->needed = t.needed;
	set_last_writable(&t, &piece, out);
	if (t.needed > out->capacity)
		return VIRTIO_ENOBUFS;
	out->readable = t.readable;
	out->writable = t.needed - t.readable;
	out->readable_bytes = t.readable_bytes;
	out->writable_bytes = t.bytes - t.readable_bytes;
	return 0;
}
