/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Requests in steps, for a device whose I/O calls block, but which must not block for long.
 *
 * A driver may send one request of nearly 4 GiB; some firmware reads a whole file by one request. A
 * step moves at most the number of bytes that the caller allows. Between two steps the caller can
 * do other work: stop the queue, reset it, or serve another queue.
 *
 *	virtio_blk_steps_begin(&steps, &blk, &request);
 *	while (virtio_blk_step(&steps, &blk, &request, 1 << 20, &result) == 1)
 *		if (the queue must stop) {
 *			unpop the request, or reset the queue; return
 *		}
 *	error = virtio_blk_complete(&queue, &request, &result, &stats);
 *
 * A request that is abandoned between two steps may have changed a part of the disk or of guest
 * memory. The dirty log records all changes in guest memory. The caller may carry the request out
 * again from its beginning, because the driver must not use the request's buffers before the
 * completion.
 *
 * What the guest can do: see <virtio/blk.h>. A request is checked once, at its beginning. So before
 * a disk is made smaller, requests that have begun must end: see virtio_blk_set_capacity().
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     another call on the same steps
 *
 * Freestanding.
 *
 * virtio 1.4, 5.2.6
 */
#ifndef VIRTIO_BLK_STEPS_H
#define VIRTIO_BLK_STEPS_H

#include <virtio/blk.h>
#include <virtio/blk_transfer.h>

VIRTIO_BEGIN_DECLS

/* The progress of a request. Plain data. */
struct virtio_blk_steps {
	struct virtio_blk_transfer transfer;
	uint32_t range; /* index of the next range, for a command on ranges */
	bool changed;   /* data was written or a range was changed */
};

/*
 * Checks a request, and prepares its first step.
 *
 * @steps    set up by this call
 * @request  popped; must not move until the last step
 */
void virtio_blk_steps_begin(struct virtio_blk_steps *steps, const struct virtio_blk *blk,
			    const struct virtio_blk_request *request);

/*
 * Carries out the next part of the request. All steps together do what virtio_blk_execute() does.
 *
 * @bytes   the largest number of bytes of data to move: a multiple of 512, at least 512. A step
 *          changes at most one range, whose length the options limit. A FLUSH is one step. Under
 *          write-through the last step of a write or of a change of ranges also flushes, unless
 *          the request covers 0 sectors.
 * @result  filled in by the last step, untouched by all earlier steps
 *
 * Returns 1 if there is more to do. Returns 0 after the last step; the result then says whether the
 * request was carried out, was refused or has failed.
 */
VIRTIO_MUST_CHECK
int virtio_blk_step(struct virtio_blk_steps *steps, const struct virtio_blk *blk,
		    const struct virtio_blk_request *request, uint64_t bytes, struct virtio_blk_result *result);

VIRTIO_END_DECLS

#endif
