/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The I2C adapter of virtio-queue's README. Reads and writes alternate, and some requests have no
 * header.
 */
#include "readme_adapter.h"

#include "cmocka_includes.h"
#include "guest.h"

#include <string.h>
#include <virtio/reader.h>

#define DATA_BYTES 4u
#define DATA 64u /* offset of a request's data from the request's address */
#define STATUS 128u
#define STATUS_ERROR 1u

enum request { READ, WRITE, NO_HEADER, REQUESTS };

static struct adapter adapter;
static uint32_t transfers;

static uint8_t byte_of(uint32_t number)
{
	return (uint8_t)(number % 251 + 1);
}

/*
 * Carries out a transfer on the bus. A written byte must be the header's first byte, and reads
 * return that byte. Returns status 2, which the adapter never chooses itself.
 */
static uint8_t transfer(const uint8_t *header, const struct virtio_chain_segments *data, uint64_t *bytes_read)
{
	uint8_t bytes[DATA_BYTES], expected[DATA_BYTES];
	struct virtio_reader reader;
	struct virtio_writer writer;

	transfers++;
	memset(expected, header[0], sizeof expected);
	if (data->writable_bytes > 0) {
		virtio_writer_init(&writer, data);
		*bytes_read = virtio_writer_write(&writer, expected, sizeof expected);
	} else {
		virtio_reader_init(&reader, data);
		assert_int_equal(virtio_reader_read(&reader, bytes, sizeof bytes), sizeof bytes);
		assert_memory_equal(bytes, expected, sizeof bytes);
	}
	return 2;
}

static void start_device(struct guest *g, const struct virtio_queue_config *config)
{
	assert_int_equal(virtio_queue_start(&adapter.queue, config, &g->map), 0);
}

static void reset_device(struct guest *g)
{
	(void)g;
	virtio_queue_reset(&adapter.queue);
}

static int run_device(struct guest *g)
{
	const int got = adapter_kicked(&adapter);

	(void)g;
	assert_in_range(got, 0, 1);
	return got;
}

static uint32_t fill(struct guest *g, uint32_t number, uint64_t addr, struct virtio_mock_buffer *buffers)
{
	const uint16_t data_flags = number % REQUESTS == READ ? VRING_DESC_F_WRITE : 0;
	const struct virtio_mock_buffer status = { .addr = addr + STATUS, .len = 1, .flags = VRING_DESC_F_WRITE };

	(void)g;
	memset(guest_host(addr), byte_of(number), 8);
	memset(guest_host(addr + DATA), data_flags ? 0 : byte_of(number), DATA_BYTES);
	*guest_host(addr + STATUS) = 0xff;
	if (number % REQUESTS == NO_HEADER) {
		buffers[0] = status;
		return 1;
	}
	buffers[0] = (struct virtio_mock_buffer){ .addr = addr, .len = 8 };
	buffers[1] = (struct virtio_mock_buffer){ .addr = addr + DATA, .len = DATA_BYTES, .flags = data_flags };
	buffers[2] = status;
	return 3;
}

static void check(struct guest *g, uint32_t number, uint64_t addr, uint32_t len)
{
	uint8_t expected[DATA_BYTES];

	(void)g;
	if (number % REQUESTS == NO_HEADER) {
		assert_int_equal(*guest_host(addr + STATUS), STATUS_ERROR);
		assert_int_equal(len, 0);
		return;
	}
	memset(expected, byte_of(number), sizeof expected);
	assert_int_equal(*guest_host(addr + STATUS), 2);
	assert_int_equal(len, number % REQUESTS == READ ? DATA_BYTES + 1 : 1);
	assert_memory_equal(guest_host(addr + DATA), expected, sizeof expected);
}

static const struct guest_ops ops = {
	.drains = true, .start = start_device, .reset = reset_device, .run = run_device, .fill = fill, .check = check
};

static void adapter_answers_every_request(void **state)
{
	(void)state;
	adapter.interrupt = guest_interrupt;
	adapter.transfer = transfer;
	assert_int_equal(adapter_init(&adapter), 0);
	guest_test_device(&ops);
	assert_true(transfers > 0);
}

static void adapter_says_why_queue_is_broken_until_reset(void **state)
{
	(void)state;
	adapter.interrupt = guest_interrupt;
	adapter.transfer = transfer;
	assert_int_equal(adapter_init(&adapter), 0);
	guest_init(&ops);
	guest_start(true);
	guest_exchange(3, 1);
	guest_break_ring();
	assert_int_equal(adapter_kicked(&adapter), VIRTIO_EAVAILIDX);
	assert_int_equal(adapter_kicked(&adapter), VIRTIO_EBROKEN);
	reset_device(&guest);
	guest_start(true);
	guest_exchange(3 * GUEST_QUEUE_SIZE, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adapter_answers_every_request),
		cmocka_unit_test(adapter_says_why_queue_is_broken_until_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
