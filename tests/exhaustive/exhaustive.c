/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests every descriptor table of 2 entries whose fields have values of a chosen set. Also tests
 * every table of 3 entries with values of a smaller set. The library walks each table step by step,
 * and resolves it into arrays of different lengths. The library also parses the table as a request
 * of a header, data and a status. An oracle (oracle.h) must agree on every descriptor, segment,
 * count and code.
 *
 * usage: exhaustive [STRIDE [long]]
 *   STRIDE  check every STRIDE-th table; default 1. A STRIDE without the factors 2 and 5 still
 *           varies all entries.
 *   long    check the tables of three entries in all guests and from each of the three heads
 *
 * The guests make the library access the tables in different ways. The tables lie in one region, or
 * a border of regions lies in a descriptor, or the host address is odd. One more guest has not
 * negotiated indirect descriptors. Each region except HUGE ends with its allocation, so
 * AddressSanitizer finds an access one byte past the region.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <virtio/request.h>

#include "oracle.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

/* The guest's addresses. */
#define TABLE UINT64_C(0x1000)     /* the descriptor table */
#define TABLE_2 (TABLE + 16)       /* the second entry, which may serve as an indirect table */
#define TABLE_HALF (TABLE + 8)     /* unaligned, inside the first entry; CUT has a border here */
#define DATA UINT64_C(0x1040)      /* RAM that holds indirect tables */
#define BORDER UINT64_C(0x1080)    /* the start of the next region */
#define READ_ONLY UINT64_C(0x10c0) /* the start of a read-only region */
#define HOLE UINT64_C(0x10d0)      /* no memory */
#define RINGS UINT64_C(0x8000)     /* the two rings */
#define HUGE UINT64_C(0x100000000) /* 2^32 bytes, for chains of that length */
#define TOP (UINT64_MAX - 31)      /* the last 32 bytes of the address space */
#define HUGE_BYTES (UINT64_C(1) << 32)

#define MAX_REGIONS 7u

enum layout { FLAT, CUT, ODD };

struct guest {
	const char *name;
	struct oracle_guest guest;
	struct virtio_region regions[MAX_REGIONS];
	struct virtio_memory_map map;
	struct virtio_queue queue;
	struct virtio_inflight inflight[ORACLE_MAX_SIZE];
	uint64_t chains; /* number of popped chains */
	uint64_t faults; /* chains that are malformed or have a bad buffer */
	uint64_t small;  /* chains with more segments than the array */
};

struct field_values {
	uint64_t addr;
	uint32_t len;
};

static uint64_t tables;

static _Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "FAILED: %s\n", what);
	exit(1);
}

/* The guest */

static void *allocate(size_t bytes)
{
	void *memory = calloc(1, bytes);

	if (!memory)
		die("no memory");
	return memory;
}

/* Reserves address space. The host provides a page only at its first access. */
static void *allocate_huge(void)
{
	void *memory = mmap(NULL, (size_t)HUGE_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		die("no 4 GiB of address space");
	return memory;
}

static void add_region(struct guest *w, uint64_t addr, uint64_t len, void *host, uint32_t flags)
{
	struct virtio_region *r = &w->regions[w->guest.region_count++];

	r->addr = addr;
	r->len = len;
	r->host = host;
	r->flags = flags;
}

static void poke(struct guest *w, uint64_t addr, const void *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		struct virtio_region *r = w->regions;
		uint64_t off, take;

		while (addr + done < r->addr || addr + done - r->addr >= r->len)
			r++;
		off = addr + done - r->addr;
		take = r->len - off < len - done ? r->len - off : len - done;
		memcpy((uint8_t *)r->host + off, (const uint8_t *)bytes + done, (size_t)take);
		done += (size_t)take;
	}
}

static void poke_desc(struct guest *w, uint64_t addr, const struct vring_desc *d)
{
	const uint64_t half[2] = { virtio_le64(d->addr),
				   virtio_le64(d->len | (uint64_t)d->flags << 32 | (uint64_t)d->next << 48) };

	poke(w, addr, half, sizeof half);
}

