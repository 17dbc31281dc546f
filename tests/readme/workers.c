/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The shared queue of virtio-queue's README: served by one thread, served by several threads, and
 * handed over with requests in flight.
 */
#include "readme_workers.h"

#include "cmocka_includes.h"
#include "guest.h"

#include <sched.h>
#include <string.h>
#include <virtio/reader.h>
#include <watchdog.h>

#define WORKERS 3u
#define REQUESTS 20000u
#define BUFFER_BYTES 4u

static struct shared device;

/* Answers each request with its own bytes. */
static uint32_t echo(const struct virtio_chain_segments *buffers)
{
	struct virtio_reader in;
	struct virtio_writer out;
	uint8_t bytes[BUFFER_BYTES];

	virtio_reader_init(&in, buffers);
	virtio_writer_init(&out, buffers);
	virtio_writer_write(&out, bytes, virtio_reader_read(&in, bytes, sizeof bytes));
	return virtio_writer_used(&out);
}

static void start_device(struct guest *g, const struct virtio_queue_config *config)
{
	assert_int_equal(shared_start(&device, config, NULL, &g->map), 0);
}

static void reset_device(struct guest *g)
{
	(void)g;
	virtio_queue_reset(virtio_queue_sync_lock(&device.sync));
	virtio_queue_sync_unlock(&device.sync);
}

static int run_device(struct guest *g)
{
	const int got = shared_work(&device, echo, guest_interrupt);

	(void)g;
	assert_in_range(got, 0, 1);
	return got;
}

static uint32_t fill(struct guest *g, uint32_t number, uint64_t addr, struct virtio_mock_buffer *buffers)
{
	(void)g;
	virtio_put_le32(guest_host(addr), number);
	memset(guest_host(addr + BUFFER_BYTES), 0xee, BUFFER_BYTES);
	buffers[0] = (struct virtio_mock_buffer){ .addr = addr, .len = BUFFER_BYTES };
	buffers[1] = (struct virtio_mock_buffer){ addr + BUFFER_BYTES, BUFFER_BYTES, VRING_DESC_F_WRITE };
	return 2;
}

static void check(struct guest *g, uint32_t number, uint64_t addr, uint32_t len)
{
	(void)g;
	assert_int_equal(len, BUFFER_BYTES);
	assert_int_equal(virtio_get_le32(guest_host(addr + BUFFER_BYTES)), number);
}

static const struct guest_ops ops = {
	.start = start_device, .reset = reset_device, .run = run_device, .fill = fill, .check = check
};

static void shared_queue_answers_every_request(void **state)
{
	(void)state;
	memset(&device, 0, sizeof device);
	assert_int_equal(shared_init(&device), 0);
	guest_test_device(&ops);
}

/*
 * Threads. drive() replaces guest_exchange(), which runs the device on the driver's thread. The
 * workers poll, because drive() sends no kicks.
 */

static uint32_t stop, wrong, interrupts;

static void count_interrupt(void)
{
	(void)__atomic_fetch_add(&interrupts, 1, __ATOMIC_RELAXED);
}

static void *worker(void *context)
{
	(void)context;
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		const int got = shared_work(&device, echo, count_interrupt);

		if (got < 0)
			__atomic_store_n(&wrong, 1, __ATOMIC_RELEASE);
		if (got == 0)
			(void)sched_yield();
	}
	return NULL;
}

static uint64_t place(uint32_t index)
{
	return GUEST_DATA + index * GUEST_REQUEST_BYTES;
}

/* Adds a request with its data at this index. Returns the head of its chain. */
static uint16_t add_one(uint32_t number, uint32_t index)
{
	struct virtio_mock_buffer buffers[2];
	const uint32_t count = fill(&guest, number, place(index), buffers);
	int head = virtio_mock_add(&guest.mock, buffers, count);

	assert_in_range(head, 0, GUEST_QUEUE_SIZE - 1);
	return (uint16_t)head;
}

/*
 * Sends requests and gets them back. The number of outstanding requests is at most half the queue
 * size.
 */
static void drive(uint32_t requests)
{
	uint32_t place_of[GUEST_QUEUE_SIZE], number_of[GUEST_QUEUE_SIZE];
	struct vring_used_elem used;
	uint32_t added = 0, back = 0, free_place = 0;

	while (back < requests && !__atomic_load_n(&wrong, __ATOMIC_ACQUIRE)) {
		int got;

		if (added < requests && added - back < GUEST_QUEUE_SIZE / 2) {
			const uint32_t index = added < GUEST_QUEUE_SIZE / 2 ? added : free_place;
			const uint16_t head = add_one(added, index);

			place_of[head] = index;
			number_of[head] = added++;
			continue;
		}
		got = virtio_mock_pop_used(&guest.mock, &used);
		assert_true(got >= 0);
		if (got == 0) {
			(void)sched_yield();
			continue;
		}
		free_place = place_of[used.id];
		check(&guest, number_of[used.id], place(free_place), used.len);
		back++;
		watchdog_step();
	}
}

