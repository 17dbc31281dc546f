/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests sections that are described by tables of fields: the bytes written, the values read, and
 * refusals with their offset. Hostile 76 and 233 to 235.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <virtio/section.h>

struct item {
	uint64_t eight;
	uint32_t four;
	uint16_t two;
	uint8_t one;
	bool flag;
	uint16_t later;  /* since version 2 */
	uint32_t latest; /* since version 3 */
};

struct part {
	uint16_t head;
	bool done;
	uint8_t later; /* since version 2 */
};

#define LATER(structure, member, since, fallback)                                                                      \
	{                                                                                                              \
#member, fallback, (uint32_t)offsetof(structure, member), since,                                       \
			(uint8_t)sizeof(((structure *)0)->member), false                                               \
	}

static const struct virtio_section_field fields[] = {
	VIRTIO_SECTION_VALUE(struct item, eight),  VIRTIO_SECTION_VALUE(struct item, four),
	VIRTIO_SECTION_VALUE(struct item, two),    VIRTIO_SECTION_VALUE(struct item, one),
	VIRTIO_SECTION_BOOL(struct item, flag),    LATER(struct item, later, 2, 0x1234),
	LATER(struct item, latest, 3, 0xdeadbeef),
};

static const struct virtio_section_field part_fields[] = {
	VIRTIO_SECTION_VALUE(struct part, head),
	VIRTIO_SECTION_BOOL(struct part, done),
	LATER(struct part, later, 2, 9),
};

/* One kind of section, as three releases know it. */
static const struct virtio_section_layout layouts[4] = {
	{ .name = NULL },
	{ "thing", 1, false, fields, 5, "parts", part_fields, 2, sizeof(struct part) },
	{ "thing", 2, false, fields, 6, "parts", part_fields, 3, sizeof(struct part) },
	{ "thing", 3, false, fields, 7, "parts", part_fields, 3, sizeof(struct part) },
};

/*
 * A section that may be skipped, a section that must not be skipped, and a section with the longest
 * possible name. The longest name has no zero after it in the file.
 */
static const struct virtio_section_layout extra = { "extra", 1, true, fields, 1, NULL, NULL, 0, 0 };
static const struct virtio_section_layout needed = { "needed", 1, false, fields, 1, NULL, NULL, 0, 0 };
static const struct virtio_section_layout long_name = { "sixteen-letters.", 1, false, fields, 1, NULL, NULL, 0, 0 };

static const struct item item = { UINT64_C(0x1122334455667788), 0x99aabbcc, 0xddee, 0xff, true, 0x5678, 0x9abcdef0 };
static const struct part parts[3] = { { 1, false, 11 }, { 2, true, 12 }, { 0xfffe, false, 13 } };

/* Content of version 1 with two parts: values, count, parts. */
#define ONE_BYTES (16 + 4 + 2 * 3)

struct file {
	struct virtio_section_writer writer;
	struct virtio_section_reader reader;
	uint8_t bytes[512];
};

static void begin(struct file *f)
{
	memset(f, 0x5c, sizeof *f);
	virtio_section_writer_init(&f->writer, f->bytes, sizeof f->bytes);
}

static void begin_reading(struct file *f)
{
	assert_int_equal(f->writer.error, 0);
	assert_true(f->writer.length <= sizeof f->bytes);
	virtio_section_reader_init(&f->reader, f->bytes, 0, f->writer.length);
}

static int read_thing(struct file *f, uint16_t version, struct item *out, struct part list[3], uint32_t *count)
{
	return virtio_section_read(&f->reader, &layouts[version], 7, 8, out, list, 3, count, NULL);
}

/*
 * Checks that reading a section fails with this fault at this offset, and leaves the values and the
 * count untouched.
 */
