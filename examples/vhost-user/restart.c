/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "restart.h"

#include "log.h"
#include "state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <virtio/queue_ser.h>

/* Writing the state at the end */

static int write_state(const char *path, const struct update_entry *entries, unsigned int count)
{
	struct handover unused = { .count = 0 };
	size_t length;
	uint8_t *bytes = update_save_all(entries, count, &unused, &length);
	int result = -1;

	/* The descriptors are not needed, because no process inherits them. */
	handover_clear(&unused);
	if (bytes) {
		result = state_file_write(path, bytes, length);
		if (result)
			log_line("%s: the state is not saved: %s", path, strerror(errno));
	}
	free(bytes);
	return result;
}

int restart_save(const char *path, const struct update_entry *entries, unsigned int count)
{
	int result;

	/*
	 * All front ends are dropped before the first device is saved. Guests may be connected with
	 * each other, so the end of one front end can change another device.
	 */
	for (unsigned int i = 0; i < count; i++)
		server_end(entries[i].server);
	result = update_check_devices(entries, count) ? -1 : write_state(path, entries, count);
	for (unsigned int i = 0; result && i < count; i++)
		server_keep(entries[i].server);
	return result;
}

/* Starting with the state of an earlier process */

static int fail(const char *path, const char *why)
{
	fprintf(stderr, "%s: can't be restored: %s\n", path, why);
	return -1;
}

/* Returns an allocation that the caller frees; or NULL after printing why. */
static char *used_name(const char *path)
{
	char *name;

	if (asprintf(&name, "%s.used", path) >= 0)
		return name;
	(void)fail(path, "out of memory");
	return NULL;
}

/* Returns an allocation that the caller frees; or NULL after printing why. */
static uint8_t *read_file(const char *path, const char *used, size_t *length)
{
	/*
	 * O_NONBLOCK is needed: opening a pipe that has no writer would wait. SIGTERM is blocked
	 * here, and could not end the wait.
	 */
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	uint8_t *bytes = fd < 0 ? NULL : state_file_get(fd, length);
	char text[64] = "";

	if (!bytes) {
		const bool was_used = errno == ENOENT && access(used, F_OK) == 0;

		snprintf(text, sizeof text, "%s%s", strerror(errno),
			 was_used ? ": it was used, and its name is now" : "");
		fprintf(stderr, "%s: can't be restored: %s%s%s\n", path, text, was_used ? " " : "",
			was_used ? used : "");
	}
	if (fd >= 0)
		close(fd);
	return bytes;
}

static int refuse(const char *path, const struct virtio_section_reader *reader)
{
	char text[256];

	(void)virtio_section_describe(&reader->fault, text, sizeof text);
	return fail(path, text);
}

/*
 * Opens the servers in order. Returns the number of open servers. If this number is less than
 * `count`, the reason was printed.
 */
static unsigned int open_all(const char *path, struct event_loop *loop, const struct update_entry *entries,
			     unsigned int count, bool once, const uint8_t *bytes, size_t length)
{
	struct virtio_section skipped[UPDATE_SKIPPED];
	struct virtio_section_reader reader;
	unsigned int opened = 0;

	if (virtio_queue_ser_open(&reader, bytes, length, NULL)) {
		(void)refuse(path, &reader);
		return 0;
	}
	virtio_section_report_skipped(&reader, skipped, UPDATE_SKIPPED);
	while (opened < count && server_open_restored(entries[opened].server, loop, entries[opened].device,
						      entries[opened].endpoint, once, &reader, opened) == 0)
		opened++;
	/*
	 * update_end_state() fails if sections are left that can't be skipped. For example, the
	 * state may have more devices than the command line.
	 */
	if (opened == count && update_end_state(&reader)) {
		(void)refuse(path, &reader);
		server_close(entries[--opened].server);
	}
	return opened;
}

/* Renames the file, so that no other process uses the state. */
static int use_up(const char *path, const char *used)
{
	return rename(path, used) || state_file_sync_folder(path) ? fail(path, strerror(errno)) : 0;
}

int restart_open(const char *path, struct event_loop *loop, const struct update_entry *entries, unsigned int count,
		 bool once)
{
	char *used = used_name(path);
	size_t length;
	uint8_t *bytes = used ? read_file(path, used, &length) : NULL;
	unsigned int opened = bytes ? open_all(path, loop, entries, count, once, bytes, length) : 0;
	unsigned int meeting = 0;
	bool good = opened == count;

	while (good && meeting < count && server_meet(entries[meeting].server) == 0)
		meeting++;
	good = good && meeting == count && use_up(path, used) == 0;
	for (unsigned int i = 0; good && i < count; i++)
		server_begin(entries[i].server);
	while (!good && opened > 0)
		server_close(entries[--opened].server);
	free(bytes);
	free(used);
	return good ? 0 : -1;
}
