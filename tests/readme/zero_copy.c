/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The file device of virtio-queue's README: bytes go to a file and back, however a request is cut
 * into segments.
 */
#include "readme_zero_copy.h"

#include "cmocka_includes.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define OFFSET 100u
#define BYTES 300u /* cut into single bytes, more pieces than the example's I/O vector holds */
#define OUT (8 + BYTES)
#define IN (BYTES + 1)

static uint8_t out[OUT], in[IN];
static struct virtio_segment segments[OUT + IN];

/*
 * Makes a request: an offset, bytes to store, room for bytes to load, and a status. Its buffers are
 * cut into pieces of this size.
 */
static struct virtio_chain_segments request(uint32_t readable, uint32_t writable, uint32_t piece)
{
	static struct virtio_region region;
	struct virtio_chain_segments chain = { .segments = segments, .capacity = OUT + IN };
	uint32_t count = 0;

	for (int side = 0; side < 2; side++) {
		const uint32_t bytes = side ? writable : readable;

		for (uint32_t at = 0; at < bytes; at += piece) {
			const uint32_t len = bytes - at < piece ? bytes - at : piece;

			segments[count++] = (struct virtio_segment){ at + 1, len, (side ? in : out) + at, &region };
			*(side ? &chain.writable : &chain.readable) += 1;
		}
	}
	chain.readable_bytes = readable;
	chain.writable_bytes = writable;
	return chain;
}

static int open_file(void)
{
	int fd = memfd_create("zero-copy", MFD_CLOEXEC);

	assert_true(fd >= 0);
	memset(out, 0, sizeof out);
	memset(in, 0xee, sizeof in);
	virtio_put_le64(out, OFFSET);
	for (uint32_t i = 0; i < BYTES; i++)
		out[8 + i] = (uint8_t)(i * 7 + 1);
	return fd;
}

static void file_request_stores_and_loads_in_any_layout(void **state)
{
	static const uint32_t pieces[] = { 1, 3, 7, 8, 100, OUT };

	(void)state;
	for (uint32_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		const int fd = open_file();
		const struct virtio_chain_segments chain = request(OUT, IN, pieces[i]);
		uint8_t stored[BYTES];

		assert_int_equal(file_request(fd, &chain), IN);
		assert_memory_equal(in, out + 8, BYTES);
		assert_int_equal(in[BYTES], 0);
		assert_int_equal(pread(fd, stored, BYTES, OFFSET), BYTES);
		assert_memory_equal(stored, out + 8, BYTES);
		assert_int_equal(close(fd), 0);
	}
}

/*
 * The file has fewer bytes than the request has room for, and the status reports this. The used
 * length excludes the status, because the bytes before the status were not all written.
 */
static void file_request_counts_bytes_up_to_gap(void **state)
{
	const int fd = open_file();
	const struct virtio_chain_segments chain = request(8 + 10, 21, 4);

	(void)state;
	assert_int_equal(file_request(fd, &chain), 10);
	assert_memory_equal(in, out + 8, 10);
	assert_int_equal(in[10], 0xee);
	assert_int_equal(in[20], 1);
	assert_int_equal(close(fd), 0);
}

static void file_request_refuses_short_header(void **state)
{
	const int fd = open_file();
	const struct virtio_chain_segments chain = request(7, 1, 4);

	(void)state;
	assert_int_equal(file_request(fd, &chain), 1);
	assert_int_equal(in[0], 1);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	assert_int_equal(close(fd), 0);
}

static void file_request_needs_place_for_status(void **state)
{
	const int fd = open_file();
	const struct virtio_chain_segments chain = request(OUT, 0, 4);

	(void)state;
	assert_int_equal(file_request(fd, &chain), 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	assert_int_equal(close(fd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_request_stores_and_loads_in_any_layout),
		cmocka_unit_test(file_request_counts_bytes_up_to_gap),
		cmocka_unit_test(file_request_refuses_short_header),
		cmocka_unit_test(file_request_needs_place_for_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
