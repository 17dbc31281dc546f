/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Files of all versions, which load for ever, and are the same from every host.
 *
 *   machine-N.state          all sections have version 1
 *   machine-N.vsock-2.state  section vsock has version 2
 *
 * usage: state_golden [--write N] FOLDER
 *   --write  writes the newest kind of file of machine N. A file that was once released never
 *            changes: a later version of the format gets files of its own.
 *
 * Each file loads, and gives the machine that the same random state gives here. A file of the
 * newest kind is also what that machine saves, byte for byte. A machine from an older file has the
 * defaults in place of newer values. Needs no cmocka, so that it runs on other architectures.
 */
#include "random_state.h"

#define STATES 200u

struct golden {
	uint32_t number;
	const char *kind;
	bool newest;
};

static const struct golden goldens[] = {
	{ 0, "", false }, { 1, "", false }, { 2, "", false },        { 3, "", false },
	{ 4, "", false }, { 5, "", false }, { 0, ".vsock-2", true },
};

#define GOLDENS (sizeof goldens / sizeof *goldens)

/* The checksum of the checksums of all files from random states, on any host. */
#define CHECKSUM_OF_ALL UINT32_C(0x9e5ec073)

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

static FILE *open_file(const char *folder, const struct golden *golden, const char *how)
{
	char path[1000];
	FILE *f;

	MUST(snprintf(path, sizeof path, "%s/machine-%u%s.state", folder, (unsigned int)golden->number, golden->kind) <
	     (int)sizeof path);
	f = fopen(path, how);
	if (!f)
		perror(path);
	MUST(f);
	return f;
}

/* The values that files of version 1 lack have their defaults. */
static void take_defaults(void)
{
	for (uint32_t i = 0; i < MACHINE_CONNECTIONS; i++)
		machine.connections[i].message_bytes = machine.connections[i].message_packets = 0;
}

static void check_file(const char *folder, const struct golden *golden)
{
	struct virtio_section_reader reader;
	size_t length = make_file(golden->number), got;
	FILE *f = open_file(folder, golden, "rb");

	got = fread(other, 1, sizeof other, f);
	(void)fclose(f);
	if (golden->newest) {
		MUST(got == length && memcmp(other, file, length) == 0);
	} else {
		take_defaults();
		length = machine_save(&machine, file);
		MUST(got <= length);
	}
	machine_make(&machine, ram, storage);
	MUST(machine_read(&machine, other, got, &state, &reader) == 0);
	MUST(machine_restore(&machine, &state) == 0);
	MUST(machine_save(&machine, other) == length);
	MUST(memcmp(other, file, length) == 0);
}

static void write_file(const char *folder, uint32_t number)
{
	const struct golden golden = { number, goldens[GOLDENS - 1].kind, true };
	const size_t length = make_file(number);
	FILE *f = open_file(folder, &golden, "wbx");

	MUST(fwrite(file, 1, length, f) == length && fclose(f) == 0);
}

int main(int argc, char **argv)
{
	const bool writes = argc == 4 && strcmp(argv[1], "--write") == 0;
	uint8_t checksums[4 * STATES];
	uint32_t all;

	if (argc != 2 && !writes) {
		fprintf(stderr, "usage: state_golden [--write N] FOLDER\n");
		return 2;
	}
	if (writes) {
		write_file(argv[3], (uint32_t)strtoul(argv[2], NULL, 10));
		return 0;
	}
	for (uint32_t i = 0; i < GOLDENS; i++)
		check_file(argv[1], &goldens[i]);
	/* Without the checksum at a file's end: with it, all files have the same checksum. */
	for (uint32_t i = 0; i < STATES; i++)
		virtio_put_le32(checksums + 4 * (size_t)i, virtio_queue_ser_checksum(file, make_file(i) - 4));
	all = virtio_queue_ser_checksum(checksums, sizeof checksums);
	printf("%u files load, and %u have the checksum %#x\n", (unsigned int)GOLDENS, STATES, (unsigned int)all);
	return all == CHECKSUM_OF_ALL ? 0 : 1;
}
