/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Tests how chains become requests, and which requests are refused. */
#include "blk_fixture.h"

/* How a test pops a request: from the queue, or by parsing a chain that was popped before. */
static bool from_queue = false, from_chain = true;

static bool by_chain(void *const *state)
{
	return *(const bool *)*state;
}

/* Layouts */

/*
 * Pops the next request. If the test parses a chain, checks that the walk has reached the chain's
 * end, or failed with the request's error.
 */
static const struct virtio_blk_request *take(struct blk_fixture *f, void *const *state)
{
	struct virtio_blk_request *request = &f->request;
	struct virtio_chain chain;
	struct virtio_desc desc;
	int end;

	if (!by_chain(state)) {
		assert_int_equal(virtio_blk_pop(&f->queue, request), 1);
		return request;
	}
	assert_int_equal(virtio_queue_pop(&f->queue, &chain), 1);
	assert_int_equal(virtio_blk_parse(&chain, request), 0);
	assert_int_equal(request->base.token.value, chain.token.value);
	end = virtio_chain_next(&chain, &desc);
	/* VIRTIO_ENOBUFS is no error of the walk: the parse has ended the walk, so `end` is 0. */
	if (request->base.error != VIRTIO_ENOBUFS)
		assert_int_equal(end, request->base.error == VIRTIO_ESHORT ? 0 : request->base.error);
	return request;
}

/* Completes a request as failed. The used length counts at most the status byte. */
static void complete(struct blk_fixture *f, const struct virtio_blk_request *request)
{
	const uint64_t status = request->base.data.last_writable.addr;
	const struct virtio_blk_result result = { .status = VIRTIO_BLK_S_IOERR, .error = request->base.error };

	if (request->base.data.last_writable.len)
		f->model[status] = VIRTIO_BLK_S_IOERR;
	assert_int_equal(virtio_blk_complete(&f->queue, request, &result, &f->stats), 0);
	assert_true(blk_pop_used(f) <= (request->base.error || virtio_blk_in(request).bytes ? 0u : 1u));
	blk_check_memory(f);
}

/* Checks that a request has this error, and neither type, sector, ranges nor data. */
static void check_failed(const struct virtio_blk_request *request, int error)
{
	assert_int_equal(request->base.error, error);
	assert_int_equal(request->type, 0);
	assert_int_equal(request->sector, 0);
	assert_int_equal(request->range_count, 0);
	assert_int_equal(virtio_blk_in(request).bytes, 0);
	assert_int_equal(virtio_blk_in(request).count, 0);
	assert_int_equal(virtio_blk_out(request).bytes, 0);
	assert_int_equal(virtio_blk_out(request).count, 0);
}

/* Pops the next request, which must fail with this error and get no status. No byte may change. */
static void parse_fails(struct blk_fixture *f, void *const *state, int error)
{
	const uint64_t malformed = f->stats.malformed, failed = f->stats.failed, others = f->stats.others;
	const struct virtio_blk_request *request = take(f, state);

	check_failed(request, error);
	assert_int_equal(request->base.data.last_writable.len, 0);
	assert_int_equal(virtio_blk_refusal_status(virtio_blk_refusal_of(&f->blk, request)), VIRTIO_BLK_S_IOERR);
	blk_check_memory(f);
	complete(f, request);
	assert_int_equal(f->stats.malformed, malformed + 1);
	assert_int_equal(f->stats.failed, failed);
	assert_int_equal(f->stats.others, others);
}

/* Pops the next request, which must fail with this error. Its status byte is at `status`. */
static void parse_reports(struct blk_fixture *f, void *const *state, int error, uint64_t status)
{
	const uint64_t malformed = f->stats.malformed, failed = f->stats.failed, others = f->stats.others;
	const struct virtio_blk_request *request = take(f, state);

	check_failed(request, error);
	assert_int_equal(request->base.data.last_writable.len, 1);
	assert_int_equal(request->base.data.last_writable.addr, status);
	blk_check_region(&request->base.data.last_writable);
	assert_int_equal(virtio_blk_refusal_status(virtio_blk_refusal_of(&f->blk, request)), VIRTIO_BLK_S_IOERR);
	blk_check_memory(f);
	complete(f, request);
	assert_int_equal(f->stats.malformed, malformed);
	assert_int_equal(f->stats.failed, failed + 1);
	assert_int_equal(f->stats.others, others + 1);
}

static void add(struct blk_fixture *f, const struct virtio_mock_buffer *buffers, uint32_t count)
{
	assert_true(virtio_mock_add(&f->mock, buffers, count) >= 0);
}

/*
 * Checks that `data` has exactly the bytes [skip, skip + bytes) of the request's readable or
 * writable part. This part is cut into pieces.
 */
