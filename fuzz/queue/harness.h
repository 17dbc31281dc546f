/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The state of one run of the queue harness. */
#ifndef VIRTIO_FUZZ_QUEUE_HARNESS_H
#define VIRTIO_FUZZ_QUEUE_HARNESS_H

#include <virtio/queue_mock.h>
#include <virtio/queue_state.h>
#include <virtio/reader.h>
#include <virtio/request.h>

#include "model.h"

#define HARNESS_BYTES 0x800u /* bytes of guest memory */
#define HARNESS_DATA 0x400u  /* offset of the data area, after the rings of the largest queue */
#define HARNESS_TOKENS 16u
#define MOST_SEGMENTS 64u /* entries in the largest array of segments for a chain */

/* The state of a reader or writer. */
struct harness_stream {
	uint64_t at;   /* position, as an offset in the bytes of the chain */
	uint64_t end;  /* end, as an offset in the bytes of the chain */
	uint64_t done; /* bytes that the reader or writer has passed */
};

/* A request that the device holds. */
struct harness_request {
	struct virtio_chain chain;
	struct model_walk walk;
	bool fresh;    /* the walk is at its start */
	bool walkable; /* the walk may continue */

	/* The two pointers are NULL until the request is resolved. */
	struct virtio_segment *segments;
	struct model_chain *model;
	struct virtio_reader reader;
	struct virtio_writer writer;
	struct harness_stream reading;
	struct harness_stream writing;

	/*
	 * NULL for a plain chain. A request without an error uses `segments` as its array. A
	 * request with an error has no array.
	 */
	struct virtio_request *request;
	uint64_t room;             /* writable bytes of data */
	struct model_piece status; /* length 0 if there is no status byte */
};

struct harness {
	struct fuzz_input in;
	struct shadow_memory *shadow;
	struct shadow_map *maps[2]; /* the device's two maps */
	struct shadow_map *driver;  /* the map of the well-behaved driver */
	uint64_t base;              /* first address that the driver uses */
	struct virtio_queue_config config;
	struct virtio_queue queue;
	struct virtio_inflight *inflight;
	struct model model;
	struct virtio_mock mock;
	struct virtio_mock_slot slots[MODEL_MAX_SIZE];
	bool mock_works;
	struct harness_request requests[MODEL_MAX_SIZE];
	struct virtio_token tokens[HARNESS_TOKENS]; /* tokens of earlier pops */
	uint32_t token_count;
	struct virtio_request past; /* the last dropped request; valid if its header is not NULL */
	struct virtio_queue_state saved;
	struct virtio_queue_flight saved_record[MODEL_MAX_SIZE];
	uint32_t saved_count;
	uint64_t allowed; /* limit of translations in the present step */
};

#endif
