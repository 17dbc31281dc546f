/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Does every stop and every reset end, but not while a request is in flight? The example disk with
 * a pool of threads serves a guest. This program plays the guest by register accesses. The back end
 * delays some requests, so requests complete out of order. At random points the guest resets the
 * device or a queue. Sometimes the guest first stops the queue by QueueReady. Sometimes one vCPU
 * resets a queue while another vCPU resets the device.
 *
 * After each reset the guest overwrites the rings and buffers of each queue that was reset. None of
 * these bytes may change. Under ThreadSanitizer any access of the device to these bytes would be a
 * race. After a reset of the device no interrupt may arrive. Each read of a block must return the
 * data written last. After a discard, or if a reset has abandoned a change of the block, the block
 * may still have its earlier data.
 *
 * usage: async_disk_test [LIVES]    A life is the time between two resets of the device. The test
 *                                    runs LIVES lives, by default 2000. The driver has EVENT_IDX in
 *                                    every second life.
 *
 * Hostile 92
 */
#define _POSIX_C_SOURCE 200809L
#include "../common/watchdog.h"
#include "async_disk.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_mmio.h>
#include <virtio/bindings/virtio_ring.h>
#include <virtio/blk_memory.h>
#include <virtio/endian.h>
#include <virtio/mmio.h>
#include <virtio/queue_mock.h>

#define QUEUE_RESET 0x0c0 /* register QueueReset (virtio 1.4, 4.2.2) */
#define PLACES 8u         /* largest number of requests in flight on one queue */
#define BLOCKS 4u         /* disk blocks that the requests of one place use */
#define BLOCK_BYTES 2048u
#define SECTORS ((uint64_t)ASYNC_QUEUES * PLACES * BLOCKS * (BLOCK_BYTES / VIRTIO_BLK_SECTOR_BYTES))
#define QUEUE_BYTES 0x8000u /* guest memory of one queue, for rings and buffers */
#define BUFFERS 0x1000u     /* offset of the buffers in the queue's memory */
#define PLACE_BYTES 0xc00u  /* guest memory of one place: header, block, status */
#define DATA 0x100u
#define STATUS 0x900u
#define FILL 0xa5
#define STEPS 40u /* limit of the requests that the guest sends before a stop or a reset */

/* A place has memory for one request at a time, and BLOCKS disk blocks of its own. */
struct place {
	bool busy;
	uint32_t type; /* VIRTIO_BLK_T_... */
	uint32_t block;
	uint16_t head;
	uint64_t order;           /* number of the submission */
	uint32_t last[BLOCKS];    /* newest version that the guest has sent */
	uint32_t version[BLOCKS]; /* version that the block should have */
	uint32_t before[BLOCKS];  /* an earlier version that the block may still have */
};

struct guest_queue {
	struct virtio_mock mock;
	struct virtio_mock_slot slots[ASYNC_QUEUE_SIZE];
	struct place places[PLACES];
	uint32_t in_flight;
	bool asked;       /* the guest has enabled interrupts while no request was used */
	bool interrupted; /* the device has since interrupted for this queue */
};

static struct {
	struct async_disk disk;
	pthread_mutex_t lock; /* the VMM's lock */
	pthread_cond_t event; /* the line has changed, or a stop has ended */
	unsigned long events; /* number of events since the start */
	bool line;
	uint32_t interrupts;
	struct virtio_blk_memory below;
	struct virtio_blk_backend memory_backend;
	uint32_t requests_begun; /* accessed atomically */
	uint8_t bytes[SECTORS * VIRTIO_BLK_SECTOR_BYTES];
	_Alignas(16) uint8_t ram[ASYNC_QUEUES * QUEUE_BYTES];
	struct virtio_region region;
	struct virtio_memory_map map;
	struct guest_queue queues[ASYNC_QUEUES];
	bool event_idx;
	uint64_t seed;
	/* Statistics */
	uint64_t submitted, completed, out_of_order, lost, stops, stops_in_flight, zeroed, discarded;
} m;

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "async_disk_test: %s (after %llu requests)\n", what, (unsigned long long)m.completed);
	exit(1);
}

