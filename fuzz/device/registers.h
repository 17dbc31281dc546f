/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The model of the virtio-mmio registers. */
#ifndef VIRTIO_FUZZ_DEVICE_REGISTERS_H
#define VIRTIO_FUZZ_DEVICE_REGISTERS_H

#include "model.h"

void device_model_read(struct device_model *m, uint64_t offset, uint8_t *data, uint32_t len);
int device_model_write(struct device_model *m, uint64_t offset, const uint8_t *data, uint32_t len);

#endif
