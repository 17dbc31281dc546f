/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests completions: in any order, with any result, and with a stale token. A completion with a
 * stale token must not change guest memory, the dirty log, the used ring or the counters.
 */
#define _DEFAULT_SOURCE
#include "blk_fixture.h"

#include <sys/mman.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The fast path writes the status in the first kind of memory, the slow path in the second kind. */
static const uint32_t two_memories[] = { BLK_UNLOGGED, BLK_RAM };

/* Completions of requests in flight */

/* Requests are popped together, and carried out and completed in another order. */
static void blk_requests_may_be_completed_in_any_order(void **state)
{
	static struct virtio_segment segments[3][8];
	const struct virtio_mock_buffer buffers[3][3] = {
		{ { 0x2000, 16, 0 }, { 0x3000, 512, VRING_DESC_F_WRITE }, { 0x3600, 1, VRING_DESC_F_WRITE } },
		{ { 0x2100, 16, 0 }, { 0x4000, 512, 0 }, { 0x4600, 1, VRING_DESC_F_WRITE } },
		{ { 0x2200, 16, 0 }, { 0x5000, 512, VRING_DESC_F_WRITE }, { 0x5600, 1, VRING_DESC_F_WRITE } },
	};
	static const int order[] = { 1, 2, 0 };
	struct virtio_blk_request requests[3];
	struct vring_used_elem element;
	struct blk_fixture f;
	int heads[3];

	(void)state;
	blk_setup(&f, BLK_RAM);
	for (int i = 0; i < 3; i++) {
		const struct virtio_blk_storage storage = { .segments = segments[i], .segment_capacity = 8 };

		for (uint64_t k = 0; k < 16; k++)
			blk_poke(&f, buffers[i][0].addr + k, 0);
		blk_poke(&f, buffers[i][0].addr, i == 1 ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN);
		blk_poke(&f, buffers[i][0].addr + 8, (uint8_t)(i + 1));
		heads[i] = virtio_mock_add(&f.mock, buffers[i], 3);
		assert_true(heads[i] >= 0);
		assert_int_equal(virtio_blk_request_init(&requests[i], &storage), 0);
		assert_int_equal(virtio_blk_pop(&f.queue, &requests[i]), 1);
	}
	memset(f.disk_model + 2 * 512, BLK_FILL, 512);
	memcpy(f.model + 0x5000, f.disk_model + 3 * 512, 512);
	memcpy(f.model + 0x3000, f.disk_model + 1 * 512, 512);
	for (int i = 0; i < 3; i++) {
		const struct virtio_blk_request *request = &requests[order[i]];
		struct virtio_blk_result result;

		virtio_blk_execute(&f.blk, request, &result);
		assert_int_equal(result.status, VIRTIO_BLK_S_OK);
		assert_int_equal(virtio_blk_complete(&f.queue, request, &result, &f.stats), 0);
		assert_int_equal(virtio_mock_pop_used(&f.mock, &element), 1);
		assert_int_equal(element.id, heads[order[i]]);
		assert_int_equal(element.len, order[i] == 1 ? 1 : 513);
		f.model[buffers[order[i]][2].addr] = VIRTIO_BLK_S_OK;
	}
	blk_check_memory(&f);
	blk_check_disk(&f);
	assert_int_equal(f.stats.reads, 2);
	assert_int_equal(f.stats.writes, 1);
}

/*
 * If the caller does the I/O, the library counts exactly the bytes that the caller reports as
 * written. The dirty log gets exactly the pages of the bytes reported as touched, and the page of
 * the status.
 */
static void blk_complete_accepts_a_result_of_the_caller(void **state)
{
	static const struct {
		uint64_t written, touched;
		uint8_t status;
		uint32_t len;
	} cases[] = {
		{ 0, 0, VIRTIO_BLK_S_IOERR, 0 },       { 0, 1024, VIRTIO_BLK_S_IOERR, 0 },
		{ 512, 700, VIRTIO_BLK_S_IOERR, 512 }, { 1023, 1024, VIRTIO_BLK_S_IOERR, 1023 },
		{ 1024, 1024, VIRTIO_BLK_S_OK, 1025 },
	};
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_IN, .in_bytes = 1024, .writable_piece = 200, .gap = 60 };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct virtio_blk_result result = { .status = cases[i].status,
							  .written = cases[i].written,
							  .touched = cases[i].touched,
							  .error = VIRTIO_EIO };
		struct blk_fixture f;

		blk_setup(&f, BLK_RAM);
		blk_send(&f, &ask);
		memset(f.bitmap, 0, sizeof f.bitmap);
		assert_int_equal(virtio_blk_pop(&f.queue, &f.request), 1);
		assert_int_equal(virtio_blk_complete(&f.queue, &f.request, &result, &f.stats), 0);
		assert_int_equal(blk_pop_used(&f), cases[i].len);
		blk_expect(&f, &ask, NULL, 0, cases[i].status);
		blk_check_memory(&f);
		blk_check_dirty(&f, &ask, (uint32_t)cases[i].touched);
		assert_int_equal(f.stats.read_bytes, cases[i].written);
		assert_int_equal(f.stats.failed, cases[i].status == VIRTIO_BLK_S_IOERR);
		assert_int_equal(f.stats.first_error, VIRTIO_EIO);
	}
}

