/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests the mock driver itself: errors, layout of the rings, records, and what the driver reports
 * about a bad device.
 */
#include "mock_fixture.h"

/* Puts an element into the used ring and moves the index, as a device would. */
static void use(struct fixture *f, uint32_t id, uint32_t len)
{
	const struct vring_used_elem element = { id, len };
	const uint16_t idx = fixture_get(f, VIRTIO_MOCK_USED_IDX);

	assert_int_equal(virtio_mock_set_used_entry(&f->mock, idx % SIZE, &element), 0);
	fixture_set(f, VIRTIO_MOCK_USED_IDX, (uint16_t)(idx + 1));
}

/*
 * Life cycle. Regression R25: bad arguments cause an error and no crash, and rings never overlap.
 */

static void mock_init_refuses_bad_arguments(void **state)
{
	static const uint32_t sizes[] = { 0, 3, 12, 32767, 32769, 65536, 0x10008, 0x80000000 };
	struct virtio_mock_slot slots[FIXTURE_MAX_SIZE];
	struct virtio_mock mock, before;
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	memset(&mock, 0x5a, sizeof mock);
	memcpy(&before, &mock, sizeof mock);
	memset(slots, 0x5a, sizeof slots);
	fixture_save(&f);
	for (uint32_t i = 0; i < COUNT(sizes); i++)
		assert_int_equal(virtio_mock_init(&mock, &f.driver_map, FIXTURE_BASE, sizes[i], slots, UINT32_MAX),
				 VIRTIO_ESIZE);
	assert_int_equal(virtio_mock_init(&mock, &f.driver_map, FIXTURE_BASE, SIZE, NULL, SIZE), VIRTIO_EINVAL);
	assert_int_equal(virtio_mock_init(&mock, &f.driver_map, FIXTURE_BASE, SIZE, slots, SIZE - 1), VIRTIO_EINVAL);
	assert_int_equal(virtio_mock_init(&mock, &f.driver_map, 0, SIZE, slots, SIZE), VIRTIO_EFAULT);
	assert_int_equal(virtio_mock_init(&mock, &f.driver_map, FIXTURE_END - 64, SIZE, slots, SIZE), VIRTIO_EFAULT);
	assert_int_equal(virtio_mock_init(&mock, &f.driver_map, UINT64_MAX, SIZE, slots, SIZE), VIRTIO_EFAULT);
	assert_int_equal(virtio_mock_init(&mock, &f.driver_map, UINT64_MAX - 63, SIZE, slots, SIZE), VIRTIO_EFAULT);
	assert_memory_equal(&mock, &before, sizeof mock);
	assert_true(fixture_ram_unchanged(&f));
	for (uint32_t i = 0; i < sizeof slots; i++)
		assert_int_equal(((const uint8_t *)slots)[i], 0x5a);
}

/* A translation to the same addresses. The translation fails after `answers` look-ups. */
struct forgetful {
	uint32_t answers;
	bool refused;
};

static int forgetful_translate(void *context, uint64_t addr, uint64_t len, uint32_t access,
			       struct virtio_translation *out)
{
	struct forgetful *t = context;

	if (t->answers == 0) {
		t->refused = true;
		return VIRTIO_ENOTMAPPED;
	}
	t->answers--;
	*out = (struct virtio_translation){ addr, len, access };
	return 0;
}

/*
 * In each round, memory is unmapped one look-up later than in the round before. virtio_mock_init()
 * looks up the areas for a check, and again to write them. A failed call leaves the mock unchanged.
 */
static void mock_init_fails_cleanly_when_memory_goes_away(void **state)
{
	struct virtio_mock_slot slots[SIZE];
	struct virtio_mock mock, before;
	struct forgetful t = { 0, true };
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	memset(&mock, 0x5a, sizeof mock);
	memcpy(&before, &mock, sizeof mock);
	virtio_memory_map_set_translation(&f.driver_map, forgetful_translate, &t);
	for (uint32_t lookups = 0; t.refused; lookups++) {
		int error;

		t.answers = lookups;
		t.refused = false;
		error = virtio_mock_init(&mock, &f.driver_map, FIXTURE_BASE, SIZE, slots, SIZE);
		assert_int_equal(error, t.refused ? VIRTIO_ENOTMAPPED : 0);
		if (t.refused)
			assert_memory_equal(&mock, &before, sizeof mock);
	}
	assert_int_equal(mock.size, SIZE);
}

static void mock_areas_never_overlap(void **state)
{
	static uint8_t ram[1 << 20];
	static struct virtio_mock_slot slots[VIRTIO_QUEUE_MAX_SIZE];
	struct virtio_region region = { .addr = 0, .len = sizeof ram, .host = ram };
	struct virtio_memory_map map;

	(void)state;
	assert_int_equal(virtio_memory_map_init(&map, &region, 1), 0);
	for (uint32_t size = 1; size <= VIRTIO_QUEUE_MAX_SIZE; size *= 2)
		for (uint64_t base = 0; base < 32; base += 5) {
			const uint64_t first = (base + 15) & ~UINT64_C(15);
			struct virtio_queue_config config;
			struct virtio_mock mock;

			assert_int_equal(virtio_mock_init(&mock, &map, base, size, slots, VIRTIO_QUEUE_MAX_SIZE), 0);
			mock.event_idx = true;
			virtio_mock_fill_config(&mock, &config);
			assert_int_equal(virtio_queue_config_check(&config, &map), 0);
			assert_int_equal(config.addr[0], first);
			assert_true(config.addr[1] >=
				    first + virtio_queue_config_area_bytes(&config, VIRTIO_QUEUE_DESC));
			assert_true(config.addr[2] >=
				    config.addr[1] + virtio_queue_config_area_bytes(&config, VIRTIO_QUEUE_AVAIL));
			assert_int_equal(virtio_mock_end(&mock), first + virtio_mock_bytes(size));
			for (int i = 0; i < 3; i++)
				assert_int_equal(virtio_mock_area_bytes(&mock, (enum virtio_queue_area)i),
						 virtio_queue_config_area_bytes(&config, (enum virtio_queue_area)i));
		}
}

