/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests queue configurations: values that the setters refuse, and configurations that cannot start
 * a queue.
 */
#include "../common/fixture.h"

#define SIZE 8u

/* A configuration with sizes, addresses and features. */
static struct virtio_queue_config some_config(void)
{
	struct virtio_queue_config config;

	memset(&config, 0, sizeof config);
	config.max_size = 256;
	config.size = 64;
	config.addr[VIRTIO_QUEUE_DESC] = UINT64_C(0x1111111122222220);
	config.addr[VIRTIO_QUEUE_AVAIL] = UINT64_C(0x3333333344444442);
	config.addr[VIRTIO_QUEUE_USED] = UINT64_C(0x5555555566666664);
	config.event_idx = true;
	config.indirect = true;
	config.in_order = true;
	return config;
}

static void expect_same(const struct virtio_queue_config *a, const struct virtio_queue_config *b)
{
	assert_memory_equal(a, b, sizeof *a);
}

/* Setting up */

/*
 * Hostile 49 and 50, regressions R9, R15 and R17: only powers of two are accepted. Every 16-bit
 * maximum is tried.
 */
static void queue_config_init_accepts_powers_of_two_only(void **state)
{
	(void)state;
	for (uint32_t max = 0; max <= UINT16_MAX; max++) {
		const bool legal = max != 0 && max <= 32768 && (max & (max - 1)) == 0;
		struct virtio_queue_config config = some_config();
		const struct virtio_queue_config before = config;

		if (legal) {
			assert_int_equal(virtio_queue_config_init(&config, (uint16_t)max), 0);
			assert_int_equal(config.max_size, max);
			assert_int_equal(config.size, max);
		} else {
			assert_int_equal(virtio_queue_config_init(&config, (uint16_t)max), VIRTIO_ESIZE);
			expect_same(&config, &before);
		}
	}
}

static void queue_config_init_sets_defaults(void **state)
{
	struct virtio_queue_config config = some_config();

	(void)state;
	config.ready = true;
	config.allow_long_indirect = true;
	config.allow_unnegotiated_indirect = true;
	assert_int_equal(virtio_queue_config_init(&config, 16), 0);
	assert_true(config.addr[0] == 0 && config.addr[1] == 0 && config.addr[2] == 0);
	assert_false(config.ready || config.event_idx || config.indirect || config.in_order);
	assert_false(config.allow_long_indirect || config.allow_unnegotiated_indirect);
}

/*
 * Regression R3: a reset restores the default of every member that the driver sets, and keeps the
 * device's members.
 */
static void queue_config_reset_returns_to_defaults(void **state)
{
	struct virtio_queue_config config = some_config(), fresh;

	(void)state;
	config.ready = true;
	config.allow_long_indirect = true;
	assert_int_equal(virtio_queue_config_init(&fresh, 256), 0);
	fresh.allow_long_indirect = true;
	virtio_queue_config_reset(&config);
	assert_int_equal(config.max_size, fresh.max_size);
	assert_int_equal(config.size, fresh.size);
	assert_true(config.addr[0] == 0 && config.addr[1] == 0 && config.addr[2] == 0);
	assert_false(config.ready || config.event_idx || config.indirect || config.in_order);
	assert_true(config.allow_long_indirect);
	assert_false(config.allow_unnegotiated_indirect);
}

/* Setters */

/* Hostile 49, 50 and 51: a size is 0, no power of two, above the maximum, or wider than 16 bits. */
static void queue_config_set_size_refuses_bad_sizes(void **state)
{
	static const uint32_t bad[] = { 0,      3,       6,       65,      255,        512,        1024,      32768,
					0x8001, 0x10000, 0x10001, 0x10040, 0x80000000, 0xffff0040, 0xffffffff };

	(void)state;
	for (uint32_t i = 0; i < COUNT(bad); i++) {
		struct virtio_queue_config config = some_config();
		const struct virtio_queue_config before = config;

		assert_int_equal(virtio_queue_config_set_size(&config, bad[i]), VIRTIO_ESIZE);
		expect_same(&config, &before);
	}
}

