/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests accesses to a map without a translation: ranges over several regions, over holes, in
 * read-only memory, and at the ends of the address space.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <virtio/guest_memory.h>

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define READ VIRTIO_ACCESS_READ
#define WRITE VIRTIO_ACCESS_WRITE
#define TOP (UINT64_MAX - 0x3f) /* the last 0x40 bytes of the address space */

/*
 * The guest:
 *   0x0000..0x003f  writable, at the start of the address space
 *   0x1000..0x10ff  writable
 *   0x1100..0x117f  writable, adjacent to 0x1000..0x10ff, and lower on the host
 *   0x1180..0x11ff  a hole
 *   0x1200..0x127f  read-only
 *   0x1280..0x12ff  writable, adjacent to 0x1200..0x127f
 *   TOP..UINT64_MAX writable, at the end of the address space
 */
static const struct {
	uint64_t addr, len;
	uint32_t at; /* offset in host memory */
	uint32_t flags;
} layout[] = {
	{ 0, 0x40, 0x010, 0 },      { 0x1000, 0x100, 0x180, 0 },
	{ 0x1100, 0x80, 0x080, 0 }, { 0x1200, 0x80, 0x290, VIRTIO_REGION_READ_ONLY },
	{ 0x1280, 0x80, 0x331, 0 }, { TOP, 0x40, 0x3c0, 0 },
};

/*
 * The regions lie apart on the host. So an access one byte too far hits a byte outside guest
 * memory.
 */
struct fixture {
	uint8_t host[0x420];
	uint8_t want[0x420];
	struct virtio_region regions[COUNT(layout)];
	struct virtio_memory_map map;
	struct virtio_memory_cursor cursor;
};

static void setup(struct fixture *f)
{
	for (uint32_t i = 0; i < sizeof f->host; i++)
		f->host[i] = (uint8_t)(i * 7 + i / 256);
	memcpy(f->want, f->host, sizeof f->host);
	for (uint32_t i = 0; i < COUNT(layout); i++)
		f->regions[i] = (struct virtio_region){
			.addr = layout[i].addr,
			.len = layout[i].len,
			.host = f->host + layout[i].at,
			.flags = layout[i].flags,
		};
	assert_int_equal(virtio_memory_map_init(&f->map, f->regions, COUNT(layout)), 0);
	virtio_memory_cursor_init(&f->cursor, &f->map);
}

/* Returns the host offset of a guest byte, or UINT32_MAX if there is no such byte. */
static uint32_t place(uint64_t addr)
{
	for (uint32_t i = 0; i < COUNT(layout); i++)
		if (addr >= layout[i].addr && addr - layout[i].addr < layout[i].len)
			return layout[i].at + (uint32_t)(addr - layout[i].addr);
	return UINT32_MAX;
}

static void expect_nothing_else_changed(const struct fixture *f)
{
	assert_memory_equal(f->host, f->want, sizeof f->host);
}

/*
 * Reads a range, and compares it with the bytes on the host. The bytes after the destination must
 * not change.
 */
static void expect_read(struct fixture *f, uint64_t addr, size_t len)
{
	uint8_t got[0x400], want[0x400];

	assert_true(len < sizeof got);
	memset(got, 0xee, sizeof got);
	memset(want, 0xee, sizeof want);
	for (size_t i = 0; i < len; i++)
		want[i] = f->host[place(addr + i)];
	assert_int_equal(virtio_memory_read(&f->cursor, addr, got, len), 0);
	assert_memory_equal(got, want, sizeof got);
	expect_nothing_else_changed(f);
}

static void expect_write(struct fixture *f, uint64_t addr, size_t len)
{
	uint8_t bytes[0x400];

	assert_true(len < sizeof bytes);
	for (size_t i = 0; i < len; i++) {
		bytes[i] = (uint8_t)~f->host[place(addr + i)];
		f->want[place(addr + i)] = bytes[i];
	}
	assert_int_equal(virtio_memory_write(&f->cursor, addr, bytes, len), 0);
	expect_nothing_else_changed(f);
}

