/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests what virtio_chain_resolve() leaves after a failure: the segments before a bad buffer, the
 * status byte, and whether the walk is over or back at its start. Most tests run over the three
 * memories of fixture.h.
 */
#include "../common/fixture.h"

#define SIZE 8u
#define SEGMENTS 256u
#define BUFFERS 5u

/* A header in two buffers, data in two buffers, and a status. */
static const struct virtio_mock_buffer good[BUFFERS] = {
	READABLE(FIXTURE_DATA + 5, 20),  READABLE(FIXTURE_DATA + 40, 3),  WRITABLE(FIXTURE_DATA + 64, 33),
	WRITABLE(FIXTURE_DATA + 100, 7), WRITABLE(FIXTURE_DATA + 128, 1),
};
#define STATUS (FIXTURE_DATA + 128)

static void setup(struct fixture *f, enum fixture_memory kind)
{
	fixture_init(f, kind, SIZE);
	f->config.indirect = true;
	fixture_start(f);
}

static struct virtio_chain pop(struct fixture *f)
{
	struct virtio_chain chain = { 0 };

	assert_int_equal(virtio_queue_pop(&f->queue, &chain), 1);
	return chain;
}

/*
 * Resolves the chain into an array of `capacity` entries. The entry after the first `capacity`
 * entries must not change.
 */
static int resolve(struct virtio_chain *chain, struct virtio_segment *segments, uint32_t capacity,
		   struct virtio_chain_segments *out)
{
	int got;

	memset(segments, 0x77, (SEGMENTS + 1) * sizeof *segments);
	memset(out, 0x5a, sizeof *out);
	out->segments = capacity ? segments : NULL;
	out->capacity = capacity;
	got = virtio_chain_resolve(chain, out);
	assert_int_equal(segments[capacity].len, UINT64_C(0x7777777777777777));
	assert_true(out->segments == (capacity ? segments : NULL) && out->capacity == capacity);
	return got;
}

static void expect_nothing(const struct virtio_chain_segments *out)
{
	assert_true(out->readable == 0 && out->writable == 0 && out->needed == 0);
	assert_true(out->readable_bytes == 0 && out->writable_bytes == 0 && out->last_writable.len == 0);
}

static void expect_counts(struct fixture *f, uint64_t faults, uint64_t too_many, uint64_t not_mapped, int first)
{
	struct virtio_queue_stats stats;

	virtio_queue_get_stats(&f->queue, &stats);
	assert_int_equal(stats.chain_faults, faults);
	assert_int_equal(stats.too_many_segments, too_many);
	assert_int_equal(stats.not_mapped, not_mapped);
	assert_int_equal(stats.first_error, first);
	assert_int_equal(stats.ring_faults, 0);
}

/* Returns the number of segments that a buffer has in the fixture's memory. */
static uint32_t pieces(const struct fixture *f, const struct virtio_mock_buffer *b)
{
	if (f->kind == FIXTURE_FLAT)
		return b->len != 0;
	if (f->kind == FIXTURE_ONE_BYTE)
		return b->len;
	return b->len ? (uint32_t)((b->addr + b->len - 1) / 16 - b->addr / 16 + 1) : 0;
}

static uint32_t pieces_of(const struct fixture *f, const struct virtio_mock_buffer *buffers, uint32_t count)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++)
		n += pieces(f, &buffers[i]);
	return n;
}

/* The array must hold the segments of these buffers, or as many of the segments as fit. */
static void expect_front(struct fixture *f, const struct virtio_chain_segments *out,
			 const struct virtio_mock_buffer *buffers, uint32_t count)
{
	const uint32_t needed = pieces_of(f, buffers, count);
	uint64_t bytes[2] = { 0, 0 };
	uint32_t segments[2] = { 0, 0 }, s = 0;

	assert_int_equal(out->needed, needed);
	for (uint32_t i = 0; i < count; i++) {
		const bool writable = buffers[i].flags & VRING_DESC_F_WRITE;

		for (uint64_t at = 0; at < buffers[i].len && s < out->capacity; s++) {
			const struct virtio_segment *segment = &out->segments[s];

			assert_int_equal(segment->addr, buffers[i].addr + at);
			assert_ptr_equal(segment->host,
					 virtio_memory_find(&f->mock.memory, segment->addr, 1, VIRTIO_ACCESS_READ));
			at += segment->len;
			assert_true(at <= buffers[i].len);
			bytes[writable] += segment->len;
			segments[writable]++;
		}
	}
	assert_int_equal(s, needed < out->capacity ? needed : out->capacity);
	assert_int_equal(out->readable, segments[0]);
	assert_int_equal(out->writable, segments[1]);
	assert_int_equal(out->readable_bytes, bytes[0]);
	assert_int_equal(out->writable_bytes, bytes[1]);
}

