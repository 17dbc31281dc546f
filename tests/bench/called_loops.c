/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The library through its out-of-line symbols, as an unoptimised caller or another language uses
 * it.
 */
#include "called_symbols.h"

#define LOOP(name) called_##name
#define CALL(function) called_##function

/* Serves a request by two calls, a pop and a completion, because each further call costs time. */
static inline VIRTIO_HOT bool called_serve_next(struct rig *w, uint64_t *sum)
{
	const struct virtio_segment *data = w->segments, *status = &w->request.data.last_writable;

	if (called_virtio_request_pop(&w->queue, &w->request) != 1 || w->request.error)
		return false;
	*sum += w->header[0] + w->header[1] + data->addr + data->len + status->addr + status->len;
	called_virtio_request_complete(&w->queue, &w->request, 0, w->request.data.writable_bytes);
	return true;
}

#include "library_loops.h"
