/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The steps of an input of the vhost-user harness. Each step is a message. In its first byte, bits
 * 0 to 3 select the step, modulo the number of steps. Bits 4 and 5 select the ring. Bit 7 asks for
 * a reply. Further bytes are the message's own, see main.c.
 */
#ifndef VIRTIO_FUZZ_VHOST_USER_STEPS_H
#define VIRTIO_FUZZ_VHOST_USER_STEPS_H

enum vhost_user_step {
	STEP_GET,      /* which value: features or another one */
	STEP_FEATURES, /* index of a set in main.c */
	STEP_OWNER,    /* 0 to set the owner, 1 to reset it */
	STEP_MEMORY,   /* index of a table in main.c */
	STEP_SIZE,     /* log2 of the size, and a number to add */
	STEP_ADDR,     /* which place */
	STEP_BASE,     /* which index: 0, 65535, or too large */
	STEP_GET_BASE,
	STEP_KICK,       /* which kind of descriptor */
	STEP_CALL,       /* which kind of descriptor */
	STEP_ENABLE,     /* 0, 1, or 2 */
	STEP_GET_CONFIG, /* offset, whether 0x100 is added, size, room in the message */
	STEP_SET_CONFIG, /* the same, and flags */
	STEP_UNKNOWN,    /* number of the request */
	STEP_HEADER,     /* flags, size */
	STEPS,
};

#define RING(n) ((n) << 4)
#define ASK 0x80

#endif
