/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests requests in flight: results of a pop, and what a completion writes into the driver's
 * memory. request_parse_test.c tests the layouts of requests.
 */
#include <virtio/queue_state.h>
#include <virtio/queue_sync.h>

#include "../common/fixture.h"

#define SIZE 8u
#define ROOM 64u
#define HEADER 16u
#define OUT FIXTURE_DATA
#define IN (FIXTURE_DATA + 0x100u)
#define END (FIXTURE_DATA + 0x200u) /* usual address of the status byte */
#define REQUESTS 4u

/* Buffers of the driver, and the expected result. */
static const struct shape {
	struct virtio_mock_buffer buffers[4];
	uint32_t count;
	uint32_t in;     /* writable bytes of data */
	uint64_t status; /* address of the status byte; 0 if there is none */
	int error;
} shapes[] = {
	{ { READABLE(OUT, 16), WRITABLE(IN, 8), WRITABLE(END, 1) }, 3, 8, END, 0 },
	{ { READABLE(OUT, 16), READABLE(OUT + 24, 8), WRITABLE(END, 1) }, 3, 0, END, 0 },
	{ { READABLE(OUT, 20), WRITABLE(IN, 9) }, 2, 8, IN + 8, 0 },
	{ { READABLE(OUT, 16), WRITABLE(IN, 3), WRITABLE(IN + 5, 1), WRITABLE(END, 2) }, 4, 5, END + 1, 0 },
	{ { READABLE(OUT, 15), WRITABLE(IN, 8), WRITABLE(END, 1) }, 3, 0, END, VIRTIO_ESHORT },
	{ { READABLE(OUT, 16), READABLE(OUT, 8) }, 2, 0, 0, VIRTIO_ESHORT },
	{ { WRITABLE(END, 1), READABLE(OUT, 16) }, 2, 0, 0, VIRTIO_EORDER },
	{ { READABLE(OUT, 16), WRITABLE(FIXTURE_END, 8), WRITABLE(END, 1) }, 3, 0, END, VIRTIO_EFAULT },
};

#define GOOD 4u /* number of shapes without an error, which are the first in the list */

struct request_fixture {
	struct fixture f;
	struct virtio_request requests[REQUESTS];
	struct virtio_segment segments[REQUESTS][ROOM];
	uint8_t headers[REQUESTS][HEADER];
	struct virtio_queue_sync sync; /* used by the tests of the lock, in place of f.queue */
	uint32_t taken, held;          /* number of lock calls; 1 while the lock is held */
};

static void prepare(struct request_fixture *w)
{
	memset(w->headers, 0x5a, sizeof w->headers);
	for (uint32_t i = 0; i < REQUESTS; i++) {
		memset(&w->requests[i], 0x5a, sizeof w->requests[i]);
		assert_int_equal(virtio_request_init(&w->requests[i], w->headers[i], HEADER, w->segments[i], ROOM), 0);
	}
}

static void init(struct request_fixture *w, enum fixture_memory kind)
{
	memset(w, 0, sizeof *w);
	fixture_init(&w->f, kind, SIZE);
	w->f.config.indirect = true;
	prepare(w);
}

static void setup(struct request_fixture *w, enum fixture_memory kind)
{
	init(w, kind);
	fixture_start(&w->f);
}

/* Offers the buffers of a shape with this head, directly or in a table. */
static void offer(struct request_fixture *w, uint16_t head, const struct shape *s, bool indirect)
{
	if (indirect)
		fixture_offer_table(&w->f, head, VRING_DESC_F_INDIRECT, s->buffers, s->count);
	else
		fixture_offer_chain(&w->f, head, s->buffers, s->count);
}

/* Pops a request. The available index was read before, so the pop need not read the index. */
static struct virtio_request *pop(struct request_fixture *w, uint32_t which)
{
	assert_int_equal(virtio_queue_available(&w->f.queue), 1);
	assert_int_equal(virtio_request_pop(&w->f.queue, &w->requests[which]), 1);
	return &w->requests[which];
}

static struct virtio_request *send(struct request_fixture *w, uint32_t which, uint16_t head, const struct shape *s)
{
	struct virtio_request *r;

