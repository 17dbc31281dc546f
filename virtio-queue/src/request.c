/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Requests of a header, data and a status, where that isn't inline: of other shapes, and what isn't in the cached regions. */
#include <virtio/reader.h>
#include <virtio/request.h>

#include "queue_internal.h"

int virtio_impl_request_init_layout_1(struct virtio_request *request, void *header, size_t header_bytes,
				      struct virtio_segment *segments, uint32_t capacity)
{
	const bool fast = header_bytes != 0 && header_bytes <= VIRTIO_MEMORY_SMALL && capacity >= 3;

	if ((!header && header_bytes != 0) || (!segments && capacity != 0))
		return VIRTIO_EINVAL;
	memset(request, 0, sizeof *request);
	request->header = header;
	request->header_bytes = header_bytes;
	request->segments = segments;
	/* Otherwise none that a descriptor can have. */
	request->fast_header = fast ? header_bytes : UINT64_MAX;
	request->data.segments = segments;
	request->data.capacity = capacity;
	return 0;
}

/* Parsing */

/* A request of which nothing can come but a failure. */
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

/* Copies the header out of the front of the data and cuts it off there. The caller has seen that there are enough bytes. */
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
	/* A segment that holds data too is shortened in place. */
	first = data->segments;
	first->addr += reader.at.offset;
	first->host = (uint8_t *)first->host + reader.at.offset;
	first->len -= reader.at.offset;
}

/* The data is what is left of the chain without header and status, of which there are enough bytes. */
static void cut(struct virtio_request *request)
{
	struct virtio_chain_segments *data = &request->data;

	take_header(request);
	/* The status is the last byte; what is before it in the same buffer is data. */
	if (--data->segments[data->readable + data->writable - 1].len == 0)
		data->writable--;
	data->writable_bytes--;
	request->error = 0;
	request->fast_complete = data->last_writable.region->dirty == NULL;
}

/* Walks along the descriptors that have been loaded. Returns how many; an error stays in the walk. */
static uint32_t walk_loaded(struct virtio_chain *chain, const struct virtio_impl_three *three, struct virtio_desc *out)
{
	const uint32_t head = virtio_token_head(chain->token);
	uint32_t n = 0;

	while (n < three->loaded &&
	       virtio_impl_walk_step(&chain->walk, chain->memory, head, &three->d[n], 0, &out[n]) == 1)
		n++;
	return n;
}

int virtio_impl_request_parse_any(struct virtio_chain *chain, const struct virtio_impl_three *three, bool walked,
				  struct virtio_request *request)
{
	struct virtio_chain_segments all = { .segments = request->segments, .capacity = request->data.capacity };
	struct virtio_desc front[3];
	uint32_t count = 3;
	int error;

	if (walked)
		virtio_impl_three_get(three, front);
	else
		count = walk_loaded(chain, three, front);
	error = virtio_impl_chain_resolve_after(chain, front, count, &all);
	if (VIRTIO_UNLIKELY(error == VIRTIO_ENOTMAPPED))
		return error;
	/* A resolution that has found no room leaves a walk that may go on, here behind what has been walked along. */
	if (VIRTIO_UNLIKELY(error == VIRTIO_ENOBUFS))
		virtio_impl_walk_end(&chain->walk);
	request->token = chain->token;
	request->data = all;
	if (VIRTIO_UNLIKELY(error))
		fail(request, error);
	else if (VIRTIO_UNLIKELY(all.last_writable.len == 0))
		fail(request, VIRTIO_ESHORT);
	else if (VIRTIO_UNLIKELY(all.readable_bytes < request->header_bytes))
		fail(request, VIRTIO_ESHORT);
	else
		cut(request);
	return 0;
}

/*
 * Fills in a request whose descriptors virtio_impl_walk_three() has walked along, if it stays on the fast path. Cached
 * regions are moved if need be.
 */
