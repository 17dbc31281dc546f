/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Fuzzes the block device. The input describes guest memory, a queue and a disk, and then a list of
 * steps. The driver makes any request in any layout. The device serves requests at once or in
 * steps. After each step all of guest memory, the disk and the results must match the model.
 */
#include "backend.h"
#include "device.h"
#include "disk.h"
#include "driver.h"
#include "steps.h"

#define MOST_STEPS 120u

/* Memory */

static void add_region(struct blk_harness *h, uint64_t addr, uint64_t len, uint8_t how,
		       const struct virtio_dirty_log *log)
{
	struct shadow_region r = { .addr = addr, .len = len };

	/* No region is added, so the range is a hole. */
	if ((how & 3) == 1 || len == 0)
		return;
	r.block = shadow_add_block(h->shadow, (size_t)len, how >> 4 & 7);
	r.read_only = (how & 3) == 2;
	r.log = (how & 3) == 3 || (how & 8) ? log : NULL;
	shadow_add_region(h->map, &r);
}

static void cut_at_points(struct blk_harness *h, uint64_t gpa, uint8_t all, const struct virtio_dirty_log *log)
{
	uint64_t at = 0;

	for (uint32_t count = fuzz_u8(&h->in) % 8; count > 0 && at < BLK_BYTES; count--) {
		uint64_t len = fuzz_u8(&h->in) * (uint64_t)32 + 4;

		len = len < BLK_BYTES - at ? len : BLK_BYTES - at;
		add_region(h, gpa + at, len, all | fuzz_u8(&h->in), log);
		at += len;
	}
	add_region(h, gpa + at, BLK_BYTES - at, all, log);
}

/* Makes small regions after the rings. No two regions are adjacent in host memory. */
static void cut_finely(struct blk_harness *h, uint64_t gpa, uint8_t all, const struct virtio_dirty_log *log)
{
	const uint64_t len = fuzz_u8(&h->in) % 40u + 1;
	uint64_t at = BLK_DATA;

	add_region(h, gpa, at, all, log);
	for (uint32_t i = 0; i < 100 && at + len < BLK_BYTES; i++, at += len)
		add_region(h, gpa + at, len, all, log);
	add_region(h, gpa + at, BLK_BYTES - at, all, log);
}

static void make_translation(struct blk_harness *h, uint64_t gpa)
{
	struct shadow_map *m = h->map;
	const uint8_t how = fuzz_u8(&h->in);

	m->page_shift = 7 + (how & 3);
	m->pages_used = BLK_BYTES >> m->page_shift;
	m->io_base = how & 4 ? 0 - (uint64_t)BLK_BYTES : how & 8 ? 0 : gpa;
	for (uint32_t i = 0; i < m->pages_used; i++) {
		m->pages[i].target = gpa + ((uint64_t)i << m->page_shift);
		m->pages[i].access = VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE;
	}
	for (uint32_t count = how >> 4; count > 0; count--) {
		struct shadow_page *p = &m->pages[fuzz_u8(&h->in) % m->pages_used];
		const uint8_t what = fuzz_u8(&h->in);

		if (what & 1)
			p->target = gpa + fuzz_u8(&h->in) * (uint64_t)32;
		if (what & 2)
			p->access = what >> 2 & 3;
		p->error = (what & 0x30) == 0x30 ? VIRTIO_ENOTMAPPED : (what & 0x30) == 0x20 ? VIRTIO_EFAULT : 0;
	}
	h->base = m->io_base;
}

static void make_driver_map(struct blk_harness *h)
{
	struct shadow_map *to = h->driver;

	for (uint32_t i = 0; i < h->map->count; i++) {
		struct shadow_region r = h->map->regions[i];

		r.read_only = false;
		r.log = NULL;
		shadow_add_region(to, &r);
	}
	to->io_base = h->map->io_base;
	to->page_shift = h->map->page_shift;
	to->pages_used = h->map->pages_used;
	for (uint32_t i = 0; i < to->pages_used; i++) {
		to->pages[i].target = h->map->pages[i].target;
		to->pages[i].access = VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE;
	}
}

static void make_memory(struct blk_harness *h)
{
	static const uint64_t bases[] = { 0x1000, 0, ((uint64_t)1 << 32) - 0x600, 0 - (uint64_t)BLK_BYTES };
	const uint8_t how = fuzz_u8(&h->in);
	const uint64_t gpa = bases[how & BLK_M_TOP];
	const uint8_t all = how & BLK_M_LOGGED ? 8 : 0;
	const struct virtio_dirty_log *log = shadow_add_log(h->shadow, gpa, 6, 1, BLK_BYTES / 512);

	h->map = &h->shadow->maps[0];
	h->driver = &h->shadow->maps[1];
	h->base = gpa;
	if (how & BLK_M_POINTS)
		cut_at_points(h, gpa, all, log);
	else if (how & BLK_M_FINE)
		cut_finely(h, gpa, all, log);
	else
		add_region(h, gpa, BLK_BYTES, all, log);
	if (h->map->count == 0)
		add_region(h, gpa, BLK_BYTES, all, log);
	if (how & BLK_M_PAGES)
		make_translation(h, gpa);
	make_driver_map(h);
	shadow_map_finish(h->map);
	shadow_map_finish(h->driver);
}

