/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Receive: from a port's input buffer into the driver's chains. */
#include "console_internal.h"

/* Bytes for guest memory: two pieces of the ring. The second may be empty. */
struct input_bytes {
	const uint8_t *front, *back;
	uint32_t front_bytes, back_bytes;
};

/* The first n bytes from a position on. */
static inline struct input_bytes bytes_at(const struct virtio_console_input *input, uint32_t position, uint32_t n)
{
	const uint32_t at = input_offset(input, position), to_end = input->capacity - at;
	const uint32_t front = n < to_end ? n : to_end;

	return (struct input_bytes){ input->bytes + at, input->bytes, front, n - front };
}

/*
 * The usual chain is one writable buffer in one piece. Returns the bytes written; 0 for another
 * buffer.
 */
static inline VIRTIO_HOT uint32_t fill_fast(struct virtio_memory_cursor *memory, const struct virtio_desc *d,
					    const struct virtio_console_input *input, uint32_t held)
{
	struct input_bytes bytes;

	/* All of the buffer must be good, and not only the written part. */
	if (!d->writable || d->len == 0 || !virtio_memory_find(memory, d->addr, d->len, VIRTIO_ACCESS_WRITE))
		return 0;
	bytes = bytes_at(input, input->taken, d->len < held ? d->len : held);
	if (virtio_memory_write(memory, d->addr, bytes.front, bytes.front_bytes))
		return 0;
	if (VIRTIO_UNLIKELY(bytes.back_bytes != 0) &&
	    virtio_memory_write(memory, d->addr + bytes.front_bytes, bytes.back, bytes.back_bytes))
		return 0;
	return bytes.front_bytes + bytes.back_bytes;
}

/* Counts a chain that gets no bytes. */
static int refuse(uint64_t *counter)
{
	(*counter)++;
	return 0;
}

/* Any other chain. Returns the bytes written, which may be 0; or VIRTIO_ENOTMAPPED. */
static VIRTIO_COLD int fill_any(struct virtio_console_port *port, struct virtio_chain *chain,
				const struct virtio_desc *walked, uint32_t count, uint32_t held)
{
	struct console_data data = {
		.list = { .segments = port->options.receive_segments, .capacity = port->options.receive_capacity },
		.to_driver = true,
	};
	const struct virtio_console_input *input = port->options.input;
	const int error = virtio_impl_console_resolve(chain, walked, count, &data);
	struct virtio_writer writer;
	struct input_bytes bytes;
	uint64_t room;

	if (error == VIRTIO_ENOTMAPPED)
		return error;
	if (error)
		return refuse(&port->stats.receive_malformed);
	if (data.misdirected)
		return refuse(&port->stats.receive_misdirected);
	room = data.list.writable_bytes;
	if (room == 0)
		return refuse(&port->stats.receive_empty);
	/* If the chain needs more segments than the array has, its front is filled. */
	virtio_writer_init(&writer, &data.list);
	bytes = bytes_at(input, input->taken, room < held ? (uint32_t)room : held);
	virtio_writer_write(&writer, bytes.front, bytes.front_bytes);
	virtio_writer_write(&writer, bytes.back, bytes.back_bytes);
	return (int)virtio_writer_used(&writer);
}

/* Writes input to a chain. Returns the bytes written, which may be 0; or VIRTIO_ENOTMAPPED. */
static inline VIRTIO_HOT int fill_chain(struct virtio_console_port *port, struct virtio_chain *chain, uint32_t held)
{
	struct virtio_desc d[2];
	uint32_t count = 1, n;
	int got = virtio_chain_next(chain, &d[0]);

	if (VIRTIO_LIKELY(got == 1)) {
		got = virtio_chain_next(chain, &d[1]);
		if (VIRTIO_LIKELY(got == 0)) {
			n = fill_fast(chain->memory, &d[0], port->options.input, held);
			if (VIRTIO_LIKELY(n != 0))
				return (int)n;
		}
		count += got == 1;
	}
	if (got >= 0)
		return fill_any(port, chain, d, count, held);
	return got == VIRTIO_ENOTMAPPED ? got : refuse(&port->stats.receive_malformed);
}

/*
 * Fills a chain and completes it. Returns 0, or an error. After an error the chain is unpopped,
 * unless the queue is broken, and the input is still in the buffer.
 */
static inline VIRTIO_HOT int fill(struct virtio_console_port *port, struct virtio_queue *queue,
				  struct virtio_chain *chain, uint32_t held, struct virtio_console_progress *progress)
{
	struct virtio_console_input *input = port->options.input;
	int got = fill_chain(port, chain, held);

	if (VIRTIO_LIKELY(got >= 0)) {
		const int error = virtio_queue_complete(queue, chain->token, (uint32_t)got);

		if (VIRTIO_LIKELY(!error)) {
			console_store(&input->taken, input_advance(input, input->taken, (uint32_t)got));
			progress->bytes += (uint32_t)got;
			progress->chains++;
			return 0;
		}
		got = error;
	}
	(void)!virtio_queue_unpop(queue, chain->token);
	return got;
}

/* Fills chains until there is no input, no chain, or left is 0. Returns 0 or an error. */
static int fill_all(struct virtio_console_port *port, struct virtio_queue *queue,
		    struct virtio_console_progress *progress)
{
	struct virtio_console_input *input = port->options.input;
	uint32_t left = queue->size;
	struct virtio_chain chain;
	int got = 0;

	while (got >= 0) {
		const uint32_t held = input_between(input, input->taken, console_load(&input->written));

		if (held == 0) {
			if (virtio_impl_console_input_sleep(input))
				break;
			continue;
		}
		/* A queue that is not started has no entries, and the pop returns the error. */
		if (left == 0 && queue->size != 0) {
			progress->more = true;
			break;
		}
		got = virtio_queue_pop(queue, &chain);
		if (got == 1) {
			left--;
			got = fill(port, queue, &chain, held, progress);
		} else if (got == 0) {
			got = virtio_queue_enable_kicks(queue);
			if (got == 0)
				break;
		}
	}
	return got < 0 ? got : 0;
}

/* Whether the driver accepts input. Linux discards input of a generic port that nobody has open. */
static bool takes_input(const struct virtio_console *console, const struct virtio_console_port *port)
{
	if (console_load(&port->awaits_ready) != 0)
		return false;
	return port->options.console || !console_multiport(console) || console_load(&port->guest_open) != 0;
}

int virtio_console_receive(struct virtio_console *console, uint32_t id, struct virtio_queue *queue,
			   struct virtio_console_progress *progress)
{
	struct virtio_console_port *port = console_port(console, id);
	int error;

	*progress = (struct virtio_console_progress){ .bytes = 0 };
	if (!port || !console_has_queues(console, id))
		return VIRTIO_EINVAL;
	if (!takes_input(console, port))
		return 0;
	error = fill_all(port, queue, progress);
	port->stats.received += progress->bytes;
	progress->notify = queue->size != 0 && virtio_queue_needs_interrupt(queue);
	progress->room = virtio_impl_console_input_wanted(port->options.input);
	return error;
}
