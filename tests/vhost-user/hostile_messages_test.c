/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Front ends send wrong messages. The daemon refuses the message or closes the connection. At the
 * end of each test the daemon still serves a good session, and exits normally.
 */
#include "daemon.h"
#include "front_end.h"

#include "cmocka_includes.h"

#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>

#define PAGE UINT64_C(4096)
#define NEED_REPLY (VHOST_USER_FLAG_VERSION | VHOST_USER_FLAG_NEED_REPLY)

static const uint8_t zeros[VHOST_USER_MAX_PAYLOAD];

/* Sends one message on a new connection, and checks that the daemon closes the connection. */
static void expect_drop(const struct daemon_process *daemon, uint32_t request, uint32_t flags, const void *payload,
			uint32_t size, unsigned int fd_count)
{
	struct front_end fe;
	int fds[32];

	front_end_open(&fe, daemon->socket);
	for (unsigned int i = 0; i < fd_count; i++)
		fds[i] = fe.memory_fd;
	front_end_send(&fe, request, flags, payload, size, fds, fd_count);
	front_end_expect_end(&fe);
	front_end_close(&fe);
}

static bool has_any_size(uint32_t request)
{
	return request == VHOST_USER_GET_CONFIG || request == VHOST_USER_SET_CONFIG ||
	       request == VHOST_USER_SET_MEM_TABLE;
}

static void message_of_wrong_size_ends_the_session(void **state)
{
	struct daemon_process daemon;
	uint8_t payload[VHOST_USER_MAX_PAYLOAD];

	(void)state;
	daemon_start(&daemon, "");
	for (unsigned int i = 0; i < FRONT_END_REQUESTS; i++) {
		const uint32_t right = front_end_requests[i].size;
		const uint32_t sizes[] = { right - 1, right + 1, 0, 1, right + 8, 300, 4096 };

		front_end_fill_payload(front_end_requests[i].request, payload);
		for (unsigned int s = 0; s < sizeof sizes / sizeof *sizes; s++) {
			if (sizes[s] > VHOST_USER_MAX_PAYLOAD || sizes[s] == right)
				continue;
			/*
			 * The payloads of these messages have no fixed length, but begin with a
			 * structure of at least 8 bytes. So the test sends only payloads of fewer
			 * than 8 bytes.
			 */
			if (has_any_size(front_end_requests[i].request) && sizes[s] >= 8)
				continue;
			expect_drop(&daemon, front_end_requests[i].request, NEED_REPLY, payload, sizes[s],
				    front_end_requests[i].fds);
		}
	}
	front_end_good_session(daemon.socket, 1);
	daemon_finish(&daemon);
}

static void message_with_huge_size_ends_the_session(void **state)
{
	const uint32_t sizes[] = { 4097, 0x10000, 0x7fffffff, 0x80000000, 0xfffffff4, 0xffffffff };
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	for (unsigned int i = 0; i <= FRONT_END_REQUESTS; i++) {
		for (unsigned int s = 0; s < sizeof sizes / sizeof *sizes; s++) {
			/* The last round has an unknown request. */
			const struct vhost_user_header header = { .request = i < FRONT_END_REQUESTS
										     ? front_end_requests[i].request
										     : 1000,
								  .flags = NEED_REPLY,
								  .size = sizes[s] };

			front_end_open(&fe, daemon.socket);
			assert_int_equal(send(fe.socket, &header, sizeof header, MSG_NOSIGNAL), sizeof header);
			front_end_expect_end(&fe);
			front_end_close(&fe);
		}
	}
	front_end_good_session(daemon.socket, 1);
	daemon_finish(&daemon);
}

static void message_with_wrong_flags_ends_the_session(void **state)
{
	const uint32_t flags[] = { 0, 2, 3, 5, 0x11, 0x80000001, 0xffffffff };
	struct daemon_process daemon;

	(void)state;
	daemon_start(&daemon, "");
	for (unsigned int i = 0; i < sizeof flags / sizeof *flags; i++)
		expect_drop(&daemon, VHOST_USER_SET_OWNER, flags[i], NULL, 0, 0);
	front_end_good_session(daemon.socket, 1);
	daemon_finish(&daemon);
}

static bool replies(uint32_t request)
{
	return request == VHOST_USER_GET_FEATURES || request == VHOST_USER_GET_PROTOCOL_FEATURES ||
	       request == VHOST_USER_GET_QUEUE_NUM || request == VHOST_USER_GET_VRING_BASE ||
	       request == VHOST_USER_GET_CONFIG;
}

/*
 * A message has too many or too few descriptors. The session continues, and the daemon closes the
 * descriptors.
 */
