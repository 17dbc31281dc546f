/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The model of a table of socket connections. */
#include "model.h"

#define RCV ((uint32_t)VIRTIO_VSOCK_SHUTDOWN_RCV)
#define SEND ((uint32_t)VIRTIO_VSOCK_SHUTDOWN_SEND)

bool model_has_type(const struct vsock_model *m, uint16_t type)
{
	const bool stream = m->features & 1, seqpacket = m->features & 2, strict = m->features & 4;

	if (type == 2)
		return seqpacket;
	return type == 1 && (stream || !m->features || (seqpacket && !strict));
}

struct model_connection *model_find(struct vsock_model *m, const struct virtio_vsock_address *a)
{
	for (uint32_t i = 0; i < VSOCK_PLACES; i++) {
		struct model_connection *c = &m->c[i];

		if (c->used && !memcmp(&c->address, a, sizeof *a))
			return c;
	}
	return NULL;
}

static void init(struct vsock_model *m, struct model_connection *c, const struct virtio_vsock_address *a, uint16_t type)
{
	memset(c, 0, sizeof *c);
	c->used = true;
	c->address = *a;
	c->type = type;
	c->buffer = m->options.buf_alloc;
	c->deadline = VIRTIO_VSOCK_NO_DEADLINE;
}

struct model_connection *model_open(struct vsock_model *m, const struct virtio_vsock_address *a, uint16_t type)
{
	for (uint32_t i = 0; i < VSOCK_PLACES; i++) {
		if (!m->c[i].used) {
			init(m, &m->c[i], a, type);
			return &m->c[i];
		}
	}
	return NULL;
}

static void end(struct model_connection *c)
{
	if (c->pending & VIRTIO_VSOCK_PENDING_REQUEST) {
		c->used = false;
		return;
	}
	c->state = VIRTIO_VSOCK_RESET;
	c->pending = VIRTIO_VSOCK_PENDING_RST;
	c->blocked = false;
	c->deadline = VIRTIO_VSOCK_NO_DEADLINE;
}

static bool is_open(const struct model_connection *c)
{
	return c->state == VIRTIO_VSOCK_ESTABLISHED || c->state == VIRTIO_VSOCK_CLOSING;
}

static void unblock(struct model_connection *c)
{
	if (c->blocked)
		c->deadline = VIRTIO_VSOCK_NO_DEADLINE;
	c->blocked = false;
	c->pending &= ~(uint32_t)VIRTIO_VSOCK_PENDING_CREDIT_REQUEST;
}

/*
 * Forwarded bytes are unreported until a packet reports the credit to the guest. A credit update
 * must report unreported bytes in two cases:
 *   - the guest may wait for room
 *   - the unreported bytes are at least a quarter of the buffer
 */
static void update(const struct vsock_model *m, struct model_connection *c)
{
	const uint64_t untold = c->forwarded - c->told;

	if (untold && (untold >= c->buffer / 4 || c->buffer < c->rx - c->told + m->options.max_payload))
		c->pending |= VIRTIO_VSOCK_PENDING_UPDATE;
}

/*
 * Updates a connection after a SHUTDOWN or forwarded data. Returns whether the connection is over.
 */
static bool settle(struct vsock_model *m, struct model_connection *c, uint64_t now)
{
	const bool drained = c->rx == c->forwarded && !c->rx_packets;

	if (c->peer == (RCV | SEND) && (drained || (c->us & RCV))) {
		end(c);
		return true;
	}
	if (c->us == SEND && (c->peer & SEND) && drained) {
		c->us = RCV | SEND;
		c->pending |= VIRTIO_VSOCK_PENDING_SHUTDOWN;
	}
	if ((c->us == (RCV | SEND) || c->peer == (RCV | SEND)) && c->state == VIRTIO_VSOCK_ESTABLISHED) {
		c->state = VIRTIO_VSOCK_CLOSING;
		unblock(c);
		c->deadline = now + m->options.close_timeout;
	}
	return false;
}

