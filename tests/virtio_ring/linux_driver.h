/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Linux's driver side of a virtqueue, as the test sees it. Linux's headers and the suite's headers
 * define struct virtio_device differently, so no file of this test includes both. This header
 * includes neither.
 */
#ifndef VIRTIO_TESTS_LINUX_DRIVER_H
#define VIRTIO_TESTS_LINUX_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct linux_driver;

/* A piece of a request. */
struct linux_piece {
	void *bytes;
	unsigned int len;
};

#define LINUX_MAX_PIECES 8u

/*
 * Bytes of ring memory for a queue of up to `size` descriptors. The memory must begin at a multiple
 * of 4096.
 */
#define LINUX_RING_BYTES(size) (2u * 4096u + 32u * (size))

/*
 * Makes a queue in ring memory. Linux's pointers are guest addresses, so guest_malloc(), which the
 * caller of this interface defines, must return guest memory. `interrupt_seen` is set whenever
 * Linux calls its driver's callback.
 */
struct linux_driver *linux_driver_create(unsigned int size, bool event_idx, bool indirect, void *rings,
					 bool *interrupt_seen);
void linux_driver_destroy(struct linux_driver *driver);

/* Gets the addresses of the descriptor table and of the two rings. */
void linux_driver_areas(struct linux_driver *driver, uint64_t addr[3]);

/*
 * Makes a request available. The first `out` pieces are readable by the device, and the next `in`
 * pieces are writable. Returns false if the ring has too few free descriptors.
 */
bool linux_driver_add(struct linux_driver *driver, const struct linux_piece *pieces, unsigned int out, unsigned int in,
		      void *request);

/* Returns whether to kick the device for the requests that were added since the last call. */
bool linux_driver_kick(struct linux_driver *driver);

/* Returns a request that the device has used, or NULL. */
void *linux_driver_get(struct linux_driver *driver, unsigned int *len);

/*
 * Enables interrupts. Without `delayed`, returns false if a request is used already. With
 * `delayed`, returns false only if most requests are used already. With event_idx, a delayed
 * interrupt arrives when most requests are used.
 */
bool linux_driver_enable_interrupts(struct linux_driver *driver, bool delayed);
void linux_driver_disable_interrupts(struct linux_driver *driver);

/* Delivers the interrupt to Linux. */
void linux_driver_interrupt(struct linux_driver *driver);

void *guest_malloc(size_t bytes);
void guest_free(void *memory);

#endif
