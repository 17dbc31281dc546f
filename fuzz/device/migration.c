/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The VMM's steps: migrate devices, sometimes with a changed state, and make devices with wrong
 * options.
 */
#include <virtio/bindings/virtio_config.h>

#include "compare.h"
#include "migration.h"
#include "operations.h"
#include "queues.h"
#include "state_model.h"

/* Makes the model of a new device with the same options. */
static void make_model(const struct device_model *old, struct device_model *m)
{
	memset(m, 0, sizeof *m);
	memcpy(m->shm, old->shm, sizeof m->shm);
	memcpy(m->max_size, old->max_size, sizeof m->max_size);
	memcpy(m->config, old->config, sizeof m->config);
	memcpy(m->plans, old->plans, sizeof m->plans);
	device_model_init(m, &old->options, old->map);
}

/* Saves a queue, restores it into a new queue, and replays its requests in flight. */
static void migrate_run(struct device_harness *h, uint32_t index)
{
	struct device_run *r = &h->runs[index];
	struct virtio_queue_state state;
	struct virtio_queue_flight record[DEVICE_QUEUE_SIZE];
	uint32_t count = 0;
	int got = virtio_queue_save_in_flight(&r->queue, &state, record, DEVICE_QUEUE_SIZE, &count);
	bool has_areas;

	model_save_in_flight(&r->model, DEVICE_QUEUE_SIZE, got, &state, record, count);
	device_run_make(h, index);
	FUZZ_CHECK(got == 0, "queue %u can't be saved: %d", index, got);
	got = virtio_queue_restore(&r->queue, &state, &h->model.map->map);
	has_areas = model_restore(&r->model, &state, h->model.map, got);
	if (got || !has_areas) {
		/* The map has changed, and no longer has the queue's areas. */
		device_run_make(h, index);
		return;
	}
	r->running = true;
	for (uint32_t i = 0; i < count; i++) {
		struct virtio_chain chain;
		struct model_walk walk;

		got = virtio_queue_replay(&r->queue, &record[i], &chain);
		model_replay(&r->model, &record[i], &walk, got, &chain);
		if (got == 1)
			r->flight[r->flight_count++] = chain.token;
	}
}

/* Sets a bool to any byte, because a file may have any byte there. */
static void set_byte(bool *flag, uint32_t value)
{
	const uint8_t byte = (uint8_t)value;

	memcpy(flag, &byte, 1);
}

/* Changes one value somewhere in the state. */
static void change_state(struct device_harness *h, struct virtio_device_state *s,
			 struct virtio_queue_registers_state *queues)
{
	const uint8_t which = fuzz_u8(&h->in);
	const uint32_t index = which >> 5 & 3, value = (uint32_t)fuzz_number(&h->in);
	struct virtio_queue_registers_state *q = &queues[index % h->model.options.num_queues];
	uint32_t *const words[] = { &s->status,
				    &s->interrupt_status,
				    &s->generation,
				    &s->accepted[index],
				    &s->queue_sel,
				    &s->shm_sel,
				    &s->type,
				    &s->num_queues,
				    &s->device_features_sel,
				    &s->driver_features_sel };

	switch (which & 0x1f) {
	case 10:
		set_byte(&s->accepted_beyond, value);
		break;
	case 11:
		set_byte(&s->active, value);
		break;
	case 12:
	case 13:
	case 14:
		q->addr[(which & 0x1f) - 12] = value & 0x80 ? value : q->addr[(which & 0x1f) - 12] + value;
		break;
	case 15:
		q->max_size = (uint16_t)value;
		break;
	case 16:
		q->size = (uint16_t)value;
		break;
	case 17:
		set_byte(&q->ready, value);
		break;
	case 18:
		set_byte(&q->may_reenable, value);
		break;
	case 19:
		q->given = (uint8_t)value;
		break;
	case 20:
		q->refused = (uint8_t)value;
		break;
	case 21:
		set_byte(&q->enabling, value);
		break;
	case 22:
		set_byte(&q->resetting, value);
		break;
	default:
		*words[(which & 0x1f) % 10] = value;
	}
}

static int save(struct device_harness *h, struct virtio_device_state *state,
		struct virtio_queue_registers_state *queues, uint32_t entries)
{
	struct virtio_device_state before;
	int got;

	memset(state, DEVICE_NO_ARGUMENT, sizeof *state);
	memcpy(&before, state, sizeof before);
	got = virtio_device_save(h->device, state, queues, entries);
	device_model_save(&h->model, entries, got, state, queues);
	FUZZ_CHECK(got == 0 || memcmp(state, &before, sizeof before) == 0, "a failed save changed the state");
	return got;
}

