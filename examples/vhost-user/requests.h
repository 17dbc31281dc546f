/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The requests of vhost-user, and what each does to a session.
 *
 * A message is judged by its effect. What could hurt the host, or the guest, is refused; what
 * merely differs from one front end to the next is taken as it was meant.
 * tests/vhost-user/front_ends.md lists the differences.
 */
#ifndef REQUESTS_H
#define REQUESTS_H

#include "session.h"

/* What became of a message. session->reason says why it isn't REQUEST_DONE. */
enum outcome {
	REQUEST_DONE,
	REQUEST_REFUSED,   /* nothing has changed, but that a ring doesn't run that was to start */
	REQUEST_VIOLATION, /* the front end doesn't speak the protocol, or doesn't read replies */
};

struct request {
	const char *name;
	enum outcome (*handle)(struct session *session);
	uint32_t min_size, max_size; /* of the payload */
	unsigned int max_fds;        /* handlers that accept more than one number look themselves */
	unsigned int min_fds;
	bool replies;  /* by itself, so that it needs no acknowledgement */
	bool harmless; /* if it is refused and the front end doesn't learn of it */
};

/* Returns NULL for a request that isn't known. */
const struct request *request_find(uint32_t number);

/* Says in session->reason why something is refused. */
__attribute__((format(printf, 2, 3))) enum outcome request_refuse(struct session *session, const char *format, ...);
__attribute__((format(printf, 2, 3))) enum outcome request_violation(struct session *session, const char *format, ...);

/* Sends the payload, `size` bytes of it, or a number, as the reply. */
enum outcome request_reply(struct session *session, uint32_t size);
enum outcome request_reply_u64(struct session *session, uint64_t value);

#endif
