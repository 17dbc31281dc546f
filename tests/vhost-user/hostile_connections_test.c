/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Front ends leave, stall or send rubbish, and a guest keeps its ring busy. The daemon must not
 * end, and must still serve other front ends.
 */
#include "daemon.h"
#include "front_end.h"

#include "cmocka_includes.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>

#define NEED_REPLY (VHOST_USER_FLAG_VERSION | VHOST_USER_FLAG_NEED_REPLY)

static void send_part(const struct daemon_process *daemon, const void *message, size_t len)
{
	struct front_end fe;

	front_end_open(&fe, daemon->socket);
	if (len)
		assert_int_equal(send(fe.socket, message, len, MSG_NOSIGNAL), len);
	front_end_close(&fe);
}

static void connection_that_ends_anywhere_in_a_message_is_forgotten(void **state)
{
	struct {
		struct vhost_user_header header;
		uint8_t payload[40];
	} message = { .header = { VHOST_USER_SET_VRING_ADDR, VHOST_USER_FLAG_VERSION, 40 }, .payload = { 0 } };
	struct daemon_process daemon;

	(void)state;
	daemon_start(&daemon, "");
	for (size_t len = 0; len < sizeof message; len++) {
		send_part(&daemon, &message, len);
		front_end_good_session(daemon.socket, (uint8_t)len);
	}
	daemon_finish(&daemon);
}

/* The front end leaves after each step of a set-up, before and after a ring runs. */
static void connection_that_ends_anywhere_in_a_session_is_forgotten(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	for (unsigned int step = 0; step < 7; step++) {
		front_end_open(&fe, daemon.socket);
		if (step > 0)
			front_end_negotiate(&fe, 0);
		if (step > 1)
			front_end_share_memory(&fe);
		if (step > 2)
			front_end_set_ring(&fe, 0);
		if (step > 3)
			front_end_start_ring(&fe);
		if (step > 4)
			block_submit(&fe, 0, VIRTIO_BLK_T_OUT, 0, DATA_BYTES);
		if (step > 5)
			block_kick(&fe);
		front_end_close(&fe);
		front_end_good_session(daemon.socket, (uint8_t)step);
	}
	daemon_finish(&daemon);
}

/*
 * The front end sends its own end of the connection as a descriptor. If the daemon kept this
 * descriptor, the connection would never close, and no other connection would be accepted.
 */
static void connection_that_gives_away_its_own_end_is_dropped(void **state)
{
	static const uint32_t requests[] = { VHOST_USER_SET_BACKEND_REQ_FD, VHOST_USER_SET_VRING_CALL,
					     VHOST_USER_SET_VRING_ERR, VHOST_USER_SET_VRING_KICK };
	const uint64_t ring = 0;
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		const bool backend = requests[i] == VHOST_USER_SET_BACKEND_REQ_FD;

		front_end_open(&fe, daemon.socket);
		front_end_send(&fe, requests[i], VHOST_USER_FLAG_VERSION, &ring, backend ? 0 : sizeof ring, &fe.socket,
			       1);
		front_end_close(&fe);
		front_end_good_session(daemon.socket, (uint8_t)i);
	}
	daemon_finish(&daemon);
}

static void message_that_comes_byte_by_byte_is_understood(void **state)
{
	const struct vhost_user_header header = { VHOST_USER_SET_VRING_NUM, NEED_REPLY, 8 };
	const struct vhost_user_vring_state ring = { .index = 0, .num = RING_SIZE };
	uint8_t message[sizeof header + sizeof ring];
	struct daemon_process daemon;
	struct front_end fe;
	uint64_t ack = 1;

	(void)state;
	memcpy(message, &header, sizeof header);
	memcpy(message + sizeof header, &ring, sizeof ring);
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	for (size_t i = 0; i < sizeof message; i++)
		assert_int_equal(send(fe.socket, message + i, 1, MSG_NOSIGNAL), 1);
	assert_int_equal(front_end_reply(&fe, VHOST_USER_SET_VRING_NUM, &ack, sizeof ack), sizeof ack);
	assert_int_equal(ack, 0);
	front_end_set_up(&fe, 0);
	block_write_and_read(&fe, 1, 1);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

static void message_that_stays_incomplete_holds_up_nobody(void **state)
{
	const struct vhost_user_header header = { VHOST_USER_SET_VRING_NUM, NEED_REPLY, 8 };
	struct daemon_process daemon;
	struct front_end slow;

	(void)state;
	daemon_start_two(&daemon);
	front_end_open(&slow, daemon.socket);
	assert_int_equal(send(slow.socket, &header, 10, MSG_NOSIGNAL), 10);
	front_end_good_session(daemon.other, 1);
	front_end_close(&slow);
	front_end_good_session(daemon.socket, 2);
	daemon_finish(&daemon);
}

/*
 * Hostile 11: a ring that is always busy delays neither its own front end nor the other device.
 * Hostile 15: the ring can be stopped.
 */
static void ring_that_never_runs_empty_holds_up_nobody(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;
	pid_t guest;

	(void)state;
	daemon_start_two(&daemon);
	for (unsigned int i = 0; i < 10; i++) {
		front_end_open(&fe, daemon.socket);
		front_end_set_up(&fe, 0);
		guest = block_busy_guest(&fe);
		front_end_good_session(daemon.other, 1);
		if (i % 2)
			assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_ENABLE, 0, 0), 0);
		front_end_close(&fe);
		front_end_good_session(daemon.socket, 2);
		assert_int_equal(kill(guest, SIGKILL), 0);
		assert_int_equal(waitpid(guest, NULL, 0), guest);
	}
	daemon_finish(&daemon);
}

