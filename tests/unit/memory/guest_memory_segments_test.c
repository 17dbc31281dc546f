/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests lists of segments: the sum of their lengths, and the I/O vectors made from them. The
 * vectors are compared with a flat list of the host addresses of all bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <virtio/guest_memory.h>
#include <virtio/reader.h>

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define SEGMENTS 6u
#define BYTES 34u /* bytes in all segments */

static const uint64_t lens[SEGMENTS] = { 1, 3, 7, 2, 16, 5 };

/* Segments that lie apart on the host, and the host address of each of their bytes. */
struct fixture {
	uint8_t host[SEGMENTS * 32];
	struct virtio_region region;
	struct virtio_segment segments[SEGMENTS];
	uint8_t *flat[BYTES];
	struct virtio_iovec iov[SEGMENTS + 2];
};

static void setup(struct fixture *f)
{
	struct virtio_memory_map map;
	struct virtio_memory_cursor cursor;
	uint32_t n = 0;

	memset(f, 0, sizeof *f);
	f->region = (struct virtio_region){ .addr = 0x1000, .len = sizeof f->host, .host = f->host };
	assert_int_equal(virtio_memory_map_init(&map, &f->region, 1), 0);
	virtio_memory_cursor_init(&cursor, &map);
	for (uint32_t i = 0; i < SEGMENTS; i++) {
		/* The addresses are not in the order of the segments. */
		const uint32_t at = i * 5 % SEGMENTS * 32 + i;

		assert_int_equal(
			virtio_memory_segments(&cursor, 0x1000 + at, lens[i], VIRTIO_ACCESS_READ, &f->segments[i], 1),
			1);
		for (uint32_t j = 0; j < lens[i]; j++)
			f->flat[n++] = f->host + at + j;
	}
	assert_int_equal(n, BYTES);
}

/*
 * Returns the number of entries of a vector of these bytes: one for each segment that holds some of
 * the bytes.
 */
static uint32_t entries_needed(uint64_t offset, uint64_t bytes)
{
	uint64_t start = 0;
	uint32_t needed = 0;

	for (uint32_t i = 0; i < SEGMENTS; start += lens[i++])
		needed += offset < start + lens[i] && offset + bytes > start;
	return needed;
}

/* Makes an I/O vector of part of a list of segments: `bytes` bytes from offset on. */
static uint32_t segments_iovec(const struct virtio_segment *segments, uint32_t count, uint64_t offset, uint64_t bytes,
			       struct virtio_iovec *iov, uint32_t capacity, uint64_t *filled)
{
	struct virtio_stream stream;

	virtio_stream_init(&stream, segments, virtio_segments_bytes(segments, count));
	*filled = 0;
	return virtio_stream_advance(&stream, offset) ? 0 : virtio_stream_iovec(&stream, bytes, iov, capacity, filled);
}

static void expect_iovec(struct fixture *f, uint64_t offset, uint64_t bytes, uint32_t capacity)
{
	const uint64_t there = offset < BYTES ? BYTES - offset : 0;
	const uint64_t wanted = bytes < there ? bytes : there;
	const uint32_t needed = wanted ? entries_needed(offset, wanted) : 0;
	const uint32_t expected = needed < capacity ? needed : capacity;
	struct virtio_iovec same[SEGMENTS + 2];
	uint64_t filled = 99, sum = 0;

	memset(f->iov, 0xee, sizeof f->iov);
	memset(same, 0xee, sizeof same);
	assert_int_equal(segments_iovec(f->segments, SEGMENTS, offset, bytes, f->iov, capacity, &filled), expected);
	for (uint32_t i = 0; i < expected; i++) {
		assert_true(f->iov[i].len > 0);
		for (uint64_t j = 0; j < f->iov[i].len; j++)
			assert_ptr_equal((uint8_t *)f->iov[i].base + j, f->flat[offset + sum + j]);
		sum += f->iov[i].len;
	}
	assert_true(filled == sum);
	if (needed <= capacity)
		assert_true(filled == wanted);
	else
		assert_true(filled < wanted);
	assert_memory_equal(f->iov + expected, same, sizeof same - expected * sizeof same[0]);
}

static void segments_iovec_past_the_end_is_empty(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	expect_iovec(&f, BYTES, UINT64_MAX, SEGMENTS);
	expect_iovec(&f, BYTES, 1, SEGMENTS);
	expect_iovec(&f, BYTES + 1, UINT64_MAX, SEGMENTS);
	expect_iovec(&f, UINT64_MAX, UINT64_MAX, SEGMENTS);
	expect_iovec(&f, UINT64_MAX, 1, SEGMENTS);
	expect_iovec(&f, UINT64_MAX - 1, 2, SEGMENTS);
}

static void segments_iovec_of_nothing_is_empty(void **state)
{
	struct fixture f;
	uint64_t filled = 99;

	(void)state;
	setup(&f);
	expect_iovec(&f, 0, 0, SEGMENTS);
	expect_iovec(&f, 5, 0, SEGMENTS);
	expect_iovec(&f, 0, UINT64_MAX, 0);
	assert_int_equal(segments_iovec(f.segments, 0, 0, UINT64_MAX, f.iov, SEGMENTS, &filled), 0);
	assert_true(filled == 0);
	filled = 99;
	assert_int_equal(segments_iovec(NULL, 0, 3, 7, NULL, 0, &filled), 0);
	assert_true(filled == 0);
}

static void segments_iovec_agrees_with_flat_bytes(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint64_t offset = 0; offset <= BYTES + 2; offset++)
		for (uint32_t capacity = 0; capacity <= SEGMENTS + 1; capacity++) {
			for (uint64_t bytes = 0; bytes <= BYTES + 2; bytes++)
				expect_iovec(&f, offset, bytes, capacity);
			expect_iovec(&f, offset, UINT64_MAX, capacity);
		}
}

static void segments_bytes_is_the_sum(void **state)
{
	struct fixture f;
	uint64_t sum = 0;

	(void)state;
	setup(&f);
	assert_true(virtio_segments_bytes(NULL, 0) == 0);
	for (uint32_t count = 0; count <= SEGMENTS; count++) {
		assert_true(virtio_segments_bytes(f.segments, count) == sum);
		if (count < SEGMENTS)
			sum += lens[count];
	}
	assert_true(sum == BYTES);
	/* The sum exceeds 32 bits. */
	f.segments[1].len = UINT64_C(0x123456789a);
	assert_true(virtio_segments_bytes(f.segments, 2) == UINT64_C(0x123456789b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_iovec_past_the_end_is_empty),
		cmocka_unit_test(segments_iovec_of_nothing_is_empty),
		cmocka_unit_test(segments_iovec_agrees_with_flat_bytes),
		cmocka_unit_test(segments_bytes_is_the_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
