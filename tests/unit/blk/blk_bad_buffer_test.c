/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Requests with a bad buffer. Drivers read the status, and not the used length. So the device must
 * write VIRTIO_BLK_S_IOERR to the status byte. The device must change no other byte. A request gets
 * no status if its chain is malformed, or if its status byte cannot be written.
 */
#include "blk_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Address of the status, unless a test puts it elsewhere. The status has its own page. */
#define STATUS 0x7000u
#define DATA 0x4000u /* good data */
#define GAP 0x6000u  /* start of a hole or of read-only memory */
#define GAP_BYTES 0x400u
#define TABLE 0x3000u /* the indirect table */
#define OUT 0
#define IN VRING_DESC_F_WRITE

/* Kinds of gap: how the GAP_BYTES bytes at GAP differ from the memory around them. */
enum gap { NO_GAP, HOLE, READ_ONLY };

/* A map of the fixture's memory, with or without a gap. */
struct gapped {
	struct virtio_region regions[BLK_RAM + 2];
	uint32_t count;
	struct virtio_memory_map map;
};

static void add_part(struct gapped *g, const struct virtio_region *from, uint64_t start, uint64_t end, bool read_only)
{
	const uint64_t first = start > from->addr ? start : from->addr, last = from->addr + from->len;
	const uint64_t behind = end < last ? end : last;

	if (first >= behind)
		return;
	g->regions[g->count] = *from;
	g->regions[g->count].addr = first;
	g->regions[g->count].len = behind - first;
	g->regions[g->count].host = (uint8_t *)from->host + (first - from->addr);
	g->regions[g->count].flags = read_only ? VIRTIO_REGION_READ_ONLY : 0;
	g->count++;
}

/*
 * Sets up a device whose map has a gap. The driver's map has no gap. Indirect tables are
 * negotiated.
 */
static void set_up(struct blk_fixture *f, uint32_t region_bytes, enum gap gap)
{
	struct virtio_queue_config config;
	static struct gapped g;

	blk_setup_commands(f, region_bytes);
	config = f->queue.config;
	config.indirect = true;
	f->mock.indirect = true;
	g.count = 0;
	for (uint32_t i = 0; i < f->map.count; i++) {
		add_part(&g, &f->regions[i], 0, GAP, false);
		if (gap != HOLE)
			add_part(&g, &f->regions[i], GAP, GAP + GAP_BYTES, gap == READ_ONLY);
		add_part(&g, &f->regions[i], GAP + GAP_BYTES, BLK_RAM, false);
	}
	assert_int_equal(virtio_memory_map_init(&g.map, g.regions, g.count), 0);
	if (region_bytes == BLK_CHANGING)
		virtio_memory_map_set_translation(&g.map, blk_translate, f);
	virtio_queue_reset(&f->queue);
	assert_int_equal(virtio_queue_start(&f->queue, &config, &g.map), 0);
	f->read_desc = 0;
}

/* Writes a header at BLK_READABLE, and at DATA one legal range for the commands on ranges. */
static void put_header(struct blk_fixture *f, uint32_t type)
{
	uint8_t header[16] = { 0 };

	virtio_put_le32(header, type);
	for (uint32_t i = 0; i < 16; i++) {
		blk_poke(f, BLK_READABLE + i, header[i]);
		blk_poke(f, DATA + i, i == 8);
	}
}

static void offer(struct blk_fixture *f, const struct virtio_mock_buffer *buffers, uint32_t count, bool indirect)
{
	if (!indirect) {
		assert_true(virtio_mock_add(&f->mock, buffers, count) >= 0);
		return;
	}
	assert_true(virtio_mock_add_indirect(&f->mock, TABLE, buffers, count) >= 0);
	memcpy(f->model + TABLE, f->ram + TABLE, count * sizeof(struct vring_desc));
}

/*
 * Checks that the dirty log has only the page of the status, or no page if `status` is 0. Ignores
 * the pages of the rings.
 */
static void check_marks(const struct blk_fixture *f, uint64_t status)
{
	for (uint64_t addr = BLK_RINGS_END; addr < BLK_RAM && f->regions[0].dirty; addr += 1u << BLK_PAGE_SHIFT)
		assert_int_equal(blk_dirty(f, addr), status && addr >> BLK_PAGE_SHIFT == status >> BLK_PAGE_SHIFT);
}

