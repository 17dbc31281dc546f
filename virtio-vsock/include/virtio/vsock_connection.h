/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Connections of the socket device: states, credit in both directions, deadlines, and the reply to
 * each packet. The caller owns sockets, buffers and clocks.
 *
 * Three parts of a program use a table of connections:
 *
 *   tx queue   Each packet is passed to virtio_vsock_table_receive(), which reports what the caller
 *              must do: read a payload, answer a request, release a connection.
 *   rx queue   Each buffer carries a pending packet or, if no packet is pending, data of a
 *              connection. virtio_vsock_table_next() builds the pending packets, which have no
 *              data. For data, virtio_vsock_connection_piece() returns how much may be sent, and
 *              virtio_vsock_connection_send() builds the header.
 *   clock      virtio_vsock_table_expire() ends connections whose deadline has passed.
 *
 * A connection belongs to the table. The caller gets the connection's pointer from a guest's
 * request, a connect or a restore, and keeps it. connection->user points back to the caller's own
 * structure. The caller releases a connection, and does not use it any more, when
 * - virtio_vsock_table_receive() reports VIRTIO_VSOCK_GOT_END,
 * - virtio_vsock_table_expire() returns the connection,
 * - virtio_vsock_connection_forwarded() or virtio_vsock_connection_shutdown() returns 1,
 * - the caller itself resets the connection, or clears the table.
 * If an RST is pending, the table keeps the entry until the RST is sent. The entry is freed or
 * used again earlier if the guest sends an RST or a new REQUEST.
 *
 * What the guest can do: send any packet at any time. Therefore:
 * - A bad packet ends at most the connection that has the packet's addresses.
 * - The numbers of connections and of pending replies are bounded. A pending reply is an RST to a
 *   packet without a connection. While the number of pending replies is at its bound,
 *   virtio_vsock_table_receive() returns VIRTIO_EBUSY. The tx queue must then wait until a reply
 *   was sent on the rx queue (virtio 1.4, 5.10.6.1.2).
 * - An RST is never answered.
 * - Ports that the guest chooses do not make look-ups slow, because the table hashes addresses with
 *   a secret seed.
 *
 * Time: `now` and all intervals are in a unit that the caller chooses. The clock must not go back,
 * and `now` must be below 2^63.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     a call on the same table, its connections or its device
 *
 * No function blocks or allocates.
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

/* The two ends of a connection. Ports are plain numbers without special values. */
struct virtio_vsock_address {
	uint32_t local_cid; /* the host's side */
	uint32_t local_port;
	uint32_t peer_cid; /* the guest's side */
	uint32_t peer_port;
};

enum virtio_vsock_state {
	VIRTIO_VSOCK_CLOSED,      /* an unused entry of the table */
	VIRTIO_VSOCK_ACCEPTING,   /* the guest has sent a REQUEST, the caller has not replied */
	VIRTIO_VSOCK_REQUESTED,   /* a REQUEST is pending or sent, the guest has not replied */
	VIRTIO_VSOCK_ESTABLISHED, /* each side may have shut one direction; see shut_by_... */
	VIRTIO_VSOCK_CLOSING,     /* one side has shut both directions; no RST yet */
	VIRTIO_VSOCK_RESET,       /* an RST is pending; the caller has released the connection */
};

/* A connection's pending packets, one bit each. virtio_vsock_table_next() returns these packets. */
enum virtio_vsock_pending {
	VIRTIO_VSOCK_PENDING_RST = 1,
	VIRTIO_VSOCK_PENDING_REQUEST = 2,
	VIRTIO_VSOCK_PENDING_RESPONSE = 4,
	VIRTIO_VSOCK_PENDING_ANSWER = 8,  /* CREDIT_UPDATE for a CREDIT_REQUEST or larger buffer */
	VIRTIO_VSOCK_PENDING_UPDATE = 16, /* CREDIT_UPDATE, unless a packet reports the credit */
	VIRTIO_VSOCK_PENDING_CREDIT_REQUEST = 32,
	VIRTIO_VSOCK_PENDING_SHUTDOWN = 64,
};

