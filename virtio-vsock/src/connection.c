/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* One connection: its state and its credit. */
#include "table_internal.h"

/* Returns whether the connection may receive data and credit in its state. */
static bool is_open(const struct virtio_vsock_connection *c)
{
	return c->state == VIRTIO_VSOCK_ESTABLISHED || c->state == VIRTIO_VSOCK_CLOSING;
}

static void add_pending(struct virtio_vsock_connection *c, uint32_t what)
{
	c->pending |= what;
	virtio_impl_vsock_queue(c);
}

void virtio_impl_vsock_init(struct virtio_vsock_connection *c, uint16_t type)
{
	c->user = NULL;
	c->type = type;
	c->state = VIRTIO_VSOCK_CLOSED;
	c->shut_by_us = 0;
	c->shut_by_peer = 0;
	c->credit_bad = false;
	c->blocked = false;
	c->pending = 0;
	c->buf_alloc = c->table->options.buf_alloc;
	c->rx_cnt = 0;
	c->fwd_cnt = 0;
	c->told_fwd_cnt = 0;
	c->rx_packets = 0;
	c->peer_buf_alloc = 0;
	c->tx_cnt = 0;
	c->peer_fwd_cnt = 0;
	c->tx_packets = 0;
	c->mark_count = 0;
	c->message_bytes = 0;
	c->message_packets = 0;
}

void virtio_impl_vsock_end(struct virtio_vsock_connection *c)
{
	/* A request that was never sent needs no RST. */
	if (c->pending & VIRTIO_VSOCK_PENDING_REQUEST) {
		virtio_impl_vsock_close(c);
		return;
	}
	c->state = VIRTIO_VSOCK_RESET;
	c->blocked = false;
	/*
	 * If the caller has cleared PENDING_REQUEST, the connection is still in table->requests.
	 * This call removes the connection, because virtio_vsock_table_hold() may hold back that
	 * list, but the RST must be sent.
	 */
	virtio_impl_vsock_queue(c);
	c->pending = VIRTIO_VSOCK_PENDING_RST;
	virtio_impl_vsock_set_timer(c, TIMER_NONE, 0);
	virtio_impl_vsock_queue(c);
}

/* Credit: what the guest may send */

uint32_t virtio_vsock_connection_buffered(const struct virtio_vsock_connection *c)
{
	return c->rx_cnt - c->fwd_cnt;
}

/*
 * Makes a CREDIT_UPDATE pending if the guest should learn how much it may send. Call this after
 * each change of fwd_cnt or rx_cnt, unless the guest has shut down sending. A change of rx_cnt
 * matters because received data reduces the room that the guest knows of.
 *
 * A waiting guest needs room for at most one whole packet. Whenever the guest knows of less room,
 * we report all forwarded bytes, so no packet waits for ever. The rule about a quarter of the
 * buffer is for speed. With this rule the guest rarely has to wait.
 */
static void update_if_due(struct virtio_vsock_connection *c)
{
	const uint32_t untold = c->fwd_cnt - c->told_fwd_cnt;
	/* If the guest has sent more than our last reported credit permits, `known` is 0. */
	const uint32_t used = c->rx_cnt - c->told_fwd_cnt;
	const uint32_t known = used < c->buf_alloc ? c->buf_alloc - used : 0;
	const uint32_t packet = c->table->options.max_payload;

	if (untold != 0 && (untold >= c->buf_alloc / 4 || known < packet))
		add_pending(c, VIRTIO_VSOCK_PENDING_UPDATE);
}

static bool drained(const struct virtio_vsock_connection *c)
{
	return c->rx_cnt == c->fwd_cnt && c->rx_packets == 0;
}

/*
 * Acts on a SHUTDOWN of either side, and on forwarded data. Returns whether the connection has
 * ended.
 */
