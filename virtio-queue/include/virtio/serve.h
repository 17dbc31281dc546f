/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Serving a queue: the loop that every device has, once.
 *
 * A device calls virtio_queue_serve() when the driver has kicked, and again as long as it returns
 * 1. The device's own work is a callback for each chain. The loop pops, completes, decides whether
 * to interrupt the driver, and asks for the next kick, so that no wake-up is lost in either
 * direction. A round is bounded, though the driver may go on adding.
 *
 *	got = virtio_queue_serve(&queue, 64, serve, device, &interrupt);
 *	if (interrupt)
 *		interrupt the driver;
 *	if (got == 1)
 *		see to other work, then call again without being kicked
 *	else if (got < 0 && got != VIRTIO_ENOTMAPPED)
 *		the queue is broken: set DEVICE_NEEDS_RESET
 *
 * What the guest can do: nothing that <virtio/queue.h> and <virtio/chain.h> don't name. A malformed
 * chain is the callback's to find, and the loop's to complete.
 *
 * Threads: as of the queue. The callback runs on the caller's thread, and must not call the queue
 * itself, but for virtio_queue_is_in_flight() and the other questions.
 *
 * virtio 1.4, 2.7.10 and 2.7.13.4
 */
#ifndef VIRTIO_SERVE_H
#define VIRTIO_SERVE_H

#include <virtio/queue.h>

VIRTIO_BEGIN_DECLS

/* What a callback has done with its chain, other than 0 or an error. */
#define VIRTIO_SERVE_KEEP 1  /* it is in flight: the device completes it later, by its token */
#define VIRTIO_SERVE_LATER 2 /* the device can't take it now: it goes back, and the round ends */

/*
 * Serves one chain.
 *
 * @context  the caller's
 * @chain    popped, and not walked yet; on the loop's stack, so a callback that keeps the request
 *           keeps chain->token
 * @written  0 beforehand; the used length: see virtio_queue_complete()
 *
 * Returns 0, and the chain is completed with *written bytes; VIRTIO_SERVE_KEEP; VIRTIO_SERVE_LATER;
 * VIRTIO_ENOTMAPPED, and the chain goes back until its memory is mapped; or any other error, for
 * example one of virtio_chain_resolve(), and the chain is completed with length 0.
 */
typedef int virtio_serve_fn(void *context, struct virtio_chain *chain, uint32_t *written);

/*
 * Serves what the driver has made available.
 *
 * @queue      started
 * @budget     chains at most; what is there now is the other bound
 * @serve      called for each chain
 * @context    handed to it
 * @interrupt  set in every case: whether the driver is to be interrupted, also after an error
 *
 * Kicks are not asked for during the round, and are again when nothing is left. Returns
 *   1                   there is more, or may be: call again without waiting for a kick
 *   0                   nothing is left: a kick will come
 *   VIRTIO_SERVE_LATER  the callback said so: call again when the device can take chains. No kick
 *                       was asked for.
 *   VIRTIO_ENOTMAPPED   call again when the memory, or the ring, is mapped. No kick was asked for.
 *   other errors        of virtio_queue_available(), virtio_queue_pop(), virtio_queue_complete() or
 *                       virtio_queue_enable_kicks(): the queue is not started, or broken
 */
VIRTIO_MUST_CHECK
int virtio_queue_serve(struct virtio_queue *queue, uint32_t budget, virtio_serve_fn *serve, void *context,
		       bool *interrupt);

/*
 * Pops a chain and resolves it, in one call.
 *
 * @queue        started
 * @token        set if 1 is returned; otherwise untouched
 * @segments     as for virtio_chain_resolve(): segments and capacity set by the caller
 * @chain_error  set if 1 is returned: 0, or the error of virtio_chain_resolve(), after which
 *               segments has what that says, and the caller completes the chain all the same,
 *               mostly with length 0
 *
 * Returns as virtio_queue_pop(). VIRTIO_ENOTMAPPED also for a chain whose memory is not mapped yet:
 * it has been unpopped.
 */
VIRTIO_MUST_CHECK
int virtio_queue_pop_segments(struct virtio_queue *queue, struct virtio_token *token,
			      struct virtio_chain_segments *segments, int *chain_error);

VIRTIO_END_DECLS

#endif
