/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Makes packets from chains of either queue, or from the caller's buffers. */
#include <virtio/request.h>
#include <virtio/vsock.h>

#define HEADER VIRTIO_VSOCK_HEADER_BYTES
/* A used length has 32 bits, and includes header and payload. */
#define MAX_PAYLOAD (UINT32_MAX - HEADER)

/* Values of header_kind. All packets have NO_HEADER, except rx packets without an error. */
enum { NO_HEADER, HEADER_IN_PLACE, HEADER_IN_PIECES };

/*
 * A dummy region for the caller's own buffers. The region has no dirty log, so no write is
 * recorded.
 */
static const struct virtio_region own_memory = { .len = UINT64_MAX };

int virtio_vsock_packet_init(struct virtio_vsock_packet *packet, struct virtio_segment *segments, uint32_t capacity,
			     uint32_t max_payload)
{
	if (!segments || capacity == 0)
		return VIRTIO_EINVAL;
	memset(packet, 0, sizeof *packet);
	packet->segments = segments;
	packet->capacity = capacity;
	packet->max_payload = max_payload < MAX_PAYLOAD ? max_payload : MAX_PAYLOAD;
	packet->data.segments = segments;
	packet->data.capacity = capacity;
	return 0;
}

int virtio_vsock_reset_reply(const struct virtio_vsock_hdr *in, struct virtio_vsock_hdr *out)
{
	struct virtio_vsock_hdr reply = { 0 };

	if (virtio_vsock_op(in) == VIRTIO_VSOCK_OP_RST)
		return 0;
	reply.src_cid = in->dst_cid;
	reply.dst_cid = in->src_cid;
	reply.src_port = in->dst_port;
	reply.dst_port = in->src_port;
	reply.type = in->type;
	virtio_vsock_set_op(&reply, VIRTIO_VSOCK_OP_RST);
	*out = reply;
	return 1;
}

static inline VIRTIO_HOT void set_data(struct virtio_vsock_packet *packet, struct virtio_segment *segments,
				       bool writable, uint32_t count, uint64_t bytes)
{
	struct virtio_chain_segments *data = &packet->data;

	data->segments = segments;
	data->readable = writable ? 0 : count;
	data->writable = writable ? count : 0;
	data->readable_bytes = writable ? 0 : bytes;
	data->writable_bytes = writable ? bytes : 0;
}

/* Fills in a packet whose payload cannot be used. */
static VIRTIO_COLD void fail(struct virtio_vsock_packet *packet, int error)
{
	packet->error = error;
	packet->header_kind = NO_HEADER;
	set_data(packet, packet->segments, false, 0, 0);
}

/* Removes bytes from the front of a segment, which must be longer than `bytes`. */
static void cut_front(struct virtio_segment *segment, uint64_t bytes)
{
	segment->addr += bytes;
	segment->host = (uint8_t *)segment->host + bytes;
	segment->len -= bytes;
}

/*
 * Shortens a list of segments to a number of bytes. The list must have at least that many bytes.
 * Returns the number of segments left.
 */
static VIRTIO_COLD uint32_t cut_end(struct virtio_segment *segments, uint64_t bytes)
{
	uint32_t count = 0;

	while (bytes != 0) {
		if (segments[count].len > bytes)
			segments[count].len = bytes;
		bytes -= segments[count].len;
		count++;
	}
	return count;
}

/*
 * Cuts the header off the front of packet->segments, which must hold all of the header.
 *
 * @to  where to copy the header, or NULL
 *
 * Returns the number of segments that held only the header. packet->header_rest is the header's
 * part of the next segment.
 */
static uint32_t cut_header(struct virtio_vsock_packet *packet, uint8_t *to)
{
	struct virtio_segment *s = packet->segments;
	uint64_t left = HEADER;

	packet->header_rest.len = 0;
	while (left != 0) {
		const uint64_t part = s->len < left ? s->len : left;

		if (to)
			virtio_guest_copy_in(to + (HEADER - left), s->host, (size_t)part);
		left -= part;
		if (part == s->len) {
			s++;
			continue;
		}
		packet->header_rest = *s;
		packet->header_rest.len = part;
		cut_front(s, part);
	}
	packet->header_segments = (uint32_t)(s - packet->segments);
	return packet->header_segments;
}

