/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The queues that the device serves. Each queue has a model. */
#include "queues.h"

void device_run_make(struct device_harness *h, uint32_t index)
{
	struct device_run *r = &h->runs[index];
	const uint16_t max = h->model.max_size[index];

	free(r->inflight);
	r->inflight = NULL;
	r->running = r->gone = false;
	r->flight_count = 0;
	memset(&r->model, 0, sizeof r->model);
	if (max == 0)
		return;
	r->inflight = fuzz_alloc(sizeof *r->inflight * max);
	r->model.storage = max;
	r->model.stats.first_head = 0xffff;
	FUZZ_CHECK(virtio_queue_init(&r->queue, r->inflight, max) == 0, "virtio_queue_init() failed");
}

void device_run_start(struct device_harness *h, uint32_t index)
{
	const struct virtio_queue_config *config = virtio_device_queue_config(h->device, index);
	struct device_run *r = &h->runs[index];

	FUZZ_CHECK(!r->running, "queue %u is started twice", index);
	model_start(&r->model, config, h->model.map, virtio_queue_start(&r->queue, config, &h->model.map->map));
	r->running = r->model.started;
	FUZZ_CHECK(r->running, "queue %u can't be started", index);
}

void device_run_stop(struct device_harness *h, uint32_t index)
{
	struct device_run *r = &h->runs[index];

	r->gone = false;
	if (!r->running)
		return;
	virtio_queue_reset(&r->queue);
	model_reset(&r->model);
	r->running = false;
	r->flight_count = 0;
}

void device_run_stop_all(struct device_harness *h)
{
	for (uint32_t i = 0; i < h->model.options.num_queues; i++)
		device_run_stop(h, i);
}

void device_run_start_all(struct device_harness *h)
{
	for (uint32_t i = 0; i < h->model.options.num_queues; i++) {
		const struct virtio_queue_config *config = virtio_device_queue_config(h->device, i);

		if (config && config->ready)
			device_run_start(h, i);
	}
}
