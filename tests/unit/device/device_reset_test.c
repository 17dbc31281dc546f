/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Resets of the device that end at once, take time, or fail (virtio 1.4, 2.4). */
#include "device_fixture.h"

/*
 * Starts the device with these features, and sets all four selectors. Leaves both causes of
 * interrupts pending.
 */
static void disturb(struct device_fixture *f, uint64_t features)
{
	driver_start(f, features);
	reg_set(f, REG_QUEUE_SEL, 3);
	reg_set(f, REG_SHM_SEL, 255);
	reg_set(f, REG_DEVICE_FEATURES_SEL, 2);
	reg_set(f, REG_DRIVER_FEATURES_SEL, 3);
	virtio_device_interrupt_used(&f->device, 1);
	virtio_device_config_changed(&f->device);
	assert_int_equal(reg_get(f, REG_INTERRUPT_STATUS), 3);
	assert_true(f->line);
}

/*
 * Hostile 91; regression R3: a reset restores every default and lowers the line. The generation
 * does not change.
 */
static void reset_restores_every_default(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	disturb(&f, F_RING_RESET | F_EVENT_IDX | F_INDIRECT | F_IN_ORDER);
	reg_set(&f, REG_QUEUE_RESET, 1);
	driver_place(&f, 3, 2);
	device_forget(&f);
	reg_set(&f, REG_STATUS, 0);
	assert_int_equal(reg_get(&f, REG_STATUS), 0);
	assert_int_equal(reg_get(&f, REG_INTERRUPT_STATUS), 0);
	assert_true(device_is_fresh(&f));
	assert_false(f.line);
	assert_int_equal(f.calls[OP_RESET], 1);
	assert_int_equal(f.raised, 0);
	assert_int_equal(f.lowered, 1);
	assert_int_equal(reg_get(&f, REG_CONFIG_GENERATION), 1);
	for (uint32_t i = 0; i < DEVICE_QUEUES; i++) {
		reg_set(&f, REG_QUEUE_SEL, i);
		assert_int_equal(reg_get(&f, REG_QUEUE_READY), 0);
		assert_int_equal(reg_get(&f, REG_QUEUE_RESET), 0);
	}
}

/*
 * A reset also clears a feature accepted beyond the last word, and set-up written while the status
 * was 0.
 */
static void reset_forgets_what_was_said_before_features_ok(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_place(&f, 0, 2);
	reg_set(&f, REG_STATUS, 0);
	assert_true(device_is_fresh(&f));
	driver_probe(&f);
	driver_accept(&f, UINT64_MAX);
	reg_set(&f, REG_DRIVER_FEATURES_SEL, 9);
	reg_set(&f, REG_DRIVER_FEATURES, 1);
	assert_true(f.device.accepted_beyond);
	reg_set(&f, REG_STATUS, 0);
	assert_true(device_is_fresh(&f));
	assert_int_equal(f.calls[OP_RESET], 2);
}

/* Hostile 94: if a reset leaked memory, the leak sanitizer would fail this program at its exit. */
static void reset_ten_thousand_times(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	f.serves = true;
	for (uint32_t i = 0; i < 10000; i++) {
		driver_start(&f, i % 2 ? F_RING_RESET : F_EVENT_IDX);
		f.device.generation = 0;
		if (i % 3 == 0)
			virtio_device_set_needs_reset(&f.device);
		reg_set(&f, REG_STATUS, 0);
	}
	assert_true(device_is_fresh(&f));
	assert_int_equal(f.calls[OP_RESET], 10000);
	assert_int_equal(f.calls[OP_ACTIVATE], 10000);
	assert_int_equal(f.device.ignored, 0);
}

/* Resets in progress */

/*
 * Writes to every writable register except the selectors, with values that have no effect during a
 * reset. Leaves out acknowledgements of pending bits, and stops and resets of an enabled queue.
 */
