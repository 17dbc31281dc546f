/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The meaning of the bytes in an input of the state harness, for edit.c, main.c and seeds.c. */
#ifndef VIRTIO_FUZZ_STATE_STEPS_H
#define VIRTIO_FUZZ_STATE_STEPS_H

/*
 * The first two bytes are a number, from which random_state() makes a valid state of the machine in
 * tests/unit/state/machine.h. The saved state of this machine is the file. Steps follow. A step is
 * a byte, and its arguments are the bytes after it. Each comment lists the arguments in brackets,
 * in their order. An argument "offset" has two bytes. fuzz_number() reads an argument "number". All
 * other arguments have one byte. Offsets are taken modulo the file's length. Sections, fields and
 * entries are taken modulo how many exist. A target is a section, or the end of the last section.
 *
 * STATE_FIELD and STATE_NUDGE change a value of an entry. If the entry is 255 or the list is empty,
 * the steps change a value before the section's list. The list's count is the last of these values.
 */
enum state_step {
	STATE_JUDGE_RAW, /* [] reads and restores the file as it is */
	STATE_JUDGE,     /* [] corrects length and checksum, then reads and restores the file */
	STATE_FRESH,     /* [] begins again with the machine's own file */
	STATE_FLIP,      /* [offset, bits] flips bits */
	STATE_PUT,       /* [offset, log2 of the number's bytes, number] writes a number */
	STATE_FIELD,     /* [section, entry, field, number] sets a value */
	STATE_NUDGE,     /* [section, entry, field, signed difference] adds to a value */
	/* [section, 0 to 4, number] Sets device, index, version, flags or length. */
	STATE_HEADER,
	STATE_MOVE,    /* [section, target] puts the section before the target, or at the end */
	STATE_TWICE,   /* [section, target] puts a copy before the target, or at the end */
	STATE_DROP,    /* [section] removes a section */
	STATE_ENTRY,   /* [section, entry, 0 or 1] removes (0) or doubles (1) an entry */
	STATE_STRANGE, /* [target, flags, length] adds an unknown section before the target */
	STATE_CUT,     /* [offset, count] removes bytes */
	STATE_GROW,    /* [offset, count, value] inserts bytes */
	STATE_LENGTH,  /* [section, signed difference] changes a section's length */
	STATE_OLD,     /* [section] converts a section to the previous version */
	STATE_BYTES,   /* [0 or 1] the rest of the input is the file (0) or its sections (1) */
	STATE_STEPS,
};

#endif
