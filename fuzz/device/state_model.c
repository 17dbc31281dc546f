/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The model of saving and restoring a device. */
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ring.h>

#include "state_model.h"

#define BIT(error) fuzz_error_bit(VIRTIO_##error)

#define DRIVER VIRTIO_CONFIG_S_DRIVER
#define FEATURES_OK VIRTIO_CONFIG_S_FEATURES_OK
#define DRIVER_OK VIRTIO_CONFIG_S_DRIVER_OK
#define NEEDS_RESET VIRTIO_CONFIG_S_NEEDS_RESET

/* Saving */

static uint64_t save_errors(const struct device_model *m, uint32_t entries)
{
	uint64_t errors = 0;

	for (uint32_t i = 0; i < m->options.num_queues; i++)
		if (m->queues[i].stopping)
			errors |= BIT(EBUSY);
	if (m->resetting)
		errors |= BIT(EBUSY);
	if (entries < m->options.num_queues)
		errors |= BIT(ENOBUFS);
	return errors;
}

static void check_saved_queue(const struct device_model_queue *q, const struct virtio_queue_registers_state *saved,
			      uint32_t index)
{
	FUZZ_CHECK(memcmp(saved->addr, q->config.addr, sizeof saved->addr) == 0,
		   "wrong addresses of queue %u are saved", index);
	FUZZ_CHECK(saved->max_size == q->config.max_size && saved->size == q->config.size,
		   "a wrong size of queue %u is saved", index);
	FUZZ_CHECK(saved->ready == q->config.ready && saved->may_reenable == q->may_reenable,
		   "a wrong state of queue %u is saved", index);
	FUZZ_CHECK(saved->enabling == q->enabling && saved->resetting == q->resetting,
		   "a wrong progress of queue %u is saved", index);
	FUZZ_CHECK(saved->given == device_model_bits(q->given, 3) && saved->refused == device_model_bits(q->refused, 4),
		   "a wrong given or refused of queue %u is saved", index);
}

void device_model_save(const struct device_model *m, uint32_t entries, int got, const struct virtio_device_state *state,
		       const struct virtio_queue_registers_state *queues)
{
	const uint64_t errors = save_errors(m, entries);

	FUZZ_CHECK(errors ? (fuzz_error_bit(got) & errors) != 0 : got == 0, "save returned %d", got);
	if (errors)
		return;
	FUZZ_CHECK(state->type == m->options.type && state->num_queues == m->options.num_queues,
		   "a wrong type or number of queues is saved");
	FUZZ_CHECK(state->status == m->status && state->active == m->active, "a wrong active or status is saved: %#x",
		   state->status);
	FUZZ_CHECK(state->interrupt_status == m->interrupt_status, "a wrong interrupt status is saved");
	FUZZ_CHECK(state->generation == m->generation, "a wrong generation is saved");
	FUZZ_CHECK(memcmp(state->accepted, m->accepted, sizeof state->accepted) == 0 &&
			   state->accepted_beyond == m->accepted_beyond,
		   "wrong features are saved");
	FUZZ_CHECK(state->device_features_sel == m->device_features_sel &&
			   state->driver_features_sel == m->driver_features_sel && state->queue_sel == m->queue_sel &&
			   state->shm_sel == m->shm_sel,
		   "a wrong selector is saved");
	for (uint32_t i = 0; i < m->options.num_queues; i++)
		check_saved_queue(&m->queues[i], &queues[i], i);
}

/* Restoring */

/*
 * Returns whether a driver, even a hostile driver, can lead to the state's status, interrupt status
 * and value of `active`.
 */
