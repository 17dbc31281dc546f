/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Saved state of devices, tables and connections. virtio_vsock_check_state() checks every field. */
#include <virtio/vsock_state.h>

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
	out->pending = c->pending;
	out->buf_alloc = c->buf_alloc;
	out->rx_cnt = c->rx_cnt;
	out->fwd_cnt = c->fwd_cnt;
	out->told_fwd_cnt = c->told_fwd_cnt;
	out->rx_packets = c->rx_packets;
	out->peer_buf_alloc = c->peer_buf_alloc;
	out->tx_cnt = c->tx_cnt;
	out->peer_fwd_cnt = c->peer_fwd_cnt;
	out->tx_packets = c->tx_packets;
	out->message_bytes = c->message_bytes;
	out->message_packets = c->message_packets;
}

/* Returns the packets that may be pending in a state of a connection. */
static uint32_t may_be_pending(uint8_t state)
{
	switch (state) {
	case VIRTIO_VSOCK_REQUESTED:
		return VIRTIO_VSOCK_PENDING_REQUEST;
	case VIRTIO_VSOCK_ESTABLISHED:
	case VIRTIO_VSOCK_CLOSING:
		return VIRTIO_VSOCK_PENDING_RESPONSE | VIRTIO_VSOCK_PENDING_ANSWER | VIRTIO_VSOCK_PENDING_UPDATE |
		       VIRTIO_VSOCK_PENDING_CREDIT_REQUEST | VIRTIO_VSOCK_PENDING_SHUTDOWN;
	case VIRTIO_VSOCK_RESET:
		return VIRTIO_VSOCK_PENDING_RST;
	default:
		return 0;
	}
}

/* Returns whether the SHUTDOWN flags fit the state. */
static bool shutdown_fits(const struct virtio_vsock_connection_state *s)
{
	const uint32_t both = VIRTIO_VSOCK_SHUTDOWN_BOTH;
	const bool closing = s->shut_by_us == both || s->shut_by_peer == both;

	if ((s->shut_by_us | s->shut_by_peer) & ~both)
		return false;
	if ((s->pending & VIRTIO_VSOCK_PENDING_SHUTDOWN) && s->shut_by_us == 0)
		return false;
	if (s->state == VIRTIO_VSOCK_ESTABLISHED)
		return !closing;
	if (s->state == VIRTIO_VSOCK_CLOSING)
		return closing;
	return s->state == VIRTIO_VSOCK_RESET || (s->shut_by_us | s->shut_by_peer) == 0;
}

/* Returns the name of a value that contradicts another value or the options, or NULL. */
static const char *find_bad_counter(const struct virtio_vsock_connection_state *s,
				    const struct virtio_vsock_options *options)
{
	const uint32_t buffered = s->rx_cnt - s->fwd_cnt, untold = s->fwd_cnt - s->told_fwd_cnt;
	const bool before = s->state == VIRTIO_VSOCK_ACCEPTING || s->state == VIRTIO_VSOCK_REQUESTED;

	if (s->buf_alloc < options->buf_alloc)
		return "buf_alloc";
	if (buffered > s->buf_alloc)
		return "fwd_cnt";
	/* rx_cnt - told_fwd_cnt is buffered + untold. The sum must not wrap. */
	if (s->rx_cnt - s->told_fwd_cnt < untold)
		return "told_fwd_cnt";
	if (s->rx_packets > options->max_packets || (buffered != 0 && s->rx_packets == 0))
		return "rx_packets";
	if (s->tx_packets == 0 && s->tx_cnt != s->peer_fwd_cnt)
		return "peer_fwd_cnt";
	if (s->message_bytes != 0 && s->message_packets == 0)
		return "message_bytes";
	if (s->message_packets != 0 && s->type != VIRTIO_VSOCK_TYPE_SEQPACKET)
		return "message_packets";
	if (before && (s->rx_cnt | s->fwd_cnt | s->told_fwd_cnt | s->rx_packets | s->tx_cnt | s->peer_fwd_cnt |
		       s->tx_packets | s->message_packets) != 0)
		return "state";
	return NULL;
}

/* Returns the name of a value that no connection of this table can have, or NULL. */
static const char *find_impossible(const struct virtio_vsock_table *table,
				   const struct virtio_vsock_connection_state *s)
{
	const uint32_t to = s->address.local_cid;

	if (s->address.peer_cid != table->vsock->guest_cid)
		return "peer_cid";
	if (to == s->address.peer_cid || (to != VIRTIO_VSOCK_CID_HOST && !virtio_vsock_is_guest_cid(to)))
		return "local_cid";
	if (s->state == VIRTIO_VSOCK_CLOSED || s->state > VIRTIO_VSOCK_RESET)
		return "state";
	if (s->credit_bad > 1)
		return "credit_bad";
	if (s->pending & ~may_be_pending(s->state) || (s->state == VIRTIO_VSOCK_RESET && s->pending == 0))
		return "pending";
	if (!shutdown_fits(s))
		return "shut_by_us";
	return find_bad_counter(s, &table->options);
}

static int check(const struct virtio_vsock_table *table, const struct virtio_vsock_connection_state *s)
{
	if (s->reserved != 0 || find_impossible(table, s))
		return VIRTIO_EINVAL;
	if (!virtio_vsock_has_type(table->vsock, s->type))
		return VIRTIO_ENOTSUP;
	if (virtio_vsock_table_find(table, &s->address))
		return VIRTIO_EBUSY;
	return table->free_places ? 0 : VIRTIO_ENOBUFS;
}

/*
 * Returns a negative number if a comes before b, 0 if they are equal, and a positive number
 * otherwise. Both addresses have the same peer_cid.
 */
