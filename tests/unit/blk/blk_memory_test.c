/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The back end in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <virtio/blk_memory.h>

#define DISK 64u

/* The disk lies between two margins that must not change. */
struct fixture {
	uint8_t bytes[3 * DISK];
	uint8_t guest[4 * DISK];
	struct virtio_blk_memory memory;
	struct virtio_blk_backend backend;
};

static void setup(struct fixture *f)
{
	for (uint32_t i = 0; i < sizeof f->bytes; i++)
		f->bytes[i] = (uint8_t)i;
	memset(f->guest, 0xa5, sizeof f->guest);
	f->memory = (struct virtio_blk_memory){ .bytes = f->bytes + DISK, .size = DISK };
	assert_int_equal(virtio_blk_memory_backend(&f->memory, &f->backend), 0);
}

static void memory_backend_refuses_size_without_bytes(void **state)
{
	struct virtio_blk_memory memory = { .bytes = NULL, .size = 1 };
	struct virtio_blk_backend backend = { .max_iovecs = 77 };

	(void)state;
	assert_int_equal(virtio_blk_memory_backend(&memory, &backend), VIRTIO_EINVAL);
	assert_int_equal(backend.max_iovecs, 77);
	assert_null(backend.ops);
	memory.size = 0;
	assert_int_equal(virtio_blk_memory_backend(&memory, &backend), 0);
	assert_int_equal(backend.ops->readv(backend.context, &(struct virtio_iovec){ NULL, 0 }, 1, 0), 0);
}

static void memory_backend_makes_a_disk_with_flush(void **state)
{
	struct virtio_blk_options options = { .capacity = 0 };
	struct virtio_blk blk;
	struct fixture f;

	(void)state;
	setup(&f);
	options.backend = f.backend;
	assert_int_equal(virtio_blk_init(&blk, &options), 0);
	assert_int_equal(virtio_blk_offered(&blk), 1u << VIRTIO_BLK_F_FLUSH);
	assert_int_equal(f.backend.ops->flush(f.backend.context), 0);
}

/* A read at any offset and of any length moves exactly the bytes that are inside the disk. */
static void memory_reads_stay_inside_the_disk(void **state)
{
	struct fixture f;

	(void)state;
	for (uint32_t offset = 0; offset < DISK + 8; offset++) {
		for (uint32_t len = 1; len < 2 * DISK; len += 3) {
			const uint32_t first = len / 3;
			const struct virtio_iovec iov[2] = { { f.guest + 1, first },
							     { f.guest + 1 + first, len - first } };
			const uint32_t there = offset < DISK ? DISK - offset : 0;
			const uint32_t moved = len < there ? len : there;

			setup(&f);
			/* If the first entry would be empty, the vector has only the second. */
			assert_int_equal(
				f.backend.ops->readv(f.backend.context, first ? iov : iov + 1, first ? 2 : 1, offset),
				moved);
			assert_memory_equal(f.guest + 1, f.bytes + DISK + offset, moved);
			assert_int_equal(f.guest[0], 0xa5);
			for (uint32_t i = moved + 1; i < sizeof f.guest; i++)
				assert_int_equal(f.guest[i], 0xa5);
		}
	}
}

static void memory_writes_stay_inside_the_disk(void **state)
{
	struct fixture f;

	(void)state;
	for (uint32_t offset = 0; offset < DISK + 8; offset++) {
		for (uint32_t len = 1; len < 2 * DISK; len += 3) {
			const uint32_t first = len / 3;
			const struct virtio_iovec iov[2] = { { f.guest, first }, { f.guest + first, len - first } };
			const uint32_t there = offset < DISK ? DISK - offset : 0;
			const uint32_t moved = len < there ? len : there;

			setup(&f);
			assert_int_equal(
				f.backend.ops->writev(f.backend.context, first ? iov : iov + 1, first ? 2 : 1, offset),
				moved);
			for (uint32_t i = 0; i < sizeof f.bytes; i++) {
				const bool inside = i >= DISK + offset && i < DISK + offset + moved;

				assert_int_equal(f.bytes[i], inside ? 0xa5 : (uint8_t)i);
			}
		}
	}
}

