/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The guest's memory as a front end shares it: a table of regions, each with a file descriptor.
 *
 * What the front end can do: give any numbers and any descriptors, and shrink a file after it was
 * mapped, so that touching the lost pages raises SIGBUS. That is why only regular files are mapped (a
 * memfd is one), why a file is sealed against shrinking where it can be, before its size is looked at,
 * and why nothing behind its end becomes guest memory. Only a memfd that allows it can be sealed. User
 * Mode Linux and QEMU's memory-backend-file share other files, so they are not refused; when such a file
 * shrinks, pages of zeros take the place of lost ones that are touched, and the memory counts as damaged.
 *
 * Threads: one maps and frees; any may touch the memory, and ask whether it is damaged.
 */
#ifndef SHARED_MEMORY_H
#define SHARED_MEMORY_H

#include "vhost_user.h"

#include <virtio/guest_memory.h>

struct guarded_mapping;

struct shared_region {
	struct vhost_user_region region; /* as the front end sent it, checked */
	void *mapping;
	size_t mapping_len;
	size_t offset; /* of the region in the mapping */
	int fd;        /* of the file, for a process that goes on with the memory */
	struct guarded_mapping *guard;
};

/* A table of regions, mapped. It doesn't change: other memory is another table. */
struct shared_memory {
	struct virtio_memory_map map; /* for queues */
	struct virtio_region map_regions[VHOST_USER_MAX_REGIONS];
	struct shared_region regions[VHOST_USER_MAX_REGIONS];
	uint32_t count;
};

/* To be called once, before memory is mapped: takes over SIGBUS. Returns 0, or -1 with errno. */
int shared_memory_guard(void);

/* Whether pages of it were found to be gone. NULL is in order, and isn't damaged. */
bool shared_memory_damaged(const struct shared_memory *memory);

/*
 * Maps a table.
 *
 * @table   with a valid count; its numbers are not checked yet
 * @fds     one descriptor for each region; they stay the caller's, and may be closed afterwards
 * @reason  set on failure
 *
 * Returns the memory, to be unmapped by shared_memory_free(), or NULL.
 */
struct shared_memory *shared_memory_map(const struct vhost_user_memory *table, const int *fds, const char **reason);

/* Unmaps all. No queue may use it any longer, and no request that was popped from one. NULL is in order. */
void shared_memory_free(struct shared_memory *memory);

/*
 * Turns an address of the front end's into one of the guest's.
 *
 * @user_addr  first byte
 * @len        bytes; all of them must lie in one region
 * @guest      set on success
 *
 * Returns 0 or VIRTIO_EFAULT. Two regions may overlap in the front end's address space, where a guest
 * sees the same page at two addresses; then the first one counts.
 */
int shared_memory_user_to_guest(const struct shared_memory *memory, uint64_t user_addr, uint64_t len, uint64_t *guest);

#endif
