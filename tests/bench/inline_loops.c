/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The library through its headers. */
#include "loops.h"

#define LOOP(name) inline_##name
#define CALL(function) function

/* Step by step, which costs least where a step is inlined. */
static inline VIRTIO_HOT uint64_t inline_one_request(struct virtio_chain *chain)
{
	uint64_t header[2], sum = 0;
	struct virtio_desc d;
	const uint8_t ok = 0;

	if (virtio_chain_next(chain, &d) != 1 || d.len < sizeof header)
		return 0;
	if (virtio_memory_read(chain->memory, d.addr, header, sizeof header))
		return 0;
	while (virtio_chain_next(chain, &d) == 1)
		sum += d.addr + d.len;
	if (virtio_memory_write(chain->memory, d.addr, &ok, 1))
		return 0;
	return sum + header[0] + header[1];
}

#include "library_loops.h"
