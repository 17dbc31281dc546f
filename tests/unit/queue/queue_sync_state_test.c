/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests a queue with a lock: requests in flight are replayed after a restore. Each replay takes the
 * lock once.
 */
#include "sync_fixture.h"

static const struct virtio_mock_buffer one = WRITABLE(FIXTURE_DATA, 8);

/* Returns the result of a call. The call must have taken the lock once and released it. */
static int after(struct shared *s, int got)
{
	assert_locked_once(s);
	return got;
}

static struct virtio_token pop_one(struct shared *s)
{
	struct virtio_chain_segments resolved = { .segments = s->segments, .capacity = FIXTURE_MAX_SIZE };
	struct virtio_token token = { 0 };
	int chain_error = 77;

	(void)fixture_add(&s->f, &one, 1);
	assert_int_equal(after(s, virtio_queue_sync_pop(&s->sync, &token, &resolved, &chain_error)), 1);
	assert_int_equal(chain_error, 0);
	return token;
}

/* Pops a bad head, which breaks the queue. */
static void pop_bad_head(struct shared *s)
{
	struct virtio_chain_segments resolved = { .segments = s->segments, .capacity = FIXTURE_MAX_SIZE };
	struct virtio_token token = fixture_token(77, 77);
	int chain_error = 77;

	fixture_offer_head(&s->f, SIZE);
	assert_int_equal(after(s, virtio_queue_sync_pop(&s->sync, &token, &resolved, &chain_error)), VIRTIO_EHEAD);
}

/* Saves the state and the requests in flight, and restores the queue from the state. */
static void save_and_restore(struct shared *s, struct virtio_queue_flight *record, uint32_t in_flight)
{
	struct virtio_queue *queue = virtio_queue_sync_lock(&s->sync);
	struct virtio_queue_state saved;
	uint32_t count = 0;

	assert_int_equal(virtio_queue_save_in_flight(queue, &saved, record, SIZE, &count), 0);
	assert_int_equal(count, in_flight);
	virtio_queue_reset(queue);
	memset(s->f.seen, 0, sizeof s->f.seen);
	assert_int_equal(virtio_queue_restore(queue, &saved, &s->f.device_map), 0);
	release(s);
}

static int replay(struct shared *s, uint16_t head, uint32_t capacity, struct virtio_token *token, int *chain_error)
{
	struct virtio_chain_segments resolved = { .segments = s->segments, .capacity = capacity };
	const struct virtio_queue_flight request = { .head = head };

	*token = (struct virtio_token){ 77 };
	*chain_error = 77;
	return after(s, virtio_queue_sync_replay(&s->sync, &request, token, &resolved, chain_error));
}

static void expect_no_replay(struct shared *s, uint16_t head, int error)
{
	struct virtio_token token;
	int chain_error;

	assert_int_equal(replay(s, head, FIXTURE_MAX_SIZE, &token, &chain_error), error);
	assert_true(token.value == 77 && chain_error == 77);
}

/* Two requests in flight are replayed in a queue that was restored. */
static void queue_sync_replays_requests(void **state)
{
	struct virtio_queue_flight record[SIZE];
	struct virtio_token token;
	int chain_error;
	struct shared s;

	init(&s, fixture_kind(state));
	expect_no_replay(&s, 0, VIRTIO_ENOTREADY);
	start(&s);
	(void)pop_one(&s);
	(void)pop_one(&s);
	save_and_restore(&s, record, 2);
	expect_no_replay(&s, SIZE, VIRTIO_EINVAL);
	assert_int_equal(replay(&s, record[0].head, FIXTURE_MAX_SIZE, &token, &chain_error), 1);
	assert_true(virtio_token_head(token) == record[0].head && chain_error == 0);
	expect_no_replay(&s, record[0].head, VIRTIO_EINVAL);
	/* A chain that does not fit into the array is put in flight as well. */
	assert_int_equal(replay(&s, record[1].head, 0, &token, &chain_error), 1);
	assert_true(virtio_token_head(token) == record[1].head && chain_error == VIRTIO_ENOBUFS);
	assert_int_equal(complete(&s, token, 0), 0);
	pop_bad_head(&s);
	expect_no_replay(&s, record[1].head, VIRTIO_EINVAL);
}

/* A chain that isn't mapped yet can be replayed again later. Runs in changing memory only. */
static void queue_sync_replay_unpops_chain_that_is_not_mapped(void **state)
{
	struct virtio_queue_flight record[SIZE];
	struct virtio_token token;
	int chain_error;
	struct shared s;

	init(&s, fixture_kind(state));
	start(&s);
	(void)pop_one(&s);
	save_and_restore(&s, record, 1);
	s.f.bad_start = FIXTURE_DATA;
	s.f.bad_end = FIXTURE_DATA + 16;
	s.f.bad_error = VIRTIO_ENOTMAPPED;
	for (int i = 0; i < 2; i++) {
		memset(s.f.seen, 0, sizeof s.f.seen);
		(void)virtio_mock_write_chain(&s.f.mock, record[0].head, &one, 1);
		expect_no_replay(&s, record[0].head, VIRTIO_ENOTMAPPED);
	}
	s.f.bad_error = 0;
	memset(s.f.seen, 0, sizeof s.f.seen);
	(void)virtio_mock_write_chain(&s.f.mock, record[0].head, &one, 1);
	assert_int_equal(replay(&s, record[0].head, FIXTURE_MAX_SIZE, &token, &chain_error), 1);
	assert_int_equal(chain_error, 0);
	assert_int_equal(complete(&s, token, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON_ALL(queue_sync_replays_requests),
		FIXTURE_ON(queue_sync_replay_unpops_chain_that_is_not_mapped, CHANGING),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
