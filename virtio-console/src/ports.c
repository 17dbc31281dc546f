/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The port table: ports, their clients and sizes, and the messages that report a change. */
#include "console_internal.h"

int virtio_console_port_queues(const struct virtio_console *console, uint32_t id, uint32_t *receive, uint32_t *transmit)
{
	if (!console_entry(console, id))
		return VIRTIO_EINVAL;
	*receive = id == 0 ? 0 : 2 * id + 2;
	*transmit = *receive + 1;
	return 0;
}

uint32_t virtio_console_queue_count(const struct virtio_console *console)
{
	return (console->offered & CONSOLE_FEATURE(MULTIPORT)) ? 2 * console->options.port_count + 2 : 2;
}

static bool is_open(const struct virtio_console_port *port)
{
	return port->options.console || (port->flags & VIRTIO_CONSOLE_PORT_CONNECTED);
}

void virtio_impl_console_update_open(struct virtio_console_port *port)
{
	/*
	 * True if the driver believes that a client is connected, and no pending CLOSE will correct
	 * this belief.
	 */
	const bool told = (port->flags & VIRTIO_CONSOLE_PORT_TOLD_OPEN) && !(port->pending & VIRTIO_CONSOLE_SEND_CLOSE);

	if (!(port->flags & VIRTIO_CONSOLE_PORT_IS_READY) || !is_open(port))
		port->pending &= ~VIRTIO_CONSOLE_SEND_OPEN;
	else if (!told)
		port->pending |= VIRTIO_CONSOLE_SEND_OPEN;
	/* Otherwise a pending OPEN stays pending, because it may answer a repeated PORT_READY. */
}

void virtio_impl_console_announce(struct virtio_console_port *port)
{
	/* A port that the driver knows must not be added again (virtio 1.4, 5.3.6.2.1). */
	if (port->present && !(port->flags & VIRTIO_CONSOLE_PORT_KNOWN))
		port->pending |= VIRTIO_CONSOLE_SEND_ADD;
}

void virtio_impl_console_answer_ready(struct virtio_console_port *port)
{
	const struct virtio_console_port_options *options = &port->options;

	port->flags |= VIRTIO_CONSOLE_PORT_IS_READY;
	if (!(port->pending & VIRTIO_CONSOLE_SEND_ADD))
		port->flags |= VIRTIO_CONSOLE_PORT_KNOWN;
	if (options->console)
		port->pending |= VIRTIO_CONSOLE_SEND_CONSOLE;
	if (options->name_bytes != 0)
		port->pending |= VIRTIO_CONSOLE_SEND_NAME;
	if (options->console && (options->cols != 0 || options->rows != 0))
		port->pending |= VIRTIO_CONSOLE_SEND_RESIZE;
	virtio_impl_console_update_open(port);
	if (is_open(port))
		port->pending |= VIRTIO_CONSOLE_SEND_OPEN;
}

static int check_port(const struct virtio_console_port_options *options)
{
	if (!options->input || options->input->capacity == 0 || !options->sink)
		return VIRTIO_EINVAL;
	if (!options->receive_segments || options->receive_capacity == 0)
		return VIRTIO_EINVAL;
	if (!options->transmit_segments || options->transmit_capacity == 0)
		return VIRTIO_EINVAL;
	if (options->name_bytes > VIRTIO_CONSOLE_NAME_MAX || (!options->name && options->name_bytes != 0))
		return VIRTIO_EINVAL;
	return 0;
}

int virtio_console_add_port(struct virtio_console *console, uint32_t id,
			    const struct virtio_console_port_options *options)
{
	struct virtio_console_port *port = console_entry(console, id);

	if (!port || check_port(options))
		return VIRTIO_EINVAL;
	if (port->present)
		return VIRTIO_EBUSY;
	port->options = *options;
	port->present = true;
	/* PORT_READY sets driver_ready, too, because a resuming driver sends no DEVICE_READY. */
	if (console->driver_ready)
		virtio_impl_console_announce(port);
	return 0;
}

