/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests how requests are carried out. After most requests, the disk and all guest memory after the
 * rings are compared with the expected content.
 */
#include "blk_fixture.h"

/* Requests that work */

/* Hostile 113, 118, 132, 133; regressions R28, R29: a read in any layout has the same result. */
static void blk_read_fills_any_layout_and_nothing_else(void **state)
{
	static const uint32_t pieces[] = { 0, 16, 17, 500, 511, 513, 1024 };

	(void)state;
	for (size_t r = 0; r < BLK_MEMORIES; r++) {
		struct blk_fixture f;

		blk_setup(&f, blk_memories[r]);
		for (size_t i = 0; i < sizeof pieces / sizeof pieces[0] * 4; i++) {
			const struct blk_ask ask = {
				.type = VIRTIO_BLK_T_IN,
				.sector = i % 3 * 5,
				.in_bytes = (uint32_t)(1 + i / 7 % 4) * 512,
				.readable_piece = i % 2,
				.writable_piece = pieces[i % 7],
				.gap = (uint32_t)(i % 4),
			};

			memset(f.bitmap, 0, sizeof f.bitmap);
			blk_send(&f, &ask);
			assert_int_equal(blk_serve(&f), ask.in_bytes + 1);
			blk_expect(&f, &ask, f.disk_model + ask.sector * 512, ask.in_bytes, VIRTIO_BLK_S_OK);
			blk_check_memory(&f);
			blk_check_disk(&f);
			blk_check_dirty(&f, &ask, ask.in_bytes);
		}
		assert_int_equal(f.stats.reads, 28);
		assert_int_equal(f.stats.failed, 0);
		assert_int_equal(f.backend.flushes, 0);
	}
}

static void blk_write_stores_any_layout_and_nothing_else(void **state)
{
	static const uint32_t pieces[] = { 0, 15, 16, 17, 500, 511, 528, 1040 };

	(void)state;
	blk_fill_pattern();
	for (size_t r = 0; r < BLK_MEMORIES; r++) {
		struct blk_fixture f;
		uint64_t bytes = 0;

		blk_setup(&f, blk_memories[r]);
		for (size_t i = 0; i < sizeof pieces / sizeof pieces[0] * 4; i++) {
			const struct blk_ask ask = {
				.type = VIRTIO_BLK_T_OUT,
				.sector = i % 3 * 5,
				.out = blk_pattern + i,
				.out_bytes = (uint32_t)(1 + i / 8 % 4) * 512,
				.readable_piece = pieces[i % 8],
				.gap = (uint32_t)(i % 4),
			};

			memset(f.bitmap, 0, sizeof f.bitmap);
			blk_send(&f, &ask);
			assert_int_equal(blk_serve(&f), 1);
			memcpy(f.disk_model + ask.sector * 512, ask.out, ask.out_bytes);
			blk_expect(&f, &ask, NULL, 0, VIRTIO_BLK_S_OK);
			blk_check_memory(&f);
			blk_check_disk(&f);
			blk_check_dirty(&f, &ask, 0);
			bytes += ask.out_bytes;
		}
		assert_int_equal(f.stats.writes, 32);
		assert_int_equal(f.stats.written_bytes, bytes);
		/* FLUSH is negotiated, so the driver decides when to flush. */
		assert_int_equal(f.backend.flushes, 0);
	}
}

/* Hostile 113: data and header may be in one buffer. */
static void blk_write_accepts_header_and_data_in_one_buffer(void **state)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_OUT, .sector = 2, .out = blk_pattern, .out_bytes = 4096 };
	struct blk_fixture f;

	(void)state;
	blk_fill_pattern();
	blk_setup(&f, BLK_RAM);
	blk_send(&f, &ask);
	assert_int_equal(blk_serve(&f), 1);
	memcpy(f.disk_model + 1024, blk_pattern, 4096);
	blk_expect(&f, &ask, NULL, 0, VIRTIO_BLK_S_OK);
	blk_check_memory(&f);
	blk_check_disk(&f);
	/* One call with a vector of one entry shows that the library does not copy the data. */
	assert_int_equal(f.backend.calls, 1);
	assert_int_equal(f.backend.longest, 1);
}

