/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests the promises of examples/vhost-user/device.h to a device. The device is the test's own, in
 * this process. The device has three queues and one thread.
 */
#include "front_end.h"
#include "rings.h"
#include "server.h"
#include "session_state.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/queue_ser.h>

#define QUEUES 3
#define ECHO 0  /* a queue whose chains are completed at once */
#define INPUT 1 /* a queue where each signal of `input` completes a chain */
#define CONFIG_BYTES 4
#define TYPE_FEATURE UINT64_C(1)
#define BAD_FEATURE UINT64_C(2) /* offered, but check_features() refuses this bit */

static_assert(QUEUES < RINGS, "guest memory has room for a ring of each queue");

struct test_device {
	struct device device;
	struct event_loop *loop;
	struct event_wake input; /* signalled by the test's thread */
	/* refresh() starts this timer. When the timer expires, the configuration space changes. */
	struct event_timer timer;
	struct device_queue *running[QUEUES];
	uint8_t config[CONFIG_BYTES];
	atomic_int start_error; /* the next result of queue_start() */
	pthread_t thread;
	bool has_thread;
	bool elsewhere; /* an operation was not called on the device's thread */
	char log[1024]; /* a word for each operation called, except turns and reads */
};

static struct test_device *from_device(struct device *device)
{
	return CONTAINER_OF(device, struct test_device, device);
}

static void check_thread(struct test_device *test)
{
	if (!test->has_thread)
		test->thread = pthread_self();
	test->has_thread = true;
	if (!pthread_equal(test->thread, pthread_self()))
		test->elsewhere = true;
}

static void note(struct device *device, const char *word)
{
	struct test_device *test = from_device(device);

	check_thread(test);
	strncat(test->log, word, sizeof test->log - strlen(test->log) - 1);
	strncat(test->log, " ", sizeof test->log - strlen(test->log) - 1);
}

static void note_queue(struct device *device, const char *word, const struct device_queue *queue)
{
	char numbered[32];

	snprintf(numbered, sizeof numbered, "%s%u", word, queue->index);
	note(device, numbered);
}

static void on_input(struct event_wake *wake)
{
	struct test_device *test = CONTAINER_OF(wake, struct test_device, input);
	struct device_queue *queue = test->running[INPUT];
	struct virtio_chain chain;

	check_thread(test);
	if (!queue || virtio_queue_pop(&queue->virtq, &chain) != 1)
		return;
	(void)virtio_queue_complete(&queue->virtq, chain.token, 0);
	device_queue_signal(queue);
}

static void on_timer(struct event_timer *timer)
{
	struct test_device *test = CONTAINER_OF(timer, struct test_device, timer);

	check_thread(test);
	test->config[0]++;
	device_config_changed(&test->device);
}

static int open_device(struct device *device, struct event_loop *loop)
{
	struct test_device *test = from_device(device);

	note(device, "open");
	test->loop = loop;
	return event_wake_open(&test->input, loop, on_input) || event_timer_open(&test->timer, loop, on_timer) ? -1 : 0;
}

static void close_device(struct device *device)
{
	struct test_device *test = from_device(device);

	note(device, "close");
	event_wake_close(&test->input);
	event_timer_close(&test->timer);
}

static void reset(struct device *device)
{
	note(device, "reset");
}

static void attached(struct device *device)
{
	note(device, "attached");
}

static void detached(struct device *device)
{
	note(device, "detached");
}

static int check_features(struct device *device, uint64_t features)
{
	note(device, "features");
	return features & BAD_FEATURE ? VIRTIO_ENOTSUP : 0;
}

static void config_read(struct device *device, uint32_t offset, void *data, uint32_t len)
{
	struct test_device *test = from_device(device);

	check_thread(test);
	memcpy(data, test->config + offset, len);
}

static int config_write(struct device *device, uint32_t offset, const void *data, uint32_t len)
{
	note(device, "write");
	memcpy(from_device(device)->config + offset, data, len);
	return 0;
}

static void refresh(struct device *device)
{
	note(device, "refresh");
	event_timer_set(&from_device(device)->timer, 1);
}

