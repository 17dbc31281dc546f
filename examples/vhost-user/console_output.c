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

size_t console_output_put(struct console_output *output, const void *bytes, size_t len, bool drops)
{
	const uint8_t *from = bytes;
	size_t room = CONSOLE_OUTPUT_BYTES - output->used;

	if (!drops) {
		append(output, from, min(len, room));
		return min(len, room);
	}
	if (len > CONSOLE_OUTPUT_BYTES) {
		const size_t old = len - CONSOLE_OUTPUT_BYTES;

		output->dropped += old;
		from += old;
	}
	if (len > room) {
		const size_t old = min(len - room, output->used);

		output->dropped += old;
		console_output_take(output, old);
	}
	append(output, from, min(len, CONSOLE_OUTPUT_BYTES));
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
