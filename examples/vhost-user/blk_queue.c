/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Block requests by ordinary system calls, and what all queues have in common. */
#include "blk_queue.h"

#include "device.h"
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

int blk_queue_init_request(struct virtio_blk_request *request, struct blk_queue_storage *storage)
{
	const struct virtio_blk_storage arrays = {
		.segments = storage->segments,
		.segment_capacity = BLK_QUEUE_SEGMENTS,
		.ranges = storage->ranges,
		.range_capacity = BLK_QUEUE_RANGES,
	};

	return virtio_blk_request_init(request, &arrays);
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
	if (result->error && !request->base.error)
		blk_queue_log_failure(queue, result->error, errno);
}

/* Ordinary system calls */

struct sync_queue {
	struct blk_queue queue;
	/*
	 * All chains that were there at once are popped before the first is served: so a head that the driver makes
	 * available again while it is in flight breaks the ring, as it does with io_uring.
	 */
	struct virtio_chain popped[BLK_QUEUE_SIZE];
	unsigned int next, end; /* those of them that are not served yet */
	struct virtio_blk_request request;
	struct blk_queue_storage storage; /* of the request being served */
};

/* Returns 0, or why the queue broke. Memory that isn't mapped at the moment doesn't occur here. */
static int serve_next(struct sync_queue *sync, struct virtio_queue *virtq)
{
	struct virtio_blk_result result;
	const int error = virtio_blk_parse(&sync->popped[sync->next++], &sync->request);

	if (error)
		return error;
	blk_queue_execute(&sync->queue, &sync->request, &result);
	return virtio_blk_complete(virtq, &sync->request, &result, &sync->queue.stats);
}

/* Pops what is there. Returns 0, or why the queue broke. */
static int take(struct sync_queue *sync, struct virtio_queue *virtq, unsigned int budget)
{
	int got = 1;

	sync->next = 0;
	sync->end = 0;
	while (got == 1 && sync->end < budget && sync->end < BLK_QUEUE_SIZE) {
		got = virtio_queue_pop(virtq, &sync->popped[sync->end]);
		sync->end += got == 1;
	}
	return got < 0 ? got : 0;
}

static int sync_process(struct blk_queue *queue, struct virtio_queue *virtq, unsigned int budget)
{
	struct sync_queue *sync = CONTAINER_OF(queue, struct sync_queue, queue);
	const int64_t end = blk_queue_turn();
	int error = sync->next == sync->end ? take(sync, virtq, budget) : 0;

	while (!error && sync->next < sync->end) {
		error = serve_next(sync, virtq);
		if (blk_queue_turn_is_over(end))
			break;
	}
	if (error)
		return error;
	return sync->next < sync->end ? DEVICE_TURN_AGAIN : DEVICE_TURN_DONE;
}

/* What is not begun goes back into the ring. A broken ring takes nothing back, so there it is served. */
static void sync_drain(struct blk_queue *queue, struct virtio_queue *virtq)
{
	struct sync_queue *sync = CONTAINER_OF(queue, struct sync_queue, queue);

	while (sync->next < sync->end && virtio_queue_unpop(virtq, sync->popped[sync->end - 1].token) == 0)
		sync->end--;
	while (sync->next < sync->end)
		(void)serve_next(sync, virtq);
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

	if (!sync || blk_queue_init_request(&sync->request, &sync->storage)) {
		free(sync);
		return NULL;
	}
	sync->queue = (struct blk_queue){ .ops = &sync_ops, .blk = blk, .fd = fd, .name = name };
	return &sync->queue;
}
