/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A user of the suite: a vhost-user back end. Memory tables change while rings run. Ring addresses
 * are addresses of the front end. A ring starts at the used index in guest memory, and at the
 * available index of SET_VRING_BASE. I/O is asynchronous. Another thread may carry out the I/O, but
 * only the ring's thread calls the functions below for that ring.
 */
#include <virtio/queue.h>
#include <virtio/reader.h>

#include "consumers.h"

#define SEGMENTS 128

/* A region in SET_MEM_TABLE. */
struct shared_region {
	uint64_t guest_addr;
	uint64_t front_end_addr;
	uint64_t size;
};

struct memory_table {
	struct shared_region shared[8];
	uint32_t count;
	struct virtio_region regions[8];
	struct virtio_memory_map map;
};

struct vhost_vring {
	struct virtio_queue queue;
	struct virtio_inflight inflight[1024];
	struct virtio_queue_config config;
	uint16_t base; /* available index from SET_VRING_BASE */
};

struct io {
	struct virtio_token token;
	struct virtio_segment segments[SEGMENTS];
	struct virtio_chain_segments chain;
	struct virtio_iovec iov[SEGMENTS];
	uint32_t iov_count;
};

/* Called once, when the back end is made. */
int vhost_vring_init(struct vhost_vring *vring)
{
	int error = virtio_queue_config_init(&vring->config, 1024);

	vring->base = 0;
	return error ? error : virtio_queue_init(&vring->queue, vring->inflight, 1024);
}

int front_end_to_guest(const struct memory_table *table, uint64_t addr, uint64_t *out)
{
	for (uint32_t i = 0; i < table->count; i++) {
		uint64_t off = addr - table->shared[i].front_end_addr;

		if (off < table->shared[i].size) {
			*out = table->shared[i].guest_addr + off;
			return 0;
		}
	}
	return VIRTIO_EFAULT;
}

int vring_set_addr(struct vhost_vring *vring, const struct memory_table *table, uint64_t desc, uint64_t avail,
		   uint64_t used)
{
	const uint64_t from[3] = { desc, avail, used };
	int error = 0;

	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED && !error; i++) {
		uint64_t addr;

		error = front_end_to_guest(table, from[i], &addr);
		if (!error)
			error = virtio_queue_config_set_addr(&vring->config, (enum virtio_queue_area)i, addr);
	}
	return error;
}

int vring_start(struct vhost_vring *vring, const struct memory_table *table)
{
	uint16_t used;
	int error;

	vring->config.ready = true;
	error = virtio_queue_start(&vring->queue, &vring->config, &table->map);
	if (!error)
		error = virtio_queue_read_used_idx(&vring->queue, &used);
	if (!error)
		error = virtio_queue_set_next_used(&vring->queue, used);
	if (!error)
		error = virtio_queue_set_next_avail(&vring->queue, vring->base);
	return error;
}

/*
 * Handles GET_VRING_BASE. A request in flight is lost, so a caller first waits until
 * virtio_queue_quiesced() is true.
 */
uint16_t vring_stop(struct vhost_vring *vring)
{
	uint16_t base = virtio_queue_next_avail(&vring->queue);

	virtio_queue_reset(&vring->queue);
	vring->config.ready = false;
	return base;
}

/*
 * Handles SET_MEM_TABLE on a running ring. If the result is 0, *old_unused says whether the old
 * table may be unmapped at once. After an error the ring still uses the old table.
 */
int vring_switch_memory(struct vhost_vring *vring, const struct memory_table *table, bool *old_unused)
{
	int error = virtio_queue_set_memory(&vring->queue, &table->map);

	*old_unused = virtio_queue_old_maps_unused(&vring->queue);
	return error;
}

/*
 * Gets the next request. At each kick the caller sets *budget to virtio_queue_available(), so other
 * rings are served even if the driver keeps adding requests. A request that is malformed, has a bad
 * buffer, or has more than SEGMENTS segments is completed at once. Such a request, too, uses up a
 * part of the budget. Returns one of
 *   1                  `io` holds a request to submit
 *   0                  no request is available, or the budget is used up
 *   VIRTIO_ENOTMAPPED  retry later
 *   another error      as from virtio_queue_pop()
 */
int vring_next_io(struct vhost_vring *vring, struct io *io, int *budget)
{
	struct virtio_writer writer;
	struct virtio_chain chain;
	uint64_t bytes;
	int got = 0, error;

	for (; *budget > 0 && (got = virtio_queue_pop(&vring->queue, &chain)) == 1; got = 0) {
		--*budget;
		io->chain.segments = io->segments;
		io->chain.capacity = SEGMENTS;
		error = virtio_chain_resolve(&chain, &io->chain);
		if (error == VIRTIO_ENOTMAPPED) {
			(void)!virtio_queue_unpop(&vring->queue, chain.token);
			return error;
		}
		if (error) {
			(void)virtio_queue_complete(&vring->queue, chain.token, 0);
			continue;
		}
		io->token = chain.token;
		virtio_writer_init(&writer, &io->chain);
		io->iov_count = virtio_writer_iovec(&writer, io->chain.writable_bytes, io->iov, SEGMENTS, &bytes);
		return 1;
	}
	return got;
}

/*
 * Called after vring_next_io() has returned 0. Returns one of
 *   0      the caller must wait for the next kick
 *   1      the driver has added more requests, perhaps without a kick
 *   error  as from virtio_queue_enable_kicks()
 */
int vring_sleep(struct vhost_vring *vring)
{
	return virtio_queue_enable_kicks(&vring->queue);
}

/*
 * Called when the I/O has ended. @bytes is the number of bytes that the I/O has written into the
 * writable segments.
 */
int vring_io_done(struct vhost_vring *vring, struct io *io, uint32_t bytes, void (*call)(void))
{
	int error;

	/*
	 * After a stop the memory table and its dirty log may be gone, so no segment may be marked.
	 */
	if (!virtio_queue_is_in_flight(&vring->queue, io->token))
		return VIRTIO_ESTALE;
	virtio_segments_mark_dirty(io->segments + io->chain.readable, io->chain.writable, bytes);
	error = virtio_queue_complete(&vring->queue, io->token, bytes);
	if (virtio_queue_needs_interrupt(&vring->queue))
		call();
	return error;
}
