/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests a whole device: registers, real queues and the mock driver, during starts, stops, resets
 * and a restore.
 */
#include "device_fixture.h"
#include <virtio/bindings/virtio_config.h>

static void make_drivers(struct device_fixture *f)
{
	driver_mock(f, 0, 16);
	driver_mock(f, 1, 8);
	driver_mock(f, 3, DEVICE_MAX_SIZE);
}

static void setup(struct device_fixture *f)
{
	device_setup(f);
	f->serves = true;
	make_drivers(f);
}

static void start(struct device_fixture *f, uint64_t features)
{
	setup(f);
	for (uint32_t i = 0; i < DEVICE_QUEUES; i++) {
		f->mock[i].event_idx = (features & F_EVENT_IDX) != 0;
		f->mock[i].in_order = (features & F_IN_ORDER) != 0;
	}
	driver_start(f, features);
	assert_int_equal(virtio_device_has_feature(&f->device, VIRTIO_F_NOTIFICATION_DATA),
			 (features & F_NOTIFICATION_DATA) != 0);
	device_forget(f);
}

/* Starts a new driver on a device that was reset. */
static void start_again(struct device_fixture *f)
{
	make_drivers(f);
	driver_start(f, 0);
	device_forget(f);
}

/*
 * Kicks as the driver does. With NOTIFICATION_DATA the kick has the driver's available index.
 * Checks that the device gets exactly this notification.
 */
static void kick(struct device_fixture *f, uint32_t queue)
{
	const bool has_data = virtio_device_has_feature(&f->device, VIRTIO_F_NOTIFICATION_DATA);
	const uint32_t next = has_data ? (uint16_t)f->mock[queue].avail_idx : 0;

	device_forget(f);
	reg_set(f, REG_QUEUE_NOTIFY, queue | next << 16);
	expect_event(f, 0, OP_NOTIFY, queue, next);
}

/*
 * Sends a request, kicks if the device wants a kick, and checks the result. Acknowledges the
 * interrupt.
 */
static void exchange(struct device_fixture *f, uint32_t queue, uint8_t byte)
{
	const uint16_t head = driver_add(f, queue, byte);

	if (virtio_mock_should_kick(&f->mock[queue]) == 1)
		kick(f, queue);
	assert_true(f->line);
	assert_int_equal(reg_get(f, REG_INTERRUPT_STATUS), 1);
	reg_set(f, REG_INTERRUPT_ACK, 1);
	assert_false(f->line);
	driver_expect(f, queue, head, byte);
	driver_expect_none(f, queue);
	(void)virtio_mock_enable_interrupts(&f->mock[queue]);
}

static void io_goes_on_over_every_queue(void **state)
{
	static const uint64_t features[] = {
		0,
		F_EVENT_IDX,
		F_IN_ORDER | F_INDIRECT,
		F_EVENT_IDX | F_RING_RESET,
		F_NOTIFICATION_DATA,
		F_NOTIFICATION_DATA | F_EVENT_IDX | F_IN_ORDER,
	};
	struct device_fixture f;

	(void)state;
	for (uint32_t set = 0; set < COUNT(features); set++) {
		start(&f, features[set]);
		for (uint32_t i = 0; i < 100; i++) {
			exchange(&f, 0, (uint8_t)i);
			exchange(&f, 1, (uint8_t)(i + 1));
			exchange(&f, 3, (uint8_t)(i + 2));
		}
		assert_int_equal(f.device.ignored, 0);
		reg_set(&f, REG_STATUS, 0);
		assert_true(device_is_fresh(&f));
	}
}

/*
 * virtio 1.4, 2.9: a notification has all 16 bits of the available index, also after the index
 * wraps.
 */
static void io_notified_with_data_goes_around_the_index(void **state)
{
	struct device_fixture f;

	(void)state;
	start(&f, F_NOTIFICATION_DATA);
	for (uint32_t i = 0; i < 0x10010; i++)
		exchange(&f, 3, (uint8_t)i);
	assert_int_equal(f.mock[3].avail_idx, 0x10010);
	assert_int_equal(f.device.ignored, 0);
}

/*
 * Hostile 62: the driver kicks too early or not at all. Available buffers are served at DRIVER_OK
 * and not earlier.
 */
