/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Random requests, good and bad, in any layout, on a back end that fails at random. A model,
 * written from the specification, predicts the status, every byte that the device writes, and the
 * content of the disk. Hostile 133, 134.
 */
#include "../common/long.h"
#include "blk_fixture.h"

#define REQUESTS 4000 /* times long_factor() */
#define MOST_BYTES 4096u
#define FLAG_UNMAP 1u

struct model_fixture {
	struct blk_fixture f;
	uint64_t features;
	uint32_t x; /* state of the random numbers */
	struct blk_ask ask;
	uint8_t out[MOST_BYTES];
	struct virtio_blk_range ranges[12];
	uint32_t range_count;
	uint64_t served[41]; /* requests that succeeded, by type */
	uint64_t broken;     /* legal requests that failed because of the back end */
};

/* What the model predicts for one request. */
struct verdict {
	uint8_t status;
	uint8_t in[MOST_BYTES];
	uint32_t written; /* bytes in in[] */
	uint32_t touched;
	uint32_t used;
};

static uint32_t roll(struct model_fixture *w, uint32_t sides)
{
	w->x ^= w->x << 13;
	w->x ^= w->x >> 17;
	w->x ^= w->x << 5;
	return w->x % sides;
}

/* Requests */

static uint64_t random_sector(struct model_fixture *w)
{
	static const uint64_t wild[] = { BLK_SECTORS, BLK_SECTORS + 1, UINT64_C(1) << 55, (UINT64_C(1) << 55) - 1,
					 UINT64_MAX,  UINT64_MAX - 3,  UINT64_C(1) << 32, UINT64_C(1) << 63 };

	return roll(w, 10) ? roll(w, BLK_SECTORS) : wild[roll(w, 8)];
}

static void random_ranges(struct model_fixture *w)
{
	w->range_count = roll(w, 20) ? 1 + roll(w, 5) : roll(w, 12);
	for (uint32_t i = 0; i < w->range_count; i++) {
		struct virtio_blk_range *range = &w->ranges[i];

		range->sector = roll(w, 12) ? roll(w, BLK_SECTORS - 4) : random_sector(w);
		range->sectors = roll(w, 12) ? roll(w, 5) : roll(w, 2) ? UINT32_MAX - roll(w, 9) : 8 + roll(w, 3);
		range->flags = w->ask.type == VIRTIO_BLK_T_WRITE_ZEROES ? roll(w, 2) : 0;
		if (roll(w, 30) == 0)
			range->flags |= UINT32_C(1) << roll(w, 32);
	}
	w->ask.out_bytes = blk_put_ranges(w->out, w->ranges, w->range_count);
}

static void random_request(struct model_fixture *w)
{
	static const uint32_t types[] = { 0, 0, 1, 1, 4, 8, 10, 11, 13, 13, 14 };
	struct blk_ask *ask = &w->ask;

	*ask = (struct blk_ask){ .type = roll(w, 12) ? types[roll(w, 11)] : roll(w, 41), .out = w->out };
	ask->sector = random_sector(w);
	w->range_count = 0;
	for (uint32_t i = 0; i < MOST_BYTES; i++)
		w->out[i] = (uint8_t)(w->x >> i % 24);
	if (ask->type == VIRTIO_BLK_T_OUT)
		ask->out_bytes = roll(w, 9) * 512;
	else if (ask->type == VIRTIO_BLK_T_IN)
		ask->in_bytes = roll(w, 9) * 512;
	else if (ask->type == VIRTIO_BLK_T_GET_ID)
		ask->in_bytes = 18 + roll(w, 5);
	else if (ask->type == VIRTIO_BLK_T_GET_LIFETIME)
		ask->in_bytes = 4 + roll(w, 5);
	else if (ask->type == VIRTIO_BLK_T_FLUSH)
		ask->in_bytes = roll(w, 3);
	else
		random_ranges(w);
	/* Makes some requests illegal. */
	if (roll(w, 20) == 0)
		ask->in_bytes += 1 + roll(w, 20);
	if (roll(w, 20) == 0 && ask->out_bytes < MOST_BYTES - 20)
		ask->out_bytes += 1 + roll(w, 15); /* not a whole number of ranges */
	if (roll(w, 40) == 0) {
		ask->header_bytes = 1 + roll(w, 16);
		ask->out_bytes = 0;
	}
	/* Only small requests get small pieces: a chain has at most 256 descriptors. */
	ask->readable_piece = roll(w, 3) ? 1 + roll(w, 40) + (ask->out_bytes > 128 ? 40 : 0) : 0;
	ask->writable_piece = roll(w, 3) ? 1 + roll(w, 40) + (ask->in_bytes > 64 ? 40 : 0) : 0;
	ask->gap = roll(w, 4);
}

