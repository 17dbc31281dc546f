/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Images grow and shrink while they are served. SIGHUP tells the daemon to read the size. */
#include "daemon.h"
#include "front_end.h"
#include "rings.h"

#include "cmocka_includes.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>

#define SECTORS (IMAGE_BYTES / 512)
#define MAX_ANSWERS 100000 /* the daemon must handle a signal within this number of replies */

static uint64_t capacity(struct front_end *fe)
{
	struct vhost_user_config config = { .size = 8 };
	const uint32_t size = offsetof(struct vhost_user_config, data) + 8;

	front_end_send(fe, VHOST_USER_GET_CONFIG, VHOST_USER_FLAG_VERSION, &config, size, NULL, 0);
	assert_int_equal(front_end_reply(fe, VHOST_USER_GET_CONFIG, &config, sizeof config), size);
	return virtio_get_le64(config.data);
}

/*
 * Waits until the daemon has read the image's size after a signal. The daemon's loop serves signals
 * and connections in turn. So the loop handles the signal after a bounded number of replies,
 * however busy the machine is.
 */
static void await_capacity(struct front_end *fe, uint64_t sectors)
{
	for (unsigned int answers = 0; capacity(fe) != sectors; answers++) {
		assert_in_range(answers, 0, MAX_ANSWERS);
		usleep(1000);
	}
}

/* Changes the image's size, sends SIGHUP, and waits until the daemon shows the new size. */
static void resize(const struct daemon_process *daemon, struct front_end *fe, uint64_t sectors)
{
	assert_int_equal(truncate(daemon->image, (off_t)(sectors * 512)), 0);
	assert_int_equal(kill(daemon->pid, SIGHUP), 0);
	await_capacity(fe, sectors);
}

static void open_channel(struct front_end *fe, int *ends)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(front_end_ask(fe, VHOST_USER_SET_BACKEND_REQ_FD, NULL, 0, &ends[1], 1), 0);
}

/*
 * Checks that the daemon has announced `count` changes of size. Does not wait, because the caller
 * has received a reply with the new size. The daemon sends an announcement before such a reply.
 */
static void expect_messages(int channel, unsigned int count)
{
	struct vhost_user_header header;

	for (unsigned int i = 0; i < count; i++) {
		assert_int_equal(recv(channel, &header, sizeof header, MSG_DONTWAIT), sizeof header);
		assert_int_equal(header.request, VHOST_USER_BACKEND_CONFIG_CHANGE_MSG);
		assert_int_equal(header.flags, VHOST_USER_FLAG_VERSION);
		assert_int_equal(header.size, 0);
	}
	assert_int_equal(recv(channel, &header, sizeof header, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void disk_that_grows_can_be_used_and_is_announced(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;
	int ends[2];

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	open_channel(&fe, ends);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_OUT, SECTORS, 512), VIRTIO_BLK_S_IOERR);
	resize(&daemon, &fe, 2 * SECTORS);
	expect_messages(ends[0], 1);
	block_write_and_read(&fe, SECTORS, 7);
	block_write_and_read(&fe, 2 * SECTORS - 1, 8);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_OUT, 2 * SECTORS, 512), VIRTIO_BLK_S_IOERR);
	/*
	 * Without a change of size no message is sent. The pause gives the daemon time to handle
	 * the first signal.
	 */
	assert_int_equal(kill(daemon.pid, SIGHUP), 0);
	usleep(1000);
	assert_int_equal(kill(daemon.pid, SIGHUP), 0);
	resize(&daemon, &fe, 3 * SECTORS);
	expect_messages(ends[0], 1);
	close(ends[0]);
	close(ends[1]);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/*
 * A size that is not a multiple of a sector is rounded up, and the rest of the last sector reads as
 * zeroes.
 */
static void disk_that_shrinks_refuses_requests_beyond_its_end(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;
	int ends[2];

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	open_channel(&fe, ends);
	assert_int_equal(truncate(daemon.image, 5 * 512 - 100), 0);
	/*
	 * The daemon does not know the new size yet, so a read beyond the end fails at the end of
	 * the file.
	 */
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 2, 4096), VIRTIO_BLK_S_IOERR);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 100, 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(kill(daemon.pid, SIGHUP), 0);
	await_capacity(&fe, 5);
	expect_messages(ends[0], 1);
	block_write_and_read(&fe, 3, 9);
	memset(block_data(&fe), 0xee, 512);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 4, 512), VIRTIO_BLK_S_OK);
	assert_int_equal(block_data(&fe)[511], 0);
	block_write_and_read(&fe, 4, 9);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 5, 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_OUT, 5, 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_OUT, 0, 4096), VIRTIO_BLK_S_IOERR);
	/* The image shrinks to nothing, and grows again. */
	resize(&daemon, &fe, 0);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_IOERR);
	resize(&daemon, &fe, SECTORS);
	expect_messages(ends[0], 2);
	block_write_and_read(&fe, SECTORS - 1, 10);
	close(ends[0]);
	close(ends[1]);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* No message is sent without the protocol feature, without the channel, or without a front end. */
