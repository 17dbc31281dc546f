/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Setting up queues: sizes, addresses, the check of guest memory at QueueReady, and notifications.
 */
#include "device_fixture.h"

/* Sizes and addresses */

/*
 * Returns whether exactly these values of queue 0 were refused. Restores the record of refused
 * values, so that later comparisons succeed.
 */
static bool was_refused(struct device_fixture *f, uint32_t what)
{
	const bool same = f->queues[0].refused == what && !(f->queues[0].given & what);

	f->queues[0].refused = f->kept_queues[0].refused;
	f->queues[0].given = f->kept_queues[0].given;
	return same;
}

/* Hostile 49, 50, 51; regression R9: a bad size leaves the old size. */
static void queue_size_register_refuses_bad_size(void **state)
{
	static const uint32_t bad[] = { 0,      3,       5,       7,       9,          17,     32,
					0x8000, 0x10000, 0x10001, 0x10004, 0x80000004, 0xffff, UINT32_MAX };
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	assert_int_equal(f.queues[0].config.size, 16);
	for (uint32_t size = 1; size <= 16; size *= 2) {
		reg_set(&f, REG_QUEUE_SIZE, size);
		assert_int_equal(f.queues[0].config.size, size);
		device_keep(&f);
		f.device.ignored = 0;
		for (uint32_t i = 0; i < COUNT(bad); i++)
			reg_set(&f, REG_QUEUE_SIZE, bad[i]);
		assert_true(was_refused(&f, VIRTIO_DEVICE_SIZE_REFUSED));
		assert_true(device_unchanged(&f));
		assert_int_equal(f.device.ignored, COUNT(bad));
	}
}

static const uint32_t area_registers[] = { REG_QUEUE_DESC, REG_QUEUE_DRIVER, REG_QUEUE_DEVICE };
static const uint32_t area_alignment[] = { 16, 2, 4 };

/*
 * Hostile 53: the halves of an address are set separately. A misaligned low half is refused, and
 * the old low half stays.
 */
static void queue_address_registers_set_each_half_and_refuse_misaligned(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	for (uint32_t area = 0; area < 3; area++) {
		const uint32_t low = area_registers[area];
		const uint64_t *addr = &f.queues[0].config.addr[area];

		reg_set(&f, low + 4, 0x89abcdef);
		assert_int_equal(*addr, 0x89abcdef00000000);
		reg_set(&f, low, 0xfedcba90);
		assert_int_equal(*addr, 0x89abcdeffedcba90);
		device_keep(&f);
		for (uint32_t i = 1; i < area_alignment[area]; i++) {
			f.device.ignored = 0;
			reg_set(&f, low, 0x1000 + i);
			assert_int_equal(f.device.ignored, 1);
			assert_true(was_refused(&f, 1u << area));
		}
		assert_true(device_unchanged(&f));
		reg_set(&f, low, area_alignment[area]);
		assert_int_equal(*addr, 0x89abcdef00000000 + area_alignment[area]);
		reg_set(&f, low + 4, 1);
		assert_int_equal(*addr, 0x100000000 + area_alignment[area]);
	}
}

/* The transport passes an area that does not exist. */
static void queue_address_of_unknown_area_is_ignored(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	device_keep(&f);
	virtio_device_set_queue_addr_low(&f.device, (enum virtio_queue_area)3, 0x1000);
	virtio_device_set_queue_addr_low(&f.device, (enum virtio_queue_area)3, 0x1001);
	virtio_device_set_queue_addr_low(&f.device, (enum virtio_queue_area)0x10000, 0x1001);
	virtio_device_set_queue_addr_high(&f.device, (enum virtio_queue_area)3, 0x1000);
	virtio_device_set_queue_addr_high(&f.device, (enum virtio_queue_area)0x10000, 0x1000);
	assert_true(device_unchanged(&f));
	assert_int_equal(f.device.ignored, 5);
}

static void change_everything(struct device_fixture *f)
{
	reg_set(f, REG_QUEUE_SIZE, 2);
	for (uint32_t area = 0; area < 3; area++)
		reg_set64(f, area_registers[area], RAM_START + 0x7000);
}

/*
 * Hostile 52: set-up has no effect while the queue is ready. After DRIVER_OK, set-up also has no
 * effect on any other queue, unless the driver has reset the queue.
 */
