/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The library through the inline functions of its headers. */
#include "loops.h"

#define LOOP(name) inline_##name
#define CALL(function) function

/* Serves a request step by step, which costs least if each step is inlined. */
static inline VIRTIO_HOT bool inline_serve_next(struct rig *w, uint64_t *sum)
{
	struct virtio_chain chain;
	struct virtio_desc d;
	uint64_t header[2];
	const uint8_t ok = 0;

	if (virtio_queue_pop(&w->queue, &chain) != 1)
		return false;
	if (virtio_chain_next(&chain, &d) != 1 || d.len < sizeof header)
		return false;
	if (virtio_memory_read(chain.memory, d.addr, header, sizeof header))
		return false;
	while (virtio_chain_next(&chain, &d) == 1)
		*sum += d.addr + d.len;
	if (virtio_memory_write(chain.memory, d.addr, &ok, 1))
		return false;
	*sum += header[0] + header[1];
	virtio_queue_complete(&w->queue, chain.token, 1);
	return true;
}

#include "library_loops.h"
