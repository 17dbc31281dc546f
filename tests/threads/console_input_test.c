/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Two threads use one input buffer. The producer enqueues bytes. The consumer fills receive chains,
 * peeks at the next bytes, and drops bytes from time to time. Each thread sleeps when the buffer
 * tells it to sleep, and wakes the other thread only when the buffer tells it to do so. The
 * watchdog finds a lost wake-up. A byte that is lost, repeated or out of order ends the run at
 * once.
 *
 * usage: console-input [BYTES [CAPACITY]]
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <virtio/console.h>
#include <virtio/queue_mock.h>

#include "../common/watchdog.h"

#define QUEUE 8u
#define BUFFER 64u
#define RAM 0x4000u

static struct virtio_console_input input;
static uint32_t wake_consumer, wake_producer; /* accessed atomically */
static uint64_t total = 2000000;
static uint32_t capacity = 37;
static uint64_t sleeps_of_consumer, sleeps_of_producer;

#define MUST(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "FAILED: line %d: %s\n", __LINE__, #condition);                                \
			exit(1);                                                                                       \
		}                                                                                                      \
	} while (0)

/*
 * Returns the byte at an offset of the stream. Sequences that begin at two nearby offsets differ,
 * so the test notices a lost or repeated byte.
 */
static uint8_t byte_at(uint64_t place)
{
	return (uint8_t)(place ^ place >> 8 ^ place >> 16);
}

/*
 * Sleeping and waking. A thread that really slept would wake long after the moment in which a
 * wake-up can be lost. So a waiting thread spins, and yields the processor from time to time.
 */
static void post(uint32_t *flag)
{
	__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
}

static void wait_for(uint32_t *flag, uint64_t *count)
{
	(*count)++;
	for (uint32_t spins = 1; __atomic_exchange_n(flag, 0, __ATOMIC_ACQUIRE) == 0; spins++)
		if (spins % 1024 == 0)
			sched_yield();
}

/*
 * Makes the queries that the producer may make while the consumer runs. The room must not shrink
 * between two queries.
 */
static void ask_as_producer(uint32_t random)
{
	const uint32_t room = virtio_console_input_available(&input);

	MUST(virtio_console_input_capacity(&input) == capacity && room <= capacity);
	if (random >> 16 & 1)
		MUST(!virtio_console_input_is_empty(&input) || virtio_console_input_available(&input) == capacity);
	MUST(virtio_console_input_available(&input) >= room);
}

/* Runs a random number of instructions, so that the threads can meet anywhere in their code. */
static void dawdle(uint32_t *random)
{
	*random = *random * 1103515245u + 12345u;
	for (volatile uint32_t i = (*random >> 16) % 32; i > 0; i = i - 1) {
	}
}

static void *produce(void *unused)
{
	uint32_t random = 1;
	uint8_t bytes[100];

	(void)unused;
	for (uint64_t done = 0; done < total;) {
		const uint32_t wanted = 1 + (random >> 16) % (uint32_t)sizeof bytes;
		const uint32_t len = wanted < total - done ? wanted : (uint32_t)(total - done);
		bool wake = false;
		int got;

		dawdle(&random);
		ask_as_producer(random);
		for (uint32_t i = 0; i < len; i++)
			bytes[i] = byte_at(done + i);
		got = virtio_console_input_enqueue(&input, bytes, len, &wake);
		if (wake)
			post(&wake_consumer);
		if (got > 0)
			done += (uint32_t)got;
		else
			MUST(got == VIRTIO_ENOBUFS);
		if (got < (int)len)
			wait_for(&wake_producer, &sleeps_of_producer);
	}
	return NULL;
}

/*
 * The consumer's driver and device. Both run on the consumer's thread, so the consumer and the
 * producer share only the input buffer and two flags.
 */
struct consumer {
	uint8_t ram[RAM];
	struct virtio_region region;
	struct virtio_memory_map map;
	struct virtio_mock mock;
	struct virtio_mock_slot slots[QUEUE];
	struct virtio_queue queue;
	struct virtio_inflight inflight[QUEUE];
	struct virtio_console console;
	struct virtio_console_port port;
	struct virtio_segment segments[QUEUE];
};

static size_t discard(void *context, const void *bytes, size_t len)
{
	(void)context;
	(void)bytes;
	return len;
}