static void queue_set_up_of_live_queue_is_ignored(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_negotiate(&f, 0);
	driver_queue(&f, 0, 16);
	device_keep(&f);
	change_everything(&f);
	assert_int_equal(f.device.ignored, 7);
	assert_true(device_unchanged(&f));
	reg_set(&f, REG_STATUS, ST_OK);
	device_keep(&f);
	change_everything(&f);
	assert_int_equal(f.device.ignored, 14);
	assert_true(device_unchanged(&f));
	/* Queue 1 was not enabled before DRIVER_OK, and can't be now. */
	reg_set(&f, REG_QUEUE_SEL, 1);
	device_keep(&f);
	change_everything(&f);
	reg_set(&f, REG_QUEUE_READY, 1);
	assert_true(device_unchanged(&f));
	/*
	 * Queue 0 is stopped but not reset, and the device still has the queue's state. So the
	 * driver cannot set up the queue.
	 */
	reg_set(&f, REG_QUEUE_SEL, 0);
	reg_set(&f, REG_QUEUE_READY, 0);
	assert_int_equal(reg_get(&f, REG_QUEUE_READY), 0);
	device_keep(&f);
	change_everything(&f);
	reg_set(&f, REG_QUEUE_READY, 1);
	assert_true(device_unchanged(&f));
}

/* Hostile 60: a write to a queue's register affects the selected queue only. */
static void queue_set_up_leaves_other_queues_alone(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_negotiate(&f, F_EVENT_IDX);
	device_keep(&f);
	driver_queue(&f, 3, 4);
	assert_memory_equal(f.queues, f.kept_queues, 3 * sizeof f.queues[0]);
	assert_int_equal(f.queues[3].config.size, 4);
	assert_true(f.queues[3].config.ready);
	reg_set(&f, REG_STATUS, ST_OK);
	assert_int_equal(f.calls[OP_NOTIFY], 1);
	expect_event(&f, f.event_count - 1, OP_NOTIFY, 3, 0);
	reg_set(&f, REG_QUEUE_SEL, 0);
	assert_int_equal(reg_get(&f, REG_QUEUE_READY), 0);
}

/* QueueReady */

/* Hostile 99: values other than 0 and 1 are ignored. */
static void queue_ready_ignores_other_values(void **state)
{
	static const uint32_t values[] = { 2, 3, 0xff, 0x100, 0x101, 0x10000, 0x10001, 0x80000001, UINT32_MAX };
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_negotiate(&f, 0);
	driver_place(&f, 0, 16);
	device_keep(&f);
	for (uint32_t i = 0; i < COUNT(values); i++)
		reg_set(&f, REG_QUEUE_READY, values[i]);
	assert_true(device_unchanged(&f));
	assert_int_equal(f.device.ignored, COUNT(values));
	assert_true(driver_enable(&f, 0));
	device_keep(&f);
	for (uint32_t i = 0; i < COUNT(values); i++)
		reg_set(&f, REG_QUEUE_READY, values[i]);
	reg_set(&f, REG_QUEUE_READY, 1);
	assert_true(device_unchanged(&f));
	assert_int_equal(reg_get(&f, REG_QUEUE_READY), 1);
}

/*
 * QueueReady = 1 has no effect before FEATURES_OK, after FAILED, or when the device needs a reset.
 */
static void queue_ready_is_accepted_in_its_time_only(void **state)
{
	static const uint8_t statuses[] = { 0x00, 0x01, 0x03, 0x80, 0x83, 0x8b };
	struct device_fixture f;

	(void)state;
	for (uint32_t i = 0; i < COUNT(statuses); i++) {
		device_setup(&f);
		if (statuses[i] & 8)
			driver_negotiate(&f, 0);
		reg_set(&f, REG_STATUS, statuses[i] & 0xf);
		reg_set(&f, REG_STATUS, statuses[i]);
		driver_place(&f, 0, 16);
		device_keep(&f);
		assert_false(driver_enable(&f, 0));
		assert_true(device_unchanged(&f));
	}
	device_setup(&f);
	driver_negotiate(&f, 0);
	driver_place(&f, 0, 16);
	virtio_device_set_needs_reset(&f.device);
	device_keep(&f);
	assert_false(driver_enable(&f, 0));
	assert_true(device_unchanged(&f));
}

