/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Server and client for tests of connections between a guest and its host. The guest and the host
 * can each run the server and the client.
 *
 *   vsock_io serve ADDRESS         serves clients until the server is killed
 *   vsock_io stream ADDRESS BYTES  sends BYTES bytes each way, with half-closes
 *   vsock_io many ADDRESS COUNT    makes COUNT connections at the same time
 *   vsock_io row ADDRESS COUNT     makes COUNT connections, one after the other
 *   vsock_io stopped ADDRESS       the server stops reading one connection; the others continue
 *   vsock_io refused ADDRESS       succeeds if the connection is refused
 *   vsock_io kill ADDRESS          kills the server
 *   vsock_io records ADDRESS       sends records to the server and back
 *   vsock_io message ADDRESS TEXT  sends a text, which the server prints
 *
 * ADDRESS is vsock:CID:PORT, unix:PATH or through:PATH:PORT. The last form names a guest's port, to
 * which the daemon connects a client of the Unix socket PATH. With "seq" in front, as in
 * seqvsock:CID:PORT, the connection carries records. The exit status is 0 for success. Errors are
 * printed on stderr.
 */
#include <errno.h>
#include <linux/vm_sockets.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BLOCK 65536u
#define STACK_BYTES 262144u
#define STOPPED_BYTES (UINT64_C(8) << 20)
#define BACKLOG 1024

enum operation {
	/*
	 * The client sends `count` bytes and shuts down its half. The server replies with the sum
	 * of the bytes.
	 */
	RECEIVE,
	SEND, /* the server sends `count` bytes, and the client replies with the sum */
	ECHO, /* the server sends `count` bytes back */
	STOP, /* as RECEIVE, but the server reads only after GO on another connection */
	GO,
	RECORDS, /* the server sends all records back */
	MESSAGE, /* the server prints `count` bytes, and replies with a byte */
	DIE,
};

struct request {
	uint64_t operation;
	uint64_t count;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "vsock_io: %s: %s\n", what, errno ? strerror(errno) : "unexpected result");
	exit(1);
}

static void check(bool good, const char *what)
{
	if (!good)
		die(what);
}

/* Addresses */

union address {
	struct sockaddr sa;
	struct sockaddr_vm vm;
	struct sockaddr_un un;
};

struct target {
	union address address;
	socklen_t len;
	int type;
	bool through;
	char port[16];
};

static void parse(const char *text, struct target *target)
{
	char copy[256], *rest, *port;

	memset(target, 0, sizeof *target);
	snprintf(copy, sizeof copy, "%s", text);
	target->type = strncmp(copy, "seq", 3) == 0 ? SOCK_SEQPACKET : SOCK_STREAM;
	rest = strchr(copy, ':');
	errno = EINVAL;
	check(rest, text);
	*rest++ = '\0';
	port = strchr(rest, ':');
	if (strstr(copy, "vsock")) {
		check(port, text);
		target->address.vm = (struct sockaddr_vm){
			.svm_family = AF_VSOCK,
			.svm_cid = (unsigned int)strtoul(rest, NULL, 10),
			.svm_port = (unsigned int)strtoul(port + 1, NULL, 10),
		};
		target->len = sizeof target->address.vm;
		return;
	}
	target->through = strstr(copy, "through") != NULL;
	if (target->through) {
		check(port, text);
		*port++ = '\0';
		snprintf(target->port, sizeof target->port, "%s", port);
	}
	target->address.un.sun_family = AF_UNIX;
	check(strlen(rest) < sizeof target->address.un.sun_path, text);
	strcpy(target->address.un.sun_path, rest);
	target->len = sizeof target->address.un;
}

/* Reads a line. Returns true for "OK PORT", and false for another line or a closed socket. */
static bool read_ok(int fd, int type)
{
	char line[64];
	size_t len = 0;
	ssize_t got;

	do {
		got = recv(fd, line + len, type == SOCK_STREAM ? 1 : sizeof line - 1, 0);
		if (got <= 0)
			return false;
		len += (size_t)got;
	} while (line[len - 1] != '\n' && len < sizeof line - 1);
	return len > 4 && memcmp(line, "OK ", 3) == 0;
}

