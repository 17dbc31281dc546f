/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Starts, serves, stops, resets and restores the queues of a device, for the device's author. */
#include <virtio/device_queues.h>

#include <virtio/bindings/virtio_config.h>

/* Returns the queue of this index, or NULL. */
static struct virtio_queue *find(const struct virtio_device *device, uint32_t queue)
{
	const struct virtio_device_queues *queues = device->device_queues;

	return queues && queue < queues->num_queues ? &queues->queues[queue] : NULL;
}

/* Returns whether no request of a queue uses guest memory. */
static bool is_quiet(const struct virtio_device *device, const struct virtio_queue *queue)
{
	return !device->device_queues->asynchronous || virtio_queue_quiesced(queue);
}

static int check_sizes(const struct virtio_device_queues_storage *storage)
{
	uint32_t left = storage->inflight_entries;

	for (uint32_t i = 0; i < storage->num_queues; i++) {
		const uint16_t max_size = storage->registers[i].config.max_size;
		struct virtio_queue_config config;

		if (virtio_queue_config_init(&config, max_size))
			return VIRTIO_ESIZE;
		if (max_size > left)
			return VIRTIO_ENOBUFS;
		left -= max_size;
	}
	return 0;
}

int virtio_device_queues_init(struct virtio_device_queues *queues, const struct virtio_device_queues_storage *storage)
{
	struct virtio_inflight *inflight = storage->inflight;
	int error;

	if (storage->num_queues == 0 || storage->num_queues > VIRTIO_DEVICE_MAX_QUEUES || !storage->registers ||
	    !storage->queues || !inflight)
		return VIRTIO_EINVAL;
	error = check_sizes(storage);
	for (uint32_t i = 0; i < storage->num_queues && !error; i++) {
		const uint16_t max_size = storage->registers[i].config.max_size;

		/*
		 * Cannot fail: only missing storage is an error, and the storage was checked above.
		 */
		error = virtio_queue_init(&storage->queues[i], inflight, max_size);
		inflight += max_size;
	}
	if (error)
		return error;
	queues->registers = storage->registers;
	queues->queues = storage->queues;
	queues->num_queues = storage->num_queues;
	queues->asynchronous = storage->asynchronous;
	return 0;
}

static void reset_all(const struct virtio_device *device)
{
	for (uint32_t i = 0; find(device, i); i++)
		virtio_queue_reset(find(device, i));
}

int virtio_device_queues_start(struct virtio_device *device, uint16_t queue)
{
	struct virtio_queue *found = find(device, queue);

	if (!found)
		return VIRTIO_EINVAL;
	return virtio_queue_start(found, virtio_device_queue_config(device, queue), device->memory);
}

int virtio_device_queues_activate(struct virtio_device *device)
{
	int error = device->device_queues ? 0 : VIRTIO_EINVAL;

	/* Start only ready queues: a driver need not use every queue. */
	for (uint32_t i = 0; !error && find(device, i); i++) {
		if (virtio_device_queue_config(device, i)->ready)
			error = virtio_device_queues_start(device, (uint16_t)i);
	}
	if (error)
		reset_all(device);
	return error;
}

int virtio_device_queues_stop(struct virtio_device *device, uint16_t queue)
{
	struct virtio_queue *found = find(device, queue);

	if (!found)
		return VIRTIO_EINVAL;
	if (!is_quiet(device, found))
		return VIRTIO_DEVICE_IN_PROGRESS;
	virtio_queue_reset(found);
	return 0;
}

int virtio_device_queues_reset(struct virtio_device *device)
{
	if (!device->device_queues)
		return VIRTIO_EINVAL;
	for (uint32_t i = 0; find(device, i); i++) {
		if (!is_quiet(device, find(device, i)))
			return VIRTIO_DEVICE_IN_PROGRESS;
	}
	reset_all(device);
	return 0;
}

/* Returns whether a queue was saved with the configuration that the core has for it. */
static bool agrees(const struct virtio_queue_config *core, const struct virtio_queue_config *saved)
{
	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++) {
		if (core->addr[i] != saved->addr[i])
			return false;
	}
	return core->max_size == saved->max_size && core->size == saved->size && core->event_idx == saved->event_idx &&
	       core->indirect == saved->indirect && core->in_order == saved->in_order && core->ready == saved->ready &&
	       core->allow_unnegotiated_indirect == saved->allow_unnegotiated_indirect &&
	       core->allow_long_indirect == saved->allow_long_indirect;
}

