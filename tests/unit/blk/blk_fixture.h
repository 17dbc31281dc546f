/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A driver, guest memory, a disk and a back end that fails on demand, for the tests of the block
 * device. Models have the expected bytes: blk_check_memory() compares guest memory from
 * BLK_RINGS_END on with its model, and blk_check_disk() compares the disk.
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
#define BLK_RINGS_END 0x2000u /* the rings lie below this address, and buffers begin at it */
#define BLK_READABLE 0x2000u  /* where a request's readable bytes begin */
#define BLK_WRITABLE 0x5000u  /* where a request's writable bytes begin */
#define BLK_QUEUE 256u
#define BLK_SEGMENTS 8192u
#define BLK_RANGES 64u
#define BLK_SECTORS 16u
#define BLK_DISK (BLK_SECTORS * 512u)
#define BLK_FILL 0xa5 /* content of writable buffers before a request; no status has this value */
#define BLK_PAGE_SHIFT 6
#define BLK_CALLS 128u

/*
 * Kinds of guest memory, for blk_setup(). A kind is the length of each region in bytes, or
 * BLK_CHANGING. All kinds but BLK_UNLOGGED have a dirty log.
 */
/* Memory behind an address translation. Each descriptor is overwritten after its first read. */
#define BLK_CHANGING 0u
/* Two regions without a log. The buffers that the device reads are in the first region. */
#define BLK_UNLOGGED (BLK_RAM / 2)
static const uint32_t blk_memories[] = { BLK_RAM, 64, 1, BLK_CHANGING, BLK_UNLOGGED };
#define BLK_MEMORIES (sizeof blk_memories / sizeof blk_memories[0])

/* Operations of a back end. */
enum blk_op { BLK_READ, BLK_WRITE, BLK_SYNC, BLK_DISCARD, BLK_ZERO, BLK_UNMAP, BLK_ERASE, BLK_LIFETIME };

/* Content of a discarded and of an erased range: neither the old data nor zeroes. */
#define BLK_DISCARDED 0xdd
#define BLK_ERASED 0xee

struct blk_call {
	enum blk_op op;
	uint64_t offset, bytes;
};

/* A back end over an array, with faults. The back end records its calls. */
struct blk_faulty {
	uint8_t disk[BLK_DISK];
	uint8_t stable[BLK_DISK]; /* the disk at the last flush */
	uint64_t most;            /* largest number of bytes that a call moves; 0 for no limit */
	int fail_call;            /* the I/O call that fails, counted from 1; 0 if none fails */
	int64_t fail_with;        /* the result of that call */
	int flush_error;
	int calls;      /* calls of readv and writev */
	uint64_t moved; /* bytes moved by calls that succeeded */
	int flushes;
	uint32_t longest; /* entries of the longest vector */
	bool out_of_range;
	const uint8_t *status; /* the status byte, which must be BLK_FILL in every call */
	bool status_early;

	/* The operations on ranges. */
	int range_calls;
	/*
	 * Number of the call, counted from 1, that changes the first half of its range and then
	 * fails. 0 if no call fails.
	 */
	int range_fail_call;
	int range_fail_with;
	struct virtio_blk_wear wear;
	int wear_error;

	struct blk_call log[BLK_CALLS]; /* the first BLK_CALLS calls */
	uint32_t logged;
	/*
	 * Plays the guest. Called at the end of each transfer, sync or change of a range, unless
	 * the operation fails at its beginning.
	 */
	void (*meanwhile)(void *context, enum blk_op op);
	void *meanwhile_context;
};

static inline void blk_faulty_log(struct blk_faulty *b, enum blk_op op, uint64_t offset, uint64_t bytes)
{
	if (b->logged < BLK_CALLS)
		b->log[b->logged] = (struct blk_call){ op, offset, bytes };
	b->logged++;
	b->status_early |= b->status && *b->status != BLK_FILL;
}

static inline void blk_faulty_done(struct blk_faulty *b, enum blk_op op)
{
	if (b->meanwhile)
		b->meanwhile(b->meanwhile_context, op);
}

static inline int64_t blk_faulty_move(struct blk_faulty *b, const struct virtio_iovec *iov, uint32_t count,
				      uint64_t offset, bool to_disk)
{
	uint64_t done = 0;

	b->calls++;
	b->longest = count > b->longest ? count : b->longest;
	blk_faulty_log(b, to_disk ? BLK_WRITE : BLK_READ, offset, 0);
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
	b->moved += done;
	blk_faulty_done(b, to_disk ? BLK_WRITE : BLK_READ);
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
	blk_faulty_log(b, BLK_SYNC, 0, 0);
	if (b->flush_error)
		return b->flush_error;
	memcpy(b->stable, b->disk, sizeof b->stable);
	blk_faulty_done(b, BLK_SYNC);
	return 0;
}

