/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Regression R3: after a reset a queue is as virtio_queue_init() made it, except for its counters
 * and its sequence number. What happened before the reset does not matter.
 */
#include "queue_state_fixture.h"

/*
 * A reset keeps only the storage, the counters and the sequence number. The sequence number keeps
 * earlier tokens stale.
 */
static void expect_reset_to_default(struct fixture *f)
{
	struct virtio_inflight inflight[FIXTURE_MAX_SIZE];
	struct virtio_token tokens[SIZE];
	struct virtio_queue fresh = { 0 };

	fixture_save(f);
	virtio_queue_reset(&f->queue);
	assert_true(fixture_ram_unchanged(f));
	assert_int_equal(f->queue.sequence, f->saved_queue.sequence);
	assert_int_equal(virtio_queue_init(&fresh, inflight, FIXTURE_MAX_SIZE), 0);
	assert_memory_equal(f->inflight, inflight, sizeof inflight);
	fresh.inflight = f->inflight;
	fresh.sequence = f->queue.sequence;
	fresh.stats = f->queue.stats;
	assert_memory_equal(&f->queue, &fresh, sizeof fresh);
	/* After the reset the queue runs like a new queue. */
	f->rewriting = false;
	virtio_memory_cursor_init(&f->mock.memory, &f->driver_map);
	assert_int_equal(virtio_mock_reset(&f->mock), 0);
	assert_int_equal(virtio_queue_start(&f->queue, &f->config, &f->device_map), 0);
	fixture_pop_some(f, tokens, SIZE);
	for (uint32_t i = 0; i < SIZE; i++)
		assert_int_equal(virtio_queue_complete(&f->queue, tokens[i], i), 0);
	for (uint32_t i = 0; i < SIZE; i++)
		assert_used(f, virtio_token_head(tokens[i]), i);
	assert_true(virtio_queue_quiesced(&f->queue));
}

static void queue_reset_forgets_requests_and_notifications(void **state)
{
	struct virtio_token tokens[3];
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	f.config.event_idx = true;
	f.config.allow_unnegotiated_indirect = true;
	fixture_start(&f);
	fixture_pop_some(&f, tokens, 3);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[0], 0), 0);
	assert_true(virtio_queue_needs_interrupt(&f.queue));
	assert_int_equal(virtio_queue_enable_kicks(&f.queue), 0);
	expect_reset_to_default(&f);
}

static void queue_reset_forgets_completion_that_waits(void **state)
{
	struct virtio_token tokens[3];
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	f.config.in_order = true;
	fixture_start(&f);
	fixture_pop_some(&f, tokens, 3);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[0], 0), 0);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[2], 0), 0);
	expect_reset_to_default(&f);
}

static void queue_reset_forgets_replay_that_is_due(void **state)
{
	struct virtio_token tokens[3];
	struct virtio_queue_flight record[SIZE];
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, tokens, 3);
	assert_int_equal(move_queue(&f, record), 3);
	(void)replay(&f, record[0]);
	expect_reset_to_default(&f);
}

static void queue_reset_forgets_indices_that_were_set(void **state)
{
	struct virtio_token tokens[2];
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	assert_int_equal(virtio_mock_seek(&f.mock, 0x1234), 0);
	assert_int_equal(virtio_queue_set_next_avail(&f.queue, 0x1234), 0);
	assert_int_equal(virtio_queue_set_next_used(&f.queue, 0x1230), 0);
	fixture_pop_some(&f, tokens, 2);
	expect_reset_to_default(&f);
}

static void queue_reset_forgets_old_map(void **state)
{
	struct virtio_token tokens[2];
	struct virtio_memory_map other;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, tokens, 2);
	other = f.device_map;
	/*
	 * The change of the map looks the areas up again. In changing memory, these look-ups would
	 * rewrite the descriptor table.
	 */
	f.rewriting = false;
	assert_int_equal(virtio_queue_set_memory(&f.queue, &other), 0);
	assert_false(virtio_queue_old_maps_unused(&f.queue));
	expect_reset_to_default(&f);
}

