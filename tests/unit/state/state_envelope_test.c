/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A file as a whole, before any section is read: hostile 76, 235 and 236. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <virtio/endian.h>

#include "../../../virtio-queue-ser/src/envelope_internal.h"

static const uint8_t id[VIRTIO_QUEUE_SER_ID_BYTES] = { 0xa0, 0xa1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

struct file {
	uint8_t bytes[256];
	size_t length;
};

/* A file with a queue that runs. */
static void make(struct file *f)
{
	const struct virtio_queue_flight record[2] = { { .head = 3 }, { .head = 1 } };
	const struct virtio_queue_state state = {
		.config = { .addr = { 0x1000, 0x2000, 0x3000 }, .max_size = 8, .size = 4, .ready = true },
		.next_avail = 7,
		.next_used = 5,
	};
	struct virtio_section_writer writer;

	memset(f, 0x5c, sizeof *f);
	virtio_queue_ser_begin(&writer, f->bytes, sizeof f->bytes, id);
	virtio_queue_ser_write(&writer, 0, 5, &state, record, 2);
	assert_int_equal(virtio_queue_ser_end(&writer, &f->length), 0);
	assert_true(f->length < sizeof f->bytes);
	assert_int_equal(f->bytes[f->length], 0x5c);
}

static void put_checksum(struct file *f)
{
	virtio_put_le32(f->bytes + f->length - 4, virtio_queue_ser_checksum(f->bytes, f->length - 4));
}

/* Opens a copy in an allocation of its exact size, so that a sanitizer sees reads past the end. */
static int open_copy(const struct file *f, struct virtio_section_fault *fault)
{
	struct virtio_section_reader reader;
	uint8_t *copy = malloc(f->length ? f->length : 1);
	int error;

	assert_non_null(copy);
	memcpy(copy, f->bytes, f->length);
	error = virtio_queue_ser_open(&reader, copy, f->length, id);
	*fault = reader.fault;
	assert_int_equal(reader.fault.error, error);
	free(copy);
	return error;
}

static void expect_fault(const struct file *f, int error, enum virtio_section_reason reason, size_t offset)
{
	struct virtio_section_fault fault;

	assert_int_equal(open_copy(f, &fault), error);
	assert_int_equal(fault.reason, reason);
	assert_int_equal(fault.offset, offset);
	assert_string_equal(fault.section.name, "");
}

/* Checks known results of CRC-32C. The results for 32 bytes are from RFC 3720, B.4. */
static void checksum_is_crc_32c(void **state)
{
	uint8_t bytes[32];

	(void)state;
	assert_int_equal(virtio_queue_ser_checksum("123456789", 9), 0xe3069283);
	assert_int_equal(virtio_queue_ser_checksum("", 0), 0);
	memset(bytes, 0, sizeof bytes);
	assert_int_equal(virtio_queue_ser_checksum(bytes, sizeof bytes), 0x8a9136aa);
	memset(bytes, 0xff, sizeof bytes);
	assert_int_equal(virtio_queue_ser_checksum(bytes, sizeof bytes), 0x62a8ab43);
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = i;
	assert_int_equal(virtio_queue_ser_checksum(bytes, sizeof bytes), 0x46dd794e);
}

static void file_has_the_envelope_of_the_specification(void **state)
{
	static const uint8_t front[] = { 'V', 'I', 'R', 'T', 'I', 'O', 'S', 'S', 1, 0, 0, 0 };
	struct virtio_section_reader reader;
	uint8_t found[VIRTIO_QUEUE_SER_ID_BYTES];
	struct file f;

	(void)state;
	make(&f);
	assert_memory_equal(f.bytes, front, sizeof front);
	assert_int_equal(virtio_get_le64(f.bytes + 12), f.length);
	assert_memory_equal(f.bytes + 20, id, sizeof id);
	assert_memory_equal(f.bytes + 36, "queue", 6);
	assert_int_equal(virtio_get_le32(f.bytes + f.length - 4), virtio_queue_ser_checksum(f.bytes, f.length - 4));
	assert_int_equal(virtio_queue_ser_open(&reader, f.bytes, f.length, id), 0);
	assert_int_equal(virtio_queue_ser_get_id(&reader, found), 1);
	assert_memory_equal(found, id, sizeof id);
	assert_int_equal(virtio_queue_ser_open(&reader, f.bytes, f.length, NULL), 0);
}

/* A file without sections is valid. An empty file is an error. */
static void file_may_be_empty_but_not_absent(void **state)
{
	struct virtio_section_writer writer;
	struct virtio_section_reader reader;
	struct file f = { .length = 77 };

	(void)state;
	virtio_queue_ser_begin(&writer, f.bytes, sizeof f.bytes, NULL);
	assert_int_equal(virtio_queue_ser_end(&writer, &f.length), 0);
	assert_int_equal(f.length, VIRTIO_QUEUE_SER_FRAME_BYTES);
	assert_int_equal(virtio_queue_ser_open(&reader, f.bytes, f.length, NULL), 0);
	assert_int_equal(virtio_section_reader_end(&reader), 0);
	f.length = 0;
	expect_fault(&f, VIRTIO_EFORMAT, VIRTIO_SECTION_FILE_SHORT, 0);
}

static void file_that_is_cut_anywhere_is_refused(void **state)
{
	struct virtio_section_fault fault;
	struct file f;

	(void)state;
	make(&f);
	for (const size_t whole = f.length; f.length > 0;) {
		f.length--;
		assert_int_equal(open_copy(&f, &fault), VIRTIO_EFORMAT);
		assert_int_equal(fault.reason, VIRTIO_SECTION_FILE_SHORT);
		assert_int_equal(fault.found, f.length);
		if (f.length >= VIRTIO_QUEUE_SER_FRAME_BYTES)
			assert_int_equal(fault.expected, whole);
	}
}

static void file_with_bytes_behind_it_is_refused(void **state)
{
	struct file f;

	(void)state;
	make(&f);
	f.length++;
	expect_fault(&f, VIRTIO_EFORMAT, VIRTIO_SECTION_FILE_LONG, 12);
}

/* The header has a length that is too small or too large. The checksum is correct. */
static void file_with_another_length_is_refused(void **state)
{
	static const uint64_t lengths[] = { 0, 1, 39, UINT32_MAX, UINT64_MAX };
	struct file f;

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		make(&f);
		virtio_put_le64(f.bytes + 12, lengths[i]);
		put_checksum(&f);
		expect_fault(&f, VIRTIO_EFORMAT,
			     lengths[i] < f.length ? VIRTIO_SECTION_FILE_LONG : VIRTIO_SECTION_FILE_SHORT, 12);
	}
}

