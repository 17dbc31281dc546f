/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Readers and writers: the two halves of a resolved chain as streams of bytes.
 *
 * A reader copies bytes out of the readable segments. A writer copies bytes into the writable
 * segments. Bytes are copied once and in order, however the driver cut the buffers. Readers and
 * writers are small structures that point to the segments of virtio_chain_resolve(). A copy of a
 * reader or writer is an independent position.
 *
 * For zero-copy I/O, virtio_reader_iovec() and virtio_writer_iovec() show the next bytes as an I/O
 * vector. Then virtio_reader_skip() or virtio_writer_advance() steps over the transferred bytes.
 *
 * What the guest can do: change the bytes behind a segment at any time. A read makes a copy, and
 * the device checks the copy. One reader never yields a byte twice.
 *
 * Threads:
 *   functions             who may call                     what must not run beside
 *   all of this header    any thread, also beside calls    another call on the same reader or
 *                         on the queue                     writer; the completion of the chain
 *
 * No function blocks or allocates.
 *
 * virtio 1.4, 2.7.4 (no assumption about how a buffer is cut), 2.7.8.2 (the used length)
 */
#ifndef VIRTIO_READER_H
#define VIRTIO_READER_H

#include <virtio/chain.h>

VIRTIO_BEGIN_DECLS

/* A position in a list of segments, for readers, writers and the caller's own transfers. */
struct virtio_stream {
	const struct virtio_segment *segments; /* the first segment holds the next byte */
	uint64_t offset;                       /* bytes of the first segment before the position */
	uint64_t left;                         /* bytes from the position to the end */
	uint64_t done;                         /* bytes stepped over since the stream was made */
};

struct virtio_reader {
	struct virtio_stream at;
};

struct virtio_writer {
	struct virtio_stream at;
};

/* Streams */

/*
 * Makes a stream of the first `bytes` bytes of a list of segments. The list must hold at least
 * `bytes` bytes. `segments` may be NULL if `bytes` is 0.
 */
void virtio_stream_init(struct virtio_stream *stream, const struct virtio_segment *segments, uint64_t bytes);

/* Steps over len bytes. Returns 0; VIRTIO_ESHORT if fewer are left. A failure changes nothing. */
VIRTIO_MUST_CHECK
int virtio_stream_advance(struct virtio_stream *stream, uint64_t len);

/*
 * Shows the next bytes as an I/O vector, without stepping over them.
 *
 * @bytes     bytes wanted; UINT64_MAX for all
 * @iov       the caller's array
 * @capacity  number of entries in iov
 * @filled    set to the number of bytes in the vector: fewer than wanted if the stream or the array
 *            ends first
 *
 * Returns the number of entries filled in. Each entry has at least one byte.
 */
uint32_t virtio_stream_iovec(const struct virtio_stream *stream, uint64_t bytes, struct virtio_iovec *iov,
			     uint32_t capacity, uint64_t *filled);

/* Readers */

/* Makes a reader of all readable bytes of a chain. The segments must live as long as the reader. */
void virtio_reader_init(struct virtio_reader *reader, const struct virtio_chain_segments *chain);

/* Return the number of bytes left to read, and the number of bytes read or skipped so far. */
uint64_t virtio_reader_left(const struct virtio_reader *reader);
uint64_t virtio_reader_done(const struct virtio_reader *reader);

/*
 * Copies up to len bytes to dst and steps over them.
 *
 * Returns the number of bytes copied: less than len only if the reader ends, and 0 at its end.
 */
size_t virtio_reader_read(struct virtio_reader *reader, void *dst, size_t len);

/*
 * Copies exactly len bytes to dst and steps over them.
 *
 * Returns 0; VIRTIO_ESHORT if fewer bytes are left. A failure changes neither dst nor the reader.
 */
VIRTIO_MUST_CHECK
int virtio_reader_read_exact(struct virtio_reader *reader, void *dst, size_t len);

/*
 * Read a little-endian integer at any alignment, and step over it.
 *
 * @out  the value, in the host's byte order
 *
 * Return 0; VIRTIO_ESHORT if fewer bytes are left. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_reader_read_le16(struct virtio_reader *reader, uint16_t *out);
VIRTIO_MUST_CHECK
int virtio_reader_read_le32(struct virtio_reader *reader, uint32_t *out);
VIRTIO_MUST_CHECK
int virtio_reader_read_le64(struct virtio_reader *reader, uint64_t *out);

/* Steps over len bytes. Returns 0; VIRTIO_ESHORT if fewer are left. A failure changes nothing. */
VIRTIO_MUST_CHECK
int virtio_reader_skip(struct virtio_reader *reader, uint64_t len);

