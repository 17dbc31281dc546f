/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests completions: tokens that are not in flight, batches, IN_ORDER, and a used ring that cannot
 * be written.
 */
#include "../common/fixture.h"

#define SIZE 8u

static const struct virtio_mock_buffer one[] = { WRITABLE(FIXTURE_DATA, 16) };

static void setup_in_order(struct fixture *f, void **state)
{
	fixture_init(f, fixture_kind(state), SIZE);
	f->config.in_order = true;
	fixture_start(f);
}

/* Pops the next used element, which must have this id and length. */
static void expect_used(struct fixture *f, uint32_t id, uint32_t len)
{
	struct vring_used_elem used = { 0, 0 };

	assert_int_equal(virtio_mock_pop_used(&f->mock, &used), 1);
	assert_int_equal(used.id, id);
	assert_int_equal(used.len, len);
}

/*
 * A slot of the used ring must hold this element. Reads guest memory, and not the mock's records.
 */
static void expect_entry(struct fixture *f, uint32_t slot, uint32_t id, uint32_t len)
{
	struct vring_used_elem used = { 0, 0 };

	assert_int_equal(virtio_mock_get_used_entry(&f->mock, slot, &used), 0);
	assert_int_equal(used.id, id);
	assert_int_equal(used.len, len);
}

static void expect_none_used(struct fixture *f)
{
	struct vring_used_elem used;

	assert_int_equal(virtio_mock_pop_used(&f->mock, &used), 0);
}

/*
 * The token must not be in flight. A completion, a batch and an unpop must refuse the token and
 * change nothing.
 */
static void expect_stale(struct fixture *f, struct virtio_token token)
{
	const struct virtio_completion completion = { token, 1 };

	fixture_save(f);
	assert_false(virtio_queue_is_in_flight(&f->queue, token));
	assert_int_equal(virtio_queue_complete(&f->queue, token, 1), VIRTIO_ESTALE);
	assert_int_equal(virtio_queue_complete_batch(&f->queue, &completion, 1), VIRTIO_ESTALE);
	assert_int_equal(virtio_queue_unpop(&f->queue, token), VIRTIO_ESTALE);
	assert_true(fixture_unchanged(f));
}

/* Tokens that are not in flight */

/*
 * Hostile 14 and 44: a token comes from no pop, has an impossible head, is stale, or is all zero.
 */
static void queue_complete_refuses_token_not_in_flight(void **state)
{
	struct virtio_token tokens[3], wrong;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, tokens, 3);
	memset(&wrong, 0, sizeof wrong);
	expect_stale(&f, wrong);
	expect_stale(&f, fixture_token(0, virtio_token_head(tokens[1])));
	expect_stale(&f, fixture_token(fixture_sequence(tokens[0]), virtio_token_head(tokens[1])));
	expect_stale(&f, fixture_token(fixture_sequence(tokens[1]) - 1, virtio_token_head(tokens[1])));
	/* Every bit of a token above the head is checked, up to bit 63. */
	for (uint32_t bit = 16; bit < 64; bit++) {
		wrong.value = tokens[1].value ^ UINT64_C(1) << bit;
		expect_stale(&f, wrong);
	}
	expect_stale(&f, fixture_token(fixture_sequence(tokens[1]), SIZE - 1));
	expect_stale(&f, fixture_token(fixture_sequence(tokens[1]), SIZE));
	expect_stale(&f, fixture_token(fixture_sequence(tokens[1]), 0xffff));
	/*
	 * The head in each of these tokens is not in flight:
	 * - three tokens with an even sequence number, which no pop uses
	 * - a token with all bits of the sequence number set
	 * - the in-flight state of an idle head, which has all bits set
	 */
	expect_stale(&f, fixture_token(0, SIZE - 1));
	expect_stale(&f, fixture_token(2, SIZE - 1));
	expect_stale(&f, fixture_token(UINT64_C(1) << 47, SIZE - 1));
	expect_stale(&f, fixture_token(UINT64_MAX >> 16, SIZE - 1));
	wrong.value = VIRTIO_IMPL_INFLIGHT_IDLE;
	expect_stale(&f, wrong);
}

