/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The console device: options, features, and the configuration space. */
#include "console_fixture.h"

#define SIZE (UINT64_C(1) << VIRTIO_CONSOLE_F_SIZE)
#define EMERGENCY (UINT64_C(1) << VIRTIO_CONSOLE_F_EMERG_WRITE)

static void console_init_refuses_bad_options(void **state)
{
	static struct console_fixture f;
	struct virtio_console before;
	struct virtio_console_options options = console_options(&f, true);

	(void)state;
	memset(&f.console, 0x5a, sizeof f.console);
	memcpy(&before, &f.console, sizeof before);
	options.ports = NULL;
	assert_int_equal(virtio_console_init(&f.console, &options), VIRTIO_EINVAL);
	options = console_options(&f, true);
	options.port_count = 0;
	assert_int_equal(virtio_console_init(&f.console, &options), VIRTIO_EINVAL);
	options.port_count = VIRTIO_CONSOLE_MAX_PORTS + 1;
	assert_int_equal(virtio_console_init(&f.console, &options), VIRTIO_EINVAL);
	/* The device core accepts at most 65535 queues. */
	assert_true(2 * (VIRTIO_CONSOLE_MAX_PORTS + 1) <= 65535);
	options = console_options(&f, false);
	options.port_count = 2;
	assert_int_equal(virtio_console_init(&f.console, &options), VIRTIO_EINVAL);
	options = console_options(&f, true);
	options.control_segments = NULL;
	assert_int_equal(virtio_console_init(&f.console, &options), VIRTIO_EINVAL);
	options = console_options(&f, true);
	options.control_capacity = 0;
	assert_int_equal(virtio_console_init(&f.console, &options), VIRTIO_EINVAL);
	assert_memory_equal(&f.console, &before, sizeof before);
}

/* Hostile 219: a device with MULTIPORT also offers SIZE. */
static void console_init_offers_what_options_say(void **state)
{
	static struct console_fixture f;
	struct virtio_console_options options = console_options(&f, true);

	(void)state;
	options.size = false;
	assert_int_equal(virtio_console_init(&f.console, &options), 0);
	assert_int_equal(virtio_console_offered(&f.console), SIZE | MULTIPORT | EMERGENCY);
	options = console_options(&f, false);
	assert_int_equal(virtio_console_init(&f.console, &options), 0);
	assert_int_equal(virtio_console_offered(&f.console), SIZE | EMERGENCY);
	options.size = false;
	options.emergency = NULL;
	assert_int_equal(virtio_console_init(&f.console, &options), 0);
	assert_int_equal(virtio_console_offered(&f.console), 0);
}

static void console_negotiate_refuses_what_was_not_offered(void **state)
{
	static struct console_fixture f;
	const struct virtio_console_options options = console_options(&f, false);

	(void)state;
	assert_int_equal(virtio_console_init(&f.console, &options), 0);
	assert_int_equal(virtio_console_negotiate(&f.console, SIZE), 0);
	assert_int_equal(virtio_console_negotiate(&f.console, SIZE | MULTIPORT), VIRTIO_EINVAL);
	assert_int_equal(virtio_console_negotiate(&f.console, UINT64_C(1) << 23), VIRTIO_EINVAL);
	assert_int_equal(f.console.negotiated, SIZE);
	/* Features of queue and transport do not belong to the console. */
	assert_int_equal(virtio_console_negotiate(&f.console, EMERGENCY | UINT64_C(1) << 24 | UINT64_C(1) << 32), 0);
	assert_int_equal(f.console.negotiated, EMERGENCY);
}

