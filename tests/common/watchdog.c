/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#define _POSIX_C_SOURCE 200809L
#include "watchdog.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LOOKS 18u       /* the test fails after this number of checks in a row without progress */
#define LOOK_SECONDS 10 /* seconds between two checks */

static struct {
	uint64_t (*progress)(void);
	void (*report)(void);
	uint32_t steps; /* accessed atomically */
} watchdog;

void watchdog_step(void)
{
	(void)__atomic_add_fetch(&watchdog.steps, 1, __ATOMIC_RELAXED);
}

static uint64_t count_steps(void)
{
	return __atomic_load_n(&watchdog.steps, __ATOMIC_RELAXED);
}

static void *watch(void *context)
{
	uint64_t last = watchdog.progress();

	(void)context;
	for (unsigned int looks = 0; looks < LOOKS;) {
		const struct timespec pause = { .tv_sec = LOOK_SECONDS };
		uint64_t now;

		(void)nanosleep(&pause, NULL);
		now = watchdog.progress();
		looks = now == last ? looks + 1 : 0;
		last = now;
	}
	(void)fprintf(stderr, "FAILED: no progress in %u checks, %d s apart\n", LOOKS, LOOK_SECONDS);
	if (watchdog.report)
		watchdog.report();
	_exit(1);
}

bool watchdog_start(uint64_t (*progress)(void), void (*report)(void))
{
	sigset_t all, before;
	pthread_t thread;
	bool watches;

	watchdog.progress = progress ? progress : count_steps;
	watchdog.report = report;
	/* Signals must reach the test's own threads and not the watchdog's thread. */
	(void)sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before))
		return false;
	watches = pthread_create(&thread, NULL, watch, NULL) == 0 && pthread_detach(thread) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return watches;
}