/* Hostile 14: a request is completed twice. */
static void queue_complete_refuses_second_completion(void **state)
{
	struct virtio_token tokens[2];
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, tokens, 2);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[1], 3), 0);
	expect_stale(&f, tokens[1]);
	expect_used(&f, virtio_token_head(tokens[1]), 3);
	expect_none_used(&f);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[0], 0), 0);
	assert_true(virtio_queue_quiesced(&f.queue));
}

/* A late completion does not complete a newer request with the same head. */
static void queue_complete_refuses_token_of_reused_head(void **state)
{
	struct virtio_token before, after;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), 1);
	fixture_pop_some(&f, &before, 1);
	assert_int_equal(virtio_queue_complete(&f.queue, before, 0), 0);
	expect_used(&f, virtio_token_head(before), 0);
	fixture_pop_some(&f, &after, 1);
	assert_int_equal(virtio_token_head(after), virtio_token_head(before));
	assert_int_not_equal(after.value, before.value);
	expect_stale(&f, before);
	assert_int_equal(virtio_queue_complete(&f.queue, after, 1), 0);
}

/*
 * Regression R21, hostile 59: a completion after a reset is refused, both before and after the next
 * start.
 */
static void queue_complete_refuses_token_from_before_reset(void **state)
{
	struct virtio_token before, after;
	struct virtio_chain chain = { 0 };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, &before, 1);
	(void)fixture_add(&f, one, 1);
	virtio_queue_reset(&f.queue);
	expect_stale(&f, before);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_ENOTREADY);
	assert_int_equal(virtio_mock_reset(&f.mock), 0);
	assert_int_equal(virtio_queue_start(&f.queue, &f.config, &f.device_map), 0);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), 0);
	expect_stale(&f, before);
	fixture_pop_some(&f, &after, 1);
	assert_int_equal(virtio_token_head(after), virtio_token_head(before));
	expect_stale(&f, before);
	assert_int_equal(virtio_queue_complete(&f.queue, after, 1), 0);
}

/*
 * A second virtio_queue_init() of a started queue is a misuse, but even then old tokens stay stale.
 */
static void queue_init_of_used_queue_revives_no_token(void **state)
{
	struct virtio_token before, after;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, &before, 1);
	for (int times = 0; times < 3; times++) {
		f.rewriting = false;
		assert_int_equal(virtio_queue_init(&f.queue, f.inflight, FIXTURE_MAX_SIZE), 0);
		expect_stale(&f, before);
		assert_int_equal(virtio_mock_reset(&f.mock), 0);
		assert_int_equal(virtio_queue_start(&f.queue, &f.config, &f.device_map), 0);
		expect_stale(&f, before);
		fixture_pop_some(&f, &after, 1);
		assert_int_equal(virtio_token_head(after), virtio_token_head(before));
		assert_int_not_equal(after.value, before.value);
		expect_stale(&f, before);
	}
	assert_int_equal(virtio_queue_complete(&f.queue, after, 1), 0);
}

/*
 * Sequence numbers have 48 bits, and each pop adds 2. Tokens stay new, and never 0, when the number
 * of pops passes 32 bits and when the sequence number wraps.
 */
