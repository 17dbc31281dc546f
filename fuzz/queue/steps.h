/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The steps of an input of the queue harness; the seeds use them, too. */
#ifndef VIRTIO_FUZZ_QUEUE_STEPS_H
#define VIRTIO_FUZZ_QUEUE_STEPS_H

/* A byte below 0x80 selects a step of the driver, modulo their number. */
enum driver_step {
	DRIVER_ADD,          /* well behaved: a chain by the mock driver */
	DRIVER_CHAIN,        /* a chain of any length, right or with one thing wrong, available */
	DRIVER_DESC,         /* one descriptor */
	DRIVER_OFFER,        /* a bare head */
	DRIVER_AVAIL_IDX,    /* moves the available index */
	DRIVER_FIELD,        /* flags or used_event */
	DRIVER_POKE,         /* bytes anywhere */
	DRIVER_ADD_INDIRECT, /* well behaved, with a table */
	DRIVER_POP_USED,
	DRIVER_INTERRUPTS,
	DRIVER_MAP_PAGE, /* a translation becomes known */
	DRIVER_STEPS,
};

/* A byte from 0x80 on selects a step of the device, modulo their number. */
enum device_step {
	DEVICE_SERVE, /* pop, resolve, copy what can be read to what can be written, complete */
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
	DEVICE_RESET, /* or a second virtio_queue_init() */
	DEVICE_START,
	DEVICE_SAVE,
	DEVICE_SAVE_IN_FLIGHT,
	DEVICE_RESTORE,
	DEVICE_REPLAY,
	DEVICE_MIGRATE,       /* save, reset, restore, replay */
	DEVICE_RESOLVE_TWICE, /* into an array that may be too small, and again into a larger one */
	DEVICE_IS_IN_FLIGHT,
	DEVICE_POP_REQUEST, /* of a header, data and a status */
	DEVICE_PARSE_REQUEST,
	DEVICE_COMPLETE_REQUEST,
	DEVICE_STEPS,
};

#endif
