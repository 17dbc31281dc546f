/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * virtio-mmio-proxy: serves the registers of two virtio-mmio devices to a guest in QEMU.
 *
 * The program is a small VMM whose guest runs in QEMU. Each register access of the guest arrives as
 * a message. This file handles the command line. The other main files are proxy (messages), machine
 * (devices, memory, interrupts), blk_device and ../virtio-rng/rng.
 */
#include "child.h"
#include "event_loop.h"
#include "log.h"
#include "machine.h"
#include "options.h"
#include "proxy.h"
#include "signals.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* clang-format off */
static const char usage[] =
	"usage: virtio-mmio-proxy --blk IMAGE[,OPTION...] -- COMMAND [ARGUMENT...]\n"
	"       virtio-mmio-proxy --blk IMAGE[,OPTION...] --socket-fd N --irq-fd N\n"
	"\n"
	"Serves a virtio block device on the file IMAGE and a virtio entropy device, with the\n"
	"registers of virtio-mmio, to a guest in QEMU under TCG. Runs COMMAND, which is a QEMU\n"
	"with sockets as its descriptors 3 and 4:\n"
	"\n"
	"  -device x-pci-proxy-dev,fd=3 -chardev socket,id=irq,fd=4\n"
	"  -device pci-serial,chardev=irq,addr=5\n"
	"\n"
	"Without COMMAND the program uses the other ends of such sockets, which its parent process\n"
	"passes on. The guest needs an ACPI table that says where the registers are\n"
	"(tests/guests/mmio.asl), and must run `cat /dev/ttyS1' all the time. QEMU needs -M pc and\n"
	"memory that is shared (memory-backend-memfd).\n"
	"\n"
	"On SIGHUP the program reads the size of IMAGE again, and tells the guest. The program\n"
	"ends when QEMU ends.\n"
	"\n"
	"  --blk IMAGE    a file or block device without a comma in its name, locked as long as it\n"
	"                 is in use\n";

static const char usage_tail[] =
	"  --socket-fd N  descriptor of the socket to x-pci-proxy-dev\n"
	"  --irq-fd N     descriptor of the socket to the pci-serial device\n"
	"  --help         print this\n";
/* clang-format on */

struct program {
	struct event_loop loop;
	struct signals signals;
	struct machine machine;
	struct proxy proxy;
	struct disk_options disk; /* path is NULL without --blk */
	char **command;           /* NULL if descriptors are given instead */
	int socket_fd;
	int irq_fd;
};

/* Command line */

static int parse_fd(const char *option, const char *text, int *fd)
{
	uint64_t value;

	if (option_number(text, 0, 1023, &value))
		return option_error(option, "not a file descriptor");
	*fd = (int)value;
	return 0;
}

static int take_blk_option(void *context, const char *name, char *value)
{
	const int taken = disk_option(context, name, value);

	if (taken == 0)
		return option_error(name, "unknown option of --blk");
	return taken < 0 ? -1 : 0;
}

static int parse_blk(struct disk_options *disk, char *spec)
{
	*disk = (struct disk_options){ .path = spec };
	return options_parse(spec, take_blk_option, disk);
}

static int check_arguments(const struct program *program)
{
	const bool has_fds = program->socket_fd >= 0 && program->irq_fd >= 0;

	if (!program->disk.path)
		return option_error("virtio-mmio-proxy", "no --blk");
	if (program->command && (program->socket_fd >= 0 || program->irq_fd >= 0))
		return option_error(program->command[0], "give a command or descriptors, not both");
	if (!program->command && !has_fds)
		return option_error("virtio-mmio-proxy", "needs a command, or --socket-fd and --irq-fd");
	if (program->socket_fd >= 0 && program->socket_fd == program->irq_fd)
		return option_error("--irq-fd", "the same descriptor twice");
	return 0;
}

/* Returns 0 to continue, 1 to exit successfully, -1 after printing what is wrong. */
static int parse_arguments(struct program *program, int argc, char **argv)
{
	static const struct option options[] = {
		{ "blk", required_argument, NULL, 'b' },
		{ "socket-fd", required_argument, NULL, 's' },
		{ "irq-fd", required_argument, NULL, 'i' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option, error = 0;

	/*
	 * "+" ends the parsing at the first word that is not an option. This word is the command,
	 * and the options after it are the command's own.
	 */
	while (!error && (option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (option) {
		case 'b':
			error = parse_blk(&program->disk, optarg);
			break;
		case 's':
			error = parse_fd("--socket-fd", optarg, &program->socket_fd);
			break;
		case 'i':
			error = parse_fd("--irq-fd", optarg, &program->irq_fd);
			break;
		case 'h':
			fputs(usage, stdout);
			disk_print_help();
			fputs(usage_tail, stdout);
			return 1;
		default:
			fputs("Try --help.\n", stderr);
			return -1;
		}
	}
	if (optind < argc)
		program->command = argv + optind;
	return error ? error : check_arguments(program);
}

/* Running */

static void on_hang_up(struct signals *signals)
{
	struct program *program = CONTAINER_OF(signals, struct program, signals);

	if (blk_resize(&program->machine.blk))
		log_line("%s: not resized: a disk can't have the new size", program->disk.path);
}

/*
 * Runs until the connection to QEMU ends, or SIGINT, SIGQUIT or SIGTERM arrives. Returns 0, or -1
 * after printing what is wrong.
 */
static int serve(struct program *program)
{
	int result = -1;

	if (irq_line_open(&program->machine.irq, &program->loop, program->irq_fd) ||
	    proxy_open(&program->proxy, &program->loop, program->socket_fd, &program->machine)) {
		perror("virtio-mmio-proxy");
		return -1;
	}
	printf("process %ld serves %s\n", (long)getpid(), program->disk.path);
	fflush(stdout);
	result = event_loop_run(&program->loop);
	if (result)
		perror("virtio-mmio-proxy");
	machine_print(&program->machine);
	printf("registers at 0x%08lx\n", (unsigned long)pci_function_address(&program->proxy.pci));
	if (program->proxy.failed)
		result = -1;
	proxy_close(&program->proxy);
	return result;
}

static int run_command(struct program *program)
{
	const pid_t child = child_start(program->command, &program->signals.set, &program->socket_fd, &program->irq_fd);
	int result;

	if (child < 0) {
		perror("virtio-mmio-proxy");
		return -1;
	}
	result = serve(program);
	/* This ends QEMU if it still runs. */
	if (!child_finish(child, true)) {
		fprintf(stderr, "%s: did not end successfully\n", program->command[0]);
		return -1;
	}
	return result;
}

static int run(struct program *program)
{
	int result = -1;

	if (event_loop_open(&program->loop) || signals_open(&program->signals, &program->loop, on_hang_up, NULL)) {
		perror("virtio-mmio-proxy");
	} else if (machine_open(&program->machine, &program->loop, &program->disk) == 0) {
		result = program->command ? run_command(program) : serve(program);
		machine_close(&program->machine);
	}
	signals_close(&program->signals);
	event_loop_close(&program->loop);
	return result;
}

int main(int argc, char **argv)
{
	static struct program program = { .loop.epoll_fd = -1, .signals.source.fd = -1, .socket_fd = -1, .irq_fd = -1 };
	int result = parse_arguments(&program, argc, argv);

	if (result == 0)
		result = run(&program);
	if (result < 0)
		return EXIT_FAILURE;
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
