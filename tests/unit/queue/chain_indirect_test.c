/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests indirect descriptors: bad tables, the two options that accept otherwise refused tables, and
 * tables at any address (virtio 1.4, 2.7.5.3).
 */
#include "../common/fixture.h"

#define SIZE 8u
#define INDIRECT VRING_DESC_F_INDIRECT
#define NEXT VRING_DESC_F_NEXT
#define WRITE VRING_DESC_F_WRITE

static const struct virtio_mock_buffer out_in[] = { READABLE(FIXTURE_DATA, 16), WRITABLE(FIXTURE_DATA + 64, 32) };

static void setup(struct fixture *f, void **state)
{
	fixture_init(f, fixture_kind(state), SIZE);
	f->config.indirect = true;
	fixture_start(f);
}

/*
 * Makes a device map of two regions: the fixture's memory, cut at `offset`, with a hole of `gap`
 * bytes. The driver's map stays whole.
 */
static void cut_map_at(struct fixture *f, struct virtio_region regions[2], uint32_t offset, uint32_t gap)
{
	regions[0] = (struct virtio_region){ .addr = FIXTURE_BASE, .len = offset, .host = f->ram };
	regions[1] = (struct virtio_region){ .addr = FIXTURE_BASE + offset + gap,
					     .len = FIXTURE_BYTES - offset - gap,
					     .host = f->ram + offset + gap };
	assert_int_equal(virtio_memory_map_init(&f->device_map, regions, 2), 0);
}

/* Pops a chain. The walk must yield `good` descriptors, and then fail. Completes the chain. */
static void expect_bad_chain(struct fixture *f, uint32_t good, int error)
{
	struct virtio_desc desc = { 1, 2, true };
	struct virtio_queue_stats stats;
	struct vring_used_elem used;
	struct virtio_chain chain = { 0 };

	assert_int_equal(virtio_queue_pop(&f->queue, &chain), 1);
	for (uint32_t i = 0; i < good; i++)
		assert_int_equal(virtio_chain_next(&chain, &desc), 1);
	desc = (struct virtio_desc){ 1, 2, true };
	assert_int_equal(virtio_chain_next(&chain, &desc), error);
	assert_int_equal(virtio_chain_next(&chain, &desc), error);
	assert_true(desc.addr == 1 && desc.len == 2 && desc.writable);
	virtio_queue_get_stats(&f->queue, &stats);
	assert_int_equal(stats.chain_faults, 1);
	assert_int_equal(stats.first_error, error);
	assert_int_equal(stats.first_head, virtio_token_head(chain.token));
	assert_int_equal(virtio_queue_complete(&f->queue, chain.token, 0), 0);
	assert_int_equal(virtio_mock_pop_used(&f->mock, &used), 1);
	assert_int_equal(used.len, 0);

	/* The queue still works. */
	fixture_offer_chain(f, 0, out_in, 2);
	assert_int_equal(virtio_queue_pop(&f->queue, &chain), 1);
	assert_int_equal(virtio_chain_next(&chain, &desc), 1);
	assert_int_equal(virtio_chain_next(&chain, &desc), 1);
	assert_int_equal(virtio_chain_next(&chain, &desc), 0);
}

static void expect_buffers(struct fixture *f, const struct virtio_mock_buffer *buffers, uint32_t count)
{
	struct virtio_chain chain = { 0 };
	struct virtio_desc desc = { 0 };

	assert_int_equal(virtio_queue_pop(&f->queue, &chain), 1);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(virtio_chain_next(&chain, &desc), 1);
		assert_int_equal(desc.addr, buffers[i].addr);
		assert_int_equal(desc.len, buffers[i].len);
		assert_int_equal(desc.writable, (buffers[i].flags & WRITE) != 0);
	}
	assert_int_equal(virtio_chain_next(&chain, &desc), 0);
	assert_int_equal(virtio_chain_next(&chain, &desc), 0);
	assert_int_equal(virtio_queue_complete(&f->queue, chain.token, 0), 0);
}