/* Returns the byte that fills a range after an operation. */
static inline int blk_after(enum blk_op op)
{
	return op == BLK_DISCARD ? BLK_DISCARDED : op == BLK_ERASE ? BLK_ERASED : 0;
}

static inline int blk_faulty_change(struct blk_faulty *b, enum blk_op op, uint64_t offset, uint64_t bytes)
{
	const bool fails = ++b->range_calls == b->range_fail_call;

	blk_faulty_log(b, op, offset, bytes);
	if (bytes == 0 || (offset | bytes) % 512 || offset > BLK_DISK || bytes > BLK_DISK - offset) {
		b->out_of_range = true;
		return VIRTIO_EIO;
	}
	memset(b->disk + offset, blk_after(op), (size_t)(fails ? bytes / 2 : bytes));
	blk_faulty_done(b, op);
	return fails ? b->range_fail_with : 0;
}

static inline int blk_faulty_discard(void *context, uint64_t offset, uint64_t bytes)
{
	return blk_faulty_change(context, BLK_DISCARD, offset, bytes);
}

static inline int blk_faulty_write_zeroes(void *context, uint64_t offset, uint64_t bytes, bool unmap)
{
	return blk_faulty_change(context, unmap ? BLK_UNMAP : BLK_ZERO, offset, bytes);
}

static inline int blk_faulty_secure_erase(void *context, uint64_t offset, uint64_t bytes)
{
	return blk_faulty_change(context, BLK_ERASE, offset, bytes);
}

static inline int blk_faulty_lifetime(void *context, struct virtio_blk_wear *wear)
{
	struct blk_faulty *b = context;

	blk_faulty_log(b, BLK_LIFETIME, 0, 0);
	/* The library promises the back end that these members are zero before the call. */
	b->out_of_range |= wear->pre_eol_info || wear->typ_a || wear->typ_b;
	*wear = b->wear;
	return b->wear_error;
}

static const struct virtio_blk_backend_ops blk_faulty_ops = {
	.readv = blk_faulty_readv,
	.writev = blk_faulty_writev,
	.flush = blk_faulty_flush,
};

/* Every operation: the operations of blk_faulty_ops and all optional operations. */
static const struct virtio_blk_backend_ops blk_all_ops = {
	.readv = blk_faulty_readv,
	.writev = blk_faulty_writev,
	.flush = blk_faulty_flush,
	.discard = blk_faulty_discard,
	.write_zeroes = blk_faulty_write_zeroes,
	.secure_erase = blk_faulty_secure_erase,
	.lifetime = blk_faulty_lifetime,
};

struct blk_fixture {
	uint8_t ram[BLK_RAM];
	uint8_t model[BLK_RAM];
	uint8_t disk_model[BLK_DISK];
	uint8_t bitmap[(BLK_RAM >> BLK_PAGE_SHIFT) / 8];
	struct virtio_dirty_log dirty;
	struct virtio_region regions[BLK_RAM];
	struct virtio_memory_map map;        /* the driver's view */
	struct virtio_memory_map device_map; /* the device's view of the same memory */
	/* For BLK_CHANGING only: the address of the descriptor read last, or 0. */
	uint64_t read_desc;
	struct virtio_mock mock;
	struct virtio_mock_slot slots[BLK_QUEUE];
	struct virtio_inflight inflight[BLK_QUEUE];
	struct virtio_queue queue;
	struct virtio_segment segments[BLK_SEGMENTS];
	struct virtio_blk_range ranges[BLK_RANGES];
	struct virtio_blk_storage storage;
	struct virtio_blk_request request; /* request into which blk_serve() pops */
	struct blk_faulty backend;
	struct virtio_blk_options options;
	struct virtio_blk blk;
	struct virtio_blk_stats stats;
};

/* Features as masks. */
#define BLK_RO (UINT64_C(1) << VIRTIO_BLK_F_RO)
#define BLK_FLUSH (UINT64_C(1) << VIRTIO_BLK_F_FLUSH)
#define BLK_WCE (UINT64_C(1) << VIRTIO_BLK_F_CONFIG_WCE)
#define BLK_F_DISCARD (UINT64_C(1) << VIRTIO_BLK_F_DISCARD)
#define BLK_F_ZEROES (UINT64_C(1) << VIRTIO_BLK_F_WRITE_ZEROES)
#define BLK_F_ERASE (UINT64_C(1) << VIRTIO_BLK_F_SECURE_ERASE)
#define BLK_F_LIFETIME (UINT64_C(1) << VIRTIO_BLK_F_LIFETIME)
#define BLK_COMMANDS (BLK_F_DISCARD | BLK_F_ZEROES | BLK_F_ERASE | BLK_F_LIFETIME)

