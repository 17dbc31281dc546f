/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The queues that a device leaves to the library: sizes, start, stop, reset, reports and memory. */
#include <virtio/device_queues.h>
#include <virtio/device_state.h>
#include <virtio/queue_state.h>

#include "device_fixture.h"

#define QUEUES 2u
#define SIZE0 16u
#define SIZE1 8u

struct owned {
	/* The driver, the memory and the device, which is made with the queues below. */
	struct device_fixture f;
	struct virtio_device_queues_storage storage;
	struct virtio_device_queues queues;
	struct virtio_queue_registers registers[QUEUES];
	struct virtio_queue queue[QUEUES];
	struct virtio_inflight inflight[SIZE0 + SIZE1];
	struct virtio_memory_map other; /* the same memory under another map */
	struct virtio_memory_map none;  /* a map without the rings */
};

static void notified(struct virtio_device *device, uint16_t queue, uint16_t next)
{
	(void)device, (void)queue, (void)next;
}

static void interrupt(struct virtio_device *device, enum virtio_interrupt cause, uint16_t queue, bool level)
{
	(void)cause, (void)queue;
	((struct device_fixture *)device->context)->line = level;
}

static const struct virtio_device_ops ops = {
	.activate = virtio_device_queues_activate,
	.reset = virtio_device_queues_reset,
	.queue_notify = notified,
	.queue_stop = virtio_device_queues_stop,
	.queue_start = virtio_device_queues_start,
	.interrupt = interrupt,
};

static void prepare(struct owned *o)
{
	memset(&o->queue, 0, sizeof o->queue);
	memset(&o->registers, 0, sizeof o->registers);
	memset(&o->queues, 0x5a, sizeof o->queues);
	device_prepare(&o->f);
	o->registers[0].config.max_size = SIZE0;
	o->registers[1].config.max_size = SIZE1;
	o->storage = (struct virtio_device_queues_storage){ o->registers, o->queue,      QUEUES,
							    o->inflight,  SIZE0 + SIZE1, true };
	o->other = o->f.map;
	assert_int_equal(virtio_memory_map_init(&o->none, &o->f.regions[0], 1), 0);
	o->f.ops = ops;
	o->f.options.queues = NULL;
	o->f.options.num_queues = 0;
	o->f.options.config_size = 0;
	o->f.options.device_queues = &o->queues;
}

static void make(struct owned *o)
{
	prepare(o);
	assert_int_equal(virtio_device_queues_init(&o->queues, &o->storage), 0);
	device_make(&o->f);
}

/* Makes a running device with both queues. */
static void start(struct owned *o)
{
	make(o);
	driver_mock(&o->f, 0, SIZE0);
	driver_mock(&o->f, 1, SIZE1);
	driver_negotiate(&o->f, F_RING_RESET);
	driver_queue(&o->f, 0, SIZE0);
	driver_queue(&o->f, 1, SIZE1);
	reg_set(&o->f, REG_STATUS, ST_OK);
	assert_true(virtio_device_queues_running(&o->f.device, 0));
	assert_true(virtio_device_queues_running(&o->f.device, 1));
}

/* Pops a request, and leaves it in flight. */
static struct virtio_token pop(struct owned *o, uint32_t queue)
{
	struct virtio_chain chain = { .memory = NULL };

	(void)driver_add(&o->f, queue, 1);
	assert_int_equal(virtio_queue_pop(&o->queue[queue], &chain), 1);
	return chain.token;
}

static bool is_started(const struct owned *o, uint32_t queue)
{
	return o->queue[queue].size != 0;
}

/* Init */

static void expect_init(struct owned *o, int error)
{
	const struct virtio_device_queues before = o->queues;

	assert_int_equal(virtio_device_queues_init(&o->queues, &o->storage), error);
	assert_memory_equal(&o->queues, &before, sizeof before);
	assert_null(o->queue[0].inflight);
	assert_null(o->queue[1].inflight);
}

static void queues_init_gives_each_queue_its_storage(void **state)
{
	struct owned o;

	(void)state;
	make(&o);
	assert_ptr_equal(o.queue[0].inflight, o.inflight);
	assert_int_equal(o.queue[0].inflight_entries, SIZE0);
	assert_ptr_equal(o.queue[1].inflight, o.inflight + SIZE0);
	assert_int_equal(o.queue[1].inflight_entries, SIZE1);
	assert_ptr_equal(o.f.device.queues, o.registers);
	assert_int_equal(o.f.device.num_queues, QUEUES);
}

