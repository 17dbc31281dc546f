/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The daemon's socket device: drivers and front ends start, end and pause. */
#include "cmocka_includes.h"
#include "vsock_guest.h"
#include "watchdog.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STREAM VIRTIO_VSOCK_TYPE_STREAM

/*
 * Connects another front end for the same guest. The driver continues with the same memory and
 * rings.
 */
static void reconnect(struct vsock_pair *p, unsigned int rings)
{
	for (uint16_t i = 0; i < p->guest.ring_count; i++)
		(void)ring_stop(&p->guest.rings[i]);
	vsock_move(&p->guest, p->daemon.socket, rings);
}

/*
 * With two rings, RST tells the guest that its connections have ended. Then new connections work.
 */
static void reset_without_an_event_queue_is_told_by_rst(void **state)
{
	struct vsock_message m;
	struct vsock_peer first, second;
	struct vsock_pair p;
	int fd, other;

	(void)state;
	vsock_start(&p.daemon, "");
	vsock_attach(&p.guest, p.daemon.socket, 3, 2);
	fd = vsock_open_to_host(&p, &first);
	other = vsock_open_to_guest(&p, &second);
	vsock_send(&first, VIRTIO_VSOCK_OP_RW, 0, "abc", 3);
	reconnect(&p, 2);
	host_expect(fd, "abc", 3);
	host_expect_end(fd);
	host_expect_end(other);
	close(fd);
	close(other);
	for (unsigned int i = 0; i < 2; i++) {
		vsock_receive(&p.guest, &m);
		assert_int_equal(virtio_vsock_op(&m.header), VIRTIO_VSOCK_OP_RST);
		assert_true(virtio_vsock_dst_port(&m.header) == first.port ||
			    virtio_vsock_dst_port(&m.header) == second.port);
	}
	/* This packet belongs to a connection that has ended. */
	vsock_send(&first, VIRTIO_VSOCK_OP_RW, 0, "abc", 3);
	vsock_expect(&first, VIRTIO_VSOCK_OP_RST, &m);
	/*
	 * The device delays the host's connection requests for some time, in case an event queue
	 * starts.
	 */
	fd = vsock_open_to_guest(&p, &second);
	close(fd);
	fd = vsock_open_to_host(&p, &first);
	close(fd);
	vsock_tear_down(&p, ": 2 connections from the guest, 2 to it");
}

/*
 * Hostile 228: the device sends the event TRANSPORT_RESET before the host's connection requests.
 * The requests wait until the driver has popped the event.
 */
static void reset_is_an_event_that_requests_wait_for(void **state)
{
	struct vsock_peer peer, guest_s;
	struct vsock_message m;
	struct vsock_pair p;
	struct ring *events;
	struct vring_used_elem used;
	struct virtio_mock_buffer buffer = { .len = 4, .flags = VRING_DESC_F_WRITE };
	uint32_t event;
	int fd, client;

	(void)state;
	vsock_set_up(&p, "");
	fd = vsock_open_to_host(&p, &peer);
	reconnect(&p, VSOCK_RINGS);
	host_expect_end(fd);
	close(fd);
	client = host_connect("", SOCK_STREAM);
	host_send(client, "CONNECT 22\n", 11);
	/* While the guest offers no event buffer, the event is kept. */
	do {
		vsock_receive(&p.guest, &m);
		assert_int_equal(virtio_vsock_op(&m.header), VIRTIO_VSOCK_OP_RST);
	} while (virtio_vsock_dst_port(&m.header) != peer.port);
	vsock_expect_nothing(&p.guest);
	events = &p.guest.rings[VIRTIO_VSOCK_QUEUE_EVENT];
	/* The event is also kept when the event ring stops and starts again. */
	ring_start(events, ring_stop(events));
	vsock_expect_nothing(&p.guest);
	buffer.addr = GUEST_ADDR + (uint64_t)(ring_data(events, 0) - p.guest.fe.memory);
	assert_true(virtio_mock_add(&events->mock, &buffer, 1) >= 0);
	assert_int_equal(ring_kick(events), 0);
	while (virtio_mock_pop_used(&events->mock, &used) != 1)
		usleep(1000);
	assert_int_equal(used.len, 4);
	memcpy(&event, ring_data(events, 0), sizeof event);
	assert_int_equal(virtio_le32(event), VIRTIO_VSOCK_EVENT_TRANSPORT_RESET);
	/*
	 * The requests wait for another event buffer, which shows that the driver has popped the
	 * event.
	 */
	vsock_expect_nothing(&p.guest);
	assert_true(virtio_mock_add(&events->mock, &buffer, 1) >= 0);
	assert_int_equal(ring_kick(events), 0);
	vsock_accept(&guest_s, &p.guest, 22);
	assert_int_equal(host_expect_ok(client), guest_s.peer_port);
	close(client);
	/* Only one event was sent. */
	assert_int_equal(virtio_mock_pop_used(&events->mock, &used), 0);
	vsock_tear_down(&p, ": 1 connections from the guest, 1 to it");
}

