/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Interrupts on one thread: bits, acknowledgements, the line, and events without an interrupt
 * (virtio 1.4, 4.2.2.1).
 */
#include "device_fixture.h"

/* Checks that the interrupt status has exactly these causes, and that the line agrees. */
static void expect_pending(struct device_fixture *f, uint32_t causes)
{
	assert_int_equal(reg_get(f, REG_INTERRUPT_STATUS), causes);
	assert_int_equal(virtio_device_interrupt_status(&f->device), causes);
	assert_int_equal(f->line, causes != 0);
}

static void start(struct device_fixture *f)
{
	device_setup(f);
	driver_start(f, 0);
	device_forget(f);
}

/* interrupt() gets the cause and the queue, so each queue can have its own interrupt message. */
static void interrupt_names_cause_and_queue(void **state)
{
	struct device_fixture f;

	(void)state;
	start(&f);
	virtio_device_interrupt_used(&f.device, 3);
	expect_event(&f, 0, OP_INTERRUPT, VIRTIO_INTERRUPT_USED, 3);
	expect_pending(&f, 1);
	virtio_device_interrupt_used(&f.device, 0);
	expect_event(&f, 1, OP_INTERRUPT, VIRTIO_INTERRUPT_USED, 0);
	virtio_device_config_changed(&f.device);
	expect_event(&f, 2, OP_INTERRUPT, VIRTIO_INTERRUPT_CONFIG, VIRTIO_DEVICE_NO_QUEUE);
	expect_pending(&f, 3);
	reg_set(&f, REG_INTERRUPT_ACK, 3);
	expect_event(&f, 3, OP_INTERRUPT, VIRTIO_INTERRUPT_NONE, VIRTIO_DEVICE_NO_QUEUE);
	expect_pending(&f, 0);
	assert_int_equal(f.event_count, 4);
	assert_int_equal(f.raised, 3);
	assert_int_equal(f.lowered, 1);
}

/* Hostile 107: for each set of pending bits, the driver acknowledges each of these values. */
static void interrupt_acknowledge_clears_named_bits_alone(void **state)
{
	static const uint32_t values[] = { 0,          1,          2,          3,         4,       0x80,
					   0xfc,       0xff,       0x100,      0x201,     0x10000, 0x01000000,
					   0x02000000, 0x80000002, 0xfffffffc, UINT32_MAX };
	struct device_fixture f;

	(void)state;
	start(&f);
	for (uint32_t pending = 0; pending < 4; pending++) {
		for (uint32_t i = 0; i < COUNT(values); i++) {
			const uint32_t left = pending & ~values[i];

			if (pending & 1)
				virtio_device_interrupt_used(&f.device, 0);
			if (pending & 2)
				virtio_device_config_changed(&f.device);
			device_forget(&f);
			reg_set(&f, REG_INTERRUPT_ACK, values[i]);
			expect_pending(&f, left);
			assert_int_equal(f.raised, 0);
			assert_int_equal(f.lowered, pending != 0 && left == 0);
			assert_int_equal(reg_get(&f, REG_STATUS), ST_OK);
			reg_set(&f, REG_INTERRUPT_ACK, 3);
			expect_pending(&f, 0);
		}
	}
}

/* Hostile 108: only a write to InterruptACK acknowledges. */
static void interrupt_status_read_acknowledges_nothing(void **state)
{
	struct device_fixture f;

	(void)state;
	start(&f);
	virtio_device_interrupt_used(&f.device, 0);
	for (uint32_t i = 0; i < 3; i++)
		expect_pending(&f, 1);
	assert_int_equal(f.lowered, 0);
	reg_set(&f, REG_INTERRUPT_STATUS, 1);
	expect_pending(&f, 1);
}

/* PCI's ISR status register differs: a read acknowledges the bits that it returns. */
static void interrupt_taken_is_acknowledged(void **state)
{
	struct device_fixture f;

	(void)state;
	start(&f);
	assert_int_equal(virtio_device_take_interrupt(&f.device), 0);
	assert_int_equal(f.event_count, 0);
	virtio_device_interrupt_used(&f.device, 0);
	assert_int_equal(virtio_device_take_interrupt(&f.device), 1);
	expect_pending(&f, 0);
	assert_int_equal(f.lowered, 1);
	virtio_device_interrupt_used(&f.device, 0);
	virtio_device_config_changed(&f.device);
	assert_int_equal(virtio_device_take_interrupt(&f.device), 3);
	assert_int_equal(virtio_device_take_interrupt(&f.device), 0);
	expect_pending(&f, 0);
	assert_int_equal(f.lowered, 2);
	assert_int_equal(reg_get(&f, REG_STATUS), ST_OK);
}

/*
 * A device that signals interrupts by itself calls virtio_device_mark_interrupt(), which sets the
 * bit and does not call interrupt(). The acknowledgement works as usual.
 */
