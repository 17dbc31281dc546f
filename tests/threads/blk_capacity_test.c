/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Can a thread read half of an old and half of a new capacity of a disk? Two threads read the
 * capacity, check requests, save the disk and read its configuration space. Meanwhile the main
 * thread resizes the disk.
 *
 *   grow   The capacity grows, and its two 32-bit halves are always equal. An element of `prepared`
 *          stands for the storage of each capacity, and is written before that capacity is set.
 *          Each read must return equal halves, and no less than the same thread's earlier reads.
 *          The storage of the returned capacity must be prepared.
 *   swing  The capacity changes between two values that differ in both 32-bit halves.
 *          virtio_blk_refusal_of() must accept requests that fit both capacities, and refuse
 *          requests that fit neither capacity.
 *
 * The storage is written without atomics. So ThreadSanitizer reports a race if
 * virtio_blk_set_capacity() does not publish the storage.
 *
 * usage: blk_capacity_test [UPDATES]   Each kind of run has UPDATES updates, by default 300000. The
 *                                      kind swing may have more updates.
 */
#define _POSIX_C_SOURCE 200809L
#include "../common/watchdog.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <virtio/blk.h>
#include <virtio/blk_state.h>

#define UPDATES 300000u
#define READERS 2u
#define READS 2000u /* each reader makes at least this number of reads in a kind of run */
#define LOW UINT64_C(0xffffffff)
#define HIGH UINT64_C(0x100000000)
#define MOST_UPDATES 0x3fffffu /* keeps the capacity within VIRTIO_BLK_MAX_CAPACITY */

enum kind { GROW, SWING, KINDS };

static const char *const names[KINDS] = { "grow", "swing" };

static struct {
	struct virtio_blk blk;
	enum kind kind;
	uint32_t *prepared; /* for GROW: the storage of each capacity; not atomic */
	uint32_t updates;
	/* The members from here on are atomic. */
	uint32_t reads[READERS];
	uint32_t over;
} m;

static _Noreturn void die(const char *what, uint64_t capacity)
{
	(void)fprintf(stderr, "FAILED: %s: %s; capacity %#llx\n", names[m.kind], what, (unsigned long long)capacity);
	_exit(1);
}

static void check(bool good, const char *what, uint64_t capacity)
{
	if (!good)
		die(what, capacity);
}

/* The back end. The test never calls it. */
static int64_t no_move(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset)
{
	(void)context, (void)iov, (void)count, (void)offset;
	return VIRTIO_EIO;
}

static int no_discard(void *context, uint64_t offset, uint64_t bytes)
{
	(void)context, (void)offset, (void)bytes;
	return VIRTIO_EIO;
}

static void make_disk(uint64_t capacity)
{
	static const struct virtio_blk_backend_ops ops = { .readv = no_move, .writev = no_move, .discard = no_discard };
	const struct virtio_blk_options options = {
		.backend = { .ops = &ops, .max_iovecs = 1 },
		.capacity = capacity,
		.max_discard_sectors = 1,
		.max_discard_seg = 2,
	};

	check(virtio_blk_init(&m.blk, &options) == 0, "no disk", capacity);
	check(virtio_blk_negotiate(&m.blk, UINT64_C(1) << VIRTIO_BLK_F_DISCARD) == 0, "no features", capacity);
}

/*
 * Returns whether the sector may be read, and may be discarded together with sector 0. While the
 * capacity swings, the callers pass only sectors that fit both capacities or neither capacity. So
 * the two results must be equal.
 */
static bool may_use(uint64_t sector)
{
	struct virtio_blk_range ranges[2] = { { .sector = sector, .sectors = 1 }, { .sector = 0, .sectors = 1 } };
	const struct virtio_blk_request read = { .base.data.writable_bytes = 512,
						 .type = VIRTIO_BLK_T_IN,
						 .sector = sector };
	const struct virtio_blk_request discard = {
		.base.data.readable_bytes = 32, .type = VIRTIO_BLK_T_DISCARD, .ranges = ranges, .range_count = 2
	};
	const uint8_t one = virtio_blk_refusal_status(virtio_blk_refusal_of(&m.blk, &read)),
		      other = virtio_blk_refusal_status(virtio_blk_refusal_of(&m.blk, &discard));

	if (m.kind == SWING)
		check(one == other, "a read and a discard of the sector have different results", sector);
	return one == VIRTIO_BLK_S_OK && other == VIRTIO_BLK_S_OK;
}

