/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The daemon's socket device: programs of the host connect to a guest. Also tests the socket files.
 */
#include "cmocka_includes.h"
#include "vsock_guest.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define STREAM VIRTIO_VSOCK_TYPE_STREAM
#define NOTHING_LOST " 0 records that can't be carried, 0 faults"

static void vsock_host_connects_to_the_guest(void **state)
{
	static const char *const lines[] = {
		"CONNECT 22\n",         "connect 22\n",    "Connect 22\r\n",
		"  CONNECT   22  \r\n", "CONNECT 00022\n", "CONNECT\t22\n",
	};
	struct vsock_message m;
	struct vsock_peer peer;
	struct vsock_pair p;

	(void)state;
	vsock_set_up(&p, "");
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		const int fd = host_connect("", SOCK_STREAM);

		host_send(fd, lines[i], strlen(lines[i]));
		vsock_accept(&peer, &p.guest, 22);
		assert_int_equal(peer.peer_cid, VIRTIO_VSOCK_CID_HOST);
		assert_int_equal(host_expect_ok(fd), peer.peer_port);
		host_send(fd, "ab", 2);
		vsock_expect_data(&peer, "ab", 2);
		vsock_send(&peer, VIRTIO_VSOCK_OP_RW, 0, "cd", 2);
		host_expect(fd, "cd", 2);
		assert_int_equal(shutdown(fd, SHUT_WR), 0);
		vsock_expect(&peer, VIRTIO_VSOCK_OP_SHUTDOWN, &m);
		assert_int_equal(virtio_vsock_flags(&m.header), VIRTIO_VSOCK_SHUTDOWN_SEND);
		vsock_send(&peer, VIRTIO_VSOCK_OP_RW, 0, "ef", 2);
		host_expect(fd, "ef", 2);
		vsock_send(&peer, VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_SHUTDOWN_BOTH, NULL, 0);
		vsock_expect(&peer, VIRTIO_VSOCK_OP_RST, &m);
		host_expect_end(fd);
		close(fd);
	}
	vsock_tear_down(
		&p,
		": 0 connections from the guest, 6 to it, 0 refused, 24 bytes from the guest, 12 to it," NOTHING_LOST);
}

/*
 * Hostile 230: the CONNECT line arrives in pieces, payload follows the newline in the same write,
 * and then the client shuts down its sending direction.
 */
static void vsock_takes_bytes_after_the_line_as_payload(void **state)
{
	static const char all[] = "CONNECT 22\r\n\nCONNECT 23\n\r\n";
	struct vsock_message m;
	struct vsock_peer peer;
	struct vsock_pair p;

	(void)state;
	vsock_set_up(&p, "");
	for (size_t cut = 1; cut < sizeof all; cut++) {
		const int fd = host_connect("", SOCK_STREAM);

		host_send(fd, all, cut);
		if (cut < 11)
			vsock_expect_nothing(&p.guest);
		host_send(fd, all + cut, sizeof all - 1 - cut);
		assert_int_equal(shutdown(fd, SHUT_WR), 0);
		vsock_accept(&peer, &p.guest, 22);
		assert_int_equal(host_expect_ok(fd), peer.peer_port);
		vsock_expect_data(&peer, all + 12, sizeof all - 1 - 12);
		vsock_expect(&peer, VIRTIO_VSOCK_OP_SHUTDOWN, &m);
		assert_int_equal(virtio_vsock_flags(&m.header), VIRTIO_VSOCK_SHUTDOWN_SEND);
		vsock_send(&peer, VIRTIO_VSOCK_OP_RST, 0, NULL, 0);
		host_expect_end(fd);
		close(fd);
	}
	vsock_tear_down(&p, " 0 refused");
}