static void queues_init_refuses_size_that_no_queue_can_have(void **state)
{
	static const uint16_t sizes[] = { 0, 3, 24, 0x7fff, 0x8001, 0xffff };

	(void)state;
	for (uint32_t i = 0; i < COUNT(sizes); i++) {
		struct owned o;

		prepare(&o);
		o.registers[1].config.max_size = sizes[i];
		o.storage.inflight_entries = UINT32_MAX;
		expect_init(&o, VIRTIO_ESIZE);
	}
}

static void queues_init_refuses_storage_smaller_than_queues(void **state)
{
	struct owned o;

	(void)state;
	prepare(&o);
	o.storage.inflight_entries = SIZE0 + SIZE1 - 1;
	expect_init(&o, VIRTIO_ENOBUFS);
	o.storage.inflight_entries = SIZE0 - 1;
	expect_init(&o, VIRTIO_ENOBUFS);
	o.storage.inflight_entries = SIZE0 + SIZE1;
	o.registers[1].config.max_size = 2 * SIZE1;
	expect_init(&o, VIRTIO_ENOBUFS);
	o.registers[1].config.max_size = 32768;
	expect_init(&o, VIRTIO_ENOBUFS);
}

static void queues_init_refuses_missing_arrays(void **state)
{
	struct owned o;

	(void)state;
	prepare(&o);
	o.storage.registers = NULL;
	expect_init(&o, VIRTIO_EINVAL);
	prepare(&o);
	o.storage.queues = NULL;
	expect_init(&o, VIRTIO_EINVAL);
	prepare(&o);
	o.storage.inflight = NULL;
	expect_init(&o, VIRTIO_EINVAL);
	prepare(&o);
	o.storage.num_queues = 0;
	expect_init(&o, VIRTIO_EINVAL);
	o.storage.num_queues = VIRTIO_DEVICE_MAX_QUEUES + 1;
	expect_init(&o, VIRTIO_EINVAL);
}

/* Operations */

static void queues_activate_starts_those_that_are_ready(void **state)
{
	struct owned o;

	(void)state;
	make(&o);
	driver_negotiate(&o.f, F_RING_RESET);
	driver_queue(&o.f, 1, SIZE1);
	assert_false(virtio_device_queues_running(&o.f.device, 1));
	reg_set(&o.f, REG_STATUS, ST_OK);
	assert_false(is_started(&o, 0));
	assert_true(is_started(&o, 1));
	assert_false(virtio_device_queues_running(&o.f.device, 0));
	assert_true(virtio_device_queues_running(&o.f.device, 1));
	assert_false(virtio_device_queues_running(&o.f.device, QUEUES));
	assert_false(virtio_device_queues_running(&o.f.device, 0xffff));
}

/*
 * The second queue's memory vanishes between QueueReady and DRIVER_OK. The activation fails, and
 * must not leave the first queue started.
 */
static void queues_activate_that_fails_leaves_none_started(void **state)
{
	struct owned o;

	(void)state;
	make(&o);
	driver_negotiate(&o.f, 0);
	driver_queue(&o.f, 0, SIZE0);
	driver_place(&o.f, 1, SIZE1);
	reg_set64(&o.f, REG_QUEUE_DESC, TOP_START);
	assert_true(driver_enable(&o.f, 1));
	assert_int_equal(virtio_memory_map_init(&o.other, o.f.regions, 2), 0);
	virtio_device_set_memory(&o.f.device, &o.other);
	reg_set(&o.f, REG_STATUS, ST_OK);
	assert_int_equal(reg_get(&o.f, REG_STATUS), ST_OK | ST_NEEDS_RESET);
	assert_int_equal(o.f.device.first_error, VIRTIO_EFAULT);
	assert_false(is_started(&o, 0) || is_started(&o, 1));
	assert_false(virtio_device_queues_running(&o.f.device, 0));
	reg_set(&o.f, REG_STATUS, 0);
	assert_int_equal(reg_get(&o.f, REG_STATUS), 0);
}

