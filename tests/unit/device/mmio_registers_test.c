/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The registers of virtio-mmio: offsets, widths, directions, and full width of values. */
#include "device_fixture.h"

enum { READABLE = 1, WRITABLE = 2 };

/*
 * The registers in the order of the table in virtio 1.4, 4.2.2. For regression R38 the offsets are
 * numbers from the specification, and not constants of a header.
 */
static const struct {
	uint16_t offset;
	uint16_t access;
	uint32_t fresh;   /* value in a new device */
	uint32_t running; /* value in a running device, with queue 3 and region 255 selected */
} registers[] = {
	{ 0x000, READABLE, 0x74726976, 0x74726976 },
	{ 0x004, READABLE, 2, 2 },
	{ 0x008, READABLE, 4, 4 },
	{ 0x00c, READABLE, 0x12345678, 0x12345678 },
	{ 0x010, READABLE, 0x30000001, WORD3 },
	{ 0x014, WRITABLE, 0, 0 },
	{ 0x020, WRITABLE, 0, 0 },
	{ 0x024, WRITABLE, 0, 0 },
	{ 0x030, WRITABLE, 0, 0 },
	{ 0x034, READABLE, 16, DEVICE_MAX_SIZE },
	{ 0x038, WRITABLE, 0, 0 },
	{ 0x044, READABLE | WRITABLE, 0, 1 },
	{ 0x050, WRITABLE, 0, 0 },
	{ 0x060, READABLE, 0, 3 },
	{ 0x064, WRITABLE, 0, 0 },
	{ 0x070, READABLE | WRITABLE, 0, 0xf },
	{ 0x080, WRITABLE, 0, 0 },
	{ 0x084, WRITABLE, 0, 0 },
	{ 0x090, WRITABLE, 0, 0 },
	{ 0x094, WRITABLE, 0, 0 },
	{ 0x0a0, WRITABLE, 0, 0 },
	{ 0x0a4, WRITABLE, 0, 0 },
	{ 0x0ac, WRITABLE, 0, 0 },
	{ 0x0b0, READABLE, 0xddeeff00, 0x4000 },
	{ 0x0b4, READABLE, 0x99aabbcc, 0 },
	{ 0x0b8, READABLE, 0x55667788, 0x100000 },
	{ 0x0bc, READABLE, 0x11223344, 0 },
	{ 0x0c0, READABLE | WRITABLE, 0, 0 },
	{ 0x0fc, READABLE, 0, 1 },
};

static int find_register(uint32_t offset)
{
	for (uint32_t i = 0; i < COUNT(registers); i++) {
		if (registers[i].offset == offset)
			return (int)i;
	}
	return -1;
}

static bool is_config_access(uint32_t offset, uint32_t len)
{
	return offset >= REG_CONFIG && (len == 1 || len == 2 || len == 4 || len == 8);
}

/* Computes the bytes that a read at any offset and width must return. */
static void expected_bytes(const struct device_fixture *f, bool running, uint32_t offset, uint32_t len, uint8_t *out)
{
	const int found = find_register(offset);

	memset(out, 0, len);
	if (is_config_access(offset, len)) {
		for (uint32_t i = 0; i < len && offset - REG_CONFIG + i < sizeof f->config; i++)
			out[i] = f->config[offset - REG_CONFIG + i];
	} else if (len == 4 && found >= 0 && (registers[found].access & READABLE)) {
		const uint32_t value = running ? registers[found].running : registers[found].fresh;

		for (uint32_t i = 0; i < 4; i++)
			out[i] = (uint8_t)(value >> 8 * i);
	}
}

