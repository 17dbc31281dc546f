/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Fuzzes the socket device. packets.c sends good and bad packets of any layout through queues. This
 * file acts as a guest, and as a host with a table of connections. The guest sends any packets. The
 * host replies, lets time pass, saves and restores. All results must match the model.
 */
#include "packets.h"
#include "steps.h"

#define MOST_STEPS 300u

struct vsock_harness {
	struct fuzz_input in;
	struct virtio_vsock vsock;
	struct virtio_vsock_table table;
	struct virtio_vsock_connection *places, *buckets[4];
	struct virtio_vsock_hdr *replies;
	struct vsock_model m;
	uint64_t now;
	uint64_t seed[2];
};

/* Set-up */

static void start(struct vsock_harness *h)
{
	struct virtio_vsock_table_storage storage = { .connection_count = VSOCK_PLACES,
						      .bucket_count = 4,
						      .reply_count = VSOCK_REPLIES };

	free(h->places);
	free(h->replies);
	h->places = fuzz_alloc(VSOCK_PLACES * sizeof *h->places);
	h->replies = fuzz_alloc(VSOCK_REPLIES * sizeof *h->replies);
	storage.connections = h->places;
	storage.buckets = h->buckets;
	storage.replies = h->replies;
	FUZZ_CHECK(virtio_vsock_table_init(&h->table, &h->vsock, &h->m.options, &storage, h->seed) == 0,
		   "virtio_vsock_table_init() failed");
}

static void set_up(struct vsock_harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);

	h->m.features = how & 7;
	FUZZ_CHECK(virtio_vsock_init(&h->vsock, VSOCK_GUEST, true) == 0, "virtio_vsock_init() failed");
	FUZZ_CHECK(virtio_vsock_negotiate(&h->vsock, h->m.features) == 0, "virtio_vsock_negotiate() failed");
	h->m.options.buf_alloc = (uint32_t)fuzz_number(&h->in);
	h->m.options.max_packets = fuzz_u8(&h->in) + 1u;
	h->m.options.max_payload = (uint32_t)fuzz_number(&h->in);
	h->m.options.packet_overhead = how & 8 ? fuzz_u8(&h->in) : 0;
	h->m.options.connect_timeout = 10;
	h->m.options.close_timeout = 40;
	h->m.options.credit_retry = 3;
	h->m.options.first_port = how & 16 ? UINT32_MAX - 2 : 100;
	h->m.options.last_port = how & 16 ? UINT32_MAX : 102;
	h->m.options.buf_alloc += h->m.options.buf_alloc == 0;
	h->m.options.max_payload += h->m.options.max_payload == 0;
	h->m.next_port = h->m.options.first_port;
	h->seed[0] = how;
	h->now = 1000;
	start(h);
}

/* Comparison */

static void check_connection(const struct model_connection *m, const struct virtio_vsock_connection *c)
{
	FUZZ_CHECK(c->state == m->state && c->type == m->type, "a connection has state %u, not %u, or a wrong type",
		   c->state, m->state);
	FUZZ_CHECK(c->shut_by_us == m->us && c->shut_by_peer == m->peer, "the shutdown flags are wrong");
	FUZZ_CHECK(c->pending == m->pending, "pending is %#x, not %#x", c->pending, m->pending);
	if (m->state == VIRTIO_VSOCK_RESET)
		return;
	FUZZ_CHECK(virtio_vsock_connection_buffered(c) == m->rx - m->forwarded,
		   "the number of buffered bytes is wrong");
	FUZZ_CHECK(c->rx_packets == m->rx_packets, "the number of buffered packets is wrong");
	FUZZ_CHECK(c->blocked == m->blocked, "blocked is %d, the model disagrees", c->blocked);
	FUZZ_CHECK(c->tx_packets >= m->sent, "tx_packets is %u, the model says at least %u", c->tx_packets, m->sent);
	FUZZ_CHECK(virtio_vsock_connection_input_ended(c) ==
			   ((m->peer & 2) && m->rx == m->forwarded && m->rx_packets == 0),
		   "virtio_vsock_connection_input_ended() is wrong");
}