static void queues_stop_at_once_without_requests_in_flight(void **state)
{
	struct owned o;

	(void)state;
	start(&o);
	reg_set(&o.f, REG_QUEUE_SEL, 0);
	reg_set(&o.f, REG_QUEUE_RESET, 1);
	assert_false(is_started(&o, 0));
	assert_true(is_started(&o, 1));
	assert_false(virtio_device_queues_running(&o.f.device, 0));
	assert_true(virtio_device_queues_running(&o.f.device, 1));
	driver_queue(&o.f, 0, SIZE0);
	assert_true(virtio_device_queues_running(&o.f.device, 0));
	reg_set(&o.f, REG_STATUS, 0);
	assert_false(is_started(&o, 0) || is_started(&o, 1));
	assert_false(virtio_device_queues_running(&o.f.device, 1));
}

/* After queue_stop() nothing is popped. The device still owns the ring until the report. */
static void queues_stop_waits_for_requests_in_flight(void **state)
{
	struct virtio_token token;
	struct owned o;

	(void)state;
	start(&o);
	token = pop(&o, 0);
	assert_false(virtio_device_queues_report(&o.f.device, 0));
	reg_set(&o.f, REG_QUEUE_SEL, 0);
	assert_int_equal(reg_write(&o.f, REG_QUEUE_RESET, 1), VIRTIO_DEVICE_IN_PROGRESS);
	assert_false(virtio_device_queues_running(&o.f.device, 0));
	assert_true(virtio_device_queues_running(&o.f.device, 1));
	assert_true(virtio_queue_is_in_flight(&o.queue[0], token));
	assert_false(virtio_device_queues_report(&o.f.device, 0));
	assert_false(virtio_device_queues_report(&o.f.device, 1));
	assert_false(virtio_device_queues_report(&o.f.device, QUEUES));
	assert_int_equal(reg_get(&o.f, REG_QUEUE_RESET), 1);
	assert_int_equal(virtio_queue_complete(&o.queue[0], token, 0), 0);
	assert_true(virtio_device_queues_report(&o.f.device, 0));
	assert_int_equal(reg_get(&o.f, REG_QUEUE_RESET), 0);
	assert_false(virtio_device_waiting(&o.f.device));
	assert_false(is_started(&o, 0));
	assert_false(virtio_device_queues_report(&o.f.device, 0));
}

