/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Delivers the process's signals as events of the main thread's loop. */
#ifndef SIGNALS_H
#define SIGNALS_H

#include "event_loop.h"

#include <signal.h>

struct signals {
	struct event_source source; /* fd is -1 before signals_open() */
	struct event_loop *loop;
	sigset_t set;                             /* the blocked signals, which arrive as events */
	void (*hang_up)(struct signals *signals); /* called on SIGHUP */
	void (*update)(struct signals *signals);  /* called on SIGUSR1; NULL if SIGUSR1 is fatal */
};

/*
 * From now on SIGINT, SIGQUIT and SIGTERM stop the loop, SIGHUP calls hang_up(), and SIGUSR1 calls
 * update() unless `update` is NULL. The signals are blocked, also in threads that start later.
 * SIGPIPE and SIGXFSZ are ignored. So a write to a closed pipe, or beyond the process's limit on
 * file size, fails without a signal.
 *
 * Returns 0, or -1 with errno. signals_close() may follow in both cases.
 */
int signals_open(struct signals *signals, struct event_loop *loop, void (*hang_up)(struct signals *signals),
		 void (*update)(struct signals *signals));

/* Ends the delivery of signals. The signals stay blocked. */
void signals_close(struct signals *signals);

#endif
