/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Imitates front ends according to their sources: the order, sizes, flags and defaults of their
 * messages. The table in front_ends.md names the test of each row. If a front end asks for no
 * reply, a refusal ends the session, and the test fails. A refusal of SET_CONFIG does not end the
 * session.
 */
#include "daemon.h"
#include "front_end.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>

#define VERSION VHOST_USER_FLAG_VERSION
#define NEED_REPLY (VHOST_USER_FLAG_VERSION | VHOST_USER_FLAG_NEED_REPLY)
#define MODERN (FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VIRTIO_BLK_F_FLUSH))
#define PROTOCOL FEATURE(VHOST_USER_F_PROTOCOL_FEATURES)
#define CONFIG_HEADER ((uint32_t)offsetof(struct vhost_user_config, data))

/* A front end. `asks` is set if this front end asks for a reply to every message. */
struct peer {
	struct daemon_process daemon;
	struct front_end fe;
	bool asks;
};

static void tell(struct peer *peer, uint32_t request, const void *payload, uint32_t size, const int *fds,
		 unsigned int fd_count)
{
	if (peer->asks)
		assert_int_equal(front_end_ask(&peer->fe, request, payload, size, fds, fd_count), 0);
	else
		front_end_send(&peer->fe, request, VERSION, payload, size, fds, fd_count);
}

static void tell_u64(struct peer *peer, uint32_t request, uint64_t value)
{
	tell(peer, request, &value, sizeof value, NULL, 0);
}

static void tell_state(struct peer *peer, uint32_t request, uint32_t index, uint32_t num)
{
	const struct vhost_user_vring_state state = { .index = index, .num = num };

	tell(peer, request, &state, sizeof state, NULL, 0);
}

static void tell_fd(struct peer *peer, uint32_t request, uint64_t index, int fd)
{
	tell(peer, request, &index, sizeof index, &fd, 1);
}

static void tell_table(struct peer *peer)
{
	const struct vhost_user_memory table = front_end_table();
	const int fds[2] = { peer->fe.memory_fd, peer->fe.memory_fd };

	tell(peer, VHOST_USER_SET_MEM_TABLE, &table, 8 + 2 * sizeof table.regions[0], fds, 2);
}

static void tell_addr(struct peer *peer)
{
	const struct vhost_user_vring_addr addr = front_end_addr(&peer->fe);

	tell(peer, VHOST_USER_SET_VRING_ADDR, &addr, sizeof addr, NULL, 0);
}

static uint32_t get_base(struct peer *peer, uint32_t index)
{
	struct vhost_user_vring_state state = { .index = index };

	front_end_send(&peer->fe, VHOST_USER_GET_VRING_BASE, VERSION, &state, sizeof state, NULL, 0);
	assert_int_equal(front_end_reply(&peer->fe, VHOST_USER_GET_VRING_BASE, &state, sizeof state), sizeof state);
	return state.num;
}

/*
 * Reads the configuration space by a request with room for `room` bytes. Checks that the reply is
 * as long as the request.
 */
static void get_config(struct peer *peer, uint32_t offset, uint32_t size, uint32_t flags, uint32_t room)
{
	struct vhost_user_config config = { .offset = offset, .size = size, .flags = flags };

	front_end_send(&peer->fe, VHOST_USER_GET_CONFIG, VERSION, &config, CONFIG_HEADER + room, NULL, 0);
	assert_int_equal(front_end_reply(&peer->fe, VHOST_USER_GET_CONFIG, &config, sizeof config),
			 CONFIG_HEADER + room);
	assert_int_equal(config.size, size);
	assert_int_equal(config.offset, offset);
	if (offset % VHOST_USER_CONFIG_BASE == 0 && size >= 8)
		assert_int_equal(virtio_get_le64(config.data), IMAGE_BYTES / 512);
}

static void begin(struct peer *peer)
{
	memset(peer, 0, sizeof *peer);
	daemon_start(&peer->daemon, "");
	front_end_open(&peer->fe, peer->daemon.socket);
}

/* Checks that no message was refused and the connection is open. */
static void end(struct peer *peer)
{
	char text[512];

	(void)front_end_get_u64(&peer->fe, VHOST_USER_GET_FEATURES);
	front_end_close(&peer->fe);
	assert_int_equal(daemon_errors(&peer->daemon, text, sizeof text), 0);
	daemon_finish(&peer->daemon);
}

static uint64_t negotiate_protocol(struct peer *peer, uint64_t wanted)
{
	const uint64_t features = front_end_get_u64(&peer->fe, VHOST_USER_GET_PROTOCOL_FEATURES) & wanted;

	front_end_send(&peer->fe, VHOST_USER_SET_PROTOCOL_FEATURES, VERSION, &features, sizeof features, NULL, 0);
	return features;
}

