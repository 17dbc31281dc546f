/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The guest of the console harness: its memory, its chains, and the bytes of each chain. */
#include "model.h"

/*
 * Region 0 has the rings, regions 1 to 4 have data. In the device's map region 3 is read-only, and
 * region 4 has a dirty log.
 */
static const struct {
	uint64_t addr;
	uint32_t len;
} layout[GUEST_REGIONS] = {
	{ GUEST_RINGS, GUEST_RINGS_BYTES }, { GUEST_DATA, 0x800 },         { GUEST_DATA + 0x800, 0x100 },
	{ GUEST_DATA + 0x900, 0x100 },      { GUEST_DATA + 0xa00, 0x400 },
};

#define READ_ONLY 3u
#define LOGGED 4u

void guest_before(struct guest *g)
{
	memcpy(g->shadow[0], g->real[0], layout[0].len);
}

static int translate(void *context, uint64_t addr, uint64_t len, uint32_t access, struct virtio_translation *out)
{
	const struct guest *g = context;

	(void)len;
	(void)access;
	if (addr < GUEST_DATA) {
		if (addr < GUEST_RINGS || addr >= GUEST_RINGS + GUEST_RINGS_BYTES)
			return VIRTIO_EFAULT;
		*out = (struct virtio_translation){ addr, GUEST_RINGS + GUEST_RINGS_BYTES - addr, 3 };
		return 0;
	}
	if (addr >= GUEST_DATA + GUEST_DATA_BYTES)
		return VIRTIO_EFAULT;
	if (!g->mapped[(addr - GUEST_DATA) / GUEST_PAGE])
		return VIRTIO_ENOTMAPPED;
	*out = (struct virtio_translation){ addr, GUEST_PAGE - addr % GUEST_PAGE, 3 };
	return 0;
}

static void open_memory(struct guest *g)
{
	g->log = fuzz_alloc((0x400 >> LOG_PAGE_SHIFT) / 8);
	g->log_shadow = fuzz_alloc((0x400 >> LOG_PAGE_SHIFT) / 8);
	g->dirty = (struct virtio_dirty_log){ .bitmap = g->log,
					      .size = (0x400 >> LOG_PAGE_SHIFT) / 8,
					      .base = layout[LOGGED].addr,
					      .page_shift = LOG_PAGE_SHIFT,
					      .unit = 1 };
	for (uint32_t i = 0; i < GUEST_REGIONS; i++) {
		g->real[i] = fuzz_alloc(layout[i].len);
		g->shadow[i] = fuzz_alloc(layout[i].len);
		for (uint32_t at = 0; at < layout[i].len; at++)
			g->real[i][at] = g->shadow[i][at] = (uint8_t)(at * 7 + i * 31);
		g->driver_regions[i] =
			(struct virtio_region){ .addr = layout[i].addr, .len = layout[i].len, .host = g->real[i] };
		g->regions[i] = g->driver_regions[i];
	}
	g->regions[READ_ONLY].flags = VIRTIO_REGION_READ_ONLY;
	g->regions[LOGGED].dirty = &g->dirty;
	FUZZ_CHECK(virtio_memory_map_init(&g->map, g->regions, GUEST_REGIONS) == 0, "the device's map is refused");
	FUZZ_CHECK(virtio_memory_map_init(&g->driver_map, g->driver_regions, GUEST_REGIONS) == 0,
		   "the driver's map is refused");
}

static void start(struct guest *g, uint32_t queue)
{
	struct guest_queue *q = &g->queues[queue];
	struct virtio_queue_config config;

	virtio_mock_fill_config(&q->mock, &config);
	config.indirect = true;
	FUZZ_CHECK(virtio_queue_start(&q->queue, &config, &g->map) == 0, "a queue does not start");
}

void guest_open(struct guest *g, struct fuzz_input *in)
{
	const uint8_t how = fuzz_u8(in);

	memset(g, 0, sizeof *g);
	open_memory(g);
	g->translated = how & 1;
	for (uint32_t i = 0; i < GUEST_DATA_BYTES / GUEST_PAGE; i++)
		g->mapped[i] = !g->translated || (how & 2) || i % 5 != 1;
	if (g->translated)
		virtio_memory_map_set_translation(&g->map, translate, g);
	for (uint32_t i = 0; i < QUEUES; i++) {
		struct guest_queue *q = &g->queues[i];

		FUZZ_CHECK(virtio_mock_init(&q->mock, &g->driver_map, GUEST_RINGS + i * 0x200, QUEUE_SIZE, q->slots,
					    QUEUE_SIZE) == 0,
			   "a driver cannot be set up");
		FUZZ_CHECK(virtio_queue_init(&q->queue, q->inflight, QUEUE_SIZE) == 0, "virtio_queue_init() failed");
		start(g, i);
	}
	guest_before(g);
}

void guest_close(struct guest *g)
{
	for (uint32_t i = 0; i < GUEST_REGIONS; i++) {
		free(g->real[i]);
		free(g->shadow[i]);
	}
	free(g->log);
	free(g->log_shadow);
}