/* Checks the counters after one request. The request got a status if `answered` is true. */
static void check_counts(const struct blk_fixture *f, bool answered, int error)
{
	const struct virtio_blk_stats expected = {
		.others = answered,
		.failed = answered,
		.malformed = !answered,
		.first_error = error,
		.first_refusal = VIRTIO_BLK_REFUSAL_BAD_CHAIN,
	};
	struct virtio_queue_stats queue;

	assert_memory_equal(&f->stats, &expected, sizeof expected);
	virtio_queue_get_stats(&f->queue, &queue);
	assert_int_equal(queue.chain_faults, 1);
	assert_int_equal(queue.ring_faults, 0);
	assert_int_equal(queue.first_error, error);
}

/* Checks that the device still serves a good request. */
static void serve_another(struct blk_fixture *f)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_GET_ID, .in_bytes = 20 };

	f->read_desc = 0;
	blk_send(f, &ask);
	assert_int_equal(blk_serve(f), 21);
	blk_expect(f, &ask, (const uint8_t *)f->options.id, 20, VIRTIO_BLK_S_OK);
	blk_check_memory(f);
	assert_true(virtio_queue_quiesced(&f->queue));
}

/*
 * Serves the next request. The device must write IOERR at the address `status` and do nothing else.
 * If `status` is 0, the device must write nothing.
 */
static void serve_bad(struct blk_fixture *f, uint64_t status, int error)
{
	f->backend.status = NULL;
	memset(f->bitmap, 0, sizeof f->bitmap);
	assert_int_equal(blk_serve(f), 0);
	if (status)
		f->model[status] = VIRTIO_BLK_S_IOERR;
	blk_check_memory(f);
	check_marks(f, status);
	check_counts(f, status != 0, error);
	assert_int_equal(f->backend.logged, 0);
	blk_check_disk(f);
	serve_another(f);
}

/* Types of requests, each with the direction of its data. */
static const struct {
	uint32_t type;
	uint16_t direction;
} kinds[] = {
	{ VIRTIO_BLK_T_IN, IN },
	{ VIRTIO_BLK_T_OUT, OUT },
	{ VIRTIO_BLK_T_FLUSH, IN },
	{ VIRTIO_BLK_T_FLUSH, OUT },
	{ VIRTIO_BLK_T_DISCARD, OUT },
	{ VIRTIO_BLK_T_WRITE_ZEROES, OUT },
	{ VIRTIO_BLK_T_SECURE_ERASE, OUT },
	{ VIRTIO_BLK_T_GET_ID, IN },
	{ VIRTIO_BLK_T_GET_LIFETIME, IN },
	{ 99, IN },
};

/*
 * Bad buffers, each with its gap and its error. A buffer in read-only memory is bad only if the
 * device writes to it.
 */
static const struct {
	uint64_t addr;
	uint32_t len;
	enum gap gap;
	int error;
} places[] = {
	{ BLK_RAM, 512, NO_GAP, VIRTIO_EFAULT },
	{ BLK_RAM - 256, 512, NO_GAP, VIRTIO_EFAULT },
	{ UINT64_C(1) << 40, 512, NO_GAP, VIRTIO_EFAULT },
	{ DATA, UINT32_C(1) << 31, NO_GAP, VIRTIO_EFAULT },
	{ UINT64_MAX - 511, 512, NO_GAP, VIRTIO_EFAULT },
	{ UINT64_MAX - 255, 512, NO_GAP, VIRTIO_EFAULT },
	{ UINT64_MAX, 512, NO_GAP, VIRTIO_EFAULT },
	{ UINT64_MAX - 511, 512 + DATA, NO_GAP, VIRTIO_EFAULT },
	{ GAP, 512, HOLE, VIRTIO_EFAULT },
	{ GAP - 256, 512, HOLE, VIRTIO_EFAULT },
	{ GAP + GAP_BYTES - 256, 512, HOLE, VIRTIO_EFAULT },
	{ GAP - 512, 1024 + GAP_BYTES, HOLE, VIRTIO_EFAULT },
	{ GAP, 512, READ_ONLY, VIRTIO_EPERM },
	{ GAP - 256, 512, READ_ONLY, VIRTIO_EPERM },
	{ GAP + GAP_BYTES - 256, 512, READ_ONLY, VIRTIO_EPERM },
};

