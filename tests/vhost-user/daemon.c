/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Starts and ends the daemon under test. */
#include "daemon.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SKIPPED 77

static const char *program;
static const char *aio = ""; /* "" or ",aio=io_uring" */

/*
 * Skips the test if this system does not permit io_uring. If only the daemon lacks io_uring, skips
 * the test, or fails with VIRTIO_REQUIRE_GUESTS set. Makes the system call itself, because this
 * program is not linked to liburing.
 */
static void need_io_uring(void)
{
	struct io_uring_params params = { 0 };
	char command[512], line[256];
	const long fd = syscall(SYS_io_uring_setup, 1, &params);
	FILE *help;

	if (fd < 0) {
		printf("io_uring is not possible here: %s\n", strerror(errno));
		exit(SKIPPED);
	}
	close((int)fd);
	snprintf(command, sizeof command, "'%s' --help", program);
	help = popen(command, "r");
	if (!help)
		exit(2);
	while (fgets(line, sizeof line, help)) {
		if (strstr(line, "was built without it")) {
			printf("the system has io_uring, and the daemon was built without it\n");
			exit(getenv("VIRTIO_REQUIRE_GUESTS") ? EXIT_FAILURE : SKIPPED);
		}
	}
	if (pclose(help) != 0)
		exit(2);
}

void daemon_find(int argc, char **argv)
{
	program = argc > 1 ? argv[1] : getenv("VIRTIO_VHOST_USER");
	if (!program) {
		fprintf(stderr, "usage: %s DAEMON [io_uring]\n", argv[0]);
		exit(2);
	}
	if (argc > 2 && strcmp(argv[2], "io_uring") == 0) {
		need_io_uring();
		aio = ",aio=io_uring";
	}
	signal(SIGPIPE, SIG_IGN);
	if (!watchdog_start(NULL, NULL))
		exit(2);
}

static void make_image(const char *path)
{
	FILE *image = fopen(path, "w");

	assert_non_null(image);
	assert_int_equal(ftruncate(fileno(image), IMAGE_BYTES), 0);
	fclose(image);
}

void daemon_folder(struct daemon_process *daemon)
{
	memset(daemon, 0, sizeof *daemon);
	strcpy(daemon->folder, "/tmp/vhost-user-test-XXXXXX");
	assert_non_null(mkdtemp(daemon->folder));
	snprintf(daemon->image, sizeof daemon->image, "%s/disk.img", daemon->folder);
	snprintf(daemon->socket, sizeof daemon->socket, "%s/socket", daemon->folder);
	snprintf(daemon->other, sizeof daemon->other, "%s/other", daemon->folder);
	snprintf(daemon->errors, sizeof daemon->errors, "%s/errors", daemon->folder);
	snprintf(daemon->second, sizeof daemon->second, "%s/second.img", daemon->folder);
	make_image(daemon->image);
}

static void run_child(const struct daemon_process *daemon, const char *path, const char *const *arguments, int out,
		      pid_t parent)
{
	int errors = open(daemon->errors, O_WRONLY | O_CREAT | O_APPEND, 0600);
	const char *argv[32] = { path };
	char *copy[32];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	/*
	 * The test program ignores SIGPIPE. Restore the defaults, because the daemon itself must
	 * ignore SIGPIPE and SIGXFSZ.
	 */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	for (int i = 0; i < 30 && arguments[i]; i++)
		argv[i + 1] = arguments[i];
	memcpy(copy, argv, sizeof copy);
	if (daemon->pass_fd && (dup2(daemon->pass_fd, 3) != 3 || fcntl(3, F_SETFD, 0)))
		_exit(127);
	if (daemon->listen_fds) {
		char pid[16];

		snprintf(pid, sizeof pid, "%d", getpid());
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", "1", 1);
	}
	if (dup2(out, STDOUT_FILENO) >= 0 && dup2(errors, STDERR_FILENO) >= 0) {
		close(out);
		close(errors);
		execv(path, copy);
	}
	_exit(127);
}

