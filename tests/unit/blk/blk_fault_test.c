/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests of back ends that fail, of the order of writes, flushes and statuses, and of a disk that
 * two queues share. The tests also check the content of the disk, and of guest memory after the
 * rings.
 */
#include "blk_fixture.h"

/* A back end that fails */

/* Hostile 134: a transfer continues after short calls of any size. */
static void blk_transfers_continue_after_short_ones(void **state)
{
	static const uint64_t sizes[] = { 1, 7, 511, 512, 513, 2047, 2048, 5000 };

	(void)state;
	blk_fill_pattern();
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		for (uint32_t piece = 0; piece < 800; piece += 100) {
			const struct blk_ask in = { .type = VIRTIO_BLK_T_IN,
						    .sector = 1,
						    .in_bytes = 2048,
						    .writable_piece = piece,
						    .gap = 2 };
			const struct blk_ask out = { .type = VIRTIO_BLK_T_OUT,
						     .sector = 9,
						     .out = blk_pattern,
						     .out_bytes = 2048,
						     .readable_piece = piece,
						     .gap = 2 };
			const int calls = (int)((2048 + sizes[i] - 1) / sizes[i]);
			struct blk_fixture f;

			blk_setup(&f, BLK_RAM);
			f.backend.most = sizes[i];
			blk_send(&f, &in);
			assert_int_equal(blk_serve(&f), 2049);
			blk_expect(&f, &in, f.disk_model + 512, 2048, VIRTIO_BLK_S_OK);
			blk_check_memory(&f);
			assert_int_equal(f.backend.calls, calls);
			blk_send(&f, &out);
			assert_int_equal(blk_serve(&f), 1);
			memcpy(f.disk_model + 9 * 512, blk_pattern, 2048);
			blk_expect(&f, &out, NULL, 0, VIRTIO_BLK_S_OK);
			blk_check_memory(&f);
			blk_check_disk(&f);
			assert_int_equal(f.backend.calls, 2 * calls);
		}
	}
}

/*
 * Regression R28, hostile 133 and 134: if a read fails half-way, its used length counts the bytes
 * that arrived.
 */
static void blk_read_reports_how_far_it_got_when_the_back_end_fails(void **state)
{
	static const int64_t failures[] = { VIRTIO_EIO, 0, 3000, INT64_MAX, INT64_MIN };

	(void)state;
	for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
		for (int call = 1; call <= 4; call++) {
			const struct blk_ask ask = {
				.type = VIRTIO_BLK_T_IN, .in_bytes = 2048, .writable_piece = 300, .gap = 1
			};
			struct blk_fixture f;

			blk_setup(&f, BLK_RAM);
			f.backend.most = 512;
			f.backend.fail_call = call;
			f.backend.fail_with = failures[i];
			blk_send(&f, &ask);
			assert_int_equal(blk_serve(&f), (call - 1) * 512);
			blk_expect(&f, &ask, f.disk_model, (uint32_t)(call - 1) * 512, VIRTIO_BLK_S_IOERR);
			blk_check_memory(&f);
			blk_check_disk(&f);
			/* The failed call was the last call of the back end. */
			assert_int_equal(f.backend.calls, call);
			assert_int_equal(f.stats.failed, 1);
			assert_int_equal(f.stats.read_bytes, (call - 1) * 512);
			assert_true(f.stats.first_error < 0);
			/* The failed call may have written anywhere in its buffers. */
			blk_check_dirty(&f, &ask, 2048);
		}
	}
}

static void blk_write_fails_when_the_back_end_does(void **state)
{
	static const int64_t failures[] = { VIRTIO_EIO, 0, 3000, INT64_MAX };

	(void)state;
	blk_fill_pattern();
	for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
		for (int call = 1; call <= 4; call++) {
			const struct blk_ask ask = { .type = VIRTIO_BLK_T_OUT, .out = blk_pattern, .out_bytes = 2048 };
			struct blk_fixture f;

			blk_setup(&f, BLK_RAM);
			blk_restart(&f, 0);
			f.backend.most = 512;
			f.backend.fail_call = call;
			f.backend.fail_with = failures[i];
			blk_send(&f, &ask);
			assert_int_equal(blk_serve(&f), 1);
			memcpy(f.disk_model, blk_pattern, (size_t)(call - 1) * 512);
			blk_expect(&f, &ask, NULL, 0, VIRTIO_BLK_S_IOERR);
			blk_check_memory(&f);
			blk_check_disk(&f);
			assert_int_equal(f.backend.calls, call);
			assert_int_equal(f.backend.flushes, 0);
			assert_int_equal(f.stats.failed, 1);
			assert_int_equal(f.stats.written_bytes, 0);
			assert_int_equal(f.stats.first_error, VIRTIO_EIO);
		}
	}
}

