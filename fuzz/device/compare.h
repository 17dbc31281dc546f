/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The library's device against the model. */
#ifndef VIRTIO_FUZZ_DEVICE_COMPARE_H
#define VIRTIO_FUZZ_DEVICE_COMPARE_H

#include "model.h"

/* Traps unless the library's device is as the model, and has made all calls. */
void device_model_compare(const struct device_model *m, const struct virtio_device *device);

#endif
