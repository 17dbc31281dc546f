/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* From a chain to a request, and whether the request may be carried out. */
#include <virtio/blk.h>

#define HEADER_BYTES 16

/*
 * Copies the header out of the front of the segments and cuts it off there.
 *
 * Returns the segments that are used up. A segment that holds data too is shortened in place. The
 * caller has seen that there are enough bytes.
 */
static VIRTIO_COLD uint32_t take_header_in_pieces(struct virtio_segment *segments, uint8_t *header)
{
	uint32_t used = 0;
	size_t done = 0;

	while (done < HEADER_BYTES) {
		struct virtio_segment *s = &segments[used];
		const size_t left = HEADER_BYTES - done;
		const size_t part = s->len < left ? (size_t)s->len : left;

		virtio_guest_copy_in(header + done, s->host, part);
		done += part;
		s->addr += part;
		s->host = (uint8_t *)s->host + part;
		s->len -= part;
		used += s->len == 0;
	}
	return used;
}

/* The same; nearly every driver puts the header into a buffer of its own. */
static uint32_t take_header(struct virtio_segment *segments, uint8_t *header)
{
	if (VIRTIO_UNLIKELY(segments->len != HEADER_BYTES))
		return take_header_in_pieces(segments, header);
	virtio_guest_copy_in(header, segments->host, HEADER_BYTES);
	return 1;
}

/* A request that can be answered, with a failure, and not more. */
static VIRTIO_COLD int fail(struct virtio_blk_request *request, const struct virtio_chain *chain,
			    const struct virtio_collected *c, int error)
{
	*request = (struct virtio_blk_request){
		.token = chain->token,
		.status = c->last_writable,
		.error = error,
	};
	return 0;
}

int virtio_blk_parse(struct virtio_chain *chain, struct virtio_segment *segments, uint32_t capacity,
		     struct virtio_blk_request *request)
{
	struct virtio_collected c;
	uint8_t header[HEADER_BYTES];
	struct virtio_segment *in;
	uint32_t used;
	int error;

	c.segments = segments;
	c.capacity = capacity;
	error = virtio_chain_collect(chain, &c);
	if (VIRTIO_UNLIKELY(error && error != VIRTIO_ENOBUFS))
		return error;
	if (VIRTIO_UNLIKELY(c.last_writable.len == 0))
		return VIRTIO_ESHORT;
	if (VIRTIO_UNLIKELY(error))
		return fail(request, chain, &c, error);
	if (VIRTIO_UNLIKELY(c.readable_bytes < HEADER_BYTES))
		return fail(request, chain, &c, VIRTIO_ESHORT);

	used = take_header(segments, header);
	in = segments + c.readable;
	/* The status is the last byte; what is before it in the same buffer is data. */
	if (--in[c.writable - 1].len == 0)
		c.writable--;

	request->token = chain->token;
	request->type = virtio_get_le32(header);
	request->sector = virtio_get_le64(header + 8);
	request->out.segments = segments + used;
	request->out.count = c.readable - used;
	request->out.bytes = c.readable_bytes - HEADER_BYTES;
	request->in.segments = in;
	request->in.count = c.writable;
	request->in.bytes = c.writable_bytes - 1;
	request->status = c.last_writable;
	request->error = 0;
	return 0;
}

/* Whether bytes from sector on are whole sectors of the disk; neither side of a comparison can wrap. */
static bool in_range(const struct virtio_blk *blk, uint64_t sector, uint64_t bytes)
{
	const uint64_t capacity = blk->options.capacity;

	if (bytes & (VIRTIO_BLK_SECTOR_BYTES - 1))
		return false;
	return sector <= capacity && bytes >> VIRTIO_BLK_SECTOR_SHIFT <= capacity - sector;
}

uint8_t virtio_blk_check(const struct virtio_blk *blk, const struct virtio_blk_request *request)
{
	bool good;

	if (request->error)
		return VIRTIO_BLK_S_IOERR;
	switch (request->type) {
	case VIRTIO_BLK_T_IN:
		/* Data and status must fit the 32 bits of a used length. */
		good = request->out.bytes == 0 && request->in.bytes < UINT32_MAX &&
		       in_range(blk, request->sector, request->in.bytes);
		break;
	case VIRTIO_BLK_T_OUT:
		/* What was offered counts, not what was accepted (virtio 1.4, 5.2.6.2). */
		good = request->in.bytes == 0 && !blk->options.read_only &&
		       in_range(blk, request->sector, request->out.bytes);
		break;
	case VIRTIO_BLK_T_FLUSH:
		if (!(blk->negotiated & (UINT64_C(1) << VIRTIO_BLK_F_FLUSH)))
			return VIRTIO_BLK_S_UNSUPP;
		good = true;
		break;
	case VIRTIO_BLK_T_GET_ID:
		good = request->out.bytes == 0 && request->in.bytes >= VIRTIO_BLK_ID_BYTES;
		break;
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
	return good ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
}
