/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * QueueReady = 1 while a translation of the queue's areas is not known yet: the vCPU's wait, and
 * every event that ends the wait.
 */
#include "device_fixture.h"

/*
 * Translates any address. If the integer to which `context` points is an error, returns this error.
 */
static int translate(void *context, uint64_t addr, uint64_t len, uint32_t access, struct virtio_translation *out)
{
	const int *answer = context;

	(void)access;
	if (*answer)
		return *answer;
	*out = (struct virtio_translation){ addr, len, VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE };
	return 0;
}

/*
 * Sets up queue 0 as a driver does, and makes the translation of its areas unknown. If `active` is
 * true, the device is active, and the driver has reset the queue by QueueReset.
 */
static void prepare(struct device_fixture *f, int *answer, bool active)
{
	device_prepare(f);
	*answer = 0;
	virtio_memory_map_set_translation(&f->map, translate, answer);
	device_make(f);
	if (active)
		driver_start(f, F_RING_RESET);
	else
		driver_negotiate(f, F_RING_RESET);
	reg_set(f, REG_QUEUE_SEL, 0);
	if (active)
		reg_set(f, REG_QUEUE_RESET, 1);
	driver_place(f, 0, 8);
	*answer = VIRTIO_ENOTMAPPED;
	f->device.ignored = 0;
	device_forget(f);
}