static void make_buffers(struct virtio_mock_buffer *buffers, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		buffers[i] = (struct virtio_mock_buffer){ FIXTURE_DATA + i, 1 + i, i < count / 2 ? 0 : WRITE };
}

/* Bad tables */

/* Hostile 18: an indirect table contains another table, as its first entry or as a later entry. */
static void chain_indirect_refuses_nested_table(void **state)
{
	const struct virtio_mock_buffer first[] = { { FIXTURE_TABLE, 16, INDIRECT } };
	const struct virtio_mock_buffer second[] = { READABLE(FIXTURE_DATA, 1), { FIXTURE_TABLE, 16, INDIRECT } };
	struct fixture f;

	setup(&f, state);
	fixture_offer_table(&f, 1, INDIRECT, first, 1);
	expect_bad_chain(&f, 0, VIRTIO_EINDIRECT);

	setup(&f, state);
	fixture_offer_table(&f, 1, INDIRECT, second, 2);
	expect_bad_chain(&f, 1, VIRTIO_EINDIRECT);
}

/*
 * Hostile 21, 22 and 24, regression R11: the length of a table is 0, no multiple of 16, or more
 * than 65,535 entries. Hostile 23: a table has more entries than the queue. The first 16 bytes at
 * the table's address always hold a good chain of one entry.
 */
static void chain_indirect_refuses_bad_length(void **state)
{
	static const uint32_t lengths[] = {
		0,
		1,
		8,
		15,
		17,
		31,
		24,
		DESC_BYTES * SIZE - 8,
		DESC_BYTES * SIZE - 1,
		DESC_BYTES * SIZE + 1,
		DESC_BYTES * (SIZE + 1),
		DESC_BYTES * 65535,
		DESC_BYTES * 65536,
		DESC_BYTES * 65537,
		DESC_BYTES * (65536 + SIZE),
		0xfffffff0,
		0xffffffff,
	};

	for (uint32_t i = 0; i < COUNT(lengths); i++) {
		const struct virtio_mock_buffer head = { FIXTURE_TABLE, lengths[i], INDIRECT };
		struct vring_used_elem used;
		struct fixture f;

		setup(&f, state);
		/*
		 * The test first walks a good table, so the table's region is cached. In flat
		 * memory the inline code then needs no look-up for the bad table.
		 */
		fixture_offer_table(&f, 1, INDIRECT, out_in, 1);
		expect_buffers(&f, out_in, 1);
		assert_int_equal(virtio_mock_pop_used(&f.mock, &used), 1);
		assert_int_equal(virtio_mock_write_table(&f.mock, FIXTURE_TABLE, out_in, 1), 0);
		fixture_offer_chain(&f, 6, &head, 1);
		expect_bad_chain(&f, 0, VIRTIO_EINDIRECT);
	}
}

/*
 * Hostile 23: a table of good entries is longer than the queue, up to twice as long. The queue has
 * walked a good table before.
 */
static void chain_indirect_refuses_good_table_longer_than_queue(void **state)
{
	struct virtio_mock_buffer buffers[2 * SIZE];

	make_buffers(buffers, COUNT(buffers));
	for (uint32_t count = SIZE + 1; count <= 2 * SIZE; count++) {
		struct fixture f;

		setup(&f, state);
		fixture_offer_table(&f, 1, INDIRECT, buffers, SIZE);
		expect_buffers(&f, buffers, SIZE);
		fixture_offer_table(&f, 1, INDIRECT, buffers, count);
		expect_bad_chain(&f, 0, VIRTIO_EINDIRECT);
	}
}

/* Sets up a queue that allows long tables. */
static void setup_long(struct fixture *f, enum fixture_memory kind)
{
	fixture_init(f, kind, SIZE);
	f->config.indirect = true;
	f->config.allow_long_indirect = true;
	fixture_start(f);
}

/*
 * Hostile 24: a table of 65,536 or more entries is refused even if long tables are allowed. The
 * length is checked before the memory of the table.
 */
