/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests dirty logs of regions. Each kind of write sets exactly the bits of the written pages. A
 * failed access or a read sets no bit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <virtio/reader.h>

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define READ VIRTIO_ACCESS_READ
#define WRITE VIRTIO_ACCESS_WRITE
#define WORD ((uint32_t)sizeof(unsigned long))

/*
 * The guest has regions of 0x100 bytes:
 *   0x1000  log A: pages of 16 bytes, unit of one byte
 *   0x1100  log B: pages of 8 bytes, unit of a word; adjacent to 0x1000
 *   0x1200  no log; adjacent to 0x1100
 *   0x1300  log A, read-only; adjacent to 0x1200
 *   0x2000  log A, inside its range
 *   0x3000  log A, beyond its range
 */
#define LOG_A_BYTES 40u /* 0x1000 to 0x23ff */
#define LOG_B_BYTES 8u  /* 0x1140 to 0x133f: leaves out the start of region 0x1100 */
#define LOG_B_BASE 0x1140u

struct fixture {
	uint8_t host[6][0x110];
	_Alignas(8) uint8_t log_a[LOG_A_BYTES + 16];
	_Alignas(8) uint8_t log_b[LOG_B_BYTES + 16];
	uint8_t want_a[LOG_A_BYTES + 16];
	uint8_t want_b[LOG_B_BYTES + 16];
	struct virtio_dirty_log a, b;
	struct virtio_region regions[6];
	struct virtio_memory_map map;
	struct virtio_memory_cursor cursor;
};

static const uint64_t addrs[6] = { 0x1000, 0x1100, 0x1200, 0x1300, 0x2000, 0x3000 };

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof *f);
	f->a = (struct virtio_dirty_log){ f->log_a + 8, LOG_A_BYTES, 0x1000, 4, 1 };
	f->b = (struct virtio_dirty_log){ f->log_b + 8, LOG_B_BYTES, LOG_B_BASE, 3, (uint8_t)WORD };
	for (uint32_t i = 0; i < 6; i++) {
		f->regions[i].addr = addrs[i];
		f->regions[i].len = 0x100;
		f->regions[i].host = f->host[i] + 8;
		f->regions[i].dirty = i == 1 ? &f->b : i == 2 ? NULL : &f->a;
	}
	f->regions[3].flags = VIRTIO_REGION_READ_ONLY;
	assert_int_equal(virtio_memory_map_init(&f->map, f->regions, 6), 0);
	virtio_memory_cursor_init(&f->cursor, &f->map);
}

/* The oracle: records that one byte of the guest was written. */
static void wrote_byte(struct fixture *f, uint64_t addr)
{
	if (addr >= 0x1100 && addr < 0x1200) {
		const uint64_t page = (addr - LOG_B_BASE) / 8;
		unsigned long word;

		if (addr < LOG_B_BASE || page >= LOG_B_BYTES * 8)
			return;
		memcpy(&word, f->want_b + 8 + page / (8 * WORD) * WORD, WORD);
		word |= 1ul << page % (8 * WORD);
		memcpy(f->want_b + 8 + page / (8 * WORD) * WORD, &word, WORD);
	} else if (addr < 0x1200 || addr >= 0x1300) {
		const uint64_t page = (addr - 0x1000) / 16;

		if (page < LOG_A_BYTES * 8)
			f->want_a[8 + page / 8] = (uint8_t)(f->want_a[8 + page / 8] | 1u << page % 8);
	}
}

static void wrote(struct fixture *f, uint64_t addr, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		wrote_byte(f, addr + i);
}

static void expect_logs(const struct fixture *f)
{
	assert_memory_equal(f->log_a, f->want_a, sizeof f->log_a);
	assert_memory_equal(f->log_b, f->want_b, sizeof f->log_b);
}

static void clear(struct fixture *f)
{
	memset(f->log_a, 0, sizeof f->log_a);
	memset(f->log_b, 0, sizeof f->log_b);
	memset(f->want_a, 0, sizeof f->want_a);
	memset(f->want_b, 0, sizeof f->want_b);
}

/* Failures, and accesses that do not write */

