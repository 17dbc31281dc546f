/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Messages for the operator, on stderr. What a guest or a front end can cause goes through here: it
 * can cause it as often as it likes, so the rate is bounded, and what was left out is counted. Any
 * thread.
 */
#ifndef LOG_H
#define LOG_H

__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);

#endif
