/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Carrying requests out, and what is left to do when that has happened. */
#include <virtio/blk.h>
#include <virtio/blk_transfer.h>
#include <virtio/queue.h>
#include <virtio/reader.h>

/* The vector on the stack, and the most that one call of the back end is asked for (an ssize_t holds it). */
#define CALL_IOVECS 64u
#define CALL_BYTES (UINT64_C(1) << 30)

typedef int64_t move_fn(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset);

/* At the start of the data of a request that is in order. Types without data have none to move, whatever they bring. */
static void start_transfer(struct virtio_blk_transfer *transfer, const struct virtio_blk_request *request)
{
	struct virtio_blk_data data = { 0 };

	*transfer = (struct virtio_blk_transfer){ .refusal = VIRTIO_BLK_REFUSAL_NONE };
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
	return virtio_stream_iovec(&transfer->at, CALL_BYTES, iov, capacity, &transfer->wanted);
}

int virtio_blk_transfer_advance(struct virtio_blk_transfer *transfer, int64_t moved)
{
	const uint64_t wanted = transfer->wanted;

	transfer->wanted = 0;
	if (moved < 0 && moved >= INT32_MIN)
		return (int)moved;
	/* An end of the storage inside the disk is as much a failure as an error; so is nonsense. */
	if (moved < 0 || (uint64_t)moved > wanted || (moved == 0 && transfer->at.left > 0))
		return VIRTIO_EIO;
	transfer->offset += (uint64_t)moved;
	/* No more than was wanted, and so no more than is left. */
	(void)!virtio_stream_advance(&transfer->at, (uint64_t)moved);
	return transfer->at.left > 0;
}

/* The result of a request that is refused, or, with VIRTIO_BLK_REFUSAL_NONE, that of one that has nothing to do yet. */
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
	/* The call that failed may have begun, and said nothing about how far it got. */
	result->touched = error ? request->base.data.writable_bytes : transfer->at.done;
}

/* Moves all of a request's data, in as many calls as it takes. Returns 0 or an error. */
static int transfer_all(const struct virtio_blk_backend *backend, move_fn *move, struct virtio_blk_transfer *transfer)
{
	const uint32_t limit = backend->max_iovecs < CALL_IOVECS ? backend->max_iovecs : CALL_IOVECS;
	struct virtio_iovec iov[CALL_IOVECS];
	int more;

	do {
		const uint32_t count = virtio_blk_transfer_iovec(transfer, iov, limit);

		more = virtio_blk_transfer_advance(transfer,
						   count ? move(backend->context, iov, count, transfer->offset) : 0);
	} while (more == 1);
	return more;
}

static int read_data(const struct virtio_blk *blk, const struct virtio_blk_request *request,
		     struct virtio_blk_result *result)
{
	const struct virtio_blk_backend *backend = &blk->options.backend;
	struct virtio_blk_transfer transfer;
	int error;

	start_transfer(&transfer, request);
	error = transfer_all(backend, backend->ops->readv, &transfer);
	virtio_blk_transfer_result(request, &transfer, error, result);
	return error;
}

/*
 * What was changed must be stable before it is reported as done, if the driver relies on us for that (virtio
 * 1.4, 5.2.6.2).
 */
static int commit(const struct virtio_blk *blk)
{
	const struct virtio_blk_backend *backend = &blk->options.backend;

	return virtio_blk_write_through(blk) ? backend->ops->flush(backend->context) : 0;
}

static int write_data(const struct virtio_blk *blk, const struct virtio_blk_request *request)
{
	const struct virtio_blk_backend *backend = &blk->options.backend;
	struct virtio_blk_transfer transfer;
	int error;

	start_transfer(&transfer, request);
	error = transfer_all(backend, backend->ops->writev, &transfer);
	if (!error && transfer.at.done > 0)
		error = commit(blk);
	return error;
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
	/* Where the configuration says that zeroing never unmaps, it doesn't (virtio 1.4, 5.2.6.2). */
	return ops->write_zeroes(context, offset, bytes,
				 (range->flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP) != 0 &&
					 blk->options.write_zeroes_may_unmap);
}

static int change_ranges(const struct virtio_blk *blk, const struct virtio_blk_request *request)
{
	bool changed = false;

	for (uint32_t i = 0; i < request->range_count; i++) {
		const struct virtio_blk_range *range = &request->ranges[i];
		const int error = range->sectors ? change_range(blk, request->type, range) : 0;

		if (error)
			return error;
		changed = changed || range->sectors != 0;
	}
	return changed ? commit(blk) : 0;
}

/* Answers with bytes of our own. The caller has seen that there is room for them. The writer records them. */
static void answer(const struct virtio_blk_request *request, const void *bytes, size_t len,
		   struct virtio_blk_result *result)
{
	struct virtio_writer writer;

	virtio_writer_init(&writer, &request->base.data);
	result->written = virtio_writer_write(&writer, bytes, len);
	result->touched = result->written;
}

/* Reserved values are never sent (virtio 1.4, 5.2.6.2): a back end that gives one has a fault. */
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

/* Carries out a request that is in order. Returns 0 or an error. */
static int carry_out(const struct virtio_blk *blk, const struct virtio_blk_request *request,
		     struct virtio_blk_result *result)
{
	const struct virtio_blk_backend *backend = &blk->options.backend;

	if (request->type == VIRTIO_BLK_T_GET_ID) {
		answer(request, blk->options.id, VIRTIO_BLK_ID_BYTES, result);
		return 0;
	}
	if (!backend->ops)
		return VIRTIO_ENOOP;
	switch (request->type) {
	case VIRTIO_BLK_T_IN:
		return read_data(blk, request, result);
	case VIRTIO_BLK_T_OUT:
		return write_data(blk, request);
	case VIRTIO_BLK_T_FLUSH:
		return backend->ops->flush(backend->context);
	case VIRTIO_BLK_T_GET_LIFETIME:
		return get_lifetime(blk, request, result);
	default:
		/* Nothing else passes the check. */
		return change_ranges(blk, request);
	}
}

void virtio_blk_execute(const struct virtio_blk *blk, const struct virtio_blk_request *request,
			struct virtio_blk_result *result)
{
	const enum virtio_blk_refusal refusal = virtio_blk_refusal_of(blk, request);
	int error;

	refuse(request, refusal, result);
	if (refusal != VIRTIO_BLK_REFUSAL_NONE)
		return;
	error = carry_out(blk, request, result);
	if (error) {
		result->status = VIRTIO_BLK_S_IOERR;
		result->error = error;
	}
}

/* The counter of a request's type; one that couldn't be read has none. */
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

	/* A stale request's memory, and even its regions, may be somebody else's by now. */
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
