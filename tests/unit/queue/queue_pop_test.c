/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests pops from incoherent rings, from queues that are not started, and from coherent rings. Also
 * tests unpops and virtio_queue_available().
 */
#include "../common/fixture.h"

#define SIZE 8u

static const struct virtio_mock_buffer one[] = { WRITABLE(FIXTURE_DATA, 16) };

/*
 * The first pop must break the queue and return the cause. Later pops return VIRTIO_EBROKEN. No pop
 * writes the chain or guest memory.
 */
static void expect_broken(struct fixture *f, int error, uint16_t head)
{
	const uint16_t next_avail = virtio_queue_next_avail(&f->queue);
	const uint32_t in_flight = virtio_queue_in_flight(&f->queue);
	struct virtio_queue_stats stats;
	struct virtio_chain chain, before;

	memset(&chain, 0x5a, sizeof chain);
	memcpy(&before, &chain, sizeof chain);
	fixture_save(f);
	assert_int_equal(virtio_queue_pop(&f->queue, &chain), error);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(virtio_queue_pop(&f->queue, &chain), VIRTIO_EBROKEN);
		assert_int_equal(virtio_queue_available(&f->queue), VIRTIO_EBROKEN);
		assert_int_equal(virtio_queue_enable_kicks(&f->queue), VIRTIO_EBROKEN);
		assert_int_equal(virtio_queue_disable_kicks(&f->queue), VIRTIO_EBROKEN);
	}
	assert_memory_equal(&chain, &before, sizeof chain);
	assert_true(fixture_ram_unchanged(f));
	assert_memory_equal(f->inflight, f->saved_inflight, sizeof f->inflight);
	assert_int_equal(virtio_queue_next_avail(&f->queue), next_avail);
	assert_int_equal(virtio_queue_in_flight(&f->queue), in_flight);
	virtio_queue_get_stats(&f->queue, &stats);
	assert_int_equal(stats.ring_faults, 1);
	assert_int_equal(stats.first_error, error);
	assert_int_equal(stats.first_head, head);
	assert_int_equal(stats.first_position, next_avail);
}

/* Incoherent rings */

/* Hostile 6: a head is outside the table. */
static void queue_pop_refuses_head_outside_table(void **state)
{
	static const uint16_t heads[] = { SIZE, SIZE + 1, 0x7fff, 0x8000, 0xffff };

	for (uint32_t i = 0; i < COUNT(heads); i++) {
		struct fixture f;

		fixture_setup(&f, fixture_kind(state), SIZE);
		fixture_offer_head(&f, heads[i]);
		expect_broken(&f, VIRTIO_EHEAD, heads[i]);
	}
}

/*
 * As above, but the bad head is published together with a good head. So the pop finds the bad head
 * without another read of the available index. The smaller bad heads have entries in the in-flight
 * storage, so only the check against the queue size can refuse these heads.
 */
static void queue_pop_refuses_head_outside_table_behind_good_one(void **state)
{
	static const uint16_t heads[] = { SIZE, SIZE + 1, FIXTURE_MAX_SIZE - 1, 0x7fff, 0x8000, 0xffff };

	for (uint32_t i = 0; i < COUNT(heads); i++) {
		struct virtio_chain chain = { 0 };
		struct fixture f;

		fixture_setup(&f, fixture_kind(state), SIZE);
		assert_int_equal(virtio_mock_write_chain(&f.mock, 2, one, 1), 0);
		assert_int_equal(virtio_mock_offer(&f.mock, 2), 0);
		assert_int_equal(virtio_mock_offer(&f.mock, heads[i]), 0);
		assert_int_equal(virtio_mock_publish(&f.mock), 0);
		assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
		expect_broken(&f, VIRTIO_EHEAD, heads[i]);
		assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 0), 0);
	}
}

/*
 * Hostile 7, regression R19: the available index is more than the queue size ahead. Several
 * distances and several start values are tried.
 */
static void queue_pop_refuses_index_past_size(void **state)
{
	static const uint16_t starts[] = { 0, 1, 0x7fff, 0xfffc, 0xffff };
	static const uint16_t ahead[] = { SIZE + 1, SIZE + 2, 2 * SIZE, 0x7fff, 0x8000, 0xfff0 };

	for (uint32_t s = 0; s < COUNT(starts); s++)
		for (uint32_t i = 0; i < COUNT(ahead); i++) {
			struct fixture f;

			fixture_setup(&f, fixture_kind(state), SIZE);
			assert_int_equal(virtio_queue_set_next_avail(&f.queue, starts[s]), 0);
			fixture_set(&f, VIRTIO_MOCK_AVAIL_IDX, (uint16_t)(starts[s] + ahead[i]));
			expect_broken(&f, VIRTIO_EAVAILIDX, UINT16_MAX);
		}
}