/* Failures */

/* A range that cannot be written, and the error of a read and of a write; 0 for no error. */
struct bad_range {
	uint64_t addr, len;
	int read, write;
};

static const struct bad_range bad_ranges[] = {
	/* Hostile 31: the range wraps. Its first byte is in memory, and so is address 0. */
	{ TOP, 0x41, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ TOP + 0x3f, 2, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ TOP + 0x10, 0x50, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ TOP, UINT64_MAX, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ UINT64_MAX, UINT64_MAX, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0x1000, UINT64_MAX, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0x1000, UINT64_MAX - 0xfff + 1, VIRTIO_EFAULT, VIRTIO_EFAULT },
	/* The range ends with the address space, does not wrap, and crosses holes. */
	{ 1, UINT64_MAX, VIRTIO_EFAULT, VIRTIO_EFAULT },
	/* A range that wraps is refused, whatever the memory of its first byte permits. */
	{ 0x1200, UINT64_MAX, VIRTIO_EFAULT, VIRTIO_EFAULT },
	/* Hostile 33: the range ends far beyond the region of its first byte. */
	{ 0x1000, UINT32_MAX, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0, UINT64_MAX, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0, UINT64_C(1) << 63, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0x10, UINT64_C(1) << 32, VIRTIO_EFAULT, VIRTIO_EFAULT },
	/*
	 * Hostile 34: the range crosses a hole, ends in a hole, begins in a hole, or lies in a
	 * hole.
	 */
	{ 0x1170, 0xa0, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0x1000, 0x300, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0x117f, 2, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0x1000, 0x181, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0x1180, 1, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0x1190, 0x10, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0x11ff, 1, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0x11ff, 2, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0x0fff, 1, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0x0fff, 2, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0x0030, 0x11, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0x12ff, 2, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0x1300, 1, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ TOP - 1, 1, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ TOP - 1, 0x41, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ UINT64_C(1) << 63, 16, VIRTIO_EFAULT, VIRTIO_EFAULT },
	/* The range lies or begins in the read-only region. A read works. */
	{ 0x1200, 1, 0, VIRTIO_EPERM },
	{ 0x1200, 0x80, 0, VIRTIO_EPERM },
	{ 0x127f, 1, 0, VIRTIO_EPERM },
	{ 0x127f, 2, 0, VIRTIO_EPERM },
	{ 0x1200, 0x100, 0, VIRTIO_EPERM },
	/*
	 * The range leads from read-only memory into a hole. The error is the error of its first
	 * bad byte.
	 */
	{ 0x1270, 0x100, VIRTIO_EFAULT, VIRTIO_EPERM },
};

static void read_fails(struct fixture *f, const struct bad_range *bad)
{
	uint8_t dst[64], untouched[64];
	struct virtio_segment s, same, list[8];

	memset(dst, 0xee, sizeof dst);
	memset(untouched, 0xee, sizeof untouched);
	memset(&s, 0xee, sizeof s);
	memcpy(&same, &s, sizeof s);
	/*
	 * The destination may be smaller than the bad range, because a failed read writes no byte.
	 */
	if (bad->len <= SIZE_MAX)
		assert_int_equal(virtio_memory_read(&f->cursor, bad->addr, dst, (size_t)bad->len), bad->read);
	assert_memory_equal(dst, untouched, sizeof dst);
	assert_int_equal(virtio_memory_check(&f->cursor, bad->addr, bad->len, READ), bad->read);
	assert_null(virtio_memory_find(&f->cursor, bad->addr, bad->len, READ));
	assert_int_equal(virtio_memory_segments(&f->cursor, bad->addr, bad->len, READ, list, COUNT(list)), bad->read);
	if (place(bad->addr) == UINT32_MAX) {
		assert_int_equal(virtio_memory_segment(&f->cursor, bad->addr, bad->len, READ, &s), bad->read);
		assert_memory_equal(&s, &same, sizeof s);
	}
}