static void take_credit(struct model_connection *c, const struct virtio_vsock_hdr *h)
{
	const uint32_t forward = virtio_vsock_fwd_cnt(h) - (uint32_t)c->acknowledged;
	uint32_t kept = 0;

	c->peer_buffer = virtio_vsock_buf_alloc(h);
	c->bad = forward > c->tx - c->acknowledged;
	if (c->bad)
		return;
	c->empties = false;
	c->acknowledged += forward;
	for (uint32_t i = 0; i < c->sent; i++) {
		if (c->ends[i] > c->acknowledged)
			c->ends[kept++] = c->ends[i];
	}
	c->sent = kept;
}

struct model_credit model_credit(const struct vsock_model *m, const struct model_connection *c)
{
	const uint64_t used = c->tx - c->acknowledged;
	const uint64_t room = c->bad || used >= c->peer_buffer ? 0 : c->peer_buffer - used;
	const uint64_t cost = (c->sent + UINT64_C(1)) * m->options.packet_overhead;
	struct model_credit credit = { room, room, false, false };

	if (!c->bad && c->peer_buffer)
		credit.empty_least = credit.empty_most = true;
	if (m->options.packet_overhead == 0)
		return credit;
	/*
	 * The library must subtract the overhead of each packet in the guest's buffer from the
	 * credit. The library may also subtract the overhead of packets that have left the buffer.
	 */
	if (c->sent == 0) {
		credit.least = credit.most = cost < room ? room - cost : room;
		if (!c->empties)
			return credit;
	}
	credit.least = 0;
	if (c->sent != 0)
		credit.most = cost < room ? room - cost : 0;
	credit.empty_least = false;
	credit.empty_most = credit.empty_most && (c->sent == 0 || cost <= room);
	return credit;
}

/* Handles a packet of an open connection. Returns false if the caller must reset the connection. */
static bool receive_open(struct vsock_model *m, struct model_connection *c, const struct virtio_vsock_hdr *h,
			 uint64_t now, struct model_received *out)
{
	const uint32_t len = virtio_vsock_len(h), flags = virtio_vsock_flags(h);
	struct model_credit credit;

	take_credit(c, h);
	credit = model_credit(m, c);
	if (c->blocked) {
		const bool seqpacket = c->type == 2;
		const bool must = credit.least || (credit.empty_least && seqpacket);
		const bool may = credit.most || (credit.empty_most && seqpacket);

		out->got |= must ? VIRTIO_VSOCK_GOT_CREDIT : 0;
		out->credit_open = may && !must;
		if (must)
			unblock(c);
	}
	switch (virtio_vsock_op(h)) {
	case VIRTIO_VSOCK_OP_CREDIT_UPDATE:
		return true;
	case VIRTIO_VSOCK_OP_CREDIT_REQUEST:
		c->pending |= VIRTIO_VSOCK_PENDING_ANSWER;
		return true;
	case VIRTIO_VSOCK_OP_SHUTDOWN:
		if (flags & 3 & ~c->peer)
			out->got |= VIRTIO_VSOCK_GOT_SHUTDOWN;
		c->peer |= flags & 3;
		if ((c->peer & RCV) && c->state == VIRTIO_VSOCK_ESTABLISHED)
			unblock(c);
		if (settle(m, c, now))
			out->got |= VIRTIO_VSOCK_GOT_END;
		return true;
	case VIRTIO_VSOCK_OP_RW:
		if ((c->peer & SEND) || (c->us & RCV))
			return false;
		out->marks = c->type == 2 ? flags & 3 : 0;
		if (len == 0 && out->marks == 0)
			return true;
		if (c->rx - c->forwarded + len > c->buffer || c->rx_packets == m->options.max_packets)
			return false;
		c->rx += len;
		c->rx_packets++;
		out->bytes = len;
		out->got |= VIRTIO_VSOCK_GOT_DATA;
		update(m, c);
		return true;
	default:
		return false;
	}
}

static void add_reply(struct vsock_model *m, const struct virtio_vsock_hdr *h)
{
	struct virtio_vsock_hdr r = { 0 };

	r.src_cid = h->dst_cid;
	r.dst_cid = h->src_cid;
	r.src_port = h->dst_port;
	r.dst_port = h->src_port;
	for (uint32_t i = 0; i < m->reply_count; i++) {
		if (!memcmp(&m->replies[i], &r, 24))
			return;
	}
	r.type = h->type;
	virtio_vsock_set_op(&r, VIRTIO_VSOCK_OP_RST);
	m->replies[m->reply_count++] = r;
}

