/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Clients of a console port leave, or shut down one direction of their socket, while data is in
 * transit.
 */
#include "console_guest.h"

#include "cmocka_includes.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CAPACITY 4096u /* size of a port's input buffer */

static void type_stream(int fd, uint32_t from, uint32_t to)
{
	uint8_t bytes[CAPACITY];

	while (from < to) {
		const uint32_t len = to - from < sizeof bytes ? to - from : sizeof bytes;

		for (uint32_t i = 0; i < len; i++)
			bytes[i] = console_byte(from + i);
		console_type(fd, bytes, len);
		from += len;
	}
}

static void expect_stream(struct ring *ring, uint32_t from, uint32_t to)
{
	uint8_t bytes[CAPACITY];

	while (from < to) {
		const uint32_t len = to - from < sizeof bytes ? to - from : sizeof bytes;

		for (uint32_t i = 0; i < len; i++)
			bytes[i] = console_byte(from + i);
		console_expect_input(ring, bytes, len);
		from += len;
	}
}

/*
 * Starts a daemon, attaches a guest whose port "data" is open, and connects a client to the port.
 * Returns the client's socket.
 */
static int start(struct daemon_process *daemon, struct console_guest *guest)
{
	int fd;

	console_start_socket(daemon, true);
	console_attach(guest, daemon, MULTIPORT);
	console_set_ports_up(guest, false);
	fd = console_connect();
	console_hear(guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	return fd;
}

static void finish(struct daemon_process *daemon, struct console_guest *guest, uint32_t dropped)
{
	char words[64];

	console_detach(guest);
	assert_int_equal(daemon_stop(daemon, SIGTERM), 0);
	snprintf(words, sizeof words, " %u bytes of input dropped", dropped);
	if (!strstr(daemon->summary, words))
		fail_msg("\"%s\" lacks \"%s\"", daemon->summary, words);
	daemon_remove_folder(daemon);
}

/*
 * The client leaves without waiting for a slow guest. The guest gets all data of the client first,
 * and then the message that the client has left.
 */
static void client_that_left_is_delivered_to_its_last_byte(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	char text[256];
	int fd;

	(void)state;
	fd = start(&daemon, &guest);
	for (uint32_t round = 0; round < 3; round++) {
		const uint32_t end = round == 0 ? 100 : 5 * CAPACITY + 100;

		type_stream(fd, 0, end);
		close(fd);
		expect_stream(&guest.rings[PORT_RECEIVE], 0, end);
		console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
		fd = console_connect();
		console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	}
	close(fd);
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
	assert_int_equal(daemon_errors(&daemon, text, sizeof text), 0);
	finish(&daemon, &guest, 0);
}

/*
 * Another client connects at once. The guest has buffers for the data of both clients, and gets the
 * first client's data first.
 */
static void client_that_left_is_delivered_before_the_next_client(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	const uint8_t *bytes;
	uint32_t at = 0;
	int fd;

	(void)state;
	fd = start(&daemon, &guest);
	for (unsigned int i = 0; i < 64; i++)
		assert_true(console_offer(&guest.rings[PORT_RECEIVE], NULL, 512));
	type_stream(fd, 0, 5 * CAPACITY);
	close(fd);
	fd = console_connect();
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	while (at < 5 * CAPACITY) {
		const uint32_t len = console_take(&guest.rings[PORT_RECEIVE], &bytes);

		for (uint32_t i = 0; i < len; i++)
			assert_int_equal(bytes[i], console_byte(at++));
	}
	console_type(fd, "next", 4);
	assert_int_equal(console_take(&guest.rings[PORT_RECEIVE], &bytes), 4);
	assert_memory_equal(bytes, "next", 4);
	close(fd);
	finish(&daemon, &guest, 0);
}

/*
 * The next client connects and waits while the guest offers no buffers. The guest has one second to
 * receive the previous client's data. A busy machine may miss this limit, so the test tries again.
 */
static void client_waits_for_the_input_of_the_last_one(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	const uint8_t *bytes;
	unsigned int delivered = 0;
	int fd;

	(void)state;
	fd = start(&daemon, &guest);
	for (unsigned int i = 0; i < 100 && delivered < 3; i++) {
		console_type(fd, "last", 4);
		close(fd);
		fd = console_connect();
		console_type(fd, "next", 4);
		assert_true(console_offer(&guest.rings[PORT_RECEIVE], NULL, 64));
		console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
		console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
		assert_int_equal(console_take(&guest.rings[PORT_RECEIVE], &bytes), 4);
		if (memcmp(bytes, "last", 4) == 0) {
			delivered++;
			console_expect_input(&guest.rings[PORT_RECEIVE], "next", 4);
		} else {
			assert_memory_equal(bytes, "next", 4);
		}
	}
	assert_int_equal(delivered, 3);
	close(fd);
	console_detach(&guest);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	daemon_remove_folder(&daemon);
}

/* The guest offers no buffers. After a second the daemon serves the next client. */
static void client_does_not_wait_for_ever(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	int fd;

	(void)state;
	fd = start(&daemon, &guest);
	type_stream(fd, 0, CAPACITY + 904);
	close(fd);
	fd = console_connect();
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	console_type(fd, "next", 4);
	console_expect_input(&guest.rings[PORT_RECEIVE], "next", 4);
	daemon_await_error(&daemon, "client: a client has left, and 5000 bytes of its input are dropped");
	close(fd);
	finish(&daemon, &guest, CAPACITY + 904);
}

/* The guest offers no buffers. Then the guest closes the port, or the front end disconnects. */
static void client_that_left_is_dropped_when_the_guest_stops(void **state)
{
	const uint32_t lengths[] = { 10, CAPACITY + 904 };
	uint32_t dropped = 0;
	char words[96];

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		const uint32_t len = lengths[i % 2];
		struct daemon_process daemon;
		struct console_guest guest;
		int fd = start(&daemon, &guest);

		type_stream(fd, 0, len);
		close(fd);
		snprintf(words, sizeof words, "client: a client has left, and %u bytes of its input are dropped", len);
		if (i < 2) {
			console_say(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
			console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
			daemon_await_error(&daemon, words);
			/*
			 * When the guest opens the port, the guest gets only the next client's
			 * input.
			 */
			fd = console_connect();
			console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
			console_type(fd, "new", 3);
			console_say(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
			console_expect_input(&guest.rings[PORT_RECEIVE], "new", 3);
			close(fd);
		} else {
			console_detach(&guest);
			daemon_await_error(&daemon, words);
			console_attach(&guest, &daemon, MULTIPORT);
			console_set_ports_up(&guest, false);
		}
		dropped = len;
		finish(&daemon, &guest, dropped);
	}
}

/*
 * A client has shut down its receiving direction. The device still reads the client's data, and
 * keeps output for the next client.
 */
static void client_that_shut_down_its_input_still_sends(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	int fd;

	(void)state;
	fd = start(&daemon, &guest);
	assert_int_equal(shutdown(fd, SHUT_RD), 0);
	console_output(&guest.rings[PORT_TRANSMIT], 0, 1000);
	console_type(fd, "still here", 10);
	console_expect_input(&guest.rings[PORT_RECEIVE], "still here", 10);
	console_output(&guest.rings[PORT_TRANSMIT], 1000, 2000);
	console_type(fd, "and now I go", 12);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	console_expect_input(&guest.rings[PORT_RECEIVE], "and now I go", 12);
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
	close(fd);
	fd = console_connect();
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	console_expect_output(fd, 0, 2000);
	close(fd);
	finish(&daemon, &guest, 0);
}

/*
 * The client has left, so a write of output fails. The device still delivers the data that the
 * client sent.
 */
static void client_that_left_is_delivered_after_output_fails(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	int fd;

	(void)state;
	fd = start(&daemon, &guest);
	type_stream(fd, 0, CAPACITY + 904);
	close(fd);
	console_output(&guest.rings[PORT_TRANSMIT], 0, 1000);
	expect_stream(&guest.rings[PORT_RECEIVE], 0, CAPACITY + 904);
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
	fd = console_connect();
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	console_expect_output(fd, 0, 1000);
	close(fd);
	finish(&daemon, &guest, 0);
}

/*
 * More clients connect than the daemon accepts in a turn, and more than the socket's backlog holds.
 */
static void clients_that_come_together_are_all_answered(void **state)
{
	static const char busy[] = "The console has another client.\r\n";
	struct daemon_process daemon;
	struct console_guest guest;
	int fd, others[100];
	char text[sizeof busy];

	(void)state;
	fd = start(&daemon, &guest);
	for (unsigned int i = 0; i < 100; i++)
		others[i] = console_connect();
	for (unsigned int i = 0; i < 100; i++) {
		assert_int_equal(recv(others[i], text, sizeof busy - 1, MSG_WAITALL), sizeof busy - 1);
		assert_memory_equal(text, busy, sizeof busy - 1);
		close(others[i]);
	}
	console_type(fd, "first", 5);
	console_expect_input(&guest.rings[PORT_RECEIVE], "first", 5);
	close(fd);
	finish(&daemon, &guest, 0);
}

static void limit_descriptors(const struct daemon_process *daemon, rlim_t count)
{
	struct rlimit limit;

	assert_int_equal(prlimit(daemon->pid, RLIMIT_NOFILE, NULL, &limit), 0);
	limit.rlim_cur = count ? count : limit.rlim_max;
	assert_int_equal(prlimit(daemon->pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

/*
 * When a client connects, the daemon has used up its file descriptors. The daemon tries again once
 * a second, and prints each failure. It serves the client when descriptors are available again.
 */
static void client_is_served_when_there_are_descriptors_again(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	struct timespec begun, now;
	unsigned int lines;
	char text[4096];
	int fd;

	(void)state;
	fd = start(&daemon, &guest);
	close(fd);
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
	limit_descriptors(&daemon, 3);
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &begun), 0);
	fd = console_connect();
	daemon_await_error(&daemon, "client: can't accept a client: Too many open files");
	usleep(100000);
	lines = daemon_errors(&daemon, text, sizeof text);
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	/* One failure at the start, and one in each second. A second may be counted twice. */
	assert_true(lines <= now.tv_sec - begun.tv_sec + 3);
	limit_descriptors(&daemon, 0);
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	console_type(fd, "late", 4);
	console_expect_input(&guest.rings[PORT_RECEIVE], "late", 4);
	close(fd);
	finish(&daemon, &guest, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_that_left_is_delivered_to_its_last_byte),
		cmocka_unit_test(client_that_left_is_delivered_before_the_next_client),
		cmocka_unit_test(client_waits_for_the_input_of_the_last_one),
		cmocka_unit_test(client_does_not_wait_for_ever),
		cmocka_unit_test(client_that_left_is_dropped_when_the_guest_stops),
		cmocka_unit_test(client_that_shut_down_its_input_still_sends),
		cmocka_unit_test(client_that_left_is_delivered_after_output_fails),
		cmocka_unit_test(clients_that_come_together_are_all_answered),
		cmocka_unit_test(client_is_served_when_there_are_descriptors_again),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
