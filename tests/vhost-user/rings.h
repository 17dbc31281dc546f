/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Several rings of one front end, each with its own driver. A driver makes up to 128 requests
 * available at once, each of at most one sector. A queue with io_uring carries out at most 64 of
 * these requests at once, so the others must wait. Each request has its own header, status and
 * data. Each driver uses only its ring's part of guest memory, so each driver may have its own
 * thread. Ring N uses part N of the disk, of RING_SECTORS sectors.
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
	int kick; /* eventfd, like `call` */
	int call;
	uint64_t part; /* offset of the ring's part of guest memory */
	struct virtio_mock mock;
	struct virtio_mock_slot slots[RING_ENTRIES];
};

/*
 * Sets up and starts ring `index` of a front end that has negotiated features and shared its
 * memory.
 */
void ring_open(struct ring *ring, struct front_end *fe, uint16_t index);
void ring_close(struct ring *ring);

/* Starts the ring at available index `base`. */
void ring_start(struct ring *ring, uint16_t base);

/*
 * Starts the ring after front_end_move(), at the used index. The used index is the device's
 * position, because no request is in flight.
 */
void ring_move(struct ring *ring);

/* Stops the ring by GET_VRING_BASE, and returns the base. */
uint16_t ring_stop(struct ring *ring);

/*
 * rings_open() opens a front end with these features and all its rings. rings_close() closes the
 * front end and its rings.
 */
void rings_open(struct ring *rings, struct front_end *fe, const char *socket, uint64_t features);
void rings_close(struct ring *rings);

/* ring_data() returns the data of request n, and ring_status() its status. */
uint8_t *ring_data(const struct ring *ring, unsigned int n);
uint8_t ring_status(const struct ring *ring, unsigned int n);

/*
 * The driver. Sector 0 is the first sector of the ring's part of the disk. The functions return 0,
 * or a negative value on failure, for example if the device misbehaves.
 */
int ring_submit(struct ring *ring, unsigned int n, uint32_t type, uint64_t sector, uint32_t len);
int ring_kick(struct ring *ring);
int ring_wait(struct ring *ring, unsigned int count);

/*
 * Writes and reads back the ring's first sectors `rounds` times, with RING_REQUESTS requests at
 * once. In one of RING_FLUSH_ROUNDS rounds, flushes replace RING_FLUSHES writes and RING_FLUSHES
 * reads: one flush alone, and two in a row. Returns NULL, or what was wrong.
 */
const char *ring_traffic(struct ring *ring, unsigned int rounds);

#endif
