/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "vsock_guest.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define GUEST_PORT 5000u

char vsock_path[80];

/* The daemon */

void vsock_start(struct daemon_process *daemon, const char *options)
{
	char spec[512], line[160], saved[96];
	const char *const arguments[] = { "--vsock", spec, "--state", saved, NULL };

	daemon_folder(daemon);
	snprintf(vsock_path, sizeof vsock_path, "%s/v", daemon->folder);
	snprintf(saved, sizeof saved, "%s/state", daemon->folder);
	snprintf(spec, sizeof spec, "cid=3,uds=%s,socket=%s%s", vsock_path, daemon->socket, options);
	daemon_run(daemon, arguments);
	snprintf(line, sizeof line, "listening on %s", daemon->socket);
	assert_true(daemon_says(daemon, line));
}

void vsock_finish(struct daemon_process *daemon, const char *words)
{
	char command[256];

	/* Remove the socket files of the tests' own listeners. */
	snprintf(command, sizeof command, "rm -f '%s'_[0-9]*", vsock_path);
	assert_int_equal(system(command), 0);
	daemon_finish(daemon);
	if (!strstr(daemon->summary, words))
		fail_msg("\"%s\" lacks \"%s\"", daemon->summary, words);
}

/* The driver */

void vsock_attach_stopped(struct vsock_guest *guest, const char *socket, uint32_t cid, unsigned int rings)
{
	memset(guest, 0, sizeof *guest);
	guest->ring_count = rings;
	guest->cid = cid;
	front_end_open(&guest->fe, socket);
	front_end_negotiate_type(&guest->fe, VSOCK_FEATURES);
	front_end_share_memory(&guest->fe);
}

void vsock_attach(struct vsock_guest *guest, const char *socket, uint32_t cid, unsigned int rings)
{
	vsock_attach_stopped(guest, socket, cid, rings);
	for (uint16_t i = 0; i < rings; i++)
		ring_open(&guest->rings[i], &guest->fe, i);
}

void vsock_move(struct vsock_guest *guest, const char *socket, unsigned int rings)
{
	front_end_move(&guest->fe, socket);
	guest->ring_count = rings;
	front_end_negotiate_type(&guest->fe, VSOCK_FEATURES);
	front_end_share_memory(&guest->fe);
	for (unsigned int i = 0; i < rings; i++)
		ring_move(&guest->rings[i]);
}

void vsock_detach(struct vsock_guest *guest)
{
	front_end_close(&guest->fe);
	for (unsigned int i = 0; i < guest->ring_count; i++)
		ring_close(&guest->rings[i]);
}

/* Makes a buffer available. */
static void offer(struct ring *ring, const void *bytes, uint32_t len)
{
	struct virtio_mock_buffer buffer = { .len = len, .flags = bytes ? 0 : VRING_DESC_F_WRITE };
	const int head = virtio_mock_alloc(&ring->mock, &buffer, 1);
	uint8_t *data;

	assert_true(head >= 0);
	data = ring_data(ring, (unsigned int)head);
	buffer.addr = GUEST_ADDR + (uint64_t)(data - ring->fe->memory);
	if (bytes)
		memcpy(data, bytes, len);
	assert_int_equal(virtio_mock_write_chain(&ring->mock, (uint16_t)head, &buffer, 1), 0);
	assert_int_equal(virtio_mock_offer(&ring->mock, (uint16_t)head), 0);
	assert_int_equal(virtio_mock_publish(&ring->mock), 0);
	assert_int_equal(ring_kick(ring), 0);
}

/*
 * Waits for a used buffer. Stores the address of the buffer's bytes, and returns the used length.
 */
static uint32_t take(struct ring *ring, const uint8_t **bytes)
{
	struct vring_used_elem used;
	uint64_t signals;
	int got;

	while ((got = virtio_mock_pop_used(&ring->mock, &used)) == 0)
		if (virtio_mock_enable_interrupts(&ring->mock) == 0)
			assert_int_equal(read(ring->call, &signals, sizeof signals), sizeof signals);
	assert_int_equal(got, 1);
	watchdog_step();
	*bytes = ring_data(ring, used.id);
	return used.len;
}

