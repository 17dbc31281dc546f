/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Sections of a saved state: how plain structures become bytes, and bytes plain structures.
 *
 * A saved state is a sequence of sections in the envelope of <virtio/queue_ser.h>. Each component
 * describes its sections by tables, struct virtio_section_layout: the names, sizes and versions of
 * its values, and where each one is in a C structure. Writing, reading, printing and finding the
 * place of a value all follow from the table.
 *
 *   writer   The caller's buffer, or none to learn the size. Errors are kept, and reported once, at
 *            the end.
 *   reader   The caller's bytes, in the order in which they were written. A section that the caller
 *            doesn't ask for is skipped and reported if its writer allowed that, and is an error
 *            otherwise.
 *   fault    The first error of a reader: section, value, place in the bytes, and what was found.
 *
 * A section's version grows when values are added, behind those that were there. Each value has the
 * version that brought it, and a default that older sections mean. Bytes that are missing or left
 * over are an error. Bytes are little-endian without padding, and virtio-queue-ser/README.md
 * specifies each one.
 *
 * What a guest can do: nothing. The bytes may come from anybody: no length or count in them is
 * believed before it is checked, and every value is checked again by the component that restores
 * it.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     another call on the same writer or reader
 *
 * Nothing blocks or allocates.
 *
 * Freestanding: needs memcpy, memset and memcmp.
 */
#ifndef VIRTIO_SECTION_H
#define VIRTIO_SECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <virtio/compiler.h>
#include <virtio/error.h>

VIRTIO_BEGIN_DECLS

#define VIRTIO_SECTION_NAME_MAX 16u                   /* characters of a section's name */
#define VIRTIO_SECTION_HEADER_BYTES 32u               /* bytes in front of a section's content */
#define VIRTIO_SECTION_NO_ENTRY UINT32_MAX            /* a fault of no entry in particular */
#define VIRTIO_SECTION_MAX_BYTES UINT32_C(0x7fffffff) /* the longest content */

/* One value of a section. */
struct virtio_section_field {
	const char *name;  /* as messages have it; static text */
	uint64_t fallback; /* the value that a section from before it means */
	uint32_t offset;   /* in the C structure, in bytes */
	uint16_t since;    /* the section's version that brought it, at least 1 */
	uint8_t bytes;     /* in the structure and in the file: 1, 2, 4 or 8 */
	bool boolean;      /* 0 and 1 alone are valid */
};

/*
 * Values since version 1: a member of a structure by its own name, or by another; the nth element
 * of a member that is an array; and the same for bools.
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

/*
 * A kind of section: values, and perhaps a list of entries, which all have the same values. Static
 * data.
 */
struct virtio_section_layout {
	const char *name; /* ASCII, at most VIRTIO_SECTION_NAME_MAX */
	uint16_t version; /* the newest that is known, and the one that is written; at least 1 */
	bool skippable;   /* a reader that doesn't know the section may ignore it */
	const struct virtio_section_field *fields;
	uint32_t field_count;
	const char *entries; /* the list's name, or NULL: there is no list */
	const struct virtio_section_field *entry_fields;
	uint32_t entry_field_count;
	uint32_t entry_size; /* of the C structure of an entry, in bytes */
};

/* A section in a file. */
struct virtio_section {
	char name[VIRTIO_SECTION_NAME_MAX + 1]; /* as in the file, as far as it is printable */
	bool skippable;
	uint16_t version;
	uint32_t device; /* which device of the file, by the caller's numbers */
	uint32_t index;  /* which part of the device: a queue's number, say */
	uint32_t bytes;  /* length of the content */
	size_t offset;   /* of the content, from the first byte of the file */
};

