/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests requests that fail: too short, with too many segments, malformed, outside memory, or not
 * mapped yet. Later requests must not be affected.
 */
#include "request_fixture.h"

#define N VRING_DESC_F_NEXT
#define W VRING_DESC_F_WRITE
#define I VRING_DESC_F_INDIRECT

/*
 * Hostile 112: a header that is shorter than the device expects, by any number of bytes, is an
 * error. The header lies in one or two buffers, with or without data before the status.
 */
static void request_pop_reports_short_header(void **state)
{
	struct request_fixture w;

	request_setup(&w, fixture_kind(state));
	for (uint32_t i = 0; i < REQUEST_HEADERS; i++) {
		struct ask a = { .error = VIRTIO_ESHORT };

		request_prepare(&w, request_headers[i], ROOM);
		for (a.header = 0; a.header < request_headers[i]; a.header++)
			for (uint32_t k = 0; k < 8; k++) {
				a.in = k % 2 * 5;
				a.write_cuts = k / 2 % 2 * 16;
				a.read_cuts = k / 4 * (UINT64_C(1) << a.header / 2);
				request_try_layout(&w, a, k == 3);
			}
	}
	request_check_faults(&w, 0);
}

/*
 * Hostile 110 and 111: a request without a byte for the status is an error, also if the request has
 * no bytes at all. The device expects a header or no header.
 */
static void request_pop_reports_missing_status(void **state)
{
	for (uint32_t i = 0; i < 3 * 3 * 2; i++) {
		struct ask a = { .header = i % 3 * 16, .out = i / 3 % 3 * 9, .no_status = true };
		struct request_fixture w;

		a.error = VIRTIO_ESHORT;
		a.read_cuts = 1u << 15 | 1u << 20;
		/*
		 * A chain has at least one descriptor, so a request without bytes gets an empty
		 * buffer.
		 */
		a.empty = a.header + a.out == 0;
		request_setup(&w, fixture_kind(state));
		request_prepare(&w, i / 9 * 16, ROOM);
		request_try_layout(&w, a, true);
		a.empty_writable = true;
		request_try_layout(&w, a, false);
		request_check_faults(&w, VIRTIO_ESHORT);
	}
}

/*
 * Hostile 47: arrays of every capacity are tried, from 0 to the capacity that is just large enough.
 */
static void request_pop_reports_more_segments_than_room(void **state)
{
	for (uint32_t i = 0; i < 2 * WAYS * REQUEST_SHAPES; i++) {
		struct sent s = { .needed = 1 };

		for (uint32_t capacity = 0; capacity <= s.needed; capacity++) {
			struct ask a = request_shapes[i / 2 / WAYS];
			struct virtio_queue_stats stats;
			struct request_fixture w;

			a.header = i % 2 ? 0 : 16;
			a.empty_writable = a.header == 0;
			request_setup(&w, fixture_kind(state));
			request_prepare(&w, a.header, capacity);
			request_add(&w, &a, &s);
			a.error = capacity < s.needed ? VIRTIO_ENOBUFS : 0;
			assert_int_equal(request_pop(&w, i / 2 % WAYS), 1);
			for (uint32_t k = capacity; k <= ROOM; k++)
				assert_true(w.segments[k].addr == UNTOUCHED && w.segments[k].len == UNTOUCHED);
			request_judge(&w, &a, &s);
			request_check_faults(&w, a.error);
			virtio_queue_get_stats(&w.f.queue, &stats);
			assert_int_equal(stats.too_many_segments, a.error != 0);
		}
	}
}

/*
 * Malformed chains and their errors. A chain starts at descriptor 0, or at the first descriptor of
 * a table.
 */
