/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Timers on timerfd, wake-ups on eventfd. */
#include "event_sources.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define NS_PER_SECOND 1000000000u

/*
 * Makes a source of a descriptor. Returns 0, or -1 with errno after closing the descriptor. If fd
 * is -1, the errno of the failed open call stays.
 */
static int watch(struct event_source *source, struct event_loop *loop, int fd, void (*ready)(struct event_source *))
{
	int error;

	*source = (struct event_source){ .fd = fd, .ready = ready };
	if (fd < 0)
		return -1;
	if (event_loop_add(loop, source, EVENT_WHILE_READABLE) == 0)
		return 0;
	error = errno;
	close(fd);
	source->fd = -1;
	errno = error;
	return -1;
}

static void unwatch(struct event_source *source, struct event_loop *loop)
{
	if (source->fd < 0)
		return;
	event_loop_remove(loop, source);
	close(source->fd);
	source->fd = -1;
}

/* Timers */

/*
 * The read fails if the timer was set again after the event, and the new time has not come yet.
 */
static void on_expiry(struct event_source *source)
{
	struct event_timer *timer = CONTAINER_OF(source, struct event_timer, source);
	uint64_t count;

	if (read(source->fd, &count, sizeof count) == sizeof count)
		timer->expired(timer);
}

int event_timer_open(struct event_timer *timer, struct event_loop *loop, void (*expired)(struct event_timer *timer))
{
	timer->loop = loop;
	timer->expired = expired;
	return watch(&timer->source, loop, timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), on_expiry);
}

void event_timer_set(struct event_timer *timer, uint64_t ns)
{
	const struct itimerspec once = {
		.it_value = { .tv_sec = (time_t)(ns / NS_PER_SECOND), .tv_nsec = (long)(ns % NS_PER_SECOND) },
	};

	/* This can't fail, because both numbers and the descriptor are valid. */
	(void)timerfd_settime(timer->source.fd, 0, &once, NULL);
}

void event_timer_close(struct event_timer *timer)
{
	unwatch(&timer->source, timer->loop);
}

/* Wake-ups */

static void on_signal(struct event_source *source)
{
	struct event_wake *wake = CONTAINER_OF(source, struct event_wake, source);
	uint64_t count;

	if (read(source->fd, &count, sizeof count) == sizeof count)
		wake->woken(wake);
}

int event_wake_open(struct event_wake *wake, struct event_loop *loop, void (*woken)(struct event_wake *wake))
{
	wake->loop = loop;
	wake->woken = woken;
	return watch(&wake->source, loop, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), on_signal);
}

/* The write can fail only if the counter is full. In this case a wake-up is pending already. */
void event_wake_signal(const struct event_wake *wake)
{
	const uint64_t one = 1;

	(void)!write(wake->source.fd, &one, sizeof one);
}

void event_wake_close(struct event_wake *wake)
{
	unwatch(&wake->source, wake->loop);
}
