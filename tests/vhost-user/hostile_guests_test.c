/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Input that costs the host time or resources: long requests, memory that disappears, interrupts
 * that nobody reads, and file descriptors. Other guests must not notice this input.
 */
#include "daemon.h"
#include "front_end.h"

#include "cmocka_includes.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define INDIRECT FEATURE(VIRTIO_RING_F_INDIRECT_DESC)
#define MIB (UINT64_C(1) << 20)
#define TABLE (GUEST_ADDR + 0xc0000)  /* an indirect table */
#define LARGE (GUEST_ADDR + 0x40000)  /* a buffer of 256 KiB */
#define BORDER (GUEST_ADDR + 0x80000) /* end of the first region, start of the second */
#define MAX_BUFFERS 1022

/*
 * Submits a read of sector 0 into `count` buffers, all at the same address, with an indirect
 * table.
 */
static void submit_large(struct front_end *fe, uint32_t count, uint64_t addr, uint32_t len)
{
	struct virtio_mock_buffer buffers[MAX_BUFFERS + 2];

	assert_true(count <= MAX_BUFFERS);
	memset(fe->memory + HEADERS, 0, 16);
	fe->memory[STATUSES] = 0xff;
	buffers[0] = (struct virtio_mock_buffer){ .addr = GUEST_ADDR + HEADERS, .len = 16 };
	for (uint32_t i = 1; i <= count; i++)
		buffers[i] = (struct virtio_mock_buffer){ .addr = addr, .len = len, .flags = VRING_DESC_F_WRITE };
	buffers[count + 1] =
		(struct virtio_mock_buffer){ .addr = GUEST_ADDR + STATUSES, .len = 1, .flags = VRING_DESC_F_WRITE };
	assert_true(virtio_mock_add_indirect(&fe->mock, TABLE, buffers, count + 2) >= 0);
}

static uint8_t large_io(struct front_end *fe, uint32_t count, uint64_t addr, uint32_t len)
{
	submit_large(fe, count, addr, len);
	block_kick(fe);
	block_wait(fe, 1);
	return block_status(fe, 0);
}

static void submit_read_and_wait_without_signal(struct front_end *fe)
{
	struct vring_used_elem used;

	block_submit(fe, 0, VIRTIO_BLK_T_IN, 0, 512);
	block_kick(fe);
	while (virtio_mock_pop_used(&fe->mock, &used) != 1)
		;
	assert_int_equal(block_status(fe, 0), VIRTIO_BLK_S_OK);
}

/* Long requests */

/* The ring has 64 entries, but SEG_MAX allows 126 segments. */
static void request_of_more_segments_than_the_ring_has_entries_is_served(void **state)
{
	struct vhost_user_config config = { .size = 60 };
	const uint32_t header = offsetof(struct vhost_user_config, data);
	struct daemon_process daemon;
	struct front_end fe;
	uint32_t segments;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, INDIRECT);
	front_end_send(&fe, VHOST_USER_GET_CONFIG, VHOST_USER_FLAG_VERSION, &config, header + 60, NULL, 0);
	assert_int_equal(front_end_reply(&fe, VHOST_USER_GET_CONFIG, &config, sizeof config), header + 60);
	segments = virtio_get_le32(config.data + offsetof(struct virtio_blk_config, seg_max));
	assert_true(segments + 2 > RING_SIZE);
	assert_int_equal(large_io(&fe, segments, LARGE, 512), VIRTIO_BLK_S_OK);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/*
 * Each buffer lies in two regions, so it makes two segments. Hostile 205: the driver has not
 * negotiated SEG_MAX.
 */
static void request_whose_buffers_all_cross_a_border_is_served(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, INDIRECT);
	assert_int_equal(large_io(&fe, MAX_BUFFERS, BORDER - 512, 1024), VIRTIO_BLK_S_OK);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/*
 * Hostile 205: the device must not fail a request because of a limit that the driver has not
 * negotiated.
 */
static void request_of_any_length_is_served(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_folder(&daemon);
	assert_int_equal(truncate(daemon.image, 1024 * MIB), 0);
	daemon_start_again(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, INDIRECT);
	assert_int_equal(large_io(&fe, 256, LARGE, MIB / 4), VIRTIO_BLK_S_OK);
	fe.memory[LARGE - GUEST_ADDR] = 0x5a;
	assert_int_equal(large_io(&fe, 257, LARGE, MIB / 4), VIRTIO_BLK_S_OK);
	assert_int_equal(fe.memory[LARGE - GUEST_ADDR], 0);
	assert_int_equal(large_io(&fe, MAX_BUFFERS, LARGE, MIB / 4), VIRTIO_BLK_S_OK);
	front_end_close(&fe);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, ", failed 0)"));
}

