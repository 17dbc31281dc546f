/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Two peers, each with a table, send each other streams or messages over wires with random delays.
 * Each peer counts in 64 bits how many bytes were really sent, received and forwarded. No buffer
 * ever overruns, and both peers finish. The tests try many sizes of buffers and packets, buffers
 * that grow, and counters that pass 2^32. A reader of a stream may forward a part of the received
 * data. A reader of messages forwards whole messages only.
 */
#include <stdlib.h>

#include "vsock_fixture.h"

#define WIRE 64u

/* Packets in transit, in order. */
struct wire {
	struct virtio_vsock_hdr packets[WIRE];
	uint32_t first, count;
};

struct peer {
	struct virtio_vsock vsock;
	struct virtio_vsock_table table;
	struct virtio_vsock_connection places[1], *buckets[1];
	struct virtio_vsock_hdr replies[1];
	struct virtio_vsock_connection *c;
	uint32_t buffer, max_packet;
	uint32_t packets; /* packets in the buffer, except packets of an unfinished message */
	uint64_t sent, received, forwarded;
	/* Messages. */
	bool is_sending;
	uint32_t left, marks;  /* unsent bytes and flags of the message that is being sent */
	uint32_t part, pieces; /* bytes and packets received of an unfinished message */
	uint32_t whole;        /* bytes of whole messages in the buffer */
	uint64_t said, heard;  /* hash of all messages sent, and of all messages received */
};

struct run {
	struct peer peers[2];
	struct wire wires[2]; /* indexed by the receiving peer */
	uint64_t goal;        /* bytes that each peer sends */
	uint64_t now;
	uint32_t random;
	bool counts_packets; /* one of the peers charges an overhead for each packet */
	uint16_t type;
	bool grows; /* buffers become larger */
};

static uint32_t draw(struct run *r, uint32_t below)
{
	r->random = r->random * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)(r->random >> 8) * below) >> 24);
}

static void peer_init(struct peer *p, uint32_t cid, uint32_t buffer, uint32_t max_packet, uint32_t overhead)
{
	const struct virtio_vsock_options options = {
		.buf_alloc = buffer,
		.max_packets = UINT32_MAX,
		.max_payload = max_packet,
		.packet_overhead = overhead,
		.connect_timeout = 1,
		.close_timeout = 1,
		.credit_retry = 50,
		.first_port = 1,
		.last_port = 1,
	};
	const struct virtio_vsock_table_storage storage = { p->places, 1, p->buckets, 1, p->replies, 1 };
	const uint64_t seed[2] = { 1, 2 };

	memset(p, 0, sizeof *p);
	p->buffer = buffer;
	p->max_packet = max_packet;
	assert_int_equal(virtio_vsock_init(&p->vsock, cid, true), 0);
	assert_int_equal(virtio_vsock_negotiate(&p->vsock, virtio_vsock_offered(&p->vsock)), 0);
	assert_int_equal(virtio_vsock_table_init(&p->table, &p->vsock, &options, &storage, seed), 0);
}

/* Changes the header into one that a guest would send, because each table acts as the host. */
static void put(struct wire *wire, const struct virtio_vsock_hdr *header)
{
	struct virtio_vsock_hdr *h = &wire->packets[(wire->first + wire->count) % WIRE];

	*h = *header;
	virtio_vsock_set_src_cid(h, virtio_vsock_dst_cid(header) == 3 ? 4 : 3);
	virtio_vsock_set_dst_cid(h, 2);
	wire->count++;
}

/* Sets the counters of a new connection to values that wrap after `before` bytes. */
static void begin_near_the_end(struct virtio_vsock_connection *c, struct virtio_vsock_connection *other,
			       uint32_t before)
{
	const uint32_t at = 0u - before;

	c->tx_cnt = c->peer_fwd_cnt = at;
	other->rx_cnt = other->fwd_cnt = other->told_fwd_cnt = at;
}

