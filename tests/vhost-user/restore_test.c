/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * --restore: a daemon with disks begins with the state of an earlier daemon. Also, a daemon refuses
 * to start if it must inherit descriptors but can't inherit them.
 */
#include "daemon.h"
#include "front_end.h"
#include "rings.h"

#include "cmocka_includes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FEATURES FEATURE(VIRTIO_RING_F_EVENT_IDX)
/*
 * The environment variable by which an old program hands its descriptors over to the new program.
 */
#define HANDOVER "VIRTIO_VHOST_USER_HANDOVER"

static char state_path[128], used_path[128];

static void prepare(struct daemon_process *daemon)
{
	daemon_folder(daemon);
	snprintf(state_path, sizeof state_path, "%s/state", daemon->folder);
	snprintf(used_path, sizeof used_path, "%s/state.used", daemon->folder);
}

/* Runs the daemon with --state, and with --restore if `restore` is set. */
static void run(struct daemon_process *daemon, bool restore, const char *options)
{
	char disk[256];
	const char *const arguments[] = { "--blk",    disk, "--state", state_path, restore ? "--restore" : NULL,
					  state_path, NULL };

	snprintf(disk, sizeof disk, "%s,socket=%s%s%s", daemon->image, daemon->socket, daemon_aio(), options);
	daemon_run(daemon, arguments);
	daemon_expect_listening(daemon);
}

/* Lets the front end connect again, and starts its ring at the used index. */
static void move(struct front_end *fe, const struct daemon_process *daemon)
{
	uint16_t used;

	front_end_move(fe, daemon->socket);
	front_end_negotiate(fe, FEATURES);
	front_end_share_memory(fe);
	assert_int_equal(virtio_mock_get(&fe->mock, VIRTIO_MOCK_USED_IDX, &used), 0);
	front_end_set_ring(fe, used);
	front_end_start_ring(fe);
}

/* Requests that the guest makes while no daemon runs are carried out once. */
static void restore_goes_on_with_another_front_end(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;
	uint16_t before, after;
	struct stat st;

	(void)state;
	for (enum daemon_end how = 0; how < DAEMON_WAYS; how++) {
		prepare(&daemon);
		run(&daemon, false, "");
		front_end_open(&fe, daemon.socket);
		front_end_set_up(&fe, FEATURES);
		block_write_and_read(&fe, 3, 0x33);
		for (unsigned int i = 0; i < 3; i++) {
			daemon_end(&daemon, how);
			assert_int_equal(stat(state_path, &st), 0);
			assert_int_equal(st.st_mode & 0777, 0600);
			assert_int_equal(virtio_mock_get(&fe.mock, VIRTIO_MOCK_USED_IDX, &before), 0);
			block_submit(&fe, 0, VIRTIO_BLK_T_IN, 3, 512);
			block_submit(&fe, 1, VIRTIO_BLK_T_FLUSH, 0, 0);
			run(&daemon, true, "");
			assert_int_equal(access(state_path, F_OK), -1);
			assert_int_equal(access(used_path, F_OK), 0);
			move(&fe, &daemon);
			block_wait(&fe, 2);
			assert_int_equal(block_status(&fe, 0), VIRTIO_BLK_S_OK);
			assert_int_equal(block_status(&fe, 1), VIRTIO_BLK_S_OK);
			assert_int_equal(block_data(&fe)[511], i ? 0x40 + i - 1 : 0x33);
			assert_int_equal(virtio_mock_get(&fe.mock, VIRTIO_MOCK_USED_IDX, &after), 0);
			assert_int_equal((uint16_t)(after - before), 2);
			block_write_and_read(&fe, 3, (uint8_t)(0x40 + i));
		}
		front_end_close(&fe);
		front_end_good_session(daemon.socket, 0x66);
		daemon_finish(&daemon);
	}
}

/*
 * Restores several times without a front end in between. After an update the command line still has
 * --restore, but the new program must not restore again.
 */
