/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The status: every value written in every status, activation, and a device that needs a reset. */
#include "device_fixture.h"

/* Brings a device to a status by register accesses alone. */
static void reach(struct device_fixture *f, uint32_t status)
{
	device_setup(f);
	if (status & 1)
		reg_set(f, REG_STATUS, 1);
	if (status & 2)
		reg_set(f, REG_STATUS, 3);
	if (status & 2)
		driver_accept(f, F_VERSION_1);
	if (status & 8)
		reg_set(f, REG_STATUS, 0xb);
	if (status & 4)
		reg_set(f, REG_STATUS, 0xf);
	if (status & ST_NEEDS_RESET) {
		f->answer[OP_RESET] = VIRTIO_EIO;
		reg_set(f, REG_STATUS, 0);
		f->answer[OP_RESET] = 0;
	}
	if (status & ST_FAILED)
		reg_set(f, REG_STATUS, status);
	assert_int_equal(reg_get(f, REG_STATUS), status);
}

/* All values that the status can have. */
static const uint8_t statuses[] = { 0x00, 0x01, 0x03, 0x0b, 0x0f, 0x40, 0x41, 0x43, 0x4b, 0x4f,
				    0x80, 0x81, 0x83, 0x8b, 0x8f, 0xc0, 0xc1, 0xc3, 0xcb, 0xcf };

/*
 * Every nonzero write without FAILED that changes the status (virtio 1.4, 2.1, 3.1). `value` leaves
 * out DEVICE_NEEDS_RESET, which expected() clears before it looks up a written value. Features can
 * be accepted only after DRIVER, so FEATURES_OK needs a later write.
 */
static const struct {
	uint8_t from, value, to;
} changes[] = {
	{ 0x00, 0x01, 0x01 },
	{ 0x00, 0x03, 0x03 },
	{ 0x00, 0x0b, 0x03 },
	{ 0x00, 0x0f, 0x03 },
	{ 0x01, 0x03, 0x03 },
	{ 0x01, 0x0b, 0x03 },
	{ 0x01, 0x0f, 0x03 },
	{ 0x03, 0x0b, 0x0b },
	{ 0x03, 0x0f, 0x0f },
	{ 0x0b, 0x0f, 0x0f },
	/*
	 * The device needs a reset. The written value may have DEVICE_NEEDS_RESET or not. The write
	 * only adds DRIVER_OK to the status.
	 */
	{ 0x4b, 0x0f, 0x4f },
};

static uint32_t expected(uint32_t from, uint32_t value)
{
	if (value == 0)
		return 0;
	if (value & ST_FAILED)
		return from | ST_FAILED;
	for (uint32_t i = 0; i < COUNT(changes); i++) {
		if (changes[i].from == from && changes[i].value == (value & ~(uint32_t)ST_NEEDS_RESET))
			return changes[i].to;
	}
	return from;
}

static void write_and_check(struct device_fixture *f, uint32_t from, uint32_t value)
{
	const uint32_t to = expected(from, value);
	const bool activates = (to & 4) > (from & 4) && !(from & ST_NEEDS_RESET);
	const bool tells = (to & 4) > (from & 4) && (from & ST_NEEDS_RESET);

	reach(f, from);
	device_forget(f);
	device_keep(f);
	reg_set(f, REG_STATUS, value);
	assert_int_equal(reg_get(f, REG_STATUS), to);
	assert_int_equal(f->calls[OP_RESET], value == 0);
	assert_int_equal(f->calls[OP_CHECK], (to & 8) > (from & 8));
	assert_int_equal(f->calls[OP_ACTIVATE], activates);
	assert_int_equal(f->lowered, value == 0 && (from & 0x44) == 0x44);
	assert_int_equal(f->raised, tells);
	/* A write with FAILED sets only this bit. */
	if (value & ST_FAILED)
		f->kept.live |= ST_FAILED;
	if (value == 0)
		assert_true(device_is_fresh(f));
	else if (to == from || (value & ST_FAILED))
		assert_true(device_unchanged(f));
}

