/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The device's half of the queue harness: requests of a header, data and a status. */
#include "requests.h"
#include "held.h"
#include "streams.h"

#define UNTOUCHED 0x5a /* fills memory that a failed call must not change */

/* Makes a request whose results are UNTOUCHED. The input chooses the sizes of header and array. */
static struct virtio_request *make_request(struct harness *h)
{
	static const uint8_t usual[] = { 16, 16, 1, 8, 0, 32, 33, 5 };
	const uint8_t how = fuzz_u8(&h->in), room = fuzz_u8(&h->in);
	const uint32_t header_bytes = how & 0x80 ? how & 0x7f : usual[how % sizeof usual];
	const uint32_t capacity = room & 0x80 ? MOST_SEGMENTS : room % (MOST_SEGMENTS + 1);
	struct virtio_request *r = fuzz_alloc(sizeof *r);
	uint8_t *header = fuzz_alloc(header_bytes);

	memset(header, UNTOUCHED, header_bytes);
	FUZZ_CHECK(virtio_request_init(r, header, header_bytes, fuzz_alloc(sizeof *r->segments * capacity), capacity) ==
			   0,
		   "virtio_request_init() failed");
	memset(&r->token, UNTOUCHED, sizeof *r - offsetof(struct virtio_request, token));
	r->data.capacity = capacity;
	return r;
}

static void check_untouched(const struct virtio_request *r, const struct virtio_request *before)
{
	const uint8_t *header = r->header;

	FUZZ_CHECK(memcmp(r, before, sizeof *r) == 0, "a failed call changed the request");
	for (size_t i = 0; i < r->header_bytes; i++)
		FUZZ_CHECK(header[i] == UNTOUCHED, "a failed call changed the header");
}

static void free_request(struct virtio_request *r)
{
	free(r->header);
	free(r->segments);
	free(r);
}

/*
 * Checks a request that the library has filled in, and keeps the request. If the request has an
 * error, frees its array.
 */
static void take_up(struct harness *h, struct harness_request *kept, struct virtio_request *r)
{
	struct model_chain *c = kept->model;

	model_request(&h->model, &kept->walk, c, virtio_token_head(r->token), r);
	kept->fresh = false;
	kept->walkable = false;
	kept->request = r;
	kept->status = c->status;
	kept->status.len = r->data.last_writable.len;
	kept->room = r->error ? 0 : c->bytes - c->readable_bytes - 1;
	if (r->error) {
		free(r->segments);
		free(c);
		r->segments = NULL;
		kept->model = NULL;
		return;
	}
	kept->segments = r->segments;
	harness_begin_streams(kept, &r->data, r->header_bytes, 1);
}

void harness_pop_request(struct harness *h)
{
	struct virtio_request *r = make_request(h);
	const struct virtio_request before = *r;
	struct harness_request *kept;
	struct virtio_chain chain = { 0 };
	struct model_walk walk;
	const int got = virtio_request_pop(&h->queue, r);

	if (got == 1)
		chain.token = r->token;
	if (got == VIRTIO_ENOTMAPPED)
		h->allowed += 2 * model_pop_not_mapped(&h->model);
	else
		model_pop(&h->model, &walk, got, &chain);
	if (got != 1) {
		check_untouched(r, &before);
		free_request(r);
		return;
	}
	kept = harness_keep(h, &chain, &walk);
	kept->model = fuzz_alloc(sizeof *kept->model);
	model_expect_resolve(&h->model, &kept->walk, kept->model);
	h->allowed += 2 * kept->model->work;
	take_up(h, kept, r);
}

void harness_parse_request(struct harness *h)
{
	struct harness_request *kept = harness_pick(h);
	struct virtio_request *r, before;
	struct model_chain *c;
	int got;

	if (!kept || !kept->fresh || !kept->walkable)
		return;
	r = make_request(h);
	before = *r;
	c = fuzz_alloc(sizeof *c);
	model_expect_resolve(&h->model, &kept->walk, c);
	h->allowed += 2 * c->work;
	got = virtio_request_parse(&kept->chain, r);
	if (got == 0) {
		FUZZ_CHECK(r->token.value == kept->chain.token.value, "a request has a wrong token");
		kept->model = c;
		take_up(h, kept, r);
		return;
	}
	FUZZ_CHECK(got == VIRTIO_ENOTMAPPED, "request_parse returned %d", got);
	check_untouched(r, &before);
	model_not_mapped(&h->model, &kept->walk, c);
	kept->fresh = false;
	free_request(r);
	free(c);
}

/*
 * Picks a request to complete. The request is in flight or old, or has a wrong token. Sets @kept to
 * the harness's record of the request, or to NULL for an old request.
 */
static struct virtio_request pick_request(struct harness *h, const struct harness_request **kept)
{
	const uint8_t how = fuzz_u8(&h->in);
	struct virtio_request r = h->past;

	*kept = harness_pick(h);
	if (!*kept || !(*kept)->request || how >= 0xe0)
		*kept = NULL;
	else
		r = *(*kept)->request;
	if (how >= 0xc0 && how < 0xe0)
		r.token.value += (uint64_t)(how & 7) << (how & 8 ? 33 : 17);
	return r;
}

void harness_complete_request(struct harness *h)
{
	const struct harness_request *kept;
	const struct virtio_request r = pick_request(h, &kept);
	const bool in_flight = model_in_flight_token(&h->model, r.token);
	const uint64_t written = fuzz_number(&h->in);
	const uint8_t status = fuzz_u8(&h->in);
	struct virtio_completion one = { r.token, 0 };
	int got;

	/* A caller must not complete a request with another request's token. */
	if (harness_replaying(h) || !r.header || (in_flight && !kept))
		return;
	if (in_flight && kept->status.len)
		shadow_put_region(h->shadow, &kept->status.region, kept->status.offset, &status, 1);
	if (in_flight && !r.error)
		one.len = (uint32_t)(written < kept->room ? written : kept->room + 1);
	got = virtio_request_complete(&h->queue, &r, status, written);
	model_complete(&h->model, &one, 1, got);
}