/* The last writable byte must be at addr. If addr is 0, no last writable byte may be reported. */
static void expect_status(struct fixture *f, const struct virtio_chain_segments *out, uint64_t addr)
{
	assert_int_equal(out->last_writable.len, addr != 0);
	if (addr == 0)
		return;
	assert_int_equal(out->last_writable.addr, addr);
	assert_ptr_equal(out->last_writable.host, virtio_memory_find(&f->mock.memory, addr, 1, VIRTIO_ACCESS_WRITE));
	assert_true(addr - out->last_writable.region->addr < out->last_writable.region->len);
}

/* The error must be final: further calls return the same error, and yield nothing of the chain. */
static void expect_final(struct virtio_chain *chain, int error)
{
	struct virtio_segment segments[SEGMENTS + 1];
	struct virtio_desc desc = { 1, 2, true };
	struct virtio_chain_segments out;

	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(resolve(chain, segments, i * (SEGMENTS / 2), &out), error);
		expect_nothing(&out);
		assert_int_equal(virtio_chain_next(chain, &desc), error);
		assert_true(desc.addr == 1 && desc.len == 2 && desc.writable);
	}
}

/* Arrays that are too small */

/*
 * Tries every capacity that is too small. Checks the segments that fit, the number of segments
 * needed, the status and the counters. An array of the needed size then gets the whole chain.
 */
static void chain_resolve_works_after_small_arrays(void **state)
{
	struct virtio_segment segments[SEGMENTS + 1];

	for (uint32_t capacity = 0;; capacity++) {
		struct virtio_chain_segments out;
		struct virtio_chain chain;
		struct fixture f;

		setup(&f, fixture_kind(state));
		/*
		 * Each call reads the chain again, so the memory must not rewrite the descriptors.
		 */
		f.rewriting = false;
		if (capacity == pieces_of(&f, good, BUFFERS))
			break;
		fixture_offer_table(&f, 3, VRING_DESC_F_INDIRECT, good, BUFFERS);
		chain = pop(&f);
		for (uint32_t turn = 1; turn <= 2; turn++) {
			assert_int_equal(resolve(&chain, segments, capacity, &out), VIRTIO_ENOBUFS);
			expect_front(&f, &out, good, BUFFERS);
			expect_status(&f, &out, STATUS);
			expect_counts(&f, 0, turn, 0, 0);
		}
		assert_int_equal(resolve(&chain, segments, out.needed, &out), 0);
		expect_front(&f, &out, good, BUFFERS);
		expect_status(&f, &out, STATUS);
		expect_counts(&f, 0, 2, 0, 0);
		assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 0), 0);
	}
}

static void chain_next_begins_at_the_start_after_a_small_array(void **state)
{
	struct virtio_segment segments[SEGMENTS + 1];

	for (uint32_t indirect = 0; indirect < 2; indirect++) {
		struct virtio_chain_segments out;
		struct virtio_chain chain;
		struct virtio_desc desc = { 0 };
		struct fixture f;

		setup(&f, fixture_kind(state));
		f.rewriting = false;
		if (indirect)
			fixture_offer_table(&f, 3, VRING_DESC_F_INDIRECT, good, BUFFERS);
		else
			fixture_offer_chain(&f, 3, good, BUFFERS);
		chain = pop(&f);
		assert_int_equal(resolve(&chain, segments, 1, &out), VIRTIO_ENOBUFS);
		for (uint32_t i = 0; i < BUFFERS; i++) {
			assert_int_equal(virtio_chain_next(&chain, &desc), 1);
			assert_true(desc.addr == good[i].addr && desc.len == good[i].len);
		}
		assert_int_equal(virtio_chain_next(&chain, &desc), 0);
	}
}

