/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Hands descriptors over to another program. */
#include "handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The environment variable with the number of the table's descriptor. */
#define VARIABLE "VIRTIO_VHOST_USER_HANDOVER"

/*
 * Names of entries: the old program, its arguments, and a mark. The mark means that a new program
 * has executed the old program again.
 */
#define PROGRAM "program"
#define ARGUMENTS "arguments"
#define RETURNED "returned"

struct handover inherited;

static bool is_own(const char *name)
{
	return strcmp(name, PROGRAM) == 0 || strcmp(name, ARGUMENTS) == 0 || strcmp(name, RETURNED) == 0;
}

/* Returns an allocation that the caller frees; or NULL. */
static char *format_name(const char *format, va_list args)
{
	char *name;

	return vasprintf(&name, format, args) < 0 ? NULL : name;
}

static struct handover_entry *new_entry(struct handover *handover)
{
	if (handover->count == handover->capacity) {
		const unsigned int capacity = handover->capacity ? 2 * handover->capacity : 64;
		struct handover_entry *entries = reallocarray(handover->entries, capacity, sizeof *entries);

		if (!entries)
			return NULL;
		handover->entries = entries;
		handover->capacity = capacity;
	}
	return &handover->entries[handover->count++];
}

/* Adds an entry, which owns the name. Frees the name on failure. Returns 0 or -1. */
static int add(struct handover *handover, int fd, char *name)
{
	struct handover_entry *entry = name ? new_entry(handover) : NULL;

	if (!entry) {
		handover->failed = true;
		free(name);
		return -1;
	}
	*entry = (struct handover_entry){ .fd = fd, .name = name };
	return 0;
}

void handover_add(struct handover *handover, int fd, const char *name, ...)
{
	va_list args;

	if (fd < 0)
		return;
	va_start(args, name);
	(void)add(handover, fd, format_name(name, args));
	va_end(args);
}

/*
 * Makes a file in memory. Returns its descriptor, which an executed program inherits, or -1 with
 * errno.
 */
static int new_file(const char *name, const void *bytes, size_t length)
{
	const int fd = memfd_create(name, 0);

	if (fd < 0 || write(fd, bytes, length) == (ssize_t)length)
		return fd;
	close(fd);
	return -1;
}

int handover_add_bytes(struct handover *handover, const void *bytes, size_t count, const char *name, ...)
{
	const int fd = new_file("bytes", bytes, count);
	va_list args;
	int error;

	if (fd < 0)
		return -1;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	va_start(args, name);
	error = add(handover, fd, format_name(name, args));
	va_end(args);
	if (error) {
		close(fd);
		return -1;
	}
	handover->entries[handover->count - 1].own = true;
	return 0;
}

/* Sets whether a program that is executed inherits the descriptor. */
static void set_inherit(int fd, bool inherit)
{
	(void)fcntl(fd, F_SETFD, inherit ? 0 : FD_CLOEXEC);
}

static void set_inherit_all(struct handover *handover, bool inherit)
{
	for (unsigned int i = 0; i < handover->count; i++)
		set_inherit(handover->entries[i].fd, inherit);
}

/*
 * Writes the number and the name of each entry. A NUL ends an entry, because a name may contain any
 * other byte.
 */
static int write_table(const struct handover *handover, int table)
{
	const int copy = fcntl(table, F_DUPFD_CLOEXEC, 3);
	FILE *file = copy < 0 ? NULL : fdopen(copy, "w");
	int failed = 0;

	if (!file) {
		if (copy >= 0)
			close(copy);
		return -1;
	}
	for (unsigned int i = 0; i < handover->count; i++)
		if (fprintf(file, "%d %s%c", handover->entries[i].fd, handover->entries[i].name, 0) < 0)
			failed = -1;
	return fclose(file) ? -1 : failed;
}

static int write_arguments(char *const *argv)
{
	char *text = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&text, &length);
	int fd = -1;

	if (!file)
		return -1;
	for (; *argv; argv++)
		(void)fwrite(*argv, strlen(*argv) + 1, 1, file);
	if (fclose(file) == 0)
		fd = new_file(ARGUMENTS, text, length);
	free(text);
	return fd;
}