static void restore_is_done_once_by_each_daemon(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	prepare(&daemon);
	run(&daemon, false, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, FEATURES);
	block_write_and_read(&fe, 1, 0x11);
	for (unsigned int i = 0; i < 3; i++) {
		daemon_end(&daemon, DAEMON_ENDS);
		run(&daemon, true, "");
	}
	daemon_update(&daemon);
	move(&fe, &daemon);
	daemon_update(&daemon);
	block_write_and_read(&fe, 2, 0x22);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* The driver that connects is not the driver of the saved state. */
static void restore_serves_a_new_driver_too(void **state)
{
	static const uint64_t features[] = { FEATURES, 0, FEATURE(VIRTIO_BLK_F_SEG_MAX) };
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	prepare(&daemon);
	run(&daemon, false, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, FEATURES);
	block_write_and_read(&fe, 1, 0x11);
	for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
		daemon_end(&daemon, DAEMON_ENDS);
		front_end_close(&fe);
		run(&daemon, true, "");
		front_end_open(&fe, daemon.socket);
		front_end_set_up(&fe, features[i]);
		block_write_and_read(&fe, i, (uint8_t)(i + 1));
	}
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* Refusals */

/* Checks that a daemon refuses to start, with these words on stderr. */
static void expect_refusal(struct daemon_process *daemon, const char *const *arguments, const char *words)
{
	char text[4096];

	(void)unlink(daemon->errors);
	daemon_run(daemon, arguments);
	assert_int_equal(daemon_stop(daemon, 0), 1);
	daemon_errors(daemon, text, sizeof text);
	if (!strstr(text, words))
		fail_msg("\"%s\" lacks \"%s\"", text, words);
	assert_int_equal(access(daemon->socket, F_OK), -1);
	assert_int_equal(access(daemon->other, F_OK), -1);
}

/* A file's bytes, fewer than 65536. */
struct content {
	uint8_t bytes[65536];
	size_t length;
};

static void read_file(struct content *content)
{
	FILE *file = fopen(state_path, "r");

	assert_non_null(file);
	content->length = fread(content->bytes, 1, sizeof content->bytes, file);
	assert_true(content->length > 0 && content->length < sizeof content->bytes);
	fclose(file);
}

static void write_file(const struct content *content)
{
	FILE *file = fopen(state_path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(content->bytes, 1, content->length, file), content->length);
	assert_int_equal(fclose(file), 0);
}

static void expect_same(const struct content *expected)
{
	static struct content now;

	read_file(&now);
	assert_int_equal(now.length, expected->length);
	assert_memory_equal(now.bytes, expected->bytes, expected->length);
	assert_int_equal(access(used_path, F_OK), -1);
}

/* Lets a daemon with two disks write a state. */
static void save_two(struct daemon_process *daemon, char first[256], char second[256])
{
	const char *const arguments[] = { "--blk", first, "--blk", second, "--state", state_path, NULL };
	struct front_end fe;
	FILE *image;

	prepare(daemon);
	image = fopen(daemon->second, "w");
	assert_non_null(image);
	assert_int_equal(ftruncate(fileno(image), IMAGE_BYTES), 0);
	fclose(image);
	snprintf(first, 256, "%s,socket=%s%s", daemon->image, daemon->socket, daemon_aio());
	snprintf(second, 256, "%s,socket=%s%s", daemon->second, daemon->other, daemon_aio());
	daemon_run(daemon, arguments);
	daemon_expect_listening(daemon);
	front_end_open(&fe, daemon->other);
	front_end_set_up(&fe, FEATURES | FEATURE(VIRTIO_BLK_F_DISCARD));
	block_write_and_read(&fe, 1, 0x11);
	daemon_end(daemon, DAEMON_ENDS);
	front_end_close(&fe);
}

/*
 * A daemon that refuses the state prints what is wrong, and leaves the file for a daemon with the
 * right devices.
 */
static void restore_refuses_the_state_of_other_devices(void **state)
{
	static struct content content;
	struct daemon_process daemon;
	char first[256], second[256], rng[160], queues[300], discard[300];
	struct {
		const char *const arguments[7];
		const char *words;
	} cases[] = {
		{ { "--restore", state_path, "--blk", first }, "section vu-device, device 1" },
		{ { "--restore", state_path, "--blk", first, "--rng", rng }, "the state is of a device blk\n" },
		{ { "--restore", state_path, "--rng", rng, "--blk", second },
		  "section vu-device, device 0, index 0: type" },
		{ { "--restore", state_path, "--blk", first, "--blk", queues },
		  "vu-device, device 1, index 0: queues" },
		{ { "--restore", state_path, "--blk", first, "--blk", discard }, "feature bit 13 is not offered here" },
	};
	const char *const more[] = { "--restore", state_path, "--blk", first, "--blk", second, "--rng", rng, NULL };
	const char *const good[] = { "--blk", first, "--blk", second, "--restore", state_path, NULL };

	(void)state;
	save_two(&daemon, first, second);
	snprintf(rng, sizeof rng, "socket=%s/rng", daemon.folder);
	snprintf(queues, sizeof queues, "%s,queues=3", second);
	snprintf(discard, sizeof discard, "%s,max-discard-bytes=0", second);
	read_file(&content);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		expect_refusal(&daemon, cases[i].arguments, cases[i].words);
		expect_same(&content);
	}
	expect_refusal(&daemon, more, "section vu-device, device 2");
	expect_same(&content);
	/* A smaller image is refused, because it has lost data. */
	assert_int_equal(truncate(daemon.second, IMAGE_BYTES - 512), 0);
	expect_refusal(&daemon, good, "section blk, device 1, index 0: capacity");
	expect_same(&content);
	assert_int_equal(truncate(daemon.second, IMAGE_BYTES), 0);
	daemon_run(&daemon, good);
	daemon_expect_listening(&daemon);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	daemon_remove_folder(&daemon);
}