static void interrupt_marked_is_not_signalled(void **state)
{
	struct device_fixture f;

	(void)state;
	start(&f);
	assert_true(virtio_device_mark_interrupt(&f.device, VIRTIO_INTERRUPT_USED));
	assert_true(virtio_device_mark_interrupt(&f.device, VIRTIO_INTERRUPT_USED));
	assert_int_equal(reg_get(&f, REG_INTERRUPT_STATUS), 1);
	assert_true(virtio_device_mark_interrupt(&f.device, VIRTIO_INTERRUPT_CONFIG));
	assert_int_equal(reg_get(&f, REG_INTERRUPT_STATUS), 3);
	assert_int_equal(f.event_count, 0);
	reg_set(&f, REG_INTERRUPT_ACK, 1);
	assert_int_equal(f.event_count, 0);
	reg_set(&f, REG_INTERRUPT_ACK, 2);
	assert_int_equal(f.lowered, 1);
	assert_true(virtio_device_mark_interrupt(&f.device, VIRTIO_INTERRUPT_USED | VIRTIO_INTERRUPT_CONFIG));
	assert_int_equal(reg_get(&f, REG_INTERRUPT_STATUS), 3);
}

/*
 * Only two bits are causes. The core ignores all other bits, because they would change other state
 * in the same word.
 */
static void interrupt_marked_with_unknown_cause_sets_no_other_bit(void **state)
{
	struct device_fixture f;

	(void)state;
	start(&f);
	device_keep(&f);
	assert_true(virtio_device_mark_interrupt(&f.device, 0xfffffffc));
	assert_true(device_unchanged(&f));
	assert_true(virtio_device_mark_interrupt(&f.device, UINT32_MAX));
	assert_int_equal(reg_get(&f, REG_INTERRUPT_STATUS), 3);
	assert_false(virtio_device_resetting(&f.device));
	assert_int_equal(reg_get(&f, REG_STATUS), ST_OK);
}

/*
 * virtio 1.4, 2.1.2 and 2.4.1: no used-buffer interrupt is raised before DRIVER_OK or after a
 * reset.
 */
static void interrupt_used_needs_driver_ok(void **state)
{
	static const uint8_t statuses[] = { 0x00, 0x01, 0x03, 0x0b, 0x80, 0x8b };
	struct device_fixture f;

	(void)state;
	for (uint32_t i = 0; i < COUNT(statuses); i++) {
		device_setup(&f);
		if (statuses[i] & 8)
			driver_negotiate(&f, 0);
		reg_set(&f, REG_STATUS, statuses[i] & 0xf);
		reg_set(&f, REG_STATUS, statuses[i]);
		assert_int_equal(reg_get(&f, REG_STATUS), statuses[i]);
		device_keep(&f);
		virtio_device_interrupt_used(&f.device, 0);
		assert_false(virtio_device_mark_interrupt(&f.device, 3));
		assert_true(device_unchanged(&f));
	}
	start(&f);
	reg_set(&f, REG_STATUS, 0);
	virtio_device_interrupt_used(&f.device, 0);
	assert_true(device_is_fresh(&f));
	assert_int_equal(f.calls[OP_INTERRUPT], 0);
}

/*
 * The driver may have read the old configuration, so it is interrupted at DRIVER_OK. Hostile 106:
 * the driver gets no interrupt before DRIVER_OK.
 */
static void config_change_before_driver_ok_is_signalled_at_driver_ok(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_negotiate(&f, 0);
	driver_queue(&f, 0, 16);
	virtio_device_config_changed(&f.device);
	assert_int_equal(reg_get(&f, REG_INTERRUPT_STATUS), 2);
	assert_int_equal(reg_get(&f, REG_CONFIG_GENERATION), 1);
	assert_int_equal(f.calls[OP_INTERRUPT], 0);
	device_forget(&f);
	reg_set(&f, REG_STATUS, ST_OK);
	expect_event(&f, 0, OP_ACTIVATE, 0, 0);
	expect_event(&f, 1, OP_NOTIFY, 0, 0);
	expect_event(&f, 2, OP_INTERRUPT, VIRTIO_INTERRUPT_CONFIG, VIRTIO_DEVICE_NO_QUEUE);
	assert_int_equal(f.event_count, 3);
	expect_pending(&f, 2);
	assert_int_equal(reg_get(&f, REG_CONFIG_GENERATION), 1);
}

/*
 * A cause that is acknowledged before DRIVER_OK is not signalled later. The line is not lowered,
 * because it was not high.
 */
static void config_change_acknowledged_before_driver_ok_is_not_signalled(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_negotiate(&f, 0);
	virtio_device_config_changed(&f.device);
	reg_set(&f, REG_INTERRUPT_ACK, 2);
	reg_set(&f, REG_STATUS, ST_OK);
	assert_int_equal(f.calls[OP_INTERRUPT], 0);
	expect_pending(&f, 0);
	reg_set(&f, REG_STATUS, 0);
	driver_negotiate(&f, 0);
	virtio_device_config_changed(&f.device);
	assert_int_equal(virtio_device_take_interrupt(&f.device), 2);
	reg_set(&f, REG_STATUS, ST_OK);
	assert_int_equal(f.calls[OP_INTERRUPT], 0);
}

