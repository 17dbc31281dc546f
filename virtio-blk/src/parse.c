/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* From a chain to a request, and whether the request may be carried out. */
#include <virtio/blk.h>
#include <virtio/reader.h>

#define RANGE_BYTES 16

/* GET_LIFETIME's answer: three 16-bit fields. */
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

/* Copies the ranges for which there is room. What they say is judged in the copy, and acted on by it. */
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
		virtio_impl_blk_fill(request);
	return error;
}

static bool negotiated(const struct virtio_blk *blk, int feature)
{
	return (blk->negotiated & UINT64_C(1) << feature) != 0;
}

/* Whether sectors from sector on are on a disk of this capacity; neither side of a comparison can wrap. */
static bool on_disk(uint64_t capacity, uint64_t sector, uint64_t sectors)
{
	return sector <= capacity && sectors <= capacity - sector;
}

/* Whether a read or a write of so many bytes is whole sectors of the disk, and not too many. */
static bool may_transfer(const struct virtio_blk *blk, uint64_t sector, uint64_t bytes)
{
	const uint64_t limit = blk->options.max_request_bytes;

	if (bytes & (VIRTIO_BLK_SECTOR_BYTES - 1) || (limit && bytes > limit))
		return false;
	return on_disk(virtio_blk_capacity(blk), sector, bytes >> VIRTIO_BLK_SECTOR_SHIFT);
}

/* What is allowed to a command on ranges. */
struct range_rules {
	uint32_t flags;
	uint32_t max_sectors;
	uint32_t max_count;
};

static uint8_t check_ranges(const struct virtio_blk *blk, const struct virtio_blk_request *request,
			    struct range_rules rules)
{
	/* One value for all ranges: the capacity may change meanwhile. */
	const uint64_t capacity = virtio_blk_capacity(blk);
	/* The bytes say how many the driver sent, the count how many there was room for. */
	const uint64_t sent = request->base.data.readable_bytes / RANGE_BYTES;

	/* A flag that isn't known makes the whole command one that isn't, whatever else is wrong (virtio 1.4, 5.2.6.2). */
	for (uint32_t i = 0; i < request->range_count; i++) {
		if (request->ranges[i].flags & ~rules.flags)
			return VIRTIO_BLK_S_UNSUPP;
	}
	if (request->base.data.writable_bytes || sent == 0 || request->base.data.readable_bytes & (RANGE_BYTES - 1) ||
	    sent > rules.max_count || sent != request->range_count)
		return VIRTIO_BLK_S_IOERR;
	for (uint32_t i = 0; i < request->range_count; i++) {
		const struct virtio_blk_range *range = &request->ranges[i];

		if (range->sectors > rules.max_sectors || !on_disk(capacity, range->sector, range->sectors))
			return VIRTIO_BLK_S_IOERR;
	}
	return VIRTIO_BLK_S_OK;
}

/* Commands that a disk has only if the driver has accepted them. */
static uint8_t check_optional(const struct virtio_blk *blk, const struct virtio_blk_request *request)
{
	const struct virtio_blk_options *options = &blk->options;
	struct range_rules rules = { 0 };
	int feature;

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
		if (!negotiated(blk, VIRTIO_BLK_F_LIFETIME))
			return VIRTIO_BLK_S_UNSUPP;
		return request->base.data.readable_bytes == 0 && request->base.data.writable_bytes >= LIFETIME_BYTES
			       ? VIRTIO_BLK_S_OK
			       : VIRTIO_BLK_S_IOERR;
	default:
		/* Commands on zones are among these, for zones aren't offered. */
		return VIRTIO_BLK_S_UNSUPP;
	}
	return negotiated(blk, feature) ? check_ranges(blk, request, rules) : VIRTIO_BLK_S_UNSUPP;
}

uint8_t virtio_blk_check(const struct virtio_blk *blk, const struct virtio_blk_request *request)
{
	bool good;

	if (request->base.error)
		return VIRTIO_BLK_S_IOERR;
	switch (request->type) {
	case VIRTIO_BLK_T_IN:
		/* Data and status must fit the 32 bits of a used length. */
		good = request->base.data.readable_bytes == 0 && request->base.data.writable_bytes < UINT32_MAX &&
		       may_transfer(blk, request->sector, request->base.data.writable_bytes);
		break;
	case VIRTIO_BLK_T_OUT:
		/* What was offered counts, not what was accepted (virtio 1.4, 5.2.6.2). */
		good = request->base.data.writable_bytes == 0 && !blk->options.read_only &&
		       may_transfer(blk, request->sector, request->base.data.readable_bytes);
		break;
	case VIRTIO_BLK_T_FLUSH:
		if (!negotiated(blk, VIRTIO_BLK_F_FLUSH))
			return VIRTIO_BLK_S_UNSUPP;
		good = true;
		break;
	case VIRTIO_BLK_T_GET_ID:
		good = request->base.data.readable_bytes == 0 &&
		       request->base.data.writable_bytes >= VIRTIO_BLK_ID_BYTES;
		break;
	default:
		return check_optional(blk, request);
	}
	return good ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
}
