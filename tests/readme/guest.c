/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "guest.h"

#include "cmocka_includes.h"

#include <string.h>

#define PAST_INDEX 66000u /* number of requests, after which 16-bit indices have wrapped */

struct guest guest;

void guest_init(const struct guest_ops *ops)
{
	memset(&guest, 0, sizeof guest);
	guest.ops = ops;
	guest.region = (struct virtio_region){ .addr = 0, .len = GUEST_BYTES, .host = guest.ram };
	assert_int_equal(virtio_memory_map_init(&guest.map, &guest.region, 1), 0);
	assert_int_equal(virtio_mock_init(&guest.mock, &guest.map, 0, GUEST_QUEUE_SIZE, guest.slots, GUEST_QUEUE_SIZE),
			 0);
	assert_true(virtio_mock_end(&guest.mock) <= GUEST_DATA);
}

void guest_start(bool event_idx)
{
	struct virtio_queue_config config;

	assert_int_equal(virtio_mock_reset(&guest.mock), 0);
	guest.mock.event_idx = event_idx;
	guest.added = guest.returned = guest.until = 0;
	guest.kicked = guest.interrupted = false;
	assert_int_equal(virtio_queue_config_init(&config, GUEST_QUEUE_SIZE), 0);
	virtio_mock_fill_config(&guest.mock, &config);
	guest.ops->start(&guest, &config);
}

uint8_t *guest_host(uint64_t addr)
{
	assert_true(addr < GUEST_BYTES);
	return guest.ram + addr;
}

static uint64_t request_addr(uint32_t number)
{
	return GUEST_DATA + number % GUEST_QUEUE_SIZE * GUEST_REQUEST_BYTES;
}

/*
 * Makes requests available up to the wanted depth of the queue. Kicks the device if the ring asks
 * for a kick.
 */
static void driver_adds(void)
{
	while (guest.added < guest.until && guest.added - guest.returned < guest.depth) {
		struct virtio_mock_buffer buffers[GUEST_BUFFERS];
		const uint32_t count = guest.ops->fill(&guest, guest.added, request_addr(guest.added), buffers);

		if (count > guest.mock.free_count)
			break;
		assert_true(virtio_mock_add(&guest.mock, buffers, count) >= 0);
		guest.added++;
		if (virtio_mock_should_kick(&guest.mock)) {
			guest.kicked = true;
			guest.kicks++;
		}
	}
}

/* Pops all used elements, and sleeps until the next interrupt. */
static void driver_wakes(void)
{
	struct vring_used_elem used;
	int got;

	guest.interrupted = false;
	assert_int_equal(virtio_mock_disable_interrupts(&guest.mock), 0);
	do {
		while ((got = virtio_mock_pop_used(&guest.mock, &used)) == 1) {
			guest.ops->check(&guest, guest.returned, request_addr(guest.returned), used.len);
			guest.returned++;
			driver_adds();
		}
		assert_int_equal(got, 0);
		got = virtio_mock_enable_interrupts(&guest.mock);
		assert_true(got >= 0);
	} while (got == 1);
}

void guest_interrupt(void)
{
	guest.interrupts++;
	guest.interrupted = true;
	if (guest.interrupts % 2 == 0)
		driver_wakes();
}

static void device_runs(void)
{
	bool more;

	guest.kicked = false;
	more = guest.ops->run(&guest) == 1;
	/* The driver may have kicked the device during the run. */
	guest.kicked = guest.kicked || more;
	guest.agains += more;
}

void guest_exchange(uint32_t requests, uint32_t depth)
{
	guest.until = guest.added + requests;
	guest.depth = depth;
	driver_adds();
	while (guest.returned < guest.until) {
		/*
		 * If no side must run, a notification was lost, and both sides would sleep for
		 * ever.
		 */
		assert_true(guest.kicked || guest.interrupted || guest.ops->polls);
		if (guest.kicked || guest.ops->polls)
			device_runs();
		if (guest.interrupted)
			driver_wakes();
	}
	/*
	 * A kick may still be pending after all requests have returned. Then the device runs and
	 * finds no request.
	 */
	while (guest.kicked)
		device_runs();
	assert_int_equal(guest.added, guest.returned);
	assert_int_equal(guest.mock.in_flight, 0);
}

static void exchange_all(void)
{
	guest_exchange(3 * GUEST_QUEUE_SIZE, 1);
	guest_exchange(3 * GUEST_QUEUE_SIZE, 2);
	guest_exchange(3 * GUEST_QUEUE_SIZE, GUEST_QUEUE_SIZE);
	assert_true(guest.ops->polls || guest.kicks > 0);
	assert_true(guest.interrupts > 0);
}

void guest_test_device(const struct guest_ops *ops)
{
	guest_init(ops);
	for (int event_idx = 0; event_idx < 2; event_idx++) {
		guest_start(event_idx);
		exchange_all();
		guest_exchange(PAST_INDEX, 3);
		/*
		 * The reset happens while the driver waits for two requests that the device has not
		 * seen.
		 */
		guest.until = guest.added + 2;
		driver_adds();
		ops->reset(&guest);
		guest_start(event_idx);
		exchange_all();
		ops->reset(&guest);
	}
	/*
	 * If neither `polls` nor `drains` is set, the driver has added requests while the device
	 * ran. The device found these requests when it checked the ring again.
	 */
	assert_true(ops->polls || ops->drains || guest.agains > 0);
}

void guest_break_ring(void)
{
	assert_int_equal(virtio_mock_set(&guest.mock, VIRTIO_MOCK_AVAIL_IDX,
					 (uint16_t)(guest.mock.avail_idx + GUEST_QUEUE_SIZE + 1)),
			 0);
}
