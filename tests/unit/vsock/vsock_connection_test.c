/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The states of a connection: every packet in every state, both ends of a shutdown, deadlines,
 * messages.
 */
#include "vsock_fixture.h"

/* Every state against every packet */

enum start {
	NONE,
	ACCEPTING,
	UNSENT,    /* our REQUEST was not sent yet */
	REQUESTED, /* our REQUEST was sent */
	OPEN,
	PEER_SEND, /* the guest sends no more, and all is forwarded */
	PEER_RCV,  /* the guest receives no more */
	OUR_SEND,
	OUR_RCV,
	OUR_BOTH,
	PEER_BOTH, /* the guest has shut down both directions, and 10 bytes wait for the host */
	RESET,
	STARTS,
};

enum packet {
	INVALID,
	REQUEST,
	RESPONSE,
	RST,
	SHUTDOWN, /* a SHUTDOWN with both flags */
	RW,       /* an RW with a payload of 10 bytes */
	UPDATE,
	ASK,
	UNKNOWN_OP,
	DGRAM, /* a packet of socket type 3 */
	OTHER_TYPE,
	LOST, /* an RW whose payload was refused */
	PACKETS,
};

#define R VIRTIO_VSOCK_GOT_REQUEST
#define P VIRTIO_VSOCK_GOT_RESPONSE
#define D VIRTIO_VSOCK_GOT_DATA
#define S VIRTIO_VSOCK_GOT_SHUTDOWN
#define E VIRTIO_VSOCK_GOT_END

/* The expected result: the flags for the caller, the state, and the reply's op. */
struct row {
	uint32_t got;
	enum virtio_vsock_state state;
	uint16_t answer;
};

/* The results that occur more than once. */
#define STRAY                                                                                                          \
	{                                                                                                              \
		0, VIRTIO_VSOCK_CLOSED, VIRTIO_VSOCK_OP_RST                                                            \
	} /* the result for a packet without a connection */
#define BREAK                                                                                                          \
	{                                                                                                              \
		E, VIRTIO_VSOCK_RESET, VIRTIO_VSOCK_OP_RST                                                             \
	}
#define GONE                                                                                                           \
	{                                                                                                              \
		E, VIRTIO_VSOCK_CLOSED, 0                                                                              \
	}
#define STILL                                                                                                          \
	{                                                                                                              \
		0, VIRTIO_VSOCK_RESET, VIRTIO_VSOCK_OP_RST                                                             \
	}
#define STAY(state)                                                                                                    \
	{                                                                                                              \
		0, VIRTIO_VSOCK_##state, 0                                                                             \
	}
#define ANSWER(state)                                                                                                  \
	{                                                                                                              \
		0, VIRTIO_VSOCK_##state, VIRTIO_VSOCK_OP_CREDIT_UPDATE                                                 \
	}
#define DATA(state)                                                                                                    \
	{                                                                                                              \
		D, VIRTIO_VSOCK_##state, 0                                                                             \
	}
#define CLEAN                                                                                                          \
	{                                                                                                              \
		S | E, VIRTIO_VSOCK_RESET, VIRTIO_VSOCK_OP_RST                                                         \
	}

/*
 * virtio 1.4, 5.10.6.3 to 5.10.6.6. Where the specification does not define a packet, the reply is
 * RST. Hostile 164, 166, 186, 190, 196, 197, 198, 199, 200
 */