static void expect_fault(struct file *f, uint16_t version, int error, enum virtio_section_reason reason, size_t offset,
			 const char *field)
{
	struct item out, before;
	struct part list[3];
	uint32_t count = 77;

	memset(&out, 0x5c, sizeof out);
	memcpy(&before, &out, sizeof out);
	virtio_section_reader_init(&f->reader, f->bytes, 0, f->writer.length);
	assert_int_equal(read_thing(f, version, &out, list, &count), error);
	assert_int_equal(f->reader.fault.error, error);
	assert_int_equal(f->reader.fault.reason, reason);
	assert_int_equal(f->reader.fault.offset, offset);
	if (field)
		assert_string_equal(f->reader.fault.field, field);
	else
		assert_null(f->reader.fault.field);
	assert_memory_equal(&out, &before, sizeof out);
	assert_int_equal(count, 77);
	/* The reader keeps the first fault. */
	assert_int_equal(read_thing(f, version, &out, list, &count), error);
	assert_int_equal(virtio_section_reader_end(&f->reader), error);
	assert_false(virtio_section_is_next(&f->reader, &layouts[version], 7, 8));
	assert_int_equal(virtio_section_next(&f->reader, &f->reader.fault.section), error);
	assert_int_equal(f->reader.fault.offset, offset);
}

static void write_thing(struct file *f, uint16_t version, uint32_t count)
{
	begin(f);
	virtio_section_write(&f->writer, &layouts[version], 7, 8, &item, parts, count);
}

/* The bytes are as virtio-queue-ser/README.md specifies. */
static void section_has_the_bytes_of_the_specification(void **state)
{
	static const uint8_t
		expected[] = {
			't',  'h',  'i',  'n',  'g',  0,    0,    0,    0,    0,    0,    0,    0,         0,
			0,    0, /* name */
			7,    0,    0,    0,    8,    0,    0,    0,    1,    0,    0,    0,    ONE_BYTES, 0,
			0,    0,    0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0xcc, 0xbb, 0xaa,      0x99,
			0xee, 0xdd, 0xff, 1,    2,    0,    0,    0,    1,    0,    0,    2,    0,         1,
		};
	struct file f;

	(void)state;
	write_thing(&f, 1, 2);
	assert_int_equal(f.writer.length, sizeof expected);
	assert_memory_equal(f.bytes, expected, sizeof expected);
	assert_int_equal(f.bytes[sizeof expected], 0x5c);
}

/*
 * Hostile 234: a release reads files of older releases, and sets missing values to their defaults.
 * A release refuses files of newer releases.
 */
static void section_of_older_version_has_defaults(void **state)
{
	(void)state;
	for (uint16_t written = 1; written <= 3; written++)
		for (uint16_t known = 1; known <= 3; known++) {
			struct item out = { 0 };
			struct part list[3] = { { 0 } };
			uint32_t count = 0;
			struct file f;

			write_thing(&f, written, 3);
			if (written > known) {
				expect_fault(&f, known, VIRTIO_EVERSION, VIRTIO_SECTION_VERSION, 24, "version");
				assert_true(f.reader.fault.oldest == 1 && f.reader.fault.newest == known);
				assert_int_equal(f.reader.fault.found, written);
				continue;
			}
			begin_reading(&f);
			assert_int_equal(read_thing(&f, known, &out, list, &count), 0);
			assert_int_equal(virtio_section_reader_end(&f.reader), 0);
			assert_int_equal(count, 3);
			assert_true(out.eight == item.eight && out.four == item.four && out.two == item.two);
			assert_true(out.one == item.one && out.flag);
			assert_int_equal(out.later, known == 1 ? 0 : written == 1 ? 0x1234 : item.later);
			assert_int_equal(out.latest, known < 3 ? 0 : written < 3 ? 0xdeadbeef : item.latest);
			for (uint32_t i = 0; i < 3; i++) {
				assert_true(list[i].head == parts[i].head && list[i].done == parts[i].done);
				assert_int_equal(list[i].later, known == 1 ? 0 : written == 1 ? 9 : parts[i].later);
			}
		}
}

static void section_of_version_0_is_refused(void **state)
{
	struct file f;

	(void)state;
	write_thing(&f, 1, 0);
	f.bytes[24] = 0;
	expect_fault(&f, 3, VIRTIO_EVERSION, VIRTIO_SECTION_VERSION, 24, "version");
}

