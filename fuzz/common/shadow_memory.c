/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The guest's memory and its shadow. */
#include "shadow_memory.h"

/* A 64-bit address plus a length does not wrap in this type. */
__extension__ typedef unsigned __int128 wide;

struct shadow_memory *shadow_new(void)
{
	struct shadow_memory *w = fuzz_alloc(sizeof *w);

	for (uint32_t i = 0; i < SHADOW_MAPS; i++)
		w->maps[i].shadow = w;
	return w;
}

void shadow_free(struct shadow_memory *w)
{
	for (uint32_t i = 0; i < w->block_count; i++) {
		free(w->blocks[i].real);
		free(w->blocks[i].shadow);
	}
	for (uint32_t i = 0; i < w->log_count; i++) {
		free(w->logs[i].log.bitmap);
		free(w->logs[i].shadow);
	}
	for (uint32_t i = 0; i < SHADOW_MAPS; i++)
		free(w->maps[i].table);
	free(w);
}

uint32_t shadow_add_block(struct shadow_memory *w, size_t len, size_t lead)
{
	struct shadow_block *b = &w->blocks[w->block_count];

	FUZZ_CHECK(w->block_count < SHADOW_BLOCKS, "the harness needs too many blocks");
	b->real = fuzz_alloc(lead + len);
	b->shadow = fuzz_alloc(lead + len);
	b->lead = lead;
	b->len = len;
	for (size_t i = 0; i < lead + len; i++)
		b->real[i] = (uint8_t)(i * 7 + w->block_count * 29 + 3);
	memcpy(b->shadow, b->real, lead + len);
	return w->block_count++;
}

const struct virtio_dirty_log *shadow_add_log(struct shadow_memory *w, uint64_t base, uint8_t shift, uint8_t unit,
					      size_t units)
{
	struct shadow_log *l = &w->logs[w->log_count];

	if (w->log_count == SHADOW_LOGS)
		return NULL;
	l->log.size = units * unit;
	l->log.bitmap = fuzz_alloc(units * unit);
	l->shadow = fuzz_alloc(units * unit);
	l->log.base = base;
	l->log.page_shift = shift;
	l->log.unit = unit;
	w->log_count++;
	return &l->log;
}

bool shadow_add_region(struct shadow_map *m, const struct shadow_region *region)
{
	if (m->count == SHADOW_REGIONS)
		return false;
	m->regions[m->count++] = *region;
	return true;
}

uint8_t *shadow_host(const struct shadow_memory *w, const struct shadow_region *region)
{
	const struct shadow_block *b = &w->blocks[region->block];

	return b->real + b->lead + region->start;
}

static int by_address(const void *a, const void *b)
{
	const struct shadow_region *left = a, *right = b;

	return left->addr < right->addr ? -1 : left->addr > right->addr;
}

/* The translation function that the library calls. */
static int hook(void *context, uint64_t addr, uint64_t len, uint32_t access, struct virtio_translation *out)
{
	struct shadow_map *m = context;
	const uint64_t offset = addr - m->io_base, size = (uint64_t)1 << m->page_shift;
	const uint64_t index = offset >> m->page_shift, within = offset & (size - 1);
	const struct shadow_page *page = &m->pages[index < m->pages_used ? index : 0];

	m->calls++;
	FUZZ_CHECK(len != 0 && access != 0, "the translation is called with length 0 or access 0");
	if (index >= m->pages_used)
		return VIRTIO_EFAULT;
	if (page->error)
		return page->error;
	out->addr = page->target + within;
	out->len = size - within;
	out->access = page->access;
	if (m->hook == SHADOW_HOOK_SHORT && len < out->len)
		out->len = len;
	if (m->hook == SHADOW_HOOK_BYTE)
		out->len = 1;
	/* An answer for the last page of the address space may reach past the address space. */
	if (m->hook == SHADOW_HOOK_PAGE && addr - within + size == 0)
		out->len += size;
	return 0;
}

void shadow_map_finish(struct shadow_map *m)
{
	int error;

	m->table = fuzz_alloc(sizeof *m->table * m->count);
	for (uint32_t i = 0; i < m->count; i++) {
		const struct shadow_region *r = &m->regions[i];

		m->table[i].addr = r->addr;
		m->table[i].len = r->len;
		m->table[i].host = shadow_host(m->shadow, r);
		m->table[i].flags = r->read_only ? VIRTIO_REGION_READ_ONLY : 0;
		m->table[i].dirty = r->log;
	}
	error = virtio_memory_map_init(&m->map, m->table, m->count);
	FUZZ_CHECK(error == 0, "a valid table of regions is refused: %d", error);
	qsort(m->regions, m->count, sizeof *m->regions, by_address);
	if (m->page_shift)
		virtio_memory_map_set_translation(&m->map, hook, m);
}