static int compare(const struct virtio_vsock_address *a, const struct virtio_vsock_address *b)
{
	if (a->local_port != b->local_port)
		return a->local_port < b->local_port ? -1 : 1;
	if (a->peer_port != b->peer_port)
		return a->peer_port < b->peer_port ? -1 : 1;
	return a->local_cid == b->local_cid ? 0 : a->local_cid < b->local_cid ? -1 : 1;
}

/*
 * Sorts the connections by address, and returns whether two addresses are equal. The author of a
 * saved state chooses the number and order of the connections. Shell's sort is fast for any order,
 * but a comparison of all pairs would be slow.
 */
static bool has_duplicates(struct virtio_vsock_connection_state *connections, uint32_t count)
{
	for (uint32_t gap = count / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11)
		for (uint32_t i = gap; i < count; i++) {
			const struct virtio_vsock_connection_state one = connections[i];
			uint32_t j = i;

			for (; j >= gap && compare(&connections[j - gap].address, &one.address) > 0; j -= gap)
				connections[j] = connections[j - gap];
			connections[j] = one;
		}
	for (uint32_t i = 1; i < count; i++) {
		if (compare(&connections[i - 1].address, &connections[i].address) == 0)
			return true;
	}
	return false;
}

static int refuse(struct virtio_refusal *refusal, const char *field, uint32_t entry, int error)
{
	*refusal = (struct virtio_refusal){ .field = field, .entry = entry };
	return error;
}

int virtio_vsock_check_state(const struct virtio_vsock_table *table, const struct virtio_vsock_device_state *state,
			     struct virtio_vsock_connection_state *connections, uint32_t count,
			     struct virtio_refusal *refusal)
{
	struct virtio_vsock vsock = *table->vsock;

	if (state->negotiated & ~vsock.offered) {
		refuse(refusal, "negotiated", VIRTIO_SECTION_NO_ENTRY, VIRTIO_EINVAL);
		refusal->bits = state->negotiated & ~vsock.offered;
		return VIRTIO_EINVAL;
	}
	if (state->next_port < table->options.first_port || state->next_port > table->options.last_port)
		return refuse(refusal, "next_port", VIRTIO_SECTION_NO_ENTRY, VIRTIO_EINVAL);
	if (!state->event_waiting && state->event_avail_idx != 0)
		return refuse(refusal, "event_avail_idx", VIRTIO_SECTION_NO_ENTRY, VIRTIO_EINVAL);
	if (count > table->capacity - table->count)
		return refuse(refusal, "connections", VIRTIO_SECTION_NO_ENTRY, VIRTIO_ENOBUFS);
	vsock.negotiated = state->negotiated;
	for (uint32_t i = 0; i < count; i++) {
		const char *field = connections[i].reserved ? "state" : find_impossible(table, &connections[i]);

		if (field)
			return refuse(refusal, field, i, VIRTIO_EINVAL);
		if (!virtio_vsock_has_type(&vsock, connections[i].type))
			return refuse(refusal, "type", i, VIRTIO_ENOTSUP);
		if (virtio_vsock_table_find(table, &connections[i].address))
			return refuse(refusal, "local_port", i, VIRTIO_EBUSY);
	}
	if (has_duplicates(connections, count))
		return refuse(refusal, "connections", VIRTIO_SECTION_NO_ENTRY, VIRTIO_EBUSY);
	return 0;
}

void virtio_vsock_save(const struct virtio_vsock *vsock, const struct virtio_vsock_events *events,
		       const struct virtio_vsock_table *table, struct virtio_vsock_device_state *out)
{
	struct virtio_vsock_table_state ports;

	virtio_vsock_table_save(table, &ports);
	*out = (struct virtio_vsock_device_state){ .negotiated = vsock->negotiated, .next_port = ports.next_port };
	if (!events)
		return;
	out->event_unsent = events->unsent;
	out->event_waiting = events->waiting;
	out->event_avail_idx = events->waiting ? events->avail_idx : 0;
}

int virtio_vsock_restore(struct virtio_vsock *vsock, struct virtio_vsock_events *events,
			 struct virtio_vsock_table *table, const struct virtio_vsock_device_state *state)
{
	const struct virtio_vsock_table_state ports = { state->next_port };
	int error;

	if (state->negotiated & ~vsock->offered)
		return VIRTIO_EINVAL;
	error = virtio_vsock_table_restore(table, &ports);
	if (error)
		return error;
	vsock->negotiated = state->negotiated;
	if (events)
		*events = (struct virtio_vsock_events){
			.unsent = state->event_unsent,
			.waiting = state->event_waiting,
			.avail_idx = state->event_avail_idx,
		};
	return 0;
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
	/*
	 * The state does not record where single packets end. So one mark covers all saved packets,
	 * until the guest has forwarded all their bytes.
	 */
	c->mark_count = s->tx_packets != 0;
	c->marks[0].end = s->tx_cnt;
	c->marks[0].packets = s->tx_packets;
	c->message_bytes = s->message_bytes;
	c->message_packets = s->message_packets;
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
	/*
	 * Drop a pending CREDIT_REQUEST. If there is still no credit, the caller's next attempt to
	 * send makes a new CREDIT_REQUEST pending.
	 */
	c->pending = state->pending & ~(uint32_t)VIRTIO_VSOCK_PENDING_CREDIT_REQUEST;
	take_counters(c, state);
	virtio_impl_vsock_queue(c);
	if (c->state == VIRTIO_VSOCK_ACCEPTING || c->state == VIRTIO_VSOCK_REQUESTED)
		virtio_impl_vsock_set_timer(c, TIMER_CONNECT, now);
	else if (c->state == VIRTIO_VSOCK_CLOSING)
		virtio_impl_vsock_set_timer(c, TIMER_CLOSE, now);
	*out = c;
	return 0;
}
