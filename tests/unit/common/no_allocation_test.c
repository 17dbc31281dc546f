/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * No library call allocates memory, from init to reset. The test counts the calls of malloc(),
 * free() and similar functions while devices call the libraries.
 */
#define _GNU_SOURCE
#include "fixture.h"
#include <stdlib.h>
#include <virtio/blk.h>
#include <virtio/blk_memory.h>
#include <virtio/blk_transfer.h>
#include <virtio/console.h>
#include <virtio/queue_state.h>
#include <virtio/queue_sync.h>
#include <virtio/reader.h>
#include <virtio/request.h>
#include <virtio/vsock_connection.h>

#define SIZE 8u
#define SECTOR 512u

/* Counting */

/* volatile, because a compiler may assume that malloc() reads none of our variables. */
static volatile bool counting;
static volatile uint32_t calls;

static void count(void)
{
	if (counting)
		calls = calls + 1;
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#ifdef SANITIZED

/* The sanitizer has its own allocator, and calls these hooks. */
int __sanitizer_install_malloc_and_free_hooks(void (*allocated)(const volatile void *, size_t),
					      void (*freed)(const volatile void *));

static void on_malloc(const volatile void *memory, size_t bytes)
{
	(void)memory;
	(void)bytes;
	count();
}

static void on_free(const volatile void *memory)
{
	(void)memory;
	count();
}

static bool start_counter(void)
{
	return __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0;
}

#elif defined(__GLIBC__)

/* The functions below replace the C library's functions, and call the originals by these names. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count_of, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *memory);

void *malloc(size_t bytes)
{
	count();
	return __libc_malloc(bytes);
}

void *calloc(size_t count_of, size_t bytes)
{
	count();
	return __libc_calloc(count_of, bytes);
}

void *realloc(void *memory, size_t bytes)
{
	count();
	return __libc_realloc(memory, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
	count();
	return __libc_memalign(alignment, bytes);
}

void free(void *memory)
{
	count();
	__libc_free(memory);
}

static bool start_counter(void)
{
	return true;
}

#else

static bool start_counter(void)
{
	print_message("this C library has no means to count allocations\n");
	skip();
	return false;
}

#endif

/*
 * The guest, queue and segments of the device under test. A failure is recorded as a line number,
 * because cmocka's assertions might allocate.
 */

struct device {
	struct fixture f;
	struct virtio_memory_map other_map;
	/* Enough for a sector in one-byte regions. */
	struct virtio_segment segments[2 * SECTOR];
	uint32_t failed_line;
};

#define MUST(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition) && d->failed_line == 0)                                                               \
			d->failed_line = __LINE__;                                                                     \
	} while (0)

static const struct virtio_mock_buffer request[] = { READABLE(FIXTURE_DATA, 32), WRITABLE(FIXTURE_DATA + 32, 64) };

static void add(struct device *d)
{
	MUST(virtio_mock_add(&d->f.mock, request, COUNT(request)) >= 0);
}

static struct virtio_token pop(struct device *d, struct virtio_chain *chain)
{
	add(d);
	MUST(virtio_queue_pop(&d->f.queue, chain) == 1);
	return chain->token;
}

static void complete(struct device *d, struct virtio_token token, uint32_t len)
{
	struct vring_used_elem used;

	MUST(virtio_queue_complete(&d->f.queue, token, len) == 0);
	(void)virtio_queue_needs_interrupt(&d->f.queue);
	MUST(virtio_mock_pop_used(&d->f.mock, &used) == 1);
}

static void start(struct device *d)
{
	MUST(virtio_queue_init(&d->f.queue, d->f.inflight, FIXTURE_MAX_SIZE) == 0);
	MUST(virtio_queue_start(&d->f.queue, &d->f.config, &d->f.device_map) == 0);
}

