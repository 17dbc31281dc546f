/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What the bytes of an input to the harness of saved state mean; for edit.c, main.c and seeds.c. */
#ifndef VIRTIO_FUZZ_STATE_STEPS_H
#define VIRTIO_FUZZ_STATE_STEPS_H

/*
 * The first two bytes are the number of a machine in a random valid state. Steps follow.
 * A step is a byte, and its arguments are the bytes after it. An argument "number" is read by
 * fuzz_number(). Offsets, sections, fields and entries are taken modulo what there is.
 */
enum state_step {
	STATE_JUDGE_RAW, /* read and restore the file as it is */
	STATE_JUDGE,     /* the same with a length and a checksum that fit */
	STATE_FRESH,     /* the file of the machine again */
	STATE_FLIP,      /* offset (2 bytes), bits */
	STATE_PUT,       /* offset (2 bytes), bytes as a power of 2, number */
	STATE_FIELD,     /* section, entry or 255 for the front part, field, number */
	STATE_NUDGE,     /* section, entry or 255, field, signed difference */
	STATE_HEADER,    /* section, 0 device, 1 index, 2 version, 3 flags or 4 length, number */
	STATE_MOVE,      /* section, in front of section */
	STATE_TWICE,     /* section, in front of section */
	STATE_DROP,      /* section */
	STATE_ENTRY,     /* section, entry, 0 removes it | 1 doubles it; count and length fit */
	STATE_STRANGE,   /* in front of section, flags, bytes: an unknown section */
	STATE_CUT,       /* offset (2 bytes), bytes */
	STATE_GROW,      /* offset (2 bytes), bytes, value */
	STATE_LENGTH,    /* section, signed difference of the section's length */
	STATE_OLD,       /* section: converts it to the version before */
	STATE_BYTES,     /* frame: 1 in an envelope; the rest of the input is the file */
	STATE_STEPS,
};

#endif
