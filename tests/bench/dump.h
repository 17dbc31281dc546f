/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Counts of instructions: callgrind runs the program, and writes dumps when the program asks.
 * report.py reads the dumps.
 */
#ifndef TESTS_BENCH_DUMP_H
#define TESTS_BENCH_DUMP_H

#include "loops.h"

/*
 * Returns 0, or prints a message and returns an exit status: 77 if built without callgrind's
 * header, 2 if the program does not run under valgrind.
 */
int dump_begin(void);

/*
 * Makes two dumps for one row, "CASE KIND: N chains", with different numbers of chains. The
 * difference between the two dumps excludes the cost of a dump itself. Neither dump counts the
 * first burst. callgrind must collect only in serve_once().
 */
void dump_row(serve_fn *serve, const struct workload *workload, const char *kind);

#endif
