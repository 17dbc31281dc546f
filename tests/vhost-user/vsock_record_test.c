/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The daemon's socket device: records (SEQPACKET). */
#include "cmocka_includes.h"
#include "vsock_guest.h"
#include "watchdog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECORDS VIRTIO_VSOCK_TYPE_SEQPACKET
#define EOM ((uint32_t)VIRTIO_VSOCK_SEQ_EOM)
#define EOR ((uint32_t)VIRTIO_VSOCK_SEQ_EOR)

/* Opens a connection for records from the guest to the host. Returns the host's socket. */
static int open_records(struct vsock_pair *p, struct vsock_peer *peer)
{
	const int listener = host_listen("_90", SOCK_SEQPACKET, 8);
	int fd;

	assert_true(vsock_connect(peer, &p->guest, RECORDS, 90));
	fd = host_accept(listener);
	close(listener);
	return fd;
}

static void expect_record(int fd, const void *bytes, size_t len)
{
	uint8_t *got = malloc(len + 1);

	assert_non_null(got);
	assert_int_equal(recv(fd, got, len + 1, 0), len);
	assert_memory_equal(got, bytes, len);
	free(got);
	watchdog_step();
}

/* Receives a record in pieces, and checks that only the last piece has the marks. */
static void receive_record(struct vsock_peer *peer, const uint8_t *bytes, size_t len, uint32_t marks)
{
	struct vsock_message m;
	size_t done = 0;

	do {
		vsock_receive(peer->guest, &m);
		if (virtio_vsock_op(&m.header) == VIRTIO_VSOCK_OP_CREDIT_UPDATE)
			continue;
		if (virtio_vsock_op(&m.header) == VIRTIO_VSOCK_OP_CREDIT_REQUEST) {
			vsock_send(peer, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0, NULL, 0);
			continue;
		}
		assert_int_equal(virtio_vsock_op(&m.header), VIRTIO_VSOCK_OP_RW);
		assert_int_equal(virtio_vsock_type(&m.header), RECORDS);
		assert_true(m.len <= len - done);
		assert_memory_equal(m.bytes, bytes + done, m.len);
		done += m.len;
		assert_int_equal(virtio_vsock_flags(&m.header), done == len ? marks : 0);
	} while (done < len || virtio_vsock_op(&m.header) != VIRTIO_VSOCK_OP_RW);
	/* A guest reads the record from its buffer only when the record is complete. */
	peer->fwd_cnt += (uint32_t)len;
}

static void records_keep_their_boundaries(void **state)
{
	uint8_t bytes[2000];
	struct vsock_message m;
	struct vsock_peer peer;
	struct vsock_pair p;
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7);
	vsock_set_up(&p, "");
	fd = open_records(&p, &peer);
	/*
	 * Send two records of one packet each, and a record of several packets, two of which are
	 * empty.
	 */
	vsock_send(&peer, VIRTIO_VSOCK_OP_RW, EOM, bytes, 1);
	vsock_send(&peer, VIRTIO_VSOCK_OP_RW, EOM, bytes, 2);
	vsock_send(&peer, VIRTIO_VSOCK_OP_RW, 0, bytes, 400);
	vsock_send(&peer, VIRTIO_VSOCK_OP_RW, 0, bytes + 400, 400);
	expect_record(fd, bytes, 1);
	expect_record(fd, bytes, 2);
	host_expect_nothing(fd);
	vsock_send(&peer, VIRTIO_VSOCK_OP_RW, 0, NULL, 0);
	vsock_send(&peer, VIRTIO_VSOCK_OP_RW, 0, bytes + 800, 100);
	vsock_send(&peer, VIRTIO_VSOCK_OP_RW, EOM, NULL, 0);
	expect_record(fd, bytes, 900);
	/*
	 * The host sends records to the guest. The second record is longer than a receive buffer.
	 */
	host_send(fd, bytes, 1);
	host_send(fd, bytes, 2000);
	host_send(fd, bytes, 3);
	receive_record(&peer, bytes, 1, EOM);
	receive_record(&peer, bytes, 2000, EOM);
	receive_record(&peer, bytes, 3, EOM);
	/* The host shuts down its sending direction, and then the guest does. */
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	vsock_expect(&peer, VIRTIO_VSOCK_OP_SHUTDOWN, &m);
	assert_int_equal(virtio_vsock_flags(&m.header), VIRTIO_VSOCK_SHUTDOWN_SEND);
	vsock_send(&peer, VIRTIO_VSOCK_OP_RW, EOM, bytes, 5);
	vsock_send(&peer, VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_SHUTDOWN_SEND, NULL, 0);
	expect_record(fd, bytes, 5);
	host_expect_end(fd);
	vsock_expect(&peer, VIRTIO_VSOCK_OP_SHUTDOWN, &m);
	assert_int_equal(virtio_vsock_flags(&m.header), VIRTIO_VSOCK_SHUTDOWN_BOTH);
	close(fd);
	vsock_send(&peer, VIRTIO_VSOCK_OP_RST, 0, NULL, 0);
	vsock_tear_down(&p, " 908 bytes from the guest, 2004 to it, 0 records that can't be carried, 0 faults");
}

