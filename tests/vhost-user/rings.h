/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Several rings of one front end, each with a driver of its own: up to 128 requests of a sector at
 * once, which is more than the daemon pops at once. Each has its own header, status and data. A
 * driver uses its ring's part of guest memory alone, so that each may be on a thread of its own.
 * Ring N uses part N of the disk, of RING_SECTORS sectors.
 */
#ifndef RINGS_H
#define RINGS_H

#include "front_end.h"

#define RINGS 4
#define RING_ENTRIES 128
#define RING_REQUESTS RING_ENTRIES
#define RING_FLUSHES 3
#define RING_FLUSH_ROUNDS 10
#define REQUEST_SECTORS 1u
#define REQUEST_BYTES (512u * REQUEST_SECTORS)
#define RING_SECTORS 512u

struct ring {
	struct front_end *fe;
	uint16_t index;
	int kick; /* eventfds */
	int call;
	uint64_t part; /* of guest memory: offset */
	struct virtio_mock mock;
	struct virtio_mock_slot slots[RING_ENTRIES];
};

/*
 * Sets up and starts ring `index` of a front end that has negotiated features and shared its
 * memory.
 */
void ring_open(struct ring *ring, struct front_end *fe, uint16_t index);
void ring_close(struct ring *ring);

/* Starts it, at available index `base`. */
void ring_start(struct ring *ring, uint16_t base);

/*
 * Starts it where the device's side was, after front_end_move(). Nothing was in flight then, so the
 * used ring tells.
 */
void ring_move(struct ring *ring);

/* GET_VRING_BASE: stops it. */
uint16_t ring_stop(struct ring *ring);

/*
 * Open all rings on a new front end with these ring features; close all rings and the front end.
 */
void rings_open(struct ring *rings, struct front_end *fe, const char *socket, uint64_t features);
void rings_close(struct ring *rings);

/* The bytes of request n, and its status. */
uint8_t *ring_data(const struct ring *ring, unsigned int n);
uint8_t ring_status(const struct ring *ring, unsigned int n);

/*
 * The driver. Sector 0 is the first of the ring's part of the disk. These may be called on any
 * thread, and return 0, or -1 if the device or its notifications are not as they should be.
 */
int ring_submit(struct ring *ring, unsigned int n, uint32_t type, uint64_t sector, uint32_t len);
int ring_kick(struct ring *ring);
int ring_wait(struct ring *ring, unsigned int count);

/*
 * Writes and reads back sectors that nobody else writes, `rounds` times, RING_REQUESTS requests at
 * once. In the first RING_FLUSH_ROUNDS rounds RING_FLUSHES of them are flushes, during writes and
 * during reads: one alone, and one that comes twice. Returns NULL, or what was wrong.
 */
const char *ring_traffic(struct ring *ring, unsigned int rounds);

#endif
