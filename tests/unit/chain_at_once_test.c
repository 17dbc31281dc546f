/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * virtio_chain_walk(), which is virtio_chain_next() to the end, and virtio_chain_collect_after() some steps: over the
 * three memories of fixture.h. That both agree with single steps for all small tables is shown by tests/exhaustive.
 */
#include <virtio/reader.h>

#include "fixture.h"

#define SIZE 8u
#define ROOM (SIZE + 2)
#define SEGMENTS 64u

static const struct virtio_desc guard = { 0x5a5a, 0xa5, true };

static struct virtio_chain pop(struct fixture *f)
{
	struct virtio_chain chain = { 0 };

	assert_int_equal(virtio_queue_pop(&f->queue, &chain), 1);
	return chain;
}

static void expect_faults(struct fixture *f, uint64_t count, int first)
{
	struct virtio_queue_stats stats;

	virtio_queue_get_stats(&f->queue, &stats);
	assert_int_equal(stats.chain_faults, count);
	assert_int_equal(stats.first_error, first);
	assert_int_equal(stats.ring_faults, 0);
}

static void expect_desc(const struct virtio_desc *d, const struct virtio_mock_buffer *buffer)
{
	assert_int_equal(d->addr, buffer->addr);
	assert_int_equal(d->len, buffer->len);
	assert_int_equal(d->writable, (buffer->flags & VRING_DESC_F_WRITE) != 0);
}

static bool is_guard(const struct virtio_desc *d)
{
	return d->addr == guard.addr && d->len == guard.len && d->writable == guard.writable;
}

/* Walks in one call; the first count are as the buffers say, and the others untouched. */
static int walk(struct virtio_chain *chain, uint32_t capacity, const struct virtio_mock_buffer *buffers, uint32_t count)
{
	struct virtio_desc out[ROOM];
	int got;

	for (uint32_t i = 0; i < ROOM; i++)
		out[i] = guard;
	got = virtio_chain_walk(chain, out, capacity);
	for (uint32_t i = 0; i < ROOM; i++) {
		if (i < count)
			expect_desc(&out[i], &buffers[i]);
		else
			assert_true(is_guard(&out[i]));
	}
	return got;
}

/* Buffers of which the first ones are readable. */
static void make_buffers(struct virtio_mock_buffer *buffers, uint32_t count, uint32_t readable)
{
	for (uint32_t i = 0; i < count; i++)
		buffers[i] = (struct virtio_mock_buffer){ FIXTURE_DATA + 32 * i, 5 + i,
							  i < readable ? 0 : VRING_DESC_F_WRITE };
}

/* Of every length and division, the shape of the short cut among them, direct and in a table. */
static void chain_walk_yields_all_at_once(void **state)
{
	for (uint32_t count = 1; count <= SIZE; count++)
		for (uint32_t k = 0; k < 2 * (count + 1); k++) {
			struct virtio_mock_buffer buffers[SIZE];
			struct virtio_chain chain;
			struct fixture f;

			make_buffers(buffers, count, k / 2);
			fixture_init(&f, fixture_kind(state), SIZE);
			f.config.indirect = k % 2 != 0;
			fixture_start(&f);
			if (k % 2)
				fixture_offer_table(&f, 3, VRING_DESC_F_INDIRECT, buffers, count);
			else
				fixture_offer_chain(&f, SIZE - count, buffers, count);
			chain = pop(&f);
			assert_int_equal(walk(&chain, count + k % 3, buffers, count), count);
			/* The end is final, as is what was walked of it. */
			assert_int_equal(walk(&chain, ROOM, NULL, 0), 0);
			expect_faults(&f, 0, 0);
			assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 0), 0);
		}
}

