/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Changes the bytes, values, headers, sections and entries of a file. */
#ifndef VIRTIO_FUZZ_STATE_EDIT_H
#define VIRTIO_FUZZ_STATE_EDIT_H

#include "../common/fuzz.h"
#include "steps.h"

#define EDIT_ROOM 32768u

/* A file in memory, with room to grow. */
struct edit_file {
	uint8_t bytes[EDIT_ROOM];
	size_t length;
};

/* Carries out a step that changes the file. Does nothing if there is nothing to change. */
void edit(struct edit_file *file, enum state_step step, struct fuzz_input *in);

#endif
