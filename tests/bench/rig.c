/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* See rig.h. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define RAM_BYTES (UINT64_C(256) << 20) /* address space; only used pages need memory */
#define HOLE_BYTES (UINT64_C(1) << 30)  /* between regions, so that no two regions are adjacent */
#define PAGE 4096u
#define DESC_BYTES ((uint32_t)sizeof(struct vring_desc))
#define USED_BYTES ((uint32_t)sizeof(struct vring_used_elem))
#define REQUEST_BYTES 192u /* bytes that a driver allocates for header, status and its own data */

/* The parts of a chain; data buffer i is part PART_DATA + i. */
enum part { PART_TABLE, PART_HEADER, PART_STATUS, PART_DATA };

static void fail(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

static void check(int error)
{
	if (error)
		fail(virtio_strerror(error));
}

static void *zeroes(size_t count, size_t bytes)
{
	void *p = calloc(count, bytes);

	if (!p)
		fail("no memory");
	return p;
}

/* Returns a pseudo-random number, the same in every run. */
static uint32_t scatter(uint32_t chain, uint32_t part)
{
	uint32_t x = chain << 16 | part;

	x = (x ^ x >> 16) * 0x85ebca6bu;
	x = (x ^ x >> 13) * 0xc2b2ae35u;
	return x ^ x >> 16;
}

/*
 * Returns the region of a part. With several regions, unless the layout is scattered, most accesses
 * in a short chain use another region than the access before.
 */
static uint32_t region_of(const struct rig *w, uint32_t chain, uint32_t part)
{
	const struct workload *load = w->load;
	uint32_t turn = chain;

	if (part == PART_TABLE && load->layout == LAYOUT_BUFFERS)
		return 0;
	if (load->layout == LAYOUT_SCATTERED)
		turn = scatter(chain, part);
	else if (part == PART_TABLE)
		turn += 3;
	else if (part >= PART_DATA)
		turn += part - PART_DATA + 1;
	return turn % load->regions;
}

/* Allocates bytes in a region and touches each of their pages. Returns the guest address. */
static uint64_t take(struct rig *w, uint32_t region, uint64_t bytes, uint64_t align, void **host)
{
	const uint64_t at = (w->used_up[region] + align - 1) / align * align;

	if (at + bytes > w->region_bytes)
		fail("a region is too small for the chains");
	w->used_up[region] = at + bytes;
	*host = (uint8_t *)w->regions[region].host + at;
	memset(*host, 0, bytes);
	return w->regions[region].addr + at;
}

static void make_memory(struct rig *w)
{
	const struct workload *load = w->load;
	const uint64_t pages = (load->regions * (HOLE_BYTES + RAM_BYTES)) / PAGE;

	w->ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w->ram == MAP_FAILED)
		fail("no memory");
	w->region_bytes = RAM_BYTES / load->regions;
	w->used_up = zeroes(load->regions, sizeof *w->used_up);
	w->regions = zeroes(load->regions, sizeof *w->regions);
	if (load->dirty) {
		w->log = zeroes(1, sizeof *w->log);
		*w->log = (struct virtio_dirty_log){ zeroes(pages / 8, 1), pages / 8, 0, 12, 1 };
	}
	for (uint32_t i = 0; i < load->regions; i++)
		w->regions[i] = (struct virtio_region){ .addr = i * (w->region_bytes + HOLE_BYTES),
							.len = w->region_bytes,
							.host = w->ram + i * w->region_bytes,
							.dirty = w->log };
	check(virtio_memory_map_init(&w->map, w->regions, load->regions));
}

static void share_memory(struct rig *w, const struct rig *beside)
{
	w->shares_memory = true;
	w->ram = beside->ram;
	w->region_bytes = beside->region_bytes;
	w->used_up = beside->used_up;
	w->regions = beside->regions;
	w->log = beside->log;
	w->map = beside->map;
}