/* Hostile 178, first part: a field without its feature reads 0. */
static void console_config_read_shows_fields_of_offered_features(void **state)
{
	static struct console_fixture f;
	struct virtio_console_options options = console_options(&f, true);
	uint8_t config[16];
	const uint8_t all[16] = { 0x50, 0, 0x2c, 0x01, CONSOLE_PORTS };
	const uint8_t none[16] = { 0 };

	(void)state;
	assert_int_equal(virtio_console_init(&f.console, &options), 0);
	console_add(&f, 0, true);
	assert_int_equal(virtio_console_resize(&f.console, 0, 80, 300), 1);
	virtio_console_config_read(&f.console, 0, config, sizeof config);
	assert_memory_equal(config, all, sizeof config);
	options = console_options(&f, false);
	options.size = false;
	assert_int_equal(virtio_console_init(&f.console, &options), 0);
	console_add(&f, 0, true);
	assert_int_equal(virtio_console_resize(&f.console, 0, 80, 300), 0);
	memset(config, 0xff, sizeof config);
	virtio_console_config_read(&f.console, 0, config, sizeof config);
	assert_memory_equal(config, none, sizeof config);
}

static void console_config_read_without_port_0_has_no_size(void **state)
{
	static struct console_fixture f;
	const struct virtio_console_options options = console_options(&f, true);
	uint8_t config[4] = { 1, 1, 1, 1 };
	const uint8_t none[4] = { 0 };

	(void)state;
	assert_int_equal(virtio_console_init(&f.console, &options), 0);
	virtio_console_config_read(&f.console, 0, config, sizeof config);
	assert_memory_equal(config, none, sizeof config);
}

static void console_config_read_accepts_any_offset_and_length(void **state)
{
	static struct console_fixture f;
	const struct virtio_console_options options = console_options(&f, true);
	uint8_t whole[32], part[32];

	(void)state;
	assert_int_equal(virtio_console_init(&f.console, &options), 0);
	console_add(&f, 0, true);
	assert_int_equal(virtio_console_resize(&f.console, 0, 0x1234, 0x5678), 1);
	virtio_console_config_read(&f.console, 0, whole, sizeof whole);
	for (uint32_t offset = 0; offset <= 16; offset++)
		for (uint32_t len = 0; len <= 16; len++) {
			memset(part, 0xee, sizeof part);
			virtio_console_config_read(&f.console, offset, part, len);
			assert_memory_equal(part, whole + offset, len);
			assert_int_equal(part[len], 0xee);
		}
	virtio_console_config_read(&f.console, UINT64_MAX, part, 4);
	assert_memory_equal(part, whole + 12, 4);
}

/*
 * Hostile 146: emerg_wr can be written in every state. If the feature is not offered, a write has
 * no effect.
 */
