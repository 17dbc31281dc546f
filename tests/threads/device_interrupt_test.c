/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Can threads lose an interrupt, or leave the line high? Several threads of a device raise
 * interrupts while the driver acknowledges, resets, or sets DRIVER_OK. The line is one atomic word,
 * like an interrupt controller's input. Calls of interrupt() are often delayed before they change
 * the line. A round is one step or a few steps of each thread. After each round all threads rest,
 * and the device's state, the line and the driver's counters must agree.
 *
 * In a crowd the device has several threads. In a duel the driver and one thread of the device have
 * one step each, as nearly at the same time as possible. A duel has many rounds. A duel finds a
 * change of the status or the interrupt status that is not atomic. Such a change would undo the
 * other side's change.
 *
 * usage: device_interrupt_test [ROUNDS]   ROUNDS is the largest number of rounds of a crowd, by
 *                                         default 10000. A duel has up to 40 times as many rounds.
 *                                         A kind of round may end after 1000 rounds if it has used
 *                                         up its time.
 *
 * Hostile 88, 92, 107
 */
#define _POSIX_C_SOURCE 200809L
#include "../common/watchdog.h"
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/device_transport.h>

#define KIND_NS 500000000 /* a kind of round may end after this time, in nanoseconds */
#define KIND_ROUNDS 1000u /* rounds of a kind before its time limit has an effect */
#define CROWD 3u          /* threads of the device in a crowd */
#define DUEL_ROUNDS 40u   /* rounds of a duel for each round of a crowd */
#define RAISES 4u         /* largest number of events that a thread raises in a round */
#define QUEUE_SIZE 4u
#define MEMORY_BYTES 1024u
#define PROBED 0x3u
#define CHOSEN 0xbu
#define RUNNING 0xfu
#define USED VIRTIO_INTERRUPT_USED
#define CONFIG VIRTIO_INTERRUPT_CONFIG

enum kind {
	RAISE_AND_ACKNOWLEDGE,
	RAISE_AND_TAKE,
	NEEDS_RESET,
	NEEDS_RESET_AT_DRIVER_OK,
	RESET,
	/* The kinds from here on are duels. */
	RAISE_AND_ACKNOWLEDGE_OTHER, /* one cause is raised while the other cause is acknowledged */
	RAISE_BOTH,                  /* USED by the device's thread, CONFIG by the driver's side */
	EVENT_AND_FAILED,            /* any event of the device, while the driver sets FAILED */
	/* The device reports that it needs a reset, while the driver is still setting up. */
	EVENT_AND_PROGRESS,
	KINDS,
};

static const struct {
	const char *name;
	uint32_t threads; /* number of threads of the device */
} kinds[] = {
	{ "raise and acknowledge", CROWD },
	{ "raise and take", CROWD },
	{ "needs reset", CROWD },
	{ "needs reset at DRIVER_OK", CROWD },
	{ "reset", CROWD },
	{ "raise one and acknowledge the other", 1 },
	{ "raise both", 1 },
	{ "any event and FAILED", 1 },
	{ "needs reset and progress", 1 },
};

struct machine {
	struct virtio_device device;
	struct virtio_queue_registers queues[1];
	_Alignas(16) uint8_t memory[MEMORY_BYTES]; /* guest memory; its rings are never read */
	enum kind kind;
	uint64_t rounds; /* largest number of rounds of a crowd */
	/*
	 * The members up to `marked` are not atomic. If a thread changes one of them, other threads
	 * read it only after the next meeting of all threads.
	 */
	uint64_t round;
	bool over;
	bool marked; /* result of virtio_device_mark_interrupt() */
	/* The members up to `arrived` are atomic. */
	uint32_t line;
	uint64_t events;        /* number of events; an event is counted before it is raised */
	uint32_t config_raised; /* number of calls of interrupt() for the configuration */
	uint32_t random;
	uint64_t arrived; /* arrivals of threads at meetings, in all rounds */
	/*
	 * The value of `events` that the driver has seen. Only the driver's thread and die() use
	 * this member.
	 */
	uint64_t seen;
};

static struct machine m;

/*
 * The watchdog's thread also calls this, while the other threads wait. No lock and no atomic access
 * orders its reads, so ThreadSanitizer must not check them.
 */