static const struct malformed {
	struct vring_desc d[4];
	int error;
} malformed[] = {
	/*
	 * Hostile 1 and 2: the chain is a loop. Loops come first, because tests in changing memory
	 * start after the first LOOPS rows.
	 */
	{ { { OUT, 0, N, 0 } }, VIRTIO_ETOOLONG },
	{ { { OUT, 16, N, 1 }, { IN, 1, N | W, 1 } }, VIRTIO_ETOOLONG },
	{ { { OUT, 16, N, 1 }, { IN, 8, N | W, 2 }, { IN, 1, N | W, 2 } }, VIRTIO_ETOOLONG },
#define LOOPS 3u
	/* Hostile 40: a readable buffer follows a writable buffer. */
	{ { { IN, 1, N | W, 1 }, { OUT, 16, N, 2 }, { IN, 1, W, 0 } }, VIRTIO_EORDER },
	{ { { OUT, 16, N, 1 }, { IN, 8, N | W, 2 }, { OUT, 1, 0, 0 } }, VIRTIO_EORDER },
	{ { { OUT, 16, N, 1 }, { IN, 8, N | W, 2 }, { IN, 1, N | W, 3 }, { 0, 0, 0, 0 } }, VIRTIO_EORDER },
	/* Hostile 5 and 29: `next` is outside the table. */
	{ { { OUT, 16, N, SIZE } }, VIRTIO_ENEXT },
	{ { { OUT, 16, N, 1 }, { IN, 8, N | W, SIZE } }, VIRTIO_ENEXT },
	{ { { OUT, 16, N, 1 }, { IN, 8, N | W, 2 }, { IN, 1, N | W, 0xffff } }, VIRTIO_ENEXT },
	/*
	 * Hostile 18, 21, 22 and 23: a table has a bad length. If the chain itself is in a table,
	 * the bad table is also nested.
	 */
	{ { { OUT, 0, I, 0 } }, VIRTIO_EINDIRECT },
	{ { { OUT, 24, I, 0 } }, VIRTIO_EINDIRECT },
	{ { { OUT, 16 * (SIZE + 1), I, 0 } }, VIRTIO_EINDIRECT },
	{ { { OUT, 16, N, 1 }, { IN, 1, N | W, 2 }, { 0, 0, I, 0 } }, VIRTIO_EINDIRECT },
};

static void go_through_malformed(struct request_fixture *w, const struct malformed *m, bool indirect, uint32_t way)
{
	const struct vring_desc table = { FIXTURE_TABLE, sizeof m->d, I, 0 };
	const uint64_t at = indirect ? FIXTURE_TABLE : w->f.mock.addr[VIRTIO_QUEUE_DESC];
	const uint16_t head = indirect ? 7 : 0;

	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(virtio_mock_set_desc_at(&w->f.mock, at, i, &m->d[i]), 0);
	assert_int_equal(virtio_mock_set_desc(&w->f.mock, 7, &table), 0);
	fixture_offer_head(&w->f, head);
	assert_int_equal(request_pop(w, way), 1);
	request_check_error(w, head, m->error, NULL);
}

static void request_pop_reports_malformed_chains(void **state)
{
	for (uint32_t i = 0; i < 2 * WAYS * COUNT(malformed); i++) {
		const uint32_t k = i % COUNT(malformed), way = i / COUNT(malformed) % WAYS;
		struct request_fixture w;

		if (k < LOOPS && fixture_kind(state) == FIXTURE_CHANGING)
			continue;
		request_setup(&w, fixture_kind(state));
		request_prepare(&w, 16, ROOM);
		go_through_malformed(&w, &malformed[k], i / COUNT(malformed) >= WAYS, way);
		request_check_faults(&w, malformed[k].error);
	}
}

/* Hostile 27: indirect tables were not negotiated. */
static void request_pop_reports_table_that_was_not_negotiated(void **state)
{
	struct ask a = { .header = 16, .indirect = true, .error = VIRTIO_EINDIRECT, .status_lost = true };
	struct request_fixture w = { 0 };

	fixture_setup(&w.f, fixture_kind(state), SIZE);
	request_prepare(&w, 16, ROOM);
	request_go_through(&w, &a);
	request_check_faults(&w, a.error);
}

/*
 * Sets *addr to the address of the status, the last writable byte, and returns addr. Returns NULL
 * if there is no writable byte, or if the last writable byte is outside memory.
 */
static const uint64_t *status_of(const struct sent *s, uint64_t *addr)
{
	for (uint32_t i = s->count; i-- > 0;) {
		const struct virtio_mock_buffer *b = &s->buffers[i];

		if (!b->flags || b->len == 0)
			continue;
		*addr = b->addr + (b->len - 1);
		return *addr >= b->addr && *addr >= FIXTURE_BASE && *addr < FIXTURE_END ? addr : NULL;
	}
	return NULL;
}

/*
 * Hostile 31 to 34 and 131: one buffer of the header, the data or the status is bad. The status
 * byte reports the error unless the status byte itself is bad.
 */