static void compare(struct vsock_harness *h)
{
	uint32_t count = 0, pending = 0, bit;

	for (uint32_t i = 0; i < VSOCK_PLACES; i++) {
		struct model_connection *m = &h->m.c[i];
		const struct virtio_vsock_connection *c = virtio_vsock_table_find(&h->table, &m->address);

		if (!m->used)
			continue;
		count++;
		pending += model_pending(m, &bit) != 0 && !(bit == VIRTIO_VSOCK_PENDING_REQUEST && h->m.held);
		FUZZ_CHECK(c && c == m->real, "the table does not find a connection");
		check_connection(m, c);
	}
	FUZZ_CHECK(h->table.count == count, "the table has %u connections, not %u", h->table.count, count);
	FUZZ_CHECK(virtio_vsock_table_pending(&h->table) == (pending + h->m.reply_count != 0),
		   "virtio_vsock_table_pending() is wrong");
	FUZZ_CHECK(virtio_vsock_table_deadline(&h->table) == model_deadline(&h->m),
		   "virtio_vsock_table_deadline() is wrong");
}

/* Steps */

static struct model_connection *pick(struct vsock_harness *h)
{
	struct model_connection *c = &h->m.c[fuzz_u8(&h->in) % VSOCK_PLACES];

	return c->used ? c : NULL;
}

static void make_packet(struct vsock_harness *h, struct virtio_vsock_hdr *out)
{
	const uint8_t op = fuzz_u8(&h->in), which = fuzz_u8(&h->in), flags = fuzz_u8(&h->in), kind = fuzz_u8(&h->in);
	struct model_connection *c = &h->m.c[which % VSOCK_PLACES];

	memset(out, 0, sizeof *out);
	virtio_vsock_set_src_cid(out, (kind & 0xc0) == 0xc0 ? fuzz_number(&h->in) : VSOCK_GUEST);
	virtio_vsock_set_dst_cid(out, kind & 0x20 ? fuzz_number(&h->in) : 2);
	virtio_vsock_set_src_port(out, which >> 4);
	virtio_vsock_set_dst_port(out, which >> 2 & 3);
	virtio_vsock_set_type(out, flags >> 6 ? flags >> 6 : 1);
	virtio_vsock_set_op(out, op % 10);
	virtio_vsock_set_flags(out, flags & 0x3f);
	virtio_vsock_set_len(out, kind & 8 ? (uint32_t)fuzz_number(&h->in) : kind & 7);
	virtio_vsock_set_buf_alloc(out, 1000);
	if (kind & 0x10)
		virtio_vsock_set_buf_alloc(out, (uint32_t)fuzz_number(&h->in));
	if (c->used && (op & 0x80)) {
		virtio_vsock_set_dst_cid(out, c->address.local_cid);
		virtio_vsock_set_src_port(out, c->address.peer_port);
		virtio_vsock_set_dst_port(out, c->address.local_port);
		if (!(flags >> 6))
			virtio_vsock_set_type(out, c->type);
		virtio_vsock_set_fwd_cnt(out, (uint32_t)(op & 0x40 ? c->tx : c->acknowledged));
	}
	if ((op & 0x60) == 0x60)
		virtio_vsock_set_fwd_cnt(out, virtio_vsock_fwd_cnt(out) + (uint32_t)fuzz_number(&h->in));
}