/* The driver changes the chain before the second call. That call sees the new chain. */
static void chain_resolve_after_a_small_array_reads_anew(void **state)
{
	const struct virtio_mock_buffer other[] = { READABLE(FIXTURE_DATA + 200, 4), WRITABLE(FIXTURE_DATA + 220, 2) };
	struct virtio_segment segments[SEGMENTS + 1];
	struct virtio_chain_segments out;
	struct virtio_chain chain;
	struct fixture f;

	setup(&f, fixture_kind(state));
	fixture_offer_chain(&f, 0, good, BUFFERS);
	chain = pop(&f);
	assert_int_equal(resolve(&chain, segments, 2, &out), VIRTIO_ENOBUFS);
	assert_int_equal(virtio_mock_write_chain(&f.mock, 0, other, 2), 0);
	memset(f.seen, 0, sizeof f.seen);
	assert_int_equal(resolve(&chain, segments, SEGMENTS, &out), 0);
	expect_front(&f, &out, other, 2);
	expect_status(&f, &out, FIXTURE_DATA + 221);
}

/*
 * The error of a malformed chain is returned even if a buffer is bad. The error of a bad buffer is
 * returned even if the array is too small.
 */
static void chain_resolve_into_small_array_reports_what_is_wrong(void **state)
{
	struct virtio_mock_buffer buffers[BUFFERS + 1];
	struct virtio_segment segments[SEGMENTS + 1];
	struct virtio_chain_segments out;
	struct virtio_chain chain;
	struct fixture f;

	memcpy(buffers, good, sizeof good);
	buffers[3].addr = FIXTURE_END;
	buffers[5] = (struct virtio_mock_buffer)READABLE(FIXTURE_DATA, 1);
	for (uint32_t capacity = 0; capacity < 2; capacity++) {
		setup(&f, fixture_kind(state));
		fixture_offer_chain(&f, 0, buffers, BUFFERS);
		chain = pop(&f);
		assert_int_equal(resolve(&chain, segments, capacity, &out), VIRTIO_EFAULT);
		expect_front(&f, &out, buffers, 3);
		expect_status(&f, &out, STATUS);
		expect_final(&chain, VIRTIO_EFAULT);
		expect_counts(&f, 1, 0, 0, VIRTIO_EFAULT);

		setup(&f, fixture_kind(state));
		fixture_offer_chain(&f, 0, buffers, BUFFERS + 1);
		chain = pop(&f);
		assert_int_equal(resolve(&chain, segments, capacity, &out), VIRTIO_EORDER);
		expect_nothing(&out);
		expect_final(&chain, VIRTIO_EORDER);
		expect_counts(&f, 1, 0, 0, VIRTIO_EORDER);
	}
}

/*
 * The number of segments needed excludes the segments of a bad buffer, whether or not these
 * segments would fit into the array.
 */
static void chain_resolve_does_not_count_a_bad_buffer(void **state)
{
	const struct virtio_mock_buffer buffers[] = { READABLE(FIXTURE_DATA, 4), WRITABLE(FIXTURE_END - 40, 41) };
	struct virtio_segment segments[SEGMENTS + 1];

	for (uint32_t capacity = 0; capacity < 60; capacity++) {
		struct virtio_chain_segments out;
		struct virtio_chain chain;
		struct fixture f;

		setup(&f, fixture_kind(state));
		fixture_offer_chain(&f, 0, buffers, 2);
		chain = pop(&f);
		assert_int_equal(resolve(&chain, segments, capacity, &out), VIRTIO_EFAULT);
		expect_front(&f, &out, buffers, 1);
		expect_status(&f, &out, 0);
	}
}

/* Bad buffers */