#define MOST_STOPS 1000 /* the test gives up after this number of late stops */

/*
 * A queue is stopped during a long request. The daemon unpops the request, and carries it out again
 * later. On a busy machine the request may end before the stop, so the test tries several times.
 */
static void request_of_any_length_does_not_hold_up_a_stop(void **state)
{
	struct vhost_user_vring_state ring = { .index = 0 };
	struct daemon_process daemon;
	unsigned int unpopped = 0;
	struct front_end fe;

	(void)state;
	daemon_folder(&daemon);
	assert_int_equal(truncate(daemon.image, 1024 * MIB), 0);
	daemon_start_again(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, INDIRECT);
	for (uint32_t done = 0; done < 10 || (unpopped == 0 && done < MOST_STOPS); done++) {
		volatile uint8_t *first = fe.memory + (LARGE - GUEST_ADDR);

		*first = 0x5a;
		submit_large(&fe, MAX_BUFFERS, LARGE, MIB / 4);
		block_kick(&fe);
		while (*first == 0x5a)
			;
		front_end_send(&fe, VHOST_USER_GET_VRING_BASE, VHOST_USER_FLAG_VERSION, &ring, sizeof ring, NULL, 0);
		assert_int_equal(front_end_reply(&fe, VHOST_USER_GET_VRING_BASE, &ring, sizeof ring), sizeof ring);
		assert_in_range(ring.num, done, done + 1);
		assert_int_equal(block_status(&fe, 0), ring.num == done ? 0xff : VIRTIO_BLK_S_OK);
		unpopped += ring.num == done;
		assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_KICK, 0, fe.kick), 0);
		block_wait(&fe, 1);
		assert_int_equal(block_status(&fe, 0), VIRTIO_BLK_S_OK);
	}
	assert_true(unpopped > 0);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* The option max-request-bytes= sets the limit. */
static void request_longer_than_the_user_allows_is_an_error(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, ",max-request-bytes=4096");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 0, 4096), VIRTIO_BLK_S_OK);
	block_data(&fe)[0] = 0x5a;
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 0, 4096 + 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(block_data(&fe)[0], 0x5a);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* Malformed requests */

/*
 * Hostile 213: Linux reads the status and not the used length, so the status must say that the
 * request has failed.
 */
static void request_with_a_bad_data_buffer_gets_an_error_in_its_status(void **state)
{
	static const struct {
		uint64_t addr;
		uint32_t len;
	} bad[] = {
		{ GUEST_ADDR + GUEST_BYTES, 512 },
		{ GUEST_ADDR + GUEST_BYTES - 511, 512 },
		{ 0, 512 },
		{ UINT64_MAX - 255, 512 },
		{ UINT64_C(1) << 63, 512 },
		{ GUEST_ADDR + DATA, UINT32_MAX - 511 },
	};
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	block_write_and_read(&fe, 1, 0x5a);
	for (unsigned int i = 0; i < 2 * sizeof bad / sizeof *bad; i++) {
		const bool in = i % 2;
		const struct virtio_mock_buffer buffers[3] = {
			{ .addr = GUEST_ADDR + HEADERS, .len = 16 },
			{ .addr = bad[i / 2].addr, .len = bad[i / 2].len, .flags = in ? VRING_DESC_F_WRITE : 0 },
			{ .addr = GUEST_ADDR + STATUSES, .len = 1, .flags = VRING_DESC_F_WRITE },
		};
		const struct virtio_blk_outhdr header = {
			.type = virtio_le32(in ? VIRTIO_BLK_T_IN : VIRTIO_BLK_T_OUT),
			.sector = virtio_le64(1),
		};

		memcpy(fe.memory + HEADERS, &header, sizeof header);
		fe.memory[STATUSES] = VIRTIO_BLK_S_OK;
		assert_true(virtio_mock_add(&fe.mock, buffers, 3) >= 0);
		block_kick(&fe);
		block_wait(&fe, 1);
		assert_int_equal(block_status(&fe, 0), VIRTIO_BLK_S_IOERR);
	}
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 1, 512), VIRTIO_BLK_S_OK);
	assert_int_equal(block_data(&fe)[511], 0x5a);
	front_end_close(&fe);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, "failed 12)"));
}

