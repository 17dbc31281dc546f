/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The configuration space: accesses in every state and at both ends, and the effect of a write
 * (virtio 1.4, 2.5).
 */
#include "device_fixture.h"

/*
 * Brings the device to the state with this number. The states are status 0, ACKNOWLEDGE, DRIVER,
 * FEATURES_OK, DRIVER_OK, FAILED after status 0, FAILED after DRIVER_OK, and DEVICE_NEEDS_RESET.
 * Returns false after the last state.
 */
static bool next_place(struct device_fixture *f, uint32_t place)
{
	static const uint8_t written[] = { 0, 1, 3, 0xb, 0xf, 0x80, 0x8f };

	if (place > COUNT(written))
		return false;
	device_setup(f);
	if (place == COUNT(written)) {
		driver_start(f, 0);
		virtio_device_set_needs_reset(&f->device);
	} else if (written[place] & 4) {
		driver_start(f, 0);
		reg_set(f, REG_STATUS, written[place]);
	} else if (written[place] & 8) {
		driver_negotiate(f, 0);
	} else {
		reg_set(f, REG_STATUS, written[place] & 1);
		reg_set(f, REG_STATUS, written[place]);
	}
	assert_int_equal(reg_get(f, REG_STATUS), place == COUNT(written) ? 0x4f : written[place]);
	return true;
}

/* virtio 1.4, 2.5.2 and 5.3.5.1: each state of next_place() permits reads and writes. */
static void config_is_read_and_written_in_every_state(void **state)
{
	const uint8_t bytes[4] = { 1, 2, 3, 4 };
	struct device_fixture f;

	(void)state;
	for (uint32_t place = 0; next_place(&f, place); place++) {
		device_forget(&f);
		assert_int_equal(reg_get(&f, REG_CONFIG), 0xa3a2a1a0);
		assert_int_equal(virtio_mmio_write(&f.device, REG_CONFIG + 1, bytes, 4), 0);
		assert_int_equal(reg_get(&f, REG_CONFIG), 0x030201a0);
		assert_int_equal(f.event_count, 3);
		expect_event(&f, 0, OP_READ, 0, 4);
		expect_event(&f, 1, OP_WRITE, 1, 4);
	}
}