static void restore_refuses_a_bad_file(void **state)
{
	static struct content content, bad;
	struct daemon_process daemon;
	char first[256], second[256];
	const char *const good[] = { "--blk", first, "--blk", second, "--restore", state_path, NULL };

	(void)state;
	save_two(&daemon, first, second);
	read_file(&content);
	for (unsigned int i = 1; i < 20; i++) {
		bad = content;
		if (i % 2 == 0)
			bad.length = content.length * i / 20;
		else
			bad.bytes[content.length * i / 20] ^= 1 << i % 8;
		write_file(&bad);
		expect_refusal(&daemon, good, "can't be restored: ");
		expect_same(&bad);
	}
	assert_int_equal(unlink(state_path), 0);
	expect_refusal(&daemon, good, "can't be restored: No such file or directory\n");
	assert_int_equal(mkdir(state_path, 0700), 0);
	expect_refusal(&daemon, good, "can't be restored: Is a directory");
	assert_int_equal(rmdir(state_path), 0);
	/* A pipe without a writer does not block the daemon. */
	assert_int_equal(mkfifo(state_path, 0600), 0);
	expect_refusal(&daemon, good, "can't be restored: file: at byte 0: the file is cut off");
	assert_int_equal(unlink(state_path), 0);
	write_file(&content);
	daemon_run(&daemon, good);
	daemon_expect_listening(&daemon);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	daemon_remove_folder(&daemon);
}

/* A second restore from the same file would repeat requests. */
static void restore_refuses_a_file_that_was_used(void **state)
{
	struct daemon_process daemon;
	char first[256], second[256], words[256];
	const char *const good[] = { "--blk", first, "--blk", second, "--restore", state_path, NULL };

	(void)state;
	save_two(&daemon, first, second);
	daemon_run(&daemon, good);
	daemon_expect_listening(&daemon);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	snprintf(words, sizeof words, "No such file or directory: it was used, and its name is now %s\n", used_path);
	expect_refusal(&daemon, good, words);
	/* The operator can still use the file, by renaming it. */
	assert_int_equal(rename(used_path, state_path), 0);
	daemon_run(&daemon, good);
	daemon_expect_listening(&daemon);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	daemon_remove_folder(&daemon);
}

