/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The slow paths of requests with a header, data and a status. They serve what the inline code
 * refuses, for example layouts other than three descriptors, and buffers over two regions.
 */
#include <virtio/reader.h>
#include <virtio/request.h>

#include "run.h"

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
	/* No descriptor has the length UINT64_MAX, so this value switches the fast path off. */
	request->fast_header = fast ? header_bytes : UINT64_MAX;
	request->data.segments = segments;
	request->data.capacity = capacity;
	return 0;
}

/* Parsing */

/* Stores the error of a request that cannot be executed, and empties its data. */
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
 * Copies the header from the front of the data, then removes these bytes from the data. The caller
 * has checked that the data has enough bytes.
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
	/* The header ends inside this segment, so the segment keeps only the data. */
	first = data->segments;
	first->addr += reader.at.offset;
	first->host = (uint8_t *)first->host + reader.at.offset;
	first->len -= reader.at.offset;
}

/*
 * Cuts the header and the status off a resolved chain. The remaining bytes are the data. Fails the
 * request if the chain is too short.
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
	/* The status is the last byte. Bytes before the status in the same buffer are data. */
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

/*
 * Resolves the rest of a chain after virtio_impl_chain_resolve_fast() has stopped. Returns the same
 * values as virtio_request_parse().
 */
static VIRTIO_COLD int parse_rest(struct virtio_chain *chain, const struct virtio_run *stopped,
				  struct virtio_request *request)
{
	struct virtio_chain_segments all = { .segments = request->segments, .capacity = request->data.capacity };
	const int error = virtio_impl_chain_resolve_rest(chain, stopped, &all);

	if (error == VIRTIO_ENOTMAPPED)
		return error;
	/* VIRTIO_ENOBUFS leaves the walk at its start. The request fails, so its walk must end. */
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
 * @d      descriptors of the chain that were read already
 * @count  number of these descriptors
 *
 * Returns true if the whole chain was resolved. The caller then stores the token. Otherwise
 * *stopped is set, and *request is unchanged. The entries of the array request->segments may have
 * changed.
 */
static inline VIRTIO_HOT bool resolve_fast(struct virtio_memory_cursor *memory, const struct virtio_walk *walk,
					   const struct virtio_guest_desc *d, uint32_t count,
					   struct virtio_request *request, struct virtio_run *stopped)
{
	struct virtio_segment *const before = request->data.segments;

	request->data.segments = request->segments;
	if (VIRTIO_LIKELY(virtio_impl_chain_resolve_fast(memory, walk, d, count, stopped, &request->data))) {
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
	    virtio_impl_request_fill(request, chain->memory, &three, &header)) {
		virtio_guest_copy_in(request->header, header, request->header_bytes);
	} else if (!resolve_fast(chain->memory, &chain->walk, three.d, three.loaded, request, &stopped)) {
		return parse_rest(chain, &stopped, request);
	}
	request->token = chain->token;
	virtio_impl_walk_end(&chain->walk);
	return 0;
}

/*
 * Fills in a request of a header and a status only, such as a flush of a disk. The caller adds the
 * token. Returns whether the request was filled in. If not, the request is unchanged.
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
	virtio_impl_segment_set(&out->last_writable, status->addr, 1, status_host, small->region->self);
	out->readable = 0;
	out->writable = 0;
	out->readable_bytes = 0;
	out->writable_bytes = 0;
	out->needed = 2;
	request->fast_complete = small->region->access;
	request->error = 0;
	virtio_guest_copy_in(request->header, header_host, request->header_bytes);
	return true;
}

/*
 * Begins a run with the header, if the header is a buffer of its own. The header and the status use
 * a separate cached region, because drivers allocate them apart from the data.
 *
 * @walk  has yielded no descriptor yet, and may yield at least three
 * @d     the first descriptor
 *
 * Returns the header's host address, or NULL if the run could not begin.
 */
static inline VIRTIO_HOT const void *begin_many(struct virtio_run *r, const struct virtio_walk *walk,
						struct virtio_memory_cursor *memory,
						const struct virtio_request *request, const struct virtio_guest_desc *d)
{
	struct virtio_memory_cursor *small = &memory[VIRTIO_MEMORY_BUFFERS];
	void *host;

	virtio_run_begin(r, walk, &memory[VIRTIO_MEMORY_DATA], request->segments, request->data.capacity);
	r->next = r->table + (uint64_t)(d->flags_next >> 16) * VIRTIO_IMPL_DESC_BYTES;
	if (VIRTIO_UNLIKELY((d->flags_next & VIRTIO_DESC_FLAGS) != VRING_DESC_F_NEXT) ||
	    VIRTIO_UNLIKELY(r->next > r->last))
		return NULL;
	if (VIRTIO_UNLIKELY(d->len != request->fast_header))
		return NULL;
	if (VIRTIO_UNLIKELY(!virtio_impl_memory_find_writable(small, d->addr, VIRTIO_MEMORY_SMALL, &host)))
		return NULL;
	virtio_impl_segment_set(r->at, d->addr, d->len, host, small->region->self);
	r->at++;
	r->room--;
	r->bytes = d->len;
	return host;
}

/*
 * Ends a run whose last descriptor, the status, was read but not added. Returns false, and adds
 * nothing, if this descriptor is not a writable buffer of one byte, or the chain has too many
 * bytes. Also returns false if the fast path does not find the buffer.
 */
static inline VIRTIO_HOT bool end_many(const struct virtio_run *r, const struct virtio_guest_desc *last,
				       struct virtio_memory_cursor *memory, const void *header_host,
				       struct virtio_request *request)
{
	struct virtio_memory_cursor *small = &memory[VIRTIO_MEMORY_BUFFERS];
	struct virtio_chain_segments *out = &request->data;
	void *status_host;