static void console_config_write_sends_the_low_byte_in_every_state(void **state)
{
	static struct console_fixture f;
	struct virtio_console_options options = console_options(&f, true);
	const uint8_t bytes[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

	(void)state;
	assert_int_equal(virtio_console_init(&f.console, &options), 0);
	assert_true(virtio_console_config_write(&f.console, 8, "X\1\2\3", 4));
	assert_true(virtio_console_config_write(&f.console, 8, "Y", 1));
	/* Hostile 148: the bytes need not be text. */
	assert_true(virtio_console_config_write(&f.console, 8, "\xff", 1));
	assert_true(virtio_console_config_write(&f.console, 0, bytes, 16));
	assert_true(virtio_console_config_write(&f.console, 7, bytes, 2));
	assert_int_equal(f.emergency_count, 5);
	assert_memory_equal(f.emergency, "XY\xff\x08\x01", 5);
	assert_false(virtio_console_config_write(&f.console, 9, bytes, 3));
	assert_false(virtio_console_config_write(&f.console, 0, bytes, 8));
	assert_false(virtio_console_config_write(&f.console, 8, bytes, 0));
	assert_false(virtio_console_config_write(&f.console, UINT64_MAX, bytes, 16));
	assert_int_equal(virtio_console_negotiate(&f.console, 0), 0);
	assert_true(virtio_console_config_write(&f.console, 8, "Z", 1));
	virtio_console_reset(&f.console);
	assert_true(virtio_console_config_write(&f.console, 8, "Z", 1));
	assert_int_equal(f.emergency_count, 7);
	options.emergency = NULL;
	assert_int_equal(virtio_console_init(&f.console, &options), 0);
	assert_false(virtio_console_config_write(&f.console, 8, "N", 1));
	assert_int_equal(f.emergency_count, 7);
}

/*
 * Hostile 147, first part: a resize changes the configuration space before and after negotiation.
 */
static void console_resize_changes_the_configuration_in_every_state(void **state)
{
	static struct console_fixture f;
	uint8_t config[4];

	(void)state;
	console_setup(&f, FIXTURE_FLAT, false);
	virtio_console_reset(&f.console);
	assert_int_equal(virtio_console_resize(&f.console, 0, 100, 40), 1);
	assert_int_equal(virtio_console_resize(&f.console, 0, 100, 40), 0);
	assert_int_equal(virtio_console_negotiate(&f.console, SIZE), 0);
	assert_int_equal(virtio_console_resize(&f.console, 0, 101, 41), 1);
	virtio_console_config_read(&f.console, 0, config, sizeof config);
	assert_memory_equal(config, ((uint8_t[]){ 101, 0, 41, 0 }), 4);
	/* Without MULTIPORT no message is pending. */
	assert_false(virtio_console_control_pending(&f.console));
	virtio_console_reset(&f.console);
	virtio_console_config_read(&f.console, 0, config, sizeof config);
	assert_memory_equal(config, ((uint8_t[]){ 101, 0, 41, 0 }), 4);
}

static void console_resize_refuses_what_is_no_console(void **state)
{
	static struct console_fixture f;

	(void)state;
	console_setup(&f, FIXTURE_FLAT, true);
	console_add(&f, 1, false);
	assert_int_equal(virtio_console_resize(&f.console, 1, 80, 25), VIRTIO_EINVAL);
	assert_int_equal(virtio_console_resize(&f.console, 2, 80, 25), VIRTIO_EINVAL);
	assert_int_equal(virtio_console_resize(&f.console, CONSOLE_PORTS, 80, 25), VIRTIO_EINVAL);
	assert_int_equal(f.ports[1].options.cols, 0);
	/*
	 * The configuration space has only the size of port 0. So a resize of port 2 leaves the
	 * space unchanged, and returns 0.
	 */
	console_add(&f, 2, true);
	assert_int_equal(virtio_console_resize(&f.console, 2, 80, 25), 0);
}

static void console_port_queues_follow_the_specification(void **state)
{
	static struct console_fixture f;
	uint32_t receive = 99, transmit = 99;

	(void)state;
	console_setup(&f, FIXTURE_FLAT, true);
	assert_int_equal(virtio_console_port_queues(&f.console, 0, &receive, &transmit), 0);
	assert_int_equal(receive, 0);
	assert_int_equal(transmit, 1);
	for (uint32_t id = 1; id < CONSOLE_PORTS; id++) {
		assert_int_equal(virtio_console_port_queues(&f.console, id, &receive, &transmit), 0);
		assert_int_equal(receive, 2 * id + 2);
		assert_int_equal(transmit, 2 * id + 3);
	}
	assert_int_equal(virtio_console_queue_count(&f.console), transmit + 1);
	assert_int_equal(virtio_console_port_queues(&f.console, CONSOLE_PORTS, &receive, &transmit), VIRTIO_EINVAL);
	assert_int_equal(virtio_console_port_queues(&f.console, UINT32_MAX, &receive, &transmit), VIRTIO_EINVAL);
	assert_int_equal(transmit, 2 * CONSOLE_PORTS + 1);
	console_setup(&f, FIXTURE_FLAT, false);
	assert_int_equal(virtio_console_queue_count(&f.console), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(console_init_refuses_bad_options),
		cmocka_unit_test(console_init_offers_what_options_say),
		cmocka_unit_test(console_negotiate_refuses_what_was_not_offered),
		cmocka_unit_test(console_config_read_shows_fields_of_offered_features),
		cmocka_unit_test(console_config_read_without_port_0_has_no_size),
		cmocka_unit_test(console_config_read_accepts_any_offset_and_length),
		cmocka_unit_test(console_config_write_sends_the_low_byte_in_every_state),
		cmocka_unit_test(console_resize_changes_the_configuration_in_every_state),
		cmocka_unit_test(console_resize_refuses_what_is_no_console),
		cmocka_unit_test(console_port_queues_follow_the_specification),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
