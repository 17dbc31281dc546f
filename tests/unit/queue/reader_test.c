/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests readers and writers over a chain of segments of various lengths. Compares the bytes read
 * and written with the expected bytes in flat arrays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <virtio/reader.h>

#define HALF 5u      /* segments in each direction */
#define READABLE 29u /* bytes in all segments of a direction */
#define WRITABLE 37u
#define GUARD 0xee

static const uint64_t read_lens[HALF] = { 1, 3, 16, 2, 7 };
static const uint64_t write_lens[HALF] = { 5, 1, 1, 19, 11 };

struct fixture {
	uint8_t host[2 * HALF * 32];
	uint8_t want[2 * HALF * 32];
	struct virtio_region region;
	struct virtio_memory_map map;
	struct virtio_segment segments[2 * HALF];
	struct virtio_chain_segments chain;
	/*
	 * Host offset of each readable and each writable byte, and the content of the readable
	 * bytes.
	 */
	uint32_t read_at[READABLE];
	uint32_t write_at[WRITABLE];
	uint8_t flat[READABLE];
};

/*
 * Adds a segment, resolved like a buffer of a chain. The addresses are not in the order of the
 * segments.
 */
static void add_segment(struct fixture *f, uint32_t i, uint64_t len, uint32_t access, uint32_t *at)
{
	const uint32_t offset = i * 7 % (2 * HALF) * 32 + 1 + i;
	struct virtio_memory_cursor cursor;

	virtio_memory_cursor_init(&cursor, &f->map);
	assert_int_equal(virtio_memory_segments(&cursor, 0x1000 + offset, len, access, &f->segments[i], 1), 1);
	for (uint32_t j = 0; j < len; j++)
		at[j] = offset + j;
}

static void setup(struct fixture *f)
{
	uint32_t r = 0, w = 0;

	memset(f, 0, sizeof *f);
	for (uint32_t i = 0; i < sizeof f->host; i++)
		f->host[i] = f->want[i] = (uint8_t)(i * 13 + i / 256);
	f->region = (struct virtio_region){ .addr = 0x1000, .len = sizeof f->host, .host = f->host };
	assert_int_equal(virtio_memory_map_init(&f->map, &f->region, 1), 0);
	for (uint32_t i = 0; i < HALF; r += (uint32_t)read_lens[i++])
		add_segment(f, i, read_lens[i], VIRTIO_ACCESS_READ, f->read_at + r);
	for (uint32_t i = 0; i < HALF; w += (uint32_t)write_lens[i++])
		add_segment(f, HALF + i, write_lens[i], VIRTIO_ACCESS_WRITE, f->write_at + w);
	assert_int_equal(r, READABLE);
	assert_int_equal(w, WRITABLE);
	for (uint32_t i = 0; i < READABLE; i++)
		f->flat[i] = f->host[f->read_at[i]];
	f->chain.segments = f->segments;
	f->chain.capacity = 2 * HALF;
	f->chain.readable = f->chain.writable = HALF;
	f->chain.readable_bytes = READABLE;
	f->chain.writable_bytes = WRITABLE;
}

static void expect_host(const struct fixture *f)
{
	assert_memory_equal(f->host, f->want, sizeof f->host);
}

static void expect_reader(const struct virtio_reader *reader, uint64_t done, uint64_t left)
{
	assert_true(virtio_reader_done(reader) == done);
	assert_true(virtio_reader_left(reader) == left);
}

static void expect_writer(const struct virtio_writer *writer, uint64_t done, uint64_t left)
{
	assert_true(virtio_writer_done(writer) == done);
	assert_true(virtio_writer_left(writer) == left);
}

/*
 * Reads len bytes into a buffer with a guard after it. Expects the readable bytes from position
 * `at` on, and no byte at or after position `end`.
 */
static void read_and_compare(const struct fixture *f, struct virtio_reader *reader, size_t at, size_t len, size_t end)
{
	const size_t there = end - at < len ? end - at : len;
	uint8_t dst[READABLE + 8];

	assert_true(len < sizeof dst);
	memset(dst, GUARD, sizeof dst);
	assert_int_equal(virtio_reader_read(reader, dst, len), there);
	assert_memory_equal(dst, f->flat + at, there);
	for (size_t i = there; i < sizeof dst; i++)
		assert_int_equal(dst[i], GUARD);
}

