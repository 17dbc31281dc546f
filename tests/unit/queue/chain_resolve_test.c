/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests virtio_chain_resolve(): bad chains, bad buffers, arrays that are too small, and the
 * segments of good chains.
 */
#include <virtio/reader.h>

#include "../common/fixture.h"

#define SIZE 8u
#define SEGMENTS 256u

/* Pops the offered chain, and resolves the chain into an array of `count` segments. */
static int resolve(struct fixture *f, struct virtio_chain *chain, struct virtio_segment *segments, uint32_t count,
		   struct virtio_chain_segments *out)
{
	memset(out, 0x5a, sizeof *out);
	out->segments = segments;
	out->capacity = count;
	assert_int_equal(virtio_queue_pop(&f->queue, chain), 1);
	return virtio_chain_resolve(chain, out);
}

/* Compares the segments of one direction with the buffers of that direction, byte by byte. */
static void expect_bytes(struct fixture *f, const struct virtio_segment *segments, uint32_t count,
			 const struct virtio_mock_buffer *buffers, uint32_t buffer_count, uint16_t direction)
{
	uint32_t s = 0;
	uint64_t used = 0;

	for (uint32_t i = 0; i < buffer_count; i++) {
		if ((buffers[i].flags & VRING_DESC_F_WRITE) != direction)
			continue;
		for (uint64_t at = 0; at < buffers[i].len; at++) {
			const void *host =
				virtio_memory_find(&f->mock.memory, buffers[i].addr + at, 1, VIRTIO_ACCESS_READ);

			assert_true(s < count);
			assert_int_equal(segments[s].addr + used, buffers[i].addr + at);
			assert_ptr_equal((uint8_t *)segments[s].host + used, host);
			assert_non_null(segments[s].region);
			if (++used == segments[s].len) {
				used = 0;
				s++;
			}
		}
	}
	assert_int_equal(s, count);
	assert_int_equal(used, 0);
}

/* Hostile 45: the error was counted once, and the chain can be completed. */
static void expect_counted(struct fixture *f, const struct virtio_chain *chain, int error)
{
	const bool fault = error != VIRTIO_ENOTMAPPED;
	struct virtio_queue_stats stats;
	struct vring_used_elem used;
	struct virtio_chain next = { 0 };

	virtio_queue_get_stats(&f->queue, &stats);
	assert_int_equal(stats.chain_faults, fault);
	assert_int_equal(stats.not_mapped, !fault);
	assert_int_equal(stats.first_error, fault ? error : 0);
	assert_int_equal(virtio_queue_complete(&f->queue, chain->token, 0), 0);
	assert_int_equal(virtio_mock_pop_used(&f->mock, &used), 1);
	assert_int_equal(used.len, 0);
	assert_int_equal(virtio_queue_pop(&f->queue, &next), 0);
}

/*
 * Resolves a chain that must fail. The walk is over afterwards.
 *
 * @front   the buffers before the bad buffer; none if the chain is malformed or not mapped
 * @status  address of the last writable byte; 0 if there is none
 */
static void expect_fault(struct fixture *f, int error, const struct virtio_mock_buffer *front, uint32_t count,
			 uint64_t status)
{
	struct virtio_segment segments[SEGMENTS];
	uint64_t bytes[2] = { 0, 0 };
	struct virtio_chain_segments out;
	struct virtio_desc desc = { 1, 2, true };
	struct virtio_chain chain = { 0 };

	for (uint32_t i = 0; i < count; i++)
		bytes[front[i].flags / VRING_DESC_F_WRITE] += front[i].len;
	assert_int_equal(resolve(f, &chain, segments, SEGMENTS, &out), error);
	assert_true(out.segments == segments && out.capacity == SEGMENTS);
	assert_int_equal(out.readable_bytes, bytes[0]);
	assert_int_equal(out.writable_bytes, bytes[1]);
	assert_int_equal(out.needed, out.readable + out.writable);
	expect_bytes(f, segments, out.readable, front, count, 0);
	expect_bytes(f, segments + out.readable, out.writable, front, count, VRING_DESC_F_WRITE);
	assert_int_equal(out.last_writable.len, status != 0);
	if (status) {
		assert_int_equal(out.last_writable.addr, status);
		assert_true(status - out.last_writable.region->addr < out.last_writable.region->len);
	}
	assert_int_equal(virtio_chain_next(&chain, &desc), error);
	assert_true(desc.addr == 1 && desc.len == 2 && desc.writable);
	expect_counted(f, &chain, error);
}