static void blk_flush_fails_when_the_back_end_does(void **state)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_FLUSH };
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	f.backend.flush_error = VIRTIO_EIO;
	blk_send(&f, &ask);
	assert_int_equal(blk_serve(&f), 1);
	blk_expect(&f, &ask, NULL, 0, VIRTIO_BLK_S_IOERR);
	blk_check_memory(&f);
	assert_int_equal(f.stats.failed, 1);
	assert_int_equal(f.stats.first_error, VIRTIO_EIO);
}

static void blk_transfers_respect_the_longest_vector(void **state)
{
	static const uint32_t limits[] = { 1, 2, 63, 64, 65, UINT32_MAX };

	(void)state;
	blk_fill_pattern();
	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		const struct blk_ask in = { .type = VIRTIO_BLK_T_IN, .in_bytes = 2048, .writable_piece = 10, .gap = 1 };
		const struct blk_ask out = { .type = VIRTIO_BLK_T_OUT,
					     .sector = 4,
					     .out = blk_pattern,
					     .out_bytes = 2048,
					     .readable_piece = 10,
					     .gap = 1 };
		struct blk_fixture f;

		blk_setup(&f, BLK_RAM);
		f.options.backend.max_iovecs = limits[i];
		blk_restart(&f, BLK_FLUSH);
		blk_send(&f, &in);
		assert_int_equal(blk_serve(&f), 2049);
		blk_expect(&f, &in, f.disk_model, 2048, VIRTIO_BLK_S_OK);
		blk_check_memory(&f);
		blk_send(&f, &out);
		assert_int_equal(blk_serve(&f), 1);
		memcpy(f.disk_model + 2048, blk_pattern, 2048);
		blk_check_disk(&f);
		assert_true(f.backend.longest <= limits[i]);
	}
}

/* Durability */

/*
 * Tests the order of write, flush and status. The fixture's back end checks the status byte in
 * every call. So blk_check_disk() fails if the status was written before the flush. The back end's
 * array `stable` has the disk's content at the last flush.
 */
static void blk_write_is_stable_before_it_is_reported_under_write_through(void **state)
{
	/*
	 * A driver gets write-through in three ways. It accepts neither FLUSH nor CONFIG_WCE, or
	 * only CONFIG_WCE, or both. If it accepts both, it sets writeback to 0.
	 */
	static const uint64_t features[] = { 0, BLK_FLUSH | BLK_WCE, BLK_WCE };
	const struct blk_ask ask = {
		.type = VIRTIO_BLK_T_OUT, .sector = 3, .out = blk_pattern, .out_bytes = 1024, .readable_piece = 100
	};

	(void)state;
	blk_fill_pattern();
	for (size_t i = 0; i < 3; i++) {
		struct blk_fixture f;

		blk_setup(&f, BLK_RAM);
		f.options.config_wce = true;
		blk_restart(&f, features[i]);
		if (features[i] & BLK_WCE)
			assert_true(virtio_blk_config_write(&f.blk, 32, "\0", 1));
		f.backend.most = 300;
		blk_send(&f, &ask);
		assert_int_equal(blk_serve(&f), 1);
		memcpy(f.disk_model + 3 * 512, blk_pattern, 1024);
		blk_expect(&f, &ask, NULL, 0, VIRTIO_BLK_S_OK);
		blk_check_memory(&f);
		blk_check_disk(&f);
		assert_int_equal(f.backend.flushes, 1);
		assert_memory_equal(f.backend.stable, f.disk_model, BLK_DISK);
	}
}

static void blk_write_fails_when_it_cannot_be_made_stable(void **state)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_OUT, .out = blk_pattern, .out_bytes = 512 };
	struct blk_fixture f;

	(void)state;
	blk_fill_pattern();
	blk_setup(&f, BLK_RAM);
	blk_restart(&f, 0);
	f.backend.flush_error = VIRTIO_EIO;
	blk_send(&f, &ask);
	assert_int_equal(blk_serve(&f), 1);
	memcpy(f.disk_model, blk_pattern, 512);
	blk_expect(&f, &ask, NULL, 0, VIRTIO_BLK_S_IOERR);
	blk_check_memory(&f);
	blk_check_disk(&f);
	assert_int_equal(f.stats.failed, 1);
	assert_int_equal(f.stats.written_bytes, 0);
}

static void blk_write_waits_for_flush_under_write_back(void **state)
{
	const struct blk_ask write = { .type = VIRTIO_BLK_T_OUT, .out = blk_pattern, .out_bytes = 512 };
	const struct blk_ask flush = { .type = VIRTIO_BLK_T_FLUSH };
	struct blk_fixture f;

	(void)state;
	blk_fill_pattern();
	blk_setup(&f, BLK_RAM);
	blk_send(&f, &write);
	assert_int_equal(blk_serve(&f), 1);
	assert_memory_equal(f.backend.stable, f.disk_model, BLK_DISK);
	memcpy(f.disk_model, blk_pattern, 512);
	blk_send(&f, &flush);
	assert_int_equal(blk_serve(&f), 1);
	assert_int_equal(f.ram[BLK_WRITABLE], VIRTIO_BLK_S_OK);
	blk_check_disk(&f);
	assert_memory_equal(f.backend.stable, f.disk_model, BLK_DISK);
}