static void message_with_wrong_descriptors_is_refused(void **state)
{
	const unsigned int counts[] = { 0, 1, 2, 8, 9, 32, 33, 100 };
	struct daemon_process daemon;
	struct front_end fe;
	uint8_t payload[VHOST_USER_MAX_PAYLOAD];
	unsigned int open_before;
	int fds[100];

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	(void)front_end_get_u64(&fe, VHOST_USER_GET_FEATURES);
	open_before = daemon_open_files(&daemon);
	for (unsigned int i = 0; i < 100; i++)
		fds[i] = fe.memory_fd;
	for (unsigned int i = 0; i < FRONT_END_REQUESTS; i++) {
		const struct front_end_request *request = &front_end_requests[i];

		front_end_fill_payload(request->request, payload);
		for (unsigned int c = 0; c < sizeof counts / sizeof *counts; c++) {
			if (counts[c] == request->fds)
				continue;
			if (!replies(request->request)) {
				assert_int_equal(
					front_end_ask(&fe, request->request, payload, request->size, fds, counts[c]),
					1);
				continue;
			}
			/*
			 * The daemon ignores the descriptors of requests that have a reply of their
			 * own.
			 */
			front_end_send(&fe, request->request, VHOST_USER_FLAG_VERSION, payload, request->size, fds,
				       counts[c]);
			assert_true(front_end_reply(&fe, request->request, payload, sizeof payload) > 0);
			front_end_fill_payload(request->request, payload);
		}
	}
	/* The flag means that there is no descriptor, but the message has a descriptor. */
	assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_KICK, VHOST_USER_VRING_NO_FD, fe.kick), 1);
	(void)front_end_get_u64(&fe, VHOST_USER_GET_FEATURES);
	assert_int_equal(daemon_open_files(&daemon), open_before);
	front_end_set_up(&fe, 0);
	block_write_and_read(&fe, 1, 1);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