static const struct row rows[STARTS][PACKETS] = {
	/*
	 * The columns: invalid, request, response, rst, shutdown, rw, update, ask, unknown op,
	 * dgram, other type, lost.
	 */
	[NONE] = { STRAY,
		   { R, VIRTIO_VSOCK_ACCEPTING, 0 },
		   STRAY,
		   STAY(CLOSED),
		   STRAY,
		   STRAY,
		   STRAY,
		   STRAY,
		   STRAY,
		   STRAY,
		   STRAY,
		   STRAY },
	[ACCEPTING] = { BREAK, BREAK, BREAK, GONE, BREAK, BREAK, BREAK, BREAK, BREAK, BREAK, BREAK, BREAK },
	[UNSENT] = { BREAK, BREAK, BREAK, GONE, BREAK, BREAK, BREAK, BREAK, BREAK, BREAK, BREAK, BREAK },
	[REQUESTED] = { BREAK,
			BREAK,
			{ P, VIRTIO_VSOCK_ESTABLISHED, 0 },
			GONE,
			BREAK,
			BREAK,
			BREAK,
			BREAK,
			BREAK,
			BREAK,
			BREAK,
			BREAK },
	[OPEN] = { BREAK, BREAK, BREAK, GONE, CLEAN, DATA(ESTABLISHED), STAY(ESTABLISHED), ANSWER(ESTABLISHED), BREAK,
		   BREAK, BREAK, BREAK },
	[PEER_SEND] = { BREAK, BREAK, BREAK, GONE, CLEAN, BREAK, STAY(ESTABLISHED), ANSWER(ESTABLISHED), BREAK, BREAK,
			BREAK, BREAK },
	[PEER_RCV] = { BREAK, BREAK, BREAK, GONE, CLEAN, DATA(ESTABLISHED), STAY(ESTABLISHED), ANSWER(ESTABLISHED),
		       BREAK, BREAK, BREAK, BREAK },
	[OUR_SEND] = { BREAK, BREAK, BREAK, GONE, CLEAN, DATA(ESTABLISHED), STAY(ESTABLISHED), ANSWER(ESTABLISHED),
		       BREAK, BREAK, BREAK, BREAK },
	[OUR_RCV] = { BREAK, BREAK, BREAK, GONE, CLEAN, BREAK, STAY(ESTABLISHED), ANSWER(ESTABLISHED), BREAK, BREAK,
		      BREAK, BREAK },
	[OUR_BOTH] = { BREAK, BREAK, BREAK, GONE, CLEAN, BREAK, STAY(CLOSING), ANSWER(CLOSING), BREAK, BREAK, BREAK,
		       BREAK },
	[PEER_BOTH] = { BREAK, BREAK, BREAK, GONE, STAY(CLOSING), BREAK, STAY(CLOSING), ANSWER(CLOSING), BREAK, BREAK,
			BREAK, BREAK },
	[RESET] = { STILL,
		    { R, VIRTIO_VSOCK_ACCEPTING, 0 },
		    STILL,
		    STAY(CLOSED),
		    STILL,
		    STILL,
		    STILL,
		    STILL,
		    STILL,
		    STILL,
		    STILL,
		    STILL },
};

static void go_to(struct sockets *s, enum start start)
{
	const struct virtio_vsock_address address = { VIRTIO_VSOCK_CID_HOST, LOCAL_PORT, GUEST, GUEST_PORT };
	struct virtio_vsock_connection *c = NULL;

	sockets_setup(s, &default_options);
	if (start == NONE)
		return;
	if (start == ACCEPTING) {
		(void)guest_sends(s, VIRTIO_VSOCK_OP_REQUEST, 0);
		return;
	}
	if (start == UNSENT || start == REQUESTED) {
		assert_int_equal(virtio_vsock_table_connect_from(&s->table, STREAM, &address, s->now, &c), 0);
		if (start == REQUESTED)
			assert_int_equal(pending_op(s), VIRTIO_VSOCK_OP_REQUEST);
		return;
	}
	c = sockets_establish(s);
	if (start == PEER_SEND) {
		(void)guest_shuts(s, SEND);
	} else if (start == PEER_RCV) {
		(void)guest_shuts(s, RCV);
	} else if (start == PEER_BOTH) {
		(void)guest_sends(s, VIRTIO_VSOCK_OP_RW, 10);
		(void)guest_shuts(s, RCV | SEND);
	} else if (start == RESET) {
		virtio_vsock_connection_reset(c);
	} else if (start != OPEN) {
		const uint32_t flags = start == OUR_SEND ? SEND : start == OUR_RCV ? RCV : RCV | SEND;

		assert_int_equal(virtio_vsock_connection_shutdown(c, flags, s->now), 0);
		assert_int_equal(pending_op(s), VIRTIO_VSOCK_OP_SHUTDOWN);
	}
	if (start != RESET)
		assert_int_equal(pending_op(s), 0);
}

