/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The daemon's console: pseudo-terminals, sockets and files. The driver is the test's own. */
#include "console_guest.h"

#include "cmocka_includes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

static char pts[64];

static void start_pty(struct daemon_process *daemon, const char *options)
{
	char line[256], prefix[128], all[256];
	size_t len;

	snprintf(all, sizeof all, ",link=%s%s", console_link_path, options);
	console_run(daemon, "pty", all);
	snprintf(prefix, sizeof prefix, "console %s: ", daemon->socket);
	assert_non_null(fgets(line, sizeof line, daemon->out));
	len = strlen(prefix);
	assert_memory_equal(line, prefix, len);
	line[strcspn(line, "\n")] = '\0';
	snprintf(pts, sizeof pts, "%.60s", line + len);
	console_await(daemon);
}

/* Expects that the device refuses a second client with a message. */
static void expect_busy(void)
{
	static const char busy[] = "The console has another client.\r\n";
	const int fd = console_connect();
	char text[sizeof busy];

	assert_int_equal(recv(fd, text, sizeof busy - 1, MSG_WAITALL), sizeof busy - 1);
	assert_memory_equal(text, busy, sizeof busy - 1);
	assert_int_equal(read(fd, text, sizeof text), 0);
	close(fd);
}

/*
 * Every byte value passes, from the first byte on, because the terminal is raw before any program
 * opens the terminal.
 */
static void console_pty_passes_every_byte_both_ways(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	uint8_t all[256];
	int fd;

	(void)state;
	for (unsigned int i = 0; i < sizeof all; i++)
		all[i] = (uint8_t)i;
	daemon_folder(&daemon);
	console_set_paths(&daemon);
	start_pty(&daemon, "");
	console_attach(&guest, &daemon, 0);
	fd = console_open_pts(pts);
	console_type(fd, all, sizeof all);
	console_expect_input(&guest.rings[RECEIVE], all, sizeof all);
	console_output(&guest.rings[TRANSMIT], 0, 1000);
	console_expect_output(fd, 0, 1000);
	/* A single keystroke reaches the guest at once. */
	console_type(fd, "x", 1);
	console_expect_input(&guest.rings[RECEIVE], "x", 1);
	console_expect_no_output(fd);
	close(fd);
	console_detach(&guest);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, ": 257 bytes in, 1000 bytes out, 0 bytes of input dropped, 0 bytes of "
					       "output dropped, 0 faults"));
}

/* Output waits for a reader, and input waits for a guest. Readers and guests connect and leave. */
static void console_pty_keeps_output_and_input_while_nobody_is_there(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	int fd;

	(void)state;
	daemon_folder(&daemon);
	console_set_paths(&daemon);
	start_pty(&daemon, "");
	for (uint32_t round = 0; round < 3; round++) {
		console_attach(&guest, &daemon, 0);
		console_output(&guest.rings[TRANSMIT], 0, 50000);
		fd = console_open_pts(console_link_path);
		console_expect_output(fd, 0, 20000);
		close(fd);
		fd = console_open_pts(console_link_path);
		console_expect_output(fd, 20000, 50000);
		console_detach(&guest);
		console_type(fd, "hello", 5);
		console_attach(&guest, &daemon, 0);
		console_expect_input(&guest.rings[RECEIVE], "hello", 5);
		close(fd);
		console_detach(&guest);
	}
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, " 0 bytes of output dropped, 0 faults"));
	assert_int_equal(access(console_link_path, F_OK), -1);
}

/*
 * Hangs up the terminal for all its users, as login does. Returns false if this is not permitted.
 */
static bool hang_up(void)
{
	const int fd = console_open_pts(pts);
	const bool done = ioctl(fd, TIOCVHANGUP) == 0;

	if (!done)
		print_message("no right to hang a terminal up: %s\n", strerror(errno));
	close(fd);
	return done;
}

/* Opens the terminal when the daemon has made it raw again. */
static int open_raw(void)
{
	struct termios settings;
	int fd;

	for (;;) {
		usleep(1000);
		fd = console_open_pts(console_link_path);
		assert_int_equal(tcgetattr(fd, &settings), 0);
		if (!(settings.c_lflag & (ICANON | ECHO)))
			return fd;
		close(fd);
	}
}

