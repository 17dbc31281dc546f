/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The daemon's command line and socket files, and how the daemon ends. */
#include "daemon.h"
#include "front_end.h"

#include "cmocka_includes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * Runs the daemon with up to two arguments. Checks that the daemon exits with 1, without output on
 * stdout. Returns whether stderr contains `words`.
 */
static bool fails_saying(struct daemon_process *daemon, const char *option, const char *value, const char *words)
{
	const char *const arguments[] = { option, value, NULL };
	char text[4096];

	unlink(daemon->errors);
	daemon_run(daemon, arguments);
	assert_int_equal(daemon_stop(daemon, 0), 1);
	assert_string_equal(daemon->summary, "");
	daemon_errors(daemon, text, sizeof text);
	return strstr(text, words) != NULL;
}

static void command_line_errors_are_explained(void **state)
{
	struct daemon_process daemon;
	char disk[512];

	(void)state;
	daemon_folder(&daemon);
	assert_true(fails_saying(&daemon, "--nonsense", NULL, "nonsense"));
	assert_true(fails_saying(&daemon, NULL, NULL, "no device"));
	assert_true(fails_saying(&daemon, "stray", NULL, "stray: unexpected argument"));
	assert_true(fails_saying(&daemon, "--blk", NULL, "requires an argument"));
	assert_true(fails_saying(&daemon, "--blk", "", "no image"));
	snprintf(disk, sizeof disk, "%s", daemon.image);
	assert_true(fails_saying(&daemon, "--blk", disk, "no socket=PATH"));
	snprintf(disk, sizeof disk, "%s,socket=", daemon.image);
	assert_true(fails_saying(&daemon, "--blk", disk, "no socket=PATH"));
	snprintf(disk, sizeof disk, "%s,socket=%s,colour=red", daemon.image, daemon.socket);
	assert_true(fails_saying(&daemon, "--blk", disk, "colour: unknown option of --blk"));
	snprintf(disk, sizeof disk, "%s,socket=%s,readonly=perhaps", daemon.image, daemon.socket);
	assert_true(fails_saying(&daemon, "--blk", disk, "perhaps: readonly is on or off"));
	snprintf(disk, sizeof disk, "%s,socket=%s,queues=0", daemon.image, daemon.socket);
	assert_true(fails_saying(&daemon, "--blk", disk, "0: not a number"));
	snprintf(disk, sizeof disk, "%s,socket=%s,queues=-1", daemon.image, daemon.socket);
	assert_true(fails_saying(&daemon, "--blk", disk, "-1: not a number"));
	snprintf(disk, sizeof disk, "%s,socket=%s,queues=99999999999999999999", daemon.image, daemon.socket);
	assert_true(fails_saying(&daemon, "--blk", disk, ": not a number"));
	snprintf(disk, sizeof disk, "%s,socket=%s,queues=257", daemon.image, daemon.socket);
	assert_true(fails_saying(&daemon, "--blk", disk, "257: not a number"));
	snprintf(disk, sizeof disk, "%s,socket=%s,block-size=768", daemon.image, daemon.socket);
	assert_true(fails_saying(&daemon, "--blk", disk, "768: block-size is a number from 512"));
	snprintf(disk, sizeof disk, "%s,socket=%s,seg-max=65534", daemon.image, daemon.socket);
	assert_true(fails_saying(&daemon, "--blk", disk, "65534: seg-max is a number from 0 to 65533"));
	snprintf(disk, sizeof disk, "%s,socket=%s,block-size=4096,physical-block-size=512", daemon.image,
		 daemon.socket);
	assert_true(fails_saying(&daemon, "--blk", disk, "physical-block-size is smaller than block-size"));
	snprintf(disk, sizeof disk, "%s,socket=%s,aio=fast", daemon.image, daemon.socket);
	assert_true(fails_saying(&daemon, "--blk", disk, "fast: aio is sync or io_uring"));
	snprintf(disk, sizeof disk, "%s,socket=%s,serial", daemon.image, daemon.socket);
	assert_true(fails_saying(&daemon, "--blk", disk, "expected name=value"));
	snprintf(disk, sizeof disk, "%s,socket=%s,serial=123456789012345678901", daemon.image, daemon.socket);
	assert_true(fails_saying(&daemon, "--blk", disk, "serial is longer than 20 bytes"));
	daemon_remove_folder(&daemon);
}

