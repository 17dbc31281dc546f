/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * How fast the library is, beside a baseline that checks nothing. README.md says what is measured; names are in cases.h.
 *
 *	bench                      a table of times: best and median of alternating rounds, and ratios
 *	bench CASE KIND CHAINS     serves so many chains and prints nothing, for looking at one loop with a profiler
 *	bench --count [CASES]      for callgrind, which writes two dumps for each row of instructions.txt, or for the cases of
 *	                           one argument. Exits with 77 if built without callgrind's header.
 *
 * Bulk loads are not counted: most of their instructions are the C library's memcpy.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cases.h"
#include "dump.h"

#define ROUNDS 11
#define CHAINS_A_ROUND (QUEUE_SIZE * 800u)
#define BULK_CHAINS_A_ROUND (QUEUE_SIZE * 16u)

static double nanoseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* One row. Alternating rounds, so that a change of the machine's speed meets all kinds alike. */
static void measure(const struct load *load, const struct workload *workload)
{
	static struct rig rigs[KINDS];
	double ns[KINDS][ROUNDS];
	/* The baseline beside other regions, or a log, is that of one region without. */
	struct workload plain = *workload;
	const uint32_t chains = workload->bulk ? BULK_CHAINS_A_ROUND : CHAINS_A_ROUND;

	plain.regions = 1;
	plain.dirty = DIRTY_OFF;
	for (int k = 0; k < KINDS; k++)
		if (load->serve[k])
			rig_open(&rigs[k], k == KIND_BASELINE ? &plain : workload, NULL);
	for (int r = 0; r < ROUNDS; r++)
		for (int k = 0; k < KINDS; k++) {
			double start = nanoseconds();

			if (load->serve[k])
				serve_chains(&rigs[k], load->serve[k], chains);
			ns[k][r] = (nanoseconds() - start) / chains;
		}
	printf("| %s | %s |", workload->name, load->what);
	for (int k = 0; k < KINDS; k++) {
		if (!load->serve[k]) {
			printf(" | | |");
			continue;
		}
		qsort(ns[k], ROUNDS, sizeof ns[k][0], by_value);
		printf(" %.1f | %.1f |", ns[k][0], ns[k][ROUNDS / 2]);
		if (k != KIND_BASELINE)
			printf(" %.2f |", ns[k][0] / ns[KIND_BASELINE][0]);
		rig_close(&rigs[k]);
	}
	printf("\n");
}

static void measure_all(void)
{
	const struct load *load;
	struct workload workload;

	printf("Nanoseconds per chain, best and median of %d rounds; x is the best over the baseline's best.\n\n",
	       ROUNDS);
	printf("| case | what | baseline | median | inline | median | x | called | median | x |\n"
	       "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
	for (const char *list = timed_cases; (load = next_case(&list, &workload));)
		measure(load, &workload);
}

static int serve_one(char **argv)
{
	static struct rig rig;
	struct workload workload;
	const char *list = argv[1];
	const struct load *load = next_case(&list, &workload);

	for (int k = 0; load && k < KINDS; k++)
		if (!strcmp(argv[2], kind_names[k]) && case_has_kind(load, &workload, (enum kind)k)) {
			rig_open(&rig, &workload, NULL);
			serve_chains(&rig, load->serve[k], (uint32_t)strtoul(argv[3], NULL, 10));
			rig_close(&rig);
			return 0;
		}
	fprintf(stderr, "bench: no %s version of %s\n", argv[2], argv[1]);
	return 2;
}

static int dump_all(const char *list)
{
	const struct load *load;
	struct workload workload;
	const int status = dump_begin();

	while (!status && (load = next_case(&list, &workload)))
		for (int k = 0; k < KINDS; k++)
			if (case_has_kind(load, &workload, (enum kind)k))
				dump_row(load->serve[k], &workload, kind_names[k]);
	return status;
}

int main(int argc, char **argv)
{
	if (argc == 4)
		return serve_one(argv);
	if (argc >= 2 && argc <= 3 && !strcmp(argv[1], "--count"))
		return dump_all(argc == 3 ? argv[2] : counted_cases);
	if (argc != 1) {
		fprintf(stderr, "usage: bench [--count [CASES] | CASE baseline|inline|called CHAINS]\n");
		return 2;
	}
	measure_all();
	return 0;
}