/*
 * Writes indirect tables outside the descriptor table. Each table holds a chain of two entries. One
 * table lies across BORDER, and one table at the top of the address space.
 */
static void fill_data(struct guest *w)
{
	static const struct vring_desc chain[] = {
		{ DATA + 0x30, 32, VRING_DESC_F_NEXT, 1 },
		{ BORDER, 16, VRING_DESC_F_WRITE, 0xffff },
	};

	poke_desc(w, DATA, &chain[0]);
	poke_desc(w, DATA + 16, &chain[1]);
	poke_desc(w, BORDER - 16, &chain[0]);
	poke_desc(w, BORDER, &chain[1]);
	poke_desc(w, TOP, &chain[0]);
	poke_desc(w, TOP + 16, &chain[1]);
}

/*
 * In a guest with the layout ODD, the first region has its usual length, but an odd host address.
 */
static void make_regions(struct guest *w, enum layout layout, void *huge)
{
	const uint64_t cut = TABLE_HALF, first = layout == CUT ? cut : TABLE;
	uint8_t *ram = allocate((size_t)(BORDER - first) + (layout == ODD));

	if (layout == CUT)
		add_region(w, TABLE, cut - TABLE, allocate((size_t)(cut - TABLE)), 0);
	add_region(w, first, BORDER - first, ram + (layout == ODD), 0);
	add_region(w, BORDER, READ_ONLY - BORDER, allocate((size_t)(READ_ONLY - BORDER)), 0);
	add_region(w, READ_ONLY, HOLE - READ_ONLY, allocate((size_t)(HOLE - READ_ONLY)), VIRTIO_REGION_READ_ONLY);
	add_region(w, RINGS, 0x100, allocate(0x100), 0);
	add_region(w, HUGE, HUGE_BYTES, huge, 0);
	add_region(w, TOP, 32, allocate(32), 0);
	w->guest.regions = w->regions;
	fill_data(w);
	if (virtio_memory_map_init(&w->map, w->regions, w->guest.region_count))
		die("virtio_memory_map_init");
}

static void make_guest(struct guest *w, const char *name, enum layout layout, uint16_t size, bool indirect, void *huge)
{
	struct virtio_queue_config config;

	memset(w, 0, sizeof *w);
	w->name = name;
	w->guest.table = TABLE;
	w->guest.size = size;
	w->guest.indirect = indirect;
	make_regions(w, layout, huge);
	if (virtio_queue_config_init(&config, size))
		die("virtio_queue_config_init");
	config.addr[VIRTIO_QUEUE_DESC] = TABLE;
	config.addr[VIRTIO_QUEUE_AVAIL] = RINGS;
	config.addr[VIRTIO_QUEUE_USED] = RINGS + 0x80;
	config.indirect = indirect;
	config.ready = true;
	if (virtio_queue_init(&w->queue, w->inflight, ORACLE_MAX_SIZE) ||
	    virtio_queue_start(&w->queue, &config, &w->map))
		die("virtio_queue_start");
	if ((w->queue.desc != NULL) != (layout == FLAT))
		die("the library does not take the layout's path to the descriptor table");
}

static void free_guest(struct guest *w)
{
	for (uint32_t i = 0; i < w->guest.region_count; i++)
		if (w->regions[i].addr != HUGE)
			free((uint8_t *)w->regions[i].host - ((uintptr_t)w->regions[i].host & 1));
}

/* Makes one chain available. All pops yield this chain, because an unpop follows each pop. */
static void offer(struct guest *w, uint16_t head)
{
	const uint16_t ring[3] = { 0, virtio_le16(1), virtio_le16(head) };

	poke(w, RINGS, ring, sizeof ring);
}

/* The comparison */

