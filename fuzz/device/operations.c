/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The operations of the device. The model specifies when the library must call each operation, and
 * with which arguments.
 */
#include "operations.h"
#include "queues.h"

/*
 * Returns the call that the model expects now. Traps if the library calls another operation, or if
 * the device's state differs from the model's.
 */
static struct device_record *expect(struct virtio_device *device, enum device_call call)
{
	struct device_harness *h = device->context;
	struct device_record *r = &h->model.calls[h->model.calls_seen];

	FUZZ_CHECK(h->model.calls_seen < h->model.call_count, "operation %d is called, and the model expects no call",
		   call);
	h->model.calls_seen++;
	FUZZ_CHECK(r->call == call, "operation %d is called, the model says %d", call, r->call);
	FUZZ_CHECK(virtio_device_status(device) == r->status, "operation %d sees status %#x, the model says %#x", call,
		   virtio_device_status(device), r->status);
	FUZZ_CHECK(virtio_device_interrupt_status(device) == r->interrupt_status,
		   "operation %d sees interrupt status %u, the model says %u", call,
		   virtio_device_interrupt_status(device), r->interrupt_status);
	FUZZ_CHECK(virtio_device_resetting(device) == r->resetting,
		   "operation %d sees resetting %d, the model disagrees", call, virtio_device_resetting(device));
	for (uint16_t i = 0; i < DEVICE_QUEUES; i++)
		FUZZ_CHECK(virtio_device_stop_number(device, i) == r->numbers[i],
			   "operation %d sees number %u wait for queue %u, the model says %u", call,
			   virtio_device_stop_number(device, i), i, r->numbers[i]);
	return r;
}

/* Carries out the event that the model has planned for this call. */
static void event(struct virtio_device *device, const struct device_record *r)
{
	uint8_t data[4] = { 0 };
	int got = r->event_result;

	switch (r->plan.event) {
	case EVENT_USED:
		virtio_device_interrupt_used(device, r->plan.argument);
		break;
	case EVENT_MARK:
		got = virtio_device_mark_interrupt(device, r->plan.argument);
		break;
	case EVENT_NEEDS_RESET:
		virtio_device_set_needs_reset(device);
		break;
	case EVENT_CONFIG_CHANGED:
		virtio_device_config_changed(device);
		break;
	case EVENT_RESET_DONE:
		got = virtio_device_queue_quiesced(device, r->plan.argument % DEVICE_QUEUES,
						   virtio_device_stop_number(device, 0));
		if (got == r->event_result)
			got = virtio_device_reset_done(device, 0);
		break;
	case EVENT_ACK:
		data[0] = (uint8_t)r->plan.argument;
		got = virtio_mmio_write(device, 0x64, data, sizeof data);
		break;
	case EVENT_RESET:
		got = virtio_mmio_write(device, 0x70, data, sizeof data);
		break;
	default:
		break;
	}
	FUZZ_CHECK(got == r->event_result, "event %d during operation %d returned %d", r->plan.event, r->call, got);
}

static int op_check_features(struct virtio_device *device, const uint32_t features[VIRTIO_FEATURE_WORDS])
{
	const struct device_record *r = expect(device, CALL_FEATURES);

	FUZZ_CHECK(memcmp(features, r->features, sizeof r->features) == 0, "check_features() gets wrong features");
	event(device, r);
	return r->plan.answer;
}

static int op_activate(struct virtio_device *device)
{
	const struct device_record *r = expect(device, CALL_ACTIVATE);

	if (r->plan.answer == 0)
		device_run_start_all(device->context);
	event(device, r);
	return r->plan.answer;
}

static int op_reset(struct virtio_device *device)
{
	const struct device_record *r = expect(device, CALL_RESET);

	if (r->plan.answer == 0)
		device_run_stop_all(device->context);
	event(device, r);
	return r->plan.answer;
}

static void op_queue_notify(struct virtio_device *device, uint16_t queue, uint16_t next)
{
	struct device_harness *h = device->context;
	const struct device_record *r = expect(device, CALL_NOTIFY);

	FUZZ_CHECK(queue == r->queue && next == r->next, "queue_notify() gets queue %u, next %u; the model says %u, %u",
		   queue, next, r->queue, r->next);
	FUZZ_CHECK(h->runs[queue].running || h->runs[queue].gone, "notification of queue %u, which doesn't run", queue);
	event(device, r);
}

static int op_queue_stop(struct virtio_device *device, uint16_t queue)
{
	const struct device_record *r = expect(device, CALL_STOP);

	FUZZ_CHECK(queue == r->queue, "queue_stop() gets queue %u, the model says %u", queue, r->queue);
	if (r->plan.answer == 0)
		device_run_stop(device->context, queue);
	event(device, r);
	return r->plan.answer;
}

static int op_queue_start(struct virtio_device *device, uint16_t queue)
{
	const struct device_record *r = expect(device, CALL_START);

	FUZZ_CHECK(queue == r->queue, "queue_start() gets queue %u, the model says %u", queue, r->queue);
	if (r->plan.answer == 0)
		device_run_start(device->context, queue);
	event(device, r);
	return r->plan.answer;
}

static void op_config_read(struct virtio_device *device, uint32_t offset, void *data, uint32_t len)
{
	const struct device_harness *h = device->context;
	const struct device_record *r = expect(device, CALL_CONFIG_READ);

	FUZZ_CHECK(offset == r->offset && len == r->len, "config_read() gets %u bytes at %u, the model says %u at %u",
		   len, offset, r->len, r->offset);
	memcpy(data, h->config + offset, len);
	event(device, r);
}

static void op_config_write(struct virtio_device *device, uint32_t offset, const void *data, uint32_t len)
{
	struct device_harness *h = device->context;
	const struct device_record *r = expect(device, CALL_CONFIG_WRITE);

	FUZZ_CHECK(offset == r->offset && len == r->len, "config_write() gets %u bytes at %u, the model says %u at %u",
		   len, offset, r->len, r->offset);
	FUZZ_CHECK(memcmp(data, r->data, len) == 0, "config_write() gets wrong bytes at %u", offset);
	memcpy(h->config + offset, data, len);
	event(device, r);
}

static void op_interrupt(struct virtio_device *device, enum virtio_interrupt cause, uint16_t queue, bool level)
{
	struct device_harness *h = device->context;
	const struct device_record *r = expect(device, CALL_INTERRUPT);

	FUZZ_CHECK(cause == r->cause && queue == r->queue && level == r->level,
		   "interrupt %d of queue %u, level %d; the model says %d, %u, %d", cause, queue, level, r->cause,
		   r->queue, r->level);
	if (!r->plan.late)
		h->line = level;
	event(device, r);
	if (r->plan.late)
		h->line = level;
}

const struct virtio_device_ops device_harness_ops = {
	.check_features = op_check_features,
	.activate = op_activate,
	.reset = op_reset,
	.queue_notify = op_queue_notify,
	.queue_stop = op_queue_stop,
	.queue_start = op_queue_start,
	.config_read = op_config_read,
	.config_write = op_config_write,
	.interrupt = op_interrupt,
};