static void send_kind(struct sockets *s, enum packet packet)
{
	struct virtio_vsock_hdr h;
	uint16_t op = (uint16_t)packet;
	int error = 0;

	if (packet == DGRAM || packet == OTHER_TYPE || packet == LOST)
		op = VIRTIO_VSOCK_OP_RW;
	if (packet == DGRAM)
		s->type = 3;
	if (packet == OTHER_TYPE)
		s->type = SEQPACKET;
	if (packet == LOST)
		error = VIRTIO_EFAULT;
	s->flags = packet == SHUTDOWN ? RCV | SEND : 0;
	h = guest_header(s, GUEST_PORT, LOCAL_PORT, op, op == VIRTIO_VSOCK_OP_RW ? 10 : 0);
	assert_int_equal(virtio_vsock_table_receive(&s->table, &h, error, s->now, &s->got), 0);
}

static void connection_answers_every_packet_in_every_state(void **state)
{
	struct sockets s;

	(void)state;
	for (int start = 0; start < STARTS; start++) {
		for (int packet = 0; packet < PACKETS; packet++) {
			const struct row *row = &rows[start][packet];
			const struct virtio_vsock_connection *c;
			uint16_t answer;

			go_to(&s, (enum start)start);
			send_kind(&s, (enum packet)packet);
			c = sockets_find(&s);
			if (s.got.got != row->got || (c ? c->state : VIRTIO_VSOCK_CLOSED) != (int)row->state)
				fail_msg("state %d, packet %d: got %#x", start, packet, s.got.got);
			answer = pending_op(&s);
			if (answer != row->answer || pending_op(&s) != 0)
				fail_msg("state %d, packet %d: answer %u", start, packet, answer);
			if (row->answer == VIRTIO_VSOCK_OP_RST)
				assert_null(sockets_find(&s));
		}
	}
}

/* A reply carries our credit, and the connection's type and addresses. */
static void connection_packets_carry_valid_credit(void **state)
{
	struct virtio_vsock_connection *c;
	struct virtio_vsock_hdr h;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	c = sockets_establish(&s);
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 30), VIRTIO_VSOCK_GOT_DATA);
	assert_int_equal(virtio_vsock_connection_forwarded(c, 20, 0, s.now), 0);
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0), 0);
	assert_int_equal(pending_packet(&s, &h), VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(virtio_vsock_buf_alloc(&h), BUFFER);
	assert_int_equal(virtio_vsock_fwd_cnt(&h), 20);
	assert_int_equal(virtio_vsock_type(&h), STREAM);
	assert_int_equal(virtio_vsock_src_cid(&h), VIRTIO_VSOCK_CID_HOST);
	assert_int_equal(virtio_vsock_src_port(&h), LOCAL_PORT);
	assert_int_equal(virtio_vsock_dst_port(&h), GUEST_PORT);
	virtio_vsock_connection_reset(c);
	assert_int_equal(pending_packet(&s, &h), VIRTIO_VSOCK_OP_RST);
	assert_int_equal(virtio_vsock_buf_alloc(&h), BUFFER);
	assert_int_equal(virtio_vsock_fwd_cnt(&h), 20);
}

/*
 * Hostile 226: the device sends no data and no CREDIT_REQUEST before one side has answered the
 * other side's REQUEST with a RESPONSE.
 */
static void connection_sends_no_data_before_establishment(void **state)
{
	const struct virtio_vsock_piece piece = { 10, 0 };
	struct virtio_vsock_piece out = { 77, 78 };
	struct virtio_vsock_connection *c;
	struct virtio_vsock_hdr h;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	(void)guest_sends(&s, VIRTIO_VSOCK_OP_REQUEST, 0);
	c = s.got.connection;
	assert_int_equal(virtio_vsock_connection_piece(c, 10, 0, 10, s.now, &out), VIRTIO_ENOTREADY);
	assert_int_equal(virtio_vsock_connection_send(c, &piece, &h), VIRTIO_ENOTREADY);
	assert_int_equal(virtio_vsock_connection_shutdown(c, SEND, s.now), VIRTIO_ENOTREADY);
	assert_int_equal(virtio_vsock_connection_accept(c), 0);
	assert_int_equal(virtio_vsock_connection_accept(c), VIRTIO_ENOTREADY);
	/* RESPONSE must be sent first. */
	assert_int_equal(virtio_vsock_connection_piece(c, 10, 0, 10, s.now, &out), 0);
	assert_int_equal(virtio_vsock_connection_send(c, &piece, &h), VIRTIO_ENOTREADY);
	assert_int_equal(out.bytes, 77);
	assert_int_equal(out.marks, 78);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_RESPONSE);
	assert_int_equal(pending_op(&s), 0);
	assert_int_equal(virtio_vsock_connection_piece(c, 10, 0, 10, s.now, &out), 1);
	sockets_setup(&s, &default_options);
	assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 5, s.now, &c), 0);
	assert_int_equal(virtio_vsock_connection_piece(c, 10, 0, 10, s.now, &out), VIRTIO_ENOTREADY);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(virtio_vsock_connection_piece(c, 10, 0, 10, s.now, &out), VIRTIO_ENOTREADY);
	assert_int_equal(pending_op(&s), 0);
}

