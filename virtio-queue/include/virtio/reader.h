/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Readers and writers: the two halves of a resolved chain as streams of bytes.
 *
 * A reader takes from the readable segments, a writer puts into the writable ones, each byte once
 * and in order, however the driver cut the buffers up. Both are small values over the segments
 * that virtio_chain_resolve() filled in; copying one makes an independent position. For zero-copy
 * I/O, virtio_reader_iovec() and virtio_writer_iovec() show what comes next as an I/O vector, and
 * virtio_reader_skip() and virtio_writer_advance() step over what the I/O has moved.
 *
 * What the guest can do: change the bytes behind a segment at any time. Every read copies, so what
 * is judged is the copy; reading the same bytes twice is possible only with two readers, on
 * purpose.
 *
 * Threads: one reader or writer is used by one thread at a time. Nothing blocks or allocates.
 *
 * virtio 1.4, 2.7.4 (no assumption about how a buffer is cut), 2.7.8.2 (the used length)
 */
#ifndef VIRTIO_READER_H
#define VIRTIO_READER_H

#include <virtio/chain.h>

VIRTIO_BEGIN_DECLS

/*
 * A position in a list of segments: what readers, writers and transfers of a caller's own have in
 * common.
 */
struct virtio_stream {
	const struct virtio_segment *segments; /* the one that holds the next byte, and those after it */
	uint64_t offset;                       /* bytes of the first one that are behind the position */
	uint64_t left;                         /* bytes from the position to the end */
	uint64_t done;                         /* bytes stepped over since init or split */
};

struct virtio_reader {
	struct virtio_stream at;
};

struct virtio_writer {
	struct virtio_stream at;
};

/* Streams */

/*
 * A stream of the first bytes of a list of segments, which hold as many or more. NULL and 0 make an
 * empty one.
 */
void virtio_stream_init(struct virtio_stream *stream, const struct virtio_segment *segments, uint64_t bytes);

/* Steps over len bytes. Returns 0; or VIRTIO_ESHORT if fewer are left, and changes nothing. */
VIRTIO_MUST_CHECK
int virtio_stream_advance(struct virtio_stream *stream, uint64_t len);

/*
 * Shows what comes next as an I/O vector, without stepping over it.
 *
 * @bytes     bytes wanted; UINT64_MAX for all
 * @iov       the caller's array
 * @capacity  its entries
 * @filled    set to the bytes that the vector stands for: less than wanted at the end of the stream
 *            or of the array
 *
 * Returns the number of entries filled in, each of at least one byte.
 */
uint32_t virtio_stream_iovec(const struct virtio_stream *stream, uint64_t bytes, struct virtio_iovec *iov,
			     uint32_t capacity, uint64_t *filled);

/* Readers */

/* A reader of all readable bytes of a chain. The segments must stay while the reader is used. */
void virtio_reader_init(struct virtio_reader *reader, const struct virtio_chain_segments *chain);

/* Bytes still to be read, and bytes read so far. */
uint64_t virtio_reader_left(const struct virtio_reader *reader);
uint64_t virtio_reader_done(const struct virtio_reader *reader);

/*
 * Copies up to len bytes to dst and steps over them.
 *
 * Returns the number of bytes copied: less than len only at the end, where it is 0.
 */
size_t virtio_reader_read(struct virtio_reader *reader, void *dst, size_t len);

/*
 * Copies exactly len bytes to dst and steps over them.
 *
 * Returns 0; or VIRTIO_ESHORT if fewer are left, and then neither dst nor the reader changes.
 */
VIRTIO_MUST_CHECK
int virtio_reader_read_exact(struct virtio_reader *reader, void *dst, size_t len);

/*
 * Read a little-endian integer, at any alignment, and step over it.
 *
 * @out  the value, in the host's byte order
 *
 * Return 0; or VIRTIO_ESHORT if fewer bytes are left, and change nothing.
 */
VIRTIO_MUST_CHECK
int virtio_reader_read_le16(struct virtio_reader *reader, uint16_t *out);
VIRTIO_MUST_CHECK
int virtio_reader_read_le32(struct virtio_reader *reader, uint32_t *out);
VIRTIO_MUST_CHECK
int virtio_reader_read_le64(struct virtio_reader *reader, uint64_t *out);

