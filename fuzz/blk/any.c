/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Steps of the block harness that need no guest: checks of requests, transfers over segments of any
 * size, and calls of the library's memory back end. A small guest with a small disk cannot reach
 * the sizes that make arithmetic overflow.
 */
#include "any.h"
#include "backend.h"

#define MOST_SEGMENTS 6u
#define MOST_VECTORS 40u
#define CALL_BYTES (UINT64_C(1) << 30)
#define SMALL_DISK 100u

static void any_limits(struct blk_harness *h, struct virtio_blk_options *o)
{
	o->capacity = fuzz_number(&h->in) % (VIRTIO_BLK_MAX_CAPACITY + 1);
	o->max_request_bytes = fuzz_number(&h->in);
	o->max_discard_sectors = (uint32_t)fuzz_number(&h->in) | 1;
	o->max_discard_seg = fuzz_u8(&h->in) | 1u;
	o->max_write_zeroes_sectors = UINT32_MAX;
	o->max_write_zeroes_seg = UINT32_MAX;
	o->max_secure_erase_sectors = 7;
	o->max_secure_erase_seg = 3;
	o->backend.ops = &blk_backend_ops;
	o->backend.max_iovecs = 1;
}

static void any_ranges(struct blk_harness *h, struct blk_ask *ask, struct virtio_blk_request *request)
{
	const uint64_t whole = ask->out.bytes / 16;

	ask->room = fuzz_u8(&h->in) % (BLK_MOST_RANGES + 1);
	ask->range_count = whole < ask->room ? (uint32_t)whole : ask->room;
	for (uint32_t i = 0; i < ask->range_count; i++) {
		ask->ranges[i].sector = fuzz_number(&h->in);
		ask->ranges[i].sectors = (uint32_t)fuzz_number(&h->in);
		ask->ranges[i].flags = (uint32_t)fuzz_number(&h->in);
	}
	request->ranges = ask->ranges;
	request->range_count = ask->range_count;
}

void blk_any_check(struct blk_harness *h)
{
	struct blk_ask *ask = fuzz_alloc(sizeof *ask);
	struct blk_model *model = fuzz_alloc(sizeof *model);
	struct virtio_blk_options options = { 0 };
	struct virtio_blk_request request = { 0 };
	struct virtio_blk blk;
	uint8_t status;
	int got;

	any_limits(h, &options);
	got = virtio_blk_init(&blk, &options);
	FUZZ_CHECK(got == 0, "virtio_blk_init() returned %d", got);
	blk_model_init(model, &options);
	got = virtio_blk_negotiate(&blk, virtio_blk_offered(&blk));
	FUZZ_CHECK(got == 0 && blk_model_negotiate(model, model->offered),
		   "virtio_blk_negotiate() returned %d, or the model refuses the features", got);
	request.type = ask->type = fuzz_u8(&h->in);
	request.sector = ask->sector = fuzz_number(&h->in);
	request.base.data.readable_bytes = ask->out.bytes = fuzz_number(&h->in) % (UINT64_C(1) << 34);
	request.base.data.writable_bytes = ask->in.bytes = fuzz_number(&h->in) % (UINT64_C(1) << 34);
	any_ranges(h, ask, &request);
	status = virtio_blk_refusal_status(virtio_blk_refusal_of(&blk, &request));
	FUZZ_CHECK(status < 3 && (BLK_STATUS_BIT(status) & blk_model_check(model, ask)),
		   "the check of type %u, sector %#llx, yields status %u, allowed set %#x", ask->type,
		   (unsigned long long)ask->sector, status, blk_model_check(model, ask));
	FUZZ_CHECK(virtio_blk_refusal_of(&blk, &request) == blk_model_refusal(model, ask),
		   "the request is refused for a wrong reason");
	free(ask);
	free(model);
}

/* Transfers */

/* Makes segments that lie far apart. Each segment has at most 2^31 bytes. */
static uint32_t make_segments(struct blk_harness *h, struct virtio_segment *segments)
{
	const uint32_t count = fuzz_u8(&h->in) % (MOST_SEGMENTS + 1);

	for (uint32_t i = 0; i < count; i++) {
		const uint64_t at = (i + UINT64_C(1)) << 36;

		segments[i].addr = at;
		segments[i].len = fuzz_number(&h->in) % (UINT64_C(1) << 31) + 1;
		segments[i].host = (uint8_t *)(uintptr_t)at;
	}
	return count;
}

/*
 * Returns the number of bytes in a vector. Traps unless the vector holds the bytes of the segments
 * from offset @done on.
 */
