/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests virtio_queue_serve(), virtio_queue_serve_requests() and virtio_queue_pop_segments(): which
 * chains a round completes, keeps or unpops, and what it returns.
 */
#include "../common/fixture.h"
#include <virtio/serve.h>

#define SIZE 8u

static const struct virtio_mock_buffer one = WRITABLE(FIXTURE_DATA, 64);

/* The callback's results, and the chains that the callback has seen. */
struct server {
	struct fixture f;
	/* Results of the first calls. For 0, and in later calls, the callback serves a chain. */
	int answers[SIZE + 1];
	uint32_t calls;
	uint16_t heads[4 * SIZE];
	struct virtio_token tokens[4 * SIZE];
	bool adds; /* the driver adds a chain for each served chain */
};

static int serve(void *context, struct virtio_chain *chain, uint32_t *written)
{
	struct server *s = context;
	const uint32_t call = s->calls++;

	assert_int_equal(*written, 0);
	assert_true(call < COUNT(s->heads));
	s->heads[call] = virtio_token_head(chain->token);
	s->tokens[call] = chain->token;
	if (s->adds)
		fixture_offer_chain(&s->f, virtio_token_head(chain->token) == 7 ? 6 : 7, &one, 1);
	*written = 10 + call;
	return call < COUNT(s->answers) ? s->answers[call] : 0;
}

static void setup(struct server *s, enum fixture_memory kind, bool event_idx)
{
	memset(s, 0, sizeof *s);
	fixture_init(&s->f, kind, SIZE);
	s->f.config.event_idx = event_idx;
	s->f.mock.event_idx = event_idx;
	fixture_start(&s->f);
}

/* Runs one round. Checks its result and whether the driver must be interrupted. */
static void expect_round(struct server *s, uint32_t budget, int result, bool interrupts)
{
	bool interrupt = !interrupts;

	assert_int_equal(virtio_queue_serve(&s->f.queue, budget, serve, s, &interrupt), result);
	assert_int_equal(interrupt, interrupts);
}

static void expect_used(struct server *s, uint16_t head, uint32_t len)
{
	struct vring_used_elem used;

	assert_int_equal(virtio_mock_pop_used(&s->f.mock, &used), 1);
	assert_int_equal(used.id, head);
	assert_int_equal(used.len, len);
}

static void expect_none_used(struct server *s)
{
	struct vring_used_elem used;

	assert_int_equal(virtio_mock_pop_used(&s->f.mock, &used), 0);
}

/* A round interrupts the driver only if needed. The driver then kicks for the next chain. */
static void serve_completes_what_is_there_and_asks_for_the_next_kick(void **state)
{
	for (int event_idx = 0; event_idx < 2; event_idx++) {
		struct server s;

		setup(&s, fixture_kind(state), event_idx);
		for (uint32_t turn = 0; turn < 3 * SIZE; turn++) {
			const uint16_t head = fixture_add(&s.f, &one, 1);

			assert_int_equal(virtio_mock_should_kick(&s.f.mock), 1);
			s.calls = 0;
			expect_round(&s, SIZE, 0, true);
			assert_int_equal(s.calls, 1);
			expect_used(&s, head, 10);
			expect_none_used(&s);
			assert_int_equal(virtio_mock_enable_interrupts(&s.f.mock), 0);
		}
		assert_true(virtio_queue_quiesced(&s.f.queue));
		expect_round(&s, SIZE, 0, false);
	}
}

static void serve_keeps_to_its_budget_and_says_that_there_is_more(void **state)
{
	for (int event_idx = 0; event_idx < 2; event_idx++) {
		struct server s;

		setup(&s, fixture_kind(state), event_idx);
		for (uint32_t i = 0; i < 5; i++)
			(void)fixture_add(&s.f, &one, 1);
		assert_int_equal(virtio_mock_should_kick(&s.f.mock), 1);
		expect_round(&s, 2, 1, true);
		assert_int_equal(s.calls, 2);
		/* Kicks stay disabled while chains are left. */
		(void)fixture_add(&s.f, &one, 1);
		assert_int_equal(virtio_mock_should_kick(&s.f.mock), 0);
		expect_round(&s, 0, 1, false);
		expect_round(&s, 3, 1, !event_idx);
		assert_int_equal(s.calls, 5);
		expect_round(&s, 3, 0, !event_idx);
		assert_int_equal(s.calls, 6);
		(void)fixture_add(&s.f, &one, 1);
		assert_int_equal(virtio_mock_should_kick(&s.f.mock), 1);
	}
}