static void receive(struct vsock_harness *h)
{
	struct virtio_vsock_received got;
	struct model_received wanted;
	struct virtio_vsock_hdr packet;
	const int lost = fuzz_u8(&h->in) > 0xf0 ? VIRTIO_ESHORT : 0;
	int error;

	make_packet(h, &packet);
	model_receive(&h->m, &packet, lost, h->now, &wanted);
	memset(&got, 0xcc, sizeof got);
	error = virtio_vsock_table_receive(&h->table, &packet, lost, h->now, &got);
	FUZZ_CHECK(error == wanted.error, "receive returned %d, not %d", error, wanted.error);
	if (error)
		return;
	if (wanted.credit_open && (got.got & VIRTIO_VSOCK_GOT_CREDIT)) {
		wanted.got |= VIRTIO_VSOCK_GOT_CREDIT;
		wanted.c->blocked = false;
		wanted.c->pending &= ~(uint32_t)VIRTIO_VSOCK_PENDING_CREDIT_REQUEST;
		if (wanted.c->state == VIRTIO_VSOCK_ESTABLISHED)
			wanted.c->deadline = VIRTIO_VSOCK_NO_DEADLINE;
	}
	FUZZ_CHECK(got.got == wanted.got, "got is %#x, not %#x", got.got, wanted.got);
	FUZZ_CHECK(got.bytes == wanted.bytes && (wanted.got == 0 || got.marks == wanted.marks),
		   "a received packet has wrong bytes or marks");
	FUZZ_CHECK(got.got ? got.connection != NULL : got.connection == NULL,
		   "a connection is missing, or is set although the packet causes nothing");
	if (got.got & VIRTIO_VSOCK_GOT_REQUEST)
		wanted.c->real = got.connection;
	FUZZ_CHECK(got.got == 0 || got.connection == wanted.c->real, "the connection of a received packet is wrong");
}

static void check_header(const struct virtio_vsock_hdr *got, struct model_connection *c, uint16_t op, uint32_t len,
			 uint32_t flags)
{
	FUZZ_CHECK(virtio_vsock_op(got) == op && virtio_vsock_len(got) == len && virtio_vsock_flags(got) == flags,
		   "the header has op %u, not %u, or a wrong len or flags", virtio_vsock_op(got), op);
	FUZZ_CHECK(virtio_vsock_src_cid(got) == c->address.local_cid && virtio_vsock_dst_cid(got) == VSOCK_GUEST &&
			   virtio_vsock_src_port(got) == c->address.local_port &&
			   virtio_vsock_dst_port(got) == c->address.peer_port && virtio_vsock_type(got) == c->type,
		   "the header has a wrong address or type");
	FUZZ_CHECK(virtio_vsock_buf_alloc(got) == c->buffer && virtio_vsock_fwd_cnt(got) == (uint32_t)c->forwarded,
		   "the header has wrong credit");
}

static void next(struct vsock_harness *h)
{
	struct virtio_vsock_hdr got;
	const int more = virtio_vsock_table_next(&h->table, &got);
	struct model_connection *c;
	uint32_t bit;
	uint16_t op;

	if (more == 0) {
		FUZZ_CHECK(!virtio_vsock_table_pending(&h->table), "next misses a pending packet");
		return;
	}
	FUZZ_CHECK(more == 1, "next returned %d", more);
	if (h->m.reply_count) {
		FUZZ_CHECK(!memcmp(&got, &h->m.replies[0], sizeof got), "next returned a wrong reply");
		h->m.reply_count--;
		memmove(&h->m.replies[0], &h->m.replies[1], h->m.reply_count * sizeof got);
		return;
	}
	c = model_find(&h->m, &(struct virtio_vsock_address){ (uint32_t)virtio_vsock_src_cid(&got),
							      virtio_vsock_src_port(&got), VSOCK_GUEST,
							      virtio_vsock_dst_port(&got) });
	FUZZ_CHECK(c, "next returned a packet that belongs to no connection");
	op = model_pending(c, &bit);
	FUZZ_CHECK(op != 0 && !(h->m.held && bit == VIRTIO_VSOCK_PENDING_REQUEST),
		   "next returned a packet that was not pending");
	check_header(&got, c, op, 0, op == VIRTIO_VSOCK_OP_SHUTDOWN ? c->us : 0);
	c->pending &= ~bit;
	model_told(c);
	if (op == VIRTIO_VSOCK_OP_RST)
		c->used = false;
}