static void sweep_reads(struct device_fixture *f, bool running)
{
	uint8_t wanted[16], got[24];

	for (uint32_t offset = 0; offset <= 0x200; offset++) {
		for (uint32_t len = 0; len <= 16; len++) {
			device_keep(f);
			memset(got, 0xee, sizeof got);
			expected_bytes(f, running, offset, len, wanted);
			virtio_mmio_read(&f->device, offset, got, len);
			assert_memory_equal(got, wanted, len);
			for (uint32_t i = len; i < sizeof got; i++)
				assert_int_equal(got[i], 0xee);
			f->kept_calls[OP_READ] = f->calls[OP_READ];
			assert_true(device_unchanged(f));
		}
	}
}

/*
 * Writes 0 to 16 bytes at each offset up to 0x200, but not the 4 bytes of a writable register. Only
 * the configuration space may accept such a write.
 */
static void sweep_writes(struct device_fixture *f, uint8_t fill)
{
	uint8_t bytes[16];

	memset(bytes, fill, sizeof bytes);
	for (uint32_t offset = 0; offset <= 0x200; offset++) {
		for (uint32_t len = 0; len <= 16; len++) {
			const int found = find_register(offset);
			const bool in_config = is_config_access(offset, len) && offset + len <= REG_CONFIG + 8;
			const uint64_t ignored = f->device.ignored;
			uint32_t writes;

			if (len == 4 && found >= 0 && (registers[found].access & WRITABLE))
				continue;
			device_keep(f);
			writes = f->calls[OP_WRITE];
			assert_int_equal(virtio_mmio_write(&f->device, offset, bytes, len), 0);
			assert_int_equal(f->calls[OP_WRITE] - writes, in_config);
			assert_int_equal(f->device.ignored - ignored, !in_config);
			f->kept_calls[OP_WRITE] = f->calls[OP_WRITE];
			assert_true(device_unchanged(f));
		}
	}
}

/* Hostile 95, 96: bad accesses read zeroes and write nothing. */
static void mmio_access_of_any_offset_and_width_on_fresh_device(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	sweep_reads(&f, false);
	sweep_writes(&f, 0xff);
	sweep_writes(&f, 0);
	assert_true(device_is_fresh(&f));
	sweep_reads(&f, false);
}

/* Hostile 95, 96: bad accesses to a running device read zeroes and write nothing. */
static void mmio_access_of_any_offset_and_width_on_running_device(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_start(&f, F_RING_RESET);
	reg_set(&f, REG_QUEUE_SEL, 3);
	reg_set(&f, REG_SHM_SEL, 255);
	reg_set(&f, REG_DEVICE_FEATURES_SEL, 3);
	virtio_device_interrupt_used(&f.device, 0);
	virtio_device_config_changed(&f.device);
	sweep_reads(&f, true);
	sweep_writes(&f, 0xff);
	sweep_writes(&f, 0);
	sweep_writes(&f, 1);
	sweep_reads(&f, true);
}

/* The offsets are far above the registers, up to offsets at which an access wraps. */
static void mmio_access_above_window_reads_zero_and_writes_nothing(void **state)
{
	static const uint64_t offsets[] = { 0x1000,         0x100000000,        0x100000070,        0x100000100,
					    0xffffffff,     0x8000000000000000, 0xfffffffffffffff8, 0xfffffffffffffffc,
					    UINT64_MAX - 1, UINT64_MAX };
	const uint8_t zeros[8] = { 0 };
	struct device_fixture f;
	uint8_t bytes[8];

	(void)state;
	device_setup(&f);
	driver_start(&f, 0);
	device_keep(&f);
	for (uint32_t i = 0; i < COUNT(offsets); i++) {
		for (uint32_t len = 1; len <= 8; len *= 2) {
			memset(bytes, 0xee, sizeof bytes);
			virtio_mmio_read(&f.device, offsets[i], bytes, len);
			assert_memory_equal(bytes, zeros, len);
			assert_int_equal(virtio_mmio_write(&f.device, offsets[i], bytes, len), 0);
		}
	}
	assert_true(device_unchanged(&f));
}

