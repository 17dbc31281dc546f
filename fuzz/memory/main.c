/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Fuzzes <virtio/guest_memory.h>. The input describes guest memory and a list of accesses. Regions
 * may be adjacent, aliased, one byte long, read-only, logged or translated. Regions may also lie at
 * either end of the address space. Each result is compared with shadow memory. After each access
 * all of memory is compared, too. An input whose first byte is at least 0x80 is for tables.c.
 */
#include "device.h"
#include "tables.h"

#define ACCESS_BOTH (VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE)
#define MOST_STEPS 400u

/* Memory */

/* Adds one region, or a row of one-byte regions, after the other regions. */
static void add_regions(struct harness *h, const struct virtio_dirty_log *const *logs)
{
	struct shadow_map *m = h->maps[0];
	const uint8_t gap = fuzz_u8(&h->in), size = fuzz_u8(&h->in), how = fuzz_u8(&h->in);
	const bool row = how & 0x40, alias = (how & 0x80) && h->shadow->block_count > 0;
	const uint32_t count = row ? size % 16u + 1 : 1;
	const size_t len = row ? 1 : size + 1u;
	struct shadow_region r = { .read_only = how & 1, .log = logs[how >> 1 & 3] };

	h->total += gap < 0x80 ? 0 : gap & 0x3f;
	for (uint32_t i = 0; i < count; i++) {
		if (alias)
			r.block = h->shadow->block_count - 1;
		if (!alias || h->shadow->blocks[r.block].len < len)
			r.block = shadow_add_block(h->shadow, len, how >> 3 & 7);
		r.addr = h->total;
		r.len = len;
		if (!shadow_add_region(m, &r))
			return;
		h->total += len;
	}
}

static void add_translation(struct harness *h)
{
	struct shadow_map *m = h->maps[0];
	const uint8_t how = fuzz_u8(&h->in);

	if (!(how & 1))
		return;
	m->page_shift = 3u + (how >> 1 & 7) % 6;
	m->hook = (enum shadow_hook)((how >> 4 & 3) % 3);
	m->pages_used = fuzz_u8(&h->in) % 32u + 1;
	m->io_base = how & 0x40 ? 0x10000 : 0;
	if (how & 0x80)
		m->io_base = 0 - ((uint64_t)m->pages_used << m->page_shift);
	for (uint32_t i = 0; i < m->pages_used; i++) {
		const uint8_t attributes = fuzz_u8(&h->in);
		struct shadow_page *p = &m->pages[i];

		p->target = h->base + ((uint64_t)i << m->page_shift);
		p->access = ACCESS_BOTH;
		if (attributes & 1)
			p->target = h->base + (uint64_t)fuzz_u8(&h->in) * 4;
		if (attributes & 2)
			p->access = attributes >> 2 & 3;
		if ((attributes & 0x30) == 0x30)
			p->error = VIRTIO_ENOTMAPPED;
		else if ((attributes & 0x30) == 0x20)
			p->error = attributes & 0x40 ? VIRTIO_EPERM : VIRTIO_EFAULT;
	}
}

/*
 * Makes the second map: the same memory without a translation, perhaps with other permissions or
 * dirty logs.
 */
static void make_second_map(struct harness *h, const struct virtio_dirty_log *const *logs)
{
	const uint8_t how = fuzz_u8(&h->in);

	for (uint32_t i = 0; i < h->maps[0]->count; i++) {
		struct shadow_region r = h->maps[0]->regions[i];

		r.read_only = r.read_only != (how >> (i & 3) & 1);
		if (how & 0x10)
			r.log = logs[i & 3];
		shadow_add_region(h->maps[1], &r);
	}
}

static void make_memory(struct harness *h)
{
	const struct virtio_dirty_log *logs[4] = { NULL };
	const uint8_t zone = fuzz_u8(&h->in), count = fuzz_u8(&h->in) % 12;
	struct virtio_dirty_log *log;

	for (uint32_t i = 1; i < 4; i++) {
		const uint8_t how = fuzz_u8(&h->in);

		logs[i] = shadow_add_log(h->shadow, how & 0x40 ? 8u * fuzz_u8(&h->in) : 0, how & 15,
					 how & 0x80 ? sizeof(unsigned long) : 1, how >> 4 & 3);
	}
	for (uint32_t i = 0; i <= count; i++)
		add_regions(h, logs);
	/* Memory begins at 0, at 0x1000 or just below 2^32, or ends with the address space. */
	h->base = zone & 1 ? 0x1000 : 0;
	if (zone & 2)
		h->base = ((uint64_t)1 << 32) - 0x40;
	if (zone & 4)
		h->base = 0 - h->total;
	for (uint32_t i = 0; i < h->maps[0]->count; i++)
		h->maps[0]->regions[i].addr += h->base;
	for (uint32_t i = 0; i < h->shadow->log_count; i++) {
		log = &h->shadow->logs[i].log;
		log->base += h->base;
	}
	add_translation(h);
	make_second_map(h, logs);
	shadow_map_finish(h->maps[0]);
	shadow_map_finish(h->maps[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct harness *h = fuzz_alloc(sizeof *h);

	h->in.at = data;
	h->in.left = size;
	if (fuzz_u8(&h->in) & 0x80) {
		memory_try_table(&h->in);
	} else {
		h->shadow = shadow_new();
		for (uint32_t i = 0; i < 2; i++)
			h->maps[i] = &h->shadow->maps[i];
		make_memory(h);
		for (uint32_t i = 0; i < 2; i++) {
			virtio_memory_cursor_init(&h->cursors[i], &h->maps[i]->map);
			h->of[i] = h->maps[i];
		}
		for (uint32_t i = 0; i < MOST_STEPS && h->in.left; i++)
			memory_step(h);
		shadow_free(h->shadow);
	}
	free(h);
	return 0;
}