static void send_data(struct vsock_harness *h, bool forged)
{
	struct model_connection *c = pick(h);
	const uint32_t left = (uint32_t)fuzz_number(&h->in), marks = fuzz_u8(&h->in) & 7, room = fuzz_u16(&h->in);
	struct virtio_vsock_piece piece = { left, marks };
	struct virtio_vsock_hdr header;
	struct model_credit credit;
	int wanted, got;

	if (!c || c->sent > VSOCK_SENT - 2)
		return;
	wanted = model_check_piece(c, left, marks);
	credit = model_credit(&h->m, c);
	if (forged) {
		/* The library has not computed this piece. A send must still respect the credit. */
		if (!wanted && (c->pending & VIRTIO_VSOCK_PENDING_RESPONSE))
			wanted = VIRTIO_ENOTREADY;
		got = virtio_vsock_connection_send(c->real, &piece, &header);
		FUZZ_CHECK(wanted ? got == wanted : got == 0 || got == VIRTIO_ENOBUFS, "send returned %d", got);
		if (wanted)
			return;
		FUZZ_CHECK(got == 0 ? (left ? left <= credit.most : credit.empty_most)
				    : (left ? left > credit.least : !credit.empty_least),
			   "a send exceeds the credit, or was refused within the credit");
	} else {
		if (!wanted && left && !room)
			wanted = VIRTIO_EINVAL;
		got = virtio_vsock_connection_piece(c->real, left, marks, room, h->now, &piece);
		FUZZ_CHECK(wanted ? got == wanted : got == 0 || got == 1, "piece returned %d", got);
		if (wanted || (c->pending & VIRTIO_VSOCK_PENDING_RESPONSE)) {
			FUZZ_CHECK(wanted || got == 0, "a piece may be sent before the response");
			return;
		}
		if (got == 0) {
			FUZZ_CHECK(left ? credit.least == 0 : !credit.empty_least,
				   "a piece must wait although there is credit");
			model_blocked(&h->m, c, h->now);
			return;
		}
		FUZZ_CHECK(left ? piece.bytes != 0 && piece.bytes <= credit.most : credit.empty_most,
			   "a piece exceeds the credit");
		FUZZ_CHECK(piece.bytes <= left && (left == 0 || piece.bytes <= room),
			   "a piece is larger than the data or the room");
		FUZZ_CHECK(piece.bytes == left || piece.bytes == room || piece.bytes >= credit.least,
			   "a piece is smaller than it must be");
		FUZZ_CHECK(piece.marks == (piece.bytes == left ? marks : 0), "a piece has wrong marks");
		got = virtio_vsock_connection_send(c->real, &piece, &header);
		FUZZ_CHECK(got == 0, "the send of a piece returned %d", got);
	}
	if (got)
		return;
	check_header(&header, c, VIRTIO_VSOCK_OP_RW, piece.bytes, piece.marks);
	model_sent(c, piece.bytes);
}

static void forward(struct vsock_harness *h)
{
	struct model_connection *c = pick(h);
	const uint8_t how = fuzz_u8(&h->in);
	uint32_t bytes, packets;
	int wanted, got;

	if (!c)
		return;
	bytes = how & 1 ? (uint32_t)(c->rx - c->forwarded) : (uint32_t)fuzz_number(&h->in);
	packets = how & 2 ? (uint32_t)c->rx_packets : how >> 4;
	wanted = model_forwarded(&h->m, c, bytes, packets, h->now);
	got = virtio_vsock_connection_forwarded(c->real, bytes, packets, h->now);
	FUZZ_CHECK(got == wanted, "forwarded returned %d, not %d", got, wanted);
}

