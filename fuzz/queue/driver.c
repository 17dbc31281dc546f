/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The driver's half of the queue harness. It writes valid and invalid chains and rings, and takes
 * the steps of a well-behaved driver.
 */
#include "driver.h"
#include "steps.h"

struct shadow_map *harness_map(struct harness *h)
{
	return h->model.started ? h->model.map : h->maps[0];
}

void harness_reset_driver(struct harness *h)
{
	const uint8_t zeroes[DESC_BYTES * MODEL_MAX_SIZE] = { 0 };
	const uint32_t size = h->config.size;

	for (int i = 0; i < 3; i++)
		shadow_poke(harness_map(h), h->config.addr[i], zeroes,
			    sizeof zeroes / DESC_BYTES *
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
	return h->config.addr[VIRTIO_QUEUE_DESC] + (index % MODEL_MAX_SIZE) * (uint64_t)DESC_BYTES;
}

static uint64_t avail_at(const struct harness *h, uint64_t offset)
{
	return h->config.addr[VIRTIO_QUEUE_AVAIL] + offset;
}

/* Reads a field of the ring. Returns 0 if the field cannot be read. */
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
 * Makes a whole chain, direct or in a table, and makes the chain available. The input has two bytes
 * for each descriptor, and selects faults.
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
			put_desc(h, at + DESC_BYTES * (uint64_t)i, h->base + where * 8u, what >> 1, flags,
				 (uint16_t)(i + 1));
		else
			put_desc(h, desc_at(h, (first + i) % size), h->base + where * 8u, what >> 1, flags,
				 (uint16_t)next);
	}
	if (table && (twist & 0x80))
		/* The chain begins with a direct buffer. The indirect descriptor follows. */
		put_desc(h, desc_at(h, first % size), h->base + HARNESS_DATA, twist & 15, 1,
			 (uint16_t)((first + 1) % size));
	if (table)
		put_desc(h, desc_at(h, (first + (twist >> 7)) % size), at, DESC_BYTES * count + (twist & 0x40 ? 8 : 0),
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
		/*
		 * used_event has an effect only near the used index. So the value is at most 40
		 * before or 39 after the used index.
		 */
		shadow_poke16(harness_map(h), event, (uint16_t)(h->model.next_used + how % 80 - 40));
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

void harness_driver_step(struct harness *h, uint8_t op)
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
