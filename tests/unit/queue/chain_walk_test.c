/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests virtio_chain_next() with malformed chains, well-formed chains, and translations that fail.
 * Most tests run over the three memories of fixture.h.
 */
#include "../common/fixture.h"

#define SIZE 8u

static const struct virtio_mock_buffer out_in[] = { READABLE(FIXTURE_DATA, 16), WRITABLE(FIXTURE_DATA + 64, 32) };

/* Pops the chain that the test has offered. */
static void pop(struct fixture *f, struct virtio_chain *chain)
{
	assert_int_equal(virtio_queue_pop(&f->queue, chain), 1);
}

/* Walks to the end. Returns the number of descriptors; *end is 0 or the error. */
static uint32_t walk(struct virtio_chain *chain, int *end)
{
	struct virtio_desc desc = { 0 };
	uint32_t count = 0;

	while ((*end = virtio_chain_next(chain, &desc)) == 1)
		count++;
	return count;
}

/* Walks a chain, which must have exactly these buffers and end without an error. */
static void expect_buffers(struct virtio_chain *chain, const struct virtio_mock_buffer *buffers, uint32_t count)
{
	struct virtio_desc desc = { 0 };

	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(virtio_chain_next(chain, &desc), 1);
		assert_int_equal(desc.addr, buffers[i].addr);
		assert_int_equal(desc.len, buffers[i].len);
		assert_int_equal(desc.writable, (buffers[i].flags & VRING_DESC_F_WRITE) != 0);
	}
	assert_int_equal(virtio_chain_next(chain, &desc), 0);
	assert_int_equal(virtio_chain_next(chain, &desc), 0);
}

/*
 * Walks a chain. The walk must yield `good` descriptors, and then fail. A second call returns the
 * same error. The output and guest memory are unchanged, and the fault is counted once. The chain
 * is completed with length 0, and the next chain is served.
 */
static void expect_bad_chain(struct fixture *f, uint32_t good, int error)
{
	struct virtio_desc desc = { 1, 2, true };
	struct virtio_queue_stats stats;
	struct vring_used_elem used;
	struct virtio_chain chain = { 0 };

	pop(f, &chain);
	for (uint32_t i = 0; i < good; i++)
		assert_int_equal(virtio_chain_next(&chain, &desc), 1);
	desc = (struct virtio_desc){ 1, 2, true };
	if (f->kind != FIXTURE_CHANGING)
		fixture_save(f);
	assert_int_equal(virtio_chain_next(&chain, &desc), error);
	assert_int_equal(virtio_chain_next(&chain, &desc), error);
	assert_true(desc.addr == 1 && desc.len == 2 && desc.writable);
	assert_true(f->kind == FIXTURE_CHANGING || fixture_unchanged(f));
	virtio_queue_get_stats(&f->queue, &stats);
	assert_int_equal(stats.chain_faults, 1);
	assert_int_equal(stats.ring_faults, 0);
	assert_int_equal(stats.first_error, error);
	assert_int_equal(stats.first_head, virtio_token_head(chain.token));
	assert_int_equal(stats.first_position, 1);

	assert_int_equal(virtio_queue_complete(&f->queue, chain.token, 0), 0);
	assert_int_equal(virtio_mock_pop_used(&f->mock, &used), 1);
	assert_int_equal(used.id, virtio_token_head(chain.token));
	assert_int_equal(used.len, 0);
	fixture_offer_chain(f, 0, out_in, 2);
	pop(f, &chain);
	expect_buffers(&chain, out_in, 2);
}

/* Malformed chains */

/* Hostile 1: the next field of a descriptor refers to the descriptor itself. */
static void chain_next_ends_loop_to_itself(void **state)
{
	const struct vring_desc self = { FIXTURE_DATA, 1, VRING_DESC_F_NEXT, 3 };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	assert_int_equal(virtio_mock_set_desc(&f.mock, 3, &self), 0);
	fixture_offer_head(&f, 3);
	expect_bad_chain(&f, SIZE, VIRTIO_ETOOLONG);
}

/* Hostile 2: a loop of empty buffers never reaches the limit of bytes. The walk must still end. */
static void chain_next_ends_loop_of_empty_buffers(void **state)
{
	const struct vring_desc there = { FIXTURE_DATA, 0, VRING_DESC_F_NEXT, 6 };
	const struct vring_desc back = { FIXTURE_DATA, 0, VRING_DESC_F_NEXT, 2 };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	assert_int_equal(virtio_mock_set_desc(&f.mock, 2, &there), 0);
	assert_int_equal(virtio_mock_set_desc(&f.mock, 6, &back), 0);
	fixture_offer_head(&f, 2);
	expect_bad_chain(&f, SIZE, VIRTIO_ETOOLONG);
}