static int queue_start(struct device *device, struct device_queue *queue)
{
	struct test_device *test = from_device(device);
	const int error = atomic_exchange(&test->start_error, 0);

	note_queue(device, error ? "fail" : "start", queue);
	if (!error)
		test->running[queue->index] = queue;
	return error;
}

static int queue_notify(struct device *device, struct device_queue *queue, unsigned int budget)
{
	struct virtio_chain chain;
	int got = 1;

	check_thread(from_device(device));
	if (queue->index == INPUT)
		return DEVICE_TURN_WAIT;
	while (budget-- > 0 && (got = virtio_queue_pop(&queue->virtq, &chain)) == 1)
		(void)virtio_queue_complete(&queue->virtq, chain.token, 0);
	return got < 0 ? got : DEVICE_TURN_DONE;
}

static void queue_drain(struct device *device, struct device_queue *queue)
{
	note_queue(device, "drain", queue);
}

static void queue_stop(struct device *device, struct device_queue *queue)
{
	note_queue(device, "stop", queue);
	from_device(device)->running[queue->index] = NULL;
}

static const struct device_ops ops = {
	.open = open_device,
	.close = close_device,
	.reset = reset,
	.attached = attached,
	.detached = detached,
	.check_features = check_features,
	.config_read = config_read,
	.config_write = config_write,
	.refresh = refresh,
	.queue_start = queue_start,
	.queue_notify = queue_notify,
	.queue_drain = queue_drain,
	.queue_stop = queue_stop,
};

/* The daemon: a control thread that runs one server. */

struct host {
	struct test_device test;
	struct event_loop loop;
	struct event_wake wake; /* wakes the loop, which then reads `hang_up` and `stop` */
	bool hang_up, stop;
	struct endpoint endpoint;
	struct server server;
	pthread_t control;
	char folder[64], path[96];
};

static void on_wake(struct event_wake *wake)
{
	struct host *host = CONTAINER_OF(wake, struct host, wake);

	if (__atomic_exchange_n(&host->hang_up, false, __ATOMIC_ACQ_REL))
		server_refresh(&host->server);
	if (__atomic_load_n(&host->stop, __ATOMIC_ACQUIRE))
		host->loop.stop = true;
}

static void *run_control(void *arg)
{
	struct host *host = arg;

	(void)event_loop_run(&host->loop);
	server_close(&host->server);
	return NULL;
}

static void set_device(struct host *host)
{
	host->test.device = (struct device){
		.ops = &ops,
		.name = "test",
		.features = TYPE_FEATURE | BAD_FEATURE,
		.config_size = CONFIG_BYTES,
		.queue_count = QUEUES,
		.max_queue_size = 256,
		.threads = DEVICE_ONE_THREAD,
	};
}

static void start(struct host *host)
{
	memset(host, 0, sizeof *host);
	set_device(host);
	strcpy(host->folder, "/tmp/vhost-user-test-XXXXXX");
	assert_non_null(mkdtemp(host->folder));
	snprintf(host->path, sizeof host->path, "%s/socket", host->folder);
	host->endpoint = (struct endpoint){ .path = host->path, .fd = -1 };
	assert_int_equal(event_loop_open(&host->loop), 0);
	assert_int_equal(event_wake_open(&host->wake, &host->loop, on_wake), 0);
	assert_int_equal(server_open(&host->server, &host->loop, &host->test.device, &host->endpoint, false), 0);
	assert_int_equal(pthread_create(&host->control, NULL, run_control, host), 0);
}

/*
 * Ends the daemon. Checks that the daemon called the operations of `log` in this order, and called
 * all operations on the device's thread.
 */
static void finish(struct host *host, const char *log)
{
	__atomic_store_n(&host->stop, true, __ATOMIC_RELEASE);
	event_wake_signal(&host->wake);
	assert_int_equal(pthread_join(host->control, NULL), 0);
	watchdog_step();
	event_wake_close(&host->wake);
	event_loop_close(&host->loop);
	assert_int_equal(rmdir(host->folder), 0);
	assert_false(host->test.elsewhere);
	assert_false(pthread_equal(host->test.thread, pthread_self()));
	assert_string_equal(host->test.log, log);
}

