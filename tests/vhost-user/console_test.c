/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The daemon's console: its host ends, and its ports. The driver is the test's own. */
#include "daemon.h"
#include "front_end.h"
#include "rings.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_console.h>

#define PIECE 512u /* bytes of a buffer */
#define KEPT 65536u
#define MULTIPORT FEATURE(VIRTIO_CONSOLE_F_MULTIPORT)

/* The queues of a console and one more port. */
enum queue { RECEIVE, TRANSMIT, CONTROL_RECEIVE, CONTROL_TRANSMIT, PORT_RECEIVE, PORT_TRANSMIT, QUEUES };

struct guest {
	struct front_end fe;
	struct ring rings[QUEUES];
	unsigned int count;
};

/* The daemon */

static char link_path[128], pts[64], client_path[128];

static void set_paths(const struct daemon_process *daemon)
{
	snprintf(link_path, sizeof link_path, "%s/link", daemon->folder);
	snprintf(client_path, sizeof client_path, "%s/client", daemon->folder);
}

/* `spec` is BACKEND, `options` begin with a comma. */
static void run_console(struct daemon_process *daemon, const char *backend, const char *options)
{
	char spec[1024];
	const char *const arguments[] = { "--console", spec, NULL };

	snprintf(spec, sizeof spec, "%s,socket=%s%s", backend, daemon->socket, options);
	daemon_run(daemon, arguments);
}

static void await_listening(struct daemon_process *daemon)
{
	char line[160];

	snprintf(line, sizeof line, "listening on %s", daemon->socket);
	assert_true(daemon_says(daemon, line));
}

static void start_pty(struct daemon_process *daemon, const char *options)
{
	char line[256], prefix[128], all[256];
	size_t len;

	snprintf(all, sizeof all, ",link=%s%s", link_path, options);
	run_console(daemon, "pty", all);
	snprintf(prefix, sizeof prefix, "console %s: ", daemon->socket);
	assert_non_null(fgets(line, sizeof line, daemon->out));
	len = strlen(prefix);
	assert_memory_equal(line, prefix, len);
	line[strcspn(line, "\n")] = '\0';
	snprintf(pts, sizeof pts, "%.60s", line + len);
	await_listening(daemon);
}

/* With a client's socket as the backend of the console, or of the port "data" beside a console in a file. */
static void start_socket(struct daemon_process *daemon, bool port)
{
	char text[512], options[256];

	daemon_folder(daemon);
	set_paths(daemon);
	snprintf(options, sizeof options, ",port=data:unix=%s", client_path);
	snprintf(text, sizeof text, port ? "file=%s" : "unix=%s", port ? daemon->second : client_path);
	run_console(daemon, text, port ? options : "");
	await_listening(daemon);
}

static void expect_refusal(struct daemon_process *daemon, const char *backend, const char *options, const char *words)
{
	char text[1024];

	unlink(daemon->errors);
	run_console(daemon, backend, options);
	assert_int_equal(daemon_stop(daemon, 0), 1);
	daemon_errors(daemon, text, sizeof text);
	if (!strstr(text, words))
		fail_msg("\"%s\" lacks \"%s\"", text, words);
	assert_int_equal(access(daemon->socket, F_OK), -1);
}

/* The guest */

static void attach(struct guest *guest, const struct daemon_process *daemon, uint64_t features)
{
	guest->count = features & MULTIPORT ? QUEUES : 2;
	front_end_open(&guest->fe, daemon->socket);
	front_end_negotiate_type(&guest->fe, features);
	front_end_share_memory(&guest->fe);
	for (uint16_t i = 0; i < guest->count; i++)
		ring_open(&guest->rings[i], &guest->fe, i);
}

static void detach(struct guest *guest)
{
	front_end_close(&guest->fe);
	for (unsigned int i = 0; i < guest->count; i++)
		ring_close(&guest->rings[i]);
}