static uint32_t below(uint32_t limit)
{
	m.seed ^= m.seed << 13;
	m.seed ^= m.seed >> 7;
	m.seed ^= m.seed << 17;
	return (uint32_t)(m.seed >> 32) % limit;
}

/* The back end */

/* Delays about half of the requests by up to 0.26 ms, so that later requests overtake them. */
static void dawdle(void)
{
	const uint32_t n = __atomic_fetch_add(&m.requests_begun, 1, __ATOMIC_RELAXED) * 2654435761u;
	const struct timespec time = { .tv_nsec = (long)(n >> 16) * 4 };

	if (n & 0x8000)
		nanosleep(&time, NULL);
}

static int64_t slow_readv(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset)
{
	dawdle();
	return m.memory_backend.ops->readv(context, iov, count, offset);
}

static int64_t slow_writev(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset)
{
	dawdle();
	return m.memory_backend.ops->writev(context, iov, count, offset);
}

static int slow_discard(void *context, uint64_t offset, uint64_t bytes)
{
	dawdle();
	return m.memory_backend.ops->discard(context, offset, bytes);
}

static int slow_write_zeroes(void *context, uint64_t offset, uint64_t bytes, bool unmap)
{
	dawdle();
	return m.memory_backend.ops->write_zeroes(context, offset, bytes, unmap);
}

/* Reports an event to the guest's thread. The caller holds the lock. */
static void tell(void)
{
	m.events++;
	pthread_cond_broadcast(&m.event);
}

static const struct virtio_blk_backend_ops slow_ops = {
	.readv = slow_readv, .writev = slow_writev, .discard = slow_discard, .write_zeroes = slow_write_zeroes
};

/* The VMM */

static void on_interrupt(void *context, enum virtio_interrupt cause, uint16_t queue, bool level)
{
	(void)context, (void)cause;
	m.line = level;
	m.interrupts += level;
	if (level && queue < ASYNC_QUEUES)
		m.queues[queue].interrupted = true;
	tell();
}

static void on_stopped(void *context)
{
	(void)context;
	tell();
}

static uint32_t reg_get(uint32_t offset)
{
	uint8_t bytes[4];

	pthread_mutex_lock(&m.lock);
	virtio_mmio_read(&m.disk.device, offset, bytes, sizeof bytes);
	pthread_mutex_unlock(&m.lock);
	return virtio_get_le32(bytes);
}

/*
 * Waits up to one second for an event. The caller holds the lock. Returns whether there was an
 * event. After a timeout the thread may wait long for the lock. An event during that wait is
 * included.
 */
static bool wait_for_event(void)
{
	const unsigned long before = m.events;
	struct timespec look;

	clock_gettime(CLOCK_REALTIME, &look);
	look.tv_sec++;
	return pthread_cond_timedwait(&m.event, &m.lock, &look) == 0 || m.events != before;
}

/*
 * Makes a vCPU wait up to one second for an event. Without an event, fails the test if the stop has
 * ended unreported, or has not ended although nothing is in flight.
 */
static void hold_vcpu(void)
{
	uint32_t in_flight = 0;

	if (wait_for_event())
		return;
	check(virtio_device_waiting(&m.disk.device), "the end of a stop is not reported to a vCPU");
	for (uint32_t i = 0; i < ASYNC_QUEUES; i++)
		in_flight += virtio_queue_in_flight(&m.disk.queue[i]);
	check(in_flight > 0, "a stop does not end although nothing is in flight");
}

/*
 * Writes a register. If `wait` is false, does not wait for the end of a stop. The next access then
 * acts as an access of another vCPU.
 */
static int reg_put(uint32_t offset, uint32_t value, bool wait)
{
	uint8_t bytes[4];
	int result;

	virtio_put_le32(bytes, value);
	pthread_mutex_lock(&m.lock);
	result = virtio_mmio_write(&m.disk.device, offset, bytes, sizeof bytes);
	while (wait && result == VIRTIO_DEVICE_IN_PROGRESS && virtio_device_waiting(&m.disk.device))
		hold_vcpu();
	pthread_mutex_unlock(&m.lock);
	return result;
}

static void reg_set(uint32_t offset, uint32_t value)
{
	(void)reg_put(offset, value, true);
}

