/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Connections of the socket device: their states, credit both ways, deadlines, and the answer to any packet. Sockets,
 * buffers and clocks are the caller's.
 *
 * Three parts of a program use a table of connections:
 *
 *   tx queue   Each packet goes to virtio_vsock_table_receive(), which says what the caller has to do: take a payload,
 *              answer a request, let go of a connection.
 *   rx queue   Each buffer carries what virtio_vsock_table_next() owes, or else data of a connection:
 *              virtio_vsock_connection_piece() says how much may be sent, and virtio_vsock_connection_send() builds the
 *              header.
 *   clock      virtio_vsock_table_expire() ends what has taken too long.
 *
 * A connection belongs to the table. The caller gets a pointer with a request of the guest's, or from
 * virtio_vsock_table_connect(), and keeps it in its own structures, as they keep theirs in connection->user. The caller
 * lets go when VIRTIO_VSOCK_GOT_END says so, when virtio_vsock_table_expire() returns the connection, when
 * virtio_vsock_connection_forwarded() or virtio_vsock_connection_shutdown() returns 1, and when the caller itself
 * resets it. The table keeps the place until the RST is sent.
 *
 * What the guest can do: send any packet at any time. It costs the guest's own connection at most. The table is
 * bounded, and so is the number of answers that are owed: at the bound virtio_vsock_table_receive() returns
 * VIRTIO_EBUSY, and the tx queue waits until the driver takes packets from the rx queue (virtio 1.4, 5.10.6.1.2). No
 * RST is answered by an RST. Ports of the guest's choice don't make lookups slow, because the hash has a secret seed.
 *
 * Time: now and all intervals are in a unit of the caller's, from a clock that doesn't go back, and below 2^63.
 *
 * Threads: all calls on one table and its connections are serialised by the caller. Nothing blocks or allocates.
 *
 * Freestanding: needs memcpy and memset.
 *
 * virtio 1.4, 5.10.6
 */
#ifndef VIRTIO_VSOCK_CONNECTION_H
#define VIRTIO_VSOCK_CONNECTION_H

#include <virtio/vsock.h>

VIRTIO_BEGIN_DECLS

#define VIRTIO_VSOCK_SHUTDOWN_BOTH ((uint32_t)VIRTIO_VSOCK_SHUTDOWN_RCV | (uint32_t)VIRTIO_VSOCK_SHUTDOWN_SEND)
#define VIRTIO_VSOCK_NO_DEADLINE UINT64_MAX

/* Who talks to whom. Ports are plain numbers: no value is special. */
struct virtio_vsock_address {
	uint32_t local_cid; /* the host's side */
	uint32_t local_port;
	uint32_t peer_cid; /* the guest's side */
	uint32_t peer_port;
};

enum virtio_vsock_state {
	VIRTIO_VSOCK_CLOSED,      /* a free place of the table */
	VIRTIO_VSOCK_ACCEPTING,   /* the guest has sent REQUEST, and the caller has not answered */
	VIRTIO_VSOCK_REQUESTED,   /* REQUEST is owed or sent, and the guest has not answered */
	VIRTIO_VSOCK_ESTABLISHED, /* perhaps half-closed: see shut_by_us and shut_by_peer */
	VIRTIO_VSOCK_CLOSING,     /* one side has shut both directions, and no RST has followed yet */
	VIRTIO_VSOCK_RESET,       /* an RST is owed. The caller has let go */
};

/* Packets that a connection owes to the guest; bits. */
enum virtio_vsock_owed {
	VIRTIO_VSOCK_OWES_RST = 1,
	VIRTIO_VSOCK_OWES_REQUEST = 2,
	VIRTIO_VSOCK_OWES_RESPONSE = 4,
	VIRTIO_VSOCK_OWES_ANSWER = 8,  /* CREDIT_UPDATE, to a CREDIT_REQUEST */
	VIRTIO_VSOCK_OWES_UPDATE = 16, /* CREDIT_UPDATE, unless another packet carries the credit first */
	VIRTIO_VSOCK_OWES_CREDIT_REQUEST = 32,
	VIRTIO_VSOCK_OWES_SHUTDOWN = 64,
};

