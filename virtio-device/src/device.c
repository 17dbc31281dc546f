/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Initialisation of a device, its configuration space, its shared memory, and the queries. */
#include <string.h>

#include "device_internal.h"

#include <virtio/bindings/virtio_ring.h>
#include <virtio/device_queues.h>

/*
 * Returns whether a device may offer a feature bit. Bits 24 to 40 and 43 to 49 do not belong to the
 * device type (virtio 1.4, 2.2). The device may offer such a bit only if the core supports it.
 */
static bool can_offer(uint32_t bit)
{
	switch (bit) {
	case VIRTIO_RING_F_INDIRECT_DESC:
	case VIRTIO_RING_F_EVENT_IDX:
	case VIRTIO_F_VERSION_1:
	case VIRTIO_F_ACCESS_PLATFORM:
	case VIRTIO_F_IN_ORDER:
	case VIRTIO_F_ORDER_PLATFORM:
	case VIRTIO_F_NOTIFICATION_DATA:
	case VIRTIO_F_RING_RESET:
		return true;
	/*
	 * Bit 41 is among the bits of device types, but the feature needs an administration queue,
	 * which the core lacks.
	 */
	case VIRTIO_F_ADMIN_VQ:
		return false;
	/*
	 * Bit 43, the feature of suspending a device (virtio 1.4, 2.1 and 3.4), is refused here.
	 * The core does not know the status bit SUSPEND, and Linux does not define the feature yet.
	 */
	default:
		return bit < 24 || bit == 42 || bit > 49;
	}
}

static int check_features(const struct virtio_device_options *options)
{
	for (uint32_t bit = 0; bit < 32 * VIRTIO_FEATURE_WORDS; bit++) {
		if (virtio_feature_has(options->features, bit) && !can_offer(bit))
			return VIRTIO_ENOTSUP;
	}
	return 0;
}

static int check_queues(const struct virtio_device_options *options)
{
	struct virtio_queue_config config;

	if (options->num_queues > VIRTIO_DEVICE_MAX_QUEUES || (options->num_queues != 0 && !options->queues))
		return VIRTIO_EINVAL;
	for (uint32_t i = 0; i < options->num_queues; i++) {
		const uint16_t max_size = options->queues[i].config.max_size;

		if (max_size != 0 && virtio_queue_config_init(&config, max_size))
			return VIRTIO_ESIZE;
	}
	return 0;
}

const char *virtio_device_missing_op(const struct virtio_device_options *options)
{
	static const struct virtio_device_ops none;
	const struct virtio_device_ops *ops = options->ops ? options->ops : &none;
	const bool has_queues = options->num_queues != 0 || options->device_queues;

	if (!ops->activate)
		return "activate";
	if (!ops->reset)
		return "reset";
	if (!ops->queue_notify && has_queues)
		return "queue_notify";
	if (!ops->queue_stop && has_queues)
		return "queue_stop";
	if (!ops->queue_start && virtio_feature_has(options->features, VIRTIO_F_RING_RESET))
		return "queue_start";
	if (!ops->config_read && !options->config && options->config_size != 0)
		return "config_read";
	if (!ops->interrupt)
		return "interrupt";
	return NULL;
}

static int check_shm(const struct virtio_device_options *options)
{
	bool seen[256] = { false };

	if (options->num_shm != 0 && !options->shm)
		return VIRTIO_EINVAL;
	for (uint32_t i = 0; i < options->num_shm; i++) {
		if (seen[options->shm[i].id])
			return VIRTIO_EINVAL;
		seen[options->shm[i].id] = true;
	}
	return 0;
}

static int check_options(const struct virtio_device_options *options)
{
	int error = check_features(options);

	if (!error)
		error = check_queues(options);
	if (!error)
		error = check_shm(options);
	if (!error && virtio_device_missing_op(options))
		error = VIRTIO_ENOOP;
	return error;
}

static void init(struct virtio_device *device, const struct virtio_device_options *options)
{
	memset(device, 0, sizeof *device);
	device->ops = options->ops;
	device->context = options->context;
	device->memory = options->memory;
	device->queues = options->queues;
	device->num_queues = options->num_queues;
	device->device_queues = options->device_queues;
	device->shm = options->shm;
	device->num_shm = options->num_shm;
	device->type = options->type;
	device->vendor = options->vendor;
	device->config_size = options->config_size;
	device->config = options->config;
	memcpy(device->offered, options->features, sizeof device->offered);
	/* A device must offer VERSION_1 (virtio 1.4, 6.2). */
	virtio_feature_set(device->offered, VIRTIO_F_VERSION_1);
	device->first_queue = VIRTIO_DEVICE_NO_QUEUE;
	virtio_impl_device_clear(device);
}