/* Direct descriptors may come before the table. */
static void chain_walk_goes_on_into_table(void **state)
{
	struct virtio_mock_buffer buffers[3];
	struct vring_desc first = { 0 };
	struct virtio_chain chain;
	struct fixture f;

	make_buffers(buffers, 3, 2);
	fixture_init(&f, fixture_kind(state), SIZE);
	f.config.indirect = true;
	fixture_start(&f);
	/* The head that was offered is moved to descriptor 4, and the buffer before it takes its place. */
	fixture_offer_table(&f, 4, VRING_DESC_F_INDIRECT, buffers + 1, 2);
	assert_int_equal(virtio_mock_get_desc(&f.mock, 4, &first), 0);
	assert_int_equal(virtio_mock_set_desc(&f.mock, 5, &first), 0);
	first = (struct vring_desc){ buffers[0].addr, buffers[0].len, VRING_DESC_F_NEXT, 5 };
	assert_int_equal(virtio_mock_set_desc(&f.mock, 4, &first), 0);
	chain = pop(&f);
	assert_int_equal(walk(&chain, 3, buffers, 3), 3);
	expect_faults(&f, 0, 0);
}

/* An array that is too small is no fault of the chain's, and the walk goes on behind it. */
static void chain_walk_of_small_array_can_go_on(void **state)
{
	for (uint32_t count = 1; count <= 5; count++)
		for (uint32_t capacity = 0; capacity < count; capacity++) {
			struct virtio_mock_buffer buffers[SIZE];
			struct virtio_chain chain;
			struct virtio_desc desc;
			struct fixture f;

			make_buffers(buffers, count, 1);
			fixture_setup(&f, fixture_kind(state), SIZE);
			fixture_offer_chain(&f, 0, buffers, count);
			chain = pop(&f);
			assert_int_equal(walk(&chain, capacity, buffers, capacity), VIRTIO_ENOBUFS);
			assert_int_equal(virtio_chain_next(&chain, &desc), 1);
			expect_desc(&desc, &buffers[capacity]);
			assert_int_equal(walk(&chain, SIZE, buffers + capacity + 1, count - capacity - 1),
					 count - capacity - 1);
			expect_faults(&f, 0, 0);
		}
}

/* A walk that has begun step by step is ended in one call. */
static void chain_walk_ends_what_was_begun(void **state)
{
	const struct virtio_mock_buffer buffers[] = { WRITABLE(FIXTURE_DATA, 1), READABLE(FIXTURE_DATA, 16),
						      READABLE(FIXTURE_DATA, 16), WRITABLE(FIXTURE_DATA, 1) };
	struct virtio_chain chain;
	struct virtio_desc desc;
	struct fixture f;

	/* Three are left, of the short cut's shape, but for what was before them. */
	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_offer_chain(&f, 0, buffers, 4);
	chain = pop(&f);
	assert_int_equal(virtio_chain_next(&chain, &desc), 1);
	assert_int_equal(walk(&chain, 3, NULL, 0), VIRTIO_EORDER);
	expect_faults(&f, 1, VIRTIO_EORDER);
}

/* hostile 4: three descriptors of the short cut's shape, of which the last one is one more than the queue has. */
static void chain_walk_counts_what_was_walked_before(void **state)
{
	struct virtio_mock_buffer buffers[5];
	struct vring_desc table = { 0 };
	struct virtio_chain chain;
	struct virtio_desc desc;
	struct fixture f;

	make_buffers(buffers, 5, 4);
	fixture_init(&f, fixture_kind(state), 4);
	f.config.indirect = true;
	fixture_start(&f);
	/* So that the short cut knows where tables are. */
	fixture_offer_table(&f, 0, VRING_DESC_F_INDIRECT, buffers + 2, 3);
	chain = pop(&f);
	assert_int_equal(walk(&chain, 3, buffers + 2, 3), 3);
	assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 0), 0);
	memset(f.seen, 0, sizeof f.seen);
	/* The table of the last three becomes what follows the first two. */
	fixture_offer_table(&f, 0, VRING_DESC_F_INDIRECT, buffers + 2, 3);
	assert_int_equal(virtio_mock_get_desc(&f.mock, 0, &table), 0);
	assert_int_equal(virtio_mock_write_chain(&f.mock, 0, buffers, 3), 0);
	assert_int_equal(virtio_mock_set_desc(&f.mock, 2, &table), 0);
	chain = pop(&f);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(virtio_chain_next(&chain, &desc), 1);
		expect_desc(&desc, &buffers[i]);
	}
	assert_int_equal(walk(&chain, 4, buffers + 2, 2), VIRTIO_ETOOLONG);
	expect_faults(&f, 1, VIRTIO_ETOOLONG);
}

