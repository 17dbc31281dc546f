/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Carries out requests, and completes them. */
#include <virtio/blk.h>
#include <virtio/blk_steps.h>
#include <virtio/blk_transfer.h>
#include <virtio/queue.h>
#include <virtio/reader.h>

/*
 * The length of the vector on the stack, and the limit of bytes for one call of the back end. The
 * limit fits an ssize_t.
 */
#define CALL_IOVECS 64u
#define CALL_BYTES (UINT64_C(1) << 30)

typedef int64_t move_fn(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset);

/*
 * Starts a transfer at the beginning of a legal request's data. For types other than reads and
 * writes the transfer is empty, whatever buffers the request has.
 */
static void start_transfer(struct virtio_blk_transfer *transfer, const struct virtio_blk_request *request)
{
	struct virtio_blk_data data = { 0 };

	*transfer = (struct virtio_blk_transfer){ .refusal = VIRTIO_BLK_REFUSAL_NONE, .max_bytes = CALL_BYTES };
	if (request->type == VIRTIO_BLK_T_IN)
		data = virtio_blk_in(request);
	else if (request->type == VIRTIO_BLK_T_OUT)
		data = virtio_blk_out(request);
	else
		return;
	virtio_stream_init(&transfer->at, data.segments, data.bytes);
	transfer->offset = request->sector << VIRTIO_BLK_SECTOR_SHIFT;
}

uint8_t virtio_blk_transfer_begin(struct virtio_blk_transfer *transfer, const struct virtio_blk *blk,
				  const struct virtio_blk_request *request)
{
	const enum virtio_blk_refusal refusal = virtio_blk_refusal_of(blk, request);

	if (refusal == VIRTIO_BLK_REFUSAL_NONE)
		start_transfer(transfer, request);
	else
		*transfer = (struct virtio_blk_transfer){ .refusal = refusal };
	return virtio_blk_refusal_status(refusal);
}

uint32_t virtio_blk_transfer_iovec(struct virtio_blk_transfer *transfer, struct virtio_iovec *iov, uint32_t capacity)
{
	const uint64_t most = transfer->max_bytes < CALL_BYTES ? transfer->max_bytes : CALL_BYTES;

	return virtio_stream_iovec(&transfer->at, most, iov, capacity, &transfer->wanted);
}

int virtio_blk_transfer_advance(struct virtio_blk_transfer *transfer, int64_t moved)
{
	const uint64_t wanted = transfer->wanted;

	transfer->wanted = 0;
	if (moved < 0 && moved >= INT32_MIN)
		return (int)moved;
	/*
	 * If data is left but nothing was moved, the storage is shorter than the disk. Any
	 * other number that is refused here is a fault of the back end.
	 */
	if (moved < 0 || (uint64_t)moved > wanted || (moved == 0 && transfer->at.left > 0))
		return VIRTIO_EIO;
	transfer->offset += (uint64_t)moved;
	/* Cannot fail: `moved` is at most `wanted`, and `wanted` is at most `at.left`. */
	(void)!virtio_stream_advance(&transfer->at, (uint64_t)moved);
	return transfer->at.left > 0;
}

/* Sets the result of a refused request. */
static void refuse(const struct virtio_blk_request *request, enum virtio_blk_refusal refusal,
		   struct virtio_blk_result *result)
{
	*result = (struct virtio_blk_result){
		.status = virtio_blk_refusal_status(refusal),
		.error = request->base.error,
		.refusal = refusal,
	};
}

void virtio_blk_transfer_result(const struct virtio_blk_request *request, const struct virtio_blk_transfer *transfer,
				int error, struct virtio_blk_result *result)
{
	if (transfer->refusal != VIRTIO_BLK_REFUSAL_NONE) {
		refuse(request, transfer->refusal, result);
		return;
	}
	*result = (struct virtio_blk_result){
		.status = error ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK,
		.error = error,
	};
	if (request->type != VIRTIO_BLK_T_IN)
		return;
	result->written = transfer->at.done;
	/* The failed call may have moved bytes without reporting them. */
	result->touched = error ? request->base.data.writable_bytes : transfer->at.done;
}

