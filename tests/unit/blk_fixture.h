/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A driver, a guest memory, a disk and a back end that fails on demand, for the tests of the block
 * device. The memory and the disk have models: what they must look like, byte by byte, which every
 * blk_check_memory() and blk_check_disk() compares in full.
 */
#ifndef BLK_FIXTURE_H
#define BLK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <virtio/blk.h>
#include <virtio/queue.h>
#include <virtio/queue_mock.h>

#define BLK_RAM 0x8000u       /* bytes of guest memory, from address 0 */
#define BLK_RINGS_END 0x2000u /* rings below, buffers from here on */
#define BLK_READABLE 0x2000u  /* where a request's readable bytes begin */
#define BLK_WRITABLE 0x5000u  /* and its writable ones */
#define BLK_QUEUE 256u
#define BLK_SEGMENTS 8192u
#define BLK_RANGES 64u
#define BLK_SECTORS 16u
#define BLK_DISK (BLK_SECTORS * 512u)
#define BLK_FILL 0xa5 /* what is in writable buffers beforehand; no status */
#define BLK_PAGE_SHIFT 6

/* A back end over an array, with faults, that records what it was asked. */
struct blk_faulty {
	uint8_t disk[BLK_DISK];
	uint8_t stable[BLK_DISK]; /* as of the last flush */
	uint64_t most;            /* bytes moved by a call at most; 0: no limit */
	int fail_call;            /* the call, from 1 on, of readv or writev that fails; 0: none */
	int64_t fail_with;        /* what it returns */
	int flush_error;
	int calls; /* of readv and writev */
	int flushes;
	uint32_t longest; /* the longest vector */
	bool out_of_range;
	const uint8_t *status; /* watched at every call: must still be BLK_FILL */
	bool status_early;
};

static inline int64_t blk_faulty_move(struct blk_faulty *b, const struct virtio_iovec *iov, uint32_t count,
				      uint64_t offset, bool to_disk)
{
	uint64_t done = 0;

	b->calls++;
	b->longest = count > b->longest ? count : b->longest;
	b->status_early |= b->status && *b->status != BLK_FILL;
	if (b->calls == b->fail_call)
		return b->fail_with;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t part = iov[i].len;

		if (b->most && part > b->most - done)
			part = b->most - done;
		if (offset > BLK_DISK || part > BLK_DISK - offset) {
			b->out_of_range = true;
			return VIRTIO_EIO;
		}
		if (to_disk)
			memcpy(b->disk + offset, iov[i].base, (size_t)part);
		else
			memcpy(iov[i].base, b->disk + offset, (size_t)part);
		done += part;
		offset += part;
	}
	return (int64_t)done;
}

static inline int64_t blk_faulty_readv(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset)
{
	return blk_faulty_move(context, iov, count, offset, false);
}

static inline int64_t blk_faulty_writev(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset)
{
	return blk_faulty_move(context, iov, count, offset, true);
}

static inline int blk_faulty_flush(void *context)
{
	struct blk_faulty *b = context;

	b->flushes++;
	b->status_early |= b->status && *b->status != BLK_FILL;
	if (b->flush_error)
		return b->flush_error;
	memcpy(b->stable, b->disk, sizeof b->stable);
	return 0;
}

static const struct virtio_blk_backend_ops blk_faulty_ops = {
	.readv = blk_faulty_readv,
	.writev = blk_faulty_writev,
	.flush = blk_faulty_flush,
};

struct blk_fixture {
	uint8_t ram[BLK_RAM];
	uint8_t model[BLK_RAM];
	uint8_t disk_model[BLK_DISK];
	uint8_t bitmap[(BLK_RAM >> BLK_PAGE_SHIFT) / 8];
	struct virtio_dirty_log dirty;
	struct virtio_region regions[BLK_RAM];
	struct virtio_memory_map map;
	struct virtio_mock mock;
	struct virtio_mock_slot slots[BLK_QUEUE];
	struct virtio_inflight inflight[BLK_QUEUE];
	struct virtio_queue queue;
	struct virtio_segment segments[BLK_SEGMENTS];
	struct virtio_blk_range ranges[BLK_RANGES];
	struct virtio_blk_storage storage;
	struct blk_faulty backend;
	struct virtio_blk_options options;
	struct virtio_blk blk;
	struct virtio_blk_stats stats;
};

/* Features as masks. */
#define BLK_RO (UINT64_C(1) << VIRTIO_BLK_F_RO)
#define BLK_FLUSH (UINT64_C(1) << VIRTIO_BLK_F_FLUSH)
#define BLK_WCE (UINT64_C(1) << VIRTIO_BLK_F_CONFIG_WCE)