static void check_data(const struct blk_fixture *f, struct virtio_blk_data data, uint64_t base, uint32_t skip,
		       uint32_t bytes, uint32_t piece, uint32_t gap)
{
	uint32_t done = 0;

	assert_int_equal(data.bytes, bytes);
	for (uint32_t i = 0; i < data.count; i++) {
		const struct virtio_segment *s = &data.segments[i];

		assert_true(s->len > 0);
		blk_check_region(s);
		for (uint64_t k = 0; k < s->len; k++, done++) {
			assert_int_equal(s->addr + k, blk_place(base, skip + done, piece, gap));
			assert_ptr_equal((const uint8_t *)s->host + k, f->ram + s->addr + k);
		}
	}
	assert_int_equal(done, bytes);
}

/*
 * Hostile 113 and 118: the parsed request does not depend on how the driver cuts the buffers.
 */
static void blk_parse_finds_the_same_request_in_any_layout(void **state)
{
	static const uint32_t pieces[] = { 0, 1, 3, 15, 16, 17, 31, 500, 512, 1000 };
	static const uint32_t sizes[] = { 0, 1, 64, 512 };
	const size_t n = sizeof pieces / sizeof pieces[0];
	static uint8_t data[512];

	for (size_t r = 0; r < BLK_MEMORIES; r++) {
		struct blk_fixture f;

		blk_setup(&f, blk_memories[r]);
		for (size_t i = 0; i < n * n * 32; i++) {
			struct blk_ask ask = {
				.type = 0x81020304,
				.sector = UINT64_C(0x8877665544332211),
				.readable_piece = pieces[i % n],
				.writable_piece = pieces[i / n % n],
				.gap = i / n / n % 2 * 5,
				.out = data,
				.out_bytes = sizes[i / n / n / 2 % 4],
				.in_bytes = sizes[i / n / n / 8 % 4],
			};
			const struct virtio_blk_request *request;

			if ((ask.readable_piece && ask.readable_piece < 4 && ask.out_bytes > 64) ||
			    (ask.writable_piece && ask.writable_piece < 4 && ask.in_bytes > 64))
				continue; /* may need more descriptors than the queue has */
			blk_send(&f, &ask);
			request = take(&f, state);
			assert_int_equal(request->base.error, 0);
			assert_int_equal(request->type, ask.type);
			assert_int_equal(request->sector, ask.sector);
			assert_int_equal(virtio_token_head(request->base.token), 0);
			check_data(&f, virtio_blk_out(request), BLK_READABLE, 16, ask.out_bytes, ask.readable_piece,
				   ask.gap);
			check_data(&f, virtio_blk_in(request), BLK_WRITABLE, 0, ask.in_bytes, ask.writable_piece,
				   ask.gap);
			assert_int_equal(request->base.data.last_writable.len, 1);
			assert_int_equal(request->base.data.last_writable.addr, blk_status_place(&ask));
			assert_ptr_equal(request->base.data.last_writable.host, f.ram + blk_status_place(&ask));
			blk_check_region(&request->base.data.last_writable);
			blk_check_memory(&f);
			complete(&f, request);
		}
	}
}

/* Hostile 37: empty buffers are ignored, also at addresses that don't exist. */
static void blk_parse_skips_empty_buffers(void **state)
{
	const struct virtio_mock_buffer buffers[] = {
		{ UINT64_MAX, 0, 0 },
		{ BLK_READABLE, 16, 0 },
		{ UINT64_MAX, 0, 0 },
		{ UINT64_MAX, 0, VRING_DESC_F_WRITE },
		{ BLK_WRITABLE, 513, VRING_DESC_F_WRITE },
		{ UINT64_MAX, 0, VRING_DESC_F_WRITE },
	};
	const struct virtio_blk_request *request;
	struct blk_fixture f;

	for (size_t r = 0; r < BLK_MEMORIES; r++) {
		blk_setup(&f, blk_memories[r]);
		add(&f, buffers, 6);
		request = take(&f, state);
		assert_int_equal(request->base.error, 0);
		assert_int_equal(virtio_blk_out(request).bytes, 0);
		assert_int_equal(virtio_blk_out(request).count, 0);
		check_data(&f, virtio_blk_in(request), BLK_WRITABLE, 0, 512, 0, 0);
		assert_int_equal(request->base.data.last_writable.addr, BLK_WRITABLE + 512);
		complete(&f, request);

		/* The empty buffer replaces the data. */
		for (int k = 0; k < 4; k++) {
			const struct virtio_mock_buffer three[] = {
				{ BLK_READABLE, 16, 0 },
				{ k < 2 ? UINT64_MAX : BLK_READABLE, 0, k % 2 ? VRING_DESC_F_WRITE : 0 },
				{ BLK_WRITABLE, 1, VRING_DESC_F_WRITE },
			};

			add(&f, three, 3);
			request = take(&f, state);
			assert_int_equal(request->base.error, 0);
			assert_int_equal(virtio_blk_in(request).bytes + virtio_blk_out(request).bytes, 0);
			assert_int_equal(virtio_blk_in(request).count + virtio_blk_out(request).count, 0);
			assert_int_equal(request->base.data.last_writable.addr, BLK_WRITABLE);
			complete(&f, request);
		}
	}
}