static uint64_t check_vector(const struct virtio_segment *segments, uint64_t done, const struct virtio_iovec *iov,
			     uint32_t count)
{
	uint64_t bytes = 0;

	while (done >= segments->len && count > 0)
		done -= segments++->len;
	for (uint32_t i = 0; i < count; i++) {
		FUZZ_CHECK((uintptr_t)iov[i].base == segments->addr + done,
			   "entry %u of the vector has a wrong address", i);
		FUZZ_CHECK(iov[i].len > 0 && iov[i].len <= segments->len - done,
			   "entry %u of the vector is empty or leaves its segment: %zu bytes", i, iov[i].len);
		bytes += iov[i].len;
		done += iov[i].len;
		if (done == segments->len) {
			segments++;
			done = 0;
		}
	}
	return bytes;
}

static int advance(struct blk_harness *h, struct virtio_blk_transfer *t, uint64_t asked, uint64_t left)
{
	const uint8_t how = fuzz_u8(&h->in);
	const int64_t moved = how < 0x80   ? (int64_t)asked
			      : how < 0xf0 ? (int64_t)(asked * (how & 0x7f) / 0x7f)
					   : (int64_t)fuzz_number(&h->in);
	const uint64_t before = t->at.done, offset = t->offset;
	const int got = virtio_blk_transfer_advance(t, moved);

	if (moved < 0 || (uint64_t)moved > asked || (moved == 0 && left > 0)) {
		FUZZ_CHECK(got < 0 && t->at.done == before,
			   "a wrong advance by %lld of %llu bytes returned %d, or moved the transfer", (long long)moved,
			   (unsigned long long)asked, got);
		return got;
	}
	FUZZ_CHECK(got == ((uint64_t)moved < left) && t->at.done == before + (uint64_t)moved &&
			   t->offset == offset + (uint64_t)moved,
		   "advance by %lld bytes returned %d, or moved the transfer wrongly", (long long)moved, got);
	return got;
}

/*
 * Begins a transfer on the largest disk. Returns whether the request is accepted. A
 * refused request must have no data to move.
 */
static bool begin_transfer(const struct virtio_blk_request *request, struct virtio_blk_transfer *transfer)
{
	const struct virtio_blk_options options = { .backend = { .ops = &blk_backend_ops, .max_iovecs = 1 },
						    .capacity = VIRTIO_BLK_MAX_CAPACITY };
	struct blk_model *model = fuzz_alloc(sizeof *model);
	struct blk_ask *ask = fuzz_alloc(sizeof *ask);
	enum virtio_blk_refusal refusal;
	struct virtio_blk_result result;
	struct virtio_iovec iov;
	struct virtio_blk blk;
	uint8_t got;

	FUZZ_CHECK(virtio_blk_init(&blk, &options) == 0, "a disk with valid options is refused");
	blk_model_init(model, &options);
	ask->type = request->type;
	ask->sector = request->sector;
	ask->out.bytes = request->base.data.readable_bytes;
	ask->in.bytes = request->base.data.writable_bytes;
	refusal = blk_model_refusal(model, ask);
	free(ask);
	free(model);
	got = virtio_blk_transfer_begin(transfer, &blk, request);
	FUZZ_CHECK((got == VIRTIO_BLK_S_OK) == (refusal == VIRTIO_BLK_REFUSAL_NONE),
		   "virtio_blk_transfer_begin() returned status %u, the model disagrees", got);
	if (got == VIRTIO_BLK_S_OK)
		return true;
	FUZZ_CHECK(virtio_blk_transfer_iovec(transfer, &iov, 1) == 0, "a refused request has data to move");
	virtio_blk_transfer_result(request, transfer, 0, &result);
	FUZZ_CHECK(result.status == got && result.refusal == refusal, "the request is refused for a wrong reason");
	return false;
}

/*
 * Returns the number of bytes in all segments. If @whole is true, first lengthens the last segment
 * until the data is whole sectors.
 */
static uint64_t add_up(struct virtio_segment *segments, uint32_t count, bool whole)
{
	uint64_t all = 0;

	for (uint32_t i = 0; i < count; i++)
		all += segments[i].len;
	if (count > 0 && whole) {
		segments[count - 1].len += -all % 512;
		all += -all % 512;
	}
	return all;
}

