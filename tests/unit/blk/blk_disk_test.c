/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The disk: options, features, cache mode and configuration space. */
#include "blk_fixture.h"

static int64_t no_move(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset)
{
	(void)context, (void)iov, (void)count, (void)offset;
	return VIRTIO_EIO;
}

static int no_flush(void *context)
{
	(void)context;
	return VIRTIO_EIO;
}

static int no_discard(void *context, uint64_t offset, uint64_t bytes)
{
	(void)context, (void)offset, (void)bytes;
	return VIRTIO_EIO;
}

static int no_zeroes(void *context, uint64_t offset, uint64_t bytes, bool unmap)
{
	(void)context, (void)offset, (void)bytes, (void)unmap;
	return VIRTIO_EIO;
}

static int no_lifetime(void *context, struct virtio_blk_wear *wear)
{
	(void)context, (void)wear;
	return VIRTIO_EIO;
}

static const struct virtio_blk_backend_ops all_ops = { .readv = no_move, .writev = no_move, .flush = no_flush };
/* All commands on ranges. One test removes the operation of each of these commands in turn. */
static const struct virtio_blk_backend_ops command_ops = { .readv = no_move,
							   .writev = no_move,
							   .discard = no_discard,
							   .write_zeroes = no_zeroes,
							   .secure_erase = no_discard };
static const struct virtio_blk_backend_ops worn_ops = { .readv = no_move, .lifetime = no_lifetime };
static const struct virtio_blk_backend_ops rich_ops = { .readv = no_move,
							.writev = no_move,
							.flush = no_flush,
							.discard = no_discard,
							.write_zeroes = no_zeroes,
							.secure_erase = no_discard,
							.lifetime = no_lifetime };
static const struct virtio_blk_backend_ops no_ops = { .flush = NULL };
static const struct virtio_blk_backend_ops write_only_ops = { .writev = no_move, .flush = no_flush };
static const struct virtio_blk_backend_ops read_only_ops = { .readv = no_move, .flush = no_flush };
static const struct virtio_blk_backend_ops volatile_ops = { .readv = no_move, .writev = no_move };

static struct virtio_blk_options plain(void)
{
	return (struct virtio_blk_options){ .backend = { .ops = &all_ops, .max_iovecs = 1 }, .capacity = 100 };
}

static void refuse_as(const struct virtio_blk_options *options, int error)
{
	struct virtio_blk blk, before;

	memset(&blk, 0x5a, sizeof blk);
	memset(&before, 0x5a, sizeof before);
	assert_int_equal(virtio_blk_init(&blk, options), error);
	assert_memory_equal(&blk, &before, sizeof blk);
}

static void refuse(const struct virtio_blk_options *options)
{
	refuse_as(options, VIRTIO_EINVAL);
}

static void lack(const struct virtio_blk_options *options, const char *op)
{
	refuse_as(options, VIRTIO_ENOOP);
	assert_string_equal(virtio_blk_missing_op(options), op);
}

static void blk_init_refuses_bad_options(void **state)
{
	struct virtio_blk_options o;

	(void)state;
	o = plain(), o.backend.max_iovecs = 0, refuse(&o);
	o = plain(), o.capacity = VIRTIO_BLK_MAX_CAPACITY + 1, refuse(&o);
	o = plain(), o.capacity = UINT64_MAX, refuse(&o);
	o = plain(), o.blk_size = 256, refuse(&o);
	o = plain(), o.blk_size = 1536, refuse(&o);
	o = plain(), o.blk_size = 513, refuse(&o);
	o = plain(), o.physical_block_exp = 23, refuse(&o);
	o = plain(), o.physical_block_exp = 255, refuse(&o);
	o = plain(), o.blk_size = 4096, o.physical_block_exp = 20, refuse(&o);
	o = plain(), o.blk_size = UINT32_C(1) << 31, o.physical_block_exp = 1, refuse(&o);
}

