/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests a driver on one thread and a device on another thread. No request, interrupt or kick is
 * lost. If the driver rewrites its descriptors all the time, segments still lie in guest memory.
 */
#define _POSIX_C_SOURCE 200809L
#include "../common/fixture.h"
#include <pthread.h>
#include <sched.h>
#include <watchdog.h>

#define SIZE 8u
#define REQUESTS 30000u
#define ROUNDS 20000u

/*
 * The doorbells of the two threads, and the fault that the device's thread has found. This thread
 * records its fault, because cmocka's assertions work on the main thread only.
 */
struct pair {
	struct fixture f;
	uint32_t kicks;
	uint32_t interrupts;
	uint32_t stop;
	uint32_t wrong; /* the fault that the device's thread has found, or 0; atomic */
};

static void ring(uint32_t *bell)
{
	(void)__atomic_fetch_add(bell, 1, __ATOMIC_SEQ_CST);
}

static void go_wrong(struct pair *p, uint32_t what)
{
	__atomic_store_n(&p->wrong, what, __ATOMIC_SEQ_CST);
}

/*
 * Waits until the bell's count differs from *seen, and stores the new count in *seen. If a
 * notification is lost, the watchdog ends the test. Returns false if the device's thread has
 * stopped on a fault.
 */
static bool wait_for(const struct pair *p, const uint32_t *bell, uint32_t *seen)
{
	uint32_t now;

	while ((now = __atomic_load_n(bell, __ATOMIC_SEQ_CST)) == *seen) {
		if (__atomic_load_n(&p->wrong, __ATOMIC_SEQ_CST))
			return false;
		(void)sched_yield();
	}
	*seen = now;
	return true;
}

/*
 * Hostile 69 and 70, regression R6: the device waits whenever the queue is empty. Only kicks wake
 * it.
 */
static void *device_main(void *context)
{
	struct pair *p = context;
	struct virtio_queue *queue = &p->f.queue;
	uint32_t served = 0, seen = 0;

	while (served < REQUESTS) {
		struct virtio_chain chain = { 0 };
		struct virtio_desc desc = { 0 };
		int got = virtio_queue_pop(queue, &chain);

		if (got < 0) {
			go_wrong(p, 1);
			break;
		}
		if (got == 0) {
			got = virtio_queue_enable_kicks(queue);
			if (got < 0 || (got == 0 && !wait_for(p, &p->kicks, &seen))) {
				go_wrong(p, 2);
				break;
			}
			(void)virtio_queue_disable_kicks(queue);
			continue;
		}
		/*
		 * The chain must have the descriptors that the driver wrote before it published the
		 * index. This needs the acquire on the load of the index.
		 */
		if (virtio_chain_next(&chain, &desc) != 1 || desc.addr != FIXTURE_DATA || desc.len != served ||
		    virtio_chain_next(&chain, &desc) != 0 || virtio_queue_complete(queue, chain.token, served)) {
			go_wrong(p, 3);
			break;
		}
		served++;
		if (virtio_queue_needs_interrupt(queue))
			ring(&p->interrupts);
	}
	return NULL;
}

static void run_driver(struct pair *p)
{
	uint32_t added = 0, returned = 0, seen = 0;

	while (returned < REQUESTS) {
		struct vring_used_elem used;
		int got;

		while (added < REQUESTS && p->f.mock.free_count > 0) {
			const struct virtio_mock_buffer one = WRITABLE(FIXTURE_DATA, added);

			assert_true(virtio_mock_add(&p->f.mock, &one, 1) >= 0);
			added++;
			got = virtio_mock_should_kick(&p->f.mock);
			assert_true(got >= 0);
			if (got)
				ring(&p->kicks);
		}
		got = virtio_mock_pop_used(&p->f.mock, &used);
		assert_true(got >= 0);
		if (got == 1) {
			assert_int_equal(used.len, returned);
			returned++;
			watchdog_step();
			continue;
		}
		got = virtio_mock_enable_interrupts(&p->f.mock);
		assert_true(got >= 0);
		if (got == 0)
			assert_true(wait_for(p, &p->interrupts, &seen));
		assert_int_equal(virtio_mock_disable_interrupts(&p->f.mock), 0);
	}
}

