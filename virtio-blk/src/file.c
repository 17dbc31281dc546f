/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The back end on a file descriptor. The only source of virtio-blk that is not freestanding. */
#define _GNU_SOURCE /* for fallocate(), preadv() and pwritev() */
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#ifdef __linux__
#include <linux/fs.h>
#include <sys/ioctl.h>
#endif
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>
#include <virtio/blk_file.h>
#include <virtio/guest_access.h>
#include <virtio/sys_iovec.h>

#ifdef IOV_MAX
#define MAX_IOVECS IOV_MAX
#else
#define MAX_IOVECS 16 /* the minimum that POSIX promises */
#endif

VIRTIO_STATIC_ASSERT(sizeof(off_t) == 8, "files may be larger than 2 GiB");

static const uint8_t zeroes[64 << 10];

/*
 * Skips `skip` bytes of a vector, then writes `bytes` zeroes, or fewer if the vector ends earlier.
 * Returns the number of zeroes written.
 */
static int64_t fill_with_zeroes(const struct virtio_iovec *iov, uint32_t count, uint64_t skip, uint64_t bytes)
{
	uint64_t filled = 0;

	for (uint32_t i = 0; i < count && filled < bytes; i++) {
		uint64_t at = skip < iov[i].len ? skip : iov[i].len;

		skip -= at;
		while (at < iov[i].len && filled < bytes) {
			uint64_t part = iov[i].len - at;

			part = part < bytes - filled ? part : bytes - filled;
			part = part < sizeof zeroes ? part : sizeof zeroes;
			virtio_guest_copy_out((uint8_t *)iov[i].base + at, zeroes, (size_t)part);
			at += part;
			filled += part;
		}
	}
	return (int64_t)filled;
}

/*
 * Completes a read that has ended after `got` bytes. If the file ends inside a block, the rest of
 * that block reads as zeroes. Nothing can be read after that block.
 */
static int64_t read_last_block(const struct virtio_blk_file *file, const struct virtio_iovec *iov, uint32_t count,
			       uint64_t offset, int64_t got)
{
	const uint64_t end = offset + (uint64_t)got;
	uint64_t size, whole;
	struct stat st;

	if (fstat(file->fd, &st) || !S_ISREG(st.st_mode))
		return got;
	size = (uint64_t)st.st_size;
	whole = (size + file->block - 1) & ~(uint64_t)(file->block - 1);
	if (end < size || end >= whole)
		return got;
	return got + fill_with_zeroes(iov, count, (uint64_t)got, whole - end);
}

static uint64_t length_of(const struct virtio_iovec *iov, uint32_t count)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < count; i++)
		bytes += iov[i].len;
	return bytes;
}