/* Each buffer is the one of its descriptor. Returns whether there was a free one. */
static bool offer(struct ring *ring, const void *bytes, uint32_t len)
{
	struct virtio_mock_buffer buffer = { .len = len, .flags = bytes ? 0 : VRING_DESC_F_WRITE };
	const int head = virtio_mock_alloc(&ring->mock, &buffer, 1);
	uint8_t *data;

	if (head < 0)
		return false;
	data = ring_data(ring, (unsigned int)head);
	buffer.addr = GUEST_ADDR + (uint64_t)(data - ring->fe->memory);
	if (bytes)
		memcpy(data, bytes, len);
	assert_int_equal(virtio_mock_write_chain(&ring->mock, (uint16_t)head, &buffer, 1), 0);
	assert_int_equal(virtio_mock_offer(&ring->mock, (uint16_t)head), 0);
	assert_int_equal(virtio_mock_publish(&ring->mock), 0);
	assert_int_equal(ring_kick(ring), 0);
	return true;
}

/* Waits for one buffer, and returns its bytes. */
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
	*bytes = ring_data(ring, virtio_le32(used.id));
	return virtio_le32(used.len);
}

static uint8_t byte_at(uint32_t place)
{
	return (uint8_t)(place ^ place >> 8 ^ place >> 16);
}

/* Offers output from one place of the stream to another one, as far as there are buffers. Returns where it ends. */
static uint32_t offer_output(struct ring *ring, uint32_t from, uint32_t to)
{
	uint8_t bytes[PIECE];

	while (from < to) {
		const uint32_t len = to - from < PIECE ? to - from : PIECE;

		for (uint32_t i = 0; i < len; i++)
			bytes[i] = byte_at(from + i);
		if (!offer(ring, bytes, len))
			break;
		from += len;
	}
	return from;
}

/* Output that the device has to take. */
static void output(struct ring *ring, uint32_t from, uint32_t to)
{
	const uint8_t *bytes;

	while (from < to) {
		from = offer_output(ring, from, to);
		while (ring->mock.in_flight > 0)
			assert_int_equal(take(ring, &bytes), 0);
	}
}

/* Waits for these bytes of input. */
static void expect_input(struct ring *ring, const void *expected, uint32_t len)
{
	const uint8_t *bytes;
	uint32_t got = 0;

	while (got < len) {
		const uint32_t here = (offer(ring, NULL, 64), take(ring, &bytes));

		assert_true(here > 0 && here <= len - got);
		assert_memory_equal(bytes, (const uint8_t *)expected + got, here);
		got += here;
	}
}

/* The host's ends */

static int open_pts(const char *path)
{
	const int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static int connect_client(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	strcpy(addr.sun_path, client_path);
	assert_int_equal(connect(fd, (const struct sockaddr *)&addr, sizeof addr), 0);
	return fd;
}

static void expect_output(int fd, uint32_t from, uint32_t to)
{
	uint8_t bytes[4096];

	while (from < to) {
		const ssize_t got = read(fd, bytes, to - from < sizeof bytes ? to - from : sizeof bytes);

		assert_true(got > 0);
		for (ssize_t i = 0; i < got; i++)
			assert_int_equal(bytes[i], byte_at(from++));
		watchdog_step();
	}
}

static void expect_no_output(int fd)
{
	struct pollfd input = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&input, 1, 0), 0);
}

static void type(int fd, const void *bytes, size_t len)
{
	assert_int_equal(write(fd, bytes, len), len);
}

/* The device has a client already, and says so to this one. */
static void expect_busy(void)
{
	static const char busy[] = "The console has another client.\r\n";
	const int fd = connect_client();
	char text[sizeof busy];

	assert_int_equal(recv(fd, text, sizeof busy - 1, MSG_WAITALL), sizeof busy - 1);
	assert_memory_equal(text, busy, sizeof busy - 1);
	assert_int_equal(read(fd, text, sizeof text), 0);
	close(fd);
}

/* Tests */

/* Every byte value, from the first on: the terminal is raw before anybody has opened it. */
static void console_pty_passes_every_byte_both_ways(void **state)
{
	struct daemon_process daemon;
	struct guest guest;
	uint8_t all[256];
	int fd;

	(void)state;
	for (unsigned int i = 0; i < sizeof all; i++)
		all[i] = (uint8_t)i;
	daemon_folder(&daemon);
	set_paths(&daemon);
	start_pty(&daemon, "");
	attach(&guest, &daemon, 0);
	fd = open_pts(pts);
	type(fd, all, sizeof all);
	expect_input(&guest.rings[RECEIVE], all, sizeof all);
	output(&guest.rings[TRANSMIT], 0, 1000);
	expect_output(fd, 0, 1000);
	/* A keystroke arrives alone. */
	type(fd, "x", 1);
	expect_input(&guest.rings[RECEIVE], "x", 1);
	expect_no_output(fd);
	close(fd);
	detach(&guest);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, ": 257 bytes in, 1000 bytes out, 0 bytes of input dropped, 0 bytes of "
					       "output dropped, 0 faults"));
}

