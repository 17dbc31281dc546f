/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The requests that the device holds. */
#ifndef VIRTIO_FUZZ_QUEUE_HELD_H
#define VIRTIO_FUZZ_QUEUE_HELD_H

#include "harness.h"

/* Keeps a popped chain and its token as a request. Returns the request. */
struct harness_request *harness_keep(struct harness *h, const struct virtio_chain *chain,
				     const struct model_walk *walk);

/* Picks one of the requests in flight. Returns NULL if no request is in flight. */
struct harness_request *harness_pick(struct harness *h);

/* Returns whether a replay is not finished. No request may be completed during a replay. */
bool harness_replaying(const struct harness *h);

/* Frees the segments of a resolved chain. */
void harness_forget_resolved(struct harness_request *r);

/* Forgets one request, and frees its memory. */
void harness_drop(struct harness *h, struct harness_request *r);

/* Forgets all requests, after a reset or at the end of the run. */
void harness_drop_requests(struct harness *h);

#endif