static const struct virtio_mock_buffer bad[] = {
	READABLE(FIXTURE_END, 1),
	READABLE(FIXTURE_BASE - 1, 1),
	READABLE(FIXTURE_END - 1, 2),
	READABLE(UINT64_MAX, 1),
	READABLE(UINT64_MAX - 1, 9),
	READABLE(UINT64_MAX, UINT32_MAX - 1000),
	READABLE(FIXTURE_BASE, UINT32_MAX - 1000),
};

/*
 * Hostile 31 to 34: one buffer is bad. Every position of that buffer is tried, in direct
 * descriptors and in a table. The status is found unless the status buffer itself is bad.
 */
static void chain_resolve_keeps_front_and_status_around_bad_buffer(void **state)
{
	for (uint32_t i = 0; i < COUNT(bad) * BUFFERS * 2; i++) {
		const uint32_t at = i / 2 % BUFFERS;
		struct virtio_segment segments[SEGMENTS + 1];
		struct virtio_mock_buffer buffers[BUFFERS];
		struct virtio_chain_segments out;
		struct virtio_chain chain;
		struct fixture f;

		memcpy(buffers, good, sizeof good);
		buffers[at].addr = bad[i / 2 / BUFFERS].addr;
		buffers[at].len = bad[i / 2 / BUFFERS].len;
		setup(&f, fixture_kind(state));
		/*
		 * The buffer at FIXTURE_BASE covers the descriptor table. The fixture would mistake
		 * the look-up of this buffer for a read of descriptors, and would rewrite the
		 * descriptors.
		 */
		f.rewriting = buffers[at].addr != FIXTURE_BASE;
		if (i % 2)
			fixture_offer_table(&f, 3, VRING_DESC_F_INDIRECT, buffers, BUFFERS);
		else
			fixture_offer_chain(&f, 3, buffers, BUFFERS);
		chain = pop(&f);
		assert_int_equal(resolve(&chain, segments, SEGMENTS, &out), VIRTIO_EFAULT);
		expect_front(&f, &out, good, at);
		expect_status(&f, &out, at == BUFFERS - 1 ? 0 : STATUS);
		expect_counts(&f, 1, 0, 0, VIRTIO_EFAULT);
		expect_final(&chain, VIRTIO_EFAULT);
		expect_counts(&f, 1, 0, 0, VIRTIO_EFAULT);
		assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 0), 0);
	}
}

/*
 * The segments end before the first bad buffer. An empty buffer is never bad and never holds the
 * status.
 */
static void chain_resolve_cuts_at_the_first_of_several_bad_buffers(void **state)
{
	struct virtio_mock_buffer buffers[BUFFERS + 1];
	struct virtio_segment segments[SEGMENTS + 1];
	struct virtio_chain_segments out;
	struct virtio_chain chain;
	struct fixture f;

	memcpy(buffers, good, sizeof good);
	buffers[5] = (struct virtio_mock_buffer)WRITABLE(UINT64_MAX, 0);
	buffers[0] = (struct virtio_mock_buffer)READABLE(FIXTURE_END, 0);
	buffers[2].addr = buffers[3].addr = FIXTURE_END;
	setup(&f, fixture_kind(state));
	fixture_offer_chain(&f, 0, buffers, BUFFERS + 1);
	chain = pop(&f);
	assert_int_equal(resolve(&chain, segments, SEGMENTS, &out), VIRTIO_EFAULT);
	expect_front(&f, &out, buffers, 2);
	expect_status(&f, &out, STATUS);
	expect_counts(&f, 1, 0, 0, VIRTIO_EFAULT);
}

/*
 * Hostile 34: the last buffer has a hole in its middle. The buffer's last byte is still found as
 * the status.
 */
