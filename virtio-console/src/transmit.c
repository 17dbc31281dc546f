/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Transmit: passes the bytes of the driver's chains to a port's sink. */
#include "console_internal.h"

/* The state of one virtio_console_transmit() call. `piece` is an array on the call's stack. */
struct transmission {
	struct virtio_console_port *port;
	struct virtio_queue *queue;
	struct virtio_console_progress *progress;
	uint8_t *piece;
	virtio_console_sink_fn *sink;
	void *sink_context;
};

/* Offers `len` bytes of t->piece to the sink. Returns how many bytes the sink has taken. */
static inline uint32_t offer(const struct transmission *t, uint32_t len)
{
	const size_t took = t->sink(t->sink_context, t->piece, len);
	const uint32_t n = took < len ? (uint32_t)took : len;

	t->progress->bytes += n;
	return n;
}

/* Returns a chain to the driver. The used length is 0, because nothing was written. */
static inline int complete(const struct transmission *t, struct virtio_token token)
{
	const int error = virtio_queue_complete(t->queue, token, 0);

	if (VIRTIO_LIKELY(!error))
		t->progress->chains++;
	return error;
}

/* Chains that need more segments than the port's array transmit_segments has */

/*
 * Finds the next segment of a chain that is read in parts. Returns 1 for a segment, 0 at the end of
 * the chain, or an error.
 */
static int next_piece(struct virtio_console_output *output, struct virtio_segment *segment)
{
	struct virtio_desc *piece = &output->piece;
	int got;

	while (piece->len == 0) {
		/*
		 * Walks on a copy, because a failed walk cannot continue. After VIRTIO_ENOTMAPPED
		 * the next call repeats the walk from output->rest.
		 */
		struct virtio_chain rest = output->rest;

		got = virtio_chain_next(&rest, piece);
		if (got != VIRTIO_ENOTMAPPED)
			output->rest = rest;
		if (got != 1)
			return got;
	}
	if (piece->writable)
		return VIRTIO_EORDER;
	got = virtio_memory_segment(output->rest.memory, piece->addr, piece->len, VIRTIO_ACCESS_READ, segment);
	if (got)
		return got;
	piece->addr += segment->len;
	piece->len -= (uint32_t)segment->len;
	return 1;
}

/*
 * Fills the array with the next segments. Returns 1 if there is a segment, 0 at the end of the
 * chain, or an error.
 */
static int refill(struct virtio_console_port *port)
{
	struct virtio_console_output *output = &port->output;
	struct virtio_chain_segments c = { .segments = port->options.transmit_segments };
	int got = 1;

	while (c.readable < port->options.transmit_capacity) {
		got = next_piece(output, &c.segments[c.readable]);
		if (got != 1)
			break;
		c.readable_bytes += c.segments[c.readable++].len;
	}
	if (c.readable == 0)
		return got;
	virtio_reader_init(&output->reader, &c);
	return 1;
}

/* A chain in flight */

/* Keeps a chain in flight, and prepares to read the segments in `list`. */
static void begin(struct virtio_console_port *port, const struct virtio_chain *chain,
		  const struct virtio_chain_segments *list)
{
	port->output = (struct virtio_console_output){ .token = chain->token };
	virtio_reader_init(&port->output.reader, list);
}

/*
 * Keeps a chain in flight that needs more segments than the array has. The chain is read again, in
 * parts.
 */
static void begin_long(struct virtio_console_port *port, const struct virtio_chain *start)
{
	const struct virtio_chain_segments nothing = { .segments = port->options.transmit_segments };

	begin(port, start, &nothing);
	port->output.beyond = true;
	port->output.rest = *start;
}

/*
 * Checks a whole chain and prepares to send it. Returns 1; 0 if the chain must be completed unread;
 * or VIRTIO_ENOTMAPPED.
 */
static int prepare(struct virtio_console_port *port, struct virtio_chain *chain, uint32_t *steps)
{
	struct console_data data = {
		.list = { .segments = port->options.transmit_segments, .capacity = port->options.transmit_capacity },
	};
	const struct virtio_chain start = *chain;
	const int error = virtio_impl_console_resolve(chain, &data);

	*steps += data.steps;
	if (error == VIRTIO_ENOTMAPPED)
		return error;
	if (error) {
		port->stats.transmit_malformed++;
		return 0;
	}
	if (data.misdirected) {
		port->stats.transmit_misdirected++;
		return 0;
	}
	if (data.beyond)
		begin_long(port, &start);
	else
		begin(port, &start, &data.list);
	return 1;
}

/* Skips the bytes in the array that the sink has already taken. */
static void skip(struct virtio_console_output *output)
{
	const uint64_t here = virtio_reader_left(&output->reader);
	const uint64_t n = output->skip < here ? output->skip : here;

	(void)!virtio_reader_skip(&output->reader, n);
	output->skip -= n;
}

/* Returns whether the call has reached its limit of bytes, and must stop within a chain. */
static bool is_enough(const struct transmission *t)
{
	if (t->progress->bytes < VIRTIO_CONSOLE_CALL_BYTES)
		return false;
	t->progress->more = true;
	return true;
}

