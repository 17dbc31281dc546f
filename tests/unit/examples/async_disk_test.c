/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests the asynchronous disk of the examples, with a translation. Hostile 244: a stop or a reset
 * does not wait for an unmapped used ring. Requests in unmapped memory wait for
 * async_disk_mapped().
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <async_disk.h>
#include <cmocka.h>
#include <sched.h>
#include <string.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_mmio.h>
#include <virtio/bindings/virtio_ring.h>
#include <virtio/blk_memory.h>
#include <virtio/endian.h>
#include <virtio/mmio.h>
#include <virtio/queue_mock.h>
#include <watchdog.h>

#define SIZE 8u
#define RAM 0x8000u
#define BORDER 0x1000u /* start of the second region */
#define USED 0xff0u    /* the used ring crosses BORDER, so each access is translated */
#define HEADER 0x2000u
#define DATA 0x3000u
#define STATUS 0x4000u
#define SECTORS 8u

static struct {
	uint8_t front[BORDER], back[RAM - BORDER];
	struct virtio_region regions[2];
	struct virtio_memory_map map, driver_map;
	struct virtio_mock mock;
	struct virtio_mock_slot slots[SIZE];
	struct async_disk disk;
	struct virtio_blk_memory below;
	struct virtio_blk_backend backend;
	uint8_t bytes[SECTORS * VIRTIO_BLK_SECTOR_BYTES];
	pthread_mutex_t lock;
	uint64_t bad, bad_end; /* range that is not mapped */
	uint32_t stops;        /* number of calls of on_stopped() */
	bool line;
	bool shut; /* atomic: while true, the back end finishes no read */
} m;

static int translate(void *context, uint64_t addr, uint64_t len, uint32_t access, struct virtio_translation *out)
{
	(void)context, (void)access;
	if (addr >= m.bad && addr < m.bad_end)
		return VIRTIO_ENOTMAPPED;
	out->addr = addr;
	out->len = addr < m.bad && len > m.bad - addr ? m.bad - addr : len;
	out->access = VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE;
	return 0;
}

static int64_t gated_readv(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset)
{
	while (__atomic_load_n(&m.shut, __ATOMIC_ACQUIRE))
		sched_yield();
	return m.backend.ops->readv(context, iov, count, offset);
}

static int64_t gated_writev(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset)
{
	return m.backend.ops->writev(context, iov, count, offset);
}

static void on_interrupt(void *context, enum virtio_interrupt cause, uint16_t queue, bool level)
{
	(void)context, (void)cause, (void)queue;
	m.line = level;
}

static void on_stopped(void *context)
{
	(void)context;
	m.stops++;
}

static uint32_t get(uint32_t offset)
{
	uint8_t bytes[4];

	pthread_mutex_lock(&m.lock);
	virtio_mmio_read(&m.disk.device, offset, bytes, sizeof bytes);
	pthread_mutex_unlock(&m.lock);
	return virtio_get_le32(bytes);
}

static int put(uint32_t offset, uint32_t value)
{
	uint8_t bytes[4];
	int result;

	virtio_put_le32(bytes, value);
	pthread_mutex_lock(&m.lock);
	result = virtio_mmio_write(&m.disk.device, offset, bytes, sizeof bytes);
	pthread_mutex_unlock(&m.lock);
	return result;
}

/* Makes this range the only one that is not mapped. Notifies the disk if `tell` is true. */
static void unmap(uint64_t addr, uint64_t len, bool tell)
{
	pthread_mutex_lock(&m.lock);
	m.bad = addr;
	m.bad_end = addr + len;
	if (tell)
		async_disk_mapped(&m.disk);
	pthread_mutex_unlock(&m.lock);
}

static void map_all(void)
{
	unmap(0, 0, true);
}

/* Waits until done() returns true. The watchdog stops the test if that never happens. */
static void wait_until(bool (*done)(void))
{
	bool is_done = false;

	while (!is_done) {
		pthread_mutex_lock(&m.lock);
		is_done = done();
		pthread_mutex_unlock(&m.lock);
		sched_yield();
	}
	watchdog_step();
}

static bool is_stuck(void)
{
	return m.disk.num_stuck[0] == 1;
}

static bool is_idle(void)
{
	return virtio_queue_quiesced(&m.disk.queue[0]);
}

static bool is_over(void)
{
	return !virtio_device_waiting(&m.disk.device);
}

