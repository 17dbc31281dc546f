/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The small guest of the queue and chain tests. */
#include "fixture.h"

enum fixture_memory fixture_kinds[3] = { FIXTURE_FLAT, FIXTURE_ONE_BYTE, FIXTURE_CHANGING };

/*
 * Returns the offset of a guest byte in ram. The factor scatters the one-byte regions. The factor
 * is odd and FIXTURE_BYTES is a power of two, so no two bytes have the same offset.
 */
static uint32_t ram_offset(const struct fixture *f, uint32_t guest_offset)
{
	return f->kind == FIXTURE_ONE_BYTE ? guest_offset * 1237u % FIXTURE_BYTES : guest_offset;
}

/* The translation */

/*
 * Returns the number of look-ups after which the fixture assumes that the walk has read 16 bytes of
 * a table. For an indirect table the first look-up is for the whole table, before the walk reads an
 * entry. The start of the queue looks up the whole descriptor table, but seen[] does not count that
 * look-up.
 */
static uint32_t lookups_of_a_read(const struct fixture *f, uint64_t start)
{
	return start >= f->table ? 2 : 1;
}

/*
 * Rewrites the descriptors that earlier look-ups have read, except the descriptors of this look-up.
 */
static void rewrite_what_was_read(struct fixture *f, uint32_t granule)
{
	for (uint32_t i = 0; i < FIXTURE_GRANULES; i++) {
		const uint64_t phase = i < (f->table - FIXTURE_BASE) / 16 ? 0 : f->table % 16;
		const uint64_t addr = FIXTURE_BASE + 16 * (uint64_t)i + phase;

		if (i != granule && f->seen[i] >= lookups_of_a_read(f, addr) && addr + 16 <= FIXTURE_END)
			memset(f->ram + (addr - FIXTURE_BASE), 0xff, 16);
	}
}

static bool in_a_table(const struct fixture *f, uint64_t addr)
{
	const uint64_t desc = f->mock.addr[VIRTIO_QUEUE_DESC];

	return (addr >= desc && addr < desc + (uint64_t)DESC_BYTES * f->mock.size) ||
	       (addr >= f->table && addr < FIXTURE_END);
}

static int translate(void *context, uint64_t addr, uint64_t len, uint32_t access, struct virtio_translation *out)
{
	struct fixture *f = context;
	const uint64_t phase = addr >= f->table ? f->table % 16 : 0;
	const uint64_t start = ((addr - phase) & ~(uint64_t)15) + phase;
	const uint32_t granule = (uint32_t)((start - phase - FIXTURE_BASE) / 16);

	(void)len;
	f->lookups++;
	if (addr < FIXTURE_BASE || addr >= FIXTURE_END)
		return VIRTIO_EFAULT;
	if (f->bad_error && addr >= f->bad_start && addr < f->bad_end)
		return f->bad_error;
	out->addr = addr;
	out->len = start + 16 - addr;
	out->access = VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE;
	if (!f->rewriting || !in_a_table(f, addr) || (access & VIRTIO_ACCESS_WRITE))
		return 0;
	f->seen[granule]++;
	rewrite_what_was_read(f, granule);
	return 0;
}

/* Life cycle */

static void make_regions(struct fixture *f)
{
	const uint32_t count = f->kind == FIXTURE_ONE_BYTE ? FIXTURE_BYTES : 1;

	for (uint32_t i = 0; i < count; i++)
		f->regions[i] = (struct virtio_region){
			.addr = FIXTURE_BASE + i,
			.len = FIXTURE_BYTES / count,
			.host = f->ram + ram_offset(f, i),
		};
	assert_int_equal(virtio_memory_map_init(&f->device_map, f->regions, count), 0);
	f->driver_map = f->device_map;
	if (f->kind == FIXTURE_CHANGING)
		virtio_memory_map_set_translation(&f->device_map, translate, f);
}

void fixture_init(struct fixture *f, enum fixture_memory kind, uint32_t size)
{
	memset(f, 0, sizeof *f);
	f->kind = kind;
	f->table = FIXTURE_TABLE;
	/* Fills the memory, so no byte that a test reads is zero by chance. */
	memset(f->ram, 0xa5, sizeof f->ram);
	make_regions(f);
	assert_true(size <= FIXTURE_MAX_SIZE);
	assert_int_equal(virtio_mock_init(&f->mock, &f->driver_map, FIXTURE_BASE, size, f->slots, FIXTURE_MAX_SIZE), 0);
	assert_true(virtio_mock_end(&f->mock) <= FIXTURE_DATA);
	virtio_mock_fill_config(&f->mock, &f->config);
}