/*
 * Checks, with the lock held, that no wake-up is lost. The device completes a request and
 * interrupts under one hold of the lock. So the next holder sees both effects or neither effect.
 * The guest has kicked whenever the device wanted a kick, so no request may still be available.
 */
static void check_wake_ups(void)
{
	for (uint32_t i = 0; i < ASYNC_QUEUES; i++) {
		struct guest_queue *q = &m.queues[i];
		uint16_t used_idx;

		check(virtio_mock_get(&q->mock, VIRTIO_MOCK_USED_IDX, &used_idx) == 0, "the guest has no ring");
		check(!q->asked || q->interrupted || used_idx == q->mock.used_idx, "an interrupt is missing");
		check(virtio_queue_available(&m.disk.queue[i]) == 0, "a kick is missing");
	}
}

/*
 * Waits until the device interrupts. Checks the rings after each event, and after each second
 * without an event, to find a lost wake-up.
 */
static void wait_for_interrupt(void)
{
	pthread_mutex_lock(&m.lock);
	check_wake_ups();
	while (!m.line) {
		(void)wait_for_event();
		check_wake_ups();
	}
	pthread_mutex_unlock(&m.lock);
	reg_set(VIRTIO_MMIO_INTERRUPT_ACK, reg_get(VIRTIO_MMIO_INTERRUPT_STATUS));
}

/* Enables interrupts for the next used request. Returns whether a request is used already. */
static bool ask_for_interrupt(uint32_t queue)
{
	struct guest_queue *q = &m.queues[queue];
	int got;

	pthread_mutex_lock(&m.lock);
	q->interrupted = false;
	pthread_mutex_unlock(&m.lock);
	got = virtio_mock_enable_interrupts(&q->mock);
	check(got >= 0, "the guest can't enable interrupts");
	q->asked = got == 0;
	return got != 0;
}

static uint32_t count_interrupts(void)
{
	uint32_t count;

	pthread_mutex_lock(&m.lock);
	count = m.interrupts;
	pthread_mutex_unlock(&m.lock);
	return count;
}

/* Requests */

static uint64_t block_number(uint32_t queue, uint32_t place, uint32_t block)
{
	return ((uint64_t)queue * PLACES + place) * BLOCKS + block;
}

/* Writes the content of a version of a block. Version 0 is the content of a new disk. */
static void paint(uint8_t *bytes, uint64_t number, uint32_t version)
{
	for (uint32_t i = 0; i < BLOCK_BYTES; i += 8)
		virtio_put_le64(bytes + i, version ? number << 48 | (uint64_t)version << 16 | i : 0);
}

static bool has_version(const uint8_t *bytes, uint64_t number, uint32_t version)
{
	uint8_t expected[BLOCK_BYTES];

	paint(expected, number, version);
	return memcmp(bytes, expected, sizeof expected) == 0;
}

static uint32_t address_of(uint32_t queue, uint32_t place)
{
	return queue * QUEUE_BYTES + BUFFERS + place * PLACE_BYTES;
}

static void kick(uint32_t queue)
{
	const int should = virtio_mock_should_kick(&m.queues[queue].mock);

	check(should >= 0, "the guest can't read its ring");
	if (should)
		reg_set(VIRTIO_MMIO_QUEUE_NOTIFY, queue);
}

/* Fills the data buffer of a request, unless the request is a read. Returns the buffer. */
static struct virtio_mock_buffer put_data(struct place *p, uint32_t at, uint64_t number)
{
	const uint64_t sector = number * (BLOCK_BYTES / VIRTIO_BLK_SECTOR_BYTES);
	uint8_t *data = m.ram + at + DATA;

	if (p->type == VIRTIO_BLK_T_IN)
		return (struct virtio_mock_buffer){ at + DATA, BLOCK_BYTES, VRING_DESC_F_WRITE };
	if (p->type == VIRTIO_BLK_T_OUT) {
		p->version[p->block] = ++p->last[p->block];
		paint(data, number, p->version[p->block]);
		return (struct virtio_mock_buffer){ at + DATA, BLOCK_BYTES, 0 };
	}
	/*
	 * The data names a range of sectors. After the request the block reads as zeroes. A
	 * discarded block may also read as before.
	 */
	p->version[p->block] = 0;
	virtio_put_le64(data, sector);
	virtio_put_le32(data + 8, BLOCK_BYTES / VIRTIO_BLK_SECTOR_BYTES);
	virtio_put_le32(data + 12, 0);
	return (struct virtio_mock_buffer){ at + DATA, 16, 0 };
}

