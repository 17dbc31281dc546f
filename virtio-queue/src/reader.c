/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Readers and writers over segments. A reader and a writer each contain a struct virtio_stream.
 * Only this file changes the position in a stream.
 */
#include <virtio/reader.h>

/* The most bytes in one step of virtio_writer_zero() and virtio_writer_copy(). */
#define PIECE 512u

/*
 * Returns the host address of the next byte. Sets *n to the number of contiguous bytes there, at
 * most len. len and p->left must not be 0.
 */
static void *here(const struct virtio_stream *p, uint64_t len, uint64_t *n)
{
	uint64_t in_segment = p->segments->len - p->offset;

	*n = len < in_segment ? len : in_segment;
	return (uint8_t *)p->segments->host + p->offset;
}

/* Steps over n bytes of the current segment. */
static void step(struct virtio_stream *p, uint64_t n)
{
	p->offset += n;
	p->left -= n;
	p->done += n;
	if (p->offset == p->segments->len) {
		p->segments++;
		p->offset = 0;
	}
}

/*
 * Copies `n` bytes between a segment, from `offset` on, and the caller's array `bytes`. If `in` is
 * true, writes the array. Otherwise writes the segment, and only reads the array.
 */
static inline VIRTIO_HOT void move_piece(const struct virtio_segment *s, uint64_t offset, bool in, uint8_t *bytes,
					 uint64_t n)
{
	uint8_t *here = (uint8_t *)s->host + offset;

	if (in) {
		virtio_guest_copy_in(bytes, here, (size_t)n);
		return;
	}
	virtio_guest_copy_out(here, bytes, (size_t)n);
	if (VIRTIO_UNLIKELY(s->region->dirty != NULL))
		virtio_region_mark_dirty(s->region, here, n);
}

/*
 * Copies up to len bytes by move_piece(), and advances the stream. Copies the rest of the present
 * segment, then all whole segments that fit, then the beginning of the next segment. The position
 * is in local variables, which the compiler can keep in registers.
 */
static inline VIRTIO_HOT size_t move(struct virtio_stream *p, bool in, uint8_t *bytes, size_t len)
{
	const struct virtio_segment *s = p->segments;
	uint64_t offset = p->offset;
	size_t todo;

	if (len > p->left)
		len = (size_t)p->left;
	todo = len;
	if (offset != 0 && todo >= s->len - offset) {
		move_piece(s, offset, in, bytes, s->len - offset);
		bytes += s->len - offset;
		todo -= (size_t)(s->len - offset);
		offset = 0;
		s++;
	}
	if (offset == 0) {
		for (; todo != 0 && todo >= s->len; s++) {
			move_piece(s, 0, in, bytes, s->len);
			bytes += s->len;
			todo -= (size_t)s->len;
		}
	}
	if (todo != 0)
		move_piece(s, offset, in, bytes, todo);
	p->segments = s;
	p->offset = offset + todo;
	p->left -= len;
	p->done += len;
	return len;
}

void virtio_stream_init(struct virtio_stream *stream, const struct virtio_segment *segments, uint64_t bytes)
{
	const struct virtio_stream start = { segments, 0, bytes, 0 };

	*stream = start;
}

int virtio_stream_advance(struct virtio_stream *stream, uint64_t len)
{
	uint64_t n;

	if (len > stream->left)
		return VIRTIO_ESHORT;
	for (; len > 0; len -= n) {
		here(stream, len, &n);
		step(stream, n);
	}
	return 0;
}

uint32_t virtio_stream_iovec(const struct virtio_stream *stream, uint64_t bytes, struct virtio_iovec *iov,
			     uint32_t capacity, uint64_t *filled)
{
	struct virtio_stream at = *stream;
	uint32_t count = 0;
	uint64_t n;

	if (bytes > at.left)
		bytes = at.left;
	at.done = 0;
	while (at.done < bytes && count < capacity) {
		iov[count].base = here(&at, bytes - at.done, &n);
		iov[count].len = (size_t)n;
		step(&at, n);
		count++;
	}
	*filled = at.done;
	return count;
}

static int split(struct virtio_stream *p, uint64_t len, struct virtio_stream *rest)
{
	struct virtio_stream back = *p;
	int error = virtio_stream_advance(&back, len);

	if (error)
		return error;
	back.done = 0;
	*rest = back;
	p->left = len;
	return 0;
}

/* Readers */

void virtio_reader_init(struct virtio_reader *reader, const struct virtio_chain_segments *chain)
{
	virtio_stream_init(&reader->at, chain->segments, chain->readable_bytes);
}

uint64_t virtio_reader_left(const struct virtio_reader *reader)
{
	return reader->at.left;
}

uint64_t virtio_reader_done(const struct virtio_reader *reader)
{
	return reader->at.done;
}

size_t virtio_reader_read(struct virtio_reader *reader, void *dst, size_t len)
{
	return move(&reader->at, true, dst, len);
}

int virtio_reader_read_exact(struct virtio_reader *reader, void *dst, size_t len)
{
	if (len > reader->at.left)
		return VIRTIO_ESHORT;
	virtio_reader_read(reader, dst, len);
	return 0;
}

