/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Discard, write zeroes and secure erase: their ranges in any layout, refusals, and effects. */
#define _DEFAULT_SOURCE
#include "blk_fixture.h"

#include <sys/mman.h>

#define UNMAP VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint32_t commands[] = { VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES, VIRTIO_BLK_T_SECURE_ERASE };

static enum blk_op op_of(uint32_t type, const struct virtio_blk_range *range)
{
	if (type == VIRTIO_BLK_T_DISCARD)
		return BLK_DISCARD;
	if (type == VIRTIO_BLK_T_SECURE_ERASE)
		return BLK_ERASE;
	return range->flags & UNMAP ? BLK_UNMAP : BLK_ZERO;
}

/* Returns a request on these ranges. The encoded ranges are written to the array `bytes`. */
static struct blk_ask ask_for(uint32_t type, uint8_t *bytes, const struct virtio_blk_range *ranges, uint32_t count)
{
	return (struct blk_ask){ .type = type, .out = bytes, .out_bytes = blk_put_ranges(bytes, ranges, count) };
}

/*
 * Serves a request that must succeed. Checks the calls (one for each range that isn't empty), the
 * disk and the memory.
 */
static void succeed(struct blk_fixture *f, const struct blk_ask *ask, const struct virtio_blk_range *ranges,
		    uint32_t count)
{
	uint32_t seen = f->backend.logged = 0;

	memset(f->bitmap, 0, sizeof f->bitmap);
	blk_send(f, ask);
	assert_int_equal(blk_serve(f), 1);
	for (uint32_t i = 0; i < count; i++) {
		const enum blk_op op = op_of(ask->type, &ranges[i]);
		const struct blk_call *call = &f->backend.log[seen];

		if (ranges[i].sectors == 0)
			continue;
		assert_int_equal(call->op, op);
		assert_int_equal(call->offset, ranges[i].sector * 512);
		assert_int_equal(call->bytes, ranges[i].sectors * 512);
		memset(f->disk_model + ranges[i].sector * 512, blk_after(op), (size_t)ranges[i].sectors * 512);
		seen++;
	}
	assert_int_equal(f->backend.logged, seen);
	blk_expect(f, ask, NULL, 0, VIRTIO_BLK_S_OK);
	blk_check_memory(f);
	blk_check_disk(f);
	blk_check_dirty(f, ask, 0);
}

/* Hostile 129, regression R30: a range may be cut anywhere, into single bytes too. */
static void blk_ranges_are_carried_out_in_order_in_any_layout(void **state)
{
	/* Ranges that overlap, an empty range, and a range that ends with the disk. */
	static const struct virtio_blk_range ranges[] = { { 3, 4, 0 }, { 5, 0, 0 }, { 6, 1, 0 }, { 14, 2, 0 } };

	(void)state;
	for (size_t r = 0; r < BLK_MEMORIES; r++) {
		struct blk_fixture f;

		blk_setup_commands(&f, blk_memories[r]);
		/*
		 * Each round cuts the request into pieces of another size. So each position is the
		 * first cut once. From the middle on, the first cut is the only cut.
		 */
		for (uint32_t piece = 0; piece < 16 + sizeof ranges / sizeof ranges[0] * 16; piece++) {
			uint8_t bytes[64];
			struct blk_ask ask = ask_for(commands[piece % 3], bytes, ranges, 4);

			ask.readable_piece = piece;
			ask.gap = piece % 5;
			ask.sector = UINT64_MAX; /* the device does not use the sector */
			succeed(&f, &ask, ranges, 4);
		}
		assert_int_equal(f.stats.discards + f.stats.write_zeroes + f.stats.secure_erases, 80);
		assert_int_equal(f.stats.discards, 27);
		assert_int_equal(f.stats.write_zeroes, 27);
		assert_int_equal(f.stats.secure_erases, 26);
		assert_int_equal(f.stats.others + f.stats.failed + f.stats.unsupported, 0);
		assert_int_equal(f.stats.written_bytes, 0);
		/*
		 * BLK_CHANGING has overwritten the descriptor after its first read. A second read
		 * would have failed the request.
		 */
		if (blk_memories[r] == BLK_CHANGING)
			assert_int_equal(f.ram[virtio_mock_desc_addr(&f.mock, 1)], 0xff);
	}
}

/* Flags */

