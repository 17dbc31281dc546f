/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * On SIGUSR1 the process executes the file of its program again. The file may contain a new
 * program. Guests notice only a pause.
 *
 * The old program pauses all threads, writes its state to a file, and executes the file of its
 * program with the same arguments. The new program inherits images, sockets, memory and the
 * descriptors of the rings.
 *
 * If anything fails before the execution, the old program continues and prints why. If the new
 * program can't continue, it prints why, and executes the old program again.
 *
 * Threads: the control thread only.
 */
#ifndef UPDATE_H
#define UPDATE_H

#include "server.h"

/* Limits the wait for requests in flight. The wait may last up to one second longer. */
#define UPDATE_PATIENCE_MS 5000u

struct update {
	char **argv;   /* a copy of main()'s arguments, because parsing changes the originals */
	char *program; /* the file of the program */
	/*
	 * The file to which the state is written. If NULL, SIGUSR1 is refused, and no state is
	 * written at the end.
	 */
	const char *state_path;
};

/* A device of the command line. */
struct update_entry {
	struct server *server;
	struct device *device;
	const struct endpoint *endpoint;
};

/*
 * Copies the arguments, and finds the program's file. Must be called before the arguments are
 * parsed. Returns 0, or -1 for lack of memory, or if the file's path is unknown or too long.
 */
int update_init(struct update *update, char **argv);
void update_free(struct update *update);

/* Checks that every device can be saved. Returns 0, or -1 after printing which device can't. */
int update_check_devices(const struct update_entry *entries, unsigned int count);

/*
 * Saves all devices, which must be paused.
 *
 * @handover  gets the descriptors
 * @length    set to the length of the state in bytes
 *
 * Returns the state, which the caller frees; or NULL after printing why not.
 */
uint8_t *update_save_all(const struct update_entry *entries, unsigned int count, struct handover *handover,
			 size_t *length);

/* The most skipped sections that update_end_state() prints. */
#define UPDATE_SKIPPED 64u

/*
 * Ends the reading of a state, and prints which sections were skipped. Returns 0, or -1 with the
 * reason in reader->fault.
 */
int update_end_state(struct virtio_section_reader *reader);

/*
 * Hands over to the new program. Returns only on failure, after printing why. All devices then run
 * again.
 */
void update_run(const struct update *update, const struct update_entry *entries, unsigned int count);

/*
 * Called in the new program. Opens the servers from the received descriptors (`inherited`), and
 * starts the rings that ran.
 *
 * If this program can't continue, it executes the old program. If the execution fails, too, this
 * program exits.
 */
void update_take_over(struct event_loop *loop, const struct update_entry *entries, unsigned int count, bool once);

#endif
