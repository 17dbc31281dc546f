/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A guest's memory twice: the real one, which the library works on, and a shadow, which changes only
 * by what the model permits. world_compare() says whether they are the same.
 *
 * The model goes by pieces: what follows one address within one region and one page of the
 * translation. It has no cache and knows nothing of the library's.
 */
#ifndef VIRTIO_FUZZ_WORLD_H
#define VIRTIO_FUZZ_WORLD_H

#include <virtio/guest_memory.h>

#include "fuzz.h"

#define WORLD_BLOCKS 192u
#define WORLD_REGIONS 128u
#define WORLD_LOGS 6u
#define WORLD_MAPS 3u
#define WORLD_PAGES 64u

/* Host memory: allocated to the byte, so that the address sanitizer sees a step beside it. */
struct world_block {
	uint8_t *real;
	uint8_t *shadow;
	size_t lead; /* bytes in front that belong to no region, for odd host addresses */
	size_t len;  /* bytes after those */
};

struct world_log {
	struct virtio_dirty_log log;
	uint8_t *shadow;
};

/* A region as the model knows it. */
struct world_region {
	uint64_t addr;
	uint64_t len;
	uint32_t block;
	size_t start; /* offset in the block, after its lead */
	bool read_only;
	const struct virtio_dirty_log *log; /* or NULL */
};

/* A page of a translation. */
struct world_page {
	uint64_t target; /* guest-physical address */
	uint32_t access; /* VIRTIO_ACCESS_... bits */
	int error;       /* the answer, unless 0 */
};

enum world_hook {
	WORLD_HOOK_PAGE,  /* answers reach to the end of the page */
	WORLD_HOOK_SHORT, /* and no further than asked for */
	WORLD_HOOK_BYTE,  /* one byte at a time */
};

struct world_map {
	struct world *world;
	struct world_region regions[WORLD_REGIONS]; /* sorted by world_map_finish() */
	uint32_t count;
	struct virtio_region *table; /* what the library is given: allocated to the entry */
	struct virtio_memory_map map;
	uint32_t hint; /* the region found last */

	/* The translation; page_shift 0 for none. Pages lie one behind the other from io_base on. */
	uint64_t io_base;
	uint32_t page_shift;
	uint32_t pages_used;
	struct world_page pages[WORLD_PAGES];
	enum world_hook hook;
	uint64_t calls; /* of the hook */
};

struct world {
	struct world_block blocks[WORLD_BLOCKS];
	uint32_t block_count;
	struct world_log logs[WORLD_LOGS];
	uint32_t log_count;
	struct world_map maps[WORLD_MAPS];
};

/* Where one byte is. */
struct world_place {
	const struct world_region *region;
	uint64_t offset; /* in the region */
	uint64_t len;    /* bytes from here to the end of the piece; not 0 */
};

struct world *world_new(void);
void world_free(struct world *w);

/* Adds a block of len bytes, filled with a pattern. Returns its number. */
uint32_t world_add_block(struct world *w, size_t len, size_t lead);

/* Adds a dirty log. NULL when there are too many. */
const struct virtio_dirty_log *world_add_log(struct world *w, uint64_t base, uint8_t shift, uint8_t unit, size_t units);

/* Adds a region over part of a block. False when there are too many. */
bool world_add_region(struct world_map *m, const struct world_region *region);

/* The host address of a region's first byte. */
uint8_t *world_host(const struct world *w, const struct world_region *region);

/* Makes the library's map of the regions added, which must be right, in the order in which they were added. */
void world_map_finish(struct world_map *m);

/* Finds one byte: 0 or an error. The driver's look, which no permission stops, is access 0. */
int world_find(struct world_map *m, uint64_t addr, uint32_t access, struct world_place *out);

/* The set of errors that an access may return; empty if it must succeed. */
uint64_t world_errors(struct world_map *m, uint64_t addr, uint64_t len, uint32_t access);

/* Whether a range permits the access and is one piece. */
bool world_contiguous(struct world_map *m, uint64_t addr, uint64_t len, uint32_t access);

/* How many pieces a range is, as far as it permits the access. */
uint64_t world_pieces(struct world_map *m, uint64_t addr, uint64_t len, uint32_t access);

/* Copies out of the shadow; the range must be there. */
void world_get(struct world_map *m, uint64_t addr, void *dst, size_t len);
uint16_t world_get16(struct world_map *m, uint64_t addr);

/* What the device may do: writes the shadow, and marks the shadow of the dirty log. */
void world_put(struct world_map *m, uint64_t addr, const void *src, size_t len);
void world_put16(struct world_map *m, uint64_t addr, uint16_t value);
void world_put_region(struct world *w, const struct world_region *region, uint64_t offset, const void *src, size_t len);
void world_put_unlogged(struct world *w, const struct world_region *region, uint64_t offset, const void *src,
			size_t len);
const uint8_t *world_shadow(const struct world *w, const struct world_region *region, uint64_t offset);
void world_mark(struct world *w, const struct virtio_dirty_log *log, uint64_t addr, uint64_t len);
void world_mark_region(struct world *w, const struct world_region *region, uint64_t offset, uint64_t len);

/* What the guest does: writes both, as far as the bytes are there, whatever is permitted. */
void world_poke(struct world_map *m, uint64_t addr, const void *src, size_t len);
void world_poke16(struct world_map *m, uint64_t addr, uint16_t value);

/* After the guest has written to the real memory itself. */
void world_accept(struct world *w);

/* Traps unless every byte and every log is as the shadow says. */
void world_compare(const struct world *w);

/* Whether this is the library's entry for a region of the model's. */
bool world_same_region(const struct world_map *m, const struct virtio_region *real, const struct world_region *model);

#endif
