/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Inline bodies of <virtio/request.h>, which includes this file. Do not include it directly. */
#ifndef VIRTIO_INLINE_REQUEST_H
#define VIRTIO_INLINE_REQUEST_H

#include <virtio/request.h>

VIRTIO_BEGIN_DECLS

/* The set-up, and slow paths. virtio_impl_request_pop_slow() starts the pop again. */
int virtio_impl_request_init_layout_2(struct virtio_request *request, void *header, size_t header_bytes,
				      struct virtio_segment *segments, uint32_t capacity);
int virtio_impl_request_pop_slow(struct virtio_queue *queue, struct virtio_request *request);
int virtio_impl_request_complete_slow(struct virtio_queue *queue, const struct virtio_request *request, uint8_t status,
				      uint64_t written);

/*
 * Continues a pop on the slow path, with a head that may be popped. The loaded descriptors aren't
 * read again.
 *
 * @walk, @three  as virtio_impl_walk_three() has left them
 */
int virtio_impl_request_pop_any(struct virtio_queue *queue, uint16_t head, const struct virtio_walk *walk,
				const struct virtio_impl_three *three, struct virtio_request *request);

/*
 * Works as virtio_impl_request_pop_any(), but no descriptor was loaded: the walk is at the start of
 * an indirect table, or the queue has fewer than three entries.
 */
int virtio_impl_request_pop_long(struct virtio_queue *queue, uint16_t head, const struct virtio_walk *walk,
				 struct virtio_request *request);

/*
 * The name of the called function contains the version of the layout of struct virtio_request, so a
 * program compiled against another version does not link.
 */
VIRTIO_INLINE int virtio_request_init(struct virtio_request *request, void *header, size_t header_bytes,
				      struct virtio_segment *segments, uint32_t capacity)
{
	return virtio_impl_request_init_layout_2(request, header, header_bytes, segments, capacity);
}

VIRTIO_INLINE VIRTIO_HOT void virtio_impl_segment_set(struct virtio_segment *segment, uint64_t addr, uint64_t len,
						      void *host, const struct virtio_region *region)
{
	segment->addr = addr;
	segment->len = len;
	segment->host = host;
	segment->region = region;
}

/*
 * Fills in a three-part request: a header, data in one piece and a status, each in a buffer of its
 * own, in memory that can be read and written. May move the cached regions of the queue's cursors.
 * The caller adds the token and copies the header.
 *
 * @header_at  the host address of the header
 *
 * Returns whether the request was filled in. If not, the request is unchanged, and a slow path can
 * fill in a request of any form.
 */
VIRTIO_INLINE VIRTIO_HOT bool virtio_impl_request_fill(struct virtio_request *request,
						       struct virtio_memory_cursor *memory,
						       const struct virtio_impl_three *three, const uint8_t **header_at)
{
	const struct virtio_guest_desc *header = &three->d[0], *data = &three->d[1], *status = &three->d[2];
	struct virtio_memory_cursor *small = &memory[VIRTIO_MEMORY_BUFFERS], *large = &memory[VIRTIO_MEMORY_DATA];
	const struct virtio_region *near = small->region, *far = large->region;
	struct virtio_chain_segments *out = &request->data;
	const uint64_t writable = (data->flags_next & VRING_DESC_F_WRITE) / VRING_DESC_F_WRITE;

	if (VIRTIO_UNLIKELY(header->len != request->fast_header))
		return false;
	if (VIRTIO_UNLIKELY(status->len != 1))
		return false;
	if (VIRTIO_UNLIKELY(!virtio_impl_memory_in_region(near, header->addr, VIRTIO_MEMORY_SMALL))) {
		near = virtio_impl_memory_cache_region(small, header->addr);
		if (!near)
			return false;
	}
	*header_at = virtio_impl_memory_host(near, header->addr);
	/* Drivers usually put the status near the header, so the header's region is tried first. */
	if (VIRTIO_UNLIKELY(!virtio_impl_memory_in_region(near, status->addr, 1))) {
		near = virtio_impl_memory_cache_region(small, status->addr);
		if (!near)
			return false;
	}
	/*
	 * virtio_impl_memory_in_region() returns false for data of length 0. The slow path then
	 * fills in the request.
	 */
	if (VIRTIO_UNLIKELY(!virtio_impl_memory_in_region(far, data->addr, data->len))) {
		far = virtio_impl_memory_cache_region(large, data->addr);
		if (!far || !virtio_impl_memory_in_region(far, data->addr, data->len))
			return false;
	}
	out->segments = request->segments;
	virtio_impl_segment_set(out->segments, data->addr, data->len, virtio_impl_memory_host(far, data->addr),
				far->self);
	virtio_impl_segment_set(&out->last_writable, status->addr, 1, virtio_impl_memory_host(near, status->addr),
				near->self);
	out->needed = 3;
	out->readable = 1 - (uint32_t)writable;
	out->writable = (uint32_t)writable;
	/* The lengths need no branch on the direction of the data, which is hard to predict. */
	out->writable_bytes = data->len & (0 - writable);
	out->readable_bytes = data->len - out->writable_bytes;
	request->fast_complete = near->access;
	request->error = 0;
	return true;
}

