/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The guest's half of the device harness. */
#ifndef VIRTIO_FUZZ_DEVICE_DRIVER_H
#define VIRTIO_FUZZ_DEVICE_DRIVER_H

#include "harness.h"

/* One step of the guest. */
void device_guest_step(struct device_harness *h, uint8_t op);

#endif