static int64_t file_readv(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset)
{
	const struct virtio_blk_file *file = context;
	ssize_t got;

	do
		got = preadv(file->fd, virtio_sys_iovec(iov), (int)count, (off_t)offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return VIRTIO_EIO;
	return (uint64_t)got == length_of(iov, count) ? got : read_last_block(file, iov, count, offset, got);
}

static int64_t file_writev(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset)
{
	const struct virtio_blk_file *file = context;
	ssize_t got;

	do
		got = pwritev(file->fd, virtio_sys_iovec(iov), (int)count, (off_t)offset);
	while (got < 0 && errno == EINTR);
	return got < 0 ? VIRTIO_EIO : got;
}

/*
 * Syncs the file. Returns 0 or an errno.
 *
 * Signals are blocked, because an interrupted sync may return EINTR instead of a write error. The
 * kernel may then count the write error as reported, and a second sync could succeed although data
 * is lost. For the same reason a sync that returned EINTR is not repeated.
 */
static int sync_file(int fd)
{
	sigset_t all, before;
	int error;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = fdatasync(fd) ? errno : 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

/*
 * Adds `more` to the number of syncs begun so far, and returns the sum. A sync that begins later
 * covers all data written before this call.
 */
static unsigned int count_syncs(struct virtio_blk_file *file, unsigned int more)
{
	unsigned int begun;

	(void)pthread_mutex_lock(&file->counting);
	file->begun += more;
	begun = file->begun;
	(void)pthread_mutex_unlock(&file->counting);
	return begun;
}

/*
 * The kernel reports a failed write-back to only one sync of an open file, perhaps to another
 * thread's sync. Afterwards the kernel treats the lost data as written. Therefore:
 * - After an error every later flush fails.
 * - Syncs run one at a time. Otherwise one sync could succeed although the error goes to another
 *   sync that still runs.
 *
 * One sync serves all flushes that were called before the sync began.
 */
static int file_flush(void *context)
{
	struct virtio_blk_file *file = context;
	const unsigned int before = count_syncs(file, 0);
	int failed;

	(void)pthread_mutex_lock(&file->syncing);
	/*
	 * While this thread holds the mutex `syncing`, no other thread syncs or changes `begun`. If
	 * `begun` equals `before`, no sync has begun since the flush was called.
	 */
	if (!file->failed && file->begun == before) {
		(void)count_syncs(file, 1);
		file->failed = sync_file(file->fd);
	}
	failed = file->failed;
	(void)pthread_mutex_unlock(&file->syncing);
	if (!failed)
		return 0;
	/* errno tells an operator the cause. Other operations leave errno as the system set it. */
	errno = failed;
	return VIRTIO_EIO;
}

/*
 * Returns whether an operation failed only because the storage does not support the operation, or
 * does not support this granularity.
 */
static bool is_not_supported(int error)
{
	return error == EOPNOTSUPP || error == ENOSYS || error == EINVAL || error == ENODEV || error == ENOTTY;
}

#ifdef __linux__
/* Returns 0 or an errno. */
static int allocate(int fd, int mode, uint64_t offset, uint64_t bytes)
{
	int result;

	do
		result = fallocate(fd, mode, (off_t)offset, (off_t)bytes);
	while (result && errno == EINTR);
	return result ? errno : 0;
}

enum { CAN_PUNCH_HOLES = true };

static int punch_hole(int fd, uint64_t offset, uint64_t bytes)
{
	return allocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, bytes);
}

/* Zeroing a file that has shrunk makes the file grow again, as a write does. */
static int zero_range(int fd, uint64_t offset, uint64_t bytes)
{
	return allocate(fd, FALLOC_FL_ZERO_RANGE, offset, bytes);
}

static int device_control(int fd, unsigned long command, uint64_t offset, uint64_t bytes)
{
	uint64_t range[2] = { offset, bytes };
	int result;

	do
		result = ioctl(fd, command, range);
	while (result && errno == EINTR);
	return result ? errno : 0;
}

static int device_discard(void *context, uint64_t offset, uint64_t bytes)
{
	const struct virtio_blk_file *file = context;
	const int error = device_control(file->fd, BLKDISCARD, offset, bytes);

	return error && !is_not_supported(error) ? VIRTIO_EIO : 0;
}

/* Fails if the device cannot erase, because success would mean that the data is gone. */
static int device_secure_erase(void *context, uint64_t offset, uint64_t bytes)
{
	const struct virtio_blk_file *file = context;

	return device_control(file->fd, BLKSECDISCARD, offset, bytes) ? VIRTIO_EIO : 0;
}
#else
enum { CAN_PUNCH_HOLES = false };

static int punch_hole(int fd, uint64_t offset, uint64_t bytes)
{
	(void)fd, (void)offset, (void)bytes;
	return EOPNOTSUPP;
}

static int zero_range(int fd, uint64_t offset, uint64_t bytes)
{
	return punch_hole(fd, offset, bytes);
}
#endif

static int file_discard(void *context, uint64_t offset, uint64_t bytes)
{
	const struct virtio_blk_file *file = context;
	const int error = punch_hole(file->fd, offset, bytes);

	return error && !is_not_supported(error) ? VIRTIO_EIO : 0;
}

static int write_zeroes(int fd, uint64_t offset, uint64_t bytes)
{
	while (bytes > 0) {
		const size_t part = bytes < sizeof zeroes ? (size_t)bytes : sizeof zeroes;
		const ssize_t put = pwrite(fd, zeroes, part, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return VIRTIO_EIO;
		offset += (uint64_t)put;
		bytes -= (uint64_t)put;
	}
	return 0;
}

/*
 * Returns whether a file has bytes up to the offset `end`. A hole beyond the end of a file cannot
 * be read: the file does not grow when the hole is punched.
 */
static bool reaches(int fd, uint64_t end)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (!S_ISREG(st.st_mode) || (uint64_t)st.st_size >= end);
}

/*
 * Punching a hole also zeroes the range: a hole in a file reads as zeroes, and so does an unmapped
 * range of a device.
 */
static int file_write_zeroes(void *context, uint64_t offset, uint64_t bytes, bool unmap)
{
	const struct virtio_blk_file *file = context;
	int error = EOPNOTSUPP;

	if (unmap && reaches(file->fd, offset + bytes))
		error = punch_hole(file->fd, offset, bytes);
	if (is_not_supported(error))
		error = zero_range(file->fd, offset, bytes);
	if (is_not_supported(error))
		return write_zeroes(file->fd, offset, bytes);
	return error ? VIRTIO_EIO : 0;
}

static const struct virtio_blk_backend_ops file_ops = {
	.readv = file_readv,
	.writev = file_writev,
	.flush = file_flush,
	.discard = file_discard,
	.write_zeroes = file_write_zeroes,
};

#ifdef __linux__
static const struct virtio_blk_backend_ops device_ops = {
	.readv = file_readv,
	.writev = file_writev,
	.flush = file_flush,
	.discard = device_discard,
	.write_zeroes = file_write_zeroes,
	.secure_erase = device_secure_erase,
};
#endif

static const struct virtio_blk_backend_ops *ops_for(int fd)
{
#ifdef __linux__
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISBLK(st.st_mode))
		return &device_ops;
#else
	(void)fd;
#endif
	return &file_ops;
}

