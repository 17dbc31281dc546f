/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Runs a harness once with each named file, and with each file directly in a named folder. This
 * program needs no libFuzzer and works with any compiler.
 *
 * usage: replay FILE_OR_FOLDER...     Fails if there is no file.
 */
#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <sys/stat.h>

#include "fuzz.h"

static unsigned int replayed;

/* Copies the input to memory of its exact size, so that a sanitizer sees reads past its end. */
static bool replay_file(const char *name, size_t size)
{
	uint8_t *data = fuzz_alloc(size);
	FILE *file = fopen(name, "rb");
	const bool ok = file && fread(data, 1, size, file) == size;

	if (file)
		fclose(file);
	if (ok) {
		puts(name);
		/* If the harness traps, output that is still buffered would be lost. */
		fflush(stdout);
		LLVMFuzzerTestOneInput(data, size);
		replayed++;
	}
	free(data);
	return ok;
}

static bool replay(const char *name, bool into_folders);

static bool replay_folder(const char *name)
{
	DIR *folder = opendir(name);
	const struct dirent *entry;
	bool ok = folder != NULL;

	while (ok && (entry = readdir(folder)) != NULL) {
		const size_t bytes = strlen(name) + strlen(entry->d_name) + 2;
		char *path = fuzz_alloc(bytes);

		snprintf(path, bytes, "%s/%s", name, entry->d_name);
		ok = replay(path, false);
		free(path);
	}
	if (folder)
		closedir(folder);
	return ok;
}

static bool replay(const char *name, bool into_folders)
{
	struct stat about;

	if (stat(name, &about))
		return false;
	if (S_ISDIR(about.st_mode))
		return into_folders ? replay_folder(name) : true;
	return replay_file(name, (size_t)about.st_size);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!replay(argv[i], true)) {
			perror(argv[i]);
			return 1;
		}
	printf("%u inputs\n", replayed);
	return replayed == 0;
}
