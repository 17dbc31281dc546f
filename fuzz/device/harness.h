/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The state of one run of the device harness. */
#ifndef VIRTIO_FUZZ_DEVICE_HARNESS_H
#define VIRTIO_FUZZ_DEVICE_HARNESS_H

#include <virtio/mmio.h>
#include <virtio/queue_mock.h>

#include "../queue/model.h"
#include "model.h"

#define DEVICE_QUEUE_BYTES 0x400u /* bytes of guest memory for the rings and data of one queue */
#define DEVICE_QUEUE_DATA 0x200u
#define DEVICE_BYTES (DEVICE_QUEUES * DEVICE_QUEUE_BYTES)
#define DEVICE_QUEUE_SIZE 16u   /* largest size of a queue */
#define DEVICE_NO_ARGUMENT 0x5a /* fills memory before a call, to show what the call changes */

/* A queue that the device serves. */
struct device_run {
	struct virtio_queue queue;
	struct virtio_inflight *inflight;
	struct model model;
	bool running;
	bool gone; /* enabled, but its areas are not in memory, so the queue cannot run */
	struct virtio_token flight[DEVICE_QUEUE_SIZE]; /* requests in flight, oldest first */
	uint32_t flight_count;

	/* The driver's side. */
	struct virtio_mock mock;
	struct virtio_mock_slot slots[DEVICE_QUEUE_SIZE];
	bool mock_works;
};

struct device_harness {
	struct fuzz_input in;
	struct shadow_memory *shadow;
	struct shadow_map *maps[2];
	struct shadow_map *driver;
	uint64_t base; /* first address that the driver uses */
	struct virtio_device_ops ops;
	struct virtio_device *device;
	struct virtio_queue_registers *slots;
	struct virtio_shm_region *shm;
	struct device_model model;
	uint8_t config[DEVICE_CONFIG];
	struct device_run runs[DEVICE_QUEUES];
	bool line;
};

/* Makes a new device with the options of the model. */
void device_harness_make(struct device_harness *h);

/* Compares the device with the model. Called after each step and each register access. */
void device_harness_agree(struct device_harness *h);

#endif
