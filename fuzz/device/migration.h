/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The VMM's part: devices that are restored, and devices that can't be made. */
#ifndef VIRTIO_FUZZ_DEVICE_MIGRATION_H
#define VIRTIO_FUZZ_DEVICE_MIGRATION_H

#include "harness.h"

/* Saving and restoring, as steps. */
void device_migrate(struct device_harness *h, bool forge);
void device_restore_over(struct device_harness *h);
void device_init_wrong(struct device_harness *h);

#endif