/* After a hang-up the terminal becomes raw again, gets its size again, and streams continue. */
static void console_pty_survives_a_hang_up(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	struct winsize size;
	char text[512];
	int fd;

	(void)state;
	daemon_folder(&daemon);
	console_set_paths(&daemon);
	start_pty(&daemon, ",size=100x30");
	console_attach(&guest, &daemon, 0);
	for (uint32_t i = 0; i < 3 && hang_up(); i++) {
		fd = open_raw();
		console_output(&guest.rings[TRANSMIT], i * 1000, i * 1000 + 1000);
		console_type(fd, "hello", 5);
		console_expect_input(&guest.rings[RECEIVE], "hello", 5);
		console_expect_output(fd, i * 1000, i * 1000 + 1000);
		assert_int_equal(ioctl(fd, TIOCGWINSZ, &size), 0);
		assert_int_equal(size.ws_col, 100);
		assert_int_equal(size.ws_row, 30);
		close(fd);
	}
	assert_int_equal(daemon_errors(&daemon, text, sizeof text), 0);
	console_detach(&guest);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, " 0 bytes of output dropped, 0 faults"));
}

/*
 * A stale link to a pty is replaced. A file and a link to a file are not replaced. At its end the
 * daemon does not remove another process's link.
 */
static void console_link_is_replaced_only_if_it_leads_to_a_pty(void **state)
{
	struct daemon_process daemon;
	char options[160], target[16];

	(void)state;
	daemon_folder(&daemon);
	console_set_paths(&daemon);
	assert_int_equal(symlink("/dev/pts/999999", console_link_path), 0);
	start_pty(&daemon, "");
	close(console_open_pts(console_link_path));
	assert_int_equal(unlink(console_link_path), 0);
	assert_int_equal(symlink("/other", console_link_path), 0);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	assert_int_equal(readlink(console_link_path, target, sizeof target), 6);
	assert_int_equal(unlink(console_link_path), 0);
	snprintf(options, sizeof options, ",link=%s", daemon.image);
	console_expect_refusal(&daemon, "pty", options, "disk.img: File exists");
	assert_int_equal(symlink(daemon.image, console_link_path), 0);
	snprintf(options, sizeof options, ",link=%s", console_link_path);
	console_expect_refusal(&daemon, "pty", options, "link: File exists");
	assert_int_equal(access(console_link_path, F_OK), 0);
	assert_int_equal(unlink(console_link_path), 0);
	daemon_remove_folder(&daemon);
}

/*
 * The device serves one client, and refuses a second client. After the first client has left, the
 * device serves the next client.
 */
static void console_socket_serves_one_client_after_the_other(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	int first, second;

	(void)state;
	console_start_socket(&daemon, false);
	console_attach(&guest, &daemon, FEATURE(VIRTIO_RING_F_EVENT_IDX));
	console_output(&guest.rings[TRANSMIT], 0, 5000);
	first = console_connect();
	console_expect_output(first, 0, 5000);
	expect_busy();
	console_type(first, "one", 3);
	console_expect_input(&guest.rings[RECEIVE], "one", 3);
	close(first);
	second = console_connect();
	console_type(second, "two", 3);
	console_expect_input(&guest.rings[RECEIVE], "two", 3);
	console_output(&guest.rings[TRANSMIT], 5000, 6000);
	console_expect_output(second, 5000, 6000);
	close(second);
	console_detach(&guest);
	daemon_finish(&daemon);
	assert_int_equal(access(console_client_path, F_OK), -1);
}

/*
 * Hostile 220: without a client the guest never waits, and the daemon keeps only the newest output.
 */
static void console_socket_keeps_the_newest_output(void **state)
{
	const uint32_t all = 3 * KEPT + 777;
	struct daemon_process daemon;
	struct console_guest guest;
	char words[64];
	int fd;

	(void)state;
	console_start_socket(&daemon, false);
	console_attach(&guest, &daemon, 0);
	console_output(&guest.rings[TRANSMIT], 0, all);
	fd = console_connect();
	console_expect_output(fd, all - KEPT, all);
	console_expect_no_output(fd);
	close(fd);
	console_detach(&guest);
	daemon_finish(&daemon);
	snprintf(words, sizeof words, " %u bytes of output dropped", all - KEPT);
	assert_non_null(strstr(daemon.summary, words));
}

/*
 * A client leaves before the guest boots. All bytes that the client has sent are dropped and
 * counted.
 */
