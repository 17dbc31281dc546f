/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Parses pairs of a name and a value. */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int option_error(const char *word, const char *why)
{
	fprintf(stderr, "%s: %s\nTry --help.\n", word, why);
	return -1;
}

int options_parse_pairs(char *pairs, int (*take)(void *context, const char *name, char *value), void *context)
{
	while (pairs) {
		char *pair = pairs;
		char *value;

		pairs = strchr(pair, ',');
		if (pairs)
			*pairs++ = '\0';
		value = strchr(pair, '=');
		if (!value)
			return option_error(pair, "expected name=value");
		*value++ = '\0';
		if (take(context, pair, value))
			return -1;
	}
	return 0;
}

int options_parse(char *spec, int (*take)(void *context, const char *name, char *value), void *context)
{
	char *comma = strchr(spec, ',');

	if (!comma)
		return 0;
	*comma = '\0';
	return options_parse_pairs(comma + 1, take, context);
}

int option_number(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	/* strtoull() accepts a leading sign or space, but this function must not. */
	if (*text < '0' || *text > '9' || *end || errno || value < min || value > max)
		return -1;
	*number = value;
	return 0;
}

int option_switch(const char *name, const char *value, bool *on)
{
	char why[64];

	*on = strcmp(value, "on") == 0;
	if (*on || strcmp(value, "off") == 0)
		return 0;
	snprintf(why, sizeof why, "%s is on or off", name);
	return option_error(value, why);
}
