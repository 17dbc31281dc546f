/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Console data: the library's calls, and a floor that moves the same bytes between the same buffers. */
#include "loops.h"

static inline bool pop(struct rig *w, const struct vring_desc **d, uint16_t *head)
{
	if (w->next_avail == __atomic_load_n(&w->avail->idx, __ATOMIC_ACQUIRE))
		return false;
	*head = w->avail->ring[w->next_avail++ & (QUEUE_SIZE - 1)];
	*d = &w->desc[*head];
	return true;
}

static inline void complete(struct rig *w, uint16_t head, uint32_t len)
{
	struct vring_used_elem *e = &w->used->ring[w->next_used & (QUEUE_SIZE - 1)];

	e->id = head;
	e->len = len;
	__atomic_store_n(&w->used->idx, ++w->next_used, __ATOMIC_RELEASE);
}

uint64_t floor_transmit(struct rig *w)
{
	const struct vring_desc *d;
	uint32_t at = 0;
	uint16_t head;

	while (pop(w, &d, &head)) {
		memcpy(w->output + at, w->ram + d->addr, d->len);
		at += d->len;
		complete(w, head, 0);
	}
	return at + w->output[0];
}

/* The terminal's input comes in pieces of so many bytes. */
#define PIECE 1024u

static const uint8_t typed[PIECE];

uint64_t floor_receive(struct rig *w)
{
	const struct vring_desc *d;
	uint32_t at = 0;
	uint16_t head;

	for (uint32_t i = 0; i < w->load->batch * w->load->bytes; i += PIECE)
		memcpy(w->input_bytes + i, typed, PIECE);
	while (pop(w, &d, &head)) {
		memcpy(w->ram + d->addr, w->input_bytes + at, d->len);
		at += d->len;
		complete(w, head, d->len);
	}
	return at;
}

uint64_t library_transmit(struct rig *w)
{
	struct virtio_console_progress progress;
	uint64_t sum = 0;

	do {
		if (virtio_console_transmit(&w->console, 0, &w->queue, &progress))
			return 0;
		sum += progress.bytes;
	} while (progress.more);
	return sum + w->output[0];
}

uint64_t library_receive(struct rig *w)
{
	struct virtio_console_progress progress;
	uint64_t sum = 0;
	bool wake;

	for (uint32_t i = 0; i < w->load->batch * w->load->bytes; i += PIECE)
		if (virtio_console_input_enqueue(&w->input, typed, PIECE, &wake) != (int)PIECE)
			return 0;
	do {
		if (virtio_console_receive(&w->console, 0, &w->queue, &progress))
			return 0;
		sum += progress.bytes;
	} while (progress.more);
	return sum;
}
