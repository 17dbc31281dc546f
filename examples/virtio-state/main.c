/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * virtio-state: prints saved states in readable form. For a bad state it prints what is wrong, and
 * at which byte.
 *
 * The values have the names from virtio-queue-ser/README.md. The program has no layouts of its own,
 * and uses the libraries' layouts. An unknown section is printed as bytes.
 */
#include <virtio/blk_state.h>
#include <virtio/console_state.h>
#include <virtio/device_state.h>
#include <virtio/queue_ser.h>
#include <virtio/vsock_state.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES (UINT32_C(1) << 30) /* largest buffer; a file may fill at most half of it */
#define STATE_BYTES 256               /* at least the size of the largest structure of values */
#define BYTES_PER_LINE 16

typedef const struct virtio_section_layout *layout_fn(void);

static layout_fn *const layouts[] = {
	virtio_device_layout, virtio_blk_layout,           virtio_console_layout,   virtio_console_input_layout,
	virtio_vsock_layout,  virtio_vsock_replies_layout, virtio_queue_ser_layout,
};

#define LAYOUTS (sizeof layouts / sizeof *layouts)

static const char help[] =
	"usage: virtio-state FILE...\n"
	"       virtio-state --sections\n"
	"\n"
	"Prints saved states. For a bad state it says what is wrong, and at which byte of the file.\n"
	"It checks the form of each section, and the values of queues. Only the device that\n"
	"restores the other values can check them.\n"
	"The exit status is 0 if all states are good, 1 if a state is bad, and 2 if a file can't\n"
	"be read.\n"
	"\n"
	"--sections prints the layouts that this program knows: for each value its offset,\n"
	"its bytes, its name, whether it is a bool, and the version and the default of a\n"
	"value that older sections lack.\n";

/* Reads a whole file. Returns its bytes, which the caller frees, or NULL with errno. */
static uint8_t *load(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;
	size_t capacity = 4096, got = 0;

	if (!file)
		return NULL;
	*length = 0;
	do {
		uint8_t *more = capacity <= MAX_BYTES ? realloc(bytes, capacity) : NULL;

		if (!more) {
			errno = ENOMEM;
			break;
		}
		bytes = more;
		got = fread(bytes + *length, 1, capacity - *length, file);
		*length += got;
		capacity *= 2;
	} while (got > 0);
	if (got > 0 || ferror(file) || !bytes) {
		free(bytes);
		bytes = NULL;
	}
	(void)fclose(file);
	return bytes;
}

static uint64_t value_of(const void *structure, const struct virtio_section_field *field)
{
	const uint8_t *at = (const uint8_t *)structure + field->offset;
	uint16_t two;
	uint32_t four;
	uint64_t eight;

	switch (field->bytes) {
	case 1:
		return *at;
	case 2:
		memcpy(&two, at, sizeof two);
		return two;
	case 4:
		memcpy(&four, at, sizeof four);
		return four;
	default:
		memcpy(&eight, at, sizeof eight);
		return eight;
	}
}

static void print_fields(const struct virtio_section_field *fields, uint32_t count, const void *structure,
			 const char *indent)
{
	for (uint32_t i = 0; i < count; i++) {
		const uint64_t value = value_of(structure, &fields[i]);

		printf("%s%s: %" PRIu64, indent, fields[i].name, value);
		if (value > 9)
			printf(" (0x%" PRIx64 ")", value);
		printf("\n");
	}
}

static void print_bytes(const uint8_t *bytes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		printf("%s%02x%s", i % BYTES_PER_LINE ? " " : "  ", bytes[i],
		       i + 1 == count || i % BYTES_PER_LINE == BYTES_PER_LINE - 1 ? "\n" : "");
}

static const struct virtio_section_layout *find_layout(const struct virtio_section *section)
{
	for (size_t i = 0; i < LAYOUTS; i++)
		if (strcmp(layouts[i]()->name, section->name) == 0)
			return layouts[i]();
	return NULL;
}

/*
 * Prints a section whose layout is known. Returns 0, the reader's error, or VIRTIO_ENOBUFS if
 * memory is short.
 */
static int print_known(struct virtio_section_reader *reader, const struct virtio_section_layout *layout,
		       const struct virtio_section *section)
{
	/* Each entry has at least one byte, so a section can't have more entries than bytes. */
	const uint32_t capacity = layout->entries ? section->bytes : 0;
	uint64_t state[STATE_BYTES / 8] = { 0 };
	uint8_t *entries = capacity ? calloc(capacity, layout->entry_size) : NULL;
	uint32_t count = 0;
	int error = VIRTIO_ENOBUFS;

	if (entries || capacity == 0)
		error = virtio_section_read(reader, layout, section->device, section->index, state, entries, capacity,
					    &count, NULL);
	if (!error)
		print_fields(layout->fields, layout->field_count, state, "  ");
	if (!error && layout->entries)
		printf("  %s: %" PRIu32 "\n", layout->entries, count);
	for (uint32_t i = 0; i < count && !error; i++) {
		printf("  %s[%" PRIu32 "]:\n", layout->entries, i);
		print_fields(layout->entry_fields, layout->entry_field_count, entries + (size_t)i * layout->entry_size,
			     "    ");
	}
	free(entries);
	return error;
}