/* Hostile 8, regression R14: the available index goes back, by 1 or by more. */
static void queue_pop_refuses_index_going_backwards(void **state)
{
	static const uint16_t back[] = { 1, 2, SIZE, 0x7fff };

	for (uint32_t i = 0; i < COUNT(back); i++) {
		struct virtio_token tokens[3];
		struct fixture f;

		fixture_setup(&f, fixture_kind(state), SIZE);
		fixture_pop_some(&f, tokens, 3);
		fixture_set(&f, VIRTIO_MOCK_AVAIL_IDX, (uint16_t)(3 - back[i]));
		expect_broken(&f, VIRTIO_EAVAILIDX, UINT16_MAX);
	}
}

/*
 * Hostile 8: the available index goes back, but stays ahead of the next pop. The queue has read the
 * higher index before, so the queue refuses the lower index.
 */
static void queue_available_refuses_index_that_went_back(void **state)
{
	struct virtio_chain chain = { 0 };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	for (uint16_t i = 0; i < 4; i++)
		fixture_offer_chain(&f, i, one, 1);
	assert_int_equal(virtio_queue_available(&f.queue), 4);
	fixture_set(&f, VIRTIO_MOCK_AVAIL_IDX, 3);
	assert_int_equal(virtio_queue_available(&f.queue), VIRTIO_EAVAILIDX);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_EBROKEN);
}

/*
 * Hostile 12: a head is made available again while it is in flight. The pop is refused, and the
 * request in flight can be completed once.
 */
static void queue_pop_refuses_head_in_flight(void **state)
{
	struct virtio_chain chain = { 0 };
	struct vring_used_elem used;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_offer_chain(&f, 5, one, 1);
	fixture_offer_head(&f, 5);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
	expect_broken(&f, VIRTIO_EINFLIGHT, 5);
	assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 16), 0);
	assert_int_equal(virtio_mock_pop_used(&f.mock, &used), 1);
	assert_int_equal(used.id, 5);
	assert_int_equal(used.len, 16);
	assert_true(virtio_queue_quiesced(&f.queue));
	assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 16), VIRTIO_ESTALE);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_EBROKEN);
}

/*
 * Hostile 13: as many heads are in flight as the queue has descriptors. Any further head is
 * therefore already in flight.
 */
static void queue_pop_refuses_more_than_size_in_flight(void **state)
{
	struct virtio_token tokens[SIZE];
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, tokens, SIZE);
	fixture_offer_head(&f, 3);
	expect_broken(&f, VIRTIO_EINFLIGHT, 3);
	for (uint32_t i = 0; i < SIZE; i++)
		assert_int_equal(virtio_queue_complete(&f.queue, tokens[i], 0), 0);
	assert_true(virtio_queue_quiesced(&f.queue));
}

/*
 * Hostile 17: a ring that is not in memory any more is reported as one fault. The queue then stays
 * broken.
 */
static void queue_pop_breaks_when_ring_is_gone(void **state)
{
	static const int errors[] = { VIRTIO_EFAULT, VIRTIO_EPERM };

	for (uint32_t i = 0; i < COUNT(errors); i++) {
		struct fixture f;

		fixture_setup(&f, fixture_kind(state), SIZE);
		fixture_offer_chain(&f, 0, one, 1);
		f.bad_start = f.mock.addr[VIRTIO_QUEUE_AVAIL] & ~UINT64_C(15);
		f.bad_end = f.bad_start + 16;
		f.bad_error = errors[i];
		/*
		 * Replaces the cached region that the start left, so the next access needs a
		 * look-up.
		 */
		assert_int_equal(virtio_memory_check(&f.queue.ring_memory, FIXTURE_DATA, 1, VIRTIO_ACCESS_READ), 0);
		expect_broken(&f, errors[i], UINT16_MAX);
	}
}

