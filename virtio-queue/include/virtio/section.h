/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Sections of a saved state: conversions of plain structures into bytes and back.
 *
 * A saved state is a sequence of sections in the envelope of <virtio/queue_ser.h>. Each component
 * describes its sections by tables, struct virtio_section_layout. A table has the name, size and
 * version of each value, and its offset in a C structure. The functions that write, read, print or
 * find values use the tables.
 *
 *   writer  Fills the caller's buffer, or only measures the size. Stores the first error. The
 *           caller checks for an error once, at the end.
 *   reader  Reads sections from the caller's bytes, in the order in which they were written. The
 *           reader skips and reports a section that the caller doesn't ask for, if the writer
 *           marked the section as skippable. Any other section not asked for is an error.
 *   fault   The first error of a reader: section, value, offset in the bytes, and the value found.
 *
 * Versions: a new value makes a new version of its section. The value is added after the other
 * values of the section or of an entry. The table has the version in which each value appeared, and
 * a default for older sections. Missing bytes and bytes that are left over are errors.
 *
 * Integers are little-endian without padding; virtio-queue-ser/README.md specifies each byte.
 *
 * What a guest can do: nothing. But the bytes may have any origin. No length or count is used
 * before it is checked, and every value is checked again by the component that restores it.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     another call on the same writer or reader
 *
 * Nothing blocks or allocates.
 *
 * Freestanding: needs memcpy and memset.
 */
#ifndef VIRTIO_SECTION_H
#define VIRTIO_SECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <virtio/compiler.h>
#include <virtio/error.h>

VIRTIO_BEGIN_DECLS

#define VIRTIO_SECTION_NAME_MAX 16u /* the longest name of a section, in characters */
/* Length of the header in front of a section's content. */
#define VIRTIO_SECTION_HEADER_BYTES 32u
#define VIRTIO_SECTION_NO_ENTRY UINT32_MAX            /* stands for no entry */
#define VIRTIO_SECTION_MAX_BYTES UINT32_C(0x7fffffff) /* the longest content of a section */

/* One value of a section. */
struct virtio_section_field {
	const char *name;  /* the name in messages; static text */
	uint64_t fallback; /* the default in sections of older versions */
	uint32_t offset;   /* offset in the C structure, in bytes */
	uint16_t since;    /* the section's version in which the value appeared, at least 1 */
	uint8_t bytes;     /* size in the structure and in the file: 1, 2, 4 or 8 */
	bool boolean;      /* true: only 0 and 1 are valid */
};

/*
 * Initialisers of fields of version 1. VALUE names the field after its member, NAMED gives another
 * name, and ELEMENT is for element n of an array. BOOL and NAMED_BOOL are for bools.
 */
#define VIRTIO_SECTION_VALUE(structure, member) VIRTIO_SECTION_NAMED(structure, member, #member)
#define VIRTIO_SECTION_BOOL(structure, member) VIRTIO_SECTION_NAMED_BOOL(structure, member, #member)
#define VIRTIO_SECTION_NAMED(structure, member, name)                                                                  \
	{                                                                                                              \
		name, 0, (uint32_t)offsetof(structure, member), 1, (uint8_t)sizeof(((structure *)0)->member), false    \
	}
#define VIRTIO_SECTION_NAMED_BOOL(structure, member, name)                                                             \
	{                                                                                                              \
		name, 0, (uint32_t)offsetof(structure, member), 1, (uint8_t)sizeof(((structure *)0)->member), true     \
	}
#define VIRTIO_SECTION_ELEMENT(structure, member, n, name)                                                             \
	{                                                                                                              \
		name, 0, (uint32_t)(offsetof(structure, member) + (n) * sizeof(((structure *)0)->member[0])), 1,       \
			(uint8_t)sizeof(((structure *)0)->member[0]), false                                            \
	}