/* The options of all connections of a table. */
struct virtio_vsock_options {
	/*
	 * Bytes that each connection buffers for the host, at least 1. More data resets the
	 * connection.
	 */
	uint32_t buf_alloc;
	/*
	 * Packets that each connection buffers, at least 1. Empty records use no bytes of the
	 * buffer, so a limit in bytes does not bound the number of records. A caller that joins the
	 * packets of a stream may set UINT32_MAX if SEQPACKET is not offered.
	 */
	uint32_t max_packets;
	uint32_t max_payload; /* largest payload of a packet from the guest, in bytes; at least 1 */
	/*
	 * Bytes of the guest's buffer that a packet uses in addition to its payload, until the
	 * guest forwards the packet. Linux from 6.12.92 resets a connection if the payloads and
	 * overheads of its packets exceed the buffer. With 0, only the payload counts.
	 */
	uint32_t packet_overhead;
	/* Intervals, each from 1 to 2^62. */
	uint64_t connect_timeout; /* from a REQUEST of either side to the answer */
	uint64_t close_timeout;   /* longest time in VIRTIO_VSOCK_CLOSING */
	uint64_t credit_retry;    /* between two CREDIT_REQUESTs while nothing may be sent */
	/* The range of local ports for virtio_vsock_table_connect(). */
	uint32_t first_port;
	uint32_t last_port;
};

/* A link of a doubly linked list. */
struct virtio_vsock_link {
	struct virtio_vsock_link *next, *prev; /* NULL outside a list */
};

/* A group of sent packets that the guest has not forwarded. */
struct virtio_vsock_mark {
	uint32_t end;     /* tx_cnt after the last packet of the group */
	uint32_t packets; /* packets of the group that are counted in tx_packets */
};

#define VIRTIO_VSOCK_MARKS 8

/* A connection. The caller may read every member, and may set only `user`. */
struct virtio_vsock_connection {
	void *user; /* the caller's pointer; NULL in a new connection */
	struct virtio_vsock_address address;
	uint16_t type;        /* enum virtio_vsock_type */
	uint8_t state;        /* enum virtio_vsock_state */
	uint8_t shut_by_us;   /* VIRTIO_VSOCK_SHUTDOWN_... that are sent or pending */
	uint8_t shut_by_peer; /* VIRTIO_VSOCK_SHUTDOWN_... that the guest has sent */
	bool credit_bad;      /* the guest's last fwd_cnt was invalid: no data may be sent */
	bool blocked;         /* the caller was told to wait for credit */
	uint32_t pending;     /* VIRTIO_VSOCK_PENDING_... */

	/* Data from the guest. Each ..._cnt counts modulo 2^32. */
	uint32_t buf_alloc;    /* bytes of our buffer; sent in each packet to the guest */
	uint32_t rx_cnt;       /* bytes received */
	uint32_t fwd_cnt;      /* bytes received and forwarded to the host */
	uint32_t told_fwd_cnt; /* fwd_cnt in the last packet to the guest */
	uint32_t rx_packets;   /* packets received, and not forwarded */

	/* Data to the guest. */
	uint32_t peer_buf_alloc; /* bytes of the guest's buffer */
	uint32_t tx_cnt;         /* bytes sent */
	uint32_t peer_fwd_cnt;   /* bytes that the guest has forwarded */
	uint32_t tx_packets;     /* packets sent, and not known to be forwarded by the guest */
	uint32_t mark_count;
	struct virtio_vsock_mark marks[VIRTIO_VSOCK_MARKS];
	uint32_t message_bytes; /* bytes sent of a message that has not ended; only for SEQPACKET */
	uint32_t message_packets;

	/* Used by the table only. */
	struct virtio_vsock_table *table;
	struct virtio_vsock_connection *hash_next; /* next in the bucket, or next unused entry */
	struct virtio_vsock_link queue;            /* in `requests` or `ready` of the table */
	struct virtio_vsock_link timer;            /* in a list of connections with a deadline */
	uint64_t deadline;                         /* valid while timer is in a list */
};

