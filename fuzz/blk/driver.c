/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The driver's half of the block harness. It makes requests of any kind in any layout, and writes
 * to memory and to the configuration space.
 */
#include "driver.h"
#include "steps.h"

#define MOST_BUFFERS 32u

void blk_reset_driver(struct blk_harness *h)
{
	h->mock_works =
		virtio_mock_init(&h->mock, &h->driver->map, h->base, h->config.size, h->slots, MODEL_MAX_SIZE) == 0;
	h->mock.event_idx = h->config.event_idx;
	h->mock.indirect = h->config.indirect;
	h->mock.in_order = h->config.in_order;
	shadow_accept(h->shadow);
}

static uint64_t pick_address(struct blk_harness *h)
{
	const uint8_t kind = fuzz_u8(&h->in);

	if (kind < 0xf0)
		return h->base + kind * (uint64_t)32 + (kind & 0x80 ? kind & 7 : 0);
	return kind & 1 ? fuzz_number(&h->in) : h->base + fuzz_u16(&h->in) - 0x10;
}

void blk_poke(struct blk_harness *h)
{
	const uint64_t addr = pick_address(h) + fuzz_u8(&h->in);
	const uint8_t count = fuzz_u8(&h->in);
	uint8_t bytes[8];

	for (uint32_t i = 0; i < sizeof bytes && i <= count % sizeof bytes; i++)
		bytes[i] = fuzz_u8(&h->in);
	shadow_poke(h->map, addr, bytes, count % sizeof bytes + 1);
}

static void driver_desc(struct blk_harness *h)
{
	const uint64_t at = h->base + DESC_BYTES * (uint64_t)(fuzz_u8(&h->in) % h->config.size);
	const uint64_t addr = pick_address(h);
	const uint32_t len = (uint32_t)fuzz_number(&h->in);
	const uint8_t flags = fuzz_u8(&h->in), next = fuzz_u8(&h->in);
	uint8_t raw[16];

	for (int i = 0; i < 8; i++)
		raw[i] = (uint8_t)(addr >> 8 * i);
	for (int i = 0; i < 4; i++)
		raw[8 + i] = (uint8_t)(len >> 8 * i);
	raw[12] = flags & 7;
	raw[13] = 0;
	raw[14] = next;
	raw[15] = 0;
	shadow_poke(h->map, at, raw, sizeof raw);
}

static void driver_offer(struct blk_harness *h)
{
	const uint64_t avail = h->config.addr[VIRTIO_QUEUE_AVAIL];
	const uint16_t head = fuzz_u8(&h->in);
	uint16_t idx;

	if (shadow_errors(h->map, avail + 2, 2, VIRTIO_ACCESS_READ))
		return;
	idx = shadow_get16(h->map, avail + 2);
	shadow_poke16(h->map, avail + 4 + 2 * (uint64_t)(idx % h->config.size), head);
	shadow_poke16(h->map, avail + 2, (uint16_t)(idx + 1));
}

void blk_config_write(struct blk_harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);
	const uint64_t offset = how & 1 ? 32 : fuzz_number(&h->in);
	const size_t len = how & 2 ? fuzz_u8(&h->in) : 1;
	uint8_t *data = fuzz_alloc(len);
	bool taken;

	memset(data, how >> 4, len);
	taken = blk_model_config_write(&h->disk, offset, data, len);
	FUZZ_CHECK(virtio_blk_config_write(&h->blk, offset, data, len) == taken,
		   "virtio_blk_config_write() returned a wrong value");
	free(data);
}

static void driver_map_page(struct blk_harness *h)
{
	const uint8_t first = fuzz_u8(&h->in);

	for (uint32_t i = 0; i < h->map->pages_used; i++) {
		struct shadow_page *page = &h->map->pages[(first + i) % h->map->pages_used];

		if (page->error != VIRTIO_ENOTMAPPED)
			continue;
		page->error = 0;
		return;
	}
}

/* Requests */

/* The bytes of a request in one direction, cut into pieces. */
struct stream {
	uint64_t addr;
	uint32_t bytes;
	uint32_t gap;                /* bytes between two pieces */
	uint32_t ends[MOST_BUFFERS]; /* offset of each piece's end */
	uint32_t count;
};

/* Returns the address of byte number i. */
static uint64_t place(const struct stream *s, uint32_t i)
{
	uint32_t piece = 0;

	while (piece + 1 < s->count && i >= s->ends[piece])
		piece++;
	return s->addr + i + s->gap * (uint64_t)piece;
}

/* Chooses where the pieces end. @natural is the offset at which most drivers end a buffer. */
static void cut(struct blk_harness *h, struct stream *s, uint32_t natural, uint8_t how, uint32_t most)
{
	const uint32_t piece = how < 0x80 && how > s->bytes / most ? how : s->bytes / most + 1;
	uint32_t at = 0;

	if (how == 0 && natural > 0 && natural < s->bytes && most > 1)
		s->ends[s->count++] = natural;
	for (uint32_t i = how & 7; how >= 0x80 && i > 0 && s->count + 1 < most; i--) {
		const uint32_t end = fuzz_u16(&h->in);

		if (end > at && end < s->bytes)
			s->ends[s->count++] = at = end;
	}
	for (at = piece; how > 0 && how < 0x80 && at < s->bytes && s->count + 1 < most; at += piece)
		s->ends[s->count++] = at;
	if (s->bytes > 0)
		s->ends[s->count++] = s->bytes;
}

