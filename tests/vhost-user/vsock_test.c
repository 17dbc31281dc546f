/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The daemon's socket device: connections between a guest and programs of the host. */
#include "cmocka_includes.h"
#include "vsock_guest.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STREAM VIRTIO_VSOCK_TYPE_STREAM
#define NOTHING_LOST " 0 records that can't be carried, 0 faults"

static void vsock_tells_its_cid(void **state)
{
	struct vhost_user_config access = { .size = 8 };
	const uint32_t size = offsetof(struct vhost_user_config, data) + 8;
	const uint64_t cid = virtio_le64(3);
	struct vsock_pair p;

	(void)state;
	vsock_set_up(&p, "");
	assert_int_equal(front_end_get_u64(&p.guest.fe, VHOST_USER_GET_FEATURES) & 0xffffff, VSOCK_FEATURES);
	front_end_send(&p.guest.fe, VHOST_USER_GET_CONFIG, VHOST_USER_FLAG_VERSION, &access, size, NULL, 0);
	assert_int_equal(front_end_reply(&p.guest.fe, VHOST_USER_GET_CONFIG, &access, sizeof access), size);
	assert_memory_equal(access.data, &cid, sizeof cid);
	vsock_tear_down(
		&p,
		": 0 connections from the guest, 0 to it, 0 refused, 0 bytes from the guest, 0 to it," NOTHING_LOST);
}

static void vsock_guest_connects_to_a_listener(void **state)
{
	struct vsock_message m;
	struct vsock_peer peer;
	struct vsock_pair p;
	int fd;

	(void)state;
	vsock_set_up(&p, "");
	fd = vsock_open_to_host(&p, &peer);
	vsock_send(&peer, VIRTIO_VSOCK_OP_RW, 0, "hello", 5);
	host_expect(fd, "hello", 5);
	host_send(fd, "world", 5);
	vsock_expect_data(&peer, "world", 5);
	/* The guest shuts down its sending direction, and the host still sends. */
	vsock_send(&peer, VIRTIO_VSOCK_OP_RW, 0, "!", 1);
	vsock_send(&peer, VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_SHUTDOWN_SEND, NULL, 0);
	host_expect(fd, "!", 1);
	host_expect_end(fd);
	host_send(fd, "bye", 3);
	vsock_expect_data(&peer, "bye", 3);
	/* When the host closes its socket too, the connection ends. */
	close(fd);
	vsock_expect(&peer, VIRTIO_VSOCK_OP_SHUTDOWN, &m);
	assert_int_equal(virtio_vsock_flags(&m.header), VIRTIO_VSOCK_SHUTDOWN_BOTH);
	vsock_send(&peer, VIRTIO_VSOCK_OP_RST, 0, NULL, 0);
	vsock_expect_nothing(&p.guest);
	vsock_tear_down(
		&p,
		": 1 connections from the guest, 0 to it, 0 refused, 6 bytes from the guest, 8 to it," NOTHING_LOST);
}

/* Hostile 224: the guest closes a connection, and connects again at once with the same ports. */
static void vsock_guest_closes_and_connects_again(void **state)
{
	struct vsock_message m;
	struct vsock_peer peer;
	struct vsock_pair p;
	int listener, fd;

	(void)state;
	vsock_set_up(&p, "");
	listener = host_listen("_80", SOCK_STREAM, 8);
	assert_true(vsock_connect(&peer, &p.guest, STREAM, 80));
	for (unsigned int i = 0; i < 20; i++) {
		fd = host_accept(listener);
		vsock_send(&peer, VIRTIO_VSOCK_OP_RW, 0, "abc", 3);
		vsock_send(&peer, VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_SHUTDOWN_BOTH, NULL, 0);
		host_expect(fd, "abc", 3);
		host_expect_end(fd);
		close(fd);
		vsock_expect(&peer, VIRTIO_VSOCK_OP_RST, &m);
		vsock_send(&peer, VIRTIO_VSOCK_OP_REQUEST, 0, NULL, 0);
		vsock_expect(&peer, VIRTIO_VSOCK_OP_RESPONSE, &m);
	}
	close(listener);
	vsock_tear_down(&p, ": 21 connections from the guest");
}