/* Returns the byte that a test writes at position `at`. Another `turn` gives another byte. */
static uint8_t fresh_byte(size_t at, uint32_t turn)
{
	return (uint8_t)(at * 3 + turn * 101 + 7);
}

/*
 * Writes len bytes. Expects the bytes in host memory from position `at` on, and no byte at or after
 * position `end`.
 */
static void write_and_expect(struct fixture *f, struct virtio_writer *writer, size_t at, size_t len, size_t end,
			     uint32_t turn)
{
	const size_t there = end - at < len ? end - at : len;
	uint8_t src[WRITABLE + 8];

	assert_true(len < sizeof src);
	for (size_t i = 0; i < len; i++) {
		src[i] = fresh_byte(at + i, turn);
		if (i < there)
			f->want[f->write_at[at + i]] = src[i];
	}
	assert_int_equal(virtio_writer_write(writer, src, len), there);
	expect_host(f);
}

/* Chains that are too short */

/* From every position, requests one byte more than is left, and then far more bytes. */
static void reader_refuses_more_than_is_left(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (size_t at = 0; at <= READABLE; at++) {
		struct virtio_reader reader, rest, same;
		uint8_t dst[READABLE + 8];

		memset(dst, GUARD, sizeof dst);
		memset(&rest, GUARD, sizeof rest);
		memset(&same, GUARD, sizeof same);
		virtio_reader_init(&reader, &f.chain);
		assert_int_equal(virtio_reader_skip(&reader, at), 0);
		assert_int_equal(virtio_reader_read_exact(&reader, dst, READABLE - at + 1), VIRTIO_ESHORT);
		assert_int_equal(virtio_reader_read_exact(&reader, dst, SIZE_MAX), VIRTIO_ESHORT);
		assert_int_equal(virtio_reader_skip(&reader, READABLE - at + 1), VIRTIO_ESHORT);
		assert_int_equal(virtio_reader_skip(&reader, UINT64_MAX), VIRTIO_ESHORT);
		assert_int_equal(virtio_reader_split(&reader, READABLE - at + 1, &rest), VIRTIO_ESHORT);
		assert_int_equal(virtio_reader_split(&reader, UINT64_MAX, &rest), VIRTIO_ESHORT);
		assert_memory_equal(&rest, &same, sizeof rest);
		for (size_t i = 0; i < sizeof dst; i++)
			assert_int_equal(dst[i], GUARD);
		/* The refused calls have not moved the reader. */
		expect_reader(&reader, at, READABLE - at);
		read_and_compare(&f, &reader, at, READABLE, READABLE);
	}
	expect_host(&f);
}

static void writer_refuses_more_than_there_is_room_for(void **state)
{
	const uint8_t src[WRITABLE + 8] = { 0 };
	struct fixture f;

	(void)state;
	setup(&f);
	for (size_t at = 0; at <= WRITABLE; at++) {
		struct virtio_writer writer, rest, same;

		memset(&rest, GUARD, sizeof rest);
		memset(&same, GUARD, sizeof same);
		virtio_writer_init(&writer, &f.chain);
		assert_int_equal(virtio_writer_advance(&writer, at), 0);
		assert_int_equal(virtio_writer_write_exact(&writer, src, WRITABLE - at + 1), VIRTIO_ESHORT);
		assert_int_equal(virtio_writer_write_exact(&writer, src, SIZE_MAX), VIRTIO_ESHORT);
		assert_int_equal(virtio_writer_advance(&writer, WRITABLE - at + 1), VIRTIO_ESHORT);
		assert_int_equal(virtio_writer_advance(&writer, UINT64_MAX), VIRTIO_ESHORT);
		assert_int_equal(virtio_writer_split(&writer, WRITABLE - at + 1, &rest), VIRTIO_ESHORT);
		assert_int_equal(virtio_writer_split(&writer, UINT64_MAX, &rest), VIRTIO_ESHORT);
		assert_memory_equal(&rest, &same, sizeof rest);
		expect_host(&f);
		expect_writer(&writer, at, WRITABLE - at);
		write_and_expect(&f, &writer, at, WRITABLE, WRITABLE, (uint32_t)at);
	}
}