/* What all connections of a table have in common. */
struct virtio_vsock_options {
	/*
	 * Bytes that each connection buffers for the host, at least 1. Data beyond that resets the connection.
	 */
	uint32_t buf_alloc;
	/*
	 * Packets that each connection buffers, at least 1. Empty records use no bytes of the buffer, so a limit of
	 * bytes doesn't bound them. A caller that joins the packets of a stream may set UINT32_MAX for a table of
	 * streams.
	 */
	uint32_t max_packets;
	uint32_t max_payload; /* bytes of one packet's payload, at least 1; as for virtio_vsock_packet_init() */
	/*
	 * Bytes of its buffer that the guest charges for each packet that is not forwarded yet, beside the payload.
	 * Linux resets a connection whose packets cost more than its buffer. 0: only payload counts.
	 */
	uint32_t packet_overhead;
	/* Intervals: 1 to 2^62. */
	uint64_t connect_timeout; /* from REQUEST to its answer, either way */
	uint64_t close_timeout;   /* in VIRTIO_VSOCK_CLOSING */
	uint64_t credit_retry;    /* from one CREDIT_REQUEST to the next while nothing may be sent */
	/* Local ports for virtio_vsock_table_connect(), from first to last. */
	uint32_t first_port;
	uint32_t last_port;
};

/* A place in a doubly linked list. */
struct virtio_vsock_link {
	struct virtio_vsock_link *next, *prev; /* NULL in no list */
};

/* Packets sent, up to one place in the stream, that the guest has not forwarded. */
struct virtio_vsock_mark {
	uint32_t end;     /* tx_cnt after the last one */
	uint32_t packets; /* since the mark before */
};

#define VIRTIO_VSOCK_MARKS 8

/* A connection. The caller reads what it likes and sets user. The rest is changed through the functions below alone. */
struct virtio_vsock_connection {
	void *user; /* the caller's; NULL in a new connection */
	struct virtio_vsock_address address;
	uint16_t type;        /* enum virtio_vsock_type */
	uint8_t state;        /* enum virtio_vsock_state */
	uint8_t shut_by_us;   /* VIRTIO_VSOCK_SHUTDOWN_... that we have sent or owe */
	uint8_t shut_by_peer; /* VIRTIO_VSOCK_SHUTDOWN_... that the guest has sent */
	bool credit_bad; /* the guest's last fwd_cnt was of bytes never sent: nothing may be sent until a good one */
	bool blocked;    /* the caller had something to send, and was told to wait for credit */
	uint32_t owed;   /* VIRTIO_VSOCK_OWES_... */

	/* From the guest. The counters are bytes, modulo 2^32. */
	uint32_t buf_alloc;    /* bytes of our buffer, as the guest is told */
	uint32_t rx_cnt;       /* received */
	uint32_t fwd_cnt;      /* of these, forwarded to the host */
	uint32_t told_fwd_cnt; /* fwd_cnt in the last packet to the guest */
	uint32_t rx_packets;   /* received, and not forwarded */

	/* To the guest. */
	uint32_t peer_buf_alloc; /* bytes of the guest's buffer */
	uint32_t tx_cnt;         /* sent */
	uint32_t peer_fwd_cnt;   /* of these, forwarded by the guest */
	uint32_t tx_packets;     /* sent, and not forwarded by the guest as far as is known */
	uint32_t mark_count;
	struct virtio_vsock_mark marks[VIRTIO_VSOCK_MARKS];

	/* The table's. */
	struct virtio_vsock_table *table;
	struct virtio_vsock_connection *hash_next; /* in a bucket, or in the list of free places */
	struct virtio_vsock_link queue;            /* of those that owe something */
	struct virtio_vsock_link timer;            /* of those with a deadline */
	uint64_t deadline;                         /* while in such a list */
};

/* Connections of one device. The caller allocates it, reads what it likes and changes it through functions alone. */
struct virtio_vsock_table {
	const struct virtio_vsock *vsock;
	struct virtio_vsock_options options;
	struct virtio_vsock_connection *connections;
	uint32_t capacity;
	uint32_t count; /* places in use */
	struct virtio_vsock_connection **buckets;
	uint32_t bucket_mask;
	uint64_t seed[2];
	struct virtio_vsock_hdr *replies; /* RSTs owed to packets of no connection: a ring */
	uint32_t reply_capacity;
	uint32_t reply_first;
	uint32_t reply_count;
	struct virtio_vsock_connection *free_places;
	struct virtio_vsock_link ready;                         /* connections that owe a packet */
	struct virtio_vsock_link requests;                      /* connections that owe a REQUEST */
	struct virtio_vsock_link connecting, closing, retrying; /* by deadline, the earliest first */
	bool held;                                              /* virtio_vsock_table_hold() */
	uint32_t next_port;                                     /* that virtio_vsock_table_connect() tries first */
	/* Counters since virtio_vsock_table_init(). */
	uint64_t dropped;  /* packets without an acceptable address */
	uint64_t strays;   /* packets of no connection that were answered by RST */
	uint64_t overruns; /* connections reset for data beyond our buffer */
};

