/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Block requests by ordinary system calls, and what all queues have in common. */
#include "blk_queue.h"

#include "event_loop.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* For all kinds */

#define TURN_NS INT64_C(5000000)

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t blk_queue_turn(void)
{
	return now_ns() + TURN_NS;
}

bool blk_queue_turn_is_over(int64_t end)
{
	return now_ns() >= end;
}

struct virtio_blk_storage blk_queue_storage(struct blk_queue_storage *storage)
{
	return (struct virtio_blk_storage){
		.segments = storage->segments,
		.segment_capacity = BLK_QUEUE_SEGMENTS,
		.ranges = storage->ranges,
		.range_capacity = BLK_QUEUE_RANGES,
	};
}

void blk_queue_log_failure(struct blk_queue *queue, int error, int system_error)
{
	if (error == queue->logged_error && system_error == queue->logged_errno)
		return;
	queue->logged_error = error;
	queue->logged_errno = system_error;
	log_line("%s: a request failed: %s%s%s", queue->name, virtio_strerror(error), system_error ? ": " : "",
		 system_error ? strerror(system_error) : "");
}

void blk_queue_execute(struct blk_queue *queue, const struct virtio_blk_request *request,
		       struct virtio_blk_result *result)
{
	errno = 0;
	virtio_blk_execute(queue->blk, request, result);
	if (result->error && !request->error)
		blk_queue_log_failure(queue, result->error, errno);
}

int blk_queue_give_back(struct blk_queue *queue, struct virtio_queue *virtq, struct virtio_token token)
{
	queue->stats.malformed++;
	return virtio_queue_complete(virtq, token, 0);
}

int blk_queue_finish(struct blk_queue *queue, struct virtio_queue *virtq, const struct virtio_blk_request *request,
		     const struct virtio_blk_result *result)
{
	return virtio_queue_complete(virtq, request->token, virtio_blk_finish(request, result, &queue->stats));
}

/* Ordinary system calls */

struct sync_queue {
	struct blk_queue queue;
	struct blk_queue_storage storage; /* of the request being served */
};

/*
 * What virtio_blk_process() does, and failures are logged. Memory that isn't mapped at the moment doesn't occur here.
 */
static int serve_chain(struct sync_queue *sync, struct virtio_queue *virtq, struct virtio_chain *chain)
{
	const struct virtio_blk_storage storage = blk_queue_storage(&sync->storage);
	struct virtio_blk_request request;
	struct virtio_blk_result result;

	if (virtio_blk_parse(chain, &storage, &request))
		return blk_queue_give_back(&sync->queue, virtq, chain->token);
	blk_queue_execute(&sync->queue, &request, &result);
	return blk_queue_finish(&sync->queue, virtq, &request, &result);
}

static int sync_process(struct blk_queue *queue, struct virtio_queue *virtq, unsigned int budget)
{
	struct sync_queue *sync = CONTAINER_OF(queue, struct sync_queue, queue);
	const int64_t end = blk_queue_turn();
	struct virtio_chain chain;

	for (; budget > 0; budget--) {
		int got = virtio_queue_pop(virtq, &chain);

		if (got > 0)
			got = serve_chain(sync, virtq, &chain);
		else if (got == 0)
			break;
		if (got < 0)
			return got;
		if (blk_queue_turn_is_over(end))
			break;
	}
	return 0;
}

static void sync_drain(struct blk_queue *queue, struct virtio_queue *virtq)
{
	/* What is popped is completed in the same turn. */
	(void)queue;
	(void)virtq;
}

static int sync_completion_fd(const struct blk_queue *queue)
{
	(void)queue;
	return -1;
}

static void sync_destroy(struct blk_queue *queue)
{
	free(CONTAINER_OF(queue, struct sync_queue, queue));
}

static const struct blk_queue_ops sync_ops = {
	.process = sync_process,
	.drain = sync_drain,
	.completion_fd = sync_completion_fd,
	.destroy = sync_destroy,
};

struct blk_queue *blk_queue_create(const struct virtio_blk *blk, int fd, const char *name)
{
	struct sync_queue *sync = calloc(1, sizeof *sync);

	if (!sync)
		return NULL;
	sync->queue = (struct blk_queue){ .ops = &sync_ops, .blk = blk, .fd = fd, .name = name };
	return &sync->queue;
}