/* After the report of one queue, the reset still waits for the other queue. */
static void queues_reset_waits_for_requests_in_flight_in_all_queues(void **state)
{
	struct virtio_token first, second;
	struct owned o;

	(void)state;
	start(&o);
	first = pop(&o, 0);
	second = pop(&o, 1);
	assert_int_equal(reg_write(&o.f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_false(virtio_device_queues_running(&o.f.device, 0) || virtio_device_queues_running(&o.f.device, 1));
	assert_true(is_started(&o, 0) && is_started(&o, 1));
	assert_int_equal(virtio_queue_complete(&o.queue[1], second, 0), 0);
	assert_true(virtio_device_queues_report(&o.f.device, 1));
	assert_true(virtio_device_resetting(&o.f.device));
	assert_false(is_started(&o, 1));
	assert_int_equal(virtio_queue_complete(&o.queue[0], first, 0), 0);
	assert_true(virtio_device_queues_report(&o.f.device, 0));
	assert_false(virtio_device_waiting(&o.f.device));
	assert_int_equal(reg_get(&o.f, REG_STATUS), 0);
	assert_false(is_started(&o, 0));
}

/* If `asynchronous` is false, popped requests do not delay a reset. */
static void queues_of_synchronous_device_wait_for_nothing(void **state)
{
	struct virtio_token tokens[3];
	struct owned o;

	(void)state;
	start(&o);
	o.queues.asynchronous = false;
	tokens[0] = pop(&o, 0);
	tokens[1] = pop(&o, 1);
	assert_int_equal(virtio_device_queues_set_memory(&o.f.device, &o.other), 0);
	assert_true(virtio_device_queues_old_maps_unused(&o.f.device));
	reg_set(&o.f, REG_QUEUE_SEL, 0);
	reg_set(&o.f, REG_QUEUE_RESET, 1);
	assert_false(is_started(&o, 0));
	driver_mock(&o.f, 0, SIZE0);
	driver_queue(&o.f, 0, SIZE0);
	tokens[2] = pop(&o, 0);
	assert_int_equal(virtio_device_queues_set_memory(&o.f.device, NULL), 0);
	assert_false(is_started(&o, 0) || is_started(&o, 1));
	reg_set(&o.f, REG_STATUS, 0);
	assert_int_equal(reg_get(&o.f, REG_STATUS), 0);
	for (uint32_t i = 0; i < COUNT(tokens); i++)
		assert_false(virtio_queue_is_in_flight(&o.queue[i % 2], tokens[i]));
}

/*
 * A queue reset and a device reset wait for the same request in flight. Each of the two resets has
 * its own number, but one report ends both.
 */
static void queues_report_ends_stop_and_reset(void **state)
{
	struct virtio_token token;
	struct owned o;

	(void)state;
	start(&o);
	token = pop(&o, 0);
	reg_set(&o.f, REG_QUEUE_SEL, 0);
	assert_int_equal(reg_write(&o.f, REG_QUEUE_RESET, 1), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(reg_write(&o.f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(virtio_queue_complete(&o.queue[0], token, 0), 0);
	assert_true(virtio_device_queues_report(&o.f.device, 0));
	assert_false(virtio_device_waiting(&o.f.device));
	assert_int_equal(reg_get(&o.f, REG_STATUS), 0);
}

static void queues_do_not_run_after_needs_reset_or_failed(void **state)
{
	struct owned o;

	(void)state;
	start(&o);
	virtio_device_set_needs_reset(&o.f.device);
	assert_false(virtio_device_queues_running(&o.f.device, 0));
	reg_set(&o.f, REG_STATUS, 0);
	start(&o);
	reg_set(&o.f, REG_STATUS, ST_OK | ST_FAILED);
	assert_false(virtio_device_queues_running(&o.f.device, 0));
}

/* Without the option device_queues the operations return errors, so the activation fails. */
static void queues_operations_fail_without_queues(void **state)
{
	struct owned o;

	(void)state;
	prepare(&o);
	o.f.options.device_queues = NULL;
	o.f.options.queues = o.registers;
	o.f.options.num_queues = QUEUES;
	device_make(&o.f);
	assert_int_equal(virtio_device_queues_reset(&o.f.device), VIRTIO_EINVAL);
	assert_int_equal(virtio_device_queues_activate(&o.f.device), VIRTIO_EINVAL);
	assert_int_equal(virtio_device_queues_start(&o.f.device, 0), VIRTIO_EINVAL);
	assert_int_equal(virtio_device_queues_stop(&o.f.device, 0), VIRTIO_EINVAL);
	assert_int_equal(virtio_device_queues_set_memory(&o.f.device, &o.other), VIRTIO_EINVAL);
	assert_ptr_equal(o.f.device.memory, o.f.options.memory);
	assert_false(virtio_device_queues_running(&o.f.device, 0));
	assert_false(virtio_device_queues_report(&o.f.device, 0));
	assert_true(virtio_device_queues_old_maps_unused(&o.f.device));
}

/* Memory */

static void queues_set_memory_switches_running_queues(void **state)
{
	struct virtio_token token;
	struct owned o;

	(void)state;
	make(&o);
	assert_int_equal(virtio_device_queues_set_memory(&o.f.device, &o.other), 0);
	start(&o);
	token = pop(&o, 1);
	assert_int_equal(virtio_device_queues_set_memory(&o.f.device, &o.other), VIRTIO_DEVICE_IN_PROGRESS);
	assert_ptr_equal(o.f.device.memory, &o.other);
	assert_false(virtio_device_queues_old_maps_unused(&o.f.device));
	assert_int_equal(virtio_queue_complete(&o.queue[1], token, 0), 0);
	assert_true(virtio_device_queues_old_maps_unused(&o.f.device));
	assert_int_equal(reg_get(&o.f, REG_STATUS), ST_OK);
	assert_int_equal(virtio_device_queues_set_memory(&o.f.device, &o.f.map), 0);
	assert_true(virtio_device_queues_running(&o.f.device, 0) && virtio_device_queues_running(&o.f.device, 1));
}

/*
 * A queue that cannot be switched to the new map is reset, unless the queue has requests in flight.
 * Such requests use the old map, and a reset of the device waits for them.
 */
static void queues_set_memory_without_rings_needs_reset(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		struct virtio_token token;
		struct owned o;

		start(&o);
		token = pop(&o, 1);
		assert_int_equal(virtio_device_queues_set_memory(&o.f.device, i ? &o.none : NULL),
				 VIRTIO_DEVICE_IN_PROGRESS);
		assert_int_equal(reg_get(&o.f, REG_STATUS), ST_OK | ST_NEEDS_RESET);
		assert_false(virtio_device_queues_running(&o.f.device, 0));
		assert_false(is_started(&o, 0));
		assert_false(virtio_device_queues_old_maps_unused(&o.f.device));
		assert_int_equal(reg_write(&o.f, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
		assert_int_equal(virtio_queue_complete(&o.queue[1], token, 0), 0);
		assert_true(virtio_device_queues_old_maps_unused(&o.f.device));
		assert_true(virtio_device_queues_report(&o.f.device, 1));
		assert_int_equal(reg_get(&o.f, REG_STATUS), 0);
	}
}

/* Serving */

/* The result of the callbacks, and the number of their calls. */
static int answer;
static uint32_t calls;

static int serve_chain(void *context, struct virtio_chain *chain, uint32_t *written)
{
	(void)context, (void)chain, (void)written;
	calls++;
	return answer;
}

static int serve_request(void *context)
{
	struct virtio_queue *queue = context;
	struct virtio_chain chain = { .memory = NULL };
	int got;

	calls++;
	if (answer)
		return answer;
	got = virtio_queue_pop(queue, &chain);
	if (got != 1)
		return got;
	got = virtio_queue_complete(queue, chain.token, 0);
	return got ? got : 1;
}

/* Calls virtio_device_queues_serve_requests() or virtio_device_queues_serve() once. */
static int round_of(struct owned *o, bool by_requests, uint16_t queue, uint32_t budget)
{
	calls = 0;
	return by_requests ? virtio_device_queues_serve_requests(&o->f.device, queue, budget, serve_request,
								 &o->queue[queue % QUEUES])
			   : virtio_device_queues_serve(&o->f.device, queue, budget, serve_chain, NULL);
}

static void queues_serve_serves_interrupts_and_says_if_there_is_more(void **state)
{
	(void)state;
	for (int by_requests = 0; by_requests < 2; by_requests++) {
		struct owned o;

		answer = 0;
		start(&o);
		o.f.line = false;
		assert_int_equal(round_of(&o, by_requests, 1, 8), 0);
		assert_false(o.f.line);
		for (int i = 0; i < 3; i++)
			(void)driver_add(&o.f, 1, 1);
		assert_int_equal(round_of(&o, by_requests, 1, 2), 1);
		assert_int_equal(calls, 2);
		assert_true(o.f.line);
		assert_int_equal(virtio_queue_next_used(&o.queue[1]), 2);
		reg_set(&o.f, REG_INTERRUPT_ACK, VIRTIO_INTERRUPT_USED);
		assert_false(o.f.line);
		assert_int_equal(round_of(&o, by_requests, 1, 8), 0);
		assert_true(o.f.line);
		assert_int_equal(virtio_queue_next_used(&o.queue[1]), 3);
		assert_int_equal(virtio_queue_next_used(&o.queue[0]), 0);
	}
}

static void queues_serve_waits_for_device_or_translation(void **state)
{
	static const int answers[] = { VIRTIO_SERVE_LATER, VIRTIO_ENOTMAPPED };

	(void)state;
	for (uint32_t i = 0; i < 2 * COUNT(answers); i++) {
		struct owned o;

		answer = answers[i / 2];
		start(&o);
		(void)driver_add(&o.f, 0, 1);
		assert_int_equal(round_of(&o, i % 2, 0, 8), answers[i / 2]);
		assert_int_equal(calls, 1);
		assert_int_equal(virtio_device_status(&o.f.device), ST_OK);
		assert_true(virtio_queue_quiesced(&o.queue[0]));
		answer = 0;
		assert_int_equal(round_of(&o, i % 2, 0, 8), 0);
		assert_int_equal(virtio_queue_next_used(&o.queue[0]), 1);
	}
}

/*
 * When the ring breaks, the device sets DEVICE_NEEDS_RESET and calls no callback until the reset.
 */
static void queues_serve_needs_reset_when_the_queue_is_broken(void **state)
{
	(void)state;
	for (int by_requests = 0; by_requests < 2; by_requests++) {
		struct owned o;

		answer = 0;
		start(&o);
		(void)driver_add(&o.f, 0, 1);
		assert_int_equal(virtio_mock_offer(&o.f.mock[0], SIZE0), 0);
		assert_int_equal(virtio_mock_publish(&o.f.mock[0]), 0);
		assert_int_equal(round_of(&o, by_requests, 0, 8), VIRTIO_EHEAD);
		assert_true(virtio_device_status(&o.f.device) & ST_NEEDS_RESET);
		/* The driver is interrupted for the earlier completions. */
		assert_true(virtio_device_interrupt_status(&o.f.device) & VIRTIO_INTERRUPT_USED);
		assert_int_equal(round_of(&o, by_requests, 0, 8), 0);
		assert_int_equal(round_of(&o, by_requests, 1, 8), 0);
		assert_int_equal(calls, 0);
	}
}

static void queues_serve_leaves_a_queue_alone_that_does_not_run(void **state)
{
	(void)state;
	for (int by_requests = 0; by_requests < 2; by_requests++) {
		struct owned o;

		answer = 0;
		make(&o);
		assert_int_equal(round_of(&o, by_requests, 0, 8), 0);
		start(&o);
		(void)driver_add(&o.f, 0, 1);
		assert_int_equal(round_of(&o, by_requests, QUEUES, 8), 0);
		assert_int_equal(calls, 0);
		reg_set(&o.f, REG_QUEUE_SEL, 0);
		reg_set(&o.f, REG_QUEUE_READY, 0);
		assert_int_equal(round_of(&o, by_requests, 0, 8), 0);
		assert_int_equal(calls, 0);
	}
}

/* Restore */

/* A running device, its saved state, and the device that continues from the state. */
struct moved {
	struct owned from, to;
	struct virtio_device_state core;
	struct virtio_queue_registers_state registers[QUEUES];
	struct virtio_queue_state queue[QUEUES];
};

static void save(struct moved *m)
{
	start(&m->from);
	assert_int_equal(virtio_device_save(&m->from.f.device, &m->core, m->registers, QUEUES), 0);
	for (uint32_t i = 0; i < QUEUES; i++)
		assert_int_equal(virtio_queue_save(&m->from.queue[i], &m->queue[i]), 0);
	make(&m->to);
}

static void restore_core(struct moved *m)
{
	assert_int_equal(virtio_device_restore(&m->to.f.device, &m->core, m->registers, QUEUES), 0);
}

/*
 * Checks that the driver is interrupted to reset the device, and that no queue runs until the
 * reset.
 */
static void expect_needs_reset(struct moved *m)
{
	struct device_fixture *f = &m->to.f;

	assert_int_equal(reg_get(f, REG_STATUS), ST_OK | ST_NEEDS_RESET);
	virtio_device_resume(&f->device);
	assert_int_equal(reg_get(f, REG_INTERRUPT_STATUS) & VIRTIO_INTERRUPT_CONFIG, VIRTIO_INTERRUPT_CONFIG);
	assert_true(f->line);
	assert_false(virtio_device_queues_running(&f->device, 0) || virtio_device_queues_running(&f->device, 1));
	reg_set(f, REG_STATUS, 0);
	assert_int_equal(reg_get(f, REG_STATUS), 0);
}

static void queues_restore_goes_on_where_the_queue_was(void **state)
{
	struct moved m;

	(void)state;
	save(&m);
	m.queue[1].next_avail = m.queue[1].next_used = 700;
	restore_core(&m);
	for (uint16_t i = 0; i < QUEUES; i++)
		assert_int_equal(virtio_device_queues_restore(&m.to.f.device, i, &m.queue[i]), 0);
	assert_true(virtio_device_queues_running(&m.to.f.device, 0) && virtio_device_queues_running(&m.to.f.device, 1));
	assert_int_equal(virtio_queue_next_avail(&m.to.queue[1]), 700);
	assert_int_equal(reg_get(&m.to.f, REG_STATUS), ST_OK);
}

/*
 * A restored queue cannot run if it was broken, or if it was not started. The driver is interrupted
 * because the device needs a reset.
 */
static void queues_restore_of_a_queue_that_cannot_run_needs_reset(void **state)
{
	const struct virtio_queue_state not_started = { .next_avail = 0 };

	(void)state;
	for (int broken = 0; broken < 2; broken++) {
		struct moved m;

		save(&m);
		m.queue[1].broken = VIRTIO_EHEAD;
		restore_core(&m);
		assert_int_equal(virtio_device_queues_restore(&m.to.f.device, 0, &m.queue[0]), 0);
		assert_int_equal(virtio_device_queues_restore(&m.to.f.device, 1, broken ? &m.queue[1] : &not_started),
				 0);
		assert_int_equal(m.to.queue[1].broken, broken ? VIRTIO_EHEAD : 0);
		assert_int_equal(is_started(&m.to, 1), broken);
		expect_needs_reset(&m);
	}
}

/*
 * The device already needed a reset when it was saved, and the rings are not in memory after the
 * restore.
 */
static void queues_restore_without_rings_stays_in_need_of_reset(void **state)
{
	struct moved m;

	(void)state;
	save(&m);
	m.core.status |= ST_NEEDS_RESET;
	m.core.interrupt_status |= VIRTIO_INTERRUPT_CONFIG;
	assert_int_equal(virtio_device_queues_set_memory(&m.to.f.device, &m.to.none), 0);
	restore_core(&m);
	for (uint16_t i = 0; i < QUEUES; i++) {
		assert_int_equal(virtio_device_queues_restore(&m.to.f.device, i, &m.queue[i]), 0);
		assert_int_equal(m.to.queue[i].broken, VIRTIO_EFAULT);
	}
	expect_needs_reset(&m);
}

static void expect_restore(struct moved *m, uint16_t queue, const struct virtio_queue_state *from, int error)
{
	const struct virtio_queue before = m->to.queue[0];

	assert_int_equal(virtio_device_queues_restore(&m->to.f.device, queue, from), error);
	assert_memory_equal(&m->to.queue[0], &before, sizeof before);
	assert_false(virtio_device_status(&m->to.f.device) & ST_NEEDS_RESET);
}

/* A restore that cannot be carried out returns an error and changes nothing. */
static void queues_restore_returns_what_it_cannot_do(void **state)
{
	struct virtio_queue_state other;
	struct moved m;

	(void)state;
	save(&m);
	expect_restore(&m, 0, &m.queue[0], VIRTIO_EINVAL);
	restore_core(&m);
	expect_restore(&m, QUEUES, &m.queue[0], VIRTIO_EINVAL);
	other = m.queue[0];
	other.config.event_idx = !other.config.event_idx;
	expect_restore(&m, 0, &other, VIRTIO_EINVAL);
	other = m.queue[0];
	other.config.addr[VIRTIO_QUEUE_USED] += 4;
	expect_restore(&m, 0, &other, VIRTIO_EINVAL);
	other = m.queue[0];
	other.next_avail = (uint16_t)(other.next_used + SIZE0 + 1);
	expect_restore(&m, 0, &other, VIRTIO_EINVAL);
	m.to.f.device.memory = &m.to.none;
	expect_restore(&m, 0, &m.queue[0], VIRTIO_EFAULT);
	m.to.f.device.memory = &m.to.f.map;
	assert_int_equal(virtio_device_queues_restore(&m.to.f.device, 0, &m.queue[0]), 0);
	expect_restore(&m, 0, &m.queue[0], VIRTIO_EBUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queues_init_gives_each_queue_its_storage),
		cmocka_unit_test(queues_init_refuses_size_that_no_queue_can_have),
		cmocka_unit_test(queues_init_refuses_storage_smaller_than_queues),
		cmocka_unit_test(queues_init_refuses_missing_arrays),
		cmocka_unit_test(queues_activate_starts_those_that_are_ready),
		cmocka_unit_test(queues_activate_that_fails_leaves_none_started),
		cmocka_unit_test(queues_stop_at_once_without_requests_in_flight),
		cmocka_unit_test(queues_stop_waits_for_requests_in_flight),
		cmocka_unit_test(queues_reset_waits_for_requests_in_flight_in_all_queues),
		cmocka_unit_test(queues_of_synchronous_device_wait_for_nothing),
		cmocka_unit_test(queues_report_ends_stop_and_reset),
		cmocka_unit_test(queues_do_not_run_after_needs_reset_or_failed),
		cmocka_unit_test(queues_operations_fail_without_queues),
		cmocka_unit_test(queues_set_memory_switches_running_queues),
		cmocka_unit_test(queues_set_memory_without_rings_needs_reset),
		cmocka_unit_test(queues_serve_serves_interrupts_and_says_if_there_is_more),
		cmocka_unit_test(queues_serve_waits_for_device_or_translation),
		cmocka_unit_test(queues_serve_needs_reset_when_the_queue_is_broken),
		cmocka_unit_test(queues_serve_leaves_a_queue_alone_that_does_not_run),
		cmocka_unit_test(queues_restore_goes_on_where_the_queue_was),
		cmocka_unit_test(queues_restore_of_a_queue_that_cannot_run_needs_reset),
		cmocka_unit_test(queues_restore_without_rings_stays_in_need_of_reset),
		cmocka_unit_test(queues_restore_returns_what_it_cannot_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
