/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The sections of a console: the values that are written, the values that are refused, and the name
 * that a refusal reports.
 */
#include "console_fixture.h"
#include <virtio/console_state.h>

#define FILE_BYTES 4096u

#define PRESENT VIRTIO_CONSOLE_PORT_PRESENT
#define CONSOLE (VIRTIO_CONSOLE_PORT_PRESENT | VIRTIO_CONSOLE_PORT_IS_CONSOLE)
#define KNOWN VIRTIO_CONSOLE_PORT_KNOWN
#define NO_ENTRY VIRTIO_SECTION_NO_ENTRY

static struct console_fixture f;
static uint8_t file[FILE_BYTES];

/* Writes the sections of the device with the number 3, and returns a reader of them. */
static struct virtio_section_reader write_file(void)
{
	struct virtio_section_writer writer;
	struct virtio_section_reader reader;

	virtio_section_writer_init(&writer, file, sizeof file);
	virtio_console_write_state(&writer, 3, &f.console);
	assert_int_equal(writer.error, 0);
	assert_true(writer.length <= sizeof file);
	virtio_section_reader_init(&reader, file, 0, writer.length);
	return reader;
}

/* Sets up a console at port 0 and a generic port 1 without a name. Ports 2 and 3 are absent. */
static void set_up(void)
{
	console_setup(&f, FIXTURE_FLAT, true);
	console_add(&f, 1, false);
}

/*
 * Returns the result of virtio_console_read_state() for the device with the number 3. Checks that
 * an error leaves `state` and `count` unchanged.
 */
static int read_device(struct virtio_section_reader *reader, const uint64_t *features, uint32_t capacity)
{
	struct virtio_console_port_state ports[CONSOLE_PORTS];
	struct virtio_console_state state, before;
	uint32_t count = 99;
	int error;

	memset(&state, 0x5a, sizeof state);
	before = state;
	error = virtio_console_read_state(reader, 3, &f.console, features, &state, ports, capacity, &count);
	if (error) {
		assert_int_equal(count, 99);
		assert_memory_equal(&state, &before, sizeof state);
	}
	return error;
}

static void expect_fault(const struct virtio_section_reader *reader, int error, const char *field)
{
	assert_int_equal(reader->fault.error, error);
	assert_non_null(reader->fault.field);
	assert_string_equal(reader->fault.field, field);
}

/* Each row has the values of a device and of its ports. Exactly one value is impossible. */
static void check_state_names_the_impossible_value(void **state)
{
	const struct {
		struct virtio_console_state device;
		struct virtio_console_port_state ports[2];
		uint32_t count;
		const char *field;
		uint32_t entry;
		uint64_t bits;
	} bad[] = {
		{ { MULTIPORT | 1u << 5, 0 }, { { .id = 0 } }, 0, "negotiated", NO_ENTRY, 1u << 5 },
		{ { MULTIPORT, 2 }, { { .id = 0 } }, 0, "driver_ready", NO_ENTRY, 0 },
		{ { 0, 1 }, { { .id = 0 } }, 0, "driver_ready", NO_ENTRY, 0 },
		{ { MULTIPORT, 1 }, { { .id = CONSOLE_PORTS } }, 1, "id", 0, 0 },
		{ { MULTIPORT, 1 }, { { .id = 0, .flags = PRESENT } }, 1, "flags", 0, 0 },
		{ { MULTIPORT, 1 }, { { .id = 0, .flags = CONSOLE, .pending = 0x80 } }, 1, "pending", 0, 0 },
		{ { MULTIPORT, 1 }, { { .id = 0, .flags = CONSOLE, .in_flight = 2 } }, 1, "in_flight", 0, 0 },
		{ { MULTIPORT, 1 }, { { .id = 0, .flags = CONSOLE, .head = 1 } }, 1, "head", 0, 0 },
		{ { MULTIPORT, 1 }, { { .id = 0, .flags = CONSOLE, .taken = 1 } }, 1, "taken", 0, 0 },
		{ { MULTIPORT, 1 }, { { .id = 2, .cols = 1 } }, 1, "cols", 0, 0 },
		{ { MULTIPORT, 1 }, { { .id = 2, .rows = 1 } }, 1, "rows", 0, 0 },
		{ { MULTIPORT, 1 }, { { .id = 1, .flags = PRESENT }, { .id = 0, .flags = CONSOLE } }, 2, "id", 1, 0 },
		{ { MULTIPORT, 1 }, { { .id = 0, .flags = CONSOLE }, { .id = 0, .flags = CONSOLE } }, 2, "id", 1, 0 },
		{ { 0, 0 },
		  { { .id = 0, .flags = CONSOLE }, { .id = 1, .flags = PRESENT | KNOWN } },
		  2,
		  "flags",
		  1,
		  0 },
	};
	struct virtio_console_port before[CONSOLE_PORTS];
	struct virtio_refusal refusal;

	(void)state;
	set_up();
	memcpy(before, f.ports, sizeof before);
	for (uint32_t i = 0; i < COUNT(bad); i++) {
		refusal.field = NULL;
		if (virtio_console_check_state(&f.console, &bad[i].device, bad[i].ports, bad[i].count, &refusal) !=
			    VIRTIO_EINVAL ||
		    !refusal.field || strcmp(refusal.field, bad[i].field) != 0 || refusal.entry != bad[i].entry ||
		    refusal.bits != bad[i].bits)
			fail_msg("state %u: %s", i, refusal.field ? refusal.field : "accepted");
	}
	assert_memory_equal(f.ports, before, sizeof before);
}