/* Hostile 11: a round ends although the driver adds a chain whenever the device serves one. */
static void serve_ends_though_the_driver_goes_on_adding(void **state)
{
	struct server s;

	setup(&s, fixture_kind(state), false);
	s.adds = true;
	fixture_offer_chain(&s.f, 6, &one, 1);
	for (uint32_t round = 1; round < 10; round++) {
		expect_round(&s, 1000, 1, true);
		assert_int_equal(s.calls, round);
	}
}

/*
 * After an error of the callback other than VIRTIO_ENOTMAPPED, the chain is completed with length
 * 0, and the next chain is served.
 */
static void serve_completes_chain_of_an_error_with_length_0(void **state)
{
	static const int errors[] = { VIRTIO_EORDER, VIRTIO_EFAULT, VIRTIO_EIO, VIRTIO_ENOBUFS };
	struct server s;
	uint16_t heads[COUNT(errors) + 1];

	setup(&s, fixture_kind(state), false);
	for (uint32_t i = 0; i < COUNT(heads); i++) {
		heads[i] = fixture_add(&s.f, &one, 1);
		s.answers[i] = i < COUNT(errors) ? errors[i] : 0;
	}
	expect_round(&s, SIZE, 0, true);
	for (uint32_t i = 0; i < COUNT(heads); i++)
		expect_used(&s, heads[i], i < COUNT(errors) ? 0 : 10 + i);
}

static void serve_unpops_chain_that_is_not_mapped(void **state)
{
	for (int event_idx = 0; event_idx < 2; event_idx++) {
		struct server s;
		uint16_t heads[3];

		setup(&s, fixture_kind(state), event_idx);
		for (uint32_t i = 0; i < COUNT(heads); i++)
			heads[i] = fixture_add(&s.f, &one, 1);
		assert_int_equal(virtio_mock_should_kick(&s.f.mock), 1);
		s.answers[1] = VIRTIO_ENOTMAPPED;
		expect_round(&s, SIZE, VIRTIO_ENOTMAPPED, true);
		assert_int_equal(s.calls, 2);
		expect_used(&s, heads[0], 10);
		expect_none_used(&s);
		assert_true(virtio_queue_quiesced(&s.f.queue));
		/* The unpopped chain is popped again under a new token, and before later chains. */
		expect_round(&s, SIZE, 0, !event_idx);
		assert_int_equal(s.heads[2], heads[1]);
		assert_int_not_equal(s.tokens[2].value, s.tokens[1].value);
		expect_used(&s, heads[1], 12);
		expect_used(&s, heads[2], 13);
	}
}

static void serve_unpops_chain_that_the_device_serves_later(void **state)
{
	struct server s;
	uint16_t head;

	setup(&s, fixture_kind(state), false);
	head = fixture_add(&s.f, &one, 1);
	s.answers[0] = VIRTIO_SERVE_LATER;
	expect_round(&s, SIZE, VIRTIO_SERVE_LATER, false);
	assert_true(virtio_queue_quiesced(&s.f.queue));
	expect_none_used(&s);
	(void)fixture_add(&s.f, &one, 1);
	assert_int_equal(virtio_mock_should_kick(&s.f.mock), 0);
	expect_round(&s, SIZE, 0, true);
	expect_used(&s, head, 11);
}

static void serve_leaves_kept_chain_in_flight(void **state)
{
	struct server s;
	uint16_t heads[2];

	setup(&s, fixture_kind(state), false);
	heads[0] = fixture_add(&s.f, &one, 1);
	heads[1] = fixture_add(&s.f, &one, 1);
	s.answers[0] = VIRTIO_SERVE_KEEP;
	expect_round(&s, SIZE, 0, true);
	assert_int_equal(virtio_queue_in_flight(&s.f.queue), 1);
	expect_used(&s, heads[1], 11);
	assert_true(virtio_queue_is_in_flight(&s.f.queue, s.tokens[0]));
	assert_int_equal(virtio_queue_complete(&s.f.queue, s.tokens[0], 3), 0);
	expect_used(&s, heads[0], 3);
}

