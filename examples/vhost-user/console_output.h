/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The output of a console port that isn't written yet: a ring buffer of bytes with a usual maximum,
 * and a reserve. The reserve is for the rest of a partly accepted chain, and for emergency writes.
 */
#ifndef CONSOLE_OUTPUT_H
#define CONSOLE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONSOLE_OUTPUT_KEPT 65536u /* the usual maximum */
#define CONSOLE_OUTPUT_BYTES (2 * CONSOLE_OUTPUT_KEPT)

/* The most bytes that a buffer may hold, and what happens to further bytes. */
enum console_output_room {
	/* CONSOLE_OUTPUT_KEPT bytes. Further bytes are not added. */
	CONSOLE_ROOM_USUAL,
	/* CONSOLE_OUTPUT_KEPT bytes. New bytes replace the oldest bytes. */
	CONSOLE_ROOM_NEWEST,
	/* CONSOLE_OUTPUT_BYTES. Further bytes are not added. */
	CONSOLE_ROOM_RESERVE,
	/* CONSOLE_OUTPUT_BYTES. New bytes replace the oldest bytes. */
	CONSOLE_ROOM_RESERVE_NEWEST,
};

struct console_output {
	uint8_t bytes[CONSOLE_OUTPUT_BYTES];
	size_t first, used; /* `first`: offset of the oldest byte; `used`: number of bytes */
	uint64_t dropped;   /* bytes that were dropped before they were written */
};

/*
 * Adds bytes. Returns the number of bytes accepted, from the first byte on. If new bytes replace
 * old bytes, all bytes are accepted.
 */
size_t console_output_put(struct console_output *output, const void *bytes, size_t len, enum console_output_room room);

/*
 * Sets *bytes to the oldest byte. Returns the number of bytes that lie contiguously from there on.
 */
size_t console_output_peek(const struct console_output *output, const uint8_t **bytes);

/* Removes the oldest `len` bytes; `len` must be at most `used`. */
void console_output_take(struct console_output *output, size_t len);

#endif