/* What is wrong with a file. */
enum virtio_section_reason {
	VIRTIO_SECTION_GOOD,
	VIRTIO_SECTION_NOT_A_STATE,      /* the first bytes are not those of a saved state */
	VIRTIO_SECTION_FILE_VERSION,     /* found isn't from oldest to newest */
	VIRTIO_SECTION_FILE_SHORT,       /* found bytes, and its length says expected */
	VIRTIO_SECTION_FILE_LONG,        /* likewise */
	VIRTIO_SECTION_CHECKSUM,         /* found and expected are checksums */
	VIRTIO_SECTION_OTHER_ID,         /* the file belongs to other memory */
	VIRTIO_SECTION_HEADER_SHORT,     /* fewer bytes are left than a section's header has */
	VIRTIO_SECTION_BAD_NAME,         /* not ASCII, or something behind the end of the name */
	VIRTIO_SECTION_BAD_FLAGS,        /* found has bits that this version has not */
	VIRTIO_SECTION_CONTENT_SHORT,    /* the section's length is more than is left */
	VIRTIO_SECTION_UNKNOWN,          /* nobody asks for it, and it can't be skipped */
	VIRTIO_SECTION_ABSENT,           /* the file ends without this section */
	VIRTIO_SECTION_VERSION,          /* found isn't from oldest to newest */
	VIRTIO_SECTION_MISSING_BYTES,    /* the content ends before this value */
	VIRTIO_SECTION_EXTRA_BYTES,      /* found bytes are left behind the last value */
	VIRTIO_SECTION_TOO_MANY_ENTRIES, /* found entries, and the target has room for expected */
	VIRTIO_SECTION_NOT_A_BOOL,       /* found is neither 0 nor 1 */
	VIRTIO_SECTION_REFUSED,          /* the target refuses the value found */
	VIRTIO_SECTION_REASONS,          /* how many there are */
};

/* The first error of a reader. */
struct virtio_section_fault {
	int error; /* VIRTIO_E..., or 0: there is none */
	enum virtio_section_reason reason;
	struct virtio_section section; /* with an empty name: the envelope */
	const char *field;             /* the value's name; NULL: the section as a whole */
	const char *list;              /* name of the list, if the value is one of an entry */
	uint32_t entry;                /* which entry, or VIRTIO_SECTION_NO_ENTRY */
	size_t offset;                 /* of the value, from the first byte of the file */
	uint64_t found;
	uint64_t expected;
	uint16_t oldest, newest;
};

/* A value that a component refuses, by the names of its layout. */
struct virtio_refusal {
	const char *field; /* NULL: the section as a whole */
	uint32_t entry;    /* or VIRTIO_SECTION_NO_ENTRY */
};

/* Writing */

/* The caller allocates it, and changes it through functions alone. */
struct virtio_section_writer {
	uint8_t *bytes;  /* the caller's buffer, or NULL */
	size_t capacity; /* bytes of it */
	size_t length;   /* bytes of what was written so far, also of what found no room */
	int error;       /* the first one; not that of a buffer that is too small */
};

/*
 * Begins to write.
 *
 * @bytes     the caller's buffer, or NULL with a capacity of 0, which measures
 * @capacity  bytes of it
 */
void virtio_section_writer_init(struct virtio_section_writer *writer, void *bytes, size_t capacity);

/*
 * Adds bytes as they are, for an envelope; and zeroes for NULL. What finds no room is counted, and
 * not written.
 */
void virtio_section_put(struct virtio_section_writer *writer, const void *bytes, size_t count);

/*
 * Writes a section.
 *
 * @layout   of the section
 * @device   which device of the file, by the caller's numbers: 0 if there is only one
 * @index    which part of the device: a queue's number, say
 * @state    the structure of the layout's fields; NULL if there are none
 * @entries  an array of the structure of the layout's entries; NULL if count is 0
 * @count    its entries; 0 for a layout without a list
 *
 * A section that would be longer than VIRTIO_SECTION_MAX_BYTES, or entries without a list, is
 * VIRTIO_EINVAL in writer->error, and nothing is written from then on.
 */
void virtio_section_write(struct virtio_section_writer *writer, const struct virtio_section_layout *layout,
			  uint32_t device, uint32_t index, const void *state, const void *entries, uint32_t count);

/*
 * The same in steps: the first writes all but the entries, of which as many as were announced are
 * then written, in one call of the second or in several.
 */
void virtio_section_begin(struct virtio_section_writer *writer, const struct virtio_section_layout *layout,
			  uint32_t device, uint32_t index, const void *state, uint32_t count);
void virtio_section_entries(struct virtio_section_writer *writer, const struct virtio_section_layout *layout,
			    const void *entries, uint32_t count);

/* Reading */

