/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The steps of an input of the device harness; the seeds use them, too. */
#ifndef VIRTIO_FUZZ_DEVICE_STEPS_H
#define VIRTIO_FUZZ_DEVICE_STEPS_H

/* A byte below 0x80 selects a step of the guest, modulo their number. */
enum guest_step {
	GUEST_BOOT,    /* a driver's first steps, all or a part */
	GUEST_ADVANCE, /* the driver's next step */
	GUEST_QUEUE,   /* sets up one queue, right or with one thing wrong */
	GUEST_STATUS,
	GUEST_REGISTER,   /* writes any value into a register */
	GUEST_ACCESS,     /* any offset and width, either direction */
	GUEST_READ_ALL,   /* every register */
	GUEST_READ,       /* one */
	GUEST_ADD,        /* well behaved: makes a chain available, and kicks */
	GUEST_HANDLE,     /* well behaved: handles an interrupt */
	GUEST_NOTIFY,     /* of any queue */
	GUEST_ACK,        /* any causes */
	GUEST_READY,      /* writes QueueReady of a queue */
	GUEST_RING_RESET, /* writes QueueReset of a queue */
	GUEST_FEATURES,   /* accepts any features */
	/* Reads or writes the configuration space, in any width that any transport has. */
	GUEST_CONFIG,
	GUEST_TAKE, /* reads the interrupt status and clears it */
	GUEST_RING, /* changes a ring's bytes */
	GUEST_STEPS,
};

/* A byte from 0x80 on selects a step of the VMM or the device, modulo their number. */
enum host_step {
	HOST_PLAN,  /* the next answer of an operation, and what happens during it */
	HOST_SERVE, /* pops and completes, and interrupts the driver */
	HOST_POP,   /* pops only */
	HOST_USED,  /* interrupts the driver without a reason */
	HOST_MARK,
	HOST_NEEDS_RESET,
	HOST_CONFIG_CHANGED,
	HOST_RESET_DONE,
	HOST_QUEUE_STOPPED, /* a report, with a number or without */
	HOST_RESET,
	HOST_SET_MEMORY,
	HOST_MIGRATE, /* saves, and continues with another device */
	HOST_FORGE,   /* the same with something changed in between */
	HOST_RESUME,
	HOST_RESTORE_OVER, /* restores into a device in use */
	HOST_INIT_WRONG,
	HOST_FAIL,         /* ends a reset or the stop of a queue with an error */
	HOST_QUEUE_MAPPED, /* says that a translation may be known */
	HOST_STEPS,
};

#endif