/* Hostile 120: a request without data succeeds without I/O. */
static void blk_read_and_write_of_nothing_succeed_without_io(void **state)
{
	static const uint32_t types[] = { VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct blk_ask ask = { .type = types[i], .sector = BLK_SECTORS };
		struct blk_fixture f;

		blk_setup(&f, BLK_RAM);
		blk_restart(&f, 0);
		blk_send(&f, &ask);
		assert_int_equal(blk_serve(&f), 1);
		blk_expect(&f, &ask, NULL, 0, VIRTIO_BLK_S_OK);
		blk_check_memory(&f);
		blk_check_disk(&f);
		assert_int_equal(f.backend.calls, 0);
		assert_int_equal(f.backend.flushes, 0);
	}
}

/*
 * Hostile 121: the id has 20 bytes in any layout, with any sector, also on a read-only disk.
 */
static void blk_get_id_writes_twenty_bytes(void **state)
{
	(void)state;
	for (size_t r = 0; r < BLK_MEMORIES; r++) {
		struct blk_fixture f;

		blk_setup(&f, blk_memories[r]);
		f.options.read_only = true;
		memcpy(f.options.id, "exactly twenty bytes", 20);
		blk_restart(&f, 0);
		for (uint32_t room = 20; room < 23; room++) {
			for (uint32_t piece = 0; piece < 22; piece++) {
				const struct blk_ask ask = { .type = VIRTIO_BLK_T_GET_ID,
							     .sector = UINT64_MAX,
							     .in_bytes = room,
							     .writable_piece = piece,
							     .gap = 3 };

				memset(f.bitmap, 0, sizeof f.bitmap);
				blk_send(&f, &ask);
				/*
				 * If the buffer has more than 20 bytes, the used length excludes
				 * the status.
				 */
				assert_int_equal(blk_serve(&f), room == 20 ? 21 : 20);
				blk_expect(&f, &ask, (const uint8_t *)"exactly twenty bytes", 20, VIRTIO_BLK_S_OK);
				blk_check_memory(&f);
				blk_check_dirty(&f, &ask, 20);
			}
		}
		assert_int_equal(f.stats.ids, 66);
		assert_int_equal(f.backend.calls, 0);
	}
}

/*
 * Hostile 123: a flush works with data in both directions and with any sector, also on a read-only
 * disk.
 */
static void blk_flush_ignores_data_and_sector(void **state)
{
	const struct blk_ask bare = { .type = VIRTIO_BLK_T_FLUSH };
	const struct blk_ask odd = {
		.type = VIRTIO_BLK_T_FLUSH, .sector = UINT64_MAX, .out = blk_pattern, .out_bytes = 7, .in_bytes = 9
	};
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	f.options.read_only = true;
	blk_restart(&f, BLK_FLUSH);
	blk_send(&f, &bare);
	assert_int_equal(blk_serve(&f), 1);
	blk_expect(&f, &bare, NULL, 0, VIRTIO_BLK_S_OK);
	blk_check_memory(&f);
	blk_send(&f, &odd);
	assert_int_equal(blk_serve(&f), 0);
	blk_expect(&f, &odd, NULL, 0, VIRTIO_BLK_S_OK);
	blk_check_memory(&f);
	blk_check_disk(&f);
	assert_int_equal(f.backend.flushes, 2);
	assert_int_equal(f.stats.flushes, 2);
}

/* Requests that are refused */

/*
 * Hostile 115 to 117, 119, 121, 122, 124, 127: a refused request causes no I/O, and changes no byte
 * but its status.
 */
