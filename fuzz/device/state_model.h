/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The model of saving and restoring a device. */
#ifndef VIRTIO_FUZZ_DEVICE_STATE_MODEL_H
#define VIRTIO_FUZZ_DEVICE_STATE_MODEL_H

#include "model.h"

void device_model_save(const struct device_model *m, uint32_t entries, int got, const struct virtio_device_state *state,
		       const struct virtio_queue_registers_state *queues);

/*
 * Returns the set of errors that a restore may return. If the restore must succeed, copies the
 * state into the model and returns 0.
 */
uint64_t device_model_restore(struct device_model *m, const struct virtio_device_state *state,
			      const struct virtio_queue_registers_state *queues, uint32_t entries);

#endif
