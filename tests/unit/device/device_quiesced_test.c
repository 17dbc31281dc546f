/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A stop or a reset that waits for requests in flight has a number. A report with this number ends
 * the stop, or makes the core call reset() again.
 */
#include "device_fixture.h"

static void start(struct device_fixture *f)
{
	device_setup(f);
	driver_start(f, F_RING_RESET);
	device_forget(f);
	f->answer[OP_STOP] = VIRTIO_DEVICE_IN_PROGRESS;
	f->answer[OP_RESET] = VIRTIO_DEVICE_IN_PROGRESS;
}

/*
 * The driver begins to reset a queue, or the device. Both functions return the number of the stop
 * or reset in progress.
 */
static uint32_t begin_stop(struct device_fixture *f, uint16_t queue)
{
	reg_set(f, REG_QUEUE_SEL, queue);
	assert_int_equal(reg_write(f, REG_QUEUE_RESET, 1), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_not_equal(virtio_device_stop_number(&f->device, queue), 0);
	return virtio_device_stop_number(&f->device, queue);
}

static uint32_t begin_reset(struct device_fixture *f)
{
	assert_int_equal(reg_write(f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_not_equal(virtio_device_stop_number(&f->device, 0), 0);
	return virtio_device_stop_number(&f->device, 0);
}

/* Reports that a queue has no requests in flight. The report must be refused and change nothing. */
static void expect_refused(struct device_fixture *f, uint16_t queue, uint32_t number)
{
	device_keep(f);
	assert_int_equal(virtio_device_queue_quiesced(&f->device, queue, number), VIRTIO_EINVAL);
	assert_true(device_unchanged(f));
}

/* The number of a stop or reset */

static void stop_number_is_zero_unless_something_waits(void **state)
{
	struct device_fixture f;

	(void)state;
	start(&f);
	for (uint32_t i = 0; i <= 0xffff; i++)
		assert_int_equal(virtio_device_stop_number(&f.device, (uint16_t)i), 0);
	(void)begin_stop(&f, 1);
	assert_int_equal(virtio_device_stop_number(&f.device, 0), 0);
	assert_int_equal(virtio_device_stop_number(&f.device, 3), 0);
	(void)begin_reset(&f);
	assert_int_equal(virtio_device_stop_number(&f.device, DEVICE_ABSENT), 0);
	assert_int_equal(virtio_device_stop_number(&f.device, DEVICE_QUEUES), 0);
	assert_int_equal(virtio_device_stop_number(&f.device, 0xffff), 0);
	assert_int_equal(virtio_device_reset_done(&f.device, 0), 0);
	for (uint16_t i = 0; i < DEVICE_QUEUES; i++)
		assert_int_equal(virtio_device_stop_number(&f.device, i), 0);
}

/*
 * During a reset all queues have the reset's number, even a queue that was being stopped before. A
 * second reset joins the first one and has the same number.
 */
static void stop_number_is_that_of_the_reset_during_one(void **state)
{
	struct device_fixture f;
	uint32_t stop, reset;

	(void)state;
	start(&f);
	stop = begin_stop(&f, 1);
	reset = begin_reset(&f);
	assert_int_not_equal(stop, reset);
	assert_int_equal(virtio_device_stop_number(&f.device, 1), reset);
	assert_int_equal(virtio_device_stop_number(&f.device, 3), reset);
	assert_int_equal(begin_reset(&f), reset);
	assert_int_equal(virtio_device_reset_done(&f.device, VIRTIO_EIO), 0);
	assert_int_equal(virtio_device_stop_number(&f.device, 0), 0);
	assert_int_equal(virtio_device_stop_number(&f.device, 1), stop);
	assert_int_equal(begin_stop(&f, 1), stop);
}

static void stop_number_differs_each_time_and_is_never_zero(void **state)
{
	static const uint16_t queues[] = { 0, 1, 3 };
	struct device_fixture f;
	uint32_t last = 0;

	(void)state;
	start(&f);
	for (uint32_t i = 0; i < COUNT(queues); i++) {
		assert_int_equal(begin_stop(&f, queues[i]), last + 1);
		last++;
	}
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(begin_reset(&f), last + 1);
		last++;
		assert_int_equal(virtio_device_reset_done(&f.device, 0), 0);
	}
	f.device.last_number = UINT32_MAX - 1;
	assert_int_equal(begin_reset(&f), UINT32_MAX);
	assert_int_equal(virtio_device_reset_done(&f.device, 0), 0);
	assert_int_equal(begin_reset(&f), 1);
}

static void on_call_report(struct device_fixture *f, enum device_op op, uint32_t a)
{
	const uint16_t queue = op == OP_STOP ? (uint16_t)a : 0;

	if (op != OP_STOP && op != OP_RESET)
		return;
	assert_int_equal(virtio_device_stop_number(&f->device, queue), f->device.last_number);
	f->hook_result = virtio_device_queue_quiesced(&f->device, queue, f->device.last_number);
}

/*
 * An operation can read the number of the stop or reset for which the core calls it. A report from
 * within the operation is refused, because the report is too early.
 */
static void stop_number_is_known_within_operation_and_refused_there(void **state)
{
	struct device_fixture f;
	uint32_t number;

	(void)state;
	start(&f);
	f.hook = on_call_report;
	number = begin_stop(&f, 1);
	assert_int_equal(f.hook_result, VIRTIO_EINVAL);
	assert_int_equal(reg_get(&f, REG_QUEUE_RESET), 1);
	assert_int_equal(virtio_device_queue_quiesced(&f.device, 1, number), 0);
	f.hook_result = 0;
	number = begin_reset(&f);
	assert_int_equal(f.hook_result, VIRTIO_EINVAL);
	f.hook_result = 0;
	/* A report from within the second call of reset() is refused, too. */
	assert_int_equal(virtio_device_queue_quiesced(&f.device, 0, number), 0);
	assert_int_equal(f.hook_result, VIRTIO_EINVAL);
	assert_int_equal(f.calls[OP_RESET], 2);
	assert_true(virtio_device_resetting(&f.device));
}

/* A stop or reset that ends at once, or fails, leaves no number. */
static void stop_number_ends_with_operation_that_answers_at_once(void **state)
{
	static const int answers[] = { 0, VIRTIO_EIO };

	(void)state;
	for (uint32_t i = 0; i < COUNT(answers); i++) {
		struct device_fixture f;

		start(&f);
		f.answer[OP_STOP] = answers[i];
		f.answer[OP_RESET] = answers[i];
		reg_set(&f, REG_QUEUE_SEL, 1);
		reg_set(&f, REG_QUEUE_RESET, 1);
		assert_int_equal(virtio_device_stop_number(&f.device, 1), 0);
		expect_refused(&f, 1, 1);
		reg_set(&f, REG_STATUS, 0);
		assert_int_equal(virtio_device_stop_number(&f.device, 1), 0);
		expect_refused(&f, 1, 2);
	}
}

/* Reports */

static void queue_quiesced_ends_stop(void **state)
{
	struct device_fixture f;
	uint32_t number;

	(void)state;
	start(&f);
	number = begin_stop(&f, 1);
	assert_int_equal(virtio_device_queue_quiesced(&f.device, 1, number), 0);
	assert_int_equal(reg_get(&f, REG_QUEUE_READY), 0);
	assert_int_equal(reg_get(&f, REG_QUEUE_RESET), 0);
	assert_true(f.queues[1].may_reenable);
	assert_false(virtio_device_waiting(&f.device));
	assert_int_equal(f.calls[OP_STOP], 1);
	assert_int_equal(f.calls[OP_RESET], 0);
	expect_refused(&f, 1, number);
}

static void queue_quiesced_refuses_other_number_or_queue(void **state)
{
	struct device_fixture f;
	uint32_t number;

	(void)state;
	start(&f);
	expect_refused(&f, 1, 0);
	expect_refused(&f, 1, 1);
	number = begin_stop(&f, 1);
	expect_refused(&f, 1, 0);
	expect_refused(&f, 1, number - 1);
	expect_refused(&f, 1, number + 1);
	expect_refused(&f, 1, number | 0x10000);
	expect_refused(&f, 0, number);
	expect_refused(&f, DEVICE_ABSENT, number);
	expect_refused(&f, DEVICE_QUEUES, number);
	expect_refused(&f, 0xffff, number);
	assert_int_equal(virtio_device_queue_quiesced(&f.device, 1, number), 0);
	number = begin_reset(&f);
	expect_refused(&f, 1, 0);
	expect_refused(&f, 1, number - 1);
	expect_refused(&f, 1, number + 1);
	expect_refused(&f, DEVICE_ABSENT, number);
	expect_refused(&f, DEVICE_QUEUES, number);
	expect_refused(&f, 0xffff, number);
}

/*
 * Hostile 92: a reset ends a stop. A late report of that stop is refused, also during the next stop
 * of the queue. A late report of a reset is refused, also during the next reset.
 */
static void queue_quiesced_refuses_report_of_earlier_stop(void **state)
{
	struct device_fixture f;
	uint32_t late;

	(void)state;
	start(&f);
	late = begin_stop(&f, 1);
	f.answer[OP_RESET] = 0;
	reg_set(&f, REG_STATUS, 0);
	expect_refused(&f, 1, late);
	driver_start(&f, F_RING_RESET);
	expect_refused(&f, 1, late);
	(void)begin_stop(&f, 1);
	expect_refused(&f, 1, late);
	f.answer[OP_RESET] = VIRTIO_DEVICE_IN_PROGRESS;
	late = begin_reset(&f);
	assert_int_equal(virtio_device_reset_done(&f.device, 0), 0);
	expect_refused(&f, 1, late);
	(void)begin_reset(&f);
	expect_refused(&f, 1, late);
}

/* At each report the core calls reset() again, until reset() returns 0. */
static void queue_quiesced_asks_reset_again_until_it_ends(void **state)
{
	struct device_fixture f;
	uint32_t number;

	(void)state;
	start(&f);
	number = begin_reset(&f);
	assert_int_equal(virtio_device_queue_quiesced(&f.device, 1, number), 0);
	assert_int_equal(f.calls[OP_RESET], 2);
	assert_true(virtio_device_resetting(&f.device) && virtio_device_waiting(&f.device));
	assert_int_equal(reg_get(&f, REG_STATUS), ST_OK);
	assert_int_equal(virtio_device_stop_number(&f.device, 1), number);
	f.answer[OP_RESET] = 0;
	assert_int_equal(virtio_device_queue_quiesced(&f.device, 0, number), 0);
	assert_int_equal(f.calls[OP_RESET], 3);
	assert_false(virtio_device_waiting(&f.device));
	assert_int_equal(f.device.resets, 1);
	assert_true(device_is_fresh(&f));
	expect_refused(&f, 3, number);
}

static void queue_quiesced_fails_reset_that_answers_error(void **state)
{
	struct device_fixture f;
	uint32_t number;

	(void)state;
	start(&f);
	number = begin_reset(&f);
	f.answer[OP_RESET] = VIRTIO_EIO;
	assert_int_equal(virtio_device_queue_quiesced(&f.device, 1, number), 0);
	assert_false(virtio_device_waiting(&f.device));
	assert_int_equal(reg_get(&f, REG_STATUS), ST_OK | ST_NEEDS_RESET);
	assert_int_equal(f.device.first_error, VIRTIO_EIO);
	assert_int_equal(f.raised, 1);
	expect_refused(&f, 1, number);
	f.answer[OP_RESET] = 0;
	reg_set(&f, REG_STATUS, 0);
	assert_true(device_is_fresh(&f));
}

/*
 * A report that a queue has no requests in flight ends the queue's stop, and makes the core call
 * reset() again. So the report may have the number of the stop or of the reset.
 */
static void queue_quiesced_ends_stop_and_asks_reset_with_either_number(void **state)
{
	(void)state;
	for (uint32_t which = 0; which < 2; which++) {
		struct device_fixture f;
		uint32_t numbers[2];

		start(&f);
		numbers[0] = begin_stop(&f, 1);
		(void)begin_stop(&f, 3);
		numbers[1] = begin_reset(&f);
		assert_int_equal(virtio_device_queue_quiesced(&f.device, 1, numbers[which]), 0);
		assert_int_equal(f.calls[OP_RESET], 2);
		reg_set(&f, REG_QUEUE_SEL, 1);
		assert_int_equal(reg_get(&f, REG_QUEUE_READY), 0);
		reg_set(&f, REG_QUEUE_SEL, 3);
		assert_int_equal(reg_get(&f, REG_QUEUE_RESET), 1);
		expect_refused(&f, 1, numbers[0]);
		f.answer[OP_RESET] = 0;
		assert_int_equal(virtio_device_queue_quiesced(&f.device, 3, numbers[1]), 0);
		assert_true(device_is_fresh(&f));
	}
}

/*
 * After a failed reset, the stop is still in progress. A report with the stop's number is accepted,
 * and a report with the reset's number is refused.
 */
static void queue_quiesced_ends_stop_after_failed_reset(void **state)
{
	struct device_fixture f;
	uint32_t stop, reset;

	(void)state;
	start(&f);
	stop = begin_stop(&f, 1);
	reset = begin_reset(&f);
	assert_int_equal(virtio_device_reset_done(&f.device, VIRTIO_EIO), 0);
	expect_refused(&f, 1, reset);
	assert_int_equal(virtio_device_queue_quiesced(&f.device, 1, stop), 0);
	assert_false(virtio_device_waiting(&f.device));
	assert_int_equal(f.calls[OP_RESET], 1);
}

/*
 * Two queues have requests in flight. A report ends the reset only after all these requests are
 * completed. The device needs to remember nothing but the reset's number.
 */
static void queue_quiesced_by_device_with_requests_in_flight(void **state)
{
	struct device_fixture f;
	uint32_t number;

	(void)state;
	device_setup(&f);
	f.serves = true;
	f.holds = true;
	driver_mock(&f, 0, 16);
	driver_mock(&f, 1, 8);
	driver_start(&f, F_RING_RESET);
	(void)driver_add(&f, 0, 1);
	(void)driver_add(&f, 1, 2);
	reg_set(&f, REG_QUEUE_NOTIFY, 0);
	reg_set(&f, REG_QUEUE_NOTIFY, 1);
	assert_int_equal(f.held_count, 2);
	number = begin_reset(&f);
	assert_int_equal(virtio_device_queue_quiesced(&f.device, 3, number), 0);
	assert_true(virtio_device_resetting(&f.device));
	assert_int_equal(device_release(&f), 0);
	assert_int_equal(virtio_device_queue_quiesced(&f.device, 0, number), 0);
	assert_true(device_is_fresh(&f));
	assert_false(f.running[0] || f.running[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stop_number_is_zero_unless_something_waits),
		cmocka_unit_test(stop_number_is_that_of_the_reset_during_one),
		cmocka_unit_test(stop_number_differs_each_time_and_is_never_zero),
		cmocka_unit_test(stop_number_is_known_within_operation_and_refused_there),
		cmocka_unit_test(stop_number_ends_with_operation_that_answers_at_once),
		cmocka_unit_test(queue_quiesced_ends_stop),
		cmocka_unit_test(queue_quiesced_refuses_other_number_or_queue),
		cmocka_unit_test(queue_quiesced_refuses_report_of_earlier_stop),
		cmocka_unit_test(queue_quiesced_asks_reset_again_until_it_ends),
		cmocka_unit_test(queue_quiesced_fails_reset_that_answers_error),
		cmocka_unit_test(queue_quiesced_ends_stop_and_asks_reset_with_either_number),
		cmocka_unit_test(queue_quiesced_ends_stop_after_failed_reset),
		cmocka_unit_test(queue_quiesced_by_device_with_requests_in_flight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