static void expect_failure(struct fixture *f, int error)
{
	expect_fault(f, error, NULL, 0, 0);
}

/* Resolves a chain, which must have exactly these buffers. */
static void expect_resolved(struct fixture *f, const struct virtio_mock_buffer *buffers, uint32_t count)
{
	struct virtio_segment segments[SEGMENTS];
	uint64_t bytes[2] = { 0, 0 };
	struct virtio_chain_segments out;
	struct virtio_chain chain = { 0 };
	struct virtio_desc desc = { 0 };

	for (uint32_t i = 0; i < count; i++)
		bytes[buffers[i].flags / VRING_DESC_F_WRITE] += buffers[i].len;
	assert_int_equal(resolve(f, &chain, segments, SEGMENTS, &out), 0);
	assert_int_equal(out.readable_bytes, bytes[0]);
	assert_int_equal(out.writable_bytes, bytes[1]);
	assert_int_equal(out.needed, out.readable + out.writable);
	assert_ptr_equal(out.segments, segments);
	assert_int_equal(out.capacity, SEGMENTS);
	expect_bytes(f, segments, out.readable, buffers, count, 0);
	expect_bytes(f, segments + out.readable, out.writable, buffers, count, VRING_DESC_F_WRITE);
	if (bytes[1] == 0) {
		assert_int_equal(out.last_writable.len, 0);
	} else {
		const struct virtio_segment *last = &segments[out.needed - 1];

		assert_int_equal(out.last_writable.len, 1);
		assert_int_equal(out.last_writable.addr, last->addr + last->len - 1);
		assert_ptr_equal(out.last_writable.host, (uint8_t *)last->host + (last->len - 1));
		assert_ptr_equal(out.last_writable.region, last->region);
	}
	assert_int_equal(virtio_chain_next(&chain, &desc), 0);
	assert_int_equal(virtio_queue_complete(&f->queue, chain.token, 0), 0);
}

/* Hostile 43: virtio_chain_resolve() returns the walk's error for a malformed chain. */
static void chain_resolve_passes_on_errors_of_the_walk(void **state)
{
	static const struct {
		struct virtio_mock_buffer buffers[2];
		int error;
	} cases[] = {
		{ { WRITABLE(FIXTURE_DATA, 1), READABLE(FIXTURE_DATA, 1) }, VIRTIO_EORDER },
		{ { READABLE(FIXTURE_DATA, 1), { FIXTURE_TABLE, 16, VRING_DESC_F_INDIRECT } }, VIRTIO_EINDIRECT },
	};

	for (uint32_t i = 0; i < COUNT(cases); i++) {
		struct fixture f;

		fixture_setup(&f, fixture_kind(state), SIZE);
		fixture_offer_chain(&f, 7, cases[i].buffers, 2);
		expect_failure(&f, cases[i].error);
	}
}

/*
 * As above, for faults that a list of buffers cannot express: a `next` outside the table, and more
 * descriptors than the queue has.
 */
static void chain_resolve_passes_on_bad_next_and_length(void **state)
{
	const struct vring_desc outside = { FIXTURE_DATA, 1, VRING_DESC_F_NEXT, SIZE };
	const struct virtio_mock_buffer too_long[] = { READABLE(FIXTURE_DATA, 1),
						       { FIXTURE_TABLE, DESC_BYTES * SIZE, VRING_DESC_F_INDIRECT } };
	struct virtio_mock_buffer table[SIZE];
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	assert_int_equal(virtio_mock_set_desc(&f.mock, 3, &outside), 0);
	fixture_offer_head(&f, 3);
	expect_failure(&f, VIRTIO_ENEXT);

	for (uint32_t i = 0; i < SIZE; i++)
		table[i] = (struct virtio_mock_buffer)READABLE(FIXTURE_DATA, 1);
	fixture_init(&f, fixture_kind(state), SIZE);
	f.config.indirect = true;
	fixture_start(&f);
	assert_int_equal(virtio_mock_write_table(&f.mock, FIXTURE_TABLE, table, SIZE), 0);
	fixture_offer_chain(&f, 2, too_long, 2);
	expect_failure(&f, VIRTIO_ETOOLONG);
}

