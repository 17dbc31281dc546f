/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The model of a queue, written from virtio 1.4 and the comments of the public headers. The model
 * keeps no host addresses and has no fast paths. For each call of the library a function of the
 * model gets the arguments and the result. The function traps if the result is not allowed, else it
 * updates the model.
 */
#ifndef VIRTIO_FUZZ_QUEUE_MODEL_H
#define VIRTIO_FUZZ_QUEUE_MODEL_H

#include "chain_model.h"

uint64_t model_area_bytes(const struct virtio_queue_config *config, int area);
uint32_t model_in_flight(const struct model *m);
uint32_t model_waiting(const struct model *m);

/* Returns whether the token's head is in flight under this token. */
bool model_in_flight_token(const struct model *m, struct virtio_token token);

void model_start(struct model *m, const struct virtio_queue_config *config, struct shadow_map *map, int got);
void model_reset(struct model *m);

/* Updates the model after a second virtio_queue_init(). Earlier tokens stay stale. */
void model_init_again(struct model *m);
void model_set_memory(struct model *m, struct shadow_map *map, int got);
void model_pop(struct model *m, struct model_walk *walk, int got, const struct virtio_chain *chain);
void model_available(struct model *m, int got);
void model_unpop(struct model *m, struct virtio_token token, int got);
void model_complete(struct model *m, const struct virtio_completion *list, uint32_t count, int got);
void model_needs_interrupt(struct model *m, bool got);
void model_enable(struct model *m, int got);
void model_disable(struct model *m, int got);
void model_set_index(struct model *m, bool avail, uint16_t index, int got);
void model_read_idx(struct model *m, bool avail, int got, uint16_t value);
void model_save(const struct model *m, int got, const struct virtio_queue_state *state);
void model_save_in_flight(const struct model *m, uint32_t capacity, int got, const struct virtio_queue_state *state,
			  const struct virtio_queue_flight *record, uint32_t count);
/* Returns false if the restored queue lacks its areas. The caller must then reset the queue. */
bool model_restore(struct model *m, const struct virtio_queue_state *state, struct shadow_map *map, int got);
void model_replay(struct model *m, const struct virtio_queue_flight *request, struct model_walk *walk, int got,
		  const struct virtio_chain *chain);

/*
 * Updates the model after virtio_request_pop() has returned VIRTIO_ENOTMAPPED. Returns the limit of
 * translations for one resolution of the chain.
 */
uint64_t model_pop_not_mapped(struct model *m);

/*
 * Traps unless the queue agrees with the model. Compares the indices, virtio_queue_quiesced(),
 * virtio_queue_old_maps_unused(), the first fault, and all counters except too_many_segments.
 */
void model_compare(const struct model *m, const struct virtio_queue *queue);

#endif
