/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The registers of queues and of features: set-up, enabling, stop, reset and kicks of queues, and
 * the acceptance of features (virtio 1.4, 2.6, 2.6.1, 2.9, 4.2.2).
 */
#include "device_internal.h"

#include <virtio/bindings/virtio_ring.h>

/* Returns queue number queue_sel, or NULL. Uses all 32 bits of queue_sel. */
static struct virtio_queue_registers *selected(const struct virtio_device *device)
{
	if (!virtio_device_queue_config(device, device->queue_sel))
		return NULL;
	return &device->queues[device->queue_sel];
}

/*
 * Returns whether the driver may set up and enable a queue. While DRIVER_OK is set, this needs an
 * earlier reset of the queue by QueueReset. A stop by QueueReady is not enough.
 */
static bool may_set_up(const struct virtio_device *device, const struct virtio_queue_registers *queue)
{
	const uint32_t live = live_load(device);

	if (!queue || queue->config.ready || queue->enabling || (live & LIVE_RESETTING) != 0)
		return false;
	return (live & VIRTIO_CONFIG_S_DRIVER_OK) == 0 || queue->may_reenable;
}

uint32_t virtio_device_offered_features(const struct virtio_device *device, uint32_t select)
{
	return select < VIRTIO_FEATURE_WORDS ? device->offered[select] : 0;
}

uint32_t virtio_device_accepted_features(const struct virtio_device *device, uint32_t select)
{
	return select < VIRTIO_FEATURE_WORDS ? device->accepted[select] : 0;
}

void virtio_device_accept_features(struct virtio_device *device, uint32_t select, uint32_t value)
{
	const uint32_t live = live_load(device);

	if ((live & VIRTIO_CONFIG_S_DRIVER) == 0 ||
	    (live & (VIRTIO_CONFIG_S_FEATURES_OK | STATUS_STUCK | LIVE_RESETTING)) != 0) {
		device->ignored++;
		return;
	}
	if (select < VIRTIO_FEATURE_WORDS)
		device->accepted[select] = value;
	else if (value != 0)
		device->accepted_beyond = true;
}

/*
 * Records whether a value was refused. A refusal leaves the old value in place, but the queue must
 * not be enabled with the old value.
 */
static void note_refusal(struct virtio_device *device, struct virtio_queue_registers *queue, uint32_t what, int error)
{
	if (!error) {
		queue->refused &= (uint8_t)~what;
		return;
	}
	queue->refused |= (uint8_t)what;
	queue->given &= (uint8_t)~what;
	device->ignored++;
}

void virtio_device_set_queue_size(struct virtio_device *device, uint32_t size)
{
	struct virtio_queue_registers *queue = selected(device);

	if (may_set_up(device, queue))
		note_refusal(device, queue, VIRTIO_DEVICE_SIZE_REFUSED,
			     virtio_queue_config_set_size(&queue->config, size));
	else
		device->ignored++;
}

void virtio_device_set_queue_addr_low(struct virtio_device *device, enum virtio_queue_area area, uint32_t value)
{
	struct virtio_queue_registers *queue = selected(device);
	const uint32_t bit = 1u << (area & 3);
	int error;

	if ((unsigned int)area > VIRTIO_QUEUE_USED || !may_set_up(device, queue)) {
		device->ignored++;
		return;
	}
	error = virtio_queue_config_set_addr_low(&queue->config, area, value);
	note_refusal(device, queue, bit, error);
	if (!error)
		queue->given |= (uint8_t)bit;
}

/*
 * Accepts every high half, because only the low half affects the alignment. A high half alone does
 * not set an area.
 */
void virtio_device_set_queue_addr_high(struct virtio_device *device, enum virtio_queue_area area, uint32_t value)
{
	struct virtio_queue_registers *queue = selected(device);

	if (!may_set_up(device, queue) || virtio_queue_config_set_addr_high(&queue->config, area, value))
		device->ignored++;
}

bool virtio_device_queue_enabled(const struct virtio_device *device)
{
	const struct virtio_queue_registers *queue = selected(device);

	return queue && queue->config.ready;
}

bool virtio_device_queue_resetting(const struct virtio_device *device)
{
	const struct virtio_queue_registers *queue = selected(device);

	return queue && queue->resetting;
}

uint16_t virtio_device_queue_max_size(const struct virtio_device *device)
{
	const struct virtio_queue_registers *queue = selected(device);

	return queue ? queue->config.max_size : 0;
}