/* Hostile 12, with and without io_uring: the driver makes the same head available twice at once. */
static void ring_with_a_head_twice_in_flight_breaks(void **state)
{
	static const struct {
		uint32_t type;
		uint8_t status;
	} requests[] = {
		{ VIRTIO_BLK_T_FLUSH, VIRTIO_BLK_S_OK },
		{ VIRTIO_BLK_T_GET_ID, VIRTIO_BLK_S_OK },
		{ VIRTIO_BLK_T_IN, VIRTIO_BLK_S_IOERR },
		{ 77, VIRTIO_BLK_S_UNSUPP },
	};
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, FEATURE(VIRTIO_BLK_F_FLUSH));
	assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_ERR, 0, fe.err), 0);
	for (unsigned int i = 0; i < sizeof requests / sizeof *requests; i++) {
		/* The length fits GET_ID, and is too short for a read. */
		struct virtio_mock_buffer buffers[3] = {
			{ .addr = GUEST_ADDR + HEADERS, .len = 16 },
			{ .addr = GUEST_ADDR + DATA, .len = VIRTIO_BLK_ID_BYTES, .flags = VRING_DESC_F_WRITE },
			{ .addr = GUEST_ADDR + STATUSES, .len = 1, .flags = VRING_DESC_F_WRITE },
		};
		const struct virtio_blk_outhdr header = { .type = virtio_le32(requests[i].type) };
		uint64_t count;
		int head;

		block_write_and_read(&fe, 1, (uint8_t)i);
		memcpy(fe.memory + HEADERS, &header, sizeof header);
		fe.memory[STATUSES] = 0xff;
		head = virtio_mock_alloc(&fe.mock, buffers, 3);
		assert_true(head >= 0);
		assert_int_equal(virtio_mock_offer(&fe.mock, (uint16_t)head), 0);
		assert_int_equal(virtio_mock_offer(&fe.mock, (uint16_t)head), 0);
		assert_int_equal(virtio_mock_publish(&fe.mock), 0);
		block_kick(&fe);
		assert_int_equal(read(fe.err, &count, sizeof count), sizeof count);
		/* The first of the two equal requests is still completed. */
		assert_int_equal(block_status(&fe, 0), requests[i].status);
		assert_int_equal(virtio_mock_reset(&fe.mock), 0);
		front_end_set_ring(&fe, 0);
		front_end_start_ring(&fe);
	}
	block_write_and_read(&fe, 1, 0x5a);
	front_end_close(&fe);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, " 4 faults"));
}

/*
 * If the ring breaks during a turn, requests that have not begun at the end of the turn fail. A
 * long request that has begun may fail, too. Otherwise a stop of the ring would wait for gigabytes
 * of I/O.
 */
static void ring_that_breaks_fails_requests_that_have_not_begun(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;
	unsigned long long bytes;
	uint64_t count;
	uint16_t used;
	char *in;

	(void)state;
	daemon_folder(&daemon);
	assert_int_equal(truncate(daemon.image, 64 * MIB), 0);
	daemon_start_again(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, INDIRECT);
	assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_ERR, 0, fe.err), 0);
	assert_int_equal(kill(daemon.pid, SIGSTOP), 0);
	for (unsigned int i = 0; i < RING_SIZE - 1; i++)
		submit_large(&fe, 256, LARGE, MIB / 4);
	assert_int_equal(virtio_mock_offer(&fe.mock, RING_SIZE), 0);
	assert_int_equal(virtio_mock_publish(&fe.mock), 0);
	block_kick(&fe);
	assert_int_equal(kill(daemon.pid, SIGCONT), 0);
	assert_int_equal(read(fe.err, &count, sizeof count), sizeof count);
	assert_int_equal(virtio_mock_get(&fe.mock, VIRTIO_MOCK_USED_IDX, &used), 0);
	assert_int_equal(used, RING_SIZE - 1);
	front_end_close(&fe);
	daemon_finish(&daemon);
	in = strstr(daemon.summary, "), ");
	assert_non_null(in);
	assert_int_equal(sscanf(in, "), %llu bytes read", &bytes), 1);
	assert_true(bytes < (RING_SIZE - 1) * 64 * MIB);
	assert_non_null(strstr(daemon.summary, " 1 faults"));
}

/*
 * One disk's ring has requests for gigabytes, and the other disk's ring has a request for 512
 * bytes. The requests become available while the daemon is stopped. The short request must not wait
 * for all long requests.
 */
