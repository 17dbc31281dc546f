/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The library's side of loops.h. inline_loops.c and called_loops.c include this file, each after it
 * has defined LOOP(name) and CALL(function) for its version.
 */

/* Pops, walks and completes. */
uint64_t LOOP(walk)(struct rig *w)
{
	struct virtio_chain chain;
	struct virtio_desc d;
	uint64_t sum = 0;

	while (CALL(virtio_queue_pop)(&w->queue, &chain) == 1) {
		while (CALL(virtio_chain_next)(&chain, &d) == 1)
			sum += d.addr + d.len;
		CALL(virtio_queue_complete)(&w->queue, chain.token, 0);
	}
	return sum;
}

/*
 * Each version defines its own LOOP(serve_next). That function pops the next request, walks the
 * chain, reads the 16-byte header, writes the status byte and completes the request. It adds the
 * values read to the sum, and returns false if there is no request or a step fails.
 */

uint64_t LOOP(request)(struct rig *w)
{
	uint64_t sum = 0;

	while (LOOP(serve_next)(w, &sum)) {
	}
	return sum;
}

/* Does the same as LOOP(request), and checks after each request whether to interrupt. */
uint64_t LOOP(notify)(struct rig *w)
{
	uint64_t sum = 0;

	while (LOOP(serve_next)(w, &sum))
		sum += CALL(virtio_queue_needs_interrupt)(&w->queue);
	return sum;
}

/*
 * Does the queue's part of a device's work after a kick: pops and completes, without walking the
 * chains.
 */
uint64_t LOOP(turn)(struct rig *w)
{
	struct virtio_chain chain;
	uint64_t sum = 0;

	do {
		for (int left = CALL(virtio_queue_available)(&w->queue); left > 0; left--) {
			if (CALL(virtio_queue_pop)(&w->queue, &chain) != 1)
				return 0;
			sum += chain.token.value;
			CALL(virtio_queue_complete)(&w->queue, chain.token, 0);
		}
		sum += CALL(virtio_queue_needs_interrupt)(&w->queue);
	} while (CALL(virtio_queue_enable_kicks)(&w->queue) == 1);
	return sum;
}

static int LOOP(callback)(void *context, struct virtio_chain *chain, uint32_t *written)
{
	uint64_t *sum = context;
	struct virtio_desc d;

	(void)written;
	while (CALL(virtio_chain_next)(chain, &d) == 1)
		*sum += d.addr + d.len;
	return 0;
}

/* Serves by virtio_queue_serve(), the library's own loop. */
uint64_t LOOP(serve)(struct rig *w)
{
	bool interrupt;
	uint64_t sum = 0;

	while (virtio_queue_serve(&w->queue, QUEUE_SIZE, LOOP(callback), &sum, &interrupt) == 1)
		sum += interrupt;
	return sum + interrupt;
}

/* Pops, resolves and completes. */
uint64_t LOOP(resolve)(struct rig *w)
{
	struct virtio_chain chain;
	uint64_t sum = 0;

	while (CALL(virtio_queue_pop)(&w->queue, &chain) == 1) {
		struct virtio_chain_segments c = { .segments = w->segments, .capacity = w->capacity };

		if (CALL(virtio_chain_resolve)(&chain, &c))
			return 0;
		sum += c.readable_bytes + c.writable_bytes;
		CALL(virtio_queue_complete)(&w->queue, chain.token, (uint32_t)c.writable_bytes);
	}
	return sum;
}

/* Resolves each chain, then moves all data with a reader or a writer. */
uint64_t LOOP(bulk)(struct rig *w)
{
	static uint8_t data[64 * 1024] __attribute__((aligned(4096)));
	struct virtio_chain chain;
	uint64_t sum = 0;

	while (CALL(virtio_queue_pop)(&w->queue, &chain) == 1) {
		struct virtio_chain_segments c = { .segments = w->segments, .capacity = w->capacity };
		struct virtio_reader in;
		struct virtio_writer out;

		if (CALL(virtio_chain_resolve)(&chain, &c))
			return 0;
		virtio_reader_init(&in, &c);
		virtio_writer_init(&out, &c);
		if (w->load->writable)
			sum += virtio_writer_write(&out, data, sizeof data);
		else
			sum += virtio_reader_read(&in, data, sizeof data);
		CALL(virtio_queue_complete)(&w->queue, chain.token, (uint32_t)virtio_writer_done(&out));
	}
	return sum;
}

/*
 * Pops block requests, writes the status byte and completes. The parser sees each request as a read
 * of sector 0.
 */
uint64_t LOOP(block)(struct rig *w)
{
	struct virtio_blk_request *request = &w->block;
	uint64_t sum = 0;

	while (CALL(virtio_blk_pop)(&w->queue, request) == 1) {
		const uint64_t wanted = virtio_blk_in(request).bytes;

		sum += request->type + request->sector + virtio_blk_out(request).bytes + wanted;
		CALL(virtio_request_complete)(&w->queue, &request->base, VIRTIO_BLK_S_OK, wanted);
	}
	return sum;
}
