/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* SIGUSR1: the daemon replaces itself. The front end and the guest do not notice the update. */
#include "daemon.h"
#include "front_end.h"
#include "rings.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <virtio/bindings/virtio_ring.h>

#define UPDATES 10

/* A daemon with one disk, and the path of its state. */
struct updating {
	struct daemon_process daemon;
	char disk[256];
	char state[128];
	char line[256]; /* the line that the daemon prints after an update */
};

static void start(struct updating *u, const char *options, const char *program)
{
	const char *const arguments[] = { "--blk", u->disk, "--state", u->state, NULL };

	snprintf(u->disk, sizeof u->disk, "%s,socket=%s%s%s", u->daemon.image, u->daemon.socket, daemon_aio(), options);
	snprintf(u->line, sizeof u->line, "continuing on %s", u->daemon.socket);
	daemon_run_program(&u->daemon, program, arguments);
	daemon_expect_listening(&u->daemon);
}

static void open_daemon(struct updating *u, const char *options)
{
	daemon_folder(&u->daemon);
	snprintf(u->state, sizeof u->state, "%s/state", u->daemon.folder);
	start(u, options, daemon_program());
}

static void close_daemon(struct updating *u)
{
	daemon_finish(&u->daemon);
}

static void update(struct updating *u)
{
	daemon_update(&u->daemon);
}

/* The number of descriptors stays the same, no signal is lost, and each request is served once. */
static void update_is_not_noticed(void **state)
{
	struct updating u;
	struct front_end fe;
	struct stat st;
	unsigned int files, mappings;
	uint64_t features;

	(void)state;
	open_daemon(&u, "");
	front_end_open(&fe, u.daemon.socket);
	front_end_set_up(&fe, FEATURE(VIRTIO_RING_F_EVENT_IDX));
	block_write_and_read(&fe, 3, 0x11);
	files = daemon_open_files(&u.daemon);
	mappings = daemon_mappings(&u.daemon);
	features = front_end_get_u64(&fe, VHOST_USER_GET_FEATURES);
	for (unsigned int i = 0; i < UPDATES; i++) {
		block_submit(&fe, 0, VIRTIO_BLK_T_IN, 3, 512);
		if (i % 2)
			block_kick(&fe);
		update(&u);
		if (i % 2 == 0)
			block_kick(&fe);
		block_wait(&fe, 1);
		assert_int_equal(block_status(&fe, 0), VIRTIO_BLK_S_OK);
		block_write_and_read(&fe, 3 + i, (uint8_t)i);
		assert_int_equal(daemon_open_files(&u.daemon), files);
		assert_int_equal(daemon_mappings(&u.daemon), mappings);
		assert_true(front_end_get_u64(&fe, VHOST_USER_GET_FEATURES) == features);
	}
	assert_int_equal(stat(u.state, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* The new program can disable and enable the ring, and can serve the next front end. */
	assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_ENABLE, 0, 0), 0);
	assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_ENABLE, 0, 1), 0);
	block_write_and_read(&fe, 5, 0x55);
	front_end_close(&fe);
	front_end_good_session(u.daemon.socket, 0x66);
	close_daemon(&u);
}

/* The new program still sends messages on the channel, and still acknowledges as negotiated. */
static void update_keeps_the_channel_to_the_front_end(void **state)
{
	struct vhost_user_header header;
	struct updating u;
	struct front_end fe;
	int ends[2];

	(void)state;
	open_daemon(&u, "");
	front_end_open(&fe, u.daemon.socket);
	front_end_set_up(&fe, 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(front_end_ask(&fe, VHOST_USER_SET_BACKEND_REQ_FD, NULL, 0, &ends[1], 1), 0);
	/* Now only the daemon has this end of the channel. */
	close(ends[1]);
	for (int i = 1; i <= 3; i++) {
		update(&u);
		assert_int_equal(truncate(u.daemon.image, IMAGE_BYTES + 512 * i), 0);
		assert_int_equal(kill(u.daemon.pid, SIGHUP), 0);
		assert_int_equal(recv(ends[0], &header, sizeof header, MSG_WAITALL), sizeof header);
		assert_int_equal(header.request, VHOST_USER_BACKEND_CONFIG_CHANGE_MSG);
		/* The daemon must acknowledge this request (REPLY_ACK). */
		assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_ENABLE, 0, 1), 0);
		block_write_and_read(&fe, 1, (uint8_t)i);
	}
	close(ends[0]);
	front_end_close(&fe);
	close_daemon(&u);
}

