/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Requests in a common form. The device reads a header of fixed length, then data. It writes data
 * and, as the last byte, a status. Block, I2C and SPI devices use this form, and so do the data
 * queues of crypto devices.
 *
 * Each request takes a pop and a completion, and the device works between these two calls:
 *
 *	error = virtio_request_init(&request, &header, sizeof header, segments, SEGMENTS);
 *	...
 *	while (left-- > 0 && (got = virtio_request_pop(queue, &request)) == 1) {
 *		written = 0;
 *		status = request.error ? FAILED : serve(&header, &request.data, &written);
 *		virtio_request_complete(queue, &request, status, written);
 *	}
 *
 * `left` and `got` are as in <virtio/queue.h>. A device that pops again before it completes needs a
 * struct virtio_request, a header and segments for each request in flight.
 *
 * What the guest can do: cut a request into descriptors as it likes (virtio 1.4, 2.7.4.1), leave
 * out any part, point buffers anywhere, and change bytes at any time. Therefore:
 * - The whole chain is checked before the header is copied. The header is copied once, and the
 *   device checks the copy.
 * - request.error says why a request is malformed. A malformed request is completed like any other.
 *   It gets a status if the chain has no chain fault and the status byte can be written, even if
 *   other buffers are bad (<virtio/chain.h>).
 *
 * Threads:
 *   functions                who may call               what must not run beside
 *   pop, parse, complete     the queue's thread         another call on the same queue
 *   a request in flight      may go to another thread   its completion
 *   (with header, segments)
 *
 * virtio 1.4, 2.7.4 (framing), 2.7.8.2 (the used length); 5.2, 5.9, 5.16 and 5.21 (device types)
 */
#ifndef VIRTIO_REQUEST_H
#define VIRTIO_REQUEST_H

#include <virtio/queue.h>

VIRTIO_BEGIN_DECLS

/*
 * A request. The caller allocates it, may read every member, and changes it by functions only. The
 * caller owns the header and the segments. While the request is in flight, the request, the header
 * and the segments must not move.
 */
struct virtio_request {
	/* As given to virtio_request_init(). */
	void *header;
	size_t header_bytes;
	struct virtio_segment *segments;
	uint64_t fast_header; /* header length; UINT64_MAX switches the fast path off */

	/* Filled in for each request. */
	struct virtio_token token; /* token of the chain */
	uint32_t fast_complete;    /* bits that permit a completion on the fast path */
	/*
	 * 0, or why the request can only fail:
	 *   VIRTIO_ESHORT                 fewer readable bytes than a header, or no writable byte
	 *   VIRTIO_ENOBUFS                more segments than the array has entries
	 *   VIRTIO_EFAULT, VIRTIO_EPERM   a bad buffer, or a bad table
	 *   other errors                  of virtio_chain_resolve()
	 * If there are several reasons, `error` is one of them. After an error the header is
	 * undefined, and `data` is empty.
	 */
	int error;
	/*
	 * The data between header and status, in the caller's array, as virtio_chain_resolve()
	 * describes it. Readers and writers work on `data`.
	 * - data.last_writable is the status byte. Its length is 0 if there is no such byte, the
	 *   byte cannot be written, or there is a chain fault. In all these cases `error` is set.
	 * - data.needed counts the segments of the whole chain, if `error` is 0, VIRTIO_ESHORT or
	 *   VIRTIO_ENOBUFS.
	 */
	struct virtio_chain_segments data;
};

/*
 * Prepares a request for any number of pops, one after the other.
 *
 * @request       filled in
 * @header        the caller's memory, for copies of headers; NULL only if header_bytes is 0
 * @header_bytes  length of a header. With 1 to VIRTIO_MEMORY_SMALL bytes, and a capacity of at
 *                least 3, requests of three buffers have a fast path.
 * @segments      the caller's array; NULL only if capacity is 0
 * @capacity      entries in segments. A request needs one entry for each descriptor, and one for
 *                each point at which a buffer continues in another region or translation. The
 *                queue's size limits the descriptors, unless long indirect tables are allowed.
 *
 * Header and array must live as long as the request is used. Returns 0; VIRTIO_EINVAL if header is
 * NULL with header_bytes above 0, or segments is NULL with capacity above 0. A failure changes
 * nothing.
 */
VIRTIO_MUST_CHECK
VIRTIO_INLINE int virtio_request_init(struct virtio_request *request, void *header, size_t header_bytes,
				      struct virtio_segment *segments, uint32_t capacity);

/*
 * Pops the next request from a queue.
 *
 * @queue    started
 * @request  initialised, not in flight. Filled in, with header and array, if 1 is returned;
 *           otherwise untouched, except the content of the array.
 *
 * Returns 1 for a request, 0 for none, or an error of virtio_queue_pop(). The caller completes each
 * request, whatever its error, or unpops it (virtio_queue_unpop()). If memory of the chain is not
 * mapped yet, the call unpops the request and returns VIRTIO_ENOTMAPPED: retry later.
 */
VIRTIO_MUST_CHECK
VIRTIO_INLINE VIRTIO_HOT int virtio_request_pop(struct virtio_queue *queue, struct virtio_request *request);

/*
 * Fills in a request from a chain that was popped already, or replayed after a restore.
 *
 * @chain    from virtio_queue_pop() or virtio_queue_replay() under the queue's present map, not
 *           walked yet. The walk is over afterwards.
 * @request  as for virtio_request_pop()
 *
 * Returns 0, whatever request->error is; or VIRTIO_ENOTMAPPED, which is no fault of the driver.
 * After VIRTIO_ENOTMAPPED the request is untouched, except the content of the array: unpop the
 * chain, and retry later. Only the chain popped or replayed last can be unpopped.
 */
VIRTIO_MUST_CHECK
int virtio_request_parse(struct virtio_chain *chain, struct virtio_request *request);

/*
 * Writes the status, records it in the dirty log of the map under which the request was popped, and
 * returns the request to the driver.
 *
 * @queue    the request's queue; started, perhaps broken since
 * @request  in flight
 * @status   as the device type defines it; ignored if data.last_writable.len is 0
 * @written  bytes put into the writable data, from the first byte on without a gap. A number larger
 *           than the data stands for all of the data. Writers record their bytes in the dirty log
 *           themselves. After zero-copy I/O call virtio_segments_mark_dirty() first, if
 *           virtio_queue_is_in_flight() says that the memory still belongs to the request.
 *
 * The used length is the number of data bytes written, plus 1 for the status if all data was
 * written. The used length is at most UINT32_MAX (see virtio_writer_used()), and 0 for a request
 * with an error. The driver sees all earlier writes to guest memory before it sees the completion.
 *
 * Returns as virtio_queue_complete(). After VIRTIO_ESTALE no byte was written, because the memory
 * may belong to another owner. After another error the request stays in flight, and its status may
 * have been written.
 */
VIRTIO_INLINE VIRTIO_HOT int virtio_request_complete(struct virtio_queue *queue, const struct virtio_request *request,
						     uint8_t status, uint64_t written);

VIRTIO_END_DECLS

#include <virtio/inline/request.h>

#endif
