/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Opens an image, and chooses the properties of the disk that the guest sees. */
#include "disk.h"

#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>
#include <virtio/bindings/virtio_blk.h>

/*
 * Linux puts only one segment into each request unless the device allows more. 126 segments, a
 * header and a status make a chain of 128 descriptors. Such a chain fits the queues that front ends
 * usually set up.
 */
#define SEG_MAX 126

/* A failed attempt to lock an image is repeated every 10 ms, for half a second. */
#define LOCK_TRIES 50
#define LOCK_TRY_NS 10000000

#define KIB UINT64_C(1024)
#define SECTOR_COUNT ((uint64_t)UINT32_MAX * VIRTIO_BLK_SECTOR_BYTES)

/* Options with a number. Sizes are in bytes. */
static const struct {
	const char *name;
	uint64_t min, max;
	uint64_t unit; /* the value must be a multiple of this */
	const char *help;
} table[DISK_NUMBERS] = {
	[DISK_BLOCK_SIZE] = { "block-size", 512, 64 * KIB, 512,
			      "bytes of a logical block: a power of two, by default 512" },
	[DISK_PHYSICAL_BLOCK_SIZE] = { "physical-block-size", 512, 2048 * KIB, 512,
				       "bytes of a physical block: a power of two, by default 4096" },
	[DISK_ALIGNMENT_OFFSET] = { "alignment-offset", 0, 64 * KIB, 512,
				    "offset of the first physical block in bytes, by default 0" },
	[DISK_MIN_IO_SIZE] = { "min-io-size", 512, 16 * KIB *KIB, 512,
			       "smallest efficient request in bytes; by default a\n"
			       "                               physical block" },
	[DISK_OPT_IO_SIZE] = { "opt-io-size", 0, KIB *KIB *KIB, 512,
			       "most efficient request in bytes; by default not known" },
	[DISK_DISCARD_GRANULARITY] = { "discard-granularity", 512, KIB *KIB *KIB, 512,
				       "alignment of discards in bytes; by default a physical\n"
				       "                               block" },
	[DISK_MAX_DISCARD] = { "max-discard-bytes", 0, SECTOR_COUNT, 512, "limit of a range; 0 turns discard off" },
	[DISK_MAX_DISCARD_RANGES] = { "max-discard-ranges", 1, 16, 1, "most ranges of a discard request" },
	[DISK_MAX_WRITE_ZEROES] = { "max-write-zeroes-bytes", 0, SECTOR_COUNT, 512,
				    "limit of a range; 0 turns write zeroes off" },
	[DISK_SEG_MAX] = { "seg-max", 0, 65533, 1,
			   "segments of a request, by default 126; 0 tells the guest\n"
			   "                               no limit" },
	[DISK_SIZE_MAX] = { "size-max", 0, UINT32_MAX, 1,
			    "bytes of a segment; 0, the default, tells the guest no\n"
			    "                               limit. Below 1 MiB FreeBSD doesn't use the disk" },
	[DISK_MAX_REQUEST] = { "max-request-bytes", 0, UINT32_MAX, 1,
			       "longer reads and writes fail; by default there is no\n"
			       "                               limit. Firmware reads a whole file in one request" },
};

void disk_print_help(void)
{
	printf("      readonly=on    the guest can't write\n"
	       "      serial=TEXT    serial number, up to 20 bytes; by default the image's name\n");
	for (unsigned int i = 0; i < DISK_NUMBERS; i++)
		printf("      %s=N%*s%s\n", table[i].name, (int)(23 - strlen(table[i].name)), "", table[i].help);
}

static int take_number(struct disk_options *options, unsigned int i, const char *value)
{
	struct disk_number *number = &options->numbers[i];
	const bool is_block = i == DISK_BLOCK_SIZE || i == DISK_PHYSICAL_BLOCK_SIZE;
	char why[96];

	snprintf(why, sizeof why, "%s is a number from %llu to %llu, a multiple of %llu%s", table[i].name,
		 (unsigned long long)table[i].min, (unsigned long long)table[i].max, (unsigned long long)table[i].unit,
		 is_block ? " and a power of two" : "");
	if (option_number(value, table[i].min, table[i].max, &number->value) || number->value % table[i].unit ||
	    (is_block && number->value & (number->value - 1)))
		return option_error(value, why);
	number->given = true;
	return 1;
}

int disk_option(struct disk_options *options, const char *name, char *value)
{
	if (strcmp(name, "readonly") == 0)
		return option_switch(name, value, &options->read_only) ? -1 : 1;
	for (unsigned int i = 0; i < DISK_NUMBERS; i++)
		if (strcmp(name, table[i].name) == 0)
			return take_number(options, i, value);
	if (strcmp(name, "serial") != 0)
		return 0;
	if (strlen(value) > VIRTIO_BLK_ID_BYTES)
		return option_error(value, "serial is longer than 20 bytes");
	options->serial = value;
	return 1;
}

static int fail(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	return -1;
}

/*
 * The lock belongs to the open file, so it also excludes another disk of this process. The files of
 * a killed process stay open until io_uring has finished with them. Therefore this function tries
 * again for half a second.
 */