static uint32_t add_buffers(const struct stream *s, struct virtio_mock_buffer *buffers, uint16_t flags)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		buffers[i] = (struct virtio_mock_buffer){ place(s, at), s->ends[i] - at, flags };
		at = s->ends[i];
	}
	return s->count;
}

static void poke_stream(struct blk_harness *h, const struct stream *s, uint32_t at, const uint8_t *bytes, uint32_t len)
{
	for (uint32_t i = 0; i < len && at + i < s->bytes; i++)
		shadow_poke(h->map, place(s, at + i), bytes + i, 1);
}

static void put_number(uint8_t *at, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t pick_sector(struct blk_harness *h, bool from_end)
{
	const uint64_t sector = fuzz_number(&h->in);

	return from_end ? h->disk.options.capacity - sector : sector;
}

struct asked {
	uint32_t type;
	uint8_t flags;
	uint32_t header;
	uint64_t sector;
	uint32_t data;
	uint32_t other; /* bytes of data in the opposite direction */
	uint32_t ranges;
	uint8_t range[BLK_MOST_RANGES + 1][16];
};

static bool is_read(uint32_t type)
{
	return type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID || type == VIRTIO_BLK_T_GET_LIFETIME;
}

static uint32_t pick_amount(struct blk_harness *h, struct asked *a, uint32_t unit)
{
	const uint8_t amount = fuzz_u8(&h->in);

	if (amount < 16) {
		a->ranges = amount;
		return amount * unit;
	}
	return amount == 255 ? fuzz_u16(&h->in) % 0x4000u : amount - 16u;
}

static void pick_request(struct blk_harness *h, struct asked *a)
{
	const uint8_t type = fuzz_u8(&h->in);
	bool on_ranges;

	a->type = type == 0xff ? fuzz_u32(&h->in) : type;
	a->flags = fuzz_u8(&h->in);
	on_ranges = a->type == VIRTIO_BLK_T_DISCARD || a->type == VIRTIO_BLK_T_WRITE_ZEROES ||
		    a->type == VIRTIO_BLK_T_SECURE_ERASE;
	a->header = a->flags & BLK_R_SHORT ? fuzz_u8(&h->in) % 17 : 16;
	a->sector = pick_sector(h, a->flags & BLK_R_FROM_END);
	a->data = a->flags & BLK_R_NO_DATA ? 0 : pick_amount(h, a, on_ranges ? 16 : 512);
	a->ranges = on_ranges ? a->ranges : 0;
	for (uint32_t i = 0; i < a->ranges; i++) {
		const uint8_t flags = fuzz_u8(&h->in);

		put_number(a->range[i], pick_sector(h, flags & 0x80), 8);
		put_number(a->range[i] + 8, fuzz_number(&h->in), 4);
		put_number(a->range[i] + 12, (flags & 3) | (flags & 0x40 ? 0x80000000u : 0), 4);
	}
	a->other = a->flags & BLK_R_BOTH ? fuzz_u8(&h->in) : 0;
}

static void add(struct blk_harness *h, const struct asked *a, const struct virtio_mock_buffer *buffers, uint32_t count)
{
	struct vring_used_elem element;

	while (h->mock_works && virtio_mock_pop_used(&h->mock, &element) == 1)
		;
	if (h->mock_works && count > 0) {
		if (a->flags & BLK_R_INDIRECT)
			(void)virtio_mock_add_indirect(&h->mock, h->base + BLK_BYTES - 0x200, buffers, count);
		else
			(void)virtio_mock_add(&h->mock, buffers, count);
	}
	shadow_accept(h->shadow);
}

static void driver_request(struct blk_harness *h)
{
	const uint32_t most = h->config.size < MOST_BUFFERS / 2 ? h->config.size : MOST_BUFFERS / 2;
	struct virtio_mock_buffer buffers[MOST_BUFFERS];
	struct stream out = { 0 }, in = { 0 };
	struct asked a = { 0 };
	uint8_t header[16] = { 0 };
	uint32_t count;

	pick_request(h, &a);
	out.bytes = a.header + (is_read(a.type) ? a.other : a.data);
	in.bytes = (is_read(a.type) ? a.data : a.other) + !(a.flags & BLK_R_NO_STATUS);
	out.addr = h->base + BLK_DATA + fuzz_u8(&h->in) * 32u;
	in.addr = h->base + BLK_DATA + fuzz_u8(&h->in) * 32u;
	out.gap = in.gap = a.flags & BLK_R_GAPS ? 3 : 0;
	cut(h, &out, a.header, fuzz_u8(&h->in), most);
	cut(h, &in, in.bytes - 1, fuzz_u8(&h->in), most);
	put_number(header, a.type, 4);
	put_number(header + 8, a.sector, 8);
	for (uint32_t i = 0; i < a.ranges; i++)
		poke_stream(h, &out, a.header + 16 * i, a.range[i], 16);
	poke_stream(h, &out, 0, header, a.header);
	count = add_buffers(&out, buffers, 0);
	count += add_buffers(&in, buffers + count, VRING_DESC_F_WRITE);
	add(h, &a, buffers, count);
}

void blk_driver_step(struct blk_harness *h, uint8_t op)
{
	static void (*const steps[BLK_DRIVER_STEPS])(struct blk_harness *) = {
		[BLK_REQUEST] = driver_request,
		[BLK_POKE] = blk_poke,
		[BLK_DESC] = driver_desc,
		[BLK_OFFER] = driver_offer,
		[BLK_CONFIG_WRITE] = blk_config_write,
		[BLK_MAP_PAGE] = driver_map_page,
	};

	steps[op % BLK_DRIVER_STEPS](h);
}
