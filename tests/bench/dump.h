/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Counts of instructions: callgrind runs the program, and writes dumps when asked. report.py reads
 * them.
 */
#ifndef TESTS_BENCH_DUMP_H
#define TESTS_BENCH_DUMP_H

#include "loops.h"

/*
 * Returns 0 if callgrind is there; otherwise an exit status, after a message: 77 if built without
 * callgrind's header.
 */
int dump_begin(void);

/*
 * Two dumps for one row, which differ in the number of chains served: "ROW KIND: N chains". Their
 * difference has neither what a dump costs nor what the first burst costs. callgrind has to collect
 * in serve_once() alone.
 */
void dump_row(serve_fn *serve, const struct workload *workload, const char *kind);

#endif
