/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Does a migration get every page that the device has written? The main thread plays driver and
 * device: it serves bursts of requests in memory with a dirty log. Meanwhile another thread fetches
 * and clears the log, and copies the marked pages, as a migration does. After each burst the device
 * pauses, the pages that are still marked are copied, and the copy must equal the memory.
 *
 * If a page was marked before its bytes were written, or was not marked, the copy may have old
 * bytes. Each request of a burst has pages of its own for data and status. A second write to a page
 * would mark the page again, and hide such a fault.
 *
 * With INTERLEAVE there is no other thread. Instead each mark itself copies the page
 * (dirty_log_hook.h). So the test finds every mark that is made too early. Only the run with
 * threads tests the order of memory accesses between processors.
 *
 * usage: dirty_log_test [BURSTS]   BURSTS is the number of bursts of each run, by default 300.
 */
#define _POSIX_C_SOURCE 200809L
#include "../common/watchdog.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <virtio/blk.h>
#include <virtio/guest_access.h>
#include <virtio/queue_mock.h>
#include <virtio/reader.h>
#include <virtio/request.h>

#ifdef INTERLEAVE
#define THREADS 0
#include "dirty_log_hook.h"
#undef __atomic_fetch_or
#else
#define THREADS 1
#endif

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define PAGE_SHIFT 12u
#define PAGE (1u << PAGE_SHIFT)
#define SIZE 64u  /* size of the queue */
#define BURST 16u /* requests of a burst; each has three descriptors */
#define DATA_BYTES 2048u
#define BATCH 4u

/* Only the driver writes the pages below DEVICE. These pages are never marked, and not compared. */
#define HEADERS (3u * PAGE)
#define DEVICE (4u * PAGE) /* two pages for the used ring */
#define DATA (6u * PAGE)   /* a page for each request's data, then one for each status */
#define STATUS (DATA + BURST * PAGE)
#define RAM_BYTES (STATUS + BURST * PAGE)

/*
 * Lengths of the regions, if memory is cut. A cut may go through data, but not through a field of a
 * ring.
 */
#define RING_PIECE 16u
#define DATA_PIECE 1000u
#define MAX_REGIONS (1u + (DATA - DEVICE) / RING_PIECE + (RAM_BYTES - DATA) / DATA_PIECE + 1u)

/* How requests are served. */
enum way {
	WRITER,  /* through a writer, with one completion for each chain */
	MEMORY,  /* by the guest address of each descriptor */
	BATCHES, /* as WRITER, but several completions with one update of the used index */
	REQUEST, /* as requests of header, data and status */
	BLOCK,   /* as reads of a disk */
};

/* Where the used ring lies. */
enum ring {
	ONE_PAGE,
	TWO_PAGES,
	CUT, /* cut into many regions, as the data is */
};

static const char *const way_names[] = { "writer", "memory", "batches", "request", "block" };
static const char *const ring_names[] = { "one page", "two pages", "cut" };

static struct {
	_Alignas(4096) uint8_t ram[RAM_BYTES];
	_Alignas(4096) uint8_t copy[RAM_BYTES];
	uint8_t bitmap[8]; /* accessed atomically */
	struct virtio_mock mock;
	struct virtio_mock_slot slots[SIZE];
	struct virtio_inflight inflight[SIZE];
	struct virtio_queue queue;
	struct virtio_dirty_log log;
	struct virtio_region region, regions[MAX_REGIONS];
	struct virtio_memory_map driver_map, device_map;
	struct virtio_segment segments[16];
	struct virtio_request request;
	uint8_t header[16];
	struct virtio_blk blk;
	struct virtio_blk_request blk_request;
	struct virtio_blk_stats stats;
	enum way way;
	enum ring ring;
	uint32_t burst; /* number of the current burst */
	/*
	 * Numbers of bursts, accessed atomically. The other thread must pause after burst `stop`,
	 * has paused after `stopped`, and may continue after `resumed`.
	 */
	uint32_t stop, stopped, resumed;
	bool over;      /* accessed atomically */
	uint32_t looks; /* number of reads of the log by the other thread; atomic */
	uint64_t met;   /* pages that the other thread or the hook has copied */
} m;

