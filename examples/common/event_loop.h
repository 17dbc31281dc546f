/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * An event loop of one thread: it calls handlers of file descriptors, and runs queued tasks.
 *
 * Each turn handles at most one event, then runs at most one task. So a front end that kicks all
 * the time can't delay the tasks, and the tasks for a busy ring can't delay the events.
 *
 * Threads: only one thread at a time may use a loop.
 */
#ifndef EVENT_LOOP_H
#define EVENT_LOOP_H

#include <stdbool.h>
#include <stddef.h>

/* Returns the structure that contains a member, given a pointer to the member. */
#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Conditions that a source can wait for: see event_loop_want(). */
#define EVENT_READABLE 1u
#define EVENT_WRITABLE 2u
#define EVENT_EDGE 4u /* call the handler once for each change, not while the condition lasts */

struct event_source {
	int fd; /* -1 if there is no descriptor */
	void (*ready)(struct event_source *source);
	/*
	 * The reason for a call of ready(): EVENT_READABLE, EVENT_WRITABLE or both. A hang-up or an
	 * error sets both bits.
	 */
	unsigned int events;
};

struct event_task {
	void (*run)(struct event_task *task);
	struct event_task *next;
	bool queued;
};

struct event_loop {
	int epoll_fd;
	bool stop; /* set it to make event_loop_run() return */
	struct event_task *tasks;
	struct event_task **tasks_end;
};

/* Conditions under which a source's handler is called. */
enum event_trigger {
	EVENT_WHILE_READABLE,
	EVENT_ON_WAKE, /* called once after one or more writes to an eventfd; no read is needed */
};

/* All three functions return 0, or -1 with errno. */
int event_loop_open(struct event_loop *loop);
int event_loop_add(struct event_loop *loop, struct event_source *source, enum event_trigger trigger);
int event_loop_run(struct event_loop *loop);

/*
 * Changes what a source waits for, or adds the source to the loop. If `interest` is 0, removes the
 * source from the loop, which then reports nothing, not even a hang-up.
 *
 * @interest  bits EVENT_READABLE, EVENT_WRITABLE, EVENT_EDGE
 *
 * Returns 0, or -1 with errno: EPERM for a regular file, which is always ready.
 */
int event_loop_want(struct event_loop *loop, struct event_source *source, unsigned int interest);

/*
 * Handles at most one event, then runs at most one task. Waits for an event only if no task is
 * queued. Returns 0, or -1 with errno.
 */
int event_loop_turn(struct event_loop *loop);

/*
 * Call this before closing the descriptor. Otherwise events continue if another process has the
 * same open file.
 */
void event_loop_remove(struct event_loop *loop, struct event_source *source);

/*
 * Queues a task, which runs once, after the tasks already queued. Does nothing if the task is
 * queued already.
 */
void event_loop_schedule(struct event_loop *loop, struct event_task *task);
void event_loop_cancel(struct event_loop *loop, struct event_task *task);

void event_loop_close(struct event_loop *loop);

#endif