static void chain_resolve_finds_status_behind_hole_in_last_buffer(void **state)
{
	const struct virtio_mock_buffer buffers[] = { READABLE(FIXTURE_DATA - 64, 16), WRITABLE(FIXTURE_DATA - 4, 9) };
	struct virtio_segment segments[SEGMENTS + 1];
	struct virtio_chain_segments out;
	struct virtio_region regions[2];
	struct virtio_chain chain;
	struct fixture f;

	(void)state;
	fixture_init(&f, FIXTURE_FLAT, SIZE);
	regions[0] = (struct virtio_region){ .addr = FIXTURE_BASE, .len = FIXTURE_DATA - FIXTURE_BASE, .host = f.ram };
	regions[1] = (struct virtio_region){ .addr = FIXTURE_DATA + 1, .len = 64, .host = f.ram + 0x401 };
	assert_int_equal(virtio_memory_map_init(&f.device_map, regions, 2), 0);
	fixture_start(&f);
	fixture_offer_chain(&f, 0, buffers, 2);
	chain = pop(&f);
	assert_int_equal(resolve(&chain, segments, SEGMENTS, &out), VIRTIO_EFAULT);
	expect_front(&f, &out, buffers, 1);
	expect_status(&f, &out, FIXTURE_DATA + 4);
}

/* Hostile 32: a status that wraps into the low page is refused, although memory lies there. */
static void chain_resolve_finds_no_status_that_wraps(void **state)
{
	const struct virtio_mock_buffer buffers[] = { READABLE(FIXTURE_DATA, 16), WRITABLE(UINT64_MAX - 3, 8) };
	struct virtio_segment segments[SEGMENTS + 1];
	uint8_t bytes[8] = { 0 };
	struct virtio_chain_segments out;
	struct virtio_region regions[3];
	struct virtio_chain chain;
	struct virtio_desc desc = { 0 };
	struct fixture f;

	(void)state;
	fixture_init(&f, FIXTURE_FLAT, SIZE);
	regions[0] = (struct virtio_region){ .addr = 0, .len = 16, .host = f.ram + 0x900 };
	regions[1] = f.regions[0];
	regions[2] = (struct virtio_region){ .addr = UINT64_MAX - 15, .len = 16, .host = f.ram + 0xa00 };
	assert_int_equal(virtio_memory_map_init(&f.device_map, regions, 3), 0);
	fixture_start(&f);
	fixture_offer_chain(&f, 0, buffers, 2);
	fixture_offer_chain(&f, 2, buffers, 2);
	chain = pop(&f);
	assert_int_equal(resolve(&chain, segments, SEGMENTS, &out), VIRTIO_EFAULT);
	expect_front(&f, &out, buffers, 1);
	expect_status(&f, &out, 0);
	/*
	 * virtio_chain_next() yields the buffer. An access to the buffer fails, and changes no byte
	 * at either end of the address space.
	 */
	chain = pop(&f);
	fixture_save(&f);
	assert_int_equal(virtio_chain_next(&chain, &desc), 1);
	assert_int_equal(virtio_chain_next(&chain, &desc), 1);
	assert_true(desc.addr == UINT64_MAX - 3 && desc.len == 8 && desc.writable);
	assert_int_equal(virtio_memory_write(chain.memory, desc.addr, bytes, desc.len), VIRTIO_EFAULT);
	assert_int_equal(virtio_memory_read(chain.memory, desc.addr, bytes, desc.len), VIRTIO_EFAULT);
	assert_int_equal(virtio_chain_next(&chain, &desc), 0);
	assert_true(fixture_ram_unchanged(&f));
}

/* A writable buffer in read-only memory is a bad buffer. The error is VIRTIO_EPERM. */
static void chain_resolve_keeps_front_and_status_around_read_only_buffer(void **state)
{
	(void)state;
	for (uint32_t at = 2; at < BUFFERS; at++) {
		struct virtio_segment segments[SEGMENTS + 1];
		struct virtio_mock_buffer buffers[BUFFERS];
		struct virtio_chain_segments out;
		struct virtio_region regions[2];
		struct virtio_chain chain;
		struct fixture f;

		memcpy(buffers, good, sizeof good);
		buffers[at].addr = FIXTURE_TABLE;
		fixture_init(&f, FIXTURE_FLAT, SIZE);
		regions[0] = (struct virtio_region){ .addr = FIXTURE_BASE, .len = 0x800, .host = f.ram };
		regions[1] = (struct virtio_region){
			.addr = FIXTURE_TABLE, .len = 0x800, .host = f.ram + 0x800, .flags = VIRTIO_REGION_READ_ONLY
		};
		assert_int_equal(virtio_memory_map_init(&f.device_map, regions, 2), 0);
		fixture_start(&f);
		fixture_offer_chain(&f, 0, buffers, BUFFERS);
		chain = pop(&f);
		assert_int_equal(resolve(&chain, segments, SEGMENTS, &out), VIRTIO_EPERM);
		expect_front(&f, &out, buffers, at);
		expect_status(&f, &out, at == BUFFERS - 1 ? 0 : STATUS);
		expect_counts(&f, 1, 0, 0, VIRTIO_EPERM);
		expect_final(&chain, VIRTIO_EPERM);
	}
}