/* Output waits for a reader, readers come and go, and so do guests. */
static void console_pty_keeps_output_and_input_while_nobody_is_there(void **state)
{
	struct daemon_process daemon;
	struct guest guest;
	int fd;

	(void)state;
	daemon_folder(&daemon);
	set_paths(&daemon);
	start_pty(&daemon, "");
	for (uint32_t round = 0; round < 3; round++) {
		attach(&guest, &daemon, 0);
		output(&guest.rings[TRANSMIT], 0, 50000);
		fd = open_pts(link_path);
		expect_output(fd, 0, 20000);
		close(fd);
		fd = open_pts(link_path);
		expect_output(fd, 20000, 50000);
		detach(&guest);
		type(fd, "hello", 5);
		attach(&guest, &daemon, 0);
		expect_input(&guest.rings[RECEIVE], "hello", 5);
		close(fd);
		detach(&guest);
	}
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, " 0 bytes of output dropped, 0 faults"));
	assert_int_equal(access(link_path, F_OK), -1);
}

/* A link that was left behind is replaced; a file is not; and what another process has put there stays. */
static void console_link_is_replaced_only_if_it_is_a_link(void **state)
{
	struct daemon_process daemon;
	char options[160], target[16];

	(void)state;
	daemon_folder(&daemon);
	set_paths(&daemon);
	assert_int_equal(symlink("/nowhere", link_path), 0);
	start_pty(&daemon, "");
	close(open_pts(link_path));
	assert_int_equal(unlink(link_path), 0);
	assert_int_equal(symlink("/other", link_path), 0);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	assert_int_equal(readlink(link_path, target, sizeof target), 6);
	assert_int_equal(unlink(link_path), 0);
	snprintf(options, sizeof options, ",link=%s", daemon.image);
	expect_refusal(&daemon, "pty", options, "disk.img: File exists");
	daemon_remove_folder(&daemon);
}

/* One client at a time; the next one gets what nobody has read. */
static void console_socket_serves_one_client_after_the_other(void **state)
{
	struct daemon_process daemon;
	struct guest guest;
	int first, second;

	(void)state;
	start_socket(&daemon, false);
	attach(&guest, &daemon, FEATURE(VIRTIO_RING_F_EVENT_IDX));
	output(&guest.rings[TRANSMIT], 0, 5000);
	first = connect_client();
	expect_output(first, 0, 5000);
	expect_busy();
	type(first, "one", 3);
	expect_input(&guest.rings[RECEIVE], "one", 3);
	close(first);
	second = connect_client();
	type(second, "two", 3);
	expect_input(&guest.rings[RECEIVE], "two", 3);
	output(&guest.rings[TRANSMIT], 5000, 6000);
	expect_output(second, 5000, 6000);
	close(second);
	detach(&guest);
	daemon_finish(&daemon);
	assert_int_equal(access(client_path, F_OK), -1);
}

/* hostile 220: the guest never waits, and the newest output is there for the first client. */
static void console_socket_keeps_the_newest_output(void **state)
{
	const uint32_t all = 3 * KEPT + 777;
	struct daemon_process daemon;
	struct guest guest;
	char words[64];
	int fd;

	(void)state;
	start_socket(&daemon, false);
	attach(&guest, &daemon, 0);
	output(&guest.rings[TRANSMIT], 0, all);
	fd = connect_client();
	expect_output(fd, all - KEPT, all);
	expect_no_output(fd);
	close(fd);
	detach(&guest);
	daemon_finish(&daemon);
	snprintf(words, sizeof words, " %u bytes of output dropped", all - KEPT);
	assert_non_null(strstr(daemon.summary, words));
}

/* A client that has left without being read from is found out when the next one comes. */
static void console_socket_drops_input_of_a_client_that_left(void **state)
{
	static uint8_t old[8192];
	struct daemon_process daemon;
	struct guest guest;
	char c;
	int first, second;

	(void)state;
	memset(old, 'o', sizeof old);
	start_socket(&daemon, false);
	first = connect_client();
	type(first, old, sizeof old);
	/* Sources take turns, so what the client sent is read between two others. */
	expect_busy();
	expect_busy();
	close(first);
	second = connect_client();
	type(second, "new", 3);
	attach(&guest, &daemon, 0);
	expect_input(&guest.rings[RECEIVE], "new", 3);
	output(&guest.rings[TRANSMIT], 0, 1);
	assert_int_equal(read(second, &c, 1), 1);
	close(second);
	detach(&guest);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, ": 3 bytes in, 1 bytes out, 4096 bytes of input dropped"));
}