static void blk_init_names_the_operation_that_is_missing(void **state)
{
	struct virtio_blk_options o;

	(void)state;
	o = plain(), o.backend.ops = &no_ops, lack(&o, "readv");
	o = plain(), o.backend.ops = &write_only_ops, lack(&o, "readv");
	o = plain(), o.backend.ops = &read_only_ops, lack(&o, "writev");
	o = plain(), o.backend.ops = &volatile_ops, o.config_wce = true, lack(&o, "flush");
	o = plain(), o.backend.ops = &volatile_ops, o.flush = true, lack(&o, "flush");
	o = plain(), o.max_discard_seg = o.max_discard_sectors = 1, lack(&o, "discard");
	o = plain(), o.max_write_zeroes_seg = o.max_write_zeroes_sectors = 1, lack(&o, "write_zeroes");
	o = plain(), o.max_secure_erase_seg = o.max_secure_erase_sectors = 1, lack(&o, "secure_erase");
	/*
	 * virtio_blk_missing_op() names the first missing operation. A bad value is reported before
	 * a missing operation.
	 */
	o.max_write_zeroes_seg = o.max_write_zeroes_sectors = 1, lack(&o, "write_zeroes");
	o.backend.ops = &no_ops, lack(&o, "readv");
	o.blk_size = 1, refuse(&o);
	o = plain();
	assert_null(virtio_blk_missing_op(&o));
	o.backend.ops = &rich_ops, o.config_wce = true;
	o.max_discard_seg = o.max_write_zeroes_seg = o.max_secure_erase_seg = 1;
	assert_null(virtio_blk_missing_op(&o));
	o = plain(), o.backend.ops = &worn_ops, o.read_only = true;
	assert_null(virtio_blk_missing_op(&o));
}

/*
 * Each command on ranges needs its two limits (sectors and ranges), its operation and a writable
 * disk. If neither limit is set, the disk does not have the command.
 */
static void blk_init_refuses_commands_it_cannot_carry_out(void **state)
{
	static const size_t limits[3][2] = {
		{ offsetof(struct virtio_blk_options, max_discard_sectors),
		  offsetof(struct virtio_blk_options, max_discard_seg) },
		{ offsetof(struct virtio_blk_options, max_write_zeroes_sectors),
		  offsetof(struct virtio_blk_options, max_write_zeroes_seg) },
		{ offsetof(struct virtio_blk_options, max_secure_erase_sectors),
		  offsetof(struct virtio_blk_options, max_secure_erase_seg) },
	};
	static const uint64_t features[3] = { 1u << 13, 1u << 14, 1u << 16 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct virtio_blk_backend_ops ops = command_ops;

		/* Bits 0 and 1 set the limits, bit 2 the operation, bit 3 a read-only disk. */
		for (int bits = 0; bits < 16; bits++) {
			struct virtio_blk_options o = plain();
			struct virtio_blk blk;

			*(uint32_t *)(void *)((uint8_t *)&o + limits[i][0]) = bits & 1 ? UINT32_MAX : 0;
			*(uint32_t *)(void *)((uint8_t *)&o + limits[i][1]) = bits & 2 ? 1 : 0;
			ops = command_ops;
			if (!(bits & 4) && i == 0)
				ops.discard = NULL;
			if (!(bits & 4) && i == 1)
				ops.write_zeroes = NULL;
			if (!(bits & 4) && i == 2)
				ops.secure_erase = NULL;
			o.backend.ops = &ops;
			o.read_only = bits & 8;
			if ((bits & 3) && bits != 7) {
				refuse_as(&o, bits == 3 ? VIRTIO_ENOOP : VIRTIO_EINVAL);
				continue;
			}
			assert_int_equal(virtio_blk_init(&blk, &o), 0);
			assert_int_equal(virtio_blk_offered(&blk),
					 (bits == 7 ? features[i] : 0) | (bits & 8 ? 1u << 5 : 0));
		}
	}
}

static void accept(const struct virtio_blk_options *options, uint64_t offered)
{
	struct virtio_blk blk;

	memset(&blk, 0x5a, sizeof blk);
	assert_int_equal(virtio_blk_init(&blk, options), 0);
	assert_int_equal(virtio_blk_offered(&blk), offered);
	assert_int_equal(blk.negotiated, 0);
	assert_int_equal(blk.writeback, 0);
}