static void command_line_image_must_be_usable(void **state)
{
	struct daemon_process daemon;
	char disk[512];

	(void)state;
	daemon_folder(&daemon);
	snprintf(disk, sizeof disk, "%s/missing.img,socket=%s", daemon.folder, daemon.socket);
	assert_true(fails_saying(&daemon, "--blk", disk, "missing.img: No such file or directory"));
	snprintf(disk, sizeof disk, "%s,socket=%s", daemon.folder, daemon.socket);
	assert_true(fails_saying(&daemon, "--blk", disk, "Is a directory"));
	snprintf(disk, sizeof disk, "%s,socket=%s,readonly=on", daemon.folder, daemon.socket);
	assert_true(fails_saying(&daemon, "--blk", disk, "not a file or block device"));
	/* Opening a pipe must not block. */
	assert_int_equal(unlink(daemon.image), 0);
	assert_int_equal(mkfifo(daemon.image, 0600), 0);
	snprintf(disk, sizeof disk, "%s,socket=%s", daemon.image, daemon.socket);
	assert_true(fails_saying(&daemon, "--blk", disk, "not a file or block device"));
	snprintf(disk, sizeof disk, "%s,socket=%s,readonly=on", daemon.image, daemon.socket);
	assert_true(fails_saying(&daemon, "--blk", disk, "not a file or block device"));
	assert_int_equal(unlink(daemon.image), 0);
	assert_int_equal(close(open(daemon.image, O_WRONLY | O_CREAT, 0600)), 0);
	assert_true(fails_saying(&daemon, "--blk", disk, "disk.img: empty"));
	assert_int_equal(access(daemon.socket, F_OK), -1);
	daemon_remove_folder(&daemon);
}

/*
 * A daemon with a writable disk locks the image against all other daemons. Several daemons can
 * share an image if they all have readonly=on.
 */
static void command_line_image_is_locked(void **state)
{
	struct daemon_process daemon, second;
	char disk[256], other[256];

	(void)state;
	daemon_start(&daemon, "");
	daemon_folder(&second);
	snprintf(disk, sizeof disk, "%s,socket=%s", daemon.image, second.socket);
	assert_true(fails_saying(&second, "--blk", disk, "disk.img: in use by another process"));
	snprintf(disk, sizeof disk, "%s,socket=%s,readonly=on", daemon.image, second.socket);
	assert_true(fails_saying(&second, "--blk", disk, "disk.img: in use by another process"));
	daemon_finish(&daemon);
	daemon_start(&daemon, ",readonly=on");
	snprintf(disk, sizeof disk, "%s,socket=%s", daemon.image, second.socket);
	assert_true(fails_saying(&second, "--blk", disk, "disk.img: in use by another process"));
	snprintf(disk, sizeof disk, "%s,socket=%s,readonly=on", daemon.image, second.socket);
	snprintf(other, sizeof other, "listening on %s", second.socket);
	daemon_run(&second, (const char *const[]){ "--blk", disk, NULL });
	assert_true(daemon_says(&second, other));
	daemon_finish(&second);
	daemon_finish(&daemon);
}

static void command_line_help_is_printed(void **state)
{
	const char *const arguments[] = { "--help", NULL };
	struct daemon_process daemon;

	(void)state;
	daemon_folder(&daemon);
	daemon_run(&daemon, arguments);
	assert_true(daemon_says(&daemon,
				"usage: virtio-vhost-user [--once] --blk IMAGE,socket=PATH[,OPTION...] [--blk ...]"));
	assert_int_equal(daemon_stop(&daemon, 0), 0);
	daemon_remove_folder(&daemon);
}

/*
 * The daemon starts with stderr closed. The daemon must not open an image as descriptor 2, because
 * the daemon would write its messages into that image.
 */
