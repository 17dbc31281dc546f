/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The library through its out-of-line symbols, as an unoptimised caller or another language uses it. */
#include "called_symbols.h"

#define LOOP(name) called_##name
#define CALL(function) called_##function

/* The whole walk in one call, which costs least where a step is a call. */
static inline VIRTIO_HOT uint64_t called_one_request(struct virtio_chain *chain)
{
	struct virtio_desc d[8];
	uint64_t header[2], sum = 0;
	const uint8_t ok = 0;
	const int count = called_virtio_chain_walk(chain, d, 8);

	if (count < 2 || d[0].len < sizeof header)
		return 0;
	if (called_virtio_memory_read(chain->memory, d[0].addr, header, sizeof header))
		return 0;
	for (int i = 1; i < count; i++)
		sum += d[i].addr + d[i].len;
	if (called_virtio_memory_write(chain->memory, d[count - 1].addr, &ok, 1))
		return 0;
	return sum + header[0] + header[1];
}

#include "library_loops.h"