static void write_fails(struct fixture *f, const struct bad_range *bad, uint32_t access)
{
	const uint8_t src[64] = { 0 };
	struct virtio_segment s, same, list[8];

	memset(&s, 0xee, sizeof s);
	memcpy(&same, &s, sizeof s);
	if (bad->len <= SIZE_MAX)
		assert_int_equal(virtio_memory_write(&f->cursor, bad->addr, src, (size_t)bad->len), bad->write);
	assert_int_equal(virtio_memory_check(&f->cursor, bad->addr, bad->len, access), bad->write);
	assert_null(virtio_memory_find(&f->cursor, bad->addr, bad->len, access));
	assert_int_equal(virtio_memory_segments(&f->cursor, bad->addr, bad->len, access, list, COUNT(list)),
			 bad->write);
	if (place(bad->addr) == UINT32_MAX || (bad->addr & ~UINT64_C(0x7f)) == 0x1200) {
		const int error = place(bad->addr) == UINT32_MAX ? VIRTIO_EFAULT : VIRTIO_EPERM;

		assert_int_equal(virtio_memory_segment(&f->cursor, bad->addr, bad->len, access, &s), error);
		assert_memory_equal(&s, &same, sizeof s);
	}
}

/* Hostile 31 to 34: each bad range is tried with a fresh cursor, and with each region cached. */
static void memory_access_to_bad_range_changes_nothing(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint32_t i = 0; i < COUNT(bad_ranges); i++)
		for (uint32_t warm = 0; warm <= COUNT(layout); warm++) {
			virtio_memory_cursor_init(&f.cursor, &f.map);
			if (warm < COUNT(layout))
				expect_read(&f, layout[warm].addr, 4);
			if (bad_ranges[i].read) {
				read_fails(&f, &bad_ranges[i]);
				/* The cursor still works after the failed access. */
				expect_read(&f, 0x10f0, 0x20);
			}
			virtio_memory_cursor_init(&f.cursor, &f.map);
			if (warm < COUNT(layout))
				expect_read(&f, layout[warm].addr, 4);
			write_fails(&f, &bad_ranges[i], WRITE);
			write_fails(&f, &bad_ranges[i], READ | WRITE);
			expect_nothing_else_changed(&f);
			expect_read(&f, layout[i % COUNT(layout)].addr, 0x20);
		}
	expect_write(&f, 0x10f0, 0x20);
}

/* Hostile 34: two regions of 100 bytes have a hole of one byte between them. */
static void memory_access_over_hole_of_one_byte_changes_nothing(void **state)
{
	uint8_t host[201], before[201], dst[201];
	struct virtio_region regions[2] = {
		{ .addr = 0x1000, .len = 100, .host = host },
		/* The hole has host memory too, but every access to the hole must fail. */
		{ .addr = 0x1065, .len = 100, .host = host + 101 },
	};
	struct virtio_memory_map map;
	struct virtio_memory_cursor cursor;

	(void)state;
	memset(host, 0x11, sizeof host);
	memset(dst, 0xee, sizeof dst);
	memcpy(before, host, sizeof host);
	assert_int_equal(virtio_memory_map_init(&map, regions, 2), 0);
	virtio_memory_cursor_init(&cursor, &map);
	for (uint32_t start = 0; start <= 100; start++)
		for (uint32_t end = 101; end <= 201; end += 10) {
			assert_int_equal(virtio_memory_write(&cursor, 0x1000 + start, dst, end - start), VIRTIO_EFAULT);
			assert_int_equal(virtio_memory_read(&cursor, 0x1000 + start, dst, end - start), VIRTIO_EFAULT);
		}
	assert_memory_equal(host, before, sizeof host);
	for (uint32_t i = 0; i < sizeof dst; i++)
		assert_int_equal(dst[i], 0xee);
}

/*
 * Hostile 34: a write meets read-only memory, from either side or in the middle. A write that fails
 * has changed no byte.
 */
