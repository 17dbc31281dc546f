/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A device and its front end as sections of a saved state (<virtio/section.h>), and as descriptors
 * with names (handover.h). The device's number in the file is its position on the command line.
 *
 *   vu-device   type and number of queues, which must be the same in both processes; offered
 *               features, for people who read the file
 *   vu-driver   features of the driver, and statistics. Programs that don't know the section skip
 *               it
 *   vu-session  the front end's settings, and a list of its memory regions
 *   vu-message  the bytes of an incomplete message, if any
 *   vu-ring     for each queue; if the ring runs, the section of the queue follows
 *
 * Without a front end there is no vu-session, vu-message or vu-ring. The device's own sections
 * follow.
 *
 * Names of the descriptors of device N, with an index I or the number Q of a queue: "N socket",
 * "N requests", "N memory I", "N message I", "N kick Q", "N call Q", "N err Q".
 *
 * Threads: the control thread only. The devices' threads must be paused during a save.
 */
#ifndef SESSION_STATE_H
#define SESSION_STATE_H

#include "handover.h"
#include "session.h"

#include <virtio/section.h>

/*
 * Writes a device and its front end, if any. Changes nothing.
 *
 * @session  of the front end, or NULL
 *
 * Returns 0, or -1 after printing why not.
 */
int session_state_save(struct device_host *host, const struct session *session, struct virtio_section_writer *writer,
		       uint32_t number, struct handover *handover);

/*
 * Reads a device, and restores it. No ring runs yet.
 *
 * @host     must be open
 * @session  set to the session with the front end, or NULL if there was none
 *
 * Returns 0, or -1 after printing why not. After -1 the device stays open, and so does *session
 * unless it is NULL, see server_take_over().
 */
int session_state_restore(struct device_host *host, struct event_loop *loop, struct virtio_section_reader *reader,
			  uint32_t number, struct handover *handover, struct session **session);

/*
 * Reads a device, and restores it for a front end that will connect. The state of the earlier front
 * end is skipped.
 *
 * @host  must be open, with in_file set
 *
 * Returns 0, or -1 after printing why not.
 */
int session_state_restore_anew(struct device_host *host, struct virtio_section_reader *reader, uint32_t number);

/* Starts the rings that ran. A ring that can't start stays stopped, and a message says why. */
void session_state_continue(struct session *session);

#endif
