/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* See times.h. */
#include "times.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MAX_ROUNDS 1001
/* Multiplies the rounds with threads, because two threads seldom run at once on a busy machine. */
#define THREAD_ROUNDS 20
/*
 * Limits of a round. A round is short, so that on a busy machine some rounds are not interrupted.
 */
#define CHAINS 25600u
#define DESCRIPTORS 76800u

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

static int rounds(void)
{
	const char *wanted = getenv("BENCH_ROUNDS");
	const int n = wanted ? atoi(wanted) : 51;

	return n < 1 ? 1 : n > MAX_ROUNDS ? MAX_ROUNDS : n;
}

/* Loads that move pages take longer for each chain, so fewer chains suffice for the clock. */
static uint32_t chains_a_round(const struct workload *w)
{
	const bool moves_pages = w->shape == SHAPE_BUFFERS && w->bytes >= 4096;

	return chains_for(w, moves_pages ? CHAINS / 100 : CHAINS, DESCRIPTORS);
}

struct result {
	double best;
	double median;
};

/* Measures each kind whose loop is not NULL, with the kind's workload. */
static void measure(serve_fn *const *serve, const struct workload *const *workloads, struct result *results)
{
	static struct rig rigs[KINDS];
	static double ns[KINDS][MAX_ROUNDS];
	const int n = rounds();

	for (int k = 0; k < KINDS; k++)
		if (serve[k])
			rig_open(&rigs[k], workloads[k], NULL);
	for (int r = 0; r < n; r++)
		for (int k = 0; k < KINDS; k++) {
			const uint32_t chains = chains_a_round(workloads[k]);
			double start = nanoseconds();

			if (serve[k])
				serve_chains(&rigs[k], serve[k], chains);
			ns[k][r] = (nanoseconds() - start) / chains;
		}
	for (int k = 0; k < KINDS; k++) {
		qsort(ns[k], (size_t)n, sizeof ns[k][0], by_value);
		results[k] = (struct result){ ns[k][0], ns[k][n / 2] };
		if (serve[k])
			rig_close(&rigs[k]);
	}
}

/*
 * Returns the limit for the inline version's time, as a multiple of the baseline's, or NULL for no
 * limit.
 */
static const char *time_bar(const char *name)
{
	static const char *const bars[][2] = { { "W1", "2.0" },   { "W2", "2.0" },   { "W3", "2.0" },
					       { "W4r", "1.05" }, { "W4w", "1.05" }, { "W5", "2.0" } };

	for (size_t i = 0; i < sizeof bars / sizeof bars[0]; i++)
		if (!strcmp(bars[i][0], name))
			return bars[i][1];
	return NULL;
}

static void print_row(const struct load *load, const struct workload *workload)
{
	/*
	 * The baseline has one region without a log, even if the case has several regions or a log.
	 */
	struct workload plain = *workload;
	const struct workload *const workloads[KINDS] = { &plain, workload, workload };
	struct result results[KINDS];

	plain.regions = 1;
	plain.dirty = DIRTY_OFF;
	measure(load->serve, workloads, results);
	printf("| %s | %s |", workload->name, load->what);
	for (int k = 0; k < KINDS; k++) {
		if (!load->serve[k]) {
			printf(" | | |");
			continue;
		}
		printf(" %.1f | %.1f |", results[k].best, results[k].median);
		if (k != KIND_BASELINE)
			printf(" %.2f |", results[k].best / results[KIND_BASELINE].best);
	}
	if (time_bar(workload->name))
		printf(" %s", time_bar(workload->name));
	printf(" |\n");
	fflush(stdout);
}

int time_all(void)
{
	const struct load *load;
	struct workload workload;

	printf("Nanoseconds per chain, best and median of %d rounds. x is the best divided by the baseline's best.\n\n"
	       "| case | what | baseline | median | inline | median | x | called | median | x | bar |\n"
	       "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
	       rounds());
	for (const char *list = timed_cases; (load = next_case(&list, &workload));)
		print_row(load, &workload);
	return 0;
}

int time_cases(const char *list, enum kind kind)
{
	const struct load *load;
	struct workload workload;

	while ((load = next_case(&list, &workload))) {
		const struct workload *const workloads[KINDS] = { &workload, &workload, &workload };
		serve_fn *serve[KINDS] = { NULL };
		struct result results[KINDS];

		if (!case_has_kind(load, &workload, kind))
			continue;
		serve[kind] = load->serve[kind];
		measure(serve, workloads, results);
		printf("%s %.1f %.1f\n", workload.name, results[kind].best, results[kind].median);
		fflush(stdout);
	}
	return 0;
}

/* A thread's queue and its times. */
struct server {
	struct rig rig;
	serve_fn *serve;
	uint32_t chains;
	pthread_barrier_t *barrier;
	double began, ended;
};

static void *run(void *argument)
{
	struct server *server = argument;

	pthread_barrier_wait(server->barrier);
	server->began = nanoseconds();
	serve_chains(&server->rig, server->serve, server->chains);
	server->ended = nanoseconds();
	return NULL;
}

/*
 * Serves one queue, or two at once. Returns the whole time divided by the number of chains of one
 * queue.
 */
static double serve_at_once(struct server *servers, unsigned count)
{
	pthread_barrier_t barrier;
	pthread_t threads[2];
	double began, ended;

	pthread_barrier_init(&barrier, NULL, count);
	for (unsigned i = 0; i < count; i++) {
		servers[i].barrier = &barrier;
		if (pthread_create(&threads[i], NULL, run, &servers[i])) {
			fprintf(stderr, "bench: cannot start a thread\n");
			exit(1);
		}
	}
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&barrier);
	began = servers[0].began;
	ended = servers[0].ended;
	if (count == 2) {
		began = servers[1].began < began ? servers[1].began : began;
		ended = servers[1].ended > ended ? servers[1].ended : ended;
	}
	return (ended - began) / servers[0].chains;
}

int time_threads(void)
{
	static struct server servers[2];
	const struct load *load;
	struct workload workload;

	for (const char *list = "W1 W2 B W2.lh W2.ls"; (load = next_case(&list, &workload));) {
		double best[2] = { 0 };

		for (int i = 0; i < 2; i++) {
			rig_open(&servers[i].rig, &workload, i ? &servers[0].rig : NULL);
			servers[i].serve = load->serve[KIND_INLINE];
			servers[i].chains = CHAINS;
		}
		for (int r = 0; r < THREAD_ROUNDS * rounds(); r++)
			for (int i = 0; i < 2; i++) {
				const double ns = serve_at_once(servers, (unsigned)i + 1);

				if (!r || ns < best[i])
					best[i] = ns;
			}
		rig_close(&servers[1].rig);
		rig_close(&servers[0].rig);
		printf("%s %.1f %.1f\n", workload.name, best[0], best[1]);
		fflush(stdout);
	}
	return 0;
}
