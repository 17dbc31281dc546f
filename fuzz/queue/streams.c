/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The device's half of the queue harness: readers and writers of a resolved chain. */
#include "streams.h"

#define MOST_BYTES 0x10000u
#define MOST_ENTRIES 12u

/*
 * Returns the piece that contains a position, cut to begin at this position. The position must be
 * in the chain.
 */
static struct model_piece piece_at(const struct harness_request *r, uint64_t at)
{
	struct model_piece p;

	for (uint32_t i = 0; i < r->model->needed; i++) {
		p = r->model->pieces[i];
		if (at < p.len) {
			p.addr += at;
			p.offset += at;
			p.len -= at;
			return p;
		}
		at -= p.len;
	}
	FUZZ_CHECK(false, "the model reads past the end of the chain");
	return r->model->last;
}

/*
 * Advances by `len` bytes, piece by piece. Copies the bytes from the shadow to `out`, or from `in`
 * to the shadow. If `out` and `in` are NULL, marks the bytes in the shadow of the dirty log.
 */
static void move(struct harness *h, const struct harness_request *r, struct harness_stream *s, uint64_t len,
		 uint8_t *out, const uint8_t *in)
{
	while (len > 0) {
		const struct model_piece p = piece_at(r, s->at);
		const uint64_t n = p.len < len ? p.len : len;

		if (out) {
			memcpy(out, shadow_shadow(h->shadow, &p.region, p.offset), (size_t)n);
			out += n;
		} else if (in) {
			shadow_put_region(h->shadow, &p.region, p.offset, in, (size_t)n);
			in += n;
		} else {
			shadow_mark_region(h->shadow, &p.region, p.offset, n);
		}
		s->at += n;
		s->done += n;
		len -= n;
	}
}

static uint64_t left(const struct harness_stream *s)
{
	return s->end - s->at;
}

static void read_some(struct harness *h, struct harness_request *r, uint64_t len, bool exact)
{
	struct harness_stream *s = &r->reading;
	const bool enough = len <= left(s);
	const uint64_t n = enough ? len : exact ? 0 : left(s);
	uint8_t *got = fuzz_alloc((size_t)n), *expected = fuzz_alloc((size_t)n);

	if (exact)
		FUZZ_CHECK(virtio_reader_read_exact(&r->reader, got, (size_t)len) == (enough ? 0 : VIRTIO_ESHORT),
			   "virtio_reader_read_exact() is wrong");
	else
		FUZZ_CHECK(virtio_reader_read(&r->reader, got, (size_t)len) == n, "virtio_reader_read() is wrong");
	move(h, r, s, n, expected, NULL);
	FUZZ_CHECK(memcmp(got, expected, (size_t)n) == 0, "a read returned wrong bytes");
	free(got);
	free(expected);
}

