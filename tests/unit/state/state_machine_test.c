/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A machine of three devices is saved and restored many times, with random valid states and with
 * bad files. Hostile 76, 77, 78, 79, 80, 236, 239 and 243.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../common/long.h"
#include "machine.h"
#include "random_state.h"
#include <virtio/bindings/virtio_config.h>
#include <virtio/endian.h>

#define STATES 300u     /* number of random states */
#define MUTATIONS 50000 /* mutated files in each of two tests */

struct migration {
	struct machine from, to;
	uint8_t storage[MACHINE_SECTORS * 512];
	uint8_t ram[MACHINE_RAM], before[MACHINE_RAM];
	uint8_t file[MACHINE_FILE_BYTES], again[MACHINE_FILE_BYTES];
	size_t length;
	struct machine_state state;
	struct virtio_section_reader reader;
	uint64_t random;
};

static struct migration w;

/*
 * Makes a machine in a random state, and its file. The memory keeps bytes of earlier machines. A
 * third of the machines do not offer IN_ORDER. Another third report a used buffer of queue 0.
 */
static void make_file(uint64_t number)
{
	w.random = number;
	machine_make(&w.from, w.ram, w.storage);
	for (uint32_t i = 0; i < MACHINE_DEVICES && number % 3 == 1; i++)
		w.from.parts[i].device.offered[1] &= ~(1u << (VIRTIO_F_IN_ORDER - 32));
	random_state(&w.from, &w.random);
	for (uint32_t i = 0; i < MACHINE_DEVICES && number % 3 == 2; i++)
		virtio_device_interrupt_used(&w.from.parts[i].device, 0);
	w.length = machine_save(&w.from, w.file);
	machine_make(&w.to, w.ram, w.storage);
}

/* Returns whether the machine and the memory are untouched. */
static bool is_as_made(const struct machine *m)
{
	static struct machine fresh;

	machine_make(&fresh, w.ram, w.storage);
	for (uint32_t i = 0; i < MACHINE_DEVICES; i++) {
		const struct virtio_device *device = &m->parts[i].device;

		if (virtio_device_status(device) || device->active || device->first_error ||
		    memcmp(m->parts[i].registers, fresh.parts[i].registers, sizeof m->parts[i].registers) != 0 ||
		    m->parts[i].used_interrupts || m->parts[i].config_interrupts)
			return false;
		for (uint32_t q = 0; q < machine_queues(i); q++)
			if (m->parts[i].queues[q].size)
				return false;
	}
	return m->blk.negotiated == 0 && m->console.negotiated == 0 && m->vsock.negotiated == 0 &&
	       m->table.count == 0 && memcmp(w.before, w.ram, sizeof w.ram) == 0;
}

static void describe(char text[300])
{
	assert_true(virtio_section_describe(&w.reader.fault, text, 300) < 300);
}

static void state_round_trip_gives_the_same_file(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < STATES * long_factor(); i++) {
		char text[300];

		make_file(i);
		memcpy(w.before, w.ram, sizeof w.ram);
		/* A save changes nothing: a second save gives the same file. */
		assert_int_equal(machine_save(&w.from, w.again), w.length);
		assert_memory_equal(w.again, w.file, w.length);
		if (machine_read(&w.to, w.file, w.length, &w.state, &w.reader)) {
			describe(text);
			fail_msg("state %u: %s", (unsigned int)i, text);
		}
		assert_true(is_as_made(&w.to));
		assert_int_equal(machine_restore(&w.to, &w.state), 0);
		/* Also resumes the saved machine, so that both machines can be compared. */
		machine_resume(&w.to);
		machine_resume(&w.from);
		/* A restored machine can be saved at once, and the file is the same. */
		w.length = machine_save(&w.from, w.file);
		assert_int_equal(machine_save(&w.to, w.again), w.length);
		for (size_t at = 0; at < w.length; at++)
			if (w.again[at] != w.file[at])
				fail_msg("state %u differs at byte %u", (unsigned int)i, (unsigned int)at);
	}
}

/*
 * A reset after the restore forgets the recorded requests in flight. None of these requests is
 * carried out.
 */
static void state_reset_after_restore_forgets_the_record(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < STATES; i++) {
		make_file(i);
		assert_int_equal(machine_read(&w.to, w.file, w.length, &w.state, &w.reader), 0);
		assert_int_equal(machine_restore(&w.to, &w.state), 0);
		memcpy(w.before, w.ram, sizeof w.ram);
		for (uint32_t device = 0; device < MACHINE_DEVICES; device++) {
			struct machine_part *part = &w.to.parts[device];

			assert_int_equal(virtio_device_write_status(&part->device, 0), 0);
			assert_int_equal(virtio_device_status(&part->device), 0);
			for (uint32_t q = 0; q < machine_queues(device); q++)
				assert_true(part->held_count[q] == 0 && virtio_queue_quiesced(&part->queues[q]) &&
					    part->queues[q].replay == 0);
		}
		assert_memory_equal(w.before, w.ram, sizeof w.ram);
	}
}

