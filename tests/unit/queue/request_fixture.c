/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* See request_fixture.h. */
#include "request_fixture.h"

const struct ask request_shapes[REQUEST_SHAPES] = {
	{ .header = 16, .in = 8, .write_cuts = 1u << 7 },
	{ .header = 16, .out = 9, .read_cuts = 1u << 15 },
	{ .header = 16, .empty = 2 },
	{ .header = 16 },
	{ .header = 16, .in = 8, .write_cuts = 1u << 7, .indirect = true },
	{ .header = 16, .out = 2, .in = 20, .read_cuts = 1u << 15, .write_cuts = 1u << 19, .gap = 1 },
	{ .header = 16, .out = 3, .in = 3, .read_cuts = 9, .write_cuts = 2, .gap = 5, .indirect = true },
};

const uint32_t request_headers[REQUEST_HEADERS] = { 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, HEADER };

void request_prepare(struct request_fixture *w, uint32_t header, uint32_t capacity)
{
	memset(&w->request, GUARD, sizeof w->request);
	memset(w->segments, GUARD, sizeof w->segments);
	memset(w->header, GUARD, sizeof w->header);
	assert_int_equal(virtio_request_init(&w->request, header ? w->header : NULL, header,
					     capacity ? w->segments : NULL, capacity),
			 0);
}

void request_setup(struct request_fixture *w, enum fixture_memory kind)
{
	memset(w, 0, sizeof *w);
	fixture_init(&w->f, kind, SIZE);
	w->f.config.indirect = true;
	fixture_start(&w->f);
}

void request_setup_two(struct request_fixture *w, uint64_t addr, uint32_t flags, void *heap, uint64_t bytes)
{
	request_setup(w, FIXTURE_FLAT);
	virtio_queue_reset(&w->f.queue);
	w->border = heap ? 0 : addr;
	w->regions[0] = w->f.regions[0];
	w->regions[0].len = heap ? FIXTURE_BYTES : addr - FIXTURE_BASE;
	w->regions[1] = (struct virtio_region){ .addr = addr, .flags = flags };
	w->regions[1].len = heap ? bytes : FIXTURE_END - addr;
	w->regions[1].host = heap ? heap : w->f.ram + w->regions[0].len;
	assert_int_equal(virtio_memory_map_init(&w->f.device_map, w->regions, 2), 0);
	fixture_start(&w->f);
}

static uint8_t content(uint32_t i)
{
	return (uint8_t)(i * 7 + 1);
}

static uint32_t cut(struct virtio_mock_buffer *buffers, uint64_t *place, uint64_t at, uint32_t bytes, uint64_t cuts,
		    uint32_t gap, uint16_t flags)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < bytes; i++) {
		if (i == 0 || cuts >> (i - 1) & 1) {
			at += i ? gap : 0;
			buffers[n++] = (struct virtio_mock_buffer){ at, 0, flags };
		}
		buffers[n - 1].len++;
		place[i] = at++;
	}
	return n;
}

/* Hostile 37: the address of an empty buffer is outside memory. */
void request_lay_out(const struct request_fixture *w, const struct ask *a, struct sent *s)
{
	static const uint64_t pieces[] = { UINT64_MAX, 1, 16 };

	memset(s, 0, sizeof *s);
	s->count = cut(s->buffers, s->read_at, a->read_at ? a->read_at : FIXTURE_DATA, a->header + a->out, a->read_cuts,
		       a->gap, 0);
	s->count += cut(s->buffers + s->count, s->write_at, a->write_at ? a->write_at : IN, a->in + !a->no_status,
			a->write_cuts, a->gap, VRING_DESC_F_WRITE);
	if (a->empty) {
		for (uint32_t i = s->count++; i >= a->empty; i--)
			s->buffers[i] = s->buffers[i - 1];
		s->buffers[a->empty - 1] =
			(struct virtio_mock_buffer){ UINT64_MAX, 0, a->empty_writable ? VRING_DESC_F_WRITE : 0 };
	}
	for (uint32_t i = 0; i < s->count; i++)
		for (uint64_t k = 0; k < s->buffers[i].len; k++)
			s->needed += k == 0 || s->buffers[i].addr + k == w->border ||
				     (s->buffers[i].addr + k) % pieces[w->f.kind] == 0;
}

/* Hostile 20: WRITE has no meaning in a descriptor that refers to a table. */
void request_offer(struct request_fixture *w, struct sent *s, bool indirect)
{
	s->head = (uint16_t)(w->next++ % SIZE);
	if (indirect)
		fixture_offer_table(&w->f, s->head,
				    w->next % 2 ? VRING_DESC_F_INDIRECT : VRING_DESC_F_INDIRECT | VRING_DESC_F_WRITE,
				    s->buffers, s->count);
	else
		fixture_offer_chain(&w->f, s->head, s->buffers, s->count);
}

static void fill(struct request_fixture *w, const uint64_t *at, uint32_t count, uint8_t byte)
{
	for (uint32_t i = 0; i < count; i++)
		fixture_write(&w->f, at[i], &byte, 1);
}

