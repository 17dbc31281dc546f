/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Sets up and resets the device. Checks its ports, control messages and saved state. */
#include "harness.h"
#include "steps.h"
#include <virtio/queue_state.h>

#define SIZE (UINT64_C(1) << VIRTIO_CONSOLE_F_SIZE)
#define MULTIPORT (UINT64_C(1) << VIRTIO_CONSOLE_F_MULTIPORT)
#define EMERGENCY (UINT64_C(1) << VIRTIO_CONSOLE_F_EMERG_WRITE)
#define CONTROL_SEGMENTS 64u

static void event(void *context, uint32_t id, uint16_t what, uint16_t value)
{
	struct console_harness *h = context;

	/* harness_transmit_control() compares the events with the accepted messages. */
	FUZZ_CHECK(h->events < SLOTS, "more events than chains");
	h->heard[h->events++] = (struct view_event){ id, what, value };
}

static void emergency(void *context, uint8_t byte)
{
	struct console_harness *h = context;

	h->emergencies++;
	h->emergency = byte;
}

static void negotiate(struct console_harness *h, bool multiport)
{
	const uint64_t offered = virtio_console_offered(&h->console);
	const uint64_t features = multiport ? offered : offered & ~MULTIPORT;

	FUZZ_CHECK(virtio_console_negotiate(&h->console, features) == 0, "the offered features are refused");
	h->view.multiport = (features & MULTIPORT) != 0;
}

void harness_open(struct console_harness *h)
{
	uint8_t how;

	guest_open(&h->guest, &h->in);
	how = fuzz_u8(&h->in);
	h->capacity = 1 + fuzz_u8(&h->in) % MOST_INPUT;
	h->segments = 1 + fuzz_u8(&h->in) % 64;
	h->receive_segments = fuzz_alloc(h->segments * sizeof *h->receive_segments);
	h->control_segments = fuzz_alloc(CONTROL_SEGMENTS * sizeof *h->control_segments);
	h->options = (struct virtio_console_options){
		.ports = h->ports,
		.port_count = (how & CONSOLE_O_MULTIPORT) ? PORTS : 1,
		.size = (how & CONSOLE_O_SIZE) != 0,
		.multiport = (how & CONSOLE_O_MULTIPORT) != 0,
		.event = event,
		.emergency = (how & CONSOLE_O_EMERGENCY) ? emergency : NULL,
		.context = h,
		.control_segments = h->control_segments,
		.control_capacity = CONTROL_SEGMENTS,
	};
	FUZZ_CHECK(virtio_console_init(&h->console, &h->options) == 0, "valid options are refused");
	for (uint32_t i = 0; i < PORTS; i++) {
		struct host_port *p = &h->host[i];

		h->transmit_segments[i] = fuzz_alloc(h->segments * sizeof *h->receive_segments);
		p->input_bytes = fuzz_alloc(h->capacity);
		FUZZ_CHECK(virtio_console_input_init(&p->input, p->input_bytes, h->capacity) == 0,
			   "an input buffer is refused");
	}
	negotiate(h, !(how & CONSOLE_O_UNNEGOTIATED));
	harness_plug(h, 0, true, false, 80, 25);
}

void harness_close(struct console_harness *h)
{
	for (uint32_t i = 0; i < PORTS; i++) {
		free(h->transmit_segments[i]);
		free(h->host[i].input_bytes);
	}
	free(h->receive_segments);
	free(h->control_segments);
	guest_close(&h->guest);
}

/* Ports */

void harness_plug(struct console_harness *h, uint32_t id, bool console, bool named, uint16_t cols, uint16_t rows)
{
	if (id >= h->options.port_count || h->view.ports[id].present)
		return;
	view_add(&h->view, id, console, named, cols, rows);
	harness_add_port(h, id);
}

/* Drops the input of a port in the model. Checks the library's counters. */
static void drop(struct console_harness *h, uint32_t id, bool room)
{
	struct host_port *p = &h->host[id];
	struct virtio_console_port_stats stats;

	FUZZ_CHECK(room == p->wants_room, "the reported room is wrong");
	p->dropped += p->held_count;
	p->held_count = 0;
	p->wants_room = false;
	FUZZ_CHECK(virtio_console_get_port_stats(&h->console, id, &stats) == 0,
		   "the counters of a port cannot be read");
	FUZZ_CHECK(stats.dropped == p->dropped && stats.received == p->received && stats.transmitted == p->transmitted,
		   "the counters of port %u are wrong", id);
	FUZZ_CHECK(virtio_console_input_is_empty(&p->input), "input remains after its client has left");
}

