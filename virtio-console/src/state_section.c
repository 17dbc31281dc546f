/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The sections of a console in a saved state. */
#include <virtio/console_state.h>
#include <virtio/features.h>

#include "console_internal.h"

#define PORT struct virtio_console_port_state

static const struct virtio_section_field fields[] = {
	VIRTIO_SECTION_VALUE(struct virtio_console_state, negotiated),
	VIRTIO_SECTION_VALUE(struct virtio_console_state, driver_ready),
};

static const struct virtio_section_field port_fields[] = {
	VIRTIO_SECTION_VALUE(PORT, id),   VIRTIO_SECTION_VALUE(PORT, flags), VIRTIO_SECTION_VALUE(PORT, pending),
	VIRTIO_SECTION_VALUE(PORT, cols), VIRTIO_SECTION_VALUE(PORT, rows),  VIRTIO_SECTION_VALUE(PORT, in_flight),
	VIRTIO_SECTION_VALUE(PORT, head), VIRTIO_SECTION_VALUE(PORT, taken),
};

static const struct virtio_section_layout layout = {
	.name = "console",
	.version = 2,
	.fields = fields,
	.field_count = sizeof fields / sizeof fields[0],
	.entries = "ports",
	.entry_fields = port_fields,
	.entry_field_count = sizeof port_fields / sizeof port_fields[0],
	.entry_size = sizeof(PORT),
};

static const struct virtio_section_field byte_fields[] = { { "byte", 0, 0, 1, 1, false } };

static const struct virtio_section_layout input_layout = {
	.name = "console.input",
	.version = 1,
	.entries = "bytes",
	.entry_fields = byte_fields,
	.entry_field_count = 1,
	.entry_size = 1,
};

const struct virtio_section_layout *virtio_console_layout(void)
{
	return &layout;
}

const struct virtio_section_layout *virtio_console_input_layout(void)
{
	return &input_layout;
}

/* Saves a port of the table. Returns whether the port has anything to save. */
static bool save_port(const struct virtio_console *console, uint32_t id, struct virtio_console_port_state *out)
{
	/* This cannot fail, because the port is in the table. */
	(void)!virtio_console_save_port(console, id, out);
	return out->flags != 0 || out->pending != 0 || out->in_flight != 0;
}

static void write_input(struct virtio_section_writer *writer, uint32_t number, uint32_t id,
			const struct virtio_console_input *input)
{
	const uint32_t held = input_between(input, input->taken, console_load(&input->written));
	const uint32_t at = input_offset(input, input->taken);
	const uint32_t front = held < input->capacity - at ? held : input->capacity - at;

	if (held == 0)
		return;
	virtio_section_begin(writer, &input_layout, number, id, NULL, held);
	virtio_section_entries(writer, &input_layout, input->bytes + at, front);
	virtio_section_entries(writer, &input_layout, input->bytes, held - front);
}

void virtio_console_write_state(struct virtio_section_writer *writer, uint32_t number,
				const struct virtio_console *console)
{
	struct virtio_console_state state;
	struct virtio_console_port_state port;
	uint32_t count = 0;

	for (uint32_t id = 0; id < console->options.port_count; id++)
		count += save_port(console, id, &port);
	virtio_console_save(console, &state);
	virtio_section_begin(writer, &layout, number, 0, &state, count);
	for (uint32_t id = 0; id < console->options.port_count; id++) {
		if (save_port(console, id, &port))
			virtio_section_entries(writer, &layout, &port, 1);
	}
	for (uint32_t id = 0; id < console->options.port_count; id++) {
		if (console->options.ports[id].present)
			write_input(writer, number, id, console->options.ports[id].options.input);
	}
}

/*
 * Returns VIRTIO_EINVAL if the state lacks a present port of this device. For such a port the
 * driver would get no ADD before the next DEVICE_READY.
 */
static int check_presence(const struct virtio_console *console, const struct virtio_console_port_state *ports,
			  uint32_t count, struct virtio_refusal *refusal)
{
	uint32_t at = 0;

	for (uint32_t id = 0; id < console->options.port_count; id++) {
		const bool listed = at < count && ports[at].id == id;

		at += listed;
		if (console->options.ports[id].present && !listed) {
			*refusal = (struct virtio_refusal){ .field = layout.entries, .entry = VIRTIO_SECTION_NO_ENTRY };
			return VIRTIO_EINVAL;
		}
	}
	return 0;
}

