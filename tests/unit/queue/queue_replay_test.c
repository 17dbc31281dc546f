/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Hostile 80: requests were in flight when a queue's state was saved. The new owner of the queue
 * puts them in flight again.
 */
#include "queue_state_fixture.h"

static void assert_replay_refused(struct fixture *f, uint16_t head, int error)
{
	const struct virtio_queue_flight request = { .head = head };
	struct virtio_chain chain, before;

	memset(&chain, 0x5c, sizeof chain);
	memset(&before, 0x5c, sizeof before);
	fixture_save(f);
	assert_int_equal(virtio_queue_replay(&f->queue, &request, &chain), error);
	assert_memory_equal(&chain, &before, sizeof chain);
	assert_true(fixture_unchanged(f));
}

/* Hostile 80: each request is completed exactly once, by the old owner or by the new owner. */
static void queue_replay_puts_requests_in_flight_again(void **state)
{
	struct virtio_token old[4], new[3], next;
	struct virtio_queue_flight record[SIZE];
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, old, 4);
	assert_int_equal(virtio_queue_complete(&f.queue, old[2], 12), 0);
	assert_int_equal(move_queue(&f, record), 3);
	assert_false(virtio_queue_old_maps_unused(&f.queue) && !virtio_queue_quiesced(&f.queue));
	for (int i = 0; i < 3; i++)
		new[i] = replay(&f, record[i]);
	assert_false(virtio_queue_quiesced(&f.queue));
	assert_int_equal(virtio_queue_next_avail(&f.queue), 4);
	(void)fixture_add(&f, &one, 1);
	next = pop(&f);
	assert_int_equal(virtio_queue_complete(&f.queue, new[2], 13), 0);
	assert_int_equal(virtio_queue_complete(&f.queue, next, 14), 0);
	assert_int_equal(virtio_queue_complete(&f.queue, new[0], 10), 0);
	assert_int_equal(virtio_queue_complete(&f.queue, new[1], 11), 0);
	assert_int_equal(virtio_queue_complete(&f.queue, new[1], 11), VIRTIO_ESTALE);
	assert_used(&f, virtio_token_head(old[2]), 12);
	assert_used(&f, virtio_token_head(old[3]), 13);
	assert_used(&f, virtio_token_head(next), 14);
	assert_used(&f, virtio_token_head(old[0]), 10);
	assert_used(&f, virtio_token_head(old[1]), 11);
	assert_true(virtio_queue_quiesced(&f.queue));
	assert_int_equal(virtio_queue_next_avail(&f.queue), virtio_queue_next_used(&f.queue));
}

/*
 * Hostile 75: as many requests may be in flight as the queue has entries, also across the wrap of
 * the available index.
 */
static void queue_replay_accepts_full_queue_across_wrap(void **state)
{
	struct virtio_token tokens[SIZE];
	struct virtio_queue_flight record[SIZE];
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	assert_int_equal(virtio_mock_seek(&f.mock, 65533), 0);
	assert_int_equal(virtio_queue_set_next_avail(&f.queue, 65533), 0);
	assert_int_equal(virtio_queue_set_next_used(&f.queue, 65533), 0);
	fixture_pop_some(&f, tokens, SIZE);
	assert_int_equal(move_queue(&f, record), SIZE);
	for (uint32_t i = 0; i < SIZE; i++) {
		assert_int_equal(record[i].head, virtio_token_head(tokens[i]));
		tokens[i] = replay(&f, record[i]);
	}
	/* A second save lists the requests in the same order. */
	assert_int_equal(move_queue(&f, record), SIZE);
	for (uint32_t i = 0; i < SIZE; i++) {
		assert_int_equal(record[i].head, virtio_token_head(tokens[i]));
		tokens[i] = replay(&f, record[i]);
	}
	for (uint32_t i = SIZE; i-- > 0;)
		assert_int_equal(virtio_queue_complete(&f.queue, tokens[i], i), 0);
	for (uint32_t i = SIZE; i-- > 0;)
		assert_used(&f, record[i].head, i);
	assert_int_equal(virtio_queue_next_used(&f.queue), 5);
}

/*
 * The in-flight state of a replayed request is its token with bits 0 to 15 set and bit 16 clear. At
 * the last sequence number before the wrap, this state must not equal the state of an idle head.
 */