static bool settle(struct virtio_vsock_connection *c, uint64_t now)
{
	const uint32_t both = VIRTIO_VSOCK_SHUTDOWN_BOTH;

	/*
	 * The answer to a full shutdown is an RST (virtio 1.4, 5.10.6.5). The RST waits while data
	 * is left that the host may still accept.
	 */
	if (c->shut_by_peer == both && (drained(c) || (c->shut_by_us & VIRTIO_VSOCK_SHUTDOWN_RCV))) {
		virtio_impl_vsock_end(c);
		return true;
	}
	/*
	 * Neither side will send more data, but the guest ends the connection only after a SHUTDOWN
	 * with both flags.
	 */
	if (c->shut_by_us == VIRTIO_VSOCK_SHUTDOWN_SEND && (c->shut_by_peer & VIRTIO_VSOCK_SHUTDOWN_SEND) &&
	    drained(c)) {
		c->shut_by_us = (uint8_t)both;
		add_pending(c, VIRTIO_VSOCK_PENDING_SHUTDOWN);
	}
	if ((c->shut_by_us == both || c->shut_by_peer == both) && c->state == VIRTIO_VSOCK_ESTABLISHED) {
		c->state = VIRTIO_VSOCK_CLOSING;
		c->blocked = false;
		c->pending &= ~(uint32_t)VIRTIO_VSOCK_PENDING_CREDIT_REQUEST;
		virtio_impl_vsock_set_timer(c, TIMER_CLOSE, now);
		virtio_impl_vsock_queue(c);
	}
	return false;
}

int virtio_vsock_connection_forwarded(struct virtio_vsock_connection *c, uint32_t bytes, uint32_t packets, uint64_t now)
{
	if (!is_open(c))
		return 0;
	if (bytes > c->rx_cnt - c->fwd_cnt || packets > c->rx_packets ||
	    (packets == c->rx_packets && bytes != c->rx_cnt - c->fwd_cnt))
		return VIRTIO_EINVAL;
	c->fwd_cnt += bytes;
	c->rx_packets -= packets;
	if (settle(c, now))
		return 1;
	if (!(c->shut_by_peer & VIRTIO_VSOCK_SHUTDOWN_SEND))
		update_if_due(c);
	return 0;
}

bool virtio_vsock_connection_input_ended(const struct virtio_vsock_connection *c)
{
	return (c->shut_by_peer & VIRTIO_VSOCK_SHUTDOWN_SEND) && drained(c);
}

int virtio_vsock_connection_set_buffer(struct virtio_vsock_connection *c, uint32_t buf_alloc)
{
	if (buf_alloc < c->buf_alloc)
		return VIRTIO_EINVAL;
	if (buf_alloc == c->buf_alloc)
		return 0;
	c->buf_alloc = buf_alloc;
	if (is_open(c))
		add_pending(c, VIRTIO_VSOCK_PENDING_ANSWER);
	return 0;
}

/* Credit: what may be sent to the guest */

/*
 * Returns the bytes of the guest's buffer that no payload uses (virtio 1.4, 5.10.6.3). Returns 0
 * while the guest's last fwd_cnt is invalid.
 */
static uint32_t peer_free(const struct virtio_vsock_connection *c)
{
	const uint32_t used = c->tx_cnt - c->peer_fwd_cnt;

	return !c->credit_bad && used < c->peer_buf_alloc ? c->peer_buf_alloc - used : 0;
}

/*
 * Returns how many bytes of payload the next packet may have. Sets *out_empty to whether an empty
 * packet may be sent.
 */
static uint32_t may_send(const struct virtio_vsock_connection *c, bool *out_empty)
{
	const uint32_t bytes = peer_free(c);
	const uint64_t charged = ((uint64_t)c->tx_packets + 1) * c->table->options.packet_overhead;

	*out_empty = c->peer_buf_alloc != 0 && !c->credit_bad && (charged <= bytes || c->tx_packets == 0);
	if (charged < bytes)
		return bytes - (uint32_t)charged;
	/*
	 * If no packet is outstanding, ignore the overhead. Without this exception a connection
	 * with a small buffer could block for ever.
	 */
	return c->tx_packets == 0 ? bytes : 0;
}

