/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The baseline's loops: see baseline.h. */
#include "baseline.h"

/* walk() and one_request() add the values that they read to the sum, and return the sum. */
static inline uint64_t walk(const struct burst *b, uint16_t head, uint64_t sum)
{
	const struct vring_desc *table, *d;

	for (d = first(b, head, &table);; d = &table[d->next]) {
		sum += d->addr + d->len;
		if (!(d->flags & VRING_DESC_F_NEXT))
			return sum;
	}
}

uint64_t baseline_walk(struct rig *w)
{
	struct burst b = burst_begin(w);
	uint64_t sum = 0;
	uint16_t head;

	while (pop(&b, &head)) {
		sum = walk(&b, head, sum);
		complete(&b, head, 0);
	}
	burst_end(w, &b);
	return sum;
}

static inline uint64_t one_request(const struct burst *b, uint16_t head, uint64_t sum)
{
	const struct vring_desc *table, *d = first(b, head, &table);
	uint64_t header[2];

	memcpy(header, b->rig->ram + d->addr, sizeof header);
	while (d->flags & VRING_DESC_F_NEXT) {
		d = &table[d->next];
		sum += d->addr + d->len;
	}
	b->rig->ram[d->addr] = 0;
	return sum + header[0] + header[1];
}

uint64_t baseline_request(struct rig *w)
{
	struct burst b = burst_begin(w);
	uint64_t sum = 0;
	uint16_t head;

	while (pop(&b, &head)) {
		sum = one_request(&b, head, sum);
		complete(&b, head, 1);
	}
	burst_end(w, &b);
	return sum;
}

/*
 * Returns whether the used element with index used_event was completed since the last call (virtio
 * 1.4, 2.7.7.2).
 */
static inline bool wants_interrupt(const struct burst *b)
{
	const uint16_t before = b->rig->signalled;

	b->rig->signalled = b->next_used;
	virtio_full_fence();
	return (uint16_t)(b->next_used - b->rig->avail->ring[QUEUE_SIZE] - 1) < (uint16_t)(b->next_used - before);
}

uint64_t baseline_notify(struct rig *w)
{
	struct burst b = burst_begin(w);
	uint64_t sum = 0;
	uint16_t head;

	while (pop(&b, &head)) {
		sum = one_request(&b, head, sum);
		complete(&b, head, 1);
		sum += wants_interrupt(&b);
	}
	burst_end(w, &b);
	return sum;
}

/*
 * Stores the next index in avail_event, which asks for a kick. Returns whether more chains are
 * available.
 */
static inline bool ask_for_kick(const struct burst *b)
{
	uint16_t *avail_event = (uint16_t *)(void *)&b->rig->used->ring[QUEUE_SIZE];

	__atomic_store_n(avail_event, b->next_avail, __ATOMIC_RELAXED);
	virtio_full_fence();
	return b->next_avail != __atomic_load_n(&b->rig->avail->idx, __ATOMIC_ACQUIRE);
}

uint64_t baseline_turn(struct rig *w)
{
	struct burst b = burst_begin(w);
	uint64_t sum = 0;
	uint16_t head;

	do {
		while (pop(&b, &head)) {
			sum += head;
			complete(&b, head, 0);
		}
		sum += wants_interrupt(&b);
	} while (ask_for_kick(&b));
	burst_end(w, &b);
	return sum;
}

uint64_t baseline_serve(struct rig *w)
{
	struct burst b = burst_begin(w);
	uint64_t sum = 0;
	uint16_t head;

	do {
		while (pop(&b, &head)) {
			sum = walk(&b, head, sum);
			complete(&b, head, 0);
		}
		sum += wants_interrupt(&b);
	} while (ask_for_kick(&b));
	burst_end(w, &b);
	return sum;
}

uint64_t baseline_bulk(struct rig *w)
{
	static uint8_t data[64 * 1024] __attribute__((aligned(4096)));
	struct burst b = burst_begin(w);
	const struct vring_desc *table, *d;
	uint64_t sum = 0;
	uint16_t head;

	while (pop(&b, &head)) {
		uint32_t done = 0;

		for (d = first(&b, head, &table);; d = &table[d->next]) {
			if (w->load->writable)
				memcpy(w->ram + d->addr, data + done, d->len);
			else
				memcpy(data + done, w->ram + d->addr, d->len);
			done += d->len;
			if (!(d->flags & VRING_DESC_F_NEXT))
				break;
		}
		sum += done;
		complete(&b, head, w->load->writable ? done : 0);
	}
	burst_end(w, &b);
	return sum;
}

uint64_t baseline_packet_out(struct rig *w)
{
	struct burst b = burst_begin(w);
	const struct vring_desc *table, *d;
	struct virtio_vsock_hdr *header = &w->packet.header;
	uint64_t sum = 0;
	uint16_t head;

	while (pop(&b, &head)) {
		d = first(&b, head, &table);
		memcpy(header, w->ram + d->addr, sizeof *header);
		d = &table[d->next];
		sum += virtio_vsock_len(header) + d->addr + d->len;
		complete(&b, head, 0);
	}
	burst_end(w, &b);
	return sum;
}

uint64_t baseline_packet_in(struct rig *w)
{
	struct burst b = burst_begin(w);
	const struct vring_desc *table, *d;
	struct virtio_vsock_hdr *header = &w->packet.header;
	uint64_t sum = 0;
	uint16_t head;

	while (pop(&b, &head)) {
		d = first(&b, head, &table);
		memcpy(w->ram + d->addr, header, sizeof *header);
		d = &table[d->next];
		sum += d->addr + d->len;
		complete(&b, head, VIRTIO_VSOCK_HEADER_BYTES + virtio_vsock_len(header));
	}
	burst_end(w, &b);
	return sum;
}