static void memory_write_into_read_only_region_changes_nothing(void **state)
{
	uint8_t host[30], before[30], src[30], dst[30];
	struct virtio_region regions[3] = {
		{ .addr = 0x1000, .len = 10, .host = host },
		{ .addr = 0x100a, .len = 10, .host = host + 10, .flags = VIRTIO_REGION_READ_ONLY },
		{ .addr = 0x1014, .len = 10, .host = host + 20 },
	};
	struct virtio_memory_map map;
	struct virtio_memory_cursor cursor;

	(void)state;
	memset(host, 0x11, sizeof host);
	memset(src, 0xee, sizeof src);
	memcpy(before, host, sizeof host);
	assert_int_equal(virtio_memory_map_init(&map, regions, 3), 0);
	virtio_memory_cursor_init(&cursor, &map);
	for (uint32_t start = 0; start < 30; start++)
		for (uint32_t end = start + 1; end <= 30; end++) {
			const bool legal = end <= 10 || start >= 20;

			/* The read caches a region. The write below must fail all the same. */
			assert_int_equal(virtio_memory_read(&cursor, 0x1000 + start, dst, end - start), 0);
			if (legal)
				continue;
			assert_int_equal(virtio_memory_write(&cursor, 0x1000 + start, src, end - start), VIRTIO_EPERM);
			assert_memory_equal(host, before, sizeof host);
			assert_null(virtio_memory_find(&cursor, 0x1000 + start, end - start, WRITE));
		}
}

/* Hostile 37: an access of length 0 succeeds at any address. */
static void memory_access_of_length_zero_succeeds_anywhere(void **state)
{
	const uint64_t addrs[] = { 0, 0x40, 0x1000, 0x1180, 0x1200, 0x1300, UINT64_C(1) << 63, TOP, UINT64_MAX };
	struct virtio_segment s, same;
	struct fixture f;
	uint8_t byte = 0xee;
	volatile size_t none = 0; /* a length that the compiler does not know */

	(void)state;
	setup(&f);
	memset(&s, 0xee, sizeof s);
	memcpy(&same, &s, sizeof s);
	for (uint32_t warm = 0; warm <= COUNT(layout); warm++)
		for (uint32_t i = 0; i < COUNT(addrs); i++) {
			virtio_memory_cursor_init(&f.cursor, &f.map);
			if (warm < COUNT(layout))
				expect_read(&f, layout[warm].addr, 4);
			assert_int_equal(virtio_memory_read(&f.cursor, addrs[i], &byte, 0), 0);
			assert_int_equal(virtio_memory_write(&f.cursor, addrs[i], &byte, 0), 0);
			assert_int_equal(virtio_memory_read(&f.cursor, addrs[i], &byte, none), 0);
			assert_int_equal(virtio_memory_write(&f.cursor, addrs[i], &byte, none), 0);
			assert_int_equal(virtio_memory_check(&f.cursor, addrs[i], 0, READ | WRITE), 0);
			assert_int_equal(virtio_memory_segments(&f.cursor, addrs[i], 0, READ | WRITE, &s, 1), 0);
			assert_int_equal(virtio_memory_segments(&f.cursor, addrs[i], 0, READ | WRITE, NULL, 0), 0);
			/* A range of length 0 has no segment. */
			assert_int_equal(virtio_memory_segment(&f.cursor, addrs[i], 0, READ, &s), VIRTIO_EINVAL);
			assert_memory_equal(&s, &same, sizeof s);
			assert_int_equal(byte, 0xee);
			expect_nothing_else_changed(&f);
		}
}

/*
 * If the array lacks one entry, virtio_memory_segments() returns VIRTIO_ENOBUFS and writes nothing
 * past the end of the array.
 */
