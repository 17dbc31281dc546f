/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* SIGUSR1 with consoles: the guest and the client on the host do not notice the update. */
#include "console_guest.h"

#include "cmocka_includes.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char state_path[128], program[128];

/* Starts a copy of the daemon from the daemon's folder. */
static void start(struct daemon_process *daemon, const char *backend)
{
	char spec[1024], line[256];
	const char *const arguments[] = { "--console", spec, "--state", state_path, NULL };

	daemon_folder(daemon);
	console_set_paths(daemon);
	snprintf(state_path, sizeof state_path, "%s/state", daemon->folder);
	snprintf(program, sizeof program, "%s/program", daemon->folder);
	daemon_copy_program(program);
	if (strcmp(backend, "pty") == 0)
		snprintf(spec, sizeof spec, "pty,link=%s,socket=%s,port=data:unix=%s", console_link_path,
			 daemon->socket, console_client_path);
	else
		snprintf(spec, sizeof spec, "file=%s,socket=%s,port=data:unix=%s", daemon->second, daemon->socket,
			 console_client_path);
	daemon_run_program(daemon, program, arguments);
	/* Reads the line that names the pty. */
	if (strcmp(backend, "pty") == 0)
		assert_non_null(fgets(line, sizeof line, daemon->out));
	console_await(daemon);
}

static void finish(struct daemon_process *daemon)
{
	unlink(program);
	daemon_finish(daemon);
	assert_int_equal(access(console_link_path, F_OK), -1);
	assert_int_equal(access(console_client_path, F_OK), -1);
}

/* The clients keep the terminal and the socket open, and streams continue in both directions. */
static void console_update_keeps_clients_and_streams(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	unsigned int files;
	int pts, client;

	(void)state;
	start(&daemon, "pty");
	console_attach(&guest, &daemon, MULTIPORT);
	console_set_ports_up(&guest, false);
	pts = console_open_pts(console_link_path);
	client = console_connect();
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	files = daemon_open_files(&daemon);
	for (uint32_t i = 0; i < 5; i++) {
		/* Leave input that waits for the guest, and output that waits for its reader. */
		console_type(client, "to the guest", 12);
		console_type(pts, "keys", 4);
		console_output(&guest.rings[PORT_TRANSMIT], i * 3000, i * 3000 + 1500);
		console_output(&guest.rings[TRANSMIT], i * 1000, i * 1000 + 500);
		daemon_update(&daemon);
		console_output(&guest.rings[PORT_TRANSMIT], i * 3000 + 1500, i * 3000 + 3000);
		console_output(&guest.rings[TRANSMIT], i * 1000 + 500, i * 1000 + 1000);
		console_expect_input(&guest.rings[PORT_RECEIVE], "to the guest", 12);
		console_expect_input(&guest.rings[RECEIVE], "keys", 4);
		console_expect_output(client, i * 3000, i * 3000 + 3000);
		console_expect_output(pts, i * 1000, i * 1000 + 1000);
		assert_int_equal(daemon_open_files(&daemon), files);
	}
	/* The exchange of control messages continues, too. */
	close(client);
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
	daemon_update(&daemon);
	client = console_connect();
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	console_expect_no_output(client);
	console_expect_no_output(pts);
	close(client);
	close(pts);
	console_detach(&guest);
	finish(&daemon);
	assert_non_null(strstr(daemon.summary, ": 80 bytes in, 20000 bytes out, 0 bytes of input dropped, 0 bytes of "
					       "output dropped, 0 faults"));
}