static void blk_init_offers_what_options_say(void **state)
{
	struct virtio_blk_options o;

	(void)state;
	/* These bit numbers are from the specification (5.2.3), so they also test our header. */
	o = plain(), accept(&o, 1u << 9);
	o = plain(), o.backend.ops = &volatile_ops, accept(&o, 0);
	o = plain(), o.backend.ops = &read_only_ops, o.read_only = true, accept(&o, 1u << 9 | 1u << 5);
	o = plain(), o.capacity = VIRTIO_BLK_MAX_CAPACITY, accept(&o, 1u << 9);
	o = plain(), o.size_max = 1, accept(&o, 1u << 9 | 1u << 1);
	o = plain(), o.seg_max = 1, accept(&o, 1u << 9 | 1u << 2);
	o = plain(), o.cylinders = 1, accept(&o, 1u << 9 | 1u << 4);
	o = plain(), o.blk_size = 512, accept(&o, 1u << 9 | 1u << 6);
	o = plain(), o.physical_block_exp = 22, accept(&o, 1u << 9 | 1u << 10);
	o = plain(), o.alignment_offset = 1, accept(&o, 1u << 9 | 1u << 10);
	o = plain(), o.min_io_size = 1, accept(&o, 1u << 9 | 1u << 10);
	o = plain(), o.opt_io_size = 1, accept(&o, 1u << 9 | 1u << 10);
	o = plain(), o.config_wce = true, accept(&o, 1u << 9 | 1u << 11);
	o = plain(), o.num_queues = 1, accept(&o, 1u << 9 | 1u << 12);
	/*
	 * A command on ranges is offered only with its limits. LIFETIME is offered if the operation
	 * `lifetime` exists. Alignments and write_zeroes_may_unmap offer no feature without limits.
	 */
	o = plain(), o.backend.ops = &command_ops, accept(&o, 0);
	o.discard_sector_alignment = o.secure_erase_sector_alignment = 8, o.write_zeroes_may_unmap = true;
	accept(&o, 0);
	o.max_discard_seg = o.max_discard_sectors = 1, accept(&o, 1u << 13);
	o.max_write_zeroes_seg = o.max_write_zeroes_sectors = 1, accept(&o, 1u << 13 | 1u << 14);
	o.max_secure_erase_seg = o.max_secure_erase_sectors = 1, accept(&o, 1u << 13 | 1u << 14 | 1u << 16);
	o = plain(), o.backend.ops = &worn_ops, o.read_only = true, accept(&o, 1u << 5 | 1u << 15);
}

static struct virtio_blk_options without_ops(void)
{
	return (struct virtio_blk_options){ .capacity = 100 };
}

static void blk_init_offers_what_options_say_without_a_back_end(void **state)
{
	struct virtio_blk_options o;

	(void)state;
	o = without_ops(), accept(&o, 0);
	o = without_ops(), o.flush = true, accept(&o, 1u << 9);
	o = without_ops(), o.flush = o.config_wce = true, accept(&o, 1u << 9 | 1u << 11);
	o = without_ops(), o.read_only = true, accept(&o, 1u << 5);
	o = without_ops(), o.max_discard_seg = o.max_discard_sectors = 1, accept(&o, 1u << 13);
	o = without_ops(), o.max_write_zeroes_seg = o.max_write_zeroes_sectors = 1, accept(&o, 1u << 14);
	o = without_ops(), o.max_secure_erase_seg = o.max_secure_erase_sectors = 1, accept(&o, 1u << 16);
	assert_null(virtio_blk_missing_op(&o));
	/* The values of the options are checked even if there is no back end. */
	o = without_ops(), o.config_wce = true, refuse(&o);
	o = without_ops(), o.max_discard_seg = 1, refuse(&o);
	o = without_ops(), o.max_discard_seg = o.max_discard_sectors = 1, o.read_only = true, refuse(&o);
	o = without_ops(), o.capacity = VIRTIO_BLK_MAX_CAPACITY + 1, refuse(&o);
	/* If the back end has the operation `flush`, the option `flush` has no effect. */
	o = plain(), o.flush = true, accept(&o, 1u << 9);
}

static void blk_negotiate_refuses_what_is_not_offered(void **state)
{
	struct virtio_blk_options o = plain();
	struct virtio_blk blk, before;

	(void)state;
	assert_int_equal(virtio_blk_init(&blk, &o), 0);
	assert_int_equal(virtio_blk_negotiate(&blk, BLK_FLUSH), 0);
	memcpy(&before, &blk, sizeof blk);
	for (unsigned bit = 0; bit < 24; bit++) {
		if (bit == VIRTIO_BLK_F_FLUSH)
			continue;
		assert_int_equal(virtio_blk_negotiate(&blk, UINT64_C(1) << bit), VIRTIO_EINVAL);
		assert_int_equal(virtio_blk_negotiate(&blk, BLK_FLUSH | UINT64_C(1) << bit), VIRTIO_EINVAL);
		assert_memory_equal(&blk, &before, sizeof blk);
	}
}

static void blk_negotiate_ignores_bits_of_queue_and_transport(void **state)
{
	struct virtio_blk_options o = plain();
	struct virtio_blk blk;

	(void)state;
	assert_int_equal(virtio_blk_init(&blk, &o), 0);
	assert_int_equal(virtio_blk_negotiate(&blk, ~((UINT64_C(1) << 24) - 1)), 0);
	assert_int_equal(blk.negotiated, 0);
}