/* Before the guest accepts, the guest gets no data, and the client gets no OK. */
static void vsock_says_ok_after_the_response(void **state)
{
	struct vsock_message m;
	struct vsock_peer peer;
	struct vsock_pair p;
	int fd;

	(void)state;
	vsock_set_up(&p, "");
	fd = host_connect("", SOCK_STREAM);
	host_send(fd, "CONNECT 22\nearly", 16);
	vsock_receive(&p.guest, &m);
	assert_int_equal(virtio_vsock_op(&m.header), VIRTIO_VSOCK_OP_REQUEST);
	vsock_expect_nothing(&p.guest);
	host_expect_nothing(fd);
	peer = (struct vsock_peer){ &p.guest, 22, 2, virtio_vsock_src_port(&m.header), STREAM, 2, 0 };
	/* The guest has room for two bytes. */
	vsock_send(&peer, VIRTIO_VSOCK_OP_RESPONSE, 0, NULL, 0);
	assert_int_equal(host_expect_ok(fd), peer.peer_port);
	vsock_expect(&peer, VIRTIO_VSOCK_OP_RW, &m);
	assert_int_equal(m.len, 2);
	vsock_expect(&peer, VIRTIO_VSOCK_OP_CREDIT_REQUEST, &m);
	vsock_expect_nothing(&p.guest);
	peer.fwd_cnt = 2;
	peer.buf_alloc = VSOCK_BUFFER;
	vsock_send(&peer, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0, NULL, 0);
	vsock_expect_data(&peer, "rly", 3);
	close(fd);
	vsock_expect(&peer, VIRTIO_VSOCK_OP_SHUTDOWN, &m);
	vsock_tear_down(&p, NOTHING_LOST);
}

/* Hostile 230: malformed lines are refused. */
static void vsock_refuses_malformed_lines(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} lines[] = {
		{ "\n", 1 },
		{ "CONNECT\n", 8 },
		{ "CONNECT \n", 9 },
		{ "CONNECT22\n", 10 },
		{ "CONNECT x\n", 10 },
		{ "CONNECT -1\n", 11 },
		{ "CONNECT 4294967296\n", 19 },
		{ "CONNECT 99999999999999999999\n", 29 },
		{ "CONNECT 22 23\n", 14 },
		{ "CONNECT 2\0002\n", 12 },
		{ "CONNECTED 22\n", 13 },
		{ "CONNECT                                                        1\n", 66 },
	};
	struct vsock_pair p;
	int fd;

	(void)state;
	vsock_set_up(&p, "");
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		fd = host_connect("", SOCK_STREAM);
		host_send(fd, lines[i].bytes, lines[i].len);
		host_expect_end(fd);
		close(fd);
	}
	/* The client shuts down its sending direction before the end of its line. */
	fd = host_connect("", SOCK_STREAM);
	host_send(fd, "CONNECT 22", 10);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	host_expect_end(fd);
	close(fd);
	vsock_expect_nothing(&p.guest);
	vsock_tear_down(&p, " 0 to it, 13 refused");
}

/*
 * Hostile 229: if the guest refuses a connection, the daemon closes the client's connection at
 * once.
 */
static void vsock_closes_a_refused_client_at_once(void **state)
{
	struct vsock_message m;
	struct vsock_peer peer;
	struct vsock_pair p;
	int fd;

	(void)state;
	vsock_set_up(&p, "");
	fd = host_connect("", SOCK_STREAM);
	host_send(fd, "CONNECT 22\n", 11);
	vsock_receive(&p.guest, &m);
	peer = (struct vsock_peer){ &p.guest, 22, 2, virtio_vsock_src_port(&m.header), STREAM, 0, 0 };
	vsock_send(&peer, VIRTIO_VSOCK_OP_RST, 0, NULL, 0);
	host_expect_end(fd);
	close(fd);
	vsock_expect_nothing(&p.guest);
	vsock_tear_down(&p, " 0 to it, 1 refused");
}

/*
 * Hostile 229: clients wait for a driver, or for an answer that never arrives. Each wait has a
 * limit, and other clients are served.
 */