static void dirty_failed_writes_record_nothing(void **state)
{
	static const struct {
		uint64_t addr, len;
		int error;
	} bad[] = {
		{ 0x1300, 1, VIRTIO_EPERM },          { 0x12f0, 0x20, VIRTIO_EPERM },
		{ 0x1000, 0x301, VIRTIO_EPERM },      { 0x20f0, 0x20, VIRTIO_EFAULT },
		{ 0x1010, UINT32_MAX, VIRTIO_EPERM }, { 0x2000, UINT32_MAX, VIRTIO_EFAULT },
		{ 0x1400, 1, VIRTIO_EFAULT },         { 0x0fff, 2, VIRTIO_EFAULT },
		{ 0x1000, SIZE_MAX, VIRTIO_EFAULT },
	};
	const uint8_t src[8] = { 0 };
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint32_t i = 0; i < COUNT(bad); i++) {
		/*
		 * On a 32-bit host SIZE_MAX does not make the range wrap. Such a range fails at the
		 * read-only region instead.
		 */
		if (bad[i].len == SIZE_MAX && SIZE_MAX < UINT64_MAX)
			continue;
		assert_int_equal(virtio_memory_write(&f.cursor, bad[i].addr, src, (size_t)bad[i].len), bad[i].error);
		expect_logs(&f);
	}
	assert_int_equal(virtio_memory_store_le16(&f.cursor, 0x1001, VIRTIO_RELEASE, 1), VIRTIO_EALIGN);
	assert_int_equal(virtio_memory_store_le16(&f.cursor, 0x1300, VIRTIO_RELEASE, 1), VIRTIO_EPERM);
	assert_int_equal(virtio_memory_store_le32(&f.cursor, 0x1002, VIRTIO_RELEASE, 1), VIRTIO_EALIGN);
	assert_int_equal(virtio_memory_store_le32(&f.cursor, 0x1400, VIRTIO_RELEASE, 1), VIRTIO_EFAULT);
	expect_logs(&f);
}

/* Hostile 48: a write of length 0 sets no bit. */
static void dirty_writes_of_length_zero_record_nothing(void **state)
{
	struct fixture f;
	volatile size_t none = 0; /* a length that the compiler does not know */

	(void)state;
	setup(&f);
	for (uint32_t i = 0; i < 6; i++) {
		assert_int_equal(virtio_memory_write(&f.cursor, addrs[i], &f, 0), 0);
		assert_int_equal(virtio_memory_check(&f.cursor, addrs[i], 1, READ), 0);
		assert_int_equal(virtio_memory_write(&f.cursor, addrs[i], &f, none), 0);
		virtio_region_mark_dirty(&f.regions[i], f.regions[i].host, 0);
	}
	expect_logs(&f);
}

static void dirty_nothing_but_writing_is_recorded(void **state)
{
	struct virtio_segment list[4];
	struct fixture f;
	uint8_t bytes[0x100];
	uint16_t v16;
	uint32_t v32;

	(void)state;
	setup(&f);
	assert_int_equal(virtio_memory_read(&f.cursor, 0x1080, bytes, sizeof bytes), 0);
	assert_int_equal(virtio_memory_read(&f.cursor, 0x1100, bytes, 8), 0);
	assert_int_equal(virtio_memory_check(&f.cursor, 0x1000, 0x300, READ | WRITE), 0);
	assert_non_null(virtio_memory_find(&f.cursor, 0x1100, 0x100, READ | WRITE));
	assert_int_equal(virtio_memory_segments(&f.cursor, 0x1000, 0x300, WRITE, list, 4), 3);
	assert_int_equal(virtio_memory_load_le16(&f.cursor, 0x1000, VIRTIO_ACQUIRE, &v16), 0);
	assert_int_equal(virtio_memory_load_le32(&f.cursor, 0x1000, VIRTIO_ACQUIRE, &v32), 0);
	virtio_segments_mark_dirty(list, 3, 0);
	virtio_segments_mark_dirty(list, 0, UINT64_MAX);
	virtio_region_mark_dirty(&f.regions[2], f.regions[2].host, 0x100);
	expect_logs(&f);
}

/* Writes */

/* Makes writes of many lengths at many addresses, with a fresh cursor and with a region cached. */
static void dirty_write_records_exactly_its_pages(void **state)
{
	static const uint8_t src[0x300] = { 1 };
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint64_t start = 0x1000; start < 0x1300; start += 3)
		for (size_t len = 1; len <= 0x1300 - start; len += 1 + len / 4) {
			clear(&f);
			virtio_memory_cursor_init(&f.cursor, &f.map);
			wrote(&f, start, len);
			assert_int_equal(virtio_memory_write(&f.cursor, start, src, len), 0);
			expect_logs(&f);
			clear(&f);
			assert_int_equal(virtio_memory_check(&f.cursor, start, 1, READ | WRITE), 0);
			wrote(&f, start, len);
			assert_int_equal(virtio_memory_write(&f.cursor, start, src, len), 0);
			expect_logs(&f);
		}
}

