/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The daemon's console at the daemon's own terminal. */
#include "console_guest.h"

#include "cmocka_includes.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static bool is_raw(int fd)
{
	struct termios settings;

	assert_int_equal(tcgetattr(fd, &settings), 0);
	return !(settings.c_lflag & ICANON);
}

/*
 * Hostile 221: the terminal is raw only while a front end is attached, and is restored however the
 * session ends.
 */
static void console_tty_is_raw_only_while_it_is_used(void **state)
{
	const struct winsize size = { .ws_col = 132, .ws_row = 50 };
	struct daemon_process daemon;
	struct console_guest guest;
	int master, slave;

	(void)state;
	daemon_folder(&daemon);
	master = console_open_terminal(&slave);
	console_start_tty(&daemon, slave, "");
	console_await_tty(&daemon);
	for (unsigned int round = 0; round < 3; round++) {
		while (is_raw(slave))
			usleep(1000);
		console_attach(&guest, &daemon, FEATURE(VIRTIO_CONSOLE_F_SIZE));
		assert_true(is_raw(slave));
		console_type(master, "a\x1d\x1d\x1dx\003", 6);
		console_expect_input(&guest.rings[RECEIVE], "a\x1d\003", 3);
		assert_true(console_offer(&guest.rings[TRANSMIT], "hello\n", 6));
		assert_true(daemon_says(&daemon, "hello"));
		if (round == 0) {
			console_await_size(&guest, 80, 25);
			assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
			assert_int_equal(kill(daemon.pid, SIGWINCH), 0);
		}
		console_await_size(&guest, 132, 50);
		assert_int_equal(fcntl(slave, F_GETFL) & O_NONBLOCK, 0);
		if (round < 2)
			console_detach(&guest);
	}
	/* The daemon ends while a front end is attached. */
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	assert_false(is_raw(slave));
	console_detach(&guest);
	console_start_tty(&daemon, slave, "");
	console_await_tty(&daemon);
	console_attach(&guest, &daemon, 0);
	console_type(master, "\x1dq", 2);
	assert_int_equal(daemon_stop(&daemon, 0), 0);
	assert_false(is_raw(slave));
	console_detach(&guest);
	close(slave);
	close(master);
	daemon_remove_folder(&daemon);
}