/*
 * Sends the bytes of the segments in transmit_segments. Returns false if the sink is full, or the
 * call must end.
 */
static bool send_segments(const struct transmission *t)
{
	struct virtio_console_output *output = &t->port->output;

	if (virtio_reader_left(&output->reader) == 0)
		return true;
	for (;;) {
		struct virtio_reader ahead = output->reader;
		const uint32_t len = (uint32_t)virtio_reader_read(&ahead, t->piece, VIRTIO_CONSOLE_PIECE_BYTES);
		const uint32_t took = offer(t, len);

		output->taken += took;
		if (took < len) {
			(void)!virtio_reader_skip(&output->reader, took);
			t->progress->blocked = true;
			return false;
		}
		output->reader = ahead;
		if (virtio_reader_left(&ahead) == 0)
			return true;
		if (is_enough(t))
			return false;
	}
}

/*
 * Continues the chain in flight. Returns 1 if the chain is completed; 0 if the sink is full or the
 * call must end; or an error.
 */
static int resume(const struct transmission *t)
{
	struct virtio_console_output *output = &t->port->output;
	int got;

	for (;;) {
		skip(output);
		if (!send_segments(t))
			return 0;
		if (!output->beyond)
			break;
		got = refill(t->port);
		if (got == VIRTIO_ENOTMAPPED)
			return got;
		if (got != 1) {
			/* An error means that the chain or the map has changed since the check. */
			t->port->stats.transmit_malformed += got < 0;
			output->beyond = false;
			break;
		}
		if (is_enough(t))
			return 0;
	}
	got = complete(t, output->token);
	if (got)
		return got;
	*output = (struct virtio_console_output){ .taken = 0 };
	return 1;
}

/* Sends a chain of any form. Returns as resume(). */
static VIRTIO_COLD int send_any(const struct transmission *t, struct virtio_chain *chain, uint32_t *steps)
{
	int got = prepare(t->port, chain, steps);

	if (got == 1)
		return resume(t);
	if (got == 0)
		got = complete(t, chain->token);
	if (got == 0)
		return 1;
	(void)!virtio_queue_unpop(t->queue, chain->token);
	return got;
}

/* The usual chain: one descriptor, whose readable buffer fits in one call of the sink */

/* Results of send_usual() and send_popped(), besides the results of resume(). */
#define NOT_USUAL 2 /* send_popped() must serve the next chain, if there is a chain */
#define NONE_LEFT 3 /* no chain is left */

/*
 * Finishes a usual chain whose buffer was offered to the sink. Either the sink did not take all
 * bytes, or the completion needs the slow path. Returns as resume().
 */
static VIRTIO_COLD int finish_usual(const struct transmission *t, uint16_t head, const struct virtio_segment *buffer,
				    uint32_t took)
{
	struct virtio_console_port *port = t->port;
	struct virtio_chain_segments c = { .segments = port->options.transmit_segments,
					   .readable = 1,
					   .readable_bytes = buffer->len };
	struct virtio_chain chain;
	int error = 0;

	t->progress->bytes += took;
	virtio_impl_queue_pop_head(t->queue, head, &chain);
	if (took == buffer->len) {
		error = complete(t, chain.token);
		if (!error)
			return 1;
	}
	/* The sink is full or the completion has failed, so the chain stays in flight. */
	c.segments[0] = *buffer;
	begin(port, &chain, &c);
	port->output.taken = took;
	port->output.skip = took;
	t->progress->blocked = took < buffer->len;
	return error;
}

/*
 * Sends the next chain if it is usual. Only finish_usual() puts the chain in flight. Returns as
 * resume(), or NOT_USUAL.
 */
static inline VIRTIO_HOT int send_usual(const struct transmission *t)
{
	struct virtio_queue *queue = t->queue;
	struct virtio_memory_cursor *memory = &queue->memory[VIRTIO_MEMORY_BUFFERS];
	struct virtio_segment buffer;
	struct virtio_guest_desc d;
	size_t took;
	uint16_t head;
	void *host;

	if (VIRTIO_UNLIKELY(virtio_impl_queue_peek(queue, &head) != 1))
		return NOT_USUAL;
	d = virtio_guest_load_desc(queue->desc + (size_t)head * VIRTIO_IMPL_DESC_BYTES);
	/* If d.len is 0, d.len - 1 wraps to a length that is too long. */
	if (VIRTIO_UNLIKELY((d.flags_next & VIRTIO_DESC_FLAGS) != 0) ||
	    VIRTIO_UNLIKELY(d.len - 1 >= VIRTIO_CONSOLE_PIECE_BYTES) ||
	    VIRTIO_UNLIKELY(!virtio_impl_memory_find_writable(memory, d.addr, d.len, &host)))
		return NOT_USUAL;
	virtio_guest_copy_in(t->piece, host, (size_t)d.len);
	took = t->sink(t->sink_context, t->piece, (size_t)d.len);
	if (VIRTIO_UNLIKELY(took < d.len) || VIRTIO_UNLIKELY(head >= queue->fast_heads)) {
		buffer = (struct virtio_segment){ d.addr, d.len, host, memory->region->self };
		return finish_usual(t, head, &buffer, took < d.len ? (uint32_t)took : (uint32_t)d.len);
	}
	t->progress->bytes += d.len;
	virtio_impl_queue_complete_peeked(queue, head, 0);
	t->progress->chains++;
	return 1;
}

