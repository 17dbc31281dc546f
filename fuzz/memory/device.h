/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The accesses of a device. */
#ifndef VIRTIO_FUZZ_MEMORY_DEVICE_H
#define VIRTIO_FUZZ_MEMORY_DEVICE_H

#include "harness.h"

/* Carries out one step of the device or the guest. */
void memory_step(struct harness *h);

#endif
