/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A request as several device types have it: a header of fixed length that the device reads, data that it reads, data that
 * it writes, and as the very last byte a status that it writes. Block, I2C and SPI devices have it, and the data queues of
 * crypto devices.
 *
 * Two calls a request, and in between the device does its work:
 *
 *	error = virtio_request_init(&request, &header, sizeof header, segments, SEGMENTS);
 *	...
 *	while (left-- > 0 && (got = virtio_request_pop(queue, &request)) == 1) {
 *		written = 0;
 *		status = request.error ? FAILED : serve(&header, &request.data, &written);
 *		virtio_request_complete(queue, &request, status, written);
 *	}
 *
 * where left and got are as in <virtio/queue.h>. A device that doesn't finish before it pops again has a struct
 * virtio_request, a header and segments for each request in flight.
 *
 * What the guest can do: cut a request into descriptors as it likes (virtio 1.4, 2.7.4.1), leave out any part of it, and
 * change its bytes at any time. The whole chain is found to be in order before the header is copied, once; it is
 * judged in the copy. A request that makes no sense says why, and is completed like any other: with a status if there is a
 * byte for one, and the chain itself is in order.
 *
 * Threads: as of the queue. A request in flight may be handed to another thread, with its header and its segments.
 *
 * virtio 1.4, 2.7.4 (framing), 2.7.8.2 (the used length); 5.2, 5.9, 5.16 and 5.21 (the device types)
 */
#ifndef VIRTIO_REQUEST_H
#define VIRTIO_REQUEST_H

#include <virtio/queue.h>

VIRTIO_BEGIN_DECLS

/*
 * A request. The caller allocates it and reads what it likes, but changes it through the functions below alone; what its
 * pointers point to is the caller's.
 */
struct virtio_request {
	/* As given to virtio_request_init(). */
	void *header;
	size_t header_bytes;
	struct virtio_segment *segments;
	uint64_t plain_header; /* length of the header's buffer for which there is a short cut; UINT64_MAX for none */

	/* Filled in for each request. */
	struct virtio_token token; /* of its chain, which is in flight */
	uint32_t plain; /* 1 if there is a short cut for its completion: no error, no dirty log for the status */
	/*
	 * 0, or why nothing but a failure can come of it: VIRTIO_ESHORT for less than a header, or no writable byte;
	 * VIRTIO_ENOBUFS for more segments than the array has; an error of virtio_chain_collect(). Where there are several
	 * reasons it may be any of them. Then the header is not to be looked at, and data is empty.
	 */
	int error;
	/*
	 * What is between header and status, in the caller's array, as virtio_chain_collect() has it: readers and writers
	 * work on it. data.last_writable is the status, or of length 0, under an error, if there is no byte for it or the
	 * chain is malformed. data.needed counts the segments of the chain with header and status, if it isn't malformed.
	 */
	struct virtio_collected data;
};

/*
 * Prepares a request, which can be popped into again and again.
 *
 * @request       set up
 * @header        the caller's memory, where headers are copied to; NULL only if header_bytes is 0
 * @header_bytes  of a header; with 1 to VIRTIO_MEMORY_SMALL, and 3 segments or more, there is a short cut for requests of
 *                three buffers, which most are
 * @segments      the caller's array; NULL only if capacity is 0
 * @capacity      its entries: one for each descriptor of the longest chain that is to be served, which is the queue's
 *                size unless long indirect tables are allowed; and one more for each place where a buffer goes on in
 *                another region, or behind a translation in another piece of it, like a page
 *
 * Header and array must live as long as the request is used. Returns 0; VIRTIO_EINVAL for a header of some length, or an
 * array of some entries, that is NULL, and the request is untouched.
 */
VIRTIO_MUST_CHECK
inline int virtio_request_init(struct virtio_request *request, void *header, size_t header_bytes,
			       struct virtio_segment *segments, uint32_t capacity);

/*
 * Takes the next request from a queue.
 *
 * @queue    started
 * @request  initialised, and not in flight; filled in, with header and array, if 1 is returned. Otherwise untouched, but
 *           for the content of the array
 *
 * Returns 1 for a request, which must be completed, whatever its error, or taken back by virtio_queue_undo(); 0 for none;
 * or an error of virtio_queue_pop(). VIRTIO_ENOTMAPPED also if some of the chain's memory isn't mapped at the moment:
 * then the pop has been undone, and the caller comes again.
 */