static void request_pop_reports_bad_buffers_and_keeps_the_status(void **state)
{
	static const struct virtio_mock_buffer bad[] = {
		READABLE(FIXTURE_END, 1),      READABLE(FIXTURE_END - 15, 16),     READABLE(UINT64_MAX, 1),
		READABLE(UINT64_MAX - 15, 16), READABLE(UINT64_MAX - 7, 16),       READABLE(FIXTURE_BASE - 1, 1),
		READABLE(FIXTURE_BASE - 1, 8), READABLE(FIXTURE_BASE - 1, 0x1002), READABLE(0, UINT32_MAX - 0x1000),
	};

	for (uint32_t i = 0; i < COUNT(bad) * REQUEST_SHAPES; i++) {
		struct sent s = { .count = 1 };

		for (uint32_t k = 0; k < s.count * WAYS; k++) {
			uint64_t status;
			struct request_fixture w;

			request_setup(&w, fixture_kind(state));
			request_prepare(&w, 16, ROOM);
			w.f.table = FIXTURE_END;
			request_lay_out(&w, &request_shapes[i % REQUEST_SHAPES], &s);
			s.buffers[k / WAYS].addr = bad[i / REQUEST_SHAPES].addr;
			s.buffers[k / WAYS].len = bad[i / REQUEST_SHAPES].len;
			request_offer(&w, &s, false);
			assert_int_equal(request_pop(&w, k % WAYS), 1);
			request_check_error(&w, s.head, VIRTIO_EFAULT, status_of(&s, &status));
			request_check_faults(&w, VIRTIO_EFAULT);
		}
	}
}

/*
 * Translations, in changing memory only. The tests clear `rewriting`, so that a chain can be read
 * again.
 */

/*
 * Returns whether the descriptors or the table of a chain have a byte in the 16 bytes from addr on.
 */
static bool touches_tables(const struct request_fixture *w, const struct ask *a, const struct sent *s, uint64_t addr)
{
	const uint64_t desc = virtio_mock_desc_addr(&w->f.mock, s->head);

	return (addr >= desc && addr < desc + 16 * (a->indirect ? 1 : s->count)) ||
	       (a->indirect && addr >= FIXTURE_TABLE && addr < FIXTURE_TABLE + 16 * s->count);
}

/*
 * Returns whether the descriptors, the table or the buffers of a chain have a byte in the 16 bytes
 * from addr on.
 */
static bool touches(const struct request_fixture *w, const struct ask *a, const struct sent *s, uint64_t addr)
{
	bool found = touches_tables(w, a, s, addr);

	for (uint32_t i = 0; i < s->count; i++)
		found = found || (s->buffers[i].len && addr < s->buffers[i].addr + s->buffers[i].len &&
				  s->buffers[i].addr < addr + 16);
	return found;
}

/*
 * The translation fails with this error for 16 bytes. If the chain needs these bytes, the request
 * has this error. In the case of VIRTIO_ENOTMAPPED each pop is undone until the bytes are mapped.
 */
static void try_answer(struct ask a, uint64_t addr, int error)
{
	struct virtio_queue_stats stats;
	struct request_fixture w;
	struct sent s;

	request_setup(&w, FIXTURE_CHANGING);
	w.f.rewriting = false;
	request_prepare(&w, a.header, ROOM);
	request_add(&w, &a, &s);
	w.f.bad_start = addr;
	w.f.bad_end = addr + 16;
	w.f.bad_error = error;
	a.error = touches(&w, &a, &s, addr) ? error : 0;
	a.status_lost = touches_tables(&w, &a, &s, addr) || s.write_at[a.in] / 16 == addr / 16;
	for (uint32_t i = 0; i < 4 && a.error == VIRTIO_ENOTMAPPED; i++)
		request_pop_none(&w, VIRTIO_ENOTMAPPED, i % WAYS);
	if (error == VIRTIO_ENOTMAPPED)
		w.f.bad_error = a.error = 0;
	virtio_queue_get_stats(&w.f.queue, &stats);
	assert_true(stats.chains == 0 && virtio_queue_next_avail(&w.f.queue) == 0);
	assert_int_equal(stats.not_mapped, error == VIRTIO_ENOTMAPPED && touches(&w, &a, &s, addr) ? 4 : 0);
	assert_int_equal(request_pop(&w, (uint32_t)(addr / 16 % WAYS)), 1);
	request_judge(&w, &a, &s);
	request_check_faults(&w, a.error);
}

static void request_pop_reports_each_error_of_a_translation(void **state)
{
	static const int errors[] = { VIRTIO_ENOTMAPPED, VIRTIO_EFAULT, VIRTIO_EPERM };

	(void)state;
	for (uint32_t i = 0; i < REQUEST_SHAPES * COUNT(errors); i++) {
		for (uint32_t k = 0; k < 8; k++)
			try_answer(request_shapes[i / COUNT(errors)], FIXTURE_BASE + 16 * k, errors[i % COUNT(errors)]);
		for (uint64_t addr = FIXTURE_DATA - 16; addr < FIXTURE_TABLE + 0x100; addr += 16)
			try_answer(request_shapes[i / COUNT(errors)], addr, errors[i % COUNT(errors)]);
	}
}

