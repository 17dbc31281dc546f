/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The steps of an input of the vhost-user harness: each is a message. Bits 0 to 3 of a byte,
 * modulo their number, say which; bits 4 and 5 name the ring, and bit 7 asks for a reply. Further
 * bytes are the message's own, see main.c.
 */
#ifndef VIRTIO_FUZZ_VHOST_USER_STEPS_H
#define VIRTIO_FUZZ_VHOST_USER_STEPS_H

enum vhost_user_step {
	STEP_GET,      /* of features and the like: which */
	STEP_FEATURES, /* which of the sets of main.c */
	STEP_OWNER,    /* 0 or 1: it is reset */
	STEP_MEMORY,   /* which of the tables of main.c */
	STEP_SIZE,     /* log2, and what is added */
	STEP_ADDR,     /* which place */
	STEP_BASE,     /* 0, or one less, or too large */
	STEP_GET_BASE,
	STEP_KICK,       /* which kind of descriptor */
	STEP_CALL,       /* which kind of descriptor */
	STEP_ENABLE,     /* 0, 1, or 2 */
	STEP_GET_CONFIG, /* offset, from 0x100 on or not, size, room */
	STEP_SET_CONFIG, /* the same, and flags */
	STEP_UNKNOWN,    /* number of the request */
	STEP_HEADER,     /* flags, size */
	STEPS,
};

#define RING(n) ((n) << 4)
#define ASK 0x80

#endif
