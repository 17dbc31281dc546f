/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Parses chains into requests, and judges whether a request may be carried out. */
#include <virtio/features.h>
#include <virtio/reader.h>
#include <virtio/request.h>

/*
 * This file has the external copies of the inline functions of <virtio/blk.h>: see VIRTIO_INLINE.
 * The external copies for the headers above are in libvirtio-queue. A second copy would not link.
 */
#undef VIRTIO_INLINE
#define VIRTIO_INLINE extern inline
#include <virtio/blk.h>

#define RANGE_BYTES 16

/* The answer to GET_LIFETIME: three 16-bit fields. */
#define LIFETIME_BYTES 6

int virtio_blk_request_init(struct virtio_blk_request *request, const struct virtio_blk_storage *storage)
{
	struct virtio_blk_request fresh = { .ranges = storage->ranges, .range_capacity = storage->range_capacity };
	int error;

	if (storage->segment_capacity == 0 || (!storage->ranges && storage->range_capacity != 0))
		return VIRTIO_EINVAL;
	error = virtio_request_init(&fresh.base, request->header, sizeof request->header, storage->segments,
				    storage->segment_capacity);
	if (!error)
		*request = fresh;
	return error;
}

/* Copies the ranges that fit into the array. Only the copy is judged and used. */
static void copy_ranges(struct virtio_blk_request *request)
{
	const uint64_t whole = request->base.data.readable_bytes / RANGE_BYTES;
	struct virtio_reader reader;

	virtio_reader_init(&reader, &request->base.data);
	request->range_count = whole < request->range_capacity ? (uint32_t)whole : request->range_capacity;
	for (uint32_t i = 0; i < request->range_count; i++) {
		uint8_t bytes[RANGE_BYTES];

		virtio_reader_read(&reader, bytes, sizeof bytes);
		request->ranges[i].sector = virtio_get_le64(bytes);
		request->ranges[i].sectors = virtio_get_le32(bytes + 8);
		request->ranges[i].flags = virtio_get_le32(bytes + 12);
	}
}

void virtio_impl_blk_fill_slow(struct virtio_blk_request *request)
{
	if (request->base.error) {
		request->type = 0;
		request->sector = 0;
	} else if (request->type == VIRTIO_BLK_T_DISCARD || request->type == VIRTIO_BLK_T_WRITE_ZEROES ||
		   request->type == VIRTIO_BLK_T_SECURE_ERASE) {
		copy_ranges(request);
	}
}

int virtio_blk_parse(struct virtio_chain *chain, struct virtio_blk_request *request)
{
	const int error = virtio_request_parse(chain, &request->base);

	if (!error)
		virtio_impl_blk_fill(request, false);
	return error;
}

static bool negotiated(const struct virtio_blk *blk, uint32_t feature)
{
	return (blk->negotiated & virtio_feature_mask(feature)) != 0;
}

/* Returns whether a range is inside a disk of this capacity. No sum or difference here can wrap. */
static bool on_disk(uint64_t capacity, uint64_t sector, uint64_t sectors)
{
	return sector <= capacity && sectors <= capacity - sector;
}

/* Judges a read or a write of this number of bytes. */
static enum virtio_blk_refusal judge_transfer(const struct virtio_blk *blk, const struct virtio_blk_request *request,
					      uint64_t bytes)
{
	const uint64_t limit = blk->options.max_request_bytes;

	if (bytes & (VIRTIO_BLK_SECTOR_BYTES - 1))
		return VIRTIO_BLK_REFUSAL_NOT_SECTORS;
	if (limit && bytes > limit)
		return VIRTIO_BLK_REFUSAL_TOO_LONG;
	/* The length of data and status must fit the 32 bits of a used length. */
	if (request->type == VIRTIO_BLK_T_IN && bytes >= UINT32_MAX)
		return VIRTIO_BLK_REFUSAL_USED_LENGTH;
	return on_disk(virtio_blk_capacity(blk), request->sector, bytes >> VIRTIO_BLK_SECTOR_SHIFT)
		       ? VIRTIO_BLK_REFUSAL_NONE
		       : VIRTIO_BLK_REFUSAL_PAST_END;
}

static enum virtio_blk_refusal judge_read(const struct virtio_blk *blk, const struct virtio_blk_request *request)
{
	if (request->base.data.readable_bytes)
		return VIRTIO_BLK_REFUSAL_WRONG_DIRECTION;
	return judge_transfer(blk, request, request->base.data.writable_bytes);
}

static enum virtio_blk_refusal judge_write(const struct virtio_blk *blk, const struct virtio_blk_request *request)
{
	if (request->base.data.writable_bytes)
		return VIRTIO_BLK_REFUSAL_WRONG_DIRECTION;
	/* The write is refused even if the driver has not accepted RO (virtio 1.4, 5.2.6.2). */
	if (blk->options.read_only)
		return VIRTIO_BLK_REFUSAL_READ_ONLY;
	return judge_transfer(blk, request, request->base.data.readable_bytes);
}

/* Judges a request whose answer has this number of bytes. */
static enum virtio_blk_refusal judge_get(const struct virtio_blk_request *request, uint64_t bytes)
{
	if (request->base.data.readable_bytes)
		return VIRTIO_BLK_REFUSAL_WRONG_DIRECTION;
	return request->base.data.writable_bytes < bytes ? VIRTIO_BLK_REFUSAL_NO_ROOM : VIRTIO_BLK_REFUSAL_NONE;
}

