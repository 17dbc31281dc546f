/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Descriptors that a process hands over to the program that it executes. Each descriptor has a
 * name.
 *
 * A memfd lists the names and numbers. The number of the memfd is in an environment variable, which
 * the program's arguments can neither fake nor hide. The saved state is in another memfd, and
 * contains no descriptor numbers.
 *
 *   the old process                          the new process
 *   handover_add() ...                       handover_receive()
 *   handover_pass()                          handover_take() ...      copies
 *   execve()                                 handover_commit()        or handover_return()
 *   handover_withdraw(), if execve() fails
 *
 * The new program takes copies. If the new program can't continue, handover_return() executes the
 * old program again, which finds all descriptors open.
 *
 * Threads: the control thread only.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The next program has each descriptor twice for a moment, and opens up to HANDOVER_MARGIN further
 * descriptors while it starts. handover_pass() fails if the limit of descriptors is too low for all
 * these descriptors.
 */
#define HANDOVER_MARGIN 16u

struct handover_entry {
	int fd;
	bool taken;
	bool own;   /* made by handover_add_bytes() */
	char *name; /* allocated */
};

/* Must be all zeros at first. */
struct handover {
	struct handover_entry *entries;
	unsigned int count, capacity;
	bool failed; /* an entry is missing, for lack of memory */
	int table;   /* the memfd, between handover_pass() and handover_withdraw() */
};

/*
 * Adds a descriptor, which the caller keeps. Does nothing for -1. If there is no memory,
 * handover_pass() will fail.
 */
__attribute__((format(printf, 3, 4))) void handover_add(struct handover *handover, int fd, const char *name, ...);

/* Adds bytes for the next program. Returns 0, or -1 with errno. */
__attribute__((format(printf, 4, 5))) int handover_add_bytes(struct handover *handover, const void *bytes, size_t count,
							     const char *name, ...);

/*
 * Lets the next program inherit the descriptors and a list of the descriptors.
 *
 * @argv  the arguments of this program, for a next program that executes this program again
 *
 * Returns 0, or -1 with errno. A failure changes nothing. EMFILE: see HANDOVER_MARGIN.
 */
int handover_pass(struct handover *handover, char *const *argv);

/* Undoes handover_pass(). */
void handover_withdraw(struct handover *handover);

/* Forgets the entries, and closes the descriptors that handover_add_bytes() has made. */
void handover_clear(struct handover *handover);

/*
 * Finds out whether another program has handed over descriptors. Must be called before the other
 * functions.
 *
 * Returns 1 if there are descriptors, 0 if not, -1 after printing why the table can't be read.
 */
int handover_receive(struct handover *handover);

/*
 * Returns a copy of a received descriptor; or -1 with errno: ENOENT if no descriptor has this name,
 * or the descriptor was already taken; EMFILE; ENOMEM.
 */
__attribute__((format(printf, 2, 3))) int handover_take(struct handover *handover, const char *name, ...);

/* Returns whether a descriptor has this name and wasn't taken. */
__attribute__((format(printf, 2, 3))) bool handover_has(const struct handover *handover, const char *name, ...);

/*
 * Takes exactly `count` bytes. Returns 0, or -1 if no bytes have this name, the number of bytes
 * differs, or the bytes can't be read.
 */
__attribute__((format(printf, 4, 5))) int handover_take_bytes(struct handover *handover, void *bytes, size_t count,
							      const char *name, ...);

/* Returns the name of a descriptor that wasn't taken, or NULL. */
const char *handover_left_over(const struct handover *handover);

/* Called when the new program has taken over. Closes the received descriptors. */
void handover_commit(struct handover *handover);

/*
 * Executes the old program again with its own arguments. The old program then continues. Returns
 * only on failure, with errno: ELOOP if the old program was already executed again.
 */
void handover_return(struct handover *handover);

/*
 * The descriptors that this process has received. Empty if the process has received no descriptor,
 * and after handover_commit().
 */
extern struct handover inherited;

#endif
