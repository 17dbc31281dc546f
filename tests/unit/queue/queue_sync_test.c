/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests a queue with a lock: each call takes the lock once and releases it. Several threads share
 * one queue.
 */
#define _POSIX_C_SOURCE 200809L
#include "sync_fixture.h"
#include <sched.h>
#include <virtio/queue_pthread.h>
#include <watchdog.h>

#define WORKERS 4u
#define REQUESTS 20000u

static const struct virtio_mock_buffer one = WRITABLE(FIXTURE_DATA, 8);

static int pop(struct shared *s, uint32_t capacity, struct virtio_token *token, struct virtio_chain_segments *resolved,
	       int *chain_error)
{
	int got;

	resolved->segments = s->segments;
	resolved->capacity = capacity;
	got = virtio_queue_sync_pop(&s->sync, token, resolved, chain_error);
	assert_locked_once(s);
	return got;
}

/* The pop must return this result, and set neither the token nor the chain's error. */
static void assert_pop_fails(struct shared *s, int expected)
{
	struct virtio_token token = { 77 };
	struct virtio_chain_segments resolved = { 0 };
	int chain_error = 77;

	assert_int_equal(pop(s, FIXTURE_MAX_SIZE, &token, &resolved, &chain_error), expected);
	assert_int_equal(token.value, 77);
	assert_int_equal(chain_error, 77);
}

static struct virtio_token pop_one(struct shared *s)
{
	struct virtio_token token = { 0 };
	struct virtio_chain_segments resolved = { 0 };
	int chain_error = 77;

	assert_int_equal(pop(s, FIXTURE_MAX_SIZE, &token, &resolved, &chain_error), 1);
	assert_int_equal(chain_error, 0);
	return token;
}

/* Life cycle */

static void queue_sync_init_refuses_lock_without_callbacks(void **state)
{
	struct virtio_inflight inflight[SIZE];
	struct virtio_queue_sync sync, before;
	struct virtio_queue_lock lock = { NULL, watched_unlock, NULL };

	(void)state;
	memset(&sync, 0x5c, sizeof sync);
	before = sync;
	assert_int_equal(virtio_queue_sync_init(&sync, &lock, inflight, SIZE), VIRTIO_ENOOP);
	assert_string_equal(virtio_queue_lock_missing_op(&lock), "lock");
	lock.lock = watched_lock;
	lock.unlock = NULL;
	assert_int_equal(virtio_queue_sync_init(&sync, &lock, inflight, SIZE), VIRTIO_ENOOP);
	assert_string_equal(virtio_queue_lock_missing_op(&lock), "unlock");
	assert_memory_equal(&sync, &before, sizeof sync);
	lock.unlock = watched_unlock;
	assert_null(virtio_queue_lock_missing_op(&lock));
}

static void queue_sync_init_refuses_missing_storage(void **state)
{
	const struct virtio_queue_lock lock = { watched_lock, watched_unlock, NULL };
	struct virtio_inflight inflight[SIZE];
	struct virtio_queue_sync sync, before;

	(void)state;
	memset(&sync, 0x5c, sizeof sync);
	before = sync;
	assert_int_equal(virtio_queue_sync_init(&sync, &lock, NULL, SIZE), VIRTIO_EINVAL);
	assert_int_equal(virtio_queue_sync_init(&sync, &lock, inflight, 0), VIRTIO_EINVAL);
	assert_memory_equal(&sync, &before, sizeof sync);
}

static void queue_sync_pop_fails_unless_started(void **state)
{
	struct shared s;

	init(&s, fixture_kind(state));
	assert_pop_fails(&s, VIRTIO_ENOTREADY);
	start(&s);
	assert_pop_fails(&s, 0);
	virtio_queue_reset(virtio_queue_sync_lock(&s.sync));
	release(&s);
	assert_pop_fails(&s, VIRTIO_ENOTREADY);
}

static void queue_sync_lock_hands_out_queue(void **state)
{
	struct shared s;

	set_up(&s, fixture_kind(state));
	assert_ptr_equal(virtio_queue_sync_lock(&s.sync), &s.sync.queue);
	assert_true(s.watched.held);
	assert_int_equal(virtio_queue_set_next_avail(&s.sync.queue, 0), 0);
	release(&s);
}