/*
 * A chain has no bytes in either direction. Its reader and its writer are at the end at once, and
 * read no segment.
 */
static void reader_and_writer_of_empty_chain_are_at_the_end(void **state)
{
	struct virtio_segment none[1];
	const struct virtio_chain_segments chain = { .segments = none };
	struct virtio_reader reader, reader_rest;
	struct virtio_writer writer, writer_rest;
	struct virtio_iovec iov[1];
	uint8_t byte = GUARD;
	uint64_t filled = 99;

	(void)state;
	memset(none, GUARD, sizeof none);
	virtio_reader_init(&reader, &chain);
	virtio_writer_init(&writer, &chain);
	assert_int_equal(virtio_reader_read_exact(&reader, &byte, 1), VIRTIO_ESHORT);
	assert_int_equal(virtio_writer_write_exact(&writer, &byte, 1), VIRTIO_ESHORT);
	assert_int_equal(virtio_reader_read(&reader, &byte, 1), 0);
	assert_int_equal(virtio_writer_write(&writer, &byte, 1), 0);
	assert_int_equal(virtio_reader_read_exact(&reader, &byte, 0), 0);
	assert_int_equal(virtio_writer_write_exact(&writer, &byte, 0), 0);
	assert_int_equal(virtio_reader_skip(&reader, 0), 0);
	assert_int_equal(virtio_writer_advance(&writer, 0), 0);
	assert_int_equal(virtio_reader_split(&reader, 0, &reader_rest), 0);
	assert_int_equal(virtio_writer_split(&writer, 0, &writer_rest), 0);
	assert_int_equal(virtio_reader_iovec(&reader, UINT64_MAX, iov, 1, &filled), 0);
	assert_true(filled == 0);
	filled = 99;
	assert_int_equal(virtio_writer_iovec(&writer, UINT64_MAX, iov, 1, &filled), 0);
	assert_true(filled == 0);
	assert_int_equal(byte, GUARD);
	expect_reader(&reader, 0, 0);
	expect_reader(&reader_rest, 0, 0);
	expect_writer(&writer, 0, 0);
	expect_writer(&writer_rest, 0, 0);
}

/* Reading */

/* Reads in steps of every size up to the end. Then nothing is left. */
static void reader_yields_each_byte_once_in_order(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (size_t step = 1; step <= READABLE + 3; step++) {
		struct virtio_reader reader;

		virtio_reader_init(&reader, &f.chain);
		for (size_t at = 0; at < READABLE; at += step) {
			expect_reader(&reader, at, READABLE - at);
			read_and_compare(&f, &reader, at, step, READABLE);
		}
		for (uint32_t turn = 0; turn < 2; turn++) {
			expect_reader(&reader, READABLE, 0);
			read_and_compare(&f, &reader, READABLE, step, READABLE);
		}
	}
	expect_host(&f);
}

/* Skips any number of bytes, reads any number of bytes, and skips the rest. */
static void reader_skips_and_reads_exactly(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (size_t at = 0; at <= READABLE; at++)
		for (size_t len = 0; len <= READABLE - at; len++) {
			uint8_t dst[READABLE + 8];
			struct virtio_reader reader;

			memset(dst, GUARD, sizeof dst);
			virtio_reader_init(&reader, &f.chain);
			assert_int_equal(virtio_reader_skip(&reader, at), 0);
			expect_reader(&reader, at, READABLE - at);
			assert_int_equal(virtio_reader_read_exact(&reader, dst, len), 0);
			assert_memory_equal(dst, f.flat + at, len);
			for (size_t i = len; i < sizeof dst; i++)
				assert_int_equal(dst[i], GUARD);
			expect_reader(&reader, at + len, READABLE - at - len);
			assert_int_equal(virtio_reader_skip(&reader, READABLE - at - len), 0);
			expect_reader(&reader, READABLE, 0);
		}
	expect_host(&f);
}

static void reader_copy_is_an_independent_position(void **state)
{
	struct virtio_reader reader, copy;
	struct fixture f;

	(void)state;
	setup(&f);
	virtio_reader_init(&reader, &f.chain);
	read_and_compare(&f, &reader, 0, 5, READABLE);
	copy = reader;
	read_and_compare(&f, &reader, 5, 15, READABLE);
	expect_reader(&copy, 5, READABLE - 5);
	read_and_compare(&f, &copy, 5, READABLE, READABLE);
	expect_reader(&reader, 20, READABLE - 20);
	read_and_compare(&f, &reader, 20, READABLE, READABLE);
}