/* Writes of constant size have a fast path. These writes must be recorded, too. */
static void dirty_write_of_constant_size_is_recorded(void **state)
{
	static const uint8_t src[64] = { 1 };
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint32_t i = 0; i < 6; i++)
		for (uint64_t at = addrs[i]; i != 3 && at < addrs[i] + 0xc0; at++) {
			clear(&f);
			wrote(&f, at, 1);
			assert_int_equal(virtio_memory_write(&f.cursor, at, src, 1), 0);
			expect_logs(&f);
			clear(&f);
			wrote(&f, at, 16);
			assert_int_equal(virtio_memory_write(&f.cursor, at, src, 16), 0);
			expect_logs(&f);
			clear(&f);
			wrote(&f, at, 64);
			assert_int_equal(virtio_memory_write(&f.cursor, at, src, 64), 0);
			expect_logs(&f);
		}
}

static void dirty_store_of_field_is_recorded(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint32_t i = 0; i < 6; i++)
		for (uint64_t at = addrs[i]; i != 3 && at < addrs[i] + 0x100; at += 4) {
			clear(&f);
			wrote(&f, at, 2);
			assert_int_equal(virtio_memory_store_le16(&f.cursor, at, VIRTIO_RELAXED, 1), 0);
			expect_logs(&f);
			clear(&f);
			wrote(&f, at + 2, 2);
			assert_int_equal(virtio_memory_store_le16(&f.cursor, at + 2, VIRTIO_RELEASE, 1), 0);
			expect_logs(&f);
			clear(&f);
			wrote(&f, at, 4);
			assert_int_equal(virtio_memory_store_le32(&f.cursor, at, VIRTIO_RELEASE, 1), 0);
			expect_logs(&f);
		}
}

/*
 * Zero-copy I/O wrote some bytes, from the start of the first segment on. Exactly these bytes are
 * recorded.
 */
static void dirty_segments_are_recorded_as_far_as_written(void **state)
{
	struct virtio_segment list[4];
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint64_t start = 0x10e3; start < 0x1110; start += 11) {
		const uint64_t all = 0x1223 - start;
		const int count = virtio_memory_segments(&f.cursor, start, all, WRITE, list, 4);

		assert_in_range(count, 2, 3);
		for (uint64_t bytes = 0; bytes <= all + 20; bytes++) {
			clear(&f);
			wrote(&f, start, bytes < all ? bytes : all);
			virtio_segments_mark_dirty(list, (uint32_t)count, bytes);
			expect_logs(&f);
		}
		clear(&f);
		wrote(&f, start, all);
		virtio_segments_mark_dirty(list, (uint32_t)count, UINT64_MAX);
		expect_logs(&f);
		/* Only the segments that the caller's count includes are marked. */
		clear(&f);
		wrote(&f, start, list[0].len);
		virtio_segments_mark_dirty(list, 1, UINT64_MAX);
		expect_logs(&f);
	}
}

static void dirty_region_is_recorded_behind_host_pointers(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint32_t i = 0; i < 6; i++)
		for (uint64_t off = 0; i != 3 && off < 0x100; off += 5)
			for (uint64_t len = 0; len <= 0x100 - off; len += 7) {
				clear(&f);
				wrote(&f, addrs[i] + off, len);
				virtio_region_mark_dirty(&f.regions[i], f.host[i] + 8 + off, len);
				expect_logs(&f);
			}
}

/*
 * Makes a chain: a readable buffer, whose pages must stay clean, and a writable buffer over three
 * regions.
 */
static void make_chain(struct fixture *f, struct virtio_chain_segments *chain, struct virtio_segment list[4])
{
	memset(chain, 0, sizeof *chain);
	assert_int_equal(virtio_memory_segments(&f->cursor, 0x2000, 0x80, READ, list, 1), 1);
	assert_int_equal(virtio_memory_segments(&f->cursor, 0x10f5, 0x112, WRITE, list + 1, 3), 3);
	chain->segments = list;
	chain->capacity = 4;
	chain->readable = 1;
	chain->writable = 3;
	chain->readable_bytes = 0x80;
	chain->writable_bytes = 0x112;
}

static void dirty_writer_records_what_it_writes(void **state)
{
	static const uint8_t src[0x200] = { 1 };
	struct virtio_segment list[4];
	struct virtio_chain_segments chain;
	struct fixture f;

	(void)state;
	setup(&f);
	make_chain(&f, &chain, list);
	for (size_t len = 1; len < 0x112; len += 3) {
		struct virtio_writer by_write, by_exact, by_advance;

		virtio_writer_init(&by_write, &chain);
		by_exact = by_advance = by_write;
		for (uint64_t at = 0x10f5; at < 0x10f5 + 0x112; at += len) {
			const uint64_t left = 0x10f5 + 0x112 - at, n = left < len ? left : len;

			clear(&f);
			wrote(&f, at, n);
			assert_int_equal(virtio_writer_write(&by_write, src, len), n);
			expect_logs(&f);
			clear(&f);
			/*
			 * These calls fail or have length 0. No byte is written, so no page is
			 * recorded.
			 */
			assert_int_equal(virtio_writer_write_exact(&by_exact, src, (size_t)left + 1), VIRTIO_ESHORT);
			assert_int_equal(virtio_writer_advance(&by_advance, left + 1), VIRTIO_ESHORT);
			assert_int_equal(virtio_writer_advance(&by_advance, UINT64_MAX), VIRTIO_ESHORT);
			assert_int_equal(virtio_writer_write(&by_write, src, 0), 0);
			assert_int_equal(virtio_writer_advance(&by_advance, 0), 0);
			expect_logs(&f);
			wrote(&f, at, n);
			assert_int_equal(virtio_writer_write_exact(&by_exact, src, (size_t)n), 0);
			expect_logs(&f);
			clear(&f);
			wrote(&f, at, n);
			assert_int_equal(virtio_writer_advance(&by_advance, n), 0);
			expect_logs(&f);
		}
	}
}