/* Moves one area of queue 0 to addr. Returns whether the queue could be enabled. */
static bool is_ready_with(struct device_fixture *f, uint64_t features, enum virtio_queue_area area, uint64_t addr)
{
	bool ready;

	device_make(f);
	driver_negotiate(f, features);
	driver_place(f, 0, 16);
	reg_set64(f, area_registers[area], addr);
	assert_int_equal(f->queues[0].config.addr[area], addr);
	device_keep(f);
	ready = driver_enable(f, 0);
	if (!ready) {
		assert_true(device_unchanged(f));
		assert_int_equal(f->device.first_queue, 0);
		assert_int_not_equal(f->device.first_error, 0);
		/* The register still works: a good address is accepted. */
		reg_set64(f, area_registers[area], driver_area(0, area));
		assert_true(driver_enable(f, 0));
	} else {
		assert_int_equal(f->device.first_error, 0);
	}
	return ready;
}

static uint32_t bytes_of(enum virtio_queue_area area)
{
	static const uint32_t bytes[] = { 16 * sizeof(struct vring_desc), 4 + 2 * 16,
					  4 + 16 * sizeof(struct vring_used_elem) };

	return bytes[area];
}

/* Hostile 54, 55, 57; regressions R24, R26: each of the three areas must be in memory. */
static void queue_ready_needs_every_area_in_memory(void **state)
{
	struct device_fixture f;

	(void)state;
	device_prepare(&f);
	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++) {
		const enum virtio_queue_area area = (enum virtio_queue_area)i;
		const uint64_t bytes = bytes_of(area), step = area_alignment[area];

		/* Address 0 is valid. */
		assert_true(is_ready_with(&f, 0, area, 0));
		/*
		 * An area in a hole is refused. So is an area that crosses the end or the start of
		 * RAM by the smallest step that its alignment permits. An area that begins or ends
		 * with RAM is accepted.
		 */
		assert_false(is_ready_with(&f, 0, area, 0x8000));
		assert_true(is_ready_with(&f, 0, area, RAM_END - bytes));
		assert_false(is_ready_with(&f, 0, area, RAM_END - bytes + step));
		assert_false(is_ready_with(&f, 0, area, RAM_START - step));
		assert_true(is_ready_with(&f, 0, area, RAM_START));
		assert_false(is_ready_with(&f, 0, area, RAM_END));
		/* The same rules apply at the end of the address space. */
		assert_true(is_ready_with(&f, 0, area, TOP_START));
		assert_true(is_ready_with(&f, 0, area, UINT64_MAX - bytes + 1));
		assert_false(is_ready_with(&f, 0, area, UINT64_MAX - bytes + 1 + step));
		assert_false(is_ready_with(&f, 0, area, UINT64_MAX - step + 1));
		/* Read-only memory is accepted except for the used ring. */
		assert_int_equal(is_ready_with(&f, 0, area, ROM_START), area != VIRTIO_QUEUE_USED);
	}
}

/* The event fields at the ends of the rings must be in memory only if EVENT_IDX is negotiated. */
static void queue_ready_counts_event_fields_under_event_idx_alone(void **state)
{
	struct device_fixture f;

	(void)state;
	device_prepare(&f);
	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++) {
		const enum virtio_queue_area area = (enum virtio_queue_area)i;
		const uint64_t last = RAM_END - bytes_of(area);

		assert_true(is_ready_with(&f, 0, area, last));
		assert_int_equal(is_ready_with(&f, F_EVENT_IDX, area, last), area == VIRTIO_QUEUE_DESC);
		assert_true(is_ready_with(&f, F_EVENT_IDX, area, last - area_alignment[area]));
	}
}

/*
 * Translates RAM. The page at RAM_START + 0x6000 is write-only, the page at RAM_START + 0x7000 is
 * not mapped, and all other addresses are readable and writable.
 */
static int translate(void *context, uint64_t addr, uint64_t len, uint32_t access, struct virtio_translation *out)
{
	(void)context;
	if (addr >= RAM_START + 0x6000 && addr < RAM_START + 0x7000) {
		if (access & VIRTIO_ACCESS_READ)
			return VIRTIO_EPERM;
		*out = (struct virtio_translation){ addr, RAM_START + 0x7000 - addr, VIRTIO_ACCESS_WRITE };
		return 0;
	}
	if (addr >= RAM_START + 0x7000 && addr < RAM_START + 0x8000)
		return VIRTIO_EFAULT;
	*out = (struct virtio_translation){ addr, len, VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE };
	return 0;
}

