/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A lock for tests of a queue behind one. */
#ifndef VIRTIO_TESTS_WATCHED_LOCK_H
#define VIRTIO_TESTS_WATCHED_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/* A lock that notices when it is taken twice, or released by one who does not hold it. */
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

#endif
