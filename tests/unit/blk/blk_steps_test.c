/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Hostile 205: requests run in steps. A step moves at most the allowed number of bytes. All steps
 * together do the same as virtio_blk_execute().
 */
#include "blk_fixture.h"

#include <virtio/blk_steps.h>

static void pop(struct blk_fixture *f, const struct blk_ask *ask)
{
	blk_send(f, ask);
	assert_int_equal(virtio_blk_pop(&f->queue, &f->request), 1);
}

/*
 * Runs a request to its end and returns the number of steps. Only the last step may write the
 * result.
 */
static uint32_t steps_until_end(struct blk_fixture *f, uint64_t bytes, struct virtio_blk_result *result)
{
	struct virtio_blk_steps steps;
	struct virtio_blk_result untouched;
	uint32_t count = 1;

	memset(&untouched, 0x5a, sizeof untouched);
	memset(result, 0x5a, sizeof *result);
	memset(&steps, 0x5a, sizeof steps);
	virtio_blk_steps_begin(&steps, &f->blk, &f->request);
	for (;;) {
		const uint64_t before = f->backend.moved;
		const int more = virtio_blk_step(&steps, &f->blk, &f->request, bytes, result);

		assert_in_range(f->backend.moved - before, 0, bytes);
		if (more == 0)
			return count;
		assert_int_equal(more, 1);
		assert_memory_equal(result, &untouched, sizeof untouched);
		count++;
	}
}

/* A step stays within its limit, however many bytes the back end moves in one call. */
static void steps_move_no_more_than_is_allowed(void **state)
{
	const uint64_t mosts[] = { 0, 100, 512, 700 };
	const uint32_t lengths[] = { 512, 1024, 4096 };

	(void)state;
	for (unsigned int i = 0; i < 4 * 3 * 2; i++) {
		const bool in = i % 2;
		const uint32_t bytes = lengths[i / 2 % 3];
		const struct blk_ask ask = {
			.type = in ? VIRTIO_BLK_T_IN : VIRTIO_BLK_T_OUT,
			.sector = 3,
			.out = in ? NULL : blk_pattern,
			.out_bytes = in ? 0 : 4096,
			.in_bytes = in ? 4096 : 0,
			.readable_piece = 300,
			.writable_piece = 300,
		};
		struct virtio_blk_result result;
		struct blk_fixture f;

		blk_setup(&f, BLK_RAM);
		f.backend.most = mosts[i / 6];
		pop(&f, &ask);
		assert_int_equal(steps_until_end(&f, bytes, &result), 4096 / bytes);
		assert_int_equal(result.status, VIRTIO_BLK_S_OK);
		assert_int_equal(result.error, 0);
		assert_int_equal(result.refusal, VIRTIO_BLK_REFUSAL_NONE);
		assert_int_equal(result.written, in ? 4096 : 0);
		assert_int_equal(result.touched, in ? 4096 : 0);
		assert_int_equal(virtio_blk_complete(&f.queue, &f.request, &result, &f.stats), 0);
		assert_int_equal(blk_pop_used(&f), in ? 4097 : 1);
		blk_expect(&f, &ask, f.disk_model + 3 * 512, in ? 4096 : 0, VIRTIO_BLK_S_OK);
		if (!in)
			memcpy(f.disk_model + 3 * 512, blk_pattern, 4096);
		blk_check_memory(&f);
		blk_check_disk(&f);
	}
}

/*
 * After one step of an abandoned request, exactly the pages that this step wrote are marked as
 * dirty.
 */
static void steps_record_what_they_have_moved(void **state)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_IN, .in_bytes = 4096, .writable_piece = 300 };
	struct virtio_blk_result result;
	struct virtio_blk_steps steps;
	struct blk_fixture f;
	uint32_t at = 0;

	(void)state;
	blk_setup(&f, BLK_RAM);
	pop(&f, &ask);
	virtio_blk_steps_begin(&steps, &f.blk, &f.request);
	assert_int_equal(virtio_blk_step(&steps, &f.blk, &f.request, 1024, &result), 1);
	for (const struct virtio_segment *s = f.request.base.data.segments; at < 4096; s++)
		for (uint64_t i = 0; i < s->len && at < 4096; i++, at++)
			if (at < 1024 || at >= 1024 + (1u << BLK_PAGE_SHIFT))
				assert_int_equal(blk_dirty(&f, s->addr + i), at < 1024);
	assert_int_equal(virtio_queue_unpop(&f.queue, f.request.base.token), 0);
}

/*
 * If a call of the back end fails, no more data is moved. The result counts the data of the earlier
 * calls.
 */
static void steps_end_with_a_failure(void **state)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_IN, .sector = 1, .in_bytes = 2048 };
	struct virtio_blk_result result;
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	f.backend.fail_call = 3;
	f.backend.fail_with = VIRTIO_EIO;
	pop(&f, &ask);
	assert_int_equal(steps_until_end(&f, 512, &result), 3);
	assert_int_equal(f.backend.calls, 3);
	assert_int_equal(result.status, VIRTIO_BLK_S_IOERR);
	assert_int_equal(result.error, VIRTIO_EIO);
	assert_int_equal(result.written, 1024);
	assert_int_equal(result.touched, 2048);
	assert_int_equal(virtio_blk_complete(&f.queue, &f.request, &result, &f.stats), 0);
}

static void steps_refuse_at_once(void **state)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_IN, .sector = BLK_SECTORS, .in_bytes = 512 };
	struct virtio_blk_result result;
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	pop(&f, &ask);
	assert_int_equal(steps_until_end(&f, 512, &result), 1);
	assert_int_equal(result.status, VIRTIO_BLK_S_IOERR);
	assert_int_equal(result.refusal, VIRTIO_BLK_REFUSAL_PAST_END);
	assert_int_equal(f.backend.calls, 0);
	assert_int_equal(virtio_blk_complete(&f.queue, &f.request, &result, &f.stats), 0);
}

/*
 * Each step changes one range; a range without sectors has no step. A flush follows the last range.
 */
static void steps_change_a_range_each(void **state)
{
	const struct virtio_blk_range ranges[] = {
		{ .sector = 0, .sectors = 1 },
		{ .sector = 3, .sectors = 0 },
		{ .sector = 4, .sectors = 2 },
		{ .sector = 8, .sectors = 1 },
	};
	uint8_t bytes[16 * 4];
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_DISCARD,
				     .out = bytes,
				     .out_bytes = blk_put_ranges(bytes, ranges, 4) };
	struct virtio_blk_result result;
	struct blk_fixture f;

	(void)state;
	blk_setup_commands(&f, BLK_RAM);
	/* The disk is write-through, because the driver can't flush. */
	blk_restart(&f, f.blk.offered & ~(UINT64_C(1) << VIRTIO_BLK_F_FLUSH));
	pop(&f, &ask);
	assert_int_equal(steps_until_end(&f, 512, &result), 3);
	assert_int_equal(result.status, VIRTIO_BLK_S_OK);
	assert_int_equal(f.backend.range_calls, 3);
	assert_int_equal(f.backend.flushes, 1);
	assert_int_equal(f.backend.log[f.backend.logged - 1].op, BLK_SYNC);
	assert_int_equal(virtio_blk_complete(&f.queue, &f.request, &result, &f.stats), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_move_no_more_than_is_allowed),
		cmocka_unit_test(steps_record_what_they_have_moved),
		cmocka_unit_test(steps_end_with_a_failure),
		cmocka_unit_test(steps_refuse_at_once),
		cmocka_unit_test(steps_change_a_range_each),
	};

	blk_fill_pattern();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
