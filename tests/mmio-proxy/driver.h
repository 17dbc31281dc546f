/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The guest's driver of the block device or of the entropy device: registers, one queue,
 * interrupts, and requests of both device types.
 */
#ifndef DRIVER_H
#define DRIVER_H

#include "vm.h"

#include <virtio/queue_mock.h>

#define BLOCK 0 /* indices of the devices' register windows */
#define ENTROPY 1

#define RING_SIZE 64
#define FEATURE(n) (UINT64_C(1) << (n))

/* Offsets into guest memory: the ring of the device in window w, and the requests' parts. */
#define RING(w) (0x4000u * (w))
#define HEADERS 0x8000u
#define STATUSES 0x9000u
#define DATA 0x10000u

struct driver {
	struct vm *vm;
	unsigned int window;
	uint64_t features;       /* negotiated features */
	uint32_t config_changes; /* interrupts for configuration changes */
	struct virtio_mock mock;
	struct virtio_mock_slot slots[RING_SIZE];
};

uint32_t reg_read(const struct driver *driver, uint32_t offset);
void reg_write(const struct driver *driver, uint32_t offset, uint32_t value);

/* Makes a driver, without touching the device. */
void driver_init(struct driver *driver, struct vm *vm, unsigned int window);

/*
 * driver_negotiate() resets the device and brings it up to FEATURES_OK. VERSION_1 is added to
 * `features`. driver_set_queue() enables a queue of `size` entries. driver_set_up() does the work
 * of both functions, and sets DRIVER_OK.
 */
void driver_negotiate(struct driver *driver, uint64_t features);
void driver_set_queue(struct driver *driver, uint32_t size);
void driver_set_up(struct driver *driver, uint64_t features);

/* Kicks the device for the requests that were added, if the ring asks for a kick. */
void driver_notify(struct driver *driver);

/*
 * Returns the next used element. While the used ring is empty, sleeps until an interrupt. If an
 * interrupt is lost, the watchdog ends the test.
 */
struct vring_used_elem driver_wait(struct driver *driver);

/* Waits for an interrupt, acknowledges its causes, and returns the causes. */
uint32_t driver_wait_interrupt(struct driver *driver);

/* Sends a block request with `len` bytes at DATA, waits for its end, and returns its status. */
uint8_t block_io(struct driver *driver, uint32_t type, uint64_t sector, uint32_t len);

/*
 * Writes a sector that has this byte everywhere, flushes if FLUSH is negotiated, and reads the
 * sector back.
 */
void block_write_and_read(struct driver *driver, uint64_t sector, uint8_t byte);

/* Requests random bytes at DATA, and returns the number of bytes that the device wrote. */
uint32_t entropy_get(struct driver *driver, uint32_t len);

#endif
