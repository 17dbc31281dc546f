/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests requests in every layout of header, data and status, over the three memories of fixture.h.
 * request_error_test.c tests bad requests, and request_complete_test.c tests completions.
 */
#include <stdlib.h>

#include "request_fixture.h"

static void request_init_refuses_missing_memory(void **state)
{
	struct virtio_request request, before;
	struct virtio_segment segment;
	uint8_t header[4];

	(void)state;
	memset(&request, GUARD, sizeof request);
	memcpy(&before, &request, sizeof before);
	assert_int_equal(virtio_request_init(&request, NULL, 1, &segment, 1), VIRTIO_EINVAL);
	assert_int_equal(virtio_request_init(&request, NULL, SIZE_MAX, NULL, 0), VIRTIO_EINVAL);
	assert_int_equal(virtio_request_init(&request, header, 4, NULL, 1), VIRTIO_EINVAL);
	assert_int_equal(virtio_request_init(&request, NULL, 0, NULL, UINT32_MAX), VIRTIO_EINVAL);
	assert_memory_equal(&request, &before, sizeof before);
	assert_int_equal(virtio_request_init(&request, NULL, 0, NULL, 0), 0);
	assert_true(!request.header && request.header_bytes == 0 && !request.segments);
	assert_int_equal(virtio_request_init(&request, header, 4, &segment, 1), 0);
	assert_true(request.header == header && request.header_bytes == 4 && request.segments == &segment);
}

/*
 * virtio 1.4, 2.7.4.1, hostile 113: a small request is cut into buffers in every way. Hostile 3: a
 * chain is as long as the queue, and lies across the end of the table.
 */
static void request_pop_finds_the_same_request_however_it_is_cut(void **state)
{
	struct ask longest = { .header = 8, .in = 7, .read_cuts = UINT64_MAX, .write_cuts = UINT64_MAX, .gap = 1 };
	struct request_fixture w;

	request_setup(&w, fixture_kind(state));
	for (uint32_t i = 0; i < 4 * 3 * 3 * 2; i++) {
		struct ask a = { .header = i % 4, .out = i / 4 % 3, .in = i / 12 % 3, .gap = i / 36 * 5 };
		const uint32_t readable = a.header + a.out;

		request_prepare(&w, a.header, ROOM);
		for (a.read_cuts = 0; a.read_cuts < 1u << (readable ? readable - 1 : 0); a.read_cuts++)
			for (a.write_cuts = 0; a.write_cuts < 1u << a.in; a.write_cuts++)
				request_try_layout(&w, a, true);
	}
	request_prepare(&w, longest.header, ROOM);
	for (uint32_t i = 0; i < SIZE; i++, w.next++)
		request_try_layout(&w, longest, false);
	request_check_faults(&w, 0);
}

/*
 * Cuts the readable part of each request at every byte, with and without a cut at the end of the
 * header.
 */
static void request_pop_finds_headers_of_any_length(void **state)
{
	struct request_fixture w;

	request_setup(&w, fixture_kind(state));
	for (uint32_t i = 0; i < REQUEST_HEADERS * 9; i++) {
		const uint32_t k = i / REQUEST_HEADERS;
		struct ask a = { .header = request_headers[i % REQUEST_HEADERS], .out = k % 3 * 4, .in = k / 3 * 2 };

		request_prepare(&w, a.header, ROOM);
		for (uint32_t c = 0; c < 2 * (a.header + a.out); c++) {
			a.read_cuts = UINT64_C(1) << c / 2 | (uint64_t)(c % 2) << (a.header - 1);
			a.write_cuts = UINT64_C(1) << c / 2 % 5;
			a.gap = c % 3;
			request_try_layout(&w, a, c / 2 == a.header - 1);
		}
	}
	request_check_faults(&w, 0);
}

/*
 * Hostile 35: buffers lie across the border between two regions. The second region is writable, or
 * read-only. Readable buffers must be accepted in both cases.
 */
static void request_pop_accepts_buffers_over_two_regions(void **state)
{
	const uint64_t border = FIXTURE_DATA + 0x100;

	(void)state;
	for (uint32_t i = 0; i < REQUEST_SHAPES * 40 * WAYS * 2; i++) {
		const uint32_t flags = i % 2 ? VIRTIO_REGION_READ_ONLY : 0, over = i / 2 / WAYS / REQUEST_SHAPES;
		struct ask a = request_shapes[i / 2 / WAYS % REQUEST_SHAPES];
		struct request_fixture w;

		request_setup_two(&w, border, flags, NULL, 0);
		request_prepare(&w, a.header, ROOM);
		a.way = i / 2 % WAYS;
		a.read_at = border - over;
		a.write_at = FIXTURE_DATA;
		request_go_through(&w, &a);
		a.read_at = border + 0x80;
		a.write_at = border - over;
		/* At most one gap lies between the first writable byte and the status. */
		a.error = flags && over <= a.in + (a.write_cuts ? a.gap : 0) ? VIRTIO_EPERM : 0;
		a.status_lost = a.error != 0;
		request_go_through(&w, &a);
		request_check_faults(&w, a.error);
	}
}

