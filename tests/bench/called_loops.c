/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The library through its out-of-line symbols, as an unoptimised caller or another language uses
 * it. The compiler may not see through a pointer that could change.
 */
#include "loops.h"

#define LOOP(name) called_##name
#define CALL(function) (*function##_symbol)

#define SYMBOL(function) static __typeof__(function) *volatile function##_symbol = function

SYMBOL(virtio_queue_pop);
SYMBOL(virtio_queue_complete);
SYMBOL(virtio_queue_needs_notification);
SYMBOL(virtio_chain_next);
SYMBOL(virtio_chain_collect);
SYMBOL(virtio_memory_read);
SYMBOL(virtio_memory_write);

#include "library_loops.h"