/* Hostile 125, 126: the test sets each bit of the flags alone, for each command. */
static void blk_flags_decide_whether_a_command_is_known(void **state)
{
	static struct blk_fixture f;

	(void)state;
	blk_setup_commands(&f, BLK_RAM);
	for (size_t t = 0; t < COUNT(commands); t++) {
		for (uint32_t bit = 0; bit < 32; bit++) {
			const struct virtio_blk_range range = { 2, 3, UINT32_C(1) << bit };
			const bool known = commands[t] == VIRTIO_BLK_T_WRITE_ZEROES && bit == 0;
			uint8_t bytes[16];
			const struct blk_ask ask = ask_for(commands[t], bytes, &range, 1);

			if (known)
				succeed(&f, &ask, &range, 1);
			else
				blk_refused(&f, &ask, VIRTIO_BLK_S_UNSUPP);
		}
	}
	assert_int_equal(f.stats.unsupported, 95);
	assert_int_equal(f.stats.failed, 0);
}

/* An unknown flag in any range makes the request unsupported, also beside a known flag. */
static void blk_flags_are_judged_in_every_range_and_before_anything_else_in_them(void **state)
{
	static const struct virtio_blk_range good = { 0, 1, 0 };
	static const uint32_t bad_flags[] = { UINT32_C(1) << 31, 3, UINT32_MAX };
	/*
	 * One good range, and three bad ranges: outside the disk, too long, or both.
	 */
	static const struct virtio_blk_range bad_ranges[] = {
		{ 0, 1, 0 }, { BLK_SECTORS, 1, 0 }, { 0, 9, 0 }, { UINT64_MAX, UINT32_MAX, 0 }
	};
	static struct blk_fixture f;

	(void)state;
	blk_setup_commands(&f, BLK_RAM);
	for (uint32_t i = 0; i < 3 * 8 * COUNT(bad_flags) * COUNT(bad_ranges); i++) {
		const uint32_t where = i / 3 % 8;
		struct virtio_blk_range ranges[8];
		uint8_t bytes[128];
		struct blk_ask ask;

		for (uint32_t k = 0; k < 8; k++)
			ranges[k] = good;
		/* The bad range precedes the range with the unknown flag, or is that range. */
		ranges[i % 2 ? 0 : where] = bad_ranges[i / 24 % COUNT(bad_ranges)];
		ranges[where].flags = bad_flags[i / 24 / COUNT(bad_ranges)];
		ask = ask_for(commands[i % 3], bytes, ranges, 8);
		blk_refused(&f, &ask, VIRTIO_BLK_S_UNSUPP);
	}
}

/* An unknown flag is reported also if the list as a whole is bad (virtio 1.4, 5.2.6.2). */
static void blk_flags_are_judged_in_lists_that_are_wrong_as_a_whole(void **state)
{
	static struct blk_fixture f;

	(void)state;
	blk_setup_commands(&f, BLK_RAM);
	for (uint32_t i = 0; i < COUNT(commands); i++) {
		struct virtio_blk_range ranges[40];
		uint8_t bytes[sizeof ranges];
		struct blk_ask ask;

		for (uint32_t k = 0; k < COUNT(ranges); k++)
			ranges[k] = (struct virtio_blk_range){ 0, 1, k == 0 ? UINT32_C(1) << 30 : 0 };
		ask = ask_for(commands[i], bytes, ranges, COUNT(ranges));
		blk_refused(&f, &ask, VIRTIO_BLK_S_UNSUPP);
		ask = ask_for(commands[i], bytes, ranges, 1);
		ask.out_bytes += 5;
		blk_refused(&f, &ask, VIRTIO_BLK_S_UNSUPP);
		ask.out_bytes -= 5;
		ask.in_bytes = 512;
		blk_refused(&f, &ask, VIRTIO_BLK_S_UNSUPP);
	}
}

/*
 * Hostile 126: the option write_zeroes_may_unmap decides whether the flag `unmap` reaches the back
 * end. The range reads as zeroes whether or not the flag reaches the back end.
 */
