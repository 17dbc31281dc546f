/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Output of a console port on its way to the host's end: a ring of bytes with a bound. */
#ifndef CONSOLE_OUTPUT_H
#define CONSOLE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONSOLE_OUTPUT_BYTES 65536u

struct console_output {
	uint8_t bytes[CONSOLE_OUTPUT_BYTES];
	size_t first, used; /* offset of the oldest byte, and number of bytes */
	uint64_t dropped;   /* bytes dropped to make room for newer ones */
};

/*
 * Adds bytes.
 *
 * @drops  the oldest bytes make room, and all new ones are taken
 *
 * Returns how many bytes were taken, from the first one on.
 */
size_t console_output_put(struct console_output *output, const void *bytes, size_t len, bool drops);

/* The oldest bytes that lie in one piece. Returns how many. */
size_t console_output_peek(const struct console_output *output, const uint8_t **bytes);

/* Drops the oldest bytes; `len` is at most the number of bytes. */
void console_output_take(struct console_output *output, size_t len);

#endif
