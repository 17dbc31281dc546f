/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Messages for the operator, on stderr. Everything that a guest or a front end can cause uses these
 * functions. A guest can cause it any number of times, so the rate is bounded, and omitted messages
 * are counted.
 *
 * Threads: all functions are thread-safe.
 */
#ifndef LOG_H
#define LOG_H

__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);

#endif