VIRTIO_MUST_CHECK
inline VIRTIO_HOT int virtio_request_pop(struct virtio_queue *queue, struct virtio_request *request);

/*
 * Fills in a request from a chain that has been popped already, or has come back after a restore.
 *
 * @chain    from virtio_queue_pop() or virtio_queue_replay() under the queue's present map, and not walked yet; its walk is
 *           over then
 * @request  as for virtio_request_pop()
 *
 * Returns 0, whatever request->error is; or VIRTIO_ENOTMAPPED, which is no fault of the driver's, with the request
 * untouched: undo the pop, which must be the last one, and come again (virtio_queue_undo()).
 */
VIRTIO_MUST_CHECK
int virtio_request_parse(struct virtio_chain *chain, struct virtio_request *request);

/*
 * Writes the status, records it in the dirty log of the map that the request was popped under, and returns the request to
 * the driver.
 *
 * @queue    that it came from, started, or broken since
 * @request  in flight
 * @status   as the device type has it; goes nowhere if there is no byte for it
 * @written  bytes that were put into the writable data, from the first one on without a gap; more than there are means all
 *           of them. Writers have recorded theirs; after zero-copy I/O, virtio_segments_mark_dirty() comes first.
 *
 * The used length is what was written, and the status with it if there is no gap between, but at most UINT32_MAX (see
 * virtio_writer_used()); 0 for a request with an error. Whatever was written to guest memory is visible to the driver
 * before the completion is. Returns as virtio_queue_complete(). After VIRTIO_ESTALE no byte was written, for it might be
 * somebody else's by now; after another error the request stays in flight, and its status may have been written.
 */
inline VIRTIO_HOT int virtio_request_complete(struct virtio_queue *queue, const struct virtio_request *request,
					      uint8_t status, uint64_t written);

/* Inline bodies. */

/* What is rarely needed. The slow pop begins anew. */
int virtio_request_init_layout_1(struct virtio_request *request, void *header, size_t header_bytes,
				 struct virtio_segment *segments, uint32_t capacity);
int virtio_request_pop_slow(struct virtio_queue *queue, struct virtio_request *request);
int virtio_request_complete_slow(struct virtio_queue *queue, const struct virtio_request *request, uint8_t status,
				 uint64_t written);

/*
 * Those that go on from where a pop has come to: with a head that may be taken, and what has been loaded of its
 * descriptors, which isn't loaded again.
 *
 * @walk   of virtio_request_pop_any(), after virtio_walk_three() was false: where that has left the walk
 * @three  as virtio_walk_three() has left it
 */
int virtio_request_pop_walked(struct virtio_queue *queue, uint16_t head, const struct virtio_guest_three *three,
			      struct virtio_request *request);
int virtio_request_pop_any(struct virtio_queue *queue, uint16_t head, const struct virtio_walk *walk,
			   const struct virtio_guest_three *three, struct virtio_request *request);

/* virtio_memory_take_window() of the queue's cursor for small buffers, and of that for data. */
uint8_t *virtio_request_move_small(struct virtio_queue *queue, uint64_t addr);
uint8_t *virtio_request_move_large(struct virtio_queue *queue, uint64_t addr);

/*
 * virtio_request_parse() without a short cut.
 *
 * @three   what has been loaded of the chain's descriptors
 * @walked  whether virtio_walk_three() has walked along them
 */
int virtio_request_parse_any(struct virtio_chain *chain, const struct virtio_guest_three *three, bool walked,
			     struct virtio_request *request);

/* As in <virtio/queue.h>: a program that was compiled against another layout of the struct doesn't link. */
inline int virtio_request_init(struct virtio_request *request, void *header, size_t header_bytes,
			       struct virtio_segment *segments, uint32_t capacity)
{
	return virtio_request_init_layout_1(request, header, header_bytes, segments, capacity);
}

inline VIRTIO_HOT void virtio_segment_set(struct virtio_segment *segment, uint64_t addr, uint64_t len, void *host,
					  const struct virtio_region *region)
{
	segment->addr = addr;
	segment->len = len;
	segment->host = host;
	segment->region = region;
}

/*
 * What is the same for all plain requests, and their data's direction: a header, data in one piece and a status, each in
 * a buffer of its own, in plain memory.
 */