static void print_table(const struct guest *w, uint32_t head)
{
	(void)fprintf(stderr, "in the guest \"%s\", head %u of\n", w->name, (unsigned int)head);
	for (uint32_t i = 0; i < w->guest.size; i++) {
		uint8_t b[16];

		(void)oracle_peek(&w->guest, TABLE + DESC_BYTES * i, b, sizeof b);
		(void)fprintf(stderr, "  addr 0x%llx len 0x%x flags %u next 0x%x\n",
			      (unsigned long long)virtio_get_le64(b), (unsigned int)virtio_get_le64(b + 8),
			      (unsigned int)(virtio_get_le64(b + 8) >> 32 & 0xffff),
			      (unsigned int)(virtio_get_le64(b + 8) >> 48));
	}
}

static _Noreturn void disagree(const struct guest *w, const struct oracle_verdict *v, uint32_t head, const char *where,
			       int got)
{
	(void)fprintf(stderr, "FAILED: %s: library %d (%s); allowed errors:", where, got, virtio_strerror(got));
	for (int code = VIRTIO_EINVAL; code >= VIRTIO_EIO; code--)
		if ((v->walk | v->resolve) & oracle_error(code))
			(void)fprintf(stderr, " %d", code);
	(void)fprintf(stderr, "\n");
	print_table(w, head);
	exit(1);
}

static bool allowed(oracle_errors errors, int got)
{
	if (got == 0)
		return errors == 0;
	return got <= VIRTIO_EINVAL && got >= VIRTIO_EIO && (errors & oracle_error(got)) != 0;
}

static bool same_segment(const struct virtio_segment *a, const struct virtio_segment *b)
{
	return a->len == b->len &&
	       (a->len == 0 || (a->addr == b->addr && a->host == b->host && a->region == b->region));
}

static struct virtio_chain pop(struct guest *w)
{
	struct virtio_chain chain;

	if (virtio_queue_pop(&w->queue, &chain) != 1)
		die("a pop yields no chain");
	w->chains++;
	return chain;
}

static void unpop(struct guest *w, const struct virtio_chain *chain)
{
	if (virtio_queue_unpop(&w->queue, chain->token))
		die("a pop cannot be unpopped");
}

static bool same_desc(const struct virtio_desc *d, const struct virtio_desc *yielded)
{
	return d->addr == yielded->addr && d->len == yielded->len && d->writable == yielded->writable;
}

static void compare_walk(struct guest *w, const struct oracle_verdict *v, uint32_t head)
{
	struct virtio_chain chain = pop(w);
	int got;

	for (uint32_t i = 0; i < v->count; i++) {
		struct virtio_desc d;

		got = virtio_chain_next(&chain, &d);
		if (got != 1)
			disagree(w, v, head, "the walk ends early", got);
		if (!same_desc(&d, &v->yields[i]))
			disagree(w, v, head, "the walk yields another descriptor", got);
	}
	/*
	 * Checks the end or the error of a walk twice, because a repeated call must return the same
	 * result.
	 */
	for (int i = 0; i < 2; i++) {
		struct virtio_desc d = { 0x5a5a, 0xa5a5, true };
		const int before = i ? got : 0;

		got = virtio_chain_next(&chain, &d);
		if (!allowed(v->walk, got) || (i && got != before))
			disagree(w, v, head, "the end of the walk differs", got);
		if (d.addr != 0x5a5a || d.len != 0xa5a5 || !d.writable)
			disagree(w, v, head, "the end of the walk changes the output", got);
	}
	w->faults += v->walk != 0;
	unpop(w, &chain);
}

/*
 * The array and the counts must describe as many segments as fit into the array. The members
 * `needed` and `last_writable` must not depend on the length of the array.
 */
static bool same_resolution(const struct oracle_verdict *v, const struct virtio_chain_segments *c)
{
	uint32_t readable = 0, writable = 0;
	uint64_t readable_bytes = 0, writable_bytes = 0;

	for (uint32_t i = 0; i < v->resolved.needed && i < c->capacity; i++) {
		if (!same_segment(&c->segments[i], &v->segments[i]))
			return false;
		*(i < v->resolved.readable ? &readable : &writable) += 1;
		*(i < v->resolved.readable ? &readable_bytes : &writable_bytes) += v->segments[i].len;
	}
	return c->needed == v->resolved.needed && c->readable == readable && c->writable == writable &&
	       c->readable_bytes == readable_bytes && c->writable_bytes == writable_bytes &&
	       same_segment(&c->last_writable, &v->resolved.last_writable);
}

