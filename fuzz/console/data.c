/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Checks that each call of receive or transmit moves the bytes that it must move. */
#include "harness.h"

#define MULTIPORT (UINT64_C(1) << VIRTIO_CONSOLE_F_MULTIPORT)

static bool has_queues(const struct console_harness *h, uint32_t id)
{
	return id == 0 || (h->console.negotiated & MULTIPORT) != 0;
}

void harness_type(struct console_harness *h, uint32_t id, uint32_t len)
{
	struct host_port *p = &h->host[id];
	const uint32_t room = h->capacity - p->held_count, n = len < room ? len : room;
	uint8_t bytes[80];
	bool wake = false;
	int got;

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(h->next_input + i);
	FUZZ_CHECK(virtio_console_input_available(&p->input) == room, "the input buffer does not have %u bytes of room",
		   room);
	got = virtio_console_input_enqueue(&p->input, bytes, len, &wake);
	FUZZ_CHECK(got == (n == 0 && len != 0 ? VIRTIO_ENOBUFS : (int)n), "enqueue returned %d for %u bytes", got, len);
	memcpy(p->held + p->held_count, bytes, n);
	p->held_count += n;
	p->wants_room = n < len;
	h->next_input = (uint8_t)(h->next_input + n);
}

static void check_input(struct console_harness *h, uint32_t id)
{
	struct host_port *p = &h->host[id];
	uint8_t bytes[MOST_INPUT];

	FUZZ_CHECK(virtio_console_input_peek(&p->input, bytes, sizeof bytes) == p->held_count,
		   "the number of bytes of input is wrong");
	FUZZ_CHECK(memcmp(bytes, p->held, p->held_count) == 0, "the input of port %u is wrong", id);
	FUZZ_CHECK(virtio_console_input_is_empty(&p->input) == (p->held_count == 0),
		   "virtio_console_input_is_empty() is wrong");
}

/* Moves `n` bytes of input to a receive chain, in the model. */
static void arrive(struct console_harness *h, uint32_t id, const struct chain_spec *spec, uint32_t n)
{
	struct host_port *p = &h->host[id];

	for (uint32_t i = 0; i < n; i++)
		guest_device_put(&h->guest, guest_byte_addr(spec, true, i), p->held[i]);
	memmove(p->held, p->held + n, p->held_count - n);
	p->held_count -= n;
	p->received += n;
}

/*
 * Returns whether receive or transmit must stop at the oldest chain, because a page is not mapped.
 */
static bool stops(const struct chain_worth *worth, int got, uint32_t index, uint32_t completed)
{
	if (!worth->not_mapped)
		return false;
	/* If the chain is also bad, the library may find either fault first. */
	return !worth->bad || (got == VIRTIO_ENOTMAPPED && index == completed);
}

/*
 * Calls virtio_console_receive() until progress.more is false. One call may end early after long
 * chains.
 */
static int receive_all(struct console_harness *h, uint32_t id, struct virtio_console_progress *all)
{
	struct virtio_console_progress progress;
	int got;

	*all = (struct virtio_console_progress){ .bytes = 0 };
	do {
		got = virtio_console_receive(&h->console, id, &h->guest.queues[2 * id].queue, &progress);
		all->bytes += progress.bytes;
		all->chains += progress.chains;
		all->notify = all->notify || progress.notify;
		all->room = all->room || progress.room;
		FUZZ_CHECK(!progress.more || (got == 0 && progress.chains > 0),
			   "progress: more is set, but the call failed or used no chain");
		FUZZ_CHECK(!progress.blocked, "progress: receive has set blocked");
	} while (progress.more);
	return got;
}

