/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The device's half of the block harness. */
#ifndef VIRTIO_FUZZ_BLK_DEVICE_H
#define VIRTIO_FUZZ_BLK_DEVICE_H

#include "harness.h"

/* Carries out one step of the device. */
void blk_device_step(struct blk_harness *h, uint8_t op);

/* Forgets all requests. */
void blk_drop_requests(struct blk_harness *h);

#endif