/* Does the same as prepare(), and writes QueueReady. The write then waits. */
static void wait_for_translation(struct device_fixture *f, int *answer, bool active)
{
	prepare(f, answer, active);
	assert_int_equal(reg_write(f, REG_QUEUE_READY, 1), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(reg_get(f, REG_QUEUE_READY), 0);
	assert_true(virtio_device_waiting(&f->device));
}

/*
 * Checks that the wait is over, the queue is not enabled, and a later report by
 * virtio_device_queue_mapped() has no effect.
 */
static void expect_over(struct device_fixture *f, int *answer)
{
	assert_false(virtio_device_waiting(&f->device));
	assert_int_equal(reg_get(f, REG_QUEUE_READY), 0);
	*answer = 0;
	device_keep(f);
	assert_int_equal(virtio_device_queue_mapped(&f->device, 0), VIRTIO_EINVAL);
	assert_true(device_unchanged(f));
}

/* A wait */

static void queue_ready_waits_until_translation_is_known(void **state)
{
	struct virtio_queue_registers_state queues[DEVICE_QUEUES];
	struct virtio_device_state saved;
	struct device_fixture f;
	int answer;

	(void)state;
	for (uint32_t active = 0; active < 2; active++) {
		wait_for_translation(&f, &answer, active);
		assert_int_equal(f.device.first_error, 0);
		assert_int_equal(f.device.ignored, 0);
		assert_int_equal(f.event_count, 0);
		device_keep(&f);
		assert_int_equal(virtio_device_save(&f.device, &saved, queues, DEVICE_QUEUES), 0);
		assert_true(queues[0].enabling && !queues[0].ready);
		assert_int_equal(virtio_device_queue_mapped(&f.device, 0), VIRTIO_DEVICE_IN_PROGRESS);
		assert_true(device_unchanged(&f));
		answer = 0;
		assert_int_equal(virtio_device_queue_mapped(&f.device, 0), 0);
		assert_int_equal(reg_get(&f, REG_QUEUE_READY), 1);
		assert_false(virtio_device_waiting(&f.device));
		assert_int_equal(f.device.first_error, 0);
		assert_false(f.queues[0].may_reenable);
		/*
		 * An active device starts the queue now and is notified. Any other device starts
		 * the queue at DRIVER_OK.
		 */
		assert_int_equal(f.event_count, 2 * active);
		if (!active)
			reg_set(&f, REG_STATUS, ST_OK);
		expect_event(&f, 0, active ? OP_START : OP_ACTIVATE, 0, 0);
		expect_event(&f, 1, OP_NOTIFY, 0, 0);
		device_keep(&f);
		assert_int_equal(virtio_device_queue_mapped(&f.device, 0), VIRTIO_EINVAL);
		assert_true(device_unchanged(&f));
		assert_int_equal(virtio_device_save(&f.device, &saved, queues, DEVICE_QUEUES), 0);
	}
}

/* The device's queue_start() may also return VIRTIO_ENOTMAPPED. */
static void queue_ready_waits_when_queue_start_says_not_mapped(void **state)
{
	struct device_fixture f;
	int answer;

	(void)state;
	prepare(&f, &answer, true);
	answer = 0;
	f.answer[OP_START] = VIRTIO_ENOTMAPPED;
	assert_int_equal(reg_write(&f, REG_QUEUE_READY, 1), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(virtio_device_queue_mapped(&f.device, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(f.calls[OP_START], 2);
	assert_int_equal(f.calls[OP_NOTIFY], 0);
	assert_int_equal(reg_get(&f, REG_QUEUE_READY), 0);
	assert_true(virtio_device_waiting(&f.device));
	assert_true(f.queues[0].may_reenable);
	assert_int_equal(f.device.first_error, 0);
	f.answer[OP_START] = 0;
	assert_int_equal(virtio_device_queue_mapped(&f.device, 0), 0);
	assert_int_equal(reg_get(&f, REG_QUEUE_READY), 1);
	assert_int_equal(f.calls[OP_START], 3);
	assert_int_equal(f.calls[OP_NOTIFY], 1);
}

static void queue_ready_that_waits_serves_what_driver_made_available(void **state)
{
	struct device_fixture f;
	uint16_t head;
	int answer;

	(void)state;
	wait_for_translation(&f, &answer, true);
	f.serves = true;
	answer = 0;
	driver_mock(&f, 0, 8);
	head = driver_add(&f, 0, 5);
	assert_int_equal(virtio_device_queue_mapped(&f.device, 0), 0);
	driver_expect(&f, 0, head, 5);
}

/*
 * The wait ends with an error if the translation fails permanently, or if the device cannot start
 * the queue.
 */
static void queue_ready_that_waits_ends_with_any_other_error(void **state)
{
	static const struct {
		int translation, start;
	} errors[] = { { VIRTIO_EFAULT, 0 }, { VIRTIO_EPERM, 0 }, { 0, VIRTIO_EIO }, { 0, VIRTIO_EFAULT } };
	struct device_fixture f;
	int answer;

	(void)state;
	for (uint32_t i = 0; i < COUNT(errors); i++) {
		const int error = errors[i].translation ? errors[i].translation : errors[i].start;

		wait_for_translation(&f, &answer, true);
		answer = errors[i].translation;
		f.answer[OP_START] = errors[i].start;
		assert_int_equal(virtio_device_queue_mapped(&f.device, 0), 0);
		assert_int_equal(f.device.first_error, error);
		assert_int_equal(f.device.first_queue, 0);
		assert_int_equal(f.device.ignored, 1);
		expect_over(&f, &answer);
		f.answer[OP_START] = 0;
		assert_true(driver_enable(&f, 0));
	}
}

static void queue_ready_that_waits_uses_new_memory(void **state)
{
	struct virtio_memory_map untranslated;
	struct device_fixture f;
	int answer;

	(void)state;
	wait_for_translation(&f, &answer, false);
	assert_int_equal(virtio_memory_map_init(&untranslated, f.regions, COUNT(f.regions)), 0);
	virtio_device_set_memory(&f.device, &untranslated);
	assert_int_equal(virtio_device_queue_mapped(&f.device, 0), 0);
	assert_int_equal(reg_get(&f, REG_QUEUE_READY), 1);
}

/* A report for one queue does not end the wait of another queue. */
static void queue_mapped_concerns_one_queue(void **state)
{
	struct device_fixture f;
	int answer;

	(void)state;
	wait_for_translation(&f, &answer, false);
	driver_place(&f, 1, 4);
	assert_int_equal(reg_write(&f, REG_QUEUE_READY, 1), VIRTIO_DEVICE_IN_PROGRESS);
	answer = 0;
	device_keep(&f);
	for (uint32_t queue = DEVICE_ABSENT; queue < 0x10000; queue += 7)
		assert_int_equal(virtio_device_queue_mapped(&f.device, (uint16_t)queue), VIRTIO_EINVAL);
	assert_int_equal(virtio_device_queue_mapped(&f.device, VIRTIO_DEVICE_NO_QUEUE), VIRTIO_EINVAL);
	assert_true(device_unchanged(&f));
	assert_int_equal(virtio_device_queue_mapped(&f.device, 1), 0);
	assert_true(virtio_device_waiting(&f.device));
	assert_true(f.queues[1].config.ready && !f.queues[0].config.ready);
	assert_int_equal(virtio_device_queue_mapped(&f.device, 0), 0);
	assert_false(virtio_device_waiting(&f.device));
	assert_true(f.queues[0].config.ready);
}

static void on_start_say_mapped(struct device_fixture *f, enum device_op op, uint32_t a)
{
	if (op == OP_START)
		f->hook_result = virtio_device_queue_mapped(&f->device, (uint16_t)a);
}

/*
 * A report is refused before the first queue_start() has returned VIRTIO_ENOTMAPPED, and during
 * each later call of queue_start().
 */
static void queue_mapped_within_queue_start_does_nothing(void **state)
{
	struct device_fixture f;
	int answer;

	(void)state;
	prepare(&f, &answer, true);
	answer = 0;
	f.hook = on_start_say_mapped;
	f.answer[OP_START] = VIRTIO_ENOTMAPPED;
	assert_int_equal(reg_write(&f, REG_QUEUE_READY, 1), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(f.hook_result, VIRTIO_EINVAL);
	f.hook_result = 0;
	assert_int_equal(virtio_device_queue_mapped(&f.device, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(f.hook_result, VIRTIO_EINVAL);
	assert_int_equal(f.calls[OP_START], 2);
}

/* Actions of the driver during a wait */

static void queue_that_waits_ignores_its_registers(void **state)
{
	struct device_fixture f;
	int answer;

	(void)state;
	for (uint32_t active = 0; active < 2; active++) {
		wait_for_translation(&f, &answer, active);
		device_keep(&f);
		reg_set(&f, REG_QUEUE_SIZE, 4);
		reg_set(&f, REG_QUEUE_SIZE, 3);
		reg_set64(&f, REG_QUEUE_DESC, RAM_START);
		reg_set(&f, REG_QUEUE_DEVICE, 1);
		reg_set(&f, REG_QUEUE_NOTIFY, 0);
		assert_int_equal(f.device.ignored, 6);
		assert_true(device_unchanged(&f));
		/* Another queue is set up as usual. */
		reg_set(&f, REG_QUEUE_SEL, 1);
		reg_set(&f, REG_QUEUE_RESET, 1);
		reg_set(&f, REG_QUEUE_SIZE, 2);
		assert_int_equal(f.queues[1].config.size, 2);
	}
}

static void queue_ready_written_again_retries(void **state)
{
	struct device_fixture f;
	int answer;

	(void)state;
	for (uint32_t active = 0; active < 2; active++) {
		wait_for_translation(&f, &answer, active);
		device_keep(&f);
		assert_int_equal(reg_write(&f, REG_QUEUE_READY, 1), VIRTIO_DEVICE_IN_PROGRESS);
		assert_true(device_unchanged(&f));
		answer = 0;
		assert_int_equal(reg_write(&f, REG_QUEUE_READY, 1), 0);
		assert_int_equal(reg_get(&f, REG_QUEUE_READY), 1);
		assert_false(virtio_device_waiting(&f.device));
	}
}

static void queue_that_waits_is_disabled_by_driver(void **state)
{
	struct device_fixture f;
	int answer;

	(void)state;
	for (uint32_t active = 0; active < 2; active++) {
		wait_for_translation(&f, &answer, active);
		reg_set(&f, REG_QUEUE_READY, 0);
		assert_int_equal(f.event_count, 0);
		assert_int_equal(f.device.ignored, 0);
		expect_over(&f, &answer);
		/* The driver's set-up is unchanged, so the queue can still be enabled. */
		assert_true(driver_enable(&f, 0));
		assert_int_equal(f.queues[0].config.size, 8);
	}
}

static void queue_that_waits_is_reset_by_driver(void **state)
{
	struct device_fixture f;
	int answer;

	(void)state;
	for (uint32_t active = 0; active < 2; active++) {
		wait_for_translation(&f, &answer, active);
		reg_set(&f, REG_QUEUE_RESET, 1);
		assert_int_equal(reg_get(&f, REG_QUEUE_RESET), 0);
		assert_int_equal(f.event_count, 0);
		assert_int_equal(f.queues[0].config.size, 16);
		assert_int_equal(f.queues[0].given, 0);
		assert_int_equal(f.queues[0].may_reenable, active);
		expect_over(&f, &answer);
	}
}

/*
 * The driver requests a device reset. The request ends the wait, and the queue is not enabled,
 * whether or not the reset succeeds.
 */
static void queue_that_waits_ends_with_device_reset(void **state)
{
	struct device_fixture f;
	int answer;

	(void)state;
	for (uint32_t active = 0; active < 2; active++) {
		wait_for_translation(&f, &answer, active);
		reg_set(&f, REG_STATUS, 0);
		assert_true(device_is_fresh(&f));
		expect_over(&f, &answer);

		wait_for_translation(&f, &answer, active);
		f.answer[OP_RESET] = VIRTIO_DEVICE_IN_PROGRESS;
		assert_int_equal(reg_write(&f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
		answer = 0;
		assert_int_equal(virtio_device_queue_mapped(&f.device, 0), VIRTIO_EINVAL);
		assert_true(virtio_device_waiting(&f.device));
		assert_int_equal(virtio_device_reset_done(&f.device, 0), 0);
		assert_true(device_is_fresh(&f));

		wait_for_translation(&f, &answer, active);
		f.answer[OP_RESET] = VIRTIO_EIO;
		reg_set(&f, REG_STATUS, 0);
		assert_true((reg_get(&f, REG_STATUS) & ST_NEEDS_RESET) != 0);
		expect_over(&f, &answer);
	}
}

/*
 * virtio 1.4, 3.1.1: queues are set up before DRIVER_OK. This driver sets DRIVER_OK while its write
 * of QueueReady still waits. So the queue stays disabled. The device is activated without the
 * queue, unless the device needs a reset.
 */
static void queue_that_waits_is_left_out_at_driver_ok(void **state)
{
	struct device_fixture f;
	int answer;

	(void)state;
	for (uint32_t needs_reset = 0; needs_reset < 2; needs_reset++) {
		wait_for_translation(&f, &answer, false);
		if (needs_reset)
			virtio_device_set_needs_reset(&f.device);
		reg_set(&f, REG_STATUS, ST_OK);
		assert_int_equal(f.calls[OP_ACTIVATE], !needs_reset);
		assert_int_equal(f.calls[OP_NOTIFY], 0);
		assert_int_equal(f.device.first_error, VIRTIO_ENOTMAPPED);
		assert_int_equal(f.device.first_queue, 0);
		assert_int_equal(f.device.ignored, 1);
		expect_over(&f, &answer);
		assert_false(driver_enable(&f, 0));
		assert_int_equal(f.calls[OP_START], 0);
	}
}

/*
 * After FAILED or DEVICE_NEEDS_RESET no queue can be enabled. The wait ends at the next report or
 * write to QueueReady.
 */
static void queue_that_waits_is_not_enabled_once_device_is_stuck(void **state)
{
	struct device_fixture f;
	int answer;

	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		wait_for_translation(&f, &answer, i & 1);
		if (i & 2)
			virtio_device_set_needs_reset(&f.device);
		else
			reg_set(&f, REG_STATUS, ST_FAILED);
		assert_true(virtio_device_waiting(&f.device));
		device_forget(&f);
		answer = 0;
		if (i & 4)
			reg_set(&f, REG_QUEUE_READY, 1);
		else
			assert_int_equal(virtio_device_queue_mapped(&f.device, 0), 0);
		assert_int_equal(f.event_count, 0);
		assert_int_equal(f.device.ignored, 1);
		expect_over(&f, &answer);
	}
}

/* Areas that are not mapped at DRIVER_OK or at a restore */

/*
 * A queue can be enabled only if its areas are mapped. If an area is not mapped at DRIVER_OK, the
 * driver has unmapped the area.
 */
static void status_activation_that_is_not_mapped_needs_reset(void **state)
{
	struct device_fixture f;
	int answer;

	(void)state;
	prepare(&f, &answer, false);
	f.serves = true;
	answer = 0;
	assert_true(driver_enable(&f, 0));
	f.serves = false;
	f.answer[OP_ACTIVATE] = VIRTIO_ENOTMAPPED;
	reg_set(&f, REG_STATUS, ST_OK);
	assert_int_equal(reg_get(&f, REG_STATUS), ST_OK | ST_NEEDS_RESET);
	assert_int_equal(f.device.first_error, VIRTIO_ENOTMAPPED);
	assert_false(virtio_device_waiting(&f.device));
	assert_int_equal(f.raised, 1);
}

static void state_restore_can_be_retried_when_queue_is_mapped(void **state)
{
	struct virtio_queue_registers_state queues[DEVICE_QUEUES];
	struct virtio_device_state saved;
	struct device_fixture f;
	int answer;

	(void)state;
	prepare(&f, &answer, true);
	assert_int_equal(virtio_device_save(&f.device, &saved, queues, DEVICE_QUEUES), 0);
	device_make(&f);
	device_keep(&f);
	assert_int_equal(virtio_device_restore(&f.device, &saved, queues, DEVICE_QUEUES), VIRTIO_ENOTMAPPED);
	assert_true(device_unchanged(&f));
	answer = 0;
	assert_int_equal(virtio_device_restore(&f.device, &saved, queues, DEVICE_QUEUES), 0);
	assert_int_equal(reg_get(&f, REG_STATUS), ST_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue_ready_waits_until_translation_is_known),
		cmocka_unit_test(queue_ready_waits_when_queue_start_says_not_mapped),
		cmocka_unit_test(queue_ready_that_waits_serves_what_driver_made_available),
		cmocka_unit_test(queue_ready_that_waits_ends_with_any_other_error),
		cmocka_unit_test(queue_ready_that_waits_uses_new_memory),
		cmocka_unit_test(queue_mapped_concerns_one_queue),
		cmocka_unit_test(queue_mapped_within_queue_start_does_nothing),
		cmocka_unit_test(queue_that_waits_ignores_its_registers),
		cmocka_unit_test(queue_ready_written_again_retries),
		cmocka_unit_test(queue_that_waits_is_disabled_by_driver),
		cmocka_unit_test(queue_that_waits_is_reset_by_driver),
		cmocka_unit_test(queue_that_waits_ends_with_device_reset),
		cmocka_unit_test(queue_that_waits_is_left_out_at_driver_ok),
		cmocka_unit_test(queue_that_waits_is_not_enabled_once_device_is_stuck),
		cmocka_unit_test(status_activation_that_is_not_mapped_needs_reset),
		cmocka_unit_test(state_restore_can_be_retried_when_queue_is_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