static void message_that_is_unknown_is_refused_or_ignored(void **state)
{
	const uint32_t requests[] = { 0, 6, 7, 19, 20, 22, 23, 26, 31, 34, 37, 40, 63, 1000, 0xffffffff };
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	for (unsigned int i = 0; i < sizeof requests / sizeof *requests; i++) {
		const int fds[2] = { fe.memory_fd, fe.call };

		assert_int_equal(front_end_ask(&fe, requests[i], zeros, 100, fds, 2), 1);
		front_end_send(&fe, requests[i], VHOST_USER_FLAG_VERSION, zeros, VHOST_USER_MAX_PAYLOAD, fds, 2);
	}
	front_end_set_up(&fe, 0);
	block_write_and_read(&fe, 1, 1);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/*
 * Sends an invalid request twice. With need_reply, the daemon must refuse the request and continue
 * the session. Without need_reply, the daemon must close the connection.
 */
static void expect_refusal(const struct daemon_process *daemon, uint32_t request, const void *payload, uint32_t size,
			   int fd)
{
	struct front_end fe;

	front_end_open(&fe, daemon->socket);
	assert_int_equal(front_end_ask(&fe, request, payload, size, &fd, fd >= 0), 1);
	(void)front_end_get_u64(&fe, VHOST_USER_GET_FEATURES);
	front_end_close(&fe);
	front_end_open(&fe, daemon->socket);
	front_end_send(&fe, request, VHOST_USER_FLAG_VERSION, payload, size, &fd, fd >= 0);
	front_end_expect_end(&fe);
	front_end_close(&fe);
}

/*
 * Hostile 61 and 97: this test covers the parts of these cases that a vhost-user back end can meet.
 */
static void message_for_queue_that_is_not_there_is_refused(void **state)
{
	const uint32_t requests[] = { VHOST_USER_SET_VRING_NUM, VHOST_USER_SET_VRING_BASE,
				      VHOST_USER_SET_VRING_ENABLE };
	const uint32_t fd_requests[] = { VHOST_USER_SET_VRING_KICK, VHOST_USER_SET_VRING_CALL,
					 VHOST_USER_SET_VRING_ERR };
	const uint32_t indices[] = { 2, 3, 255, 256, 0x10000, 0x80000000, 0xffffffff };
	const int kick = eventfd(0, EFD_CLOEXEC);
	struct daemon_process daemon;

	(void)state;
	daemon_start(&daemon, ",queues=2");
	for (unsigned int i = 0; i < sizeof indices / sizeof *indices; i++) {
		const struct vhost_user_vring_state ring = { .index = indices[i], .num = 1 };
		const struct vhost_user_vring_addr addr = { .index = indices[i] };
		const uint64_t value = indices[i];

		for (unsigned int r = 0; r < 3; r++) {
			expect_refusal(&daemon, requests[r], &ring, sizeof ring, -1);
			/* In these messages bit 8 means that there is no descriptor. */
			if (value < 256)
				expect_refusal(&daemon, fd_requests[r], &value, sizeof value, kick);
		}
		expect_refusal(&daemon, VHOST_USER_SET_VRING_ADDR, &addr, sizeof addr, -1);
		/*
		 * This request has a reply of its own, so the daemon can report the error only by
		 * closing the connection.
		 */
		expect_drop(&daemon, VHOST_USER_GET_VRING_BASE, NEED_REPLY, &ring, sizeof ring, 0);
	}
	close(kick);
	front_end_good_session(daemon.socket, 1);
	daemon_finish(&daemon);
}

static void message_with_bad_features_is_refused(void **state)
{
	const uint64_t version_1 = FEATURE(VIRTIO_F_VERSION_1);
	const uint64_t bad[] = { version_1 | FEATURE(63), version_1 | FEATURE(VIRTIO_F_RING_PACKED), UINT64_MAX };
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	for (unsigned int i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(front_end_ask_u64(&fe, VHOST_USER_SET_FEATURES, bad[i]), 1);
		assert_int_equal(front_end_ask_u64(&fe, VHOST_USER_SET_PROTOCOL_FEATURES, bad[i]), 1);
	}
	front_end_set_up(&fe, 0);
	block_write_and_read(&fe, 1, 1);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* Memory */

#define HALF (GUEST_BYTES / 2)

/* Each region has one wrong number. */
static const struct vhost_user_region bad_regions[] = {
	{ GUEST_ADDR, 0, USER_ADDR, 0 },
	{ GUEST_ADDR, GUEST_BYTES + PAGE, USER_ADDR, 0 }, /* past the end of the file */
	{ GUEST_ADDR, -PAGE, USER_ADDR, 0 },              /* wraps in guest and front end */
	{ GUEST_ADDR, UINT64_C(1) << 63, USER_ADDR, 0 },
	{ -PAGE, HALF, USER_ADDR, 0 },                /* wraps in the guest */
	{ GUEST_ADDR, HALF, -PAGE, 0 },               /* wraps in the front end */
	{ GUEST_ADDR, HALF, USER_ADDR, GUEST_BYTES }, /* begins at the end of the file */
	{ GUEST_ADDR, HALF, USER_ADDR, HALF + PAGE }, /* crosses the end of the file */
	{ GUEST_ADDR, HALF, USER_ADDR, -PAGE },       /* wraps in the file */
	{ GUEST_ADDR, HALF, USER_ADDR, UINT64_C(1) << 63 },
};

static void memory_of_bad_regions_is_refused(void **state)
{
	const int fd = memfd_create("guest", MFD_CLOEXEC);
	struct vhost_user_memory table = { .count = 1 };
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)GUEST_BYTES), 0);
	daemon_start(&daemon, "");
	for (unsigned int i = 0; i < sizeof bad_regions / sizeof *bad_regions; i++) {
		table.regions[0] = bad_regions[i];
		expect_refusal(&daemon, VHOST_USER_SET_MEM_TABLE, &table, 40, fd);
	}
	close(fd);
	front_end_open(&fe, daemon.socket);
	/* Two regions that overlap by a page, and two equal regions. */
	table = front_end_table();
	table.regions[1].guest_addr -= PAGE;
	assert_int_equal(front_end_ask_table(&fe, &table), 1);
	table.regions[1] = table.regions[0];
	assert_int_equal(front_end_ask_table(&fe, &table), 1);
	front_end_set_up(&fe, 0);
	block_write_and_read(&fe, 1, 1);
	/* The table is also refused while a ring runs. The ring keeps the old memory. */
	assert_int_equal(front_end_ask_table(&fe, &table), 1);
	block_write_and_read(&fe, 2, 2);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/*
 * A table has too many regions, or the counts of regions, entries and descriptors disagree. The
 * session continues.
 */