/* Sets up the disk again with f->options and these features. Change the options before the call. */
static inline void blk_restart(struct blk_fixture *f, uint64_t features)
{
	assert_int_equal(virtio_blk_init(&f->blk, &f->options), 0);
	assert_int_equal(virtio_blk_negotiate(&f->blk, features), 0);
}

/*
 * Sets up f->request with f->storage. Change the storage before the call. The request must not be
 * in flight.
 */
static inline void blk_prepare(struct blk_fixture *f)
{
	assert_int_equal(virtio_blk_request_init(&f->request, &f->storage), 0);
}

/*
 * Translates addresses for BLK_CHANGING. When the device looks up an address outside the descriptor
 * read last, that descriptor is filled with 0xff.
 */
static inline int blk_translate(void *context, uint64_t addr, uint64_t len, uint32_t access,
				struct virtio_translation *out)
{
	struct blk_fixture *f = context;
	const uint64_t start = addr & ~UINT64_C(15), table = f->mock.addr[VIRTIO_QUEUE_DESC];

	(void)len;
	if (addr >= BLK_RAM)
		return VIRTIO_EFAULT;
	out->addr = addr;
	out->len = start + 16 - addr;
	out->access = VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE;
	if (f->read_desc && f->read_desc != start) {
		memset(f->ram + f->read_desc, 0xff, 16);
		f->read_desc = 0;
	}
	if (access == VIRTIO_ACCESS_READ && start >= table && start < table + 16 * BLK_QUEUE)
		f->read_desc = start;
	return 0;
}

/*
 * Sets up guest memory of one of the kinds above, a driver, and a disk of BLK_SECTORS on which
 * FLUSH is negotiated.
 */
