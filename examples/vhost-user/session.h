/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * One front end and what it has set up: features, memory, rings.
 *
 * What the front end can do: send any message at any time. A message whose header or length isn't
 * what the protocol says ends the session, since nothing behind it can be trusted to be a
 * message. One that asks for what can't be done changes nothing, except that a ring which was to
 * start with it stays stopped, and without the kick descriptor that came. The front end is told
 * so if it wants to know (REPLY_ACK), and otherwise the session ends, unless it does no harm not
 * to know. Unknown requests are refused or ignored. Nothing of this keeps the device from serving
 * the next front end.
 *
 * What stands in struct session_setup and struct vring_setup is all that the front end has said,
 * but for its memory and its descriptors.
 */
#ifndef SESSION_H
#define SESSION_H

#include "device_host.h"
#include "event_loop.h"
#include "message.h"
#include "shared_memory.h"
#include "vring.h"

/* What the front end has said of the device. Plain data. */
struct session_setup {
	uint64_t features; /* as they came last: rings that start heed them */
	bool has_features; /* they have come */
	uint64_t protocol_features;
	uint64_t applied; /* the features that the device has, those of the rings that run */
	bool has_applied;
};

/* What the operator was told in this session. */
enum session_hint {
	SESSION_HINT_LEGACY = 1, /* the driver is older than virtio 1.0 */
};

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
	unsigned int hints;          /* enum session_hint */
	char reason[256];
	struct session_setup setup;
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
 * Tells the front end if the device's configuration space has become another, and the front end
 * has said that it wants to know.
 */
void session_tell_config_change(struct session *session);

/*
 * Start the ring, or all rings, for which nothing is missing. Return 0, also where something is;
 * or -1 after saying in session->reason why one can't start.
 */
int session_start_ring(struct session *session, struct vhost_vring *vring);
int session_start_rings(struct session *session);

/* The memory is another: rings that have waited for it start. */
void session_memory_came(struct session *session);

/*
 * Lets the device know of features before rings start, for what depends on them. Returns 0, or -1
 * after saying in session->reason why they don't fit together.
 */
int session_apply_features(struct session *session);

/* What the front end may choose from: features of the device and its rings, and of the protocol. */
uint64_t session_offered(const struct session *session);
uint64_t session_offered_protocol(const struct session *session);

/* Ends a session: stops its rings, gives back the guest's memory, frees it. */
void session_close(struct session *session);

#endif