static void records_of_a_host_that_connects(void **state)
{
	struct vsock_peer peer;
	struct vsock_pair p;
	char line[64];
	int fd;

	(void)state;
	vsock_set_up(&p, "");
	fd = host_connect("_seqpacket", SOCK_SEQPACKET);
	host_send(fd, "connect 22\r\n", 12);
	host_send(fd, "first", 5);
	vsock_accept(&peer, &p.guest, 22);
	assert_int_equal(peer.type, RECORDS);
	snprintf(line, sizeof line, "OK %u\n", peer.peer_port);
	expect_record(fd, line, strlen(line));
	receive_record(&peer, (const uint8_t *)"first", 5, EOM);
	close(fd);
	/* The first record must be a CONNECT line, and nothing else. */
	fd = host_connect("_seqpacket", SOCK_SEQPACKET);
	host_send(fd, "CONNECT 22", 10);
	host_expect_end(fd);
	close(fd);
	fd = host_connect("_seqpacket", SOCK_SEQPACKET);
	host_send(fd, "CONNECT 22\nx", 12);
	host_expect_end(fd);
	close(fd);
	vsock_tear_down(&p, " 1 to it, 2 refused");
}

/* A record that can't be carried resets its connection, and is counted. */
static void records_that_cannot_be_carried_reset(void **state)
{
	static uint8_t bytes[65537];
	struct vsock_message m;
	struct vsock_peer peer;
	struct vsock_pair p;
	int fd;

	(void)state;
	vsock_set_up(&p, ",buffer=65536");
	/*
	 * A Unix socket can't carry EOR at the end of a record, EOR within a record, or an empty
	 * record.
	 */
	for (unsigned int i = 0; i < 3; i++) {
		static const uint32_t marks[] = { EOM | EOR, EOR, EOM };

		fd = open_records(&p, &peer);
		vsock_send(&peer, VIRTIO_VSOCK_OP_RW, marks[i], bytes, i == 2 ? 0 : 10);
		vsock_expect(&peer, VIRTIO_VSOCK_OP_RST, &m);
		host_expect_end(fd);
		close(fd);
	}
	/*
	 * If a record is longer than the daemon's buffer, the rest of the record could never
	 * arrive.
	 */
	fd = open_records(&p, &peer);
	for (uint32_t sent = 0; sent < 65536;) {
		const uint32_t len = 65536 - sent < VSOCK_PAYLOAD ? 65536 - sent : VSOCK_PAYLOAD;

		vsock_send(&peer, VIRTIO_VSOCK_OP_RW, 0, bytes, len);
		sent += len;
	}
	vsock_expect(&peer, VIRTIO_VSOCK_OP_RST, &m);
	host_expect_end(fd);
	close(fd);
	/*
	 * The host sends an empty record, a record longer than the daemon's buffer, and a record
	 * longer than the guest's buffer.
	 */
	for (unsigned int i = 0; i < 3; i++) {
		static const size_t lens[] = { 0, 65537, VSOCK_BUFFER + 1 };

		fd = open_records(&p, &peer);
		host_send(fd, bytes, lens[i]);
		vsock_expect(&peer, VIRTIO_VSOCK_OP_RST, &m);
		host_expect_end(fd);
		close(fd);
	}
	vsock_tear_down(&p, " 7 records that can't be carried, 0 faults");
}

