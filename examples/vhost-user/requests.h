/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The requests of vhost-user, and the effect of each on a session.
 *
 * A request that could hurt the host or the guest is refused. Where front ends merely differ in
 * their reading of the protocol, each reading is accepted; tests/vhost-user/front_ends.md lists
 * these differences.
 */
#ifndef REQUESTS_H
#define REQUESTS_H

#include "session.h"

/* The outcome of a message. session->reason says why it isn't REQUEST_DONE. */
enum outcome {
	REQUEST_DONE,
	/* Nothing has changed, except that a ring which was to start doesn't run. */
	REQUEST_REFUSED,
	REQUEST_VIOLATION, /* the front end breaks the protocol, or doesn't read replies */
};

struct request {
	const char *name;
	enum outcome (*handle)(struct session *session);
	uint32_t min_size, max_size; /* of the payload */
	/* Descriptors of the message. If the two differ, the handler checks the number. */
	unsigned int max_fds;
	unsigned int min_fds;
	bool replies; /* the handler sends a reply, so REPLY_ACK adds none */
	/* The session may go on after a refusal that the front end doesn't learn of. */
	bool harmless;
};

/* Returns NULL for a request that isn't known. */
const struct request *request_find(uint32_t number);

/* Stores in session->reason why a request is refused. */
__attribute__((format(printf, 2, 3))) enum outcome request_refuse(struct session *session, const char *format, ...);
__attribute__((format(printf, 2, 3))) enum outcome request_violation(struct session *session, const char *format, ...);

/* Sends a reply: `size` bytes of the payload, or a number. */
enum outcome request_reply(struct session *session, uint32_t size);
enum outcome request_reply_u64(struct session *session, uint64_t value);

#endif
