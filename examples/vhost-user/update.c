/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Replaces the program. */
#include "update.h"

#include "handover.h"
#include "log.h"
#include "state_file.h"
#include "worker.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <virtio/queue_ser.h>

/*
 * If the program's file was replaced, Linux appends a mark to the name in /proc/self/exe. The new
 * file has the name without the mark.
 */
static void cut_mark(char *path)
{
	static const char mark[] = " (deleted)";
	const size_t len = strlen(path), end = sizeof mark - 1;

	if (len > end && strcmp(path + len - end, mark) == 0 && access(path, F_OK))
		path[len - end] = 0;
}

int update_init(struct update *update, char **argv)
{
	char path[PATH_MAX];
	const ssize_t len = readlink("/proc/self/exe", path, sizeof path);
	size_t count = 0;

	*update = (struct update){ .state_path = NULL };
	while (argv[count])
		count++;
	update->argv = calloc(count + 1, sizeof *update->argv);
	if (!update->argv || len < 0 || len == sizeof path)
		return -1;
	update->program = strndup(path, (size_t)len);
	if (update->program)
		cut_mark(update->program);
	for (size_t i = 0; i < count; i++) {
		update->argv[i] = strdup(argv[i]);
		if (!update->argv[i])
			return -1;
	}
	return update->program ? 0 : -1;
}

void update_free(struct update *update)
{
	for (char **arg = update->argv; arg && *arg; arg++)
		free(*arg);
	free(update->argv);
	free(update->program);
}

/* The old process */

static int fail(const char *what, const char *why)
{
	log_line("not updated: %s: %s", what, why);
	return -1;
}

static void resume(const struct update_entry *entries, unsigned int count)
{
	while (count > 0)
		server_resume(entries[--count].server);
}

/* Pauses all devices. After a failure no device is paused. */
static int pause_all(const struct update_entry *entries, unsigned int count)
{
	const struct timespec end = worker_in_ms(UPDATE_PATIENCE_MS);

	for (unsigned int i = 0; i < count; i++) {
		if (server_try_pause(entries[i].server, &end))
			continue;
		resume(entries, i);
		return fail(entries[i].server->path, "requests in flight don't end");
	}
	return 0;
}

int update_check_devices(const struct update_entry *entries, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (!entries[i].server->host.device->ops->save)
			return fail(entries[i].server->path, "a device of this type can't be handed over");
	return 0;
}

uint8_t *update_save_all(const struct update_entry *entries, unsigned int count, struct handover *handover,
			 size_t *length)
{
	uint8_t *bytes = NULL;
	size_t capacity = 0;

	/* The first pass measures the length, and the second pass writes the state. */
	for (int round = 0; round < 2; round++) {
		struct virtio_section_writer writer;
		int error;

		handover_clear(handover);
		virtio_queue_ser_begin(&writer, bytes, capacity, NULL);
		for (unsigned int i = 0; i < count; i++)
			if (server_save(entries[i].server, &writer, i, handover))
				goto failed;
		error = virtio_queue_ser_end(&writer, length);
		if (bytes && !error)
			return bytes;
		if (bytes || error != VIRTIO_ENOBUFS) {
			(void)fail("state", virtio_strerror(error));
			goto failed;
		}
		capacity = *length;
		bytes = malloc(capacity);
		if (!bytes) {
			(void)fail("state", strerror(errno));
			break;
		}
	}
failed:
	free(bytes);
	return NULL;
}

/*
 * Adds a memfd with the state to the descriptors for the new program. So a change of the state file
 * does not affect the new program. Returns the memfd, or -1 with errno.
 */
static int add_state(struct handover *handover, const uint8_t *bytes, size_t length)
{
	const int fd = memfd_create("state", MFD_CLOEXEC);

	if (fd < 0 || state_file_put(fd, bytes, length)) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	handover_add(handover, fd, "state");
	return fd;
}