static void blk_process_refuses_without_touching_anything(void **state)
{
	static const struct {
		struct blk_ask ask;
		uint8_t status;
	} cases[] = {
		{ { .type = VIRTIO_BLK_T_IN, .sector = BLK_SECTORS, .in_bytes = 512 }, VIRTIO_BLK_S_IOERR },
		{ { .type = VIRTIO_BLK_T_IN, .sector = BLK_SECTORS - 3, .in_bytes = 2048, .writable_piece = 512 },
		  VIRTIO_BLK_S_IOERR },
		{ { .type = VIRTIO_BLK_T_OUT,
		    .sector = BLK_SECTORS - 3,
		    .out = blk_pattern,
		    .out_bytes = 2048,
		    .readable_piece = 512 },
		  VIRTIO_BLK_S_IOERR },
		{ { .type = VIRTIO_BLK_T_IN, .sector = UINT64_C(1) << 55, .in_bytes = 512 }, VIRTIO_BLK_S_IOERR },
		{ { .type = VIRTIO_BLK_T_OUT, .sector = UINT64_MAX, .out = blk_pattern, .out_bytes = 512 },
		  VIRTIO_BLK_S_IOERR },
		{ { .type = VIRTIO_BLK_T_IN, .in_bytes = 511 }, VIRTIO_BLK_S_IOERR },
		{ { .type = VIRTIO_BLK_T_OUT, .out = blk_pattern, .out_bytes = 1025 }, VIRTIO_BLK_S_IOERR },
		{ { .type = VIRTIO_BLK_T_OUT, .out = blk_pattern, .out_bytes = 512, .in_bytes = 512 },
		  VIRTIO_BLK_S_IOERR },
		{ { .type = VIRTIO_BLK_T_IN, .out = blk_pattern, .out_bytes = 512, .in_bytes = 512 },
		  VIRTIO_BLK_S_IOERR },
		{ { .type = VIRTIO_BLK_T_GET_ID, .in_bytes = 19 }, VIRTIO_BLK_S_IOERR },
		{ { .type = VIRTIO_BLK_T_GET_ID }, VIRTIO_BLK_S_IOERR },
		{ { .type = VIRTIO_BLK_T_IN, .in_bytes = 512, .header_bytes = 15 + 1 }, VIRTIO_BLK_S_IOERR },
		{ { .type = VIRTIO_BLK_T_OUT, .header_bytes = 0 + 1 }, VIRTIO_BLK_S_IOERR },
		{ { .type = VIRTIO_BLK_T_DISCARD, .out = blk_pattern, .out_bytes = 16 }, VIRTIO_BLK_S_UNSUPP },
		{ { .type = VIRTIO_BLK_T_WRITE_ZEROES, .out = blk_pattern, .out_bytes = 16 }, VIRTIO_BLK_S_UNSUPP },
		{ { .type = VIRTIO_BLK_T_SECURE_ERASE, .out = blk_pattern, .out_bytes = 16 }, VIRTIO_BLK_S_UNSUPP },
		{ { .type = VIRTIO_BLK_T_GET_LIFETIME, .in_bytes = 6 }, VIRTIO_BLK_S_UNSUPP },
		{ { .type = VIRTIO_BLK_T_ZONE_REPORT, .in_bytes = 512 }, VIRTIO_BLK_S_UNSUPP },
		{ { .type = VIRTIO_BLK_T_SCSI_CMD, .in_bytes = 512 }, VIRTIO_BLK_S_UNSUPP },
		{ { .type = VIRTIO_BLK_T_BARRIER | VIRTIO_BLK_T_OUT, .out = blk_pattern, .out_bytes = 512 },
		  VIRTIO_BLK_S_UNSUPP },
		{ { .type = UINT32_MAX, .in_bytes = 512 }, VIRTIO_BLK_S_UNSUPP },
	};
	const size_t n = sizeof cases / sizeof cases[0];

	(void)state;
	for (size_t r = 0; r < BLK_MEMORIES; r++) {
		struct blk_fixture f;
		uint64_t unsupported = 0;

		blk_setup(&f, blk_memories[r]);
		for (size_t i = 0; i < n; i++) {
			blk_refused(&f, &cases[i].ask, cases[i].status);
			unsupported += cases[i].status == VIRTIO_BLK_S_UNSUPP;
		}
		assert_int_equal(f.stats.unsupported, unsupported);
		assert_int_equal(f.stats.failed, n - unsupported);
		assert_int_equal(f.stats.malformed, 0);
		assert_int_equal(f.stats.first_error, VIRTIO_ESHORT);
		assert_int_equal(f.stats.first_refusal, VIRTIO_BLK_REFUSAL_PAST_END);
		assert_int_equal(f.stats.read_bytes + f.stats.written_bytes, 0);
	}
}