static void queue_config_set_size_accepts_powers_of_two_to_maximum(void **state)
{
	struct virtio_queue_config config = some_config();

	(void)state;
	for (uint32_t size = 1; size <= 256; size *= 2) {
		assert_int_equal(virtio_queue_config_set_size(&config, size), 0);
		assert_int_equal(config.size, size);
	}
}

/* Hostile 52: no value changes once the queue is ready. */
static void queue_config_setters_refuse_once_ready(void **state)
{
	struct virtio_queue_config config = some_config(), before;

	(void)state;
	config.ready = true;
	before = config;
	assert_int_equal(virtio_queue_config_set_size(&config, 16), VIRTIO_EBUSY);
	for (int area = VIRTIO_QUEUE_DESC; area <= VIRTIO_QUEUE_USED; area++) {
		const enum virtio_queue_area a = (enum virtio_queue_area)area;

		assert_int_equal(virtio_queue_config_set_addr(&config, a, 0x1000), VIRTIO_EBUSY);
		assert_int_equal(virtio_queue_config_set_addr_low(&config, a, 0x1000), VIRTIO_EBUSY);
		assert_int_equal(virtio_queue_config_set_addr_high(&config, a, 0x1000), VIRTIO_EBUSY);
	}
	expect_same(&config, &before);
}

static void queue_config_setters_refuse_unknown_area(void **state)
{
	static const int areas[] = { -1, 3, 4, INT32_MAX };

	(void)state;
	for (uint32_t i = 0; i < COUNT(areas); i++) {
		const enum virtio_queue_area area = (enum virtio_queue_area)areas[i];
		struct virtio_queue_config config = some_config();
		const struct virtio_queue_config before = config;

		assert_int_equal(virtio_queue_config_set_addr(&config, area, 0x1000), VIRTIO_EINVAL);
		assert_int_equal(virtio_queue_config_set_addr_low(&config, area, 0x1000), VIRTIO_EINVAL);
		assert_int_equal(virtio_queue_config_set_addr_high(&config, area, 0x1000), VIRTIO_EINVAL);
		expect_same(&config, &before);
		assert_int_equal(virtio_queue_config_area_bytes(&config, area), 0);
	}
}

/*
 * Hostile 53: every misaligned address is refused for each area, whether the address is set as a
 * whole or as a low half.
 */
static void queue_config_set_addr_refuses_misaligned(void **state)
{
	static const uint32_t aligns[] = { 16, 2, 4 };

	(void)state;
	for (int area = VIRTIO_QUEUE_DESC; area <= VIRTIO_QUEUE_USED; area++)
		for (uint32_t low = 0; low < 32; low++) {
			const enum virtio_queue_area a = (enum virtio_queue_area)area;
			const int expected = low % aligns[area] ? VIRTIO_EALIGN : 0;
			struct virtio_queue_config config = some_config(), whole = config, half = config;

			assert_int_equal(virtio_queue_config_set_addr(&whole, a, 0x1000 + low), expected);
			assert_int_equal(virtio_queue_config_set_addr_low(&half, a, 0x1000 + low), expected);
			if (!expected) {
				assert_true(whole.addr[a] == 0x1000 + low);
				assert_true(half.addr[a] == (config.addr[a] >> 32 << 32 | (0x1000 + low)));
				whole.addr[a] = config.addr[a];
				half.addr[a] = config.addr[a];
			}
			expect_same(&whole, &config);
			expect_same(&half, &config);
		}
}

/*
 * The high half is refused if the low half is misaligned. The caller has written the low half
 * without the setter.
 */
static void queue_config_set_addr_high_refuses_misaligned(void **state)
{
	struct virtio_queue_config config = some_config(), before;

	(void)state;
	config.addr[VIRTIO_QUEUE_USED] = 0x1002;
	before = config;
	assert_int_equal(virtio_queue_config_set_addr_high(&config, VIRTIO_QUEUE_USED, 1), VIRTIO_EALIGN);
	expect_same(&config, &before);
}