/* Completes a chain that this port must not send, without reading it. Returns as resume(). */
static VIRTIO_COLD int discard_chain(const struct transmission *t, struct virtio_token token)
{
	const int error = complete(t, token);

	if (error) {
		(void)!virtio_queue_unpop(t->queue, token);
		return error;
	}
	t->port->stats.transmit_discarded++;
	return 1;
}

/*
 * Continues the chain in flight. Returns 1 if no chain is in flight; VIRTIO_EBUSY if a restored
 * chain was not replayed yet; otherwise as resume().
 */
static int send_kept(const struct transmission *t)
{
	struct virtio_console_output *output = &t->port->output;

	if (output->restored)
		return VIRTIO_EBUSY;
	if (output->token.value == 0)
		return 1;
	/* A reset of the queue has ended the chain in flight. */
	if (!virtio_queue_is_in_flight(t->queue, output->token)) {
		*output = (struct virtio_console_output){ .taken = 0 };
		return 1;
	}
	return resume(t);
}

/*
 * Pops the next chain. Sends the chain if the port accepts output, and discards it otherwise.
 * Returns as resume(), or NONE_LEFT.
 *
 * @steps  steps of the call so far; see console_is_enough()
 */
static VIRTIO_COLD int send_popped(const struct transmission *t, bool accepts, uint32_t *steps)
{
	struct virtio_chain chain;
	int got = virtio_queue_pop(t->queue, &chain);

	if (got != 1)
		return got == 0 ? NONE_LEFT : got;
	got = accepts ? send_any(t, &chain, steps) : discard_chain(t, chain.token);
	if (got != 1 || !console_is_enough(*steps, t->queue))
		return got;
	t->progress->more = true;
	return 0;
}

/*
 * The largest number of chains that one call takes from the queue and sends. A usual chain has at
 * most VIRTIO_CONSOLE_PIECE_BYTES. So the usual chains of one call together have at most
 * VIRTIO_CONSOLE_CALL_BYTES.
 */
#define USUAL_CHAINS (VIRTIO_CONSOLE_CALL_BYTES / VIRTIO_CONSOLE_PIECE_BYTES)

/*
 * Sends chains until no chain is left, the sink is full or the call must end. Returns 0 or an
 * error.
 */
static int send_all(const struct transmission *t)
{
	const bool accepts = t->port->present && console_load(&t->port->awaits_ready) == 0;
	const uint32_t size = t->queue->size;
	uint32_t left = accepts && size > USUAL_CHAINS ? USUAL_CHAINS : size, steps = 0;
	int got = send_kept(t);

	while (got == 1) {
		/* If size is 0, the queue is not started. Let the pop return VIRTIO_ENOTREADY. */
		if (VIRTIO_UNLIKELY(left == 0) && t->queue->size != 0) {
			t->progress->more = true;
			return 0;
		}
		left--;
		got = VIRTIO_LIKELY(accepts) ? send_usual(t) : NOT_USUAL;
		if (VIRTIO_LIKELY(got == 1))
			continue;
		if (got == NOT_USUAL)
			got = send_popped(t, accepts, &steps);
		if (got == NONE_LEFT)
			got = virtio_queue_enable_kicks(t->queue);
	}
	return got;
}

int virtio_console_transmit(struct virtio_console *console, uint32_t id, struct virtio_queue *queue,
			    struct virtio_console_progress *progress)
{
	uint8_t piece[VIRTIO_CONSOLE_PIECE_BYTES];
	struct virtio_console_port *port = console_entry(console, id);
	struct transmission t = { port, queue, progress, piece, NULL, NULL };
	int error;

	*progress = (struct virtio_console_progress){ .bytes = 0 };
	if (!port || !console_has_queues(console, id))
		return VIRTIO_EINVAL;
	t.sink = port->options.sink;
	t.sink_context = port->options.sink_context;
	error = send_all(&t);
	port->stats.transmitted += progress->bytes;
	progress->notify = queue->size != 0 && virtio_queue_needs_interrupt(queue);
	return error;
}

int virtio_console_replay_transmit(struct virtio_console *console, uint32_t id, struct virtio_chain *chain)
{
	struct virtio_console_port *port = console_entry(console, id);
	uint32_t steps = 0;
	uint64_t taken;
	int got;

	if (!port || !port->output.restored || port->output.head != virtio_token_head(chain->token))
		return VIRTIO_EINVAL;
	taken = port->output.taken;
	got = port->present ? prepare(port, chain, &steps) : 0;
	if (got < 0)
		return got;
	if (got == 0) {
		const struct virtio_chain_segments nothing = { .segments = port->options.transmit_segments };

		begin(port, chain, &nothing);
	}
	/* If the driver has shortened the chain since the save, the chain ends during the skip. */
	port->output.taken = taken;
	port->output.skip = taken;
	return 0;
}