static void establish(struct run *r)
{
	const struct virtio_vsock_address to_1 = { 2, 1, 3, 9 };
	struct virtio_vsock_received got;
	struct virtio_vsock_hdr h;
	struct peer *a = &r->peers[0], *b = &r->peers[1];

	assert_int_equal(virtio_vsock_table_connect_from(&a->table, r->type, &to_1, r->now, &a->c), 0);
	assert_int_equal(virtio_vsock_table_next(&a->table, &h), 1);
	put(&r->wires[1], &h);
	assert_int_equal(virtio_vsock_table_receive(&b->table, &r->wires[1].packets[0], 0, r->now, &got), 0);
	b->c = got.connection;
	assert_int_equal(virtio_vsock_connection_accept(b->c), 0);
	assert_int_equal(virtio_vsock_table_next(&b->table, &h), 1);
	put(&r->wires[0], &h);
	assert_int_equal(virtio_vsock_table_receive(&a->table, &r->wires[0].packets[0], 0, r->now, &got), 0);
	assert_int_equal(got.got, VIRTIO_VSOCK_GOT_RESPONSE);
	r->wires[0].count = r->wires[1].count = 0;
	begin_near_the_end(a->c, b->c, 100);
	begin_near_the_end(b->c, a->c, 0x7fffff00);
}

/*
 * Adds a message to a hash of all messages. Equal hashes mean equal lengths and marks in the same
 * order.
 */
static uint64_t add_message(uint64_t all, uint32_t bytes, uint32_t marks)
{
	return (all ^ bytes ^ (uint64_t)marks << 40) * UINT64_C(0x100000001b3) + 1;
}

/*
 * Chooses the next message. The message must fit into the reader's buffer, because the reader
 * forwards nothing before the message's end.
 */
static void begin_message(struct run *r, struct peer *p, uint64_t left)
{
	const struct peer *other = &r->peers[p == &r->peers[0]];
	const uint32_t buffer = other->buffer < 0xffffff ? other->buffer : 0xffffff;
	const uint32_t bytes = draw(r, 4) ? draw(r, buffer + 1) : buffer;

	p->left = left < bytes ? (uint32_t)left : bytes;
	p->marks = EOM | (draw(r, 2) ? EOR : 0);
	p->is_sending = true;
	p->said = add_message(p->said, p->left, p->marks);
}

/*
 * Finds the next piece of a message or stream that may be sent. Returns false if there is no such
 * piece.
 */
static bool next_piece(struct run *r, struct peer *p, struct virtio_vsock_piece *piece)
{
	const uint64_t left = r->goal - p->sent;
	uint32_t want;

	if (r->type == SEQPACKET) {
		if (!p->is_sending && left != 0)
			begin_message(r, p, left);
		return p->is_sending &&
		       virtio_vsock_connection_piece(p->c, p->left, p->marks, p->max_packet, r->now, piece) == 1;
	}
	if (left == 0)
		return false;
	want = draw(r, 2) ? p->max_packet : 1 + draw(r, p->max_packet);
	want = left < want ? (uint32_t)left : want;
	return virtio_vsock_connection_piece(p->c, want, 0, p->max_packet, r->now, piece) == 1;
}

/*
 * A peer puts its next packet on the wire: a pending packet, or data. Returns whether a packet was
 * put on the wire.
 */
static bool send_one(struct run *r, struct peer *p, struct wire *wire)
{
	struct virtio_vsock_piece piece;
	struct virtio_vsock_hdr h;

	if (wire->count == WIRE)
		return false;
	if (virtio_vsock_table_next(&p->table, &h) == 1) {
		put(wire, &h);
		return true;
	}
	if (!next_piece(r, p, &piece))
		return false;
	assert_int_equal(virtio_vsock_connection_send(p->c, &piece, &h), 0);
	p->sent += piece.bytes;
	p->left -= r->type == SEQPACKET ? piece.bytes : 0;
	p->is_sending = p->is_sending && !(piece.marks & EOM);
	put(wire, &h);
	return true;
}

