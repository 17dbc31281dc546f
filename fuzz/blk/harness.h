/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The state of one run of the block harness. */
#ifndef VIRTIO_FUZZ_BLK_HARNESS_H
#define VIRTIO_FUZZ_BLK_HARNESS_H

#include <virtio/blk_memory.h>
#include <virtio/blk_transfer.h>
#include <virtio/queue_mock.h>

#include "model.h"

#define BLK_BYTES 0x2000u /* bytes of guest memory */
#define BLK_DATA 0x400u   /* offset of the data area, after the rings of the largest queue */

/* The request that the device holds under one head, or the last request that it held there. */
struct blk_slot {
	bool held; /* the slot is in use */
	struct virtio_chain chain;
	struct model_walk walk;
	struct blk_ask *ask; /* NULL until the request is parsed */
	struct virtio_blk_storage storage;
	struct virtio_blk_request *request; /* allocated separately; must not move */
	struct blk_progress progress;
	struct virtio_blk_transfer transfer;
	struct virtio_blk_result result;
	bool moving;    /* a transfer has begun */
	bool done;      /* the request has a result */
	bool completed; /* the token is stale; the slot is kept for a second completion */
};

struct blk_harness {
	struct fuzz_input in;
	struct shadow_memory *shadow;
	struct shadow_map *map;    /* the device's map */
	struct shadow_map *driver; /* the map of the mock driver */
	uint64_t base;             /* first address that the driver uses */

	struct virtio_queue_config config;
	struct virtio_queue queue;
	struct virtio_inflight inflight[MODEL_MAX_SIZE];
	struct model model;
	struct virtio_mock mock;
	struct virtio_mock_slot slots[MODEL_MAX_SIZE];
	bool mock_works;
	struct blk_slot requests[MODEL_MAX_SIZE];

	struct virtio_blk blk;
	struct virtio_blk_stats stats;
	struct blk_model disk;
	struct virtio_blk_backend_ops ops;
	uint32_t segment_capacity;
	uint32_t range_capacity;

	/* The back end. */
	uint8_t bytes[BLK_DISK_BYTES];
	struct virtio_blk_memory memory;
	struct virtio_blk_backend memory_backend;
	bool by_memory;
	struct blk_progress *now; /* the request of the back end's present call, or NULL */
	bool faults;
};

#endif