static bool is_nothing(const struct virtio_chain_segments *c)
{
	return c->readable == 0 && c->writable == 0 && c->needed == 0 && c->readable_bytes == 0 &&
	       c->writable_bytes == 0 && c->last_writable.len == 0;
}

/*
 * Resolves into an array of `capacity` entries. The entry after the array must not change. Fills
 * `c` with garbage before, so that the caller notices fields that the library does not set.
 */
static int resolve(struct guest *w, const struct oracle_verdict *v, uint32_t head, struct virtio_chain *chain,
		   struct virtio_segment *segments, uint32_t capacity, struct virtio_chain_segments *c)
{
	int got;

	memset(c, 0x77, sizeof *c);
	c->segments = segments;
	c->capacity = capacity;
	segments[capacity].len = 77;
	got = virtio_chain_resolve(chain, c);
	if (segments[capacity].len != 77 || c->segments != segments || c->capacity != capacity)
		disagree(w, v, head, "a resolution writes past its array", got);
	return got;
}

/*
 * Resolves twice, the second time into a large array. If the first array was too small, the second
 * call must return the whole chain. Otherwise the second call must return the same code. If that
 * code is an error, the second call must yield no segments.
 */
static void compare_resolution(struct guest *w, const struct oracle_verdict *v, uint32_t head, uint32_t capacity)
{
	const bool small = !v->resolve && v->resolved.needed > capacity;
	struct virtio_segment segments[ORACLE_MAX_SEGMENTS];
	struct virtio_chain_segments c;
	struct virtio_chain chain = pop(w);
	int got = resolve(w, v, head, &chain, segments, capacity, &c), again;

	w->faults += v->resolve != 0;
	w->small += small;
	if (small ? got != VIRTIO_ENOBUFS : !allowed(v->resolve, got))
		disagree(w, v, head, "the result of the resolution differs", got);
	if (!same_resolution(v, &c))
		disagree(w, v, head, "the segments differ", got);
	again = resolve(w, v, head, &chain, segments, ORACLE_MAX_SEGMENTS - 1, &c);
	if (small) {
		if (again != 0 || !same_resolution(v, &c))
			disagree(w, v, head, "the segments differ after a small array", again);
	} else if (again != got || (got != 0 && !is_nothing(&c))) {
		disagree(w, v, head, "the result of the second resolution differs", again);
	}
	unpop(w, &chain);
}

/* Copies the oracle's segments without the header and the status. */
static void cut_request(const struct oracle_verdict *v, uint32_t header_bytes, struct virtio_segment *data,
			uint32_t *readable, uint32_t *writable)
{
	uint64_t left = header_bytes;

	*readable = 0;
	*writable = 0;
	for (uint32_t i = 0; i < v->resolved.needed; i++) {
		struct virtio_segment s = v->segments[i];
		const uint64_t front = s.len < left ? s.len : left;

		left -= front;
		s.addr += front;
		s.host = (uint8_t *)s.host + front;
		s.len -= front + (i + 1 == v->resolved.needed);
		if (s.len == 0)
			continue;
		data[*readable + *writable] = s;
		(*(i < v->resolved.readable ? readable : writable))++;
	}
}

/* Returns all errors of a request. The library may report any of these errors. */
static oracle_errors judge_request(const struct oracle_verdict *v, uint32_t header_bytes, uint32_t capacity)
{
	oracle_errors errors = v->resolve;

	if (errors)
		return errors;
	if (v->resolved.last_writable.len == 0 || v->resolved.readable_bytes < header_bytes)
		errors |= oracle_error(VIRTIO_ESHORT);
	if (v->resolved.needed > capacity)
		errors |= oracle_error(VIRTIO_ENOBUFS);
	return errors;
}