static void connect_to(struct vsock_harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);
	const uint16_t type = 1 + (how & 3);
	struct virtio_vsock_address a = { how & 4 ? 7 : 2, how >> 6, how & 8 ? 9 : VSOCK_GUEST, how >> 4 & 3 };
	struct virtio_vsock_connection *real = NULL;
	const bool chosen = how & 4 || how & 8;
	struct model_connection *c = NULL;
	int wanted = 0, got;
	uint32_t used = 0;

	for (uint32_t i = 0; i < VSOCK_PLACES; i++)
		used += h->m.c[i].used;
	if (chosen && a.peer_cid != VSOCK_GUEST)
		wanted = VIRTIO_EINVAL;
	else if (!model_has_type(&h->m, type))
		wanted = VIRTIO_ENOTSUP;
	else if (used == VSOCK_PLACES)
		wanted = VIRTIO_ENOBUFS;
	else if (chosen && model_find(&h->m, &a))
		wanted = VIRTIO_EBUSY;
	for (uint32_t tries = 0; !chosen && !wanted; tries++) {
		a.local_port = h->m.next_port;
		h->m.next_port = a.local_port == h->m.options.last_port ? h->m.options.first_port : a.local_port + 1;
		if (!model_find(&h->m, &a))
			break;
		if (tries == 2)
			wanted = VIRTIO_ENOBUFS;
	}
	got = chosen ? virtio_vsock_table_connect_from(&h->table, type, &a, h->now, &real)
		     : virtio_vsock_table_connect(&h->table, type, a.peer_port, h->now, &real);
	FUZZ_CHECK(got == wanted && (got != 0) == (real == NULL), "connect returned %d, not %d", got, wanted);
	if (got)
		return;
	c = model_open(&h->m, &a, type);
	c->real = real;
	c->state = VIRTIO_VSOCK_REQUESTED;
	c->pending = VIRTIO_VSOCK_PENDING_REQUEST;
	c->deadline = h->now + h->m.options.connect_timeout;
}

static void pass_time(struct vsock_harness *h)
{
	struct virtio_vsock_connection *out;
	int got;

	h->now += fuzz_u8(&h->in) % 64;
	for (uint32_t i = 0; i < VSOCK_PLACES; i++) {
		struct model_connection *c = &h->m.c[i];

		if (c->used && c->blocked && c->deadline <= h->now) {
			c->pending |= VIRTIO_VSOCK_PENDING_CREDIT_REQUEST;
			c->deadline = h->now + h->m.options.credit_retry;
		}
	}
	while ((got = virtio_vsock_table_expire(&h->table, h->now, &out)) == 1) {
		struct model_connection *c = model_find(&h->m, &out->address);

		FUZZ_CHECK(c && c->real == out && c->deadline <= h->now, "a connection expires before its deadline");
		model_reset(c);
	}
	FUZZ_CHECK(got == 0 && model_deadline(&h->m) > h->now, "the expiry failed, or a connection does not expire");
}

/* Saves the table, and restores the state into a new table. */
static void migrate(struct vsock_harness *h)
{
	struct virtio_vsock_connection_state saved[VSOCK_PLACES];
	struct virtio_vsock_table_state table;

	for (uint32_t i = 0; i < VSOCK_PLACES; i++) {
		if (h->m.c[i].used)
			virtio_vsock_connection_save(h->m.c[i].real, &saved[i]);
	}
	virtio_vsock_table_save(&h->table, &table);
	FUZZ_CHECK(table.next_port == h->m.next_port, "a wrong next_port is saved");
	start(h);
	h->m.reply_count = 0;
	h->m.held = false;
	FUZZ_CHECK(virtio_vsock_table_restore(&h->table, &table) == 0, "virtio_vsock_table_restore() failed");
	for (uint32_t i = 0; i < VSOCK_PLACES; i++) {
		struct model_connection *c = &h->m.c[i];
		int error;

		if (!c->used)
			continue;
		error = virtio_vsock_connection_restore(&h->table, &saved[i], h->now, &c->real);
		FUZZ_CHECK(error == 0, "virtio_vsock_connection_restore() returned %d", error);
		c->blocked = false;
		c->pending &= ~(uint32_t)VIRTIO_VSOCK_PENDING_CREDIT_REQUEST;
		c->deadline = c->state == VIRTIO_VSOCK_CLOSING ? h->now + h->m.options.close_timeout
			      : c->state == VIRTIO_VSOCK_ACCEPTING || c->state == VIRTIO_VSOCK_REQUESTED
				      ? h->now + h->m.options.connect_timeout
				      : VIRTIO_VSOCK_NO_DEADLINE;
	}
}