/* Returns a socket, or -1. */
static int try_to_connect(const struct target *target)
{
	const int fd = socket(target->address.sa.sa_family, target->type | SOCK_CLOEXEC, 0);
	char line[32];
	int len;

	if (fd < 0)
		die("socket");
	if (connect(fd, &target->address.sa, target->len) == 0) {
		len = snprintf(line, sizeof line, "CONNECT %s\n", target->port);
		if (!target->through || (send(fd, line, (size_t)len, 0) == len && read_ok(fd, target->type)))
			return fd;
		errno = ECONNRESET;
	}
	len = errno;
	close(fd);
	errno = len;
	return -1;
}

static int connect_to(const struct target *target)
{
	const int fd = try_to_connect(target);

	if (fd < 0)
		die("connect");
	return fd;
}

/* Streams: each byte depends on its offset in the stream */

struct stream {
	uint64_t place, sum;
};

static uint64_t word_at(uint64_t place)
{
	uint64_t word = place * UINT64_C(0x9e3779b97f4a7c15);

	return word ^ word >> 29;
}

/* Makes a block word by word, which is possible because a block begins at a multiple of 8. */
static void make_block(uint64_t place, uint8_t *bytes, size_t len)
{
	uint64_t word;

	for (size_t i = 0; i < len; i += sizeof word) {
		word = word_at(place + i);
		memcpy(bytes + i, &word, len - i < sizeof word ? len - i : sizeof word);
	}
}

static void add(struct stream *stream, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		stream->sum = (stream->sum ^ bytes[i]) * UINT64_C(0x100000001b3);
	stream->place += len;
}

static void send_all(int fd, const void *bytes, size_t len)
{
	while (len > 0) {
		const ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

		if (sent <= 0)
			die("send");
		bytes = (const char *)bytes + sent;
		len -= (size_t)sent;
	}
}