/* A disk with other options, or other features than FLUSH: change options, then call this. */
static inline void blk_restart(struct blk_fixture *f, uint64_t features)
{
	assert_int_equal(virtio_blk_init(&f->blk, &f->options), 0);
	assert_int_equal(virtio_blk_negotiate(&f->blk, features), 0);
}

/*
 * Sets up guest memory in regions of region_bytes each (BLK_RAM: one; 1: no two bytes are together), a
 * driver, and a disk of BLK_SECTORS on which FLUSH is negotiated.
 */
static inline void blk_setup(struct blk_fixture *f, uint32_t region_bytes)
{
	uint32_t count = BLK_RAM / region_bytes;

	memset(f, 0, sizeof *f);
	memset(f->ram, BLK_FILL, sizeof f->ram);
	memset(f->model, BLK_FILL, sizeof f->model);
	f->dirty = (struct virtio_dirty_log){
		.bitmap = f->bitmap, .size = sizeof f->bitmap, .page_shift = BLK_PAGE_SHIFT, .unit = 1
	};
	for (uint32_t i = 0; i < count; i++)
		f->regions[i] = (struct virtio_region){ .addr = (uint64_t)i * region_bytes,
							.len = region_bytes,
							.host = f->ram + (size_t)i * region_bytes,
							.dirty = &f->dirty };
	assert_int_equal(virtio_memory_map_init(&f->map, f->regions, count), 0);
	assert_int_equal(virtio_mock_init(&f->mock, &f->map, 0, BLK_QUEUE, f->slots, BLK_QUEUE), 0);
	assert_true(virtio_mock_end(&f->mock) <= BLK_RINGS_END);
	assert_int_equal(virtio_mock_create_queue(&f->mock, &f->queue, f->inflight, BLK_QUEUE, &f->map), 0);
	f->storage = (struct virtio_blk_storage){ f->segments, BLK_SEGMENTS, f->ranges, BLK_RANGES };
	for (uint32_t i = 0; i < BLK_DISK; i++)
		f->backend.disk[i] = (uint8_t)(i * 7 + i / 512);
	memcpy(f->disk_model, f->backend.disk, BLK_DISK);
	memcpy(f->backend.stable, f->backend.disk, BLK_DISK);
	f->options = (struct virtio_blk_options){
		.backend = { .ops = &blk_faulty_ops, .context = &f->backend, .max_iovecs = 1024 },
		.capacity = BLK_SECTORS,
		.id = "a disk of the tests",
	};
	blk_restart(f, BLK_FLUSH);
}

/* Requests */

/* A request as a driver builds it. Zero means: whole header, one piece for each direction, no gaps, a status. */
struct blk_ask {
	uint32_t type;
	uint64_t sector;
	const uint8_t *out; /* data that the driver sends */
	uint32_t out_bytes;
	uint32_t in_bytes;                       /* room for data that it wants */
	uint32_t header_bytes;                   /* when the header is cut short, its length + 1 */
	uint32_t readable_piece, writable_piece; /* lengths into which the two directions are cut */
	uint32_t gap;                            /* bytes between two pieces that belong to no one */
	bool no_status;
};

/* The place of byte i of a direction that was cut into pieces. */
static inline uint64_t blk_place(uint64_t base, uint32_t i, uint32_t piece, uint32_t gap)
{
	return piece ? base + i / piece * (piece + gap) + i % piece : base + i;
}

static inline uint32_t blk_cut(struct virtio_mock_buffer *buffers, uint64_t base, uint32_t bytes, uint32_t piece,
			       uint32_t gap, uint16_t flags)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < bytes;) {
		uint32_t len = piece && piece < bytes - i ? piece : bytes - i;

		buffers[count++] = (struct virtio_mock_buffer){ blk_place(base, i, piece, gap), len, flags };
		i += len;
	}
	return count;
}

static inline uint64_t blk_status_place(const struct blk_ask *ask)
{
	return blk_place(BLK_WRITABLE, ask->in_bytes, ask->writable_piece, ask->gap);
}

/* Puts a byte into guest memory and into its model, as the driver does before it sends a request. */
static inline void blk_poke(struct blk_fixture *f, uint64_t addr, uint8_t value)
{
	assert_in_range(addr, BLK_RINGS_END, BLK_RAM - 1);
	f->ram[addr] = value;
	f->model[addr] = value;
}