static uint64_t any_capacity(uint32_t way)
{
	struct virtio_blk_state state;
	uint8_t bytes[8];

	switch (way % 3) {
	case 0:
		return virtio_blk_capacity(&m.blk);
	case 1:
		virtio_blk_config_read(&m.blk, 0, bytes, sizeof bytes);
		return virtio_get_le64(bytes);
	default:
		virtio_blk_save(&m.blk, &state);
		return state.capacity;
	}
}

static uint64_t read_growing(uint32_t way, uint64_t before)
{
	const uint64_t capacity = any_capacity(way);
	const uint32_t update = (uint32_t)capacity;

	check(capacity >> 32 == update, "the two halves belong to different capacities", capacity);
	check(capacity >= before, "the capacity goes back", capacity);
	check(m.prepared[update] == ~update, "the storage of the capacity is not prepared", capacity);
	check(capacity == 0 || may_use(capacity - 1), "the last sector is refused", capacity);
	return capacity;
}

static void read_swinging(uint32_t way)
{
	const uint64_t capacity = any_capacity(way);

	check(capacity == LOW || capacity == HIGH, "a capacity that was never set", capacity);
	check(may_use(LOW - 1), "a sector below both capacities is refused", capacity);
	check(!may_use(HIGH), "a sector beyond both capacities is accepted", capacity);
}

static void *reader_main(void *context)
{
	uint32_t *reads = context;
	uint64_t capacity = 0;

	for (uint32_t n = 1; !__atomic_load_n(&m.over, __ATOMIC_ACQUIRE); n++) {
		if (m.kind == GROW)
			capacity = read_growing(n, capacity);
		else
			read_swinging(n);
		__atomic_store_n(reads, n < READS ? n : READS, __ATOMIC_RELAXED);
		if (n <= READS)
			watchdog_step();
	}
	return NULL;
}

static bool all_have_read(void)
{
	bool all = true;

	for (uint32_t i = 0; i < READERS; i++)
		all = all && __atomic_load_n(&m.reads[i], __ATOMIC_RELAXED) == READS;
	return all;
}

static void set(uint64_t capacity)
{
	check(virtio_blk_set_capacity(&m.blk, capacity) == 0, "the capacity can't be set", capacity);
}

/* Sets a new capacity in each update. Yields now and then, so readers run even on one processor. */
static void grow(void)
{
	for (uint32_t n = 1; n <= m.updates; n++) {
		m.prepared[n] = ~n;
		set((uint64_t)n << 32 | n);
		watchdog_step();
		if (n % 1024 == 0)
			(void)sched_yield();
	}
	while (!all_have_read())
		(void)sched_yield();
}

static void swing(void)
{
	for (uint32_t n = 1; n <= m.updates || !all_have_read(); n++) {
		set(n % 2 ? HIGH : LOW);
		/*
		 * Later updates are not progress, because this thread then only waits for the
		 * readers.
		 */
		if (n <= m.updates)
			watchdog_step();
		if (n % 1024 == 0)
			(void)sched_yield();
	}
}

static void run(enum kind kind)
{
	pthread_t threads[READERS];

	m.kind = kind;
	m.over = 0;
	make_disk(kind == GROW ? 0 : LOW);
	for (uint32_t i = 0; i < READERS; i++) {
		m.reads[i] = 0;
		check(pthread_create(&threads[i], NULL, reader_main, &m.reads[i]) == 0, "no thread", 0);
	}
	if (kind == GROW)
		grow();
	else
		swing();
	__atomic_store_n(&m.over, 1, __ATOMIC_RELEASE);
	for (uint32_t i = 0; i < READERS; i++)
		check(pthread_join(threads[i], NULL) == 0, "a thread cannot be joined", 0);
	printf("%s: %u updates\n", names[kind], (unsigned int)m.updates);
}

int main(int argc, char **argv)
{
	m.updates = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : UPDATES;
	check(watchdog_start(NULL, NULL), "no watchdog", 0);
	check(m.updates > 0 && m.updates <= MOST_UPDATES, "UPDATES is out of range", 0);
	m.prepared = calloc(m.updates + 1, sizeof *m.prepared);
	check(m.prepared != NULL, "out of memory", 0);
	m.prepared[0] = ~0u;
	for (enum kind kind = GROW; kind < KINDS; kind++)
		run(kind);
	free(m.prepared);
	return 0;
}
