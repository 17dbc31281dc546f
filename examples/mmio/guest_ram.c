/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Maps the guest's memory. */
#include "guest_ram.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Checks the numbers of a region. After this check addr + size - 1 and offset + size do not wrap.
 */
static const char *region_error(uint64_t addr, uint64_t size, uint64_t offset)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t end;

	if (size == 0)
		return "memory region of size 0";
	if ((addr | size | offset) & (page - 1))
		return "memory region that is not made of whole pages";
	if (__builtin_add_overflow(addr, size - 1, &end) || __builtin_add_overflow(offset, size, &end))
		return "memory region that wraps around";
	if (size > SIZE_MAX || end > INT64_MAX)
		return "memory region too large";
	return NULL;
}

static const char *file_error(int fd, uint64_t end)
{
	struct stat st;

	/* Seal before reading the size. Otherwise the file could shrink in between. */
	(void)fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return "memory region whose descriptor is not a file";
	if (st.st_size < 0 || end > (uint64_t)st.st_size)
		return "memory region that ends beyond the end of its file";
	return NULL;
}

/* Maps entry number ram->count of the table. Returns NULL, or what is wrong. */
static const char *add_region(struct guest_ram *ram, const struct proxy_memory *table, int fd)
{
	const unsigned int i = ram->count;
	const uint64_t size = table->size[i], offset = table->offset[i];
	const char *wrong = region_error(table->addr[i], size, offset);
	void *host;

	if (!wrong)
		wrong = file_error(fd, offset + size);
	if (wrong)
		return wrong;
	host = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, (off_t)offset);
	if (host == MAP_FAILED)
		return "memory region that can't be mapped for reading and writing";
	ram->mappings[i].host = host;
	ram->mappings[i].len = (size_t)size;
	ram->regions[i] = (struct virtio_region){ .addr = table->addr[i], .len = size, .host = host };
	ram->count++;
	return NULL;
}

struct guest_ram *guest_ram_map(const struct proxy_memory *table, const int *fds, unsigned int count,
				const char **reason)
{
	struct guest_ram *ram = calloc(1, sizeof *ram);
	const char *wrong = ram ? NULL : "out of memory";

	while (!wrong && ram->count < count)
		wrong = add_region(ram, table, fds[ram->count]);
	if (!wrong && virtio_memory_map_init(&ram->map, ram->regions, ram->count))
		wrong = "memory regions that overlap";
	if (!wrong)
		return ram;
	guest_ram_free(ram);
	*reason = wrong;
	return NULL;
}

void guest_ram_free(struct guest_ram *ram)
{
	if (!ram)
		return;
	for (unsigned int i = 0; i < ram->count; i++)
		munmap(ram->mappings[i].host, ram->mappings[i].len);
	free(ram);
}
