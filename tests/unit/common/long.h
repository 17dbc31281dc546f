/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The number of random inputs that a test tries. Long runs try more. */
#ifndef VIRTIO_TESTS_LONG_H
#define VIRTIO_TESTS_LONG_H

#include <stdint.h>
#include <stdlib.h>

#define LONG_FACTOR 10u

/*
 * Returns LONG_FACTOR if the environment variable LONG is set and not empty, else 1.
 * `meson test --setup long` sets the variable.
 */
static inline uint32_t long_factor(void)
{
	const char *value = getenv("LONG");

	return value && *value ? LONG_FACTOR : 1;
}

#endif