/* Under MULTIPORT a message carries the size, columns first. */
static void console_tty_tells_its_size_under_multiport(void **state)
{
	const struct winsize size = { .ws_col = 132, .ws_row = 50 };
	struct daemon_process daemon;
	struct console_guest guest;
	int master, slave;

	(void)state;
	daemon_folder(&daemon);
	master = console_open_terminal(&slave);
	console_start_tty(&daemon, slave, ",multiport=on");
	console_await_tty(&daemon);
	console_attach_alone(&guest, &daemon, MULTIPORT | FEATURE(VIRTIO_CONSOLE_F_SIZE));
	console_say(&guest, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	console_hear(&guest, 0, VIRTIO_CONSOLE_PORT_ADD, 0, "");
	console_say(&guest, 0, VIRTIO_CONSOLE_PORT_READY, 1);
	console_hear(&guest, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1, "");
	console_hear(&guest, 0, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	console_hear_size(&guest, 80, 25);
	console_await_size(&guest, 80, 25);
	assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
	assert_int_equal(kill(daemon.pid, SIGWINCH), 0);
	console_hear_size(&guest, 132, 50);
	console_await_size(&guest, 132, 50);
	console_detach(&guest);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	assert_false(is_raw(slave));
	close(slave);
	close(master);
	daemon_remove_folder(&daemon);
}

/*
 * Hostile 221: a signal such as SIGABRT ends the daemon. The daemon's handler restores the terminal
 * first.
 */
static void console_tty_is_restored_by_an_end_that_nobody_expects(void **state)
{
	const int signals[] = { SIGABRT, SIGBUS, SIGPWR, SIGUSR2, SIGXCPU, SIGRTMAX };
	struct daemon_process daemon;
	struct console_guest guest;
	int master, slave, status;

	(void)state;
	daemon_folder(&daemon);
	master = console_open_terminal(&slave);
	for (unsigned int i = 0; i < sizeof signals / sizeof *signals; i++) {
		console_start_tty(&daemon, slave, "");
		console_await_tty(&daemon);
		console_attach(&guest, &daemon, 0);
		assert_true(is_raw(slave));
		assert_int_equal(kill(daemon.pid, signals[i]), 0);
		assert_int_equal(waitpid(daemon.pid, &status, 0), daemon.pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), signals[i]);
		assert_false(is_raw(slave));
		console_detach(&guest);
		fclose(daemon.out);
	}
	assert_int_equal(unlink(daemon.socket), 0);
	close(slave);
	close(master);
	daemon_remove_folder(&daemon);
}

static void console_tty_accepts_another_escape_or_none(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	int master, slave;
	char words[192];

	(void)state;
	daemon_folder(&daemon);
	master = console_open_terminal(&slave);
	for (unsigned int i = 0; i < 2; i++) {
		console_start_tty(&daemon, slave, i == 0 ? ",escape=~" : ",escape=none");
		snprintf(words, sizeof words,
			 "console %s: ~ and then q ends the daemon; ~ twice sends one to the guest", daemon.socket);
		if (i == 0)
			assert_true(daemon_says(&daemon, words));
		console_await(&daemon);
		console_attach(&guest, &daemon, 0);
		console_type(master, "\x1dq~~", 4);
		console_expect_input(&guest.rings[RECEIVE], i == 0 ? "\x1dq~" : "\x1dq~~", i == 0 ? 3 : 4);
		assert_true(is_raw(slave));
		assert_int_equal(daemon_stop(&daemon, i == 0 ? SIGINT : SIGQUIT), 0);
		assert_false(is_raw(slave));
		console_detach(&guest);
	}
	close(slave);
	close(master);
	daemon_remove_folder(&daemon);
}

/*
 * stdin may be a file, a pipe or /dev/null. Then the daemon changes no terminal, and the escape key
 * is an ordinary byte.
 */
static void console_tty_reads_what_stdin_is(void **state)
{
	const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct daemon_process daemon;
	struct console_guest guest;
	int pipes[2], sources[3];

	(void)state;
	daemon_folder(&daemon);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	sources[0] = open(daemon.second, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	sources[1] = pipes[0];
	sources[2] = null;
	console_type(sources[0], "in\x1d\x1dput", 7);
	assert_int_equal(lseek(sources[0], 0, SEEK_SET), 0);
	console_type(pipes[1], "in\x1d\x1dput", 7);
	for (unsigned int i = 0; i < 3; i++) {
		console_start_tty(&daemon, sources[i], "");
		console_await(&daemon);
		console_attach(&guest, &daemon, 0);
		if (i < 2)
			console_expect_input(&guest.rings[RECEIVE], "in\x1d\x1dput", 7);
		assert_true(console_offer(&guest.rings[TRANSMIT], "hello\n", 6));
		assert_true(daemon_says(&daemon, "hello"));
		console_detach(&guest);
		assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
		close(sources[i]);
	}
	close(pipes[1]);
	daemon_remove_folder(&daemon);
}

/*
 * stdin and stdout are one socket, as under a service manager. The daemon must not change the
 * socket's flags.
 */
static void console_tty_works_with_a_socket(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	char script[128], text[512], spec[160];
	const char *const arguments[] = { "--console", spec, NULL };
	const uint32_t all = 10 * KEPT;
	int ends[2], before;
	FILE *lines;

	(void)state;
	daemon_folder(&daemon);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	snprintf(script, sizeof script, "%s/script", daemon.folder);
	snprintf(text, sizeof text, "#!/bin/sh\nexec '%s' \"$@\" >&0\n", daemon_program());
	daemon_write_script(script, text);
	snprintf(spec, sizeof spec, "tty,socket=%s", daemon.socket);
	before = dup(STDIN_FILENO);
	assert_int_equal(dup2(ends[1], STDIN_FILENO), STDIN_FILENO);
	daemon_run_program(&daemon, script, arguments);
	assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
	close(before);
	snprintf(text, sizeof text, "listening on %s\n", daemon.socket);
	lines = fdopen(dup(ends[0]), "r");
	assert_non_null(lines);
	assert_int_equal(setvbuf(lines, NULL, _IONBF, 0), 0);
	assert_non_null(fgets(spec, sizeof spec, lines));
	assert_string_equal(spec, text);
	console_attach(&guest, &daemon, 0);
	console_type(ends[0], "keys", 4);
	console_expect_input(&guest.rings[RECEIVE], "keys", 4);
	/* Send more output than the socket holds, before the test reads. */
	console_output(&guest.rings[TRANSMIT], 0, all);
	console_expect_output(ends[0], 0, 1000);
	assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
	console_detach(&guest);
	fclose(lines);
	close(ends[0]);
	close(ends[1]);
	/* The summary has no reader, so the daemon exits with 1. */
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 1);
	assert_int_equal(unlink(script), 0);
	daemon_remove_folder(&daemon);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(console_tty_is_raw_only_while_it_is_used),
		cmocka_unit_test(console_tty_tells_its_size_under_multiport),
		cmocka_unit_test(console_tty_is_restored_by_an_end_that_nobody_expects),
		cmocka_unit_test(console_tty_accepts_another_escape_or_none),
		cmocka_unit_test(console_tty_reads_what_stdin_is),
		cmocka_unit_test(console_tty_works_with_a_socket),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