/* Receives a piece of a message. The last piece completes the message. */
static void take_piece(struct peer *p, const struct virtio_vsock_received *got)
{
	p->part += got->bytes;
	p->pieces++;
	if (!(got->marks & EOM))
		return;
	p->heard = add_message(p->heard, p->part, got->marks);
	p->whole += p->part;
	p->packets += p->pieces;
	p->part = p->pieces = 0;
}

static bool receive_one(struct run *r, struct peer *p, struct wire *wire)
{
	struct virtio_vsock_received got;

	if (wire->count == 0)
		return false;
	assert_int_equal(virtio_vsock_table_receive(&p->table, &wire->packets[wire->first], 0, r->now, &got), 0);
	wire->first = (wire->first + 1) % WIRE;
	wire->count--;
	/* An overrun would have reset the connection. */
	assert_false(got.got & VIRTIO_VSOCK_GOT_END);
	if (got.got & VIRTIO_VSOCK_GOT_DATA) {
		p->received += got.bytes;
		if (r->type == SEQPACKET)
			take_piece(p, &got);
		else
			p->packets++;
	}
	assert_true(p->received - p->forwarded <= p->buffer);
	assert_int_equal(virtio_vsock_connection_buffered(p->c), p->received - p->forwarded);
	return true;
}

static bool forward_some(struct run *r, struct peer *p)
{
	const uint32_t there = (uint32_t)(p->received - p->forwarded);
	uint32_t bytes;

	if (r->type == SEQPACKET) {
		const bool has = p->packets != 0;

		assert_int_equal(virtio_vsock_connection_forwarded(p->c, p->whole, p->packets, r->now), 0);
		p->forwarded += p->whole;
		p->whole = p->packets = 0;
		return has;
	}
	if (there == 0)
		return false;
	bytes = draw(r, 3) ? there : draw(r, there < 0xffffff ? there : 0xffffff) + 1;
	assert_int_equal(virtio_vsock_connection_forwarded(p->c, bytes, bytes == there ? p->packets : 0, r->now), 0);
	p->packets = bytes == there ? 0 : p->packets;
	p->forwarded += bytes;
	return true;
}

static bool done(const struct run *r)
{
	/* If received messages differ from sent messages, the run stalls, and the test fails. */
	return r->peers[0].forwarded == r->goal && r->peers[1].forwarded == r->goal && !r->peers[0].is_sending &&
	       !r->peers[1].is_sending && r->peers[0].heard == r->peers[1].said &&
	       r->peers[1].heard == r->peers[0].said;
}

static void check_counters(const struct run *r)
{
	for (int i = 0; i < 2; i++) {
		const struct peer *p = &r->peers[i], *other = &r->peers[1 - i];

		assert_true(p->sent >= other->received && p->sent - other->forwarded <= other->buffer);
	}
}

/* Returns whether a reader has forwarded all that it can. */
static bool is_read(const struct run *r, const struct peer *p)
{
	return r->type == SEQPACKET ? p->packets == 0 : p->received == p->forwarded;
}

static bool at_rest(const struct run *r)
{
	return r->wires[0].count == 0 && r->wires[1].count == 0 && is_read(r, &r->peers[0]) && is_read(r, &r->peers[1]);
}

/* Sometimes makes a buffer larger, which the connection reports to the other side. */
static void grow(struct run *r, struct peer *p)
{
	const uint32_t more = UINT32_MAX - p->buffer;

	if (!r->grows || draw(r, 100) != 0)
		return;
	p->buffer += draw(r, (more < 0xffff ? more : 0xffff) + 1);
	assert_int_equal(virtio_vsock_connection_set_buffer(p->c, p->buffer), 0);
}

/*
 * Takes steps in a random order. After 200 steps without effect, time passes, and senders may
 * repeat a request for credit. Senders that count only bytes never need to repeat the request. A
 * sender that counts packets may need to, because the receiver does not know how much credit the
 * sender waits for.
 */
