/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Transmit: from the driver's chains to a port's sink. */
#include "console_internal.h"

/* The state of a call. The sink's piece is on the stack of virtio_console_transmit() only. */
struct transmission {
	struct virtio_console_port *port;
	struct virtio_queue *queue;
	struct virtio_console_progress *progress;
	uint8_t *piece;
	virtio_console_sink_fn *sink;
	void *sink_context;
};

/* Offers len bytes of the piece to the sink. Returns how many it has taken. */
static inline uint32_t offer(const struct transmission *t, uint32_t len)
{
	const size_t took = t->sink(t->sink_context, t->piece, len);
	const uint32_t n = took < len ? (uint32_t)took : len;

	t->progress->bytes += n;
	return n;
}

/* Returns a chain to the driver. The used length is 0: nothing was written. */
static inline int give_back(const struct transmission *t, struct virtio_token token)
{
	const int error = virtio_queue_complete(t->queue, token, 0);

	if (VIRTIO_LIKELY(!error))
		t->progress->chains++;
	return error;
}

/* Chains that need more segments than the array has */

/* The next piece of the chain after the array. Returns 1 for a piece, 0 at the end, or an error. */
static int next_piece(struct virtio_console_output *output, struct virtio_segment *segment)
{
	struct virtio_desc *piece = &output->piece;
	int got;

	while (piece->len == 0) {
		/* A failed walk stays failed, and this one may have to continue later. */
		struct virtio_chain rest = output->rest;

		if (output->ahead.len != 0) {
			*piece = output->ahead;
			output->ahead.len = 0;
			break;
		}
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

/* Fills the array with the following segments. Returns 1 for some, 0 at the end, or an error. */
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

/* Puts a chain in flight whose segments all fit the array. */
static void begin(struct virtio_console_port *port, const struct virtio_chain *chain,
		  const struct virtio_chain_segments *list)
{
	port->output = (struct virtio_console_output){ .token = chain->token };
	virtio_reader_init(&port->output.reader, list);
}

/*
 * Puts a chain in flight that needs more segments than the array has: it is read again, piece by
 * piece.
 */
static void begin_long(struct virtio_console_port *port, const struct virtio_chain *start,
		       const struct virtio_desc *walked, uint32_t count)
{
	const struct virtio_chain_segments nothing = { .segments = port->options.transmit_segments };

	begin(port, start, &nothing);
	port->output.beyond = true;
	port->output.rest = *start;
	if (count > 0)
		port->output.piece = walked[0];
	if (count > 1)
		port->output.ahead = walked[1];
}

/*
 * Checks a chain as a whole and prepares sending it. count descriptors of the chain were walked
 * already. Returns 1; 0 for a chain to complete unread; or VIRTIO_ENOTMAPPED.
 */
static int prepare(struct virtio_console_port *port, struct virtio_chain *chain, const struct virtio_desc *walked,
		   uint32_t count)
{
	struct console_data data = {
		.list = { .segments = port->options.transmit_segments, .capacity = port->options.transmit_capacity },
	};
	const struct virtio_chain start = *chain;
	const int error = virtio_impl_console_resolve(chain, walked, count, &data);

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
		begin_long(port, &start, walked, count);
	else
		begin(port, &start, &data.list);
	return 1;
}

/* Steps over what was sent before the save, as far as it is in the array. */
static void skip(struct virtio_console_output *output)
{
	const uint64_t here = virtio_reader_left(&output->reader);
	const uint64_t n = output->skip < here ? output->skip : here;

	(void)!virtio_reader_skip(&output->reader, n);
	output->skip -= n;
}

/* Sends the content of the array. Returns whether the sink took all of it. */
static bool send_segments(const struct transmission *t)
{
	struct virtio_console_output *output = &t->port->output;

	while (virtio_reader_left(&output->reader) != 0) {
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
	}
	return true;
}

/*
 * Continues the chain in flight. Returns 1 when it is completed, 0 if the sink is full, or an
 * error.
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
			/*
			 * If the chain does not end here, the guest has changed it since the check.
			 */
			t->port->stats.transmit_malformed += got < 0;
			output->beyond = false;
			break;
		}
	}
	got = give_back(t, output->token);
	if (got)
		return got;
	*output = (struct virtio_console_output){ .taken = 0 };
	return 1;
}

/* Sends a chain of any form. Returns as resume(). */
static VIRTIO_COLD int send_any(const struct transmission *t, struct virtio_chain *chain,
				const struct virtio_desc *walked, uint32_t count)
{
	int got = prepare(t->port, chain, walked, count);

	if (got == 1)
		return resume(t);
	if (got == 0)
		got = give_back(t, chain->token);
	if (got == 0)
		return 1;
	(void)!virtio_queue_unpop(t->queue, chain->token);
	return got;
}

/* The usual chain: one readable buffer in one piece, at most as long as the sink's */

/*
 * The sink, or the used ring, did not accept a chain whose only buffer was read. Keeps its
 * position.
 */