static const struct shadow_region *region_at(struct shadow_map *m, uint64_t addr)
{
	for (uint32_t i = 0; i < m->count; i++) {
		const struct shadow_region *r = &m->regions[(m->hint + i) % m->count];

		if (addr >= r->addr && addr - r->addr < r->len) {
			m->hint = (m->hint + i) % m->count;
			return r;
		}
	}
	return NULL;
}

int shadow_find(struct shadow_map *m, uint64_t addr, uint32_t access, struct shadow_place *out)
{
	uint64_t limit = UINT64_MAX;
	uint32_t permitted = VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE;

	if (m->page_shift) {
		const uint64_t size = (uint64_t)1 << m->page_shift, offset = addr - m->io_base;
		const struct shadow_page *page;

		if (offset / size >= m->pages_used)
			return VIRTIO_EFAULT;
		page = &m->pages[offset / size];
		if (access && page->error)
			return page->error;
		permitted = page->access;
		limit = size - offset % size;
		addr = page->target + offset % size;
	}
	out->region = region_at(m, addr);
	if (!out->region)
		return VIRTIO_EFAULT;
	if (out->region->read_only)
		permitted &= VIRTIO_ACCESS_READ;
	if (access & ~permitted)
		return VIRTIO_EPERM;
	out->offset = addr - out->region->addr;
	out->len = out->region->len - out->offset;
	if (out->len > limit)
		out->len = limit;
	return 0;
}

uint64_t shadow_errors(struct shadow_map *m, uint64_t addr, uint64_t len, uint32_t access)
{
	/* A range may end at 2^64, but not after it. */
	const bool wraps = (wide)addr + len > (wide)1 << 64;
	struct shadow_place p;

	while (len > 0) {
		int error = shadow_find(m, addr, access, &p);

		if (error)
			return fuzz_error_bit(error) | (wraps ? fuzz_error_bit(VIRTIO_EFAULT) : 0);
		if (p.len >= len)
			break;
		addr += p.len;
		len -= p.len;
		if (addr == 0)
			break;
	}
	return wraps ? fuzz_error_bit(VIRTIO_EFAULT) : 0;
}

bool shadow_contiguous(struct shadow_map *m, uint64_t addr, uint64_t len, uint32_t access)
{
	struct shadow_place p;

	return shadow_find(m, addr, access, &p) == 0 && p.len >= len;
}

uint64_t shadow_pieces(struct shadow_map *m, uint64_t addr, uint64_t len, uint32_t access)
{
	uint64_t count = 0;
	struct shadow_place p;

	while (len > 0 && shadow_find(m, addr, access, &p) == 0) {
		count++;
		if (p.len >= len || addr + p.len == 0)
			break;
		addr += p.len;
		len -= p.len;
	}
	return count;
}

void shadow_get(struct shadow_map *m, uint64_t addr, void *dst, size_t len)
{
	uint8_t *to = dst;

	while (len > 0) {
		struct shadow_place p;
		int error = shadow_find(m, addr, 0, &p);
		size_t n;

		FUZZ_CHECK(error == 0, "the model reads outside of memory, at %#llx", (unsigned long long)addr);
		n = p.len < len ? (size_t)p.len : len;
		memcpy(to, shadow_shadow(m->shadow, p.region, p.offset), n);
		addr += n;
		to += n;
		len -= n;
	}
}

uint16_t shadow_get16(struct shadow_map *m, uint64_t addr)
{
	uint8_t raw[2];

	shadow_get(m, addr, raw, sizeof raw);
	return (uint16_t)(raw[0] | raw[1] << 8);
}

const uint8_t *shadow_shadow(const struct shadow_memory *w, const struct shadow_region *region, uint64_t offset)
{
	const struct shadow_block *b = &w->blocks[region->block];

	return b->shadow + b->lead + region->start + offset;
}

