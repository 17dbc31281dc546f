/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Linux's virtio_ring.c as the driver of our queue, in one process and one thread. Driver and
 * device take random turns. A side that has nothing to do enables notifications and sleeps. When
 * there is work again, the specification requires a notification from the other side. Only this
 * notification wakes the sleeper. If both sides sleep and requests are left, a notification was
 * lost. Every request carries data for the device, and most requests have room for a reply. Data
 * and reply are cut into random pieces. The receiving side checks them.
 *
 * Each run has enough requests to wrap the 16-bit indices at least three times.
 */
#include <stdio.h>
#include <stdlib.h>
#include <virtio/queue.h>
#include <virtio/reader.h>

#include "../unit/common/long.h"
#include "linux_driver.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define MAX_SIZE 256u
#define REQUEST_BYTES 1024u /* room for the data of one request: half for each direction */
#define HALF (REQUEST_BYTES / 2)
#define HELD 8u /* largest number of requests that the device holds */
#define RINGS_BYTES LINUX_RING_BYTES(MAX_SIZE)
#define HEAP_BYTES (1024u * 1024u)
#define ARENA_BYTES (RINGS_BYTES + MAX_SIZE * REQUEST_BYTES + HEAP_BYTES)
/*
 * Length of a region if run.cut is set. 3000 is a multiple of 8, so no field of a descriptor or of
 * a ring lies in two regions.
 */
#define CUT_BYTES 3000u
#define MAX_REGIONS (ARENA_BYTES / CUT_BYTES + 1)
#define BUFFERS 200000u /* requests in a run; long_factor() multiplies this number */

/* A request of the driver. */
struct request {
	uint8_t *bytes;
	uint32_t number;
	uint32_t out_len, in_len;
	bool busy;
};

/* A request that the device has popped and resolved, but not served. */
struct held {
	struct virtio_token token;
	struct virtio_chain_segments chain;
	struct virtio_segment segments[64];
};

struct run {
	unsigned int size;
	bool event_idx, indirect, cut;
};

static _Alignas(4096) uint8_t arena[ARENA_BYTES];
static size_t heap_used;
static void *heap_free[32]; /* lists of free chunks, by the logarithm of the size */

static struct run run;
static uint32_t seed;
static struct linux_driver *driver;
static struct virtio_queue queue;
static struct virtio_inflight inflight[MAX_SIZE];
static struct virtio_region regions[MAX_REGIONS];
static struct virtio_memory_map map;
static struct request requests[MAX_SIZE];
static struct held held[HELD];
static uint32_t held_count;
static uint32_t added, returned, buffers;
static bool device_asleep, driver_asleep, interrupt_seen;
static uint64_t kicks, interrupts;

static _Noreturn void die(const char *what, int code)
{
	(void)fprintf(stderr, "FAILED: %s: %d (%s); size %u event-idx %d indirect %d cut %d, added %u returned %u\n",
		      what, code, virtio_strerror(code), run.size, run.event_idx, run.indirect, run.cut, added,
		      returned);
	exit(1);
}

static uint32_t below(uint32_t limit)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 12) % limit;
}

/* Guest memory for Linux's own use. The device must be able to read Linux's indirect tables. */

struct chunk {
	size_t log;
	struct chunk *next;
};

void *guest_malloc(size_t bytes)
{
	const uint8_t *end = arena + sizeof arena;
	struct chunk *chunk;
	size_t log = 5;

	while (((size_t)1 << log) < bytes + sizeof *chunk)
		log++;
	chunk = heap_free[log];
	if (chunk) {
		heap_free[log] = chunk->next;
	} else {
		chunk = (struct chunk *)(void *)(arena + ARENA_BYTES - HEAP_BYTES + heap_used);
		heap_used += (size_t)1 << log;
		if (heap_used > HEAP_BYTES || (const uint8_t *)chunk >= end)
			die("the guest is out of memory", 0);
	}
	chunk->log = log;
	return chunk + 1;
}

void guest_free(void *memory)
{
	struct chunk *chunk = memory;

	if (!chunk)
		return;
	chunk--;
	chunk->next = heap_free[chunk->log];
	heap_free[chunk->log] = chunk;
}

/* Both sides compute a request's content from its number. */
static uint8_t byte_of(uint32_t number, uint32_t at, bool answer)
{
	return (uint8_t)(number * 31u + at * 7u + (answer ? 0x55u : 0u) + (number >> 8));
}

/* The driver */

/* Cuts `len` bytes into at most `count` pieces. Returns the number of pieces. */
static unsigned int cut_up(uint8_t *bytes, uint32_t len, unsigned int count, struct linux_piece *pieces)
{
	unsigned int made = 0;

	for (; len > 0 && made < count; made++) {
		const uint32_t piece = made + 1 == count ? len : 1 + below(len);

		pieces[made].bytes = bytes;
		pieces[made].len = piece;
		bytes += piece;
		len -= piece;
	}
	return made;
}

