/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests the start and the reset of a queue, the change of its map, its two indices, and the dirty
 * log of the device's writes.
 */
#include "../common/fixture.h"

#define SIZE 8u

static const struct virtio_mock_buffer one[] = { WRITABLE(FIXTURE_DATA, 16) };

/* Life cycle */

static void queue_init_refuses_missing_storage(void **state)
{
	struct virtio_inflight inflight[1];
	struct virtio_queue queue, before;

	(void)state;
	memset(&queue, 0x5a, sizeof queue);
	memcpy(&before, &queue, sizeof queue);
	assert_int_equal(virtio_queue_init(&queue, NULL, 1), VIRTIO_EINVAL);
	assert_int_equal(virtio_queue_init(&queue, NULL, 0), VIRTIO_EINVAL);
	assert_int_equal(virtio_queue_init(&queue, inflight, 0), VIRTIO_EINVAL);
	assert_memory_equal(&queue, &before, sizeof queue);
}

/*
 * A start fails if the configuration is not ready, the queue is started, or the storage is too
 * small. queue_config_test.c tests the errors of virtio_queue_config_check().
 */
static void queue_start_refuses_what_it_cannot_run(void **state)
{
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	assert_int_equal(virtio_queue_init(&f.queue, f.inflight, SIZE - 1), 0);
	fixture_save(&f);
	assert_int_equal(virtio_queue_start(&f.queue, &f.config, &f.device_map), VIRTIO_EINVAL);
	f.config.ready = false;
	assert_int_equal(virtio_queue_start(&f.queue, &f.config, &f.device_map), VIRTIO_ENOTREADY);
	assert_true(fixture_unchanged(&f));
	f.config.ready = true;
	fixture_start(&f);
	fixture_save(&f);
	assert_int_equal(virtio_queue_start(&f.queue, &f.config, &f.device_map), VIRTIO_EBUSY);
	assert_true(fixture_unchanged(&f));
}

/*
 * The used flags must start at 0. Otherwise a driver under EVENT_IDX would see NO_NOTIFY for ever
 * (virtio 1.4, 2.7.10.2).
 */
static void queue_start_clears_used_flags(void **state)
{
	for (int event_idx = 0; event_idx <= 1; event_idx++) {
		struct fixture f;

		fixture_init(&f, fixture_kind(state), SIZE);
		f.config.event_idx = event_idx != 0;
		fixture_set(&f, VIRTIO_MOCK_USED_FLAGS, VRING_USED_F_NO_NOTIFY);
		fixture_start(&f);
		assert_int_equal(fixture_get(&f, VIRTIO_MOCK_USED_FLAGS), 0);
	}
}

/* Hostile 62: buffers made available before the start are found after the start, without a kick. */
static void queue_start_picks_up_earlier_buffers(void **state)
{
	struct virtio_chain chain = { 0 };
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	(void)fixture_add(&f, one, 1);
	(void)fixture_add(&f, one, 1);
	fixture_start(&f);
	assert_int_equal(virtio_queue_available(&f.queue), 2);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
}

/* Regression R3: a reset keeps the counters, and sets the indices to 0. */
static void queue_reset_returns_everything_to_default(void **state)
{
	struct virtio_token tokens[3];
	struct virtio_queue_stats stats;
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	f.config.event_idx = true;
	fixture_start(&f);
	fixture_pop_some(&f, tokens, 3);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[0], 0), 0);
	fixture_save(&f);
	virtio_queue_reset(&f.queue);
	/* Hostile 59: the reset does not touch the rings. */
	assert_true(fixture_ram_unchanged(&f));
	assert_int_equal(virtio_queue_next_avail(&f.queue), 0);
	assert_int_equal(virtio_queue_next_used(&f.queue), 0);
	assert_true(virtio_queue_quiesced(&f.queue));
	virtio_queue_get_stats(&f.queue, &stats);
	assert_int_equal(stats.completions, 1);
	/*
	 * The counter counts all three pops, whether or not their requests were completed. Only an
	 * unpop would reduce the counter.
	 */
	assert_int_equal(stats.chains, 3);

	/*
	 * A second start works like a first start. As in hostile 94, the start is repeated many
	 * times.
	 */
	for (int i = 0; i < 100; i++) {
		virtio_queue_reset(&f.queue);
		assert_int_equal(virtio_mock_reset(&f.mock), 0);
		assert_int_equal(virtio_queue_start(&f.queue, &f.config, &f.device_map), 0);
		assert_true(virtio_queue_quiesced(&f.queue));
		fixture_pop_some(&f, tokens, 3);
	}
}