void daemon_run(struct daemon_process *daemon, const char *const *arguments)
{
	daemon_run_program(daemon, program, arguments);
}

const char *daemon_program(void)
{
	return program;
}

const char *daemon_aio(void)
{
	return aio;
}

void daemon_run_program(struct daemon_process *daemon, const char *path, const char *const *arguments)
{
	const pid_t parent = getpid();
	int out[2];

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	daemon->pid = fork();
	assert_true(daemon->pid >= 0);
	if (daemon->pid == 0)
		run_child(daemon, path, arguments, out[1], parent);
	close(out[1]);
	daemon->out = fdopen(out[0], "r");
	assert_non_null(daemon->out);
	/* Without a buffer, all unread bytes are still in the pipe, where poll() sees them. */
	setvbuf(daemon->out, NULL, _IONBF, 0);
}

void daemon_start(struct daemon_process *daemon, const char *options)
{
	daemon_folder(daemon);
	daemon_start_again(daemon, options);
}

void daemon_start_two(struct daemon_process *daemon)
{
	daemon_folder(daemon);
	daemon_start_two_again(daemon);
}

/*
 * Fails if the test needs io_uring and the daemon does not use it. Otherwise the test would pass
 * without testing io_uring.
 */
static void check_io_uring(const struct daemon_process *daemon)
{
	char text[1024];

	daemon_errors(daemon, text, sizeof text);
	assert_null(strstr(text, "no io_uring"));
}

void daemon_copy_program(const char *to)
{
	char command[512];

	snprintf(command, sizeof command, "cp '%s' '%s'", program, to);
	assert_int_equal(system(command), 0);
}

void daemon_write_script(const char *path, const char *text)
{
	FILE *file;

	unlink(path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fchmod(fileno(file), 0755), 0);
	fclose(file);
}

/* Returns how often the daemon has given up an update because its devices were busy. */
static unsigned int count_patience(const struct daemon_process *daemon)
{
	static char text[65536];
	const char *at = text;
	unsigned int count = 0;

	daemon_errors(daemon, text, sizeof text);
	while ((at = strstr(at, "requests in flight don't end"))) {
		count++;
		at++;
	}
	return count;
}

void daemon_update(struct daemon_process *daemon)
{
	struct pollfd out = { .fd = fileno(daemon->out), .events = POLLIN };
	unsigned int given_up = count_patience(daemon);
	char line[256];

	snprintf(line, sizeof line, "continuing on %s", daemon->socket);
	assert_int_equal(kill(daemon->pid, SIGUSR1), 0);
	while (poll(&out, 1, 100) == 0) {
		if (count_patience(daemon) == given_up)
			continue;
		given_up++;
		assert_int_equal(kill(daemon->pid, SIGUSR1), 0);
	}
	assert_true(daemon_says(daemon, line));
}

void daemon_end(struct daemon_process *daemon, enum daemon_end how)
{
	if (how == DAEMON_ENDS) {
		assert_int_equal(daemon_stop(daemon, SIGTERM), 0);
		return;
	}
	daemon_update(daemon);
	assert_int_equal(kill(daemon->pid, SIGKILL), 0);
	assert_int_equal(waitpid(daemon->pid, NULL, 0), daemon->pid);
	fclose(daemon->out);
}

void daemon_await_error(const struct daemon_process *daemon, const char *expected)
{
	char text[4096];

	do {
		usleep(1000);
		daemon_errors(daemon, text, sizeof text);
	} while (!strstr(text, expected));
	watchdog_step();
}

void daemon_expect_listening(struct daemon_process *daemon)
{
	char line[128];

	snprintf(line, sizeof line, "listening on %s", daemon->socket);
	assert_true(daemon_says(daemon, line));
	check_io_uring(daemon);
}

