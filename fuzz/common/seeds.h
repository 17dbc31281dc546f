/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The inputs that make_seeds.c writes: a short input for each thing that a harness can do. */
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

/* The seeds of each component, from the component's seeds.c. */
extern const struct seed memory_seeds[];
extern const size_t memory_seed_count;
extern const struct seed queue_seeds[];
extern const size_t queue_seed_count;
extern const struct seed blk_seeds[];
extern const size_t blk_seed_count;
extern const struct seed console_seeds[];
extern const size_t console_seed_count;
extern const struct seed device_seeds[];
extern const size_t device_seed_count;
extern const struct seed state_seeds[];
extern const size_t state_seed_count;
extern const struct seed vsock_seeds[];
extern const size_t vsock_seed_count;
extern const struct seed vhost_user_seeds[];
extern const size_t vhost_user_seed_count;

#endif
