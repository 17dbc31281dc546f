/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The guest's memory, as QEMU shares it: files, mapped.
 *
 * What QEMU can do: give any numbers and any descriptors, and shrink a file later, so that touching
 * what is gone raises SIGBUS. Only regular files are mapped (a memfd is one), sealed against
 * shrinking where they can be, and never beyond their end. A QEMU that shrinks one that can't be
 * sealed kills the process that serves it, and with it nobody else.
 */
#ifndef GUEST_RAM_H
#define GUEST_RAM_H

#include "proxy_protocol.h"

#include <virtio/guest_memory.h>

/* Immutable: changed memory is another struct. */
struct guest_ram {
	struct virtio_memory_map map;
	struct virtio_region regions[PROXY_MAX_FDS];
	struct {
		void *host;
		size_t len;
	} mappings[PROXY_MAX_FDS];
	unsigned int count;
};

/*
 * Maps a table.
 *
 * @table   its numbers are not checked yet
 * @fds     a descriptor for each region; they stay the caller's, and may be closed afterwards
 * @count   at most PROXY_MAX_FDS; 0 is a guest without memory
 * @reason  set on failure
 *
 * Returns the memory, to be unmapped by guest_ram_free(), or NULL.
 */
struct guest_ram *guest_ram_map(const struct proxy_memory *table, const int *fds, unsigned int count,
				const char **reason);

/* Unmaps everything. No queue may use it any longer. NULL is allowed. */
void guest_ram_free(struct guest_ram *ram);

#endif
