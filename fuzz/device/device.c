/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The device: its operations, each of which must be called when the model says and with what, and its queues. */
#include "harness.h"
#include "steps.h"

/* Queues */

void device_run_make(struct device_harness *h, uint32_t index)
{
	struct device_run *r = &h->runs[index];
	const uint16_t max = h->model.max_size[index];

	free(r->inflight);
	r->inflight = NULL;
	r->running = false;
	r->flight_count = 0;
	memset(&r->model, 0, sizeof r->model);
	if (max == 0)
		return;
	r->inflight = fuzz_alloc(sizeof *r->inflight * max);
	r->model.storage = max;
	r->model.stats.first_head = 0xffff;
	FUZZ_CHECK(virtio_queue_init(&r->queue, r->inflight, max) == 0, "init of a queue");
}

void device_run_start(struct device_harness *h, uint32_t index)
{
	const struct virtio_queue_config *config = virtio_device_queue_config(h->device, index);
	struct device_run *r = &h->runs[index];

	FUZZ_CHECK(!r->running, "queue %u is started again", index);
	model_start(&r->model, config, h->model.map, virtio_queue_start(&r->queue, config, &h->model.map->map));
	r->running = r->model.started;
	FUZZ_CHECK(r->running, "queue %u can't be started", index);
}

void device_run_stop(struct device_harness *h, uint32_t index)
{
	struct device_run *r = &h->runs[index];

	if (!r->running)
		return;
	virtio_queue_reset(&r->queue);
	model_reset(&r->model);
	r->running = false;
	r->flight_count = 0;
}

static void stop_all(struct device_harness *h)
{
	for (uint32_t i = 0; i < h->model.options.num_queues; i++)
		device_run_stop(h, i);
}

static void start_all(struct device_harness *h)
{
	for (uint32_t i = 0; i < h->model.options.num_queues; i++) {
		const struct virtio_queue_config *config = virtio_device_queue_config(h->device, i);

		if (config && config->ready)
			device_run_start(h, i);
	}
}

/* Operations */

/* The call that must come now; traps unless it's this one and things look as they should meanwhile. */
static struct device_record *expect(struct virtio_device *device, enum device_call call)
{
	struct device_harness *h = device->context;
	struct device_record *r = &h->model.calls[h->model.calls_seen];

	FUZZ_CHECK(h->model.calls_seen < h->model.call_count, "operation %d is called", call);
	h->model.calls_seen++;
	FUZZ_CHECK(r->call == call, "operation %d is called, the model says %d", call, r->call);
	FUZZ_CHECK(virtio_device_status(device) == r->status, "operation %d sees status %#x, the model says %#x", call,
		   virtio_device_status(device), r->status);
	FUZZ_CHECK(virtio_device_interrupt_status(device) == r->interrupt_status,
		   "operation %d sees interrupt status %u, the model says %u", call,
		   virtio_device_interrupt_status(device), r->interrupt_status);
	FUZZ_CHECK(virtio_device_resetting(device) == r->resetting, "operation %d sees resetting %d", call,
		   virtio_device_resetting(device));
	return r;
}

/* What happens meanwhile. */
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
	FUZZ_CHECK(got == r->event_result, "event %d during operation %d: %d", r->plan.event, r->call, got);
}

static int op_check_features(struct virtio_device *device, const uint32_t features[VIRTIO_FEATURE_WORDS])
{
	const struct device_record *r = expect(device, CALL_FEATURES);

	FUZZ_CHECK(memcmp(features, r->features, sizeof r->features) == 0, "features to be checked");
	event(device, r);
	return r->plan.answer;
}

static int op_activate(struct virtio_device *device)
{
	const struct device_record *r = expect(device, CALL_ACTIVATE);

	if (r->plan.answer == 0)
		start_all(device->context);
	event(device, r);
	return r->plan.answer;
}

static int op_reset(struct virtio_device *device)
{
	const struct device_record *r = expect(device, CALL_RESET);

	if (r->plan.answer == 0)
		stop_all(device->context);
	event(device, r);
	return r->plan.answer;
}

static void op_queue_notify(struct virtio_device *device, uint16_t queue, uint16_t next)
{
	struct device_harness *h = device->context;
	const struct device_record *r = expect(device, CALL_NOTIFY);

	FUZZ_CHECK(queue == r->queue && next == r->next, "notification of queue %u, %u; the model says %u, %u", queue,
		   next, r->queue, r->next);
	FUZZ_CHECK(h->runs[queue].running, "notification of queue %u, which doesn't run", queue);
	event(device, r);
}

static int op_queue_stop(struct virtio_device *device, uint16_t queue)
{
	const struct device_record *r = expect(device, CALL_STOP);

	FUZZ_CHECK(queue == r->queue, "queue %u is to be stopped, the model says %u", queue, r->queue);
	if (r->plan.answer == 0)
		device_run_stop(device->context, queue);
	event(device, r);
	return r->plan.answer;
}

