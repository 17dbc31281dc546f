/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Updates between releases. For an update from a later release, this test executes the daemon with
 * a changed state. For an update to an earlier release, this test reads the daemon's state like a
 * program that knows fewer sections.
 */
#include "daemon.h"
#include "front_end.h"
#include "unix_listener.h"

#include "cmocka_includes.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <virtio/queue_ser.h>

#define STATE_BYTES 65536u
#define VERSION_AT 24u /* offset of a version in a section's header */

struct state {
	uint8_t bytes[STATE_BYTES];
	size_t length;
};

/*
 * Saves the state of a disk whose guest has negotiated features. `attached` is true if the guest is
 * still attached.
 */
static void save(struct daemon_process *daemon, bool attached, struct state *out)
{
	char disk[256], path[128];
	const char *const arguments[] = { "--blk", disk, "--state", path, NULL };
	struct front_end fe;
	FILE *file;

	snprintf(path, sizeof path, "%s/state", daemon->folder);
	snprintf(disk, sizeof disk, "%s,socket=%s", daemon->image, daemon->socket);
	daemon_run(daemon, arguments);
	daemon_expect_listening(daemon);
	front_end_open(&fe, daemon->socket);
	front_end_set_up(&fe, 0);
	block_write_and_read(&fe, 0, 1);
	if (attached)
		daemon_update(daemon);
	else
		daemon_end(daemon, DAEMON_ENDS);
	file = fopen(path, "r");
	assert_non_null(file);
	out->length = fread(out->bytes, 1, sizeof out->bytes, file);
	assert_true(out->length > 0 && out->length < sizeof out->bytes);
	fclose(file);
	if (attached)
		assert_int_equal(daemon_stop(daemon, SIGTERM), 0);
	front_end_close(&fe);
}

/* A difference between the later release's state and the saved state. */
struct change {
	const char *section; /* the changed section, or NULL */
	uint16_t version;    /* its new version, or 0 for no change */
	uint8_t feature;     /* a bit to set in the section's first field, or 0 */
	const char *more;    /* an additional section at the end, or NULL */
	bool skippable;
};

static void add_section(struct virtio_section_writer *writer, const char *name, bool skippable)
{
	static const struct virtio_section_field field = { "value", 0, 0, 1, 4, false };
	const struct virtio_section_layout layout = {
		.name = name,
		.version = 1,
		.skippable = skippable,
		.fields = &field,
		.field_count = 1,
	};
	const uint32_t value = 7;

	virtio_section_write(writer, &layout, 0, 0, &value, NULL, 0);
}

/* Copies the sections one by one, and applies the change. */
static void change_state(const struct state *from, const struct change *change, struct state *to)
{
	struct virtio_section_reader reader;
	struct virtio_section_writer writer;
	struct virtio_section section;
	uint8_t bytes[4096];

	assert_int_equal(virtio_queue_ser_open(&reader, from->bytes, from->length, NULL), 0);
	virtio_queue_ser_begin(&writer, to->bytes, sizeof to->bytes, NULL);
	while (virtio_section_next(&reader, &section) == 1) {
		const size_t count = VIRTIO_SECTION_HEADER_BYTES + section.bytes;

		assert_true(count <= sizeof bytes);
		memcpy(bytes, from->bytes + section.offset - VIRTIO_SECTION_HEADER_BYTES, count);
		if (change->section && strcmp(section.name, change->section) == 0) {
			if (change->version)
				bytes[VERSION_AT] = (uint8_t)change->version;
			if (change->feature)
				bytes[VIRTIO_SECTION_HEADER_BYTES + change->feature / 8] |=
					(uint8_t)(1 << change->feature % 8);
		}
		virtio_section_put(&writer, bytes, count);
	}
	assert_int_equal(reader.fault.error, 0);
	if (change->more)
		add_section(&writer, change->more, change->skippable);
	assert_int_equal(virtio_queue_ser_end(&writer, &to->length), 0);
}

/* The later release */