/* During a reset the configuration space can be read, but not written. */
static void config_is_only_read_during_reset(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_start(&f, 0);
	f.answer[OP_RESET] = VIRTIO_DEVICE_IN_PROGRESS;
	assert_int_equal(reg_write(&f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	reg_set(&f, REG_CONFIG, 0);
	assert_int_equal(f.calls[OP_WRITE], 0);
	assert_int_equal(reg_get(&f, REG_CONFIG), 0xa3a2a1a0);
	assert_int_equal(virtio_device_reset_done(&f.device, 0), 0);
	reg_set(&f, REG_CONFIG, 0);
	assert_int_equal(f.calls[OP_WRITE], 1);
}

/* Hostile 103: the driver reads around the end of the space, and around the highest offset. */
static void config_read_gives_zeros_beyond_the_end(void **state)
{
	static const uint64_t beyond[] = { 8, 9, 0x100, 0xffffffff, 0x100000000, UINT64_MAX - 7, UINT64_MAX };
	struct device_fixture f;
	uint8_t bytes[16], wanted[16];

	(void)state;
	device_setup(&f);
	for (uint32_t offset = 0; offset < 8; offset++) {
		for (uint32_t len = 0; len <= sizeof bytes; len++) {
			memset(bytes, 0xee, sizeof bytes);
			memset(wanted, 0xee, sizeof wanted);
			for (uint32_t i = 0; i < len; i++)
				wanted[i] = offset + i < 8 ? f.config[offset + i] : 0;
			virtio_device_read_config(&f.device, offset, bytes, len);
			assert_memory_equal(bytes, wanted, sizeof wanted);
		}
	}
	assert_int_equal(f.device.ignored, 0);
	device_keep(&f);
	for (uint32_t i = 0; i < COUNT(beyond); i++) {
		memset(bytes, 0xee, sizeof bytes);
		memset(wanted, 0, sizeof wanted);
		virtio_device_read_config(&f.device, beyond[i], bytes, sizeof bytes);
		assert_memory_equal(bytes, wanted, sizeof wanted);
		/*
		 * A read of 0 bytes may pass NULL. If its offset is at the end or beyond, the read
		 * is counted as ignored.
		 */
		virtio_device_read_config(&f.device, beyond[i], NULL, 0);
	}
	assert_true(device_unchanged(&f));
	assert_int_equal(f.device.ignored, 2 * COUNT(beyond));
	virtio_device_read_config(&f.device, 7, NULL, 0);
	assert_true(device_unchanged(&f));
	assert_int_equal(f.device.ignored, 2 * COUNT(beyond));
}

/*
 * Hostile 103, 105: the device gets a write only if all its bytes are inside the space. The offset
 * and the length arrive unchanged, also for a part of a field.
 */
static void config_write_must_be_wholly_inside(void **state)
{
	const uint8_t bytes[16] = { 0 };
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	for (uint64_t offset = 0; offset < 20; offset++) {
		for (uint32_t len = 0; len <= sizeof bytes; len++) {
			const bool inside = len != 0 && offset + len <= 8;

			device_forget(&f);
			f.device.ignored = 0;
			virtio_device_write_config(&f.device, offset, bytes, len);
			assert_int_equal(f.calls[OP_WRITE], inside);
			assert_int_equal(f.device.ignored, !inside);
			if (inside)
				expect_event(&f, 0, OP_WRITE, (uint32_t)offset, len);
		}
	}
	device_forget(&f);
	virtio_device_write_config(&f.device, UINT64_MAX, bytes, 1);
	virtio_device_write_config(&f.device, UINT64_MAX - 1, bytes, 4);
	virtio_device_write_config(&f.device, 0x100000000, bytes, 4);
	virtio_device_write_config(&f.device, 0, bytes, UINT32_MAX);
	virtio_device_write_config(&f.device, 4, bytes, UINT32_MAX - 3);
	assert_int_equal(f.event_count, 0);
}

/* Hostile 104: the device decides that the last two bytes are read-only. */
static void config_write_to_read_only_field_does_nothing(void **state)
{
	const uint8_t bytes[4] = { 1, 2, 3, 4 };
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	assert_int_equal(virtio_mmio_write(&f.device, REG_CONFIG + 4, bytes, 4), 0);
	assert_int_equal(reg_get(&f, REG_CONFIG + 4), 0xa7a60201);
	f.ops.config_write = NULL;
	device_make(&f);
	f.device.ignored = 0;
	device_forget(&f);
	assert_int_equal(virtio_mmio_write(&f.device, REG_CONFIG, bytes, 4), 0);
	assert_int_equal(f.event_count, 0);
	assert_int_equal(f.device.ignored, 1);
	assert_int_equal(reg_get(&f, REG_CONFIG), 0xa3a2a1a0);
}

/* Hostile 105: each writable byte is written alone, and arrives at its own offset. */
static void config_write_of_single_bytes(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	for (uint8_t i = 0; i < 6; i++)
		assert_int_equal(virtio_mmio_write(&f.device, REG_CONFIG + i, &i, 1), 0);
	assert_int_equal(reg_get(&f, REG_CONFIG), 0x03020100);
	assert_int_equal(reg_get(&f, REG_CONFIG + 4), 0xa7a60504);
}

/* Hostile 103: the core never calls config_read() if the configuration space has 0 bytes. */
static void config_of_size_zero_is_never_asked(void **state)
{
	struct device_fixture f;
	uint8_t bytes[8], zeros[8] = { 0 };

	(void)state;
	device_prepare(&f);
	f.options.config_size = 0;
	device_make(&f);
	for (uint32_t len = 1; len <= 8; len *= 2) {
		memset(bytes, 0xee, sizeof bytes);
		virtio_mmio_read(&f.device, REG_CONFIG, bytes, len);
		assert_memory_equal(bytes, zeros, len);
		assert_int_equal(virtio_mmio_write(&f.device, REG_CONFIG, bytes, len), 0);
	}
	assert_int_equal(f.event_count, 0);
	assert_int_equal(f.device.ignored, 8);
}

/*
 * Without config_read() the configuration space is an array of bytes. The device may change the
 * array. The guest may change the array only by config_write().
 */
static void config_without_operation_is_read_from_bytes(void **state)
{
	struct device_fixture f;
	uint8_t bytes[16], wanted[16];

	(void)state;
	device_prepare(&f);
	f.ops.config_read = NULL;
	f.options.config = f.config;
	device_make(&f);
	for (uint32_t offset = 0; offset < 10; offset++) {
		for (uint32_t len = 0; len <= sizeof bytes; len++) {
			memset(bytes, 0xee, sizeof bytes);
			memset(wanted, 0xee, sizeof wanted);
			for (uint32_t i = 0; i < len; i++)
				wanted[i] = offset + i < 8 ? f.config[offset + i] : 0;
			virtio_device_read_config(&f.device, offset, bytes, len);
			assert_memory_equal(bytes, wanted, sizeof wanted);
		}
	}
	assert_int_equal(f.event_count, 0);
	f.config[1] = 0x5a;
	virtio_device_config_changed(&f.device);
	assert_int_equal(reg_get(&f, REG_CONFIG), 0xa3a25aa0);
	reg_set(&f, REG_CONFIG, 0);
	assert_int_equal(f.calls[OP_WRITE], 1);
	f.ops.config_write = NULL;
	f.config[1] = 0x5a;
	reg_set(&f, REG_CONFIG, 0);
	assert_int_equal(reg_get(&f, REG_CONFIG), 0x5a00);
}

/* If the device has both an array of bytes and config_read(), the core calls config_read(). */
static void config_operation_comes_before_bytes(void **state)
{
	const uint8_t other[8] = { 0 };
	struct device_fixture f;

	(void)state;
	device_prepare(&f);
	f.options.config = other;
	device_make(&f);
	assert_int_equal(reg_get(&f, REG_CONFIG), 0xa3a2a1a0);
	assert_int_equal(f.calls[OP_READ], 1);
}

/* Hostile 106: a driver that reads half before and half after a change sees two generations. */
static void config_change_between_two_reads_shows_in_generation(void **state)
{
	struct device_fixture f;
	uint32_t before;

	(void)state;
	device_setup(&f);
	driver_negotiate(&f, 0);
	before = reg_get(&f, REG_CONFIG_GENERATION);
	(void)reg_get(&f, REG_CONFIG);
	f.config[0] = 1;
	f.config[7] = 1;
	virtio_device_config_changed(&f.device);
	(void)reg_get(&f, REG_CONFIG + 4);
	assert_int_not_equal(reg_get(&f, REG_CONFIG_GENERATION), before);
	before = reg_get(&f, REG_CONFIG_GENERATION);
	(void)reg_get(&f, REG_CONFIG);
	(void)reg_get(&f, REG_CONFIG + 4);
	assert_int_equal(reg_get(&f, REG_CONFIG_GENERATION), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(config_is_read_and_written_in_every_state),
		cmocka_unit_test(config_is_only_read_during_reset),
		cmocka_unit_test(config_read_gives_zeros_beyond_the_end),
		cmocka_unit_test(config_write_must_be_wholly_inside),
		cmocka_unit_test(config_write_to_read_only_field_does_nothing),
		cmocka_unit_test(config_write_of_single_bytes),
		cmocka_unit_test(config_of_size_zero_is_never_asked),
		cmocka_unit_test(config_without_operation_is_read_from_bytes),
		cmocka_unit_test(config_operation_comes_before_bytes),
		cmocka_unit_test(config_change_between_two_reads_shows_in_generation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