/*
 * The guest shuts down in the middle of a record. The host gets the complete records, and then the
 * end without delay.
 */
static void records_without_an_end_reset(void **state)
{
	struct vsock_message m;
	struct vsock_peer peer;
	struct vsock_pair p;
	int fd;

	(void)state;
	vsock_set_up(&p, "");
	for (unsigned int i = 0; i < 2; i++) {
		static const uint32_t flags[] = { VIRTIO_VSOCK_SHUTDOWN_SEND, VIRTIO_VSOCK_SHUTDOWN_BOTH };

		fd = open_records(&p, &peer);
		vsock_send(&peer, VIRTIO_VSOCK_OP_RW, EOM, "whole", 5);
		vsock_send(&peer, VIRTIO_VSOCK_OP_RW, 0, "part", 4);
		vsock_send(&peer, VIRTIO_VSOCK_OP_SHUTDOWN, flags[i], NULL, 0);
		vsock_expect(&peer, VIRTIO_VSOCK_OP_RST, &m);
		expect_record(fd, "whole", 5);
		host_expect_end(fd);
		close(fd);
	}
	fd = open_records(&p, &peer);
	vsock_send(&peer, VIRTIO_VSOCK_OP_RW, 0, "part", 4);
	vsock_send(&peer, VIRTIO_VSOCK_OP_RST, 0, NULL, 0);
	host_expect_end(fd);
	close(fd);
	vsock_tear_down(&p, " 2 records that can't be carried, 0 faults");
}

/* The record is longer than the socket's send buffer, SO_SNDBUF. */
static void records_longer_than_a_socket_takes_reset(void **state)
{
	uint8_t bytes[VSOCK_PAYLOAD] = { 0 };
	struct vsock_message m;
	struct vsock_peer peer;
	struct vsock_pair p;
	socklen_t size = sizeof(int);
	uint32_t sent = 0;
	int fd, room;

	(void)state;
	vsock_set_up(&p, ",buffer=16777216");
	fd = open_records(&p, &peer);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, &size), 0);
	for (; sent < (uint32_t)room; sent += VSOCK_PAYLOAD)
		vsock_send(&peer, VIRTIO_VSOCK_OP_RW, 0, bytes, VSOCK_PAYLOAD);
	vsock_send(&peer, VIRTIO_VSOCK_OP_RW, EOM, bytes, 1);
	vsock_expect(&peer, VIRTIO_VSOCK_OP_RST, &m);
	host_expect_end(fd);
	close(fd);
	vsock_tear_down(&p, " 1 records that can't be carried, 0 faults");
}

/*
 * A guest receives the first piece of a record, and then reduces its buffer so that the remaining
 * pieces never fit.
 */
static void records_that_can_never_arrive_reset(void **state)
{
	static uint8_t bytes[3500];
	struct vsock_message m;
	struct vsock_peer peer;
	struct vsock_pair p;
	int fd;

	(void)state;
	vsock_set_up(&p, "");
	fd = open_records(&p, &peer);
	/* The record fits the buffer that the guest has reported so far. */
	host_send(fd, bytes, 1500);
	vsock_receive(&p.guest, &m);
	assert_int_equal(virtio_vsock_op(&m.header), VIRTIO_VSOCK_OP_RW);
	peer.buf_alloc = 100;
	vsock_send(&peer, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0, NULL, 0);
	do {
		vsock_receive(&p.guest, &m);
		if (virtio_vsock_op(&m.header) == VIRTIO_VSOCK_OP_CREDIT_REQUEST)
			vsock_send(&peer, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0, NULL, 0);
	} while (virtio_vsock_op(&m.header) != VIRTIO_VSOCK_OP_RST);
	host_expect_end(fd);
	close(fd);
	vsock_tear_down(&p, " 1 records that can't be carried, 0 faults");
}