/* Initialiser of a field of a later version. fallback is the default in older sections. */
#define VIRTIO_SECTION_VALUE_SINCE(structure, member, version, fallback)                                               \
	{                                                                                                              \
#member, fallback, (uint32_t)offsetof(structure, member), version,                                     \
			(uint8_t)sizeof(((structure *)0)->member), false                                               \
	}

/*
 * A kind of section: values, and perhaps a list of entries. All entries have the same fields.
 * Layouts are static data.
 */
struct virtio_section_layout {
	const char *name; /* ASCII, at most VIRTIO_SECTION_NAME_MAX characters */
	/* The newest known version, at least 1. Sections are written in this version. */
	uint16_t version;
	bool skippable; /* a reader that doesn't know the section may ignore it */
	const struct virtio_section_field *fields;
	uint32_t field_count;
	const char *entries; /* the list's name; NULL if there is no list */
	const struct virtio_section_field *entry_fields;
	uint32_t entry_field_count;
	uint32_t entry_size; /* size of the C structure of an entry, in bytes */
};

/* A section in a file. */
struct virtio_section {
	char name[VIRTIO_SECTION_NAME_MAX + 1]; /* the name, up to its first invalid byte */
	bool skippable;
	uint16_t version;
	uint32_t device; /* number of the device in the file, chosen by the caller */
	uint32_t index;  /* number of the part in the device, for example the queue's number */
	uint32_t bytes;  /* length of the content */
	size_t offset;   /* offset of the content, from the first byte of the file */
};

/* The reasons of a fault. `found`, `expected`, `oldest` and `newest` are members of the fault. */
enum virtio_section_reason {
	VIRTIO_SECTION_GOOD,
	VIRTIO_SECTION_NOT_A_STATE,   /* the file does not begin like a saved state */
	VIRTIO_SECTION_FILE_VERSION,  /* `found` is a version below `oldest` or above `newest` */
	VIRTIO_SECTION_FILE_SHORT,    /* file length `found` is below the stored or minimum one */
	VIRTIO_SECTION_FILE_LONG,     /* `found` is the file's length, `expected` the stored one */
	VIRTIO_SECTION_CHECKSUM,      /* `found` is the stored, `expected` the computed checksum */
	VIRTIO_SECTION_OTHER_ID,      /* the file's id differs from the id that the caller gave */
	VIRTIO_SECTION_HEADER_SHORT,  /* fewer bytes are left than a section's header has */
	VIRTIO_SECTION_BAD_NAME,      /* name is empty, not ASCII 0x21 to 0x7e, or not 0-padded */
	VIRTIO_SECTION_BAD_FLAGS,     /* `found` has an unknown bit, or disagrees with the layout */
	VIRTIO_SECTION_CONTENT_SHORT, /* the section is longer than the bytes left */
	/* The caller doesn't ask for this section, and it can't be skipped. */
	VIRTIO_SECTION_UNKNOWN,
	VIRTIO_SECTION_ABSENT,           /* the file ends without this section */
	VIRTIO_SECTION_VERSION,          /* `found` is a version below `oldest` or above `newest` */
	VIRTIO_SECTION_MISSING_BYTES,    /* the content ends before the end of this value or list */
	VIRTIO_SECTION_EXTRA_BYTES,      /* `found` is the number of bytes after the last value */
	VIRTIO_SECTION_TOO_MANY_ENTRIES, /* `found` is the count, `expected` the array's capacity */
	VIRTIO_SECTION_NOT_A_BOOL,       /* `found` is neither 0 nor 1 */
	VIRTIO_SECTION_REFUSED,          /* the target refuses the value found */
	VIRTIO_SECTION_REASONS,          /* number of reasons */
};

