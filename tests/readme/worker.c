/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The device of virtio-device's README with requests in flight. Its thread answers while the driver
 * continues. A reset, or a stop of the queue, waits for the requests in flight.
 */
#include "readme_worker.h"

#include "cmocka_includes.h"

#include <string.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_mmio.h>
#include <virtio/bindings/virtio_ring.h>
#include <virtio/endian.h>
#include <virtio/queue_mock.h>
#include <watchdog.h>

#define DRIVER_SIZE 8u
#define RAM 0x8000u
#define DATA 0x4000u
#define CHOSEN (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK)

static struct {
	_Alignas(4096) uint8_t ram[RAM];
	struct virtio_region region;
	struct virtio_memory_map map;
	struct virtio_mock mock;
	struct virtio_mock_slot slots[DRIVER_SIZE];
	struct worker worker;
	pthread_t thread;
	pthread_cond_t event; /* a member below has changed; used with the worker's lock */
	bool line;
	uint32_t begun;   /* number of calls of carry_out() that have begun */
	bool held;        /* whether a stop was in progress while a request was in flight */
	uint32_t allowed; /* number of requests that the thread may finish */
} m;

static uint32_t carry_out(const struct virtio_chain_segments *buffers)
{
	uint32_t written;

	pthread_mutex_lock(&m.worker.lock);
	m.begun++;
	pthread_cond_broadcast(&m.event);
	while (m.allowed < m.begun)
		pthread_cond_wait(&m.event, &m.worker.lock);
	written = m.begun;
	pthread_mutex_unlock(&m.worker.lock);
	assert_int_equal(buffers->writable_bytes, 16);
	watchdog_step();
	return written % 16;
}

static void allow(uint32_t requests)
{
	pthread_mutex_lock(&m.worker.lock);
	m.allowed = requests;
	pthread_cond_broadcast(&m.event);
	pthread_mutex_unlock(&m.worker.lock);
}

static void wait_for_begun(uint32_t requests)
{
	pthread_mutex_lock(&m.worker.lock);
	while (m.begun < requests)
		pthread_cond_wait(&m.event, &m.worker.lock);
	pthread_mutex_unlock(&m.worker.lock);
}

static void interrupt(struct virtio_device *device, enum virtio_interrupt cause, uint16_t queue, bool level)
{
	(void)device, (void)cause, (void)queue;
	m.line = level;
	pthread_cond_broadcast(&m.event);
}

static uint32_t get(uint32_t offset)
{
	uint8_t bytes[4];

	pthread_mutex_lock(&m.worker.lock);
	virtio_mmio_read(&m.worker.device, offset, bytes, sizeof bytes);
	pthread_mutex_unlock(&m.worker.lock);
	return virtio_get_le32(bytes);
}

static void put(uint32_t offset, uint32_t value)
{
	uint8_t bytes[4];

	virtio_put_le32(bytes, value);
	worker_write(&m.worker, offset, bytes, sizeof bytes);
}

static void make(void)
{
	static const struct virtio_device_ops ops = {
		.activate = virtio_device_queues_activate,
		.reset = virtio_device_queues_reset,
		.queue_notify = worker_notify,
		.queue_stop = virtio_device_queues_stop,
		.queue_start = virtio_device_queues_start,
		.interrupt = interrupt,
	};
	struct worker *worker = &m.worker;
	const struct virtio_device_queues_storage storage = {
		&worker->registers, &worker->queue, 1, worker->inflight, SIZE, true,
	};
	struct virtio_device_options options = { .ops = &ops, .context = worker, .device_queues = &worker->queues };

	memset(&m, 0, sizeof m);
	m.region = (struct virtio_region){ .len = RAM, .host = m.ram };
	assert_int_equal(virtio_memory_map_init(&m.map, &m.region, 1), 0);
	options.memory = &m.map;
	virtio_feature_set(options.features, VIRTIO_F_RING_RESET);
	worker->registers.config.max_size = SIZE;
	worker->last = &worker->first;
	worker->carry_out = carry_out;
	assert_int_equal(pthread_mutex_init(&worker->lock, NULL), 0);
	assert_int_equal(pthread_cond_init(&worker->work, NULL), 0);
	assert_int_equal(pthread_cond_init(&worker->stopped, NULL), 0);
	assert_int_equal(pthread_cond_init(&m.event, NULL), 0);
	assert_int_equal(virtio_device_queues_init(&worker->queues, &storage), 0);
	assert_int_equal(virtio_device_init(&worker->device, &options), 0);
	assert_int_equal(pthread_create(&m.thread, NULL, worker_run, worker), 0);
}

static void end(void)
{
	pthread_mutex_lock(&m.worker.lock);
	m.worker.ending = true;
	pthread_cond_broadcast(&m.worker.work);
	pthread_mutex_unlock(&m.worker.lock);
	assert_int_equal(pthread_join(m.thread, NULL), 0);
}

static void set_up_queue(void)
{
	static const uint32_t areas[3] = { VIRTIO_MMIO_QUEUE_DESC_LOW, VIRTIO_MMIO_QUEUE_AVAIL_LOW,
					   VIRTIO_MMIO_QUEUE_USED_LOW };

	assert_int_equal(virtio_mock_init(&m.mock, &m.map, 0, DRIVER_SIZE, m.slots, DRIVER_SIZE), 0);
	put(VIRTIO_MMIO_QUEUE_SEL, 0);
	put(VIRTIO_MMIO_QUEUE_NUM, DRIVER_SIZE);
	for (int i = 0; i < 3; i++)
		put(areas[i], (uint32_t)m.mock.addr[i]);
	put(VIRTIO_MMIO_QUEUE_READY, 1);
	assert_int_equal(get(VIRTIO_MMIO_QUEUE_READY), 1);
}