static void resize_is_announced_only_if_asked_for(void **state)
{
	const uint64_t config = FEATURE(VHOST_USER_PROTOCOL_F_CONFIG);
	struct daemon_process daemon;
	struct front_end fe;
	int ends[2];

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	open_channel(&fe, ends);
	assert_int_equal(front_end_ask_u64(&fe, VHOST_USER_SET_PROTOCOL_FEATURES,
					   front_end_get_u64(&fe, VHOST_USER_GET_PROTOCOL_FEATURES) & ~config),
			 0);
	resize(&daemon, &fe, SECTORS + 1);
	expect_messages(ends[0], 0);
	block_write_and_read(&fe, SECTORS, 1);
	close(ends[0]);
	close(ends[1]);
	front_end_close(&fe);

	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	resize(&daemon, &fe, SECTORS + 2);
	block_write_and_read(&fe, SECTORS + 1, 2);
	front_end_close(&fe);

	assert_int_equal(truncate(daemon.image, (SECTORS + 3) * 512), 0);
	assert_int_equal(kill(daemon.pid, SIGHUP), 0);
	front_end_open(&fe, daemon.socket);
	await_capacity(&fe, SECTORS + 3);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/*
 * A front end that does not read the announcements is served anyway. A channel that is not a Unix
 * socket is refused.
 */
static void resize_waits_for_nobody(void **state)
{
	struct daemon_process daemon;
	char bytes[4096] = { 0 };
	struct front_end fe;
	int ends[2];

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	assert_int_equal(front_end_ask(&fe, VHOST_USER_SET_BACKEND_REQ_FD, NULL, 0, &fe.memory_fd, 1), 1);
	open_channel(&fe, ends);
	while (send(ends[1], bytes, sizeof bytes, MSG_DONTWAIT) > 0)
		;
	resize(&daemon, &fe, 2 * SECTORS);
	close(ends[0]);
	close(ends[1]);
	resize(&daemon, &fe, 3 * SECTORS);
	block_write_and_read(&fe, 2 * SECTORS, 3);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

struct traffic {
	struct ring *ring;
	atomic_uint *running;
	const char *wrong;
	pthread_t thread;
};

static void *run_traffic(void *arg)
{
	struct traffic *traffic = arg;

	traffic->wrong = ring_traffic(traffic->ring, 100);
	atomic_fetch_sub(traffic->running, 1);
	return NULL;
}

/* While the disk is resized, all requests for sectors that always exist must succeed. */
static void resize_happens_beside_requests(void **state)
{
	struct daemon_process daemon;
	struct traffic traffic[RINGS];
	struct ring rings[RINGS];
	struct front_end fe;
	atomic_uint running = RINGS;
	unsigned int changes = 0;
	int ends[2];

	(void)state;
	daemon_start(&daemon, ",queues=4");
	rings_open(rings, &fe, daemon.socket, FEATURE(VIRTIO_RING_F_EVENT_IDX));
	open_channel(&fe, ends);
	for (unsigned int i = 0; i < RINGS; i++) {
		traffic[i] = (struct traffic){ .ring = &rings[i], .running = &running };
		assert_int_equal(pthread_create(&traffic[i].thread, NULL, run_traffic, &traffic[i]), 0);
	}
	while (atomic_load(&running) > 0 || changes < 10) {
		resize(&daemon, &fe, SECTORS + ++changes % 7);
		expect_messages(ends[0], 1);
	}
	for (unsigned int i = 0; i < RINGS; i++) {
		assert_int_equal(pthread_join(traffic[i].thread, NULL), 0);
		if (traffic[i].wrong)
			fail_msg("ring %u: %s", i, traffic[i].wrong);
	}
	close(ends[0]);
	close(ends[1]);
	rings_close(rings);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, "failed 0)"));
}

/*
 * A queue's thread is stopped and has a request to serve. The resize must not wait for this thread.
 * If the resize waited, the watchdog would end the test. Afterwards the request is served with the
 * new capacity.
 */
static void resize_does_not_wait_for_requests(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;
	pid_t thread;
	int ends[2];

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	open_channel(&fe, ends);
	block_write_and_read(&fe, 0, 1);
	thread = daemon_halt_queue(&daemon);
	if (thread == 0) {
		close(ends[0]);
		close(ends[1]);
		front_end_close(&fe);
		daemon_finish(&daemon);
		print_message("skipped: the system doesn't let a test trace its own children\n");
		skip();
	}
	block_submit(&fe, 0, VIRTIO_BLK_T_IN, SECTORS, 512);
	block_kick(&fe);
	for (uint64_t sectors = SECTORS + 1; sectors < SECTORS + 4; sectors++) {
		resize(&daemon, &fe, sectors);
		expect_messages(ends[0], 1);
	}
	daemon_release_queue(thread);
	block_wait(&fe, 1);
	assert_int_equal(block_status(&fe, 0), VIRTIO_BLK_S_OK);
	block_write_and_read(&fe, SECTORS + 2, 2);
	close(ends[0]);
	close(ends[1]);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disk_that_grows_can_be_used_and_is_announced),
		cmocka_unit_test(disk_that_shrinks_refuses_requests_beyond_its_end),
		cmocka_unit_test(resize_is_announced_only_if_asked_for),
		cmocka_unit_test(resize_waits_for_nobody),
		cmocka_unit_test(resize_happens_beside_requests),
		cmocka_unit_test(resize_does_not_wait_for_requests),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
