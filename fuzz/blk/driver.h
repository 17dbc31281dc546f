/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The driver's half of the block harness. */
#ifndef VIRTIO_FUZZ_BLK_DRIVER_H
#define VIRTIO_FUZZ_BLK_DRIVER_H

#include "harness.h"

/* The driver starts again, with rings of zeroes. */
void blk_reset_driver(struct blk_harness *h);

/* What the driver may also do in the middle of a call of the back end. */
void blk_poke(struct blk_harness *h);
void blk_config_write(struct blk_harness *h);

/* One step of the driver. */
void blk_driver_step(struct blk_harness *h, uint8_t op);

#endif
