/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Times of cases. Rounds alternate, so that a change of the machine's speed meets all kinds. */
#ifndef TESTS_BENCH_TIMES_H
#define TESTS_BENCH_TIMES_H

#include "cases.h"

/* Each prints nanoseconds per chain, and returns 0. */

/* Prints a table in Markdown of all timed cases and kinds. */
int time_all(void);

/* Prints a line for each case of a list: name, best and median. */
int time_cases(const char *list, enum kind kind);

/*
 * A line for each of some cases: name, the best with one thread, and with two that have a queue
 * each and share memory and dirty log. With two it is the time in which each serves a chain.
 */
int time_threads(void);

#endif