__attribute__((no_sanitize("thread"))) static _Noreturn void die(const char *what)
{
	(void)fprintf(
		stderr, "FAILED: %s, round %llu: %s; status %#x, interrupts %u, line %u, %llu events, %llu seen\n",
		kinds[m.kind].name, (unsigned long long)m.round, what, (unsigned int)virtio_device_status(&m.device),
		(unsigned int)virtio_device_interrupt_status(&m.device),
		(unsigned int)__atomic_load_n(&m.line, __ATOMIC_SEQ_CST),
		(unsigned long long)__atomic_load_n(&m.events, __ATOMIC_SEQ_CST), (unsigned long long)m.seen);
	_exit(1);
}

static void check(bool good, const char *what)
{
	if (!good)
		die(what);
}

/* Returns the progress for the watchdog: the number of arrivals at meetings. */
static uint64_t progress(void)
{
	return __atomic_load_n(&m.arrived, __ATOMIC_SEQ_CST);
}

static void report(void)
{
	die("the threads wait for each other for ever");
}

/* Yields the processor at random, at points where a step of another thread matters. */
static void dawdle(void)
{
	uint32_t random = __atomic_add_fetch(&m.random, 0x9e3779b9u, __ATOMIC_RELAXED);

	random ^= random >> 15;
	random *= 0x85ebca6bu;
	if ((random >> 16 & 3) == 0)
		(void)sched_yield();
}

static void await(uint64_t arrived)
{
	for (uint32_t i = 1; __atomic_load_n(&m.arrived, __ATOMIC_SEQ_CST) < arrived; i++) {
		if (i % 256 == 0)
			(void)sched_yield();
	}
}

/*
 * Waits until every thread is awake and has arrived here. So the steps of all threads begin at the
 * same time.
 */
static void meet(uint64_t meeting)
{
	__atomic_add_fetch(&m.arrived, 1, __ATOMIC_SEQ_CST);
	await((meeting + 1) * (kinds[m.kind].threads + 1));
}

/*
 * Spins for a short random time. So any part of a step can coincide with any part of the other
 * side's step.
 */
