/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* See rig.h. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define RAM_BYTES (UINT64_C(64) << 20)
#define HOLE_BYTES (UINT64_C(1) << 30) /* between regions, so that they never look like one */

/* Guest-physical places, as offsets in RAM: rings first and indirect tables; then, in each region, requests and data. */
#define DESC_AT 0x0
#define AVAIL_AT 0x2000
#define USED_AT 0x4000
#define TABLES_AT 0x8000
#define REQUESTS_AT 0x100000
#define BUFFERS_AT 0x200000

static uint64_t to_guest(const struct rig *w, uint64_t offset)
{
	const uint64_t each = RAM_BYTES / w->map.count;

	return w->map.regions[offset / each].addr + offset % each;
}

/* A place of its own for the n-th thing of so many bytes, in one of the regions. */
static uint64_t place(const struct rig *w, uint32_t region, uint64_t offset, uint32_t n, uint32_t bytes)
{
	const uint64_t room = RAM_BYTES / w->map.count - offset;

	return w->map.regions[region % w->map.count].addr + offset + (uint64_t)n * bytes % room;
}

/*
 * Descriptor i of a chain. Of three, the first is a header and the last a status byte, which drivers
 * keep in one structure; the data is somewhere else, here in the next region. The buffers of other
 * chains take turns in the regions.
 */
static void fill_desc(const struct rig *w, struct vring_desc *d, uint32_t chain, uint32_t i)
{
	const struct workload *load = w->load;

	if (load->packets) {
		d->len = i == 0 ? VIRTIO_VSOCK_HEADER_BYTES : 4096;
		d->addr = i == 0 ? place(w, chain, REQUESTS_AT, chain, 192)
				 : place(w, chain + 1, BUFFERS_AT, chain, 4096);
		d->flags = chain % 2 ? VRING_DESC_F_WRITE : 0;
	} else if (load->descriptors != 3) {
		d->len = load->bytes;
		d->addr = place(w, load->spread ? chain : i, BUFFERS_AT, chain * load->descriptors + i,
				(load->bytes + 63u) & ~63u);
		d->flags = load->writable ? VRING_DESC_F_WRITE : 0;
	} else if (i == 1) {
		d->len = 4096;
		d->addr = place(w, chain + 1, BUFFERS_AT, chain, 4096);
	} else {
		d->len = i == 0 ? 16 : 1;
		d->addr = place(w, chain, REQUESTS_AT, chain, 192) + (i == 0 ? 0 : 16);
		d->flags = i == 0 ? 0 : VRING_DESC_F_WRITE;
	}
}

static void fill_chain(struct rig *w, struct vring_desc *table, uint32_t first, uint32_t chain)
{
	for (uint32_t i = 0; i < w->load->descriptors; i++) {
		struct vring_desc *d = &table[first + i];

		fill_desc(w, d, chain, i);
		if (i + 1 < w->load->descriptors)
			d->flags |= VRING_DESC_F_NEXT;
		d->next = (uint16_t)(first + i + 1);
	}
}

static void check(int error)
{
	if (error) {
		fprintf(stderr, "%s\n", virtio_strerror(error));
		exit(1);
	}
}

/* The length in the header of a packet out of the guest. */
static void fill_header(struct rig *w, uint32_t chain)
{
	struct virtio_memory_cursor memory;
	uint8_t len[4];

	virtio_put_le32(len, 4096);
	virtio_memory_cursor_init(&memory, &w->map);
	check(virtio_memory_write(&memory, place(w, chain, REQUESTS_AT, chain, 192) + 24, len, sizeof len));
}

