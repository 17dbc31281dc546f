/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests what an update or a restart promises to a device and its front end, with a device of the
 * test's own. The old and the new daemon are two servers in this process.
 */
#include "front_end.h"
#include "rings.h"
#include "server.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <virtio/queue_ser.h>

#define STATE_BYTES 65536u
#define QUEUES 2

struct test_device {
	struct device device;
	bool begins[QUEUES]; /* the result of device_queue_is_new() at the last start */
	int start_error;     /* result of each start */
	char log[256];       /* a word for each operation called, except starts, turns and saves */
};

static void note(struct device *device, const char *word)
{
	struct test_device *test = CONTAINER_OF(device, struct test_device, device);

	strncat(test->log, word, sizeof test->log - strlen(test->log) - 1);
}

static void reset(struct device *device)
{
	note(device, "reset ");
}

static void attached(struct device *device)
{
	note(device, "attached ");
}

static void detached(struct device *device)
{
	note(device, "detached ");
}

static void close_device(struct device *device)
{
	note(device, device_is_in_file(device) ? "close-in-file " : "close ");
}

static int check_features(struct device *device, uint64_t features)
{
	note(device, features & FEATURE(VIRTIO_RING_F_EVENT_IDX) ? "event_idx " : "features ");
	return 0;
}

static int queue_start(struct device *device, struct device_queue *queue)
{
	struct test_device *test = CONTAINER_OF(device, struct test_device, device);

	test->begins[queue->index] = device_queue_is_new(queue);
	return test->start_error;
}

/* Completes each chain at once. */
static int queue_notify(struct device *device, struct device_queue *queue, unsigned int budget)
{
	struct virtio_chain chain;
	int got = 1;

	(void)device;
	while (budget-- > 0 && (got = virtio_queue_pop(&queue->virtq, &chain)) == 1)
		(void)virtio_queue_complete(&queue->virtq, chain.token, 0);
	return got < 0 ? got : DEVICE_TURN_DONE;
}

static int save(struct device *device, struct virtio_section_writer *writer, uint32_t number, struct handover *handover)
{
	(void)device;
	(void)writer;
	(void)number;
	(void)handover;
	return 0;
}

static int restore(struct device *device, struct virtio_section_reader *reader, uint32_t number, bool anew)
{
	(void)reader;
	(void)number;
	note(device, anew ? "anew " : "restore ");
	return 0;
}

static const struct device_ops ops = {
	.reset = reset,
	.attached = attached,
	.detached = detached,
	.close = close_device,
	.check_features = check_features,
	.queue_start = queue_start,
	.queue_notify = queue_notify,
	.save = save,
	.restore = restore,
};

/* A daemon: a device, its server and a control thread. */
struct host {
	struct test_device test;
	struct event_loop loop;
	struct event_wake stop;
	struct server server;
	pthread_t control;
};

static void on_stop(struct event_wake *wake)
{
	CONTAINER_OF(wake, struct host, stop)->loop.stop = true;
}

static void *run_control(void *arg)
{
	(void)event_loop_run(&((struct host *)arg)->loop);
	return NULL;
}

static void open_host(struct host *host)
{
	*host = (struct host){ .test.device = {
				       .ops = &ops,
				       .name = "test",
				       .queue_count = QUEUES,
				       .max_queue_size = 256,
				       .threads = DEVICE_ONE_THREAD,
			       } };
	assert_int_equal(event_loop_open(&host->loop), 0);
	assert_int_equal(event_wake_open(&host->stop, &host->loop, on_stop), 0);
}

static void run(struct host *host)
{
	host->loop.stop = false;
	assert_int_equal(pthread_create(&host->control, NULL, run_control, host), 0);
}

/* Ends the control thread. Afterwards the test's thread may call the server. */
static void halt(struct host *host)
{
	event_wake_signal(&host->stop);
	assert_int_equal(pthread_join(host->control, NULL), 0);
	watchdog_step();
}

static void close_host(struct host *host)
{
	server_close(&host->server);
	event_wake_close(&host->stop);
	event_loop_close(&host->loop);
}

/* The old and the new daemon, and a front end with its rings. */
struct scene {
	char folder[64], path[96];
	struct endpoint endpoint;
	struct host old, new;
	struct front_end fe;
	struct ring rings[QUEUES];
};