/* Restores into a new device. If the restore fails, keeps the old device and returns false. */
static bool restore(struct device_harness *h, const struct virtio_device_state *state,
		    const struct virtio_queue_registers_state *queues, uint32_t entries)
{
	struct virtio_device *old_device = h->device;
	struct virtio_queue_registers *old_slots = h->slots;
	struct device_model *old = fuzz_alloc(sizeof *old);
	const bool old_line = h->line;
	uint64_t errors;
	int got;

	*old = h->model;
	h->device = NULL;
	h->slots = NULL;
	make_model(old, &h->model);
	device_harness_make(h);
	device_model_begin(&h->model, true);
	errors = device_model_restore(&h->model, state, queues, entries);
	got = virtio_device_restore(h->device, state, queues, entries);
	FUZZ_CHECK(errors ? (fuzz_error_bit(got) & errors) != 0 : got == 0, "restore returned %d", got);
	/*
	 * If `errors` is not 0, the model has not taken the saved state. The device must not have
	 * taken the saved state either.
	 */
	device_model_compare(&h->model, h->device);
	if (errors) {
		free(h->device);
		free(h->slots);
		h->device = old_device;
		h->slots = old_slots;
		h->line = old_line;
		/*
		 * The failed restore may have used a plan, so the old model gets the plans that are
		 * left.
		 */
		memcpy(old->plans, h->model.plans, sizeof old->plans);
		h->model = *old;
		device_model_begin(&h->model, true);
	} else {
		free(old_device);
		free(old_slots);
	}
	free(old);
	return !errors;
}

void device_migrate(struct device_harness *h, bool forge)
{
	const uint8_t how = fuzz_u8(&h->in);
	const uint32_t count = h->model.options.num_queues;
	/* With too few entries for the queues, the save must fail. */
	const uint32_t entries = how & 0x80 ? how % count : count;
	struct virtio_device_state state;
	struct virtio_queue_registers_state *queues = fuzz_alloc(sizeof *queues * entries);

	if (save(h, &state, queues, entries) == 0) {
		for (int i = how & 1; forge && i >= 0; i--)
			change_state(h, &state, queues);
		if (restore(h, &state, queues, forge && (how & 2) ? count - 1 : count)) {
			for (uint32_t i = 0; i < count; i++) {
				/*
				 * migrate_run() needs a map, but the map may lack the areas of the
				 * running queue.
				 */
				if (!forge && h->runs[i].running && h->model.map) {
					migrate_run(h, i);
					continue;
				}
				device_run_make(h, i);
				/* The areas may be outside memory: see virtio_device_restore(). */
				if (device_model_runs(&h->model, i) &&
				    !device_model_queue_errors(&h->model, &h->model.queues[i].config))
					device_run_start(h, i);
			}
			for (uint32_t i = 0; i < count; i++)
				h->runs[i].gone = device_model_runs(&h->model, i) && !h->runs[i].running;
			device_model_resume(&h->model);
			virtio_device_resume(h->device);
		}
	}
	free(queues);
}

/*
 * Plants a fault in a state whose status is 0. Returns the error that a restore must return if the
 * device is not in use.
 */
static int spoil(struct virtio_device_state *state, struct virtio_queue_registers_state *queues, uint8_t how)
{
	switch (how % 8) {
	case 0:
		state->type++;
		return VIRTIO_EINVAL;
	case 1:
		state->num_queues++;
		return VIRTIO_EINVAL;
	case 2:
		state->status = VIRTIO_CONFIG_S_DRIVER;
		return VIRTIO_EINVAL;
	case 3:
		state->interrupt_status = VIRTIO_INTERRUPT_CONFIG;
		return VIRTIO_EINVAL;
	case 4:
		queues[0].size = 3;
		return VIRTIO_ESIZE;
	case 5:
		queues[0].addr[VIRTIO_QUEUE_USED] = 2;
		return VIRTIO_EALIGN;
	case 6:
		queues[0].ready = true;
		return VIRTIO_EINVAL;
	default:
		queues[0].max_size++;
		return VIRTIO_EINVAL;
	}
}