	offer(w, head, s, false);
	r = pop(w, which);
	assert_int_equal(r->error, s->error);
	assert_int_equal(r->data.last_writable.len, s->status ? 1 : 0);
	return r;
}

static uint8_t byte_at(struct request_fixture *w, uint64_t addr)
{
	uint8_t byte = 0;

	fixture_read(&w->f, addr, &byte, 1);
	return byte;
}

static void expect_used(struct request_fixture *w, uint32_t id, uint32_t len)
{
	struct vring_used_elem used = { 0, 0 };

	assert_int_equal(virtio_mock_pop_used(&w->f.mock, &used), 1);
	assert_int_equal(used.id, id);
	assert_int_equal(used.len, len);
}

/*
 * Returns the expected used length (virtio 1.4, 2.7.8.2): `written` if some data is not
 * written, else the length of the data plus 1 for the status. Returns 0 for a shape with an error.
 */
static uint32_t used_length(const struct shape *s, uint64_t written)
{
	if (s->error)
		return 0;
	return written < s->in ? (uint32_t)written : s->in + 1;
}

/*
 * Completes a request and checks the used element. Only the used ring and the status byte may
 * change.
 */
static void complete(struct request_fixture *w, const struct virtio_request *r, const struct shape *s, uint8_t status,
		     uint64_t written)
{
	const uint64_t ring = w->f.mock.addr[VIRTIO_QUEUE_USED];
	const size_t bytes = (size_t)virtio_mock_area_bytes(&w->f.mock, VIRTIO_QUEUE_USED);
	const uint8_t old = s->status ? byte_at(w, s->status) : 0;
	uint8_t before[128], after[128];

	fixture_read(&w->f, ring, before, bytes);
	fixture_save(&w->f);
	assert_int_equal(virtio_request_complete(&w->f.queue, r, status, written), 0);
	expect_used(w, virtio_token_head(r->token), used_length(s, written));
	if (s->status) {
		assert_int_equal(byte_at(w, s->status), status);
		fixture_write(&w->f, s->status, &old, 1);
	}
	fixture_read(&w->f, ring, after, bytes);
	fixture_write(&w->f, ring, before, bytes);
	assert_true(fixture_ram_unchanged(&w->f));
	fixture_write(&w->f, ring, after, bytes);
}

/*
 * Hostile 14 and 46: the request is not in flight, so its completion is refused and changes
 * nothing.
 */
static void expect_stale(struct request_fixture *w, const struct virtio_request *r)
{
	fixture_save(&w->f);
	assert_int_equal(virtio_request_complete(&w->f.queue, r, 0x77, 3), VIRTIO_ESTALE);
	assert_true(fixture_unchanged(&w->f));
}

/* The pop must yield nothing. Request, header and memory must not change. */
static void expect_none(struct request_fixture *w, uint32_t which, int answer)
{
	struct virtio_request before = w->requests[which];
	uint8_t header[HEADER];

	memcpy(header, w->headers[which], HEADER);
	fixture_save(&w->f);
	assert_int_equal(virtio_request_pop(&w->f.queue, &w->requests[which]), answer);
	assert_memory_equal(&w->requests[which], &before, sizeof before);
	assert_memory_equal(w->headers[which], header, HEADER);
	assert_true(fixture_ram_unchanged(&w->f));
}

/*
 * Hostile 132, 133: every number of written bytes is tried, from 0 to more than the buffers hold.
 * With too few segments the used length is 0.
 */
static void request_complete_says_what_was_written(void **state)
{
	static const uint64_t much[] = { 99, UINT32_MAX, UINT64_C(1) << 32, (UINT64_C(1) << 32) + 4, UINT64_MAX };
	struct request_fixture w;

	setup(&w, fixture_kind(state));
	assert_int_equal(virtio_request_init(&w.requests[1], w.headers[1], HEADER, w.segments[1], 1), 0);
	for (uint32_t i = 0; i < COUNT(shapes) * 4; i++)
		for (uint32_t k = 0; k < 12 + COUNT(much); k++) {
			const uint32_t little = i / 2 % 2;
			struct shape s = shapes[i / 4];
			const uint64_t written = k < 12 ? k : much[k - 12];

			if (little && s.error != VIRTIO_EFAULT && (s.error == 0 || s.status))
				s.error = VIRTIO_ENOBUFS;
			offer(&w, (uint16_t)(k % 4), &s, i % 2 != 0);
			complete(&w, pop(&w, little), &s, (uint8_t)(0x80 + k), written);
			assert_true(w.requests[little].error == s.error || (little && s.error == VIRTIO_ESHORT));
		}
}