/* Tells the next program about the table. Returns the table's descriptor, or -1 with errno. */
static int announce(struct handover *handover)
{
	char number[16];
	const int table = new_file("handover", "", 0);

	if (table < 0)
		return -1;
	snprintf(number, sizeof number, "%d", table);
	if (write_table(handover, table) == 0 && setenv(VARIABLE, number, 1) == 0) {
		set_inherit_all(handover, true);
		return table;
	}
	close(table);
	return -1;
}

/* Removes the entries that handover_pass() has added at the end. */
static void drop_own(struct handover *handover, int program, int arguments)
{
	if (program >= 0)
		close(program);
	if (arguments >= 0)
		close(arguments);
	while (handover->count > 0 && is_own(handover->entries[handover->count - 1].name))
		free(handover->entries[--handover->count].name);
}

/*
 * Checks whether the next program can make `count` copies of descriptors. To check this, makes the
 * copies in this process and closes them. Returns 0, or -1 with errno.
 */
static int try_copies(int fd, unsigned int count)
{
	int *copies = calloc(count, sizeof *copies);
	unsigned int made = 0;
	int error = copies ? 0 : errno;

	while (!error && made < count) {
		copies[made] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (copies[made] < 0)
			error = errno;
		else
			made++;
	}
	while (made > 0)
		close(copies[--made]);
	free(copies);
	errno = error;
	return error ? -1 : 0;
}

int handover_pass(struct handover *handover, char *const *argv)
{
	const int program = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	const int arguments = write_arguments(argv);
	int error;

	handover->table = -1;
	if (program >= 0 && arguments >= 0) {
		handover_add(handover, program, PROGRAM);
		handover_add(handover, arguments, ARGUMENTS);
		errno = ENOMEM;
		if (!handover->failed && try_copies(program, handover->count + HANDOVER_MARGIN) == 0)
			handover->table = announce(handover);
		if (handover->table > 0)
			return 0;
	}
	error = errno;
	drop_own(handover, program, arguments);
	errno = error;
	return -1;
}

void handover_withdraw(struct handover *handover)
{
	unsetenv(VARIABLE);
	set_inherit_all(handover, false);
	close(handover->table);
	drop_own(handover, handover->entries[handover->count - 2].fd, handover->entries[handover->count - 1].fd);
}

void handover_clear(struct handover *handover)
{
	for (unsigned int i = 0; i < handover->count; i++)
		if (handover->entries[i].own)
			close(handover->entries[i].fd);
	for (unsigned int i = 0; i < handover->count; i++)
		free(handover->entries[i].name);
	free(handover->entries);
	*handover = (struct handover){ .count = 0 };
}

/* Receiving */

static int refuse(const char *why)
{
	fprintf(stderr, "can't take over: %s\n", why);
	return -1;
}

static int read_entry(struct handover *handover, const char *text)
{
	char *name;
	const long fd = strtol(text, &name, 10);

	if (name == text || name[0] != ' ' || !name[1] || fd < 0 || fd > 0x7fffffff || fcntl((int)fd, F_GETFD) < 0)
		return -1;
	for (unsigned int i = 0; i < handover->count; i++)
		if (handover->entries[i].fd == fd)
			return -1;
	set_inherit((int)fd, false);
	return add(handover, (int)fd, strdup(name + 1));
}

static int read_table(struct handover *handover, FILE *file)
{
	char *text = NULL;
	size_t room = 0;
	int result = 0;

	while (result == 0 && getdelim(&text, &room, 0, file) >= 0)
		result = read_entry(handover, text);
	free(text);
	return result;
}