static void set_up(struct consumer *c)
{
	const struct virtio_console_options options = { .ports = &c->port, .port_count = 1 };
	const struct virtio_console_port_options port = {
		.console = true,
		.input = &input,
		.sink = discard,
		.receive_segments = c->segments,
		.receive_capacity = QUEUE,
		.transmit_segments = c->segments,
		.transmit_capacity = QUEUE,
	};

	c->region = (struct virtio_region){ .addr = 0, .len = RAM, .host = c->ram };
	MUST(virtio_memory_map_init(&c->map, &c->region, 1) == 0);
	MUST(virtio_mock_init(&c->mock, &c->map, 0, QUEUE, c->slots, QUEUE) == 0);
	MUST(virtio_mock_create_queue(&c->mock, &c->queue, c->inflight, QUEUE, &c->map) == 0);
	MUST(virtio_console_init(&c->console, &options) == 0);
	MUST(virtio_console_add_port(&c->console, 0, &port) == 0);
}

static uint64_t buffer_at(uint16_t head)
{
	return 0x2000 + (uint64_t)head * BUFFER;
}

static void offer_buffers(struct consumer *c)
{
	struct virtio_mock_buffer buffer = { 0, BUFFER, VRING_DESC_F_WRITE };
	int head;

	while ((head = virtio_mock_alloc(&c->mock, &buffer, 1)) >= 0) {
		buffer.addr = buffer_at((uint16_t)head);
		MUST(virtio_mock_write_chain(&c->mock, (uint16_t)head, &buffer, 1) == 0);
		MUST(virtio_mock_offer(&c->mock, (uint16_t)head) == 0);
	}
	MUST(virtio_mock_publish(&c->mock) == 0);
}

/* Checks the bytes in used buffers. Returns the number of bytes. */
static uint64_t pop_used(struct consumer *c, uint64_t place)
{
	struct vring_used_elem used;
	uint64_t taken = 0;

	while (virtio_mock_pop_used(&c->mock, &used) == 1) {
		MUST(used.len >= 1 && used.len <= BUFFER);
		for (uint32_t i = 0; i < used.len; i++, taken++)
			MUST(c->ram[buffer_at((uint16_t)used.id) + i] == byte_at(place + taken));
	}
	return taken;
}

/* Peeks at the next bytes while the producer runs. The bytes stay in the buffer. */
static void look(uint64_t place)
{
	uint8_t bytes[BUFFER];
	const uint32_t count = virtio_console_input_peek(&input, bytes, sizeof bytes);

	MUST(virtio_console_input_capacity(&input) == capacity && count <= capacity);
	MUST(count == 0 || !virtio_console_input_is_empty(&input));
	for (uint32_t i = 0; i < count; i++)
		MUST(bytes[i] == byte_at(place + i));
}

/* Drops all bytes in the buffer, as when a client leaves. Returns their number. */
static uint32_t clear_input(void)
{
	bool room;
	const uint32_t dropped = virtio_console_input_clear(&input, &room);

	MUST(dropped <= capacity);
	if (room)
		post(&wake_producer);
	return dropped;
}

static void consume(struct consumer *c)
{
	uint32_t random = 7;

	for (uint64_t done = 0; done < total;) {
		struct virtio_console_progress progress;
		uint64_t taken;

		offer_buffers(c);
		dawdle(&random);
		look(done);
		if ((random >> 16) % 8 == 0)
			done += clear_input();
		MUST(virtio_console_receive(&c->console, 0, &c->queue, &progress) == 0);
		taken = pop_used(c, done);
		if (taken > 0)
			watchdog_step();
		done += taken;
		if (progress.room)
			post(&wake_producer);
		/*
		 * No chain was completed although chains were available. So the input was empty,
		 * and the producer's next enqueue requests a wake-up.
		 */
		if (progress.chains == 0 && done < total)
			wait_for(&wake_consumer, &sleeps_of_consumer);
	}
}

int main(int argc, char **argv)
{
	static uint8_t bytes[VIRTIO_CONSOLE_INPUT_MAX];
	static struct consumer consumer;
	pthread_t producer;

	if (argc > 1)
		total = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		capacity = (uint32_t)strtoul(argv[2], NULL, 10);
	MUST(watchdog_start(NULL, NULL));
	MUST(virtio_console_input_init(&input, bytes, capacity) == 0);
	set_up(&consumer);
	MUST(pthread_create(&producer, NULL, produce, NULL) == 0);
	consume(&consumer);
	MUST(pthread_join(producer, NULL) == 0);
	MUST(virtio_console_input_is_empty(&input));
	printf("%llu bytes through %u; the consumer slept %llu times, the producer %llu\n", (unsigned long long)total,
	       capacity, (unsigned long long)sleeps_of_consumer, (unsigned long long)sleeps_of_producer);
	return 0;
}
