/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * --restore with consoles: streams continue. The guest gets a message that the port's client has
 * left.
 */
#include "console_guest.h"

#include "cmocka_includes.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char state_path[128];

/* Runs a daemon with a console in a file, and a port named `port` at a socket. */
static void run(struct daemon_process *daemon, bool restore, const char *port)
{
	char spec[1024];
	const char *const arguments[] = { "--console", spec, "--state", state_path, restore ? "--restore" : NULL,
					  state_path,  NULL };

	snprintf(spec, sizeof spec, "file=%s,socket=%s,port=%s:unix=%s,control=%s/control", daemon->second,
		 daemon->socket, port, console_client_path, daemon->folder);
	daemon_run(daemon, arguments);
}

static void start(struct daemon_process *daemon, struct console_guest *guest)
{
	daemon_folder(daemon);
	console_set_paths(daemon);
	snprintf(state_path, sizeof state_path, "%s/state", daemon->folder);
	run(daemon, false, "data");
	console_await(daemon);
	console_attach(guest, daemon, MULTIPORT);
}

static void move(struct console_guest *guest, const struct daemon_process *daemon)
{
	front_end_move(&guest->fe, daemon->socket);
	front_end_negotiate_type(&guest->fe, MULTIPORT);
	front_end_share_memory(&guest->fe);
	for (unsigned int i = 0; i < guest->count; i++)
		ring_move(&guest->rings[i]);
}

static void restart(struct daemon_process *daemon, enum daemon_end how)
{
	daemon_end(daemon, how);
	run(daemon, true, "data");
	console_await(daemon);
}

static void finish(struct daemon_process *daemon, struct console_guest *guest)
{
	console_detach(guest);
	assert_int_equal(daemon_stop(daemon, SIGTERM), 0);
	assert_int_equal(access(console_client_path, F_OK), -1);
	daemon_remove_folder(daemon);
}

/*
 * The client's connection ends with the old process. The client's data still reaches the guest. The
 * guest keeps its port open, and the next client uses the port.
 */