static void check(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "FAILED: %s; %s, used ring %s, burst %u\n", what, way_names[m.way], ring_names[m.ring],
		      (unsigned int)m.burst);
	_exit(1);
}

/* The migration */

typedef uint64_t __attribute__((may_alias)) word;

/*
 * A migration may copy a page while a device writes to the page. The mark after the write makes the
 * migration copy the page again. ThreadSanitizer must not report this race. clang's ThreadSanitizer
 * checks atomic loads even in this function, so the loads are volatile.
 */
__attribute__((no_sanitize("thread"))) static void copy_page(uint32_t page)
{
	const volatile word *from = (const volatile word *)(const void *)(m.ram + page * PAGE);
	word *to = (word *)(void *)(m.copy + page * PAGE);

	for (uint32_t i = 0; i < PAGE / sizeof(word); i++)
		to[i] = from[i];
}

/* Fetches and clears the log, and copies the marked pages. Returns their number. */
static uint32_t take_log(void)
{
	uint32_t pages = 0;

	for (uint32_t i = 0; i < COUNT(m.bitmap); i++) {
		uint32_t bits = 0;

		if (__atomic_load_n(&m.bitmap[i], __ATOMIC_RELAXED) != 0)
			bits = __atomic_exchange_n(&m.bitmap[i], 0, __ATOMIC_SEQ_CST);
		for (uint32_t page = i * 8; bits != 0; page++, bits >>= 1) {
			if (!(bits & 1))
				continue;
			check(page >= DEVICE / PAGE && page < RAM_BYTES / PAGE,
			      "a page that no device writes is marked");
			copy_page(page);
			pages++;
		}
	}
	return pages;
}

#ifdef INTERLEAVE
void dirty_log_hook(void *at, size_t size, unsigned long bits)
{
	check(size == 1, "the log has units of one byte");
	*(uint8_t *)at = (uint8_t)(*(uint8_t *)at | bits);
	m.met += take_log();
}
#endif

static void *migrate(void *unused)
{
	(void)unused;
	while (!__atomic_load_n(&m.over, __ATOMIC_ACQUIRE)) {
		const uint32_t stop = __atomic_load_n(&m.stop, __ATOMIC_ACQUIRE);

		m.met += take_log();
		__atomic_store_n(&m.looks, m.looks + 1, __ATOMIC_RELEASE);
		if (stop == __atomic_load_n(&m.resumed, __ATOMIC_ACQUIRE))
			continue;
		__atomic_store_n(&m.stopped, stop, __ATOMIC_RELEASE);
		while (__atomic_load_n(&m.resumed, __ATOMIC_ACQUIRE) != stop)
			(void)sched_yield();
	}
	return NULL;
}

/* Waits until the other thread reads the log, so that both threads work at the same time. */
static void wait_for_look(void)
{
	const uint32_t looks = __atomic_load_n(&m.looks, __ATOMIC_ACQUIRE);

	while (THREADS && __atomic_load_n(&m.looks, __ATOMIC_ACQUIRE) == looks)
		(void)sched_yield();
}

/*
 * Pauses the other thread, copies the pages that are still marked, and compares the copy with the
 * memory.
 */
static void compare(void)
{
	const uint32_t now = m.burst;

	__atomic_store_n(&m.stop, now, __ATOMIC_RELEASE);
	while (THREADS && __atomic_load_n(&m.stopped, __ATOMIC_ACQUIRE) != now)
		(void)sched_yield();
	(void)take_log();
	check(memcmp(m.copy + DEVICE, m.ram + DEVICE, RAM_BYTES - DEVICE) == 0, "a page is lost");
	/* Overwrites the statuses, so that each status of the next burst changes its page. */
	for (uint32_t i = 0; i < BURST; i++)
		m.ram[STATUS + i * PAGE] = m.copy[STATUS + i * PAGE] = 0xee;
}

static void resume(void)
{
	__atomic_store_n(&m.resumed, m.burst, __ATOMIC_RELEASE);
}

/* The device */

