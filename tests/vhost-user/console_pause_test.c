/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A console with full=wait, whose buffer becomes full. Then the device's thread pauses, another
 * driver starts, or an emergency write arrives. The client gets the accepted bytes once, in order.
 * Bytes are dropped only if an emergency write finds the reserve full.
 *
 * The buffer has room for KEPT bytes. A reserve of KEPT more bytes is only for the rest of a chain
 * after a pause, and for emergency writes.
 */
#include "console_guest.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Guest memory after the rings, for a long chain. */
#define LONG_PLACE 0xc0000u
#define LONG_BYTES 0x40000u

static char state_path[128], program[128], control_path[128];

/* Starts a copy of the daemon, with a console for clients and a socket for commands. */
static void start(struct daemon_process *daemon, const char *options)
{
	char spec[1024];
	const char *const arguments[] = { "--console", spec, "--state", state_path, NULL };

	daemon_folder(daemon);
	console_set_paths(daemon);
	snprintf(state_path, sizeof state_path, "%s/state", daemon->folder);
	snprintf(program, sizeof program, "%s/program", daemon->folder);
	snprintf(control_path, sizeof control_path, "%s/control", daemon->folder);
	daemon_copy_program(program);
	snprintf(spec, sizeof spec, "unix=%s,socket=%s,full=wait,control=%s%s", console_client_path, daemon->socket,
		 control_path, options);
	daemon_run_program(daemon, program, arguments);
	console_await(daemon);
}

/* Checks that no update was refused, and that `dropped` bytes of output were dropped. */
static void finish(struct daemon_process *daemon, unsigned int dropped)
{
	char text[4096], words[64];

	(void)daemon_errors(daemon, text, sizeof text);
	assert_null(strstr(text, "can't"));
	(void)unlink(state_path);
	unlink(program);
	daemon_finish(daemon);
	snprintf(words, sizeof words, " %u bytes of output dropped", dropped);
	assert_non_null(strstr(daemon->summary, words));
}

/* Waits until `bytes` bytes of output wait for a client. */
static void await_held(unsigned int bytes)
{
	const int fd = console_operate(control_path);
	char text[1024], words[64];

	snprintf(words, sizeof words, "for the host %u\n", bytes);
	do
		console_command(fd, "stats\n", text, sizeof text);
	while (!strstr(text, words));
	watchdog_step();
	close(fd);
}

/* Offers a part of the stream in one buffer, in the memory after the rings. */
static void offer_long(struct ring *ring, uint32_t from, uint32_t to)
{
	struct virtio_mock_buffer buffer = { .addr = GUEST_ADDR + LONG_PLACE, .len = to - from };
	const int head = virtio_mock_alloc(&ring->mock, &buffer, 1);

	assert_true(head >= 0 && to - from <= LONG_BYTES);
	for (uint32_t i = 0; i < to - from; i++)
		ring->fe->memory[LONG_PLACE + i] = console_byte(from + i);
	assert_int_equal(virtio_mock_write_chain(&ring->mock, (uint16_t)head, &buffer, 1), 0);
	assert_int_equal(virtio_mock_offer(&ring->mock, (uint16_t)head), 0);
	assert_int_equal(virtio_mock_publish(&ring->mock), 0);
	assert_int_equal(ring_kick(ring), 0);
}

enum pause { STOP, TABLE, UPDATE, PAUSES };

static void pause_device(struct daemon_process *daemon, struct console_guest *guest, enum pause how)
{
	struct ring *ring = &guest->rings[TRANSMIT];

	if (how == STOP)
		ring_start(ring, ring_stop(ring));
	else if (how == TABLE)
		front_end_share_memory(&guest->fe);
	else
		daemon_update(daemon);
}

/*
 * The device pauses in a ring's first chain, and completes the chain, because the rest fits the
 * reserve. After a stop, a ring with an unfinished first chain would start again at index 0, like a
 * new driver's ring. The client would then get bytes twice.
 */
static void console_pause_in_the_first_chain_repeats_nothing(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	const uint8_t *bytes;
	int fd;

	(void)state;
	for (enum pause how = STOP; how < PAUSES; how++) {
		start(&daemon, "");
		console_attach(&guest, &daemon, 0);
		offer_long(&guest.rings[TRANSMIT], 0, 80000);
		await_held(KEPT);
		pause_device(&daemon, &guest, how);
		/* The rest of the chain is in the reserve. */
		assert_int_equal(console_take(&guest.rings[TRANSMIT], &bytes), 0);
		await_held(80000);
		(void)console_offer_output(&guest.rings[TRANSMIT], 80000, 90000);
		pause_device(&daemon, &guest, how);
		await_held(80000);
		fd = console_connect();
		console_expect_output(fd, 0, 90000);
		console_expect_no_output(fd);
		close(fd);
		console_detach(&guest);
		finish(&daemon, 0);
	}
}