/*
 * A used length has 32 bits. Guest memory is too small for almost 2^32 bytes of data, so the test
 * sets the length of the data in the request.
 */
static void blk_complete_never_exceeds_a_used_length(void **state)
{
	/* The longest chain has 2^32 bytes, and one of these bytes is the status. */
	static const uint64_t sizes[] = { UINT32_MAX, UINT32_MAX - 1 };
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_IN, .in_bytes = 512, .writable_piece = 512 };

	(void)state;
	for (size_t i = 0; i < 4 * COUNT(sizes); i++) {
		const struct virtio_blk_result result = { .written = i & 1 ? UINT64_MAX : sizes[i / 4] };
		struct vring_used_elem element;
		struct blk_fixture f;

		blk_setup(&f, two_memories[i / 2 % 2]);
		blk_send(&f, &ask);
		assert_int_equal(virtio_blk_pop(&f.queue, &f.request), 1);
		f.request.base.data.writable_bytes = sizes[i / 4];
		assert_int_equal(virtio_blk_complete(&f.queue, &f.request, &result, NULL), 0);
		assert_int_equal(virtio_mock_get_used_entry(&f.mock, 0, &element), 0);
		assert_int_equal(element.len, UINT32_MAX);
		blk_expect(&f, &ask, NULL, 0, VIRTIO_BLK_S_OK);
		blk_check_memory(&f);
	}
}

/*
 * A request without a status byte is completed, and nothing is written. Of the counters, only
 * `malformed` changes.
 */
static void blk_complete_counts_a_request_without_a_status(void **state)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_OUT, .no_status = true };

	(void)state;
	for (size_t m = 0; m < 2; m++) {
		const struct virtio_blk_result result = { .status = VIRTIO_BLK_S_OK,
							  .written = 5,
							  .error = VIRTIO_ESHORT };
		const struct virtio_blk_stats expected = { .malformed = 1, .first_error = VIRTIO_ESHORT };
		struct blk_fixture f;

		blk_setup(&f, two_memories[m]);
		blk_send(&f, &ask);
		assert_int_equal(virtio_blk_pop(&f.queue, &f.request), 1);
		assert_int_equal(f.request.base.error, VIRTIO_ESHORT);
		memset(f.bitmap, 0, sizeof f.bitmap);
		assert_int_equal(virtio_blk_complete(&f.queue, &f.request, &result, &f.stats), 0);
		assert_int_equal(blk_pop_used(&f), 0);
		assert_memory_equal(&f.stats, &expected, sizeof expected);
		blk_check_memory(&f);
		for (uint64_t addr = BLK_RINGS_END; addr < BLK_RAM; addr += 1u << BLK_PAGE_SHIFT)
			assert_false(blk_dirty(&f, addr));
	}
}

/* Stale completions */

/*
 * Everything that a stale completion must not change: guest memory with the rings, the dirty log,
 * all counters.
 */
struct snapshot {
	uint8_t ram[BLK_RAM];
	uint8_t bitmap[(BLK_RAM >> BLK_PAGE_SHIFT) / 8];
	struct virtio_blk_stats stats;
	struct virtio_queue_stats queue;
};

static void look(const struct blk_fixture *f, struct snapshot *w)
{
	memset(w, 0, sizeof *w);
	memcpy(w->ram, f->ram, sizeof w->ram);
	memcpy(w->bitmap, f->bitmap, sizeof w->bitmap);
	w->stats = f->stats;
	virtio_queue_get_stats(&f->queue, &w->queue);
}

/*
 * Tries to complete the request, whose token must be stale. If the library accepted the token,
 * guest memory, the dirty log, the used ring and the counters would change.
 */
