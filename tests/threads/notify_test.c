/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Is a notification ever lost? A driver on one thread and a device on another pass several million
 * buffers, with and without EVENT_IDX. Each side sleeps until the other side notifies it. A side
 * notifies only when the library's suppression logic requires a notification. If a notification is
 * lost, and no later notification repairs the loss, both sides sleep for ever. No wait has a time
 * limit. Instead the watchdog finds that no counter changes, and reports the counters. The test
 * uses rings of all kinds, because slow paths and inline paths publish in different functions.
 *
 * usage: notify_test [BUFFERS]   BUFFERS is by default 1000000. Each run passes one tenth or
 *                                several tenths of BUFFERS.
 *
 * Every buffer is checked, too. The device must see what the driver wrote before the driver made
 * the buffer available. The driver must see what the device wrote before the device completed the
 * buffer.
 *
 * Hostile 69, 70, 71; regressions R5, R6
 */
#define _POSIX_C_SOURCE 200809L
#include "../common/watchdog.h"
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <virtio/queue.h>
#include <virtio/queue_mock.h>

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define MAX_SIZE 256u
#define BASE 0x1000u
#define SLOT_BYTES 64u /* data of one chain: a request, then room for the answer */
#define DATA 0x4000u
#define RAM_BYTES (DATA + MAX_SIZE * SLOT_BYTES)
/*
 * Length of the regions, in runs that cut memory into regions. Such regions cut every used ring,
 * but no field of a ring.
 */
#define PIECE_BYTES 16u
#define PAGE_SHIFT 12u
#define MOMENT 4096u /* largest number of iterations of the loop in dawdle() */
#define HELD 4u      /* largest number of served requests that are not completed yet */

/* How completions enter the used ring. All ways except the first use a slow path. */
enum way {
	INLINE,
	BATCHES,  /* several completions with one update of the index */
	IN_ORDER, /* last request first; the first request's completion publishes all of them */
	LOGGED,   /* with a record in a dirty log */
	CUT,      /* in a used ring that lies in several regions */
};

static const char *const way_names[] = { "inline", "batches", "in order", "logged", "cut" };

/*
 * A notification for one sleeping side. Two notifications before the side wakes have the effect of
 * one notification.
 *
 * Sleeping in the operating system takes long. So the two sides would hardly ever meet in the
 * critical moment between the last check of the ring and the sleep. Therefore both sides poll in
 * some runs.
 */
struct event {
	pthread_mutex_t mutex;
	pthread_cond_t condition;
	bool awake; /* the side polls, instead of sleeping in the operating system */
	bool pending;
	uint64_t count;
};

enum side { RUNNING, ASLEEP, DONE };

struct exchange {
	struct virtio_mock mock;
	struct virtio_queue queue;
	struct virtio_mock_slot slots[MAX_SIZE];
	struct virtio_inflight inflight[MAX_SIZE];
	struct virtio_memory_map driver_map, device_map;
	struct virtio_region region, pieces[RAM_BYTES / PIECE_BYTES];
	struct virtio_dirty_log log;
	uint64_t log_bits;
	struct event kick, interrupt;
	uint64_t buffers;
	enum way way;
	uint16_t size;
	bool event_idx;
	/*
	 * The members up to `device` are accessed atomically, because the watchdog reads them, too.
	 */
	uint64_t added, served, returned;
	int driver, device;
	_Alignas(4096) uint8_t ram[RAM_BYTES];
};

static struct exchange x;

/* Failure */

/*
 * The watchdog's thread also calls die(), while the other threads sleep. No lock orders the
 * watchdog's reads of `x`, so ThreadSanitizer must not check them.
 */
__attribute__((no_sanitize("thread"))) static _Noreturn void die(const char *what, int code)
{
	(void)fprintf(stderr, "FAILED: %s: %d (%s); %s, size %u, %s, %llu added, %llu served, %llu returned\n", what,
		      code, virtio_strerror(code), way_names[x.way], (unsigned int)x.size,
		      x.event_idx ? "event-idx" : "flags",
		      (unsigned long long)__atomic_load_n(&x.added, __ATOMIC_RELAXED),
		      (unsigned long long)__atomic_load_n(&x.served, __ATOMIC_RELAXED),
		      (unsigned long long)__atomic_load_n(&x.returned, __ATOMIC_RELAXED));
	_exit(1);
}

static const char *side_name(const int *side)
{
	switch (__atomic_load_n(side, __ATOMIC_RELAXED)) {
	case ASLEEP:
		return "asleep";
	case DONE:
		return "done";
	default:
		return "running";
	}
}

/* Runs on the watchdog's thread. */
static void report(void)
{
	(void)fprintf(stderr, "driver %s, device %s\n", side_name(&x.driver), side_name(&x.device));
	die("a notification is lost", 0);
}

