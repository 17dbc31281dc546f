/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests a queue whose ring areas lie in any kind of host memory. The areas may differ in kind.
 * An area may be misaligned on the host although its guest address is aligned. An area may also be
 * cut over two regions that are not adjacent on the host. A queue must work alike in every kind of
 * memory.
 */
#include "../common/fixture.h"

#define SIZE 8u

#define DATA_AREA 3u
#define AREAS 4u
#define DATA UINT64_C(0x40000)
#define HOST_BYTES 0x240u
#define HOST_MARGIN 32u

static const uint64_t area_addr[AREAS] = { 0x10000, 0x20000, 0x30000, DATA };
static const uint32_t area_bytes[AREAS] = { DESC_BYTES * SIZE, 6 + 2 * SIZE, 6 + USED_BYTES *SIZE, 0x200 };

struct place {
	/*
	 * Distance in bytes from aligned host memory to the first byte of the area. If the area has
	 * a second piece, the distance is the same for both pieces.
	 */
	uint32_t shift;
	/*
	 * Bytes of the first piece, which lies after the second piece on the host. 0 if the area is
	 * in one piece.
	 */
	uint32_t cut;
};

/* Variants of a test, as bits of a number. Every combination is tried. */
#define WITH_EVENT_IDX 1u
#define WITH_IN_ORDER 2u
#define WITH_TRANSLATION 4u
#define WITH_LOG 8u
#define VARIANTS 16u

struct scattered {
	struct virtio_mock mock;
	struct virtio_queue queue;
	struct virtio_queue_config config;
	struct virtio_mock_slot slots[SIZE];
	struct virtio_inflight inflight[SIZE];
	struct virtio_region regions[2 * AREAS];
	struct virtio_memory_map driver_map, device_map;
	struct virtio_dirty_log log; /* logs the used ring, one bit for each byte */
	uint8_t marked[16];
	bool kicks; /* the device has enabled kicks */

	/*
	 * The translation maps each address to itself, and its result covers exactly the bytes of
	 * the look-up.
	 */
	uint32_t answers;  /* number of look-ups that succeed before the first failure */
	uint32_t refusals; /* number of look-ups that fail after that; later look-ups succeed */
	uint64_t bad_start, bad_len;
	int error; /* error of the failing look-ups, and of look-ups in the bad range */

	_Alignas(64) uint8_t host[AREAS][2][HOST_BYTES];
};

static int translate(void *context, uint64_t addr, uint64_t len, uint32_t access, struct virtio_translation *out)
{
	struct scattered *s = context;

	(void)access;
	if (addr - s->bad_start < s->bad_len)
		return s->error;
	if (s->answers > 0) {
		s->answers--;
	} else if (s->refusals > 0) {
		s->refusals--;
		return s->error;
	}
	out->addr = addr;
	out->len = len;
	out->access = VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE;
	return 0;
}

static uint32_t make_pieces(struct scattered *s, const struct place places[AREAS])
{
	uint32_t count = 0;

	for (uint32_t a = 0; a < AREAS; a++) {
		const struct place *p = &places[a];

		if (p->cut)
			s->regions[count++] = (struct virtio_region){
				.addr = area_addr[a],
				.len = p->cut,
				.host = s->host[a][1] + HOST_MARGIN + p->shift,
			};
		s->regions[count++] = (struct virtio_region){
			.addr = area_addr[a] + p->cut,
			.len = area_bytes[a] - p->cut,
			.host = s->host[a][0] + HOST_MARGIN + p->shift,
		};
	}
	return count;
}