/* Steps over len bytes. Returns 0; or VIRTIO_ESHORT if fewer are left, and changes nothing. */
VIRTIO_MUST_CHECK
int virtio_reader_skip(struct virtio_reader *reader, uint64_t len);

/*
 * Cuts a reader in two.
 *
 * @reader  keeps the next len bytes
 * @len     bytes
 * @rest    set to a reader of those after them, with nothing done
 *
 * Returns 0; or VIRTIO_ESHORT if fewer than len bytes are left, and changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_reader_split(struct virtio_reader *reader, uint64_t len, struct virtio_reader *rest);

/*
 * Shows what comes next as an I/O vector, without stepping over it.
 *
 * @bytes     bytes wanted
 * @iov       the caller's array, for reading from
 * @capacity  its entries
 * @filled    set to the bytes that the vector stands for: less than wanted at the end of the
 *            reader or of the array
 *
 * Returns the number of entries filled in.
 */
uint32_t virtio_reader_iovec(const struct virtio_reader *reader, uint64_t bytes, struct virtio_iovec *iov,
			     uint32_t capacity, uint64_t *filled);

/* Writers: the same the other way round. What is written is recorded in the dirty log. */

/* A writer of all writable bytes of a chain. The segments must stay while the writer is used. */
void virtio_writer_init(struct virtio_writer *writer, const struct virtio_chain_segments *chain);

/* Bytes of room left, and bytes written so far: as many as 2^32. */
uint64_t virtio_writer_left(const struct virtio_writer *writer);
uint64_t virtio_writer_done(const struct virtio_writer *writer);

/*
 * What was written so far, as the used length of a chain with this writer alone:
 * virtio_writer_done(), but at most UINT32_MAX, for a chain may have one byte more than 32 bits can
 * say. A device may have written more than it reports (virtio 1.4, 2.7.8.2), and cutting 2^32 off
 * would report nothing.
 */
uint32_t virtio_writer_used(const struct virtio_writer *writer);

/*
 * Copies up to len bytes from src and steps over them. Returns how many: less than len only at the
 * end.
 */
size_t virtio_writer_write(struct virtio_writer *writer, const void *src, size_t len);

/*
 * Copies exactly len bytes from src. Returns 0; or VIRTIO_ESHORT if there is less room, and writes
 * nothing.
 */
VIRTIO_MUST_CHECK
int virtio_writer_write_exact(struct virtio_writer *writer, const void *src, size_t len);

/*
 * Write a little-endian integer, at any alignment. Return 0; or VIRTIO_ESHORT if there is less
 * room, and write nothing.
 */
VIRTIO_MUST_CHECK
int virtio_writer_write_le16(struct virtio_writer *writer, uint16_t value);
VIRTIO_MUST_CHECK
int virtio_writer_write_le32(struct virtio_writer *writer, uint32_t value);
VIRTIO_MUST_CHECK
int virtio_writer_write_le64(struct virtio_writer *writer, uint64_t value);

/* Writes up to len zeroes and steps over them. Returns how many: less than len only at the end. */
uint64_t virtio_writer_zero(struct virtio_writer *writer, uint64_t len);

/*
 * Copies up to len bytes from a reader to a writer, of the same chain or of another, and steps over
 * them in both. Each byte is read once. Where the buffers overlap in guest memory, bytes that the
 * copy has written may be read.
 *
 * Returns how many were copied: less than len only at the end of either.
 */
uint64_t virtio_writer_copy(struct virtio_writer *writer, struct virtio_reader *reader, uint64_t len);

/*
 * Steps over len bytes that the caller has written through virtio_writer_iovec(), and records them.
 *
 * Returns 0; or VIRTIO_ESHORT if there is less room, and changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_writer_advance(struct virtio_writer *writer, uint64_t len);

/* As virtio_reader_split(). The used length counts the rest only when the front is full. */
VIRTIO_MUST_CHECK
int virtio_writer_split(struct virtio_writer *writer, uint64_t len, struct virtio_writer *rest);

/*
 * As virtio_reader_iovec(), for writing to; virtio_writer_advance() says afterwards how much was
 * written.
 */
uint32_t virtio_writer_iovec(const struct virtio_writer *writer, uint64_t bytes, struct virtio_iovec *iov,
			     uint32_t capacity, uint64_t *filled);

VIRTIO_END_DECLS

#endif