/* Hostile 81, 82, 83, 88: each write has the effect that expected() computes. */
static void status_write_of_every_value_in_every_status(void **state)
{
	struct device_fixture f;

	(void)state;
	for (uint32_t i = 0; i < COUNT(statuses); i++) {
		for (uint32_t value = 0; value < 256; value++)
			write_and_check(&f, statuses[i], value);
	}
}

/* The register has 32 bits. A value above 255 has an unknown bit. */
static void status_write_above_255_is_ignored(void **state)
{
	struct device_fixture f;
	uint64_t ignored;

	(void)state;
	for (uint32_t i = 0; i < COUNT(statuses); i++) {
		reach(&f, statuses[i]);
		device_keep(&f);
		ignored = f.device.ignored;
		for (uint32_t value = 0; value < ST_FAILED; value++) {
			reg_set(&f, REG_STATUS, 0x100 | value);
			reg_set(&f, REG_STATUS, 0x10000 | value);
			reg_set(&f, REG_STATUS, 0x80000000 | value);
			reg_set(&f, REG_STATUS, 0xffffff00 & ~(uint32_t)ST_FAILED);
		}
		assert_true(device_unchanged(&f));
		assert_int_equal(f.device.ignored - ignored, 4 * ST_FAILED);
	}
}

/*
 * While no reset is in progress, a driver can always set FAILED. The written value may lack bits of
 * the status or have unknown bits.
 */
static void status_failed_is_heard_in_every_value_that_has_it(void **state)
{
	static const uint32_t others[] = { 0,    0x01, 0x04,  0x08,    0x10,       0x20,
					   0x40, 0x7f, 0x100, 0x10000, 0x80000000, 0xffffff7f };
	struct device_fixture f;

	(void)state;
	for (uint32_t i = 0; i < COUNT(statuses); i++) {
		for (uint32_t k = 0; k < COUNT(others); k++) {
			reach(&f, statuses[i]);
			device_keep(&f);
			f.device.ignored = 0;
			reg_set(&f, REG_STATUS, ST_FAILED | others[k]);
			assert_int_equal(reg_get(&f, REG_STATUS), statuses[i] | ST_FAILED);
			f.kept.live |= ST_FAILED;
			assert_true(device_unchanged(&f));
			if (!(statuses[i] & ST_FAILED))
				assert_int_equal(f.device.ignored, 0);
		}
	}
}

/*
 * During a reset FAILED is ignored, because the end of the reset clears every bit. If the reset
 * fails, FAILED can be set again.
 */
