/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Saved state: every value is checked as if the guest had written it. */
#include <virtio/console_state.h>

#include "console_internal.h"

/* The flags in struct virtio_console_port that are saved. */
#define KEPT_FLAGS (VIRTIO_CONSOLE_PORT_KNOWN | VIRTIO_CONSOLE_PORT_IS_READY | VIRTIO_CONSOLE_PORT_TOLD_OPEN)

/* Messages that are sent only after the driver has reported PORT_READY for the port. */
#define AFTER_READY                                                                                                    \
	(VIRTIO_CONSOLE_SEND_CONSOLE | VIRTIO_CONSOLE_SEND_NAME | VIRTIO_CONSOLE_SEND_CLOSE |                          \
	 VIRTIO_CONSOLE_SEND_OPEN | VIRTIO_CONSOLE_SEND_RESIZE)

void virtio_console_save(const struct virtio_console *console, struct virtio_console_state *out)
{
	*out = (struct virtio_console_state){ console->negotiated, console->driver_ready };
}

/* Returns the name of the first value that this device cannot have, or NULL. */
static const char *find_impossible(const struct virtio_console *console, const struct virtio_console_state *state)
{
	if (state->negotiated & ~console->offered)
		return "negotiated";
	if (state->driver_ready > 1)
		return "driver_ready";
	/* Without the control queues the driver cannot send DEVICE_READY or PORT_READY. */
	if (state->driver_ready && !(state->negotiated & CONSOLE_FEATURE(MULTIPORT)))
		return "driver_ready";
	return NULL;
}

int virtio_console_restore(struct virtio_console *console, const struct virtio_console_state *state)
{
	if (find_impossible(console, state))
		return VIRTIO_EINVAL;
	console->negotiated = state->negotiated;
	console->driver_ready = state->driver_ready != 0;
	return 0;
}

int virtio_console_save_port(const struct virtio_console *console, uint32_t id, struct virtio_console_port_state *out)
{
	const struct virtio_console_port *port = console_entry(console, id);
	const struct virtio_console_output *output;
	uint32_t flags;

	if (!port)
		return VIRTIO_EINVAL;
	output = &port->output;
	flags = port->flags & KEPT_FLAGS;
	if (port->present)
		flags |= VIRTIO_CONSOLE_PORT_PRESENT;
	if (port->present && port->options.console)
		flags |= VIRTIO_CONSOLE_PORT_IS_CONSOLE;
	if (console_load(&port->guest_open))
		flags |= VIRTIO_CONSOLE_PORT_GUEST_OPEN;
	if (console_load(&port->awaits_ready))
		flags |= VIRTIO_CONSOLE_PORT_AWAITS_READY;
	*out = (struct virtio_console_port_state){
		.taken = output->taken,
		.id = id,
		.head = output->restored ? output->head : virtio_token_head(output->token),
		.cols = port->present ? port->options.cols : 0,
		.rows = port->present ? port->options.rows : 0,
		.flags = (uint8_t)flags,
		.pending = (uint8_t)port->pending,
		.in_flight = output->restored || output->token.value != 0,
	};
	return 0;
}

/* Returns whether a port with these options can have these flags and pending messages. */
static bool can_be_told(const struct virtio_console_port *port, uint32_t flags, uint32_t pending)
{
	const bool ready = (flags & VIRTIO_CONSOLE_PORT_IS_READY) != 0;
	const bool told = (flags & VIRTIO_CONSOLE_PORT_TOLD_OPEN) != 0;
	const bool adding = (pending & VIRTIO_CONSOLE_SEND_ADD) != 0;

	if ((flags & VIRTIO_CONSOLE_PORT_KNOWN) && (pending & (VIRTIO_CONSOLE_SEND_ADD | VIRTIO_CONSOLE_SEND_REMOVE)))
		return false;
	/*
	 * PORT_READY makes a port known, unless ADD is pending. PORT_READY is not accepted while
	 * REMOVE is pending.
	 */
	if (ready && !(flags & VIRTIO_CONSOLE_PORT_KNOWN) && !adding)
		return false;
	if (ready && (pending & VIRTIO_CONSOLE_SEND_REMOVE))
		return false;
	if (!ready && (told || (pending & AFTER_READY)))
		return false;
	if ((pending & VIRTIO_CONSOLE_SEND_CLOSE) && (!told || port->options.console))
		return false;
	if ((pending & (VIRTIO_CONSOLE_SEND_CONSOLE | VIRTIO_CONSOLE_SEND_RESIZE)) && !port->options.console)
		return false;
	return !(pending & VIRTIO_CONSOLE_SEND_NAME) || port->options.name_bytes != 0;
}

