/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * For tests with threads, which wait for each other without a limit of their own: how long a machine takes is no
 * failure. What would wait for ever ends here.
 */
#ifndef VIRTIO_TESTS_WATCHDOG_H
#define VIRTIO_TESTS_WATCHDOG_H

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define WATCHDOG_SECONDS 300u

static void watchdog(int signal_number)
{
	static const char text[] = "FAILED: the threads wait for ever, or the machine stands still\n";

	(void)signal_number;
	if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
		_exit(2);
	_exit(1);
}

/* Once, at the start of the program. Returns whether it watches. */
static bool watchdog_start(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_handler = watchdog;
	if (sigaction(SIGALRM, &action, NULL))
		return false;
	(void)alarm(WATCHDOG_SECONDS);
	return true;
}

#endif
