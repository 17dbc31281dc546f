/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Stops and resets of a queue that end at once or take time (virtio 1.4, 2.6.1 and 4.2.2). */
#include "device_fixture.h"

static void start(struct device_fixture *f, uint64_t features)
{
	device_setup(f);
	driver_start(f, features);
	reg_set(f, REG_QUEUE_SEL, 0);
	device_forget(f);
}

static bool has_defaults(const struct device_fixture *f, uint32_t queue)
{
	const struct virtio_queue_config *config = &f->queues[queue].config;

	return !config->addr[0] && !config->addr[1] && !config->addr[2] && config->size == config->max_size &&
	       !config->ready && !config->event_idx && !config->indirect && !config->in_order &&
	       !f->queues[queue].enabling && !f->queues[queue].given && !f->queues[queue].refused;
}

/* Checks QueueReady and QueueReset of the selected queue. */
static void expect_shown(struct device_fixture *f, uint32_t ready, uint32_t resetting)
{
	assert_int_equal(reg_get(f, REG_QUEUE_READY), ready);
	assert_int_equal(reg_get(f, REG_QUEUE_RESET), resetting);
}

/* QueueReady = 0 */

/* Hostile 100: QueueReady reads as 0 after the write, and the queue gets no more kicks. */
static void queue_stop_ends_at_once(void **state)
{
	struct device_fixture f;

	(void)state;
	start(&f, 0);
	reg_set(&f, REG_QUEUE_READY, 0);
	assert_int_equal(f.event_count, 1);
	expect_event(&f, 0, OP_STOP, 0, 0);
	expect_shown(&f, 0, 0);
	assert_false(f.queues[0].may_reenable);
	reg_set(&f, REG_QUEUE_NOTIFY, 0);
	reg_set(&f, REG_QUEUE_READY, 0);
	assert_int_equal(f.event_count, 1);
	assert_int_equal(virtio_device_queue_stopped(&f.device, 0, 0), VIRTIO_EINVAL);
	/* The other queues keep running. */
	reg_set(&f, REG_QUEUE_NOTIFY, 1);
	assert_int_equal(f.event_count, 2);
}

/* While the stop is in progress, QueueReady reads as 1. The driver may write 0 again. */
static void queue_stop_in_progress_shows_ready_until_its_end(void **state)
{
	struct device_fixture f;

	(void)state;
	start(&f, F_RING_RESET);
	f.answer[OP_STOP] = VIRTIO_DEVICE_IN_PROGRESS;
	assert_int_equal(reg_write(&f, REG_QUEUE_READY, 0), VIRTIO_DEVICE_IN_PROGRESS);
	expect_shown(&f, 1, 0);
	device_keep(&f);
	assert_int_equal(reg_write(&f, REG_QUEUE_READY, 0), VIRTIO_DEVICE_IN_PROGRESS);
	reg_set(&f, REG_QUEUE_READY, 1);
	reg_set(&f, REG_QUEUE_SIZE, 4);
	reg_set(&f, REG_QUEUE_DESC, 0);
	reg_set(&f, REG_QUEUE_NOTIFY, 0);
	assert_true(device_unchanged(&f));
	assert_int_equal(virtio_device_queue_stopped(&f.device, 1, 0), VIRTIO_EINVAL);
	assert_int_equal(virtio_device_queue_stopped(&f.device, DEVICE_ABSENT, 0), VIRTIO_EINVAL);
	assert_int_equal(virtio_device_queue_stopped(&f.device, DEVICE_QUEUES, 0), VIRTIO_EINVAL);
	assert_int_equal(virtio_device_queue_stopped(&f.device, 0xffff, 0), VIRTIO_EINVAL);
	assert_true(device_unchanged(&f));
	assert_int_equal(virtio_device_queue_stopped(&f.device, 0, 0), 0);
	expect_shown(&f, 0, 0);
	assert_false(f.queues[0].may_reenable);
	device_keep(&f);
	assert_int_equal(virtio_device_queue_stopped(&f.device, 0, 0), VIRTIO_EINVAL);
	assert_true(device_unchanged(&f));
}

