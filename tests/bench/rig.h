/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The guest that the benchmarks measure against: memory in one region or eight, and a queue of 256
 * whose driver has set everything up beforehand, so that one store of the available index offers
 * the next batch.
 */
#ifndef TESTS_BENCH_RIG_H
#define TESTS_BENCH_RIG_H

#include <virtio/blk.h>
#include <virtio/console.h>
#include <virtio/reader.h>
#include <virtio/request.h>
#include <virtio/vsock.h>

#define QUEUE_SIZE 256
#define MAX_REGIONS 8
#define SEGMENTS 8

/* The shape of one request. */
struct workload {
	const char *name;
	const char *what;
	uint32_t batch;       /* chains offered at a time */
	uint32_t descriptors; /* in each chain */
	bool indirect;
	bool event_idx;
	bool writable;  /* the buffers of a bulk workload are writable */
	bool spread;    /* buffers of different chains are in different regions */
	bool packets;   /* socket packets, out of the guest and into it in turn: a header of 44 bytes, and 4 KiB */
	bool bulk;      /* all data is moved; otherwise a header is read and a status written */
	uint32_t bytes; /* length of each buffer of a bulk workload, or of the only buffer */
};

struct rig {
	const struct workload *load;
	uint8_t *ram;
	struct virtio_region regions[MAX_REGIONS];
	struct virtio_memory_map map;
	struct virtio_queue_config config;
	struct virtio_queue queue;
	struct virtio_inflight inflight[QUEUE_SIZE];
	/* What the called version pops into. */
	struct virtio_request request;
	struct virtio_blk_request blk;
	struct virtio_vsock_packet packet;
	uint64_t header[2];
	struct virtio_segment segments[SEGMENTS];
	/* The console's port: its input, and where its output goes. The floor uses both, too. */
	struct virtio_console console;
	struct virtio_console_port port;
	struct virtio_console_input input;
	uint8_t input_bytes[VIRTIO_CONSOLE_INPUT_MAX];
	uint8_t output[VIRTIO_CONSOLE_INPUT_MAX];
	uint32_t output_bytes;
	/* The floor's view: the same rings by raw pointers. */
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t next_avail;
	uint16_t next_used;
	uint16_t offered;
};

/* Sets up memory in so many regions, the rings, and the chains. Exits when memory cannot be had. */
void rig_open(struct rig *rig, const struct workload *load, uint32_t regions);
void rig_close(struct rig *rig);

/* The driver: makes the next batch available, and asks to be notified at its end. */
void rig_offer(struct rig *rig);

#endif
