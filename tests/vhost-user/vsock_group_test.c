/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The daemon's socket device: guests of one daemon reach each other. */
#include "cmocka_includes.h"
#include "vsock_guest.h"
#include "watchdog.h"

#include <string.h>
#include <unistd.h>

#define STREAM VIRTIO_VSOCK_TYPE_STREAM
#define RECORDS VIRTIO_VSOCK_TYPE_SEQPACKET
#define EOM ((uint32_t)VIRTIO_VSOCK_SEQ_EOM)
#define EOR ((uint32_t)VIRTIO_VSOCK_SEQ_EOR)
#define A_CID 3u
#define B_CID 4u

struct group {
	struct daemon_process daemon;
	struct vsock_guest a, b;
};

/* Runs a daemon with two devices. Returns when the daemon listens for both devices. */
static void run(struct daemon_process *daemon, uint32_t cid, const char *first_options, const char *options)
{
	char first[512], second[512], line[160], saved[96];
	const char *const arguments[] = { "--vsock", first, "--vsock", second, "--state", saved, NULL };

	daemon_folder(daemon);
	snprintf(vsock_path, sizeof vsock_path, "%s/v", daemon->folder);
	snprintf(saved, sizeof saved, "%s/state", daemon->folder);
	snprintf(first, sizeof first, "cid=%u,uds=%s,socket=%s%s", A_CID, vsock_path, daemon->socket, first_options);
	snprintf(second, sizeof second, "cid=%u,uds=%s/w,socket=%s%s", cid, daemon->folder, daemon->other, options);
	daemon_run(daemon, arguments);
	snprintf(line, sizeof line, "listening on %s", daemon->socket);
	assert_true(daemon_says(daemon, line));
	snprintf(line, sizeof line, "listening on %s", daemon->other);
	assert_true(daemon_says(daemon, line));
}

static void set_up(struct group *g)
{
	run(&g->daemon, B_CID, ",group=g", ",group=g");
	vsock_attach(&g->a, g->daemon.socket, A_CID, VSOCK_RINGS);
	vsock_attach(&g->b, g->daemon.other, B_CID, VSOCK_RINGS);
}

static void tear_down(struct group *g, const char *words)
{
	vsock_detach(&g->a);
	vsock_detach(&g->b);
	vsock_finish(&g->daemon, words);
}

/* Connects A to port 22 of B. */
static void open_between(struct group *g, uint16_t type, struct vsock_peer *a, struct vsock_peer *b)
{
	struct vsock_message m;

	*a = (struct vsock_peer){ &g->a, 1000, B_CID, 22, type, VSOCK_BUFFER, 0 };
	vsock_send(a, VIRTIO_VSOCK_OP_REQUEST, 0, NULL, 0);
	vsock_expect_nothing(&g->a);
	vsock_accept(b, &g->b, 22);
	assert_int_equal(b->peer_cid, A_CID);
	assert_int_equal(b->peer_port, 1000);
	assert_int_equal(b->type, type);
	vsock_expect(a, VIRTIO_VSOCK_OP_RESPONSE, &m);
}

static void group_guests_reach_each_other(void **state)
{
	struct vsock_peer a, b;
	struct vsock_message m;
	struct group g;

	(void)state;
	set_up(&g);
	open_between(&g, STREAM, &a, &b);
	vsock_send(&a, VIRTIO_VSOCK_OP_RW, 0, "hello", 5);
	vsock_expect_data(&b, "hello", 5);
	vsock_send(&b, VIRTIO_VSOCK_OP_RW, 0, "world", 5);
	vsock_expect_data(&a, "world", 5);
	/*
	 * One guest shuts down one direction, and then the other guest shuts down both directions.
	 */
	vsock_send(&a, VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_SHUTDOWN_SEND, NULL, 0);
	vsock_expect(&b, VIRTIO_VSOCK_OP_SHUTDOWN, &m);
	assert_int_equal(virtio_vsock_flags(&m.header), VIRTIO_VSOCK_SHUTDOWN_SEND);
	vsock_send(&b, VIRTIO_VSOCK_OP_RW, 0, "bye", 3);
	vsock_expect_data(&a, "bye", 3);
	vsock_send(&b, VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_SHUTDOWN_BOTH, NULL, 0);
	vsock_expect(&b, VIRTIO_VSOCK_OP_RST, &m);
	vsock_expect(&a, VIRTIO_VSOCK_OP_SHUTDOWN, &m);
	assert_int_equal(virtio_vsock_flags(&m.header), VIRTIO_VSOCK_SHUTDOWN_BOTH);
	vsock_send(&a, VIRTIO_VSOCK_OP_RST, 0, NULL, 0);
	/* A new connection may use the same ports at once. */
	open_between(&g, STREAM, &a, &b);
	vsock_send(&b, VIRTIO_VSOCK_OP_RW, 0, "again", 5);
	vsock_expect_data(&a, "again", 5);
	tear_down(&g, ": 0 connections from the guest, 2 to it, 0 refused");
}

