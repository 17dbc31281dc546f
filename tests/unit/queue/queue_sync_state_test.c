/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A queue behind a lock: its indices, and its state saved, restored and replayed. Each call takes the lock once. */
#include "sync_fixture.h"

static const struct virtio_mock_buffer one = WRITABLE(FIXTURE_DATA, 8);

/* What a call has returned, which took the lock once and left it free. */
static int after(struct shared *s, int got)
{
	assert_locked_once(s);
	return got;
}

/* Starts it, again after a reset. */
static void start(struct shared *s)
{
	assert_int_equal(virtio_queue_sync_start(&s->sync, &s->f.config, &s->f.device_map), 0);
	s->watched.taken = 0;
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

static void complete(struct shared *s, struct virtio_token token)
{
	assert_int_equal(after(s, virtio_queue_sync_complete(&s->sync, token, 0)), 0);
}

/* Breaks the queue. */
static void pop_bad_head(struct shared *s)
{
	struct virtio_chain_segments resolved = { .segments = s->segments, .capacity = FIXTURE_MAX_SIZE };
	struct virtio_token token = fixture_token(77, 77);
	int chain_error = 77;

	fixture_offer_head(&s->f, SIZE);
	assert_int_equal(after(s, virtio_queue_sync_pop(&s->sync, &token, &resolved, &chain_error)), VIRTIO_EHEAD);
}

static void queue_sync_tells_and_sets_indices(void **state)
{
	uint16_t index = 77;
	struct shared s;

	init(&s, fixture_kind(state));
	assert_int_equal(after(&s, virtio_queue_sync_set_next_avail(&s.sync, 1)), VIRTIO_ENOTREADY);
	assert_int_equal(after(&s, virtio_queue_sync_set_next_used(&s.sync, 1)), VIRTIO_ENOTREADY);
	assert_int_equal(after(&s, virtio_queue_sync_read_avail_idx(&s.sync, &index)), VIRTIO_ENOTREADY);
	assert_int_equal(after(&s, virtio_queue_sync_read_used_idx(&s.sync, &index)), VIRTIO_ENOTREADY);
	assert_int_equal(index, 77);
	start(&s);
	complete(&s, pop_one(&s));
	(void)pop_one(&s);
	assert_int_equal(after(&s, (int)virtio_queue_sync_in_flight(&s.sync)), 1);
	assert_int_equal(after(&s, virtio_queue_sync_next_avail(&s.sync)), 2);
	assert_int_equal(after(&s, virtio_queue_sync_next_used(&s.sync)), 1);
	assert_int_equal(after(&s, virtio_queue_sync_read_avail_idx(&s.sync, &index)), 0);
	assert_int_equal(index, 2);
	assert_int_equal(after(&s, virtio_queue_sync_read_used_idx(&s.sync, &index)), 0);
	assert_int_equal(index, 1);
	assert_int_equal(after(&s, virtio_queue_sync_set_next_avail(&s.sync, 9)), VIRTIO_EBUSY);
	assert_int_equal(after(&s, virtio_queue_sync_set_next_used(&s.sync, 9)), VIRTIO_EBUSY);
	virtio_queue_sync_reset(&s.sync);
	start(&s);
	assert_int_equal(after(&s, virtio_queue_sync_set_next_avail(&s.sync, 9)), 0);
	assert_int_equal(after(&s, virtio_queue_sync_set_next_used(&s.sync, 8)), 0);
	assert_int_equal(after(&s, virtio_queue_sync_next_avail(&s.sync)), 9);
	assert_int_equal(after(&s, virtio_queue_sync_next_used(&s.sync)), 8);
}

/* Rings that are gone. Changing memory only, for in others they stay, or are read by a host address. */
static void queue_sync_reads_indices_of_lost_rings(void **state)
{
	static const int errors[] = { VIRTIO_ENOTMAPPED, VIRTIO_EFAULT, VIRTIO_EPERM };
	uint16_t index = 77;
	struct shared s;

	init(&s, fixture_kind(state));
	start(&s);
	s.f.bad_start = FIXTURE_BASE;
	s.f.bad_end = FIXTURE_DATA;
	/* Away from the cached region that the start left. */
	assert_int_equal(virtio_memory_check(&s.sync.queue.ring_memory, FIXTURE_DATA, 1, VIRTIO_ACCESS_READ), 0);
	for (uint32_t i = 0; i < COUNT(errors); i++) {
		s.f.bad_error = errors[i];
		assert_int_equal(after(&s, virtio_queue_sync_read_avail_idx(&s.sync, &index)), errors[i]);
		assert_int_equal(after(&s, virtio_queue_sync_read_used_idx(&s.sync, &index)), errors[i]);
		assert_int_equal(index, 77);
	}
}

/* Whether there is nothing in flight, and what there is. */
static void save(struct shared *s, struct virtio_queue_state *out, int idle, int busy)
{
	struct virtio_queue_state other;
	uint16_t heads[SIZE];
	uint32_t count = 77;

	assert_int_equal(after(s, virtio_queue_sync_save(&s->sync, out)), idle);
	assert_int_equal(after(s, virtio_queue_sync_save_in_flight(&s->sync, &other, heads, SIZE, &count)), busy);
	assert_int_equal(count == 77, busy != 0);
}

static void queue_sync_saves_state(void **state)
{
	struct virtio_queue_state saved;
	uint16_t heads[SIZE];
	uint32_t count = 77;
	struct shared s;

	init(&s, fixture_kind(state));
	save(&s, &saved, 0, 0);
	start(&s);
	save(&s, &saved, 0, 0);
	assert_int_equal(saved.next_avail, 0);
	complete(&s, pop_one(&s));
	(void)pop_one(&s);
	save(&s, &saved, VIRTIO_EBUSY, 0);
	assert_int_equal(after(&s, virtio_queue_sync_save_in_flight(&s.sync, &saved, heads, 0, &count)),
			 VIRTIO_ENOBUFS);
	pop_bad_head(&s);
	save(&s, &saved, VIRTIO_EBROKEN, VIRTIO_EBROKEN);
	virtio_queue_sync_reset(&s.sync);
	start(&s);
	assert_int_equal(after(&s, virtio_queue_sync_set_next_avail(&s.sync, 1)), 0);
	save(&s, &saved, VIRTIO_EINVAL, VIRTIO_EINVAL);
}

/* Saves a queue with so many in flight, which can't be restored over, and gives it up. */
static void save_and_reset(struct shared *s, struct virtio_queue_state *saved, uint16_t *heads, uint32_t in_flight)
{
	uint32_t count = 0;

	assert_int_equal(after(s, virtio_queue_sync_save_in_flight(&s->sync, saved, heads, SIZE, &count)), 0);
	assert_int_equal(count, in_flight);
	assert_int_equal(after(s, virtio_queue_sync_restore(&s->sync, saved, &s->f.device_map)), VIRTIO_EBUSY);
	virtio_queue_sync_reset(&s->sync);
	s->watched.taken = 0;
}

static void restore(struct shared *s, const struct virtio_queue_state *saved)
{
	memset(s->f.seen, 0, sizeof s->f.seen);
	assert_int_equal(after(s, virtio_queue_sync_restore(&s->sync, saved, &s->f.device_map)), 0);
}

static int replay(struct shared *s, uint16_t head, uint32_t capacity, struct virtio_token *token, int *chain_error)
{
	struct virtio_chain_segments resolved = { .segments = s->segments, .capacity = capacity };

	*token = (struct virtio_token){ 77 };
	*chain_error = 77;
	return after(s, virtio_queue_sync_replay(&s->sync, head, token, &resolved, chain_error));
}

static void expect_no_replay(struct shared *s, uint16_t head, int error)
{
	struct virtio_token token;
	int chain_error;

	assert_int_equal(replay(s, head, FIXTURE_MAX_SIZE, &token, &chain_error), error);
	assert_true(token.value == 77 && chain_error == 77);
}

/* Two in flight go on in a queue that begins with what was saved. */
static void queue_sync_replays_requests(void **state)
{
	struct virtio_queue_state saved, other;
	uint16_t heads[SIZE];
	struct virtio_token token;
	int chain_error;
	struct shared s;

	init(&s, fixture_kind(state));
	expect_no_replay(&s, 0, VIRTIO_ENOTREADY);
	start(&s);
	(void)pop_one(&s);
	(void)pop_one(&s);
	save_and_reset(&s, &saved, heads, 2);
	other = saved;
	other.next_used = (uint16_t)(saved.next_avail - SIZE - 1);
	assert_int_equal(after(&s, virtio_queue_sync_restore(&s.sync, &other, &s.f.device_map)), VIRTIO_EINVAL);
	restore(&s, &saved);
	save(&s, &other, VIRTIO_EBUSY, VIRTIO_EBUSY);
	expect_no_replay(&s, SIZE, VIRTIO_EINVAL);
	assert_int_equal(replay(&s, heads[0], FIXTURE_MAX_SIZE, &token, &chain_error), 1);
	assert_true(virtio_token_head(token) == heads[0] && chain_error == 0);
	expect_no_replay(&s, heads[0], VIRTIO_EINVAL);
	/* What does not fit is in flight, too. */
	assert_int_equal(replay(&s, heads[1], 0, &token, &chain_error), 1);
	assert_true(virtio_token_head(token) == heads[1] && chain_error == VIRTIO_ENOBUFS);
	complete(&s, token);
	pop_bad_head(&s);
	expect_no_replay(&s, heads[1], VIRTIO_EBROKEN);
}

/* A chain that isn't mapped yet is replayed once more. Changing memory only. */
static void queue_sync_replay_undoes_what_is_not_mapped(void **state)
{
	struct virtio_queue_state saved;
	uint16_t heads[SIZE];
	struct virtio_token token;
	int chain_error;
	struct shared s;

	init(&s, fixture_kind(state));
	start(&s);
	(void)pop_one(&s);
	save_and_reset(&s, &saved, heads, 1);
	restore(&s, &saved);
	s.f.bad_start = FIXTURE_DATA;
	s.f.bad_end = FIXTURE_DATA + 16;
	s.f.bad_error = VIRTIO_ENOTMAPPED;
	for (int i = 0; i < 2; i++) {
		memset(s.f.seen, 0, sizeof s.f.seen);
		(void)virtio_mock_write_chain(&s.f.mock, heads[0], &one, 1);
		expect_no_replay(&s, heads[0], VIRTIO_ENOTMAPPED);
	}
	s.f.bad_error = 0;
	memset(s.f.seen, 0, sizeof s.f.seen);
	(void)virtio_mock_write_chain(&s.f.mock, heads[0], &one, 1);
	assert_int_equal(replay(&s, heads[0], FIXTURE_MAX_SIZE, &token, &chain_error), 1);
	assert_int_equal(chain_error, 0);
	complete(&s, token);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON_ALL(queue_sync_tells_and_sets_indices),
		FIXTURE_ON(queue_sync_reads_indices_of_lost_rings, CHANGING),
		FIXTURE_ON_ALL(queue_sync_saves_state),
		FIXTURE_ON_ALL(queue_sync_replays_requests),
		FIXTURE_ON(queue_sync_replay_undoes_what_is_not_mapped, CHANGING),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
