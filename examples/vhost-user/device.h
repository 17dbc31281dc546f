/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What the vhost-user side needs to know of a device: all that a new kind of device has to provide.
 *
 * A device lives as long as the daemon and serves one front end after the other. All calls come from
 * the event loop's thread.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include <stddef.h>
#include <stdint.h>
#include <virtio/queue.h>

struct device;

struct device_ops {
	/*
	 * The features that front end and guest have agreed on, a subset of what the device offers. Called
	 * while no queue runs. A new front end starts with none.
	 */
	void (*set_features)(struct device *device, uint64_t features);

	/* Copies len bytes of the configuration space; what lies behind its end reads as zero. */
	void (*read_config)(struct device *device, uint32_t offset, void *data, uint32_t len);

	/* The driver wrote to the configuration space. Returns 0, or -1 if that is not writable. */
	int (*write_config)(struct device *device, uint32_t offset, const void *data, uint32_t len);

	/*
	 * Serves requests from a queue, at most `budget` of them, and completes each. How long they take is
	 * the guest's choice, and others wait meanwhile: after a few milliseconds, or megabytes, it returns
	 * and is called again. Nothing may be in flight when it returns: guest memory can be gone soon
	 * after. Notifications are the caller's.
	 * Returns 0, or the error by which the queue broke.
	 */
	int (*process)(struct device *device, uint16_t index, struct virtio_queue *queue, unsigned int budget);

	/* Prints one line about all that the device has done, on stdout. */
	void (*print_summary)(const struct device *device);

	void (*destroy)(struct device *device);
};

/* The part of a device that all kinds have in common. */
struct device {
	const struct device_ops *ops;
	const char *name;  /* for messages: "blk disk.img" */
	uint64_t features; /* offered to the driver */
	uint16_t queue_count;
	uint16_t max_queue_size; /* a power of two */
	uint64_t ring_faults;    /* rings broken by guests; counted when a front end leaves */
};

#endif