static void submit(uint32_t queue, uint32_t index)
{
	static const uint32_t types[] = { VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_OUT,
					  VIRTIO_BLK_T_WRITE_ZEROES, VIRTIO_BLK_T_DISCARD };
	struct guest_queue *q = &m.queues[queue];
	struct place *p = &q->places[index];
	const uint32_t at = address_of(queue, index);
	struct virtio_mock_buffer buffers[3];
	uint64_t number;
	bool has_sector;
	int head;

	if (p->busy)
		return;
	p->block = below(BLOCKS);
	/*
	 * At most one change of a block is uncertain at any time. The next change waits for a read
	 * that shows the content.
	 */
	p->type = p->version[p->block] == p->before[p->block] ? types[below(5)] : VIRTIO_BLK_T_IN;
	has_sector = p->type == VIRTIO_BLK_T_IN || p->type == VIRTIO_BLK_T_OUT;
	number = block_number(queue, index, p->block);
	memset(m.ram + at, FILL, PLACE_BYTES);
	virtio_put_le32(m.ram + at, p->type);
	virtio_put_le32(m.ram + at + 4, 0);
	virtio_put_le64(m.ram + at + 8, has_sector ? number * (BLOCK_BYTES / VIRTIO_BLK_SECTOR_BYTES) : 0);
	buffers[0] = (struct virtio_mock_buffer){ at, VIRTIO_BLK_HEADER_BYTES, 0 };
	buffers[1] = put_data(p, at, number);
	buffers[2] = (struct virtio_mock_buffer){ at + STATUS, 1, VRING_DESC_F_WRITE };
	head = virtio_mock_add(&q->mock, buffers, 3);
	check(head >= 0, "the guest can't add a request");
	p->head = (uint16_t)head;
	p->busy = true;
	p->order = m.submitted++;
	q->in_flight++;
	kick(queue);
}

/* Updates the known content of a block after a request has succeeded. */
static void learn(struct place *p, const uint8_t *data, uint64_t number)
{
	uint32_t *version = &p->version[p->block], *before = &p->before[p->block];

	m.zeroed += p->type == VIRTIO_BLK_T_WRITE_ZEROES;
	m.discarded += p->type == VIRTIO_BLK_T_DISCARD;
	if (p->type == VIRTIO_BLK_T_DISCARD)
		return;
	if (p->type != VIRTIO_BLK_T_IN || has_version(data, number, *version))
		*before = *version;
	else if (has_version(data, number, *before))
		*version = *before;
	else
		check(false, "a read does not return the data written last");
}

static void finish(uint32_t queue, uint32_t index, uint32_t len)
{
	struct guest_queue *q = &m.queues[queue];
	struct place *p = &q->places[index];
	const uint8_t *bytes = m.ram + address_of(queue, index);

	check(bytes[STATUS] == VIRTIO_BLK_S_OK, "a request fails");
	check(len == (p->type == VIRTIO_BLK_T_IN ? BLOCK_BYTES + 1 : 1), "a used length is wrong");
	learn(p, bytes + DATA, block_number(queue, index, p->block));
	for (uint32_t i = 0; i < PLACES; i++) {
		if (q->places[i].busy && q->places[i].order < p->order) {
			m.out_of_order++;
			break;
		}
	}
	p->busy = false;
	q->in_flight--;
	m.completed++;
	watchdog_step();
}

/* Pops all used elements. Returns whether there was a used element. */
static bool reap(uint32_t queue)
{
	struct guest_queue *q = &m.queues[queue];
	struct vring_used_elem element;
	bool any = false;
	int got;

	q->asked = false;
	while ((got = virtio_mock_pop_used(&q->mock, &element)) == 1) {
		uint32_t index = 0;

		while (index < PLACES && !(q->places[index].busy && q->places[index].head == element.id))
			index++;
		check(index < PLACES, "a request completes that is not in flight");
		finish(queue, index, element.len);
		any = true;
	}
	check(got == 0, "the device breaks a ring");
	return any;
}

