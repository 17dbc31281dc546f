/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The model of a session: the settings of a front end, and the rings that run with them. It shares
 * no code with the daemon.
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
	MODEL_OVER, /* the session */
};

/* Memory tables, named by their content. Rings are in one of the two halves of memory. */
enum model_memory { MEMORY_NONE, MEMORY_BOTH, MEMORY_FIRST, MEMORY_EMPTY };

/* Features, as far as they matter here. */
struct model_features {
	bool version_1, protocol, bad;
	unsigned int id; /* equal for equal sets */
};

struct model_ring {
	uint32_t size; /* 0: not set */
	uint32_t base;
	int place;  /* 0: not set; 1: first half; 2: second half */
	int enable; /* -1: not set */
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

/* Tells the device the features, unless a ring runs. */
enum model_outcome model_apply(struct model *model);

/* For an existing ring. All values are legal, except perhaps the place of the ring. */
enum model_outcome model_size(struct model *model, unsigned int ring, uint32_t size);
enum model_outcome model_place(struct model *model, unsigned int ring, int place);
enum model_outcome model_base(struct model *model, unsigned int ring, uint32_t base);
enum model_outcome model_kick(struct model *model, unsigned int ring);
enum model_outcome model_enable(struct model *model, unsigned int ring, bool on);

/* GET_VRING_BASE. Returns the base. */
uint32_t model_disconnect(struct model *model, unsigned int ring);

#endif
