/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests the block device by the clauses of virtio 1.4. The clauses are about features, zones (never
 * offered), commands on ranges of sectors, and the wear of storage.
 */
#define _POSIX_C_SOURCE 200809L /* fileno */
#include "blk_fixture.h"
#include <stdio.h>
#include <virtio/blk_file.h>
#include <virtio/blk_memory.h>

#define ZONED (UINT64_C(1) << 17)
#define RANGE 16u /* bytes of a range in a request (virtio 1.4, 5.2.6) */

/* A back end with every operation. The back end counts the calls that change a range. */
struct storage {
	struct blk_faulty *disk;
	struct virtio_blk_wear wear;
	uint32_t changes; /* calls that change a range */
	uint32_t unmaps;  /* calls of write_zeroes that may unmap */
};

static int64_t read_disk(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset)
{
	return blk_faulty_readv(((struct storage *)context)->disk, iov, count, offset);
}

static int64_t write_disk(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset)
{
	return blk_faulty_writev(((struct storage *)context)->disk, iov, count, offset);
}

static int flush_disk(void *context)
{
	return blk_faulty_flush(((struct storage *)context)->disk);
}

static int write_zeroes(void *context, uint64_t offset, uint64_t bytes, bool unmap)
{
	struct storage *s = context;

	assert_true(offset <= BLK_DISK && bytes <= BLK_DISK - offset);
	memset(s->disk->disk + offset, 0, (size_t)bytes);
	s->changes++;
	s->unmaps += unmap;
	return 0;
}

static int discard(void *context, uint64_t offset, uint64_t bytes)
{
	return write_zeroes(context, offset, bytes, false);
}

static int get_wear(void *context, struct virtio_blk_wear *wear)
{
	*wear = ((struct storage *)context)->wear;
	return 0;
}

static const struct virtio_blk_backend_ops every_op = {
	.readv = read_disk,
	.writev = write_disk,
	.flush = flush_disk,
	.discard = discard,
	.write_zeroes = write_zeroes,
	.secure_erase = discard,
	.lifetime = get_wear,
};

/* Sets up a disk with every feature but RO and ZONED, and a driver that accepts all of them. */
static void setup(struct blk_fixture *f, struct storage *s)
{
	const struct virtio_blk_options all = {
		.backend = { .ops = &every_op, .context = s, .max_iovecs = 1024 },
		.capacity = BLK_SECTORS,
		.config_wce = true,
		.num_queues = 3,
		.size_max = 0x1000,
		.seg_max = 7,
		.blk_size = 512,
		.cylinders = 1,
		.heads = 2,
		.sectors = 3,
		.physical_block_exp = 3,
		.alignment_offset = 1,
		.min_io_size = 8,
		.opt_io_size = 16,
		.max_discard_sectors = 8,
		.max_discard_seg = 2,
		.discard_sector_alignment = 1,
		.max_write_zeroes_sectors = 8,
		.max_write_zeroes_seg = 2,
		.write_zeroes_may_unmap = true,
		.max_secure_erase_sectors = 8,
		.max_secure_erase_seg = 2,
		.secure_erase_sector_alignment = 1,
	};

	blk_setup(f, BLK_RAM);
	memset(s, 0, sizeof *s);
	s->disk = &f->backend;
	f->options = all;
	assert_int_equal(virtio_blk_init(&f->blk, &f->options), 0);
	assert_int_equal(virtio_blk_negotiate(&f->blk, virtio_blk_offered(&f->blk)), 0);
}

static void read_config(const struct blk_fixture *f, uint8_t config[VIRTIO_BLK_CONFIG_BYTES])
{
	memset(config, 0xee, VIRTIO_BLK_CONFIG_BYTES);
	virtio_blk_config_read(&f->blk, 0, config, VIRTIO_BLK_CONFIG_BYTES);
}

/* Configuration */

/*
 * virtio 1.4, 2.5.2; hostile 207: each field can be read as soon as its feature is offered. But
 * writeback reads 0 until the negotiation.
 */