static void on_stop_say_stopped(struct device_fixture *f, enum device_op op, uint32_t a)
{
	if (op == OP_STOP)
		f->hook_result = virtio_device_queue_stopped(&f->device, (uint16_t)a, 0);
}

/*
 * A report from within queue_stop() is refused, because the stop is in progress only after
 * queue_stop() has returned.
 */
static void queue_stopped_within_operation_does_nothing(void **state)
{
	struct device_fixture f;

	(void)state;
	start(&f, 0);
	f.hook = on_stop_say_stopped;
	f.answer[OP_STOP] = VIRTIO_DEVICE_IN_PROGRESS;
	assert_int_equal(reg_write(&f, REG_QUEUE_READY, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(f.hook_result, VIRTIO_EINVAL);
	expect_shown(&f, 1, 0);
	assert_int_equal(virtio_device_queue_stopped(&f.device, 0, 0), 0);
	expect_shown(&f, 0, 0);
}

/* If a queue can't be stopped, the device needs a reset, and the queue isn't shown as stopped. */
static void queue_stop_that_fails_needs_reset(void **state)
{
	struct device_fixture f;

	(void)state;
	for (uint32_t reset = 0; reset < 2; reset++) {
		start(&f, F_RING_RESET);
		f.answer[OP_STOP] = VIRTIO_EIO;
		reg_set(&f, reset ? REG_QUEUE_RESET : REG_QUEUE_READY, reset);
		assert_int_equal(reg_get(&f, REG_STATUS), 0x4f);
		assert_int_equal(reg_get(&f, REG_QUEUE_READY), 1);
		/*
		 * If QueueReset showed the end of the reset, the driver would reuse its rings and
		 * buffers.
		 */
		assert_int_equal(reg_get(&f, REG_QUEUE_RESET), reset);
		assert_int_equal(f.event_count, 2);
		expect_event(&f, 1, OP_INTERRUPT, VIRTIO_INTERRUPT_CONFIG, VIRTIO_DEVICE_NO_QUEUE);
		assert_int_equal(f.device.first_error, VIRTIO_EIO);
		assert_int_equal(f.device.first_queue, 0);
		assert_int_equal(virtio_device_queue_stopped(&f.device, 0, 0), VIRTIO_EINVAL);
		reg_set(&f, REG_STATUS, 0);
		assert_true(device_is_fresh(&f));
	}
}

/*
 * A stop in progress may fail. Then the waiting vCPU continues, and the driver may write again. A
 * later stop can succeed.
 */
static void queue_stop_in_progress_may_fail(void **state)
{
	struct device_fixture f;

	(void)state;
	for (uint32_t reset = 0; reset < 2; reset++) {
		const uint32_t offset = reset ? REG_QUEUE_RESET : REG_QUEUE_READY;

		start(&f, F_RING_RESET);
		f.answer[OP_STOP] = VIRTIO_DEVICE_IN_PROGRESS;
		assert_int_equal(reg_write(&f, offset, reset), VIRTIO_DEVICE_IN_PROGRESS);
		device_keep(&f);
		assert_int_equal(virtio_device_queue_stopped(&f.device, 0, VIRTIO_DEVICE_IN_PROGRESS), VIRTIO_EINVAL);
		assert_true(device_unchanged(&f));
		assert_int_equal(virtio_device_queue_stopped(&f.device, 0, VIRTIO_EIO), 0);
		assert_false(virtio_device_waiting(&f.device));
		assert_int_equal(reg_get(&f, REG_STATUS), 0x4f);
		assert_int_equal(f.raised, 1);
		assert_int_equal(f.device.first_error, VIRTIO_EIO);
		assert_int_equal(f.device.first_queue, 0);
		expect_shown(&f, 1, reset);
		device_keep(&f);
		assert_int_equal(virtio_device_queue_stopped(&f.device, 0, 0), VIRTIO_EINVAL);
		assert_int_equal(virtio_device_queue_stopped(&f.device, 0, VIRTIO_EIO), VIRTIO_EINVAL);
		assert_true(device_unchanged(&f));
		f.answer[OP_STOP] = VIRTIO_EIO;
		reg_set(&f, REG_QUEUE_READY, 0);
		expect_shown(&f, 1, reset);
		f.answer[OP_STOP] = 0;
		reg_set(&f, REG_QUEUE_READY, 0);
		assert_int_equal(f.calls[OP_STOP], 3);
		expect_shown(&f, 0, 0);
		assert_int_equal(f.queues[0].may_reenable, reset);
		assert_int_equal(reg_get(&f, REG_STATUS), 0x4f);
	}
}

/* QueueReset */

/*
 * Hostile 101: QueueReset is ignored without the feature, before FEATURES_OK, and with values other
 * than 1.
 */
static void queue_reset_is_ignored_without_feature(void **state)
{
	static const uint32_t values[] = { 0, 2, 3, 0xff, 0x100, 0x101, 0x10001, 0x80000001, UINT32_MAX };
	struct device_fixture f;

	(void)state;
	start(&f, 0);
	device_keep(&f);
	reg_set(&f, REG_QUEUE_RESET, 1);
	assert_true(device_unchanged(&f));
	assert_int_equal(f.device.ignored, 1);
	start(&f, F_RING_RESET);
	device_keep(&f);
	for (uint32_t i = 0; i < COUNT(values); i++)
		reg_set(&f, REG_QUEUE_RESET, values[i]);
	assert_true(device_unchanged(&f));
	assert_int_equal(f.device.ignored, COUNT(values));
	device_setup(&f);
	driver_probe(&f);
	driver_accept(&f, F_VERSION_1 | F_RING_RESET);
	driver_place(&f, 0, 4);
	device_keep(&f);
	reg_set(&f, REG_QUEUE_RESET, 1);
	assert_true(device_unchanged(&f));
}

/* Hostile 101: a queue reset restores the defaults. */
static void queue_reset_ends_at_once_with_defaults(void **state)
{
	struct device_fixture f;

	(void)state;
	start(&f, F_RING_RESET | F_EVENT_IDX | F_INDIRECT | F_IN_ORDER);
	device_keep(&f);
	reg_set(&f, REG_QUEUE_RESET, 1);
	assert_int_equal(f.event_count, 1);
	expect_event(&f, 0, OP_STOP, 0, 0);
	expect_shown(&f, 0, 0);
	assert_true(has_defaults(&f, 0));
	assert_true(f.queues[0].may_reenable);
	assert_memory_equal(&f.queues[1], &f.kept_queues[1], 3 * sizeof f.queues[0]);
	/* A second write changes nothing. */
	device_forget(&f);
	reg_set(&f, REG_QUEUE_RESET, 1);
	assert_int_equal(f.event_count, 0);
	expect_shown(&f, 0, 0);
	assert_true(f.queues[0].may_reenable);
	reg_set(&f, REG_QUEUE_NOTIFY, 0);
	assert_int_equal(f.event_count, 0);
}

/*
 * Hostile 101: a queue that was reset can have another size and other addresses. The device is
 * notified when the queue is enabled.
 */
static void queue_reset_then_enabled_with_other_configuration(void **state)
{
	struct device_fixture f;

	(void)state;
	start(&f, F_RING_RESET | F_EVENT_IDX);
	reg_set(&f, REG_QUEUE_RESET, 1);
	driver_place(&f, 1, 8);
	reg_set(&f, REG_QUEUE_SEL, 0);
	reg_set(&f, REG_QUEUE_SIZE, 4);
	reg_set64(&f, REG_QUEUE_DESC, RAM_START + 0x6000);
	reg_set64(&f, REG_QUEUE_DRIVER, RAM_START + 0x6100);
	reg_set64(&f, REG_QUEUE_DEVICE, RAM_START + 0x6200);
	device_forget(&f);
	assert_true(driver_enable(&f, 0));
	assert_int_equal(f.event_count, 2);
	expect_event(&f, 0, OP_START, 0, 0);
	expect_event(&f, 1, OP_NOTIFY, 0, 0);
	assert_int_equal(f.queues[0].config.size, 4);
	assert_int_equal(f.queues[0].config.addr[2], RAM_START + 0x6200);
	assert_true(f.queues[0].config.event_idx);
	assert_false(f.queues[0].may_reenable);
	expect_shown(&f, 1, 0);
	/*
	 * Only a reset permits the driver to enable the queue again. After a stop the queue stays
	 * stopped.
	 */
	reg_set(&f, REG_QUEUE_READY, 0);
	assert_false(driver_enable(&f, 0));
}

/*
 * Enabling fails with a bad address, or if the device can't start the queue. The queue stays reset,
 * and the driver may try again.
 */
static void queue_enabled_after_reset_may_fail(void **state)
{
	struct device_fixture f;

	(void)state;
	start(&f, F_RING_RESET);
	reg_set(&f, REG_QUEUE_RESET, 1);
	driver_place(&f, 0, 16);
	reg_set64(&f, REG_QUEUE_DEVICE, ROM_START);
	device_keep(&f);
	assert_false(driver_enable(&f, 0));
	assert_true(device_unchanged(&f));
	assert_int_equal(f.device.first_error, VIRTIO_EPERM);
	driver_place(&f, 0, 16);
	f.answer[OP_START] = VIRTIO_EIO;
	device_keep(&f);
	device_forget(&f);
	assert_false(driver_enable(&f, 0));
	assert_int_equal(f.event_count, 1);
	expect_event(&f, 0, OP_START, 0, 0);
	device_forget(&f);
	memset(f.kept_calls, 0, sizeof f.kept_calls);
	assert_true(device_unchanged(&f));
	f.answer[OP_START] = 0;
	assert_true(driver_enable(&f, 0));
}

static void on_start_needs_reset(struct device_fixture *f, enum device_op op, uint32_t a)
{
	(void)a;
	if (op == OP_START)
		virtio_device_set_needs_reset(&f->device);
}

static void queue_enabled_by_device_that_breaks_is_not_notified(void **state)
{
	struct device_fixture f;

	(void)state;
	start(&f, F_RING_RESET);
	reg_set(&f, REG_QUEUE_RESET, 1);
	driver_place(&f, 0, 16);
	f.hook = on_start_needs_reset;
	device_forget(&f);
	reg_set(&f, REG_QUEUE_READY, 1);
	assert_int_equal(f.calls[OP_START], 1);
	assert_int_equal(f.calls[OP_NOTIFY], 0);
	/* The device needs a reset now. Another queue can be reset, but not enabled again. */
	reg_set(&f, REG_QUEUE_SEL, 1);
	reg_set(&f, REG_QUEUE_RESET, 1);
	driver_place(&f, 1, 8);
	assert_false(driver_enable(&f, 1));
	assert_int_equal(f.calls[OP_START], 1);
}

/* Hostile 101: QueueReset shows 1 until the reset ends. Then QueueReady and QueueReset show 0. */
static void queue_reset_in_progress_shows_one_until_its_end(void **state)
{
	struct device_fixture f;

	(void)state;
	start(&f, F_RING_RESET);
	f.answer[OP_STOP] = VIRTIO_DEVICE_IN_PROGRESS;
	assert_int_equal(reg_write(&f, REG_QUEUE_RESET, 1), VIRTIO_DEVICE_IN_PROGRESS);
	expect_shown(&f, 1, 1);
	device_keep(&f);
	assert_int_equal(reg_write(&f, REG_QUEUE_RESET, 1), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(reg_write(&f, REG_QUEUE_READY, 0), VIRTIO_DEVICE_IN_PROGRESS);
	reg_set(&f, REG_QUEUE_READY, 1);
	reg_set(&f, REG_QUEUE_NOTIFY, 0);
	assert_true(device_unchanged(&f));
	reg_set(&f, REG_QUEUE_SEL, 1);
	expect_shown(&f, 1, 0);
	reg_set(&f, REG_QUEUE_SEL, 0);
	assert_int_equal(virtio_device_queue_stopped(&f.device, 0, 0), 0);
	expect_shown(&f, 0, 0);
	assert_true(has_defaults(&f, 0));
	driver_queue(&f, 0, 8);
	assert_int_equal(f.calls[OP_START], 1);
}

/*
 * A reset of a queue that is being stopped does not call queue_stop() again. One report ends the
 * stop and the reset, and then the queue may be set up.
 */
static void queue_reset_during_stop_in_progress(void **state)
{
	struct device_fixture f;

	(void)state;
	start(&f, F_RING_RESET);
	f.answer[OP_STOP] = VIRTIO_DEVICE_IN_PROGRESS;
	assert_int_equal(reg_write(&f, REG_QUEUE_READY, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(reg_write(&f, REG_QUEUE_RESET, 1), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(f.calls[OP_STOP], 1);
	expect_shown(&f, 1, 1);
	assert_int_equal(virtio_device_queue_stopped(&f.device, 0, 0), 0);
	expect_shown(&f, 0, 0);
	assert_true(has_defaults(&f, 0));
	assert_true(f.queues[0].may_reenable);
}

/*
 * Queue 0 was stopped before, and queue 1 was never enabled. Neither queue runs, so a queue reset
 * calls no operation.
 */
static void queue_reset_of_queue_that_does_not_run(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_negotiate(&f, F_RING_RESET);
	driver_queue(&f, 0, 16);
	driver_place(&f, 1, 4);
	reg_set(&f, REG_STATUS, ST_OK);
	reg_set(&f, REG_QUEUE_SEL, 0);
	reg_set(&f, REG_QUEUE_READY, 0);
	device_forget(&f);
	reg_set(&f, REG_QUEUE_RESET, 1);
	reg_set(&f, REG_QUEUE_SEL, 1);
	reg_set(&f, REG_QUEUE_RESET, 1);
	assert_int_equal(f.event_count, 0);
	assert_true(has_defaults(&f, 0) && has_defaults(&f, 1));
	driver_queue(&f, 0, 16);
	driver_queue(&f, 1, 4);
	assert_int_equal(f.calls[OP_START], 2);
	assert_int_equal(f.calls[OP_NOTIFY], 2);
}

/*
 * Before DRIVER_OK no queue runs, so a queue reset only resets the configuration. That reset does
 * not permit the driver to enable the queue after DRIVER_OK.
 */
static void queue_reset_before_driver_ok_permits_nothing_afterwards(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_negotiate(&f, F_RING_RESET);
	driver_queue(&f, 0, 16);
	driver_queue(&f, 1, 8);
	driver_place(&f, 3, 4);
	device_forget(&f);
	for (uint32_t i = 0; i < DEVICE_QUEUES; i++) {
		reg_set(&f, REG_QUEUE_SEL, i);
		reg_set(&f, REG_QUEUE_RESET, 1);
		expect_shown(&f, 0, 0);
		assert_true(has_defaults(&f, i));
		assert_false(f.queues[i].may_reenable);
	}
	driver_queue(&f, 0, 4);
	assert_int_equal(f.event_count, 0);
	reg_set(&f, REG_STATUS, ST_OK);
	assert_int_equal(f.calls[OP_NOTIFY], 1);
	/*
	 * The device runs now, and queue 0 is stopped. Without another queue reset, the driver
	 * cannot set up or enable any queue.
	 */
	reg_set(&f, REG_QUEUE_SEL, 0);
	reg_set(&f, REG_QUEUE_READY, 0);
	for (uint32_t i = 0; i < DEVICE_QUEUES; i++) {
		device_keep(&f);
		driver_place(&f, i, 2);
		f.kept.queue_sel = i;
		assert_false(driver_enable(&f, i));
		assert_true(device_unchanged(&f));
	}
}

/* The end of a reset of the device also ends the stop of a queue. */
static void queue_stop_in_progress_ends_with_device_reset(void **state)
{
	struct device_fixture f;

	(void)state;
	for (uint32_t reset = 0; reset < 2; reset++) {
		start(&f, F_RING_RESET);
		f.answer[OP_STOP] = VIRTIO_DEVICE_IN_PROGRESS;
		assert_int_equal(reg_write(&f, reset ? REG_QUEUE_RESET : REG_QUEUE_READY, reset),
				 VIRTIO_DEVICE_IN_PROGRESS);
		reg_set(&f, REG_STATUS, 0);
		assert_true(device_is_fresh(&f));
		assert_int_equal(virtio_device_queue_stopped(&f.device, 0, 0), VIRTIO_EINVAL);
		assert_true(device_is_fresh(&f));
		/* After the next DRIVER_OK the report is still refused, as no queue stops. */
		driver_start(&f, F_RING_RESET);
		device_keep(&f);
		assert_int_equal(virtio_device_queue_stopped(&f.device, 0, 0), VIRTIO_EINVAL);
		assert_true(device_unchanged(&f));
	}
}

/*
 * Two queue resets and a device reset are in progress. Each of these resets ends by its own report.
 * A queue may read as reset before the device reset ends, because nothing can be set up during that
 * reset. If the device reset fails, a queue reset that failed earlier still reads as in progress.
 */
static void queue_stop_in_progress_during_device_reset_in_progress(void **state)
{
	struct device_fixture f;

	(void)state;
	for (int error = 0; error >= VIRTIO_EIO; error += VIRTIO_EIO) {
		start(&f, F_RING_RESET);
		f.answer[OP_STOP] = VIRTIO_DEVICE_IN_PROGRESS;
		f.answer[OP_RESET] = VIRTIO_DEVICE_IN_PROGRESS;
		assert_int_equal(reg_write(&f, REG_QUEUE_RESET, 1), VIRTIO_DEVICE_IN_PROGRESS);
		reg_set(&f, REG_QUEUE_SEL, 1);
		assert_int_equal(reg_write(&f, REG_QUEUE_RESET, 1), VIRTIO_DEVICE_IN_PROGRESS);
		assert_int_equal(reg_write(&f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
		expect_shown(&f, 1, 1);
		assert_int_equal(virtio_device_queue_stopped(&f.device, 0, 0), 0);
		assert_int_equal(virtio_device_queue_stopped(&f.device, 1, VIRTIO_EIO), 0);
		expect_shown(&f, 1, 1);
		reg_set(&f, REG_QUEUE_SEL, 0);
		expect_shown(&f, 0, 0);
		driver_place(&f, 0, 4);
		assert_false(driver_enable(&f, 0));
		assert_true(has_defaults(&f, 0));
		assert_true(virtio_device_waiting(&f.device));
		assert_int_equal(virtio_device_reset_done(&f.device, error), 0);
		assert_false(virtio_device_waiting(&f.device));
		if (!error) {
			assert_true(device_is_fresh(&f));
			continue;
		}
		expect_shown(&f, 0, 0);
		reg_set(&f, REG_QUEUE_SEL, 1);
		expect_shown(&f, 1, 1);
		assert_int_equal(reg_get(&f, REG_STATUS), 0x4f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue_stop_ends_at_once),
		cmocka_unit_test(queue_stop_in_progress_shows_ready_until_its_end),
		cmocka_unit_test(queue_stopped_within_operation_does_nothing),
		cmocka_unit_test(queue_stop_that_fails_needs_reset),
		cmocka_unit_test(queue_stop_in_progress_may_fail),
		cmocka_unit_test(queue_reset_is_ignored_without_feature),
		cmocka_unit_test(queue_reset_ends_at_once_with_defaults),
		cmocka_unit_test(queue_reset_then_enabled_with_other_configuration),
		cmocka_unit_test(queue_enabled_after_reset_may_fail),
		cmocka_unit_test(queue_enabled_by_device_that_breaks_is_not_notified),
		cmocka_unit_test(queue_reset_in_progress_shows_one_until_its_end),
		cmocka_unit_test(queue_reset_during_stop_in_progress),
		cmocka_unit_test(queue_reset_of_queue_that_does_not_run),
		cmocka_unit_test(queue_reset_before_driver_ok_permits_nothing_afterwards),
		cmocka_unit_test(queue_stop_in_progress_ends_with_device_reset),
		cmocka_unit_test(queue_stop_in_progress_during_device_reset_in_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
