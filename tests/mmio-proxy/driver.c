/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The guest's drivers of the block device and the entropy device, for the tests. */
#include "driver.h"

#include "cmocka_includes.h"

#include <string.h>
#include <sys/socket.h>
#include <virtio/bindings/virtio_blk.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_mmio.h>

uint32_t reg_read(const struct driver *driver, uint32_t offset)
{
	return (uint32_t)vm_bar_read(driver->vm, REGISTERS + driver->window * WINDOW + offset, 4, true);
}

void reg_write(const struct driver *driver, uint32_t offset, uint32_t value)
{
	vm_bar_write(driver->vm, REGISTERS + driver->window * WINDOW + offset, 4, true, value);
}

void driver_init(struct driver *driver, struct vm *vm, unsigned int window)
{
	memset(driver, 0, sizeof *driver);
	driver->vm = vm;
	driver->window = window;
}

static uint64_t offered_features(const struct driver *driver)
{
	uint64_t offered;

	reg_write(driver, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
	offered = reg_read(driver, VIRTIO_MMIO_DEVICE_FEATURES);
	reg_write(driver, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	return offered | (uint64_t)reg_read(driver, VIRTIO_MMIO_DEVICE_FEATURES) << 32;
}

void driver_negotiate(struct driver *driver, uint64_t features)
{
	uint32_t status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;

	features |= FEATURE(VIRTIO_F_VERSION_1);
	reg_write(driver, VIRTIO_MMIO_STATUS, 0);
	assert_int_equal(reg_read(driver, VIRTIO_MMIO_STATUS), 0);
	reg_write(driver, VIRTIO_MMIO_STATUS, status);
	assert_int_equal(offered_features(driver) & features, features);
	for (uint32_t i = 0; i < 2; i++) {
		reg_write(driver, VIRTIO_MMIO_DRIVER_FEATURES_SEL, i);
		reg_write(driver, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)(features >> 32 * i));
	}
	status |= VIRTIO_CONFIG_S_FEATURES_OK;
	reg_write(driver, VIRTIO_MMIO_STATUS, status);
	assert_int_equal(reg_read(driver, VIRTIO_MMIO_STATUS), status);
	driver->features = features;
}

void driver_set_queue(struct driver *driver, uint32_t size)
{
	static const uint32_t areas[3] = { VIRTIO_MMIO_QUEUE_DESC_LOW, VIRTIO_MMIO_QUEUE_AVAIL_LOW,
					   VIRTIO_MMIO_QUEUE_USED_LOW };

	assert_int_equal(virtio_mock_init(&driver->mock, &driver->vm->map, GUEST_ADDR + RING(driver->window), size,
					  driver->slots, RING_SIZE),
			 0);
	driver->mock.event_idx = (driver->features & FEATURE(VIRTIO_RING_F_EVENT_IDX)) != 0;
	driver->mock.indirect = (driver->features & FEATURE(VIRTIO_RING_F_INDIRECT_DESC)) != 0;
	reg_write(driver, VIRTIO_MMIO_QUEUE_SEL, 0);
	assert_int_equal(reg_read(driver, VIRTIO_MMIO_QUEUE_READY), 0);
	assert_true(reg_read(driver, VIRTIO_MMIO_QUEUE_NUM_MAX) >= size);
	reg_write(driver, VIRTIO_MMIO_QUEUE_NUM, size);
	for (unsigned int i = 0; i < 3; i++) {
		reg_write(driver, areas[i], (uint32_t)driver->mock.addr[i]);
		reg_write(driver, areas[i] + 4, (uint32_t)(driver->mock.addr[i] >> 32));
	}
	reg_write(driver, VIRTIO_MMIO_QUEUE_READY, 1);
	assert_int_equal(reg_read(driver, VIRTIO_MMIO_QUEUE_READY), 1);
}

void driver_set_up(struct driver *driver, uint64_t features)
{
	driver_negotiate(driver, features);
	driver_set_queue(driver, RING_SIZE);
	reg_write(driver, VIRTIO_MMIO_STATUS, reg_read(driver, VIRTIO_MMIO_STATUS) | VIRTIO_CONFIG_S_DRIVER_OK);
	assert_int_equal(reg_read(driver, VIRTIO_MMIO_STATUS), 15);
}

void driver_notify(struct driver *driver)
{
	if (virtio_mock_should_kick(&driver->mock) != 0)
		reg_write(driver, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
}

uint32_t driver_wait_interrupt(struct driver *driver)
{
	uint32_t causes;
	char byte;

	do {
		assert_int_equal(recv(driver->vm->irq, &byte, 1, 0), 1);
		causes = reg_read(driver, VIRTIO_MMIO_INTERRUPT_STATUS);
	} while (causes == 0);
	reg_write(driver, VIRTIO_MMIO_INTERRUPT_ACK, causes);
	if (causes & VIRTIO_MMIO_INT_CONFIG)
		driver->config_changes++;
	return causes;
}

struct vring_used_elem driver_wait(struct driver *driver)
{
	struct vring_used_elem used;
	int got;

	for (;;) {
		got = virtio_mock_pop_used(&driver->mock, &used);
		assert_true(got >= 0);
		if (got)
			return used;
		if (virtio_mock_enable_interrupts(&driver->mock) == 0)
			(void)driver_wait_interrupt(driver);
	}
}

uint8_t block_io(struct driver *driver, uint32_t type, uint64_t sector, uint32_t len)
{
	const struct virtio_blk_outhdr header = { .type = virtio_le32(type), .sector = virtio_le64(sector) };
	const uint16_t data_flags = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID ? VRING_DESC_F_WRITE : 0;
	const struct virtio_mock_buffer buffers[3] = {
		{ .addr = GUEST_ADDR + HEADERS, .len = sizeof header },
		{ .addr = GUEST_ADDR + DATA, .len = len, .flags = data_flags },
		{ .addr = GUEST_ADDR + STATUSES, .len = 1, .flags = VRING_DESC_F_WRITE },
	};
	const struct virtio_mock_buffer short_buffers[2] = { buffers[0], buffers[2] };

	memcpy(driver->vm->memory + HEADERS, &header, sizeof header);
	driver->vm->memory[STATUSES] = 0xff;
	assert_true(virtio_mock_add(&driver->mock, len ? buffers : short_buffers, len ? 3 : 2) >= 0);
	driver_notify(driver);
	(void)driver_wait(driver);
	return driver->vm->memory[STATUSES];
}

void block_write_and_read(struct driver *driver, uint64_t sector, uint8_t byte)
{
	uint8_t expected[512];
	uint8_t *data = driver->vm->memory + DATA;

	memset(expected, byte, sizeof expected);
	memset(data, byte, sizeof expected);
	assert_int_equal(block_io(driver, VIRTIO_BLK_T_OUT, sector, sizeof expected), VIRTIO_BLK_S_OK);
	if (driver->features & FEATURE(VIRTIO_BLK_F_FLUSH))
		assert_int_equal(block_io(driver, VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_OK);
	memset(data, ~byte, sizeof expected);
	assert_int_equal(block_io(driver, VIRTIO_BLK_T_IN, sector, sizeof expected), VIRTIO_BLK_S_OK);
	assert_memory_equal(data, expected, sizeof expected);
}

uint32_t entropy_get(struct driver *driver, uint32_t len)
{
	const struct virtio_mock_buffer buffer = { .addr = GUEST_ADDR + DATA, .len = len, .flags = VRING_DESC_F_WRITE };

	assert_true(virtio_mock_add(&driver->mock, &buffer, 1) >= 0);
	driver_notify(driver);
	return driver_wait(driver).len;
}