/* Indices */

static void queue_set_index_refuses_while_in_flight(void **state)
{
	for (int in_order = 0; in_order <= 1; in_order++) {
		struct virtio_token tokens[2];
		struct fixture f;

		fixture_init(&f, fixture_kind(state), SIZE);
		f.config.in_order = in_order != 0;
		fixture_start(&f);
		fixture_pop_some(&f, tokens, 2);
		assert_int_equal(virtio_queue_complete(&f.queue, tokens[1], 0), 0);
		fixture_save(&f);
		assert_int_equal(virtio_queue_set_next_avail(&f.queue, 5), VIRTIO_EBUSY);
		assert_int_equal(virtio_queue_set_next_used(&f.queue, 5), VIRTIO_EBUSY);
		assert_true(fixture_unchanged(&f));
		assert_int_equal(virtio_queue_complete(&f.queue, tokens[0], 0), 0);
		assert_int_equal(virtio_queue_set_next_avail(&f.queue, 5), 0);
		assert_int_equal(virtio_queue_set_next_used(&f.queue, 6), 0);
		assert_int_equal(virtio_queue_next_avail(&f.queue), 5);
		assert_int_equal(virtio_queue_next_used(&f.queue), 6);
	}
}

/*
 * virtio_queue_read_avail_idx() does not check the index. Setting an index does not reset the
 * counters.
 */
static void queue_read_index_does_not_check_the_index(void **state)
{
	struct virtio_queue_stats stats;
	struct virtio_token token;
	uint16_t idx = 0;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, &token, 1);
	assert_int_equal(virtio_queue_complete(&f.queue, token, 0), 0);
	fixture_set(&f, VIRTIO_MOCK_AVAIL_IDX, 0xabcd);
	fixture_set(&f, VIRTIO_MOCK_USED_IDX, 0x1234);
	fixture_save(&f);
	assert_int_equal(virtio_queue_read_avail_idx(&f.queue, &idx), 0);
	assert_int_equal(idx, 0xabcd);
	assert_int_equal(virtio_queue_read_used_idx(&f.queue, &idx), 0);
	assert_int_equal(idx, 0x1234);
	assert_true(fixture_unchanged(&f));
	assert_int_equal(virtio_queue_set_next_used(&f.queue, idx), 0);
	virtio_queue_get_stats(&f.queue, &stats);
	assert_int_equal(stats.completions, 1);
	assert_int_equal(stats.ring_faults, 0);
}

/* If a ring cannot be read, the call returns the error and does not break the queue. */
static void queue_read_index_reports_ring_that_is_gone(void **state)
{
	static const int errors[] = { VIRTIO_ENOTMAPPED, VIRTIO_EFAULT, VIRTIO_EPERM };

	for (int used = 0; used <= 1; used++)
		for (uint32_t i = 0; i < COUNT(errors); i++) {
			int (*call)(struct virtio_queue *, uint16_t *) =
				used ? virtio_queue_read_used_idx : virtio_queue_read_avail_idx;
			uint16_t idx = 99;
			struct fixture f;

			fixture_setup(&f, fixture_kind(state), SIZE);
			f.bad_start = f.mock.addr[used ? VIRTIO_QUEUE_USED : VIRTIO_QUEUE_AVAIL] & ~UINT64_C(15);
			f.bad_end = f.bad_start + 16;
			f.bad_error = errors[i];
			/*
			 * Replaces the cached region that the start left, so the next access needs
			 * a look-up.
			 */
			assert_int_equal(virtio_memory_check(&f.queue.ring_memory, FIXTURE_DATA, 1, VIRTIO_ACCESS_READ),
					 0);
			fixture_save(&f);
			assert_int_equal(call(&f.queue, &idx), errors[i]);
			assert_int_equal(idx, 99);
			assert_true(fixture_unchanged(&f));
			f.bad_error = 0;
			assert_int_equal(call(&f.queue, &idx), 0);
			assert_int_equal(idx, 0);
		}
}