static void blk_unmap_is_passed_on_only_where_it_may_unmap(void **state)
{
	static const struct virtio_blk_range ranges[] = { { 1, 2, UNMAP }, { 5, 2, 0 }, { 9, 1, UNMAP } };
	static const struct virtio_blk_range kept[] = { { 1, 2, 0 }, { 5, 2, 0 }, { 9, 1, 0 } };
	uint8_t bytes[48];
	const struct blk_ask ask = ask_for(VIRTIO_BLK_T_WRITE_ZEROES, bytes, ranges, 3);
	static struct blk_fixture f;

	(void)state;
	blk_setup_commands(&f, BLK_RAM);
	succeed(&f, &ask, ranges, 3);
	f.options.write_zeroes_may_unmap = false;
	blk_restart(&f, BLK_FLUSH | BLK_COMMANDS);
	succeed(&f, &ask, kept, 3);
}

/* Limits */

/* Returns the status of a request on these ranges under the disk's limits. */
static uint8_t check(const struct blk_fixture *f, uint32_t type, const struct virtio_blk_range *ranges, uint32_t count)
{
	struct virtio_blk_range copies[BLK_RANGES];
	const struct virtio_blk_request request = {
		.type = type, .base.data.readable_bytes = (uint64_t)count * 16, .ranges = copies, .range_count = count
	};

	memcpy(copies, ranges, sizeof *ranges * count);
	return virtio_blk_refusal_status(virtio_blk_refusal_of(&f->blk, &request));
}

/* Hostile 130: each number is compared before it is multiplied, and no sum wraps. */
static void blk_check_refuses_ranges_that_leave_the_disk(void **state)
{
	static const struct {
		struct virtio_blk_range range;
		uint8_t status;
	} cases[] = {
		{ { 0, 8, 0 }, VIRTIO_BLK_S_OK },
		{ { BLK_SECTORS - 1, 1, 0 }, VIRTIO_BLK_S_OK },
		{ { BLK_SECTORS - 8, 8, 0 }, VIRTIO_BLK_S_OK },
		{ { BLK_SECTORS, 0, 0 }, VIRTIO_BLK_S_OK },
		{ { BLK_SECTORS, 1, 0 }, VIRTIO_BLK_S_IOERR },
		{ { BLK_SECTORS - 1, 2, 0 }, VIRTIO_BLK_S_IOERR },
		{ { BLK_SECTORS - 7, 8, 0 }, VIRTIO_BLK_S_IOERR },
		{ { BLK_SECTORS + 1, 0, 0 }, VIRTIO_BLK_S_IOERR },
		{ { UINT64_C(1) << 32, 1, 0 }, VIRTIO_BLK_S_IOERR },
		{ { (UINT64_C(1) << 32) + 1, 8, 0 }, VIRTIO_BLK_S_IOERR },
		{ { (UINT64_C(1) << 55) - 1, 1, 0 }, VIRTIO_BLK_S_IOERR },
		{ { UINT64_C(1) << 55, 1, 0 }, VIRTIO_BLK_S_IOERR },
		{ { (UINT64_C(1) << 55) + 1, 8, 0 }, VIRTIO_BLK_S_IOERR },
		{ { UINT64_C(1) << 63, 8, 0 }, VIRTIO_BLK_S_IOERR },
		{ { UINT64_MAX, 0, 0 }, VIRTIO_BLK_S_IOERR },
		{ { UINT64_MAX, 1, 0 }, VIRTIO_BLK_S_IOERR },
		{ { UINT64_MAX, 2, 0 }, VIRTIO_BLK_S_IOERR },
		{ { UINT64_MAX - 6, 8, 0 }, VIRTIO_BLK_S_IOERR },
		{ { UINT64_MAX - 7, 8, 0 }, VIRTIO_BLK_S_IOERR },
	};
	static struct blk_fixture f;

	(void)state;
	blk_setup_commands(&f, BLK_RAM);
	for (size_t t = 0; t < COUNT(commands); t++) {
		for (size_t i = 0; i < COUNT(cases); i++) {
			uint8_t bytes[16];
			const struct blk_ask ask = ask_for(commands[t], bytes, &cases[i].range, 1);

			assert_int_equal(check(&f, commands[t], &cases[i].range, 1), cases[i].status);
			if (cases[i].status == VIRTIO_BLK_S_OK)
				succeed(&f, &ask, &cases[i].range, 1);
			else
				blk_refused(&f, &ask, VIRTIO_BLK_S_IOERR);
		}
	}
}

