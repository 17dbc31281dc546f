/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The size of the daemon's console, and the socket for the operator's commands. */
#include "console_guest.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define SIZE FEATURE(VIRTIO_CONSOLE_F_SIZE)

static char control_path[128];

/* The operator */

static int operator_connect(void)
{
	return console_operate(control_path);
}

static void expect_answer(int fd, const char *command, const char *expected)
{
	char text[4096];

	console_command(fd, command, text, sizeof text);
	watchdog_step();
	assert_string_equal(text, expected);
}

/* Makes a folder, and sets the paths of the files that will be in it. */
static void prepare(struct daemon_process *daemon)
{
	daemon_folder(daemon);
	console_set_paths(daemon);
	snprintf(control_path, sizeof control_path, "%s/control", daemon->folder);
}

/* Starts a daemon with a console at a pty, in the folder that prepare() has made. */
static void run_pty(struct daemon_process *daemon, const char *options)
{
	char line[256];

	console_run(daemon, "pty", options);
	assert_non_null(fgets(line, sizeof line, daemon->out));
	console_await(daemon);
}

/* Starts a daemon with a console at a pty, a link to the pty and a socket for commands. */
static void start_pty(struct daemon_process *daemon, const char *options)
{
	char all[400];

	prepare(daemon);
	snprintf(all, sizeof all, ",link=%s,control=%s%s", console_link_path, control_path, options);
	run_pty(daemon, all);
}

/*
 * Starts a daemon with a console in a file, a port "data" at a socket, and a socket for commands.
 */
static void start_port(struct daemon_process *daemon)
{
	char backend[128], options[400];

	prepare(daemon);
	snprintf(backend, sizeof backend, "file=%s", daemon->second);
	snprintf(options, sizeof options, ",control=%s,port=data:unix=%s", control_path, console_client_path);
	console_run(daemon, backend, options);
	console_await(daemon);
}

/* Sizes */

/*
 * Attaches a guest with a single port, and with a channel for the daemon's requests. Returns the
 * front end's end of the channel.
 */
static int attach_with_channel(struct console_guest *guest, const struct daemon_process *daemon)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	guest->count = 2;
	front_end_open(&guest->fe, daemon->socket);
	front_end_negotiate_type(&guest->fe, SIZE);
	assert_int_equal(front_end_ask(&guest->fe, VHOST_USER_SET_BACKEND_REQ_FD, NULL, 0, &ends[1], 1), 0);
	close(ends[1]);
	front_end_share_memory(&guest->fe);
	for (uint16_t i = 0; i < guest->count; i++)
		ring_open(&guest->rings[i], &guest->fe, i);
	return ends[0];
}

static void expect_config_change(int channel)
{
	struct vhost_user_header header;

	assert_int_equal(recv(channel, &header, sizeof header, MSG_WAITALL), sizeof header);
	assert_int_equal(header.request, VHOST_USER_BACKEND_CONFIG_CHANGE_MSG);
}

static void expect_size(struct console_guest *guest, uint16_t cols, uint16_t rows)
{
	struct vhost_user_config access = { .offset = 0, .size = 4 };
	const uint32_t size = offsetof(struct vhost_user_config, data) + 4;

	front_end_send(&guest->fe, VHOST_USER_GET_CONFIG, VHOST_USER_FLAG_VERSION, &access, size, NULL, 0);
	assert_int_equal(front_end_reply(&guest->fe, VHOST_USER_GET_CONFIG, &access, sizeof access), size);
	assert_int_equal(virtio_get_le16(access.data), cols);
	assert_int_equal(virtio_get_le16(access.data + 2), rows);
}

static void expect_pty_size(int fd, uint16_t cols, uint16_t rows)
{
	struct winsize size;

	assert_int_equal(ioctl(fd, TIOCGWINSZ, &size), 0);
	assert_int_equal(size.ws_col, cols);
	assert_int_equal(size.ws_row, rows);
}

