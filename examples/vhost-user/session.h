/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * One front end and what it has set up: features, memory, rings.
 *
 * What the front end can do: send any message at any time. A message that isn't what the protocol says
 * it is (flags, length, number of descriptors) ends the session, since nothing behind it can be
 * trusted to be a message. One that asks for what can't be done changes nothing, except that a ring
 * which was to start with it stays stopped, and without the kick descriptor that came; the front end is
 * told so if it wants to know (REPLY_ACK), and otherwise the session ends. Unknown requests are
 * refused or ignored. Nothing of this keeps the device from serving the next front end.
 */
#ifndef SESSION_H
#define SESSION_H

#include "device_host.h"
#include "event_loop.h"
#include "message.h"
#include "shared_memory.h"
#include "vring.h"

struct session {
	struct event_source socket;
	struct event_loop *loop;
	struct device_host *host;
	struct device *device;
	void (*ended)(struct session *session); /* called when the front end is gone; may close the session */
	void *owner;                            /* the one who opened it */
	struct message message;
	struct event_source damaged; /* an eventfd, signalled by rings' threads: memory is gone, and the session over */
	bool spoke;                  /* at least one message came */
	char reason[160];
	uint64_t features; /* negotiated */
	uint64_t protocol_features;
	struct shared_memory *memory; /* NULL before SET_MEM_TABLE */
	int request_fd;               /* a Unix socket for requests of ours; -1 for none */
	struct vhost_vring vrings[];  /* as many as the device has queues */
};

/*
 * Begins a session on a connected socket, which it owns from now on if it succeeds. Returns NULL
 * with errno otherwise.
 */
struct session *session_open(struct event_loop *loop, struct device_host *host, int socket);

/*
 * Tells the front end if the device's configuration space has become another, and the front end has said that it wants
 * to know.
 */
void session_tell_config_change(struct session *session);

/* Ends a session: stops its rings, gives back the guest's memory, frees it. */
void session_close(struct session *session);

#endif
