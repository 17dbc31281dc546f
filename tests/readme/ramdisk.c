/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The disk in memory of virtio-blk's README: reads return its bytes, and writes are refused. */
#include "readme_ramdisk.h"

#include "cmocka_includes.h"
#include "guest.h"

#include <string.h>
#include <virtio/bindings/virtio_blk.h>

#define SECTORS 16u
#define DATA 512u /* offset of a request's data from its header */
#define STATUS 1024u

static uint8_t bytes[SECTORS * 512], before[SECTORS * 512];
static struct ramdisk disk;
static struct virtio_blk_request request;
static struct virtio_segment segments[GUEST_BUFFERS];
static struct virtio_queue queue;
static struct virtio_inflight inflight[GUEST_QUEUE_SIZE];

static void start_device(struct guest *g, const struct virtio_queue_config *config)
{
	assert_int_equal(virtio_blk_negotiate(&disk.blk, virtio_blk_offered(&disk.blk)), 0);
	assert_int_equal(virtio_queue_start(&queue, config, &g->map), 0);
}

static void reset_device(struct guest *g)
{
	(void)g;
	virtio_queue_reset(&queue);
	virtio_blk_reset(&disk.blk);
}

static int run_device(struct guest *g)
{
	struct virtio_blk_stats stats = { 0 };
	int left = virtio_queue_available(&queue);
	int got = left;

	(void)g;
	while (left-- > 0 && got >= 0)
		got = virtio_blk_process(&disk.blk, &queue, &request, &stats);
	assert_true(got >= 0);
	if (virtio_queue_needs_interrupt(&queue))
		guest_interrupt();
	got = virtio_queue_enable_kicks(&queue);
	assert_in_range(got, 0, 1);
	return got;
}

static bool is_write(uint32_t number)
{
	return number % 3 == 0;
}

static uint32_t fill(struct guest *g, uint32_t number, uint64_t addr, struct virtio_mock_buffer *buffers)
{
	(void)g;
	memset(guest_host(addr), 0, sizeof(struct virtio_blk_outhdr));
	virtio_put_le32(guest_host(addr), is_write(number) ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN);
	virtio_put_le64(guest_host(addr + 8), number % SECTORS);
	memset(guest_host(addr + DATA), 0xee, 512);
	*guest_host(addr + STATUS) = 0xff;
	buffers[0] = (struct virtio_mock_buffer){ .addr = addr, .len = sizeof(struct virtio_blk_outhdr) };
	buffers[1] = (struct virtio_mock_buffer){ .addr = addr + DATA,
						  .len = 512,
						  .flags = is_write(number) ? 0 : VRING_DESC_F_WRITE };
	buffers[2] = (struct virtio_mock_buffer){ .addr = addr + STATUS, .len = 1, .flags = VRING_DESC_F_WRITE };
	return 3;
}

static void check(struct guest *g, uint32_t number, uint64_t addr, uint32_t len)
{
	(void)g;
	assert_int_equal(*guest_host(addr + STATUS), is_write(number) ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK);
	assert_int_equal(len, is_write(number) ? 1 : 513);
	if (!is_write(number))
		assert_memory_equal(guest_host(addr + DATA), bytes + number % SECTORS * 512, 512);
}

static const struct guest_ops ops = {
	.start = start_device, .reset = reset_device, .run = run_device, .fill = fill, .check = check
};

static void ramdisk_is_read_and_not_written(void **state)
{
	const struct virtio_blk_storage storage = { .segments = segments, .segment_capacity = GUEST_BUFFERS };

	(void)state;
	for (uint32_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i / 512 * 31 + i % 512 * 7);
	memcpy(before, bytes, sizeof bytes);
	assert_int_equal(ramdisk_init(&disk, bytes, sizeof bytes), 0);
	assert_int_equal(virtio_blk_request_init(&request, &storage), 0);
	assert_int_equal(virtio_queue_init(&queue, inflight, GUEST_QUEUE_SIZE), 0);
	guest_test_device(&ops);
	assert_memory_equal(bytes, before, sizeof bytes);
}

static void ramdisk_needs_bytes(void **state)
{
	(void)state;
	assert_int_equal(ramdisk_init(&disk, NULL, 512), VIRTIO_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ramdisk_is_read_and_not_written),
		cmocka_unit_test(ramdisk_needs_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