/* The first error of a reader. */
struct virtio_section_fault {
	int error; /* VIRTIO_E...; 0 if there is no fault */
	enum virtio_section_reason reason;
	struct virtio_section section; /* the name is empty if no section is known */
	const char *field;             /* the value's name; NULL for a whole section or entry */
	const char *list;              /* name of the list, if the value belongs to an entry */
	uint32_t entry;                /* index of the entry, or VIRTIO_SECTION_NO_ENTRY */
	size_t offset;                 /* offset of the value, from the first byte of the file */
	uint64_t found;
	uint64_t expected;
	uint64_t bits;      /* the refused bits of `found`; 0 if all of `found` is refused */
	uint32_t first_bit; /* in a word of features: the feature number of bit 0; otherwise 0 */
	uint16_t oldest, newest;
};

/* A value that a component refuses, named as in the section's layout. */
struct virtio_refusal {
	const char *field; /* NULL for the section as a whole */
	uint32_t entry;    /* index of the entry, or VIRTIO_SECTION_NO_ENTRY */
	uint64_t bits;     /* the refused bits, for example features; 0 for the whole value */
};

/* Writing */

/* The caller allocates the writer, and changes it by functions only. */
struct virtio_section_writer {
	uint8_t *bytes;  /* the caller's buffer, or NULL */
	size_t capacity; /* size of that buffer, or less once a value did not fit */
	/* Number of bytes written so far, including bytes that did not fit. */
	size_t length;
	int error; /* the first error; a buffer that is too small is no error here */
};

/*
 * Begins to write.
 *
 * @bytes     the caller's buffer; NULL with a capacity of 0 only measures
 * @capacity  size of that buffer
 */
void virtio_section_writer_init(struct virtio_section_writer *writer, void *bytes, size_t capacity);

/*
 * Adds bytes without a section, for an envelope. Adds zeroes if bytes is NULL. If the bytes do not
 * all fit, these and all later bytes are only counted.
 */
void virtio_section_put(struct virtio_section_writer *writer, const void *bytes, size_t count);

/*
 * Writes a section.
 *
 * @layout   of the section
 * @device   number of the device in the file, chosen by the caller; 0 if there is only one
 * @index    number of the part in the device, for example the queue's number
 * @state    the structure of the layout's fields; NULL if the layout has no fields
 * @entries  an array of structures with the layout's entry fields; NULL if count is 0
 * @count    number of structures in entries; 0 for a layout without a list
 *
 * A list that makes the section longer than VIRTIO_SECTION_MAX_BYTES sets writer->error to
 * VIRTIO_EINVAL. Entries for a layout without a list cause the same error. After an error nothing
 * more is written.
 */
void virtio_section_write(struct virtio_section_writer *writer, const struct virtio_section_layout *layout,
			  uint32_t device, uint32_t index, const void *state, const void *entries, uint32_t count);

/*
 * Write a section in steps. virtio_section_begin() writes everything before the entries, including
 * their number. Then call virtio_section_entries() until all entries are written.
 */
void virtio_section_begin(struct virtio_section_writer *writer, const struct virtio_section_layout *layout,
			  uint32_t device, uint32_t index, const void *state, uint32_t count);
void virtio_section_entries(struct virtio_section_writer *writer, const struct virtio_section_layout *layout,
			    const void *entries, uint32_t count);

/* Reading */

/* The caller allocates the reader, may read every member, and changes it by functions only. */
struct virtio_section_reader {
	const uint8_t *bytes;
	size_t at;                         /* offset of the next section */
	size_t end;                        /* offset after the last section */
	struct virtio_section_fault fault; /* the first fault */
	struct virtio_section *skipped;    /* the caller's array for skipped sections, or NULL */
	uint32_t skipped_capacity;         /* number of entries in that array */
	uint32_t skipped_count;            /* number of skipped sections, listed or not */
};

/*
 * Begins to read sections without an envelope. For a file with an envelope call
 * virtio_queue_ser_open().
 *
 * @bytes  the caller's bytes. They must not change while the reader is used.
 * @begin  offset of the first section, from the first byte
 * @end    offset after the last section
 */
void virtio_section_reader_init(struct virtio_section_reader *reader, const void *bytes, size_t begin, size_t end);