static void check_state_of_a_possible_device_says_nothing(void **state)
{
	const struct virtio_console_state device = { MULTIPORT, 1 };
	const struct virtio_console_port_state ports[] = { { .id = 0, .flags = CONSOLE | KNOWN },
							   { .id = 1, .flags = PRESENT } };
	struct virtio_refusal refusal = { .field = "untouched", .entry = 7, .bits = 9 };

	(void)state;
	set_up();
	assert_int_equal(virtio_console_check_state(&f.console, &device, ports, 2, &refusal), 0);
	assert_int_equal(virtio_console_check_state(&f.console, &device, NULL, 0, &refusal), 0);
	assert_string_equal(refusal.field, "untouched");
	assert_int_equal(refusal.entry, 7);
	assert_int_equal(refusal.bits, 9);
}

/*
 * Port 0 has the chain with head 5 in flight. The transmit queues of ports 0 and 1 are queues 1 and
 * 5.
 */
static void check_record_compares_the_queue_with_its_port(void **state)
{
	const struct virtio_console_port_state ports[] = { { .id = 0, .flags = CONSOLE, .in_flight = 1, .head = 5 },
							   { .id = 1, .flags = PRESENT } };
	const struct virtio_queue_flight good = { .head = 5 };
	const struct {
		uint32_t queue, count;
		struct virtio_queue_flight record;
		const char *field;
		uint32_t entry;
	} bad[] = {
		{ 1, 0, { .head = 5 }, "in_flight", NO_ENTRY },
		{ 1, 2, { .head = 5 }, "in_flight", NO_ENTRY },
		{ 1, 1, { .head = 4 }, "head", 0 },
		{ 1, 1, { .head = 5, .completed = true }, "completed", 0 },
		{ 0, 1, { .head = 5 }, "in_flight", NO_ENTRY },
		{ 2, 1, { .head = 5 }, "in_flight", NO_ENTRY },
		{ 3, 1, { .head = 5 }, "in_flight", NO_ENTRY },
		{ 5, 1, { .head = 5 }, "in_flight", NO_ENTRY },
		{ 7, 1, { .head = 5 }, "in_flight", NO_ENTRY },
	};
	struct virtio_refusal refusal = { .field = "untouched" };

	(void)state;
	assert_int_equal(virtio_console_check_record(ports, 2, 1, &good, 1, &refusal), 0);
	for (uint32_t queue = 0; queue < 10; queue++)
		if (queue != 1)
			assert_int_equal(virtio_console_check_record(ports, 2, queue, NULL, 0, &refusal), 0);
	assert_string_equal(refusal.field, "untouched");
	for (uint32_t i = 0; i < COUNT(bad); i++) {
		const struct virtio_queue_flight record[] = { bad[i].record, bad[i].record };

		assert_int_equal(virtio_console_check_record(ports, 2, bad[i].queue, record, bad[i].count, &refusal),
				 VIRTIO_EINVAL);
		assert_string_equal(refusal.field, bad[i].field);
		assert_int_equal(refusal.entry, bad[i].entry);
	}
}

