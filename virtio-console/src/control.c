/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The control queues: messages from the driver, and pending messages to the driver. */
#include "console_internal.h"

#define MESSAGE_BYTES ((uint32_t)sizeof(struct virtio_console_control))
#define CALL_CHAINS 64u /* largest number of chains per call */
#define RESIZE_BYTES 4u /* bytes of a RESIZE's tail: columns and rows, 16 bits each */

/* A message to the driver: a header, and a tail for NAME and RESIZE. */
struct message {
	uint32_t id;
	uint32_t bit; /* VIRTIO_CONSOLE_SEND_... */
	uint8_t header[MESSAGE_BYTES];
	uint8_t size[RESIZE_BYTES]; /* storage for the tail of a RESIZE */
	const void *tail;
	uint32_t tail_bytes;
};

/* A chain that was popped and checked. */
struct control_chain {
	struct virtio_chain_segments data;
	int error; /* 0, or the reason to complete the chain with length 0 */
};

/* Returns how many chains a call may serve. */
static uint32_t limit_of(const struct virtio_queue *queue)
{
	return queue->size < CALL_CHAINS ? queue->size : CALL_CHAINS;
}

/* Subtracts a chain from the limit. A chain with many segments counts as several chains. */
static uint32_t take_from(uint32_t left, uint32_t pieces)
{
	const uint32_t chains = 1 + pieces / CONSOLE_STEPS_PER_ENTRY;

	return left > chains ? left - chains : 0;
}

/*
 * Pops and checks a chain. Returns as virtio_queue_pop(); VIRTIO_ENOTMAPPED also if a buffer or a
 * table of the chain is not mapped yet. Subtracts the chain from *left, the remaining limit.
 */
static int pop_chain(struct virtio_console *console, struct virtio_queue *queue, bool to_driver,
		     struct virtio_chain *chain, struct control_chain *out, uint32_t *left)
{
	const int got = virtio_queue_pop(queue, chain);
	bool misdirected;

	if (got != 1)
		return got;
	out->data = (struct virtio_chain_segments){ .segments = console->options.control_segments,
						    .capacity = console->options.control_capacity };
	out->error = virtio_chain_resolve(chain, &out->data);
	*left = take_from(*left, out->data.needed);
	if (out->error == VIRTIO_ENOTMAPPED) {
		(void)!virtio_queue_unpop(queue, chain->token);
		return VIRTIO_ENOTMAPPED;
	}
	/* If the chain has too many segments, only the segments in the array are used. */
	if (out->error == VIRTIO_ENOBUFS)
		out->error = 0;
	if (out->error) {
		console->stats.malformed++;
		return 1;
	}
	misdirected = to_driver ? out->data.readable != 0 : out->data.writable != 0 || out->data.last_writable.len != 0;
	if (misdirected) {
		console->stats.misdirected++;
		out->error = VIRTIO_EPERM;
	}
	return 1;
}

/* Completes a chain. If this fails, unpops the chain, and the next pop yields the chain again. */
static int complete(struct virtio_queue *queue, struct virtio_token token, uint32_t len,
		    struct virtio_console_progress *progress)
{
	const int error = virtio_queue_complete(queue, token, len);

	if (error) {
		(void)!virtio_queue_unpop(queue, token);
		return error;
	}
	progress->chains++;
	progress->bytes += len;
	return 0;
}

/* Messages to the driver */

static uint16_t event_of(uint32_t bit)
{
	switch (bit) {
	case VIRTIO_CONSOLE_SEND_REMOVE:
		return VIRTIO_CONSOLE_PORT_REMOVE;
	case VIRTIO_CONSOLE_SEND_ADD:
		return VIRTIO_CONSOLE_PORT_ADD;
	case VIRTIO_CONSOLE_SEND_CONSOLE:
		return VIRTIO_CONSOLE_CONSOLE_PORT;
	case VIRTIO_CONSOLE_SEND_NAME:
		return VIRTIO_CONSOLE_PORT_NAME;
	case VIRTIO_CONSOLE_SEND_RESIZE:
		return VIRTIO_CONSOLE_RESIZE;
	default:
		return VIRTIO_CONSOLE_PORT_OPEN;
	}
}

/*
 * Finds the first pending message: the lowest port, and there the lowest bit. Returns whether there
 * is a message.
 */
