/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests guest memory against a model of single bytes, with random maps and random accesses.
 * Maps have holes, read-only regions, adjacent regions and dirty logs, also where addresses wrap.
 * In one variant each byte is its own region. In another variant the map has a translation with
 * small pages. The seeds are fixed, so a failure repeats.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <virtio/guest_memory.h>

#include "../common/long.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define READ VIRTIO_ACCESS_READ
#define WRITE VIRTIO_ACCESS_WRITE

#define WINDOW 512u /* number of addresses that may have memory */
#define MAX_GAP 8u  /* largest number of bytes between two regions on the host */
#define HOST_BYTES (WINDOW * (MAX_GAP + 1) + MAX_GAP)
#define MAX_LEN 640u
#define GUARD 0xee
#define MAPS 40u /* number of maps; long_factor() multiplies it */
#define STEPS 1500u

/* A window that begins here reaches the end of the address space after 256 bytes, and wraps. */
#define WRAPPING (UINT64_MAX - 255)

static const uint64_t bases[] = { 0x10000, 0, WRAPPING, (UINT64_C(1) << 63) - 256 };

enum variant { REGIONS, SINGLE_BYTES, TRANSLATED };

/* A page of the translation. */
struct page {
	int result;
	uint64_t out;
	uint32_t access;
};

/* The model of one byte. */
struct byte {
	int error;       /* error of every access to the byte, or 0 */
	uint32_t access; /* permitted accesses */
	uint32_t region; /* index in the table of regions */
	uint32_t host;   /* offset in host memory */
	uint64_t phys;   /* guest-physical offset in the window */
};

struct shadow {
	uint64_t random;
	enum variant variant;

	uint64_t base; /* guest-physical start of the window */
	struct virtio_region regions[WINDOW];
	uint32_t count;
	uint32_t region_of[WINDOW]; /* index in regions; UINT32_MAX in a hole */
	_Alignas(16) uint8_t host[HOST_BYTES];
	uint8_t want[HOST_BYTES];

	struct virtio_dirty_log log;
	uint8_t bitmap[WINDOW / 8];
	uint8_t want_bitmap[WINDOW / 8];

	uint64_t in_base; /* start of the window in input addresses */
	uint32_t page_size;
	struct page pages[WINDOW / 4];

	struct virtio_memory_map map;
	struct virtio_memory_cursor cursor;
};

/* Memory and its model */