static void state_that_is_cut_or_has_a_flipped_bit_is_refused(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 3; i++) {
		make_file(3 + i);
		memcpy(w.before, w.ram, sizeof w.ram);
		for (size_t length = 0; length < w.length; length++)
			assert_true(machine_read(&w.to, w.file, length, &w.state, &w.reader) < 0);
		for (size_t bit = 0; bit < 8 * w.length; bit++) {
			w.file[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_true(machine_read(&w.to, w.file, w.length, &w.state, &w.reader) < 0);
			w.file[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		assert_true(is_as_made(&w.to));
		assert_int_equal(machine_read(&w.to, w.file, w.length, &w.state, &w.reader), 0);
	}
}

static void put_frame(void)
{
	virtio_put_le64(w.file + 12, w.length);
	virtio_put_le32(w.file + w.length - 4, virtio_queue_ser_checksum(w.file, w.length - 4));
}

/* Changes, removes or inserts some bytes. */
static void mutate(void)
{
	for (uint32_t left = 1 + random_below(&w.random, 3); left > 0; left--) {
		const size_t at = random_below(&w.random, (uint32_t)w.length);
		const uint32_t how = random_below(&w.random, 10);

		if (how < 4) {
			w.file[at] ^= (uint8_t)(1u << random_below(&w.random, 8));
		} else if (how < 7) {
			w.file[at] = (uint8_t)random_below(&w.random, 256);
		} else if (how < 8 && w.length > VIRTIO_QUEUE_SER_FRAME_BYTES + 1) {
			memmove(w.file + at, w.file + at + 1, w.length - at - 1);
			w.length--;
		} else if (how < 9 && w.length < MACHINE_FILE_BYTES) {
			memmove(w.file + at + 1, w.file + at, w.length - at);
			w.length++;
		} else {
			memset(w.file + at, how & 1 ? 0 : 0xff, w.length - at < 4 ? w.length - at : 4);
		}
	}
}

/*
 * Checks that a restored machine can serve requests, be saved and reset, and that its new file can
 * be read.
 */
static void serve(uint32_t number)
{
	struct virtio_section_reader reader;
	size_t length;

	for (uint32_t device = 0; device < MACHINE_DEVICES; device++)
		for (uint32_t q = 0; q < machine_queues(device); q++)
			random_serve(&w.to, device, q);
	length = machine_save(&w.to, w.again);
	machine_make(&w.from, w.ram, w.storage);
	if (machine_read(&w.from, w.again, length, &w.state, &reader))
		fail_msg("mutation %u leads to a machine that can't be restored", (unsigned int)number);
	for (uint32_t device = 0; device < MACHINE_DEVICES; device++) {
		assert_int_equal(virtio_device_write_status(&w.to.parts[device].device, 0), 0);
		assert_int_equal(virtio_device_status(&w.to.parts[device].device), 0);
	}
}

/* Returns whether a mutated file equals the original. Mutations can undo each other. */
static bool is_the_same(const uint8_t *bytes, size_t length)
{
	return length == w.length && memcmp(bytes, w.file, length) == 0;
}

static void state_with_mutations_is_refused(void **state)
{
	static uint8_t good[MACHINE_FILE_BYTES];
	size_t length = 0;

	(void)state;
	for (uint32_t i = 0; i < MUTATIONS * (long_factor() > 1 ? 20 : 1); i++) {
		if (i % 100 == 0) {
			make_file(i);
			memcpy(good, w.file, length = w.length);
			memcpy(w.before, w.ram, sizeof w.ram);
		}
		mutate();
		if (!is_the_same(good, length))
			assert_true(machine_read(&w.to, w.file, w.length, &w.state, &w.reader) < 0);
		if (i % 100 == 99)
			assert_true(is_as_made(&w.to));
		memcpy(w.file, good, w.length = length);
	}
}

/*
 * A changed file with a correct checksum may be refused. A refusal has an offset, and changes
 * nothing. If the file is accepted, the restored machine can serve requests, be saved and be reset.
 */
static void state_with_mutations_and_checksum_is_refused_or_serves(void **state)
{
	static uint8_t good[MACHINE_FILE_BYTES];
	uint32_t refused = 0, restored = 0;
	size_t length = 0;

	(void)state;
	for (uint32_t i = 0; i < MUTATIONS * (long_factor() > 1 ? 20 : 1); i++) {
		char text[300];

		if (i % 100 == 0) {
			make_file(i);
			memcpy(good, w.file, length = w.length);
		}
		memcpy(w.before, w.ram, sizeof w.ram);
		mutate();
		put_frame();
		if (machine_read(&w.to, w.file, w.length, &w.state, &w.reader)) {
			refused++;
			describe(text);
			assert_true(w.reader.fault.offset <= w.length);
			assert_true(w.reader.fault.reason != VIRTIO_SECTION_CHECKSUM);
			assert_non_null(strstr(text, "at byte"));
			assert_true(is_as_made(&w.to));
		} else {
			restored++;
			assert_int_equal(machine_restore(&w.to, &w.state), 0);
			machine_resume(&w.to);
			serve(i);
			memcpy(w.ram, w.before, sizeof w.ram);
			machine_make(&w.to, w.ram, w.storage);
		}
		memcpy(w.file, good, w.length = length);
	}
	print_message("%u refused, %u restored\n", refused, restored);
	assert_true(refused > MUTATIONS / 4 && restored > MUTATIONS / 20);
}

/* Sets a bit of the value at an offset of a section. Stores the text of the refusal in `text`. */
static void refuse_bit(const char *section, size_t offset, uint32_t bit, char text[300])
{
	size_t at = VIRTIO_QUEUE_SER_FRAME_BYTES - 4;

	make_file(0);
	while (strncmp((const char *)w.file + at, section, VIRTIO_SECTION_NAME_MAX) != 0)
		at += VIRTIO_SECTION_HEADER_BYTES + virtio_get_le32(w.file + at + 28);
	at += VIRTIO_SECTION_HEADER_BYTES + offset;
	w.file[at + bit / 8] |= (uint8_t)(1u << bit % 8);
	put_frame();
	assert_int_equal(machine_read(&w.to, w.file, w.length, &w.state, &w.reader), VIRTIO_EINVAL);
	assert_int_equal(w.reader.fault.offset, at);
	describe(text);
}

/* The text of a refused feature must have the bit's number, which an operator can look up. */
static void state_with_a_feature_that_is_not_offered_names_the_bit(void **state)
{
	char text[300];

	(void)state;
	refuse_bit("device", 20, 2, text);
	assert_non_null(strstr(text, "accepted[1] at byte"));
	assert_non_null(strstr(text, ", bit 34 (VIRTIO_EINVAL"));
	refuse_bit("device", 28, 31, text);
	assert_non_null(strstr(text, ", bit 127 (VIRTIO_EINVAL"));
	refuse_bit("blk", 0, 3, text);
	assert_non_null(strstr(text, ", bit 3 (VIRTIO_EINVAL"));
	refuse_bit("console", 0, 20, text);
	assert_non_null(strstr(text, ", bit 20 (VIRTIO_EINVAL"));
	refuse_bit("vsock", 0, 9, text);
	assert_non_null(strstr(text, ", bit 9 (VIRTIO_EINVAL"));
}

/*
 * Changes the bytes of a file's sections, one byte at a time. Returns the number of changed files
 * that the target accepts.
 */
static uint32_t change_each_byte(uint64_t number)
{
	static uint8_t same[MACHINE_FILE_BYTES];
	uint32_t values = 0;

	make_file(number);
	assert_int_equal(machine_read(&w.to, w.file, w.length, &w.state, &w.reader), 0);
	assert_int_equal(machine_restore(&w.to, &w.state), 0);
	assert_int_equal(machine_save(&w.to, same), w.length);
	machine_make(&w.to, w.ram, w.storage);
	for (size_t at = 36; at < w.length - 4; at++) {
		struct virtio_section_reader reader;
		size_t length;
		int error;

		w.file[at] ^= 1;
		put_frame();
		error = machine_read(&w.to, w.file, w.length, &w.state, &reader);
		if (!error) {
			/* An accepted change must show in the next save. */
			assert_int_equal(machine_restore(&w.to, &w.state), 0);
			length = machine_save(&w.to, w.again);
			assert_int_equal(length, w.length);
			if (memcmp(w.again, same, length - 4) == 0)
				fail_msg("state %u: byte %u is not read", (unsigned int)number, (unsigned int)at);
			machine_make(&w.to, w.ram, w.storage);
			values++;
		}
		w.file[at] ^= 1;
	}
	return values;
}

/*
 * A changed byte is refused, or the target's next file differs. States 0 to 9 together have every
 * section and list.
 */
static void state_has_no_byte_that_is_not_read(void **state)
{
	(void)state;
	for (uint64_t number = 0; number < 10; number++)
		assert_true(change_each_byte(number) > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_round_trip_gives_the_same_file),
		cmocka_unit_test(state_reset_after_restore_forgets_the_record),
		cmocka_unit_test(state_that_is_cut_or_has_a_flipped_bit_is_refused),
		cmocka_unit_test(state_with_mutations_is_refused),
		cmocka_unit_test(state_with_mutations_and_checksum_is_refused_or_serves),
		cmocka_unit_test(state_with_a_feature_that_is_not_offered_names_the_bit),
		cmocka_unit_test(state_has_no_byte_that_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