static void blk_write_through_follows_features_and_field(void **state)
{
	static const struct {
		bool can_flush, has_wce;
		uint64_t features;
		uint8_t initial; /* value of writeback after negotiation */
		bool through;    /* whether the cache is write-through after negotiation */
	} cases[] = {
		/* If FLUSH is not offered, the disk promises no stable writes. */
		{ false, false, 0, 0, false },
		/* virtio 1.4, 5.2.6.2: FLUSH offered and not accepted. */
		{ true, false, 0, 0, true },
		{ true, false, BLK_FLUSH, 1, false },
		{ true, true, 0, 0, true },
		{ true, true, BLK_FLUSH, 1, false },
		/* virtio 1.4, 5.2.5.2: if only CONFIG_WCE is accepted, writeback begins with 0. */
		{ true, true, BLK_WCE, 0, true },
		{ true, true, BLK_FLUSH | BLK_WCE, 1, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct virtio_blk_options o = plain();
		struct virtio_blk blk;

		o.backend.ops = cases[i].can_flush ? &all_ops : &volatile_ops;
		o.config_wce = cases[i].has_wce;
		assert_int_equal(virtio_blk_init(&blk, &o), 0);
		assert_int_equal(virtio_blk_write_through(&blk), cases[i].can_flush);
		assert_int_equal(virtio_blk_negotiate(&blk, cases[i].features), 0);
		assert_int_equal(blk.writeback, cases[i].initial);
		assert_int_equal(virtio_blk_write_through(&blk), cases[i].through);
	}
}

static void blk_negotiate_keeps_writeback_when_repeated(void **state)
{
	struct virtio_blk_options o = plain();
	struct virtio_blk blk;

	(void)state;
	o.config_wce = true;
	assert_int_equal(virtio_blk_init(&blk, &o), 0);
	assert_int_equal(virtio_blk_negotiate(&blk, BLK_FLUSH | BLK_WCE), 0);
	assert_true(virtio_blk_config_write(&blk, 32, "\0", 1));
	/* A vhost-user front end sends all features again to add dirty logging (bit 26). */
	assert_int_equal(virtio_blk_negotiate(&blk, BLK_FLUSH | BLK_WCE | UINT64_C(1) << 26), 0);
	assert_int_equal(blk.writeback, 0);
	virtio_blk_reset(&blk);
	assert_int_equal(virtio_blk_negotiate(&blk, BLK_FLUSH | BLK_WCE), 0);
	assert_int_equal(blk.writeback, 1);
}

static void blk_reset_forgets_the_driver_and_keeps_the_disk(void **state)
{
	struct virtio_blk_options o = plain();
	struct virtio_blk blk;

	(void)state;
	o.config_wce = true;
	assert_int_equal(virtio_blk_init(&blk, &o), 0);
	assert_int_equal(virtio_blk_negotiate(&blk, BLK_FLUSH | BLK_WCE), 0);
	assert_int_equal(virtio_blk_set_capacity(&blk, 7), 0);
	virtio_blk_reset(&blk);
	assert_int_equal(blk.negotiated, 0);
	assert_int_equal(blk.writeback, 0);
	assert_int_equal(virtio_blk_capacity(&blk), 7);
	assert_int_equal(blk.offered, BLK_FLUSH | BLK_WCE);
}

static void blk_set_capacity_refuses_what_offsets_cannot_reach(void **state)
{
	struct virtio_blk_options o = plain();
	struct virtio_blk blk;

	(void)state;
	assert_int_equal(virtio_blk_init(&blk, &o), 0);
	assert_int_equal(virtio_blk_set_capacity(&blk, VIRTIO_BLK_MAX_CAPACITY + 1), VIRTIO_EINVAL);
	assert_int_equal(virtio_blk_set_capacity(&blk, UINT64_MAX), VIRTIO_EINVAL);
	assert_int_equal(virtio_blk_capacity(&blk), 100);
	assert_int_equal(virtio_blk_set_capacity(&blk, VIRTIO_BLK_MAX_CAPACITY), 0);
	assert_int_equal(virtio_blk_capacity(&blk), VIRTIO_BLK_MAX_CAPACITY);
	/* The disk's copy of the options keeps the initial capacity. */
	assert_int_equal(blk.options.capacity, 100);
}

/*
 * The values change the low half, the high half, or both halves. The disk has two copies of its
 * capacity, and the test updates each copy several times.
 */
static void blk_capacity_is_what_was_set_last(void **state)
{
	static const uint64_t values[] = { 0, UINT32_MAX, UINT64_C(1) << 32, VIRTIO_BLK_MAX_CAPACITY, 1 };
	const size_t count = sizeof values / sizeof values[0];
	struct virtio_blk_options o = plain();
	struct virtio_blk blk;

	(void)state;
	o.capacity = UINT64_C(0x0012345678abcdef);
	memset(&blk, 0x5a, sizeof blk);
	assert_int_equal(virtio_blk_init(&blk, &o), 0);
	assert_int_equal(virtio_blk_capacity(&blk), o.capacity);
	for (size_t i = 0; i < 6 * count; i++) {
		assert_int_equal(virtio_blk_set_capacity(&blk, values[i % count]), 0);
		assert_int_equal(virtio_blk_capacity(&blk), values[i % count]);
	}
	/* The next update wraps the count of updates. */
	blk.capacity_updates = UINT32_MAX;
	memcpy(blk.capacity_halves[1], blk.capacity_halves[0], sizeof blk.capacity_halves[1]);
	assert_int_equal(virtio_blk_capacity(&blk), values[4]);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(virtio_blk_set_capacity(&blk, values[i]), 0);
		assert_int_equal(virtio_blk_capacity(&blk), values[i]);
	}
}

