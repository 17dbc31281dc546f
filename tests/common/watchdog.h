/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A watchdog for tests that could wait for ever. A thread checks at intervals whether the test has
 * made progress. The test fails after many checks in a row without progress.
 *
 * The watchdog counts checks, and does not measure time. A busy machine delays the checks as well
 * as the test. While the machine is suspended, no check is counted.
 *
 * A loop that polls must not count each poll as progress, or the watchdog would never end the loop.
 * Such a loop calls watchdog_step() only for real progress, or bounds the number of polls.
 */
#ifndef VIRTIO_TESTS_WATCHDOG_H
#define VIRTIO_TESTS_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Records progress, such as a received answer or buffer, or the end of a process. Any thread of the
 * test may call this.
 */
void watchdog_step(void);

/*
 * Starts the thread, which lives as long as the process. Call this once, at the start of the
 * program.
 *
 * @progress  returns the test's own counter of progress; NULL to count calls of watchdog_step()
 * @report    prints on stderr where the test waits, before the test fails; NULL to print nothing
 *
 * progress() and report() run on the watchdog's thread, so the values that they read must be
 * atomic. Child processes have no watchdog. Returns whether the thread runs.
 */
bool watchdog_start(uint64_t (*progress)(void), void (*report)(void));

#endif
