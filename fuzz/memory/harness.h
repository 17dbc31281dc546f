/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The state of one run of the memory harness. */
#ifndef VIRTIO_FUZZ_MEMORY_HARNESS_H
#define VIRTIO_FUZZ_MEMORY_HARNESS_H

#include "../common/shadow_memory.h"

#define MOST_SEGMENTS 48u

struct harness {
	struct fuzz_input in;
	struct shadow_memory *shadow;
	struct shadow_map *maps[2];
	struct virtio_memory_cursor cursors[2];
	struct shadow_map *of[2]; /* the map of each cursor */
	uint64_t base;            /* guest-physical start of memory; a gap may come first */
	uint64_t total;           /* bytes from base to the end of the last region */

	/* The current access. */
	struct virtio_memory_cursor *cursor;
	struct shadow_map *map;
	uint64_t addr, len;
	uint64_t errors; /* the set of errors that the access may return */
	uint64_t calls;  /* number of translation calls before the access */

	/*
	 * The last list of segments. For each segment, `kept` has its region in the model, and
	 * `kept_offset` its offset in the region.
	 */
	struct virtio_segment segments[MOST_SEGMENTS];
	struct shadow_region kept[MOST_SEGMENTS];
	uint64_t kept_offset[MOST_SEGMENTS];
	uint32_t count;
};

#endif
