/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The daemon's console at a terminal with job control. The daemon runs in the background of a
 * shell, is stopped, and runs in the foreground again. This process acts as the shell.
 */
#include "console_guest.h"

#include "cmocka_includes.h"

#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static bool is_raw(int fd)
{
	struct termios settings;

	assert_int_equal(tcgetattr(fd, &settings), 0);
	return !(settings.c_lflag & ICANON);
}

/* Starts another job of the shell: a process in its own group. */
static pid_t start_other_job(void)
{
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	assert_int_equal(setpgid(pid, pid), 0);
	return pid;
}

/* Blocks SIGTTOU, as a shell does. Otherwise tcsetpgrp() would stop this process. */
static void set_foreground(int terminal, pid_t group)
{
	sigset_t set, before;

	sigemptyset(&set);
	sigaddset(&set, SIGTTOU);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, &before), 0);
	assert_int_equal(tcsetpgrp(terminal, group), 0);
	assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
}

static void await_raw(int terminal)
{
	while (!is_raw(terminal))
		usleep(1000);
}

static void set_cooked(int terminal, const struct termios *settings)
{
	assert_int_equal(tcsetattr(terminal, TCSANOW, settings), 0);
}

/*
 * Hostile 221: a daemon in the background serves the guest, and leaves the terminal to the shell.
 * The guest gets the terminal after fg, and when a stopped daemon continues in the foreground.
 */
static void console_tty_in_the_background_leaves_the_terminal_alone(void **state)
{
	const struct winsize size = { .ws_col = 132, .ws_row = 50 };
	struct daemon_process daemon;
	struct console_guest guest;
	struct termios cooked;
	int master, slave;
	pid_t other;

	(void)state;
	daemon_folder(&daemon);
	master = console_open_terminal(&slave);
	assert_int_equal(ioctl(slave, TIOCSCTTY, 0), 0);
	assert_int_equal(tcgetattr(slave, &cooked), 0);
	other = start_other_job();
	set_foreground(slave, other);
	console_start_tty(&daemon, slave, "");
	console_await_tty(&daemon);
	console_attach(&guest, &daemon, FEATURE(VIRTIO_CONSOLE_F_SIZE));
	daemon_await_error(&daemon, "the daemon is in the background: the terminal waits for fg");
	console_output(&guest.rings[TRANSMIT], 0, 1000);
	assert_false(is_raw(slave));
	/* The system sends SIGWINCH for the new size to the other job, not to the daemon. */
	assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
	set_foreground(slave, getpgrp());
	await_raw(slave);
	console_await_size(&guest, 132, 50);
	console_type(master, "keys", 4);
	console_expect_input(&guest.rings[RECEIVE], "keys", 4);
	/*
	 * The user stops the daemon, and the shell resets the terminal. When the daemon continues,
	 * the daemon makes the terminal raw again.
	 */
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(kill(daemon.pid, SIGSTOP), 0);
		set_cooked(slave, &cooked);
		assert_int_equal(kill(daemon.pid, SIGCONT), 0);
		await_raw(slave);
	}
	/* Now the daemon continues in the background, and must leave input to the other job. */
	assert_int_equal(kill(daemon.pid, SIGSTOP), 0);
	set_foreground(slave, other);
	console_type(master, "other", 5);
	assert_int_equal(kill(daemon.pid, SIGCONT), 0);
	console_output(&guest.rings[TRANSMIT], 1000, 2000);
	set_foreground(slave, getpgrp());
	console_expect_input(&guest.rings[RECEIVE], "other", 5);
	console_type(master, "\x1dq", 2);
	assert_int_equal(daemon_stop(&daemon, 0), 0);
	assert_false(is_raw(slave));
	console_detach(&guest);
	assert_int_equal(kill(other, SIGKILL), 0);
	assert_int_equal(waitpid(other, NULL, 0), other);
	close(slave);
	close(master);
	daemon_remove_folder(&daemon);
}

/* Only a new session can get a controlling terminal. */
static int run_in_session(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(console_tty_in_the_background_leaves_the_terminal_alone),
	};

	if (setsid() < 0)
		return 2;
	/* Closing the terminal sends SIGHUP. */
	signal(SIGHUP, SIG_IGN);
	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
	const pid_t pid = fork();
	int status;

	if (pid < 0)
		return 2;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		return run_in_session(argc, argv);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
