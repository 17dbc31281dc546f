/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Steps about the disk, and not about a request. */
#ifndef VIRTIO_FUZZ_BLK_DISK_H
#define VIRTIO_FUZZ_BLK_DISK_H

#include "harness.h"

/* Steps that are about the disk alone. */
void blk_config_read(struct blk_harness *h);
void blk_resize(struct blk_harness *h);
void blk_negotiate_any(struct blk_harness *h);
void blk_migrate(struct blk_harness *h);

/* The driver accepts these features. */
void blk_negotiate(struct blk_harness *h, uint64_t features);

/* Traps unless all that can be asked of the disk agrees. */
void blk_compare(struct blk_harness *h);

#endif