/* The guest and the pty get the same size, whoever changes the size. */
static void console_size_follows_the_operator_and_the_pty(void **state)
{
	struct winsize other = { .ws_col = 90, .ws_row = 40 };
	struct daemon_process daemon;
	struct console_guest guest;
	int channel, fd, commands;

	(void)state;
	start_pty(&daemon, ",size=100x30");
	fd = console_open_pts(console_link_path);
	expect_pty_size(fd, 100, 30);
	/*
	 * When a driver starts, the device reports a change, because Linux reads the size only
	 * after a change.
	 */
	channel = attach_with_channel(&guest, &daemon);
	expect_config_change(channel);
	expect_size(&guest, 100, 30);
	commands = operator_connect();
	expect_answer(commands, "size 132x50\n", "ok\n");
	expect_config_change(channel);
	expect_size(&guest, 132, 50);
	expect_pty_size(fd, 132, 50);
	expect_answer(commands, "size 132\n", "error: not COLSxROWS, 1x1 to 65535x65535\n");
	expect_answer(commands, "size 0x50\n", "error: not COLSxROWS, 1x1 to 65535x65535\n");
	expect_answer(commands, "size 70000x50\n", "error: not COLSxROWS, 1x1 to 65535x65535\n");
	expect_size(&guest, 132, 50);
	/*
	 * A program changes the size of the pty. The daemon notices the new size at the program's
	 * next input, or after SIGHUP.
	 */
	assert_int_equal(ioctl(fd, TIOCSWINSZ, &other), 0);
	console_type(fd, "x", 1);
	expect_config_change(channel);
	expect_size(&guest, 90, 40);
	other.ws_col = 65535;
	assert_int_equal(ioctl(fd, TIOCSWINSZ, &other), 0);
	assert_int_equal(kill(daemon.pid, SIGHUP), 0);
	expect_config_change(channel);
	expect_size(&guest, 65535, 40);
	close(commands);
	close(fd);
	close(channel);
	console_detach(&guest);
	daemon_finish(&daemon);
}

/*
 * A pty starts without a size. When its user sets a size, the guest learns the size without a
 * command of the operator.
 */
static void console_size_of_a_pty_follows_its_user(void **state)
{
	const struct winsize size = { .ws_col = 90, .ws_row = 40 };
	struct daemon_process daemon;
	struct console_guest guest;
	char options[256];
	int channel, fd;

	(void)state;
	prepare(&daemon);
	snprintf(options, sizeof options, ",link=%s", console_link_path);
	run_pty(&daemon, options);
	channel = attach_with_channel(&guest, &daemon);
	expect_size(&guest, 0, 0);
	fd = console_open_pts(console_link_path);
	assert_int_equal(ioctl(fd, TIOCSWINSZ, &size), 0);
	console_type(fd, "x", 1);
	expect_config_change(channel);
	expect_size(&guest, 90, 40);
	close(fd);
	close(channel);
	console_detach(&guest);
	daemon_finish(&daemon);
}

/*
 * Under MULTIPORT the device sends the size in a message after OPEN. If the size has changed
 * several times, the device sends only the last size.
 */
static void console_size_is_a_message_under_multiport(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	int commands;

	(void)state;
	start_pty(&daemon, ",size=300x30,multiport=on");
	console_attach_alone(&guest, &daemon, MULTIPORT | SIZE);
	console_say(&guest, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	console_hear(&guest, 0, VIRTIO_CONSOLE_PORT_ADD, 0, "");
	commands = operator_connect();
	/* The device sends no size before PORT_READY. */
	expect_answer(commands, "size 301x31\n", "ok\n");
	console_say(&guest, 0, VIRTIO_CONSOLE_PORT_READY, 1);
	console_hear(&guest, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1, "");
	console_hear(&guest, 0, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	console_hear_size(&guest, 301, 31);
	expect_answer(commands, "size 302x32\n", "ok\n");
	expect_answer(commands, "size 303x33\n", "ok\n");
	console_hear_size(&guest, 303, 33);
	close(commands);
	console_detach(&guest);
	daemon_finish(&daemon);
}

/* Ports */

/* Checks that the daemon removes its sockets. The test removes the console's file. */
static void finish_port(struct daemon_process *daemon)
{
	assert_int_equal(daemon_stop(daemon, SIGTERM), 0);
	assert_int_equal(access(control_path, F_OK), -1);
	assert_int_equal(access(console_client_path, F_OK), -1);
	daemon_remove_folder(daemon);
}

/*
 * The client does not read and the guest offers no buffer, so data waits in both directions. The
 * operator can still remove the port. The driver's transmit buffers are completed. When the
 * operator adds the port again, the port has no old bytes.
 */
static void console_port_goes_and_comes_with_data_in_flight(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	struct ring *transmit = &guest.rings[PORT_TRANSMIT];
	const uint8_t *bytes;
	int fd, commands;
	char c;

	(void)state;
	start_port(&daemon);
	console_attach(&guest, &daemon, MULTIPORT);
	console_set_ports_up(&guest, false);
	/*
	 * No client is connected. The guest sends more output than the daemon keeps, so the last
	 * chains stay in flight.
	 */
	for (uint32_t at = 0; at < KEPT; at += PIECE)
		console_output(transmit, at, at + PIECE);
	(void)console_offer_output(transmit, KEPT, KEPT + 4 * PIECE);
	commands = operator_connect();
	fd = console_connect();
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	console_type(fd, "never read", 10);
	do
		watchdog_step();
	while (recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) != 1);
	expect_answer(commands, "remove data\n", "ok\n");
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_REMOVE, 0, "");
	while (transmit->mock.in_flight > 0)
		assert_int_equal(console_take(transmit, &bytes), 0);
	assert_int_equal(access(console_client_path, F_OK), -1);
	close(fd);
	expect_answer(commands, "remove data\n", "error: the port is unplugged\n");
	/* Chains for a removed port are completed. */
	console_output(transmit, 0, 2000);
	expect_answer(commands, "add data\n", "ok\n");
	expect_answer(commands, "add data\n", "error: the port is plugged in already\n");
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_ADD, 0, "");
	fd = console_connect();
	console_say(&guest, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_NAME, 0, "data");
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	console_say(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	console_output(transmit, 5000, 8000);
	console_expect_output(fd, 5000, 8000);
	console_expect_no_output(fd);
	console_type(fd, "new", 3);
	console_expect_input(&guest.rings[PORT_RECEIVE], "new", 3);
	close(fd);
	close(commands);
	console_detach(&guest);
	finish_port(&daemon);
}

