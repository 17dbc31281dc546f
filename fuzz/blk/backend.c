/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The back end of the block harness. The back end checks that the library calls the operations
 * exactly as the request demands. It changes the disk and the model's disk. Its operations fail
 * where the input says so.
 */
#include "backend.h"
#include "driver.h"
#include "steps.h"

static uint8_t next_fault(struct blk_harness *h)
{
	return h->faults ? fuzz_u8(&h->in) : 0;
}

static struct blk_progress *begin(struct blk_harness *h, uint32_t type)
{
	struct blk_progress *p = h->now;

	shadow_compare(h->shadow);
	FUZZ_CHECK(p && p->accepted, "the back end is called for a request that must be refused");
	FUZZ_CHECK(!p->failed, "the back end is called after it has failed");
	FUZZ_CHECK(p->ask->type == type || type == VIRTIO_BLK_T_FLUSH,
		   "the back end is called with type %u for a request of type %u", type, p->ask->type);
	p->calls++;
	return p;
}

/*
 * Notes that the back end fails the request with this answer. If the answer is not an error code,
 * the library may report any error.
 */
static int fail(struct blk_progress *p, int64_t answer)
{
	p->failed = true;
	if (answer < 0 && answer > INT32_MIN && fuzz_error_bit((int)answer))
		p->error = (int)answer;
	else
		p->nonsense = true;
	return (int)answer;
}

/* Acts as a driver on another processor during the call of the back end. */
static void meanwhile(struct blk_harness *h, uint8_t how)
{
	if (how >= BLK_F_TOGGLE && how < BLK_F_POKE)
		blk_config_write(h);
	else if (how >= BLK_F_POKE && how < BLK_F_FINE)
		blk_poke(h);
}

static int error_of(uint8_t how)
{
	static const int errors[] = { VIRTIO_EIO, VIRTIO_ENOTSUP, VIRTIO_EINVAL, VIRTIO_ENOTMAPPED };

	return errors[how & 3];
}

static void changed(struct blk_harness *h, struct blk_progress *p, uint64_t offset, uint64_t bytes)
{
	for (uint64_t i = 0; i < BLK_DISK_SECTORS && i * 512 < bytes; i++)
		h->disk.unstable[(offset / 512 + i) % BLK_DISK_SECTORS] = true;
	/* The loop above may miss the last sector of a range that begins inside a sector. */
	if (bytes)
		h->disk.unstable[(offset + bytes - 1) / 512 % BLK_DISK_SECTORS] = true;
	p->changed = p->changed || bytes;
	p->flushed = false;
}

/* Reads and writes */

/* Checks that a vector points to the next bytes of the data. Returns the number of these bytes. */
static uint64_t check_vector(struct blk_harness *h, const struct blk_progress *p, const struct blk_run *run,
			     const struct virtio_iovec *iov, uint32_t count)
{
	uint64_t offset = p->done;

	FUZZ_CHECK(count > 0, "the vector has no entries");
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *at = iov[i].base;
		size_t left = iov[i].len;

		FUZZ_CHECK(left > 0, "the vector has an empty entry");
		while (left > 0) {
			uint64_t within, here;
			const struct model_piece *piece;

			FUZZ_CHECK(offset < run->bytes, "the vector is longer than the data");
			piece = blk_find(&p->ask->chain, run, offset, &within, &here);
			FUZZ_CHECK(at == shadow_host(h->shadow, &piece->region) + within,
				   "the vector points to memory outside of the data");
			here = here < left ? here : left;
			at += here;
			left -= (size_t)here;
			offset += here;
		}
	}
	return offset - p->done;
}

static void move_real(struct blk_harness *h, const struct virtio_iovec *iov, uint32_t count, uint64_t offset,
		      uint64_t bytes, bool to_disk)
{
	for (uint32_t i = 0; i < count; i++) {
		uint8_t *at = iov[i].base;

		for (size_t n = 0; n < iov[i].len && bytes > 0; bytes--, n++, offset++) {
			uint8_t *disk = &h->bytes[offset % BLK_DISK_BYTES];

			if (to_disk)
				*disk = at[n];
			else
				at[n] = *disk;
		}
	}
}

static void move_model(struct blk_harness *h, const struct blk_progress *p, const struct blk_run *run, uint64_t offset,
		       uint64_t bytes, bool to_disk)
{
	for (uint64_t done = 0; done < bytes;) {
		const uint64_t at = (offset + done) % BLK_DISK_BYTES, behind = BLK_DISK_BYTES - at;
		const uint64_t now = behind < bytes - done ? behind : bytes - done;

		if (to_disk)
			blk_get(h->shadow, &p->ask->chain, run, p->done + done, h->disk.disk + at, now);
		else
			blk_put(h->shadow, &p->ask->chain, run, p->done + done, h->disk.disk + at, now);
		done += now;
	}
}

/*
 * Moves a whole vector with the library's memory back end. Returns false if the input does not
 * select that back end, or if the range is not in the disk's storage.
 */
