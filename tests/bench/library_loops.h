/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The library's side of loops.h, compiled twice: with LOOP(name) and CALL(function) defined to
 * make the inline and the called version. No include guard.
 */

/* Pop, walk, complete. */
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
 * LOOP(serve_next): takes the next request, walks it, reads the 16-byte header, writes the status byte and completes it.
 * Adds to the sum what it has seen, or returns false if there is none. Each version has its own.
 */

uint64_t LOOP(request)(struct rig *w)
{
	uint64_t sum = 0;

	while (LOOP(serve_next)(w, &sum)) {
	}
	return sum;
}

/* The same, with a look at whether to notify after each. */
uint64_t LOOP(notify)(struct rig *w)
{
	uint64_t sum = 0;

	while (LOOP(serve_next)(w, &sum))
		sum += CALL(virtio_queue_needs_interrupt)(&w->queue);
	return sum;
}

/* Resolve, then move all data with a reader or a writer. */
uint64_t LOOP(bulk)(struct rig *w)
{
	static uint8_t data[64 * 1024] __attribute__((aligned(4096)));
	struct virtio_segment segments[64];
	struct virtio_chain chain;
	uint64_t sum = 0;

	while (CALL(virtio_queue_pop)(&w->queue, &chain) == 1) {
		struct virtio_chain_segments c = { .segments = segments, .capacity = 64 };
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

/* Block requests: pop, write the status byte, complete. Each is a read of sector 0 as far as the parser can tell. */
uint64_t LOOP(block)(struct rig *w)
{
	struct virtio_blk_request *request = &w->blk;
	uint64_t sum = 0;

	while (CALL(virtio_blk_pop)(&w->queue, request) == 1) {
		const uint64_t wanted = virtio_blk_in(request).bytes;

		sum += request->type + request->sector + virtio_blk_out(request).bytes + wanted;
		CALL(virtio_request_complete)(&w->queue, &request->base, VIRTIO_BLK_S_OK, wanted);
	}
	return sum;
}

/* Socket packets: one out of the guest, and one into it with the same header. No payload is moved. */
uint64_t LOOP(packet)(struct rig *w)
{
	struct virtio_vsock_packet *packet = &w->packet;
	uint64_t sum = 0;

	while (CALL(virtio_vsock_tx_pop)(&w->queue, packet) == 1) {
		sum += virtio_vsock_len(&packet->header) + packet->data.segments->addr + packet->data.readable_bytes;
		CALL(virtio_queue_complete)(&w->queue, packet->token, 0);
		if (CALL(virtio_vsock_rx_pop)(&w->queue, packet) != 1)
			break;
		sum += packet->data.segments->addr + packet->data.writable_bytes;
		if (CALL(virtio_vsock_rx_commit)(&w->queue, packet))
			break;
	}
	return sum;
}