/* Receives len bytes, or fewer if the stream ends. Returns the number. */
static size_t receive_all(int fd, void *bytes, size_t len)
{
	size_t done = 0;

	while (done < len) {
		const ssize_t got = recv(fd, (char *)bytes + done, len - done, 0);

		if (got < 0)
			die("recv");
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return done;
}

static void receive_exactly(int fd, void *bytes, size_t len)
{
	errno = 0;
	check(receive_all(fd, bytes, len) == len, "a stream ended early");
}

static void expect_end(int fd)
{
	char byte;

	errno = 0;
	check(receive_all(fd, &byte, 1) == 0, "a stream is longer than expected");
}

/* Sends bytes, shuts down the sending half, and receives the sum of the bytes. */
static void send_stream(int fd, uint64_t count)
{
	uint8_t *bytes = malloc(BLOCK);
	struct stream stream = { 0 };
	uint64_t sum;

	check(bytes, "malloc");
	while (stream.place < count) {
		const size_t len = count - stream.place < BLOCK ? (size_t)(count - stream.place) : BLOCK;

		make_block(stream.place, bytes, len);
		send_all(fd, bytes, len);
		add(&stream, bytes, len);
	}
	free(bytes);
	check(shutdown(fd, SHUT_WR) == 0, "shutdown");
	receive_exactly(fd, &sum, sizeof sum);
	errno = 0;
	check(sum == stream.sum, "the server's sum of the received bytes");
	expect_end(fd);
}

/* Receives the stream, and replies with the sum of its bytes. */
static void receive_stream(int fd, uint64_t count)
{
	uint8_t *bytes = malloc(BLOCK), *expected = malloc(BLOCK);
	struct stream stream = { 0 };
	size_t got;

	check(bytes && expected, "malloc");
	while ((got = receive_all(fd, bytes, BLOCK)) > 0) {
		make_block(stream.place, expected, got);
		errno = 0;
		check(memcmp(bytes, expected, got) == 0, "the bytes that were received");
		add(&stream, bytes, got);
	}
	free(bytes);
	free(expected);
	errno = 0;
	check(stream.place == count, "the number of bytes that were received");
	send_all(fd, &stream.sum, sizeof stream.sum);
}

static void ask(int fd, enum operation operation, uint64_t count)
{
	const struct request request = { (uint64_t)operation, count };

	send_all(fd, &request, sizeof request);
}

/* Server */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool go;

static void await_go(void)
{
	pthread_mutex_lock(&mutex);
	while (!go)
		pthread_cond_wait(&changed, &mutex);
	go = false;
	pthread_mutex_unlock(&mutex);
}

static void say_go(int fd)
{
	pthread_mutex_lock(&mutex);
	go = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
	expect_end(fd);
}

static void echo(int fd, uint64_t count)
{
	uint8_t bytes[64];

	check(count <= sizeof bytes, "echo");
	receive_exactly(fd, bytes, (size_t)count);
	send_all(fd, bytes, (size_t)count);
	expect_end(fd);
}

static void print_message(int fd, uint64_t count)
{
	char text[256] = "";

	check(count < sizeof text, "a message");
	receive_exactly(fd, text, (size_t)count);
	printf("message: %s\n", text);
	fflush(stdout);
	send_all(fd, text, 1);
	expect_end(fd);
}

#define MAX_RECORD 200000u

static void echo_records(int fd)
{
	uint8_t *bytes = malloc(MAX_RECORD);
	ssize_t got;

	check(bytes, "malloc");
	while ((got = recv(fd, bytes, MAX_RECORD, 0)) > 0)
		check(send(fd, bytes, (size_t)got, MSG_NOSIGNAL) == got, "send of a record");
	check(got == 0, "recv of a record");
	free(bytes);
}

static void *serve_one(void *context)
{
	const int fd = (int)(intptr_t)context;
	struct request request = { 0 };

	if (recv(fd, &request, sizeof request, MSG_WAITALL) != sizeof request) {
		close(fd);
		return NULL;
	}
	if (request.operation == STOP)
		await_go();
	if (request.operation == RECEIVE || request.operation == STOP)
		receive_stream(fd, request.count);
	else if (request.operation == SEND)
		send_stream(fd, request.count);
	else if (request.operation == ECHO)
		echo(fd, request.count);
	else if (request.operation == GO)
		say_go(fd);
	else if (request.operation == MESSAGE)
		print_message(fd, request.count);
	else if (request.operation == RECORDS)
		echo_records(fd);
	else
		kill(getpid(), SIGKILL);
	close(fd);
	return NULL;
}

static _Noreturn void serve(struct target *target)
{
	const int fd = socket(target->address.sa.sa_family, target->type | SOCK_CLOEXEC, 0);
	pthread_attr_t attributes;
	pthread_t thread;

	if (target->address.sa.sa_family == AF_VSOCK)
		target->address.vm.svm_cid = VMADDR_CID_ANY;
	else
		unlink(target->address.un.sun_path);
	if (fd < 0 || bind(fd, &target->address.sa, target->len) || listen(fd, BACKLOG))
		die("listen");
	printf("serving\n");
	fflush(stdout);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	for (;;) {
		const int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (client < 0)
			die("accept");
		errno = pthread_create(&thread, &attributes, serve_one, (void *)(intptr_t)client);
		check(errno == 0, "a thread");
	}
}

/* Clients */

static void stream(const struct target *target, uint64_t bytes)
{
	int fd = connect_to(target);

	ask(fd, RECEIVE, bytes);
	send_stream(fd, bytes);
	close(fd);
	fd = connect_to(target);
	ask(fd, SEND, bytes);
	receive_stream(fd, bytes);
	close(fd);
}

/* Sends the number of this connection. The server must send the same number back. */
static void send_number(int fd, uint64_t number)
{
	ask(fd, ECHO, sizeof number);
	send_all(fd, &number, sizeof number);
}

static void expect_number(int fd, uint64_t number)
{
	uint64_t got;

	receive_exactly(fd, &got, sizeof got);
	errno = 0;
	check(got == number, "the bytes of another connection");
}

static void many(const struct target *target, uint64_t count)
{
	int *fds = calloc(count, sizeof *fds);

	check(fds, "malloc");
	for (uint64_t i = 0; i < count; i++)
		fds[i] = connect_to(target);
	for (uint64_t i = 0; i < count; i++)
		send_number(fds[i], i);
	for (uint64_t i = 0; i < count; i++)
		expect_number(fds[i], i);
	for (uint64_t i = 0; i < count; i++)
		close(fds[i]);
	free(fds);
}

static void row(const struct target *target, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		const int fd = connect_to(target);

		send_number(fd, i);
		expect_number(fd, i);
		close(fd);
	}
}

struct stopped {
	const struct target *target;
	int fd;
	bool over;
};

static void *send_to_stopped(void *context)
{
	struct stopped *stopped = context;

	ask(stopped->fd, STOP, STOPPED_BYTES);
	send_stream(stopped->fd, STOPPED_BYTES);
	__atomic_store_n(&stopped->over, true, __ATOMIC_SEQ_CST);
	return NULL;
}