static void vsock_refuses_ports_without_a_listener(void **state)
{
	struct vsock_peer peer;
	struct vsock_pair p;
	char path[160];
	int fd;

	(void)state;
	vsock_set_up(&p, "");
	/*
	 * The path of port 80 has no file, then a stale socket file, and then a listener for
	 * records. The path of port 4294967295 has no file. The path of port 0 is a link to an
	 * ordinary file.
	 */
	assert_false(vsock_connect(&peer, &p.guest, STREAM, 80));
	close(host_listen("_80", SOCK_STREAM, 8));
	assert_false(vsock_connect(&peer, &p.guest, STREAM, 80));
	fd = host_listen("_80", SOCK_SEQPACKET, 8);
	assert_false(vsock_connect(&peer, &p.guest, STREAM, 80));
	assert_false(vsock_connect(&peer, &p.guest, STREAM, 4294967295));
	close(fd);
	snprintf(path, sizeof path, "%s_0", vsock_path);
	assert_int_equal(symlink(p.daemon.image, path), 0);
	assert_false(vsock_connect(&peer, &p.guest, STREAM, 0));
	vsock_tear_down(&p, ": 0 connections from the guest, 0 to it, 5 refused");
}

/* Without a group, a request for another guest's CID is refused. */
static void vsock_refuses_other_cids_without_a_group(void **state)
{
	struct vsock_peer peer = { .port = 1, .peer_cid = 4, .peer_port = 80, .type = STREAM };
	struct vsock_message m;
	struct vsock_pair p;

	(void)state;
	vsock_set_up(&p, "");
	peer.guest = &p.guest;
	vsock_send(&peer, VIRTIO_VSOCK_OP_REQUEST, 0, NULL, 0);
	vsock_expect(&peer, VIRTIO_VSOCK_OP_RST, &m);
	vsock_tear_down(&p, " 1 refused");
}

/* Hostile 231: a listener that accepts no connection does not delay other connections. */
static void vsock_dials_again_while_a_backlog_is_full(void **state)
{
	struct vsock_peer first, second, waits, other;
	struct vsock_message m;
	struct vsock_pair p;
	int busy, fd;

	(void)state;
	vsock_set_up(&p, "");
	/* A backlog of 0 has room for one client. */
	busy = host_listen("_81", SOCK_STREAM, 0);
	assert_true(vsock_connect(&first, &p.guest, STREAM, 81));
	waits = first;
	waits.port = 1;
	vsock_send(&waits, VIRTIO_VSOCK_OP_REQUEST, 0, NULL, 0);
	vsock_expect_nothing(&p.guest);
	fd = vsock_open_to_host(&p, &other);
	vsock_send(&other, VIRTIO_VSOCK_OP_RW, 0, "abc", 3);
	host_expect(fd, "abc", 3);
	close(fd);
	vsock_expect(&other, VIRTIO_VSOCK_OP_SHUTDOWN, &m);
	/* The backlog has room now. */
	close(host_accept(busy));
	vsock_receive(&p.guest, &m);
	while (virtio_vsock_op(&m.header) != VIRTIO_VSOCK_OP_RESPONSE) {
		assert_int_equal(virtio_vsock_op(&m.header), VIRTIO_VSOCK_OP_SHUTDOWN);
		vsock_receive(&p.guest, &m);
	}
	assert_int_equal(virtio_vsock_dst_port(&m.header), waits.port);
	/* A connection that waits too long is refused. */
	second = waits;
	second.port = 2;
	vsock_send(&second, VIRTIO_VSOCK_OP_REQUEST, 0, NULL, 0);
	do
		vsock_receive(&p.guest, &m);
	while (virtio_vsock_op(&m.header) != VIRTIO_VSOCK_OP_RST || virtio_vsock_dst_port(&m.header) != second.port);
	close(busy);
	vsock_tear_down(&p, ": 3 connections from the guest, 0 to it, 1 refused");
}

static uint8_t pattern(size_t place)
{
	return (uint8_t)(place ^ place >> 8 ^ place >> 16);
}

/*
 * The guest uses up its credit, because the host does not read. Another connection still works.
 * Then the host reads everything.
 */