void harness_unplug(struct console_harness *h, uint32_t id)
{
	bool room = false;
	const int got = virtio_console_remove_port(&h->console, id, &room);

	FUZZ_CHECK(got == (h->view.ports[id].present ? 0 : VIRTIO_EINVAL), "virtio_console_remove_port() returned %d",
		   got);
	if (got)
		return;
	view_remove(&h->view, id);
	h->host[id].orphan = h->host[id].in_flight;
	drop(h, id, room);
}

void harness_client(struct console_harness *h, uint32_t id)
{
	const struct port_view *view = &h->view.ports[id];
	bool room = false;
	int got;

	if (!view->present || !view->connected) {
		got = virtio_console_connect(&h->console, id);
		FUZZ_CHECK(got == (view->present ? 0 : VIRTIO_EINVAL), "virtio_console_connect() returned %d", got);
		if (!got)
			view_connect(&h->view, id);
		return;
	}
	got = virtio_console_disconnect(&h->console, id, &room);
	FUZZ_CHECK(got == 0, "virtio_console_disconnect() returned %d", got);
	view_disconnect(&h->view, id);
	drop(h, id, room);
}

void harness_resize(struct console_harness *h, uint32_t id, uint16_t cols, uint16_t rows)
{
	const struct port_view *view = &h->view.ports[id];
	const bool changes = view->cols != cols || view->rows != rows;
	const int got = virtio_console_resize(&h->console, id, cols, rows);

	if (!view->present || !view->console) {
		FUZZ_CHECK(got == VIRTIO_EINVAL, "virtio_console_resize() without a console returned %d", got);
		return;
	}
	FUZZ_CHECK(got == (changes && id == 0 && (h->console.offered & SIZE) ? 1 : 0),
		   "virtio_console_resize() returned %d", got);
	view_resize(&h->view, id, cols, rows);
}

/* Messages */

/*
 * Calls virtio_console_control_transmit() until progress.more is false. One call may end early
 * after long chains.
 */
static int transmit_all(struct console_harness *h, struct virtio_console_progress *all)
{
	struct virtio_console_progress progress;
	int got;

	*all = (struct virtio_console_progress){ .bytes = 0 };
	do {
		got = virtio_console_control_transmit(&h->console, &h->guest.queues[CONTROL_TX].queue, &progress);
		all->chains += progress.chains;
		all->notify = all->notify || progress.notify;
		FUZZ_CHECK(!progress.more || (got == 0 && progress.chains > 0),
			   "progress: more is set, but the call failed or used no chain");
	} while (progress.more);
	return got;
}

static void check_event(const struct console_harness *h, uint32_t index)
{
	const struct view_event *due = &h->view.due, *heard = &h->heard[index];

	FUZZ_CHECK(index < h->events, "event %u of port %u is missing", due->event, due->id);
	FUZZ_CHECK(heard->id == due->id && heard->event == due->event && heard->value == due->value,
		   "event %u of port %u with value %u is wrong", heard->event, heard->id, heard->value);
}

void harness_transmit_control(struct console_harness *h)
{
	struct guest_queue *q = &h->guest.queues[CONTROL_TX];
	struct virtio_console_progress progress;
	uint32_t index = 0, due = 0;
	int got, expected = 0;

	guest_before(&h->guest);
	h->events = 0;
	got = transmit_all(h, &progress);
	for (; h->view.multiport && q->waiting > 0; index++) {
		const struct chain_spec *spec = &q->specs[q->order[0]];
		struct chain_worth worth;
		uint8_t bytes[8];

		guest_weigh(&h->guest, spec, false, true, UINT32_MAX, &worth);
		if (worth.not_mapped && (!worth.bad || (got == VIRTIO_ENOTMAPPED && index == progress.chains))) {
			expected = VIRTIO_ENOTMAPPED;
			break;
		}
		if (!worth.bad && !worth.wrong_way) {
			for (uint32_t i = 0; i < 8 && i < worth.all; i++)
				bytes[i] = guest_get(&h->guest, guest_byte_addr(spec, false, i));
			view_say(&h->view, bytes, worth.all);
			if (h->view.event_due)
				check_event(h, due++);
		}
		guest_expect_used(&h->guest, CONTROL_TX, 0);
	}
	FUZZ_CHECK(got == expected, "control_transmit returned %d, the model says %d", got, expected);
	FUZZ_CHECK(progress.chains == index && progress.notify == (index > 0),
		   "control_transmit used a wrong number of chains, or notify is wrong");
	FUZZ_CHECK(h->events == due, "the number of events is not the number of accepted messages");
	FUZZ_CHECK(h->console.stats.taken == h->view.taken && h->console.stats.ignored == h->view.ignored,
		   "the counters of messages are wrong");
	guest_expect_no_more(&h->guest, CONTROL_TX);
}