static bool status_possible(const struct virtio_device_state *state)
{
	const uint32_t status = state->status, driver = status & ~(uint32_t)(NEEDS_RESET | VIRTIO_CONFIG_S_FAILED);
	const bool driver_ok = status & DRIVER_OK;

	/* The device accepts the driver's bits in order only, so no other sets are possible. */
	if (driver != 0 && driver != 1 && driver != 3 && driver != 11 && driver != 15)
		return false;
	if (state->active && !driver_ok)
		return false;
	/* With DRIVER_OK a device is inactive only if it needs a reset. */
	if (driver_ok && !state->active && !(status & NEEDS_RESET))
		return false;
	if (state->interrupt_status & ~(driver_ok ? 3u : 2u))
		return false;
	return !(state->interrupt_status && status == 0);
}

static uint64_t restore_feature_errors(const struct device_model *m, const struct virtio_device_state *state)
{
	bool some = state->accepted_beyond;

	if (state->status & FEATURES_OK)
		return device_model_feature_errors(m, state->accepted, state->accepted_beyond);
	for (int i = 0; i < VIRTIO_FEATURE_WORDS; i++)
		some = some || state->accepted[i];
	return some && !(state->status & DRIVER) ? BIT(EINVAL) : 0;
}

static bool accepted(const struct virtio_device_state *state, uint32_t bit)
{
	return (state->status & FEATURES_OK) && (state->accepted[bit / 32] >> bit % 32 & 1);
}

static struct virtio_queue_config restored_config(const struct virtio_device_state *state,
						  const struct virtio_queue_registers_state *saved)
{
	struct virtio_queue_config config = { .max_size = saved->max_size, .size = saved->size, .ready = saved->ready };

	memcpy(config.addr, saved->addr, sizeof config.addr);
	config.event_idx = saved->ready && accepted(state, VIRTIO_RING_F_EVENT_IDX);
	config.indirect = saved->ready && accepted(state, VIRTIO_RING_F_INDIRECT_DESC);
	config.in_order = saved->ready && accepted(state, VIRTIO_F_IN_ORDER);
	return config;
}

/* Returns whether a driver, even a hostile driver, can have written these values. */
static bool writes_possible(const struct virtio_queue_registers_state *saved)
{
	if (saved->given > 7 || saved->refused > 15)
		return false;
	for (int i = 0; i < 3; i++) {
		const bool given = saved->given >> i & 1, refused = saved->refused >> i & 1;

		/* A write is either accepted or refused. Before any write the low half is 0. */
		if ((given && refused) || (!given && !refused && saved->addr[i] << 32))
			return false;
	}
	return !(saved->ready || saved->enabling) || (saved->given == 7 && saved->refused == 0);
}

/* Returns whether the saved values of `may_reenable`, `enabling` and `resetting` are possible. */
static bool progress_possible(const struct virtio_device_state *state, const struct virtio_queue_registers_state *saved)
{
	const bool reset = accepted(state, VIRTIO_F_RING_RESET);

	if (saved->may_reenable && (saved->ready || !state->active || !reset))
		return false;
	/* A queue can wait for a translation before DRIVER_OK, or after its own reset. */
	if (saved->enabling && (saved->ready || !(state->status & FEATURES_OK)))
		return false;
	if (saved->enabling && (state->status & DRIVER_OK) && !saved->may_reenable)
		return false;
	/* A saved queue shows a reset only if the device could not stop the queue. */
	return !saved->resetting || (saved->ready && reset && (state->status & NEEDS_RESET));
}

/* Returns the errors that a restore may return because of the queue's areas. */
static uint64_t restore_area_errors(const struct device_model *m, const struct virtio_device_state *state,
				    const struct virtio_queue_config *config)
{
	const uint64_t errors = device_model_queue_errors(m, config);

	if (state->status & NEEDS_RESET)
		return errors & BIT(EALIGN);
	/*
	 * With a translation, only misalignment or a page that is not mapped yet fails the restore.
	 */
	if (m->map && m->map->map.translate)
		return errors & BIT(EALIGN) ? errors : device_model_queue_waits(m, config) ? BIT(ENOTMAPPED) : 0;
	return errors;
}