/* Requests */

static void queue_sync_pop_resolves_chain(void **state)
{
	const struct virtio_mock_buffer two[] = { READABLE(FIXTURE_DATA, 10), WRITABLE(FIXTURE_DATA + 16, 6) };
	struct virtio_token token = { 0 };
	struct virtio_chain_segments resolved = { 0 };
	struct vring_used_elem used;
	struct shared s;
	int chain_error = 77;
	uint16_t head;

	set_up(&s, FIXTURE_FLAT);
	(void)state;
	assert_pop_fails(&s, 0);
	head = fixture_add(&s.f, two, 2);
	assert_int_equal(pop(&s, 2, &token, &resolved, &chain_error), 1);
	assert_int_equal(chain_error, 0);
	assert_int_equal(virtio_token_head(token), head);
	assert_int_equal(resolved.readable, 1);
	assert_int_equal(resolved.writable, 1);
	assert_int_equal(s.segments[0].addr, FIXTURE_DATA);
	assert_int_equal(s.segments[0].len, 10);
	assert_int_equal(s.segments[1].addr, FIXTURE_DATA + 16);
	assert_int_equal(s.segments[1].len, 6);
	assert_int_equal(complete(&s, token, 6), 0);
	assert_int_equal(complete(&s, token, 6), VIRTIO_ESTALE);
	assert_int_equal(virtio_mock_pop_used(&s.f.mock, &used), 1);
	assert_int_equal(used.len, 6);
	assert_pop_fails(&s, 0);
}

/* Hostile 45: a malformed chain is popped with a token, so its head can be completed. */
static void queue_sync_pop_yields_token_of_malformed_chain(void **state)
{
	const struct vring_desc bad = { FIXTURE_DATA, 4, VRING_DESC_F_NEXT, SIZE };
	struct virtio_token token = { 0 };
	struct virtio_chain_segments resolved = { 0 };
	struct shared s;
	int chain_error = 0;

	set_up(&s, fixture_kind(state));
	assert_int_equal(virtio_mock_set_desc(&s.f.mock, 3, &bad), 0);
	fixture_offer_head(&s.f, 3);
	assert_int_equal(pop(&s, FIXTURE_MAX_SIZE, &token, &resolved, &chain_error), 1);
	assert_int_equal(chain_error, VIRTIO_ENEXT);
	assert_int_equal(virtio_token_head(token), 3);
	assert_int_equal(complete(&s, token, 0), 0);
	assert_true(virtio_queue_quiesced(&s.sync.queue));
}

static void queue_sync_pop_reports_array_that_is_too_small(void **state)
{
	const struct virtio_mock_buffer two[] = { READABLE(FIXTURE_DATA, 10), WRITABLE(FIXTURE_DATA + 16, 6) };
	struct virtio_token token = { 0 };
	struct virtio_chain_segments resolved = { 0 };
	struct shared s;
	int chain_error = 0;

	(void)state;
	set_up(&s, FIXTURE_FLAT);
	(void)fixture_add(&s.f, two, 2);
	assert_int_equal(pop(&s, 1, &token, &resolved, &chain_error), 1);
	assert_int_equal(chain_error, VIRTIO_ENOBUFS);
	assert_int_equal(resolved.needed, 2);
	assert_int_equal(resolved.last_writable.addr, FIXTURE_DATA + 21);
	assert_int_equal(complete(&s, token, 0), 0);
}

/*
 * A chain whose memory is not mapped yet is unpopped. A later pop yields the chain when the memory
 * is mapped.
 */
static void queue_sync_pop_unpops_chain_that_is_not_mapped(void **state)
{
	struct virtio_queue_stats stats;
	struct shared s;
	uint16_t head;

	(void)state;
	set_up(&s, FIXTURE_CHANGING);
	head = fixture_add(&s.f, &one, 1);
	s.f.bad_start = FIXTURE_DATA;
	s.f.bad_end = FIXTURE_DATA + 1;
	s.f.bad_error = VIRTIO_ENOTMAPPED;
	for (int i = 0; i < 3; i++) {
		assert_pop_fails(&s, VIRTIO_ENOTMAPPED);
		assert_true(virtio_queue_quiesced(&s.sync.queue));
		assert_int_equal(virtio_queue_available(&s.sync.queue), 1);
	}
	s.f.bad_error = 0;
	assert_int_equal(virtio_token_head(pop_one(&s)), head);
	virtio_queue_get_stats(&s.sync.queue, &stats);
	assert_int_equal(stats.chains, 1);
	assert_int_equal(stats.chain_faults, 0);
	assert_int_equal(stats.not_mapped, 3);
}