static void walk_and_unpop(struct device *d)
{
	struct virtio_chain chain = { 0 };
	struct virtio_desc desc = { 0 };
	struct virtio_token token = pop(d, &chain);
	uint8_t byte = 0;

	MUST(virtio_queue_unpop(&d->f.queue, token) == 0);
	MUST(virtio_queue_available(&d->f.queue) == 1);
	MUST(virtio_queue_pop(&d->f.queue, &chain) == 1);
	while (virtio_chain_next(&chain, &desc) == 1)
		MUST(desc.writable ? virtio_memory_write(chain.memory, desc.addr, &byte, 1) == 0
				   : virtio_memory_read(chain.memory, desc.addr, &byte, 1) == 0);
	complete(d, chain.token, 1);
}

/*
 * Resolves a chain into an array that is too small, then into a larger array. Then resolves a chain
 * with a buffer outside memory.
 */
static void resolve_again(struct device *d)
{
	static const struct virtio_mock_buffer nowhere[] = { READABLE(FIXTURE_END, 1), WRITABLE(FIXTURE_DATA, 1) };
	struct virtio_chain_segments few = { .segments = d->segments, .capacity = 1 };
	struct virtio_chain_segments c = { .segments = d->segments, .capacity = COUNT(d->segments) };
	struct virtio_chain chain = { 0 };

	(void)pop(d, &chain);
	MUST(virtio_chain_resolve(&chain, &few) == VIRTIO_ENOBUFS);
	MUST(virtio_chain_resolve(&chain, &c) == 0);
	MUST(c.readable_bytes == 32 && c.writable_bytes == 64);
	MUST(virtio_queue_is_in_flight(&d->f.queue, chain.token));
	complete(d, chain.token, 0);
	MUST(virtio_mock_add(&d->f.mock, nowhere, COUNT(nowhere)) >= 0);
	MUST(virtio_queue_pop(&d->f.queue, &chain) == 1);
	MUST(virtio_chain_resolve(&chain, &c) == VIRTIO_EFAULT);
	MUST(c.last_writable.len == 1);
	complete(d, chain.token, 0);
}

static void resolve_and_stream(struct device *d)
{
	struct virtio_chain_segments c = { .segments = d->segments, .capacity = COUNT(d->segments) };
	struct virtio_chain chain = { 0 };
	struct virtio_reader reader, rest;
	struct virtio_writer writer;
	struct virtio_iovec iov[4];
	uint8_t bytes[64] = { 0 };
	uint64_t filled = 0;

	(void)pop(d, &chain);
	MUST(virtio_chain_resolve(&chain, &c) == 0);
	virtio_reader_init(&reader, &c);
	MUST(virtio_reader_split(&reader, 16, &rest) == 0);
	MUST(virtio_reader_read(&reader, bytes, sizeof bytes) == 16);
	MUST(virtio_reader_iovec(&rest, UINT64_MAX, iov, COUNT(iov), &filled) >= 1);
	MUST(virtio_reader_skip(&rest, filled) == 0);
	virtio_writer_init(&writer, &c);
	MUST(virtio_writer_write_exact(&writer, bytes, 32) == 0);
	MUST(virtio_writer_iovec(&writer, UINT64_MAX, iov, COUNT(iov), &filled) >= 1);
	MUST(virtio_writer_advance(&writer, filled) == 0);
	complete(d, chain.token, virtio_writer_used(&writer));
}

/* Buffers of a request: header, data, and status. pop_requests() leaves out the header once. */
static const struct virtio_mock_buffer parts[] = { READABLE(FIXTURE_DATA, 16), WRITABLE(FIXTURE_DATA + 32, 8),
						   WRITABLE(FIXTURE_DATA + 48, 1) };

/* Pops and completes a request, which must have this error. */
static void pop_and_complete(struct device *d, struct virtio_request *taken, int error)
{
	struct vring_used_elem used;

	MUST(virtio_request_pop(&d->f.queue, taken) == 1);
	MUST(taken->error == error);
	MUST(virtio_request_complete(&d->f.queue, taken, 0, 8) == 0);
	MUST(virtio_request_complete(&d->f.queue, taken, 0, 8) == VIRTIO_ESTALE);
	(void)virtio_queue_needs_interrupt(&d->f.queue);
	MUST(virtio_mock_pop_used(&d->f.mock, &used) == 1);
	MUST(used.len == 0 || error == 0);
}