void blk_any_transfer(struct blk_harness *h)
{
	struct virtio_segment segments[MOST_SEGMENTS];
	const uint8_t how = fuzz_u8(&h->in);
	struct virtio_blk_request request = { .type = how & 1 };
	const uint32_t count = make_segments(h, segments);
	const uint64_t all = add_up(segments, count, !(how & 2));
	struct virtio_blk_transfer transfer;
	struct virtio_iovec iov[MOST_SEGMENTS];
	int more = 1;

	request.base.data.segments = segments;
	request.sector = fuzz_number(&h->in) % VIRTIO_BLK_MAX_CAPACITY;
	if (request.type == VIRTIO_BLK_T_OUT) {
		request.base.data.readable = count;
		request.base.data.readable_bytes = all;
	} else {
		request.base.data.writable = count;
		request.base.data.writable_bytes = all;
	}
	if (!begin_transfer(&request, &transfer))
		return;
	FUZZ_CHECK(transfer.offset == request.sector * 512, "the transfer begins at the wrong offset %#llx",
		   (unsigned long long)transfer.offset);
	for (uint32_t i = 0; i < MOST_VECTORS && more == 1; i++) {
		const uint64_t left = all - transfer.at.done;
		const uint64_t most = left < CALL_BYTES ? left : CALL_BYTES;
		const uint32_t capacity = fuzz_u8(&h->in) % MOST_SEGMENTS + 1;
		const uint32_t filled = virtio_blk_transfer_iovec(&transfer, iov, capacity);
		const uint64_t bytes = check_vector(segments, transfer.at.done, iov, filled);

		FUZZ_CHECK(bytes <= most && (filled == capacity || bytes == most),
			   "the vector has too many or too few bytes: %llu of %llu, in %u entries",
			   (unsigned long long)bytes, (unsigned long long)most, filled);
		more = advance(h, &transfer, bytes, left);
	}
}

/* The library's memory back end */

static void check_move(struct blk_harness *h, const struct virtio_blk_backend *b, const uint8_t *disk, uint64_t size,
		       uint64_t offset)
{
	const uint8_t drawn = fuzz_u8(&h->in);
	const size_t len = drawn ? drawn : 1, first = drawn ? fuzz_u8(&h->in) % len : 0;
	uint8_t *guest = fuzz_alloc(len), *before = fuzz_alloc(size);
	const struct virtio_iovec iov[2] = { { guest, first }, { guest + first, len - first } };
	const uint64_t behind = offset < size ? size - offset : 0, most = len < behind ? len : behind;
	int64_t got;

	/* A vector must not have empty entries, so an empty first entry is left out. */
	got = b->ops->readv(b->context, first ? iov : iov + 1, first ? 2 : 1, offset);
	FUZZ_CHECK(got == (int64_t)most && (most == 0 || memcmp(guest, disk + offset, most) == 0),
		   "the memory back end reads a wrong number of bytes, %lld, or wrong bytes", (long long)got);
	memset(guest, 0x77, len);
	memcpy(before, disk, size);
	got = b->ops->writev(b->context, first ? iov : iov + 1, first ? 2 : 1, offset);
	FUZZ_CHECK(got == (int64_t)most, "the memory back end writes a wrong number of bytes: %lld", (long long)got);
	if (most)
		memset(before + offset, 0x77, most);
	FUZZ_CHECK(memcmp(before, disk, size) == 0, "the memory back end writes wrong bytes, or outside of the range");
	free(guest);
	free(before);
}

void blk_any_memory(struct blk_harness *h)
{
	const uint64_t size = fuzz_u8(&h->in) % SMALL_DISK, offset = fuzz_number(&h->in), bytes = fuzz_number(&h->in);
	struct virtio_blk_memory memory = { NULL, size };
	struct virtio_blk_backend b = { .max_iovecs = 77 };
	const bool inside = offset <= size && bytes <= size - offset;
	int got = virtio_blk_memory_backend(&memory, &b);
	uint8_t *disk;

	FUZZ_CHECK(size ? got == VIRTIO_EINVAL && b.max_iovecs == 77 : got == 0,
		   "virtio_blk_memory_backend() without memory returned %d, or changed the back end", got);
	memory.bytes = disk = fuzz_alloc(size);
	for (uint64_t i = 0; i < size; i++)
		disk[i] = (uint8_t)(i + 1);
	got = virtio_blk_memory_backend(&memory, &b);
	FUZZ_CHECK(got == 0 && b.max_iovecs > 0, "virtio_blk_memory_backend() returned %d, or set no max_iovecs", got);
	check_move(h, &b, disk, size, offset);
	got = b.ops->write_zeroes(b.context, offset, bytes, true);
	FUZZ_CHECK(inside ? got == 0 : got < 0, "write_zeroes() of the memory back end returned %d", got);
	for (uint64_t i = 0; inside && i < bytes; i++)
		FUZZ_CHECK(disk[offset + i] == 0, "write_zeroes() of the memory back end left a byte");
	free(disk);
}
