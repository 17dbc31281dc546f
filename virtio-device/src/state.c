/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Saves a device, and restores it with all checks that a driver's register accesses must pass. */
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
		.enabling = queue->enabling,
		.resetting = queue->resetting,
		.given = queue->given,
		.refused = queue->refused,
	};
	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++)
		out->addr[i] = config->addr[i];
}

int virtio_device_save(const struct virtio_device *device, struct virtio_device_state *state,
		       struct virtio_queue_registers_state *queues, uint32_t entries)
{
	/* Load `live` once: another thread may set DEVICE_NEEDS_RESET between two loads. */
	const uint32_t live = live_load(device);

	if (live & LIVE_RESETTING)
		return VIRTIO_EBUSY;
	if (entries < device->num_queues)
		return VIRTIO_ENOBUFS;
	for (uint32_t i = 0; i < device->num_queues; i++) {
		if (device->queues[i].stopping)
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

/* Returns whether a bool is 0 or 1. Loading another value as a bool is undefined in C. */
static bool is_bool(const bool *value)
{
	VIRTIO_STATIC_ASSERT(sizeof *value == 1, "a bool is one byte");
	return *(const unsigned char *)value <= 1;
}

/* Records which value is refused. Returns the parameter `error`. */
static int refuse(struct virtio_refusal *refusal, const char *field, uint32_t entry, int error)
{
	*refusal = (struct virtio_refusal){ .field = field, .entry = entry };
	return error;
}

static int refuse_value(struct virtio_refusal *refusal, const char *field)
{
	return refuse(refusal, field, VIRTIO_SECTION_NO_ENTRY, VIRTIO_EINVAL);
}

static int check_queue_bools(const struct virtio_queue_registers_state *queues, uint32_t i,
			     struct virtio_refusal *refusal)
{
	const struct {
		const bool *value;
		const char *name;
	} bools[] = {
		{ &queues[i].ready, "ready" },
		{ &queues[i].may_reenable, "may_reenable" },
		{ &queues[i].enabling, "enabling" },
		{ &queues[i].resetting, "resetting" },
	};

	for (size_t j = 0; j < sizeof bools / sizeof bools[0]; j++) {
		if (!is_bool(bools[j].value))
			return refuse(refusal, bools[j].name, i, VIRTIO_EINVAL);
	}
	return 0;
}

static int check_bools(const struct virtio_device_state *state, const struct virtio_queue_registers_state *queues,
		       struct virtio_refusal *refusal)
{
	int error = 0;

	if (!is_bool(&state->accepted_beyond))
		return refuse_value(refusal, "accepted_beyond");
	if (!is_bool(&state->active))
		return refuse_value(refusal, "active");
	for (uint32_t i = 0; i < state->num_queues && !error; i++)
		error = check_queue_bools(queues, i, refusal);
	return error;
}

/* Returns 0 if the status, the interrupt status and `active` can occur together. */
static int check_status(const struct virtio_device_state *state, struct virtio_refusal *refusal)
{
	const uint32_t status = state->status;
	const bool driver_ok = (status & VIRTIO_CONFIG_S_DRIVER_OK) != 0;
	const bool needs_reset = (status & VIRTIO_CONFIG_S_NEEDS_RESET) != 0;

	if (!virtio_impl_device_status_possible(status))
		return refuse_value(refusal, "status");
	/*
	 * After a failed or omitted activation DRIVER_OK is set, but the device is not active. The
	 * device then needs a reset.
	 */
	if (state->active ? !driver_ok : driver_ok && !needs_reset)
		return refuse_value(refusal, "active");
	if ((state->interrupt_status & ~(uint32_t)(VIRTIO_INTERRUPT_USED | VIRTIO_INTERRUPT_CONFIG)) ||
	    ((state->interrupt_status & VIRTIO_INTERRUPT_USED) && !driver_ok) ||
	    (state->interrupt_status && status == 0))
		return refuse_value(refusal, "interrupt_status");
	return 0;
}

static const char *const accepted_names[VIRTIO_FEATURE_WORDS] = { "accepted[0]", "accepted[1]", "accepted[2]",
								  "accepted[3]" };

/* Records which word of the accepted features is refused, and which of its bits. */
static int refuse_features(const struct virtio_device *device, const struct virtio_device_state *state,
			   struct virtio_refusal *refusal)
{
	const bool negotiated = (state->status & VIRTIO_CONFIG_S_FEATURES_OK) != 0;

	for (int i = 0; i < VIRTIO_FEATURE_WORDS; i++) {
		refusal->bits = state->accepted[i] & ~(negotiated ? device->offered[i] : 0);
		if (refusal->bits) {
			refusal->field = accepted_names[i];
			return VIRTIO_EINVAL;
		}
	}
	if (state->accepted_beyond)
		return refuse_value(refusal, "accepted_beyond");
	/* VERSION_1 is missing. */
	refusal->field = accepted_names[VIRTIO_F_VERSION_1 / 32];
	refusal->bits = 1u << VIRTIO_F_VERSION_1 % 32;
	return VIRTIO_EINVAL;
}

static int check_accepted(const struct virtio_device *device, const struct virtio_device_state *state,
			  struct virtio_refusal *refusal)
{
	bool valid = !state->accepted_beyond;

	if (state->status & VIRTIO_CONFIG_S_FEATURES_OK)
		valid = virtio_impl_device_check_offered(device, state->accepted, state->accepted_beyond) == 0;
	else if (state->status & VIRTIO_CONFIG_S_DRIVER)
		valid = true;
	else
		for (int i = 0; i < VIRTIO_FEATURE_WORDS; i++)
			valid = valid && state->accepted[i] == 0;
	if (valid)
		return 0;
	refusal->entry = VIRTIO_SECTION_NO_ENTRY;
	return refuse_features(device, state, refusal);
}

/* The names of the addresses in the list of queues. */
static const char *const area_names[] = { "desc", "avail", "used" };

/*
 * Returns NULL if a queue's `given`, `refused`, `ready`, `enabling` and addresses fit together.
 * Otherwise returns the name of the wrong value.
 */
static const char *check_given(const struct virtio_queue_registers_state *saved)
{
	if (saved->given & ~ALL_AREAS)
		return "given";
	if ((saved->refused & ~(ALL_AREAS | VIRTIO_DEVICE_SIZE_REFUSED)) || (saved->given & saved->refused))
		return "refused";
	if ((saved->ready || saved->enabling) && saved->given != ALL_AREAS)
		return "given";
	if ((saved->ready || saved->enabling) && saved->refused)
		return "refused";
	for (uint32_t i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++) {
		/*
		 * An accepted low half sets the area's bit in `given`. A later refusal moves the
		 * bit to `refused`. If the bit is in neither member, the low half must be 0.
		 */
		if (!((saved->given | saved->refused) & 1u << i) && (uint32_t)saved->addr[i] != 0)
			return area_names[i];
	}
	return NULL;
}

static bool is_empty(const struct virtio_queue_registers_state *saved)
{
	return !saved->addr[0] && !saved->addr[1] && !saved->addr[2] && saved->size == 0 && !saved->ready &&
	       !saved->may_reenable && !saved->enabling && !saved->resetting && !saved->given && !saved->refused;
}

/*
 * Returns NULL if a queue's `ready`, `may_reenable`, `enabling` and `resetting` are possible in
 * this state of the device. Otherwise returns the name of the wrong value.
 */
static const char *check_progress(const struct virtio_device_state *state,
				  const struct virtio_queue_registers_state *saved)
{
	const bool negotiated = (state->status & VIRTIO_CONFIG_S_FEATURES_OK) != 0;
	const bool driver_ok = (state->status & VIRTIO_CONFIG_S_DRIVER_OK) != 0;
	const bool reset_negotiated = negotiated && virtio_feature_has(state->accepted, VIRTIO_F_RING_RESET);

	if (saved->may_reenable && (saved->ready || !state->active || !reset_negotiated))
		return "may_reenable";
	if (saved->ready && !negotiated)
		return "ready";
	if (saved->enabling && (saved->ready || !negotiated || (driver_ok && !saved->may_reenable)))
		return "enabling";
	/* A saved state has `resetting` set only if the reset of the queue has failed. */
	if (saved->resetting && (!saved->ready || !reset_negotiated || !(state->status & VIRTIO_CONFIG_S_NEEDS_RESET)))
		return "resetting";
	return NULL;
}

/*
 * Changes the target's configuration of a queue into the saved configuration. Returns 0, or an
 * error. After an error *field is the name of the wrong value.
 */
static int rebuild_queue(const struct virtio_device_state *state, const struct virtio_queue_registers_state *saved,
			 struct virtio_queue_config *config, const char **field)
{
	int error;

	*field = "max_size";
	if (saved->max_size != config->max_size)
		return VIRTIO_EINVAL;
	if (saved->max_size == 0)
		return is_empty(saved) ? 0 : VIRTIO_EINVAL;
	*field = "size";
	error = virtio_queue_config_set_size(config, saved->size);
	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED && !error; i++) {
		*field = area_names[i];
		error = virtio_queue_config_set_addr(config, (enum virtio_queue_area)i, saved->addr[i]);
	}
	if (error)
		return error;
	*field = check_given(saved);
	if (!*field)
		*field = check_progress(state, saved);
	if (*field)
		return VIRTIO_EINVAL;
	if (saved->ready)
		*config = virtio_impl_device_ready_config(config, state->accepted);
	return 0;
}

/*
 * Checks the areas of a queue. If the device needs a reset, missing areas are accepted, because the
 * reset forgets them. Otherwise, if the memory has a translation, the guest decides which areas are
 * mapped. VIRTIO_EFAULT and VIRTIO_EPERM are then accepted, so the guest cannot prevent a restore
 * in this way. VIRTIO_ENOTMAPPED is returned, and the caller may retry.
 */
static int check_areas(const struct virtio_device *device, const struct virtio_device_state *state,
		       const struct virtio_queue_config *config)
{
	const int error = config->ready ? virtio_queue_config_check(config, device->memory) : 0;
	const bool gone = error == VIRTIO_EFAULT || error == VIRTIO_EPERM;

	if ((gone || error == VIRTIO_ENOTMAPPED) && (state->status & VIRTIO_CONFIG_S_NEEDS_RESET))
		return 0;
	return gone && device->memory && device->memory->translate ? 0 : error;
}

/* Returns the name of the area that has failed the check. */
static const char *find_area(const struct virtio_device *device, const struct virtio_queue_config *config)
{
	struct virtio_memory_cursor cursor;
	int area = VIRTIO_QUEUE_DESC;

	if (!device->memory)
		return area_names[area];
	virtio_memory_cursor_init(&cursor, device->memory);
	while (area < VIRTIO_QUEUE_USED &&
	       virtio_memory_check(&cursor, config->addr[area],
				   virtio_queue_config_area_bytes(config, (enum virtio_queue_area)area),
				   VIRTIO_ACCESS_READ) == 0)
		area++;
	return area_names[area];
}

static int check_queues(const struct virtio_device *device, const struct virtio_device_state *state,
			const struct virtio_queue_registers_state *queues, struct virtio_refusal *refusal)
{
	for (uint32_t i = 0; i < device->num_queues; i++) {
		struct virtio_queue_config config = device->queues[i].config;
		const char *field;
		int error = rebuild_queue(state, &queues[i], &config, &field);

		if (error)
			return refuse(refusal, field, i, error);
		error = check_areas(device, state, &config);
		if (error)
			return refuse(refusal, find_area(device, &config), i, error);
	}
	return 0;
}

int virtio_device_check_state(const struct virtio_device *device, const struct virtio_device_state *state,
			      const struct virtio_queue_registers_state *queues, uint32_t entries,
			      struct virtio_refusal *refusal)
{
	int error;

