/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Compares the library's device with the model. This file is compiled without coverage.
 */
#include "compare.h"

static void compare_queue(const struct device_model *m, const struct virtio_device *device, uint32_t index)
{
	const struct device_model_queue *q = device_model_queue(m, index);
	const struct virtio_queue_config *config = virtio_device_queue_config(device, index);
	const struct virtio_queue_registers *real = &device->queues[index];

	FUZZ_CHECK(!config == !q, "queue %u exists: %d, the model disagrees", index, config != NULL);
	if (!q)
		return;
	FUZZ_CHECK(config == &real->config, "virtio_device_queue_config() of queue %u is wrong", index);
	FUZZ_CHECK(memcmp(config->addr, q->config.addr, sizeof config->addr) == 0, "addresses of queue %u are wrong",
		   index);
	FUZZ_CHECK(config->max_size == q->config.max_size && config->size == q->config.size,
		   "queue %u has the wrong size %u, or a wrong max_size", index, config->size);
	FUZZ_CHECK(config->ready == q->config.ready, "queue %u is ready: %d, the model disagrees", index,
		   config->ready);
	FUZZ_CHECK(config->event_idx == q->config.event_idx && config->indirect == q->config.indirect &&
			   config->in_order == q->config.in_order && !config->allow_long_indirect &&
			   !config->allow_unnegotiated_indirect,
		   "features of queue %u are wrong", index);
	FUZZ_CHECK(virtio_device_stop_number(device, (uint16_t)index) == device_model_stop_number(m, index),
		   "the stop or reset that waits for queue %u has the wrong number %u", index,
		   virtio_device_stop_number(device, (uint16_t)index));
	FUZZ_CHECK(real->given == device_model_bits(q->given, 3) && real->refused == device_model_bits(q->refused, 4),
		   "queue %u: given %#x or refused %#x is wrong", index, real->given, real->refused);
	FUZZ_CHECK(real->stopping == q->stopping && real->resetting == q->resetting &&
			   real->may_reenable == q->may_reenable && real->enabling == q->enabling,
		   "queue %u: wrong flags: stopping %d, resetting %d, may_reenable %d, enabling %d", index,
		   real->stopping, real->resetting, real->may_reenable, real->enabling);
}

static void compare_features(const struct device_model *m, const struct virtio_device *device)
{
	static const uint8_t bits[] = { 0, 31, 32, 35, 63, 64, 96, 127, 128, 255 };

	for (uint32_t i = 0; i < VIRTIO_FEATURE_WORDS + 1; i++) {
		const bool there = i < VIRTIO_FEATURE_WORDS;

		FUZZ_CHECK(virtio_device_accepted_features(device, i) == (there ? m->accepted[i] : 0),
			   "accepted features, word %u, are wrong", i);
		FUZZ_CHECK(virtio_device_offered_features(device, i) == (there ? m->options.features[i] : 0),
			   "offered features, word %u, are wrong", i);
	}
	for (uint32_t i = 0; i < sizeof bits; i++)
		FUZZ_CHECK(virtio_device_has_feature(device, bits[i]) == device_model_has(m, bits[i]),
			   "virtio_device_has_feature(%u) is wrong", bits[i]);
	FUZZ_CHECK(device->accepted_beyond == m->accepted_beyond, "accepted_beyond is wrong");
}

/* Compares whether the VMM must wait, and the number of resets that have succeeded. */
static void compare_waits(const struct device_model *m, const struct virtio_device *device)
{
	bool waiting = m->resetting;

	for (uint32_t i = 0; i < m->options.num_queues; i++)
		waiting = waiting || m->queues[i].stopping || m->queues[i].enabling;
	FUZZ_CHECK(virtio_device_waiting(device) == waiting, "virtio_device_waiting() is wrong, the model says %d",
		   waiting);
	FUZZ_CHECK(device->resets == m->resets, "%u resets, the model says %u", device->resets, m->resets);
}

static void compare_operator(const struct device_model *m, const struct virtio_device *device)
{
	FUZZ_CHECK(device->ignored == m->ignored, "ignored %llu, the model says %llu",
		   (unsigned long long)device->ignored, (unsigned long long)m->ignored);
	FUZZ_CHECK(m->first_errors ? (fuzz_error_bit(device->first_error) & m->first_errors) != 0
				   : device->first_error == 0,
		   "wrong first error %d", device->first_error);
	FUZZ_CHECK(device->first_queue == m->first_queue, "wrong first error in queue %u", device->first_queue);
}

void device_model_compare(const struct device_model *m, const struct virtio_device *device)
{
	FUZZ_CHECK(m->calls_seen == m->call_count, "operation %d was not called",
		   (int)m->calls[m->calls_seen % DEVICE_CALLS].call);
	FUZZ_CHECK(virtio_device_status(device) == m->status, "status %#x, the model says %#x",
		   virtio_device_status(device), m->status);
	FUZZ_CHECK(virtio_device_interrupt_status(device) == m->interrupt_status, "wrong interrupt status %u",
		   virtio_device_interrupt_status(device));
	FUZZ_CHECK(virtio_device_resetting(device) == m->resetting && device->reset_pending == m->reset_pending,
		   "wrong state of the reset, resetting is %d", virtio_device_resetting(device));
	FUZZ_CHECK(device->active == m->active, "active is %d, the model disagrees", device->active);
	FUZZ_CHECK(device->generation == m->generation, "wrong generation %u", device->generation);
	FUZZ_CHECK(device->device_features_sel == m->device_features_sel &&
			   device->driver_features_sel == m->driver_features_sel && device->queue_sel == m->queue_sel &&
			   device->shm_sel == m->shm_sel,
		   "a selector is wrong");
	for (uint32_t i = 0; i < m->options.num_queues; i++)
		compare_queue(m, device, i);
	FUZZ_CHECK(!virtio_device_queue_config(device, m->options.num_queues), "the device has one queue too many");
	compare_features(m, device);
	compare_waits(m, device);
	compare_operator(m, device);
	FUZZ_CHECK(m->marked || m->line == device_model_pending(m),
		   "the line is %d, and disagrees with the interrupt status", m->line);
}
