/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The driver of virtio-device's README, which knows a device by its registers alone. */
#include "readme_registers.h"

#include "cmocka_includes.h"

#include <string.h>
#include <virtio/bindings/virtio_ring.h>
#include <virtio/device_queues.h>

#define SIZE 8u
#define RAM 0x8000u
#define DATA 0x4000u

static struct {
	_Alignas(4096) uint8_t ram[RAM];
	struct virtio_region region;
	struct virtio_memory_map map;
	struct virtio_mock mock;
	struct virtio_mock_slot slots[SIZE];
	struct virtio_device device;
	struct virtio_device_queues queues;
	struct virtio_queue_registers registers;
	struct virtio_queue queue;
	struct virtio_inflight inflight[SIZE];
	bool line, refuses;
	uint64_t accepted;
} m;

static int answer(void *context, struct virtio_chain *chain, uint32_t *written)
{
	(void)context, (void)chain;
	*written = 5;
	return 0;
}

static int check_features(struct virtio_device *device, const uint32_t features[VIRTIO_FEATURE_WORDS])
{
	(void)device;
	m.accepted = virtio_features_to_u64(features);
	return m.refuses ? VIRTIO_ENOTSUP : 0;
}

static void notify(struct virtio_device *device, uint16_t queue, uint16_t next)
{
	(void)next;
	assert_int_equal(virtio_device_queues_serve(device, queue, SIZE, answer, NULL), 0);
}

static void interrupt(struct virtio_device *device, enum virtio_interrupt cause, uint16_t queue, bool level)
{
	(void)device, (void)cause, (void)queue;
	m.line = level;
}

static void set_up(void)
{
	static const struct virtio_device_ops ops = {
		.check_features = check_features,
		.activate = virtio_device_queues_activate,
		.reset = virtio_device_queues_reset,
		.queue_notify = notify,
		.queue_stop = virtio_device_queues_stop,
		.interrupt = interrupt,
	};
	struct virtio_device_options options = { .ops = &ops, .type = 0xffff, .device_queues = &m.queues };
	const struct virtio_device_queues_storage storage = { &m.registers, &m.queue, 1, m.inflight, SIZE, false };

	memset(&m, 0, sizeof m);
	m.region = (struct virtio_region){ .addr = UINT64_C(0x100000000), .len = RAM, .host = m.ram };
	assert_int_equal(virtio_memory_map_init(&m.map, &m.region, 1), 0);
	m.registers.config.max_size = SIZE;
	assert_int_equal(virtio_device_queues_init(&m.queues, &storage), 0);
	virtio_feature_set(options.features, 3);
	virtio_feature_set(options.features, VIRTIO_RING_F_EVENT_IDX);
	virtio_feature_set(options.features, 63);
	options.memory = &m.map;
	assert_int_equal(virtio_device_init(&m.device, &options), 0);
	assert_int_equal(virtio_mock_init(&m.mock, &m.map, m.region.addr, SIZE, m.slots, SIZE), 0);
}

static void registers_run_a_device(void **state)
{
	const uint64_t wanted = virtio_feature_mask(VIRTIO_RING_F_EVENT_IDX) | virtio_feature_mask(63) | 1;

	(void)state;
	set_up();
	assert_true(driver_reset(&m.device));
	assert_true(driver_begin(&m.device, wanted));
	/* The device does not offer bit 0, and the driver does not want bit 3. */
	assert_true(m.accepted == ((wanted & ~(uint64_t)1) | virtio_feature_mask(VIRTIO_F_VERSION_1)));
	m.mock.event_idx = true;
	assert_true(driver_enable_queue(&m.device, 0, &m.mock));
	assert_true(driver_run(&m.device));
	for (int i = 0; i < 3 * (int)SIZE; i++) {
		const struct virtio_mock_buffer buffer = { m.region.addr + DATA, 16, VRING_DESC_F_WRITE };
		struct vring_used_elem used;

		assert_true(virtio_mock_add(&m.mock, &buffer, 1) >= 0);
		assert_false(m.line);
		assert_int_equal(driver_kick(&m.device, 0, &m.mock), 0);
		assert_true(m.line);
		assert_int_equal(driver_acknowledge(&m.device), VIRTIO_MMIO_INT_VRING);
		assert_false(m.line);
		assert_int_equal(virtio_mock_pop_used(&m.mock, &used), 1);
		assert_int_equal(used.len, 5);
		assert_int_equal(virtio_mock_enable_interrupts(&m.mock), 0);
	}
	assert_true(driver_reset(&m.device));
	assert_int_equal(driver_read(&m.device, VIRTIO_MMIO_STATUS), 0);
}

/* The driver resets the device while a chain is available, and begins again. */
static void registers_run_a_device_again_after_a_reset(void **state)
{
	(void)state;
	set_up();
	for (int i = 0; i < 3; i++) {
		const struct virtio_mock_buffer buffer = { m.region.addr + DATA, 16, VRING_DESC_F_WRITE };
		struct vring_used_elem used;

		assert_true(driver_reset(&m.device));
		assert_int_equal(virtio_mock_reset(&m.mock), 0);
		assert_true(driver_begin(&m.device, 0));
		assert_true(driver_enable_queue(&m.device, 0, &m.mock));
		assert_true(driver_run(&m.device));
		assert_true(virtio_mock_add(&m.mock, &buffer, 1) >= 0);
		assert_int_equal(driver_kick(&m.device, 0, &m.mock), 0);
		assert_int_equal(virtio_mock_pop_used(&m.mock, &used), 1);
		assert_true(virtio_mock_add(&m.mock, &buffer, 1) >= 0);
	}
}

static void registers_say_what_the_device_refuses(void **state)
{
	(void)state;
	set_up();
	m.refuses = true;
	assert_false(driver_begin(&m.device, 0));
	/* The queue cannot be enabled, because no features are negotiated yet. */
	assert_false(driver_enable_queue(&m.device, 0, &m.mock));
	assert_false(driver_run(&m.device));
	set_up();
	assert_true(driver_begin(&m.device, 0));
	assert_int_equal(virtio_mock_place(&m.mock, VIRTIO_QUEUE_USED, 0), 0);
	assert_false(driver_enable_queue(&m.device, 0, &m.mock));
	assert_int_equal(m.device.first_error, VIRTIO_EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_run_a_device),
		cmocka_unit_test(registers_run_a_device_again_after_a_reset),
		cmocka_unit_test(registers_say_what_the_device_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