static void io_made_available_before_driver_ok_is_served_then(void **state)
{
	struct device_fixture f;
	uint16_t first, second;

	(void)state;
	setup(&f);
	driver_negotiate(&f, 0);
	driver_queue(&f, 0, 16);
	driver_queue(&f, 3, DEVICE_MAX_SIZE);
	first = driver_add(&f, 0, 1);
	second = driver_add(&f, 3, 2);
	reg_set(&f, REG_QUEUE_NOTIFY, 0);
	driver_expect_none(&f, 0);
	assert_int_equal(f.calls[OP_INTERRUPT], 0);
	reg_set(&f, REG_STATUS, ST_OK);
	driver_expect(&f, 0, first, 1);
	driver_expect(&f, 3, second, 2);
	assert_int_equal(reg_get(&f, REG_INTERRUPT_STATUS), 1);
	assert_int_equal(f.calls[OP_NOTIFY], 2);
}

/* Hostile 64: any number of kicks without new buffers does nothing. */
static void io_notified_with_nothing_new_does_nothing(void **state)
{
	struct device_fixture f;
	uint8_t before[RAM_BYTES];

	(void)state;
	start(&f, 0);
	exchange(&f, 0, 1);
	memcpy(before, f.ram, sizeof before);
	for (uint32_t i = 0; i < 1000; i++)
		reg_set(&f, REG_QUEUE_NOTIFY, 0);
	assert_memory_equal(f.ram, before, sizeof before);
	assert_int_equal(f.raised, 1);
}

/* Leaves requests in flight on two queues. */
static void hold_some(struct device_fixture *f)
{
	f->holds = true;
	(void)driver_add(f, 0, 1);
	(void)driver_add(f, 0, 2);
	(void)driver_add(f, 3, 3);
	reg_set(f, REG_QUEUE_NOTIFY, 0);
	reg_set(f, REG_QUEUE_NOTIFY, 3);
	assert_int_equal(f->held_count, 3);
}

/*
 * Hostile 59, 92: the reset ends only when the device reports the end. Later completions change
 * nothing in guest memory.
 */
