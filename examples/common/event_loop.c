/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The event loop, on epoll. */
#include "event_loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

int event_loop_open(struct event_loop *loop)
{
	loop->stop = false;
	loop->tasks = NULL;
	loop->tasks_end = &loop->tasks;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll_fd < 0 ? -1 : 0;
}

int event_loop_add(struct event_loop *loop, struct event_source *source, enum event_trigger trigger)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = source };

	if (trigger == EVENT_ON_WAKE)
		event.events |= EPOLLET;
	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, source->fd, &event);
}

void event_loop_remove(struct event_loop *loop, struct event_source *source)
{
	(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
}

int event_loop_want(struct event_loop *loop, struct event_source *source, unsigned int interest)
{
	struct epoll_event event = { .data.ptr = source };

	if (interest & EVENT_READABLE)
		event.events |= EPOLLIN;
	if (interest & EVENT_WRITABLE)
		event.events |= EPOLLOUT;
	if (interest & EVENT_EDGE)
		event.events |= EPOLLET;
	if (interest == 0) {
		event_loop_remove(loop, source);
		return 0;
	}
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event) == 0)
		return 0;
	return errno == ENOENT ? epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, source->fd, &event) : -1;
}

void event_loop_schedule(struct event_loop *loop, struct event_task *task)
{
	if (task->queued)
		return;
	*loop->tasks_end = task;
	loop->tasks_end = &task->next;
	task->next = NULL;
	task->queued = true;
}

/* Removes from the list the task to which *link points. */
static void unlink_task(struct event_loop *loop, struct event_task **link, struct event_task *task)
{
	*link = task->next;
	if (!*link)
		loop->tasks_end = link;
	task->queued = false;
}

void event_loop_cancel(struct event_loop *loop, struct event_task *task)
{
	struct event_task **link = &loop->tasks;

	if (!task->queued)
		return;
	while (*link != task)
		link = &(*link)->next;
	unlink_task(loop, link, task);
}

static unsigned int events_of(const struct epoll_event *event)
{
	const unsigned int both = event->events & (EPOLLHUP | EPOLLERR) ? EVENT_READABLE | EVENT_WRITABLE : 0;

	return both | (event->events & EPOLLIN ? EVENT_READABLE : 0) | (event->events & EPOLLOUT ? EVENT_WRITABLE : 0);
}

/*
 * Fetches one event at a time. So no fetched event can point to a source that a handler has removed
 * and freed. No source has to wait forever, because epoll serves the ready sources in turn.
 */
int event_loop_turn(struct event_loop *loop)
{
	struct event_task *task;
	struct epoll_event event;
	int got = epoll_wait(loop->epoll_fd, &event, 1, loop->tasks ? 0 : -1);

	if (got < 0 && errno != EINTR)
		return -1;
	if (got == 1) {
		struct event_source *source = event.data.ptr;

		source->events = events_of(&event);
		source->ready(source);
	}
	task = loop->tasks;
	if (task) {
		unlink_task(loop, &loop->tasks, task);
		task->run(task);
	}
	return 0;
}

int event_loop_run(struct event_loop *loop)
{
	while (!loop->stop)
		if (event_loop_turn(loop))
			return -1;
	return 0;
}

void event_loop_close(struct event_loop *loop)
{
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
}