static void shared_queue_serves_several_threads(void **state)
{
	pthread_t workers[WORKERS];
	struct progress progress = { 0 };

	(void)state;
	memset(&device, 0, sizeof device);
	assert_int_equal(shared_init(&device), 0);
	guest_init(&ops);
	guest_start(false);
	stop = 0;
	for (uint32_t i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&workers[i], NULL, worker, NULL), 0);
	drive(REQUESTS);
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	for (uint32_t i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_join(workers[i], NULL), 0);
	assert_int_equal(wrong, 0);
	assert_int_equal(shared_progress(&device, &progress), 0);
	assert_int_equal(progress.waiting + progress.in_flight, 0);
	assert_int_equal(progress.returned, REQUESTS);
	assert_int_equal(pthread_mutex_destroy(&device.mutex), 0);
}

/* Requests of a header and a status */

static uint8_t header[BUFFER_BYTES], seen;

static uint8_t carry_out(const struct virtio_request *request, uint64_t *written)
{
	assert_int_equal(request->data.writable_bytes, 0);
	*written = 0;
	seen++;
	return header[0];
}

static void shared_queue_serves_requests_with_status(void **state)
{
	const struct virtio_mock_buffer buffers[] = { { GUEST_DATA, BUFFER_BYTES, 0 },
						      { GUEST_DATA + 8, 1, VRING_DESC_F_WRITE } };
	struct virtio_segment segments[4];
	struct virtio_request request;
	struct vring_used_elem used;

	(void)state;
	memset(&device, 0, sizeof device);
	assert_int_equal(shared_init(&device), 0);
	assert_int_equal(virtio_request_init(&request, header, sizeof header, segments, 4), 0);
	guest_init(&ops);
	guest_start(false);
	*guest_host(GUEST_DATA) = 0x29;
	assert_int_equal(shared_work_request(&device, &request, carry_out), 0);
	assert_true(virtio_mock_add(&guest.mock, buffers, 2) >= 0);
	/* A request without a header is an error, and is not carried out. */
	assert_true(virtio_mock_add(&guest.mock, buffers + 1, 1) >= 0);
	seen = 0;
	assert_int_equal(shared_work_request(&device, &request, carry_out), 1);
	assert_int_equal(*guest_host(GUEST_DATA + 8), 0x29);
	assert_int_equal(shared_work_request(&device, &request, carry_out), 1);
	assert_int_equal(*guest_host(GUEST_DATA + 8), 1);
	assert_int_equal(seen, 1);
	assert_int_equal(virtio_mock_pop_used(&guest.mock, &used), 1);
	assert_int_equal(used.len, 1);
}

/*
 * Another queue continues with the requests in flight and with the requests that were not popped.
 */
static void shared_queue_is_handed_over(void **state)
{
	static struct shared other;
	struct virtio_completion completions[QUEUE_SIZE];
	struct virtio_queue_state saved;
	struct virtio_chain chain;
	struct vring_used_elem used;
	struct progress progress;
	struct virtio_queue_flight record[QUEUE_SIZE];
	uint32_t count = 0;

	(void)state;
	memset(&device, 0, sizeof device);
	memset(&other, 0, sizeof other);
	assert_int_equal(shared_init(&device), 0);
	assert_int_equal(shared_init(&other), 0);
	guest_init(&ops);
	guest_start(false);
	for (uint32_t i = 0; i < 3; i++)
		(void)add_one(i, i);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(virtio_queue_pop(&device.sync.queue, &chain), 1);
	assert_int_equal(shared_progress(&device, &progress), 0);
	assert_true(progress.waiting == 1 && progress.in_flight == 2 && progress.returned == 0);
	assert_int_equal(shared_save(&device, &saved, record, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(shared_start(&other, NULL, &saved, &guest.map), 0);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(shared_repeat(&other, &record[i], echo, &completions[i]), 0);
	assert_int_equal(shared_repeat(&other, &record[0], echo, &completions[2]), VIRTIO_EINVAL);
	assert_int_equal(virtio_queue_complete_batch(&other.sync.queue, completions, count), 0);
	assert_int_equal(shared_work(&other, echo, count_interrupt), 1);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(virtio_mock_pop_used(&guest.mock, &used), 1);
		check(&guest, i, place(i), used.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shared_queue_answers_every_request),
		cmocka_unit_test(shared_queue_serves_several_threads),
		cmocka_unit_test(shared_queue_serves_requests_with_status),
		cmocka_unit_test(shared_queue_is_handed_over),
	};

	return watchdog_start(NULL, NULL) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