/*
 * Pops requests of three buffers, of two buffers, and of three buffers in an indirect table. Then
 * pops a request into too few segments, and a request without a header. Then parses a chain that
 * was popped before.
 */
static void pop_requests(struct device *d)
{
	struct virtio_request taken, little;
	struct virtio_chain chain = { 0 };
	uint8_t header[16];

	MUST(virtio_request_init(&taken, header, sizeof header, d->segments, COUNT(d->segments)) == 0);
	MUST(virtio_request_init(&little, header, sizeof header, d->segments, 1) == 0);
	MUST(virtio_request_pop(&d->f.queue, &taken) == 0);
	MUST(virtio_mock_add(&d->f.mock, parts, 3) >= 0);
	pop_and_complete(d, &taken, 0);
	MUST(virtio_mock_add(&d->f.mock, request, 2) >= 0);
	pop_and_complete(d, &taken, 0);
	MUST(virtio_mock_add_indirect(&d->f.mock, d->f.table, parts, 3) >= 0);
	pop_and_complete(d, &taken, 0);
	MUST(virtio_mock_add(&d->f.mock, parts, 3) >= 0);
	pop_and_complete(d, &little, VIRTIO_ENOBUFS);
	MUST(virtio_mock_add(&d->f.mock, parts + 1, 2) >= 0);
	pop_and_complete(d, &taken, VIRTIO_ESHORT);
	(void)pop(d, &chain);
	MUST(virtio_request_parse(&chain, &taken) == 0 && taken.error == 0);
	MUST(virtio_queue_unpop(&d->f.queue, taken.token) == 0);
	pop_and_complete(d, &taken, 0);
}

static void walk_indirect(struct device *d)
{
	struct virtio_chain chain = { 0 };
	struct virtio_desc desc = { 0 };

	MUST(virtio_mock_add_indirect(&d->f.mock, d->f.table, request, COUNT(request)) >= 0);
	MUST(virtio_queue_pop(&d->f.queue, &chain) == 1);
	while (virtio_chain_next(&chain, &desc) == 1)
		;
	complete(d, chain.token, 0);
}

static void complete_batch(struct device *d)
{
	struct virtio_completion completions[2] = { 0 };
	struct virtio_chain chain = { 0 };
	struct vring_used_elem used;

	for (uint32_t i = 0; i < 2; i++)
		completions[i].token = pop(d, &chain);
	MUST(virtio_queue_complete_batch(&d->f.queue, completions, 2) == 0);
	for (uint32_t i = 0; i < 2; i++)
		MUST(virtio_mock_pop_used(&d->f.mock, &used) == 1);
}

static void notify(struct device *d)
{
	MUST(virtio_queue_disable_kicks(&d->f.queue) == 0);
	MUST(virtio_queue_enable_kicks(&d->f.queue) == 0);
	(void)virtio_mock_should_kick(&d->f.mock);
	(void)virtio_mock_enable_interrupts(&d->f.mock);
}

static void switch_memory(struct device *d)
{
	struct virtio_chain chain = { 0 };
	struct virtio_token token = pop(d, &chain);

	MUST(virtio_queue_set_memory(&d->f.queue, &d->other_map) == 0);
	complete(d, token, 0);
	MUST(virtio_queue_set_memory(&d->f.queue, &d->f.device_map) == 0);
}

static void save_and_restore(struct device *d)
{
	struct virtio_queue_state state;
	struct virtio_chain chain = { 0 };
	struct virtio_queue_flight record[SIZE];
	uint32_t n = 0;

	MUST(virtio_queue_save(&d->f.queue, &state) == 0);
	(void)pop(d, &chain);
	MUST(virtio_queue_save_in_flight(&d->f.queue, &state, record, SIZE, &n) == 0);
	virtio_queue_reset(&d->f.queue);
	MUST(virtio_queue_restore(&d->f.queue, &state, &d->f.device_map) == 0);
	MUST(n == 1 && virtio_queue_replay(&d->f.queue, &record[0], &chain) == 1);
	complete(d, chain.token, 0);
}