static void chain_indirect_refuses_65536_entries_when_long_allowed(void **state)
{
	static const uint32_t lengths[] = { 16 * 65536, 16 * 65537, 0xfffffff0 };

	for (uint32_t i = 0; i < COUNT(lengths); i++) {
		const struct virtio_mock_buffer head = { FIXTURE_TABLE, lengths[i], INDIRECT };
		struct fixture f;

		setup_long(&f, fixture_kind(state));
		fixture_offer_chain(&f, 6, &head, 1);
		expect_bad_chain(&f, 0, VIRTIO_EINDIRECT);
	}
}

/*
 * Hostile 27: a table is refused if INDIRECT_DESC was not negotiated. The table is accepted if the
 * option for old drivers is set.
 */
static void chain_indirect_needs_negotiation(void **state)
{
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_offer_table(&f, 1, INDIRECT, out_in, 2);
	expect_bad_chain(&f, 0, VIRTIO_EINDIRECT);

	fixture_init(&f, fixture_kind(state), SIZE);
	f.config.allow_unnegotiated_indirect = true;
	fixture_start(&f);
	fixture_offer_table(&f, 1, INDIRECT, out_in, 2);
	expect_buffers(&f, out_in, 2);
}

/*
 * Hostile 29: `next` is at or past the end of the table. Some values are still below the queue
 * size.
 */
static void chain_indirect_refuses_next_outside_table(void **state)
{
	static const uint16_t nexts[] = { 2, SIZE - 1, SIZE, 0x8000, 0xffff };

	for (uint32_t i = 0; i < COUNT(nexts); i++) {
		const struct virtio_mock_buffer head = { FIXTURE_TABLE, 32, INDIRECT };
		const struct vring_desc first = { FIXTURE_DATA, 1, NEXT, nexts[i] };
		struct fixture f;

		setup(&f, state);
		assert_int_equal(virtio_mock_set_desc_at(&f.mock, FIXTURE_TABLE, 0, &first), 0);
		fixture_offer_chain(&f, 1, &head, 1);
		expect_bad_chain(&f, 0, VIRTIO_ENEXT);
	}
}

/* The walk of a loop inside a table fails, like the walk of a loop outside a table. */
static void chain_indirect_ends_loop_in_table(void **state)
{
	const struct virtio_mock_buffer head = { FIXTURE_TABLE, 32, INDIRECT };
	const struct vring_desc there = { FIXTURE_DATA, 0, NEXT, 1 }, back = { FIXTURE_DATA, 0, NEXT, 0 };
	struct fixture f;

	setup(&f, state);
	assert_int_equal(virtio_mock_set_desc_at(&f.mock, FIXTURE_TABLE, 0, &there), 0);
	assert_int_equal(virtio_mock_set_desc_at(&f.mock, FIXTURE_TABLE, 1, &back), 0);
	fixture_offer_chain(&f, 1, &head, 1);
	expect_bad_chain(&f, SIZE, VIRTIO_ETOOLONG);
}

/* Hostile 26 and 31: a table that isn't wholly in memory is not entered at all. */
static void chain_indirect_refuses_table_outside_memory(void **state)
{
	static const uint64_t addrs[] = {
		0,          FIXTURE_BASE - 16, FIXTURE_END - 16, FIXTURE_END - 31,  FIXTURE_END,
		UINT64_MAX, UINT64_MAX - 15,   UINT64_MAX - 31,  UINT64_C(1) << 63,
	};

	for (uint32_t i = 0; i < COUNT(addrs); i++) {
		const struct virtio_mock_buffer head = { addrs[i], 32, INDIRECT };
		struct fixture f;

		setup(&f, state);
		fixture_offer_chain(&f, 1, &head, 1);
		expect_bad_chain(&f, 0, VIRTIO_EFAULT);
	}
}

/*
 * Serves a good table. The queue then has the tables' region cached, and later look-ups begin
 * there.
 */
static void serve_good_table(struct fixture *f)
{
	const uint64_t table = f->table;
	struct vring_used_elem used;

	f->table = FIXTURE_TABLE - 0x40;
	fixture_offer_table(f, 6, INDIRECT, out_in, 2);
	expect_buffers(f, out_in, 2);
	assert_int_equal(virtio_mock_pop_used(&f->mock, &used), 1);
	f->table = table;
	memset(f->seen, 0, sizeof f->seen);
}