static void update_without_front_end_goes_on_listening(void **state)
{
	struct updating u;
	unsigned int files;

	(void)state;
	open_daemon(&u, "");
	files = daemon_open_files(&u.daemon);
	for (unsigned int i = 0; i < 3; i++) {
		update(&u);
		assert_int_equal(daemon_open_files(&u.daemon), files);
		front_end_good_session(u.daemon.socket, (uint8_t)(i + 1));
	}
	close_daemon(&u);
}

/* The statistics at the end include the requests before and after updates, and a broken ring. */
static void update_goes_on_counting(void **state)
{
	struct updating u;
	struct front_end fe;

	(void)state;
	open_daemon(&u, "");
	front_end_open(&fe, u.daemon.socket);
	front_end_set_up(&fe, 0);
	for (unsigned int i = 0; i < 3; i++) {
		block_write_and_read(&fe, i, (uint8_t)(i + 1));
		update(&u);
	}
	assert_int_equal(block_io(&fe, 77, 0, 0), VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(virtio_mock_set(&fe.mock, VIRTIO_MOCK_AVAIL_IDX, 1000), 0);
	assert_int_equal(write(fe.kick, &(uint64_t){ 1 }, 8), 8);
	daemon_await_error(&u.daemon, "queue 0 stopped");
	for (unsigned int i = 0; i < 3; i++)
		update(&u);
	front_end_close(&fe);
	update(&u);
	close_daemon(&u);
	assert_non_null(strstr(u.daemon.summary, ": 10 requests (in 3, out 3, flush 3, get-id 0, discard 0, "
						 "write-zeroes 0, other 1, failed 1), 1536 bytes read, 1536 bytes "
						 "written, 1 faults"));
}

/* Traffic */

struct traffic {
	struct ring *ring;
	atomic_bool *stop;
	pthread_t thread;
	const char *wrong;
};

static void *run_traffic(void *arg)
{
	struct traffic *traffic = arg;

	while (!traffic->wrong && !atomic_load(traffic->stop))
		traffic->wrong = ring_traffic(traffic->ring, 2);
	return NULL;
}

static void update_under_load_loses_no_request(void **state)
{
	struct updating u;
	struct front_end fe;
	struct ring rings[RINGS];
	struct traffic traffic[RINGS];
	atomic_bool stop = false;
	unsigned int files;

	(void)state;
	open_daemon(&u, ",queues=4");
	rings_open(rings, &fe, u.daemon.socket, FEATURE(VIRTIO_RING_F_EVENT_IDX));
	files = daemon_open_files(&u.daemon);
	for (unsigned int i = 0; i < RINGS; i++) {
		traffic[i] = (struct traffic){ .ring = &rings[i], .stop = &stop };
		assert_int_equal(pthread_create(&traffic[i].thread, NULL, run_traffic, &traffic[i]), 0);
	}
	for (unsigned int i = 0; i < UPDATES; i++) {
		update(&u);
		usleep(20000);
	}
	atomic_store(&stop, true);
	for (unsigned int i = 0; i < RINGS; i++) {
		assert_int_equal(pthread_join(traffic[i].thread, NULL), 0);
		if (traffic[i].wrong)
			fail_msg("ring %u: %s", i, traffic[i].wrong);
	}
	assert_int_equal(daemon_open_files(&u.daemon), files);
	rings_close(rings);
	close_daemon(&u);
}

/* Messages */

static void update_keeps_half_a_message(void **state)
{
	const struct vhost_user_header header = {
		.request = VHOST_USER_GET_QUEUE_NUM,
		.flags = VHOST_USER_FLAG_VERSION,
	};
	struct updating u;
	struct front_end fe;
	uint64_t count;

	(void)state;
	open_daemon(&u, ",queues=3");
	front_end_open(&fe, u.daemon.socket);
	front_end_set_up(&fe, 0);
	for (size_t half = 1; half < sizeof header; half += 5) {
		assert_int_equal(send(fe.socket, &header, half, 0), half);
		update(&u);
		assert_int_equal(send(fe.socket, (const char *)&header + half, sizeof header - half, 0),
				 sizeof header - half);
		assert_int_equal(front_end_reply(&fe, VHOST_USER_GET_QUEUE_NUM, &count, sizeof count), sizeof count);
		assert_int_equal(count, 3);
	}
	front_end_close(&fe);
	close_daemon(&u);
}

/* Failures */

/*
 * Checks that an update fails, and that the old program continues with the same number of
 * descriptors.
 */
static void expect_old_process(struct updating *u, struct front_end *fe, const char *error, unsigned int files)
{
	assert_int_equal(kill(u->daemon.pid, SIGUSR1), 0);
	daemon_await_error(&u->daemon, error);
	block_write_and_read(fe, 1, 0x77);
	assert_int_equal(daemon_open_files(&u->daemon), files);
}

static void update_without_state_file_changes_nothing(void **state)
{
	struct updating u;
	struct front_end fe;
	char folder[160];

	(void)state;
	/* The daemon has no --state option. */
	daemon_start(&u.daemon, "");
	front_end_open(&fe, u.daemon.socket);
	front_end_set_up(&fe, 0);
	expect_old_process(&u, &fe, "there is no --state PATH", daemon_open_files(&u.daemon));
	front_end_close(&fe);
	daemon_finish(&u.daemon);
	/* The state can't be written, because its folder does not exist. */
	daemon_folder(&u.daemon);
	snprintf(folder, sizeof folder, "%s/none/state", u.daemon.folder);
	memcpy(u.state, folder, sizeof u.state);
	start(&u, "", daemon_program());
	front_end_open(&fe, u.daemon.socket);
	front_end_set_up(&fe, 0);
	expect_old_process(&u, &fe, "not updated: ", daemon_open_files(&u.daemon));
	daemon_await_error(&u.daemon, "none/state: No such file or directory");
	front_end_close(&fe);
	/* At the end the state can't be written either. */
	assert_int_equal(daemon_stop(&u.daemon, SIGTERM), 1);
	daemon_await_error(&u.daemon, "the state is not saved: No such file or directory");
	daemon_remove_folder(&u.daemon);
}

static void update_to_a_missing_program_changes_nothing(void **state)
{
	struct updating u;
	struct front_end fe;
	char program[128];

	(void)state;
	daemon_folder(&u.daemon);
	snprintf(program, sizeof program, "%s/program", u.daemon.folder);
	snprintf(u.state, sizeof u.state, "%s/state", u.daemon.folder);
	daemon_copy_program(program);
	start(&u, "", program);
	front_end_open(&fe, u.daemon.socket);
	front_end_set_up(&fe, 0);
	unlink(program);
	expect_old_process(&u, &fe, "No such file or directory", daemon_open_files(&u.daemon));
	/* Now the program's file exists again. */
	daemon_copy_program(program);
	update(&u);
	block_write_and_read(&fe, 2, 0x22);
	front_end_close(&fe);
	unlink(program);
	close_daemon(&u);
}

/* The limit of descriptors is too low for the new program. */
static void update_without_room_for_descriptors_changes_nothing(void **state)
{
	struct rlimit limit;
	struct updating u;
	struct front_end fe;
	unsigned int files;

	(void)state;
	open_daemon(&u, "");
	front_end_open(&fe, u.daemon.socket);
	front_end_set_up(&fe, 0);
	block_write_and_read(&fe, 0, 1);
	files = daemon_open_files(&u.daemon);
	/*
	 * The limit has room for the descriptors that the old program opens for the update, but not
	 * for the new program's copies. The hard limit is the same, so the new program can't raise
	 * its limit.
	 */
	limit = (struct rlimit){ .rlim_cur = files + 8, .rlim_max = files + 8 };
	assert_int_equal(prlimit(u.daemon.pid, RLIMIT_NOFILE, &limit, NULL), 0);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(truncate(u.daemon.errors, 0), 0);
		expect_old_process(&u, &fe, "not updated: descriptors: Too many open files", files);
	}
	front_end_close(&fe);
	close_daemon(&u);
}

