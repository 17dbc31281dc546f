/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The loop of a device: see <virtio/serve.h>. */
#include <virtio/serve.h>

#include "queue_internal.h"

/*
 * Handles a chain for which the callback's result is not 0. Returns 0, VIRTIO_SERVE_LATER, or an
 * error that ends the round.
 */
static int finish_other(struct virtio_queue *queue, struct virtio_token token, int served, uint32_t written)
{
	int error;

	if (served == VIRTIO_SERVE_KEEP)
		return 0;
	if (served == VIRTIO_SERVE_LATER || served == VIRTIO_ENOTMAPPED) {
		error = virtio_queue_unpop(queue, token);
		return error ? error : served;
	}
	return virtio_queue_complete(queue, token, served < 0 ? 0 : written);
}

/* Adapts the callback of virtio_queue_serve() to virtio_serve_request_fn. */
struct chain_server {
	struct virtio_queue *queue;
	virtio_serve_fn *serve;
	void *context;
};

static int serve_chain(void *context)
{
	const struct chain_server *server = context;
	struct virtio_chain chain;
	uint32_t written = 0;
	int got = virtio_queue_pop(server->queue, &chain);

	if (got != 1)
		return got;
	got = server->serve(server->context, &chain, &written);
	if (VIRTIO_LIKELY(got == 0))
		got = virtio_queue_complete(server->queue, chain.token, written);
	else
		got = finish_other(server->queue, chain.token, got, written);
	return got ? got : 1;
}

/*
 * Calls `serve` up to `count` times. Returns 1 if every call served a request, 0 if no request is
 * left, or the result that ended the round.
 */
static inline int serve_some(uint32_t count, virtio_serve_request_fn *serve, void *context)
{
	int got = 1;

	while (got == 1 && count-- > 0)
		got = serve(context);
	return got;
}

/*
 * Ends a round, and enables kicks if no request is left. `got` is the result that ended the round.
 */
static int end_round(struct virtio_queue *queue, int got, bool *interrupt)
{
	/*
	 * An interrupt may be needed even after an error, because earlier requests were completed.
	 */
	*interrupt = virtio_queue_needs_interrupt(queue);
	return got == 0 ? virtio_queue_enable_kicks(queue) : got;
}

int virtio_queue_serve(struct virtio_queue *queue, uint32_t budget, virtio_serve_fn *serve, void *context,
		       bool *interrupt)
{
	struct chain_server server = { queue, serve, context };
	uint32_t available;
	int got = virtio_queue_disable_kicks(queue);

	if (got == 0)
		got = virtio_queue_available(queue);
	if (got > 0) {
		available = (uint32_t)got;
		got = serve_some(budget < available ? budget : available, serve_chain, &server);
		/*
		 * If the next test is true, all known chains are served. `got` is then 0, so
		 * end_round() calls virtio_queue_enable_kicks(), which finds chains that were added
		 * meanwhile.
		 */
		if (got == 1 && budget >= available)
			got = 0;
	}
	return end_round(queue, got, interrupt);
}

int virtio_queue_serve_requests(struct virtio_queue *queue, uint32_t budget, virtio_serve_request_fn *serve,
				void *context, bool *interrupt)
{
	int got = virtio_queue_disable_kicks(queue);

	if (got == 0)
		got = serve_some(budget, serve, context);
	return end_round(queue, got, interrupt);
}

int virtio_impl_queue_resolve_popped(struct virtio_queue *queue, int got, struct virtio_chain *chain,
				     struct virtio_token *token, struct virtio_chain_segments *segments,
				     int *chain_error)
{
	int error;

	if (got != 1)
		return got;
	error = virtio_chain_resolve(chain, segments);
	if (error == VIRTIO_ENOTMAPPED)
		return virtio_queue_unpop_after(queue, chain->token, error);
	*token = chain->token;
	*chain_error = error;
	return 1;
}

int virtio_queue_pop_segments(struct virtio_queue *queue, struct virtio_token *token,
			      struct virtio_chain_segments *segments, int *chain_error)
{
	struct virtio_chain chain;
	const int got = virtio_queue_pop(queue, &chain);

	return virtio_impl_queue_resolve_popped(queue, got, &chain, token, segments, chain_error);
}