/* Returns whether a blocked connection may send a part of its data, or an empty message. */
static bool may_go_on(const struct virtio_vsock_connection *c)
{
	bool empty;

	return may_send(c, &empty) != 0 || (empty && c->type == VIRTIO_VSOCK_TYPE_SEQPACKET);
}

/*
 * A mark is a group of sent packets: see struct virtio_vsock_mark. The first mark may cover packets
 * of earlier messages and of the unfinished message. If all outstanding bytes belong to the
 * unfinished message, subtracts the packets of earlier messages from this mark and from tx_packets.
 * Without this step the overhead of those packets could stall the connection. A guest that forwards
 * only whole messages reports no credit before the unfinished message ends.
 */
static void drop_earlier_messages(struct virtio_vsock_connection *c, uint32_t left)
{
	uint32_t more;

	if (left > c->message_bytes || c->tx_packets <= c->message_packets || c->mark_count == 0)
		return;
	more = c->tx_packets - c->message_packets;
	if (more > c->marks[0].packets)
		more = c->marks[0].packets;
	c->marks[0].packets -= more;
	c->tx_packets -= more;
}

/*
 * Drops the marks of packets that the guest has forwarded. Distances from tx_cnt do not wrap,
 * because at most 2^32 - 1 bytes are outstanding.
 */
static void drop_marks(struct virtio_vsock_connection *c)
{
	const uint32_t left = c->tx_cnt - c->peer_fwd_cnt;
	uint32_t gone = 0;

	while (gone < c->mark_count && c->tx_cnt - c->marks[gone].end >= left) {
		c->tx_packets -= c->marks[gone].packets;
		gone++;
	}
	c->mark_count -= gone;
	for (uint32_t i = 0; gone != 0 && i < c->mark_count; i++)
		c->marks[i] = c->marks[i + gone];
	drop_earlier_messages(c, left);
}

/*
 * Records a sent packet. If there is no room for its mark, each pair of neighbouring marks is
 * joined into the later mark.
 */
static void add_mark(struct virtio_vsock_connection *c)
{
	if (c->mark_count == VIRTIO_VSOCK_MARKS) {
		for (uint32_t i = 0; i < VIRTIO_VSOCK_MARKS / 2; i++) {
			c->marks[i].end = c->marks[2 * i + 1].end;
			c->marks[i].packets = c->marks[2 * i].packets + c->marks[2 * i + 1].packets;
		}
		c->mark_count = VIRTIO_VSOCK_MARKS / 2;
	}
	c->marks[c->mark_count].end = c->tx_cnt;
	c->marks[c->mark_count].packets = 1;
	c->mark_count++;
	c->tx_packets++;
}

/* Counts a sent packet in the unfinished message. SEQ_EOM ends the message. */
static void add_to_message(struct virtio_vsock_connection *c, const struct virtio_vsock_piece *piece)
{
	const bool goes_on = c->type == VIRTIO_VSOCK_TYPE_SEQPACKET && !(piece->marks & VIRTIO_VSOCK_SEQ_EOM);
	/* A message may be endless. The count must not wrap to 0, because 0 means no message. */
	const uint32_t packets = c->message_packets + (c->message_packets != UINT32_MAX);

	c->message_bytes = goes_on ? c->message_bytes + piece->bytes : 0;
	c->message_packets = goes_on ? packets : 0;
}

void virtio_impl_vsock_take_credit(struct virtio_vsock_connection *c, const struct virtio_vsock_hdr *header)
{
	const uint32_t fwd_cnt = virtio_vsock_fwd_cnt(header);

	c->peer_buf_alloc = virtio_vsock_buf_alloc(header);
	/* A valid fwd_cnt does not decrease, and does not exceed the bytes that were sent. */
	c->credit_bad = fwd_cnt - c->peer_fwd_cnt > c->tx_cnt - c->peer_fwd_cnt;
	if (c->credit_bad)
		return;
	c->peer_fwd_cnt = fwd_cnt;
	drop_marks(c);
}