/* Sets up everything, but does not start the queue. */
static void scatter(struct scattered *s, const struct place places[AREAS], uint32_t variant)
{
	uint32_t count;

	memset(s, 0, sizeof *s);
	memset(s->host, 0xa5, sizeof s->host);
	s->log = (struct virtio_dirty_log){
		.bitmap = s->marked, .size = sizeof s->marked, .base = area_addr[VIRTIO_QUEUE_USED], .unit = 1
	};
	count = make_pieces(s, places);
	for (uint32_t i = 0; i < count && (variant & WITH_LOG); i++)
		s->regions[i].dirty = &s->log;
	assert_int_equal(virtio_memory_map_init(&s->driver_map, s->regions, count), 0);
	s->device_map = s->driver_map;
	s->answers = UINT32_MAX;
	s->refusals = UINT32_MAX;
	if (variant & WITH_TRANSLATION)
		virtio_memory_map_set_translation(&s->device_map, translate, s);
	assert_int_equal(virtio_mock_init(&s->mock, &s->driver_map, DATA, SIZE, s->slots, SIZE), 0);
	for (uint32_t a = 0; a < DATA_AREA; a++)
		assert_int_equal(virtio_mock_place(&s->mock, (enum virtio_queue_area)a, area_addr[a]), 0);
	assert_int_equal(virtio_mock_reset(&s->mock), 0);
	s->mock.event_idx = variant & WITH_EVENT_IDX;
	s->mock.in_order = variant & WITH_IN_ORDER;
	s->mock.indirect = true;
	virtio_mock_fill_config(&s->mock, &s->config);
	assert_int_equal(virtio_queue_init(&s->queue, s->inflight, SIZE), 0);
	s->kicks = true;
}

static void scatter_and_start(struct scattered *s, const struct place places[AREAS], uint32_t variant)
{
	scatter(s, places, variant);
	assert_int_equal(virtio_queue_start(&s->queue, &s->config, &s->device_map), 0);
}

static uint16_t field_of(struct scattered *s, enum virtio_mock_field field)
{
	uint16_t value;

	assert_int_equal(virtio_mock_get(&s->mock, field, &value), 0);
	return value;
}

/* Makes a head available, without writing a descriptor. */
static void offer_head(struct scattered *s, uint16_t head)
{
	assert_int_equal(virtio_mock_offer(&s->mock, head), 0);
	assert_int_equal(virtio_mock_publish(&s->mock), 0);
}

/* No access may change the host bytes around the areas. */
static void expect_margins_untouched(const struct scattered *s)
{
	bool mine[sizeof s->host] = { false };
	const uint8_t *host = &s->host[0][0][0];

	for (uint32_t i = 0; i < s->driver_map.count; i++)
		memset(mine + ((const uint8_t *)s->regions[i].host - host), true, (size_t)s->regions[i].len);
	for (uint32_t i = 0; i < sizeof s->host; i++)
		if (!mine[i] && host[i] != 0xa5)
			fail_msg("host byte %u is outside guest memory, but has changed", i);
}

/*
 * The dirty log must have exactly these bytes: two used elements from index `first` on, the used
 * index, and the field that controls kicks. This field is the used flags, or under EVENT_IDX
 * avail_event. The device writes avail_event only if `enabled` is set.
 */
static void expect_marked(const struct scattered *s, uint16_t first, bool enabled)
{
	const bool event_idx = s->config.event_idx;
	bool want[6 + USED_BYTES * SIZE] = { false };

	memset(want + VIRTIO_IMPL_RING_IDX, true, 2);
	for (uint32_t i = 0; i < 2; i++)
		memset(want + 4 + USED_BYTES * ((first + i) % SIZE), true, USED_BYTES);
	if (!event_idx || enabled)
		memset(want + (event_idx ? 4 + 8 * SIZE : VIRTIO_IMPL_RING_FLAGS), true, 2);
	for (uint32_t i = 0; i < sizeof s->marked * 8; i++)
		assert_int_equal(s->marked[i / 8] >> i % 8 & 1, s->log.bitmap && i < sizeof want && want[i]);
}

/* Walks a chain of three buffers, reads the first and writes the last. */
static void walk_direct(struct virtio_chain *chain, const struct virtio_mock_buffer *buffers, uint32_t round)
{
	const uint32_t answer = ~round;
	struct virtio_desc desc = { 0 };
	uint32_t asked;

	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(virtio_chain_next(chain, &desc), 1);
		assert_true(desc.addr == buffers[i].addr);
		assert_int_equal(desc.len, buffers[i].len);
		assert_int_equal(desc.writable, i == 2);
		if (i == 0) {
			assert_int_equal(virtio_memory_read(chain->memory, desc.addr, &asked, sizeof asked), 0);
			assert_int_equal(asked, round);
		}
	}
	assert_int_equal(virtio_chain_next(chain, &desc), 0);
	assert_int_equal(virtio_memory_write(chain->memory, desc.addr, &answer, sizeof answer), 0);
}

