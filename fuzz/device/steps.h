/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The steps in an input of the device harness, for the harness and its seeds. A step is a byte. The
 * step's function in driver.c, device.c or migration.c reads the step's arguments from the bytes
 * after the step.
 */
#ifndef VIRTIO_FUZZ_DEVICE_STEPS_H
#define VIRTIO_FUZZ_DEVICE_STEPS_H

/* A byte below 0x80 selects a step of the guest, modulo the number of steps. */
enum guest_step {
	GUEST_BOOT,    /* takes some or all steps of a driver's initialization */
	GUEST_ADVANCE, /* takes the next step of a driver's initialization */
	GUEST_QUEUE,   /* sets up one queue, rightly or wrongly */
	GUEST_STATUS,
	GUEST_REGISTER,   /* writes any value to a register */
	GUEST_ACCESS,     /* reads or writes at any offset, with a valid or invalid width */
	GUEST_READ_ALL,   /* reads all registers */
	GUEST_READ,       /* reads one register */
	GUEST_ADD,        /* a correct driver makes a chain available, and kicks if needed */
	GUEST_HANDLE,     /* a correct driver handles an interrupt */
	GUEST_NOTIFY,     /* kicks any queue */
	GUEST_ACK,        /* acknowledges any causes */
	GUEST_READY,      /* writes QueueReady of a queue */
	GUEST_RING_RESET, /* writes QueueReset of a queue */
	GUEST_FEATURES,   /* accepts any features */
	/* Reads or writes the configuration space, with widths that other transports may use. */
	GUEST_CONFIG,
	GUEST_TAKE, /* reads the interrupt status and clears it */
	GUEST_RING, /* changes a ring's bytes */
	GUEST_STEPS,
};

/* A byte from 0x80 on selects a step of the VMM or the device, modulo the number of steps. */
enum host_step {
	/* Plans the next call of an operation: its result, and an event while it runs (model.h). */
	HOST_PLAN,
	HOST_SERVE, /* pops and completes requests, and interrupts the driver if needed */
	HOST_POP,   /* pops a request */
	HOST_USED,  /* interrupts the driver without a reason */
	HOST_MARK,
	HOST_NEEDS_RESET,
	HOST_CONFIG_CHANGED,
	HOST_RESET_DONE,
	HOST_QUEUE_STOPPED, /* reports that a queue has stopped, or has no requests in flight */
	HOST_RESET,
	HOST_SET_MEMORY,
	HOST_MIGRATE, /* saves the device, and restores the state into a new device */
	HOST_FORGE,   /* as HOST_MIGRATE, but changes the state before the restore */
	HOST_RESUME,
	HOST_RESTORE_OVER, /* restores into a device in use, or restores a bad state */
	HOST_INIT_WRONG,
	HOST_FAIL,         /* reports that a reset or the stop of a queue has failed */
	HOST_QUEUE_MAPPED, /* reports that a queue's areas may be mapped now */
	HOST_STEPS,
};

#endif