/* Hostile 36, regression R26: a buffer may end at the last byte of memory. */
static void blk_parse_accepts_buffers_at_the_end_of_memory(void **state)
{
	const struct virtio_mock_buffer buffers[] = {
		{ BLK_RAM - 16, 16, 0 },
		{ BLK_RAM - 513, 513, VRING_DESC_F_WRITE },
	};
	const struct virtio_blk_request *request;
	struct blk_fixture f;

	blk_setup(&f, BLK_RAM);
	add(&f, buffers, 2);
	request = take(&f, state);
	assert_int_equal(request->base.error, 0);
	assert_int_equal(request->type, 0xa5a5a5a5);
	check_data(&f, virtio_blk_in(request), BLK_RAM - 513, 0, 512, 0, 0);
	assert_int_equal(request->base.data.last_writable.addr, BLK_RAM - 1);
}

/* Malformed */

/* Hostile 110 and 111: a request without a writable byte has an error, and gets no status. */
static void blk_parse_refuses_chain_without_writable_byte(void **state)
{
	const struct virtio_mock_buffer empty[] = { { BLK_READABLE, 16, 0 }, { BLK_WRITABLE, 0, VRING_DESC_F_WRITE } };
	const struct virtio_mock_buffer nothing[] = { { BLK_READABLE, 0, 0 } };
	struct blk_ask ask = { .type = VIRTIO_BLK_T_OUT, .no_status = true };
	static const uint8_t data[512];
	struct blk_fixture f;

	blk_setup(&f, BLK_RAM);
	blk_send(&f, &ask);
	parse_fails(&f, state, VIRTIO_ESHORT);
	ask.out = data;
	ask.out_bytes = 512;
	blk_send(&f, &ask);
	parse_fails(&f, state, VIRTIO_ESHORT);
	add(&f, empty, 2);
	parse_fails(&f, state, VIRTIO_ESHORT);
	add(&f, nothing, 1);
	parse_fails(&f, state, VIRTIO_ESHORT);
}

/* Hostile 112: a header under 16 bytes fails with a status. No byte after the header is read. */
static void blk_parse_reports_short_header(void **state)
{
	for (uint32_t len = 0; len < 16; len++) {
		/* The byte after the header would be outside guest memory. */
		const struct virtio_mock_buffer buffers[] = {
			{ BLK_RAM - len, len, 0 },
			{ BLK_WRITABLE, 513, VRING_DESC_F_WRITE },
		};
		struct blk_fixture f;

		blk_setup(&f, BLK_RAM);
		add(&f, buffers, 2);
		parse_reports(&f, state, VIRTIO_ESHORT, BLK_WRITABLE + 512);
	}
}

/* Hostile 47: a request with more segments than the caller's array fails with a status. */
static void blk_parse_reports_more_segments_than_room(void **state)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_IN, .in_bytes = 512, .writable_piece = 64, .gap = 1 };
	struct blk_fixture f;

	blk_setup(&f, BLK_RAM);
	/*
	 * The request needs ten segments: one for the header, eight for data, one for the status.
	 */
	for (uint32_t capacity = 1; capacity <= 10; capacity++) {
		memset(f.segments, 0x5a, sizeof f.segments);
		f.storage.segment_capacity = capacity;
		blk_prepare(&f);
		blk_send(&f, &ask);
		if (capacity < 10) {
			parse_reports(&f, state, VIRTIO_ENOBUFS, blk_status_place(&ask));
		} else {
			const struct virtio_blk_request *request = take(&f, state);

			assert_int_equal(request->base.error, 0);
			assert_int_equal(virtio_blk_in(request).bytes, 512);
			assert_int_equal(request->base.data.last_writable.addr, blk_status_place(&ask));
			complete(&f, request);
		}
		assert_int_equal(f.request.base.data.needed, 10);
		assert_int_equal(f.segments[capacity].len, UINT64_C(0x5a5a5a5a5a5a5a5a));
	}
}

/*
 * A three-part request needs room for three segments: header, data and status. This holds although
 * the library stores fewer segments of such a request.
 */
static void blk_parse_wants_the_same_room_for_three_part_requests(void **state)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_IN, .in_bytes = 512, .writable_piece = 512 };
	const struct virtio_blk_request *request;
	struct blk_fixture f;

	blk_setup(&f, BLK_UNLOGGED);
	for (uint32_t capacity = 1; capacity < 3; capacity++) {
		f.storage.segment_capacity = capacity;
		blk_prepare(&f);
		blk_send(&f, &ask);
		parse_reports(&f, state, VIRTIO_ENOBUFS, BLK_WRITABLE + 512);
	}
	f.storage.segment_capacity = 3;
	blk_prepare(&f);
	blk_send(&f, &ask);
	request = take(&f, state);
	assert_int_equal(request->base.error, 0);
	assert_int_equal(request->base.data.last_writable.addr, BLK_WRITABLE + 512);
}