/* Hostile 26 and 31: a table over the end of memory is refused, even if its region is cached. */
static void chain_indirect_refuses_table_over_end_of_known_memory(void **state)
{
	for (uint32_t inside = 0; inside < 32; inside++) {
		const struct virtio_mock_buffer head = { FIXTURE_END - inside, 32, INDIRECT };
		struct fixture f;

		setup(&f, state);
		serve_good_table(&f);
		fixture_offer_chain(&f, 1, &head, 1);
		expect_bad_chain(&f, 0, VIRTIO_EFAULT);
	}
}

/* Hostile 26: a table lies over a hole. */
static void chain_indirect_refuses_table_over_hole(void **state)
{
	struct virtio_region regions[2];
	struct fixture f;

	(void)state;
	fixture_init(&f, FIXTURE_FLAT, SIZE);
	cut_map_at(&f, regions, FIXTURE_TABLE + 24 - FIXTURE_BASE, 1);
	f.config.indirect = true;
	fixture_start(&f);
	fixture_offer_table(&f, 1, INDIRECT, out_in, 2);
	expect_bad_chain(&f, 0, VIRTIO_EFAULT);
}

/*
 * A table that is not mapped yet is not counted as a chain fault. Any other error of the
 * translation is counted as a chain fault. After an unpop, the chain can be popped and walked
 * again.
 */
static void chain_indirect_reports_translation(void **state)
{
	static const int errors[] = { VIRTIO_ENOTMAPPED, VIRTIO_EPERM, VIRTIO_EFAULT };
	const struct virtio_mock_buffer head = { FIXTURE_TABLE, 32, INDIRECT };

	for (uint32_t i = 0; i < COUNT(errors); i++) {
		struct virtio_queue_stats stats;
		struct virtio_chain chain = { 0 };
		struct virtio_desc desc = { 0 };
		struct fixture f;

		setup(&f, state);
		fixture_offer_table(&f, 1, INDIRECT, out_in, 2);
		f.bad_start = FIXTURE_TABLE + 16;
		f.bad_end = FIXTURE_TABLE + 32;
		f.bad_error = errors[i];
		assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
		assert_int_equal(virtio_chain_next(&chain, &desc), errors[i]);
		virtio_queue_get_stats(&f.queue, &stats);
		assert_int_equal(stats.not_mapped, i == 0 ? 1 : 0);
		assert_int_equal(stats.chain_faults, i == 0 ? 0 : 1);
		assert_int_equal(virtio_queue_unpop(&f.queue, chain.token), 0);
		/*
		 * The chain is popped and read again, so the test restores what this memory has
		 * rewritten.
		 */
		f.bad_error = 0;
		assert_int_equal(virtio_mock_write_chain(&f.mock, 1, &head, 1), 0);
		assert_int_equal(virtio_mock_write_table(&f.mock, FIXTURE_TABLE, out_in, 2), 0);
		memset(f.seen, 0, sizeof f.seen);
		expect_buffers(&f, out_in, 2);
	}
}

/* Good tables */

/* Hostile 19 and 20, regression R10: NEXT and WRITE of an indirect descriptor are ignored. */
static void chain_indirect_ignores_next_and_write(void **state)
{
	static const uint16_t flags[] = { INDIRECT | NEXT, INDIRECT | WRITE, INDIRECT | NEXT | WRITE };

	for (uint32_t i = 0; i < COUNT(flags); i++) {
		const struct vring_desc head = { FIXTURE_TABLE, 32, flags[i], 0xffff };
		struct fixture f;

		setup(&f, state);
		assert_int_equal(virtio_mock_write_table(&f.mock, FIXTURE_TABLE, out_in, 2), 0);
		assert_int_equal(virtio_mock_set_desc(&f.mock, 3, &head), 0);
		fixture_offer_head(&f, 3);
		expect_buffers(&f, out_in, 2);
	}
}

