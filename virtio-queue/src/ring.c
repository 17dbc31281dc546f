/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Slow paths of the rings: fields without a host address, used elements and the used index. */
#include "queue_internal.h"

int virtio_impl_ring_load_cut(struct virtio_queue *queue, enum virtio_queue_area area, uint64_t offset, uint16_t *out)
{
	const uint64_t addr = queue->config.addr[area] + offset;
	uint8_t raw[2];
	int error = virtio_memory_load_le16(&queue->ring_memory, addr, VIRTIO_ACQUIRE, out);

	if (error != VIRTIO_EALIGN && error != VIRTIO_EFAULT)
		return error;
	/*
	 * The field may lie over two regions, or be misaligned in host memory. A plain copy reads
	 * the field, and a fence orders the copy.
	 */
	error = virtio_memory_read(&queue->ring_memory, addr, raw, sizeof raw);
	if (error)
		return error;
	virtio_full_fence();
	*out = virtio_get_le16(raw);
	return 0;
}

int virtio_impl_ring_store_cut(struct virtio_queue *queue, uint64_t offset, uint16_t value)
{
	const uint64_t addr = queue->config.addr[VIRTIO_QUEUE_USED] + offset;
	uint8_t raw[2];
	int error = virtio_memory_store_le16(&queue->ring_memory, addr, VIRTIO_RELEASE, value);

	if (error != VIRTIO_EALIGN && error != VIRTIO_EFAULT)
		return error;
	virtio_full_fence();
	virtio_put_le16(raw, value);
	return virtio_memory_write(&queue->ring_memory, addr, raw, sizeof raw);
}

int virtio_impl_ring_store_used(struct virtio_queue *queue, uint64_t idx, uint16_t head, uint32_t len)
{
	const uint64_t offset = VIRTIO_IMPL_RING_ENTRIES + VIRTIO_IMPL_USED_BYTES * (idx & queue->mask);
	uint8_t raw[VIRTIO_IMPL_USED_BYTES];

	if (queue->used) {
		virtio_guest_store_used(queue->used + offset, head, len);
		if (queue->used_region)
			virtio_region_mark_dirty(queue->used_region, queue->used + offset, sizeof raw);
		return 0;
	}
	virtio_put_le32(raw, head);
	virtio_put_le32(raw + 4, len);
	return virtio_memory_write(&queue->ring_memory, queue->config.addr[VIRTIO_QUEUE_USED] + offset, raw,
				   sizeof raw);
}

int virtio_impl_ring_publish(struct virtio_queue *queue, uint64_t idx)
{
	int error = virtio_ring_store(queue, VIRTIO_IMPL_RING_IDX, (uint16_t)idx);

	if (!error)
		queue->used_idx = idx;
	return error;
}