/* The caller's memory for a table, which uses it until the caller stops using the table. */
struct virtio_vsock_table_storage {
	struct virtio_vsock_connection *connections;
	uint32_t connection_count; /* at least 1 */
	struct virtio_vsock_connection **buckets;
	uint32_t bucket_count; /* a power of two; at least connection_count keeps lookups constant on average */
	struct virtio_vsock_hdr *replies;
	uint32_t reply_count; /* at least 1: the bound of replies owed to packets of no connection */
};

/* What virtio_vsock_table_receive() asks of the caller; bits, to be looked at in this order. */
enum virtio_vsock_got {
	VIRTIO_VSOCK_GOT_REQUEST =
		1, /* answer by virtio_vsock_connection_accept() or virtio_vsock_connection_reset() */
	VIRTIO_VSOCK_GOT_RESPONSE = 2,  /* a connection of ours is established */
	VIRTIO_VSOCK_GOT_DATA = 4,      /* take the payload */
	VIRTIO_VSOCK_GOT_CREDIT = 8,    /* a blocked connection may send */
	VIRTIO_VSOCK_GOT_SHUTDOWN = 16, /* shut_by_peer has new bits */
	VIRTIO_VSOCK_GOT_END = 32,      /* the connection is over: let go. Data taken before may still be delivered */
};

struct virtio_vsock_received {
	struct virtio_vsock_connection *connection; /* NULL if got is 0. After GOT_END valid until the next call */
	uint32_t got;                               /* VIRTIO_VSOCK_GOT_... */
	uint32_t bytes;                             /* of the payload, to be taken; 0 for the end of an empty message */
	uint32_t marks; /* VIRTIO_VSOCK_SEQ_EOM and VIRTIO_VSOCK_SEQ_EOR of a SEQPACKET; 0 for a stream */
};

/* Table */

/*
 * Sets up a table without connections.
 *
 * @vsock    the device; must live as long as the table
 * @options  copied
 * @storage  the caller's memory
 * @seed     of the hash: 16 bytes that the guest can't know
 *
 * Returns 0; VIRTIO_EINVAL for an option or a size out of its range, and the table is untouched.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_table_init(struct virtio_vsock_table *table, const struct virtio_vsock *vsock,
			    const struct virtio_vsock_options *options,
			    const struct virtio_vsock_table_storage *storage, const uint64_t seed[2]);

/*
 * Forgets all connections and all that is owed, when the driver resets the device or has been sent a transport
 * reset. The caller lets go of every connection. The next local port and the counters stay. Ends
 * virtio_vsock_table_hold().
 */
void virtio_vsock_table_clear(struct virtio_vsock_table *table);

/*
 * Owes an RST to every connection, and the caller lets go of them: for a device without an event queue whose guest
 * may have connections that the host has lost.
 */
void virtio_vsock_table_reset_all(struct virtio_vsock_table *table);

/*
 * While held, no REQUEST is sent, as a transport reset that the driver has not taken would shut the new connection down
 * (virtio_vsock_events_pending()). The deadlines of the requests go on.
 */
void virtio_vsock_table_hold(struct virtio_vsock_table *table, bool held);

/*
 * Judges a packet of the tx queue.
 *
 * @header  the private copy: packet.header
 * @error   packet.error: the payload of a packet with an error is lost, so its connection is reset
 * @now     the time
 * @out     what to do; filled in if 0 is returned
 *
 * Returns 0, and the packet is done with, once out is obeyed. VIRTIO_EBUSY if the bound of replies is reached:
 * nothing has changed. The caller unpops the packet, and comes again after virtio_vsock_table_next() has returned a
 * packet.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_table_receive(struct virtio_vsock_table *table, const struct virtio_vsock_hdr *header, int error,
			       uint64_t now, struct virtio_vsock_received *out);

/*
 * Builds the header of the next packet that is owed, other than data: replies to packets of no connection first,
 * then the connections in turn. Popping the rx buffer comes first, because a header that has been returned counts as
 * sent.
 *
 * @out  filled in if 1 is returned, otherwise untouched; its len is 0
 *
 * Returns 1; 0 if nothing is owed.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_table_next(struct virtio_vsock_table *table, struct virtio_vsock_hdr *out);

/* Whether virtio_vsock_table_next() would return 1. */
bool virtio_vsock_table_owes(const struct virtio_vsock_table *table);

/* The time at which virtio_vsock_table_expire() has something to do, or VIRTIO_VSOCK_NO_DEADLINE. */
uint64_t virtio_vsock_table_deadline(const struct virtio_vsock_table *table);