/*
 * The connections of one device. The caller allocates the table, may read every member, and changes
 * the table by functions only.
 */
struct virtio_vsock_table {
	const struct virtio_vsock *vsock;
	struct virtio_vsock_options options;
	struct virtio_vsock_connection *connections;
	uint32_t capacity;
	uint32_t count; /* entries in use */
	struct virtio_vsock_connection **buckets;
	uint32_t bucket_mask;
	uint64_t seed[2];
	struct virtio_vsock_hdr *replies; /* ring of pending RSTs to packets without a connection */
	uint32_t reply_capacity;
	uint32_t reply_first;
	uint32_t reply_count;
	struct virtio_vsock_connection *free_places;
	/*
	 * Connections with pending packets: in `requests` if a REQUEST is pending, otherwise in
	 * `ready`.
	 */
	struct virtio_vsock_link ready;
	struct virtio_vsock_link requests;
	struct virtio_vsock_link connecting, closing, retrying; /* earliest deadline first */
	bool held;                                              /* see virtio_vsock_table_hold() */
	uint32_t next_port;                                     /* local port to try first */
	/* Counters since virtio_vsock_table_init(). */
	uint64_t dropped;  /* packets with an unacceptable address */
	uint64_t strays;   /* packets without a connection that were answered by RST */
	uint64_t overruns; /* connections reset for more bytes or packets than our buffer holds */
};

/* The caller's memory for a table. It must live as long as the table. */
struct virtio_vsock_table_storage {
	struct virtio_vsock_connection *connections;
	uint32_t connection_count; /* at least 1 */
	struct virtio_vsock_connection **buckets;
	uint32_t bucket_count; /* a power of two; connection_count or more for fast look-ups */
	struct virtio_vsock_hdr *replies;
	uint32_t reply_count; /* at least 1; largest number of pending replies */
};

/* What the caller must do after virtio_vsock_table_receive(). Handle the bits in this order. */
enum virtio_vsock_got {
	VIRTIO_VSOCK_GOT_REQUEST = 1,   /* answer: accept or reset the connection */
	VIRTIO_VSOCK_GOT_RESPONSE = 2,  /* the guest has accepted our REQUEST */
	VIRTIO_VSOCK_GOT_DATA = 4,      /* read the payload */
	VIRTIO_VSOCK_GOT_CREDIT = 8,    /* a blocked connection may send */
	VIRTIO_VSOCK_GOT_SHUTDOWN = 16, /* shut_by_peer has new bits */
	VIRTIO_VSOCK_GOT_END = 32,      /* release the connection; you may still deliver its data */
};

/* After VIRTIO_VSOCK_GOT_END, `connection` is valid until the next call on the table. */
struct virtio_vsock_received {
	struct virtio_vsock_connection *connection; /* NULL if `got` is 0 */
	uint32_t got;                               /* VIRTIO_VSOCK_GOT_... */
	uint32_t bytes;                             /* payload length; may be 0 if marks is not 0 */
	uint32_t marks;                             /* VIRTIO_VSOCK_SEQ_...; 0 for a stream */
};

/* Table */

/*
 * Prepares a table without connections.
 *
 * @vsock    the device; must live as long as the table
 * @options  copied
 * @storage  the caller's memory
 * @seed     16 bytes for the hash; the guest must not know these bytes
 *
 * Returns 0; VIRTIO_EINVAL for a NULL array or a value out of its range. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_table_init(struct virtio_vsock_table *table, const struct virtio_vsock *vsock,
			    const struct virtio_vsock_options *options,
			    const struct virtio_vsock_table_storage *storage, const uint64_t seed[2]);

/*
 * Forgets all connections and all pending packets. Call this when the driver resets the device, and
 * when you schedule a transport reset. The caller releases every connection. The next local
 * port and the counters stay. Also sets `held` to false; see virtio_vsock_table_hold().
 */
void virtio_vsock_table_clear(struct virtio_vsock_table *table);

/*
 * Resets all connections by virtio_vsock_connection_reset(). The caller releases all connections.
 * Use this if the host's ends are lost and the device has no access to the event queue.
 */