static void give_channel(struct peer *peer)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	tell(peer, VHOST_USER_SET_BACKEND_REQ_FD, NULL, 0, &ends[1], 1);
	close(ends[0]);
	close(ends[1]);
}

/* QEMU */

/* Asks for replies where QEMU does: for the memory table and for SET_VRING_ENABLE. */
static void qemu_starts(struct peer *peer, uint64_t features, uint32_t base)
{
	tell_u64(peer, VHOST_USER_SET_FEATURES, features | PROTOCOL);
	front_end_share_memory(&peer->fe);
	tell_state(peer, VHOST_USER_SET_VRING_NUM, 0, RING_SIZE);
	tell_state(peer, VHOST_USER_SET_VRING_BASE, 0, base);
	tell_addr(peer);
	tell_fd(peer, VHOST_USER_SET_VRING_KICK, 0, peer->fe.kick);
	tell_fd(peer, VHOST_USER_SET_VRING_CALL, 0, peer->fe.call);
	/* QEMU enables all queues, although the driver has set up only one queue. */
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(front_end_ask_state(&peer->fe, VHOST_USER_SET_VRING_ENABLE, i, 1), 0);
}

static uint32_t qemu_stops(struct peer *peer)
{
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(front_end_ask_state(&peer->fe, VHOST_USER_SET_VRING_ENABLE, i, 0), 0);
	return get_base(peer, 0);
}

static void qemu_connects(struct peer *peer)
{
	(void)front_end_get_u64(&peer->fe, VHOST_USER_GET_FEATURES);
	(void)negotiate_protocol(peer, UINT64_MAX);
	assert_true(front_end_get_u64(&peer->fe, VHOST_USER_GET_QUEUE_NUM) >= 4);
	give_channel(peer);
	tell(peer, VHOST_USER_SET_OWNER, NULL, 0, NULL, 0);
	(void)front_end_get_u64(&peer->fe, VHOST_USER_GET_FEATURES);
	/* QEMU sends its own call descriptors before all other values of the rings. */
	for (uint32_t i = 0; i < 4; i++)
		tell_fd(peer, VHOST_USER_SET_VRING_CALL, i, peer->fe.err);
	get_config(peer, 0, 60, 0, 60);
}

static void front_end_qemu(void **state)
{
	struct peer peer;

	(void)state;
	begin(&peer);
	qemu_connects(&peer);
	/*
	 * The firmware's driver runs, then the driver of an operating system with other features.
	 */
	qemu_starts(&peer, MODERN, 0);
	block_write_and_read(&peer.fe, 1, 1);
	assert_int_equal(qemu_stops(&peer), 3);
	assert_int_equal(virtio_mock_reset(&peer.fe.mock), 0);
	peer.fe.mock.event_idx = true;
	qemu_starts(&peer, MODERN | FEATURE(VIRTIO_RING_F_EVENT_IDX), 0);
	block_write_and_read(&peer.fe, 2, 2);
	/* A new memory table arrives while the ring runs, and gets a reply. */
	front_end_share_memory(&peer.fe);
	block_write_and_read(&peer.fe, 3, 3);
	/* QEMU pauses the guest, and resumes the ring at the same index. */
	assert_int_equal(qemu_stops(&peer), 6);
	qemu_starts(&peer, MODERN | FEATURE(VIRTIO_RING_F_EVENT_IDX), 6);
	block_write_and_read(&peer.fe, 4, 4);
	end(&peer);
}

/*
 * The firmware's driver uses the legacy interface, and does not accept VERSION_1. The session must
 * continue until a modern driver starts.
 */
static void front_end_qemu_with_a_legacy_driver(void **state)
{
	struct peer peer;
	char text[512];

	(void)state;
	begin(&peer);
	qemu_connects(&peer);
	qemu_starts(&peer, 0, 0);
	assert_int_equal(qemu_stops(&peer), 0);
	qemu_starts(&peer, MODERN, 0);
	block_write_and_read(&peer.fe, 1, 1);
	assert_int_equal(daemon_errors(&peer.daemon, text, sizeof text), 1);
	assert_non_null(strstr(text, "disable-legacy=on"));
	front_end_close(&peer.fe);
	daemon_finish(&peer.daemon);
}

/* The vhost crate of rust-vmm sends the sizes of all rings first. */

static void crate_connects(struct peer *peer, bool asks, uint64_t protocol)
{
	(void)front_end_get_u64(&peer->fe, VHOST_USER_GET_FEATURES);
	(void)negotiate_protocol(peer, protocol);
	peer->asks = asks;
}