/*
 * Hostile 4: the last descriptor leads back to the first, so the chain has more entries than the
 * queue.
 */
static void chain_next_refuses_size_plus_one_entries(void **state)
{
	struct virtio_mock_buffer buffers[SIZE];
	struct vring_desc last;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	for (uint32_t i = 0; i < SIZE; i++)
		buffers[i] = (struct virtio_mock_buffer)READABLE(FIXTURE_DATA, 1);
	assert_int_equal(virtio_mock_write_chain(&f.mock, 0, buffers, SIZE), 0);
	assert_int_equal(virtio_mock_get_desc(&f.mock, SIZE - 1, &last), 0);
	last.flags = VRING_DESC_F_NEXT;
	last.next = 0;
	assert_int_equal(virtio_mock_set_desc(&f.mock, SIZE - 1, &last), 0);
	fixture_offer_head(&f, 0);
	expect_bad_chain(&f, SIZE, VIRTIO_ETOOLONG);
}

/*
 * Hostile 5, regression R7: a value of `next` outside the table is an error, and not the end of the
 * chain. Each further call returns the error again.
 */
static void chain_next_refuses_next_outside_table(void **state)
{
	static const uint16_t nexts[] = { SIZE, SIZE + 1, 0x7fff, 0x8000, 0xffff };

	for (uint32_t i = 0; i < COUNT(nexts); i++) {
		const struct vring_desc desc = { FIXTURE_DATA, 1, VRING_DESC_F_NEXT, nexts[i] };
		struct fixture f;

		fixture_setup(&f, fixture_kind(state), SIZE);
		assert_int_equal(virtio_mock_set_desc(&f.mock, 1, &desc), 0);
		fixture_offer_head(&f, 1);
		expect_bad_chain(&f, 0, VIRTIO_ENEXT);
	}
}

/* Without VRING_DESC_F_NEXT the field `next` has no meaning. */
static void chain_next_ignores_next_without_flag(void **state)
{
	const struct vring_desc desc = { FIXTURE_DATA, 7, 0, 0xffff };
	const struct virtio_mock_buffer expected = READABLE(FIXTURE_DATA, 7);
	struct virtio_chain chain = { 0 };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	assert_int_equal(virtio_mock_set_desc(&f.mock, 1, &desc), 0);
	fixture_offer_head(&f, 1);
	pop(&f, &chain);
	expect_buffers(&chain, &expected, 1);
}

/* Flags that the specification does not define are ignored. */
static void chain_next_ignores_undefined_flags(void **state)
{
	const struct vring_desc desc = { FIXTURE_DATA, 7, 0xfff8, 0 };
	const struct virtio_mock_buffer expected = READABLE(FIXTURE_DATA, 7);
	struct virtio_chain chain = { 0 };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	assert_int_equal(virtio_mock_set_desc(&f.mock, 1, &desc), 0);
	fixture_offer_head(&f, 1);
	pop(&f, &chain);
	expect_buffers(&chain, &expected, 1);
}

/* Hostile 40: a readable buffer follows a writable buffer. */
static void chain_next_refuses_readable_after_writable(void **state)
{
	const struct virtio_mock_buffer buffers[] = { READABLE(FIXTURE_DATA, 1), WRITABLE(FIXTURE_DATA, 0),
						      READABLE(FIXTURE_DATA, 1) };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_offer_chain(&f, 0, buffers, 3);
	expect_bad_chain(&f, 2, VIRTIO_EORDER);
}

/*
 * Hostile 31, regression R8: addr + len wraps, for short and for very long buffers. The walk yields
 * the buffer unchanged, and continues. No access reaches a byte of the buffer.
 */
