/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A socket for commands to a running device. Each line is a command. The answer to a command ends
 * with a line "ok", or "error: REASON". One client at a time is served. A second client gets an
 * error, and its connection is closed.
 *
 * Threads: all functions must be called on the device's thread.
 */
#ifndef CONSOLE_CONTROL_H
#define CONSOLE_CONTROL_H

#include "event_loop.h"
#include "unix_listener.h"

#include <stddef.h>

#define CONSOLE_COMMAND_BYTES 512 /* the longest line, with its newline */

struct console_control {
	const char *name; /* the device's name, for messages */
	const char *path;
	struct unix_listener_access access;
	/*
	 * Carries out a command.
	 *
	 * @line  without its newline; may be changed
	 *
	 * Answers with console_control_say(). Returns NULL, or why the command was refused; a
	 * refused command has changed nothing.
	 */
	const char *(*command)(struct console_control *control, char *line);

	/* Used by console_control.c only. */
	struct event_loop *loop;
	struct event_source listener, client; /* fd is -1 if not open */
	struct unix_listener_file file;
	char line[CONSOLE_COMMAND_BYTES];
	size_t used;
};

/*
 * Begins to listen. `name`, `path`, `access` and `command` must be set. Returns 0, or -1 after
 * printing why not. After -1, console_control_close() must not be called.
 */
int console_control_open(struct console_control *control, struct event_loop *loop);
void console_control_close(struct console_control *control);

/*
 * Sends a line of an answer. A client that does not read its answers is dropped. A client that has
 * closed its end gets no answers, but its commands are carried out.
 */
__attribute__((format(printf, 2, 3))) void console_control_say(struct console_control *control, const char *format,
							       ...);

#endif