static void run_to_the_end(struct run *r)
{
	struct virtio_vsock_connection *out;
	uint32_t idle = 0, waits = 0;

	for (uint64_t steps = 0; !done(r); steps++) {
		const uint32_t which = draw(r, 2), what = draw(r, 5);
		struct peer *p = &r->peers[which];
		bool progress = false;

		assert_true(steps < 5000000);
		if (what < 2)
			progress = send_one(r, p, &r->wires[1 - which]);
		else if (what < 4)
			progress = receive_one(r, p, &r->wires[which]);
		else
			progress = forward_some(r, p);
		grow(r, p);
		check_counters(r);
		idle = progress ? 0 : idle + 1;
		waits = progress ? 0 : waits;
		if (idle < 200)
			continue;
		assert_true(++waits < 3);
		if (at_rest(r) && !r->counts_packets)
			fail_msg("stalled with buffers of %u and %u", r->peers[0].buffer, r->peers[1].buffer);
		r->now += 50;
		assert_int_equal(virtio_vsock_table_expire(&r->peers[0].table, r->now, &out), 0);
		assert_int_equal(virtio_vsock_table_expire(&r->peers[1].table, r->now, &out), 0);
		idle = 0;
	}
}

static const uint32_t sizes[] = { 1, 2, 3, 10, 1000, 4096, 65536, 262144, 0x80000000, UINT32_MAX };
static const uint32_t packet_sizes[] = { 1, 7, 4096, 65536 };

/* Runs two peers with every pair of buffer sizes. */
static void run_all_sizes(uint16_t type, bool grows, bool counts_packets)
{
	static struct run r;
	uint32_t seed = 1;

	for (uint32_t a = 0; a < COUNT(sizes); a++) {
		for (uint32_t b = 0; b < COUNT(sizes); b++) {
			const uint32_t packet = packet_sizes[(a * 3 + b) % COUNT(packet_sizes)];
			const uint32_t least = sizes[a] < sizes[b] ? sizes[a] : sizes[b];
			const uint32_t step = packet < least ? packet : least;

			memset(&r, 0, sizeof r);
			r.random = seed++;
			r.type = type;
			r.grows = grows;
			r.counts_packets = counts_packets && (a + b) % 2 != 0;
			r.goal = (uint64_t)step * 300 + 7;
			peer_init(&r.peers[0], 3, sizes[a], packet, 0);
			peer_init(&r.peers[1], 4, sizes[b], packet, r.counts_packets ? 500 : 0);
			establish(&r);
			run_to_the_end(&r);
		}
	}
}

static void credit_never_overruns_and_never_stalls(void **state)
{
	(void)state;
	run_all_sizes(STREAM, false, true);
}

/*
 * Here the peers charge no overhead for packets. With an overhead, a message in many packets may
 * need more credit than the reader's buffer gives. The message's sender would wait for ever.
 */
static void credit_of_messages_never_overruns_and_never_stalls(void **state)
{
	(void)state;
	run_all_sizes(SEQPACKET, false, false);
}

static void credit_follows_buffers_that_grow(void **state)
{
	(void)state;
	run_all_sizes(STREAM, true, true);
	run_all_sizes(SEQPACKET, true, false);
}

/* The counters wrap: more than 2^32 bytes are sent each way, in large packets. */
static void credit_survives_more_than_2_to_the_32_bytes(void **state)
{
	static struct run r;

	(void)state;
	memset(&r, 0, sizeof r);
	r.random = 99;
	r.type = STREAM;
	r.goal = (UINT64_C(1) << 33) + 12345;
	peer_init(&r.peers[0], 3, UINT32_MAX, 0x7fffffff, 0);
	peer_init(&r.peers[1], 4, 0x10000001, 0x1000000, 0);
	establish(&r);
	run_to_the_end(&r);
	assert_int_equal(r.peers[0].forwarded, r.goal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credit_never_overruns_and_never_stalls),
		cmocka_unit_test(credit_of_messages_never_overruns_and_never_stalls),
		cmocka_unit_test(credit_follows_buffers_that_grow),
		cmocka_unit_test(credit_survives_more_than_2_to_the_32_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