/* Accepts, shuts down or resets a connection, or changes the size of its buffer. */
static void call(struct vsock_harness *h, enum vsock_step step)
{
	struct model_connection *c = pick(h);
	const uint8_t how = fuzz_u8(&h->in);
	int wanted = 0, got = 0;
	uint32_t bytes;

	if (!c)
		return;
	if (step == VSOCK_ACCEPT) {
		wanted = model_accept(c);
		got = virtio_vsock_connection_accept(c->real);
	} else if (step == VSOCK_SHUTDOWN) {
		wanted = model_shutdown(&h->m, c, how % 5, h->now);
		got = virtio_vsock_connection_shutdown(c->real, how % 5, h->now);
	} else if (step == VSOCK_RESET) {
		model_reset(c);
		virtio_vsock_connection_reset(c->real);
	} else {
		bytes = (uint32_t)fuzz_number(&h->in);
		wanted = bytes < c->buffer ? VIRTIO_EINVAL : 0;
		if (bytes > c->buffer) {
			c->buffer = bytes;
			if (c->state == VIRTIO_VSOCK_ESTABLISHED || c->state == VIRTIO_VSOCK_CLOSING)
				c->pending |= VIRTIO_VSOCK_PENDING_ANSWER;
		}
		got = virtio_vsock_connection_set_buffer(c->real, bytes);
	}
	FUZZ_CHECK(got == wanted, "step %d returned %d, not %d", step, got, wanted);
}

static void step_once(struct vsock_harness *h)
{
	const enum vsock_step step = (enum vsock_step)(fuzz_u8(&h->in) % VSOCK_STEPS);

	switch (step) {
	case VSOCK_RECEIVE:
		receive(h);
		break;
	case VSOCK_NEXT:
		next(h);
		break;
	case VSOCK_SEND:
		send_data(h, false);
		break;
	case VSOCK_FORGED:
		send_data(h, true);
		break;
	case VSOCK_FORWARD:
		forward(h);
		break;
	case VSOCK_CONNECT:
		connect_to(h);
		break;
	case VSOCK_TIME:
		pass_time(h);
		break;
	case VSOCK_MIGRATE:
		migrate(h);
		break;
	case VSOCK_HOLD:
		h->m.held = !h->m.held;
		virtio_vsock_table_hold(&h->table, h->m.held);
		break;
	case VSOCK_CLEAR:
		for (uint32_t i = 0; i < VSOCK_PLACES; i++)
			h->m.c[i].used = false;
		h->m.reply_count = 0;
		h->m.held = false;
		virtio_vsock_table_clear(&h->table);
		break;
	default:
		call(h, step);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vsock_harness *h = fuzz_alloc(sizeof *h);

	h->in = (struct fuzz_input){ data, size };
	if (fuzz_u8(&h->in) % 2 == VSOCK_PACKETS) {
		vsock_packets(&h->in);
	} else {
		set_up(h);
		for (uint32_t i = 0; i < MOST_STEPS && h->in.left > 0; i++) {
			step_once(h);
			compare(h);
		}
		free(h->places);
		free(h->replies);
	}
	free(h);
	return 0;
}