/*
 * Moves the next part of a request's data, at most `bytes` bytes, in as many calls as needed.
 * Returns 1 if data is left, 0 after the last byte, or an error.
 */
static int move_data(const struct virtio_blk_backend *backend, move_fn *move, struct virtio_blk_transfer *transfer,
		     uint64_t bytes)
{
	const uint32_t limit = backend->max_iovecs < CALL_IOVECS ? backend->max_iovecs : CALL_IOVECS;
	const uint64_t begin = transfer->at.done;
	struct virtio_iovec iov[CALL_IOVECS];
	int more;

	do {
		uint32_t count;

		transfer->max_bytes = bytes - (transfer->at.done - begin);
		count = virtio_blk_transfer_iovec(transfer, iov, limit);
		more = virtio_blk_transfer_advance(transfer,
						   count ? move(backend->context, iov, count, transfer->offset) : 0);
	} while (more == 1 && transfer->at.done - begin < bytes);
	return more;
}

/*
 * Marks in the dirty log the bytes that a step of a read has moved. The completion would mark these
 * bytes too late, because the request may be abandoned before the completion.
 */
static void mark_moved(struct virtio_stream at, uint64_t bytes)
{
	struct virtio_iovec iov;
	uint64_t filled;

	while (bytes > 0 && virtio_stream_iovec(&at, bytes, &iov, 1, &filled) == 1) {
		const struct virtio_segment part = {
			.addr = at.segments->addr + at.offset,
			.len = filled,
			.host = iov.base,
			.region = at.segments->region,
		};

		virtio_segments_mark_dirty(&part, 1, filled);
		if (virtio_stream_advance(&at, filled))
			return;
		bytes -= filled;
	}
}

/* Under write-through, makes a change stable before the completion (virtio 1.4, 5.2.6.2). */
static int commit(const struct virtio_blk *blk)
{
	const struct virtio_blk_backend *backend = &blk->options.backend;

	return virtio_blk_write_through(blk) ? backend->ops->flush(backend->context) : 0;
}

static int change_range(const struct virtio_blk *blk, uint32_t type, const struct virtio_blk_range *range)
{
	const struct virtio_blk_backend_ops *ops = blk->options.backend.ops;
	void *context = blk->options.backend.context;
	const uint64_t offset = range->sector << VIRTIO_BLK_SECTOR_SHIFT;
	const uint64_t bytes = (uint64_t)range->sectors << VIRTIO_BLK_SECTOR_SHIFT;

	if (type == VIRTIO_BLK_T_DISCARD)
		return ops->discard(context, offset, bytes);
	if (type == VIRTIO_BLK_T_SECURE_ERASE)
		return ops->secure_erase(context, offset, bytes);
	/*
	 * If the configuration says that zeroing never unmaps, zeroing must not unmap (virtio 1.4,
	 * 5.2.6.2).
	 */
	return ops->write_zeroes(context, offset, bytes,
				 (range->flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP) != 0 &&
					 blk->options.write_zeroes_may_unmap);
}

/*
 * Changes the next range that has sectors. Returns 0, or the back end's error, which can be
 * any number except 0. Sets *more to true if ranges are left, otherwise to false.
 */
static int change_next(const struct virtio_blk *blk, const struct virtio_blk_request *request,
		       struct virtio_blk_steps *steps, bool *more)
{
	int error = 0;

	while (steps->range < request->range_count && request->ranges[steps->range].sectors == 0)
		steps->range++;
	if (steps->range < request->range_count) {
		steps->changed = true;
		error = change_range(blk, request->type, &request->ranges[steps->range++]);
	}
	*more = steps->range < request->range_count;
	return error;
}

/*
 * Writes the device's answer into the request's buffers. The bytes fit, because
 * virtio_blk_refusal_of() refuses a request without enough room. The writer records the bytes in
 * the dirty log.
 */