/* A chain that must fail after some descriptors, with room for three and for more. */
static void expect_error(enum fixture_memory kind, const struct virtio_mock_buffer *buffers, uint32_t count,
			 uint32_t good, int error)
{
	for (uint32_t capacity = 3; capacity <= SIZE; capacity++) {
		struct virtio_chain chain;
		struct vring_used_elem used;
		struct fixture f;

		if (good >= capacity)
			continue;
		fixture_setup(&f, kind, SIZE);
		fixture_offer_chain(&f, 0, buffers, count);
		chain = pop(&f);
		assert_int_equal(walk(&chain, capacity, buffers, good), error);
		expect_faults(&f, 1, error);
		/* The error is final, and the chain is given back. */
		assert_int_equal(walk(&chain, capacity, NULL, 0), error);
		assert_int_equal(walk(&chain, 0, NULL, 0), error);
		expect_faults(&f, 1, error);
		assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 0), 0);
		assert_int_equal(virtio_mock_pop_used(&f.mock, &used), 1);
		assert_int_equal(used.len, 0);
	}
}

/* hostile 31, 38 and 40, at each place of a chain of three: the short cut must see them too. */
static void chain_walk_stops_with_errors_of_the_walk(void **state)
{
	static const struct {
		struct virtio_mock_buffer buffers[3];
		uint32_t good;
		int error;
	} cases[] = {
		{ { WRITABLE(FIXTURE_DATA, 1), READABLE(FIXTURE_DATA, 1), WRITABLE(FIXTURE_DATA, 1) },
		  1,
		  VIRTIO_EORDER },
		{ { READABLE(FIXTURE_DATA, 1), WRITABLE(FIXTURE_DATA, 1), READABLE(FIXTURE_DATA, 1) },
		  2,
		  VIRTIO_EORDER },
		{ { READABLE(UINT64_MAX, 2), READABLE(FIXTURE_DATA, 1), WRITABLE(FIXTURE_DATA, 1) }, 0, VIRTIO_EFAULT },
		{ { READABLE(FIXTURE_DATA, 1), WRITABLE(UINT64_MAX, 2), WRITABLE(FIXTURE_DATA, 1) }, 1, VIRTIO_EFAULT },
		{ { READABLE(FIXTURE_DATA, 1), READABLE(FIXTURE_DATA, 1), WRITABLE(UINT64_MAX, 2) }, 2, VIRTIO_EFAULT },
		{ { READABLE(0, UINT32_MAX), READABLE(0, 2), WRITABLE(0, 1) }, 1, VIRTIO_EBYTES },
		{ { READABLE(0, UINT32_MAX), READABLE(0, 1), WRITABLE(0, 1) }, 2, VIRTIO_EBYTES },
		{ { { FIXTURE_DATA, 16, VRING_DESC_F_INDIRECT }, READABLE(0, 1), WRITABLE(0, 1) },
		  0,
		  VIRTIO_EINDIRECT },
		{ { READABLE(0, 1), { FIXTURE_DATA, 16, VRING_DESC_F_INDIRECT }, WRITABLE(0, 1) },
		  1,
		  VIRTIO_EINDIRECT },
		{ { READABLE(0, 1), READABLE(0, 1), { 0, 16, VRING_DESC_F_INDIRECT } }, 2, VIRTIO_EINDIRECT },
	};

	for (uint32_t i = 0; i < COUNT(cases); i++)
		expect_error(fixture_kind(state), cases[i].buffers, 3, cases[i].good, cases[i].error);
}

/* hostile 38: exactly 2^32 bytes are a chain. */
static void chain_walk_accepts_exactly_4_gib(void **state)
{
	const struct virtio_mock_buffer buffers[] = { READABLE(0, UINT32_MAX), READABLE(0, 0), WRITABLE(0, 1) };
	struct virtio_chain chain;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_offer_chain(&f, 0, buffers, 3);
	chain = pop(&f);
	assert_int_equal(walk(&chain, 3, buffers, 3), 3);
}