/* Waits until at least one request of any queue is used. */
static void wait_for_some(void)
{
	for (;;) {
		bool any = false;

		for (uint32_t i = 0; i < ASYNC_QUEUES; i++)
			any = reap(i) || any;
		for (uint32_t i = 0; i < ASYNC_QUEUES && !any; i++)
			any = ask_for_interrupt(i) && reap(i);
		if (any)
			return;
		wait_for_interrupt();
	}
}

/* Set-up */

static void set_up_queue(uint32_t queue)
{
	static const uint32_t areas[] = { VIRTIO_MMIO_QUEUE_DESC_LOW, VIRTIO_MMIO_QUEUE_AVAIL_LOW,
					  VIRTIO_MMIO_QUEUE_USED_LOW };
	struct guest_queue *q = &m.queues[queue];

	check(virtio_mock_init(&q->mock, &m.map, queue * QUEUE_BYTES, ASYNC_QUEUE_SIZE, q->slots, ASYNC_QUEUE_SIZE) ==
		      0,
	      "the guest has no place for a ring");
	check(virtio_mock_end(&q->mock) <= queue * QUEUE_BYTES + BUFFERS, "rings and buffers overlap");
	q->mock.event_idx = m.event_idx;
	reg_set(VIRTIO_MMIO_QUEUE_SEL, queue);
	reg_set(VIRTIO_MMIO_QUEUE_NUM, ASYNC_QUEUE_SIZE);
	for (uint32_t i = 0; i < 3; i++) {
		reg_set(areas[i], (uint32_t)q->mock.addr[i]);
		reg_set(areas[i] + 4, 0);
	}
	reg_set(VIRTIO_MMIO_QUEUE_READY, 1);
	check(reg_get(VIRTIO_MMIO_QUEUE_READY) == 1, "a queue is not enabled");
}