/* A broken ring ends the round. The driver is still interrupted for requests completed before. */
static void serve_interrupts_for_what_came_before_a_broken_ring(void **state)
{
	struct server s;
	bool interrupt = true;

	setup(&s, fixture_kind(state), false);
	(void)fixture_add(&s.f, &one, 1);
	fixture_offer_head(&s.f, SIZE);
	expect_round(&s, SIZE, VIRTIO_EHEAD, true);
	assert_int_equal(s.calls, 1);
	expect_round(&s, SIZE, VIRTIO_EBROKEN, false);
	virtio_queue_reset(&s.f.queue);
	assert_int_equal(virtio_queue_serve(&s.f.queue, SIZE, serve, &s, &interrupt), VIRTIO_ENOTREADY);
	assert_false(interrupt);
	assert_int_equal(s.calls, 1);
}

/*
 * Completes the request itself and returns 0. The round then completes it again, and must report
 * that the token is stale.
 */
static int completes_itself(void *context, struct virtio_chain *chain, uint32_t *written)
{
	struct server *s = context;

	(void)written;
	assert_int_equal(virtio_queue_complete(&s->f.queue, chain->token, 1), 0);
	return 0;
}

static void serve_reports_a_chain_that_is_gone(void **state)
{
	struct server s;
	bool interrupt = false;

	setup(&s, fixture_kind(state), false);
	(void)fixture_add(&s.f, &one, 1);
	assert_int_equal(virtio_queue_serve(&s.f.queue, SIZE, completes_itself, &s, &interrupt), VIRTIO_ESTALE);
	assert_true(interrupt);
}

/*
 * Completes the request itself and returns VIRTIO_SERVE_KEEP, so the round does not complete it
 * again.
 */
static int completes_and_keeps(void *context, struct virtio_chain *chain, uint32_t *written)
{
	struct server *s = context;

	*written = 99;
	s->calls++;
	assert_int_equal(virtio_queue_complete(&s->f.queue, chain->token, s->calls), 0);
	return VIRTIO_SERVE_KEEP;
}

static void serve_lets_the_callback_complete(void **state)
{
	struct server s;
	uint16_t heads[2];
	bool interrupt = false;

	setup(&s, fixture_kind(state), false);
	heads[0] = fixture_add(&s.f, &one, 1);
	heads[1] = fixture_add(&s.f, &one, 1);
	assert_int_equal(virtio_queue_serve(&s.f.queue, SIZE, completes_and_keeps, &s, &interrupt), 0);
	assert_true(interrupt);
	expect_used(&s, heads[0], 1);
	expect_used(&s, heads[1], 2);
	expect_none_used(&s);
}

/* Requests */

/*
 * Returns the result that the test has set for this call, if not 0. Otherwise pops and completes a
 * request, if there is one.
 */
static int serve_request(void *context)
{
	struct server *s = context;
	struct virtio_chain chain;
	const uint32_t call = s->calls++;
	int got;

	assert_true(call < COUNT(s->heads));
	if (call < COUNT(s->answers) && s->answers[call])
		return s->answers[call];
	got = virtio_queue_pop(&s->f.queue, &chain);
	if (got != 1)
		return got;
	s->heads[call] = virtio_token_head(chain.token);
	if (s->adds)
		fixture_offer_chain(&s->f, s->heads[call] == 7 ? 6 : 7, &one, 1);
	got = virtio_queue_complete(&s->f.queue, chain.token, 10 + call);
	return got ? got : 1;
}

static void expect_requests(struct server *s, uint32_t budget, int result, bool interrupts)
{
	bool interrupt = !interrupts;

	assert_int_equal(virtio_queue_serve_requests(&s->f.queue, budget, serve_request, s, &interrupt), result);
	assert_int_equal(interrupt, interrupts);
}