static void queue_sync_pop_returns_fault_of_ring(void **state)
{
	struct shared s;

	set_up(&s, fixture_kind(state));
	fixture_offer_head(&s.f, SIZE);
	assert_pop_fails(&s, VIRTIO_EHEAD);
	assert_pop_fails(&s, VIRTIO_EBROKEN);
}

static void queue_sync_pop_refuses_while_replay_is_due(void **state)
{
	struct virtio_queue_state saved = { .next_avail = 1 };
	struct shared s;

	init(&s, fixture_kind(state));
	saved.config = s.f.config;
	assert_int_equal(virtio_queue_restore(virtio_queue_sync_lock(&s.sync), &saved, &s.f.device_map), 0);
	release(&s);
	assert_pop_fails(&s, VIRTIO_EBUSY);
}

/* Threads */

struct workshop {
	struct fixture f;
	struct virtio_queue_sync sync;
	pthread_mutex_t mutex;
	uint32_t seen[REQUESTS]; /* how often each request was served */
	uint32_t stop;
	uint32_t wrong;
};

/*
 * Serves a request: copies its number into the writable buffer, and completes the request. Returns
 * false if the request is not as the driver sent it, or cannot be completed.
 */
static bool serve(struct workshop *w, const struct virtio_token *token, const struct virtio_chain_segments *c)
{
	uint32_t number;
	int error;

	if (c->readable != 1 || c->writable != 1 || c->readable_bytes != sizeof number ||
	    c->writable_bytes != sizeof number)
		return false;
	/* No lock is needed here, because only this thread uses the segments. */
	virtio_guest_copy_in(&number, c->segments[0].host, sizeof number);
	if (number >= REQUESTS)
		return false;
	(void)__atomic_fetch_add(&w->seen[number], 1, __ATOMIC_RELAXED);
	virtio_guest_copy_out(c->segments[1].host, &number, sizeof number);
	error = virtio_queue_complete(virtio_queue_sync_lock(&w->sync), *token, sizeof number);
	virtio_queue_sync_unlock(&w->sync);
	return error == 0;
}