/* Every bit of a range's sector and of its number of sectors is checked. */
static void blk_ranges_are_judged_by_all_their_bits(void **state)
{
	static struct blk_fixture f;

	(void)state;
	blk_setup_commands(&f, BLK_RAM);
	for (uint32_t i = 0; i < 3 * 96; i++) {
		const uint32_t bit = i / 3;
		const struct virtio_blk_range range = {
			.sector = bit < 64 ? UINT64_C(1) << bit : 1,
			.sectors = bit < 64 ? 1 : 1 | UINT32_C(1) << (bit - 64),
		};
		uint8_t bytes[16];
		const struct blk_ask ask = ask_for(commands[i % 3], bytes, &range, 1);

		if (range.sector < BLK_SECTORS && range.sectors <= 8)
			succeed(&f, &ask, &range, 1);
		else
			blk_refused(&f, &ask, VIRTIO_BLK_S_IOERR);
	}
}

/*
 * On the largest disk, with the largest limits, a range may end at the disk's end, but not after
 * it.
 */
static void blk_check_reaches_the_end_of_the_largest_disk(void **state)
{
	const uint64_t end = VIRTIO_BLK_MAX_CAPACITY;
	const struct virtio_blk_range cases[] = { { end - UINT32_MAX, UINT32_MAX, 0 },
						  { end - UINT32_MAX + 1, UINT32_MAX, 0 },
						  { end - 1, 1, 0 },
						  { end - 1, 2, 0 } };
	static struct blk_fixture f;

	(void)state;
	blk_setup_commands(&f, BLK_RAM);
	f.options.capacity = end;
	f.options.max_discard_sectors = f.options.max_write_zeroes_sectors = f.options.max_secure_erase_sectors =
		UINT32_MAX;
	blk_restart(&f, BLK_COMMANDS);
	for (size_t t = 0; t < COUNT(commands); t++) {
		for (size_t i = 0; i < COUNT(cases); i++)
			assert_int_equal(check(&f, commands[t], &cases[i], 1),
					 i % 2 ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK);
	}
}

/* Each command has its own limits: 8, 4 and 2 sectors, and 4, 3 and 2 ranges. */
static void blk_check_applies_each_commands_own_limits(void **state)
{
	static const uint32_t most_sectors[] = { 8, 4, 2 }, most_ranges[] = { 4, 3, 2 };
	static struct blk_fixture f;

	(void)state;
	blk_setup_commands(&f, BLK_RAM);
	f.options.max_discard_sectors = 8;
	f.options.max_write_zeroes_sectors = 4;
	f.options.max_secure_erase_sectors = 2;
	f.options.max_discard_seg = 4;
	f.options.max_write_zeroes_seg = 3;
	f.options.max_secure_erase_seg = 2;
	blk_restart(&f, BLK_FLUSH | BLK_COMMANDS);
	for (size_t t = 0; t < COUNT(commands); t++) {
		for (uint32_t sectors = 0; sectors < 12; sectors++) {
			for (uint32_t count = 0; count < 9; count++) {
				struct virtio_blk_range ranges[8];
				uint8_t bytes[128];
				struct blk_ask ask;

				for (uint32_t k = 0; k < count; k++)
					ranges[k] = (struct virtio_blk_range){ k, k + 1 == count ? sectors : 1, 0 };
				ask = ask_for(commands[t], bytes, ranges, count);
				/*
				 * Hostile 128: a list of ranges is refused if it is empty or longer
				 * than advertised.
				 */
				if (count > 0 && count <= most_ranges[t] && sectors <= most_sectors[t])
					succeed(&f, &ask, ranges, count);
				else
					blk_refused(&f, &ask, VIRTIO_BLK_S_IOERR);
			}
		}
		assert_int_equal(check(&f, commands[t], &(struct virtio_blk_range){ 0, UINT32_MAX, 0 }, 1),
				 VIRTIO_BLK_S_IOERR);
	}
}

/*
 * A case may have several reasons for a refusal. The reason that the library checks first must be
 * reported, whichever range has it.
 */