/* Hostile 168: SHUTDOWN bits stay set, and undefined bits have no effect. */
static void shutdown_flags_are_sticky(void **state)
{
	struct virtio_vsock_connection *c;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	c = sockets_establish(&s);
	assert_int_equal(guest_shuts(&s, 0), 0);
	assert_int_equal(guest_shuts(&s, 0xfffffffc), 0);
	assert_int_equal(c->shut_by_peer, 0);
	assert_int_equal(guest_shuts(&s, SEND | 0x80), VIRTIO_VSOCK_GOT_SHUTDOWN);
	assert_int_equal(c->shut_by_peer, SEND);
	assert_int_equal(guest_shuts(&s, 0), 0);
	assert_int_equal(guest_shuts(&s, SEND), 0);
	assert_int_equal(c->shut_by_peer, SEND);
	assert_int_equal(c->state, VIRTIO_VSOCK_ESTABLISHED);
	assert_int_equal(pending_op(&s), 0);
	/* The host may still send to the guest. */
	host_sends(c, 100, 0);
	assert_int_equal(guest_shuts(&s, RCV), VIRTIO_VSOCK_GOT_SHUTDOWN | VIRTIO_VSOCK_GOT_END);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_RST);
	assert_null(sockets_find(&s));
}

static void shutdown_refuses_bad_flags(void **state)
{
	struct virtio_vsock_connection *c;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	c = sockets_establish(&s);
	assert_int_equal(virtio_vsock_connection_shutdown(c, 0, s.now), VIRTIO_EINVAL);
	assert_int_equal(virtio_vsock_connection_shutdown(c, 4 | SEND, s.now), VIRTIO_EINVAL);
	assert_int_equal(c->shut_by_us, 0);
	assert_int_equal(pending_op(&s), 0);
	virtio_vsock_connection_reset(c);
	assert_int_equal(virtio_vsock_connection_shutdown(c, SEND, s.now), VIRTIO_ENOTREADY);
	virtio_vsock_connection_reset(c);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_RST);
	virtio_vsock_connection_reset(c);
	assert_int_equal(pending_op(&s), 0);
}

/*
 * Hostile 168, 225: SHUTDOWN follows the last byte of the stream, and has all flags that were set
 * so far.
 */
static void shutdown_of_ours_follows_the_data(void **state)
{
	const struct virtio_vsock_piece piece = { 1, 0 };
	struct virtio_vsock_connection *c;
	struct virtio_vsock_piece out;
	struct virtio_vsock_hdr h;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	c = sockets_establish(&s);
	host_sends(c, 100, 0);
	assert_int_equal(virtio_vsock_connection_shutdown(c, SEND, s.now), 0);
	assert_int_equal(virtio_vsock_connection_piece(c, 1, 0, 1, s.now, &out), VIRTIO_ENOTREADY);
	assert_int_equal(virtio_vsock_connection_send(c, &piece, &h), VIRTIO_ENOTREADY);
	assert_int_equal(pending_packet(&s, &h), VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(virtio_vsock_flags(&h), SEND);
	assert_int_equal(virtio_vsock_connection_shutdown(c, SEND, s.now), 0);
	assert_int_equal(pending_op(&s), 0);
	/* The device still receives the guest's data. */
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 10), VIRTIO_VSOCK_GOT_DATA);
	assert_int_equal(virtio_vsock_connection_shutdown(c, RCV, s.now), 0);
	assert_int_equal(pending_packet(&s, &h), VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(virtio_vsock_flags(&h), RCV | SEND);
	assert_int_equal(c->state, VIRTIO_VSOCK_CLOSING);
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RST, 0), VIRTIO_VSOCK_GOT_END);
	assert_ptr_equal(s.got.connection, c);
	assert_int_equal(pending_op(&s), 0);
}