void shadow_mark(struct shadow_memory *w, const struct virtio_dirty_log *log, uint64_t addr, uint64_t len)
{
	const wide space = (wide)1 << 64;
	/* The dirty log has no pages after the end of the address space. */
	const wide end = (wide)addr + len < space ? (wide)addr + len : space;
	struct shadow_log *l = NULL;

	for (uint32_t i = 0; i < w->log_count; i++)
		if (&w->logs[i].log == log)
			l = &w->logs[i];
	if (!l || len == 0)
		return;
	/* Sets each bit whose page overlaps the range. */
	for (uint64_t n = 0; n < log->size * 8; n++) {
		const wide page = (wide)log->base + ((wide)n << log->page_shift);
		const wide next = page + ((wide)1 << log->page_shift);
		const uint64_t bits = 8 * (uint64_t)log->unit;

		if (next <= addr || page >= end)
			continue;
		if (log->unit == 1) {
			l->shadow[n / 8] |= (uint8_t)(1u << n % 8);
		} else {
			unsigned long unit;

			memcpy(&unit, l->shadow + n / bits * log->unit, sizeof unit);
			unit |= 1ul << n % bits;
			memcpy(l->shadow + n / bits * log->unit, &unit, sizeof unit);
		}
	}
}

void shadow_mark_region(struct shadow_memory *w, const struct shadow_region *region, uint64_t offset, uint64_t len)
{
	if (region->log)
		shadow_mark(w, region->log, region->addr + offset, len);
}

void shadow_put_unlogged(struct shadow_memory *w, const struct shadow_region *region, uint64_t offset, const void *src,
			 size_t len)
{
	struct shadow_block *b = &w->blocks[region->block];

	memcpy(b->shadow + b->lead + region->start + offset, src, len);
}

void shadow_put_region(struct shadow_memory *w, const struct shadow_region *region, uint64_t offset, const void *src,
		       size_t len)
{
	shadow_put_unlogged(w, region, offset, src, len);
	shadow_mark_region(w, region, offset, len);
}

void shadow_put(struct shadow_map *m, uint64_t addr, const void *src, size_t len)
{
	const uint8_t *from = src;

	while (len > 0) {
		struct shadow_place p;
		int error = shadow_find(m, addr, VIRTIO_ACCESS_WRITE, &p);
		size_t n;

		FUZZ_CHECK(error == 0, "the model writes where it must not, at %#llx", (unsigned long long)addr);
		n = p.len < len ? (size_t)p.len : len;
		shadow_put_region(m->shadow, p.region, p.offset, from, n);
		addr += n;
		from += n;
		len -= n;
	}
}

void shadow_put16(struct shadow_map *m, uint64_t addr, uint16_t value)
{
	const uint8_t raw[2] = { (uint8_t)value, (uint8_t)(value >> 8) };

	shadow_put(m, addr, raw, sizeof raw);
}

void shadow_poke(struct shadow_map *m, uint64_t addr, const void *src, size_t len)
{
	const uint8_t *from = src;

	for (size_t i = 0; i < len; i++) {
		struct shadow_place p;
		struct shadow_block *b;

		if (shadow_find(m, addr + i, 0, &p))
			continue;
		b = &m->shadow->blocks[p.region->block];
		b->real[b->lead + p.region->start + p.offset] = from[i];
		b->shadow[b->lead + p.region->start + p.offset] = from[i];
	}
}

void shadow_poke16(struct shadow_map *m, uint64_t addr, uint16_t value)
{
	const uint8_t raw[2] = { (uint8_t)value, (uint8_t)(value >> 8) };

	shadow_poke(m, addr, raw, sizeof raw);
}

void shadow_accept(struct shadow_memory *w)
{
	for (uint32_t i = 0; i < w->block_count; i++)
		memcpy(w->blocks[i].shadow + w->blocks[i].lead, w->blocks[i].real + w->blocks[i].lead,
		       w->blocks[i].len);
}

void shadow_compare(const struct shadow_memory *w)
{
	for (uint32_t i = 0; i < w->block_count; i++) {
		const struct shadow_block *b = &w->blocks[i];

		for (size_t at = 0; memcmp(b->real, b->shadow, b->lead + b->len) != 0 && at < b->lead + b->len; at++)
			FUZZ_CHECK(b->real[at] == b->shadow[at], "memory block %u, byte %zu: %#x, the model says %#x",
				   i, at - b->lead, b->real[at], b->shadow[at]);
	}
	for (uint32_t i = 0; i < w->log_count; i++)
		FUZZ_CHECK(memcmp(w->logs[i].log.bitmap, w->logs[i].shadow, w->logs[i].log.size) == 0,
			   "dirty log %u is not as the model says", i);
}

bool shadow_same_region(const struct shadow_map *m, const struct virtio_region *real, const struct shadow_region *model)
{
	const uintptr_t at = (uintptr_t)real, table = (uintptr_t)m->table;

	return at >= table && at < table + sizeof *m->table * m->count && (at - table) % sizeof *m->table == 0 &&
	       real->addr == model->addr && real->len == model->len;
}