/* Restores into a device in use, or restores a bad state. Neither restore may change the device. */
void device_restore_over(struct device_harness *h)
{
	struct virtio_device_state state = { .type = h->model.options.type, .num_queues = h->model.options.num_queues };
	struct virtio_queue_registers_state queues[DEVICE_QUEUES] = { { .size = 0 } };
	const uint8_t how = fuzz_u8(&h->in);
	int expected, got;

	for (uint32_t i = 0; i < state.num_queues; i++) {
		queues[i].max_size = h->model.max_size[i];
		queues[i].size = h->model.max_size[i];
	}
	expected = spoil(&state, queues, how);
	if (h->model.status || h->model.resetting)
		expected = VIRTIO_EBUSY;
	got = virtio_device_restore(h->device, &state, queues, h->model.options.num_queues);
	FUZZ_CHECK(got == expected, "a restore with fault %u returned %d", how, got);
}

/* Wrong options */

struct wrong {
	struct virtio_device_options options;
	struct virtio_device_ops ops;
	struct virtio_queue_registers queues[2];
	struct virtio_shm_region shm[2];
};

static int make_wrong_ops(struct wrong *w, uint32_t kind)
{
	switch (kind) {
	case 0:
		w->options.ops = NULL;
		break;
	case 1:
		w->ops.activate = NULL;
		break;
	case 2:
		w->ops.reset = NULL;
		break;
	case 3:
		w->ops.interrupt = NULL;
		break;
	case 4:
		w->ops.queue_notify = NULL;
		break;
	case 5:
		w->ops.queue_stop = NULL;
		break;
	case 6:
		w->ops.queue_start = NULL;
		w->options.features[VIRTIO_F_RING_RESET / 32] = 1u << VIRTIO_F_RING_RESET % 32;
		break;
	default:
		w->ops.config_read = NULL;
		break;
	}
	return VIRTIO_ENOOP;
}

static int make_wrong(struct wrong *w, uint32_t kind, uint8_t value)
{
	/* Features that the core must refuse, and other features, which it must accept. */
	static const uint8_t bad[] = { 24, 25, 26, 27, 30, 31, 34, 37, 39, 41, 43, 44, 45, 46, 47, 48, 49 };
	static const uint8_t good[] = { 0, 23, 28, 29, 32, 33, 35, 36, 38, 40, 42, 50, 63, 64, 127 };

	switch (kind) {
	case 8:
		value = bad[value % sizeof bad];
		w->options.features[value / 32] = 1u << value % 32;
		return VIRTIO_ENOTSUP;
	case 9:
		w->queues[value & 1].config.max_size = value & 2 ? 0xffff : 12;
		return VIRTIO_ESIZE;
	case 10:
		w->options.queues = NULL;
		return VIRTIO_EINVAL;
	case 11:
		w->options.num_queues = 0x10000u + value;
		return VIRTIO_EINVAL;
	case 12:
		w->options.shm = NULL;
		return VIRTIO_EINVAL;
	case 13:
		w->shm[1].id = w->shm[0].id;
		return VIRTIO_EINVAL;
	case 14:
		/* A device without queues, shared memory and configuration space is valid. */
		w->options.num_queues = 0;
		w->options.num_shm = 0;
		w->options.config_size = 0;
		return 0;
	case 15:
		for (size_t i = 0; i < sizeof good; i++)
			w->options.features[good[i] / 32] |= 1u << good[i] % 32;
		return 0;
	default:
		return make_wrong_ops(w, kind);
	}
}

void device_init_wrong(struct device_harness *h)
{
	const uint8_t kind = fuzz_u8(&h->in) % 16, value = fuzz_u8(&h->in);
	struct virtio_device device, before;
	struct wrong w = {
		.ops = device_harness_ops,
		.queues = { { .config.max_size = 8 }, { .config.max_size = 0 } },
		.shm = { { .len = 1, .id = value }, { .len = 1, .id = (uint8_t)(value + 1) } },
	};
	int expected, got;

	w.options = (struct virtio_device_options){
		.ops = &w.ops,
		.queues = w.queues,
		.num_queues = 2,
		.config_size = 8,
		.shm = w.shm,
		.num_shm = 2,
	};
	memset(&device, DEVICE_NO_ARGUMENT, sizeof device);
	memcpy(&before, &device, sizeof device);
	expected = make_wrong(&w, kind, value);
	got = virtio_device_init(&device, &w.options);
	FUZZ_CHECK(got == expected, "init with wrong options (%u) returned %d", kind, got);
	FUZZ_CHECK((virtio_device_missing_op(&w.options) != NULL) == (expected == VIRTIO_ENOOP),
		   "virtio_device_missing_op() is wrong");
	FUZZ_CHECK(got == 0 || memcmp(&device, &before, sizeof device) == 0, "a failed init changed the device");
}