/*
 * Lets the reader store skipped sections in the caller's array. Without an array the reader only
 * counts them.
 */
void virtio_section_report_skipped(struct virtio_section_reader *reader, struct virtio_section *skipped,
				   uint32_t capacity);

/*
 * Reads a section, and moves the reader past the section.
 *
 * @layout    of the section
 * @device    the number passed to virtio_section_write()
 * @index     the number passed to virtio_section_write()
 * @state     the structure of the layout's fields; members without a field stay unchanged
 * @entries   the caller's array
 * @capacity  number of entries in that array
 * @count     set to the number of entries; NULL for a layout without a list
 * @where     filled in, for virtio_section_refuse(); or NULL
 *
 * Returns 0, or the error of reader->fault:
 *   VIRTIO_EFORMAT   the next section is invalid or a different one, or no section is left
 *   VIRTIO_EVERSION  the section's version is newer than the layout, or 0
 *   VIRTIO_ENOBUFS   the section has more entries than the array
 *   VIRTIO_EINVAL    a bool is neither 0 nor 1
 * After an error every output is untouched, and later calls return the same error.
 */
VIRTIO_MUST_CHECK
int virtio_section_read(struct virtio_section_reader *reader, const struct virtio_section_layout *layout,
			uint32_t device, uint32_t index, void *state, void *entries, uint32_t capacity, uint32_t *count,
			struct virtio_section *where);

/*
 * Returns whether virtio_section_read() would find this section, perhaps after skippable sections.
 * Doesn't move the reader. Call this before you read an optional part of a device. Returns false
 * after a fault.
 */
bool virtio_section_is_next(const struct virtio_section_reader *reader, const struct virtio_section_layout *layout,
			    uint32_t device, uint32_t index);

/*
 * Gets the header of the next section, whatever its name is, and moves the reader past the section.
 * This is for a program that shows a file.
 *
 * @out  filled in if 1 is returned
 *
 * Returns 1; 0 at the end; or the error of reader->fault: VIRTIO_EFORMAT for a bad header.
 */
VIRTIO_MUST_CHECK
int virtio_section_next(struct virtio_section_reader *reader, struct virtio_section *out);

/*
 * Moves back to a section that virtio_section_next() has returned, so that virtio_section_read()
 * reads it. Does nothing after a fault.
 */
void virtio_section_rewind(struct virtio_section_reader *reader, const struct virtio_section *section);

/*
 * Ends the reading. Skips the sections that are left. A section that can't be skipped is an error.
 * Returns 0, or the error of reader->fault.
 */
VIRTIO_MUST_CHECK
int virtio_section_reader_end(struct virtio_section_reader *reader);

/*
 * Stores a fault in the reader, because a component refuses a value that was read.
 *
 * @layout   of the section
 * @where    from virtio_section_read()
 * @refusal  the value; a name that the layout doesn't have stands for the whole section or entry
 * @error    a negative VIRTIO_E... code
 *
 * If the reader has an earlier fault, that fault stays. Returns the error of reader->fault.
 */
int virtio_section_refuse(struct virtio_section_reader *reader, const struct virtio_section_layout *layout,
			  const struct virtio_section *where, const struct virtio_refusal *refusal, int error);

/*
 * Returns a reason as text, without a full stop, such as "bytes are missing". Static text, never
 * NULL.
 */
const char *virtio_section_reason_text(enum virtio_section_reason reason);

/*
 * Describes a fault in one line, such as "section queue, device 0, index 2: in_flight[3].head at
 * byte 212: the target refuses the value: 700 (VIRTIO_EINVAL...)".
 *
 * @text      the caller's; ends with a NUL if capacity isn't 0. A text that is too long is cut.
 * @capacity  bytes of text; 0 only measures, and text may then be NULL
 *
 * Returns the length of the whole text, without the NUL.
 */
size_t virtio_section_describe(const struct virtio_section_fault *fault, char *text, size_t capacity);

VIRTIO_END_DECLS

#endif
