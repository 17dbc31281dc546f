/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Command lines: an argument of the form VALUE,NAME=VALUE,NAME=VALUE... */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Prints on stderr what is wrong with a word of the command line. Returns -1. */
int option_error(const char *word, const char *why);

/*
 * Cuts an argument at its commas, and a pair at its first "=".
 *
 * @spec  the argument. It is changed, and the pieces lie in it. The first piece is not a pair, and
 *        stays at the start.
 * @take  called for each pair in turn. Returns 0, or -1 after printing what is wrong, which ends
 *        the parsing.
 *
 * Returns 0, or -1 after printing what is wrong.
 */
int options_parse(char *spec, int (*take)(void *context, const char *name, char *value), void *context);

/* As the function above, for an argument that begins with a pair. */
int options_parse_pairs(char *pairs, int (*take)(void *context, const char *name, char *value), void *context);

/* A decimal number from min to max. Returns 0, or -1 and prints nothing. */
int option_number(const char *text, uint64_t min, uint64_t max, uint64_t *number);

/* Parses "on" or "off". Returns 0, or -1 after printing what is wrong. */
int option_switch(const char *name, const char *value, bool *on);

#endif