/*
 * Hostile 38: a chain is refused because the sum of its lengths is too large, although each buffer
 * is good. The test needs no 4 GiB of memory.
 */
static void chain_resolve_refuses_more_than_4_gib(void **state)
{
	static uint8_t page[4096];
	struct virtio_region region = { .addr = UINT64_C(1) << 40, .len = UINT64_C(1) << 32, .host = page };
	const struct virtio_mock_buffer buffers[] = { READABLE(UINT64_C(1) << 40, UINT32_MAX),
						      READABLE(UINT64_C(1) << 40, 2) };
	const struct virtio_mock_buffer most[] = { READABLE(UINT64_C(1) << 40, UINT32_MAX),
						   READABLE(UINT64_C(1) << 40, 1) };
	struct virtio_segment segments[2];
	struct virtio_region regions[2];
	struct virtio_chain_segments out;
	struct virtio_chain chain = { 0 };
	struct fixture f;

	(void)state;
	if (sizeof(void *) < 8) {
		print_message("addresses of this host are too short for a region of 4 GiB\n");
		skip();
	}
	fixture_init(&f, FIXTURE_FLAT, SIZE);
	/* The buffers are never accessed, so their host memory need not exist. */
	regions[0] = f.regions[0];
	regions[1] = region;
	assert_int_equal(virtio_memory_map_init(&f.device_map, regions, 2), 0);
	fixture_start(&f);
	fixture_offer_chain(&f, 0, buffers, 2);
	expect_failure(&f, VIRTIO_EBYTES);

	fixture_offer_chain(&f, 0, most, 2);
	assert_int_equal(resolve(&f, &chain, segments, 2, &out), 0);
	assert_true(out.readable_bytes == VIRTIO_CHAIN_MAX_BYTES);
	assert_int_equal(out.readable, 2);
}

/*
 * Hostile 33 and 34: a length is far larger than memory, or a buffer begins, lies or ends outside
 * memory.
 */
static void chain_resolve_refuses_buffer_outside_memory(void **state)
{
	static const struct virtio_mock_buffer bad[] = {
		READABLE(FIXTURE_DATA, UINT32_MAX),
		WRITABLE(FIXTURE_DATA, UINT32_MAX),
		READABLE(0, 1),
		READABLE(FIXTURE_BASE - 1, 2),
		WRITABLE(FIXTURE_END - 1, 2),
		READABLE(FIXTURE_END, 1),
		WRITABLE(UINT64_MAX, 1),
		READABLE(UINT64_C(1) << 63, 0x1000),
	};

	for (uint32_t i = 0; i < COUNT(bad); i++) {
		struct fixture f;

		fixture_setup(&f, fixture_kind(state), SIZE);
		fixture_offer_chain(&f, 7, &bad[i], 1);
		expect_failure(&f, VIRTIO_EFAULT);
	}
}

/*
 * Hostile 32: memory lies at both ends of the address space. A range that wraps at one end does not
 * continue at the other end.
 */
