/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * --restore with connections: the host's sockets end with the old process, and the device notifies
 * the guest.
 */
#include "cmocka_includes.h"
#include "vsock_guest.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <virtio/endian.h>
#include <virtio/queue_ser.h>

/* Runs a daemon with the same options, and with the first daemon's state. */
static void run_again(struct vsock_pair *p)
{
	char spec[512], path[128];
	const char *const arguments[] = { "--vsock", spec, "--state", path, "--restore", path, NULL };

	snprintf(path, sizeof path, "%s/state", p->daemon.folder);
	snprintf(spec, sizeof spec, "cid=3,uds=%s,socket=%s", vsock_path, p->daemon.socket);
	daemon_run(&p->daemon, arguments);
}

/* Ends the daemon, and starts another with the same options and the state. */
static void restart(struct vsock_pair *p, enum daemon_end how)
{
	daemon_end(&p->daemon, how);
	run_again(p);
	daemon_expect_listening(&p->daemon);
	p->guest.posted = false;
}

/*
 * Two connections, one of them with unread output, and a client that has sent half of its CONNECT
 * line.
 */
struct connections {
	struct vsock_peer to_host, to_guest;
	int host, client, half;
};

static void open_connections(struct vsock_pair *p, struct connections *c)
{
	c->host = vsock_open_to_host(p, &c->to_host);
	c->client = vsock_open_to_guest(p, &c->to_guest);
	c->half = host_connect("", SOCK_STREAM);
	host_send(c->half, "CONN", 4);
	vsock_send(&c->to_host, VIRTIO_VSOCK_OP_RW, 0, "unread", 6);
}

/*
 * Checks that the host's program can read the output that has reached its socket, and that all
 * sockets then end.
 */
static void expect_end(const struct connections *c)
{
	host_expect(c->host, "unread", 6);
	host_expect_end(c->host);
	host_expect_end(c->client);
	host_expect_end(c->half);
	close(c->host);
	close(c->client);
	close(c->half);
}

/* Receives an RST for each of the two connections, in any order. */
static void expect_resets(struct vsock_pair *p, const struct connections *c)
{
	const uint32_t ports[2] = { c->to_host.port, c->to_guest.port };
	bool told[2] = { false };
	struct vsock_message m;

	for (unsigned int i = 0; i < 2; i++) {
		vsock_receive(&p->guest, &m);
		assert_int_equal(virtio_vsock_op(&m.header), VIRTIO_VSOCK_OP_RST);
		for (unsigned int n = 0; n < 2; n++)
			told[n] = told[n] || virtio_vsock_dst_port(&m.header) == ports[n];
	}
	assert_true(told[0] && told[1]);
}

/* Hostile 227: a new connection gets a port that no earlier connection has used. */
static void vsock_restore_without_an_event_queue_resets_each_connection(void **state)
{
	struct connections c;
	struct vsock_message m;
	struct vsock_peer again;
	struct vsock_pair p;
	int fd;

	(void)state;
	for (enum daemon_end how = 0; how < DAEMON_WAYS; how++) {
		vsock_start(&p.daemon, "");
		vsock_attach(&p.guest, p.daemon.socket, 3, 2);
		open_connections(&p, &c);
		restart(&p, how);
		expect_end(&c);
		vsock_move(&p.guest, p.daemon.socket, 2);
		expect_resets(&p, &c);
		/* A packet of an ended connection gets RST. New connections work. */
		vsock_send(&c.to_host, VIRTIO_VSOCK_OP_RW, 0, "abc", 3);
		vsock_expect(&c.to_host, VIRTIO_VSOCK_OP_RST, &m);
		fd = vsock_open_to_guest(&p, &again);
		assert_int_not_equal(again.peer_port, c.to_guest.peer_port);
		close(fd);
		fd = vsock_open_to_host(&p, &again);
		close(fd);
		vsock_tear_down(&p, " 0 faults");
	}
}

/* Makes a buffer for events available. */
static void post_event(struct ring *events)
{
	const struct virtio_mock_buffer buffer = {
		.addr = GUEST_ADDR + (uint64_t)(ring_data(events, 0) - events->fe->memory),
		.len = 4,
		.flags = VRING_DESC_F_WRITE,
	};

	assert_true(virtio_mock_add(&events->mock, &buffer, 1) >= 0);
	assert_int_equal(ring_kick(events), 0);
}

/*
 * Hostile 228: after a restore, the host's connection requests wait until the driver has popped the
 * event TRANSPORT_RESET.
 */
static void vsock_restore_sends_a_transport_reset_that_requests_wait_for(void **state)
{
	struct connections c;
	struct vsock_peer peer;
	struct vsock_pair p;
	struct ring *const events = &p.guest.rings[VIRTIO_VSOCK_QUEUE_EVENT];
	uint32_t event;
	int client;

	(void)state;
	for (enum daemon_end how = 0; how < DAEMON_WAYS; how++) {
		vsock_set_up(&p, "");
		open_connections(&p, &c);
		restart(&p, how);
		expect_end(&c);
		/* This client connects before the front end does. */
		client = host_connect("", SOCK_STREAM);
		host_send(client, "CONNECT 22\n", 11);
		vsock_move(&p.guest, p.daemon.socket, VSOCK_RINGS);
		expect_resets(&p, &c);
		vsock_expect_nothing(&p.guest);
		post_event(events);
		assert_int_equal(ring_wait(events, 1), 0);
		memcpy(&event, ring_data(events, 0), sizeof event);
		assert_int_equal(virtio_le32(event), VIRTIO_VSOCK_EVENT_TRANSPORT_RESET);
		vsock_expect_nothing(&p.guest);
		/* This buffer shows that the driver has popped the event. */
		post_event(events);
		vsock_accept(&peer, &p.guest, 22);
		assert_int_equal(host_expect_ok(client), peer.peer_port);
		close(client);
		vsock_tear_down(&p, ": 0 connections from the guest, 1 to it");
	}
}

