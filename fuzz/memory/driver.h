/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The steps of the guest. */
#ifndef VIRTIO_FUZZ_MEMORY_DRIVER_H
#define VIRTIO_FUZZ_MEMORY_DRIVER_H

#include "harness.h"

/* The guest writes bytes to memory. */
void memory_poke(struct harness *h);

/* Maps a page that was not mapped yet. */
void memory_map_page(struct harness *h);

#endif