static void memory_of_counts_that_disagree_is_refused(void **state)
{
	const struct {
		uint32_t count, room;
		unsigned int fds;
	} bad[] = { { 2, 2, 1 },    { 2, 2, 3 },    { 2, 1, 2 },    { 8, 2, 8 },
		    { 30, 30, 29 }, { 31, 30, 31 }, { 32, 31, 32 }, { UINT32_MAX, 31, 31 } };
	struct daemon_process daemon;
	uint8_t payload[VHOST_USER_MAX_PAYLOAD] = { 0 };
	struct front_end fe;
	int fds[32];

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	for (unsigned int i = 0; i < 32; i++)
		fds[i] = fe.memory_fd;
	front_end_set_up(&fe, 0);
	for (unsigned int i = 0; i < sizeof bad / sizeof *bad; i++) {
		memcpy(payload, &bad[i].count, sizeof bad[i].count);
		assert_int_equal(
			front_end_ask(&fe, VHOST_USER_SET_MEM_TABLE, payload, 8 + 32 * bad[i].room, fds, bad[i].fds),
			1);
	}
	block_write_and_read(&fe, 1, 1);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* Hostile 212: the daemon refuses memory that can't be shared. */
static void memory_that_is_no_writable_file_is_refused(void **state)
{
	const struct vhost_user_memory table = { .count = 1, .regions = { front_end_table().regions[0] } };
	const int guest = memfd_create("guest", MFD_CLOEXEC);
	struct daemon_process daemon;
	char path[64];
	int fds[8], ends[2];

	(void)state;
	assert_int_equal(ftruncate(guest, (off_t)GUEST_BYTES), 0);
	assert_int_equal(pipe(ends), 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", guest);
	fds[0] = open(path, O_RDONLY | O_CLOEXEC);
	fds[1] = open("/dev/zero", O_RDWR | O_CLOEXEC);
	fds[2] = open("/tmp", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	fds[3] = ends[0];
	fds[4] = ends[1];
	fds[5] = memfd_create("empty", MFD_CLOEXEC);
	fds[6] = eventfd(0, EFD_CLOEXEC);
	fds[7] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	daemon_start(&daemon, "");
	for (unsigned int i = 0; i < sizeof fds / sizeof *fds; i++) {
		assert_true(fds[i] >= 0);
		expect_refusal(&daemon, VHOST_USER_SET_MEM_TABLE, &table, 40, fds[i]);
		close(fds[i]);
	}
	close(guest);
	front_end_good_session(daemon.socket, 1);
	daemon_finish(&daemon);
}

/* Rings */

/* Hostile 49, 50 and 51: a size or a base is invalid. */
static void ring_of_bad_size_or_base_is_refused(void **state)
{
	const uint32_t sizes[] = { 0, 3, 63, 65, 32767, 65536, 0x10040, 0x80000000, 0xffffffff };
	const uint32_t bases[] = { 65536, 0x80000000, 0xffffffff };
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_negotiate(&fe, 0);
	front_end_share_memory(&fe);
	front_end_set_ring(&fe, 0);
	for (unsigned int i = 0; i < sizeof sizes / sizeof *sizes; i++)
		assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_NUM, 0, sizes[i]), 1);
	for (unsigned int i = 0; i < sizeof bases / sizeof *bases; i++)
		assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_BASE, 0, bases[i]), 1);
	assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_ENABLE, 0, 2), 1);
	/* A refused value does not replace the earlier value. */
	front_end_start_ring(&fe);
	block_write_and_read(&fe, 1, 1);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* Hostile 53, 54 and 55: bad addresses are refused and not kept, and the ring does not start. */
static void ring_at_bad_addresses_does_not_start(void **state)
{
	const uint64_t half = GUEST_BYTES / 2;
	/*
	 * No area of the ring can be at these addresses. Each address is misaligned or outside the
	 * regions, or is 16 bytes before a region's end. Each area is longer than 16 bytes.
	 */
	const uint64_t bad[] = { 0,
				 1,
				 GUEST_ADDR,
				 USER_ADDR + 1,
				 USER_ADDR - 16,
				 USER_ADDR + half - 16,
				 USER_ADDR + half,
				 USER_ADDR + 4 * half - 16,
				 USER_ADDR + 5 * half - 16,
				 UINT64_MAX - 15,
				 UINT64_MAX };
	struct vhost_user_vring_addr addr, good;
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_negotiate(&fe, 0);
	good = front_end_addr(&fe);
	front_end_share_memory(&fe);
	assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_NUM, 0, RING_SIZE), 0);
	assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_CALL, 0, fe.call), 0);
	/* After this step only the addresses are missing. */
	front_end_start_ring(&fe);
	for (unsigned int i = 0; i < sizeof bad / sizeof *bad; i++) {
		for (unsigned int area = 0; area < 3; area++) {
			uint64_t *const areas[] = { &addr.desc, &addr.avail, &addr.used };

			addr = good;
			*areas[area] = bad[i];
			assert_int_equal(front_end_ask(&fe, VHOST_USER_SET_VRING_ADDR, &addr, sizeof addr, NULL, 0), 1);
		}
	}
	addr = good;
	addr.flags = 1; /* VHOST_VRING_F_LOG, which the daemon does not support */
	assert_int_equal(front_end_ask(&fe, VHOST_USER_SET_VRING_ADDR, &addr, sizeof addr, NULL, 0), 1);
	assert_int_equal(front_end_ask(&fe, VHOST_USER_SET_VRING_ADDR, &good, sizeof good, NULL, 0), 0);
	block_write_and_read(&fe, 1, 1);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/*
 * The front end sends the ring's addresses, and then a memory table that does not contain the ring.
 * The ring can't start.
 */