static bool no_data(const struct virtio_chain_segments *data)
{
	return data->readable == 0 && data->writable == 0 && data->readable_bytes == 0 && data->writable_bytes == 0;
}

/* Returns whether the library has the right data for a request without an error. */
static bool same_data(const struct oracle_verdict *v, const struct virtio_request *r, uint32_t header_bytes)
{
	struct virtio_segment data[ORACLE_MAX_SEGMENTS];
	uint32_t readable, writable;

	cut_request(v, header_bytes, data, &readable, &writable);
	for (uint32_t i = 0; i < readable + writable; i++)
		if (!same_segment(&r->data.segments[i], &data[i]))
			return false;
	return r->data.readable == readable && r->data.writable == writable &&
	       r->data.readable_bytes == v->resolved.readable_bytes - header_bytes &&
	       r->data.writable_bytes == v->resolved.writable_bytes - 1;
}

/* Returns whether the header has the first bytes of the oracle's segments, and no further byte. */
static bool same_header(const struct guest *w, const struct oracle_verdict *v, const uint8_t *header, uint32_t bytes)
{
	uint32_t done = 0;

	for (uint32_t i = 0; done < bytes; i++) {
		const struct virtio_segment *s = &v->segments[i];
		const uint32_t now = s->len < bytes - done ? (uint32_t)s->len : bytes - done;
		uint8_t expected[ORACLE_MAX_HEADER];

		if (!oracle_peek(&w->guest, s->addr, expected, now) || memcmp(expected, header + done, now) != 0)
			return false;
		done += now;
	}
	return header[bytes] == 0x77;
}

/* Pops the chain as a request, and compares the request with the verdict. */
static void compare_request(struct guest *w, const struct oracle_verdict *v, uint32_t head, uint32_t header_bytes,
			    uint32_t capacity)
{
	struct virtio_segment segments[ORACLE_MAX_SEGMENTS];
	uint8_t header[ORACLE_MAX_HEADER + 1];
	struct virtio_request r;
	int got;

	memset(header, 0x77, sizeof header);
	segments[capacity].len = 77;
	if (virtio_request_init(&r, header, header_bytes, segments, capacity))
		die("virtio_request_init");
	/* Fills the outputs with garbage, to find outputs that the pop does not set. */
	memset(&r.data.readable, 0x77, sizeof r.data - offsetof(struct virtio_chain_segments, readable));
	r.error = 0x77;
	w->chains++;
	w->faults += v->resolve != 0;
	w->small += !v->resolve && v->resolved.needed > capacity;
	got = virtio_request_pop(&w->queue, &r);
	if (got != 1)
		disagree(w, v, head, "the pop yields no request", got);
	if (segments[capacity].len != 77)
		disagree(w, v, head, "a request writes past its array", r.error);
	if (!allowed(judge_request(v, header_bytes, capacity), r.error))
		disagree(w, v, head, "a request has another error", r.error);
	/*
	 * The library must find the status of any chain that has a status, even if the request is
	 * short or has a bad buffer.
	 */
	if (!same_segment(&r.data.last_writable, &v->resolved.last_writable))
		disagree(w, v, head, "a request has another status", r.error);
	if (!v->resolve && r.data.needed != v->resolved.needed)
		disagree(w, v, head, "a request needs another number of segments", r.error);
	if (r.error ? !no_data(&r.data) : !same_data(v, &r, header_bytes) || !same_header(w, v, header, header_bytes))
		disagree(w, v, head, "the data or the header of the request differs", r.error);
	if (virtio_queue_unpop(&w->queue, r.token))
		die("a request cannot be unpopped");
}

