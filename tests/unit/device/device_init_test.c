/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Making a device: refused options, features that the core adds, and queries on a new device. */
#include <stdlib.h>

#include "device_fixture.h"

/* Checks that virtio_device_init() fails, and changes neither device nor queues. */
static void expect_refused(struct device_fixture *f, int error)
{
	struct virtio_device before;
	struct virtio_queue_registers queues[DEVICE_QUEUES];

	memset(&f->device, 0x5a, sizeof f->device);
	memcpy(&before, &f->device, sizeof before);
	memcpy(queues, f->queues, sizeof queues);
	assert_int_equal(virtio_device_init(&f->device, &f->options), error);
	assert_memory_equal(&f->device, &before, sizeof before);
	assert_memory_equal(f->queues, queues, sizeof queues);
	device_prepare(f);
}

static void device_init_sets_every_member(void **state)
{
	struct device_fixture f;

	(void)state;
	device_prepare(&f);
	memset(&f.device, 0xff, sizeof f.device);
	f.queues[0].stopping = true;
	f.queues[0].resetting = true;
	f.queues[0].may_reenable = true;
	f.queues[1].config.addr[0] = 0x1000;
	f.queues[1].config.ready = true;
	f.queues[3].config.size = 3;
	device_make(&f);
	assert_true(device_is_fresh(&f));
	assert_int_equal(f.device.generation, 0);
	assert_int_equal(f.device.ignored, 0);
	assert_int_equal(f.device.first_error, 0);
	assert_int_equal(f.device.first_queue, VIRTIO_DEVICE_NO_QUEUE);
	assert_ptr_equal(f.device.context, &f);
	assert_int_equal(virtio_device_status(&f.device), 0);
	assert_int_equal(virtio_device_interrupt_status(&f.device), 0);
	assert_false(virtio_device_resetting(&f.device));
	assert_int_equal(f.event_count, 0);
}

/* The options are copied, but not the objects that they point to. */
static void device_init_copies_options(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	memset(&f.options, 0, sizeof f.options);
	assert_int_equal(reg_get(&f, REG_DEVICE_ID), 4);
	driver_start(&f, 0);
	assert_int_equal(f.calls[OP_ACTIVATE], 1);
}

/* Checks that virtio_device_init() fails because this operation is missing. */
static void expect_missing(struct device_fixture *f, const char *op)
{
	assert_string_equal(virtio_device_missing_op(&f->options), op);
	expect_refused(f, VIRTIO_ENOOP);
	assert_null(virtio_device_missing_op(&f->options));
}

static void device_init_refuses_missing_operation_and_names_it(void **state)
{
	struct device_fixture f;

	(void)state;
	device_prepare(&f);
	f.ops.activate = NULL;
	expect_missing(&f, "activate");
	f.ops.reset = NULL;
	expect_missing(&f, "reset");
	f.ops.queue_notify = NULL;
	expect_missing(&f, "queue_notify");
	f.ops.queue_stop = NULL;
	expect_missing(&f, "queue_stop");
	f.ops.queue_start = NULL;
	expect_missing(&f, "queue_start");
	f.ops.config_read = NULL;
	expect_missing(&f, "config_read");
	f.ops.interrupt = NULL;
	expect_missing(&f, "interrupt");
	f.options.ops = NULL;
	expect_missing(&f, "activate");
	/*
	 * The first missing operation, in the order of struct virtio_device_ops, is named.
	 */
	f.ops.interrupt = NULL;
	f.ops.queue_stop = NULL;
	f.ops.config_read = NULL;
	expect_missing(&f, "queue_stop");
}

/* Other errors are reported first. So VIRTIO_ENOOP means that nothing else is wrong. */
static void device_init_names_operation_last(void **state)
{
	struct device_fixture f;

	(void)state;
	device_prepare(&f);
	f.ops.reset = NULL;
	virtio_feature_set(f.options.features, 34); /* VIRTIO_F_RING_PACKED */
	expect_refused(&f, VIRTIO_ENOTSUP);
	f.ops.reset = NULL;
	f.queues[0].config.max_size = 3;
	expect_refused(&f, VIRTIO_ESIZE);
	f.ops.reset = NULL;
	f.options.shm = NULL;
	expect_refused(&f, VIRTIO_EINVAL);
}

