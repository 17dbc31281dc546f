/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The device of virtio-device's README, driven by the registers of virtio-mmio alone. */
#include "readme_sink.h"

#include "cmocka_includes.h"
#include "guest.h"

#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_mmio.h>
#include <virtio/endian.h>

#define CHOSEN (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK)

static struct sink sink;
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

	assert_true(sink_access(&sink, offset, bytes, sizeof bytes, false));
	return virtio_get_le32(bytes);
}

static void reg_write(uint32_t offset, uint32_t value)
{
	uint8_t bytes[4];

	virtio_put_le32(bytes, value);
	assert_true(sink_access(&sink, offset, bytes, sizeof bytes, true));
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
	assert_false(sink.more);
}

static int run_device(struct guest *g)
{
	(void)g;
	if (sink.more)
		sink_run(&sink);
	else
		reg_write(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	if (line)
		reg_write(VIRTIO_MMIO_INTERRUPT_ACK, reg_read(VIRTIO_MMIO_INTERRUPT_STATUS));
	assert_false(line);
	return sink.more;
}

static uint32_t fill(struct guest *g, uint32_t number, uint64_t addr, struct virtio_mock_buffer *buffers)
{
	(void)g;
	buffers[0] = (struct virtio_mock_buffer){ .addr = addr, .len = number % 16 + 1 };
	return 1;
}

static void check(struct guest *g, uint32_t number, uint64_t addr, uint32_t len)
{
	(void)g;
	(void)number;
	(void)addr;
	assert_int_equal(len, 0);
}

static const struct guest_ops ops = {
	.start = start_device, .reset = reset_device, .run = run_device, .fill = fill, .check = check
};

static void sink_returns_every_buffer(void **state)
{
	(void)state;
	guest_init(&ops);
	assert_int_equal(sink_init(&sink, &guest.map, set_line), 0);
	guest_test_device(&ops);
}

static void sink_needs_reset_when_ring_is_broken(void **state)
{
	(void)state;
	guest_init(&ops);
	assert_int_equal(sink_init(&sink, &guest.map, set_line), 0);
	guest_start(true);
	guest_exchange(3, 1);
	guest_break_ring();
	reg_write(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	assert_int_equal(reg_read(VIRTIO_MMIO_STATUS),
			 CHOSEN | VIRTIO_CONFIG_S_DRIVER_OK | VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_int_equal(reg_read(VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_CONFIG);
	assert_false(sink.more);
	reset_device(&guest);
	guest_start(true);
	guest_exchange(3 * GUEST_QUEUE_SIZE, 2);
}

/* A driver need not set up the queue. */
static void sink_activates_without_queue(void **state)
{
	(void)state;
	guest_init(&ops);
	assert_int_equal(sink_init(&sink, &guest.map, set_line), 0);
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
		cmocka_unit_test(sink_returns_every_buffer),
		cmocka_unit_test(sink_needs_reset_when_ring_is_broken),
		cmocka_unit_test(sink_activates_without_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