static void queue_ready_respects_permissions_of_translation(void **state)
{
	struct device_fixture f;

	(void)state;
	device_prepare(&f);
	virtio_memory_map_set_translation(&f.map, translate, NULL);
	assert_false(is_ready_with(&f, 0, VIRTIO_QUEUE_DESC, RAM_START + 0x6000));
	assert_int_equal(f.device.first_error, VIRTIO_EPERM);
	assert_false(is_ready_with(&f, 0, VIRTIO_QUEUE_AVAIL, RAM_START + 0x6000));
	assert_true(is_ready_with(&f, 0, VIRTIO_QUEUE_USED, RAM_START + 0x6000));
	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++) {
		assert_false(is_ready_with(&f, 0, (enum virtio_queue_area)i, RAM_START + 0x7000));
		assert_int_equal(f.device.first_error, VIRTIO_EFAULT);
	}
}

/* Hostile 58: a queue cannot be enabled without addresses, or while the device has no memory. */
static void queue_ready_without_addresses_or_memory_stays_clear(void **state)
{
	struct device_fixture f;
	struct virtio_memory_map without_low;

	(void)state;
	device_prepare(&f);
	assert_int_equal(virtio_memory_map_init(&without_low, f.regions + 1, 3), 0);
	f.options.memory = NULL;
	device_make(&f);
	driver_negotiate(&f, 0);
	driver_place(&f, 0, 16);
	assert_false(driver_enable(&f, 0));
	assert_int_equal(f.device.first_error, VIRTIO_EFAULT);
	assert_int_equal(f.device.first_queue, 0);
	virtio_device_set_memory(&f.device, &without_low);
	assert_false(driver_enable(&f, 1));
	assert_true(driver_enable(&f, 0));
	virtio_device_set_memory(&f.device, NULL);
	assert_int_equal(reg_get(&f, REG_QUEUE_READY), 1);
	driver_place(&f, 3, 4);
	assert_false(driver_enable(&f, 3));
	virtio_device_set_memory(&f.device, &f.map);
	assert_true(driver_enable(&f, 3));
}

/*
 * Checks that QueueReady = 1 fails with this error, that the error is counted and kept, and that
 * nothing else changes.
 */
static void expect_not_ready(struct device_fixture *f, int error)
{
	const uint64_t ignored = f->device.ignored;

	f->device.first_error = 0;
	device_keep(f);
	assert_false(driver_enable(f, 0));
	assert_int_equal(f->device.first_error, error);
	assert_int_equal(f->device.first_queue, 0);
	assert_int_equal(f->device.ignored - ignored, 1);
	assert_true(device_unchanged(f));
}

/*
 * An area whose address was never written is missing. The device must not assume address 0 for the
 * area, although address 0 is in memory.
 */
static void queue_ready_needs_every_area_given(void **state)
{
	struct device_fixture f;

	(void)state;
	for (uint32_t given = 0; given < 7; given++) {
		device_setup(&f);
		driver_negotiate(&f, 0);
		for (uint32_t area = 0; area < 3; area++) {
			/* The high half alone is no address. */
			reg_set(&f, area_registers[area] + 4, 0);
			if (given >> area & 1)
				reg_set(&f, area_registers[area], RAM_START);
		}
		expect_not_ready(&f, VIRTIO_ENOTREADY);
		for (uint32_t area = 0; area < 3; area++) {
			if (!(given >> area & 1))
				reg_set(&f, area_registers[area], 0);
		}
		/*
		 * Address 0 is valid if it is written. A 32-bit driver need not write the high
		 * half.
		 */
		assert_true(driver_enable(&f, 0));
	}
}

static void queue_ready_accepts_low_halves_alone(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_negotiate(&f, 0);
	for (uint32_t area = 0; area < 3; area++)
		reg_set(&f, area_registers[area], RAM_START);
	assert_true(driver_enable(&f, 0));
	assert_int_equal(f.queues[0].config.size, 16);
	assert_int_equal(f.queues[0].config.addr[2], RAM_START);
}

