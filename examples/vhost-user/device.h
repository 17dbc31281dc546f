/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What the vhost-user side needs to know of a device: all that a new kind of device has to provide.
 *
 * A device lives as long as the daemon and serves one front end after the other. Calls come from the control thread,
 * but those that serve a queue: while it runs they come from a thread of its own, one for each queue.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <virtio/queue.h>

struct device;

/* What a turn of a queue has left. */
enum device_turn {
	DEVICE_TURN_DONE, /* nothing that the device has taken waits for another turn */
	DEVICE_TURN_FULL, /* as many requests as the device can have are in flight: call when one of them is finished */
	DEVICE_TURN_AGAIN, /* the device has taken more requests than the turn's time was enough for: call again */
};

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
	 * Looks whether the configuration space should be another, for example because an image has grown, and returns
	 * whether it is another now. Queues' threads go on meanwhile.
	 */
	bool (*refresh)(struct device *device);

	/*
	 * Serves requests from a queue: completes those that are finished, and takes up to `budget` new ones. Other
	 * orders for the thread wait meanwhile, and how long requests take is the guest's choice: after a few
	 * milliseconds it returns, to be called again. What it has begun may be in flight when it returns; then it is
	 * called when completion_fd() is readable. Notifications are the caller's.
	 * Returns an enum device_turn, or the error by which the queue broke.
	 */
	int (*process)(struct device *device, uint16_t index, struct virtio_queue *queue, unsigned int budget);

	/*
	 * Ends what is in flight: completes it, or puts it back into the ring. Guest memory, the ring included, can be
	 * gone afterwards, until process() is called again.
	 */
	void (*drain)(struct device *device, uint16_t index, struct virtio_queue *queue);

	/*
	 * A descriptor that is readable while there is something finished, or -1 if process() leaves nothing in
	 * flight.
	 */
	int (*completion_fd)(const struct device *device, uint16_t index);

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