static void vsock_buffers_for_a_host_that_does_not_read(void **state)
{
	const uint32_t buffer = 65536;
	struct vsock_peer slow, other;
	struct vsock_message m;
	uint8_t bytes[VSOCK_PAYLOAD], *all;
	uint32_t sent = 0, fwd_cnt = 0;
	struct vsock_pair p;
	int fd, fast;

	(void)state;
	vsock_set_up(&p, ",buffer=65536");
	fd = vsock_open_to_host(&p, &slow);
	/*
	 * The device grants credit for each byte that it has written to the socket. The guest sends
	 * until its credit is used up.
	 */
	while (sent - fwd_cnt < buffer) {
		const uint32_t left = buffer - (sent - fwd_cnt), len = left < VSOCK_PAYLOAD ? left : VSOCK_PAYLOAD;

		for (uint32_t i = 0; i < len; i++)
			bytes[i] = pattern(sent + i);
		vsock_send(&slow, VIRTIO_VSOCK_OP_RW, 0, bytes, len);
		sent += len;
		if (sent - fwd_cnt < buffer)
			continue;
		vsock_send(&slow, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0, NULL, 0);
		do {
			vsock_expect(&slow, VIRTIO_VSOCK_OP_CREDIT_UPDATE, &m);
			assert_int_equal(virtio_vsock_buf_alloc(&m.header), buffer);
		} while (virtio_vsock_fwd_cnt(&m.header) == fwd_cnt && sent == buffer);
		fwd_cnt = virtio_vsock_fwd_cnt(&m.header);
	}
	fast = vsock_open_to_host(&p, &other);
	vsock_send(&other, VIRTIO_VSOCK_OP_RW, 0, "abc", 3);
	host_expect(fast, "abc", 3);
	all = malloc(sent);
	assert_non_null(all);
	for (uint32_t i = 0; i < sent; i++)
		all[i] = pattern(i);
	host_expect(fd, all, sent);
	free(all);
	/* Now the guest has credit again. */
	vsock_send(&slow, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0, NULL, 0);
	do
		vsock_receive(&p.guest, &m);
	while (virtio_vsock_dst_port(&m.header) != slow.port || virtio_vsock_fwd_cnt(&m.header) != sent);
	close(fd);
	close(fast);
	vsock_tear_down(&p, NOTHING_LOST);
}

/*
 * A guest that sends more than a connection's credit allows loses that connection, and no other
 * connection.
 */