/* The first call returns the cause. Later calls return VIRTIO_EBROKEN. */
static void queue_available_breaks_when_ring_is_gone(void **state)
{
	static const int errors[] = { VIRTIO_EFAULT, VIRTIO_EPERM };

	for (uint32_t i = 0; i < COUNT(errors); i++) {
		struct virtio_queue_stats stats;
		struct virtio_chain chain = { 0 };
		struct fixture f;

		fixture_setup(&f, fixture_kind(state), SIZE);
		fixture_offer_chain(&f, 0, one, 1);
		f.bad_start = f.mock.addr[VIRTIO_QUEUE_AVAIL] & ~UINT64_C(15);
		f.bad_end = f.bad_start + 16;
		f.bad_error = errors[i];
		assert_int_equal(virtio_memory_check(&f.queue.ring_memory, FIXTURE_DATA, 1, VIRTIO_ACCESS_READ), 0);
		assert_int_equal(virtio_queue_available(&f.queue), errors[i]);
		assert_int_equal(virtio_queue_available(&f.queue), VIRTIO_EBROKEN);
		assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_EBROKEN);
		assert_int_equal(virtio_queue_next_avail(&f.queue), 0);
		assert_true(virtio_queue_quiesced(&f.queue));
		virtio_queue_get_stats(&f.queue, &stats);
		assert_int_equal(stats.ring_faults, 1);
		assert_int_equal(stats.first_error, errors[i]);
		assert_int_equal(stats.first_head, UINT16_MAX);
	}
}

/*
 * A ring that is not mapped yet does not break the queue, and no head is lost. The pop works when
 * the ring is mapped.
 */
static void queue_pop_waits_for_mapping(void **state)
{
	struct virtio_queue_stats stats;
	struct virtio_chain chain = { 0 };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_offer_chain(&f, 6, one, 1);
	f.bad_start = f.mock.addr[VIRTIO_QUEUE_AVAIL] & ~UINT64_C(15);
	f.bad_end = f.bad_start + 16;
	f.bad_error = VIRTIO_ENOTMAPPED;
	assert_int_equal(virtio_memory_check(&f.queue.ring_memory, FIXTURE_DATA, 1, VIRTIO_ACCESS_READ), 0);
	fixture_save(&f);
	for (int i = 0; i < 3; i++) {
		uint16_t idx = 99;

		assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_ENOTMAPPED);
		assert_int_equal(virtio_queue_available(&f.queue), VIRTIO_ENOTMAPPED);
		assert_int_equal(virtio_queue_read_avail_idx(&f.queue, &idx), VIRTIO_ENOTMAPPED);
		assert_int_equal(idx, 99);
	}
	assert_true(fixture_unchanged(&f));
	virtio_queue_get_stats(&f.queue, &stats);
	assert_int_equal(stats.ring_faults, 0);
	assert_int_equal(stats.first_error, 0);
	assert_true(stats.not_mapped >= 6);
	f.bad_error = 0;
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
	assert_int_equal(virtio_token_head(chain.token), 6);
}

/*
 * The available index can be read, but an entry of the ring cannot. The pop knows of the entry from
 * an earlier read of the index, or reads the index itself.
 */
static void queue_pop_reports_entry_that_cannot_be_read(void **state)
{
	static const int errors[] = { VIRTIO_ENOTMAPPED, VIRTIO_EFAULT, VIRTIO_EPERM };

	for (int known = 0; known <= 1; known++)
		for (uint32_t i = 0; i < COUNT(errors); i++) {
			struct virtio_queue_stats stats;
			struct virtio_chain first = { 0 }, second = { 0 };
			struct fixture f;

			fixture_setup(&f, fixture_kind(state), SIZE);
			assert_int_equal(virtio_mock_seek(&f.mock, 5), 0);
			assert_int_equal(virtio_queue_set_next_avail(&f.queue, 5), 0);
			assert_int_equal(virtio_queue_set_next_used(&f.queue, 5), 0);
			fixture_offer_chain(&f, 3, one, 1);
			if (known)
				fixture_offer_chain(&f, 4, one, 1);
			assert_int_equal(virtio_queue_pop(&f.queue, &first), 1);
			if (!known)
				fixture_offer_chain(&f, 4, one, 1);
			f.bad_start = virtio_mock_avail_entry_addr(&f.mock, 6);
			f.bad_end = f.bad_start + 4;
			f.bad_error = errors[i];
			assert_int_equal(f.bad_start % 16, 0);
			if (errors[i] != VIRTIO_ENOTMAPPED) {
				expect_broken(&f, errors[i], UINT16_MAX);
				assert_int_equal(virtio_queue_complete(&f.queue, first.token, 0), 0);
				continue;
			}
			for (int n = 1; n <= 3; n++) {
				assert_int_equal(virtio_queue_pop(&f.queue, &second), VIRTIO_ENOTMAPPED);
				assert_int_equal(second.token.value, 0);
				assert_int_equal(virtio_queue_available(&f.queue), 1);
				assert_int_equal(virtio_queue_next_avail(&f.queue), 6);
				assert_int_equal(virtio_queue_in_flight(&f.queue), 1);
				virtio_queue_get_stats(&f.queue, &stats);
				assert_int_equal(stats.not_mapped, n);
				assert_int_equal(stats.ring_faults, 0);
				assert_int_equal(stats.first_error, 0);
			}
			f.bad_error = 0;
			assert_int_equal(virtio_queue_pop(&f.queue, &second), 1);
			assert_int_equal(virtio_token_head(second.token), 4);
		}
}