/* Storage needs room for at least one segment. An array that is NULL must have the capacity 0. */
static void blk_request_init_refuses_storage_that_is_not_there(void **state)
{
	struct virtio_segment segment;
	struct virtio_blk_range range;
	const struct virtio_blk_storage bad[] = {
		{ NULL, 0, NULL, 0 },     { &segment, 0, NULL, 0 },   { NULL, 1, NULL, 0 },
		{ &segment, 1, NULL, 1 }, { &segment, 0, &range, 1 },
	};
	const struct virtio_blk_storage good[] = { { &segment, 1, NULL, 0 },
						   { &segment, 1, &range, 0 },
						   { &segment, 1, &range, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct virtio_blk_request request, before;

		memset(&request, 0x5a, sizeof request);
		memset(&before, 0x5a, sizeof before);
		assert_int_equal(virtio_blk_request_init(&request, &bad[i]), VIRTIO_EINVAL);
		assert_memory_equal(&request, &before, sizeof before);
	}
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct virtio_blk_request request;

		assert_int_equal(virtio_blk_request_init(&request, &good[i]), 0);
		assert_ptr_equal(request.base.header, request.header);
		assert_int_equal(request.base.header_bytes, VIRTIO_BLK_HEADER_BYTES);
		assert_ptr_equal(request.base.segments, &segment);
		assert_int_equal(request.base.data.capacity, 1);
		assert_int_equal(request.range_capacity, good[i].range_capacity);
	}
}

/*
 * Hostile 131 and 33: a request whose status byte is outside guest memory fails without a status. A
 * request whose readable buffer is not wholly inside guest memory fails with a status.
 */
static void blk_parse_reports_buffers_outside_memory(void **state)
{
	const struct virtio_mock_buffer bad[] = {
		{ BLK_RAM, 1, VRING_DESC_F_WRITE },
		{ BLK_RAM - 1, 2, VRING_DESC_F_WRITE },
		{ UINT64_MAX, 1, VRING_DESC_F_WRITE },
		{ UINT64_MAX - 1, 16, VRING_DESC_F_WRITE },
		{ BLK_WRITABLE, UINT32_MAX - 31, VRING_DESC_F_WRITE },
	};
	struct blk_fixture f;

	blk_setup(&f, BLK_RAM);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const struct virtio_mock_buffer buffers[] = { { BLK_READABLE, 16, 0 }, bad[i] };
		const struct virtio_mock_buffer header[] = { { bad[i].addr, bad[i].len, 0 },
							     { BLK_WRITABLE, 1, VRING_DESC_F_WRITE } };

		add(&f, buffers, 2);
		parse_fails(&f, state, VIRTIO_EFAULT);
		add(&f, header, 2);
		parse_reports(&f, state, VIRTIO_EFAULT, BLK_WRITABLE);
	}
}

/*
 * One of the three buffers of a request lies in one of the places below. The other two buffers are
 * in memory without a dirty log.
 */
static void blk_parse_looks_up_each_buffer(void **state)
{
	static const struct {
		uint64_t addr;
		int error;
	} places[] = { { BLK_RAM, VIRTIO_EFAULT }, { UINT64_MAX - 15, VIRTIO_EFAULT }, { BLK_UNLOGGED - 1, 0 } };
	struct blk_fixture f;

	blk_setup(&f, BLK_UNLOGGED);
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		for (int k = 0; k < 3; k++) {
			struct virtio_mock_buffer buffers[] = { { BLK_READABLE, 16, 0 },
								{ BLK_WRITABLE, 512, VRING_DESC_F_WRITE },
								{ BLK_WRITABLE + 600, 1, VRING_DESC_F_WRITE } };
			const struct virtio_blk_request *request;
			struct virtio_blk_data in;

			buffers[k].addr = places[i].addr;
			add(&f, buffers, 3);
			if (places[i].error && k == 2) {
				parse_fails(&f, state, places[i].error);
				continue;
			}
			if (places[i].error) {
				parse_reports(&f, state, places[i].error, BLK_WRITABLE + 600);
				continue;
			}
			/*
			 * The header or the data spans two regions, or the status is a region's
			 * last byte.
			 */
			request = take(&f, state);
			in = virtio_blk_in(request);
			assert_int_equal(request->base.error, 0);
			assert_int_equal(in.bytes, 512);
			assert_int_equal(in.count, k == 1 ? 2 : 1);
			for (uint32_t s = 0; s < in.count; s++)
				blk_check_region(&in.segments[s]);
			assert_int_equal(request->base.data.last_writable.addr, buffers[2].addr);
			blk_check_region(&request->base.data.last_writable);
			complete(&f, request);
		}
}