/*
 * The result of a refused request has the reason, and the statistics keep the first reason. The
 * result of a request that is carried out has no reason.
 */
static void blk_execute_says_why_it_refuses(void **state)
{
	static const struct {
		struct blk_ask ask;
		enum virtio_blk_refusal refusal, first;
	} cases[] = {
		{ { .type = VIRTIO_BLK_T_IN, .in_bytes = 512 }, VIRTIO_BLK_REFUSAL_NONE, VIRTIO_BLK_REFUSAL_NONE },
		{ { .type = VIRTIO_BLK_T_IN, .in_bytes = 511 },
		  VIRTIO_BLK_REFUSAL_NOT_SECTORS,
		  VIRTIO_BLK_REFUSAL_NOT_SECTORS },
		{ { .type = 99 }, VIRTIO_BLK_REFUSAL_UNKNOWN_TYPE, VIRTIO_BLK_REFUSAL_NOT_SECTORS },
		{ { .type = VIRTIO_BLK_T_IN, .header_bytes = 3 + 1 },
		  VIRTIO_BLK_REFUSAL_BAD_CHAIN,
		  VIRTIO_BLK_REFUSAL_NOT_SECTORS },
		{ { .type = VIRTIO_BLK_T_FLUSH }, VIRTIO_BLK_REFUSAL_NONE, VIRTIO_BLK_REFUSAL_NOT_SECTORS },
	};
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct virtio_blk_result result;

		memset(&result, 0x5a, sizeof result);
		blk_send(&f, &cases[i].ask);
		assert_int_equal(virtio_blk_pop(&f.queue, &f.request), 1);
		virtio_blk_execute(&f.blk, &f.request, &result);
		assert_int_equal(result.refusal, cases[i].refusal);
		assert_int_equal(result.status, virtio_blk_refusal_status(cases[i].refusal));
		assert_int_equal(result.error, f.request.base.error);
		assert_int_equal(virtio_blk_complete(&f.queue, &f.request, &result, &f.stats), 0);
		assert_int_equal(f.stats.first_refusal, cases[i].first);
		blk_pop_used(&f);
	}
}

/* A failure of the back end is not a refusal. */
static void blk_execute_tells_a_failure_from_a_refusal(void **state)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_FLUSH };
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	f.backend.flush_error = VIRTIO_EIO;
	blk_send(&f, &ask);
	blk_serve(&f);
	assert_int_equal(f.stats.failed, 1);
	assert_int_equal(f.stats.first_error, VIRTIO_EIO);
	assert_int_equal(f.stats.first_refusal, VIRTIO_BLK_REFUSAL_NONE);
}

/*
 * Without a back end, GET_ID succeeds, and a refused request gets its usual status. Other requests
 * fail, and change no byte but their status.
 */
