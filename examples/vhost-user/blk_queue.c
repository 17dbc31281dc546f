/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Carries out block requests with ordinary system calls. Also has the functions that uring.c uses.
 */
#include "blk_queue.h"

#include "device.h"
#include "event_loop.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* For both implementations */

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

static void init_request(struct virtio_blk_request *request, struct virtio_segment *segments, uint32_t capacity,
			 struct virtio_blk_range *ranges)
{
	const struct virtio_blk_storage arrays = {
		.segments = segments,
		.segment_capacity = capacity,
		.ranges = ranges,
		.range_capacity = BLK_QUEUE_RANGES,
	};

	/* The arrays exist, so this can't fail. */
	(void)!virtio_blk_request_init(request, &arrays);
}

void blk_queue_init_request(struct virtio_blk_request *request, struct blk_queue_storage *storage)
{
	init_request(request, storage->segments, BLK_QUEUE_SEGMENTS, storage->ranges);
}

void blk_queue_init_large_request(struct virtio_blk_request *request, struct blk_queue_large_storage *storage)
{
	init_request(request, storage->segments, BLK_QUEUE_MOST_SEGMENTS, storage->ranges);
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

void blk_queue_log_refusal(struct blk_queue *queue, const struct virtio_blk_result *result)
{
	const uint32_t kind = UINT32_C(1) << result->refusal;

	if (result->refusal == VIRTIO_BLK_REFUSAL_NONE || (queue->logged_refusals & kind))
		return;
	queue->logged_refusals |= kind;
	log_line("%s: a request was refused: %s%s%s", queue->name, virtio_blk_refusal_name(result->refusal),
		 result->error ? ": " : "", result->error ? virtio_strerror(result->error) : "");
}

int blk_queue_step(struct blk_queue *queue, struct virtio_blk_steps *steps, const struct virtio_blk_request *request,
		   struct virtio_blk_result *result)
{
	errno = 0;
	if (virtio_blk_step(steps, queue->blk, request, BLK_QUEUE_STEP_BYTES, result) == 1)
		return 1;
	if (result->refusal != VIRTIO_BLK_REFUSAL_NONE)
		blk_queue_log_refusal(queue, result);
	else if (result->error)
		blk_queue_log_failure(queue, result->error, errno);
	return 0;
}

bool blk_queue_has_popped(const struct blk_queue_popped *popped)
{
	return popped->next < popped->end;
}

int blk_queue_pop(struct blk_queue_popped *popped, struct virtio_queue *virtq, unsigned int budget)
{
	int got = 1;

	if (blk_queue_has_popped(popped))
		return 0;
	popped->next = 0;
	popped->end = 0;
	while (got == 1 && popped->end < budget && popped->end < BLK_QUEUE_CHAINS) {
		got = virtio_queue_pop(virtq, &popped->chains[popped->end]);
		popped->end += got == 1;
	}
	return got < 0 ? got : 0;
}

void blk_queue_unpop(struct blk_queue_popped *popped, struct virtio_queue *virtq)
{
	while (blk_queue_has_popped(popped) && virtio_queue_unpop(virtq, popped->chains[popped->end - 1].token) == 0)
		popped->end--;
}

static const struct virtio_blk_result refused = { .status = VIRTIO_BLK_S_IOERR, .error = VIRTIO_EBROKEN };

void blk_queue_give_up(struct blk_queue *queue, struct virtio_queue *virtq, const struct virtio_blk_request *request)
{
	if (virtio_queue_unpop(virtq, request->base.token))
		(void)virtio_blk_complete(virtq, request, &refused, &queue->stats);
}

void blk_queue_refuse(struct blk_queue *queue, struct blk_queue_popped *popped, struct virtio_queue *virtq,
		      struct virtio_blk_request *request)
{
	while (blk_queue_has_popped(popped))
		if (virtio_blk_parse(&popped->chains[popped->next++], request) == 0)
			(void)virtio_blk_complete(virtq, request, &refused, &queue->stats);
}

/* Ordinary system calls */

struct sync_queue {
	struct blk_queue queue;
	struct blk_queue_popped popped;
	bool serving; /* a request is begun and not completed */
	struct virtio_blk_request request;
	struct virtio_blk_steps steps;          /* progress of the request */
	struct blk_queue_large_storage storage; /* arrays of the request */
};

/*
 * Carries out the next step of the present request, or the first step of the next request. This
 * process has mapped all guest memory, so VIRTIO_ENOTMAPPED can't occur. Returns 0, or the error
 * that broke the queue.
 */
static int serve(struct sync_queue *sync, struct virtio_queue *virtq)
{
	struct virtio_blk_result result;
	int error;

	if (!sync->serving) {
		error = virtio_blk_parse(&sync->popped.chains[sync->popped.next++], &sync->request);
		if (error)
			return error;
		virtio_blk_steps_begin(&sync->steps, sync->queue.blk, &sync->request);
		sync->serving = true;
	}
	if (blk_queue_step(&sync->queue, &sync->steps, &sync->request, &result) == 1)
		return 0;
	sync->serving = false;
	return virtio_blk_complete(virtq, &sync->request, &result, &sync->queue.stats);
}

static bool has_work(const struct sync_queue *sync)
{
	return sync->serving || blk_queue_has_popped(&sync->popped);
}

/*
 * If the pop breaks the queue, the chains that were popped before the error are still served, until
 * the turn's time is over.
 */
static int sync_process(struct blk_queue *queue, struct virtio_queue *virtq, unsigned int budget)
{
	struct sync_queue *sync = CONTAINER_OF(queue, struct sync_queue, queue);
	const int64_t end = blk_queue_turn();
	const int broken = has_work(sync) ? 0 : blk_queue_pop(&sync->popped, virtq, budget);
	int error = 0;

	while (!error && has_work(sync)) {
		error = serve(sync, virtq);
		if (blk_queue_turn_is_over(end))
			break;
	}
	if (broken || error)
		return broken ? broken : error;
	return has_work(sync) ? DEVICE_TURN_AGAIN : DEVICE_TURN_DONE;
}

static void sync_drain(struct blk_queue *queue, struct virtio_queue *virtq)
{
	struct sync_queue *sync = CONTAINER_OF(queue, struct sync_queue, queue);

	blk_queue_unpop(&sync->popped, virtq);
	if (sync->serving)
		blk_queue_give_up(queue, virtq, &sync->request);
	sync->serving = false;
	blk_queue_refuse(queue, &sync->popped, virtq, &sync->request);
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
	blk_queue_init_large_request(&sync->request, &sync->storage);
	sync->queue = (struct blk_queue){ .ops = &sync_ops, .blk = blk, .fd = fd, .name = name };
	return &sync->queue;
}