static void dirty_writer_records_nothing_without_a_write(void **state)
{
	struct virtio_segment list[4];
	struct virtio_chain_segments chain;
	struct virtio_writer writer, rest;
	struct virtio_reader reader;
	struct virtio_iovec iov[4];
	struct fixture f;
	uint8_t dst[0x80];
	uint64_t filled;

	(void)state;
	setup(&f);
	make_chain(&f, &chain, list);
	virtio_writer_init(&writer, &chain);
	virtio_reader_init(&reader, &chain);
	assert_int_equal(virtio_reader_read(&reader, dst, sizeof dst), sizeof dst);
	assert_int_equal(virtio_writer_iovec(&writer, UINT64_MAX, iov, 4, &filled), 3);
	assert_int_equal(virtio_writer_split(&writer, 0x50, &rest), 0);
	expect_logs(&f);
	/* The second part of a split records its own pages. */
	wrote(&f, 0x10f5 + 0x50, 0x20);
	assert_int_equal(virtio_writer_advance(&rest, 0x20), 0);
	expect_logs(&f);
}

/* Translation */

/* Subtracts 0x6000 from an input address. A result covers at most 0x40 bytes. */
static int translate(void *context, uint64_t addr, uint64_t len, uint32_t access, struct virtio_translation *out)
{
	(void)context, (void)len, (void)access;
	out->addr = addr - 0x6000;
	out->len = 0x40 - addr % 0x40;
	out->access = READ | WRITE;
	return 0;
}

/* A log has pages of guest-physical addresses, and not of the driver's input addresses. */
static void dirty_log_is_of_addresses_after_translation(void **state)
{
	static const uint8_t src[0x100] = { 1 };
	struct virtio_segment list[8];
	struct fixture f;
	int count;

	(void)state;
	setup(&f);
	virtio_memory_map_set_translation(&f.map, translate, NULL);
	virtio_memory_cursor_init(&f.cursor, &f.map);
	for (uint64_t start = 0x1000; start < 0x1200; start += 5) {
		clear(&f);
		wrote(&f, start, sizeof src);
		assert_int_equal(virtio_memory_write(&f.cursor, start + 0x6000, src, sizeof src), 0);
		expect_logs(&f);
		clear(&f);
		wrote(&f, start, 3);
		assert_int_equal(virtio_memory_write(&f.cursor, start + 0x6000, src, 3), 0);
		expect_logs(&f);
		clear(&f);
		wrote(&f, start & ~UINT64_C(1), 2);
		assert_int_equal(
			virtio_memory_store_le16(&f.cursor, (start & ~UINT64_C(1)) + 0x6000, VIRTIO_RELEASE, 7), 0);
		expect_logs(&f);
		clear(&f);
		wrote(&f, start, 0x90);
		count = virtio_memory_segments(&f.cursor, start + 0x6000, 0xa0, WRITE, list, 8);
		assert_in_range(count, 3, 8);
		virtio_segments_mark_dirty(list, (uint32_t)count, 0x90);
		expect_logs(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dirty_failed_writes_record_nothing),
		cmocka_unit_test(dirty_writes_of_length_zero_record_nothing),
		cmocka_unit_test(dirty_nothing_but_writing_is_recorded),
		cmocka_unit_test(dirty_write_records_exactly_its_pages),
		cmocka_unit_test(dirty_write_of_constant_size_is_recorded),
		cmocka_unit_test(dirty_store_of_field_is_recorded),
		cmocka_unit_test(dirty_segments_are_recorded_as_far_as_written),
		cmocka_unit_test(dirty_region_is_recorded_behind_host_pointers),
		cmocka_unit_test(dirty_writer_records_what_it_writes),
		cmocka_unit_test(dirty_writer_records_nothing_without_a_write),
		cmocka_unit_test(dirty_log_is_of_addresses_after_translation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