/* Change of the map */

/* Each area must be in the new map. Otherwise the queue keeps the old map. */
static void queue_set_memory_refuses_map_without_rings(void **state)
{
	struct virtio_region region;
	struct virtio_token token;
	struct virtio_memory_map map;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, &token, 1);
	region = (struct virtio_region){ .addr = FIXTURE_BASE, .len = 64, .host = f.ram };
	assert_int_equal(virtio_memory_map_init(&map, &region, 1), 0);
	fixture_save(&f);
	assert_int_equal(virtio_queue_set_memory(&f.queue, NULL), VIRTIO_EFAULT);
	assert_int_equal(virtio_queue_set_memory(&f.queue, &map), VIRTIO_EFAULT);
	region.len = FIXTURE_BYTES;
	region.flags = VIRTIO_REGION_READ_ONLY;
	assert_int_equal(virtio_memory_map_init(&map, &region, 1), 0);
	assert_int_equal(virtio_queue_set_memory(&f.queue, &map), VIRTIO_EPERM);
	assert_true(fixture_unchanged(&f));
	assert_ptr_equal(f.queue.memory->map, &f.device_map);
	assert_true(virtio_queue_old_maps_unused(&f.queue));
	assert_int_equal(virtio_queue_complete(&f.queue, token, 0), 0);
	fixture_pop_some(&f, &token, 1);
}

static void queue_set_memory_waits_for_mapping(void **state)
{
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	f.bad_start = f.mock.addr[VIRTIO_QUEUE_USED] & ~UINT64_C(15);
	f.bad_end = f.bad_start + 16;
	f.bad_error = VIRTIO_ENOTMAPPED;
	/*
	 * The change of the map looks the areas up again. In changing memory, these look-ups would
	 * rewrite the descriptor table.
	 */
	f.rewriting = false;
	fixture_save(&f);
	assert_int_equal(virtio_queue_set_memory(&f.queue, &f.device_map), VIRTIO_ENOTMAPPED);
	assert_true(fixture_unchanged(&f));
	f.bad_error = 0;
	assert_int_equal(virtio_queue_set_memory(&f.queue, &f.device_map), 0);
}

/*
 * Requests in flight are completed in the new memory. Until then the queue reports that the old map
 * is in use.
 */