/*
 * Serves a request of kinds[kind] with the bad buffer places[place]. In `layout`, bit 0 puts good
 * data before the bad buffer, and bit 1 puts good data after the bad buffer.
 */
static void serve_kind(uint32_t memory, size_t kind, size_t place, uint32_t layout, bool indirect)
{
	const uint16_t direction = kinds[kind].direction;
	struct virtio_mock_buffer buffers[5] = { { BLK_READABLE, 16, OUT } };
	static struct blk_fixture f;
	uint32_t count = 1;

	set_up(&f, memory, places[place].gap);
	put_header(&f, kinds[kind].type);
	if (layout & 1)
		buffers[count++] = (struct virtio_mock_buffer){ DATA, 16, direction };
	buffers[count++] = (struct virtio_mock_buffer){ places[place].addr, places[place].len, direction };
	if (layout & 2)
		buffers[count++] = (struct virtio_mock_buffer){ DATA + 0x100, 512, direction };
	buffers[count++] = (struct virtio_mock_buffer){ STATUS, 1, IN };
	offer(&f, buffers, count, indirect);
	serve_bad(&f, STATUS, places[place].error);
}

/* Hostile 31, 34, 213: each type of request gets IOERR if its data is in any bad buffer. */
static void blk_process_answers_ioerr_for_data_in_a_bad_place(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < COUNT(kinds); kind++)
		for (size_t place = 0; place < COUNT(places); place++)
			for (uint32_t layout = 0; layout < 8; layout++) {
				if (kinds[kind].direction == OUT && places[place].error == VIRTIO_EPERM)
					continue;
				serve_kind(layout & 4 ? BLK_UNLOGGED : BLK_RAM, kind, place, layout & 3, place % 2);
			}
}

/*
 * Repeats some requests of the test above in every kind of guest memory. In one kind each byte is a
 * region. In another kind each descriptor changes after its first read.
 */
static void blk_process_answers_ioerr_for_bad_data_in_any_memory(void **state)
{
	(void)state;
	for (size_t m = 0; m < BLK_MEMORIES; m++)
		for (size_t kind = 0; kind < COUNT(kinds); kind++)
			for (size_t place = m % 2; place < COUNT(places); place += 5)
				if (kinds[kind].direction == IN || places[place].error != VIRTIO_EPERM)
					serve_kind(blk_memories[m], kind, place, 3, false);
}

/*
 * If a part of the header is not in memory, the device ignores the header. So the request has no
 * type.
 */
static void blk_process_answers_ioerr_for_a_header_in_a_bad_place(void **state)
{
	(void)state;
	for (size_t place = 0; place < COUNT(places); place++)
		for (uint32_t i = 0; i < 4; i++) {
			const struct virtio_mock_buffer buffers[] = { { places[place].addr, places[place].len, OUT },
								      { DATA, 512, i & 2 ? IN : OUT },
								      { STATUS, 1, IN } };
			static struct blk_fixture f;

			if (places[place].error == VIRTIO_EPERM)
				continue;
			set_up(&f, i & 1 ? BLK_UNLOGGED : BLK_RAM, places[place].gap);
			offer(&f, buffers, 3, false);
			serve_bad(&f, STATUS, places[place].error);
		}
}

/* Hostile 131: a buffer begins in the gap, but its last byte can be written and gets the status. */
static void blk_process_answers_ioerr_behind_memory_that_is_cut_off(void **state)
{
	static const enum gap gaps[] = { HOLE, READ_ONLY };

	(void)state;
	for (size_t m = 0; m < BLK_MEMORIES; m++)
		for (size_t kind = 0; kind < COUNT(kinds); kind++)
			for (size_t g = 0; g < COUNT(gaps); g++) {
				const uint64_t end = GAP + GAP_BYTES;
				const uint16_t direction = kinds[kind].direction;
				const struct virtio_mock_buffer buffers[] = {
					{ BLK_READABLE, 16, OUT },
					{ DATA, 16, direction },
					{ end - 512, 512 + 1, IN },
				};
				static struct blk_fixture f;

				set_up(&f, blk_memories[m], gaps[g]);
				put_header(&f, kinds[kind].type);
				offer(&f, buffers, 3, false);
				serve_bad(&f, end, gaps[g] == HOLE ? VIRTIO_EFAULT : VIRTIO_EPERM);
			}
}

