/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The socket device: packets on its receive and transmit queues, its features, its configuration
 * space and its events. <virtio/vsock_connection.h> has connections and their credit.
 *
 * Names follow the driver's view, as in the specification. The transmit queue (tx) carries packets
 * from the guest, and the receive queue (rx) carries packets to the guest. A packet is a header of
 * 44 bytes and a payload. In this code, `left` and `got` are as in <virtio/queue.h>:
 *
 *	while (left-- > 0 && (got = virtio_vsock_tx_pop(tx, &packet)) == 1) {
 *		if (!packet.error)
 *			look at packet.header, read the payload from packet.data
 *		virtio_vsock_complete(tx, &packet);
 *	}
 *
 *	if ((got = virtio_vsock_rx_pop(rx, &packet)) == 1 && packet.error)
 *		virtio_vsock_complete(rx, &packet), and try the next buffer
 *	else if (got == 1)
 *		write the payload to packet.data, fill in packet.header,
 *		virtio_vsock_rx_commit(rx, &packet)
 *
 * What the guest can do: cut a packet into descriptors as it likes (virtio 1.4, 2.7.4.1), leave out
 * any part, point buffers anywhere, and change bytes at any time. Therefore:
 * - The header is copied once, and only the copy is used.
 * - The header's len is the length of the payload. A payload never exceeds the bytes that are
 *   present, or the caller's maximum.
 *
 * Threads:
 *   functions                              who may call   what must not run beside
 *   on a queue or a packet                 any thread     another call on the same queue or packet
 *   on a struct virtio_vsock               any thread     another call on the same struct
 *   on a struct virtio_vsock_events        any thread     another call on the same struct or its
 *                                          queue
 *   on a header (struct virtio_vsock_hdr)  any thread     a call that changes the same header
 *
 * No function blocks or allocates.
 *
 * Freestanding: needs memcpy and memset.
 *
 * virtio 1.4, 5.10
 */
#ifndef VIRTIO_VSOCK_H
#define VIRTIO_VSOCK_H

#include <virtio/bindings/virtio_vsock.h>
#include <virtio/queue.h>

VIRTIO_BEGIN_DECLS

#define VIRTIO_VSOCK_HEADER_BYTES 44 /* length of a header */
#define VIRTIO_VSOCK_CONFIG_BYTES 8  /* length of the configuration space */
#define VIRTIO_VSOCK_CID_HOST 2      /* the host's context ID (virtio 1.4, 5.10.4) */

/* Indices of the queues (virtio 1.4, 5.10.2). A transport may serve the event queue itself. */
enum virtio_vsock_queue {
	VIRTIO_VSOCK_QUEUE_RX = 0,
	VIRTIO_VSOCK_QUEUE_TX = 1,
	VIRTIO_VSOCK_QUEUE_EVENT = 2,
};

/*
 * Headers. struct virtio_vsock_hdr holds the fields little-endian, as on the wire.
 */

/*
 * Read a header from the bytes at `raw`, or store a header there. `raw` points to
 * VIRTIO_VSOCK_HEADER_BYTES bytes of the caller's memory, with any alignment. The fields are not
 * checked.
 */
VIRTIO_INLINE void virtio_vsock_header_from_raw(struct virtio_vsock_hdr *header, const void *raw);
VIRTIO_INLINE void virtio_vsock_header_to_raw(const struct virtio_vsock_hdr *header, void *raw);

/*
 * Each function returns one field in the host's byte order (virtio 1.4, 5.10.6).
 *
 *   len        bytes of payload
 *   type, op   any value, also outside enum virtio_vsock_type and enum virtio_vsock_op
 *   flags      their meaning depends on op
 *   buf_alloc  bytes
 *   fwd_cnt    bytes, modulo 2^32
 */
VIRTIO_INLINE uint64_t virtio_vsock_src_cid(const struct virtio_vsock_hdr *header);
VIRTIO_INLINE uint64_t virtio_vsock_dst_cid(const struct virtio_vsock_hdr *header);
VIRTIO_INLINE uint32_t virtio_vsock_src_port(const struct virtio_vsock_hdr *header);
VIRTIO_INLINE uint32_t virtio_vsock_dst_port(const struct virtio_vsock_hdr *header);
VIRTIO_INLINE uint32_t virtio_vsock_len(const struct virtio_vsock_hdr *header);
VIRTIO_INLINE uint16_t virtio_vsock_type(const struct virtio_vsock_hdr *header);
VIRTIO_INLINE uint16_t virtio_vsock_op(const struct virtio_vsock_hdr *header);
VIRTIO_INLINE uint32_t virtio_vsock_flags(const struct virtio_vsock_hdr *header);
VIRTIO_INLINE uint32_t virtio_vsock_buf_alloc(const struct virtio_vsock_hdr *header);
VIRTIO_INLINE uint32_t virtio_vsock_fwd_cnt(const struct virtio_vsock_hdr *header);