/* Covers the paths of faults: a chain that is a loop, and a head that breaks the queue. */
static void meet_faults(struct device *d)
{
	const struct vring_desc loop = { FIXTURE_DATA, 4, VRING_DESC_F_NEXT, 5 };
	struct virtio_chain_segments c = { .segments = d->segments, .capacity = COUNT(d->segments) };
	struct virtio_chain chain = { 0 };
	struct virtio_queue_stats stats;

	MUST(virtio_mock_set_desc(&d->f.mock, 5, &loop) == 0);
	MUST(virtio_mock_offer(&d->f.mock, 5) == 0 && virtio_mock_publish(&d->f.mock) == 0);
	MUST(virtio_queue_pop(&d->f.queue, &chain) == 1);
	MUST(virtio_chain_resolve(&chain, &c) < 0);
	MUST(virtio_queue_complete(&d->f.queue, chain.token, 0) == 0);
	MUST(virtio_mock_offer(&d->f.mock, 0xffff) == 0 && virtio_mock_publish(&d->f.mock) == 0);
	MUST(virtio_queue_pop(&d->f.queue, &chain) == VIRTIO_EHEAD);
	virtio_queue_get_stats(&d->f.queue, &stats);
	MUST(stats.ring_faults == 1 && virtio_strerror(stats.first_error) != NULL);
	virtio_queue_reset(&d->f.queue);
	MUST(virtio_mock_reset(&d->f.mock) == 0);
}

static void no_lock(void *context)
{
	(void)context;
}

static void share(struct device *d)
{
	const struct virtio_queue_lock lock = { no_lock, no_lock, NULL };
	struct virtio_chain_segments c = { .segments = d->segments, .capacity = COUNT(d->segments) };
	struct virtio_queue_sync sync;
	struct virtio_request taken;
	struct virtio_token token = { 0 };
	int chain_error = 0;

	MUST(virtio_queue_sync_init(&sync, &lock, d->f.inflight, FIXTURE_MAX_SIZE) == 0);
	MUST(virtio_queue_start(virtio_queue_sync_lock(&sync), &d->f.config, &d->f.device_map) == 0);
	virtio_queue_sync_unlock(&sync);
	add(d);
	MUST(virtio_queue_sync_pop(&sync, &token, &c, &chain_error) == 1);
	MUST(virtio_queue_complete(virtio_queue_sync_lock(&sync), token, 0) == 0);
	virtio_queue_sync_unlock(&sync);
	MUST(virtio_request_init(&taken, NULL, 0, d->segments, COUNT(d->segments)) == 0);
	MUST(virtio_request_sync_pop(&sync, &taken) == 0);
	add(d);
	MUST(virtio_request_sync_pop(&sync, &taken) == 1);
	MUST(virtio_request_sync_complete(&sync, &taken, 0, 64) == 0);
	MUST(virtio_mock_reset(&d->f.mock) == 0);
}

static void use_queue(struct device *d)
{
	start(d);
	for (uint32_t i = 0; i < 3 * SIZE; i++) {
		walk_and_unpop(d);
		resolve_again(d);
		resolve_and_stream(d);
		pop_requests(d);
		walk_indirect(d);
		complete_batch(d);
		notify(d);
		switch_memory(d);
		save_and_restore(d);
	}
	meet_faults(d);
	share(d);
}

static void set_up(struct device *d, enum fixture_memory kind)
{
	memset(d, 0, sizeof *d);
	fixture_init(&d->f, kind, SIZE);
	d->f.config.event_idx = d->f.mock.event_idx = true;
	d->f.config.indirect = d->f.mock.indirect = true;
	d->other_map = d->f.device_map;
}

/* Tests */

