/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The model of a session. The device pops no request, so only messages change a ring's base. */
#include "model.h"

void model_init(struct model *model)
{
	*model = (struct model){ .memory = MEMORY_NONE };
	for (unsigned int i = 0; i < MODEL_RINGS; i++)
		model->rings[i].enable = -1;
}

static bool lies_in(int place, enum model_memory memory)
{
	return memory == MEMORY_BOTH || (memory == MEMORY_FIRST && place == 1);
}

static void stop_all(struct model *model)
{
	for (unsigned int i = 0; i < MODEL_RINGS; i++)
		model->rings[i].running = false;
}

static enum model_outcome apply(struct model *model)
{
	if (model->has_applied && model->applied == model->features.id)
		return MODEL_DONE;
	stop_all(model);
	if (model->features.bad)
		return MODEL_REFUSED;
	model->has_applied = true;
	model->applied = model->features.id;
	return MODEL_DONE;
}

enum model_outcome model_apply(struct model *model)
{
	for (unsigned int i = 0; i < MODEL_RINGS; i++)
		if (model->rings[i].running)
			return MODEL_DONE;
	return apply(model);
}

static bool lacks_something(const struct model *model, const struct model_ring *ring)
{
	const bool enabled = ring->enable < 0 ? !model->features.protocol : ring->enable == 1;

	return !model->has_features || !model->features.version_1 || model->memory == MEMORY_NONE || !enabled ||
	       !ring->size || !ring->place || !ring->kick || ring->held;
}

static enum model_outcome start(struct model *model, struct model_ring *ring)
{
	if (ring->running || lacks_something(model, ring))
		return MODEL_DONE;
	if (apply(model) != MODEL_DONE || !lies_in(ring->place, model->memory))
		return MODEL_REFUSED;
	ring->running = true;
	return MODEL_DONE;
}

static enum model_outcome start_all(struct model *model)
{
	enum model_outcome outcome = MODEL_DONE;

	for (unsigned int i = 0; i < MODEL_RINGS; i++)
		if (start(model, &model->rings[i]) != MODEL_DONE)
			outcome = MODEL_REFUSED;
	return outcome;
}

enum model_outcome model_features(struct model *model, const struct model_features *features)
{
	const struct model_features before = model->features;
	const bool had = model->has_features;

	model->features = *features;
	model->has_features = true;
	if (start_all(model) == MODEL_DONE)
		return MODEL_DONE;
	model->features = before;
	model->has_features = had;
	return MODEL_REFUSED;
}

enum model_outcome model_memory(struct model *model, enum model_memory memory)
{
	for (unsigned int i = 0; i < MODEL_RINGS; i++)
		if (model->rings[i].running && !lies_in(model->rings[i].place, memory))
			return MODEL_REFUSED;
	model->memory = memory;
	(void)start_all(model);
	return MODEL_DONE;
}

/* Handles a changed setting of a running ring. The change means that the guest has a new driver. */
static void make_room(struct model_ring *ring)
{
	ring->running = false;
	ring->base = 0;
	ring->held = true;
}

/* Tries to start the ring after a message. If the start fails, undoes the change of the ring. */
static enum model_outcome settle(struct model *model, struct model_ring *ring, const struct model_ring *before)
{
	if (start(model, ring) == MODEL_DONE)
		return MODEL_DONE;
	*ring = *before;
	return MODEL_REFUSED;
}

enum model_outcome model_size(struct model *model, unsigned int index, uint32_t size)
{
	struct model_ring *ring = &model->rings[index];
	const struct model_ring before = *ring;

	if (ring->running && ring->size != size)
		make_room(ring);
	ring->size = size;
	return settle(model, ring, &before);
}

enum model_outcome model_place(struct model *model, unsigned int index, int place)
{
	struct model_ring *ring = &model->rings[index];
	const struct model_ring before = *ring;

	if (ring->running && ring->place != place)
		make_room(ring);
	ring->place = place;
	return settle(model, ring, &before);
}

enum model_outcome model_base(struct model *model, unsigned int index, uint32_t base)
{
	struct model_ring *ring = &model->rings[index];
	const struct model_ring before = *ring;

	if (ring->running && ring->base != base)
		make_room(ring);
	ring->base = base;
	return settle(model, ring, &before);
}

enum model_outcome model_kick(struct model *model, unsigned int index)
{
	struct model_ring *ring = &model->rings[index];
	const struct model_ring before = *ring;

	ring->kick = true;
	ring->held = false;
	if (settle(model, ring, &before) == MODEL_DONE)
		return MODEL_DONE;
	/* The ring has no kick descriptor now, because the old descriptor is closed. */
	ring->kick = false;
	return MODEL_REFUSED;
}

enum model_outcome model_enable(struct model *model, unsigned int index, bool on)
{
	struct model_ring *ring = &model->rings[index];
	const struct model_ring before = *ring;

	ring->enable = on;
	if (on)
		ring->held = false;
	else
		ring->running = false;
	return settle(model, ring, &before);
}

uint32_t model_disconnect(struct model *model, unsigned int index)
{
	struct model_ring *ring = &model->rings[index];

	ring->running = false;
	ring->kick = false;
	return ring->base;
}
