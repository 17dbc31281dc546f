/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Makes the device of a run, and compares the device with the model. */
#include "harness.h"
#include "compare.h"

static void make_slots(struct device_harness *h, struct virtio_queue_registers *slots)
{
	/* Only max_size needs a value. virtio_device_init() must ignore the value of `stopping`. */
	for (uint32_t i = 0; i < h->model.options.num_queues; i++)
		slots[i] = (struct virtio_queue_registers){ .config.max_size = h->model.max_size[i], .stopping = true };
}

void device_harness_make(struct device_harness *h)
{
	struct virtio_device_options options = h->model.options;
	int got;

	free(h->device);
	free(h->slots);
	h->device = fuzz_alloc(sizeof *h->device);
	h->slots = fuzz_alloc(sizeof *h->slots * options.num_queues);
	memset(h->device, DEVICE_NO_ARGUMENT, sizeof *h->device);
	make_slots(h, h->slots);
	options.queues = h->slots;
	options.memory = h->model.map ? &h->model.map->map : NULL;
	got = virtio_device_init(h->device, &options);
	FUZZ_CHECK(got == 0, "virtio_device_init() returned %d", got);
	h->line = false;
}

void device_harness_agree(struct device_harness *h)
{
	device_model_compare(&h->model, h->device);
	FUZZ_CHECK(h->line == h->model.line, "the line is %d, the model says %d", h->line, h->model.line);
	for (uint32_t i = 0; i < h->model.options.num_queues; i++) {
		FUZZ_CHECK((h->runs[i].running || h->runs[i].gone) == device_model_runs(&h->model, i),
			   "queue %u runs: %d, the model disagrees", i, h->runs[i].running);
	}
}