/*
 * Ends a connection whose deadline has come: its RST is owed, and the caller lets go. Asks again for credit where
 * the time has come for that. To be called until it returns 0.
 *
 * @now  the time
 * @out  the connection, if 1 is returned, otherwise untouched
 *
 * Returns 1 for a connection, 0 for none.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_table_expire(struct virtio_vsock_table *table, uint64_t now, struct virtio_vsock_connection **out);

/* The connection with an address, in any state but VIRTIO_VSOCK_CLOSED; or NULL. */
struct virtio_vsock_connection *virtio_vsock_table_find(const struct virtio_vsock_table *table,
							const struct virtio_vsock_address *address);

/*
 * All connections, one after the other: the one after previous, the first one for NULL, NULL after the last. Those
 * whose state is VIRTIO_VSOCK_RESET are among them. Removing the one at hand doesn't disturb the order.
 */
struct virtio_vsock_connection *virtio_vsock_table_each(const struct virtio_vsock_table *table,
							const struct virtio_vsock_connection *previous);

/*
 * Begins a connection of the host's to the guest: REQUEST is owed.
 *
 * @type       enum virtio_vsock_type
 * @peer_port  the guest's
 * @now        the time; the deadline is connect_timeout later
 * @out        the connection, on success, otherwise untouched. Its local CID is the host's, and its local port is
 *             one of options.first_port to options.last_port that no connection to this peer port uses
 *
 * Returns 0; VIRTIO_ENOTSUP if the type was not negotiated; VIRTIO_ENOBUFS if the table is full, or no port is free.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_table_connect(struct virtio_vsock_table *table, uint16_t type, uint32_t peer_port, uint64_t now,
			       struct virtio_vsock_connection **out);

/*
 * The same from a given address, as for a connection between two guests. Returns as virtio_vsock_table_connect();
 * VIRTIO_EBUSY if the address is in use; VIRTIO_EINVAL if peer_cid isn't the guest's.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_table_connect_from(struct virtio_vsock_table *table, uint16_t type,
				    const struct virtio_vsock_address *address, uint64_t now,
				    struct virtio_vsock_connection **out);

/* Connections */

/*
 * Accepts a request of the guest's: RESPONSE is owed, and data may follow.
 * Returns 0; VIRTIO_ENOTREADY in a state other than VIRTIO_VSOCK_ACCEPTING, and nothing changes.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_connection_accept(struct virtio_vsock_connection *connection);

/*
 * Refuses a request, or breaks a connection: RST is owed, and the caller lets go. A request of ours that has not
 * been sent is forgotten without an RST. Does nothing in VIRTIO_VSOCK_RESET and VIRTIO_VSOCK_CLOSED.
 */
void virtio_vsock_connection_reset(struct virtio_vsock_connection *connection);

/* Bytes received and not forwarded yet. */
uint32_t virtio_vsock_connection_buffered(const struct virtio_vsock_connection *connection);

/*
 * Tells that data has left the caller's buffer for the host: the guest may send as much again. Owes a CREDIT_UPDATE
 * when the guest could otherwise wait for ever, or before long.
 *
 * @bytes    at most virtio_vsock_connection_buffered()
 * @packets  at most rx_packets, and fewer while a byte is left: packets of which no byte is left. A caller that joins
 *           packets forwards rx_packets when nothing is left, and 0 before
 * @now      the time
 *
 * Returns 0; 1 if the guest had shut both directions, and this was the last byte: the caller lets go, RST is owed.
 * VIRTIO_EINVAL for more than there is, and for all packets but not all bytes, and nothing changes. 0 also for a
 * connection that is over, and nothing changes.
 */
int virtio_vsock_connection_forwarded(struct virtio_vsock_connection *connection, uint32_t bytes, uint32_t packets,
				      uint64_t now);

/* Whether the guest sends no more, and all that it sent has been forwarded: the time to shut the host's socket. */
bool virtio_vsock_connection_input_ended(const struct virtio_vsock_connection *connection);

/* What one packet to the guest may carry. */
struct virtio_vsock_piece {
	uint32_t bytes; /* of payload */
	uint32_t marks; /* VIRTIO_VSOCK_SEQ_EOM and VIRTIO_VSOCK_SEQ_EOR, if this is the last piece */
};