static void random_faults(struct model_fixture *w)
{
	static const int64_t failures[] = { VIRTIO_EIO, 0, INT64_MAX, INT64_MIN, VIRTIO_EINVAL, MOST_BYTES + 1 };
	struct blk_faulty *b = &w->f.backend;

	b->most = roll(w, 3) ? 0 : 1 + roll(w, 1500);
	b->fail_call = roll(w, 6) ? 0 : b->calls + 1 + (int)roll(w, 4);
	b->fail_with = failures[roll(w, 6)];
	b->range_fail_call = roll(w, 6) ? 0 : b->range_calls + 1 + (int)roll(w, 3);
	b->range_fail_with = roll(w, 2) ? VIRTIO_EIO : VIRTIO_ENOTSUP;
	b->flush_error = roll(w, 6) ? 0 : VIRTIO_EIO;
	b->wear = (struct virtio_blk_wear){ (uint16_t)roll(w, 5), (uint16_t)roll(w, 13), (uint16_t)roll(w, 13) };
	b->wear_error = roll(w, 6) ? 0 : VIRTIO_EIO;
}

/* The model */

static bool fits(uint64_t sector, uint64_t sectors)
{
	return sectors <= BLK_SECTORS && sector <= BLK_SECTORS - sectors;
}

static uint8_t judge_ranges(const struct model_fixture *w)
{
	const uint32_t known = w->ask.type == VIRTIO_BLK_T_WRITE_ZEROES ? FLAG_UNMAP : 0;

	for (uint32_t i = 0; i < w->ask.out_bytes / 16; i++) {
		if (w->ranges[i].flags & ~known)
			return VIRTIO_BLK_S_UNSUPP;
	}
	if (w->ask.in_bytes || w->ask.out_bytes % 16 || w->range_count == 0 || w->range_count > 8)
		return VIRTIO_BLK_S_IOERR;
	for (uint32_t i = 0; i < w->range_count; i++) {
		if (w->ranges[i].sectors > 8 || !fits(w->ranges[i].sector, w->ranges[i].sectors))
			return VIRTIO_BLK_S_IOERR;
	}
	return VIRTIO_BLK_S_OK;
}

static bool has(const struct model_fixture *w, int feature)
{
	return w->features >> feature & 1;
}

