/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The model's saved state. */
#ifndef VIRTIO_FUZZ_DEVICE_STATE_MODEL_H
#define VIRTIO_FUZZ_DEVICE_STATE_MODEL_H

#include "model.h"

void device_model_save(const struct device_model *m, uint32_t entries, int got, const struct virtio_device_state *state,
		       const struct virtio_queue_registers_state *queues);

/*
 * The errors that a restore may return; empty if it must succeed, and then the model has this
 * state.
 */
uint64_t device_model_restore(struct device_model *m, const struct virtio_device_state *state,
			      const struct virtio_queue_registers_state *queues, uint32_t entries);

#endif