/* Each function sets one field from a value in the host's byte order, without any check. */
VIRTIO_INLINE void virtio_vsock_set_src_cid(struct virtio_vsock_hdr *header, uint64_t src_cid);
VIRTIO_INLINE void virtio_vsock_set_dst_cid(struct virtio_vsock_hdr *header, uint64_t dst_cid);
VIRTIO_INLINE void virtio_vsock_set_src_port(struct virtio_vsock_hdr *header, uint32_t src_port);
VIRTIO_INLINE void virtio_vsock_set_dst_port(struct virtio_vsock_hdr *header, uint32_t dst_port);
VIRTIO_INLINE void virtio_vsock_set_len(struct virtio_vsock_hdr *header, uint32_t len);
VIRTIO_INLINE void virtio_vsock_set_type(struct virtio_vsock_hdr *header, uint16_t type);
VIRTIO_INLINE void virtio_vsock_set_op(struct virtio_vsock_hdr *header, uint16_t op);
VIRTIO_INLINE void virtio_vsock_set_flags(struct virtio_vsock_hdr *header, uint32_t flags);
VIRTIO_INLINE void virtio_vsock_set_buf_alloc(struct virtio_vsock_hdr *header, uint32_t buf_alloc);
VIRTIO_INLINE void virtio_vsock_set_fwd_cnt(struct virtio_vsock_hdr *header, uint32_t fwd_cnt);

/*
 * Each function tests one flag of one op, and returns false for every other op. The flags of a
 * SHUTDOWN say that its sender will receive no more, or will send no more. The flags of an RW say
 * that the packet ends a message, or a record. Undefined flags are ignored.
 */
VIRTIO_INLINE bool virtio_vsock_shuts_receive(const struct virtio_vsock_hdr *header);
VIRTIO_INLINE bool virtio_vsock_shuts_send(const struct virtio_vsock_hdr *header);
VIRTIO_INLINE bool virtio_vsock_ends_message(const struct virtio_vsock_hdr *header);
VIRTIO_INLINE bool virtio_vsock_ends_record(const struct virtio_vsock_hdr *header);

/*
 * Builds the RST that answers a packet without a connection. The RST has the packet's type, the
 * packet's two addresses swapped, and no credit.
 *
 * @in   the packet's header
 * @out  filled in if 1 is returned, otherwise untouched; may also be the packet's header
 *
 * Returns 1; or 0 if the packet is an RST, which is never answered.
 */
int virtio_vsock_reset_reply(const struct virtio_vsock_hdr *in, struct virtio_vsock_hdr *out);

/* Packets */

/*
 * A packet. The caller allocates it, may read every member, and sets `header` before a commit.
 * Only functions change the other members.
 */
struct virtio_vsock_packet {
	/*
	 * tx: a private copy of the packet's header; all zeroes if fewer than 44 bytes could be
	 * read. rx: the caller sets the header before or after the pop, and the commit writes it.
	 */
	struct virtio_vsock_hdr header;
	struct virtio_token token; /* token of the packet's chain */
	/*
	 * 0, or the reason why the payload cannot be used. With an error, `data` is empty, and
	 * the caller must still complete the chain.
	 *   VIRTIO_ESHORT   - the chain has fewer than 44 bytes in the queue's direction
	 *                   - tx: header.len is more than the bytes after the header
	 *   VIRTIO_EBYTES   - tx: header.len is above max_payload
	 *                   - as virtio_chain_next()
	 *   VIRTIO_EORDER   - a buffer has the wrong direction for this queue
	 *                   - as virtio_chain_next()
	 *   VIRTIO_ENOBUFS  the chain needs more segments than the array has
	 *   others          as virtio_chain_resolve()
	 */
	int error;
	/*
	 * The payload in the caller's array, without the header, for readers, writers and I/O
	 * vectors. tx: exactly header.len readable bytes. rx: the writable room for a payload, at
	 * most max_payload bytes.
	 */
	struct virtio_chain_segments data;

	/* Set by virtio_vsock_packet_init(). */
	struct virtio_segment *segments;
	uint32_t capacity;
	uint32_t max_payload;