/*
 * The translation fails at one buffer with one error. Every buffer and every error is tried. After
 * VIRTIO_ENOTMAPPED the caller gets no segments and no status. Runs in changing memory only.
 */
static void chain_resolve_keeps_front_and_status_around_bad_translation(void **state)
{
	static const int errors[] = { VIRTIO_EFAULT, VIRTIO_EPERM, VIRTIO_ENOTMAPPED };

	for (uint32_t i = 0; i < COUNT(errors) * BUFFERS; i++) {
		const int error = errors[i / BUFFERS];
		const bool fault = error != VIRTIO_ENOTMAPPED;
		struct virtio_segment segments[SEGMENTS + 1];
		struct virtio_mock_buffer buffers[BUFFERS];
		struct virtio_chain_segments out;
		struct virtio_chain chain;
		struct fixture f;

		memcpy(buffers, good, sizeof good);
		buffers[i % BUFFERS].addr = FIXTURE_DATA + 0x100;
		setup(&f, fixture_kind(state));
		f.bad_start = FIXTURE_DATA + 0x100;
		f.bad_end = f.bad_start + 64;
		f.bad_error = error;
		fixture_offer_chain(&f, 0, buffers, BUFFERS);
		chain = pop(&f);
		assert_int_equal(resolve(&chain, segments, SEGMENTS, &out), error);
		expect_front(&f, &out, buffers, fault ? i % BUFFERS : 0);
		expect_status(&f, &out, fault && i % BUFFERS != BUFFERS - 1 ? STATUS : 0);
		expect_counts(&f, fault, 0, !fault, fault ? error : 0);
		expect_final(&chain, error);
		expect_counts(&f, fault, 0, !fault, fault ? error : 0);
	}
}

/*
 * One buffer is bad, and the status byte is not mapped yet. The chain is counted as a chain fault
 * only when the status byte is mapped. Runs in changing memory only.
 */
static void chain_resolve_waits_for_status_behind_bad_buffer(void **state)
{
	struct virtio_segment segments[SEGMENTS + 1];
	struct virtio_mock_buffer buffers[BUFFERS];
	struct virtio_chain_segments out;
	struct virtio_chain chain;
	struct fixture f;

	memcpy(buffers, good, sizeof good);
	buffers[1].addr = FIXTURE_END;
	setup(&f, fixture_kind(state));
	f.rewriting = false;
	f.bad_start = STATUS;
	f.bad_end = STATUS + 16;
	f.bad_error = VIRTIO_ENOTMAPPED;
	fixture_offer_chain(&f, 0, buffers, BUFFERS);
	chain = pop(&f);
	assert_int_equal(resolve(&chain, segments, SEGMENTS, &out), VIRTIO_ENOTMAPPED);
	expect_nothing(&out);
	expect_final(&chain, VIRTIO_ENOTMAPPED);
	expect_counts(&f, 0, 0, 1, 0);
	assert_int_equal(virtio_queue_unpop(&f.queue, chain.token), 0);
	f.bad_error = 0;
	chain = pop(&f);
	assert_int_equal(resolve(&chain, segments, SEGMENTS, &out), VIRTIO_EFAULT);
	expect_front(&f, &out, buffers, 1);
	expect_status(&f, &out, STATUS);
	expect_counts(&f, 1, 0, 1, VIRTIO_EFAULT);
}

/* Malformed chains */