/*
 * Makes a CREDIT_REQUEST pending when the connection begins to wait. A timer repeats the
 * CREDIT_REQUEST until there is credit.
 */
static void wait_for_credit(struct virtio_vsock_connection *c, uint64_t now)
{
	if (c->blocked)
		return;
	c->blocked = true;
	virtio_impl_vsock_set_timer(c, TIMER_RETRY, now);
	add_pending(c, VIRTIO_VSOCK_PENDING_CREDIT_REQUEST);
}

static void stop_waiting(struct virtio_vsock_connection *c)
{
	c->blocked = false;
	c->pending &= ~(uint32_t)VIRTIO_VSOCK_PENDING_CREDIT_REQUEST;
	virtio_impl_vsock_set_timer(c, TIMER_NONE, 0);
	virtio_impl_vsock_queue(c);
}

void virtio_impl_vsock_ask_again(struct virtio_vsock_connection *c, uint64_t now)
{
	virtio_impl_vsock_set_timer(c, TIMER_RETRY, now);
	add_pending(c, VIRTIO_VSOCK_PENDING_CREDIT_REQUEST);
}

static int check_piece(const struct virtio_vsock_connection *c, uint32_t bytes, uint32_t marks)
{
	const uint32_t known = c->type == VIRTIO_VSOCK_TYPE_SEQPACKET
				       ? (uint32_t)VIRTIO_VSOCK_SEQ_EOM | (uint32_t)VIRTIO_VSOCK_SEQ_EOR
				       : 0;

	if (marks & ~known || (bytes == 0 && marks == 0))
		return VIRTIO_EINVAL;
	if (c->state != VIRTIO_VSOCK_ESTABLISHED || (c->shut_by_us & VIRTIO_VSOCK_SHUTDOWN_SEND) ||
	    (c->shut_by_peer & VIRTIO_VSOCK_SHUTDOWN_RCV))
		return VIRTIO_ENOTREADY;
	return 0;
}

int virtio_vsock_connection_piece(struct virtio_vsock_connection *c, uint32_t left, uint32_t marks, uint32_t room,
				  uint64_t now, struct virtio_vsock_piece *out)
{
	int error = check_piece(c, left, marks);
	uint32_t bytes, most;
	bool empty;

	if (!error && left != 0 && room == 0)
		error = VIRTIO_EINVAL;
	if (error)
		return error;
	/* A pending RESPONSE must be sent before any data. */
	if (c->pending & VIRTIO_VSOCK_PENDING_RESPONSE)
		return 0;
	most = may_send(c, &empty);
	if (left != 0 ? most == 0 : !empty) {
		wait_for_credit(c, now);
		return 0;
	}
	bytes = left < most ? left : most;
	bytes = bytes < room ? bytes : room;
	out->bytes = bytes;
	out->marks = bytes == left ? marks : 0;
	return 1;
}

int virtio_vsock_connection_send(struct virtio_vsock_connection *c, const struct virtio_vsock_piece *piece,
				 struct virtio_vsock_hdr *out)
{
	int error = check_piece(c, piece->bytes, piece->marks);
	uint32_t most;
	bool empty;

	if (!error && (c->pending & VIRTIO_VSOCK_PENDING_RESPONSE))
		error = VIRTIO_ENOTREADY;
	if (error)
		return error;
	most = may_send(c, &empty);
	if (piece->bytes > most || (piece->bytes == 0 && !empty))
		return VIRTIO_ENOBUFS;
	virtio_impl_vsock_fill(c, VIRTIO_VSOCK_OP_RW, out);
	virtio_vsock_set_len(out, piece->bytes);
	virtio_vsock_set_flags(out, piece->marks);
	c->tx_cnt += piece->bytes;
	add_mark(c);
	add_to_message(c, piece);
	if (c->blocked)
		stop_waiting(c);
	return 0;
}