void harness_receive(struct console_harness *h, uint32_t id)
{
	const uint32_t queue = 2 * id;
	struct guest_queue *q = &h->guest.queues[queue];
	struct virtio_console_progress progress;
	const struct port_view *port = &h->view.ports[id];
	struct host_port *p = &h->host[id];
	const uint32_t held = p->held_count;
	struct chain_worth worth;
	uint32_t index = 0;
	int got, expected = 0;

	if (id >= DATA_PORTS)
		return;
	guest_before(&h->guest);
	got = receive_all(h, id, &progress);
	if (!port->present || !has_queues(h, id)) {
		FUZZ_CHECK(got == VIRTIO_EINVAL, "receive for a missing port returned %d", got);
	} else if (!port->awaits_ready && (port->console || !(h->console.negotiated & MULTIPORT) || port->guest_open)) {
		for (; p->held_count > 0 && q->waiting > 0; index++) {
			const struct chain_spec *spec = &q->specs[q->order[0]];
			uint32_t n = 0;

			guest_weigh(&h->guest, spec, true, false, h->segments, &worth);
			if (stops(&worth, got, index, progress.chains)) {
				expected = VIRTIO_ENOTMAPPED;
				break;
			}
			if (!worth.bad && !worth.wrong_way)
				n = worth.bytes < p->held_count ? worth.bytes : p->held_count;
			arrive(h, id, spec, n);
			guest_expect_used(&h->guest, queue, n);
		}
		FUZZ_CHECK(got == expected, "receive returned %d, the model says %d", got, expected);
		FUZZ_CHECK(progress.bytes == held - p->held_count, "progress: bytes is wrong");
		FUZZ_CHECK(progress.room == (p->wants_room && p->held_count < h->capacity), "progress: room is wrong");
		p->wants_room = p->wants_room && !progress.room;
	}
	FUZZ_CHECK(progress.chains == index, "receive used %u chains, the model says %u", progress.chains, index);
	FUZZ_CHECK(progress.notify == (index > 0), "progress: notify is wrong");
	guest_expect_no_more(&h->guest, queue);
	check_input(h, id);
}

void harness_clear(struct console_harness *h, uint32_t id)
{
	struct host_port *p = &h->host[id];
	bool room;

	FUZZ_CHECK(virtio_console_input_clear(&p->input, &room) == p->held_count,
		   "virtio_console_input_clear() returned a wrong number");
	FUZZ_CHECK(room == p->wants_room, "virtio_console_input_clear() reports wrong room");
	p->held_count = 0;
	p->wants_room = false;
	check_input(h, id);
}

/* Output */

static size_t sink(void *context, const void *bytes, size_t len)
{
	struct host_port *p = context;
	const uint32_t n = len < p->limit ? (uint32_t)len : p->limit;

	FUZZ_CHECK(len >= 1 && len <= VIRTIO_CONSOLE_PIECE_BYTES, "the sink is offered a piece of %zu bytes", len);
	FUZZ_CHECK(len <= p->expected_count - p->offered, "the sink is offered more output than there is");
	FUZZ_CHECK(memcmp(bytes, p->expected + p->offered, len) == 0,
		   "the sink is offered bytes that the guest did not send");
	p->offered += n;
	p->limit -= n;
	return n;
}

/* Adds a chain's bytes, from offset @from on, to what the library may offer to the sink. */
static void expect_output(struct console_harness *h, uint32_t id, const struct chain_spec *spec, uint32_t from,
			  uint32_t count)
{
	struct host_port *p = &h->host[id];

	for (uint32_t i = from; i < count; i++)
		p->expected[p->expected_count++] = guest_get(&h->guest, guest_byte_addr(spec, false, i));
}

/* Returns whether new chains are output of this port, not of an earlier port with this number. */
static bool accepts_output(const struct console_harness *h, uint32_t id)
{
	return h->view.ports[id].present && !h->view.ports[id].awaits_ready;
}

/* Lists all bytes that transmit_all() may offer to the sink: the output of all waiting chains. */
static void expect_all_output(struct console_harness *h, uint32_t id)
{
	const struct guest_queue *q = &h->guest.queues[2 * id + 1];
	struct host_port *p = &h->host[id];

	p->expected_count = p->offered = 0;
	for (uint32_t i = 0; i < q->waiting; i++) {
		const struct chain_spec *spec = &q->specs[q->order[i]];
		struct chain_worth worth;

		guest_weigh(&h->guest, spec, false, false, UINT32_MAX, &worth);
		if (i == 0 && p->in_flight) {
			if (!p->orphan)
				expect_output(h, id, spec, p->taken, worth.all);
		} else if (!worth.bad && !worth.wrong_way && !worth.not_mapped && accepts_output(h, id)) {
			expect_output(h, id, spec, 0, worth.all);
		}
	}
}