/* Returns the number of the region of an address, or GUEST_REGIONS if there is none. */
static uint32_t region_of(uint64_t addr)
{
	uint32_t i = 0;

	while (i < GUEST_REGIONS && (addr < layout[i].addr || addr - layout[i].addr >= layout[i].len))
		i++;
	return i;
}

/* Shadow and real memory */

/* Copies the used rings to the shadow, because guest_expect_used() checks these rings. */
static void accept_used_rings(struct guest *g)
{
	for (uint32_t i = 0; i < QUEUES; i++) {
		const struct virtio_mock *mock = &g->queues[i].mock;
		const uint64_t at = mock->addr[VIRTIO_QUEUE_USED] - GUEST_RINGS;

		memcpy(g->shadow[0] + at, g->real[0] + at, (size_t)virtio_mock_area_bytes(mock, VIRTIO_QUEUE_USED));
	}
}

void guest_compare(struct guest *g)
{
	accept_used_rings(g);
	for (uint32_t i = 0; i < GUEST_REGIONS; i++)
		for (uint32_t at = 0; memcmp(g->real[i], g->shadow[i], layout[i].len) != 0; at++)
			FUZZ_CHECK(g->real[i][at] == g->shadow[i][at], "byte %#llx is %#x, the model says %#x",
				   (unsigned long long)layout[i].addr + at, g->real[i][at], g->shadow[i][at]);
	FUZZ_CHECK(memcmp(g->log, g->log_shadow, g->dirty.size) == 0, "the dirty log is not as the model says");
}

uint8_t guest_get(const struct guest *g, uint64_t addr)
{
	const uint32_t i = region_of(addr);

	FUZZ_CHECK(i < GUEST_REGIONS, "the model reads outside of memory");
	return g->shadow[i][addr - layout[i].addr];
}

void guest_device_put(struct guest *g, uint64_t addr, uint8_t byte)
{
	const uint32_t i = region_of(addr);

	FUZZ_CHECK(i < GUEST_REGIONS && i != READ_ONLY, "the model writes where it must not");
	g->shadow[i][addr - layout[i].addr] = byte;
	if (i == LOGGED) {
		const uint64_t page = (addr - layout[i].addr) >> LOG_PAGE_SHIFT;

		g->log_shadow[page / 8] |= (uint8_t)(1u << page % 8);
	}
}

void guest_driver_put(struct guest *g, uint64_t addr, uint8_t byte)
{
	const uint32_t i = region_of(addr);

	if (i == GUEST_REGIONS)
		return;
	g->real[i][addr - layout[i].addr] = g->shadow[i][addr - layout[i].addr] = byte;
}

/* Chains */

/* Returns whether a readable buffer follows a writable buffer, or the chain has too many bytes. */
static bool in_disorder(const struct chain_spec *spec)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < spec->count; i++)
		bytes += spec->descs[i].len;
	if (bytes > (uint64_t)VIRTIO_CHAIN_MAX_BYTES)
		return true;
	for (uint32_t i = 1; i < spec->count; i++)
		if ((spec->descs[i - 1].flags & VRING_DESC_F_WRITE) && !(spec->descs[i].flags & VRING_DESC_F_WRITE))
			return true;
	return false;
}

static void write_desc(struct guest_queue *q, uint64_t table, uint32_t index, const struct virtio_mock_buffer *b,
		       uint16_t flags, uint16_t next)
{
	const struct vring_desc desc = { b->addr, b->len, (uint16_t)(b->flags | flags), next };
	const int error = table ? virtio_mock_set_desc_at(&q->mock, table, index, &desc)
				: virtio_mock_set_desc(&q->mock, index, &desc);

	FUZZ_CHECK(error == 0, "a descriptor cannot be written");
}

/*
 * Writes the descriptors of a chain. With damage 1 the last descriptor points to a next descriptor
 * outside of the table. With damage 2 the last descriptor points to the first descriptor.
 */
static void write_chain(struct guest_queue *q, uint64_t table, uint32_t first, struct chain_spec *spec, uint8_t damage)
{
	const uint32_t base = table ? 0 : first;

	for (uint32_t i = 0; i < spec->count; i++)
		write_desc(q, table, base + i, &spec->descs[i], i + 1 < spec->count ? VRING_DESC_F_NEXT : 0,
			   (uint16_t)(base + i + 1));
	if (damage != 1 && damage != 2)
		return;
	spec->malformed = true;
	write_desc(q, table, base + spec->count - 1, &spec->descs[spec->count - 1], VRING_DESC_F_NEXT,
		   damage == 1 ? 0x7fff : (uint16_t)base);
}