static void resolve_indirect(struct virtio_chain *chain)
{
	struct virtio_segment segments[8];
	struct virtio_chain_segments c = { .segments = segments, .capacity = 8 };

	assert_int_equal(virtio_chain_resolve(chain, &c), 0);
	assert_int_equal(c.readable_bytes, 3);
	assert_int_equal(c.writable_bytes, 4);
	assert_true(c.last_writable.addr == DATA + 43);
}

/*
 * Completes both requests, the second request first. Uses one call for each request, or one batch
 * for both requests.
 */
static void complete_both(struct scattered *s, const struct virtio_chain chains[2], bool together)
{
	const struct virtio_completion batch[2] = { { chains[1].token, 4 }, { chains[0].token, 9 } };
	const uint16_t before = field_of(s, VIRTIO_MOCK_USED_IDX);

	if (together) {
		assert_int_equal(virtio_queue_complete_batch(&s->queue, batch, 2), 0);
	} else {
		assert_int_equal(virtio_queue_complete(&s->queue, batch[0].token, batch[0].len), 0);
		assert_int_equal(field_of(s, VIRTIO_MOCK_USED_IDX), (uint16_t)(before + !s->config.in_order));
		assert_int_equal(virtio_queue_complete(&s->queue, batch[1].token, batch[1].len), 0);
	}
	assert_int_equal(virtio_queue_complete_batch(&s->queue, batch, 2), VIRTIO_ESTALE);
	assert_int_equal(field_of(s, VIRTIO_MOCK_USED_IDX), (uint16_t)(before + 2));
}

static void expect_element(struct scattered *s, uint32_t id, uint32_t len)
{
	struct vring_used_elem used = { 0, 0 };

	assert_int_equal(virtio_mock_pop_used(&s->mock, &used), 1);
	assert_int_equal(used.id, id);
	assert_int_equal(used.len, len);
}

/* Passes two requests through the queue, with the notifications of driver and device. */
static void serve_two(struct scattered *s, uint32_t round)
{
	const struct virtio_mock_buffer direct[] = { READABLE(DATA, 5), READABLE(DATA + 8, 7), WRITABLE(DATA + 16, 9) };
	const struct virtio_mock_buffer table[] = { READABLE(DATA + 32, 3), WRITABLE(DATA + 40, 4) };
	const uint16_t first = virtio_queue_next_used(&s->queue);
	const bool wanted = round % 3 != 0, enable = round % 4 < 2;
	struct virtio_chain chains[2], none;
	uint32_t answer = 0;
	int heads[2];

	assert_int_equal(virtio_memory_write(&s->mock.memory, DATA, &round, sizeof round), 0);
	heads[0] = virtio_mock_add(&s->mock, direct, 3);
	heads[1] = virtio_mock_add_indirect(&s->mock, DATA + 0x80, table, 2);
	assert_true(heads[0] >= 0 && heads[1] >= 0);
	assert_int_equal(virtio_mock_should_kick(&s->mock), s->kicks);
	if (wanted)
		assert_int_equal(virtio_mock_enable_interrupts(&s->mock), 0);
	else
		assert_int_equal(virtio_mock_disable_interrupts(&s->mock), 0);
	memset(s->marked, 0, sizeof s->marked);

	assert_int_equal(virtio_queue_available(&s->queue), 2);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(virtio_queue_pop(&s->queue, &chains[i]), 1);
		assert_int_equal(virtio_token_head(chains[i].token), heads[i]);
	}
	assert_int_equal(virtio_queue_pop(&s->queue, &none), 0);
	walk_direct(&chains[0], direct, round);
	resolve_indirect(&chains[1]);
	complete_both(s, chains, round % 2 != 0);
	assert_int_equal(virtio_queue_needs_interrupt(&s->queue), wanted);
	assert_false(virtio_queue_needs_interrupt(&s->queue));
	if (enable)
		assert_int_equal(virtio_queue_enable_kicks(&s->queue), 0);
	else
		assert_int_equal(virtio_queue_disable_kicks(&s->queue), 0);
	s->kicks = enable;
	if (s->regions[0].dirty)
		expect_marked(s, first, enable);

	assert_int_equal(virtio_memory_read(&s->mock.memory, DATA + 16, &answer, sizeof answer), 0);
	assert_int_equal(answer, ~round);
	expect_element(s, (uint32_t)heads[s->config.in_order ? 0 : 1], s->config.in_order ? 9 : 4);
	expect_element(s, (uint32_t)heads[s->config.in_order ? 1 : 0], s->config.in_order ? 4 : 9);
}

