/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A queue behind a lock: every call takes it once and releases it; several threads share one queue. */
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

/* Pops, and finds no request: the code, and nothing set. */
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
	assert_int_equal(virtio_queue_sync_init(&sync, &lock, inflight, SIZE), VIRTIO_EINVAL);
	lock.lock = watched_lock;
	lock.unlock = NULL;
	assert_int_equal(virtio_queue_sync_init(&sync, &lock, inflight, SIZE), VIRTIO_EINVAL);
	assert_memory_equal(&sync, &before, sizeof sync);
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

static void queue_sync_start_and_reset_lock_once(void **state)
{
	struct virtio_queue_config bad;
	struct shared s;

	init(&s, fixture_kind(state));
	bad = s.f.config;
	bad.size = 7;
	assert_pop_fails(&s, VIRTIO_ENOTREADY);
	assert_int_equal(virtio_queue_sync_start(&s.sync, &bad, &s.f.device_map), VIRTIO_ESIZE);
	assert_locked_once(&s);
	assert_int_equal(virtio_queue_sync_start(&s.sync, &s.f.config, &s.f.device_map), 0);
	assert_locked_once(&s);
	assert_int_equal(virtio_queue_sync_start(&s.sync, &s.f.config, &s.f.device_map), VIRTIO_EBUSY);
	assert_locked_once(&s);
	virtio_queue_sync_reset(&s.sync);
	assert_locked_once(&s);
	assert_pop_fails(&s, VIRTIO_ENOTREADY);
}

static void queue_sync_lock_hands_out_queue(void **state)
{
	struct shared s;

	set_up(&s, fixture_kind(state));
	assert_ptr_equal(virtio_queue_sync_lock(&s.sync), &s.sync.queue);
	assert_true(s.watched.held);
	assert_int_equal(virtio_queue_set_next_avail(&s.sync.queue, 0), 0);
	virtio_queue_sync_unlock(&s.sync);
	assert_locked_once(&s);
}

static void queue_sync_set_memory_locks_once(void **state)
{
	struct virtio_memory_map empty, other;
	struct shared s;

	set_up(&s, fixture_kind(state));
	other = s.f.device_map;
	assert_int_equal(virtio_memory_map_init(&empty, NULL, 0), 0);
	assert_int_equal(virtio_queue_sync_set_memory(&s.sync, &empty), VIRTIO_EFAULT);
	assert_locked_once(&s);
	assert_int_equal(virtio_queue_sync_set_memory(&s.sync, &other), 0);
	assert_locked_once(&s);
	(void)fixture_add(&s.f, &one, 1);
	(void)pop_one(&s);
}

/* The old map is used until what was popped under it is given back, by completion or by unpopping. */
static void queue_sync_old_maps_unused_locks_once(void **state)
{
	struct virtio_memory_map other;
	struct virtio_token tokens[2];
	struct shared s;

	set_up(&s, fixture_kind(state));
	other = s.f.device_map;
	for (uint32_t i = 0; i < 2; i++) {
		(void)fixture_add(&s.f, &one, 1);
		tokens[i] = pop_one(&s);
	}
	assert_true(virtio_queue_sync_old_maps_unused(&s.sync));
	assert_locked_once(&s);
	/* The rings are looked up anew, which is no read of descriptors. */
	s.f.rewriting = false;
	assert_int_equal(virtio_queue_sync_set_memory(&s.sync, &other), 0);
	assert_locked_once(&s);
	for (uint32_t i = 2; i-- > 0;) {
		assert_false(virtio_queue_sync_old_maps_unused(&s.sync));
		assert_locked_once(&s);
		assert_int_equal(i ? virtio_queue_sync_unpop(&s.sync, tokens[i])
				   : virtio_queue_sync_complete(&s.sync, tokens[i], 0),
				 0);
		assert_locked_once(&s);
	}
	assert_true(virtio_queue_sync_old_maps_unused(&s.sync));
	assert_locked_once(&s);
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
	assert_int_equal(virtio_queue_sync_complete(&s.sync, token, 6), 0);
	assert_locked_once(&s);
	assert_int_equal(virtio_queue_sync_complete(&s.sync, token, 6), VIRTIO_ESTALE);
	assert_locked_once(&s);
	assert_int_equal(virtio_mock_pop_used(&s.f.mock, &used), 1);
	assert_int_equal(used.len, 6);
	assert_pop_fails(&s, 0);
}

