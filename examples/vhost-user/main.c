/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * virtio-vhost-user: serves virtio devices to virtual machines over vhost-user sockets.
 *
 * One process, any number of devices with a socket each. The main thread has the sockets and the signals; each queue
 * that runs has a thread of its own, and with io_uring one more from its first flush on. This file is the command line;
 * the rest is in server (sockets), session (the protocol), message (what it is made of), vring (rings), worker (their
 * threads), shared_memory (of front ends), blk_device, blk_queue, and uring with its flusher, or no_uring.
 */
#include "blk_device.h"
#include "blk_queue.h"
#include "event_loop.h"
#include "server.h"
#include "shared_memory.h"
#include "worker.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <virtio/bindings/virtio_blk.h>

#define MAX_DEVICES 32

/* clang-format off */
static const char usage[] =
	"usage: virtio-vhost-user [--once] --blk IMAGE,socket=PATH[,OPTION...] [--blk ...]\n"
	"\n"
	"Serves virtio devices to virtual machines over vhost-user sockets, until it gets\n"
	"SIGINT (Ctrl-C) or SIGTERM. Prints `listening on PATH' when a device is ready,\n"
	"and at the end what each device has done. After SIGHUP it looks whether images have\n"
	"another size, and tells the virtual machines.\n"
	"\n"
	"  --blk IMAGE,...  a disk; IMAGE is a file or block device without a comma in its name,\n"
	"                   and locked as long as it is in use\n"
	"      socket=PATH    where to listen; a socket file that nobody uses is replaced\n"
	"      readonly=on    the guest can't write\n"
	"      serial=TEXT    serial number, up to 20 bytes; by default the image's name\n"
	"      queues=N       number of queues, 1 to 16, each with a thread; by default 1\n"
	"      aio=HOW        sync, the default: a queue's requests one after the other;\n"
	"                     io_uring: many at once, and flushes on another thread%s\n"
	"  --once           exit when the first virtual machine has disconnected\n"
	"  --help           print this\n"
	"\n"
	"Virtual machines served by one process share its main thread, which waits for a queue\n"
	"that is to be stopped until the requests in flight are done. A front end whose memory\n"
	"lies on a file system of its own making can make it wait for ever: those that must not\n"
	"hurt each other need a process each.\n";
/* clang-format on */

/* A device and its socket. */
struct entry {
	struct device *device;
	const char *socket;
	struct server server;
	bool listening;
};

struct daemon {
	struct event_loop loop;
	struct event_source signals;
	struct entry entries[MAX_DEVICES];
	unsigned int count;
	bool once;
};

/* Command line */

static int bad_option(const char *option, const char *why)
{
	fprintf(stderr, "%s: %s\nTry --help.\n", option, why);
	return -1;
}

static int parse_number(const char *text, unsigned long max, uint16_t *out)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value < 1 || value > max)
		return -1;
	*out = (uint16_t)value;
	return 0;
}

static int parse_aio(const char *how, bool *io_uring)
{
	*io_uring = strcmp(how, "io_uring") == 0;
	if (!*io_uring && strcmp(how, "sync") != 0)
		return bad_option(how, "aio is sync or io_uring");
	if (*io_uring && !blk_queue_has_uring())
		return bad_option(how, "this program was built without liburing");
	return 0;
}

/* One "name=value" behind the image's name. */
static int parse_blk_option(char *option, struct blk_device_options *blk, const char **socket)
{
	char *value = strchr(option, '=');

	if (!value)
		return bad_option(option, "expected name=value");
	*value++ = '\0';
	if (strcmp(option, "socket") == 0)
		*socket = value;
	else if (strcmp(option, "serial") == 0 && strlen(value) > VIRTIO_BLK_ID_BYTES)
		return bad_option(value, "serial is longer than 20 bytes");
	else if (strcmp(option, "serial") == 0)
		blk->serial = value;
	else if (strcmp(option, "readonly") == 0 && (strcmp(value, "on") == 0 || strcmp(value, "off") == 0))
		blk->read_only = strcmp(value, "on") == 0;
	else if (strcmp(option, "readonly") == 0)
		return bad_option(value, "readonly is on or off");
	else if (strcmp(option, "aio") == 0)
		return parse_aio(value, &blk->io_uring);
	else if (strcmp(option, "queues") == 0)
		return parse_number(value, BLK_DEVICE_MAX_QUEUES, &blk->queue_count)
			       ? bad_option(value, "not a number from 1 to 16")
			       : 0;
	else
		return bad_option(option, "unknown option of --blk");
	return 0;
}

