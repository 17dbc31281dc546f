/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The steps in an input of the queue harness, for the harness and its seeds. A step is a byte. The
 * function of a step reads the step's arguments from the bytes after it. These functions are in
 * driver.c, device.c, requests.c and streams.c.
 */
#ifndef VIRTIO_FUZZ_QUEUE_STEPS_H
#define VIRTIO_FUZZ_QUEUE_STEPS_H

/* A byte below 0x80 selects a step of the driver, modulo the number of steps. */
enum driver_step {
	DRIVER_ADD,          /* the mock driver adds a chain */
	DRIVER_CHAIN,        /* makes a chain available, which may be faulty or too long */
	DRIVER_DESC,         /* writes one descriptor */
	DRIVER_OFFER,        /* makes a head available, and writes no descriptor */
	DRIVER_AVAIL_IDX,    /* moves the available index */
	DRIVER_FIELD,        /* writes the flags of the available ring, or used_event */
	DRIVER_POKE,         /* writes bytes anywhere */
	DRIVER_ADD_INDIRECT, /* the mock driver adds a chain in a table */
	DRIVER_POP_USED,
	DRIVER_INTERRUPTS,
	DRIVER_MAP_PAGE, /* maps a page that was not mapped yet */
	DRIVER_STEPS,
};

/* In a byte from 0x80 on, bits 0 to 6 select a step of the device, modulo the number of steps. */
enum device_step {
	DEVICE_SERVE, /* pops and resolves a chain, reads and writes its bytes, completes it */
	DEVICE_POP,
	DEVICE_NEXT,
	DEVICE_WALK,
	DEVICE_RESOLVE,
	DEVICE_STREAM,
	DEVICE_COMPLETE,
	DEVICE_BATCH,
	DEVICE_UNPOP,
	DEVICE_NEEDS_NOTIFICATION,
	DEVICE_ENABLE,
	DEVICE_DISABLE,
	DEVICE_AVAILABLE,
	DEVICE_READ_IDX,
	DEVICE_SET_INDEX,
	DEVICE_SET_MEMORY,
	DEVICE_RESET, /* resets the queue, or calls virtio_queue_init() again */
	DEVICE_START,
	DEVICE_SAVE,
	DEVICE_SAVE_IN_FLIGHT,
	DEVICE_RESTORE,
	DEVICE_REPLAY,
	DEVICE_MIGRATE,       /* saves, resets and restores the queue, and replays its requests */
	DEVICE_RESOLVE_TWICE, /* if the array is too small, resolves again into a larger array */
	DEVICE_IS_IN_FLIGHT,
	DEVICE_POP_REQUEST, /* pops a request with a header, data and a status */
	DEVICE_PARSE_REQUEST,
	DEVICE_COMPLETE_REQUEST,
	DEVICE_STEPS,
};

#endif