/*
 * How much of what the caller has may be sent now.
 *
 * @left   bytes that the caller has of this message, or of the stream; UINT32_MAX for a socket that is still to be read
 * @marks  of the message that ends after these bytes; 0 for a stream. An empty message has left 0 and marks.
 * @room   bytes in the rx buffer
 * @now    the time
 * @out    the piece, if 1 is returned, otherwise untouched. The caller may send fewer bytes: it then makes bytes
 *         less and clears marks.
 *
 * Returns 1; 0 if nothing may be sent for now. While RESPONSE is owed, the caller comes again when
 * virtio_vsock_table_next() has returned it. Otherwise credit is what lacks: a CREDIT_REQUEST is owed, and
 * VIRTIO_VSOCK_GOT_CREDIT will come. VIRTIO_ENOTREADY before establishment, and after either side has shut this
 * direction. VIRTIO_EINVAL for nothing to send, a room of 0 for bytes, unknown marks, or marks on a stream.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_connection_piece(struct virtio_vsock_connection *connection, uint32_t left, uint32_t marks,
				  uint32_t room, uint64_t now, struct virtio_vsock_piece *out);

/*
 * Builds the header of a packet with data, and counts it as sent. The rx buffer has been popped, and the payload is
 * written before or after this call.
 *
 * @piece  from virtio_vsock_connection_piece(), without another call on the table in between, or with fewer bytes
 * @out    filled in on success, otherwise untouched
 *
 * Returns 0; VIRTIO_ENOTREADY and VIRTIO_EINVAL as virtio_vsock_connection_piece(); VIRTIO_ENOBUFS for more than the
 * guest has room for. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_connection_send(struct virtio_vsock_connection *connection, const struct virtio_vsock_piece *piece,
				 struct virtio_vsock_hdr *out);

/*
 * Ends a direction, or both, for good: SHUTDOWN is owed, and goes behind all data sent before. A later call only adds.
 *
 * @flags  VIRTIO_VSOCK_SHUTDOWN_... of this side: SEND when the host's socket has ended, RCV when it takes no more
 * @now    the time; when both directions are shut the guest has close_timeout to answer by RST
 *
 * If each side has shut its sending, and everything is forwarded, both flags are sent, so that the guest ends it.
 * Returns 0; 1 if the guest had shut both directions before, and now nothing is to be waited for: the caller lets
 * go, RST is owed. VIRTIO_EINVAL for no flags or unknown ones; VIRTIO_ENOTREADY before establishment and after the
 * end; and then nothing changes.
 */
int virtio_vsock_connection_shutdown(struct virtio_vsock_connection *connection, uint32_t flags, uint64_t now);

/*
 * Makes our buffer larger, which the guest is told.
 * Returns 0; VIRTIO_EINVAL for less than buf_alloc, because the guest may have sent on the strength of it; nothing
 * changes.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_connection_set_buffer(struct virtio_vsock_connection *connection, uint32_t buf_alloc);

/* Saved state: plain values, in the host's byte order. */

struct virtio_vsock_table_state {
	uint32_t next_port;
};

struct virtio_vsock_connection_state {
	struct virtio_vsock_address address;
	uint16_t type;
	uint8_t state;
	uint8_t shut_by_us;
	uint8_t shut_by_peer;
	uint8_t credit_bad; /* 0 or 1 */
	uint16_t reserved;  /* 0 */
	uint32_t owed;
	uint32_t buf_alloc;
	uint32_t rx_cnt;
	uint32_t fwd_cnt;
	uint32_t told_fwd_cnt;
	uint32_t rx_packets;
	uint32_t peer_buf_alloc;
	uint32_t tx_cnt;
	uint32_t peer_fwd_cnt;
	uint32_t tx_packets;
};

/* Copies what a table, or a connection, is to be restored from. Deadlines are not kept: they begin anew. */
void virtio_vsock_table_save(const struct virtio_vsock_table *table, struct virtio_vsock_table_state *out);
void virtio_vsock_connection_save(const struct virtio_vsock_connection *connection,
				  struct virtio_vsock_connection_state *out);

/*
 * Restores the next local port. Returns 0; VIRTIO_EINVAL for one outside of the options' ports, and nothing changes.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_table_restore(struct virtio_vsock_table *table, const struct virtio_vsock_table_state *state);

/*
 * Adds a saved connection to a table. What the caller had buffered for the host is the caller's to restore.
 *
 * @now  the time, from which a deadline that its state has is counted
 * @out  the connection, on success, otherwise untouched
 *
 * Returns 0; VIRTIO_EINVAL for a field that no connection of this table can have; VIRTIO_ENOTSUP for a type that was
 * not negotiated; VIRTIO_EBUSY if the address is in use; VIRTIO_ENOBUFS if the table is full. A failure changes
 * nothing.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_connection_restore(struct virtio_vsock_table *table, const struct virtio_vsock_connection_state *state,
				    uint64_t now, struct virtio_vsock_connection **out);

VIRTIO_END_DECLS

#endif