static void chain_resolve_refuses_wrap_into_low_page(void **state)
{
	const struct virtio_mock_buffer wraps = WRITABLE(UINT64_MAX - 3, 8);
	const uint8_t bytes[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct virtio_memory_cursor cursor;
	struct virtio_region regions[3];
	struct fixture f;

	(void)state;
	fixture_init(&f, FIXTURE_FLAT, SIZE);
	regions[0] = (struct virtio_region){ .addr = 0, .len = 16, .host = f.ram + 0x900 };
	regions[1] = f.regions[0];
	regions[2] = (struct virtio_region){ .addr = UINT64_MAX - 15, .len = 16, .host = f.ram + 0xa00 };
	assert_int_equal(virtio_memory_map_init(&f.device_map, regions, 3), 0);
	fixture_start(&f);
	fixture_offer_chain(&f, 0, &wraps, 1);
	/*
	 * The last byte of the buffer would be in memory only after the wrap, so it is not a
	 * status.
	 */
	expect_failure(&f, VIRTIO_EFAULT);
	/* A direct write to guest memory cannot wrap either. */
	fixture_save(&f);
	virtio_memory_cursor_init(&cursor, &f.device_map);
	assert_int_equal(virtio_memory_write(&cursor, UINT64_MAX - 3, bytes, 8), VIRTIO_EFAULT);
	assert_true(fixture_ram_unchanged(&f));
}

/* Hostile 34: the buffer has a hole of one byte in its middle, and memory after the hole. */
static void chain_resolve_refuses_buffer_over_hole(void **state)
{
	const struct virtio_mock_buffer over = WRITABLE(FIXTURE_DATA - 4, 9);
	struct virtio_region regions[2];
	struct fixture f;

	(void)state;
	fixture_init(&f, FIXTURE_FLAT, SIZE);
	regions[0] = (struct virtio_region){ .addr = FIXTURE_BASE, .len = FIXTURE_DATA - FIXTURE_BASE, .host = f.ram };
	regions[1] = (struct virtio_region){ .addr = FIXTURE_DATA + 1, .len = 64, .host = f.ram + 0x401 };
	assert_int_equal(virtio_memory_map_init(&f.device_map, regions, 2), 0);
	fixture_start(&f);
	fixture_offer_chain(&f, 0, &over, 1);
	expect_fault(&f, VIRTIO_EFAULT, NULL, 0, FIXTURE_DATA + 4);
}

/* Read-only memory may hold a readable buffer, but no writable buffer. */
static void chain_resolve_refuses_writable_buffer_in_rom(void **state)
{
	const struct virtio_mock_buffer bad[] = { READABLE(FIXTURE_TABLE, 16), WRITABLE(FIXTURE_TABLE, 16) };
	struct virtio_region regions[2];
	struct fixture f;

	(void)state;
	fixture_init(&f, FIXTURE_FLAT, SIZE);
	regions[0] = (struct virtio_region){ .addr = FIXTURE_BASE, .len = 0x800, .host = f.ram };
	regions[1] = (struct virtio_region){
		.addr = FIXTURE_TABLE, .len = 0x800, .host = f.ram + 0x800, .flags = VIRTIO_REGION_READ_ONLY
	};
	assert_int_equal(virtio_memory_map_init(&f.device_map, regions, 2), 0);
	fixture_start(&f);
	fixture_offer_chain(&f, 0, bad, 2);
	expect_fault(&f, VIRTIO_EPERM, bad, 1, 0);
	fixture_offer_chain(&f, 0, bad, 1);
	expect_resolved(&f, bad, 1);
}

/* The translation fails in the middle of a buffer. */
static void chain_resolve_reports_translation(void **state)
{
	static const int errors[] = { VIRTIO_ENOTMAPPED, VIRTIO_EPERM, VIRTIO_EFAULT };
	const struct virtio_mock_buffer buffers[] = { READABLE(FIXTURE_DATA, 16), WRITABLE(FIXTURE_DATA + 32, 64) };

	for (uint32_t i = 0; i < COUNT(errors); i++) {
		struct fixture f;

		fixture_setup(&f, fixture_kind(state), SIZE);
		fixture_offer_chain(&f, 0, buffers, 2);
		f.bad_start = FIXTURE_DATA + 64;
		f.bad_end = FIXTURE_DATA + 80;
		f.bad_error = errors[i];
		if (errors[i] == VIRTIO_ENOTMAPPED)
			expect_failure(&f, errors[i]);
		else
			expect_fault(&f, errors[i], buffers, 1, FIXTURE_DATA + 95);
	}
}

/* Hostile 47: an array that is too small is never overrun, and `needed` has the right count. */
static void chain_resolve_reports_array_too_small(void **state)
{
	const struct virtio_mock_buffer buffers[] = { READABLE(FIXTURE_DATA, 3), READABLE(FIXTURE_DATA + 16, 2),
						      WRITABLE(FIXTURE_DATA + 32, 4), WRITABLE(FIXTURE_DATA + 48, 0) };
	const uint32_t needed = fixture_kind(state) == FIXTURE_ONE_BYTE ? 9 : 3;

	for (uint32_t capacity = 0; capacity < needed; capacity++) {
		struct virtio_segment segments[SEGMENTS], guard;
		struct virtio_queue_stats stats;
		struct virtio_chain_segments out;
		struct virtio_chain chain = { 0 };
		struct fixture f;

		fixture_setup(&f, fixture_kind(state), SIZE);
		fixture_offer_chain(&f, 0, buffers, 4);
		memset(segments, 0x77, sizeof segments);
		memset(&guard, 0x77, sizeof guard);
		assert_int_equal(resolve(&f, &chain, capacity ? segments : NULL, capacity, &out), VIRTIO_ENOBUFS);
		assert_int_equal(out.needed, needed);
		assert_int_equal(out.last_writable.len, 1);
		assert_int_equal(out.last_writable.addr, FIXTURE_DATA + 35);
		assert_ptr_equal(out.last_writable.host,
				 virtio_memory_find(&f.mock.memory, FIXTURE_DATA + 35, 1, VIRTIO_ACCESS_WRITE));
		for (uint32_t i = capacity; i < SEGMENTS; i++)
			assert_memory_equal(&segments[i], &guard, sizeof guard);
		/* An array that is too small is no fault of the chain. */
		virtio_queue_get_stats(&f.queue, &stats);
		assert_int_equal(stats.chain_faults, 0);
		assert_int_equal(stats.first_error, 0);
		assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 0), 0);
	}
}