static void execute(const struct update *update, struct handover *handover)
{
	if (handover_pass(handover, update->argv)) {
		(void)fail("descriptors", strerror(errno));
		return;
	}
	fflush(stdout);
	(void)execv(update->program, update->argv);
	(void)fail(update->program, strerror(errno));
	handover_withdraw(handover);
}

static void hand_over(const struct update *update, const struct update_entry *entries, unsigned int count)
{
	struct handover handover = { .count = 0 };
	size_t length;
	uint8_t *bytes = update_save_all(entries, count, &handover, &length);
	int state;

	if (bytes && state_file_write(update->state_path, bytes, length)) {
		(void)fail(update->state_path, strerror(errno));
	} else if (bytes) {
		state = add_state(&handover, bytes, length);
		if (state < 0) {
			(void)fail("state", strerror(errno));
		} else {
			execute(update, &handover);
			close(state);
		}
	}
	free(bytes);
	handover_clear(&handover);
}

void update_run(const struct update *update, const struct update_entry *entries, unsigned int count)
{
	if (!update->state_path) {
		(void)fail("SIGUSR1", "there is no --state PATH");
		return;
	}
	if (update_check_devices(entries, count) || pause_all(entries, count))
		return;
	hand_over(update, entries, count);
	resume(entries, count);
}

/* The new process */

static uint8_t *read_state(struct handover *handover, size_t *length)
{
	const int fd = handover_take(handover, "state");
	uint8_t *bytes = fd < 0 ? NULL : state_file_get(fd, length);

	if (fd >= 0)
		close(fd);
	return bytes;
}

static int refuse(const struct virtio_section_reader *reader)
{
	char text[256];

	(void)virtio_section_describe(&reader->fault, text, sizeof text);
	fprintf(stderr, "can't take over: %s\n", text);
	return -1;
}

int update_end_state(struct virtio_section_reader *reader)
{
	const struct virtio_section *skipped = reader->skipped;

	if (virtio_section_reader_end(reader))
		return -1;
	for (uint32_t i = 0; i < reader->skipped_count && i < reader->skipped_capacity; i++)
		log_line("going on without section %s of device %u, which this program doesn't know", skipped[i].name,
			 skipped[i].device);
	return 0;
}

static int check_end(struct virtio_section_reader *reader)
{
	const char *left = handover_left_over(&inherited);

	if (update_end_state(reader))
		return refuse(reader);
	if (!left)
		return 0;
	fprintf(stderr, "can't take over: no device uses the descriptor \"%s\"\n", left);
	return -1;
}

static int open_all(struct event_loop *loop, const struct update_entry *entries, unsigned int count, bool once)
{
	struct virtio_section skipped[UPDATE_SKIPPED];
	struct virtio_section_reader reader;
	unsigned int opened = 0;
	size_t length;
	uint8_t *bytes = read_state(&inherited, &length);
	int result = -1;

	if (!bytes) {
		fputs("can't take over: there is no state\n", stderr);
		return -1;
	}
	if (virtio_queue_ser_open(&reader, bytes, length, NULL)) {
		result = refuse(&reader);
	} else {
		virtio_section_report_skipped(&reader, skipped, UPDATE_SKIPPED);
		while (opened < count &&
		       server_take_over(entries[opened].server, loop, entries[opened].device, entries[opened].endpoint,
					once, &reader, opened, &inherited) == 0)
			opened++;
		result = opened == count ? check_end(&reader) : -1;
	}
	free(bytes);
	return result;
}

void update_take_over(struct event_loop *loop, const struct update_entry *entries, unsigned int count, bool once)
{
	if (open_all(loop, entries, count, once) == 0) {
		handover_commit(&inherited);
		for (unsigned int i = 0; i < count; i++)
			server_continue(entries[i].server);
		return;
	}
	fputs("the old program goes on\n", stderr);
	handover_return(&inherited);
	perror("the old program can't go on");
	exit(EXIT_FAILURE);
}