static void queue_replay_puts_requests_in_flight_at_last_sequence_number(void **state)
{
	struct virtio_token old[2], new[2];
	struct virtio_queue_flight record[SIZE];
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, old, 2);
	assert_int_equal(move_queue(&f, record), 2);
	f.queue.sequence = UINT64_MAX << 18 | VIRTIO_IMPL_TOKEN_SET;
	for (int i = 0; i < 2; i++) {
		new[i] = replay(&f, record[i]);
		assert_true(virtio_queue_is_in_flight(&f.queue, new[i]));
		/*
		 * No forged token is accepted. Bit 16 is set in every token, but clear in the state
		 * of a replayed request.
		 */
		for (int bit = 0; bit < 64; bit++)
			assert_false(virtio_queue_is_in_flight(
				&f.queue, (struct virtio_token){ new[i].value ^ UINT64_C(1) << bit }));
	}
	for (int i = 0; i < 2; i++)
		assert_int_equal(virtio_queue_complete(&f.queue, new[i], 0), 0);
	assert_true(virtio_queue_quiesced(&f.queue));
}

static void queue_replay_refuses_what_was_not_in_flight(void **state)
{
	struct virtio_token tokens[2];
	struct virtio_queue_flight record[SIZE];
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	forget_queue(&f);
	assert_replay_refused(&f, 0, VIRTIO_ENOTREADY);
	fixture_start(&f);
	/* The queue was started, and not restored, so nothing can be replayed. */
	assert_replay_refused(&f, 0, VIRTIO_EINVAL);
	fixture_pop_some(&f, tokens, 2);
	assert_int_equal(move_queue(&f, record), 2);
	assert_replay_refused(&f, SIZE, VIRTIO_EINVAL);
	assert_replay_refused(&f, 0xffff, VIRTIO_EINVAL);
	(void)replay(&f, record[0]);
	/*
	 * The first request cannot be replayed twice, although another request must still be
	 * replayed.
	 */
	assert_replay_refused(&f, record[0].head, VIRTIO_EINVAL);
	(void)replay(&f, record[1]);
	/* All requests are replayed, so a further replay is refused. */
	assert_replay_refused(&f, 7, VIRTIO_EINVAL);
	assert_replay_refused(&f, record[0].head, VIRTIO_EINVAL);
}

static void queue_replay_refuses_queue_that_broke_since(void **state)
{
	struct virtio_token tokens[2];
	struct virtio_chain chain;
	struct virtio_queue_flight record[SIZE];
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, tokens, 2);
	assert_int_equal(move_queue(&f, record), 2);
	(void)replay(&f, record[0]);
	(void)replay(&f, record[1]);
	fixture_offer_head(&f, SIZE);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_EHEAD);
	assert_replay_refused(&f, record[0].head, VIRTIO_EINVAL);
}

/* Hostile 12: a replayed head is in flight like any other head. */
static void queue_pop_rejects_head_that_was_replayed(void **state)
{
	struct virtio_token token;
	struct virtio_chain chain;
	struct virtio_queue_flight record[SIZE];
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, &token, 1);
	assert_int_equal(move_queue(&f, record), 1);
	token = replay(&f, record[0]);
	fixture_offer_head(&f, record[0].head);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_EINFLIGHT);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_EBROKEN);
	assert_int_equal(virtio_queue_complete(&f.queue, token, 0), 0);
}

/* The indices must not change before all requests are replayed. */
static void queue_set_index_refuses_while_replay_is_due(void **state)
{
	struct virtio_token tokens[2];
	struct virtio_queue_flight record[SIZE];
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, tokens, 2);
	assert_int_equal(move_queue(&f, record), 2);
	assert_true(virtio_queue_quiesced(&f.queue));
	fixture_save(&f);
	assert_int_equal(virtio_queue_set_next_avail(&f.queue, 7), VIRTIO_EBUSY);
	assert_int_equal(virtio_queue_set_next_used(&f.queue, 7), VIRTIO_EBUSY);
	assert_true(fixture_unchanged(&f));
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(virtio_queue_complete(&f.queue, replay(&f, record[i]), i), 0);
	assert_int_equal(virtio_queue_set_next_avail(&f.queue, 7), 0);
	assert_int_equal(virtio_queue_set_next_used(&f.queue, 7), 0);
}