/* An array that is just large enough works. */
static void chain_resolve_fills_array_to_the_last_entry(void **state)
{
	const struct virtio_mock_buffer buffers[] = { READABLE(FIXTURE_DATA, 2), WRITABLE(FIXTURE_DATA + 32, 3) };
	const uint32_t needed = fixture_kind(state) == FIXTURE_ONE_BYTE ? 5 : 2;
	struct virtio_segment segments[5];
	struct virtio_chain_segments out;
	struct virtio_chain chain = { 0 };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_offer_chain(&f, 0, buffers, 2);
	assert_int_equal(resolve(&f, &chain, segments, needed, &out), 0);
	assert_int_equal(out.needed, needed);
}

/*
 * Hostile 35: buffers over adjacent regions, or over several translated ranges, are resolved
 * completely.
 */
static void chain_resolve_scatters_buffers(void **state)
{
	const struct virtio_mock_buffer buffers[] = { READABLE(FIXTURE_DATA + 5, 44), READABLE(FIXTURE_DATA + 90, 1),
						      WRITABLE(FIXTURE_DATA + 100, 32),
						      WRITABLE(FIXTURE_DATA + 15, 2) };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_offer_chain(&f, 0, buffers, 4);
	expect_resolved(&f, buffers, 4);
}

/*
 * Two adjacent regions have host memory far apart. The border is tried at each byte of the buffer.
 */
static void chain_resolve_splits_at_region_boundary(void **state)
{
	const struct virtio_mock_buffer buffer = WRITABLE(FIXTURE_DATA, 8);

	(void)state;
	for (uint32_t cut = 1; cut < 8; cut++) {
		struct virtio_segment segments[2];
		struct virtio_region regions[2];
		struct virtio_chain_segments out;
		struct virtio_chain chain = { 0 };
		struct fixture f;

		fixture_init(&f, FIXTURE_FLAT, SIZE);
		regions[0] = (struct virtio_region){ .addr = FIXTURE_BASE, .len = 0x400 + cut, .host = f.ram };
		regions[1] = (struct virtio_region){ .addr = FIXTURE_DATA + cut, .len = 16, .host = f.ram + 0x900 };
		assert_int_equal(virtio_memory_map_init(&f.device_map, regions, 2), 0);
		fixture_start(&f);
		fixture_offer_chain(&f, 0, &buffer, 1);
		assert_int_equal(resolve(&f, &chain, segments, 2, &out), 0);
		assert_int_equal(out.writable, 2);
		assert_int_equal(segments[0].len, cut);
		assert_ptr_equal(segments[0].host, f.ram + 0x400);
		assert_ptr_equal(segments[0].region, &regions[0]);
		assert_int_equal(segments[1].len, 8 - cut);
		assert_int_equal(segments[1].addr, FIXTURE_DATA + cut);
		assert_ptr_equal(segments[1].host, f.ram + 0x900);
		assert_ptr_equal(segments[1].region, &regions[1]);
		assert_ptr_equal(out.last_writable.host, f.ram + 0x900 + 7 - cut);
	}
}