/*
 * A front end that pauses its guest stops the rings, and starts them at the same indices.
 * Connections stay.
 */
static void pause_of_the_guest_ends_no_connection(void **state)
{
	struct vsock_message m;
	struct vsock_peer peer;
	struct vsock_pair p;
	uint16_t base[VSOCK_RINGS];
	int fd;

	(void)state;
	vsock_set_up(&p, "");
	fd = vsock_open_to_host(&p, &peer);
	host_send(fd, "before", 6);
	vsock_expect_data(&peer, "before", 6);
	for (uint16_t i = 0; i < VSOCK_RINGS; i++)
		base[i] = ring_stop(&p.guest.rings[i]);
	host_send(fd, "meanwhile", 9);
	for (uint16_t i = 0; i < VSOCK_RINGS; i++)
		ring_start(&p.guest.rings[i], base[i]);
	vsock_expect_data(&peer, "meanwhile", 9);
	vsock_send(&peer, VIRTIO_VSOCK_OP_RW, 0, "after", 5);
	host_expect(fd, "after", 5);
	close(fd);
	vsock_expect(&peer, VIRTIO_VSOCK_OP_SHUTDOWN, &m);
	vsock_tear_down(&p, ": 1 connections from the guest");
}

/*
 * A guest that boots again has a new driver. Connections end, and the guest gets no packet and no
 * event about them.
 */
static void reset_of_the_guest_ends_its_connections(void **state)
{
	struct vsock_message m;
	struct vsock_peer peer;
	struct vsock_pair p;
	int fd, again;

	(void)state;
	vsock_set_up(&p, "");
	fd = vsock_open_to_host(&p, &peer);
	for (uint16_t i = 0; i < VSOCK_RINGS; i++)
		(void)ring_stop(&p.guest.rings[i]);
	for (uint16_t i = 0; i < VSOCK_RINGS; i++) {
		ring_close(&p.guest.rings[i]);
		ring_open(&p.guest.rings[i], &p.guest.fe, i);
	}
	p.guest.posted = false;
	host_expect_end(fd);
	close(fd);
	vsock_expect_nothing(&p.guest);
	again = vsock_open_to_host(&p, &peer);
	close(again);
	vsock_expect(&peer, VIRTIO_VSOCK_OP_SHUTDOWN, &m);
	/* Another front end for a new driver has the same effect. */
	vsock_detach(&p.guest);
	vsock_attach(&p.guest, p.daemon.socket, 3, VSOCK_RINGS);
	vsock_expect_nothing(&p.guest);
	fd = vsock_open_to_guest(&p, &peer);
	close(fd);
	vsock_tear_down(&p, ": 2 connections from the guest, 1 to it");
}

/* If only the receive ring stops, no data is lost. */
static void reset_of_one_ring_loses_nothing(void **state)
{
	struct vsock_peer peer;
	struct vsock_pair p;
	uint16_t base;
	int fd;

	(void)state;
	vsock_set_up(&p, "");
	fd = vsock_open_to_host(&p, &peer);
	for (unsigned int i = 0; i < 10; i++) {
		base = ring_stop(&p.guest.rings[VIRTIO_VSOCK_QUEUE_RX]);
		host_send(fd, "abc", 3);
		ring_start(&p.guest.rings[VIRTIO_VSOCK_QUEUE_RX], base);
		vsock_expect_data(&peer, "abc", 3);
	}
	close(fd);
	vsock_tear_down(&p, " 30 to it");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reset_without_an_event_queue_is_told_by_rst),
		cmocka_unit_test(reset_is_an_event_that_requests_wait_for),
		cmocka_unit_test(pause_of_the_guest_ends_no_connection),
		cmocka_unit_test(reset_of_the_guest_ends_its_connections),
		cmocka_unit_test(reset_of_one_ring_loses_nothing),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
