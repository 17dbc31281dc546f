/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests requests of 2^32 bytes. This is the most that a chain may have, and one byte more than a
 * used length can hold.
 */
#define _GNU_SOURCE
#include "../common/fixture.h"
#include <sys/mman.h>
#include <virtio/request.h>

#define HEADER 16u
#define SIZE 2048u
#define PIECE (UINT32_C(1) << 22)
#define PIECES 1024u
#define DATA (UINT64_C(1) << 33)

static struct guest {
	struct virtio_region regions[2];
	struct virtio_memory_map map;
	struct virtio_mock mock;
	struct virtio_queue queue;
	struct virtio_mock_slot slots[SIZE];
	struct virtio_inflight inflight[SIZE];
	struct virtio_mock_buffer buffers[PIECES + 2];
	struct virtio_segment segments[PIECES + 2];
	uint8_t header[HEADER];
	struct virtio_dirty_log log;
	uint8_t bits[2];
	_Alignas(16) uint8_t ram[0x10000];
} big;

/*
 * Sets up the guest. If `logged` is set, the rings have a dirty log, so each completion takes the
 * slow path.
 */
static void setup(void *data, uint64_t bytes, bool logged)
{
	memset(&big, 0, sizeof big);
	big.log = (struct virtio_dirty_log){ big.bits, sizeof big.bits, 0, 12, 1 };
	big.regions[0] =
		(struct virtio_region){ .len = sizeof big.ram, .host = big.ram, .dirty = logged ? &big.log : NULL };
	big.regions[1] = (struct virtio_region){ .addr = DATA, .len = bytes, .host = data };
	assert_int_equal(virtio_memory_map_init(&big.map, big.regions, 2), 0);
	assert_int_equal(virtio_mock_init(&big.mock, &big.map, 0, SIZE, big.slots, SIZE), 0);
	assert_int_equal(virtio_mock_create_queue(&big.mock, &big.queue, big.inflight, SIZE, &big.map), 0);
}

/*
 * Sends the first `count` entries of big.buffers to a device that expects a header of `header`
 * bytes. Completes the request with `written` bytes, and checks the request's error and used
 * length.
 */
static void go_through(uint32_t header, uint32_t count, uint64_t written, int error, uint32_t len)
{
	struct virtio_request request;
	struct vring_used_elem used = { 0, 0 };

	assert_int_equal(
		virtio_request_init(&request, header ? big.header : NULL, header, big.segments, COUNT(big.segments)),
		0);
	assert_true(virtio_mock_add(&big.mock, big.buffers, count) >= 0);
	assert_int_equal(virtio_request_pop(&big.queue, &request), 1);
	assert_int_equal(request.error, error);
	assert_int_equal(virtio_request_complete(&big.queue, &request, 0x42, written), 0);
	assert_int_equal(virtio_mock_pop_used(&big.mock, &used), 1);
	assert_int_equal(used.len, len);
}

/*
 * Hostile 38 and 39: a request may have exactly 2^32 bytes, and its used length must not wrap. One
 * byte more is an error.
 */
static void request_of_4_gib_in_many_buffers(void **state)
{
	static uint8_t data[PIECE];
	const uint64_t all = UINT64_C(1) << 32;

	setup(data, sizeof data, *(const bool *)*state);
	for (uint32_t i = 0; i <= PIECES; i++)
		big.buffers[i] = (struct virtio_mock_buffer)WRITABLE(DATA, PIECE);
	go_through(0, PIECES, UINT64_MAX, 0, UINT32_MAX);
	assert_int_equal(data[PIECE - 1], 0x42);
	go_through(0, PIECES, all - 1, 0, UINT32_MAX);
	go_through(0, PIECES, all - 2, 0, UINT32_MAX - 1);
	go_through(0, PIECES, 0, 0, 0);
	big.buffers[0] = (struct virtio_mock_buffer)READABLE(0xff00, HEADER);
	big.buffers[PIECES].len -= HEADER;
	go_through(HEADER, PIECES + 1, UINT64_MAX, 0, (uint32_t)(all - HEADER));
	data[PIECE - HEADER] = 0x24;
	big.buffers[PIECES].len++;
	go_through(HEADER, PIECES + 1, UINT64_MAX, VIRTIO_EBYTES, 0);
	assert_int_equal(data[PIECE - HEADER], 0x24);
}

/*
 * As above, but each request has three buffers. The fast path of a pop serves those requests that
 * have a header and at most 2^32 bytes.
 */
static void request_of_4_gib_in_three_buffers(void **state)
{
	void *data = MAP_FAILED;

#if UINTPTR_MAX > 0xffffffffu
	data = mmap(NULL, UINT32_MAX, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
#endif
	if (data == MAP_FAILED) {
		print_message("no address space for a buffer of 4 GiB\n");
		skip();
	}
	setup(data, UINT32_MAX, *(const bool *)*state);
	big.buffers[0] = (struct virtio_mock_buffer)READABLE(0xff00, HEADER);
	big.buffers[1] = (struct virtio_mock_buffer)WRITABLE(DATA, UINT32_MAX - HEADER);
	big.buffers[2] = (struct virtio_mock_buffer)WRITABLE(0xff80, 1);
	go_through(HEADER, 3, UINT64_MAX, 0, UINT32_MAX - HEADER + 1);
	assert_int_equal(big.ram[0xff80], 0x42);
	go_through(HEADER, 3, UINT32_MAX - HEADER - 1, 0, UINT32_MAX - HEADER - 1);
	big.ram[0xff80] = 0x24;
	big.buffers[1].len++;
	go_through(HEADER, 3, UINT64_MAX, VIRTIO_EBYTES, 0);
	assert_int_equal(big.ram[0xff80], 0x24);
	big.buffers[0].len = 0;
	big.buffers[1].len = UINT32_MAX;
	go_through(0, 3, UINT64_MAX, 0, UINT32_MAX);
	go_through(0, 3, UINT32_MAX - 1, 0, UINT32_MAX - 1);
	munmap(data, UINT32_MAX);
}

int main(void)
{
	static bool logged[] = { false, true };
	const struct CMUnitTest tests[] = {
		{ "request_of_4_gib_in_many_buffers", request_of_4_gib_in_many_buffers, NULL, NULL, &logged[0] },
		{ "request_of_4_gib_in_many_buffers_logged", request_of_4_gib_in_many_buffers, NULL, NULL, &logged[1] },
		{ "request_of_4_gib_in_three_buffers", request_of_4_gib_in_three_buffers, NULL, NULL, &logged[0] },
		{ "request_of_4_gib_in_three_buffers_logged", request_of_4_gib_in_three_buffers, NULL, NULL,
		  &logged[1] },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