/* Builds a request's chain in descriptors and makes it available. */
static inline void blk_send(struct blk_fixture *f, const struct blk_ask *ask)
{
	struct virtio_mock_buffer buffers[BLK_QUEUE * 4];
	const uint32_t header = ask->header_bytes ? ask->header_bytes - 1 : 16;
	uint8_t raw[16];
	uint32_t count;

	virtio_put_le32(raw, ask->type);
	virtio_put_le32(raw + 4, 0x12345678); /* reserved: whatever it is, it changes nothing */
	virtio_put_le64(raw + 8, ask->sector);
	for (uint32_t i = 0; i < header + ask->out_bytes; i++)
		blk_poke(f, blk_place(BLK_READABLE, i, ask->readable_piece, ask->gap),
			 i < header ? raw[i] : ask->out[i - header]);
	for (uint32_t i = 0; i <= ask->in_bytes; i++)
		blk_poke(f, blk_place(BLK_WRITABLE, i, ask->writable_piece, ask->gap), BLK_FILL);
	f->backend.status = f->ram + blk_status_place(ask);
	count = blk_cut(buffers, BLK_READABLE, header + ask->out_bytes, ask->readable_piece, ask->gap, 0);
	count += blk_cut(buffers + count, BLK_WRITABLE, ask->in_bytes + !ask->no_status, ask->writable_piece, ask->gap,
			 VRING_DESC_F_WRITE);
	assert_in_range(count, 1, BLK_QUEUE);
	assert_true(virtio_mock_add(&f->mock, buffers, count) >= 0);
}

/* Serves one request and takes it back: the used length. The mock sees that it isn't more than there is room for. */
static inline uint32_t blk_serve(struct blk_fixture *f)
{
	struct vring_used_elem element;
	struct virtio_chain chain;

	assert_int_equal(virtio_queue_pop(&f->queue, &chain), 1);
	assert_int_equal(virtio_blk_process(&f->blk, &f->queue, &chain, &f->storage, &f->stats), 0);
	assert_int_equal(virtio_mock_pop_used(&f->mock, &element), 1);
	return element.len;
}

/* What the model of guest memory is told that the device must have written. */
static inline void blk_expect(struct blk_fixture *f, const struct blk_ask *ask, const uint8_t *in, uint32_t in_bytes,
			      uint8_t status)
{
	for (uint32_t i = 0; i < in_bytes; i++)
		f->model[blk_place(BLK_WRITABLE, i, ask->writable_piece, ask->gap)] = in[i];
	f->model[blk_status_place(ask)] = status;
}

static inline void blk_check_memory(const struct blk_fixture *f)
{
	assert_memory_equal(f->ram + BLK_RINGS_END, f->model + BLK_RINGS_END, BLK_RAM - BLK_RINGS_END);
}

static inline void blk_check_disk(const struct blk_fixture *f)
{
	assert_memory_equal(f->backend.disk, f->disk_model, BLK_DISK);
	assert_false(f->backend.out_of_range);
	assert_false(f->backend.status_early);
}

/* A request that is refused: its status and used length, no I/O, nothing else in memory or on the disk. */
static inline void blk_refused(struct blk_fixture *f, const struct blk_ask *ask, uint8_t status)
{
	const int calls = f->backend.calls, flushes = f->backend.flushes;
	uint32_t len;

	blk_send(f, ask);
	len = blk_serve(f);
	assert_int_equal(f->ram[blk_status_place(ask)], status);
	assert_true(len <= (ask->in_bytes ? 0u : 1u));
	blk_expect(f, ask, NULL, 0, status);
	blk_check_memory(f);
	blk_check_disk(f);
	assert_int_equal(f->backend.calls, calls);
	assert_int_equal(f->backend.flushes, flushes);
}

/* Data to write: no two sectors alike. */
static uint8_t blk_pattern[4096];

static inline void blk_fill_pattern(void)
{
	for (uint32_t i = 0; i < sizeof blk_pattern; i++)
		blk_pattern[i] = (uint8_t)(i * 31 + i / 256 + 1);
}

static inline bool blk_dirty(const struct blk_fixture *f, uint64_t addr)
{
	return f->bitmap[(addr >> BLK_PAGE_SHIFT) / 8] >> ((addr >> BLK_PAGE_SHIFT) % 8) & 1;
}

/* Exactly the pages of the status and of these first bytes of data are marked; the rings' are not looked at. */
static inline void blk_check_dirty(const struct blk_fixture *f, const struct blk_ask *ask, uint32_t in_bytes)
{
	uint8_t expected[sizeof f->bitmap] = { 0 };

	for (uint32_t i = 0; i <= in_bytes; i++) {
		uint64_t addr = i < in_bytes ? blk_place(BLK_WRITABLE, i, ask->writable_piece, ask->gap)
					     : blk_status_place(ask);

		expected[(addr >> BLK_PAGE_SHIFT) / 8] |= (uint8_t)(1u << ((addr >> BLK_PAGE_SHIFT) % 8));
	}
	for (uint64_t addr = BLK_RINGS_END; addr < BLK_RAM; addr += 1u << BLK_PAGE_SHIFT)
		assert_int_equal(blk_dirty(f, addr),
				 expected[(addr >> BLK_PAGE_SHIFT) / 8] >> ((addr >> BLK_PAGE_SHIFT) % 8) & 1);
}

#endif