static void attach(struct front_end *fe, const struct host *host)
{
	front_end_open(fe, host->path);
	front_end_negotiate_type(fe, TYPE_FEATURE | FEATURE(VIRTIO_RING_F_INDIRECT_DESC));
	front_end_share_memory(fe);
}

/*
 * Waits until the daemon has noticed that the front end has left. Until then the daemon serves no
 * other front end.
 */
static void await_detach(const struct host *host)
{
	struct front_end fe;

	front_end_open(&fe, host->path);
	(void)front_end_get_u64(&fe, VHOST_USER_GET_FEATURES);
	front_end_close(&fe);
}

static void offer(struct ring *ring)
{
	const struct virtio_mock_buffer buffer = {
		.addr = GUEST_ADDR + (uint64_t)(ring_data(ring, 0) - ring->fe->memory), .len = 16
	};

	assert_true(virtio_mock_add(&ring->mock, &buffer, 1) >= 0);
	assert_int_equal(ring_kick(ring), 0);
}

static void device_operations_come_in_order_on_its_thread(void **state)
{
	struct ring rings[QUEUES];
	struct vhost_user_config config = { .offset = 1, .size = 2, .data = { 5, 6 } };
	const uint32_t size = offsetof(struct vhost_user_config, data) + 2;
	struct front_end fe;
	struct host host;

	(void)state;
	start(&host);
	attach(&fe, &host);
	for (uint16_t i = 0; i < QUEUES; i++)
		ring_open(&rings[i], &fe, i);
	for (unsigned int i = 0; i < 10; i++) {
		offer(&rings[ECHO]);
		assert_int_equal(ring_wait(&rings[ECHO], 1), 0);
		offer(&rings[2]);
		assert_int_equal(ring_wait(&rings[2], 1), 0);
	}
	assert_int_equal(front_end_ask(&fe, VHOST_USER_SET_CONFIG, &config, size, NULL, 0), 0);
	/*
	 * Before a change of memory all queues are drained. GET_VRING_BASE and the end of the
	 * session drain and stop queues one by one.
	 */
	front_end_share_memory(&fe);
	offer(&rings[ECHO]);
	assert_int_equal(ring_wait(&rings[ECHO], 1), 0);
	assert_int_equal(ring_stop(&rings[ECHO]), 11);
	offer(&rings[2]);
	assert_int_equal(ring_wait(&rings[2], 1), 0);
	front_end_close(&fe);
	await_detach(&host);
	for (unsigned int i = 0; i < QUEUES; i++)
		ring_close(&rings[i]);
	finish(&host, "open reset attached features start0 start1 start2 write drain2 drain1 drain0 drain0 stop0 "
		      "drain1 stop1 drain2 stop2 detached reset attached detached close ");
}

static void device_completes_and_notifies_outside_of_a_turn(void **state)
{
	struct ring ring;
	struct front_end fe;
	struct host host;
	uint16_t used;

	(void)state;
	start(&host);
	attach(&fe, &host);
	ring_open(&ring, &fe, INPUT);
	for (unsigned int i = 0; i < 10; i++) {
		offer(&ring);
		offer(&ring);
		/*
		 * A kick alone does not make the device complete anything. SET_VRING_CALL causes a
		 * turn, which ends before the second SET_VRING_CALL is answered.
		 */
		for (unsigned int n = 0; n < 2; n++)
			assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_CALL, INPUT, ring.call), 0);
		assert_int_equal(virtio_mock_get(&ring.mock, VIRTIO_MOCK_USED_IDX, &used), 0);
		assert_int_equal(used, 2 * i);
		for (unsigned int n = 0; n < 2; n++) {
			event_wake_signal(&host.test.input);
			assert_int_equal(ring_wait(&ring, 1), 0);
		}
	}
	front_end_close(&fe);
	await_detach(&host);
	ring_close(&ring);
	finish(&host, "open reset attached features start1 drain1 stop1 detached reset attached detached close ");
}

