/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Pointers to the library's out-of-line symbols, for the called version of the loops. */
#include "called_symbols.h"

#define SYMBOL(function) __typeof__(function) *const called_##function = function

SYMBOL(virtio_queue_available);
SYMBOL(virtio_queue_pop);
SYMBOL(virtio_queue_complete);
SYMBOL(virtio_queue_needs_interrupt);
SYMBOL(virtio_queue_enable_kicks);
SYMBOL(virtio_chain_next);
SYMBOL(virtio_chain_resolve);
SYMBOL(virtio_request_pop);
SYMBOL(virtio_request_complete);
SYMBOL(virtio_blk_pop);
