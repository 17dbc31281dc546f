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

void event_loop_schedule(struct event_loop *loop, struct event_task *task)
{
	struct event_task **link = &loop->tasks;

	if (task->queued)
		return;
	while (*link)
		link = &(*link)->next;
	*link = task;
	task->next = NULL;
	task->queued = true;
}

void event_loop_cancel(struct event_loop *loop, struct event_task *task)
{
	struct event_task **link = &loop->tasks;

	if (!task->queued)
		return;
	while (*link != task)
		link = &(*link)->next;
	*link = task->next;
	task->queued = false;
}

/*
 * Events are fetched one at a time, and epoll gives each source its turn. So a handler may remove and
 * free any source: no event for it has been fetched already.
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

		source->ready(source);
	}
	task = loop->tasks;
	if (task) {
		loop->tasks = task->next;
		task->queued = false;
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