/*
 * The body of virtio_request_pop(). The compiler specialises the body for constant arguments.
 *
 * @header_to  request->header
 * @bytes      request->header_bytes
 * @plain      set to whether the fast path has filled in the request; request->error is then 0
 */
VIRTIO_INLINE VIRTIO_HOT int virtio_impl_request_pop_to(struct virtio_queue *queue, struct virtio_request *request,
							void *header_to, size_t bytes, bool *plain)
{
	struct virtio_impl_three three, three_copy;
	struct virtio_walk walk, walk_copy;
	const uint8_t *header;
	struct virtio_chain chain;
	uint16_t head;
	const int got = virtio_impl_queue_peek(queue, &head);

	*plain = false;
	if (VIRTIO_UNLIKELY(got != 1))
		return got == 0 ? 0 : virtio_impl_request_pop_slow(queue, request);
	virtio_impl_queue_begin_walk(queue, head, &walk);
	three.loaded = 0;
	/* Slow paths return directly, and get copies: see virtio_impl_chain_next_slow(). */
	if (VIRTIO_UNLIKELY(!virtio_impl_walk_three(&walk, &queue->memory[VIRTIO_MEMORY_TABLES], &three)) ||
	    VIRTIO_UNLIKELY(!virtio_impl_request_fill(request, queue->memory, &three, &header))) {
		walk_copy = walk;
		if (three.loaded == 0)
			return virtio_impl_request_pop_long(queue, head, &walk_copy, request);
		three_copy = three;
		return virtio_impl_request_pop_any(queue, head, &walk_copy, &three_copy, request);
	}
	virtio_impl_queue_pop_head(queue, head, &chain);
	request->token.value = chain.token.value;
	/* Copies the header last, because this store makes the compiler reload values. */
	virtio_guest_copy_in(header_to, header, bytes);
	*plain = true;
	return 1;
}

VIRTIO_INLINE VIRTIO_HOT int virtio_request_pop(struct virtio_queue *queue, struct virtio_request *request)
{
	bool plain;

	return virtio_impl_request_pop_to(queue, request, request->header, request->header_bytes, &plain);
}

/* Returns the used length: the data bytes written, plus 1 for the status if all data is written. */
VIRTIO_INLINE VIRTIO_HOT uint32_t virtio_impl_request_used(uint64_t data_bytes, uint64_t written)
{
	const uint64_t len = written < data_bytes ? written : data_bytes + 1;

	/* A chain may have 2^32 bytes, but a used length has only 32 bits. */
	return (uint32_t)(len - (len >> 32));
}

VIRTIO_INLINE VIRTIO_HOT int virtio_request_complete(struct virtio_queue *queue, const struct virtio_request *request,
						     uint8_t status, uint64_t written)
{
	const struct virtio_chain_segments *data = &request->data;
	struct virtio_inflight *entry = virtio_impl_queue_find_unflagged(queue, request->token);
	uint32_t len;

	if (VIRTIO_UNLIKELY(!entry) || VIRTIO_UNLIKELY(!(request->fast_complete & VIRTIO_IMPL_ACCESS_UNLOGGED)))
		return virtio_impl_request_complete_slow(queue, request, status, written);
	len = virtio_impl_request_used(data->writable_bytes, written);
	virtio_guest_copy_out(data->last_writable.host, &status, 1);
	virtio_impl_queue_store_completion(queue, entry, virtio_token_head(request->token), len);
	return 0;
}

VIRTIO_END_DECLS

#endif
