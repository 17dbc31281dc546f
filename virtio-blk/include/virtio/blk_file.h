/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A back end of the block device on a file descriptor: preadv, pwritev and fdatasync on a regular
 * file or a block device. The host must have POSIX threads, preadv() and pwritev(). All other
 * parts of virtio-blk are freestanding.
 *
 * Operations, on Linux:
 *   discard       makes a hole in a file, or discards on a device; does nothing if the file system
 *                 or the device does not support this operation
 *   write_zeroes  the file system or the device zeroes the range if it can; otherwise zeroes are
 *                 written. An unmapped range reads as zeroes.
 *   secure_erase  missing for a regular file; fails on a device that does not support secure erase
 *   lifetime      missing, so LIFETIME is not offered. A caller who can read the lifetime copies
 *                 the table of operations, adds lifetime(), and puts the copy into the back end.
 *
 * After a failed flush:
 * - All later flushes fail. Under write-through, writes and changes of ranges fail, too. Data that
 *   the guest wrote may be lost, and the kernel reports the loss only once.
 * - Somebody who knows the file's content must check the file. Then open the file again, and make a
 *   new back end.
 *
 * Rules for the caller:
 * - No other code may sync through this descriptor or a duplicate of it (dup(), fork()). The kernel
 *   could report a lost write only to that code. Make one struct virtio_blk_file per open file.
 * - Do not open the file with O_SYNC or O_DSYNC: each write would sync.
 * - Do not open the file with O_DIRECT, which works only if the driver's buffers have the alignment
 *   that the host requires.
 * - Ignore SIGXFSZ if RLIMIT_FSIZE is set. Otherwise a write beyond that limit ends the process.
 *
 * Errors and interrupted calls:
 * - When a system call has failed, errno is the cause. Every flush after a failed flush sets errno
 *   to the cause of that failure. After success, and after a short call, errno means nothing.
 * - Interrupted calls are repeated, except syncs. An interrupted sync may have consumed the report
 *   of lost data. So signals are blocked during a sync, and an interrupted sync is a failed sync.
 * - The caller of the back end continues short calls.
 * - If the file has become shorter than the disk, writev() and write_zeroes() make the file grow.
 *   A read beyond the file's last block fails: see virtio_blk_file_set_block().
 *
 * Threads:
 *   functions                               who may call   what must not run beside
 *   the operations                          thread-safe
 *   virtio_blk_file_backend(),              any thread     use of the same struct virtio_blk_file
 *   virtio_blk_file_set_block()
 *   virtio_blk_file_size(),                 any thread     other use of the file position, changes
 *   virtio_blk_file_may_unmap()                            of the file's length
 *
 * Syncs run one at a time. One sync serves all flushes that wait when the sync begins.
 */
#ifndef VIRTIO_BLK_FILE_H
#define VIRTIO_BLK_FILE_H

#include <pthread.h>
#include <virtio/blk.h>

VIRTIO_BEGIN_DECLS

/*
 * An open file. Set up by virtio_blk_file_backend(); nothing needs to be released. Do not
 * copy or move it while the back end is used: it contains mutexes, and the back end points to it.
 */
struct virtio_blk_file {
	int fd;
	uint32_t block;           /* see virtio_blk_file_set_block() */
	pthread_mutex_t syncing;  /* held during a sync; protects `failed` */
	pthread_mutex_t counting; /* held briefly; `begun` changes only under both mutexes */
	unsigned int begun;       /* number of syncs begun */
	int failed;               /* errno of the failed sync, or 0 */
};

/*
 * Makes a back end from a file. The failure of an earlier flush is forgotten.
 *
 * @file     set up by this call; must live as long as the back end is used
 * @fd       open for reading, and for writing unless the disk is read-only. The caller closes it
 *           when the back end is no longer used.
 * @backend  filled in, for struct virtio_blk_options
 *
 * Returns 0; VIRTIO_EINVAL for a negative fd.
 */
VIRTIO_MUST_CHECK
int virtio_blk_file_backend(struct virtio_blk_file *file, int fd, struct virtio_blk_backend *backend);

/*
 * Gets the size of a regular file or a block device.
 *
 * @fd     open; its file position may change
 * @bytes  set on success. For the capacity, round up to whole sectors, or down to hide a partial
 *         sector. In a partial sector, bytes after the end of the file read as zeroes. A write to
 *         a partial sector extends the file to the sector's end.
 *
 * Returns 0; VIRTIO_EINVAL for another kind of file; VIRTIO_EIO if a system call fails.
 */
VIRTIO_MUST_CHECK
int virtio_blk_file_size(int fd, uint64_t *bytes);

/*
 * Sets the unit to which the size of a regular file is rounded up, for a disk whose blk_size is
 * larger than a sector. The unit is VIRTIO_BLK_SECTOR_BYTES at first.
 *
 * @file   set up, and not used yet
 * @bytes  a power of two from 512 on. Bytes between the end of the file and the next multiple of
 *         this number read as zeroes. Reads beyond that multiple fail.
 *
 * Returns 0; VIRTIO_EINVAL for another value. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_blk_file_set_block(struct virtio_blk_file *file, uint32_t bytes);

/*
 * Tests whether WRITE_ZEROES may deallocate storage, for options.write_zeroes_may_unmap. The option
 * must be clear if WRITE_ZEROES never deallocates storage (virtio 1.4, 5.2.6.2).
 *
 * For a regular file the call makes a hole after the end of the file, to find out whether the file
 * system supports holes. Storage that was allocated there is released. The file's times change as
 * in a write. The file's bytes and size do not change.
 *
 * @fd  open for writing. During the call nothing else may extend the file and write after the old
 *      end. Otherwise up to 64 KiB of the new bytes could become zeroes.
 *
 * For a block device, returns true without testing: a test would change the device's data. Returns
 * false for other kinds of file, and on hosts other than Linux.
 */
bool virtio_blk_file_may_unmap(int fd);

VIRTIO_END_DECLS

#endif