/* Hostile 76: a section with missing or extra bytes is refused, whatever its length is. */
static void section_with_another_length_is_refused(void **state)
{
	static const uint32_t ends[] = { 8, 12, 14, 15, 16 };
	struct file f;

	(void)state;
	for (uint8_t length = 0; length < 64; length++) {
		const size_t value = (size_t)(length < 8 ? 0 : length < 12 ? 1 : length < 14 ? 2 : length < 15 ? 3 : 4);

		write_thing(&f, 1, 2);
		f.writer.length = 32 + (size_t)length;
		f.bytes[28] = length;
		if (length < 16)
			expect_fault(&f, 1, VIRTIO_EFORMAT, VIRTIO_SECTION_MISSING_BYTES,
				     value == 0 ? 32 : 32 + ends[value - 1], fields[value].name);
		else if (length < ONE_BYTES)
			expect_fault(&f, 1, VIRTIO_EFORMAT, VIRTIO_SECTION_MISSING_BYTES, 48, "parts");
		else if (length > ONE_BYTES)
			expect_fault(&f, 1, VIRTIO_EFORMAT, VIRTIO_SECTION_EXTRA_BYTES, 32 + ONE_BYTES, NULL);
	}
	/*
	 * The section's length is too large by one, or is the largest possible value. The file has
	 * fewer bytes.
	 */
	write_thing(&f, 1, 2);
	f.bytes[28]++;
	expect_fault(&f, 1, VIRTIO_EFORMAT, VIRTIO_SECTION_CONTENT_SHORT, 28, "length");
	memset(f.bytes + 28, 0xff, 4);
	expect_fault(&f, 1, VIRTIO_EFORMAT, VIRTIO_SECTION_CONTENT_SHORT, 28, "length");
	for (size_t length = 1; length < 32; length++) {
		f.writer.length = length;
		expect_fault(&f, 1, VIRTIO_EFORMAT, VIRTIO_SECTION_HEADER_SHORT, 0, NULL);
	}
}

static void section_with_another_count_is_refused(void **state)
{
	struct file f;

	(void)state;
	write_thing(&f, 1, 2);
	f.bytes[48] = 1;
	expect_fault(&f, 1, VIRTIO_EFORMAT, VIRTIO_SECTION_EXTRA_BYTES, 32 + ONE_BYTES - 3, NULL);
	f.bytes[48] = 3;
	expect_fault(&f, 1, VIRTIO_EFORMAT, VIRTIO_SECTION_MISSING_BYTES, 48, "parts");
	memset(f.bytes + 48, 0xff, 4);
	expect_fault(&f, 1, VIRTIO_EFORMAT, VIRTIO_SECTION_MISSING_BYTES, 48, "parts");
	/* The section has all of its four entries, but the caller's array has room for three. */
	begin(&f);
	virtio_section_begin(&f.writer, &layouts[1], 7, 8, &item, 4);
	virtio_section_entries(&f.writer, &layouts[1], parts, 3);
	virtio_section_entries(&f.writer, &layouts[1], parts, 1);
	expect_fault(&f, 1, VIRTIO_ENOBUFS, VIRTIO_SECTION_TOO_MANY_ENTRIES, 48, "parts");
	assert_true(f.reader.fault.found == 4 && f.reader.fault.expected == 3);
}

static void section_with_bool_of_2_is_refused(void **state)
{
	struct file f;

	(void)state;
	for (uint32_t value = 2; value < 256; value++) {
		write_thing(&f, 1, 2);
		f.bytes[47] = (uint8_t)value;
		expect_fault(&f, 1, VIRTIO_EINVAL, VIRTIO_SECTION_NOT_A_BOOL, 47, "flag");
		assert_int_equal(f.reader.fault.found, value);
		write_thing(&f, 1, 2);
		f.bytes[57] = (uint8_t)value;
		expect_fault(&f, 1, VIRTIO_EINVAL, VIRTIO_SECTION_NOT_A_BOOL, 57, "done");
		assert_int_equal(f.reader.fault.entry, 1);
		assert_string_equal(f.reader.fault.list, "parts");
	}
}

static void section_with_bad_header_is_refused(void **state)
{
	static const uint8_t bad_names[][2] = { { 0, 0 }, { 0, 0xff }, { 4, ' ' }, { 4, 0x80 }, { 15, 'x' }, { 6, 1 } };
	struct file f;

	(void)state;
	for (uint32_t i = 0; i < sizeof bad_names / sizeof bad_names[0]; i++) {
		write_thing(&f, 1, 1);
		f.bytes[bad_names[i][0]] = bad_names[i][1];
		expect_fault(&f, 1, VIRTIO_EFORMAT, VIRTIO_SECTION_BAD_NAME, 0, "name");
	}
	for (uint32_t bit = 0; bit < 16; bit++) {
		write_thing(&f, 1, 1);
		f.bytes[26 + bit / 8] |= (uint8_t)(1u << bit % 8);
		expect_fault(&f, 1, VIRTIO_EFORMAT, VIRTIO_SECTION_BAD_FLAGS, 26, "flags");
	}
}

