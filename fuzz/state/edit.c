/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "edit.h"

#include "format.h"

/* The offsets of a file's sections, which depend only on the lengths of the sections. */
struct outline {
	/* The start of each section, then the end of the last section. */
	size_t at[FORMAT_SECTIONS + 1];
	uint32_t count;
};

static void outline(const struct edit_file *file, struct outline *out)
{
	const size_t end = file->length < FORMAT_FRAME ? 0 : file->length - 4;
	size_t at = FORMAT_BEGIN;

	*out = (struct outline){ .at = { at } };
	while (out->count < FORMAT_SECTIONS && at < end && end - at >= FORMAT_HEADER) {
		const uint64_t bytes = FORMAT_HEADER + format_number(file->bytes + at + 28, 4);

		if (bytes > end - at)
			return;
		at += (size_t)bytes;
		out->at[++out->count] = at;
	}
}

/* Returns the kind of the section with this header, or NULL. */
static const struct format_kind *kind_at(const uint8_t *header)
{
	static const struct format_kind *const kinds[] = {
		&format_device, &format_blk,   &format_queue,   &format_console,
		&format_input,  &format_vsock, &format_replies,
	};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		/*
		 * A header has 16 bytes for the name, padded with zeroes. The longest name has 13
		 * characters, so in the header a zero follows each name.
		 */
		if (memcmp(header, kinds[i]->name, strlen(kinds[i]->name) + 1) == 0)
			return kinds[i];
	}
	return NULL;
}

/* Removes bytes. The file must have these bytes. */
static void cut(struct edit_file *file, size_t at, size_t count)
{
	memmove(file->bytes + at, file->bytes + at + count, file->length - at - count);
	file->length -= count;
}

/* Makes room for `count` bytes at an offset. Returns false if the file would become too long. */
static bool grow(struct edit_file *file, size_t at, size_t count)
{
	if (count > EDIT_ROOM - file->length)
		return false;
	memmove(file->bytes + at + count, file->bytes + at, file->length - at);
	file->length += count;
	return true;
}

/* Copies a part of the file, and inserts the copy at `to`. Does nothing if there is no room. */
static void copy(struct edit_file *file, size_t from, size_t count, size_t to)
{
	uint8_t *bytes = fuzz_alloc(count);

	memcpy(bytes, file->bytes + from, count);
	if (grow(file, to, count))
		memcpy(file->bytes + to, bytes, count);
	free(bytes);
}

/* Adds to a number in the file. */
static void add(struct edit_file *file, size_t at, uint32_t bytes, uint64_t difference)
{
	format_put(file->bytes + at, bytes, format_number(file->bytes + at, bytes) + difference);
}

/*
 * Returns section number n. The result's `count` is the number of entries that fit the section, not
 * the number in the file. The result's `kind` is NULL if the section is unknown or too short.
 */
static struct format_section known_section(const struct edit_file *file, const struct outline *o, uint32_t n)
{
	struct format_section section = { .header = o->at[n], .content = o->at[n] + FORMAT_HEADER };
	uint64_t version;
	size_t front, each;

	section.bytes = (uint32_t)(o->at[n + 1] - section.content);
	section.kind = kind_at(file->bytes + section.header);
	if (!section.kind)
		return section;
	/* A section of an unknown version is treated like a section of the newest version. */
	version = format_number(file->bytes + section.header + 24, 2);
	section.version = (uint8_t)(version >= 1 && version < section.kind->version ? version : section.kind->version);
	front = format_list(&section) - section.content + (section.kind->list ? 4 : 0);
	if (section.bytes < front) {
		section.kind = NULL;
	} else if (section.kind->list) {
		each = format_entry_bytes(section.kind, section.version);
		section.count = (uint32_t)((section.bytes - front) / each);
	}
	return section;
}

/*
 * Chooses a value of a section, or the count of the section's list. Returns the size of the value,
 * or 0 if the section has no such value.
 */
static uint32_t choose_value(const struct edit_file *file, const struct outline *o, struct fuzz_input *in, size_t *at)
{
	const struct format_section section = known_section(file, o, fuzz_u8(in) % o->count);
	const uint32_t entry = fuzz_u8(in), field = fuzz_u8(in);
	const struct format_kind *kind = section.kind;
	uint8_t bytes = 0;

	if (!kind)
		return 0;
	if (entry == 255 || section.count == 0) {
		const uint32_t n = field % (kind->field_count + 1);

		if (n == kind->field_count) {
			*at = format_list(&section);
			return kind->list ? 4 : 0;
		}
		return format_find(&section, kind->fields[n].name, FORMAT_FRONT, at, &bytes) ? bytes : 0;
	}
	return format_find(&section, kind->entry_fields[field % kind->entry_field_count].name, entry % section.count,
			   at, &bytes)
		       ? bytes
		       : 0;
}

static void edit_value(struct edit_file *file, const struct outline *o, enum state_step step, struct fuzz_input *in)
{
	size_t at = 0;
	const uint32_t bytes = choose_value(file, o, in, &at);

	if (step == STATE_NUDGE)
		add(file, at, bytes, (uint64_t)(int8_t)fuzz_u8(in));
	else
		format_put(file->bytes + at, bytes, fuzz_number(in));
}

static void edit_header(struct edit_file *file, const struct outline *o, struct fuzz_input *in)
{
	static const uint8_t offsets[] = { 16, 20, 24, 26, 28 }, sizes[] = { 4, 4, 2, 2, 4 };
	const size_t header = o->at[fuzz_u8(in) % o->count];
	const uint32_t n = fuzz_u8(in) % sizeof offsets;

	format_put(file->bytes + header + offsets[n], sizes[n], fuzz_number(in));
}