/* Restores a queue that runs, with the core's configuration. */
static int restore_running(const struct virtio_device *device, struct virtio_queue *queue,
			   const struct virtio_queue_config *config, const struct virtio_queue_state *state)
{
	struct virtio_queue_state ours = *state;
	int error;

	if (!agrees(config, &state->config))
		return VIRTIO_EINVAL;
	ours.config = *config;
	error = virtio_queue_restore(queue, &ours, device->memory);
	if ((error != VIRTIO_EFAULT && error != VIRTIO_EPERM && error != VIRTIO_ENOTMAPPED) ||
	    !(virtio_device_status(device) & VIRTIO_CONFIG_S_NEEDS_RESET))
		return error;
	/* If the device needs a reset, areas may be missing. Restore such a queue as broken. */
	ours.broken = VIRTIO_EFAULT;
	return virtio_queue_restore(queue, &ours, device->memory);
}

int virtio_device_queues_restore(struct virtio_device *device, uint16_t queue, const struct virtio_queue_state *state)
{
	const struct virtio_queue_config *config = virtio_device_queue_config(device, queue);
	struct virtio_queue *found = find(device, queue);
	struct virtio_refusal refusal;
	int error;

	if (!found || !config)
		return VIRTIO_EINVAL;
	/* Check the state first: loading a bool that is neither 0 nor 1 is undefined in C. */
	error = virtio_queue_check_state(state, NULL, 0, NULL, &refusal);
	if (error)
		return error;
	if (state->config.size == 0) {
		/* The queue cannot run. Without a reset the driver would wait for ever. */
		if (device->active && config->ready)
			virtio_device_set_needs_reset(device);
		return 0;
	}
	if (!device->active || !config->ready)
		return VIRTIO_EINVAL;
	error = restore_running(device, found, config, state);
	if (!error && found->broken)
		virtio_device_set_needs_reset(device);
	return error;
}

bool virtio_device_queues_running(const struct virtio_device *device, uint16_t queue)
{
	const uint32_t stuck = VIRTIO_CONFIG_S_NEEDS_RESET | VIRTIO_CONFIG_S_FAILED;

	return device->active && find(device, queue) && virtio_device_queue_config(device, queue)->ready &&
	       virtio_device_stop_number(device, queue) == 0 && (virtio_device_status(device) & stuck) == 0;
}

/*
 * Interrupts the driver if needed. Sets DEVICE_NEEDS_RESET after an error other than
 * VIRTIO_ENOTMAPPED. Returns `got`.
 */
static int finish_round(struct virtio_device *device, uint16_t queue, int got, bool interrupt)
{
	if (interrupt)
		virtio_device_interrupt_used(device, queue);
	if (got < 0 && got != VIRTIO_ENOTMAPPED)
		virtio_device_set_needs_reset(device);
	return got;
}

int virtio_device_queues_serve(struct virtio_device *device, uint16_t queue, uint32_t budget, virtio_serve_fn *serve,
			       void *context)
{
	bool interrupt;
	int got;

	if (!virtio_device_queues_running(device, queue))
		return 0;
	got = virtio_queue_serve(find(device, queue), budget, serve, context, &interrupt);
	return finish_round(device, queue, got, interrupt);
}

int virtio_device_queues_serve_requests(struct virtio_device *device, uint16_t queue, uint32_t budget,
					virtio_serve_request_fn *serve, void *context)
{
	bool interrupt;
	int got;

	if (!virtio_device_queues_running(device, queue))
		return 0;
	got = virtio_queue_serve_requests(find(device, queue), budget, serve, context, &interrupt);
	return finish_round(device, queue, got, interrupt);
}

bool virtio_device_queues_report(struct virtio_device *device, uint16_t queue)
{
	const uint32_t number = virtio_device_stop_number(device, queue);
	struct virtio_queue *found = find(device, queue);

	if (number == 0 || !found || !is_quiet(device, found))
		return false;
	virtio_queue_reset(found);
	return virtio_device_queue_quiesced(device, queue, number) == 0;
}

int virtio_device_queues_set_memory(struct virtio_device *device, const struct virtio_memory_map *map)
{
	bool lost = false;

	if (!device->device_queues)
		return VIRTIO_EINVAL;
	virtio_device_set_memory(device, map);
	for (uint32_t i = 0; find(device, i); i++) {
		struct virtio_queue *queue = find(device, i);
		const int error = virtio_queue_set_memory(queue, map);

		if (!error || error == VIRTIO_ENOTREADY)
			continue;
		lost = true;
		/*
		 * If requests in flight still use the old map, the queue is not reset. A reset of
		 * the device must wait for these requests.
		 */
		if (is_quiet(device, queue))
			virtio_queue_reset(queue);
	}
	if (lost)
		virtio_device_set_needs_reset(device);
	return virtio_device_queues_old_maps_unused(device) ? 0 : VIRTIO_DEVICE_IN_PROGRESS;
}

bool virtio_device_queues_old_maps_unused(const struct virtio_device *device)
{
	for (uint32_t i = 0; find(device, i); i++) {
		const struct virtio_queue *queue = find(device, i);
		const bool stayed = queue->memory[VIRTIO_MEMORY_DATA].map != device->memory;

		if (!is_quiet(device, queue) && (stayed || !virtio_queue_old_maps_unused(queue)))
			return false;
	}
	return true;
}