static void linger(uint32_t *random)
{
	*random = *random * 1664525u + 1013904223u;
	for (uint32_t i = *random >> 26; i > 0; i--)
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* The device */

static int activate(struct virtio_device *device)
{
	(void)device;
	dawdle();
	return 0;
}

static int reset(struct virtio_device *device)
{
	(void)device;
	dawdle();
	return m.kind == RESET ? VIRTIO_DEVICE_IN_PROGRESS : 0;
}

static void queue_notify(struct virtio_device *device, uint16_t queue, uint16_t next)
{
	(void)device;
	(void)queue;
	(void)next;
}

static int queue_stop(struct virtio_device *device, uint16_t queue)
{
	(void)device;
	(void)queue;
	return 0;
}

/*
 * Makes queries that any thread may make about a running queue. ThreadSanitizer checks that the
 * queries are thread-safe.
 */
static void ask(const struct virtio_device *device)
{
	const struct virtio_queue_config *config = virtio_device_queue_config(device, 0);

	(void)virtio_device_resetting(device);
	check(config->ready && config->size == QUEUE_SIZE, "the queue doesn't run");
	check(virtio_device_has_feature(device, VIRTIO_F_VERSION_1), "no features");
}

static void interrupt(struct virtio_device *device, enum virtio_interrupt cause, uint16_t queue, bool level)
{
	(void)queue;
	if (level)
		ask(device);
	if (cause == VIRTIO_INTERRUPT_CONFIG)
		__atomic_add_fetch(&m.config_raised, 1, __ATOMIC_SEQ_CST);
	dawdle();
	__atomic_store_n(&m.line, level, __ATOMIC_SEQ_CST);
	dawdle();
}

static void device_step(uint32_t thread)
{
	switch (m.kind) {
	case NEEDS_RESET:
	case NEEDS_RESET_AT_DRIVER_OK:
	case EVENT_AND_PROGRESS:
		virtio_device_set_needs_reset(&m.device);
		return;
	case RAISE_AND_ACKNOWLEDGE_OTHER:
		if (m.round % 2)
			virtio_device_interrupt_used(&m.device, 0);
		else
			m.marked = virtio_device_mark_interrupt(&m.device, CONFIG);
		return;
	case RAISE_BOTH:
		virtio_device_interrupt_used(&m.device, 0);
		return;
	case EVENT_AND_FAILED:
		if (m.round % 3 == 0)
			virtio_device_interrupt_used(&m.device, 0);
		else if (m.round % 3 == 1)
			m.marked = virtio_device_mark_interrupt(&m.device, USED | CONFIG);
		else
			virtio_device_set_needs_reset(&m.device);
		return;
	default:
		for (uint32_t i = 0; i <= thread % RAISES; i++) {
			__atomic_add_fetch(&m.events, 1, __ATOMIC_SEQ_CST);
			virtio_device_interrupt_used(&m.device, 0);
			dawdle();
		}
	}
}

/*
 * In half of the rounds of a duel, brings the word device.live into the cache of this processor,
 * and out of the driver's cache. The side that must fetch the word is slow. So a change by the
 * other side can fall between the slow side's load and store. With VIRTIO_INTERRUPT_NONE the call
 * below does not change the word. Without DRIVER_OK, as in EVENT_AND_PROGRESS, the call only loads
 * the word, so the driver's cache keeps the word.
 */
static void before_duel(uint64_t round)
{
	/* Waits until the driver has arrived at the meeting. */
	await(4 * round + 1);
	if (round % 4 < 2)
		m.marked = virtio_device_mark_interrupt(&m.device, VIRTIO_INTERRUPT_NONE);
}

static void *device_thread(void *argument)
{
	const uint32_t thread = *(const uint32_t *)argument;
	uint32_t random = thread;

	for (uint64_t i = 0;; i++) {
		if (kinds[m.kind].threads == 1)
			before_duel(i);
		meet(2 * i);
		if (m.over)
			return NULL;
		linger(&random);
		device_step(thread);
		meet(2 * i + 1);
	}
}

/* The driver */

static bool line_is_right(void)
{
	return __atomic_load_n(&m.line, __ATOMIC_SEQ_CST) == (virtio_device_interrupt_status(&m.device) != 0);
}

/*
 * Handles an interrupt: acknowledges first, and then handles the causes. Returns whether a cause
 * was pending.
 */
static bool handle(void)
{
	uint32_t pending;

	if (m.kind == RAISE_AND_TAKE) {
		pending = virtio_device_take_interrupt(&m.device);
	} else {
		pending = virtio_device_interrupt_status(&m.device);
		dawdle();
		virtio_device_ack_interrupt(&m.device, pending);
	}
	if (pending & VIRTIO_INTERRUPT_USED)
		m.seen = __atomic_load_n(&m.events, __ATOMIC_SEQ_CST);
	return pending != 0;
}

static void to_features_ok(void)
{
	(void)!virtio_device_write_status(&m.device, PROBED);
	virtio_device_accept_features(&m.device, VIRTIO_F_VERSION_1 / 32, 1u << VIRTIO_F_VERSION_1 % 32);
	(void)!virtio_device_write_status(&m.device, CHOSEN);
	check(virtio_device_status(&m.device) == CHOSEN, "features refused");
	virtio_device_set_queue_size(&m.device, QUEUE_SIZE);
	virtio_device_set_queue_addr_low(&m.device, VIRTIO_QUEUE_DESC, 0);
	virtio_device_set_queue_addr_low(&m.device, VIRTIO_QUEUE_AVAIL, MEMORY_BYTES / 2);
	virtio_device_set_queue_addr_low(&m.device, VIRTIO_QUEUE_USED, MEMORY_BYTES / 4);
	check(virtio_device_enable_queue(&m.device, 1) == 0 && virtio_device_queue_enabled(&m.device), "no queue");
}

/*
 * Returns the cause that is pending when a round of RAISE_AND_ACKNOWLEDGE_OTHER begins. The driver
 * acknowledges this cause.
 */
static uint32_t old_cause(void)
{
	return m.round % 2 ? CONFIG : USED;
}

static void before_round(void)
{
	if (m.kind == EVENT_AND_PROGRESS && m.round % 2) {
		(void)!virtio_device_write_status(&m.device, VIRTIO_CONFIG_S_ACKNOWLEDGE);
		return;
	}
	if (virtio_device_status(&m.device) == 0)
		to_features_ok();
	if (m.kind != NEEDS_RESET_AT_DRIVER_OK && m.kind != EVENT_AND_PROGRESS)
		(void)!virtio_device_write_status(&m.device, RUNNING);
	if (m.kind == RAISE_AND_ACKNOWLEDGE_OTHER)
		check(virtio_device_mark_interrupt(&m.device, old_cause()), "the device does not run");
	__atomic_store_n(&m.config_raised, 0, __ATOMIC_SEQ_CST);
}

static void driver_step(void)
{
	switch (m.kind) {
	case NEEDS_RESET:
		virtio_device_set_needs_reset(&m.device);
		break;
	case NEEDS_RESET_AT_DRIVER_OK:
		(void)!virtio_device_write_status(&m.device, RUNNING);
		break;
	case RESET:
		check(virtio_device_write_status(&m.device, 0) == VIRTIO_DEVICE_IN_PROGRESS,
		      "the reset ends too early");
		check(virtio_device_status(&m.device) == RUNNING, "the status is 0 before the reset ends");
		/* This acknowledgement is the driver's last access before the reset ends. */
		virtio_device_ack_interrupt(&m.device, USED);
		break;
	case RAISE_AND_ACKNOWLEDGE_OTHER:
		virtio_device_ack_interrupt(&m.device, old_cause());
		break;
	case RAISE_BOTH:
		virtio_device_config_changed(&m.device);
		break;
	case EVENT_AND_FAILED:
		(void)!virtio_device_write_status(&m.device, RUNNING | VIRTIO_CONFIG_S_FAILED);
		break;
	case EVENT_AND_PROGRESS:
		if (m.round % 2)
			(void)!virtio_device_write_status(&m.device, PROBED);
		else
			virtio_device_config_changed(&m.device);
		break;
	default:
		for (uint32_t i = 0; i < RAISES; i++) {
			(void)handle();
			dawdle();
		}
	}
}

static void finish_reset(void)
{
	if (m.kind == RESET)
		check(virtio_device_reset_done(&m.device, 0) == 0, "no reset in progress");
	else
		check(virtio_device_reset(&m.device) == 0, "reset failed");
	check(virtio_device_status(&m.device) == 0 && virtio_device_interrupt_status(&m.device) == 0,
	      "the reset leaves bits set");
	check(__atomic_load_n(&m.line, __ATOMIC_SEQ_CST) == 0, "line high after a reset");
}

/*
 * Checks that the steps of both sides were atomic: no event is lost, and no acknowledged event is
 * pending again.
 */
static void after_duel(void)
{
	const uint32_t status = virtio_device_status(&m.device), causes = virtio_device_interrupt_status(&m.device);

	switch (m.kind) {
	case RAISE_AND_ACKNOWLEDGE_OTHER:
		check(causes == (3 ^ old_cause()), "the pending causes are wrong");
		check(m.round % 2 ? m.line == 1 : m.marked, "no interrupt");
		break;
	case RAISE_BOTH:
		check(causes == (USED | CONFIG), "a cause is not pending");
		check(m.line == 1, "no interrupt");
		break;
	case EVENT_AND_FAILED:
		check((status & VIRTIO_CONFIG_S_FAILED) != 0, "FAILED is not set");
		check(causes == (m.round % 3 == 0 ? USED : m.round % 3 == 1 ? USED | CONFIG : CONFIG), "wrong causes");
		check(m.round % 3 == 1 ? m.marked : m.line == 1, "no interrupt");
		check(!(status & VIRTIO_CONFIG_S_NEEDS_RESET) == (m.round % 3 != 2), "NEEDS_RESET is wrong");
		break;
	default:
		check((status & VIRTIO_CONFIG_S_NEEDS_RESET) != 0, "NEEDS_RESET is not set");
		check(m.round % 2 || causes == CONFIG, "the configuration change is lost");
	}
	if (m.kind == EVENT_AND_FAILED || m.kind == EVENT_AND_PROGRESS)
		finish_reset();
	else
		check(virtio_device_take_interrupt(&m.device) == causes && m.line == 0, "line stays high");
}

/* Checks the state after a round, while the device's threads are at rest. */
static void after_round(void)
{
	const uint32_t status = virtio_device_status(&m.device);

	if (kinds[m.kind].threads == 1) {
		after_duel();
		return;
	}
	check(line_is_right(), "line and interrupt status disagree");
	switch (m.kind) {
	case NEEDS_RESET:
		check(status == (RUNNING | VIRTIO_CONFIG_S_NEEDS_RESET), "NEEDS_RESET is not set");
		check(m.config_raised == 1, "not exactly one configuration interrupt");
		finish_reset();
		break;
	case NEEDS_RESET_AT_DRIVER_OK:
		/* The device's call and the driver's DRIVER_OK may happen in either order. */
		check(status == (RUNNING | VIRTIO_CONFIG_S_NEEDS_RESET), "NEEDS_RESET or DRIVER_OK is not set");
		check(m.config_raised == 1, "not exactly one configuration interrupt");
		finish_reset();
		break;
	case RESET:
		check(virtio_device_resetting(&m.device), "the device does not wait for the end of the reset");
		check(virtio_device_interrupt_status(&m.device) == 0, "an interrupt is pending during the reset");
		finish_reset();
		break;
	default:
		while (handle())
			check(line_is_right(), "line and interrupt status disagree");
		check(m.seen == m.events, "an event is lost");
		check(m.line == 0, "line stays high");
	}
}

/*
 * Returns whether the kind of round has used up its time. Returns false before round KIND_ROUNDS,
 * and in 63 of 64 rounds.
 */
static bool is_late(const struct timespec *begin)
{
	struct timespec now;

	if (m.round < KIND_ROUNDS || m.round % 64 != 0)
		return false;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)(now.tv_sec - begin->tv_sec) * 1000000000 + now.tv_nsec - begin->tv_nsec > KIND_NS;
}

