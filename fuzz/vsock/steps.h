/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The bytes that choose what the socket harness does. The seeds use them, too. */
#ifndef VIRTIO_FUZZ_VSOCK_STEPS_H
#define VIRTIO_FUZZ_VSOCK_STEPS_H

/* The first byte: packets in queues, or connections. */
enum { VSOCK_PACKETS, VSOCK_CONNECTIONS };

/* A step on a queue: makes, pops and checks a chain. The low bit of the step is the queue. */
enum { VSOCK_RX_CHAIN, VSOCK_TX_CHAIN, VSOCK_BUFFERS = 3 };
#define VSOCK_DIRECTLY 8 /* the payload doesn't go through a writer */
#define VSOCK_UNSEEN 4   /* the device does not read the index before the pop */

/* A step on connections, modulo their number. */
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
	VSOCK_FORGED, /* a send of more than may be sent */
	VSOCK_STEPS,
};

#endif
