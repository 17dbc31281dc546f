/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * virtio-vhost-user: serves virtio devices to virtual machines over vhost-user sockets.
 *
 * One process serves up to MAX_DEVICES devices, each with its own socket. The main thread (the
 * control thread) handles the sockets and the signals. Each running queue has its own thread, or
 * one thread serves all queues of a device. This file contains the command line. The other files:
 *   endpoint        how front ends reach a device
 *   server          accepts or makes connections, with unix_listener
 *   update          continues in a new program, with session_state, handover (of descriptors) and
 *                   state_file
 *   restart         saves the state at the end; a later process continues from the state
 *   session         one front end, with requests (the protocol) and message (its messages)
 *   vring           rings, with vring_fds (their descriptors) and worker (their threads)
 *   shared_memory   the memory of front ends
 *   device_host     the daemon's own state of a device; device.h says what a device is, and how to
 *                   add a type
 *   NAME_device     the types of devices
 *   console_link    the host's ends of console ports, with console_pty, console_socket,
 *                   console_file, console_tty and console_output. console_control and
 *                   console_commands carry out the operator's commands. console_options parses
 *                   the argument of --console. console_state saves and restores a console
 *   vsock_device    sockets; vsock_device.h lists the parts
 *   blk_queue       serves block requests one after the other. uring with its flusher serves many
 *                   at once; no_uring replaces these two where liburing is missing
 */
#include "device.h"
#include "endpoint.h"
#include "event_loop.h"
#include "handover.h"
#include "options.h"
#include "restart.h"
#include "server.h"
#include "shared_memory.h"
#include "signals.h"
#include "update.h"
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MAX_DEVICES 32

static const struct device_type *const types[] = {
	&blk_device_type,
	&console_device_type,
	&rng_device_type,
	&vsock_device_type,
};

#define TYPES (sizeof types / sizeof *types)

/* clang-format off */
static const char help_head[] =
	"\n"
	"Serves virtio devices to virtual machines over vhost-user sockets, until it gets\n"
	"SIGINT (Ctrl-C), SIGQUIT or SIGTERM. Prints `listening on PATH' when a device is\n"
	"ready, and at the end a line of statistics for each device. After SIGHUP it checks\n"
	"whether the sizes of images have changed, and tells the virtual machines.\n"
	"\n";

static const char help_tail[] =
	"  --state PATH     on SIGUSR1 write the state to this file. Then execute the file of\n"
	"                   this program again, with the same arguments. The file may have a new\n"
	"                   program. Guests notice only a pause. The new program prints\n"
	"                   `continuing on' and the socket of each device. If the update fails,\n"
	"                   the old program goes on and says why. The state is also written at\n"
	"                   the end, for --restore.\n"
	"  --restore PATH   begin with the state in this file. Give the devices the options\n"
	"                   with which the file was written. Front ends connect anew. The file\n"
	"                   is renamed to PATH.used, because it can't be used twice\n"
	"  --once           exit when the first virtual machine has disconnected\n"
	"  --help           print this\n"
	"\n"
	"What you see                            Why, and what to do\n"
	"  a guest that waits for its disk         it sees a legacy device (use disable-legacy=on\n"
	"                                          of QEMU), or its memory isn't shared (use\n"
	"                                          share=on of QEMU). A message names the cause\n"
	"  a second front end is refused           a device has one guest at a time: end the other\n"
	"                                          front end, or give it its own device\n"
	"  `no queue N'                            QEMU wants a queue for each processor of the\n"
	"                                          guest: use queues=N, or num-queues=N of QEMU\n"
	"  a ring is smaller than requests         set seg-max= to the ring's size minus 2\n"
	"  an image isn't whole blocks             the rest of the last block reads as zeros;\n"
	"                                          truncate -s %512 IMAGE makes it whole\n"
	"  a request was refused                   the driver made a mistake, which the message\n"
	"                                          names. If the request is too long, raise\n"
	"                                          max-request-bytes=\n"
	"  FreeBSD doesn't attach                  size-max= is below 1 MiB: leave it out\n"
	"  no io_uring                             the system forbids it; requests are served one\n"
	"                                          after the other, as without aio=io_uring\n"
	"  `in use by another process'             another program has the image open\n"
	"\n"
	"The virtual machines of one process share its main thread. To stop a queue, this thread\n"
	"waits until the requests in flight are done. A front end can make the thread wait for\n"
	"ever if the memory lies on a file system that the front end serves. Run one process\n"
	"for each virtual machine that must not hurt others.\n";