/* Operations that are not needed may be missing. */
static void device_init_accepts_missing_operation_that_nothing_needs(void **state)
{
	struct device_fixture f;

	(void)state;
	device_prepare(&f);
	f.ops.check_features = NULL;
	f.ops.config_write = NULL;
	device_make(&f);
	driver_start(&f, 0);
	device_prepare(&f);
	f.ops.queue_start = NULL;
	f.options.features[1] = 0;
	device_make(&f);
	driver_start(&f, 0);
	device_prepare(&f);
	f.ops.queue_notify = NULL;
	f.ops.queue_stop = NULL;
	f.options.num_queues = 0;
	f.options.queues = NULL;
	device_make(&f);
	device_prepare(&f);
	f.ops.config_read = NULL;
	f.options.config_size = 0;
	device_make(&f);
}

/*
 * Virtio 1.4, 2.2: a bit of the device type can be offered, except VIRTIO_F_ADMIN_VQ. Another bit
 * can be offered only if the core implements the feature, or the feature needs no implementation.
 */
static bool can_be_offered(uint32_t bit)
{
	static const uint8_t common[] = { 28, 29, 32, 33, 35, 36, 38, 40, 42 };

	if (bit < 24 || bit > 49)
		return true;
	return memchr(common, (int)bit, sizeof common) != NULL;
}

static void device_init_refuses_feature_it_cannot_honour(void **state)
{
	struct device_fixture f;

	(void)state;
	for (uint32_t bit = 0; bit < 128; bit++) {
		if (can_be_offered(bit))
			continue;
		device_prepare(&f);
		f.options.features[bit / 32] |= 1u << bit % 32;
		expect_refused(&f, VIRTIO_ENOTSUP);
	}
}

/*
 * Each bit that can be offered is offered alone. The driver sees this bit and VERSION_1, which the
 * core adds.
 */
static void device_init_accepts_every_other_feature(void **state)
{
	struct device_fixture f;
	uint32_t wanted;

	(void)state;
	for (uint32_t bit = 0; bit < 128; bit++) {
		if (!can_be_offered(bit))
			continue;
		device_prepare(&f);
		memset(f.options.features, 0, sizeof f.options.features);
		f.options.features[bit / 32] = 1u << bit % 32;
		device_make(&f);
		for (uint32_t word = 0; word < 4; word++) {
			wanted = f.options.features[word] | (word == 1 ? 1u : 0u);
			assert_int_equal(virtio_device_offered_features(&f.device, word), wanted);
		}
	}
}

static void device_init_refuses_bad_queue_size(void **state)
{
	static const uint16_t sizes[] = { 3, 15, 17, 32767, 32769, 65535 };
	struct device_fixture f;

	(void)state;
	device_prepare(&f);
	for (uint32_t i = 0; i < COUNT(sizes); i++) {
		f.queues[3].config.max_size = sizes[i];
		expect_refused(&f, VIRTIO_ESIZE);
	}
	f.queues[0].config.max_size = 1;
	f.queues[3].config.max_size = 32768;
	device_make(&f);
}

static void device_init_refuses_missing_array_or_too_many_queues(void **state)
{
	struct device_fixture f;

	(void)state;
	device_prepare(&f);
	f.options.queues = NULL;
	expect_refused(&f, VIRTIO_EINVAL);
	f.options.shm = NULL;
	expect_refused(&f, VIRTIO_EINVAL);
	f.options.num_queues = VIRTIO_DEVICE_MAX_QUEUES + 1;
	expect_refused(&f, VIRTIO_EINVAL);
	f.options.num_queues = UINT32_MAX;
	expect_refused(&f, VIRTIO_EINVAL);
}

