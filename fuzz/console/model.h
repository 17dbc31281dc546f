/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The guest of the console harness, and what its console must do.
 *
 * - Guest memory is a few small regions, each twice: the real one, and a shadow that changes only
 *   as the model permits.
 * - A chain is remembered as the driver wrote it, so the model needs no walk. What the chain yields
 *   is computed when its turn comes.
 * - Input is a list of bytes that leaves it only by completed chains. Output is compared when it is
 *   offered.
 * - For the control queues the model is the driver's view: the known ports, the messages about each
 *   port in order, and what the driver must know when nothing is pending.
 */
#ifndef VIRTIO_FUZZ_CONSOLE_MODEL_H
#define VIRTIO_FUZZ_CONSOLE_MODEL_H

#include <virtio/console.h>
#include <virtio/queue_mock.h>

#include "../common/fuzz.h"

#define GUEST_RINGS 0x1000u  /* a region with the rings and the indirect tables of all queues */
#define GUEST_TABLES 0x2000u /* in there: the tables */
#define GUEST_RINGS_BYTES 0x2000u
#define GUEST_DATA 0x10000u /* regions with buffers */
#define GUEST_DATA_BYTES 0xe00u
#define GUEST_PAGE 0x80u /* of a translation */
#define GUEST_REGIONS 5u
#define LOG_PAGE_SHIFT 4

#define QUEUE_SIZE 8u
#define SLOTS 4u /* chains of a queue at a time: two descriptors each, or a table */
#define MOST_DESCS 6u
#define PORTS 3u
#define DATA_PORTS 2u /* those with queues here */
#define QUEUES (2 * DATA_PORTS + 2)
#define MOST_INPUT 64u

enum { CONTROL_RX = 2 * DATA_PORTS, CONTROL_TX };

/* A chain as the driver wrote it. */
struct chain_spec {
	struct virtio_mock_buffer descs[MOST_DESCS];
	uint32_t count;
	bool malformed; /* its shape is wrong */
};

/* Ring and counters of one queue. */
struct guest_queue {
	struct virtio_mock mock;
	struct virtio_mock_slot slots[QUEUE_SIZE];
	struct virtio_queue queue;
	struct virtio_inflight inflight[QUEUE_SIZE];
	struct chain_spec specs[SLOTS];
	bool busy[SLOTS];
	uint32_t order[SLOTS]; /* slots that the device has not completed, oldest first */
	uint32_t waiting;
	bool doubt; /* after a restore: the next check of notifications says yes */
};

/* What a chain would yield now. */
struct chain_worth {
	bool bad;        /* its shape, or a buffer, is wrong */
	bool not_mapped; /* a page is not mapped yet */
	bool wrong_way;  /* a buffer of some bytes has the other direction */
	uint32_t bytes;  /* of the right direction, in the device's segments */
	uint32_t all;    /* of the right direction */
};

struct guest {
	uint8_t *real[GUEST_REGIONS], *shadow[GUEST_REGIONS];
	uint8_t *log, *log_shadow;
	struct virtio_dirty_log dirty;
	struct virtio_region regions[GUEST_REGIONS];
	struct virtio_region driver_regions[GUEST_REGIONS];
	struct virtio_memory_map map, driver_map;
	bool translated;
	bool mapped[GUEST_DATA_BYTES / GUEST_PAGE];
	struct guest_queue queues[QUEUES];
};

void guest_open(struct guest *g, struct fuzz_input *in);
void guest_close(struct guest *g);

/*
 * Called before and after a call of the device. The comparison traps unless memory has changed as
 * the shadow has.
 */
void guest_before(struct guest *g);
void guest_compare(struct guest *g);

/* The driver adds a chain, if a slot is free. */
void guest_add(struct guest *g, uint32_t queue, const struct chain_spec *spec, bool in_table, uint8_t damage);

/* Driver and device start again with a queue. */
void guest_restart(struct guest *g, uint32_t queue);

/*
 * Computes what a chain yields to a device that reads from the driver, or writes, with room for
 * capacity segments. With both, also looks at buffers of the other direction.
 */
void guest_weigh(const struct guest *g, const struct chain_spec *spec, bool to_driver, bool both, uint32_t capacity,
		 struct chain_worth *out);

/* The guest address of byte number at of a chain, counted in one direction. */
uint64_t guest_byte_addr(const struct chain_spec *spec, bool to_driver, uint32_t at);
uint8_t guest_get(const struct guest *g, uint64_t addr);

/* The device writes a byte of the shadow only. The driver also writes the byte of real memory. */
void guest_device_put(struct guest *g, uint64_t addr, uint8_t byte);
void guest_driver_put(struct guest *g, uint64_t addr, uint8_t byte);

/* The device must have used the oldest chain of a queue with this length. */
void guest_expect_used(struct guest *g, uint32_t queue, uint32_t len);
void guest_expect_no_more(struct guest *g, uint32_t queue);

#endif