static void console_socket_drops_input_of_a_client_that_left(void **state)
{
	static uint8_t old[4096];
	struct daemon_process daemon;
	struct console_guest guest;
	int first, second, unread;
	char c;

	(void)state;
	memset(old, 'o', sizeof old);
	console_start_socket(&daemon, false);
	first = console_connect();
	console_type(first, old, sizeof old);
	/* Wait until the device has read all these bytes. Then the port's input buffer is full. */
	do
		assert_int_equal(ioctl(first, SIOCOUTQ, &unread), 0);
	while (unread > 0);
	console_type(first, old, 1);
	close(first);
	second = console_connect();
	console_type(second, "new", 3);
	console_attach(&guest, &daemon, 0);
	console_expect_input(&guest.rings[RECEIVE], "new", 3);
	console_output(&guest.rings[TRANSMIT], 0, 1);
	assert_int_equal(read(second, &c, 1), 1);
	close(second);
	console_detach(&guest);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, ": 3 bytes in, 1 bytes out, 4097 bytes of input dropped"));
}

/*
 * A stale socket file is replaced. A socket in use and a file that is not a socket are not
 * replaced.
 */
static void console_socket_file_is_replaced_only_if_unused(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct daemon_process daemon;
	char backend[256];
	int fd;

	(void)state;
	daemon_folder(&daemon);
	console_set_paths(&daemon);
	snprintf(backend, sizeof backend, "unix=%s", console_client_path);
	strcpy(addr.sun_path, console_client_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof addr), 0);
	assert_int_equal(listen(fd, 1), 0);
	console_expect_refusal(&daemon, backend, "", "client: in use: somebody is listening there");
	assert_int_equal(access(console_client_path, F_OK), 0);
	close(fd);
	console_run(&daemon, backend, "");
	console_await(&daemon);
	close(console_connect());
	/* The daemon must not remove another process's file that has replaced the socket file. */
	assert_int_equal(unlink(console_client_path), 0);
	assert_int_equal(close(open(console_client_path, O_WRONLY | O_CREAT, 0600)), 0);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	assert_int_equal(access(console_client_path, F_OK), 0);
	console_expect_refusal(&daemon, backend, "", "client: exists and is not a socket");
	assert_int_equal(unlink(console_client_path), 0);
	daemon_remove_folder(&daemon);
}

/*
 * Hostile 222: the daemon appends to an existing log. After a log was moved away, SIGHUP opens a
 * new log.
 */
static void console_file_is_appended_to_and_opened_again(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	char backend[160], moved[160];

	(void)state;
	daemon_folder(&daemon);
	snprintf(backend, sizeof backend, "file=%s", daemon.second);
	snprintf(moved, sizeof moved, "%s/moved", daemon.folder);
	for (uint32_t round = 0; round < 2; round++) {
		console_run(&daemon, backend, "");
		console_await(&daemon);
		console_attach(&guest, &daemon, 0);
		console_output(&guest.rings[TRANSMIT], round * 2000, round * 2000 + 2000);
		if (round == 0)
			console_detach(&guest);
		if (round == 0)
			assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	}
	console_expect_file(daemon.second, 0, 4000);
	assert_int_equal(rename(daemon.second, moved), 0);
	console_output(&guest.rings[TRANSMIT], 4000, 4100);
	assert_int_equal(kill(daemon.pid, SIGHUP), 0);
	while (access(daemon.second, F_OK))
		usleep(1000);
	console_output(&guest.rings[TRANSMIT], 4100, 5000);
	/*
	 * A chain may complete before its output is written. When a second chain completes, the
	 * first chain's output has been written.
	 */
	console_output(&guest.rings[TRANSMIT], 5000, 5001);
	console_detach(&guest);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	console_expect_file(moved, 0, 4100);
	console_expect_file(daemon.second, 4100, 5001);
	assert_int_equal(unlink(moved), 0);
	daemon_remove_folder(&daemon);
}

/* A disk in use is locked, so the daemon refuses it as a log, at the start and after SIGHUP. */
static void console_file_that_is_a_disk_is_refused(void **state)
{
	static const char words[] = "in use by another process, or by a disk";
	struct daemon_process daemon, disk;
	struct console_guest guest;
	struct stat st;
	char backend[160];

	(void)state;
	daemon_start(&disk, "");
	daemon_folder(&daemon);
	snprintf(backend, sizeof backend, "file=%s", disk.image);
	console_expect_refusal(&daemon, backend, "", words);
	snprintf(backend, sizeof backend, "file=%s", daemon.second);
	console_run(&daemon, backend, "");
	console_await(&daemon);
	console_attach(&guest, &daemon, 0);
	assert_int_equal(unlink(daemon.second), 0);
	assert_int_equal(link(disk.image, daemon.second), 0);
	assert_int_equal(kill(daemon.pid, SIGHUP), 0);
	daemon_await_error(&daemon, words);
	console_output(&guest.rings[TRANSMIT], 0, 1000);
	console_detach(&guest);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	daemon_finish(&disk);
	assert_int_equal(stat(daemon.second, &st), 0);
	assert_int_equal(st.st_size, IMAGE_BYTES);
	daemon_remove_folder(&daemon);
}

