/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Connecting, listening, inherited sockets, and messages about front ends and guests that can't be
 * served.
 */
#include "daemon.h"
#include "front_end.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>

#define LINE_BYTES 256

static int listen_at(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof addr), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* Runs the daemon with a disk and these options, and waits for this first line of output. */
static void run(struct daemon_process *daemon, const char *options, const char *line)
{
	char disk[LINE_BYTES];

	snprintf(disk, sizeof disk, "%s,%s", daemon->image, options);
	daemon_run(daemon, (const char *const[]){ "--blk", disk, NULL });
	assert_true(daemon_says(daemon, line));
}

/* Waits until the daemon has written at least `lines` lines to stderr. */
static void await_errors(const struct daemon_process *daemon, unsigned int lines, char *text, size_t size)
{
	while (daemon_errors(daemon, text, size) < lines)
		usleep(1000);
	watchdog_step();
}

static void serve_once(struct front_end *fe, uint8_t byte)
{
	front_end_set_up(fe, 0);
	block_write_and_read(fe, byte, byte);
	front_end_close(fe);
}

/*
 * The front end listens, and the daemon connects. The front end starts after the daemon. When the
 * front end disconnects, the daemon connects again.
 */
static void daemon_connects_and_connects_again(void **state)
{
	char options[LINE_BYTES], line[LINE_BYTES], text[1024];
	struct daemon_process daemon;
	struct front_end fe;
	int listener;

	(void)state;
	daemon_folder(&daemon);
	snprintf(options, sizeof options, "socket=%s,server=off,reconnect=1", daemon.socket);
	snprintf(line, sizeof line, "connecting to %s", daemon.socket);
	run(&daemon, options, line);
	await_errors(&daemon, 1, text, sizeof text);
	assert_non_null(strstr(text, "can't connect: No such file or directory: trying again"));
	listener = listen_at(daemon.socket);
	for (uint8_t i = 1; i < 3; i++) {
		front_end_attach(&fe, accept4(listener, NULL, NULL, SOCK_CLOEXEC));
		serve_once(&fe, i);
	}
	close(listener);
	assert_int_equal(unlink(daemon.socket), 0);
	daemon_finish(&daemon);
}

static void daemon_connects_once_without_reconnect(void **state)
{
	char options[LINE_BYTES], line[LINE_BYTES], text[1024];
	struct daemon_process daemon;
	struct front_end fe;
	int listener;

	(void)state;
	daemon_folder(&daemon);
	snprintf(options, sizeof options, "%s,socket=%s,server=off", daemon.image, daemon.socket);
	daemon_run(&daemon, (const char *const[]){ "--blk", options, NULL });
	assert_int_equal(daemon_stop(&daemon, 0), 1);
	listener = listen_at(daemon.socket);
	snprintf(options, sizeof options, "socket=%s,server=off", daemon.socket);
	snprintf(line, sizeof line, "connecting to %s", daemon.socket);
	run(&daemon, options, line);
	front_end_attach(&fe, accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	serve_once(&fe, 1);
	await_errors(&daemon, 2, text, sizeof text);
	assert_non_null(strstr(text, "reconnect=SECONDS connects again"));
	close(listener);
	assert_int_equal(unlink(daemon.socket), 0);
	daemon_finish(&daemon);
}

/*
 * The inherited descriptor is a connected socket without a name. The daemon accepts another such
 * socket as the channel for its requests. The daemon reports the end of the inherited connection.
 */
static void daemon_serves_an_inherited_connection(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;
	char text[1024];
	int ends[2], channel[2];

	(void)state;
	daemon_folder(&daemon);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel), 0);
	daemon.pass_fd = ends[1];
	run(&daemon, "fd=3", "listening on fd:3");
	close(ends[1]);
	front_end_attach(&fe, ends[0]);
	front_end_set_up(&fe, 0);
	assert_int_equal(front_end_ask(&fe, VHOST_USER_SET_BACKEND_REQ_FD, NULL, 0, &channel[1], 1), 0);
	block_write_and_read(&fe, 1, 1);
	front_end_close(&fe);
	close(channel[0]);
	close(channel[1]);
	await_errors(&daemon, 1, text, sizeof text);
	assert_non_null(strstr(text, "fd:3: the inherited connection has ended"));
	daemon_finish(&daemon);
}