static bool add_one(void)
{
	const unsigned int most = run.size < LINUX_MAX_PIECES ? run.size : LINUX_MAX_PIECES;
	const unsigned int pieces_out = 1 + below(most / 2), pieces_in = below(most / 2 + 1);
	struct linux_piece pieces[LINUX_MAX_PIECES];
	struct request *r = requests;
	unsigned int out, in;

	while (r < requests + MAX_SIZE && r->busy)
		r++;
	/*
	 * If all MAX_SIZE requests are in use, even the largest queue is full, because each request
	 * uses at least one descriptor.
	 */
	if (r == requests + MAX_SIZE)
		return false;
	r->number = added;
	r->out_len = 4 + below(200);
	r->in_len = pieces_in ? 1 + below(HALF - 1) : 0;
	for (uint32_t i = 0; i < r->out_len; i++)
		r->bytes[i] = i < 4 ? (uint8_t)(r->number >> 8 * i) : byte_of(r->number, i, false);
	memset(r->bytes + HALF, 0, HALF);
	out = cut_up(r->bytes, r->out_len, pieces_out, pieces);
	in = cut_up(r->bytes + HALF, r->in_len, pieces_in, pieces + out);
	if (!linux_driver_add(driver, pieces, out, in, r))
		return false;
	r->busy = true;
	added++;
	return true;
}

static void pop_used(struct request *r, unsigned int len)
{
	if (!r->busy || len != r->in_len)
		die("the driver gets back a wrong request, or a wrong length", (int)len);
	for (uint32_t i = 0; i < HALF; i++)
		if (r->bytes[HALF + i] != (i < r->in_len ? byte_of(r->number, i, true) : 0))
			die("the driver reads a wrong reply", (int)i);
	r->busy = false;
	returned++;
}

static void run_driver(void)
{
	const uint32_t adds = below(2 * run.size) + 1, gets = below(2 * run.size) + 1;
	bool full = added == buffers, kicked = false, got = false;

	for (uint32_t i = 0; i < adds && !full; i++) {
		/* One kick may be for several requests. */
		full = !add_one() || added == buffers;
		if (below(4) == 0 && linux_driver_kick(driver))
			kicked = true;
	}
	if (linux_driver_kick(driver))
		kicked = true;
	if (kicked) {
		kicks++;
		device_asleep = false;
	}
	for (uint32_t i = 0; i < gets; i++) {
		unsigned int len;
		struct request *r = linux_driver_get(driver, &len);

		if (!r)
			break;
		pop_used(r, len);
		got = true;
	}
	/*
	 * The driver sleeps if it can add no request and has got no request back. If
	 * linux_driver_enable_interrupts() finds used requests, the driver stays awake.
	 */
	if (!full || got)
		return;
	interrupt_seen = false;
	driver_asleep = linux_driver_enable_interrupts(driver, below(4) == 0);
	if (!driver_asleep)
		linux_driver_disable_interrupts(driver);
}

/* The device */

static void serve(struct held *h)
{
	uint8_t out[HALF], in[HALF];
	struct virtio_reader reader;
	struct virtio_writer writer;
	uint32_t number, len;

	virtio_reader_init(&reader, &h->chain);
	len = (uint32_t)virtio_reader_read(&reader, out, sizeof out);
	if (len < 4 || len != h->chain.readable_bytes)
		die("the device reads fewer bytes than the request has", (int)len);
	number = out[0] | (uint32_t)out[1] << 8 | (uint32_t)out[2] << 16 | (uint32_t)out[3] << 24;
	for (uint32_t i = 4; i < len; i++)
		if (out[i] != byte_of(number, i, false))
			die("the device reads wrong bytes of the request", (int)i);
	virtio_writer_init(&writer, &h->chain);
	len = (uint32_t)virtio_writer_left(&writer);
	for (uint32_t i = 0; i < len && i < sizeof in; i++)
		in[i] = byte_of(number, i, true);
	if (len > sizeof in || virtio_writer_write_exact(&writer, in, len))
		die("the device cannot write its whole reply", (int)len);
}

/* Completes some of the held requests in any order, one by one or in a batch. */
static void complete_some(uint32_t count)
{
	struct virtio_completion batch[HELD];
	const bool batched = below(2) == 0;
	uint32_t n = 0;
	int error = 0;

	for (; n < count; n++) {
		const uint32_t which = below(held_count);

		serve(&held[which]);
		batch[n].token = held[which].token;
		batch[n].len = (uint32_t)held[which].chain.writable_bytes;
		if (which != --held_count) {
			held[which] = held[held_count];
			held[which].chain.segments = held[which].segments;
		}
		if (!batched && !error)
			error = virtio_queue_complete(&queue, batch[n].token, batch[n].len);
	}
	if (batched)
		error = virtio_queue_complete_batch(&queue, batch, n);
	if (error)
		die("complete", error);
	if (virtio_queue_needs_interrupt(&queue)) {
		interrupts++;
		linux_driver_interrupt(driver);
		if (interrupt_seen)
			driver_asleep = false;
	}
}

