/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The guest's memory: files that QEMU shares, mapped into this process.
 *
 * QEMU can send any numbers and any descriptors. Therefore only regular files are mapped (a memfd
 * is a regular file), and never beyond their end. QEMU can also shrink a file later. An access to
 * the lost pages then raises SIGBUS. So files are sealed against shrinking if possible. If QEMU
 * shrinks an unsealed file, only the process that serves this QEMU dies.
 */
#ifndef GUEST_RAM_H
#define GUEST_RAM_H

#include "proxy_protocol.h"

#include <virtio/guest_memory.h>

/* Immutable. A change of memory makes a new struct guest_ram. */
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
 * Maps the regions of a table.
 *
 * @table   from QEMU, not checked yet
 * @fds     a descriptor for each region. The caller keeps the descriptors, and may close them after
 *          the call.
 * @count   at most PROXY_MAX_FDS; 0 for a guest without memory
 * @reason  set to what is wrong, on failure
 *
 * Returns the memory, to be unmapped by guest_ram_free(), or NULL.
 */
struct guest_ram *guest_ram_map(const struct proxy_memory *table, const int *fds, unsigned int count,
				const char **reason);

/* Unmaps the memory. No queue may use the memory any longer. `ram` may be NULL. */
void guest_ram_free(struct guest_ram *ram);

#endif