/* Returns the reason why a file with this flipped bit is refused. */
static enum virtio_section_reason reason_of_flip(const struct file *f, size_t bit)
{
	const uint64_t said = virtio_get_le64(f->bytes + 12);

	if (bit < 64)
		return VIRTIO_SECTION_NOT_A_STATE;
	if (bit < 96)
		return VIRTIO_SECTION_FILE_VERSION;
	if (bit >= 160)
		return VIRTIO_SECTION_CHECKSUM;
	return said > f->length ? VIRTIO_SECTION_FILE_SHORT : VIRTIO_SECTION_FILE_LONG;
}

static void file_with_any_bit_flipped_is_refused(void **state)
{
	struct virtio_section_fault fault;
	struct file f;

	(void)state;
	make(&f);
	for (size_t bit = 0; bit < 8 * f.length; bit++) {
		f.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_true(open_copy(&f, &fault) < 0);
		assert_int_equal(fault.reason, reason_of_flip(&f, bit));
		f.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(open_copy(&f, &fault), 0);
}

/*
 * Hostile 235: a wrong version is reported, even if the checksum is wrong, or the file ends after
 * the version.
 */
static void file_of_another_version_is_judged_by_its_version(void **state)
{
	struct virtio_section_fault fault;
	struct file f;

	(void)state;
	for (uint32_t how = 0; how < 4; how++) {
		make(&f);
		virtio_put_le32(f.bytes + 8, how == 0 ? 0 : how == 1 ? UINT32_MAX : 3);
		if (how == 2)
			f.length = 12;
		assert_int_equal(open_copy(&f, &fault), VIRTIO_EVERSION);
		assert_int_equal(fault.reason, VIRTIO_SECTION_FILE_VERSION);
		assert_true(fault.oldest == 1 && fault.newest == VIRTIO_QUEUE_SER_VERSION);
	}
}

/*
 * Two releases get files of versions 1 to 3. The older release reads version 1 only. The newer
 * release reads versions 1 and 2.
 */
static void file_of_invented_version_2_follows_the_rule(void **state)
{
	struct virtio_section_reader reader;
	struct virtio_section_writer writer;
	struct file f;
	char text[200];

	(void)state;
	for (uint16_t written = 1; written <= 3; written++)
		for (uint16_t newest = 1; newest <= 2; newest++) {
			virtio_impl_queue_ser_begin(&writer, f.bytes, sizeof f.bytes, id, written);
			assert_int_equal(virtio_queue_ser_end(&writer, &f.length), 0);
			assert_int_equal(virtio_impl_queue_ser_open(&reader, f.bytes, f.length, id, 1, newest),
					 written <= newest ? 0 : VIRTIO_EVERSION);
		}
	(void)virtio_section_describe(&reader.fault, text, sizeof text);
	assert_string_equal(text, "file: version at byte 8: the file has an unsupported version: 3, and this library "
				  "reads 1 to 2 (VIRTIO_EVERSION: version of a saved state not supported)");
	/* A release that reads only version 2 refuses version 1. */
	make(&f);
	assert_int_equal(virtio_impl_queue_ser_open(&reader, f.bytes, f.length, id, 2, 2), VIRTIO_EVERSION);
}

static void file_of_other_memory_is_refused(void **state)
{
	struct file f;

	(void)state;
	for (size_t i = 0; i < VIRTIO_QUEUE_SER_ID_BYTES; i++) {
		make(&f);
		f.bytes[20 + i] ^= 0x40;
		put_checksum(&f);
		expect_fault(&f, VIRTIO_EINVAL, VIRTIO_SECTION_OTHER_ID, 20);
	}
}

/* A write without a buffer measures the size. A buffer that is too small is not overrun. */
static void file_is_measured_without_room(void **state)
{
	struct virtio_queue_state none;
	struct virtio_section_writer writer;
	uint8_t bytes[256];
	size_t needed = 0, length;

	(void)state;
	virtio_queue_ser_default(&none);
	for (size_t capacity = 0; capacity <= 120; capacity++) {
		memset(bytes, 0x5c, sizeof bytes);
		length = 77;
		virtio_queue_ser_begin(&writer, capacity ? bytes : NULL, capacity, id);
		virtio_queue_ser_write(&writer, 0, 0, &none, NULL, 0);
		if (capacity == 0) {
			assert_int_equal(virtio_queue_ser_end(&writer, &needed), VIRTIO_ENOBUFS);
			assert_int_equal(needed, 40 + 32 + 44);
			continue;
		}
		assert_int_equal(virtio_queue_ser_end(&writer, &length), capacity < needed ? VIRTIO_ENOBUFS : 0);
		assert_int_equal(length, needed);
		for (size_t i = capacity; i < sizeof bytes; i++)
			assert_int_equal(bytes[i], 0x5c);
	}
}

static void file_with_impossible_section_is_not_written(void **state)
{
	struct virtio_queue_state none;
	struct virtio_section_writer writer;
	uint8_t bytes[256];
	size_t length = 77;

	(void)state;
	virtio_queue_ser_default(&none);
	none.next_avail = 1;
	virtio_queue_ser_begin(&writer, bytes, sizeof bytes, id);
	virtio_queue_ser_write(&writer, 0, 0, &none, NULL, 0);
	assert_int_equal(virtio_queue_ser_end(&writer, &length), VIRTIO_EINVAL);
	assert_int_equal(length, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksum_is_crc_32c),
		cmocka_unit_test(file_has_the_envelope_of_the_specification),
		cmocka_unit_test(file_may_be_empty_but_not_absent),
		cmocka_unit_test(file_that_is_cut_anywhere_is_refused),
		cmocka_unit_test(file_with_bytes_behind_it_is_refused),
		cmocka_unit_test(file_with_another_length_is_refused),
		cmocka_unit_test(file_with_any_bit_flipped_is_refused),
		cmocka_unit_test(file_of_another_version_is_judged_by_its_version),
		cmocka_unit_test(file_of_invented_version_2_follows_the_rule),
		cmocka_unit_test(file_of_other_memory_is_refused),
		cmocka_unit_test(file_is_measured_without_room),
		cmocka_unit_test(file_with_impossible_section_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
