/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The meaning of the bytes in an input of the console harness, for main.c and seeds.c. */
#ifndef VIRTIO_FUZZ_CONSOLE_STEPS_H
#define VIRTIO_FUZZ_CONSOLE_STEPS_H

/* The first byte describes guest memory. */
#define CONSOLE_M_TRANSLATED 1 /* a translation with pages */
#define CONSOLE_M_MAPPED 2     /* all pages are mapped */

/*
 * Three bytes follow: the device's options, the capacity of each input buffer - 1, and the number
 * of segments for each direction - 1.
 */
#define CONSOLE_O_MULTIPORT 1
#define CONSOLE_O_SIZE 2
#define CONSOLE_O_EMERGENCY 4
#define CONSOLE_O_UNNEGOTIATED 8 /* MULTIPORT is not negotiated */

/*
 * The first byte of a step is its number. The arguments follow. Each comment lists the arguments in
 * brackets, in their order. An argument is one byte, except "number", which fuzz_number() reads.
 */
enum console_step {
	/*
	 * [queue, (descriptors - 1) | 8 for a table | damage << 4; then address, length and flags
	 * of each descriptor] The driver adds a chain.
	 */
	CONSOLE_ADD,
	CONSOLE_TYPE,     /* [port, length] the host has new input */
	CONSOLE_RECEIVE,  /* [port] the device fills receive chains */
	CONSOLE_TRANSMIT, /* [port, n] the device sends output; the sink has room for 4 * n bytes */
	CONSOLE_SAY,      /* [port, event, value, length] the driver sends a message */
	/*
	 * [length of the buffer] The driver adds a buffer for messages, and the device serves the
	 * buffer. Length 255 means: repeat this with buffers of 64 bytes until no message is
	 * pending, or until harness_hear() returns true.
	 */
	CONSOLE_HEAR,
	CONSOLE_TAKE,   /* [] the device reads the driver's messages */
	CONSOLE_PLUG,   /* [port | 4 for a console | 8 for a name | size << 4] adds a port */
	CONSOLE_UNPLUG, /* [port] removes a port */
	CONSOLE_CLIENT, /* [port] a client connects or disconnects */
	CONSOLE_RESIZE, /* [port | rows << 4, columns] changes the size of a port */
	CONSOLE_POKE,   /* [address, byte] the driver writes a byte */
	CONSOLE_MAP,    /* [page] maps a page */
	CONSOLE_MOVE,   /* [] the device is saved and restored */
	CONSOLE_RESET,  /* [1 to negotiate MULTIPORT, else 0] resets the device */
	/* [offset: number, length | 0x80 to write, byte] Accesses the configuration space. */
	CONSOLE_CONFIG,
	/*
	 * [port, flags, pending, in_flight, head: number, taken: number] Restores a forged state of
	 * a port.
	 */
	CONSOLE_FORGE,
	CONSOLE_CLEAR, /* [port] drops the input of a port */
	CONSOLE_STEPS,
};

#endif
