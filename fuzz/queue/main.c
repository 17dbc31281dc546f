/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Fuzzes the queue, its chains, readers, writers and saved state. The input describes guest memory,
 * a queue, and then a list of steps. Steps of the driver and of the device come in any order. The
 * driver need not behave well. After each step all of guest memory and all results of the queue
 * must agree with the model.
 */
#include "device.h"
#include "driver.h"
#include "held.h"
#include "queue_internal.h"

#define MOST_STEPS 250u

/* Memory */

enum {
	CUT_NOWHERE,
	CUT_AT_POINTS,
	CUT_FINELY,
};

static void add_region(struct harness *h, uint64_t addr, uint64_t len, uint8_t how, const struct virtio_dirty_log *log)
{
	struct shadow_region r = { .addr = addr, .len = len };

	/* No region is added, so the range is a hole. */
	if ((how & 3) == 1 || len == 0)
		return;
	r.block = shadow_add_block(h->shadow, (size_t)len, how >> 4 & 7);
	r.read_only = (how & 3) == 2;
	r.log = (how & 3) == 3 || (how & 8) ? log : NULL;
	shadow_add_region(h->maps[0], &r);
}

static void cut_at_points(struct harness *h, uint64_t gpa, const struct virtio_dirty_log *log)
{
	uint64_t at = 0;

	for (uint32_t count = fuzz_u8(&h->in) % 8; count > 0 && at < HARNESS_BYTES; count--) {
		uint64_t len = fuzz_u8(&h->in) * (uint64_t)8 + 4;

		len = len < HARNESS_BYTES - at ? len : HARNESS_BYTES - at;
		add_region(h, gpa + at, len, fuzz_u8(&h->in), log);
		at += len;
	}
	add_region(h, gpa + at, HARNESS_BYTES - at, 0, log);
}

/* Makes up to a hundred small regions. No two regions are adjacent in host memory. */
static void cut_finely(struct harness *h, uint64_t gpa, uint8_t how, const struct virtio_dirty_log *log)
{
	const uint64_t start = fuzz_u8(&h->in) * (uint64_t)8 % (HARNESS_BYTES / 2), len = fuzz_u8(&h->in) % 16u + 1;
	uint64_t at = start;

	add_region(h, gpa, start, how, log);
	for (uint32_t i = 0; i < 100 && at + len < HARNESS_BYTES; i++, at += len)
		add_region(h, gpa + at, len, how, log);
	add_region(h, gpa + at, HARNESS_BYTES - at, how, log);
}

static void make_translation(struct harness *h, uint64_t gpa)
{
	struct shadow_map *m = h->maps[0];
	const uint8_t how = fuzz_u8(&h->in);

	m->page_shift = 5 + (how & 3);
	m->pages_used = HARNESS_BYTES >> m->page_shift;
	m->io_base = how & 4 ? 0 - (uint64_t)HARNESS_BYTES : how & 8 ? 0 : gpa;
	for (uint32_t i = 0; i < m->pages_used; i++) {
		m->pages[i].target = gpa + ((uint64_t)i << m->page_shift);
		m->pages[i].access = VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE;
	}
	for (uint32_t count = how >> 4; count > 0; count--) {
		struct shadow_page *p = &m->pages[fuzz_u8(&h->in) % m->pages_used];
		const uint8_t what = fuzz_u8(&h->in);

		if (what & 1)
			p->target = gpa + fuzz_u8(&h->in) * (uint64_t)8;
		if (what & 2)
			p->access = what >> 2 & 3;
		p->error = (what & 0x30) == 0x30 ? VIRTIO_ENOTMAPPED : (what & 0x30) == 0x20 ? VIRTIO_EFAULT : 0;
	}
	h->base = m->io_base;
}

static void copy_translation(struct shadow_map *to, const struct shadow_map *from)
{
	to->io_base = from->io_base;
	to->page_shift = from->page_shift;
	to->pages_used = from->pages_used;
	memcpy(to->pages, from->pages, sizeof to->pages);
}

/*
 * Makes a second map of the same memory, perhaps with a dirty log. One region may be missing, or
 * have another permission or other host memory.
 */
static void make_second_map(struct harness *h, const struct virtio_dirty_log *log)
{
	const uint8_t how = fuzz_u8(&h->in), which = fuzz_u8(&h->in);

	for (uint32_t i = 0; i < h->maps[0]->count; i++) {
		const bool chosen = i == which % h->maps[0]->count;
		struct shadow_region r = h->maps[0]->regions[i];

		if (how & 1)
			r.log = log;
		if (chosen && (how & 2))
			r.read_only = !r.read_only;
		if (chosen && (how & 4))
			continue;
		if (chosen && (how & 8)) {
			r.block = shadow_add_block(h->shadow, (size_t)r.len, 0);
			r.start = 0;
		}
		shadow_add_region(h->maps[1], &r);
	}
	copy_translation(h->maps[1], h->maps[0]);
}

static void make_driver_map(struct harness *h)
{
	for (uint32_t i = 0; i < h->maps[0]->count; i++) {
		struct shadow_region r = h->maps[0]->regions[i];

		r.read_only = false;
		r.log = NULL;
		shadow_add_region(h->driver, &r);
	}
	copy_translation(h->driver, h->maps[0]);
	for (uint32_t i = 0; i < h->driver->pages_used; i++) {
		h->driver->pages[i].access = VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE;
		h->driver->pages[i].error = 0;
	}
}

