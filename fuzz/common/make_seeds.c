/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Writes the seeds: one short input for each thing that the harnesses can do. The fuzzer begins
 * with the seeds. The harnesses define the meaning of the bytes. After a change of a seed, --check
 * names the first file that differs.
 * usage: make_seeds FOLDER           writes FOLDER/<harness>/seed-<name>
 *        make_seeds --check FOLDER   fails unless the files have the bytes that would be written
 */
#include <errno.h>

#include "seeds.h"

/* Returns whether the file has these bytes. */
static bool is_as_made(FILE *file, const struct seed *s)
{
	for (size_t i = 0; i < s->size; i++)
		if (fgetc(file) != s->bytes[i])
			return false;
	return fgetc(file) == EOF;
}

static bool make(const struct seed *s, const char *folder, bool check)
{
	char path[1000];
	FILE *file;
	bool ok;

	snprintf(path, sizeof path, "%s/%s/seed-%s", folder, s->harness, s->name);
	file = fopen(path, check ? "rb" : "wb");
	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	ok = check ? is_as_made(file, s) : fwrite(s->bytes, 1, s->size, file) == s->size;
	if (fclose(file) || !ok) {
		fprintf(stderr, "%s: %s\n", path,
			check ? "differs from the seed that is made now" : "cannot be written");
		return false;
	}
	return true;
}

/* Writes or checks a component's files. Stops at the first file that fails. */
static bool make_all(const struct seed *seeds, size_t count, const char *folder, bool check)
{
	for (size_t i = 0; i < count; i++)
		if (!make(&seeds[i], folder, check))
			return false;
	return true;
}

int main(int argc, char **argv)
{
	const struct {
		const struct seed *seeds;
		size_t count;
	} components[] = {
		{ vhost_user_seeds, vhost_user_seed_count }, { memory_seeds, memory_seed_count },
		{ queue_seeds, queue_seed_count },           { blk_seeds, blk_seed_count },
		{ console_seeds, console_seed_count },       { device_seeds, device_seed_count },
		{ state_seeds, state_seed_count },           { vsock_seeds, vsock_seed_count },
	};
	const bool check = argc == 3 && strcmp(argv[1], "--check") == 0;
	size_t count = 0;

	if (argc != 2 && !check) {
		fprintf(stderr, "usage: %s [--check] FOLDER\n", argv[0]);
		return 2;
	}
	for (size_t i = 0; i < sizeof components / sizeof components[0]; i++) {
		if (!make_all(components[i].seeds, components[i].count, argv[argc - 1], check))
			return 1;
		count += components[i].count;
	}
	printf("%zu seeds\n", count);
	return 0;
}
