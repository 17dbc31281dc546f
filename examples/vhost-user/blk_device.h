/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A block device on an image file, served by the library virtio-blk, each queue on a thread of its own.
 *
 * The image is locked against other processes that lock (QEMU and this one do): whoever writes it is alone with it.
 */
#ifndef BLK_DEVICE_H
#define BLK_DEVICE_H

#include "device.h"

#include <stdbool.h>

#define BLK_DEVICE_MAX_QUEUES 16

struct blk_device_options {
	const char *path;   /* of the image; must live as long as the device */
	const char *serial; /* what the guest shows as the serial number; of this the first 20 bytes */
	bool read_only;
	bool io_uring;        /* where the system permits it */
	uint16_t queue_count; /* 1 to BLK_DEVICE_MAX_QUEUES */
};

/* Returns a device, or NULL after printing why there is none. device->ops->destroy() frees it. */
struct device *blk_device_create(const struct blk_device_options *options);

#endif
