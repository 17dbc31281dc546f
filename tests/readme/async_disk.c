/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The asynchronous disk of virtio-blk's README: I/O ends late, in pieces, and in another order than
 * it began.
 */
#include "readme_async_disk.h"

#include "cmocka_includes.h"
#include "guest.h"

#include <string.h>
#include <virtio/bindings/virtio_blk.h>

#define SECTORS 16u
#define DATA 512u /* offset of a request's data from its header */
#define STATUS 2048u
#define PIECE 300u /* largest number of bytes that one step of I/O moves */
#define SLOTS GUEST_QUEUE_SIZE

static struct async_disk disk;
static struct slot slots[SLOTS];
static struct virtio_inflight inflight[GUEST_QUEUE_SIZE];
static uint8_t bytes[SECTORS * 512];

/* I/O that has begun, the oldest first. An entry with a count of 0 is a flush. */
static struct {
	struct slot *slot;
	uint32_t count;
} begun[SLOTS];
static uint32_t begun_count, flushes;

static void begin(struct slot *slot, uint32_t count)
{
	assert_in_range(begun_count, 0, SLOTS - 1);
	begun[begun_count].slot = slot;
	begun[begun_count++].count = count;
}

static void begin_move(struct slot *slot, uint32_t count)
{
	assert_in_range(count, 1, IOVECS);
	begin(slot, count);
}

static void begin_flush(struct slot *slot)
{
	flushes++;
	begin(slot, 0);
}

/* Ends the newest I/O that has begun. */
static void end_one(void)
{
	struct slot *slot = begun[--begun_count].slot;
	const uint32_t count = begun[begun_count].count;
	const size_t part = slot->iov[0].len < PIECE ? slot->iov[0].len : PIECE;
	uint8_t *at = bytes + slot->transfer.offset;

	if (count == 0) {
		assert_int_equal(async_finish(&disk, slot, 0), 0);
		return;
	}
	assert_in_range(slot->transfer.offset + part, 1, sizeof bytes);
	if (slot->request.type == VIRTIO_BLK_T_IN)
		memcpy(slot->iov[0].base, at, part);
	else
		memcpy(at, slot->iov[0].base, part);
	assert_int_equal(async_moved(&disk, slot, (int64_t)part), 0);
}

static void start_device(struct guest *g, const struct virtio_queue_config *config)
{
	assert_int_equal(virtio_queue_start(&disk.queue, config, &g->map), 0);
}

static const struct guest_ops ops = { .start = start_device };

static void start(uint64_t features)
{
	memset(&disk, 0, sizeof disk);
	begun_count = flushes = 0;
	disk.move = begin_move;
	disk.flush = begin_flush;
	assert_int_equal(async_init(&disk, SECTORS), 0);
	assert_int_equal(virtio_blk_offered(&disk.blk), UINT64_C(1) << VIRTIO_BLK_F_FLUSH);
	assert_int_equal(virtio_blk_negotiate(&disk.blk, features), 0);
	assert_int_equal(virtio_queue_init(&disk.queue, inflight, GUEST_QUEUE_SIZE), 0);
	for (uint32_t i = 0; i < SLOTS; i++) {
		const struct virtio_blk_storage storage = { .segments = slots[i].segments,
							    .segment_capacity = SEGMENTS };

		assert_int_equal(virtio_blk_request_init(&slots[i].request, &storage), 0);
	}
	for (uint32_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i / 512 + 1);
	guest_init(&ops);
	guest_start(false);
}

static uint64_t place(uint32_t number)
{
	return GUEST_DATA + (uint64_t)number * GUEST_REQUEST_BYTES;
}

/* Sends request number @number, in memory of its own. */
static void send(uint32_t number, uint32_t type, uint64_t sector, uint32_t len, uint8_t fill)
{
	const bool write = type == VIRTIO_BLK_T_OUT;
	const uint64_t addr = place(number);
	struct virtio_mock_buffer buffers[3] = { { .addr = addr, .len = 16 } };
	uint32_t count = 1;

	memset(guest_host(addr), 0, 16);
	virtio_put_le32(guest_host(addr), type);
	virtio_put_le64(guest_host(addr + 8), sector);
	memset(guest_host(addr + DATA), fill, 1024);
	*guest_host(addr + STATUS) = 0xff;
	if (len)
		buffers[count++] = (struct virtio_mock_buffer){ addr + DATA, len, write ? 0 : VRING_DESC_F_WRITE };
	buffers[count++] = (struct virtio_mock_buffer){ addr + STATUS, 1, VRING_DESC_F_WRITE };
	assert_true(virtio_mock_add(&guest.mock, buffers, count) >= 0);
}

static uint8_t status_of(uint32_t number)
{
	return *guest_host(place(number) + STATUS);
}

