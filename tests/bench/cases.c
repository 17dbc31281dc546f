/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* See cases.h. */
#include "cases.h"

#include <stdio.h>
#include <stdlib.h>

const char *const kind_names[KINDS] = { "baseline", "inline", "called" };

/* The loops of a load, by kind. CALLS is for functions that have no inline version. */
#define LOOPS(baseline, name)                                                                                          \
	{                                                                                                              \
		baseline_##baseline, inline_##name, called_##name                                                      \
	}
#define CALLS(baseline, name)                                                                                          \
	{                                                                                                              \
		baseline_##baseline, NULL, library_##name                                                              \
	}

/* clang-format off */
const struct load loads[] = {
	{ "W1", "one 64 B buffer, walked", { .descriptors = 1 }, LOOPS(walk, walk) },
	{ "W2", "header, 4 KiB, status, walked", { .shape = SHAPE_REQUEST }, LOOPS(request, request) },
	{ "W3", "W2 in an indirect table", { .shape = SHAPE_REQUEST, .table = true }, LOOPS(request, request) },
	{ "W4r", "read 16 x 4 KiB", { .burst = 16, .descriptors = 16, .bytes = 4096 }, LOOPS(bulk, bulk) },
	{ "W4w", "write 16 x 4 KiB", { .burst = 16, .descriptors = 16, .bytes = 4096, .writable = true },
	  LOOPS(bulk, bulk) },
	{ "W4s", "read 64 x 64 B", { .burst = 4, .descriptors = 64 }, LOOPS(bulk, bulk) },
	{ "W5", "W2 with EVENT_IDX checks", { .shape = SHAPE_REQUEST, .event_idx = true }, LOOPS(notify, notify) },
	{ "T", "one chain at a time, EVENT_IDX", { .burst = 1, .descriptors = 1, .event_idx = true }, LOOPS(turn, turn) },
	{ "S", "W1 by virtio_queue_serve()", { .descriptors = 1, .event_idx = true }, LOOPS(serve, serve) },
	{ "R", "W2 resolved", { .shape = SHAPE_REQUEST }, LOOPS(request, resolve) },
	{ "B", "W2 as a block request", { .shape = SHAPE_REQUEST }, LOOPS(request, block) },
	{ "F", "FLUSH, executed", { .descriptors = 2, .shape = SHAPE_REQUEST, .block_type = VIRTIO_BLK_T_FLUSH },
	  CALLS(request, disk) },
	{ "Ct", "console output, 64 B", { .descriptors = 1 }, CALLS(transmit, transmit) },
	{ "Cr", "console input, 64 B", { .descriptors = 1, .writable = true }, CALLS(receive, receive) },
	{ "Vt", "socket packet out, 4 KiB", { .descriptors = 2, .shape = SHAPE_PACKET },
	  CALLS(packet_out, packet_out) },
	{ "Vr", "socket packet in, 4 KiB", { .descriptors = 2, .shape = SHAPE_PACKET, .writable = true },
	  CALLS(packet_in, packet_in) },
	{ "M", "register read, notify write", { .burst = 64, .descriptors = 1, .idle = true },
	  CALLS(registers, registers) },
};
/* clang-format on */

const size_t load_count = sizeof loads / sizeof loads[0];

const char counted_cases[] = "W1 W1.x16 W1.x4 W1.x1 W1.b8 W1.lh W1.ls "
			     "W2 W2.x16 W2.x4 W2.x1 W2.b8 W2.r2 W2.r8 W2.s2 W2.s8 W2.lh W2.ls "
			     "W2.n2 W2.n4 W2.n16 W2.n64 W2.n2.t W2.n4.t W2.n16.t W2.n64.t "
			     "W3 W3.x16 W3.x4 W3.x1 W3.b8 W3.r2 W3.r8 W3.s2 W3.s8 "
			     "W5 W5.x16 W5.x4 W5.x1 W5.b8 "
			     "T S S.x1 "
			     "R R.n2 R.n4 R.n16 R.n64 R.t R.n2.t R.n4.t R.n16.t R.n64.t "
			     "R.r8 R.n2.r8 R.n4.r8 R.n16.r8 R.n64.r8 R.t.r8 R.n2.t.r8 R.n4.t.r8 R.n16.t.r8 R.n64.t.r8 "
			     "B B.x16 B.x4 B.x1 B.b8 B.r2 B.r8 B.s2 B.s8 B.lh B.ls "
			     "B.t B.t.x16 B.t.x4 B.t.x1 B.t.r2 B.t.r8 B.t.s2 B.t.s8 B.t.lh B.t.ls "
			     "B.n2 B.n4 B.n16 B.n64 B.n2.t B.n4.t B.n16.t B.n64.t "
			     "B.n2.r8 B.n4.r8 B.n16.r8 B.n64.r8 B.n2.t.r8 B.n4.t.r8 B.n16.t.r8 B.n64.t.r8 "
			     "F F.x1 F.t F.t.x1 F.t.r2 F.t.r8 "
			     "Ct Ct.x1 Ct.r2 Ct.r8 Ct.s2 Ct.s8 Cr Cr.x1 Cr.r2 Cr.r8 Cr.s2 Cr.s8 "
			     "Vt Vt.x1 Vt.r2 Vt.r8 Vt.s2 Vt.s8 Vr Vr.x1 Vr.r2 Vr.r8 Vr.s2 Vr.s8 "
			     "M";