/* The path of the image is long, and contains a newline. */
static void update_keeps_an_image_with_a_strange_name(void **state)
{
	char image[1024], disk[1200], folder[128];
	const char *const arguments[] = { "--blk", disk, "--state", NULL, NULL };
	const char *with_state[5];
	struct updating u;
	struct front_end fe;

	(void)state;
	daemon_folder(&u.daemon);
	snprintf(u.state, sizeof u.state, "%s/state", u.daemon.folder);
	snprintf(folder, sizeof folder, "%s/two\nlines", u.daemon.folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	snprintf(image, sizeof image, "%s/", folder);
	while (strlen(image) < 600)
		strcat(image, "././");
	strcat(image, "../disk.img");
	snprintf(disk, sizeof disk, "%s,socket=%s%s", image, u.daemon.socket, daemon_aio());
	memcpy(with_state, arguments, sizeof arguments);
	with_state[3] = u.state;
	daemon_run(&u.daemon, with_state);
	daemon_expect_listening(&u.daemon);
	front_end_open(&fe, u.daemon.socket);
	front_end_set_up(&fe, 0);
	for (unsigned int i = 0; i < 3; i++) {
		update(&u);
		block_write_and_read(&fe, i, (uint8_t)(i + 1));
	}
	front_end_close(&fe);
	assert_int_equal(rmdir(folder), 0);
	close_daemon(&u);
}

/*
 * The new program prints why it can't continue, and executes the old program again with the old
 * program's arguments. The old program then continues.
 */
static void update_that_is_refused_continues_the_old_program(void **state)
{
	static const struct {
		const char *arguments, *error;
	} cases[] = {
		{ "--rng socket=/nowhere", "the target refuses the value" },
		{ "--blk %s,socket=/nowhere,queues=2", "queues" },
		{ "--blk /nowhere,socket=/nowhere", "not handed over" },
		{ "--blk %s,socket=/nowhere --blk /dev/null,socket=/none", "the old program goes on" },
		{ "--nonsense", "the old program goes on" },
	};
	struct updating u;
	struct front_end fe;
	char program[128], text[1024], arguments[256];
	unsigned int files;

	(void)state;
	daemon_folder(&u.daemon);
	snprintf(program, sizeof program, "%s/program", u.daemon.folder);
	snprintf(u.state, sizeof u.state, "%s/state", u.daemon.folder);
	daemon_copy_program(program);
	start(&u, "", program);
	front_end_open(&fe, u.daemon.socket);
	front_end_set_up(&fe, 0);
	files = daemon_open_files(&u.daemon);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		/* The image's path replaces %s. */
		char *const at = strstr(cases[i].arguments, "%s");

		snprintf(arguments, sizeof arguments, "%.*s%s%s",
			 at ? (int)(at - cases[i].arguments) : (int)strlen(cases[i].arguments), cases[i].arguments,
			 at ? u.daemon.image : "", at ? at + 2 : "");
		snprintf(text, sizeof text, "#!/bin/sh\nexec '%s' %s\n", daemon_program(), arguments);
		daemon_write_script(program, text);
		assert_int_equal(kill(u.daemon.pid, SIGUSR1), 0);
		daemon_await_error(&u.daemon, cases[i].error);
		assert_true(daemon_says(&u.daemon, u.line));
		block_write_and_read(&fe, i, (uint8_t)(i + 1));
		assert_int_equal(daemon_open_files(&u.daemon), files);
		assert_int_equal(truncate(u.daemon.errors, 0), 0);
		/* Restore the program's file for the next round. */
		daemon_copy_program(program);
	}
	front_end_close(&fe);
	unlink(program);
	close_daemon(&u);
}