static void queue_config_set_addr_halves_leave_the_other(void **state)
{
	struct virtio_queue_config config = some_config();

	(void)state;
	assert_int_equal(virtio_queue_config_set_addr_high(&config, VIRTIO_QUEUE_DESC, 0xffffffff), 0);
	assert_true(config.addr[VIRTIO_QUEUE_DESC] == UINT64_C(0xffffffff22222220));
	assert_int_equal(virtio_queue_config_set_addr_low(&config, VIRTIO_QUEUE_DESC, 0xfffffff0), 0);
	assert_true(config.addr[VIRTIO_QUEUE_DESC] == UINT64_C(0xfffffffffffffff0));
	assert_int_equal(virtio_queue_config_set_addr_high(&config, VIRTIO_QUEUE_DESC, 0), 0);
	assert_true(config.addr[VIRTIO_QUEUE_DESC] == 0xfffffff0);
	assert_true(config.addr[VIRTIO_QUEUE_AVAIL] == UINT64_C(0x3333333344444442));
	assert_true(config.addr[VIRTIO_QUEUE_USED] == UINT64_C(0x5555555566666664));
}

/* Hostile 60: each queue has its own configuration. A change leaves the other queues unchanged. */
static void queue_config_changes_one_queue_only(void **state)
{
	struct virtio_queue_config configs[3] = { some_config(), some_config(), some_config() };
	const struct virtio_queue_config before = configs[0];

	(void)state;
	assert_int_equal(virtio_queue_config_set_size(&configs[1], 1), 0);
	assert_int_equal(virtio_queue_config_set_addr(&configs[1], VIRTIO_QUEUE_USED, 0), 0);
	virtio_queue_config_reset(&configs[1]);
	expect_same(&configs[0], &before);
	expect_same(&configs[2], &before);
}

/* The whole configuration */

/*
 * virtio 1.4, 2.7: the entries of the three areas have 16, 2 and 8 bytes. Regression R13: the event
 * fields follow the entries of their ring.
 */
static void queue_config_area_bytes_counts_event_fields_when_negotiated(void **state)
{
	struct virtio_queue_config config;

	(void)state;
	for (uint32_t size = 1; size <= 32768; size *= 2) {
		assert_int_equal(virtio_queue_config_init(&config, (uint16_t)size), 0);
		for (int event = 0; event <= 1; event++) {
			const uint32_t more = event ? 2 : 0;

			config.event_idx = event != 0;
			assert_int_equal(virtio_queue_config_area_bytes(&config, VIRTIO_QUEUE_DESC), 16 * size);
			assert_int_equal(virtio_queue_config_area_bytes(&config, VIRTIO_QUEUE_AVAIL),
					 4 + 2 * size + more);
			assert_int_equal(virtio_queue_config_area_bytes(&config, VIRTIO_QUEUE_USED),
					 4 + 8 * size + more);
		}
	}
}

/* virtio_queue_start() must return the same error as the check, and leave the queue unchanged. */
static void expect_refused_in(struct fixture *f, const struct virtio_memory_map *map, int error)
{
	assert_int_equal(virtio_queue_init(&f->queue, f->inflight, FIXTURE_MAX_SIZE), 0);
	fixture_save(f);
	assert_int_equal(virtio_queue_config_check(&f->config, map), error);
	assert_int_equal(virtio_queue_start(&f->queue, &f->config, map), error);
	assert_true(fixture_unchanged(f));
}

static void expect_refused(struct fixture *f, int error)
{
	expect_refused_in(f, &f->device_map, error);
}

/*
 * Hostile 49 and 50, regression R16: the check refuses bad sizes that were stored without the
 * setters.
 */