static void drop_reply(struct vsock_model *m, const struct virtio_vsock_hdr *h)
{
	for (uint32_t i = 0; i < m->reply_count; i++) {
		const struct virtio_vsock_hdr *r = &m->replies[i];

		if (r->src_cid == h->dst_cid && r->dst_port == h->src_port && r->src_port == h->dst_port) {
			memmove(&m->replies[i], &m->replies[i + 1], (m->reply_count - i - 1) * sizeof *r);
			m->reply_count--;
			return;
		}
	}
}

static void request(struct vsock_model *m, struct model_connection *c, const struct virtio_vsock_address *a,
		    const struct virtio_vsock_hdr *h, uint64_t now, struct model_received *out)
{
	drop_reply(m, h);
	if (c)
		init(m, c, a, virtio_vsock_type(h));
	else
		c = model_open(m, a, virtio_vsock_type(h));
	if (!c) {
		add_reply(m, h);
		return;
	}
	c->state = VIRTIO_VSOCK_ACCEPTING;
	c->deadline = now + m->options.connect_timeout;
	take_credit(c, h);
	out->c = c;
	out->got = VIRTIO_VSOCK_GOT_REQUEST;
}

/* Handles a packet of a connection. Returns false if the caller must reset the connection. */
static bool receive_of(struct vsock_model *m, struct model_connection *c, const struct virtio_vsock_hdr *h, bool good,
		       uint64_t now, struct model_received *out)
{
	if (!good || virtio_vsock_type(h) != c->type)
		return false;
	if (is_open(c))
		return receive_open(m, c, h, now, out);
	if (c->state != VIRTIO_VSOCK_REQUESTED || (c->pending & VIRTIO_VSOCK_PENDING_REQUEST) ||
	    virtio_vsock_op(h) != VIRTIO_VSOCK_OP_RESPONSE)
		return false;
	c->state = VIRTIO_VSOCK_ESTABLISHED;
	c->deadline = VIRTIO_VSOCK_NO_DEADLINE;
	take_credit(c, h);
	out->got = VIRTIO_VSOCK_GOT_RESPONSE;
	return true;
}

void model_receive(struct vsock_model *m, const struct virtio_vsock_hdr *h, int error, uint64_t now,
		   struct model_received *out)
{
	const uint64_t from = virtio_vsock_src_cid(h), to = virtio_vsock_dst_cid(h);
	const struct virtio_vsock_address a = { (uint32_t)to, virtio_vsock_dst_port(h), (uint32_t)from,
						virtio_vsock_src_port(h) };
	const uint16_t op = virtio_vsock_op(h);
	const bool good = !error && model_has_type(m, virtio_vsock_type(h));
	struct model_connection *c;

	memset(out, 0, sizeof *out);
	if (m->reply_count == VSOCK_REPLIES) {
		out->error = VIRTIO_EBUSY;
		return;
	}
	if (from != VSOCK_GUEST || to < 2 || to == VSOCK_GUEST || to >= 0xffffffff)
		return;
	c = model_find(m, &a);
	if (op == VIRTIO_VSOCK_OP_RST) {
		drop_reply(m, h);
		if (c && c->state != VIRTIO_VSOCK_RESET) {
			out->c = c;
			out->got = VIRTIO_VSOCK_GOT_END;
		}
		if (c)
			c->used = false;
	} else if (op == VIRTIO_VSOCK_OP_REQUEST && good && (!c || c->state == VIRTIO_VSOCK_RESET)) {
		request(m, c, &a, h, now, out);
	} else if (!c) {
		add_reply(m, h);
	} else if (c->state != VIRTIO_VSOCK_RESET) {
		out->c = c;
		if (!receive_of(m, c, h, good, now, out)) {
			memset(out, 0, sizeof *out);
			out->c = c;
			out->got = VIRTIO_VSOCK_GOT_END;
			c->pending = 0;
			end(c);
		}
	}
}

