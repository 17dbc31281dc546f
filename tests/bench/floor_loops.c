/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The floor: the same loads and stores by raw pointers, with the memory order that a correct device
 * cannot do without, and no check of anything. Guest addresses of the floor's rig are turned
 * into host addresses by adding one constant, which is the least that any device does.
 */
#include "loops.h"

static inline bool pop(struct rig *w, uint16_t *head)
{
	if (w->next_avail == __atomic_load_n(&w->avail->idx, __ATOMIC_ACQUIRE))
		return false;
	*head = w->avail->ring[w->next_avail++ & (QUEUE_SIZE - 1)];
	return true;
}

static inline void complete(struct rig *w, uint16_t head, uint32_t len)
{
	struct vring_used_elem *e = &w->used->ring[w->next_used & (QUEUE_SIZE - 1)];

	e->id = head;
	e->len = len;
	__atomic_store_n(&w->used->idx, ++w->next_used, __ATOMIC_RELEASE);
}

static inline const struct vring_desc *first(struct rig *w, uint16_t head, const struct vring_desc **table)
{
	const struct vring_desc *d = &w->desc[head];

	*table = w->desc;
	if (d->flags & VRING_DESC_F_INDIRECT) {
		*table = (const struct vring_desc *)(const void *)(w->ram + d->addr);
		d = *table;
	}
	return d;
}

uint64_t floor_walk(struct rig *w)
{
	const struct vring_desc *table, *d;
	uint64_t sum = 0;
	uint16_t head;

	while (pop(w, &head)) {
		for (d = first(w, head, &table);; d = &table[d->next]) {
			sum += d->addr + d->len;
			if (!(d->flags & VRING_DESC_F_NEXT))
				break;
		}
		complete(w, head, 0);
	}
	return sum;
}

static inline uint64_t one_request(struct rig *w, uint16_t head)
{
	const struct vring_desc *table;
	const struct vring_desc *d = first(w, head, &table);
	uint64_t header[2], sum = 0;

	memcpy(header, w->ram + d->addr, sizeof header);
	do {
		d = &table[d->next];
		sum += d->addr + d->len;
	} while (d->flags & VRING_DESC_F_NEXT);
	w->ram[d->addr] = 0;
	return sum + header[0] + header[1];
}

uint64_t floor_request(struct rig *w)
{
	uint64_t sum = 0;
	uint16_t head;

	while (pop(w, &head)) {
		sum += one_request(w, head);
		complete(w, head, 1);
	}
	return sum;
}

uint64_t floor_notify(struct rig *w)
{
	uint64_t sum = 0;
	uint16_t head;

	while (pop(w, &head)) {
		sum += one_request(w, head);
		complete(w, head, 1);
		virtio_full_fence();
		sum += w->avail->ring[QUEUE_SIZE] == (uint16_t)(w->next_used - 1);
	}
	return sum;
}

uint64_t floor_bulk(struct rig *w)
{
	static uint8_t data[64 * 1024] __attribute__((aligned(4096)));
	const struct vring_desc *table, *d;
	uint64_t sum = 0;
	uint16_t head;

	while (pop(w, &head)) {
		uint32_t done = 0;

		for (d = first(w, head, &table);; d = &table[d->next]) {
			if (w->load->writable)
				memcpy(w->ram + d->addr, data + done, d->len);
			else
				memcpy(data + done, w->ram + d->addr, d->len);
			done += d->len;
			if (!(d->flags & VRING_DESC_F_NEXT))
				break;
		}
		sum += done;
		complete(w, head, w->load->writable ? done : 0);
	}
	return sum;
}

uint64_t floor_packet(struct rig *w)
{
	const struct vring_desc *table, *d;
	struct virtio_vsock_hdr header;
	uint64_t sum = 0;
	uint16_t head;

	while (pop(w, &head)) {
		d = first(w, head, &table);
		memcpy(&header, w->ram + d->addr, sizeof header);
		d = &table[d->next];
		sum += virtio_vsock_len(&header) + d->addr + d->len;
		complete(w, head, 0);
		if (!pop(w, &head))
			break;
		d = first(w, head, &table);
		memcpy(w->ram + d->addr, &header, sizeof header);
		d = &table[d->next];
		sum += d->addr + d->len;
		complete(w, head, VIRTIO_VSOCK_HEADER_BYTES + virtio_vsock_len(&header));
	}
	return sum;
}