static void queue_config_check_refuses_bad_sizes(void **state)
{
	static const uint16_t sizes[] = { 0, 3, 15, 16, 0x8000, 0xffff };
	static const uint16_t maxima[] = { 0, 3, 4, 15, 0xffff };
	struct fixture f;

	for (uint32_t i = 0; i < COUNT(sizes); i++) {
		fixture_init(&f, fixture_kind(state), SIZE);
		f.config.size = sizes[i];
		expect_refused(&f, VIRTIO_ESIZE);
	}
	for (uint32_t i = 0; i < COUNT(maxima); i++) {
		fixture_init(&f, fixture_kind(state), SIZE);
		f.config.max_size = maxima[i];
		expect_refused(&f, VIRTIO_ESIZE);
	}
}

/* Hostile 53: the check refuses a misaligned area. */
static void queue_config_check_refuses_misaligned(void **state)
{
	static const uint32_t off[] = { 8, 1, 2 };
	struct fixture f;

	for (int area = VIRTIO_QUEUE_DESC; area <= VIRTIO_QUEUE_USED; area++) {
		fixture_init(&f, fixture_kind(state), SIZE);
		f.config.addr[area] += off[area];
		expect_refused(&f, VIRTIO_EALIGN);
	}
}

/*
 * Hostile 54 and 55, regression R24: an area that lies partly or wholly outside memory, or wraps,
 * is refused.
 */
static void queue_config_check_refuses_area_outside_memory(void **state)
{
	struct fixture f;

	for (int area = VIRTIO_QUEUE_DESC; area <= VIRTIO_QUEUE_USED; area++) {
		const uint64_t addrs[] = { 0,           FIXTURE_BASE - 16,          FIXTURE_END - 16,
					   FIXTURE_END, UINT64_MAX & ~UINT64_C(15), UINT64_C(1) << 63 };

		for (uint32_t i = 0; i < COUNT(addrs); i++) {
			fixture_init(&f, fixture_kind(state), SIZE);
			f.config.addr[area] = addrs[i];
			expect_refused(&f, VIRTIO_EFAULT);
		}
	}
	/* Without a map no area is in memory. */
	fixture_init(&f, fixture_kind(state), SIZE);
	expect_refused_in(&f, NULL, VIRTIO_EFAULT);
}

/*
 * Hostile 58: the queue is ready, but some or all addresses were never set. The queue does not
 * start.
 */
static void queue_start_refuses_ready_queue_without_addresses(void **state)
{
	struct virtio_chain chain;
	struct fixture f;

	for (uint32_t set = 0; set < 7; set++) {
		fixture_init(&f, fixture_kind(state), SIZE);
		assert_int_equal(virtio_queue_config_init(&f.config, SIZE), 0);
		for (int area = VIRTIO_QUEUE_DESC; area <= VIRTIO_QUEUE_USED; area++)
			if (set >> area & 1)
				assert_int_equal(virtio_queue_config_set_addr(&f.config, (enum virtio_queue_area)area,
									      f.mock.addr[area]),
						 0);
		f.config.ready = true;
		expect_refused(&f, VIRTIO_EFAULT);
		assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_ENOTREADY);
	}
}

/* The whole area must be in memory: the check fails if one byte is missing. */
static void queue_config_check_wants_whole_area(void **state)
{
	struct virtio_region region;
	struct fixture f;

	(void)state;
	for (int area = VIRTIO_QUEUE_DESC; area <= VIRTIO_QUEUE_USED; area++)
		for (int event = 0; event <= 1; event++)
			for (uint32_t missing = 0; missing <= 1; missing++) {
				uint64_t bytes;

				fixture_init(&f, FIXTURE_FLAT, SIZE);
				f.config.event_idx = event != 0;
				f.config.addr[area] = FIXTURE_TABLE;
				bytes = virtio_queue_config_area_bytes(&f.config, (enum virtio_queue_area)area);
				region = f.regions[0];
				region.len = FIXTURE_TABLE - FIXTURE_BASE + bytes - missing;
				assert_int_equal(virtio_memory_map_init(&f.device_map, &region, 1), 0);
				if (missing)
					expect_refused(&f, VIRTIO_EFAULT);
				else
					assert_int_equal(virtio_queue_config_check(&f.config, &f.device_map), 0);
			}
}