static void boot(void)
{
	uint32_t status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;
	uint32_t features;

	reg_set(VIRTIO_MMIO_STATUS, status);
	reg_set(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
	features = reg_get(VIRTIO_MMIO_DEVICE_FEATURES);
	if (!m.event_idx)
		features &= ~(1u << VIRTIO_RING_F_EVENT_IDX);
	reg_set(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	reg_set(VIRTIO_MMIO_DRIVER_FEATURES, features);
	reg_set(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	reg_set(VIRTIO_MMIO_DRIVER_FEATURES, 1u << (VIRTIO_F_VERSION_1 - 32) | 1u << (VIRTIO_F_RING_RESET - 32));
	status |= VIRTIO_CONFIG_S_FEATURES_OK;
	reg_set(VIRTIO_MMIO_STATUS, status);
	for (uint32_t i = 0; i < ASYNC_QUEUES; i++)
		set_up_queue(i);
	reg_set(VIRTIO_MMIO_STATUS, status | VIRTIO_CONFIG_S_DRIVER_OK);
	check(reg_get(VIRTIO_MMIO_STATUS) == (status | VIRTIO_CONFIG_S_DRIVER_OK), "the device does not start");
}

/* Stops */

static void count_stop(uint32_t in_flight)
{
	m.stops++;
	m.stops_in_flight += in_flight != 0;
}

/*
 * Forgets the guest's requests in flight on a queue after a reset. Then checks that the device does
 * not write into the queue's memory any more.
 */
static void forget_requests(uint32_t queue)
{
	struct guest_queue *q = &m.queues[queue];
	uint8_t *bytes = m.ram + queue * QUEUE_BYTES;

	m.lost += q->in_flight;
	q->in_flight = 0;
	q->asked = false;
	for (uint32_t i = 0; i < PLACES; i++)
		q->places[i].busy = false;
	memset(bytes, FILL, QUEUE_BYTES);
	for (uint32_t i = below(20); i > 0; i--)
		sched_yield();
	for (uint32_t i = 0; i < QUEUE_BYTES; i++)
		check(bytes[i] == FILL, "the device writes after a stop has ended");
}

static void reset_device(void)
{
	uint32_t before, in_flight = 0;

	for (uint32_t i = 0; i < ASYNC_QUEUES; i++)
		in_flight += m.queues[i].in_flight;
	reg_set(VIRTIO_MMIO_STATUS, 0);
	check(reg_get(VIRTIO_MMIO_STATUS) == 0, "a vCPU goes on before the reset has ended");
	before = count_interrupts();
	count_stop(in_flight);
	for (uint32_t i = 0; i < ASYNC_QUEUES; i++)
		forget_requests(i);
	check(count_interrupts() == before, "an interrupt comes after a reset");
}

/*
 * Resets a queue by QueueReset, and sets it up again. If `stop_first` is true, first stops the
 * queue by QueueReady.
 */
static void reset_queue(uint32_t queue, bool stop_first)
{
	const uint32_t in_flight = m.queues[queue].in_flight;

	reg_set(VIRTIO_MMIO_QUEUE_SEL, queue);
	if (stop_first) {
		reg_set(VIRTIO_MMIO_QUEUE_READY, 0);
		check(reg_get(VIRTIO_MMIO_QUEUE_READY) == 0, "a vCPU goes on before the stop has ended");
	}
	reg_set(QUEUE_RESET, 1);
	check(reg_get(QUEUE_RESET) == 0 && reg_get(VIRTIO_MMIO_QUEUE_READY) == 0,
	      "a vCPU goes on before the queue's reset has ended");
	count_stop(in_flight);
	forget_requests(queue);
	set_up_queue(queue);
}

/*
 * One vCPU resets a queue. Another vCPU resets the device, and does not wait for the end of the
 * queue's reset.
 */
static void reset_both(uint32_t queue)
{
	reg_set(VIRTIO_MMIO_QUEUE_SEL, queue);
	(void)reg_put(QUEUE_RESET, 1, false);
	reset_device();
}

/* Runs the guest from one reset of the device to the next. */
static void live(void)
{
	boot();
	for (uint32_t stops = below(4);; stops--) {
		for (uint32_t i = below(STEPS); i > 0; i--) {
			submit(below(ASYNC_QUEUES), below(PLACES));
			if (m.queues[0].in_flight + m.queues[1].in_flight >= 1 + below(ASYNC_QUEUES * PLACES))
				wait_for_some();
		}
		if (stops == 0)
			break;
		reset_queue(below(ASYNC_QUEUES), below(2));
	}
	if (below(3))
		reset_device();
	else
		reset_both(below(ASYNC_QUEUES));
	watchdog_step();
}

static void make(void)
{
	const struct async_host host = { &m.lock, on_interrupt, on_stopped, NULL };
	struct virtio_blk_backend backend;

	m.below = (struct virtio_blk_memory){ m.bytes, sizeof m.bytes };
	check(virtio_blk_memory_backend(&m.below, &m.memory_backend) == 0, "there is no back end");
	backend = m.memory_backend;
	backend.ops = &slow_ops;
	m.region = (struct virtio_region){ .len = sizeof m.ram, .host = m.ram };
	check(virtio_memory_map_init(&m.map, &m.region, 1) == 0, "there is no memory");
	pthread_mutex_init(&m.lock, NULL);
	pthread_cond_init(&m.event, NULL);
	check(async_disk_init(&m.disk, &backend, SECTORS, &host, &m.map) == 0, "there is no disk");
}

int main(int argc, char **argv)
{
	const unsigned long lives = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000;

	m.seed = 0x9e3779b97f4a7c15;
	check(lives > 0 && watchdog_start(NULL, NULL), "usage: async_disk_test [LIVES]");
	make();
	for (unsigned long i = 0; i < lives; i++) {
		m.event_idx = i % 2;
		live();
	}
	async_disk_close(&m.disk);
	check(m.disk.device.first_error == 0, "the device has refused something");
	check(m.out_of_order > 0 && m.stops_in_flight > 0 && m.lost > 0, "no request was overtaken, or lost by a stop");
	check(m.zeroed > 0 && m.discarded > 0, "no range was changed");
	printf("%llu requests completed, %llu out of order; %llu stops and resets, %llu with requests in flight; "
	       "%llu requests were lost\n",
	       (unsigned long long)m.completed, (unsigned long long)m.out_of_order, (unsigned long long)m.stops,
	       (unsigned long long)m.stops_in_flight, (unsigned long long)m.lost);
	return 0;
}
