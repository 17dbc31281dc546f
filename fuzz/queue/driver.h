/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The driver's half of the queue harness. */
#ifndef VIRTIO_FUZZ_QUEUE_DRIVER_H
#define VIRTIO_FUZZ_QUEUE_DRIVER_H

#include "harness.h"

/* Returns the map in which the driver's addresses are valid. */
struct shadow_map *harness_map(struct harness *h);

/* Restarts the driver. Its rings are filled with zeroes. */
void harness_reset_driver(struct harness *h);

/* Carries out one step of the driver. */
void harness_driver_step(struct harness *h, uint8_t op);

#endif
