/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Saving, and restoring with all checks that a driver's register accesses would have passed. */
#include <virtio/device_state.h>

#include "device_internal.h"

static void save_queue(const struct virtio_queue_registers *queue, struct virtio_queue_registers_state *out)
{
	const struct virtio_queue_config *config = &queue->config;

	*out = (struct virtio_queue_registers_state){
		.max_size = config->max_size,
		.size = config->size,
		.ready = config->ready,
		.may_reenable = queue->may_reenable,
		.given = queue->given,
		.refused = queue->refused,
	};
	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++)
		out->addr[i] = config->addr[i];
}

int virtio_device_save(const struct virtio_device *device, struct virtio_device_state *state,
		       struct virtio_queue_registers_state *queues, uint32_t entries)
{
	/* Loaded once: another thread may set DEVICE_NEEDS_RESET between two loads. */
	const uint32_t live = live_load(device);

	if (live & LIVE_RESETTING)
		return VIRTIO_EBUSY;
	if (entries < device->num_queues)
		return VIRTIO_ENOBUFS;
	for (uint32_t i = 0; i < device->num_queues; i++) {
		if (device->queues[i].stopping || device->queues[i].resetting || device->queues[i].enabling)
			return VIRTIO_EBUSY;
	}
	for (uint32_t i = 0; i < device->num_queues; i++)
		save_queue(&device->queues[i], &queues[i]);
	*state = (struct virtio_device_state){
		.type = device->type,
		.status = live & LIVE_STATUS,
		.interrupt_status = (live & LIVE_INTERRUPT) >> LIVE_INTERRUPT_SHIFT,
		.generation = device->generation,
		.device_features_sel = device->device_features_sel,
		.driver_features_sel = device->driver_features_sel,
		.queue_sel = device->queue_sel,
		.shm_sel = device->shm_sel,
		.num_queues = device->num_queues,
		.accepted_beyond = device->accepted_beyond,
		.active = device->active,
	};
	for (int i = 0; i < VIRTIO_FEATURE_WORDS; i++)
		state->accepted[i] = device->accepted[i];
	return 0;
}

/* Looks at the byte: a bool that is neither 0 nor 1 must not be loaded as a bool. */
static bool is_bool(const bool *value)
{
	VIRTIO_STATIC_ASSERT(sizeof *value == 1, "a bool is one byte");
	return *(const unsigned char *)value <= 1;
}

static int check_bools(const struct virtio_device_state *state, const struct virtio_queue_registers_state *queues)
{
	bool valid = is_bool(&state->accepted_beyond) && is_bool(&state->active);

	for (uint32_t i = 0; i < state->num_queues; i++)
		valid = valid && is_bool(&queues[i].ready) && is_bool(&queues[i].may_reenable);
	return valid ? 0 : VIRTIO_EINVAL;
}

/* Whether a driver can have brought such a device into this status. */
static int check_status(const struct virtio_device_state *state)
{
	const uint32_t status = state->status;
	const bool driver_ok = (status & VIRTIO_CONFIG_S_DRIVER_OK) != 0;
	const bool needs_reset = (status & VIRTIO_CONFIG_S_NEEDS_RESET) != 0;

	if (!virtio_impl_device_status_possible(status))
		return VIRTIO_EINVAL;
	/*
	 * After a failed or omitted activation DRIVER_OK is set and the device is not active. Then
	 * it needs a reset.
	 */
	if (state->active ? !driver_ok : driver_ok && !needs_reset)
		return VIRTIO_EINVAL;
	if (state->interrupt_status & ~(uint32_t)(VIRTIO_INTERRUPT_USED | VIRTIO_INTERRUPT_CONFIG))
		return VIRTIO_EINVAL;
	if ((state->interrupt_status & VIRTIO_INTERRUPT_USED) && !driver_ok)
		return VIRTIO_EINVAL;
	if (state->interrupt_status && status == 0)
		return VIRTIO_EINVAL;
	return 0;
}

static int check_accepted(const struct virtio_device *device, const struct virtio_device_state *state)
{
	if (state->status & VIRTIO_CONFIG_S_FEATURES_OK)
		return virtio_impl_device_check_offered(device, state->accepted, state->accepted_beyond);
	if (state->status & VIRTIO_CONFIG_S_DRIVER)
		return 0;
	for (int i = 0; i < VIRTIO_FEATURE_WORDS; i++) {
		if (state->accepted[i])
			return VIRTIO_EINVAL;
	}
	return state->accepted_beyond ? VIRTIO_EINVAL : 0;
}

/* Whether a driver can have set these addresses, and had these values refused. */
static int check_given(const struct virtio_queue_registers_state *saved)
{
	if ((saved->given & ~ALL_AREAS) || (saved->refused & ~(ALL_AREAS | VIRTIO_DEVICE_SIZE_REFUSED)) ||
	    (saved->given & saved->refused))
		return VIRTIO_EINVAL;
	if (saved->ready && (saved->given != ALL_AREAS || saved->refused))
		return VIRTIO_EINVAL;
	for (uint32_t i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++) {
		/* A refused low half leaves the old value; before the first low half that is 0. */
		if (!((saved->given | saved->refused) & 1u << i) && (uint32_t)saved->addr[i] != 0)
			return VIRTIO_EINVAL;
	}
	return 0;
}