static void chain_next_yields_wrapping_buffer_without_access(void **state)
{
	static const struct virtio_mock_buffer wraps[][2] = {
		{ READABLE(UINT64_MAX, 2), WRITABLE(FIXTURE_DATA, 1) },
		{ READABLE(FIXTURE_DATA, 1), WRITABLE(UINT64_MAX - 1, 3) },
		{ READABLE(UINT64_MAX, UINT32_MAX), WRITABLE(FIXTURE_DATA, 1) },
		{ WRITABLE(UINT64_MAX - 7, UINT32_MAX - 1), WRITABLE(UINT64_MAX, 2) },
	};

	for (uint32_t i = 0; i < COUNT(wraps); i++) {
		static uint8_t bytes[64];
		struct virtio_queue_stats stats;
		struct virtio_chain chain = { 0 };
		struct fixture f;

		fixture_setup(&f, fixture_kind(state), SIZE);
		fixture_offer_chain(&f, 5, wraps[i], 2);
		pop(&f, &chain);
		expect_buffers(&chain, wraps[i], 2);
		virtio_queue_get_stats(&f.queue, &stats);
		assert_int_equal(stats.chain_faults, 0);
		memset(bytes, 0x5a, sizeof bytes);
		fixture_save(&f);
		for (uint32_t k = 0; k < 2; k++) {
			const struct virtio_mock_buffer *b = &wraps[i][k];
			/*
			 * The array is shorter than the longest buffer. The short array is safe,
			 * because the access fails before it touches the array.
			 */
			const size_t len = b->len;

			if (b->addr == FIXTURE_DATA)
				continue;
			assert_int_equal(virtio_memory_read(chain.memory, b->addr, bytes, len), VIRTIO_EFAULT);
			assert_int_equal(virtio_memory_write(chain.memory, b->addr, bytes, len), VIRTIO_EFAULT);
		}
		for (size_t k = 0; k < sizeof bytes; k++)
			assert_int_equal(bytes[k], 0x5a);
		assert_true(fixture_ram_unchanged(&f));
		assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 0), 0);
	}
}

/* A buffer may end with the last byte of the address space. */
static void chain_next_accepts_buffer_that_ends_with_address_space(void **state)
{
	const struct virtio_mock_buffer buffers[] = { READABLE(UINT64_MAX, 1), READABLE(UINT64_MAX - 9, 10),
						      WRITABLE(UINT64_MAX, 0) };
	struct virtio_chain chain = { 0 };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_offer_chain(&f, 0, buffers, 3);
	pop(&f, &chain);
	expect_buffers(&chain, buffers, 3);
}

/*
 * Hostile 38, regression R22: a chain of 2^32 + 1 bytes is refused, and a chain of 2^32 bytes is
 * accepted.
 */
static void chain_next_refuses_more_than_4_gib(void **state)
{
	const struct virtio_mock_buffer buffers[] = { READABLE(0, UINT32_MAX), WRITABLE(0, 1), WRITABLE(0, 0),
						      WRITABLE(0, 1) };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_offer_chain(&f, 0, buffers, 4);
	expect_bad_chain(&f, 3, VIRTIO_EBYTES);
}

static void chain_next_accepts_exactly_4_gib(void **state)
{
	const struct virtio_mock_buffer buffers[] = { READABLE(0, 0x80000000), WRITABLE(0, 0x80000000),
						      WRITABLE(0, 0) };
	struct virtio_chain chain = { 0 };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_offer_chain(&f, 0, buffers, 3);
	pop(&f, &chain);
	expect_buffers(&chain, buffers, 3);
}

/* Well-formed chains */

/*
 * Hostile 3: a chain has as many entries as the queue. Regressions R1 and R2: one-byte regions cut
 * the table and each descriptor.
 */
static void chain_next_yields_chain_of_exactly_size(void **state)
{
	for (uint32_t size = 1; size <= FIXTURE_MAX_SIZE; size *= 2) {
		struct virtio_mock_buffer buffers[FIXTURE_MAX_SIZE];
		struct virtio_chain chain = { 0 };
		struct fixture f;

		fixture_setup(&f, fixture_kind(state), size);
		for (uint32_t i = 0; i < size; i++)
			buffers[i] = (struct virtio_mock_buffer){ FIXTURE_DATA + i, 10 + i,
								  i < size / 2 ? 0 : VRING_DESC_F_WRITE };
		fixture_offer_chain(&f, size - 1, buffers, size);
		pop(&f, &chain);
		expect_buffers(&chain, buffers, size);
	}
}

/* Hostile 37: the address of an empty buffer does not matter. */
static void chain_next_accepts_empty_buffer_at_bad_address(void **state)
{
	const struct virtio_mock_buffer buffers[] = { READABLE(0, 0), READABLE(UINT64_MAX, 0), WRITABLE(1, 0) };
	struct virtio_chain chain = { 0 };
	uint32_t lookups;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_offer_chain(&f, 0, buffers, 3);
	pop(&f, &chain);
	expect_buffers(&chain, buffers, 3);
	lookups = f.lookups;
	assert_int_equal(virtio_memory_write(chain.memory, UINT64_MAX, buffers, 0), 0);
	assert_int_equal(f.lookups, lookups);
}