static void blk_ranges_are_refused_for_the_first_reason(void **state)
{
	static const struct {
		uint64_t out, in;
		uint32_t count; /* ranges in the caller's array */
		struct virtio_blk_range ranges[2];
		enum virtio_blk_refusal refusal;
	} cases[] = {
		{ 32, 0, 2, { { 0, 8, 0 }, { 8, 8, 0 } }, VIRTIO_BLK_REFUSAL_NONE },
		{ 32, 0, 2, { { 0, 8, 0 }, { 8, 9, 2 } }, VIRTIO_BLK_REFUSAL_UNKNOWN_FLAG },
		{ 33, 1, 2, { { 0, 9, 0 }, { 99, 9, 2 } }, VIRTIO_BLK_REFUSAL_UNKNOWN_FLAG },
		{ 33, 1, 2, { { 0, 8, 0 }, { 8, 8, 0 } }, VIRTIO_BLK_REFUSAL_WRONG_DIRECTION },
		{ 33, 0, 2, { { 0, 9, 0 }, { 8, 8, 0 } }, VIRTIO_BLK_REFUSAL_NOT_RANGES },
		{ 15, 0, 0, { { 0, 0, 0 } }, VIRTIO_BLK_REFUSAL_NOT_RANGES },
		{ 0, 0, 0, { { 0, 0, 0 } }, VIRTIO_BLK_REFUSAL_NO_RANGES },
		{ 48, 0, 2, { { 0, 9, 0 }, { 99, 8, 0 } }, VIRTIO_BLK_REFUSAL_TOO_MANY_RANGES },
		{ 144, 0, 2, { { 0, 8, 0 }, { 8, 8, 0 } }, VIRTIO_BLK_REFUSAL_TOO_MANY_RANGES },
		{ 32, 0, 2, { { 0, 9, 0 }, { 99, 8, 0 } }, VIRTIO_BLK_REFUSAL_RANGE_TOO_LONG },
		{ 32, 0, 2, { { 99, 8, 0 }, { 0, 9, 0 } }, VIRTIO_BLK_REFUSAL_RANGE_TOO_LONG },
		{ 32, 0, 2, { { 99, 8, 0 }, { 0, 8, 0 } }, VIRTIO_BLK_REFUSAL_PAST_END },
		{ 32, 0, 2, { { 0, 8, 0 }, { BLK_SECTORS, 1, 0 } }, VIRTIO_BLK_REFUSAL_PAST_END },
	};
	static struct blk_fixture f;

	(void)state;
	blk_setup_commands(&f, BLK_RAM);
	for (size_t i = 0; i < COUNT(commands) * COUNT(cases); i++) {
		const size_t k = i / COUNT(commands);
		struct virtio_blk_range copies[2];
		const struct virtio_blk_request request = { .type = commands[i % COUNT(commands)],
							    .base.data.readable_bytes = cases[k].out,
							    .base.data.writable_bytes = cases[k].in,
							    .ranges = copies,
							    .range_count = cases[k].count };

		memcpy(copies, cases[k].ranges, sizeof copies);
		assert_int_equal(virtio_blk_refusal_of(&f.blk, &request), cases[k].refusal);
		assert_int_equal(virtio_blk_refusal_status(virtio_blk_refusal_of(&f.blk, &request)),
				 virtio_blk_refusal_status(cases[k].refusal));
	}
}

/* Hostile 129: a part of a range is refused. Hostile 128: a request without a range is refused. */
static void blk_ranges_must_be_whole(void **state)
{
	static const struct virtio_blk_range ranges[] = { { 0, 1, 0 }, { 1, 1, 0 }, { 2, 1, 0 } };
	static struct blk_fixture f;

	(void)state;
	for (size_t r = 0; r < BLK_MEMORIES; r++) {
		blk_setup_commands(&f, blk_memories[r]);
		for (uint32_t len = 0; len <= 48; len++) {
			uint8_t bytes[48];
			struct blk_ask ask = ask_for(commands[len % 3], bytes, ranges, 3);

			ask.out_bytes = len;
			ask.readable_piece = len % 4 ? len % 4 * 7 : 0;
			if (len && len % 16 == 0)
				succeed(&f, &ask, ranges, len / 16);
			else
				blk_refused(&f, &ask, VIRTIO_BLK_S_IOERR);
		}
	}
}