/*
 * Splits at every position at or after the current position. The front ends, and the rest begins,
 * at the split.
 */
static void reader_splits_anywhere(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (size_t start = 0; start <= READABLE; start += 3)
		for (size_t len = 0; len <= READABLE - start; len++)
			for (size_t step = 1; step < READABLE; step += 4) {
				const size_t cut = start + len;
				struct virtio_reader reader, rest;

				virtio_reader_init(&reader, &f.chain);
				assert_int_equal(virtio_reader_skip(&reader, start), 0);
				assert_int_equal(virtio_reader_split(&reader, len, &rest), 0);
				expect_reader(&reader, start, len);
				expect_reader(&rest, 0, READABLE - cut);
				assert_int_equal(virtio_reader_skip(&reader, len + 1), VIRTIO_ESHORT);
				/*
				 * Uses the two parts alternately. A read of one part must not move
				 * the other part.
				 */
				for (size_t i = 0; i < READABLE; i += step) {
					const size_t at = start + i < cut ? start + i : cut;

					read_and_compare(&f, &reader, at, step, cut);
					read_and_compare(&f, &rest, cut + i < READABLE ? cut + i : READABLE, step,
							 READABLE);
				}
				expect_reader(&reader, cut, 0);
				expect_reader(&rest, READABLE - cut, 0);
			}
	expect_host(&f);
}

/* Writing */

static void writer_fills_each_byte_once_in_order(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (size_t step = 1; step <= WRITABLE + 3; step++) {
		struct virtio_writer writer;

		virtio_writer_init(&writer, &f.chain);
		for (size_t at = 0; at < WRITABLE; at += step) {
			expect_writer(&writer, at, WRITABLE - at);
			write_and_expect(&f, &writer, at, step, WRITABLE, (uint32_t)step);
		}
		expect_writer(&writer, WRITABLE, 0);
		write_and_expect(&f, &writer, WRITABLE, step, WRITABLE, 99);
	}
}

static void writer_advances_and_writes_exactly(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (size_t at = 0; at <= WRITABLE; at++)
		for (size_t len = 0; len <= WRITABLE - at; len++) {
			struct virtio_writer writer;
			uint8_t src[WRITABLE];

			for (size_t i = 0; i < len; i++)
				f.want[f.write_at[at + i]] = src[i] = fresh_byte(at + i, (uint32_t)(at + len));
			virtio_writer_init(&writer, &f.chain);
			assert_int_equal(virtio_writer_advance(&writer, at), 0);
			expect_writer(&writer, at, WRITABLE - at);
			assert_int_equal(virtio_writer_write_exact(&writer, src, len), 0);
			expect_host(&f);
			expect_writer(&writer, at + len, WRITABLE - at - len);
			assert_int_equal(virtio_writer_advance(&writer, WRITABLE - at - len), 0);
			expect_writer(&writer, WRITABLE, 0);
			expect_host(&f);
		}
}

static void writer_splits_anywhere(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (size_t start = 0; start <= WRITABLE; start += 3)
		for (size_t len = 0; len <= WRITABLE - start; len++)
			for (size_t step = 1; step < WRITABLE; step += 5) {
				const size_t cut = start + len;
				struct virtio_writer writer, rest;

				virtio_writer_init(&writer, &f.chain);
				assert_int_equal(virtio_writer_advance(&writer, start), 0);
				assert_int_equal(virtio_writer_split(&writer, len, &rest), 0);
				expect_writer(&writer, start, len);
				expect_writer(&rest, 0, WRITABLE - cut);
				for (size_t i = 0; i < WRITABLE; i += step) {
					const size_t at = start + i < cut ? start + i : cut;
					const size_t behind = cut + i < WRITABLE ? cut + i : WRITABLE;

					write_and_expect(&f, &writer, at, step, cut, (uint32_t)len);
					write_and_expect(&f, &rest, behind, step, WRITABLE, (uint32_t)cut);
				}
				expect_writer(&writer, cut, 0);
				expect_writer(&rest, WRITABLE - cut, 0);
			}
}