/* A file of a client's that died is replaced, one in use and one that is no socket are not. */
static void console_socket_file_is_replaced_only_if_unused(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct daemon_process daemon;
	char backend[256];
	int fd;

	(void)state;
	daemon_folder(&daemon);
	set_paths(&daemon);
	snprintf(backend, sizeof backend, "unix=%s", client_path);
	strcpy(addr.sun_path, client_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof addr), 0);
	assert_int_equal(listen(fd, 1), 0);
	expect_refusal(&daemon, backend, "", "client: in use: somebody is listening there");
	assert_int_equal(access(client_path, F_OK), 0);
	close(fd);
	run_console(&daemon, backend, "");
	await_listening(&daemon);
	close(connect_client());
	/* Another process takes the path over: its file stays. */
	assert_int_equal(unlink(client_path), 0);
	assert_int_equal(close(open(client_path, O_WRONLY | O_CREAT, 0600)), 0);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	assert_int_equal(access(client_path, F_OK), 0);
	expect_refusal(&daemon, backend, "", "client: exists and is not a socket");
	assert_int_equal(unlink(client_path), 0);
	daemon_remove_folder(&daemon);
}

static void expect_file(const char *path, uint32_t from, uint32_t to)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, to - from);
	expect_output(fd, from, to);
	close(fd);
}

/* hostile 222: a log that was moved away is opened again, and appended to. */
static void console_file_is_appended_to_and_opened_again(void **state)
{
	struct daemon_process daemon;
	struct guest guest;
	char backend[160], moved[160];

	(void)state;
	daemon_folder(&daemon);
	snprintf(backend, sizeof backend, "file=%s", daemon.second);
	snprintf(moved, sizeof moved, "%s/moved", daemon.folder);
	for (uint32_t round = 0; round < 2; round++) {
		run_console(&daemon, backend, "");
		await_listening(&daemon);
		attach(&guest, &daemon, 0);
		output(&guest.rings[TRANSMIT], round * 2000, round * 2000 + 2000);
		if (round == 0)
			detach(&guest);
		if (round == 0)
			assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	}
	expect_file(daemon.second, 0, 4000);
	assert_int_equal(rename(daemon.second, moved), 0);
	output(&guest.rings[TRANSMIT], 4000, 4100);
	assert_int_equal(kill(daemon.pid, SIGHUP), 0);
	while (access(daemon.second, F_OK))
		usleep(1000);
	output(&guest.rings[TRANSMIT], 4100, 5000);
	/* The output of a chain is written before its turn ends: a second turn comes after it. */
	output(&guest.rings[TRANSMIT], 5000, 5001);
	detach(&guest);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	expect_file(moved, 0, 4100);
	expect_file(daemon.second, 4100, 5001);
	assert_int_equal(unlink(moved), 0);
	daemon_remove_folder(&daemon);
}

static void console_emergency_write_comes_out_without_a_driver(void **state)
{
	struct vhost_user_config access = { .offset = 8, .size = 4, .data = "!abc" };
	const uint32_t size = offsetof(struct vhost_user_config, data) + 4;
	struct daemon_process daemon;
	struct guest guest;
	char c;
	int fd;

	(void)state;
	start_socket(&daemon, false);
	fd = connect_client();
	front_end_open(&guest.fe, daemon.socket);
	assert_int_equal(front_end_ask_u64(&guest.fe, VHOST_USER_SET_PROTOCOL_FEATURES,
					   front_end_get_u64(&guest.fe, VHOST_USER_GET_PROTOCOL_FEATURES)),
			 0);
	assert_int_equal(front_end_ask(&guest.fe, VHOST_USER_SET_CONFIG, &access, size, NULL, 0), 0);
	assert_int_equal(read(fd, &c, 1), 1);
	assert_int_equal(c, '!');
	expect_no_output(fd);
	/* Nothing else of the space can be written. */
	access.offset = 0;
	assert_int_not_equal(front_end_ask(&guest.fe, VHOST_USER_SET_CONFIG, &access, size, NULL, 0), 0);
	close(fd);
	front_end_close(&guest.fe);
	daemon_finish(&daemon);
}

