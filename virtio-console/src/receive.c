/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Receive: copies bytes from a port's input buffer to the driver's chains. */
#include "console_internal.h"

/* Bytes for guest memory: two pieces of the input buffer. The second piece may be empty. */
struct input_bytes {
	const uint8_t *front, *back;
	uint32_t front_bytes, back_bytes;
};

/* Returns the n bytes from a position on. */
static inline struct input_bytes bytes_at(const struct virtio_console_input *input, uint32_t position, uint32_t n)
{
	const uint32_t at = input_offset(input, position), to_end = input->capacity - at;
	const uint32_t front = n < to_end ? n : to_end;

	return (struct input_bytes){ input->bytes + at, input->bytes, front, n - front };
}

/* Counts a chain that gets no bytes, and returns 0. */
static int refuse(uint64_t *counter)
{
	(*counter)++;
	return 0;
}

/*
 * Writes input to a chain. Returns the number of bytes written, which may be 0; or
 * VIRTIO_ENOTMAPPED. Adds the steps of the walk to *steps.
 */
static VIRTIO_COLD int fill_any(struct virtio_console_port *port, struct virtio_chain *chain, uint32_t held,
				uint32_t *steps)
{
	struct console_data data = {
		.list = { .segments = port->options.receive_segments, .capacity = port->options.receive_capacity },
		.to_driver = true,
	};
	const struct virtio_console_input *input = port->options.input;
	const int error = virtio_impl_console_resolve(chain, &data);
	struct virtio_writer writer;
	struct input_bytes bytes;
	uint64_t room;

	*steps += data.steps;
	if (error == VIRTIO_ENOTMAPPED)
		return error;
	if (error)
		return refuse(&port->stats.receive_malformed);
	if (data.misdirected)
		return refuse(&port->stats.receive_misdirected);
	room = data.list.writable_bytes;
	if (room == 0)
		return refuse(&port->stats.receive_empty);
	/* If the chain needs more segments than the array has, only the chain's front is filled. */
	virtio_writer_init(&writer, &data.list);
	bytes = bytes_at(input, input->taken, room < held ? (uint32_t)room : held);
	virtio_writer_write(&writer, bytes.front, bytes.front_bytes);
	virtio_writer_write(&writer, bytes.back, bytes.back_bytes);
	return (int)virtio_writer_used(&writer);
}

/* Removes from the input buffer the n bytes that a completed chain has received. */
static inline void advance(struct virtio_console_input *input, uint32_t n, struct virtio_console_progress *progress)
{
	console_store(&input->taken, input_advance(input, input->taken, n));
	progress->bytes += n;
	progress->chains++;
}

/* Result of fill_popped(): a chain is completed, but the call has reached its limit of steps. */
#define ENOUGH 2

/*
 * Pops, fills and completes the next chain. Returns 1 or ENOUGH; 0 if there is no chain; or an
 * error. After an error the input is still in the buffer, and a popped chain is unpopped unless the
 * queue is broken.
 *
 * @steps  steps of the call so far; see console_is_enough()
 */
static VIRTIO_COLD int fill_popped(struct virtio_console_port *port, struct virtio_queue *queue, uint32_t held,
				   struct virtio_console_progress *progress, uint32_t *steps)
{
	struct virtio_chain chain;
	int got = virtio_queue_pop(queue, &chain), error;

	if (got != 1)
		return got;
	got = fill_any(port, &chain, held, steps);
	error = got < 0 ? got : virtio_queue_complete(queue, chain.token, (uint32_t)got);
	if (error) {
		(void)!virtio_queue_unpop(queue, chain.token);
		return error;
	}
	advance(port->options.input, (uint32_t)got, progress);
	if (VIRTIO_LIKELY(!console_is_enough(*steps, queue)))
		return 1;
	progress->more = true;
	return ENOUGH;
}

/*
 * Tries to fill and complete the next chain without putting the chain in flight. The chain must be
 * usual: one descriptor, with a writable buffer in one region. Returns false if there is no chain,
 * or if fill_popped() must serve the chain.
 */
static inline VIRTIO_HOT bool fill_usual(struct virtio_console_input *input, struct virtio_queue *queue, uint32_t held,
					 struct virtio_console_progress *progress)
{
	struct virtio_memory_cursor *memory = &queue->memory[VIRTIO_MEMORY_BUFFERS];
	const struct virtio_region *region;
	struct virtio_guest_desc d;
	struct input_bytes bytes;
	uint16_t head;
	uint32_t n;
	void *host;

	if (VIRTIO_UNLIKELY(virtio_impl_queue_peek(queue, &head) != 1) || VIRTIO_UNLIKELY(head >= queue->fast_heads))
		return false;
	d = virtio_guest_load_desc(queue->desc + (size_t)head * VIRTIO_IMPL_DESC_BYTES);
	/*
	 * The whole buffer must be valid, not only the part that is written. The look-up fails for
	 * a buffer of length 0.
	 */
	if (VIRTIO_UNLIKELY((d.flags_next & VIRTIO_DESC_FLAGS) != VRING_DESC_F_WRITE) ||
	    VIRTIO_UNLIKELY(!virtio_impl_memory_find_writable(memory, d.addr, d.len, &host)))
		return false;
	n = d.len < held ? (uint32_t)d.len : held;
	bytes = bytes_at(input, input->taken, n);
	virtio_guest_copy_out(host, bytes.front, bytes.front_bytes);
	if (VIRTIO_UNLIKELY(bytes.back_bytes != 0))
		virtio_guest_copy_out((uint8_t *)host + bytes.front_bytes, bytes.back, bytes.back_bytes);
	region = memory->region->self;
	if (VIRTIO_UNLIKELY(region->dirty != NULL))
		virtio_region_mark_dirty(region, host, n);
	virtio_impl_queue_complete_peeked(queue, head, n);
	advance(input, n, progress);
	return true;
}

/* Fills chains until there is no input or no chain, or the call must end. Returns 0 or an error. */
static int fill_all(struct virtio_console_port *port, struct virtio_queue *queue,
		    struct virtio_console_progress *progress)
{
	struct virtio_console_input *input = port->options.input;
	uint32_t left = queue->size, steps = 0;
	int got = 1;

	while (got == 1) {
		const uint32_t held = input_between(input, input->taken, console_load(&input->written));

		if (held == 0) {
			if (virtio_impl_console_input_sleep(input))
				return 0;
			continue;
		}
		/* If size is 0, the queue is not started. Let the pop return VIRTIO_ENOTREADY. */
		if (left == 0 && queue->size != 0) {
			progress->more = true;
			return 0;
		}
		left--;
		if (VIRTIO_LIKELY(fill_usual(input, queue, held, progress)))
			continue;
		got = fill_popped(port, queue, held, progress, &steps);
		if (got == 0)
			got = virtio_queue_enable_kicks(queue);
	}
	return got < 0 ? got : 0;
}

/*
 * Returns whether the driver accepts input. Linux discards input of a generic port while no program
 * in the guest has the port open.
 */
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