static void place_rings(struct rig *w)
{
	const struct workload *load = w->load;
	const uint32_t size = load->queue_size, apart = load->layout == LAYOUT_BUFFERS ? 0 : 1;
	uint64_t *const addr = w->config.addr, used_bytes = USED_BYTES * (uint64_t)size + 6,
			filler = PAGE - used_bytes / 2 % PAGE;
	void *host;

	check(virtio_queue_config_init(&w->config, (uint16_t)size));
	addr[VIRTIO_QUEUE_DESC] = take(w, 0, DESC_BYTES * (uint64_t)size, PAGE, &host);
	w->desc = host;
	addr[VIRTIO_QUEUE_AVAIL] = take(w, apart % load->regions, 2 * (uint64_t)size + 6, PAGE, &host);
	w->avail = host;
	if (load->dirty == DIRTY_SPREAD) {
		take(w, 2 * apart % load->regions, filler / 4 * 4, PAGE, &host);
		addr[VIRTIO_QUEUE_USED] = take(w, 2 * apart % load->regions, used_bytes, 4, &host);
	} else {
		addr[VIRTIO_QUEUE_USED] = take(w, 2 * apart % load->regions, used_bytes, PAGE, &host);
	}
	w->used = host;
	for (uint32_t i = 0; i < load->regions; i++)
		take(w, i, 0, PAGE, &host);
}

/* Fills in the header of a block request, or of a packet out of the guest. */
static void fill_header(const struct workload *load, void *header)
{
	struct virtio_vsock_hdr packet = { 0 };

	if (load->shape == SHAPE_REQUEST) {
		virtio_put_le32(header, load->block_type);
	} else if (!load->writable) {
		virtio_vsock_set_len(&packet, load->bytes);
		virtio_vsock_header_to_raw(&packet, header);
	}
}

static void fill_buffer(struct rig *w, struct vring_desc *d, uint32_t region, uint32_t bytes, bool writable)
{
	void *host;

	/* A large buffer begins at the start of a page, as in a driver. */
	d->addr = take(w, region, bytes, bytes < PAGE ? 64 : PAGE, &host);
	d->len = bytes;
	d->flags = writable ? VRING_DESC_F_WRITE : 0;
}

/*
 * Sets up header and status. Both are in one structure, as in a driver, unless the layout is
 * scattered.
 */
static void fill_ends(struct rig *w, struct vring_desc *header, struct vring_desc *status, uint32_t chain)
{
	const struct workload *load = w->load;
	const uint32_t bytes = load->dirty == DIRTY_HOT ? 32 : load->dirty == DIRTY_SPREAD ? PAGE : REQUEST_BYTES;
	void *host;

	header->addr = take(w, region_of(w, chain, PART_HEADER), bytes, 32, &host);
	fill_header(load, host);
	status->addr = header->addr + 16;
	if (load->layout == LAYOUT_SCATTERED)
		status->addr = take(w, region_of(w, chain, PART_STATUS), bytes, 32, &host);
	header->len = 16;
	status->len = 1;
	status->flags = VRING_DESC_F_WRITE;
}

static void fill_chain(struct rig *w, struct vring_desc *table, uint32_t first, uint32_t chain)
{
	const struct workload *load = w->load;
	const uint32_t n = load->descriptors, ends = load->shape == SHAPE_REQUEST ? 1 : 0;
	const uint32_t headers = load->shape == SHAPE_BUFFERS ? 0 : 1;
	void *host;

	if (load->shape == SHAPE_REQUEST) {
		fill_ends(w, &table[first], &table[first + n - 1], chain);
	} else if (load->shape == SHAPE_PACKET) {
		table[first].len = VIRTIO_VSOCK_HEADER_BYTES;
		table[first].addr = take(w, region_of(w, chain, PART_HEADER), REQUEST_BYTES, 64, &host);
		table[first].flags = load->writable ? VRING_DESC_F_WRITE : 0;
		fill_header(load, host);
	}
	for (uint32_t i = headers; i < n - ends; i++)
		fill_buffer(w, &table[first + i], region_of(w, chain, PART_DATA + i - headers), load->bytes,
			    load->writable);
	for (uint32_t i = 0; i + 1 < n; i++) {
		table[first + i].flags |= VRING_DESC_F_NEXT;
		table[first + i].next = (uint16_t)(first + i + 1);
	}
}

