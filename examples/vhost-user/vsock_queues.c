/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The turns of the queues. The library's table of connections checks each packet of the guest, and
 * the payload goes to a stream. If the table has a packet for the guest, the guest's next buffer
 * gets that packet. Otherwise the buffer gets data of one ready stream. The ready streams take
 * turns.
 */
#include "vsock_device.h"

#include "vsock_group.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURN 32u /* the most packets in one turn */

int vsock_request(struct vsock_device *vsock, struct vsock_stream *s, const struct virtio_vsock_address *from)
{
	struct virtio_vsock_connection *c;
	const int error = from ? virtio_vsock_table_connect_from(&vsock->table, s->type, from, vsock_now(), &c)
			       : virtio_vsock_table_connect(&vsock->table, s->type, s->port, vsock_now(), &c);

	if (error)
		return -1;
	c->user = s;
	s->connection = c;
	if (s->stage != VSOCK_STAGE_REQUESTED)
		vsock_stream_set_stage(s, VSOCK_STAGE_REQUESTED);
	vsock_wake(vsock, VIRTIO_VSOCK_QUEUE_RX);
	vsock_arm(vsock);
	return 0;
}

/* From the guest */

static void on_request(struct vsock_device *vsock, struct virtio_vsock_connection *c)
{
	const bool to_host = c->address.local_cid == VIRTIO_VSOCK_CID_HOST;
	struct vsock_stream *s = to_host ? vsock_clients_answer(vsock, c) : vsock_group_answer(vsock, c);

	if (!s) {
		vsock->counts.refused++;
		virtio_vsock_connection_reset(c);
		return;
	}
	c->user = s;
	s->connection = c;
	if (to_host)
		(void)vsock_clients_dial(s);
}

/*
 * Called when the guest has accepted. Tells the other side before any data follows: a client by a
 * line, another guest's device by a byte. A new socket has room for the line or the byte. If the
 * send fails, the other side has closed its socket.
 */
