/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Carrying requests out, and what is left to do when that has happened. */
#include <virtio/blk.h>
#include <virtio/queue.h>

/* The vector on the stack, and the most that one call of the back end is asked for (an ssize_t holds it). */
#define CALL_IOVECS 64u
#define CALL_BYTES (UINT64_C(1) << 30)

typedef int64_t move_fn(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset);

/*
 * Moves all of a request's data, in as many calls as it takes.
 *
 * @offset  of the first byte on the disk
 * @done    increased by the bytes moved, also on failure
 *
 * Returns 0 or an error.
 */
static int transfer(const struct virtio_blk_backend *backend, move_fn *move, const struct virtio_blk_data *data,
		    uint64_t offset, uint64_t *done)
{
	const uint32_t limit = backend->max_iovecs < CALL_IOVECS ? backend->max_iovecs : CALL_IOVECS;
	const struct virtio_segment *segment = data->segments;
	uint32_t left = data->count;
	struct virtio_iovec iov[CALL_IOVECS];
	uint64_t skip = 0;

	while (*done < data->bytes) {
		uint64_t wanted;
		const uint32_t count = virtio_segments_iovec(segment, left, skip, CALL_BYTES, iov, limit, &wanted);
		const int64_t moved = count ? move(backend->context, iov, count, offset + *done) : VIRTIO_EINVAL;

		/* An end of the storage inside the disk is as much a failure as an error; so is nonsense. */
		if (moved < 0 && moved >= INT32_MIN)
			return (int)moved;
		if (moved <= 0 || (uint64_t)moved > wanted)
			return VIRTIO_EIO;
		*done += (uint64_t)moved;
		skip += (uint64_t)moved;
		while (left > 0 && skip >= segment->len) {
			skip -= segment->len;
			segment++;
			left--;
		}
	}
	return 0;
}

static int read_data(const struct virtio_blk *blk, const struct virtio_blk_request *request,
		     struct virtio_blk_result *result)
{
	const struct virtio_blk_backend *backend = &blk->options.backend;
	const int error = transfer(backend, backend->ops->readv, &request->in,
				   request->sector << VIRTIO_BLK_SECTOR_SHIFT, &result->written);

	/* The call that failed may have begun, and said nothing about how far it got. */
	result->touched = error ? request->in.bytes : result->written;
	return error;
}

static int write_data(const struct virtio_blk *blk, const struct virtio_blk_request *request)
{
	const struct virtio_blk_backend *backend = &blk->options.backend;
	uint64_t done = 0;
	int error = transfer(backend, backend->ops->writev, &request->out, request->sector << VIRTIO_BLK_SECTOR_SHIFT,
			     &done);

	if (!error && done > 0 && virtio_blk_write_through(blk))
		error = backend->ops->flush(backend->context);
	return error;
}

static void get_id(const struct virtio_blk *blk, const struct virtio_blk_request *request,
		   struct virtio_blk_result *result)
{
	const struct virtio_segment *s = request->in.segments;
	size_t done = 0;

	for (; done < VIRTIO_BLK_ID_BYTES; s++) {
		const size_t left = VIRTIO_BLK_ID_BYTES - done;
		const size_t part = s->len < left ? (size_t)s->len : left;

		virtio_guest_copy_out(s->host, blk->options.id + done, part);
		done += part;
	}
	result->written = done;
	result->touched = done;
}

void virtio_blk_execute(const struct virtio_blk *blk, const struct virtio_blk_request *request,
			struct virtio_blk_result *result)
{
	const struct virtio_blk_backend *backend = &blk->options.backend;
	int error = 0;

	*result = (struct virtio_blk_result){ .status = virtio_blk_check(blk, request), .error = request->error };
	if (result->status != VIRTIO_BLK_S_OK)
		return;
	switch (request->type) {
	case VIRTIO_BLK_T_IN:
		error = read_data(blk, request, result);
		break;
	case VIRTIO_BLK_T_OUT:
		error = write_data(blk, request);
		break;
	case VIRTIO_BLK_T_FLUSH:
		error = backend->ops->flush(backend->context);
		break;
	case VIRTIO_BLK_T_GET_ID:
		get_id(blk, request, result);
		break;
	}
	if (error) {
		result->status = VIRTIO_BLK_S_IOERR;
		result->error = error;
	}
}

static void count(struct virtio_blk_stats *stats, const struct virtio_blk_request *request,
		  const struct virtio_blk_result *result)
{
	const bool ok = result->status == VIRTIO_BLK_S_OK;

	if (request->error) {
		stats->others++;
	} else if (request->type == VIRTIO_BLK_T_IN) {
		stats->reads++;
		stats->read_bytes += result->written;
	} else if (request->type == VIRTIO_BLK_T_OUT) {
		stats->writes++;
		stats->written_bytes += ok ? request->out.bytes : 0;
	} else if (request->type == VIRTIO_BLK_T_FLUSH) {
		stats->flushes++;
	} else if (request->type == VIRTIO_BLK_T_GET_ID) {
		stats->ids++;
	} else {
		stats->others++;
	}
	if (result->status == VIRTIO_BLK_S_UNSUPP)
		stats->unsupported++;
	else if (!ok)
		stats->failed++;
	if (stats->first_error == 0)
		stats->first_error = result->error;
}

uint32_t virtio_blk_finish(const struct virtio_blk_request *request, const struct virtio_blk_result *result,
			   struct virtio_blk_stats *stats)
{
	uint64_t used = result->written;

	if (result->touched)
		virtio_segments_mark_dirty(request->in.segments, request->in.count, result->touched);
	virtio_guest_copy_out(request->status.host, &result->status, 1);
	virtio_segments_mark_dirty(&request->status, 1, 1);
	if (stats)
		count(stats, request, result);
	/* A status behind data that was not written is behind a gap. */
	if (used == request->in.bytes && !request->error)
		used++;
	return used > UINT32_MAX ? UINT32_MAX : (uint32_t)used;
}

int virtio_blk_process(const struct virtio_blk *blk, struct virtio_queue *queue, struct virtio_chain *chain,
		       struct virtio_segment *segments, uint32_t capacity, struct virtio_blk_stats *stats)
{
	struct virtio_blk_request request;
	struct virtio_blk_result result;
	int error = virtio_blk_parse(chain, segments, capacity, &request);

	if (error == VIRTIO_ENOTMAPPED) {
		const int undo = virtio_queue_undo(queue, chain->token);

		return undo ? undo : error;
	}
	if (error) {
		if (stats) {
			stats->malformed++;
			if (stats->first_error == 0)
				stats->first_error = error;
		}
		return virtio_queue_complete(queue, chain->token, 0);
	}
	virtio_blk_execute(blk, &request, &result);
	return virtio_queue_complete(queue, request.token, virtio_blk_finish(&request, &result, stats));
}
