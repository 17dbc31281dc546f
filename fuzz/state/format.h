/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Reads a saved state without the library, as virtio-queue-ser/README.md specifies the format.
 * Knows the sections that a file of the harness's machine must have, and the offset of each value.
 */
#ifndef VIRTIO_FUZZ_STATE_FORMAT_H
#define VIRTIO_FUZZ_STATE_FORMAT_H

#include <virtio/section.h>

#include "../common/fuzz.h"

#define FORMAT_BEGIN 36u  /* offset of the first section */
#define FORMAT_FRAME 40u  /* bytes of a file without sections */
#define FORMAT_HEADER 32u /* bytes of a section's header */
#define FORMAT_SECTIONS 64u
#define FORMAT_FRONT UINT32_MAX /* entry number for the values before the list */

/* A value. Sections with a version below `since` lack the value, and its default is 0. */
struct format_field {
	const char *name;
	uint8_t bytes;
	bool boolean;
	uint8_t since; /* the first version that has the value */
};

struct format_kind {
	const char *name;
	uint8_t version; /* the newest version */
	const struct format_field *fields;
	uint32_t field_count;
	const char *list; /* NULL if the section has no list */
	const struct format_field *entry_fields;
	uint32_t entry_field_count;
};

extern const struct format_kind format_device, format_blk, format_queue, format_console, format_input, format_vsock,
	format_replies;

/* A section that was found. */
struct format_section {
	const struct format_kind *kind;
	uint32_t device, index;
	uint8_t version;
	size_t header;  /* offset of the header */
	size_t content; /* offset of the content */
	uint32_t bytes; /* length of the content */
	uint32_t count; /* number of entries in the list */
};

/* The sections of a file, and the first fault in its format. */
struct format_view {
	/* The sections that were read without a fault, in order. Skipped sections are absent. */
	struct format_section sections[FORMAT_SECTIONS];
	uint32_t count;
	uint32_t skipped;
	enum virtio_section_reason reason; /* VIRTIO_SECTION_GOOD if the file has no fault */
	size_t offset;                     /* offset of the first fault */
};

/* CRC-32C, one bit at a time. */
uint32_t format_checksum(const uint8_t *bytes, size_t count);

/* Stores the length and the checksum of a file with at least FORMAT_FRAME bytes. */
void format_frame(uint8_t *bytes, size_t length);

/* Reads a file. A file with another id is faulty. */
void format_read(const uint8_t *bytes, size_t length, const uint8_t id[16], struct format_view *out);

/* Return the size of the values before the list, and of an entry, in a section of this version. */
size_t format_front_bytes(const struct format_kind *kind, uint32_t version);
size_t format_entry_bytes(const struct format_kind *kind, uint32_t version);

/* Returns the offset of the list's count. */
size_t format_list(const struct format_section *section);

/*
 * Finds a value, and sets its offset and size. Returns false if the section lacks the value or the
 * entry. If only the section's version lacks the value, offset and size are still set.
 */
bool format_find(const struct format_section *section, const char *field, uint32_t entry, size_t *offset,
		 uint8_t *bytes);

/* Read and write a number of 1, 2, 4 or 8 bytes. */
uint64_t format_number(const uint8_t *at, uint32_t bytes);
void format_put(uint8_t *at, uint32_t bytes, uint64_t value);

/*
 * Returns a value, or 0 if the section's version lacks this value. Field @field must exist in the
 * newest version.
 */
uint64_t format_get(const uint8_t *file, const struct format_section *section, const char *field, uint32_t entry);

/* Returns the section with this kind, device and index, or NULL. */
const struct format_section *format_section_of(const struct format_view *view, const struct format_kind *kind,
					       uint32_t device, uint32_t index);

#endif