/* Hostile 15: a broken queue can be reset, and then starts again. */
static void queue_reset_mends_broken_queue(void **state)
{
	struct virtio_queue_stats stats;
	struct virtio_chain chain = { 0 };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_offer_head(&f, SIZE);
	expect_broken(&f, VIRTIO_EHEAD, SIZE);
	virtio_queue_reset(&f.queue);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_ENOTREADY);
	assert_int_equal(virtio_mock_reset(&f.mock), 0);
	assert_int_equal(virtio_queue_start(&f.queue, &f.config, &f.device_map), 0);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), 0);
	fixture_offer_chain(&f, 0, one, 1);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
	/* The record of the first fault survives the reset, for the operator. */
	virtio_queue_get_stats(&f.queue, &stats);
	assert_int_equal(stats.first_error, VIRTIO_EHEAD);
	assert_int_equal(stats.ring_faults, 1);
}

/* Queues that are not started; regression R15 */

static void queue_calls_refuse_queue_not_started(void **state)
{
	struct virtio_token token = fixture_token(1, 0);
	struct virtio_completion completion = { token, 0 };
	struct virtio_queue_stats stats;
	struct virtio_chain chain = { 0 };
	uint16_t idx = 99;
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	assert_int_equal(virtio_queue_init(&f.queue, f.inflight, FIXTURE_MAX_SIZE), 0);
	fixture_save(&f);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_ENOTREADY);
	assert_int_equal(virtio_queue_available(&f.queue), VIRTIO_ENOTREADY);
	assert_int_equal(virtio_queue_unpop(&f.queue, token), VIRTIO_ESTALE);
	assert_int_equal(virtio_queue_complete(&f.queue, token, 0), VIRTIO_ESTALE);
	assert_int_equal(virtio_queue_complete_batch(&f.queue, &completion, 1), VIRTIO_ESTALE);
	assert_false(virtio_queue_needs_interrupt(&f.queue));
	assert_int_equal(virtio_queue_enable_kicks(&f.queue), VIRTIO_ENOTREADY);
	assert_int_equal(virtio_queue_disable_kicks(&f.queue), VIRTIO_ENOTREADY);
	assert_int_equal(virtio_queue_set_memory(&f.queue, &f.device_map), VIRTIO_ENOTREADY);
	assert_int_equal(virtio_queue_set_next_avail(&f.queue, 1), VIRTIO_ENOTREADY);
	assert_int_equal(virtio_queue_set_next_used(&f.queue, 1), VIRTIO_ENOTREADY);
	assert_int_equal(virtio_queue_read_avail_idx(&f.queue, &idx), VIRTIO_ENOTREADY);
	assert_int_equal(virtio_queue_read_used_idx(&f.queue, &idx), VIRTIO_ENOTREADY);
	assert_int_equal(idx, 99);
	assert_true(virtio_queue_quiesced(&f.queue));
	assert_true(virtio_queue_old_maps_unused(&f.queue));
	assert_true(fixture_unchanged(&f));
	virtio_queue_get_stats(&f.queue, &stats);
	assert_true(stats.chains == 0 && stats.ring_faults == 0 && stats.first_error == 0);
	assert_int_equal(stats.first_head, UINT16_MAX);
}

/* Coherent rings */

static void queue_pop_yields_nothing_from_empty_ring(void **state)
{
	struct virtio_chain chain, before;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	memset(&chain, 0x5a, sizeof chain);
	memcpy(&before, &chain, sizeof chain);
	fixture_save(&f);
	for (int i = 0; i < 3; i++)
		assert_int_equal(virtio_queue_pop(&f.queue, &chain), 0);
	assert_memory_equal(&chain, &before, sizeof chain);
	assert_true(fixture_unchanged(&f));
}