/* In a three-part request, too, the device must not write to read-only memory. */
static void blk_parse_looks_at_what_each_buffer_permits(void **state)
{
	for (uint32_t k = 0; k < 3; k++) {
		const struct virtio_mock_buffer buffers[] = { { BLK_READABLE, 16, 0 },
							      { BLK_WRITABLE, 512, k == 1 ? VRING_DESC_F_WRITE : 0 },
							      { k == 2 ? BLK_WRITABLE : BLK_READABLE + 64, 1,
								VRING_DESC_F_WRITE } };
		const struct virtio_blk_request *request;
		struct blk_fixture f;

		blk_setup(&f, BLK_UNLOGGED);
		f.regions[1].flags = VIRTIO_REGION_READ_ONLY;
		assert_int_equal(virtio_memory_map_init(&f.device_map, f.regions, 2), 0);
		add(&f, buffers, 3);
		if (k == 1) {
			parse_reports(&f, state, VIRTIO_EPERM, BLK_READABLE + 64);
			continue;
		}
		if (k == 2) {
			parse_fails(&f, state, VIRTIO_EPERM);
			continue;
		}
		request = take(&f, state);
		assert_int_equal(request->base.error, 0);
		assert_int_equal(virtio_blk_out(request).bytes, 512);
		blk_check_region(&virtio_blk_out(request).segments[0]);
	}
}

static void blk_parse_refuses_status_in_read_only_memory(void **state)
{
	struct blk_ask ask = { .type = VIRTIO_BLK_T_FLUSH };
	struct blk_fixture f;

	blk_setup(&f, 64);
	f.regions[BLK_WRITABLE / 64].flags = VIRTIO_REGION_READ_ONLY;
	assert_int_equal(virtio_memory_map_init(&f.device_map, f.regions, BLK_RAM / 64), 0);
	blk_send(&f, &ask);
	parse_fails(&f, state, VIRTIO_EPERM);
}

/* Hostile 40 and 1: the request of a malformed chain has the chain's error. */
static void blk_parse_reports_malformed_chains(void **state)
{
	const struct virtio_mock_buffer reversed[] = {
		{ BLK_WRITABLE, 1, VRING_DESC_F_WRITE },
		{ BLK_READABLE, 16, 0 },
	};
	const struct vring_desc loop = { BLK_READABLE, 16, VRING_DESC_F_NEXT, 0 };
	struct blk_fixture f;

	blk_setup(&f, BLK_RAM);
	add(&f, reversed, 2);
	parse_fails(&f, state, VIRTIO_EORDER);
	assert_int_equal(virtio_mock_set_desc(&f.mock, 0, &loop), 0);
	assert_int_equal(virtio_mock_offer(&f.mock, 0), 0);
	assert_int_equal(virtio_mock_publish(&f.mock), 0);
	check_failed(take(&f, state), VIRTIO_ETOOLONG);
	assert_int_equal(f.request.base.data.last_writable.len, 0);
}

/* Hostile 114: what the driver writes after the parse does not change the request. */
static void blk_parse_copies_the_header_once(void **state)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_GET_ID, .sector = 3, .in_bytes = 20 };
	const struct virtio_blk_request *request;
	struct virtio_blk_result result;
	struct blk_fixture f;

	blk_setup(&f, BLK_RAM);
	blk_send(&f, &ask);
	request = take(&f, state);
	for (uint64_t i = 0; i < 16; i++)
		blk_poke(&f, BLK_READABLE + i, 0xff);
	virtio_blk_execute(&f.blk, request, &result);
	assert_int_equal(result.status, VIRTIO_BLK_S_OK);
	assert_int_equal(virtio_blk_complete(&f.queue, request, &result, NULL), 0);
	assert_int_equal(blk_pop_used(&f), 21);
	blk_expect(&f, &ask, (const uint8_t *)f.options.id, 20, VIRTIO_BLK_S_OK);
	blk_check_memory(&f);
}

/* Requests built by hand, larger than any test's memory */

static enum virtio_blk_refusal refusal_of(const struct blk_fixture *f, uint32_t type, uint64_t sector, uint64_t out,
					  uint64_t in)
{
	const struct virtio_blk_request request = {
		.type = type,
		.sector = sector,
		.base.data.readable_bytes = out,
		.base.data.writable_bytes = in,
	};
	const enum virtio_blk_refusal refusal = virtio_blk_refusal_of(&f->blk, &request);

	assert_int_equal(virtio_blk_refusal_status(virtio_blk_refusal_of(&f->blk, &request)),
			 virtio_blk_refusal_status(refusal));
	return refusal;
}

static uint8_t check(const struct blk_fixture *f, uint32_t type, uint64_t sector, uint64_t out, uint64_t in)
{
	return virtio_blk_refusal_status(refusal_of(f, type, sector, out, in));
}

