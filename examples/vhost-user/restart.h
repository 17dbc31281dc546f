/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A stop and a later start: --state PATH writes the state of all devices at the end, and --restore
 * PATH continues from this state. In between, the guest is paused, is saved, or waits for its
 * devices. The guest's front end connects anew, and says where the rings continue.
 *
 * A state that is used twice would repeat output, so a restore renames the file to PATH.used.
 *
 * Threads: the control thread only.
 */
#ifndef RESTART_H
#define RESTART_H

#include "update.h"

/*
 * Drops all front ends, and writes the state. Then only server_close() may be called.
 *
 * Returns 0, or -1 after printing why not. After -1 the devices deliver their waiting output when
 * they are closed.
 */
int restart_save(const char *path, const struct update_entry *entries, unsigned int count);

/*
 * Opens all servers, and restores their devices from the state.
 *
 * Returns 0, or -1 after printing why not. After -1 no server is open. The file is as before,
 * except that its name is PATH.used if only the sync of the new name to disk has failed.
 */
int restart_open(const char *path, struct event_loop *loop, const struct update_entry *entries, unsigned int count,
		 bool once);

#endif