/* The queue */

static void make_queue(struct blk_harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);
	struct virtio_queue_config *c = &h->config;
	int got = virtio_queue_init(&h->queue, h->inflight, MODEL_MAX_SIZE);

	FUZZ_CHECK(got == 0, "virtio_queue_init() returned %d", got);
	c->size = (uint16_t)(1u << (how & 7) % 6);
	c->max_size = c->size;
	c->event_idx = how & BLK_Q_EVENT_IDX;
	c->indirect = !(how & BLK_Q_NO_INDIRECT);
	c->in_order = how & BLK_Q_IN_ORDER;
	c->ready = true;
	c->addr[VIRTIO_QUEUE_DESC] = h->base;
	c->addr[VIRTIO_QUEUE_AVAIL] = h->base + (uint64_t)DESC_BYTES * c->size;
	c->addr[VIRTIO_QUEUE_USED] = (c->addr[VIRTIO_QUEUE_AVAIL] + 2u * c->size + 6 + 3) & ~(uint64_t)3;
	h->model.storage = MODEL_MAX_SIZE;
	h->model.stats.first_head = 0xffff;
	blk_reset_driver(h);
	got = virtio_queue_start(&h->queue, c, &h->map->map);
	model_start(&h->model, c, h->map, got);
}

/* The disk */

static uint32_t limit(struct blk_harness *h, bool offered)
{
	return offered ? (uint32_t)fuzz_number(&h->in) : 0;
}

static void pick_limits(struct blk_harness *h, struct virtio_blk_options *o, uint16_t what)
{
	o->max_discard_sectors = limit(h, what & BLK_O_DISCARD);
	o->max_discard_seg = limit(h, what & BLK_O_DISCARD);
	o->max_write_zeroes_sectors = limit(h, what & BLK_O_WRITE_ZEROES);
	o->max_write_zeroes_seg = limit(h, what & BLK_O_WRITE_ZEROES);
	o->max_secure_erase_sectors = limit(h, what & BLK_O_SECURE_ERASE);
	o->max_secure_erase_seg = limit(h, what & BLK_O_SECURE_ERASE);
	o->write_zeroes_may_unmap = what & BLK_O_MAY_UNMAP;
}

static void pick_fields(struct blk_harness *h, struct virtio_blk_options *o)
{
	const uint8_t how = fuzz_u8(&h->in);

	o->num_queues = how & 1 ? 4 : 0;
	o->size_max = how & 2 ? 0x12345 : 0;
	o->seg_max = how & 4 ? 126 : 0;
	o->blk_size = how & 8 ? 4096 : 0;
	o->cylinders = how & 0x10 ? 0x1234 : 0;
	o->heads = 17;
	o->sectors = 63;
	o->physical_block_exp = how & 0x20 ? 3 : 0;
	o->alignment_offset = how & 0x20 ? 1 : 0;
	o->min_io_size = how & 0x40 ? 8 : 0;
	o->opt_io_size = how & 0x80 ? 0xabcdef : 0;
	o->discard_sector_alignment = 8;
	o->secure_erase_sector_alignment = 16;
}

/* Changes an option, or removes one or all operations. The result may be invalid. */
static void pick_wrong(struct blk_harness *h, struct virtio_blk_options *o)
{
	const uint8_t how = fuzz_u8(&h->in);

	if (how >= BLK_W_FLUSH) {
		o->flush = true;
		return;
	}
	if (how >= BLK_W_NO_OPS) {
		o->backend.ops = NULL;
		o->flush = how & 1;
		return;
	}
	switch (how % 10) {
	case 0:
		h->ops.readv = NULL;
		break;
	case 1:
		h->ops.writev = NULL;
		break;
	case 2:
		h->ops.discard = NULL;
		break;
	case 3:
		h->ops.write_zeroes = NULL;
		break;
	case 4:
		h->ops.secure_erase = NULL;
		break;
	case 5:
		o->blk_size = fuzz_u32(&h->in);
		break;
	case 6:
		o->physical_block_exp = fuzz_u8(&h->in);
		break;
	case 7:
		o->capacity = fuzz_number(&h->in);
		break;
	case 8:
		o->max_discard_sectors ^= o->max_discard_sectors;
		break;
	default:
		o->max_secure_erase_seg ^= o->max_secure_erase_seg;
	}
}

