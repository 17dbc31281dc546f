/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Transfers by the caller: block requests of a device that does its I/O itself, by io_uring or
 * threads.
 *
 * What the guest can do: nothing that <virtio/blk.h> doesn't name. The limits are checked before a
 * transfer begins.
 *
 * Threads: a transfer is used by one thread at a time, which may be any.
 *
 * virtio 1.4, 5.2.6
 */
#ifndef VIRTIO_BLK_TRANSFER_H
#define VIRTIO_BLK_TRANSFER_H

#include <virtio/blk.h>
#include <virtio/reader.h>

VIRTIO_BEGIN_DECLS

/*
 * How far a request has got, for a device that does its I/O itself. For a read:
 *
 *	left = 0;
 *	if (virtio_blk_transfer_begin(&t, &blk, &request) == VIRTIO_BLK_S_OK) {
 *		do {
 *			count = virtio_blk_transfer_iovec(&t, iov, 64);
 *			moved = count ? preadv(fd, iov, count, t.offset) : 0;
 *		} while ((left = virtio_blk_transfer_advance(&t, moved < 0 ? VIRTIO_EIO : moved)) == 1);
 *	}
 *	virtio_blk_transfer_result(&request, &t, left, &result);
 *
 * with, in place of preadv(), something that may take its time. Plain data.
 */
struct virtio_blk_transfer {
	struct virtio_stream at;         /* in the data of the request, which stays; at.done is what has been moved */
	uint64_t offset;                 /* on the disk, of the next byte */
	uint64_t wanted;                 /* bytes of the last vector */
	enum virtio_blk_refusal refusal; /* why the request must not be carried out */
};

/*
 * Judges a request, and begins with its data. There is no other way to begin, so that no unchecked
 * request is carried out.
 *
 * @transfer  set up
 * @request   popped; stays where it is until the transfer has ended
 *
 * Returns VIRTIO_BLK_S_OK if the caller is to carry the request out, as its type says:
 *   reads and writes    move the data; virtio_blk_write_through() says whether a flush follows a
 *                       write
 *   FLUSH               flush, and ignore sector and data
 *   commands on ranges  change request->ranges, whose limits are checked, and skip ranges of no
 *                       sectors; give storage back for write zeroes only with
 *                       options.write_zeroes_may_unmap; a flush follows as for writes
 *   GET_ID and others   virtio_blk_execute() answers
 * The transfer is at the start of a read's or a write's data, and empty for other types.
 *
 * Returns the status with which the request is refused, if it is. The transfer is empty then, and
 * virtio_blk_transfer_result() makes the refusal's result.
 */
VIRTIO_MUST_CHECK
uint8_t virtio_blk_transfer_begin(struct virtio_blk_transfer *transfer, const struct virtio_blk *blk,
				  const struct virtio_blk_request *request);

/*
 * The host memory of what is to be moved next, from transfer->offset of the disk on.
 *
 * @iov       the caller's array
 * @capacity  its entries, at least 1
 *
 * Returns how many are filled in: at most 2^30 bytes together. 0 when everything has been moved,
 * and for an empty transfer.
 */
uint32_t virtio_blk_transfer_iovec(struct virtio_blk_transfer *transfer, struct virtio_iovec *iov, uint32_t capacity);

/*
 * Notes what came of the last vector.
 *
 * @moved  bytes from its start on, or an error of enum virtio_error
 *
 * Returns 1 if there is more to move; 0 if that was all; the error, or VIRTIO_EIO if nothing was
 * moved or more than asked for: the transfer has failed.
 */
int virtio_blk_transfer_advance(struct virtio_blk_transfer *transfer, int64_t moved);

/*
 * The result of a request that the caller has carried out, or that virtio_blk_transfer_begin() has
 * refused.
 *
 * @error   0, or why it failed: of virtio_blk_transfer_advance(), or of what followed, like the
 *          flush under write-through; not looked at if the request was refused
 * @result  filled in, for virtio_blk_complete()
 */
void virtio_blk_transfer_result(const struct virtio_blk_request *request, const struct virtio_blk_transfer *transfer,
				int error, struct virtio_blk_result *result);

VIRTIO_END_DECLS

#endif
