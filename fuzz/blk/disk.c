/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Compares the results of all queries of a disk with the model. Carries out the steps that concern
 * only the disk, not a request.
 */
#include "disk.h"
#include "steps.h"

#define NO_ARGUMENT 0x5a /* fills memory that a call must overwrite */

void blk_config_read(struct blk_harness *h)
{
	const uint64_t offset = fuzz_number(&h->in);
	const size_t len = fuzz_u8(&h->in);
	uint8_t space[VIRTIO_BLK_CONFIG_BYTES], *data = fuzz_alloc(len);

	memset(data, NO_ARGUMENT, len);
	blk_model_config(&h->disk, space);
	virtio_blk_config_read(&h->blk, offset, data, len);
	for (size_t i = 0; i < len; i++)
		FUZZ_CHECK(data[i] == (offset < sizeof space && i < sizeof space - offset ? space[offset + i] : 0),
			   "configuration byte %#llx + %zu is wrong", (unsigned long long)offset, i);
	free(data);
}

void blk_resize(struct blk_harness *h)
{
	const uint64_t sectors = fuzz_number(&h->in);
	const bool fits = sectors <= VIRTIO_BLK_MAX_CAPACITY;

	FUZZ_CHECK(virtio_blk_set_capacity(&h->blk, sectors) == (fits ? 0 : VIRTIO_EINVAL),
		   "virtio_blk_set_capacity() returned a wrong value");
	if (fits)
		h->disk.options.capacity = sectors;
}

void blk_negotiate(struct blk_harness *h, uint64_t features)
{
	const bool right = blk_model_negotiate(&h->disk, features);
	const int got = virtio_blk_negotiate(&h->blk, features);

	FUZZ_CHECK(got == (right ? 0 : VIRTIO_EINVAL), "virtio_blk_negotiate() returned %d", got);
}

void blk_negotiate_any(struct blk_harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);

	if (how == 0)
		blk_negotiate(h, h->disk.negotiated | UINT64_C(1) << 32);
	else
		blk_negotiate(h, how & 1 ? fuzz_u32(&h->in) & h->disk.offered : fuzz_u64(&h->in));
}

/* Saves the disk. Then forges the members of the state that the input selects. */
static struct virtio_blk_state saved_state(struct blk_harness *h, uint8_t how)
{
	struct virtio_blk_state state;

	memset(&state, NO_ARGUMENT, sizeof state);
	virtio_blk_save(&h->blk, &state);
	FUZZ_CHECK(state.features == h->disk.negotiated && state.capacity == h->disk.options.capacity &&
			   state.writeback == h->disk.writeback,
		   "a wrong state was saved");
	if (how & BLK_G_FEATURES)
		state.features = fuzz_u32(&h->in) & h->disk.offered;
	if (how & BLK_G_ANY)
		state.features = fuzz_u64(&h->in);
	if (how & BLK_G_CAPACITY)
		state.capacity = fuzz_number(&h->in);
	if (how & BLK_G_WRITEBACK)
		state.writeback = fuzz_u8(&h->in);
	return state;
}

/*
 * Saves and restores the state of the disk. The features may be negotiated before the restore,
 * after the restore, or both, because device cores differ.
 */
void blk_migrate(struct blk_harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);
	const struct virtio_blk_state state = saved_state(h, how);
	int got, right;

	if (how & BLK_G_NEW) {
		/* The model's options have the present capacity, after any resize. */
		FUZZ_CHECK(virtio_blk_init(&h->blk, &h->disk.options) == 0,
			   "a disk with the options of a valid disk is refused");
		blk_model_reset(&h->disk);
	}
	if (how & BLK_G_BEFORE)
		blk_negotiate(h, state.features | UINT64_C(1) << 32);
	right = blk_model_restore(&h->disk, &state);
	got = virtio_blk_restore(&h->blk, &state);
	FUZZ_CHECK(got == right, "restore returned %d, not %d", got, right);
	if (how & BLK_G_AFTER)
		blk_negotiate(h, state.features | UINT64_C(1) << 32);
}

static void compare_stats(const struct blk_harness *h)
{
	const struct virtio_blk_stats *a = &h->stats, *b = &h->disk.stats;

	FUZZ_CHECK(a->reads == b->reads && a->writes == b->writes && a->flushes == b->flushes && a->ids == b->ids &&
			   a->discards == b->discards && a->write_zeroes == b->write_zeroes &&
			   a->secure_erases == b->secure_erases && a->others == b->others,
		   "the counters of requests by type are wrong");
	FUZZ_CHECK(a->read_bytes == b->read_bytes && a->written_bytes == b->written_bytes,
		   "the counters of bytes are wrong");
	FUZZ_CHECK(a->failed == b->failed && a->unsupported == b->unsupported && a->malformed == b->malformed,
		   "the counters of failures are wrong");
	FUZZ_CHECK(a->first_refusal == b->first_refusal, "first refusal: %s, not %s",
		   virtio_blk_refusal_name(a->first_refusal), virtio_blk_refusal_name(b->first_refusal));
	FUZZ_CHECK(a->first_error == b->first_error, "first error %d, not %d", a->first_error, b->first_error);
}

static void compare_queue_stats(const struct blk_harness *h)
{
	struct virtio_queue_stats stats;

	virtio_queue_get_stats(&h->queue, &stats);
	FUZZ_CHECK(stats.too_many_segments == h->model.stats.too_many_segments,
		   "the counter too_many_segments is wrong");
}

void blk_compare(struct blk_harness *h)
{
	const struct virtio_blk *blk = &h->blk;
	uint8_t space[VIRTIO_BLK_CONFIG_BYTES], real[VIRTIO_BLK_CONFIG_BYTES];

	FUZZ_CHECK(memcmp(h->bytes, h->disk.disk, BLK_DISK_BYTES) == 0, "the content of the disk is wrong");
	compare_stats(h);
	FUZZ_CHECK(virtio_blk_capacity(blk) == h->disk.options.capacity, "wrong capacity: %#llx",
		   (unsigned long long)virtio_blk_capacity(blk));
	compare_queue_stats(h);
	FUZZ_CHECK(virtio_blk_offered(blk) == h->disk.offered, "wrong offered features: %#llx",
		   (unsigned long long)virtio_blk_offered(blk));
	FUZZ_CHECK(blk->negotiated == h->disk.negotiated, "wrong negotiated features: %#llx",
		   (unsigned long long)blk->negotiated);
	FUZZ_CHECK(virtio_blk_write_through(blk) == blk_model_write_through(&h->disk),
		   "virtio_blk_write_through() is wrong");
	blk_model_config(&h->disk, space);
	virtio_blk_config_read(blk, 0, real, sizeof real);
	for (size_t i = 0; i < sizeof space; i++)
		FUZZ_CHECK(real[i] == space[i], "configuration byte %zu: %#x, not %#x", i, real[i], space[i]);
}