static void pick_options(struct blk_harness *h, struct virtio_blk_options *o, uint16_t what)
{
	static const char id[VIRTIO_BLK_ID_BYTES + 1] = "a disk with a name!!";

	h->ops = blk_backend_ops;
	if (what & BLK_O_NO_FLUSH)
		h->ops.flush = NULL;
	if (!(what & BLK_O_LIFETIME))
		h->ops.lifetime = NULL;
	o->backend.ops = &h->ops;
	o->backend.context = h;
	memcpy(o->id, id, sizeof o->id);
	o->capacity = BLK_DISK_SECTORS;
	o->read_only = what & BLK_O_READ_ONLY;
	o->config_wce = what & BLK_O_WCE;
	pick_limits(h, o, what);
	h->by_memory = what & BLK_O_MEMORY;
	if (what & BLK_O_LIMIT)
		o->max_request_bytes = fuzz_number(&h->in) * 64;
	if (what & BLK_O_FIELDS)
		pick_fields(h, o);
	if (what & BLK_O_CAPACITY)
		o->capacity = fuzz_number(&h->in);
	if (what & BLK_O_WRONG)
		pick_wrong(h, o);
	h->segment_capacity = what & BLK_O_SMALL ? fuzz_u8(&h->in) % (MODEL_PIECES + 1) : MODEL_PIECES;
	h->range_capacity = what & BLK_O_SMALL ? fuzz_u8(&h->in) % (BLK_MOST_RANGES + 1) : BLK_MOST_RANGES;
}

/* Initialises the disk. Returns whether the options are valid. */
static bool init_disk(struct blk_harness *h, const struct virtio_blk_options *options)
{
	const char *missing, *op = virtio_blk_missing_op(options);
	const int bad = blk_model_bad_options(options, &missing);
	struct virtio_blk before;
	int got;

	memset(&h->blk, 0x5a, sizeof h->blk);
	memcpy(&before, &h->blk, sizeof before);
	got = virtio_blk_init(&h->blk, options);
	FUZZ_CHECK(got == bad, "init of the disk returned %d, not %d", got, bad);
	FUZZ_CHECK(!op == !missing && (!op || strcmp(op, missing) == 0), "virtio_blk_missing_op() is wrong: %s",
		   op ? op : "none");
	if (bad)
		FUZZ_CHECK(memcmp(&before, &h->blk, sizeof before) == 0, "a failed init changed the disk");
	else
		blk_model_init(&h->disk, options);
	return !bad;
}

static void make_disk(struct blk_harness *h)
{
	struct virtio_blk_options options = { 0 }, plain;
	const uint16_t what = fuzz_u16(&h->in);
	uint64_t features = 0xffffff;
	int got;

	pick_options(h, &options, what);
	features = what & BLK_O_SUBSET ? fuzz_u16(&h->in) | (uint64_t)fuzz_u8(&h->in) << 16 : features;
	options.backend.max_iovecs = what & BLK_O_VECTOR ? fuzz_u8(&h->in) : 64;
	for (uint32_t i = 0; i < BLK_DISK_BYTES; i++)
		h->bytes[i] = (uint8_t)(i * 7 + i / 512);
	memcpy(h->disk.disk, h->bytes, BLK_DISK_BYTES);
	h->memory = (struct virtio_blk_memory){ h->bytes, BLK_DISK_BYTES };
	got = virtio_blk_memory_backend(&h->memory, &h->memory_backend);
	FUZZ_CHECK(got == 0, "virtio_blk_memory_backend() returned %d", got);
	if (!init_disk(h, &options)) {
		/*
		 * Replaces invalid options with plain options, so that the rest of the input is
		 * useful.
		 */
		h->ops = blk_backend_ops;
		memset(&plain, 0, sizeof plain);
		plain.backend = options.backend;
		plain.backend.ops = &h->ops;
		plain.backend.max_iovecs = 64;
		plain.capacity = BLK_DISK_SECTORS;
		FUZZ_CHECK(init_disk(h, &plain), "plain options are refused");
	}
	blk_compare(h);
	features &= h->disk.offered;
	got = virtio_blk_negotiate(&h->blk, features);
	FUZZ_CHECK(got == 0 && blk_model_negotiate(&h->disk, features),
		   "virtio_blk_negotiate() returned %d, or the model refuses the features", got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blk_harness *h = fuzz_alloc(sizeof *h);

	h->in.at = data;
	h->in.left = size;
	h->shadow = shadow_new();
	make_memory(h);
	make_queue(h);
	make_disk(h);
	for (uint32_t i = 0; i < MOST_STEPS && h->in.left; i++) {
		const uint8_t op = fuzz_u8(&h->in);

		if (op & 0x80)
			blk_device_step(h, op & 0x7f);
		else
			blk_driver_step(h, op);
		shadow_compare(h->shadow);
		model_compare(&h->model, &h->queue);
		blk_compare(h);
	}
	blk_drop_requests(h);
	shadow_free(h->shadow);
	free(h);
	return 0;
}