static void io_in_flight_during_reset_touches_nothing_after_it(void **state)
{
	struct virtio_chain chain;
	struct device_fixture f;
	uint8_t before[RAM_BYTES];

	(void)state;
	start(&f, 0);
	hold_some(&f);
	assert_int_equal(reg_write(&f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(reg_get(&f, REG_STATUS), ST_OK);
	reg_set(&f, REG_QUEUE_NOTIFY, 0);
	for (uint32_t i = 0; i < DEVICE_QUEUES; i++)
		device_stop_queue(&f, i);
	assert_int_equal(virtio_device_reset_done(&f.device, 0), 0);
	assert_int_equal(reg_get(&f, REG_STATUS), 0);
	memcpy(before, f.ram, sizeof before);
	device_forget(&f);
	assert_int_equal(device_release(&f), 3);
	assert_memory_equal(f.ram, before, sizeof before);
	assert_int_equal(f.event_count, 0);
	assert_true(device_is_fresh(&f));
	assert_int_equal(virtio_queue_pop(&f.served[0], &chain), VIRTIO_ENOTREADY);
	f.holds = false;
	start_again(&f);
	exchange(&f, 0, 9);
}

/*
 * The device completes all requests before it reports the end of the reset. The device writes the
 * used elements, but raises no interrupt: a driver that requested a reset expects none.
 */
static void io_completed_during_reset_is_not_signalled(void **state)
{
	struct device_fixture f;

	(void)state;
	start(&f, 0);
	hold_some(&f);
	assert_int_equal(reg_write(&f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(device_release(&f), 0);
	assert_int_equal(f.calls[OP_INTERRUPT], 0);
	assert_int_equal(virtio_device_reset(&f.device), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(virtio_device_reset_done(&f.device, 0), 0);
	assert_true(device_is_fresh(&f));
	assert_int_equal(f.calls[OP_INTERRUPT], 0);
}

/* Hostile 94: requests are in flight at each reset. */
static void io_in_flight_during_ten_thousand_resets(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	f.serves = true;
	f.holds = true;
	for (uint32_t i = 0; i < 10000; i++) {
		driver_mock(&f, 1, 8);
		driver_negotiate(&f, 0);
		driver_queue(&f, 1, 8);
		(void)driver_add(&f, 1, (uint8_t)i);
		reg_set(&f, REG_STATUS, ST_OK);
		assert_int_equal(f.held_count, 1);
		assert_int_equal(reg_write(&f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
		device_stop_queue(&f, 1);
		assert_int_equal(virtio_device_reset_done(&f.device, 0), 0);
		assert_int_equal(device_release(&f), 1);
	}
	assert_true(device_is_fresh(&f));
}

/* Hostile 100: when the stop has ended, the device does not access the ring any more. */
static void io_in_flight_during_stop_of_queue(void **state)
{
	struct device_fixture f;
	uint8_t before[RAM_BYTES];

	(void)state;
	start(&f, 0);
	hold_some(&f);
	reg_set(&f, REG_QUEUE_SEL, 0);
	assert_int_equal(reg_write(&f, REG_QUEUE_READY, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(reg_get(&f, REG_QUEUE_READY), 1);
	assert_int_equal(device_release(&f), 0);
	device_stop_queue(&f, 0);
	assert_int_equal(virtio_device_queue_stopped(&f.device, 0, 0), 0);
	assert_int_equal(reg_get(&f, REG_QUEUE_READY), 0);
	f.holds = false;
	(void)driver_add(&f, 0, 4);
	memcpy(before, f.ram, sizeof before);
	reg_set(&f, REG_QUEUE_NOTIFY, 0);
	assert_memory_equal(f.ram, before, sizeof before);
	/* Queue 1 was not stopped, and keeps running. */
	driver_expect_none(&f, 1);
	reg_set(&f, REG_INTERRUPT_ACK, 3);
	exchange(&f, 1, 5);
}

/*
 * Sets up queue 0 again with other addresses and a smaller size, in the driver's records and in the
 * registers.
 */
static void move_queue_0(struct device_fixture *f)
{
	static const uint32_t registers[] = { REG_QUEUE_DESC, REG_QUEUE_DRIVER, REG_QUEUE_DEVICE };

	reg_set(f, REG_QUEUE_SEL, 0);
	reg_set(f, REG_QUEUE_SIZE, 4);
	driver_mock(f, 0, 4);
	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++) {
		const uint64_t addr = RAM_START + 0x6000 + 0x100 * (uint64_t)i;

		assert_int_equal(virtio_mock_place(&f->mock[0], (enum virtio_queue_area)i, addr), 0);
		reg_set64(f, registers[i], addr);
	}
	assert_int_equal(virtio_mock_reset(&f->mock[0]), 0);
}

/*
 * Hostile 101: a queue with requests in flight is reset and gets another size and other addresses.
 * The other queues are unaffected.
 */
static void io_goes_on_after_reset_of_queue(void **state)
{
	struct device_fixture f;
	uint16_t head;

	(void)state;
	start(&f, F_RING_RESET);
	for (uint8_t i = 0; i < 10; i++)
		exchange(&f, 0, i);
	hold_some(&f);
	reg_set(&f, REG_QUEUE_SEL, 0);
	assert_int_equal(reg_write(&f, REG_QUEUE_RESET, 1), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(reg_get(&f, REG_QUEUE_RESET), 1);
	assert_int_equal(device_release(&f), 0);
	device_stop_queue(&f, 0);
	assert_int_equal(virtio_device_queue_stopped(&f.device, 0, 0), 0);
	assert_int_equal(reg_get(&f, REG_QUEUE_RESET), 0);
	f.holds = false;
	reg_set(&f, REG_INTERRUPT_ACK, 3);
	exchange(&f, 1, 1);
	move_queue_0(&f);
	head = driver_add(&f, 0, 7);
	assert_true(driver_enable(&f, 0));
	driver_expect(&f, 0, head, 7);
	reg_set(&f, REG_INTERRUPT_ACK, 3);
	for (uint8_t i = 0; i < 20; i++) {
		exchange(&f, 0, i);
		exchange(&f, 1, i);
	}
}

/*
 * With an incoherent ring the device sets DEVICE_NEEDS_RESET, and the register access returns.
 * Later kicks do not reach the device, and a reset ends at once.
 */
static void io_over_incoherent_ring_needs_reset(void **state)
{
	struct device_fixture f;

	(void)state;
	start(&f, 0);
	assert_int_equal(virtio_mock_set(&f.mock[0], VIRTIO_MOCK_AVAIL_IDX, 17), 0);
	reg_set(&f, REG_QUEUE_NOTIFY, 0);
	assert_int_equal(reg_get(&f, REG_STATUS), 0x4f);
	assert_int_equal(reg_get(&f, REG_INTERRUPT_STATUS), 2);
	assert_int_equal(f.raised, 1);
	reg_set(&f, REG_QUEUE_NOTIFY, 0);
	reg_set(&f, REG_QUEUE_NOTIFY, 1);
	assert_int_equal(f.calls[OP_NOTIFY], 1);
	reg_set(&f, REG_STATUS, 0);
	start_again(&f);
	exchange(&f, 0, 1);
}

/*
 * Hostile 78, 80: the restored device serves a request that was available at the save, and needs no
 * kick. The driver gets an interrupt.
 */
static void io_goes_on_after_restore(void **state)
{
	struct virtio_queue_registers_state queues[DEVICE_QUEUES];
	struct virtio_device_state saved;
	struct device_fixture f;
	uint16_t head;

	(void)state;
	start(&f, 0);
	exchange(&f, 3, 1);
	exchange(&f, 3, 2);
	head = driver_add(&f, 3, 3);
	assert_int_equal(virtio_device_save(&f.device, &saved, queues, DEVICE_QUEUES), 0);
	for (uint32_t i = 0; i < DEVICE_QUEUES; i++)
		device_stop_queue(&f, i);
	device_make(&f);
	assert_int_equal(virtio_device_restore(&f.device, &saved, queues, DEVICE_QUEUES), 0);
	for (uint32_t i = 0; i < DEVICE_QUEUES; i++) {
		if (i != DEVICE_ABSENT)
			assert_int_equal(device_start_queue(&f, i), 0);
	}
	assert_int_equal(virtio_queue_set_next_avail(&f.served[3], 2), 0);
	assert_int_equal(virtio_queue_set_next_used(&f.served[3], 2), 0);
	driver_expect_none(&f, 3);
	virtio_device_resume(&f.device);
	driver_expect(&f, 3, head, 3);
	assert_true(f.line);
	reg_set(&f, REG_INTERRUPT_ACK, 3);
	exchange(&f, 3, 4);
	exchange(&f, 0, 5);
}

/* A queue was enabled with a map. The map may no longer exist when the device starts the queue. */
static void io_without_memory_at_driver_ok_needs_reset(void **state)
{
	struct device_fixture f;

	(void)state;
	setup(&f);
	driver_negotiate(&f, 0);
	driver_queue(&f, 0, 16);
	virtio_device_set_memory(&f.device, NULL);
	reg_set(&f, REG_STATUS, 0xf);
	assert_int_equal(reg_get(&f, REG_STATUS), 0x4f);
	assert_int_equal(f.device.first_error, VIRTIO_EFAULT);
	reg_set(&f, REG_STATUS, 0);
	/* Without memory, the write of QueueReady fails, too. */
	driver_negotiate(&f, 0);
	driver_place(&f, 0, 16);
	assert_false(driver_enable(&f, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(io_without_memory_at_driver_ok_needs_reset),
		cmocka_unit_test(io_goes_on_over_every_queue),
		cmocka_unit_test(io_notified_with_data_goes_around_the_index),
		cmocka_unit_test(io_made_available_before_driver_ok_is_served_then),
		cmocka_unit_test(io_notified_with_nothing_new_does_nothing),
		cmocka_unit_test(io_in_flight_during_reset_touches_nothing_after_it),
		cmocka_unit_test(io_completed_during_reset_is_not_signalled),
		cmocka_unit_test(io_in_flight_during_ten_thousand_resets),
		cmocka_unit_test(io_in_flight_during_stop_of_queue),
		cmocka_unit_test(io_goes_on_after_reset_of_queue),
		cmocka_unit_test(io_over_incoherent_ring_needs_reset),
		cmocka_unit_test(io_goes_on_after_restore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
