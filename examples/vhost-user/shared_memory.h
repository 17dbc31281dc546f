/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The guest's memory as a front end shares it: a table of regions, each with a file descriptor.
 *
 * The front end can send any numbers and any descriptors. It can also shrink a mapped file. An
 * access to the lost pages then raises SIGBUS. Therefore:
 *   - Only regular files are mapped (a memfd is one).
 *   - A file that can be sealed (a memfd may allow it) is sealed against shrinking before its size
 *     is read.
 *   - Bytes after the end of the file never become guest memory.
 *   - User Mode Linux and QEMU's memory-backend-file share files that can't be sealed. These files
 *     are accepted. If a thread accesses a lost page of such a file, the handler of SIGBUS maps a
 *     page of zeros there, and marks the memory as damaged.
 *
 * Threads: one thread maps and frees. Any thread may access the memory, and ask whether it is
 * damaged.
 */
#ifndef SHARED_MEMORY_H
#define SHARED_MEMORY_H

#include "vhost_user.h"

#include <virtio/guest_memory.h>

struct guarded_mapping;

struct shared_region {
	struct vhost_user_region region; /* from the front end, checked */
	void *mapping;
	size_t mapping_len;
	size_t offset; /* the region's offset in the mapping */
	int fd;        /* the file, for a process that continues with the memory */
	struct guarded_mapping *guard;
};

/* A mapped table of regions. A table never changes. New memory needs a new table. */
struct shared_memory {
	struct virtio_memory_map map; /* the map that queues use */
	struct virtio_region map_regions[VHOST_USER_MAX_REGIONS];
	struct shared_region regions[VHOST_USER_MAX_REGIONS];
	uint32_t count;
};

/*
 * Installs the handler of SIGBUS. Called once, before memory is mapped. Returns 0, or -1 with
 * errno.
 */
int shared_memory_guard(void);

/*
 * Sets the handler for a SIGBUS outside of guest memory. The handler must end the process. Without
 * a handler the signal has its default action, which ends the process, too.
 */
typedef void shared_memory_fault_fn(int number);
void shared_memory_on_other_fault(shared_memory_fault_fn *handler);

/* Returns whether an access met a lost page. Returns false for NULL, which stands for no memory. */
bool shared_memory_damaged(const struct shared_memory *memory);

/*
 * Maps a table.
 *
 * @table   with a valid count; its numbers are not checked yet
 * @fds     one descriptor for each region; the caller keeps them, and may close them afterwards
 * @reason  set on failure
 *
 * Returns the memory, which shared_memory_free() frees, or NULL.
 */
struct shared_memory *shared_memory_map(const struct vhost_user_memory *table, const int *fds, const char **reason);

/* Unmaps the memory. No queue and no popped request may use the memory any more. Ignores NULL. */
void shared_memory_free(struct shared_memory *memory);

/*
 * Translates an address of the front end into a guest address.
 *
 * @user_addr  address of the first byte
 * @len        bytes; all of them must lie in one region
 * @guest      set on success
 *
 * Returns 0 or VIRTIO_EFAULT. Regions overlap in the front end's address space if a guest has the
 * same page at two addresses. Then the first region that contains the bytes is used.
 */
int shared_memory_user_to_guest(const struct shared_memory *memory, uint64_t user_addr, uint64_t len, uint64_t *guest);

#endif
