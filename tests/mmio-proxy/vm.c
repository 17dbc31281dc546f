/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Starting and ending the program, and QEMU's messages. */
#include "vm.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_FDS 32

static const char *program;

void vm_find_program(int argc, char **argv)
{
	program = argc > 1 ? argv[1] : getenv("VIRTIO_MMIO_PROXY");
	if (!program) {
		fprintf(stderr, "usage: %s PROGRAM\n", argv[0]);
		exit(2);
	}
	signal(SIGPIPE, SIG_IGN);
	if (!watchdog_start(NULL, NULL))
		exit(2);
}

const char *vm_program(void)
{
	return program;
}

/* Life cycle */

static void make_folder(struct vm *vm)
{
	int image;

	strcpy(vm->folder, "/tmp/mmio-proxy-test-XXXXXX");
	assert_non_null(mkdtemp(vm->folder));
	snprintf(vm->image, sizeof vm->image, "%s/disk.img", vm->folder);
	snprintf(vm->errors, sizeof vm->errors, "%s/errors", vm->folder);
	image = open(vm->image, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(image >= 0);
	assert_int_equal(ftruncate(image, (off_t)IMAGE_BYTES), 0);
	close(image);
}

static void make_memory(struct vm *vm)
{
	vm->memory_fd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_true(vm->memory_fd >= 0);
	assert_int_equal(ftruncate(vm->memory_fd, (off_t)GUEST_BYTES), 0);
	vm->memory = mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, vm->memory_fd, 0);
	assert_ptr_not_equal(vm->memory, MAP_FAILED);
	vm->region = (struct virtio_region){ .addr = GUEST_ADDR, .len = GUEST_BYTES, .host = vm->memory };
	assert_int_equal(virtio_memory_map_init(&vm->map, &vm->region, 1), 0);
}

static void run_child(const struct vm *vm, const char *options, int socket, int irq, int out, pid_t parent)
{
	const int errors = open(vm->errors, O_WRONLY | O_CREAT | O_APPEND, 0600);
	char socket_fd[16], irq_fd[16], disk[256];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	/* Restores the defaults, because the program itself must ignore these signals. */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	snprintf(socket_fd, sizeof socket_fd, "%d", socket);
	snprintf(irq_fd, sizeof irq_fd, "%d", irq);
	snprintf(disk, sizeof disk, "%s%s", vm->image, options);
	if (dup2(out, STDOUT_FILENO) >= 0 && dup2(errors, STDERR_FILENO) >= 0 && fcntl(socket, F_SETFD, 0) == 0 &&
	    fcntl(irq, F_SETFD, 0) == 0) {
		close(errors);
		execl(program, program, "--blk", disk, "--socket-fd", socket_fd, "--irq-fd", irq_fd, (char *)NULL);
	}
	_exit(127);
}

void vm_start(struct vm *vm)
{
	vm_start_with(vm, "");
}

void vm_start_with(struct vm *vm, const char *options)
{
	const pid_t parent = getpid();
	int proxy[2], irq[2], out[2];

	memset(vm, 0, sizeof *vm);
	make_folder(vm);
	make_memory(vm);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, proxy), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, irq), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	vm->pid = fork();
	assert_true(vm->pid >= 0);
	if (vm->pid == 0)
		run_child(vm, options, proxy[1], irq[1], out[1], parent);
	close(proxy[1]);
	close(irq[1]);
	close(out[1]);
	vm->socket = proxy[0];
	vm->irq = irq[0];
	vm->out = out[0];
}

void vm_boot(struct vm *vm)
{
	vm_boot_with(vm, "");
}

void vm_boot_with(struct vm *vm, const char *options)
{
	const struct proxy_memory table = vm_table();

	vm_start_with(vm, options);
	assert_int_equal(vm_ask(vm, PROXY_RESET, NULL, 0), 0);
	vm_send_table(vm, &table, vm->memory_fd, 1);
	vm_config_write(vm, 0x10, 4, REGISTERS);
	vm_config_write(vm, 0x04, 2, 2);
}

int vm_end(struct vm *vm)
{
	int status;

	if (vm->socket >= 0)
		close(vm->socket);
	assert_int_equal(waitpid(vm->pid, &status, 0), vm->pid);
	watchdog_step();
	assert_true(WIFEXITED(status));
	close(vm->irq);
	close(vm->out);
	munmap(vm->memory, GUEST_BYTES);
	close(vm->memory_fd);
	unlink(vm->image);
	unlink(vm->errors);
	assert_int_equal(rmdir(vm->folder), 0);
	return WEXITSTATUS(status);
}

void vm_finish(struct vm *vm)
{
	assert_int_equal(vm_end(vm), 0);
}

