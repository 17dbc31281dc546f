/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A bounded number of lines in each period of time. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#define PERIOD_SECONDS 10
#define LINES_IN_PERIOD 20

void log_line(const char *format, ...)
{
	static time_t period;
	static unsigned long lines;
	struct timespec now;
	va_list args;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec / PERIOD_SECONDS != period) {
		if (lines > LINES_IN_PERIOD)
			fprintf(stderr, "%lu more lines like these\n", lines - LINES_IN_PERIOD);
		period = now.tv_sec / PERIOD_SECONDS;
		lines = 0;
	}
	if (++lines > LINES_IN_PERIOD)
		return;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}
