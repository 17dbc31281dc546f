/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The disk of virtio-blk's README: writes, reads of written data, flushes, and requests beyond the
 * disk's end.
 */
#include "readme_disk.h"

#include "cmocka_includes.h"
#include "guest.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <virtio/bindings/virtio_blk.h>

#define SECTORS 16u
#define DATA 512u /* offset of a request's data from its header */
#define STATUS 1024u

enum request { WRITE, READ, FLUSH, PAST_END, REQUESTS };

static struct disk disk;

static uint32_t sector_of(uint32_t number)
{
	return number / REQUESTS % SECTORS;
}

/* Returns the byte that the last write up to this request has written. */
static uint8_t byte_of(uint32_t number)
{
	return (uint8_t)(number / REQUESTS % 251 + 1);
}

static void start_device(struct guest *g, const struct virtio_queue_config *config)
{
	assert_int_equal(disk_start(&disk, virtio_blk_offered(&disk.blk), config, &g->map), 0);
}

static void reset_device(struct guest *g)
{
	(void)g;
	disk_reset(&disk);
}

static int run_device(struct guest *g)
{
	const int got = disk_kicked(&disk);

	(void)g;
	assert_in_range(got, 0, 1);
	return got;
}

static uint32_t fill(struct guest *g, uint32_t number, uint64_t addr, struct virtio_mock_buffer *buffers)
{
	static const uint32_t types[REQUESTS] = { VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_IN, VIRTIO_BLK_T_FLUSH,
						  VIRTIO_BLK_T_OUT };
	const enum request request = number % REQUESTS;
	const uint32_t sector = request == PAST_END ? SECTORS : request == FLUSH ? 0 : sector_of(number);
	uint32_t count = 1;

	(void)g;
	memset(guest_host(addr), 0, sizeof(struct virtio_blk_outhdr));
	virtio_put_le32(guest_host(addr), types[request]);
	virtio_put_le64(guest_host(addr + 8), sector);
	memset(guest_host(addr + DATA), request == WRITE ? byte_of(number) : 0, 512);
	*guest_host(addr + STATUS) = 0xff;
	buffers[0] = (struct virtio_mock_buffer){ .addr = addr, .len = sizeof(struct virtio_blk_outhdr) };
	if (request != FLUSH)
		buffers[count++] = (struct virtio_mock_buffer){ .addr = addr + DATA,
								.len = 512,
								.flags = request == READ ? VRING_DESC_F_WRITE : 0 };
	buffers[count++] = (struct virtio_mock_buffer){ .addr = addr + STATUS, .len = 1, .flags = VRING_DESC_F_WRITE };
	return count;
}

static void check(struct guest *g, uint32_t number, uint64_t addr, uint32_t len)
{
	const enum request request = number % REQUESTS;
	uint8_t expected[512];

	(void)g;
	assert_int_equal(*guest_host(addr + STATUS), request == PAST_END ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK);
	assert_int_equal(len, request == READ ? sizeof expected + 1 : 1);
	if (request == READ) {
		memset(expected, byte_of(number), sizeof expected);
		assert_memory_equal(guest_host(addr + DATA), expected, sizeof expected);
	}
}

static const struct guest_ops ops = {
	.drains = true, .start = start_device, .reset = reset_device, .run = run_device, .fill = fill, .check = check
};

/*
 * Opens the disk on a file in memory, because such a file is quick to flush. Returns the file's
 * descriptor, which the caller closes.
 */
static int open_disk(void)
{
	const int fd = memfd_create("disk", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, SECTORS * 512), 0);
	assert_int_equal(disk_open(&disk, fd, guest_interrupt), 0);
	return fd;
}

static void disk_answers_every_request(void **state)
{
	const int fd = open_disk();

	(void)state;
	guest_test_device(&ops);
	assert_int_equal(disk.stats.failed, disk.stats.writes - disk.stats.written_bytes / 512);
	close(fd);
}

static void disk_says_why_queue_is_broken_until_reset(void **state)
{
	const int fd = open_disk();

	(void)state;
	guest_init(&ops);
	guest_start(true);
	guest_exchange(3, 1);
	guest_break_ring();
	assert_int_equal(disk_kicked(&disk), VIRTIO_EAVAILIDX);
	assert_int_equal(disk_kicked(&disk), VIRTIO_EBROKEN);
	reset_device(&guest);
	guest_start(true);
	guest_exchange(3 * GUEST_QUEUE_SIZE, 2);
	close(fd);
}

static void disk_open_fails_without_a_file(void **state)
{
	(void)state;
	assert_int_equal(disk_open(&disk, -1, guest_interrupt), VIRTIO_EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disk_answers_every_request),
		cmocka_unit_test(disk_says_why_queue_is_broken_until_reset),
		cmocka_unit_test(disk_open_fails_without_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