/* Hostile 36, like regression R26: a buffer ends with the last byte of memory. */
static void chain_resolve_accepts_buffer_at_end_of_memory(void **state)
{
	const struct virtio_mock_buffer buffers[] = { READABLE(FIXTURE_END - 1, 1), WRITABLE(FIXTURE_END - 32, 32) };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	f.table = FIXTURE_END - 16;
	fixture_offer_chain(&f, 0, buffers, 2);
	expect_resolved(&f, buffers, 2);
}

/* A buffer ends with the last byte of the address space. */
static void chain_resolve_accepts_buffer_at_end_of_address_space(void **state)
{
	const struct virtio_mock_buffer buffer = WRITABLE(UINT64_MAX - 15, 16);
	struct virtio_segment segments[1];
	struct virtio_region regions[2];
	struct virtio_chain_segments out;
	struct virtio_chain chain = { 0 };
	struct fixture f;

	(void)state;
	fixture_init(&f, FIXTURE_FLAT, SIZE);
	regions[0] = f.regions[0];
	regions[1] = (struct virtio_region){ .addr = UINT64_MAX - 15, .len = 16, .host = f.ram + 0x900 };
	assert_int_equal(virtio_memory_map_init(&f.device_map, regions, 2), 0);
	fixture_start(&f);
	fixture_offer_chain(&f, 0, &buffer, 1);
	assert_int_equal(resolve(&f, &chain, segments, 1, &out), 0);
	assert_int_equal(segments[0].len, 16);
	assert_true(out.last_writable.addr == UINT64_MAX);
	assert_ptr_equal(out.last_writable.host, f.ram + 0x90f);
}

/*
 * Hostile 37: empty buffers, wherever they are, make no segment. A chain may have no bytes at all.
 */
static void chain_resolve_skips_empty_buffers(void **state)
{
	const struct virtio_mock_buffer some[] = { READABLE(0, 0), READABLE(FIXTURE_DATA, 4), READABLE(UINT64_MAX, 0),
						   WRITABLE(FIXTURE_DATA + 8, 4), WRITABLE(0, 0) };
	const struct virtio_mock_buffer none[] = { READABLE(0, 0), WRITABLE(UINT64_MAX, 0) };
	/* These empty buffers lie in memory, where an empty segment would be possible. */
	const struct virtio_mock_buffer inside[] = { READABLE(FIXTURE_DATA, 0),     READABLE(FIXTURE_DATA + 1, 4),
						     READABLE(FIXTURE_DATA + 2, 0), WRITABLE(FIXTURE_DATA + 8, 0),
						     WRITABLE(FIXTURE_DATA + 9, 4), WRITABLE(FIXTURE_DATA + 10, 0) };
	struct virtio_chain chain = { 0 };
	struct virtio_chain_segments out;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_offer_chain(&f, 0, some, 5);
	expect_resolved(&f, some, 5);
	fixture_offer_chain(&f, 5, none, 2);
	expect_resolved(&f, none, 2);
	fixture_offer_chain(&f, 0, inside, 6);
	expect_resolved(&f, inside, 6);
	/* An array without entries is large enough for a chain without bytes. */
	fixture_offer_chain(&f, 5, none, 2);
	assert_int_equal(resolve(&f, &chain, NULL, 0, &out), 0);
	assert_int_equal(out.needed, 0);
	assert_int_equal(out.last_writable.len, 0);
}