static void memory_offsets_far_away_move_nothing(void **state)
{
	static const uint64_t offsets[] = { DISK, UINT32_MAX, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX };
	struct fixture f;

	(void)state;
	setup(&f);
	for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
		const struct virtio_iovec iov = { f.guest, sizeof f.guest };

		assert_int_equal(f.backend.ops->readv(f.backend.context, &iov, 1, offsets[i]), 0);
		assert_int_equal(f.backend.ops->writev(f.backend.context, &iov, 1, offsets[i]), 0);
	}
	for (uint32_t i = 0; i < sizeof f.bytes; i++)
		assert_int_equal(f.bytes[i], (uint8_t)i);
	for (uint32_t i = 0; i < sizeof f.guest; i++)
		assert_int_equal(f.guest[i], 0xa5);
}

/*
 * Discard, secure erase, and write zeroes (with and without unmap) fill the range with zeroes. An
 * operation on a range that leaves the disk fails and changes nothing.
 */
static void memory_commands_zero_ranges_inside_the_disk(void **state)
{
	struct fixture f;

	(void)state;
	for (uint32_t offset = 0; offset < DISK + 8; offset++) {
		for (uint32_t len = 0; len < 2 * DISK; len++) {
			const bool inside = offset + len <= DISK;
			const struct virtio_blk_backend_ops *ops;
			int got;

			setup(&f);
			ops = f.backend.ops;
			if (len % 4 < 2)
				got = ops->write_zeroes(f.backend.context, offset, len, len % 2);
			else
				got = (len % 2 ? ops->discard : ops->secure_erase)(f.backend.context, offset, len);
			assert_int_equal(got, inside ? 0 : VIRTIO_EIO);
			for (uint32_t i = 0; i < sizeof f.bytes; i++) {
				const bool zeroed = inside && i >= DISK + offset && i < DISK + offset + len;

				assert_int_equal(f.bytes[i], zeroed ? 0 : (uint8_t)i);
			}
		}
	}
}

static void memory_commands_far_away_fail(void **state)
{
	static const struct {
		uint64_t offset, bytes;
	} ranges[] = {
		{ DISK, 1 },       { UINT32_MAX, 1 },        { UINT64_C(1) << 32, DISK },
		{ UINT64_MAX, 1 }, { UINT64_MAX, DISK + 1 }, { UINT64_MAX - DISK + 1, 2 * DISK },
		{ 1, UINT64_MAX }, { 0, UINT64_C(1) << 32 }, { 0, (UINT64_C(1) << 32) + 1 },
	};
	struct fixture f;

	(void)state;
	setup(&f);
	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
		const struct virtio_blk_backend_ops *ops = f.backend.ops;
		const uint64_t offset = ranges[i].offset, bytes = ranges[i].bytes;

		assert_int_equal(ops->discard(f.backend.context, offset, bytes), VIRTIO_EIO);
		assert_int_equal(ops->secure_erase(f.backend.context, offset, bytes), VIRTIO_EIO);
		assert_int_equal(ops->write_zeroes(f.backend.context, offset, bytes, true), VIRTIO_EIO);
	}
	for (uint32_t i = 0; i < sizeof f.bytes; i++)
		assert_int_equal(f.bytes[i], (uint8_t)i);
}

static void memory_backend_offers_every_command_but_lifetime(void **state)
{
	struct virtio_blk_options options = {
		.capacity = 1,
		.max_discard_sectors = 1,
		.max_discard_seg = 1,
		.max_write_zeroes_sectors = 1,
		.max_write_zeroes_seg = 1,
		.max_secure_erase_sectors = 1,
		.max_secure_erase_seg = 1,
	};
	struct virtio_blk blk;
	struct fixture f;

	(void)state;
	setup(&f);
	options.backend = f.backend;
	assert_int_equal(virtio_blk_init(&blk, &options), 0);
	assert_int_equal(virtio_blk_offered(&blk), 1u << VIRTIO_BLK_F_FLUSH | 1u << VIRTIO_BLK_F_DISCARD |
							   1u << VIRTIO_BLK_F_WRITE_ZEROES |
							   1u << VIRTIO_BLK_F_SECURE_ERASE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_backend_refuses_size_without_bytes),
		cmocka_unit_test(memory_backend_makes_a_disk_with_flush),
		cmocka_unit_test(memory_reads_stay_inside_the_disk),
		cmocka_unit_test(memory_writes_stay_inside_the_disk),
		cmocka_unit_test(memory_offsets_far_away_move_nothing),
		cmocka_unit_test(memory_commands_zero_ranges_inside_the_disk),
		cmocka_unit_test(memory_commands_far_away_fail),
		cmocka_unit_test(memory_backend_offers_every_command_but_lifetime),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