/* Shows that the counter works. If the counter stayed 0, the tests below would always pass. */
static void allocation_counter_counts(void **state)
{
	void *volatile memory;

	(void)state;
	assert_true(start_counter());
	calls = 0;
	counting = true;
	memory = malloc(10);
	counting = false;
	assert_int_equal(calls, 1);
	assert_non_null(memory);
	calls = 0;
	counting = true;
	memory = realloc(memory, 100000);
	counting = false;
	assert_true(calls >= 1);
	calls = 0;
	counting = true;
	free(memory);
	counting = false;
	assert_int_equal(calls, 1);
	calls = 0;
	counting = true;
	memory = calloc(1, 10);
	counting = false;
	assert_int_equal(calls, 1);
	free(memory);
	assert_int_equal(calls, 1);
}

static void queue_never_allocates(void **state)
{
	struct device d;

	set_up(&d, fixture_kind(state));
	calls = 0;
	counting = true;
	use_queue(&d);
	counting = false;
	assert_int_equal(d.failed_line, 0);
	assert_int_equal(calls, 0);
}

static void make_map(struct device *d)
{
	struct virtio_memory_map map;

	MUST(virtio_memory_map_init(&map, d->f.regions, d->f.kind == FIXTURE_ONE_BYTE ? FIXTURE_BYTES : 1) == 0);
}

static void memory_map_never_allocates(void **state)
{
	struct device d;

	set_up(&d, fixture_kind(state));
	calls = 0;
	counting = true;
	make_map(&d);
	counting = false;
	assert_int_equal(d.failed_line, 0);
	assert_int_equal(calls, 0);
}

/* Adds a request of one sector. */
static void add_request(struct device *d, uint32_t type)
{
	const struct virtio_blk_outhdr header = { virtio_le32(type), 0, 0 };
	const uint16_t direction = type == VIRTIO_BLK_T_OUT ? 0 : VRING_DESC_F_WRITE;
	const struct virtio_mock_buffer buffers[] = {
		READABLE(FIXTURE_DATA, sizeof header),
		{ FIXTURE_DATA + 0x20, SECTOR, direction },
		WRITABLE(FIXTURE_DATA + 0x10, 1),
	};

	MUST(virtio_memory_write(&d->f.mock.memory, FIXTURE_DATA, &header, sizeof header) == 0);
	MUST(virtio_mock_add(&d->f.mock, buffers, COUNT(buffers)) >= 0);
}

static void pop_used(struct device *d)
{
	struct vring_used_elem used;

	MUST(virtio_mock_pop_used(&d->f.mock, &used) == 1);
}

/* Makes the calls of a transfer, with vectors of at most four entries. Moves no data. */
static void transfer(struct device *d, const struct virtio_blk *blk, uint32_t type, struct virtio_blk_request *served,
		     struct virtio_blk_stats *stats)
{
	struct virtio_blk_transfer moved;
	struct virtio_blk_result result;
	struct virtio_chain chain = { 0 };
	struct virtio_iovec iov[4];
	int left;

	add_request(d, type);
	MUST(virtio_queue_pop(&d->f.queue, &chain) == 1);
	MUST(virtio_blk_parse(&chain, served) == 0);
	MUST(virtio_blk_transfer_begin(&moved, blk, served) == VIRTIO_BLK_S_OK);
	do {
		const uint32_t count = virtio_blk_transfer_iovec(&moved, iov, COUNT(iov));
		int64_t bytes = 0;

		for (uint32_t i = 0; i < count; i++)
			bytes += (int64_t)iov[i].len;
		left = virtio_blk_transfer_advance(&moved, bytes);
	} while (left == 1);
	virtio_blk_transfer_result(served, &moved, left, &result);
	MUST(virtio_blk_complete(&d->f.queue, served, &result, stats) == 0);
	MUST(virtio_blk_complete(&d->f.queue, served, &result, stats) == VIRTIO_ESTALE);
	pop_used(d);
}

/*
 * Sends requests of several types to a disk in memory. Then calls transfer() for a read and for a
 * write.
 */