/* Each access that the device ignores is counted. No other access is counted. */
static void mmio_access_without_effect_is_counted(void **state)
{
	struct device_fixture f;
	uint8_t bytes[8] = { 0 };

	(void)state;
	device_setup(&f);
	(void)reg_get(&f, REG_MAGIC);
	(void)reg_get(&f, REG_CONFIG);
	reg_set(&f, REG_QUEUE_SEL, 7);
	reg_set(&f, REG_STATUS, ST_ACK);
	assert_int_equal(f.device.ignored, 0);
	(void)reg_get(&f, REG_QUEUE_SEL);
	assert_int_equal(f.device.ignored, 1);
	virtio_mmio_read(&f.device, REG_STATUS, bytes, 1);
	assert_int_equal(f.device.ignored, 2);
	(void)reg_get(&f, REG_CONFIG + 8);
	assert_int_equal(f.device.ignored, 3);
	reg_set(&f, REG_MAGIC, 1);
	assert_int_equal(f.device.ignored, 4);
	assert_int_equal(virtio_mmio_write(&f.device, REG_STATUS, bytes, 2), 0);
	assert_int_equal(f.device.ignored, 5);
}

/* Registers whose values have fewer than 32 meaningful bits */

/* Hostile 97, 98: QueueSel is compared in full, and each queue has its own size. */
static void mmio_queue_sel_selects_existing_queue_only(void **state)
{
	static const uint32_t absent[] = {
		DEVICE_ABSENT, 4, 0xffff, 0x10000, 0x10001, 0x10003, 0x80000000, UINT32_MAX
	};
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_negotiate(&f, F_RING_RESET);
	reg_set(&f, REG_QUEUE_SEL, 1);
	assert_int_equal(reg_get(&f, REG_QUEUE_SIZE_MAX), 8);
	reg_set(&f, REG_QUEUE_SEL, 3);
	assert_int_equal(reg_get(&f, REG_QUEUE_SIZE_MAX), DEVICE_MAX_SIZE);
	for (uint32_t i = 0; i < COUNT(absent); i++) {
		reg_set(&f, REG_QUEUE_SEL, absent[i]);
		device_keep(&f);
		assert_int_equal(reg_get(&f, REG_QUEUE_SIZE_MAX), 0);
		driver_place(&f, absent[i], 4);
		assert_false(driver_enable(&f, absent[i]));
		reg_set(&f, REG_QUEUE_READY, 0);
		reg_set(&f, REG_QUEUE_RESET, 1);
		assert_int_equal(reg_get(&f, REG_QUEUE_RESET), 0);
		assert_true(device_unchanged(&f));
	}
	reg_set(&f, REG_QUEUE_SEL, 0);
	assert_int_equal(reg_get(&f, REG_QUEUE_SIZE_MAX), 16);
}

/* Hostile 102: length and base of a region that does not exist read as all ones. */
static void mmio_shm_region_absent_reads_all_ones(void **state)
{
	static const uint32_t absent[] = { 1, 254, 0x100, 0x1ff, 0x10000, 0xff00, UINT32_MAX };
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	for (uint32_t i = 0; i < COUNT(absent); i++) {
		reg_set(&f, REG_SHM_SEL, absent[i]);
		for (uint32_t offset = REG_SHM_LEN; offset <= REG_SHM_BASE + 4; offset += 4)
			assert_int_equal(reg_get(&f, offset), UINT32_MAX);
		assert_null(virtio_device_shm(&f.device, absent[i]));
	}
	assert_ptr_equal(virtio_device_shm(&f.device, 0), &f.shm[0]);
	assert_ptr_equal(virtio_device_shm(&f.device, 255), &f.shm[1]);
	f.options.num_shm = 0;
	f.options.shm = NULL;
	device_make(&f);
	assert_int_equal(reg_get(&f, REG_SHM_LEN), UINT32_MAX);
}

/* Hostile 102: the registers of shared memory cannot be written. */
static void mmio_shm_registers_ignore_writes(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	for (uint32_t offset = REG_SHM_LEN; offset <= REG_SHM_BASE + 4; offset += 4)
		reg_set(&f, offset, 0x5a5a5a5a);
	assert_int_equal(reg_get(&f, REG_SHM_LEN), 0xddeeff00);
	assert_int_equal(reg_get(&f, REG_SHM_BASE + 4), 0x11223344);
}