/* The caller allocates it, reads what it likes, and changes it through functions alone. */
struct virtio_section_reader {
	const uint8_t *bytes;
	size_t at;                         /* of the next section */
	size_t end;                        /* of the last one */
	struct virtio_section_fault fault; /* the first */
	struct virtio_section *skipped;    /* the caller's array for what was skipped, or NULL */
	uint32_t skipped_capacity;         /* its entries */
	uint32_t skipped_count;            /* sections that were skipped, listed or not */
};

/*
 * Begins to read sections without an envelope; virtio_queue_ser_open() does it for those in one.
 *
 * @bytes  the caller's, as long as the reader is used
 * @begin  offset of the first section in them
 * @end    offset behind the last one
 */
void virtio_section_reader_init(struct virtio_section_reader *reader, const void *bytes, size_t begin, size_t end);

/* Has skipped sections listed in the caller's array. Without it they are only counted. */
void virtio_section_report_skipped(struct virtio_section_reader *reader, struct virtio_section *skipped,
				   uint32_t capacity);

/*
 * Reads the next section that is asked for, and moves behind it.
 *
 * @layout    of the section
 * @device    as it was written
 * @index     as it was written
 * @state     the structure of the layout's fields; members without a field are left alone
 * @entries   the caller's array
 * @capacity  its entries
 * @count     set to the entries of the section; NULL for a layout without a list
 * @where     filled in, for virtio_section_refuse(); or NULL
 *
 * Returns 0. Otherwise the error in reader->fault, which later calls return again, and every output
 * is untouched:
 *   VIRTIO_EFORMAT   the bytes are not those of such a section, or the section is not the next one
 *   VIRTIO_EVERSION  the section's version is newer than the layout, or 0
 *   VIRTIO_ENOBUFS   more entries than the array has
 *   VIRTIO_EINVAL    a bool that is neither 0 nor 1
 */
VIRTIO_MUST_CHECK
int virtio_section_read(struct virtio_section_reader *reader, const struct virtio_section_layout *layout,
			uint32_t device, uint32_t index, void *state, void *entries, uint32_t capacity, uint32_t *count,
			struct virtio_section *where);

/*
 * Whether virtio_section_read() would find this section, perhaps behind others that may be skipped.
 * Moves nothing. For parts that a device may have or not. False also after a fault.
 */
bool virtio_section_is_next(const struct virtio_section_reader *reader, const struct virtio_section_layout *layout,
			    uint32_t device, uint32_t index);

/*
 * Takes the header of the next section, whatever it is, and moves behind its content: for a program
 * that shows a file.
 *
 * @out  filled in if 1 is returned
 *
 * Returns 1; 0 at the end; VIRTIO_EFORMAT, and later calls return it again.
 */
VIRTIO_MUST_CHECK
int virtio_section_next(struct virtio_section_reader *reader, struct virtio_section *out);

/*
 * Goes back to a section that virtio_section_next() has returned, so that virtio_section_read()
 * reads it. Does nothing after a fault.
 */
void virtio_section_rewind(struct virtio_section_reader *reader, const struct virtio_section *section);

/*
 * The end: whatever is left may be skipped, and is. Returns 0, or the error in reader->fault.
 */
VIRTIO_MUST_CHECK
int virtio_section_reader_end(struct virtio_section_reader *reader);

/*
 * Notes that a component refuses a value that was read, as the reader's first fault.
 *
 * @layout   of the section
 * @where    from virtio_section_read()
 * @refusal  which value; a name that the layout doesn't have stands for the section as a whole
 * @error    negative
 *
 * Returns the error of reader->fault, which is an earlier one if there was one.
 */
int virtio_section_refuse(struct virtio_section_reader *reader, const struct virtio_section_layout *layout,
			  const struct virtio_section *where, const struct virtio_refusal *refusal, int error);

/* A reason as text without an end mark, such as "bytes are missing". Never NULL. The library's. */
const char *virtio_section_reason_text(enum virtio_section_reason reason);

/*
 * Describes a fault in one line, such as "section queue, device 0, index 2: in_flight[3].head at
 * byte 212: the target refuses the value 700 (VIRTIO_EINVAL...)".
 *
 * @text      the caller's, ended by a NUL if capacity isn't 0; what finds no room is cut off
 * @capacity  bytes of it; 0 measures, and text may be NULL
 *
 * Returns the length without the NUL that all of it has.
 */
size_t virtio_section_describe(const struct virtio_section_fault *fault, char *text, size_t capacity);

VIRTIO_END_DECLS

#endif