int handover_receive(struct handover *handover)
{
	const char *number = getenv(VARIABLE);
	char *end;
	FILE *file;
	long fd;
	int result;

	if (!number)
		return 0;
	fd = strtol(number, &end, 10);
	if (end == number || *end || fd <= 2 || fd > 0x7fffffff)
		return refuse(VARIABLE " is no descriptor");
	unsetenv(VARIABLE);
	file = lseek((int)fd, 0, SEEK_SET) == 0 ? fdopen((int)fd, "r") : NULL;
	if (!file)
		return refuse(strerror(errno));
	result = read_table(handover, file);
	(void)fclose(file);
	return result || handover->count == 0 ? refuse("the table of descriptors is damaged") : 1;
}

static int take(struct handover *handover, const char *name)
{
	for (unsigned int i = 0; i < handover->count; i++) {
		struct handover_entry *entry = &handover->entries[i];

		if (!entry->taken && strcmp(entry->name, name) == 0) {
			const int fd = fcntl(entry->fd, F_DUPFD_CLOEXEC, 3);

			entry->taken = fd >= 0;
			return fd;
		}
	}
	errno = ENOENT;
	return -1;
}

static int take_formatted(struct handover *handover, const char *format, va_list args)
{
	char *name = format_name(format, args);
	const int fd = name ? take(handover, name) : -1;

	free(name);
	return fd;
}

int handover_take(struct handover *handover, const char *name, ...)
{
	va_list args;
	int fd;

	va_start(args, name);
	fd = take_formatted(handover, name, args);
	va_end(args);
	return fd;
}

bool handover_has(const struct handover *handover, const char *name, ...)
{
	va_list args;
	char *text;
	bool has = false;

	va_start(args, name);
	text = format_name(name, args);
	va_end(args);
	for (unsigned int i = 0; text && i < handover->count; i++)
		has = has || (!handover->entries[i].taken && strcmp(handover->entries[i].name, text) == 0);
	free(text);
	return has;
}

int handover_take_bytes(struct handover *handover, void *bytes, size_t count, const char *name, ...)
{
	struct stat st;
	va_list args;
	int error, fd;

	va_start(args, name);
	fd = take_formatted(handover, name, args);
	va_end(args);
	if (fd < 0)
		return -1;
	error = fstat(fd, &st) || st.st_size != (off_t)count || pread(fd, bytes, count, 0) != (ssize_t)count;
	close(fd);
	return error ? -1 : 0;
}

const char *handover_left_over(const struct handover *handover)
{
	for (unsigned int i = 0; i < handover->count; i++) {
		const struct handover_entry *entry = &handover->entries[i];

		if (!entry->taken && !is_own(entry->name))
			return entry->name;
	}
	return NULL;
}

void handover_commit(struct handover *handover)
{
	for (unsigned int i = 0; i < handover->count; i++)
		close(handover->entries[i].fd);
	handover_clear(handover);
}

/* Returns the arguments, whose strings lie in one allocation; NULL if they can't be read. */
static char **read_arguments(int fd)
{
	struct stat st;
	char *text, *at;
	char **argv;
	size_t length, count = 0;

	if (fstat(fd, &st))
		return NULL;
	length = (size_t)st.st_size;
	text = calloc(length + 1, 1);
	argv = calloc(length + 1, sizeof *argv);
	if (text && argv && pread(fd, text, length, 0) == (ssize_t)length) {
		for (at = text; at < text + length; at += strlen(at) + 1)
			argv[count++] = at;
		return argv;
	}
	free(text);
	free(argv);
	return NULL;
}

/*
 * The old program gets the same table with the mark RETURNED added. Every entry needs a descriptor,
 * so the mark is a copy of the program's descriptor.
 */
void handover_return(struct handover *handover)
{
	int program, arguments;
	char **argv;

	for (unsigned int i = 0; i < handover->count; i++)
		handover->entries[i].taken = false;
	if (take(handover, RETURNED) >= 0) {
		errno = ELOOP;
		return;
	}
	program = take(handover, PROGRAM);
	arguments = take(handover, ARGUMENTS);
	argv = arguments < 0 ? NULL : read_arguments(arguments);
	if (program < 0 || !argv)
		return;
	handover_add(handover, dup(program), RETURNED);
	if (announce(handover) >= 0)
		(void)fexecve(program, argv, environ);
}