static void console_restore_tells_that_the_client_has_left(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	int client;

	(void)state;
	for (enum daemon_end how = 0; how < DAEMON_WAYS; how++) {
		start(&daemon, &guest);
		console_set_ports_up(&guest, false);
		client = console_connect();
		console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
		for (unsigned int i = 0; i < 3; i++) {
			console_output(&guest.rings[PORT_TRANSMIT], 0, 1000);
			console_expect_output(client, 0, 1000);
			console_type(client, "to the guest", 12);
			console_output(&guest.rings[TRANSMIT], i * 100, i * 100 + 100);
			/*
			 * The client's input arrives before this message. So when the device has
			 * used the message, the device has also read the input.
			 */
			console_say(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
			restart(&daemon, how);
			close(client);
			/* In round 1 the daemon is also updated before the front end connects. */
			if (i == 1)
				daemon_update(&daemon);
			move(&guest, &daemon);
			console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
			client = console_connect();
			console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
			console_expect_input(&guest.rings[PORT_RECEIVE], "to the guest", 12);
			console_type(client, "more", 4);
			console_expect_input(&guest.rings[PORT_RECEIVE], "more", 4);
		}
		console_expect_no_output(client);
		close(client);
		console_expect_file(daemon.second, 0, 300);
		finish(&daemon, &guest);
	}
}

/* The daemon keeps unread output, and the rest of a chain that the device has read in part. */
static void console_restore_keeps_output_that_nobody_has_read(void **state)
{
	const uint32_t all = KEPT + 20 * PIECE;
	struct daemon_process daemon;
	struct console_guest guest;
	const uint8_t *bytes;
	uint32_t at;
	int client;

	(void)state;
	for (enum daemon_end how = 0; how < DAEMON_WAYS; how++) {
		start(&daemon, &guest);
		console_set_ports_up(&guest, false);
		console_output(&guest.rings[PORT_TRANSMIT], 0, 100);
		at = console_offer_output(&guest.rings[PORT_TRANSMIT], 100, all);
		for (uint32_t i = 100; i + PIECE <= KEPT; i += PIECE)
			assert_int_equal(console_take(&guest.rings[PORT_TRANSMIT], &bytes), 0);
		/*
		 * Restart with a front end, without a front end, and again after the front end has
		 * connected again. Then a client connects before the front end.
		 */
		restart(&daemon, how);
		restart(&daemon, how);
		move(&guest, &daemon);
		restart(&daemon, how);
		client = console_connect();
		console_expect_output(client, 0, KEPT);
		move(&guest, &daemon);
		console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
		console_expect_output(client, KEPT, at);
		while (guest.rings[PORT_TRANSMIT].mock.in_flight > 0)
			assert_int_equal(console_take(&guest.rings[PORT_TRANSMIT], &bytes), 0);
		console_expect_no_output(client);
		close(client);
		finish(&daemon, &guest);
	}
}

/*
 * A new driver gets ports in their initial state, whatever the saved state has for the old driver's
 * ports.
 */
static void console_restore_serves_a_new_driver(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;

	(void)state;
	for (enum daemon_end how = 0; how < DAEMON_WAYS; how++) {
		start(&daemon, &guest);
		console_set_ports_up(&guest, false);
		restart(&daemon, how);
		console_detach(&guest);
		console_attach(&guest, &daemon, MULTIPORT);
		console_set_ports_up(&guest, false);
		console_output(&guest.rings[TRANSMIT], 0, 100);
		restart(&daemon, how);
		console_detach(&guest);
		/* This driver does not negotiate MULTIPORT. */
		console_attach(&guest, &daemon, 0);
		console_output(&guest.rings[TRANSMIT], 100, 200);
		console_expect_file(daemon.second, 0, 200);
		finish(&daemon, &guest);
	}
}

static void expect_answer(const struct daemon_process *daemon, const char *command)
{
	char answer[3];
	int fd;

	snprintf(console_client_path, sizeof console_client_path, "%s/control", daemon->folder);
	fd = console_connect();
	console_set_paths(daemon);
	console_type(fd, command, strlen(command));
	assert_int_equal(recv(fd, answer, sizeof answer, MSG_WAITALL), sizeof answer);
	assert_memory_equal(answer, "ok\n", sizeof answer);
	close(fd);
}

/* A port that the operator has removed stays removed until the operator adds it. */
static void console_restore_keeps_a_removed_port_away(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;

	(void)state;
	for (enum daemon_end how = 0; how < DAEMON_WAYS; how++) {
		start(&daemon, &guest);
		console_set_ports_up(&guest, false);
		expect_answer(&daemon, "remove data\n");
		console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_REMOVE, 0, "");
		restart(&daemon, how);
		assert_int_equal(access(console_client_path, F_OK), -1);
		move(&guest, &daemon);
		console_output(&guest.rings[TRANSMIT], 0, 100);
		expect_answer(&daemon, "add data\n");
		console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_ADD, 0, "");
		assert_int_equal(access(console_client_path, F_OK), 0);
		finish(&daemon, &guest);
	}
}

/*
 * A process that refuses a state must not write the output that the state contains. The next
 * process that restores the state must write the output.
 */
static void console_restore_refuses_a_port_with_another_name(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	char text[4096];
	int client;

	(void)state;
	start(&daemon, &guest);
	console_set_ports_up(&guest, false);
	console_output(&guest.rings[PORT_TRANSMIT], 0, 100);
	daemon_end(&daemon, DAEMON_ENDS);
	run(&daemon, true, "other");
	assert_int_equal(daemon_stop(&daemon, 0), 1);
	daemon_errors(&daemon, text, sizeof text);
	assert_non_null(strstr(text, "port 1 is called \"data\" in the state"));
	assert_non_null(strstr(text, "section vu-port.name, device 0, index 1"));
	assert_int_equal(access(console_client_path, F_OK), -1);
	run(&daemon, true, "data");
	console_await(&daemon);
	client = console_connect();
	console_expect_output(client, 0, 100);
	close(client);
	finish(&daemon, &guest);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(console_restore_tells_that_the_client_has_left),
		cmocka_unit_test(console_restore_keeps_output_that_nobody_has_read),
		cmocka_unit_test(console_restore_serves_a_new_driver),
		cmocka_unit_test(console_restore_keeps_a_removed_port_away),
		cmocka_unit_test(console_restore_refuses_a_port_with_another_name),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