static void group_guests_refuse(void **state)
{
	struct vsock_peer a, b;
	struct vsock_message m;
	struct group g;

	(void)state;
	set_up(&g);
	/* No program of the other guest listens on this port. */
	a = (struct vsock_peer){ &g.a, 1000, B_CID, 22, STREAM, VSOCK_BUFFER, 0 };
	vsock_send(&a, VIRTIO_VSOCK_OP_REQUEST, 0, NULL, 0);
	vsock_receive(&g.b, &m);
	assert_int_equal(virtio_vsock_op(&m.header), VIRTIO_VSOCK_OP_REQUEST);
	b = (struct vsock_peer){ &g.b, 22, A_CID, 1000, STREAM, 0, 0 };
	vsock_send(&b, VIRTIO_VSOCK_OP_RST, 0, NULL, 0);
	vsock_expect(&a, VIRTIO_VSOCK_OP_RST, &m);
	/* No guest has this CID. */
	a.peer_cid = 5;
	vsock_send(&a, VIRTIO_VSOCK_OP_REQUEST, 0, NULL, 0);
	vsock_expect(&a, VIRTIO_VSOCK_OP_RST, &m);
	/* No front end is attached to the other device. */
	vsock_detach(&g.b);
	a.peer_cid = B_CID;
	vsock_send(&a, VIRTIO_VSOCK_OP_REQUEST, 0, NULL, 0);
	vsock_expect(&a, VIRTIO_VSOCK_OP_RST, &m);
	vsock_attach(&g.b, g.daemon.other, B_CID, VSOCK_RINGS);
	open_between(&g, STREAM, &a, &b);
	/* The other guest leaves while a connection is open. */
	vsock_send(&b, VIRTIO_VSOCK_OP_RW, 0, "last", 4);
	vsock_detach(&g.b);
	vsock_expect_data(&a, "last", 4);
	vsock_expect(&a, VIRTIO_VSOCK_OP_SHUTDOWN, &m);
	assert_int_equal(virtio_vsock_flags(&m.header), VIRTIO_VSOCK_SHUTDOWN_BOTH);
	vsock_attach(&g.b, g.daemon.other, B_CID, VSOCK_RINGS);
	tear_down(&g, ": 0 connections from the guest, 1 to it");
}

/*
 * One guest sends requests just before an update. When a request arrives, the other guest's device
 * may already have stopped for the update.
 */
static void group_requests_during_an_update_are_kept(void **state)
{
	enum { REQUESTS = 8 };
	struct vsock_peer a[REQUESTS], b;
	struct vsock_message m;
	struct group g;
	char line[160];

	(void)state;
	set_up(&g);
	snprintf(line, sizeof line, "continuing on %s", g.daemon.other);
	for (uint32_t round = 0; round < 10; round++) {
		for (uint32_t i = 0; i < REQUESTS; i++) {
			a[i] = (struct vsock_peer){ &g.a, 1000 + REQUESTS * round + i, B_CID, 22, STREAM, VSOCK_BUFFER,
						    0 };
			vsock_submit(&a[i], VIRTIO_VSOCK_OP_REQUEST, 0, NULL, 0);
		}
		daemon_update(&g.daemon);
		assert_true(daemon_says(&g.daemon, line));
		for (uint32_t i = 0; i < REQUESTS; i++)
			vsock_reap(&g.a);
		for (uint32_t i = 0; i < REQUESTS; i++) {
			vsock_accept(&b, &g.b, 22);
			vsock_expect(&a[b.peer_port % REQUESTS], VIRTIO_VSOCK_OP_RESPONSE, &m);
		}
	}
	tear_down(&g, " 0 refused");
}

/* Between guests, records keep their marks, and may be empty or longer than a packet. */
static void group_carries_all_records(void **state)
{
	enum { LONG = 40000 };
	static uint8_t bytes[LONG];
	struct vsock_peer a, b;
	struct vsock_message m;
	uint32_t sent = 0, got = 0;
	struct group g;

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i ^ i >> 8);
	set_up(&g);
	open_between(&g, RECORDS, &a, &b);
	vsock_send(&a, VIRTIO_VSOCK_OP_RW, EOM | EOR, bytes, 3);
	vsock_expect(&b, VIRTIO_VSOCK_OP_RW, &m);
	assert_int_equal(m.len, 3);
	assert_int_equal(virtio_vsock_flags(&m.header), EOM | EOR);
	vsock_send(&a, VIRTIO_VSOCK_OP_RW, EOM, NULL, 0);
	vsock_expect(&b, VIRTIO_VSOCK_OP_RW, &m);
	assert_int_equal(m.len, 0);
	assert_int_equal(virtio_vsock_flags(&m.header), EOM);
	vsock_send(&a, VIRTIO_VSOCK_OP_RW, EOR, bytes, 2);
	vsock_expect(&b, VIRTIO_VSOCK_OP_RW, &m);
	assert_int_equal(m.len, 2);
	assert_int_equal(virtio_vsock_flags(&m.header), EOR);
	vsock_send(&a, VIRTIO_VSOCK_OP_RW, EOM, NULL, 0);
	vsock_expect(&b, VIRTIO_VSOCK_OP_RW, &m);
	assert_int_equal(virtio_vsock_flags(&m.header), EOM);
	b.buf_alloc = 1 << 20;
	b.fwd_cnt = 5;
	vsock_send(&b, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0, NULL, 0);
	while (sent < LONG) {
		const uint32_t len = LONG - sent < VSOCK_PAYLOAD ? LONG - sent : VSOCK_PAYLOAD;

		vsock_send(&a, VIRTIO_VSOCK_OP_RW, sent + len == LONG ? EOM : 0, bytes + sent, len);
		sent += len;
	}
	while (got < LONG) {
		vsock_expect(&b, VIRTIO_VSOCK_OP_RW, &m);
		assert_memory_equal(m.bytes, bytes + got, m.len);
		got += m.len;
		assert_int_equal(virtio_vsock_flags(&m.header), got == LONG ? EOM : 0);
	}
	/* Now a record is sent in the other direction. */
	vsock_send(&b, VIRTIO_VSOCK_OP_RW, EOM | EOR, bytes, 7);
	vsock_expect(&a, VIRTIO_VSOCK_OP_RW, &m);
	assert_int_equal(m.len, 7);
	assert_int_equal(virtio_vsock_flags(&m.header), EOM | EOR);
	tear_down(&g, " 0 records that can't be carried, 0 faults");
}