static void blk_process_without_a_back_end_answers_what_needs_none(void **state)
{
	const struct virtio_blk_range range = { 1, 2, 0 };
	uint8_t bytes[16];
	const struct {
		struct blk_ask ask;
		uint8_t status;
		int error;
	} cases[] = {
		{ { .type = VIRTIO_BLK_T_GET_ID, .in_bytes = 20 }, VIRTIO_BLK_S_OK, 0 },
		{ { .type = VIRTIO_BLK_T_GET_ID, .in_bytes = 19 }, VIRTIO_BLK_S_IOERR, 0 },
		{ { .type = VIRTIO_BLK_T_IN, .sector = BLK_SECTORS, .in_bytes = 512 }, VIRTIO_BLK_S_IOERR, 0 },
		{ { .type = VIRTIO_BLK_T_GET_LIFETIME, .in_bytes = 6 }, VIRTIO_BLK_S_UNSUPP, 0 },
		{ { .type = VIRTIO_BLK_T_IN, .in_bytes = 512 }, VIRTIO_BLK_S_IOERR, VIRTIO_ENOOP },
		{ { .type = VIRTIO_BLK_T_IN }, VIRTIO_BLK_S_IOERR, VIRTIO_ENOOP },
		{ { .type = VIRTIO_BLK_T_OUT, .out = blk_pattern, .out_bytes = 512 },
		  VIRTIO_BLK_S_IOERR,
		  VIRTIO_ENOOP },
		{ { .type = VIRTIO_BLK_T_FLUSH }, VIRTIO_BLK_S_IOERR, VIRTIO_ENOOP },
		{ { .type = VIRTIO_BLK_T_DISCARD, .out = bytes, .out_bytes = blk_put_ranges(bytes, &range, 1) },
		  VIRTIO_BLK_S_IOERR,
		  VIRTIO_ENOOP },
	};

	(void)state;
	blk_fill_pattern();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const bool ok = cases[i].status == VIRTIO_BLK_S_OK;
		const struct blk_ask *ask = &cases[i].ask;
		struct blk_fixture f;

		blk_setup(&f, BLK_RAM);
		f.options.backend = (struct virtio_blk_backend){ .ops = NULL };
		f.options.flush = true;
		f.options.max_discard_sectors = f.options.max_discard_seg = 8;
		blk_restart(&f, BLK_FLUSH | BLK_F_DISCARD);
		memset(f.bitmap, 0, sizeof f.bitmap);
		blk_send(&f, ask);
		assert_int_equal(blk_serve(&f), ok ? 21 : ask->in_bytes ? 0 : 1);
		blk_expect(&f, ask, (const uint8_t *)f.options.id, ok ? 20 : 0, cases[i].status);
		blk_check_memory(&f);
		blk_check_dirty(&f, ask, ok ? 20 : 0);
		blk_check_disk(&f);
		assert_int_equal(f.backend.logged, 0);
		assert_int_equal(f.stats.first_error, cases[i].error);
		assert_int_equal(f.stats.first_refusal == VIRTIO_BLK_REFUSAL_NONE, ok || cases[i].error);
	}
}

/* Hostile 124: writes are refused whether or not the driver has accepted RO. */
static void blk_process_refuses_writes_to_a_read_only_disk(void **state)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_OUT, .out = blk_pattern, .out_bytes = 512 };
	struct blk_fixture f;

	(void)state;
	blk_fill_pattern();
	blk_setup(&f, BLK_RAM);
	f.options.read_only = true;
	blk_restart(&f, 0);
	blk_refused(&f, &ask, VIRTIO_BLK_S_IOERR);
	blk_restart(&f, BLK_RO);
	blk_refused(&f, &ask, VIRTIO_BLK_S_IOERR);
}

/* Hostile 47: a request with too many segments gets a status, and the disk is not accessed. */
static void blk_process_fails_a_request_with_too_many_segments(void **state)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_IN, .in_bytes = 512, .writable_piece = 8, .gap = 1 };
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	f.storage = (struct virtio_blk_storage){ .segments = f.segments, .segment_capacity = 32 };
	blk_prepare(&f);
	blk_send(&f, &ask);
	assert_int_equal(blk_serve(&f), 0);
	blk_expect(&f, &ask, NULL, 0, VIRTIO_BLK_S_IOERR);
	blk_check_memory(&f);
	assert_int_equal(f.backend.calls, 0);
	assert_int_equal(f.stats.first_error, VIRTIO_ENOBUFS);
}

/*
 * Hostile 110, 111, 131: a request that cannot get a status is completed with length 0, and the
 * next request is served.
 */