static VIRTIO_COLD void keep_place(const struct transmission *t, const struct virtio_chain *chain,
				   const struct virtio_desc *d, uint32_t took)
{
	struct virtio_console_port *port = t->port;
	struct virtio_chain_segments c = { .segments = port->options.transmit_segments };

	/* In one piece, as was checked. */
	if (virtio_memory_segment(chain->memory, d->addr, d->len, VIRTIO_ACCESS_READ, c.segments) == 0) {
		c.readable = 1;
		c.readable_bytes = c.segments->len;
	}
	begin(port, chain, &c);
	port->output.taken = took;
	port->output.skip = took;
	t->progress->blocked = took < d->len;
}

/* A walk has failed. Returns as resume(). */
static VIRTIO_COLD int refuse(const struct transmission *t, struct virtio_token token, int error)
{
	if (error != VIRTIO_ENOTMAPPED) {
		error = give_back(t, token);
		if (!error) {
			t->port->stats.transmit_malformed++;
			return 1;
		}
	}
	(void)!virtio_queue_unpop(t->queue, token);
	return error;
}

/* The host place of a chain's only buffer, if it can go to the sink in one piece; else NULL. */
static inline VIRTIO_HOT const void *find_fast(struct virtio_memory_cursor *memory, const struct virtio_desc *d)
{
	if (d->writable || d->len - 1u >= VIRTIO_CONSOLE_PIECE_BYTES)
		return NULL;
	return virtio_memory_find(memory, d->addr, d->len, VIRTIO_ACCESS_READ);
}

/* Returns as resume(). */
static inline VIRTIO_HOT int send_chain(const struct transmission *t, struct virtio_chain *chain)
{
	struct virtio_desc d[2];
	uint32_t count = 1, took;
	const void *bytes;
	int got = virtio_chain_next(chain, &d[0]);

	if (VIRTIO_LIKELY(got == 1)) {
		got = virtio_chain_next(chain, &d[1]);
		bytes = VIRTIO_LIKELY(got == 0) ? find_fast(chain->memory, &d[0]) : NULL;
		if (VIRTIO_LIKELY(bytes != NULL)) {
			virtio_guest_copy_in(t->piece, bytes, d[0].len);
			took = offer(t, d[0].len);
			got = VIRTIO_LIKELY(took == d[0].len) ? give_back(t, chain->token) : 0;
			if (VIRTIO_LIKELY(took == d[0].len && got == 0))
				return 1;
			keep_place(t, chain, &d[0], took);
			return got;
		}
		count += got == 1;
	}
	if (VIRTIO_UNLIKELY(got < 0))
		return refuse(t, chain->token, got);
	return send_any(t, chain, d, count);
}

/* A chain of a port that is gone. Returns as resume(). */
static VIRTIO_COLD int discard_chain(const struct transmission *t, struct virtio_token token)
{
	const int error = give_back(t, token);

	if (error) {
		(void)!virtio_queue_unpop(t->queue, token);
		return error;
	}
	t->port->stats.transmit_discarded++;
	return 1;
}

/* The chain in flight since the last call, if there is one. Returns as resume(). */
static int send_kept(const struct transmission *t)
{
	struct virtio_console_output *output = &t->port->output;

	if (output->restored)
		return VIRTIO_EBUSY;
	if (output->token.value == 0)
		return 1;
	/* A reset has ended it. */
	if (!virtio_queue_is_in_flight(t->queue, output->token)) {
		*output = (struct virtio_console_output){ .taken = 0 };
		return 1;
	}
	return resume(t);
}

/* Sends chains until there is none, the sink is full, or left is 0. Returns 0 or an error. */
static int send_all(const struct transmission *t)
{
	const bool accepts = t->port->present && console_load(&t->port->awaits_ready) == 0;
	uint32_t left = t->queue->size;
	struct virtio_chain chain;
	int got = send_kept(t);

	while (got == 1) {
		/* A queue that is not started has no entries, and the pop returns the error. */
		if (VIRTIO_UNLIKELY(left == 0) && t->queue->size != 0) {
			t->progress->more = true;
			return 0;
		}
		got = virtio_queue_pop(t->queue, &chain);
		if (VIRTIO_LIKELY(got == 1)) {
			left--;
			got = VIRTIO_LIKELY(accepts) ? send_chain(t, &chain) : discard_chain(t, chain.token);
		} else if (got == 0) {
			got = virtio_queue_enable_kicks(t->queue);
		}
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
	uint64_t taken;
	int got;

	if (!port || !port->output.restored || port->output.head != virtio_token_head(chain->token))
		return VIRTIO_EINVAL;
	taken = port->output.taken;
	got = port->present ? prepare(port, chain, NULL, 0) : 0;
	if (got < 0)
		return got;
	if (got == 0) {
		const struct virtio_chain_segments nothing = { .segments = port->options.transmit_segments };

		begin(port, chain, &nothing);
	}
	/* What the driver has cut off since then cannot be skipped. */
	port->output.taken = taken;
	port->output.skip = taken;
	return 0;
}