static void run_rounds(void)
{
	const uint64_t rounds = kinds[m.kind].threads == 1 ? m.rounds * DUEL_ROUNDS : m.rounds;
	uint32_t random = UINT32_MAX;
	struct timespec begin;

	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	for (m.round = 0; !m.over; m.round++) {
		m.over = m.round == rounds || is_late(&begin);
		if (!m.over)
			before_round();
		meet(2 * m.round);
		if (m.over)
			break;
		linger(&random);
		driver_step();
		meet(2 * m.round + 1);
		after_round();
	}
}

static void run(enum kind kind)
{
	static uint32_t numbers[CROWD] = { 0, 1, 3 };
	pthread_t threads[CROWD];

	m.kind = kind;
	__atomic_store_n(&m.arrived, 0, __ATOMIC_SEQ_CST);
	m.over = false;
	for (uint32_t i = 0; i < kinds[kind].threads; i++) {
		check(pthread_create(&threads[i], NULL, device_thread, &numbers[i]) == 0, "no thread");
	}
	run_rounds();
	for (uint32_t i = 0; i < kinds[kind].threads; i++)
		(void)pthread_join(threads[i], NULL);
	(void)!virtio_device_reset(&m.device);
	if (kind == RESET)
		(void)virtio_device_reset_done(&m.device, 0);
	(void)printf("%s: %llu rounds\n", kinds[kind].name, (unsigned long long)m.round);
}

int main(int argc, char **argv)
{
	static const struct virtio_device_ops ops = { .activate = activate,
						      .reset = reset,
						      .queue_notify = queue_notify,
						      .queue_stop = queue_stop,
						      .interrupt = interrupt };
	struct virtio_region region = { .addr = 0, .len = MEMORY_BYTES, .host = m.memory };
	struct virtio_memory_map map;
	const struct virtio_device_options options = {
		.ops = &ops, .queues = m.queues, .num_queues = 1, .memory = &map
	};

	m.rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000;
	check(watchdog_start(progress, report), "no watchdog");
	m.queues[0].config.max_size = 8;
	check(virtio_memory_map_init(&map, &region, 1) == 0, "no memory");
	check(virtio_device_init(&m.device, &options) == 0, "init");
	for (int kind = 0; kind < KINDS; kind++)
		run((enum kind)kind);
	return 0;
}