/*
 * A thread was stopped in the middle of virtio_blk_set_capacity(). The thread has written one or
 * both halves of the copy that readers do not use yet.
 */
static void blk_capacity_is_the_old_one_during_an_update(void **state)
{
	struct virtio_blk_options o = plain();
	struct virtio_blk blk;

	(void)state;
	assert_int_equal(virtio_blk_init(&blk, &o), 0);
	for (uint64_t sectors = 101; sectors < 105; sectors++) {
		for (int half = 0; half < 2; half++) {
			blk.capacity_halves[(blk.capacity_updates + 1) & 1][half] = 0x1234567;
			assert_int_equal(virtio_blk_capacity(&blk), sectors - 1);
		}
		assert_int_equal(virtio_blk_set_capacity(&blk, sectors), 0);
		assert_int_equal(virtio_blk_capacity(&blk), sectors);
	}
}

/* Makes a disk with all features but RO and ZONED. Its configuration space (5.2.4) is below. */
static void everything(struct virtio_blk *blk)
{
	struct virtio_blk_options o = plain();

	o.backend.ops = &rich_ops;
	o.capacity = UINT64_C(0x0011223344556677);
	o.size_max = 0x01020304;
	o.seg_max = 0x05060708;
	o.cylinders = 0x1122;
	o.heads = 0x33;
	o.sectors = 0x44;
	o.blk_size = 0x1000;
	o.physical_block_exp = 3;
	o.alignment_offset = 0x55;
	o.min_io_size = 0x6677;
	o.opt_io_size = 0x8899aabb;
	o.config_wce = true;
	o.num_queues = 0xccdd;
	o.max_discard_sectors = 0xa1a2a3a4;
	o.max_discard_seg = 0xa5a6a7a8;
	o.discard_sector_alignment = 0xa9aaabac;
	o.max_write_zeroes_sectors = 0xb1b2b3b4;
	o.max_write_zeroes_seg = 0xb5b6b7b8;
	o.write_zeroes_may_unmap = true;
	o.max_secure_erase_sectors = 0xc1c2c3c4;
	o.max_secure_erase_seg = 0xc5c6c7c8;
	o.secure_erase_sector_alignment = 0xc9cacbcc;
	assert_int_equal(virtio_blk_init(blk, &o), 0);
	assert_int_equal(virtio_blk_negotiate(blk, blk->offered), 0);
}

static const uint8_t everything_config[VIRTIO_BLK_CONFIG_BYTES] = {
	0x77,
	0x66,
	0x55,
	0x44,
	0x33,
	0x22,
	0x11,
	0x00,
	0x04,
	0x03,
	0x02,
	0x01,
	0x08,
	0x07,
	0x06,
	0x05,
	0x22,
	0x11,
	0x33,
	0x44,
	0x00,
	0x10,
	0x00,
	0x00,
	3,
	0x55,
	0x77,
	0x66,
	0xbb,
	0xaa,
	0x99,
	0x88,
	1,
	0,
	0xdd,
	0xcc,
	0xa4,
	0xa3,
	0xa2,
	0xa1,
	0xa8,
	0xa7,
	0xa6,
	0xa5,
	0xac,
	0xab,
	0xaa,
	0xa9,
	0xb4,
	0xb3,
	0xb2,
	0xb1,
	0xb8,
	0xb7,
	0xb6,
	0xb5,
	1,
	0,
	0,
	0,
	0xc4,
	0xc3,
	0xc2,
	0xc1,
	0xc8,
	0xc7,
	0xc6,
	0xc5,
	0xcc,
	0xcb,
	0xca,
	0xc9,
	/* The fields of zones are zero. */
	0,
};