void daemon_start_again(struct daemon_process *daemon, const char *options)
{
	char disk[256];
	const char *const arguments[] = { "--blk", disk, NULL };

	snprintf(disk, sizeof disk, "%s,socket=%s%s%s", daemon->image, daemon->socket, aio, options);
	daemon_run(daemon, arguments);
	daemon_expect_listening(daemon);
}

void daemon_start_two_again(struct daemon_process *daemon)
{
	char first[256], second[256], line[128];
	const char *const arguments[] = { "--blk", first, "--blk", second, NULL };

	make_image(daemon->second);
	snprintf(first, sizeof first, "%s,socket=%s%s", daemon->image, daemon->socket, aio);
	snprintf(second, sizeof second, "%s,socket=%s%s", daemon->second, daemon->other, aio);
	daemon_run(daemon, arguments);
	snprintf(line, sizeof line, "listening on %s", daemon->socket);
	assert_true(daemon_says(daemon, line));
	snprintf(line, sizeof line, "listening on %s", daemon->other);
	assert_true(daemon_says(daemon, line));
	check_io_uring(daemon);
}

bool daemon_says(struct daemon_process *daemon, const char *line)
{
	char text[512];

	if (!fgets(text, sizeof text, daemon->out))
		return false;
	watchdog_step();
	text[strcspn(text, "\n")] = '\0';
	return strcmp(text, line) == 0;
}

int daemon_stop(struct daemon_process *daemon, int signal_number)
{
	int status;

	if (signal_number)
		assert_int_equal(kill(daemon->pid, signal_number), 0);
	while (fgets(daemon->summary, sizeof daemon->summary, daemon->out))
		;
	daemon->summary[strcspn(daemon->summary, "\n")] = '\0';
	fclose(daemon->out);
	assert_int_equal(waitpid(daemon->pid, &status, 0), daemon->pid);
	watchdog_step();
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

unsigned int daemon_errors(const struct daemon_process *daemon, char *text, size_t size)
{
	FILE *errors = fopen(daemon->errors, "r");
	unsigned int lines = 0;
	size_t used = 0, capacity = 0;
	char *line = NULL;
	ssize_t len;

	assert_non_null(errors);
	while ((len = getline(&line, &capacity, errors)) > 0) {
		if (strstr(line, "io_uring fails"))
			continue;
		for (ssize_t i = 0; i < len && used + 1 < size; i++)
			text[used++] = line[i];
		lines += line[len - 1] == '\n';
	}
	if (size)
		text[used] = '\0';
	free(line);
	fclose(errors);
	return lines;
}

unsigned int daemon_open_files(const struct daemon_process *daemon)
{
	char path[64];
	unsigned int count = 0;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)daemon->pid);
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* Reads the first line of a file about a thread. Stores "" if the thread has ended. */
static void read_line(const struct daemon_process *daemon, const char *thread, const char *name, char *line, int size)
{
	char path[320];
	FILE *file;

	line[0] = '\0';
	snprintf(path, sizeof path, "/proc/%d/task/%s/%s", (int)daemon->pid, thread, name);
	file = fopen(path, "r");
	if (!file)
		return;
	if (!fgets(line, size, file))
		line[0] = '\0';
	fclose(file);
}

/*
 * Returns the number of threads of queues. Finds the threads by their names, because sanitizers and
 * io_uring have threads too. Stores in *writing how many of the queues' threads are in write().
 */
static unsigned int count_queues(const struct daemon_process *daemon, unsigned int *writing)
{
	const struct dirent *entry;
	char line[256];
	unsigned int count = 0;
	DIR *dir;

	snprintf(line, sizeof line, "/proc/%d/task", (int)daemon->pid);
	dir = opendir(line);
	assert_non_null(dir);
	*writing = 0;
	while ((entry = readdir(dir))) {
		read_line(daemon, entry->d_name, "comm", line, sizeof line);
		if (strncmp(line, "queue ", 6) != 0)
			continue;
		count++;
		read_line(daemon, entry->d_name, "syscall", line, sizeof line);
		*writing += line[0] >= '0' && line[0] <= '9' && atol(line) == SYS_write;
	}
	closedir(dir);
	return count;
}

