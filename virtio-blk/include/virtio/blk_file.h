/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A back end of the block device on a file descriptor: preadv, pwritev and fdatasync on a regular
 * file or a block device. POSIX hosts only; the one part of the component that isn't freestanding.
 *
 * On Linux a discard punches a hole into a file, or discards on a device, and does nothing where
 * the storage can't; zeroes are made by the file system or the device where it can, and otherwise
 * written. A range that is unmapped reads as zeroes. Secure erase works on block devices only, and
 * only on those that have it: on others a request fails.
 *
 * LIFETIME is not offered, also for a device that knows its own, like an eMMC: it is no file's, and
 * systems tell it each in their own way. Who can ask copies the operations, adds this one, and has
 * the disk use the copy.
 *
 * When a flush has failed, all later ones do, and so do writes and changes of ranges that are
 * flushed: what the guest wrote may be lost, and the kernel says that only once. The way out is
 * another back end, on the file opened anew, by somebody who knows what the file has. Flushes by
 * several threads are carried out one at a time, those that wait for each other's end by one sync
 * for all. Nobody else syncs by this descriptor or a duplicate of it, from dup() or fork(), as they
 * would be told in place of the back end: a second struct virtio_blk_file is somebody else, too.
 * Nor is it opened with O_SYNC or O_DSYNC, with which writes would be.
 *
 * When an operation fails because a system call did, errno is the cause, for whoever tells an
 * operator; every flush after the one that failed sets it to that one's. After success, and where a
 * call was only too short, it says nothing.
 *
 * Interrupted calls are repeated, but for syncs: they may have been told of lost data and not pass
 * it on, so signals are blocked meanwhile, and one that is interrupted all the same has failed.
 * Short calls are continued by the caller of the back end, and the end of a file that has shrunk
 * under the disk is an error for reads; writes and zeroes make it grow. A write beyond the
 * process's RLIMIT_FSIZE raises SIGXFSZ, which ends the process unless that is ignored: then it is
 * an error. A descriptor opened with O_DIRECT works only for drivers whose buffers happen to be
 * aligned as the host demands: don't.
 *
 * Threads: any number at once.
 */
#ifndef VIRTIO_BLK_FILE_H
#define VIRTIO_BLK_FILE_H

#include <pthread.h>
#include <virtio/blk.h>

VIRTIO_BEGIN_DECLS

/*
 * An open file. Set up by virtio_blk_file_backend(); it has nothing that is to be given back. It
 * has mutexes, and the back end points to it, so it is neither copied nor moved while that is used.
 */
struct virtio_blk_file {
	int fd;
	pthread_mutex_t syncing;  /* held during a sync; protects failed */
	pthread_mutex_t counting; /* held for a moment; protects begun, which is changed under both */
	unsigned int begun;       /* syncs */
	int failed;               /* the errno of the one that failed, or 0 */
};

/*
 * Makes a back end of a file, on which no flush has failed yet.
 *
 * @file     set up; must live as long as the back end is used
 * @fd       open for reading, and for writing unless the disk is read-only; stays the caller's, who
 *           closes it when the back end is no longer used
 * @backend  filled in, for struct virtio_blk_options
 *
 * Returns 0, or VIRTIO_EINVAL for a negative fd.
 */
VIRTIO_MUST_CHECK
int virtio_blk_file_backend(struct virtio_blk_file *file, int fd, struct virtio_blk_backend *backend);

/*
 * The size of a regular file or block device.
 *
 * @fd     open; its file position may change
 * @bytes  set on success. Shifted right by VIRTIO_BLK_SECTOR_SHIFT it is the capacity: a last part
 *         that is no whole sector is not reachable.
 *
 * Returns 0; VIRTIO_EINVAL for another kind of file; VIRTIO_EIO if the system can't tell.
 */
VIRTIO_MUST_CHECK
int virtio_blk_file_size(int fd, uint64_t *bytes);

/*
 * Whether write zeroes may give storage back, for options.write_zeroes_may_unmap, which is clear
 * where it never does (virtio 1.4, 5.2.6.2): makes a hole behind the end of a regular file, if the
 * file system can. Storage that was allocated there is given back, and the times of the file's last
 * change are now, as by a write; its bytes and its size stay.
 *
 * @fd  open for writing. Nobody makes the file longer and writes to it meanwhile: up to 64 KiB of
 *      that, near the end that the file had, could become zeroes.
 *
 * Returns true too for a block device, which can't be asked without changing it. False for what is
 * neither.
 */
bool virtio_blk_file_may_unmap(int fd);

VIRTIO_END_DECLS

#endif
