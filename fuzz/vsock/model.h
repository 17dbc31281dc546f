/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The model of a table of socket connections, written from the library's headers and virtio 1.4,
 * 5.10.6. The model's counters of bytes have 64 bits and never wrap around. Each search tries the
 * connections of the array one by one. Replies are sent in order, before other packets. The model
 * does not know which connection sends next.
 */
#ifndef VIRTIO_FUZZ_VSOCK_MODEL_H
#define VIRTIO_FUZZ_VSOCK_MODEL_H

#include <virtio/vsock_connection.h>

#include "../common/fuzz.h"

#define VSOCK_PLACES 4u
#define VSOCK_REPLIES 3u
#define VSOCK_GUEST 3u
#define VSOCK_SENT 512u

struct model_connection {
	bool used;
	struct virtio_vsock_connection *real;
	struct virtio_vsock_address address;
	uint16_t type;
	enum virtio_vsock_state state;
	uint32_t us, peer; /* shutdown flags */
	uint32_t pending;
	bool blocked, bad;
	uint32_t buffer;
	uint64_t rx, forwarded, told; /* bytes: received, forwarded, reported as forwarded */
	uint64_t rx_packets;
	uint32_t peer_buffer;
	uint64_t tx, acknowledged;
	uint64_t ends[VSOCK_SENT]; /* value of tx after each packet that is not forwarded */
	uint32_t sent;
	/*
	 * True if empty packets were sent while the guest had forwarded all bytes. Until the guest
	 * sends a fwd_cnt from `acknowledged` to `tx`, the library may subtract packet_overhead for
	 * these packets from the credit.
	 */
	bool empties;
	uint64_t deadline; /* VIRTIO_VSOCK_NO_DEADLINE if there is none */
};

struct vsock_model {
	struct virtio_vsock_options options;
	uint64_t features;
	struct model_connection c[VSOCK_PLACES];
	struct virtio_vsock_hdr replies[VSOCK_REPLIES];
	uint32_t reply_count;
	bool held;
	uint32_t next_port;
};

/* The result that the receipt of a packet must have. */
struct model_received {
	int error;
	struct model_connection *c; /* NULL if the packet concerns no connection */
	uint32_t got, bytes, marks;
	/*
	 * If true, the library may set or leave out GOT_CREDIT. The model does not know the exact
	 * cost of packets.
	 */
	bool credit_open;
};

bool model_has_type(const struct vsock_model *m, uint16_t type);
struct model_connection *model_find(struct vsock_model *m, const struct virtio_vsock_address *address);
struct model_connection *model_open(struct vsock_model *m, const struct virtio_vsock_address *address, uint16_t type);
void model_receive(struct vsock_model *m, const struct virtio_vsock_hdr *h, int error, uint64_t now,
		   struct model_received *out);

/*
 * Calls of the host. A function of type int returns the value that the library's function must
 * return. But model_check_piece() returns 0, or the error that the library must return.
 */
int model_accept(struct model_connection *c);
void model_reset(struct model_connection *c);
int model_forwarded(struct vsock_model *m, struct model_connection *c, uint32_t bytes, uint32_t packets, uint64_t now);
int model_shutdown(struct vsock_model *m, struct model_connection *c, uint32_t flags, uint64_t now);
int model_check_piece(const struct model_connection *c, uint32_t bytes, uint32_t marks);
void model_sent(struct model_connection *c, uint32_t bytes);
void model_blocked(struct vsock_model *m, struct model_connection *c, uint64_t now);

/*
 * The credit of a connection. The library must accept up to `least` bytes, and refuse more than
 * `most` bytes. The library must accept an empty packet if empty_least is true, and refuse an empty
 * packet if empty_most is false.
 */
struct model_credit {
	uint64_t least, most;
	bool empty_least, empty_most;
};
struct model_credit model_credit(const struct vsock_model *m, const struct model_connection *c);

/*
 * Returns the op that a connection must send first, or 0. Sets *bit to the op's bit in c->pending.
 */
uint16_t model_pending(const struct model_connection *c, uint32_t *bit);
/* Records that the header of a sent packet has reported the credit to the guest. */
void model_told(struct model_connection *c);
uint64_t model_deadline(const struct vsock_model *m);

#endif