/* hostile 5: next outside the table, of each of three. */
static void chain_walk_refuses_next_outside_table(void **state)
{
	for (uint32_t bad = 0; bad < 3; bad++) {
		struct virtio_mock_buffer buffers[3];
		struct vring_desc desc = { 0 };
		struct virtio_chain chain;
		struct fixture f;

		make_buffers(buffers, 3, 2);
		fixture_setup(&f, fixture_kind(state), SIZE);
		fixture_offer_chain(&f, 0, buffers, 3);
		assert_int_equal(virtio_mock_get_desc(&f.mock, bad, &desc), 0);
		desc.flags |= VRING_DESC_F_NEXT;
		desc.next = SIZE;
		assert_int_equal(virtio_mock_set_desc(&f.mock, bad, &desc), 0);
		chain = pop(&f);
		assert_int_equal(walk(&chain, 3, buffers, bad), VIRTIO_ENEXT);
		expect_faults(&f, 1, VIRTIO_ENEXT);
	}
}

/* hostile 1 and 2: a loop ends, in an array and beyond it. Not of changing memory, where it is none. */
static void chain_walk_ends_loop(void **state)
{
	const struct vring_desc there = { FIXTURE_DATA, 0, VRING_DESC_F_NEXT, 6 };
	const struct vring_desc back = { FIXTURE_DATA, 0, VRING_DESC_F_NEXT, 2 };
	struct virtio_mock_buffer buffers[SIZE];
	struct virtio_chain chain;
	struct fixture f;

	for (uint32_t i = 0; i < SIZE; i++)
		buffers[i] = (struct virtio_mock_buffer)READABLE(FIXTURE_DATA, 0);
	fixture_setup(&f, fixture_kind(state), SIZE);
	assert_int_equal(virtio_mock_set_desc(&f.mock, 2, &there), 0);
	assert_int_equal(virtio_mock_set_desc(&f.mock, 6, &back), 0);
	fixture_offer_head(&f, 2);
	chain = pop(&f);
	assert_int_equal(walk(&chain, ROOM, buffers, SIZE), VIRTIO_ETOOLONG);
	expect_faults(&f, 1, VIRTIO_ETOOLONG);
}

/* Answers of a translation for a descriptor. Changing memory only. */
static void chain_walk_passes_on_answers_of_translation(void **state)
{
	static const int errors[] = { VIRTIO_ENOTMAPPED, VIRTIO_EPERM, VIRTIO_EFAULT };

	for (uint32_t i = 0; i < COUNT(errors); i++) {
		struct virtio_mock_buffer buffers[3];
		struct virtio_chain chain;
		struct fixture f;

		make_buffers(buffers, 3, 2);
		fixture_setup(&f, fixture_kind(state), SIZE);
		fixture_offer_chain(&f, 2, buffers, 3);
		f.bad_start = virtio_mock_desc_addr(&f.mock, 3);
		f.bad_end = f.bad_start + 16;
		f.bad_error = errors[i];
		chain = pop(&f);
		assert_int_equal(walk(&chain, 3, buffers, 1), errors[i]);
		expect_faults(&f, errors[i] != VIRTIO_ENOTMAPPED, errors[i] == VIRTIO_ENOTMAPPED ? 0 : errors[i]);
		assert_int_equal(virtio_queue_undo(&f.queue, chain.token), 0);
	}
}

/* Collecting after some steps */

/* Pops, walks some steps, or as many in one call, and collects. */
static int collect_after(struct fixture *f, uint32_t steps, bool at_once, struct virtio_segment *segments,
			 uint32_t capacity, struct virtio_collected *out)
{
	struct virtio_chain chain = pop(f);
	struct virtio_desc walked[SIZE];
	int got;

	if (at_once) {
		got = virtio_chain_walk(&chain, walked, steps);
		assert_true(got == (int)steps || got == VIRTIO_ENOBUFS);
	}
	for (uint32_t i = 0; i < steps && !at_once; i++)
		assert_int_equal(virtio_chain_next(&chain, &walked[i]), 1);
	memset(out, 0x5a, sizeof *out);
	out->segments = segments;
	out->capacity = capacity;
	got = virtio_chain_collect_after(&chain, walked, steps, out);
	assert_int_equal(virtio_queue_complete(&f->queue, chain.token, 0), 0);
	return got;
}

