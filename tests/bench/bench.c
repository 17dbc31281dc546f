/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Compares the speed of the library with a baseline that checks nothing. README.md explains what is
 * measured, and cases.h explains the names.
 *
 *	bench                       a table of times: best and median of alternating rounds
 *	bench --times CASES KIND    lines of case, best and median; CASES is a list in one argument
 *	bench --threads             lines of case, best with one thread, and best with two
 *	bench --count [CASES [KIND]]
 *	                            for callgrind, which writes two dumps for each row of
 *	                            instructions.txt, or for the cases of the list. Exits with 77
 *	                            if built without callgrind's header.
 *	bench CASE KIND CHAINS      serves this number of chains, to profile one loop. The number is
 *	                            rounded up to whole bursts.
 *
 * KIND is baseline, inline or called. BENCH_ROUNDS in the environment is the number of rounds, by
 * default 51. --threads makes 20 times as many rounds.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cases.h"
#include "dump.h"
#include "times.h"

/* Returns the kind of this name, or KINDS if there is none. */
static int find_kind(const char *name)
{
	int kind = 0;

	while (kind < KINDS && strcmp(name, kind_names[kind]) != 0)
		kind++;
	return kind;
}

static int serve_one(const char *list, const char *kind_name, const char *chains)
{
	static struct rig rig;
	struct workload workload;
	const struct load *load = next_case(&list, &workload);
	const int kind = find_kind(kind_name);

	if (!load || kind == KINDS || !case_has_kind(load, &workload, (enum kind)kind)) {
		fprintf(stderr, "bench: no such kind\n");
		return 2;
	}
	rig_open(&rig, &workload, NULL);
	serve_chains(&rig, load->serve[kind], (uint32_t)strtoul(chains, NULL, 10));
	rig_close(&rig);
	return 0;
}

/* Dumps the cases of a list with one kind of loop. If `kind` is KINDS, dumps all kinds. */
static int dump_all(const char *list, int kind)
{
	const struct load *load;
	struct workload workload;
	const int status = dump_begin();

	while (!status && (load = next_case(&list, &workload)))
		for (int k = 0; k < KINDS; k++)
			if ((kind == KINDS || kind == k) && case_has_kind(load, &workload, (enum kind)k))
				dump_row(load->serve[k], &workload, kind_names[k]);
	return status;
}

static int usage(void)
{
	fprintf(stderr, "usage: bench [--times CASES KIND | --threads | --count [CASES [KIND]] | CASE KIND CHAINS]\n");
	return 2;
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return time_all();
	if (!strcmp(argv[1], "--count") && argc <= 3)
		return dump_all(argc > 2 ? argv[2] : counted_cases, KINDS);
	if (!strcmp(argv[1], "--count") && argc == 4)
		return find_kind(argv[3]) == KINDS ? usage() : dump_all(argv[2], find_kind(argv[3]));
	if (!strcmp(argv[1], "--threads") && argc == 2)
		return time_threads();
	if (argc != 4)
		return usage();
	if (strcmp(argv[1], "--times") != 0)
		return serve_one(argv[1], argv[2], argv[3]);
	return find_kind(argv[3]) == KINDS ? usage() : time_cases(argv[2], (enum kind)find_kind(argv[3]));
}