static void mock_place_and_reset_check_areas(void **state)
{
	struct virtio_queue_config config;
	struct mock_copy before;
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	copy_mock(&f, &before);
	assert_int_equal(virtio_mock_place(&f.mock, (enum virtio_queue_area)3, 0), VIRTIO_EINVAL);
	assert_true(mock_unchanged(&f, &before));
	assert_int_equal(virtio_mock_area_bytes(&f.mock, (enum virtio_queue_area)3), 0);
	/* The areas may lie anywhere, in any order. */
	assert_int_equal(virtio_mock_place(&f.mock, VIRTIO_QUEUE_USED, FIXTURE_TABLE + 1), 0);
	assert_int_equal(virtio_mock_reset(&f.mock), 0);
	assert_int_equal(fixture_get(&f, VIRTIO_MOCK_AVAIL_EVENT), 0);
	fixture_set(&f, VIRTIO_MOCK_AVAIL_EVENT, 0x1234);
	assert_int_equal(fixture_get(&f, VIRTIO_MOCK_AVAIL_EVENT), 0x1234);
	virtio_mock_fill_config(&f.mock, &config);
	assert_int_equal(config.addr[VIRTIO_QUEUE_USED], FIXTURE_TABLE + 1);
	assert_int_equal(virtio_mock_end(&f.mock), FIXTURE_TABLE + 1 + 6 + USED_BYTES * SIZE);
	/* Only the first 8 bytes of the used ring lie in memory. */
	(void)fixture_add(&f, out_in, 2);
	assert_int_equal(virtio_mock_place(&f.mock, VIRTIO_QUEUE_USED, FIXTURE_END - 8), 0);
	copy_mock(&f, &before);
	fixture_save(&f);
	assert_int_equal(virtio_mock_reset(&f.mock), VIRTIO_EFAULT);
	assert_int_equal(virtio_mock_seek(&f.mock, 7), VIRTIO_EBUSY);
	assert_true(mock_unchanged(&f, &before));
	assert_true(fixture_ram_unchanged(&f));
	/*
	 * An area runs over the end of the address space. No field of the area may get an address
	 * at the start of the address space.
	 */
	assert_int_equal(virtio_mock_place(&f.mock, VIRTIO_QUEUE_USED, UINT64_MAX - 3), 0);
	assert_int_equal(virtio_mock_set_used_entry(&f.mock, 0, &(const struct vring_used_elem){ 0, 0 }),
			 VIRTIO_EFAULT);
	assert_int_equal(virtio_mock_set(&f.mock, VIRTIO_MOCK_AVAIL_EVENT, 0), VIRTIO_EFAULT);
}