/* By default the longest table has as many entries as the queue. The walk yields all of them. */
static void chain_indirect_accepts_table_of_queue_size(void **state)
{
	struct virtio_mock_buffer buffers[SIZE];
	struct fixture f;

	make_buffers(buffers, SIZE);
	setup(&f, state);
	fixture_offer_table(&f, SIZE - 1, INDIRECT, buffers, SIZE);
	expect_buffers(&f, buffers, SIZE);
}

/* Hostile 23: a table longer than the queue is walked if long tables are allowed. */
static void chain_indirect_accepts_long_table_when_allowed(void **state)
{
	struct virtio_mock_buffer buffers[40];
	struct fixture f;

	make_buffers(buffers, 40);
	setup_long(&f, fixture_kind(state));
	fixture_offer_table(&f, 0, INDIRECT, buffers, 40);
	expect_buffers(&f, buffers, 40);
}

/*
 * Hostile 24: the longest allowed table, of 65,535 entries, is walked to its end. A larger table is
 * refused.
 */
static void chain_indirect_accepts_65535_entries_when_long_allowed(void **state)
{
	static uint8_t ram[16 * 65536 + 16];
	static struct virtio_mock_buffer buffers[65536];
	const struct virtio_mock_buffer too_long = { 0x100000, 16 * 65536, INDIRECT };
	struct fixture f;

	(void)state;
	for (uint32_t i = 0; i < 65536; i++)
		buffers[i] = (struct virtio_mock_buffer){ FIXTURE_DATA + i, i % 7, i < 40000 ? 0 : WRITE };
	/*
	 * The table's host address is aligned if `odd` is 0. Aligned and unaligned entries are read
	 * by different loads.
	 */
	for (uint32_t odd = 0; odd <= 1; odd++) {
		struct virtio_region regions[2];

		fixture_init(&f, FIXTURE_FLAT, SIZE);
		regions[0] = f.regions[0];
		regions[1] = (struct virtio_region){ .addr = 0x100000, .len = 16 * 65536, .host = ram + odd };
		assert_int_equal(virtio_memory_map_init(&f.device_map, regions, 2), 0);
		f.driver_map = f.device_map;
		f.table = 0x100000;
		f.config.indirect = f.config.allow_long_indirect = true;
		fixture_start(&f);
		virtio_memory_cursor_init(&f.mock.memory, &f.driver_map);
		fixture_offer_table(&f, 0, INDIRECT, buffers, 65535);
		expect_buffers(&f, buffers, 65535);
		assert_int_equal(virtio_mock_write_table(&f.mock, f.table, buffers, 65536), 0);
		fixture_offer_chain(&f, 0, &too_long, 1);
		expect_bad_chain(&f, 0, VIRTIO_EINDIRECT);
	}
}

/* If long tables are allowed, the table's own length bounds the walk. */
static void chain_indirect_ends_loop_in_long_table(void **state)
{
	struct virtio_mock_buffer buffers[40];
	struct vring_desc last = { FIXTURE_DATA, 1, NEXT | WRITE, 39 };
	struct fixture f;

	make_buffers(buffers, 40);
	setup_long(&f, fixture_kind(state));
	fixture_offer_table(&f, 0, INDIRECT, buffers, 40);
	assert_int_equal(virtio_mock_set_desc_at(&f.mock, FIXTURE_TABLE, 39, &last), 0);
	expect_bad_chain(&f, 40, VIRTIO_ETOOLONG);
}

/* Hostile 25, regression R20: a table may start at any address. */
static void chain_indirect_accepts_table_at_any_address(void **state)
{
	for (uint32_t odd = 0; odd < 16; odd++) {
		struct virtio_mock_buffer buffers[SIZE];
		struct virtio_chain chain = { 0 };
		struct virtio_desc desc;
		struct fixture f;

		make_buffers(buffers, SIZE);
		setup(&f, state);
		f.table = FIXTURE_TABLE + odd;
		fixture_offer_table(&f, 2, INDIRECT, buffers, SIZE);
		expect_buffers(&f, buffers, SIZE);
		/*
		 * The queue has now cached the tables' region. The slow path still walks a table
		 * that is not aligned to 8 bytes on the host, or that has no single host address.
		 */
		memset(f.seen, 0, sizeof f.seen);
		fixture_offer_table(&f, 2, INDIRECT, buffers, SIZE);
		assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
		assert_int_equal(virtio_chain_next(&chain, &desc), 1);
		assert_int_equal(chain.walk.left < 0, odd % 8 != 0 || f.kind != FIXTURE_FLAT);
	}
}