static void mmio_device_features_show_every_word_offered(void **state)
{
	struct device_fixture f;
	static const struct {
		uint32_t select, bits;
	} words[] = { { 0, 0x30000001 }, { 1, 0x149 }, { 2, WORD2 },   { 3, WORD3 },
		      { 4, 0 },          { 5, 0 },     { 0x10000, 0 }, { UINT32_MAX, 0 } };

	(void)state;
	device_setup(&f);
	for (uint32_t i = 0; i < COUNT(words); i++) {
		reg_set(&f, REG_DEVICE_FEATURES_SEL, words[i].select);
		assert_int_equal(reg_get(&f, REG_DEVICE_FEATURES), words[i].bits);
	}
}

/*
 * Hostile 106: the generation register changes with the configuration space, and with nothing else.
 */
static void mmio_config_generation_changes_with_config_alone(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_start(&f, 0);
	assert_int_equal(reg_get(&f, REG_CONFIG_GENERATION), 0);
	virtio_device_config_changed(&f.device);
	assert_int_equal(reg_get(&f, REG_CONFIG_GENERATION), 1);
	reg_set(&f, REG_STATUS, 0);
	assert_int_equal(reg_get(&f, REG_CONFIG_GENERATION), 1);
	virtio_device_config_changed(&f.device);
	assert_int_equal(reg_get(&f, REG_CONFIG_GENERATION), 2);
	driver_start(&f, 0);
	assert_int_equal(reg_get(&f, REG_CONFIG_GENERATION), 2);
}

/*
 * A device with ID 0 is a placeholder in a memory map (virtio 1.4, 4.2.2). The placeholder has no
 * queues.
 */
static void mmio_device_with_nothing_survives_every_access(void **state)
{
	struct device_fixture f;
	uint8_t bytes[16];

	(void)state;
	device_prepare(&f);
	memset(bytes, 0xff, sizeof bytes);
	f.ops = (struct virtio_device_ops){ .activate = f.ops.activate,
					    .reset = f.ops.reset,
					    .interrupt = f.ops.interrupt };
	f.options = (struct virtio_device_options){ .ops = &f.ops, .context = &f };
	device_make(&f);
	assert_int_equal(reg_get(&f, REG_DEVICE_ID), 0);
	assert_int_equal(reg_get(&f, REG_MAGIC), 0x74726976);
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t offset = 0; offset <= 0x200; offset++) {
			for (uint32_t len = 0; len <= 16; len++) {
				virtio_mmio_read(&f.device, offset, bytes, len);
				assert_int_equal(virtio_mmio_write(&f.device, offset, bytes, len), 0);
			}
		}
		memset(bytes, (int)round, sizeof bytes);
	}
	reg_set(&f, REG_STATUS, 0);
	driver_negotiate(&f, 0);
	reg_set(&f, REG_STATUS, ST_OK);
	assert_int_equal(f.calls[OP_ACTIVATE], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mmio_access_of_any_offset_and_width_on_fresh_device),
		cmocka_unit_test(mmio_access_of_any_offset_and_width_on_running_device),
		cmocka_unit_test(mmio_access_above_window_reads_zero_and_writes_nothing),
		cmocka_unit_test(mmio_access_without_effect_is_counted),
		cmocka_unit_test(mmio_queue_sel_selects_existing_queue_only),
		cmocka_unit_test(mmio_shm_region_absent_reads_all_ones),
		cmocka_unit_test(mmio_shm_registers_ignore_writes),
		cmocka_unit_test(mmio_device_features_show_every_word_offered),
		cmocka_unit_test(mmio_config_generation_changes_with_config_alone),
		cmocka_unit_test(mmio_device_with_nothing_survives_every_access),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