static void requests_that_are_long_are_served_in_turns(void **state)
{
	const uint64_t one = 1;
	struct daemon_process daemon;
	struct front_end greedy, modest;
	uint16_t used;

	(void)state;
	daemon_folder(&daemon);
	assert_int_equal(truncate(daemon.image, 64 * MIB), 0);
	daemon_start_two_again(&daemon);
	front_end_open(&greedy, daemon.socket);
	front_end_set_up(&greedy, INDIRECT);
	front_end_open(&modest, daemon.other);
	front_end_set_up(&modest, 0);
	block_write_and_read(&modest, 1, 1);
	assert_int_equal(kill(daemon.pid, SIGSTOP), 0);
	for (unsigned int i = 0; i < RING_SIZE; i++)
		submit_large(&greedy, 256, LARGE, MIB / 4);
	assert_int_equal(write(greedy.kick, &one, sizeof one), sizeof one);
	block_submit(&modest, 0, VIRTIO_BLK_T_IN, 0, 512);
	block_kick(&modest);
	assert_int_equal(kill(daemon.pid, SIGCONT), 0);
	block_wait(&modest, 1);
	assert_int_equal(virtio_mock_get(&greedy.mock, VIRTIO_MOCK_USED_IDX, &used), 0);
	assert_true(used < RING_SIZE);
	front_end_close(&greedy);
	front_end_close(&modest);
	daemon_finish(&daemon);
}

/* Memory */

/*
 * ThreadSanitizer holds an internal lock during an atomic access, so a SIGBUS in such an access
 * can't be handled.
 */
#if defined(__SANITIZE_THREAD__)
#define FAULTS_CAN_BE_HANDLED false
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FAULTS_CAN_BE_HANDLED false
#endif
#endif
#ifndef FAULTS_CAN_BE_HANDLED
#define FAULTS_CAN_BE_HANDLED true
#endif

static void memory_that_shrinks_ends_that_session_alone(void **state)
{
	const uint64_t one = 1;
	struct daemon_process daemon;
	struct front_end fe, other;
	char text[1024];

	(void)state;
	if (!FAULTS_CAN_BE_HANDLED) {
		print_message("under ThreadSanitizer a SIGBUS in an atomic access can't be handled\n");
		skip();
	}
	daemon_start_two(&daemon);
	front_end_open(&other, daemon.other);
	front_end_set_up(&other, 0);
	for (unsigned int i = 0; i < 3; i++) {
		front_end_open(&fe, daemon.socket);
		/* Replaces the memory by memory that can't be sealed against shrinking. */
		munmap(fe.memory, GUEST_BYTES);
		close(fe.memory_fd);
		fe.memory_fd = memfd_create("unsealable", MFD_CLOEXEC);
		assert_int_equal(ftruncate(fe.memory_fd, (off_t)GUEST_BYTES), 0);
		fe.memory = mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fe.memory_fd, 0);
		assert_ptr_not_equal(fe.memory, MAP_FAILED);
		fe.region.host = fe.memory;
		assert_int_equal(virtio_memory_map_init(&fe.map, &fe.region, 1), 0);
		assert_int_equal(virtio_mock_init(&fe.mock, &fe.map, GUEST_ADDR, RING_SIZE, fe.slots, RING_SIZE), 0);
		front_end_set_up(&fe, 0);
		block_write_and_read(&fe, 1, 1);
		if (i < 2) {
			/*
			 * The front end cuts off the whole file, or only the part after the ring.
			 * This part contains the request's header.
			 */
			block_submit(&fe, 0, VIRTIO_BLK_T_IN, 0, 512);
			assert_int_equal(ftruncate(fe.memory_fd, i ? 0x4000 : 0), 0);
			assert_int_equal(write(fe.kick, &one, sizeof one), sizeof one);
		} else {
			/*
			 * The second SET_VRING_ENABLE starts the ring again, and the start reads
			 * the used index. So the control thread finds that the memory is gone.
			 */
			const struct vhost_user_vring_state ring = { .index = 0, .num = 1 };

			assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_ENABLE, 0, 0), 0);
			assert_int_equal(ftruncate(fe.memory_fd, 0), 0);
			front_end_send(&fe, VHOST_USER_SET_VRING_ENABLE, VHOST_USER_FLAG_VERSION, &ring, sizeof ring,
				       NULL, 0);
		}
		front_end_expect_end(&fe);
		front_end_close(&fe);
		block_write_and_read(&other, 2, (uint8_t)i);
		front_end_good_session(daemon.socket, 3);
	}
	assert_true(daemon_errors(&daemon, text, sizeof text) >= 3);
	assert_non_null(strstr(text, "front end dropped: it has taken away memory that it shares"));
	front_end_close(&other);
	daemon_finish(&daemon);
}

