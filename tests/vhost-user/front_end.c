/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The front end and the driver of the tests. */
#include "front_end.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>

#define MAX_FDS 128

void front_end_open(struct front_end *fe, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	strcpy(addr.sun_path, path);
	assert_int_equal(connect(fd, (const struct sockaddr *)&addr, sizeof addr), 0);
	front_end_attach(fe, fd);
}

void front_end_attach(struct front_end *fe, int socket)
{
	watchdog_step();
	memset(fe, 0, sizeof *fe);
	fe->socket = socket;
	fe->memory_fd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_true(fe->memory_fd >= 0);
	assert_int_equal(ftruncate(fe->memory_fd, (off_t)GUEST_BYTES), 0);
	fe->memory = mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fe->memory_fd, 0);
	assert_ptr_not_equal(fe->memory, MAP_FAILED);
	fe->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fe->call = eventfd(0, EFD_CLOEXEC);
	fe->err = eventfd(0, EFD_CLOEXEC);
	assert_true(fe->kick >= 0 && fe->call >= 0 && fe->err >= 0);
	fe->region = (struct virtio_region){ .addr = GUEST_ADDR, .len = GUEST_BYTES, .host = fe->memory };
	assert_int_equal(virtio_memory_map_init(&fe->map, &fe->region, 1), 0);
	assert_int_equal(virtio_mock_init(&fe->mock, &fe->map, GUEST_ADDR, RING_SIZE, fe->slots, RING_SIZE), 0);
}

void front_end_close(struct front_end *fe)
{
	close(fe->socket);
	close(fe->kick);
	close(fe->call);
	close(fe->err);
	munmap(fe->memory, GUEST_BYTES);
	close(fe->memory_fd);
}

void front_end_move(struct front_end *fe, const char *path)
{
	static uint8_t memory[GUEST_BYTES];
	const struct front_end before = *fe;

	memcpy(memory, fe->memory, sizeof memory);
	front_end_close(fe);
	front_end_open(fe, path);
	memcpy(fe->memory, memory, sizeof memory);
	fe->mock = before.mock;
	memcpy(fe->slots, before.slots, sizeof fe->slots);
	virtio_memory_cursor_init(&fe->mock.memory, &fe->map);
}

/* Messages */

const struct front_end_request front_end_requests[FRONT_END_REQUESTS] = {
	{ VHOST_USER_GET_FEATURES, 0, 0 },
	{ VHOST_USER_SET_FEATURES, 8, 0 },
	{ VHOST_USER_SET_OWNER, 0, 0 },
	{ VHOST_USER_RESET_OWNER, 0, 0 },
	{ VHOST_USER_SET_MEM_TABLE, 40, 1 },
	{ VHOST_USER_SET_VRING_NUM, 8, 0 },
	{ VHOST_USER_SET_VRING_ADDR, 40, 0 },
	{ VHOST_USER_SET_VRING_BASE, 8, 0 },
	{ VHOST_USER_GET_VRING_BASE, 8, 0 },
	{ VHOST_USER_SET_VRING_KICK, 8, 1 },
	{ VHOST_USER_SET_VRING_CALL, 8, 1 },
	{ VHOST_USER_SET_VRING_ERR, 8, 1 },
	{ VHOST_USER_GET_PROTOCOL_FEATURES, 0, 0 },
	{ VHOST_USER_SET_PROTOCOL_FEATURES, 8, 0 },
	{ VHOST_USER_GET_QUEUE_NUM, 0, 0 },
	{ VHOST_USER_SET_VRING_ENABLE, 8, 0 },
	{ VHOST_USER_SET_BACKEND_REQ_FD, 0, 1 },
	{ VHOST_USER_GET_CONFIG, 20, 0 },
	{ VHOST_USER_SET_CONFIG, 20, 0 },
};

void front_end_fill_payload(uint32_t request, uint8_t *payload)
{
	const struct vhost_user_memory table = front_end_table();
	const struct vhost_user_config config = { .size = 8 };

	memset(payload, 0, VHOST_USER_MAX_PAYLOAD);
	if (request == VHOST_USER_SET_MEM_TABLE) {
		memcpy(payload, &table, sizeof table);
		payload[0] = 1;
	} else if (request == VHOST_USER_GET_CONFIG || request == VHOST_USER_SET_CONFIG) {
		memcpy(payload, &config, 12);
	}
}