/* Hostile 115, 116: a transfer past the end is refused, also if a sum or a shift would wrap. */
static void blk_check_refuses_ranges_outside_the_disk(void **state)
{
	static const struct {
		uint64_t sector, bytes;
		uint8_t status;
	} cases[] = {
		{ 0, BLK_DISK, VIRTIO_BLK_S_OK },
		{ BLK_SECTORS - 1, 512, VIRTIO_BLK_S_OK },
		{ BLK_SECTORS, 0, VIRTIO_BLK_S_OK },
		{ 0, BLK_DISK + 512, VIRTIO_BLK_S_IOERR },
		{ BLK_SECTORS - 1, 1024, VIRTIO_BLK_S_IOERR },
		{ BLK_SECTORS, 512, VIRTIO_BLK_S_IOERR },
		{ BLK_SECTORS + 1, 0, VIRTIO_BLK_S_IOERR },
		{ UINT64_C(1) << 55, 512, VIRTIO_BLK_S_IOERR },
		{ (UINT64_C(1) << 55) - 1, 1024, VIRTIO_BLK_S_IOERR },
		{ UINT64_C(1) << 63, 512, VIRTIO_BLK_S_IOERR },
		{ UINT64_MAX, 0, VIRTIO_BLK_S_IOERR },
		{ UINT64_MAX, 512, VIRTIO_BLK_S_IOERR },
		{ UINT64_MAX, 1024, VIRTIO_BLK_S_IOERR },
		{ UINT64_MAX - BLK_SECTORS, BLK_DISK + 512, VIRTIO_BLK_S_IOERR },
		{ 1, UINT64_MAX - 511, VIRTIO_BLK_S_IOERR },
	};
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(check(&f, VIRTIO_BLK_T_IN, cases[i].sector, 0, cases[i].bytes), cases[i].status);
		assert_int_equal(check(&f, VIRTIO_BLK_T_OUT, cases[i].sector, cases[i].bytes, 0), cases[i].status);
	}
}

/* Regression R27, hostile 39: a read is refused if its used length would exceed 32 bits. */
static void blk_check_refuses_reads_beyond_a_used_length(void **state)
{
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	assert_int_equal(virtio_blk_set_capacity(&f.blk, VIRTIO_BLK_MAX_CAPACITY), 0);
	assert_int_equal(check(&f, VIRTIO_BLK_T_IN, 0, 0, UINT64_C(0xfffffe00)), VIRTIO_BLK_S_OK);
	assert_int_equal(check(&f, VIRTIO_BLK_T_IN, 0, 0, UINT64_C(0x100000000)), VIRTIO_BLK_S_IOERR);
	assert_int_equal(check(&f, VIRTIO_BLK_T_IN, 0, 0, UINT64_C(0x100000200)), VIRTIO_BLK_S_IOERR);
	assert_int_equal(check(&f, VIRTIO_BLK_T_OUT, 0, UINT64_C(0x100000000), 0), VIRTIO_BLK_S_OK);
	assert_int_equal(check(&f, VIRTIO_BLK_T_IN, VIRTIO_BLK_MAX_CAPACITY - 1, 0, 512), VIRTIO_BLK_S_OK);
	assert_int_equal(check(&f, VIRTIO_BLK_T_IN, VIRTIO_BLK_MAX_CAPACITY - 1, 0, 1024), VIRTIO_BLK_S_IOERR);
}

/* Hostile 117: the data must be whole sectors. */
static void blk_check_refuses_parts_of_sectors(void **state)
{
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	for (uint64_t bytes = 0; bytes <= 1024; bytes++) {
		const uint8_t status = bytes % 512 ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;

		assert_int_equal(check(&f, VIRTIO_BLK_T_IN, 0, 0, bytes), status);
		assert_int_equal(check(&f, VIRTIO_BLK_T_OUT, 0, bytes, 0), status);
	}
}

