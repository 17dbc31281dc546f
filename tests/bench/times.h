/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Times of cases. Rounds of all kinds alternate, so a change of the machine's speed affects all
 * kinds.
 */
#ifndef TESTS_BENCH_TIMES_H
#define TESTS_BENCH_TIMES_H

#include "cases.h"

/* Each function prints nanoseconds per chain, and returns 0. */

/* Prints a table in Markdown of all timed cases and kinds. */
int time_all(void);

/* Prints a line for each case of a list: name, best and median. */
int time_cases(const char *list, enum kind kind);

/*
 * Prints a line for each of five cases: name, best time with one thread, and best time with two
 * threads. Two threads have a queue each, and share memory and dirty log. A time is divided by the
 * number of chains of one thread.
 */
int time_threads(void);

#endif