/* Entries that are written but not published are not popped. */
static void queue_pop_sees_published_entries_only(void **state)
{
	struct virtio_chain chain = { 0 };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	assert_int_equal(virtio_mock_write_chain(&f.mock, 2, one, 1), 0);
	assert_int_equal(virtio_mock_offer(&f.mock, 2), 0);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), 0);
	assert_int_equal(virtio_mock_publish(&f.mock), 0);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
	assert_int_equal(virtio_token_head(chain.token), 2);
	assert_int_not_equal(chain.token.value, 0);
}

/*
 * Hostile 9: the available index is exactly the queue size ahead, so the ring is full. All buffers
 * are popped in order.
 */
static void queue_pop_delivers_full_ring(void **state)
{
	for (uint32_t size = 1; size <= FIXTURE_MAX_SIZE; size *= 2) {
		struct virtio_chain chain = { 0 };
		struct fixture f;

		fixture_setup(&f, fixture_kind(state), size);
		for (uint32_t i = 0; i < size; i++)
			fixture_offer_chain(&f, size - 1 - i, one, 1);
		assert_int_equal(virtio_queue_available(&f.queue), size);
		for (uint32_t i = 0; i < size; i++) {
			assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
			assert_int_equal(virtio_token_head(chain.token), size - 1 - i);
			assert_int_equal(virtio_queue_available(&f.queue), size - 1 - i);
		}
		assert_int_equal(virtio_queue_pop(&f.queue, &chain), 0);
		assert_false(virtio_queue_quiesced(&f.queue));
	}
}

/*
 * Hostile 11: a loop over the available count ends, although the driver adds a chain for each chain
 * that is served.
 */
static void queue_available_bounds_a_drain(void **state)
{
	struct virtio_chain chain = { 0 };
	struct fixture f;
	int bound;

	fixture_setup(&f, fixture_kind(state), SIZE);
	for (uint32_t i = 0; i < SIZE; i++)
		(void)fixture_add(&f, one, 1);
	bound = virtio_queue_available(&f.queue);
	assert_int_equal(bound, SIZE);
	for (int i = 0; i < bound; i++) {
		struct vring_used_elem used;

		assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
		assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 0), 0);
		assert_int_equal(virtio_mock_pop_used(&f.mock, &used), 1);
		(void)fixture_add(&f, one, 1);
	}
	assert_int_equal(virtio_queue_available(&f.queue), SIZE);
}

/* Unpop */

static void queue_unpop_refuses_stale_and_buried_tokens(void **state)
{
	struct virtio_token tokens[3], wrong;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, tokens, 3);
	fixture_save(&f);
	assert_int_equal(virtio_queue_unpop(&f.queue, tokens[0]), VIRTIO_ENOTLAST);
	assert_int_equal(virtio_queue_unpop(&f.queue, tokens[1]), VIRTIO_ENOTLAST);
	wrong.value = tokens[2].value + VIRTIO_IMPL_TOKEN_STEP;
	assert_int_equal(virtio_queue_unpop(&f.queue, wrong), VIRTIO_ESTALE);
	wrong = fixture_token(fixture_sequence(tokens[2]), SIZE);
	assert_int_equal(virtio_queue_unpop(&f.queue, wrong), VIRTIO_ESTALE);
	wrong = fixture_token(fixture_sequence(tokens[2]), 0xffff);
	assert_int_equal(virtio_queue_unpop(&f.queue, wrong), VIRTIO_ESTALE);
	memset(&wrong, 0, sizeof wrong);
	assert_int_equal(virtio_queue_unpop(&f.queue, wrong), VIRTIO_ESTALE);
	wrong = fixture_token(0, 7); /* a token that comes from no pop */
	assert_int_equal(virtio_queue_unpop(&f.queue, wrong), VIRTIO_ESTALE);
	assert_true(fixture_unchanged(&f));
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[2], 0), 0);
	assert_int_equal(virtio_queue_unpop(&f.queue, tokens[2]), VIRTIO_ESTALE);
	/*
	 * A completed request cannot be unpopped. An earlier request is not the last pop, so that
	 * request can't be unpopped either.
	 */
	assert_int_equal(virtio_queue_unpop(&f.queue, tokens[1]), VIRTIO_ENOTLAST);
}

