/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Saved state of tables and connections. A restore checks every field. */
#include "table_internal.h"

void virtio_vsock_table_save(const struct virtio_vsock_table *table, struct virtio_vsock_table_state *out)
{
	out->next_port = table->next_port;
}

int virtio_vsock_table_restore(struct virtio_vsock_table *table, const struct virtio_vsock_table_state *state)
{
	if (state->next_port < table->options.first_port || state->next_port > table->options.last_port)
		return VIRTIO_EINVAL;
	table->next_port = state->next_port;
	return 0;
}

void virtio_vsock_connection_save(const struct virtio_vsock_connection *c, struct virtio_vsock_connection_state *out)
{
	memset(out, 0, sizeof *out);
	out->address = c->address;
	out->type = c->type;
	out->state = c->state;
	out->shut_by_us = c->shut_by_us;
	out->shut_by_peer = c->shut_by_peer;
	out->credit_bad = c->credit_bad;
	out->owed = c->owed;
	out->buf_alloc = c->buf_alloc;
	out->rx_cnt = c->rx_cnt;
	out->fwd_cnt = c->fwd_cnt;
	out->told_fwd_cnt = c->told_fwd_cnt;
	out->rx_packets = c->rx_packets;
	out->peer_buf_alloc = c->peer_buf_alloc;
	out->tx_cnt = c->tx_cnt;
	out->peer_fwd_cnt = c->peer_fwd_cnt;
	out->tx_packets = c->tx_packets;
}

/* What a connection may owe in each state. */
static uint32_t may_owe(uint8_t state)
{
	switch (state) {
	case VIRTIO_VSOCK_REQUESTED:
		return VIRTIO_VSOCK_OWES_REQUEST;
	case VIRTIO_VSOCK_ESTABLISHED:
	case VIRTIO_VSOCK_CLOSING:
		return VIRTIO_VSOCK_OWES_RESPONSE | VIRTIO_VSOCK_OWES_ANSWER | VIRTIO_VSOCK_OWES_UPDATE |
		       VIRTIO_VSOCK_OWES_CREDIT_REQUEST | VIRTIO_VSOCK_OWES_SHUTDOWN;
	case VIRTIO_VSOCK_RESET:
		return VIRTIO_VSOCK_OWES_RST;
	default:
		return 0;
	}
}

/* The SHUTDOWN flags must fit the state. */
static bool shutdown_fits(const struct virtio_vsock_connection_state *s)
{
	const uint32_t both = VIRTIO_VSOCK_SHUTDOWN_BOTH;
	const bool closing = s->shut_by_us == both || s->shut_by_peer == both;

	if ((s->shut_by_us | s->shut_by_peer) & ~both)
		return false;
	if ((s->owed & VIRTIO_VSOCK_OWES_SHUTDOWN) && s->shut_by_us == 0)
		return false;
	if (s->state == VIRTIO_VSOCK_ESTABLISHED)
		return !closing;
	if (s->state == VIRTIO_VSOCK_CLOSING)
		return closing;
	return s->state == VIRTIO_VSOCK_RESET || (s->shut_by_us | s->shut_by_peer) == 0;
}

static bool counters_fit(const struct virtio_vsock_connection_state *s, const struct virtio_vsock_options *options)
{
	const uint32_t buffered = s->rx_cnt - s->fwd_cnt, untold = s->fwd_cnt - s->told_fwd_cnt;
	const bool before = s->state == VIRTIO_VSOCK_ACCEPTING || s->state == VIRTIO_VSOCK_REQUESTED;

	/*
	 * Buffered bytes, and forwarded bytes that the guest was not told of, are a part of the
	 * received bytes.
	 */
	if (s->buf_alloc < options->buf_alloc || buffered > s->buf_alloc || s->rx_cnt - s->told_fwd_cnt < untold)
		return false;
	if (s->rx_packets > options->max_packets || (buffered != 0 && s->rx_packets == 0))
		return false;
	if (s->tx_packets == 0 && s->tx_cnt != s->peer_fwd_cnt)
		return false;
	return !before || (s->rx_cnt | s->fwd_cnt | s->told_fwd_cnt | s->rx_packets | s->tx_cnt | s->peer_fwd_cnt |
			   s->tx_packets) == 0;
}

static int check(const struct virtio_vsock_table *table, const struct virtio_vsock_connection_state *s)
{
	const uint32_t to = s->address.local_cid;

	if (s->address.peer_cid != table->vsock->guest_cid || to == s->address.peer_cid ||
	    (to != VIRTIO_VSOCK_CID_HOST && !virtio_vsock_is_guest_cid(to)))
		return VIRTIO_EINVAL;
	if (s->state == VIRTIO_VSOCK_CLOSED || s->state > VIRTIO_VSOCK_RESET || s->credit_bad > 1 || s->reserved != 0)
		return VIRTIO_EINVAL;
	if (s->owed & ~may_owe(s->state) || (s->state == VIRTIO_VSOCK_RESET && s->owed == 0))
		return VIRTIO_EINVAL;
	if (!shutdown_fits(s) || !counters_fit(s, &table->options))
		return VIRTIO_EINVAL;
	if (!virtio_vsock_has_type(table->vsock, s->type))
		return VIRTIO_ENOTSUP;
	if (virtio_vsock_table_find(table, &s->address))
		return VIRTIO_EBUSY;
	return table->free_places ? 0 : VIRTIO_ENOBUFS;
}

static void take_counters(struct virtio_vsock_connection *c, const struct virtio_vsock_connection_state *s)
{
	c->credit_bad = s->credit_bad != 0;
	c->buf_alloc = s->buf_alloc;
	c->rx_cnt = s->rx_cnt;
	c->fwd_cnt = s->fwd_cnt;
	c->told_fwd_cnt = s->told_fwd_cnt;
	c->rx_packets = s->rx_packets;
	c->peer_buf_alloc = s->peer_buf_alloc;
	c->tx_cnt = s->tx_cnt;
	c->peer_fwd_cnt = s->peer_fwd_cnt;
	c->tx_packets = s->tx_packets;
	/* The ends of packets are not saved. All packets count until all bytes are forwarded. */
	c->mark_count = s->tx_packets != 0;
	c->marks[0].end = s->tx_cnt;
	c->marks[0].packets = s->tx_packets;
}

int virtio_vsock_connection_restore(struct virtio_vsock_table *table, const struct virtio_vsock_connection_state *state,
				    uint64_t now, struct virtio_vsock_connection **out)
{
	const int error = check(table, state);
	struct virtio_vsock_connection *c;

	if (error)
		return error;
	c = virtio_impl_vsock_open(table, state->type, &state->address);
	c->state = state->state;
	c->shut_by_us = state->shut_by_us;
	c->shut_by_peer = state->shut_by_peer;
	/* A connection that still waits for credit asks again. */
	c->owed = state->owed & ~(uint32_t)VIRTIO_VSOCK_OWES_CREDIT_REQUEST;
	take_counters(c, state);
	virtio_impl_vsock_queue(c);
	if (c->state == VIRTIO_VSOCK_ACCEPTING || c->state == VIRTIO_VSOCK_REQUESTED)
		virtio_impl_vsock_set_timer(c, TIMER_CONNECT, now);
	else if (c->state == VIRTIO_VSOCK_CLOSING)
		virtio_impl_vsock_set_timer(c, TIMER_CLOSE, now);
	*out = c;
	return 0;
}