static void console_emergency_write_comes_out_without_a_driver(void **state)
{
	struct vhost_user_config access = { .offset = 8, .size = 4, .data = "!abc" };
	const uint32_t size = offsetof(struct vhost_user_config, data) + 4;
	struct daemon_process daemon;
	struct console_guest guest;
	char c;
	int fd;

	(void)state;
	console_start_socket(&daemon, false);
	fd = console_connect();
	front_end_open(&guest.fe, daemon.socket);
	assert_int_equal(front_end_ask_u64(&guest.fe, VHOST_USER_SET_PROTOCOL_FEATURES,
					   front_end_get_u64(&guest.fe, VHOST_USER_GET_PROTOCOL_FEATURES)),
			 0);
	assert_int_equal(front_end_ask(&guest.fe, VHOST_USER_SET_CONFIG, &access, size, NULL, 0), 0);
	assert_int_equal(read(fd, &c, 1), 1);
	assert_int_equal(c, '!');
	console_expect_no_output(fd);
	/*
	 * Only emerg_wr can be written. The daemon refuses a write to another field, here to cols
	 * at offset 0.
	 */
	access.offset = 0;
	assert_int_not_equal(front_end_ask(&guest.fe, VHOST_USER_SET_CONFIG, &access, size, NULL, 0), 0);
	close(fd);
	front_end_close(&guest.fe);
	daemon_finish(&daemon);
}