static void vsock_clients_wait_for_a_driver(void **state)
{
	struct vsock_message m, rst;
	struct vsock_peer peer, other;
	struct vsock_pair p;
	int waits, early, silent, fd;

	(void)state;
	vsock_start(&p.daemon, "");
	waits = host_connect("", SOCK_STREAM);
	host_send(waits, "CONNECT 22\n", 11);
	/* No driver starts. */
	host_expect_end(waits);
	close(waits);
	early = host_connect("", SOCK_STREAM);
	host_send(early, "CONNECT 23\nx", 12);
	silent = host_connect("", SOCK_STREAM);
	host_send(silent, "CONN", 4);
	vsock_attach(&p.guest, p.daemon.socket, 3, VSOCK_RINGS);
	vsock_receive(&p.guest, &m);
	assert_int_equal(virtio_vsock_op(&m.header), VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(virtio_vsock_dst_port(&m.header), 23);
	/*
	 * While the guest does not answer the first request, another connection can be opened and
	 * works.
	 */
	fd = vsock_open_to_guest(&p, &other);
	host_send(fd, "ab", 2);
	vsock_expect_data(&other, "ab", 2);
	host_expect_end(early);
	close(early);
	peer = (struct vsock_peer){ &p.guest, 23, 2, virtio_vsock_src_port(&m.header), STREAM, 0, 0 };
	vsock_expect(&peer, VIRTIO_VSOCK_OP_RST, &rst);
	host_expect_end(silent);
	close(silent);
	vsock_send(&other, VIRTIO_VSOCK_OP_RW, 0, "cd", 2);
	host_expect(fd, "cd", 2);
	close(fd);
	vsock_expect(&other, VIRTIO_VSOCK_OP_SHUTDOWN, &rst);
	vsock_tear_down(&p, " 1 to it, 3 refused");
}

/* If too many clients have sent no CONNECT line, the daemon closes the oldest of these clients. */
static void vsock_idle_clients_give_way(void **state)
{
	enum { IDLE = 300 };
	struct vsock_message m;
	struct vsock_peer peer;
	int idle[IDLE], fd;
	struct vsock_pair p;

	(void)state;
	vsock_set_up(&p, "");
	for (unsigned int i = 0; i < IDLE; i++)
		idle[i] = host_connect("", SOCK_STREAM);
	fd = vsock_open_to_guest(&p, &peer);
	host_expect_end(idle[0]);
	for (unsigned int i = 0; i < IDLE; i++)
		close(idle[i]);
	close(fd);
	vsock_expect(&peer, VIRTIO_VSOCK_OP_SHUTDOWN, &m);
	vsock_tear_down(&p, " 1 to it");
}

static void expect_refusal(struct daemon_process *daemon, const char *spec, const char *words)
{
	const char *const arguments[] = { "--vsock", spec, NULL };
	char text[1024];

	unlink(daemon->errors);
	daemon_run(daemon, arguments);
	assert_int_equal(daemon_stop(daemon, 0), 1);
	daemon_errors(daemon, text, sizeof text);
	if (!strstr(text, words))
		fail_msg("\"%s\" lacks \"%s\"", text, words);
	assert_int_equal(access(daemon->socket, F_OK), -1);
}

static void vsock_options_that_are_wrong_are_refused(void **state)
{
	static const struct {
		const char *options, *words;
	} wrong[] = {
		{ "cid=3,uds=/tmp/v", "no socket=PATH" },
		{ "cid=3,uds=/tmp/v,socket=", "no socket=PATH" },
		{ "cid=3,socket=/tmp/s", "no uds=PATH" },
		{ "uds=/tmp/v,socket=/tmp/s", "no cid=N" },
		{ "cid=2,uds=/tmp/v,socket=/tmp/s", "2: a cid is a number from 3 to 4294967294" },
		{ "cid=4294967295,uds=/tmp/v,socket=/tmp/s", "a cid is" },
		{ "cid=4294967299,uds=/tmp/v,socket=/tmp/s", "a cid is" },
		{ "cid=x,uds=/tmp/v,socket=/tmp/s", "a cid is" },
		{ "cid=3,uds=/tmp/v,socket=/tmp/s,connections=0", "connections are 1 to 65536" },
		{ "cid=3,uds=/tmp/v,socket=/tmp/s,buffer=100", "a buffer has" },
		{ "cid=3,uds=/tmp/v,socket=/tmp/s,group=", "group= needs a name" },
		{ "cid=3,uds=/tmp/v,socket=/tmp/s,port=1", "port: unknown option of --vsock" },
	};
	struct daemon_process daemon;
	char spec[512];

	(void)state;
	daemon_folder(&daemon);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		snprintf(spec, sizeof spec, "%s", wrong[i].options);
		expect_refusal(&daemon, spec, wrong[i].words);
	}
	/* The path must be short enough that a port number can follow. */
	snprintf(spec, sizeof spec, "cid=3,uds=/%097d,socket=/tmp/s", 1);
	expect_refusal(&daemon, spec, "too long for the path of a socket with a port after it");
	daemon_remove_folder(&daemon);
}

