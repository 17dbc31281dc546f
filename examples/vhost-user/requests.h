/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The requests of vhost-user, and the effect of each on a session.
 *
 * A request that could hurt the host or the guest is refused. If front ends merely interpret the
 * protocol in different ways, every way is accepted; tests/vhost-user/front_ends.md lists these
 * differences.
 */
#ifndef REQUESTS_H
#define REQUESTS_H

#include "session.h"

/*
 * The outcome of a message. For each outcome except REQUEST_DONE, session->reason has the reason.
 */
enum outcome {
	REQUEST_DONE,
	/* The front end's settings are as before, but rings may have stopped. */
	REQUEST_REFUSED,
	REQUEST_VIOLATION, /* the front end breaks the protocol, or doesn't read replies */
};

struct request {
	const char *name;
	enum outcome (*handle)(struct session *session);
	uint32_t min_size, max_size; /* bytes of payload */
	/*
	 * The most and the fewest descriptors in the message. If the two limits differ, the handler
	 * checks the number.
	 */
	unsigned int max_fds;
	unsigned int min_fds;
	bool replies; /* the handler sends a reply, so REPLY_ACK adds no reply */
	/* The session continues after a refusal, even if the front end gets no reply. */
	bool harmless;
};

/* Returns NULL for a request that isn't known. */
const struct request *request_find(uint32_t number);

/* Store in session->reason why a request is refused, and return the outcome. */
__attribute__((format(printf, 2, 3))) enum outcome request_refuse(struct session *session, const char *format, ...);
__attribute__((format(printf, 2, 3))) enum outcome request_violation(struct session *session, const char *format, ...);

/* Send a reply: `size` bytes of the payload, or a number. */
enum outcome request_reply(struct session *session, uint32_t size);
enum outcome request_reply_u64(struct session *session, uint64_t value);

#endif