/* Hostile 119: reads, writes and GET_ID must not have data in the wrong direction. */
static void blk_check_refuses_data_in_the_wrong_direction(void **state)
{
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	assert_int_equal(check(&f, VIRTIO_BLK_T_IN, 0, 1, 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(check(&f, VIRTIO_BLK_T_IN, 0, 512, 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(check(&f, VIRTIO_BLK_T_IN, 0, 512, 0), VIRTIO_BLK_S_IOERR);
	assert_int_equal(check(&f, VIRTIO_BLK_T_OUT, 0, 512, 1), VIRTIO_BLK_S_IOERR);
	assert_int_equal(check(&f, VIRTIO_BLK_T_OUT, 0, 512, 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(check(&f, VIRTIO_BLK_T_OUT, 0, 0, 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(check(&f, VIRTIO_BLK_T_GET_ID, 0, 1, 20), VIRTIO_BLK_S_IOERR);
}

/* Hostile 121: a request for the id needs room for 20 bytes. The sector does not matter. */
static void blk_check_wants_room_for_the_whole_id(void **state)
{
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	for (uint64_t room = 0; room < 20; room++)
		assert_int_equal(check(&f, VIRTIO_BLK_T_GET_ID, 0, 0, room), VIRTIO_BLK_S_IOERR);
	assert_int_equal(check(&f, VIRTIO_BLK_T_GET_ID, 0, 0, 20), VIRTIO_BLK_S_OK);
	assert_int_equal(check(&f, VIRTIO_BLK_T_GET_ID, UINT64_MAX, 0, 21), VIRTIO_BLK_S_OK);
}

/* Hostile 123: FLUSH is accepted with any data and sector. Hostile 127: FLUSH needs its feature. */
static void blk_check_accepts_a_flush_under_its_feature_only(void **state)
{
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	assert_int_equal(check(&f, VIRTIO_BLK_T_FLUSH, UINT64_MAX, 7, 9), VIRTIO_BLK_S_OK);
	f.options.read_only = true;
	blk_restart(&f, BLK_FLUSH | BLK_RO);
	assert_int_equal(check(&f, VIRTIO_BLK_T_FLUSH, 1, 0, 0), VIRTIO_BLK_S_OK);
	blk_restart(&f, 0);
	assert_int_equal(check(&f, VIRTIO_BLK_T_FLUSH, 0, 0, 0), VIRTIO_BLK_S_UNSUPP);
}

/* Hostile 124: a disk that offers RO refuses writes, whether or not the driver accepted RO. */
static void blk_check_refuses_writes_where_read_only_was_offered(void **state)
{
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	f.options.read_only = true;
	for (int accepted = 0; accepted < 2; accepted++) {
		blk_restart(&f, accepted ? BLK_RO : 0);
		assert_int_equal(check(&f, VIRTIO_BLK_T_OUT, 0, 512, 0), VIRTIO_BLK_S_IOERR);
		assert_int_equal(check(&f, VIRTIO_BLK_T_OUT, 0, 0, 0), VIRTIO_BLK_S_IOERR);
		assert_int_equal(check(&f, VIRTIO_BLK_T_IN, 0, 0, 512), VIRTIO_BLK_S_OK);
	}
}

/*
 * Hostile 122 and 127: all types but the four supported types are refused. With bit 31 or other
 * high bits set, every type is refused.
 */
static void blk_check_does_not_support_other_types(void **state)
{
	static const uint32_t high[] = { 0, UINT32_C(1) << 31, 1u << 8, 1u << 16, UINT32_C(0xffffff00) };
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	for (uint32_t low = 0; low < 256; low++) {
		for (size_t i = 0; i < sizeof high / sizeof high[0]; i++) {
			if (i == 0 && (low == 0 || low == 1 || low == 4 || low == 8))
				continue;
			assert_int_equal(check(&f, high[i] | low, 0, 0, 512), VIRTIO_BLK_S_UNSUPP);
			assert_int_equal(check(&f, high[i] | low, UINT64_MAX, 7, 0), VIRTIO_BLK_S_UNSUPP);
		}
	}
}

#define REFUSAL(name) VIRTIO_BLK_REFUSAL_##name

/* If several reasons apply, the first reason in enum virtio_blk_refusal is reported. */
static void blk_refusal_is_the_first_reason(void **state)
{
	static const struct {
		uint32_t type;
		uint64_t sector, out, in;
		enum virtio_blk_refusal refusal;
	} cases[] = {
		{ VIRTIO_BLK_T_IN, 0, 0, 1024, REFUSAL(NONE) },
		{ VIRTIO_BLK_T_OUT, 0, 1024, 0, REFUSAL(NONE) },
		{ VIRTIO_BLK_T_GET_ID, UINT64_MAX, 0, 20, REFUSAL(NONE) },
		{ 99, 0, 0, 512, REFUSAL(UNKNOWN_TYPE) },
		{ 99, UINT64_MAX, 7, 7, REFUSAL(UNKNOWN_TYPE) },
		{ VIRTIO_BLK_T_FLUSH, 0, 0, 0, REFUSAL(NOT_NEGOTIATED) },
		{ VIRTIO_BLK_T_DISCARD, 0, 16, 0, REFUSAL(NOT_NEGOTIATED) },
		{ VIRTIO_BLK_T_GET_LIFETIME, 0, 0, 6, REFUSAL(NOT_NEGOTIATED) },
		{ VIRTIO_BLK_T_GET_LIFETIME, 0, 1, 5, REFUSAL(NOT_NEGOTIATED) },
		{ VIRTIO_BLK_T_IN, 0, 1, 512, REFUSAL(WRONG_DIRECTION) },
		{ VIRTIO_BLK_T_IN, UINT64_MAX, 1, 511, REFUSAL(WRONG_DIRECTION) },
		{ VIRTIO_BLK_T_OUT, 0, 512, 1, REFUSAL(WRONG_DIRECTION) },
		{ VIRTIO_BLK_T_GET_ID, 0, 1, 19, REFUSAL(WRONG_DIRECTION) },
		{ VIRTIO_BLK_T_GET_ID, 0, 0, 19, REFUSAL(NO_ROOM) },
		{ VIRTIO_BLK_T_IN, 0, 0, 511, REFUSAL(NOT_SECTORS) },
		{ VIRTIO_BLK_T_IN, UINT64_MAX, 0, 1025, REFUSAL(NOT_SECTORS) },
		{ VIRTIO_BLK_T_OUT, 0, 1025, 0, REFUSAL(NOT_SECTORS) },
		{ VIRTIO_BLK_T_IN, 0, 0, 1536, REFUSAL(TOO_LONG) },
		{ VIRTIO_BLK_T_OUT, UINT64_MAX, 1536, 0, REFUSAL(TOO_LONG) },
		{ VIRTIO_BLK_T_IN, 0, 0, UINT64_C(1) << 32, REFUSAL(TOO_LONG) },
		{ VIRTIO_BLK_T_IN, BLK_SECTORS, 0, 512, REFUSAL(PAST_END) },
		{ VIRTIO_BLK_T_OUT, BLK_SECTORS - 1, 1024, 0, REFUSAL(PAST_END) },
	};
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	f.options.max_request_bytes = 1024;
	blk_restart(&f, 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(refusal_of(&f, cases[i].type, cases[i].sector, cases[i].out, cases[i].in),
				 cases[i].refusal);
	f.options.max_request_bytes = 0;
	blk_restart(&f, 0);
	assert_int_equal(refusal_of(&f, VIRTIO_BLK_T_IN, BLK_SECTORS, 0, UINT64_C(1) << 32), REFUSAL(USED_LENGTH));
	assert_int_equal(refusal_of(&f, VIRTIO_BLK_T_OUT, 0, UINT64_C(1) << 32, 0), REFUSAL(PAST_END));
	f.options.read_only = true;
	blk_restart(&f, 0);
	assert_int_equal(refusal_of(&f, VIRTIO_BLK_T_OUT, BLK_SECTORS, 511, 0), REFUSAL(READ_ONLY));
	assert_int_equal(refusal_of(&f, VIRTIO_BLK_T_OUT, 0, 512, 1), REFUSAL(WRONG_DIRECTION));
}

static void blk_refusal_of_a_request_with_an_error_is_its_chain(void **state)
{
	const struct virtio_blk_request request = { .base.error = VIRTIO_ESHORT, .type = 99 };
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	assert_int_equal(virtio_blk_refusal_of(&f.blk, &request), REFUSAL(BAD_CHAIN));
	assert_int_equal(virtio_blk_refusal_status(virtio_blk_refusal_of(&f.blk, &request)), VIRTIO_BLK_S_IOERR);
}

/* Makes an entry that runs a test with one of the two ways to pop a request. */
#define WAY(test, suffix, way)                                                                                         \
	(struct CMUnitTest)                                                                                            \
	{                                                                                                              \
#test suffix, test, NULL, NULL, way                                                                    \
	}
#define BOTH_WAYS(test) WAY(test, "", &from_queue), WAY(test, "_that_was_popped", &from_chain)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_WAYS(blk_parse_finds_the_same_request_in_any_layout),
		BOTH_WAYS(blk_parse_skips_empty_buffers),
		BOTH_WAYS(blk_parse_accepts_buffers_at_the_end_of_memory),
		BOTH_WAYS(blk_parse_refuses_chain_without_writable_byte),
		BOTH_WAYS(blk_parse_reports_short_header),
		BOTH_WAYS(blk_parse_reports_more_segments_than_room),
		BOTH_WAYS(blk_parse_wants_the_same_room_for_three_part_requests),
		BOTH_WAYS(blk_parse_reports_buffers_outside_memory),
		BOTH_WAYS(blk_parse_looks_up_each_buffer),
		BOTH_WAYS(blk_parse_looks_at_what_each_buffer_permits),
		BOTH_WAYS(blk_parse_refuses_status_in_read_only_memory),
		BOTH_WAYS(blk_parse_reports_malformed_chains),
		BOTH_WAYS(blk_parse_copies_the_header_once),
		cmocka_unit_test(blk_request_init_refuses_storage_that_is_not_there),
		cmocka_unit_test(blk_check_refuses_ranges_outside_the_disk),
		cmocka_unit_test(blk_check_refuses_reads_beyond_a_used_length),
		cmocka_unit_test(blk_check_refuses_parts_of_sectors),
		cmocka_unit_test(blk_check_refuses_data_in_the_wrong_direction),
		cmocka_unit_test(blk_check_wants_room_for_the_whole_id),
		cmocka_unit_test(blk_check_accepts_a_flush_under_its_feature_only),
		cmocka_unit_test(blk_check_refuses_writes_where_read_only_was_offered),
		cmocka_unit_test(blk_check_does_not_support_other_types),
		cmocka_unit_test(blk_refusal_is_the_first_reason),
		cmocka_unit_test(blk_refusal_of_a_request_with_an_error_is_its_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
