/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The loops that are measured: each serves what has been offered and returns something that depends
 * on all of it. Three versions of each: floor (raw pointers, no checks), inline (through the
 * headers) and called (through the library's out-of-line symbols).
 */
#ifndef TESTS_BENCH_LOOPS_H
#define TESTS_BENCH_LOOPS_H

#include <virtio/blk.h>
#include <virtio/vsock.h>

#include "rig.h"

typedef uint64_t serve_fn(struct rig *rig);

serve_fn floor_walk, floor_request, floor_notify, floor_bulk, floor_packet;
serve_fn inline_walk, inline_request, inline_notify, inline_bulk, inline_block, inline_packet;
serve_fn called_walk, called_request, called_notify, called_bulk, called_block, called_packet;

/* Register accesses, which need no queue. The library's side is calls in any case. */
serve_fn floor_registers, library_registers;

/* Console data, 64 bytes each way: by calls in any case, too. */
serve_fn floor_transmit, floor_receive, library_transmit, library_receive;

#endif