static void memory_segments_fail_when_the_array_is_too_small(void **state)
{
	struct virtio_segment list[4], same[4];
	struct fixture f;

	(void)state;
	setup(&f);
	memset(same, 0xee, sizeof same);
	memset(list, 0xee, sizeof list);
	assert_int_equal(virtio_memory_segments(&f.cursor, 0x1000, 1, READ, list, 0), VIRTIO_ENOBUFS);
	assert_int_equal(virtio_memory_segments(&f.cursor, 0x1000, 1, READ, NULL, 0), VIRTIO_ENOBUFS);
	assert_memory_equal(list, same, sizeof list);
	assert_int_equal(virtio_memory_segments(&f.cursor, 0x10ff, 2, READ, list, 1), VIRTIO_ENOBUFS);
	assert_memory_equal(list + 1, same + 1, sizeof list - sizeof list[0]);
	assert_int_equal(virtio_memory_segments(&f.cursor, 0x10ff, 2, READ, list, 2), 2);
	assert_memory_equal(list + 2, same + 2, sizeof list - 2 * sizeof list[0]);
	/* A capacity above INT_MAX is accepted. */
	assert_int_equal(virtio_memory_segments(&f.cursor, 0x10ff, 2, READ, list, UINT32_MAX), 2);
	expect_nothing_else_changed(&f);
}

/* Successes */

/* Hostile 35: every range inside two adjacent regions is accepted, whichever region is cached. */
static void memory_access_crosses_adjacent_regions(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint64_t start = 0x10d0; start < 0x1100; start++)
		for (size_t len = 1; len <= 0x1180 - start; len += len < 50 ? 1 : 13) {
			expect_read(&f, start, len);
			expect_write(&f, start, len);
			expect_read(&f, start + len - 1, 1);
			expect_write(&f, start, len);
		}
	/* A read may cross from read-only memory into adjacent writable memory. */
	expect_read(&f, 0x1200, 0x100);
	expect_read(&f, 0x127f, 2);
	expect_write(&f, 0x1280, 0x80);
}

/* Hostile 36: a range ends with the last byte of a region. Every length is tried. */
static void memory_access_ends_at_the_last_byte(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint32_t i = 0; i < COUNT(layout); i++)
		for (size_t len = 1; len <= layout[i].len; len++) {
			const uint64_t addr = layout[i].addr + (layout[i].len - len);

			virtio_memory_cursor_init(&f.cursor, &f.map);
			expect_read(&f, addr, len);
			expect_read(&f, addr, len);
			assert_ptr_equal(virtio_memory_find(&f.cursor, addr, len, READ), f.host + place(addr));
			if (layout[i].flags)
				continue;
			virtio_memory_cursor_init(&f.cursor, &f.map);
			expect_write(&f, addr, len);
			expect_write(&f, addr, len);
			assert_ptr_equal(virtio_memory_find(&f.cursor, addr, len, READ | WRITE), f.host + place(addr));
		}
}

/*
 * A region ends with the address space. While this region is cached, it must not serve address 0.
 */
static void memory_access_at_both_ends_of_the_address_space(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	expect_write(&f, UINT64_MAX, 1);
	expect_write(&f, TOP, 0x40);
	expect_write(&f, 0, 1);
	expect_read(&f, 0, 0x40);
	expect_read(&f, UINT64_MAX, 1);
	assert_int_equal(virtio_memory_check(&f.cursor, UINT64_MAX, 2, READ), VIRTIO_EFAULT);
	expect_read(&f, 0, 1);
	assert_int_equal(virtio_memory_check(&f.cursor, UINT64_MAX, 1, READ), 0);
}

static void memory_find_needs_one_region(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	assert_null(virtio_memory_find(&f.cursor, 0x10ff, 2, READ));
	assert_null(virtio_memory_find(&f.cursor, 0x1000, 0x180, READ));
	assert_null(virtio_memory_find(&f.cursor, 0x1200, 0x100, READ));
	assert_null(virtio_memory_find(&f.cursor, 0x1200, 0x80, WRITE));
	assert_null(virtio_memory_find(&f.cursor, 0x1200, 0x80, READ | WRITE));
	assert_ptr_equal(virtio_memory_find(&f.cursor, 0x1200, 0x80, READ), f.host + place(0x1200));
	assert_null(virtio_memory_find(&f.cursor, 0x1200, 0x80, WRITE));
	assert_ptr_equal(virtio_memory_find(&f.cursor, 0x10ff, 1, WRITE), f.host + place(0x10ff));
	assert_ptr_equal(virtio_memory_find(&f.cursor, 0x1100, 1, WRITE), f.host + place(0x1100));
	expect_nothing_else_changed(&f);
}