/* clang-format on */

/* A device and its socket. */
struct entry {
	struct device *device;
	struct endpoint endpoint;
	struct server server;
	bool listening;
};

struct daemon {
	struct event_loop loop;
	struct signals signals;
	struct entry entries[MAX_DEVICES];
	unsigned int count;
	struct update update;
	const char *restore_path; /* NULL without --restore */
	bool once;
};

/* Command line */

static void print_help(void)
{
	for (size_t i = 0; i < TYPES; i++)
		printf("%s virtio-vhost-user [--once] --%s %s [--%s ...]\n", i ? "      " : "usage:", types[i]->option,
		       types[i]->synopsis, types[i]->option);
	fputs(help_head, stdout);
	endpoint_print_help();
	for (size_t i = 0; i < TYPES; i++)
		types[i]->print_help();
	fputs(help_tail, stdout);
}

static int add_device(struct daemon *daemon, const struct device_type *type, char *spec)
{
	struct entry *entry = &daemon->entries[daemon->count];

	if (daemon->count == MAX_DEVICES)
		return option_error(type->option, "too many devices");
	if (endpoint_take(spec, type->own_access, &entry->endpoint) == 0)
		entry->device = type->create(entry->endpoint.spec, &entry->endpoint.path);
	if (!entry->device) {
		endpoint_free(&entry->endpoint);
		return -1;
	}
	daemon->count++;
	return 0;
}

/*
 * Values for getopt_long(). The device types have the numbers from 0 on, and these options follow.
 */
enum {
	OPTION_ONCE = TYPES,
	OPTION_STATE,
	OPTION_RESTORE,
	OPTION_HELP,
	OPTIONS,
};

static void list_options(struct option options[OPTIONS + 1])
{
	for (int i = 0; i < (int)TYPES; i++)
		options[i] = (struct option){ types[i]->option, required_argument, NULL, i };
	options[OPTION_ONCE] = (struct option){ "once", no_argument, NULL, OPTION_ONCE };
	options[OPTION_STATE] = (struct option){ "state", required_argument, NULL, OPTION_STATE };
	options[OPTION_RESTORE] = (struct option){ "restore", required_argument, NULL, OPTION_RESTORE };
	options[OPTION_HELP] = (struct option){ "help", no_argument, NULL, OPTION_HELP };
	options[OPTIONS] = (struct option){ NULL, 0, NULL, 0 };
}

/* Returns 0 to continue, 1 to exit successfully, -1 after printing what is wrong. */
static int parse_arguments(struct daemon *daemon, int argc, char **argv)
{
	struct option options[OPTIONS + 1];
	int option;

	list_options(options);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == OPTION_ONCE) {
			daemon->once = true;
		} else if (option == OPTION_STATE) {
			daemon->update.state_path = optarg;
		} else if (option == OPTION_RESTORE) {
			daemon->restore_path = optarg;
		} else if (option == OPTION_HELP) {
			print_help();
			return 1;
		} else if (option >= 0 && option < (int)TYPES) {
			if (add_device(daemon, types[option], optarg))
				return -1;
		} else {
			fputs("Try --help.\n", stderr);
			return -1;
		}
	}
	if (optind < argc)
		return option_error(argv[optind], "unexpected argument");
	if (daemon->count == 0)
		return option_error("virtio-vhost-user", "no device");
	return 0;
}

/* Running */

static void on_hang_up(struct signals *signals)
{
	struct daemon *daemon = CONTAINER_OF(signals, struct daemon, signals);

	for (unsigned int i = 0; i < daemon->count; i++)
		server_refresh(&daemon->entries[i].server);
}

static void list_entries(struct daemon *daemon, struct update_entry entries[MAX_DEVICES])
{
	for (unsigned int i = 0; i < daemon->count; i++) {
		struct entry *entry = &daemon->entries[i];

		entries[i] = (struct update_entry){ &entry->server, entry->device, &entry->endpoint };
	}
}

static void on_update(struct signals *signals)
{
	struct daemon *daemon = CONTAINER_OF(signals, struct daemon, signals);
	struct update_entry entries[MAX_DEVICES];

	list_entries(daemon, entries);
	update_run(&daemon->update, entries, daemon->count);
}