static void queue_set_memory_keeps_requests_in_flight(void **state)
{
	static uint8_t ram[FIXTURE_BYTES];
	struct virtio_region region = { .addr = FIXTURE_BASE, .len = FIXTURE_BYTES, .host = ram };
	struct virtio_token tokens[4];
	struct virtio_memory_map map;
	struct vring_used_elem used;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, tokens, 3);
	/* The guest's memory moves to another host address, with its content. */
	fixture_read(&f, FIXTURE_BASE, ram, sizeof ram);
	assert_int_equal(virtio_memory_map_init(&map, &region, 1), 0);
	assert_int_equal(virtio_queue_set_memory(&f.queue, &map), 0);
	assert_false(virtio_queue_old_maps_unused(&f.queue));
	virtio_memory_cursor_init(&f.mock.memory, &map);
	fixture_save(&f);

	fixture_pop_some(&f, &tokens[3], 1);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[3], 3), 0);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[0], 0), 0);
	assert_int_equal(virtio_queue_unpop(&f.queue, tokens[2]), VIRTIO_ENOTLAST);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[2], 2), 0);
	assert_false(virtio_queue_old_maps_unused(&f.queue));
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[1], 1), 0);
	assert_true(virtio_queue_old_maps_unused(&f.queue));
	assert_int_equal(virtio_mock_pop_used(&f.mock, &used), 1);
	assert_int_equal(used.id, virtio_token_head(tokens[3]));
	for (int i = 0; i < 3; i++)
		assert_int_equal(virtio_mock_pop_used(&f.mock, &used), 1);
	assert_int_equal(virtio_mock_pop_used(&f.mock, &used), 0);
	/* No byte of the old memory has changed. */
	assert_true(fixture_ram_unchanged(&f));
	/*
	 * A request popped after the change does not keep the old map in use. An unpop ends the use
	 * of a map, like a completion.
	 */
	fixture_pop_some(&f, tokens, 1);
	assert_true(virtio_queue_old_maps_unused(&f.queue));
	assert_int_equal(virtio_queue_set_memory(&f.queue, &f.device_map), 0);
	assert_false(virtio_queue_old_maps_unused(&f.queue));
	assert_int_equal(virtio_queue_unpop(&f.queue, tokens[0]), 0);
	assert_true(virtio_queue_old_maps_unused(&f.queue));
	virtio_queue_reset(&f.queue);
	assert_true(virtio_queue_old_maps_unused(&f.queue));
}

/* A copy of guest memory at another host address. */
struct elsewhere {
	uint8_t ram[FIXTURE_BYTES];
	struct virtio_region region;
	struct virtio_memory_map map;
};

/* Makes the new memory, a copy of the driver's memory. */
static void copy_memory(struct fixture *f, struct elsewhere *e)
{
	fixture_read(f, FIXTURE_BASE, e->ram, sizeof e->ram);
	e->region = (struct virtio_region){ .addr = FIXTURE_BASE, .len = sizeof e->ram, .host = e->ram };
	assert_int_equal(virtio_memory_map_init(&e->map, &e->region, 1), 0);
}

/* Moves the queue and the driver to the new memory. */
static void switch_memory(struct fixture *f, struct elsewhere *e)
{
	assert_int_equal(virtio_queue_set_memory(&f->queue, &e->map), 0);
	virtio_memory_cursor_init(&f->mock.memory, &e->map);
}

/*
 * Pops and completes a chain of these two buffers. Through each cursor of the chain, reads the
 * first byte of the first buffer, and writes the first byte of the second buffer.
 */
static void serve_in_place(struct fixture *f, const struct virtio_mock_buffer buffers[2], uint8_t content)
{
	struct virtio_chain chain = { 0 };
	struct virtio_desc desc = { 0 };

	assert_int_equal(virtio_queue_pop(&f->queue, &chain), 1);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(virtio_chain_next(&chain, &desc), 1);
		assert_int_equal(desc.addr, buffers[i].addr);
		assert_int_equal(desc.len, buffers[i].len);
	}
	assert_int_equal(virtio_chain_next(&chain, &desc), 0);
	for (uint32_t i = 0; i < VIRTIO_MEMORY_USES; i++) {
		struct virtio_memory_cursor *memory = &chain.memory[i];
		const uint8_t written = (uint8_t)(content + 1 + i);
		uint8_t byte = 0;

		assert_int_equal(virtio_memory_read(memory, buffers[0].addr, &byte, 1), 0);
		assert_int_equal(byte, content);
		assert_int_equal(virtio_memory_write(memory, buffers[1].addr, &written, 1), 0);
		fixture_read(f, buffers[1].addr, &byte, 1);
		assert_int_equal(byte, written);
	}
	assert_int_equal(virtio_queue_complete(&f->queue, chain.token, 1), 0);
}

/*
 * Buffers and indirect tables are looked up in the new memory, whatever the old memory has at the
 * same addresses. Segments resolved earlier stay in the old memory.
 */
