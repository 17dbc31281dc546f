/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Fuzzes the device core and the registers of virtio-mmio. The input describes guest memory and a
 * device with queues, and then a list of steps. A guest, the device's threads and the VMM take
 * turns. The guest may be hostile. The model computes the effects of each step, and the operations
 * that the core must call. After each step all results and all of guest memory must agree with the
 * model. The core itself must not write guest memory.
 */
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ring.h>

#include "device.h"
#include "driver.h"
#include "operations.h"
#include "queues.h"

#define MOST_STEPS 200u

/* Memory */

static void add_region(struct device_harness *h, uint64_t offset, uint64_t len, uint32_t what,
		       const struct virtio_dirty_log *log)
{
	struct shadow_region r = { .addr = h->base + offset, .len = len, .log = log };

	if (what & 1)
		return;
	r.read_only = what & 2;
	r.block = shadow_add_block(h->shadow, (size_t)len, 0);
	shadow_add_region(h->maps[0], &r);
}

/* Makes the second map, which lacks the last region, and the driver's map. */
static void copy_maps(struct device_harness *h)
{
	for (uint32_t i = 0; i < h->maps[0]->count; i++) {
		struct shadow_region r = h->maps[0]->regions[i];

		if (i == 0 || i + 1 < h->maps[0]->count)
			shadow_add_region(h->maps[1], &r);
		r.read_only = false;
		r.log = NULL;
		shadow_add_region(h->driver, &r);
	}
}

static void translate(struct device_harness *h, struct shadow_map *m, uint8_t how, bool faults)
{
	m->io_base = 0x20000;
	m->page_shift = 9;
	m->pages_used = DEVICE_BYTES >> m->page_shift;
	for (uint32_t i = 0; i < m->pages_used; i++) {
		m->pages[i].target = h->base + ((uint64_t)i << m->page_shift);
		m->pages[i].access = VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE;
	}
	if (!faults)
		return;
	m->pages[how & 7].error = how & 0x20 ? VIRTIO_ENOTMAPPED : 0;
	m->pages[how & 7].access = how & 0x40 ? VIRTIO_ACCESS_READ : m->pages[how & 7].access;
}

/*
 * Makes a region for each queue. One region may be missing or read-only. Either all regions have a
 * dirty log, or no region has a dirty log.
 */
static void make_memory(struct device_harness *h)
{
	static const uint64_t bases[] = { 0x1000, 0, ((uint64_t)1 << 32) - 0x400, 0 - (uint64_t)DEVICE_BYTES };
	const uint8_t how = fuzz_u8(&h->in), pages = fuzz_u8(&h->in);
	const struct virtio_dirty_log *log;

	h->base = bases[how & 3];
	log = shadow_add_log(h->shadow, h->base, 6, 1, DEVICE_BYTES / 512);
	for (uint32_t i = 0; i < DEVICE_QUEUES; i++)
		add_region(h, i * DEVICE_QUEUE_BYTES, DEVICE_QUEUE_BYTES, (how >> 2 & 3) == i ? how >> 4 & 3 : 0,
			   how & 0x40 ? log : NULL);
	copy_maps(h);
	if (pages & 0x80) {
		translate(h, h->maps[0], pages, true);
		translate(h, h->maps[1], pages, false);
		translate(h, h->driver, pages, false);
		h->base = h->maps[0]->io_base;
	}
	shadow_map_finish(h->maps[0]);
	shadow_map_finish(h->maps[1]);
	shadow_map_finish(h->driver);
}

/* The device */

static void offer_features(struct virtio_device_options *o, uint8_t which)
{
	static const uint8_t bits[] = { VIRTIO_F_RING_RESET,
					VIRTIO_RING_F_EVENT_IDX,
					VIRTIO_RING_F_INDIRECT_DESC,
					VIRTIO_F_IN_ORDER,
					VIRTIO_F_NOTIFICATION_DATA,
					0,
					127 };

	for (uint32_t i = 0; i < sizeof bits; i++)
		if (which >> i & 1)
			o->features[bits[i] / 32] |= 1u << bits[i] % 32;
	o->features[2] = which;
}

static void make_device(struct device_harness *h)
{
	static const uint16_t sizes[4][DEVICE_QUEUES] = {
		{ 8, 4, 16, 8 }, { 1, 2, 4, 8 }, { 16, 0, 8, 4 }, { 8, 0, 0, 8 }
	};
	const uint8_t kind = fuzz_u8(&h->in), features = fuzz_u8(&h->in), space = fuzz_u8(&h->in);
	struct virtio_device_options o = { .context = h, .type = kind >> 6, .vendor = 0x44434241 };

	h->ops = device_harness_ops;
	if (kind & 0x10)
		h->ops.check_features = NULL;
	if (kind & 0x20)
		h->ops.config_write = NULL;
	if (kind & 0x80) {
		h->ops.config_read = NULL;
		o.config = h->config;
	}
	o.ops = &h->ops;
	o.num_queues = 2u + (kind & 3) % 3;
	memcpy(h->model.max_size, sizes[kind >> 2 & 3], sizeof h->model.max_size);
	offer_features(&o, features);
	o.config_size = space % (DEVICE_CONFIG + 1);
	o.num_shm = features >> 7 ? DEVICE_REGIONS : 0;
	h->shm = fuzz_alloc(sizeof *h->shm * o.num_shm);
	for (uint32_t i = 0; i < o.num_shm; i++)
		h->shm[i] = (struct virtio_shm_region){ 0x123456789a0 * (i + 1), (uint64_t)0x1000000001 << i,
							(uint8_t)(i * i * 50 + 1) };
	memcpy(h->model.shm, h->shm, sizeof *h->shm * o.num_shm);
	o.shm = h->shm;
	for (uint32_t i = 0; i < DEVICE_CONFIG; i++)
		h->config[i] = (uint8_t)(i * 3 + 1);
	memcpy(h->model.config, h->config, sizeof h->config);
	device_model_init(&h->model, &o, h->maps[0]);
	device_harness_make(h);
	for (uint32_t i = 0; i < o.num_queues; i++)
		device_run_make(h, i);
	device_harness_agree(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct device_harness *h = fuzz_alloc(sizeof *h);

	h->in.at = data;
	h->in.left = size;
	h->shadow = shadow_new();
	h->maps[0] = &h->shadow->maps[0];
	h->maps[1] = &h->shadow->maps[1];
	h->driver = &h->shadow->maps[2];
	make_memory(h);
	make_device(h);
	for (uint32_t i = 0; i < MOST_STEPS && h->in.left; i++) {
		const uint8_t op = fuzz_u8(&h->in);

		if (op & 0x80)
			device_host_step(h, op & 0x7f);
		else
			device_guest_step(h, op);
		shadow_compare(h->shadow);
		for (uint32_t n = 0; n < h->model.options.num_queues; n++)
			if (h->runs[n].inflight)
				model_compare(&h->runs[n].model, &h->runs[n].queue);
	}
	for (uint32_t i = 0; i < DEVICE_QUEUES; i++)
		free(h->runs[i].inflight);
	free(h->device);
	free(h->slots);
	free(h->shm);
	shadow_free(h->shadow);
	free(h);
	return 0;
}