static void queue_pop_gives_new_tokens_past_32_bits(void **state)
{
	static const uint64_t starts[] = { UINT64_C(0xfffffffe) << 17, UINT64_MAX << 18 };

	for (size_t k = 0; k < sizeof starts / sizeof starts[0]; k++) {
		struct virtio_token tokens[SIZE];
		struct fixture f;

		fixture_setup(&f, fixture_kind(state), SIZE);
		f.queue.sequence = starts[k] | VIRTIO_IMPL_TOKEN_SET;
		fixture_pop_some(&f, tokens, SIZE);
		for (uint32_t i = 0; i < SIZE; i++) {
			assert_int_not_equal(tokens[i].value, 0);
			assert_int_equal(tokens[i].value & 0x1ffff,
					 VIRTIO_IMPL_TOKEN_SET | virtio_token_head(tokens[i]));
			for (uint32_t other = 0; other < i; other++)
				assert_int_not_equal(tokens[other].value >> 16, tokens[i].value >> 16);
			expect_stale(&f, (struct virtio_token){ tokens[i].value - (UINT64_C(1) << 48) });
		}
		for (uint32_t i = 0; i < SIZE; i++)
			assert_int_equal(virtio_queue_complete(&f.queue, tokens[i], 0), 0);
	}
}

/* Completions */

/*
 * Regression R12: a completion writes the element and the index, in little-endian, and no other
 * byte.
 */
static void queue_complete_writes_used_ring_and_nothing_else(void **state)
{
	static const uint8_t element[8] = { 0x06, 0, 0, 0, 0xd4, 0xc3, 0xb2, 0xa1 };
	static const uint8_t index[2] = { 0x01, 0x00 };
	struct virtio_chain chain = { 0 };
	uint8_t ring[64], now[64];
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), 8);
	fixture_offer_chain(&f, 6, one, 1);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
	fixture_read(&f, f.mock.addr[VIRTIO_QUEUE_USED], ring, 64);
	memcpy(ring + 2, index, 2);
	memcpy(ring + 4, element, 8);
	fixture_save(&f);
	assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 0xa1b2c3d4), 0);
	fixture_read(&f, f.mock.addr[VIRTIO_QUEUE_USED], now, 64);
	assert_memory_equal(now, ring, 64);
	/* All other bytes of memory are unchanged. */
	memset(ring + 2, 0, 10);
	fixture_write(&f, f.mock.addr[VIRTIO_QUEUE_USED], ring, 12);
	assert_true(fixture_ram_unchanged(&f));
}

/*
 * Requests complete in any order and with any length. Hostile 39: the length has 32 bits, so a
 * device that adds up lengths must limit the sum.
 */
static void queue_complete_accepts_any_order(void **state)
{
	static const uint32_t order[SIZE] = { 3, 0, 7, 1, 2, 6, 5, 4 };
	struct virtio_token tokens[SIZE];
	struct virtio_queue_stats stats;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, tokens, SIZE);
	for (uint32_t i = 0; i < SIZE; i++) {
		assert_int_equal(virtio_queue_complete(&f.queue, tokens[order[i]], i), 0);
		assert_int_equal(virtio_queue_next_used(&f.queue), i + 1);
		expect_used(&f, virtio_token_head(tokens[order[i]]), i);
	}
	virtio_queue_get_stats(&f.queue, &stats);
	assert_int_equal(stats.completions, SIZE);
	assert_int_equal(stats.chains, SIZE);
	fixture_pop_some(&f, tokens, 1);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[0], UINT32_MAX), 0);
	expect_entry(&f, 0, virtio_token_head(tokens[0]), UINT32_MAX);
}

/* Batches */

/* A batch has a bad token, at each position in turn. No request of the batch is completed. */
static void queue_complete_batch_completes_all_or_none(void **state)
{
	for (uint32_t bad = 0; bad < 4; bad++)
		for (int twice = 0; twice <= 1; twice++) {
			struct virtio_completion batch[4];
			struct virtio_token tokens[4];
			struct fixture f;

			fixture_setup(&f, fixture_kind(state), SIZE);
			fixture_pop_some(&f, tokens, 4);
			for (uint32_t i = 0; i < 4; i++)
				batch[i] = (struct virtio_completion){ tokens[i], i };
			if (twice)
				batch[bad].token = tokens[(bad + 1) % 4];
			else
				batch[bad].token.value += VIRTIO_IMPL_TOKEN_STEP;
			fixture_save(&f);
			assert_int_equal(virtio_queue_complete_batch(&f.queue, batch, 4), VIRTIO_ESTALE);
			assert_true(fixture_unchanged(&f));
			expect_none_used(&f);
			batch[bad].token = tokens[bad];
			assert_int_equal(virtio_queue_complete_batch(&f.queue, batch, 4), 0);
			for (uint32_t i = 0; i < 4; i++)
				expect_used(&f, virtio_token_head(tokens[i]), i);
			expect_none_used(&f);
			assert_true(virtio_queue_quiesced(&f.queue));
		}
}