/*
 * Offers bad chains and bad heads. Each chain or head must cause the same error as in any other
 * memory.
 */
static void refuse_bad_ones(struct scattered *s)
{
	const struct vring_desc loop = { DATA, 1, VRING_DESC_F_NEXT, 5 };
	const struct vring_desc out = { DATA, 1, VRING_DESC_F_NEXT, SIZE };
	struct virtio_chain chain = { 0 };
	struct virtio_desc desc;

	assert_int_equal(virtio_mock_set_desc(&s->mock, 5, &loop), 0);
	assert_int_equal(virtio_mock_set_desc(&s->mock, 6, &out), 0);
	offer_head(s, 5);
	assert_int_equal(virtio_queue_pop(&s->queue, &chain), 1);
	for (uint32_t i = 0; i < SIZE; i++)
		assert_int_equal(virtio_chain_next(&chain, &desc), 1);
	assert_int_equal(virtio_chain_next(&chain, &desc), VIRTIO_ETOOLONG);
	assert_int_equal(virtio_chain_next(&chain, &desc), VIRTIO_ETOOLONG);
	assert_int_equal(virtio_queue_complete(&s->queue, chain.token, 0), 0);
	expect_element(s, 5, 0);
	offer_head(s, 6);
	assert_int_equal(virtio_queue_pop(&s->queue, &chain), 1);
	assert_int_equal(virtio_chain_next(&chain, &desc), VIRTIO_ENEXT);
	/* Offers the head again while the head is in flight. */
	offer_head(s, 6);
	assert_int_equal(virtio_queue_pop(&s->queue, &chain), VIRTIO_EINFLIGHT);
	assert_int_equal(virtio_queue_pop(&s->queue, &chain), VIRTIO_EBROKEN);
	assert_int_equal(virtio_queue_complete(&s->queue, chain.token, 0), 0);
	expect_element(s, 6, 0);
	assert_int_equal(virtio_queue_complete(&s->queue, chain.token, 0), VIRTIO_ESTALE);
}

/* In each variant, the requests go around the ring more than twice. */
static void serve_from(const struct place places[AREAS])
{
	struct scattered s;

	for (uint32_t variant = 0; variant < VARIANTS; variant++) {
		scatter_and_start(&s, places, variant);
		for (uint32_t round = 0; round < SIZE + 1; round++)
			serve_two(&s, round);
		refuse_bad_ones(&s);
		expect_margins_untouched(&s);
	}
}

/*
 * Regressions R1 and R2: each of the descriptor table and the two rings is cut at every byte.
 */
static void queue_serves_area_cut_at_every_byte(void **state)
{
	(void)state;
	for (uint32_t area = 0; area < DATA_AREA; area++)
		for (uint32_t cut = 1; cut < area_bytes[area]; cut++) {
			struct place places[AREAS] = { 0 };

			places[area].cut = cut;
			serve_from(places);
		}
}

/* Each subset of the areas is misaligned on the host, by 1 to 15 bytes. */
static void queue_serves_areas_misaligned_on_the_host(void **state)
{
	(void)state;
	for (uint32_t set = 1; set < 1u << AREAS; set++)
		for (uint32_t shift = 1; shift < 16; shift++) {
			struct place places[AREAS] = { 0 };

			for (uint32_t area = 0; area < AREAS; area++)
				places[area].shift = set >> area & 1 ? shift : 0;
			serve_from(places);
		}
}

/*
 * The table, the rings and the buffers lie in different kinds of memory. Cuts go through a
 * descriptor, an available entry, a used element, an index and a buffer.
 */
static void queue_serves_areas_of_different_kinds(void **state)
{
	static const struct place kinds[AREAS][4] = {
		{ { 0, 0 }, { 0, 24 }, { 4, 0 }, { 1, 40 } },
		{ { 0, 0 }, { 0, 7 }, { 1, 0 }, { 1, 3 } },
		{ { 0, 0 }, { 0, 15 }, { 2, 0 }, { 3, 3 } },
		{ { 0, 0 }, { 0, 33 }, { 8, 0 }, { 1, 0x88 } },
	};

	(void)state;
	for (uint32_t code = 0; code < 256; code++) {
		struct place places[AREAS];

		for (uint32_t area = 0; area < AREAS; area++)
			places[area] = kinds[area][code >> 2 * area & 3];
		serve_from(places);
	}
}