static uint64_t restore_queue_errors(const struct device_model *m, const struct virtio_device_state *state,
				     const struct virtio_queue_registers_state *saved, uint32_t index)
{
	const struct virtio_queue_config config = restored_config(state, saved);
	uint64_t errors = 0;

	if (saved->max_size != m->max_size[index])
		return BIT(EINVAL);
	if (!saved->max_size)
		return saved->size || saved->addr[0] || saved->addr[1] || saved->addr[2] || saved->ready ||
				       saved->may_reenable || saved->enabling || saved->resetting || saved->given ||
				       saved->refused
			       ? BIT(EINVAL)
			       : 0;
	if (saved->size == 0 || saved->size > saved->max_size || (saved->size & (saved->size - 1)))
		errors |= BIT(ESIZE);
	if (saved->addr[0] % 16 || saved->addr[1] % 2 || saved->addr[2] % 4)
		errors |= BIT(EALIGN);
	if (!writes_possible(saved))
		errors |= BIT(EINVAL);
	if (saved->ready && !(state->status & FEATURES_OK))
		errors |= BIT(EINVAL);
	if (!progress_possible(state, saved))
		errors |= BIT(EINVAL);
	if (saved->ready)
		errors |= restore_area_errors(m, state, &config);
	return errors;
}

static void take_state(struct device_model *m, const struct virtio_device_state *state,
		       const struct virtio_queue_registers_state *queues)
{
	m->status = state->status;
	m->interrupt_status = state->interrupt_status;
	memcpy(m->accepted, state->accepted, sizeof m->accepted);
	m->accepted_beyond = state->accepted_beyond;
	m->active = state->active;
	m->device_features_sel = state->device_features_sel;
	m->driver_features_sel = state->driver_features_sel;
	m->queue_sel = state->queue_sel;
	m->shm_sel = state->shm_sel;
	m->generation = state->generation;
	/* Until virtio_device_resume() the line may disagree with the interrupt status. */
	m->marked = true;
	for (uint32_t i = 0; i < m->options.num_queues; i++) {
		struct device_model_queue *q = &m->queues[i];

		*q = (struct device_model_queue){
			.config = restored_config(state, &queues[i]),
			.may_reenable = queues[i].may_reenable,
			.enabling = queues[i].enabling,
			.resetting = queues[i].resetting,
		};
		for (uint32_t bit = 0; bit < 4; bit++) {
			q->refused[bit] = queues[i].refused >> bit & 1;
			if (bit < 3)
				q->given[bit] = queues[i].given >> bit & 1;
		}
	}
}

static bool is_flag(const bool *flag)
{
	uint8_t byte;

	memcpy(&byte, flag, 1);
	return byte == 0 || byte == 1;
}

/* Returns whether each bool is 0 or 1. Call this function before any check that reads a bool. */
static bool flags_possible(const struct virtio_device_state *state, const struct virtio_queue_registers_state *queues)
{
	for (uint32_t i = 0; i < state->num_queues; i++)
		if (!is_flag(&queues[i].ready) || !is_flag(&queues[i].may_reenable) || !is_flag(&queues[i].enabling) ||
		    !is_flag(&queues[i].resetting))
			return false;
	return is_flag(&state->accepted_beyond) && is_flag(&state->active);
}

uint64_t device_model_restore(struct device_model *m, const struct virtio_device_state *state,
			      const struct virtio_queue_registers_state *queues, uint32_t entries)
{
	uint64_t errors;

	if (m->status || m->resetting)
		return BIT(EBUSY);
	if (state->type != m->options.type || state->num_queues != m->options.num_queues ||
	    entries != m->options.num_queues || !flags_possible(state, queues) || !status_possible(state))
		return BIT(EINVAL);
	errors = restore_feature_errors(m, state);
	/* If there are several faults, a restore may return the error of any fault. */
	for (uint32_t i = 0; i < m->options.num_queues; i++)
		errors |= restore_queue_errors(m, state, &queues[i], i);
	if (!errors && (state->status & FEATURES_OK))
		errors = device_model_veto(m, state->accepted);
	if (!errors)
		take_state(m, state, queues);
	return errors;
}