/*
 * Completes a request twice, and once more when another request has the same head. The status of
 * the other request must not change.
 */
static void request_complete_refuses_second_completion(void **state)
{
	for (uint32_t i = 0; i < COUNT(shapes); i++) {
		struct virtio_request *first, *second;
		struct request_fixture w;

		setup(&w, fixture_kind(state));
		first = send(&w, 0, 3, &shapes[i]);
		complete(&w, first, &shapes[i], 0x12, 0);
		expect_stale(&w, first);
		second = send(&w, 1, 3, &shapes[0]);
		expect_stale(&w, first);
		complete(&w, second, &shapes[0], 0x13, 8);
		expect_stale(&w, first);
		expect_stale(&w, second);
	}
}

/* Hostile 92: a completion is refused after the unpop, after a reset, and after the next start. */
static void request_complete_refuses_an_unpopped_request(void **state)
{
	for (uint32_t i = 0; i < COUNT(shapes); i++) {
		struct virtio_request *r;
		struct request_fixture w;

		setup(&w, fixture_kind(state));
		/* The chain is popped twice, so the memory must not rewrite its descriptors. */
		w.f.rewriting = false;
		r = send(&w, 0, 3, &shapes[i]);
		assert_int_equal(virtio_queue_unpop(&w.f.queue, r->token), 0);
		expect_stale(&w, r);
		r = pop(&w, 1);
		expect_stale(&w, &w.requests[0]);
		virtio_queue_reset(&w.f.queue);
		expect_stale(&w, r);
		assert_int_equal(virtio_mock_reset(&w.f.mock), 0);
		assert_int_equal(virtio_queue_start(&w.f.queue, &w.f.config, &w.f.device_map), 0);
		expect_stale(&w, r);
		(void)send(&w, 2, 3, &shapes[0]);
		expect_stale(&w, &w.requests[0]);
		expect_stale(&w, r);
		complete(&w, &w.requests[2], &shapes[0], 0, 0);
	}
}

/*
 * Tokens of no request, or with an impossible head, are refused. The requests in flight stay in
 * flight.
 */
static void request_complete_refuses_other_tokens(void **state)
{
	/* Each offset, added to the token of head 0, makes a wrong token. */
	static const uint64_t offsets[] = { UINT64_C(1) << 16,
					    UINT64_C(1) << 17,
					    UINT64_MAX << 16,
					    UINT64_MAX << 17,
					    UINT64_C(1) << 47,
					    UINT64_C(1) << 48,
					    UINT64_C(1) << 63,
					    4,
					    7,
					    SIZE,
					    0xffff };

	for (uint32_t i = 0; i < COUNT(shapes); i++) {
		struct virtio_request *r, wrong;
		struct request_fixture w;

		setup(&w, fixture_kind(state));
		r = send(&w, 0, 0, &shapes[i]);
		(void)send(&w, 1, 4, &shapes[0]);
		for (uint32_t k = 0; k < COUNT(offsets); k++) {
			wrong = *r;
			wrong.token.value += offsets[k];
			expect_stale(&w, &wrong);
		}
		wrong.token = (struct virtio_token){ 0 };
		expect_stale(&w, &wrong);
		complete(&w, &w.requests[1], &shapes[0], 1, 8);
		complete(&w, r, &shapes[i], 2, 0);
	}
}

#define LOG_BYTES (FIXTURE_BYTES / 8)

/* A dirty log with one bit for each byte of guest memory. */
struct log {
	struct virtio_dirty_log log;
	_Alignas(8) uint8_t bits[LOG_BYTES];
};

static void make_log(struct log *l)
{
	memset(l, 0, sizeof *l);
	l->log = (struct virtio_dirty_log){ .bitmap = l->bits, .size = LOG_BYTES, .base = FIXTURE_BASE, .unit = 1 };
}

/*
 * Checks that the log has the status byte unless `status` is 0. If `used` is set, the log must also
 * have the first used element and the used index. The log must have no other byte.
 */
