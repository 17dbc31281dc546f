/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Maps the guest's memory. */
#include "shared_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Guarding */

/* Twice the need of 32 devices, each with an old and a new table of 32 regions. */
#define MAX_GUARDED 4096

/*
 * The signal handler's data. The handler runs on the thread that has accessed guest memory.
 * Meanwhile the control thread may map and unmap other memory. An entry is in use while `len` is
 * not 0.
 */
struct guarded_mapping {
	_Atomic uintptr_t start;
	_Atomic size_t len;
	_Atomic size_t unit; /* size of the file's pages */
	atomic_bool damaged;
};

static struct guarded_mapping guarded[MAX_GUARDED];

/* The handler for a SIGBUS outside of guest memory, or NULL. */
static _Atomic(shared_memory_fault_fn *) elsewhere;

/*
 * Finds the mapping of `addr`. The calling thread uses that mapping, so its entry stays. The entry
 * of another mapping may be reused between the two loads of `len`. If the new mapping has another
 * length, the entry is skipped. If the lengths are equal, start and length still belong to one
 * mapping.
 */
static struct guarded_mapping *find_guarded(uintptr_t addr)
{
	for (size_t i = 0; i < MAX_GUARDED; i++) {
		const size_t len = atomic_load(&guarded[i].len);

		if (len && addr - atomic_load(&guarded[i].start) < len && atomic_load(&guarded[i].len) == len)
			return &guarded[i];
	}
	return NULL;
}

/*
 * Maps zeros in place of the lost page. The access is then repeated. A SIGBUS outside of guest
 * memory is raised again when this handler returns. The second signal calls the handler
 * `elsewhere`, or has its default action. This function makes system calls only, because it runs in
 * a signal handler.
 */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
	const int error = errno;
	const uintptr_t addr = (uintptr_t)info->si_addr;
	struct guarded_mapping *g = info->si_code > 0 ? find_guarded(addr) : NULL;

	(void)context;
	if (g) {
		const uintptr_t start = atomic_load(&g->start);
		const size_t unit = atomic_load(&g->unit);
		char *const page = (char *)info->si_addr - (addr - start) % unit;

		if (mmap(page, unit, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		    MAP_FAILED)
			g = NULL;
		else
			atomic_store(&g->damaged, true);
	}
	if (!g) {
		shared_memory_fault_fn *const handler = atomic_load(&elsewhere);

		signal(number, handler ? handler : SIG_DFL);
		if (info->si_code <= 0)
			raise(number);
	}
	errno = error;
}

int shared_memory_guard(void)
{
	struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };

	sigemptyset(&action.sa_mask);
	return sigaction(SIGBUS, &action, NULL);
}

void shared_memory_on_other_fault(shared_memory_fault_fn *handler)
{
	atomic_store(&elsewhere, handler);
}

static struct guarded_mapping *guard(const void *mapping, size_t len, size_t unit)
{
	for (size_t i = 0; i < MAX_GUARDED; i++) {
		struct guarded_mapping *g = &guarded[i];

		if (atomic_load(&g->len) == 0) {
			atomic_store(&g->start, (uintptr_t)mapping);
			atomic_store(&g->unit, unit);
			atomic_store(&g->damaged, false);
			atomic_store(&g->len, len);
			return g;
		}
	}
	return NULL;
}

bool shared_memory_damaged(const struct shared_memory *memory)
{
	for (uint32_t i = 0; memory && i < memory->count; i++)
		if (atomic_load(&memory->regions[i].guard->damaged))
			return true;
	return false;
}

/* Mapping */

/*
 * Checks the numbers of a region, but not against the file. Afterwards neither the addresses of the
 * region's bytes nor their offsets in the file wrap. Partial pages are allowed, because the memory
 * of some guests ends inside a page.
 */