bool daemon_queue_writes(const struct daemon_process *daemon)
{
	unsigned int writing;

	(void)count_queues(daemon, &writing);
	return writing > 0;
}

pid_t daemon_halt_queue(const struct daemon_process *daemon)
{
	const struct dirent *entry;
	char line[256];
	pid_t thread = 0;
	int status;
	DIR *dir;

	snprintf(line, sizeof line, "/proc/%d/task", (int)daemon->pid);
	dir = opendir(line);
	assert_non_null(dir);
	while (thread == 0 && (entry = readdir(dir))) {
		read_line(daemon, entry->d_name, "comm", line, sizeof line);
		if (strcmp(line, "queue 0\n") == 0)
			thread = (pid_t)atol(entry->d_name);
	}
	closedir(dir);
	assert_true(thread > 0);
	if (ptrace(PTRACE_SEIZE, thread, NULL, NULL)) {
		assert_int_equal(errno, EPERM);
		return 0;
	}
	assert_int_equal(ptrace(PTRACE_INTERRUPT, thread, NULL, NULL), 0);
	assert_int_equal(waitpid(thread, &status, __WALL), thread);
	assert_true(WIFSTOPPED(status));
	return thread;
}

void daemon_release_queue(pid_t thread)
{
	assert_int_equal(ptrace(PTRACE_DETACH, thread, NULL, NULL), 0);
}

/* Returns the state of a thread: R if it runs or could run, S if it sleeps. */
static char thread_state(const struct daemon_process *daemon, const char *name)
{
	const struct dirent *entry;
	char line[512] = "";
	DIR *dir;

	snprintf(line, sizeof line, "/proc/%d/task", (int)daemon->pid);
	dir = opendir(line);
	assert_non_null(dir);
	do {
		entry = readdir(dir);
		assert_non_null(entry);
		read_line(daemon, entry->d_name, "comm", line, sizeof line);
	} while (strncmp(line, name, strlen(name)) != 0);
	read_line(daemon, entry->d_name, "stat", line, sizeof line);
	closedir(dir);
	/* The state follows the name in parentheses. */
	return strrchr(line, ')') ? strrchr(line, ')')[2] : '?';
}

void daemon_await_sleep(const struct daemon_process *daemon, const char *thread)
{
	while (thread_state(daemon, thread) != 'S')
		usleep(1000);
	watchdog_step();
}

void daemon_await_queues(const struct daemon_process *daemon, unsigned int count)
{
	unsigned int writing;

	while (count_queues(daemon, &writing) != count)
		usleep(1000);
}

unsigned int daemon_mappings(const struct daemon_process *daemon)
{
	char path[64], line[512];
	unsigned int count = 0;
	FILE *maps;

	snprintf(path, sizeof path, "/proc/%d/maps", (int)daemon->pid);
	maps = fopen(path, "r");
	assert_non_null(maps);
	while (fgets(line, sizeof line, maps))
		count += strstr(line, "/memfd:guest") != NULL;
	fclose(maps);
	return count;
}

void daemon_remove_folder(const struct daemon_process *daemon)
{
	char path[128];

	snprintf(path, sizeof path, "%s/state", daemon->folder);
	(void)unlink(path);
	strcat(path, ".used");
	(void)unlink(path);
	unlink(daemon->second);
	unlink(daemon->image);
	unlink(daemon->errors);
	assert_int_equal(rmdir(daemon->folder), 0);
}

void daemon_finish(struct daemon_process *daemon)
{
	int status = daemon_stop(daemon, SIGTERM);

	if (status) {
		char text[4096];

		daemon_errors(daemon, text, sizeof text);
		fprintf(stderr, "%s", text);
	}
	assert_int_equal(status, 0);
	assert_int_equal(access(daemon->socket, F_OK), -1);
	daemon_remove_folder(daemon);
}