/* Pops and holds one more request. Returns false if there is none. */
static bool hold_one(void)
{
	struct held *h = &held[held_count];
	struct virtio_chain chain = { 0 };
	int got = virtio_queue_pop(&queue, &chain);

	if (got == 0)
		return false;
	if (got != 1)
		die("pop", got);
	h->token = chain.token;
	h->chain.segments = h->segments;
	h->chain.capacity = COUNT(h->segments);
	got = virtio_chain_resolve(&chain, &h->chain);
	if (got)
		die("resolve", got);
	held_count++;
	return true;
}

static void run_device(void)
{
	const uint32_t pops = below(HELD) + 1;
	bool empty = false;
	int got;

	for (uint32_t i = 0; i < pops && held_count < HELD && !empty; i++)
		empty = !hold_one();
	if (held_count > 0)
		complete_some(empty ? held_count : below(held_count + 1));
	if (!empty || held_count > 0)
		return;
	got = virtio_queue_enable_kicks(&queue);
	if (got < 0)
		die("enable_kicks", got);
	device_asleep = got == 0;
	if (!device_asleep && below(2) == 0)
		got = virtio_queue_disable_kicks(&queue);
	if (got < 0)
		die("disable_kicks", got);
}

/* A run */

static void make_memory(void)
{
	uint32_t count = 0;

	for (uint64_t at = 0; at < ARENA_BYTES; count++) {
		const uint64_t len = !run.cut || ARENA_BYTES - at < CUT_BYTES ? ARENA_BYTES - at : CUT_BYTES;

		regions[count] = (struct virtio_region){ (uintptr_t)arena + at, len, arena + at, 0, NULL };
		at += len;
	}
	if (virtio_memory_map_init(&map, regions, count))
		die("virtio_memory_map_init", 0);
}

static void start(void)
{
	struct virtio_queue_config config;
	int error;

	memset(arena, 0, sizeof arena);
	memset(heap_free, 0, sizeof heap_free);
	heap_used = 0;
	for (uint32_t i = 0; i < MAX_SIZE; i++)
		requests[i] = (struct request){ .bytes = arena + RINGS_BYTES + i * REQUEST_BYTES };
	added = returned = held_count = 0;
	driver_asleep = device_asleep = false;
	kicks = interrupts = 0;
	make_memory();
	driver = linux_driver_create(run.size, run.event_idx, run.indirect, arena, &interrupt_seen);
	if (!driver)
		die("Linux cannot make a queue", 0);
	error = virtio_queue_config_init(&config, (uint16_t)run.size);
	linux_driver_areas(driver, config.addr);
	config.event_idx = run.event_idx;
	config.indirect = run.indirect;
	config.ready = true;
	if (!error)
		error = virtio_queue_init(&queue, inflight, MAX_SIZE);
	if (!error)
		error = virtio_queue_start(&queue, &config, &map);
	if (error)
		die("start", error);
}

static void finish(void)
{
	struct virtio_queue_stats stats;
	unsigned int len;

	virtio_queue_get_stats(&queue, &stats);
	if (stats.completions != buffers || stats.chain_faults || stats.ring_faults || stats.interrupts != interrupts ||
	    !virtio_queue_quiesced(&queue) || linux_driver_get(driver, &len))
		die("the counters are wrong at the end", stats.first_error);
	linux_driver_destroy(driver);
	(void)printf("size %3u event-idx %d indirect %d cut %d: %u requests, %llu kicks, %llu interrupts\n", run.size,
		     run.event_idx, run.indirect, run.cut, returned, (unsigned long long)kicks,
		     (unsigned long long)interrupts);
}

static void exchange(unsigned int size, unsigned int features)
{
	run.size = size;
	run.event_idx = (features & 1) != 0;
	run.indirect = (features & 2) != 0;
	run.cut = (features & 4) != 0;
	seed = size + features;
	start();
	while (returned < buffers) {
		if (driver_asleep && device_asleep)
			die("both sides sleep: a notification was lost", 0);
		if (device_asleep || (!driver_asleep && below(2)))
			run_driver();
		else
			run_device();
	}
	finish();
}

int main(void)
{
	static const unsigned int sizes[] = { 2, 4, 16, MAX_SIZE };

	buffers = BUFFERS * long_factor();
	for (uint32_t i = 0; i < COUNT(sizes); i++)
		for (unsigned int features = 0; features < 8; features++)
			exchange(sizes[i], features);
	return 0;
}
