/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The requests that the device holds until they are completed or unpopped. */
#include "held.h"

void harness_forget_resolved(struct harness_request *r)
{
	free(r->segments);
	free(r->model);
	r->segments = NULL;
	r->model = NULL;
}

void harness_drop(struct harness *h, struct harness_request *r)
{
	harness_forget_resolved(r);
	r->fresh = false;
	r->walkable = false;
	if (!r->request)
		return;
	h->past = *r->request;
	free(r->request->header);
	free(r->request);
	r->request = NULL;
}

void harness_drop_requests(struct harness *h)
{
	for (uint32_t i = 0; i < MODEL_MAX_SIZE; i++)
		harness_drop(h, &h->requests[i]);
}

static void remember(struct harness *h, struct virtio_token token)
{
	h->tokens[h->token_count++ % HARNESS_TOKENS] = token;
}

struct harness_request *harness_keep(struct harness *h, const struct virtio_chain *chain, const struct model_walk *walk)
{
	struct harness_request *r = &h->requests[virtio_token_head(chain->token)];

	harness_drop(h, r);
	r->chain = *chain;
	r->walk = *walk;
	r->fresh = true;
	r->walkable = true;
	remember(h, chain->token);
	return r;
}

struct harness_request *harness_pick(struct harness *h)
{
	const uint32_t count = model_in_flight(&h->model);
	uint32_t n = fuzz_u8(&h->in);

	for (uint32_t i = 0; i < MODEL_MAX_SIZE && count; i++)
		if (h->model.requests[i].state == MODEL_FLIGHT && n-- % count == 0)
			return &h->requests[i];
	return NULL;
}

bool harness_replaying(const struct harness *h)
{
	return h->model.replay != 0;
}