/*
 * Hostile 30 and 41: each descriptor is read once, so a later change is never seen. The test
 * rewrites each descriptor at the earliest moment, right after the walk has read it.
 */
static void chain_next_reads_each_descriptor_once(void **state)
{
	const struct vring_desc poison = { UINT64_MAX, UINT32_MAX, 0xffff, 0xffff };
	struct virtio_mock_buffer buffers[SIZE];
	struct virtio_chain chain = { 0 };
	struct virtio_desc desc = { 0 };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	for (uint32_t i = 0; i < SIZE; i++)
		buffers[i] = (struct virtio_mock_buffer)WRITABLE(FIXTURE_DATA + 16 * i, 16);
	fixture_offer_chain(&f, 0, buffers, SIZE);
	pop(&f, &chain);
	for (uint32_t i = 0; i < SIZE; i++) {
		assert_int_equal(virtio_chain_next(&chain, &desc), 1);
		assert_int_equal(virtio_mock_set_desc(&f.mock, i, &poison), 0);
		assert_int_equal(desc.addr, buffers[i].addr);
		assert_int_equal(desc.len, 16);
		assert_true(desc.writable);
	}
	assert_int_equal(virtio_chain_next(&chain, &desc), 0);
}

/*
 * Hostile 42: a writable buffer covers the descriptor table and the rings. The device itself
 * overwrites the next descriptors, and the walk checks the new content by the usual rules.
 */
static void chain_next_survives_buffer_over_its_own_table(void **state)
{
	const struct virtio_mock_buffer buffers[] = { WRITABLE(FIXTURE_BASE, 256), WRITABLE(FIXTURE_DATA, 16) };
	uint8_t ones[256];
	struct virtio_chain chain = { 0 };
	struct virtio_desc desc = { 0 };
	struct fixture f;

	memset(ones, 0xff, sizeof ones);
	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_offer_chain(&f, 0, buffers, 2);
	pop(&f, &chain);
	assert_int_equal(virtio_chain_next(&chain, &desc), 1);
	assert_int_equal(virtio_memory_write(chain.memory, desc.addr, ones, desc.len), 0);
	/*
	 * The bytes of the second descriptor are now 0xff. So its INDIRECT flag is set, although
	 * INDIRECT_DESC was not negotiated.
	 */
	assert_int_equal(virtio_chain_next(&chain, &desc), VIRTIO_EINDIRECT);
	assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 0), 0);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_EAVAILIDX);
}

/* Regression R12: fields in guest memory are little-endian on every host. */
static void chain_next_reads_little_endian(void **state)
{
	static const uint8_t raw[16] = { 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
					 0xd4, 0xc3, 0xb2, 0xa1, 0x02, 0x00, 0x34, 0x12 };
	struct virtio_chain chain = { 0 };
	struct virtio_desc desc = { 0 };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_write(&f, virtio_mock_desc_addr(&f.mock, 4), raw, sizeof raw);
	fixture_offer_head(&f, 4);
	pop(&f, &chain);
	assert_int_equal(virtio_chain_next(&chain, &desc), 1);
	assert_true(desc.addr == UINT64_C(0x1122334455667788) && desc.len == 0xa1b2c3d4 && desc.writable);
}

/* Translations that fail */

/*
 * VIRTIO_ENOTMAPPED is no fault, and the chain can be unpopped: the next pop yields the same head.
 * Runs in changing memory only.
 */
static void chain_next_passes_on_not_mapped(void **state)
{
	struct virtio_queue_stats stats;
	struct virtio_chain chain = { 0 };
	struct fixture f;
	int end;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_offer_chain(&f, 2, out_in, 2);
	f.bad_start = virtio_mock_desc_addr(&f.mock, 3);
	f.bad_end = f.bad_start + 16;
	f.bad_error = VIRTIO_ENOTMAPPED;
	pop(&f, &chain);
	assert_int_equal(walk(&chain, &end), 1);
	assert_int_equal(end, VIRTIO_ENOTMAPPED);
	virtio_queue_get_stats(&f.queue, &stats);
	assert_int_equal(stats.chain_faults, 0);
	assert_int_equal(stats.first_error, 0);
	assert_int_equal(stats.not_mapped, 1);
	assert_int_equal(virtio_queue_unpop(&f.queue, chain.token), 0);

	f.bad_error = 0;
	assert_int_equal(virtio_mock_write_chain(&f.mock, 2, out_in, 2), 0);
	memset(f.seen, 0, sizeof f.seen);
	pop(&f, &chain);
	assert_int_equal(virtio_token_head(chain.token), 2);
	expect_buffers(&chain, out_in, 2);
}