static void make(void)
{
	static struct virtio_blk_backend_ops ops;
	const struct async_host host = { &m.lock, on_interrupt, on_stopped, NULL };
	struct virtio_blk_backend backend;

	memset(&m, 0, sizeof m);
	memset(m.bytes, 0x77, sizeof m.bytes);
	m.regions[0] = (struct virtio_region){ .len = sizeof m.front, .host = m.front };
	m.regions[1] = (struct virtio_region){ .addr = BORDER, .len = sizeof m.back, .host = m.back };
	assert_int_equal(virtio_memory_map_init(&m.driver_map, m.regions, 2), 0);
	m.map = m.driver_map;
	virtio_memory_map_set_translation(&m.map, translate, NULL);
	m.below = (struct virtio_blk_memory){ m.bytes, sizeof m.bytes };
	assert_int_equal(virtio_blk_memory_backend(&m.below, &m.backend), 0);
	backend = m.backend;
	ops = *m.backend.ops;
	ops.readv = gated_readv;
	ops.writev = gated_writev;
	backend.ops = &ops;
	assert_int_equal(pthread_mutex_init(&m.lock, NULL), 0);
	assert_int_equal(async_disk_init(&m.disk, &backend, SECTORS, &host, &m.map), 0);
}

/* Sets up the driver and queue 0. Returns the result of the write that enables the queue. */
static int set_up_queue(void)
{
	static const uint32_t areas[] = { VIRTIO_MMIO_QUEUE_DESC_LOW, VIRTIO_MMIO_QUEUE_AVAIL_LOW,
					  VIRTIO_MMIO_QUEUE_USED_LOW };

	assert_int_equal(virtio_mock_init(&m.mock, &m.driver_map, 0, SIZE, m.slots, SIZE), 0);
	assert_int_equal(virtio_mock_place(&m.mock, VIRTIO_QUEUE_USED, USED), 0);
	assert_int_equal(virtio_mock_reset(&m.mock), 0);
	m.mock.event_idx = true;
	assert_int_equal(put(VIRTIO_MMIO_QUEUE_SEL, 0), 0);
	assert_int_equal(put(VIRTIO_MMIO_QUEUE_NUM, SIZE), 0);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(put(areas[i], (uint32_t)m.mock.addr[i]), 0);
	return put(VIRTIO_MMIO_QUEUE_READY, 1);
}

static void negotiate(void)
{
	static const uint32_t bits[] = { VIRTIO_RING_F_EVENT_IDX, VIRTIO_F_VERSION_1, VIRTIO_F_RING_RESET };
	uint32_t words[VIRTIO_FEATURE_WORDS] = { 0 };

	for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
		virtio_feature_set(words, bits[i]);
	assert_int_equal(put(VIRTIO_MMIO_STATUS, 3), 0);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(put(VIRTIO_MMIO_DRIVER_FEATURES_SEL, i), 0);
		assert_int_equal(put(VIRTIO_MMIO_DRIVER_FEATURES, words[i]), 0);
	}
	assert_int_equal(put(VIRTIO_MMIO_STATUS, 11), 0);
}

static void boot(void)
{
	negotiate();
	assert_int_equal(set_up_queue(), 0);
	assert_int_equal(put(VIRTIO_MMIO_STATUS, 15), 0);
	assert_int_equal(get(VIRTIO_MMIO_STATUS), 15);
}

/* Sends a read of one sector. */
static void submit(void)
{
	const struct virtio_mock_buffer buffers[] = { { HEADER, VIRTIO_BLK_HEADER_BYTES, 0 },
						      { DATA, VIRTIO_BLK_SECTOR_BYTES, VRING_DESC_F_WRITE },
						      { STATUS, 1, VRING_DESC_F_WRITE } };

	memset(m.back + HEADER - BORDER, 0, sizeof m.back - (HEADER - BORDER));
	m.back[STATUS - BORDER] = 0xee;
	assert_true(virtio_mock_add(&m.mock, buffers, 3) >= 0);
	assert_int_equal(put(VIRTIO_MMIO_QUEUE_NOTIFY, 0), 0);
}

static void expect_answer(void)
{
	struct vring_used_elem used;

	wait_until(is_idle);
	assert_int_equal(virtio_mock_pop_used(&m.mock, &used), 1);
	assert_int_equal(used.len, VIRTIO_BLK_SECTOR_BYTES + 1);
	assert_int_equal(m.back[STATUS - BORDER], VIRTIO_BLK_S_OK);
	assert_int_equal(m.back[DATA - BORDER], 0x77);
	assert_true(m.line);
	assert_int_equal(put(VIRTIO_MMIO_INTERRUPT_ACK, get(VIRTIO_MMIO_INTERRUPT_STATUS)), 0);
	assert_int_equal(virtio_mock_enable_interrupts(&m.mock), 0);
	assert_int_equal(get(VIRTIO_MMIO_STATUS), 15);
}

