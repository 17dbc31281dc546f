/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The comparison of the library's device with the model. */
#ifndef VIRTIO_FUZZ_DEVICE_COMPARE_H
#define VIRTIO_FUZZ_DEVICE_COMPARE_H

#include "model.h"

/* Traps unless the device equals the model and has called every operation that it must call. */
void device_model_compare(const struct device_model *m, const struct virtio_device *device);

#endif