void virtio_vsock_table_reset_all(struct virtio_vsock_table *table);

/*
 * While `held` is true, a pending REQUEST is not sent, but its deadline runs. Call this with true
 * while virtio_vsock_events_pending() is 1, because the transport reset would end the new
 * connection.
 */
void virtio_vsock_table_hold(struct virtio_vsock_table *table, bool held);

/*
 * Checks and handles a packet of the tx queue.
 *
 * @header  the private copy: packet.header
 * @error   packet.error. An error means that payload is lost, so the packet's connection is reset.
 * @now     the current time
 * @out     what the caller must do; filled in if 0 is returned
 *
 * Returns 0. Complete the packet after you have handled *out. Returns VIRTIO_EBUSY if the number of
 * pending replies is at its bound, and changes nothing. Then unpop the packet, and retry after
 * virtio_vsock_table_next() has returned a packet.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_table_receive(struct virtio_vsock_table *table, const struct virtio_vsock_hdr *header, int error,
			       uint64_t now, struct virtio_vsock_received *out);

/*
 * Builds the header of the next pending packet. Replies to packets without a connection are
 * first. Packets of the connections follow in turn, and REQUESTs are last. Pop the rx buffer before
 * this call, because the table treats a returned header as sent.
 *
 * @out  filled in if 1 is returned, otherwise untouched. The len in the header is 0.
 *
 * Returns 1; 0 if no packet is pending, or only held REQUESTs are pending.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_table_next(struct virtio_vsock_table *table, struct virtio_vsock_hdr *out);

/* Returns whether virtio_vsock_table_next() would return 1. */
bool virtio_vsock_table_pending(const struct virtio_vsock_table *table);

/*
 * Returns the time at which virtio_vsock_table_expire() must be called, or
 * VIRTIO_VSOCK_NO_DEADLINE.
 */
uint64_t virtio_vsock_table_deadline(const struct virtio_vsock_table *table);

/*
 * Ends a connection whose deadline has passed, as virtio_vsock_connection_reset() does. The caller
 * releases the connection. Also repeats each due CREDIT_REQUEST. Call this until it returns 0.
 *
 * @now  the current time
 * @out  the connection if 1 is returned, otherwise untouched
 *
 * Returns 1 if a connection has ended, otherwise 0.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_table_expire(struct virtio_vsock_table *table, uint64_t now, struct virtio_vsock_connection **out);

/*
 * Returns the connection with an address, or NULL. The connection may be in any state except
 * VIRTIO_VSOCK_CLOSED.
 */
struct virtio_vsock_connection *virtio_vsock_table_find(const struct virtio_vsock_table *table,
							const struct virtio_vsock_address *address);

/*
 * Returns the connection after `previous`, or NULL if `previous` is the last. If `previous` is
 * NULL, returns the first connection. Includes connections in VIRTIO_VSOCK_RESET. The caller may
 * reset the returned connection before the next call.
 */
struct virtio_vsock_connection *virtio_vsock_table_each(const struct virtio_vsock_table *table,
							const struct virtio_vsock_connection *previous);

/*
 * Begins a connection from the host to the guest, and makes a REQUEST pending.
 *
 * @type       enum virtio_vsock_type
 * @peer_port  port of the guest
 * @now        the current time; the deadline is now + connect_timeout
 * @out        the connection on success, otherwise untouched. Its local CID is
 *             VIRTIO_VSOCK_CID_HOST. Its local port is from options.first_port to
 *             options.last_port, and no other connection between host and peer_port uses this port.
 *
 * Returns 0; VIRTIO_ENOTSUP if the type was not negotiated; VIRTIO_ENOBUFS if the table is full, or
 * every port in the range is used.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_table_connect(struct virtio_vsock_table *table, uint16_t type, uint32_t peer_port, uint64_t now,
			       struct virtio_vsock_connection **out);

/*
 * Begins a connection with a given address, for example between two guests. The local CID is not
 * checked. Returns as virtio_vsock_table_connect(), or VIRTIO_EBUSY if the address is used, or
 * VIRTIO_EINVAL if peer_cid is not the guest's CID.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_table_connect_from(struct virtio_vsock_table *table, uint16_t type,
				    const struct virtio_vsock_address *address, uint64_t now,
				    struct virtio_vsock_connection **out);

/* Connections */