/* Empty buffers after the status have no effect, even if their addresses are outside memory. */
static void blk_process_answers_ioerr_before_empty_buffers(void **state)
{
	const struct virtio_mock_buffer buffers[] = { { BLK_READABLE, 16, OUT },
						      { BLK_RAM, 512, IN },
						      { STATUS - 511, 512, IN },
						      { UINT64_MAX, 0, IN },
						      { BLK_RAM + 9, 0, IN } };
	static struct blk_fixture f;

	(void)state;
	for (int indirect = 0; indirect < 2; indirect++) {
		set_up(&f, BLK_RAM, NO_GAP);
		put_header(&f, VIRTIO_BLK_T_IN);
		offer(&f, buffers, COUNT(buffers), indirect);
		serve_bad(&f, STATUS, VIRTIO_EFAULT);
	}
}

/*
 * Hostile 118, 119: a request with bad buffers gets IOERR even if the request has other faults. The
 * other faults are data in both directions, a part of a sector and, for a small segment_capacity,
 * too many segments.
 */
static void blk_process_answers_ioerr_for_bad_data_that_is_wrong_anyway(void **state)
{
	const struct virtio_mock_buffer both[] = {
		{ BLK_READABLE, 16, OUT }, { DATA, 100, OUT }, { BLK_RAM, 512, OUT },
		{ DATA + 512, 77, IN },    { GAP, 512, IN },   { STATUS, 1, IN },
	};
	static struct blk_fixture f;

	(void)state;
	for (size_t kind = 0; kind < COUNT(kinds); kind++)
		for (uint32_t capacity = 1; capacity < 8; capacity++) {
			set_up(&f, BLK_RAM, READ_ONLY);
			f.storage.segment_capacity = capacity;
			blk_prepare(&f);
			put_header(&f, kinds[kind].type);
			offer(&f, both, COUNT(both), false);
			f.backend.status = NULL;
			memset(f.bitmap, 0, sizeof f.bitmap);
			assert_int_equal(blk_serve(&f), 0);
			f.model[STATUS] = VIRTIO_BLK_S_IOERR;
			blk_check_memory(&f);
			check_marks(&f, STATUS);
			assert_int_equal(f.stats.failed, 1);
			assert_int_equal(f.stats.others, 1);
			assert_int_equal(f.backend.logged, 0);
			assert_true(f.stats.first_error == VIRTIO_EFAULT || f.stats.first_error == VIRTIO_EPERM ||
				    f.stats.first_error == VIRTIO_ENOBUFS);
		}
}

/*
 * Hostile 131: if the status byte can't be written, the used length is 0, whether or not the data
 * is good.
 */
static void blk_process_completes_empty_where_the_status_cannot_be_written(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < COUNT(kinds); kind++)
		for (size_t place = 0; place < COUNT(places); place++)
			for (uint32_t i = 0; i < 4; i++) {
				const uint64_t good = i & 1 ? DATA : BLK_RAM;
				const struct virtio_mock_buffer buffers[] = {
					{ BLK_READABLE, 16, OUT },
					{ good, 512, kinds[kind].direction },
					{ places[place].addr, 1, IN },
				};
				static struct blk_fixture f;

				/*
				 * The status has only one byte. So the status is bad only if the
				 * first byte of its place is bad.
				 */
				if (places[place].addr < BLK_RAM && places[place].addr != GAP)
					continue;
				set_up(&f, i & 2 ? BLK_UNLOGGED : BLK_RAM, places[place].gap);
				put_header(&f, kinds[kind].type);
				offer(&f, buffers, 3, false);
				serve_bad(&f, 0, i & 1 ? places[place].error : VIRTIO_EFAULT);
			}
}