static bool move_by_memory(struct blk_harness *h, const struct virtio_iovec *iov, uint32_t count, uint64_t offset,
			   uint64_t bytes, bool to_disk)
{
	const struct virtio_blk_backend_ops *ops = h->memory_backend.ops;
	int64_t got;

	if (!h->by_memory || offset > BLK_DISK_BYTES || bytes > BLK_DISK_BYTES - offset)
		return false;
	got = (to_disk ? ops->writev : ops->readv)(h->memory_backend.context, iov, count, offset);
	FUZZ_CHECK(got == (int64_t)bytes, "the memory back end moves a wrong number of bytes: %lld", (long long)got);
	return true;
}

static void move(struct blk_harness *h, struct blk_progress *p, const struct virtio_iovec *iov, uint32_t count,
		 uint64_t offset, uint64_t wanted, uint64_t bytes, bool to_disk)
{
	const struct blk_run *run = to_disk ? &p->ask->out : &p->ask->in;

	if (bytes < wanted || !move_by_memory(h, iov, count, offset, bytes, to_disk))
		move_real(h, iov, count, offset, bytes, to_disk);
	move_model(h, p, run, offset, bytes, to_disk);
	if (to_disk) {
		changed(h, p, offset, bytes);
	} else {
		p->touched = p->done + bytes;
		p->reach = p->touched;
	}
}

/* Returns an answer that must fail the request, but is not an error code. */
static int64_t nonsense(uint8_t how, uint64_t wanted)
{
	switch (how & 7) {
	case 0:
		return 0;
	case 1:
		return (int64_t)wanted + 1;
	case 2:
		return INT64_MAX;
	case 3:
		return INT64_MIN;
	case 4:
		return -(INT64_C(1) << 32);
	case 5:
		return (INT64_C(1) << 32) + 512;
	case 6:
		return (int64_t)INT32_MIN - 1;
	default:
		return -1;
	}
}

int64_t blk_backend_move(struct blk_harness *h, const struct virtio_iovec *iov, uint32_t count, uint64_t offset,
			 bool to_disk)
{
	struct blk_progress *p = begin(h, to_disk ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN);
	const struct blk_run *run = to_disk ? &p->ask->out : &p->ask->in;
	const uint64_t wanted = check_vector(h, p, run, iov, count);
	const uint8_t how = next_fault(h);
	uint64_t bytes = wanted;
	int64_t answer;

	FUZZ_CHECK(offset == p->ask->sector * 512 + p->done, "the back end is called with the wrong offset %#llx",
		   (unsigned long long)offset);
	if (how >= BLK_F_SHORT && how < BLK_F_TOGGLE)
		bytes = wanted * fuzz_u8(&h->in) / 256;
	meanwhile(h, how);
	if (how >= BLK_F_ERROR && how < BLK_F_TOGGLE) {
		answer = how < BLK_F_NONSENSE ? error_of(how) : nonsense(how, wanted);
		move(h, p, iov, count, offset, wanted, bytes, to_disk);
		p->reach = p->ask->in.bytes;
		fail(p, answer);
		return answer;
	}
	bytes += bytes == 0;
	move(h, p, iov, count, offset, wanted, bytes, to_disk);
	p->done += bytes;
	return (int64_t)bytes;
}

static void check_count(const struct blk_harness *h, uint32_t count)
{
	FUZZ_CHECK(count <= h->disk.options.backend.max_iovecs, "the vector has %u entries, more than max_iovecs",
		   count);
}

static int64_t op_readv(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset)
{
	check_count(context, count);
	return blk_backend_move(context, iov, count, offset, false);
}

static int64_t op_writev(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset)
{
	check_count(context, count);
	return blk_backend_move(context, iov, count, offset, true);
}

/*
 * Chooses the outcome of an operation that moves no data. Returns 0 for success, else the value
 * with which the operation fails.
 */
static int simple_fault(struct blk_harness *h, struct blk_progress *p, uint8_t how)
{
	if (how < BLK_F_ERROR || how >= BLK_F_TOGGLE)
		return 0;
	return fail(p, how < BLK_F_NONSENSE ? error_of(how) : how & 1 ? 1 : INT32_MIN + (int)fuzz_u8(&h->in));
}

int blk_backend_flush(void *context)
{
	struct blk_harness *h = context;
	struct blk_progress *p = begin(h, VIRTIO_BLK_T_FLUSH);
	const bool due = blk_model_flush_due(&h->disk, p);
	const uint8_t how = next_fault(h);
	int error;

	/*
	 * Under write-through, every request except a read may flush, even if the request changed
	 * nothing.
	 */
	FUZZ_CHECK(due || (!p->changed && p->ask->type != VIRTIO_BLK_T_IN && blk_model_write_through(&h->disk)),
		   "the back end is flushed without need");
	meanwhile(h, how);
	error = simple_fault(h, p, how);
	if (error)
		return error;
	memset(h->disk.unstable, 0, sizeof h->disk.unstable);
	p->flushed = true;
	if (h->by_memory)
		FUZZ_CHECK(h->memory_backend.ops->flush(h->memory_backend.context) == 0,
			   "the memory back end cannot flush");
	return 0;
}