int virtio_blk_file_backend(struct virtio_blk_file *file, int fd, struct virtio_blk_backend *backend)
{
	if (fd < 0)
		return VIRTIO_EINVAL;
	*file = (struct virtio_blk_file){
		.fd = fd,
		.block = VIRTIO_BLK_SECTOR_BYTES,
		.syncing = PTHREAD_MUTEX_INITIALIZER,
		.counting = PTHREAD_MUTEX_INITIALIZER,
	};
	*backend = (struct virtio_blk_backend){ .ops = ops_for(fd), .context = file, .max_iovecs = MAX_IOVECS };
	return 0;
}

int virtio_blk_file_set_block(struct virtio_blk_file *file, uint32_t bytes)
{
	if (bytes < VIRTIO_BLK_SECTOR_BYTES || bytes & (bytes - 1))
		return VIRTIO_EINVAL;
	file->block = bytes;
	return 0;
}

bool virtio_blk_file_may_unmap(int fd)
{
	struct stat st;
	uint64_t behind;

	if (fstat(fd, &st))
		return false;
	if (!S_ISREG(st.st_mode))
		return CAN_PUNCH_HOLES && S_ISBLK(st.st_mode);
	/* The hole begins after the block of 64 KiB in which the file ends. */
	behind = ((uint64_t)st.st_size | (sizeof zeroes - 1)) + 1;
	return behind <= INT64_MAX - sizeof zeroes && punch_hole(fd, behind, sizeof zeroes) == 0;
}

int virtio_blk_file_size(int fd, uint64_t *bytes)
{
	struct stat st;
	off_t size;

	if (fstat(fd, &st))
		return VIRTIO_EIO;
	if (S_ISREG(st.st_mode))
		size = st.st_size;
	else if (S_ISBLK(st.st_mode))
		size = lseek(fd, 0, SEEK_END);
	else
		return VIRTIO_EINVAL;
	if (size < 0)
		return VIRTIO_EIO;
	*bytes = (uint64_t)size;
	return 0;
}