/*
 * The device must not use the old size in place of the refused size. The driver's ring may be
 * shorter, and the memory after it may have another use.
 */
static void queue_ready_after_refused_size_fails_until_good_one(void **state)
{
	static const uint32_t bad[] = { 0, 3, 32, 0x10004, UINT32_MAX };
	struct device_fixture f;

	(void)state;
	for (uint32_t i = 0; i < COUNT(bad); i++) {
		device_setup(&f);
		driver_negotiate(&f, 0);
		driver_place(&f, 0, 8);
		reg_set(&f, REG_QUEUE_SIZE, bad[i]);
		expect_not_ready(&f, VIRTIO_ESIZE);
		driver_place(&f, 1, 8);
		reg_set(&f, REG_QUEUE_SEL, 0);
		expect_not_ready(&f, VIRTIO_ESIZE);
		reg_set64(&f, REG_QUEUE_DESC, RAM_START);
		expect_not_ready(&f, VIRTIO_ESIZE);
		reg_set(&f, REG_QUEUE_SIZE, 4);
		assert_true(driver_enable(&f, 0));
		assert_int_equal(f.queues[0].config.size, 4);
	}
}

/*
 * The device must not use the old address in place of the refused address: the memory at the old
 * address may have another use.
 */
static void queue_ready_after_refused_address_fails_until_good_one(void **state)
{
	struct device_fixture f;

	(void)state;
	for (uint32_t area = 0; area < 3; area++) {
		device_setup(&f);
		driver_negotiate(&f, 0);
		driver_place(&f, 0, 8);
		reg_set(&f, area_registers[area], RAM_START + area_alignment[area] / 2);
		expect_not_ready(&f, VIRTIO_EALIGN);
		/*
		 * The refused low half stays refused, although the driver writes good values of
		 * the high half, another area and the size.
		 */
		reg_set(&f, area_registers[area] + 4, 0);
		reg_set64(&f, area_registers[(area + 1) % 3], RAM_START);
		reg_set(&f, REG_QUEUE_SIZE, 4);
		expect_not_ready(&f, VIRTIO_EALIGN);
		reg_set(&f, area_registers[area], RAM_START + 0x100);
		assert_true(driver_enable(&f, 0));
		assert_int_equal(f.queues[0].config.addr[area], RAM_START + 0x100);
	}
}

/*
 * A value written at the wrong time is ignored, but not recorded as refused. So the driver's
 * earlier value stays valid.
 */
static void queue_ready_after_value_at_wrong_time_is_accepted(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_negotiate(&f, 0);
	driver_queue(&f, 0, 8);
	reg_set(&f, REG_QUEUE_SIZE, 3);
	reg_set(&f, REG_QUEUE_DESC, 8);
	reg_set(&f, REG_QUEUE_READY, 0);
	assert_true(driver_enable(&f, 0));
}

/* Every kind of reset clears both refused and accepted values. */
static void queue_reset_or_device_reset_forgets_given_and_refused(void **state)
{
	struct device_fixture f;

	(void)state;
	for (uint32_t kind = 0; kind < 3; kind++) {
		device_setup(&f);
		if (kind == 2)
			driver_start(&f, F_RING_RESET);
		else
			driver_negotiate(&f, F_RING_RESET);
		driver_place(&f, 0, 8);
		if (kind < 2) {
			reg_set(&f, REG_QUEUE_SIZE, 3);
			reg_set(&f, REG_QUEUE_DESC, 8);
		}
		reg_set(&f, kind ? REG_QUEUE_RESET : REG_STATUS, kind != 0);
		assert_int_equal(f.queues[0].given, 0);
		assert_int_equal(f.queues[0].refused, 0);
		if (kind == 0)
			driver_negotiate(&f, 0);
		expect_not_ready(&f, VIRTIO_ENOTREADY);
		/* The reset has set the size to the maximum, so only addresses are missing. */
		for (uint32_t area = 0; area < 3; area++)
			reg_set(&f, area_registers[area], RAM_START);
		assert_true(driver_enable(&f, 0));
		assert_int_equal(f.queues[0].config.size, 16);
	}
}