/* An empty batch succeeds before the start, while requests are in flight, and after a reset. */
static void queue_complete_batch_of_none_does_nothing(void **state)
{
	for (int in_order = 0; in_order <= 1; in_order++) {
		struct virtio_token tokens[2];
		struct fixture f;

		fixture_init(&f, fixture_kind(state), SIZE);
		assert_int_equal(virtio_queue_init(&f.queue, f.inflight, FIXTURE_MAX_SIZE), 0);
		fixture_save(&f);
		assert_int_equal(virtio_queue_complete_batch(&f.queue, NULL, 0), 0);
		assert_true(fixture_unchanged(&f));
		f.config.in_order = in_order != 0;
		fixture_start(&f);
		fixture_save(&f);
		assert_int_equal(virtio_queue_complete_batch(&f.queue, NULL, 0), 0);
		assert_true(fixture_unchanged(&f));
		fixture_pop_some(&f, tokens, 2);
		assert_int_equal(virtio_queue_complete(&f.queue, tokens[1], 0), 0);
		/* An empty batch does not write the index again. */
		fixture_set(&f, VIRTIO_MOCK_USED_IDX, 0x1234);
		fixture_save(&f);
		assert_int_equal(virtio_queue_complete_batch(&f.queue, NULL, 0), 0);
		assert_true(fixture_unchanged(&f));
		assert_false(virtio_queue_quiesced(&f.queue));
		virtio_queue_reset(&f.queue);
		fixture_save(&f);
		assert_int_equal(virtio_queue_complete_batch(&f.queue, NULL, 0), 0);
		assert_true(fixture_unchanged(&f));
	}
}

/* A batch completes in the caller's order, up to a full ring. */
static void queue_complete_batch_keeps_callers_order(void **state)
{
	struct virtio_completion batch[SIZE];
	struct virtio_token tokens[SIZE];
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, tokens, SIZE);
	for (uint32_t i = 0; i < SIZE; i++)
		batch[i] = (struct virtio_completion){ tokens[SIZE - 1 - i], i };
	assert_int_equal(virtio_queue_complete_batch(&f.queue, batch, SIZE), 0);
	for (uint32_t i = 0; i < SIZE; i++)
		expect_used(&f, virtio_token_head(tokens[SIZE - 1 - i]), i);
}

/* A used ring that cannot be written */

/*
 * Every completion fails and changes nothing. The requests stay in flight and can be completed
 * later.
 */
static void queue_complete_waits_for_used_ring(void **state)
{
	static const int errors[] = { VIRTIO_ENOTMAPPED, VIRTIO_EFAULT, VIRTIO_EPERM };

	for (int in_order = 0; in_order <= 1; in_order++)
		for (uint32_t i = 0; i < COUNT(errors); i++) {
			struct virtio_completion batch[2];
			struct virtio_token tokens[2];
			struct fixture f;

			fixture_init(&f, fixture_kind(state), SIZE);
			f.config.in_order = in_order != 0;
			fixture_start(&f);
			fixture_pop_some(&f, tokens, 2);
			/*
			 * Only 16 bytes at the end of the ring are missing. No element is written
			 * there, but each completion checks the whole ring.
			 */
			f.bad_start = virtio_mock_used_entry_addr(&f.mock, SIZE - 1) & ~UINT64_C(15);
			f.bad_end = f.bad_start + 16;
			f.bad_error = errors[i];
			fixture_save(&f);
			for (uint32_t t = 0; t < 2; t++)
				batch[t] = (struct virtio_completion){ tokens[t], t };
			assert_int_equal(virtio_queue_complete(&f.queue, tokens[0], 0), errors[i]);
			assert_int_equal(virtio_queue_complete_batch(&f.queue, batch, 2), errors[i]);
			assert_true(fixture_unchanged(&f));
			assert_int_equal(virtio_queue_in_flight(&f.queue), 2);
			f.bad_error = 0;
			assert_int_equal(virtio_queue_complete_batch(&f.queue, batch, 2), 0);
			expect_used(&f, virtio_token_head(tokens[0]), 0);
			expect_used(&f, virtio_token_head(tokens[1]), 1);
		}
}