/* In status 0 a change only raises the generation. A later driver finds no event. */
static void config_change_at_zero_is_generation_alone(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	virtio_device_config_changed(&f.device);
	assert_int_equal(reg_get(&f, REG_CONFIG_GENERATION), 1);
	assert_true(device_is_fresh(&f));
	driver_start(&f, 0);
	assert_int_equal(f.calls[OP_INTERRUPT], 0);
	expect_pending(&f, 0);
	assert_int_equal(reg_get(&f, REG_CONFIG_GENERATION), 1);
}

static void on_activate_raise(struct device_fixture *f, enum device_op op, uint32_t a)
{
	(void)a;
	if (op == OP_ACTIVATE)
		virtio_device_interrupt_used(&f->device, 1);
	if (op == OP_NOTIFY)
		virtio_device_config_changed(&f->device);
}

/* Hostile 109: operations call back into the core. */
static void interrupt_raised_within_operations(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	f.hook = on_activate_raise;
	driver_negotiate(&f, 0);
	driver_queue(&f, 0, 16);
	device_forget(&f);
	reg_set(&f, REG_STATUS, ST_OK);
	assert_int_equal(f.event_count, 4);
	expect_event(&f, 1, OP_INTERRUPT, VIRTIO_INTERRUPT_USED, 1);
	expect_event(&f, 3, OP_INTERRUPT, VIRTIO_INTERRUPT_CONFIG, VIRTIO_DEVICE_NO_QUEUE);
	expect_pending(&f, 3);
	assert_int_equal(reg_get(&f, REG_CONFIG_GENERATION), 1);
}

/* Acknowledges the interrupt while it is being raised, as another thread could. */
static void on_raise_acknowledge(struct device_fixture *f, enum device_op op, uint32_t a)
{
	if (op == OP_INTERRUPT && a == VIRTIO_INTERRUPT_USED) {
		f->hook = NULL;
		virtio_device_ack_interrupt(&f->device, 1);
		f->line = true; /* interrupt() raises the line after the acknowledgement */
	}
}

static void interrupt_overtaken_by_acknowledgement_is_lowered_again(void **state)
{
	struct device_fixture f;

	(void)state;
	start(&f);
	f.hook = on_raise_acknowledge;
	virtio_device_interrupt_used(&f.device, 2);
	expect_pending(&f, 0);
	assert_int_equal(f.lowered, 2);
}

/* Reports an event while the line is lowered. */
static void on_lower_raise(struct device_fixture *f, enum device_op op, uint32_t a)
{
	if (op == OP_INTERRUPT && a == VIRTIO_INTERRUPT_NONE) {
		f->hook = NULL;
		assert_true(virtio_device_mark_interrupt(&f->device, f->answer[OP_INTERRUPT] ? 3u : 1u));
	}
}

static void interrupt_lowered_while_event_comes_is_raised_again(void **state)
{
	struct device_fixture f;

	(void)state;
	for (int both = 0; both < 2; both++) {
		start(&f);
		f.answer[OP_INTERRUPT] = both;
		virtio_device_interrupt_used(&f.device, 2);
		f.hook = on_lower_raise;
		reg_set(&f, REG_INTERRUPT_ACK, 1);
		expect_pending(&f, both ? 3 : 1);
		assert_int_equal(f.event_count, 3);
		/*
		 * interrupt() gets one cause, even if two are pending. The core then passes CONFIG,
		 * although either cause would be right.
		 */
		expect_event(&f, 2, OP_INTERRUPT, both ? VIRTIO_INTERRUPT_CONFIG : VIRTIO_INTERRUPT_USED,
			     VIRTIO_DEVICE_NO_QUEUE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interrupt_names_cause_and_queue),
		cmocka_unit_test(interrupt_acknowledge_clears_named_bits_alone),
		cmocka_unit_test(interrupt_status_read_acknowledges_nothing),
		cmocka_unit_test(interrupt_taken_is_acknowledged),
		cmocka_unit_test(interrupt_marked_is_not_signalled),
		cmocka_unit_test(interrupt_marked_with_unknown_cause_sets_no_other_bit),
		cmocka_unit_test(interrupt_used_needs_driver_ok),
		cmocka_unit_test(config_change_before_driver_ok_is_signalled_at_driver_ok),
		cmocka_unit_test(config_change_acknowledged_before_driver_ok_is_not_signalled),
		cmocka_unit_test(config_change_at_zero_is_generation_alone),
		cmocka_unit_test(interrupt_raised_within_operations),
		cmocka_unit_test(interrupt_overtaken_by_acknowledgement_is_lowered_again),
		cmocka_unit_test(interrupt_lowered_while_event_comes_is_raised_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
