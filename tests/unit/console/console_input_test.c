/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The input buffer of a console port, used by one thread. tests/threads has a test with two
 * threads.
 */
#include "console_fixture.h"

static void input_init_refuses_bad_capacity(void **state)
{
	const uint32_t bad[] = { 0, VIRTIO_CONSOLE_INPUT_MAX + 1, UINT32_MAX };
	static uint8_t bytes[VIRTIO_CONSOLE_INPUT_MAX];
	struct virtio_console_input input, before;

	(void)state;
	memset(&input, 0x5a, sizeof input);
	memcpy(&before, &input, sizeof before);
	for (uint32_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(virtio_console_input_init(&input, bytes, bad[i]), VIRTIO_EINVAL);
	assert_int_equal(virtio_console_input_init(&input, NULL, 16), VIRTIO_EINVAL);
	assert_memory_equal(&input, &before, sizeof input);
}

static void input_init_accepts_every_capacity_in_range(void **state)
{
	const uint32_t good[] = { 1, 2, VIRTIO_CONSOLE_INPUT_DEFAULT, VIRTIO_CONSOLE_INPUT_MAX };
	static uint8_t bytes[VIRTIO_CONSOLE_INPUT_MAX];
	struct virtio_console_input input;

	(void)state;
	assert_int_equal(VIRTIO_CONSOLE_INPUT_DEFAULT, 4096);
	for (uint32_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(virtio_console_input_init(&input, bytes, good[i]), 0);
		assert_int_equal(virtio_console_input_capacity(&input), good[i]);
		assert_int_equal(virtio_console_input_available(&input), good[i]);
		assert_true(virtio_console_input_is_empty(&input));
	}
}

/* Regression R31: the buffer is bounded, and reports that it is full. */
static void input_enqueue_reports_a_full_buffer(void **state)
{
	uint8_t bytes[4], seen[4];
	struct virtio_console_input input;
	bool wake = true;

	(void)state;
	assert_int_equal(virtio_console_input_init(&input, bytes, 4), 0);
	assert_int_equal(virtio_console_input_enqueue(&input, "abcdef", 6, &wake), 4);
	assert_true(wake);
	assert_int_equal(virtio_console_input_available(&input), 0);
	assert_false(virtio_console_input_is_empty(&input));
	assert_int_equal(virtio_console_input_enqueue(&input, "ef", 2, &wake), VIRTIO_ENOBUFS);
	assert_true(wake);
	assert_int_equal(virtio_console_input_peek(&input, seen, sizeof seen), 4);
	assert_memory_equal(seen, "abcd", 4);
}

static void input_enqueue_of_nothing_changes_nothing(void **state)
{
	uint8_t bytes[4];
	struct virtio_console_input input;
	bool wake = true;

	(void)state;
	assert_int_equal(virtio_console_input_init(&input, bytes, 4), 0);
	assert_int_equal(virtio_console_input_enqueue(&input, NULL, 0, &wake), 0);
	assert_false(wake);
	assert_true(virtio_console_input_is_empty(&input));
	assert_int_equal(virtio_console_input_enqueue(&input, "abcd", 4, &wake), 4);
	assert_true(wake);
	/* A call with length 0 succeeds although the buffer is full. */
	assert_int_equal(virtio_console_input_enqueue(&input, NULL, 0, &wake), 0);
}

/* The consumer is woken once, because after one wake-up it takes all bytes. */
static void input_enqueue_wakes_only_a_consumer_that_waits(void **state)
{
	uint8_t bytes[8];
	struct virtio_console_input input;
	bool wake = false;

	(void)state;
	assert_int_equal(virtio_console_input_init(&input, bytes, 8), 0);
	assert_int_equal(virtio_console_input_enqueue(&input, "a", 1, &wake), 1);
	assert_true(wake);
	assert_int_equal(virtio_console_input_enqueue(&input, "b", 1, &wake), 1);
	assert_false(wake);
}

static void input_peek_shows_bytes_across_the_end(void **state)
{
	uint8_t bytes[5], seen[8] = { 0 };
	struct virtio_console_input input;
	bool wake, room;

	(void)state;
	assert_int_equal(virtio_console_input_init(&input, bytes, 5), 0);
	for (uint32_t i = 0; i < 23; i++) {
		const char text[] = { (char)i, (char)(i + 100), (char)(i + 50) };

		assert_int_equal(virtio_console_input_enqueue(&input, text, 3, &wake), 3);
		assert_int_equal(virtio_console_input_available(&input), 2);
		assert_int_equal(virtio_console_input_peek(&input, seen, 2), 2);
		assert_memory_equal(seen, text, 2);
		assert_int_equal(virtio_console_input_peek(&input, seen, sizeof seen), 3);
		assert_memory_equal(seen, text, 3);
		assert_int_equal(virtio_console_input_clear(&input, &room), 3);
		assert_false(room);
	}
	assert_int_equal(virtio_console_input_peek(&input, seen, sizeof seen), 0);
}

static void input_clear_drops_all_and_wakes_a_waiting_producer(void **state)
{
	uint8_t bytes[4];
	struct virtio_console_input input;
	bool wake, room = true;

	(void)state;
	assert_int_equal(virtio_console_input_init(&input, bytes, 4), 0);
	assert_int_equal(virtio_console_input_clear(&input, &room), 0);
	assert_false(room);
	assert_int_equal(virtio_console_input_enqueue(&input, "abcde", 5, &wake), 4);
	assert_int_equal(virtio_console_input_clear(&input, &room), 4);
	assert_true(room);
	assert_true(virtio_console_input_is_empty(&input));
	assert_int_equal(virtio_console_input_available(&input), 4);
	/* The call above has reported the room, so the next call sets `room` to false. */
	assert_int_equal(virtio_console_input_clear(&input, &room), 0);
	assert_false(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(input_init_refuses_bad_capacity),
		cmocka_unit_test(input_init_accepts_every_capacity_in_range),
		cmocka_unit_test(input_enqueue_reports_a_full_buffer),
		cmocka_unit_test(input_enqueue_of_nothing_changes_nothing),
		cmocka_unit_test(input_enqueue_wakes_only_a_consumer_that_waits),
		cmocka_unit_test(input_peek_shows_bytes_across_the_end),
		cmocka_unit_test(input_clear_drops_all_and_wakes_a_waiting_producer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