/*
 * A split separates the data from the status. A device may write the status first, although the
 * status lies after the data. The writer of the data does not count the status.
 */
static void writer_rest_may_be_written_before_the_front(void **state)
{
	struct virtio_writer writer, status, third;
	struct fixture f;

	(void)state;
	setup(&f);
	virtio_writer_init(&writer, &f.chain);
	assert_int_equal(virtio_writer_split(&writer, WRITABLE - 1, &status), 0);
	write_and_expect(&f, &status, WRITABLE - 1, 2, WRITABLE, 1);
	expect_writer(&writer, 0, WRITABLE - 1);
	write_and_expect(&f, &writer, 0, 10, WRITABLE - 1, 2);
	expect_writer(&writer, 10, WRITABLE - 11);
	/* Splits one of the parts again. */
	assert_int_equal(virtio_writer_split(&writer, 3, &third), 0);
	write_and_expect(&f, &third, 13, WRITABLE, WRITABLE - 1, 3);
	write_and_expect(&f, &writer, 10, WRITABLE, 13, 4);
	expect_writer(&writer, 13, 0);
	expect_writer(&third, WRITABLE - 14, 0);
	expect_writer(&status, 1, 0);
}

/* A chain may have 2^32 bytes, but a used length is at most 2^32 - 1. No byte is accessed. */
static void writer_used_stops_at_the_last_length(void **state)
{
	static const uint64_t front[] = { 0, 1, UINT32_MAX - 1, UINT32_MAX, UINT64_C(1) << 32 };
	const uint64_t all = VIRTIO_CHAIN_MAX_BYTES;
	struct virtio_segment segment;
	struct fixture f;

	(void)state;
	setup(&f);
	segment = f.segments[HALF];
	segment.len = all;
	for (uint32_t i = 0; i < sizeof front / sizeof front[0]; i++) {
		const struct virtio_chain_segments chain = { .segments = &segment,
							     .writable = 1,
							     .writable_bytes = all };
		struct virtio_writer writer, rest;

		virtio_writer_init(&writer, &chain);
		assert_int_equal(virtio_writer_used(&writer), 0);
		assert_int_equal(virtio_writer_advance(&writer, front[i]), 0);
		expect_writer(&writer, front[i], all - front[i]);
		assert_int_equal(virtio_writer_used(&writer), front[i] < all ? front[i] : UINT32_MAX);
		/* The used length of a part counts only the part's bytes. */
		assert_int_equal(virtio_writer_split(&writer, 0, &rest), 0);
		assert_int_equal(virtio_writer_advance(&rest, all - front[i]), 0);
		assert_int_equal(virtio_writer_used(&rest), front[i] ? all - front[i] : UINT32_MAX);
	}
	expect_host(&f);
}

/* I/O vectors */

/* Returns the number of segments with bytes between two positions. */
static uint32_t segments_between(const uint64_t *lens, size_t from, size_t to)
{
	uint32_t count = 0;
	size_t start = 0;

	for (uint32_t i = 0; i < HALF; start += (size_t)lens[i++])
		count += from < start + lens[i] && to > start && from < to;
	return count;
}

/*
 * Checks that the vector holds the flat bytes between two positions, as far as its capacity allows.
 */
static void expect_iovec(const struct fixture *f, const uint32_t *places, const uint64_t *lens, size_t from, size_t to,
			 const struct virtio_iovec *iov, uint32_t count, uint32_t capacity, uint64_t filled)
{
	const uint32_t needed = segments_between(lens, from, to);
	size_t at = from;

	assert_int_equal(count, needed < capacity ? needed : capacity);
	for (uint32_t i = 0; i < count; i++) {
		assert_true(iov[i].len > 0);
		for (size_t j = 0; j < iov[i].len; j++, at++)
			assert_ptr_equal((const uint8_t *)iov[i].base + j, f->host + places[at]);
	}
	assert_true(filled == at - from);
	if (needed <= capacity)
		assert_int_equal(at, to);
}

