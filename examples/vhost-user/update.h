/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * SIGUSR1: the program replaces itself by the program that is in its file now, and the guests don't
 * notice.
 *
 * The old process holds up all threads, writes its state to a file, and executes the file of its
 * program with the same arguments. The new program inherits images, sockets, memory and the
 * descriptors of the rings. If anything fails before that, the old process goes on, and says why.
 * If the new program can't go on, it says why, and executes the old one again, which can.
 *
 * Threads: the control thread's.
 */
#ifndef UPDATE_H
#define UPDATE_H

#include "server.h"

/* How long the old process waits for what is in flight. */
#define UPDATE_PATIENCE_MS 5000u

struct update {
	char **argv;            /* as main() got them, copied: parsing changes them */
	char *program;          /* the file of the program */
	const char *state_path; /* where the state is written; NULL: SIGUSR1 is refused */
};

/* A device of the command line. */
struct update_entry {
	struct server *server;
	struct device *device;
	const struct endpoint *endpoint;
};

/* Copies the arguments. To be called before they are parsed. Returns 0, or -1 with errno. */
int update_init(struct update *update, char **argv);
void update_free(struct update *update);

/*
 * Hands over to the program. Returns only if that has failed, and then everything goes on, and the
 * operator was told why.
 */
void update_run(const struct update *update, const struct update_entry *entries, unsigned int count);

/*
 * In the new program: opens the servers from what was handed over (`inherited`), and goes on.
 *
 * Returns 0. If the program can't go on it executes the old one. Returns -1 if that fails, too.
 */
int update_take_over(struct event_loop *loop, const struct update_entry *entries, unsigned int count, bool once);

#endif
