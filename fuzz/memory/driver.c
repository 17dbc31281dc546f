/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The steps of the guest. */
#include "driver.h"

void memory_poke(struct harness *h)
{
	uint8_t bytes[8];

	for (uint32_t i = 0; i < sizeof bytes; i++)
		bytes[i] = fuzz_u8(&h->in);
	shadow_poke(h->map, h->addr, bytes, sizeof bytes);
}

void memory_map_page(struct harness *h)
{
	struct shadow_map *m = h->maps[0];

	if (!m->page_shift)
		return;
	for (uint32_t i = fuzz_u8(&h->in) % m->pages_used; i < m->pages_used; i++) {
		if (m->pages[i].error != VIRTIO_ENOTMAPPED)
			continue;
		m->pages[i].error = 0;
		return;
	}
}