/*
 * Hostile 224: the guest shuts down both directions. The device sends RST as soon as the host has
 * forwarded all received data. Then the guest can use the same ports again.
 */
static void shutdown_of_the_guest_is_answered_when_drained(void **state)
{
	struct virtio_vsock_connection *c;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	c = sockets_establish(&s);
	(void)guest_sends(&s, VIRTIO_VSOCK_OP_RW, 10);
	(void)guest_sends(&s, VIRTIO_VSOCK_OP_RW, 20);
	assert_int_equal(guest_shuts(&s, RCV | SEND), VIRTIO_VSOCK_GOT_SHUTDOWN);
	assert_false(virtio_vsock_connection_input_ended(c));
	assert_int_equal(pending_op(&s), 0);
	assert_int_equal(virtio_vsock_connection_forwarded(c, 29, 1, s.now), 0);
	assert_int_equal(pending_op(&s), 0);
	assert_int_equal(virtio_vsock_connection_forwarded(c, 1, 1, s.now), 1);
	assert_int_equal(c->state, VIRTIO_VSOCK_RESET);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_RST);
	assert_int_equal(pending_op(&s), 0);
	c = sockets_establish(&s);
	assert_int_equal(c->shut_by_peer, 0);
	assert_int_equal(virtio_vsock_connection_buffered(c), 0);
	/* The connection ends at once, because the host has refused the waiting data. */
	(void)guest_sends(&s, VIRTIO_VSOCK_OP_RW, 10);
	assert_int_equal(virtio_vsock_connection_shutdown(c, RCV, s.now), 0);
	assert_int_equal(guest_shuts(&s, RCV | SEND), VIRTIO_VSOCK_GOT_SHUTDOWN | VIRTIO_VSOCK_GOT_END);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_RST);
	/* The guest shuts down first. Then the host accepts no more data. */
	c = sockets_establish(&s);
	(void)guest_sends(&s, VIRTIO_VSOCK_OP_RW, 10);
	assert_int_equal(guest_shuts(&s, RCV | SEND), VIRTIO_VSOCK_GOT_SHUTDOWN);
	assert_int_equal(virtio_vsock_connection_shutdown(c, RCV, s.now), 1);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_RST);
	assert_int_equal(pending_op(&s), 0);
}

/*
 * If each side has ended its own stream, SHUTDOWN with both flags tells the guest that the
 * connection is over.
 */
static void shutdown_of_both_streams_ends_the_connection(void **state)
{
	struct virtio_vsock_connection *c;
	struct virtio_vsock_hdr h;
	struct sockets s;

	(void)state;
	for (int order = 0; order < 3; order++) {
		sockets_setup(&s, &default_options);
		c = sockets_establish(&s);
		if (order == 2)
			(void)guest_sends(&s, VIRTIO_VSOCK_OP_RW, 10);
		if (order == 0)
			assert_int_equal(virtio_vsock_connection_shutdown(c, SEND, s.now), 0);
		assert_int_equal(guest_shuts(&s, SEND), VIRTIO_VSOCK_GOT_SHUTDOWN);
		assert_int_equal(virtio_vsock_connection_input_ended(c), order != 2);
		if (order != 0)
			assert_int_equal(virtio_vsock_connection_shutdown(c, SEND, s.now), 0);
		if (order == 2) {
			assert_int_equal(pending_packet(&s, &h), VIRTIO_VSOCK_OP_SHUTDOWN);
			assert_int_equal(virtio_vsock_flags(&h), SEND);
			assert_int_equal(virtio_vsock_connection_forwarded(c, 10, 1, s.now), 0);
			assert_true(virtio_vsock_connection_input_ended(c));
		}
		assert_int_equal(pending_packet(&s, &h), VIRTIO_VSOCK_OP_SHUTDOWN);
		assert_int_equal(virtio_vsock_flags(&h), RCV | SEND);
		assert_int_equal(c->state, VIRTIO_VSOCK_CLOSING);
		assert_int_equal(pending_op(&s), 0);
		assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RST, 0), VIRTIO_VSOCK_GOT_END);
	}
}