/* Finishes a tx packet whose payload is too long, too short, or followed by other bytes. */
static VIRTIO_COLD void finish_odd_tx(struct virtio_vsock_packet *packet, struct virtio_segment *payload,
				      uint64_t bytes)
{
	const uint32_t len = virtio_vsock_len(&packet->header);

	if (len > packet->max_payload || len > bytes) {
		fail(packet, len > packet->max_payload ? VIRTIO_EBYTES : VIRTIO_ESHORT);
		return;
	}
	packet->error = 0;
	set_data(packet, payload, false, cut_end(payload, len), len);
}

/*
 * Checks the payload's length in the header's copy, and sets `error` and `data`.
 *
 * @count, @bytes  number and total length of the segments after the header
 */
static inline VIRTIO_HOT void finish_tx(struct virtio_vsock_packet *packet, struct virtio_segment *payload,
					uint32_t count, uint64_t bytes)
{
	const uint32_t len = virtio_vsock_len(&packet->header);

	if (VIRTIO_UNLIKELY(len != bytes) || VIRTIO_UNLIKELY(len > packet->max_payload)) {
		finish_odd_tx(packet, payload, bytes);
		return;
	}
	packet->error = 0;
	set_data(packet, payload, false, count, len);
}

/* Fills in a tx packet from resolved segments. `error` is the result of the resolution. */
static void parse_tx(struct virtio_vsock_packet *packet, const struct virtio_chain_segments *all, int error)
{
	uint32_t used;

	memset(&packet->header, 0, sizeof packet->header);
	packet->header_kind = NO_HEADER;
	if (all->readable_bytes < HEADER) {
		fail(packet, error ? error : VIRTIO_ESHORT);
		return;
	}
	/*
	 * Reads the header after an error, too, because the header identifies the connection that
	 * has lost the packet.
	 */
	used = cut_header(packet, (uint8_t *)&packet->header);
	if (!error && all->writable != 0)
		error = VIRTIO_EORDER;
	if (error)
		fail(packet, error);
	else
		finish_tx(packet, packet->segments + used, all->readable - used, all->readable_bytes - HEADER);
}

static void parse_rx(struct virtio_vsock_packet *packet, const struct virtio_chain_segments *all, int error)
{
	uint64_t room = all->writable_bytes;
	uint32_t used;

	if (!error && all->readable != 0)
		error = VIRTIO_EORDER;
	if (!error && room < HEADER)
		error = VIRTIO_ESHORT;
	if (error) {
		fail(packet, error);
		return;
	}
	packet->error = 0;
	packet->header_kind = HEADER_IN_PIECES;
	used = cut_header(packet, NULL);
	room -= HEADER;
	if (room > packet->max_payload)
		room = packet->max_payload;
	set_data(packet, packet->segments + used, true, cut_end(packet->segments + used, room), room);
}

/* Copies of descriptors in guest memory. The descriptors are not read a second time. */
struct peeked {
	struct virtio_guest_desc d[2];
	uint32_t loaded; /* number of descriptors in d */
};

/*
 * Resolves a popped chain, and fills in the packet. Returns 1. If memory is not mapped, unpops the
 * chain and returns VIRTIO_ENOTMAPPED, or the error of the unpop.
 *
 * @peeked  the first descriptors of chain->walk
 */
static VIRTIO_COLD int pop_any(struct virtio_queue *queue, struct virtio_chain *chain, const struct peeked *peeked,
			       bool tx, struct virtio_vsock_packet *packet)
{
	struct virtio_chain_segments all = { .segments = packet->segments, .capacity = packet->capacity };
	const int error = virtio_impl_chain_resolve_loaded(chain, peeked->d, peeked->loaded, &all);

	if (error == VIRTIO_ENOTMAPPED) {
		const int unpopped = virtio_queue_unpop(queue, chain->token);

		return unpopped ? unpopped : error;
	}
	packet->token = chain->token;
	if (tx)
		parse_tx(packet, &all, error);
	else
		parse_rx(packet, &all, error);
	return 1;
}

/* Pops by virtio_queue_pop(), which handles every head and every state of the queue. */
static VIRTIO_COLD int pop_slow(struct virtio_queue *queue, bool tx, struct virtio_vsock_packet *packet)
{
	const struct peeked none = { .loaded = 0 };
	struct virtio_chain chain;
	const int got = virtio_queue_pop(queue, &chain);

	return got == 1 ? pop_any(queue, &chain, &none, tx, packet) : got;
}

