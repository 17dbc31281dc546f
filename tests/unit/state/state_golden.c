/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Files of version 1, which load for ever, and are the same from every host.
 *
 * usage: state_golden [--write] FOLDER
 *   --write  writes the files for the first time. A file that was once released never changes: a
 *            later version of the format gets files of its own.
 *
 * For each file: it loads, gives the machine that the same random state gives here, and that
 * machine's file is the same byte for byte. Needs no cmocka, so that it runs on other
 * architectures.
 */
#include "random_state.h"

#define FILES 6u
#define STATES 200u

/* The checksum of the checksums of all files from random states, on any host. */
#define CHECKSUM_OF_ALL UINT32_C(0x51a3d6f9)

static struct machine machine;
static struct machine_state state;
static uint8_t ram[MACHINE_RAM], storage[MACHINE_SECTORS * 512];
static uint8_t file[MACHINE_FILE_BYTES], other[MACHINE_FILE_BYTES];

static size_t make_file(uint64_t number)
{
	uint64_t random = number;

	memset(ram, 0, sizeof ram);
	machine_make(&machine, ram, storage);
	random_state(&machine, &random);
	return machine_save(&machine, file);
}

static FILE *open_file(const char *folder, uint32_t number, const char *how)
{
	char path[1000];
	FILE *f;

	MUST(snprintf(path, sizeof path, "%s/machine-%u.state", folder, (unsigned int)number) < (int)sizeof path);
	f = fopen(path, how);
	if (!f)
		perror(path);
	MUST(f);
	return f;
}

static void check_file(const char *folder, uint32_t number)
{
	struct virtio_section_reader reader;
	const size_t length = make_file(number);
	FILE *f = open_file(folder, number, "rb");

	MUST(fread(other, 1, sizeof other, f) == length);
	(void)fclose(f);
	MUST(memcmp(other, file, length) == 0);
	machine_make(&machine, ram, storage);
	MUST(machine_read(&machine, other, length, &state, &reader) == 0);
	MUST(machine_restore(&machine, &state) == 0);
	MUST(machine_save(&machine, file) == length);
	MUST(memcmp(other, file, length) == 0);
}

int main(int argc, char **argv)
{
	const bool writes = argc == 3 && strcmp(argv[1], "--write") == 0;
	uint8_t checksums[4 * STATES];
	uint32_t all;

	if (argc != 2 && !writes) {
		fprintf(stderr, "usage: state_golden [--write] FOLDER\n");
		return 2;
	}
	for (uint32_t i = 0; i < FILES && writes; i++) {
		const size_t length = make_file(i);
		FILE *f = open_file(argv[2], i, "wbx");

		MUST(fwrite(file, 1, length, f) == length && fclose(f) == 0);
	}
	for (uint32_t i = 0; i < FILES && !writes; i++)
		check_file(argv[1], i);
	for (uint32_t i = 0; i < STATES; i++)
		virtio_put_le32(checksums + 4 * (size_t)i, virtio_queue_ser_checksum(file, make_file(i)));
	all = virtio_queue_ser_checksum(checksums, sizeof checksums);
	printf("%u files load, and %u have the checksum %#x\n", FILES, STATES, (unsigned int)all);
	return all == CHECKSUM_OF_ALL ? 0 : 1;
}
