/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Output of a console can't be written for a while, because a disk is full or a reader has left. */
#include "console_guest.h"

#include "cmocka_includes.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* Keeps the daemon's files from growing beyond this size, as a full disk does. */
static void limit_files(const struct daemon_process *daemon, rlim_t bytes)
{
	const struct rlimit limit = { .rlim_cur = bytes, .rlim_max = RLIM_INFINITY };

	assert_int_equal(prlimit(daemon->pid, RLIMIT_FSIZE, &limit, NULL), 0);
}

static void start_file(struct daemon_process *daemon, const char *options)
{
	char backend[128];

	daemon_folder(daemon);
	console_set_paths(daemon);
	snprintf(backend, sizeof backend, "file=%s", daemon->second);
	console_run(daemon, backend, options);
	console_await(daemon);
}

/*
 * Offers this part of the stream as descriptors become free, and waits until the device has used
 * all buffers.
 */
static void output_all(struct ring *ring, uint32_t from, uint32_t to)
{
	const uint8_t *bytes;

	while (from < to || ring->mock.in_flight > 0) {
		from = console_offer_output(ring, from, to);
		assert_int_equal(console_take(ring, &bytes), 0);
	}
}

/*
 * Checks that the device uses as many buffers as the file and the daemon's buffer have room for.
 * The other buffers wait until the disk has room.
 */
static void expect_wait(struct daemon_process *daemon, struct ring *ring)
{
	const uint32_t full = 5000, all = full + KEPT + 64 * PIECE;
	char text[1024];
	uint32_t at = 0;

	limit_files(daemon, full);
	for (const uint8_t *bytes; at < full + KEPT - PIECE;) {
		at = console_offer_output(ring, at, at + PIECE);
		assert_int_equal(console_take(ring, &bytes), 0);
	}
	at = console_offer_output(ring, at, all);
	daemon_await_error(daemon, "second.img: output waits: File too large");
	assert_true(ring->mock.in_flight > 0);
	limit_files(daemon, RLIM_INFINITY);
	output_all(ring, at, all);
	daemon_await_error(daemon, "second.img: output is written again");
	assert_int_equal(daemon_errors(daemon, text, sizeof text), 2);
	console_expect_file(daemon->second, 0, all);
}

/*
 * The guest waits while the disk is full. When the disk has room, the daemon continues by itself.
 * The daemon reports the failure once and the success once, however often it has tried to write.
 */
static void file_that_waits_goes_on_when_the_disk_has_room(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;

	(void)state;
	start_file(&daemon, ",full=wait");
	console_attach(&guest, &daemon, 0);
	expect_wait(&daemon, &guest.rings[TRANSMIT]);
	console_detach(&guest);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	assert_non_null(strstr(daemon.summary, " 0 bytes of output dropped"));
	daemon_remove_folder(&daemon);
}

/* A port that is not a console always waits, even without full=wait. */
static void file_of_a_port_goes_on_when_the_disk_has_room(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	char backend[160], options[160];

	(void)state;
	daemon_folder(&daemon);
	console_set_paths(&daemon);
	snprintf(backend, sizeof backend, "unix=%s", console_client_path);
	snprintf(options, sizeof options, ",port=data:file=%s", daemon.second);
	console_run(&daemon, backend, options);
	console_await(&daemon);
	console_attach(&guest, &daemon, MULTIPORT);
	console_set_ports_up(&guest, true);
	expect_wait(&daemon, &guest.rings[PORT_TRANSMIT]);
	console_detach(&guest);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	assert_non_null(strstr(daemon.summary, " 0 bytes of output dropped"));
	daemon_remove_folder(&daemon);
}

/* At the end the daemon counts and reports the bytes that it could not write. */
static void file_on_a_full_disk_loses_its_output_at_the_end(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;

	(void)state;
	start_file(&daemon, "");
	console_attach(&guest, &daemon, 0);
	limit_files(&daemon, 1000);
	console_output(&guest.rings[TRANSMIT], 0, 3000);
	daemon_await_error(&daemon, "second.img: output waits: File too large");
	console_detach(&guest);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	daemon_await_error(&daemon, "second.img: 2000 bytes of output are lost");
	assert_non_null(strstr(daemon.summary, " 2000 bytes of output dropped"));
	console_expect_file(daemon.second, 0, 1000);
	daemon_remove_folder(&daemon);
}

/*
 * The reader of stdout has left. The terminal at stdin still works. The user ends the daemon by the
 * escape key, and the daemon restores the terminal.
 */
static void tty_without_a_reader_keeps_its_keyboard(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	struct termios settings;
	char text[1024];
	int master, slave;

	(void)state;
	daemon_folder(&daemon);
	master = console_open_terminal(&slave);
	console_start_tty(&daemon, slave, "");
	console_await_tty(&daemon);
	console_attach(&guest, &daemon, 0);
	fclose(daemon.out);
	daemon.out = fopen("/dev/null", "r");
	assert_non_null(daemon.out);
	for (unsigned int i = 0; i < 3; i++) {
		console_output(&guest.rings[TRANSMIT], i * 1000, i * 1000 + 1000);
		console_type(master, "key", 3);
		console_expect_input(&guest.rings[RECEIVE], "key", 3);
	}
	daemon_await_error(&daemon, "stdout: output waits: Broken pipe");
	assert_int_equal(daemon_errors(&daemon, text, sizeof text), 1);
	console_type(master, "\x1dq", 2);
	/* The summary has no reader either, so the daemon exits with 1. */
	assert_int_equal(daemon_stop(&daemon, 0), 1);
	assert_int_equal(tcgetattr(slave, &settings), 0);
	assert_true(settings.c_lflag & ICANON);
	daemon_await_error(&daemon, "stdout: 3000 bytes of output are lost");
	console_detach(&guest);
	close(slave);
	close(master);
	daemon_remove_folder(&daemon);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_that_waits_goes_on_when_the_disk_has_room),
		cmocka_unit_test(file_of_a_port_goes_on_when_the_disk_has_room),
		cmocka_unit_test(file_on_a_full_disk_loses_its_output_at_the_end),
		cmocka_unit_test(tty_without_a_reader_keeps_its_keyboard),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
