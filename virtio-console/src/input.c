/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The input buffer of a console port. */
#include "console_internal.h"

int virtio_console_input_init(struct virtio_console_input *input, uint8_t *bytes, uint32_t capacity)
{
	if (!bytes || capacity == 0 || capacity > VIRTIO_CONSOLE_INPUT_MAX)
		return VIRTIO_EINVAL;
	/* The first enqueue must set *wake, although no consumer has found the buffer empty yet. */
	*input = (struct virtio_console_input){ .bytes = bytes, .capacity = capacity, .want_bytes = 1 };
	return 0;
}

uint32_t virtio_console_input_capacity(const struct virtio_console_input *input)
{
	return input->capacity;
}

uint32_t virtio_console_input_available(const struct virtio_console_input *input)
{
	return input->capacity - input_between(input, console_load(&input->taken), input->written);
}

bool virtio_console_input_is_empty(const struct virtio_console_input *input)
{
	return console_load(&input->taken) == console_load(&input->written);
}

/*
 * Returns len if all bytes fit. Otherwise asks the consumer to report room, loads `taken` again,
 * and returns the room in bytes. The consumer may have made room before it could see the request.
 */
static uint32_t find_room(struct virtio_console_input *input, size_t len)
{
	const uint32_t room = virtio_console_input_available(input);

	if (room >= len)
		return (uint32_t)len;
	console_store_ordered(&input->want_room, 1);
	return input->capacity - input_between(input, console_load_ordered(&input->taken), input->written);
}

int virtio_console_input_enqueue(struct virtio_console_input *input, const void *bytes, size_t len, bool *wake)
{
	const uint32_t room = find_room(input, len);
	const uint32_t n = len < room ? (uint32_t)len : room;
	const uint32_t at = input_offset(input, input->written);
	const uint32_t front = n < input->capacity - at ? n : input->capacity - at;

	if (n == 0 && len != 0)
		return VIRTIO_ENOBUFS;
	if (n == len)
		console_store(&input->want_room, 0);
	if (n == 0) {
		*wake = false;
		return 0;
	}
	memcpy(input->bytes + at, bytes, front);
	if (front < n)
		memcpy(input->bytes, (const uint8_t *)bytes + front, n - front);
	/*
	 * This store must precede the load of want_bytes. The two accesses pair with
	 * virtio_impl_console_input_sleep().
	 */
	console_store_ordered(&input->written, input_advance(input, input->written, n));
	*wake = console_was_wanted(&input->want_bytes);
	return (int)n;
}

uint32_t virtio_console_input_peek(const struct virtio_console_input *input, void *dst, uint32_t len)
{
	const uint32_t held = input_between(input, input->taken, console_load(&input->written));
	const uint32_t n = len < held ? len : held;
	const uint32_t at = input_offset(input, input->taken);
	const uint32_t front = n < input->capacity - at ? n : input->capacity - at;

	if (n == 0)
		return 0;
	memcpy(dst, input->bytes + at, front);
	if (front < n)
		memcpy((uint8_t *)dst + front, input->bytes, n - front);
	return n;
}

uint32_t virtio_console_input_clear(struct virtio_console_input *input, bool *room)
{
	const uint32_t written = console_load(&input->written);
	const uint32_t held = input_between(input, input->taken, written);

	console_store(&input->taken, written);
	*room = virtio_impl_console_input_wanted(input);
	return held;
}

bool virtio_impl_console_input_sleep(struct virtio_console_input *input)
{
	/*
	 * This store must precede the load of `written`. The two accesses pair with
	 * virtio_console_input_enqueue().
	 */
	console_store_ordered(&input->want_bytes, 1);
	if (console_load_ordered(&input->written) == input->taken)
		return true;
	console_store(&input->want_bytes, 0);
	return false;
}

bool virtio_impl_console_input_wanted(struct virtio_console_input *input)
{
	/*
	 * This store does not change the value. The store only orders the last change of `taken`
	 * before the load of want_room. The store and the load pair with find_room().
	 */
	console_store_ordered(&input->taken, input->taken);
	/* A buffer that is still full has no room to report. */
	if (input_between(input, input->taken, console_load(&input->written)) == input->capacity)
		return false;
	return console_was_wanted(&input->want_room);
}
