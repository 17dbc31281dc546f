/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The cases that are measured. A name is a load with modifiers: "W2", "W3.x1" or "B.n16.t.r8".
 *
 *	nN      N descriptors in each chain
 *	dN      N bytes in each data buffer
 *	t       each chain is in an indirect table
 *	xN      bursts of N chains, in place of the load's usual burst
 *	qN      a queue of N entries, in place of 256
 *	bN      N regions, used in turn for buffers; rings and tables are in region 0
 *	rN      N regions, used in turn for buffers, tables and rings
 *	sN      N regions: each table, header, data buffer and status is in a random region
 *	lh, ls  a dirty log; the used ring is in one page (lh: hot) or in two pages (ls: spread)
 */
#ifndef TESTS_BENCH_CASES_H
#define TESTS_BENCH_CASES_H

#include "loops.h"

enum kind { KIND_BASELINE, KIND_INLINE, KIND_CALLED, KINDS };

extern const char *const kind_names[KINDS];

struct load {
	const char *name;
	const char *what;
	struct workload usual; /* without modifiers; next_case() replaces some members that are 0 */
	/*
	 * The loops by kind. The inline loop is NULL if the functions have no inline version.
	 */
	serve_fn *serve[KINDS];
};

extern const struct load loads[];
extern const size_t load_count;

/*
 * Lists of names, separated by spaces: the cases whose instructions are counted, and the timed
 * cases.
 */
extern const char counted_cases[];
extern const char timed_cases[];

/*
 * Takes the next name from a list, and fills in the workload. Returns the name's load, or NULL at
 * the end. Exits with a message if the name is unknown.
 */
const struct load *next_case(const char **list, struct workload *out);

/*
 * Returns whether a case has this kind. The baseline adds one constant to an address, which is
 * right for one region only. The baseline also has the queue size as a constant, and no dirty log.
 */
bool case_has_kind(const struct load *load, const struct workload *workload, enum kind kind);

/*
 * Returns a number of chains, a multiple of the burst. The result is at least one burst, even if
 * one burst exceeds a limit. A larger result is at most `most` chains with at most `descriptors`
 * descriptors in all.
 */
uint32_t chains_for(const struct workload *workload, uint32_t most, uint32_t descriptors);

/*
 * serve_chains() rounds a number of chains up to whole bursts, and serves the bursts by a loop.
 * serve_once() offers and serves one burst. callgrind counts the offer and the service.
 */
void serve_chains(struct rig *rig, serve_fn *serve, uint32_t chains);
void serve_once(struct rig *rig, serve_fn *serve);

#endif