/* The server reads nothing of one stream until it receives GO on another connection. */
static void stopped(const struct target *target)
{
	struct stopped stopped = { .target = target, .fd = connect_to(target) };
	pthread_t thread;
	int fd;

	errno = pthread_create(&thread, NULL, send_to_stopped, &stopped);
	check(errno == 0, "a thread");
	stream(target, 1 << 20);
	sleep(2);
	stream(target, 1 << 20);
	errno = 0;
	check(!__atomic_load_n(&stopped.over, __ATOMIC_SEQ_CST), "a stopped server has read all bytes");
	fd = connect_to(target);
	ask(fd, GO, 0);
	close(fd);
	pthread_join(thread, NULL);
	close(stopped.fd);
}

static void message(const struct target *target, const char *text)
{
	const int fd = connect_to(target);
	char byte;

	ask(fd, MESSAGE, strlen(text));
	send_all(fd, text, strlen(text));
	receive_exactly(fd, &byte, 1);
	close(fd);
}

static void refused(const struct target *target)
{
	errno = 0;
	check(try_to_connect(target) < 0 && errno == ECONNRESET, "a connection that must be refused");
}

/*
 * The client sees the end of the connection to the killed server. Then the client sends until a
 * send fails.
 */
static void kill_server(const struct target *target)
{
	const int fd = connect_to(target);
	char bytes[64] = { 0 };
	ssize_t got;

	ask(fd, DIE, 0);
	got = recv(fd, bytes, sizeof bytes, 0);
	check(got == 0 || (got < 0 && errno == ECONNRESET), "the end of a killed server");
	while (send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) > 0)
		;
	check(errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN, "sending to a killed server");
	close(fd);
}

static const uint32_t record_lens[] = { 1, 2, 100, 4052, 4096, 5000, 65535, 65536, 65537, 150000, 1, 7 };

#define RECORD_COUNT (sizeof record_lens / sizeof *record_lens)

static void *send_records(void *context)
{
	const int fd = *(const int *)context;
	uint8_t *bytes = malloc(MAX_RECORD);

	check(bytes, "malloc");
	for (size_t i = 0; i < RECORD_COUNT; i++) {
		make_block(8 * i, bytes, record_lens[i]);
		check(send(fd, bytes, record_lens[i], MSG_NOSIGNAL) == (ssize_t)record_lens[i], "send of a record");
	}
	check(shutdown(fd, SHUT_WR) == 0, "shutdown");
	free(bytes);
	return NULL;
}

static void records(const struct target *target)
{
	uint8_t *bytes = malloc(MAX_RECORD), *expected = malloc(MAX_RECORD);
	int fd = connect_to(target);
	pthread_t thread;

	check(bytes && expected, "malloc");
	ask(fd, RECORDS, 0);
	errno = pthread_create(&thread, NULL, send_records, &fd);
	check(errno == 0, "a thread");
	for (size_t i = 0; i < RECORD_COUNT; i++) {
		const ssize_t got = recv(fd, bytes, MAX_RECORD, 0);

		if (got < 0)
			die("recv of a record");
		make_block(8 * i, expected, record_lens[i]);
		errno = 0;
		check(got == (ssize_t)record_lens[i] && memcmp(bytes, expected, record_lens[i]) == 0, "a record");
	}
	errno = 0;
	check(recv(fd, bytes, MAX_RECORD, 0) == 0, "the end of the records");
	pthread_join(thread, NULL);
	close(fd);
	free(bytes);
	free(expected);
}

int main(int argc, char **argv)
{
	struct rlimit limit;
	struct target target;
	uint64_t number;

	if (argc < 3) {
		fprintf(stderr, "usage: vsock_io COMMAND ADDRESS [NUMBER]\n");
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	parse(argv[2], &target);
	number = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
	if (strcmp(argv[1], "serve") == 0)
		serve(&target);
	else if (strcmp(argv[1], "stream") == 0)
		stream(&target, number);
	else if (strcmp(argv[1], "many") == 0)
		many(&target, number);
	else if (strcmp(argv[1], "row") == 0)
		row(&target, number);
	else if (strcmp(argv[1], "stopped") == 0)
		stopped(&target);
	else if (strcmp(argv[1], "refused") == 0)
		refused(&target);
	else if (strcmp(argv[1], "kill") == 0)
		kill_server(&target);
	else if (strcmp(argv[1], "message") == 0)
		message(&target, argc > 3 ? argv[3] : "");
	else if (strcmp(argv[1], "records") == 0)
		records(&target);
	else
		return 2;
	return 0;
}