/* A request with more ranges than the caller's array is refused. The array is never overrun. */
static void blk_ranges_beyond_the_storage_are_refused(void **state)
{
	static const struct virtio_blk_range ranges[] = { { 0, 1, 0 }, { 1, 1, 0 }, { 2, 1, 0 }, { 3, 1, 0 } };
	static struct blk_fixture f;

	(void)state;
	for (uint32_t capacity = 0; capacity <= 5; capacity++) {
		uint8_t bytes[64];

		blk_setup_commands(&f, BLK_RAM);
		f.storage.range_capacity = capacity;
		f.storage.ranges = capacity ? f.ranges : NULL;
		blk_prepare(&f);
		for (uint32_t count = 1; count <= 4; count++) {
			const struct blk_ask ask = ask_for(commands[count % 3], bytes, ranges, count);

			memset(f.ranges, 0x5a, sizeof f.ranges);
			if (count <= capacity)
				succeed(&f, &ask, ranges, count);
			else
				blk_refused(&f, &ask, VIRTIO_BLK_S_IOERR);
			assert_int_equal(f.ranges[count < capacity ? count : capacity].flags, 0x5a5a5a5a);
		}
	}
}

/*
 * Overlapping ranges may have more sectors together than the disk. Each range is checked
 * separately.
 */
static void blk_ranges_may_overlap(void **state)
{
	struct virtio_blk_range ranges[8];
	static struct blk_fixture f;
	uint8_t bytes[128];
	struct blk_ask ask;

	(void)state;
	blk_setup_commands(&f, BLK_RAM);
	for (uint32_t i = 0; i < 8; i++)
		ranges[i] = (struct virtio_blk_range){ i, 8, 0 };
	for (size_t t = 0; t < COUNT(commands); t++) {
		ask = ask_for(commands[t], bytes, ranges, 8);
		succeed(&f, &ask, ranges, 8);
	}
}

static void blk_range_command_with_room_for_data_is_refused(void **state)
{
	static const struct virtio_blk_range range = { 0, 1, 0 };
	static struct blk_fixture f;

	(void)state;
	blk_setup_commands(&f, BLK_RAM);
	for (size_t t = 0; t < COUNT(commands); t++) {
		for (uint32_t room = 1; room <= 512; room += 511) {
			uint8_t bytes[16];
			struct blk_ask ask = ask_for(commands[t], bytes, &range, 1);

			ask.in_bytes = room;
			blk_refused(&f, &ask, VIRTIO_BLK_S_IOERR);
		}
	}
}

/* A request is checked completely before any range of the request is changed. */
static void blk_ranges_are_all_judged_before_the_first_is_touched(void **state)
{
	static const struct virtio_blk_range bad[] = {
		{ BLK_SECTORS, 1, 0 }, { 0, 9, 0 }, { UINT64_MAX, 1, 0 }, { BLK_SECTORS + 1, 0, 0 }
	};
	static struct blk_fixture f;

	(void)state;
	blk_setup_commands(&f, BLK_RAM);
	blk_restart(&f, BLK_COMMANDS); /* without FLUSH: write-through, so a sync would be logged */
	for (uint32_t i = 0; i < 3 * 8 * COUNT(bad); i++) {
		struct virtio_blk_range ranges[8];
		uint8_t bytes[128];
		struct blk_ask ask;

		for (uint32_t k = 0; k < 8; k++)
			ranges[k] = (struct virtio_blk_range){ k, 2, 0 };
		ranges[i / 3 % 8] = bad[i / 24];
		ask = ask_for(commands[i % 3], bytes, ranges, 8);
		blk_refused(&f, &ask, VIRTIO_BLK_S_IOERR);
	}
	assert_int_equal(f.stats.failed, 96);
}

/* A driver that overwrites its request */

struct scribbler {
	struct blk_fixture *f;
	int calls;
};

/*
 * Overwrites header and ranges with another request. The new request has an unknown type, unknown
 * flags, and ranges beyond the end of the disk.
 */
static void scribble(void *context, enum blk_op op)
{
	struct scribbler *s = context;

	(void)op;
	s->calls++;
	for (uint64_t i = 0; i < 16 + 3 * 16; i++)
		blk_poke(s->f, BLK_READABLE + i, (uint8_t)(0xff - s->calls));
}

/*
 * Hostile 114, 130: the driver changes the request after the pop and during the execution, but the
 * library uses its copy.
 */