/* Returns the status of a request if the back end succeeds. */
static uint8_t judge(const struct model_fixture *w)
{
	const struct blk_ask *ask = &w->ask;
	bool good = true;

	if (ask->header_bytes)
		return VIRTIO_BLK_S_IOERR;
	switch (ask->type) {
	case VIRTIO_BLK_T_IN:
		good = ask->out_bytes == 0 && ask->in_bytes % 512 == 0 && fits(ask->sector, ask->in_bytes / 512);
		break;
	case VIRTIO_BLK_T_OUT:
		good = ask->in_bytes == 0 && ask->out_bytes % 512 == 0 && fits(ask->sector, ask->out_bytes / 512);
		break;
	case VIRTIO_BLK_T_FLUSH:
		return has(w, 9) ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_UNSUPP;
	case VIRTIO_BLK_T_GET_ID:
		good = ask->out_bytes == 0 && ask->in_bytes >= 20;
		break;
	case VIRTIO_BLK_T_GET_LIFETIME:
		good = ask->out_bytes == 0 && ask->in_bytes >= 6;
		return !has(w, 15) ? VIRTIO_BLK_S_UNSUPP : good ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
	case VIRTIO_BLK_T_DISCARD:
		return has(w, 13) ? judge_ranges(w) : VIRTIO_BLK_S_UNSUPP;
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return has(w, 14) ? judge_ranges(w) : VIRTIO_BLK_S_UNSUPP;
	case VIRTIO_BLK_T_SECURE_ERASE:
		return has(w, 16) ? judge_ranges(w) : VIRTIO_BLK_S_UNSUPP;
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
	return good ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
}

/*
 * Returns whether a change can be reported as done. If the driver has FLUSH, the change needs no
 * sync. If not, the sync must succeed.
 */
static bool sync_works(const struct model_fixture *w)
{
	return has(w, 9) || w->f.backend.flush_error == 0;
}

/*
 * Changes the model's disk. If a range fails, half of that range and all ranges before it change.
 * Returns whether all ranges and the sync succeed.
 */
static bool change_model(struct model_fixture *w, int calls_before)
{
	int call = calls_before;
	bool changed = false;

	for (uint32_t i = 0; i < w->range_count; i++) {
		const struct virtio_blk_range *range = &w->ranges[i];
		const int value = w->ask.type == VIRTIO_BLK_T_DISCARD        ? BLK_DISCARDED
				  : w->ask.type == VIRTIO_BLK_T_SECURE_ERASE ? BLK_ERASED
									     : 0;
		size_t bytes = (size_t)range->sectors * 512;

		if (bytes == 0)
			continue;
		changed = true;
		call++;
		memset(w->f.disk_model + range->sector * 512, value,
		       call == w->f.backend.range_fail_call ? bytes / 2 : bytes);
		if (call == w->f.backend.range_fail_call)
			return false;
	}
	return !changed || sync_works(w);
}

/*
 * Completes the verdict on a legal request, and returns whether the request succeeds. `moved` is
 * the number of bytes that the back end has moved.
 */
static bool carry_out(struct model_fixture *w, struct verdict *v, uint64_t moved, int range_calls)
{
	const struct virtio_blk_wear *wear = &w->f.backend.wear;
	uint8_t *disk = w->f.disk_model + (w->ask.sector < BLK_SECTORS ? w->ask.sector * 512 : 0);

	switch (w->ask.type) {
	case VIRTIO_BLK_T_IN:
		memcpy(v->in, disk, (size_t)moved);
		v->written = (uint32_t)moved;
		v->touched = w->ask.in_bytes;
		return moved == w->ask.in_bytes;
	case VIRTIO_BLK_T_OUT:
		memcpy(disk, w->out, (size_t)moved);
		return moved == w->ask.out_bytes && (moved == 0 || sync_works(w));
	case VIRTIO_BLK_T_FLUSH:
		return w->f.backend.flush_error == 0;
	case VIRTIO_BLK_T_GET_ID:
		memcpy(v->in, w->f.options.id, 20);
		v->written = v->touched = 20;
		return true;
	case VIRTIO_BLK_T_GET_LIFETIME:
		if (w->f.backend.wear_error || wear->pre_eol_info > 3 || wear->typ_a > 11 || wear->typ_b > 11)
			return false;
		v->in[0] = (uint8_t)wear->pre_eol_info;
		v->in[2] = (uint8_t)wear->typ_a;
		v->in[4] = (uint8_t)wear->typ_b;
		v->written = v->touched = 6;
		return true;
	default:
		return change_model(w, range_calls);
	}
}

static void expect_verdict(struct model_fixture *w, struct verdict *v, uint64_t moved, int range_calls)
{
	memset(v, 0, sizeof *v);
	v->status = judge(w);
	if (v->status == VIRTIO_BLK_S_OK && !carry_out(w, v, moved, range_calls)) {
		v->status = VIRTIO_BLK_S_IOERR;
		w->broken++;
	}
	/*
	 * The used length includes the status only if all data before the status was written and
	 * the header is whole.
	 */
	v->used = v->written + (v->written == w->ask.in_bytes && !w->ask.header_bytes);
}

static void one_request(struct model_fixture *w)
{
	struct blk_fixture *f = &w->f;
	const uint64_t moved = f->backend.moved;
	const int range_calls = f->backend.range_calls;
	static struct verdict v;
	uint32_t used;
	bool changed;

	random_request(w);
	random_faults(w);
	memset(f->bitmap, 0, sizeof f->bitmap);
	blk_send(f, &w->ask);
	used = blk_serve(f);
	expect_verdict(w, &v, f->backend.moved - moved, range_calls);
	assert_int_equal(f->ram[blk_status_place(&w->ask)], v.status);
	assert_int_equal(used, v.used);
	blk_expect(f, &w->ask, v.in, v.written, v.status);
	blk_check_memory(f);
	blk_check_disk(f);
	blk_check_dirty(f, &w->ask, v.touched);
	/* If the driver cannot flush, a change that was reported as done is stable. */
	changed = f->backend.range_calls != range_calls || (w->ask.out_bytes && f->backend.moved != moved);
	if (v.status == VIRTIO_BLK_S_OK && changed && !has(w, VIRTIO_BLK_F_FLUSH))
		assert_memory_equal(f->backend.stable, f->disk_model, BLK_DISK);
	if (v.status == VIRTIO_BLK_S_OK)
		w->served[w->ask.type]++;
}

static void blk_agrees_with_a_model_on_any_request_and_fault(void **state)
{
	static const uint64_t features[] = { BLK_FLUSH | BLK_COMMANDS, BLK_COMMANDS, BLK_FLUSH | BLK_F_ZEROES,
					     BLK_COMMANDS, BLK_FLUSH | BLK_COMMANDS };
	static const uint32_t types[] = { 0, 1, 8, 10, 11, 13, 14 };
	static struct model_fixture w;

	VIRTIO_STATIC_ASSERT(sizeof features / sizeof features[0] == BLK_MEMORIES, "features for each memory");
	(void)state;
	w.x = 0x6b8b4567;
	for (size_t r = 0; r < BLK_MEMORIES; r++) {
		memset(w.served, 0, sizeof w.served);
		w.broken = 0;
		w.features = features[r];
		blk_setup_commands(&w.f, blk_memories[r]);
		blk_restart(&w.f, w.features);
		for (uint32_t i = 0; i < REQUESTS * long_factor(); i++)
			one_request(&w);
		/*
		 * The run has covered failures of the back end, unsupported requests and failed
		 * requests. The run has also covered all of types[], unless the features are
		 * features[2].
		 */
		for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
			assert_true(w.served[types[i]] > 30 || features[r] == features[2]);
		assert_true(w.broken > REQUESTS / 50 && w.f.stats.unsupported > 100 && w.f.stats.failed > 500);
		assert_int_equal(w.f.stats.malformed, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blk_agrees_with_a_model_on_any_request_and_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