void guest_add(struct guest *g, uint32_t queue, const struct chain_spec *given, bool in_table, uint8_t damage)
{
	struct guest_queue *q = &g->queues[queue];
	struct chain_spec *spec;
	uint64_t table;
	uint32_t slot = 0;

	while (slot < SLOTS && q->busy[slot])
		slot++;
	if (slot == SLOTS)
		return;
	spec = &q->specs[slot];
	*spec = *given;
	spec->malformed = in_disorder(spec);
	table = GUEST_TABLES + (queue * SLOTS + slot) * (uint32_t)sizeof(struct vring_desc) * MOST_DESCS;
	in_table = in_table || spec->count > 2;
	write_chain(q, in_table ? table : 0, slot * 2, spec, damage);
	if (in_table) {
		/* Damage 3 adds a byte to the length of the table. */
		const struct virtio_mock_buffer to_table = {
			table, (uint32_t)sizeof(struct vring_desc) * spec->count + (damage == 3), 0
		};

		spec->malformed = spec->malformed || damage == 3;
		write_desc(q, 0, slot * 2, &to_table, VRING_DESC_F_INDIRECT, 0);
	}
	FUZZ_CHECK(virtio_mock_offer(&q->mock, (uint16_t)(slot * 2)) == 0 && virtio_mock_publish(&q->mock) == 0,
		   "a chain cannot be offered");
	q->busy[slot] = true;
	q->order[q->waiting++] = slot;
	guest_before(g);
}

void guest_restart(struct guest *g, uint32_t queue)
{
	struct guest_queue *q = &g->queues[queue];

	virtio_queue_reset(&q->queue);
	FUZZ_CHECK(virtio_mock_reset(&q->mock) == 0, "the driver cannot start again");
	memset(q->busy, 0, sizeof q->busy);
	q->waiting = 0;
	q->doubt = false;
	start(g, queue);
	guest_before(g);
}

static void weigh_buffer(const struct guest *g, const struct virtio_mock_buffer *b, bool write, uint32_t *segments,
			 uint32_t capacity, struct chain_worth *out, bool counts)
{
	bool new_piece = true;
	uint32_t last = GUEST_REGIONS;

	/*
	 * A buffer that wraps around does not set not_mapped, even if its first page is not mapped
	 * yet. A buffer that runs past the end of memory without a wrap may set bad and not_mapped.
	 */
	if (b->addr + (b->len - 1) < b->addr) {
		out->bad = true;
		return;
	}
	for (uint32_t i = 0; i < b->len; i++) {
		const uint64_t addr = b->addr + i;
		const uint32_t region = region_of(addr);

		if (region == GUEST_REGIONS || (write && region == READ_ONLY)) {
			out->bad = true;
			/*
			 * Before a page is mapped, the library cannot know that the page is
			 * read-only.
			 */
			if (region == READ_ONLY && !g->mapped[(addr - GUEST_DATA) / GUEST_PAGE])
				out->not_mapped = true;
			return;
		}
		if (!g->mapped[(addr - GUEST_DATA) / GUEST_PAGE])
			out->not_mapped = true;
		new_piece = new_piece || region != last || (g->translated && addr % GUEST_PAGE == 0);
		if (new_piece)
			(*segments)++;
		new_piece = false;
		last = region;
		if (!counts)
			continue;
		out->all++;
		if (*segments <= capacity)
			out->bytes++;
	}
}

void guest_weigh(const struct guest *g, const struct chain_spec *spec, bool to_driver, bool both, uint32_t capacity,
		 struct chain_worth *out)
{
	uint32_t segments = 0;

	*out = (struct chain_worth){ .bad = spec->malformed };
	for (uint32_t i = 0; i < spec->count; i++) {
		const struct virtio_mock_buffer *b = &spec->descs[i];
		const bool writable = (b->flags & VRING_DESC_F_WRITE) != 0;

		if (b->len == 0)
			continue;
		if (writable != to_driver)
			out->wrong_way = true;
		if (writable == to_driver || both)
			weigh_buffer(g, b, writable, &segments, capacity, out, writable == to_driver);
	}
}

uint64_t guest_byte_addr(const struct chain_spec *spec, bool to_driver, uint32_t at)
{
	for (uint32_t i = 0; i < spec->count; i++) {
		const struct virtio_mock_buffer *b = &spec->descs[i];

		if (((b->flags & VRING_DESC_F_WRITE) != 0) != to_driver)
			continue;
		if (at < b->len)
			return b->addr + at;
		at -= b->len;
	}
	FUZZ_CHECK(false, "the model reads past the end of a chain");
	return 0;
}

/* Used elements */

void guest_expect_used(struct guest *g, uint32_t queue, uint32_t len)
{
	struct guest_queue *q = &g->queues[queue];
	struct vring_used_elem used = { 0 };
	const int got = virtio_mock_pop_used(&q->mock, &used);

	FUZZ_CHECK(got == 1, "queue %u: a used chain is missing: %d", queue, got);
	FUZZ_CHECK(q->waiting > 0 && used.id == q->order[0] * 2, "queue %u: head %u is used, and is not the oldest",
		   queue, used.id);
	FUZZ_CHECK(used.len == len, "queue %u: used length %u, the model says %u", queue, used.len, len);
	q->busy[q->order[0]] = false;
	q->waiting--;
	memmove(q->order, q->order + 1, q->waiting * sizeof q->order[0]);
}

void guest_expect_no_more(struct guest *g, uint32_t queue)
{
	struct vring_used_elem used;
	const int got = virtio_mock_pop_used(&g->queues[queue].mock, &used);

	FUZZ_CHECK(got == 0, "queue %u: one chain too many is used: %d", queue, got);
}