/* Hostile 26: a table lies over two adjacent regions, cut at every byte. */
static void chain_indirect_accepts_table_over_two_regions(void **state)
{
	(void)state;
	for (uint32_t cut = 1; cut < 32; cut++) {
		struct virtio_region regions[2];
		struct fixture f;

		fixture_init(&f, FIXTURE_FLAT, SIZE);
		cut_map_at(&f, regions, FIXTURE_TABLE + cut - FIXTURE_BASE, 0);
		f.config.indirect = true;
		fixture_start(&f);
		fixture_offer_table(&f, 1, INDIRECT, out_in, 2);
		expect_buffers(&f, out_in, 2);
	}
}

/* The last 16 bytes of memory hold a table. */
static void chain_indirect_accepts_table_at_end_of_memory(void **state)
{
	const struct virtio_mock_buffer one = READABLE(FIXTURE_DATA, 5);
	struct fixture f;

	setup(&f, state);
	f.table = FIXTURE_END - 16;
	fixture_offer_table(&f, 1, INDIRECT, &one, 1);
	expect_buffers(&f, &one, 1);
}

/*
 * Hostile 28, regression R4: direct descriptors lead to a table. The whole chain has as many
 * buffers as the queue has descriptors.
 */
static void chain_indirect_follows_direct_entries(void **state)
{
	for (uint32_t direct = 1; direct < SIZE; direct++) {
		struct virtio_mock_buffer buffers[SIZE], head[SIZE];
		struct fixture f;

		make_buffers(buffers, SIZE);
		memcpy(head, buffers, sizeof head);
		head[direct] = (struct virtio_mock_buffer){ FIXTURE_TABLE, DESC_BYTES * (SIZE - direct), INDIRECT };
		setup(&f, state);
		assert_int_equal(virtio_mock_write_table(&f.mock, FIXTURE_TABLE, buffers + direct, SIZE - direct), 0);
		fixture_offer_chain(&f, 0, head, direct + 1);
		expect_buffers(&f, buffers, SIZE);
	}
}

/* Hostile 28: the count of descriptors does not start again at a table. */
static void chain_indirect_does_not_renew_count(void **state)
{
	const struct virtio_mock_buffer head[] = { READABLE(FIXTURE_DATA, 1),
						   { FIXTURE_TABLE, DESC_BYTES * SIZE, INDIRECT } };
	struct virtio_mock_buffer buffers[SIZE];
	struct fixture f;

	make_buffers(buffers, SIZE);
	setup(&f, state);
	assert_int_equal(virtio_mock_write_table(&f.mock, FIXTURE_TABLE, buffers, SIZE), 0);
	fixture_offer_chain(&f, 0, head, 2);
	expect_bad_chain(&f, SIZE, VIRTIO_ETOOLONG);
}

/*
 * The order of directions and the sum of bytes are checked over the whole chain: the descriptors
 * outside and inside the table.
 */
static void chain_indirect_keeps_order_and_bytes(void **state)
{
	const struct virtio_mock_buffer order[] = { WRITABLE(FIXTURE_DATA, 1), { FIXTURE_TABLE, 16, INDIRECT } };
	const struct virtio_mock_buffer bytes[] = { READABLE(0, UINT32_MAX), { FIXTURE_TABLE, 16, INDIRECT } };
	const struct virtio_mock_buffer two = READABLE(FIXTURE_DATA, 2);
	struct fixture f;

	setup(&f, state);
	assert_int_equal(virtio_mock_write_table(&f.mock, FIXTURE_TABLE, &two, 1), 0);
	fixture_offer_chain(&f, 0, order, 2);
	expect_bad_chain(&f, 1, VIRTIO_EORDER);

	setup(&f, state);
	assert_int_equal(virtio_mock_write_table(&f.mock, FIXTURE_TABLE, &two, 1), 0);
	fixture_offer_chain(&f, 0, bytes, 2);
	expect_bad_chain(&f, 1, VIRTIO_EBYTES);
}