static void memory_that_is_replaced_is_unmapped(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	for (unsigned int i = 0; i < 50; i++) {
		front_end_share_memory(&fe);
		/* The kernel may show the two regions as one mapping. */
		assert_in_range(daemon_mappings(&daemon), 1, 2);
	}
	block_write_and_read(&fe, 1, 1);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* Notifications */

static void fill_pipe(int fd)
{
	static const char zeros[4096];

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while (write(fd, zeros, sizeof zeros) > 0)
		;
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
}

/* Replaces the call descriptor by an eventfd that was never signalled. */
static void renew_call(struct front_end *fe)
{
	const int fresh = eventfd(0, EFD_CLOEXEC);

	assert_int_equal(dup2(fresh, fe->call), fe->call);
	close(fresh);
}

/*
 * The call descriptor is a full pipe, then a full eventfd. A write to the descriptor would block,
 * but the daemon must not wait.
 */
static void notifications_that_nobody_takes_are_not_waited_for(void **state)
{
	const uint64_t full = UINT64_MAX - 1;
	struct daemon_process daemon;
	struct front_end fe;
	uint64_t count;
	int ends[2];

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	assert_int_equal(pipe(ends), 0);
	fill_pipe(ends[1]);
	assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_CALL, 0, ends[1]), 0);
	submit_read_and_wait_without_signal(&fe);
	(void)front_end_get_u64(&fe, VHOST_USER_GET_FEATURES);
	renew_call(&fe);
	assert_int_equal(write(fe.call, &full, sizeof full), sizeof full);
	assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_CALL, 0, fe.call), 0);
	submit_read_and_wait_without_signal(&fe);
	(void)front_end_get_u64(&fe, VHOST_USER_GET_FEATURES);
	assert_int_equal(read(fe.call, &count, sizeof count), sizeof count);
	assert_true(count == full);
	block_write_and_read(&fe, 1, 1);
	close(ends[0]);
	close(ends[1]);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* A front end may set the call descriptor after the ring has completed requests. */
static void notification_is_repeated_for_a_new_call_descriptor(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;
	uint64_t count;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	assert_int_equal(front_end_ask_u64(&fe, VHOST_USER_SET_VRING_CALL, VHOST_USER_VRING_NO_FD), 0);
	submit_read_and_wait_without_signal(&fe);
	renew_call(&fe);
	assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_CALL, 0, fe.call), 0);
	/* This read blocks until the daemon signals. */
	assert_int_equal(read(fe.call, &count, sizeof count), sizeof count);
	assert_int_equal(count, 1);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* File descriptors */

static void descriptors_that_are_replaced_are_closed(void **state)
{
	const uint32_t requests[] = { VHOST_USER_SET_VRING_KICK, VHOST_USER_SET_VRING_CALL, VHOST_USER_SET_VRING_ERR };
	struct daemon_process daemon;
	struct front_end fe;
	unsigned int files;
	int channel[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, channel), 0);
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	assert_int_equal(front_end_ask(&fe, VHOST_USER_SET_BACKEND_REQ_FD, NULL, 0, &channel[0], 1), 0);
	files = daemon_open_files(&daemon);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(front_end_ask(&fe, VHOST_USER_SET_BACKEND_REQ_FD, NULL, 0, &channel[0], 1), 0);
		assert_int_equal(front_end_ask_fd(&fe, requests[0], 0, fe.kick), 0);
		assert_int_equal(front_end_ask_fd(&fe, requests[1], 0, fe.call), 0);
		assert_int_equal(front_end_ask_fd(&fe, requests[2], 0, fe.err), 0);
		assert_int_equal(daemon_open_files(&daemon), files);
	}
	block_write_and_read(&fe, 1, 1);
	front_end_close(&fe);
	close(channel[0]);
	close(channel[1]);
	daemon_finish(&daemon);
}