static void blk_process_completes_requests_that_cannot_be_answered(void **state)
{
	const struct virtio_mock_buffer outside[] = {
		{ BLK_READABLE, 16, 0 },
		{ BLK_RAM, 1, VRING_DESC_F_WRITE },
	};
	const struct blk_ask headless = { .type = VIRTIO_BLK_T_FLUSH, .no_status = true };
	const struct blk_ask good = { .type = VIRTIO_BLK_T_FLUSH };
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	blk_send(&f, &headless);
	assert_int_equal(blk_serve(&f), 0);
	blk_check_memory(&f);
	assert_true(virtio_mock_add(&f.mock, outside, 2) >= 0);
	assert_int_equal(blk_serve(&f), 0);
	blk_check_memory(&f);
	assert_int_equal(f.stats.malformed, 2);
	assert_int_equal(f.stats.first_error, VIRTIO_ESHORT);
	assert_int_equal(f.stats.first_refusal, VIRTIO_BLK_REFUSAL_BAD_CHAIN);
	assert_int_equal(f.backend.flushes, 0);
	blk_send(&f, &good);
	assert_int_equal(blk_serve(&f), 1);
	assert_true(virtio_queue_quiesced(&f.queue));
}

static int not_mapped(void *context, uint64_t addr, uint64_t len, uint32_t access, struct virtio_translation *out)
{
	(void)access;
	if (*(const bool *)context && addr >= BLK_RINGS_END)
		return VIRTIO_ENOTMAPPED;
	out->addr = addr;
	out->len = len;
	out->access = VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE;
	return 0;
}

/*
 * A missing translation is no fault. The device writes nothing, and the request is popped again
 * later.
 */
static void blk_process_unpops_when_memory_is_not_mapped(void **state)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_IN, .in_bytes = 512 };
	struct virtio_blk_stats none = { 0 };
	struct virtio_blk_request before;
	struct virtio_memory_map map;
	struct blk_fixture f;
	bool missing = true;

	(void)state;
	blk_setup(&f, BLK_RAM);
	map = f.map;
	virtio_memory_map_set_translation(&map, not_mapped, &missing);
	assert_int_equal(virtio_queue_set_memory(&f.queue, &map), 0);
	blk_send(&f, &ask);
	before = f.request;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(virtio_blk_process(&f.blk, &f.queue, &f.request, &f.stats), VIRTIO_ENOTMAPPED);
		assert_memory_equal(&f.request, &before, sizeof before);
		assert_memory_equal(&f.stats, &none, sizeof none);
		blk_check_memory(&f);
		assert_true(virtio_queue_quiesced(&f.queue));
	}
	missing = false;
	assert_int_equal(blk_serve(&f), 513);
	blk_expect(&f, &ask, f.disk_model, 512, VIRTIO_BLK_S_OK);
	blk_check_memory(&f);
}

/*
 * If memory is not mapped yet, a caller that has popped the chains must unpop them, the last chain
 * first.
 */
static void blk_parse_leaves_the_unpop_to_the_caller_when_memory_is_not_mapped(void **state)
{
	const struct virtio_mock_buffer buffers[] = { { BLK_READABLE, 16, 0 },
						      { BLK_WRITABLE, 1, VRING_DESC_F_WRITE } };
	struct virtio_blk_request before;
	struct virtio_memory_map map;
	struct virtio_chain chains[2];
	struct blk_fixture f;
	bool missing = true;

	(void)state;
	blk_setup(&f, BLK_RAM);
	map = f.map;
	virtio_memory_map_set_translation(&map, not_mapped, &missing);
	assert_int_equal(virtio_queue_set_memory(&f.queue, &map), 0);
	before = f.request;
	for (int i = 0; i < 2; i++) {
		assert_true(virtio_mock_add(&f.mock, buffers, 2) >= 0);
		assert_int_equal(virtio_queue_pop(&f.queue, &chains[i]), 1);
		assert_int_equal(virtio_blk_parse(&chains[i], &f.request), VIRTIO_ENOTMAPPED);
		assert_memory_equal(&f.request, &before, sizeof before);
	}
	assert_int_equal(virtio_queue_unpop(&f.queue, chains[0].token), VIRTIO_ENOTLAST);
	assert_false(virtio_queue_quiesced(&f.queue));
	assert_int_equal(virtio_queue_unpop(&f.queue, chains[1].token), 0);
	assert_int_equal(virtio_queue_unpop(&f.queue, chains[0].token), 0);
	assert_true(virtio_queue_quiesced(&f.queue));
	blk_check_memory(&f);
}

