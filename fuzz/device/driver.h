/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The steps of the guest in the device harness. */
#ifndef VIRTIO_FUZZ_DEVICE_DRIVER_H
#define VIRTIO_FUZZ_DEVICE_DRIVER_H

#include "harness.h"

/* Carries out one step of the guest. */
void device_guest_step(struct device_harness *h, uint8_t op);

#endif