/*
 * Another process listens on the second socket. The daemon fails and removes its first socket, and
 * the state file can still be used.
 */
static void restore_that_can_not_listen_keeps_the_state(void **state)
{
	static struct content content;
	struct daemon_process daemon, other;
	char first[256], second[256], text[4096];
	const char *const good[] = { "--blk", first, "--blk", second, "--restore", state_path, NULL };
	char rng[160];
	const char *const in_the_way[] = { "--rng", rng, NULL };

	(void)state;
	save_two(&daemon, first, second);
	read_file(&content);
	other = daemon;
	snprintf(rng, sizeof rng, "socket=%s", daemon.other);
	memcpy(other.socket, daemon.other, sizeof other.socket);
	daemon_run(&other, in_the_way);
	daemon_expect_listening(&other);
	(void)unlink(daemon.errors);
	daemon_run(&daemon, good);
	assert_int_equal(daemon_stop(&daemon, 0), 1);
	daemon_errors(&daemon, text, sizeof text);
	assert_non_null(strstr(text, "somebody is listening there"));
	assert_int_equal(access(daemon.socket, F_OK), -1);
	expect_same(&content);
	assert_int_equal(daemon_stop(&other, SIGTERM), 0);
	daemon_run(&daemon, good);
	daemon_expect_listening(&daemon);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	daemon_remove_folder(&daemon);
}

/* Sets the variable so that a daemon inherits this table. Returns the table's descriptor. */
static int announce_table(const char *table, size_t bytes)
{
	const int fd = memfd_create("table", 0);
	char number[16];

	assert_true(fd >= 0);
	assert_int_equal(write(fd, table, bytes), bytes);
	snprintf(number, sizeof number, "%d", fd);
	assert_int_equal(setenv(HANDOVER, number, 1), 0);
	return fd;
}

/*
 * A daemon refuses to start if it must inherit descriptors but can't inherit them. The daemon must
 * not begin with a new state.
 */
static void daemon_that_can_not_inherit_starts_nothing(void **state)
{
	static const struct {
		const char *table;
		size_t bytes;
		const char *words;
	} cases[] = {
		{ "", 0, "the table of descriptors is damaged" },
		{ "name", 5, "the table of descriptors is damaged" },
		{ "0", 2, "the table of descriptors is damaged" },
		{ "0 ", 3, "the table of descriptors is damaged" },
		{ "-1 name", 8, "the table of descriptors is damaged" },
		{ "1000000 not open", 17, "the table of descriptors is damaged" },
		{ "0 twice\0"
		  "0 twice again",
		  22, "the table of descriptors is damaged" },
		{ "0 name", 7, "the image was not handed over" },
	};
	struct daemon_process daemon;
	char disk[256];
	const char *const arguments[] = { "--blk", disk, NULL };

	(void)state;
	daemon_folder(&daemon);
	snprintf(disk, sizeof disk, "%s,socket=%s", daemon.image, daemon.socket);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const int fd = announce_table(cases[i].table, cases[i].bytes);

		expect_refusal(&daemon, arguments, cases[i].words);
		close(fd);
	}
	assert_int_equal(setenv(HANDOVER, "", 1), 0);
	expect_refusal(&daemon, arguments, HANDOVER " is no descriptor");
	assert_int_equal(unsetenv(HANDOVER), 0);
	daemon_run(&daemon, arguments);
	daemon_expect_listening(&daemon);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	daemon_remove_folder(&daemon);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(restore_goes_on_with_another_front_end),
		cmocka_unit_test(restore_is_done_once_by_each_daemon),
		cmocka_unit_test(restore_serves_a_new_driver_too),
		cmocka_unit_test(restore_refuses_the_state_of_other_devices),
		cmocka_unit_test(restore_refuses_a_bad_file),
		cmocka_unit_test(restore_refuses_a_file_that_was_used),
		cmocka_unit_test(restore_that_can_not_listen_keeps_the_state),
		cmocka_unit_test(daemon_that_can_not_inherit_starts_nothing),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
