/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "console_output.h"

#include <string.h>

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void append(struct console_output *output, const uint8_t *bytes, size_t len)
{
	const size_t at = (output->first + output->used) % CONSOLE_OUTPUT_BYTES;
	const size_t front = min(len, CONSOLE_OUTPUT_BYTES - at);

	memcpy(output->bytes + at, bytes, front);
	memcpy(output->bytes, bytes + front, len - front);
	output->used += len;
}

static size_t limit_of(enum console_output_room room)
{
	return room == CONSOLE_ROOM_USUAL || room == CONSOLE_ROOM_NEWEST ? CONSOLE_OUTPUT_KEPT : CONSOLE_OUTPUT_BYTES;
}

size_t console_output_put(struct console_output *output, const void *bytes, size_t len, enum console_output_room room)
{
	const bool drops = room == CONSOLE_ROOM_NEWEST || room == CONSOLE_ROOM_RESERVE_NEWEST;
	const size_t limit = limit_of(room), left = output->used < limit ? limit - output->used : 0;
	const uint8_t *from = bytes;

	if (!drops) {
		append(output, from, min(len, left));
		return min(len, left);
	}
	if (len > limit) {
		output->dropped += len - limit;
		from += len - limit;
	}
	if (len > left) {
		const size_t old = min(len - left, output->used);

		output->dropped += old;
		console_output_take(output, old);
	}
	append(output, from, min(len, limit));
	return len;
}

size_t console_output_peek(const struct console_output *output, const uint8_t **bytes)
{
	*bytes = output->bytes + output->first;
	return min(output->used, CONSOLE_OUTPUT_BYTES - output->first);
}

void console_output_take(struct console_output *output, size_t len)
{
	output->first = (output->first + len) % CONSOLE_OUTPUT_BYTES;
	output->used -= len;
}