static int lock_image(int fd, bool read_only)
{
	const struct timespec moment = { .tv_nsec = LOCK_TRY_NS };

	for (unsigned int tries = 0;; tries++) {
		struct flock lock = { .l_type = read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET };

		if (fcntl(fd, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES))
			return 0;
		if (tries == LOCK_TRIES)
			return -1;
		(void)nanosleep(&moment, NULL);
	}
}

/* Checks an image and locks it. Returns 0, or -1 after printing what is wrong. */
static int check_image(int fd, const struct disk_options *options, uint64_t *bytes)
{
	switch (virtio_blk_file_size(fd, bytes)) {
	case 0:
		break;
	case VIRTIO_EINVAL:
		return fail(options->path, "not a file or block device");
	default:
		return fail(options->path, "can't read its size");
	}
	if (*bytes == 0)
		return fail(options->path, "empty: a disk has at least one byte");
	if (fcntl(fd, F_SETFL, 0))
		return fail(options->path, strerror(errno));
	if (lock_image(fd, options->read_only))
		return fail(options->path, "in use by another process");
	return 0;
}

static const char *serial(const struct disk_options *options)
{
	const char *slash = strrchr(options->path, '/');

	if (options->serial)
		return options->serial;
	return slash ? slash + 1 : options->path;
}

/*
 * Takes a value from the block device, unless the command line sets this value, or the device's
 * value is out of range. The device reports an unknown value as 0.
 */
static void take_from_device(struct disk_number numbers[DISK_NUMBERS], bool taken[DISK_NUMBERS], unsigned int i,
			     uint64_t value)
{
	if (numbers[i].given || value < table[i].min || value > table[i].max || value == 0)
		return;
	numbers[i] = (struct disk_number){ value, true };
	taken[i] = true;
}

/* Reads sysfs, because no ioctl returns the granularity of discards. */
static uint64_t read_discard_granularity(dev_t device)
{
	unsigned long long value = 0;
	char path[96];
	FILE *file;

	snprintf(path, sizeof path, "/sys/dev/block/%u:%u/queue/discard_granularity", major(device), minor(device));
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%llu", &value) != 1)
		value = 0;
	fclose(file);
	return value;
}

static void ask_device(int fd, dev_t device, struct disk_number numbers[DISK_NUMBERS], bool taken[DISK_NUMBERS])
{
	unsigned int physical = 0, min = 0, opt = 0;
	int logical = 0, offset = 0;

	if (ioctl(fd, BLKSSZGET, &logical) == 0 && logical > 0)
		take_from_device(numbers, taken, DISK_BLOCK_SIZE, (uint64_t)logical);
	if (ioctl(fd, BLKPBSZGET, &physical) == 0)
		take_from_device(numbers, taken, DISK_PHYSICAL_BLOCK_SIZE, physical);
	if (ioctl(fd, BLKALIGNOFF, &offset) == 0 && offset > 0)
		take_from_device(numbers, taken, DISK_ALIGNMENT_OFFSET, (uint64_t)offset);
	if (ioctl(fd, BLKIOMIN, &min) == 0)
		take_from_device(numbers, taken, DISK_MIN_IO_SIZE, min);
	if (ioctl(fd, BLKIOOPT, &opt) == 0)
		take_from_device(numbers, taken, DISK_OPT_IO_SIZE, opt);
	take_from_device(numbers, taken, DISK_DISCARD_GRANULARITY, read_discard_granularity(device));
}

/*
 * Prints the values that came from the device, as options. With these options the guest sees the
 * same disk on another host, even if the device there has other values.
 */
static void print_taken(const char *path, const struct disk_number numbers[DISK_NUMBERS],
			const bool taken[DISK_NUMBERS])
{
	const char *separator = "";

	printf("%s: taken from the device: ", path);
	for (unsigned int i = 0; i < DISK_NUMBERS; i++) {
		if (!taken[i])
			continue;
		printf("%s%s=%llu", separator, table[i].name, (unsigned long long)numbers[i].value);
		separator = ",";
	}
	printf("%s\n", *separator ? "" : "nothing");
}

static uint64_t number_or(const struct disk_number numbers[DISK_NUMBERS], unsigned int i, uint64_t fallback)
{
	return numbers[i].given ? numbers[i].value : fallback;
}

static uint8_t log2_of(uint64_t value)
{
	uint8_t result = 0;

	while (value >>= 1)
		result++;
	return result;
}

/*
 * Fills in all fields of the topology, because firmware and drivers read the fields without
 * negotiating VIRTIO_BLK_F_TOPOLOGY.
 */
static int set_blocks(const struct disk_options *options, const struct disk_number numbers[DISK_NUMBERS],
		      struct virtio_blk_options *blk)
{
	const uint64_t block = number_or(numbers, DISK_BLOCK_SIZE, VIRTIO_BLK_SECTOR_BYTES);
	const uint64_t usual = block > 4096 ? block : 4096;
	const uint64_t physical = number_or(numbers, DISK_PHYSICAL_BLOCK_SIZE, usual);
	const uint64_t min_io = number_or(numbers, DISK_MIN_IO_SIZE, physical) / block;