static void queue_set_memory_switches_buffers_and_tables(void **state)
{
	static struct elsewhere e;
	const struct virtio_mock_buffer before[] = { READABLE(FIXTURE_DATA, 4), WRITABLE(FIXTURE_DATA + 8, 4) };
	const struct virtio_mock_buffer after[] = { READABLE(FIXTURE_DATA + 1, 5), WRITABLE(FIXTURE_DATA + 16, 6) };
	struct virtio_segment segments[8];
	struct virtio_chain_segments kept = { .segments = segments, .capacity = 8 };
	struct virtio_chain chain = { 0 };
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	f.config.indirect = true;
	fixture_start(&f);
	/* Each cursor gets a cached region in the old memory. */
	fixture_offer_table(&f, 1, VRING_DESC_F_INDIRECT, before, 2);
	serve_in_place(&f, before, 0xa5);
	fixture_offer_chain(&f, 2, before, 2);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
	assert_int_equal(virtio_chain_resolve(&chain, &kept), 0);
	copy_memory(&f, &e);
	memset(e.ram + (FIXTURE_DATA - FIXTURE_BASE), 0x77, 64);
	switch_memory(&f, &e);
	fixture_save(&f);
	fixture_offer_chain(&f, 3, after, 2);
	serve_in_place(&f, after, 0x77);
	/*
	 * The table is at the address of the earlier table. The old memory still holds that table.
	 */
	fixture_offer_table(&f, 5, VRING_DESC_F_INDIRECT, after, 2);
	serve_in_place(&f, after, 0x77);
	assert_true(fixture_ram_unchanged(&f));
	virtio_memory_cursor_init(&f.mock.memory, &f.driver_map);
	for (uint32_t i = 0; i < kept.needed; i++)
		assert_ptr_equal(segments[i].host,
				 virtio_memory_find(&f.mock.memory, segments[i].addr, 1, VIRTIO_ACCESS_READ));
}

/*
 * Under IN_ORDER a completed request no longer needs its map, even before it enters the used ring.
 */
static void queue_set_memory_under_in_order_waits_for_requests_only(void **state)
{
	static struct elsewhere places[3];
	struct virtio_token tokens[4];
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	f.config.in_order = true;
	fixture_start(&f);
	fixture_pop_some(&f, tokens, 3);
	copy_memory(&f, &places[0]);
	switch_memory(&f, &places[0]);
	fixture_pop_some(&f, &tokens[3], 1);
	for (uint32_t i = 4; i-- > 0;) {
		assert_false(virtio_queue_old_maps_unused(&f.queue));
		assert_int_equal(fixture_get(&f, VIRTIO_MOCK_USED_IDX), 0);
		assert_int_equal(virtio_queue_complete(&f.queue, tokens[i], 0), 0);
	}
	assert_true(virtio_queue_old_maps_unused(&f.queue));
	assert_int_equal(fixture_get(&f, VIRTIO_MOCK_USED_IDX), 4);

	/*
	 * A completion that waits for earlier requests does not keep the old map in use after the
	 * next change.
	 */
	fixture_pop_some(&f, tokens, 2);
	copy_memory(&f, &places[1]);
	switch_memory(&f, &places[1]);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[1], 0), 0);
	copy_memory(&f, &places[2]);
	switch_memory(&f, &places[2]);
	assert_false(virtio_queue_old_maps_unused(&f.queue));
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[0], 0), 0);
	assert_true(virtio_queue_old_maps_unused(&f.queue));
	assert_int_equal(fixture_get(&f, VIRTIO_MOCK_USED_IDX), 6);
	fixture_pop_some(&f, tokens, 1);
	assert_true(virtio_queue_old_maps_unused(&f.queue));
}

/* The dirty log */

#define LOG_WORDS 64u
#define LOG_PAGES (LOG_WORDS * (uint32_t)sizeof(unsigned long) * 8)

/*
 * A log with pages of 2 bytes. On a 64-bit host the log covers twice the bytes of the fixture's
 * memory. On a 32-bit host the log covers exactly this memory.
 */
