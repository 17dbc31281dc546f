/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* SIGUSR1 with connections: the guest and the programs of the host do not notice the update. */
#include "cmocka_includes.h"
#include "vsock_guest.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKETS 600 /* more than a socket of the host holds */

static void vsock_update_keeps_streams(void **state)
{
	struct vsock_peer to_host, to_guest;
	struct vsock_message m;
	struct vsock_pair p;
	unsigned int files;
	int host, guest;

	(void)state;
	vsock_set_up(&p, "");
	host = vsock_open_to_host(&p, &to_host);
	guest = vsock_open_to_guest(&p, &to_guest);
	files = daemon_open_files(&p.daemon);
	for (unsigned int i = 0; i < 5; i++) {
		vsock_send(&to_host, VIRTIO_VSOCK_OP_RW, 0, "hello", 5);
		host_send(guest, "world", 5);
		daemon_update(&p.daemon);
		host_expect(host, "hello", 5);
		vsock_expect_data(&to_guest, "world", 5);
		vsock_send(&to_guest, VIRTIO_VSOCK_OP_RW, 0, "back", 4);
		host_expect(guest, "back", 4);
		host_send(host, "again", 5);
		vsock_expect_data(&to_host, "again", 5);
		assert_int_equal(daemon_open_files(&p.daemon), files);
	}
	/* A direction that was shut down stays shut down. */
	vsock_send(&to_host, VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_SHUTDOWN_SEND, NULL, 0);
	host_expect_end(host);
	daemon_update(&p.daemon);
	host_send(host, "bye", 3);
	vsock_expect_data(&to_host, "bye", 3);
	close(host);
	vsock_expect(&to_host, VIRTIO_VSOCK_OP_SHUTDOWN, &m);
	assert_int_equal(virtio_vsock_flags(&m.header), VIRTIO_VSOCK_SHUTDOWN_BOTH);
	vsock_send(&to_host, VIRTIO_VSOCK_OP_RST, 0, NULL, 0);
	vsock_expect_nothing(&p.guest);
	close(guest);
	vsock_expect(&to_guest, VIRTIO_VSOCK_OP_SHUTDOWN, &m);
	vsock_send(&to_guest, VIRTIO_VSOCK_OP_RST, 0, NULL, 0);
	vsock_tear_down(&p, ": 1 connections from the guest, 1 to it, 0 refused, 45 bytes from the guest, 53 to it, "
			    "0 records that can't be carried, 0 faults");
}

/* Output that a slow program has not read yet is partly in the socket, and partly in the daemon. */
static void vsock_update_keeps_output_that_nobody_has_read(void **state)
{
	uint8_t bytes[VSOCK_PAYLOAD];
	struct vsock_peer peer;
	struct vsock_pair p;
	int fd;

	(void)state;
	vsock_set_up(&p, "");
	fd = vsock_open_to_host(&p, &peer);
	for (unsigned int i = 0; i < PACKETS; i++) {
		memset(bytes, (int)i, sizeof bytes);
		vsock_send(&peer, VIRTIO_VSOCK_OP_RW, 0, bytes, sizeof bytes);
		if (i == PACKETS / 2)
			daemon_update(&p.daemon);
	}
	daemon_update(&p.daemon);
	for (unsigned int i = 0; i < PACKETS; i++) {
		memset(bytes, (int)i, sizeof bytes);
		host_expect(fd, bytes, sizeof bytes);
		if (i == PACKETS / 2)
			daemon_update(&p.daemon);
	}
	host_expect_nothing(fd);
	close(fd);
	vsock_tear_down(&p, " 0 faults");
}

/* The daemon is updated when a client has sent nothing, or a part of its CONNECT line. */
static void vsock_update_keeps_clients_without_a_connection(void **state)
{
	static const char line[] = "CONNECT 22\n";
	struct vsock_message m;
	struct vsock_peer peer;
	struct vsock_pair p;
	int fd;

	(void)state;
	vsock_set_up(&p, "");
	for (size_t half = 0; half < sizeof line - 1; half += 3) {
		fd = host_connect("", SOCK_STREAM);
		host_send(fd, line, half);
		daemon_update(&p.daemon);
		host_send(fd, line + half, sizeof line - 1 - half);
		vsock_accept(&peer, &p.guest, 22);
		(void)host_expect_ok(fd);
		host_send(fd, "x", 1);
		vsock_expect_data(&peer, "x", 1);
		close(fd);
		vsock_expect(&peer, VIRTIO_VSOCK_OP_SHUTDOWN, &m);
		vsock_send(&peer, VIRTIO_VSOCK_OP_RST, 0, NULL, 0);
	}
	vsock_tear_down(&p, " 0 faults");
}

