/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Devices without inline functions: a disk that flushes, and sockets. No payload is moved.
 */
#include "loops.h"

uint64_t library_disk(struct rig *w)
{
	uint64_t sum = 0;

	while (virtio_blk_process(&w->disk, &w->queue, &w->block, NULL) == 1)
		sum += w->block.sector;
	return sum;
}

uint64_t library_packet_out(struct rig *w)
{
	struct virtio_vsock_packet *packet = &w->packet;
	uint64_t sum = 0;

	while (virtio_vsock_tx_pop(&w->queue, packet) == 1) {
		sum += virtio_vsock_len(&packet->header) + packet->data.segments->addr + packet->data.readable_bytes;
		virtio_vsock_complete(&w->queue, packet);
	}
	return sum;
}

uint64_t library_packet_in(struct rig *w)
{
	struct virtio_vsock_packet *packet = &w->packet;
	uint64_t sum = 0;

	while (virtio_vsock_rx_pop(&w->queue, packet) == 1) {
		sum += packet->data.segments->addr + packet->data.writable_bytes;
		if (virtio_vsock_rx_commit(&w->queue, packet))
			break;
	}
	return sum;
}