	/*
	 * rx without error: where the header is. header_kind selects one of two forms. In one form,
	 * the header is in one piece at header_host. In the other form, the header is in the first
	 * header_segments segments of the array, and in header_rest.
	 */
	uint32_t header_kind;
	uint32_t header_segments;
	void *header_host;
	struct virtio_segment header_rest; /* the header's part of a segment; len is 0 if none */
};

/*
 * Prepares a packet, which can then be used for any number of pops.
 *
 * @packet       set up by this call
 * @segments     the caller's array; must live as long as the packet is used
 * @capacity     entries of the array, at least 1: one for each descriptor of the longest chain, and
 *               one more for each place where a buffer continues in another region or another
 *               translation
 * @max_payload  bytes, reduced to UINT32_MAX - 44 if larger. tx: a longer payload is
 *               refused. rx: room beyond this maximum is not used.
 *
 * Returns 0; VIRTIO_EINVAL if segments is NULL or capacity is 0. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_packet_init(struct virtio_vsock_packet *packet, struct virtio_segment *segments, uint32_t capacity,
			     uint32_t max_payload);

/*
 * Pops the next packet from the transmit queue.
 *
 * @queue   started
 * @packet  initialised, not in flight. Filled in if 1 is returned; otherwise untouched, except the
 *          content of the array.
 *
 * Returns 1; 0 if there is no packet; or an error of virtio_queue_pop(). After 1 the packet must be
 * completed by virtio_vsock_complete(), or unpopped by virtio_queue_unpop(), even if packet->error
 * is set. If memory of the chain is not mapped yet, this function unpops the chain
 * and returns VIRTIO_ENOTMAPPED. Retry later.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_tx_pop(struct virtio_queue *queue, struct virtio_vsock_packet *packet);

/*
 * Pops the next buffer from the receive queue, for a packet to the guest. Works as
 * virtio_vsock_tx_pop().
 *
 * packet->data is the room for the payload. A buffer of 44 bytes has no such room, and can carry
 * only a header.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_rx_pop(struct virtio_queue *queue, struct virtio_vsock_packet *packet);

/*
 * Writes the header and returns the buffer to the driver with a used length of 44 + header.len
 * bytes. Records header and payload in the dirty log.
 *
 * @queue   the packet's queue, which was started, and may be broken now
 * @packet  from virtio_vsock_rx_pop(), without error. The caller has set `header`, and has written
 *          the payload, header.len bytes, to the start of `data`.
 *
 * Returns 0, or:
 *   VIRTIO_EINVAL  header.len is more than the room, or the packet has an error; nothing is written
 *   VIRTIO_ESTALE  the token is not in flight; nothing is written
 *   others         as virtio_queue_complete(). The packet stays in flight, and its header may have
 *                  been written.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_rx_commit(struct virtio_queue *queue, const struct virtio_vsock_packet *packet);

/*
 * Returns a packet's chain to the driver with used length 0. Use this for tx packets, and for rx
 * packets with an error. Returns as virtio_queue_complete().
 */
VIRTIO_INLINE int virtio_vsock_complete(struct virtio_queue *queue, const struct virtio_vsock_packet *packet);

/*
 * Makes a packet from the caller's own buffers, without a queue. Checks header.len as
 * virtio_vsock_tx_pop() does.
 *
 * @packet   initialised, not in flight. This call fills it in, and sets a token that is never in
 *           flight.
 * @header   the VIRTIO_VSOCK_HEADER_BYTES bytes of the header; copied
 * @payload  the caller's buffers; must live as long as the packet is used; NULL only if count is 0
 * @count    entries of payload
 *
 * Returns 0, or packet->error: VIRTIO_ESHORT, VIRTIO_EBYTES or VIRTIO_ENOBUFS. VIRTIO_ENOBUFS also
 * means that the sum of the buffers' lengths does not fit 64 bits.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_packet_from_buffers(struct virtio_vsock_packet *packet, const void *header,
				     const struct virtio_iovec *payload, uint32_t count);

/* Device */

/*
 * A socket device of one guest. The caller allocates it, may read every member, and changes it by
 * functions only.
 */
struct virtio_vsock {
	uint64_t guest_cid;
	uint64_t offered;    /* mask of feature bits */
	uint64_t negotiated; /* mask of feature bits */
};

/*
 * Returns whether a guest may have this context ID: the upper 32 bits are 0, and the value is not
 * 0, 1, 2 or 2^32 - 1 (virtio 1.4, 5.10.4).
 */
bool virtio_vsock_is_guest_cid(uint64_t cid);