static void connection_deadlines_end_what_takes_too_long(void **state)
{
	struct virtio_vsock_connection *requested, *closing, *out = NULL;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	assert_int_equal(virtio_vsock_table_deadline(&s.table), VIRTIO_VSOCK_NO_DEADLINE);
	closing = sockets_establish(&s);
	assert_int_equal(virtio_vsock_table_deadline(&s.table), VIRTIO_VSOCK_NO_DEADLINE);
	assert_int_equal(virtio_vsock_connection_shutdown(closing, RCV | SEND, s.now), 0);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(virtio_vsock_table_deadline(&s.table), s.now + 80);
	assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 5, s.now, &requested), 0);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(virtio_vsock_table_deadline(&s.table), s.now + 20);
	assert_int_equal(virtio_vsock_table_expire(&s.table, s.now + 19, &out), 0);
	assert_null(out);
	assert_int_equal(virtio_vsock_table_expire(&s.table, s.now + 20, &out), 1);
	assert_ptr_equal(out, requested);
	assert_int_equal(virtio_vsock_table_expire(&s.table, s.now + 79, &out), 0);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_RST);
	assert_int_equal(virtio_vsock_table_expire(&s.table, s.now + 500, &out), 1);
	assert_ptr_equal(out, closing);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_RST);
	assert_int_equal(s.table.count, 0);
	/*
	 * Hostile 227: if our REQUEST was never sent, its connection ends without an RST. A
	 * connection that the guest requested ends with an RST.
	 */
	assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 5, s.now, &requested), 0);
	assert_int_equal(virtio_vsock_table_expire(&s.table, s.now + 20, &out), 1);
	assert_int_equal(pending_op(&s), 0);
	(void)guest_sends(&s, VIRTIO_VSOCK_OP_REQUEST, 0);
	assert_int_equal(virtio_vsock_table_expire(&s.table, s.now + 20, &out), 1);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_RST);
	assert_int_equal(s.table.count, 0);
	/* The guest has shut both directions, and the host never accepts the waiting bytes. */
	closing = sockets_establish(&s);
	(void)guest_sends(&s, VIRTIO_VSOCK_OP_RW, 10);
	(void)guest_shuts(&s, RCV | SEND);
	assert_int_equal(virtio_vsock_table_deadline(&s.table), s.now + 80);
	assert_int_equal(virtio_vsock_table_expire(&s.table, s.now + 80, &out), 1);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_RST);
	assert_int_equal(virtio_vsock_table_deadline(&s.table), VIRTIO_VSOCK_NO_DEADLINE);
}

/* Hostile 187, 189: on a stream, an RW of length 0 and the flags of any RW are ignored. */
static void stream_data_has_no_marks_and_no_empty_packets(void **state)
{
	struct virtio_vsock_connection *c;
	struct virtio_vsock_piece out = { 77, 78 };
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	c = sockets_establish(&s);
	s.flags = UINT32_MAX;
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 0), 0);
	assert_int_equal(c->rx_packets, 0);
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 7), VIRTIO_VSOCK_GOT_DATA);
	assert_int_equal(s.got.bytes, 7);
	assert_int_equal(s.got.marks, 0);
	assert_int_equal(virtio_vsock_connection_buffered(c), 7);
	assert_int_equal(virtio_vsock_connection_piece(c, 7, EOM, 10, s.now, &out), VIRTIO_EINVAL);
	assert_int_equal(virtio_vsock_connection_piece(c, 0, 0, 10, s.now, &out), VIRTIO_EINVAL);
	assert_int_equal(virtio_vsock_connection_piece(c, 7, 0, 0, s.now, &out), VIRTIO_EINVAL);
	assert_int_equal(out.bytes, 77);
}

/*
 * Hostile 191: records stay separate, also if a record is sent in pieces, is empty, or ends with a
 * packet without data.
 */