int virtio_device_init(struct virtio_device *device, const struct virtio_device_options *options)
{
	struct virtio_device_options own = *options;
	int error;

	if (own.device_queues) {
		own.queues = own.device_queues->registers;
		own.num_queues = own.device_queues->num_queues;
	}
	error = check_options(&own);
	if (error)
		return error;
	init(device, &own);
	return 0;
}

void virtio_impl_device_clear_queue(struct virtio_queue_registers *queue)
{
	virtio_queue_config_reset(&queue->config);
	queue->enabling = false;
	queue->given = 0;
	queue->refused = 0;
}

void virtio_impl_device_clear(struct virtio_device *device)
{
	memset(device->accepted, 0, sizeof device->accepted);
	device->accepted_beyond = false;
	device->active = false;
	device->reset_pending = false;
	device->reset_number = 0;
	device->device_features_sel = 0;
	device->driver_features_sel = 0;
	device->queue_sel = 0;
	device->shm_sel = 0;
	for (uint32_t i = 0; i < device->num_queues; i++) {
		struct virtio_queue_registers *queue = &device->queues[i];

		virtio_impl_device_clear_queue(queue);
		queue->stop_number = 0;
		queue->stopping = false;
		queue->resetting = false;
		queue->may_reenable = false;
	}
}

uint32_t virtio_impl_device_next_number(struct virtio_device *device)
{
	device->last_number++;
	if (device->last_number == 0)
		device->last_number = 1;
	return device->last_number;
}

void virtio_device_set_memory(struct virtio_device *device, const struct virtio_memory_map *map)
{
	device->memory = map;
}

void virtio_impl_device_keep_error(struct virtio_device *device, int error, uint16_t queue)
{
	if (device->first_error)
		return;
	device->first_error = error;
	device->first_queue = queue;
}

/*
 * The driver may read any field in any state (virtio 1.4, 2.5.2). Some devices accept writes even
 * before the driver has initialised the device (5.3.5.1). So virtio_device_read_config() and
 * virtio_device_write_config() require no status bit.
 */
void virtio_device_read_config(struct virtio_device *device, uint64_t offset, void *data, uint32_t len)
{
	if (len != 0)
		memset(data, 0, len);
	if (offset >= device->config_size) {
		device->ignored++;
		return;
	}
	if (len > device->config_size - offset)
		len = (uint32_t)(device->config_size - offset);
	if (len != 0 && device->ops->config_read)
		device->ops->config_read(device, (uint32_t)offset, data, len);
	else if (len != 0)
		memcpy(data, (const uint8_t *)device->config + offset, len);
}

void virtio_device_write_config(struct virtio_device *device, uint64_t offset, const void *data, uint32_t len)
{
	if (offset > device->config_size || len == 0 || len > device->config_size - offset ||
	    !device->ops->config_write || virtio_device_resetting(device)) {
		device->ignored++;
		return;
	}
	device->ops->config_write(device, (uint32_t)offset, data, len);
}

const struct virtio_shm_region *virtio_device_shm(const struct virtio_device *device, uint32_t id)
{
	for (uint32_t i = 0; i < device->num_shm; i++) {
		if (device->shm[i].id == id)
			return &device->shm[i];
	}
	return NULL;
}

uint32_t virtio_device_status(const struct virtio_device *device)
{
	return live_load(device) & LIVE_STATUS;
}

uint32_t virtio_device_interrupt_status(const struct virtio_device *device)
{
	return (live_load(device) & LIVE_INTERRUPT) >> LIVE_INTERRUPT_SHIFT;
}

bool virtio_device_resetting(const struct virtio_device *device)
{
	return (live_load(device) & LIVE_RESETTING) != 0;
}

uint32_t virtio_device_stop_number(const struct virtio_device *device, uint16_t queue)
{
	if (!virtio_device_queue_config(device, queue))
		return 0;
	return device->reset_number != 0 ? device->reset_number : device->queues[queue].stop_number;
}

bool virtio_device_waiting(const struct virtio_device *device)
{
	for (uint32_t i = 0; i < device->num_queues; i++) {
		if (device->queues[i].stopping || device->queues[i].enabling)
			return true;
	}
	return virtio_device_resetting(device);
}

bool virtio_device_has_feature(const struct virtio_device *device, uint32_t bit)
{
	return (live_load(device) & VIRTIO_CONFIG_S_FEATURES_OK) != 0 && virtio_feature_has(device->accepted, bit);
}

const struct virtio_queue_config *virtio_device_queue_config(const struct virtio_device *device, uint32_t queue)
{
	if (queue >= device->num_queues || device->queues[queue].config.max_size == 0)
		return NULL;
	return &device->queues[queue].config;
}