/*
 * The bytes of the table do not count as bytes of the chain. The chain's buffers may still have
 * 2^32 bytes.
 */
static void chain_indirect_does_not_count_table_bytes(void **state)
{
	const struct virtio_mock_buffer buffers[] = { READABLE(0, 0x80000000), WRITABLE(0, 0x80000000) };
	struct fixture f;

	setup(&f, state);
	fixture_offer_table(&f, 1, INDIRECT, buffers, 2);
	expect_buffers(&f, buffers, 2);
}

/*
 * Hostile 30: the driver rewrites each entry, and the descriptor of the table, after the walk has
 * read them.
 */
static void chain_indirect_reads_each_entry_once(void **state)
{
	const struct vring_desc poison = { UINT64_MAX, UINT32_MAX, 0xffff, 0xffff };
	struct virtio_mock_buffer buffers[SIZE];
	struct virtio_chain chain = { 0 };
	struct virtio_desc desc = { 0 };
	struct fixture f;

	make_buffers(buffers, SIZE);
	setup(&f, state);
	fixture_offer_table(&f, 5, INDIRECT, buffers, SIZE);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
	for (uint32_t i = 0; i < SIZE; i++) {
		assert_int_equal(virtio_chain_next(&chain, &desc), 1);
		assert_int_equal(virtio_mock_set_desc(&f.mock, 5, &poison), 0);
		assert_int_equal(virtio_mock_set_desc_at(&f.mock, FIXTURE_TABLE, i, &poison), 0);
		assert_int_equal(desc.addr, buffers[i].addr);
		assert_int_equal(desc.len, buffers[i].len);
	}
	assert_int_equal(virtio_chain_next(&chain, &desc), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON_ALL(chain_indirect_refuses_nested_table),
		FIXTURE_ON_ALL(chain_indirect_refuses_bad_length),
		FIXTURE_ON_ALL(chain_indirect_refuses_good_table_longer_than_queue),
		FIXTURE_ON_ALL(chain_indirect_refuses_65536_entries_when_long_allowed),
		FIXTURE_ON_ALL(chain_indirect_needs_negotiation),
		FIXTURE_ON_ALL(chain_indirect_refuses_next_outside_table),
		FIXTURE_ON(chain_indirect_ends_loop_in_table, FLAT),
		FIXTURE_ON(chain_indirect_ends_loop_in_table, ONE_BYTE),
		FIXTURE_ON_ALL(chain_indirect_refuses_table_outside_memory),
		FIXTURE_ON_ALL(chain_indirect_refuses_table_over_end_of_known_memory),
		FIXTURE_ON(chain_indirect_refuses_table_over_hole, FLAT),
		FIXTURE_ON(chain_indirect_reports_translation, CHANGING),
		FIXTURE_ON_ALL(chain_indirect_ignores_next_and_write),
		FIXTURE_ON_ALL(chain_indirect_accepts_table_of_queue_size),
		FIXTURE_ON_ALL(chain_indirect_accepts_long_table_when_allowed),
		cmocka_unit_test(chain_indirect_accepts_65535_entries_when_long_allowed),
		FIXTURE_ON(chain_indirect_ends_loop_in_long_table, FLAT),
		FIXTURE_ON(chain_indirect_ends_loop_in_long_table, ONE_BYTE),
		FIXTURE_ON_ALL(chain_indirect_accepts_table_at_any_address),
		FIXTURE_ON(chain_indirect_accepts_table_over_two_regions, FLAT),
		FIXTURE_ON_ALL(chain_indirect_accepts_table_at_end_of_memory),
		FIXTURE_ON_ALL(chain_indirect_follows_direct_entries),
		FIXTURE_ON_ALL(chain_indirect_does_not_renew_count),
		FIXTURE_ON_ALL(chain_indirect_keeps_order_and_bytes),
		FIXTURE_ON_ALL(chain_indirect_does_not_count_table_bytes),
		FIXTURE_ON_ALL(chain_indirect_reads_each_entry_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