static void set_scene(struct scene *scene)
{
	strcpy(scene->folder, "/tmp/vhost-user-test-XXXXXX");
	assert_non_null(mkdtemp(scene->folder));
	snprintf(scene->path, sizeof scene->path, "%s/socket", scene->folder);
	scene->endpoint = (struct endpoint){ .path = scene->path, .fd = -1 };
	open_host(&scene->old);
	open_host(&scene->new);
	assert_int_equal(
		server_open(&scene->old.server, &scene->old.loop, &scene->old.test.device, &scene->endpoint, false), 0);
	run(&scene->old);
	front_end_open(&scene->fe, scene->path);
	front_end_negotiate_type(&scene->fe, FEATURE(VIRTIO_RING_F_INDIRECT_DESC));
	front_end_share_memory(&scene->fe);
	for (uint16_t i = 0; i < QUEUES; i++)
		ring_open(&scene->rings[i], &scene->fe, i);
}

static void strike_scene(struct scene *scene)
{
	front_end_close(&scene->fe);
	for (unsigned int i = 0; i < QUEUES; i++)
		ring_close(&scene->rings[i]);
	halt(&scene->new);
	close_host(&scene->new);
	assert_int_equal(rmdir(scene->folder), 0);
}

/* The old daemon hands over to the new daemon. */
static void update(struct scene *scene)
{
	static uint8_t bytes[STATE_BYTES];
	const struct timespec end = worker_in_ms(60000);
	struct handover handover = { .count = 0 };
	struct virtio_section_writer writer;
	struct virtio_section_reader reader;
	size_t length;

	halt(&scene->old);
	assert_true(server_try_pause(&scene->old.server, &end));
	virtio_queue_ser_begin(&writer, bytes, sizeof bytes, NULL);
	assert_int_equal(server_save(&scene->old.server, &writer, 0, &handover), 0);
	assert_int_equal(virtio_queue_ser_end(&writer, &length), 0);
	assert_int_equal(virtio_queue_ser_open(&reader, bytes, length, NULL), 0);
	assert_int_equal(server_take_over(&scene->new.server, &scene->new.loop, &scene->new.test.device,
					  &scene->endpoint, false, &reader, 0, &handover),
			 0);
	assert_int_equal(virtio_section_reader_end(&reader), 0);
	assert_null(handover_left_over(&handover));
	handover_clear(&handover);
	/* The old daemon is paused, so it serves nothing more. */
	close_host(&scene->old);
	server_continue(&scene->new.server);
	run(&scene->new);
}

static void request(struct ring *ring)
{
	const struct virtio_mock_buffer buffer = {
		.addr = GUEST_ADDR + (uint64_t)(ring_data(ring, 0) - ring->fe->memory), .len = 16
	};

	assert_true(virtio_mock_add(&ring->mock, &buffer, 1) >= 0);
	assert_int_equal(ring_kick(ring), 0);
	assert_int_equal(ring_wait(ring, 1), 0);
}

/*
 * After 65536 requests the driver's index on ring 0 is 0 again, like a new driver's. After the
 * update the device must not treat either ring as the ring of a new driver.
 */
static void update_does_not_look_like_a_new_driver(void **state)
{
	static struct scene scene;

	(void)state;
	set_scene(&scene);
	assert_true(scene.old.test.begins[0]);
	assert_true(scene.old.test.begins[1]);
	for (unsigned int i = 0; i < 65536; i++)
		request(&scene.rings[0]);
	update(&scene);
	assert_false(scene.new.test.begins[0]);
	assert_false(scene.new.test.begins[1]);
	for (unsigned int i = 0; i < QUEUES; i++)
		request(&scene.rings[i]);
	/* A new driver starts after the update. */
	assert_int_equal(ring_stop(&scene.rings[0]), 1);
	assert_int_equal(virtio_mock_reset(&scene.rings[0].mock), 0);
	ring_start(&scene.rings[0], 0);
	request(&scene.rings[0]);
	assert_true(scene.new.test.begins[0]);
	strike_scene(&scene);
}

