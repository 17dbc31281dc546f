/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The guest's memory, as QEMU shares it: mapped files.
 *
 * QEMU can send any numbers and any descriptors. It can also shrink a file later: then an access to
 * the lost pages raises SIGBUS. Therefore only regular files are mapped (a memfd is one), never
 * beyond their end, and sealed against shrinking if possible. A QEMU that shrinks an unsealed file
 * kills the process that serves it, and no other.
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

/* Unmaps all memory, which no queue may use any longer. ram may be NULL. */
void guest_ram_free(struct guest_ram *ram);

#endif
