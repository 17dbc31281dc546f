/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Command lines: an argument of the form VALUE,NAME=VALUE,NAME=VALUE... */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Prints on stderr what is wrong with a word of the command line. Returns -1. */
int option_error(const char *word, const char *why);

/*
 * Cuts an argument at its commas, and each pair at its first "=".
 *
 * @spec  the argument. Each piece becomes a string in place. The first piece is not a pair.
 * @take  called for each pair in turn. Returns 0; or prints what is wrong and returns -1, which
 *        ends the parsing.
 *
 * Returns 0, or -1 after printing what is wrong.
 */
int options_parse(char *spec, int (*take)(void *context, const char *name, char *value), void *context);

/* Does the same as options_parse(), for an argument that consists of pairs only. */
int options_parse_pairs(char *pairs, int (*take)(void *context, const char *name, char *value), void *context);

/* Parses a decimal number from min to max. Returns 0 or -1. Prints nothing. */
int option_number(const char *text, uint64_t min, uint64_t max, uint64_t *number);

/* Parses "on" or "off". Returns 0, or -1 after printing what is wrong. */
int option_switch(const char *name, const char *value, bool *on);

#endif