static void seqpacket_marks_survive_pieces(void **state)
{
	struct virtio_vsock_connection *c;
	struct virtio_vsock_piece piece = { 77, 78 };
	uint32_t left = 250, pieces = 0;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	s.type = SEQPACKET;
	c = sockets_establish(&s);
	assert_int_equal(virtio_vsock_connection_piece(c, 5, 4, 10, s.now, &piece), VIRTIO_EINVAL);
	assert_int_equal(virtio_vsock_connection_piece(c, 0, 0, 10, s.now, &piece), VIRTIO_EINVAL);
	assert_int_equal(piece.bytes, 77);
	for (; left != 0; pieces++) {
		assert_int_equal(virtio_vsock_connection_piece(c, left, EOM | EOR, 100, s.now, &piece), 1);
		left -= piece.bytes;
		assert_int_equal(piece.marks, left == 0 ? EOM | EOR : 0);
		host_sends(c, piece.bytes, piece.marks);
	}
	assert_int_equal(pieces, 3);
	/* An empty record needs no room. */
	assert_int_equal(virtio_vsock_connection_piece(c, 0, EOM, 0, s.now, &piece), 1);
	assert_int_equal(piece.bytes, 0);
	assert_int_equal(piece.marks, EOM);
	host_sends(c, 0, EOM);

	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 10), VIRTIO_VSOCK_GOT_DATA);
	assert_int_equal(s.got.marks, 0);
	s.flags = EOM | 0xfffffffc;
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 0), VIRTIO_VSOCK_GOT_DATA);
	assert_int_equal(s.got.bytes, 0);
	assert_int_equal(s.got.marks, EOM);
	s.flags = EOM | EOR;
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 0), VIRTIO_VSOCK_GOT_DATA);
	assert_int_equal(s.got.marks, EOM | EOR);
	s.flags = 0;
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 0), 0);
	assert_int_equal(c->rx_packets, 3);
}

/* Hostile 167: if VIRTIO_VSOCK_F_SEQPACKET was not negotiated, SEQPACKET is an unknown type. */
static void seqpacket_without_the_feature_is_reset(void **state)
{
	struct virtio_vsock_connection *c = NULL;
	struct virtio_vsock_hdr h;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	assert_int_equal(virtio_vsock_negotiate(&s.vsock, 1 << VIRTIO_VSOCK_F_STREAM), 0);
	s.type = SEQPACKET;
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_REQUEST, 0), 0);
	assert_int_equal(pending_packet(&s, &h), VIRTIO_VSOCK_OP_RST);
	assert_int_equal(virtio_vsock_type(&h), SEQPACKET);
	assert_int_equal(virtio_vsock_table_connect(&s.table, SEQPACKET, 5, s.now, &c), VIRTIO_ENOTSUP);
	assert_null(c);
	/* Hostile 190: if streams were not negotiated, a request for a stream is reset. */
	assert_int_equal(
		virtio_vsock_negotiate(&s.vsock, 1 << VIRTIO_VSOCK_F_SEQPACKET | 1 << VIRTIO_VSOCK_F_NO_IMPLIED_STREAM),
		0);
	s.type = STREAM;
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_REQUEST, 0), 0);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_RST);
	assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 5, s.now, &c), VIRTIO_ENOTSUP);
}

/* Hostile 186: only the payload of an RW packet is delivered. */
static void request_with_a_payload_delivers_nothing(void **state)
{
	struct virtio_vsock_connection *c;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_REQUEST, 100), VIRTIO_VSOCK_GOT_REQUEST);
	c = s.got.connection;
	assert_int_equal(s.got.bytes, 0);
	assert_int_equal(virtio_vsock_connection_accept(c), 0);
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 100), 0);
	assert_int_equal(virtio_vsock_connection_buffered(c), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connection_answers_every_packet_in_every_state),
		cmocka_unit_test(connection_packets_carry_valid_credit),
		cmocka_unit_test(connection_sends_no_data_before_establishment),
		cmocka_unit_test(shutdown_flags_are_sticky),
		cmocka_unit_test(shutdown_refuses_bad_flags),
		cmocka_unit_test(shutdown_of_ours_follows_the_data),
		cmocka_unit_test(shutdown_of_the_guest_is_answered_when_drained),
		cmocka_unit_test(shutdown_of_both_streams_ends_the_connection),
		cmocka_unit_test(connection_deadlines_end_what_takes_too_long),
		cmocka_unit_test(stream_data_has_no_marks_and_no_empty_packets),
		cmocka_unit_test(seqpacket_marks_survive_pieces),
		cmocka_unit_test(seqpacket_without_the_feature_is_reset),
		cmocka_unit_test(request_with_a_payload_delivers_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