/* Checks the outcome of the oldest chain. Returns whether it was completed. */
static bool settle_chain(struct console_harness *h, uint32_t id, const struct virtio_console_progress *progress,
			 int got, uint32_t index, uint32_t *left, int *expected)
{
	const struct guest_queue *q = &h->guest.queues[2 * id + 1];
	const struct chain_spec *spec = &q->specs[q->order[0]];
	struct host_port *p = &h->host[id];
	struct chain_worth worth;
	uint32_t n, from = p->in_flight ? p->taken : 0;

	guest_weigh(&h->guest, spec, false, false, UINT32_MAX, &worth);
	if (p->in_flight ? p->orphan : !accepts_output(h, id)) {
		worth.all = from = 0;
	} else if (!p->in_flight) {
		if (stops(&worth, got, index, progress->chains)) {
			*expected = VIRTIO_ENOTMAPPED;
			return false;
		}
		if (worth.bad || worth.wrong_way)
			worth.all = 0;
	}
	n = worth.all - from < *left ? worth.all - from : *left;
	*left -= n;
	p->transmitted += n;
	if (from + n == worth.all) {
		p->in_flight = p->orphan = false;
		guest_expect_used(&h->guest, 2 * id + 1, 0);
		return true;
	}
	p->taken = from + n;
	p->in_flight = true;
	FUZZ_CHECK(progress->blocked, "progress: blocked is not set, but the sink is full");
	return false;
}

/* Repeats the call until nothing is left to do, like receive_all(). */
static int transmit_all(struct console_harness *h, uint32_t id, struct virtio_console_progress *all)
{
	struct virtio_console_progress progress;
	int got;

	*all = (struct virtio_console_progress){ .bytes = 0 };
	do {
		got = virtio_console_transmit(&h->console, id, &h->guest.queues[2 * id + 1].queue, &progress);
		all->bytes += progress.bytes;
		all->chains += progress.chains;
		all->notify = all->notify || progress.notify;
		all->blocked = progress.blocked;
		FUZZ_CHECK(!progress.more || (got == 0 && progress.chains > 0 && !progress.blocked),
			   "progress: more is set, but the call failed, used no chain, or is blocked");
		FUZZ_CHECK(!progress.room, "progress: transmit has set room");
	} while (progress.more);
	return got;
}

void harness_transmit(struct console_harness *h, uint32_t id, uint32_t limit)
{
	struct guest_queue *q = &h->guest.queues[2 * id + 1];
	struct host_port *p = &h->host[id];
	struct virtio_console_progress progress;
	uint32_t index = 0, left = limit;
	int got, expected = 0;

	if (id >= DATA_PORTS)
		return;
	guest_before(&h->guest);
	expect_all_output(h, id);
	p->limit = limit;
	got = transmit_all(h, id, &progress);
	if (!has_queues(h, id)) {
		FUZZ_CHECK(got == VIRTIO_EINVAL && progress.chains == 0,
			   "transmit without queues returned %d, or used a chain", got);
		return;
	}
	while (q->waiting > 0 && settle_chain(h, id, &progress, got, index, &left, &expected))
		index++;
	FUZZ_CHECK(got == expected, "transmit returned %d, the model says %d", got, expected);
	FUZZ_CHECK(progress.bytes == limit - left && p->limit == left,
		   "progress: bytes is not the number of bytes that the sink took");
	FUZZ_CHECK(progress.chains == index, "transmit used %u chains, the model says %u", progress.chains, index);
	FUZZ_CHECK(progress.blocked == (p->in_flight && expected == 0), "progress: blocked is wrong");
	FUZZ_CHECK(progress.notify == (index > 0 || q->doubt), "progress: notify is wrong");
	q->doubt = false;
	guest_expect_no_more(&h->guest, 2 * id + 1);
}

void harness_add_port(struct console_harness *h, uint32_t id)
{
	const struct port_view *view = &h->view.ports[id];
	const struct virtio_console_port_options options = {
		.console = view->console,
		.name = view->named ? PORT_NAME : NULL,
		.name_bytes = view->named ? sizeof PORT_NAME - 1 : 0,
		.cols = view->cols,
		.rows = view->rows,
		.input = &h->host[id].input,
		.sink = sink,
		.sink_context = &h->host[id],
		.receive_segments = h->receive_segments,
		.receive_capacity = h->segments,
		.transmit_segments = h->transmit_segments[id],
		.transmit_capacity = h->segments,
	};

	FUZZ_CHECK(virtio_console_add_port(&h->console, id, &options) == 0, "port %u is not added", id);
}
