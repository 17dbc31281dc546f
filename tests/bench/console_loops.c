/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Console data: the library's calls, and a baseline that moves the same bytes between the same
 * buffers.
 */
#include "baseline.h"

uint64_t baseline_transmit(struct rig *w)
{
	struct burst b = burst_begin(w);
	const struct vring_desc *d;
	uint32_t at = 0;
	uint16_t head;

	while (pop(&b, &head)) {
		d = &w->desc[head];
		memcpy(w->output + at, w->ram + d->addr, d->len);
		at += d->len;
		complete(&b, head, 0);
	}
	burst_end(w, &b);
	return at + w->output[0];
}

/* The terminal's input arrives in pieces of this size, or in one piece for a shorter burst. */
#define PIECE 1024u

static const uint8_t typed[PIECE];

static uint32_t piece_bytes(const struct workload *load)
{
	return load->burst * load->bytes < PIECE ? load->burst * load->bytes : PIECE;
}

uint64_t baseline_receive(struct rig *w)
{
	const uint32_t bytes = piece_bytes(w->load);
	struct burst b = burst_begin(w);
	const struct vring_desc *d;
	uint32_t at = 0;
	uint16_t head;

	for (uint32_t i = 0; i < w->load->burst * w->load->bytes; i += bytes)
		memcpy(w->input_bytes + i, typed, bytes);
	while (pop(&b, &head)) {
		d = &w->desc[head];
		memcpy(w->ram + d->addr, w->input_bytes + at, d->len);
		at += d->len;
		complete(&b, head, d->len);
	}
	burst_end(w, &b);
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
	const uint32_t bytes = piece_bytes(w->load);
	struct virtio_console_progress progress;
	uint64_t sum = 0;
	bool wake;

	for (uint32_t i = 0; i < w->load->burst * w->load->bytes; i += bytes)
		if (virtio_console_input_enqueue(&w->input, typed, bytes, &wake) != (int)bytes)
			return 0;
	do {
		if (virtio_console_receive(&w->console, 0, &w->queue, &progress))
			return 0;
		sum += progress.bytes;
	} while (progress.more);
	return sum;
}