static void blk_ranges_are_acted_on_as_they_were_when_parsed(void **state)
{
	static const struct virtio_blk_range ranges[] = { { 2, 1, 0 }, { 4, 2, 0 }, { 8, 3, 0 } };

	(void)state;
	for (size_t r = 0; r < BLK_MEMORIES; r++) {
		for (size_t t = 0; t < COUNT(commands); t++) {
			static struct blk_fixture f;
			struct scribbler s = { &f, 0 };
			struct virtio_blk_request *request = &f.request;
			struct virtio_blk_result result;
			uint8_t bytes[48];
			const struct blk_ask ask = ask_for(commands[t], bytes, ranges, 3);

			blk_setup_commands(&f, blk_memories[r]);
			blk_send(&f, &ask);
			f.backend.meanwhile = scribble;
			f.backend.meanwhile_context = &s;
			assert_int_equal(virtio_blk_pop(&f.queue, request), 1);
			scribble(&s, BLK_SYNC);
			assert_int_equal(virtio_blk_refusal_status(virtio_blk_refusal_of(&f.blk, request)),
					 VIRTIO_BLK_S_OK);
			scribble(&s, BLK_SYNC);
			assert_int_equal(request->type, commands[t]);
			assert_int_equal(request->range_count, 3);
			assert_memory_equal(request->ranges, ranges, sizeof ranges);
			virtio_blk_execute(&f.blk, request, &result);
			assert_int_equal(s.calls, 5);
			assert_int_equal(virtio_blk_complete(&f.queue, request, &result, &f.stats), 0);
			assert_int_equal(blk_pop_used(&f), 1);
			for (uint32_t i = 0; i < 3; i++)
				memset(f.disk_model + ranges[i].sector * 512, blk_after(op_of(commands[t], &ranges[i])),
				       (size_t)ranges[i].sectors * 512);
			blk_expect(&f, &ask, NULL, 0, VIRTIO_BLK_S_OK);
			blk_check_memory(&f);
			blk_check_disk(&f);
		}
	}
}

/*
 * A request has only its own ranges. No range of an earlier request in the same structure may
 * affect a later request.
 */
static void blk_ranges_are_forgotten_by_the_next_request(void **state)
{
	static const struct virtio_blk_range ranges[] = { { 2, 1, 0 }, { 4, 2, 0 }, { 8, 3, 0 } };
	const struct blk_ask others[] = { { .type = VIRTIO_BLK_T_IN, .in_bytes = 512, .writable_piece = 512 },
					  { .type = VIRTIO_BLK_T_FLUSH },
					  { .type = 99, .in_bytes = 7 },
					  { .type = VIRTIO_BLK_T_DISCARD, .header_bytes = 15 + 1 },
					  { .type = VIRTIO_BLK_T_DISCARD, .no_status = true } };

	(void)state;
	for (size_t r = 0; r < BLK_MEMORIES; r++) {
		for (size_t i = 0; i < COUNT(others); i++) {
			static struct blk_fixture f;
			uint8_t bytes[48];
			const struct blk_ask ask = ask_for(VIRTIO_BLK_T_DISCARD, bytes, ranges, 3);

			blk_setup_commands(&f, blk_memories[r]);
			blk_send(&f, &ask);
			assert_int_equal(blk_serve(&f), 1);
			assert_int_equal(f.request.range_count, 3);
			blk_send(&f, &others[i]);
			(void)blk_serve(&f);
			assert_int_equal(f.request.range_count, 0);
			assert_int_equal(f.stats.discards, 1);
			assert_int_equal(f.backend.range_calls, 3);
		}
	}
}

/*
 * Hostile 128: a request with 67 million ranges causes bounded work. An access to guest memory
 * after the first ranges would end the program.
 */