/* virtio_mock_end() is the end of the highest area, whichever area that is. */
static void mock_end_follows_areas(void **state)
{
	static const uint64_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					       { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	for (uint32_t i = 0; i < COUNT(orders); i++) {
		uint64_t end = 0;

		for (int a = 0; a < 3; a++) {
			const uint64_t addr = FIXTURE_BASE + 0x200 * orders[i][a];

			assert_int_equal(virtio_mock_place(&f.mock, (enum virtio_queue_area)a, addr), 0);
			if (orders[i][a] == 2)
				end = addr + virtio_mock_area_bytes(&f.mock, (enum virtio_queue_area)a);
		}
		assert_int_equal(virtio_mock_end(&f.mock), end);
	}
	/* All areas begin at one address, so the longest area ends last. */
	assert_int_equal(virtio_mock_place(&f.mock, VIRTIO_QUEUE_AVAIL, FIXTURE_BASE), 0);
	assert_int_equal(virtio_mock_place(&f.mock, VIRTIO_QUEUE_USED, FIXTURE_BASE), 0);
	assert_int_equal(virtio_mock_place(&f.mock, VIRTIO_QUEUE_DESC, FIXTURE_BASE), 0);
	assert_int_equal(virtio_mock_end(&f.mock), FIXTURE_BASE + DESC_BYTES * SIZE);
}

static void mock_seek_refuses_while_anything_is_pending(void **state)
{
	struct mock_copy before;
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	/*
	 * A head inside the table is in flight as soon as it is offered. A head outside the table
	 * is never in flight.
	 */
	assert_int_equal(virtio_mock_offer(&f.mock, 0xffff), 0);
	assert_int_equal(f.mock.in_flight, 0);
	copy_mock(&f, &before);
	fixture_save(&f);
	assert_int_equal(virtio_mock_seek(&f.mock, 7), VIRTIO_EBUSY);
	assert_true(fixture_ram_unchanged(&f));
	assert_true(mock_unchanged(&f, &before));
	assert_int_equal(virtio_mock_publish(&f.mock), 0);
	assert_int_equal(virtio_mock_seek(&f.mock, 7), 0);
	assert_int_equal(fixture_get(&f, VIRTIO_MOCK_AVAIL_IDX), 7);
	assert_int_equal(fixture_get(&f, VIRTIO_MOCK_USED_IDX), 7);
	/* If one of the rings is outside memory, seek fails and the records do not change. */
	copy_mock(&f, &before);
	for (int area = VIRTIO_QUEUE_AVAIL; area <= VIRTIO_QUEUE_USED; area++) {
		const uint64_t addr = f.mock.addr[area];

		assert_int_equal(virtio_mock_place(&f.mock, (enum virtio_queue_area)area, FIXTURE_END), 0);
		assert_int_equal(virtio_mock_seek(&f.mock, 9), VIRTIO_EFAULT);
		assert_int_equal(virtio_mock_place(&f.mock, (enum virtio_queue_area)area, addr), 0);
		assert_true(mock_unchanged(&f, &before));
	}
}

static void mock_create_queue_passes_on_errors(void **state)
{
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	assert_int_equal(virtio_mock_create_queue(&f.mock, &f.queue, NULL, SIZE, &f.device_map), VIRTIO_EINVAL);
	assert_int_equal(virtio_mock_create_queue(&f.mock, &f.queue, f.inflight, SIZE - 1, &f.device_map),
			 VIRTIO_EINVAL);
	f.mock.event_idx = f.mock.indirect = f.mock.in_order = true;
	assert_int_equal(virtio_mock_create_queue(&f.mock, &f.queue, f.inflight, SIZE, &f.device_map), 0);
	assert_true(f.queue.config.event_idx && f.queue.config.indirect && f.queue.config.in_order);
	assert_int_equal(f.queue.size, SIZE);
}

/* Fields */

/*
 * Regressions R12 and R13: each field is where the specification puts it (2.7.6, 2.7.8), in
 * little-endian.
 */
static void mock_fields_are_where_specified(void **state)
{
	struct {
		enum virtio_mock_field field;
		uint64_t addr;
	} fields[6];
	struct fixture f;
	uint8_t raw[2];

	fixture_init(&f, fixture_kind(state), SIZE);
	for (uint32_t i = 0; i < 6; i++)
		fields[i].field = (enum virtio_mock_field)i;
	fields[0].addr = f.mock.addr[1];
	fields[1].addr = f.mock.addr[1] + 2;
	fields[2].addr = f.mock.addr[1] + 4 + 2 * SIZE;
	fields[3].addr = f.mock.addr[2];
	fields[4].addr = f.mock.addr[2] + 2;
	fields[5].addr = f.mock.addr[2] + 4 + USED_BYTES * SIZE;
	for (uint32_t i = 0; i < 6; i++) {
		assert_int_equal(virtio_mock_field_addr(&f.mock, fields[i].field), fields[i].addr);
		fixture_set(&f, fields[i].field, (uint16_t)(0xa0b0 + i));
		fixture_read(&f, fields[i].addr, raw, 2);
		assert_int_equal(raw[0], 0xb0 + i);
		assert_int_equal(raw[1], 0xa0);
		assert_int_equal(fixture_get(&f, fields[i].field), 0xa0b0 + i);
	}
}

/*
 * Entries are 16, 2 and 8 bytes apart, after the leading fields of their area. The mock writes to
 * the addresses that it returns.
 */
static void mock_entries_are_where_specified(void **state)
{
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	for (uint32_t i = 0; i < SIZE; i++) {
		const struct vring_used_elem element = { 0x01020304 + i, 5 };
		uint8_t raw[4];
		uint16_t head = 0;

		assert_int_equal(virtio_mock_desc_addr(&f.mock, i), f.mock.addr[VIRTIO_QUEUE_DESC] + DESC_BYTES * i);
		assert_int_equal(virtio_mock_avail_entry_addr(&f.mock, i), f.mock.addr[VIRTIO_QUEUE_AVAIL] + 4 + 2 * i);
		assert_int_equal(virtio_mock_used_entry_addr(&f.mock, i),
				 f.mock.addr[VIRTIO_QUEUE_USED] + 4 + USED_BYTES * i);
		assert_int_equal(virtio_mock_set_avail_entry(&f.mock, i, (uint16_t)(0xc0d0 + i)), 0);
		fixture_read(&f, virtio_mock_avail_entry_addr(&f.mock, i), raw, 2);
		assert_int_equal(raw[0], 0xd0 + i);
		assert_int_equal(raw[1], 0xc0);
		assert_int_equal(virtio_mock_get_avail_entry(&f.mock, i, &head), 0);
		assert_int_equal(head, 0xc0d0 + i);
		assert_int_equal(virtio_mock_set_used_entry(&f.mock, i, &element), 0);
		fixture_read(&f, virtio_mock_used_entry_addr(&f.mock, i), raw, 4);
		assert_int_equal(virtio_get_le32(raw), element.id);
	}
	/* The event field follows the last entry. */
	assert_int_equal(virtio_mock_avail_entry_addr(&f.mock, SIZE),
			 virtio_mock_field_addr(&f.mock, VIRTIO_MOCK_USED_EVENT));
	assert_int_equal(virtio_mock_used_entry_addr(&f.mock, SIZE),
			 virtio_mock_field_addr(&f.mock, VIRTIO_MOCK_AVAIL_EVENT));
	/* An unknown field has address 0. */
	assert_int_equal(virtio_mock_field_addr(&f.mock, (enum virtio_mock_field)6), 0);
}

static void mock_fields_refuse_bad_indices_and_addresses(void **state)
{
	const struct vring_used_elem element = { 1, 2 };
	const struct vring_desc desc = { 1, 2, 3, 4 };
	struct vring_used_elem got_element = { 7, 7 };
	struct vring_desc got_desc = { 7, 7, 7, 7 };
	uint16_t got = 7;
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	fixture_save(&f);
	assert_int_equal(virtio_mock_get(&f.mock, (enum virtio_mock_field)6, &got), VIRTIO_EINVAL);
	assert_int_equal(virtio_mock_set(&f.mock, (enum virtio_mock_field)6, 1), VIRTIO_EINVAL);
	assert_int_equal(virtio_mock_get_avail_entry(&f.mock, SIZE, &got), VIRTIO_EINVAL);
	assert_int_equal(virtio_mock_set_avail_entry(&f.mock, SIZE, 1), VIRTIO_EINVAL);
	assert_int_equal(virtio_mock_get_used_entry(&f.mock, SIZE, &got_element), VIRTIO_EINVAL);
	assert_int_equal(virtio_mock_set_used_entry(&f.mock, SIZE, &element), VIRTIO_EINVAL);
	assert_int_equal(virtio_mock_get_desc(&f.mock, SIZE, &got_desc), VIRTIO_EINVAL);
	assert_int_equal(virtio_mock_set_desc(&f.mock, SIZE, &desc), VIRTIO_EINVAL);
	assert_int_equal(virtio_mock_get_desc_at(&f.mock, FIXTURE_END - 15, 0, &got_desc), VIRTIO_EFAULT);
	assert_int_equal(virtio_mock_set_desc_at(&f.mock, FIXTURE_END - 15, 0, &desc), VIRTIO_EFAULT);
	assert_int_equal(virtio_mock_set_desc_at(&f.mock, UINT64_MAX - 15, 0x110, &desc), VIRTIO_EFAULT);
	assert_int_equal(virtio_mock_get_desc_at(&f.mock, UINT64_MAX - 15, 0x110, &got_desc), VIRTIO_EFAULT);
	assert_int_equal(virtio_mock_write_chain(&f.mock, SIZE, out_in, 2), VIRTIO_EINVAL);
	assert_int_equal(virtio_mock_write_chain(&f.mock, 0, out_in, SIZE + 1), VIRTIO_EINVAL);
	assert_int_equal(virtio_mock_write_table(&f.mock, FIXTURE_TABLE, out_in, 65537), VIRTIO_EINVAL);
	assert_int_equal(got, 7);
	assert_int_equal(got_element.id, 7);
	assert_int_equal(got_desc.addr, 7);
	assert_true(fixture_ram_unchanged(&f));
	/* The memory is read-only in the driver's own map. */
	f.regions[0].flags = VIRTIO_REGION_READ_ONLY;
	if (f.kind == FIXTURE_FLAT) {
		assert_int_equal(virtio_memory_map_init(&f.driver_map, f.regions, 1), 0);
		virtio_memory_cursor_init(&f.mock.memory, &f.driver_map);
		assert_int_equal(virtio_mock_set(&f.mock, VIRTIO_MOCK_AVAIL_IDX, 1), VIRTIO_EPERM);
		assert_int_equal(virtio_mock_set_desc(&f.mock, 0, &desc), VIRTIO_EPERM);
		assert_int_equal(virtio_mock_add(&f.mock, out_in, 2), VIRTIO_EPERM);
		assert_true(fixture_ram_unchanged(&f));
	}
}

/*
 * An area begins in memory and ends outside. A call that needs the part outside fails, and leaves
 * the driver's records unchanged.
 */
static void mock_calls_pass_on_missing_memory(void **state)
{
	const struct virtio_mock_buffer three[] = { READABLE(FIXTURE_DATA, 1), READABLE(FIXTURE_DATA, 1),
						    READABLE(FIXTURE_DATA, 1) };
	struct vring_used_elem element = { 7, 7 }, unused;
	struct mock_copy before;
	uint16_t got = 7;
	struct fixture f;

	for (int area = VIRTIO_QUEUE_DESC; area <= VIRTIO_QUEUE_USED; area++) {
		const uint64_t inside = area == VIRTIO_QUEUE_DESC ? 16 : 4;

		fixture_init(&f, fixture_kind(state), SIZE);
		f.mock.event_idx = f.mock.in_order = true;
		(void)fixture_add(&f, out_in, 1);
		use(&f, 0, 0);
		/*
		 * Only these bytes are inside memory: the first descriptor, or the flags and the
		 * index of a ring.
		 */
		fixture_write(&f, FIXTURE_END - inside, (const uint8_t[16]){ 0, 0, 1, 0 }, inside);
		assert_int_equal(virtio_mock_place(&f.mock, (enum virtio_queue_area)area, FIXTURE_END - inside), 0);
		copy_mock(&f, &before);
		if (area == VIRTIO_QUEUE_DESC) {
			assert_int_equal(virtio_mock_write_chain(&f.mock, 0, three, 2), VIRTIO_EFAULT);
			assert_int_equal(virtio_mock_alloc(&f.mock, three, 3), VIRTIO_EFAULT);
			assert_int_equal(virtio_mock_add(&f.mock, three, 3), VIRTIO_EFAULT);
			assert_int_equal(virtio_mock_add_many(&f.mock, three, 3, NULL), VIRTIO_EFAULT);
		} else if (area == VIRTIO_QUEUE_AVAIL) {
			assert_int_equal(virtio_mock_get_avail_entry(&f.mock, 0, &got), VIRTIO_EFAULT);
			assert_int_equal(virtio_mock_offer(&f.mock, 0), VIRTIO_EFAULT);
			assert_int_equal(virtio_mock_add(&f.mock, three, 3), VIRTIO_EFAULT);
			assert_int_equal(virtio_mock_add_many(&f.mock, three, 3, NULL), VIRTIO_EFAULT);
			/*
			 * Without the available ring, the driver does not know the order of
			 * completion.
			 */
			assert_int_equal(virtio_mock_pop_used(&f.mock, &element), VIRTIO_EFAULT);
			assert_int_equal(virtio_mock_enable_interrupts(&f.mock), VIRTIO_EFAULT);
			assert_int_equal(virtio_mock_disable_interrupts(&f.mock), VIRTIO_EFAULT);
		} else {
			assert_int_equal(virtio_mock_get(&f.mock, VIRTIO_MOCK_AVAIL_EVENT, &got), VIRTIO_EFAULT);
			assert_int_equal(virtio_mock_get_used_entry(&f.mock, 0, &element), VIRTIO_EFAULT);
			assert_int_equal(virtio_mock_pop_used(&f.mock, &element), VIRTIO_EFAULT);
			assert_int_equal(virtio_mock_should_kick(&f.mock), VIRTIO_EFAULT);
			/* Now the used elements are in memory, but the index isn't. */
			assert_int_equal(virtio_mock_place(&f.mock, VIRTIO_QUEUE_USED, FIXTURE_BASE - 4), 0);
			assert_int_equal(virtio_mock_get_used_entry(&f.mock, 0, &unused), 0);
			assert_int_equal(virtio_mock_pop_used(&f.mock, &element), VIRTIO_EFAULT);
			assert_int_equal(virtio_mock_enable_interrupts(&f.mock), VIRTIO_EFAULT);
			assert_int_equal(virtio_mock_place(&f.mock, VIRTIO_QUEUE_USED, FIXTURE_END - inside), 0);
		}
		assert_true(mock_unchanged(&f, &before));
		assert_int_equal(got, 7);
		assert_true(element.id == 7 && element.len == 7);
	}
	/* Now the available index can't be written. */
	assert_int_equal(virtio_mock_offer(&f.mock, 0), 0);
	assert_int_equal(virtio_mock_place(&f.mock, VIRTIO_QUEUE_AVAIL, FIXTURE_END), 0);
	copy_mock(&f, &before);
	assert_int_equal(virtio_mock_publish(&f.mock), VIRTIO_EFAULT);
	assert_true(mock_unchanged(&f, &before));
}

static void mock_descriptors_read_back(void **state)
{
	const struct vring_desc desc = { UINT64_C(0x0102030405060708), 0x090a0b0c, 0x0d0e, 0x0f10 };
	static const uint8_t raw[16] = { 8, 7, 6, 5, 4, 3, 2, 1, 12, 11, 10, 9, 14, 13, 16, 15 };
	struct vring_desc got = { 0, 0, 0, 0 };
	uint8_t bytes[16];
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	for (uint64_t table = FIXTURE_TABLE; table < FIXTURE_TABLE + 16; table++) {
		assert_int_equal(virtio_mock_set_desc_at(&f.mock, table, 3, &desc), 0);
		fixture_read(&f, table + 48, bytes, 16);
		assert_memory_equal(bytes, raw, 16);
		assert_int_equal(virtio_mock_get_desc_at(&f.mock, table, 3, &got), 0);
		assert_true(got.addr == desc.addr && got.len == desc.len && got.flags == desc.flags);
		assert_int_equal(got.next, desc.next);
	}
	assert_int_equal(virtio_mock_set_desc(&f.mock, 5, &desc), 0);
	fixture_read(&f, virtio_mock_desc_addr(&f.mock, 5), bytes, 16);
	assert_memory_equal(bytes, raw, 16);
}

/* The driver's records */

static void mock_alloc_refuses_bad_arguments_and_full_queue(void **state)
{
	struct virtio_mock_buffer many[SIZE + 1];
	struct mock_copy before;
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	for (uint32_t i = 0; i <= SIZE; i++)
		many[i] = out_in[0];
	copy_mock(&f, &before);
	fixture_save(&f);
	assert_int_equal(virtio_mock_alloc(&f.mock, out_in, 0), VIRTIO_EINVAL);
	assert_int_equal(virtio_mock_alloc(&f.mock, many, SIZE + 1), VIRTIO_ENOBUFS);
	assert_int_equal(virtio_mock_add(&f.mock, out_in, 0), VIRTIO_EINVAL);
	assert_int_equal(virtio_mock_add(&f.mock, many, SIZE + 1), VIRTIO_ENOBUFS);
	assert_int_equal(virtio_mock_add_many(&f.mock, many, SIZE + 1, NULL), VIRTIO_ENOBUFS);
	assert_int_equal(virtio_mock_alloc_indirect(&f.mock, FIXTURE_TABLE, out_in, 0), VIRTIO_EINVAL);
	assert_int_equal(virtio_mock_add_indirect(&f.mock, FIXTURE_TABLE, out_in, 65536), VIRTIO_EINVAL);
	assert_int_equal(virtio_mock_alloc_indirect(&f.mock, FIXTURE_TABLE, out_in, 65536), VIRTIO_EINVAL);
	assert_int_equal(virtio_mock_alloc_indirect(&f.mock, FIXTURE_END, out_in, 2), VIRTIO_EFAULT);
	assert_int_equal(virtio_mock_add_indirect(&f.mock, FIXTURE_TABLE, out_in, 0), VIRTIO_EINVAL);
	assert_int_equal(virtio_mock_add_indirect(&f.mock, FIXTURE_END, out_in, 2), VIRTIO_EFAULT);
	assert_int_equal(virtio_mock_free(&f.mock, 0), VIRTIO_ESTALE);
	assert_int_equal(virtio_mock_free(&f.mock, SIZE), VIRTIO_ESTALE);
	assert_true(mock_unchanged(&f, &before));
	assert_true(fixture_ram_unchanged(&f));
	assert_int_equal(virtio_mock_add(&f.mock, many, SIZE), 0);
	copy_mock(&f, &before);
	assert_int_equal(virtio_mock_add_indirect(&f.mock, FIXTURE_TABLE, out_in, 2), VIRTIO_ENOBUFS);
	assert_int_equal(virtio_mock_alloc_indirect(&f.mock, FIXTURE_TABLE, out_in, 2), VIRTIO_ENOBUFS);
	assert_int_equal(virtio_mock_free(&f.mock, 0), VIRTIO_EBUSY);
	assert_true(mock_unchanged(&f, &before));
}

/* Each of alloc, offer and publish makes only its own change visible. */
static void mock_publishes_in_steps(void **state)
{
	uint16_t entry = 0;
	struct fixture f;
	int first, second;

	fixture_setup(&f, fixture_kind(state), SIZE);
	first = virtio_mock_alloc(&f.mock, out_in, 2);
	second = virtio_mock_alloc(&f.mock, out_in, 2);
	assert_true(first >= 0 && second >= 0 && first != second);
	assert_int_equal(f.mock.free_count, SIZE - 4);
	assert_int_equal(virtio_mock_offer(&f.mock, (uint16_t)second), 0);
	assert_int_equal(fixture_get(&f, VIRTIO_MOCK_AVAIL_IDX), 0);
	assert_int_equal(virtio_mock_get_avail_entry(&f.mock, 0, &entry), 0);
	assert_int_equal(entry, second);
	assert_int_equal(virtio_mock_seek(&f.mock, 3), VIRTIO_EBUSY);
	assert_int_equal(virtio_mock_publish(&f.mock), 0);
	assert_int_equal(virtio_queue_available(&f.queue), 1);
	assert_int_equal(virtio_mock_free(&f.mock, (uint16_t)first), 0);
	assert_int_equal(virtio_mock_free(&f.mock, (uint16_t)second), VIRTIO_EBUSY);
	assert_int_equal(f.mock.free_count, SIZE - 2);
}

/* As above, for an indirect table. A used element may report at most the table's writable bytes. */
static void mock_publishes_indirect_chain_in_steps(void **state)
{
	struct virtio_chain chain = { 0 };
	struct virtio_desc desc = { 0 };
	struct vring_used_elem used;
	struct fixture f;
	int head;

	fixture_init(&f, fixture_kind(state), SIZE);
	f.config.indirect = true;
	fixture_start(&f);
	head = virtio_mock_alloc_indirect(&f.mock, FIXTURE_TABLE, out_in, 2);
	assert_in_range(head, 0, SIZE - 1);
	assert_int_equal(f.mock.free_count, SIZE - 1);
	assert_int_equal(virtio_queue_available(&f.queue), 0);
	assert_int_equal(virtio_mock_free(&f.mock, (uint16_t)head), 0);
	assert_int_equal(f.mock.free_count, SIZE);
	head = virtio_mock_alloc_indirect(&f.mock, FIXTURE_TABLE, out_in, 2);
	assert_in_range(head, 0, SIZE - 1);
	fixture_offer_head(&f, (uint16_t)head);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
	assert_int_equal(virtio_token_head(chain.token), head);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(virtio_chain_next(&chain, &desc), 1);
		assert_true(desc.addr == out_in[i].addr && desc.len == out_in[i].len);
		assert_int_equal(desc.writable, i == 1);
	}
	assert_int_equal(virtio_chain_next(&chain, &desc), 0);
	assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 33), 0);
	assert_int_equal(virtio_mock_pop_used(&f.mock, &used), VIRTIO_EBYTES);
	assert_int_equal(virtio_mock_set_used_entry(&f.mock, 0, &(const struct vring_used_elem){ (uint32_t)head, 32 }),
			 0);
	assert_int_equal(virtio_mock_pop_used(&f.mock, &used), 1);
	assert_int_equal(f.mock.free_count, SIZE);
}