/* The inherited descriptor is a listening socket, given by fd= or by LISTEN_FDS. */
static void daemon_listens_on_an_inherited_socket(void **state)
{
	const char *const options[] = { "fd=3", "serial=x" };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct daemon_process daemon;
		struct front_end fe;
		int listener;

		daemon_folder(&daemon);
		listener = listen_at(daemon.socket);
		daemon.pass_fd = listener;
		daemon.listen_fds = i == 1;
		run(&daemon, options[i], "listening on fd:3");
		close(listener);
		for (uint8_t n = 1; n < 3; n++) {
			front_end_open(&fe, daemon.socket);
			serve_once(&fe, n);
		}
		/* The daemon has not made the socket file, so it does not remove the file. */
		assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
		assert_int_equal(unlink(daemon.socket), 0);
		daemon_remove_folder(&daemon);
	}
}

/*
 * If only a group is given, the mode lets the group connect. To connect, a process needs write
 * permission.
 */
static void socket_file_has_its_mode_and_group(void **state)
{
	static const struct {
		const char *options;
		mode_t mode;
	} cases[] = {
		{ "mode=0620,group", 0620 },
		{ "socket-mode=0620,socket-group", 0620 },
		{ "group", 0660 },
	};
	struct daemon_process daemon;
	char options[LINE_BYTES], line[LINE_BYTES];
	const mode_t before = umask(0);
	struct stat st;

	(void)state;
	for (unsigned int i = 0; i < sizeof cases / sizeof *cases; i++) {
		daemon_folder(&daemon);
		snprintf(options, sizeof options, "socket=%s,%s=%u", daemon.socket, cases[i].options,
			 (unsigned int)getegid());
		snprintf(line, sizeof line, "listening on %s", daemon.socket);
		run(&daemon, options, line);
		assert_int_equal(stat(daemon.socket, &st), 0);
		assert_int_equal(st.st_mode & 0777, cases[i].mode);
		assert_int_equal(st.st_gid, getegid());
		daemon_finish(&daemon);
	}
	umask(before);
}

static void endpoint_options_must_fit_together(void **state)
{
	static const struct {
		const char *options, *says;
	} bad[] = {
		{ "socket=/tmp/x,fd=3", "exclude each other" },
		{ "fd=2", "from 3 on" },
		{ "fd=99", "not an inherited Unix stream socket" },
		{ "socket=/tmp/x,reconnect=1", "only with server=off" },
		{ "socket=/tmp/x,server=off,mode=600", "the socket file is the front end's" },
		{ "socket=/tmp/x,server=perhaps", "server is on or off" },
		{ "socket=/tmp/x,mode=888", "octal" },
		{ "socket=/tmp/x,group=nobody-has-this-name", "no such group" },
		{ "readonly=on", "no socket=PATH" },
	};
	struct daemon_process daemon;
	char disk[LINE_BYTES], text[4096];

	(void)state;
	daemon_folder(&daemon);
	for (unsigned int i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(disk, sizeof disk, "%s,%s", daemon.image, bad[i].options);
		daemon_run(&daemon, (const char *const[]){ "--blk", disk, NULL });
		assert_int_equal(daemon_stop(&daemon, 0), 1);
		(void)daemon_errors(&daemon, text, sizeof text);
		assert_non_null(strstr(text, bad[i].says));
		assert_int_equal(unlink(daemon.errors), 0);
	}
	daemon_remove_folder(&daemon);
}

/*
 * Hostile 211: the daemon refuses second front ends, logs this once, and still serves the first
 * front end. After the first front end has left, another front end is accepted.
 */
static void second_front_end_is_refused_with_a_message(void **state)
{
	struct daemon_process daemon;
	struct front_end first, second;
	char text[512];

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&first, daemon.socket);
	front_end_set_up(&first, 0);
	for (unsigned int i = 0; i < 3; i++) {
		front_end_open(&second, daemon.socket);
		front_end_send(&second, VHOST_USER_SET_OWNER, VHOST_USER_FLAG_VERSION, NULL, 0, NULL, 0);
		front_end_expect_end(&second);
		front_end_close(&second);
		block_write_and_read(&first, 1, (uint8_t)i);
	}
	assert_int_equal(daemon_errors(&daemon, text, sizeof text), 1);
	assert_non_null(strstr(text, "a second front end is refused"));
	/*
	 * The first front end disconnects, and another connects at once. The daemon may not have
	 * noticed the end yet, but must not refuse the new front end.
	 */
	for (unsigned int i = 0; i < 20; i++) {
		front_end_close(&first);
		front_end_open(&first, daemon.socket);
		front_end_set_up(&first, 0);
		block_write_and_read(&first, 2, 2);
	}
	assert_int_equal(daemon_errors(&daemon, text, sizeof text), 1);
	front_end_close(&first);
	daemon_finish(&daemon);
}

