/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Readers and writers over collected segments: both are a stream, stepped over in one place. */
#include <virtio/reader.h>

/* The host address of the next byte, and how many of at most len lie there in one piece; len and left are not 0. */
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

/* The next byte is at this offset of this segment, and the stream has come len bytes further. */
static void set_place(struct virtio_stream *p, const struct virtio_segment *segment, uint64_t offset, uint64_t len)
{
	p->segments = segment;
	p->offset = offset;
	p->left -= len;
	p->done += len;
}

static int advance(struct virtio_stream *p, uint64_t len)
{
	uint64_t n;

	if (len > p->left)
		return VIRTIO_ESHORT;
	for (; len > 0; len -= n) {
		here(p, len, &n);
		step(p, n);
	}
	return 0;
}

static int split(struct virtio_stream *p, uint64_t len, struct virtio_stream *rest)
{
	struct virtio_stream back = *p;
	int error = advance(&back, len);

	if (error)
		return error;
	back.done = 0;
	*rest = back;
	p->left = len;
	return 0;
}

static uint32_t iovec(const struct virtio_stream *p, uint64_t bytes, struct virtio_iovec *iov, uint32_t capacity,
		      uint64_t *filled)
{
	struct virtio_stream at = *p;
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

/* Readers */

void virtio_reader_init(struct virtio_reader *reader, const struct virtio_collected *chain)
{
	const struct virtio_stream start = { chain->segments, 0, chain->readable_bytes, 0 };

	reader->at = start;
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
	/* In locals, which the compiler can keep in registers. */
	const struct virtio_segment *s = reader->at.segments;
	uint64_t offset = reader->at.offset;
	uint8_t *to = dst;
	size_t todo;

	if (len > reader->at.left)
		len = (size_t)reader->at.left;
	for (todo = len; todo > 0; s++, offset = 0) {
		const uint64_t here = s->len - offset;

		if (todo < here) {
			virtio_guest_copy_in(to, (const uint8_t *)s->host + offset, todo);
			offset += todo;
			break;
		}
		virtio_guest_copy_in(to, (const uint8_t *)s->host + offset, (size_t)here);
		to += here;
		todo -= (size_t)here;
	}
	set_place(&reader->at, s, offset, len);
	return len;
}

int virtio_reader_read_exact(struct virtio_reader *reader, void *dst, size_t len)
{
	if (len > reader->at.left)
		return VIRTIO_ESHORT;
	virtio_reader_read(reader, dst, len);
	return 0;
}

int virtio_reader_skip(struct virtio_reader *reader, uint64_t len)
{
	return advance(&reader->at, len);
}

int virtio_reader_split(struct virtio_reader *reader, uint64_t len, struct virtio_reader *rest)
{
	return split(&reader->at, len, &rest->at);
}

uint32_t virtio_reader_iovec(const struct virtio_reader *reader, uint64_t bytes, struct virtio_iovec *iov,
			     uint32_t capacity, uint64_t *filled)
{
	return iovec(&reader->at, bytes, iov, capacity, filled);
}

/* Writers */

void virtio_writer_init(struct virtio_writer *writer, const struct virtio_collected *chain)
{
	const struct virtio_stream start = { chain->segments + chain->readable, 0, chain->writable_bytes, 0 };

	writer->at = start;
}

uint64_t virtio_writer_left(const struct virtio_writer *writer)
{
	return writer->at.left;
}

uint64_t virtio_writer_done(const struct virtio_writer *writer)
{
	return writer->at.done;
}

/* Copies to one place of a segment. */
static inline void write_piece(const struct virtio_segment *s, uint64_t offset, const uint8_t *from, size_t n)
{
	void *to = (uint8_t *)s->host + offset;

	virtio_guest_copy_out(to, from, n);
	if (VIRTIO_UNLIKELY(s->region->dirty != NULL))
		virtio_region_mark_dirty(s->region, to, n);
}

size_t virtio_writer_write(struct virtio_writer *writer, const void *src, size_t len)
{
	/* As in virtio_reader_read(). */
	const struct virtio_segment *s = writer->at.segments;
	uint64_t offset = writer->at.offset;
	const uint8_t *from = src;
	size_t todo;

	if (len > writer->at.left)
		len = (size_t)writer->at.left;
	for (todo = len; todo > 0; s++, offset = 0) {
		const uint64_t here = s->len - offset;

		if (todo < here) {
			write_piece(s, offset, from, todo);
			offset += todo;
			break;
		}
		write_piece(s, offset, from, (size_t)here);
		from += here;
		todo -= (size_t)here;
	}
	set_place(&writer->at, s, offset, len);
	return len;
}

int virtio_writer_write_exact(struct virtio_writer *writer, const void *src, size_t len)
{
	if (len > writer->at.left)
		return VIRTIO_ESHORT;
	virtio_writer_write(writer, src, len);
	return 0;
}

int virtio_writer_advance(struct virtio_writer *writer, uint64_t len)
{
	struct virtio_stream written = writer->at;
	int error = advance(&writer->at, len);
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
	return iovec(&writer->at, bytes, iov, capacity, filled);
}
