/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The fixture of the tests of a queue with a lock. The fixture watches the lock. */
#ifndef VIRTIO_TESTS_SYNC_FIXTURE_H
#define VIRTIO_TESTS_SYNC_FIXTURE_H

#include "../common/fixture.h"
#include <virtio/queue_sync.h>

#define SIZE 8u

/* A lock that notices when it is taken while it is held, or released while it is not held. */
struct watched_lock {
	uint32_t taken;
	bool held;
	bool wrong;
};

static inline void watched_lock(void *context)
{
	struct watched_lock *w = context;

	w->wrong = w->wrong || w->held;
	w->held = true;
	w->taken++;
}

static inline void watched_unlock(void *context)
{
	struct watched_lock *w = context;

	w->wrong = w->wrong || !w->held;
	w->held = false;
}

struct shared {
	struct fixture f; /* f.queue is unused; the tests use the queue in `sync` */
	struct virtio_queue_sync sync;
	struct watched_lock watched;
	struct virtio_segment segments[FIXTURE_MAX_SIZE];
};

static inline void init(struct shared *s, enum fixture_memory kind)
{
	const struct virtio_queue_lock lock = { watched_lock, watched_unlock, &s->watched };

	memset(s, 0, sizeof *s);
	fixture_init(&s->f, kind, SIZE);
	assert_int_equal(virtio_queue_sync_init(&s->sync, &lock, s->f.inflight, FIXTURE_MAX_SIZE), 0);
}

/* Checks that the lock was taken once since the last check, and is released. */
static inline void assert_locked_once(struct shared *s)
{
	assert_int_equal(s->watched.taken, 1);
	assert_false(s->watched.held);
	assert_false(s->watched.wrong);
	s->watched.taken = 0;
}

/* Releases the lock, which must have been taken once. */
static inline void release(struct shared *s)
{
	virtio_queue_sync_unlock(&s->sync);
	assert_locked_once(s);
}

/* Starts the queue, for the first time or after a reset. */
static inline void start(struct shared *s)
{
	assert_int_equal(virtio_queue_start(virtio_queue_sync_lock(&s->sync), &s->f.config, &s->f.device_map), 0);
	release(s);
}

static inline void set_up(struct shared *s, enum fixture_memory kind)
{
	init(s, kind);
	start(s);
}

static inline int complete(struct shared *s, struct virtio_token token, uint32_t len)
{
	int error = virtio_queue_complete(virtio_queue_sync_lock(&s->sync), token, len);

	release(s);
	return error;
}

#endif