/*
 * If a guest does not read, the sending guest can only fill the buffers between the two guests.
 * Then the sender's credit is used up.
 */
static void group_credit_reaches_from_guest_to_guest(void **state)
{
	struct vsock_peer a, b;
	struct vsock_message m;
	uint8_t bytes[VSOCK_PAYLOAD];
	uint32_t sent = 0, fwd_cnt = 0, before;
	struct group g;

	(void)state;
	memset(bytes, 0x5a, sizeof bytes);
	set_up(&g);
	open_between(&g, STREAM, &a, &b);
	do {
		before = fwd_cnt;
		for (uint32_t i = 0; i < 100 && sent - fwd_cnt + VSOCK_PAYLOAD <= 262144; i++) {
			vsock_send(&a, VIRTIO_VSOCK_OP_RW, 0, bytes, VSOCK_PAYLOAD);
			sent += VSOCK_PAYLOAD;
		}
		vsock_send(&a, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0, NULL, 0);
		do {
			vsock_expect(&a, VIRTIO_VSOCK_OP_CREDIT_UPDATE, &m);
			fwd_cnt = virtio_vsock_fwd_cnt(&m.header);
		} while (m.len != 0);
	} while (fwd_cnt != before || sent - fwd_cnt + VSOCK_PAYLOAD <= 262144);
	for (uint32_t got = 0; got < sent; got += VSOCK_PAYLOAD)
		vsock_expect_data(&b, bytes, VSOCK_PAYLOAD);
	tear_down(&g, " 0 faults");
}

/*
 * Two devices of a group must have different CIDs. Devices in different groups or in no group may
 * have equal CIDs.
 */
static void group_has_different_cids(void **state)
{
	struct daemon_process daemon;
	char first[256], second[256], text[1024];
	const char *const arguments[] = { "--vsock", first, "--vsock", second, NULL };

	(void)state;
	daemon_folder(&daemon);
	snprintf(first, sizeof first, "cid=3,uds=%s/v,socket=%s,group=g", daemon.folder, daemon.socket);
	snprintf(second, sizeof second, "cid=3,uds=%s/w,socket=%s,group=g", daemon.folder, daemon.other);
	daemon_run(&daemon, arguments);
	assert_int_equal(daemon_stop(&daemon, 0), 1);
	daemon_errors(&daemon, text, sizeof text);
	assert_non_null(strstr(text, "g: two guests of the group have the same cid"));
	daemon_remove_folder(&daemon);
	run(&daemon, A_CID, ",group=g", ",group=h");
	vsock_finish(&daemon, "");
	run(&daemon, A_CID, "", "");
	vsock_finish(&daemon, "");
}

/* Guests of different groups don't reach each other. */
static void group_does_not_reach_other_groups(void **state)
{
	struct vsock_peer a;
	struct vsock_message m;
	struct group g;

	(void)state;
	run(&g.daemon, B_CID, ",group=g", ",group=h");
	vsock_attach(&g.a, g.daemon.socket, A_CID, VSOCK_RINGS);
	vsock_attach(&g.b, g.daemon.other, B_CID, VSOCK_RINGS);
	a = (struct vsock_peer){ &g.a, 1000, B_CID, 22, STREAM, VSOCK_BUFFER, 0 };
	vsock_send(&a, VIRTIO_VSOCK_OP_REQUEST, 0, NULL, 0);
	vsock_expect(&a, VIRTIO_VSOCK_OP_RST, &m);
	vsock_expect_nothing(&g.b);
	tear_down(&g, " 0 to it");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(group_guests_reach_each_other),
		cmocka_unit_test(group_guests_refuse),
		cmocka_unit_test(group_requests_during_an_update_are_kept),
		cmocka_unit_test(group_carries_all_records),
		cmocka_unit_test(group_credit_reaches_from_guest_to_guest),
		cmocka_unit_test(group_has_different_cids),
		cmocka_unit_test(group_does_not_reach_other_groups),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