/* Calls pop_any() for a popped head. The walk begins at the first descriptor. */
static VIRTIO_COLD int pop_walked(struct virtio_queue *queue, struct virtio_token token, const struct peeked *peeked,
				  bool tx, struct virtio_vsock_packet *packet)
{
	struct virtio_chain chain = { .token = token, .memory = queue->memory };

	virtio_impl_queue_begin_walk(queue, virtio_token_head(token), &chain.walk);
	return pop_any(queue, &chain, peeked, tx, packet);
}

/*
 * Does the work of find_in_place() for a chain of one buffer, which d describes. Returns as
 * find_in_place().
 */
static inline VIRTIO_HOT void *find_in_one(struct virtio_queue *queue, struct virtio_segment *payload,
					   const struct virtio_guest_desc *d)
{
	struct virtio_memory_cursor *small = &queue->memory[VIRTIO_MEMORY_BUFFERS];
	void *header;

	if (VIRTIO_UNLIKELY(d->len < HEADER) ||
	    VIRTIO_UNLIKELY(!virtio_impl_memory_find_writable(small, d->addr, d->len, &header)))
		return NULL;
	virtio_impl_segment_set(payload, d->addr + HEADER, d->len - HEADER, (uint8_t *)header + HEADER,
				small->region->self);
	return header;
}

/*
 * Finds the header and the payload on the fast path. The chain must have one or two buffers in the
 * direction of the queue, each in one piece of memory. The first of two buffers must be exactly the
 * header.
 *
 * @payload       the packet's first segment
 * @table, @last  addresses of the first and the last descriptor of the table
 * @write         VRING_DESC_F_WRITE, or 0
 * @peeked        the chain's first descriptor; may receive the second descriptor
 *
 * Returns the host address of the header, or NULL for any other chain.
 */
static inline VIRTIO_HOT void *find_in_place(struct virtio_queue *queue, struct virtio_segment *payload, uint64_t table,
					     uint64_t last, uint32_t write, struct peeked *peeked)
{
	struct virtio_guest_desc *first = &peeked->d[0], *second = &peeked->d[1];
	const uint64_t next = table + (uint64_t)(first->flags_next >> 16) * VIRTIO_IMPL_DESC_BYTES;
	struct virtio_memory_cursor *small = &queue->memory[VIRTIO_MEMORY_BUFFERS];
	struct virtio_memory_cursor *large = &queue->memory[VIRTIO_MEMORY_DATA];
	void *header, *host;

	if (VIRTIO_UNLIKELY((first->flags_next & VIRTIO_DESC_FLAGS) != (write | VRING_DESC_F_NEXT)))
		return (first->flags_next & VIRTIO_DESC_FLAGS) == write ? find_in_one(queue, payload, first) : NULL;
	if (VIRTIO_UNLIKELY(next > last))
		return NULL;
	*second = virtio_guest_load_desc((const void *)(uintptr_t)next);
	peeked->loaded = 2;
	/*
	 * Header and payload must not exceed VIRTIO_CHAIN_MAX_BYTES. The look-up fails for a
	 * payload of length 0.
	 */
	if (VIRTIO_UNLIKELY((second->flags_next & VIRTIO_DESC_FLAGS) != write) ||
	    VIRTIO_UNLIKELY((uint32_t)second->len > (uint32_t)(VIRTIO_CHAIN_MAX_BYTES - HEADER)) ||
	    VIRTIO_UNLIKELY(first->len != HEADER) ||
	    VIRTIO_UNLIKELY(!virtio_impl_memory_find_writable(small, first->addr, HEADER, &header)) ||
	    VIRTIO_UNLIKELY(!virtio_impl_memory_find_writable(large, second->addr, second->len, &host)))
		return NULL;
	virtio_impl_segment_set(payload, second->addr, second->len, host, large->region->self);
	return header;
}

/*
 * If the fast path has popped the packet, `header` is the host address of the packet's header, and
 * the caller fills in the packet. Otherwise `header` is NULL, and virtio_vsock_tx_pop() or
 * virtio_vsock_rx_pop() returns `got`.
 */
struct popped {
	void *header;
	int got;
};

/* Continues a pop whose first descriptor refers to an indirect table. */
static __attribute__((noinline)) struct popped pop_indirect(struct virtio_queue *queue, struct virtio_token token,
							    const struct virtio_guest_desc *first, bool tx,
							    struct virtio_vsock_packet *packet)
{
	struct virtio_chain chain = { .token = token, .memory = queue->memory };
	struct peeked peeked = { .d = { *first }, .loaded = 1 };
	struct popped popped = { NULL, 1 };