static void expect_no_answer(void)
{
	struct vring_used_elem used;

	assert_int_equal(virtio_mock_pop_used(&m.mock, &used), 0);
	assert_false(m.line);
	assert_int_equal(get(VIRTIO_MMIO_STATUS), 15);
}

static void async_disk_waits_for_memory_of_a_request(void **state)
{
	(void)state;
	make();
	boot();
	for (int i = 0; i < 3; i++) {
		unmap(DATA, 16, false);
		submit();
		unmap(DATA, 16, true);
		assert_true(is_idle());
		expect_no_answer();
		map_all();
		expect_answer();
	}
	async_disk_close(&m.disk);
}

static void async_disk_waits_for_a_used_ring(void **state)
{
	(void)state;
	make();
	boot();
	for (int i = 0; i < 3; i++) {
		unmap(USED, 0x100, false);
		submit();
		wait_until(is_stuck);
		unmap(USED, 0x100, true);
		assert_true(is_stuck());
		expect_no_answer();
		map_all();
		expect_answer();
	}
	async_disk_close(&m.disk);
}

/* The driver resets the queue or the device while a completion waits for the used ring. */
static void async_disk_ends_without_a_used_ring(void **state)
{
	(void)state;
	make();
	for (int by_queue = 0; by_queue < 2; by_queue++) {
		boot();
		unmap(USED, 0x100, false);
		submit();
		wait_until(is_stuck);
		assert_int_equal(put(by_queue ? VIRTIO_MMIO_QUEUE_RESET : VIRTIO_MMIO_STATUS, by_queue ? 1 : 0), 0);
		assert_int_equal(get(VIRTIO_MMIO_QUEUE_READY), 0);
		assert_int_equal(get(VIRTIO_MMIO_STATUS), by_queue ? 15 : 0);
		assert_null(m.disk.stuck);
		map_all();
		assert_false(m.line);
		/* The queue or the device starts again. */
		if (by_queue)
			assert_int_equal(set_up_queue(), 0);
		else
			boot();
		submit();
		expect_answer();
		assert_int_equal(put(VIRTIO_MMIO_STATUS, 0), 0);
	}
	async_disk_close(&m.disk);
}

/*
 * One request waits for the used ring, and the back end holds a second request. A reset must wait
 * for the back end only.
 */
static void async_disk_ends_when_the_rest_is_done(void **state)
{
	(void)state;
	make();
	boot();
	unmap(USED, 0x100, false);
	submit();
	wait_until(is_stuck);
	__atomic_store_n(&m.shut, true, __ATOMIC_RELEASE);
	submit();
	assert_int_equal(virtio_queue_in_flight(&m.disk.queue[0]), 2);
	assert_int_equal(put(VIRTIO_MMIO_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(m.stops, 0);
	__atomic_store_n(&m.shut, false, __ATOMIC_RELEASE);
	wait_until(is_over);
	assert_int_equal(m.stops, 1);
	assert_int_equal(get(VIRTIO_MMIO_STATUS), 0);
	assert_null(m.disk.stuck);
	map_all();
	async_disk_close(&m.disk);
}

static void async_disk_enables_a_queue_when_it_is_mapped(void **state)
{
	(void)state;
	make();
	negotiate();
	unmap(0, 16, false);
	assert_int_equal(set_up_queue(), VIRTIO_DEVICE_IN_PROGRESS);
	unmap(0, 16, true);
	assert_false(is_over());
	map_all();
	assert_true(is_over());
	assert_int_equal(get(VIRTIO_MMIO_QUEUE_READY), 1);
	assert_int_equal(put(VIRTIO_MMIO_STATUS, 15), 0);
	submit();
	expect_answer();
	async_disk_close(&m.disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(async_disk_waits_for_memory_of_a_request),
		cmocka_unit_test(async_disk_waits_for_a_used_ring),
		cmocka_unit_test(async_disk_ends_without_a_used_ring),
		cmocka_unit_test(async_disk_ends_when_the_rest_is_done),
		cmocka_unit_test(async_disk_enables_a_queue_when_it_is_mapped),
	};

	if (!watchdog_start(NULL, NULL))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