/* IN_ORDER */

/*
 * Four requests are completed in every order. Each request enters the used ring only after all
 * requests that were made available before it.
 */
static void queue_in_order_publishes_in_order_of_available_ring(void **state)
{
	for (uint32_t code = 0; code < 256; code++) {
		const uint32_t order[4] = { code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 & 3 };
		struct virtio_token tokens[4];
		uint32_t done = 0;
		struct fixture f;

		for (uint32_t i = 0; i < 4; i++)
			done |= 1u << order[i];
		if (done != 15)
			continue; /* not a permutation */
		setup_in_order(&f, state);
		fixture_pop_some(&f, tokens, 4);
		done = 0;
		for (uint32_t i = 0; i < 4; i++) {
			uint32_t prefix = 0;

			assert_int_equal(virtio_queue_complete(&f.queue, tokens[order[i]], order[i]), 0);
			done |= 1u << order[i];
			while (done >> prefix & 1)
				prefix++;
			assert_int_equal(virtio_queue_next_used(&f.queue), prefix);
			assert_int_equal(fixture_get(&f, VIRTIO_MOCK_USED_IDX), prefix);
			/*
			 * The caller's request is not in flight any more, even if it is not in the
			 * used ring yet.
			 */
			expect_stale(&f, tokens[order[i]]);
			assert_int_equal(virtio_queue_in_flight(&f.queue), 3 - i);
		}
		for (uint32_t i = 0; i < 4; i++)
			expect_used(&f, virtio_token_head(tokens[i]), i);
		expect_none_used(&f);
	}
}

/*
 * A first batch leaves a gap, and later completions fill it. The rounds go around the ring many
 * times.
 */
static void queue_in_order_publishes_batches_around_the_ring(void **state)
{
	struct fixture f;

	setup_in_order(&f, state);
	for (uint32_t round = 0; round < 50; round++) {
		struct virtio_completion batch[3];
		struct virtio_token tokens[5];

		fixture_pop_some(&f, tokens, 5);
		batch[0] = (struct virtio_completion){ tokens[4], 4 };
		batch[1] = (struct virtio_completion){ tokens[1], 1 };
		batch[2] = (struct virtio_completion){ tokens[3], 3 };
		assert_int_equal(virtio_queue_complete_batch(&f.queue, batch, 3), 0);
		expect_none_used(&f);
		assert_int_equal(virtio_queue_complete(&f.queue, tokens[0], 0), 0);
		expect_used(&f, virtio_token_head(tokens[0]), 0);
		expect_used(&f, virtio_token_head(tokens[1]), 1);
		expect_none_used(&f);
		assert_int_equal(virtio_queue_complete(&f.queue, tokens[2], 2), 0);
		for (uint32_t i = 2; i < 5; i++)
			expect_used(&f, virtio_token_head(tokens[i]), i);
		expect_none_used(&f);
		assert_true(virtio_queue_quiesced(&f.queue));
	}
}

/*
 * Hostile 12: a completed request is not in the used ring yet. For the driver its head is still in
 * flight.
 */
