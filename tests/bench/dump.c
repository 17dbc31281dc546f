/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* See dump.h. */
#include "dump.h"

#include <stdio.h>

#include "cases.h"

/*
 * Limits of the shorter dump. A queue of 256 serves as many chains as it has entries, or fewer
 * chains if they are very long.
 */
#define CHAINS 256u
#define DESCRIPTORS 16384u

#define NOT_COUNTED 77 /* the exit status of a test that is skipped */

#ifdef HAVE_CALLGRIND

#include <valgrind/callgrind.h>

int dump_begin(void)
{
	if (RUNNING_ON_VALGRIND)
		return 0;
	fprintf(stderr, "bench: counting works only under valgrind --tool=callgrind\n");
	return 2;
}

void dump_row(serve_fn *serve, const struct workload *workload, const char *kind)
{
	static struct rig rig;
	const uint32_t few = chains_for(workload, CHAINS, DESCRIPTORS);
	char name[80];

	rig_open(&rig, workload, NULL);
	/* Serves the first burst outside the counts, because that burst also sets up the device. */
	serve_chains(&rig, serve, workload->burst);
	CALLGRIND_START_INSTRUMENTATION;
	for (uint32_t chains = few; chains <= 3 * few; chains += 2 * few) {
		(void)snprintf(name, sizeof name, "%s %s: %u chains", workload->name, kind, chains);
		CALLGRIND_ZERO_STATS;
		serve_chains(&rig, serve, chains);
		CALLGRIND_DUMP_STATS_AT(name);
	}
	CALLGRIND_STOP_INSTRUMENTATION;
	rig_close(&rig);
}

#else

int dump_begin(void)
{
	printf("skipped: built without <valgrind/callgrind.h>, from the package valgrind\n");
	return NOT_COUNTED;
}

void dump_row(serve_fn *serve, const struct workload *workload, const char *kind)
{
	(void)serve, (void)workload, (void)kind;
}

#endif