static void status_failed_is_ignored_during_reset(void **state)
{
	struct device_fixture f;

	(void)state;
	reach(&f, 0xf);
	f.answer[OP_RESET] = VIRTIO_DEVICE_IN_PROGRESS;
	assert_int_equal(reg_write(&f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	device_keep(&f);
	f.device.ignored = 0;
	reg_set(&f, REG_STATUS, 0x8f);
	reg_set(&f, REG_STATUS, ST_FAILED);
	assert_int_equal(f.device.ignored, 2);
	assert_true(device_unchanged(&f));
	assert_int_equal(virtio_device_reset_done(&f.device, VIRTIO_EIO), 0);
	assert_int_equal(reg_get(&f, REG_STATUS), 0x4f);
	reg_set(&f, REG_STATUS, ST_FAILED);
	assert_int_equal(reg_get(&f, REG_STATUS), 0xcf);
}

/*
 * A write that repeats the driver's bits is not counted. A nonzero write that lacks one of these
 * bits, or has an illegal new bit, is counted unless the write newly sets FAILED.
 */
static void status_write_is_counted_if_wrong(void **state)
{
	static const struct {
		uint8_t value, ignored;
	} writes[] = {
		/* The driver can neither set nor clear DEVICE_NEEDS_RESET. */
		{ 0x0b, 0 }, { 0x03, 1 }, { 0x4b, 0 }, { 0x1b, 1 }, { 0x8b, 0 },
		{ 0x8b, 0 }, { 0xcb, 0 }, { 0x8f, 1 }, { 0x80, 1 }, { 0x0b, 1 },
	};
	struct device_fixture f;

	(void)state;
	reach(&f, 0xb);
	for (uint32_t i = 0; i < COUNT(writes); i++) {
		f.device.ignored = 0;
		reg_set(&f, REG_STATUS, writes[i].value);
		assert_int_equal(f.device.ignored, writes[i].ignored);
	}
	reach(&f, 0x43);
	f.device.ignored = 0;
	reg_set(&f, REG_STATUS, 0x03);
	reg_set(&f, REG_STATUS, 0x43);
	assert_int_equal(f.device.ignored, 0);
	reg_set(&f, REG_STATUS, 0x0b);
	assert_int_equal(f.device.ignored, 1);
	reg_set(&f, REG_STATUS, 0x4f);
	assert_int_equal(f.device.ignored, 2);
}

/*
 * virtio 1.4, 2.1.2: the device already needs a reset when the driver sets DRIVER_OK, and the
 * driver may know this or not. The device must interrupt the driver, but not before DRIVER_OK.
 */
static void status_driver_ok_that_crosses_needs_reset_interrupts(void **state)
{
	struct device_fixture f;

	(void)state;
	for (uint32_t knows = 0; knows < 2; knows++) {
		device_setup(&f);
		driver_negotiate(&f, F_RING_RESET);
		driver_queue(&f, 0, 16);
		virtio_device_set_needs_reset(&f.device);
		assert_int_equal(f.raised, 0);
		device_forget(&f);
		f.device.ignored = 0;
		reg_set(&f, REG_STATUS, knows ? 0x4f : 0x0f);
		assert_int_equal(reg_get(&f, REG_STATUS), 0x4f);
		assert_int_equal(f.event_count, 1);
		expect_event(&f, 0, OP_INTERRUPT, VIRTIO_INTERRUPT_CONFIG, VIRTIO_DEVICE_NO_QUEUE);
		assert_int_equal(f.events[0].status, 0x4f);
		assert_int_equal(reg_get(&f, REG_INTERRUPT_STATUS), VIRTIO_INTERRUPT_CONFIG);
		assert_true(f.line);
		assert_false(f.device.active);
		assert_int_equal(f.device.ignored, 0);
		/*
		 * A second write of DRIVER_OK does not call activate() either. Nothing runs, and
		 * nothing can be started before a reset.
		 */
		device_forget(&f);
		reg_set(&f, REG_STATUS, 0x0f);
		reg_set(&f, REG_QUEUE_NOTIFY, 0);
		reg_set(&f, REG_QUEUE_RESET, 1);
		assert_false(driver_enable(&f, 0));
		assert_int_equal(f.event_count, 0);
		reg_set(&f, REG_STATUS, 0);
		assert_true(device_is_fresh(&f));
		driver_start(&f, 0);
		assert_true(f.device.active);
	}
}

/* The device may report in any status but 0 that it needs a reset (virtio 1.4, 2.1.2). */
static void status_needs_reset_interrupts_once_driver_is_ok(void **state)
{
	static const uint8_t from[] = { 0x01, 0x03, 0x0b, 0x0f, 0x80, 0x81, 0x8b, 0x8f };
	struct device_fixture f;

	(void)state;
	for (uint32_t i = 0; i < COUNT(from); i++) {
		reach(&f, from[i]);
		virtio_device_set_needs_reset(&f.device);
		assert_int_equal(reg_get(&f, REG_STATUS), from[i] | 0x40);
		assert_int_equal(f.raised, (from[i] & 4) != 0);
		assert_int_equal(reg_get(&f, REG_INTERRUPT_STATUS), (from[i] & 4) != 0 ? 2 : 0);
		virtio_device_set_needs_reset(&f.device);
		assert_int_equal(f.raised, (from[i] & 4) != 0);
		reg_set(&f, REG_STATUS, 0);
		assert_true(device_is_fresh(&f));
		assert_false(f.line);
	}
}

/*
 * In status 0 virtio_device_set_needs_reset() does nothing, because there is no driver. Otherwise a
 * later driver would find DEVICE_NEEDS_RESET before it begins.
 */
static void status_needs_reset_does_nothing_at_zero(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	virtio_device_set_needs_reset(&f.device);
	assert_true(device_is_fresh(&f));
	assert_int_equal(f.event_count, 0);
}

/* Activation */

/* Hostile 88: DRIVER_OK reads as set during activate(), so the device may use buffers at once. */
static void status_driver_ok_activates_once_and_notifies_every_ready_queue(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_negotiate(&f, 0);
	driver_queue(&f, 0, 16);
	driver_queue(&f, 3, 2);
	device_forget(&f);
	reg_set(&f, REG_STATUS, ST_OK);
	assert_int_equal(f.event_count, 3);
	expect_event(&f, 0, OP_ACTIVATE, 0, 0);
	assert_int_equal(f.events[0].status, ST_OK);
	expect_event(&f, 1, OP_NOTIFY, 0, 0);
	expect_event(&f, 2, OP_NOTIFY, 3, 0);
	reg_set(&f, REG_STATUS, ST_OK);
	reg_set(&f, REG_STATUS, ST_OK);
	assert_int_equal(f.event_count, 3);
	assert_true(f.device.active);
}

/* Hostile 89: a device may run without queues. */
static void status_driver_ok_without_queue_activates(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_negotiate(&f, 0);
	reg_set(&f, REG_STATUS, ST_OK);
	assert_int_equal(f.calls[OP_ACTIVATE], 1);
	assert_int_equal(f.calls[OP_NOTIFY], 0);
	assert_int_equal(f.calls[OP_INTERRUPT], 0);
	assert_true(f.device.active);
}

/*
 * Hostile 90: if activate() fails, the register access returns, and the driver gets an interrupt.
 */
static void status_failed_activation_needs_reset(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	f.answer[OP_ACTIVATE] = VIRTIO_EIO;
	driver_negotiate(&f, F_RING_RESET);
	driver_queue(&f, 0, 16);
	device_forget(&f);
	reg_set(&f, REG_STATUS, ST_OK);
	assert_int_equal(reg_get(&f, REG_STATUS), 0x4f);
	assert_int_equal(reg_get(&f, REG_INTERRUPT_STATUS), 2);
	assert_int_equal(f.event_count, 2);
	expect_event(&f, 0, OP_ACTIVATE, 0, 0);
	expect_event(&f, 1, OP_INTERRUPT, VIRTIO_INTERRUPT_CONFIG, VIRTIO_DEVICE_NO_QUEUE);
	assert_true(f.line);
	assert_int_equal(f.device.first_error, VIRTIO_EIO);
	assert_int_equal(f.device.first_queue, VIRTIO_DEVICE_NO_QUEUE);
	/* Nothing runs, so nothing is stopped, started or notified. */
	device_forget(&f);
	reg_set(&f, REG_QUEUE_NOTIFY, 0);
	reg_set(&f, REG_STATUS, 0x4f);
	reg_set(&f, REG_QUEUE_RESET, 1);
	assert_false(driver_enable(&f, 0));
	assert_int_equal(f.event_count, 0);
	/* A queue that was not enabled before DRIVER_OK cannot be set up. */
	reg_set(&f, REG_QUEUE_SEL, 1);
	device_keep(&f);
	driver_place(&f, 1, 4);
	assert_true(device_unchanged(&f));
	reg_set(&f, REG_STATUS, 0);
	f.answer[OP_ACTIVATE] = 0;
	driver_start(&f, 0);
	assert_true(f.device.active);
}

static void on_check_needs_reset(struct device_fixture *f, enum device_op op, uint32_t a)
{
	(void)a;
	if (op == OP_CHECK)
		virtio_device_set_needs_reset(&f->device);
}

/*
 * The device sets DEVICE_NEEDS_RESET while it checks features. Then the status gets no further bit.
 */
static void status_does_not_progress_if_device_breaks_in_check(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	f.hook = on_check_needs_reset;
	driver_probe(&f);
	driver_accept(&f, F_VERSION_1);
	reg_set(&f, REG_STATUS, ST_OK);
	assert_int_equal(reg_get(&f, REG_STATUS), 0x43);
	assert_int_equal(f.calls[OP_ACTIVATE], 0);
}

static void on_activate_needs_reset(struct device_fixture *f, enum device_op op, uint32_t a)
{
	(void)a;
	if (op == OP_ACTIVATE)
		virtio_device_set_needs_reset(&f->device);
}

/*
 * The device sets DEVICE_NEEDS_RESET within activate(). Whatever activate() returns, queue_notify()
 * is not called, and the driver gets one interrupt.
 */
static void status_device_that_breaks_in_activation_is_not_notified(void **state)
{
	struct device_fixture f;

	(void)state;
	for (int answer = 0; answer >= VIRTIO_EIO; answer += VIRTIO_EIO) {
		device_setup(&f);
		f.hook = on_activate_needs_reset;
		f.answer[OP_ACTIVATE] = answer;
		driver_negotiate(&f, 0);
		driver_queue(&f, 0, 16);
		reg_set(&f, REG_STATUS, ST_OK);
		assert_int_equal(reg_get(&f, REG_STATUS), 0x4f);
		assert_int_equal(f.calls[OP_NOTIFY], 0);
		assert_int_equal(f.raised, 1);
	}
}

static void on_first_notify_needs_reset(struct device_fixture *f, enum device_op op, uint32_t a)
{
	if (op == OP_NOTIFY && a == 0)
		virtio_device_set_needs_reset(&f->device);
}

/*
 * The device sets DEVICE_NEEDS_RESET while it is notified of the first queue. Then the device is
 * not notified of the next queue.
 */
static void status_device_that_breaks_in_first_queue_is_not_notified_of_next(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	f.hook = on_first_notify_needs_reset;
	driver_negotiate(&f, 0);
	driver_queue(&f, 0, 16);
	driver_queue(&f, 1, 8);
	reg_set(&f, REG_STATUS, ST_OK);
	assert_int_equal(reg_get(&f, REG_STATUS), 0x4f);
	assert_int_equal(f.calls[OP_NOTIFY], 1);
}

/* Only the first error is kept for the operator, until the device is made again. */
static void status_first_error_is_kept(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_probe(&f);
	driver_accept(&f, 0);
	reg_set(&f, REG_STATUS, ST_FEATURES);
	assert_int_equal(f.device.first_error, VIRTIO_EINVAL);
	f.answer[OP_RESET] = VIRTIO_EIO;
	reg_set(&f, REG_STATUS, 0);
	assert_int_equal(f.device.first_error, VIRTIO_EINVAL);
	f.answer[OP_RESET] = 0;
	reg_set(&f, REG_STATUS, 0);
	assert_int_equal(f.device.first_error, VIRTIO_EINVAL);
	assert_int_equal(f.device.first_queue, VIRTIO_DEVICE_NO_QUEUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_write_of_every_value_in_every_status),
		cmocka_unit_test(status_write_above_255_is_ignored),
		cmocka_unit_test(status_failed_is_heard_in_every_value_that_has_it),
		cmocka_unit_test(status_failed_is_ignored_during_reset),
		cmocka_unit_test(status_write_is_counted_if_wrong),
		cmocka_unit_test(status_driver_ok_that_crosses_needs_reset_interrupts),
		cmocka_unit_test(status_needs_reset_interrupts_once_driver_is_ok),
		cmocka_unit_test(status_needs_reset_does_nothing_at_zero),
		cmocka_unit_test(status_driver_ok_activates_once_and_notifies_every_ready_queue),
		cmocka_unit_test(status_driver_ok_without_queue_activates),
		cmocka_unit_test(status_failed_activation_needs_reset),
		cmocka_unit_test(status_does_not_progress_if_device_breaks_in_check),
		cmocka_unit_test(status_device_that_breaks_in_activation_is_not_notified),
		cmocka_unit_test(status_device_that_breaks_in_first_queue_is_not_notified_of_next),
		cmocka_unit_test(status_first_error_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
