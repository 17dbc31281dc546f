/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests the mock driver's calls while memory that they need is missing, forbidden, or not mapped
 * yet. Each call must return the error.
 */
#include "mock_fixture.h"

/* Parts of memory, as bits. */
#define DESC (1u << VIRTIO_QUEUE_DESC)
#define AVAIL (1u << VIRTIO_QUEUE_AVAIL)
#define USED (1u << VIRTIO_QUEUE_USED)
#define TABLE (1u << 3)
#define PARTS 4u

/* A translation to the same addresses. One part of memory is hidden. */
struct hidden {
	uint64_t start, end;
	int error;       /* result of the translation for the hidden part, or 0 */
	uint32_t denied; /* access that the hidden part denies, used if error is 0 */
};

static int translate(void *context, uint64_t addr, uint64_t len, uint32_t access, struct virtio_translation *out)
{
	const struct hidden *h = context;

	(void)access;
	*out = (struct virtio_translation){ addr, len, VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE };
	if (addr < h->start) {
		out->len = len < h->start - addr ? len : h->start - addr;
		return 0;
	}
	if (addr >= h->end)
		return 0;
	out->len = len < h->end - addr ? len : h->end - addr;
	out->access &= ~h->denied;
	return h->error;
}

/*
 * Each function do_*() makes one call. If the call has an output, a failure must leave the output
 * unchanged.
 */

static int do_init(struct fixture *f)
{
	struct virtio_mock_slot slots[SIZE];
	struct virtio_mock mock, before;
	int error;

	memset(&mock, 0x5a, sizeof mock);
	memcpy(&before, &mock, sizeof mock);
	memset(slots, 0x5a, sizeof slots);
	error = virtio_mock_init(&mock, &f->driver_map, FIXTURE_BASE, SIZE, slots, SIZE);
	if (error)
		assert_memory_equal(&mock, &before, sizeof mock);
	for (uint32_t i = 0; i < sizeof slots && error; i++)
		assert_int_equal(((const uint8_t *)slots)[i], 0x5a);
	return error;
}

static int do_reset(struct fixture *f)
{
	return virtio_mock_reset(&f->mock);
}

static int do_seek(struct fixture *f)
{
	return virtio_mock_seek(&f->mock, 5);
}

static int do_get(struct fixture *f, enum virtio_mock_field field)
{
	uint16_t got = 77;
	int error = virtio_mock_get(&f->mock, field, &got);

	assert_true(error == 0 || got == 77);
	return error;
}

static int do_get_avail_idx(struct fixture *f)
{
	return do_get(f, VIRTIO_MOCK_AVAIL_IDX);
}

static int do_get_used_idx(struct fixture *f)
{
	return do_get(f, VIRTIO_MOCK_USED_IDX);
}

static int do_set_used_event(struct fixture *f)
{
	return virtio_mock_set(&f->mock, VIRTIO_MOCK_USED_EVENT, 0x1234);
}

static int do_set_avail_event(struct fixture *f)
{
	return virtio_mock_set(&f->mock, VIRTIO_MOCK_AVAIL_EVENT, 0x1234);
}

static int do_get_avail_entry(struct fixture *f)
{
	uint16_t got = 77;
	int error = virtio_mock_get_avail_entry(&f->mock, 0, &got);

	assert_true(error == 0 || got == 77);
	return error;
}

static int do_set_avail_entry(struct fixture *f)
{
	return virtio_mock_set_avail_entry(&f->mock, 3, 0x1234);
}

static int do_get_used_entry(struct fixture *f)
{
	struct vring_used_elem got = { 77, 77 };
	int error = virtio_mock_get_used_entry(&f->mock, 0, &got);

	assert_true(error == 0 || (got.id == 77 && got.len == 77));
	return error;
}

static int do_set_used_entry(struct fixture *f)
{
	const struct vring_used_elem element = { 1, 2 };

	return virtio_mock_set_used_entry(&f->mock, 3, &element);
}

static int do_get_desc(struct fixture *f)
{
	struct vring_desc got = { 77, 77, 77, 77 };
	int error = virtio_mock_get_desc(&f->mock, 0, &got);

	assert_true(error == 0 || (got.addr == 77 && got.len == 77 && got.flags == 77 && got.next == 77));
	return error;
}

static int do_set_desc(struct fixture *f)
{
	const struct vring_desc desc = { 1, 2, 3, 4 };

	return virtio_mock_set_desc(&f->mock, 7, &desc);
}