/* Control messages */

static void say(struct guest *guest, uint32_t id, uint16_t event, uint16_t value)
{
	struct virtio_console_control message = { virtio_le32(id), virtio_le16(event), virtio_le16(value) };
	struct ring *ring = &guest->rings[CONTROL_TRANSMIT];
	const uint8_t *bytes;

	assert_true(offer(ring, &message, sizeof message));
	assert_int_equal(take(ring, &bytes), 0);
}

/* Waits for a message. Behind it is `tail`. */
static void hear(struct guest *guest, uint32_t id, uint16_t event, uint16_t value, const char *tail)
{
	struct ring *ring = &guest->rings[CONTROL_RECEIVE];
	const uint8_t *bytes;

	assert_true(offer(ring, NULL, 64));
	assert_int_equal(take(ring, &bytes), 8 + strlen(tail));
	assert_int_equal(bytes[0], id);
	assert_int_equal(bytes[4], event);
	assert_int_equal(bytes[6], value);
	assert_memory_equal(bytes + 8, tail, strlen(tail));
}

/* The dialogue of a driver that has started. */
static void set_ports_up(struct guest *guest, bool has_client)
{
	say(guest, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	hear(guest, 0, VIRTIO_CONSOLE_PORT_ADD, 0, "");
	hear(guest, 1, VIRTIO_CONSOLE_PORT_ADD, 0, "");
	say(guest, 0, VIRTIO_CONSOLE_PORT_READY, 1);
	hear(guest, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1, "");
	hear(guest, 0, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	say(guest, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	hear(guest, 1, VIRTIO_CONSOLE_PORT_NAME, 0, "data");
	if (has_client)
		hear(guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	say(guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
}

/* The port has a name, tells of its clients, and holds input until the guest opens it. */
static void console_port_follows_its_client(void **state)
{
	struct daemon_process daemon;
	struct guest guest;
	int fd;

	(void)state;
	start_socket(&daemon, true);
	attach(&guest, &daemon, MULTIPORT | FEATURE(VIRTIO_CONSOLE_F_SIZE));
	set_ports_up(&guest, false);
	fd = connect_client();
	hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	type(fd, "to the guest", 12);
	expect_input(&guest.rings[PORT_RECEIVE], "to the guest", 12);
	output(&guest.rings[PORT_TRANSMIT], 0, 3000);
	expect_output(fd, 0, 3000);
	close(fd);
	hear(&guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
	/* The console is the file. */
	output(&guest.rings[TRANSMIT], 0, 100);
	detach(&guest);
	/* A second driver of the same front end socket begins anew, and a client is there already. */
	fd = connect_client();
	attach(&guest, &daemon, MULTIPORT);
	set_ports_up(&guest, true);
	close(fd);
	detach(&guest);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	expect_file(daemon.second, 0, 100);
	daemon_remove_folder(&daemon);
}

/* Nobody reads: the guest's chains wait, also over pauses in the middle of one. Then every byte comes once, in order. */
static void console_port_throttles_and_loses_nothing(void **state)
{
	const uint32_t all = 3 * KEPT + 1000;
	struct daemon_process daemon;
	struct guest guest;
	struct ring *ring = &guest.rings[PORT_TRANSMIT];
	const uint8_t *bytes;
	uint32_t at;
	int fd;

	(void)state;
	start_socket(&daemon, true);
	attach(&guest, &daemon, MULTIPORT);
	set_ports_up(&guest, false);
	/* A first piece of another size, so that the buffer is full in the middle of a chain. */
	output(ring, 0, 100);
	at = offer_output(ring, 100, all);
	for (uint32_t i = 100; i + PIECE <= KEPT; i += PIECE)
		assert_int_equal(take(ring, &bytes), 0);
	for (unsigned int pause = 0; pause < 3; pause++)
		ring_start(ring, ring_stop(ring));
	at = offer_output(ring, at, all);
	for (unsigned int pause = 0; pause < 3; pause++)
		ring_start(ring, ring_stop(ring));
	assert_true(ring->mock.in_flight > 0);
	fd = connect_client();
	for (uint32_t seen = 0; seen < all;) {
		const uint32_t next = all - seen < 5000 ? all : seen + 5000;

		while (at < all && ring->mock.in_flight > 0 && at - seen < KEPT)
			at = (assert_int_equal(take(ring, &bytes), 0), offer_output(ring, at, all));
		expect_output(fd, seen, next);
		seen = next;
	}
	expect_no_output(fd);
	close(fd);
	detach(&guest);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	assert_non_null(strstr(daemon.summary, " 0 bytes of output dropped"));
	daemon_remove_folder(&daemon);
}

/* A guest that boots anew behind the same front end starts its control queue from the beginning. */
static void console_ports_come_up_again_after_a_reset_of_the_guest(void **state)
{
	struct daemon_process daemon;
	struct guest guest;

	(void)state;
	start_socket(&daemon, true);
	attach(&guest, &daemon, MULTIPORT);
	for (unsigned int boot = 0; boot < 3; boot++) {
		set_ports_up(&guest, false);
		output(&guest.rings[PORT_TRANSMIT], boot * 10, boot * 10 + 10);
		for (uint16_t i = 0; i < QUEUES; i++)
			(void)ring_stop(&guest.rings[i]);
		for (uint16_t i = 0; i < QUEUES; i++) {
			assert_int_equal(virtio_mock_reset(&guest.rings[i].mock), 0);
			ring_start(&guest.rings[i], 0);
		}
	}
	set_ports_up(&guest, false);
	detach(&guest);
	assert_int_equal(daemon_stop(&daemon, SIGTERM), 0);
	daemon_remove_folder(&daemon);
}

static void console_options_that_are_wrong_are_refused(void **state)
{
	struct daemon_process daemon;
	char text[512], longest[256];

	(void)state;
	daemon_folder(&daemon);
	expect_refusal(&daemon, "vt100", "", "vt100: not pty, unix=PATH or file=PATH");
	expect_refusal(&daemon, "unix=", "", "unix=: no path");
	expect_refusal(&daemon, "file=", "", "file=: no path");
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	memcpy(longest, "unix=", 5);
	expect_refusal(&daemon, longest, "", "too long for the path of a socket");
	snprintf(text, sizeof text, "file=%s", daemon.folder);
	expect_refusal(&daemon, text, "", "Is a directory");
	expect_refusal(&daemon, "file=/dev/null", "", "/dev/null: not a regular file");
	expect_refusal(&daemon, "pty", ",colour=green", "colour: unknown option of --console");
	expect_refusal(&daemon, "pty", ",multiport=perhaps", "perhaps: multiport is on or off");
	expect_refusal(&daemon, "pty", ",port=data", "data: not NAME:BACKEND");
	expect_refusal(&daemon, "pty", ",port=:pty", ":pty: not NAME:BACKEND");
	expect_refusal(&daemon, "pty", ",port=a:pty,port=a:pty", "a: two ports have this name");
	expect_refusal(&daemon, "pty", ",port=a:pty,multiport=off", "multiport=off: a port needs it on");
	expect_refusal(&daemon, "file=/tmp/x", ",link=/tmp/y", "/tmp/y: only a pty has a link");
	expect_refusal(&daemon, "pty", ",socket=", "no socket=PATH");
	snprintf(text, sizeof text, ",link=%s/missing/link", daemon.folder);
	expect_refusal(&daemon, "pty", text, "missing/link: No such file or directory");
	daemon_remove_folder(&daemon);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(console_pty_passes_every_byte_both_ways),
		cmocka_unit_test(console_pty_keeps_output_and_input_while_nobody_is_there),
		cmocka_unit_test(console_link_is_replaced_only_if_it_is_a_link),
		cmocka_unit_test(console_socket_serves_one_client_after_the_other),
		cmocka_unit_test(console_socket_keeps_the_newest_output),
		cmocka_unit_test(console_socket_drops_input_of_a_client_that_left),
		cmocka_unit_test(console_socket_file_is_replaced_only_if_unused),
		cmocka_unit_test(console_file_is_appended_to_and_opened_again),
		cmocka_unit_test(console_emergency_write_comes_out_without_a_driver),
		cmocka_unit_test(console_port_follows_its_client),
		cmocka_unit_test(console_port_throttles_and_loses_nothing),
		cmocka_unit_test(console_ports_come_up_again_after_a_reset_of_the_guest),
		cmocka_unit_test(console_options_that_are_wrong_are_refused),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