static const uint8_t *pattern(void)
{
	static uint8_t bytes[DATA_BYTES];

	memset(bytes, (int)(m.burst % 251), sizeof bytes);
	return bytes;
}

static int64_t read_disk(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset)
{
	int64_t moved = 0;

	(void)context;
	(void)offset;
	for (uint32_t i = 0; i < count; moved += (int64_t)iov[i].len, i++)
		virtio_guest_copy_out(iov[i].base, pattern(), iov[i].len);
	return moved;
}

static struct virtio_token serve_chain(void)
{
	struct virtio_chain_segments segments = { .segments = m.segments, .capacity = COUNT(m.segments) };
	struct virtio_writer writer;
	struct virtio_chain chain;

	check(virtio_queue_pop(&m.queue, &chain) == 1, "pop");
	check(virtio_chain_resolve(&chain, &segments) == 0, "resolve");
	virtio_writer_init(&writer, &segments);
	check(virtio_writer_write(&writer, pattern(), DATA_BYTES) == DATA_BYTES, "data");
	check(virtio_writer_write(&writer, pattern(), 1) == 1, "status");
	return chain.token;
}

static void serve_by_address(void)
{
	struct virtio_chain chain;
	struct virtio_desc desc;

	check(virtio_queue_pop(&m.queue, &chain) == 1, "pop");
	while (virtio_chain_next(&chain, &desc) == 1) {
		/* If the compiler knows that the length is 1, the write uses a fast path. */
		if (desc.len == 1)
			check(virtio_memory_write(chain.memory, desc.addr, pattern(), 1) == 0, "write");
		else if (desc.writable)
			check(virtio_memory_write(chain.memory, desc.addr, pattern(), desc.len) == 0, "write");
	}
	check(virtio_queue_complete(&m.queue, chain.token, DATA_BYTES + 1) == 0, "complete");
}

static void serve_request(void)
{
	struct virtio_writer writer;

	check(virtio_request_pop(&m.queue, &m.request) == 1 && m.request.error == 0, "pop");
	virtio_writer_init(&writer, &m.request.data);
	check(virtio_writer_write(&writer, pattern(), DATA_BYTES) == DATA_BYTES, "data");
	check(virtio_request_complete(&m.queue, &m.request, *pattern(), DATA_BYTES) == 0, "complete");
}

static void serve_batch(void)
{
	struct virtio_completion done[BATCH];

	for (uint32_t i = 0; i < BATCH; i++)
		done[i] = (struct virtio_completion){ serve_chain(), DATA_BYTES + 1 };
	check(virtio_queue_complete_batch(&m.queue, done, BATCH) == 0, "complete");
}

static void serve(void)
{
	for (uint32_t i = 0; i < (m.way == BATCHES ? BURST / BATCH : BURST); i++) {
		if (m.way == WRITER)
			check(virtio_queue_complete(&m.queue, serve_chain(), DATA_BYTES + 1) == 0, "complete");
		else if (m.way == MEMORY)
			serve_by_address();
		else if (m.way == BATCHES)
			serve_batch();
		else if (m.way == REQUEST)
			serve_request();
		else
			check(virtio_blk_process(&m.blk, &m.queue, &m.blk_request, &m.stats) == 1, "process");
	}
}

/* The driver */

static void add_burst(void)
{
	for (uint32_t i = 0; i < BURST; i++) {
		const struct virtio_mock_buffer buffers[] = {
			{ HEADERS + 16 * i, 16, 0 },
			{ DATA + PAGE * i, DATA_BYTES, VRING_DESC_F_WRITE },
			{ STATUS + PAGE * i, 1, VRING_DESC_F_WRITE },
		};
		const int head = virtio_mock_alloc(&m.mock, buffers, COUNT(buffers));

		check(head >= 0 && virtio_mock_offer(&m.mock, (uint16_t)head) == 0, "add");
	}
	check(virtio_mock_publish(&m.mock) == 0, "publish");
}

static void pop_used(void)
{
	struct vring_used_elem used;

	for (uint32_t i = 0; i < BURST; i++)
		check(virtio_mock_pop_used(&m.mock, &used) == 1, "pop_used");
}