static int do_get_desc_at(struct fixture *f)
{
	struct vring_desc got = { 77, 77, 77, 77 };
	int error = virtio_mock_get_desc_at(&f->mock, f->table, 1, &got);

	assert_true(error == 0 || (got.addr == 77 && got.len == 77 && got.flags == 77 && got.next == 77));
	return error;
}

static int do_set_desc_at(struct fixture *f)
{
	const struct vring_desc desc = { 1, 2, 3, 4 };

	return virtio_mock_set_desc_at(&f->mock, f->table, 1, &desc);
}

static int do_write_chain(struct fixture *f)
{
	return virtio_mock_write_chain(&f->mock, 5, out_in, 2);
}

static int do_write_table(struct fixture *f)
{
	return virtio_mock_write_table(&f->mock, f->table, out_in, 2);
}

static int do_offer(struct fixture *f)
{
	return virtio_mock_offer(&f->mock, 5);
}

static int do_publish(struct fixture *f)
{
	return virtio_mock_publish(&f->mock);
}

static int do_alloc(struct fixture *f)
{
	return virtio_mock_alloc(&f->mock, out_in, 2);
}

static int do_alloc_indirect(struct fixture *f)
{
	return virtio_mock_alloc_indirect(&f->mock, f->table, out_in, 2);
}

static int do_add(struct fixture *f)
{
	return virtio_mock_add(&f->mock, out_in, 2);
}

static int do_add_indirect(struct fixture *f)
{
	return virtio_mock_add_indirect(&f->mock, f->table, out_in, 2);
}

static int do_add_many(struct fixture *f)
{
	uint16_t heads[2] = { 77, 77 };
	int got = virtio_mock_add_many(&f->mock, out_in, 2, heads);

	assert_true(got >= 0 || (heads[0] == 77 && heads[1] == 77));
	return got;
}

static int do_pop_used(struct fixture *f)
{
	struct vring_used_elem used = { 77, 77 };
	int got = virtio_mock_pop_used(&f->mock, &used);

	assert_true(got == 1 || (used.id == 77 && used.len == 77));
	return got;
}

static int do_should_kick(struct fixture *f)
{
	return virtio_mock_should_kick(&f->mock);
}

static int do_enable_interrupts(struct fixture *f)
{
	return virtio_mock_enable_interrupts(&f->mock);
}

static int do_disable_interrupts(struct fixture *f)
{
	return virtio_mock_disable_interrupts(&f->mock);
}

static const struct call {
	int (*call)(struct fixture *);
	uint32_t reads, writes; /* bits of the parts that the call reads or writes */
	bool in_steps;          /* a failed call may have written parts that aren't hidden */
	bool idle;              /* the call works only if nothing is in flight */
} calls[] = {
	{ do_init, 0, DESC | AVAIL | USED, false, false },
	{ do_reset, 0, DESC | AVAIL | USED, false, false },
	{ do_seek, 0, AVAIL | USED, true, true },
	{ do_get_avail_idx, AVAIL, 0, false, false },
	{ do_get_used_idx, USED, 0, false, false },
	{ do_set_used_event, 0, AVAIL, false, false },
	{ do_set_avail_event, 0, USED, false, false },
	{ do_get_avail_entry, AVAIL, 0, false, false },
	{ do_set_avail_entry, 0, AVAIL, false, false },
	{ do_get_used_entry, USED, 0, false, false },
	{ do_set_used_entry, 0, USED, false, false },
	{ do_get_desc, DESC, 0, false, false },
	{ do_set_desc, 0, DESC, false, false },
	{ do_get_desc_at, TABLE, 0, false, false },
	{ do_set_desc_at, 0, TABLE, false, false },
	{ do_write_chain, 0, DESC, false, false },
	{ do_write_table, 0, TABLE, false, false },
	{ do_offer, 0, AVAIL, false, false },
	{ do_publish, 0, AVAIL, false, false },
	{ do_alloc, 0, DESC, false, false },
	{ do_alloc_indirect, 0, DESC | TABLE, true, false },
	{ do_add, 0, DESC | AVAIL, true, false },
	{ do_add_indirect, 0, DESC | AVAIL | TABLE, true, false },
	{ do_add_many, 0, DESC | AVAIL, true, false },
	{ do_pop_used, AVAIL | USED, 0, false, false },
	{ do_should_kick, USED, 0, false, false },
	{ do_enable_interrupts, USED, AVAIL, true, false },
	{ do_disable_interrupts, 0, AVAIL, false, false },
};

/*
 * Makes a driver. If `idle` is false, the driver has one used request and one request that is not
 * published.
 */