/*
 * A ring does not start in the new daemon. The front end can stop this ring like a running ring,
 * gets the ring's position, and starts the ring there.
 */
static void update_reports_the_position_of_a_ring_that_does_not_go_on(void **state)
{
	static struct scene scene;
	uint16_t base;

	(void)state;
	set_scene(&scene);
	for (unsigned int i = 0; i < 5; i++)
		request(&scene.rings[0]);
	scene.new.test.start_error = VIRTIO_EIO;
	update(&scene);
	scene.new.test.start_error = 0;
	base = ring_stop(&scene.rings[0]);
	assert_int_equal(base, 5);
	ring_start(&scene.rings[0], base);
	request(&scene.rings[0]);
	strike_scene(&scene);
}

/* Restarts */

/* The old daemon saves its state and ends. The new daemon begins with this state. */
static void restart(struct scene *scene)
{
	static uint8_t bytes[STATE_BYTES];
	struct handover unused = { .count = 0 };
	struct virtio_section_writer writer;
	struct virtio_section_reader reader;
	size_t length;

	halt(&scene->old);
	server_end(&scene->old.server);
	virtio_queue_ser_begin(&writer, bytes, sizeof bytes, NULL);
	assert_int_equal(server_save(&scene->old.server, &writer, 0, &unused), 0);
	assert_int_equal(virtio_queue_ser_end(&writer, &length), 0);
	handover_clear(&unused);
	close_host(&scene->old);
	assert_int_equal(virtio_queue_ser_open(&reader, bytes, length, NULL), 0);
	assert_int_equal(server_open_restored(&scene->new.server, &scene->new.loop, &scene->new.test.device,
					      &scene->endpoint, false, &reader, 0),
			 0);
	assert_int_equal(virtio_section_reader_end(&reader), 0);
	assert_int_equal(server_meet(&scene->new.server), 0);
	server_begin(&scene->new.server);
	run(&scene->new);
}

static void connect_again(struct scene *scene, uint64_t features)
{
	front_end_move(&scene->fe, scene->path);
	front_end_negotiate_type(&scene->fe, FEATURE(VIRTIO_RING_F_INDIRECT_DESC) | features);
	front_end_share_memory(&scene->fe);
	for (uint16_t i = 0; i < QUEUES; i++) {
		scene->rings[i].mock.event_idx = scene->fe.mock.event_idx;
		ring_move(&scene->rings[i]);
		request(&scene->rings[i]);
	}
}

/* After a restore the device gets the driver's features once, and is not reset again. */
static void restore_leaves_the_device_to_its_driver(void **state)
{
	static struct scene scene;

	(void)state;
	set_scene(&scene);
	request(&scene.rings[0]);
	request(&scene.rings[1]);
	restart(&scene);
	assert_string_equal(scene.old.test.log, "reset attached features detached close-in-file ");
	connect_again(&scene, 0);
	/* When the front end connects a second time, the device is reset. */
	connect_again(&scene, 0);
	strike_scene(&scene);
	assert_string_equal(scene.new.test.log,
			    "reset features anew attached detached reset attached features detached close ");
}

static void restore_resets_the_device_for_another_driver(void **state)
{
	static struct scene scene;
	struct front_end other;

	(void)state;
	set_scene(&scene);
	request(&scene.rings[0]);
	request(&scene.rings[1]);
	restart(&scene);
	/* This front end negotiates nothing, so the device stays in the saved driver's state. */
	front_end_open(&other, scene.path);
	(void)front_end_get_u64(&other, VHOST_USER_GET_FEATURES);
	front_end_close(&other);
	connect_again(&scene, FEATURE(VIRTIO_RING_F_EVENT_IDX));
	strike_scene(&scene);
	assert_string_equal(scene.new.test.log,
			    "reset features anew attached detached attached event_idx reset event_idx detached close ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(update_does_not_look_like_a_new_driver),
		cmocka_unit_test(update_reports_the_position_of_a_ring_that_does_not_go_on),
		cmocka_unit_test(restore_leaves_the_device_to_its_driver),
		cmocka_unit_test(restore_resets_the_device_for_another_driver),
	};

	if (!watchdog_start(NULL, NULL) || worker_init() || shared_memory_guard())
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