struct virtio_queue_config virtio_impl_device_ready_config(const struct virtio_queue_config *config,
							   const uint32_t accepted[VIRTIO_FEATURE_WORDS])
{
	struct virtio_queue_config ready = *config;

	ready.event_idx = virtio_feature_has(accepted, VIRTIO_RING_F_EVENT_IDX);
	ready.indirect = virtio_feature_has(accepted, VIRTIO_RING_F_INDIRECT_DESC);
	ready.in_order = virtio_feature_has(accepted, VIRTIO_F_IN_ORDER);
	ready.ready = true;
	return ready;
}

/*
 * Calls queue_notify() for a queue that has just begun to run, because the driver need not kick
 * again for buffers that are already available.
 */
static void notify_first(struct virtio_device *device, uint16_t index)
{
	/* An operation that was called just before may have set DEVICE_NEEDS_RESET. */
	if (device->queues[index].config.ready && (live_load(device) & STATUS_STUCK) == 0)
		device->ops->queue_notify(device, index, 0);
}

void virtio_impl_device_notify_all(struct virtio_device *device)
{
	for (uint32_t i = 0; i < device->num_queues; i++)
		notify_first(device, (uint16_t)i);
}

/*
 * Returns 0 if the driver has set all areas of a queue, and no refused value is left. Otherwise
 * returns an error, so that the device does not use values that the driver did not choose.
 */
static int check_given(const struct virtio_queue_registers *queue)
{
	if (queue->refused & VIRTIO_DEVICE_SIZE_REFUSED)
		return VIRTIO_ESIZE;
	if (queue->refused)
		return VIRTIO_EALIGN;
	return queue->given == ALL_AREAS ? 0 : VIRTIO_ENOTREADY;
}

static int refuse_to_enable(struct virtio_device *device, uint16_t index, int error)
{
	device->ignored++;
	virtio_impl_device_keep_error(device, error, index);
	return 0;
}

/* Enables a queue. If a translation is not known yet, the queue waits to be enabled. */
static int enable(struct virtio_device *device, struct virtio_queue_registers *queue, uint16_t index)
{
	const struct virtio_queue_config before = queue->config;
	const struct virtio_queue_config ready = virtio_impl_device_ready_config(&before, device->accepted);
	int error = check_given(queue);

	queue->enabling = false;
	if (!error)
		error = virtio_queue_config_check(&ready, device->memory);
	if (!error) {
		queue->config = ready;
		error = device->active ? device->ops->queue_start(device, index) : 0;
	}
	if (error) {
		queue->config = before;
		queue->enabling = error == VIRTIO_ENOTMAPPED;
		return queue->enabling ? VIRTIO_DEVICE_IN_PROGRESS : refuse_to_enable(device, index, error);
	}
	if (device->active) {
		queue->may_reenable = false;
		notify_first(device, index);
	}
	return 0;
}

int virtio_device_queue_mapped(struct virtio_device *device, uint16_t queue)
{
	if (queue >= device->num_queues || !device->queues[queue].enabling)
		return VIRTIO_EINVAL;
	if ((live_load(device) & STATUS_STUCK) == 0)
		return enable(device, &device->queues[queue], queue);
	device->queues[queue].enabling = false;
	device->ignored++;
	return 0;
}

void virtio_impl_device_end_enabling(struct virtio_device *device, int error)
{
	for (uint32_t i = 0; i < device->num_queues; i++) {
		if (!device->queues[i].enabling)
			continue;
		device->queues[i].enabling = false;
		if (error)
			(void)refuse_to_enable(device, (uint16_t)i, error);
	}
}

static void finish_stop(const struct virtio_device *device, struct virtio_queue_registers *queue)
{
	queue->config.ready = false;
	queue->stopping = false;
	queue->stop_number = 0;
	if (queue->resetting) {
		/*
		 * From now on the driver may choose another size and other addresses (virtio 1.4,
		 * 2.6.1).
		 */
		virtio_impl_device_clear_queue(queue);
		queue->resetting = false;
		queue->may_reenable = device->active;
	}
}

/*
 * Handles the error of a stop. The queue shows as enabled, and as being reset if the driver asked
 * for a reset.
 */
static void fail_stop(struct virtio_device *device, uint16_t index, int error)
{
	device->queues[index].stopping = false;
	device->queues[index].stop_number = 0;
	virtio_impl_device_keep_error(device, error, index);
	virtio_device_set_needs_reset(device);
}

/*
 * Calls queue_stop(). Sets the number of the stop first, because queue_stop() may need the number.
 */
static int ask_stop(struct virtio_device *device, struct virtio_queue_registers *queue, uint16_t index)
{
	queue->stop_number = virtio_impl_device_next_number(device);
	return device->ops->queue_stop(device, index);
}