static void compare(struct guest *w, uint32_t head)
{
	struct oracle_verdict v;

	tables++;
	oracle_judge(&w->guest, head, &v);
	compare_walk(w, &v, head);
	compare_resolution(w, &v, head, ORACLE_MAX_SEGMENTS - 1);
	compare_request(w, &v, head, 16, ORACLE_MAX_SEGMENTS - 1);
	compare_request(w, &v, head, (uint32_t)(v.resolved.readable_bytes % 3 * 8), ORACLE_MAX_SEGMENTS - 1);
	if (v.walk)
		return;
	/* Resolves into arrays of the needed length, of one entry less, and of no entry. */
	for (uint32_t i = 0; i < 3; i++) {
		const uint32_t needed = v.resolved.needed, capacity = i == 2 ? 0 : needed - i;

		if (i != 0 && needed < i)
			continue;
		compare_resolution(w, &v, head, capacity);
		compare_request(w, &v, head, 16, capacity);
	}
}

/* The library's counters must agree with the oracle's. */
static void finish_guest(struct guest *w)
{
	struct virtio_queue_stats stats;

	virtio_queue_get_stats(&w->queue, &stats);
	if (stats.chain_faults != w->faults || stats.too_many_segments != w->small || stats.ring_faults != 0 ||
	    stats.not_mapped != 0 || stats.chains != 0)
		die("the queue's counters are wrong");
	(void)printf("  %-28s %10llu chains popped, %10llu faults\n", w->name, (unsigned long long)w->chains,
		     (unsigned long long)w->faults);
	free_guest(w);
}

/* The tables of two entries */

static const uint64_t addrs_2[] = {
	TABLE, TABLE_2, TABLE_HALF, DATA, BORDER - 16, READ_ONLY - 8, HOLE, TOP + 16, HUGE, HUGE + 1,
};
static const uint32_t lens_2[] = { 0, 1, 16, 32, 48, 0xffffffff };
/*
 * Lengths that no indirect table can have, with addresses that a table could have. Each row adds
 * more than 100,000 tables, so the list is short.
 */
static const struct field_values more_2[] = { { TABLE_2, 8 }, { TABLE_2, 24 }, { DATA, 8 }, { DATA, 24 } };
static const uint16_t nexts_2[] = { 0, 1, 2, 0xffff };

#define BUFFERS_2 (COUNT(addrs_2) * COUNT(lens_2))
#define ENTRIES_2 ((BUFFERS_2 + COUNT(more_2)) * 8 * COUNT(nexts_2))

static struct vring_desc entry_2(uint32_t n)
{
	struct vring_desc d;

	d.flags = (uint16_t)(n % 8);
	n /= 8;
	d.next = nexts_2[n % COUNT(nexts_2)];
	n /= COUNT(nexts_2);
	d.len = n < BUFFERS_2 ? lens_2[n % COUNT(lens_2)] : more_2[n - BUFFERS_2].len;
	d.addr = n < BUFFERS_2 ? addrs_2[n / COUNT(lens_2)] : more_2[n - BUFFERS_2].addr;
	return d;
}

static void tables_of_2(struct guest *w, uint64_t stride)
{
	const uint64_t all = (uint64_t)ENTRIES_2 * ENTRIES_2;

	for (uint16_t head = 0; head < 2; head++) {
		offer(w, head);
		for (uint64_t t = 0; t < all; t += stride) {
			const struct vring_desc first = entry_2((uint32_t)(t / ENTRIES_2));
			const struct vring_desc second = entry_2((uint32_t)(t % ENTRIES_2));

			poke_desc(w, TABLE, &first);
			poke_desc(w, TABLE_2, &second);
			compare(w, head);
		}
	}
}

/* The tables of three entries. The queue has a fourth entry, which is a plain writable buffer. */

static const struct field_values buffers_3[] = {
	{ DATA, 16 },         { DATA, 0 },         { TABLE, 16 },    { TABLE_2, 32 }, { TABLE_HALF, 32 },
	{ HUGE, 0xffffffff }, { BORDER - 16, 32 }, { READ_ONLY, 1 }, { HOLE, 16 },    { TOP + 16, 16 },
};
static const uint16_t nexts_3[] = { 0, 1, 2, 4 };

