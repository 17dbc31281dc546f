/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The guest of the benchmarks: memory in one region or more, and a queue whose driver has set up
 * all chains beforehand. One store of the available index offers the next burst.
 */
#ifndef TESTS_BENCH_RIG_H
#define TESTS_BENCH_RIG_H

#include <virtio/blk_memory.h>
#include <virtio/console.h>
#include <virtio/reader.h>
#include <virtio/request.h>
#include <virtio/vsock.h>

#define QUEUE_SIZE 256 /* the queue size of every workload that has a baseline */

/* The kinds of descriptors in a chain. */
enum shape {
	SHAPE_BUFFERS, /* data alone */
	SHAPE_REQUEST, /* a header of 16 bytes, data, and a status byte */
	SHAPE_PACKET,  /* a header of 44 bytes, and data */
};

/* How the driver's memory is spread over the regions. */
enum layout {
	LAYOUT_BUFFERS,   /* buffers use regions in turn; rings and tables are in region 0 */
	LAYOUT_TURNS,     /* buffers, tables and rings use regions in turn */
	LAYOUT_SCATTERED, /* each table, header, data buffer and status is in a random region */
};

/* Whether the regions have a dirty log, and which pages the device writes. */
enum dirty {
	DIRTY_OFF,
	DIRTY_HOT,    /* header and status in 32 bytes, and the used ring in one page */
	DIRTY_SPREAD, /* each status byte in a page of its own, and the used ring in two pages */
};

/* The set-up of a queue and of its requests. */
struct workload {
	char name[24];
	uint32_t queue_size;
	uint32_t burst;       /* chains offered at a time */
	uint32_t descriptors; /* descriptors in each chain */
	uint32_t bytes;       /* length of each data buffer */
	uint32_t regions;
	enum layout layout;
	enum shape shape;
	enum dirty dirty;
	bool table; /* each chain is in an indirect table */
	bool event_idx;
	bool writable;       /* whether the device writes the data, and the header of a packet */
	bool idle;           /* no chain is offered */
	uint32_t block_type; /* type of block requests */
};

struct rig {
	const struct workload *load;
	bool shares_memory; /* the memory belongs to another rig, which frees the memory */
	uint8_t *ram;
	uint64_t region_bytes;
	uint32_t chains;   /* number of different chains, which a larger burst repeats */
	uint64_t *used_up; /* bytes of each region that are allocated */
	struct virtio_region *regions;
	struct virtio_memory_map map;
	struct virtio_dirty_log *log;
	struct virtio_queue_config config;
	struct virtio_queue queue;
	struct virtio_inflight *inflight;
	/* The benchmark's loops that call the library pop into these structures. */
	struct virtio_request request;
	struct virtio_blk_request block;
	struct virtio_vsock_packet packet;
	uint64_t header[2];
	struct virtio_segment *segments;
	uint32_t capacity;
	/* The disk. */
	struct virtio_blk disk;
	struct virtio_blk_memory disk_memory;
	uint8_t disk_bytes[VIRTIO_BLK_SECTOR_BYTES];
	/*
	 * The console's port, its input, and a buffer for its output. The baseline uses both
	 * buffers.
	 */
	struct virtio_console console;
	struct virtio_console_port port;
	struct virtio_console_input input;
	uint8_t input_bytes[VIRTIO_CONSOLE_INPUT_MAX];
	uint8_t output[VIRTIO_CONSOLE_INPUT_MAX];
	uint32_t output_bytes;
	/* The baseline has raw pointers to the same rings. */
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t next_avail;
	uint16_t next_used;
	uint16_t signalled; /* next_used at the device's last check whether to interrupt */
	uint16_t offered;
};

/*
 * Sets up memory, the rings and the chains. Exits with a message if that fails.
 *
 * @beside is NULL or an open rig. If not NULL, the new rig shares the memory of @beside, as the
 * queue of another thread does. The memory must have room for both rigs. @beside must be closed
 * last.
 */
void rig_open(struct rig *rig, const struct workload *load, const struct rig *beside);

/* Frees the rig. Exits with a message unless all offered chains were completed, without a fault. */
void rig_close(struct rig *rig);

/* The driver: makes the next burst available, and asks for an interrupt at its end. */
void rig_offer(struct rig *rig);

#endif
