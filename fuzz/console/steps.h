/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What the bytes of an input to the console harness mean; for main.c and seeds.c. */
#ifndef VIRTIO_FUZZ_CONSOLE_STEPS_H
#define VIRTIO_FUZZ_CONSOLE_STEPS_H

/* First byte: the guest's memory. */
#define CONSOLE_M_TRANSLATED 1 /* by pages */
#define CONSOLE_M_MAPPED 2     /* all of which are mapped */

/*
 * Three bytes follow: the device's options, the capacity of input buffers - 1, and the segments of
 * each direction - 1.
 */
#define CONSOLE_O_MULTIPORT 1
#define CONSOLE_O_SIZE 2
#define CONSOLE_O_EMERGENCY 4
#define CONSOLE_O_UNNEGOTIATED 8 /* MULTIPORT is not accepted */

/* The steps; each byte after the first one is an argument. */
enum console_step {
	/*
	 * Queue; a byte with the number of descriptors less 1, 8 for a table, and the damage << 4;
	 * then for each descriptor its place, length and flags.
	 */
	CONSOLE_ADD,
	CONSOLE_TYPE,     /* port, bytes */
	CONSOLE_RECEIVE,  /* port */
	CONSOLE_TRANSMIT, /* port, bytes that the sink takes */
	CONSOLE_SAY,      /* port, event, value, bytes of the message */
	/* Bytes of the buffer; 255: large enough for everything that is pending. */
	CONSOLE_HEAR,
	CONSOLE_TAKE,   /* the device takes the driver's messages */
	CONSOLE_PLUG,   /* port | 4 a console | 8 a name, columns, rows */
	CONSOLE_UNPLUG, /* port */
	CONSOLE_CLIENT, /* port: comes, or goes */
	CONSOLE_RESIZE, /* port, columns, rows */
	CONSOLE_POKE,   /* place, byte */
	CONSOLE_MAP,    /* page */
	CONSOLE_MOVE,   /* the device is saved and restored */
	CONSOLE_RESET,  /* features: 1 MULTIPORT */
	CONSOLE_CONFIG, /* offset, bytes | 0x80 to write, byte */
	CONSOLE_FORGE,  /* port, flags, pending, in flight, head, taken (a number) */
	CONSOLE_CLEAR,  /* port: its input */
	CONSOLE_STEPS,
};

#endif