void vsock_submit(const struct vsock_peer *peer, uint16_t op, uint32_t flags, const void *bytes, uint32_t len)
{
	struct vsock_message m;

	assert_true(len <= VSOCK_PAYLOAD);
	memset(&m, 0, sizeof m);
	virtio_vsock_set_src_cid(&m.header, peer->guest->cid);
	virtio_vsock_set_dst_cid(&m.header, peer->peer_cid);
	virtio_vsock_set_src_port(&m.header, peer->port);
	virtio_vsock_set_dst_port(&m.header, peer->peer_port);
	virtio_vsock_set_type(&m.header, peer->type);
	virtio_vsock_set_op(&m.header, op);
	virtio_vsock_set_flags(&m.header, flags);
	virtio_vsock_set_len(&m.header, len);
	virtio_vsock_set_buf_alloc(&m.header, peer->buf_alloc);
	virtio_vsock_set_fwd_cnt(&m.header, peer->fwd_cnt);
	memcpy(m.bytes, bytes ? bytes : "", len);
	/* The payload follows the header. */
	memmove((uint8_t *)&m + VIRTIO_VSOCK_HEADER_BYTES, m.bytes, len);
	offer(&peer->guest->rings[VIRTIO_VSOCK_QUEUE_TX], &m, VIRTIO_VSOCK_HEADER_BYTES + len);
}

void vsock_reap(struct vsock_guest *guest)
{
	const uint8_t *bytes;

	assert_int_equal(take(&guest->rings[VIRTIO_VSOCK_QUEUE_TX], &bytes), 0);
}

void vsock_send(const struct vsock_peer *peer, uint16_t op, uint32_t flags, const void *bytes, uint32_t len)
{
	vsock_submit(peer, op, flags, bytes, len);
	vsock_reap(peer->guest);
}

static void post(struct vsock_guest *guest)
{
	if (!guest->posted)
		offer(&guest->rings[VIRTIO_VSOCK_QUEUE_RX], NULL, REQUEST_BYTES);
	guest->posted = true;
}

void vsock_receive(struct vsock_guest *guest, struct vsock_message *m)
{
	const uint8_t *bytes;
	uint32_t used;

	post(guest);
	used = take(&guest->rings[VIRTIO_VSOCK_QUEUE_RX], &bytes);
	guest->posted = false;
	assert_true(used >= VIRTIO_VSOCK_HEADER_BYTES);
	virtio_vsock_header_from_raw(&m->header, bytes);
	m->len = used - VIRTIO_VSOCK_HEADER_BYTES;
	assert_int_equal(virtio_vsock_len(&m->header), m->len);
	memcpy(m->bytes, bytes + VIRTIO_VSOCK_HEADER_BYTES, m->len);
	assert_int_equal(virtio_vsock_dst_cid(&m->header), guest->cid);
}

