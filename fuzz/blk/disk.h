/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Steps that concern only the disk, not a request. */
#ifndef VIRTIO_FUZZ_BLK_DISK_H
#define VIRTIO_FUZZ_BLK_DISK_H

#include "harness.h"

/* Each function carries out one step. */
void blk_config_read(struct blk_harness *h);
void blk_resize(struct blk_harness *h);
void blk_negotiate_any(struct blk_harness *h);
void blk_migrate(struct blk_harness *h);

/* Negotiates these features, as if the driver had accepted them. */
void blk_negotiate(struct blk_harness *h, uint64_t features);

/* Traps unless the results of all queries of the disk agree with the model. */
void blk_compare(struct blk_harness *h);

#endif