static void vsock_resets_a_guest_that_sends_too_much(void **state)
{
	struct vsock_peer greedy, other;
	struct vsock_message m;
	uint8_t bytes[VSOCK_PAYLOAD] = { 0 };
	struct vsock_pair p;
	int fd, fast;

	(void)state;
	vsock_set_up(&p, ",buffer=4096");
	fast = vsock_open_to_host(&p, &other);
	fd = vsock_open_to_host(&p, &greedy);
	do {
		vsock_submit(&greedy, VIRTIO_VSOCK_OP_RW, 0, bytes, sizeof bytes);
		vsock_reap(&p.guest);
		vsock_submit(&greedy, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0, NULL, 0);
		vsock_reap(&p.guest);
		vsock_receive(&p.guest, &m);
	} while (virtio_vsock_op(&m.header) == VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(virtio_vsock_op(&m.header), VIRTIO_VSOCK_OP_RST);
	assert_int_equal(virtio_vsock_dst_port(&m.header), greedy.port);
	vsock_send(&other, VIRTIO_VSOCK_OP_RW, 0, "abc", 3);
	host_expect(fast, "abc", 3);
	close(fd);
	close(fast);
	vsock_tear_down(&p, " 1 faults");
}

/*
 * Hostile 225: without a receive buffer the device reads nothing from the host. Later the guest
 * gets the data first, and then the end.
 */
static void vsock_sends_the_end_after_the_last_byte(void **state)
{
	struct vsock_message m;
	struct vsock_peer peer;
	uint8_t bytes[3000];
	struct vsock_pair p;
	int fd;

	(void)state;
	vsock_set_up(&p, "");
	fd = vsock_open_to_host(&p, &peer);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = pattern(i);
	host_send(fd, bytes, sizeof bytes);
	close(fd);
	/* Meanwhile the guest sends to the closed socket. The data is lost without harm. */
	vsock_send(&peer, VIRTIO_VSOCK_OP_RW, 0, "x", 1);
	vsock_send(&peer, VIRTIO_VSOCK_OP_RW, 0, "x", 1);
	vsock_expect_data(&peer, bytes, sizeof bytes);
	vsock_expect(&peer, VIRTIO_VSOCK_OP_SHUTDOWN, &m);
	assert_int_equal(virtio_vsock_flags(&m.header), VIRTIO_VSOCK_SHUTDOWN_BOTH);
	vsock_send(&peer, VIRTIO_VSOCK_OP_RST, 0, NULL, 0);
	vsock_tear_down(&p, NOTHING_LOST);
}

/* Data that the guest has sent before RST reaches a host that reads later. */
static void vsock_delivers_what_came_before_a_reset(void **state)
{
	struct vsock_peer peer;
	uint8_t bytes[VSOCK_PAYLOAD], *all;
	const size_t len = 600 * sizeof bytes;
	struct vsock_pair p;
	int fd;

	(void)state;
	vsock_set_up(&p, "");
	fd = vsock_open_to_host(&p, &peer);
	all = malloc(len);
	assert_non_null(all);
	for (size_t at = 0; at < len; at += sizeof bytes) {
		for (size_t i = 0; i < sizeof bytes; i++)
			all[at + i] = bytes[i] = pattern(at + i);
		vsock_send(&peer, VIRTIO_VSOCK_OP_RW, 0, bytes, sizeof bytes);
	}
	vsock_send(&peer, VIRTIO_VSOCK_OP_RST, 0, NULL, 0);
	host_expect(fd, all, len);
	host_expect_end(fd);
	close(fd);
	free(all);
	vsock_tear_down(&p, NOTHING_LOST);
}

/*
 * The guest opens as many connections as the device allows. A further connection is refused, and
 * the open connections still work.
 */
static void vsock_has_many_connections_at_once(void **state)
{
	enum { COUNT = 1000 };
	static struct vsock_peer peers[COUNT];
	static int fds[COUNT];
	struct vsock_message m;
	struct vsock_peer more;
	struct vsock_pair p;
	int listener, extra;

	(void)state;
	vsock_set_up(&p, ",connections=1000");
	listener = host_listen("_80", SOCK_STREAM, 8);
	for (unsigned int i = 0; i < COUNT; i++) {
		assert_true(vsock_connect(&peers[i], &p.guest, STREAM, 80));
		fds[i] = host_accept(listener);
	}
	assert_false(vsock_connect(&more, &p.guest, STREAM, 80));
	extra = host_connect("", SOCK_STREAM);
	host_send(extra, "CONNECT 22\n", 11);
	host_expect_end(extra);
	close(extra);
	for (unsigned int i = 0; i < COUNT; i++) {
		const uint32_t number = i;

		vsock_send(&peers[i], VIRTIO_VSOCK_OP_RW, 0, &number, sizeof number);
	}
	for (unsigned int i = 0; i < COUNT; i++) {
		const uint32_t number = i;

		host_expect(fds[i], &number, sizeof number);
		host_send(fds[i], &number, sizeof number);
		vsock_expect_data(&peers[i], &number, sizeof number);
	}
	for (unsigned int i = 0; i < COUNT; i++) {
		close(fds[i]);
		vsock_expect(&peers[i], VIRTIO_VSOCK_OP_SHUTDOWN, &m);
		vsock_send(&peers[i], VIRTIO_VSOCK_OP_RST, 0, NULL, 0);
	}
	assert_true(vsock_connect(&more, &p.guest, STREAM, 80));
	close(listener);
	vsock_tear_down(&p, ": 1001 connections from the guest, 0 to it, 1 refused");
}

/*
 * Hostile 169 and 202: the number of unread replies to the guest is bounded. The transmit queue
 * waits, and continues when the guest reads the replies.
 */
static void vsock_transmit_waits_until_replies_are_popped(void **state)
{
	enum { STRAYS = 256 };
	struct vsock_peer stray = { .peer_cid = 2, .peer_port = 80, .type = STREAM };
	struct vring_used_elem used;
	struct vsock_message m;
	struct ring *tx;
	struct vsock_pair p;

	(void)state;
	vsock_set_up(&p, "");
	tx = &p.guest.rings[VIRTIO_VSOCK_QUEUE_TX];
	stray.guest = &p.guest;
	for (unsigned int i = 0; i < STRAYS; i++) {
		stray.port = i;
		vsock_send(&stray, VIRTIO_VSOCK_OP_RW, 0, "x", 1);
	}
	stray.port = STRAYS;
	vsock_submit(&stray, VIRTIO_VSOCK_OP_RW, 0, "x", 1);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(front_end_ask_fd(&p.guest.fe, VHOST_USER_SET_VRING_CALL, 1, tx->call), 0);
	assert_int_equal(virtio_mock_pop_used(&tx->mock, &used), 0);
	for (unsigned int i = 0; i <= STRAYS; i++) {
		vsock_receive(&p.guest, &m);
		assert_int_equal(virtio_vsock_op(&m.header), VIRTIO_VSOCK_OP_RST);
		assert_int_equal(virtio_vsock_dst_port(&m.header), i);
	}
	vsock_reap(&p.guest);
	vsock_tear_down(&p, NOTHING_LOST);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vsock_tells_its_cid),
		cmocka_unit_test(vsock_guest_connects_to_a_listener),
		cmocka_unit_test(vsock_guest_closes_and_connects_again),
		cmocka_unit_test(vsock_refuses_ports_without_a_listener),
		cmocka_unit_test(vsock_refuses_other_cids_without_a_group),
		cmocka_unit_test(vsock_dials_again_while_a_backlog_is_full),
		cmocka_unit_test(vsock_buffers_for_a_host_that_does_not_read),
		cmocka_unit_test(vsock_resets_a_guest_that_sends_too_much),
		cmocka_unit_test(vsock_sends_the_end_after_the_last_byte),
		cmocka_unit_test(vsock_delivers_what_came_before_a_reset),
		cmocka_unit_test(vsock_has_many_connections_at_once),
		cmocka_unit_test(vsock_transmit_waits_until_replies_are_popped),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
