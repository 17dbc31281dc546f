/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Two copies of guest memory: real memory, on which the library works, and shadow memory, which
 * changes only as the model permits. shadow_compare() checks that both are the same.
 *
 * The model works in pieces. A piece begins at an address, and ends at the end of its region or of
 * its page of the translation. The model does not read the library's caches. The model's own hint
 * only makes look-ups faster.
 */
#ifndef VIRTIO_FUZZ_SHADOW_MEMORY_H
#define VIRTIO_FUZZ_SHADOW_MEMORY_H

#include <virtio/guest_memory.h>

#include "fuzz.h"

/* Bytes of a descriptor and of an element of the used ring (virtio 1.4, 2.7.5 and 2.7.8). */
#define DESC_BYTES 16
#define USED_BYTES 8

#define SHADOW_BLOCKS 192u
#define SHADOW_REGIONS 128u
#define SHADOW_LOGS 6u
#define SHADOW_MAPS 3u
#define SHADOW_PAGES 64u

/* Host memory of exactly lead + len bytes, so that AddressSanitizer sees any access outside. */
struct shadow_block {
	uint8_t *real;
	uint8_t *shadow;
	size_t lead; /* unused bytes before the regions, so that host addresses can be misaligned */
	size_t len;  /* bytes after the lead */
};

struct shadow_log {
	struct virtio_dirty_log log;
	uint8_t *shadow;
};

/* The model's copy of a region. */
struct shadow_region {
	uint64_t addr;
	uint64_t len;
	uint32_t block;
	size_t start; /* offset in the block, after its lead */
	bool read_only;
	const struct virtio_dirty_log *log; /* NULL if the region has no log */
};

/* A page of a translation. */
struct shadow_page {
	uint64_t target; /* guest-physical address */
	uint32_t access; /* VIRTIO_ACCESS_... bits */
	int error;       /* if not 0, the translation fails with this error */
};

/* The length of one answer of the translation. */
enum shadow_hook {
	/*
	 * Up to the end of the page. For the last page of the address space, the answer is one page
	 * longer, and reaches past the address space.
	 */
	SHADOW_HOOK_PAGE,
	SHADOW_HOOK_SHORT, /* up to the end of the page, but at most the requested length */
	SHADOW_HOOK_BYTE,  /* one byte */
};

struct shadow_map {
	struct shadow_memory *shadow;
	struct shadow_region regions[SHADOW_REGIONS]; /* sorted by shadow_map_finish() */
	uint32_t count;
	struct virtio_region *table; /* the library's table, allocated with exactly count entries */
	struct virtio_memory_map map;
	uint32_t hint; /* index of the region that was found last */

	/*
	 * The translation. If page_shift is 0, there is no translation. The first page begins at
	 * io_base.
	 */
	uint64_t io_base;
	uint32_t page_shift;
	uint32_t pages_used;
	struct shadow_page pages[SHADOW_PAGES];
	enum shadow_hook hook;
	uint64_t calls; /* calls of the translation function */
};

struct shadow_memory {
	struct shadow_block blocks[SHADOW_BLOCKS];
	uint32_t block_count;
	struct shadow_log logs[SHADOW_LOGS];
	uint32_t log_count;
	struct shadow_map maps[SHADOW_MAPS];
};

/* The position of one byte. */
struct shadow_place {
	const struct shadow_region *region;
	uint64_t offset; /* offset of the byte in the region */
	uint64_t len;    /* bytes from here to the end of the piece, at least 1 */
};

struct shadow_memory *shadow_new(void);
void shadow_free(struct shadow_memory *w);

/* Adds a block of `len` bytes, filled with a pattern. Returns its number. */
uint32_t shadow_add_block(struct shadow_memory *w, size_t len, size_t lead);

/* Adds a dirty log. Returns NULL if there are too many logs. */
const struct virtio_dirty_log *shadow_add_log(struct shadow_memory *w, uint64_t base, uint8_t shift, uint8_t unit,
					      size_t units);

/* Adds a region over a part of a block. Returns false if there are too many regions. */
bool shadow_add_region(struct shadow_map *m, const struct shadow_region *region);

/* Returns the host address of a region's first byte. */
uint8_t *shadow_host(const struct shadow_memory *w, const struct shadow_region *region);

/*
 * Makes the library's map from the added regions, in the order in which they were added. The
 * regions must be valid.
 */
void shadow_map_finish(struct shadow_map *m);

/*
 * Finds the position of one byte. Returns 0 or an error. Access 0 means an access of the driver, to
 * which permissions and errors of pages do not apply.
 */
int shadow_find(struct shadow_map *m, uint64_t addr, uint32_t access, struct shadow_place *out);

/* Returns the set of errors that an access may return. The set is 0 if the access must succeed. */
uint64_t shadow_errors(struct shadow_map *m, uint64_t addr, uint64_t len, uint32_t access);

/* Returns whether a range permits the access and lies in one piece. */
bool shadow_contiguous(struct shadow_map *m, uint64_t addr, uint64_t len, uint32_t access);

/* Returns the number of pieces of a range, up to the first byte that does not permit the access. */
uint64_t shadow_pieces(struct shadow_map *m, uint64_t addr, uint64_t len, uint32_t access);

/* Copies bytes from the shadow. All of the range must be in regions. */
void shadow_get(struct shadow_map *m, uint64_t addr, void *dst, size_t len);
uint16_t shadow_get16(struct shadow_map *m, uint64_t addr);

/*
 * Record writes of the device in the shadow. All these functions except shadow_put_unlogged() also
 * mark the shadow of the dirty log.
 */
void shadow_put(struct shadow_map *m, uint64_t addr, const void *src, size_t len);
void shadow_put16(struct shadow_map *m, uint64_t addr, uint16_t value);
void shadow_put_region(struct shadow_memory *w, const struct shadow_region *region, uint64_t offset, const void *src,
		       size_t len);
void shadow_put_unlogged(struct shadow_memory *w, const struct shadow_region *region, uint64_t offset, const void *src,
			 size_t len);
/* Returns the shadow of the byte at an offset of a region. */
const uint8_t *shadow_shadow(const struct shadow_memory *w, const struct shadow_region *region, uint64_t offset);
/* Mark a range only in the shadow of the dirty log. */
void shadow_mark(struct shadow_memory *w, const struct virtio_dirty_log *log, uint64_t addr, uint64_t len);
void shadow_mark_region(struct shadow_memory *w, const struct shadow_region *region, uint64_t offset, uint64_t len);

/* Write as the guest, to real memory and the shadow. Skip bytes outside of all regions. */
void shadow_poke(struct shadow_map *m, uint64_t addr, const void *src, size_t len);
void shadow_poke16(struct shadow_map *m, uint64_t addr, uint16_t value);

/* Copies real memory to the shadow, after the guest has written only to real memory. */
void shadow_accept(struct shadow_memory *w);

/* Traps unless every byte and every dirty log agrees with its shadow. */
void shadow_compare(const struct shadow_memory *w);

/*
 * Returns whether the library's region is an entry of the map's table, and has the address and
 * length of the model's region.
 */
bool shadow_same_region(const struct shadow_map *m, const struct virtio_region *real,
			const struct shadow_region *model);

#endif