/* A chain without bytes needs no array. Its reader and its writer need no array either. */
static void chain_resolve_of_no_bytes_needs_no_array(void **state)
{
	const struct virtio_mock_buffer buffers[] = { READABLE(FIXTURE_DATA, 0), WRITABLE(FIXTURE_DATA, 0) };
	struct virtio_chain_segments out;
	struct virtio_reader reader;
	struct virtio_writer writer;
	struct virtio_chain chain = { 0 };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_offer_chain(&f, 0, buffers, 2);
	assert_int_equal(resolve(&f, &chain, NULL, 0, &out), 0);
	virtio_reader_init(&reader, &out);
	virtio_writer_init(&writer, &out);
	assert_int_equal(virtio_reader_left(&reader) + virtio_writer_left(&writer), 0);
	assert_int_equal(virtio_writer_write(&writer, buffers, 1), 0);
}

/* Hostile 41: the segments do not change when the driver rewrites the descriptors. */
static void chain_resolve_keeps_one_snapshot(void **state)
{
	const struct virtio_mock_buffer before[] = { READABLE(FIXTURE_DATA, 16), WRITABLE(FIXTURE_DATA + 32, 16) };
	const struct virtio_mock_buffer after[] = { WRITABLE(FIXTURE_DATA, 64), WRITABLE(0, UINT32_MAX) };
	struct virtio_segment segments[SEGMENTS];
	struct virtio_chain_segments out;
	struct virtio_chain chain = { 0 };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_offer_chain(&f, 0, before, 2);
	assert_int_equal(resolve(&f, &chain, segments, SEGMENTS, &out), 0);
	assert_int_equal(virtio_mock_write_chain(&f.mock, 0, after, 2), 0);
	expect_bytes(&f, segments, out.readable, before, 2, 0);
	expect_bytes(&f, segments + out.readable, out.writable, before, 2, VRING_DESC_F_WRITE);
	assert_int_equal(virtio_segments_bytes(segments, out.needed), 32);
}

/* A chain in an indirect table is resolved as a whole. */
static void chain_resolve_resolves_indirect_table(void **state)
{
	const struct virtio_mock_buffer buffers[] = { READABLE(FIXTURE_DATA, 20), WRITABLE(FIXTURE_DATA + 32, 24),
						      WRITABLE(FIXTURE_DATA + 64, 1) };
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	f.config.indirect = true;
	fixture_start(&f);
	fixture_offer_table(&f, 3, VRING_DESC_F_INDIRECT, buffers, 3);
	expect_resolved(&f, buffers, 3);
}

/* A translation in which one page permits one direction only */

#define ONE_WAY UINT64_C(0x8000)
#define PAGE_BYTES UINT64_C(0x1000)

static int translate_one_way(void *context, uint64_t addr, uint64_t len, uint32_t access,
			     struct virtio_translation *out)
{
	const uint32_t *permitted = context;

	(void)access, (void)len;
	out->addr = addr;
	out->len = PAGE_BYTES - addr % PAGE_BYTES;
	out->access = addr / PAGE_BYTES == ONE_WAY / PAGE_BYTES ? *permitted : VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE;
	return 0;
}

struct one_way {
	uint32_t permitted; /* VIRTIO_ACCESS_ bits of the page at ONE_WAY */
	struct virtio_region region;
	struct virtio_memory_map driver_map, device_map;
	struct virtio_mock mock;
	struct virtio_mock_slot slots[SIZE];
	struct virtio_inflight inflight[SIZE];
	struct virtio_queue_config config;
	struct virtio_queue queue;
	uint8_t bytes[0x10000];
};

