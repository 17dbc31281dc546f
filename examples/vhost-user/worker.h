/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A thread with an event loop, and an owner (the control thread) that can stop it at any time.
 *
 * Threads: who may use the data of the loop's handlers
 *   before worker_start()                         the owner
 *   after worker_start()                          the thread
 *   from worker_pause() to worker_resume()        the owner
 *   after worker_stop()                           the owner
 * Owner and thread never use the data at the same time, so the data needs no lock. The functions of
 * this file contain the memory barriers.
 *
 * The thread checks for orders after each turn of its loop. A turn runs at most one handler and one
 * task. While the owner waits for the thread, signals interrupt the system calls of the handler or
 * task until the handler or task returns. So after EINTR a handler or task must
 * not repeat a system call that can wait for another process.
 */
#ifndef WORKER_H
#define WORKER_H

#include "event_loop.h"
#include "event_sources.h"

#include <pthread.h>
#include <time.h>

enum worker_order {
	WORKER_RUN,
	WORKER_PAUSE,
	WORKER_STOP,
};

struct worker {
	/*
	 * Sources are added on the thread, or by the owner while the owner may access the thread's
	 * data.
	 */
	struct event_loop loop;
	void (*settle)(struct worker *worker);
	struct event_wake wake; /* signalled when there is an order or a call */
	pthread_t thread;
	pthread_mutex_t mutex; /* protects the members below */
	pthread_cond_t changed;
	enum worker_order order;
	/* The thread has carried out its order, and uses no data before the next order or call. */
	bool settled;
	void (*call)(void *context); /* function for the thread to run; NULL for none */
	void *call_context;
};

/* Called once by the process, before all other functions. Returns 0, or -1 with errno. */
int worker_init(void);

/*
 * Prepares a worker. Its thread doesn't run yet, and sources can be added to its loop.
 *
 * @settle  called on the thread before the owner may use the data. Ends activities outside of
 *          handlers, such as I/O in flight, or waits for their end
 *
 * Returns 0, or -1 with errno and nothing to close.
 */
int worker_open(struct worker *worker, void (*settle)(struct worker *worker));

/* Starts the thread, under a name of at most 15 characters. Returns 0, or -1 with errno. */
int worker_start(struct worker *worker, const char *name);

/*
 * Runs a function on the thread, and returns when the function has returned. A paused thread runs
 * the function and stays paused. A thread that isn't paused gets a turn of its loop between two
 * calls.
 */
void worker_call(struct worker *worker, void (*call)(void *context), void *context);

/*
 * Pauses the thread, and returns when the thread has settled. Until worker_resume() the owner may
 * access the thread's data.
 */
void worker_pause(struct worker *worker);

/* Returns the time (CLOCK_MONOTONIC) that is @ms milliseconds from now. */
struct timespec worker_in_ms(unsigned int ms);

/*
 * Pauses the thread if it settles before the wait ends: at the time @end, or up to one second
 * later. Returns whether the thread is paused. If false, the thread continues.
 */
bool worker_try_pause(struct worker *worker, const struct timespec *end);
void worker_resume(struct worker *worker);

/* Ends the thread after it has settled. The thread may be paused. */
void worker_stop(struct worker *worker);

/* Undoes worker_open(). The thread must not run. */
void worker_close(struct worker *worker);

#endif