static void make_driver(struct fixture *f, enum fixture_memory kind, struct hidden *h, bool idle)
{
	const struct vring_used_elem element = { 0, 0 };

	fixture_init(f, kind, SIZE);
	f->mock.event_idx = f->mock.in_order = true;
	if (!idle) {
		assert_int_equal(fixture_add(f, out_in, 2), 0);
		assert_int_equal(virtio_mock_set_used_entry(&f->mock, 0, &element), 0);
		fixture_set(f, VIRTIO_MOCK_USED_IDX, 1);
		assert_int_equal(virtio_mock_offer(&f->mock, 2), 0);
	}
	memset(h, 0, sizeof *h);
	virtio_memory_map_set_translation(&f->driver_map, translate, h);
}

static void hide(const struct fixture *f, struct hidden *h, uint32_t part, int error, uint32_t denied)
{
	h->start = part < 3 ? f->mock.addr[part] : f->table;
	h->end = h->start + (part < 3 ? virtio_mock_area_bytes(&f->mock, (enum virtio_queue_area)part) : 64);
	h->error = error;
	h->denied = denied;
}

/*
 * Checks that the call fails with this error while a part is hidden. The driver's records must not
 * change. The call must work when the part is visible again.
 */
static void expect_error(enum fixture_memory kind, const struct call *c, uint32_t part, int error, uint32_t denied)
{
	struct mock_copy before;
	struct hidden h;
	struct fixture f;

	make_driver(&f, kind, &h, c->idle);
	hide(&f, &h, part, denied ? 0 : error, denied);
	/*
	 * Earlier calls have left a cached region, which would serve an access without the
	 * translation.
	 */
	virtio_memory_cursor_init(&f.mock.memory, &f.driver_map);
	copy_mock(&f, &before);
	fixture_save(&f);
	assert_int_equal(c->call(&f), error);
	assert_true(mock_unchanged(&f, &before));
	assert_true(c->in_steps || fixture_ram_unchanged(&f));
	memset(&h, 0, sizeof h);
	virtio_memory_cursor_init(&f.mock.memory, &f.driver_map);
	assert_true(c->call(&f) >= 0);
}

static void mock_calls_report_memory_that_is_not_mapped(void **state)
{
	static const int errors[] = { VIRTIO_EFAULT, VIRTIO_EPERM, VIRTIO_ENOTMAPPED };

	for (uint32_t i = 0; i < COUNT(calls); i++)
		for (uint32_t part = 0; part < PARTS; part++)
			for (uint32_t e = 0; e < COUNT(errors); e++)
				if ((calls[i].reads | calls[i].writes) >> part & 1)
					expect_error(fixture_kind(state), &calls[i], part, errors[e], 0);
}

/* A part of memory denies reads or denies writes. */
static void mock_calls_report_memory_without_permission(void **state)
{
	for (uint32_t i = 0; i < COUNT(calls); i++)
		for (uint32_t part = 0; part < PARTS; part++) {
			if (calls[i].reads >> part & 1)
				expect_error(fixture_kind(state), &calls[i], part, VIRTIO_EPERM, VIRTIO_ACCESS_READ);
			if (calls[i].writes >> part & 1)
				expect_error(fixture_kind(state), &calls[i], part, VIRTIO_EPERM, VIRTIO_ACCESS_WRITE);
		}
}

/* A call works while the parts that it does not need are hidden. */
static void mock_calls_need_no_other_memory(void **state)
{
	for (uint32_t i = 0; i < COUNT(calls); i++)
		for (uint32_t part = 0; part < PARTS; part++) {
			struct hidden h;
			struct fixture f;

			if ((calls[i].reads | calls[i].writes) >> part & 1)
				continue;
			make_driver(&f, fixture_kind(state), &h, calls[i].idle);
			hide(&f, &h, part, VIRTIO_EFAULT, 0);
			virtio_memory_cursor_init(&f.mock.memory, &f.driver_map);
			assert_true(calls[i].call(&f) >= 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON(mock_calls_report_memory_that_is_not_mapped, FLAT),
		FIXTURE_ON(mock_calls_report_memory_that_is_not_mapped, ONE_BYTE),
		FIXTURE_ON(mock_calls_report_memory_without_permission, FLAT),
		FIXTURE_ON(mock_calls_report_memory_without_permission, ONE_BYTE),
		FIXTURE_ON(mock_calls_need_no_other_memory, FLAT),
		FIXTURE_ON(mock_calls_need_no_other_memory, ONE_BYTE),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