static void queue_in_order_refuses_head_that_waits_for_its_turn(void **state)
{
	struct virtio_token tokens[2];
	struct virtio_chain chain = { 0 };
	struct fixture f;

	setup_in_order(&f, state);
	fixture_pop_some(&f, tokens, 2);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[1], 1), 0);
	fixture_offer_head(&f, (uint16_t)virtio_token_head(tokens[1]));
	fixture_save(&f);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_EINFLIGHT);
	assert_true(fixture_ram_unchanged(&f));
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[0], 0), 0);
	assert_int_equal(fixture_get(&f, VIRTIO_MOCK_USED_IDX), 2);
}

/*
 * Hostile 12 and 13: all heads are in flight, and one of them is made available again. That head is
 * refused, and the earlier requests still complete in order.
 */
static void queue_in_order_completes_after_refused_head(void **state)
{
	for (uint16_t again = 0; again < SIZE; again++) {
		struct virtio_token tokens[SIZE];
		struct virtio_chain chain = { 0 };
		struct fixture f;

		setup_in_order(&f, state);
		fixture_pop_some(&f, tokens, SIZE);
		fixture_offer_head(&f, (uint16_t)virtio_token_head(tokens[again]));
		assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_EINFLIGHT);
		for (uint32_t i = 0; i < SIZE; i++) {
			assert_int_equal(virtio_queue_complete(&f.queue, tokens[i], i), 0);
			assert_int_equal(fixture_get(&f, VIRTIO_MOCK_USED_IDX), i + 1);
			expect_entry(&f, i, virtio_token_head(tokens[i]), i);
		}
	}
}

/* A head outside the table does not change the order of completions. */
static void queue_in_order_completes_after_bad_head(void **state)
{
	struct virtio_token tokens[SIZE];
	struct virtio_chain chain = { 0 };
	struct fixture f;

	setup_in_order(&f, state);
	fixture_pop_some(&f, tokens, SIZE);
	fixture_offer_head(&f, 0xffff);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_EHEAD);
	for (uint32_t i = SIZE; i-- > 0;)
		assert_int_equal(virtio_queue_complete(&f.queue, tokens[i], i), 0);
	assert_int_equal(fixture_get(&f, VIRTIO_MOCK_USED_IDX), SIZE);
	for (uint32_t i = 0; i < SIZE; i++)
		expect_entry(&f, i, virtio_token_head(tokens[i]), i);
}

/* An unpopped request leaves no gap in the order. */
static void queue_in_order_unpop_leaves_no_gap(void **state)
{
	struct virtio_token tokens[3];
	struct virtio_chain chain = { 0 };
	struct fixture f;

	setup_in_order(&f, state);
	fixture_pop_some(&f, tokens, 3);
	assert_int_equal(virtio_queue_unpop(&f.queue, tokens[2]), 0);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[1], 1), 0);
	expect_none_used(&f);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[0], 0), 0);
	expect_used(&f, virtio_token_head(tokens[0]), 0);
	expect_used(&f, virtio_token_head(tokens[1]), 1);
	expect_none_used(&f);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
	assert_int_equal(virtio_token_head(chain.token), virtio_token_head(tokens[2]));
	assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 2), 0);
	expect_used(&f, virtio_token_head(tokens[2]), 2);
}

/* A reset discards completions that wait for earlier requests. */
static void queue_in_order_reset_forgets_what_waits(void **state)
{
	struct virtio_token tokens[2], again[2];
	struct fixture f;

	setup_in_order(&f, state);
	fixture_pop_some(&f, tokens, 2);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[1], 1), 0);
	virtio_queue_reset(&f.queue);
	assert_int_equal(virtio_mock_reset(&f.mock), 0);
	assert_int_equal(virtio_queue_start(&f.queue, &f.config, &f.device_map), 0);
	fixture_pop_some(&f, again, 2);
	expect_stale(&f, tokens[0]);
	assert_int_equal(virtio_queue_complete(&f.queue, again[0], 7), 0);
	expect_used(&f, virtio_token_head(again[0]), 7);
	expect_none_used(&f);
}

