/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The meaning of the bytes in an input of the state harness, for edit.c, main.c and seeds.c. */
#ifndef VIRTIO_FUZZ_STATE_STEPS_H
#define VIRTIO_FUZZ_STATE_STEPS_H

/*
 * The first two bytes are the number of a machine in a random valid state. Steps follow. A step is
 * a byte, and its arguments are the bytes after it. Each comment lists the arguments after a colon.
 * fuzz_number() reads an argument "number". Offsets, sections, fields and entries are taken modulo
 * the number that exists.
 */
enum state_step {
	STATE_JUDGE_RAW, /* reads and restores the file as it is */
	STATE_JUDGE,     /* the same, with the right length and checksum */
	STATE_FRESH,     /* begins again with the machine's own file */
	STATE_FLIP,      /* flips bits: offset (2 bytes), bits */
	STATE_PUT,       /* writes a number: offset (2 bytes), log2 of its bytes, number */
	STATE_FIELD,     /* sets a value: section, entry or 255 for the front part, field, number */
	STATE_NUDGE,     /* adds to a value: section, entry or 255, field, signed difference */
	STATE_HEADER,    /* sets device, index, version, flags or length: section, 0 to 4, number */
	STATE_MOVE,      /* moves a section: section, section before which it goes */
	STATE_TWICE,     /* copies a section: section, section before which the copy goes */
	STATE_DROP,      /* removes a section: section */
	STATE_ENTRY,     /* removes (0) or doubles (1) an entry: section, entry, 0 or 1 */
	STATE_STRANGE,   /* adds an unknown section: section before which it goes, flags, bytes */
	STATE_CUT,       /* removes bytes: offset (2 bytes), count */
	STATE_GROW,      /* inserts bytes: offset (2 bytes), count, value */
	STATE_LENGTH,    /* changes a section's length: section, signed difference */
	STATE_OLD,       /* converts a section to the previous version: section */
	STATE_BYTES,     /* the rest of the input is the file (0) or its sections (1): 0 or 1 */
	STATE_STEPS,
};

#endif