/*
 * A buffer wraps at 2^64. Its last byte is no good status, although the byte's address modulo 2^64
 * is in memory.
 */
static void blk_process_completes_empty_where_the_status_is_behind_a_wrap(void **state)
{
	const struct virtio_mock_buffer buffers[] = { { BLK_READABLE, 16, OUT },
						      { UINT64_MAX - 511, 512 + STATUS + 1, IN } };
	static struct blk_fixture f;

	(void)state;
	for (size_t m = 0; m < BLK_MEMORIES; m++) {
		set_up(&f, blk_memories[m], NO_GAP);
		put_header(&f, VIRTIO_BLK_T_IN);
		offer(&f, buffers, 2, false);
		serve_bad(&f, 0, VIRTIO_EFAULT);
	}
}

/* The chain has bad data and no writable byte. */
static void blk_process_completes_empty_where_there_is_no_status(void **state)
{
	const struct virtio_mock_buffer buffers[] = { { BLK_READABLE, 16, OUT },
						      { BLK_RAM, 512, OUT },
						      { STATUS, 0, IN } };
	static struct blk_fixture f;

	(void)state;
	for (uint32_t count = 2; count <= 3; count++) {
		set_up(&f, BLK_RAM, NO_GAP);
		put_header(&f, VIRTIO_BLK_T_OUT);
		offer(&f, buffers, count, false);
		serve_bad(&f, 0, VIRTIO_EFAULT);
	}
}

/*
 * Malformed chains. The driver writes these descriptors from index 0 on. Each chain has a writable
 * byte at STATUS, which would be a good status in a legal chain.
 */
static const struct {
	struct vring_desc descs[4];
	int error;
} shapes[] = {
	/* A readable buffer after the status. */
	{ { { BLK_READABLE, 16, VRING_DESC_F_NEXT, 1 },
	    { BLK_RAM, 512, VRING_DESC_F_NEXT | IN, 2 },
	    { STATUS, 1, VRING_DESC_F_NEXT | IN, 3 },
	    { DATA, 16, OUT, 0 } },
	  VIRTIO_EORDER },
	/* The field `next` is outside the table. */
	{ { { BLK_READABLE, 16, VRING_DESC_F_NEXT, 1 },
	    { BLK_RAM, 512, VRING_DESC_F_NEXT | IN, 2 },
	    { STATUS, 1, VRING_DESC_F_NEXT | IN, BLK_QUEUE } },
	  VIRTIO_ENEXT },
	/* A chain without an end. */
	{ { { BLK_READABLE, 16, VRING_DESC_F_NEXT, 1 },
	    { BLK_RAM, 512, VRING_DESC_F_NEXT | IN, 2 },
	    { STATUS, 1, VRING_DESC_F_NEXT | IN, 2 } },
	  VIRTIO_ETOOLONG },
	/* More than 2^32 bytes. */
	{ { { BLK_READABLE, 16, VRING_DESC_F_NEXT, 1 },
	    { BLK_RAM, UINT32_MAX, VRING_DESC_F_NEXT | IN, 2 },
	    { STATUS, 1, IN, 0 } },
	  VIRTIO_EBYTES },
	/* A table of no entries. */
	{ { { BLK_READABLE, 16, VRING_DESC_F_NEXT, 1 },
	    { BLK_RAM, 512, VRING_DESC_F_NEXT | IN, 2 },
	    { STATUS, 1, VRING_DESC_F_NEXT | IN, 3 },
	    { TABLE, 0, VRING_DESC_F_INDIRECT, 0 } },
	  VIRTIO_EINDIRECT },
	/*
	 * A table that is not in memory. The error code is the code of a bad buffer, but the chain
	 * is malformed.
	 */
	{ { { BLK_READABLE, 16, VRING_DESC_F_NEXT, 1 },
	    { GAP, 512, VRING_DESC_F_NEXT | IN, 2 },
	    { STATUS, 1, VRING_DESC_F_NEXT | IN, 3 },
	    { BLK_RAM, 16, VRING_DESC_F_INDIRECT, 0 } },
	  VIRTIO_EFAULT },
};

