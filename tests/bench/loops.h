/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The loops that are measured. Each loop except `registers` serves the offered chains and returns a
 * value that depends on all these chains. A loop has up to three versions: baseline (raw pointers,
 * no checks), inline (through the headers) and called (through the library's out-of-line symbols).
 * The loops `resolve`, `block` and `disk` have no baseline version. Loops named library_ use
 * functions that have no inline version.
 */
#ifndef TESTS_BENCH_LOOPS_H
#define TESTS_BENCH_LOOPS_H

#include <virtio/blk.h>
#include <virtio/serve.h>
#include <virtio/vsock.h>

#include "rig.h"

typedef uint64_t serve_fn(struct rig *rig);

serve_fn baseline_walk, baseline_request, baseline_notify, baseline_turn, baseline_serve, baseline_bulk;
serve_fn inline_walk, inline_request, inline_notify, inline_turn, inline_serve, inline_bulk, inline_resolve,
	inline_block;
serve_fn called_walk, called_request, called_notify, called_turn, called_serve, called_bulk, called_resolve,
	called_block;

/* Carries out block requests of type FLUSH. */
serve_fn library_disk;

/* Socket packets out of the guest and into it. */
serve_fn baseline_packet_out, baseline_packet_in, library_packet_out, library_packet_in;

/* Console data out of the guest and into it. */
serve_fn baseline_transmit, baseline_receive, library_transmit, library_receive;

/* Register accesses, which use no chains. */
serve_fn baseline_registers, library_registers;

#endif