/*
 * Hostile 145: the port is removed and added again before the guest knows of the removal. Output
 * and messages that the guest sends for the old port do not reach the new port's client, and do not
 * open the new port.
 */
static void console_port_that_comes_again_has_nothing_of_the_old_one(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	struct ring *transmit = &guest.rings[PORT_TRANSMIT];
	const uint8_t *bytes;
	int fd, commands;

	(void)state;
	start_port(&daemon);
	console_attach(&guest, &daemon, MULTIPORT);
	console_set_ports_up(&guest, false);
	commands = operator_connect();
	/* The ring is stopped, so the device does not pop the next chains yet. */
	(void)ring_stop(transmit);
	(void)console_offer_output(transmit, 0, 4 * PIECE);
	console_type(commands, "remove data\nadd data\n", 21);
	expect_answer(commands, "", "ok\n");
	expect_answer(commands, "", "ok\n");
	fd = console_connect();
	ring_start(transmit, 0);
	while (transmit->mock.in_flight > 0)
		assert_int_equal(console_take(transmit, &bytes), 0);
	console_say(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_REMOVE, 0, "");
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_ADD, 0, "");
	console_say(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	console_output(transmit, 0, 2000);
	console_type(fd, "new", 3);
	console_say(&guest, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_NAME, 0, "data");
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	assert_true(console_offer(&guest.rings[PORT_RECEIVE], NULL, 64));
	daemon_await_sleep(&daemon, "console ");
	assert_int_equal(guest.rings[PORT_RECEIVE].mock.in_flight, 1);
	console_say(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(console_take(&guest.rings[PORT_RECEIVE], &bytes), 3);
	assert_memory_equal(bytes, "new", 3);
	console_output(transmit, 5000, 8000);
	console_expect_output(fd, 5000, 8000);
	console_expect_no_output(fd);
	close(fd);
	close(commands);
	console_detach(&guest);
	finish_port(&daemon);
}

/*
 * Input waits while the guest keeps the port closed. The available receive buffers must not make a
 * thread spin.
 */
static void console_port_that_is_closed_keeps_no_thread_busy(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	char text[1024];
	int fd, commands;

	(void)state;
	start_port(&daemon);
	console_attach(&guest, &daemon, MULTIPORT);
	console_set_ports_up(&guest, false);
	console_say(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
	for (int i = 0; i < 8; i++)
		assert_true(console_offer(&guest.rings[PORT_RECEIVE], NULL, 64));
	fd = console_connect();
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	console_type(fd, "waits\n", 6);
	commands = operator_connect();
	do
		console_command(commands, "stats\n", text, sizeof text);
	while (!strstr(text, "waits."));
	daemon_await_sleep(&daemon, "console ");
	/* A kick does not make the thread spin either. */
	assert_int_equal(ring_kick(&guest.rings[PORT_RECEIVE]), 0);
	console_command(commands, "stats\n", text, sizeof text);
	daemon_await_sleep(&daemon, "console ");
	console_say(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	console_expect_input(&guest.rings[PORT_RECEIVE], "waits\n", 6);
	close(fd);
	close(commands);
	console_detach(&guest);
	finish_port(&daemon);
}

/*
 * Ports are added and removed also without a guest. If a folder is at the path of the port's
 * socket, adding the port fails, and the port stays removed.
 */
static void console_port_that_cannot_be_added_stays_away(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	int commands;

	(void)state;
	start_port(&daemon);
	commands = operator_connect();
	expect_answer(commands, "remove data\n", "ok\n");
	assert_int_equal(mkdir(console_client_path, 0700), 0);
	expect_answer(commands, "add data\n", "error: its backend can't be opened, see stderr\n");
	assert_int_equal(rmdir(console_client_path), 0);
	console_attach(&guest, &daemon, MULTIPORT);
	console_say(&guest, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	console_hear(&guest, 0, VIRTIO_CONSOLE_PORT_ADD, 0, "");
	expect_answer(commands, "add data\n", "ok\n");
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_ADD, 0, "");
	console_detach(&guest);
	close(commands);
	finish_port(&daemon);
}

static void console_stats_say_what_a_port_has_done(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	int fd, commands;
	char text[4096];

	(void)state;
	start_port(&daemon);
	console_attach(&guest, &daemon, MULTIPORT);
	console_set_ports_up(&guest, false);
	fd = console_connect();
	console_hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	console_output(&guest.rings[PORT_TRANSMIT], 0, 3000);
	console_expect_output(fd, 0, 3000);
	console_type(fd, "in", 2);
	console_expect_input(&guest.rings[PORT_RECEIVE], "in", 2);
	console_type(fd, "waits\n", 6);
	commands = operator_connect();
	do {
		console_command(commands, "stats\n", text, sizeof text);
	} while (!strstr(text, "waits."));
	assert_string_equal(
		text, "console: there, 0 bytes in, 0 bytes out, 0 of input dropped, 0 of output dropped, 0 faults, "
		      "waiting for the guest 0 of 4096 \"\", for the host 0\n"
		      "data: there, 2 bytes in, 3000 bytes out, 0 of input dropped, 0 of output dropped, 0 faults, "
		      "waiting for the guest 6 of 4096 \"waits.\", for the host 0\nok\n");
	expect_answer(commands, "remove data\n", "ok\n");
	console_command(commands, "stats\n", text, sizeof text);
	assert_non_null(strstr(text, "data: removed, 2 bytes in, 3000 bytes out, 6 of input dropped, "));
	close(fd);
	close(commands);
	console_detach(&guest);
	finish_port(&daemon);
}

/* Commands */

static void console_commands_that_are_wrong_are_refused(void **state)
{
	struct daemon_process daemon;
	int commands, second;
	char text[4096], line[600];

	(void)state;
	start_port(&daemon);
	commands = operator_connect();
	expect_answer(commands, "\n", "error: unknown command: add, remove, size or stats\n");
	expect_answer(commands, "eject data\n", "error: unknown command: add, remove, size or stats\n");
	expect_answer(commands, "remove\n", "error: no such port\n");
	expect_answer(commands, "remove dat\n", "error: no such port\n");
	expect_answer(commands, "remove data now\n", "error: no such port\n");
	expect_answer(commands, "add x\n", "error: no such port on the command line\n");
	expect_answer(commands, "stats all\n", "error: stats has no argument\n");
	second = operator_connect();
	console_read_answer(second, text, sizeof text);
	assert_string_equal(text, "error: another client is connected\n");
	assert_int_equal(read(second, text, 1), 0);
	close(second);
	/*
	 * Send a command in two pieces, then two commands at once. Close the connection without
	 * waiting for the answers to the two commands.
	 */
	console_type(commands, "size 80", 7);
	expect_answer(commands, "x25\n", "ok\n");
	console_type(commands, "remove data\nadd data\n", 21);
	close(commands);
	commands = operator_connect();
	expect_answer(commands, "add data\n", "error: the port is plugged in already\n");
	memset(line, 'x', sizeof line);
	console_type(commands, line, sizeof line);
	console_read_answer(commands, text, sizeof text);
	assert_string_equal(text, "error: a line of more than 512 bytes\n");
	close(commands);
	commands = operator_connect();
	expect_answer(commands, "size 80x25\n", "ok\n");
	close(commands);
	finish_port(&daemon);
}

static void console_control_file_has_mode_and_group(void **state)
{
	struct daemon_process daemon;
	char options[256];
	struct stat st;

	(void)state;
	prepare(&daemon);
	snprintf(options, sizeof options, ",control=%s,mode=600,group=%u", control_path, (unsigned int)getegid());
	console_run(&daemon, "tty", options);
	console_await(&daemon);
	assert_int_equal(stat(control_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_gid, getegid());
	daemon_finish(&daemon);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(console_size_follows_the_operator_and_the_pty),
		cmocka_unit_test(console_size_of_a_pty_follows_its_user),
		cmocka_unit_test(console_size_is_a_message_under_multiport),
		cmocka_unit_test(console_port_goes_and_comes_with_data_in_flight),
		cmocka_unit_test(console_port_that_comes_again_has_nothing_of_the_old_one),
		cmocka_unit_test(console_port_that_is_closed_keeps_no_thread_busy),
		cmocka_unit_test(console_port_that_cannot_be_added_stays_away),
		cmocka_unit_test(console_stats_say_what_a_port_has_done),
		cmocka_unit_test(console_commands_that_are_wrong_are_refused),
		cmocka_unit_test(console_control_file_has_mode_and_group),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