static void connection_that_does_not_read_replies_is_dropped(void **state)
{
	const struct vhost_user_header header = { VHOST_USER_GET_FEATURES, VHOST_USER_FLAG_VERSION, 0 };
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	while (send(fe.socket, &header, sizeof header, MSG_NOSIGNAL) > 0)
		;
	front_end_close(&fe);
	front_end_good_session(daemon.socket, 1);
	daemon_finish(&daemon);
}

/* Rubbish */

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static uint64_t random_number(uint32_t *seed)
{
	const uint64_t interesting[] = { 0,
					 1,
					 2,
					 8,
					 64,
					 256,
					 0x101,
					 4096,
					 0x10000,
					 GUEST_ADDR,
					 USER_ADDR,
					 USER_ADDR + 0x400,
					 GUEST_BYTES / 2,
					 GUEST_BYTES,
					 UINT32_MAX,
					 UINT64_MAX,
					 UINT64_MAX - 4095,
					 FEATURE(VIRTIO_F_VERSION_1),
					 FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VHOST_USER_F_PROTOCOL_FEATURES) };

	if (next_random(seed) % 8)
		return interesting[next_random(seed) % (sizeof interesting / sizeof *interesting)];
	return (uint64_t)next_random(seed) << 32 | next_random(seed);
}

/* Sends a message: usually a message of the right form, in which some numbers are replaced. */
static void send_rubbish(struct front_end *fe, uint32_t *seed)
{
	const struct front_end_request *like = &front_end_requests[next_random(seed) % FRONT_END_REQUESTS];
	uint32_t size = like->size, flags = VHOST_USER_FLAG_VERSION;
	int fds[4] = { fe->memory_fd, fe->kick, fe->call, fe->socket };
	unsigned int fd_count = like->fds;
	uint8_t payload[VHOST_USER_MAX_PAYLOAD];

	front_end_fill_payload(like->request, payload);
	if (like->request == VHOST_USER_SET_VRING_ADDR) {
		const struct vhost_user_vring_addr addr = front_end_addr(fe);

		memcpy(payload, &addr, sizeof addr);
	}
	for (uint32_t i = next_random(seed) % 3; i > 0 && size >= 8; i--) {
		const uint64_t number = random_number(seed);

		memcpy(payload + next_random(seed) % (size / 8) * 8, &number, sizeof number);
	}
	if (like->request != VHOST_USER_SET_MEM_TABLE || next_random(seed) % 4 == 0)
		fds[0] = fds[next_random(seed) % 4];
	if (next_random(seed) % 64 == 0)
		size = next_random(seed) % 600;
	if (next_random(seed) % 64 == 0)
		fd_count = next_random(seed) % 5;
	if (next_random(seed) % 128 == 0)
		flags = next_random(seed);
	else if (next_random(seed) % 8)
		flags |= VHOST_USER_FLAG_NEED_REPLY;
	front_end_send(fe, next_random(seed) % 32 ? like->request : next_random(seed) % 64, flags, payload, size, fds,
		       fd_count);
}

/*
 * Reads all replies that have arrived. Returns false if the connection has ended. If recv() fails
 * with ECONNRESET, only the next call of drain() returns false.
 */
static bool drain(struct front_end *fe)
{
	char bytes[4096];
	ssize_t got;

	while ((got = recv(fe->socket, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
		;
	return got < 0;
}

static void rubbish_does_no_harm_and_is_not_logged_without_end(void **state)
{
	const unsigned int messages = 20000, lines_in_period = 21, period_seconds = 10;
	const uint64_t one = 1;
	const time_t begin = time(NULL);
	struct daemon_process daemon;
	struct front_end fe;
	uint32_t seed = 20240607;
	unsigned int sent = 0, sessions = 0, periods;

	(void)state;
	daemon_start(&daemon, "");
	while (sent < messages) {
		front_end_open(&fe, daemon.socket);
		/* Fill the ring's memory with rubbish, too. */
		for (unsigned int i = 0; i < 0x1000; i += 4) {
			const uint32_t value =
				next_random(&seed) % 4 ? next_random(&seed) % RING_SIZE : next_random(&seed);

			memcpy(fe.memory + i, &value, sizeof value);
		}
		do {
			send_rubbish(&fe, &seed);
			(void)!write(fe.kick, &one, sizeof one);
			sent++;
		} while (drain(&fe) && sent < messages);
		front_end_close(&fe);
		if (++sessions % 64 == 0)
			front_end_good_session(daemon.socket, (uint8_t)sessions);
	}
	assert_true(sessions > 100);
	front_end_good_session(daemon.socket, 1);
	periods = (unsigned int)(time(NULL) - begin) / period_seconds + 2;
	assert_true(daemon_errors(&daemon, NULL, 0) <= periods * lines_in_period);
	daemon_finish(&daemon);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connection_that_ends_anywhere_in_a_message_is_forgotten),
		cmocka_unit_test(connection_that_ends_anywhere_in_a_session_is_forgotten),
		cmocka_unit_test(connection_that_gives_away_its_own_end_is_dropped),
		cmocka_unit_test(message_that_comes_byte_by_byte_is_understood),
		cmocka_unit_test(message_that_stays_incomplete_holds_up_nobody),
		cmocka_unit_test(ring_that_never_runs_empty_holds_up_nobody),
		cmocka_unit_test(connection_that_does_not_read_replies_is_dropped),
		cmocka_unit_test(rubbish_does_no_harm_and_is_not_logged_without_end),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
