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
	void (*expired)(struct event_timer *timer); /* called on the loop's thread */
};

/*
 * Makes a timer that isn't set. Returns 0, or -1 with errno. After a failure there is nothing to
 * close.
 */
int event_timer_open(struct event_timer *timer, struct event_loop *loop, void (*expired)(struct event_timer *timer));

/*
 * Sets the timer to expire once, `ns` from now, and replaces an earlier setting. 0 stops the timer.
 * Any thread may call this.
 */
void event_timer_set(struct event_timer *timer, uint64_t ns);

/* Call this on the loop's thread. Does nothing for a timer that is closed or EVENT_SOURCE_NONE. */
void event_timer_close(struct event_timer *timer);

struct event_wake {
	struct event_source source;
	struct event_loop *loop;
	/* Called on the loop's thread. Several event_wake_signal() may lead to one call. */
	void (*woken)(struct event_wake *wake);
};

/* Do the same for a wake-up as event_timer_open() and event_timer_close() do for a timer. */
int event_wake_open(struct event_wake *wake, struct event_loop *loop, void (*woken)(struct event_wake *wake));
void event_wake_close(struct event_wake *wake);

/*
 * Any thread, and a signal handler, may call this while the wake-up is open. woken() sees
 * everything that the caller wrote to memory before this call.
 */
void event_wake_signal(const struct event_wake *wake);

#endif
