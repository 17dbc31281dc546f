/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A thread with an event loop, and an owner (the control thread) that can stop it at any time.
 *
 * What the loop's handlers use is the thread's from worker_start() on, and the owner's before that, between
 * worker_pause() and worker_resume(), and after worker_stop(). Nothing is used by both at once, so nothing of it
 * needs a lock: the calls of this file hand it over, with the memory order that belongs to it.
 *
 * The thread looks for orders after every handler. One that waits in a system call meanwhile is interrupted by a
 * signal, again and again until it comes out: handlers take EINTR for what it is, and don't wait once more.
 */
#ifndef WORKER_H
#define WORKER_H

#include "event_loop.h"
#include "event_sources.h"

#include <pthread.h>

enum worker_order {
	WORKER_RUN,
	WORKER_PAUSE,
	WORKER_STOP,
};

struct worker {
	struct event_loop loop; /* sources are added by the thread's handlers, or by the owner while it has them */
	void (*settle)(struct worker *worker);
	struct event_wake wake; /* signalled when there is an order or a call */
	pthread_t thread;
	pthread_mutex_t mutex; /* protects what is below */
	pthread_cond_t changed;
	enum worker_order order;
	bool settled;                /* the thread has obeyed, and touches nothing before the next order or call */
	void (*call)(void *context); /* to be run on the thread; NULL for none */
	void *call_context;
};

/* To be called once by the process, before any of the others. Returns 0, or -1 with errno. */
int worker_init(void);

/*
 * Prepares a worker whose thread doesn't run yet; sources can be added to its loop.
 *
 * @settle  called on the thread before it hands over: ends, or waits for, what goes on outside of handlers
 *
 * Returns 0, or -1 with errno and nothing to close.
 */
int worker_open(struct worker *worker, void (*settle)(struct worker *worker));

/* Starts the thread, under a name of at most 15 characters. Returns 0, or -1 with errno. */
int worker_start(struct worker *worker, const char *name);

/*
 * Runs a function on the thread, and returns when it is over. The thread may be paused, and is so afterwards. A thread
 * that is not gets a turn of its loop between two calls.
 */
void worker_call(struct worker *worker, void (*call)(void *context), void *context);

/* Returns when the thread has settled: all is the owner's until worker_resume(). */
void worker_pause(struct worker *worker);

/* The same, if it takes no longer than that. Returns whether it has; if not, the thread goes on. */
bool worker_try_pause(struct worker *worker, unsigned int ms);
void worker_resume(struct worker *worker);

/* Lets the thread settle, and ends it. It may be paused. */
void worker_stop(struct worker *worker);

/* Gives back what worker_open() has made. The thread doesn't run. */
void worker_close(struct worker *worker);

#endif