/* A new driver has none of the saved driver's connections, and gets no packet about them. */
static void vsock_restore_tells_a_new_driver_nothing(void **state)
{
	struct connections c;
	struct vsock_peer peer;
	struct vsock_pair p;
	int fd;

	(void)state;
	for (enum daemon_end how = 0; how < DAEMON_WAYS; how++) {
		vsock_set_up(&p, "");
		open_connections(&p, &c);
		restart(&p, how);
		expect_end(&c);
		vsock_detach(&p.guest);
		vsock_attach(&p.guest, p.daemon.socket, 3, VSOCK_RINGS);
		vsock_expect_nothing(&p.guest);
		fd = vsock_open_to_host(&p, &peer);
		close(fd);
		vsock_tear_down(&p, ": 1 connections from the guest, 0 to it");
	}
}

/*
 * STREAMS_AT is the offset of the list of streams in the section vu-vsock. The other two offsets
 * are within one stream of the list.
 */
#define STREAM_STAGE 18
#define STREAM_CONNECTED 19
#define STREAMS_AT 5

/* Returns the content of the section vu-vsock, or NULL. */
static uint8_t *find_streams(uint8_t *file, size_t length, uint32_t *bytes)
{
	for (size_t at = VIRTIO_QUEUE_SER_FRAME_BYTES - 4; at + VIRTIO_SECTION_HEADER_BYTES < length;) {
		*bytes = virtio_get_le32(file + at + 28);
		if (strcmp((const char *)file + at, "vu-vsock") == 0)
			return file + at + VIRTIO_SECTION_HEADER_BYTES;
		at += VIRTIO_SECTION_HEADER_BYTES + *bytes;
	}
	return NULL;
}

/*
 * Writes the state with one byte changed, and checks that a daemon refuses this state. If `words`
 * is NULL, only writes the changed state.
 */
static void expect_refused(struct vsock_pair *p, uint8_t *file, size_t length, uint8_t *byte, uint8_t value,
			   const char *words)
{
	const uint8_t good = *byte;
	char path[128], text[4096];
	FILE *state;

	*byte = value;
	virtio_put_le32(file + length - 4, virtio_queue_ser_checksum(file, length - 4));
	snprintf(path, sizeof path, "%s/state", p->daemon.folder);
	state = fopen(path, "w");
	assert_non_null(state);
	assert_int_equal(fwrite(file, 1, length, state), length);
	assert_int_equal(fclose(state), 0);
	*byte = good;
	if (!words)
		return;
	(void)unlink(p->daemon.errors);
	run_again(p);
	assert_int_equal(daemon_stop(&p->daemon, 0), 1);
	daemon_errors(&p->daemon, text, sizeof text);
	if (!strstr(text, words))
		fail_msg("\"%s\" lacks \"%s\"", text, words);
}

/*
 * A state is refused if a stream lacks a connection that its stage needs, or has a connection that
 * its stage does not need.
 */
static void vsock_restore_refuses_streams_without_their_connection(void **state)
{
	uint8_t file[65536], *streams;
	char path[128], words[64];
	struct connections c;
	struct vsock_pair p;
	uint32_t bytes = 0, count, each;
	size_t length;
	FILE *saved;

	(void)state;
	vsock_set_up(&p, "");
	open_connections(&p, &c);
	daemon_end(&p.daemon, DAEMON_DIES);
	snprintf(path, sizeof path, "%s/state", p.daemon.folder);
	saved = fopen(path, "r");
	assert_non_null(saved);
	length = fread(file, 1, sizeof file, saved);
	fclose(saved);
	streams = find_streams(file, length, &bytes);
	assert_non_null(streams);
	count = virtio_get_le32(streams + STREAMS_AT);
	assert_int_equal(count, 3);
	each = (bytes - STREAMS_AT - 4) / count;
	for (uint32_t i = 0; i < count; i++) {
		uint8_t *const stream = streams + STREAMS_AT + 4 + i * each;

		snprintf(words, sizeof words, "streams[%u].connected at byte", (unsigned int)i);
		expect_refused(&p, file, length, stream + STREAM_CONNECTED, !stream[STREAM_CONNECTED], words);
		/*
		 * Stage 0 is a client whose CONNECT line is incomplete, and stage 5 is an open
		 * connection.
		 */
		expect_refused(&p, file, length, stream + STREAM_STAGE, stream[STREAM_STAGE] ? 0 : 5, words);
	}
	/* The unchanged state is accepted. */
	expect_refused(&p, file, length, streams, streams[0], NULL);
	run_again(&p);
	daemon_expect_listening(&p.daemon);
	expect_end(&c);
	vsock_detach(&p.guest);
	vsock_attach(&p.guest, p.daemon.socket, 3, VSOCK_RINGS);
	vsock_tear_down(&p, ": 0 connections from the guest, 0 to it");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vsock_restore_without_an_event_queue_resets_each_connection),
		cmocka_unit_test(vsock_restore_sends_a_transport_reset_that_requests_wait_for),
		cmocka_unit_test(vsock_restore_tells_a_new_driver_nothing),
		cmocka_unit_test(vsock_restore_refuses_streams_without_their_connection),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