/*
 * An area that is aligned on the host is not looked up again after the start. A misaligned area is
 * accessed through the map, because its fields allow no single load or store.
 */
static void queue_accesses_misaligned_area_through_the_map(void **state)
{
	static const uint32_t aligns[] = { 8, 2, 4 };

	(void)state;
	for (uint32_t area = 0; area < DATA_AREA; area++)
		for (uint32_t shift = 0; shift < 16; shift++) {
			const int expected = shift % aligns[area] ? VIRTIO_ENOTMAPPED : 0;
			const struct vring_desc buffer = { DATA, 1, 0, 0 };
			struct place places[AREAS] = { 0 };
			struct virtio_chain chain = { 0 };
			struct virtio_desc desc;
			struct scattered s;

			places[area].shift = shift;
			scatter_and_start(&s, places, WITH_TRANSLATION);
			assert_int_equal(virtio_mock_set_desc(&s.mock, 0, &buffer), 0);
			offer_head(&s, 0);
			s.error = VIRTIO_ENOTMAPPED;
			s.bad_start = area_addr[area];
			s.bad_len = area_bytes[area];
			/*
			 * Replaces the cached region that the start left, so the next access needs
			 * a look-up.
			 */
			assert_int_equal(virtio_memory_check(&s.queue.ring_memory, DATA, 1, VIRTIO_ACCESS_READ), 0);
			if (area == VIRTIO_QUEUE_AVAIL && expected) {
				assert_int_equal(virtio_queue_pop(&s.queue, &chain), expected);
				continue;
			}
			assert_int_equal(virtio_queue_pop(&s.queue, &chain), 1);
			assert_int_equal(virtio_chain_next(&chain, &desc),
					 area == VIRTIO_QUEUE_DESC && expected ? expected : 1);
			assert_int_equal(virtio_queue_complete(&s.queue, chain.token, 0),
					 area == VIRTIO_QUEUE_USED ? expected : 0);
		}
}

/*
 * As above, for an indirect table. The walk looks up the whole table when it enters the table.
 * Later entries need a look-up only if the table is misaligned.
 */
static void queue_accesses_misaligned_table_through_the_map(void **state)
{
	const struct virtio_mock_buffer table[] = { READABLE(DATA, 1), READABLE(DATA, 1), READABLE(DATA, 1) };

	(void)state;
	for (uint32_t shift = 0; shift < 16; shift++) {
		const struct place places[AREAS] = { [DATA_AREA] = { shift, 0 } };
		struct virtio_chain chain = { 0 };
		struct virtio_desc desc;
		struct scattered s;

		scatter_and_start(&s, places, WITH_TRANSLATION);
		assert_true(virtio_mock_add_indirect(&s.mock, DATA + 0x80, table, 3) >= 0);
		assert_int_equal(virtio_queue_pop(&s.queue, &chain), 1);
		assert_int_equal(virtio_chain_next(&chain, &desc), 1);
		s.error = VIRTIO_ENOTMAPPED;
		s.bad_start = DATA;
		s.bad_len = area_bytes[DATA_AREA];
		/* Replaces the cached region that the first step of the walk left. */
		assert_int_equal(
			virtio_memory_check(&s.queue.memory[VIRTIO_MEMORY_TABLES], area_addr[0], 1, VIRTIO_ACCESS_READ),
			0);
		for (uint32_t i = 1; i < 3; i++)
			assert_int_equal(virtio_chain_next(&chain, &desc), shift % 8 ? VIRTIO_ENOTMAPPED : 1);
		assert_int_equal(virtio_chain_next(&chain, &desc), shift % 8 ? VIRTIO_ENOTMAPPED : 0);
	}
}

/*
 * In each round, memory is unmapped one look-up later in the start than in the round before. The
 * queue then has either started, or is unchanged and can start later.
 */