static void device_announces_a_change_from_its_thread(void **state)
{
	struct vhost_user_config config = { .size = 8 };
	const uint32_t size = offsetof(struct vhost_user_config, data) + 8;
	static const uint8_t expected[8] = { 1 };
	struct vhost_user_header header;
	struct front_end fe;
	struct host host;
	int ends[2];

	(void)state;
	start(&host);
	attach(&fe, &host);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(front_end_ask(&fe, VHOST_USER_SET_BACKEND_REQ_FD, NULL, 0, &ends[1], 1), 0);
	__atomic_store_n(&host.hang_up, true, __ATOMIC_RELEASE);
	event_wake_signal(&host.wake);
	assert_int_equal(recv(ends[0], &header, sizeof header, MSG_WAITALL), sizeof header);
	assert_int_equal(header.request, VHOST_USER_BACKEND_CONFIG_CHANGE_MSG);
	/* Bytes beyond the end of the configuration space read as zeroes, and can't be written. */
	memset(config.data, 0xff, 8);
	front_end_send(&fe, VHOST_USER_GET_CONFIG, VHOST_USER_FLAG_VERSION, &config, size, NULL, 0);
	assert_int_equal(front_end_reply(&fe, VHOST_USER_GET_CONFIG, &config, sizeof config), size);
	assert_memory_equal(config.data, expected, sizeof expected);
	assert_int_equal(front_end_ask(&fe, VHOST_USER_SET_CONFIG, &config, size, NULL, 0), 1);
	assert_int_equal(recv(ends[0], &header, sizeof header, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	close(ends[0]);
	close(ends[1]);
	front_end_close(&fe);
	await_detach(&host);
	finish(&host, "open reset attached refresh features detached reset attached detached close ");
}

/*
 * The device checks the features when a ring starts. If the device refuses the features, the ring
 * does not start.
 */
static void device_may_refuse_to_start_a_queue(void **state)
{
	const uint64_t good = TYPE_FEATURE | FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VHOST_USER_F_PROTOCOL_FEATURES);
	struct vhost_user_vring_addr addr;
	struct front_end fe;
	struct host host;

	(void)state;
	start(&host);
	attach(&fe, &host);
	assert_int_equal(front_end_ask_u64(&fe, VHOST_USER_SET_FEATURES, good | BAD_FEATURE), 0);
	front_end_set_ring(&fe, 0);
	assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_KICK, 0, fe.kick), 0);
	assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_ENABLE, 0, 1), 1);
	assert_int_equal(front_end_ask_u64(&fe, VHOST_USER_SET_FEATURES, good), 0);
	atomic_store(&host.test.start_error, VIRTIO_ENOTSUP);
	assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_ENABLE, 0, 1), 1);
	/* The refused enable had no effect, so new addresses do not start the queue. */
	addr = front_end_addr(&fe);
	addr.used += 0x4000;
	assert_int_equal(front_end_ask(&fe, VHOST_USER_SET_VRING_ADDR, &addr, sizeof addr, NULL, 0), 0);
	assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_ENABLE, 0, 1), 0);
	front_end_close(&fe);
	await_detach(&host);
	finish(&host, "open reset attached features features fail0 start0 drain0 stop0 detached reset attached "
		      "detached close ");
}

/* Waits until the device's thread has ended its turn. */
static void settle(struct front_end *fe)
{
	struct vhost_user_config config = { .size = 1 };
	const uint32_t size = offsetof(struct vhost_user_config, data) + 1;

	front_end_send(fe, VHOST_USER_GET_CONFIG, VHOST_USER_FLAG_VERSION, &config, size, NULL, 0);
	assert_int_equal(front_end_reply(fe, VHOST_USER_GET_CONFIG, &config, sizeof config), size);
}

/* Moves the used ring to another address. The ring stays in the first region. */
static void move_ring(struct ring *ring)
{
	const uint64_t *addr = ring->mock.addr;
	const struct vhost_user_vring_addr moved = {
		.index = ring->index,
		.desc = addr[VIRTIO_QUEUE_DESC] - GUEST_ADDR + USER_ADDR,
		.avail = addr[VIRTIO_QUEUE_AVAIL] - GUEST_ADDR + USER_ADDR,
		.used = addr[VIRTIO_QUEUE_USED] - GUEST_ADDR + USER_ADDR + 0x8000,
	};

	assert_int_equal(front_end_ask(ring->fe, VHOST_USER_SET_VRING_ADDR, &moved, sizeof moved, NULL, 0), 0);
}