/* Requests that must fail. The device expects a header of 16 bytes. */
static const struct ask failures[] = {
	{ .header = 15, .in = 3, .write_cuts = 4, .error = VIRTIO_ESHORT },
	{ .header = 16, .out = 4, .read_cuts = 1u << 15, .no_status = true, .error = VIRTIO_ESHORT },
	{ .empty = 1, .no_status = true, .error = VIRTIO_ESHORT },
	{ .header = 16, .in = 44, .write_cuts = 0xfff, .gap = 1, .error = VIRTIO_ENOBUFS },
	{ .header = 16,
	  .in = 8,
	  .write_cuts = 1u << 7,
	  .write_at = FIXTURE_END - 8,
	  .error = VIRTIO_EFAULT,
	  .status_lost = true },
	{ .header = 16,
	  .in = 8,
	  .write_cuts = 1u << 7,
	  .write_at = UINT64_MAX - 8,
	  .error = VIRTIO_EFAULT,
	  .status_lost = true },
};

#define OUTCOMES (REQUEST_SHAPES + COUNT(failures) + COUNT(malformed) + 1)

static void come_out(struct request_fixture *w, uint32_t k, uint32_t way)
{
	const uint32_t bad = k - REQUEST_SHAPES - COUNT(failures), least = w->f.kind == FIXTURE_CHANGING ? LOOPS : 0;
	struct ask a = k < REQUEST_SHAPES ? request_shapes[k] : failures[k % COUNT(failures)];
	struct sent s;

	a.way = way;
	request_pop_none(w, 0, POP);
	if (k < REQUEST_SHAPES + COUNT(failures)) {
		request_go_through(w, &a);
	} else if (k < OUTCOMES - 1) {
		go_through_malformed(w, &malformed[bad < least ? least : bad], (bad + way) % 2 != 0, way);
	} else if (w->f.kind == FIXTURE_CHANGING) {
		/*
		 * The translation first reports that the data is not mapped yet, and later that the
		 * data is outside memory.
		 */
		a = request_shapes[0];
		a.write_at = w->f.bad_start = FIXTURE_TABLE - 16;
		w->f.bad_end = FIXTURE_TABLE;
		w->f.bad_error = VIRTIO_ENOTMAPPED;
		w->f.rewriting = false;
		request_add(w, &a, &s);
		request_pop_none(w, VIRTIO_ENOTMAPPED, way);
		w->f.bad_error = a.error = VIRTIO_EFAULT;
		a.status_lost = true;
		assert_int_equal(request_pop(w, way), 1);
		request_judge(w, &a, &s);
		w->f.rewriting = true;
		w->f.bad_error = 0;
	}
}

/*
 * Every kind of request is tried after each kind of request. The outcome must be as in a fresh
 * queue, because no state of the earlier request may be left.
 */
static void request_pop_forgets_the_request_before(void **state)
{
	struct request_fixture w;

	request_setup(&w, fixture_kind(state));
	/* Enough segments for all requests, except the request that must have too many. */
	request_prepare(&w, 16, fixture_kind(state) == FIXTURE_ONE_BYTE ? 48 : 8);
	for (uint32_t i = 0; i < OUTCOMES * WAYS * OUTCOMES * WAYS; i++) {
		come_out(&w, i / WAYS % OUTCOMES, i % WAYS);
		come_out(&w, i / WAYS / OUTCOMES / WAYS, i / WAYS / OUTCOMES % WAYS);
	}
	assert_true(virtio_queue_quiesced(&w.f.queue));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON_ALL(request_pop_reports_short_header),
		FIXTURE_ON_ALL(request_pop_reports_missing_status),
		FIXTURE_ON_ALL(request_pop_reports_more_segments_than_room),
		FIXTURE_ON_ALL(request_pop_reports_malformed_chains),
		FIXTURE_ON_ALL(request_pop_reports_table_that_was_not_negotiated),
		FIXTURE_ON_ALL(request_pop_reports_bad_buffers_and_keeps_the_status),
		cmocka_unit_test(request_pop_reports_each_error_of_a_translation),
		FIXTURE_ON_ALL(request_pop_forgets_the_request_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