static int op_queue_start(struct virtio_device *device, uint16_t queue)
{
	const struct device_record *r = expect(device, CALL_START);

	FUZZ_CHECK(queue == r->queue, "queue %u is to be started, the model says %u", queue, r->queue);
	if (r->plan.answer == 0)
		device_run_start(device->context, queue);
	event(device, r);
	return r->plan.answer;
}

static void op_config_read(struct virtio_device *device, uint32_t offset, void *data, uint32_t len)
{
	const struct device_harness *h = device->context;
	const struct device_record *r = expect(device, CALL_CONFIG_READ);

	FUZZ_CHECK(offset == r->offset && len == r->len, "reads %u bytes at %u, the model says %u at %u", len, offset,
		   r->len, r->offset);
	memcpy(data, h->config + offset, len);
	event(device, r);
}

static void op_config_write(struct virtio_device *device, uint32_t offset, const void *data, uint32_t len)
{
	struct device_harness *h = device->context;
	const struct device_record *r = expect(device, CALL_CONFIG_WRITE);

	FUZZ_CHECK(offset == r->offset && len == r->len, "writes %u bytes at %u, the model says %u at %u", len, offset,
		   r->len, r->offset);
	FUZZ_CHECK(memcmp(data, r->data, len) == 0, "what is written at %u", offset);
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

/* Steps */

static uint16_t pick_queue(struct device_harness *h)
{
	return (uint16_t)(fuzz_u8(&h->in) % h->model.options.num_queues);
}

static void host_plan(struct device_harness *h)
{
	static const int errors[] = { VIRTIO_EIO, VIRTIO_EINVAL, VIRTIO_EFAULT, VIRTIO_ENOTSUP };
	const uint8_t how = fuzz_u8(&h->in), what = fuzz_u8(&h->in), argument = fuzz_u8(&h->in);
	const enum device_call call = (enum device_call)(how % CALL_KINDS);
	struct device_plan p = { .event = (enum device_event)((what & 15) % EVENT_KINDS), .late = what & 0x80 };

	if ((what >> 4 & 3) == 1 && (call == CALL_RESET || call == CALL_STOP))
		p.answer = VIRTIO_DEVICE_IN_PROGRESS;
	else if ((what >> 4 & 3) == 1 && (call == CALL_START || call == CALL_ACTIVATE))
		p.answer = VIRTIO_ENOTMAPPED;
	else if ((what >> 4 & 3) >= 2)
		p.answer = errors[argument >> 6];
	p.argument = argument & 0x3f;
	if (p.event == EVENT_USED)
		p.argument %= (uint16_t)h->model.options.num_queues;
	if ((p.event == EVENT_CONFIG_CHANGED && call == CALL_INTERRUPT) ||
	    (p.event == EVENT_RESET_DONE && call != CALL_RESET) ||
	    ((p.event == EVENT_ACK || p.event == EVENT_RESET) && call != CALL_INTERRUPT))
		p.event = EVENT_NONE;
	h->model.plans[call] = p;
}

static void used(struct device_harness *h, uint16_t queue)
{
	device_model_begin(&h->model, false);
	device_model_used(&h->model, queue);
	virtio_device_interrupt_used(h->device, queue);
	device_harness_agree(h);
}

static void needs_reset(struct device_harness *h)
{
	device_model_begin(&h->model, false);
	device_model_needs_reset(&h->model);
	virtio_device_set_needs_reset(h->device);
	device_harness_agree(h);
}

/* The device can go on with a queue until it is stopped or reset, even if either is in progress. */
static bool pop(struct device_run *r)
{
	struct virtio_chain chain;
	struct model_walk walk;
	const int got = virtio_queue_pop(&r->queue, &chain);

	model_pop(&r->model, &walk, got, &chain);
	if (got == 1)
		r->flight[r->flight_count++] = chain.token;
	return got >= 0;
}

static void host_pop(struct device_harness *h)
{
	const uint16_t queue = pick_queue(h);

	if (h->runs[queue].running && !pop(&h->runs[queue]))
		needs_reset(h);
}

static void complete_all(struct device_run *r, uint32_t len)
{
	for (uint32_t i = 0; i < r->flight_count; i++) {
		const struct virtio_completion one = { r->flight[i], len };

		model_complete(&r->model, &one, 1, virtio_queue_complete(&r->queue, one.token, len));
	}
	r->flight_count = 0;
}

static void host_serve(struct device_harness *h)
{
	const uint16_t queue = pick_queue(h);
	const uint8_t how = fuzz_u8(&h->in);
	struct device_run *r = &h->runs[queue];
	bool works = r->running, notify;

	for (uint32_t i = 0; i <= (how & 3) && works; i++)
		works = pop(r);
	if (!r->running)
		return;
	complete_all(r, how >> 2);
	notify = virtio_queue_needs_notification(&r->queue);
	model_needs_notification(&r->model, notify);
	if (notify)
		used(h, queue);
	if (!works)
		needs_reset(h);
}

static void host_used(struct device_harness *h)
{
	used(h, pick_queue(h));
}

static void host_mark(struct device_harness *h)
{
	const uint32_t cause = fuzz_u8(&h->in);
	bool marked;

	device_model_begin(&h->model, false);
	marked = device_model_mark(&h->model, cause);
	FUZZ_CHECK(virtio_device_mark_interrupt(h->device, cause) == marked, "mark_interrupt, the model says %d",
		   marked);
}

static void host_config_changed(struct device_harness *h)
{
	const uint8_t offset = fuzz_u8(&h->in) % DEVICE_CONFIG, value = fuzz_u8(&h->in);

	h->config[offset] = value;
	h->model.config[offset] = value;
	device_model_begin(&h->model, true);
	device_model_config_changed(&h->model);
	virtio_device_config_changed(h->device);
}

static void reset_done(struct device_harness *h, int error)
{
	int expected, got;

	if (h->model.reset_pending && !error)
		stop_all(h);
	device_model_begin(&h->model, true);
	expected = device_model_reset_done(&h->model, error);
	got = virtio_device_reset_done(h->device, error);
	FUZZ_CHECK(got == expected, "reset_done returned %d", got);
}

static void queue_stopped(struct device_harness *h, uint16_t queue, int error)
{
	int expected, got;

	if (queue < DEVICE_QUEUES && h->model.queues[queue].stopping && !error)
		device_run_stop(h, queue);
	device_model_begin(&h->model, true);
	expected = device_model_queue_stopped(&h->model, queue, error);
	got = virtio_device_queue_stopped(h->device, queue, error);
	FUZZ_CHECK(got == expected, "queue_stopped returned %d", got);
}

static void host_reset_done(struct device_harness *h)
{
	reset_done(h, 0);
}

static void host_queue_stopped(struct device_harness *h)
{
	queue_stopped(h, fuzz_u8(&h->in) % 8, 0);
}

static void host_queue_mapped(struct device_harness *h)
{
	const uint16_t queue = fuzz_u8(&h->in) % 8;
	int expected, got;

	device_model_begin(&h->model, true);
	expected = device_model_queue_mapped(&h->model, queue);
	got = virtio_device_queue_mapped(h->device, queue);
	FUZZ_CHECK(got == expected, "queue_mapped returned %d", got);
}

static void host_fail(struct device_harness *h)
{
	static const int errors[] = { VIRTIO_EIO, VIRTIO_EFAULT, VIRTIO_ENOTSUP, VIRTIO_DEVICE_IN_PROGRESS };
	const uint8_t how = fuzz_u8(&h->in);

	if (how & 0x80)
		reset_done(h, errors[how >> 3 & 3]);
	else
		queue_stopped(h, how % 8, errors[how >> 3 & 3]);
}

static void host_reset(struct device_harness *h)
{
	int expected, got;

	device_model_begin(&h->model, true);
	expected = device_model_reset(&h->model);
	got = virtio_device_reset(h->device);
	FUZZ_CHECK(got == expected, "reset returned %d", got);
}

static void host_set_memory(struct device_harness *h)
{
	const uint8_t which = fuzz_u8(&h->in) % 4;
	struct shadow_map *map = which < 2 ? h->maps[which] : NULL;

	virtio_device_set_memory(h->device, map ? &map->map : NULL);
	h->model.map = map;
	for (uint32_t i = 0; i < h->model.options.num_queues && map; i++) {
		struct device_run *r = &h->runs[i];

		if (r->running)
			model_set_memory(&r->model, map, virtio_queue_set_memory(&r->queue, &map->map));
	}
}

static void host_migrate(struct device_harness *h)
{
	device_migrate(h, false);
}

static void host_forge(struct device_harness *h)
{
	device_migrate(h, true);
}

/* It's for a device that was just restored, so one without anything in progress. */
static void host_resume(struct device_harness *h)
{
	for (uint32_t i = 0; i < h->model.options.num_queues; i++)
		if (h->model.queues[i].stopping || h->model.queues[i].enabling || h->model.resetting)
			return;
	device_model_begin(&h->model, true);
	device_model_resume(&h->model);
	virtio_device_resume(h->device);
}

void device_host_step(struct device_harness *h, uint8_t op)
{
	static void (*const steps[HOST_STEPS])(struct device_harness *) = {
		[HOST_PLAN] = host_plan,
		[HOST_SERVE] = host_serve,
		[HOST_POP] = host_pop,
		[HOST_USED] = host_used,
		[HOST_MARK] = host_mark,
		[HOST_NEEDS_RESET] = needs_reset,
		[HOST_CONFIG_CHANGED] = host_config_changed,
		[HOST_RESET_DONE] = host_reset_done,
		[HOST_QUEUE_STOPPED] = host_queue_stopped,
		[HOST_RESET] = host_reset,
		[HOST_SET_MEMORY] = host_set_memory,
		[HOST_MIGRATE] = host_migrate,
		[HOST_FORGE] = host_forge,
		[HOST_RESUME] = host_resume,
		[HOST_RESTORE_OVER] = device_restore_over,
		[HOST_INIT_WRONG] = device_init_wrong,
		[HOST_FAIL] = host_fail,
		[HOST_QUEUE_MAPPED] = host_queue_mapped,
	};

	steps[op % HOST_STEPS](h);
	device_harness_agree(h);
}