/*
 * Hostile 233: the program does not read some sections. Such a section is skipped and reported if
 * its writer has marked the section as skippable. Otherwise the section is refused.
 */
static void section_that_is_unknown_is_skipped_only_if_it_says_so(void **state)
{
	struct virtio_section skipped[2];
	struct item out;
	struct part list[3];
	uint32_t count;
	struct file f;

	(void)state;
	begin(&f);
	virtio_section_write(&f.writer, &extra, 1, 2, &item, NULL, 0);
	virtio_section_write(&f.writer, &layouts[1], 7, 8, &item, parts, 1);
	for (uint32_t i = 0; i < 2; i++)
		virtio_section_write(&f.writer, &extra, 3, 4 + i, &item, NULL, 0);
	begin_reading(&f);
	virtio_section_report_skipped(&f.reader, skipped, 2);
	assert_true(virtio_section_is_next(&f.reader, &layouts[1], 7, 8));
	assert_false(virtio_section_is_next(&f.reader, &layouts[1], 7, 9));
	assert_false(virtio_section_is_next(&f.reader, &needed, 7, 8));
	assert_int_equal(f.reader.skipped_count, 0);
	assert_int_equal(read_thing(&f, 1, &out, list, &count), 0);
	assert_int_equal(virtio_section_reader_end(&f.reader), 0);
	assert_int_equal(f.reader.skipped_count, 3);
	assert_string_equal(skipped[0].name, "extra");
	assert_true(skipped[0].device == 1 && skipped[0].index == 2 && skipped[0].skippable);
	assert_true(skipped[1].device == 3 && skipped[1].index == 4 && skipped[1].bytes == 8);

	/*
	 * A section "needed" is refused, whether another section is read or the reading ends. A
	 * section "thing" with another device or index is also refused.
	 */
	begin(&f);
	virtio_section_write(&f.writer, &needed, 7, 8, &item, NULL, 0);
	virtio_section_write(&f.writer, &layouts[1], 7, 8, &item, parts, 1);
	expect_fault(&f, 1, VIRTIO_EFORMAT, VIRTIO_SECTION_UNKNOWN, 0, NULL);
	assert_string_equal(f.reader.fault.section.name, "needed");
	begin_reading(&f);
	assert_false(virtio_section_is_next(&f.reader, &layouts[1], 7, 8));
	assert_int_equal(virtio_section_reader_end(&f.reader), VIRTIO_EFORMAT);
	assert_int_equal(f.reader.fault.reason, VIRTIO_SECTION_UNKNOWN);
	for (uint32_t i = 0; i < 2; i++) {
		begin(&f);
		virtio_section_write(&f.writer, &layouts[1], 7 + i, 9 - i, &item, parts, 1);
		expect_fault(&f, 1, VIRTIO_EFORMAT, VIRTIO_SECTION_UNKNOWN, 0, NULL);
	}
}

static void section_that_is_missing_is_named(void **state)
{
	struct file f;

	(void)state;
	begin(&f);
	virtio_section_write(&f.writer, &extra, 0, 0, &item, NULL, 0);
	expect_fault(&f, 1, VIRTIO_EFORMAT, VIRTIO_SECTION_ABSENT, 40, NULL);
	assert_string_equal(f.reader.fault.section.name, "thing");
	assert_true(f.reader.fault.section.device == 7 && f.reader.fault.section.index == 8);
}

static void section_names_of_full_length_are_told_apart(void **state)
{
	struct virtio_section_layout other = long_name;
	uint64_t out = 0;
	struct file f;

	(void)state;
	other.name = "sixteen-letters!";
	begin(&f);
	virtio_section_write(&f.writer, &long_name, 0, 0, &item, NULL, 0);
	begin_reading(&f);
	assert_false(virtio_section_is_next(&f.reader, &other, 0, 0));
	other.name = "sixteen-letters";
	assert_false(virtio_section_is_next(&f.reader, &other, 0, 0));
	assert_int_equal(virtio_section_read(&f.reader, &long_name, 0, 0, &out, NULL, 0, NULL, NULL), 0);
	assert_int_equal(out, item.eight);
}