static void fill_rings(struct rig *w)
{
	const struct workload *load = w->load;

	for (uint32_t c = 0; c < load->batch; c++) {
		const uint32_t offset = TABLES_AT + c * load->descriptors * 16;

		if (load->packets)
			fill_header(w, c);
		if (!load->indirect) {
			fill_chain(w, w->desc, c * load->descriptors, c);
			continue;
		}
		fill_chain(w, (struct vring_desc *)(void *)(w->ram + offset), 0, c);
		w->desc[c].addr = to_guest(w, offset);
		w->desc[c].len = load->descriptors * 16;
		w->desc[c].flags = VRING_DESC_F_INDIRECT;
	}
	for (uint32_t s = 0; s < QUEUE_SIZE; s++)
		w->avail->ring[s] = (uint16_t)(s % load->batch * (load->indirect ? 1 : load->descriptors));
}

static void make_regions(struct rig *w, uint32_t regions)
{
	w->ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (w->ram == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	for (uint32_t i = 0; i < regions; i++) {
		w->regions[i].len = RAM_BYTES / regions;
		w->regions[i].addr = i * (w->regions[i].len + HOLE_BYTES);
		w->regions[i].host = w->ram + i * w->regions[i].len;
	}
}

/* The sink of the console: a buffer that begins anew when it is full. */
static size_t take(void *context, const void *bytes, size_t len)
{
	struct rig *w = context;

	if (w->output_bytes + len > sizeof w->output)
		w->output_bytes = 0;
	memcpy(w->output + w->output_bytes, bytes, len);
	w->output_bytes += (uint32_t)len;
	return len;
}

static void open_console(struct rig *w)
{
	const struct virtio_console_options options = { .ports = &w->port, .port_count = 1 };
	const struct virtio_console_port_options port = {
		.console = true,
		.input = &w->input,
		.sink = take,
		.sink_context = w,
		.receive_segments = w->segments,
		.receive_capacity = SEGMENTS,
		.transmit_segments = w->segments,
		.transmit_capacity = SEGMENTS,
	};

	check(virtio_console_input_init(&w->input, w->input_bytes, sizeof w->input_bytes));
	check(virtio_console_init(&w->console, &options));
	check(virtio_console_add_port(&w->console, 0, &port));
}

void rig_open(struct rig *w, const struct workload *load, uint32_t regions)
{
	memset(w, 0, sizeof *w);
	w->load = load;
	make_regions(w, regions);
	check(virtio_memory_map_init(&w->map, w->regions, regions));
	w->desc = (struct vring_desc *)(void *)(w->ram + DESC_AT);
	w->avail = (struct vring_avail *)(void *)(w->ram + AVAIL_AT);
	w->used = (struct vring_used *)(void *)(w->ram + USED_AT);
	fill_rings(w);

	check(virtio_queue_config_init(&w->config, QUEUE_SIZE));
	w->config.addr[VIRTIO_QUEUE_DESC] = to_guest(w, DESC_AT);
	w->config.addr[VIRTIO_QUEUE_AVAIL] = to_guest(w, AVAIL_AT);
	w->config.addr[VIRTIO_QUEUE_USED] = to_guest(w, USED_AT);
	w->config.indirect = load->indirect;
	w->config.event_idx = load->event_idx;
	w->config.ready = true;
	check(virtio_queue_init(&w->queue, w->inflight, QUEUE_SIZE));
	check(virtio_queue_start(&w->queue, &w->config, &w->map));
	check(virtio_request_init(&w->request, w->header, sizeof w->header, w->segments, SEGMENTS));
	check(virtio_blk_request_init(&w->blk, &(struct virtio_blk_storage){ w->segments, SEGMENTS, NULL, 0 }));
	open_console(w);
	check(virtio_vsock_packet_init(&w->packet, w->segments, SEGMENTS, 65536));
}

void rig_close(struct rig *w)
{
	munmap(w->ram, RAM_BYTES);
}

void rig_offer(struct rig *w)
{
	w->offered = (uint16_t)(w->offered + w->load->batch);
	w->avail->ring[QUEUE_SIZE] = (uint16_t)(w->offered - 1); /* used_event */
	__atomic_store_n(&w->avail->idx, w->offered, __ATOMIC_RELEASE);
}