static void boot(void)
{
	put(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	put(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	put(VIRTIO_MMIO_DRIVER_FEATURES,
	    (uint32_t)((virtio_feature_mask(VIRTIO_F_VERSION_1) | virtio_feature_mask(VIRTIO_F_RING_RESET)) >> 32));
	put(VIRTIO_MMIO_STATUS, CHOSEN);
	set_up_queue();
	put(VIRTIO_MMIO_STATUS, CHOSEN | VIRTIO_CONFIG_S_DRIVER_OK);
}

static void add(void)
{
	const struct virtio_mock_buffer buffer = { DATA, 16, VRING_DESC_F_WRITE };

	assert_true(virtio_mock_add(&m.mock, &buffer, 1) >= 0);
	if (virtio_mock_should_kick(&m.mock))
		put(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
}

/* Pops a used buffer. If no buffer is used yet, waits for an interrupt and tries again. */
static void pop_used(uint32_t len)
{
	struct vring_used_elem used;

	while (virtio_mock_pop_used(&m.mock, &used) == 0) {
		pthread_mutex_lock(&m.worker.lock);
		while (!m.line)
			pthread_cond_wait(&m.event, &m.worker.lock);
		pthread_mutex_unlock(&m.worker.lock);
		put(VIRTIO_MMIO_INTERRUPT_ACK, get(VIRTIO_MMIO_INTERRUPT_STATUS));
	}
	assert_int_equal(used.len, len);
}

static void worker_answers_while_the_driver_goes_on(void **state)
{
	(void)state;
	make();
	boot();
	for (uint32_t round = 0; round < 100; round++) {
		for (uint32_t i = 0; i < DRIVER_SIZE; i++)
			add();
		allow((round + 1) * DRIVER_SIZE);
		for (uint32_t i = 0; i < DRIVER_SIZE; i++)
			pop_used((round * DRIVER_SIZE + i + 1) % 16);
	}
	end();
}

/*
 * worker_notify() pops requests and completes no request, so one call pops each head at most once,
 * and ends. If the call completed malformed requests, a driver could add them again without end.
 */
static void worker_completes_malformed_requests_in_its_thread(void **state)
{
	const struct virtio_mock_buffer wrong[] = { { DATA, 8, VRING_DESC_F_WRITE }, { DATA + 8, 8, 0 } };
	struct vring_used_elem used;

	(void)state;
	make();
	boot();
	add();
	wait_for_begun(1);
	assert_true(virtio_mock_add(&m.mock, wrong, 2) >= 0);
	put(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	assert_int_equal(virtio_mock_pop_used(&m.mock, &used), 0);
	assert_int_equal(virtio_queue_in_flight(&m.worker.queue), 2);
	allow(1);
	pop_used(1);
	pop_used(0);
	assert_int_equal(m.begun, 1);
	end();
}

/* Lets the thread finish once a stop has begun. */
static void *finish_later(void *context)
{
	(void)context;
	pthread_mutex_lock(&m.worker.lock);
	while (virtio_device_stop_number(&m.worker.device, 0) == 0) {
		pthread_mutex_unlock(&m.worker.lock);
		pthread_mutex_lock(&m.worker.lock);
	}
	/*
	 * Records whether a request is still in flight, and the status is not 0. Until the thread
	 * has finished, a reset must not show as ended. The main thread checks the record later.
	 */
	m.held = virtio_device_status(&m.worker.device) != 0 && !virtio_queue_quiesced(&m.worker.queue);
	m.allowed = UINT32_MAX;
	pthread_cond_broadcast(&m.event);
	pthread_mutex_unlock(&m.worker.lock);
	return NULL;
}

/*
 * Resets the device, or its queue, with two requests in flight. The thread has begun only the first
 * request.
 */
static void stop_in_flight(uint32_t offset, uint32_t value)
{
	const uint32_t begun = m.begun;
	pthread_t other;

	m.allowed = begun;
	add();
	add();
	wait_for_begun(begun + 1);
	assert_int_equal(pthread_create(&other, NULL, finish_later, NULL), 0);
	put(offset, value);
	assert_int_equal(pthread_join(other, NULL), 0);
	assert_true(m.held);
	assert_true(virtio_queue_quiesced(&m.worker.queue));
	assert_int_equal(m.begun, begun + 2);
}

static void worker_stops_when_nothing_is_in_flight(void **state)
{
	(void)state;
	make();
	for (uint32_t i = 0; i < 20; i++) {
		boot();
		stop_in_flight(VIRTIO_MMIO_QUEUE_RESET, 1);
		assert_int_equal(get(VIRTIO_MMIO_QUEUE_READY), 0);
		set_up_queue();
		stop_in_flight(VIRTIO_MMIO_STATUS, 0);
		assert_int_equal(get(VIRTIO_MMIO_STATUS), 0);
		assert_false(m.line);
	}
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worker_answers_while_the_driver_goes_on),
		cmocka_unit_test(worker_completes_malformed_requests_in_its_thread),
		cmocka_unit_test(worker_stops_when_nothing_is_in_flight),
	};

	if (!watchdog_start(NULL, NULL))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