void fixture_start(struct fixture *f)
{
	f->mock.event_idx = f->config.event_idx;
	f->mock.indirect = f->config.indirect;
	f->mock.in_order = f->config.in_order;
	assert_int_equal(virtio_queue_init(&f->queue, f->inflight, FIXTURE_MAX_SIZE), 0);
	assert_int_equal(virtio_queue_start(&f->queue, &f->config, &f->device_map), 0);
	f->rewriting = true;
}

void fixture_setup(struct fixture *f, enum fixture_memory kind, uint32_t size)
{
	fixture_init(f, kind, size);
	fixture_start(f);
}

enum fixture_memory fixture_kind(void **state)
{
	return *(enum fixture_memory *)*state;
}

/* The driver */

uint16_t fixture_add(struct fixture *f, const struct virtio_mock_buffer *buffers, uint32_t count)
{
	int head = virtio_mock_add(&f->mock, buffers, count);

	memset(f->seen, 0, sizeof f->seen);
	assert_in_range(head, 0, f->mock.size - 1u);
	return (uint16_t)head;
}

void fixture_offer_head(struct fixture *f, uint16_t head)
{
	memset(f->seen, 0, sizeof f->seen);
	assert_int_equal(virtio_mock_offer(&f->mock, head), 0);
	assert_int_equal(virtio_mock_publish(&f->mock), 0);
}

void fixture_offer_chain(struct fixture *f, uint32_t first, const struct virtio_mock_buffer *buffers, uint32_t count)
{
	assert_int_equal(virtio_mock_write_chain(&f->mock, first, buffers, count), 0);
	fixture_offer_head(f, (uint16_t)first);
}

void fixture_offer_table(struct fixture *f, uint32_t first, uint16_t flags, const struct virtio_mock_buffer *buffers,
			 uint32_t count)
{
	const struct virtio_mock_buffer one = { f->table, DESC_BYTES * count, flags };

	assert_int_equal(virtio_mock_write_table(&f->mock, f->table, buffers, count), 0);
	fixture_offer_chain(f, first, &one, 1);
}

void fixture_pop_some(struct fixture *f, struct virtio_token *tokens, uint32_t count)
{
	const struct virtio_mock_buffer one = WRITABLE(FIXTURE_DATA, 16);
	struct virtio_chain chain = { 0 };

	for (uint32_t i = 0; i < count; i++) {
		(void)fixture_add(f, &one, 1);
		assert_int_equal(virtio_queue_pop(&f->queue, &chain), 1);
		tokens[i] = chain.token;
	}
}

/* The memory */

void fixture_read(struct fixture *f, uint64_t addr, void *out, size_t len)
{
	assert_int_equal(virtio_memory_read(&f->mock.memory, addr, out, len), 0);
}

void fixture_write(struct fixture *f, uint64_t addr, const void *bytes, size_t len)
{
	assert_int_equal(virtio_memory_write(&f->mock.memory, addr, bytes, len), 0);
}

uint16_t fixture_get(struct fixture *f, enum virtio_mock_field field)
{
	uint16_t value;

	assert_int_equal(virtio_mock_get(&f->mock, field, &value), 0);
	return value;
}

void fixture_set(struct fixture *f, enum virtio_mock_field field, uint16_t value)
{
	assert_int_equal(virtio_mock_set(&f->mock, field, value), 0);
}

/* Comparisons with the saved state */

void fixture_save(struct fixture *f)
{
	memcpy(f->saved_ram, f->ram, sizeof f->ram);
	memcpy(&f->saved_queue, &f->queue, sizeof f->queue);
	memcpy(f->saved_inflight, f->inflight, sizeof f->inflight);
}

bool fixture_ram_unchanged(const struct fixture *f)
{
	return memcmp(f->saved_ram, f->ram, sizeof f->ram) == 0;
}

/*
 * Clears the members that may differ in an unchanged queue: look-ups change cursors, and faults
 * change counters.
 */
static void leave_out(struct virtio_queue *queue)
{
	memset(queue->memory, 0, sizeof queue->memory);
	memset(&queue->ring_memory, 0, sizeof queue->ring_memory);
	memset(&queue->stats, 0, sizeof queue->stats);
}

bool fixture_unchanged(const struct fixture *f)
{
	struct virtio_queue now, then;

	memcpy(&now, &f->queue, sizeof now);
	memcpy(&then, &f->saved_queue, sizeof then);
	leave_out(&now);
	leave_out(&then);
	return fixture_ram_unchanged(f) && memcmp(&now, &then, sizeof now) == 0 &&
	       memcmp(f->inflight, f->saved_inflight, sizeof f->inflight) == 0;
}
