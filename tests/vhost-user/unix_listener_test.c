/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Several processes want the same socket file at the same time. */
#include "unix_listener.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 200
#define PROCESSES 6

static const struct unix_listener_access anybody;
static char folder[64], path[96];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/unix-listener-test-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/socket", folder);
	return 0;
}

/* Checks that the folder is empty, and removes it. */
static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static struct sockaddr_un address(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	strcpy(addr.sun_path, path);
	return addr;
}

static void leave_socket_file(void)
{
	const struct sockaddr_un addr = address();
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof addr), 0);
	close(fd);
}

/*
 * Accepts connections until a connection is from this process. Returns false if the queue has no
 * such connection. Connections of other processes only test whether the socket is in use.
 */
static bool accept_own(int fd)
{
	bool own = false;
	int accepted;

	while (!own && (accepted = accept(fd, NULL, NULL)) >= 0) {
		struct ucred peer;
		socklen_t len = sizeof peer;

		own = getsockopt(accepted, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid == getpid();
		close(accepted);
	}
	return own;
}

/*
 * Returns whether a client that connects to the path reaches this descriptor. If test connections
 * fill the queue, empties the queue first.
 */
static bool is_reached(int fd)
{
	const struct sockaddr_un addr = address();
	const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool reached = false;
	int error;

	while ((error = connect(client, (const struct sockaddr *)&addr, sizeof addr)) && errno == EAGAIN)
		(void)accept_own(fd);
	if (!error)
		reached = accept_own(fd);
	close(client);
	return reached;
}

/* Discards stderr, because the children print many messages about files in use. */
static void begin_child(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || !freopen("/dev/null", "w", stderr))
		_exit(2);
}

/*
 * Waits until `go` is closed, tries to listen, and writes to `result` whether that works. Ends when
 * `end` is closed.
 */
static void compete(int go, int result, int end)
{
	struct unix_listener_file file;
	uint8_t won;
	int fd;

	(void)!read(go, &won, 1);
	fd = unix_listener_open(path, &anybody, &file);
	won = fd >= 0;
	if (write(result, &won, 1) != 1)
		_exit(2);
	(void)!read(end, &won, 1);
	if (fd < 0)
		_exit(0);
	won = is_reached(fd);
	unix_listener_close(fd, path, &file);
	_exit(won ? 0 : 1);
}

/* The socket file is stale at first, so any process may replace the file. Only one may listen. */
static void listener_has_one_winner_of_many_that_start_at_once(void **state)
{
	const pid_t parent = getpid();

	(void)state;
	for (unsigned int round = 0; round < ROUNDS; round++) {
		int go[2], result[2], end[2], status;
		unsigned int winners = 0;
		uint8_t won;

		leave_socket_file();
		assert_int_equal(pipe2(go, O_CLOEXEC) | pipe2(result, O_CLOEXEC) | pipe2(end, O_CLOEXEC), 0);
		for (unsigned int i = 0; i < PROCESSES; i++) {
			const pid_t pid = fork();

			assert_true(pid >= 0);
			if (pid)
				continue;
			close(go[1]);
			close(end[1]);
			begin_child(parent);
			compete(go[0], result[1], end[0]);
		}
		close(go[1]);
		for (unsigned int i = 0; i < PROCESSES; i++) {
			assert_int_equal(read(result[0], &won, 1), 1);
			winners += won;
		}
		assert_int_equal(winners, 1);
		close(end[1]);
		for (unsigned int i = 0; i < PROCESSES; i++) {
			assert_true(wait(&status) > 0);
			assert_int_equal(status, 0);
		}
		assert_int_equal(access(path, F_OK), -1);
		close(go[0]);
		close(end[0]);
		close(result[0]);
		close(result[1]);
		watchdog_step();
	}
}

/*
 * Listens and ends, again and again. As long as a process listens, clients must reach that process.
 */