/*
 * A queue does not stop if the front end sends the same values again, or sends other descriptors.
 * Other addresses, another size or another index stop the queue until the set-up ends.
 */
static void device_keeps_a_queue_until_there_is_a_new_driver(void **state)
{
	const uint64_t features = TYPE_FEATURE | FEATURE(VIRTIO_RING_F_INDIRECT_DESC) | FEATURE(VIRTIO_F_VERSION_1) |
				  FEATURE(VHOST_USER_F_PROTOCOL_FEATURES);
	struct front_end fe;
	struct ring ring;
	struct host host;

	(void)state;
	start(&host);
	attach(&fe, &host);
	ring_open(&ring, &fe, ECHO);
	for (unsigned int i = 0; i < 3; i++) {
		offer(&ring);
		assert_int_equal(ring_wait(&ring, 1), 0);
		assert_int_equal(front_end_ask_u64(&fe, VHOST_USER_SET_FEATURES, features), 0);
		/* ring_start() sends SET_VRING_NUM, _BASE, _ADDR, _CALL, _KICK and _ENABLE. */
		ring_start(&ring, 0);
		assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_ERR, ECHO, fe.err), 0);
	}
	/* New features are for the next driver, and have no effect before a ring starts. */
	assert_int_equal(front_end_ask_u64(&fe, VHOST_USER_SET_FEATURES, 0), 0);
	offer(&ring);
	assert_int_equal(ring_wait(&ring, 1), 0);
	assert_int_equal(front_end_ask_u64(&fe, VHOST_USER_SET_FEATURES, features), 0);
	/*
	 * Each change below means a new driver. The device must not read the new driver's ring
	 * before the set-up ends.
	 */
	for (unsigned int i = 0; i < 3; i++) {
		settle(&fe);
		assert_int_equal(virtio_mock_reset(&ring.mock), 0);
		if (i == 0)
			assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_NUM, ECHO, 64), 0);
		else if (i == 1)
			assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_BASE, ECHO, 7), 0);
		else
			move_ring(&ring);
		assert_int_equal(write(ring.kick, &(uint64_t){ 1 }, 8), 8);
		ring_start(&ring, 0);
		offer(&ring);
		assert_int_equal(ring_wait(&ring, 1), 0);
	}
	front_end_close(&fe);
	await_detach(&host);
	ring_close(&ring);
	finish(&host, "open reset attached features start0 drain0 stop0 start0 drain0 stop0 start0 drain0 stop0 start0 "
		      "drain0 stop0 detached reset attached detached close ");
}

/*
 * One ring breaks. The daemon must stop this queue of the device at once, and must keep the other
 * queue running.
 */
static void device_loses_a_queue_whose_ring_breaks(void **state)
{
	struct ring rings[2];
	struct front_end fe;
	struct host host;
	uint64_t count;

	(void)state;
	start(&host);
	attach(&fe, &host);
	for (uint16_t i = 0; i < 2; i++)
		ring_open(&rings[i], &fe, i);
	assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_ERR, ECHO, fe.err), 0);
	assert_int_equal(virtio_mock_set(&rings[ECHO].mock, VIRTIO_MOCK_AVAIL_IDX, RING_ENTRIES + 1), 0);
	assert_int_equal(write(rings[ECHO].kick, &(uint64_t){ 1 }, 8), 8);
	assert_int_equal(read(fe.err, &count, sizeof count), sizeof count);
	/*
	 * The other ring continues in replaced memory. The front end stops the broken ring and sets
	 * it up again.
	 */
	front_end_share_memory(&fe);
	offer(&rings[INPUT]);
	event_wake_signal(&host.test.input);
	assert_int_equal(ring_wait(&rings[INPUT], 1), 0);
	(void)ring_stop(&rings[ECHO]);
	assert_int_equal(virtio_mock_reset(&rings[ECHO].mock), 0);
	ring_start(&rings[ECHO], 0);
	offer(&rings[ECHO]);
	assert_int_equal(ring_wait(&rings[ECHO], 1), 0);
	front_end_close(&fe);
	await_detach(&host);
	for (unsigned int i = 0; i < 2; i++)
		ring_close(&rings[i]);
	finish(&host, "open reset attached features start0 start1 drain0 stop0 drain1 start0 drain0 stop0 drain1 stop1 "
		      "detached reset attached detached close ");
	assert_int_equal(host.test.device.ring_faults, 1);
}