static void ring_that_lost_its_memory_does_not_start(void **state)
{
	struct vhost_user_memory table = front_end_table();
	struct daemon_process daemon;
	struct front_end fe;
	unsigned int files;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_negotiate(&fe, 0);
	front_end_share_memory(&fe);
	front_end_set_ring(&fe, 0);
	table.count = 1;
	table.regions[0] = table.regions[1];
	assert_int_equal(front_end_ask_table(&fe, &table), 0);
	assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_KICK, 0, fe.kick), 0);
	assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_ENABLE, 0, 1), 1);
	front_end_share_memory(&fe);
	assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_ENABLE, 0, 1), 0);
	block_write_and_read(&fe, 1, 1);
	/* Now the start fails at SET_VRING_KICK. The daemon must not keep the kick descriptor. */
	assert_int_equal(front_end_ask(&fe, VHOST_USER_RESET_OWNER, NULL, 0, NULL, 0), 0);
	assert_int_equal(front_end_ask_table(&fe, &table), 0);
	/* The daemon closes the table's descriptors before it answers this request. */
	(void)front_end_get_u64(&fe, VHOST_USER_GET_FEATURES);
	files = daemon_open_files(&daemon);
	assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_KICK, 0, fe.kick), 1);
	assert_int_equal(daemon_open_files(&daemon), files);
	/* Without a kick descriptor, the next two messages do not try to start the ring. */
	assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_CALL, 0, fe.call), 0);
	front_end_share_memory(&fe);
	assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_KICK, 0, fe.kick), 0);
	block_write_and_read(&fe, 2, 2);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

static void ring_descriptor_of_the_wrong_kind_is_refused(void **state)
{
	const uint32_t requests[] = { VHOST_USER_SET_VRING_KICK, VHOST_USER_SET_VRING_CALL, VHOST_USER_SET_VRING_ERR };
	const uint64_t bits = 0x200;
	struct daemon_process daemon;
	struct front_end fe;
	int ends[2], folder, timer;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	assert_int_equal(pipe(ends), 0);
	folder = open("/tmp", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	/* A timerfd is no eventfd, but belongs to the same anonymous file system. */
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	assert_true(timer >= 0);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(front_end_ask_fd(&fe, requests[i], 0, timer), 1);
		/*
		 * This descriptor is a file. The daemon must not write to a file for a front end.
		 */
		assert_int_equal(front_end_ask_fd(&fe, requests[i], 0, fe.memory_fd), 1);
		assert_int_equal(front_end_ask_fd(&fe, requests[i], 0, folder), 1);
		assert_int_equal(front_end_ask(&fe, requests[i], &bits, sizeof bits, &fe.kick, 1), 1);
	}
	assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_KICK, 0, ends[0]), 1);
	close(ends[0]);
	close(ends[1]);
	close(folder);
	close(timer);
	front_end_set_up(&fe, 0);
	block_write_and_read(&fe, 1, 1);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_of_wrong_size_ends_the_session),
		cmocka_unit_test(message_with_huge_size_ends_the_session),
		cmocka_unit_test(message_with_wrong_flags_ends_the_session),
		cmocka_unit_test(message_with_wrong_descriptors_is_refused),
		cmocka_unit_test(message_that_is_unknown_is_refused_or_ignored),
		cmocka_unit_test(message_for_queue_that_is_not_there_is_refused),
		cmocka_unit_test(message_with_bad_features_is_refused),
		cmocka_unit_test(memory_of_bad_regions_is_refused),
		cmocka_unit_test(memory_of_counts_that_disagree_is_refused),
		cmocka_unit_test(memory_that_is_no_writable_file_is_refused),
		cmocka_unit_test(ring_of_bad_size_or_base_is_refused),
		cmocka_unit_test(ring_at_bad_addresses_does_not_start),
		cmocka_unit_test(ring_that_lost_its_memory_does_not_start),
		cmocka_unit_test(ring_descriptor_of_the_wrong_kind_is_refused),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