static void use_disk(struct device *d, void *bytes, uint64_t size)
{
	static const uint32_t types[] = { VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_FLUSH, VIRTIO_BLK_T_GET_ID,
					  99 };
	const struct virtio_blk_storage storage = { .segments = d->segments, .segment_capacity = COUNT(d->segments) };
	struct virtio_blk_memory memory = { bytes, size };
	struct virtio_blk_options options = { .capacity = size / SECTOR };
	struct virtio_blk_request served = { 0 };
	struct virtio_blk_stats stats = { 0 };
	struct virtio_blk blk;

	MUST(virtio_blk_memory_backend(&memory, &options.backend) == 0);
	MUST(virtio_blk_init(&blk, &options) == 0);
	MUST(virtio_blk_negotiate(&blk, virtio_blk_offered(&blk)) == 0);
	MUST(virtio_blk_request_init(&served, &storage) == 0);
	start(d);
	for (uint32_t i = 0; i < COUNT(types); i++) {
		add_request(d, types[i]);
		MUST(virtio_blk_process(&blk, &d->f.queue, &served, &stats) == 1);
		pop_used(d);
	}
	transfer(d, &blk, VIRTIO_BLK_T_IN, &served, &stats);
	transfer(d, &blk, VIRTIO_BLK_T_OUT, &served, &stats);
	MUST(stats.reads == 2 && stats.writes == 2 && stats.flushes == 1 && stats.ids == 1 && stats.others == 1);
	MUST(stats.failed == 0 && stats.unsupported == 1);
	virtio_blk_reset(&blk);
}

static void blk_never_allocates(void **state)
{
	static uint8_t bytes[4096];
	struct device d;

	set_up(&d, fixture_kind(state));
	calls = 0;
	counting = true;
	use_disk(&d, bytes, sizeof bytes);
	counting = false;
	assert_int_equal(d.failed_line, 0);
	assert_int_equal(calls, 0);
}

static size_t take_half(void *context, const void *bytes, size_t len)
{
	(void)context;
	(void)bytes;
	return len > 1 ? len / 2 : len;
}

/*
 * Uses a console with a port: input, output in parts, adding and removing ports, and saved state.
 */
static void use_console(struct device *d)
{
	const struct virtio_mock_buffer in = WRITABLE(FIXTURE_DATA, 16);
	struct virtio_console_port ports[2];
	struct virtio_console_input input;
	struct virtio_console_progress progress;
	struct virtio_console_port_state state;
	struct virtio_console console;
	uint8_t bytes[16];
	bool wake, room;
	const struct virtio_console_options options = { .ports = ports,
							.port_count = COUNT(ports),
							.multiport = true,
							.control_segments = d->segments,
							.control_capacity = COUNT(d->segments) };
	const struct virtio_console_port_options port = { .console = true,
							  .input = &input,
							  .sink = take_half,
							  .receive_segments = d->segments,
							  .receive_capacity = COUNT(d->segments),
							  .transmit_segments = d->segments,
							  .transmit_capacity = COUNT(d->segments) };

	MUST(virtio_console_input_init(&input, bytes, sizeof bytes) == 0);
	MUST(virtio_console_init(&console, &options) == 0);
	MUST(virtio_console_negotiate(&console, virtio_console_offered(&console)) == 0);
	MUST(virtio_console_add_port(&console, 0, &port) == 0);
	start(d);
	for (uint32_t i = 0; i < 3 * SIZE; i++) {
		const struct virtio_mock_buffer out[] = { READABLE(FIXTURE_DATA, 7), READABLE(FIXTURE_DATA + 32, 5) };
		struct vring_used_elem used;

		MUST(virtio_console_input_enqueue(&input, "some input", 10, &wake) == 10);
		MUST(virtio_mock_add(&d->f.mock, &in, 1) >= 0);
		MUST(virtio_console_receive(&console, 0, &d->f.queue, &progress) == 0 && progress.bytes == 10);
		MUST(virtio_mock_pop_used(&d->f.mock, &used) == 1 && used.len == 10);
		MUST(virtio_mock_add(&d->f.mock, out, 1 + i % 2) >= 0);
		do
			MUST(virtio_console_transmit(&console, 0, &d->f.queue, &progress) == 0);
		while (progress.blocked && d->failed_line == 0);
		MUST(virtio_mock_pop_used(&d->f.mock, &used) == 1 && used.len == 0);
		/* Sends a chain in the wrong direction, and a control message that is too short. */
		MUST(virtio_mock_add(&d->f.mock, &in, 1) >= 0);
		MUST(virtio_console_transmit(&console, 0, &d->f.queue, &progress) == 0 && progress.chains == 1);
		MUST(virtio_mock_pop_used(&d->f.mock, &used) == 1);
		MUST(virtio_mock_add(&d->f.mock, out, 1) >= 0);
		MUST(virtio_console_control_transmit(&console, &d->f.queue, &progress) == 0 && progress.chains == 1);
		MUST(virtio_mock_pop_used(&d->f.mock, &used) == 1);
		MUST(virtio_console_control_receive(&console, &d->f.queue, &progress) == 0);
		MUST(virtio_console_add_port(&console, 1, &port) == 0);
		MUST(virtio_console_connect(&console, 1) == 0 && virtio_console_disconnect(&console, 1, &room) == 0);
		MUST(virtio_console_remove_port(&console, 1, &room) == 0);
		MUST(virtio_console_save_port(&console, 0, &state) == 0);
		MUST(virtio_console_restore_port(&console, &state) == 0);
	}
	virtio_console_reset(&console);
}

