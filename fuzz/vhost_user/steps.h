/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The steps in an input of the vhost-user harness. Each step is a message. In its first byte, bits
 * 0 to 3 select the step, modulo the number of steps. Bits 4 and 5 select the ring. Bit 7 requests
 * a reply. The arguments of the step follow.
 */
#ifndef VIRTIO_FUZZ_VHOST_USER_STEPS_H
#define VIRTIO_FUZZ_VHOST_USER_STEPS_H

enum vhost_user_step {
	STEP_GET,      /* 0 features, 1 protocol features, 2 number of rings */
	STEP_FEATURES, /* set of features in step_features() */
	STEP_OWNER,    /* 0 to set the owner, 1 to reset it */
	STEP_MEMORY,   /* index of a table in step_memory() */
	STEP_SIZE,     /* log2 of the size, minus 1; 0x80 makes the size odd */
	STEP_ADDR,     /* half of memory - 1; 0x40 sets a flag, 0x80 misaligns an area */
	STEP_BASE,     /* 0 for index 0, 1 for 65535, 2 for 65536, which is too large */
	STEP_GET_BASE,
	STEP_KICK,       /* kind of descriptor in tell_fd() */
	STEP_CALL,       /* kind of descriptor in tell_fd() */
	STEP_ENABLE,     /* 0, 1, or 2, which is wrong */
	STEP_GET_CONFIG, /* offset; 1 if 0x100 is added; size; room in the message */
	STEP_SET_CONFIG, /* the same, then flags and bytes */
	STEP_UNKNOWN,    /* selects an unknown request and its size */
	STEP_HEADER,     /* index of a bad header in step_header() */
	STEPS,
};

#define RING(n) ((n) << 4)
#define ASK 0x80

#endif
