/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The host's end of one connection: a Unix socket, and data that waits for it. No call blocks.
 *
 *   input   is read directly into the guest's buffers, when a buffer is available and the guest has
 *           granted credit. A record is read as a whole, and kept while its pieces go to the guest
 *   output  of a stream is written directly from the guest's buffers. Bytes for which the socket
 *           has no room, and all records, are stored in vsock_output. The guest's credit limits
 *           the stored bytes
 *
 * Between two guests the socket is one of a pair. The accepting side sends the byte VSOCK_ACCEPTED
 * first. If the pair carries records, each packet begins with a byte of marks. So the pair can
 * carry marks that a socket file can't.
 */
#ifndef VSOCK_STREAM_H
#define VSOCK_STREAM_H

#include "event_loop.h"
#include "vsock_output.h"

#include <sys/queue.h>
#include <virtio/vsock_connection.h>

struct vsock_device;

/* The stages of a stream. Each stage has a list, in the order of arrival. */
enum vsock_stage {
	VSOCK_STAGE_LINE,      /* the client has not sent its line */
	VSOCK_STAGE_DRIVER,    /* the client waits for a driver */
	VSOCK_STAGE_REQUESTED, /* the guest has not answered */
	VSOCK_STAGE_DIALLING,  /* the listener's backlog is full */
	VSOCK_STAGE_ANSWER,    /* the other guest has not answered */
	VSOCK_STAGE_OPEN,
	VSOCK_STAGE_LINGER, /* the connection has ended; stored output must still be written */
	VSOCK_STAGES,
};

#define VSOCK_LINE_BYTES 64u
#define VSOCK_ACCEPTED 1u

TAILQ_HEAD(vsock_streams, vsock_stream);

struct vsock_stream {
	struct event_source source;
	struct vsock_device *vsock;
	struct virtio_vsock_connection *connection; /* NULL without a connection */
	uint16_t type;                              /* enum virtio_vsock_type */
	uint8_t stage;                              /* enum vsock_stage */
	bool paired;                                /* connected to another guest's stream */
	bool readable, writable;                    /* false after a call that would block */
	bool read_ended;                            /* the socket's input is over */
	/* The guest sends no more, and the socket was shut down for writing. */
	bool write_ended;
	/* Bytes from the guest are dropped, because the socket can't be written to. */
	bool discards;
	bool is_ready;  /* in the list of ready streams */
	uint64_t since; /* when the stage began */
	TAILQ_ENTRY(vsock_stream) in_stage, in_ready;
	struct vsock_output output;
	/* The record that is being sent to the guest in pieces. */
	bool has_record;
	uint8_t *record;
	uint32_t record_at, record_len, record_marks;
	/* Sent bytes of the present message. A pair carries a long message in several pieces. */
	uint64_t message_sent;
	uint64_t message_packets;
	/* The client's line. */
	uint32_t port;
	uint32_t line_len;
	char line[VSOCK_LINE_BYTES];
};

/*
 * Makes a stream of a non-blocking socket, and watches the socket. Returns NULL with errno if
 * memory is missing, if there are too many streams (EUSERS), or if a system call on the socket
 * fails. After NULL the caller keeps the socket.
 */
struct vsock_stream *vsock_stream_open(struct vsock_device *vsock, int fd, uint16_t type, enum vsock_stage stage);

/* Ends the stream at once. The connection must have ended, or no longer belong to the stream. */
void vsock_stream_close(struct vsock_stream *stream);

void vsock_stream_set_stage(struct vsock_stream *stream, enum vsock_stage stage);

/*
 * Called when the table has ended the connection, or is about to end it. Data that the guest sent
 * before the end is still delivered.
 */
void vsock_stream_let_go(struct vsock_stream *stream);

/* Breaks the connection, and closes the stream. */
void vsock_stream_reset(struct vsock_stream *stream);

/* Called when the connection is established. From then on input may be read. */
void vsock_stream_start(struct vsock_stream *stream);

/* Receives a packet's payload. This may close the stream. */
void vsock_stream_take(struct vsock_stream *stream, const struct virtio_chain_segments *data,
		       const struct virtio_vsock_received *received);

/*
 * Called when the guest has shut down one direction or both directions. This may close the stream.
 */
void vsock_stream_shut(struct vsock_stream *stream);

/*
 * Fills a packet to the guest: payload and header. Returns 1, or 0 if there is nothing to send now.
 * After 0 the stream is not in the list of ready streams, and may have been closed.
 */
int vsock_stream_fill(struct vsock_stream *stream, struct virtio_vsock_packet *packet, uint64_t now);

/* Called when the guest has granted credit again. */
void vsock_stream_credit(struct vsock_stream *stream);

/*
 * Resets the connection if the guest's buffer holds a part of a record, and has no room for the
 * rest. The guest would wait for the rest for ever.
 */
void vsock_stream_check(struct vsock_stream *stream);

#endif