/* A malformed chain is popped all the same: its head can be given back. hostile 45 */
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
	assert_int_equal(virtio_queue_sync_complete(&s.sync, token, 0), 0);
	assert_locked_once(&s);
	assert_true(virtio_queue_sync_quiesced(&s.sync));
	assert_locked_once(&s);
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
	assert_int_equal(virtio_queue_sync_complete(&s.sync, token, 0), 0);
}

/* A chain whose memory is not mapped yet stays the driver's, and is there when it is. */
static void queue_sync_pop_undoes_chain_that_is_not_mapped(void **state)
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
		assert_true(virtio_queue_sync_quiesced(&s.sync));
		assert_locked_once(&s);
		assert_int_equal(virtio_queue_sync_available(&s.sync), 1);
		assert_locked_once(&s);
	}
	s.f.bad_error = 0;
	assert_int_equal(virtio_token_head(pop_one(&s)), head);
	virtio_queue_sync_get_stats(&s.sync, &stats);
	assert_locked_once(&s);
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
	assert_int_equal(virtio_queue_sync_available(&s.sync), VIRTIO_EBROKEN);
	assert_locked_once(&s);
}

/* The last one only, and once; then the next pop yields it again. */
static void queue_sync_unpop_takes_back_last_pop(void **state)
{
	struct virtio_token tokens[2], again;
	struct shared s;

	set_up(&s, fixture_kind(state));
	for (uint32_t i = 0; i < 2; i++) {
		(void)fixture_add(&s.f, &one, 1);
		tokens[i] = pop_one(&s);
	}
	assert_int_equal(virtio_queue_sync_unpop(&s.sync, tokens[0]), VIRTIO_ENOTLAST);
	assert_locked_once(&s);
	assert_int_equal(virtio_queue_next_avail(&s.sync.queue), 2);
	assert_int_equal(virtio_queue_sync_unpop(&s.sync, tokens[1]), 0);
	assert_locked_once(&s);
	assert_int_equal(virtio_queue_next_avail(&s.sync.queue), 1);
	assert_int_equal(virtio_queue_sync_unpop(&s.sync, tokens[1]), VIRTIO_ESTALE);
	assert_locked_once(&s);
	again = pop_one(&s);
	assert_int_equal(virtio_token_head(again), virtio_token_head(tokens[1]));
	assert_int_not_equal(again.value, tokens[1].value);
	assert_int_equal(virtio_queue_sync_complete(&s.sync, tokens[1], 0), VIRTIO_ESTALE);
	assert_locked_once(&s);
	assert_int_equal(virtio_queue_sync_complete(&s.sync, again, 0), 0);
	assert_locked_once(&s);
}

static void queue_sync_complete_batch_is_all_or_none(void **state)
{
	struct virtio_completion completions[2] = { 0 };
	struct shared s;

	set_up(&s, fixture_kind(state));
	(void)fixture_add(&s.f, &one, 1);
	(void)fixture_add(&s.f, &one, 1);
	completions[0].token = pop_one(&s);
	completions[1].token = completions[0].token;
	assert_int_equal(virtio_queue_sync_complete_batch(&s.sync, completions, 2), VIRTIO_ESTALE);
	assert_locked_once(&s);
	assert_int_equal(fixture_get(&s.f, VIRTIO_MOCK_USED_IDX), 0);
	completions[1].token = pop_one(&s);
	assert_int_equal(virtio_queue_sync_complete_batch(&s.sync, completions, 2), 0);
	assert_locked_once(&s);
	assert_int_equal(fixture_get(&s.f, VIRTIO_MOCK_USED_IDX), 2);
}

static void queue_sync_notifications_lock_once(void **state)
{
	struct shared s;

	set_up(&s, fixture_kind(state));
	assert_int_equal(virtio_queue_sync_disable_notification(&s.sync), 0);
	assert_locked_once(&s);
	assert_int_equal(fixture_get(&s.f, VIRTIO_MOCK_USED_FLAGS), VRING_USED_F_NO_NOTIFY);
	assert_int_equal(virtio_queue_sync_enable_notification(&s.sync), 0);
	assert_locked_once(&s);
	assert_int_equal(fixture_get(&s.f, VIRTIO_MOCK_USED_FLAGS), 0);
	(void)fixture_add(&s.f, &one, 1);
	assert_int_equal(virtio_queue_sync_enable_notification(&s.sync), 1);
	assert_locked_once(&s);
	assert_false(virtio_queue_sync_needs_notification(&s.sync));
	assert_locked_once(&s);
	assert_int_equal(virtio_queue_sync_complete(&s.sync, pop_one(&s), 0), 0);
	assert_locked_once(&s);
	assert_true(virtio_queue_sync_needs_notification(&s.sync));
	assert_locked_once(&s);
}