/*
 * A bad driver makes a head available twice. The descriptors are free after the second used
 * element.
 */
static void mock_keeps_descriptors_of_chain_offered_twice(void **state)
{
	struct vring_used_elem used;
	struct fixture f;
	uint16_t head;

	fixture_init(&f, fixture_kind(state), SIZE);
	head = fixture_add(&f, out_in, 2);
	fixture_offer_head(&f, head);
	for (uint32_t left = 2; left-- > 0;) {
		use(&f, head, 32);
		assert_int_equal(virtio_mock_pop_used(&f.mock, &used), 1);
		assert_int_equal(f.mock.in_flight, left);
		assert_int_equal(f.mock.free_count, left ? SIZE - 2 : SIZE);
		assert_int_equal(virtio_mock_free(&f.mock, head), left ? VIRTIO_EBUSY : VIRTIO_ESTALE);
	}
	use(&f, head, 32);
	assert_int_equal(virtio_mock_pop_used(&f.mock, &used), VIRTIO_EBROKEN);
}

/* Descriptors are freed in any order. No descriptor is lost or allocated twice. */
static void mock_reuses_descriptors(void **state)
{
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	for (uint32_t round = 0; round < 200; round++) {
		struct virtio_chain chains[4];
		struct virtio_chain_segments c;
		struct virtio_segment segments[128];
		struct vring_used_elem used;

		for (uint32_t i = 0; i < 4; i++) {
			(void)fixture_add(&f, out_in, 2);
			assert_int_equal(virtio_queue_pop(&f.queue, &chains[i]), 1);
			c = (struct virtio_chain_segments){ .segments = segments, .capacity = 128 };
			assert_int_equal(virtio_chain_resolve(&chains[i], &c), 0);
			assert_int_equal(c.readable_bytes, 16);
			assert_int_equal(c.writable_bytes, 32);
		}
		assert_int_equal(f.mock.free_count, 0);
		for (uint32_t i = 0; i < 4; i++)
			assert_int_equal(virtio_queue_complete(&f.queue, chains[(i * 3 + round) % 4].token, 32), 0);
		for (uint32_t i = 0; i < 4; i++)
			assert_int_equal(virtio_mock_pop_used(&f.mock, &used), 1);
		assert_int_equal(f.mock.free_count, SIZE);
		assert_int_equal(f.mock.in_flight, 0);
	}
}