static uint32_t below(struct shadow *w, uint32_t limit)
{
	w->random ^= w->random >> 12;
	w->random ^= w->random << 25;
	w->random ^= w->random >> 27;
	return (uint32_t)((w->random * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % limit;
}

/* Cuts the window into regions and holes. No region crosses the end of the address space. */
static void make_regions(struct shadow *w)
{
	const uint32_t longest = w->variant == SINGLE_BYTES ? 1 : 1 + below(w, 100);

	for (uint32_t pos = 0, len; pos < WINDOW; pos += len) {
		const uint32_t kind = below(w, 16);
		struct virtio_region *r = &w->regions[w->count];

		len = 1 + below(w, longest);
		if (len > WINDOW - pos)
			len = WINDOW - pos;
		if (pos < 256 && len > 256 - pos)
			len = 256 - pos;
		for (uint32_t i = pos; i < pos + len; i++)
			w->region_of[i] = kind < 2 ? UINT32_MAX : w->count;
		if (kind < 2)
			continue;
		r->addr = w->base + pos;
		r->len = len;
		r->flags = kind < 4 ? VIRTIO_REGION_READ_ONLY : 0;
		r->dirty = kind % 3 ? NULL : &w->log;
		w->count++;
	}
}

/* Assigns host memory to each region, in a random order and with gaps. */
static void place_regions(struct shadow *w)
{
	uint32_t order[WINDOW], at = 0;

	for (uint32_t i = 0; i < w->count; i++) {
		const uint32_t j = below(w, i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	for (uint32_t i = 0; i < w->count; i++) {
		at += below(w, MAX_GAP + 1);
		w->regions[order[i]].host = w->host + at;
		at += (uint32_t)w->regions[order[i]].len;
	}
	assert_true(at <= HOST_BYTES);
	for (uint32_t i = 0; i < HOST_BYTES; i++)
		w->host[i] = w->want[i] = (uint8_t)below(w, 256);
}

static void make_pages(struct shadow *w)
{
	w->page_size = 4u << below(w, 4);
	for (uint32_t i = 0; i < WINDOW / w->page_size; i++) {
		static const int results[16] = { VIRTIO_EFAULT, VIRTIO_EPERM, VIRTIO_ENOTMAPPED, 1 };
		struct page *p = &w->pages[i];

		p->result = results[below(w, 16)];
		p->out = w->base + below(w, WINDOW);
		/* Many results begin where the previous page's result ends, or are aligned. */
		if (i > 0 && below(w, 2))
			p->out = p[-1].out + w->page_size;
		else if (below(w, 2))
			p->out &= ~UINT64_C(3);
		p->access = below(w, 4) ? READ | WRITE : below(w, 4);
	}
}

static int translate(void *context, uint64_t addr, uint64_t len, uint32_t access, struct virtio_translation *out)
{
	struct shadow *w = context;
	const uint64_t off = addr - w->in_base;
	const struct page *p = &w->pages[off / w->page_size % COUNT(w->pages)];

	(void)access;
	assert_true(len > 0);
	if (off >= WINDOW)
		return VIRTIO_EFAULT;
	out->addr = p->out + off % w->page_size;
	out->len = w->page_size - off % w->page_size;
	out->access = p->access;
	return p->result;
}

static void setup(struct shadow *w, enum variant variant, uint32_t seed)
{
	memset(w, 0, sizeof *w);
	w->random = UINT64_C(0x9e3779b97f4a7c15) * (seed + 1);
	w->variant = variant;
	w->base = bases[seed % COUNT(bases)];
	w->in_base = variant == TRANSLATED ? bases[seed / COUNT(bases) % COUNT(bases)] : w->base;
	w->log = (struct virtio_dirty_log){ w->bitmap, sizeof w->bitmap, w->base, (uint8_t)below(w, 5), 1 };
	make_regions(w);
	place_regions(w);
	/*
	 * Where addresses wrap, the table of regions is not sorted. virtio_memory_map_init() sorts
	 * the table, so region_of needs the new indices.
	 */
	assert_int_equal(virtio_memory_map_init(&w->map, w->regions, w->count), 0);
	for (uint32_t i = 0; i < WINDOW; i++)
		for (uint32_t r = 0; r < w->count && w->region_of[i] != UINT32_MAX; r++)
			if (w->base + i - w->regions[r].addr < w->regions[r].len)
				w->region_of[i] = r;
	if (variant == TRANSLATED) {
		make_pages(w);
		virtio_memory_map_set_translation(&w->map, translate, w);
	}
	virtio_memory_cursor_init(&w->cursor, &w->map);
}

/* The model */

static struct byte look(const struct shadow *w, uint64_t addr)
{
	struct byte b = { VIRTIO_EFAULT, READ | WRITE, 0, 0, addr - w->base };
	const struct virtio_region *r;

	if (w->variant == TRANSLATED) {
		const uint64_t off = addr - w->in_base;
		const struct page *p = &w->pages[off / w->page_size % COUNT(w->pages)];

		if (off >= WINDOW)
			return b;
		if (p->result) {
			b.error = p->result < 0 ? p->result : VIRTIO_EFAULT;
			return b;
		}
		b.phys = p->out + off % w->page_size - w->base;
		b.access = p->access;
	}
	if (b.phys >= WINDOW || w->region_of[b.phys] == UINT32_MAX)
		return b;
	b.region = w->region_of[b.phys];
	r = &w->regions[b.region];
	if (r->flags & VIRTIO_REGION_READ_ONLY)
		b.access &= READ;
	b.host = (uint32_t)((const uint8_t *)r->host - w->host + (ptrdiff_t)(w->base + b.phys - r->addr));
	b.error = 0;
	return b;
}

static int byte_error(const struct byte *b, uint32_t access)
{
	if (b->error)
		return b->error;
	return (b->access & access) == access ? 0 : VIRTIO_EPERM;
}

/*
 * Returns the expected result of an access to a range: the error of its first bad byte, or 0. A
 * range that wraps has the error VIRTIO_EFAULT.
 */
static int expected(const struct shadow *w, uint64_t addr, uint64_t len, uint32_t access)
{
	if (len > 0 && len - 1 > UINT64_MAX - addr)
		return VIRTIO_EFAULT;
	for (uint64_t i = 0; i < len; i++) {
		const struct byte b = look(w, addr + i);
		const int error = byte_error(&b, access);

		if (error)
			return error;
	}
	return 0;
}

/*
 * Returns the number of bytes from addr on, at most len, in one region and one page. The first byte
 * must be in memory.
 */
static uint64_t piece(const struct shadow *w, uint64_t addr, uint64_t len)
{
	const struct byte first = look(w, addr);
	const uint64_t off = addr - w->in_base;
	uint64_t n = 1;

	for (; n < len && n <= UINT64_MAX - addr; n++) {
		const struct byte b = look(w, addr + n);

		if (w->variant == TRANSLATED && (off + n) / w->page_size != off / w->page_size)
			break;
		if (b.error || b.region != first.region)
			break;
	}
	return n;
}

static void model_write(struct shadow *w, uint64_t addr, const uint8_t *src, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++) {
		const struct byte b = look(w, addr + i);
		const uint64_t page = b.phys >> w->log.page_shift;

		w->want[b.host] = src[i];
		/* Where addresses wrap, the bitmap ends with the address space. */
		if (w->regions[b.region].dirty && !(w->base == WRAPPING && b.phys >= 256))
			w->want_bitmap[page / 8] = (uint8_t)(w->want_bitmap[page / 8] | 1u << page % 8);
	}
}

static void expect_same(const struct shadow *w)
{
	assert_memory_equal(w->host, w->want, sizeof w->host);
	assert_memory_equal(w->bitmap, w->want_bitmap, sizeof w->bitmap);
}

/* Accesses, each compared with the model */

/* Reads len bytes. Passes a constant size if len is one of the sizes below. */
static int read_any(struct virtio_memory_cursor *cursor, uint64_t addr, uint8_t *dst, size_t len)
{
	switch (len) {
	case 1:
		return virtio_memory_read(cursor, addr, dst, 1);
	case 2:
		return virtio_memory_read(cursor, addr, dst, 2);
	case 4:
		return virtio_memory_read(cursor, addr, dst, 4);
	case 8:
		return virtio_memory_read(cursor, addr, dst, 8);
	case 16:
		return virtio_memory_read(cursor, addr, dst, 16);
	case 32:
		return virtio_memory_read(cursor, addr, dst, 32);
	default:
		return virtio_memory_read(cursor, addr, dst, len);
	}
}

static int write_any(struct virtio_memory_cursor *cursor, uint64_t addr, const uint8_t *src, size_t len)
{
	switch (len) {
	case 1:
		return virtio_memory_write(cursor, addr, src, 1);
	case 2:
		return virtio_memory_write(cursor, addr, src, 2);
	case 4:
		return virtio_memory_write(cursor, addr, src, 4);
	case 8:
		return virtio_memory_write(cursor, addr, src, 8);
	case 16:
		return virtio_memory_write(cursor, addr, src, 16);
	case 32:
		return virtio_memory_write(cursor, addr, src, 32);
	default:
		return virtio_memory_write(cursor, addr, src, len);
	}
}

static void step_read(struct shadow *w, uint64_t addr, uint64_t len)
{
	const int error = expected(w, addr, len, READ);
	uint8_t got[MAX_LEN], want[MAX_LEN];

	memset(got, GUARD, sizeof got);
	memset(want, GUARD, sizeof want);
	for (uint64_t i = 0; !error && i < len; i++)
		want[i] = w->want[look(w, addr + i).host];
	assert_int_equal(read_any(&w->cursor, addr, got, (size_t)len), error);
	assert_memory_equal(got, want, sizeof got);
}

static void step_write(struct shadow *w, uint64_t addr, uint64_t len)
{
	const int error = expected(w, addr, len, WRITE);
	uint8_t src[MAX_LEN];

	for (uint32_t i = 0; i < sizeof src; i++)
		src[i] = (uint8_t)below(w, 256);
	if (!error)
		model_write(w, addr, src, len);
	assert_int_equal(write_any(&w->cursor, addr, src, (size_t)len), error);
}

static void step_check(struct shadow *w, uint64_t addr, uint64_t len)
{
	const uint32_t access = below(w, 4);

	assert_int_equal(virtio_memory_check(&w->cursor, addr, len, access), expected(w, addr, len, access));
}

static void step_find(struct shadow *w, uint64_t addr, uint64_t len)
{
	const uint32_t access = below(w, 4);
	void *want = NULL;

	if (len == 0)
		len = 1;
	if (expected(w, addr, len, access) == 0 && piece(w, addr, len) == len)
		want = w->host + look(w, addr).host;
	assert_ptr_equal(virtio_memory_find(&w->cursor, addr, len, access), want);
}

static void expect_segment(const struct shadow *w, const struct virtio_segment *s, uint64_t addr, uint64_t len)
{
	const struct byte b = look(w, addr);

	assert_true(s->addr == addr);
	assert_true(s->len == piece(w, addr, len));
	assert_ptr_equal(s->host, w->host + b.host);
	assert_ptr_equal(s->region, &w->regions[b.region]);
}

static void step_segment(struct shadow *w, uint64_t addr, uint64_t len)
{
	const uint32_t access = below(w, 4);
	const int error = len == 0 ? VIRTIO_EINVAL : expected(w, addr, 1, access);
	struct virtio_segment s, same;

	memset(&s, GUARD, sizeof s);
	memcpy(&same, &s, sizeof s);
	assert_int_equal(virtio_memory_segment(&w->cursor, addr, len, access, &s), error);
	if (error)
		assert_memory_equal(&s, &same, sizeof s);
	else
		expect_segment(w, &s, addr, len);
}

static void step_segments(struct shadow *w, uint64_t addr, uint64_t len)
{
	const uint32_t access = below(w, 4), capacity = below(w, 6);
	struct virtio_segment list[6], same;
	uint64_t at = addr, left = len;
	int count = 0, got;

	memset(list, GUARD, sizeof list);
	memset(&same, GUARD, sizeof same);
	if (len > 0 && len - 1 > UINT64_MAX - addr)
		count = VIRTIO_EFAULT;
	while (count >= 0 && left > 0) {
		const int error = expected(w, at, 1, access);
		const uint64_t n = error ? 0 : piece(w, at, left);

		count = (uint32_t)count == capacity ? VIRTIO_ENOBUFS : error ? error : count + 1;
		at += n;
		left -= n;
	}
	got = virtio_memory_segments(&w->cursor, addr, len, access, list, capacity);
	assert_int_equal(got, count);
	assert_memory_equal(&list[capacity], &same, sizeof same);
	for (int i = 0; i < got; i++) {
		expect_segment(w, &list[i], addr, len);
		addr += list[i].len;
		len -= list[i].len;
	}
}

static int expected_field(const struct shadow *w, uint64_t addr, uint32_t size, uint32_t access)
{
	int error;

	if (addr % size)
		return VIRTIO_EALIGN;
	error = expected(w, addr, 1, access);
	if (error)
		return error;
	if (piece(w, addr, size) < size)
		return VIRTIO_EFAULT;
	return (uintptr_t)(w->host + look(w, addr).host) % size ? VIRTIO_EALIGN : 0;
}

static void step_load(struct shadow *w, uint64_t addr)
{
	const enum virtio_order order = below(w, 2) ? VIRTIO_RELAXED : VIRTIO_ACQUIRE;
	int error = expected_field(w, addr, 2, READ);
	uint16_t v16 = 0x1234;
	uint32_t v32 = 0x12345678;

	assert_int_equal(virtio_memory_load_le16(&w->cursor, addr, order, &v16), error);
	assert_int_equal(v16, error ? 0x1234 : virtio_get_le16(w->want + look(w, addr).host));
	error = expected_field(w, addr, 4, READ);
	assert_int_equal(virtio_memory_load_le32(&w->cursor, addr, order, &v32), error);
	assert_int_equal(v32, error ? 0x12345678 : virtio_get_le32(w->want + look(w, addr).host));
}

static void step_store(struct shadow *w, uint64_t addr)
{
	const enum virtio_order order = below(w, 2) ? VIRTIO_RELAXED : VIRTIO_RELEASE;
	const uint32_t value = below(w, UINT32_MAX);
	const uint32_t size = below(w, 2) ? 2 : 4;
	const int error = expected_field(w, addr, size, WRITE);
	uint8_t bytes[4];

	virtio_put_le32(bytes, value);
	if (!error)
		model_write(w, addr, bytes, size);
	if (size == 2)
		assert_int_equal(virtio_memory_store_le16(&w->cursor, addr, order, (uint16_t)value), error);
	else
		assert_int_equal(virtio_memory_store_le32(&w->cursor, addr, order, value), error);
}

/*
 * Returns mostly a short length, sometimes a far too long length or a length that makes the range
 * wrap.
 */
static uint64_t random_len(struct shadow *w)
{
	const uint32_t kind = below(w, 32);

	if (kind == 0)
		return UINT64_MAX - below(w, 1200);
	if (kind == 1)
		return UINT64_C(1) << below(w, 64);
	if (kind < 5)
		return below(w, MAX_LEN);
	if (kind < 14)
		return 1u << below(w, 6);
	return below(w, kind < 22 ? 80 : 10);
}

static void step(struct shadow *w)
{
	const uint64_t addr = w->in_base + below(w, WINDOW + 60) - 30;
	const uint64_t len = random_len(w);

	switch (below(w, 12)) {
	case 0:
	case 1:
		/* Leaves out lengths that do not fit into size_t on a 32-bit host. */
		if (len <= SIZE_MAX)
			step_read(w, addr, len);
		break;
	case 2:
	case 3:
	case 4:
		if (len <= SIZE_MAX)
			step_write(w, addr, len);
		break;
	case 5:
		step_check(w, addr, len);
		break;
	case 6:
		step_find(w, addr, len);
		break;
	case 7:
		step_segment(w, addr, len);
		break;
	case 8:
		step_segments(w, addr, len);
		break;
	case 9:
		step_load(w, addr & ~(uint64_t)below(w, 4));
		break;
	case 10:
		step_store(w, addr & ~(uint64_t)below(w, 4));
		break;
	default:
		if (below(w, 4) == 0)
			virtio_memory_cursor_init(&w->cursor, &w->map);
		break;
	}
	expect_same(w);
}

static void run(enum variant variant)
{
	struct shadow w;

	for (uint32_t seed = 0; seed < MAPS * long_factor(); seed++) {
		setup(&w, variant, seed);
		for (uint32_t i = 0; i < STEPS; i++)
			step(&w);
	}
}

static void model_agrees_on_regions_and_holes(void **state)
{
	(void)state;
	run(REGIONS);
}

static void model_agrees_when_each_byte_is_a_region(void **state)
{
	(void)state;
	run(SINGLE_BYTES);
}

static void model_agrees_behind_a_translation(void **state)
{
	(void)state;
	run(TRANSLATED);
}

/*
 * Makes one pass over a map of each variant, without random addresses. Ranges of many short lengths
 * begin at every address of the window.
 */
static void model_agrees_on_every_short_range(void **state)
{
	struct shadow w;

	(void)state;
	for (uint32_t variant = REGIONS; variant <= TRANSLATED; variant++) {
		setup(&w, (enum variant)variant, 2);
		for (uint64_t off = 0; off < WINDOW + 20; off++)
			for (uint64_t len = 0; len < 36; len += 1 + len / 6) {
				step_read(&w, w.in_base - 10 + off, len);
				step_check(&w, w.in_base - 10 + off, len);
				step_write(&w, w.in_base - 10 + off, len);
				expect_same(&w);
			}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(model_agrees_on_regions_and_holes),
		cmocka_unit_test(model_agrees_when_each_byte_is_a_region),
		cmocka_unit_test(model_agrees_behind_a_translation),
		cmocka_unit_test(model_agrees_on_every_short_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
