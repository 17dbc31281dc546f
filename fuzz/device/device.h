/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The steps of the device and the VMM in the device harness. */
#ifndef VIRTIO_FUZZ_DEVICE_DEVICE_H
#define VIRTIO_FUZZ_DEVICE_DEVICE_H

#include "harness.h"

/* Carries out one step of the VMM or the device. */
void device_host_step(struct device_harness *h, uint8_t op);

#endif