static void exchange(bool event_idx)
{
	static struct pair p;
	pthread_t device;

	memset(&p, 0, sizeof p);
	fixture_init(&p.f, FIXTURE_FLAT, SIZE);
	p.f.config.event_idx = event_idx;
	fixture_start(&p.f);
	assert_int_equal(pthread_create(&device, NULL, device_main, &p), 0);
	run_driver(&p);
	assert_int_equal(pthread_join(device, NULL), 0);
	assert_int_equal(p.wrong, 0);
	assert_true(virtio_queue_quiesced(&p.f.queue));
}

static void queue_loses_no_notification_with_flags(void **state)
{
	(void)state;
	exchange(false);
}

static void queue_loses_no_notification_with_event_idx(void **state)
{
	(void)state;
	exchange(true);
}

/*
 * The hostile driver writes random values into descriptors and table entries until the test ends.
 */
static void *scribble_main(void *context)
{
	struct pair *p = context;
	uint32_t seed = 1;

	while (!__atomic_load_n(&p->stop, __ATOMIC_SEQ_CST)) {
		struct vring_desc desc;
		uint32_t at;

		seed = seed * 1664525 + 1013904223;
		at = seed >> 8;
		/*
		 * The address of the table stays aligned. A misaligned table is copied bytewise,
		 * which a race detector must report as a race.
		 */
		desc.addr = seed & 0x100 ? FIXTURE_TABLE : FIXTURE_BASE + (at & 0xff8);
		desc.len = seed & 0x200 ? 16 * (at % SIZE) : seed;
		desc.flags = (uint16_t)(seed >> 20);
		desc.next = (uint16_t)(seed >> 12 & 15);
		(void)virtio_mock_set_desc(&p->f.mock, at % SIZE, &desc);
		(void)virtio_mock_set_desc_at(&p->f.mock, FIXTURE_TABLE, at / 8 % SIZE, &desc);
	}
	return NULL;
}

/*
 * Hostile 30 and 41: the guest runs in parallel. Each segment that a resolution yields lies in
 * guest memory. A chain yields at most as many segments as the queue has descriptors.
 */
static void chain_stays_bounded_while_driver_rewrites_it(void **state)
{
	static struct pair p;
	pthread_t driver;

	(void)state;
	memset(&p, 0, sizeof p);
	fixture_init(&p.f, FIXTURE_FLAT, SIZE);
	p.f.config.indirect = true;
	fixture_start(&p.f);
	for (uint16_t i = 0; i < SIZE; i++)
		assert_int_equal(virtio_mock_set_avail_entry(&p.f.mock, i, i), 0);
	assert_int_equal(pthread_create(&driver, NULL, scribble_main, &p), 0);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		struct virtio_memory_cursor cursor;
		struct virtio_segment segments[SIZE];
		struct virtio_chain_segments c = { .segments = segments, .capacity = SIZE };
		struct virtio_chain chain = { 0 };
		int got;

		virtio_memory_cursor_init(&cursor, &p.f.driver_map);
		got = virtio_memory_store_le16(&cursor, virtio_mock_field_addr(&p.f.mock, VIRTIO_MOCK_AVAIL_IDX),
					       VIRTIO_RELEASE, (uint16_t)(i + 1));
		assert_int_equal(got, 0);
		assert_int_equal(virtio_queue_pop(&p.f.queue, &chain), 1);
		got = virtio_chain_resolve(&chain, &c);
		assert_true(got == 0 || got == VIRTIO_ENEXT || got == VIRTIO_ETOOLONG || got == VIRTIO_EORDER ||
			    got == VIRTIO_EINDIRECT || got == VIRTIO_EFAULT || got == VIRTIO_EBYTES);
		for (uint32_t s = 0; got == 0 && s < c.needed; s++) {
			assert_in_range(segments[s].addr, FIXTURE_BASE, FIXTURE_END - 1);
			assert_true(segments[s].len <= FIXTURE_END - segments[s].addr);
		}
		assert_int_equal(virtio_queue_complete(&p.f.queue, chain.token, 0), 0);
		watchdog_step();
	}
	__atomic_store_n(&p.stop, 1, __ATOMIC_SEQ_CST);
	assert_int_equal(pthread_join(driver, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue_loses_no_notification_with_flags),
		cmocka_unit_test(queue_loses_no_notification_with_event_idx),
		cmocka_unit_test(chain_stays_bounded_while_driver_rewrites_it),
	};

	return watchdog_start(NULL, NULL) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