/* In a malformed chain, no byte is known to be the status. So the device writes nothing. */
static void blk_process_completes_empty_where_the_chain_is_malformed_too(void **state)
{
	(void)state;
	for (size_t m = 0; m < BLK_MEMORIES; m++)
		for (size_t i = 0; i < COUNT(shapes); i++) {
			static struct blk_fixture f;

			set_up(&f, blk_memories[m], READ_ONLY);
			put_header(&f, VIRTIO_BLK_T_IN);
			for (uint32_t d = 0; d < 4; d++)
				assert_int_equal(virtio_mock_set_desc(&f.mock, d, &shapes[i].descs[d]), 0);
			assert_int_equal(virtio_mock_offer(&f.mock, 0), 0);
			assert_int_equal(virtio_mock_publish(&f.mock), 0);
			memset(f.bitmap, 0, sizeof f.bitmap);
			assert_int_equal(virtio_blk_process(&f.blk, &f.queue, &f.request, &f.stats), 1);
			assert_int_equal(f.request.base.data.last_writable.len, 0);
			assert_int_equal(blk_pop_used(&f), 0);
			blk_check_memory(&f);
			check_marks(&f, 0);
			check_counts(&f, false, shapes[i].error);
			assert_int_equal(f.backend.logged, 0);
			assert_true(virtio_queue_quiesced(&f.queue));
		}
}

/* A translation that doesn't know one page yet. */
struct unknown {
	uint64_t page;
	bool missing;
};

static int not_yet(void *context, uint64_t addr, uint64_t len, uint32_t access, struct virtio_translation *out)
{
	const struct unknown *u = context;

	(void)len, (void)access;
	if (u->missing && addr >> 8 == u->page >> 8)
		return VIRTIO_ENOTMAPPED;
	out->addr = addr;
	out->len = 256 - addr % 256;
	out->access = VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE;
	return 0;
}

/*
 * The translation does not know the page of the status yet. Until it knows the page, the request
 * stays in the available ring, and the device writes nothing.
 */
static void blk_process_waits_for_the_status_of_a_bad_request(void **state)
{
	const struct virtio_mock_buffer buffers[] = { { BLK_READABLE, 16, OUT },
						      { BLK_RAM, 512, IN },
						      { STATUS, 1, IN } };
	struct unknown unknown = { STATUS, true };
	const struct virtio_blk_stats none = { 0 };
	static struct blk_fixture f;
	struct virtio_memory_map map;

	(void)state;
	blk_setup_commands(&f, BLK_RAM);
	map = f.map;
	virtio_memory_map_set_translation(&map, not_yet, &unknown);
	assert_int_equal(virtio_queue_set_memory(&f.queue, &map), 0);
	put_header(&f, VIRTIO_BLK_T_IN);
	offer(&f, buffers, 3, false);
	memset(f.bitmap, 0, sizeof f.bitmap);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(virtio_blk_process(&f.blk, &f.queue, &f.request, &f.stats), VIRTIO_ENOTMAPPED);
		assert_true(virtio_queue_quiesced(&f.queue));
		assert_memory_equal(&f.stats, &none, sizeof none);
		blk_check_memory(&f);
		check_marks(&f, 0);
	}
	unknown.missing = false;
	serve_bad(&f, STATUS, VIRTIO_EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blk_process_answers_ioerr_for_data_in_a_bad_place),
		cmocka_unit_test(blk_process_answers_ioerr_for_bad_data_in_any_memory),
		cmocka_unit_test(blk_process_answers_ioerr_for_a_header_in_a_bad_place),
		cmocka_unit_test(blk_process_answers_ioerr_behind_memory_that_is_cut_off),
		cmocka_unit_test(blk_process_answers_ioerr_before_empty_buffers),
		cmocka_unit_test(blk_process_answers_ioerr_for_bad_data_that_is_wrong_anyway),
		cmocka_unit_test(blk_process_completes_empty_where_the_status_cannot_be_written),
		cmocka_unit_test(blk_process_completes_empty_where_the_status_is_behind_a_wrap),
		cmocka_unit_test(blk_process_completes_empty_where_there_is_no_status),
		cmocka_unit_test(blk_process_completes_empty_where_the_chain_is_malformed_too),
		cmocka_unit_test(blk_process_waits_for_the_status_of_a_bad_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