static bool next_message(const struct virtio_console *console, struct message *m)
{
	const struct virtio_console_port *port = console->options.ports;
	const struct virtio_console_port *end = port + console->options.port_count;

	while (port < end && port->pending == 0)
		port++;
	if (port == end)
		return false;
	*m = (struct message){ .id = (uint32_t)(port - console->options.ports), .bit = port->pending & -port->pending };
	virtio_put_le32(m->header + offsetof(struct virtio_console_control, id), m->id);
	virtio_put_le16(m->header + offsetof(struct virtio_console_control, event), event_of(m->bit));
	virtio_put_le16(m->header + offsetof(struct virtio_console_control, value),
			m->bit == VIRTIO_CONSOLE_SEND_CONSOLE || m->bit == VIRTIO_CONSOLE_SEND_OPEN);
	if (m->bit == VIRTIO_CONSOLE_SEND_NAME) {
		m->tail = port->options.name;
		m->tail_bytes = port->options.name_bytes;
	} else if (m->bit == VIRTIO_CONSOLE_SEND_RESIZE) {
		virtio_put_le16(m->size, port->options.cols);
		virtio_put_le16(m->size + 2, port->options.rows);
		m->tail = m->size;
		m->tail_bytes = RESIZE_BYTES;
	}
	return true;
}

/* Records that a message was sent. */
static void was_sent(struct virtio_console *console, const struct message *m)
{
	struct virtio_console_port *port = &console->options.ports[m->id];

	port->pending &= ~m->bit;
	console->stats.sent++;
	if (m->bit == VIRTIO_CONSOLE_SEND_ADD)
		port->flags |= VIRTIO_CONSOLE_PORT_KNOWN;
	else if (m->bit == VIRTIO_CONSOLE_SEND_OPEN)
		port->flags |= VIRTIO_CONSOLE_PORT_TOLD_OPEN;
	else if (m->bit == VIRTIO_CONSOLE_SEND_CLOSE)
		port->flags &= ~VIRTIO_CONSOLE_PORT_TOLD_OPEN;
}

/* Writes a message to a chain. Returns the message's length; 0 if the message does not fit. */
static uint32_t put_message(const struct message *m, const struct virtio_chain_segments *data)
{
	struct virtio_writer writer;

	if (data->writable_bytes < MESSAGE_BYTES + m->tail_bytes)
		return 0;
	virtio_writer_init(&writer, data);
	virtio_writer_write(&writer, m->header, MESSAGE_BYTES);
	if (m->tail_bytes != 0)
		virtio_writer_write(&writer, m->tail, m->tail_bytes);
	return virtio_writer_used(&writer);
}

/*
 * Sends one message, or completes a chain that has an error or cannot hold the message. Returns 1
 * if a chain was completed, 0 if there is no chain, or an error.
 */
static int send_message(struct virtio_console *console, struct virtio_queue *queue, const struct message *m,
			struct virtio_console_progress *progress, uint32_t *left)
{
	struct control_chain taken;
	struct virtio_chain chain;
	uint32_t len = 0;
	int got = pop_chain(console, queue, true, &chain, &taken, left);

	if (got != 1)
		return got;
	if (!taken.error)
		len = put_message(m, &taken.data);
	got = complete(queue, chain.token, len, progress);
	if (got)
		return got;
	if (len != 0) {
		was_sent(console, m);
	} else if (!taken.error) {
		console->stats.too_short++;
		/*
		 * A longer chain may never arrive, because a driver's buffers usually have the same
		 * size. A name that stayed pending would block all later messages for ever.
		 */
		if (m->bit == VIRTIO_CONSOLE_SEND_NAME)
			console->options.ports[m->id].pending &= ~m->bit;
	}
	return 1;
}

bool virtio_console_control_pending(const struct virtio_console *console)
{
	struct message m;

	return console_multiport(console) && next_message(console, &m);
}

int virtio_console_control_receive(struct virtio_console *console, struct virtio_queue *queue,
				   struct virtio_console_progress *progress)
{
	uint32_t left = limit_of(queue);
	struct message m;
	int got = 1;

	*progress = (struct virtio_console_progress){ .bytes = 0 };
	if (!console_multiport(console))
		return 0;
	while (got == 1 && next_message(console, &m)) {
		/* If size is 0, the queue is not started. Let the pop return VIRTIO_ENOTREADY. */
		if (left == 0 && queue->size != 0) {
			progress->more = true;
			break;
		}
		got = send_message(console, queue, &m, progress, &left);
		if (got == 0)
			got = virtio_queue_enable_kicks(queue);
	}
	progress->notify = queue->size != 0 && virtio_queue_needs_interrupt(queue);
	return got < 0 ? got : 0;
}

/* Messages from the driver */

/* A DEVICE_READY or PORT_READY whose value is neither 0 nor 1 is ignored. */
static bool is_flag(uint16_t value)
{
	return value <= 1;
}