/* After any number of steps it is what it is without any. Empty buffers are among them, and three of the short cut's shape. */
static void chain_collect_after_steps_is_the_same(void **state)
{
	const struct virtio_mock_buffer buffers[] = { READABLE(FIXTURE_DATA + 5, 20), READABLE(0, 0),
						      WRITABLE(FIXTURE_DATA + 40, 9), WRITABLE(UINT64_MAX, 0),
						      WRITABLE(FIXTURE_DATA + 60, 1) };

	for (uint32_t count = 1; count <= COUNT(buffers); count++)
		for (uint32_t k = 0; k < 2 * (count + 1); k++) {
			struct virtio_segment plain[SEGMENTS], segments[SEGMENTS];
			struct virtio_collected want, got;
			struct fixture f;

			memset(plain, 0x77, sizeof plain);
			memset(segments, 0x77, sizeof segments);
			fixture_setup(&f, fixture_kind(state), SIZE);
			fixture_offer_chain(&f, 0, buffers, count);
			assert_int_equal(collect_after(&f, 0, false, plain, SEGMENTS, &want), 0);
			memset(f.seen, 0, sizeof f.seen);
			fixture_offer_chain(&f, 0, buffers, count);
			assert_int_equal(collect_after(&f, k / 2, k % 2 != 0, segments, SEGMENTS, &got), 0);
			assert_memory_equal(segments, plain, sizeof plain);
			got.segments = plain;
			assert_memory_equal(&got, &want, sizeof want);
		}
}

/* Buffers that were walked are looked up too, and what is wrong with one of them is an error. */
static void chain_collect_after_steps_checks_all(void **state)
{
	struct virtio_segment segments[SEGMENTS];

	for (uint32_t bad = 0; bad < 3; bad++)
		for (uint32_t steps = 0; steps <= 3; steps++) {
			struct virtio_mock_buffer buffers[3];
			struct virtio_collected out;
			struct fixture f;

			make_buffers(buffers, 3, 2);
			buffers[bad].addr = FIXTURE_END;
			fixture_setup(&f, fixture_kind(state), SIZE);
			fixture_offer_chain(&f, 0, buffers, 3);
			assert_int_equal(collect_after(&f, steps, false, segments, SEGMENTS, &out), VIRTIO_EFAULT);
			assert_int_equal(out.needed, 0x5a5a5a5a);
			expect_faults(&f, 1, VIRTIO_EFAULT);
		}
}

/* Nothing is written past an array, however much of the chain was walked; what is needed is said all the same. */
static void chain_collect_after_steps_reports_array_too_small(void **state)
{
	const uint32_t needed = fixture_kind(state) == FIXTURE_ONE_BYTE ? 5 + 6 + 7 : 3;

	for (uint32_t capacity = 0; capacity < needed; capacity++)
		for (uint32_t steps = 0; steps <= 3; steps++) {
			struct virtio_segment segments[SEGMENTS], before;
			struct virtio_mock_buffer buffers[3];
			struct virtio_collected out;
			struct fixture f;

			make_buffers(buffers, 3, 2);
			memset(segments, 0x77, sizeof segments);
			memset(&before, 0x77, sizeof before);
			fixture_setup(&f, fixture_kind(state), SIZE);
			fixture_offer_chain(&f, 0, buffers, 3);
			assert_int_equal(collect_after(&f, steps, true, segments, capacity, &out), VIRTIO_ENOBUFS);
			assert_int_equal(out.needed, needed);
			assert_int_equal(out.last_writable.addr, FIXTURE_DATA + 64 + 6);
			for (uint32_t i = capacity; i < SEGMENTS; i++)
				assert_memory_equal(&segments[i], &before, sizeof before);
			expect_faults(&f, 0, 0);
		}
}

/*
 * An error of the walk comes again, as often as it is asked for. None takes its place when a buffer that was walked is bad
 * too, nor is it counted again.
 */
