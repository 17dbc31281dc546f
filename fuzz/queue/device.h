/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The device's half of the queue harness. */
#ifndef VIRTIO_FUZZ_QUEUE_DEVICE_H
#define VIRTIO_FUZZ_QUEUE_DEVICE_H

#include "harness.h"

/* Carries out one step of the device. */
void harness_device_step(struct harness *h, uint8_t op);

#endif