/* Makes a disk of the argument of --blk, which is cut into pieces and stays in use. */
static int add_blk(struct daemon *daemon, char *spec)
{
	struct blk_device_options blk = { .path = spec, .queue_count = 1 };
	struct entry *entry = &daemon->entries[daemon->count];
	const char *slash;
	char *next;

	if (daemon->count == MAX_DEVICES)
		return bad_option("--blk", "too many devices");
	next = strchr(spec, ',');
	while (next) {
		char *option = next + 1;

		*next = '\0';
		next = strchr(option, ',');
		if (next)
			*next = '\0';
		if (parse_blk_option(option, &blk, &entry->socket))
			return -1;
	}
	if (!*blk.path)
		return bad_option("--blk", "no image");
	if (!entry->socket || !*entry->socket)
		return bad_option(blk.path, "no socket=PATH");
	slash = strrchr(blk.path, '/');
	if (!blk.serial)
		blk.serial = slash ? slash + 1 : blk.path;
	entry->device = blk_device_create(&blk);
	if (!entry->device)
		return -1;
	daemon->count++;
	return 0;
}

/* Returns 0 to go on, 1 to exit successfully, -1 after printing what is wrong. */
static int parse_arguments(struct daemon *daemon, int argc, char **argv)
{
	static const struct option options[] = {
		{ "blk", required_argument, NULL, 'b' },
		{ "once", no_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'b':
			if (add_blk(daemon, optarg))
				return -1;
			break;
		case 'o':
			daemon->once = true;
			break;
		case 'h':
			printf(usage, blk_queue_has_uring() ? "" : " (this program was built without it)");
			return 1;
		default:
			fputs("Try --help.\n", stderr);
			return -1;
		}
	}
	if (optind < argc)
		return bad_option(argv[optind], "unexpected argument");
	if (daemon->count == 0)
		return bad_option("virtio-vhost-user", "no device");
	return 0;
}

/* Running */

static void on_signal(struct event_source *source)
{
	struct daemon *daemon = CONTAINER_OF(source, struct daemon, signals);
	struct signalfd_siginfo info;

	if (read(source->fd, &info, sizeof info) != sizeof info)
		return;
	if (info.ssi_signo != SIGHUP)
		daemon->loop.stop = true;
	else
		for (unsigned int i = 0; i < daemon->count; i++)
			server_refresh(&daemon->entries[i].server);
}

/*
 * SIGINT, SIGTERM and SIGHUP become events. Writing to a pipe that nobody reads becomes an error, and so does a guest's
 * write beyond the size that this process may give a file. Threads that are started later inherit this.
 */
static int watch_signals(struct daemon *daemon)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	daemon->signals =
		(struct event_source){ .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .ready = on_signal };
	if (daemon->signals.fd < 0)
		return -1;
	return event_loop_add(&daemon->loop, &daemon->signals, EVENT_WHILE_READABLE);
}

/* Disks have descriptors for each queue, more come with every message, and none of ours goes through select(). */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int listen_all(struct daemon *daemon)
{
	for (unsigned int i = 0; i < daemon->count; i++) {
		struct entry *entry = &daemon->entries[i];

		if (server_open(&entry->server, &daemon->loop, entry->device, entry->socket, daemon->once))
			return -1;
		entry->listening = true;
	}
	for (unsigned int i = 0; i < daemon->count; i++)
		printf("listening on %s\n", daemon->entries[i].socket);
	fflush(stdout);
	return 0;
}

static int run(struct daemon *daemon)
{
	int result = -1;

	if (event_loop_open(&daemon->loop) || watch_signals(daemon) || shared_memory_guard() || worker_init()) {
		perror("virtio-vhost-user");
	} else if (listen_all(daemon) == 0) {
		result = event_loop_run(&daemon->loop);
		if (result)
			perror("virtio-vhost-user");
	}
	for (unsigned int i = 0; i < daemon->count; i++)
		if (daemon->entries[i].listening)
			server_close(&daemon->entries[i].server);
	if (result == 0)
		for (unsigned int i = 0; i < daemon->count; i++)
			daemon->entries[i].device->ops->print_summary(daemon->entries[i].device);
	if (daemon->signals.fd >= 0)
		close(daemon->signals.fd);
	event_loop_close(&daemon->loop);
	return result;
}

int main(int argc, char **argv)
{
	static struct daemon daemon = { .signals.fd = -1, .loop.epoll_fd = -1 };
	int result;

	/* Before there are disks. */
	raise_file_limit();
	result = parse_arguments(&daemon, argc, argv);
	if (result == 0)
		result = run(&daemon);
	for (unsigned int i = 0; i < daemon.count; i++)
		daemon.entries[i].device->ops->destroy(daemon.entries[i].device);
	if (result < 0)
		return EXIT_FAILURE;
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