	if (VIRTIO_UNLIKELY(last->len != 1))
		return false;
	if (VIRTIO_UNLIKELY(r->usual == VRING_DESC_F_NEXT))
		return false;
	if (VIRTIO_UNLIKELY(r->bytes >= (uint64_t)VIRTIO_CHAIN_MAX_BYTES))
		return false;
	if (VIRTIO_UNLIKELY(!virtio_impl_memory_find_writable(small, last->addr, 1, &status_host)))
		return false;
	memory[VIRTIO_MEMORY_DATA].region = r->region;
	out->segments = request->segments + 1;
	virtio_impl_segment_set(&out->last_writable, last->addr, 1, status_host, small->region->self);
	out->needed = (uint32_t)(r->at - out->segments) + 2;
	out->readable = (uint32_t)(r->readable_end - out->segments);
	out->writable = (uint32_t)(r->at - r->readable_end);
	out->readable_bytes = r->readable_bytes - request->header_bytes;
	out->writable_bytes = r->bytes - r->readable_bytes;
	request->fast_complete = small->region->access;
	request->error = 0;
	virtio_guest_copy_in(request->header, header_host, request->header_bytes);
	return true;
}

/*
 * Ends a run that end_many() has refused, for example because the status shares a buffer with data.
 */
static __attribute__((noinline)) bool end_uncut(struct virtio_run *r, const struct virtio_guest_desc *last,
						struct virtio_memory_cursor *memory, struct virtio_request *request)
{
	if (!virtio_run_put(r, last) || r->bytes > (uint64_t)VIRTIO_CHAIN_MAX_BYTES)
		return false;
	request->data.segments = request->segments;
	virtio_run_end(r, last, &memory[VIRTIO_MEMORY_DATA], &request->data);
	cut(request);
	return true;
}

/* Popping */

/* Returns 1, or unpops the chain and returns the error. */
static int popped(struct virtio_queue *queue, const struct virtio_chain *chain, int error)
{
	return error ? virtio_queue_unpop_after(queue, chain->token, error) : 1;
}

/* Pops a request after its run has stopped. The slow path resolves the rest of the chain. */
static VIRTIO_COLD int pop_rest(struct virtio_queue *queue, uint16_t head, const struct virtio_walk *walk,
				const struct virtio_run *stopped, struct virtio_request *request)
{
	struct virtio_chain chain;

	virtio_impl_queue_pop_head(queue, head, &chain);
	chain.walk = *walk;
	return popped(queue, &chain, parse_rest(&chain, stopped, request));
}

/* Puts the head of a filled-in request in flight. */
static inline VIRTIO_HOT int take_filled(struct virtio_queue *queue, uint16_t head, struct virtio_request *request)
{
	struct virtio_chain chain;

	virtio_impl_queue_pop_head(queue, head, &chain);
	request->token = chain.token;
	return 1;
}

/* Pops a request whose header, and perhaps some data, is already in the run. */
static inline VIRTIO_HOT int pop_run(struct virtio_queue *queue, uint16_t head, const struct virtio_walk *walk,
				     struct virtio_run *r, const void *header_host, struct virtio_request *request)
{
	struct virtio_guest_desc d, bad;
	struct virtio_run stopped;
	const enum virtio_run_result result = virtio_run_on(r, &d, false);

