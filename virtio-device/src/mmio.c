/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The registers of virtio-mmio: offsets and widths (virtio 1.4, 4.2.2). The core defines their
 * meaning.
 */
#include <string.h>

#include <virtio/bindings/virtio_mmio.h>
#include <virtio/device_transport.h>
#include <virtio/endian.h>
#include <virtio/mmio.h>

#define MAGIC 0x74726976u /* "virt" */
#define VERSION 2

/*
 * Returns one half of the length or base of the selected shared memory region. If there is no such
 * region, all bits are 1.
 */
static uint32_t read_shm(const struct virtio_device *device, uint64_t offset)
{
	const struct virtio_shm_region *region = virtio_device_shm(device, device->shm_sel);

	if (!region)
		return UINT32_MAX;
	switch (offset) {
	case VIRTIO_MMIO_SHM_LEN_LOW:
		return (uint32_t)region->len;
	case VIRTIO_MMIO_SHM_LEN_HIGH:
		return (uint32_t)(region->len >> 32);
	case VIRTIO_MMIO_SHM_BASE_LOW:
		return (uint32_t)region->base;
	default:
		return (uint32_t)(region->base >> 32);
	}
}

/* Returns the value of a readable register, or 0 for any other offset. */
static uint32_t read_register(struct virtio_device *device, uint64_t offset)
{
	switch (offset) {
	case VIRTIO_MMIO_MAGIC_VALUE:
		return MAGIC;
	case VIRTIO_MMIO_VERSION:
		return VERSION;
	case VIRTIO_MMIO_DEVICE_ID:
		return device->type;
	case VIRTIO_MMIO_VENDOR_ID:
		return device->vendor;
	case VIRTIO_MMIO_DEVICE_FEATURES:
		return virtio_device_offered_features(device, device->device_features_sel);
	case VIRTIO_MMIO_QUEUE_NUM_MAX:
		return virtio_device_queue_max_size(device);
	case VIRTIO_MMIO_QUEUE_READY:
		return virtio_device_queue_enabled(device);
	case VIRTIO_MMIO_INTERRUPT_STATUS:
		return virtio_device_interrupt_status(device);
	case VIRTIO_MMIO_STATUS:
		return virtio_device_status(device);
	case VIRTIO_MMIO_SHM_LEN_LOW:
	case VIRTIO_MMIO_SHM_LEN_HIGH:
	case VIRTIO_MMIO_SHM_BASE_LOW:
	case VIRTIO_MMIO_SHM_BASE_HIGH:
		return read_shm(device, offset);
	case VIRTIO_MMIO_QUEUE_RESET:
		return virtio_device_queue_resetting(device);
	case VIRTIO_MMIO_CONFIG_GENERATION:
		return device->generation;
	default:
		device->ignored++;
		return 0;
	}
}

static int write_register(struct virtio_device *device, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
		device->device_features_sel = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		virtio_device_accept_features(device, device->driver_features_sel, value);
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
		device->driver_features_sel = value;
		break;
	case VIRTIO_MMIO_QUEUE_SEL:
		device->queue_sel = value;
		break;
	case VIRTIO_MMIO_QUEUE_NUM:
		virtio_device_set_queue_size(device, value);
		break;
	case VIRTIO_MMIO_QUEUE_READY:
		return virtio_device_enable_queue(device, value);
	case VIRTIO_MMIO_QUEUE_NOTIFY:
		virtio_device_notify(device, value);
		break;
	case VIRTIO_MMIO_INTERRUPT_ACK:
		virtio_device_ack_interrupt(device, value);
		break;
	case VIRTIO_MMIO_STATUS:
		return virtio_device_write_status(device, value);
	case VIRTIO_MMIO_QUEUE_DESC_LOW:
		virtio_device_set_queue_addr_low(device, VIRTIO_QUEUE_DESC, value);
		break;
	case VIRTIO_MMIO_QUEUE_DESC_HIGH:
		virtio_device_set_queue_addr_high(device, VIRTIO_QUEUE_DESC, value);
		break;
	case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
		virtio_device_set_queue_addr_low(device, VIRTIO_QUEUE_AVAIL, value);
		break;
	case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
		virtio_device_set_queue_addr_high(device, VIRTIO_QUEUE_AVAIL, value);
		break;
	case VIRTIO_MMIO_QUEUE_USED_LOW:
		virtio_device_set_queue_addr_low(device, VIRTIO_QUEUE_USED, value);
		break;
	case VIRTIO_MMIO_QUEUE_USED_HIGH:
		virtio_device_set_queue_addr_high(device, VIRTIO_QUEUE_USED, value);
		break;
	case VIRTIO_MMIO_SHM_SEL:
		device->shm_sel = value;
		break;
	case VIRTIO_MMIO_QUEUE_RESET:
		return virtio_device_reset_queue(device, value);
	default:
		device->ignored++;
		break;
	}
	return 0;
}

/* Registers accept whole, aligned 32-bit accesses only. */
static bool is_register(uint64_t offset, uint32_t len)
{
	return offset < VIRTIO_MMIO_CONFIG && offset % 4 == 0 && len == 4;
}

static bool is_config(uint64_t offset, uint32_t len)
{
	return offset >= VIRTIO_MMIO_CONFIG && (len == 1 || len == 2 || len == 4 || len == 8);
}

void virtio_mmio_read(struct virtio_device *device, uint64_t offset, void *data, uint32_t len)
{
	if (is_register(offset, len)) {
		virtio_put_le32(data, read_register(device, offset));
	} else if (is_config(offset, len)) {
		virtio_device_read_config(device, offset - VIRTIO_MMIO_CONFIG, data, len);
	} else {
		if (len != 0)
			memset(data, 0, len);
		device->ignored++;
	}
}

int virtio_mmio_write(struct virtio_device *device, uint64_t offset, const void *data, uint32_t len)
{
	if (is_register(offset, len))
		return write_register(device, offset, virtio_get_le32(data));
	if (is_config(offset, len))
		virtio_device_write_config(device, offset - VIRTIO_MMIO_CONFIG, data, len);
	else
		device->ignored++;
	return 0;
}