/*
 * Accepts a guest's request, and makes a RESPONSE pending. Data may follow the RESPONSE. Returns 0;
 * VIRTIO_ENOTREADY in a state other than VIRTIO_VSOCK_ACCEPTING. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_connection_accept(struct virtio_vsock_connection *connection);

/*
 * Refuses a request, or ends a connection. An RST is then pending, and the caller releases the
 * connection. If our own REQUEST was not sent yet, no RST is pending, and the table forgets the
 * connection. Does nothing in VIRTIO_VSOCK_RESET and VIRTIO_VSOCK_CLOSED.
 */
void virtio_vsock_connection_reset(struct virtio_vsock_connection *connection);

/* Returns the number of bytes received and not forwarded yet. */
uint32_t virtio_vsock_connection_buffered(const struct virtio_vsock_connection *connection);

/*
 * Reports that data has left the caller's buffer for the host. The guest's credit grows by the same
 * number of bytes. A CREDIT_UPDATE is then pending if the guest might otherwise wait soon, or for
 * ever.
 *
 * @bytes    at most virtio_vsock_connection_buffered()
 * @packets  packets that have left the buffer completely: at most rx_packets, and fewer than
 *           rx_packets if a byte stays buffered. A caller that joins packets passes rx_packets if
 *           no byte stays buffered, and otherwise 0.
 * @now      the current time
 *
 * Returns 0. Returns 1 if the guest had shut both directions, and nothing is left in the buffer. An
 * RST is then pending, and the caller releases the connection. Returns VIRTIO_EINVAL for more bytes
 * or packets than are buffered, and if bytes would be left but no packets. A failure changes
 * nothing. If the connection is not established yet, or has ended, returns 0 and changes nothing.
 */
int virtio_vsock_connection_forwarded(struct virtio_vsock_connection *connection, uint32_t bytes, uint32_t packets,
				      uint64_t now);

/*
 * Returns whether the guest will send no more data, and all data of the guest is forwarded. If so,
 * shut down sending on the host's socket.
 */
bool virtio_vsock_connection_input_ended(const struct virtio_vsock_connection *connection);

/* The data that one packet to the guest may carry. */
struct virtio_vsock_piece {
	uint32_t bytes; /* length of the payload */
	uint32_t marks; /* the caller's marks, if the packet has the last bytes; otherwise 0 */
};

/*
 * Calculates how much of the caller's data may be sent now.
 *
 * @left   bytes that the caller has of this message, or of the stream; UINT32_MAX if the caller
 *         reads its socket only after this call
 * @marks  VIRTIO_VSOCK_SEQ_... if a message or record ends after these bytes; otherwise, and for a
 *         stream, 0. For an empty message, `left` is 0 and `marks` is not 0.
 * @room   bytes of payload that the rx buffer can hold
 * @now    the current time
 * @out    the piece if 1 is returned, otherwise untouched. To send fewer bytes, the caller reduces
 *         `bytes` and clears `marks`.
 *
 * Returns 1, or 0 if nothing may be sent now. While RESPONSE is pending, retry after
 * virtio_vsock_table_next() has returned the RESPONSE. Otherwise credit is missing, and a
 * CREDIT_REQUEST is pending or was sent: retry after VIRTIO_VSOCK_GOT_CREDIT. Errors:
 *   VIRTIO_ENOTREADY  the connection is not established, or either side has shut this direction
 *   VIRTIO_EINVAL     - there is nothing to send, or `room` is 0 while `left` is not
 *                     - marks are unknown, or are given for a stream
 */
VIRTIO_MUST_CHECK
int virtio_vsock_connection_piece(struct virtio_vsock_connection *connection, uint32_t left, uint32_t marks,
				  uint32_t room, uint64_t now, struct virtio_vsock_piece *out);

