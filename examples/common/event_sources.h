/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Event sources with a descriptor of their own: a timer, and a wake-up that another thread sends.
 */
#ifndef EVENT_SOURCES_H
#define EVENT_SOURCES_H

#include "event_loop.h"

#include <stdint.h>

/* The initial value of a timer or wake-up that may be closed without having been opened. */
#define EVENT_SOURCE_NONE                                                                                              \
	{                                                                                                              \
		.source.fd = -1                                                                                        \
	}

struct event_timer {
	struct event_source source;
	struct event_loop *loop;
	void (*expired)(struct event_timer *timer); /* on the loop's thread */
};

/* Makes a timer that isn't set. Returns 0, or -1 with errno and nothing to close. */
int event_timer_open(struct event_timer *timer, struct event_loop *loop, void (*expired)(struct event_timer *timer));

/*
 * Sets the timer to expire once, `ns` from now, in place of what was set before. 0 stops it. Any
 * thread may call this.
 */
void event_timer_set(struct event_timer *timer, uint64_t ns);

/* On the loop's thread. Does nothing for a timer that was closed, or is EVENT_SOURCE_NONE. */
void event_timer_close(struct event_timer *timer);

struct event_wake {
	struct event_source source;
	struct event_loop *loop;
	/* Called on the loop's thread, once for any number of signals. */
	void (*woken)(struct event_wake *wake);
};

/* Return and behave as the functions of a timer. */
int event_wake_open(struct event_wake *wake, struct event_loop *loop, void (*woken)(struct event_wake *wake));
void event_wake_close(struct event_wake *wake);

/*
 * Any thread, and a signal handler, may call this while the wake-up is open. woken() sees what the
 * caller wrote before.
 */
void event_wake_signal(const struct event_wake *wake);

#endif