/* Errors of the queue's, which come through the lock as they are, and leave it free */

static int do_set_memory(struct shared *s, struct virtio_token token)
{
	(void)token;
	return virtio_queue_sync_set_memory(&s->sync, &s->f.device_map);
}

static int do_complete(struct shared *s, struct virtio_token token)
{
	return virtio_queue_sync_complete(&s->sync, token, 0);
}

static int do_complete_batch(struct shared *s, struct virtio_token token)
{
	const struct virtio_completion completion = { token, 0 };

	return virtio_queue_sync_complete_batch(&s->sync, &completion, 1);
}

static int do_available(struct shared *s, struct virtio_token token)
{
	(void)token;
	return virtio_queue_sync_available(&s->sync);
}

static int do_enable(struct shared *s, struct virtio_token token)
{
	(void)token;
	return virtio_queue_sync_enable_notification(&s->sync);
}

static int do_disable(struct shared *s, struct virtio_token token)
{
	(void)token;
	return virtio_queue_sync_disable_notification(&s->sync);
}

/* All that return a code, but for pop, start and unpop; and what else each says. */
static const struct {
	int (*call)(struct shared *, struct virtio_token);
	int not_started;
	int broken;     /* by a bad head, with a request in flight */
	int replay_due; /* 1: not to be called then */
	int after_loss; /* when memory was lost once, and is there again */
} calls[] = {
	{ do_set_memory, VIRTIO_ENOTREADY, 0, 0, 0 },
	{ do_complete, VIRTIO_ESTALE, 0, 1, 0 },
	{ do_complete_batch, VIRTIO_ESTALE, 0, 1, 0 },
	{ do_available, VIRTIO_ENOTREADY, VIRTIO_EBROKEN, VIRTIO_EBUSY, VIRTIO_EBROKEN },
	{ do_enable, VIRTIO_ENOTREADY, VIRTIO_EBROKEN, VIRTIO_EBUSY, VIRTIO_EBROKEN },
	{ do_disable, VIRTIO_ENOTREADY, VIRTIO_EBROKEN, VIRTIO_EBUSY, VIRTIO_EBROKEN },
};

static void assert_call(struct shared *s, uint32_t i, struct virtio_token token, int expected)
{
	assert_int_equal(calls[i].call(s, token), expected);
	assert_locked_once(s);
}

static void queue_sync_start_passes_on_errors(void **state)
{
	static const int translations[] = { VIRTIO_EFAULT, VIRTIO_EPERM, VIRTIO_ENOTMAPPED };
	struct virtio_queue_config bad;
	struct virtio_queue_lock lock;
	struct shared s;

	init(&s, fixture_kind(state));
	bad = s.f.config;
	bad.ready = false;
	assert_int_equal(virtio_queue_sync_start(&s.sync, &bad, &s.f.device_map), VIRTIO_ENOTREADY);
	assert_locked_once(&s);
	bad = s.f.config;
	bad.addr[VIRTIO_QUEUE_USED] += 2;
	assert_int_equal(virtio_queue_sync_start(&s.sync, &bad, &s.f.device_map), VIRTIO_EALIGN);
	assert_locked_once(&s);
	for (uint32_t i = 0; i < COUNT(translations); i++) {
		s.f.bad_start = FIXTURE_BASE;
		s.f.bad_end = FIXTURE_END;
		s.f.bad_error = translations[i];
		assert_int_equal(virtio_queue_sync_start(&s.sync, &s.f.config, &s.f.device_map), translations[i]);
		assert_locked_once(&s);
		assert_pop_fails(&s, VIRTIO_ENOTREADY);
	}
	s.f.bad_error = 0;
	lock = s.sync.lock;
	assert_int_equal(virtio_queue_sync_init(&s.sync, &lock, s.f.inflight, SIZE - 1), 0);
	assert_int_equal(virtio_queue_sync_start(&s.sync, &s.f.config, &s.f.device_map), VIRTIO_EINVAL);
	assert_locked_once(&s);
}

