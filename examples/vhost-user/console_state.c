/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A console in a saved state: the library's sections, and for each port of the command line, also
 * for a removed port:
 *
 *   vu-port       output that is not written yet, and the number of dropped bytes
 *   vu-port.name  a named port's name, which the guest knows
 *
 * and after all ports
 *
 *   vu-con.counts  statistics; programs that don't know the section skip it
 *
 * The queues must be drained before a save. The rest of a transmit chain that waited for room is
 * then in the port's output. If the rest was too long, the chain was unpopped, and the library's
 * state has the position in the chain.
 */
#include "console_device.h"
#include "log.h"

#include <stdlib.h>
#include <string.h>
#include <virtio/console_state.h>

struct port_section {
	uint64_t dropped;
};

static const struct virtio_section_field port_fields[] = {
	VIRTIO_SECTION_NAMED(struct port_section, dropped, "dropped_output"),
};

static const struct virtio_section_field byte_fields[] = { { "byte", 0, 0, 1, 1, false } };

static const struct virtio_section_layout port_layout = {
	.name = "vu-port",
	.version = 1,
	.fields = port_fields,
	.field_count = 1,
	.entries = "output",
	.entry_fields = byte_fields,
	.entry_field_count = 1,
	.entry_size = 1,
};

static const struct virtio_section_layout name_layout = {
	.name = "vu-port.name",
	.version = 1,
	.entries = "name",
	.entry_fields = byte_fields,
	.entry_field_count = 1,
	.entry_size = 1,
};

static const struct virtio_section_field count_fields[] = {
	VIRTIO_SECTION_VALUE(struct console_counts, in),
	VIRTIO_SECTION_VALUE(struct console_counts, out),
	VIRTIO_SECTION_VALUE(struct console_counts, input_dropped),
	VIRTIO_SECTION_VALUE(struct console_counts, faults),
};

static const struct virtio_section_layout counts_layout = {
	.name = "vu-con.counts",
	.version = 1,
	.skippable = true,
	.fields = count_fields,
	.field_count = sizeof count_fields / sizeof *count_fields,
};

static void save_name(const struct port *port, struct virtio_section_writer *writer, uint32_t number)
{
	if (port->name)
		virtio_section_write(writer, &name_layout, number, port->id, NULL, port->name,
				     (uint32_t)strlen(port->name));
}

/* The buffer is a ring, so its bytes can lie in two pieces. */
static void save_output(const struct console_output *output, struct virtio_section_writer *writer, uint32_t number,
			uint32_t id)
{
	const struct port_section section = { .dropped = output->dropped };
	const uint8_t *bytes;
	const size_t front = console_output_peek(output, &bytes);

	virtio_section_begin(writer, &port_layout, number, id, &section, (uint32_t)output->used);
	virtio_section_entries(writer, &port_layout, bytes, (uint32_t)front);
	virtio_section_entries(writer, &port_layout, output->bytes, (uint32_t)(output->used - front));
}

int console_save(struct device *device, struct virtio_section_writer *writer, uint32_t number,
		 struct handover *handover)
{
	struct console_device *console = console_from_device(device);
	const struct console_counts counts = console_count(console);

	virtio_console_write_state(writer, number, &console->console);
	for (uint32_t id = 0; id < console->port_count; id++) {
		struct port *port = console->ports[id];

		save_name(port, writer, number);
		save_output(&port->link.output, writer, number, id);
		if (port->opened && console_link_hand_over(&port->link, handover)) {
			log_line("%s: can't be handed over", port->link.name);
			return -1;
		}
	}
	virtio_section_write(writer, &counts_layout, number, 0, &counts, NULL, 0);
	return 0;
}

static int restore_input(struct console_device *console, struct virtio_section_reader *reader, uint32_t number,
			 uint32_t id)
{
	uint8_t bytes[VIRTIO_CONSOLE_INPUT_DEFAULT];
	uint32_t count = 0;
	bool wake;
	int error;

	if (!console->ports[id]->opened)
		return 0;
	error = virtio_console_read_input(reader, number, &console->console, id, bytes, sizeof bytes, &count);
	if (!error && count > 0)
		(void)!virtio_console_input_enqueue(&console->ports[id]->input, bytes, count, &wake);
	return error;
}