static void fill_rings(struct rig *w)
{
	const struct workload *load = w->load;
	const uint32_t n = load->descriptors;
	void *table;

	/*
	 * The number of chains is a power of two, so that the available ring repeats the chains
	 * evenly.
	 */
	for (w->chains = 1; w->chains * 2 * n <= load->queue_size; w->chains *= 2) {
	}
	for (uint32_t c = 0; c < w->chains; c++) {
		if (!load->table) {
			fill_chain(w, w->desc, c * n, c);
			continue;
		}
		w->desc[c].addr = take(w, region_of(w, c, PART_TABLE), n * DESC_BYTES, DESC_BYTES, &table);
		w->desc[c].len = n * DESC_BYTES;
		w->desc[c].flags = VRING_DESC_F_INDIRECT;
		fill_chain(w, table, 0, c);
	}
	for (uint32_t s = 0; s < load->queue_size; s++)
		w->avail->ring[s] = (uint16_t)(s % w->chains * (load->table ? 1 : n));
}

static void start_queue(struct rig *w)
{
	const struct workload *load = w->load;

	w->config.indirect = load->table;
	w->config.event_idx = load->event_idx;
	w->config.ready = true;
	w->inflight = zeroes(load->queue_size, sizeof *w->inflight);
	check(virtio_queue_init(&w->queue, w->inflight, load->queue_size));
	check(virtio_queue_start(&w->queue, &w->config, &w->map));
}

/*
 * The sink of the console. Writes into a buffer, and continues at the buffer's start when bytes do
 * not fit.
 */
static size_t take_output(void *context, const void *bytes, size_t len)
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
		.sink = take_output,
		.sink_context = w,
		.receive_segments = w->segments,
		.receive_capacity = w->capacity,
		.transmit_segments = w->segments,
		.transmit_capacity = w->capacity,
	};

	check(virtio_console_input_init(&w->input, w->input_bytes, sizeof w->input_bytes));
	check(virtio_console_init(&w->console, &options));
	check(virtio_console_add_port(&w->console, 0, &port));
}

static void open_disk(struct rig *w)
{
	struct virtio_blk_options options = { .capacity = 1 };

	w->disk_memory = (struct virtio_blk_memory){ w->disk_bytes, sizeof w->disk_bytes };
	check(virtio_blk_memory_backend(&w->disk_memory, &options.backend));
	check(virtio_blk_init(&w->disk, &options));
	check(virtio_blk_negotiate(&w->disk, virtio_blk_offered(&w->disk)));
}

void rig_open(struct rig *w, const struct workload *load, const struct rig *beside)
{
	memset(w, 0, sizeof *w);
	w->load = load;
	if (beside)
		share_memory(w, beside);
	else
		make_memory(w);
	place_rings(w);
	fill_rings(w);
	start_queue(w);
	w->capacity = load->descriptors < 8 ? 8 : load->descriptors;
	w->segments = zeroes(w->capacity, sizeof *w->segments);
	check(virtio_request_init(&w->request, w->header, sizeof w->header, w->segments, w->capacity));
	check(virtio_blk_request_init(&w->block, &(struct virtio_blk_storage){ w->segments, w->capacity, NULL, 0 }));
	open_disk(w);
	open_console(w);
	check(virtio_vsock_packet_init(&w->packet, w->segments, w->capacity, 65536));
	virtio_vsock_set_len(&w->packet.header, w->load->bytes);
}

void rig_close(struct rig *w)
{
	if (w->used->idx != w->offered)
		fail("not all chains were completed");
	check(w->queue.stats.first_error);
	free(w->segments);
	free(w->inflight);
	if (w->shares_memory)
		return;
	munmap(w->ram, RAM_BYTES);
	if (w->log)
		free(w->log->bitmap);
	free(w->log);
	free(w->regions);
	free(w->used_up);
}

void rig_offer(struct rig *w)
{
	if (w->load->idle)
		return;
	w->offered = (uint16_t)(w->offered + w->load->burst);
	w->avail->ring[w->load->queue_size] = (uint16_t)(w->offered - 1); /* used_event */
	__atomic_store_n(&w->avail->idx, w->offered, __ATOMIC_RELEASE);
}