int model_accept(struct model_connection *c)
{
	if (!c->used || c->state != VIRTIO_VSOCK_ACCEPTING)
		return VIRTIO_ENOTREADY;
	c->state = VIRTIO_VSOCK_ESTABLISHED;
	c->pending = VIRTIO_VSOCK_PENDING_RESPONSE;
	c->deadline = VIRTIO_VSOCK_NO_DEADLINE;
	return 0;
}

void model_reset(struct model_connection *c)
{
	if (c->used && c->state != VIRTIO_VSOCK_RESET)
		end(c);
}

int model_forwarded(struct vsock_model *m, struct model_connection *c, uint32_t bytes, uint32_t packets, uint64_t now)
{
	if (!is_open(c))
		return 0;
	if (bytes > c->rx - c->forwarded || packets > c->rx_packets)
		return VIRTIO_EINVAL;
	/* If bytes remain to be forwarded, at least one packet must remain to be forwarded, too. */
	if (c->rx - c->forwarded > bytes && packets == c->rx_packets)
		return VIRTIO_EINVAL;
	c->forwarded += bytes;
	c->rx_packets -= packets;
	if (settle(m, c, now))
		return 1;
	if (!(c->peer & SEND))
		update(m, c);
	return 0;
}

int model_shutdown(struct vsock_model *m, struct model_connection *c, uint32_t flags, uint64_t now)
{
	if (flags == 0 || flags > 3)
		return VIRTIO_EINVAL;
	if (!is_open(c))
		return VIRTIO_ENOTREADY;
	if (flags & ~c->us)
		c->pending |= VIRTIO_VSOCK_PENDING_SHUTDOWN;
	c->us |= flags;
	if ((c->us & SEND) && c->state == VIRTIO_VSOCK_ESTABLISHED)
		unblock(c);
	return settle(m, c, now);
}

int model_check_piece(const struct model_connection *c, uint32_t bytes, uint32_t marks)
{
	if ((bytes == 0 && marks == 0) || (c->type == 2 ? marks > 3 : marks != 0))
		return VIRTIO_EINVAL;
	if (c->state != VIRTIO_VSOCK_ESTABLISHED || (c->us & SEND) || (c->peer & RCV))
		return VIRTIO_ENOTREADY;
	return 0;
}

void model_sent(struct model_connection *c, uint32_t bytes)
{
	c->tx += bytes;
	/*
	 * While an earlier packet is not forwarded, each empty packet, too, lowers the library's
	 * credit by packet_overhead. If the guest has forwarded all earlier bytes, see `empties`.
	 */
	FUZZ_CHECK(c->sent < VSOCK_SENT, "too many packets for the model");
	if (c->tx != c->acknowledged)
		c->ends[c->sent++] = c->tx;
	else
		c->empties = true;
	model_told(c);
	unblock(c);
}

void model_blocked(struct vsock_model *m, struct model_connection *c, uint64_t now)
{
	if (c->blocked)
		return;
	c->blocked = true;
	c->pending |= VIRTIO_VSOCK_PENDING_CREDIT_REQUEST;
	c->deadline = now + m->options.credit_retry;
}

uint16_t model_pending(const struct model_connection *c, uint32_t *bit)
{
	static const uint16_t ops[][2] = { { 1, 3 }, { 2, 1 }, { 4, 2 }, { 8, 6 }, { 16, 6 }, { 32, 7 }, { 64, 4 } };

	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
		*bit = ops[i][0];
		if (c->used && (c->pending & ops[i][0]))
			return ops[i][1];
	}
	*bit = 0;
	return 0;
}

void model_told(struct model_connection *c)
{
	c->told = c->forwarded;
	c->pending &= ~(uint32_t)VIRTIO_VSOCK_PENDING_UPDATE;
}

uint64_t model_deadline(const struct vsock_model *m)
{
	uint64_t deadline = VIRTIO_VSOCK_NO_DEADLINE;

	for (uint32_t i = 0; i < VSOCK_PLACES; i++) {
		if (m->c[i].used && m->c[i].deadline < deadline)
			deadline = m->c[i].deadline;
	}
	return deadline;
}