static void console_never_allocates(void **state)
{
	struct device d;

	set_up(&d, fixture_kind(state));
	calls = 0;
	counting = true;
	use_console(&d);
	counting = false;
	assert_int_equal(d.failed_line, 0);
	assert_int_equal(calls, 0);
}

static const struct virtio_vsock_options vsock_options = {
	.buf_alloc = 4096,
	.max_packets = 16,
	.max_payload = 4096,
	.connect_timeout = 1,
	.close_timeout = 1,
	.credit_retry = 1,
	.last_port = 9,
};

/* Sends a packet through the transmit queue. Returns the event that the table reports for it. */
static uint32_t vsock_receive(struct device *d, struct virtio_vsock_table *table, struct virtio_vsock_packet *packet,
			      uint16_t op, struct virtio_vsock_received *got)
{
	const struct virtio_mock_buffer buffers[] = { READABLE(FIXTURE_DATA, 44), READABLE(FIXTURE_DATA + 64, 8) };
	struct virtio_vsock_hdr h;

	memset(&h, 0, sizeof h);
	virtio_vsock_set_src_cid(&h, 3);
	virtio_vsock_set_dst_cid(&h, VIRTIO_VSOCK_CID_HOST);
	virtio_vsock_set_type(&h, VIRTIO_VSOCK_TYPE_STREAM);
	virtio_vsock_set_op(&h, op);
	virtio_vsock_set_len(&h, op == VIRTIO_VSOCK_OP_RW ? 8 : 0);
	virtio_vsock_set_flags(&h, op == VIRTIO_VSOCK_OP_SHUTDOWN ? VIRTIO_VSOCK_SHUTDOWN_BOTH : 0);
	virtio_vsock_set_buf_alloc(&h, 64);
	MUST(virtio_memory_write(&d->f.mock.memory, FIXTURE_DATA, &h, sizeof h) == 0);
	MUST(virtio_mock_add(&d->f.mock, buffers, COUNT(buffers)) >= 0);
	MUST(virtio_vsock_tx_pop(&d->f.queue, packet) == 1);
	MUST(virtio_vsock_table_receive(table, &packet->header, packet->error, 1, got) == 0);
	MUST(virtio_vsock_complete(&d->f.queue, packet) == 0);
	pop_used(d);
	return got->got;
}

