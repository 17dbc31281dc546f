/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The steps in an input of the vhost-user harness. Each step sends one message. In the first byte
 * of a step, bits 0 to 3 select the step, modulo the number of steps. Bits 4 and 5 select the ring.
 * Bit 7 requests a reply. The arguments follow. Each comment lists the arguments in brackets, in
 * their order. Every argument except the data of STEP_SET_CONFIG is one byte.
 */
#ifndef VIRTIO_FUZZ_VHOST_USER_STEPS_H
#define VIRTIO_FUZZ_VHOST_USER_STEPS_H

enum vhost_user_step {
	STEP_GET,      /* [value] gets features (0), protocol features (1) or number of rings (2) */
	STEP_FEATURES, /* [features, as in step_features()] */
	STEP_OWNER,    /* [action] sets (0) or resets (1) the owner */
	STEP_MEMORY,   /* [index of a table in step_memory()] */
	STEP_SIZE,     /* [n] sets the size 2 << n % 9, plus 1 if n has bit 7 */
	STEP_ADDR,     /* [half of memory - 1 | 0x40 for a flag | 0x80 to misalign an area] */
	STEP_BASE,     /* [base] sets 0 (0), 65535 (1) or the wrong base 65536 (2) */
	STEP_GET_BASE, /* no arguments */
	STEP_KICK,     /* [kind of descriptor in tell_fd()] */
	STEP_CALL,     /* [kind of descriptor in tell_fd()] */
	STEP_ENABLE,   /* [0, 1, or the wrong value 2] */
	/* [offset, 1 to add 0x100 to the offset, size, room in the message] */
	STEP_GET_CONFIG,
	STEP_SET_CONFIG, /* [the same four arguments, flags, data of the size of the room] */
	STEP_UNKNOWN,    /* [number] selects an unknown request and its size */
	STEP_HEADER,     /* [index of a bad header in step_header()] */
	STEPS,
};

#define RING(n) ((n) << 4)
#define ASK 0x80

#endif
