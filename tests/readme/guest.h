/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A guest that tests a device by its queue alone: memory, a driver, and the rules of notifications.
 *
 * The driver kicks only when the ring asks for a kick. The driver reads the used ring only after an
 * interrupt. The device runs only after a kick, or if its last run has reported more work. If a
 * side fails to request or to send a required kick or interrupt, both sides sleep. Then the test
 * fails at once. If the member `polls` is set, the device also runs without kicks, and the test
 * does not notice a lost kick.
 *
 * One thread runs both sides, so no test waits. The interrupt may arrive while the device runs. On
 * every second interrupt the driver works at once, as a driver on another processor does.
 */
#ifndef VIRTIO_TESTS_README_GUEST_H
#define VIRTIO_TESTS_README_GUEST_H

#include <virtio/queue_mock.h>

#define GUEST_QUEUE_SIZE 8u
#define GUEST_BUFFERS 4u         /* largest number of buffers in one request */
#define GUEST_REQUEST_BYTES 4096 /* bytes of guest memory for one request */
#define GUEST_DATA 0x1000u
#define GUEST_BYTES (GUEST_DATA + GUEST_QUEUE_SIZE * GUEST_REQUEST_BYTES)

struct guest;

/*
 * The device under test and its requests. The device must serve them in the order in which they
 * become available.
 */
struct guest_ops {
	bool polls; /* the device runs all the time, without kicks */
	/*
	 * The device interrupts only at the end of its run, so the driver adds nothing while the
	 * device runs.
	 */
	bool drains;

	/*
	 * Starts the device's queue with a configuration. Called after guest_init(), and again
	 * after each reset.
	 */
	void (*start)(struct guest *guest, const struct virtio_queue_config *config);

	/* Resets the device, as a driver that writes 0 to its status. */
	void (*reset)(struct guest *guest);

	/*
	 * Runs the device once. Returns 1 if the device must be called again, or 0. Fails the test
	 * for an error.
	 */
	int (*run)(struct guest *guest);

	/*
	 * Writes request number @number to memory at @addr, and describes it. Returns the number of
	 * buffers.
	 */
	uint32_t (*fill)(struct guest *guest, uint32_t number, uint64_t addr, struct virtio_mock_buffer *buffers);

	/*
	 * Checks the result of request number @number, which was completed with used length @len.
	 */
	void (*check)(struct guest *guest, uint32_t number, uint64_t addr, uint32_t len);
};

struct guest {
	const struct guest_ops *ops;
	struct virtio_region region;
	struct virtio_memory_map map;
	struct virtio_mock mock;
	struct virtio_mock_slot slots[GUEST_QUEUE_SIZE];
	uint32_t added, returned; /* requests since the last start */
	uint32_t until;           /* number of requests at which the driver stops adding */
	uint32_t depth;           /* requests that the driver keeps in the queue */
	uint64_t kicks, interrupts;
	uint64_t agains;  /* number of runs that reported more work */
	bool kicked;      /* the device must run next */
	bool interrupted; /* the driver must run next */
	_Alignas(4096) uint8_t ram[GUEST_BYTES];
};

/* The guest of the running test, for callbacks that have no context. */
extern struct guest guest;

/* Sets up the memory, and a driver that doesn't run yet. */
void guest_init(const struct guest_ops *ops);

/* The driver sets up its queue again and starts the device. */
void guest_start(bool event_idx);

/* Interrupts the driver. The device under test calls this. */
void guest_interrupt(void);

/* Adds, serves and returns this number of requests, with at most @depth requests in the queue. */
void guest_exchange(uint32_t requests, uint32_t depth);

/* Returns the host's address of guest memory. */
uint8_t *guest_host(uint64_t addr);

/*
 * Runs the whole test of a device, with and without EVENT_IDX. The driver sends one request at a
 * time, then fills the queue. The driver sends more requests than a 16-bit index can count, and
 * resets the device while requests wait.
 */
void guest_test_device(const struct guest_ops *ops);

/* The driver breaks its ring: the available index is ahead by more than the queue size. */
void guest_break_ring(void);

#endif