void front_end_send(struct front_end *fe, uint32_t request, uint32_t flags, const void *payload, uint32_t size,
		    const int *fds, unsigned int fd_count)
{
	struct vhost_user_header header = { .request = request, .flags = flags, .size = size };
	char bytes[sizeof header + VHOST_USER_MAX_PAYLOAD];
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(MAX_FDS * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = bytes, .iov_len = sizeof header + size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	assert_true(size <= VHOST_USER_MAX_PAYLOAD && fd_count <= MAX_FDS);
	memcpy(bytes, &header, sizeof header);
	if (size)
		memcpy(bytes + sizeof header, payload, size);
	if (fd_count) {
		struct cmsghdr *c = &control.align;

		memset(&control, 0, sizeof control);
		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, fd_count * sizeof(int));
	}
	(void)!sendmsg(fe->socket, &msg, MSG_NOSIGNAL);
	watchdog_step();
}

static bool receive_all(int socket, void *to, size_t len)
{
	return len == 0 || recv(socket, to, len, MSG_WAITALL) == (ssize_t)len;
}

int front_end_reply(struct front_end *fe, uint32_t request, void *payload, uint32_t size)
{
	struct vhost_user_header header;

	if (!receive_all(fe->socket, &header, sizeof header))
		return -1;
	assert_int_equal(header.request, request);
	assert_int_equal(header.flags, VHOST_USER_FLAG_VERSION | VHOST_USER_FLAG_REPLY);
	assert_true(header.size <= size);
	watchdog_step();
	return receive_all(fe->socket, payload, header.size) ? (int)header.size : -1;
}

uint64_t front_end_ask(struct front_end *fe, uint32_t request, const void *payload, uint32_t size, const int *fds,
		       unsigned int fd_count)
{
	uint64_t ack;

	front_end_send(fe, request, VHOST_USER_FLAG_VERSION | VHOST_USER_FLAG_NEED_REPLY, payload, size, fds, fd_count);
	assert_int_equal(front_end_reply(fe, request, &ack, sizeof ack), sizeof ack);
	return ack;
}

uint64_t front_end_ask_u64(struct front_end *fe, uint32_t request, uint64_t value)
{
	return front_end_ask(fe, request, &value, sizeof value, NULL, 0);
}

uint64_t front_end_ask_fd(struct front_end *fe, uint32_t request, uint64_t value, int fd)
{
	return front_end_ask(fe, request, &value, sizeof value, &fd, 1);
}

uint64_t front_end_ask_state(struct front_end *fe, uint32_t request, uint32_t index, uint32_t num)
{
	const struct vhost_user_vring_state state = { .index = index, .num = num };

	return front_end_ask(fe, request, &state, sizeof state, NULL, 0);
}

uint64_t front_end_get_u64(struct front_end *fe, uint32_t request)
{
	uint64_t value;

	front_end_send(fe, request, VHOST_USER_FLAG_VERSION, NULL, 0, NULL, 0);
	assert_int_equal(front_end_reply(fe, request, &value, sizeof value), sizeof value);
	return value;
}

void front_end_expect_end(struct front_end *fe)
{
	char bytes[256];
	ssize_t got;

	while ((got = recv(fe->socket, bytes, sizeof bytes, 0)) > 0)
		;
	/* ECONNRESET means that the daemon closed the socket before it read everything. */
	assert_true(got == 0 || errno == ECONNRESET);
}

/* Set-up */

struct vhost_user_memory front_end_table(void)
{
	const uint64_t half = GUEST_BYTES / 2;

	return (struct vhost_user_memory){
		.count = 2,
		.regions = {
			{ .guest_addr = GUEST_ADDR, .size = half, .user_addr = USER_ADDR, .mmap_offset = 0 },
			{ .guest_addr = GUEST_ADDR + half, .size = half, .user_addr = USER_ADDR + 4 * half,
			  .mmap_offset = half },
		},
	};
}

uint64_t front_end_ask_table(struct front_end *fe, const struct vhost_user_memory *table)
{
	int fds[VHOST_USER_MAX_REGIONS];
	const uint32_t size =
		(uint32_t)(offsetof(struct vhost_user_memory, regions) + table->count * sizeof *table->regions);

	for (uint32_t i = 0; i < table->count; i++)
		fds[i] = fe->memory_fd;
	return front_end_ask(fe, VHOST_USER_SET_MEM_TABLE, table, size, fds, table->count);
}