/*
 * The third entry has this buffer in place of the read-only buffer, so that a request can end with
 * a status buffer of one byte.
 */
static const struct field_values status_3 = { DATA + 8, 1 };

/*
 * With the next flag, `next` has each value of nexts_3. Without the flag, `next` is always 0xffff,
 * which the library must ignore.
 */
#define ENTRIES_3 (COUNT(buffers_3) * 4 * (COUNT(nexts_3) + 1))

static struct vring_desc entry_3(uint32_t index, uint32_t n)
{
	const struct field_values *buffer = &buffers_3[n % COUNT(buffers_3)];
	struct vring_desc d;

	if (index == 2 && buffer->addr == READ_ONLY)
		buffer = &status_3;
	n /= COUNT(buffers_3);
	d.addr = buffer->addr;
	d.len = buffer->len;
	d.flags = (uint16_t)((n % 4) << 1);
	n /= 4;
	d.next = 0xffff;
	if (n < COUNT(nexts_3)) {
		d.flags |= VRING_DESC_F_NEXT;
		d.next = nexts_3[n];
	}
	return d;
}

static void tables_of_3(struct guest *w, uint64_t stride, uint16_t head)
{
	static const struct vring_desc fourth = { DATA + 16, 16, VRING_DESC_F_WRITE, 0 };
	const uint64_t all = (uint64_t)ENTRIES_3 * ENTRIES_3 * ENTRIES_3;
	uint32_t in_place[3] = { UINT32_MAX, UINT32_MAX, UINT32_MAX };

	poke_desc(w, TABLE + 48, &fourth);
	offer(w, head);
	for (uint64_t t = 0; t < all; t += stride) {
		const uint32_t n[3] = { (uint32_t)(t / ENTRIES_3 / ENTRIES_3), (uint32_t)(t / ENTRIES_3 % ENTRIES_3),
					(uint32_t)(t % ENTRIES_3) };

		for (uint32_t i = 0; i < 3; i++) {
			const struct vring_desc d = entry_3(i, n[i]);

			if (n[i] == in_place[i])
				continue;
			in_place[i] = n[i];
			poke_desc(w, TABLE + DESC_BYTES * i, &d);
		}
		compare(w, head);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		enum layout layout;
		bool indirect;
	} kinds[] = {
		{ "one region", FLAT, true },
		{ "a border in a descriptor", CUT, true },
		{ "an odd host address", ODD, true },
		{ "indirect not negotiated", FLAT, false },
	};
	const unsigned long stride = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	const bool whole = argc > 2 && strcmp(argv[2], "long") == 0;
	void *huge = allocate_huge();
	static struct guest w;

	if (stride == 0 || argc > 3 || (argc == 3 && !whole))
		die("usage: exhaustive [STRIDE [long]]");
	(void)printf("tables of 2 entries, with each head: %llu; stride %lu\n",
		     (unsigned long long)ENTRIES_2 * ENTRIES_2, stride);
	for (uint32_t i = 0; i < COUNT(kinds); i++) {
		make_guest(&w, kinds[i].name, kinds[i].layout, 2, kinds[i].indirect, huge);
		tables_of_2(&w, stride);
		finish_guest(&w);
	}
	(void)printf("tables of 3 entries: %llu; stride %lu\n", (unsigned long long)ENTRIES_3 * ENTRIES_3 * ENTRIES_3,
		     stride);
	for (uint32_t i = 0; i < (whole ? COUNT(kinds) : 2); i++) {
		make_guest(&w, kinds[i].name, kinds[i].layout, 4, kinds[i].indirect, huge);
		for (uint16_t head = 0; head < (whole ? 3 : 1); head++)
			tables_of_3(&w, stride, head);
		finish_guest(&w);
	}
	(void)munmap(huge, (size_t)HUGE_BYTES);
	(void)printf("%llu tables judged, no disagreement\n", (unsigned long long)tables);
	return 0;
}