static bool is_empty(const struct virtio_queue_registers_state *saved)
{
	return !saved->addr[0] && !saved->addr[1] && !saved->addr[2] && saved->size == 0 && !saved->ready &&
	       !saved->may_reenable && !saved->given && !saved->refused;
}

/* Makes the configuration of a saved queue from ours. */
static int rebuild_queue(const struct virtio_device *device, const struct virtio_device_state *state,
			 const struct virtio_queue_registers_state *saved, struct virtio_queue_config *config)
{
	const bool reset_negotiated = (state->status & VIRTIO_CONFIG_S_FEATURES_OK) &&
				      virtio_feature_has(state->accepted, VIRTIO_F_RING_RESET);
	int error;

	if (saved->max_size != config->max_size)
		return VIRTIO_EINVAL;
	if (saved->max_size == 0)
		return is_empty(saved) ? 0 : VIRTIO_EINVAL;
	error = virtio_queue_config_set_size(config, saved->size);
	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED && !error; i++)
		error = virtio_queue_config_set_addr(config, (enum virtio_queue_area)i, saved->addr[i]);
	if (!error)
		error = check_given(saved);
	if (error)
		return error;
	if (saved->may_reenable && (saved->ready || !state->active || !reset_negotiated))
		return VIRTIO_EINVAL;
	if (!saved->ready)
		return 0;
	if ((state->status & VIRTIO_CONFIG_S_FEATURES_OK) == 0)
		return VIRTIO_EINVAL;
	*config = virtio_impl_device_ready_config(config, state->accepted);
	return virtio_queue_config_check(config, device->memory);
}

static int check_queues(const struct virtio_device *device, const struct virtio_device_state *state,
			const struct virtio_queue_registers_state *queues)
{
	for (uint32_t i = 0; i < device->num_queues; i++) {
		struct virtio_queue_config config = device->queues[i].config;
		const int error = rebuild_queue(device, state, &queues[i], &config);

		if (error)
			return error;
	}
	return 0;
}

int virtio_device_restore(struct virtio_device *device, const struct virtio_device_state *state,
			  const struct virtio_queue_registers_state *queues, uint32_t entries)
{
	int error;

	if (live_load(device) != 0)
		return VIRTIO_EBUSY;
	if (state->type != device->type || state->num_queues != device->num_queues || entries != device->num_queues)
		return VIRTIO_EINVAL;
	error = check_bools(state, queues);
	if (!error)
		error = check_status(state);
	if (!error)
		error = check_accepted(device, state);
	if (!error)
		error = check_queues(device, state, queues);
	/* Last, because a device may take the features over when it is asked. */
	if (!error && (state->status & VIRTIO_CONFIG_S_FEATURES_OK))
		error = virtio_impl_device_ask_features(device, state->accepted);
	if (error)
		return error;
	virtio_impl_device_clear(device);
	for (uint32_t i = 0; i < device->num_queues; i++) {
		/* Succeeds, as it did above. */
		(void)rebuild_queue(device, state, &queues[i], &device->queues[i].config);
		device->queues[i].may_reenable = queues[i].may_reenable;
		device->queues[i].given = queues[i].given;
		device->queues[i].refused = queues[i].refused;
	}
	for (int i = 0; i < VIRTIO_FEATURE_WORDS; i++)
		device->accepted[i] = state->accepted[i];
	device->accepted_beyond = state->accepted_beyond;
	device->active = state->active;
	device->device_features_sel = state->device_features_sel;
	device->driver_features_sel = state->driver_features_sel;
	device->queue_sel = state->queue_sel;
	device->shm_sel = state->shm_sel;
	device->generation = state->generation;
	live_set(device, state->status | state->interrupt_status << LIVE_INTERRUPT_SHIFT);
	return 0;
}

void virtio_device_resume(struct virtio_device *device)
{
	const uint32_t live = live_load(device), pending = (live & LIVE_INTERRUPT) >> LIVE_INTERRUPT_SHIFT;
	bool raised = false;

	if (device->active && (live & STATUS_STUCK) == 0) {
		virtio_impl_device_notify_all(device);
		for (uint32_t i = 0; i < device->num_queues; i++) {
			if (!device->queues[i].config.ready)
				continue;
			virtio_device_interrupt_used(device, (uint16_t)i);
			raised = true;
		}
	}
	/*
	 * The line may have been high on the other side, or a message on its way. This holds
	 * without running queues, too.
	 */
	if (pending & VIRTIO_INTERRUPT_CONFIG)
		virtio_impl_device_raise(device, VIRTIO_INTERRUPT_CONFIG, VIRTIO_DEVICE_NO_QUEUE);
	else if (pending && !raised)
		virtio_impl_device_raise(device, VIRTIO_INTERRUPT_USED, VIRTIO_DEVICE_NO_QUEUE);
}
