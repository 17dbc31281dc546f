/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Loads the files of all versions and saves each of them again. Every later release must load a
 * released file, and every host must save the same bytes.
 *
 *   machine-N.state            all sections have version 1
 *   machine-N.vsock-2.state    section vsock has version 2
 *   machine-N.console-2.state  sections vsock and console have version 2
 *
 * usage: state_golden [--write N] FOLDER
 *   --write  writes the newest kind of file from random state N. Never change a file that was once
 *            released. A later version of the format gets its own files.
 *
 * Each file is loaded, and the machine is saved again. A file of the newest kind must give the same
 * bytes. A file with older sections must give a new file with the known checksum. The new file has
 * defaults for newer values. The program needs no cmocka, so that it runs on other architectures.
 */
#include "random_state.h"

#define STATES 200u
#define NEWEST ".console-2" /* the kind of files that are saved */

struct golden {
	const char *name;
	uint32_t checksum; /* CRC of the file after a load and a save, without its own CRC */
};

static const struct golden goldens[] = {
	{ "0", UINT32_C(0xf390caae) },         { "1", UINT32_C(0x89ba7ef0) },          { "2", UINT32_C(0x622d602b) },
	{ "3", UINT32_C(0x284d8eba) },         { "4", UINT32_C(0x347f5a4c) },          { "5", UINT32_C(0x2dc08c01) },
	{ "0.vsock-2", UINT32_C(0x9807ea26) }, { "129" NEWEST, UINT32_C(0x6dde0d47) },
};

#define GOLDENS (sizeof goldens / sizeof *goldens)

/*
 * The checksum of the checksums of all files from random states. Every host must compute this
 * value.
 */
#define CHECKSUM_OF_ALL UINT32_C(0x56cbb4e1)

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

static FILE *open_file(const char *folder, const char *name, const char *how)
{
	char path[1000];
	FILE *f;

	MUST(snprintf(path, sizeof path, "%s/machine-%s.state", folder, name) < (int)sizeof path);
	f = fopen(path, how);
	if (!f)
		perror(path);
	MUST(f);
	return f;
}

/* Loads a file into a new machine, and saves that machine. Returns the new file's length. */
static size_t save_again(const uint8_t *bytes, size_t length, uint8_t again[MACHINE_FILE_BYTES])
{
	struct virtio_section_reader reader;
	char text[300];
	int error;

	memset(ram, 0, sizeof ram);
	machine_make(&machine, ram, storage);
	error = machine_read(&machine, bytes, length, &state, &reader);
	if (error) {
		(void)virtio_section_describe(&reader.fault, text, sizeof text);
		fprintf(stderr, "%s\n", text);
	}
	MUST(error == 0);
	MUST(machine_restore(&machine, &state) == 0);
	return machine_save(&machine, again);
}

/* Returns whether a file is saved again with the known checksum. */
static bool check_file(const char *folder, const struct golden *golden)
{
	FILE *f = open_file(folder, golden->name, "rb");
	const size_t length = fread(file, 1, sizeof file, f);
	const size_t saved = save_again(file, length, other);
	const uint32_t checksum = virtio_queue_ser_checksum(other, saved - 4);

	(void)fclose(f);
	if (golden == &goldens[GOLDENS - 1])
		MUST(saved == length && memcmp(other, file, length) == 0);
	/* The saved file is of the newest kind, so saving it again gives the same bytes. */
	MUST(save_again(other, saved, file) == saved && memcmp(other, file, saved) == 0);
	if (checksum != golden->checksum)
		printf("%s: saved again with the checksum %#x\n", golden->name, (unsigned int)checksum);
	return checksum == golden->checksum;
}

static void write_file(const char *folder, const char *number)
{
	const size_t length = make_file(strtoul(number, NULL, 10));
	char name[100];
	FILE *f;

	MUST(snprintf(name, sizeof name, "%s" NEWEST, number) < (int)sizeof name);
	f = open_file(folder, name, "wbx");
	MUST(fwrite(file, 1, length, f) == length && fclose(f) == 0);
}

int main(int argc, char **argv)
{
	const bool writes = argc == 4 && strcmp(argv[1], "--write") == 0;
	uint8_t checksums[4 * STATES];
	uint32_t all;
	bool good = true;

	if (argc != 2 && !writes) {
		fprintf(stderr, "usage: state_golden [--write N] FOLDER\n");
		return 2;
	}
	if (writes) {
		write_file(argv[3], argv[2]);
		return 0;
	}
	for (uint32_t i = 0; i < GOLDENS; i++)
		good = check_file(argv[1], &goldens[i]) && good;
	/*
	 * Leaves out the checksum at a file's end, because a CRC over data and its own CRC is the
	 * same for all files.
	 */
	for (uint32_t i = 0; i < STATES; i++)
		virtio_put_le32(checksums + 4 * (size_t)i, virtio_queue_ser_checksum(file, make_file(i) - 4));
	all = virtio_queue_ser_checksum(checksums, sizeof checksums);
	printf("%u files load, and %u random states have the checksum %#x\n", (unsigned int)GOLDENS, STATES,
	       (unsigned int)all);
	return good && all == CHECKSUM_OF_ALL ? 0 : 1;
}