/*
 * The segment is the part of the range in the first region. The rest of the range may be bad, or
 * wrap.
 */
static void memory_segment_gives_the_first_piece(void **state)
{
	static const struct {
		uint64_t addr, len, piece;
	} cases[] = {
		{ 0x1000, 1, 1 },
		{ 0x1000, 0x100, 0x100 },
		{ 0x1000, 0x101, 0x100 },
		{ 0x10f0, 0x1000, 0x10 },
		{ 0x1100, 0x80, 0x80 },
		{ 0x1170, 0xa0, 0x10 },
		{ 0x117f, UINT64_MAX, 1 },
		{ TOP + 0x30, 0x1000, 0x10 },
		{ UINT64_MAX, UINT64_MAX, 1 },
		{ 0x1280, UINT64_MAX, 0x80 },
		{ 0, UINT64_MAX, 0x40 },
	};
	struct virtio_segment s;
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint32_t access = 0; access <= (READ | WRITE); access++)
		for (uint32_t i = 0; i < COUNT(cases); i++) {
			assert_int_equal(virtio_memory_segment(&f.cursor, cases[i].addr, cases[i].len, access, &s), 0);
			assert_true(s.addr == cases[i].addr);
			assert_true(s.len == cases[i].piece);
			assert_ptr_equal(s.host, f.host + place(cases[i].addr));
			assert_true(s.addr >= s.region->addr && s.addr - s.region->addr < s.region->len);
		}
	expect_nothing_else_changed(&f);
}

/* Hostile 35: the segments cover the whole range in order. Each segment lies in one region. */
static void memory_segments_cover_the_range(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint64_t start = 0x1200; start < 0x1300; start += 5)
		for (uint64_t len = 1; len <= 0x1300 - start; len += 3) {
			const int expected = start < 0x1280 && start + len > 0x1280 ? 2 : 1;
			struct virtio_segment list[3];
			uint64_t at = start;

			assert_int_equal(virtio_memory_segments(&f.cursor, start, len, READ, list, (uint32_t)expected),
					 expected);
			for (int i = 0; i < expected; i++) {
				assert_true(list[i].addr == at);
				assert_ptr_equal(list[i].host, f.host + place(at));
				assert_ptr_equal(list[i].region, &f.regions[at < 0x1280 ? 3 : 4]);
				at += list[i].len;
			}
			assert_true(at == start + len);
			assert_true(virtio_segments_bytes(list, (uint32_t)expected) == len);
		}
	expect_nothing_else_changed(&f);
}

/* Accesses each region directly after each of the other regions. */
static void memory_cursor_goes_from_any_region_to_any_other(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint32_t i = 0; i < COUNT(layout) * COUNT(layout); i++) {
		const uint32_t from = i / COUNT(layout), to = i % COUNT(layout);

		expect_read(&f, layout[from].addr + 3, 8);
		expect_read(&f, layout[to].addr + 5, 8);
		expect_read(&f, layout[from].addr, layout[from].len);
		if (layout[to].flags == 0)
			expect_write(&f, layout[to].addr, layout[to].len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_access_to_bad_range_changes_nothing),
		cmocka_unit_test(memory_access_over_hole_of_one_byte_changes_nothing),
		cmocka_unit_test(memory_write_into_read_only_region_changes_nothing),
		cmocka_unit_test(memory_access_of_length_zero_succeeds_anywhere),
		cmocka_unit_test(memory_segments_fail_when_the_array_is_too_small),
		cmocka_unit_test(memory_access_crosses_adjacent_regions),
		cmocka_unit_test(memory_access_ends_at_the_last_byte),
		cmocka_unit_test(memory_access_at_both_ends_of_the_address_space),
		cmocka_unit_test(memory_find_needs_one_region),
		cmocka_unit_test(memory_segment_gives_the_first_piece),
		cmocka_unit_test(memory_segments_cover_the_range),
		cmocka_unit_test(memory_cursor_goes_from_any_region_to_any_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