/* Ranges */

static void zero(uint8_t *disk, uint64_t offset, uint64_t bytes)
{
	for (uint64_t i = 0; i < bytes && i < BLK_DISK_BYTES; i++)
		disk[(offset + i) % BLK_DISK_BYTES] = 0;
}

static bool zero_by_memory(struct blk_harness *h, uint32_t type, uint64_t offset, uint64_t bytes)
{
	const struct virtio_blk_backend_ops *ops = h->memory_backend.ops;
	void *memory = h->memory_backend.context;
	int got;

	if (!h->by_memory || offset > BLK_DISK_BYTES || bytes > BLK_DISK_BYTES - offset)
		return false;
	got = type == VIRTIO_BLK_T_DISCARD        ? ops->discard(memory, offset, bytes)
	      : type == VIRTIO_BLK_T_SECURE_ERASE ? ops->secure_erase(memory, offset, bytes)
						  : ops->write_zeroes(memory, offset, bytes, false);
	FUZZ_CHECK(got == 0, "the memory back end failed to change a range: %d", got);
	return true;
}

static int change_range(struct blk_harness *h, uint32_t type, uint64_t offset, uint64_t bytes, bool unmap)
{
	struct blk_progress *p = begin(h, type);
	const struct virtio_blk_range *range;
	const uint8_t how = next_fault(h);
	bool may_unmap;
	int error;

	while (p->ranges < p->ask->range_count && p->ask->ranges[p->ranges].sectors == 0)
		p->ranges++;
	FUZZ_CHECK(p->ranges < p->ask->range_count, "the back end is called for more ranges than the request has");
	range = &p->ask->ranges[p->ranges++];
	FUZZ_CHECK(offset == range->sector * 512 && bytes == (uint64_t)range->sectors * 512,
		   "the back end is called for a wrong range");
	may_unmap = (range->flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP) && h->disk.options.write_zeroes_may_unmap;
	FUZZ_CHECK(unmap == may_unmap, "the back end is called with a wrong unmap: %d", unmap);
	meanwhile(h, how);
	error = simple_fault(h, p, how);
	if (error)
		/* The operation fails after it has changed the first half of the range. */
		bytes /= 2;
	if (error || !zero_by_memory(h, type, offset, bytes))
		zero(h->bytes, offset, bytes);
	zero(h->disk.disk, offset, bytes);
	changed(h, p, offset, bytes);
	return error;
}

static int op_discard(void *context, uint64_t offset, uint64_t bytes)
{
	return change_range(context, VIRTIO_BLK_T_DISCARD, offset, bytes, false);
}

static int op_write_zeroes(void *context, uint64_t offset, uint64_t bytes, bool unmap)
{
	return change_range(context, VIRTIO_BLK_T_WRITE_ZEROES, offset, bytes, unmap);
}

static int op_secure_erase(void *context, uint64_t offset, uint64_t bytes)
{
	return change_range(context, VIRTIO_BLK_T_SECURE_ERASE, offset, bytes, false);
}

static int op_lifetime(void *context, struct virtio_blk_wear *wear)
{
	struct blk_harness *h = context;
	struct blk_progress *p = begin(h, VIRTIO_BLK_T_GET_LIFETIME);
	const uint8_t how = next_fault(h);
	const uint16_t values[3] = { how & 0x40 ? 1 : 3, how & 0x40 ? 0 : 11, how & 0x40 ? 5 : 11 };
	int error;

	FUZZ_CHECK(wear->pre_eol_info == 0 && wear->typ_a == 0 && wear->typ_b == 0,
		   "the lifetime is not 0 before the call");
	FUZZ_CHECK(!p->answered, "the lifetime is requested twice");
	p->answered = true;
	wear->pre_eol_info = values[0];
	wear->typ_a = values[1];
	wear->typ_b = values[2];
	for (int i = 0; i < 6; i++)
		p->wear[i] = (uint8_t)(values[i / 2] >> (i & 1 ? 8 : 0));
	meanwhile(h, how);
	error = simple_fault(h, p, how);
	/* virtio 1.4, 5.2.6.2: the library must not send a reserved value to the driver. */
	if (how >= BLK_F_SHORT && how < BLK_F_ERROR) {
		*(how % 3 == 0 ? &wear->pre_eol_info : how % 3 == 1 ? &wear->typ_a : &wear->typ_b) += 12;
		fail(p, 1);
	}
	return error;
}

const struct virtio_blk_backend_ops blk_backend_ops = {
	.readv = op_readv,
	.writev = op_writev,
	.flush = blk_backend_flush,
	.discard = op_discard,
	.write_zeroes = op_write_zeroes,
	.secure_erase = op_secure_erase,
	.lifetime = op_lifetime,
};