struct vhost_user_vring_addr front_end_addr(const struct front_end *fe)
{
	return (struct vhost_user_vring_addr){
		.desc = fe->mock.addr[VIRTIO_QUEUE_DESC] - GUEST_ADDR + USER_ADDR,
		.avail = fe->mock.addr[VIRTIO_QUEUE_AVAIL] - GUEST_ADDR + USER_ADDR,
		.used = fe->mock.addr[VIRTIO_QUEUE_USED] - GUEST_ADDR + USER_ADDR,
	};
}

void front_end_negotiate(struct front_end *fe, uint64_t features)
{
	front_end_negotiate_type(fe, features | FEATURE(VIRTIO_BLK_F_FLUSH));
}

void front_end_negotiate_type(struct front_end *fe, uint64_t features)
{
	const uint64_t all = features | FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VHOST_USER_F_PROTOCOL_FEATURES);

	assert_int_equal(front_end_get_u64(fe, VHOST_USER_GET_FEATURES) & all, all);
	assert_int_equal(front_end_ask_u64(fe, VHOST_USER_SET_PROTOCOL_FEATURES,
					   front_end_get_u64(fe, VHOST_USER_GET_PROTOCOL_FEATURES)),
			 0);
	assert_int_equal(front_end_ask(fe, VHOST_USER_SET_OWNER, NULL, 0, NULL, 0), 0);
	assert_int_equal(front_end_ask_u64(fe, VHOST_USER_SET_FEATURES, all), 0);
	fe->mock.event_idx = (features & FEATURE(VIRTIO_RING_F_EVENT_IDX)) != 0;
	fe->mock.indirect = (features & FEATURE(VIRTIO_RING_F_INDIRECT_DESC)) != 0;
}

void front_end_share_memory(struct front_end *fe)
{
	const struct vhost_user_memory table = front_end_table();

	assert_int_equal(front_end_ask_table(fe, &table), 0);
}

void front_end_set_ring(struct front_end *fe, uint16_t base)
{
	const struct vhost_user_vring_addr addr = front_end_addr(fe);

	assert_int_equal(front_end_ask_state(fe, VHOST_USER_SET_VRING_NUM, 0, RING_SIZE), 0);
	assert_int_equal(front_end_ask_state(fe, VHOST_USER_SET_VRING_BASE, 0, base), 0);
	assert_int_equal(front_end_ask(fe, VHOST_USER_SET_VRING_ADDR, &addr, sizeof addr, NULL, 0), 0);
	assert_int_equal(front_end_ask_fd(fe, VHOST_USER_SET_VRING_CALL, 0, fe->call), 0);
	assert_int_equal(front_end_ask_fd(fe, VHOST_USER_SET_VRING_ERR, 0, fe->err), 0);
}

void front_end_start_ring(struct front_end *fe)
{
	assert_int_equal(front_end_ask_fd(fe, VHOST_USER_SET_VRING_KICK, 0, fe->kick), 0);
	assert_int_equal(front_end_ask_state(fe, VHOST_USER_SET_VRING_ENABLE, 0, 1), 0);
}

void front_end_set_up(struct front_end *fe, uint64_t features)
{
	front_end_negotiate(fe, features);
	front_end_share_memory(fe);
	front_end_set_ring(fe, 0);
	front_end_start_ring(fe);
}

/* The driver */

uint8_t *block_data(struct front_end *fe)
{
	return fe->memory + DATA;
}

void block_submit(struct front_end *fe, unsigned int n, uint32_t type, uint64_t sector, uint32_t len)
{
	const struct virtio_blk_outhdr header = { .type = virtio_le32(type), .sector = virtio_le64(sector) };
	const uint16_t data_flags = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID ? VRING_DESC_F_WRITE : 0;
	const struct virtio_mock_buffer buffers[3] = {
		{ .addr = GUEST_ADDR + HEADERS + 16 * n, .len = sizeof header },
		{ .addr = GUEST_ADDR + DATA, .len = len, .flags = data_flags },
		{ .addr = GUEST_ADDR + STATUSES + n, .len = 1, .flags = VRING_DESC_F_WRITE },
	};
	const struct virtio_mock_buffer short_buffers[2] = { buffers[0], buffers[2] };

	memcpy(fe->memory + HEADERS + 16 * n, &header, sizeof header);
	fe->memory[STATUSES + n] = 0xff;
	assert_true(virtio_mock_add(&fe->mock, len ? buffers : short_buffers, len ? 3 : 2) >= 0);
}

void block_kick(struct front_end *fe)
{
	const uint64_t one = 1;

	if (virtio_mock_should_kick(&fe->mock) != 0)
		assert_int_equal(write(fe->kick, &one, sizeof one), sizeof one);
}