/* Hostile 103: a read at any offset fills exactly its length, with zeroes beyond the end. */
static void blk_config_read_is_right_at_every_offset_and_length(void **state)
{
	struct virtio_blk blk;
	uint8_t got[130];

	(void)state;
	everything(&blk);
	for (size_t offset = 0; offset < 110; offset++) {
		for (size_t len = 0; len < 128; len++) {
			memset(got, 0xee, sizeof got);
			virtio_blk_config_read(&blk, offset, got + 1, len);
			assert_int_equal(got[0], 0xee);
			assert_int_equal(got[1 + len], 0xee);
			for (size_t i = 0; i < len; i++)
				assert_int_equal(got[1 + i], offset + i < sizeof everything_config
								     ? everything_config[offset + i]
								     : 0);
		}
	}
}

static void blk_config_read_past_the_end_is_zero(void **state)
{
	static const uint64_t offsets[] = { 96, UINT32_MAX, UINT64_C(1) << 32, UINT64_MAX - 3, UINT64_MAX };
	struct virtio_blk blk;
	uint8_t got[8];

	(void)state;
	everything(&blk);
	for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
		memset(got, 0xee, sizeof got);
		virtio_blk_config_read(&blk, offsets[i], got, sizeof got);
		assert_memory_equal(got, "\0\0\0\0\0\0\0", 8);
	}
	virtio_blk_config_read(&blk, 0, NULL, 0);
}

static void blk_config_read_shows_only_capacity_without_features(void **state)
{
	struct virtio_blk_options o = plain();
	uint8_t got[VIRTIO_BLK_CONFIG_BYTES], expected[VIRTIO_BLK_CONFIG_BYTES] = { 100 };
	struct virtio_blk blk;

	(void)state;
	/*
	 * Without `cylinders`, the options `heads` and `sectors` have no effect. Without
	 * CONFIG_WCE, the field `writeback` reads as zero.
	 */
	o.heads = 9;
	o.sectors = 9;
	/* Hints without their command read as zero. */
	o.discard_sector_alignment = o.secure_erase_sector_alignment = 9;
	o.write_zeroes_may_unmap = true;
	assert_int_equal(virtio_blk_init(&blk, &o), 0);
	assert_int_equal(virtio_blk_negotiate(&blk, BLK_FLUSH), 0);
	virtio_blk_config_read(&blk, 0, got, sizeof got);
	assert_memory_equal(got, expected, sizeof got);
}

/*
 * Each feature shows only its own fields, at the offsets of virtio 1.4, 5.2.4. Padding and the
 * fields of zones are zero.
 */