static void answer(const struct virtio_blk_request *request, const void *bytes, size_t len,
		   struct virtio_blk_result *result)
{
	struct virtio_writer writer;

	virtio_writer_init(&writer, &request->base.data);
	result->written = virtio_writer_write(&writer, bytes, len);
	result->touched = result->written;
}

/*
 * Fails if the back end returns a reserved value, because a device must not send reserved values
 * (virtio 1.4, 5.2.6.2).
 */
static int get_lifetime(const struct virtio_blk *blk, const struct virtio_blk_request *request,
			struct virtio_blk_result *result)
{
	const struct virtio_blk_backend *backend = &blk->options.backend;
	struct virtio_blk_wear wear = { 0 };
	uint8_t bytes[6];
	const int error = backend->ops->lifetime(backend->context, &wear);

	if (error)
		return error;
	if (wear.pre_eol_info > 3 || wear.typ_a > 11 || wear.typ_b > 11)
		return VIRTIO_EIO;
	virtio_put_le16(bytes, wear.pre_eol_info);
	virtio_put_le16(bytes + 2, wear.typ_a);
	virtio_put_le16(bytes + 4, wear.typ_b);
	answer(request, bytes, sizeof bytes, result);
	return 0;
}

/*
 * Carries out the next part of a request that moves data or changes ranges. Returns as
 * change_next().
 */
static int change_or_move(const struct virtio_blk *blk, const struct virtio_blk_request *request, uint64_t bytes,
			  struct virtio_blk_steps *steps, bool *more)
{
	const struct virtio_blk_backend *backend = &blk->options.backend;
	const bool in = request->type == VIRTIO_BLK_T_IN;
	int error;

	if (in || request->type == VIRTIO_BLK_T_OUT) {
		error = move_data(backend, in ? backend->ops->readv : backend->ops->writev, &steps->transfer, bytes);
		*more = error == 1;
		error = *more ? 0 : error;
		steps->changed = !in && steps->transfer.at.done > 0;
	} else {
		/* Only commands on ranges are left: carry_on() serves all other types. */
		error = change_next(blk, request, steps, more);
	}
	return !error && !*more && steps->changed ? commit(blk) : error;
}

/*
 * Carries out a legal request's next part. The caller has set *more to false. Returns as
 * change_next().
 */
static int carry_on(const struct virtio_blk *blk, const struct virtio_blk_request *request, uint64_t bytes,
		    struct virtio_blk_steps *steps, struct virtio_blk_result *result, bool *more)
{
	const struct virtio_blk_backend *backend = &blk->options.backend;

	if (request->type == VIRTIO_BLK_T_GET_ID) {
		answer(request, blk->options.id, VIRTIO_BLK_ID_BYTES, result);
		return 0;
	}
	if (!backend->ops)
		return VIRTIO_ENOOP;
	switch (request->type) {
	case VIRTIO_BLK_T_FLUSH:
		return backend->ops->flush(backend->context);
	case VIRTIO_BLK_T_GET_LIFETIME:
		return get_lifetime(blk, request, result);
	default:
		return change_or_move(blk, request, bytes, steps, more);
	}
}

void virtio_blk_steps_begin(struct virtio_blk_steps *steps, const struct virtio_blk *blk,
			    const struct virtio_blk_request *request)
{
	*steps = (struct virtio_blk_steps){ .range = 0 };
	(void)!virtio_blk_transfer_begin(&steps->transfer, blk, request);
}

