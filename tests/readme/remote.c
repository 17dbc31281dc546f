/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The device of virtio-device's README whose queues are in another process. A stop or reset ends
 * when that process has answered, and fails when the process has ended. A late answer ends neither
 * a stop nor a reset.
 */
#include "readme_remote.h"

#include "cmocka_includes.h"

#include <string.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/device_transport.h>

#define RAM 0x4000u
#define RUNNING                                                                                                        \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK)

static struct {
	_Alignas(4096) uint8_t ram[RAM];
	struct virtio_region region;
	struct virtio_memory_map map;
	struct remote remote;
	enum message last;
	uint16_t last_queue;
	uint32_t messages;
	int gone; /* the error of a process that has ended, or 0 */
	bool line;
} m;

static int send_message(void *process, enum message message, uint16_t queue, const struct virtio_queue_config *config)
{
	assert_ptr_equal(process, &m);
	assert_int_equal(config != NULL, message == START);
	m.last = message;
	m.last_queue = queue;
	m.messages++;
	return m.gone;
}

static void set_line(bool level)
{
	m.line = level;
}

static void write_status(uint32_t status)
{
	assert_int_equal(virtio_device_write_status(&m.remote.device, status), 0);
}

/* Starts both queues. */
static void start_both(void)
{
	struct virtio_device *device = &m.remote.device;

	memset(&m, 0, sizeof m);
	m.region = (struct virtio_region){ .len = RAM, .host = m.ram };
	assert_int_equal(virtio_memory_map_init(&m.map, &m.region, 1), 0);
	m.remote.process = &m;
	m.remote.send = send_message;
	m.remote.set_line = set_line;
	assert_int_equal(remote_init(&m.remote, &m.map), 0);
	write_status(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	virtio_device_accept_features(device, 1, virtio_device_offered_features(device, 1));
	write_status(RUNNING & ~(uint32_t)VIRTIO_CONFIG_S_DRIVER_OK);
	for (uint32_t i = 0; i < 2; i++) {
		device->queue_sel = i;
		for (uint32_t area = 0; area < 3; area++)
			virtio_device_set_queue_addr_low(device, (enum virtio_queue_area)area, 0x1000 * (area + 1));
		assert_int_equal(virtio_device_enable_queue(device, 1), 0);
		assert_true(virtio_device_queue_enabled(device));
	}
	write_status(RUNNING);
	assert_int_equal(virtio_device_status(device), RUNNING);
	/* The messages have started the queues, and then kicked each queue once. */
	assert_int_equal(m.messages, 4);
	assert_int_equal(m.last, RUN);
}

/* The driver stops queue 0. */
static void begin_stop(void)
{
	m.remote.device.queue_sel = 0;
	assert_int_equal(virtio_device_enable_queue(&m.remote.device, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(m.last, STOP);
	assert_int_equal(m.last_queue, 0);
	assert_true(virtio_device_queue_enabled(&m.remote.device));
	assert_true(virtio_device_waiting(&m.remote.device));
}

static void remote_stop_ends_with_the_answer(void **state)
{
	(void)state;
	start_both();
	begin_stop();
	assert_false(remote_answered(&m.remote, STOP, 1, 0));
	assert_true(virtio_device_queue_enabled(&m.remote.device));
	assert_true(remote_answered(&m.remote, STOP, 0, 0));
	assert_false(virtio_device_queue_enabled(&m.remote.device));
	assert_false(remote_answered(&m.remote, STOP, 0, 0));
	assert_int_equal(virtio_device_status(&m.remote.device), RUNNING);
}

static void remote_stop_fails_when_the_process_ends(void **state)
{
	(void)state;
	start_both();
	begin_stop();
	assert_true(remote_answered(&m.remote, STOP, 0, VIRTIO_EIO));
	assert_true(virtio_device_queue_enabled(&m.remote.device));
	assert_int_equal(virtio_device_status(&m.remote.device), RUNNING | VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_true(m.line);
	assert_int_equal(m.remote.device.first_error, VIRTIO_EIO);
	assert_int_equal(m.remote.device.first_queue, 0);
}

static void remote_reset_ends_with_the_answer(void **state)
{
	(void)state;
	start_both();
	remote_used(&m.remote, 1);
	assert_true(m.line);
	begin_stop();
	assert_int_equal(virtio_device_write_status(&m.remote.device, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(m.last, RESET);
	assert_int_equal(virtio_device_status(&m.remote.device), RUNNING);
	/* The stop ends first. A vCPU still waits for the reset. */
	assert_false(remote_answered(&m.remote, STOP, 0, 0));
	assert_true(virtio_device_waiting(&m.remote.device));
	assert_true(remote_answered(&m.remote, RESET, VIRTIO_DEVICE_NO_QUEUE, 0));
	assert_int_equal(virtio_device_status(&m.remote.device), 0);
	assert_false(m.line);
	assert_false(remote_answered(&m.remote, RESET, VIRTIO_DEVICE_NO_QUEUE, 0));
}

static void remote_reset_fails_when_the_process_ends(void **state)
{
	(void)state;
	start_both();
	assert_int_equal(virtio_device_write_status(&m.remote.device, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_true(remote_answered(&m.remote, RESET, VIRTIO_DEVICE_NO_QUEUE, VIRTIO_EIO));
	assert_int_equal(virtio_device_status(&m.remote.device), RUNNING | VIRTIO_CONFIG_S_NEEDS_RESET);
	/* The process has ended for good, so the next reset fails at once. */
	m.gone = VIRTIO_EIO;
	assert_int_equal(virtio_device_write_status(&m.remote.device, 0), 0);
	assert_int_equal(virtio_device_status(&m.remote.device), RUNNING | VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_false(virtio_device_waiting(&m.remote.device));
}

static void remote_needs_reset_when_a_kick_goes_nowhere(void **state)
{
	(void)state;
	start_both();
	m.gone = VIRTIO_EIO;
	virtio_device_notify(&m.remote.device, 1);
	assert_int_equal(m.last_queue, 1);
	assert_int_equal(virtio_device_status(&m.remote.device), RUNNING | VIRTIO_CONFIG_S_NEEDS_RESET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remote_stop_ends_with_the_answer),
		cmocka_unit_test(remote_stop_fails_when_the_process_ends),
		cmocka_unit_test(remote_reset_ends_with_the_answer),
		cmocka_unit_test(remote_reset_fails_when_the_process_ends),
		cmocka_unit_test(remote_needs_reset_when_a_kick_goes_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