/* Hostile 56: three areas at the same address harm only the guest. */
static void queue_with_overlapping_areas_does_no_harm(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	f.serves = true;
	driver_negotiate(&f, 0);
	for (uint32_t area = 0; area < 3; area++)
		reg_set64(&f, area_registers[area], RAM_START);
	memset(f.ram, 0x01, 0x400);
	assert_true(driver_enable(&f, 0));
	reg_set(&f, REG_STATUS, ST_OK);
	for (uint32_t i = 0; i < 16; i++)
		reg_set(&f, REG_QUEUE_NOTIFY, 0);
	reg_set(&f, REG_STATUS, 0);
	assert_true(device_is_fresh(&f));
}

/*
 * Before DRIVER_OK nothing uses a queue, so the driver may enable it, disable it and set it up
 * again.
 */
static void queue_disabled_before_driver_ok_may_be_set_up_anew(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_negotiate(&f, F_EVENT_IDX);
	driver_queue(&f, 0, 16);
	device_forget(&f);
	reg_set(&f, REG_QUEUE_READY, 0);
	assert_int_equal(reg_get(&f, REG_QUEUE_READY), 0);
	change_everything(&f);
	assert_int_equal(f.queues[0].config.size, 2);
	assert_int_equal(f.queues[0].config.addr[0], RAM_START + 0x7000);
	assert_true(driver_enable(&f, 0));
	assert_int_equal(f.event_count, 0);
	assert_false(f.queues[0].may_reenable);
}

/* Notifications */

/* Hostile 61: a kick is ignored if its queue does not exist or was not enabled. */
static void notify_of_no_running_queue_is_ignored(void **state)
{
	static const uint32_t values[] = { 1,       DEVICE_ABSENT, 4,       5,          0xff,       0xffff,
					   0x10000, 0x10001,       0x20000, 0x80000000, 0xffff0000, UINT32_MAX };
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_negotiate(&f, 0);
	driver_queue(&f, 0, 16);
	driver_queue(&f, 3, 4);
	reg_set(&f, REG_STATUS, ST_OK);
	device_keep(&f);
	f.device.ignored = 0;
	for (uint32_t i = 0; i < COUNT(values); i++)
		reg_set(&f, REG_QUEUE_NOTIFY, values[i]);
	assert_true(device_unchanged(&f));
	assert_int_equal(f.device.ignored, COUNT(values));
	device_forget(&f);
	reg_set(&f, REG_QUEUE_NOTIFY, 0);
	reg_set(&f, REG_QUEUE_NOTIFY, 3);
	assert_int_equal(f.event_count, 2);
	expect_event(&f, 0, OP_NOTIFY, 0, 0);
	expect_event(&f, 1, OP_NOTIFY, 3, 0);
	assert_int_equal(f.device.ignored, COUNT(values));
}

/*
 * Hostile 62, 63: kicks are ignored before DRIVER_OK, after a reset, after FAILED, and when the
 * device needs a reset.
 */
static void notify_before_driver_ok_or_without_progress_is_ignored(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_negotiate(&f, 0);
	driver_queue(&f, 0, 16);
	device_keep(&f);
	for (uint32_t i = 0; i < 1000; i++)
		reg_set(&f, REG_QUEUE_NOTIFY, 0);
	assert_true(device_unchanged(&f));
	reg_set(&f, REG_STATUS, ST_OK);
	assert_int_equal(f.calls[OP_NOTIFY], 1);
	virtio_device_set_needs_reset(&f.device);
	reg_set(&f, REG_QUEUE_NOTIFY, 0);
	assert_int_equal(f.calls[OP_NOTIFY], 1);
	reg_set(&f, REG_STATUS, 0);
	reg_set(&f, REG_QUEUE_NOTIFY, 0);
	assert_int_equal(f.calls[OP_NOTIFY], 1);
	driver_start(&f, 0);
	assert_int_equal(f.calls[OP_NOTIFY], 4);
	reg_set(&f, REG_STATUS, 0x8f);
	reg_set(&f, REG_QUEUE_NOTIFY, 0);
	assert_int_equal(f.calls[OP_NOTIFY], 4);
}

/*
 * The caller's array may have more entries than the device has queues. The core does not use the
 * extra entries.
 */