static void *worker_main(void *context)
{
	struct workshop *w = context;

	while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		struct virtio_segment segments[2];
		struct virtio_chain_segments c = { .segments = segments, .capacity = 2 };
		struct virtio_token token = { 0 };
		int chain_error = 0;
		int got = virtio_queue_sync_pop(&w->sync, &token, &c, &chain_error);

		if (got == 0)
			(void)sched_yield();
		else if (got != 1 || chain_error || !serve(w, &token, &c))
			__atomic_store_n(&w->wrong, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Adds a request that holds this number. Its data lies in the given slot of the data memory. */
static void add_numbered(struct workshop *w, uint32_t number, uint32_t place_of[SIZE], uint32_t place)
{
	const uint64_t addr = FIXTURE_DATA + 16 * (uint64_t)place;
	const struct virtio_mock_buffer buffers[] = { READABLE(addr, 4), WRITABLE(addr + 8, 4) };
	int head;

	fixture_write(&w->f, addr, &number, sizeof number);
	head = virtio_mock_add(&w->f.mock, buffers, 2);
	assert_in_range(head, 0, SIZE - 1);
	place_of[head] = place;
}

/*
 * Pops a used element and checks the number that the device has copied. Returns the data slot, or
 * SIZE if no element is there.
 */
static uint32_t pop_used(struct workshop *w, const uint32_t place_of[SIZE])
{
	struct vring_used_elem used;
	uint32_t data[3];
	int got = virtio_mock_pop_used(&w->f.mock, &used);

	assert_true(got >= 0);
	if (got == 0)
		return SIZE;
	assert_int_equal(used.len, 4);
	fixture_read(&w->f, FIXTURE_DATA + 16 * (uint64_t)place_of[used.id], data, sizeof data);
	assert_int_equal(data[2], data[0]);
	return place_of[used.id];
}

/* Sends all requests. Replaces each returned request by the next, in the same data slot. */
static void drive(struct workshop *w)
{
	uint32_t added = 0, returned = 0;
	uint32_t place_of[SIZE] = { 0 };

	for (; added < SIZE / 2; added++)
		add_numbered(w, added, place_of, added);
	while (returned < REQUESTS && !__atomic_load_n(&w->wrong, __ATOMIC_ACQUIRE)) {
		const uint32_t place = pop_used(w, place_of);

		if (place == SIZE) {
			(void)sched_yield();
			continue;
		}
		returned++;
		watchdog_step();
		if (added < REQUESTS)
			add_numbered(w, added++, place_of, place);
	}
}

static void queue_sync_serves_each_request_once_with_several_threads(void **state)
{
	static struct workshop w;
	struct virtio_queue_stats stats;
	struct virtio_queue_lock lock;
	pthread_t workers[WORKERS];

	(void)state;
	memset(&w, 0, sizeof w);
	fixture_init(&w.f, FIXTURE_FLAT, SIZE);
	assert_int_equal(pthread_mutex_init(&w.mutex, NULL), 0);
	lock = virtio_queue_lock_pthread(&w.mutex);
	assert_int_equal(virtio_queue_sync_init(&w.sync, &lock, w.f.inflight, FIXTURE_MAX_SIZE), 0);
	assert_int_equal(virtio_queue_start(virtio_queue_sync_lock(&w.sync), &w.f.config, &w.f.device_map), 0);
	virtio_queue_sync_unlock(&w.sync);
	for (uint32_t i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&workers[i], NULL, worker_main, &w), 0);
	drive(&w);
	__atomic_store_n(&w.stop, 1, __ATOMIC_RELEASE);
	for (uint32_t i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_join(workers[i], NULL), 0);
	assert_int_equal(w.wrong, 0);
	for (uint32_t i = 0; i < REQUESTS; i++)
		assert_int_equal(w.seen[i], 1);
	virtio_queue_get_stats(&w.sync.queue, &stats);
	assert_int_equal(stats.chains, REQUESTS);
	assert_int_equal(stats.completions, REQUESTS);
	assert_int_equal(stats.chain_faults + stats.ring_faults, 0);
	assert_true(virtio_queue_quiesced(&w.sync.queue));
	assert_int_equal(pthread_mutex_destroy(&w.mutex), 0);
}

/* The callbacks lock and unlock the mutex in their context. */
static void queue_lock_pthread_holds_mutex(void **state)
{
	pthread_mutex_t mutex;
	struct virtio_queue_lock lock;

	(void)state;
	assert_int_equal(pthread_mutex_init(&mutex, NULL), 0);
	lock = virtio_queue_lock_pthread(&mutex);
	assert_ptr_equal(lock.context, &mutex);
	lock.lock(lock.context);
	assert_int_not_equal(pthread_mutex_trylock(&mutex), 0);
	lock.unlock(lock.context);
	assert_int_equal(pthread_mutex_trylock(&mutex), 0);
	assert_int_equal(pthread_mutex_unlock(&mutex), 0);
	assert_int_equal(pthread_mutex_destroy(&mutex), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue_sync_init_refuses_lock_without_callbacks),
		cmocka_unit_test(queue_sync_init_refuses_missing_storage),
		FIXTURE_ON_ALL(queue_sync_pop_fails_unless_started),
		FIXTURE_ON_ALL(queue_sync_lock_hands_out_queue),
		cmocka_unit_test(queue_sync_pop_resolves_chain),
		FIXTURE_ON_ALL(queue_sync_pop_yields_token_of_malformed_chain),
		cmocka_unit_test(queue_sync_pop_reports_array_that_is_too_small),
		cmocka_unit_test(queue_sync_pop_unpops_chain_that_is_not_mapped),
		FIXTURE_ON_ALL(queue_sync_pop_returns_fault_of_ring),
		FIXTURE_ON_ALL(queue_sync_pop_refuses_while_replay_is_due),
		cmocka_unit_test(queue_sync_serves_each_request_once_with_several_threads),
		cmocka_unit_test(queue_lock_pthread_holds_mutex),
	};

	return watchdog_start(NULL, NULL) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
