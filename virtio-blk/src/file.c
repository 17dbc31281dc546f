/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The back end on a file descriptor. Hosted: the only file of the component that knows an errno. */
#define _DEFAULT_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>
#include <virtio/blk_file.h>

#ifdef IOV_MAX
#define MAX_IOVECS IOV_MAX
#else
#define MAX_IOVECS 16 /* what POSIX promises */
#endif

VIRTIO_STATIC_ASSERT(sizeof(struct iovec) == sizeof(struct virtio_iovec), "ours has the layout of struct iovec");
VIRTIO_STATIC_ASSERT(offsetof(struct iovec, iov_base) == offsetof(struct virtio_iovec, base), "offset of base");
VIRTIO_STATIC_ASSERT(offsetof(struct iovec, iov_len) == offsetof(struct virtio_iovec, len), "offset of len");
VIRTIO_STATIC_ASSERT(sizeof(off_t) == 8, "files may be larger than 2 GiB");

static int64_t file_readv(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset)
{
	const struct virtio_blk_file *file = context;
	ssize_t got;

	do
		got = preadv(file->fd, (const struct iovec *)(const void *)iov, (int)count, (off_t)offset);
	while (got < 0 && errno == EINTR);
	return got < 0 ? VIRTIO_EIO : got;
}

static int64_t file_writev(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset)
{
	const struct virtio_blk_file *file = context;
	ssize_t got;

	do
		got = pwritev(file->fd, (const struct iovec *)(const void *)iov, (int)count, (off_t)offset);
	while (got < 0 && errno == EINTR);
	return got < 0 ? VIRTIO_EIO : got;
}

/*
 * Never repeated after a real error: the kernel reports a failed write-back once, and a second call
 * would then say that all is well.
 */
static int file_flush(void *context)
{
	const struct virtio_blk_file *file = context;
	int error;

	do
		error = fdatasync(file->fd);
	while (error && errno == EINTR);
	return error ? VIRTIO_EIO : 0;
}

static const struct virtio_blk_backend_ops file_ops = {
	.readv = file_readv,
	.writev = file_writev,
	.flush = file_flush,
};

int virtio_blk_file_backend(struct virtio_blk_file *file, int fd, struct virtio_blk_backend *backend)
{
	if (fd < 0)
		return VIRTIO_EINVAL;
	file->fd = fd;
	*backend = (struct virtio_blk_backend){ .ops = &file_ops, .context = file, .max_iovecs = MAX_IOVECS };
	return 0;
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
