/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Checks of an accepted file, and the file that the restored machine must save. */
#ifndef VIRTIO_FUZZ_STATE_MODEL_H
#define VIRTIO_FUZZ_STATE_MODEL_H

#include "edit.h"
#include "format.h"

/* Traps if an accepted file has values that no device of the machine can have. */
void model_judge(const uint8_t *file, const struct format_view *view);

/* Makes the file that a machine saves directly after its restore from a file. */
void model_saved(const uint8_t *file, const struct format_view *view, struct edit_file *out);

#endif