static void crate_starts(struct peer *peer, uint32_t rings, uint64_t features)
{
	tell_u64(peer, VHOST_USER_SET_FEATURES, features | MODERN | PROTOCOL);
	tell_table(peer);
	for (uint32_t i = 0; i < rings; i++)
		tell_state(peer, VHOST_USER_SET_VRING_NUM, i, RING_SIZE);
	tell_addr(peer);
	tell_state(peer, VHOST_USER_SET_VRING_BASE, 0, 0);
	tell_fd(peer, VHOST_USER_SET_VRING_CALL, 0, peer->fe.call);
	tell_fd(peer, VHOST_USER_SET_VRING_KICK, 0, peer->fe.kick);
	tell_state(peer, VHOST_USER_SET_VRING_ENABLE, 0, 1);
}

/*
 * Cloud Hypervisor asks for a reply to every message. In older versions offsets in the
 * configuration space begin at 0x100.
 */
static void front_end_cloud_hypervisor(void **state)
{
	struct peer peer;

	(void)state;
	begin(&peer);
	crate_connects(&peer, true, UINT64_MAX);
	tell(&peer, VHOST_USER_SET_OWNER, NULL, 0, NULL, 0);
	assert_true(front_end_get_u64(&peer.fe, VHOST_USER_GET_QUEUE_NUM) >= 4);
	get_config(&peer, 0, 60, 1, 60);
	get_config(&peer, VHOST_USER_CONFIG_BASE, 60, 1, 60);
	for (uint8_t i = 1; i < 3; i++) {
		crate_starts(&peer, 4, 0);
		/*
		 * Cloud Hypervisor sends the channel for the daemon's requests last, and only for
		 * some devices.
		 */
		give_channel(&peer);
		block_write_and_read(&peer.fe, i, i);
		tell_state(&peer, VHOST_USER_SET_VRING_ENABLE, 0, 0);
		(void)get_base(&peer, 0);
		assert_int_equal(virtio_mock_reset(&peer.fe.mock), 0);
	}
	end(&peer);
}

/*
 * Firecracker uses one queue, and CONFIG as the only protocol feature. Without REPLY_ACK,
 * Firecracker asks for no acknowledgement.
 */
static void front_end_firecracker(void **state)
{
	struct peer peer;

	(void)state;
	begin(&peer);
	tell(&peer, VHOST_USER_SET_OWNER, NULL, 0, NULL, 0);
	crate_connects(&peer, false, FEATURE(VHOST_USER_PROTOCOL_F_CONFIG));
	get_config(&peer, 0, 60, 1, 60);
	crate_starts(&peer, 1, FEATURE(VIRTIO_RING_F_EVENT_IDX));
	peer.fe.mock.event_idx = true;
	block_write_and_read(&peer.fe, 1, 1);
	/*
	 * After a change of the disk, Firecracker reads the configuration space again while the
	 * ring runs.
	 */
	get_config(&peer, 0, 60, 1, 60);
	block_write_and_read(&peer.fe, 2, 2);
	end(&peer);
}

/*
 * crosvm sends SET_OWNER first and asks for no reply. It reads the configuration space field by
 * field. It may send the features in two halves, and need not repeat unchanged features.
 */
static void front_end_crosvm(void **state)
{
	const struct vhost_user_config field = { .offset = 32, .size = 1, .data = { 1 } };
	struct peer peer;

	(void)state;
	begin(&peer);
	tell(&peer, VHOST_USER_SET_OWNER, NULL, 0, NULL, 0);
	crate_connects(&peer, false, UINT64_MAX);
	give_channel(&peer);
	(void)front_end_get_u64(&peer.fe, VHOST_USER_GET_QUEUE_NUM);
	for (uint32_t offset = 0; offset < 60; offset += 4)
		get_config(&peer, offset, 4, 1, 4);
	get_config(&peer, 0, 8, 1, 8);
	tell_u64(&peer, VHOST_USER_SET_FEATURES, PROTOCOL | FEATURE(VIRTIO_BLK_F_FLUSH));
	for (unsigned int i = 0; i < 3; i++) {
		if (i < 2)
			tell_u64(&peer, VHOST_USER_SET_FEATURES, PROTOCOL | MODERN);
		tell_table(&peer);
		tell_state(&peer, VHOST_USER_SET_VRING_NUM, 0, RING_SIZE);
		tell_addr(&peer);
		tell_state(&peer, VHOST_USER_SET_VRING_BASE, 0, i == 2 ? 6 : 0);
		tell_fd(&peer, VHOST_USER_SET_VRING_CALL, 0, peer.fe.call);
		tell_fd(&peer, VHOST_USER_SET_VRING_KICK, 0, peer.fe.kick);
		tell_state(&peer, VHOST_USER_SET_VRING_ENABLE, 0, 1);
		block_write_and_read(&peer.fe, 1, 1);
		/* crosvm passes on every write of the driver to the configuration space. */
		front_end_send(&peer.fe, VHOST_USER_SET_CONFIG, VERSION, &field, CONFIG_HEADER + 1, NULL, 0);
		block_write_and_read(&peer.fe, 2, 2);
		tell_state(&peer, VHOST_USER_SET_VRING_ENABLE, 0, 0);
		(void)get_base(&peer, 0);
		/*
		 * After the first round the driver resets the device. After the second round the
		 * guest sleeps, and then the ring continues at its index.
		 */
		if (i == 0)
			assert_int_equal(virtio_mock_reset(&peer.fe.mock), 0);
	}
	(void)front_end_get_u64(&peer.fe, VHOST_USER_GET_FEATURES);
	front_end_close(&peer.fe);
	daemon_finish(&peer.daemon);
}

