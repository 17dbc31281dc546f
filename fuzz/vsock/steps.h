/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The meaning of the bytes in an input of the socket harness, for the harness and its seeds. The
 * function of a step in packets.c or main.c reads the step's arguments from the bytes after it.
 */
#ifndef VIRTIO_FUZZ_VSOCK_STEPS_H
#define VIRTIO_FUZZ_VSOCK_STEPS_H

/* The first byte selects packets in queues, or connections. */
enum { VSOCK_PACKETS, VSOCK_CONNECTIONS };

/*
 * A step on the queue makes, pops and checks a chain. The low bit selects the direction, receive or
 * transmit. VSOCK_BUFFERS makes a packet from host buffers instead.
 */
enum { VSOCK_RX_CHAIN, VSOCK_TX_CHAIN, VSOCK_BUFFERS = 3 };
#define VSOCK_DIRECTLY 8 /* the payload is written directly to guest memory */
#define VSOCK_UNSEEN 4   /* the device does not read the available index before the pop */

/* Steps on connections. A byte of the input selects a step, modulo the number of steps. */
enum vsock_step {
	VSOCK_RECEIVE,
	VSOCK_NEXT,
	VSOCK_ACCEPT,
	VSOCK_SEND,
	VSOCK_FORWARD,
	VSOCK_SHUTDOWN,
	VSOCK_CONNECT,
	VSOCK_RESET,
	VSOCK_TIME,
	VSOCK_HOLD,
	VSOCK_GROW,
	VSOCK_MIGRATE,
	VSOCK_CLEAR,
	VSOCK_FORGED, /* sends a piece that may exceed the credit */
	VSOCK_STEPS,
};

#endif
