/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Threads that can be stopped. */
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

/* The signal that ends a waiting system call. */
#define NUDGE SIGRTMIN

/*
 * A thread gets a signal if it has not carried out an order or a call after FIRST_NUDGE_MS. The
 * time doubles after each signal, up to LAST_NUDGE_MS. Some long system calls, such as making a
 * hole in a file, begin anew after a signal, and need more time.
 */
#define FIRST_NUDGE_MS 10
#define LAST_NUDGE_MS 1000

static void on_nudge(int number)
{
	(void)number;
}

int worker_init(void)
{
	/* No SA_RESTART, so that system calls fail with EINTR. */
	struct sigaction action = { .sa_handler = on_nudge };

	sigemptyset(&action.sa_mask);
	return sigaction(NUDGE, &action, NULL);
}

/* The event only wakes the thread. Orders and calls are checked between turns of the loop. */
static void on_wake(struct event_wake *wake)
{
	(void)wake;
}

/* Runs the owner's call, if any. The mutex must be held, and is held again afterwards. */
static void answer_call(struct worker *worker)
{
	if (!worker->call)
		return;
	pthread_mutex_unlock(&worker->mutex);
	worker->call(worker->call_context);
	pthread_mutex_lock(&worker->mutex);
	worker->call = NULL;
	pthread_cond_broadcast(&worker->changed);
}

/* Called before each turn of the loop. Returns whether the thread continues. */
static bool obey(struct worker *worker)
{
	enum worker_order order;

	pthread_mutex_lock(&worker->mutex);
	answer_call(worker);
	order = worker->order;
	pthread_mutex_unlock(&worker->mutex);
	if (order == WORKER_RUN)
		return true;
	worker->settle(worker);
	pthread_mutex_lock(&worker->mutex);
	/* worker_try_pause() has reached its time limit, and has withdrawn the order. */
	if (worker->order == WORKER_RUN) {
		pthread_mutex_unlock(&worker->mutex);
		return true;
	}
	worker->settled = true;
	pthread_cond_broadcast(&worker->changed);
	/*
	 * A resumed thread runs a turn first, even if the owner has ordered the next pause.
	 * Otherwise frequent pauses could keep the thread from ever running a turn.
	 */
	while (worker->settled && worker->order == WORKER_PAUSE) {
		if (worker->call)
			answer_call(worker);
		else
			pthread_cond_wait(&worker->changed, &worker->mutex);
	}
	order = worker->order;
	if (order == WORKER_STOP && !worker->settled) {
		worker->settled = true;
		pthread_cond_broadcast(&worker->changed);
	}
	pthread_mutex_unlock(&worker->mutex);
	return order != WORKER_STOP;
}

static void *run(void *arg)
{
	struct worker *worker = arg;

	/*
	 * event_loop_turn() can fail only for an invalid descriptor. The thread then handles no
	 * more events, but still checks for orders every millisecond.
	 */
	while (obey(worker))
		if (event_loop_turn(&worker->loop))
			(void)!poll(NULL, 0, 1);
	return NULL;
}

static void give_order(struct worker *worker, enum worker_order order)
{
	pthread_mutex_lock(&worker->mutex);
	worker->order = order;
	if (order == WORKER_RUN)
		worker->settled = false;
	pthread_cond_broadcast(&worker->changed);
	pthread_mutex_unlock(&worker->mutex);
	event_wake_signal(&worker->wake);
}

struct timespec worker_in_ms(unsigned int ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += (time_t)(ms / 1000);
	at.tv_nsec += (long)(ms % 1000) * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_nsec -= 1000000000;
		at.tv_sec++;
	}
	return at;
}

static bool is_settled(const struct worker *worker)
{
	return worker->settled;
}

static bool has_answered(const struct worker *worker)
{
	return !worker->call;
}

static bool is_past(const struct timespec *at)
{
	const struct timespec now = worker_in_ms(0);

	return now.tv_sec > at->tv_sec || (now.tv_sec == at->tv_sec && now.tv_nsec >= at->tv_nsec);
}

/*
 * Waits until is_done() returns true, or until the time @end. @end may be NULL for no limit. The
 * time is checked only after a nudge or a broadcast of `changed`, so the wait may last up to
 * LAST_NUDGE_MS longer. The mutex must be held. Returns whether is_done() has returned true.
 */
static bool await(struct worker *worker, bool (*is_done)(const struct worker *worker), const struct timespec *end)
{
	unsigned int patience = FIRST_NUDGE_MS;
	struct timespec at = worker_in_ms(patience);

	while (!is_done(worker)) {
		if (end && is_past(end))
			return false;
		if (pthread_cond_timedwait(&worker->changed, &worker->mutex, &at) == ETIMEDOUT) {
			(void)pthread_kill(worker->thread, NUDGE);
			patience = patience < LAST_NUDGE_MS / 2 ? 2 * patience : LAST_NUDGE_MS;
			at = worker_in_ms(patience);
		}
	}
	return true;
}

static void await_settled(struct worker *worker)
{
	pthread_mutex_lock(&worker->mutex);
	(void)await(worker, is_settled, NULL);
	pthread_mutex_unlock(&worker->mutex);
}

void worker_call(struct worker *worker, void (*call)(void *context), void *context)
{
	pthread_mutex_lock(&worker->mutex);
	worker->call = call;
	worker->call_context = context;
	pthread_cond_broadcast(&worker->changed);
	event_wake_signal(&worker->wake);
	(void)await(worker, has_answered, NULL);
	pthread_mutex_unlock(&worker->mutex);
}

int worker_open(struct worker *worker, void (*settle)(struct worker *worker))
{
	pthread_condattr_t attributes;

	*worker = (struct worker){ .settle = settle, .wake = EVENT_SOURCE_NONE, .order = WORKER_RUN };
	if (event_loop_open(&worker->loop))
		return -1;
	if (event_wake_open(&worker->wake, &worker->loop, on_wake)) {
		event_loop_close(&worker->loop);
		return -1;
	}
	pthread_mutex_init(&worker->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&worker->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	return 0;
}

int worker_start(struct worker *worker, const char *name)
{
	errno = pthread_create(&worker->thread, NULL, run, worker);
	if (errno)
		return -1;
	/* ps and debuggers show the name. */
	(void)pthread_setname_np(worker->thread, name);
	return 0;
}

void worker_pause(struct worker *worker)
{
	give_order(worker, WORKER_PAUSE);
	await_settled(worker);
}

bool worker_try_pause(struct worker *worker, const struct timespec *end)
{
	bool settled;

	give_order(worker, WORKER_PAUSE);
	pthread_mutex_lock(&worker->mutex);
	settled = await(worker, is_settled, end);
	pthread_mutex_unlock(&worker->mutex);
	if (!settled)
		give_order(worker, WORKER_RUN);
	return settled;
}

void worker_resume(struct worker *worker)
{
	give_order(worker, WORKER_RUN);
}

void worker_stop(struct worker *worker)
{
	give_order(worker, WORKER_STOP);
	await_settled(worker);
	pthread_join(worker->thread, NULL);
}

void worker_close(struct worker *worker)
{
	pthread_cond_destroy(&worker->changed);
	pthread_mutex_destroy(&worker->mutex);
	event_wake_close(&worker->wake);
	event_loop_close(&worker->loop);
}
