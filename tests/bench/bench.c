/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * How fast the queue is, beside a floor that checks nothing.
 *
 *	bench                       a table of times: best and median of alternating rounds, and ratios
 *	bench LOAD KIND REGIONS N   serves N batches and prints nothing, for looking at one loop with a profiler
 *	bench --count               for callgrind, which writes a dump for each row of instructions.txt and number of
 *	                            batches: count.sh reads them. Exits with 77 if built without callgrind's header.
 *
 * Bulk loads are not counted: most of their instructions are the C library's memcpy.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef HAVE_CALLGRIND
#include <valgrind/callgrind.h>
#endif

#include "loops.h"

#define ROUNDS 11
#define CHAINS_A_ROUND 200000u
#define NOT_COUNTED 77 /* the exit status of a test that is skipped */

enum kind { FLOOR, INLINE, CALLED, KINDS };

static const char *const kind_names[KINDS] = { "floor", "inline", "called" };

static const struct bench {
	struct workload load;
	serve_fn *serve[KINDS];
} benches[] = {
	{ { .name = "W1", .what = "one 64 B descriptor", .batch = 256, .descriptors = 1, .bytes = 64 },
	  { floor_walk, inline_walk, called_walk } },
	{ { .name = "W2", .what = "header, 4 KiB, status", .batch = 64, .descriptors = 3 },
	  { floor_request, inline_request, called_request } },
	{ { .name = "W3", .what = "W2 behind an indirect table", .batch = 256, .descriptors = 3, .indirect = true },
	  { floor_request, inline_request, called_request } },
	{ { .name = "W4r", .what = "read 16 x 4 KiB", .batch = 16, .descriptors = 16, .bytes = 4096, .bulk = true },
	  { floor_bulk, inline_bulk, called_bulk } },
	{ { .name = "W4w",
	    .what = "write 16 x 4 KiB",
	    .batch = 16,
	    .descriptors = 16,
	    .bytes = 4096,
	    .bulk = true,
	    .writable = true },
	  { floor_bulk, inline_bulk, called_bulk } },
	{ { .name = "W4s", .what = "read 64 x 64 B", .batch = 4, .descriptors = 64, .bytes = 64, .bulk = true },
	  { floor_bulk, inline_bulk, called_bulk } },
	{ { .name = "W5", .what = "W2 with EVENT_IDX checks", .batch = 64, .descriptors = 3, .event_idx = true },
	  { floor_notify, inline_notify, called_notify } },
	{ { .name = "B", .what = "W2 parsed as block requests", .batch = 64, .descriptors = 3 },
	  { floor_request, inline_block, called_block } },
	{ { .name = "Ct", .what = "console output, 64 B", .batch = 256, .descriptors = 1, .bytes = 64, .spread = true },
	  { floor_transmit, library_transmit, library_transmit } },
	{ { .name = "Cr",
	    .what = "console input, 64 B",
	    .batch = 256,
	    .descriptors = 1,
	    .bytes = 64,
	    .spread = true,
	    .writable = true },
	  { floor_receive, library_receive, library_receive } },
	{ { .name = "V", .what = "44 B and 4 KiB each way", .batch = 64, .descriptors = 2, .packets = true },
	  { floor_packet, inline_packet, called_packet } },
	{ { .name = "M", .what = "register read, notify write", .batch = 64, .descriptors = 1, .bytes = 64 },
	  { floor_registers, library_registers, library_registers } },
};

#define BENCHES (sizeof benches / sizeof benches[0])

/* What the loops return goes here, so that none of it can be left out. */
static volatile uint64_t sink;

static void serve_batches(struct rig *w, serve_fn *serve, uint32_t batches)
{
	for (uint32_t i = 0; i < batches; i++) {
		rig_offer(w);
		sink = serve(w);
	}
}

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