static void make_memory(struct harness *h, uint8_t how)
{
	static const uint64_t bases[] = { 0x1000, 0, ((uint64_t)1 << 32) - 0x80, 0 - (uint64_t)HARNESS_BYTES };
	const uint64_t gpa = bases[how & 3];
	const uint8_t all = how & 0x10 ? 8 : 0;
	/* The log has pages of 64 bytes, or covers 1 KiB of memory with pages of 16 bytes. */
	const struct virtio_dirty_log *log = how & 0x80 ? shadow_add_log(h->shadow, gpa + 0x100, 4, 8, 1)
							: shadow_add_log(h->shadow, gpa, 6, 1, HARNESS_BYTES / 512);

	h->base = gpa;
	switch (how >> 2 & 3) {
	case CUT_AT_POINTS:
		cut_at_points(h, gpa, log);
		break;
	case CUT_FINELY:
		cut_finely(h, gpa, all, log);
		break;
	default:
		add_region(h, gpa, HARNESS_BYTES, all | (how & 0x20 ? 0x10 : 0), log);
	}
	if (h->maps[0]->count == 0)
		add_region(h, gpa, HARNESS_BYTES, all, log);
	if (how & 0x40)
		make_translation(h, gpa);
	make_second_map(h, log);
	make_driver_map(h);
	shadow_map_finish(h->maps[0]);
	shadow_map_finish(h->maps[1]);
	shadow_map_finish(h->driver);
}

/* The queue */

static void make_config(struct harness *h, uint8_t how)
{
	struct virtio_queue_config *c = &h->config;
	const uint8_t more = fuzz_u8(&h->in);

	c->size = (uint16_t)(1u << (how & 7) % 6);
	c->max_size = more & 1 ? 32 : c->size;
	c->event_idx = how & 0x08;
	c->indirect = !(how & 0x10);
	c->in_order = how & 0x20;
	c->allow_unnegotiated_indirect = how & 0x40;
	c->allow_long_indirect = how & 0x80;
	c->ready = !(more & 2);
	c->addr[VIRTIO_QUEUE_DESC] = h->base;
	c->addr[VIRTIO_QUEUE_AVAIL] = h->base + (uint64_t)DESC_BYTES * c->size;
	c->addr[VIRTIO_QUEUE_USED] = (c->addr[VIRTIO_QUEUE_AVAIL] + 2u * c->size + 6 + 3) & ~(uint64_t)3;
	/* Moves areas. The areas may then overlap, or lie outside of memory. */
	for (int i = 0; i < 3; i++)
		if (more >> (2 + i) & 1)
			c->addr[i] = h->base + fuzz_u8(&h->in) * (more & 0x20 ? 16u : 4u);
	if (more & 0x40)
		c->addr[fuzz_u8(&h->in) % 3] = fuzz_number(&h->in);
	if (more & 0x80)
		c->size = fuzz_u16(&h->in);
}

static void make_harness(struct harness *h)
{
	const uint8_t queue = fuzz_u8(&h->in), memory = fuzz_u8(&h->in);
	int got;

	h->shadow = shadow_new();
	h->maps[0] = &h->shadow->maps[0];
	h->maps[1] = &h->shadow->maps[1];
	h->driver = &h->shadow->maps[2];
	make_memory(h, memory);
	make_config(h, queue);
	h->model.storage = h->config.max_size == 32 ? 16 : h->config.max_size;
	if (h->config.size > 16)
		h->model.storage = queue & 7 ? h->config.max_size : h->model.storage;
	h->model.stats.first_head = 0xffff;
	h->inflight = fuzz_alloc(sizeof *h->inflight * h->model.storage);
	got = virtio_queue_init(&h->queue, h->inflight, h->model.storage);
	FUZZ_CHECK(got == 0, "virtio_queue_init() returned %d", got);
	harness_reset_driver(h);
	got = virtio_queue_start(&h->queue, &h->config, &h->maps[0]->map);
	model_start(&h->model, &h->config, h->maps[0], got);
	if (got) {
		/*
		 * Corrects the configuration. A later start can succeed, so the rest of the input
		 * is still useful.
		 */
		h->config.size = 8;
		h->config.max_size = 8;
		h->config.ready = true;
	}
}

/* Checks that the members which select fast paths are up to date. */
static void check_paths(const struct virtio_queue *queue)
{
	struct virtio_queue now = *queue;

	virtio_impl_queue_update_paths(&now);
	FUZZ_CHECK(queue->fast_avail_ring == now.fast_avail_ring, "fast_avail_ring is stale");
	FUZZ_CHECK(queue->fast_used == now.fast_used, "fast_used is stale");
	FUZZ_CHECK(queue->fast_used_event == now.fast_used_event, "fast_used_event is stale");
	FUZZ_CHECK(queue->fast_heads == now.fast_heads, "fast_heads is %u, not %u", queue->fast_heads, now.fast_heads);
	FUZZ_CHECK(queue->fast_avail == now.fast_avail, "fast_avail is %u, not %u", queue->fast_avail, now.fast_avail);
}

static void compare(const struct harness *h)
{
	struct virtio_queue_stats stats;

	virtio_queue_get_stats(&h->queue, &stats);
	FUZZ_CHECK(stats.too_many_segments == h->model.stats.too_many_segments, "wrong counter too_many_segments: %llu",
		   (unsigned long long)stats.too_many_segments);
	shadow_compare(h->shadow);
	model_compare(&h->model, &h->queue);
	check_paths(&h->queue);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct harness *h = fuzz_alloc(sizeof *h);

	h->in.at = data;
	h->in.left = size;
	make_harness(h);
	for (uint32_t i = 0; i < MOST_STEPS && h->in.left; i++) {
		const uint8_t op = fuzz_u8(&h->in);

		if (op & 0x80)
			harness_device_step(h, op & 0x7f);
		else
			harness_driver_step(h, op);
		compare(h);
	}
	harness_drop_requests(h);
	shadow_free(h->shadow);
	free(h->inflight);
	free(h);
	return 0;
}