/*
 * Converts ports from version 1 of the section to version 2. In version 2 a port has AWAITS_READY
 * while REMOVE is pending, and has GUEST_OPEN only after PORT_READY.
 */
static void update_ports(struct virtio_console_port_state *ports, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (!(ports[i].flags & VIRTIO_CONSOLE_PORT_IS_READY))
			ports[i].flags &= (uint8_t)~VIRTIO_CONSOLE_PORT_GUEST_OPEN;
		if (ports[i].pending & VIRTIO_CONSOLE_SEND_REMOVE)
			ports[i].flags |= VIRTIO_CONSOLE_PORT_AWAITS_READY;
	}
}

int virtio_console_read_state(struct virtio_section_reader *reader, uint32_t number,
			      const struct virtio_console *console, const uint64_t *features,
			      struct virtio_console_state *state, struct virtio_console_port_state *ports,
			      uint32_t capacity, uint32_t *count)
{
	struct virtio_console_state read = { 0 };
	struct virtio_section where;
	struct virtio_refusal refusal;
	uint32_t n = 0;
	int error = virtio_section_read(reader, &layout, number, 0, &read, ports, capacity, &n, &where);

	if (error)
		return error;
	if (where.version == 1)
		update_ports(ports, n);
	error = virtio_console_check_state(console, &read, ports, n, &refusal);
	if (!error)
		error = check_presence(console, ports, n, &refusal);
	if (!error && features && read.negotiated != (*features & VIRTIO_DEVICE_TYPE_FEATURES)) {
		refusal = (struct virtio_refusal){
			.field = "negotiated",
			.entry = VIRTIO_SECTION_NO_ENTRY,
			.bits = read.negotiated ^ (*features & VIRTIO_DEVICE_TYPE_FEATURES),
		};
		error = VIRTIO_EINVAL;
	}
	if (error)
		return virtio_section_refuse(reader, &layout, &where, &refusal, error);
	*state = read;
	*count = n;
	return 0;
}

int virtio_console_read_input(struct virtio_section_reader *reader, uint32_t number,
			      const struct virtio_console *console, uint32_t id, uint8_t *bytes, uint32_t capacity,
			      uint32_t *count)
{
	const struct virtio_console_port *port = console_entry(console, id);

	if (reader->fault.error)
		return reader->fault.error;
	if (!port || !port->present)
		return VIRTIO_EINVAL;
	if (!virtio_section_is_next(reader, &input_layout, number, id)) {
		*count = 0;
		return 0;
	}
	return virtio_section_read(reader, &input_layout, number, id, NULL, bytes, capacity, count, NULL);
}

/* Returns the saved port whose transmit queue has this number, or NULL if there is no such port. */
static const struct virtio_console_port_state *find_transmitter(const struct virtio_console_port_state *ports,
								uint32_t count, uint32_t queue)
{
	for (uint32_t i = 0; i < count; i++) {
		/* Port 0 transmits on queue 1. Queues 2 and 3 are the control queues. */
		if (queue == (ports[i].id ? 2 * ports[i].id + 3 : 1))
			return &ports[i];
	}
	return NULL;
}

int virtio_console_check_record(const struct virtio_console_port_state *ports, uint32_t count, uint32_t queue,
				const struct virtio_queue_flight *record, uint32_t record_count,
				struct virtio_refusal *refusal)
{
	const struct virtio_console_port_state *port = find_transmitter(ports, count, queue);
	const bool in_flight = port && port->in_flight;

	struct virtio_refusal found = { .field = "in_flight", .entry = VIRTIO_SECTION_NO_ENTRY };

	if (record_count == (in_flight ? 1u : 0u)) {
		if (!in_flight || (record[0].head == port->head && !record[0].completed))
			return 0;
		found = (struct virtio_refusal){ .field = record[0].head == port->head ? "completed" : "head",
						 .entry = 0 };
	}
	*refusal = found;
	return VIRTIO_EINVAL;
}
