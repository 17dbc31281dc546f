/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * One front end and its settings: features, memory, rings.
 *
 * The front end can send any message at any time:
 *   wrong header or length      ends the session, since the next bytes may not be the start of a
 *                               message
 *   request that can't be done  changes no setting. A ring that the request should have started
 *                               stays stopped. If the message has brought a kick descriptor, the
 *                               ring loses this descriptor. The front end gets an error if it
 *                               asked for a reply (REPLY_ACK). Otherwise the session ends, unless
 *                               the request is harmless (requests.h)
 *   unknown request             is refused or ignored
 * Whatever a front end sends, the device can serve the next front end.
 *
 * struct session_setup and struct vring_setup contain all settings of the front end, except its
 * memory and its descriptors.
 */
#ifndef SESSION_H
#define SESSION_H

#include "device_host.h"
#include "event_loop.h"
#include "message.h"
#include "shared_memory.h"
#include "vring.h"

/* The front end's settings of the device. Plain data. */
struct session_setup {
	uint64_t features; /* from the last SET_FEATURES; used by rings that start later */
	bool has_features; /* SET_FEATURES was received */
	uint64_t protocol_features;
	uint64_t applied; /* the features that the device and the running rings use */
	bool has_applied;
};

/* Hints that were printed in this session. */
enum session_hint {
	SESSION_HINT_LEGACY = 1, /* the driver is older than virtio 1.0 */
};

struct session {
	struct event_source socket;
	struct event_loop *loop;
	struct device_host *host;
	struct device *device;
	/* Called when the front end has left or was dropped; may close the session. */
	void (*ended)(struct session *session);
	void *owner; /* for the function `ended`; the session does not use this pointer */
	struct message message;
	/*
	 * An eventfd that rings' threads signal when pages of guest memory are lost. The session
	 * then ends.
	 */
	struct event_source damaged;
	bool spoke;         /* at least one message was received */
	unsigned int hints; /* enum session_hint */
	char reason[256];
	struct session_setup setup;
	struct shared_memory *memory; /* NULL before SET_MEM_TABLE */
	int request_fd;               /* a Unix socket for requests to the front end; -1 for none */
	struct vhost_vring vrings[];  /* as many as the device has queues */
};

/*
 * Begins a session on a connected socket, which the session owns on success. Returns NULL with
 * errno on failure.
 */
struct session *session_open(struct event_loop *loop, struct device_host *host, int socket);

/*
 * Tells the front end about a change of the device's configuration space. Does nothing without a
 * change, or if the front end has not asked for such messages.
 */
void session_tell_config_change(struct session *session);

/*
 * Start the ring, or all rings, if the set-up is complete. Return 0, also if the set-up is
 * incomplete or the driver is older than virtio 1.0. Return -1 with session->reason set if a ring
 * can't start.
 */
int session_start_ring(struct session *session, struct vhost_vring *vring);
int session_start_rings(struct session *session);

/* Called when the memory was replaced. Starts rings that have waited for memory. */
void session_memory_came(struct session *session);

/*
 * Passes the features to the device, unless a ring runs. Returns 0, or -1 with session->reason set
 * if the device refuses the features.
 */
int session_apply_features(struct session *session);

/* Return the offered features of the device with its rings, and the offered protocol features. */
uint64_t session_offered(const struct device *device);
uint64_t session_offered_protocol(const struct session *session);

/* Ends a session. Stops its rings, unmaps the guest's memory, and frees the session. */
void session_close(struct session *session);

#endif