static void mock_adds_many_with_one_publication(void **state)
{
	const struct virtio_mock_buffer buffers[] = { { FIXTURE_DATA, 1, VRING_DESC_F_NEXT },
						      { FIXTURE_DATA, 2, VRING_DESC_F_WRITE },
						      { FIXTURE_DATA, 3, 0 },
						      { FIXTURE_DATA, 4, VRING_DESC_F_NEXT },
						      { FIXTURE_DATA, 5, VRING_DESC_F_NEXT } };
	static const uint32_t lengths[3][2] = { { 1, 2 }, { 3, 0 }, { 4, 5 } };
	uint16_t heads[3] = { 99, 99, 99 };
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	assert_int_equal(virtio_mock_add_many(&f.mock, buffers, 5, heads), 3);
	assert_int_equal(virtio_queue_available(&f.queue), 3);
	assert_int_equal(f.mock.free_count, SIZE - 5);
	for (uint32_t i = 0; i < 3; i++) {
		struct virtio_chain chain = { 0 };
		struct virtio_desc desc = { 0 };

		assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
		assert_int_equal(virtio_token_head(chain.token), heads[i]);
		for (uint32_t d = 0; d < 2 && lengths[i][d]; d++) {
			assert_int_equal(virtio_chain_next(&chain, &desc), 1);
			assert_int_equal(desc.len, lengths[i][d]);
		}
		assert_int_equal(virtio_chain_next(&chain, &desc), 0);
	}
	/* The array for the heads may be NULL. */
	assert_int_equal(virtio_mock_add_many(&f.mock, buffers + 1, 2, NULL), 2);
	assert_int_equal(virtio_queue_available(&f.queue), 2);
	assert_int_equal(f.mock.free_count, SIZE - 7);
}

