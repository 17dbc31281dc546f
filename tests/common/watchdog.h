/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The watchdog of tests that could wait for ever: its thread looks at the test's progress now and
 * then. The test fails after many looks in a row without progress.
 *
 * A slow test does not fail: the machine may be busy. A machine that stands still makes no looks
 * either. So the watchdog counts looks, and not the time since the last progress.
 *
 * The watchdog does not end a wait that makes progress while it waits, for example one that asks
 * again and again. Such a wait makes no steps, or bounds how often it asks.
 */
#ifndef VIRTIO_TESTS_WATCHDOG_H
#define VIRTIO_TESTS_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The test has come further: it has got an answer, a buffer or the end of a process. Any thread of
 * the test's.
 */
void watchdog_step(void);

/*
 * Starts the thread, which lives as long as the process. Once, at the start of the program.
 *
 * @progress  any value that changes when the test comes further, for tests that count anyway; NULL
 *            for the steps
 * @report    says on stderr where the test is, before it fails; or NULL
 *
 * Both run on the thread: what they read is atomic. Children don't inherit the thread. Returns
 * whether it watches.
 */
bool watchdog_start(uint64_t (*progress)(void), void (*report)(void));

#endif
