/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "console_guest.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The daemon */

char console_link_path[128], console_client_path[128];

void console_set_paths(const struct daemon_process *daemon)
{
	snprintf(console_link_path, sizeof console_link_path, "%s/link", daemon->folder);
	snprintf(console_client_path, sizeof console_client_path, "%s/client", daemon->folder);
}

void console_run(struct daemon_process *daemon, const char *backend, const char *options)
{
	char spec[1024];
	const char *const arguments[] = { "--console", spec, NULL };

	snprintf(spec, sizeof spec, "%s,socket=%s%s", backend, daemon->socket, options);
	daemon_run(daemon, arguments);
}

void console_await(struct daemon_process *daemon)
{
	char line[160];

	snprintf(line, sizeof line, "listening on %s", daemon->socket);
	assert_true(daemon_says(daemon, line));
}

void console_await_tty(struct daemon_process *daemon)
{
	char line[192];

	snprintf(line, sizeof line,
		 "console %s: Ctrl-] and then q ends the daemon; Ctrl-] twice sends one to the guest", daemon->socket);
	assert_true(daemon_says(daemon, line));
	console_await(daemon);
}

void console_start_tty(struct daemon_process *daemon, int fd, const char *options)
{
	const int before = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	console_run(daemon, "tty", options);
	if (before < 0)
		close(STDIN_FILENO);
	else
		assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
	close(before);
}

void console_start_socket(struct daemon_process *daemon, bool port)
{
	char text[512], options[256];

	daemon_folder(daemon);
	console_set_paths(daemon);
	snprintf(options, sizeof options, ",port=data:unix=%s", console_client_path);
	snprintf(text, sizeof text, port ? "file=%s" : "unix=%s", port ? daemon->second : console_client_path);
	console_run(daemon, text, port ? options : "");
	console_await(daemon);
}

void console_expect_refusal(struct daemon_process *daemon, const char *backend, const char *options, const char *words)
{
	char text[1024];

	unlink(daemon->errors);
	console_run(daemon, backend, options);
	assert_int_equal(daemon_stop(daemon, 0), 1);
	daemon_errors(daemon, text, sizeof text);
	if (!strstr(text, words))
		fail_msg("\"%s\" lacks \"%s\"", text, words);
	assert_int_equal(access(daemon->socket, F_OK), -1);
}

/* The guest */

static void attach(struct console_guest *guest, const struct daemon_process *daemon, uint64_t features)
{
	front_end_open(&guest->fe, daemon->socket);
	front_end_negotiate_type(&guest->fe, features);
	front_end_share_memory(&guest->fe);
	for (uint16_t i = 0; i < guest->count; i++)
		ring_open(&guest->rings[i], &guest->fe, i);
}

void console_attach(struct console_guest *guest, const struct daemon_process *daemon, uint64_t features)
{
	guest->count = features & MULTIPORT ? QUEUES : 2;
	attach(guest, daemon, features);
}

void console_attach_alone(struct console_guest *guest, const struct daemon_process *daemon, uint64_t features)
{
	guest->count = PORT_RECEIVE;
	attach(guest, daemon, features);
}

void console_detach(struct console_guest *guest)
{
	front_end_close(&guest->fe);
	for (unsigned int i = 0; i < guest->count; i++)
		ring_close(&guest->rings[i]);
}

bool console_offer(struct ring *ring, const void *bytes, uint32_t len)
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

uint32_t console_take(struct ring *ring, const uint8_t **bytes)
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

uint8_t console_byte(uint32_t place)
{
	return (uint8_t)(place ^ place >> 8 ^ place >> 16);
}

uint32_t console_offer_output(struct ring *ring, uint32_t from, uint32_t to)
{
	uint8_t bytes[PIECE];

	while (from < to) {
		const uint32_t len = to - from < PIECE ? to - from : PIECE;

		for (uint32_t i = 0; i < len; i++)
			bytes[i] = console_byte(from + i);
		if (!console_offer(ring, bytes, len))
			break;
		from += len;
	}
	return from;
}

void console_output(struct ring *ring, uint32_t from, uint32_t to)
{
	const uint8_t *bytes;

	while (from < to) {
		from = console_offer_output(ring, from, to);
		while (ring->mock.in_flight > 0)
			assert_int_equal(console_take(ring, &bytes), 0);
	}
}

void console_expect_input(struct ring *ring, const void *expected, uint32_t len)
{
	const uint8_t *bytes;
	uint32_t got = 0;

	while (got < len) {
		const uint32_t here = (console_offer(ring, NULL, 64), console_take(ring, &bytes));

		assert_true(here > 0 && here <= len - got);
		assert_memory_equal(bytes, (const uint8_t *)expected + got, here);
		got += here;
	}
}

/* Control messages */