static void complete_is_stale(struct blk_fixture *f, const struct virtio_blk_request *request)
{
	static const struct virtio_blk_result results[] = {
		{ .status = VIRTIO_BLK_S_IOERR, .written = 512, .touched = 512, .error = VIRTIO_EIO },
		{ .status = VIRTIO_BLK_S_OK, .written = 512, .touched = UINT64_MAX, .error = VIRTIO_EIO },
		{ .status = VIRTIO_BLK_S_UNSUPP },
	};
	static struct snapshot before, after;

	look(f, &before);
	for (size_t i = 0; i < COUNT(results); i++) {
		assert_int_equal(virtio_blk_complete(&f->queue, request, &results[i], &f->stats), VIRTIO_ESTALE);
		assert_int_equal(virtio_blk_complete(&f->queue, request, &results[i], NULL), VIRTIO_ESTALE);
	}
	look(f, &after);
	assert_memory_equal(&after, &before, sizeof before);
}

/* Pops a read of a sector, and doesn't complete it. Clears the dirty log. */
static void begin(struct blk_fixture *f, struct virtio_blk_request *request)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_IN, .in_bytes = 512, .writable_piece = 512 };

	blk_send(f, &ask);
	assert_int_equal(virtio_blk_request_init(request, &f->storage), 0);
	assert_int_equal(virtio_blk_pop(&f->queue, request), 1);
	assert_int_equal(request->base.error, 0);
	memset(f->bitmap, 0, sizeof f->bitmap);
}

static void serve(struct blk_fixture *f, const struct virtio_blk_request *request)
{
	struct virtio_blk_result result;

	virtio_blk_execute(&f->blk, request, &result);
	assert_int_equal(virtio_blk_complete(&f->queue, request, &result, &f->stats), 0);
	assert_int_equal(f->ram[BLK_WRITABLE + 512], VIRTIO_BLK_S_OK);
	assert_int_equal(blk_pop_used(f), 513);
}

static void blk_complete_twice_is_stale(void **state)
{
	(void)state;
	for (size_t m = 0; m < BLK_MEMORIES; m++) {
		struct blk_fixture f;

		blk_setup(&f, blk_memories[m]);
		begin(&f, &f.request);
		serve(&f, &f.request);
		assert_int_equal(f.stats.reads, 1);
		memset(f.bitmap, 0, sizeof f.bitmap);
		f.ram[BLK_WRITABLE + 512] = BLK_FILL; /* the driver uses the status byte again */
		complete_is_stale(&f, &f.request);
		assert_int_equal(f.ram[BLK_WRITABLE + 512], BLK_FILL);
	}
}

/*
 * The head is in flight again, under another token. The old token does not complete the new
 * request.
 */
static void blk_complete_is_stale_after_the_head_was_reused(void **state)
{
	(void)state;
	for (size_t m = 0; m < BLK_MEMORIES; m++) {
		struct virtio_blk_request old;
		struct blk_fixture f;

		blk_setup(&f, blk_memories[m]);
		begin(&f, &old);
		serve(&f, &old);
		begin(&f, &f.request);
		assert_int_equal(virtio_token_head(old.base.token), virtio_token_head(f.request.base.token));
		complete_is_stale(&f, &old);
		assert_int_equal(f.ram[BLK_WRITABLE + 512], BLK_FILL);
		assert_false(virtio_queue_quiesced(&f.queue));
		serve(&f, &f.request);
		assert_true(virtio_queue_quiesced(&f.queue));
		assert_int_equal(f.stats.reads, 2);
	}
}

/* After an unpop the token is stale, although the next pop yields the same head. */
static void blk_complete_is_stale_after_an_unpop(void **state)
{
	(void)state;
	for (size_t m = 0; m < 2; m++) {
		struct blk_fixture f;

		blk_setup(&f, two_memories[m]);
		begin(&f, &f.request);
		assert_int_equal(virtio_queue_unpop(&f.queue, f.request.base.token), 0);
		complete_is_stale(&f, &f.request);
	}
}

/* Starts the driver and the queue again after a reset. */
static void restart(struct blk_fixture *f, const struct virtio_queue_config *config)
{
	assert_int_equal(virtio_mock_init(&f->mock, &f->map, 0, BLK_QUEUE, f->slots, BLK_QUEUE), 0);
	assert_int_equal(virtio_queue_start(&f->queue, config, &f->device_map), 0);
	f->read_desc = 0;
}

/*
 * The old token is stale while the queue is stopped, after the queue's restart, and when the same
 * head is in flight again.
 */
static void blk_complete_is_stale_after_a_reset(void **state)
{
	(void)state;
	for (size_t m = 0; m < BLK_MEMORIES; m++) {
		struct virtio_queue_config config;
		struct virtio_blk_request old;
		struct blk_fixture f;

		blk_setup(&f, blk_memories[m]);
		begin(&f, &old);
		config = f.queue.config;
		virtio_queue_reset(&f.queue);
		complete_is_stale(&f, &old);
		restart(&f, &config);
		complete_is_stale(&f, &old);
		begin(&f, &f.request);
		assert_int_equal(virtio_token_head(old.base.token), virtio_token_head(f.request.base.token));
		complete_is_stale(&f, &old);
		serve(&f, &f.request);
		complete_is_stale(&f, &old);
	}
}

