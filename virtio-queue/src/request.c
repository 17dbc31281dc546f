/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The slow paths of three-part requests: other layouts, and buffers outside the cached regions. */
#include <virtio/reader.h>
#include <virtio/request.h>

#include "queue_internal.h"

int virtio_impl_request_init_layout_2(struct virtio_request *request, void *header, size_t header_bytes,
				      struct virtio_segment *segments, uint32_t capacity)
{
	const bool fast = header_bytes != 0 && header_bytes <= VIRTIO_MEMORY_SMALL && capacity >= 3;

	if ((!header && header_bytes != 0) || (!segments && capacity != 0))
		return VIRTIO_EINVAL;
	memset(request, 0, sizeof *request);
	request->header = header;
	request->header_bytes = header_bytes;
	request->segments = segments;
	/* A length that no descriptor can have, so the fast path isn't taken. */
	request->fast_header = fast ? header_bytes : UINT64_MAX;
	request->data.segments = segments;
	request->data.capacity = capacity;
	return 0;
}

/* Parsing */

/* Marks a request that can only fail. */
static void fail(struct virtio_request *request, int error)
{
	struct virtio_chain_segments *data = &request->data;

	request->error = error;
	request->fast_complete = 0;
	data->segments = request->segments;
	data->readable = 0;
	data->writable = 0;
	data->readable_bytes = 0;
	data->writable_bytes = 0;
}

/*
 * Copies the header out of the front of the data, and cuts it off. The caller has checked that
 * there are enough bytes.
 */
static void take_header(struct virtio_request *request)
{
	struct virtio_chain_segments *data = &request->data;
	struct virtio_reader reader;
	struct virtio_segment *first;
	uint32_t used;

	virtio_reader_init(&reader, data);
	virtio_reader_read(&reader, request->header, request->header_bytes);
	used = (uint32_t)(reader.at.segments - data->segments);
	data->segments += used;
	data->readable -= used;
	data->readable_bytes -= request->header_bytes;
	if (reader.at.offset == 0)
		return;
	/* A segment that also holds data is shortened in place. */
	first = data->segments;
	first->addr += reader.at.offset;
	first->host = (uint8_t *)first->host + reader.at.offset;
	first->len -= reader.at.offset;
}

/*
 * The chain has been resolved. The data is what is left of it without header and status, if there
 * are bytes for them.
 */
static inline VIRTIO_HOT void cut(struct virtio_request *request)
{
	struct virtio_chain_segments *data = &request->data;
	struct virtio_segment *last;

	if (VIRTIO_UNLIKELY(data->last_writable.len == 0) ||
	    VIRTIO_UNLIKELY(data->readable_bytes < request->header_bytes)) {
		fail(request, VIRTIO_ESHORT);
		return;
	}
	last = data->segments + (data->readable + data->writable) - 1;
	request->error = 0;
	request->fast_complete = last->region->dirty ? 0 : VIRTIO_IMPL_ACCESS_UNLOGGED;
	/* The status is the last byte. Bytes before it in the same buffer are data. */
	data->writable_bytes--;
	last->len--;
	data->writable -= last->len == 0;
	if (VIRTIO_UNLIKELY(request->header_bytes != data->segments->len) || VIRTIO_UNLIKELY(data->readable == 0)) {
		take_header(request);
		return;
	}
	data->readable--;
	data->readable_bytes -= request->header_bytes;
	virtio_guest_copy_in(request->header, data->segments->host, request->header_bytes);
	data->segments++;
}

/* Goes on after virtio_impl_chain_resolve_fast() has stopped. Returns as virtio_request_parse(). */
static VIRTIO_COLD int parse_rest(struct virtio_chain *chain, const struct virtio_run *stopped,
				  struct virtio_request *request)
{
	struct virtio_chain_segments all = { .segments = request->segments, .capacity = request->data.capacity };
	const int error = virtio_impl_chain_resolve_rest(chain, stopped, &all);

	if (error == VIRTIO_ENOTMAPPED)
		return error;
	/* After VIRTIO_ENOBUFS the walk may go on; a request does not need the rest. */
	if (error == VIRTIO_ENOBUFS)
		virtio_impl_walk_end(&chain->walk);
	request->token = chain->token;
	request->data = all;
	if (error)
		fail(request, error);
	else
		cut(request);
	return 0;
}

/*
 * Resolves a request of any layout on the fast path.
 *
 * @loaded  descriptors of the chain that were read already
 *
 * Returns true after the whole chain; the caller adds the token. Otherwise the request is
 * untouched.
 */
static inline VIRTIO_HOT bool resolve_fast(struct virtio_memory_cursor *memory, const struct virtio_walk *walk,
					   const struct virtio_impl_three *loaded, struct virtio_request *request,
					   struct virtio_run *stopped)
{
	struct virtio_segment *const before = request->data.segments;