static void expect_log(struct request_fixture *w, struct log *l, uint64_t status, bool used)
{
	const uint64_t element = virtio_mock_used_entry_addr(&w->f.mock, 0);
	const uint64_t index = virtio_mock_field_addr(&w->f.mock, VIRTIO_MOCK_USED_IDX);

	for (uint32_t i = 0; i < FIXTURE_BYTES; i++) {
		const uint64_t addr = FIXTURE_BASE + i;
		const bool ring = (addr >= element && addr < element + 8) || addr == index || addr == index + 1;

		assert_int_equal(l->bits[i / 8] >> i % 8 & 1, (used && ring) || (status && addr == status));
	}
}

/*
 * The rings lie below the address IN, and the statuses at or above IN. The memory on each side has
 * a log or no log. All combinations are tried.
 */
static void request_complete_records_the_status(void **state)
{
	for (uint32_t i = 0; i < COUNT(shapes) * 4; i++) {
		const struct shape *s = &shapes[i / 4];
		struct virtio_region two[2], *regions = two;
		struct virtio_request *r;
		uint32_t count = 2;
		struct request_fixture w;
		struct log l;

		make_log(&l);
		init(&w, fixture_kind(state));
		two[0] = two[1] = w.f.regions[0];
		two[0].len = IN - FIXTURE_BASE;
		two[1].len -= two[0].len;
		two[1].addr = IN;
		two[1].host = w.f.ram + two[0].len;
		if (w.f.kind == FIXTURE_ONE_BYTE) {
			regions = w.f.regions;
			count = w.f.device_map.count;
		}
		for (uint32_t k = 0; k < count; k++)
			regions[k].dirty = i & (regions[k].addr < IN ? 1 : 2) ? &l.log : NULL;
		assert_int_equal(virtio_memory_map_init(&w.f.device_map, regions, count), 0);
		fixture_start(&w.f);
		r = send(&w, 0, 2, s);
		assert_true(!(r->fast_complete & VIRTIO_IMPL_ACCESS_UNLOGGED) || !(i & 2));
		memset(l.bits, 0, sizeof l.bits);
		assert_int_equal(virtio_request_complete(&w.f.queue, r, 0x21, 3), 0);
		expect_log(&w, &l, i & 2 ? s->status : 0, (i & 1) != 0);
		expect_used(&w, 2, used_length(s, 3));
		assert_true(!s->status || byte_at(&w, s->status) == 0x21);
	}
}

/* A copy of guest memory at another host address. */
struct elsewhere {
	_Alignas(16) uint8_t ram[FIXTURE_BYTES];
	struct virtio_region region;
	struct virtio_memory_map map;
	struct log log;
};

/* Moves the queue and the driver to the new memory. */
static void move(struct request_fixture *w, struct elsewhere *e, bool logged)
{
	make_log(&e->log);
	fixture_read(&w->f, FIXTURE_BASE, e->ram, sizeof e->ram);
	e->region = (struct virtio_region){ .addr = FIXTURE_BASE, .len = sizeof e->ram, .host = e->ram };
	e->region.dirty = logged ? &e->log.log : NULL;
	assert_int_equal(virtio_memory_map_init(&e->map, &e->region, 1), 0);
	assert_int_equal(virtio_queue_set_memory(&w->f.queue, &e->map), 0);
	virtio_memory_cursor_init(&w->f.mock.memory, &e->map);
}

/*
 * The status is written into the memory in which the request was popped. The used element is
 * written into the new memory.
 */