/*
 * Builds the header of a packet with data, and counts the packet as sent. Pop the rx buffer before
 * this call. Write the payload before or after this call.
 *
 * @piece  from virtio_vsock_connection_piece(), perhaps with fewer bytes. Make no other call
 *         on the table between the two calls.
 * @out    filled in on success, otherwise untouched
 *
 * Returns 0, or an error that changes nothing:
 *   VIRTIO_EINVAL     as virtio_vsock_connection_piece()
 *   VIRTIO_ENOTREADY  as virtio_vsock_connection_piece(), and also while a RESPONSE is pending
 *   VIRTIO_ENOBUFS    the guest has too little room
 */
VIRTIO_MUST_CHECK
int virtio_vsock_connection_send(struct virtio_vsock_connection *connection, const struct virtio_vsock_piece *piece,
				 struct virtio_vsock_hdr *out);

/*
 * Shuts down one or both directions for ever. A SHUTDOWN is then pending, and is sent after all
 * earlier data. A later call can only add a direction.
 *
 * @flags  VIRTIO_VSOCK_SHUTDOWN_... of this side: SEND at the end of the host socket's data, RCV
 *         when the socket accepts no more data
 * @now    the current time. Once this side has shut both directions, the guest's RST must
 *         arrive within close_timeout.
 *
 * If both sides have shut SEND, and all data of the guest is forwarded, the SHUTDOWN has both
 * flags. The guest then ends the connection. Returns 0, or:
 *   1                 the guest had shut both directions, and either no data is buffered or this
 *                     side has shut RCV. An RST is then pending, and the caller releases the
 *                     connection
 *   VIRTIO_EINVAL     no flags, or unknown flags
 *   VIRTIO_ENOTREADY  the connection is not established yet, or has ended
 * A failure changes nothing.
 */
int virtio_vsock_connection_shutdown(struct virtio_vsock_connection *connection, uint32_t flags, uint64_t now);

/*
 * Makes our buffer larger, and tells the guest. Returns 0; VIRTIO_EINVAL for a smaller buffer,
 * because the guest may have used the old credit. A failure changes nothing.
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
	uint16_t reserved;  /* must be 0 */
	uint32_t pending;
	uint32_t buf_alloc;
	uint32_t rx_cnt;
	uint32_t fwd_cnt;
	uint32_t told_fwd_cnt;
	uint32_t rx_packets;
	uint32_t peer_buf_alloc;
	uint32_t tx_cnt;
	uint32_t peer_fwd_cnt;
	uint32_t tx_packets;
	uint32_t message_bytes;   /* 0 for a stream, and before the connection is established */
	uint32_t message_packets; /* 0 in the same cases; at least 1 if message_bytes is not 0 */
};

/*
 * Copies the state of a table or of a connection, for a restore. Deadlines and `blocked` are not
 * saved. A restore starts connect_timeout or close_timeout again.
 */
void virtio_vsock_table_save(const struct virtio_vsock_table *table, struct virtio_vsock_table_state *out);
void virtio_vsock_connection_save(const struct virtio_vsock_connection *connection,
				  struct virtio_vsock_connection_state *out);

/*
 * Restores the next local port. Returns 0; VIRTIO_EINVAL for a port outside the options' range. A
 * failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_table_restore(struct virtio_vsock_table *table, const struct virtio_vsock_table_state *state);

/*
 * Adds a saved connection to a table. The caller restores the data that was buffered for the host.
 *
 * @now  the current time, at which a pending connect_timeout or close_timeout starts again
 * @out  the connection on success, otherwise untouched
 *
 * Returns 0, or an error that changes nothing:
 *   VIRTIO_EINVAL   a field has a value that no connection of this table can have
 *   VIRTIO_ENOTSUP  the type was not negotiated
 *   VIRTIO_EBUSY    the address is used
 *   VIRTIO_ENOBUFS  the table is full
 */
VIRTIO_MUST_CHECK
int virtio_vsock_connection_restore(struct virtio_vsock_table *table, const struct virtio_vsock_connection_state *state,
				    uint64_t now, struct virtio_vsock_connection **out);

VIRTIO_END_DECLS

#endif
