/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Serving a queue: the loop that every device needs.
 *
 * Call virtio_queue_serve() when the driver has kicked, and again as long as it returns 1. The loop
 * calls the device's callback for each chain. The loop pops, completes, decides whether to
 * interrupt the driver, and asks for the next kick, so no wake-up is lost in either direction.
 * virtio_queue_serve_requests() is the same loop for a library that pops and completes by itself,
 * such as <virtio/blk.h> or <virtio/request.h>. A round is one call of either function. A round is
 * bounded, even if the driver adds buffers all the time.
 *
 *	got = virtio_queue_serve(&queue, 64, serve, device, &interrupt);
 *	if (interrupt)
 *		interrupt the driver;
 *	if (got == 1)
 *		do other work, then call again without waiting for a kick
 *	else if (got < 0 && got != VIRTIO_ENOTMAPPED)
 *		the queue is broken: set DEVICE_NEEDS_RESET
 *
 * A device needs a loop of its own in two cases:
 * - Several threads share the queue: see <virtio/queue_sync.h>.
 * - The chains of one round must be completed together or not at all, for example the chains of one
 *   packet.
 *
 * What the guest can do: see <virtio/queue.h> and <virtio/chain.h>. If a chain is malformed, the
 * callback returns the error, and the loop completes the chain.
 *
 * Threads:
 *   functions             who may call          what must not run beside
 *   all of this header    the queue's thread    another call on the same queue
 *
 * The callback runs on the caller's thread. The callback may complete requests of the queue, and
 * call queries such as virtio_queue_is_in_flight().
 *
 * virtio 1.4, 2.7.10 and 2.7.13.4
 */
#ifndef VIRTIO_SERVE_H
#define VIRTIO_SERVE_H

#include <virtio/queue.h>

VIRTIO_BEGIN_DECLS

/* Results of a virtio_serve_fn besides 0 and errors. */
#define VIRTIO_SERVE_KEEP 1  /* the device completes the chain by its token, now or later */
#define VIRTIO_SERVE_LATER 2 /* cannot serve now: the loop unpops the chain and ends the round */

/*
 * Serves one chain.
 *
 * @context  passed to virtio_queue_serve()
 * @chain    popped, not walked yet. The chain is on the loop's stack: a callback that keeps the
 *           request must copy chain->token.
 * @written  0 before the call. The callback sets the used length: see virtio_queue_complete().
 *
 * Return values, and what the loop then does:
 *   0                    completes the chain with *written bytes
 *   VIRTIO_SERVE_KEEP    does nothing with the request
 *   VIRTIO_SERVE_LATER   unpops the chain and ends the round
 *   VIRTIO_ENOTMAPPED    unpops the chain and ends the round: the chain's memory is not mapped yet
 *   any other error      completes the chain with length 0. Such an error can come from
 *                        virtio_chain_resolve().
 */
typedef int virtio_serve_fn(void *context, struct virtio_chain *chain, uint32_t *written);

/*
 * Serves the chains that the driver has made available.
 *
 * @queue      started
 * @budget     the most chains to serve. Chains added during the call are left for the next call.
 * @serve      called for each chain
 * @context    passed to `serve`
 * @interrupt  says whether to interrupt the driver; also set after an error
 *
 * The call disables kicks. It enables kicks again only after it has served all chains that were
 * available at its start. Returns:
 *   1                   there may be more chains: call again without waiting for a kick
 *   0                   no chain is left: the driver kicks for the next chain
 *   VIRTIO_SERVE_LATER  from the callback: call again when the device can serve chains. Do not
 *                       wait for a kick.
 *   VIRTIO_ENOTMAPPED   call again when the memory or the ring is mapped. Do not wait for a kick.
 *   other errors        of a function of <virtio/queue.h>: the queue is not started, is broken, or
 *                       has requests still to be replayed, or a chain could not be completed
 */
VIRTIO_MUST_CHECK
int virtio_queue_serve(struct virtio_queue *queue, uint32_t budget, virtio_serve_fn *serve, void *context,
		       bool *interrupt);

/*
 * Pops one request and completes or keeps it, or carries out one step of a long request.
 *
 * @context  passed to virtio_queue_serve_requests()
 *
 * Returns 1 if there was something to do. Any other value ends the round: 0 if there was nothing to
 * do, an error of the pop or the completion, or VIRTIO_SERVE_LATER. VIRTIO_SERVE_LATER means that
 * the device can do no more now, for example because the round has moved enough bytes.
 */
typedef int virtio_serve_request_fn(void *context);

/*
 * Works as virtio_queue_serve(), for a callback that pops and completes by itself.
 *
 * @queue   started, the queue that `serve` pops from
 * @budget  the largest number of calls of `serve`. The round may also serve requests that the
 *          driver adds during the round.
 *
 * Returns as virtio_queue_serve(), or an error of the callback.
 */
VIRTIO_MUST_CHECK
int virtio_queue_serve_requests(struct virtio_queue *queue, uint32_t budget, virtio_serve_request_fn *serve,
				void *context, bool *interrupt);

/*
 * Pops a chain and resolves it.
 *
 * @queue        started
 * @token        set if 1 is returned; otherwise untouched
 * @segments     as for virtio_chain_resolve(): the caller sets `segments` and `capacity`
 * @chain_error  set if 1 is returned: 0, or the error of virtio_chain_resolve(), which documents
 *               the content of `segments` after an error. The caller still completes the chain,
 *               usually with length 0.
 *
 * Returns as virtio_queue_pop(). If memory of the chain is not mapped yet, the call unpops the
 * chain and returns VIRTIO_ENOTMAPPED.
 */
VIRTIO_MUST_CHECK
int virtio_queue_pop_segments(struct virtio_queue *queue, struct virtio_token *token,
			      struct virtio_chain_segments *segments, int *chain_error);

VIRTIO_END_DECLS

#endif