/*
 * The driver of SPDK and DPDK runs in the front end's process, so guest addresses are this
 * process's addresses. SPDK sets the features before the protocol features, and the call descriptor
 * before the ring's size, base and addresses. After the memory table, SPDK sends a request that has
 * a reply.
 */
static void front_end_spdk(void **state)
{
	struct vhost_user_memory table = { .count = 1 };
	struct vhost_user_vring_addr addr;
	struct peer peer;

	(void)state;
	begin(&peer);
	tell(&peer, VHOST_USER_SET_OWNER, NULL, 0, NULL, 0);
	(void)front_end_get_u64(&peer.fe, VHOST_USER_GET_FEATURES);
	tell_u64(&peer, VHOST_USER_SET_FEATURES, MODERN | PROTOCOL);
	(void)negotiate_protocol(&peer, FEATURE(VHOST_USER_PROTOCOL_F_MQ) | FEATURE(VHOST_USER_PROTOCOL_F_CONFIG));
	/* SPDK's request has room for 256 bytes, whatever the size. */
	get_config(&peer, 0, 256, 0, 256);
	(void)front_end_get_u64(&peer.fe, VHOST_USER_GET_QUEUE_NUM);
	for (uint32_t i = 0; i < 2; i++)
		tell_state(&peer, VHOST_USER_SET_VRING_ENABLE, i, 1);
	for (uint32_t i = 0; i < 2; i++)
		tell_fd(&peer, VHOST_USER_SET_VRING_CALL, i, peer.fe.call);
	table.regions[0] = front_end_table().regions[0];
	table.regions[0].user_addr = GUEST_ADDR;
	tell(&peer, VHOST_USER_SET_MEM_TABLE, &table, 40, &peer.fe.memory_fd, 1);
	(void)front_end_get_u64(&peer.fe, VHOST_USER_GET_FEATURES);
	tell_state(&peer, VHOST_USER_SET_VRING_NUM, 0, RING_SIZE);
	tell_state(&peer, VHOST_USER_SET_VRING_BASE, 0, 0);
	addr = front_end_addr(&peer.fe);
	addr.desc += GUEST_ADDR - USER_ADDR;
	addr.avail += GUEST_ADDR - USER_ADDR;
	addr.used += GUEST_ADDR - USER_ADDR;
	tell(&peer, VHOST_USER_SET_VRING_ADDR, &addr, sizeof addr, NULL, 0);
	tell_fd(&peer, VHOST_USER_SET_VRING_KICK, 0, peer.fe.kick);
	block_write_and_read(&peer.fe, 1, 1);
	/* SPDK stops the second ring too, which was never started. */
	assert_int_equal(get_base(&peer, 0), 3);
	assert_int_equal(get_base(&peer, 1), 0);
	end(&peer);
}

/*
 * A front end sends an array of 8 regions, of which only two are in use. When the guest's memory is
 * removed, the front end sends a table of 0 regions.
 */
static void front_end_with_a_padded_table(void **state)
{
	const struct vhost_user_memory none = { .count = 0 };
	struct vhost_user_memory table = front_end_table();
	struct peer peer;
	int fds[2];

	(void)state;
	begin(&peer);
	front_end_negotiate(&peer.fe, 0);
	fds[0] = fds[1] = peer.fe.memory_fd;
	tell(&peer, VHOST_USER_SET_MEM_TABLE, &none, 8, NULL, 0);
	tell(&peer, VHOST_USER_SET_MEM_TABLE, &table, 8 + 8 * sizeof table.regions[0], fds, 2);
	front_end_set_ring(&peer.fe, 0);
	front_end_start_ring(&peer.fe);
	block_write_and_read(&peer.fe, 1, 1);
	(void)get_base(&peer, 0);
	tell(&peer, VHOST_USER_SET_MEM_TABLE, &none, 8, NULL, 0);
	end(&peer);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(front_end_qemu),
		cmocka_unit_test(front_end_qemu_with_a_legacy_driver),
		cmocka_unit_test(front_end_cloud_hypervisor),
		cmocka_unit_test(front_end_firecracker),
		cmocka_unit_test(front_end_crosvm),
		cmocka_unit_test(front_end_spdk),
		cmocka_unit_test(front_end_with_a_padded_table),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