void console_say(struct console_guest *guest, uint32_t id, uint16_t event, uint16_t value)
{
	struct virtio_console_control message = { virtio_le32(id), virtio_le16(event), virtio_le16(value) };
	struct ring *ring = &guest->rings[CONTROL_TRANSMIT];
	const uint8_t *bytes;

	assert_true(console_offer(ring, &message, sizeof message));
	assert_int_equal(console_take(ring, &bytes), 0);
}

void console_hear(struct console_guest *guest, uint32_t id, uint16_t event, uint16_t value, const char *tail)
{
	struct ring *ring = &guest->rings[CONTROL_RECEIVE];
	const uint8_t *bytes;

	assert_true(console_offer(ring, NULL, 64));
	assert_int_equal(console_take(ring, &bytes), 8 + strlen(tail));
	assert_int_equal(bytes[0], id);
	assert_int_equal(bytes[4], event);
	assert_int_equal(bytes[6], value);
	assert_memory_equal(bytes + 8, tail, strlen(tail));
}

void console_set_ports_up(struct console_guest *guest, bool has_client)
{
	console_say(guest, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	console_hear(guest, 0, VIRTIO_CONSOLE_PORT_ADD, 0, "");
	console_hear(guest, 1, VIRTIO_CONSOLE_PORT_ADD, 0, "");
	console_say(guest, 0, VIRTIO_CONSOLE_PORT_READY, 1);
	console_hear(guest, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1, "");
	console_hear(guest, 0, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	console_say(guest, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	console_hear(guest, 1, VIRTIO_CONSOLE_PORT_NAME, 0, "data");
	if (has_client)
		console_hear(guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	console_say(guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
}

void console_hear_size(struct console_guest *guest, uint16_t cols, uint16_t rows)
{
	char tail[5] = { (char)cols, (char)(cols >> 8), (char)rows, (char)(rows >> 8), 0 };
	struct ring *ring = &guest->rings[CONTROL_RECEIVE];
	const uint8_t *bytes;

	assert_true(console_offer(ring, NULL, 64));
	assert_int_equal(console_take(ring, &bytes), 12);
	assert_int_equal(bytes[0], 0);
	assert_int_equal(bytes[4], VIRTIO_CONSOLE_RESIZE);
	assert_memory_equal(bytes + 8, tail, 4);
}

void console_await_size(struct console_guest *guest, uint8_t cols, uint8_t rows)
{
	struct vhost_user_config access = { .offset = 0, .size = 4 };
	const uint32_t size = offsetof(struct vhost_user_config, data) + 4;
	const uint8_t expected[4] = { cols, 0, rows, 0 };

	do {
		front_end_send(&guest->fe, VHOST_USER_GET_CONFIG, VHOST_USER_FLAG_VERSION, &access, size, NULL, 0);
		assert_int_equal(front_end_reply(&guest->fe, VHOST_USER_GET_CONFIG, &access, sizeof access), size);
	} while (memcmp(access.data, expected, sizeof expected) != 0);
}

/* The clients on the host */

int console_open_pts(const char *path)
{
	const int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

int console_open_terminal(int *slave)
{
	const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	const struct winsize size = { .ws_col = 80, .ws_row = 25 };

	assert_true(master >= 0);
	assert_int_equal(grantpt(master) | unlockpt(master), 0);
	*slave = console_open_pts(ptsname(master));
	assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
	return master;
}

static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	strcpy(addr.sun_path, path);
	assert_int_equal(connect(fd, (const struct sockaddr *)&addr, sizeof addr), 0);
	return fd;
}

int console_connect(void)
{
	return connect_to(console_client_path);
}

int console_operate(const char *path)
{
	return connect_to(path);
}

void console_read_answer(int fd, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	while (used + 1 < size && read(fd, text + used, 1) == 1) {
		text[++used] = '\0';
		if (used >= 3 && strcmp(text + used - 3, "ok\n") == 0)
			break;
		if (text[used - 1] == '\n' && strstr(text, "error: "))
			break;
	}
}

void console_command(int fd, const char *command, char *text, size_t size)
{
	console_type(fd, command, strlen(command));
	console_read_answer(fd, text, size);
}

void console_expect_output(int fd, uint32_t from, uint32_t to)
{
	uint8_t bytes[4096];

	while (from < to) {
		const ssize_t got = read(fd, bytes, to - from < sizeof bytes ? to - from : sizeof bytes);

		assert_true(got > 0);
		for (ssize_t i = 0; i < got; i++)
			assert_int_equal(bytes[i], console_byte(from++));
		watchdog_step();
	}
}

void console_expect_no_output(int fd)
{
	struct pollfd input = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&input, 1, 0), 0);
}

void console_type(int fd, const void *bytes, size_t len)
{
	assert_int_equal(write(fd, bytes, len), len);
}

void console_expect_file(const char *path, uint32_t from, uint32_t to)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	while (st.st_size < to - from) {
		usleep(1000);
		assert_int_equal(fstat(fd, &st), 0);
	}
	assert_int_equal(st.st_size, to - from);
	console_expect_output(fd, from, to);
	close(fd);
}