static void request_complete_after_a_switch_of_memory(void **state)
{
	static struct elsewhere e;

	for (uint32_t i = 0; i < COUNT(shapes) * 2; i++) {
		const struct shape *s = &shapes[i / 2];
		struct virtio_memory_cursor old;
		uint8_t byte = 0, before;
		struct virtio_request *r;
		struct request_fixture w;

		setup(&w, fixture_kind(state));
		virtio_memory_cursor_init(&old, &w.f.driver_map);
		r = send(&w, 0, 1, s);
		move(&w, &e, i % 2 != 0);
		before = byte_at(&w, END);
		assert_false(virtio_queue_old_maps_unused(&w.f.queue));
		fixture_save(&w.f);
		assert_int_equal(virtio_request_complete(&w.f.queue, r, 0x31, 0), 0);
		assert_true(virtio_queue_old_maps_unused(&w.f.queue));
		if (i % 2)
			expect_log(&w, &e.log, 0, true);
		expect_used(&w, 1, used_length(s, 0));
		assert_int_equal(byte_at(&w, s->status ? s->status : END), before);
		/* The old memory has not changed, except for the status. */
		if (s->status) {
			assert_int_equal(virtio_memory_read(&old, s->status, &byte, 1), 0);
			assert_int_equal(byte, 0x31);
			assert_int_equal(virtio_memory_write(&old, s->status, &before, 1), 0);
		}
		assert_true(fixture_ram_unchanged(&w.f));
		expect_stale(&w, r);
		/* Later requests are read and written in the new memory. */
		memset(e.ram + (OUT - FIXTURE_BASE), 0x66, HEADER);
		r = send(&w, 0, 5, &shapes[i % GOOD]);
		assert_int_equal(w.headers[0][HEADER - 1], 0x66);
		assert_int_equal(virtio_request_complete(&w.f.queue, r, 0x32, 0), 0);
		assert_int_equal(byte_at(&w, shapes[i % GOOD].status), 0x32);
		assert_true(fixture_ram_unchanged(&w.f));
	}
}

/*
 * Hostile 10: several requests are in flight, each with its own header and status. The requests are
 * completed out of order, across the wrap of the indices.
 */
static void request_complete_accepts_any_order(void **state)
{
	static const uint32_t order[REQUESTS] = { 2, 0, 3, 1 };
	struct request_fixture w;

	setup(&w, fixture_kind(state));
	assert_int_equal(virtio_mock_seek(&w.f.mock, 0xfffd), 0);
	assert_int_equal(virtio_queue_set_next_avail(&w.f.queue, 0xfffd), 0);
	assert_int_equal(virtio_queue_set_next_used(&w.f.queue, 0xfffd), 0);
	for (uint32_t round = 0; round < GOOD; round++) {
		struct shape sent[REQUESTS];
		uint8_t header[HEADER];

		for (uint32_t i = 0; i < REQUESTS; i++) {
			sent[i] = shapes[(i + round) % GOOD];
			/* Each request gets its own status address. */
			sent[i].buffers[sent[i].count - 1].addr += 0x20 * i;
			sent[i].status += 0x20 * i;
			memset(header, (int)(i + round), sizeof header);
			fixture_write(&w.f, OUT, header, sizeof header);
			(void)send(&w, i, (uint16_t)(2 * i), &sent[i]);
		}
		memset(header, 0xff, sizeof header);
		fixture_write(&w.f, OUT, header, sizeof header);
		for (uint32_t i = 0; i < REQUESTS; i++) {
			const uint32_t which = order[i];

			for (uint32_t k = 0; k < HEADER; k++)
				assert_int_equal(w.headers[which][k], which + round);
			complete(&w, &w.requests[which], &sent[which], (uint8_t)i, i);
		}
		assert_true(virtio_queue_quiesced(&w.f.queue));
	}
}

/*
 * Under IN_ORDER the status is written at once. The used elements follow in order, each with the
 * length of its own request.
 */
static void request_complete_waits_under_in_order(void **state)
{
	static const uint32_t order[REQUESTS] = { 3, 1, 0, 2 }, used[REQUESTS] = { 0, 0, 2, 4 };
	static const struct shape *const sent[REQUESTS] = { &shapes[0], &shapes[4], &shapes[6], &shapes[3] };
	struct request_fixture w;

	init(&w, fixture_kind(state));
	w.f.config.in_order = true;
	fixture_start(&w.f);
	for (uint32_t i = 0; i < REQUESTS; i++)
		(void)send(&w, i, (uint16_t)(2 * i), sent[i]);
	for (uint32_t i = 0; i < REQUESTS; i++) {
		const struct shape *s = sent[order[i]];

		assert_int_equal(virtio_request_complete(&w.f.queue, &w.requests[order[i]], (uint8_t)(i + 1), 7), 0);
		if (s->status)
			assert_int_equal(byte_at(&w, s->status), i + 1);
		assert_int_equal(fixture_get(&w.f, VIRTIO_MOCK_USED_IDX), used[i]);
		/* The used element may not be in the ring yet, but the request is completed. */
		expect_stale(&w, &w.requests[order[i]]);
	}
	for (uint32_t i = 0; i < REQUESTS; i++)
		expect_used(&w, 2 * i, used_length(sent[i], 7));
}

