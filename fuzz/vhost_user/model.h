/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The model of a session: the settings of the front end, and the running rings. The model shares no
 * code with the daemon.
 */
#ifndef VIRTIO_FUZZ_VHOST_USER_MODEL_H
#define VIRTIO_FUZZ_VHOST_USER_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_RINGS 2
#define MODEL_MAX_SIZE 256u

/* The outcome of a message. */
enum model_outcome {
	MODEL_DONE,
	MODEL_REFUSED,
	MODEL_OVER, /* the message ends the session */
};

/*
 * The halves of memory that a table contains. A ring lies in one half. MEMORY_NONE means that there
 * is no table. MEMORY_EMPTY is a table without regions.
 */
enum model_memory { MEMORY_NONE, MEMORY_BOTH, MEMORY_FIRST, MEMORY_EMPTY };

/* A set of features. */
struct model_features {
	bool version_1, protocol, bad;
	unsigned int id; /* identifies the set */
};

struct model_ring {
	uint32_t size; /* 0 if the size was not set */
	uint32_t base;
	int place;  /* half of memory, 1 or 2; 0 if the address was not set */
	int enable; /* 0 or 1; -1 without SET_VRING_ENABLE */
	/* `held`: a setting has changed, and the ring waits for a new kick descriptor or ENABLE. */
	bool kick, held, running;
};

struct model {
	struct model_ring rings[MODEL_RINGS];
	enum model_memory memory;
	bool has_features, has_applied;
	struct model_features features;
	unsigned int applied;
};

void model_init(struct model *model);
enum model_outcome model_features(struct model *model, const struct model_features *features);
enum model_outcome model_memory(struct model *model, enum model_memory memory);

/* Applies the features to the device, unless a ring runs. */
enum model_outcome model_apply(struct model *model);

/* Settings of an existing ring. Values must be legal, but a ring may lie outside of memory. */
enum model_outcome model_size(struct model *model, unsigned int ring, uint32_t size);
enum model_outcome model_place(struct model *model, unsigned int ring, int place);
enum model_outcome model_base(struct model *model, unsigned int ring, uint32_t base);
enum model_outcome model_kick(struct model *model, unsigned int ring);
enum model_outcome model_enable(struct model *model, unsigned int ring, bool on);

/* Updates a ring after GET_VRING_BASE or RESET_OWNER, which stop the ring. Returns the base. */
uint32_t model_disconnect(struct model *model, unsigned int ring);

#endif
