/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Writes and reads the sections of a saved state by the tables that describe them. */
#include <string.h>
#include <virtio/endian.h>
#include <virtio/section.h>

/* Offsets in a section's header. */
#define HEADER_DEVICE 16
#define HEADER_INDEX 20
#define HEADER_VERSION 24
#define HEADER_FLAGS 26
#define HEADER_BYTES 28

#define FLAG_SKIPPABLE 1u

#define COUNT_BYTES 4 /* bytes of the count in front of the entries */

/* Returns the length of the values in a section of this version. */
static uint32_t fields_bytes(const struct virtio_section_field *fields, uint32_t count, uint32_t version)
{
	uint32_t bytes = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (fields[i].since <= version)
			bytes += fields[i].bytes;
	}
	return bytes;
}

static uint32_t entry_bytes(const struct virtio_section_layout *layout, uint32_t version)
{
	return fields_bytes(layout->entry_fields, layout->entry_field_count, version);
}

/*
 * Returns the length of a section's content. Returns 0 if the layout has no list but count is not
 * 0, or the content would be too long.
 */
static uint32_t content_bytes(const struct virtio_section_layout *layout, uint32_t count)
{
	uint64_t bytes = fields_bytes(layout->fields, layout->field_count, layout->version);

	if (!layout->entries)
		return count == 0 ? (uint32_t)bytes : 0;
	bytes += COUNT_BYTES + (uint64_t)count * entry_bytes(layout, layout->version);
	return bytes <= VIRTIO_SECTION_MAX_BYTES ? (uint32_t)bytes : 0;
}

/* Writing */

void virtio_section_writer_init(struct virtio_section_writer *writer, void *bytes, size_t capacity)
{
	*writer = (struct virtio_section_writer){ .bytes = (uint8_t *)bytes, .capacity = bytes ? capacity : 0 };
}

void virtio_section_put(struct virtio_section_writer *writer, const void *bytes, size_t count)
{
	const size_t room = writer->length < writer->capacity ? writer->capacity - writer->length : 0;

	if (writer->error)
		return;
	if (SIZE_MAX - writer->length < count) {
		writer->error = VIRTIO_EINVAL;
		return;
	}
	/* Writes a value only if the whole value fits, because a part would be useless. */
	if (count <= room && count > 0 && bytes)
		memcpy(writer->bytes + writer->length, bytes, count);
	else if (count <= room && count > 0)
		memset(writer->bytes + writer->length, 0, count);
	else if (count > 0)
		writer->capacity = writer->length < writer->capacity ? writer->length : writer->capacity;
	writer->length += count;
}

static void put_number(struct virtio_section_writer *writer, uint64_t value, uint32_t count)
{
	uint8_t bytes[8];

	virtio_put_le64(bytes, value);
	virtio_section_put(writer, bytes, count);
}

/* Returns the value of a member. */
static uint64_t load(const void *structure, const struct virtio_section_field *field)
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

static void store(void *structure, const struct virtio_section_field *field, uint64_t value)
{
	uint8_t *at = (uint8_t *)structure + field->offset;
	const uint16_t two = (uint16_t)value;
	const uint32_t four = (uint32_t)value;

	switch (field->bytes) {
	case 1:
		*at = (uint8_t)value;
		break;
	case 2:
		memcpy(at, &two, sizeof two);
		break;
	case 4:
		memcpy(at, &four, sizeof four);
		break;
	default:
		memcpy(at, &value, sizeof value);
	}
}

static void put_fields(struct virtio_section_writer *writer, const struct virtio_section_field *fields, uint32_t count,
		       const void *structure)
{
	for (uint32_t i = 0; i < count; i++)
		put_number(writer, load(structure, &fields[i]), fields[i].bytes);
}

void virtio_section_begin(struct virtio_section_writer *writer, const struct virtio_section_layout *layout,
			  uint32_t device, uint32_t index, const void *state, uint32_t count)
{
	const uint32_t bytes = content_bytes(layout, count);
	char name[VIRTIO_SECTION_NAME_MAX] = { 0 };

	if (bytes == 0 && !writer->error)
		writer->error = VIRTIO_EINVAL;
	for (uint32_t i = 0; i < sizeof name && layout->name[i]; i++)
		name[i] = layout->name[i];
	virtio_section_put(writer, name, sizeof name);
	put_number(writer, device, 4);
	put_number(writer, index, 4);
	put_number(writer, layout->version, 2);
	put_number(writer, layout->skippable ? FLAG_SKIPPABLE : 0, 2);
	put_number(writer, bytes, 4);
	put_fields(writer, layout->fields, layout->field_count, state);
	if (layout->entries)
		put_number(writer, count, COUNT_BYTES);
}