/*
 * Hostile 212: the front end shares a file, but the guest uses private memory. The daemon reports
 * this.
 */
static void memory_that_is_not_shared_is_reported(void **state)
{
	const uint64_t one = 1;
	struct daemon_process daemon;
	struct front_end fe;
	char text[512];

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	assert_ptr_equal(mmap(fe.memory, GUEST_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fe.memory_fd, 0),
			 fe.memory);
	front_end_set_up(&fe, 0);
	assert_int_equal(daemon_errors(&daemon, text, sizeof text), 0);
	block_submit(&fe, 0, VIRTIO_BLK_T_IN, 0, 512);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(write(fe.kick, &one, sizeof one), sizeof one);
		await_errors(&daemon, 1, text, sizeof text);
	}
	assert_int_equal(daemon_errors(&daemon, text, sizeof text), 1);
	assert_non_null(strstr(text, "memory isn't shared"));
	assert_non_null(strstr(text, "share=on"));
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/*
 * A kick without a request causes no message about unshared memory in two cases: the ring has
 * served requests, or the kick is older than the ring's start.
 */
static void kick_without_a_request_causes_no_message(void **state)
{
	const uint64_t one = 1;
	struct daemon_process daemon;
	struct front_end fe;
	char text[512];

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	assert_int_equal(write(fe.kick, &one, sizeof one), sizeof one);
	front_end_set_up(&fe, 0);
	/*
	 * To handle each message, the daemon waits for the queue's thread. So the thread has
	 * handled the kick before the last answer.
	 */
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_ERR, 0, fe.err), 0);
	assert_int_equal(daemon_errors(&daemon, text, sizeof text), 0);
	block_write_and_read(&fe, 1, 1);
	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(write(fe.kick, &one, sizeof one), sizeof one);
		block_write_and_read(&fe, 1, 1);
	}
	assert_int_equal(daemon_errors(&daemon, text, sizeof text), 0);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/*
 * A message warns if a driver has accepted SEG_MAX, uses no indirect descriptors, and has a ring
 * too small for requests of SEG_MAX segments.
 */
static void ring_that_is_too_small_for_requests_is_reported(void **state)
{
	const struct {
		const char *options;
		uint64_t features;
		unsigned int lines;
	} cases[] = {
		{ "", FEATURE(VIRTIO_BLK_F_SEG_MAX), 1 },
		{ "", FEATURE(VIRTIO_BLK_F_SEG_MAX) | FEATURE(VIRTIO_RING_F_INDIRECT_DESC), 0 },
		{ "", 0, 0 },
		{ ",seg-max=62", FEATURE(VIRTIO_BLK_F_SEG_MAX), 0 },
		{ ",seg-max=63", FEATURE(VIRTIO_BLK_F_SEG_MAX), 1 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct daemon_process daemon;
		struct front_end fe;
		char text[512];

		daemon_start(&daemon, cases[i].options);
		front_end_open(&fe, daemon.socket);
		front_end_set_up(&fe, cases[i].features);
		block_write_and_read(&fe, 1, 1);
		assert_int_equal(daemon_errors(&daemon, text, sizeof text), cases[i].lines);
		assert_true(cases[i].lines == 0 || strstr(text, "(set seg-max=62)"));
		front_end_close(&fe);
		daemon_finish(&daemon);
	}
}

/*
 * QEMU demands a queue for each processor of the guest. If the daemon has fewer queues, its message
 * names the option for more.
 */
static void missing_queue_is_reported(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;
	char text[512];

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_NUM, 15, 16), 0);
	assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_NUM, 16, 16), 1);
	await_errors(&daemon, 1, text, sizeof text);
	assert_non_null(strstr(text, "no queue 16: the device has 16; for a disk, queues= sets the number"));
	front_end_close(&fe);
	daemon_finish(&daemon);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(daemon_connects_and_connects_again),
		cmocka_unit_test(daemon_connects_once_without_reconnect),
		cmocka_unit_test(daemon_serves_an_inherited_connection),
		cmocka_unit_test(daemon_listens_on_an_inherited_socket),
		cmocka_unit_test(socket_file_has_its_mode_and_group),
		cmocka_unit_test(endpoint_options_must_fit_together),
		cmocka_unit_test(second_front_end_is_refused_with_a_message),
		cmocka_unit_test(memory_that_is_not_shared_is_reported),
		cmocka_unit_test(kick_without_a_request_causes_no_message),
		cmocka_unit_test(ring_that_is_too_small_for_requests_is_reported),
		cmocka_unit_test(missing_queue_is_reported),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
