/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The event queue. An unsent transport reset waits until the driver makes a buffer available. */
#include <virtio/reader.h>
#include <virtio/vsock.h>

void virtio_vsock_events_reset(struct virtio_vsock_events *events)
{
	events->unsent = false;
	events->waiting = false;
	events->avail_idx = 0;
}

void virtio_vsock_events_schedule_reset(struct virtio_vsock_events *events)
{
	events->unsent = true;
}

/* Unpops a chain after an error. Returns this error, or the error of the unpop. */
static int unpop_after(struct virtio_queue *queue, const struct virtio_chain *chain, int error)
{
	const int unpopped = virtio_queue_unpop(queue, chain->token);

	return unpopped ? unpopped : error;
}

/*
 * Writes the event to a chain, and completes the chain. Returns the number of bytes written, which
 * is 0 if the chain cannot hold the event; or an error, after which the chain is unpopped.
 */
static int use_buffer(struct virtio_queue *queue, struct virtio_chain *chain, struct virtio_segment *segments,
		      uint32_t capacity)
{
	struct virtio_chain_segments buffer = { .segments = segments, .capacity = capacity };
	struct virtio_vsock_event event = { virtio_le32(VIRTIO_VSOCK_EVENT_TRANSPORT_RESET) };
	struct virtio_writer writer;
	int error = virtio_chain_resolve(chain, &buffer);
	uint32_t written = 0;

	if (error == VIRTIO_ENOTMAPPED)
		return unpop_after(queue, chain, error);
	/* After VIRTIO_ENOBUFS the array has the chain's first segments, which may be enough. */
	if ((!error || error == VIRTIO_ENOBUFS) && buffer.readable == 0) {
		virtio_writer_init(&writer, &buffer);
		if (virtio_writer_write_exact(&writer, &event, sizeof event) == 0)
			written = sizeof event;
	}
	error = virtio_queue_complete(queue, chain->token, written);
	return error ? unpop_after(queue, chain, error) : (int)written;
}

int virtio_vsock_events_send(struct virtio_vsock_events *events, struct virtio_queue *queue,
			     struct virtio_segment *segments, uint32_t capacity)
{
	struct virtio_chain chain;
	int left, got = 0, used = 0;
	uint16_t avail_idx;

	if (!segments || capacity == 0)
		return VIRTIO_EINVAL;
	if (!events->unsent)
		return 0;
	left = virtio_queue_available(queue);
	if (left < 0)
		return left;
	for (; events->unsent && left > 0 && (got = virtio_queue_pop(queue, &chain)) == 1; left--) {
		/*
		 * Reads the available index before the driver can have the event. An index read
		 * later could include the buffer by which a fast driver shows that it has seen the
		 * event. The device would then wait for another buffer for ever.
		 */
		got = virtio_queue_read_avail_idx(queue, &avail_idx);
		if (got < 0)
			return unpop_after(queue, &chain, got);
		got = use_buffer(queue, &chain, segments, capacity);
		if (got < 0)
			return got;
		used = 1;
		if (got == 0)
			continue;
		events->unsent = false;
		events->waiting = true;
		events->avail_idx = avail_idx;
	}
	return got < 0 ? got : used;
}

int virtio_vsock_events_pending(struct virtio_vsock_events *events, struct virtio_queue *queue)
{
	uint16_t now;
	int error;

	if (!events->waiting)
		return events->unsent;
	error = virtio_queue_read_avail_idx(queue, &now);
	if (error)
		return error;
	/* The driver makes a buffer available again when it has handled the event. */
	events->waiting = now == events->avail_idx;
	return events->unsent || events->waiting;
}