static void conformance_blk_config_is_readable_before_negotiation(void **state)
{
	uint8_t before[VIRTIO_BLK_CONFIG_BYTES], after[VIRTIO_BLK_CONFIG_BYTES];
	struct blk_fixture f;
	struct storage s;

	(void)state;
	setup(&f, &s);
	read_config(&f, after);
	virtio_blk_reset(&f.blk);
	read_config(&f, before);
	assert_int_equal(before[32], 0);
	assert_int_equal(after[32], 1);
	before[32] = 1;
	assert_memory_equal(before, after, sizeof before);
	/*
	 * Checks fields at the specification's offsets. If `before` had only zeroes, the comparison
	 * above would prove nothing.
	 */
	assert_int_equal(virtio_get_le32(before + 8), 0x1000);
	assert_int_equal(virtio_get_le32(before + 20), 512);
	assert_int_equal(before[24], 3);
	assert_int_equal(before[34], 3);
	assert_int_equal(virtio_get_le32(before + 36), 8);
	assert_int_equal(virtio_get_le32(before + 52), 2);
	assert_int_equal(before[56], 1);
	assert_int_equal(virtio_get_le32(before + 64), 2);
}

/* virtio 1.4, 5.2.5.2: the padding is zero, also on a disk that shows all fields but zones. */
static void conformance_blk_padding_is_zero(void **state)
{
	static const uint32_t padding[] = { 33, 57, 58, 59, 93, 94, 95 };
	uint8_t config[VIRTIO_BLK_CONFIG_BYTES];
	struct blk_fixture f;
	struct storage s;

	(void)state;
	setup(&f, &s);
	read_config(&f, config);
	for (size_t i = 0; i < sizeof padding / sizeof padding[0]; i++)
		assert_int_equal(config[padding[i]], 0);
}

/*
 * ZONED is never offered and cannot be negotiated. Its fields are zero, and its requests are
 * unsupported.
 */
static void conformance_blk_has_no_zones(void **state)
{
	static const uint32_t types[] = { VIRTIO_BLK_T_ZONE_APPEND,   VIRTIO_BLK_T_ZONE_REPORT, VIRTIO_BLK_T_ZONE_OPEN,
					  VIRTIO_BLK_T_ZONE_CLOSE,    VIRTIO_BLK_T_ZONE_FINISH, VIRTIO_BLK_T_ZONE_RESET,
					  VIRTIO_BLK_T_ZONE_RESET_ALL };
	uint8_t config[VIRTIO_BLK_CONFIG_BYTES];
	const uint8_t zeroes[24] = { 0 };
	struct blk_fixture f;
	struct storage s;

	(void)state;
	blk_fill_pattern();
	setup(&f, &s);
	/*
	 * The offered bits, by the specification's numbers: all up to MQ except RO, and DISCARD to
	 * SECURE_ERASE.
	 */
	assert_int_equal(virtio_blk_offered(&f.blk), 0x1fe56);
	assert_int_equal(virtio_blk_negotiate(&f.blk, 0x1fe56 | ZONED), VIRTIO_EINVAL);
	read_config(&f, config);
	assert_memory_equal(config + 72, zeroes, 24);
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		const struct blk_ask in = { .type = types[i], .in_bytes = 512 };
		const struct blk_ask out = { .type = types[i], .out = blk_pattern, .out_bytes = 512 };

		blk_refused(&f, &in, VIRTIO_BLK_S_UNSUPP);
		blk_refused(&f, &out, VIRTIO_BLK_S_UNSUPP);
	}
}

/* Commands on ranges */

static void put_range(uint8_t *out, uint64_t sector, uint32_t sectors, uint32_t flags)
{
	virtio_put_le64(out, sector);
	virtio_put_le32(out + 8, sectors);
	virtio_put_le32(out + 12, flags);
}

/* Serves a request for which the device writes the status and no data. Returns the status. */
static uint8_t command(struct blk_fixture *f, uint32_t type, const uint8_t *ranges, uint32_t count)
{
	const struct blk_ask ask = { .type = type, .out = ranges, .out_bytes = RANGE * count };

	blk_send(f, &ask);
	assert_int_equal(blk_serve(f), 1);
	return f->ram[blk_status_place(&ask)];
}

/*
 * virtio 1.4, 5.2.6.2: a command with an unknown flag is unsupported and changes nothing. Every
 * flag but `unmap` is unknown, and `unmap` is known for write zeroes only. The unknown flag is in
 * the first or the second of two ranges. Both ranges are on the disk, or both are outside the disk.
 */