/* Reads a message that the device has put into a chain, and copies the message to the shadow. */
static void take_over_message(struct console_harness *h, const struct chain_spec *spec, uint32_t len)
{
	uint8_t message[64];

	FUZZ_CHECK(len >= 8 && len <= sizeof message, "the device sends a message of %u bytes", len);
	for (uint32_t i = 0; i < len; i++) {
		const uint64_t addr = guest_byte_addr(spec, true, i);

		FUZZ_CHECK(virtio_memory_read(&h->guest.queues[CONTROL_RX].mock.memory, addr, &message[i], 1) == 0,
			   "the device sends a message outside of memory");
		guest_device_put(&h->guest, addr, message[i]);
	}
	view_told(&h->view, message, len);
}

/* Returns the length in the next used element of the control receive queue. */
static uint32_t next_used_length(struct console_harness *h)
{
	struct virtio_mock *mock = &h->guest.queues[CONTROL_RX].mock;
	struct vring_used_elem used = { 0 };

	FUZZ_CHECK(virtio_mock_get_used_entry(mock, mock->used_idx % QUEUE_SIZE, &used) == 0,
		   "the used ring cannot be read");
	return used.len;
}

bool harness_hear(struct console_harness *h)
{
	struct guest_queue *q = &h->guest.queues[CONTROL_RX];
	const bool pending = virtio_console_control_pending(&h->console);
	struct virtio_console_progress progress;
	uint32_t index = 0;
	int got = 0;

	/*
	 * A hostile driver's chains may overlap, so a later message could overwrite an earlier
	 * message. If several chains are available, the queue restarts and the device sends
	 * nothing.
	 */
	if (q->waiting > 1 && pending) {
		guest_restart(&h->guest, CONTROL_RX);
		return true;
	}
	guest_before(&h->guest);
	got = virtio_console_control_receive(&h->console, &q->queue, &progress);
	if (pending && q->waiting > 0) {
		const struct chain_spec *spec = &q->specs[q->order[0]];
		struct chain_worth worth;
		uint32_t len;

		guest_weigh(&h->guest, spec, true, true, UINT32_MAX, &worth);
		if (got == VIRTIO_ENOTMAPPED) {
			FUZZ_CHECK(worth.not_mapped && progress.chains == 0,
				   "VIRTIO_ENOTMAPPED, but all pages are mapped or a chain was used");
			return true;
		}
		FUZZ_CHECK(!worth.not_mapped || worth.bad, "the device uses a page that is not mapped");
		len = next_used_length(h);
		if (worth.bad || worth.wrong_way)
			FUZZ_CHECK(len == 0, "the device sends a message in a bad chain");
		else
			FUZZ_CHECK(len != 0 || worth.all < 8 + sizeof PORT_NAME - 1,
				   "the device sends no message in a chain with enough room");
		h->view.excused = h->view.excused || (len == 0 && !worth.bad && !worth.wrong_way);
		if (len != 0)
			take_over_message(h, spec, len);
		guest_expect_used(&h->guest, CONTROL_RX, len);
		index = 1;
	}
	FUZZ_CHECK(got == 0, "control_receive returned %d", got);
	FUZZ_CHECK(progress.chains == index && progress.notify == (index > 0),
		   "control_receive used a wrong number of chains, or notify is wrong");
	FUZZ_CHECK(h->console.stats.sent == h->view.sent, "the counter of messages to the driver is wrong");
	guest_expect_no_more(&h->guest, CONTROL_RX);
	if (!virtio_console_control_pending(&h->console))
		view_settled(&h->view);
	return false;
}

/* State */

static void move_transmit(struct console_harness *h, uint32_t id, const struct virtio_console_port_state *state)
{
	struct guest_queue *q = &h->guest.queues[2 * id + 1];
	struct virtio_queue_state queue;
	struct virtio_chain chain = { 0 };
	struct virtio_queue_flight record[QUEUE_SIZE];
	uint32_t count = 0;
	int got;

	FUZZ_CHECK(virtio_queue_save_in_flight(&q->queue, &queue, record, QUEUE_SIZE, &count) == 0,
		   "a queue is not saved");
	FUZZ_CHECK(count == state->in_flight && count == h->host[id].in_flight, "wrong number of chains in flight: %u",
		   count);
	virtio_queue_reset(&q->queue);
	FUZZ_CHECK(virtio_queue_restore(&q->queue, &queue, &h->guest.map) == 0, "a queue is not restored");
	q->doubt = true;
	if (count == 0)
		return;
	FUZZ_CHECK(record[0].head == state->head, "the saved head %u is not in flight", state->head);
	FUZZ_CHECK(virtio_queue_replay(&q->queue, &record[0], &chain) == 1, "a chain is not replayed");
	got = virtio_console_replay_transmit(&h->console, id, &chain);
	FUZZ_CHECK(got == 0, "the replay of a chain returned %d", got);
}