/* If the back end has no operation `flush`, FLUSH is not offered, and a write needs no flush. */
static void blk_write_needs_no_flush_where_none_is_offered(void **state)
{
	static const struct virtio_blk_backend_ops ops = { .readv = blk_faulty_readv, .writev = blk_faulty_writev };
	const struct blk_ask write = { .type = VIRTIO_BLK_T_OUT, .out = blk_pattern, .out_bytes = 512 };
	const struct blk_ask flush = { .type = VIRTIO_BLK_T_FLUSH };
	struct blk_fixture f;

	(void)state;
	blk_fill_pattern();
	blk_setup(&f, BLK_RAM);
	f.options.backend.ops = &ops;
	blk_restart(&f, 0);
	blk_send(&f, &write);
	assert_int_equal(blk_serve(&f), 1);
	assert_int_equal(f.ram[BLK_WRITABLE], VIRTIO_BLK_S_OK);
	memcpy(f.disk_model, blk_pattern, 512);
	blk_refused(&f, &flush, VIRTIO_BLK_S_UNSUPP);
}

/* Disks that are shared, and disks that shrink */

/* Hostile 135: two queues share one disk, and each request is completed on its own queue. */
static void blk_queues_share_a_disk_without_cross_talk(void **state)
{
	const struct blk_ask write = { .type = VIRTIO_BLK_T_OUT, .out = blk_pattern, .out_bytes = 512, .sector = 1 };
	const struct blk_ask flush = { .type = VIRTIO_BLK_T_FLUSH };
	const struct blk_ask read = { .type = VIRTIO_BLK_T_IN, .in_bytes = 512, .sector = 1 };
	struct blk_fixture one, two;

	(void)state;
	blk_fill_pattern();
	blk_setup(&one, BLK_RAM);
	blk_setup(&two, 64);
	two.blk = one.blk; /* both queues use the first disk */
	for (int round = 0; round < 3; round++) {
		blk_send(&one, &write);
		blk_send(&two, &flush);
		assert_int_equal(blk_serve(&two), 1);
		assert_int_equal(two.ram[BLK_WRITABLE], VIRTIO_BLK_S_OK);
		assert_int_equal(one.ram[BLK_WRITABLE], BLK_FILL);
		assert_int_equal(blk_serve(&one), 1);
		blk_expect(&one, &write, NULL, 0, VIRTIO_BLK_S_OK);
		blk_expect(&two, &flush, NULL, 0, VIRTIO_BLK_S_OK);
		blk_check_memory(&one);
		blk_check_memory(&two);
		blk_send(&two, &read);
		assert_int_equal(blk_serve(&two), 513);
		blk_expect(&two, &read, blk_pattern, 512, VIRTIO_BLK_S_OK);
		blk_check_memory(&two);
	}
	assert_int_equal(one.stats.writes, 3);
	assert_int_equal(one.stats.flushes, 0);
	assert_int_equal(two.stats.flushes, 3);
	assert_int_equal(two.stats.reads, 3);
}

/* When a disk has shrunk, requests beyond its new end are refused. */
static void blk_process_goes_by_the_new_capacity(void **state)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_IN, .sector = 7, .in_bytes = 512 };
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	assert_int_equal(virtio_blk_set_capacity(&f.blk, 7), 0);
	blk_refused(&f, &ask, VIRTIO_BLK_S_IOERR);
	assert_int_equal(virtio_blk_set_capacity(&f.blk, 8), 0);
	blk_send(&f, &ask);
	assert_int_equal(blk_serve(&f), 513);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blk_transfers_continue_after_short_ones),
		cmocka_unit_test(blk_read_reports_how_far_it_got_when_the_back_end_fails),
		cmocka_unit_test(blk_write_fails_when_the_back_end_does),
		cmocka_unit_test(blk_flush_fails_when_the_back_end_does),
		cmocka_unit_test(blk_transfers_respect_the_longest_vector),
		cmocka_unit_test(blk_write_is_stable_before_it_is_reported_under_write_through),
		cmocka_unit_test(blk_write_fails_when_it_cannot_be_made_stable),
		cmocka_unit_test(blk_write_waits_for_flush_under_write_back),
		cmocka_unit_test(blk_write_needs_no_flush_where_none_is_offered),
		cmocka_unit_test(blk_queues_share_a_disk_without_cross_talk),
		cmocka_unit_test(blk_process_goes_by_the_new_capacity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