static void command_line_streams_may_be_closed(void **state)
{
	struct daemon_process daemon;
	struct front_end first, second;
	char script[128], text[512], disk[256];
	const char *const arguments[] = { "--blk", disk, NULL };
	FILE *image;
	int c;

	(void)state;
	daemon_folder(&daemon);
	snprintf(script, sizeof script, "%s/script", daemon.folder);
	snprintf(text, sizeof text, "#!/bin/sh\nexec '%s' \"$@\" 2>&-\n", daemon_program());
	daemon_write_script(script, text);
	snprintf(disk, sizeof disk, "%s,socket=%s", daemon.image, daemon.socket);
	daemon_run_program(&daemon, script, arguments);
	daemon_expect_listening(&daemon);
	front_end_open(&first, daemon.socket);
	front_end_set_up(&first, 0);
	/* The daemon refuses the second front end with a message, but stderr is closed. */
	front_end_open(&second, daemon.socket);
	front_end_send(&second, VHOST_USER_SET_OWNER, VHOST_USER_FLAG_VERSION, NULL, 0, NULL, 0);
	front_end_expect_end(&second);
	front_end_close(&second);
	front_end_close(&first);
	assert_int_equal(unlink(script), 0);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	image = fopen(daemon.image, "r");
	assert_non_null(image);
	while ((c = getc(image)) != EOF)
		assert_int_equal(c, 0);
	fclose(image);
	daemon_remove_folder(&daemon);
}

static void leave_socket_file(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(addr.sun_path, path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof addr), 0);
	close(fd);
}

static void socket_file_that_is_stale_is_replaced(void **state)
{
	struct daemon_process daemon;
	char disk[256], line[128];
	const char *const arguments[] = { "--blk", disk, NULL };

	(void)state;
	daemon_folder(&daemon);
	leave_socket_file(daemon.socket);
	snprintf(disk, sizeof disk, "%s,socket=%s", daemon.image, daemon.socket);
	snprintf(line, sizeof line, "listening on %s", daemon.socket);
	daemon_run(&daemon, arguments);
	assert_true(daemon_says(&daemon, line));
	front_end_good_session(daemon.socket, 1);
	daemon_finish(&daemon);
}

/*
 * A second daemon with the same socket path fails. The first daemon, which runs with --once, does
 * not treat the second daemon's test connection as a front end.
 */
static void socket_that_is_in_use_is_left_alone(void **state)
{
	struct daemon_process daemon, second;
	char disk[256], line[128];
	const char *const arguments[] = { "--once", "--blk", disk, NULL };

	(void)state;
	daemon_folder(&daemon);
	snprintf(disk, sizeof disk, "%s,socket=%s", daemon.image, daemon.socket);
	snprintf(line, sizeof line, "listening on %s", daemon.socket);
	daemon_run(&daemon, arguments);
	assert_true(daemon_says(&daemon, line));
	daemon_folder(&second);
	snprintf(disk, sizeof disk, "%s,socket=%s", second.image, daemon.socket);
	assert_true(fails_saying(&second, "--blk", disk, "in use: somebody is listening there"));
	daemon_remove_folder(&second);
	front_end_good_session(daemon.socket, 1);
	assert_int_equal(daemon_stop(&daemon, 0), 0);
	assert_int_equal(access(daemon.socket, F_OK), -1);
	daemon_remove_folder(&daemon);
}

/*
 * Two disks have the same socket path. When the second disk fails, the first disk's socket file is
 * removed.
 */
static void socket_of_two_disks_is_refused(void **state)
{
	struct daemon_process daemon;
	char disk[256], text[256];
	const char *const arguments[] = { "--blk", disk, "--blk", disk, NULL };

	(void)state;
	daemon_folder(&daemon);
	snprintf(disk, sizeof disk, "%s,socket=%s,readonly=on", daemon.image, daemon.socket);
	daemon_run(&daemon, arguments);
	assert_int_equal(daemon_stop(&daemon, 0), 1);
	assert_string_equal(daemon.summary, "");
	daemon_errors(&daemon, text, sizeof text);
	assert_non_null(strstr(text, "in use: somebody is listening there"));
	assert_int_equal(access(daemon.socket, F_OK), -1);
	daemon_remove_folder(&daemon);
}