static void come_and_go(void)
{
	struct unix_listener_file file;

	for (unsigned int i = 0; i < ROUNDS;) {
		const int fd = unix_listener_open(path, &anybody, &file);

		if (fd < 0)
			continue;
		for (unsigned int n = 0; n < 3; n++)
			if (!is_reached(fd))
				_exit(1);
		unix_listener_close(fd, path, &file);
		i++;
	}
	_exit(0);
}

static void listener_that_ends_leaves_the_file_of_the_next_one(void **state)
{
	const pid_t parent = getpid();
	int status;

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		const pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid)
			continue;
		begin_child(parent);
		come_and_go();
	}
	for (unsigned int i = 0; i < 4; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
		watchdog_step();
	}
}

/* A folder that another process keeps locked is refused, and is not changed. */
static void listener_refuses_a_folder_that_stays_locked(void **state)
{
	struct unix_listener_file file = { .ino = 1 };
	const int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd;

	(void)state;
	assert_int_equal(flock(lock, LOCK_EX), 0);
	assert_int_equal(unix_listener_open(path, &anybody, &file), -1);
	assert_int_equal(file.ino, 1);
	assert_int_equal(access(path, F_OK), -1);
	close(lock);
	fd = unix_listener_open(path, &anybody, &file);
	assert_true(fd >= 0);
	assert_true(is_reached(fd));
	unix_listener_close(fd, path, &file);
	assert_int_equal(access(path, F_OK), -1);
}

/* A folder without read permission can't be locked. Listening in it still works. */
static void listener_needs_no_right_to_read_the_folder(void **state)
{
	const struct unix_listener_access access_of_all = { .has_mode = true, .mode = 0666 };
	struct unix_listener_file file;
	struct stat st;
	int fd, status;

	(void)state;
	assert_int_equal(chmod(folder, 0333), 0);
	if (fork() == 0) {
		/* Drops the superuser's rights, because the superuser may read every folder. */
		if (geteuid() == 0 && setresuid(1, 1, 1))
			_exit(2);
		fd = unix_listener_open(path, &access_of_all, &file);
		if (fd < 0 || !is_reached(fd) || stat(path, &st) || (st.st_mode & 0777) != 0666)
			_exit(1);
		unix_listener_close(fd, path, &file);
		_exit(access(path, F_OK) ? 0 : 1);
	}
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
	assert_int_equal(chmod(folder, 0700), 0);
}

/* Checks the file's permissions all the time, until the other end of the pipe `end` is closed. */
static void look_at_permissions(int end, mode_t wanted)
{
	struct pollfd ended = { .fd = end };
	struct stat st;

	while (poll(&ended, 1, 0) == 0)
		if (stat(path, &st) == 0 && (st.st_mode & 0777) != 0600 && (st.st_mode & 0777) != wanted)
			_exit(1);
	_exit(0);
}

/* Until the file has its mode, only the owner may connect, whatever the umask is. */
static void listener_file_has_never_other_permissions(void **state)
{
	const struct unix_listener_access access_of_group = {
		.has_mode = true, .mode = 0620, .has_group = true, .group = getegid()
	};
	const pid_t parent = getpid();
	const mode_t before = umask(0);
	int end[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(end, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(end[1]);
		begin_child(parent);
		look_at_permissions(end[0], 0620);
	}
	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct unix_listener_file file;
		const int fd = unix_listener_open(path, &access_of_group, &file);

		assert_true(fd >= 0);
		unix_listener_close(fd, path, &file);
	}
	close(end[1]);
	close(end[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	umask(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listener_has_one_winner_of_many_that_start_at_once),
		cmocka_unit_test(listener_that_ends_leaves_the_file_of_the_next_one),
		cmocka_unit_test(listener_refuses_a_folder_that_stays_locked),
		cmocka_unit_test(listener_needs_no_right_to_read_the_folder),
		cmocka_unit_test(listener_file_has_never_other_permissions),
	};

	if (!watchdog_start(NULL, NULL))
		return 2;
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
