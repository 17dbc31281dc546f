/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The operations that the core calls. */
#ifndef VIRTIO_FUZZ_DEVICE_OPERATIONS_H
#define VIRTIO_FUZZ_DEVICE_OPERATIONS_H

#include "harness.h"

/* All operations. The harness clears optional members in a copy. */
extern const struct virtio_device_ops device_harness_ops;

#endif
