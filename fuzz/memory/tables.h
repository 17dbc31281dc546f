/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Tables of regions, right and wrong. */
#ifndef VIRTIO_FUZZ_MEMORY_TABLES_H
#define VIRTIO_FUZZ_MEMORY_TABLES_H

#include "../common/fuzz.h"

/* Makes a table, and if it is right looks addresses up in it. */
void memory_try_table(struct fuzz_input *in);

#endif