int virtio_reader_read_le16(struct virtio_reader *reader, uint16_t *out)
{
	uint8_t raw[sizeof *out];
	const int error = virtio_reader_read_exact(reader, raw, sizeof raw);

	if (!error)
		*out = virtio_get_le16(raw);
	return error;
}

int virtio_reader_read_le32(struct virtio_reader *reader, uint32_t *out)
{
	uint8_t raw[sizeof *out];
	const int error = virtio_reader_read_exact(reader, raw, sizeof raw);

	if (!error)
		*out = virtio_get_le32(raw);
	return error;
}

int virtio_reader_read_le64(struct virtio_reader *reader, uint64_t *out)
{
	uint8_t raw[sizeof *out];
	const int error = virtio_reader_read_exact(reader, raw, sizeof raw);

	if (!error)
		*out = virtio_get_le64(raw);
	return error;
}

int virtio_reader_skip(struct virtio_reader *reader, uint64_t len)
{
	return virtio_stream_advance(&reader->at, len);
}

int virtio_reader_split(struct virtio_reader *reader, uint64_t len, struct virtio_reader *rest)
{
	return split(&reader->at, len, &rest->at);
}

uint32_t virtio_reader_iovec(const struct virtio_reader *reader, uint64_t bytes, struct virtio_iovec *iov,
			     uint32_t capacity, uint64_t *filled)
{
	return virtio_stream_iovec(&reader->at, bytes, iov, capacity, filled);
}

/* Writers */

void virtio_writer_init(struct virtio_writer *writer, const struct virtio_chain_segments *chain)
{
	/* chain->segments may be NULL when the chain has none; NULL + 0 is undefined in C. */
	struct virtio_segment *first = chain->readable ? chain->segments + chain->readable : chain->segments;

	virtio_stream_init(&writer->at, first, chain->writable_bytes);
}

uint64_t virtio_writer_left(const struct virtio_writer *writer)
{
	return writer->at.left;
}

uint64_t virtio_writer_done(const struct virtio_writer *writer)
{
	return writer->at.done;
}

uint32_t virtio_writer_used(const struct virtio_writer *writer)
{
	return writer->at.done < UINT32_MAX ? (uint32_t)writer->at.done : UINT32_MAX;
}

size_t virtio_writer_write(struct virtio_writer *writer, const void *src, size_t len)
{
	return move(&writer->at, false, (uint8_t *)(uintptr_t)src, len);
}

int virtio_writer_write_exact(struct virtio_writer *writer, const void *src, size_t len)
{
	if (len > writer->at.left)
		return VIRTIO_ESHORT;
	virtio_writer_write(writer, src, len);
	return 0;
}

int virtio_writer_write_le16(struct virtio_writer *writer, uint16_t value)
{
	uint8_t raw[sizeof value];

	virtio_put_le16(raw, value);
	return virtio_writer_write_exact(writer, raw, sizeof raw);
}

int virtio_writer_write_le32(struct virtio_writer *writer, uint32_t value)
{
	uint8_t raw[sizeof value];

	virtio_put_le32(raw, value);
	return virtio_writer_write_exact(writer, raw, sizeof raw);
}

int virtio_writer_write_le64(struct virtio_writer *writer, uint64_t value)
{
	uint8_t raw[sizeof value];

	virtio_put_le64(raw, value);
	return virtio_writer_write_exact(writer, raw, sizeof raw);
}

uint64_t virtio_writer_zero(struct virtio_writer *writer, uint64_t len)
{
	static const uint8_t zeroes[PIECE];
	uint64_t done = 0;

	while (done < len) {
		const uint64_t left = len - done;
		const size_t part = left < PIECE ? (size_t)left : PIECE;
		const size_t now = virtio_writer_write(writer, zeroes, part);

		done += now;
		if (now < part)
			break;
	}
	return done;
}

/*
 * Copies through a local array to read each byte only once, because the guest may change the bytes.
 */
uint64_t virtio_writer_copy(struct virtio_writer *writer, struct virtio_reader *reader, uint64_t len)
{
	uint8_t bytes[PIECE];
	uint64_t done = 0;

	if (len > virtio_reader_left(reader))
		len = virtio_reader_left(reader);
	if (len > virtio_writer_left(writer))
		len = virtio_writer_left(writer);
	while (done < len) {
		const uint64_t left = len - done;
		const size_t part = left < PIECE ? (size_t)left : PIECE;

		virtio_reader_read(reader, bytes, part);
		done += virtio_writer_write(writer, bytes, part);
	}
	return done;
}

int virtio_writer_advance(struct virtio_writer *writer, uint64_t len)
{
	struct virtio_stream written = writer->at;
	int error = virtio_stream_advance(&writer->at, len);
	uint64_t n;

	for (; !error && len > 0; len -= n) {
		const void *at = here(&written, len, &n);

		virtio_region_mark_dirty(written.segments->region, at, n);
		step(&written, n);
	}
	return error;
}

int virtio_writer_split(struct virtio_writer *writer, uint64_t len, struct virtio_writer *rest)
{
	return split(&writer->at, len, &rest->at);
}

uint32_t virtio_writer_iovec(const struct virtio_writer *writer, uint64_t bytes, struct virtio_iovec *iov,
			     uint32_t capacity, uint64_t *filled)
{
	return virtio_stream_iovec(&writer->at, bytes, iov, capacity, filled);
}