/* Saved states */

#define STATE_BYTES 65536u

/*
 * Saves a device whose front end has sent only the header of a message. The header announces
 * `payload_size` bytes. Returns the state's length.
 */
static size_t save_with_header(struct device_host *host, struct event_loop *loop, int socket, uint32_t payload_size,
			       uint8_t *bytes, struct handover *handover)
{
	struct session *session = session_open(loop, host, socket);
	struct virtio_section_writer writer;
	size_t length;

	assert_non_null(session);
	session->message.header = (struct vhost_user_header){
		.request = VHOST_USER_SET_FEATURES,
		.flags = VHOST_USER_FLAG_VERSION,
		.size = payload_size,
	};
	session->message.in.received = sizeof session->message.header;
	virtio_queue_ser_begin(&writer, bytes, STATE_BYTES, NULL);
	assert_int_equal(session_state_save(host, session, &writer, 0, handover), 0);
	assert_int_equal(virtio_queue_ser_end(&writer, &length), 0);
	session->message.in.received = 0;
	session_close(session);
	return length;
}

/* Restores the state with `socket` as the connection. Returns 0, or -1 if the state is refused. */
static int take_over_at(struct device_host *host, struct event_loop *loop, int socket, const uint8_t *bytes,
			size_t length)
{
	struct handover handover = { .count = 0 };
	struct virtio_section_reader reader;
	struct session *session = NULL;
	int result;

	handover_add(&handover, socket, "0 socket");
	assert_int_equal(virtio_queue_ser_open(&reader, bytes, length, NULL), 0);
	result = session_state_restore(host, loop, &reader, 0, &handover, &session);
	if (session)
		session_close(session);
	handover_clear(&handover);
	return result;
}

/*
 * The header's field `size` is the number of payload bytes that follow. The state is refused if
 * this number is above VHOST_USER_MAX_PAYLOAD.
 */
static void state_with_half_a_message_that_is_too_long_is_refused(void **state)
{
	static const struct {
		uint32_t size;
		int result;
	} cases[] = { { 8, 0 }, { VHOST_USER_MAX_PAYLOAD, 0 }, { UINT32_C(1) << 20, -1 }, { UINT32_MAX, -1 } };
	static uint8_t bytes[STATE_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct host host = { .hang_up = false };
		struct handover handover = { .count = 0 };
		struct device_host device_host;
		int ends[2], other[2];
		size_t length;

		set_device(&host);
		assert_int_equal(event_loop_open(&host.loop), 0);
		assert_int_equal(device_host_open(&device_host, &host.test.device, &host.loop, NULL, false), 0);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, other), 0);
		length = save_with_header(&device_host, &host.loop, ends[0], cases[i].size, bytes, &handover);
		assert_int_equal(take_over_at(&device_host, &host.loop, other[0], bytes, length), cases[i].result);
		handover_clear(&handover);
		close(ends[1]);
		close(other[0]);
		close(other[1]);
		device_host_close(&device_host);
		event_loop_close(&host.loop);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_operations_come_in_order_on_its_thread),
		cmocka_unit_test(device_completes_and_notifies_outside_of_a_turn),
		cmocka_unit_test(device_announces_a_change_from_its_thread),
		cmocka_unit_test(device_may_refuse_to_start_a_queue),
		cmocka_unit_test(device_keeps_a_queue_until_there_is_a_new_driver),
		cmocka_unit_test(device_loses_a_queue_whose_ring_breaks),
		cmocka_unit_test(state_with_half_a_message_that_is_too_long_is_refused),
	};

	if (!watchdog_start(NULL, NULL) || worker_init() || shared_memory_guard())
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
