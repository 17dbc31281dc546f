/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Runs the two sides of an input buffer in every order of their steps that has up to three switches
 * between the sides. The switches when a side sleeps or ends are not counted. Two threads would
 * rarely meet at the few instructions where a wake-up can be lost. So the source of the buffer is
 * compiled with a possible switch before each atomic access, and both sides are coroutines of one
 * thread. console_input_test.c tests the order of memory accesses between processors.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>
#include <virtio/console.h>

static void may_switch(void);

/*
 * Each macro has the name of the built-in function that it calls. C does not expand a macro's name
 * within its own expansion.
 */
#define __atomic_load_n(field, order) (may_switch(), __atomic_load_n(field, order))
#define __atomic_store_n(field, value, order) (may_switch(), __atomic_store_n(field, value, order))
#define __atomic_exchange_n(field, value, order) (may_switch(), __atomic_exchange_n(field, value, order))
#include "../../virtio-console/src/input.c"

#define STACK (64u * 1024)
#define MOST_STEPS 76u
#define SWITCHES 3u

enum side { PRODUCER, CONSUMER, SIDES };

static struct {
	ucontext_t home, contexts[SIDES];
	char stacks[SIDES][STACK];
	enum side running;
	bool asleep[SIDES], done[SIDES], woken[SIDES];
	uint32_t step;
	uint32_t switch_at[SWITCHES]; /* steps with a switch; MOST_STEPS for no switch */
	struct virtio_console_input input;
	uint8_t storage[4];
	uint32_t total, taken;
} w;

static void fail(const char *what)
{
	fprintf(stderr, "FAILED: %s; %u of %u bytes, capacity %u, switches at %u %u %u\n", what, w.taken, w.total,
		w.input.capacity, w.switch_at[0], w.switch_at[1], w.switch_at[2]);
	exit(1);
}

static bool can_run(enum side side)
{
	return !w.done[side] && (!w.asleep[side] || w.woken[side]);
}

/* Lets the other side run, unless that side sleeps or has ended. A woken side can run. */
static void switch_side(void)
{
	const enum side from = w.running, to = from == PRODUCER ? CONSUMER : PRODUCER;

	if (!can_run(to))
		return;
	w.running = to;
	swapcontext(&w.contexts[from], &w.contexts[to]);
}

static void may_switch(void)
{
	const uint32_t step = w.step++;

	for (uint32_t i = 0; i < SWITCHES; i++)
		if (w.switch_at[i] == step)
			switch_side();
}

/* Makes a side sleep until the other side wakes it. */
static void sleep_until_woken(enum side side)
{
	w.asleep[side] = true;
	while (!w.woken[side]) {
		if (!can_run(side == PRODUCER ? CONSUMER : PRODUCER))
			fail("both sides sleep");
		switch_side();
	}
	w.asleep[side] = w.woken[side] = false;
}

static void wake(enum side side)
{
	w.woken[side] = true;
}

/* Ends a side. The other side continues unless it has ended, too. */
static void end(enum side side)
{
	w.done[side] = true;
	if (w.done[PRODUCER] && w.done[CONSUMER])
		setcontext(&w.home);
	if (!can_run(side == PRODUCER ? CONSUMER : PRODUCER))
		fail("one side has ended, and the other one sleeps");
	switch_side();
	fail("a side goes on after its end");
}

static void produce(void)
{
	for (uint32_t done = 0; done < w.total;) {
		const uint8_t bytes[2] = { (uint8_t)done, (uint8_t)(done + 1) };
		const uint32_t left = w.total - done, len = left < 2 ? left : 2;
		bool wanted = false;
		const int got = virtio_console_input_enqueue(&w.input, bytes, len, &wanted);

		if (wanted)
			wake(CONSUMER);
		done += got > 0 ? (uint32_t)got : 0;
		if (got < (int)len)
			sleep_until_woken(PRODUCER);
	}
	end(PRODUCER);
}

/* Dequeues as virtio_console_receive() does, but one byte at a time. */
static void consume(void)
{
	struct virtio_console_input *input = &w.input;

	while (w.taken < w.total) {
		if (input_between(input, input->taken, console_load(&input->written)) != 0) {
			if (input->bytes[input_offset(input, input->taken)] != (uint8_t)w.taken)
				fail("a byte is wrong");
			w.taken++;
			console_store(&input->taken, input_advance(input, input->taken, 1));
			continue;
		}
		if (!virtio_impl_console_input_sleep(input))
			continue;
		if (virtio_impl_console_input_wanted(input))
			wake(PRODUCER);
		if (w.taken < w.total)
			sleep_until_woken(CONSUMER);
	}
	/* Before virtio_console_receive() returns, it also tests whether to wake the producer. */
	if (virtio_impl_console_input_wanted(input))
		wake(PRODUCER);
	end(CONSUMER);
}

static void make_side(enum side side, void (*run)(void))
{
	if (getcontext(&w.contexts[side]))
		fail("no context");
	w.contexts[side].uc_stack.ss_sp = w.stacks[side];
	w.contexts[side].uc_stack.ss_size = STACK;
	w.contexts[side].uc_link = NULL;
	makecontext(&w.contexts[side], run, 0);
}

/* Runs both sides to their ends. Returns the number of steps. */
static uint32_t run(uint32_t capacity, enum side first, uint32_t a, uint32_t b, uint32_t c)
{
	if (virtio_console_input_init(&w.input, w.storage, capacity))
		fail("init");
	for (int side = 0; side < SIDES; side++)
		w.asleep[side] = w.done[side] = w.woken[side] = false;
	w.switch_at[0] = a;
	w.switch_at[1] = b;
	w.switch_at[2] = c;
	w.taken = w.step = 0;
	w.running = first;
	make_side(PRODUCER, produce);
	make_side(CONSUMER, consume);
	w.step = 0;
	swapcontext(&w.home, &w.contexts[first]);
	if (w.taken != w.total || !virtio_console_input_is_empty(&w.input))
		fail("bytes are left");
	if (w.step > MOST_STEPS)
		fail("a run has more than MOST_STEPS steps");
	return w.step;
}

int main(void)
{
	uint32_t runs = 0, longest = 0;

	w.total = 4;
	for (uint32_t capacity = 1; capacity <= 3; capacity++)
		for (int first = 0; first < SIDES; first++)
			for (uint32_t a = 0; a <= MOST_STEPS; a++)
				for (uint32_t b = a; b <= MOST_STEPS; b++)
					for (uint32_t c = b; c <= MOST_STEPS; c++, runs++) {
						const uint32_t steps = run(capacity, (enum side)first, a, b, c);

						longest = steps > longest ? steps : longest;
					}
	printf("%u orders, of up to %u steps\n", runs, longest);
	return 0;
}
