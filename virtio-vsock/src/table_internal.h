/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Functions that table.c, connection.c and state.c share. */
#ifndef VIRTIO_VSOCK_TABLE_INTERNAL_H
#define VIRTIO_VSOCK_TABLE_INTERNAL_H

#include <virtio/vsock_connection.h>

/*
 * The kinds of a connection's deadline. Each kind except TIMER_NONE has its own list in the table.
 * All deadlines of a list have the same interval, so appending keeps the list sorted.
 */
enum virtio_vsock_timer { TIMER_NONE, TIMER_CONNECT, TIMER_CLOSE, TIMER_RETRY };

/*
 * Allocates an entry for a connection, in state VIRTIO_VSOCK_CLOSED and without a pending packet.
 * The caller has checked that the address is not used. Returns NULL if the table is full.
 */
struct virtio_vsock_connection *virtio_impl_vsock_open(struct virtio_vsock_table *table, uint16_t type,
						       const struct virtio_vsock_address *address);

/* Gives a new connection its initial values. Does not change its address, deadline or links. */
void virtio_impl_vsock_init(struct virtio_vsock_connection *connection, uint16_t type);

/* Frees a connection's entry. Address, user and counters stay until the entry is used again. */
void virtio_impl_vsock_close(struct virtio_vsock_connection *connection);

/*
 * If a packet is pending, and neither table->requests nor table->ready has the connection, adds the
 * connection to one of these two lists. If no packet is pending, removes the connection from its
 * list. Call this after `pending` has changed.
 */
void virtio_impl_vsock_queue(struct virtio_vsock_connection *connection);

/* Replaces the connection's deadline. TIMER_NONE only removes the deadline, and ignores `now`. */
void virtio_impl_vsock_set_timer(struct virtio_vsock_connection *connection, enum virtio_vsock_timer timer,
				 uint64_t now);

/* Ends a connection: frees the entry if the REQUEST is still pending, else makes an RST pending. */
void virtio_impl_vsock_end(struct virtio_vsock_connection *connection);

/*
 * Handles a packet for the connection's address. The packet is an RST, or has the connection's type
 * and no error. The state is not VIRTIO_VSOCK_RESET.
 */
void virtio_impl_vsock_receive(struct virtio_vsock_connection *connection, const struct virtio_vsock_hdr *header,
			       uint64_t now, struct virtio_vsock_received *out);

/*
 * Records the guest's credit: the header's buf_alloc and fwd_cnt. An invalid fwd_cnt is not
 * recorded, but sets credit_bad.
 */
void virtio_impl_vsock_take_credit(struct virtio_vsock_connection *connection, const struct virtio_vsock_hdr *header);

/*
 * Builds a header of the connection, with our credit. This header replaces a CREDIT_UPDATE, so
 * VIRTIO_VSOCK_PENDING_UPDATE is cleared.
 */
void virtio_impl_vsock_fill(struct virtio_vsock_connection *connection, uint16_t op, struct virtio_vsock_hdr *out);

/* Makes another CREDIT_REQUEST pending, for a connection that still waits for credit. */
void virtio_impl_vsock_ask_again(struct virtio_vsock_connection *connection, uint64_t now);

#endif