/* The device writes only the used ring, so the two other areas may be in read-only memory. */
static void queue_config_check_wants_permission(void **state)
{
	struct virtio_region regions[2];
	struct fixture f;

	(void)state;
	for (int area = VIRTIO_QUEUE_DESC; area <= VIRTIO_QUEUE_USED; area++) {
		fixture_init(&f, FIXTURE_FLAT, SIZE);
		regions[0] = (struct virtio_region){ .addr = FIXTURE_BASE, .len = 0x800, .host = f.ram };
		regions[1] = (struct virtio_region){
			.addr = FIXTURE_TABLE, .len = 0x800, .host = f.ram + 0x800, .flags = VIRTIO_REGION_READ_ONLY
		};
		assert_int_equal(virtio_memory_map_init(&f.device_map, regions, 2), 0);
		f.config.addr[area] = FIXTURE_TABLE;
		if (area == VIRTIO_QUEUE_USED)
			expect_refused(&f, VIRTIO_EPERM);
		else
			assert_int_equal(virtio_queue_config_check(&f.config, &f.device_map), 0);
	}
}

/* The check returns each error of the translation, for each area. */
static void queue_config_check_passes_on_translation(void **state)
{
	static const int errors[] = { VIRTIO_ENOTMAPPED, VIRTIO_EPERM, VIRTIO_EFAULT };
	struct fixture f;

	for (int area = VIRTIO_QUEUE_DESC; area <= VIRTIO_QUEUE_USED; area++)
		for (uint32_t i = 0; i < COUNT(errors); i++) {
			fixture_init(&f, fixture_kind(state), SIZE);
			f.bad_start = f.config.addr[area] + 16;
			f.bad_end = f.bad_start + 1;
			f.bad_error = errors[i];
			/*
			 * A look-up covers 16 bytes, and only its first byte is compared with the
			 * bad range. So the bad range begins at a multiple of 16.
			 */
			f.bad_start &= ~UINT64_C(15);
			f.bad_end = f.bad_start + 16;
			expect_refused(&f, errors[i]);
		}
}

/* Hostile 57: guest address 0 is ordinary memory. A queue starts there and serves a request. */
static void queue_config_check_accepts_address_0(void **state)
{
	(void)state;
	for (int area = VIRTIO_QUEUE_DESC; area <= VIRTIO_QUEUE_USED; area++) {
		struct virtio_region regions[2];
		struct vring_used_elem used;
		struct virtio_token token;
		struct fixture f;

		fixture_init(&f, FIXTURE_FLAT, SIZE);
		regions[0] = (struct virtio_region){ .addr = 0, .len = 0x800, .host = f.ram + 0x800 };
		regions[1] = (struct virtio_region){ .addr = FIXTURE_BASE, .len = 0x800, .host = f.ram };
		assert_int_equal(virtio_memory_map_init(&f.device_map, regions, 2), 0);
		virtio_memory_cursor_init(&f.mock.memory, &f.device_map);
		assert_int_equal(virtio_mock_place(&f.mock, (enum virtio_queue_area)area, 0), 0);
		assert_int_equal(virtio_mock_reset(&f.mock), 0);
		f.config.addr[area] = 0;
		f.config.event_idx = true;
		fixture_start(&f);
		assert_int_equal(virtio_mock_enable_interrupts(&f.mock), 0);
		fixture_pop_some(&f, &token, 1);
		assert_int_equal(virtio_queue_complete(&f.queue, token, 16), 0);
		assert_true(virtio_queue_needs_interrupt(&f.queue));
		assert_int_equal(virtio_mock_pop_used(&f.mock, &used), 1);
		assert_int_equal(used.id, virtio_token_head(token));
		assert_int_equal(used.len, 16);
		assert_int_equal(virtio_queue_enable_kicks(&f.queue), 0);
		assert_int_equal(fixture_get(&f, VIRTIO_MOCK_AVAIL_EVENT), 1);
	}
}