static void edit_entry(struct edit_file *file, const struct outline *o, struct fuzz_input *in)
{
	const struct format_section section = known_section(file, o, fuzz_u8(in) % o->count);
	const uint32_t entry = fuzz_u8(in);
	const bool more = fuzz_u8(in) & 1;
	size_t each, at;

	if (!section.kind || section.count == 0)
		return;
	each = format_entry_bytes(section.kind, section.version);
	at = format_list(&section) + 4 + entry % section.count * each;
	if (more && file->length + each <= EDIT_ROOM)
		copy(file, at, each, at);
	else if (!more)
		cut(file, at, each);
	else
		return;
	add(file, format_list(&section), 4, more ? 1 : (uint64_t)-1);
	add(file, section.header + 28, 4, more ? each : 0 - (uint64_t)each);
}

/*
 * Removes the values that the section's version added. @at is the offset of an entry, or of the
 * values before the list. Returns the number of bytes removed.
 */
static size_t cut_newest(struct edit_file *file, size_t at, const struct format_field *fields, uint32_t count,
			 const struct format_section *section)
{
	const size_t before = file->length;

	for (uint32_t i = 0; i < count; i++) {
		if (fields[i].since > section->version)
			continue;
		if (fields[i].since == section->version && section->version > 1)
			cut(file, at, fields[i].bytes);
		else
			at += fields[i].bytes;
	}
	return before - file->length;
}

/*
 * Converts a section to the previous version. Removes the values that the previous version lacks,
 * and keeps all others.
 */
static void edit_old(struct edit_file *file, const struct outline *o, struct fuzz_input *in)
{
	const struct format_section section = known_section(file, o, fuzz_u8(in) % o->count);
	const struct format_kind *kind = section.kind;
	size_t at, gone;

	if (!kind || section.version == 1)
		return;
	at = format_list(&section) + 4 + section.count * format_entry_bytes(kind, section.version);
	for (gone = 0; kind->list && at > format_list(&section) + 4;) {
		at -= format_entry_bytes(kind, section.version);
		gone += cut_newest(file, at, kind->entry_fields, kind->entry_field_count, &section);
	}
	gone += cut_newest(file, section.content, kind->fields, kind->field_count, &section);
	format_put(file->bytes + section.header + 24, 2, section.version - 1u);
	add(file, section.header + 28, 4, 0 - (uint64_t)gone);
}

static void edit_strange(struct edit_file *file, const struct outline *o, struct fuzz_input *in)
{
	const size_t at = o->at[fuzz_u8(in) % (o->count + 1)];
	const uint8_t flags = fuzz_u8(in);
	const uint8_t bytes = fuzz_u8(in);

	if (!grow(file, at, FORMAT_HEADER + bytes))
		return;
	memset(file->bytes + at, 0, FORMAT_HEADER + bytes);
	memcpy(file->bytes + at, "strange", 7);
	format_put(file->bytes + at + 24, 2, 9);
	format_put(file->bytes + at + 26, 2, flags);
	format_put(file->bytes + at + 28, 4, bytes);
}

/* Carries out a step that needs a section. */
static void edit_sections(struct edit_file *file, const struct outline *o, enum state_step step, struct fuzz_input *in)
{
	uint32_t n;
	size_t from, bytes, to;

	switch (step) {
	case STATE_FIELD:
	case STATE_NUDGE:
		edit_value(file, o, step, in);
		return;
	case STATE_HEADER:
		edit_header(file, o, in);
		return;
	case STATE_ENTRY:
		edit_entry(file, o, in);
		return;
	case STATE_STRANGE:
		edit_strange(file, o, in);
		return;
	case STATE_OLD:
		edit_old(file, o, in);
		return;
	default:
		break;
	}
	n = fuzz_u8(in) % o->count;
	from = o->at[n];
	bytes = o->at[n + 1] - from;
	if (step == STATE_LENGTH) {
		add(file, from + 28, 4, (uint64_t)(int8_t)fuzz_u8(in));
	} else if (step == STATE_DROP) {
		cut(file, from, bytes);
	} else {
		to = o->at[fuzz_u8(in) % (o->count + 1)];
		if (bytes > EDIT_ROOM - file->length)
			return;
		copy(file, from, bytes, to);
		if (step == STATE_MOVE)
			cut(file, to <= from ? from + bytes : from, bytes);
	}
}

static void edit_bytes(struct edit_file *file, enum state_step step, struct fuzz_input *in)
{
	const size_t at = fuzz_u16(in) % file->length, left = file->length - at;
	const uint8_t arg = fuzz_u8(in);

	if (step == STATE_FLIP)
		file->bytes[at] ^= arg;
	else if (step == STATE_PUT && left >= 1u << (arg & 3))
		format_put(file->bytes + at, 1u << (arg & 3), fuzz_number(in));
	else if (step == STATE_CUT)
		cut(file, at, arg < left ? arg : left);
	else if (step == STATE_GROW && grow(file, at, arg))
		memset(file->bytes + at, fuzz_u8(in), arg);
}

void edit(struct edit_file *file, enum state_step step, struct fuzz_input *in)
{
	struct outline o;

	if (step == STATE_FLIP || step == STATE_PUT || step == STATE_CUT || step == STATE_GROW) {
		if (file->length)
			edit_bytes(file, step, in);
		return;
	}
	outline(file, &o);
	if (o.count)
		edit_sections(file, &o, step, in);
}