/* An update keeps a transmit chain that waits for room, and the output before this chain. */
static void console_update_keeps_output_that_nobody_has_read(void **state)
{
	const uint32_t all = KEPT + 20 * PIECE;
	struct daemon_process daemon;
	struct console_guest guest;
	const uint8_t *bytes;
	uint32_t at;
	int client;

	(void)state;
	start(&daemon, "file");
	console_attach(&guest, &daemon, MULTIPORT);
	console_set_ports_up(&guest, false);
	console_output(&guest.rings[PORT_TRANSMIT], 0, 100);
	at = console_offer_output(&guest.rings[PORT_TRANSMIT], 100, all);
	for (uint32_t i = 100; i + PIECE <= KEPT; i += PIECE)
		assert_int_equal(console_take(&guest.rings[PORT_TRANSMIT], &bytes), 0);
	for (unsigned int i = 0; i < 3; i++)
		daemon_update(&daemon);
	at = console_offer_output(&guest.rings[PORT_TRANSMIT], at, all);
	daemon_update(&daemon);
	client = console_connect();
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	console_expect_output(client, 0, at);
	while (guest.rings[PORT_TRANSMIT].mock.in_flight > 0)
		assert_int_equal(console_take(&guest.rings[PORT_TRANSMIT], &bytes), 0);
	console_output(&guest.rings[TRANSMIT], 0, 700);
	close(client);
	console_detach(&guest);
	unlink(program);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	console_expect_file(daemon.second, 0, 700);
	daemon_remove_folder(&daemon);
}

/* A client does not read, and leaves before the guest has received the client's data. */
static void console_update_keeps_what_a_client_has_sent(void **state)
{
	static uint8_t bytes[5000];
	struct daemon_process daemon;
	struct console_guest guest;
	int client;

	(void)state;
	start(&daemon, "file");
	console_attach(&guest, &daemon, MULTIPORT);
	console_set_ports_up(&guest, false);
	client = console_connect();
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	assert_int_equal(shutdown(client, SHUT_RD), 0);
	console_output(&guest.rings[PORT_TRANSMIT], 0, 500);
	daemon_update(&daemon);
	console_output(&guest.rings[PORT_TRANSMIT], 500, 1000);
	console_type(client, bytes, sizeof bytes);
	close(client);
	daemon_update(&daemon);
	console_expect_input(&guest.rings[PORT_RECEIVE], bytes, sizeof bytes);
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
	client = console_connect();
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	console_expect_output(client, 0, 1000);
	/* Dropped bytes are counted, and an update keeps the count. */
	console_type(client, bytes, sizeof bytes);
	close(client);
	console_say(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
	daemon_update(&daemon);
	console_detach(&guest);
	unlink(program);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	assert_null(strstr(daemon.summary, " 0 bytes of input dropped"));
	unlink(state_path);
	daemon_remove_folder(&daemon);
}

/*
 * The new program fails after it has opened the console. The old program keeps the socket, the link
 * and the output that waits for a reader.
 */
static void console_update_that_is_refused_loses_nothing(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	char script[1024];
	int pts, client;

	(void)state;
	start(&daemon, "pty");
	console_attach(&guest, &daemon, MULTIPORT);
	console_set_ports_up(&guest, false);
	/* The new program has another number of queues, so the new program refuses the state. */
	snprintf(script, sizeof script,
		 "#!/bin/sh\nexec '%s' --console pty,link=%s,socket=%s,port=data:unix=%s,port=more:pty\n",
		 daemon_program(), console_link_path, daemon.socket, console_client_path);
	for (uint32_t i = 0; i < 3; i++) {
		console_output(&guest.rings[PORT_TRANSMIT], i * 1000, i * 1000 + 500);
		console_output(&guest.rings[TRANSMIT], i * 100, i * 100 + 50);
		daemon_write_script(program, script);
		daemon_update(&daemon);
		daemon_copy_program(program);
		console_output(&guest.rings[PORT_TRANSMIT], i * 1000 + 500, i * 1000 + 1000);
		console_output(&guest.rings[TRANSMIT], i * 100 + 50, i * 100 + 100);
	}
	client = console_connect();
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	pts = console_open_pts(console_link_path);
	console_expect_output(client, 0, 3000);
	console_expect_output(pts, 0, 300);
	console_expect_no_output(client);
	console_expect_no_output(pts);
	close(client);
	close(pts);
	console_detach(&guest);
	finish(&daemon);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(console_update_keeps_clients_and_streams),
		cmocka_unit_test(console_update_keeps_output_that_nobody_has_read),
		cmocka_unit_test(console_update_keeps_what_a_client_has_sent),
		cmocka_unit_test(console_update_that_is_refused_loses_nothing),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
