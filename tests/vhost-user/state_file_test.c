/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Files with saved states: a write replaces the whole file, or leaves it unchanged after a failure.
 */
#include "state_file.h"

#include "cmocka_includes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
	char path[64];
	char file[96];
};

static void make_folder(struct folder *folder)
{
	strcpy(folder->path, "/tmp/state-file-test-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	snprintf(folder->file, sizeof folder->file, "%s/state", folder->path);
}

static void remove_folder(const struct folder *folder)
{
	(void)unlink(folder->file);
	/* No other file is in the folder. */
	assert_int_equal(rmdir(folder->path), 0);
}

static void expect(const struct folder *folder, const char *content)
{
	const int fd = open(folder->file, O_RDONLY);
	uint8_t *bytes;
	size_t length;

	assert_true(fd >= 0);
	bytes = state_file_get(fd, &length);
	assert_non_null(bytes);
	assert_int_equal(length, strlen(content));
	assert_memory_equal(bytes, content, length);
	free(bytes);
	close(fd);
}

static void state_file_is_replaced_as_a_whole(void **state)
{
	struct folder folder;
	struct stat st;

	(void)state;
	make_folder(&folder);
	assert_int_equal(state_file_write(folder.file, (const uint8_t *)"first", 5), 0);
	expect(&folder, "first");
	assert_int_equal(state_file_write(folder.file, (const uint8_t *)"", 0), 0);
	expect(&folder, "");
	assert_int_equal(state_file_write(folder.file, (const uint8_t *)"third", 5), 0);
	expect(&folder, "third");
	assert_int_equal(stat(folder.file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	remove_folder(&folder);
}

/*
 * A state that is too long is refused before a byte is written. Here the state's bytes can't be
 * read, so the test fails if any byte is read.
 */
static void state_file_that_nobody_would_read_is_not_written(void **state)
{
	uint8_t *bytes = mmap(NULL, STATE_FILE_LIMIT, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct folder folder;
	int fd;

	(void)state;
	assert_true(bytes != MAP_FAILED);
	make_folder(&folder);
	assert_int_equal(state_file_write(folder.file, (const uint8_t *)"old", 3), 0);
	assert_int_equal(state_file_write(folder.file, bytes, STATE_FILE_LIMIT), -1);
	assert_int_equal(errno, EFBIG);
	expect(&folder, "old");
	fd = open(folder.file, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(state_file_put(fd, bytes, STATE_FILE_LIMIT), -1);
	assert_int_equal(errno, EFBIG);
	expect(&folder, "old");
	close(fd);
	munmap(bytes, STATE_FILE_LIMIT);
	remove_folder(&folder);
}

static void state_file_that_is_too_long_is_not_read(void **state)
{
	size_t length = 7;
	struct folder folder;
	int fd;

	(void)state;
	make_folder(&folder);
	fd = open(folder.file, O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, STATE_FILE_LIMIT), 0);
	assert_null(state_file_get(fd, &length));
	assert_int_equal(errno, EFBIG);
	assert_int_equal(length, 7);
	close(fd);
	remove_folder(&folder);
}

static void state_file_stays_when_the_new_one_fails(void **state)
{
	struct folder folder;
	char missing[128];

	(void)state;
	make_folder(&folder);
	snprintf(missing, sizeof missing, "%s/none/state", folder.path);
	assert_int_equal(state_file_write(missing, (const uint8_t *)"new", 3), -1);
	assert_int_equal(errno, ENOENT);
	/* A folder has this name. */
	assert_int_equal(mkdir(folder.file, 0700), 0);
	assert_int_equal(state_file_write(folder.file, (const uint8_t *)"new", 3), -1);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(rmdir(folder.file), 0);
	remove_folder(&folder);
}

/*
 * A daemon that runs as root could replace a device by a file. The daemon must not replace a
 * device, a pipe or a socket.
 */
static void state_file_replaces_no_pipe(void **state)
{
	struct folder folder;
	struct stat st;

	(void)state;
	make_folder(&folder);
	assert_int_equal(mkfifo(folder.file, 0600), 0);
	assert_int_equal(state_file_write(folder.file, (const uint8_t *)"new", 3), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(lstat(folder.file, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	remove_folder(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_file_is_replaced_as_a_whole),
		cmocka_unit_test(state_file_that_nobody_would_read_is_not_written),
		cmocka_unit_test(state_file_that_is_too_long_is_not_read),
		cmocka_unit_test(state_file_stays_when_the_new_one_fails),
		cmocka_unit_test(state_file_replaces_no_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