inline VIRTIO_HOT void virtio_request_set_plain(struct virtio_request *request, uint64_t data_bytes, bool writable)
{
	struct virtio_collected *data = &request->data;

	data->needed = 3;
	if (writable) {
		data->readable = 0;
		data->writable = 1;
		data->readable_bytes = 0;
		data->writable_bytes = data_bytes;
	} else {
		data->readable = 1;
		data->writable = 0;
		data->readable_bytes = data_bytes;
		data->writable_bytes = 0;
	}
	request->plain = 1;
	request->error = 0;
}

inline VIRTIO_HOT int virtio_request_pop(struct virtio_queue *queue, struct virtio_request *request)
{
	const struct virtio_memory_cursor *small = &queue->memory, *large = &queue->data;
	struct virtio_guest_three three, three_aside;
	const struct virtio_guest_desc *header = &three.d[0], *data = &three.d[1], *status = &three.d[2];
	struct virtio_walk walk, walk_aside;
	struct virtio_collected *out = &request->data;
	const uint8_t *header_host;
	struct virtio_chain chain;
	uint16_t head;

	if (VIRTIO_UNLIKELY(!virtio_queue_look(queue, &head)))
		return virtio_request_pop_slow(queue, request);
	virtio_queue_begin_walk(queue, head, &walk);
	three.loaded = 0;
	/* What isn't plain ends elsewhere, so that nothing is merged here; on copies: see virtio_chain_next_aside(). */
	if (VIRTIO_UNLIKELY(!virtio_walk_three(&walk, &queue->tables, &three))) {
		walk_aside = walk;
		three_aside = three;
		return virtio_request_pop_any(queue, head, &walk_aside, &three_aside, request);
	}
	if (VIRTIO_UNLIKELY(header->len != request->plain_header) || VIRTIO_UNLIKELY(status->len != 1))
		goto not_plain;
	if (VIRTIO_UNLIKELY(!virtio_memory_in_window(small, header->addr, VIRTIO_MEMORY_SMALL)) &&
	    !virtio_request_move_small(queue, header->addr))
		goto not_plain;
	if (VIRTIO_UNLIKELY(!virtio_memory_in_window(small, status->addr, 1)))
		goto not_plain;
	/* Data of no length isn't there either. */
	if (VIRTIO_UNLIKELY(!virtio_memory_in_window(large, data->addr, data->len)) &&
	    (!virtio_request_move_large(queue, data->addr) || !virtio_memory_in_window(large, data->addr, data->len)))
		goto not_plain;
	header_host = small->host + (header->addr - small->start);
	out->segments = request->segments;
	virtio_segment_set(out->segments, data->addr, data->len, large->host + (data->addr - large->start),
			   large->region);
	virtio_segment_set(&out->last_writable, status->addr, 1, small->host + (status->addr - small->start),
			   small->region);
	virtio_request_set_plain(request, data->len, (data->flags_next & VRING_DESC_F_WRITE) != 0);
	virtio_queue_take(queue, head, &chain);
	request->token.sequence = chain.token.sequence;
	request->token.head = chain.token.head;
	/* Last, for it makes the compiler forget what it knows of memory. */
	virtio_guest_copy_in(request->header, header_host, (size_t)header->len);
	return 1;
not_plain:
	three_aside = three;
	return virtio_request_pop_walked(queue, head, &three_aside, request);
}

/* The used length of so much data, of which so much was written, and a status behind it. */
inline VIRTIO_HOT uint32_t virtio_request_used(uint64_t data_bytes, uint64_t written)
{
	const uint64_t len = written < data_bytes ? written : data_bytes + 1;

	/* 2^32 bytes are a chain, but not a used length. */
	return (uint32_t)(len - (len >> 32));
}

inline VIRTIO_HOT int virtio_request_complete(struct virtio_queue *queue, const struct virtio_request *request,
					      uint8_t status, uint64_t written)
{
	const struct virtio_collected *data = &request->data;
	struct virtio_inflight *entry = virtio_queue_find_plain(queue, request->token);
	uint32_t len;

	if (VIRTIO_UNLIKELY(!entry) || VIRTIO_UNLIKELY(!request->plain))
		return virtio_request_complete_slow(queue, request, status, written);
	len = virtio_request_used(data->writable_bytes, written);
	virtio_guest_copy_out(data->last_writable.host, &status, 1);
	virtio_queue_give_back(queue, entry, request->token.head, len);
	return 0;
}

VIRTIO_END_DECLS

#endif
