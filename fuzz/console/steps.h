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
 * The first byte of a step is its number. The bytes after it are the arguments, which each comment
 * lists after a colon.
 */
enum console_step {
	/*
	 * The driver adds a chain: queue, (descriptors - 1) | 8 for a table | damage << 4;
	 * then address, length and flags of each descriptor.
	 */
	CONSOLE_ADD,
	CONSOLE_TYPE,     /* the host has new input: port, bytes */
	CONSOLE_RECEIVE,  /* the device fills receive chains: port */
	CONSOLE_TRANSMIT, /* the device sends output: port, a quarter of the sink's room */
	CONSOLE_SAY,      /* the driver sends a message: port, event, value, bytes of the message */
	/*
	 * The driver adds a buffer for messages and the device serves it: bytes of the buffer. With
	 * 255 this is repeated until no message is pending.
	 */
	CONSOLE_HEAR,
	CONSOLE_TAKE,   /* the device reads the driver's messages */
	CONSOLE_PLUG,   /* adds a port: port | 4 for a console | 8 for a name | size << 4 */
	CONSOLE_UNPLUG, /* removes a port: port */
	CONSOLE_CLIENT, /* a client connects or disconnects: port */
	CONSOLE_RESIZE, /* changes the size of a port: port | rows << 4, columns */
	CONSOLE_POKE,   /* the driver writes a byte: address, byte */
	CONSOLE_MAP,    /* maps a page: page */
	CONSOLE_MOVE,   /* the device is saved and restored */
	CONSOLE_RESET,  /* resets the device: 1 to negotiate MULTIPORT, else 0 */
	CONSOLE_CONFIG, /* accesses the configuration: offset, length | 0x80 to write, byte */
	CONSOLE_FORGE,  /* restores a forged state: port, flags, pending, in flight, head, taken */
	CONSOLE_CLEAR,  /* drops the input of a port: port */
	CONSOLE_STEPS,
};

#endif
