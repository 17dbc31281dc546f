/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Messages for the operator, on stderr. Every message that a guest or a front end can cause is
 * printed by log_line(). A guest can cause messages endlessly, so the rate is bounded, and omitted
 * messages are counted.
 *
 * Threads: log_line() is thread-safe.
 */
#ifndef LOG_H
#define LOG_H

__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);

#endif
