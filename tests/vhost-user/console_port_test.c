/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The ports of the daemon's console, and their control messages. */
#include "console_guest.h"

#include "cmocka_includes.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * The guest gets the port's name, and a message when a client connects or leaves. Bytes pass both
 * ways.
 */
static void console_port_follows_its_client(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	int fd;

	(void)state;
	console_start_socket(&daemon, true);
	console_attach(&guest, &daemon, MULTIPORT | FEATURE(VIRTIO_CONSOLE_F_SIZE));
	console_set_ports_up(&guest, false);
	fd = console_connect();
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	console_type(fd, "to the guest", 12);
	console_expect_input(&guest.rings[PORT_RECEIVE], "to the guest", 12);
	console_output(&guest.rings[PORT_TRANSMIT], 0, 3000);
	console_expect_output(fd, 0, 3000);
	close(fd);
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
	/* The daemon writes the console's output to the file. */
	console_output(&guest.rings[TRANSMIT], 0, 100);
	console_detach(&guest);
	/*
	 * A second driver connects, and starts with ports in their initial state. A client is
	 * connected already.
	 */
	fd = console_connect();
	console_attach(&guest, &daemon, MULTIPORT);
	console_set_ports_up(&guest, true);
	close(fd);
	console_detach(&guest);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	console_expect_file(daemon.second, 0, 100);
	daemon_remove_folder(&daemon);
}

/* A client shuts down its sending direction, still gets the answer, and leaves later. */
static void console_port_client_that_has_sent_all_gets_the_answer(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	uint8_t byte;
	int fd;

	(void)state;
	console_start_socket(&daemon, true);
	fd = console_connect();
	console_type(fd, "question", 8);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	console_attach(&guest, &daemon, MULTIPORT);
	console_set_ports_up(&guest, true);
	console_expect_input(&guest.rings[PORT_RECEIVE], "question", 8);
	console_output(&guest.rings[PORT_TRANSMIT], 0, 3000);
	console_expect_output(fd, 0, 3000);
	close(fd);
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
	/* The next client can send. When this client leaves, the device notices at once. */
	fd = console_connect();
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	console_type(fd, "next", 4);
	console_expect_input(&guest.rings[PORT_RECEIVE], "next", 4);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	console_output(&guest.rings[PORT_TRANSMIT], 3000, 3001);
	assert_int_equal(read(fd, &byte, 1), 1);
	close(fd);
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
	console_detach(&guest);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	assert_non_null(strstr(daemon.summary, " 0 bytes of input dropped"));
	daemon_remove_folder(&daemon);
}

/*
 * Checks that the guest's chains wait as long as no client reads, also if the device pauses in the
 * middle of a chain. Then a client gets every byte once, in order. `ring` must be a transmit queue
 * that had no chain before.
 */
static void expect_throttled(struct ring *ring)
{
	const uint32_t all = 3 * KEPT + 1000;
	const uint8_t *bytes;
	uint32_t at;
	int fd;

	/*
	 * The first buffer has another length, so that the daemon's buffer becomes full in the
	 * middle of a chain.
	 */
	console_output(ring, 0, 100);
	at = console_offer_output(ring, 100, all);
	for (uint32_t i = 100; i + PIECE <= KEPT; i += PIECE)
		assert_int_equal(console_take(ring, &bytes), 0);
	for (unsigned int pause = 0; pause < 3; pause++)
		ring_start(ring, ring_stop(ring));
	at = console_offer_output(ring, at, all);
	for (unsigned int pause = 0; pause < 3; pause++)
		ring_start(ring, ring_stop(ring));
	assert_true(ring->mock.in_flight > 0);
	fd = console_connect();
	for (uint32_t seen = 0; seen < all;) {
		const uint32_t next = all - seen < 5000 ? all : seen + 5000;

		while (at < all && ring->mock.in_flight > 0 && at - seen < KEPT) {
			assert_int_equal(console_take(ring, &bytes), 0);
			at = console_offer_output(ring, at, all);
		}
		console_expect_output(fd, seen, next);
		seen = next;
	}
	console_expect_no_output(fd);
	close(fd);
}

static void console_port_throttles_and_loses_nothing(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;

	(void)state;
	console_start_socket(&daemon, true);
	console_attach(&guest, &daemon, MULTIPORT);
	console_set_ports_up(&guest, false);
	expect_throttled(&guest.rings[PORT_TRANSMIT]);
	console_detach(&guest);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	assert_non_null(strstr(daemon.summary, " 0 bytes of output dropped"));
	daemon_remove_folder(&daemon);
}

/* With full=wait the console's chains wait for a reader, as the chains of other ports do. */
static void console_that_waits_drops_nothing(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	char backend[160];

	(void)state;
	daemon_folder(&daemon);
	console_set_paths(&daemon);
	snprintf(backend, sizeof backend, "unix=%s", console_client_path);
	console_run(&daemon, backend, ",full=wait");
	console_await(&daemon);
	console_attach(&guest, &daemon, 0);
	expect_throttled(&guest.rings[TRANSMIT]);
	console_detach(&guest);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, " 0 bytes of output dropped"));
}

/* A guest boots again behind the same front end. All queues start at index 0 again. */
static void console_ports_come_up_again_after_a_reset_of_the_guest(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;

	(void)state;
	console_start_socket(&daemon, true);
	console_attach(&guest, &daemon, MULTIPORT);
	for (unsigned int boot = 0; boot < 3; boot++) {
		console_set_ports_up(&guest, false);
		console_output(&guest.rings[PORT_TRANSMIT], boot * 10, boot * 10 + 10);
		for (uint16_t i = 0; i < QUEUES; i++)
			(void)ring_stop(&guest.rings[i]);
		for (uint16_t i = 0; i < QUEUES; i++) {
			assert_int_equal(virtio_mock_reset(&guest.rings[i].mock), 0);
			ring_start(&guest.rings[i], 0);
		}
	}
	console_set_ports_up(&guest, false);
	console_detach(&guest);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	daemon_remove_folder(&daemon);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(console_port_follows_its_client),
		cmocka_unit_test(console_port_client_that_has_sent_all_gets_the_answer),
		cmocka_unit_test(console_port_throttles_and_loses_nothing),
		cmocka_unit_test(console_that_waits_drops_nothing),
		cmocka_unit_test(console_ports_come_up_again_after_a_reset_of_the_guest),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