/* Checks that all of a request's data has one value. */
static void check_data(uint32_t number, uint32_t len, uint8_t value)
{
	for (uint32_t i = 0; i < len; i++)
		assert_int_equal(*guest_host(place(number) + DATA + i), value);
}

static void async_disk_serves_requests_that_end_in_any_order(void **state)
{
	(void)state;
	start(UINT64_C(1) << VIRTIO_BLK_F_FLUSH);
	send(0, VIRTIO_BLK_T_IN, 2, 1024, 0);
	send(1, VIRTIO_BLK_T_OUT, 5, 512, 0x77);
	send(2, VIRTIO_BLK_T_FLUSH, 0, 0, 0);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(async_take(&disk, &slots[i]), 1);
	assert_int_equal(async_take(&disk, &slots[3]), 0);
	assert_int_equal(begun_count, 3);
	assert_int_equal(status_of(0) & status_of(1) & status_of(2), 0xff);
	while (begun_count > 0)
		end_one();
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(status_of(i), VIRTIO_BLK_S_OK);
	for (uint32_t i = 0; i < 1024; i++)
		assert_int_equal(*guest_host(place(0) + DATA + i), 3 + i / 512);
	for (uint32_t i = 0; i < sizeof bytes; i++)
		assert_int_equal(bytes[i], i / 512 == 5 ? 0x77 : i / 512 + 1);
	assert_int_equal(flushes, 1);
	assert_int_equal(disk.stats.failed, 0);
	assert_true(virtio_queue_quiesced(&disk.queue));
}

/* Sends one request, which async_take() must complete without I/O. */
static void serve_at_once(uint32_t number, uint32_t type, uint64_t sector, uint32_t len)
{
	struct vring_used_elem used;

	send(number, type, sector, len, 0x55);
	assert_int_equal(async_take(&disk, &slots[0]), 1);
	assert_int_equal(begun_count, 0);
	assert_int_equal(virtio_mock_pop_used(&guest.mock, &used), 1);
}

static void async_disk_answers_at_once_what_needs_no_io(void **state)
{
	(void)state;
	start(0);
	serve_at_once(0, VIRTIO_BLK_T_GET_ID, 0, 20);
	assert_int_equal(status_of(0), VIRTIO_BLK_S_OK);
	assert_string_equal((const char *)guest_host(place(0) + DATA), "async0");
	assert_int_equal(disk.stats.first_refusal, VIRTIO_BLK_REFUSAL_NONE);
	serve_at_once(1, VIRTIO_BLK_T_OUT, SECTORS, 512);
	assert_int_equal(status_of(1), VIRTIO_BLK_S_IOERR);
	assert_int_equal(disk.stats.first_refusal, VIRTIO_BLK_REFUSAL_PAST_END);
	serve_at_once(2, VIRTIO_BLK_T_IN, 0, 511);
	assert_int_equal(status_of(2), VIRTIO_BLK_S_IOERR);
	check_data(2, 1024, 0x55);
	serve_at_once(3, VIRTIO_BLK_T_FLUSH, 0, 0);
	assert_int_equal(status_of(3), VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(disk.stats.failed, 2);
	assert_int_equal(flushes, 0);
}

/* The driver has no FLUSH, so the disk must flush before it reports a write. */
static void async_disk_flushes_after_a_write_under_write_through(void **state)
{
	(void)state;
	start(0);
	send(0, VIRTIO_BLK_T_OUT, 5, 512, 0x77);
	assert_int_equal(async_take(&disk, &slots[0]), 1);
	end_one();
	end_one();
	assert_int_equal(flushes, 1);
	assert_int_equal(status_of(0), 0xff);
	end_one();
	assert_int_equal(status_of(0), VIRTIO_BLK_S_OK);
	assert_int_equal(begun_count, 0);
}

static void async_disk_fails_a_request_whose_io_fails(void **state)
{
	(void)state;
	start(0);
	send(0, VIRTIO_BLK_T_IN, 5, 512, 0);
	assert_int_equal(async_take(&disk, &slots[0]), 1);
	begun_count = 0;
	assert_int_equal(async_moved(&disk, &slots[0], VIRTIO_EIO), 0);
	assert_int_equal(status_of(0), VIRTIO_BLK_S_IOERR);
	assert_int_equal(disk.stats.first_error, VIRTIO_EIO);
	assert_int_equal(disk.stats.first_refusal, VIRTIO_BLK_REFUSAL_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(async_disk_serves_requests_that_end_in_any_order),
		cmocka_unit_test(async_disk_answers_at_once_what_needs_no_io),
		cmocka_unit_test(async_disk_flushes_after_a_write_under_write_through),
		cmocka_unit_test(async_disk_fails_a_request_whose_io_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
