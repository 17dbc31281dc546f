/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The VMM's steps: restored devices, and devices with wrong options. */
#ifndef VIRTIO_FUZZ_DEVICE_MIGRATION_H
#define VIRTIO_FUZZ_DEVICE_MIGRATION_H

#include "harness.h"

/* Each function carries out one step. */
void device_migrate(struct device_harness *h, bool forge);
void device_restore_over(struct device_harness *h);
void device_init_wrong(struct device_harness *h);

#endif
