/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The steps of the device and the VMM. The device serves queues, raises interrupts, and reports the
 * end of resets and stops that are in progress.
 */
#include "device.h"
#include "migration.h"
#include "queues.h"
#include "reports.h"
#include "steps.h"

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

/* Pops a request. The harness pops even while a stop or a reset is in progress. */
static bool pop(struct device_run *r)
{
	struct virtio_chain chain = { .memory = NULL };
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
	notify = virtio_queue_needs_interrupt(&r->queue);
	model_needs_interrupt(&r->model, notify);
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
	FUZZ_CHECK(virtio_device_mark_interrupt(h->device, cause) == marked,
		   "mark_interrupt is wrong, the model says %d", marked);
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
		device_run_stop_all(h);
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

/*
 * Reports that a queue has no requests in flight. The report has the number of the stop or the
 * reset in progress. A late report has a number that is 1 to 3 lower.
 */
static void queue_quiesced(struct device_harness *h, uint16_t queue, uint8_t how)
{
	const struct device_model *m = &h->model;
	const uint32_t of = (how & 4) ? m->queues[queue % DEVICE_QUEUES].stop_number
				      : device_model_stop_number(m, queue % DEVICE_QUEUES);
	const uint32_t number = of - (how & 3);
	int expected, got;

	if (device_model_report_counts(m, queue, number) && m->queues[queue].stopping)
		device_run_stop(h, queue);
	device_model_begin(&h->model, true);
	expected = device_model_queue_quiesced(&h->model, queue, number);
	got = virtio_device_queue_quiesced(h->device, queue, number);
	FUZZ_CHECK(got == expected, "queue_quiesced returned %d", got);
}

/*
 * Bits 0 to 2 of the byte are the queue. With bit 7 set, calls virtio_device_queue_quiesced() with
 * a number that bits 4 to 6 choose. Else calls virtio_device_queue_stopped().
 */
static void host_queue_stopped(struct device_harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);

	if (how & 0x80)
		queue_quiesced(h, how % 8, how >> 4 & 7);
	else
		queue_stopped(h, how % 8, 0);
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

/*
 * A VMM resumes only a device that was just restored. In such a device no stop and no reset is in
 * progress. So this step does nothing while a stop or a reset is in progress. This step also does
 * nothing while a queue waits to be enabled. device_migrate() resumes a device with such a queue.
 */
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