static void socket_path_with_another_file_is_left_alone(void **state)
{
	struct daemon_process daemon;
	struct stat before, after;
	char disk[512];

	(void)state;
	daemon_folder(&daemon);
	snprintf(disk, sizeof disk, "%s,socket=%s", daemon.image, daemon.image);
	assert_int_equal(stat(daemon.image, &before), 0);
	assert_true(fails_saying(&daemon, "--blk", disk, "exists and is not a socket"));
	assert_int_equal(stat(daemon.image, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	snprintf(disk, sizeof disk, "%s,socket=%s/missing/socket", daemon.image, daemon.folder);
	assert_true(fails_saying(&daemon, "--blk", disk, "No such file or directory"));
	snprintf(disk, sizeof disk, "%s,socket=/tmp/%0200d", daemon.image, 0);
	assert_true(fails_saying(&daemon, "--blk", disk, "too long for the path of a socket"));
	daemon_remove_folder(&daemon);
}

/* The daemon must not remove another process's socket file that has replaced the daemon's file. */
static void socket_file_of_another_survives_the_end(void **state)
{
	struct daemon_process daemon;

	(void)state;
	daemon_start(&daemon, "");
	assert_int_equal(unlink(daemon.socket), 0);
	leave_socket_file(daemon.socket);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	assert_int_equal(unlink(daemon.socket), 0);
	daemon_remove_folder(&daemon);
}

/*
 * Socket files of another process replace the daemon's files before an update. The new program must
 * not remove the other process's files.
 */
static void socket_file_of_another_survives_an_update(void **state)
{
	struct daemon_process daemon;
	char console[256], vsock[256], state_path[128], paths[4][128], line[160];
	const char *const arguments[] = { "--console", console, "--vsock", vsock, "--state", state_path, NULL };
	unsigned int i;

	(void)state;
	daemon_folder(&daemon);
	snprintf(state_path, sizeof state_path, "%s/state", daemon.folder);
	snprintf(paths[0], sizeof paths[0], "%s", daemon.socket);
	snprintf(paths[1], sizeof paths[1], "%s/client", daemon.folder);
	snprintf(paths[2], sizeof paths[2], "%s/uds", daemon.folder);
	snprintf(paths[3], sizeof paths[3], "%s/uds_seqpacket", daemon.folder);
	snprintf(console, sizeof console, "unix=%s,socket=%s", paths[1], daemon.socket);
	snprintf(vsock, sizeof vsock, "cid=3,uds=%s,socket=%s", paths[2], daemon.other);
	daemon_run(&daemon, arguments);
	daemon_expect_listening(&daemon);
	snprintf(line, sizeof line, "listening on %s", daemon.other);
	assert_true(daemon_says(&daemon, line));
	for (i = 0; i < 4; i++) {
		assert_int_equal(unlink(paths[i]), 0);
		leave_socket_file(paths[i]);
	}
	daemon_update(&daemon);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(unlink(paths[i]), 0);
	/* The daemon has removed its socket file that was not replaced. */
	assert_int_equal(access(daemon.other, F_OK), -1);
	assert_int_equal(unlink(state_path), 0);
	daemon_remove_folder(&daemon);
}

static void end_by_signal_prints_a_summary(void **state)
{
	const int signals[] = { SIGINT, SIGTERM };
	struct daemon_process daemon;
	char summary[256];

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		daemon_start(&daemon, "");
		snprintf(summary, sizeof summary,
			 "blk %s: 0 requests (in 0, out 0, flush 0, get-id 0, discard 0, write-zeroes 0, other 0, "
			 "failed 0), 0 bytes read, 0 bytes "
			 "written, 0 faults",
			 daemon.image);
		assert_int_equal(daemon_stop(&daemon, signals[i]), 0);
		assert_string_equal(daemon.summary, summary);
		assert_int_equal(access(daemon.socket, F_OK), -1);
		daemon_remove_folder(&daemon);
	}
}

static void end_by_signal_comes_during_a_session(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	block_write_and_read(&fe, 1, 1);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, ": 3 requests (in 1, out 1, flush 1,"));
	front_end_expect_end(&fe);
	front_end_close(&fe);
}