static void queue_sync_calls_refuse_queue_not_started(void **state)
{
	const struct virtio_token token = fixture_token(1, 0);
	struct shared s;

	init(&s, fixture_kind(state));
	for (uint32_t i = 0; i < COUNT(calls); i++)
		assert_call(&s, i, token, calls[i].not_started);
	assert_int_equal(virtio_queue_sync_unpop(&s.sync, token), VIRTIO_ESTALE);
	assert_locked_once(&s);
	assert_false(virtio_queue_sync_needs_notification(&s.sync));
	assert_locked_once(&s);
}

static void queue_sync_calls_tell_broken_queue(void **state)
{
	for (uint32_t i = 0; i < COUNT(calls); i++) {
		struct virtio_token token;
		struct shared s;

		set_up(&s, fixture_kind(state));
		(void)fixture_add(&s.f, &one, 1);
		token = pop_one(&s);
		fixture_offer_head(&s.f, SIZE);
		assert_pop_fails(&s, VIRTIO_EHEAD);
		assert_int_equal(virtio_queue_sync_unpop(&s.sync, token), VIRTIO_EBROKEN);
		assert_locked_once(&s);
		assert_call(&s, i, token, calls[i].broken);
	}
}

/* The index that these two look at is judged as by a pop. */
static void queue_sync_calls_judge_index(void **state)
{
	for (int enable = 0; enable <= 1; enable++) {
		struct shared s;

		set_up(&s, fixture_kind(state));
		fixture_set(&s.f, VIRTIO_MOCK_AVAIL_IDX, SIZE + 1);
		assert_int_equal(enable ? virtio_queue_sync_enable_notification(&s.sync)
					: virtio_queue_sync_available(&s.sync),
				 VIRTIO_EAVAILIDX);
		assert_locked_once(&s);
		assert_pop_fails(&s, VIRTIO_EBROKEN);
	}
}

static void queue_sync_calls_refuse_while_replay_is_due(void **state)
{
	const struct virtio_token token = fixture_token(1, 0);
	struct virtio_queue_state saved = { .next_avail = 1 };
	struct shared s;

	init(&s, fixture_kind(state));
	saved.config = s.f.config;
	assert_int_equal(virtio_queue_restore(virtio_queue_sync_lock(&s.sync), &saved, &s.f.device_map), 0);
	virtio_queue_sync_unlock(&s.sync);
	assert_locked_once(&s);
	for (uint32_t i = 0; i < COUNT(calls); i++)
		if (calls[i].replay_due <= 0)
			assert_call(&s, i, token, calls[i].replay_due);
	assert_pop_fails(&s, VIRTIO_EBUSY);
}

static void queue_sync_calls_tell_rings_that_are_gone(void **state)
{
	static const int errors[] = { VIRTIO_EFAULT, VIRTIO_EPERM, VIRTIO_ENOTMAPPED };

	for (uint32_t n = 0; n < COUNT(calls) * COUNT(errors); n++) {
		const uint32_t i = n / COUNT(errors);
		const int error = errors[n % COUNT(errors)];
		struct virtio_token token;
		struct shared s;

		set_up(&s, fixture_kind(state));
		(void)fixture_add(&s.f, &one, 1);
		token = pop_one(&s);
		s.f.bad_start = FIXTURE_BASE;
		s.f.bad_end = FIXTURE_DATA;
		s.f.bad_error = error;
		/* Away from the cached region that the pop left. */
		assert_int_equal(virtio_memory_check(&s.sync.queue.ring_memory, FIXTURE_DATA, 1, VIRTIO_ACCESS_READ),
				 0);
		assert_call(&s, i, token, error);
		assert_false(virtio_queue_sync_quiesced(&s.sync));
		assert_locked_once(&s);
		s.f.bad_error = 0;
		assert_call(&s, i, token, error == VIRTIO_ENOTMAPPED ? 0 : calls[i].after_loss);
	}
}

/* Threads */

struct workshop {
	struct fixture f;
	struct virtio_queue_sync sync;
	pthread_mutex_t mutex;
	uint32_t seen[REQUESTS]; /* times that each request was served */
	uint32_t stop;
	uint32_t wrong;
};