void vsock_expect(const struct vsock_peer *peer, uint16_t op, struct vsock_message *m)
{
	do
		vsock_receive(peer->guest, m);
	while (op != VIRTIO_VSOCK_OP_CREDIT_UPDATE && virtio_vsock_op(&m->header) == VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(virtio_vsock_src_cid(&m->header), peer->peer_cid);
	assert_int_equal(virtio_vsock_src_port(&m->header), peer->peer_port);
	assert_int_equal(virtio_vsock_dst_port(&m->header), peer->port);
	assert_int_equal(virtio_vsock_type(&m->header), peer->type);
	assert_int_equal(virtio_vsock_op(&m->header), op);
}

/*
 * SET_VRING_CALL causes a turn of the queue, which ends before the next SET_VRING_CALL is answered.
 */
void vsock_expect_nothing(struct vsock_guest *guest)
{
	struct ring *ring = &guest->rings[VIRTIO_VSOCK_QUEUE_RX];
	struct vring_used_elem used;

	post(guest);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(
			front_end_ask_fd(&guest->fe, VHOST_USER_SET_VRING_CALL, VIRTIO_VSOCK_QUEUE_RX, ring->call), 0);
	assert_int_equal(virtio_mock_pop_used(&ring->mock, &used), 0);
}

void vsock_expect_data(struct vsock_peer *peer, const void *bytes, size_t len)
{
	struct vsock_message m;

	for (size_t done = 0; done < len; done += m.len) {
		do {
			vsock_receive(peer->guest, &m);
			if (virtio_vsock_op(&m.header) == VIRTIO_VSOCK_OP_CREDIT_REQUEST)
				vsock_send(peer, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0, NULL, 0);
		} while (virtio_vsock_op(&m.header) != VIRTIO_VSOCK_OP_RW);
		assert_true(m.len > 0 && m.len <= len - done);
		assert_memory_equal(m.bytes, (const uint8_t *)bytes + done, m.len);
		peer->fwd_cnt += m.len;
	}
}

bool vsock_connect(struct vsock_peer *peer, struct vsock_guest *guest, uint16_t type, uint32_t port)
{
	static uint32_t next = GUEST_PORT;
	struct vsock_message m;

	*peer = (struct vsock_peer){ .guest = guest,
				     .port = next++,
				     .peer_cid = VIRTIO_VSOCK_CID_HOST,
				     .peer_port = port,
				     .type = type,
				     .buf_alloc = VSOCK_BUFFER };
	vsock_send(peer, VIRTIO_VSOCK_OP_REQUEST, 0, NULL, 0);
	vsock_receive(guest, &m);
	assert_int_equal(virtio_vsock_src_port(&m.header), port);
	assert_int_equal(virtio_vsock_dst_port(&m.header), peer->port);
	if (virtio_vsock_op(&m.header) == VIRTIO_VSOCK_OP_RST)
		return false;
	assert_int_equal(virtio_vsock_op(&m.header), VIRTIO_VSOCK_OP_RESPONSE);
	return true;
}

void vsock_accept(struct vsock_peer *peer, struct vsock_guest *guest, uint32_t port)
{
	struct vsock_message m;

	vsock_receive(guest, &m);
	assert_int_equal(virtio_vsock_op(&m.header), VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(virtio_vsock_dst_port(&m.header), port);
	*peer = (struct vsock_peer){ .guest = guest,
				     .port = port,
				     .peer_cid = (uint32_t)virtio_vsock_src_cid(&m.header),
				     .peer_port = virtio_vsock_src_port(&m.header),
				     .type = virtio_vsock_type(&m.header),
				     .buf_alloc = VSOCK_BUFFER };
	vsock_send(peer, VIRTIO_VSOCK_OP_RESPONSE, 0, NULL, 0);
}

/* The host */

static struct sockaddr_un address(const char *suffix)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	snprintf(addr.sun_path, sizeof addr.sun_path, "%s%s", vsock_path, suffix);
	return addr;
}

int host_listen(const char *suffix, int type, int backlog)
{
	const struct sockaddr_un addr = address(suffix);
	const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	unlink(addr.sun_path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof addr), 0);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

int host_accept(int listener)
{
	const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	assert_true(fd >= 0);
	watchdog_step();
	return fd;
}

int host_connect(const char *suffix, int type)
{
	const struct sockaddr_un addr = address(suffix);
	const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&addr, sizeof addr), 0);
	return fd;
}

void host_send(int fd, const void *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

void host_expect(int fd, const void *bytes, size_t len)
{
	uint8_t got[4096];
	size_t done = 0;

	while (done < len) {
		const size_t want = len - done < sizeof got ? len - done : sizeof got;
		const ssize_t here = recv(fd, got, want, 0);

		assert_true(here > 0);
		assert_memory_equal(got, (const uint8_t *)bytes + done, (size_t)here);
		done += (size_t)here;
		watchdog_step();
	}
}

void host_expect_end(int fd)
{
	char byte;
	const ssize_t got = recv(fd, &byte, 1, 0);

	if (got < 0)
		assert_int_equal(errno, ECONNRESET);
	else
		assert_int_equal(got, 0);
	watchdog_step();
}

void host_expect_nothing(int fd)
{
	struct pollfd input = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&input, 1, 0), 0);
}

uint32_t host_expect_ok(int fd)
{
	char line[64] = "";
	size_t len = 0;
	unsigned int port = 0;

	do
		assert_int_equal(recv(fd, line + len, 1, 0), 1);
	while (line[len++] != '\n' && len < sizeof line - 1);
	assert_int_equal(sscanf(line, "OK %u\n", &port), 1);
	return port;
}

/* Guest and host */

void vsock_set_up(struct vsock_pair *p, const char *options)
{
	vsock_start(&p->daemon, options);
	vsock_attach(&p->guest, p->daemon.socket, 3, VSOCK_RINGS);
}

void vsock_tear_down(struct vsock_pair *p, const char *words)
{
	vsock_detach(&p->guest);
	vsock_finish(&p->daemon, words);
}

int vsock_open_to_host(struct vsock_pair *p, struct vsock_peer *peer)
{
	const int listener = host_listen("_80", SOCK_STREAM, 8);
	int fd;

	assert_true(vsock_connect(peer, &p->guest, VIRTIO_VSOCK_TYPE_STREAM, 80));
	fd = host_accept(listener);
	close(listener);
	return fd;
}

int vsock_open_to_guest(struct vsock_pair *p, struct vsock_peer *peer)
{
	const int fd = host_connect("", SOCK_STREAM);

	host_send(fd, "CONNECT 22\n", 11);
	vsock_accept(peer, &p->guest, 22);
	assert_int_equal(host_expect_ok(fd), peer->peer_port);
	return fd;
}