/* Receives the next packet of the device. The only queue serves as the receive queue, too. */
static void vsock_next(struct device *d, struct virtio_vsock_table *table, struct virtio_vsock_packet *packet)
{
	const struct virtio_mock_buffer buffers[] = { WRITABLE(FIXTURE_DATA, 40), WRITABLE(FIXTURE_DATA + 64, 50) };

	MUST(virtio_mock_add(&d->f.mock, buffers, COUNT(buffers)) >= 0);
	MUST(virtio_vsock_rx_pop(&d->f.queue, packet) == 1);
	MUST(virtio_vsock_table_next(table, &packet->header) == 1);
	MUST(virtio_vsock_rx_commit(&d->f.queue, packet) == 0);
	pop_used(d);
}

/* Uses a connection of the guest from request to end, and a connection of the host. */
static void use_sockets(struct device *d)
{
	struct virtio_vsock_connection places[2], *buckets[2], *c;
	struct virtio_vsock_hdr replies[2], header;
	const struct virtio_vsock_table_storage storage = { places, 2, buckets, 2, replies, 2 };
	const struct virtio_vsock_piece piece = { 64, 0 };
	const uint64_t seed[2] = { 0 };
	struct virtio_vsock_connection_state saved;
	struct virtio_vsock_piece more;
	struct virtio_vsock_received got;
	struct virtio_vsock_events events;
	struct virtio_vsock_packet packet;
	struct virtio_vsock_table table;
	struct virtio_vsock vsock;

	start(d);
	MUST(virtio_vsock_init(&vsock, 3, true) == 0);
	MUST(virtio_vsock_table_init(&table, &vsock, &vsock_options, &storage, seed) == 0);
	MUST(virtio_vsock_packet_init(&packet, d->segments, COUNT(d->segments), 4096) == 0);
	MUST(vsock_receive(d, &table, &packet, VIRTIO_VSOCK_OP_RW, &got) == 0);
	vsock_next(d, &table, &packet);
	MUST(vsock_receive(d, &table, &packet, VIRTIO_VSOCK_OP_REQUEST, &got) == VIRTIO_VSOCK_GOT_REQUEST);
	c = got.connection;
	MUST(virtio_vsock_connection_accept(c) == 0);
	vsock_next(d, &table, &packet);
	MUST(vsock_receive(d, &table, &packet, VIRTIO_VSOCK_OP_RW, &got) == VIRTIO_VSOCK_GOT_DATA);
	MUST(virtio_vsock_connection_send(c, &piece, &header) == 0);
	MUST(virtio_vsock_connection_piece(c, 8, 0, 8, 1, &more) == 0);
	vsock_next(d, &table, &packet);
	virtio_vsock_connection_save(c, &saved);
	MUST(vsock_receive(d, &table, &packet, VIRTIO_VSOCK_OP_SHUTDOWN, &got) == VIRTIO_VSOCK_GOT_SHUTDOWN);
	MUST(virtio_vsock_connection_forwarded(c, 8, 1, 1) == 1);
	vsock_next(d, &table, &packet);
	MUST(virtio_vsock_connection_restore(&table, &saved, 1, &c) == 0);
	MUST(virtio_vsock_table_connect(&table, VIRTIO_VSOCK_TYPE_STREAM, 5, 1, &c) == 0);
	MUST(virtio_vsock_table_expire(&table, 2, &c) == 1);
	virtio_vsock_table_reset_all(&table);
	vsock_next(d, &table, &packet);
	virtio_vsock_events_reset(&events);
	virtio_vsock_events_schedule_reset(&events);
	MUST(virtio_vsock_events_send(&events, &d->f.queue, d->segments, COUNT(d->segments)) == 0);
}

static void vsock_never_allocates(void **state)
{
	struct device d;

	set_up(&d, fixture_kind(state));
	calls = 0;
	counting = true;
	use_sockets(&d);
	counting = false;
	assert_int_equal(d.failed_line, 0);
	assert_int_equal(calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allocation_counter_counts), FIXTURE_ON_ALL(queue_never_allocates),
		FIXTURE_ON_ALL(memory_map_never_allocates),  FIXTURE_ON_ALL(blk_never_allocates),
		FIXTURE_ON_ALL(console_never_allocates),     FIXTURE_ON_ALL(vsock_never_allocates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
