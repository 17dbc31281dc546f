/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The inputs that make_seeds.c writes, one short one for each thing that a harness can do. */
#ifndef VIRTIO_FUZZ_SEEDS_H
#define VIRTIO_FUZZ_SEEDS_H

#include "fuzz.h"

struct seed {
	const char *harness;
	const char *name;
	size_t size;
	const uint8_t *bytes;
};

#define SEED(harness, name, ...)                                                                                       \
	{                                                                                                              \
		harness, name, sizeof((const uint8_t[]){ __VA_ARGS__ }), (const uint8_t[])                             \
		{                                                                                                      \
			__VA_ARGS__                                                                                    \
		}                                                                                                      \
	}

/* Those of the block harness. */
extern const struct seed blk_seeds[];
extern const size_t blk_seed_count;

/* Those of the device harness. */
extern const struct seed device_seeds[];
extern const size_t device_seed_count;

#endif