/*
 * Makes the beginning of a ring inaccessible, and replaces the cached region that could still reach
 * the ring. Works in changing memory only.
 */
static void hide(struct request_fixture *w, enum virtio_queue_area area, int error)
{
	w->f.bad_start = w->f.mock.addr[area] & ~UINT64_C(15);
	w->f.bad_end = w->f.bad_start + 16;
	w->f.bad_error = error;
	assert_int_equal(virtio_memory_check(&w->f.queue.ring_memory, OUT, 1, VIRTIO_ACCESS_READ), 0);
}

/*
 * Without the available ring no request is popped. Without the used ring no request is completed,
 * and the request stays in flight.
 */
static void request_reports_rings_that_are_gone(void **state)
{
	static const int errors[] = { VIRTIO_ENOTMAPPED, VIRTIO_EFAULT, VIRTIO_EPERM };

	for (uint32_t i = 0; i < COUNT(shapes) * COUNT(errors); i++) {
		const struct shape *s = &shapes[i / COUNT(errors)];
		const int error = errors[i % COUNT(errors)];
		struct request_fixture w;

		setup(&w, fixture_kind(state));
		(void)send(&w, 0, 6, s);
		hide(&w, VIRTIO_QUEUE_USED, error);
		for (uint32_t k = 0; k < 2; k++)
			assert_int_equal(virtio_request_complete(&w.f.queue, &w.requests[0], 0x61, 0), error);
		assert_int_equal(virtio_queue_in_flight(&w.f.queue), 1);
		assert_int_equal(fixture_get(&w.f, VIRTIO_MOCK_USED_IDX), 0);
		w.f.bad_error = 0;
		complete(&w, &w.requests[0], s, 0x62, 9);
		expect_stale(&w, &w.requests[0]);
		offer(&w, 2, s, false);
		hide(&w, VIRTIO_QUEUE_AVAIL, error);
		expect_none(&w, 0, error);
		expect_none(&w, 0, error == VIRTIO_ENOTMAPPED ? VIRTIO_ENOTMAPPED : VIRTIO_EBROKEN);
		w.f.bad_error = 0;
		if (error == VIRTIO_ENOTMAPPED)
			complete(&w, pop(&w, 0), s, 0x63, 8);
	}
}

/*
 * Every completion, of a good or a bad request, can be the cause of an interrupt. With EVENT_IDX
 * the device interrupts exactly at used_event.
 */
static void request_complete_counts_for_interrupts(void **state)
{
	for (uint32_t event = 0; event <= COUNT(shapes); event++) {
		struct request_fixture w;

		init(&w, fixture_kind(state));
		w.f.config.event_idx = event < COUNT(shapes);
		fixture_start(&w.f);
		fixture_set(&w.f, VIRTIO_MOCK_USED_EVENT, (uint16_t)event);
		for (uint32_t i = 0; i < COUNT(shapes); i++) {
			complete(&w, send(&w, 0, 1, &shapes[i]), &shapes[i], 0, 0);
			/* Without EVENT_IDX the driver wants an interrupt for each completion. */
			assert_int_equal(virtio_queue_needs_interrupt(&w.f.queue),
					 i == event || event == COUNT(shapes));
			assert_false(virtio_queue_needs_interrupt(&w.f.queue));
		}
	}
}

/*
 * Hostile 44, 59 and 64: a pop yields no request if the queue is not started, or if no request is
 * available. A completion is refused if nothing is in flight.
 */
static void request_pop_of_queue_with_nothing(void **state)
{
	struct request_fixture w;

	init(&w, fixture_kind(state));
	assert_int_equal(virtio_queue_init(&w.f.queue, w.f.inflight, FIXTURE_MAX_SIZE), 0);
	expect_none(&w, 0, VIRTIO_ENOTREADY);
	fixture_start(&w.f);
	expect_none(&w, 0, 0);
	expect_stale(&w, &w.requests[0]);
	complete(&w, send(&w, 0, 0, &shapes[0]), &shapes[0], 0, 0);
	offer(&w, 0, &shapes[0], false);
	virtio_queue_reset(&w.f.queue);
	expect_none(&w, 0, VIRTIO_ENOTREADY);
}