/*
 * Blocks in a read of the call descriptor, so that a lost interrupt makes the watchdog end the
 * test.
 */
void block_wait(struct front_end *fe, unsigned int count)
{
	struct vring_used_elem used;
	uint64_t signals;

	while (count > 0) {
		int got = virtio_mock_pop_used(&fe->mock, &used);

		assert_true(got >= 0);
		count -= (unsigned int)got;
		if (got)
			watchdog_step();
		if (got || virtio_mock_enable_interrupts(&fe->mock) != 0)
			continue;
		assert_int_equal(read(fe->call, &signals, sizeof signals), sizeof signals);
	}
}

uint8_t block_status(const struct front_end *fe, unsigned int n)
{
	return fe->memory[STATUSES + n];
}

uint8_t block_io(struct front_end *fe, uint32_t type, uint64_t sector, uint32_t len)
{
	block_submit(fe, 0, type, sector, len);
	block_kick(fe);
	block_wait(fe, 1);
	return block_status(fe, 0);
}

void block_write_and_read(struct front_end *fe, uint64_t sector, uint8_t byte)
{
	uint8_t expected[512];

	memset(expected, byte, sizeof expected);
	memset(block_data(fe), byte, sizeof expected);
	assert_int_equal(block_io(fe, VIRTIO_BLK_T_OUT, sector, sizeof expected), VIRTIO_BLK_S_OK);
	assert_int_equal(block_io(fe, VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_OK);
	memset(block_data(fe), ~byte, sizeof expected);
	assert_int_equal(block_io(fe, VIRTIO_BLK_T_IN, sector, sizeof expected), VIRTIO_BLK_S_OK);
	assert_memory_equal(block_data(fe), expected, sizeof expected);
}

/*
 * Each chain has three descriptors, so 16 chains fit the ring. RING_SIZE is a multiple of 16, so
 * each chain has fixed entries of the available ring.
 */
#define BUSY_CHAINS 16

/* Makes chains available again as fast as the device completes them, and kicks each time. */
static void be_busy(struct front_end *fe)
{
	const uint64_t one = 1;
	uint16_t used;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(fe->socket);
	while (virtio_mock_get(&fe->mock, VIRTIO_MOCK_USED_IDX, &used) == 0) {
		(void)virtio_mock_set(&fe->mock, VIRTIO_MOCK_AVAIL_IDX, (uint16_t)(used + BUSY_CHAINS));
		(void)!write(fe->kick, &one, sizeof one);
	}
	_exit(0);
}

pid_t block_busy_guest(struct front_end *fe)
{
	const struct virtio_mock_buffer buffers[3] = {
		{ .addr = GUEST_ADDR + HEADERS, .len = 16 }, /* a header of zeroes reads sector 0 */
		{ .addr = GUEST_ADDR + DATA, .len = DATA_BYTES, .flags = VRING_DESC_F_WRITE },
		{ .addr = GUEST_ADDR + STATUSES, .len = 1, .flags = VRING_DESC_F_WRITE },
	};
	uint16_t used;
	pid_t pid;

	for (uint32_t i = 0; i < RING_SIZE; i++) {
		const uint32_t head = i % BUSY_CHAINS * 3;

		assert_int_equal(virtio_mock_write_chain(&fe->mock, head, buffers, 3), 0);
		assert_int_equal(virtio_mock_set_avail_entry(&fe->mock, i, (uint16_t)head), 0);
	}
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		be_busy(fe);
	/* If the device does not serve the guest, the watchdog ends this loop. */
	do
		assert_int_equal(virtio_mock_get(&fe->mock, VIRTIO_MOCK_USED_IDX, &used), 0);
	while (used < 1000);
	return pid;
}

void front_end_good_session(const char *path, uint8_t byte)
{
	struct vhost_user_vring_state state = { .index = 0 };
	struct front_end fe;

	front_end_open(&fe, path);
	front_end_set_up(&fe, FEATURE(VIRTIO_RING_F_EVENT_IDX));
	block_write_and_read(&fe, byte, byte);
	front_end_send(&fe, VHOST_USER_GET_VRING_BASE, VHOST_USER_FLAG_VERSION, &state, sizeof state, NULL, 0);
	assert_int_equal(front_end_reply(&fe, VHOST_USER_GET_VRING_BASE, &state, sizeof state), sizeof state);
	assert_int_equal(state.index, 0);
	assert_int_equal(state.num, 3);
	front_end_close(&fe);
}