/*
 * Guest memory, its dirty log and its region. A test unmaps all three. A later access to any of
 * them ends the program.
 */
struct past_map {
	uint8_t ram[BLK_RAM];
	uint8_t bitmap[(BLK_RAM >> BLK_PAGE_SHIFT) / 8];
	struct virtio_dirty_log dirty;
	struct virtio_region region;
};

/*
 * The device was reset and its map was freed. Guest memory, region and dirty log are unmapped from
 * the host. A late completion accesses none of them.
 */
static void blk_complete_is_stale_after_the_map_was_freed(void **state)
{
	(void)state;
	for (int logged = 0; logged < 2; logged++) {
		struct past_map *past =
			mmap(NULL, sizeof *past, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		struct virtio_queue_config config;
		struct virtio_memory_map map;
		struct virtio_blk_request old;
		struct blk_fixture f;

		assert_ptr_not_equal(past, MAP_FAILED);
		past->dirty = (struct virtio_dirty_log){
			.bitmap = past->bitmap, .size = sizeof past->bitmap, .page_shift = BLK_PAGE_SHIFT, .unit = 1
		};
		past->region = (struct virtio_region){
			.addr = 0, .len = BLK_RAM, .host = past->ram, .dirty = logged ? &past->dirty : NULL
		};
		assert_int_equal(virtio_memory_map_init(&map, &past->region, 1), 0);
		blk_setup(&f, BLK_RAM);
		config = f.queue.config;
		virtio_queue_reset(&f.queue);
		assert_int_equal(virtio_queue_start(&f.queue, &config, &map), 0);
		assert_int_equal(virtio_mock_init(&f.mock, &map, 0, BLK_QUEUE, f.slots, BLK_QUEUE), 0);
		begin(&f, &old);
		virtio_queue_reset(&f.queue);
		assert_int_equal(munmap(past, sizeof *past), 0);
		complete_is_stale(&f, &old);
		restart(&f, &config);
		complete_is_stale(&f, &old);
		begin(&f, &f.request);
		complete_is_stale(&f, &old);
		serve(&f, &f.request);
		complete_is_stale(&f, &old);
	}
}

/*
 * The queue gets another map while the request is in flight. The status is written through the map
 * that the queue had at the pop.
 */
static void blk_complete_answers_in_the_map_of_the_pop(void **state)
{
	static uint8_t other_ram[BLK_RAM];
	struct virtio_region region = { .addr = 0, .len = BLK_RAM, .host = other_ram };
	struct virtio_memory_map other;

	(void)state;
	for (size_t m = 0; m < 2; m++) {
		struct virtio_blk_result result;
		struct blk_fixture f;

		blk_setup(&f, two_memories[m]);
		begin(&f, &f.request);
		memcpy(other_ram, f.ram, sizeof other_ram);
		assert_int_equal(virtio_memory_map_init(&other, &region, 1), 0);
		assert_int_equal(virtio_queue_set_memory(&f.queue, &other), 0);
		virtio_blk_execute(&f.blk, &f.request, &result);
		assert_int_equal(virtio_blk_complete(&f.queue, &f.request, &result, &f.stats), 0);
		assert_int_equal(f.ram[BLK_WRITABLE + 512], VIRTIO_BLK_S_OK);
		assert_int_equal(other_ram[BLK_WRITABLE + 512], BLK_FILL);
		memset(f.bitmap, 0, sizeof f.bitmap);
		f.ram[BLK_WRITABLE + 512] = BLK_FILL;
		complete_is_stale(&f, &f.request);
		assert_int_equal(other_ram[BLK_WRITABLE + 512], BLK_FILL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blk_requests_may_be_completed_in_any_order),
		cmocka_unit_test(blk_complete_accepts_a_result_of_the_caller),
		cmocka_unit_test(blk_complete_never_exceeds_a_used_length),
		cmocka_unit_test(blk_complete_counts_a_request_without_a_status),
		cmocka_unit_test(blk_complete_twice_is_stale),
		cmocka_unit_test(blk_complete_is_stale_after_the_head_was_reused),
		cmocka_unit_test(blk_complete_is_stale_after_an_unpop),
		cmocka_unit_test(blk_complete_is_stale_after_a_reset),
		cmocka_unit_test(blk_complete_is_stale_after_the_map_was_freed),
		cmocka_unit_test(blk_complete_answers_in_the_map_of_the_pop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