/*
 * Checks the values of a queue, as far as possible without a queue to restore them into. Returns
 * the same values as print_known().
 */
static int judge_queue(struct virtio_section_reader *reader, const struct virtio_section *section)
{
	struct virtio_queue_flight *record = calloc((size_t)section->bytes + 1, sizeof *record);
	struct virtio_queue_state state;
	uint32_t count;
	int error = VIRTIO_ENOBUFS;

	virtio_section_rewind(reader, section);
	if (record)
		error = virtio_queue_ser_read(reader, section->device, section->index, NULL, NULL, &state, record,
					      section->bytes, &count, NULL);
	free(record);
	return error;
}

static int print_section(struct virtio_section_reader *reader, const struct virtio_section *section)
{
	const struct virtio_section_layout *layout = find_layout(section);
	int error;

	printf("section %s: version %u, device %" PRIu32 ", index %" PRIu32 ", %" PRIu32 " bytes at %zu%s\n",
	       section->name, section->version, section->device, section->index, section->bytes, section->offset,
	       section->skippable ? ", may be skipped" : "");
	if (!layout) {
		printf("  not known to this program\n");
		print_bytes(reader->bytes + section->offset, section->bytes);
		return 0;
	}
	virtio_section_rewind(reader, section);
	error = print_known(reader, layout, section);
	return error || layout != virtio_queue_ser_layout() ? error : judge_queue(reader, section);
}

static void print_head(const struct virtio_section_reader *reader, size_t length)
{
	uint8_t id[VIRTIO_QUEUE_SER_ID_BYTES];

	printf("saved state: version %" PRIu32 ", %zu bytes\n", virtio_queue_ser_get_id(reader, id), length);
	printf("id:");
	for (size_t i = 0; i < sizeof id; i++)
		printf(" %02x", id[i]);
	printf("\n");
}

/* Prints a state. Returns whether it is valid. */
static int print_state(const uint8_t *bytes, size_t length)
{
	struct virtio_section_reader reader;
	struct virtio_section section;
	char text[512];
	int got = virtio_queue_ser_open(&reader, bytes, length, NULL);

	if (!got)
		print_head(&reader, length);
	while (!got && (got = virtio_section_next(&reader, &section)) == 1)
		got = print_section(&reader, &section);
	if (!got)
		return 1;
	(void)virtio_section_describe(&reader.fault, text, sizeof text);
	printf("BAD: %s\n", reader.fault.error ? text : virtio_strerror(got));
	return 0;
}

/* Prints the layout of consecutive values. Returns the offset after the last value. */
static uint32_t print_places(const struct virtio_section_field *fields, uint32_t count, const char *indent)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < count; i++) {
		printf("%s%" PRIu32 " %u %s%s", indent, at, fields[i].bytes, fields[i].name,
		       fields[i].boolean ? " bool" : "");
		if (fields[i].since > 1)
			printf(" since %u default %" PRIu64, fields[i].since, fields[i].fallback);
		printf("\n");
		at += fields[i].bytes;
	}
	return at;
}

static int print_sections(void)
{
	for (size_t i = 0; i < LAYOUTS; i++) {
		const struct virtio_section_layout *layout = layouts[i]();
		uint32_t at;

		printf("section %s version %u%s\n", layout->name, layout->version,
		       layout->skippable ? " skippable" : "");
		at = print_places(layout->fields, layout->field_count, "  ");
		if (!layout->entries)
			continue;
		printf("  %" PRIu32 " 4 %s list\n", at, layout->entries);
		(void)print_places(layout->entry_fields, layout->entry_field_count, "    ");
	}
	return fflush(stdout) || ferror(stdout) ? 2 : 0;
}

int main(int argc, char **argv)
{
	int status = 0;

	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		(void)fputs(help, argc < 2 ? stderr : stdout);
		return argc < 2 ? 2 : 0;
	}
	if (argc == 2 && strcmp(argv[1], "--sections") == 0)
		return print_sections();
	for (int i = 1; i < argc; i++) {
		size_t length;
		uint8_t *bytes = load(argv[i], &length);

		if (argc > 2)
			printf("%s:\n", argv[i]);
		if (!bytes) {
			fprintf(stderr, "virtio-state: %s: %s\n", argv[i], strerror(errno));
			status = 2;
			continue;
		}
		if (!print_state(bytes, length) && status == 0)
			status = 1;
		free(bytes);
	}
	return fflush(stdout) || ferror(stdout) ? 2 : status;
}