static void queue_behind_the_last_is_not_looked_at(void **state)
{
	struct device_fixture f;

	(void)state;
	device_prepare(&f);
	f.options.num_queues = 1;
	device_make(&f);
	driver_negotiate(&f, F_RING_RESET);
	driver_queue(&f, 0, 16);
	reg_set(&f, REG_STATUS, ST_OK);
	f.queues[1].config.ready = true;
	f.queues[1].stopping = true;
	device_keep(&f);
	reg_set(&f, REG_QUEUE_NOTIFY, 1);
	assert_int_equal(virtio_device_queue_stopped(&f.device, 1, 0), VIRTIO_EINVAL);
	assert_null(virtio_device_queue_config(&f.device, 1));
	f.queues[1].stopping = false;
	f.kept_queues[1].stopping = false;
	reg_set(&f, REG_QUEUE_NOTIFY, 1);
	assert_true(device_unchanged(&f));
}

/*
 * virtio 1.4, 2.9: the low half of the value is the queue, and the high half is the driver's index.
 */
static void notify_with_data_is_split(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_start(&f, F_NOTIFICATION_DATA);
	device_forget(&f);
	reg_set(&f, REG_QUEUE_NOTIFY, 0x00000001);
	reg_set(&f, REG_QUEUE_NOTIFY, 0x12340003);
	reg_set(&f, REG_QUEUE_NOTIFY, 0xffff0000);
	assert_int_equal(f.event_count, 3);
	expect_event(&f, 0, OP_NOTIFY, 1, 0);
	expect_event(&f, 1, OP_NOTIFY, 3, 0x1234);
	expect_event(&f, 2, OP_NOTIFY, 0, 0xffff);
	reg_set(&f, REG_QUEUE_NOTIFY, 0x12340000 | DEVICE_ABSENT);
	reg_set(&f, REG_QUEUE_NOTIFY, 0x00000004);
	reg_set(&f, REG_QUEUE_NOTIFY, 0x0000ffff);
	assert_int_equal(f.event_count, 3);
}

/* Hostile 65: without the feature the whole value is an index, and no queue has this index. */
static void notify_without_data_reads_whole_value_as_index(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_start(&f, F_RING_RESET);
	device_keep(&f);
	reg_set(&f, REG_QUEUE_NOTIFY, 0x10000);
	reg_set(&f, REG_QUEUE_NOTIFY, 0x12340003);
	reg_set(&f, REG_QUEUE_NOTIFY, 0xffff0000);
	assert_true(device_unchanged(&f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue_size_register_refuses_bad_size),
		cmocka_unit_test(queue_address_registers_set_each_half_and_refuse_misaligned),
		cmocka_unit_test(queue_address_of_unknown_area_is_ignored),
		cmocka_unit_test(queue_set_up_of_live_queue_is_ignored),
		cmocka_unit_test(queue_set_up_leaves_other_queues_alone),
		cmocka_unit_test(queue_ready_ignores_other_values),
		cmocka_unit_test(queue_ready_is_accepted_in_its_time_only),
		cmocka_unit_test(queue_ready_needs_every_area_in_memory),
		cmocka_unit_test(queue_ready_counts_event_fields_under_event_idx_alone),
		cmocka_unit_test(queue_ready_respects_permissions_of_translation),
		cmocka_unit_test(queue_ready_without_addresses_or_memory_stays_clear),
		cmocka_unit_test(queue_ready_needs_every_area_given),
		cmocka_unit_test(queue_ready_accepts_low_halves_alone),
		cmocka_unit_test(queue_ready_after_refused_size_fails_until_good_one),
		cmocka_unit_test(queue_ready_after_refused_address_fails_until_good_one),
		cmocka_unit_test(queue_ready_after_value_at_wrong_time_is_accepted),
		cmocka_unit_test(queue_reset_or_device_reset_forgets_given_and_refused),
		cmocka_unit_test(queue_with_overlapping_areas_does_no_harm),
		cmocka_unit_test(queue_disabled_before_driver_ok_may_be_set_up_anew),
		cmocka_unit_test(notify_of_no_running_queue_is_ignored),
		cmocka_unit_test(notify_before_driver_ok_or_without_progress_is_ignored),
		cmocka_unit_test(queue_behind_the_last_is_not_looked_at),
		cmocka_unit_test(notify_with_data_is_split),
		cmocka_unit_test(notify_without_data_reads_whole_value_as_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