static void conformance_blk_unknown_flags_are_not_supported(void **state)
{
	static const uint32_t types[] = { VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES, VIRTIO_BLK_T_SECURE_ERASE };
	struct blk_fixture f;
	struct storage s;

	(void)state;
	setup(&f, &s);
	for (size_t t = 0; t < 3; t++)
		for (uint32_t i = 0; i < 32 * 4; i++) {
			const uint32_t flag = UINT32_C(1) << i % 32, place = i / 32 % 2;
			const uint64_t sector = i / 64 ? UINT64_MAX : 0;
			uint8_t ranges[2 * RANGE];

			if (types[t] == VIRTIO_BLK_T_WRITE_ZEROES && flag == 1)
				continue;
			put_range(ranges, sector, 1, place == 0 ? flag : 0);
			put_range(ranges + RANGE, sector, 1, place == 1 ? flag : 0);
			assert_int_equal(command(&f, types[t], ranges, 2), VIRTIO_BLK_S_UNSUPP);
			assert_int_equal(s.changes, 0);
			blk_check_disk(&f);
		}
	for (size_t t = 0; t < 3; t++) {
		uint8_t range[RANGE];

		put_range(range, 0, 1, types[t] == VIRTIO_BLK_T_WRITE_ZEROES);
		assert_int_equal(command(&f, types[t], range, 1), VIRTIO_BLK_S_OK);
	}
	assert_int_equal(s.changes, 3);
}

/* Zeroes two ranges and reads the whole disk. */
static void zero_and_read(struct blk_fixture *f, uint32_t flags)
{
	const struct blk_ask read = { .type = VIRTIO_BLK_T_IN, .in_bytes = BLK_DISK };
	const struct blk_ask write = { .type = VIRTIO_BLK_T_OUT, .out = blk_pattern, .out_bytes = 4096, .sector = 1 };
	uint8_t ranges[2 * RANGE];

	blk_send(f, &write);
	assert_int_equal(blk_serve(f), 1);
	memcpy(f->disk_model + 512, blk_pattern, 4096);
	put_range(ranges, 2, 3, flags);
	put_range(ranges + RANGE, BLK_SECTORS - 1, 1, flags);
	assert_int_equal(command(f, VIRTIO_BLK_T_WRITE_ZEROES, ranges, 2), VIRTIO_BLK_S_OK);
	memset(f->disk_model + 2 * 512, 0, 3 * 512);
	memset(f->disk_model + BLK_DISK - 512, 0, 512);
	blk_send(f, &read);
	assert_int_equal(blk_serve(f), BLK_DISK + 1);
	assert_memory_equal(f->ram + BLK_WRITABLE, f->disk_model, BLK_DISK);
}

/*
 * virtio 1.4, 5.2.6.2: zeroed ranges read as zeroes on each back end. The request has the flag
 * `unmap` or not, and the disk may unmap or not.
 */
static void conformance_blk_zeroes_are_read_where_they_were_written(void **state)
{
	(void)state;
	blk_fill_pattern();
	for (uint32_t i = 0; i < 2 * 2 * 3; i++) {
		struct virtio_blk_memory memory;
		struct virtio_blk_file file;
		struct blk_fixture f;
		struct storage s;
		FILE *stream = tmpfile();

		assert_non_null(stream);
		setup(&f, &s);
		assert_int_equal(fwrite(f.backend.disk, 1, BLK_DISK, stream), BLK_DISK);
		assert_int_equal(fflush(stream), 0);
		memory = (struct virtio_blk_memory){ f.backend.disk, BLK_DISK };
		if (i % 3 == 1)
			assert_int_equal(virtio_blk_memory_backend(&memory, &f.options.backend), 0);
		if (i % 3 == 2)
			assert_int_equal(virtio_blk_file_backend(&file, fileno(stream), &f.options.backend), 0);
		f.options.write_zeroes_may_unmap = i / 3 % 2 != 0;
		/* A regular file has no secure erase. */
		f.options.max_secure_erase_sectors = f.options.max_secure_erase_seg = 0;
		assert_int_equal(virtio_blk_init(&f.blk, &f.options), 0);
		assert_int_equal(virtio_blk_negotiate(&f.blk, virtio_blk_offered(&f.blk)), 0);
		zero_and_read(&f, i / 6 ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0);
		assert_int_equal(fclose(stream), 0);
	}
}

