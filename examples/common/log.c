/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Limits the number of lines that all threads together print in a period. */
#include "log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#define PERIOD_SECONDS 10
#define LINES_IN_PERIOD 20

/* Returns whether a line may be printed now. */
static bool admit(void)
{
	static time_t period;
	static unsigned long lines;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec / PERIOD_SECONDS != period) {
		if (lines > LINES_IN_PERIOD)
			fprintf(stderr, "%lu more lines like these\n", lines - LINES_IN_PERIOD);
		period = now.tv_sec / PERIOD_SECONDS;
		lines = 0;
	}
	return ++lines <= LINES_IN_PERIOD;
}

void log_line(const char *format, ...)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	va_list args;

	pthread_mutex_lock(&mutex);
	if (admit()) {
		va_start(args, format);
		vfprintf(stderr, format, args);
		va_end(args);
		fputc('\n', stderr);
	}
	pthread_mutex_unlock(&mutex);
}