	if (live_load(device) != 0)
		return refuse(refusal, NULL, VIRTIO_SECTION_NO_ENTRY, VIRTIO_EBUSY);
	if (state->type != device->type)
		return refuse_value(refusal, "type");
	if (state->num_queues != device->num_queues || entries != device->num_queues)
		return refuse_value(refusal, "queues");
	error = check_bools(state, queues, refusal);
	if (!error)
		error = check_status(state, refusal);
	if (!error)
		error = check_accepted(device, state, refusal);
	return error ? error : check_queues(device, state, queues, refusal);
}

/* Copies the saved settings of a queue. virtio_device_check_state() has checked them. */
static void restore_queue(const struct virtio_device_state *state, const struct virtio_queue_registers_state *saved,
			  struct virtio_queue_registers *queue)
{
	const char *field;

	(void)rebuild_queue(state, saved, &queue->config, &field);
	queue->may_reenable = saved->may_reenable;
	queue->enabling = saved->enabling;
	queue->resetting = saved->resetting;
	queue->given = saved->given;
	queue->refused = saved->refused;
}

int virtio_device_restore(struct virtio_device *device, const struct virtio_device_state *state,
			  const struct virtio_queue_registers_state *queues, uint32_t entries)
{
	struct virtio_refusal refusal;
	int error = virtio_device_check_state(device, state, queues, entries, &refusal);

	/* This is the last check, because check_features() may store the features. */
	if (!error && (state->status & VIRTIO_CONFIG_S_FEATURES_OK))
		error = virtio_impl_device_ask_features(device, state->accepted);
	if (error)
		return error;
	virtio_impl_device_clear(device);
	for (uint32_t i = 0; i < device->num_queues; i++)
		restore_queue(state, &queues[i], &device->queues[i]);
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

int virtio_device_saved_config(const struct virtio_device *device, const struct virtio_device_state *state,
			       const struct virtio_queue_registers_state *queues, uint32_t queue,
			       struct virtio_queue_config *config)
{
	struct virtio_queue_config rebuilt;
	const char *field;

	if (queue >= device->num_queues || queue >= state->num_queues)
		return VIRTIO_EINVAL;
	rebuilt = device->queues[queue].config;
	if (rebuild_queue(state, &queues[queue], &rebuilt, &field))
		return VIRTIO_EINVAL;
	rebuilt.ready = rebuilt.ready && state->active;
	*config = rebuilt;
	return 0;
}

bool virtio_device_saved_features(const struct virtio_device_state *state, uint64_t *out)
{
	if (!(state->status & VIRTIO_CONFIG_S_FEATURES_OK))
		return false;
	*out = virtio_features_to_u64(state->accepted);
	return true;
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
	 * When the state was saved, the line may have been high, or an MSI-X message may have been
	 * on its way. So a pending cause is signalled again, even if no queue runs.
	 */
	if (pending & VIRTIO_INTERRUPT_CONFIG)
		virtio_impl_device_raise(device, VIRTIO_INTERRUPT_CONFIG, VIRTIO_DEVICE_NO_QUEUE);
	else if (pending && !raised)
		virtio_impl_device_raise(device, VIRTIO_INTERRUPT_USED, VIRTIO_DEVICE_NO_QUEUE);
}