static int listen_at(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(addr.sun_path, path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof addr), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static int file_of(const void *bytes, size_t length)
{
	const int fd = memfd_create("file", 0);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	return fd;
}

/*
 * Makes the file that identifies the listener's socket file for the daemon. Returns the file's
 * descriptor.
 */
static int file_of_socket(const char *path)
{
	struct unix_listener_file file;
	struct stat st;

	memset(&file, 0, sizeof file);
	assert_int_equal(stat(path, &st), 0);
	file.dev = st.st_dev;
	file.ino = st.st_ino;
	return file_of(&file, sizeof file);
}

/* Adds an entry, which ends with a NUL, to the table of descriptors that handover.c reads. */
static void hand_over(int table, int fd, const char *name, const char *path)
{
	char line[512];
	const int length = snprintf(line, sizeof line, "%d %s%s", fd, name, path);

	assert_int_equal(write(table, line, (size_t)length + 1), length + 1);
}

/*
 * Executes the daemon with this state, as an update does. If the daemon refuses the state, the
 * daemon executes the old program again. Here the old program is a shell that prints a line.
 */
static void run_after(struct daemon_process *daemon, const struct state *state)
{
	static const char shell[] = "sh\0-c\0echo the later release goes on";
	char disk[256], number[16];
	const char *const arguments[] = { "--blk", disk, NULL };
	const int table = file_of("", 0);
	const int image = open(daemon->image, O_RDWR);
	const int listener = listen_at(daemon->socket);
	const int own_file = file_of_socket(daemon->socket);
	const int content = file_of(state->bytes, state->length);
	const int program = open("/bin/sh", O_PATH);
	const int shell_arguments = file_of(shell, sizeof shell);

	assert_true(image >= 0 && program >= 0);
	hand_over(table, image, "image ", daemon->image);
	hand_over(table, listener, "0 listener", "");
	hand_over(table, own_file, "0 listener file", "");
	hand_over(table, content, "state", "");
	hand_over(table, program, "program", "");
	hand_over(table, shell_arguments, "arguments", "");
	snprintf(number, sizeof number, "%d", table);
	assert_int_equal(setenv("VIRTIO_VHOST_USER_HANDOVER", number, 1), 0);
	snprintf(disk, sizeof disk, "%s,socket=%s", daemon->image, daemon->socket);
	daemon_run(daemon, arguments);
	unsetenv("VIRTIO_VHOST_USER_HANDOVER");
	close(table);
	close(image);
	close(listener);
	close(own_file);
	close(content);
	close(program);
	close(shell_arguments);
}

/*
 * Hostile 233: a state with an unknown section, version or feature is refused with a reason, unless
 * the section may be skipped.
 */
static void update_from_a_later_release_works_or_says_why_not(void **state)
{
	static const struct {
		struct change change;
		const char *words;
		bool works;
	} cases[] = {
		{ .words = NULL, .works = true },
		{ .change = { .more = "vu-later", .skippable = true },
		  .words = "going on without section vu-later of device 0",
		  .works = true },
		{ .change = { .more = "vu-later" }, .words = "section vu-later, device 0" },
		{ .change = { .section = "vu-device", .version = 2 }, .words = "section vu-device, device 0" },
		{ .change = { .section = "blk", .version = 9 }, .words = "section blk, device 0" },
		{ .change = { .section = "vu-driver", .version = 2 }, .words = "section vu-driver, device 0" },
		{ .change = { .section = "vu-driver", .feature = 41 }, .words = "feature bit 41 is not offered here" },
	};
	static struct state saved, changed;
	struct daemon_process daemon;
	char line[256], text[4096];

	(void)state;
	daemon_folder(&daemon);
	save(&daemon, false, &saved);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		(void)unlink(daemon.errors);
		change_state(&saved, &cases[i].change, &changed);
		run_after(&daemon, &changed);
		snprintf(line, sizeof line, "continuing on %s", daemon.socket);
		assert_true(daemon_says(&daemon, cases[i].works ? line : "the later release goes on"));
		daemon_errors(&daemon, text, sizeof text);
		if (cases[i].words && !strstr(text, cases[i].words))
			fail_msg("\"%s\" lacks \"%s\"", text, cases[i].words);
		if (!cases[i].words)
			assert_string_equal(text, "");
		if (cases[i].works)
			front_end_good_session(daemon.socket, 7);
		assert_int_equal(daemon_stop(&daemon, cases[i].works ? SIGTERM : 0), 0);
		/* If the old program runs, its socket file stays. */
		assert_int_equal(access(daemon.socket, F_OK), cases[i].works ? -1 : 0);
		(void)unlink(daemon.socket);
	}
	daemon_remove_folder(&daemon);
}

/* The earlier release */

/* Returns whether an earlier release knows this section of a disk, in this version. */
static bool earlier_release_knows(const struct virtio_section *section)
{
	static const char *const names[] = { "vu-device", "vu-session", "vu-ring", "queue", "blk" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(section->name, names[i]) == 0)
			return section->version == 1;
	return false;
}

static void update_to_an_earlier_release_needs_no_later_section(void **state)
{
	static struct state saved;
	struct virtio_section_reader reader;
	struct daemon_process daemon;
	struct virtio_section section;
	unsigned int known = 0, skipped = 0;

	(void)state;
	daemon_folder(&daemon);
	save(&daemon, true, &saved);
	assert_int_equal(virtio_queue_ser_open(&reader, saved.bytes, saved.length, NULL), 0);
	while (virtio_section_next(&reader, &section) == 1) {
		if (earlier_release_knows(&section))
			known++;
		else if (section.skippable)
			skipped++;
		else
			fail_msg("an earlier release refuses the section %s", section.name);
	}
	assert_int_equal(reader.fault.error, 0);
	/*
	 * The known sections are 16 sections vu-ring, and one each of queue, vu-device, vu-session
	 * and blk.
	 */
	assert_int_equal(known, 20);
	assert_int_equal(skipped, 2);
	daemon_remove_folder(&daemon);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(update_from_a_later_release_works_or_says_why_not),
		cmocka_unit_test(update_to_an_earlier_release_needs_no_later_section),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