static void send_piece(const struct front_end *fe, const void *bytes, size_t len, unsigned int fd_count)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(32 * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.space,
			      .msg_controllen = CMSG_SPACE(fd_count * sizeof(int)) };

	memset(&control, 0, sizeof control);
	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(fd_count * sizeof(int));
	for (unsigned int i = 0; i < fd_count; i++)
		memcpy(CMSG_DATA(&control.align) + i * sizeof(int), &fe->memory_fd, sizeof(int));
	assert_int_equal(sendmsg(fe->socket, &msg, MSG_NOSIGNAL), len);
}

/*
 * A message's header arrives in two pieces, each with 20 descriptors. Each piece is legal, but the
 * message has too many descriptors.
 */
static void descriptors_that_are_too_many_in_pieces_are_closed(void **state)
{
	const struct vhost_user_header header = { VHOST_USER_SET_MEM_TABLE, VHOST_USER_FLAG_VERSION, 264 };
	const uint8_t payload[264] = { 0 };
	struct daemon_process daemon;
	struct front_end fe;
	unsigned int files;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	(void)front_end_get_u64(&fe, VHOST_USER_GET_FEATURES);
	files = daemon_open_files(&daemon);
	front_end_close(&fe);
	for (unsigned int i = 0; i < 3; i++) {
		front_end_open(&fe, daemon.socket);
		send_piece(&fe, &header, 6, 20);
		send_piece(&fe, (const char *)&header + 6, 6, 20);
		assert_int_equal(send(fe.socket, payload, sizeof payload, MSG_NOSIGNAL), sizeof payload);
		front_end_expect_end(&fe);
		front_end_close(&fe);
	}
	front_end_open(&fe, daemon.socket);
	(void)front_end_get_u64(&fe, VHOST_USER_GET_FEATURES);
	assert_int_equal(daemon_open_files(&daemon), files);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/*
 * If no file descriptor is left, a new connection waits until the daemon has file descriptors
 * again. Meanwhile the daemon must not spin.
 */
static void descriptors_that_have_run_out_are_waited_for(void **state)
{
	const time_t begin = time(NULL);
	struct daemon_process daemon;
	struct rlimit limit, none;
	struct front_end fe;
	unsigned int lines;

	(void)state;
	daemon_start(&daemon, "");
	assert_int_equal(prlimit(daemon.pid, RLIMIT_NOFILE, NULL, &limit), 0);
	assert_true(limit.rlim_cur == limit.rlim_max);
	none = limit;
	none.rlim_cur = 3;
	assert_int_equal(prlimit(daemon.pid, RLIMIT_NOFILE, &none, NULL), 0);
	front_end_open(&fe, daemon.socket);
	while (daemon_errors(&daemon, NULL, 0) == 0)
		usleep(1000);
	/*
	 * The daemon tries once a second. A daemon that tried all the time would print at once the
	 * 20 lines that the log allows. On a slow machine the test may see several lines.
	 */
	usleep(100000);
	lines = daemon_errors(&daemon, NULL, 0);
	assert_true(lines < 10 + (unsigned int)(time(NULL) - begin));
	assert_int_equal(prlimit(daemon.pid, RLIMIT_NOFILE, &limit, NULL), 0);
	front_end_set_up(&fe, 0);
	block_write_and_read(&fe, 1, 1);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_of_more_segments_than_the_ring_has_entries_is_served),
		cmocka_unit_test(request_whose_buffers_all_cross_a_border_is_served),
		cmocka_unit_test(request_of_any_length_is_served),
		cmocka_unit_test(request_of_any_length_does_not_hold_up_a_stop),
		cmocka_unit_test(request_longer_than_the_user_allows_is_an_error),
		cmocka_unit_test(request_with_a_bad_data_buffer_gets_an_error_in_its_status),
		cmocka_unit_test(ring_with_a_head_twice_in_flight_breaks),
		cmocka_unit_test(ring_that_breaks_fails_requests_that_have_not_begun),
		cmocka_unit_test(requests_that_are_long_are_served_in_turns),
		cmocka_unit_test(memory_that_shrinks_ends_that_session_alone),
		cmocka_unit_test(memory_that_is_replaced_is_unmapped),
		cmocka_unit_test(notifications_that_nobody_takes_are_not_waited_for),
		cmocka_unit_test(notification_is_repeated_for_a_new_call_descriptor),
		cmocka_unit_test(descriptors_that_are_replaced_are_closed),
		cmocka_unit_test(descriptors_that_are_too_many_in_pieces_are_closed),
		cmocka_unit_test(descriptors_that_have_run_out_are_waited_for),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