/* Until all requests are replayed, a pop and the calls that enable or disable kicks are refused. */
static void queue_calls_refuse_while_replay_is_due(void **state)
{
	for (int event_idx = 0; event_idx <= 1; event_idx++) {
		struct virtio_token token;
		struct virtio_chain chain;
		struct virtio_queue_flight record[SIZE];
		struct fixture f;

		fixture_init(&f, fixture_kind(state), SIZE);
		f.config.event_idx = event_idx != 0;
		fixture_start(&f);
		fixture_pop_some(&f, &token, 1);
		assert_int_equal(move_queue(&f, record), 1);
		(void)fixture_add(&f, &one, 1);
		fixture_save(&f);
		assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_EBUSY);
		assert_int_equal(virtio_queue_available(&f.queue), VIRTIO_EBUSY);
		assert_int_equal(virtio_queue_enable_kicks(&f.queue), VIRTIO_EBUSY);
		assert_int_equal(virtio_queue_disable_kicks(&f.queue), VIRTIO_EBUSY);
		assert_true(fixture_unchanged(&f));
		(void)replay(&f, record[0]);
		assert_int_equal(virtio_queue_disable_kicks(&f.queue), 0);
		assert_int_equal(virtio_queue_enable_kicks(&f.queue), 1);
	}
}

static void queue_unpop_undoes_replay(void **state)
{
	struct virtio_token tokens[3], first, second;
	struct virtio_chain chain;
	struct virtio_queue_flight record[SIZE];
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, tokens, 3);
	assert_int_equal(move_queue(&f, record), 3);
	first = replay(&f, record[0]);
	second = replay(&f, record[1]);
	/* Only the last replay can be unpopped. */
	fixture_save(&f);
	assert_int_equal(virtio_queue_unpop(&f.queue, first), VIRTIO_ENOTLAST);
	assert_true(fixture_unchanged(&f));
	assert_int_equal(virtio_queue_unpop(&f.queue, second), 0);
	assert_int_equal(virtio_queue_unpop(&f.queue, second), VIRTIO_ESTALE);
	assert_int_equal(virtio_queue_unpop(&f.queue, first), 0);
	assert_true(virtio_queue_quiesced(&f.queue));
	/*
	 * The unpopped requests must be replayed again. A pop does not yield these requests. A save
	 * would lose the requests, so the save is refused.
	 */
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_EBUSY);
	assert_int_equal(virtio_queue_available(&f.queue), VIRTIO_EBUSY);
	assert_saves_refused(&f, VIRTIO_EBUSY, VIRTIO_EBUSY);
	assert_int_equal(virtio_queue_complete(&f.queue, first, 0), VIRTIO_ESTALE);
	for (uint32_t i = 0; i < 3; i++)
		tokens[i] = replay(&f, record[i]);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(virtio_queue_complete(&f.queue, tokens[i], i), 0);
	for (uint32_t i = 0; i < 3; i++)
		assert_used(&f, record[i].head, i);
}

static void queue_unpop_distinguishes_replay_from_pop(void **state)
{
	struct virtio_token token, popped;
	struct virtio_queue_flight record[SIZE];
	uint16_t head;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, &token, 1);
	assert_int_equal(move_queue(&f, record), 1);
	token = replay(&f, record[0]);
	head = fixture_add(&f, &one, 1);
	popped = pop(&f);
	fixture_save(&f);
	assert_int_equal(virtio_queue_unpop(&f.queue, token), VIRTIO_ENOTLAST);
	assert_true(fixture_unchanged(&f));
	assert_int_equal(virtio_queue_unpop(&f.queue, popped), 0);
	assert_int_equal(virtio_queue_next_avail(&f.queue), 1);
	assert_int_equal(virtio_token_head(pop(&f)), head);
	/* A completed request cannot be unpopped, and its head is not popped again. */
	assert_int_equal(virtio_queue_complete(&f.queue, token, 0), 0);
	assert_int_equal(virtio_queue_unpop(&f.queue, token), VIRTIO_ESTALE);
	assert_int_equal(virtio_queue_next_avail(&f.queue), 2);
}

/*
 * Under IN_ORDER the used ring follows the order of the available ring, also after the change of
 * owner.
 */