/* A program that shows a file reads one header after another, and can go back to a section. */
static void section_next_goes_through_all(void **state)
{
	struct virtio_section section;
	uint64_t out = 0;
	struct file f;

	(void)state;
	begin(&f);
	virtio_section_write(&f.writer, &extra, 1, 2, &item, NULL, 0);
	virtio_section_write(&f.writer, &needed, 3, 4, &item, NULL, 0);
	begin_reading(&f);
	assert_int_equal(virtio_section_next(&f.reader, &section), 1);
	assert_string_equal(section.name, "extra");
	assert_int_equal(virtio_section_next(&f.reader, &section), 1);
	assert_string_equal(section.name, "needed");
	assert_true(section.offset == 72 && section.bytes == 8 && section.version == 1 && !section.skippable);
	virtio_section_rewind(&f.reader, &section);
	assert_int_equal(virtio_section_read(&f.reader, &needed, 3, 4, &out, NULL, 0, NULL, NULL), 0);
	assert_int_equal(out, item.eight);
	section.bytes = 77;
	assert_int_equal(virtio_section_next(&f.reader, &section), 0);
	assert_int_equal(section.bytes, 77);
}

/* Bytes beyond the buffer are counted and not written. */
static void section_write_measures_without_room(void **state)
{
	struct virtio_section_writer measure;
	struct file f;

	(void)state;
	virtio_section_writer_init(&measure, NULL, 0);
	virtio_section_write(&measure, &layouts[1], 7, 8, &item, parts, 2);
	for (size_t capacity = 0; capacity < measure.length; capacity++) {
		memset(&f, 0x5c, sizeof f);
		virtio_section_writer_init(&f.writer, f.bytes, capacity);
		virtio_section_write(&f.writer, &layouts[1], 7, 8, &item, parts, 2);
		assert_int_equal(f.writer.length, measure.length);
		assert_int_equal(f.writer.error, 0);
		for (size_t i = capacity; i < sizeof f.bytes; i++)
			assert_int_equal(f.bytes[i], 0x5c);
	}
}

static void section_that_is_impossible_is_not_written(void **state)
{
	struct file f;

	(void)state;
	begin(&f);
	virtio_section_write(&f.writer, &needed, 0, 0, &item, parts, 1);
	assert_int_equal(f.writer.error, VIRTIO_EINVAL);
	assert_int_equal(f.writer.length, 0);
	virtio_section_write(&f.writer, &needed, 0, 0, &item, NULL, 0);
	assert_int_equal(f.writer.length, 0);
	begin(&f);
	virtio_section_begin(&f.writer, &layouts[1], 0, 0, &item, (VIRTIO_SECTION_MAX_BYTES - 20) / 3);
	assert_int_equal(f.writer.error, 0);
	for (uint32_t i = 0; i < 2; i++) {
		begin(&f);
		virtio_section_begin(&f.writer, &layouts[1], 0, 0, &item,
				     i ? UINT32_MAX : (VIRTIO_SECTION_MAX_BYTES - 20) / 3 + 1);
		assert_int_equal(f.writer.error, VIRTIO_EINVAL);
	}
}

static void expect_refused(struct file *f, const struct virtio_section *where, struct virtio_refusal refusal,
			   size_t offset, const char *text)
{
	char described[300];

	begin_reading(f);
	assert_int_equal(virtio_section_refuse(&f->reader, &layouts[3], where, &refusal, VIRTIO_EALIGN), VIRTIO_EALIGN);
	assert_int_equal(f->reader.fault.reason, VIRTIO_SECTION_REFUSED);
	assert_int_equal(f->reader.fault.offset, offset);
	assert_true(virtio_section_describe(&f->reader.fault, described, sizeof described) < sizeof described);
	assert_string_equal(described, text);
}

/*
 * If a target refuses a value, the library finds the value's offset in the file by the value's
 * name.
 */