/* An empty queue and a broken queue give different results. The statistics count neither result. */
static void blk_process_returns_what_the_pop_returns(void **state)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_FLUSH };
	struct virtio_blk_stats none = { 0 };
	struct virtio_blk_request before;
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	before = f.request;
	assert_int_equal(virtio_blk_process(&f.blk, &f.queue, &f.request, &f.stats), 0);
	assert_int_equal(virtio_blk_pop(&f.queue, &f.request), 0);
	assert_int_equal(virtio_mock_offer(&f.mock, BLK_QUEUE), 0);
	assert_int_equal(virtio_mock_publish(&f.mock), 0);
	assert_int_equal(virtio_blk_process(&f.blk, &f.queue, &f.request, &f.stats), VIRTIO_EHEAD);
	blk_send(&f, &ask);
	assert_int_equal(virtio_blk_pop(&f.queue, &f.request), VIRTIO_EBROKEN);
	assert_int_equal(virtio_blk_process(&f.blk, &f.queue, &f.request, &f.stats), VIRTIO_EBROKEN);
	virtio_queue_reset(&f.queue);
	assert_int_equal(virtio_blk_process(&f.blk, &f.queue, &f.request, &f.stats), VIRTIO_ENOTREADY);
	assert_memory_equal(&f.request, &before, sizeof before);
	assert_memory_equal(&f.stats, &none, sizeof none);
	assert_int_equal(f.backend.logged, 0);
	blk_check_memory(&f);
}

/* The statistics are optional. */
static void blk_process_needs_no_statistics(void **state)
{
	const struct blk_ask headless = { .type = VIRTIO_BLK_T_FLUSH, .no_status = true };
	const struct blk_ask good = { .type = VIRTIO_BLK_T_FLUSH };
	struct blk_fixture f;

	(void)state;
	blk_setup(&f, BLK_RAM);
	for (uint32_t i = 0; i < 2; i++) {
		blk_send(&f, i ? &good : &headless);
		assert_int_equal(virtio_blk_process(&f.blk, &f.queue, &f.request, NULL), 1);
		assert_int_equal(blk_pop_used(&f), i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blk_read_fills_any_layout_and_nothing_else),
		cmocka_unit_test(blk_write_stores_any_layout_and_nothing_else),
		cmocka_unit_test(blk_write_accepts_header_and_data_in_one_buffer),
		cmocka_unit_test(blk_read_and_write_of_nothing_succeed_without_io),
		cmocka_unit_test(blk_get_id_writes_twenty_bytes),
		cmocka_unit_test(blk_flush_ignores_data_and_sector),
		cmocka_unit_test(blk_process_refuses_without_touching_anything),
		cmocka_unit_test(blk_execute_says_why_it_refuses),
		cmocka_unit_test(blk_execute_tells_a_failure_from_a_refusal),
		cmocka_unit_test(blk_process_without_a_back_end_answers_what_needs_none),
		cmocka_unit_test(blk_process_refuses_writes_to_a_read_only_disk),
		cmocka_unit_test(blk_process_fails_a_request_with_too_many_segments),
		cmocka_unit_test(blk_process_completes_requests_that_cannot_be_answered),
		cmocka_unit_test(blk_process_unpops_when_memory_is_not_mapped),
		cmocka_unit_test(blk_parse_leaves_the_unpop_to_the_caller_when_memory_is_not_mapped),
		cmocka_unit_test(blk_process_returns_what_the_pop_returns),
		cmocka_unit_test(blk_process_needs_no_statistics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
