/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The argument of --console. */
#ifndef CONSOLE_OPTIONS_H
#define CONSOLE_OPTIONS_H

#include "console_link.h"

#define CONSOLE_MAX_PORTS 32

struct console_options {
	const char *socket;
	const char *control;                        /* path of the control socket, or NULL */
	struct unix_listener_access control_access; /* who may connect to the control socket */
	bool multiport;
	uint32_t port_count; /* the console, which is port 0, and the named ports */
	struct {
		const char *name; /* NULL for port 0, the console */
		struct console_link_options link;
	} ports[CONSOLE_MAX_PORTS];
};

/*
 * Parses the argument.
 *
 * @spec     is cut into pieces, and stays in use
 * @options  set on success
 *
 * Called before any thread runs. Returns 0, or -1 after printing what is wrong.
 */
int console_options_parse(char *spec, struct console_options *options);

/* Parses "COLSxROWS", each from 1 to 65535. Returns 0, or -1 and prints nothing. */
int console_size_parse(const char *text, uint16_t *cols, uint16_t *rows);

/* Prints the part of --help about --console. */
void console_options_help(void);

#endif