/* The device writes bad used elements. The driver returns an error and pops no such element. */
static void mock_pop_used_refuses_bad_elements(void **state)
{
	static const struct {
		uint32_t id, len;
		int error;
	} cases[] = {
		{ SIZE, 0, VIRTIO_EHEAD }, { 0x10000, 0, VIRTIO_EHEAD }, { UINT32_MAX, 0, VIRTIO_EHEAD },
		{ 5, 0, VIRTIO_ESTALE },   { 1, 0, VIRTIO_ESTALE },      { 0, 33, VIRTIO_EBYTES },
		{ 2, 0, VIRTIO_EORDER },
	};

	for (uint32_t i = 0; i < COUNT(cases); i++) {
		struct vring_used_elem used = { 7, 7 };
		struct mock_copy before;
		struct fixture f;

		fixture_init(&f, fixture_kind(state), SIZE);
		f.mock.in_order = true;
		assert_int_equal(fixture_add(&f, out_in, 2), 0);
		assert_int_equal(fixture_add(&f, out_in, 2), 2);
		assert_int_equal(virtio_mock_pop_used(&f.mock, &used), 0);
		use(&f, cases[i].id, cases[i].len);
		copy_mock(&f, &before);
		assert_int_equal(virtio_mock_pop_used(&f.mock, &used), cases[i].error);
		assert_int_equal(used.id, 7);
		assert_true(mock_unchanged(&f, &before));
		/* A good element at the same index is popped. */
		fixture_set(&f, VIRTIO_MOCK_USED_IDX, 0);
		use(&f, 0, 32);
		assert_int_equal(virtio_mock_pop_used(&f.mock, &used), 1);
		assert_int_equal(used.len, 32);
		/* The used index announces more requests than are in flight. */
		fixture_set(&f, VIRTIO_MOCK_USED_IDX, 3);
		assert_int_equal(virtio_mock_pop_used(&f.mock, &used), VIRTIO_EBROKEN);
		fixture_set(&f, VIRTIO_MOCK_USED_IDX, 0);
		assert_int_equal(virtio_mock_pop_used(&f.mock, &used), VIRTIO_EBROKEN);
	}
}