/* Every other error of the translation is a chain fault. */
static void chain_next_reports_lost_table(void **state)
{
	static const int errors[] = { VIRTIO_EFAULT, VIRTIO_EPERM };

	for (uint32_t i = 0; i < COUNT(errors); i++) {
		struct virtio_queue_stats stats;
		struct virtio_chain chain = { 0 };
		struct fixture f;
		int end;

		fixture_setup(&f, fixture_kind(state), SIZE);
		fixture_offer_chain(&f, 2, out_in, 2);
		f.bad_start = virtio_mock_desc_addr(&f.mock, 3);
		f.bad_end = f.bad_start + 16;
		f.bad_error = errors[i];
		pop(&f, &chain);
		assert_int_equal(walk(&chain, &end), 1);
		assert_int_equal(end, errors[i]);
		virtio_queue_get_stats(&f.queue, &stats);
		assert_int_equal(stats.chain_faults, 1);
		assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 0), 0);
	}
}

/*
 * Hostile 16: the driver offers bad chains without end. Each chain consumes one head. The queue
 * records the first fault only, and counts all faults.
 */
static void chain_next_counts_endless_bad_chains(void **state)
{
	const struct vring_desc bad = { FIXTURE_DATA, 1, VRING_DESC_F_NEXT, 0xffff };
	struct virtio_queue_stats stats;
	struct vring_used_elem used;
	struct virtio_chain chain = { 0 };
	struct fixture f;
	int end;

	fixture_setup(&f, fixture_kind(state), SIZE);
	assert_int_equal(virtio_mock_set_desc(&f.mock, 7, &bad), 0);
	for (uint32_t i = 0; i < 1000; i++) {
		fixture_offer_head(&f, 7);
		pop(&f, &chain);
		assert_int_equal(walk(&chain, &end), 0);
		assert_int_equal(end, VIRTIO_ENEXT);
		assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 0), 0);
		assert_int_equal(virtio_mock_pop_used(&f.mock, &used), 1);
		assert_int_equal(virtio_queue_pop(&f.queue, &chain), 0);
	}
	virtio_queue_get_stats(&f.queue, &stats);
	assert_int_equal(stats.chain_faults, 1000);
	assert_int_equal(stats.completions, 1000);
	assert_int_equal(stats.first_error, VIRTIO_ENEXT);
	assert_int_equal(stats.first_head, 7);
	assert_int_equal(stats.first_position, 1);
}

/*
 * Loops are not tested in changing memory, because the second visit to a descriptor would read
 * rewritten bytes. In one-byte memory, loops test the walk that reads descriptors through the map.
 */
int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON(chain_next_ends_loop_to_itself, FLAT),
		FIXTURE_ON(chain_next_ends_loop_to_itself, ONE_BYTE),
		FIXTURE_ON(chain_next_ends_loop_of_empty_buffers, FLAT),
		FIXTURE_ON(chain_next_ends_loop_of_empty_buffers, ONE_BYTE),
		FIXTURE_ON(chain_next_refuses_size_plus_one_entries, FLAT),
		FIXTURE_ON(chain_next_refuses_size_plus_one_entries, ONE_BYTE),
		FIXTURE_ON_ALL(chain_next_refuses_next_outside_table),
		FIXTURE_ON_ALL(chain_next_ignores_next_without_flag),
		FIXTURE_ON_ALL(chain_next_ignores_undefined_flags),
		FIXTURE_ON_ALL(chain_next_refuses_readable_after_writable),
		FIXTURE_ON_ALL(chain_next_yields_wrapping_buffer_without_access),
		FIXTURE_ON_ALL(chain_next_accepts_buffer_that_ends_with_address_space),
		FIXTURE_ON_ALL(chain_next_refuses_more_than_4_gib),
		FIXTURE_ON_ALL(chain_next_accepts_exactly_4_gib),
		FIXTURE_ON_ALL(chain_next_yields_chain_of_exactly_size),
		FIXTURE_ON_ALL(chain_next_accepts_empty_buffer_at_bad_address),
		FIXTURE_ON_ALL(chain_next_reads_each_descriptor_once),
		FIXTURE_ON_ALL(chain_next_survives_buffer_over_its_own_table),
		FIXTURE_ON_ALL(chain_next_reads_little_endian),
		FIXTURE_ON(chain_next_passes_on_not_mapped, CHANGING),
		FIXTURE_ON(chain_next_reports_lost_table, CHANGING),
		FIXTURE_ON_ALL(chain_next_counts_endless_bad_chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