static void vsock_update_keeps_records(void **state)
{
	const uint32_t end = VIRTIO_VSOCK_SEQ_EOM;
	struct vsock_peer peer;
	struct vsock_pair p;
	char bytes[16];
	int listener, fd;

	(void)state;
	vsock_set_up(&p, "");
	listener = host_listen("_80", SOCK_SEQPACKET, 8);
	assert_true(vsock_connect(&peer, &p.guest, VIRTIO_VSOCK_TYPE_SEQPACKET, 80));
	fd = host_accept(listener);
	for (unsigned int i = 0; i < 3; i++) {
		/* During the update the daemon has half of a record. */
		vsock_send(&peer, VIRTIO_VSOCK_OP_RW, 0, "first", 5);
		daemon_update(&p.daemon);
		vsock_send(&peer, VIRTIO_VSOCK_OP_RW, end, "second", 6);
		assert_int_equal(recv(fd, bytes, sizeof bytes, 0), 11);
		assert_memory_equal(bytes, "firstsecond", 11);
	}
	close(fd);
	close(listener);
	vsock_tear_down(&p, " 0 records that can't be carried, 0 faults");
}

/*
 * Receives pieces of a record from position `from` on. Stops at `until`, or when the device waits
 * for credit. Returns the position after the last piece.
 */
static size_t receive_pieces(const struct vsock_peer *peer, const uint8_t *bytes, size_t from, size_t until)
{
	struct vsock_message m;

	while (from < until) {
		vsock_receive(peer->guest, &m);
		if (virtio_vsock_op(&m.header) == VIRTIO_VSOCK_OP_CREDIT_REQUEST)
			break;
		assert_int_equal(virtio_vsock_op(&m.header), VIRTIO_VSOCK_OP_RW);
		assert_true(m.len <= until - from);
		assert_memory_equal(m.bytes, bytes + from, m.len);
		from += m.len;
	}
	return from;
}

/*
 * The guest receives a record in pieces, because the record is longer than a receive buffer. The
 * guest offers one receive buffer at a time. The daemon is updated between two pieces.
 */
static void vsock_update_goes_on_with_a_record_to_the_guest(void **state)
{
	enum { RECORD = 6000, PART = 4000 };
	uint8_t bytes[RECORD];
	struct vsock_peer peer;
	struct vsock_pair p;
	int listener, fd;
	size_t at;

	(void)state;
	for (size_t i = 0; i < RECORD; i++)
		bytes[i] = (uint8_t)(i * 13);
	vsock_set_up(&p, "");
	listener = host_listen("_80", SOCK_SEQPACKET, 8);
	assert_true(vsock_connect(&peer, &p.guest, VIRTIO_VSOCK_TYPE_SEQPACKET, 80));
	fd = host_accept(listener);
	for (unsigned int i = 0; i < 3; i++) {
		host_send(fd, bytes, RECORD);
		at = receive_pieces(&peer, bytes, 0, VSOCK_PAYLOAD);
		daemon_update(&p.daemon);
		assert_int_equal(receive_pieces(&peer, bytes, at, RECORD), RECORD);
		peer.fwd_cnt += RECORD;
		vsock_send(&peer, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0, NULL, 0);
	}
	/* In the middle of the second record the device waits for credit. */
	host_send(fd, bytes, PART);
	host_send(fd, bytes, PART);
	assert_int_equal(receive_pieces(&peer, bytes, 0, PART), PART);
	at = receive_pieces(&peer, bytes, 0, PART);
	assert_in_range(at, 1, PART - 1);
	daemon_update(&p.daemon);
	assert_int_equal(receive_pieces(&peer, bytes, at, PART), at);
	peer.fwd_cnt += PART;
	vsock_send(&peer, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0, NULL, 0);
	assert_int_equal(receive_pieces(&peer, bytes, at, PART), PART);
	close(fd);
	close(listener);
	vsock_tear_down(&p, " 0 records that can't be carried, 0 faults");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vsock_update_keeps_streams),
		cmocka_unit_test(vsock_update_keeps_output_that_nobody_has_read),
		cmocka_unit_test(vsock_update_keeps_clients_without_a_connection),
		cmocka_unit_test(vsock_update_keeps_records),
		cmocka_unit_test(vsock_update_goes_on_with_a_record_to_the_guest),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