	virtio_impl_queue_begin_walk(queue, virtio_token_head(token), &chain.walk);
	if (virtio_impl_walk_enter_table(&chain.walk, &queue->memory[VIRTIO_MEMORY_TABLES], first)) {
		peeked.d[0] = virtio_guest_load_desc((const void *)(uintptr_t)chain.walk.table);
		if (VIRTIO_LIKELY(chain.walk.left >= 3 * VIRTIO_IMPL_WALK_ONE))
			popped.header = find_in_place(queue, packet->segments, chain.walk.table, chain.walk.last,
						      tx ? 0 : VRING_DESC_F_WRITE, &peeked);
	}
	if (VIRTIO_UNLIKELY(!popped.header))
		popped.got = pop_any(queue, &chain, &peeked, tx, packet);
	else
		packet->token = token;
	return popped;
}

/* Pops a packet. The fast path sets only the packet's token and first segment, the payload. */
static inline VIRTIO_HOT struct popped pop_fast(struct virtio_queue *queue, struct virtio_vsock_packet *packet, bool tx)
{
	struct peeked peeked, peeked_copy;
	struct popped popped = { NULL, 1 };
	struct virtio_guest_desc first;
	struct virtio_chain chain;
	uint16_t head;
	const int got = virtio_impl_queue_peek(queue, &head);

	if (VIRTIO_UNLIKELY(got != 1) || VIRTIO_UNLIKELY(queue->walk_left < 3 * VIRTIO_IMPL_WALK_ONE)) {
		popped.got = got == 0 ? 0 : pop_slow(queue, tx, packet);
		return popped;
	}
	virtio_impl_queue_pop_head(queue, head, &chain);
	peeked.d[0] = virtio_guest_load_desc(queue->desc + (size_t)head * VIRTIO_IMPL_DESC_BYTES);
	peeked.loaded = 1;
	if (VIRTIO_UNLIKELY(peeked.d[0].flags_next & VRING_DESC_F_INDIRECT)) {
		first = peeked.d[0];
		return pop_indirect(queue, chain.token, &first, tx, packet);
	}
	popped.header = find_in_place(queue, packet->segments, (uintptr_t)queue->desc, (uintptr_t)queue->desc_last,
				      tx ? 0 : VRING_DESC_F_WRITE, &peeked);
	if (VIRTIO_LIKELY(popped.header != NULL)) {
		packet->token.value = chain.token.value;
		return popped;
	}
	/* Passes a copy, so the descriptors can stay in registers. */
	peeked_copy = peeked;
	popped.got = pop_walked(queue, chain.token, &peeked_copy, tx, packet);
	return popped;
}

/* Does the work of virtio_vsock_tx_pop() for any packet. */
static __attribute__((noinline)) int tx_pop_any(struct virtio_queue *queue, struct virtio_vsock_packet *packet)
{
	struct virtio_segment *payload = packet->segments;
	const struct popped popped = pop_fast(queue, packet, true);

	if (VIRTIO_UNLIKELY(!popped.header))
		return popped.got;
	packet->header_kind = NO_HEADER;
	virtio_guest_copy_in(&packet->header, popped.header, HEADER);
	finish_tx(packet, payload, payload->len != 0, payload->len);
	return 1;
}

/* The usual packet: two descriptors in the direction of the queue. The first is the header. */
struct usual {
	void *header;
	uint64_t bytes; /* length of the payload */
};

/*
 * Works as virtio_impl_memory_find_writable(), but makes no call. Returns false also if only a call
 * could find the range.
 *
 * @region  set to the map's region that contains the range
 */
static inline VIRTIO_HOT bool find_near(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len, void **out,
					const struct virtio_region **region)
{
	const struct virtio_region *at = cursor->region;

	if (VIRTIO_UNLIKELY(!virtio_impl_memory_in_region(at, addr, len))) {
		at = virtio_impl_memory_guess(cursor->map, addr);
		if (!at || !virtio_impl_memory_in_region(at, addr, len))
			return false;
		cursor->region = at;
	}
	*out = virtio_impl_memory_host(at, addr);
	*region = at->self;
	return true;
}

/*
 * Pops the next packet if it is usual, and sets its token, its first segment and *out. Otherwise
 * pops nothing and returns false, and the caller uses pop_fast(). This path makes no call, so few
 * registers are saved on the stack.
 *
 * @write  VRING_DESC_F_WRITE or 0. If write is not 0, a packet in memory with a dirty log is not
 *         usual.
 */