static const char *region_error(const struct vhost_user_region *r)
{
	uint64_t end;

	if (r->size == 0)
		return "memory region of size 0";
	if (__builtin_add_overflow(r->guest_addr, r->size - 1, &end) ||
	    __builtin_add_overflow(r->user_addr, r->size - 1, &end) ||
	    __builtin_add_overflow(r->mmap_offset, r->size, &end))
		return "memory region that wraps around";
	return NULL;
}

static int map_region(struct shared_region *shared, int fd, const char **reason)
{
	const struct vhost_user_region *r = &shared->region;
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t unit, start, len;
	struct stat st;

	*reason = region_error(r);
	if (*reason)
		return -1;
	/* Seal the file before reading its size. Otherwise the file could shrink in between. */
	(void)fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		*reason = "memory region whose descriptor is not a file";
		return -1;
	}
	if (st.st_size < 0 || r->mmap_offset + r->size > (uint64_t)st.st_size) {
		*reason = "memory region that ends beyond the end of its file";
		return -1;
	}
	/*
	 * For a file of huge pages, the mapping's offset and length must be multiples of the file's
	 * page size. st_blksize holds the page size.
	 */
	unit = (uint64_t)st.st_blksize;
	if (unit < page || unit & (unit - 1))
		unit = page;
	start = r->mmap_offset & ~(unit - 1);
	len = (r->mmap_offset + r->size - start + unit - 1) & ~(unit - 1);
	if (len > SIZE_MAX) {
		*reason = "memory region too large";
		return -1;
	}
	shared->mapping = mmap(NULL, (size_t)len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, (off_t)start);
	if (shared->mapping == MAP_FAILED) {
		*reason = "memory region that can't be mapped";
		return -1;
	}
	shared->guard = guard(shared->mapping, (size_t)len, (size_t)unit);
	if (!shared->guard) {
		munmap(shared->mapping, (size_t)len);
		*reason = "too many memory regions";
		return -1;
	}
	shared->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (shared->fd < 0) {
		atomic_store(&shared->guard->len, 0);
		munmap(shared->mapping, (size_t)len);
		*reason = "memory region whose descriptor can't be kept";
		return -1;
	}
	shared->mapping_len = (size_t)len;
	shared->offset = (size_t)(r->mmap_offset - start);
	return 0;
}

struct shared_memory *shared_memory_map(const struct vhost_user_memory *table, const int *fds, const char **reason)
{
	struct shared_memory *memory = calloc(1, sizeof *memory);

	if (!memory) {
		*reason = "out of memory";
		return NULL;
	}
	for (uint32_t i = 0; i < table->count; i++) {
		struct shared_region *shared = &memory->regions[i];

		shared->region = table->regions[i];
		if (map_region(shared, fds[i], reason)) {
			shared_memory_free(memory);
			return NULL;
		}
		memory->count = i + 1;
		memory->map_regions[i] = (struct virtio_region){
			.addr = shared->region.guest_addr,
			.len = shared->region.size,
			.host = (char *)shared->mapping + shared->offset,
		};
	}
	if (virtio_memory_map_init(&memory->map, memory->map_regions, memory->count)) {
		*reason = "memory regions that overlap";
		shared_memory_free(memory);
		return NULL;
	}
	return memory;
}

void shared_memory_free(struct shared_memory *memory)
{
	if (!memory)
		return;
	for (uint32_t i = 0; i < memory->count; i++) {
		atomic_store(&memory->regions[i].guard->len, 0);
		munmap(memory->regions[i].mapping, memory->regions[i].mapping_len);
		close(memory->regions[i].fd);
	}
	free(memory);
}

int shared_memory_user_to_guest(const struct shared_memory *memory, uint64_t user_addr, uint64_t len, uint64_t *guest)
{
	for (uint32_t i = 0; i < memory->count; i++) {
		const struct vhost_user_region *r = &memory->regions[i].region;
		const uint64_t offset = user_addr - r->user_addr;

		if (offset < r->size && len <= r->size - offset) {
			*guest = r->guest_addr + offset;
			return 0;
		}
	}
	return VIRTIO_EFAULT;
}
