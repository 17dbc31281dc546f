/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Functions that all harnesses use. The functions read numbers from an input, and end the run if
 * library and model disagree.
 */
#ifndef VIRTIO_FUZZ_H
#define VIRTIO_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The entry point of a harness. libFuzzer or the replay program calls it once for each input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stops the run unless the condition holds. The text says on what library and model disagree. */
#define FUZZ_CHECK(condition, ...)                                                                                     \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "fuzz: %s:%d: ", __FILE__, __LINE__);                                          \
			fprintf(stderr, __VA_ARGS__);                                                                  \
			fputc('\n', stderr);                                                                           \
			__builtin_trap();                                                                              \
		}                                                                                                      \
	} while (0)

/* Allocates memory for a harness, filled with zeroes. Ends the run if there is no memory. */
static inline void *fuzz_alloc(size_t bytes)
{
	void *p = calloc(1, bytes ? bytes : 1);

	if (!p)
		abort();
	return p;
}

/* An input. After its end it yields zeroes. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

static inline uint8_t fuzz_u8(struct fuzz_input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

static inline uint16_t fuzz_u16(struct fuzz_input *in)
{
	const uint8_t low = fuzz_u8(in);

	return (uint16_t)(low | fuzz_u8(in) << 8);
}

static inline uint32_t fuzz_u32(struct fuzz_input *in)
{
	const uint16_t low = fuzz_u16(in);

	return low | (uint32_t)fuzz_u16(in) << 16;
}

static inline uint64_t fuzz_u64(struct fuzz_input *in)
{
	const uint32_t low = fuzz_u32(in);

	return low | (uint64_t)fuzz_u32(in) << 32;
}

/*
 * Reads a 64-bit number, encoded in one to nine bytes. Short encodings yield numbers that are small
 * or near a power of two, where arithmetic may overflow. The first byte 0xff is followed by any
 * number in 8 bytes.
 */
static inline uint64_t fuzz_number(struct fuzz_input *in)
{
	const uint8_t kind = fuzz_u8(in);

	if (kind < 0xc0)
		return kind;
	if (kind < 0xe0)
		return fuzz_u16(in);
	if (kind < 0xff)
		/* Yields 4, 16, ... 2^60 or 2^64, plus or minus a small number. 2^64 wraps to 0. */
		return (kind == 0xfe ? 0 : (uint64_t)1 << (2 * (kind - 0xe0) + 2)) + (uint64_t)(int8_t)fuzz_u8(in);
	return fuzz_u64(in);
}

/* Returns the bit of an error code in a set of error codes. */
static inline uint64_t fuzz_error_bit(int error)
{
	return error <= -1001 && error > -1065 ? (uint64_t)1 << (-1001 - error) : 0;
}

#endif