static inline VIRTIO_HOT bool pop_usual(struct virtio_queue *queue, struct virtio_vsock_packet *packet, uint32_t write,
					struct usual *out)
{
	const struct virtio_region *header_region, *region;
	struct virtio_guest_desc d;
	struct virtio_chain chain;
	uint64_t next;
	uint16_t head;
	void *host;

	if (VIRTIO_UNLIKELY(virtio_impl_queue_peek(queue, &head) != 1) ||
	    VIRTIO_UNLIKELY(queue->walk_left < 3 * VIRTIO_IMPL_WALK_ONE))
		return false;
	d = virtio_guest_load_desc(queue->desc + (size_t)head * VIRTIO_IMPL_DESC_BYTES);
	next = (uintptr_t)queue->desc + (uint64_t)(d.flags_next >> 16) * VIRTIO_IMPL_DESC_BYTES;
	if (VIRTIO_UNLIKELY((d.flags_next & VIRTIO_DESC_FLAGS) != (write | VRING_DESC_F_NEXT)) ||
	    VIRTIO_UNLIKELY(next > (uintptr_t)queue->desc_last) || VIRTIO_UNLIKELY(d.len != HEADER) ||
	    VIRTIO_UNLIKELY(
		    !find_near(&queue->memory[VIRTIO_MEMORY_BUFFERS], d.addr, HEADER, &out->header, &header_region)))
		return false;
	d = virtio_guest_load_desc((const void *)(uintptr_t)next);
	/*
	 * Header and payload together must not exceed VIRTIO_CHAIN_MAX_BYTES. For a payload of
	 * length 0 find_near() returns false.
	 */
	if (VIRTIO_UNLIKELY((d.flags_next & VIRTIO_DESC_FLAGS) != write) ||
	    VIRTIO_UNLIKELY((uint32_t)d.len > (uint32_t)(VIRTIO_CHAIN_MAX_BYTES - HEADER)) ||
	    VIRTIO_UNLIKELY(!find_near(&queue->memory[VIRTIO_MEMORY_DATA], d.addr, d.len, &host, &region)))
		return false;
	if (write != 0 && (VIRTIO_UNLIKELY(header_region->dirty != NULL) || VIRTIO_UNLIKELY(region->dirty != NULL)))
		return false;
	virtio_impl_segment_set(packet->segments, d.addr, d.len, host, region);
	out->bytes = d.len;
	virtio_impl_queue_pop_head(queue, head, &chain);
	packet->token.value = chain.token.value;
	return true;
}

int virtio_vsock_tx_pop(struct virtio_queue *queue, struct virtio_vsock_packet *packet)
{
	struct usual usual;

	if (VIRTIO_UNLIKELY(!pop_usual(queue, packet, 0, &usual)))
		return tx_pop_any(queue, packet);
	packet->header_kind = NO_HEADER;
	virtio_guest_copy_in(&packet->header, usual.header, HEADER);
	finish_tx(packet, packet->segments, 1, usual.bytes);
	return 1;
}

/*
 * Changes a header that is in one piece to HEADER_IN_PIECES, with the whole header in header_rest.
 * A commit of HEADER_IN_PLACE would not mark the dirty log.
 */
static VIRTIO_COLD void keep_logged(struct virtio_vsock_packet *packet, const struct virtio_memory_cursor *small)
{
	const uint64_t off = (uint64_t)((const uint8_t *)packet->header_host - (const uint8_t *)small->region->host);

	packet->header_kind = HEADER_IN_PIECES;
	packet->header_segments = 0;
	virtio_impl_segment_set(&packet->header_rest, small->region->addr + off, HEADER, packet->header_host,
				small->region->self);
}

/*
 * Fills in an rx packet: a header in one piece, and at most one segment, for at most `room` bytes.
 * `count` is 0 if `room` is 0, otherwise 1.
 */
static inline VIRTIO_HOT void finish_rx(struct virtio_vsock_packet *packet, void *header, uint32_t count, uint64_t room)
{
	struct virtio_segment *payload = packet->segments;

	if (VIRTIO_UNLIKELY(room > packet->max_payload)) {
		room = packet->max_payload;
		payload->len = room;
		count = room != 0;
	}
	packet->error = 0;
	packet->header_kind = HEADER_IN_PLACE;
	packet->header_host = header;
	set_data(packet, payload, true, count, room);
}