/*
 * Hostile 36: the readable or the writable part of a request ends with the last byte of memory.
 * Hostile 112: the readable part ends there, and is one byte shorter than the expected header.
 */
static void request_pop_accepts_buffers_up_to_the_last_byte(void **state)
{

	(void)state;
	for (uint32_t i = 0; i < REQUEST_HEADERS * 9 * 4; i++) {
		struct ask a = { .header = request_headers[i % REQUEST_HEADERS],
				 .out = i / 11 % 3 * 5,
				 .in = i / 33 % 3 * 8 };
		const uint32_t read = a.header + a.out, bytes = read + i % 5, k = i / 99;
		void *block = malloc(bytes);
		struct request_fixture w;

		assert_non_null(block);
		request_setup_two(&w, HEAP, 0, block, bytes);
		virtio_memory_cursor_init(&w.f.mock.memory, &w.f.device_map);
		a.read_cuts = k % 2 ? UINT64_C(1) << (a.header - 1) : 0;
		a.write_cuts = k / 2 ? UINT64_C(1) << a.in >> 1 : 0;
		a.read_at = HEAP + bytes - read;
		request_prepare(&w, a.header, ROOM);
		request_try_layout(&w, a, true);
		request_prepare(&w, read + 1, ROOM);
		a.error = VIRTIO_ESHORT;
		request_try_layout(&w, a, true);
		if (a.in + 1 <= bytes) {
			request_prepare(&w, a.header, ROOM);
			a.error = 0;
			a.read_at = 0;
			a.write_at = HEAP + bytes - a.in - 1;
			request_try_layout(&w, a, true);
		}
		request_check_faults(&w, 0);
		free(block);
	}
}

/* Addresses of the parts of a request, near the border between two regions. */
struct places {
	uint64_t header, data, status;
	uint32_t bytes; /* length of the data */
	bool writable;
};

static void place(uint64_t *at, uint64_t addr, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		at[i] = addr + i;
}

static void go_through_places(struct request_fixture *w, const struct places *p)
{
	struct ask a = { .header = 16, .way = POP_COUNTED };
	struct sent s = { .count = 3 };
	const bool over = p->data < w->border && p->data + p->bytes > w->border;

	*(p->writable ? &a.in : &a.out) = p->bytes;
	place(s.read_at, p->header, 16);
	place(p->writable ? s.write_at : s.read_at + 16, p->data, p->bytes);
	place(s.write_at + a.in, p->status, 1);
	s.buffers[0] = (struct virtio_mock_buffer)READABLE(p->header, 16);
	s.buffers[1] = (struct virtio_mock_buffer)READABLE(p->data, p->bytes);
	s.buffers[1].flags = p->writable ? VRING_DESC_F_WRITE : 0;
	s.buffers[2] = (struct virtio_mock_buffer)WRITABLE(p->status, 1);
	s.needed = 3 + over;
	request_put(w, &a, &s);
	request_offer(w, &s, false);
	assert_int_equal(request_pop(w, a.way), 1);
	request_judge(w, &a, &s);
}

/*
 * Hostile 35: a request's parts lie in two regions. Every placement is tried after every placement,
 * because a look-up tries the cached region first. Data lies in either region, or crosses the
 * border.
 */
static void request_pop_follows_buffers_into_other_regions(void **state)
{
	const uint64_t border = FIXTURE_DATA + 0x100;
	const struct {
		uint64_t addr;
		uint32_t bytes;
	} data[] = { { border - 0x80, 40 },
		     { border + 0x40, 40 },
		     { border - 40, 45 },
		     { border - 16, 8 },
		     { border - 9, 18 } };
	struct places all[2 * 2 * 2 * COUNT(data)];
	struct request_fixture w;

	(void)state;
	for (uint32_t i = 0; i < COUNT(all); i++)
		all[i] = (struct places){
			.header = i % 2 ? border - 0xc0 : border + 0x20,
			.status = i / 2 % 2 ? border - 0xa0 : border + 0x10,
			.writable = i / 4 % 2 != 0,
			.data = data[i / 8].addr,
			.bytes = data[i / 8].bytes,
		};
	request_setup_two(&w, border, 0, NULL, 0);
	request_prepare(&w, 16, ROOM);
	for (uint32_t i = 0; i < COUNT(all) * COUNT(all); i++) {
		go_through_places(&w, &all[i / COUNT(all)]);
		go_through_places(&w, &all[i % COUNT(all)]);
	}
	request_check_faults(&w, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_init_refuses_missing_memory),
		FIXTURE_ON_ALL(request_pop_finds_the_same_request_however_it_is_cut),
		FIXTURE_ON_ALL(request_pop_finds_headers_of_any_length),
		cmocka_unit_test(request_pop_accepts_buffers_over_two_regions),
		cmocka_unit_test(request_pop_accepts_buffers_up_to_the_last_byte),
		cmocka_unit_test(request_pop_follows_buffers_into_other_regions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