/*
 * Cuts a reader in two.
 *
 * @reader  keeps the next len bytes
 * @len     bytes
 * @rest    set to a reader of the bytes after these len bytes
 *
 * Returns 0; VIRTIO_ESHORT if fewer than len bytes are left. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_reader_split(struct virtio_reader *reader, uint64_t len, struct virtio_reader *rest);

/*
 * Shows the next bytes as an I/O vector, without stepping over them.
 *
 * @bytes     bytes wanted
 * @iov       the caller's array, for I/O that reads guest memory, such as writev()
 * @capacity  number of entries in iov
 * @filled    set to the number of bytes in the vector: fewer than wanted if the reader or the array
 *            ends first
 *
 * Returns the number of entries filled in.
 */
uint32_t virtio_reader_iovec(const struct virtio_reader *reader, uint64_t bytes, struct virtio_iovec *iov,
			     uint32_t capacity, uint64_t *filled);

/* Writers work like readers, but write the segments. The dirty log records the written bytes. */

/* Makes a writer of all writable bytes of a chain. The segments must live as long as the writer. */
void virtio_writer_init(struct virtio_writer *writer, const struct virtio_chain_segments *chain);

/* Return how many bytes are left to write, and how many are written. Either can be 2^32. */
uint64_t virtio_writer_left(const struct virtio_writer *writer);
uint64_t virtio_writer_done(const struct virtio_writer *writer);

/*
 * Returns the used length of a chain that has no other writer: virtio_writer_done(), at most
 * UINT32_MAX. Without this limit, 2^32 written bytes would become 0 in the 32 bits of a used
 * length. A device may report less than it has written (virtio 1.4, 2.7.8.2).
 */
uint32_t virtio_writer_used(const struct virtio_writer *writer);

/*
 * Copies up to len bytes from src and steps over them. Returns the number of bytes copied: less
 * than len only if the writer ends.
 */
size_t virtio_writer_write(struct virtio_writer *writer, const void *src, size_t len);

/*
 * Copies exactly len bytes from src. Returns 0; VIRTIO_ESHORT if there is less room. A failure
 * writes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_writer_write_exact(struct virtio_writer *writer, const void *src, size_t len);

/*
 * Write a little-endian integer at any alignment. Return 0; VIRTIO_ESHORT if there is less room. A
 * failure writes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_writer_write_le16(struct virtio_writer *writer, uint16_t value);
VIRTIO_MUST_CHECK
int virtio_writer_write_le32(struct virtio_writer *writer, uint32_t value);
VIRTIO_MUST_CHECK
int virtio_writer_write_le64(struct virtio_writer *writer, uint64_t value);

/* Writes up to len zeroes. Returns the number written: less than len only if the writer ends. */
uint64_t virtio_writer_zero(struct virtio_writer *writer, uint64_t len);

/*
 * Copies up to len bytes from a reader to a writer, and steps over them in both streams. The reader
 * may belong to another chain. Each byte is read once. If buffers overlap in guest memory, the call
 * may read bytes that it has written.
 *
 * Returns the number of bytes copied: less than len only at the end of the reader or of the writer.
 */
uint64_t virtio_writer_copy(struct virtio_writer *writer, struct virtio_reader *reader, uint64_t len);

/*
 * Steps over len bytes that the caller has written through virtio_writer_iovec(), and records them
 * in the dirty log.
 *
 * Returns 0; VIRTIO_ESHORT if there is less room. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_writer_advance(struct virtio_writer *writer, uint64_t len);

/*
 * Works as virtio_reader_split(). Add the bytes written by the writer `rest` to the used length
 * only if `writer` is full.
 */
VIRTIO_MUST_CHECK
int virtio_writer_split(struct virtio_writer *writer, uint64_t len, struct virtio_writer *rest);

/* Works as virtio_reader_iovec(), for I/O such as readv(). Then call virtio_writer_advance(). */
uint32_t virtio_writer_iovec(const struct virtio_writer *writer, uint64_t bytes, struct virtio_iovec *iov,
			     uint32_t capacity, uint64_t *filled);

VIRTIO_END_DECLS

#endif