/* Does the work of virtio_vsock_rx_pop() for any buffer. */
static __attribute__((noinline)) int rx_pop_any(struct virtio_queue *queue, struct virtio_vsock_packet *packet)
{
	const struct virtio_memory_cursor *small = &queue->memory[VIRTIO_MEMORY_BUFFERS];
	const struct popped popped = pop_fast(queue, packet, false);

	if (VIRTIO_UNLIKELY(!popped.header))
		return popped.got;
	finish_rx(packet, popped.header, packet->segments->len != 0, packet->segments->len);
	if (VIRTIO_UNLIKELY(small->region->self->dirty != NULL) ||
	    VIRTIO_UNLIKELY(packet->segments->region->dirty != NULL))
		keep_logged(packet, small);
	return 1;
}

int virtio_vsock_rx_pop(struct virtio_queue *queue, struct virtio_vsock_packet *packet)
{
	struct usual usual;

	if (VIRTIO_UNLIKELY(!pop_usual(queue, packet, VRING_DESC_F_WRITE, &usual)))
		return rx_pop_any(queue, packet);
	finish_rx(packet, usual.header, 1, usual.bytes);
	return 1;
}

static void write_piece(const struct virtio_segment *piece, const uint8_t *from)
{
	virtio_guest_copy_out(piece->host, from, (size_t)piece->len);
	virtio_region_mark_dirty(piece->region, piece->host, piece->len);
}

/* Writes the header piece by piece, and records header and payload in the dirty log. */
static VIRTIO_COLD void write_pieces(const struct virtio_vsock_packet *packet)
{
	const struct virtio_chain_segments *data = &packet->data;
	const uint8_t *from = (const uint8_t *)&packet->header;
	size_t done = 0;

	for (uint32_t i = 0; i < packet->header_segments; i++) {
		write_piece(&packet->segments[i], from + done);
		done += (size_t)packet->segments[i].len;
	}
	if (packet->header_rest.len != 0)
		write_piece(&packet->header_rest, from + done);
	virtio_segments_mark_dirty(data->segments, data->writable, virtio_vsock_len(&packet->header));
}

/* Commits any packet: the slow path of virtio_vsock_rx_commit(). */
static VIRTIO_COLD int commit_any(struct virtio_queue *queue, const struct virtio_vsock_packet *packet, uint32_t len)
{
	if (len > packet->data.writable_bytes || packet->header_kind == NO_HEADER)
		return VIRTIO_EINVAL;
	/* If the token is stale, the driver may use the buffer for something else. */
	if (!virtio_queue_is_in_flight(queue, packet->token))
		return VIRTIO_ESTALE;
	if (packet->header_kind == HEADER_IN_PLACE)
		virtio_guest_copy_out(packet->header_host, &packet->header, HEADER);
	else
		write_pieces(packet);
	return virtio_queue_complete(queue, packet->token, HEADER + len);
}

int virtio_vsock_rx_commit(struct virtio_queue *queue, const struct virtio_vsock_packet *packet)
{
	const struct virtio_token token = packet->token;
	struct virtio_inflight *entry = virtio_impl_queue_find_unflagged(queue, token);
	const uint32_t len = virtio_vsock_len(&packet->header);

	if (VIRTIO_UNLIKELY(!entry) || VIRTIO_UNLIKELY(packet->header_kind != HEADER_IN_PLACE) ||
	    VIRTIO_UNLIKELY(len > packet->data.writable_bytes))
		return commit_any(queue, packet, len);
	virtio_guest_copy_out(packet->header_host, &packet->header, HEADER);
	virtio_impl_queue_store_completion(queue, entry, virtio_token_head(token), HEADER + len);
	return 0;
}

int virtio_vsock_packet_from_buffers(struct virtio_vsock_packet *packet, const void *header,
				     const struct virtio_iovec *payload, uint32_t count)
{
	uint64_t bytes = 0;
	uint32_t used = 0;

	packet->token.value = 0;
	packet->header_kind = NO_HEADER;
	virtio_vsock_header_from_raw(&packet->header, header);
	for (uint32_t i = 0; i < count; i++) {
		if (payload[i].len == 0)
			continue;
		if (used == packet->capacity || bytes + payload[i].len < bytes) {
			fail(packet, VIRTIO_ENOBUFS);
			return packet->error;
		}
		packet->segments[used].addr = 0;
		packet->segments[used].len = payload[i].len;
		packet->segments[used].host = payload[i].base;
		packet->segments[used].region = &own_memory;
		bytes += payload[i].len;
		used++;
	}
	finish_tx(packet, packet->segments, used, bytes);
	return packet->error;
}