static void write_some(struct harness *h, struct harness_request *r, uint64_t len, bool exact)
{
	struct harness_stream *s = &r->writing;
	const bool enough = len <= left(s);
	const uint64_t n = enough ? len : exact ? 0 : left(s);
	uint8_t *bytes = fuzz_alloc((size_t)n);

	for (uint64_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(s->at + i * 3 + 1);
	if (exact)
		FUZZ_CHECK(virtio_writer_write_exact(&r->writer, bytes, (size_t)len) == (enough ? 0 : VIRTIO_ESHORT),
			   "virtio_writer_write_exact() is wrong");
	else
		FUZZ_CHECK(virtio_writer_write(&r->writer, bytes, (size_t)len) == n, "virtio_writer_write() is wrong");
	move(h, r, s, n, NULL, bytes);
	free(bytes);
}

/*
 * Compares the entries of an I/O vector with the pieces. If @write is true, also writes to the
 * bytes of the entries.
 */
static void check_iovec(struct harness *h, const struct harness_request *r, const struct harness_stream *s,
			const struct virtio_iovec *iov, uint32_t count, uint64_t filled, bool write)
{
	uint64_t at = s->at;

	for (uint32_t i = 0; i < count; i++) {
		const struct model_piece p = piece_at(r, at);

		FUZZ_CHECK((uint8_t *)iov[i].base == shadow_host(h->shadow, &p.region) + p.offset,
			   "entry %u has a wrong address", i);
		FUZZ_CHECK(iov[i].len > 0 && iov[i].len <= p.len, "entry %u is empty or leaves its piece: %zu bytes", i,
			   iov[i].len);
		FUZZ_CHECK(iov[i].len == p.len || at + iov[i].len == s->at + filled, "entry %u is short", i);
		for (size_t j = 0; j < iov[i].len && write; j++) {
			const uint8_t byte = (uint8_t)(at + j);

			((uint8_t *)iov[i].base)[j] = byte;
			shadow_put_unlogged(h->shadow, &p.region, p.offset + j, &byte, 1);
		}
		at += iov[i].len;
	}
	FUZZ_CHECK(at == s->at + filled, "%u entries do not have %llu bytes", count, (unsigned long long)filled);
}

static void show(struct harness *h, struct harness_request *r, uint64_t len, bool write)
{
	const struct harness_stream *s = write ? &r->writing : &r->reading;
	const uint32_t capacity = fuzz_u8(&h->in) % (MOST_ENTRIES + 1);
	struct virtio_iovec *iov = fuzz_alloc(sizeof *iov * capacity);
	uint64_t filled = 0;
	const uint32_t count = write ? virtio_writer_iovec(&r->writer, len, iov, capacity, &filled)
				     : virtio_reader_iovec(&r->reader, len, iov, capacity, &filled);
	const uint64_t wanted = len < left(s) ? len : left(s);

	FUZZ_CHECK(count <= capacity && filled <= wanted, "the vector has too many entries or bytes: %u entries",
		   count);
	FUZZ_CHECK(filled == wanted || count == capacity, "the vector ends too early");
	check_iovec(h, r, s, iov, count, filled, write);
	free(iov);
}

static void skip(struct harness *h, struct harness_request *r, uint64_t len, bool write)
{
	struct harness_stream *s = write ? &r->writing : &r->reading;
	const int got = write ? virtio_writer_advance(&r->writer, len) : virtio_reader_skip(&r->reader, len);

	FUZZ_CHECK(got == (len <= left(s) ? 0 : VIRTIO_ESHORT), "skip returned %d", got);
	if (got)
		return;
	if (write) {
		move(h, r, s, len, NULL, NULL);
	} else {
		s->at += len;
		s->done += len;
	}
}

/* Splits a reader or writer, and continues with one of the two parts. */
static void split(struct harness *h, struct harness_request *r, uint64_t len, bool write)
{
	struct harness_stream *s = write ? &r->writing : &r->reading;
	const bool front = fuzz_u8(&h->in) & 1;
	struct virtio_reader reader = { 0 };
	struct virtio_writer writer = { 0 };
	const int got =
		write ? virtio_writer_split(&r->writer, len, &writer) : virtio_reader_split(&r->reader, len, &reader);

	FUZZ_CHECK(got == (len <= left(s) ? 0 : VIRTIO_ESHORT), "split returned %d", got);
	if (got)
		return;
	if (front) {
		s->end = s->at + len;
		return;
	}
	s->at += len;
	s->done = 0;
	if (write)
		r->writer = writer;
	else
		r->reader = reader;
}

void harness_stream_step(struct harness *h, struct harness_request *r)
{
	const uint8_t how = fuzz_u8(&h->in);
	const uint64_t len = fuzz_number(&h->in);
	const bool write = how & 1;

	switch (how >> 1 & 7) {
	case 0:
	case 1:
		(write ? write_some : read_some)(h, r, len, how & 2);
		break;
	case 2:
	case 3:
		show(h, r, len, write);
		break;
	case 4:
	case 5:
		skip(h, r, len, write);
		break;
	default:
		split(h, r, len, write);
	}
	FUZZ_CHECK(virtio_reader_left(&r->reader) == left(&r->reading), "virtio_reader_left() is wrong");
	FUZZ_CHECK(virtio_reader_done(&r->reader) == r->reading.done, "virtio_reader_done() is wrong");
	FUZZ_CHECK(virtio_writer_left(&r->writer) == left(&r->writing), "virtio_writer_left() is wrong");
	FUZZ_CHECK(virtio_writer_done(&r->writer) == r->writing.done, "virtio_writer_done() is wrong");
	FUZZ_CHECK(virtio_writer_used(&r->writer) == r->writing.done, "virtio_writer_used() is wrong");
}

void harness_begin_streams(struct harness_request *r, const struct virtio_chain_segments *data, uint64_t front,
			   uint64_t behind)
{
	virtio_reader_init(&r->reader, data);
	virtio_writer_init(&r->writer, data);
	r->reading = (struct harness_stream){ front, r->model->readable_bytes, 0 };
	r->writing = (struct harness_stream){ r->model->readable_bytes, r->model->bytes - behind, 0 };
}

void harness_echo(struct harness *h, struct harness_request *r)
{
	read_some(h, r, MOST_BYTES, false);
	write_some(h, r, MOST_BYTES, false);
}