static void on_response(struct vsock_stream *s)
{
	static const char accepted = VSOCK_ACCEPTED;
	char line[32];
	const int len = snprintf(line, sizeof line, "OK %u\n", s->connection->address.local_port);

	(void)!send(s->source.fd, s->paired ? &accepted : line, s->paired ? 1 : (size_t)len,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	s->vsock->counts.to_guest++;
	vsock_stream_start(s);
}

/*
 * Keep the order of these events, because only the last function that is called may close the
 * stream.
 */
static void obey(struct vsock_device *vsock, const struct virtio_vsock_received *what)
{
	struct virtio_vsock_connection *c = what->connection;
	struct vsock_stream *s = c->user;

	if (what->got & VIRTIO_VSOCK_GOT_REQUEST) {
		on_request(vsock, c);
		return;
	}
	if (what->got & VIRTIO_VSOCK_GOT_END) {
		if (s->stage == VSOCK_STAGE_REQUESTED || s->stage == VSOCK_STAGE_DIALLING)
			vsock->counts.refused++;
		vsock_stream_let_go(s);
		return;
	}
	if (what->got & VIRTIO_VSOCK_GOT_RESPONSE)
		on_response(s);
	if (what->got & VIRTIO_VSOCK_GOT_CREDIT)
		vsock_stream_credit(s);
	if (what->got & VIRTIO_VSOCK_GOT_DATA)
		vsock_stream_take(s, &vsock->tx.data, what);
	else if (what->got & VIRTIO_VSOCK_GOT_SHUTDOWN)
		vsock_stream_shut(s);
}

static int serve_tx(struct vsock_device *vsock, struct virtio_queue *queue, unsigned int budget)
{
	struct virtio_vsock_packet *packet = &vsock->tx;
	const uint64_t now = vsock_now();
	struct virtio_vsock_received what;
	unsigned int served = 0;
	int result = DEVICE_TURN_DONE, got;

	while (served++ < budget && result == DEVICE_TURN_DONE) {
		if (served > TURN) {
			result = DEVICE_TURN_AGAIN;
			break;
		}
		got = virtio_vsock_tx_pop(queue, packet);
		if (got <= 0) {
			result = got < 0 ? got : DEVICE_TURN_DONE;
			break;
		}
		/*
		 * An error means that the table has no room for another answer. The guest must
		 * receive answers before it may send more packets (virtio 1.4, 5.10.6.1.2).
		 */
		if (virtio_vsock_table_receive(&vsock->table, &packet->header, packet->error, now, &what)) {
			got = virtio_queue_unpop(queue, packet->token);
			result = got ? got : DEVICE_TURN_WAIT;
			vsock->tx_waits = true;
			break;
		}
		vsock->counts.faults += packet->error != 0;
		if (what.connection)
			obey(vsock, &what);
		got = virtio_vsock_complete(queue, packet);
		result = got < 0 ? got : DEVICE_TURN_DONE;
	}
	vsock_pay(vsock);
	vsock_arm(vsock);
	return result;
}

/* To the guest */

static bool has_something(const struct vsock_device *vsock)
{
	return virtio_vsock_table_pending(&vsock->table) || !TAILQ_EMPTY(&vsock->ready);
}

/*
 * Fills a packet. Returns false if there is nothing to send, or if the data that waits needs a
 * longer buffer. In the second case *out_short is set.
 */
static bool fill(struct vsock_device *vsock, uint64_t now, bool *out_short)
{
	struct virtio_vsock_packet *packet = &vsock->rx;
	struct vsock_stream *s;

	*out_short = false;
	while (has_something(vsock)) {
		if (virtio_vsock_table_next(&vsock->table, &packet->header) == 1) {
			/* The table has room for another answer now. */
			if (vsock->tx_waits)
				vsock_wake(vsock, VIRTIO_VSOCK_QUEUE_TX);
			vsock->tx_waits = false;
			return true;
		}
		*out_short = packet->data.writable_bytes == 0;
		if (*out_short)
			return false;
		s = TAILQ_FIRST(&vsock->ready);
		if (vsock_stream_fill(s, packet, now) == 1) {
			/* The other streams send before this stream sends again. */
			TAILQ_REMOVE(&vsock->ready, s, in_ready);
			TAILQ_INSERT_TAIL(&vsock->ready, s, in_ready);
			return true;
		}
	}
	return false;
}

static int serve_rx(struct vsock_device *vsock, struct virtio_queue *queue, unsigned int budget)
{
	struct virtio_vsock_packet *packet = &vsock->rx;
	const uint64_t now = vsock_now();
	bool is_short;
	int got;

	for (unsigned int served = 0; served < budget; served++) {
		if (!has_something(vsock))
			return DEVICE_TURN_WAIT;
		if (served == TURN)
			return DEVICE_TURN_AGAIN;
		got = virtio_vsock_rx_pop(queue, packet);
		if (got <= 0)
			return got < 0 ? got : DEVICE_TURN_DONE;
		vsock->counts.faults += packet->error != 0;
		if (packet->error)
			got = virtio_vsock_complete(queue, packet);
		else if (fill(vsock, now, &is_short))
			got = virtio_vsock_rx_commit(queue, packet);
		else if (is_short)
			got = virtio_vsock_complete(queue, packet);
		else
			got = virtio_queue_unpop(queue, packet->token);
		if (got < 0)
			return got;
	}
	return has_something(vsock) ? DEVICE_TURN_DONE : DEVICE_TURN_WAIT;
}

/* Events */

/* Connections may begin after the driver has received the transport reset. */
static int serve_events(struct vsock_device *vsock, struct virtio_queue *queue)
{
	int got = virtio_vsock_events_send(&vsock->events, queue, vsock->event_segments, VSOCK_SEGMENTS);

	if (got >= 0)
		got = virtio_vsock_events_pending(&vsock->events, queue);
	if (got < 0)
		return got;
	if (got > 0)
		return DEVICE_TURN_DONE;
	if (vsock->table.held && vsock->hold_until == UINT64_MAX) {
		virtio_vsock_table_hold(&vsock->table, false);
		vsock_wake(vsock, VIRTIO_VSOCK_QUEUE_RX);
	}
	return DEVICE_TURN_WAIT;
}

int vsock_queue_notify(struct device *device, struct device_queue *queue, unsigned int budget)
{
	struct vsock_device *vsock = vsock_from_device(device);

	if (queue->index == VIRTIO_VSOCK_QUEUE_EVENT)
		return serve_events(vsock, &queue->virtq);
	/* No connection begins before the driver can receive the answer. */
	if (!vsock_is_up(vsock))
		return DEVICE_TURN_WAIT;
	if (queue->index == VIRTIO_VSOCK_QUEUE_TX)
		return serve_tx(vsock, &queue->virtq, budget);
	return serve_rx(vsock, &queue->virtq, budget);
}