void virtio_section_entries(struct virtio_section_writer *writer, const struct virtio_section_layout *layout,
			    const void *entries, uint32_t count)
{
	/* Entries of one byte are copied as they are. */
	if (layout->entry_size == 1) {
		virtio_section_put(writer, entries, count);
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		put_fields(writer, layout->entry_fields, layout->entry_field_count,
			   (const uint8_t *)entries + (size_t)i * layout->entry_size);
}

void virtio_section_write(struct virtio_section_writer *writer, const struct virtio_section_layout *layout,
			  uint32_t device, uint32_t index, const void *state, const void *entries, uint32_t count)
{
	virtio_section_begin(writer, layout, device, index, state, count);
	virtio_section_entries(writer, layout, entries, count);
}

/* Reading */

void virtio_section_reader_init(struct virtio_section_reader *reader, const void *bytes, size_t begin, size_t end)
{
	*reader = (struct virtio_section_reader){
		.bytes = (const uint8_t *)bytes,
		.at = begin,
		.end = end < begin ? begin : end,
	};
}

void virtio_section_report_skipped(struct virtio_section_reader *reader, struct virtio_section *skipped,
				   uint32_t capacity)
{
	reader->skipped = skipped;
	reader->skipped_capacity = skipped ? capacity : 0;
}

/* Reads a little-endian number of 1, 2, 4 or 8 bytes, and returns its value. */
static uint64_t get_number(const uint8_t *at, uint32_t count)
{
	uint8_t bytes[8] = { 0 };

	memcpy(bytes, at, count);
	return virtio_get_le64(bytes);
}

/* Makes a fault for a section. The caller adds the reason and the numbers. */
static struct virtio_section_fault about(const struct virtio_section *section, size_t offset)
{
	return (struct virtio_section_fault){ .section = *section, .entry = VIRTIO_SECTION_NO_ENTRY, .offset = offset };
}

/* Stores a fault, unless the reader already has a fault. Returns the error of the first fault. */
static int keep(struct virtio_section_reader *reader, const struct virtio_section_fault *fault,
		enum virtio_section_reason reason, int error)
{
	if (reader->fault.error)
		return reader->fault.error;
	reader->fault = *fault;
	reader->fault.reason = reason;
	reader->fault.error = error;
	return error;
}

/* Completes a fault of a value in a section's header or content. Returns VIRTIO_EFORMAT. */
static int bad_header(struct virtio_section_fault *fault, const char *field, size_t offset, uint64_t found,
		      enum virtio_section_reason reason)
{
	fault->field = field;
	fault->offset = offset;
	fault->found = found;
	fault->reason = reason;
	return VIRTIO_EFORMAT;
}

/* Copies a name up to its first invalid byte. Returns whether the name is valid. */
static bool take_name(const uint8_t *from, char to[VIRTIO_SECTION_NAME_MAX + 1])
{
	uint32_t length = 0;

	while (length < VIRTIO_SECTION_NAME_MAX && from[length] > ' ' && from[length] < 0x7f) {
		to[length] = (char)from[length];
		length++;
	}
	for (uint32_t i = length; i <= VIRTIO_SECTION_NAME_MAX; i++)
		to[i] = '\0';
	for (uint32_t i = length; i < VIRTIO_SECTION_NAME_MAX; i++) {
		if (from[i] != 0)
			return false;
	}
	return length > 0;
}

/* Reads the header at an offset. Returns 1, 0 at the end, or an error that *fault describes. */
static int parse_header(const struct virtio_section_reader *reader, size_t at, struct virtio_section *section,
			struct virtio_section_fault *fault)
{
	const uint8_t *header;
	uint32_t flags;

	*section = (struct virtio_section){ .offset = at };
	if (at == reader->end)
		return 0;
	header = reader->bytes + at;
	*fault = about(section, at);
	if (reader->end - at < VIRTIO_SECTION_HEADER_BYTES)
		return bad_header(fault, NULL, at, reader->end - at, VIRTIO_SECTION_HEADER_SHORT);
	flags = virtio_get_le16(header + HEADER_FLAGS);
	section->device = virtio_get_le32(header + HEADER_DEVICE);
	section->index = virtio_get_le32(header + HEADER_INDEX);
	section->version = virtio_get_le16(header + HEADER_VERSION);
	section->skippable = flags == FLAG_SKIPPABLE;
	section->bytes = virtio_get_le32(header + HEADER_BYTES);
	section->offset = at + VIRTIO_SECTION_HEADER_BYTES;
	if (!take_name(header, section->name)) {
		*fault = about(section, at);
		return bad_header(fault, "name", at, header[0], VIRTIO_SECTION_BAD_NAME);
	}
	*fault = about(section, at);
	if (flags & ~FLAG_SKIPPABLE)
		return bad_header(fault, "flags", at + HEADER_FLAGS, flags, VIRTIO_SECTION_BAD_FLAGS);
	fault->expected = reader->end - section->offset;
	if (section->bytes > fault->expected)
		return bad_header(fault, "length", at + HEADER_BYTES, section->bytes, VIRTIO_SECTION_CONTENT_SHORT);
	return 1;
}

static bool is_wanted(const struct virtio_section *section, const struct virtio_section_layout *layout, uint32_t device,
		      uint32_t index)
{
	uint32_t i = 0;

	while (i < VIRTIO_SECTION_NAME_MAX && layout->name[i] && section->name[i] == layout->name[i])
		i++;
	return section->device == device && section->index == index && section->name[i] == '\0' &&
	       (i == VIRTIO_SECTION_NAME_MAX || layout->name[i] == '\0');
}

static size_t behind(const struct virtio_section *section)
{
	return section->offset + section->bytes;
}

static void skip(struct virtio_section_reader *reader, const struct virtio_section *section)
{
	if (reader->skipped_count < reader->skipped_capacity)
		reader->skipped[reader->skipped_count] = *section;
	reader->skipped_count++;
	reader->at = behind(section);
}

/* Finds a section. Skips all sections before it that may be skipped. */
static int find(struct virtio_section_reader *reader, const struct virtio_section_layout *layout, uint32_t device,
		uint32_t index, struct virtio_section *section)
{
	for (;;) {
		struct virtio_section_fault fault;
		const int got = parse_header(reader, reader->at, section, &fault);

		if (got < 0)
			return keep(reader, &fault, fault.reason, got);
		if (got == 1 && is_wanted(section, layout, device, index))
			return 0;
		if (got == 1 && section->skippable) {
			skip(reader, section);
			continue;
		}
		if (got == 1) {
			fault = about(section, reader->at);
			return keep(reader, &fault, VIRTIO_SECTION_UNKNOWN, VIRTIO_EFORMAT);
		}
		section->device = device;
		section->index = index;
		for (uint32_t i = 0; i < VIRTIO_SECTION_NAME_MAX && layout->name[i]; i++)
			section->name[i] = layout->name[i];
		fault = about(section, reader->at);
		return keep(reader, &fault, VIRTIO_SECTION_ABSENT, VIRTIO_EFORMAT);
	}
}

bool virtio_section_is_next(const struct virtio_section_reader *reader, const struct virtio_section_layout *layout,
			    uint32_t device, uint32_t index)
{
	struct virtio_section section;
	struct virtio_section_fault fault;
	size_t at = reader->at;

	while (!reader->fault.error && parse_header(reader, at, &section, &fault) == 1) {
		if (is_wanted(&section, layout, device, index))
			return true;
		if (!section.skippable)
			return false;
		at = behind(&section);
	}
	return false;
}

/* The position of a walk over a section's values. */
struct walk {
	const uint8_t *bytes;
	size_t at;
	size_t end;
	uint16_t version;
};

/*
 * Walks over the values of one structure. Fills in `structure`, or only checks the values if
 * `structure` is NULL. Returns 0, or an error that *fault describes.
 */
static int walk_fields(struct walk *walk, const struct virtio_section_field *fields, uint32_t count, void *structure,
		       struct virtio_section_fault *fault)
{
	for (uint32_t i = 0; i < count; i++) {
		uint64_t value = fields[i].fallback;

		if (fields[i].since <= walk->version) {
			fault->field = fields[i].name;
			fault->offset = walk->at;
			if (walk->end - walk->at < fields[i].bytes)
				return bad_header(fault, fields[i].name, walk->at, walk->end - walk->at,
						  VIRTIO_SECTION_MISSING_BYTES);
			value = get_number(walk->bytes + walk->at, fields[i].bytes);
			if (fields[i].boolean && value > 1) {
				(void)bad_header(fault, fields[i].name, walk->at, value, VIRTIO_SECTION_NOT_A_BOOL);
				return VIRTIO_EINVAL;
			}
			walk->at += fields[i].bytes;
		}
		if (structure)
			store(structure, &fields[i], value);
	}
	return 0;
}

/* Walks over the entries. Fills in the array, or only checks the values if the array is NULL. */
static int walk_entries(struct walk *walk, const struct virtio_section_layout *layout, void *entries, uint32_t count,
			struct virtio_section_fault *fault)
{
	int error = 0;

	fault->list = layout->entries;
	for (uint32_t i = 0; i < count && !error; i++) {
		uint8_t *entry = entries ? (uint8_t *)entries + (size_t)i * layout->entry_size : NULL;

		fault->entry = i;
		error = walk_fields(walk, layout->entry_fields, layout->entry_field_count, entry, fault);
	}
	return error;
}

/* Reads the number of entries. The remaining bytes must hold all entries. */
static int take_count(struct walk *walk, const struct virtio_section_layout *layout, uint32_t *count,
		      struct virtio_section_fault *fault)
{
	const uint32_t each = entry_bytes(layout, walk->version);

	fault->field = layout->entries;
	fault->offset = walk->at;
	if (walk->end - walk->at < COUNT_BYTES)
		return bad_header(fault, layout->entries, walk->at, walk->end - walk->at, VIRTIO_SECTION_MISSING_BYTES);
	*count = virtio_get_le32(walk->bytes + walk->at);
	fault->found = *count;
	walk->at += COUNT_BYTES;
	/* This check also bounds the loops over the entries. */
	if ((uint64_t)*count * each > walk->end - walk->at)
		return bad_header(fault, layout->entries, fault->offset, *count, VIRTIO_SECTION_MISSING_BYTES);
	return 0;
}

/*
 * Checks the content of a section, and stores it in `state` and `entries`. If both pointers are
 * NULL, stores nothing.
 */
static int walk_content(struct walk *walk, const struct virtio_section_layout *layout, void *state, void *entries,
			uint32_t capacity, uint32_t *count, struct virtio_section_fault *fault)
{
	int error = walk_fields(walk, layout->fields, layout->field_count, state, fault);

	*count = 0;
	if (layout->entries && !error)
		error = take_count(walk, layout, count, fault);
	if (!error && *count > capacity) {
		fault->expected = capacity;
		fault->reason = VIRTIO_SECTION_TOO_MANY_ENTRIES;
		return VIRTIO_ENOBUFS;
	}
	if (!error)
		error = walk_entries(walk, layout, entries, *count, fault);
	if (error || walk->at == walk->end)
		return error;
	fault->entry = VIRTIO_SECTION_NO_ENTRY;
	return bad_header(fault, NULL, walk->at, walk->end - walk->at, VIRTIO_SECTION_EXTRA_BYTES);
}

static struct walk begin_walk(const struct virtio_section_reader *reader, const struct virtio_section *section)
{
	return (struct walk){ reader->bytes, section->offset, behind(section), section->version };
}

static int check_version(const struct virtio_section *section, const struct virtio_section_layout *layout,
			 struct virtio_section_fault *fault)
{
	/* The file and the layout must agree on whether the section may be skipped. */
	if (section->skippable != layout->skippable)
		return bad_header(fault, "flags", section->offset - VIRTIO_SECTION_HEADER_BYTES + HEADER_FLAGS,
				  section->skippable, VIRTIO_SECTION_BAD_FLAGS);
	if (section->version >= 1 && section->version <= layout->version)
		return 0;
	fault->oldest = 1;
	fault->newest = layout->version;
	(void)bad_header(fault, "version", section->offset - VIRTIO_SECTION_HEADER_BYTES + HEADER_VERSION,
			 section->version, VIRTIO_SECTION_VERSION);
	return VIRTIO_EVERSION;
}

int virtio_section_read(struct virtio_section_reader *reader, const struct virtio_section_layout *layout,
			uint32_t device, uint32_t index, void *state, void *entries, uint32_t capacity, uint32_t *count,
			struct virtio_section *where)
{
	struct virtio_section section;
	struct virtio_section_fault fault;
	struct walk walk;
	uint32_t found, again;
	int error = reader->fault.error ? reader->fault.error : find(reader, layout, device, index, &section);

	if (error)
		return error;
	fault = about(&section, section.offset);
	walk = begin_walk(reader, &section);
	error = check_version(&section, layout, &fault);
	if (!error)
		error = walk_content(&walk, layout, NULL, NULL, capacity, &found, &fault);
	if (error)
		return keep(reader, &fault, fault.reason, error);
	/*
	 * The same walk has just succeeded as a check. So this walk fails only if the caller has
	 * changed the bytes since then.
	 */
	walk = begin_walk(reader, &section);
	error = walk_content(&walk, layout, state, entries, capacity, &again, &fault);
	if (error)
		return keep(reader, &fault, fault.reason, error);
	found = again < found ? again : found;
	if (count)
		*count = found;
	if (where)
		*where = section;
	reader->at = behind(&section);
	return 0;
}

int virtio_section_next(struct virtio_section_reader *reader, struct virtio_section *out)
{
	struct virtio_section section;
	struct virtio_section_fault fault;
	int got;

	if (reader->fault.error)
		return reader->fault.error;
	got = parse_header(reader, reader->at, &section, &fault);
	if (got < 0)
		return keep(reader, &fault, fault.reason, got);
	if (got == 0)
		return 0;
	reader->at = behind(&section);
	*out = section;
	return 1;
}

void virtio_section_rewind(struct virtio_section_reader *reader, const struct virtio_section *section)
{
	if (!reader->fault.error)
		reader->at = section->offset - VIRTIO_SECTION_HEADER_BYTES;
}

int virtio_section_reader_end(struct virtio_section_reader *reader)
{
	while (!reader->fault.error && reader->at != reader->end) {
		struct virtio_section section;
		struct virtio_section_fault fault;
		const int got = parse_header(reader, reader->at, &section, &fault);

		if (got < 0)
			return keep(reader, &fault, fault.reason, got);
		if (!section.skippable) {
			fault = about(&section, reader->at);
			return keep(reader, &fault, VIRTIO_SECTION_UNKNOWN, VIRTIO_EFORMAT);
		}
		skip(reader, &section);
	}
	return reader->fault.error;
}

/* Refusing */

static bool same_text(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Returns n from a name of the form name[n]; 0 for a name without brackets. */
static uint32_t element_of(const char *name)
{
	uint32_t n = 0;

	while (*name && *name != '[')
		name++;
	while (*name && *++name >= '0' && *name <= '9')
		n = 10 * n + (uint32_t)(*name - '0');
	return n;
}

/*
 * Finds a field by its name among the fields that begin at fault->offset, and describes the field's
 * value in *fault. Returns whether the field exists.
 */
static bool locate(const struct virtio_section_reader *reader, const struct virtio_section_field *fields,
		   uint32_t count, const char *name, struct virtio_section_fault *fault)
{
	size_t at = fault->offset;

	for (uint32_t i = 0; i < count; i++) {
		const bool present = fields[i].since <= fault->section.version;

		if (same_text(fields[i].name, name)) {
			fault->field = fields[i].name;
			fault->offset = at;
			fault->first_bit = 8 * fields[i].bytes * element_of(name);
			fault->found = present ? get_number(reader->bytes + at, fields[i].bytes) : fields[i].fallback;
			return true;
		}
		at += present ? fields[i].bytes : 0;
	}
	return false;
}

int virtio_section_refuse(struct virtio_section_reader *reader, const struct virtio_section_layout *layout,
			  const struct virtio_section *where, const struct virtio_refusal *refusal, int error)
{
	const size_t list = where->offset + fields_bytes(layout->fields, layout->field_count, where->version);
	struct virtio_section_fault fault = about(where, where->offset);

	fault.bits = refusal->bits;
	if (refusal->field && refusal->entry != VIRTIO_SECTION_NO_ENTRY) {
		fault.offset = list + COUNT_BYTES + (size_t)refusal->entry * entry_bytes(layout, where->version);
		fault.list = layout->entries;
		fault.entry = refusal->entry;
		(void)locate(reader, layout->entry_fields, layout->entry_field_count, refusal->field, &fault);
	} else if (refusal->field && layout->entries && same_text(refusal->field, layout->entries)) {
		fault.offset = list;
		fault.field = layout->entries;
		fault.found = virtio_get_le32(reader->bytes + list);
	} else if (refusal->field) {
		(void)locate(reader, layout->fields, layout->field_count, refusal->field, &fault);
	}
	return keep(reader, &fault, VIRTIO_SECTION_REFUSED, error);
}