void harness_move(struct console_harness *h)
{
	struct virtio_console_port_state ports[PORTS];
	struct virtio_console_state state;
	struct virtio_console_stats stats = h->console.stats;
	struct virtio_console_port_stats port_stats[PORTS];
	const uint32_t count = h->options.port_count;

	virtio_console_save(&h->console, &state);
	for (uint32_t i = 0; i < count; i++) {
		FUZZ_CHECK(virtio_console_save_port(&h->console, i, &ports[i]) == 0, "a port is not saved");
		port_stats[i] = h->ports[i].stats;
	}
	memset(h->ports, 0xee, sizeof h->ports);
	for (uint32_t i = 0; i < PORTS; i++)
		memset(h->transmit_segments[i], 0xee, h->segments * sizeof *h->receive_segments);
	FUZZ_CHECK(virtio_console_init(&h->console, &h->options) == 0, "valid options are refused");
	for (uint32_t i = 0; i < count; i++)
		if (h->view.ports[i].present) {
			harness_add_port(h, i);
			FUZZ_CHECK(!h->view.ports[i].connected || virtio_console_connect(&h->console, i) == 0,
				   "a client cannot connect after a restore");
		}
	FUZZ_CHECK(virtio_console_restore(&h->console, &state) == 0, "the device is not restored");
	for (uint32_t i = 0; i < count; i++) {
		const int got = virtio_console_restore_port(&h->console, &ports[i]);

		FUZZ_CHECK(got == 0, "port %u is not restored: %d", i, got);
		h->ports[i].stats = port_stats[i];
		if (i < DATA_PORTS)
			move_transmit(h, i, &ports[i]);
	}
	h->console.stats = stats;
}

void harness_reset(struct console_harness *h, uint8_t features)
{
	virtio_console_reset(&h->console);
	view_reset(&h->view);
	for (uint32_t i = 0; i < QUEUES; i++)
		guest_restart(&h->guest, i);
	for (uint32_t i = 0; i < PORTS; i++)
		h->host[i].in_flight = h->host[i].orphan = false;
	negotiate(h, features & 1);
}

void harness_config(struct console_harness *h, uint64_t offset, size_t len, bool write, uint8_t byte)
{
	const struct port_view *first = &h->view.ports[0];
	const bool sized = (h->console.offered & SIZE) && first->present;
	const uint8_t all[12] = {
		sized ? (uint8_t)first->cols : 0, sized ? (uint8_t)(first->cols >> 8) : 0,
		sized ? (uint8_t)first->rows : 0, sized ? (uint8_t)(first->rows >> 8) : 0,
		h->options.multiport ? PORTS : 0,
	};
	uint8_t *bytes = fuzz_alloc(len);
	const bool hits = offset <= 8 && 8 - offset < len;

	h->emergencies = 0;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(byte + i);
	if (write) {
		const bool out = virtio_console_config_write(&h->console, offset, bytes, len);

		FUZZ_CHECK(out == (hits && h->options.emergency != NULL) && h->emergencies == out,
			   "an emergency write is missing, or printed too much");
		FUZZ_CHECK(!out || h->emergency == bytes[8 - offset], "the emergency write printed a wrong byte %#x",
			   h->emergency);
	} else {
		virtio_console_config_read(&h->console, offset, bytes, len);
		for (size_t i = 0; i < len; i++)
			FUZZ_CHECK(bytes[i] == (offset < 12 && i < 12 - offset ? all[offset + i] : 0),
				   "byte %zu of the configuration space is wrong", i);
	}
	free(bytes);
}

/*
 * Restores a forged state into a copy of the device. If the restore accepts the state, a save must
 * return the same `flags`, `head`, `taken` and `in_flight`.
 */
void harness_forge(struct console_harness *h, const struct virtio_console_port_state *state)
{
	struct virtio_console_port ports[PORTS];
	struct virtio_console console = h->console;
	struct virtio_console_port_state saved = { 0 };
	int got;

	memcpy(ports, h->ports, sizeof ports);
	console.options.ports = ports;
	got = virtio_console_restore_port(&console, state);
	FUZZ_CHECK(got == 0 || got == VIRTIO_EINVAL, "virtio_console_restore_port() returned %d", got);
	if (got) {
		FUZZ_CHECK(memcmp(ports, h->ports, sizeof ports) == 0, "a refused state has changed a port");
		return;
	}
	FUZZ_CHECK(state->id < h->options.port_count, "the state of a port beyond the table is accepted");
	FUZZ_CHECK(virtio_console_save_port(&console, state->id, &saved) == 0, "a port is not saved");
	FUZZ_CHECK(saved.flags == state->flags && saved.head == state->head && saved.taken == state->taken &&
			   saved.in_flight == state->in_flight,
		   "a restored port differs from its state");
	got = virtio_console_restore_port(&console, &saved);
	FUZZ_CHECK(got == 0, "a saved port is refused: %d", got);
}
