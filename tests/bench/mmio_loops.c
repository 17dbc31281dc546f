/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Register accesses as after exits of a vCPU: a read of the interrupt status, and a notification.
 * The baseline does the least that a device must do: it loads the status, and calls the device by a
 * pointer.
 */
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_mmio.h>
#include <virtio/mmio.h>

#include "loops.h"

#define ACCESSES 64

static struct virtio_queue_registers queues[1];
static struct virtio_device device;
static uint64_t notified;

static int nothing(struct virtio_device *d)
{
	(void)d;
	return 0;
}

static int stop(struct virtio_device *d, uint16_t queue)
{
	(void)d, (void)queue;
	return 0;
}

static void notify(struct virtio_device *d, uint16_t queue, uint16_t next)
{
	(void)d, (void)next;
	notified += queue + 1u;
}

static void interrupt(struct virtio_device *d, enum virtio_interrupt cause, uint16_t queue, bool level)
{
	(void)d, (void)cause, (void)queue, (void)level;
}

static const struct virtio_device_ops ops = {
	.activate = nothing, .reset = nothing, .queue_notify = notify, .queue_stop = stop, .interrupt = interrupt
};

static void write_register(uint64_t offset, uint32_t value)
{
	uint8_t bytes[4];

	virtio_put_le32(bytes, value);
	(void)!virtio_mmio_write(&device, offset, bytes, 4);
}

static uint32_t read_register(uint64_t offset)
{
	uint8_t bytes[4];

	virtio_mmio_read(&device, offset, bytes, 4);
	return virtio_get_le32(bytes);
}

/* Does a driver's initialization, with the rings of the rig's own queue. */
static void start(const struct rig *w)
{
	const struct virtio_device_options options = {
		.ops = &ops, .type = 2, .queues = queues, .num_queues = 1, .memory = &w->map
	};

	queues[0].config.max_size = QUEUE_SIZE;
	if (virtio_device_init(&device, &options))
		return;
	write_register(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	write_register(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	write_register(VIRTIO_MMIO_DRIVER_FEATURES, 1);
	write_register(VIRTIO_MMIO_STATUS, 11);
	write_register(VIRTIO_MMIO_QUEUE_DESC_LOW, (uint32_t)w->config.addr[VIRTIO_QUEUE_DESC]);
	write_register(VIRTIO_MMIO_QUEUE_AVAIL_LOW, (uint32_t)w->config.addr[VIRTIO_QUEUE_AVAIL]);
	write_register(VIRTIO_MMIO_QUEUE_USED_LOW, (uint32_t)w->config.addr[VIRTIO_QUEUE_USED]);
	write_register(VIRTIO_MMIO_QUEUE_READY, 1);
	write_register(VIRTIO_MMIO_STATUS, 15);
}

uint64_t library_registers(struct rig *w)
{
	uint64_t sum = 0;

	if (device.memory != &w->map)
		start(w);
	for (int i = 0; i < ACCESSES; i++) {
		sum += read_register(VIRTIO_MMIO_INTERRUPT_STATUS);
		write_register(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	}
	return sum + notified;
}

uint64_t baseline_registers(struct rig *w)
{
	static void (*volatile call)(struct virtio_device * d, uint16_t queue, uint16_t next) = notify;
	uint64_t sum = 0;

	(void)w;
	for (int i = 0; i < ACCESSES; i++) {
		sum += __atomic_load_n(&device.live, __ATOMIC_SEQ_CST);
		call(&device, 0, 0);
	}
	return sum + notified;
}