static struct virtio_dirty_log make_log(unsigned long *bitmap, uint32_t unit)
{
	memset(bitmap, 0, LOG_WORDS * sizeof *bitmap);
	return (struct virtio_dirty_log){
		.bitmap = bitmap,
		.size = LOG_WORDS * sizeof *bitmap,
		.base = FIXTURE_BASE,
		.page_shift = 1,
		.unit = (uint8_t)unit,
	};
}

static bool log_has(const unsigned long *bitmap, uint32_t unit, uint32_t page)
{
	const uint32_t bits = (uint32_t)sizeof *bitmap * 8;

	if (unit == 1)
		return ((const uint8_t *)bitmap)[page / 8] >> page % 8 & 1;
	return bitmap[page / bits] >> page % bits & 1;
}

/* Checks that the log has exactly the pages of these ranges. Then clears the log. */
static void expect_log(unsigned long *bitmap, uint32_t unit, const uint64_t (*ranges)[2], uint32_t count)
{
	for (uint32_t page = 0; page < LOG_PAGES; page++) {
		const uint64_t start = FIXTURE_BASE + 2 * (uint64_t)page;
		bool wanted = false;

		for (uint32_t i = 0; i < count; i++)
			wanted |= ranges[i][0] < start + 2 && start < ranges[i][0] + ranges[i][1];
		assert_int_equal(log_has(bitmap, unit, page), wanted);
	}
	memset(bitmap, 0, LOG_WORDS * sizeof *bitmap);
}

/* Attaches the log to each region of the memory. */
static void add_log(struct fixture *f, const struct virtio_dirty_log *log)
{
	const uint32_t count = f->device_map.count;

	for (uint32_t i = 0; i < count; i++)
		f->regions[i].dirty = log;
	assert_int_equal(virtio_memory_map_init(&f->device_map, f->regions, count), 0);
}

/*
 * Exactly these writes are recorded: used element, used index, used flags, avail_event, and a
 * status byte.
 */
static void queue_marks_what_it_writes(void **state)
{
	static const uint32_t units[] = { 1, sizeof(unsigned long) };

	for (uint32_t u = 0; u < 2; u++)
		for (int event_idx = 0; event_idx <= 1; event_idx++) {
			unsigned long bitmap[LOG_WORDS];
			const struct virtio_dirty_log log = make_log(bitmap, units[u]);
			struct virtio_chain chain = { 0 };
			const uint8_t status = 0;
			struct fixture f;
			uint64_t wish, element[2][2];

			fixture_init(&f, fixture_kind(state), SIZE);
			f.config.event_idx = event_idx != 0;
			add_log(&f, &log);
			fixture_start(&f);
			fixture_offer_chain(&f, 4, one, 1);
			memset(bitmap, 0, sizeof bitmap);

			assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
			expect_log(bitmap, units[u], NULL, 0);
			assert_int_equal(virtio_memory_write(chain.memory, FIXTURE_DATA + 15, &status, 1), 0);
			expect_log(bitmap, units[u], (const uint64_t[][2]){ { FIXTURE_DATA + 15, 1 } }, 1);
			assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 1), 0);
			element[0][0] = virtio_mock_used_entry_addr(&f.mock, 0);
			element[0][1] = 8;
			element[1][0] = virtio_mock_field_addr(&f.mock, VIRTIO_MOCK_USED_IDX);
			element[1][1] = 2;
			expect_log(bitmap, units[u], (const uint64_t(*)[2])element, 2);
			(void)virtio_queue_needs_interrupt(&f.queue);
			expect_log(bitmap, units[u], NULL, 0);

			wish = virtio_mock_field_addr(&f.mock,
						      event_idx ? VIRTIO_MOCK_AVAIL_EVENT : VIRTIO_MOCK_USED_FLAGS);
			assert_int_equal(virtio_queue_enable_kicks(&f.queue), 0);
			expect_log(bitmap, units[u], (const uint64_t[][2]){ { wish, 2 } }, 1);
			assert_int_equal(virtio_queue_disable_kicks(&f.queue), 0);
			expect_log(bitmap, units[u], (const uint64_t[][2]){ { wish, 2 } }, event_idx ? 0 : 1);
		}
}