/* The socket file has its mode and group before the daemon reports that it listens. */
static void console_socket_file_has_mode_and_group(void **state)
{
	struct daemon_process daemon;
	char backend[160], options[64];
	struct stat st;

	(void)state;
	daemon_folder(&daemon);
	console_set_paths(&daemon);
	snprintf(backend, sizeof backend, "unix=%s", console_client_path);
	snprintf(options, sizeof options, ",mode=660,group=%u", (unsigned int)getegid());
	console_run(&daemon, backend, options);
	console_await(&daemon);
	assert_int_equal(stat(console_client_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(st.st_gid, getegid());
	close(console_connect());
	daemon_finish(&daemon);
}

static void console_options_that_are_wrong_are_refused(void **state)
{
	struct daemon_process daemon;
	char text[512], longest[256];

	(void)state;
	daemon_folder(&daemon);
	console_expect_refusal(&daemon, "vt100", "", "vt100: not tty, pty, unix=PATH or file=PATH");
	console_expect_refusal(&daemon, "unix=", "", "unix=: no path");
	console_expect_refusal(&daemon, "file=", "", "file=: no path");
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	memcpy(longest, "unix=", 5);
	console_expect_refusal(&daemon, longest, "", "too long for the path of a socket");
	snprintf(text, sizeof text, "file=%s", daemon.folder);
	console_expect_refusal(&daemon, text, "", "Is a directory");
	console_expect_refusal(&daemon, "file=/dev/null", "", "/dev/null: not a regular file");
	console_expect_refusal(&daemon, "pty", ",colour=green", "colour: unknown option of --console");
	console_expect_refusal(&daemon, "pty", ",multiport=perhaps", "perhaps: multiport is on or off");
	console_expect_refusal(&daemon, "pty", ",port=data", "data: not NAME:BACKEND");
	console_expect_refusal(&daemon, "pty", ",port=:pty", ":pty: not NAME:BACKEND");
	console_expect_refusal(&daemon, "pty", ",port=a:pty,port=a:pty", "a: two ports have this name");
	console_expect_refusal(&daemon, "pty", ",port=a:pty,multiport=off", "multiport=off: port= needs multiport=on");
	console_expect_refusal(&daemon, "file=/tmp/x", ",link=/tmp/y", "/tmp/y: only a pty has a link");
	console_expect_refusal(&daemon, "pty", ",socket=", "no socket=PATH");
	console_expect_refusal(&daemon, "tty", ",port=a:tty", "tty: this terminal has a port already");
	console_expect_refusal(&daemon, "tty", ",escape=ab", "ab: escape is none, one character, or ^");
	console_expect_refusal(&daemon, "tty", ",escape=^a", "^a: escape is none, one character, or ^");
	console_expect_refusal(&daemon, "pty", ",mode=660", "660: only unix=PATH and control=PATH have a mode");
	console_expect_refusal(&daemon, "unix=/tmp/x", ",mode=1777", "1777: not an octal mode up to 777");
	console_expect_refusal(&daemon, "unix=/tmp/x", ",mode=8", "8: not an octal mode up to 777");
	console_expect_refusal(&daemon, "pty", ",group=0", "0: only unix=PATH and control=PATH have a group");
	console_expect_refusal(&daemon, "unix=/tmp/x", ",group=no-such-group", "no-such-group: no such group");
	console_expect_refusal(&daemon, "pty", ",full=maybe", "maybe: full is drop or wait");
	console_expect_refusal(&daemon, "pty", ",port=a:pty,full=wait", "wait: full belongs to the console");
	console_expect_refusal(&daemon, "pty", ",escape=none", "none: only tty has an escape");
	console_expect_refusal(&daemon, "tty", ",size=80x25", "80x25: a tty has a size of its own");
	console_expect_refusal(&daemon, "pty", ",port=a:pty,size=80x25", "80x25: size belongs to the console");
	console_expect_refusal(&daemon, "pty", ",size=80", "80: not COLSxROWS, 1x1 to 65535x65535");
	console_expect_refusal(&daemon, "pty", ",size=80x0", "80x0: not COLSxROWS, 1x1 to 65535x65535");
	console_expect_refusal(&daemon, "pty", ",size=65536x1", "65536x1: not COLSxROWS");
	console_expect_refusal(&daemon, "pty", ",control=", "control=: no path");
	console_expect_refusal(&daemon, "pty", ",multiport=off,port=a:pty", "multiport=off: port= needs multiport=on");
	longest[0] = '/';
	snprintf(text, sizeof text, ",control=%s", longest);
	console_expect_refusal(&daemon, "pty", text, "too long for the path of a socket");
	console_expect_refusal(&daemon, "pty", ",link=", "link=: no path");
	snprintf(text, sizeof text, ",link=%s/missing/link", daemon.folder);
	console_expect_refusal(&daemon, "pty", text, "missing/link: No such file or directory");
	daemon_remove_folder(&daemon);
}

/*
 * The daemon refuses a path that is given twice. The second path may be written in another way,
 * lead through a symbolic link, or belong to another option.
 */
static void console_paths_that_are_given_twice_are_refused(void **state)
{
	struct daemon_process daemon;
	char backend[160], options[512];

	(void)state;
	daemon_folder(&daemon);
	console_set_paths(&daemon);
	snprintf(backend, sizeof backend, "file=%s", daemon.image);
	assert_int_equal(symlink(daemon.image, console_link_path), 0);
	snprintf(options, sizeof options, ",port=a:file=%s", daemon.image);
	console_expect_refusal(&daemon, backend, options, "given twice");
	snprintf(options, sizeof options, ",port=a:file=%s", console_link_path);
	console_expect_refusal(&daemon, backend, options, "link: given twice");
	snprintf(options, sizeof options, ",port=a:file=%s/./disk.img", daemon.folder);
	console_expect_refusal(&daemon, backend, options, "given twice");
	assert_int_equal(unlink(console_link_path), 0);
	snprintf(options, sizeof options, ",link=%s,port=a:pty,link=%s", console_link_path, console_link_path);
	console_expect_refusal(&daemon, "pty", options, "link: given twice");
	snprintf(options, sizeof options, ",control=%s,port=a:unix=%s", console_client_path, console_client_path);
	console_expect_refusal(&daemon, "pty", options, "client: given twice");
	daemon_remove_folder(&daemon);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(console_pty_passes_every_byte_both_ways),
		cmocka_unit_test(console_pty_keeps_output_and_input_while_nobody_is_there),
		cmocka_unit_test(console_pty_survives_a_hang_up),
		cmocka_unit_test(console_link_is_replaced_only_if_it_leads_to_a_pty),
		cmocka_unit_test(console_socket_serves_one_client_after_the_other),
		cmocka_unit_test(console_socket_keeps_the_newest_output),
		cmocka_unit_test(console_socket_drops_input_of_a_client_that_left),
		cmocka_unit_test(console_socket_file_is_replaced_only_if_unused),
		cmocka_unit_test(console_file_is_appended_to_and_opened_again),
		cmocka_unit_test(console_file_that_is_a_disk_is_refused),
		cmocka_unit_test(console_emergency_write_comes_out_without_a_driver),
		cmocka_unit_test(console_socket_file_has_mode_and_group),
		cmocka_unit_test(console_options_that_are_wrong_are_refused),
		cmocka_unit_test(console_paths_that_are_given_twice_are_refused),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