/* The limits of a command on ranges. */
struct range_rules {
	uint32_t flags;
	uint32_t max_sectors;
	uint32_t max_count;
};

/* Checks the list of ranges as a whole. */
static enum virtio_blk_refusal judge_list(const struct virtio_blk_request *request, uint32_t max_count)
{
	const uint64_t bytes = request->base.data.readable_bytes;
	/* The number of ranges that the driver sent. `range_count` counts those in the array. */
	const uint64_t sent = bytes / RANGE_BYTES;

	if (request->base.data.writable_bytes)
		return VIRTIO_BLK_REFUSAL_WRONG_DIRECTION;
	if (bytes & (RANGE_BYTES - 1))
		return VIRTIO_BLK_REFUSAL_NOT_RANGES;
	if (sent == 0)
		return VIRTIO_BLK_REFUSAL_NO_RANGES;
	return sent > max_count || sent != request->range_count ? VIRTIO_BLK_REFUSAL_TOO_MANY_RANGES
								: VIRTIO_BLK_REFUSAL_NONE;
}

static enum virtio_blk_refusal judge_ranges(const struct virtio_blk *blk, const struct virtio_blk_request *request,
					    struct range_rules rules)
{
	/* The capacity is read once for all ranges, because another thread may change it. */
	const uint64_t capacity = virtio_blk_capacity(blk);
	enum virtio_blk_refusal refusal;

	/*
	 * An unknown flag in a copied range makes the whole command unsupported, whatever else is
	 * wrong (virtio 1.4, 5.2.6.2).
	 */
	for (uint32_t i = 0; i < request->range_count; i++) {
		if (request->ranges[i].flags & ~rules.flags)
			return VIRTIO_BLK_REFUSAL_UNKNOWN_FLAG;
	}
	refusal = judge_list(request, rules.max_count);
	if (refusal != VIRTIO_BLK_REFUSAL_NONE)
		return refusal;
	for (uint32_t i = 0; i < request->range_count; i++) {
		const struct virtio_blk_range *range = &request->ranges[i];

		if (range->sectors > rules.max_sectors)
			return VIRTIO_BLK_REFUSAL_RANGE_TOO_LONG;
		/* Do not return yet: if a later range is too long, RANGE_TOO_LONG is returned. */
		if (!on_disk(capacity, range->sector, range->sectors))
			refusal = VIRTIO_BLK_REFUSAL_PAST_END;
	}
	return refusal;
}

/* Judges GET_LIFETIME and the commands on ranges, and refuses unknown types. */
static enum virtio_blk_refusal judge_optional(const struct virtio_blk *blk, const struct virtio_blk_request *request)
{
	const struct virtio_blk_options *options = &blk->options;
	struct range_rules rules = { 0 };
	uint32_t feature;

	switch (request->type) {
	case VIRTIO_BLK_T_DISCARD:
		feature = VIRTIO_BLK_F_DISCARD;
		rules = (struct range_rules){ 0, options->max_discard_sectors, options->max_discard_seg };
		break;
	case VIRTIO_BLK_T_WRITE_ZEROES:
		feature = VIRTIO_BLK_F_WRITE_ZEROES;
		rules = (struct range_rules){ VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP, options->max_write_zeroes_sectors,
					      options->max_write_zeroes_seg };
		break;
	case VIRTIO_BLK_T_SECURE_ERASE:
		feature = VIRTIO_BLK_F_SECURE_ERASE;
		rules = (struct range_rules){ 0, options->max_secure_erase_sectors, options->max_secure_erase_seg };
		break;
	case VIRTIO_BLK_T_GET_LIFETIME:
		return negotiated(blk, VIRTIO_BLK_F_LIFETIME) ? judge_get(request, LIFETIME_BYTES)
							      : VIRTIO_BLK_REFUSAL_NOT_NEGOTIATED;
	default:
		/* Commands on zones are unknown, too, because the device does not offer ZONED. */
		return VIRTIO_BLK_REFUSAL_UNKNOWN_TYPE;
	}
	return negotiated(blk, feature) ? judge_ranges(blk, request, rules) : VIRTIO_BLK_REFUSAL_NOT_NEGOTIATED;
}

enum virtio_blk_refusal virtio_blk_refusal_of(const struct virtio_blk *blk, const struct virtio_blk_request *request)
{
	if (request->base.error)
		return VIRTIO_BLK_REFUSAL_BAD_CHAIN;
	switch (request->type) {
	case VIRTIO_BLK_T_IN:
		return judge_read(blk, request);
	case VIRTIO_BLK_T_OUT:
		return judge_write(blk, request);
	case VIRTIO_BLK_T_FLUSH:
		return negotiated(blk, VIRTIO_BLK_F_FLUSH) ? VIRTIO_BLK_REFUSAL_NONE
							   : VIRTIO_BLK_REFUSAL_NOT_NEGOTIATED;
	case VIRTIO_BLK_T_GET_ID:
		return judge_get(request, VIRTIO_BLK_ID_BYTES);
	default:
		return judge_optional(blk, request);
	}
}
