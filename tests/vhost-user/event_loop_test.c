/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The event loop of the examples: sources, tasks, timers and wake-ups. */
#include "event_sources.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A source and a task that count their calls. A queued task keeps a turn from waiting. */
struct fixture {
	struct event_loop loop;
	struct event_source source;
	struct event_task task;
	unsigned int ready, ran;
	int peer; /* the source's descriptor is the other end of this socket */
};

static void on_ready(struct event_source *source)
{
	CONTAINER_OF(source, struct fixture, source)->ready++;
}

static void on_task(struct event_task *task)
{
	CONTAINER_OF(task, struct fixture, task)->ran++;
}

static void set_up(struct fixture *f)
{
	int ends[2];

	*f = (struct fixture){ .task.run = on_task };
	assert_int_equal(event_loop_open(&f->loop), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	f->source = (struct event_source){ .fd = ends[0], .ready = on_ready };
	f->peer = ends[1];
}

static void tear_down(struct fixture *f)
{
	close(f->source.fd);
	if (f->peer >= 0)
		close(f->peer);
	event_loop_close(&f->loop);
}

/* Runs a turn that does not wait. Returns the events for which the source was called, or 0. */
static unsigned int turn(struct fixture *f)
{
	const unsigned int before = f->ready;

	watchdog_step();
	event_loop_schedule(&f->loop, &f->task);
	assert_int_equal(event_loop_turn(&f->loop), 0);
	return f->ready > before ? f->source.events : 0;
}

static void event_loop_calls_for_what_a_source_wants(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	assert_int_equal(event_loop_want(&f.loop, &f.source, EVENT_READABLE), 0);
	assert_int_equal(turn(&f), 0);
	assert_int_equal(write(f.peer, "a", 1), 1);
	assert_int_equal(turn(&f), EVENT_READABLE);
	assert_int_equal(turn(&f), EVENT_READABLE);
	assert_int_equal(event_loop_want(&f.loop, &f.source, EVENT_WRITABLE), 0);
	assert_int_equal(turn(&f), EVENT_WRITABLE);
	assert_int_equal(event_loop_want(&f.loop, &f.source, EVENT_READABLE | EVENT_WRITABLE), 0);
	assert_int_equal(turn(&f), EVENT_READABLE | EVENT_WRITABLE);
	assert_int_equal(event_loop_want(&f.loop, &f.source, 0), 0);
	assert_int_equal(turn(&f), 0);
	/* A source may be removed twice and added again. */
	assert_int_equal(event_loop_want(&f.loop, &f.source, 0), 0);
	assert_int_equal(event_loop_want(&f.loop, &f.source, EVENT_READABLE | EVENT_EDGE), 0);
	assert_int_equal(turn(&f), EVENT_READABLE);
	assert_int_equal(turn(&f), 0);
	assert_int_equal(write(f.peer, "b", 1), 1);
	assert_int_equal(turn(&f), EVENT_READABLE);
	tear_down(&f);
}

static void event_loop_reports_a_hang_up_unless_nothing_is_wanted(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	assert_int_equal(event_loop_want(&f.loop, &f.source, EVENT_READABLE), 0);
	close(f.peer);
	f.peer = -1;
	assert_int_equal(turn(&f), EVENT_READABLE | EVENT_WRITABLE);
	assert_int_equal(event_loop_want(&f.loop, &f.source, 0), 0);
	assert_int_equal(turn(&f), 0);
	tear_down(&f);
}

static void event_loop_refuses_a_regular_file(void **state)
{
	char path[] = "/tmp/event-loop-test-XXXXXX";
	struct event_source file = { .fd = mkstemp(path), .ready = on_ready };
	struct fixture f;

	(void)state;
	set_up(&f);
	assert_true(file.fd >= 0);
	assert_int_equal(event_loop_want(&f.loop, &file, EVENT_READABLE), -1);
	assert_int_equal(errno, EPERM);
	close(file.fd);
	unlink(path);
	tear_down(&f);
}

struct numbered {
	struct event_task task;
	unsigned int *next, at;
};

static void on_numbered(struct event_task *task)
{
	struct numbered *numbered = CONTAINER_OF(task, struct numbered, task);

	numbered->at = ++*numbered->next;
}

/* Cancels the last task of the queue, and then queues another task. */
static void event_loop_runs_tasks_in_order_without_the_cancelled(void **state)
{
	struct numbered tasks[4];
	unsigned int next = 0;
	struct fixture f;

	(void)state;
	set_up(&f);
	for (unsigned int i = 0; i < 4; i++)
		tasks[i] = (struct numbered){ .task.run = on_numbered, .next = &next };
	for (unsigned int i = 0; i < 3; i++)
		event_loop_schedule(&f.loop, &tasks[i].task);
	event_loop_schedule(&f.loop, &tasks[0].task);
	event_loop_cancel(&f.loop, &tasks[2].task);
	event_loop_cancel(&f.loop, &tasks[2].task);
	event_loop_schedule(&f.loop, &tasks[3].task);
	event_loop_cancel(&f.loop, &tasks[0].task);
	for (unsigned int i = 0; i < 4; i++)
		(void)turn(&f);
	assert_int_equal(tasks[0].at, 0);
	assert_int_equal(tasks[1].at, 1);
	assert_int_equal(tasks[2].at, 0);
	assert_int_equal(tasks[3].at, 2);
	event_loop_schedule(&f.loop, &tasks[2].task);
	for (unsigned int i = 0; i < 3; i++)
		(void)turn(&f);
	assert_int_equal(tasks[2].at, 3);
	tear_down(&f);
}

struct clock {
	struct event_timer timer;
	unsigned int expired;
};

static void on_expired(struct event_timer *timer)
{
	CONTAINER_OF(timer, struct clock, timer)->expired++;
}

static void event_timer_expires_once_for_the_last_setting(void **state)
{
	struct clock early, never;
	struct fixture f;

	(void)state;
	set_up(&f);
	early = (struct clock){ .expired = 0 };
	never = (struct clock){ .expired = 0 };
	assert_int_equal(event_timer_open(&early.timer, &f.loop, on_expired), 0);
	assert_int_equal(event_timer_open(&never.timer, &f.loop, on_expired), 0);
	event_timer_set(&never.timer, 1);
	event_timer_set(&never.timer, 0);
	event_timer_set(&early.timer, UINT64_C(3600) * 1000000000);
	event_timer_set(&early.timer, 1);
	/* This turn waits for the timer, because there is no other event. */
	assert_int_equal(event_loop_turn(&f.loop), 0);
	assert_int_equal(early.expired, 1);
	for (unsigned int i = 0; i < 3; i++)
		(void)turn(&f);
	assert_int_equal(early.expired, 1);
	event_timer_set(&early.timer, 1);
	assert_int_equal(event_loop_turn(&f.loop), 0);
	assert_int_equal(early.expired, 2);
	assert_int_equal(never.expired, 0);
	event_timer_close(&early.timer);
	event_timer_close(&early.timer);
	event_timer_close(&never.timer);
	tear_down(&f);
}

struct bell {
	struct event_wake wake;
	unsigned int woken;
};

static void on_woken(struct event_wake *wake)
{
	CONTAINER_OF(wake, struct bell, wake)->woken++;
}

static void *ring_bell(void *arg)
{
	const struct bell *bell = arg;

	event_wake_signal(&bell->wake);
	event_wake_signal(&bell->wake);
	return NULL;
}

static void event_wake_comes_from_another_thread_once(void **state)
{
	struct bell bell = { .woken = 0 };
	struct fixture f;
	pthread_t thread;

	(void)state;
	set_up(&f);
	assert_int_equal(event_wake_open(&bell.wake, &f.loop, on_woken), 0);
	assert_int_equal(pthread_create(&thread, NULL, ring_bell, &bell), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(event_loop_turn(&f.loop), 0);
	assert_int_equal(bell.woken, 1);
	(void)turn(&f);
	assert_int_equal(bell.woken, 1);
	event_wake_close(&bell.wake);
	tear_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event_loop_calls_for_what_a_source_wants),
		cmocka_unit_test(event_loop_reports_a_hang_up_unless_nothing_is_wanted),
		cmocka_unit_test(event_loop_refuses_a_regular_file),
		cmocka_unit_test(event_loop_runs_tasks_in_order_without_the_cancelled),
		cmocka_unit_test(event_timer_expires_once_for_the_last_setting),
		cmocka_unit_test(event_wake_comes_from_another_thread_once),
	};

	if (!watchdog_start(NULL, NULL))
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