/*
 * Hostile 56: overlapping areas harm only the driver. The device overwrites ring bytes that it
 * reads later. The device checks these bytes as usual, and stays inside memory.
 */
static void queue_survives_overlapping_areas(void **state)
{
	const uint64_t shared = FIXTURE_DATA - 0x100;
	const struct virtio_mock_buffer one = WRITABLE(FIXTURE_DATA, 16);

	for (int a = VIRTIO_QUEUE_DESC; a <= VIRTIO_QUEUE_USED; a++)
		for (int b = VIRTIO_QUEUE_DESC; b <= VIRTIO_QUEUE_USED; b++) {
			struct virtio_chain chain = { 0 };
			struct fixture f;
			uint32_t i;

			fixture_init(&f, fixture_kind(state), SIZE);
			f.config.addr[a] = shared;
			f.config.addr[b] = shared;
			assert_int_equal(virtio_mock_place(&f.mock, (enum virtio_queue_area)a, shared), 0);
			assert_int_equal(virtio_mock_place(&f.mock, (enum virtio_queue_area)b, shared), 0);
			f.config.event_idx = true;
			fixture_start(&f);
			for (i = 0; i < 3 * SIZE; i++) {
				struct virtio_desc desc;

				fixture_offer_chain(&f, i % SIZE, &one, 1);
				fixture_save(&f);
				(void)!virtio_queue_enable_kicks(&f.queue);
				if (virtio_queue_pop(&f.queue, &chain) != 1)
					break;
				for (uint32_t d = 0; virtio_chain_next(&chain, &desc) == 1; d++)
					assert_true(d < SIZE);
				assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 0), 0);
				(void)virtio_queue_needs_interrupt(&f.queue);
				/* The memory of buffers and tables is untouched. */
				if (f.kind != FIXTURE_ONE_BYTE)
					assert_memory_equal(f.ram + 0x400, f.saved_ram + 0x400, 0xc00);
			}
			/* If a equals b, no areas overlap, and every chain is served. */
			assert_true(a != b || i == 3 * SIZE);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue_config_init_accepts_powers_of_two_only),
		cmocka_unit_test(queue_config_init_sets_defaults),
		cmocka_unit_test(queue_config_reset_returns_to_defaults),
		cmocka_unit_test(queue_config_set_size_refuses_bad_sizes),
		cmocka_unit_test(queue_config_set_size_accepts_powers_of_two_to_maximum),
		cmocka_unit_test(queue_config_setters_refuse_once_ready),
		cmocka_unit_test(queue_config_setters_refuse_unknown_area),
		cmocka_unit_test(queue_config_set_addr_refuses_misaligned),
		cmocka_unit_test(queue_config_set_addr_high_refuses_misaligned),
		cmocka_unit_test(queue_config_set_addr_halves_leave_the_other),
		cmocka_unit_test(queue_config_changes_one_queue_only),
		cmocka_unit_test(queue_config_area_bytes_counts_event_fields_when_negotiated),
		FIXTURE_ON_ALL(queue_config_check_refuses_bad_sizes),
		FIXTURE_ON_ALL(queue_config_check_refuses_misaligned),
		FIXTURE_ON_ALL(queue_config_check_refuses_area_outside_memory),
		FIXTURE_ON_ALL(queue_start_refuses_ready_queue_without_addresses),
		cmocka_unit_test(queue_config_check_wants_whole_area),
		cmocka_unit_test(queue_config_check_wants_permission),
		FIXTURE_ON(queue_config_check_passes_on_translation, CHANGING),
		cmocka_unit_test(queue_config_check_accepts_address_0),
		FIXTURE_ON_ALL(queue_survives_overlapping_areas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