static bool fill_fast(const struct virtio_chain *chain, const struct virtio_impl_three *three,
		      struct virtio_request *request)
{
	const struct virtio_guest_desc *header = &three->d[0], *data = &three->d[1], *status = &three->d[2];
	struct virtio_memory_cursor *small = &chain->memory[VIRTIO_MEMORY_BUFFERS];
	struct virtio_memory_cursor *large = &chain->memory[VIRTIO_MEMORY_DATA];
	struct virtio_chain_segments *out = &request->data;
	void *header_host, *data_host, *status_host;

	if (header->len != request->fast_header || status->len != 1 ||
	    !virtio_impl_memory_find_unlogged_near(small, large, header->addr, VIRTIO_MEMORY_SMALL, &header_host) ||
	    !virtio_impl_memory_find_unlogged_near(large, small, data->addr, data->len, &data_host) ||
	    !virtio_impl_memory_find_unlogged(small, status->addr, 1, &status_host))
		return false;
	out->segments = request->segments;
	virtio_impl_segment_set(out->segments, data->addr, data->len, data_host, large->region);
	virtio_impl_segment_set(&out->last_writable, status->addr, 1, status_host, small->region);
	virtio_impl_request_set_three(request, data->len, (data->flags_next & VRING_DESC_F_WRITE) != 0);
	request->token = chain->token;
	virtio_guest_copy_in(request->header, header_host, (size_t)header->len);
	return true;
}

/* As virtio_request_parse(), after virtio_impl_walk_three(). */
static int parse_walked(struct virtio_chain *chain, const struct virtio_impl_three *three,
			struct virtio_request *request)
{
	return fill_fast(chain, three, request) ? 0 : virtio_impl_request_parse_any(chain, three, true, request);
}

int virtio_request_parse(struct virtio_chain *chain, struct virtio_request *request)
{
	struct virtio_impl_three three = VIRTIO_IMPL_THREE_NONE;

	if (virtio_impl_walk_three(&chain->walk, &chain->memory[VIRTIO_MEMORY_TABLES], &three))
		return parse_walked(chain, &three, request);
	return virtio_impl_request_parse_any(chain, &three, false, request);
}

/* Popping */

/* Functions of their own, so that the inline part needn't have the addresses of the cursors at hand. */
uint8_t *virtio_impl_request_cache_header(struct virtio_queue *queue, uint64_t addr)
{
	return virtio_impl_memory_share_region(&queue->memory[VIRTIO_MEMORY_BUFFERS],
					       &queue->memory[VIRTIO_MEMORY_DATA], addr);
}

uint8_t *virtio_impl_request_cache_data(struct virtio_queue *queue, uint64_t addr)
{
	return virtio_impl_memory_share_region(&queue->memory[VIRTIO_MEMORY_DATA],
					       &queue->memory[VIRTIO_MEMORY_BUFFERS], addr);
}

/* What has been popped has been parsed, with this error. */
static int popped(struct virtio_queue *queue, const struct virtio_chain *chain, int error)
{
	return error ? virtio_queue_put_back(queue, chain->token, error) : 1;
}

int virtio_impl_request_pop_walked(struct virtio_queue *queue, uint16_t head, const struct virtio_impl_three *three,
				   struct virtio_request *request)
{
	struct virtio_chain chain;

	virtio_impl_queue_take(queue, head, &chain);
	virtio_impl_walk_end(&chain.walk);
	return popped(queue, &chain, parse_walked(&chain, three, request));
}

int virtio_impl_request_pop_any(struct virtio_queue *queue, uint16_t head, const struct virtio_walk *walk,
				const struct virtio_impl_three *three, struct virtio_request *request)
{
	struct virtio_chain chain;

	virtio_impl_queue_take(queue, head, &chain);
	chain.walk = *walk;
	return popped(queue, &chain, virtio_impl_request_parse_any(&chain, three, false, request));
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
		virtio_segments_mark_dirty(&data->last_writable, 1, 1);
	}
	return virtio_queue_complete(queue, request->token,
				     request->error ? 0 : virtio_impl_request_used(data->writable_bytes, written));
}
