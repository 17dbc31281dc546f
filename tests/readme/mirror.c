/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The device of virtio-device's README. The driver uses only a queue and the registers of
 * virtio-mmio. If more requests may be available, the test calls mirror_run(), as a VMM does.
 */
#include "readme_mirror.h"

#include "cmocka_includes.h"
#include "guest.h"

#include <string.h>
#include <virtio/bindings/virtio_mmio.h>
#include <virtio/endian.h>

#define IN 1024u /* offset of the reply from the request's address */
#define IN_BYTES 20u
#define CHOSEN (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK)

static struct mirror mirror;
static bool line;

static void set_line(bool level)
{
	line = level;
	if (level)
		guest_interrupt();
}

static uint32_t reg_read(uint32_t offset)
{
	uint8_t bytes[4];

	assert_true(mirror_access(&mirror, offset, bytes, sizeof bytes, false));
	return virtio_get_le32(bytes);
}

static void reg_write(uint32_t offset, uint32_t value)
{
	uint8_t bytes[4];

	virtio_put_le32(bytes, value);
	assert_true(mirror_access(&mirror, offset, bytes, sizeof bytes, true));
}

static void set_up_queue(const struct virtio_queue_config *config)
{
	static const uint32_t areas[3] = { VIRTIO_MMIO_QUEUE_DESC_LOW, VIRTIO_MMIO_QUEUE_AVAIL_LOW,
					   VIRTIO_MMIO_QUEUE_USED_LOW };

	reg_write(VIRTIO_MMIO_QUEUE_SEL, 0);
	reg_write(VIRTIO_MMIO_QUEUE_NUM, config->size);
	for (int i = 0; i < 3; i++)
		reg_write(areas[i], (uint32_t)config->addr[i]);
	reg_write(VIRTIO_MMIO_QUEUE_READY, 1);
	assert_int_equal(reg_read(VIRTIO_MMIO_QUEUE_READY), 1);
}

static void start_device(struct guest *g, const struct virtio_queue_config *config)
{
	(void)g;
	reg_write(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	reg_write(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	reg_write(VIRTIO_MMIO_DRIVER_FEATURES, config->event_idx ? 1u << VIRTIO_RING_F_EVENT_IDX : 0);
	reg_write(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	reg_write(VIRTIO_MMIO_DRIVER_FEATURES, 1u << VIRTIO_F_VERSION_1 % 32);
	reg_write(VIRTIO_MMIO_STATUS, CHOSEN);
	assert_int_equal(reg_read(VIRTIO_MMIO_STATUS), CHOSEN);
	set_up_queue(config);
	reg_write(VIRTIO_MMIO_STATUS, CHOSEN | VIRTIO_CONFIG_S_DRIVER_OK);
	assert_int_equal(reg_read(VIRTIO_MMIO_STATUS), CHOSEN | VIRTIO_CONFIG_S_DRIVER_OK);
}

static void reset_device(struct guest *g)
{
	(void)g;
	reg_write(VIRTIO_MMIO_STATUS, 0);
	assert_int_equal(reg_read(VIRTIO_MMIO_STATUS), 0);
	assert_false(line);
	assert_false(mirror.more);
}

static int run_device(struct guest *g)
{
	(void)g;
	if (mirror.more)
		mirror_run(&mirror);
	else
		reg_write(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	if (line)
		reg_write(VIRTIO_MMIO_INTERRUPT_ACK, reg_read(VIRTIO_MMIO_INTERRUPT_STATUS));
	assert_false(line);
	return mirror.more;
}

/* Requests have 1 to 40 bytes, and room for a reply of 20 bytes. */
static uint32_t fill(struct guest *g, uint32_t number, uint64_t addr, struct virtio_mock_buffer *buffers)
{
	const uint32_t len = number % 40 + 1;

	(void)g;
	memset(guest_host(addr), (int)(number & 0x7f), len);
	memset(guest_host(addr + IN), 0xff, IN_BYTES);
	buffers[0] = (struct virtio_mock_buffer){ .addr = addr, .len = len };
	buffers[1] = (struct virtio_mock_buffer){ .addr = addr + IN, .len = IN_BYTES, .flags = VRING_DESC_F_WRITE };
	return 2;
}

static void check(struct guest *g, uint32_t number, uint64_t addr, uint32_t len)
{
	const uint32_t bytes = number % 40 + 1 < IN_BYTES ? number % 40 + 1 : IN_BYTES;
	uint8_t expected[IN_BYTES];

	(void)g;
	memset(expected, 0xff, sizeof expected);
	memset(expected, (int)(number & 0x7f), bytes);
	assert_int_equal(len, bytes);
	assert_memory_equal(guest_host(addr + IN), expected, sizeof expected);
}

static const struct guest_ops ops = {
	.drains = true, .start = start_device, .reset = reset_device, .run = run_device, .fill = fill, .check = check
};

static void mirror_answers_every_request(void **state)
{
	(void)state;
	guest_init(&ops);
	assert_int_equal(mirror_init(&mirror, &guest.map, set_line), 0);
	guest_test_device(&ops);
}

static void mirror_needs_reset_when_ring_is_broken(void **state)
{
	(void)state;
	guest_init(&ops);
	assert_int_equal(mirror_init(&mirror, &guest.map, set_line), 0);
	guest_start(true);
	guest_exchange(3, 1);
	guest_break_ring();
	reg_write(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	assert_int_equal(reg_read(VIRTIO_MMIO_STATUS),
			 CHOSEN | VIRTIO_CONFIG_S_DRIVER_OK | VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_int_equal(reg_read(VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_CONFIG);
	assert_false(mirror.more);
	reset_device(&guest);
	guest_start(true);
	guest_exchange(3 * GUEST_QUEUE_SIZE, 2);
}

/* A driver need not set up the queue. */
static void mirror_activates_without_queue(void **state)
{
	(void)state;
	guest_init(&ops);
	assert_int_equal(mirror_init(&mirror, &guest.map, set_line), 0);
	reg_write(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	reg_write(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	reg_write(VIRTIO_MMIO_DRIVER_FEATURES, 1u << VIRTIO_F_VERSION_1 % 32);
	reg_write(VIRTIO_MMIO_STATUS, CHOSEN);
	reg_write(VIRTIO_MMIO_STATUS, CHOSEN | VIRTIO_CONFIG_S_DRIVER_OK);
	reg_write(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	assert_int_equal(reg_read(VIRTIO_MMIO_STATUS), CHOSEN | VIRTIO_CONFIG_S_DRIVER_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mirror_answers_every_request),
		cmocka_unit_test(mirror_needs_reset_when_ring_is_broken),
		cmocka_unit_test(mirror_activates_without_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