	request->data.segments = request->segments;
	if (VIRTIO_LIKELY(
		    virtio_impl_chain_resolve_fast(memory, walk, loaded->d, loaded->loaded, stopped, &request->data))) {
		cut(request);
		return true;
	}
	request->data.segments = before;
	return false;
}

int virtio_request_parse(struct virtio_chain *chain, struct virtio_request *request)
{
	struct virtio_impl_three three = VIRTIO_IMPL_THREE_NONE;
	struct virtio_run stopped;
	const uint8_t *header;

	if (virtio_impl_walk_three(&chain->walk, &chain->memory[VIRTIO_MEMORY_TABLES], &three) &&
	    virtio_impl_request_fill(request, chain->memory, &three, &header))
		virtio_guest_copy_in(request->header, header, request->header_bytes);
	else if (!resolve_fast(chain->memory, &chain->walk, &three, request, &stopped))
		return parse_rest(chain, &stopped, request);
	request->token = chain->token;
	virtio_impl_walk_end(&chain->walk);
	return 0;
}

/*
 * Fills in a request of a header and a status only, such as a flush of a disk. The caller adds the
 * token. Returns false for any other request, which stays unchanged.
 */
static inline VIRTIO_HOT bool fill_two(struct virtio_memory_cursor *memory, const struct virtio_impl_three *loaded,
				       struct virtio_request *request)
{
	const struct virtio_guest_desc *header = &loaded->d[0], *status = &loaded->d[1];
	struct virtio_memory_cursor *small = &memory[VIRTIO_MEMORY_BUFFERS];
	struct virtio_chain_segments *out = &request->data;
	void *header_host, *status_host;

	if (loaded->loaded != 2 || (status->flags_next & VIRTIO_DESC_FLAGS) != VRING_DESC_F_WRITE || status->len != 1 ||
	    header->len != request->fast_header ||
	    !virtio_impl_memory_find_writable(small, header->addr, VIRTIO_MEMORY_SMALL, &header_host) ||
	    !virtio_impl_memory_find_writable(small, status->addr, 1, &status_host))
		return false;
	out->segments = request->segments;
	virtio_impl_segment_set(&out->last_writable, status->addr, 1, status_host, small->region);
	out->readable = 0;
	out->writable = 0;
	out->readable_bytes = 0;
	out->writable_bytes = 0;
	out->needed = 2;
	request->fast_complete = small->access;
	request->error = 0;
	virtio_guest_copy_in(request->header, header_host, request->header_bytes);
	return true;
}

/* Popping */

/* Returns 1, or unpops the chain and returns the error. */
static int popped(struct virtio_queue *queue, const struct virtio_chain *chain, int error)
{
	return error ? virtio_queue_put_back(queue, chain->token, error) : 1;
}

/* The slow path of virtio_impl_request_pop_any(). */
static VIRTIO_COLD int pop_rest(struct virtio_queue *queue, uint16_t head, const struct virtio_walk *walk,
				const struct virtio_run *stopped, struct virtio_request *request)
{
	struct virtio_chain chain;

	virtio_impl_queue_take(queue, head, &chain);
	chain.walk = *walk;
	return popped(queue, &chain, parse_rest(&chain, stopped, request));
}

int virtio_impl_request_pop_any(struct virtio_queue *queue, uint16_t head, const struct virtio_walk *walk,
				const struct virtio_impl_three *three, struct virtio_request *request)
{
	struct virtio_chain chain;
	struct virtio_run stopped;

	if (!fill_two(queue->memory, three, request) &&
	    VIRTIO_UNLIKELY(!resolve_fast(queue->memory, walk, three, request, &stopped)))
		return pop_rest(queue, head, walk, &stopped, request);
	virtio_impl_queue_take(queue, head, &chain);
	request->token = chain.token;
	return 1;
}

int virtio_impl_request_pop_slow(struct virtio_queue *queue, struct virtio_request *request)
{
	struct virtio_chain chain;
	const int got = virtio_impl_queue_pop_slow(queue, &chain);

	return got == 1 ? popped(queue, &chain, virtio_request_parse(&chain, request)) : got;
}

/* Completing */

int virtio_impl_request_complete_slow(struct virtio_queue *queue, const struct virtio_request *request, uint8_t status,
				      uint64_t written)
{
	const struct virtio_chain_segments *data = &request->data;

	if (!virtio_queue_is_in_flight(queue, request->token))
		return VIRTIO_ESTALE;
	if (data->last_writable.len != 0) {
		virtio_guest_copy_out(data->last_writable.host, &status, 1);
		virtio_region_mark_dirty(data->last_writable.region, data->last_writable.host, 1);
	}
	return virtio_impl_queue_complete_slow(
		queue, request->token.value,
		request->error ? 0 : virtio_impl_request_used(data->writable_bytes, written));
}