/* Requests in flight that do not end, and flushes that failed */

static void update_gives_up_on_a_thread_that_stands_still(void **state)
{
	struct updating u;
	struct front_end fe;
	pid_t thread;

	(void)state;
	open_daemon(&u, "");
	front_end_open(&fe, u.daemon.socket);
	front_end_set_up(&fe, 0);
	block_write_and_read(&fe, 0, 1);
	thread = daemon_halt_queue(&u.daemon);
	if (thread == 0) {
		front_end_close(&fe);
		close_daemon(&u);
		print_message("no permission to stop a thread: not tested\n");
		skip();
	}
	assert_int_equal(kill(u.daemon.pid, SIGUSR1), 0);
	daemon_await_error(&u.daemon, "requests in flight don't end");
	daemon_release_queue(thread);
	block_write_and_read(&fe, 0, 2);
	update(&u);
	block_write_and_read(&fe, 0, 3);
	front_end_close(&fe);
	close_daemon(&u);
}

/* Makes every fdatasync() fail, also in programs that start later. The filter can't be removed. */
static void fail_syncs(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fdatasync, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = sizeof code / sizeof *code, .filter = code };

	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/*
 * The kernel reports lost data only once, so after an update a flush would succeed. Therefore the
 * daemon refuses updates after a failed flush.
 */