static void queue_start_fails_cleanly_when_memory_goes_away(void **state)
{
	const struct place places[AREAS] = { { 0, 24 }, { 1, 0 }, { 1, 0 }, { 0, 0 } };
	uint32_t answers, failures = 0;

	(void)state;
	for (answers = 0;; answers++) {
		struct virtio_chain chain;
		struct scattered s;
		int error;

		scatter(&s, places, WITH_TRANSLATION);
		s.answers = answers;
		s.error = VIRTIO_ENOTMAPPED;
		error = virtio_queue_start(&s.queue, &s.config, &s.device_map);
		if (!error && s.answers != 0)
			break;
		if (error) {
			failures++;
			assert_int_equal(error, VIRTIO_ENOTMAPPED);
			assert_int_equal(virtio_queue_pop(&s.queue, &chain), VIRTIO_ENOTREADY);
			s.answers = UINT32_MAX;
			assert_int_equal(virtio_queue_start(&s.queue, &s.config, &s.device_map), 0);
		}
		s.answers = UINT32_MAX;
		serve_two(&s, 0);
	}
	/*
	 * The start has failed at least once for each piece of an area, and at least once for the
	 * store of the used flags.
	 */
	assert_true(failures >= 5 && failures < answers);
}

/*
 * Completes three requests in a misaligned used ring that is cut in two. The translation works for
 * `answers` look-ups, then fails for `refusals` look-ups, then works again.
 */
static int complete_three(struct scattered *s, uint32_t variant, uint32_t answers, uint32_t refusals,
			  struct virtio_completion batch[3])
{
	const struct place places[AREAS] = { [VIRTIO_QUEUE_USED] = { 1, 15 } };
	const struct vring_desc buffer = { DATA, 1, 0, 0 };
	struct virtio_chain chain = { 0 };

	scatter_and_start(s, places, variant | WITH_TRANSLATION);
	for (uint16_t i = 0; i < 3; i++) {
		assert_int_equal(virtio_mock_set_desc(&s->mock, i, &buffer), 0);
		offer_head(s, i);
		assert_int_equal(virtio_queue_pop(&s->queue, &chain), 1);
		batch[i] = (struct virtio_completion){ chain.token, i };
	}
	s->answers = answers;
	s->refusals = refusals;
	s->error = VIRTIO_EFAULT;
	return virtio_queue_complete_batch(&s->queue, batch, 3);
}

/*
 * In each round, memory is unmapped one look-up later in the completion than in the round before.
 * The driver sees nothing of a batch that failed, and all of a batch that succeeded. After a
 * failure the requests are in flight as before. The requests can be completed when the memory is
 * back.
 */
static void queue_complete_fails_when_memory_goes_away(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t answers = 0, visible = 0;

		while (visible == 0) {
			struct virtio_completion batch[3];
			struct scattered s;
			const int error =
				complete_three(&s, i & 1 ? WITH_IN_ORDER : 0, answers++, i & 2 ? 1 : UINT32_MAX, batch);

			assert_true(error == 0 || error == VIRTIO_EFAULT);
			visible = error ? 0 : 3;
			assert_int_equal(field_of(&s, VIRTIO_MOCK_USED_IDX), visible);
			assert_int_equal(virtio_queue_next_used(&s.queue), visible);
			assert_int_equal(virtio_queue_in_flight(&s.queue), 3 - visible);
			s.answers = UINT32_MAX;
			assert_int_equal(virtio_queue_complete_batch(&s.queue, batch, 3), error ? 0 : VIRTIO_ESTALE);
			assert_int_equal(field_of(&s, VIRTIO_MOCK_USED_IDX), 3);
			assert_true(virtio_queue_quiesced(&s.queue));
			for (uint32_t id = 0; id < 3; id++)
				expect_element(&s, id, id);
			expect_margins_untouched(&s);
		}
		/* At least three look-ups were made to fail before a batch succeeded. */
		assert_true(answers > 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue_serves_area_cut_at_every_byte),
		cmocka_unit_test(queue_serves_areas_misaligned_on_the_host),
		cmocka_unit_test(queue_serves_areas_of_different_kinds),
		cmocka_unit_test(queue_accesses_misaligned_area_through_the_map),
		cmocka_unit_test(queue_accesses_misaligned_table_through_the_map),
		cmocka_unit_test(queue_start_fails_cleanly_when_memory_goes_away),
		cmocka_unit_test(queue_complete_fails_when_memory_goes_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