/*
 * Shells often set a low limit of descriptors. The daemon must raise the limit before its disks
 * need descriptors.
 */
static void file_limit_is_raised_for_many_queues(void **state)
{
	struct daemon_process daemon;
	struct rlimit before, low;
	char disk[256], line[128], text[1024];
	const char *const arguments[] = { "--blk", disk, NULL };

	(void)state;
	daemon_folder(&daemon);
	snprintf(disk, sizeof disk, "%s,socket=%s,queues=16,aio=io_uring", daemon.image, daemon.socket);
	snprintf(line, sizeof line, "listening on %s", daemon.socket);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = (struct rlimit){ .rlim_cur = 16, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	daemon_run(&daemon, arguments);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	if (!daemon_says(&daemon, line)) {
		assert_int_equal(daemon_stop(&daemon, 0), 1);
		daemon_errors(&daemon, text, sizeof text);
		assert_non_null(strstr(text, "io_uring: this program was built without liburing"));
		daemon_remove_folder(&daemon);
		return;
	}
	daemon_errors(&daemon, text, sizeof text);
	assert_null(strstr(text, strerror(EMFILE)));
	daemon_finish(&daemon);
}

/*
 * Installs a filter that forbids io_uring, as containers often do. The filter can't be removed
 * again, so the test that needs it runs last.
 */
static void forbid_io_uring(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = sizeof code / sizeof *code, .filter = code };

	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/*
 * If the system forbids io_uring, the daemon uses ordinary system calls. A daemon built without
 * liburing refuses the option aio=io_uring.
 */
static void io_uring_that_is_forbidden_is_replaced_by_calls(void **state)
{
	struct daemon_process daemon;
	char disk[256], line[128], text[1024];
	const char *const arguments[] = { "--blk", disk, NULL };

	(void)state;
	daemon_folder(&daemon);
	snprintf(disk, sizeof disk, "%s,socket=%s,queues=3,aio=io_uring", daemon.image, daemon.socket);
	snprintf(line, sizeof line, "listening on %s", daemon.socket);
	forbid_io_uring();
	daemon_run(&daemon, arguments);
	if (!daemon_says(&daemon, line)) {
		assert_int_equal(daemon_stop(&daemon, 0), 1);
		daemon_errors(&daemon, text, sizeof text);
		assert_non_null(strstr(text, "io_uring: this program was built without liburing"));
		daemon_remove_folder(&daemon);
		return;
	}
	daemon_errors(&daemon, text, sizeof text);
	assert_non_null(strstr(text, "disk.img: no io_uring (Operation not permitted): using ordinary system calls"));
	front_end_good_session(daemon.socket, 1);
	daemon_finish(&daemon);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_line_errors_are_explained),
		cmocka_unit_test(command_line_image_must_be_usable),
		cmocka_unit_test(command_line_image_is_locked),
		cmocka_unit_test(command_line_help_is_printed),
		cmocka_unit_test(command_line_streams_may_be_closed),
		cmocka_unit_test(socket_file_that_is_stale_is_replaced),
		cmocka_unit_test(socket_that_is_in_use_is_left_alone),
		cmocka_unit_test(socket_of_two_disks_is_refused),
		cmocka_unit_test(socket_path_with_another_file_is_left_alone),
		cmocka_unit_test(socket_file_of_another_survives_the_end),
		cmocka_unit_test(socket_file_of_another_survives_an_update),
		cmocka_unit_test(end_by_signal_prints_a_summary),
		cmocka_unit_test(end_by_signal_comes_during_a_session),
		cmocka_unit_test(file_limit_is_raised_for_many_queues),
		cmocka_unit_test(io_uring_that_is_forbidden_is_replaced_by_calls),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