/* The writable bytes of an indirect chain are the writable bytes of its table. */
static void mock_pop_used_knows_indirect_chains(void **state)
{
	struct vring_used_elem used;
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	assert_int_equal(virtio_mock_add_indirect(&f.mock, FIXTURE_TABLE + 3, out_in, 2), 0);
	assert_int_equal(f.mock.free_count, SIZE - 1);
	use(&f, 0, 33);
	assert_int_equal(virtio_mock_pop_used(&f.mock, &used), VIRTIO_EBYTES);
	fixture_set(&f, VIRTIO_MOCK_USED_IDX, 0);
	use(&f, 0, 32);
	assert_int_equal(virtio_mock_pop_used(&f.mock, &used), 1);
	assert_int_equal(f.mock.free_count, SIZE);
}

/* Notifications */

/*
 * virtio 1.4, 2.7.13.4.1: the driver kicks if avail_event is the index of one of the new entries.
 * Every value of avail_event is tried.
 */
static void mock_should_kick_is_exact_for_every_avail_event(void **state)
{
	uint64_t kicked;
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	f.mock.event_idx = true;
	assert_int_equal(virtio_mock_seek(&f.mock, 0xfffe), 0);
	assert_int_equal(virtio_mock_should_kick(&f.mock), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(virtio_mock_offer(&f.mock, 0), 0);
	assert_int_equal(virtio_mock_should_kick(&f.mock), 0); /* the heads are not published yet */
	assert_int_equal(virtio_mock_publish(&f.mock), 0);
	kicked = f.mock.kicked;
	for (uint32_t event = 0; event <= UINT16_MAX; event++) {
		f.mock.kicked = kicked;
		fixture_set(&f, VIRTIO_MOCK_AVAIL_EVENT, (uint16_t)event);
		assert_int_equal(virtio_mock_should_kick(&f.mock), event == 0xfffe || event == 0xffff || event == 0);
		assert_int_equal(virtio_mock_should_kick(&f.mock), 0);
	}
}

static void mock_asks_for_interrupts(void **state)
{
	struct fixture f;

	for (int event_idx = 0; event_idx <= 1; event_idx++) {
		fixture_init(&f, fixture_kind(state), SIZE);
		f.mock.event_idx = event_idx != 0;
		(void)fixture_add(&f, out_in, 2);
		assert_int_equal(virtio_mock_disable_interrupts(&f.mock), 0);
		assert_int_equal(fixture_get(&f, VIRTIO_MOCK_AVAIL_FLAGS), event_idx ? 0 : VRING_AVAIL_F_NO_INTERRUPT);
		assert_int_equal(fixture_get(&f, VIRTIO_MOCK_USED_EVENT), event_idx ? 0xffff : 0);
		assert_int_equal(virtio_mock_enable_interrupts(&f.mock), 0);
		assert_int_equal(fixture_get(&f, VIRTIO_MOCK_AVAIL_FLAGS), 0);
		assert_int_equal(fixture_get(&f, VIRTIO_MOCK_USED_EVENT), 0);
		use(&f, 0, 0);
		assert_int_equal(virtio_mock_enable_interrupts(&f.mock), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON_ALL(mock_init_refuses_bad_arguments),
		FIXTURE_ON(mock_init_fails_cleanly_when_memory_goes_away, FLAT),
		FIXTURE_ON(mock_init_fails_cleanly_when_memory_goes_away, ONE_BYTE),
		cmocka_unit_test(mock_areas_never_overlap),
		FIXTURE_ON(mock_place_and_reset_check_areas, FLAT),
		FIXTURE_ON(mock_place_and_reset_check_areas, ONE_BYTE),
		FIXTURE_ON(mock_end_follows_areas, FLAT),
		FIXTURE_ON(mock_seek_refuses_while_anything_is_pending, FLAT),
		FIXTURE_ON(mock_seek_refuses_while_anything_is_pending, ONE_BYTE),
		FIXTURE_ON_ALL(mock_create_queue_passes_on_errors),
		FIXTURE_ON(mock_fields_are_where_specified, FLAT),
		FIXTURE_ON(mock_fields_are_where_specified, ONE_BYTE),
		FIXTURE_ON(mock_entries_are_where_specified, FLAT),
		FIXTURE_ON(mock_entries_are_where_specified, ONE_BYTE),
		FIXTURE_ON(mock_calls_pass_on_missing_memory, FLAT),
		FIXTURE_ON(mock_calls_pass_on_missing_memory, ONE_BYTE),
		FIXTURE_ON(mock_fields_refuse_bad_indices_and_addresses, FLAT),
		FIXTURE_ON(mock_fields_refuse_bad_indices_and_addresses, ONE_BYTE),
		FIXTURE_ON(mock_descriptors_read_back, FLAT),
		FIXTURE_ON(mock_descriptors_read_back, ONE_BYTE),
		FIXTURE_ON(mock_alloc_refuses_bad_arguments_and_full_queue, FLAT),
		FIXTURE_ON(mock_alloc_refuses_bad_arguments_and_full_queue, ONE_BYTE),
		FIXTURE_ON_ALL(mock_publishes_in_steps),
		FIXTURE_ON_ALL(mock_publishes_indirect_chain_in_steps),
		FIXTURE_ON(mock_keeps_descriptors_of_chain_offered_twice, FLAT),
		FIXTURE_ON(mock_keeps_descriptors_of_chain_offered_twice, ONE_BYTE),
		FIXTURE_ON_ALL(mock_reuses_descriptors),
		FIXTURE_ON_ALL(mock_adds_many_with_one_publication),
		FIXTURE_ON(mock_pop_used_refuses_bad_elements, FLAT),
		FIXTURE_ON(mock_pop_used_refuses_bad_elements, ONE_BYTE),
		FIXTURE_ON(mock_pop_used_knows_indirect_chains, FLAT),
		FIXTURE_ON(mock_pop_used_knows_indirect_chains, ONE_BYTE),
		FIXTURE_ON(mock_should_kick_is_exact_for_every_avail_event, FLAT),
		FIXTURE_ON(mock_should_kick_is_exact_for_every_avail_event, ONE_BYTE),
		FIXTURE_ON(mock_asks_for_interrupts, FLAT),
		FIXTURE_ON(mock_asks_for_interrupts, ONE_BYTE),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
