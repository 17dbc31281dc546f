/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The entropy device of the daemon. It represents all devices with one thread for all queues, no
 * configuration space, and input that can arrive at any time.
 */
#include "daemon.h"
#include "front_end.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>

#define REQUEST_BYTES 65536u

static char source[128];

static void source_path(const struct daemon_process *daemon)
{
	snprintf(source, sizeof source, "%s/source", daemon->folder);
}

static void run_rng_again(struct daemon_process *daemon, const char *options, bool restore)
{
	char spec[256], line[128], state[128];
	const char *const arguments[] = { "--rng", spec, "--state", state, restore ? "--restore" : NULL, state, NULL };

	snprintf(state, sizeof state, "%s/state", daemon->folder);
	snprintf(spec, sizeof spec, "socket=%s%s", daemon->socket, options);
	snprintf(line, sizeof line, "listening on %s", daemon->socket);
	daemon_run(daemon, arguments);
	assert_true(daemon_says(daemon, line));
}

static void run_rng(struct daemon_process *daemon, const char *options)
{
	run_rng_again(daemon, options, false);
}

static void start_rng(struct daemon_process *daemon)
{
	daemon_folder(daemon);
	run_rng(daemon, "");
}

/* Starts the daemon with a pipe as the source. Returns the end to write to. */
static int start_rng_with_pipe(struct daemon_process *daemon)
{
	char option[160];
	int fd;

	daemon_folder(daemon);
	source_path(daemon);
	assert_int_equal(mkfifo(source, 0600), 0);
	snprintf(option, sizeof option, ",source=%s", source);
	run_rng(daemon, option);
	fd = open(source, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void finish_rng_with_pipe(struct daemon_process *daemon, int pipe)
{
	close(pipe);
	assert_int_equal(unlink(source), 0);
	daemon_finish(daemon);
}

static void attach(struct front_end *fe, const struct daemon_process *daemon, uint64_t features)
{
	front_end_open(fe, daemon->socket);
	front_end_negotiate_type(fe, features);
	front_end_share_memory(fe);
	front_end_set_ring(fe, 0);
	front_end_start_ring(fe);
}

/* Makes a buffer of `len` bytes available, at `offset` in DATA, and kicks. */
static void offer(struct front_end *fe, uint32_t offset, uint32_t len)
{
	const struct virtio_mock_buffer buffer = { .addr = GUEST_ADDR + DATA + offset,
						   .len = len,
						   .flags = VRING_DESC_F_WRITE };

	assert_true(virtio_mock_add(&fe->mock, &buffer, 1) >= 0);
	block_kick(fe);
}

/* Waits for a used buffer, and returns its used length. */
static uint32_t take(struct front_end *fe)
{
	struct vring_used_elem used;
	uint64_t signals;

	for (;;) {
		const int got = virtio_mock_pop_used(&fe->mock, &used);

		assert_true(got >= 0);
		if (got == 1)
			break;
		if (virtio_mock_enable_interrupts(&fe->mock) == 0)
			assert_int_equal(read(fe->call, &signals, sizeof signals), sizeof signals);
	}
	watchdog_step();
	return used.len;
}

/*
 * Waits until the device has had a turn, and checks that it has used `count` buffers in total.
 * SET_VRING_CALL causes a turn of the queue, which ends before the next SET_VRING_CALL is answered.
 */
static void expect_used(struct front_end *fe, uint16_t count)
{
	uint16_t used;

	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(front_end_ask_fd(fe, VHOST_USER_SET_VRING_CALL, 0, fe->call), 0);
	assert_int_equal(virtio_mock_get(&fe->mock, VIRTIO_MOCK_USED_IDX, &used), 0);
	assert_int_equal(used, count);
}

static bool is_filled(const uint8_t *bytes, size_t len)
{
	static const uint8_t zeroes[64];

	for (size_t i = 0; i + sizeof zeroes <= len; i += sizeof zeroes)
		if (memcmp(bytes + i, zeroes, sizeof zeroes) == 0)
			return false;
	return true;
}

static void rng_fills_buffers(void **state)
{
	const uint64_t features[] = { 0, FEATURE(VIRTIO_RING_F_EVENT_IDX) };
	const uint32_t lens[] = { 1, 64, 5000, REQUEST_BYTES, REQUEST_BYTES + 4096 };
	struct daemon_process daemon;
	struct front_end fe;
	char words[192];

	(void)state;
	start_rng(&daemon);
	for (unsigned int f = 0; f < 2; f++) {
		attach(&fe, &daemon, features[f]);
		/* The device's thread serves all queues, so no queue has a thread. */
		daemon_await_queues(&daemon, 0);
		for (unsigned int i = 0; i < sizeof lens / sizeof *lens; i++) {
			const uint32_t expected = lens[i] < REQUEST_BYTES ? lens[i] : REQUEST_BYTES;

			memset(fe.memory + DATA, 0, lens[i]);
			offer(&fe, 0, lens[i]);
			assert_int_equal(take(&fe), expected);
			assert_true(is_filled(fe.memory + DATA, expected));
			/* The device must not write beyond the used length that it reports. */
			for (uint32_t n = expected; n < lens[i]; n++)
				assert_int_equal(fe.memory[DATA + n], 0);
		}
		front_end_close(&fe);
	}
	daemon_finish(&daemon);
	snprintf(words, sizeof words, "rng %s: 10 requests, %u bytes, 0 faults", daemon.socket,
		 2 * (1 + 64 + 5000 + 2 * REQUEST_BYTES));
	assert_string_equal(daemon.summary, words);
}

/* The ring has more buffers than one turn serves. */
static void rng_serves_all_buffers_of_a_full_ring(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	start_rng(&daemon);
	attach(&fe, &daemon, FEATURE(VIRTIO_RING_F_EVENT_IDX));
	for (unsigned int round = 0; round < 10; round++) {
		for (unsigned int i = 0; i < RING_SIZE; i++)
			offer(&fe, 64 * i, 64);
		for (unsigned int i = 0; i < RING_SIZE; i++)
			assert_int_equal(take(&fe), 64);
	}
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* virtio 1.4, 5.4.6: the device may fill only a part of the buffers, and reports the length. */
static void rng_fills_good_buffers_before_a_bad_one(void **state)
{
	const struct virtio_mock_buffer buffers[3] = {
		{ .addr = GUEST_ADDR + DATA, .len = 64, .flags = VRING_DESC_F_WRITE },
		{ .addr = GUEST_ADDR + 2 * GUEST_BYTES, .len = 64, .flags = VRING_DESC_F_WRITE },
		{ .addr = GUEST_ADDR + DATA + 64, .len = 64, .flags = VRING_DESC_F_WRITE },
	};
	const struct virtio_mock_buffer readable = { .addr = GUEST_ADDR + DATA, .len = 64 };
	static const uint8_t zeroes[64];
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	start_rng(&daemon);
	attach(&fe, &daemon, 0);
	memset(fe.memory + DATA, 0, 128);
	assert_true(virtio_mock_add(&fe.mock, buffers, 3) >= 0);
	block_kick(&fe);
	assert_int_equal(take(&fe), 64);
	assert_true(is_filled(fe.memory + DATA, 64));
	assert_memory_equal(fe.memory + DATA + 64, zeroes, 64);
	/* A buffer without a writable byte is completed with length 0. */
	memset(fe.memory + DATA, 0, 64);
	assert_true(virtio_mock_add(&fe.mock, &readable, 1) >= 0);
	block_kick(&fe);
	assert_int_equal(take(&fe), 0);
	assert_memory_equal(fe.memory + DATA, zeroes, 64);
	offer(&fe, 0, 64);
	assert_int_equal(take(&fe), 64);
	front_end_close(&fe);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, ": 3 requests, 128 bytes, 1 faults"));
}

static void rng_has_no_configuration_space(void **state)
{
	const uint64_t config = FEATURE(VHOST_USER_PROTOCOL_F_CONFIG) | FEATURE(VHOST_USER_PROTOCOL_F_BACKEND_REQ);
	struct vhost_user_config access = { .size = 8 };
	const uint32_t size = offsetof(struct vhost_user_config, data) + 8;
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	start_rng(&daemon);
	front_end_open(&fe, daemon.socket);
	assert_int_equal(front_end_get_u64(&fe, VHOST_USER_GET_PROTOCOL_FEATURES) & config, 0);
	front_end_negotiate_type(&fe, 0);
	assert_int_equal(front_end_get_u64(&fe, VHOST_USER_GET_QUEUE_NUM), 1);
	front_end_send(&fe, VHOST_USER_GET_CONFIG, VHOST_USER_FLAG_VERSION, &access, size, NULL, 0);
	assert_int_equal(front_end_reply(&fe, VHOST_USER_GET_CONFIG, &access, sizeof access), 0);
	assert_int_equal(front_end_ask(&fe, VHOST_USER_SET_CONFIG, &access, size, NULL, 0), 1);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/*
 * Buffers wait in the ring for input. The device writes arriving input to the next buffers, without
 * another kick.
 */
static void rng_waits_for_its_source(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;
	int pipe;

	(void)state;
	pipe = start_rng_with_pipe(&daemon);
	attach(&fe, &daemon, FEATURE(VIRTIO_RING_F_EVENT_IDX));
	for (uint32_t i = 0; i < 4; i++)
		offer(&fe, 64 * i, 64);
	expect_used(&fe, 0);
	assert_int_equal(write(pipe, "abcde", 5), 5);
	assert_int_equal(take(&fe), 5);
	assert_memory_equal(fe.memory + DATA, "abcde", 5);
	expect_used(&fe, 1);
	assert_int_equal(write(pipe, "0123456789012345678901234567890123456789012345678901234567890123xyz", 67), 67);
	assert_int_equal(take(&fe), 64);
	assert_int_equal(take(&fe), 3);
	assert_memory_equal(fe.memory + DATA + 128, "xyz", 3);
	expect_used(&fe, 3);
	/* This input uses the last buffer that waits. The next input finds no buffer. */
	assert_int_equal(write(pipe, "f", 1), 1);
	assert_int_equal(take(&fe), 1);
	assert_int_equal(write(pipe, "gh", 2), 2);
	expect_used(&fe, 4);
	offer(&fe, 0, 1);
	assert_int_equal(take(&fe), 1);
	offer(&fe, 0, 64);
	assert_int_equal(take(&fe), 1);
	assert_int_equal(fe.memory[DATA], 'h');
	front_end_close(&fe);
	finish_rng_with_pipe(&daemon, pipe);
	assert_non_null(strstr(daemon.summary, ": 6 requests, 75 bytes, 0 faults"));
}

/*
 * Buffers that wait for input are not popped. So new memory or a stop loses no buffer, and a front
 * end may leave at any time.
 */
static void rng_that_waits_can_be_stopped_and_moved(void **state)
{
	struct vhost_user_vring_state base = { .index = 0 };
	struct vhost_user_memory table = front_end_table();
	struct daemon_process daemon;
	struct front_end fe;
	int pipe;

	(void)state;
	table.count = 1;
	table.regions[0].size = GUEST_BYTES;
	pipe = start_rng_with_pipe(&daemon);
	attach(&fe, &daemon, FEATURE(VIRTIO_RING_F_EVENT_IDX));
	offer(&fe, 0, 64);
	offer(&fe, 64, 64);
	expect_used(&fe, 0);
	assert_int_equal(front_end_ask_table(&fe, &table), 0);
	assert_int_equal(daemon_mappings(&daemon), 1);
	assert_int_equal(write(pipe, "a", 1), 1);
	assert_int_equal(take(&fe), 1);
	expect_used(&fe, 1);
	front_end_send(&fe, VHOST_USER_GET_VRING_BASE, VHOST_USER_FLAG_VERSION, &base, sizeof base, NULL, 0);
	assert_int_equal(front_end_reply(&fe, VHOST_USER_GET_VRING_BASE, &base, sizeof base), sizeof base);
	assert_int_equal(base.num, 1);
	assert_int_equal(write(pipe, "b", 1), 1);
	front_end_set_ring(&fe, 1);
	front_end_start_ring(&fe);
	assert_int_equal(take(&fe), 1);
	assert_int_equal(fe.memory[DATA + 64], 'b');
	/* The front end leaves while a buffer waits. */
	offer(&fe, 0, 64);
	expect_used(&fe, 2);
	front_end_close(&fe);
	attach(&fe, &daemon, 0);
	offer(&fe, 0, 64);
	expect_used(&fe, 0);
	assert_int_equal(write(pipe, "c", 1), 1);
	assert_int_equal(take(&fe), 1);
	front_end_close(&fe);
	finish_rng_with_pipe(&daemon, pipe);
}

static void rng_whose_ring_breaks_is_set_up_anew(void **state)
{
	struct vhost_user_vring_state base = { .index = 0 };
	struct daemon_process daemon;
	struct front_end fe;
	uint64_t count;
	char text[256];
	int pipe;

	(void)state;
	pipe = start_rng_with_pipe(&daemon);
	attach(&fe, &daemon, 0);
	for (unsigned int i = 0; i < 3; i++) {
		offer(&fe, 0, 64);
		expect_used(&fe, 0);
		assert_int_equal(virtio_mock_set(&fe.mock, VIRTIO_MOCK_AVAIL_IDX, RING_SIZE + 1), 0);
		assert_int_equal(write(fe.kick, &(uint64_t){ 1 }, 8), 8);
		assert_int_equal(read(fe.err, &count, sizeof count), sizeof count);
		/* The ring is stopped, so this input finds no queue. */
		assert_int_equal(write(pipe, "a", 1), 1);
		assert_int_equal(virtio_mock_reset(&fe.mock), 0);
		front_end_set_ring(&fe, 0);
		front_end_start_ring(&fe);
		offer(&fe, 0, 64);
		assert_int_equal(take(&fe), 1);
		/* The front end stops the ring, as it does for a new driver. */
		front_end_send(&fe, VHOST_USER_GET_VRING_BASE, VHOST_USER_FLAG_VERSION, &base, sizeof base, NULL, 0);
		assert_int_equal(front_end_reply(&fe, VHOST_USER_GET_VRING_BASE, &base, sizeof base), sizeof base);
		assert_int_equal(base.num, 1);
		base.num = 0;
		assert_int_equal(virtio_mock_reset(&fe.mock), 0);
		front_end_set_ring(&fe, 0);
		front_end_start_ring(&fe);
	}
	daemon_errors(&daemon, text, sizeof text);
	assert_non_null(strstr(text, ": queue 0 stopped: "));
	front_end_close(&fe);
	finish_rng_with_pipe(&daemon, pipe);
	assert_non_null(strstr(daemon.summary, ": 3 requests, 3 bytes, 3 faults"));
}

/* The daemon reports the end of the source, and reads the source again after SIGHUP. */
static void rng_whose_source_has_ended_says_so(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;
	char text[256];

	(void)state;
	daemon_folder(&daemon);
	run_rng(&daemon, ",source=/dev/null");
	attach(&fe, &daemon, 0);
	offer(&fe, 0, 64);
	offer(&fe, 64, 64);
	expect_used(&fe, 0);
	assert_int_equal(daemon_errors(&daemon, text, sizeof text), 1);
	assert_non_null(strstr(text, ": /dev/null: has ended"));
	assert_int_equal(kill(daemon.pid, SIGHUP), 0);
	while (daemon_errors(&daemon, text, sizeof text) < 2)
		usleep(1000);
	expect_used(&fe, 0);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

static void expect_refusal(struct daemon_process *daemon, const char *spec, const char *words)
{
	const char *const arguments[] = { "--rng", spec, NULL };
	char text[1024];

	unlink(daemon->errors);
	daemon_run(daemon, arguments);
	assert_int_equal(daemon_stop(daemon, 0), 1);
	assert_string_equal(daemon->summary, "");
	daemon_errors(daemon, text, sizeof text);
	assert_non_null(strstr(text, words));
	assert_int_equal(access(daemon->socket, F_OK), -1);
}

static void rng_options_that_are_wrong_are_refused(void **state)
{
	struct daemon_process daemon;
	char spec[256];

	(void)state;
	daemon_folder(&daemon);
	expect_refusal(&daemon, "", "expected name=value");
	expect_refusal(&daemon, "socket=", "no socket=PATH");
	expect_refusal(&daemon, "source=/dev/null", "no socket=PATH");
	expect_refusal(&daemon, "socket=/tmp/x,queues=2", "queues: unknown option of --rng");
	snprintf(spec, sizeof spec, "socket=%s,source=%s", daemon.socket, daemon.image);
	expect_refusal(&daemon, spec, "disk.img: neither a pipe nor a character device");
	snprintf(spec, sizeof spec, "socket=%s,source=%s/missing", daemon.socket, daemon.folder);
	expect_refusal(&daemon, spec, "missing: No such file or directory");
	daemon_remove_folder(&daemon);
}

/* One daemon serves devices of two types, each with its own front end. */
static void rng_and_disk_are_served_together(void **state)
{
	struct daemon_process daemon;
	char disk[256], rng[256], line[128];
	const char *const arguments[] = { "--rng", rng, "--blk", disk, NULL };
	struct front_end fe;

	(void)state;
	daemon_folder(&daemon);
	snprintf(rng, sizeof rng, "socket=%s", daemon.other);
	snprintf(disk, sizeof disk, "%s,socket=%s", daemon.image, daemon.socket);
	daemon_run(&daemon, arguments);
	snprintf(line, sizeof line, "listening on %s", daemon.other);
	assert_true(daemon_says(&daemon, line));
	snprintf(line, sizeof line, "listening on %s", daemon.socket);
	assert_true(daemon_says(&daemon, line));
	front_end_open(&fe, daemon.other);
	front_end_negotiate_type(&fe, 0);
	front_end_share_memory(&fe);
	front_end_set_ring(&fe, 0);
	front_end_start_ring(&fe);
	for (unsigned int i = 0; i < 5; i++) {
		offer(&fe, 0, 64);
		front_end_good_session(daemon.socket, (uint8_t)(i + 1));
		assert_int_equal(take(&fe), 64);
	}
	front_end_close(&fe);
	daemon_finish(&daemon);
	assert_int_equal(access(daemon.other, F_OK), -1);
}

/* A buffer waits in the ring during each update and the restore. */
static void rng_goes_on_after_an_update_and_a_restore(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;
	char option[160];
	int pipe;

	(void)state;
	pipe = start_rng_with_pipe(&daemon);
	attach(&fe, &daemon, 0);
	for (unsigned int i = 0; i < 5; i++) {
		offer(&fe, 0, 64);
		daemon_update(&daemon);
		expect_used(&fe, (uint16_t)i);
		assert_int_equal(write(pipe, "x", 1), 1);
		assert_int_equal(take(&fe), 1);
	}
	/* The statistics count the requests before and after the updates. */
	offer(&fe, 0, 64);
	daemon_end(&daemon, DAEMON_ENDS);
	assert_non_null(strstr(daemon.summary, ": 5 requests, 5 bytes, 0 faults"));
	snprintf(option, sizeof option, ",source=%s", source);
	run_rng_again(&daemon, option, true);
	front_end_move(&fe, daemon.socket);
	front_end_negotiate_type(&fe, 0);
	front_end_share_memory(&fe);
	front_end_set_ring(&fe, 5);
	front_end_start_ring(&fe);
	expect_used(&fe, 5);
	assert_int_equal(write(pipe, "x", 1), 1);
	assert_int_equal(take(&fe), 1);
	front_end_close(&fe);
	finish_rng_with_pipe(&daemon, pipe);
	assert_non_null(strstr(daemon.summary, ": 1 requests, 1 bytes, 0 faults"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rng_fills_buffers),
		cmocka_unit_test(rng_serves_all_buffers_of_a_full_ring),
		cmocka_unit_test(rng_fills_good_buffers_before_a_bad_one),
		cmocka_unit_test(rng_has_no_configuration_space),
		cmocka_unit_test(rng_waits_for_its_source),
		cmocka_unit_test(rng_that_waits_can_be_stopped_and_moved),
		cmocka_unit_test(rng_whose_ring_breaks_is_set_up_anew),
		cmocka_unit_test(rng_whose_source_has_ended_says_so),
		cmocka_unit_test(rng_options_that_are_wrong_are_refused),
		cmocka_unit_test(rng_and_disk_are_served_together),
		cmocka_unit_test(rng_goes_on_after_an_update_and_a_restore),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