#define RING_PAGE 4096u

/*
 * A completion marks the page of the index. The completion also marks the page of the element if
 * the element is in another page.
 */
static void queue_complete_marks_both_pages_of_a_used_ring(void **state)
{
	static uint8_t memory[4 * RING_PAGE] __attribute__((aligned(4096)));
	static uint8_t bitmap[1];
	const struct virtio_dirty_log log = { .bitmap = bitmap, .size = 1, .page_shift = 12, .unit = 1 };
	struct virtio_region region = { .len = sizeof memory, .host = memory, .dirty = &log };
	struct virtio_inflight inflight[8];
	struct virtio_queue_config config;
	struct virtio_memory_map map;
	struct virtio_queue queue;
	struct virtio_chain chain = { .memory = NULL };

	(void)state;
	memset(&queue, 0, sizeof queue);
	assert_int_equal(virtio_memory_map_init(&map, &region, 1), 0);
	assert_int_equal(virtio_queue_config_init(&config, 8), 0);
	config.addr[VIRTIO_QUEUE_AVAIL] = RING_PAGE;
	/*
	 * The flags, the index and two elements are in page 2. The end of the page cuts the third
	 * element.
	 */
	config.addr[VIRTIO_QUEUE_USED] = 3 * RING_PAGE - 24;
	config.ready = true;
	assert_int_equal(virtio_queue_init(&queue, inflight, 8), 0);
	assert_int_equal(virtio_queue_start(&queue, &config, &map), 0);
	for (uint8_t i = 0; i < 8; i++)
		memory[RING_PAGE + 4 + 2 * i] = i;
	memory[RING_PAGE + 2] = 8;
	for (uint32_t i = 0; i < 8; i++) {
		assert_int_equal(virtio_queue_pop(&queue, &chain), 1);
		bitmap[0] = 0;
		assert_int_equal(virtio_queue_complete(&queue, chain.token, 0), 0);
		assert_int_equal(bitmap[0], i < 2 ? 1u << 2 : 3u << 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue_complete_marks_both_pages_of_a_used_ring),
		FIXTURE_ON_ALL(queue_complete_refuses_token_not_in_flight),
		FIXTURE_ON_ALL(queue_complete_refuses_second_completion),
		FIXTURE_ON_ALL(queue_complete_refuses_token_of_reused_head),
		FIXTURE_ON_ALL(queue_complete_refuses_token_from_before_reset),
		FIXTURE_ON_ALL(queue_init_of_used_queue_revives_no_token),
		FIXTURE_ON_ALL(queue_pop_gives_new_tokens_past_32_bits),
		FIXTURE_ON_ALL(queue_complete_writes_used_ring_and_nothing_else),
		FIXTURE_ON_ALL(queue_complete_accepts_any_order),
		FIXTURE_ON_ALL(queue_complete_batch_completes_all_or_none),
		FIXTURE_ON_ALL(queue_complete_batch_of_none_does_nothing),
		FIXTURE_ON_ALL(queue_complete_batch_keeps_callers_order),
		FIXTURE_ON(queue_complete_waits_for_used_ring, CHANGING),
		FIXTURE_ON_ALL(queue_in_order_publishes_in_order_of_available_ring),
		FIXTURE_ON_ALL(queue_in_order_publishes_batches_around_the_ring),
		FIXTURE_ON_ALL(queue_in_order_refuses_head_that_waits_for_its_turn),
		FIXTURE_ON_ALL(queue_in_order_completes_after_refused_head),
		FIXTURE_ON_ALL(queue_in_order_completes_after_bad_head),
		FIXTURE_ON_ALL(queue_in_order_unpop_leaves_no_gap),
		FIXTURE_ON_ALL(queue_in_order_reset_forgets_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