/* Resolves and completes a chain of one buffer at addr. `access` is the direction of the buffer. */
static int resolve_one_way(struct one_way *w, uint64_t addr, uint32_t access)
{
	const struct virtio_mock_buffer buffer = { addr, 64, access == VIRTIO_ACCESS_WRITE ? VRING_DESC_F_WRITE : 0 };
	struct virtio_segment segments[4];
	struct virtio_chain_segments all = { .segments = segments, .capacity = 4 };
	struct virtio_chain chain;
	struct vring_used_elem used;
	int error;

	assert_true(virtio_mock_add(&w->mock, &buffer, 1) >= 0);
	assert_int_equal(virtio_queue_pop(&w->queue, &chain), 1);
	error = virtio_chain_resolve(&chain, &all);
	assert_int_equal(virtio_queue_complete(&w->queue, chain.token, 0), 0);
	assert_int_equal(virtio_mock_pop_used(&w->mock, &used), 1);
	return error;
}

/*
 * All buffers are in the page that permits one direction. A buffer of this direction makes a region
 * cached. This region must not permit the other direction to the next buffer.
 */
static void chain_resolve_permits_one_direction_of_a_page(void **state)
{
	static struct one_way w;

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		const uint32_t good = i ? VIRTIO_ACCESS_READ : VIRTIO_ACCESS_WRITE;
		const uint32_t bad = i ? VIRTIO_ACCESS_WRITE : VIRTIO_ACCESS_READ;

		memset(&w, 0, sizeof w);
		w.permitted = good;
		w.region = (struct virtio_region){ .len = sizeof w.bytes, .host = w.bytes };
		assert_int_equal(virtio_memory_map_init(&w.driver_map, &w.region, 1), 0);
		w.device_map = w.driver_map;
		virtio_memory_map_set_translation(&w.device_map, translate_one_way, &w.permitted);
		assert_int_equal(virtio_mock_init(&w.mock, &w.driver_map, 0, SIZE, w.slots, SIZE), 0);
		virtio_mock_fill_config(&w.mock, &w.config);
		assert_int_equal(virtio_queue_init(&w.queue, w.inflight, SIZE), 0);
		assert_int_equal(virtio_queue_start(&w.queue, &w.config, &w.device_map), 0);
		for (uint32_t round = 0; round < 3; round++) {
			assert_int_equal(resolve_one_way(&w, ONE_WAY + 0x100, bad), VIRTIO_EPERM);
			assert_int_equal(resolve_one_way(&w, ONE_WAY, good), 0);
			assert_int_equal(resolve_one_way(&w, ONE_WAY + 0x100, bad), VIRTIO_EPERM);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON_ALL(chain_resolve_passes_on_errors_of_the_walk),
		FIXTURE_ON_ALL(chain_resolve_passes_on_bad_next_and_length),
		FIXTURE_ON(chain_resolve_refuses_more_than_4_gib, FLAT),
		FIXTURE_ON_ALL(chain_resolve_refuses_buffer_outside_memory),
		FIXTURE_ON(chain_resolve_refuses_wrap_into_low_page, FLAT),
		FIXTURE_ON(chain_resolve_refuses_buffer_over_hole, FLAT),
		FIXTURE_ON(chain_resolve_refuses_writable_buffer_in_rom, FLAT),
		FIXTURE_ON(chain_resolve_reports_translation, CHANGING),
		FIXTURE_ON(chain_resolve_reports_array_too_small, FLAT),
		FIXTURE_ON(chain_resolve_reports_array_too_small, ONE_BYTE),
		FIXTURE_ON(chain_resolve_reports_array_too_small, CHANGING),
		FIXTURE_ON_ALL(chain_resolve_fills_array_to_the_last_entry),
		FIXTURE_ON_ALL(chain_resolve_scatters_buffers),
		FIXTURE_ON(chain_resolve_splits_at_region_boundary, FLAT),
		FIXTURE_ON_ALL(chain_resolve_accepts_buffer_at_end_of_memory),
		FIXTURE_ON(chain_resolve_accepts_buffer_at_end_of_address_space, FLAT),
		FIXTURE_ON_ALL(chain_resolve_skips_empty_buffers),
		FIXTURE_ON_ALL(chain_resolve_of_no_bytes_needs_no_array),
		FIXTURE_ON_ALL(chain_resolve_keeps_one_snapshot),
		FIXTURE_ON_ALL(chain_resolve_resolves_indirect_table),
		cmocka_unit_test(chain_resolve_permits_one_direction_of_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
