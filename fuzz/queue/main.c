/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Fuzzes the queue, its chains, readers, writers and saved state: the input makes a guest's memory and a queue in it,
 * and then a list of steps in which the driver, well behaved or not, and the device take turns. After each one
 * all of guest memory and all that can be asked of the queue is compared with the model's.
 */
#include "harness.h"
#include "steps.h"

#define MOST_STEPS 250u

struct shadow_map *harness_map(struct harness *h)
{
	return h->model.started ? h->model.map : h->maps[0];
}

/* Memory */

enum {
	CUT_NOWHERE,
	CUT_AT_POINTS,
	CUT_FINELY,
};

static void add_region(struct harness *h, uint64_t addr, uint64_t len, uint8_t how, const struct virtio_dirty_log *log)
{
	struct shadow_region r = { .addr = addr, .len = len };

	/* A hole. */
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

/* Up to a hundred small regions, none beside its neighbour on the host. */
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

/* The same memory, perhaps logged, with perhaps a piece of it read-only, gone, or elsewhere. */
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
	/* Pages of 64 bytes; or a log that covers a part, in the operating system's unit. */
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
	c->addr[VIRTIO_QUEUE_AVAIL] = h->base + 16u * c->size;
	c->addr[VIRTIO_QUEUE_USED] = (c->addr[VIRTIO_QUEUE_AVAIL] + 2u * c->size + 6 + 3) & ~(uint64_t)3;
	/* Areas elsewhere, perhaps one over the other, perhaps nowhere. */
	for (int i = 0; i < 3; i++)
		if (more >> (2 + i) & 1)
			c->addr[i] = h->base + fuzz_u8(&h->in) * (more & 0x20 ? 16u : 4u);
	if (more & 0x40)
		c->addr[fuzz_u8(&h->in) % 3] = fuzz_number(&h->in);
	if (more & 0x80)
		c->size = fuzz_u16(&h->in);
}

void harness_reset_driver(struct harness *h)
{
	const uint8_t zeroes[16 * MODEL_MAX_SIZE] = { 0 };
	const uint32_t size = h->config.size;

	for (int i = 0; i < 3; i++)
		shadow_poke(harness_map(h), h->config.addr[i], zeroes,
			    sizeof zeroes / 16 *
				    (i == 1   ? 2
				     : i == 2 ? 8
					      : 16));
	h->mock_works = size <= MODEL_MAX_SIZE &&
			virtio_mock_init(&h->mock, &h->driver->map, h->base, size, h->slots, MODEL_MAX_SIZE) == 0;
	for (int i = 0; i < 3 && h->mock_works; i++)
		virtio_mock_place(&h->mock, (enum virtio_queue_area)i, h->config.addr[i]);
	h->mock_works = h->mock_works && virtio_mock_reset(&h->mock) == 0;
	h->mock.event_idx = h->config.event_idx;
	h->mock.indirect = h->config.indirect;
	h->mock.in_order = h->config.in_order;
	shadow_accept(h->shadow);
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
	FUZZ_CHECK(got == 0, "init returned %d", got);
	harness_reset_driver(h);
	got = virtio_queue_start(&h->queue, &h->config, &h->maps[0]->map);
	model_start(&h->model, &h->config, h->maps[0], got);
	if (got) {
		/* So that the rest of the input is not lost. */
		h->config.size = 8;
		h->config.max_size = 8;
		h->config.ready = true;
	}
}

/* The driver */

static uint64_t pick_address(struct harness *h)
{
	const uint8_t kind = fuzz_u8(&h->in);

	if (kind < 0xf0)
		return h->base + kind * (uint64_t)8 + (kind & 0x80 ? kind & 7 : 0);
	return kind & 1 ? fuzz_number(&h->in) : h->base + fuzz_u16(&h->in) - 0x10;
}

static uint32_t pick_len(struct harness *h)
{
	static const uint32_t lens[8] = { 0x100, 0x200, 0x400, 0x801, 0x10000, 0x80000000, 0xffffffff, 0x100000 };
	const uint8_t kind = fuzz_u8(&h->in);

	return kind < 0xc0 ? kind : kind < 0xe0 ? lens[kind & 7] : (uint32_t)fuzz_number(&h->in);
}

