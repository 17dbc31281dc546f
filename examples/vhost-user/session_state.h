/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A device and its front end as sections of a saved state (<virtio/section.h>), and by descriptors
 * of their own (handover.h). The device's number in the file is its place on the command line.
 *
 *   vu-device   what must be the same in both processes: type, queues, offered features
 *   vu-session  what the front end has said, and a list of its memory regions, if there is one
 *   vu-message  the bytes of a message that hasn't come whole
 *   vu-ring     one for each queue, and behind it the section of its queue if the ring runs
 *   the device's own sections
 *
 * Descriptors: "N socket", "N requests", "N memory I", "N message I", "N kick Q", "N call Q",
 * "N err Q".
 *
 * Threads: the control thread's. Everything is paused while it is saved.
 */
#ifndef SESSION_STATE_H
#define SESSION_STATE_H

#include "handover.h"
#include "session.h"

#include <virtio/section.h>

/*
 * Writes a device, and its front end if there is one. Nothing changes.
 *
 * @session  or NULL
 *
 * Returns 0, or -1 after printing why not.
 */
int session_state_save(struct device_host *host, const struct session *session, struct virtio_section_writer *writer,
		       uint32_t number, struct handover *handover);

/*
 * Reads a device, and restores it. No ring runs yet.
 *
 * @host     open
 * @session  set to the session with the front end, or NULL if there was none
 *
 * Returns 0, or -1 after printing why not, with nothing to close.
 */
int session_state_restore(struct device_host *host, struct event_loop *loop, struct virtio_section_reader *reader,
			  uint32_t number, struct handover *handover, struct session **session);

/* Starts the rings that ran. One that can't start is left stopped, and the operator is told. */
void session_state_continue(struct session *session);

#endif