static void blk_ranges_in_millions_are_not_even_looked_at(void **state)
{
	const size_t size = (size_t)1 << 30, seen = 0x10000;
	const struct virtio_mock_buffer buffers[] = {
		{ 0x8000, 16, 0 },
		{ seen - BLK_RANGES * 16, (uint32_t)(size - seen), 0 },
		{ 0x9000, 1, VRING_DESC_F_WRITE },
	};
	struct virtio_region region = { .addr = 0, .len = size };
	static struct blk_fixture f;
	struct virtio_memory_map map;
	uint8_t *ram;

	(void)state;
	ram = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ram == MAP_FAILED) {
		print_message("no address space for a guest of 1 GiB\n");
		skip();
	}
	assert_int_equal(mprotect(ram, seen, PROT_READ | PROT_WRITE), 0);
	blk_setup_commands(&f, BLK_RAM);
	/*
	 * The caller's array bounds the work, whether the disk advertises 8 ranges or 2^32 - 1
	 * ranges.
	 */
	for (int wide = 0; wide < 2; wide++) {
		f.options.max_discard_seg = wide ? UINT32_MAX : 8;
		blk_restart(&f, BLK_COMMANDS);
		region.host = ram;
		assert_int_equal(virtio_memory_map_init(&map, &region, 1), 0);
		assert_int_equal(virtio_mock_init(&f.mock, &map, 0, BLK_QUEUE, f.slots, BLK_QUEUE), 0);
		assert_int_equal(virtio_mock_create_queue(&f.mock, &f.queue, f.inflight, BLK_QUEUE, &map), 0);
		ram[0x8000] = VIRTIO_BLK_T_DISCARD;
		ram[0x9000] = BLK_FILL;
		assert_true(virtio_mock_add(&f.mock, buffers, 3) >= 0);
		assert_int_equal(blk_serve(&f), 1);
		assert_int_equal(ram[0x9000], VIRTIO_BLK_S_IOERR);
		assert_int_equal(f.backend.logged, 0);
	}
	blk_check_disk(&f);
	munmap(ram, size);
}

/* When the back end fails */

static void blk_ranges_after_a_failed_one_are_not_begun(void **state)
{
	static const struct virtio_blk_range ranges[] = { { 0, 2, 0 }, { 4, 4, 0 }, { 10, 2, 0 } };
	static const int errors[] = { VIRTIO_EIO, VIRTIO_EINVAL, 1 };

	(void)state;
	for (int i = 0; i < 27; i++) {
		const uint32_t type = commands[i / 3 % 3];
		const int call = i % 3 + 1;
		static struct blk_fixture f;
		uint8_t bytes[48];
		const struct blk_ask ask = ask_for(type, bytes, ranges, 3);

		blk_setup_commands(&f, BLK_RAM);
		blk_restart(&f, BLK_COMMANDS);
		f.backend.range_fail_call = call;
		f.backend.range_fail_with = errors[i / 9];
		blk_send(&f, &ask);
		assert_int_equal(blk_serve(&f), 1);
		for (int k = 0; k < call; k++)
			memset(f.disk_model + ranges[k].sector * 512, blk_after(op_of(type, &ranges[k])),
			       (size_t)ranges[k].sectors * (k + 1 == call ? 256 : 512));
		blk_expect(&f, &ask, NULL, 0, VIRTIO_BLK_S_IOERR);
		blk_check_memory(&f);
		blk_check_disk(&f);
		assert_int_equal(f.backend.logged, call);
		assert_int_equal(f.stats.failed, 1);
		assert_int_equal(f.stats.first_error, errors[i / 9]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blk_ranges_are_carried_out_in_order_in_any_layout),
		cmocka_unit_test(blk_flags_decide_whether_a_command_is_known),
		cmocka_unit_test(blk_flags_are_judged_in_every_range_and_before_anything_else_in_them),
		cmocka_unit_test(blk_flags_are_judged_in_lists_that_are_wrong_as_a_whole),
		cmocka_unit_test(blk_unmap_is_passed_on_only_where_it_may_unmap),
		cmocka_unit_test(blk_check_refuses_ranges_that_leave_the_disk),
		cmocka_unit_test(blk_ranges_are_judged_by_all_their_bits),
		cmocka_unit_test(blk_check_reaches_the_end_of_the_largest_disk),
		cmocka_unit_test(blk_check_applies_each_commands_own_limits),
		cmocka_unit_test(blk_ranges_are_refused_for_the_first_reason),
		cmocka_unit_test(blk_ranges_must_be_whole),
		cmocka_unit_test(blk_ranges_beyond_the_storage_are_refused),
		cmocka_unit_test(blk_ranges_may_overlap),
		cmocka_unit_test(blk_range_command_with_room_for_data_is_refused),
		cmocka_unit_test(blk_ranges_are_all_judged_before_the_first_is_touched),
		cmocka_unit_test(blk_ranges_are_acted_on_as_they_were_when_parsed),
		cmocka_unit_test(blk_ranges_are_forgotten_by_the_next_request),
		cmocka_unit_test(blk_ranges_in_millions_are_not_even_looked_at),
		cmocka_unit_test(blk_ranges_after_a_failed_one_are_not_begun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
