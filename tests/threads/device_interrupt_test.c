/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Is an interrupt ever lost, or a line left high, between threads? Several threads of a device raise while the
 * driver acknowledges, resets, or sets DRIVER_OK; the line is one atomic word, as an interrupt controller's
 * input is, and calls of interrupt() dawdle before they take effect. A round is a few steps of each thread;
 * after each round everything is at rest and must agree.
 *
 * usage: device_interrupt_test [ROUNDS]   of each kind; default 10000
 *
 * hostile 88, 92, 107
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/device_transport.h>

#define WATCHDOG_SECONDS 300u
#define THREADS 3u
#define RAISES 4u /* of each thread in a round, at most */
#define RUNNING 0xfu

enum kind { RAISE_AND_ACKNOWLEDGE, RAISE_AND_TAKE, NEEDS_RESET, NEEDS_RESET_AT_DRIVER_OK, RESET, KINDS };

static const char *const names[] = { "raise and acknowledge", "raise and take", "needs reset",
				     "needs reset at DRIVER_OK", "reset" };

struct machine {
	struct virtio_device device;
	struct virtio_device_queue queues[1];
	pthread_barrier_t begin, end;
	enum kind kind;
	uint64_t rounds;
	/* Atomic. */
	uint32_t line;
	uint64_t events;        /* that have happened, each before it is raised */
	uint32_t config_raised; /* calls of interrupt() for the configuration */
	uint32_t random;
	uint64_t arrived; /* threads that are about to take their step, in all rounds */
	/* The driver's. */
	uint64_t seen;
};

static struct machine m;

static _Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "FAILED: %s: %s; status %#x, interrupts %u, line %u, %llu events, %llu seen\n",
		      names[m.kind], what, (unsigned int)virtio_device_status(&m.device),
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

static void watchdog(int signal_number)
{
	static const char text[] = "FAILED: no end in sight\n";

	(void)signal_number;
	if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
		_exit(2);
	_exit(1);
}

/* Lets another thread run now and then, where that matters. */
static void dawdle(void)
{
	uint32_t random = __atomic_add_fetch(&m.random, 0x9e3779b9u, __ATOMIC_RELAXED);

	random ^= random >> 15;
	random *= 0x85ebca6bu;
	if ((random >> 16 & 3) == 0)
		(void)sched_yield();
}