static void poke_everything(struct device_fixture *f)
{
	for (uint32_t value = 1; value < 256; value++)
		reg_set(f, REG_STATUS, value);
	reg_set(f, REG_DRIVER_FEATURES, UINT32_MAX);
	reg_set(f, REG_QUEUE_SIZE, 1);
	for (uint32_t offset = REG_QUEUE_DESC; offset <= REG_QUEUE_DEVICE + 4; offset += 4)
		reg_set(f, offset, RAM_START);
	reg_set(f, REG_QUEUE_READY, 1);
	reg_set(f, REG_QUEUE_RESET, 0);
	reg_set(f, REG_QUEUE_NOTIFY, 0);
	reg_set(f, REG_CONFIG, 0);
	reg_set(f, REG_INTERRUPT_ACK, 0xfffffffc);
}

/* Hostile 92: the status shows 0 only when the reset has ended. Until then nothing changes. */
static void reset_in_progress_shows_nothing_until_its_end(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	disturb(&f, F_RING_RESET);
	assert_false(virtio_device_resetting(&f.device) || virtio_device_waiting(&f.device));
	f.answer[OP_RESET] = VIRTIO_DEVICE_IN_PROGRESS;
	assert_int_equal(reg_write(&f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_true(virtio_device_resetting(&f.device) && virtio_device_waiting(&f.device));
	assert_int_equal(f.calls[OP_RESET], 1);
	device_keep(&f);
	poke_everything(&f);
	/*
	 * A second reset, by another vCPU or by the VMM, waits for the end of the first reset. The
	 * device's reset() isn't called twice.
	 */
	assert_int_equal(reg_write(&f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(virtio_device_reset(&f.device), VIRTIO_DEVICE_IN_PROGRESS);
	assert_true(device_unchanged(&f));
	assert_int_equal(reg_get(&f, REG_STATUS), ST_OK);
	assert_int_equal(reg_get(&f, REG_QUEUE_READY), 1);
	assert_int_equal(reg_get(&f, REG_INTERRUPT_STATUS), 3);
	assert_int_equal(virtio_device_reset_done(&f.device, 0), 0);
	assert_false(virtio_device_resetting(&f.device) || virtio_device_waiting(&f.device));
	assert_true(device_is_fresh(&f));
	assert_false(f.line);
	device_keep(&f);
	assert_int_equal(virtio_device_reset_done(&f.device, 0), VIRTIO_EINVAL);
	assert_true(device_unchanged(&f));
}

/*
 * Events during a reset cause no interrupt and no DEVICE_NEEDS_RESET. A configuration change only
 * raises the generation.
 */
static void reset_in_progress_hears_no_event(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_start(&f, 0);
	f.answer[OP_RESET] = VIRTIO_DEVICE_IN_PROGRESS;
	assert_int_equal(reg_write(&f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	device_keep(&f);
	virtio_device_interrupt_used(&f.device, 0);
	assert_false(virtio_device_mark_interrupt(&f.device, VIRTIO_INTERRUPT_USED));
	virtio_device_set_needs_reset(&f.device);
	assert_true(device_unchanged(&f));
	virtio_device_config_changed(&f.device);
	f.kept.generation++;
	assert_true(device_unchanged(&f));
	assert_int_equal(virtio_device_reset_done(&f.device, 0), 0);
	assert_true(device_is_fresh(&f));
	assert_int_equal(f.calls[OP_INTERRUPT], 0);
	f.answer[OP_RESET] = 0;
	driver_start(&f, 0);
}

/*
 * Another vCPU that stops or resets a queue also waits. If this vCPU read 0 in QueueReset, the
 * driver would own the buffers again (virtio 1.4, 4.2.2.2).
 */
static void reset_in_progress_holds_who_stops_a_queue(void **state)
{
	struct device_fixture f;

	(void)state;
	for (uint32_t reset = 0; reset < 2; reset++) {
		const uint32_t offset = reset ? REG_QUEUE_RESET : REG_QUEUE_READY;

		device_setup(&f);
		disturb(&f, F_RING_RESET);
		f.answer[OP_RESET] = VIRTIO_DEVICE_IN_PROGRESS;
		assert_int_equal(reg_write(&f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
		device_keep(&f);
		f.kept_queues[3].resetting = reset;
		assert_int_equal(reg_write(&f, offset, reset), VIRTIO_DEVICE_IN_PROGRESS);
		assert_int_equal(reg_write(&f, offset, reset), VIRTIO_DEVICE_IN_PROGRESS);
		assert_true(device_unchanged(&f));
		assert_int_equal(f.device.ignored, 0);
		assert_int_equal(reg_get(&f, REG_QUEUE_READY), 1);
		assert_int_equal(reg_get(&f, REG_QUEUE_RESET), reset);
		assert_int_equal(virtio_device_queue_stopped(&f.device, 3, 0), VIRTIO_EINVAL);
		assert_int_equal(virtio_device_reset_done(&f.device, 0), 0);
		assert_true(device_is_fresh(&f));
	}
}

/*
 * A write for a queue that is not enabled does not wait, because nothing uses the queue. A queue
 * reset without RING_RESET, or a stop of a queue that does not exist, has no effect.
 */
static void reset_in_progress_holds_no_one_for_a_queue_that_does_not_run(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	disturb(&f, 0);
	f.answer[OP_RESET] = VIRTIO_DEVICE_IN_PROGRESS;
	assert_int_equal(reg_write(&f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	device_keep(&f);
	reg_set(&f, REG_QUEUE_RESET, 1);
	reg_set(&f, REG_QUEUE_SEL, DEVICE_ABSENT);
	reg_set(&f, REG_QUEUE_READY, 0);
	f.kept.queue_sel = DEVICE_ABSENT;
	assert_true(device_unchanged(&f));
	assert_int_equal(virtio_device_reset_done(&f.device, 0), 0);
	f.answer[OP_RESET] = 0;
	disturb(&f, F_RING_RESET);
	reg_set(&f, REG_QUEUE_READY, 0);
	f.answer[OP_RESET] = VIRTIO_DEVICE_IN_PROGRESS;
	assert_int_equal(reg_write(&f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	device_keep(&f);
	reg_set(&f, REG_QUEUE_READY, 0);
	reg_set(&f, REG_QUEUE_RESET, 1);
	assert_true(device_unchanged(&f));
	assert_int_equal(reg_get(&f, REG_QUEUE_RESET), 0);
	assert_int_equal(f.device.ignored, 4);
}

/*
 * A driver in the middle of its set-up cannot continue during a reset. After the reset, the device
 * has no pending event.
 */
static void reset_in_progress_before_driver_ok(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_negotiate(&f, F_RING_RESET);
	driver_place(&f, 1, 4);
	f.answer[OP_RESET] = VIRTIO_DEVICE_IN_PROGRESS;
	assert_int_equal(reg_write(&f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	device_keep(&f);
	poke_everything(&f);
	assert_true(device_unchanged(&f));
	virtio_device_config_changed(&f.device);
	f.kept.generation++;
	assert_true(device_unchanged(&f));
	assert_int_equal(virtio_device_reset_done(&f.device, 0), 0);
	assert_true(device_is_fresh(&f));
	driver_probe(&f);
	assert_int_equal(reg_write(&f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	device_keep(&f);
	poke_everything(&f);
	assert_true(device_unchanged(&f));
}

/* During a reset the driver may still acknowledge interrupts. */
static void reset_in_progress_lets_driver_acknowledge(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	disturb(&f, 0);
	f.answer[OP_RESET] = VIRTIO_DEVICE_IN_PROGRESS;
	assert_int_equal(reg_write(&f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	reg_set(&f, REG_INTERRUPT_ACK, 3);
	assert_false(f.line);
	assert_int_equal(reg_get(&f, REG_INTERRUPT_STATUS), 0);
	assert_int_equal(virtio_device_reset_done(&f.device, 0), 0);
	assert_int_equal(f.lowered, 1);
}

static void on_reset_say_done(struct device_fixture *f, enum device_op op, uint32_t a)
{
	(void)a;
	if (op == OP_RESET)
		f->hook_result = virtio_device_reset_done(&f->device, 0);
}

/* A report is refused unless reset() has returned VIRTIO_DEVICE_IN_PROGRESS. */
static void reset_done_within_operation_or_without_need_does_nothing(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	assert_int_equal(virtio_device_reset_done(&f.device, 0), VIRTIO_EINVAL);
	disturb(&f, 0);
	device_keep(&f);
	assert_int_equal(virtio_device_reset_done(&f.device, 0), VIRTIO_EINVAL);
	assert_true(device_unchanged(&f));
	f.hook = on_reset_say_done;
	f.answer[OP_RESET] = VIRTIO_DEVICE_IN_PROGRESS;
	assert_int_equal(reg_write(&f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(f.hook_result, VIRTIO_EINVAL);
	assert_int_equal(reg_get(&f, REG_STATUS), ST_OK);
	assert_int_equal(virtio_device_reset_done(&f.device, 0), 0);
	assert_true(device_is_fresh(&f));
}

static void on_reset_reset_again(struct device_fixture *f, enum device_op op, uint32_t a)
{
	(void)a;
	if (op == OP_RESET)
		f->hook_result = virtio_device_reset(&f->device);
}

/* A reset that is requested within reset() joins the reset in progress. */
static void reset_within_operation_calls_it_once(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	disturb(&f, 0);
	f.hook = on_reset_reset_again;
	f.calls[OP_RESET] = 0;
	reg_set(&f, REG_STATUS, 0);
	assert_int_equal(f.hook_result, VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(f.calls[OP_RESET], 1);
	assert_true(device_is_fresh(&f));
}

/*
 * A vCPU waits for the stop of a queue. The end of a reset by another vCPU ends this wait, whether
 * or not the reset takes time.
 */
static void reset_ends_what_a_vcpu_waits_for(void **state)
{
	struct device_fixture f;

	(void)state;
	for (int takes_time = 0; takes_time < 2; takes_time++) {
		device_setup(&f);
		driver_start(&f, 0);
		assert_false(virtio_device_waiting(&f.device));
		reg_set(&f, REG_QUEUE_SEL, 0);
		f.answer[OP_STOP] = VIRTIO_DEVICE_IN_PROGRESS;
		assert_int_equal(reg_write(&f, REG_QUEUE_READY, 0), VIRTIO_DEVICE_IN_PROGRESS);
		assert_true(virtio_device_waiting(&f.device));
		f.answer[OP_RESET] = takes_time;
		assert_int_equal(reg_write(&f, REG_STATUS, 0), takes_time);
		assert_int_equal(virtio_device_waiting(&f.device), takes_time);
		assert_int_equal(f.device.resets, !takes_time);
		assert_int_equal(virtio_device_reset_done(&f.device, 0), takes_time ? 0 : VIRTIO_EINVAL);
		assert_false(virtio_device_waiting(&f.device));
		assert_int_equal(virtio_device_queue_stopped(&f.device, 0, 0), VIRTIO_EINVAL);
		assert_int_equal(f.device.resets, 1);
	}
}

/* The VMM calls virtio_device_reset(), which returns the result of reset(). */
static void reset_of_machine_answers_as_operation_does(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	disturb(&f, 0);
	assert_int_equal(virtio_device_reset(&f.device), 0);
	assert_true(device_is_fresh(&f));
	disturb(&f, 0);
	f.answer[OP_RESET] = VIRTIO_DEVICE_IN_PROGRESS;
	assert_int_equal(virtio_device_reset(&f.device), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(virtio_device_reset_done(&f.device, 0), 0);
	assert_true(device_is_fresh(&f));
	f.answer[OP_RESET] = VIRTIO_EIO;
	assert_int_equal(virtio_device_reset(&f.device), VIRTIO_EIO);
	assert_int_equal(reg_get(&f, REG_STATUS), ST_NEEDS_RESET);
}

/* Resets that fail */

/*
 * Hostile 93: the device stays as it was, but needs a reset. Until a reset succeeds, the driver can
 * neither set up nor kick the device.
 */
static void reset_that_fails_leaves_device_as_it_was(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_start(&f, F_RING_RESET);
	f.answer[OP_RESET] = VIRTIO_ENOTSUP;
	device_forget(&f);
	device_keep(&f);
	reg_set(&f, REG_STATUS, 0);
	assert_int_equal(reg_get(&f, REG_STATUS), 0x4f);
	assert_int_equal(reg_get(&f, REG_INTERRUPT_STATUS), 2);
	assert_int_equal(f.event_count, 2);
	expect_event(&f, 1, OP_INTERRUPT, VIRTIO_INTERRUPT_CONFIG, VIRTIO_DEVICE_NO_QUEUE);
	f.kept.live = f.device.live;
	memcpy(f.kept_calls, f.calls, sizeof f.calls);
	assert_true(device_unchanged(&f));
	assert_int_equal(f.device.first_error, VIRTIO_ENOTSUP);
	assert_int_equal(virtio_device_reset_done(&f.device, 0), VIRTIO_EINVAL);
	/*
	 * The device still runs, so its interrupts arrive. But the driver cannot set up anything.
	 */
	reg_set(&f, REG_STATUS, 1);
	reg_set(&f, REG_STATUS, 0x41);
	reg_set(&f, REG_QUEUE_NOTIFY, 0);
	assert_int_equal(reg_get(&f, REG_STATUS), 0x4f);
	virtio_device_interrupt_used(&f.device, 0);
	assert_int_equal(reg_get(&f, REG_INTERRUPT_STATUS), 3);
	f.answer[OP_RESET] = 0;
	reg_set(&f, REG_STATUS, 0);
	assert_true(device_is_fresh(&f));
	driver_start(&f, 0);
}

/*
 * Hostile 93: a reset in status 0 may fail, at once or later. After the failure no driver can begin
 * its set-up.
 */
static void reset_that_fails_at_zero_blocks_initialization(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	f.answer[OP_RESET] = VIRTIO_DEVICE_IN_PROGRESS;
	assert_int_equal(reg_write(&f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(virtio_device_reset_done(&f.device, VIRTIO_EIO), 0);
	assert_int_equal(reg_get(&f, REG_STATUS), 0x40);
	f.answer[OP_RESET] = VIRTIO_EIO;
	reg_set(&f, REG_STATUS, 0);
	assert_int_equal(reg_get(&f, REG_STATUS), 0x40);
	assert_int_equal(f.calls[OP_INTERRUPT], 0);
	reg_set(&f, REG_STATUS, 0x41);
	reg_set(&f, REG_STATUS, 0x43);
	reg_set(&f, REG_STATUS, 1);
	assert_int_equal(reg_get(&f, REG_STATUS), 0x40);
	reg_set(&f, REG_STATUS, 0xc1);
	assert_int_equal(reg_get(&f, REG_STATUS), 0xc0);
	f.answer[OP_RESET] = 0;
	reg_set(&f, REG_STATUS, 0);
	driver_start(&f, 0);
}

/*
 * The device also stays as it was if the reset fails later. A vCPU that waits for the reset, or for
 * a queue that the reset would have stopped, continues.
 */
static void reset_in_progress_that_fails_leaves_device_as_it_was(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_start(&f, F_RING_RESET);
	device_keep(&f);
	f.answer[OP_RESET] = VIRTIO_DEVICE_IN_PROGRESS;
	assert_int_equal(reg_write(&f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(reg_write(&f, REG_QUEUE_RESET, 1), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(virtio_device_reset_done(&f.device, VIRTIO_DEVICE_IN_PROGRESS), VIRTIO_EINVAL);
	assert_true(virtio_device_waiting(&f.device));
	device_forget(&f);
	assert_int_equal(virtio_device_reset_done(&f.device, VIRTIO_EIO), 0);
	assert_false(virtio_device_resetting(&f.device) || virtio_device_waiting(&f.device));
	assert_int_equal(reg_get(&f, REG_STATUS), 0x4f);
	assert_int_equal(reg_get(&f, REG_INTERRUPT_STATUS), 2);
	assert_int_equal(f.event_count, 1);
	expect_event(&f, 0, OP_INTERRUPT, VIRTIO_INTERRUPT_CONFIG, VIRTIO_DEVICE_NO_QUEUE);
	assert_int_equal(f.device.first_error, VIRTIO_EIO);
	assert_int_equal(f.device.resets, 0);
	/* The queue is not reset, and QueueReset still reads 1. */
	f.kept_queues[3].resetting = true;
	f.kept.live = f.device.live;
	memcpy(f.kept_calls, f.calls, sizeof f.calls);
	assert_true(device_unchanged(&f));
	assert_int_equal(reg_get(&f, REG_QUEUE_RESET), 1);
	assert_int_equal(virtio_device_reset_done(&f.device, 0), VIRTIO_EINVAL);
	assert_int_equal(virtio_device_reset_done(&f.device, VIRTIO_EIO), VIRTIO_EINVAL);
	assert_true(device_unchanged(&f));
	/* The next reset calls reset() again. */
	assert_int_equal(reg_write(&f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(f.calls[OP_RESET], 1);
	assert_int_equal(virtio_device_reset_done(&f.device, 0), 0);
	assert_true(device_is_fresh(&f));
}

/* The stop of a queue stays in progress if a later reset of the device fails. */
static void reset_that_fails_leaves_stop_of_queue_in_progress(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_start(&f, F_RING_RESET);
	reg_set(&f, REG_QUEUE_SEL, 1);
	f.answer[OP_STOP] = VIRTIO_DEVICE_IN_PROGRESS;
	f.answer[OP_RESET] = VIRTIO_EIO;
	assert_int_equal(reg_write(&f, REG_QUEUE_RESET, 1), VIRTIO_DEVICE_IN_PROGRESS);
	reg_set(&f, REG_STATUS, 0);
	assert_int_equal(reg_get(&f, REG_STATUS), 0x4f);
	assert_int_equal(reg_get(&f, REG_QUEUE_RESET), 1);
	assert_int_equal(virtio_device_queue_stopped(&f.device, 1, 0), 0);
	assert_int_equal(reg_get(&f, REG_QUEUE_RESET), 0);
	assert_int_equal(reg_get(&f, REG_QUEUE_READY), 0);
}

static void on_reset_raise(struct device_fixture *f, enum device_op op, uint32_t a)
{
	(void)a;
	if (op == OP_RESET) {
		virtio_device_interrupt_used(&f->device, 0);
		virtio_device_set_needs_reset(&f->device);
		virtio_device_config_changed(&f->device);
	}
}

/* Events of the device up to the end of the reset reach no driver. */
static void reset_operation_that_raises_is_not_heard(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_start(&f, 0);
	f.hook = on_reset_raise;
	reg_set(&f, REG_STATUS, 0);
	assert_true(device_is_fresh(&f));
	assert_int_equal(f.calls[OP_INTERRUPT], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reset_restores_every_default),
		cmocka_unit_test(reset_forgets_what_was_said_before_features_ok),
		cmocka_unit_test(reset_ten_thousand_times),
		cmocka_unit_test(reset_within_operation_calls_it_once),
		cmocka_unit_test(reset_ends_what_a_vcpu_waits_for),
		cmocka_unit_test(reset_in_progress_shows_nothing_until_its_end),
		cmocka_unit_test(reset_in_progress_hears_no_event),
		cmocka_unit_test(reset_in_progress_holds_who_stops_a_queue),
		cmocka_unit_test(reset_in_progress_holds_no_one_for_a_queue_that_does_not_run),
		cmocka_unit_test(reset_in_progress_before_driver_ok),
		cmocka_unit_test(reset_in_progress_lets_driver_acknowledge),
		cmocka_unit_test(reset_done_within_operation_or_without_need_does_nothing),
		cmocka_unit_test(reset_of_machine_answers_as_operation_does),
		cmocka_unit_test(reset_that_fails_leaves_device_as_it_was),
		cmocka_unit_test(reset_that_fails_at_zero_blocks_initialization),
		cmocka_unit_test(reset_in_progress_that_fails_leaves_device_as_it_was),
		cmocka_unit_test(reset_that_fails_leaves_stop_of_queue_in_progress),
		cmocka_unit_test(reset_operation_that_raises_is_not_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