static void queue_reset_forgets_fault(void **state)
{
	struct virtio_chain chain;
	struct virtio_token token;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, &token, 1);
	fixture_set(&f, VIRTIO_MOCK_AVAIL_IDX, 0x8000);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_EAVAILIDX);
	expect_reset_to_default(&f);
}

/* The queue has no memory, so no cursor can access a byte. An empty access succeeds. */
static void expect_no_memory(struct fixture *f, struct virtio_memory_cursor *memory)
{
	uint8_t bytes[4] = { 1, 2, 3, 4 };

	fixture_save(f);
	for (uint32_t use = 0; use < VIRTIO_MEMORY_USES; use++) {
		assert_int_equal(virtio_memory_read(&memory[use], FIXTURE_DATA, bytes, sizeof bytes), VIRTIO_EFAULT);
		assert_int_equal(virtio_memory_write(&memory[use], FIXTURE_DATA, bytes, sizeof bytes), VIRTIO_EFAULT);
		assert_int_equal(virtio_memory_check(&memory[use], FIXTURE_BASE, 1, VIRTIO_ACCESS_READ), VIRTIO_EFAULT);
		assert_null(virtio_memory_find(&memory[use], FIXTURE_DATA, 1, VIRTIO_ACCESS_READ));
		assert_int_equal(virtio_memory_read(&memory[use], FIXTURE_DATA, bytes, 0), 0);
	}
	assert_true(bytes[0] == 1 && bytes[1] == 2 && bytes[2] == 3 && bytes[3] == 4);
	assert_true(fixture_ram_unchanged(f));
}

/*
 * A chain that the caller keeps over a reset reaches no byte, although its cursors had cached
 * regions. The cursors of a queue that was never started reach no byte either.
 */
static void queue_reset_leaves_kept_chain_without_memory(void **state)
{
	struct virtio_chain chain = { 0 };
	struct virtio_desc desc = { 0 };
	struct virtio_token token;
	struct fixture f;
	uint8_t byte = 9;

	fixture_init(&f, fixture_kind(state), SIZE);
	assert_int_equal(virtio_queue_init(&f.queue, f.inflight, FIXTURE_MAX_SIZE), 0);
	expect_no_memory(&f, f.queue.memory);
	fixture_start(&f);
	(void)fixture_add(&f, &one, 1);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
	assert_ptr_equal(chain.memory, f.queue.memory);
	assert_int_equal(virtio_chain_next(&chain, &desc), 1);
	for (uint32_t use = 0; use < VIRTIO_MEMORY_USES; use++)
		assert_int_equal(virtio_memory_write(&chain.memory[use], desc.addr, &byte, 1), 0);
	virtio_queue_reset(&f.queue);
	expect_no_memory(&f, chain.memory);
	/* A second virtio_queue_init() also removes the memory. */
	f.rewriting = false;
	assert_int_equal(virtio_mock_reset(&f.mock), 0);
	assert_int_equal(virtio_queue_start(&f.queue, &f.config, &f.device_map), 0);
	fixture_pop_some(&f, &token, 1);
	assert_int_equal(virtio_memory_write(chain.memory, desc.addr, &byte, 1), 0);
	assert_int_equal(virtio_queue_init(&f.queue, f.inflight, FIXTURE_MAX_SIZE), 0);
	expect_no_memory(&f, chain.memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON_ALL(queue_reset_forgets_requests_and_notifications),
		FIXTURE_ON_ALL(queue_reset_forgets_completion_that_waits),
		FIXTURE_ON_ALL(queue_reset_forgets_replay_that_is_due),
		FIXTURE_ON_ALL(queue_reset_forgets_indices_that_were_set),
		FIXTURE_ON_ALL(queue_reset_forgets_old_map),
		FIXTURE_ON_ALL(queue_reset_forgets_fault),
		FIXTURE_ON_ALL(queue_reset_leaves_kept_chain_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