static int check_name(const struct port *port, struct virtio_section_reader *reader, uint32_t number)
{
	const struct virtio_refusal refusal = { .entry = VIRTIO_SECTION_NO_ENTRY };
	char name[VIRTIO_CONSOLE_NAME_MAX];
	struct virtio_section where;
	uint32_t count;
	int error;

	if (!port->name)
		return 0;
	error = virtio_section_read(reader, &name_layout, number, port->id, NULL, name, sizeof name, &count, &where);
	if (error || (count == strlen(port->name) && memcmp(name, port->name, count) == 0))
		return error;
	log_line("%s: port %u is called \"%.*s\" in the state", port->console->name, port->id, (int)count, name);
	return virtio_section_refuse(reader, &name_layout, &where, &refusal, VIRTIO_EINVAL);
}

/*
 * Removes the ports that the operator had removed in the old process, and closes their back ends.
 */
static void remove_ports(struct console_device *console, const struct virtio_section_reader *reader, uint32_t number)
{
	struct virtio_section_reader ahead = *reader;
	struct virtio_console_port_state ports[CONSOLE_MAX_PORTS];
	struct virtio_console_state state;
	bool has[CONSOLE_MAX_PORTS] = { false };
	uint32_t count;

	/* An error is ignored here, because the next read of the state finds it again. */
	if (virtio_section_read(&ahead, virtio_console_layout(), number, 0, &state, ports, CONSOLE_MAX_PORTS, &count,
				NULL))
		return;
	for (uint32_t i = 0; i < count; i++)
		if (ports[i].id < CONSOLE_MAX_PORTS && (ports[i].flags & VIRTIO_CONSOLE_PORT_PRESENT))
			has[ports[i].id] = true;
	for (uint32_t id = 1; id < console->port_count; id++)
		if (!has[id] && console->ports[id]->opened)
			console_remove(console, console->ports[id]);
}

static int restore_output(struct port *port, struct virtio_section_reader *reader, uint32_t number)
{
	struct console_output *output = &port->link.output;
	uint8_t *bytes = malloc(CONSOLE_OUTPUT_BYTES);
	struct port_section section;
	uint32_t count;
	int error = VIRTIO_ENOBUFS;

	if (bytes)
		error = virtio_section_read(reader, &port_layout, number, port->id, &section, bytes,
					    CONSOLE_OUTPUT_BYTES, &count, NULL);
	if (!error) {
		(void)console_output_put(output, bytes, count, CONSOLE_ROOM_RESERVE);
		output->dropped = section.dropped;
		if (port->opened)
			console_link_flush_soon(&port->link);
	}
	free(bytes);
	return error;
}

static int restore_buffers(struct console_device *console, struct virtio_section_reader *reader, uint32_t number)
{
	int error = 0;

	for (uint32_t id = 0; !error && id < console->port_count; id++)
		error = restore_input(console, reader, number, id);
	for (uint32_t id = 0; !error && id < console->port_count; id++) {
		error = check_name(console->ports[id], reader, number);
		if (!error)
			error = restore_output(console->ports[id], reader, number);
	}
	return error;
}

/*
 * After an error the device may be restored in part. That does no harm, because the caller drops
 * the device. If a port's client has left or arrived since the save, virtio_console_restore_port()
 * tells the guest.
 */
int console_restore(struct device *device, struct virtio_section_reader *reader, uint32_t number, bool anew)
{
	struct console_device *console = console_from_device(device);
	struct virtio_console_port_state ports[CONSOLE_MAX_PORTS];
	struct console_counts counts = { 0 };
	struct virtio_console_state state;
	uint32_t count;
	int error;

	if (anew)
		remove_ports(console, reader, number);
	error = virtio_console_read_state(reader, number, &console->console, NULL, &state, ports, CONSOLE_MAX_PORTS,
					  &count);
	if (!error)
		error = restore_buffers(console, reader, number);
	if (!error)
		error = virtio_console_restore(&console->console, &state);
	for (uint32_t i = 0; !error && i < count; i++)
		error = virtio_console_restore_port(&console->console, &ports[i]);
	if (!error && virtio_section_is_next(reader, &counts_layout, number, 0))
		error = virtio_section_read(reader, &counts_layout, number, 0, &counts, NULL, 0, NULL, NULL);
	if (!error && !anew)
		console->before = counts;
	return error;
}
