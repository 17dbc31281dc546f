/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A request as several device types have it: a header of fixed length that the device reads, data
 * that it reads, data that it writes, and as the very last byte a status that it writes. Block, I2C
 * and SPI devices have it, and the data queues of crypto devices.
 *
 * Two calls a request, and in between the device does its work:
 *
 *	error = virtio_request_init(&request, &header, sizeof header, segments, SEGMENTS);
 *	...
 *	while (left-- > 0 && (got = virtio_request_pop(queue, &request)) == 1) {
 *		written = 0;
 *		status = request.error ? FAILED : serve(&header, &request.data, &written);
 *		virtio_request_complete(queue, &request, status, written);
 *	}
 *
 * where left and got are as in <virtio/queue.h>. A device that doesn't finish before it pops again
 * has a struct virtio_request, a header and segments for each request in flight.
 *
 * What the guest can do: cut a request into descriptors as it likes (virtio 1.4, 2.7.4.1), leave
 * out any part of it, point its buffers anywhere, and change its bytes at any time. The whole chain
 * is found to be in order before the header is copied, once. The header is judged in the copy. A
 * request that makes no sense says why, and is completed like any other. It gets a status if the
 * chain's shape is in order and the status byte can be written, though other buffers may be bad.
 *
 * Threads: as of the queue. A request in flight may be handed to another thread, with its header
 * and its segments.
 *
 * virtio 1.4, 2.7.4 (framing), 2.7.8.2 (the used length); 5.2, 5.9, 5.16 and 5.21 (the device
 * types)
 */
#ifndef VIRTIO_REQUEST_H
#define VIRTIO_REQUEST_H

#include <virtio/queue.h>

VIRTIO_BEGIN_DECLS

/*
 * A request. The caller allocates it, reads what it likes, and changes it through the functions
 * below alone. What its pointers point to is the caller's. While it is in flight neither is moved.
 */
struct virtio_request {
	/* As given to virtio_request_init(). */
	void *header;
	size_t header_bytes;
	struct virtio_segment *segments;
	uint64_t fast_header; /* length of the header's buffer for which there is a fast path; UINT64_MAX for none */

	/* Filled in for each request. */
	struct virtio_token token; /* of its chain, which is in flight */
	uint32_t fast_complete;    /* 1 if the fast path may complete it: no error, no dirty log for the status */
	/*
	 * 0, or why nothing but a failure can come of it: VIRTIO_ESHORT for less than a header, or
	 * no writable byte; VIRTIO_ENOBUFS for more segments than the array has; VIRTIO_EFAULT or
	 * VIRTIO_EPERM for a bad buffer; another error of virtio_chain_resolve(). Where there are
	 * several reasons it may be any of them. Then the header is not to be looked at, and data
	 * is empty.
	 */
	int error;
	/*
	 * What is between header and status, in the caller's array, as virtio_chain_resolve() has
	 * it: readers and writers work on it. data.last_writable is the status. Its length is 0,
	 * under an error, if there is no byte for it, the byte can't be written, or the chain's
	 * shape is wrong. data.needed counts the segments of the chain with header and status, if
	 * no buffer is bad.
	 */
	struct virtio_chain_segments data;
};

/*
 * Prepares a request, which can be popped into again and again.
 *
 * @request       set up
 * @header        the caller's memory, where headers are copied to; NULL only if header_bytes is 0
 * @header_bytes  of a header; with 1 to VIRTIO_MEMORY_SMALL, and 3 segments or more, there is a
 *                fast path for requests of three buffers, which most are
 * @segments      the caller's array; NULL only if capacity is 0
 * @capacity      its entries: one for each descriptor of the longest chain that is to be served,
 *                which is the queue's size unless long indirect tables are allowed; and one more
 *                for each place where a buffer goes on in another region, or behind a translation
 *                in another piece of it, like a page
 *
 * Header and array must live as long as the request is used. Returns 0; VIRTIO_EINVAL for a header
 * of some length, or an array of some entries, that is NULL, and the request is untouched.
 */
VIRTIO_MUST_CHECK
VIRTIO_INLINE int virtio_request_init(struct virtio_request *request, void *header, size_t header_bytes,
				      struct virtio_segment *segments, uint32_t capacity);

/*
 * Takes the next request from a queue.
 *
 * @queue    started
 * @request  initialised, and not in flight; filled in, with header and array, if 1 is returned.
 *           Otherwise untouched, but for the content of the array
 *
 * Returns 1 for a request, which must be completed, whatever its error, or taken back by
 * virtio_queue_unpop(); 0 for none; or an error of virtio_queue_pop(). VIRTIO_ENOTMAPPED also if
 * some of the chain's memory isn't mapped at the moment: then the pop has been unpopped, and the
 * caller comes again.
 */
VIRTIO_MUST_CHECK
VIRTIO_INLINE VIRTIO_HOT int virtio_request_pop(struct virtio_queue *queue, struct virtio_request *request);

/*
 * Fills in a request from a chain that has been popped already, or has come back after a restore.
 *
 * @chain    from virtio_queue_pop() or virtio_queue_replay() under the queue's present map, and not
 *           walked yet; its walk is over then
 * @request  as for virtio_request_pop()
 *
 * Returns 0, whatever request->error is; or VIRTIO_ENOTMAPPED, which is no fault of the driver's,
 * with the request untouched: unpop the pop, which must be the last one, and come again
 * (virtio_queue_unpop()).
 */
VIRTIO_MUST_CHECK
int virtio_request_parse(struct virtio_chain *chain, struct virtio_request *request);

/*
 * Writes the status, records it in the dirty log of the map that the request was popped under, and
 * returns the request to the driver.
 *
 * @queue    that it came from, started, or broken since
 * @request  in flight
 * @status   as the device type has it; goes nowhere if there is no byte for it
 * @written  bytes that were put into the writable data, from the first one on without a gap; more
 *           than there are means all of them. Writers have recorded theirs; after zero-copy I/O,
 *           virtio_segments_mark_dirty() comes first, if virtio_queue_is_in_flight() says that the
 *           memory is still the request's.
 *
 * The used length is what was written, and the status with it if there is no gap between, but at
 * most UINT32_MAX (see virtio_writer_used()); 0 for a request with an error. Whatever was written
 * to guest memory is visible to the driver before the completion is. Returns as
 * virtio_queue_complete(). After VIRTIO_ESTALE no byte was written, for it might be somebody else's
 * by now; after another error the request stays in flight, and its status may have been written.
 */
VIRTIO_INLINE VIRTIO_HOT int virtio_request_complete(struct virtio_queue *queue, const struct virtio_request *request,
						     uint8_t status, uint64_t written);

VIRTIO_END_DECLS

#include <virtio/inline/request.h>

#endif