/* Waits until every thread is awake, and so on the way to its step at the same time as another. */
static void meet(uint64_t round)
{
	const uint64_t all = (round + 1) * (THREADS + 1);

	__atomic_add_fetch(&m.arrived, 1, __ATOMIC_SEQ_CST);
	for (uint32_t i = 1; __atomic_load_n(&m.arrived, __ATOMIC_SEQ_CST) < all; i++) {
		if (i % 256 == 0)
			(void)sched_yield();
	}
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

static void interrupt(struct virtio_device *device, enum virtio_interrupt cause, uint16_t queue, bool level)
{
	(void)device;
	(void)queue;
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

static void *device_thread(void *argument)
{
	const uint32_t thread = *(const uint32_t *)argument;

	for (uint64_t i = 0; i < m.rounds; i++) {
		(void)pthread_barrier_wait(&m.begin);
		meet(i);
		device_step(thread);
		(void)pthread_barrier_wait(&m.end);
	}
	return NULL;
}

/* The driver */

static bool line_is_right(void)
{
	return __atomic_load_n(&m.line, __ATOMIC_SEQ_CST) == (virtio_device_interrupt_status(&m.device) != 0);
}

/* An interrupt handler: acknowledge first, then look at what there is. */
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
	(void)virtio_device_write_status(&m.device, 3);
	virtio_device_accept_features(&m.device, VIRTIO_F_VERSION_1 / 32, 1u << VIRTIO_F_VERSION_1 % 32);
	(void)virtio_device_write_status(&m.device, 0xb);
	check(virtio_device_status(&m.device) == 0xb, "features refused");
}

static void before_round(void)
{
	if (virtio_device_status(&m.device) == 0)
		to_features_ok();
	if (m.kind != NEEDS_RESET_AT_DRIVER_OK)
		(void)virtio_device_write_status(&m.device, RUNNING);
	__atomic_store_n(&m.config_raised, 0, __ATOMIC_SEQ_CST);
}

static void driver_step(void)
{
	switch (m.kind) {
	case NEEDS_RESET:
		virtio_device_set_needs_reset(&m.device);
		break;
	case NEEDS_RESET_AT_DRIVER_OK:
		(void)virtio_device_write_status(&m.device, RUNNING);
		break;
	case RESET:
		check(virtio_device_write_status(&m.device, 0) == VIRTIO_DEVICE_IN_PROGRESS, "reset ended");
		check(virtio_device_status(&m.device) == RUNNING, "reset shows before its end");
		/* Nothing comes after that. */
		virtio_device_ack_interrupt(&m.device, VIRTIO_INTERRUPT_USED);
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
	check(virtio_device_status(&m.device) == 0 && virtio_device_interrupt_status(&m.device) == 0, "reset leaves");
	check(__atomic_load_n(&m.line, __ATOMIC_SEQ_CST) == 0, "line high after a reset");
}

/* The device's threads are at rest. */
static void after_round(void)
{
	const uint32_t status = virtio_device_status(&m.device);

	check(line_is_right(), "line and interrupt status disagree");
	switch (m.kind) {
	case NEEDS_RESET:
		check(status == (RUNNING | VIRTIO_CONFIG_S_NEEDS_RESET), "no need of a reset");
		check(m.config_raised == 1, "not told once");
		finish_reset();
		break;
	case NEEDS_RESET_AT_DRIVER_OK:
		check((status & VIRTIO_CONFIG_S_NEEDS_RESET) != 0, "no need of a reset");
		check(m.config_raised == ((status & VIRTIO_CONFIG_S_DRIVER_OK) != 0), "not told once DRIVER_OK is set");
		finish_reset();
		break;
	case RESET:
		check(virtio_device_resetting(&m.device), "the reset is forgotten");
		check(virtio_device_interrupt_status(&m.device) == 0, "an event during the reset");
		finish_reset();
		break;
	default:
		while (handle())
			check(line_is_right(), "line and interrupt status disagree");
		check(m.seen == m.events, "an event is lost");
		check(m.line == 0, "line stays high");
	}
}

static void run(enum kind kind)
{
	static uint32_t numbers[THREADS] = { 0, 1, 3 };
	pthread_t threads[THREADS];

	m.kind = kind;
	m.arrived = 0;
	for (uint32_t i = 0; i < THREADS; i++) {
		check(pthread_create(&threads[i], NULL, device_thread, &numbers[i]) == 0, "no thread");
	}
	for (uint64_t i = 0; i < m.rounds; i++) {
		before_round();
		(void)pthread_barrier_wait(&m.begin);
		meet(i);
		driver_step();
		(void)pthread_barrier_wait(&m.end);
		after_round();
	}
	for (uint32_t i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	(void)virtio_device_reset(&m.device);
	if (kind == RESET)
		(void)virtio_device_reset_done(&m.device, 0);
	(void)printf("%s: %llu rounds, %llu events\n", names[kind], (unsigned long long)m.rounds,
		     (unsigned long long)m.events);
}

int main(int argc, char **argv)
{
	static const struct virtio_device_ops ops = { .activate = activate,
						      .reset = reset,
						      .queue_notify = queue_notify,
						      .queue_stop = queue_stop,
						      .interrupt = interrupt };
	const struct virtio_device_options options = { .ops = &ops, .queues = m.queues, .num_queues = 1 };
	struct sigaction action = { .sa_handler = watchdog };

	m.rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000;
	(void)sigaction(SIGALRM, &action, NULL);
	(void)alarm(WATCHDOG_SECONDS);
	m.queues[0].config.max_size = 8;
	check(virtio_device_init(&m.device, &options) == 0, "init");
	check(pthread_barrier_init(&m.begin, NULL, THREADS + 1) == 0, "no barrier");
	check(pthread_barrier_init(&m.end, NULL, THREADS + 1) == 0, "no barrier");
	for (int kind = 0; kind < KINDS; kind++)
		run((enum kind)kind);
	return 0;
}