static void section_refuse_finds_the_value(void **state)
{
	struct virtio_section where;
	struct item out;
	struct part list[3];
	uint32_t count;
	struct file f;

	(void)state;
	write_thing(&f, 1, 3);
	begin_reading(&f);
	assert_int_equal(virtio_section_read(&f.reader, &layouts[3], 7, 8, &out, list, 3, &count, &where), 0);
	expect_refused(&f, &where, (struct virtio_refusal){ .field = "two", .entry = VIRTIO_SECTION_NO_ENTRY }, 44,
		       "section thing, device 7, index 8: two at byte 44: the target refuses the value: 56814 "
		       "(VIRTIO_EALIGN: misaligned address)");
	expect_refused(&f, &where, (struct virtio_refusal){ .field = "eight", .entry = VIRTIO_SECTION_NO_ENTRY }, 32,
		       "section thing, device 7, index 8: eight at byte 32: the target refuses the value: "
		       "0x1122334455667788 (VIRTIO_EALIGN: misaligned address)");
	expect_refused(
		&f, &where, (struct virtio_refusal){ .field = "head", .entry = 2 }, 58,
		"section thing, device 7, index 8: parts[2].head at byte 58: the target refuses the value: 65534 "
		"(VIRTIO_EALIGN: misaligned address)");
	expect_refused(&f, &where, (struct virtio_refusal){ .field = "parts", .entry = VIRTIO_SECTION_NO_ENTRY }, 48,
		       "section thing, device 7, index 8: parts at byte 48: the target refuses the value: 3 "
		       "(VIRTIO_EALIGN: misaligned address)");
	/* The value is a default, so the file has no byte for this value. */
	expect_refused(&f, &where, (struct virtio_refusal){ .field = "later", .entry = VIRTIO_SECTION_NO_ENTRY }, 48,
		       "section thing, device 7, index 8: later at byte 48: the target refuses the value: 4660 "
		       "(VIRTIO_EALIGN: misaligned address)");
	expect_refused(&f, &where, (struct virtio_refusal){ .field = NULL, .entry = VIRTIO_SECTION_NO_ENTRY }, 32,
		       "section thing, device 7, index 8: at byte 32: the target refuses the value "
		       "(VIRTIO_EALIGN: misaligned address)");
	assert_int_equal(virtio_section_refuse(&f.reader, &layouts[3], &where,
					       &(struct virtio_refusal){ .field = "two", .entry = 0 }, VIRTIO_EINVAL),
			 VIRTIO_EALIGN);
}

static void section_fault_is_described_in_any_room(void **state)
{
	static const char text[] = "file: version at byte 8: the file has an unsupported version: 3, and this library "
				   "reads 1 to 2 (VIRTIO_EVERSION: version of a saved state not supported)";
	const struct virtio_section_fault fault = {
		.error = VIRTIO_EVERSION,
		.reason = VIRTIO_SECTION_FILE_VERSION,
		.field = "version",
		.entry = VIRTIO_SECTION_NO_ENTRY,
		.offset = 8,
		.found = 3,
		.oldest = 1,
		.newest = 2,
	};
	const struct virtio_section_fault none = { .error = 0 };
	char out[sizeof text + 8];

	(void)state;
	for (size_t capacity = 0; capacity <= sizeof text; capacity++) {
		memset(out, 0x5c, sizeof out);
		assert_int_equal(virtio_section_describe(&fault, capacity ? out : NULL, capacity), sizeof text - 1);
		for (size_t i = 0; i < sizeof out; i++)
			assert_int_equal(out[i], i >= capacity ? 0x5c : i + 1 == capacity ? 0 : text[i]);
	}
	assert_int_equal(virtio_section_describe(&none, out, sizeof out), strlen("nothing is wrong"));
	for (int reason = 0; reason < VIRTIO_SECTION_REASONS; reason++)
		assert_string_not_equal(virtio_section_reason_text((enum virtio_section_reason)reason),
					"unknown reason");
	assert_string_equal(virtio_section_reason_text(VIRTIO_SECTION_REASONS), "unknown reason");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(section_has_the_bytes_of_the_specification),
		cmocka_unit_test(section_of_older_version_has_defaults),
		cmocka_unit_test(section_of_version_0_is_refused),
		cmocka_unit_test(section_with_another_length_is_refused),
		cmocka_unit_test(section_with_another_count_is_refused),
		cmocka_unit_test(section_with_bool_of_2_is_refused),
		cmocka_unit_test(section_with_bad_header_is_refused),
		cmocka_unit_test(section_that_is_unknown_is_skipped_only_if_it_says_so),
		cmocka_unit_test(section_that_is_missing_is_named),
		cmocka_unit_test(section_names_of_full_length_are_told_apart),
		cmocka_unit_test(section_next_goes_through_all),
		cmocka_unit_test(section_write_measures_without_room),
		cmocka_unit_test(section_that_is_impossible_is_not_written),
		cmocka_unit_test(section_refuse_finds_the_value),
		cmocka_unit_test(section_fault_is_described_in_any_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