static void queue_replay_keeps_order_under_in_order(void **state)
{
	struct virtio_token old[4], new[3], next;
	struct virtio_queue_flight record[SIZE];
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	f.config.in_order = true;
	fixture_start(&f);
	fixture_pop_some(&f, old, 4);
	assert_int_equal(virtio_queue_complete(&f.queue, old[0], 5), 0);
	assert_int_equal(move_queue(&f, record), 3);
	for (int i = 0; i < 3; i++)
		new[i] = replay(&f, record[i]);
	(void)fixture_add(&f, &one, 1);
	next = pop(&f);
	assert_int_equal(virtio_queue_complete(&f.queue, next, 9), 0);
	assert_int_equal(virtio_queue_complete(&f.queue, new[1], 7), 0);
	assert_int_equal(fixture_get(&f, VIRTIO_MOCK_USED_IDX), 1);
	assert_int_equal(virtio_queue_complete(&f.queue, new[0], 6), 0);
	assert_int_equal(fixture_get(&f, VIRTIO_MOCK_USED_IDX), 3);
	assert_int_equal(virtio_queue_complete(&f.queue, new[2], 8), 0);
	assert_int_equal(fixture_get(&f, VIRTIO_MOCK_USED_IDX), 5);
	for (uint32_t i = 0; i < 4; i++)
		assert_used(&f, virtio_token_head(old[i]), 5 + i);
	assert_used(&f, virtio_token_head(next), 9);
	assert_true(virtio_queue_quiesced(&f.queue));
}

/*
 * Under IN_ORDER a replayed request was completed, but waits for its turn. This request cannot be
 * replayed again.
 */
static void queue_replay_refuses_head_that_waits_under_in_order(void **state)
{
	struct virtio_token tokens[3];
	struct virtio_queue_flight record[SIZE];
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	f.config.in_order = true;
	fixture_start(&f);
	fixture_pop_some(&f, tokens, 3);
	assert_int_equal(move_queue(&f, record), 3);
	(void)replay(&f, record[0]);
	assert_int_equal(virtio_queue_complete(&f.queue, replay(&f, record[1]), 7), 0);
	assert_replay_refused(&f, record[1].head, VIRTIO_EINVAL);
}

/* Under IN_ORDER a request can be replayed, unpopped and replayed again. */
static void queue_unpop_of_replay_keeps_order_under_in_order(void **state)
{
	struct virtio_token tokens[2];
	struct virtio_queue_flight record[SIZE];
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	f.config.in_order = true;
	fixture_start(&f);
	fixture_pop_some(&f, tokens, 2);
	assert_int_equal(move_queue(&f, record), 2);
	tokens[0] = replay(&f, record[0]);
	tokens[1] = replay(&f, record[1]);
	assert_int_equal(virtio_queue_unpop(&f.queue, tokens[1]), 0);
	tokens[1] = replay(&f, record[1]);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[1], 1), 0);
	assert_int_equal(fixture_get(&f, VIRTIO_MOCK_USED_IDX), 0);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[0], 0), 0);
	assert_used(&f, record[0].head, 0);
	assert_used(&f, record[1].head, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON_ALL(queue_replay_puts_requests_in_flight_again),
		FIXTURE_ON_ALL(queue_replay_accepts_full_queue_across_wrap),
		FIXTURE_ON_ALL(queue_replay_puts_requests_in_flight_at_last_sequence_number),
		FIXTURE_ON_ALL(queue_replay_refuses_what_was_not_in_flight),
		FIXTURE_ON_ALL(queue_replay_refuses_queue_that_broke_since),
		FIXTURE_ON_ALL(queue_pop_rejects_head_that_was_replayed),
		FIXTURE_ON_ALL(queue_set_index_refuses_while_replay_is_due),
		FIXTURE_ON_ALL(queue_calls_refuse_while_replay_is_due),
		FIXTURE_ON_ALL(queue_unpop_undoes_replay),
		FIXTURE_ON_ALL(queue_unpop_distinguishes_replay_from_pop),
		FIXTURE_ON_ALL(queue_replay_keeps_order_under_in_order),
		FIXTURE_ON_ALL(queue_replay_refuses_head_that_waits_under_in_order),
		FIXTURE_ON_ALL(queue_unpop_of_replay_keeps_order_under_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