/* @moving  reach the next position by a read or write of one byte, instead of a skip or advance */
static void iovec_agree_with_flat_bytes(bool moving)
{
	struct virtio_iovec iov[HALF + 1], same[HALF + 1];
	struct virtio_reader reader;
	struct virtio_writer writer;
	struct fixture f;
	uint64_t filled;

	setup(&f);
	memset(same, GUARD, sizeof same);
	virtio_reader_init(&reader, &f.chain);
	virtio_writer_init(&writer, &f.chain);
	for (size_t at = 0; at <= WRITABLE; at++) {
		for (uint32_t i = 0; i <= (HALF + 1) * (WRITABLE + 4); i++) {
			const uint32_t capacity = i % (HALF + 1), want = i / (HALF + 1);
			const uint64_t bytes = want == WRITABLE + 3 ? UINT64_MAX : want;
			const size_t end = WRITABLE - at < bytes ? WRITABLE : at + want;
			uint32_t count;

			memset(iov, GUARD, sizeof iov);
			count = virtio_writer_iovec(&writer, bytes, iov, capacity, &filled);
			expect_iovec(&f, f.write_at, write_lens, at, end, iov, count, capacity, filled);
			assert_memory_equal(iov + count, same, sizeof same - count * sizeof same[0]);
			expect_writer(&writer, at, WRITABLE - at);
			if (at > READABLE)
				continue;
			memset(iov, GUARD, sizeof iov);
			count = virtio_reader_iovec(&reader, bytes, iov, capacity, &filled);
			expect_iovec(&f, f.read_at, read_lens, at, READABLE - at < bytes ? READABLE : at + want, iov,
				     count, capacity, filled);
			assert_memory_equal(iov + count, same, sizeof same - count * sizeof same[0]);
			expect_reader(&reader, at, READABLE - at);
		}
		if (moving) {
			if (at < READABLE)
				read_and_compare(&f, &reader, at, 1, READABLE);
			if (at < WRITABLE)
				write_and_expect(&f, &writer, at, 1, WRITABLE, 0);
			continue;
		}
		(void)!virtio_reader_skip(&reader, at < READABLE);
		(void)!virtio_writer_advance(&writer, at < WRITABLE);
	}
	expect_host(&f);
}

static void reader_and_writer_iovec_agree_with_flat_bytes(void **state)
{
	(void)state;
	iovec_agree_with_flat_bytes(false);
	iovec_agree_with_flat_bytes(true);
}

/* The vector of a split's front has no byte of the rest, even if both share a segment. */
static void reader_and_writer_iovec_end_at_a_split(void **state)
{
	struct virtio_iovec iov[HALF];
	struct fixture f;
	uint64_t filled;

	(void)state;
	setup(&f);
	for (size_t cut = 0; cut <= WRITABLE; cut++) {
		struct virtio_reader reader, reader_rest;
		struct virtio_writer writer, writer_rest;
		uint32_t count;

		virtio_writer_init(&writer, &f.chain);
		assert_int_equal(virtio_writer_split(&writer, cut, &writer_rest), 0);
		count = virtio_writer_iovec(&writer, UINT64_MAX, iov, HALF, &filled);
		expect_iovec(&f, f.write_at, write_lens, 0, cut, iov, count, HALF, filled);
		count = virtio_writer_iovec(&writer_rest, UINT64_MAX, iov, HALF, &filled);
		expect_iovec(&f, f.write_at, write_lens, cut, WRITABLE, iov, count, HALF, filled);
		if (cut > READABLE)
			continue;
		virtio_reader_init(&reader, &f.chain);
		assert_int_equal(virtio_reader_split(&reader, cut, &reader_rest), 0);
		count = virtio_reader_iovec(&reader, UINT64_MAX, iov, HALF, &filled);
		expect_iovec(&f, f.read_at, read_lens, 0, cut, iov, count, HALF, filled);
		count = virtio_reader_iovec(&reader_rest, UINT64_MAX, iov, HALF, &filled);
		expect_iovec(&f, f.read_at, read_lens, cut, READABLE, iov, count, HALF, filled);
	}
}