const char timed_cases[] = "W1 W1.x1 W2 W2.x1 W2.b8 W2.r8 W3 W3.b8 W3.r8 W4r W4r.b8 W4w W4w.b8 W4s W5 W5.x1 W5.b8 T "
			   "R B B.x1 B.b8 B.r8 B.t.r8 F Ct Cr Vt Vr M";

static void refuse(const char *name, size_t length)
{
	fprintf(stderr, "bench: no such case: %.*s\n", (int)length, name);
	exit(2);
}

static const struct load *find_load(const char *name, size_t length)
{
	for (size_t i = 0; i < load_count; i++)
		if (strlen(loads[i].name) == length && !memcmp(loads[i].name, name, length))
			return &loads[i];
	return NULL;
}

static uint32_t or_else(uint32_t value, uint32_t usual)
{
	return value ? value : usual;
}

static bool modify_regions(struct workload *w, char letter, uint32_t number)
{
	static const char letters[] = "brs"; /* indexed by enum layout */
	const char *found = memchr(letters, letter, 3);

	if (!found || !number)
		return false;
	w->layout = (enum layout)(found - letters);
	w->regions = number;
	return true;
}

/* Applies one modifier, without the dot. Returns false if the modifier or its number is invalid. */
static bool modify(struct workload *w, const char *modifier, size_t length)
{
	const char *const end = modifier + length;
	char *digits_end;
	const uint32_t number = (uint32_t)strtoul(modifier + 1, &digits_end, 10);

	if (length == 1 && *modifier == 't')
		return w->table = true;
	if (length == 2 && *modifier == 'l' && memchr("hs", modifier[1], 2)) {
		w->dirty = modifier[1] == 'h' ? DIRTY_HOT : DIRTY_SPREAD;
		return true;
	}
	if (length < 2 || digits_end != end)
		return false;
	if (*modifier == 'n')
		return (w->descriptors = number) > (w->shape == SHAPE_REQUEST ? 1 : 0);
	if (*modifier == 'x')
		return (w->burst = number) != 0;
	if (*modifier == 'd')
		return (w->bytes = number) != 0;
	if (*modifier == 'q')
		return (w->queue_size = number) != 0;
	return modify_regions(w, *modifier, number);
}

const struct load *next_case(const char **list, struct workload *out)
{
	const char *name = *list + strspn(*list, " ");
	const size_t length = strcspn(name, " "), first = strcspn(name, ". ");
	const struct load *load = find_load(name, first);

	if (!length)
		return NULL;
	if (!load || length >= sizeof out->name)
		refuse(name, length);
	*out = load->usual;
	memcpy(out->name, name, length);
	out->name[length] = 0;
	out->queue_size = QUEUE_SIZE;
	out->regions = 1;
	out->burst = or_else(out->burst, QUEUE_SIZE);
	out->bytes = or_else(out->bytes, out->shape == SHAPE_BUFFERS ? 64 : 4096);
	out->descriptors = or_else(out->descriptors, 3);
	for (const char *at = name + first; at < name + length; at += 1 + strcspn(at + 1, ". "))
		if (!modify(out, at + 1, strcspn(at + 1, ". ")))
			refuse(name, length);
	*list = name + length;
	return load;
}

bool case_has_kind(const struct load *load, const struct workload *workload, enum kind kind)
{
	return load->serve[kind] && (kind != KIND_BASELINE || (workload->queue_size == QUEUE_SIZE &&
							       workload->regions == 1 && !workload->dirty));
}

/* The compiler cannot leave out a loop whose result is stored in this variable. */
static volatile uint64_t sink;

/* Not inlined, so that callgrind can collect in this function only. */
__attribute__((noinline)) void serve_once(struct rig *w, serve_fn *serve)
{
	rig_offer(w);
	sink = serve(w);
}

uint32_t chains_for(const struct workload *w, uint32_t most, uint32_t descriptors)
{
	const uint32_t fit = descriptors / w->descriptors, chains = fit < most ? fit : most;

	return chains < w->burst ? w->burst : chains / w->burst * w->burst;
}

void serve_chains(struct rig *w, serve_fn *serve, uint32_t chains)
{
	for (uint32_t i = 0; i < chains; i += w->load->burst)
		serve_once(w, serve);
}