static void serve_requests_keeps_to_its_budget_and_asks_for_the_next_kick(void **state)
{
	for (int event_idx = 0; event_idx < 2; event_idx++) {
		struct server s;

		setup(&s, fixture_kind(state), event_idx);
		expect_requests(&s, SIZE, 0, false);
		assert_int_equal(s.calls, 1);
		s.calls = 0;
		for (uint32_t i = 0; i < 5; i++)
			(void)fixture_add(&s.f, &one, 1);
		assert_int_equal(virtio_mock_should_kick(&s.f.mock), 1);
		expect_requests(&s, 0, 1, false);
		expect_requests(&s, 2, 1, true);
		assert_int_equal(s.calls, 2);
		/* Kicks stay disabled while requests are left. */
		(void)fixture_add(&s.f, &one, 1);
		assert_int_equal(virtio_mock_should_kick(&s.f.mock), 0);
		expect_requests(&s, 100, 0, !event_idx);
		assert_int_equal(s.calls, 7);
		(void)fixture_add(&s.f, &one, 1);
		assert_int_equal(virtio_mock_should_kick(&s.f.mock), 1);
	}
}

/* Hostile 11: a round ends although the driver adds a chain whenever the device serves one. */
static void serve_requests_ends_though_the_driver_goes_on_adding(void **state)
{
	struct server s;

	setup(&s, fixture_kind(state), false);
	s.adds = true;
	fixture_offer_chain(&s.f, 6, &one, 1);
	for (uint32_t round = 1; round < 10; round++) {
		expect_requests(&s, 3, 1, true);
		assert_int_equal(s.calls, 3 * round);
	}
}

/* A result other than 1 ends the round. The driver is still interrupted for earlier completions. */
static void serve_requests_returns_what_ended_the_round(void **state)
{
	static const int answers[] = { VIRTIO_SERVE_LATER, VIRTIO_ENOTMAPPED, VIRTIO_EIO };

	for (uint32_t i = 0; i < COUNT(answers); i++) {
		struct server s;
		uint16_t heads[2];

		setup(&s, fixture_kind(state), false);
		heads[0] = fixture_add(&s.f, &one, 1);
		heads[1] = fixture_add(&s.f, &one, 1);
		assert_int_equal(virtio_mock_should_kick(&s.f.mock), 1);
		s.answers[1] = answers[i];
		expect_requests(&s, SIZE, answers[i], true);
		expect_used(&s, heads[0], 10);
		expect_none_used(&s);
		/*
		 * A round that ends with an error or VIRTIO_SERVE_LATER leaves kicks disabled, so
		 * the device must call again.
		 */
		(void)fixture_add(&s.f, &one, 1);
		assert_int_equal(virtio_mock_should_kick(&s.f.mock), 0);
		expect_requests(&s, SIZE, 0, true);
		expect_used(&s, heads[1], 12);
	}
}

static int finds_none(void *context)
{
	(void)context;
	return 0;
}

/*
 * A broken ring ends the round. If the callback finds no request although some are left, the round
 * enables kicks and returns 1.
 */
static void serve_requests_ends_when_the_callback_finds_none(void **state)
{
	struct server s;
	uint16_t head;

	setup(&s, fixture_kind(state), false);
	fixture_offer_head(&s.f, SIZE);
	expect_requests(&s, SIZE, VIRTIO_EHEAD, false);
	expect_requests(&s, SIZE, VIRTIO_EBROKEN, false);
	setup(&s, fixture_kind(state), false);
	head = fixture_add(&s.f, &one, 1);
	assert_int_equal(virtio_queue_serve_requests(&s.f.queue, SIZE, finds_none, &s, &(bool){ true }), 1);
	expect_requests(&s, SIZE, 0, true);
	expect_used(&s, head, 10);
}

/* Pop and resolve */