/* Integers are little-endian at any alignment. An integer is read as a whole or not at all. */
static void reader_reads_little_endian_integers_anywhere(void **state)
{
	struct virtio_reader reader;
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint32_t at = 0; at <= READABLE; at++) {
		uint16_t v16 = 0x7777;
		uint32_t v32 = 0x77777777;
		uint64_t v64 = 0x7777777777777777;
		const uint32_t left = READABLE - at;

		virtio_reader_init(&reader, &f.chain);
		assert_int_equal(virtio_reader_skip(&reader, at), 0);
		assert_int_equal(virtio_reader_read_le16(&reader, &v16), left < 2 ? VIRTIO_ESHORT : 0);
		assert_int_equal(v16, left < 2 ? 0x7777 : virtio_get_le16(f.flat + at));
		expect_reader(&reader, left < 2 ? at : at + 2, left < 2 ? left : left - 2);
		virtio_reader_init(&reader, &f.chain);
		assert_int_equal(virtio_reader_skip(&reader, at), 0);
		assert_int_equal(virtio_reader_read_le32(&reader, &v32), left < 4 ? VIRTIO_ESHORT : 0);
		assert_int_equal(v32, left < 4 ? 0x77777777 : virtio_get_le32(f.flat + at));
		expect_reader(&reader, left < 4 ? at : at + 4, left < 4 ? left : left - 4);
		virtio_reader_init(&reader, &f.chain);
		assert_int_equal(virtio_reader_skip(&reader, at), 0);
		assert_int_equal(virtio_reader_read_le64(&reader, &v64), left < 8 ? VIRTIO_ESHORT : 0);
		assert_true(v64 == (left < 8 ? UINT64_C(0x7777777777777777) : virtio_get_le64(f.flat + at)));
		expect_reader(&reader, left < 8 ? at : at + 8, left < 8 ? left : left - 8);
	}
}

/* Expects these bytes in the writable half, the first at position `at`. */
static void want_bytes(struct fixture *f, uint32_t at, const uint8_t *bytes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		f->want[f->write_at[at + i]] = bytes[i];
}

static void writer_writes_little_endian_integers_anywhere(void **state)
{
	static const uint8_t bytes[8] = { 0xe8, 0xd7, 0xc6, 0xb5, 0xa4, 0x93, 0x82, 0x71 };
	struct virtio_writer writer;
	struct fixture f;

	(void)state;
	for (uint32_t at = 0; at <= WRITABLE; at++)
		for (uint32_t size = 2; size <= 8; size *= 2) {
			const bool fits = size <= WRITABLE - at;
			int error;

			setup(&f);
			virtio_writer_init(&writer, &f.chain);
			assert_int_equal(virtio_writer_advance(&writer, at), 0);
			if (size == 2)
				error = virtio_writer_write_le16(&writer, 0xd7e8);
			else if (size == 4)
				error = virtio_writer_write_le32(&writer, 0xb5c6d7e8);
			else
				error = virtio_writer_write_le64(&writer, UINT64_C(0x718293a4b5c6d7e8));
			assert_int_equal(error, fits ? 0 : VIRTIO_ESHORT);
			want_bytes(&f, at, bytes, fits ? size : 0);
			expect_host(&f);
			assert_true(virtio_writer_done(&writer) == (fits ? at + size : at));
		}
}

static void writer_zeroes_as_much_as_there_is(void **state)
{
	static const uint8_t zeroes[WRITABLE];
	struct virtio_writer writer;
	struct fixture f;

	(void)state;
	for (uint32_t at = 0; at <= WRITABLE; at++)
		for (uint32_t len = 0; len <= WRITABLE + 1; len++) {
			const uint32_t left = WRITABLE - at, expected = len < left ? len : left;

			setup(&f);
			virtio_writer_init(&writer, &f.chain);
			assert_int_equal(virtio_writer_advance(&writer, at), 0);
			assert_true(virtio_writer_zero(&writer, len == WRITABLE + 1 ? UINT64_MAX : len) == expected);
			want_bytes(&f, at, zeroes, expected);
			expect_host(&f);
			assert_true(virtio_writer_left(&writer) == left - expected);
		}
}