/*
 * The rest of the chain is longer than the reserve, so the device must remember its position in the
 * chain.
 */
static void console_pause_in_a_long_chain_keeps_its_place(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	const uint8_t *bytes;
	int fd;

	(void)state;
	for (enum pause how = STOP; how < PAUSES; how++) {
		const uint32_t before = how == STOP ? 10 : 0;

		start(&daemon, "");
		console_attach(&guest, &daemon, 0);
		/*
		 * A ring that starts again at an index other than 0 shows that the driver is the
		 * same.
		 */
		console_output(&guest.rings[TRANSMIT], 0, before);
		offer_long(&guest.rings[TRANSMIT], before, 200000);
		await_held(KEPT);
		for (int i = 0; i < 3; i++) {
			pause_device(&daemon, &guest, how);
			await_held(2 * KEPT);
		}
		fd = console_connect();
		console_expect_output(fd, 0, 200000);
		assert_int_equal(console_take(&guest.rings[TRANSMIT], &bytes), 0);
		console_output(&guest.rings[TRANSMIT], 200000, 201000);
		console_expect_output(fd, 200000, 201000);
		console_expect_no_output(fd);
		close(fd);
		console_detach(&guest);
		finish(&daemon, 0);
	}
}

static void boot_again(struct console_guest *guest, unsigned int queues)
{
	for (unsigned int i = 0; i < queues; i++)
		(void)ring_stop(&guest->rings[i]);
	for (unsigned int i = 0; i < queues; i++)
		assert_int_equal(virtio_mock_reset(&guest->rings[i].mock), 0);
}

/*
 * The guest boots again while a chain waits. The client gets the output of both drivers, in order.
 */
static void console_output_of_the_next_driver_follows(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	int fd;

	(void)state;
	start(&daemon, "");
	console_attach(&guest, &daemon, 0);
	offer_long(&guest.rings[TRANSMIT], 0, 80000);
	await_held(KEPT);
	boot_again(&guest, 2);
	(void)console_offer_output(&guest.rings[TRANSMIT], 80000, 90000);
	for (unsigned int i = 0; i < 2; i++)
		ring_start(&guest.rings[i], 0);
	fd = console_connect();
	console_expect_output(fd, 0, 90000);
	console_expect_no_output(fd);
	close(fd);
	console_detach(&guest);
	finish(&daemon, 0);
}

/*
 * A driver without MULTIPORT follows a driver with MULTIPORT, behind the same front end. The first
 * driver's port state does not make an update fail, and no byte of the second driver's output is
 * lost.
 */
static void console_driver_without_multiport_follows_one_with_it(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	const uint8_t *bytes;
	int fd;

	(void)state;
	start(&daemon, ",multiport=on");
	console_attach_alone(&guest, &daemon, MULTIPORT);
	console_say(&guest, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	console_hear(&guest, 0, VIRTIO_CONSOLE_PORT_ADD, 0, "");
	console_say(&guest, 0, VIRTIO_CONSOLE_PORT_READY, 1);
	console_hear(&guest, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1, "");
	/*
	 * The device has not sent PORT_OPEN yet. The chain is longer than the buffer and the
	 * reserve together.
	 */
	offer_long(&guest.rings[TRANSMIT], 0, 200000);
	await_held(KEPT);
	boot_again(&guest, guest.count);
	assert_int_equal(front_end_ask_u64(&guest.fe, VHOST_USER_SET_FEATURES,
					   FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VHOST_USER_F_PROTOCOL_FEATURES)),
			 0);
	offer_long(&guest.rings[TRANSMIT], 2 * KEPT, 2 * KEPT + 90000);
	for (unsigned int i = 0; i < 2; i++)
		ring_start(&guest.rings[i], 0);
	await_held(2 * KEPT);
	daemon_update(&daemon);
	fd = console_connect();
	console_expect_output(fd, 0, 2 * KEPT + 90000);
	assert_int_equal(console_take(&guest.rings[TRANSMIT], &bytes), 0);
	console_expect_no_output(fd);
	/* A driver with MULTIPORT follows again. */
	boot_again(&guest, 2);
	assert_int_equal(
		front_end_ask_u64(&guest.fe, VHOST_USER_SET_FEATURES,
				  MULTIPORT | FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VHOST_USER_F_PROTOCOL_FEATURES)),
		0);
	for (unsigned int i = 0; i < guest.count; i++)
		ring_start(&guest.rings[i], 0);
	console_say(&guest, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	console_hear(&guest, 0, VIRTIO_CONSOLE_PORT_ADD, 0, "");
	daemon_update(&daemon);
	console_say(&guest, 0, VIRTIO_CONSOLE_PORT_READY, 1);
	console_hear(&guest, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1, "");
	close(fd);
	console_detach(&guest);
	finish(&daemon, 0);
}