static void chain_collect_after_error_returns_it(void **state)
{
	static const uint64_t places[] = { FIXTURE_DATA, FIXTURE_END };

	for (uint32_t i = 0; i < COUNT(places); i++) {
		const struct virtio_mock_buffer buffers[] = { WRITABLE(places[i], 1), READABLE(FIXTURE_DATA, 1) };
		struct virtio_segment segments[SEGMENTS];
		struct virtio_collected out = { .segments = segments, .capacity = SEGMENTS };
		struct virtio_desc walked[2];
		struct virtio_chain chain;
		struct fixture f;

		fixture_setup(&f, fixture_kind(state), SIZE);
		fixture_offer_chain(&f, 0, buffers, 2);
		chain = pop(&f);
		assert_int_equal(virtio_chain_next(&chain, &walked[0]), 1);
		assert_int_equal(virtio_chain_next(&chain, &walked[1]), VIRTIO_EORDER);
		for (int turn = 0; turn < 2; turn++)
			assert_int_equal(virtio_chain_collect_after(&chain, walked, 1, &out), VIRTIO_EORDER);
		assert_int_equal(out.needed, 0);
		expect_faults(&f, 1, VIRTIO_EORDER);
	}
}

/* Descriptors that the caller has kept to itself are missing, and no byte is counted that has no segment. */
static void chain_collect_counts_what_it_collects(void **state)
{
	struct virtio_mock_buffer buffers[4];
	struct virtio_segment segments[SEGMENTS];
	struct virtio_collected out = { .segments = segments, .capacity = SEGMENTS };
	struct virtio_desc walked;
	struct virtio_chain chain;
	struct fixture f;

	make_buffers(buffers, 4, 2);
	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_offer_chain(&f, 0, buffers, 4);
	chain = pop(&f);
	assert_int_equal(virtio_chain_next(&chain, &walked), 1);
	assert_int_equal(virtio_chain_collect(&chain, &out), 0);
	assert_int_equal(out.readable_bytes, buffers[1].len);
	assert_int_equal(out.writable_bytes, buffers[2].len + buffers[3].len);
	assert_int_equal(virtio_segments_bytes(segments, out.needed), out.readable_bytes + out.writable_bytes);
}

/* No array is needed for a chain without bytes, nor by what reads and writes it. */
static void chain_collect_of_no_bytes_needs_no_array(void **state)
{
	const struct virtio_mock_buffer buffers[] = { READABLE(FIXTURE_DATA, 0), WRITABLE(FIXTURE_DATA, 0) };
	struct virtio_collected out = { .segments = NULL };
	struct virtio_reader reader;
	struct virtio_writer writer;
	struct virtio_chain chain;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_offer_chain(&f, 0, buffers, 2);
	chain = pop(&f);
	assert_int_equal(virtio_chain_collect(&chain, &out), 0);
	virtio_reader_init(&reader, &out);
	virtio_writer_init(&writer, &out);
	assert_int_equal(virtio_reader_left(&reader) + virtio_writer_left(&writer), 0);
	assert_int_equal(virtio_writer_write(&writer, buffers, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON_ALL(chain_walk_yields_all_at_once),
		FIXTURE_ON_ALL(chain_walk_goes_on_into_table),
		FIXTURE_ON_ALL(chain_walk_of_small_array_can_go_on),
		FIXTURE_ON_ALL(chain_walk_ends_what_was_begun),
		FIXTURE_ON_ALL(chain_walk_counts_what_was_walked_before),
		FIXTURE_ON_ALL(chain_walk_stops_with_errors_of_the_walk),
		FIXTURE_ON_ALL(chain_walk_accepts_exactly_4_gib),
		FIXTURE_ON_ALL(chain_walk_refuses_next_outside_table),
		FIXTURE_ON(chain_walk_ends_loop, FLAT),
		FIXTURE_ON(chain_walk_ends_loop, ONE_BYTE),
		FIXTURE_ON(chain_walk_passes_on_answers_of_translation, CHANGING),
		FIXTURE_ON_ALL(chain_collect_after_steps_is_the_same),
		FIXTURE_ON_ALL(chain_collect_after_steps_checks_all),
		FIXTURE_ON(chain_collect_after_steps_reports_array_too_small, FLAT),
		FIXTURE_ON(chain_collect_after_steps_reports_array_too_small, ONE_BYTE),
		FIXTURE_ON_ALL(chain_collect_after_error_returns_it),
		FIXTURE_ON_ALL(chain_collect_counts_what_it_collects),
		FIXTURE_ON_ALL(chain_collect_of_no_bytes_needs_no_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
