/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The state of one run of the queue harness. */
#ifndef VIRTIO_FUZZ_QUEUE_HARNESS_H
#define VIRTIO_FUZZ_QUEUE_HARNESS_H

#include <virtio/queue_mock.h>
#include <virtio/queue_state.h>
#include <virtio/reader.h>
#include <virtio/request.h>

#include "model.h"

#define HARNESS_BYTES 0x800u /* of guest memory */
#define HARNESS_DATA 0x400u  /* behind the rings of the largest queue */
#define HARNESS_TOKENS 16u
#define MOST_SEGMENTS 64u /* of an array for a chain */

/* The position of a reader or writer: bytes from the first one of the chain. */
struct harness_stream {
	uint64_t at;
	uint64_t end;
	uint64_t done;
};

/* A request that the device holds. */
struct harness_request {
	struct virtio_chain chain;
	struct model_walk walk;
	bool fresh;    /* no descriptor has been taken yet */
	bool walkable; /* it may continue */

	/* NULL until the request is resolved. */
	struct virtio_segment *segments;
	struct model_chain *model;
	struct virtio_reader reader;
	struct virtio_writer writer;
	struct harness_stream reading;
	struct harness_stream writing;

	/*
	 * A request of a header, data and a status; NULL for other requests. Its array is
	 * `segments`; after an error there is no array.
	 */
	struct virtio_request *request;
	uint64_t room;             /* bytes of data to be written */
	struct model_piece status; /* length 0 if there is none */
};

struct harness {
	struct fuzz_input in;
	struct shadow_memory *shadow;
	struct shadow_map *maps[2]; /* the device's */
	struct shadow_map *driver;  /* the well-behaved driver's */
	uint64_t base;              /* first address as the driver sees it */
	struct virtio_queue_config config;
	struct virtio_queue queue;
	struct virtio_inflight *inflight;
	struct model model;
	struct virtio_mock mock;
	struct virtio_mock_slot slots[MODEL_MAX_SIZE];
	bool mock_works;
	struct harness_request requests[MODEL_MAX_SIZE];
	struct virtio_token tokens[HARNESS_TOKENS]; /* past ones */
	uint32_t token_count;
	struct virtio_request past; /* an earlier request; valid if it has a header */
	struct virtio_queue_state saved;
	struct virtio_queue_flight saved_record[MODEL_MAX_SIZE];
	uint32_t saved_count;
	uint64_t allowed; /* look-ups of a translation that the step may have made */
};

#endif