static void update_does_not_forget_a_failed_flush(void **state)
{
	struct updating u;
	struct front_end fe;
	unsigned int files;

	(void)state;
	fail_syncs();
	open_daemon(&u, "");
	front_end_open(&fe, u.daemon.socket);
	front_end_set_up(&fe, 0);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_OUT, 1, 512), VIRTIO_BLK_S_OK);
	update(&u);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_IOERR);
	files = daemon_open_files(&u.daemon);
	assert_int_equal(kill(u.daemon.pid, SIGUSR1), 0);
	daemon_await_error(&u.daemon, "a flush of the image has failed");
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_IOERR);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 1, 512), VIRTIO_BLK_S_OK);
	assert_int_equal(daemon_open_files(&u.daemon), files);
	front_end_close(&fe);
	/* The daemon does not save its state at the end, either. */
	assert_int_equal(daemon_stop(&u.daemon, SIGTERM), 1);
	daemon_remove_folder(&u.daemon);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(update_is_not_noticed),
		cmocka_unit_test(update_keeps_the_channel_to_the_front_end),
		cmocka_unit_test(update_without_front_end_goes_on_listening),
		cmocka_unit_test(update_goes_on_counting),
		cmocka_unit_test(update_under_load_loses_no_request),
		cmocka_unit_test(update_keeps_half_a_message),
		cmocka_unit_test(update_without_state_file_changes_nothing),
		cmocka_unit_test(update_to_a_missing_program_changes_nothing),
		cmocka_unit_test(update_without_room_for_descriptors_changes_nothing),
		cmocka_unit_test(update_keeps_an_image_with_a_strange_name),
		cmocka_unit_test(update_that_is_refused_continues_the_old_program),
		cmocka_unit_test(update_gives_up_on_a_thread_that_stands_still),
		cmocka_unit_test(update_does_not_forget_a_failed_flush),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