	if (physical < block)
		return fail(options->path, "physical-block-size is smaller than block-size");
	blk->blk_size = (uint32_t)block;
	blk->physical_block_exp = log2_of(physical / block);
	blk->alignment_offset = (uint8_t)(number_or(numbers, DISK_ALIGNMENT_OFFSET, 0) / block);
	blk->min_io_size = (uint16_t)(min_io == 0 ? 1 : min_io > UINT16_MAX ? UINT16_MAX : min_io);
	blk->opt_io_size = (uint32_t)(number_or(numbers, DISK_OPT_IO_SIZE, 0) / block);
	blk->discard_sector_alignment =
		(uint32_t)(number_or(numbers, DISK_DISCARD_GRANULARITY, physical) >> VIRTIO_BLK_SECTOR_SHIFT);
	return 0;
}

static void set_limits(const struct disk_number numbers[DISK_NUMBERS], struct virtio_blk_options *blk)
{
	const uint64_t discard = (uint64_t)blk->max_discard_sectors << VIRTIO_BLK_SECTOR_SHIFT;
	const uint64_t zeroes = (uint64_t)blk->max_write_zeroes_sectors << VIRTIO_BLK_SECTOR_SHIFT;

	blk->seg_max = (uint32_t)number_or(numbers, DISK_SEG_MAX, SEG_MAX);
	blk->size_max = (uint32_t)number_or(numbers, DISK_SIZE_MAX, 0);
	blk->max_request_bytes = number_or(numbers, DISK_MAX_REQUEST, 0);
	blk->max_discard_sectors = (uint32_t)(number_or(numbers, DISK_MAX_DISCARD, discard) >> VIRTIO_BLK_SECTOR_SHIFT);
	blk->max_discard_seg = (uint32_t)number_or(numbers, DISK_MAX_DISCARD_RANGES, blk->max_discard_seg);
	blk->max_write_zeroes_sectors =
		(uint32_t)(number_or(numbers, DISK_MAX_WRITE_ZEROES, zeroes) >> VIRTIO_BLK_SECTOR_SHIFT);
	if (blk->read_only || blk->max_discard_sectors == 0)
		blk->max_discard_sectors = blk->max_discard_seg = 0;
	if (blk->read_only || blk->max_write_zeroes_sectors == 0)
		blk->max_write_zeroes_sectors = blk->max_write_zeroes_seg = 0;
}

static int set_numbers(int fd, const struct disk_options *options, struct virtio_blk_options *blk)
{
	struct disk_number numbers[DISK_NUMBERS];
	bool taken[DISK_NUMBERS] = { false };
	struct stat st;

	memcpy(numbers, options->numbers, sizeof numbers);
	if (fstat(fd, &st) == 0 && S_ISBLK(st.st_mode)) {
		ask_device(fd, st.st_rdev, numbers, taken);
		print_taken(options->path, numbers, taken);
	}
	if (set_blocks(options, numbers, blk))
		return -1;
	set_limits(numbers, blk);
	return 0;
}

uint64_t disk_sectors(uint64_t bytes, const struct virtio_blk_options *blk)
{
	const uint64_t mask = blk->blk_size - 1;

	return (bytes >> VIRTIO_BLK_SECTOR_SHIFT) + (bytes & mask ? (blk->blk_size - (bytes & mask) + 511) / 512 : 0);
}

static void tell_of_rest(const char *path, uint64_t bytes, const struct virtio_blk_options *blk)
{
	if (bytes % blk->blk_size == 0)
		return;
	fprintf(stderr,
		"%s: %llu bytes are not whole blocks of %u. The guest reads zeroes after them. "
		"If the guest writes there, the file grows. `truncate -s %%%u' rounds the size up.\n",
		path, (unsigned long long)bytes, blk->blk_size, blk->blk_size);
}

int disk_open(const struct disk_options *options, struct virtio_blk_file *file, struct virtio_blk_options *blk)
{
	const int flags = (options->read_only ? O_RDONLY : O_RDWR) | O_NONBLOCK | O_CLOEXEC;
	const int fd = options->has_fd ? options->fd : open(options->path, flags);
	uint64_t bytes;

	if (fd < 0)
		return fail(options->path, strerror(errno));
	blk->read_only = options->read_only;
	if (check_image(fd, options, &bytes) == 0 && set_numbers(fd, options, blk) == 0) {
		blk->capacity = disk_sectors(bytes, blk);
		blk->write_zeroes_may_unmap = !options->read_only && virtio_blk_file_may_unmap(fd);
		memcpy(blk->id, serial(options), strnlen(serial(options), sizeof blk->id));
		if (virtio_blk_file_backend(file, fd, &blk->backend) == 0 &&
		    virtio_blk_file_set_block(file, blk->blk_size) == 0) {
			tell_of_rest(options->path, bytes, blk);
			return fd;
		}
		(void)fail(options->path, "can't be a disk");
	}
	close(fd);
	return -1;
}
