/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Valid and invalid tables of regions. */
#ifndef VIRTIO_FUZZ_MEMORY_TABLES_H
#define VIRTIO_FUZZ_MEMORY_TABLES_H

#include "../common/fuzz.h"

/* Makes a table. If the table is valid, looks up addresses in it. */
void memory_try_table(struct fuzz_input *in);

#endif
