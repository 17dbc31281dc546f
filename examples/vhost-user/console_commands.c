/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* For the operator: the commands to a running console, and the summary at the daemon's end. */
#include "console_device.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

uint64_t console_port_faults(const struct virtio_console_port_stats *stats)
{
	return stats->receive_misdirected + stats->receive_malformed + stats->transmit_misdirected +
	       stats->transmit_malformed;
}

void console_print_summary(const struct device *device)
{
	const struct console_device *console = (const struct console_device *)(const void *)device;
	const struct console_counts n = console_count(console);
	uint64_t input_dropped = n.input_dropped, output_dropped = 0;

	for (uint32_t i = 0; i < console->port_count; i++) {
		input_dropped += console->ports[i]->link.input_dropped;
		output_dropped += console->ports[i]->link.output.dropped;
	}
	printf("%s: %" PRIu64 " bytes in, %" PRIu64 " bytes out, %" PRIu64 " bytes of input dropped, %" PRIu64
	       " bytes of output dropped, %" PRIu64 " faults\n",
	       device->name, n.in, n.out, input_dropped, output_dropped, n.faults + device->ring_faults);
}

static struct port *find_port(struct console_device *console, const char *name)
{
	for (uint32_t id = 1; id < console->port_count; id++)
		if (strcmp(console->ports[id]->name, name) == 0)
			return console->ports[id];
	return NULL;
}

static const char *command_size(struct console_device *console, const char *text)
{
	struct console_link *link = &console->ports[0]->link;
	uint16_t cols, rows;

	if (link->options.ops == &console_tty_ops)
		return "a tty has a size of its own";
	if (console_size_parse(text, &cols, &rows))
		return "not COLSxROWS, 1x1 to 65535x65535";
	console_link_resize(link, cols, rows);
	console_size_changed(link, cols, rows);
	return NULL;
}

/* Also completes the driver's waiting transmit buffers. */
void console_remove(struct console_device *console, struct port *port)
{
	bool room;

	/* This can't fail, because the port exists. */
	(void)!virtio_console_remove_port(&console->console, port->id, &room);
	console_link_close(&port->link);
	console_link_drop_output(&port->link);
	port->opened = false;
	console_take_old_output(console, port->id);
	console_wake_control(console);
}

static const char *command_remove(struct console_device *console, const char *name)
{
	struct port *port = find_port(console, name);

	if (!port)
		return "no such port";
	if (!port->opened)
		return "the port is unplugged";
	console_remove(console, port);
	return NULL;
}

static const char *command_add(struct console_device *console, const char *name)
{
	struct port *port = find_port(console, name);
	struct virtio_console_port_options options;

	if (!port)
		return "no such port on the command line";
	if (port->opened)
		return "the port is plugged in already";
	options = console_port_options(port);
	if (virtio_console_add_port(&console->console, port->id, &options))
		return "the port can't be added";
	port->opened = console_link_open(&port->link, console->loop) == 0;
	if (!port->opened) {
		bool room;

		(void)!virtio_console_remove_port(&console->console, port->id, &room);
		return "its backend can't be opened, see stderr";
	}
	fflush(stdout);
	if (console->is_attached)
		console_link_attached(&port->link, true);
	console_wake_control(console);
	return NULL;
}

/* Copies the next bytes of the input as text. A dot replaces an unprintable byte. */
static void print_waiting(struct port *port, char text[17])
{
	const uint32_t len = virtio_console_input_peek(&port->input, text, 16);

	for (uint32_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '.';
	text[len] = '\0';
}

static const char *command_stats(struct console_device *console, const char *nothing)
{
	if (*nothing)
		return "stats has no argument";
	for (uint32_t id = 0; id < console->port_count; id++) {
		struct port *port = console->ports[id];
		const uint32_t capacity = virtio_console_input_capacity(&port->input);
		struct virtio_console_port_stats s;
		char next[17];

		/* This can't fail, because the table has the port. */
		(void)!virtio_console_get_port_stats(&console->console, id, &s);
		print_waiting(port, next);
		console_control_say(&console->commands,
				    "%s: %s, %" PRIu64 " bytes in, %" PRIu64 " bytes out, %" PRIu64
				    " of input dropped, %" PRIu64 " of output dropped, %" PRIu64
				    " faults, waiting for the guest %" PRIu32 " of %" PRIu32
				    " \"%s\", for the host %zu",
				    port->name ? port->name : "console", port->opened ? "there" : "removed", s.received,
				    s.transmitted, s.dropped + port->link.input_dropped, port->link.output.dropped,
				    console_port_faults(&s), capacity - virtio_console_input_available(&port->input),
				    capacity, next, port->link.output.used);
	}
	return NULL;
}

const char *console_obey(struct console_control *control, char *line)
{
	static const struct {
		const char *name;
		const char *(*command)(struct console_device *console, const char *argument);
	} commands[] = {
		{ "add", command_add },
		{ "remove", command_remove },
		{ "size", command_size },
		{ "stats", command_stats },
	};
	struct console_device *console = CONTAINER_OF(control, struct console_device, commands);
	char *argument = strchr(line, ' ');

	if (argument)
		*argument++ = '\0';
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(line, commands[i].name) == 0)
			return commands[i].command(console, argument ? argument : "");
	return "unknown command: add, remove, size or stats";
}