int virtio_blk_step(struct virtio_blk_steps *steps, const struct virtio_blk *blk,
		    const struct virtio_blk_request *request, uint64_t bytes, struct virtio_blk_result *result)
{
	struct virtio_blk_result answered = { .status = VIRTIO_BLK_S_OK };
	const struct virtio_stream before = steps->transfer.at;
	bool more = false;
	int error = 0;

	if (steps->transfer.refusal == VIRTIO_BLK_REFUSAL_NONE)
		error = carry_on(blk, request, bytes, steps, &answered, &more);
	if (more && !error) {
		if (request->type == VIRTIO_BLK_T_IN)
			mark_moved(before, steps->transfer.at.done - before.done);
		return 1;
	}
	if (!error && answered.written > 0)
		*result = answered;
	else if (error == VIRTIO_ENOOP && !blk->options.backend.ops)
		*result = (struct virtio_blk_result){ .status = VIRTIO_BLK_S_IOERR, .error = error };
	else
		virtio_blk_transfer_result(request, &steps->transfer, error, result);
	return 0;
}

void virtio_blk_execute(const struct virtio_blk *blk, const struct virtio_blk_request *request,
			struct virtio_blk_result *result)
{
	struct virtio_blk_steps steps;

	virtio_blk_steps_begin(&steps, blk, request);
	while (virtio_blk_step(&steps, blk, request, CALL_BYTES, result) == 1)
		;
}

/*
 * Returns the counter of a request's type. A request with a base.error is counted in the member
 * `others`.
 */
static uint64_t *counter(struct virtio_blk_stats *stats, const struct virtio_blk_request *request)
{
	if (request->base.error)
		return &stats->others;
	switch (request->type) {
	case VIRTIO_BLK_T_IN:
		return &stats->reads;
	case VIRTIO_BLK_T_OUT:
		return &stats->writes;
	case VIRTIO_BLK_T_FLUSH:
		return &stats->flushes;
	case VIRTIO_BLK_T_GET_ID:
		return &stats->ids;
	case VIRTIO_BLK_T_DISCARD:
		return &stats->discards;
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return &stats->write_zeroes;
	case VIRTIO_BLK_T_SECURE_ERASE:
		return &stats->secure_erases;
	default:
		return &stats->others;
	}
}

static void count(struct virtio_blk_stats *stats, const struct virtio_blk_request *request,
		  const struct virtio_blk_result *result)
{
	const bool ok = result->status == VIRTIO_BLK_S_OK;

	if (stats->first_error == 0)
		stats->first_error = result->error;
	if (stats->first_refusal == VIRTIO_BLK_REFUSAL_NONE)
		stats->first_refusal = result->refusal;
	if (request->base.data.last_writable.len == 0) {
		stats->malformed++;
		return;
	}
	(*counter(stats, request))++;
	if (!request->base.error && request->type == VIRTIO_BLK_T_IN)
		stats->read_bytes += result->written;
	if (ok && request->type == VIRTIO_BLK_T_OUT)
		stats->written_bytes += request->base.data.readable_bytes;
	if (result->status == VIRTIO_BLK_S_UNSUPP)
		stats->unsupported++;
	else if (!ok)
		stats->failed++;
}

int virtio_blk_complete(struct virtio_queue *queue, const struct virtio_blk_request *request,
			const struct virtio_blk_result *result, struct virtio_blk_stats *stats)
{
	int error;

	/* Do not touch a stale request's memory: its regions may belong to another owner by now. */
	if (!virtio_queue_is_in_flight(queue, request->base.token))
		return VIRTIO_ESTALE;
	if (result->touched) {
		const struct virtio_blk_data in = virtio_blk_in(request);

		virtio_segments_mark_dirty(in.segments, in.count, result->touched);
	}
	error = virtio_request_complete(queue, &request->base, result->status, result->written);
	if (!error && stats)
		count(stats, request, result);
	return error;
}

int virtio_blk_process(const struct virtio_blk *blk, struct virtio_queue *queue, struct virtio_blk_request *request,
		       struct virtio_blk_stats *stats)
{
	struct virtio_blk_result result;
	int got = virtio_blk_pop(queue, request);

	if (got != 1)
		return got;
	virtio_blk_execute(blk, request, &result);
	got = virtio_blk_complete(queue, request, &result, stats);
	return got ? got : 1;
}
