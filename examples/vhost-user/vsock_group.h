/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Guests of this process that reach each other by context ID. A connection between two guests is a
 * pair of sockets, one for each device's thread. Each device has an inbox, which all threads may
 * use. In the inbox the device receives its socket of a new pair.
 */
#ifndef VSOCK_GROUP_H
#define VSOCK_GROUP_H

#include "event_sources.h"

#include <pthread.h>
#include <sys/queue.h>
#include <virtio/vsock_connection.h>

struct vsock_device;
struct vsock_stream;

#define VSOCK_INBOX 256

/* A connection that another guest begins. */
struct vsock_offer {
	int fd;
	uint16_t type;
	struct virtio_vsock_address address; /* local_cid is the ID of the other guest */
};

/* A device's membership in a group. */
struct vsock_group {
	SLIST_ENTRY(vsock_group) next;
	const char *name;
	struct vsock_device *vsock;
	uint32_t cid;
	struct event_wake wake; /* signalled for each offer */
	pthread_mutex_t mutex;  /* protects the members below */
	bool open;
	unsigned int count;
	struct vsock_offer inbox[VSOCK_INBOX];
};

/*
 * Makes a device a member of a group. Called on the control thread, before any device is open.
 * Returns NULL after printing why not, for example if the context ID is in use in the group.
 */
struct vsock_group *vsock_group_join(const char *name, struct vsock_device *vsock, uint32_t cid);
void vsock_group_leave(struct vsock_group *member);

/* Called on the device's thread. Returns 0, or -1 with errno. */
int vsock_group_open(struct vsock_group *member, struct event_loop *loop);
void vsock_group_close(struct vsock_group *member);

/*
 * Sends the requests in the inbox to the device's guest. Refuses them if the guest has no driver.
 * Called on the device's thread.
 */
void vsock_group_accept(struct vsock_group *member);

/*
 * Sends a guest's request to another guest. Returns a stream, which waits for the answer, or NULL.
 */
struct vsock_stream *vsock_group_answer(struct vsock_device *vsock, const struct virtio_vsock_connection *connection);

#endif