/* The bad forms of descriptor 2, which follows a readable and a writable buffer. */
static const struct {
	struct vring_desc desc;
	int error;
} shapes[] = {
	{ { FIXTURE_DATA, 1, 0, 0 }, VIRTIO_EORDER },
	{ { FIXTURE_DATA, 1, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, SIZE }, VIRTIO_ENEXT },
	{ { FIXTURE_DATA, 1, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 2 }, VIRTIO_ETOOLONG },
	{ { FIXTURE_DATA, UINT32_MAX, VRING_DESC_F_WRITE, 0 }, VIRTIO_EBYTES },
	{ { FIXTURE_TABLE, 24, VRING_DESC_F_INDIRECT, 0 }, VIRTIO_EINDIRECT },
	{ { FIXTURE_END, 16, VRING_DESC_F_INDIRECT, 0 }, VIRTIO_EFAULT },
};

/*
 * A bad buffer may precede the malformed descriptor. virtio_chain_resolve() still returns the error
 * of the malformed descriptor, and yields no part of the chain.
 */
static void chain_resolve_yields_nothing_of_a_malformed_chain(void **state)
{
	static const uint64_t places[] = { FIXTURE_DATA, FIXTURE_END, UINT64_MAX };

	for (uint32_t i = 0; i < COUNT(shapes) * COUNT(places) * 2; i++) {
		const uint64_t place = places[i / 2 % COUNT(places)];
		struct virtio_mock_buffer front[] = { READABLE(FIXTURE_DATA, 20), WRITABLE(FIXTURE_DATA + 32, 9) };
		const uint32_t kind = i / 2 / COUNT(places);
		struct virtio_segment segments[SEGMENTS + 1];
		struct virtio_chain_segments out;
		struct virtio_chain chain;
		struct vring_desc second;
		struct fixture f;

		front[i % 2].addr = place;
		setup(&f, fixture_kind(state));
		/*
		 * One row is a loop. If the memory rewrote the descriptors of the loop, the loop
		 * would end.
		 */
		f.rewriting = shapes[kind].error != VIRTIO_ETOOLONG;
		assert_int_equal(virtio_mock_write_chain(&f.mock, 0, front, 2), 0);
		assert_int_equal(virtio_mock_get_desc(&f.mock, 1, &second), 0);
		second.flags |= VRING_DESC_F_NEXT;
		second.next = 2;
		assert_int_equal(virtio_mock_set_desc(&f.mock, 1, &second), 0);
		assert_int_equal(virtio_mock_set_desc(&f.mock, 2, &shapes[kind].desc), 0);
		fixture_offer_head(&f, 0);
		chain = pop(&f);
		assert_int_equal(resolve(&chain, segments, SEGMENTS, &out), shapes[kind].error);
		expect_nothing(&out);
		expect_counts(&f, 1, 0, 0, shapes[kind].error);
		expect_final(&chain, shapes[kind].error);
		expect_counts(&f, 1, 0, 0, shapes[kind].error);
		assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 0), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON_ALL(chain_resolve_works_after_small_arrays),
		FIXTURE_ON_ALL(chain_next_begins_at_the_start_after_a_small_array),
		FIXTURE_ON_ALL(chain_resolve_after_a_small_array_reads_anew),
		FIXTURE_ON_ALL(chain_resolve_into_small_array_reports_what_is_wrong),
		FIXTURE_ON_ALL(chain_resolve_does_not_count_a_bad_buffer),
		FIXTURE_ON_ALL(chain_resolve_keeps_front_and_status_around_bad_buffer),
		FIXTURE_ON_ALL(chain_resolve_cuts_at_the_first_of_several_bad_buffers),
		FIXTURE_ON(chain_resolve_finds_status_behind_hole_in_last_buffer, FLAT),
		FIXTURE_ON(chain_resolve_finds_no_status_that_wraps, FLAT),
		FIXTURE_ON(chain_resolve_keeps_front_and_status_around_read_only_buffer, FLAT),
		FIXTURE_ON(chain_resolve_keeps_front_and_status_around_bad_translation, CHANGING),
		FIXTURE_ON(chain_resolve_waits_for_status_behind_bad_buffer, CHANGING),
		FIXTURE_ON_ALL(chain_resolve_yields_nothing_of_a_malformed_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