void virtio_impl_vsock_fill(struct virtio_vsock_connection *c, uint16_t op, struct virtio_vsock_hdr *out)
{
	memset(out, 0, sizeof *out);
	virtio_vsock_set_src_cid(out, c->address.local_cid);
	virtio_vsock_set_dst_cid(out, c->address.peer_cid);
	virtio_vsock_set_src_port(out, c->address.local_port);
	virtio_vsock_set_dst_port(out, c->address.peer_port);
	virtio_vsock_set_type(out, c->type);
	virtio_vsock_set_op(out, op);
	virtio_vsock_set_buf_alloc(out, c->buf_alloc);
	virtio_vsock_set_fwd_cnt(out, c->fwd_cnt);
	c->told_fwd_cnt = c->fwd_cnt;
	if (c->pending & VIRTIO_VSOCK_PENDING_UPDATE) {
		c->pending &= ~(uint32_t)VIRTIO_VSOCK_PENDING_UPDATE;
		virtio_impl_vsock_queue(c);
	}
}

/* Accept, reset and shut down */

int virtio_vsock_connection_accept(struct virtio_vsock_connection *c)
{
	if (c->state != VIRTIO_VSOCK_ACCEPTING)
		return VIRTIO_ENOTREADY;
	c->state = VIRTIO_VSOCK_ESTABLISHED;
	virtio_impl_vsock_set_timer(c, TIMER_NONE, 0);
	add_pending(c, VIRTIO_VSOCK_PENDING_RESPONSE);
	return 0;
}

void virtio_vsock_connection_reset(struct virtio_vsock_connection *c)
{
	if (c->state != VIRTIO_VSOCK_CLOSED && c->state != VIRTIO_VSOCK_RESET)
		virtio_impl_vsock_end(c);
}

int virtio_vsock_connection_shutdown(struct virtio_vsock_connection *c, uint32_t flags, uint64_t now)
{
	if (flags == 0 || flags & ~VIRTIO_VSOCK_SHUTDOWN_BOTH)
		return VIRTIO_EINVAL;
	if (!is_open(c))
		return VIRTIO_ENOTREADY;
	if (flags & ~(uint32_t)c->shut_by_us) {
		c->shut_by_us |= (uint8_t)flags;
		add_pending(c, VIRTIO_VSOCK_PENDING_SHUTDOWN);
	}
	if (c->blocked && (c->shut_by_us & VIRTIO_VSOCK_SHUTDOWN_SEND))
		stop_waiting(c);
	return settle(c, now);
}

/* Packets */

/* Receives payload of an open connection. Returns false for payload that resets the connection. */
static bool receive_data(struct virtio_vsock_connection *c, const struct virtio_vsock_hdr *header,
			 struct virtio_vsock_received *out)
{
	const uint32_t len = virtio_vsock_len(header);
	uint32_t marks = 0;

	if ((c->shut_by_peer & VIRTIO_VSOCK_SHUTDOWN_SEND) || (c->shut_by_us & VIRTIO_VSOCK_SHUTDOWN_RCV))
		return false;
	if (c->type == VIRTIO_VSOCK_TYPE_SEQPACKET)
		marks = (virtio_vsock_ends_message(header) ? (uint32_t)VIRTIO_VSOCK_SEQ_EOM : 0) |
			(virtio_vsock_ends_record(header) ? (uint32_t)VIRTIO_VSOCK_SEQ_EOR : 0);
	/* An empty packet is not the end of the stream, and has no effect. */
	if (len == 0 && marks == 0)
		return true;
	if (len > c->buf_alloc - (c->rx_cnt - c->fwd_cnt) || c->rx_packets >= c->table->options.max_packets) {
		c->table->overruns++;
		return false;
	}
	c->rx_cnt += len;
	c->rx_packets++;
	update_if_due(c);
	out->got |= VIRTIO_VSOCK_GOT_DATA;
	out->bytes = len;
	out->marks = marks;
	return true;
}