static void read_state_refuses_what_another_device_has_saved(void **state)
{
	const uint64_t other = MULTIPORT;
	struct virtio_section_reader reader;
	uint64_t features;
	bool room;

	(void)state;
	set_up();
	features = f.console.negotiated | UINT64_C(1) << 32;
	reader = write_file();
	assert_int_equal(read_device(&reader, &features, CONSOLE_PORTS), 0);
	reader = write_file();
	assert_int_equal(read_device(&reader, NULL, 2), 0);
	reader = write_file();
	assert_int_equal(read_device(&reader, &other, CONSOLE_PORTS), VIRTIO_EINVAL);
	expect_fault(&reader, VIRTIO_EINVAL, "negotiated");
	assert_int_equal(reader.fault.bits, f.console.negotiated ^ MULTIPORT);
	reader = write_file();
	assert_int_equal(read_device(&reader, NULL, 1), VIRTIO_ENOBUFS);
	/* The target has one port more than the source, or one port less. */
	reader = write_file();
	console_add(&f, 2, false);
	assert_int_equal(read_device(&reader, NULL, CONSOLE_PORTS), VIRTIO_EINVAL);
	expect_fault(&reader, VIRTIO_EINVAL, "ports");
	reader = write_file();
	assert_int_equal(virtio_console_remove_port(&f.console, 1, &room), 0);
	assert_int_equal(read_device(&reader, NULL, CONSOLE_PORTS), VIRTIO_EINVAL);
	expect_fault(&reader, VIRTIO_EINVAL, "flags");
	assert_int_equal(reader.fault.entry, 1);
}

/* The input of port 1 wraps around the end of its buffer. */
static void read_input_gives_the_bytes_of_each_port(void **state)
{
	uint8_t bytes[CONSOLE_INPUT];
	struct virtio_section_reader reader;
	uint32_t count = 99;
	bool room;

	(void)state;
	set_up();
	(void)console_type(&f, 1, "................................................");
	assert_int_equal(virtio_console_input_clear(&f.input[1], &room), 48);
	(void)console_type(&f, 1, "abcdefghijklmnopqrstuvwxyz");
	reader = write_file();
	assert_int_equal(read_device(&reader, NULL, CONSOLE_PORTS), 0);
	assert_int_equal(virtio_console_read_input(&reader, 3, &f.console, 2, bytes, sizeof bytes, &count),
			 VIRTIO_EINVAL);
	assert_int_equal(virtio_console_read_input(&reader, 3, &f.console, CONSOLE_PORTS, bytes, sizeof bytes, &count),
			 VIRTIO_EINVAL);
	assert_int_equal(count, 99);
	assert_int_equal(virtio_console_read_input(&reader, 3, &f.console, 0, bytes, sizeof bytes, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(virtio_console_read_input(&reader, 3, &f.console, 1, bytes, sizeof bytes, &count), 0);
	assert_int_equal(count, 26);
	assert_memory_equal(bytes, "abcdefghijklmnopqrstuvwxyz", 26);
	assert_int_equal(virtio_section_reader_end(&reader), 0);
	assert_int_equal(virtio_console_input_peek(&f.input[1], bytes, sizeof bytes), 26);
}

static void read_input_refuses_more_than_the_buffer_holds(void **state)
{
	uint8_t bytes[CONSOLE_INPUT];
	struct virtio_section_reader reader;
	uint32_t count = 99;

	(void)state;
	set_up();
	(void)console_type(&f, 0, "abcdef");
	reader = write_file();
	assert_int_equal(read_device(&reader, NULL, CONSOLE_PORTS), 0);
	assert_int_equal(virtio_console_read_input(&reader, 3, &f.console, 0, bytes, 5, &count), VIRTIO_ENOBUFS);
	assert_int_equal(count, 99);
	assert_int_equal(reader.fault.error, VIRTIO_ENOBUFS);
	/* A reader repeats its first error. */
	assert_int_equal(virtio_console_read_input(&reader, 3, &f.console, 0, bytes, 6, &count), VIRTIO_ENOBUFS);
	assert_int_equal(count, 99);
}

static void layouts_have_the_names_of_the_sections(void **state)
{
	(void)state;
	assert_string_equal(virtio_console_layout()->name, "console");
	assert_string_equal(virtio_console_layout()->entries, "ports");
	assert_string_equal(virtio_console_input_layout()->name, "console.input");
	assert_string_equal(virtio_console_input_layout()->entries, "bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_state_names_the_impossible_value),
		cmocka_unit_test(check_state_of_a_possible_device_says_nothing),
		cmocka_unit_test(check_record_compares_the_queue_with_its_port),
		cmocka_unit_test(read_state_refuses_what_another_device_has_saved),
		cmocka_unit_test(read_input_gives_the_bytes_of_each_port),
		cmocka_unit_test(read_input_refuses_more_than_the_buffer_holds),
		cmocka_unit_test(layouts_have_the_names_of_the_sections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
