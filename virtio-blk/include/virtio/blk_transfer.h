/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Transfers by the caller: block requests of a device that does its I/O itself, by io_uring or
 * threads.
 *
 * What the guest can do: see <virtio/blk.h>. A request is checked before its transfer begins.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     another call on the same transfer
 *
 * virtio 1.4, 5.2.6
 */
#ifndef VIRTIO_BLK_TRANSFER_H
#define VIRTIO_BLK_TRANSFER_H

#include <virtio/blk.h>
#include <virtio/reader.h>

VIRTIO_BEGIN_DECLS

/*
 * The progress of a request, for a device that does its I/O itself. Plain data. For a read:
 *
 *	left = 0;
 *	if (virtio_blk_transfer_begin(&t, &blk, &request) == VIRTIO_BLK_S_OK) {
 *		do {
 *			count = virtio_blk_transfer_iovec(&t, iov, 64);
 *			moved = count ? preadv(fd, iov, count, t.offset) : 0;
 *			moved = moved < 0 ? VIRTIO_EIO : moved;
 *		} while ((left = virtio_blk_transfer_advance(&t, moved)) == 1);
 *	}
 *	virtio_blk_transfer_result(&request, &t, left, &result);
 *
 * An asynchronous device uses its own operation instead of preadv().
 */
struct virtio_blk_transfer {
	struct virtio_stream at; /* position in the data; at.done bytes were moved */
	uint64_t offset;         /* offset of the next byte on the disk */
	uint64_t wanted;         /* number of bytes in the last vector */
	/* The largest number of bytes in a vector: 2^30, or a smaller number set by the caller. */
	uint64_t max_bytes;
	enum virtio_blk_refusal refusal; /* why the request must not be carried out */
};

/*
 * Checks a request, and prepares the transfer of its data. Every transfer must begin with this
 * call. So no unchecked request is carried out.
 *
 * @transfer  set up by this call
 * @request   popped; must not move until the transfer has ended
 *
 * Returns VIRTIO_BLK_S_OK if the caller must carry the request out, according to its type:
 *   reads and writes    move the data. If virtio_blk_write_through() is true, flush after a write.
 *   FLUSH               flush; ignore sector and data
 *   commands on ranges  change the disk's ranges that request->ranges lists. Skip ranges without
 *                       sectors. WRITE_ZEROES may deallocate only if the range's unmap flag and
 *                       options.write_zeroes_may_unmap are set. Flush as after a write.
 *   GET_ID and others   call virtio_blk_execute()
 * The transfer is at the start of the data of a read or a write, and empty for other types.
 *
 * Otherwise returns the status of the refusal. The transfer is then empty, and
 * virtio_blk_transfer_result() makes the result.
 */
VIRTIO_MUST_CHECK
uint8_t virtio_blk_transfer_begin(struct virtio_blk_transfer *transfer, const struct virtio_blk *blk,
				  const struct virtio_blk_request *request);

/*
 * Fills in a vector: the host memory for the next bytes of the disk, from transfer->offset on.
 *
 * @iov       the caller's array
 * @capacity  number of entries of iov, at least 1
 *
 * Returns the number of entries filled in. Together the entries have at most 2^30 bytes, and at
 * most transfer->max_bytes. Returns 0 when everything was moved, and for an empty transfer.
 */
uint32_t virtio_blk_transfer_iovec(struct virtio_blk_transfer *transfer, struct virtio_iovec *iov, uint32_t capacity);

/*
 * Records the outcome of the last vector.
 *
 * @moved  bytes moved, from the start of the vector on; or an error of enum virtio_error
 *
 * Returns:
 *   1           there is more to move
 *   0           everything was moved
 *   VIRTIO_EIO  `moved` exceeds the vector, or is 0 while data is left
 *   others      `moved`, if it is an error
 */
VIRTIO_MUST_CHECK
int virtio_blk_transfer_advance(struct virtio_blk_transfer *transfer, int64_t moved);

/*
 * Makes the result of a request that the caller has carried out, or that
 * virtio_blk_transfer_begin() has refused.
 *
 * @error   0, or why the request failed: an error of virtio_blk_transfer_advance(), or of a later
 *          step such as the flush under write-through. Ignored if the request was refused.
 * @result  filled in, for virtio_blk_complete()
 */
void virtio_blk_transfer_result(const struct virtio_blk_request *request, const struct virtio_blk_transfer *transfer,
				int error, struct virtio_blk_result *result);

VIRTIO_END_DECLS

#endif