/*
 * Stops an enabled queue. If the device is not active, nothing uses the queue, and queue_stop() is
 * not called. Returns VIRTIO_DEVICE_IN_PROGRESS if the stop ends later. Otherwise returns 0, even
 * after an error.
 */
static int stop(struct virtio_device *device, struct virtio_queue_registers *queue, uint16_t index, bool reset)
{
	int result;

	/*
	 * QueueReset reads 1 until the reset has succeeded, also after a failure (virtio 1.4,
	 * 4.2.2.1).
	 */
	queue->resetting = queue->resetting || reset;
	/*
	 * The reset of the device will stop the queue. Until then the driver must see the queue as
	 * enabled.
	 */
	if (virtio_device_resetting(device))
		return VIRTIO_DEVICE_IN_PROGRESS;
	if (queue->stopping)
		return VIRTIO_DEVICE_IN_PROGRESS;
	result = device->active ? ask_stop(device, queue, index) : 0;
	queue->stopping = result == VIRTIO_DEVICE_IN_PROGRESS;
	if (queue->stopping)
		return VIRTIO_DEVICE_IN_PROGRESS;
	if (result)
		fail_stop(device, index, result);
	else
		finish_stop(device, queue);
	return 0;
}

int virtio_device_queue_quiesced(struct virtio_device *device, uint16_t queue, uint32_t number)
{
	struct virtio_queue_registers *registers;
	bool stops, resets;

	if (!virtio_device_queue_config(device, queue))
		return VIRTIO_EINVAL;
	registers = &device->queues[queue];
	stops = registers->stopping && registers->stop_number == number;
	resets = device->reset_pending && device->reset_number == number;
	if (!stops && !resets)
		return VIRTIO_EINVAL;
	/*
	 * `number` belongs to the queue's stop or to the device's reset. In both cases the queue
	 * has no requests in flight. So the report ends the stop, if any. If a reset is pending,
	 * the core calls reset() again.
	 */
	if (registers->stopping)
		finish_stop(device, registers);
	if (device->reset_pending)
		(void)virtio_impl_device_ask_reset(device);
	return 0;
}

int virtio_device_queue_stopped(struct virtio_device *device, uint16_t queue, int error)
{
	if (queue >= device->num_queues || !device->queues[queue].stopping || error == VIRTIO_DEVICE_IN_PROGRESS)
		return VIRTIO_EINVAL;
	if (error)
		fail_stop(device, queue, error);
	else
		finish_stop(device, &device->queues[queue]);
	return 0;
}

int virtio_device_enable_queue(struct virtio_device *device, uint32_t value)
{
	struct virtio_queue_registers *queue = selected(device);
	const uint32_t live = live_load(device);

	if (value == 0 && queue && queue->config.ready)
		return stop(device, queue, (uint16_t)device->queue_sel, false);
	if (value == 0 && queue && (live & LIVE_RESETTING) == 0) {
		queue->enabling = false;
		return 0;
	}
	if (value == 1 && queue && queue->enabling)
		return virtio_device_queue_mapped(device, (uint16_t)device->queue_sel);
	if (value == 1 && may_set_up(device, queue) && (live & VIRTIO_CONFIG_S_FEATURES_OK) != 0 &&
	    (live & STATUS_STUCK) == 0)
		return enable(device, queue, (uint16_t)device->queue_sel);
	device->ignored++;
	return 0;
}

int virtio_device_reset_queue(struct virtio_device *device, uint32_t value)
{
	struct virtio_queue_registers *queue = selected(device);

	const bool can = value == 1 && queue && virtio_device_has_feature(device, VIRTIO_F_RING_RESET);

	if (can && queue->config.ready)
		return stop(device, queue, (uint16_t)device->queue_sel, true);
	if (!can || virtio_device_resetting(device)) {
		device->ignored++;
		return 0;
	}
	virtio_impl_device_clear_queue(queue);
	queue->may_reenable = device->active;
	return 0;
}

void virtio_device_notify(struct virtio_device *device, uint32_t value)
{
	const bool has_data = virtio_device_has_feature(device, VIRTIO_F_NOTIFICATION_DATA);
	const uint32_t index = has_data ? value & 0xffff : value;
	const uint16_t next = has_data ? (uint16_t)(value >> 16) : 0;

	/*
	 * Before DRIVER_OK no buffer may be consumed (virtio 1.4, 2.1.2). At DRIVER_OK the core
	 * calls queue_notify() for every ready queue.
	 */
	if (!device->active || (live_load(device) & (STATUS_STUCK | LIVE_RESETTING)) != 0 ||
	    index >= device->num_queues || !device->queues[index].config.ready || device->queues[index].stopping) {
		device->ignored++;
		return;
	}
	device->ops->queue_notify(device, (uint16_t)index, next);
}