/* A new driver's control queue starts while a chain of the driver's output is in flight. */
static void console_chain_goes_on_when_the_control_queue_starts(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	const uint8_t *bytes;
	int fd;

	(void)state;
	for (uint32_t end = 80000; end <= 200000; end += 120000) {
		start(&daemon, ",multiport=on");
		guest.count = PORT_RECEIVE;
		front_end_open(&guest.fe, daemon.socket);
		front_end_negotiate_type(&guest.fe, MULTIPORT);
		front_end_share_memory(&guest.fe);
		ring_open(&guest.rings[TRANSMIT], &guest.fe, TRANSMIT);
		offer_long(&guest.rings[TRANSMIT], 0, end);
		await_held(KEPT);
		ring_open(&guest.rings[RECEIVE], &guest.fe, RECEIVE);
		ring_open(&guest.rings[CONTROL_RECEIVE], &guest.fe, CONTROL_RECEIVE);
		ring_open(&guest.rings[CONTROL_TRANSMIT], &guest.fe, CONTROL_TRANSMIT);
		console_say(&guest, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
		console_hear(&guest, 0, VIRTIO_CONSOLE_PORT_ADD, 0, "");
		fd = console_connect();
		console_expect_output(fd, 0, end);
		assert_int_equal(console_take(&guest.rings[TRANSMIT], &bytes), 0);
		console_expect_no_output(fd);
		close(fd);
		console_detach(&guest);
		finish(&daemon, 0);
	}
}

static void write_emergency(struct console_guest *guest, const char *text)
{
	for (; *text; text++) {
		const struct vhost_user_config access = { .offset = 8, .size = 4, .data = { (uint8_t)*text } };
		const uint32_t size = offsetof(struct vhost_user_config, data) + 4;

		assert_int_equal(front_end_ask(&guest->fe, VHOST_USER_SET_CONFIG, &access, size, NULL, 0), 0);
	}
}

/*
 * Hostile 146: a dying guest's last bytes are not lost if the buffer is full. The device stores
 * these bytes in the reserve.
 */
static void console_emergency_write_is_not_lost_in_a_full_buffer(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	char text[8] = { 0 };
	int fd;

	(void)state;
	start(&daemon, "");
	console_attach(&guest, &daemon, 0);
	console_output(&guest.rings[TRANSMIT], 0, KEPT);
	await_held(KEPT);
	write_emergency(&guest, "panic");
	await_held(KEPT + 5);
	(void)console_offer_output(&guest.rings[TRANSMIT], KEPT, KEPT + 100);
	fd = console_connect();
	console_expect_output(fd, 0, KEPT);
	assert_int_equal(recv(fd, text, 5, MSG_WAITALL), 5);
	assert_string_equal(text, "panic");
	console_expect_output(fd, KEPT, KEPT + 100);
	console_expect_no_output(fd);
	close(fd);
	/*
	 * If the reserve is full too, emergency bytes replace the oldest bytes, which are counted
	 * as dropped.
	 */
	offer_long(&guest.rings[TRANSMIT], 0, 200000);
	await_held(KEPT);
	pause_device(&daemon, &guest, TABLE);
	await_held(2 * KEPT);
	write_emergency(&guest, "oops");
	fd = console_connect();
	console_expect_output(fd, 4, 2 * KEPT);
	assert_int_equal(recv(fd, text, 4, MSG_WAITALL), 4);
	assert_memory_equal(text, "oops", 4);
	console_expect_output(fd, 2 * KEPT, 200000);
	console_expect_no_output(fd);
	close(fd);
	console_detach(&guest);
	finish(&daemon, 4);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(console_pause_in_the_first_chain_repeats_nothing),
		cmocka_unit_test(console_pause_in_a_long_chain_keeps_its_place),
		cmocka_unit_test(console_output_of_the_next_driver_follows),
		cmocka_unit_test(console_driver_without_multiport_follows_one_with_it),
		cmocka_unit_test(console_chain_goes_on_when_the_control_queue_starts),
		cmocka_unit_test(console_emergency_write_is_not_lost_in_a_full_buffer),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