static void pop_segments_yields_token_and_segments(void **state)
{
	struct virtio_segment segments[128];
	struct virtio_chain_segments out = { .segments = segments, .capacity = COUNT(segments) };
	struct virtio_token token = { 77 };
	struct server s;
	uint16_t head;
	int error = 77;

	setup(&s, fixture_kind(state), false);
	assert_int_equal(virtio_queue_pop_segments(&s.f.queue, &token, &out, &error), 0);
	assert_true(token.value == 77 && error == 77);
	head = fixture_add(&s.f, &one, 1);
	assert_int_equal(virtio_queue_pop_segments(&s.f.queue, &token, &out, &error), 1);
	assert_int_equal(virtio_token_head(token), head);
	assert_int_equal(error, 0);
	assert_int_equal(out.writable_bytes, 64);
	assert_int_equal(out.readable_bytes, 0);
	assert_int_equal(virtio_queue_complete(&s.f.queue, token, 64), 0);
	expect_used(&s, head, 64);
}

static void pop_segments_yields_malformed_chain_with_its_error(void **state)
{
	const struct virtio_mock_buffer wrong[] = { WRITABLE(FIXTURE_DATA, 8), READABLE(FIXTURE_DATA + 64, 8) };
	struct virtio_segment segments[128];
	struct virtio_chain_segments out = { .segments = segments, .capacity = COUNT(segments) };
	struct virtio_token token;
	struct server s;
	int error;

	setup(&s, fixture_kind(state), false);
	fixture_offer_chain(&s.f, 2, wrong, 2);
	assert_int_equal(virtio_queue_pop_segments(&s.f.queue, &token, &out, &error), 1);
	assert_int_equal(error, VIRTIO_EORDER);
	assert_int_equal(out.readable + out.writable, 0);
	assert_int_equal(virtio_queue_complete(&s.f.queue, token, 0), 0);
}

static void pop_segments_unpops_chain_that_is_not_mapped(void **state)
{
	struct virtio_segment segments[128];
	struct virtio_chain_segments out = { .segments = segments, .capacity = COUNT(segments) };
	struct virtio_token token = { 77 };
	struct server s;
	int error = 77;

	setup(&s, fixture_kind(state), false);
	(void)fixture_add(&s.f, &one, 1);
	s.f.bad_start = FIXTURE_DATA;
	s.f.bad_end = FIXTURE_DATA + 64;
	s.f.bad_error = VIRTIO_ENOTMAPPED;
	assert_int_equal(virtio_queue_pop_segments(&s.f.queue, &token, &out, &error), VIRTIO_ENOTMAPPED);
	assert_true(token.value == 77 && error == 77);
	assert_true(virtio_queue_quiesced(&s.f.queue));
	s.f.bad_error = 0;
	s.f.bad_end = s.f.bad_start;
	assert_int_equal(virtio_queue_pop_segments(&s.f.queue, &token, &out, &error), 1);
	assert_int_equal(error, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON_ALL(serve_completes_what_is_there_and_asks_for_the_next_kick),
		FIXTURE_ON_ALL(serve_keeps_to_its_budget_and_says_that_there_is_more),
		FIXTURE_ON_ALL(serve_ends_though_the_driver_goes_on_adding),
		FIXTURE_ON_ALL(serve_completes_chain_of_an_error_with_length_0),
		FIXTURE_ON_ALL(serve_unpops_chain_that_is_not_mapped),
		FIXTURE_ON_ALL(serve_unpops_chain_that_the_device_serves_later),
		FIXTURE_ON_ALL(serve_leaves_kept_chain_in_flight),
		FIXTURE_ON_ALL(serve_interrupts_for_what_came_before_a_broken_ring),
		FIXTURE_ON_ALL(serve_reports_a_chain_that_is_gone),
		FIXTURE_ON_ALL(serve_lets_the_callback_complete),
		FIXTURE_ON_ALL(serve_requests_keeps_to_its_budget_and_asks_for_the_next_kick),
		FIXTURE_ON_ALL(serve_requests_ends_though_the_driver_goes_on_adding),
		FIXTURE_ON_ALL(serve_requests_returns_what_ended_the_round),
		FIXTURE_ON_ALL(serve_requests_ends_when_the_callback_finds_none),
		FIXTURE_ON_ALL(pop_segments_yields_token_and_segments),
		FIXTURE_ON_ALL(pop_segments_yields_malformed_chain_with_its_error),
		FIXTURE_ON(pop_segments_unpops_chain_that_is_not_mapped, CHANGING),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
