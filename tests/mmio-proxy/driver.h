/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The guest's driver of one of the two devices: registers, one queue, interrupts; and requests of
 * both types.
 */
#ifndef DRIVER_H
#define DRIVER_H

#include "vm.h"

#include <virtio/queue_mock.h>

#define BLOCK 0 /* windows */
#define ENTROPY 1

#define RING_SIZE 64
#define FEATURE(n) (UINT64_C(1) << (n))

/*
 * Where the driver of the device in window w has its ring, headers and so on, as offsets into guest
 * memory.
 */
#define RING(w) (0x4000u * (w))
#define HEADERS 0x8000u
#define STATUSES 0x9000u
#define DATA 0x10000u

struct driver {
	struct vm *vm;
	unsigned int window;
	uint64_t features;       /* negotiated */
	uint32_t config_changes; /* interrupts of that cause */
	struct virtio_mock mock;
	struct virtio_mock_slot slots[RING_SIZE];
};

uint32_t reg_read(const struct driver *driver, uint32_t offset);
void reg_write(const struct driver *driver, uint32_t offset, uint32_t value);

/* Makes a driver, without touching the device. */
void driver_init(struct driver *driver, struct vm *vm, unsigned int window);

/*
 * Resets the device and brings it up to FEATURES_OK, or to DRIVER_OK with a queue of `size`.
 * VERSION_1 is added.
 */
void driver_negotiate(struct driver *driver, uint64_t features);
void driver_set_queue(struct driver *driver, uint32_t size);
void driver_set_up(struct driver *driver, uint64_t features);

/* Kicks the device for what was added, if it wants that. */
void driver_notify(struct driver *driver);

/*
 * Waits for one used element, and sleeps until an interrupt if there is none. If an interrupt is
 * lost, the watchdog ends the test.
 */
struct vring_used_elem driver_wait(struct driver *driver);

/* Waits for an interrupt and acknowledges its causes. Returns them. */
uint32_t driver_wait_interrupt(struct driver *driver);

/* Sends a block request with `len` bytes at DATA, waits for its end, and returns its status. */
uint8_t block_io(struct driver *driver, uint32_t type, uint64_t sector, uint32_t len);

/* Writes a sector of these bytes, flushes, and reads it back. */
void block_write_and_read(struct driver *driver, uint64_t sector, uint8_t byte);

/* Asks for random bytes at DATA, and returns how many came. */
uint32_t entropy_get(struct driver *driver, uint32_t len);

#endif