/*
 * Prepares a device. The device offers VIRTIO_VSOCK_F_STREAM and VIRTIO_VSOCK_F_NO_IMPLIED_STREAM.
 *
 * @guest_cid  the guest's context ID
 * @seqpacket  whether to offer VIRTIO_VSOCK_F_SEQPACKET, too
 *
 * Returns 0; VIRTIO_EINVAL for a context ID that no guest may have. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_init(struct virtio_vsock *vsock, uint64_t guest_cid, bool seqpacket);

/* Returns the offered features of this device type, as a mask. */
uint64_t virtio_vsock_offered(const struct virtio_vsock *vsock);

/*
 * Stores the features that the driver has accepted. Bits above 23 are ignored. Returns 0;
 * VIRTIO_EINVAL for any other bit that was not offered. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_negotiate(struct virtio_vsock *vsock, uint64_t features);

/* Clears the negotiated features. Call this when the driver resets the device. */
void virtio_vsock_reset(struct virtio_vsock *vsock);

/*
 * Changes the guest's context ID, after a migration. The caller tells the driver by a transport
 * reset. Returns 0; VIRTIO_EINVAL for a CID that no guest may have. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_set_guest_cid(struct virtio_vsock *vsock, uint64_t guest_cid);

/*
 * Returns whether sockets of a type may be used with the negotiated features (virtio 1.4,
 * 5.10.3.2).
 *
 * Streams may be used if STREAM, no feature, or only SEQPACKET was negotiated. Returns false for a
 * value outside enum virtio_vsock_type.
 */
bool virtio_vsock_has_type(const struct virtio_vsock *vsock, uint16_t type);

/*
 * Returns whether the addresses of a transmit packet are valid. The source must be the guest's CID.
 * The destination must be the host, or a CID that another guest may have.
 * virtio_vsock_table_receive() drops all other packets.
 */
bool virtio_vsock_is_from_guest(const struct virtio_vsock *vsock, const struct virtio_vsock_hdr *header);

/*
 * Reads the configuration space.
 *
 * @offset  of the first byte; any value
 * @data    the caller's memory, len bytes. Bytes outside the configuration space read as 0.
 * @len     bytes
 */
void virtio_vsock_config_read(const struct virtio_vsock *vsock, uint64_t offset, void *data, size_t len);

/* Events */

/* A transport reset that the driver has not seen yet. */
struct virtio_vsock_events {
	bool unsent;        /* the reset must be sent when there is a buffer */
	bool waiting;       /* sent, and not seen by the driver yet */
	uint16_t avail_idx; /* available index when the reset was sent; valid while waiting */
};

/*
 * Forgets the transport reset. Call this before the first use, and when the driver resets the
 * device. virtio_vsock_events_pending() then returns 0.
 */
void virtio_vsock_events_reset(struct virtio_vsock_events *events);

/*
 * Schedules a VIRTIO_VSOCK_EVENT_TRANSPORT_RESET. A second call has no effect while the first
 * event is unsent.
 */
void virtio_vsock_events_schedule_reset(struct virtio_vsock_events *events);

/*
 * Sends the event, if it is unsent and a buffer is available. A buffer that is too short, bad or
 * not writable is completed with length 0, and the next buffer is tried. Only buffers that are
 * available at the start of the call are tried.
 *
 * @events    the event, which stays unsent until a buffer carries it
 * @queue     the event queue, started
 * @segments  the caller's array, for one chain
 * @capacity  entries of the array, at least 1
 *
 * Returns 1 if a buffer was used (see virtio_queue_needs_interrupt()), 0 if no buffer was used, or:
 *   VIRTIO_EINVAL      segments is NULL or capacity is 0
 *   VIRTIO_ENOTMAPPED  as for virtio_vsock_tx_pop()
 *   others             of virtio_queue_pop(), virtio_queue_read_avail_idx() or
 *                      virtio_queue_complete()
 * A call that returns an error may have used buffers before the error. The buffer with the error is
 * unpopped, and the event stays unsent.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_events_send(struct virtio_vsock_events *events, struct virtio_queue *queue,
			     struct virtio_segment *segments, uint32_t capacity);

/*
 * Checks whether the driver has seen the transport reset. An unseen reset would shut down a new
 * connection, so the host's REQUESTs must wait (virtio_vsock_table_hold()).
 *
 * @queue  the event queue, started. A sent event counts as seen when the driver makes another
 *         buffer available after the event.
 *
 * Returns 1 while the event is unsent or not seen; 0 otherwise; or an error of
 * virtio_queue_read_avail_idx(). A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_events_pending(struct virtio_vsock_events *events, struct virtio_queue *queue);

VIRTIO_END_DECLS

#include <virtio/inline/vsock.h>

#endif