/*
 * Each queue of a disk has descriptors, and every message can bring more. The daemon does not use
 * select(), so high numbers are no problem.
 */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int open_all(struct daemon *daemon)
{
	for (unsigned int i = 0; i < daemon->count; i++) {
		struct entry *entry = &daemon->entries[i];

		if (server_open(&entry->server, &daemon->loop, entry->device, &entry->endpoint, daemon->once))
			return -1;
		entry->listening = true;
	}
	return 0;
}

static int restore_all(struct daemon *daemon)
{
	struct update_entry entries[MAX_DEVICES];

	list_entries(daemon, entries);
	if (restart_open(daemon->restore_path, &daemon->loop, entries, daemon->count, daemon->once))
		return -1;
	for (unsigned int i = 0; i < daemon->count; i++)
		daemon->entries[i].listening = true;
	return 0;
}

static int listen_all(struct daemon *daemon)
{
	if (daemon->restore_path ? restore_all(daemon) : open_all(daemon))
		return -1;
	for (unsigned int i = 0; i < daemon->count; i++)
		printf("%s %s\n", daemon->entries[i].endpoint.client ? "connecting to" : "listening on",
		       daemon->entries[i].endpoint.path);
	fflush(stdout);
	return 0;
}

static void take_over(struct daemon *daemon)
{
	struct update_entry entries[MAX_DEVICES];

	list_entries(daemon, entries);
	update_take_over(&daemon->loop, entries, daemon->count, daemon->once);
	for (unsigned int i = 0; i < daemon->count; i++) {
		daemon->entries[i].listening = true;
		printf("continuing on %s\n", daemon->entries[i].endpoint.path);
	}
	fflush(stdout);
}

/*
 * Begins to listen or to connect, or takes over the servers of the old program. After an update
 * --restore is ignored, because the arguments are still the arguments of the first start.
 */
static int begin(struct daemon *daemon)
{
	if (inherited.count == 0)
		return listen_all(daemon);
	take_over(daemon);
	return 0;
}

/* Returns 0, or -1 if the state could not be saved. */
static int save(struct daemon *daemon)
{
	struct update_entry entries[MAX_DEVICES];

	if (!daemon->update.state_path)
		return 0;
	list_entries(daemon, entries);
	return restart_save(daemon->update.state_path, entries, daemon->count);
}

static void print_summaries(const struct daemon *daemon)
{
	for (unsigned int i = 0; i < daemon->count; i++)
		daemon->entries[i].device->ops->print_summary(daemon->entries[i].device);
}

static int run(struct daemon *daemon)
{
	int result = -1, saved = 0;

	if (event_loop_open(&daemon->loop) || signals_open(&daemon->signals, &daemon->loop, on_hang_up, on_update) ||
	    shared_memory_guard() || worker_init()) {
		perror("virtio-vhost-user");
	} else if (begin(daemon) == 0) {
		result = event_loop_run(&daemon->loop);
		if (result)
			perror("virtio-vhost-user");
		else
			saved = save(daemon);
	}
	for (unsigned int i = 0; i < daemon->count; i++)
		if (daemon->entries[i].listening)
			server_close(&daemon->entries[i].server);
	if (result == 0)
		print_summaries(daemon);
	signals_close(&daemon->signals);
	event_loop_close(&daemon->loop);
	return result ? result : saved;
}

/*
 * Opens /dev/null for each standard stream that is closed. Otherwise a disk could get the number of
 * stderr, and messages would overwrite the disk.
 */
static int open_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	static struct daemon daemon = { .signals.source.fd = -1, .loop.epoll_fd = -1 };
	int result;

	if (open_streams())
		return EXIT_FAILURE;
	/* Raise the limit before disks are opened. */
	raise_file_limit();
	if (update_init(&daemon.update, argv)) {
		fputs("the program's path or its arguments can't be recorded\n", stderr);
		return EXIT_FAILURE;
	}
	if (handover_receive(&inherited) < 0)
		return EXIT_FAILURE;
	result = parse_arguments(&daemon, argc, argv);
	if (result && inherited.count > 0) {
		fputs("the old program goes on\n", stderr);
		handover_return(&inherited);
	}
	if (result == 0)
		result = run(&daemon);
	for (unsigned int i = 0; i < daemon.count; i++) {
		daemon.entries[i].device->ops->destroy(daemon.entries[i].device);
		endpoint_free(&daemon.entries[i].endpoint);
	}
	update_free(&daemon.update);
	if (result < 0)
		return EXIT_FAILURE;
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
