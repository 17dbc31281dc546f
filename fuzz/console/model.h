/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The guest of the console harness, and the model of its console.
 *
 * - Guest memory is a few small regions. Each region has a shadow, which changes only as the model
 *   permits.
 * - The model remembers each chain as the driver wrote it, so the model needs no walk. The model
 *   computes the bytes of a chain when the device reaches the chain.
 * - Input is a list of bytes. Bytes leave the list in completed chains, or when the host drops the
 *   port's input. Output is compared when the library offers it to the sink.
 * - For the control queues the model is the driver's view (view.h).
 */
#ifndef VIRTIO_FUZZ_CONSOLE_MODEL_H
#define VIRTIO_FUZZ_CONSOLE_MODEL_H

#include <virtio/console.h>
#include <virtio/queue_mock.h>

#include "../common/fuzz.h"

#define GUEST_RINGS 0x1000u  /* address of the region with the rings and indirect tables */
#define GUEST_TABLES 0x2000u /* address of the tables in this region */
#define GUEST_RINGS_BYTES 0x2000u
#define GUEST_DATA 0x10000u /* address of the regions with buffers */
#define GUEST_DATA_BYTES 0xe00u
#define GUEST_PAGE 0x80u /* bytes in a page of the translation */
#define GUEST_REGIONS 5u
#define LOG_PAGE_SHIFT 4

#define QUEUE_SIZE 8u
#define SLOTS 4u /* a queue's chains at most; a chain of more than 2 descriptors needs a table */
#define MOST_DESCS 6u
#define PORTS 3u
#define DATA_PORTS 2u /* number of ports that have queues in this harness */
#define QUEUES (2 * DATA_PORTS + 2)
#define MOST_INPUT 64u

enum { CONTROL_RX = 2 * DATA_PORTS, CONTROL_TX };

/* A chain as the driver wrote it. */
struct chain_spec {
	struct virtio_mock_buffer descs[MOST_DESCS];
	uint32_t count;
	bool malformed; /* the descriptors do not form a valid chain */
};

/* One queue: the driver's side, the library's queue, and the chains that are not completed. */
struct guest_queue {
	struct virtio_mock mock;
	struct virtio_mock_slot slots[QUEUE_SIZE];
	struct virtio_queue queue;
	struct virtio_inflight inflight[QUEUE_SIZE];
	struct chain_spec specs[SLOTS];
	bool busy[SLOTS];
	uint32_t order[SLOTS]; /* slots that the device has not completed, oldest first */
	uint32_t waiting;
	bool doubt; /* the queue was restored, so the next transmit must set `notify` */
};

/* The bytes that the device would find in a chain now. */
struct chain_worth {
	/* A malformed chain, a buffer outside memory, or a writable buffer in read-only memory. */
	bool bad;
	bool not_mapped; /* a page is not mapped yet */
	bool wrong_way;  /* a buffer that is not empty has the wrong direction */
	uint32_t bytes;  /* bytes of the right direction that fit in the device's segments */
	uint32_t all;    /* all bytes of the right direction */
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
 * guest_before() copies the region with the rings to its shadow. Call guest_before() after the
 * driver has written to the rings, and before the device serves a queue.
 *
 * guest_compare() traps unless memory and shadow are the same. Call guest_compare() after each
 * step.
 */
void guest_before(struct guest *g);
void guest_compare(struct guest *g);

/* Adds a chain as the driver, if a slot is unused. */
void guest_add(struct guest *g, uint32_t queue, const struct chain_spec *spec, bool in_table, uint8_t damage);

/* Restarts a queue on the side of the driver and of the device. */
void guest_restart(struct guest *g, uint32_t queue);

/*
 * Computes the bytes of a chain, for a device with room for @capacity segments. @to_driver is true
 * if the device writes. If @both is true, buffers of the opposite direction are checked, too.
 */
void guest_weigh(const struct guest *g, const struct chain_spec *spec, bool to_driver, bool both, uint32_t capacity,
		 struct chain_worth *out);

/* Returns the guest address of byte number @at. Only the bytes of one direction are counted. */
uint64_t guest_byte_addr(const struct chain_spec *spec, bool to_driver, uint32_t at);
uint8_t guest_get(const struct guest *g, uint64_t addr);

/*
 * guest_device_put() writes a byte to the shadow. guest_driver_put() writes to shadow and memory.
 */
void guest_device_put(struct guest *g, uint64_t addr, uint8_t byte);
void guest_driver_put(struct guest *g, uint64_t addr, uint8_t byte);

/* Traps unless the device has used the oldest chain of a queue, with this length. */
void guest_expect_used(struct guest *g, uint32_t queue, uint32_t len);
void guest_expect_no_more(struct guest *g, uint32_t queue);

#endif