static inline void blk_setup(struct blk_fixture *f, uint32_t region_bytes)
{
	const bool changing = region_bytes == BLK_CHANGING;
	const uint32_t bytes = changing ? BLK_RAM : region_bytes, count = BLK_RAM / bytes;

	memset(f, 0, sizeof *f);
	memset(f->ram, BLK_FILL, sizeof f->ram);
	memset(f->model, BLK_FILL, sizeof f->model);
	f->dirty = (struct virtio_dirty_log){
		.bitmap = f->bitmap, .size = sizeof f->bitmap, .page_shift = BLK_PAGE_SHIFT, .unit = 1
	};
	for (uint32_t i = 0; i < count; i++)
		f->regions[i] = (struct virtio_region){ .addr = (uint64_t)i * bytes,
							.len = bytes,
							.host = f->ram + (size_t)i * bytes,
							.dirty = region_bytes == BLK_UNLOGGED ? NULL : &f->dirty };
	assert_int_equal(virtio_memory_map_init(&f->map, f->regions, count), 0);
	assert_int_equal(virtio_mock_init(&f->mock, &f->map, 0, BLK_QUEUE, f->slots, BLK_QUEUE), 0);
	assert_true(virtio_mock_end(&f->mock) <= BLK_RINGS_END);
	f->device_map = f->map;
	if (changing)
		virtio_memory_map_set_translation(&f->device_map, blk_translate, f);
	assert_int_equal(virtio_mock_create_queue(&f->mock, &f->queue, f->inflight, BLK_QUEUE, &f->device_map), 0);
	f->read_desc = 0; /* the queue's start has looked up the table, but read no descriptor */
	f->storage = (struct virtio_blk_storage){ f->segments, BLK_SEGMENTS, f->ranges, BLK_RANGES };
	blk_prepare(f);
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

/*
 * Does the same as blk_setup(), and negotiates GET_LIFETIME and every command on ranges. A command
 * may have up to 8 ranges of up to 8 sectors.
 */
static inline void blk_setup_commands(struct blk_fixture *f, uint32_t region_bytes)
{
	struct virtio_blk_options *o = &f->options;

	blk_setup(f, region_bytes);
	o->backend.ops = &blk_all_ops;
	o->max_discard_sectors = o->max_write_zeroes_sectors = o->max_secure_erase_sectors = 8;
	o->max_discard_seg = o->max_write_zeroes_seg = o->max_secure_erase_seg = 8;
	o->write_zeroes_may_unmap = true;
	blk_restart(f, BLK_FLUSH | BLK_COMMANDS);
}

/* Requests */

/*
 * A request as a driver builds it. If all members from header_bytes on are 0, the header is whole,
 * each direction is one piece, and the request has a status byte.
 */
struct blk_ask {
	uint32_t type;
	uint64_t sector;
	const uint8_t *out; /* data that the driver sends */
	uint32_t out_bytes;
	uint32_t in_bytes;                       /* bytes of room for data from the device */
	uint32_t header_bytes;                   /* 1 + length of a short header; 0 if whole */
	uint32_t readable_piece, writable_piece; /* length of each piece; 0 for one piece */
	uint32_t gap;                            /* unused bytes between two pieces */
	bool no_status;
};

/* Returns the address of byte i of a direction that is cut into pieces. */
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

/*
 * Puts a byte into guest memory and into its model, as the driver does before it sends a request.
 */
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
	virtio_put_le32(raw + 4, 0x12345678); /* reserved; the device must ignore this field */
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

/*
 * Pops the next used element and returns its length. The mock checks that the length is at most the
 * chain's writable bytes.
 */
static inline uint32_t blk_pop_used(struct blk_fixture *f)
{
	struct vring_used_elem element;

	assert_int_equal(virtio_mock_pop_used(&f->mock, &element), 1);
	return element.len;
}

/* Serves one request, pops its used element and returns the used length. */
static inline uint32_t blk_serve(struct blk_fixture *f)
{
	assert_int_equal(virtio_blk_process(&f->blk, &f->queue, &f->request, &f->stats), 1);
	return blk_pop_used(f);
}

/* Writes into the model of guest memory the bytes that the device must write. */
static inline void blk_expect(struct blk_fixture *f, const struct blk_ask *ask, const uint8_t *in, uint32_t in_bytes,
			      uint8_t status)
{
	for (uint32_t i = 0; i < in_bytes; i++)
		f->model[blk_place(BLK_WRITABLE, i, ask->writable_piece, ask->gap)] = in[i];
	f->model[blk_status_place(ask)] = status;
}

/* Checks that a segment names the region in which its host address lies. */
static inline void blk_check_region(const struct virtio_segment *s)
{
	const uintptr_t off = (uintptr_t)s->host - (uintptr_t)s->region->host;

	assert_true(off < s->region->len && s->len <= s->region->len - off);
	assert_int_equal(s->addr, s->region->addr + off);
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

/*
 * Sends and serves a request that must be refused. Checks its status and used length. There must be
 * no I/O, and no other change in memory or on the disk.
 */
static inline void blk_refused(struct blk_fixture *f, const struct blk_ask *ask, uint8_t status)
{
	const uint32_t logged = f->backend.logged;
	uint32_t len;

	blk_send(f, ask);
	len = blk_serve(f);
	assert_int_equal(f->ram[blk_status_place(ask)], status);
	assert_true(len <= (ask->in_bytes ? 0u : 1u));
	blk_expect(f, ask, NULL, 0, status);
	blk_check_memory(f);
	blk_check_disk(f);
	assert_int_equal(f->backend.logged, logged);
}

/* Encodes ranges as on the wire. Returns their length in bytes. */
static inline uint32_t blk_put_ranges(uint8_t *out, const struct virtio_blk_range *ranges, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		virtio_put_le64(out + (size_t)i * 16, ranges[i].sector);
		virtio_put_le32(out + (size_t)i * 16 + 8, ranges[i].sectors);
		virtio_put_le32(out + (size_t)i * 16 + 12, ranges[i].flags);
	}
	return count * 16;
}

/* Data to write. No two sectors are alike. */
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

/*
 * Checks that exactly the pages of the status and of the first `in_bytes` bytes of data are marked.
 * For BLK_UNLOGGED, checks that no page is marked. Ignores the pages of the rings.
 */
static inline void blk_check_dirty(const struct blk_fixture *f, const struct blk_ask *ask, uint32_t in_bytes)
{
	uint8_t expected[sizeof f->bitmap] = { 0 };

	for (uint32_t i = 0; i <= in_bytes && f->regions[0].dirty; i++) {
		uint64_t addr = i < in_bytes ? blk_place(BLK_WRITABLE, i, ask->writable_piece, ask->gap)
					     : blk_status_place(ask);

		expected[(addr >> BLK_PAGE_SHIFT) / 8] |= (uint8_t)(1u << ((addr >> BLK_PAGE_SHIFT) % 8));
	}
	for (uint64_t addr = BLK_RINGS_END; addr < BLK_RAM; addr += 1u << BLK_PAGE_SHIFT)
		assert_int_equal(blk_dirty(f, addr),
				 expected[(addr >> BLK_PAGE_SHIFT) / 8] >> ((addr >> BLK_PAGE_SHIFT) % 8) & 1);
}

#endif