static void blk_config_read_shows_the_fields_of_each_feature_alone(void **state)
{
	static const struct {
		uint8_t feature, from, to;
	} fields[] = {
		{ 1, 8, 12 },   { 2, 12, 16 },  { 4, 16, 20 },  { 6, 20, 24 },  { 10, 24, 32 },
		{ 12, 34, 36 }, { 13, 36, 48 }, { 14, 48, 57 }, { 16, 60, 72 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		uint8_t got[VIRTIO_BLK_CONFIG_BYTES], expected[VIRTIO_BLK_CONFIG_BYTES] = { 0 };
		struct virtio_blk all, blk;
		struct virtio_blk_options o;

		everything(&all);
		o = all.options;
		o.config_wce = false;
		o.size_max = fields[i].feature == 1 ? o.size_max : 0;
		o.seg_max = fields[i].feature == 2 ? o.seg_max : 0;
		o.cylinders = fields[i].feature == 4 ? o.cylinders : 0;
		o.blk_size = fields[i].feature == 6 ? o.blk_size : 0;
		if (fields[i].feature != 10)
			o.physical_block_exp = o.alignment_offset = 0, o.min_io_size = 0, o.opt_io_size = 0;
		o.num_queues = fields[i].feature == 12 ? o.num_queues : 0;
		if (fields[i].feature != 13)
			o.max_discard_sectors = o.max_discard_seg = 0;
		if (fields[i].feature != 14)
			o.max_write_zeroes_sectors = o.max_write_zeroes_seg = 0;
		if (fields[i].feature != 16)
			o.max_secure_erase_sectors = o.max_secure_erase_seg = 0;
		assert_int_equal(virtio_blk_init(&blk, &o), 0);
		assert_int_equal(virtio_blk_offered(&blk), UINT64_C(1) << fields[i].feature | 1u << 9 | 1u << 15);
		/* The fields are the same whether or not the driver accepts the feature. */
		assert_int_equal(virtio_blk_negotiate(&blk, i % 2 ? blk.offered : 0), 0);
		memcpy(expected, everything_config, 8);
		memcpy(expected + fields[i].from, everything_config + fields[i].from,
		       (size_t)(fields[i].to - fields[i].from));
		memset(got, 0xee, sizeof got);
		virtio_blk_config_read(&blk, 0, got, sizeof got);
		assert_memory_equal(got, expected, sizeof got);
	}
}

static void blk_config_read_says_whether_zeroing_may_unmap(void **state)
{
	struct virtio_blk_options o = plain();
	struct virtio_blk blk;
	uint8_t got[4];

	(void)state;
	o.backend.ops = &command_ops;
	o.max_write_zeroes_sectors = o.max_write_zeroes_seg = 1;
	for (int may = 0; may < 2; may++) {
		o.write_zeroes_may_unmap = may;
		assert_int_equal(virtio_blk_init(&blk, &o), 0);
		virtio_blk_config_read(&blk, 56, got, 4);
		assert_memory_equal(got, may ? "\1\0\0" : "\0\0\0", 4);
	}
}

static void blk_config_read_follows_the_capacity(void **state)
{
	struct virtio_blk blk;
	uint8_t got[VIRTIO_BLK_CONFIG_BYTES];

	(void)state;
	everything(&blk);
	assert_int_equal(virtio_blk_set_capacity(&blk, UINT64_C(0x0001020304050607)), 0);
	virtio_blk_config_read(&blk, 0, got, sizeof got);
	assert_memory_equal(got, "\7\6\5\4\3\2\1", 8);
	assert_memory_equal(got + 8, everything_config + 8, sizeof got - 8);
	/* A reset keeps the capacity. */
	virtio_blk_reset(&blk);
	virtio_blk_config_read(&blk, 0, got, 8);
	assert_memory_equal(got, "\7\6\5\4\3\2\1", 8);
}

/*
 * virtio 1.4, 5.2.5.2: the features decide the first value of writeback, and its possible values.
 */
static void blk_config_write_switches_as_far_as_the_driver_can_flush(void **state)
{
	static const struct {
		uint64_t features;
		uint8_t initial;
		bool takes[3]; /* [value]: whether a write of 0, 1 or 2 has an effect */
	} cases[] = {
		{ 0, 0, { false, false, false } },
		{ BLK_FLUSH, 1, { false, false, false } },
		{ BLK_WCE, 0, { true, false, false } },
		{ BLK_FLUSH | BLK_WCE, 1, { true, true, false } },
	};

	(void)state;
	for (size_t i = 0; i < 4 * 3 * 3; i++) {
		const uint8_t first = (uint8_t)(i / 4 % 3), second = (uint8_t)(i / 12);
		const bool *takes = cases[i % 4].takes;
		uint8_t value = cases[i % 4].initial, got;
		struct virtio_blk_options o = plain();
		struct virtio_blk blk;

		o.config_wce = true;
		assert_int_equal(virtio_blk_init(&blk, &o), 0);
		assert_int_equal(virtio_blk_negotiate(&blk, cases[i % 4].features), 0);
		virtio_blk_config_read(&blk, 32, &got, 1);
		assert_int_equal(got, value);
		assert_int_equal(virtio_blk_config_write(&blk, 32, &first, 1), takes[first]);
		value = takes[first] ? first : value;
		virtio_blk_config_read(&blk, 32, &got, 1);
		assert_int_equal(got, value);
		assert_int_equal(virtio_blk_config_write(&blk, 32, &second, 1), takes[second]);
		value = takes[second] ? second : value;
		virtio_blk_config_read(&blk, 32, &got, 1);
		assert_int_equal(got, value);
		assert_int_equal(virtio_blk_write_through(&blk), value == 0);
	}
}

/* Hostile 104: every field but writeback is read-only. */
static void blk_config_write_ignores_everything_but_writeback(void **state)
{
	uint8_t ones[200], got[VIRTIO_BLK_CONFIG_BYTES];
	struct virtio_blk blk, before;

	(void)state;
	everything(&blk);
	memset(ones, 0xff, sizeof ones);
	memcpy(&before, &blk, sizeof blk);
	for (uint64_t offset = 0; offset < 110; offset++) {
		for (size_t len = 0; len < 128; len++) {
			/* The writes cannot change writeback, because 0xff is not legal. */
			assert_false(virtio_blk_config_write(&blk, offset, ones, len));
			assert_memory_equal(&blk, &before, sizeof blk);
		}
	}
	assert_false(virtio_blk_config_write(&blk, UINT64_MAX, ones, 100));
	assert_false(virtio_blk_config_write(&blk, UINT64_MAX - 32, ones, 100));
	assert_false(virtio_blk_config_write(&blk, UINT64_C(1) << 32, ones, 100));
	assert_false(virtio_blk_config_write(&blk, 32, NULL, 0));
	virtio_blk_config_read(&blk, 0, got, sizeof got);
	assert_memory_equal(got, everything_config, sizeof got);
}

/* Hostile 105: a write may cover writeback alone, or together with bytes around it. */
static void blk_config_write_finds_writeback_in_any_write(void **state)
{
	struct virtio_blk blk;

	(void)state;
	everything(&blk);
	for (uint64_t offset = 0; offset < 40; offset++) {
		for (size_t len = 1; len < 64; len++) {
			const bool covered = offset <= 32 && offset + len > 32;
			uint8_t data[64];

			memset(data, 0x77, sizeof data);
			blk.writeback = 1;
			if (covered)
				data[32 - offset] = 0;
			assert_int_equal(virtio_blk_config_write(&blk, offset, data, len), covered);
			assert_int_equal(blk.writeback, !covered);
			assert_int_equal(virtio_blk_write_through(&blk), covered);
			if (!covered)
				continue;
			data[32 - offset] = 1;
			assert_true(virtio_blk_config_write(&blk, offset, data, len));
			assert_int_equal(blk.writeback, 1);
		}
	}
}

static void blk_config_write_ignores_writeback_without_its_feature(void **state)
{
	struct virtio_blk blk;

	(void)state;
	everything(&blk);
	virtio_blk_reset(&blk);
	assert_false(virtio_blk_config_write(&blk, 32, "\1", 1));
	assert_int_equal(blk.writeback, 0);
	assert_int_equal(virtio_blk_negotiate(&blk, BLK_FLUSH), 0);
	assert_false(virtio_blk_config_write(&blk, 32, "\0", 1));
	assert_int_equal(blk.writeback, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blk_init_refuses_bad_options),
		cmocka_unit_test(blk_init_names_the_operation_that_is_missing),
		cmocka_unit_test(blk_init_refuses_commands_it_cannot_carry_out),
		cmocka_unit_test(blk_init_offers_what_options_say),
		cmocka_unit_test(blk_init_offers_what_options_say_without_a_back_end),
		cmocka_unit_test(blk_negotiate_refuses_what_is_not_offered),
		cmocka_unit_test(blk_negotiate_ignores_bits_of_queue_and_transport),
		cmocka_unit_test(blk_write_through_follows_features_and_field),
		cmocka_unit_test(blk_negotiate_keeps_writeback_when_repeated),
		cmocka_unit_test(blk_reset_forgets_the_driver_and_keeps_the_disk),
		cmocka_unit_test(blk_set_capacity_refuses_what_offsets_cannot_reach),
		cmocka_unit_test(blk_capacity_is_what_was_set_last),
		cmocka_unit_test(blk_capacity_is_the_old_one_during_an_update),
		cmocka_unit_test(blk_config_read_is_right_at_every_offset_and_length),
		cmocka_unit_test(blk_config_read_past_the_end_is_zero),
		cmocka_unit_test(blk_config_read_shows_only_capacity_without_features),
		cmocka_unit_test(blk_config_read_shows_the_fields_of_each_feature_alone),
		cmocka_unit_test(blk_config_read_says_whether_zeroing_may_unmap),
		cmocka_unit_test(blk_config_read_follows_the_capacity),
		cmocka_unit_test(blk_config_write_switches_as_far_as_the_driver_can_flush),
		cmocka_unit_test(blk_config_write_ignores_everything_but_writeback),
		cmocka_unit_test(blk_config_write_finds_writeback_in_any_write),
		cmocka_unit_test(blk_config_write_ignores_writeback_without_its_feature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