static void receive_shutdown(struct virtio_vsock_connection *c, const struct virtio_vsock_hdr *header, uint64_t now,
			     struct virtio_vsock_received *out)
{
	/* Bits of shut_by_peer stay set. Undefined bits are ignored (virtio 1.4, 5.10.6.5). */
	const uint32_t flags = (virtio_vsock_shuts_receive(header) ? (uint32_t)VIRTIO_VSOCK_SHUTDOWN_RCV : 0) |
			       (virtio_vsock_shuts_send(header) ? (uint32_t)VIRTIO_VSOCK_SHUTDOWN_SEND : 0);

	if (flags & ~(uint32_t)c->shut_by_peer) {
		c->shut_by_peer |= (uint8_t)flags;
		out->got |= VIRTIO_VSOCK_GOT_SHUTDOWN;
	}
	if (c->blocked && (c->shut_by_peer & VIRTIO_VSOCK_SHUTDOWN_RCV))
		stop_waiting(c);
	if (settle(c, now))
		out->got |= VIRTIO_VSOCK_GOT_END;
}

/* Ends a connection because of a bad packet of the guest. */
static void refuse(struct virtio_vsock_connection *c, struct virtio_vsock_received *out)
{
	out->got |= VIRTIO_VSOCK_GOT_END;
	virtio_impl_vsock_end(c);
}

static void receive_open(struct virtio_vsock_connection *c, const struct virtio_vsock_hdr *header, uint64_t now,
			 struct virtio_vsock_received *out)
{
	virtio_impl_vsock_take_credit(c, header);
	if (c->blocked && may_go_on(c)) {
		stop_waiting(c);
		out->got |= VIRTIO_VSOCK_GOT_CREDIT;
	}
	switch (virtio_vsock_op(header)) {
	case VIRTIO_VSOCK_OP_RW:
		if (receive_data(c, header, out))
			return;
		break;
	case VIRTIO_VSOCK_OP_SHUTDOWN:
		receive_shutdown(c, header, now, out);
		return;
	case VIRTIO_VSOCK_OP_CREDIT_UPDATE:
		return;
	case VIRTIO_VSOCK_OP_CREDIT_REQUEST:
		add_pending(c, VIRTIO_VSOCK_PENDING_ANSWER);
		return;
	default:
		break;
	}
	out->got &= ~(uint32_t)VIRTIO_VSOCK_GOT_CREDIT;
	refuse(c, out);
}

void virtio_impl_vsock_receive(struct virtio_vsock_connection *c, const struct virtio_vsock_hdr *header, uint64_t now,
			       struct virtio_vsock_received *out)
{
	if (virtio_vsock_op(header) == VIRTIO_VSOCK_OP_RST) {
		out->got = VIRTIO_VSOCK_GOT_END;
		virtio_impl_vsock_close(c);
		return;
	}
	if (is_open(c)) {
		receive_open(c, header, now, out);
		return;
	}
	/* A RESPONSE that arrives before our REQUEST was sent does not answer the REQUEST. */
	if (c->state == VIRTIO_VSOCK_REQUESTED && virtio_vsock_op(header) == VIRTIO_VSOCK_OP_RESPONSE &&
	    !(c->pending & VIRTIO_VSOCK_PENDING_REQUEST)) {
		c->state = VIRTIO_VSOCK_ESTABLISHED;
		virtio_impl_vsock_set_timer(c, TIMER_NONE, 0);
		virtio_impl_vsock_take_credit(c, header);
		out->got = VIRTIO_VSOCK_GOT_RESPONSE;
		return;
	}
	c->pending &= ~(uint32_t)VIRTIO_VSOCK_PENDING_REQUEST;
	refuse(c, out);
}