/*
 * virtio 1.4, 5.2.6.2: write_zeroes_may_unmap is set if and only if write zeroes may unmap, and
 * never changes.
 */
static void conformance_blk_may_unmap_says_what_write_zeroes_does(void **state)
{
	(void)state;
	blk_fill_pattern();
	for (uint32_t may = 0; may <= 1; may++) {
		uint8_t config[VIRTIO_BLK_CONFIG_BYTES];
		struct blk_fixture f;
		struct storage s;

		setup(&f, &s);
		f.options.write_zeroes_may_unmap = may != 0;
		assert_int_equal(virtio_blk_init(&f.blk, &f.options), 0);
		read_config(&f, config);
		assert_int_equal(config[56], may);
		assert_int_equal(virtio_blk_negotiate(&f.blk, virtio_blk_offered(&f.blk)), 0);
		zero_and_read(&f, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
		assert_int_equal(s.changes, 2);
		assert_int_equal(s.unmaps, 2 * may);
		zero_and_read(&f, 0);
		assert_int_equal(s.changes, 4);
		assert_int_equal(s.unmaps, 2 * may);
		read_config(&f, config);
		assert_int_equal(config[56], may);
	}
}

/* Lifetime */

/* virtio 1.4, 5.2.6.2: the feature is offered if and only if the storage can report its wear. */
static void conformance_blk_lifetime_is_offered_where_storage_tells(void **state)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_GET_LIFETIME, .in_bytes = 6 };
	struct virtio_blk_backend_ops ops = every_op;
	struct blk_fixture f;
	struct storage s;

	(void)state;
	setup(&f, &s);
	assert_int_equal(virtio_blk_offered(&f.blk) >> VIRTIO_BLK_F_LIFETIME & 1, 1);
	ops.lifetime = NULL;
	f.options.backend.ops = &ops;
	assert_int_equal(virtio_blk_init(&f.blk, &f.options), 0);
	assert_int_equal(virtio_blk_offered(&f.blk) >> VIRTIO_BLK_F_LIFETIME & 1, 0);
	assert_int_equal(virtio_blk_negotiate(&f.blk, virtio_blk_offered(&f.blk)), 0);
	blk_refused(&f, &ask, VIRTIO_BLK_S_UNSUPP);
}

/* The driver gets each defined value of the three fields, and never a reserved value. */
static void conformance_blk_lifetime_sends_no_reserved_value(void **state)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_GET_LIFETIME, .in_bytes = 6, .writable_piece = 5 };
	static const uint32_t highest[] = { 3, 11, 11 };
	struct blk_fixture f;
	struct storage s;

	(void)state;
	setup(&f, &s);
	for (uint32_t figure = 0; figure < 3; figure++)
		for (uint32_t value = 0; value <= UINT16_MAX; value += value < 300 ? 1 : 331) {
			uint16_t figures[3] = { 1, 2, 3 };
			uint8_t bytes[6];

			figures[figure] = (uint16_t)value;
			s.wear = (struct virtio_blk_wear){ figures[0], figures[1], figures[2] };
			for (uint32_t i = 0; i < 3; i++)
				virtio_put_le16(bytes + 2 * (size_t)i, figures[i]);
			if (value > highest[figure]) {
				blk_refused(&f, &ask, VIRTIO_BLK_S_IOERR);
				continue;
			}
			blk_send(&f, &ask);
			assert_int_equal(blk_serve(&f), 7);
			blk_expect(&f, &ask, bytes, 6, VIRTIO_BLK_S_OK);
			blk_check_memory(&f);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance_blk_config_is_readable_before_negotiation),
		cmocka_unit_test(conformance_blk_padding_is_zero),
		cmocka_unit_test(conformance_blk_has_no_zones),
		cmocka_unit_test(conformance_blk_unknown_flags_are_not_supported),
		cmocka_unit_test(conformance_blk_zeroes_are_read_where_they_were_written),
		cmocka_unit_test(conformance_blk_may_unmap_says_what_write_zeroes_does),
		cmocka_unit_test(conformance_blk_lifetime_is_offered_where_storage_tells),
		cmocka_unit_test(conformance_blk_lifetime_sends_no_reserved_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