static bool take_device_ready(struct virtio_console *console, uint16_t value)
{
	if (!is_flag(value))
		return false;
	/* The value 0 means that the driver's initialisation has failed. */
	if (value == 0)
		return true;
	console->driver_ready = true;
	for (uint32_t id = 0; id < console->options.port_count; id++)
		virtio_impl_console_announce(&console->options.ports[id]);
	return true;
}

static bool take_port_ready(struct virtio_console *console, struct virtio_console_port *port, uint16_t value)
{
	if (!is_flag(value))
		return false;
	/*
	 * The driver sends PORT_READY after an ADD, or when the driver resumes after a reset. The
	 * driver opens the port only after PORT_READY. An earlier PORT_OPEN may belong to the
	 * previous port with this number.
	 */
	console_store(&port->guest_open, 0);
	if (value == 1) {
		console_store(&port->awaits_ready, 0);
		console->driver_ready = true;
		virtio_impl_console_answer_ready(port);
		return true;
	}
	/* The driver could not set up the port. Only REMOVE and ADD may stay pending. */
	port->flags &= ~(VIRTIO_CONSOLE_PORT_IS_READY | VIRTIO_CONSOLE_PORT_TOLD_OPEN);
	port->pending &= VIRTIO_CONSOLE_SEND_REMOVE | VIRTIO_CONSOLE_SEND_ADD;
	return true;
}

/* Acts on a message. Returns whether the message was understood. */
static bool take_message(struct virtio_console *console, uint32_t id, uint16_t event, uint16_t value)
{
	struct virtio_console_port *port = console_port(console, id);

	if (event == VIRTIO_CONSOLE_DEVICE_READY)
		return take_device_ready(console, value);
	/* Until REMOVE is sent, the driver means the port that had this number before. */
	if (!port || (port->pending & VIRTIO_CONSOLE_SEND_REMOVE))
		return false;
	if (event == VIRTIO_CONSOLE_PORT_READY)
		return take_port_ready(console, port, value);
	/* A PORT_OPEN before PORT_READY can't be for this port (virtio 1.4, 5.3.6.2). */
	if (event != VIRTIO_CONSOLE_PORT_OPEN || !(port->flags & VIRTIO_CONSOLE_PORT_IS_READY))
		return false;
	console_store(&port->guest_open, value != 0);
	return true;
}

static void handle(struct virtio_console *console, const uint8_t *message)
{
	const struct virtio_console_options *options = &console->options;
	const uint16_t event = virtio_get_le16(message + offsetof(struct virtio_console_control, event));
	const uint16_t value = virtio_get_le16(message + offsetof(struct virtio_console_control, value));
	uint32_t id = virtio_get_le32(message + offsetof(struct virtio_console_control, id));

	if (!take_message(console, id, event, value)) {
		console->stats.ignored++;
		return;
	}
	console->stats.taken++;
	if (event == VIRTIO_CONSOLE_DEVICE_READY)
		id = 0;
	if (options->event)
		options->event(options->context, id, event, value != 0);
}

/* Handles one message. Returns 1 if a chain was completed, 0 if there is no chain, or an error. */
static int receive_message(struct virtio_console *console, struct virtio_queue *queue,
			   struct virtio_console_progress *progress, uint32_t *left)
{
	uint8_t message[MESSAGE_BYTES];
	struct control_chain taken;
	struct virtio_reader reader;
	struct virtio_chain chain;
	bool whole = false;
	int got = pop_chain(console, queue, false, &chain, &taken, left);

	if (got != 1)
		return got;
	if (!taken.error) {
		virtio_reader_init(&reader, &taken.data);
		whole = virtio_reader_read_exact(&reader, message, sizeof message) == 0;
	}
	/*
	 * The chain is completed before the message is handled. If the completion fails, the next
	 * pop yields the message again. So no message is handled twice.
	 */
	got = complete(queue, chain.token, 0, progress);
	if (got)
		return got;
	if (whole) {
		progress->bytes += sizeof message;
		handle(console, message);
	} else if (!taken.error) {
		console->stats.ignored++;
	}
	return 1;
}

int virtio_console_control_transmit(struct virtio_console *console, struct virtio_queue *queue,
				    struct virtio_console_progress *progress)
{
	uint32_t left = limit_of(queue);
	int got = 1;

	*progress = (struct virtio_console_progress){ .bytes = 0 };
	if (!console_multiport(console))
		return 0;
	while (got == 1) {
		/* If size is 0, the queue is not started. Let the pop return VIRTIO_ENOTREADY. */
		if (left == 0 && queue->size != 0) {
			progress->more = true;
			break;
		}
		got = receive_message(console, queue, progress, &left);
		if (got == 0)
			got = virtio_queue_enable_kicks(queue);
	}
	progress->notify = queue->size != 0 && virtio_queue_needs_interrupt(queue);
	return got < 0 ? got : 0;
}