static void put_desc(struct harness *h, uint64_t at, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	uint8_t raw[16];

	for (int i = 0; i < 8; i++)
		raw[i] = (uint8_t)(addr >> 8 * i);
	for (int i = 0; i < 4; i++)
		raw[8 + i] = (uint8_t)(len >> 8 * i);
	for (int i = 0; i < 2; i++) {
		raw[12 + i] = (uint8_t)(flags >> 8 * i);
		raw[14 + i] = (uint8_t)(next >> 8 * i);
	}
	shadow_poke(harness_map(h), at, raw, sizeof raw);
}

static uint64_t desc_at(const struct harness *h, uint32_t index)
{
	return h->config.addr[VIRTIO_QUEUE_DESC] + (index % MODEL_MAX_SIZE) * (uint64_t)16;
}

static uint64_t avail_at(const struct harness *h, uint64_t offset)
{
	return h->config.addr[VIRTIO_QUEUE_AVAIL] + offset;
}

/* A field that may be nowhere. */
static uint16_t peek(struct harness *h, uint64_t addr)
{
	struct shadow_map *m = harness_map(h);

	return shadow_errors(m, addr, 2, VIRTIO_ACCESS_READ) ? 0 : shadow_get16(m, addr);
}

static void offer(struct harness *h, uint16_t head)
{
	const uint16_t idx = peek(h, avail_at(h, 2));
	const uint32_t size = h->config.size ? h->config.size : 1;

	shadow_poke16(harness_map(h), avail_at(h, 4 + 2 * (uint64_t)(idx % size)), head);
	shadow_poke16(harness_map(h), avail_at(h, 2), (uint16_t)(idx + 1));
}

static void driver_desc(struct harness *h)
{
	const uint8_t index = fuzz_u8(&h->in);
	const uint64_t at = index & 0x80 ? pick_address(h) + (index & 0x7f) : desc_at(h, index);
	const uint64_t addr = pick_address(h);
	const uint32_t len = pick_len(h);
	const uint8_t flags = fuzz_u8(&h->in);

	put_desc(h, at, addr, len, flags & 7, fuzz_u8(&h->in));
}

static void driver_offer(struct harness *h)
{
	offer(h, fuzz_u8(&h->in));
}

/*
 * A whole chain, direct or in a table, of two bytes a descriptor: then one thing of it wrong, perhaps,
 * and available.
 */
static void driver_chain(struct harness *h)
{
	const uint8_t how = fuzz_u8(&h->in), first = fuzz_u8(&h->in) % MODEL_MAX_SIZE;
	const uint32_t count = how % 36u + 1, size = h->config.size ? h->config.size : 1;
	const bool table = how >= 128;
	const uint8_t twist = fuzz_u8(&h->in);
	const uint64_t at = h->base + HARNESS_DATA + (table ? fuzz_u8(&h->in) : 0);

	for (uint32_t i = 0; i < count; i++) {
		const uint8_t where = fuzz_u8(&h->in), what = fuzz_u8(&h->in);
		const bool last = i + 1 == count;
		const uint16_t flags = (uint16_t)((what & 1 ? 2 : 0) | (last && twist != 1 ? 0 : 1));
		const uint32_t next = twist == 1 && last ? first : (first + i + 1) % size;

		if (table)
			put_desc(h, at + 16 * (uint64_t)i, h->base + where * 8u, what >> 1, flags, (uint16_t)(i + 1));
		else
			put_desc(h, desc_at(h, (first + i) % size), h->base + where * 8u, what >> 1, flags,
				 (uint16_t)next);
	}
	if (table && (twist & 0x80))
		/* The table is entered from the second descriptor of the direct table. */
		put_desc(h, desc_at(h, first % size), h->base + HARNESS_DATA, twist & 15, 1,
			 (uint16_t)((first + 1) % size));
	if (table)
		put_desc(h, desc_at(h, (first + (twist >> 7)) % size), at, 16 * count + (twist & 0x40 ? 8 : 0),
			 twist & 0x20 ? 7 : 4, twist);
	offer(h, (uint16_t)(first % size));
}

static void driver_avail_idx(struct harness *h)
{
	const uint16_t idx = peek(h, avail_at(h, 2));

	shadow_poke16(harness_map(h), avail_at(h, 2), (uint16_t)(idx + (int8_t)fuzz_u8(&h->in)));
}