/* Returns the name of the first value that the port cannot have with these features, or NULL. */
static const char *find_impossible_of_port(const struct virtio_console *console, uint64_t negotiated,
					   const struct virtio_console_port_state *state)
{
	const struct virtio_console_port *port = console_entry(console, state->id);
	const bool present = (state->flags & VIRTIO_CONSOLE_PORT_PRESENT) != 0;
	const bool is_console = (state->flags & VIRTIO_CONSOLE_PORT_IS_CONSOLE) != 0;
	const uint32_t all = KEPT_FLAGS | VIRTIO_CONSOLE_PORT_PRESENT | VIRTIO_CONSOLE_PORT_IS_CONSOLE |
			     VIRTIO_CONSOLE_PORT_GUEST_OPEN | VIRTIO_CONSOLE_PORT_AWAITS_READY;
	const uint32_t any_message = VIRTIO_CONSOLE_SEND_REMOVE | VIRTIO_CONSOLE_SEND_ADD | AFTER_READY;
	const bool multiport = (negotiated & CONSOLE_FEATURE(MULTIPORT)) != 0;
	const bool ready = (state->flags & VIRTIO_CONSOLE_PORT_IS_READY) != 0;
	const bool awaits = (state->flags & VIRTIO_CONSOLE_PORT_AWAITS_READY) != 0;

	if (!port)
		return "id";
	if ((state->flags & ~all) || present != port->present || is_console != (present && port->options.console))
		return "flags";
	if (state->pending & ~any_message)
		return "pending";
	if (state->in_flight > 1)
		return "in_flight";
	if (state->head >= VIRTIO_QUEUE_MAX_SIZE || (!state->in_flight && state->head != 0))
		return "head";
	if (state->taken > (uint64_t)VIRTIO_CHAIN_MAX_BYTES || (!state->in_flight && state->taken != 0))
		return "taken";
	/* Without the control queues there are no messages, and only port 0 has queues. */
	if (!multiport && (state->flags & ~(VIRTIO_CONSOLE_PORT_PRESENT | VIRTIO_CONSOLE_PORT_IS_CONSOLE)))
		return "flags";
	if (!multiport && state->pending)
		return "pending";
	if (!multiport && state->in_flight && state->id != 0)
		return "in_flight";
	if (!present && (state->cols != 0 || state->rows != 0))
		return state->cols != 0 ? "cols" : "rows";
	if (!present && (state->flags & ~VIRTIO_CONSOLE_PORT_AWAITS_READY))
		return "flags";
	/* PORT_READY clears awaits_ready. The driver's PORT_OPEN is ignored before PORT_READY. */
	if (ready ? awaits : (state->flags & VIRTIO_CONSOLE_PORT_GUEST_OPEN) != 0)
		return "flags";
	/* The removal of a port that the driver knew makes REMOVE pending and sets awaits_ready. */
	if ((state->pending & VIRTIO_CONSOLE_SEND_REMOVE) && !awaits)
		return "pending";
	if (present ? !can_be_told(port, state->flags, state->pending) : (state->pending & ~VIRTIO_CONSOLE_SEND_REMOVE))
		return "pending";
	return NULL;
}

int virtio_console_check_state(const struct virtio_console *console, const struct virtio_console_state *state,
			       const struct virtio_console_port_state *ports, uint32_t count,
			       struct virtio_refusal *refusal)
{
	const char *field = find_impossible(console, state);
	uint32_t entry = VIRTIO_SECTION_NO_ENTRY;

	for (uint32_t i = 0; i < count && !field; i++) {
		entry = i;
		field = find_impossible_of_port(console, state->negotiated, &ports[i]);
		/* The ports must be in ascending order, so no port occurs twice. */
		if (!field && i > 0 && ports[i].id <= ports[i - 1].id)
			field = "id";
	}
	if (!field)
		return 0;
	*refusal = (struct virtio_refusal){
		.field = field,
		.entry = entry,
		.bits = state->negotiated & ~console->offered,
	};
	return VIRTIO_EINVAL;
}

int virtio_console_restore_port(struct virtio_console *console, const struct virtio_console_port_state *state)
{
	struct virtio_console_port *port = console_entry(console, state->id);

	if (find_impossible_of_port(console, console->negotiated, state))
		return VIRTIO_EINVAL;
	port->flags = (port->flags & VIRTIO_CONSOLE_PORT_CONNECTED) | (state->flags & KEPT_FLAGS);
	port->pending = state->pending;
	console_store(&port->guest_open, (state->flags & VIRTIO_CONSOLE_PORT_GUEST_OPEN) != 0);
	console_store(&port->awaits_ready, (state->flags & VIRTIO_CONSOLE_PORT_AWAITS_READY) != 0);
	port->output = (struct virtio_console_output){
		.taken = state->taken,
		.restored = state->in_flight != 0,
		.head = state->head,
	};
	if (!port->present)
		return 0;
	port->options.cols = state->cols;
	port->options.rows = state->rows;
	/* The driver believes that a client is connected, but the restored port has no client. */
	if ((port->flags & VIRTIO_CONSOLE_PORT_TOLD_OPEN) && !(port->flags & VIRTIO_CONSOLE_PORT_CONNECTED) &&
	    !port->options.console)
		port->pending |= VIRTIO_CONSOLE_SEND_CLOSE;
	virtio_impl_console_update_open(port);
	return 0;
}