/* The host reads late. Meanwhile the records wait, and keep their boundaries. */
static void records_wait_for_a_host_that_does_not_read(void **state)
{
	enum { COUNT = 1500 };
	uint8_t bytes[VSOCK_PAYLOAD];
	struct vsock_peer peer;
	struct vsock_pair p;
	int fd;

	(void)state;
	vsock_set_up(&p, "");
	fd = open_records(&p, &peer);
	for (unsigned int i = 0; i < COUNT; i++) {
		memset(bytes, (int)i, sizeof bytes);
		vsock_send(&peer, VIRTIO_VSOCK_OP_RW, EOM, bytes, 1 + i % (VSOCK_PAYLOAD / 2));
	}
	for (unsigned int i = 0; i < COUNT; i++) {
		memset(bytes, (int)i, sizeof bytes);
		expect_record(fd, bytes, 1 + i % (VSOCK_PAYLOAD / 2));
	}
	close(fd);
	vsock_tear_down(&p, " 0 records that can't be carried, 0 faults");
}

/*
 * The host closes its socket without reading everything. Linux reports the close before the data,
 * but the records that the host has sent must still reach the guest.
 */
static void records_go_before_the_end_of_a_host_that_left(void **state)
{
	struct vsock_message m;
	struct vsock_peer peer;
	struct vsock_pair p;
	int fd;

	(void)state;
	vsock_set_up(&p, "");
	fd = open_records(&p, &peer);
	vsock_send(&peer, VIRTIO_VSOCK_OP_RW, EOM, "unread", 6);
	host_send(fd, "first", 5);
	host_send(fd, "second", 6);
	close(fd);
	receive_record(&peer, (const uint8_t *)"first", 5, EOM);
	receive_record(&peer, (const uint8_t *)"second", 6, EOM);
	vsock_expect(&peer, VIRTIO_VSOCK_OP_SHUTDOWN, &m);
	assert_int_equal(virtio_vsock_flags(&m.header), VIRTIO_VSOCK_SHUTDOWN_BOTH);
	vsock_tear_down(&p, " 0 records that can't be carried, 0 faults");
}

/* A record may be as long as the guest's buffer. Here one packet carries such a record. */
static void records_may_fill_the_buffer_of_the_guest(void **state)
{
	uint8_t bytes[VSOCK_PAYLOAD];
	struct vsock_peer peer;
	struct vsock_pair p;
	int fd;

	(void)state;
	memset(bytes, 0x3c, sizeof bytes);
	vsock_set_up(&p, "");
	fd = open_records(&p, &peer);
	peer.buf_alloc = VSOCK_PAYLOAD;
	vsock_send(&peer, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0, NULL, 0);
	for (unsigned int i = 0; i < 3; i++) {
		host_send(fd, bytes, sizeof bytes);
		receive_record(&peer, bytes, sizeof bytes, EOM);
	}
	close(fd);
	vsock_tear_down(&p, " 0 records that can't be carried, 0 faults");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_keep_their_boundaries),
		cmocka_unit_test(records_of_a_host_that_connects),
		cmocka_unit_test(records_that_cannot_be_carried_reset),
		cmocka_unit_test(records_without_an_end_reset),
		cmocka_unit_test(records_longer_than_a_socket_takes_reset),
		cmocka_unit_test(records_that_can_never_arrive_reset),
		cmocka_unit_test(records_go_before_the_end_of_a_host_that_left),
		cmocka_unit_test(records_may_fill_the_buffer_of_the_guest),
		cmocka_unit_test(records_wait_for_a_host_that_does_not_read),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