static void driver_field(struct harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);
	const uint64_t event = avail_at(h, 4 + 2 * (uint64_t)h->config.size);

	if (how < 0x40)
		shadow_poke16(harness_map(h), avail_at(h, 0), how & 3);
	else if (how < 0x80)
		shadow_poke16(harness_map(h), event, fuzz_u16(&h->in));
	else
		/* Near the used index, where it matters. */
		shadow_poke16(harness_map(h), event, (uint16_t)(h->model.next_used + (int8_t)how % 40));
}

static void driver_poke(struct harness *h)
{
	const uint64_t addr = pick_address(h);
	const uint8_t count = fuzz_u8(&h->in);
	uint8_t bytes[8];

	for (uint32_t i = 0; i < sizeof bytes && i <= count % sizeof bytes; i++)
		bytes[i] = fuzz_u8(&h->in);
	shadow_poke(harness_map(h), addr, bytes, count % sizeof bytes + 1);
}

static void mock_add(struct harness *h, bool indirect)
{
	const uint8_t count = fuzz_u8(&h->in) % 6 + 1;
	struct virtio_mock_buffer buffers[6];

	for (uint32_t i = 0; i < count; i++) {
		const uint8_t where = fuzz_u8(&h->in), what = fuzz_u8(&h->in);

		buffers[i].addr = h->base + HARNESS_DATA + where * 4u;
		buffers[i].len = what >> 1;
		buffers[i].flags = what & 1 ? VRING_DESC_F_WRITE : 0;
	}
	if (!h->mock_works)
		return;
	if (indirect)
		(void)virtio_mock_add_indirect(&h->mock, h->base + HARNESS_DATA + fuzz_u8(&h->in), buffers, count);
	else
		(void)virtio_mock_add(&h->mock, buffers, count);
	shadow_accept(h->shadow);
}

static void driver_add(struct harness *h)
{
	mock_add(h, false);
}

static void driver_add_indirect(struct harness *h)
{
	mock_add(h, true);
}

static void driver_pop_used(struct harness *h)
{
	struct vring_used_elem element;

	if (h->mock_works)
		(void)virtio_mock_pop_used(&h->mock, &element);
}

static void driver_interrupts(struct harness *h)
{
	if (!h->mock_works)
		return;
	(void)(fuzz_u8(&h->in) & 1 ? virtio_mock_enable_interrupts(&h->mock)
				   : virtio_mock_disable_interrupts(&h->mock));
	shadow_accept(h->shadow);
}

/* A page whose translation was not known is mapped. */
static void driver_map_page(struct harness *h)
{
	const uint8_t first = fuzz_u8(&h->in);

	for (uint32_t i = 0; i < h->maps[0]->pages_used; i++) {
		const uint32_t page = (first + i) % h->maps[0]->pages_used;

		if (h->maps[0]->pages[page].error != VIRTIO_ENOTMAPPED)
			continue;
		h->maps[0]->pages[page].error = 0;
		h->maps[1]->pages[page].error = 0;
		return;
	}
}

static void driver_step(struct harness *h, uint8_t op)
{
	static void (*const steps[DRIVER_STEPS])(struct harness *) = {
		[DRIVER_ADD] = driver_add,
		[DRIVER_CHAIN] = driver_chain,
		[DRIVER_DESC] = driver_desc,
		[DRIVER_OFFER] = driver_offer,
		[DRIVER_AVAIL_IDX] = driver_avail_idx,
		[DRIVER_FIELD] = driver_field,
		[DRIVER_POKE] = driver_poke,
		[DRIVER_ADD_INDIRECT] = driver_add_indirect,
		[DRIVER_POP_USED] = driver_pop_used,
		[DRIVER_INTERRUPTS] = driver_interrupts,
		[DRIVER_MAP_PAGE] = driver_map_page,
	};

	steps[op % DRIVER_STEPS](h);
}

static void compare(const struct harness *h)
{
	struct virtio_queue_stats stats;

	virtio_queue_get_stats(&h->queue, &stats);
	FUZZ_CHECK(stats.too_many_segments == h->model.stats.too_many_segments, "%llu arrays too small",
		   (unsigned long long)stats.too_many_segments);
	shadow_compare(h->shadow);
	model_compare(&h->model, &h->queue);
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
			driver_step(h, op);
		compare(h);
	}
	harness_drop_requests(h);
	shadow_free(h->shadow);
	free(h->inflight);
	free(h);
	return 0;
}
