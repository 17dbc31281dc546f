/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The mailbox of virtio-queue's README, behind a vIOMMU. Guest memory has the driver's pages in
 * reverse order.
 */
#include "readme_mailbox.h"

#include "cmocka_includes.h"

#include <string.h>
#include <virtio/guest_access.h>

#define MAILBOX (3 * PAGE - 8) /* the last 8 bytes of page 2; the message begins with page 3 */

static _Alignas(4096) uint8_t ram[PAGES * PAGE];
static struct virtio_region region = { .addr = 0, .len = sizeof ram, .host = ram };
static struct virtio_memory_map map;
static struct iommu iommu;
static struct virtio_memory_cursor cursor;
static uint8_t taken[2 * PAGE];
static uint32_t taken_bytes, pieces;

static void take(const struct virtio_segment *message, uint32_t count)
{
	pieces = count;
	for (uint32_t i = 0; i < count; i++) {
		virtio_guest_copy_in(taken + taken_bytes, message[i].host, (size_t)message[i].len);
		taken_bytes += (uint32_t)message[i].len;
	}
}

/* Translates an address. The pages are in reverse order, so a message over two pages is split. */
static uint64_t behind(uint64_t addr)
{
	return (PAGES - 1 - addr / PAGE) * PAGE + addr % PAGE;
}

static void map_page(uint64_t addr, uint32_t access)
{
	iommu.entries[addr / PAGE] = behind(addr) / PAGE * PAGE | access;
}

static void fill(uint32_t state, uint32_t len)
{
	memset(&iommu, 0, sizeof iommu);
	assert_int_equal(iommu_map(&map, &region, 1, &iommu), 0);
	virtio_memory_cursor_init(&cursor, &map);
	for (uint64_t page = 0; page < PAGES; page++)
		map_page(page * PAGE, VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE);
	for (uint32_t i = 0; i < len && i < 2 * PAGE; i++)
		ram[behind(MAILBOX + 8 + i)] = (uint8_t)(i % 251);
	virtio_put_le32(ram + behind(MAILBOX), state);
	virtio_put_le32(ram + behind(MAILBOX) + 4, len);
	memset(taken, 0, sizeof taken);
	taken_bytes = 0;
	pieces = 0;
}

static uint32_t state_now(void)
{
	return virtio_get_le32(ram + behind(MAILBOX));
}

static void mailbox_drain_accepts_message_over_pages(void **state)
{
	(void)state;
	fill(MAILBOX_FULL, PAGE + 100);
	assert_int_equal(mailbox_drain(&cursor, MAILBOX, take), 1);
	assert_int_equal(pieces, 2);
	assert_int_equal(taken_bytes, PAGE + 100);
	for (uint32_t i = 0; i < taken_bytes; i++)
		assert_int_equal(taken[i], i % 251);
	assert_int_equal(state_now(), MAILBOX_EMPTY);
	assert_int_equal(mailbox_drain(&cursor, MAILBOX, take), 0);
}

static void mailbox_drain_refuses_long_message(void **state)
{
	(void)state;
	fill(MAILBOX_FULL, 2 * PAGE + 1);
	assert_int_equal(mailbox_drain(&cursor, MAILBOX, take), 0);
	assert_int_equal(taken_bytes, 0);
	assert_int_equal(state_now(), MAILBOX_BAD);
}

static void mailbox_drain_waits_for_translation(void **state)
{
	(void)state;
	fill(MAILBOX_FULL, 10);
	iommu.entries[3] = 0;
	assert_int_equal(mailbox_drain(&cursor, MAILBOX, take), VIRTIO_ENOTMAPPED);
	assert_int_equal(taken_bytes, 0);
	assert_int_equal(state_now(), MAILBOX_FULL);
	map_page(3 * PAGE, VIRTIO_ACCESS_READ);
	assert_int_equal(mailbox_drain(&cursor, MAILBOX, take), 1);
	assert_int_equal(taken_bytes, 10);
}

static void mailbox_drain_heeds_permission(void **state)
{
	(void)state;
	fill(MAILBOX_FULL, 10);
	map_page(3 * PAGE, VIRTIO_ACCESS_WRITE);
	assert_int_equal(mailbox_drain(&cursor, MAILBOX, take), 0);
	assert_int_equal(state_now(), MAILBOX_BAD);
	fill(MAILBOX_FULL, 10);
	map_page(2 * PAGE, VIRTIO_ACCESS_READ);
	assert_int_equal(mailbox_drain(&cursor, MAILBOX, take), VIRTIO_EPERM);
	assert_int_equal(state_now(), MAILBOX_FULL);
	assert_int_equal(mailbox_drain(&cursor, PAGES * PAGE, take), VIRTIO_EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mailbox_drain_accepts_message_over_pages),
		cmocka_unit_test(mailbox_drain_refuses_long_message),
		cmocka_unit_test(mailbox_drain_waits_for_translation),
		cmocka_unit_test(mailbox_drain_heeds_permission),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