/* Set-up and runs */

static uint32_t cut_regions(void)
{
	uint32_t count = 0;

	for (uint64_t at = 0, len; at < RAM_BYTES; at += len) {
		len = at < DEVICE ? DEVICE : at < DATA ? RING_PIECE : DATA_PIECE;
		if (len > RAM_BYTES - at)
			len = RAM_BYTES - at;
		m.regions[count++] =
			(struct virtio_region){ .addr = at, .len = len, .host = m.ram + at, .dirty = &m.log };
	}
	return count;
}

static void set_up(void)
{
	uint32_t count = 1;

	memset(m.ram, 0, sizeof m.ram);
	m.log = (struct virtio_dirty_log){ .bitmap = m.bitmap, .size = 8, .page_shift = PAGE_SHIFT, .unit = 1 };
	m.region = (struct virtio_region){ .len = RAM_BYTES, .host = m.ram };
	m.regions[0] = (struct virtio_region){ .len = RAM_BYTES, .host = m.ram, .dirty = &m.log };
	if (m.ring == CUT)
		count = cut_regions();
	check(virtio_memory_map_init(&m.driver_map, &m.region, 1) == 0, "the driver's map");
	check(virtio_memory_map_init(&m.device_map, m.regions, count) == 0, "the device's map");
	check(virtio_mock_init(&m.mock, &m.driver_map, 0, SIZE, m.slots, SIZE) == 0, "driver");
	check(virtio_mock_place(&m.mock, VIRTIO_QUEUE_USED, m.ring == TWO_PAGES ? DEVICE + PAGE - 260 : DEVICE) == 0,
	      "used ring");
	m.mock.event_idx = true;
	check(virtio_mock_create_queue(&m.mock, &m.queue, m.inflight, SIZE, &m.device_map) == 0, "queue");
	memcpy(m.copy, m.ram, sizeof m.copy);
}

static void run(enum way way, enum ring ring, uint32_t bursts)
{
	m.way = way;
	m.ring = ring;
	set_up();
	for (uint32_t i = 0; i < bursts; i++) {
		resume();
		m.burst++;
		/*
		 * Writes avail_event before the burst. This write marks a page of the used ring. If
		 * the write came after the burst, its mark could hide the missing mark of another
		 * write.
		 */
		check(virtio_queue_enable_kicks(&m.queue) == 0, "enable_kicks");
		add_burst();
		wait_for_look();
		serve();
		compare();
		pop_used();
		watchdog_step();
	}
	(void)printf("%-8s used ring %-9s: %u bursts, %llu pages copied so far while the device was writing\n",
		     way_names[way], ring_names[ring], (unsigned int)bursts, (unsigned long long)m.met);
}

static void set_up_devices(void)
{
	static const struct virtio_blk_backend_ops ops = { .readv = read_disk };
	const struct virtio_blk_options options = { .backend = { &ops, NULL, 16 }, .capacity = 64, .read_only = true };
	const struct virtio_blk_storage storage = { .segments = m.segments, .segment_capacity = COUNT(m.segments) };

	check(virtio_blk_init(&m.blk, &options) == 0, "disk");
	check(virtio_blk_request_init(&m.blk_request, &storage) == 0, "request of the disk");
	check(virtio_request_init(&m.request, m.header, sizeof m.header, m.segments, COUNT(m.segments)) == 0,
	      "request");
}

int main(int argc, char **argv)
{
	const uint32_t bursts = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 300;
	pthread_t thread;

	check(watchdog_start(NULL, NULL), "no watchdog");
	set_up_devices();
	check(!THREADS || pthread_create(&thread, NULL, migrate, NULL) == 0, "no thread");
	for (enum way way = WRITER; way <= BLOCK; way++)
		for (enum ring ring = ONE_PAGE; ring <= CUT; ring++)
			run(way, ring, bursts);
	__atomic_store_n(&m.over, true, __ATOMIC_RELEASE);
	resume();
	check(!THREADS || pthread_join(thread, NULL) == 0, "join");
	return 0;
}
