/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The driver's half of the block harness. */
#ifndef VIRTIO_FUZZ_BLK_DRIVER_H
#define VIRTIO_FUZZ_BLK_DRIVER_H

#include "harness.h"

/* Restarts the driver. Its rings are filled with zeroes. */
void blk_reset_driver(struct blk_harness *h);

/* Steps that the driver may also take in the middle of a call of the back end. */
void blk_poke(struct blk_harness *h);
void blk_config_write(struct blk_harness *h);

/* Carries out one step of the driver. */
void blk_driver_step(struct blk_harness *h, uint8_t op);

#endif