/* Hostile 232: the daemon must not replace a socket file in use, or a file that is not a socket. */
static void vsock_socket_files_of_others_are_left_alone(void **state)
{
	static const char *const suffixes[] = { "", "_seqpacket" };
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET };
	struct daemon_process daemon;
	char spec[512], path[160];
	struct stat st;
	int listener;
	FILE *file;

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		const char *const suffix = suffixes[i % 2];

		daemon_folder(&daemon);
		snprintf(vsock_path, sizeof vsock_path, "%s/v", daemon.folder);
		snprintf(spec, sizeof spec, "cid=3,uds=%s,socket=%s", vsock_path, daemon.socket);
		snprintf(path, sizeof path, "%s%s", vsock_path, suffix);
		/* The file is in use if a listener of either type exists. */
		listener = host_listen(suffix, types[i / 2], 8);
		expect_refusal(&daemon, spec, "in use: somebody is listening there");
		close(host_connect(suffix, types[i / 2]));
		close(listener);
		assert_int_equal(unlink(path), 0);
		file = fopen(path, "w");
		assert_non_null(file);
		fclose(file);
		expect_refusal(&daemon, spec, "exists and is not a socket");
		assert_int_equal(stat(path, &st), 0);
		assert_true(S_ISREG(st.st_mode));
		assert_int_equal(unlink(path), 0);
		daemon_remove_folder(&daemon);
	}
}

/* Hostile 232: stale socket files are replaced. */
static void vsock_replaces_socket_files_that_are_stale(void **state)
{
	struct vsock_peer peer;
	struct vsock_pair p;
	char spec[512], line[160];
	const char *const arguments[] = { "--vsock", spec, NULL };
	int fd;

	(void)state;
	daemon_folder(&p.daemon);
	snprintf(vsock_path, sizeof vsock_path, "%s/v", p.daemon.folder);
	close(host_listen("", SOCK_STREAM, 8));
	close(host_listen("_seqpacket", SOCK_SEQPACKET, 8));
	snprintf(spec, sizeof spec, "cid=3,uds=%s,socket=%s", vsock_path, p.daemon.socket);
	daemon_run(&p.daemon, arguments);
	snprintf(line, sizeof line, "listening on %s", p.daemon.socket);
	assert_true(daemon_says(&p.daemon, line));
	vsock_attach(&p.guest, p.daemon.socket, 3, VSOCK_RINGS);
	fd = vsock_open_to_guest(&p, &peer);
	close(fd);
	vsock_tear_down(&p, " 1 to it");
	/* At its end the daemon removes its own socket file. */
	assert_int_equal(access(vsock_path, F_OK), -1);
}

/* The daemon raises its soft limit of descriptors to the hard limit. */
static void vsock_raises_the_limit_of_descriptors(void **state)
{
	struct rlimit before, limit;
	struct vsock_pair p;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	limit.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	vsock_start(&p.daemon, "");
	assert_int_equal(prlimit(p.daemon.pid, RLIMIT_NOFILE, NULL, &limit), 0);
	assert_int_equal(limit.rlim_cur, before.rlim_max);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	vsock_finish(&p.daemon, "");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vsock_host_connects_to_the_guest),
		cmocka_unit_test(vsock_takes_bytes_after_the_line_as_payload),
		cmocka_unit_test(vsock_says_ok_after_the_response),
		cmocka_unit_test(vsock_refuses_malformed_lines),
		cmocka_unit_test(vsock_closes_a_refused_client_at_once),
		cmocka_unit_test(vsock_clients_wait_for_a_driver),
		cmocka_unit_test(vsock_idle_clients_give_way),
		cmocka_unit_test(vsock_options_that_are_wrong_are_refused),
		cmocka_unit_test(vsock_socket_files_of_others_are_left_alone),
		cmocka_unit_test(vsock_replaces_socket_files_that_are_stale),
		cmocka_unit_test(vsock_raises_the_limit_of_descriptors),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