/* Drops the input that is not in guest memory yet. The client has left, or the port is removed. */
static void drop_input(struct virtio_console_port *port, bool *room)
{
	port->stats.dropped += virtio_console_input_clear(port->options.input, room);
}

/*
 * Drops the unsent bytes of a chain in flight, because the next port with this number must not send
 * them. `taken` is set to the maximum, so a restored chain is skipped to its end, too.
 */
static void drop_output(struct virtio_console_output *output, struct virtio_console_port_stats *stats)
{
	const struct virtio_chain_segments nothing = { .segments = NULL };

	if (!output->restored && output->token.value == 0)
		return;
	virtio_reader_init(&output->reader, &nothing);
	output->beyond = false;
	output->taken = VIRTIO_CHAIN_MAX_BYTES;
	stats->transmit_discarded++;
}

int virtio_console_remove_port(struct virtio_console *console, uint32_t id, bool *room)
{
	struct virtio_console_port *port = console_port(console, id);

	if (!port)
		return VIRTIO_EINVAL;
	drop_input(port, room);
	drop_output(&port->output, &port->stats);
	/*
	 * REMOVE must not be sent for a port that was never added (virtio 1.4, 5.3.6.2.1). A
	 * pending REMOVE of an earlier port stays pending.
	 */
	port->pending &= VIRTIO_CONSOLE_SEND_REMOVE;
	if (port->flags & VIRTIO_CONSOLE_PORT_KNOWN)
		port->pending |= VIRTIO_CONSOLE_SEND_REMOVE;
	if (port->flags & (VIRTIO_CONSOLE_PORT_KNOWN | VIRTIO_CONSOLE_PORT_IS_READY))
		console_store(&port->awaits_ready, 1);
	port->flags = 0;
	port->present = false;
	console_store(&port->guest_open, 0);
	return 0;
}

int virtio_console_connect(struct virtio_console *console, uint32_t id)
{
	struct virtio_console_port *port = console_port(console, id);

	if (!port)
		return VIRTIO_EINVAL;
	if (port->flags & VIRTIO_CONSOLE_PORT_CONNECTED)
		return VIRTIO_EBUSY;
	port->flags |= VIRTIO_CONSOLE_PORT_CONNECTED;
	virtio_impl_console_update_open(port);
	return 0;
}

int virtio_console_disconnect(struct virtio_console *console, uint32_t id, bool *room)
{
	struct virtio_console_port *port = console_port(console, id);

	if (!port)
		return VIRTIO_EINVAL;
	if (!(port->flags & VIRTIO_CONSOLE_PORT_CONNECTED))
		return VIRTIO_ENOTREADY;
	port->flags &= ~VIRTIO_CONSOLE_PORT_CONNECTED;
	drop_input(port, room);
	if ((port->flags & VIRTIO_CONSOLE_PORT_TOLD_OPEN) && !port->options.console)
		port->pending |= VIRTIO_CONSOLE_SEND_CLOSE;
	virtio_impl_console_update_open(port);
	return 0;
}

int virtio_console_resize(struct virtio_console *console, uint32_t id, uint16_t cols, uint16_t rows)
{
	struct virtio_console_port *port = console_port(console, id);

	if (!port || !port->options.console)
		return VIRTIO_EINVAL;
	if (port->options.cols == cols && port->options.rows == rows)
		return 0;
	port->options.cols = cols;
	port->options.rows = rows;
	if (port->flags & VIRTIO_CONSOLE_PORT_IS_READY)
		port->pending |= VIRTIO_CONSOLE_SEND_RESIZE;
	return id == 0 && (console->offered & CONSOLE_FEATURE(SIZE)) ? 1 : 0;
}

int virtio_console_get_port_stats(const struct virtio_console *console, uint32_t id,
				  struct virtio_console_port_stats *out)
{
	const struct virtio_console_port *port = console_entry(console, id);

	if (!port)
		return VIRTIO_EINVAL;
	*out = port->stats;
	return 0;
}