/*
 * Returns the progress for the watchdog. The counters restart with each run. This change also
 * counts as progress.
 */
static uint64_t progress(void)
{
	return __atomic_load_n(&x.added, __ATOMIC_RELAXED) + __atomic_load_n(&x.served, __ATOMIC_RELAXED) +
	       __atomic_load_n(&x.returned, __ATOMIC_RELAXED);
}

static void count(uint64_t *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

/* Events */

static void signal_event(struct event *event)
{
	event->count++;
	if (event->awake) {
		__atomic_store_n(&event->pending, true, __ATOMIC_RELEASE);
		return;
	}
	(void)pthread_mutex_lock(&event->mutex);
	event->pending = true;
	(void)pthread_cond_signal(&event->condition);
	(void)pthread_mutex_unlock(&event->mutex);
}

static void await_event(struct event *event, int *side)
{
	__atomic_store_n(side, ASLEEP, __ATOMIC_RELAXED);
	if (event->awake) {
		for (uint32_t i = 1; !__atomic_load_n(&event->pending, __ATOMIC_RELAXED); i++)
			if (i % 1024 == 0)
				(void)sched_yield();
		(void)__atomic_exchange_n(&event->pending, false, __ATOMIC_SEQ_CST);
	} else {
		(void)pthread_mutex_lock(&event->mutex);
		while (!event->pending)
			(void)pthread_cond_wait(&event->condition, &event->mutex);
		event->pending = false;
		(void)pthread_mutex_unlock(&event->mutex);
	}
	__atomic_store_n(side, RUNNING, __ATOMIC_RELAXED);
}

/*
 * Returns a random number from 1 to `limit`. The sides work in bursts of random length, so they
 * meet at different points.
 */
static uint32_t next_burst(uint32_t *seed, uint32_t limit)
{
	*seed = *seed * 1664525u + 1013904223u;
	return 1 + (*seed >> 16) % limit;
}

/*
 * Spins for a random time if both sides poll. Without this spin the two sides would run in
 * lockstep. One side would always finish its last check long before the other side publishes.
 */
static void dawdle(uint32_t *seed)
{
	for (uint32_t left = x.kick.awake ? next_burst(seed, MOMENT) : 0; left > 0; left--)
		__asm__ volatile("");
}

/* The device */

/*
 * Reads a request, which must hold its own number. Writes the inverted number as the answer, to
 * prove that the device has read the request.
 */
static void serve(struct virtio_chain *chain, uint64_t number)
{
	struct virtio_desc in, out;
	uint64_t request = 0, answer;
	int got = virtio_chain_next(chain, &in);

	if (got != 1 || in.writable || in.len != sizeof request)
		die("the device finds no request", got);
	got = virtio_memory_read(chain->memory, in.addr, &request, sizeof request);
	if (got || request != number)
		die("the device reads another request", got);
	got = virtio_chain_next(chain, &out);
	if (got != 1 || !out.writable || out.len != sizeof answer)
		die("the device finds no room for an answer", got);
	answer = ~request;
	got = virtio_memory_write(chain->memory, out.addr, &answer, sizeof answer);
	if (got)
		die("the device cannot answer", got);
	got = virtio_chain_next(chain, &out);
	if (got != 0)
		die("the device finds a third buffer", got);
}

/* Completes the served requests in the run's `way`. */
static void complete_all(const struct virtio_completion *served, uint32_t held)
{
	int got = x.way == BATCHES ? virtio_queue_complete_batch(&x.queue, served, held) : 0;

	for (uint32_t i = held; i > 0 && x.way != BATCHES && !got; i--)
		got = virtio_queue_complete(&x.queue, served[i - 1].token, served[i - 1].len);
	if (got)
		die("complete", got);
	for (uint32_t i = 0; i < held; i++)
		count(&x.served);
}

/* Serves up to `limit` buffers. Returns whether more buffers may be available. */
static bool drain(uint32_t limit)
{
	const uint32_t most = x.way == BATCHES || x.way == IN_ORDER ? HELD : 1;
	struct virtio_completion served[HELD];
	uint32_t held = 0;
	int got = 1;

	for (uint32_t i = 0; i < limit; i++) {
		struct virtio_chain chain;

		got = virtio_queue_pop(&x.queue, &chain);
		if (got != 1)
			break;
		serve(&chain, x.served + held);
		served[held++] = (struct virtio_completion){ chain.token, (uint32_t)sizeof(uint64_t) };
		if (held == most) {
			complete_all(served, held);
			held = 0;
		}
	}
	if (got < 0)
		die("pop", got);
	complete_all(served, held);
	return got == 1;
}

static void *device_main(void *context)
{
	uint32_t seed = 7;

	(void)context;
	while (x.served < x.buffers) {
		const bool more = drain(next_burst(&seed, 2u * x.size));
		int got;

		if (virtio_queue_needs_interrupt(&x.queue))
			signal_event(&x.interrupt);
		if (more || x.served == x.buffers)
			continue;
		dawdle(&seed);
		got = virtio_queue_enable_kicks(&x.queue);
		if (got < 0)
			die("enable_kicks", got);
		if (got == 0)
			await_event(&x.kick, &x.device);
		/* Now and then kicks stay enabled while the device works. */
		got = next_burst(&seed, 4) > 1 ? virtio_queue_disable_kicks(&x.queue) : 0;
		if (got)
			die("disable_kicks", got);
	}
	__atomic_store_n(&x.device, DONE, __ATOMIC_RELAXED);
	return NULL;
}

/* The driver */

/*
 * Returns the address of a request's data. There are more addresses than requests in flight,
 * because each request has two descriptors.
 */
static uint64_t data_of(uint64_t number)
{
	return DATA + (number % x.size) * SLOT_BYTES;
}

/*
 * Adds up to `limit` requests of two descriptors, or fewer if the ring is full. Returns the number
 * of added requests.
 */
static uint32_t add_buffers(uint32_t limit)
{
	uint32_t added = 0;

	for (; added < limit && x.mock.free_count >= 2 && x.added < x.buffers; added++) {
		const uint64_t addr = data_of(x.added);
		const struct virtio_mock_buffer buffers[2] = {
			{ addr, sizeof(uint64_t), 0 },
			{ addr + sizeof(uint64_t), sizeof(uint64_t), VRING_DESC_F_WRITE },
		};
		int got = virtio_memory_write(&x.mock.memory, addr, &x.added, sizeof x.added);

		if (!got)
			got = virtio_mock_alloc(&x.mock, buffers, 2);
		if (got >= 0)
			got = virtio_mock_offer(&x.mock, (uint16_t)got);
		if (got < 0)
			die("add", got);
		count(&x.added);
	}
	if (added > 0) {
		int got = virtio_mock_publish(&x.mock);

		if (got)
			die("publish", got);
		got = virtio_mock_should_kick(&x.mock);
		if (got < 0)
			die("should_kick", got);
		if (got)
			signal_event(&x.kick);
	}
	return added;
}

/* Pops up to `limit` used buffers. Returns the number of popped buffers. */
static uint32_t pop_used(uint32_t limit)
{
	uint32_t taken = 0;

	for (; taken < limit; taken++) {
		struct vring_used_elem used;
		uint64_t answer = 0;
		int got = virtio_mock_pop_used(&x.mock, &used);

		if (got < 0)
			die("pop_used", got);
		if (got == 0)
			break;
		got = virtio_memory_read(&x.mock.memory, data_of(x.returned) + sizeof answer, &answer, sizeof answer);
		if (got || used.len != sizeof answer || answer != ~x.returned)
			die("the driver reads another answer", got);
		count(&x.returned);
	}
	return taken;
}

static void driver_main(void)
{
	uint32_t seed = 1;

	while (x.returned < x.buffers) {
		const uint32_t added = add_buffers(next_burst(&seed, x.size));
		const uint32_t taken = pop_used(next_burst(&seed, x.size));
		int got;

		if (added > 0 || taken > 0)
			continue;
		dawdle(&seed);
		got = virtio_mock_enable_interrupts(&x.mock);
		if (got < 0)
			die("enable_interrupts", got);
		if (got == 0)
			await_event(&x.interrupt, &x.driver);
		got = next_burst(&seed, 4) > 1 ? virtio_mock_disable_interrupts(&x.mock) : 0;
		if (got)
			die("disable_interrupts", got);
	}
	__atomic_store_n(&x.driver, DONE, __ATOMIC_RELAXED);
}

/* Set-up and runs */

static void make_event(struct event *event, bool awake)
{
	event->awake = awake;
	if (pthread_mutex_init(&event->mutex, NULL) || pthread_cond_init(&event->condition, NULL))
		die("no mutex", 0);
}

/*
 * Makes two maps of the same memory. The driver's map has one region. The device's map has many
 * regions for CUT, and a dirty log for LOGGED.
 */
static int make_maps(void)
{
	const uint32_t count = x.way == CUT ? RAM_BYTES / PIECE_BYTES : 1;
	int got;

	x.log = (struct virtio_dirty_log){ .bitmap = &x.log_bits, .size = 8, .page_shift = PAGE_SHIFT, .unit = 1 };
	for (uint32_t i = 0; i < count; i++)
		x.pieces[i] = (struct virtio_region){
			.addr = (uint64_t)i * PIECE_BYTES,
			.len = RAM_BYTES / count,
			.host = x.ram + (size_t)i * PIECE_BYTES,
			.dirty = x.way == LOGGED ? &x.log : NULL,
		};
	x.region = (struct virtio_region){ .addr = 0, .len = RAM_BYTES, .host = x.ram };
	got = virtio_memory_map_init(&x.driver_map, &x.region, 1);
	return got ? got : virtio_memory_map_init(&x.device_map, x.pieces, count);
}

/*
 * Clears the whole exchange. The members from `added` to `device` are cleared atomically, because
 * the watchdog reads them.
 */
static void clear(void)
{
	memset(&x, 0, offsetof(struct exchange, added));
	memset(x.ram, 0, sizeof x.ram);
	__atomic_store_n(&x.added, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&x.served, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&x.returned, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&x.driver, RUNNING, __ATOMIC_RELAXED);
	__atomic_store_n(&x.device, RUNNING, __ATOMIC_RELAXED);
}

static void set_up(enum way way, uint16_t size, bool event_idx, bool awake, uint64_t buffers)
{
	int got;

	clear();
	x.way = way;
	x.size = size;
	x.event_idx = event_idx;
	x.buffers = buffers;
	make_event(&x.kick, awake);
	make_event(&x.interrupt, awake);
	got = make_maps();
	if (!got)
		got = virtio_mock_init(&x.mock, &x.driver_map, BASE, size, x.slots, MAX_SIZE);
	x.mock.event_idx = event_idx;
	x.mock.in_order = way == IN_ORDER;
	if (!got)
		got = virtio_mock_create_queue(&x.mock, &x.queue, x.inflight, MAX_SIZE, &x.device_map);
	if (got || virtio_mock_end(&x.mock) > DATA)
		die("set up", got);
	/*
	 * Checks that the library takes the path of this kind of ring. Otherwise the run would test
	 * nothing new.
	 */
	if ((x.queue.used == NULL) != (way == CUT) || (x.queue.used_region != NULL) != (way == LOGGED))
		die("the used ring does not have the kind of this run", 0);
}

static void exchange(enum way way, uint16_t size, bool event_idx, bool awake, uint64_t buffers)
{
	struct virtio_queue_stats stats;
	pthread_t device;

	set_up(way, size, event_idx, awake, buffers);
	if (pthread_create(&device, NULL, device_main, NULL))
		die("no thread", 0);
	driver_main();
	if (pthread_join(device, NULL))
		die("no join", 0);
	virtio_queue_get_stats(&x.queue, &stats);
	if (!virtio_queue_quiesced(&x.queue) || stats.completions != buffers || stats.chain_faults || stats.ring_faults)
		die("the queue's counters are wrong", stats.first_error);
	if (stats.interrupts != x.interrupt.count)
		die("the queue counts more or fewer interrupts than were sent", 0);
	/* A run in which a side was never notified would prove nothing. */
	if (x.kick.count == 0 || x.interrupt.count == 0)
		die("a side was never notified", 0);
	(void)printf("%-8s %-9s size %3u, waits by %-8s: %7llu buffers, %7llu kicks, %7llu interrupts\n",
		     way_names[way], event_idx ? "event-idx" : "flags", (unsigned int)size,
		     awake ? "polling" : "sleeping", (unsigned long long)buffers, (unsigned long long)x.kick.count,
		     (unsigned long long)x.interrupt.count);
}

int main(int argc, char **argv)
{
	/*
	 * Small queues are often full or empty. A large queue lets the two sides drift apart. If a
	 * queue holds only one request, no later notification repairs a lost notification.
	 */
	static const struct {
		enum way way;
		uint16_t size;
		bool awake;
		uint8_t share; /* buffers of the run, in tenths of BUFFERS */
	} runs[] = {
		{ INLINE, 2, true, 8 },  { INLINE, 8, true, 2 },          { INLINE, MAX_SIZE, true, 1 },
		{ INLINE, 2, false, 1 }, { INLINE, 8, false, 1 },         { INLINE, MAX_SIZE, false, 3 },
		{ BATCHES, 8, true, 1 }, { BATCHES, MAX_SIZE, false, 1 }, { IN_ORDER, 8, true, 1 },
		{ LOGGED, 2, true, 1 },  { LOGGED, MAX_SIZE, true, 1 },   { CUT, 2, true, 1 },
		{ CUT, 8, true, 1 },
	};
	const unsigned long long buffers = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;

	if (!watchdog_start(progress, report))
		die("no watchdog", 0);
	(void)printf("each run passes one to eight tenths of %llu buffers\n", buffers);
	for (uint32_t i = 0; i < COUNT(runs); i++) {
		for (int event_idx = 0; event_idx < 2; event_idx++)
			exchange(runs[i].way, runs[i].size, event_idx, runs[i].awake, buffers * runs[i].share / 10);
	}
	return 0;
}
