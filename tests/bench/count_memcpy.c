/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The memcpy() of the program that is counted. The C library chooses its memcpy() by the processor,
 * so counts with the C library's memcpy() would differ between machines.
 */
#include <stddef.h>
#include <stdint.h>

typedef uint64_t __attribute__((vector_size(16), aligned(1), may_alias)) block;

#define BLOCK sizeof(block)

/* Copies the first and the last block of len bytes. The two blocks may overlap. */
static inline void copy_two(uint8_t *to, const uint8_t *from, size_t len)
{
	const block first = *(const block *)from, last = *(const block *)(from + len - BLOCK);

	*(block *)to = first;
	*(block *)(to + len - BLOCK) = last;
}

/*
 * The prototype is written here, because the attributes of the C library's prototype do not fit
 * this definition.
 */
void *memcpy(void *to, const void *from, size_t len);

void *memcpy(void *to, const void *from, size_t len)
{
	const uint8_t *in = from;
	uint8_t *out = to;

	if (len < BLOCK) {
		while (len-- > 0)
			out[len] = in[len];
		return to;
	}
	/* Copies four blocks at a time. Some of the last four blocks may overlap. */
	while (len > 4 * BLOCK) {
		copy_two(out, in, 2 * BLOCK);
		copy_two(out + 2 * BLOCK, in + 2 * BLOCK, 2 * BLOCK);
		out += 4 * BLOCK;
		in += 4 * BLOCK;
		len -= 4 * BLOCK;
	}
	if (len <= 2 * BLOCK) {
		/* If fewer than BLOCK bytes are left, the loop has copied more than BLOCK bytes. */
		const size_t again = len < BLOCK ? BLOCK - len : 0;

		copy_two(out - again, in - again, len + again);
		return to;
	}
	copy_two(out, in, 2 * BLOCK);
	copy_two(out + len - 2 * BLOCK, in + len - 2 * BLOCK, 2 * BLOCK);
	return to;
}
