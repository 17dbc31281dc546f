/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The functions that the called version of the loops calls, by pointers from another file. The
 * compiler can't inline such a call, and the call is one instruction.
 */
#ifndef TESTS_BENCH_CALLED_SYMBOLS_H
#define TESTS_BENCH_CALLED_SYMBOLS_H

#include "loops.h"

extern __typeof__(virtio_queue_available) *const called_virtio_queue_available;
extern __typeof__(virtio_queue_pop) *const called_virtio_queue_pop;
extern __typeof__(virtio_queue_complete) *const called_virtio_queue_complete;
extern __typeof__(virtio_queue_needs_interrupt) *const called_virtio_queue_needs_interrupt;
extern __typeof__(virtio_queue_enable_kicks) *const called_virtio_queue_enable_kicks;
extern __typeof__(virtio_chain_next) *const called_virtio_chain_next;
extern __typeof__(virtio_chain_resolve) *const called_virtio_chain_resolve;
extern __typeof__(virtio_request_pop) *const called_virtio_request_pop;
extern __typeof__(virtio_request_complete) *const called_virtio_request_complete;
extern __typeof__(virtio_blk_pop) *const called_virtio_blk_pop;

#endif