/*
 * Hostile 6, 7, 8 and 12: the ring is incoherent, so the queue breaks. Requests that were in flight
 * before are completed as usual.
 */
static void request_pop_passes_on_faults_of_the_ring(void **state)
{
	static const int errors[] = { VIRTIO_EAVAILIDX, VIRTIO_EAVAILIDX, VIRTIO_EHEAD, VIRTIO_EHEAD,
				      VIRTIO_EINFLIGHT };
	/*
	 * The value that causes the error: the available index for the first two errors, and a head
	 * for the other errors.
	 */
	static const uint16_t values[] = { 3 + SIZE, 0, SIZE, 0xffff, 4 };

	for (uint32_t i = 0; i < COUNT(shapes) * COUNT(errors); i++) {
		const uint32_t fault = i % COUNT(errors);
		const struct shape *s = &shapes[i / COUNT(errors)];
		struct request_fixture w;

		setup(&w, fixture_kind(state));
		(void)send(&w, 0, 0, s);
		(void)send(&w, 1, 4, &shapes[0]);
		if (fault < 2)
			fixture_set(&w.f, VIRTIO_MOCK_AVAIL_IDX, values[fault]);
		else
			fixture_offer_head(&w.f, values[fault]);
		expect_none(&w, 2, errors[fault]);
		complete(&w, &w.requests[1], &shapes[0], 1, 3);
		/* The broken queue pops nothing, and still refuses completed tokens. */
		expect_none(&w, 1, VIRTIO_EBROKEN);
		complete(&w, &w.requests[0], s, 2, 99);
		expect_stale(&w, &w.requests[0]);
	}
}

/*
 * Hostile 80: two requests were in flight when the queue was moved. Each request is parsed after
 * its replay. Until both requests are replayed, no pop succeeds.
 */
static void request_parse_accepts_replayed_chain(void **state)
{
	for (uint32_t i = 0; i < COUNT(shapes); i++) {
		const struct shape *sent[2] = { &shapes[i], &shapes[(i + 1) % COUNT(shapes)] };
		struct virtio_queue_state saved;
		struct virtio_queue_flight record[SIZE];
		uint32_t count = 0;
		struct request_fixture w;

		setup(&w, fixture_kind(state));
		/* Each chain is read twice, so the memory must not rewrite its descriptors. */
		w.f.rewriting = false;
		for (uint16_t k = 0; k < 2; k++)
			(void)send(&w, k, 4 * k, sent[k]);
		assert_int_equal(virtio_queue_save_in_flight(&w.f.queue, &saved, record, SIZE, &count), 0);
		assert_int_equal(count, 2);
		assert_int_equal(virtio_queue_init(&w.f.queue, w.f.inflight, FIXTURE_MAX_SIZE), 0);
		assert_int_equal(virtio_queue_restore(&w.f.queue, &saved, &w.f.device_map), 0);
		prepare(&w);
		for (uint32_t k = 0; k < 2; k++) {
			struct virtio_chain chain = { 0 };

			expect_none(&w, k, VIRTIO_EBUSY);
			assert_int_equal(virtio_queue_replay(&w.f.queue, &record[k], &chain), 1);
			assert_int_equal(virtio_request_parse(&chain, &w.requests[k]), 0);
			assert_memory_equal(&w.requests[k].token, &chain.token, sizeof chain.token);
			assert_int_equal(w.requests[k].error, sent[k]->error);
		}
		expect_none(&w, 2, 0);
		for (uint32_t k = 2; k-- > 0;) {
			complete(&w, &w.requests[k], sent[k], 0x40, 99);
			expect_stale(&w, &w.requests[k]);
		}
	}
}

/* A lock that notices when it is taken twice, or released while nobody holds it. */
static void watched_lock(void *context)
{
	struct request_fixture *w = context;

	w->taken++;
	assert_int_equal(w->held++, 0);
}