void request_put(struct request_fixture *w, const struct ask *a, const struct sent *s)
{
	for (uint32_t i = 0; i < a->header + a->out; i++)
		fill(w, &s->read_at[i], 1, content(i));
	if (a->error != VIRTIO_EFAULT)
		fill(w, s->write_at, a->in + !a->no_status, FILL);
}

void request_add(struct request_fixture *w, const struct ask *a, struct sent *s)
{
	request_lay_out(w, a, s);
	request_put(w, a, s);
	request_offer(w, s, a->indirect);
}

int request_pop(struct request_fixture *w, uint32_t way)
{
	struct virtio_chain chain = { 0 };
	struct virtio_desc desc;
	int got;

	fixture_save(&w->f);
	assert_true(way != POP_COUNTED || virtio_queue_available(&w->f.queue) == 1);
	got = way == PARSE ? virtio_queue_pop(&w->f.queue, &chain) : virtio_request_pop(&w->f.queue, &w->request);
	if (way == PARSE && got == 1) {
		assert_int_equal(virtio_request_parse(&chain, &w->request), 0);
		assert_memory_equal(&w->request.token, &chain.token, sizeof chain.token);
		assert_int_not_equal(virtio_chain_next(&chain, &desc), 1);
	}
	assert_true(w->f.kind == FIXTURE_CHANGING || fixture_ram_unchanged(&w->f));
	return got;
}

void request_pop_none(struct request_fixture *w, int answer, uint32_t way)
{
	struct virtio_chain chain = { 0 };
	struct virtio_request before;
	uint8_t header[sizeof w->header];

	memcpy(&before, &w->request, sizeof before);
	memcpy(header, w->header, sizeof header);
	fixture_save(&w->f);
	assert_true(way != POP_COUNTED || virtio_queue_available(&w->f.queue) == 1);
	if (way == PARSE) {
		assert_int_equal(virtio_queue_pop(&w->f.queue, &chain), 1);
		assert_int_equal(virtio_request_parse(&chain, &w->request), answer);
		assert_int_equal(virtio_queue_unpop(&w->f.queue, chain.token), 0);
	} else {
		assert_int_equal(virtio_request_pop(&w->f.queue, &w->request), answer);
	}
	assert_memory_equal(&w->request, &before, sizeof before);
	assert_memory_equal(w->header, header, sizeof header);
	assert_true(fixture_ram_unchanged(&w->f) && virtio_queue_quiesced(&w->f.queue));
}

/* Checks that the segments cover exactly these bytes, in order. */
static void check_segments(struct request_fixture *w, const struct virtio_segment *s, uint32_t count,
			   const uint64_t *at, uint64_t bytes)
{
	for (uint32_t i = 0; i < count; i++, s++) {
		assert_true(s->len > 0 && s->len <= bytes);
		assert_true(s->addr - s->region->addr < s->region->len);
		for (uint64_t k = 0; k < s->len; k++, at++, bytes--) {
			assert_int_equal(s->addr + k, *at);
			assert_ptr_equal((const uint8_t *)s->host + k,
					 virtio_memory_find(&w->f.mock.memory, *at, 1, VIRTIO_ACCESS_WRITE));
		}
	}
	assert_int_equal(bytes, 0);
}

/* Checks that readers and writers see all bytes in order. */
static void check_streams(struct request_fixture *w, uint32_t header, uint32_t out, uint32_t in, const struct sent *s)
{
	uint8_t bytes[MAX_BYTES] = { 0 }, byte = 0;
	struct virtio_reader reader;
	struct virtio_writer writer;

	virtio_reader_init(&reader, &w->request.data);
	assert_int_equal(virtio_reader_read(&reader, bytes, sizeof bytes), out);
	for (uint32_t i = 0; i < out; i++)
		assert_int_equal(bytes[i], content(header + i));
	for (uint32_t i = 0; i < MAX_BYTES; i++)
		bytes[i] = content(i);
	virtio_writer_init(&writer, &w->request.data);
	assert_int_equal(virtio_writer_write(&writer, bytes, sizeof bytes), in);
	for (uint32_t i = 0; s && i <= in; i++) {
		fixture_read(&w->f, s->write_at[i], &byte, 1);
		assert_int_equal(byte, i < in ? content(i) : FILL);
	}
}

/*
 * Completes the request. The used length must be len. Apart from the used ring only the status may
 * change.
 */
static void finish(struct request_fixture *w, uint64_t written, uint32_t len)
{
	const struct virtio_segment status = w->request.data.last_writable;
	const uint64_t ring = w->f.mock.addr[VIRTIO_QUEUE_USED];
	const size_t bytes = (size_t)virtio_mock_area_bytes(&w->f.mock, VIRTIO_QUEUE_USED);
	struct vring_used_elem used = { 0, 0 };
	uint8_t before[256], after[256], old = 0, byte = 0;

	fixture_read(&w->f, ring, before, bytes);
	fixture_read(&w->f, status.addr, &old, status.len);
	fixture_save(&w->f);
	assert_int_equal(virtio_request_complete(&w->f.queue, &w->request, STATUS, written), 0);
	assert_int_equal(virtio_mock_pop_used(&w->f.mock, &used), 1);
	assert_int_equal(used.id, virtio_token_head(w->request.token));
	assert_int_equal(used.len, len);
	fixture_read(&w->f, status.addr, &byte, status.len);
	assert_int_equal(byte, status.len ? STATUS : 0);
	fixture_write(&w->f, status.addr, &old, status.len);
	fixture_read(&w->f, ring, after, bytes);
	fixture_write(&w->f, ring, before, bytes);
	assert_true(fixture_ram_unchanged(&w->f));
	fixture_write(&w->f, ring, after, bytes);
}