/* Serves any request: its number is in its data, and goes back in its answer. */
static bool serve(struct workshop *w, const struct virtio_token *token, const struct virtio_chain_segments *c)
{
	uint32_t number;

	if (c->readable != 1 || c->writable != 1 || c->readable_bytes != sizeof number ||
	    c->writable_bytes != sizeof number)
		return false;
	/* Without the lock: the segments are this thread's. */
	virtio_guest_copy_in(&number, c->segments[0].host, sizeof number);
	if (number >= REQUESTS)
		return false;
	(void)__atomic_fetch_add(&w->seen[number], 1, __ATOMIC_RELAXED);
	virtio_guest_copy_out(c->segments[1].host, &number, sizeof number);
	return virtio_queue_sync_complete(&w->sync, *token, sizeof number) == 0;
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

/* Adds a request with its number in its data, at one of the places for data. */
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

/* Takes a request back: the place of its data, where the answer must be. */
static uint32_t take_back(struct workshop *w, const uint32_t place_of[SIZE])
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

/* Passes all requests through, as many at a time as the queue holds. */
static void drive(struct workshop *w)
{
	uint32_t added = 0, returned = 0;
	uint32_t place_of[SIZE] = { 0 };

	for (; added < SIZE / 2; added++)
		add_numbered(w, added, place_of, added);
	while (returned < REQUESTS && !__atomic_load_n(&w->wrong, __ATOMIC_ACQUIRE)) {
		const uint32_t place = take_back(w, place_of);

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
	assert_int_equal(virtio_queue_sync_start(&w.sync, &w.f.config, &w.f.device_map), 0);
	for (uint32_t i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&workers[i], NULL, worker_main, &w), 0);
	drive(&w);
	__atomic_store_n(&w.stop, 1, __ATOMIC_RELEASE);
	for (uint32_t i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_join(workers[i], NULL), 0);
	assert_int_equal(w.wrong, 0);
	for (uint32_t i = 0; i < REQUESTS; i++)
		assert_int_equal(w.seen[i], 1);
	virtio_queue_sync_get_stats(&w.sync, &stats);
	assert_int_equal(stats.chains, REQUESTS);
	assert_int_equal(stats.completions, REQUESTS);
	assert_int_equal(stats.chain_faults + stats.ring_faults, 0);
	assert_true(virtio_queue_sync_quiesced(&w.sync));
	assert_int_equal(pthread_mutex_destroy(&w.mutex), 0);
}

/* The callbacks lock what they were given, and release it. */
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
		FIXTURE_ON_ALL(queue_sync_start_and_reset_lock_once),
		FIXTURE_ON_ALL(queue_sync_lock_hands_out_queue),
		FIXTURE_ON_ALL(queue_sync_set_memory_locks_once),
		FIXTURE_ON_ALL(queue_sync_old_maps_unused_locks_once),
		cmocka_unit_test(queue_sync_pop_resolves_chain),
		FIXTURE_ON_ALL(queue_sync_pop_yields_token_of_malformed_chain),
		cmocka_unit_test(queue_sync_pop_reports_array_that_is_too_small),
		cmocka_unit_test(queue_sync_pop_undoes_chain_that_is_not_mapped),
		FIXTURE_ON_ALL(queue_sync_pop_returns_fault_of_ring),
		FIXTURE_ON_ALL(queue_sync_unpop_takes_back_last_pop),
		FIXTURE_ON(queue_sync_complete_batch_is_all_or_none, FLAT),
		FIXTURE_ON_ALL(queue_sync_notifications_lock_once),
		FIXTURE_ON(queue_sync_start_passes_on_errors, CHANGING),
		FIXTURE_ON_ALL(queue_sync_calls_refuse_queue_not_started),
		FIXTURE_ON_ALL(queue_sync_calls_tell_broken_queue),
		FIXTURE_ON_ALL(queue_sync_calls_judge_index),
		FIXTURE_ON_ALL(queue_sync_calls_refuse_while_replay_is_due),
		FIXTURE_ON(queue_sync_calls_tell_rings_that_are_gone, CHANGING),
		cmocka_unit_test(queue_sync_serves_each_request_once_with_several_threads),
		cmocka_unit_test(queue_lock_pthread_holds_mutex),
	};

	return watchdog_start(NULL, NULL) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