static void writer_copies_from_reader_up_to_the_end_of_either(void **state)
{
	struct virtio_reader reader;
	struct virtio_writer writer;
	struct fixture f;

	(void)state;
	for (uint32_t from = 0; from <= READABLE; from++)
		for (uint32_t to = 0; to <= WRITABLE; to++)
			for (uint32_t len = 0; len <= WRITABLE + 1; len += 1 + len / 4) {
				uint32_t expected = len;

				setup(&f);
				virtio_reader_init(&reader, &f.chain);
				virtio_writer_init(&writer, &f.chain);
				assert_int_equal(virtio_reader_skip(&reader, from), 0);
				assert_int_equal(virtio_writer_advance(&writer, to), 0);
				expected = expected < READABLE - from ? expected : READABLE - from;
				expected = expected < WRITABLE - to ? expected : WRITABLE - to;
				assert_true(virtio_writer_copy(&writer, &reader, len) == expected);
				want_bytes(&f, to, f.flat + from, expected);
				expect_host(&f);
				expect_reader(&reader, from + expected, READABLE - from - expected);
				assert_true(virtio_writer_done(&writer) == to + expected);
			}
}

/* Copies more bytes than fit into the library's buffer on the stack. */
static void writer_copies_and_zeroes_long_buffers(void **state)
{
	static uint8_t in[5000], out[6000];
	struct virtio_region region = { .addr = 0, .len = sizeof in, .host = in };
	struct virtio_region other = { .addr = 0x10000, .len = sizeof out, .host = out };
	struct virtio_segment segments[2] = { { 0, sizeof in, in, &region }, { 0x10000, sizeof out, out, &other } };
	struct virtio_chain_segments chain = { .segments = segments,
					       .capacity = 2,
					       .readable = 1,
					       .writable = 1,
					       .readable_bytes = sizeof in,
					       .writable_bytes = sizeof out };
	struct virtio_reader reader;
	struct virtio_writer writer;

	(void)state;
	for (uint32_t i = 0; i < sizeof in; i++)
		in[i] = (uint8_t)(i * 7 + i / 256);
	memset(out, GUARD, sizeof out);
	virtio_reader_init(&reader, &chain);
	virtio_writer_init(&writer, &chain);
	assert_true(virtio_writer_copy(&writer, &reader, UINT64_MAX) == sizeof in);
	assert_memory_equal(out, in, sizeof in);
	assert_true(virtio_writer_zero(&writer, 900) == 900);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(out[sizeof in + i], i < 900 ? 0 : GUARD);
}

/* The guest changes bytes between two reads. Only the second read sees the change. */
static void reader_copies_what_the_guest_may_change(void **state)
{
	struct virtio_reader reader, again;
	uint8_t first[READABLE], second[READABLE];
	struct fixture f;

	(void)state;
	setup(&f);
	virtio_reader_init(&reader, &f.chain);
	again = reader;
	assert_int_equal(virtio_reader_read_exact(&reader, first, READABLE), 0);
	for (uint32_t i = 0; i < READABLE; i++)
		f.host[f.read_at[i]] ^= 0xff;
	assert_memory_equal(first, f.flat, READABLE);
	assert_int_equal(virtio_reader_read_exact(&again, second, READABLE), 0);
	for (uint32_t i = 0; i < READABLE; i++)
		assert_int_equal(second[i], first[i] ^ 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reader_refuses_more_than_is_left),
		cmocka_unit_test(writer_refuses_more_than_there_is_room_for),
		cmocka_unit_test(reader_and_writer_of_empty_chain_are_at_the_end),
		cmocka_unit_test(reader_yields_each_byte_once_in_order),
		cmocka_unit_test(reader_skips_and_reads_exactly),
		cmocka_unit_test(reader_copy_is_an_independent_position),
		cmocka_unit_test(reader_splits_anywhere),
		cmocka_unit_test(writer_fills_each_byte_once_in_order),
		cmocka_unit_test(writer_advances_and_writes_exactly),
		cmocka_unit_test(writer_splits_anywhere),
		cmocka_unit_test(writer_rest_may_be_written_before_the_front),
		cmocka_unit_test(writer_used_stops_at_the_last_length),
		cmocka_unit_test(reader_and_writer_iovec_agree_with_flat_bytes),
		cmocka_unit_test(reader_and_writer_iovec_end_at_a_split),
		cmocka_unit_test(reader_reads_little_endian_integers_anywhere),
		cmocka_unit_test(writer_writes_little_endian_integers_anywhere),
		cmocka_unit_test(writer_zeroes_as_much_as_there_is),
		cmocka_unit_test(writer_copies_from_reader_up_to_the_end_of_either),
		cmocka_unit_test(writer_copies_and_zeroes_long_buffers),
		cmocka_unit_test(reader_copies_what_the_guest_may_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