void vm_expect_refusal(struct vm *vm)
{
	char bytes[256], line[6] = "";
	struct stat st;
	ssize_t got;
	int errors;

	while ((got = recv(vm->socket, bytes, sizeof bytes, 0)) > 0)
		;
	/* ECONNRESET: the program ended without reading everything. */
	assert_true(got == 0 || errno == ECONNRESET);
	/* The program's message is one line of fewer than 120 bytes. A sanitizer prints more. */
	errors = open(vm->errors, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(errors, line, sizeof line - 1), sizeof line - 1);
	assert_string_equal(line, "QEMU:");
	assert_int_equal(fstat(errors, &st), 0);
	assert_true(st.st_size < 120);
	close(errors);
	assert_int_equal(vm_end(vm), 1);
}

unsigned int vm_open_files(const struct vm *vm)
{
	char path[64];
	unsigned int count = 0;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)vm->pid);
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

unsigned int vm_mappings(const struct vm *vm)
{
	char path[64];
	unsigned int lines = 0;
	FILE *maps;
	int c;

	snprintf(path, sizeof path, "/proc/%d/maps", (int)vm->pid);
	maps = fopen(path, "r");
	assert_non_null(maps);
	while ((c = getc(maps)) != EOF)
		lines += c == '\n';
	fclose(maps);
	return lines;
}

/* Messages */

void vm_send_raw(const struct vm *vm, const void *bytes, size_t len, const int *fds, unsigned int fd_count)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(MAX_FDS * sizeof(int))];
	} control;
	char copy[1024];
	struct iovec iov = { .iov_base = copy, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	assert_true(len <= sizeof copy && fd_count <= MAX_FDS);
	memcpy(copy, bytes, len);
	if (fd_count) {
		struct cmsghdr *c = &control.align;

		memset(&control, 0, sizeof control);
		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, fd_count * sizeof(int));
	}
	(void)!sendmsg(vm->socket, &msg, MSG_NOSIGNAL);
	watchdog_step();
}

void vm_send(const struct vm *vm, int32_t command, uint64_t size, const void *payload, size_t len, const int *fds,
	     unsigned int fd_count)
{
	const struct proxy_header header = { .command = command, .unused = 0xdeadbeef, .size = size };
	char bytes[1024];

	assert_true(sizeof header + len <= sizeof bytes);
	memcpy(bytes, &header, sizeof header);
	if (len)
		memcpy(bytes + sizeof header, payload, len);
	vm_send_raw(vm, bytes, sizeof header + len, fds, fd_count);
}

static uint64_t receive_reply(const struct vm *vm)
{
	struct {
		struct proxy_header header;
		uint64_t value;
	} reply;

	assert_int_equal(recv(vm->socket, &reply, sizeof reply, MSG_WAITALL), sizeof reply);
	assert_int_equal(reply.header.command, PROXY_REPLY);
	assert_int_equal(reply.header.size, sizeof reply.value);
	watchdog_step();
	return reply.value;
}

uint64_t vm_ask(const struct vm *vm, int32_t command, const void *payload, size_t len)
{
	vm_send(vm, command, len, payload, len, NULL, 0);
	return receive_reply(vm);
}

struct proxy_memory vm_table(void)
{
	return (struct proxy_memory){ .addr = { GUEST_ADDR }, .size = { GUEST_BYTES } };
}

void vm_send_table(const struct vm *vm, const struct proxy_memory *table, int fd, unsigned int count)
{
	int fds[MAX_FDS];

	for (unsigned int i = 0; i < count; i++)
		fds[i] = fd;
	vm_send(vm, PROXY_SET_MEMORY, sizeof *table, table, sizeof *table, fds, count);
}

uint32_t vm_config_read(const struct vm *vm, uint32_t addr, int32_t len)
{
	const struct proxy_config_access access = { .addr = addr, .len = len };

	return (uint32_t)vm_ask(vm, PROXY_CONFIG_READ, &access, sizeof access);
}

void vm_config_write(const struct vm *vm, uint32_t addr, int32_t len, uint32_t value)
{
	const struct proxy_config_access access = { .addr = addr, .value = value, .len = len };

	assert_int_equal(vm_ask(vm, PROXY_CONFIG_WRITE, &access, sizeof access), 0);
}

uint64_t vm_bar_read(const struct vm *vm, uint64_t addr, uint32_t size, bool is_memory)
{
	const struct proxy_bar_access access = { .addr = addr, .size = size, .is_memory = is_memory };

	return vm_ask(vm, PROXY_BAR_READ, &access, sizeof access);
}

void vm_bar_write(const struct vm *vm, uint64_t addr, uint32_t size, bool is_memory, uint64_t value)
{
	const struct proxy_bar_access access = { .addr = addr, .value = value, .size = size, .is_memory = is_memory };

	assert_int_equal(vm_ask(vm, PROXY_BAR_WRITE, &access, sizeof access), 0);
}