/*
 * Checks the parts that every result has: token, status, and the guards after the header and the
 * segments.
 */
static void check_frame(struct request_fixture *w, uint16_t head, const uint64_t *status)
{
	const struct virtio_request *r = &w->request;

	assert_int_equal(virtio_token_head(r->token), head);
	assert_int_equal(w->f.inflight[head].state, r->token.value);
	assert_int_equal(r->data.last_writable.len, status ? 1 : 0);
	if (status)
		check_segments(w, &r->data.last_writable, 1, status, 1);
	assert_int_equal(w->header[r->header_bytes], GUARD);
	assert_int_equal(w->segments[ROOM].len, UNTOUCHED);
}

static void check_good(struct request_fixture *w, const struct ask *a, const struct sent *s)
{
	const struct virtio_chain_segments *d = &w->request.data;

	assert_int_equal(w->request.error, 0);
	check_frame(w, s->head, &s->write_at[a->in]);
	/*
	 * As in hostile 114, the driver overwrites the header after the pop. The device's copy must
	 * not change.
	 */
	fill(w, s->read_at, a->header, GUARD);
	for (uint32_t i = 0; i < a->header; i++)
		assert_int_equal(w->header[i], content(i));
	assert_int_equal(d->readable_bytes, a->out);
	assert_int_equal(d->writable_bytes, a->in);
	assert_int_equal(d->needed, s->needed);
	if (d->readable + d->writable > 0)
		assert_in_range(d->segments - w->segments, 0, ROOM - d->readable - d->writable);
	check_segments(w, d->segments, d->readable, s->read_at + a->header, a->out);
	check_segments(w, d->segments + d->readable, d->writable, s->write_at, a->in);
	check_streams(w, a->header, a->out, a->in, s);
	finish(w, a->in, a->in + 1);
}

/*
 * Hostile 45: a request with an error can be completed. The status is written if there is a byte
 * for it.
 */
void request_check_error(struct request_fixture *w, uint16_t head, int error, const uint64_t *status)
{
	const struct virtio_chain_segments *d = &w->request.data;

	assert_int_equal(w->request.error, error);
	check_frame(w, head, status);
	assert_int_equal(w->request.fast_complete, 0);
	assert_true(d->readable == 0 && d->writable == 0 && d->readable_bytes == 0 && d->writable_bytes == 0);
	check_streams(w, 0, 0, 0, NULL);
	finish(w, 5, 0);
}

void request_judge(struct request_fixture *w, const struct ask *a, const struct sent *s)
{
	if (a->error == VIRTIO_ESHORT || a->error == VIRTIO_ENOBUFS)
		assert_int_equal(w->request.data.needed, s->needed);
	if (a->error)
		request_check_error(w, s->head, a->error, a->no_status || a->status_lost ? NULL : &s->write_at[a->in]);
	else
		check_good(w, a, s);
}

void request_go_through(struct request_fixture *w, const struct ask *a)
{
	struct sent s;

	request_add(w, a, &s);
	assert_int_equal(request_pop(w, a->way), 1);
	request_judge(w, a, &s);
}

void request_check_faults(struct request_fixture *w, int error)
{
	const bool malformed = error && error != VIRTIO_ESHORT && error != VIRTIO_ENOBUFS;
	struct virtio_queue_stats stats;

	virtio_queue_get_stats(&w->f.queue, &stats);
	assert_int_equal(stats.chain_faults, malformed);
	assert_int_equal(stats.first_error, malformed ? error : 0);
	assert_true(!malformed || stats.first_head == virtio_token_head(w->request.token));
	assert_true(stats.ring_faults == 0 && virtio_queue_quiesced(&w->f.queue));
}

void request_try_layout(struct request_fixture *w, struct ask a, bool with_empty)
{
	const bool no_empty = a.empty != 0;
	uint32_t split = 0;
	struct sent s;

	request_lay_out(w, &a, &s);
	while (split < s.count && !s.buffers[split].flags)
		split++;
	for (uint32_t k = 0; k < 2 * WAYS; k++) {
		a.indirect = k % 2 != 0;
		a.way = k / 2;
		request_go_through(w, &a);
		/*
		 * Between the readable and the writable buffers, an empty buffer of either
		 * direction is tried.
		 */
		for (uint32_t e = 0; with_empty && !no_empty && e < s.count + 2; e++) {
			a.empty_writable = e > split;
			a.empty = 1 + (e > split ? e - 1 : e);
			request_go_through(w, &a);
			a.empty = 0;
		}
	}
}