/* The queue with the highest possible index works like every other queue. */
static void device_init_accepts_most_queues_there_can_be(void **state)
{
	struct virtio_queue_registers *many = calloc(VIRTIO_DEVICE_MAX_QUEUES, sizeof *many);
	struct device_fixture f;

	(void)state;
	assert_non_null(many);
	device_prepare(&f);
	many[VIRTIO_DEVICE_MAX_QUEUES - 1].config.max_size = 4;
	f.options.queues = many;
	f.options.num_queues = VIRTIO_DEVICE_MAX_QUEUES;
	device_make(&f);
	driver_negotiate(&f, 0);
	reg_set(&f, REG_QUEUE_SEL, 0xfffe);
	assert_int_equal(reg_get(&f, REG_QUEUE_SIZE_MAX), 4);
	driver_place(&f, 0xfffe, 4);
	/*
	 * driver_place() has put the areas outside of memory, because the queue's index is so high.
	 */
	for (uint32_t area = REG_QUEUE_DESC; area <= REG_QUEUE_DEVICE; area += 0x10)
		reg_set64(&f, area, RAM_START);
	assert_true(driver_enable(&f, 0xfffe));
	reg_set(&f, REG_STATUS, ST_OK);
	expect_event(&f, f.event_count - 1, OP_NOTIFY, 0xfffe, 0);
	reg_set(&f, REG_QUEUE_NOTIFY, 0xffff);
	assert_int_equal(f.calls[OP_NOTIFY], 1);
	reg_set(&f, REG_QUEUE_NOTIFY, 0xfffe);
	assert_int_equal(f.calls[OP_NOTIFY], 2);
	free(many);
}

static void device_init_refuses_shared_memory_region_twice(void **state)
{
	struct device_fixture f;

	(void)state;
	device_prepare(&f);
	f.shm[1].id = 0;
	expect_refused(&f, VIRTIO_EINVAL);
	f.shm[0].id = 255;
	expect_refused(&f, VIRTIO_EINVAL);
}

static void device_queue_config_is_null_for_absent_queue(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	assert_ptr_equal(virtio_device_queue_config(&f.device, 0), &f.queues[0].config);
	assert_ptr_equal(virtio_device_queue_config(&f.device, 3), &f.queues[3].config);
	assert_null(virtio_device_queue_config(&f.device, DEVICE_ABSENT));
	assert_null(virtio_device_queue_config(&f.device, DEVICE_QUEUES));
	assert_null(virtio_device_queue_config(&f.device, 0x10000));
	assert_null(virtio_device_queue_config(&f.device, UINT32_MAX));
}

/* A reset keeps the two options of a queue that make the queue tolerate lax drivers. */
static void device_reset_keeps_allowances_of_queue(void **state)
{
	struct device_fixture f;

	(void)state;
	device_prepare(&f);
	f.queues[0].config.allow_long_indirect = true;
	f.queues[1].config.allow_unnegotiated_indirect = true;
	device_make(&f);
	driver_start(&f, 0);
	reg_set(&f, REG_STATUS, 0);
	assert_true(f.queues[0].config.allow_long_indirect);
	assert_false(f.queues[0].config.allow_unnegotiated_indirect);
	assert_true(f.queues[1].config.allow_unnegotiated_indirect);
	assert_false(f.queues[1].config.allow_long_indirect);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_init_sets_every_member),
		cmocka_unit_test(device_init_copies_options),
		cmocka_unit_test(device_init_refuses_missing_operation_and_names_it),
		cmocka_unit_test(device_init_names_operation_last),
		cmocka_unit_test(device_init_accepts_missing_operation_that_nothing_needs),
		cmocka_unit_test(device_init_refuses_feature_it_cannot_honour),
		cmocka_unit_test(device_init_accepts_every_other_feature),
		cmocka_unit_test(device_init_refuses_bad_queue_size),
		cmocka_unit_test(device_init_refuses_missing_array_or_too_many_queues),
		cmocka_unit_test(device_init_accepts_most_queues_there_can_be),
		cmocka_unit_test(device_init_refuses_shared_memory_region_twice),
		cmocka_unit_test(device_queue_config_is_null_for_absent_queue),
		cmocka_unit_test(device_reset_keeps_allowances_of_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
