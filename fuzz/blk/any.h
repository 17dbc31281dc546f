/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Steps that need no guest. Their sizes may exceed the guest and the disk of this harness. */
#ifndef VIRTIO_FUZZ_BLK_ANY_H
#define VIRTIO_FUZZ_BLK_ANY_H

#include "harness.h"

/* Each function carries out one step that needs no guest. */
void blk_any_check(struct blk_harness *h);
void blk_any_transfer(struct blk_harness *h);
void blk_any_memory(struct blk_harness *h);

#endif
