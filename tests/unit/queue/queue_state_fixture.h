/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Parts that the tests of save, restore and replay share. */
#ifndef VIRTIO_TESTS_QUEUE_STATE_FIXTURE_H
#define VIRTIO_TESTS_QUEUE_STATE_FIXTURE_H

#include "../common/fixture.h"
#include <virtio/queue_state.h>

#define SIZE 8u

static const struct virtio_mock_buffer one = WRITABLE(FIXTURE_DATA, 64);

/*
 * A state that no save returns. This state shows whether a failed save leaves its output unchanged.
 */
static inline struct virtio_queue_state odd_state(void)
{
	struct virtio_queue_state s;

	memset(&s, 0x5c, sizeof s);
	return s;
}

static inline bool is_odd(const struct virtio_queue_state *s)
{
	const struct virtio_queue_state odd = odd_state();

	return memcmp(s, &odd, sizeof odd) == 0;
}

/* Checks that both kinds of save return these errors and change nothing. */
static inline void assert_saves_refused(struct fixture *f, int plain, int in_flight)
{
	struct virtio_queue_state state = odd_state();
	struct virtio_queue_flight record[SIZE];
	uint32_t count = 77;

	memset(record, 0x5c, sizeof record);
	fixture_save(f);
	assert_int_equal(virtio_queue_save(&f->queue, &state), plain);
	assert_true(is_odd(&state));
	assert_int_equal(virtio_queue_save_in_flight(&f->queue, &state, record, SIZE, &count), in_flight);
	assert_true(is_odd(&state));
	assert_int_equal(count, 77);
	for (uint32_t i = 0; i < SIZE; i++)
		assert_int_equal(record[i].head, 0x5c5c);
	assert_true(fixture_unchanged(f));
}

/* Replaces the queue by a queue of the new owner, which is initialised and not started. */
static inline void forget_queue(struct fixture *f)
{
	/*
	 * The new queue looks the areas up and reads descriptors again, so the memory must not
	 * rewrite descriptors that the old queue has read.
	 */
	f->rewriting = false;
	assert_int_equal(virtio_queue_init(&f->queue, f->inflight, FIXTURE_MAX_SIZE), 0);
}

/*
 * Saves the queue with its requests in flight, and restores it into a new queue. Returns the number
 * of requests.
 */
static inline uint32_t move_queue(struct fixture *f, struct virtio_queue_flight record[SIZE])
{
	struct virtio_queue_state state;
	uint32_t count = 0;

	assert_int_equal(virtio_queue_save_in_flight(&f->queue, &state, record, SIZE, &count), 0);
	forget_queue(f);
	assert_int_equal(virtio_queue_restore(&f->queue, &state, &f->device_map), 0);
	return count;
}

static inline struct virtio_token pop(struct fixture *f)
{
	struct virtio_chain chain = { 0 };

	assert_int_equal(virtio_queue_pop(&f->queue, &chain), 1);
	return chain.token;
}

static inline struct virtio_token replay(struct fixture *f, struct virtio_queue_flight request)
{
	struct virtio_chain chain = { 0 };
	struct virtio_desc desc = { 0 };

	assert_int_equal(virtio_queue_replay(&f->queue, &request, &chain), 1);
	assert_int_equal(virtio_token_head(chain.token), request.head);
	/* The replay fills in the chain as a pop does. */
	assert_int_equal(virtio_chain_next(&chain, &desc), 1);
	assert_int_equal(desc.addr, FIXTURE_DATA);
	assert_int_equal(virtio_chain_next(&chain, &desc), 0);
	return chain.token;
}

static inline void assert_used(struct fixture *f, uint32_t head, uint32_t len)
{
	struct vring_used_elem used;

	assert_int_equal(virtio_mock_pop_used(&f->mock, &used), 1);
	assert_int_equal(used.id, head);
	assert_int_equal(used.len, len);
}

#endif