/* Alternating rounds, so that a change of the machine's speed meets all kinds alike. */
static void measure(const struct bench *b, uint32_t regions)
{
	static struct rig rigs[KINDS];
	double ns[KINDS][ROUNDS];
	const uint32_t batches = (b->load.bulk ? CHAINS_A_ROUND / 50 : CHAINS_A_ROUND) / b->load.batch;

	for (int k = 0; k < KINDS; k++)
		/* The floor adds one constant to an address, which is right only for one region. */
		rig_open(&rigs[k], &b->load, k == FLOOR ? 1 : regions);
	for (int r = 0; r < ROUNDS; r++)
		for (int k = 0; k < KINDS; k++) {
			double start = nanoseconds();

			serve_batches(&rigs[k], b->serve[k], batches);
			ns[k][r] = (nanoseconds() - start) / batches / b->load.batch;
		}
	printf("%-4s %-28s %u", b->load.name, b->load.what, regions);
	for (int k = 0; k < KINDS; k++) {
		qsort(ns[k], ROUNDS, sizeof ns[k][0], by_value);
		printf("  %8.1f %8.1f", ns[k][0], ns[k][ROUNDS / 2]);
		if (k != FLOOR)
			printf(" %5.2f", ns[k][0] / ns[FLOOR][0]);
		rig_close(&rigs[k]);
	}
	printf("\n");
}

static int count(char **argv)
{
	static struct rig rig;
	const uint32_t regions = (uint32_t)strtoul(argv[3], NULL, 10);

	for (size_t i = 0; i < BENCHES; i++)
		for (int k = 0; k < KINDS; k++)
			if (!strcmp(argv[1], benches[i].load.name) && !strcmp(argv[2], kind_names[k]) && regions >= 1 &&
			    regions <= MAX_REGIONS) {
				rig_open(&rig, &benches[i].load, regions);
				serve_batches(&rig, benches[i].serve[k], (uint32_t)strtoul(argv[4], NULL, 10));
				rig_close(&rig);
				return 0;
			}
	fprintf(stderr, "bench: no workload %s %s with %s regions\n", argv[1], argv[2], argv[3]);
	return 2;
}

#ifdef HAVE_CALLGRIND

/* A dump whose name is the row and how many chains it served. */
static void dump(const struct bench *b, int kind, uint32_t regions, uint32_t batches)
{
	static struct rig rig;
	char name[64];

	(void)snprintf(name, sizeof name, "%s %s %u: %u chains", b->load.name, kind_names[kind], regions,
		       batches * b->load.batch);
	rig_open(&rig, &b->load, regions);
	/* A loop sets its device up in its first batch, and an earlier row may have done so. */
	serve_batches(&rig, b->serve[kind], 1);
	CALLGRIND_START_INSTRUMENTATION;
	CALLGRIND_ZERO_STATS;
	serve_batches(&rig, b->serve[kind], batches);
	CALLGRIND_DUMP_STATS_AT(name);
	CALLGRIND_STOP_INSTRUMENTATION;
	rig_close(&rig);
}

/* Two dumps a row: their difference is free of what a dump costs by itself. */
static int dump_all(void)
{
	if (!RUNNING_ON_VALGRIND) {
		fprintf(stderr, "bench: --count needs valgrind --tool=callgrind around it\n");
		return 2;
	}
	for (size_t i = 0; i < BENCHES; i++)
		for (int k = 0; k < KINDS && !benches[i].load.bulk; k++)
			for (uint32_t regions = 1; regions <= MAX_REGIONS; regions += MAX_REGIONS - 1) {
				/* The floor adds one constant to an address, which is right only for one region. */
				if (k == FLOOR && regions > 1)
					continue;
				dump(&benches[i], k, regions, 10);
				dump(&benches[i], k, regions, 30);
			}
	return 0;
}

#else

static int dump_all(void)
{
	printf("skipped: built without <valgrind/callgrind.h>, from the package valgrind\n");
	return NOT_COUNTED;
}

#endif

int main(int argc, char **argv)
{
	if (argc == 5)
		return count(argv);
	if (argc == 2 && !strcmp(argv[1], "--count"))
		return dump_all();
	if (argc != 1) {
		fprintf(stderr, "usage: bench [--count | LOAD floor|inline|called REGIONS BATCHES]\n");
		return 2;
	}
	printf("ns per chain, best and median of %d rounds; ratio of the best to the floor's best\n", ROUNDS);
	printf("%-4s %-28s %s  %17s  %17s %5s  %17s %5s\n", "load", "request", "R", "floor", "inline", "ratio",
	       "called", "ratio");
	for (size_t i = 0; i < BENCHES; i++)
		for (uint32_t regions = 1; regions <= MAX_REGIONS; regions += MAX_REGIONS - 1)
			measure(&benches[i], regions);
	return 0;
}