static void queue_unpop_refuses_broken_queue(void **state)
{
	struct virtio_token token;
	struct virtio_chain chain = { 0 };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, &token, 1);
	fixture_offer_head(&f, SIZE);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_EHEAD);
	fixture_save(&f);
	assert_int_equal(virtio_queue_unpop(&f.queue, token), VIRTIO_EBROKEN);
	assert_true(fixture_unchanged(&f));
}

/*
 * Unpops undo pops in reverse order. Each head is popped again under a new token, and its old token
 * is stale.
 */
static void queue_unpop_goes_backwards(void **state)
{
	struct virtio_token tokens[SIZE];
	struct virtio_queue_stats stats;
	struct virtio_chain chain = { 0 };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	assert_int_equal(virtio_mock_seek(&f.mock, 0xfffc), 0);
	assert_int_equal(virtio_queue_set_next_avail(&f.queue, 0xfffc), 0);
	assert_int_equal(virtio_queue_set_next_used(&f.queue, 0xfffc), 0);
	fixture_pop_some(&f, tokens, SIZE);
	for (uint32_t i = SIZE; i-- > 0;) {
		assert_int_equal(virtio_queue_unpop(&f.queue, tokens[i]), 0);
		assert_int_equal(virtio_queue_in_flight(&f.queue), i);
		assert_int_equal(virtio_queue_unpop(&f.queue, tokens[i]), VIRTIO_ESTALE);
		assert_int_equal(virtio_queue_complete(&f.queue, tokens[i], 0), VIRTIO_ESTALE);
	}
	virtio_queue_get_stats(&f.queue, &stats);
	assert_int_equal(stats.chains, 0);
	for (uint32_t i = 0; i < SIZE; i++) {
		assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
		assert_int_equal(virtio_token_head(chain.token), virtio_token_head(tokens[i]));
		assert_int_not_equal(chain.token.value, tokens[i].value);
		assert_int_equal(virtio_queue_complete(&f.queue, tokens[i], 0), VIRTIO_ESTALE);
	}
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), 0);
}

/*
 * Tests of a queue alone do not cover these cases:
 *
 * - Hostile 46: the device writes a header after the request's buffers were released. The queue
 *   keeps no pointer to the buffers of a chain. A struct virtio_request points to its status byte,
 *   but a completion with a stale token does not access the byte. See
 *   request_complete_refuses_second_completion and the tests after it.
 * - Hostile 61 to 65: queue numbers, data and time of notifications. virtio-device handles these
 *   notifications, and a queue acts only in calls of its owner. But
 *   queue_start_picks_up_earlier_buffers also tests hostile 62, and
 *   queue_pop_yields_nothing_from_empty_ring also tests hostile 64.
 */
int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON_ALL(queue_pop_refuses_head_outside_table),
		FIXTURE_ON_ALL(queue_pop_refuses_head_outside_table_behind_good_one),
		FIXTURE_ON_ALL(queue_pop_refuses_index_past_size),
		FIXTURE_ON_ALL(queue_pop_refuses_index_going_backwards),
		FIXTURE_ON_ALL(queue_available_refuses_index_that_went_back),
		FIXTURE_ON_ALL(queue_pop_refuses_head_in_flight),
		FIXTURE_ON_ALL(queue_pop_refuses_more_than_size_in_flight),
		FIXTURE_ON(queue_pop_breaks_when_ring_is_gone, CHANGING),
		FIXTURE_ON(queue_available_breaks_when_ring_is_gone, CHANGING),
		FIXTURE_ON(queue_pop_waits_for_mapping, CHANGING),
		FIXTURE_ON(queue_pop_reports_entry_that_cannot_be_read, CHANGING),
		FIXTURE_ON_ALL(queue_reset_mends_broken_queue),
		FIXTURE_ON_ALL(queue_calls_refuse_queue_not_started),
		FIXTURE_ON_ALL(queue_pop_yields_nothing_from_empty_ring),
		FIXTURE_ON_ALL(queue_pop_sees_published_entries_only),
		FIXTURE_ON_ALL(queue_pop_delivers_full_ring),
		FIXTURE_ON_ALL(queue_available_bounds_a_drain),
		FIXTURE_ON_ALL(queue_unpop_refuses_stale_and_buried_tokens),
		FIXTURE_ON_ALL(queue_unpop_refuses_broken_queue),
		FIXTURE_ON_ALL(queue_unpop_goes_backwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