static void watched_unlock(void *context)
{
	struct request_fixture *w = context;

	assert_int_equal(w->held--, 1);
}

static void assert_locked_once(struct request_fixture *w)
{
	assert_int_equal(w->taken, 1);
	assert_int_equal(w->held, 0);
	w->taken = 0;
}

static void sync_expect_none(struct request_fixture *w, int answer)
{
	struct virtio_request before = w->requests[0];

	assert_int_equal(virtio_request_sync_pop(&w->sync, &w->requests[0]), answer);
	assert_locked_once(w);
	assert_memory_equal(&w->requests[0], &before, sizeof before);
}

static void sync_complete(struct request_fixture *w, const struct shape *s, uint64_t written)
{
	assert_int_equal(virtio_request_sync_complete(&w->sync, &w->requests[0], 0x29, written), 0);
	assert_locked_once(w);
	expect_used(w, 1, used_length(s, written));
	if (s->status)
		assert_int_equal(byte_at(w, s->status), 0x29);
	fixture_save(&w->f);
	assert_int_equal(virtio_request_sync_complete(&w->sync, &w->requests[0], 0x2a, written), VIRTIO_ESTALE);
	assert_locked_once(w);
	assert_true(fixture_ram_unchanged(&w->f));
}

/* Each call takes the lock once and releases it, whatever the result of the pop or completion. */
static void request_sync_locks_once(void **state)
{
	struct virtio_queue_lock lock = { watched_lock, watched_unlock, NULL };
	struct request_fixture w;

	init(&w, fixture_kind(state));
	lock.context = &w;
	assert_int_equal(virtio_queue_sync_init(&w.sync, &lock, w.f.inflight, FIXTURE_MAX_SIZE), 0);
	sync_expect_none(&w, VIRTIO_ENOTREADY);
	assert_int_equal(virtio_queue_start(&w.sync.queue, &w.f.config, &w.f.device_map), 0);
	for (uint32_t i = 0; i < COUNT(shapes) * 2; i++) {
		sync_expect_none(&w, 0);
		offer(&w, 1, &shapes[i / 2], i % 2 != 0);
		/*
		 * A request that is not mapped yet is unpopped before the call releases the lock.
		 */
		if (w.f.kind == FIXTURE_CHANGING && i == 0) {
			w.f.bad_start = END;
			w.f.bad_end = END + 1;
			w.f.bad_error = VIRTIO_ENOTMAPPED;
			sync_expect_none(&w, VIRTIO_ENOTMAPPED);
			sync_expect_none(&w, VIRTIO_ENOTMAPPED);
			assert_true(virtio_queue_quiesced(&w.sync.queue));
			w.f.bad_error = 0;
		}
		assert_int_equal(virtio_request_sync_pop(&w.sync, &w.requests[0]), 1);
		assert_locked_once(&w);
		assert_int_equal(w.requests[0].error, shapes[i / 2].error);
		sync_complete(&w, &shapes[i / 2], i % 2 * 99);
	}
	fixture_offer_head(&w.f, SIZE);
	sync_expect_none(&w, VIRTIO_EHEAD);
	sync_expect_none(&w, VIRTIO_EBROKEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON_ALL(request_complete_says_what_was_written),
		FIXTURE_ON_ALL(request_complete_refuses_second_completion),
		FIXTURE_ON_ALL(request_complete_refuses_an_unpopped_request),
		FIXTURE_ON_ALL(request_complete_refuses_other_tokens),
		FIXTURE_ON_ALL(request_complete_records_the_status),
		FIXTURE_ON_ALL(request_complete_after_a_switch_of_memory),
		FIXTURE_ON_ALL(request_complete_accepts_any_order),
		FIXTURE_ON_ALL(request_complete_waits_under_in_order),
		FIXTURE_ON(request_reports_rings_that_are_gone, CHANGING),
		FIXTURE_ON_ALL(request_complete_counts_for_interrupts),
		FIXTURE_ON_ALL(request_pop_of_queue_with_nothing),
		FIXTURE_ON_ALL(request_pop_passes_on_faults_of_the_ring),
		FIXTURE_ON_ALL(request_parse_accepts_replayed_chain),
		FIXTURE_ON_ALL(request_sync_locks_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