/*
 * Hostile 48: no mark is set outside the bitmap. Marks are tried up to the last page, beyond the
 * last page, and across the end of the address space.
 */
static void queue_dirty_log_stays_inside_bitmap(void **state)
{
	static const uint32_t units[] = { 1, sizeof(unsigned long) };
	const uint64_t end = FIXTURE_BASE + 2 * (uint64_t)LOG_PAGES;

	(void)state;
	for (uint32_t u = 0; u < 2; u++) {
		unsigned long guarded[LOG_WORDS + 2], *bitmap = guarded + 1;
		const struct virtio_dirty_log log = make_log(bitmap, units[u]);

		guarded[0] = guarded[LOG_WORDS + 1] = 0;
		virtio_dirty_log_mark(&log, FIXTURE_BASE, 0);
		virtio_dirty_log_mark(&log, end - 1, 0);
		virtio_dirty_log_mark(&log, end, 2);
		virtio_dirty_log_mark(&log, FIXTURE_BASE - 1, 1);
		virtio_dirty_log_mark(&log, 0, FIXTURE_BASE);
		virtio_dirty_log_mark(&log, UINT64_MAX, 1);
		virtio_dirty_log_mark(&log, end, UINT64_MAX - end + 1);
		expect_log(bitmap, units[u], NULL, 0);
		virtio_dirty_log_mark(&log, end - 1, UINT64_MAX);
		expect_log(bitmap, units[u], (const uint64_t[][2]){ { end - 1, 1 } }, 1);
		virtio_dirty_log_mark(&log, FIXTURE_BASE - 4, 5);
		expect_log(bitmap, units[u], (const uint64_t[][2]){ { FIXTURE_BASE, 1 } }, 1);
		virtio_dirty_log_mark(&log, 0, UINT64_MAX);
		expect_log(bitmap, units[u], (const uint64_t[][2]){ { FIXTURE_BASE, end - FIXTURE_BASE } }, 1);
		assert_true(guarded[0] == 0 && guarded[LOG_WORDS + 1] == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue_init_refuses_missing_storage),
		FIXTURE_ON_ALL(queue_start_refuses_what_it_cannot_run),
		FIXTURE_ON_ALL(queue_start_clears_used_flags),
		FIXTURE_ON_ALL(queue_start_picks_up_earlier_buffers),
		FIXTURE_ON_ALL(queue_reset_returns_everything_to_default),
		FIXTURE_ON_ALL(queue_set_index_refuses_while_in_flight),
		FIXTURE_ON_ALL(queue_read_index_does_not_check_the_index),
		FIXTURE_ON(queue_read_index_reports_ring_that_is_gone, CHANGING),
		FIXTURE_ON_ALL(queue_set_memory_refuses_map_without_rings),
		FIXTURE_ON(queue_set_memory_waits_for_mapping, CHANGING),
		FIXTURE_ON(queue_set_memory_keeps_requests_in_flight, FLAT),
		FIXTURE_ON(queue_set_memory_keeps_requests_in_flight, ONE_BYTE),
		FIXTURE_ON(queue_set_memory_switches_buffers_and_tables, FLAT),
		FIXTURE_ON(queue_set_memory_switches_buffers_and_tables, ONE_BYTE),
		FIXTURE_ON(queue_set_memory_under_in_order_waits_for_requests_only, FLAT),
		FIXTURE_ON(queue_set_memory_under_in_order_waits_for_requests_only, ONE_BYTE),
		FIXTURE_ON(queue_marks_what_it_writes, FLAT),
		FIXTURE_ON(queue_marks_what_it_writes, ONE_BYTE),
		cmocka_unit_test(queue_dirty_log_stays_inside_bitmap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
