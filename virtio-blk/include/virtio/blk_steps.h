/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Carrying out a request in steps, for a device that works synchronously and may not be held up.
 *
 * A driver may send one request of nearly 4 GiB: firmware reads a whole file at once. A step
 * moves no more than the caller allows, and between two steps the caller looks at whatever else
 * there is: an order to stop, a reset, another queue.
 *
 *	virtio_blk_steps_begin(&steps, &blk, &request);
 *	while (virtio_blk_step(&steps, &blk, &request, 1 << 20, &result) == 1)
 *		if (told to stop) {
 *			unpop the request, or reset the queue; return
 *		}
 *	error = virtio_blk_complete(&queue, &request, &result, &stats);
 *
 * A request that is given up between two steps has changed part of the disk or of guest memory. To
 * carry it out again from its beginning is safe: the driver may not touch its buffers meanwhile.
 *
 * What the guest can do: what <virtio/blk.h> says. A step judges nothing anew, so a disk that is
 * made smaller waits for requests that have begun: see virtio_blk_set_capacity().
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
	uint32_t range; /* of a command on ranges: the next one */
	bool changed;   /* a range was */
};

/*
 * Judges a request, and begins.
 *
 * @steps    set up
 * @request  popped; must not move until the last step
 */
void virtio_blk_steps_begin(struct virtio_blk_steps *steps, const struct virtio_blk *blk,
			    const struct virtio_blk_request *request);

/*
 * Carries out a part of the request, as virtio_blk_execute() does the whole.
 *
 * @bytes   of data to be moved at most: a multiple of 512, at least 512. A command on ranges does
 *          one range in a step, whose length the disk's options bound; a flush is one step.
 * @result  filled in after the last step; otherwise untouched
 *
 * Returns 1 if there is more to do; 0 after the last step: the request was carried out, was
 * refused or has failed, as the result says.
 */
VIRTIO_MUST_CHECK
int virtio_blk_step(struct virtio_blk_steps *steps, const struct virtio_blk *blk,
		    const struct virtio_blk_request *request, uint64_t bytes, struct virtio_blk_result *result);

VIRTIO_END_DECLS

#endif