	if (VIRTIO_LIKELY(result == VIRTIO_RUN_LAST) &&
	    VIRTIO_LIKELY(end_many(r, &d, queue->memory, header_host, request)))
		return take_filled(queue, head, request);
	/* Passes copies, so the run and the descriptor can stay in registers. */
	bad = d;
	stopped = *r;
	if (result == VIRTIO_RUN_LAST && end_uncut(&stopped, &bad, queue->memory, request))
		return take_filled(queue, head, request);
	virtio_impl_run_stop(&stopped, walk->left, request->segments, result == VIRTIO_RUN_FULL ? NULL : &bad);
	return pop_rest(queue, head, walk, &stopped, request);
}

/* Pops a request of any layout. d holds the loaded descriptors, at most three. */
static __attribute__((noinline)) int pop_uncut(struct virtio_queue *queue, uint16_t head,
					       const struct virtio_walk *walk, const struct virtio_guest_desc *d,
					       uint32_t count, struct virtio_request *request)
{
	struct virtio_run stopped;

	if (VIRTIO_UNLIKELY(!resolve_fast(queue->memory, walk, d, count, request, &stopped)))
		return pop_rest(queue, head, walk, &stopped, request);
	return take_filled(queue, head, request);
}

/*
 * Pops a request from fewer than three loaded descriptors, which are often a header and a status.
 */
static __attribute__((noinline)) int pop_two(struct virtio_queue *queue, uint16_t head, const struct virtio_walk *walk,
					     const struct virtio_impl_three *three, struct virtio_request *request)
{
	if (VIRTIO_LIKELY(fill_two(queue->memory, three, request)))
		return take_filled(queue, head, request);
	return pop_uncut(queue, head, walk, three->d, three->loaded, request);
}

/* Pops a request from three loaded descriptors, which are often the front of a longer chain. */
static __attribute__((noinline)) int pop_three(struct virtio_queue *queue, uint16_t head,
					       const struct virtio_walk *walk, const struct virtio_impl_three *three,
					       struct virtio_request *request)
{
	enum virtio_run_result result;
	const void *header;
	struct virtio_run r;

	header = begin_many(&r, walk, queue->memory, request, &three->d[0]);
	if (VIRTIO_LIKELY(header != NULL) && VIRTIO_LIKELY(virtio_run_step(&r, &three->d[1], false, &result)) &&
	    VIRTIO_LIKELY(virtio_run_step(&r, &three->d[2], false, &result)))
		return pop_run(queue, head, walk, &r, header, request);
	/*
	 * Fills the array from its start, because the run above may have filled a part of the
	 * array.
	 */
	return pop_uncut(queue, head, walk, three->d, three->loaded, request);
}

int virtio_impl_request_pop_any(struct virtio_queue *queue, uint16_t head, const struct virtio_walk *walk,
				const struct virtio_impl_three *three, struct virtio_request *request)
{
	/*
	 * pop_two() and pop_three() are not inlined here, so each of the two functions saves only
	 * the registers that it needs.
	 */
	return three->loaded == 3 ? pop_three(queue, head, walk, three, request)
				  : pop_two(queue, head, walk, three, request);
}

int virtio_impl_request_pop_long(struct virtio_queue *queue, uint16_t head, const struct virtio_walk *walk,
				 struct virtio_request *request)
{
	struct virtio_guest_desc d, read;
	const void *header;
	struct virtio_run r;

	if (VIRTIO_UNLIKELY(walk->left < 4 * VIRTIO_IMPL_WALK_ONE))
		return pop_uncut(queue, head, walk, NULL, 0, request);
	d = virtio_guest_load_desc((const void *)(uintptr_t)walk->next);
	header = begin_many(&r, walk, queue->memory, request, &d);
	if (VIRTIO_LIKELY(header != NULL))
		return pop_run(queue, head, walk, &r, header, request);
	read = d;
	return pop_uncut(queue, head, walk, &read, 1, request);
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
