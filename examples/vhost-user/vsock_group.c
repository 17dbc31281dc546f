/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "vsock_group.h"

#include "options.h"
#include "vsock_device.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Changed by the control thread alone, while no device is open. */
static SLIST_HEAD(members, vsock_group) all = SLIST_HEAD_INITIALIZER(all);

static struct vsock_group *find(const char *name, uint32_t cid)
{
	struct vsock_group *member;

	SLIST_FOREACH(member, &all, next)
	if (member->cid == cid && strcmp(member->name, name) == 0)
		return member;
	return NULL;
}

struct vsock_group *vsock_group_join(const char *name, struct vsock_device *vsock, uint32_t cid)
{
	struct vsock_group *member;

	if (find(name, cid)) {
		(void)option_error(name, "two guests of the group have the same cid");
		return NULL;
	}
	member = calloc(1, sizeof *member);
	if (!member) {
		(void)option_error("--vsock", "out of memory");
		return NULL;
	}
	member->name = name;
	member->vsock = vsock;
	member->cid = cid;
	member->wake = (struct event_wake)EVENT_SOURCE_NONE;
	pthread_mutex_init(&member->mutex, NULL);
	SLIST_INSERT_HEAD(&all, member, next);
	return member;
}

void vsock_group_leave(struct vsock_group *member)
{
	SLIST_REMOVE(&all, member, vsock_group, next);
	pthread_mutex_destroy(&member->mutex);
	free(member);
}

/*
 * Sends another guest's request to this guest. If this guest has no driver, or refuses, this device
 * closes the socket. The other guest's device then sees that the socket is closed.
 */
static void accept_offer(struct vsock_device *vsock, const struct vsock_offer *offer)
{
	struct vsock_stream *s = NULL;

	if (vsock_is_up(vsock))
		s = vsock_stream_open(vsock, offer->fd, offer->type, VSOCK_STAGE_REQUESTED);
	if (!s) {
		close(offer->fd);
		return;
	}
	s->paired = true;
	if (vsock_request(vsock, s, &offer->address))
		vsock_stream_close(s);
}

void vsock_group_accept(struct vsock_group *member)
{
	struct vsock_offer offers[VSOCK_INBOX];
	unsigned int count;

	pthread_mutex_lock(&member->mutex);
	count = member->count;
	memcpy(offers, member->inbox, count * sizeof *offers);
	member->count = 0;
	pthread_mutex_unlock(&member->mutex);
	for (unsigned int i = 0; i < count; i++)
		accept_offer(member->vsock, &offers[i]);
}

static void on_wake(struct event_wake *wake)
{
	vsock_group_accept(CONTAINER_OF(wake, struct vsock_group, wake));
}

int vsock_group_open(struct vsock_group *member, struct event_loop *loop)
{
	if (event_wake_open(&member->wake, loop, on_wake))
		return -1;
	pthread_mutex_lock(&member->mutex);
	member->open = true;
	pthread_mutex_unlock(&member->mutex);
	return 0;
}

void vsock_group_close(struct vsock_group *member)
{
	pthread_mutex_lock(&member->mutex);
	member->open = false;
	while (member->count > 0)
		close(member->inbox[--member->count].fd);
	pthread_mutex_unlock(&member->mutex);
	event_wake_close(&member->wake);
}

/* Returns 0, or -1 if the other device is closed or its inbox is full. */
static int offer_to(struct vsock_group *member, const struct vsock_offer *offer)
{
	int result = -1;

	pthread_mutex_lock(&member->mutex);
	if (member->open && member->count < VSOCK_INBOX) {
		member->inbox[member->count++] = *offer;
		event_wake_signal(&member->wake);
		result = 0;
	}
	pthread_mutex_unlock(&member->mutex);
	return result;
}

/*
 * After offer_to() has succeeded, do not use fds[1]. The other device's thread may have received
 * and closed this socket already.
 */
struct vsock_stream *vsock_group_answer(struct vsock_device *vsock, const struct virtio_vsock_connection *connection)
{
	const bool records = connection->type == VIRTIO_VSOCK_TYPE_SEQPACKET;
	const struct virtio_vsock_address *address = &connection->address;
	struct vsock_offer offer = {
		.type = connection->type,
		.address = { .local_cid = address->peer_cid,
			     .local_port = address->peer_port,
			     .peer_cid = address->local_cid,
			     .peer_port = address->local_port },
	};
	struct vsock_group *other = vsock->group ? find(vsock->group->name, address->local_cid) : NULL;
	struct vsock_stream *s;
	int fds[2];

	if (!other ||
	    socketpair(AF_UNIX, (records ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds))
		return NULL;
	s = vsock_stream_open(vsock, fds[0], connection->type, VSOCK_STAGE_ANSWER);
	if (!s) {
		close(fds[0]);
		close(fds[1]);
		return NULL;
	}
	s->paired = true;
	offer.fd = fds[1];
	if (offer_to(other, &offer) == 0)
		return s;
	close(fds[1]);
	vsock_stream_close(s);
	return NULL;
}
