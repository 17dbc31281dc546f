/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What the sources of connections share. */
#ifndef VIRTIO_VSOCK_TABLE_INTERNAL_H
#define VIRTIO_VSOCK_TABLE_INTERNAL_H

#include <virtio/vsock_connection.h>

/*
 * A connection's deadline: one of the table's three lists. Each list has one interval, so it stays
 * sorted.
 */
enum virtio_vsock_timer { TIMER_NONE, TIMER_CONNECT, TIMER_CLOSE, TIMER_RETRY };

/*
 * Allocates a place for a connection, in state VIRTIO_VSOCK_CLOSED and with nothing owed. The
 * caller has checked that the address is not used. Returns NULL if the table is full.
 */
struct virtio_vsock_connection *virtio_impl_vsock_open(struct virtio_vsock_table *table, uint16_t type,
						       const struct virtio_vsock_address *address);

/* Sets a new connection to its initial values, except its place in the table. */
void virtio_impl_vsock_init(struct virtio_vsock_connection *connection, uint16_t type);

/* Frees a connection's place. Its members stay until the place is used again, except the state. */
void virtio_impl_vsock_close(struct virtio_vsock_connection *connection);

/* Moves a connection to the list that fits what it owes. Call this after owed has changed. */
void virtio_impl_vsock_queue(struct virtio_vsock_connection *connection);

/* Replaces the connection's deadline by a deadline of this kind, or by none. */
void virtio_impl_vsock_set_timer(struct virtio_vsock_connection *connection, enum virtio_vsock_timer timer,
				 uint64_t now);

/* Ends a connection, with an RST if one is due. */
void virtio_impl_vsock_end(struct virtio_vsock_connection *connection);

/*
 * A packet for the connection's address, of a type that the device has. The state is not
 * VIRTIO_VSOCK_RESET.
 */
void virtio_impl_vsock_receive(struct virtio_vsock_connection *connection, const struct virtio_vsock_hdr *header,
			       uint64_t now, struct virtio_vsock_received *out);

/* Records what the guest says of its buffer. */
void virtio_impl_vsock_take_credit(struct virtio_vsock_connection *connection, const struct virtio_vsock_hdr *header);

/* Builds a header of the connection, with our credit, which the guest then knows. */
void virtio_impl_vsock_fill(struct virtio_vsock_connection *connection, uint16_t op, struct virtio_vsock_hdr *out);

/* Owes another CREDIT_REQUEST, if the connection still waits for credit. */
void virtio_impl_vsock_ask_again(struct virtio_vsock_connection *connection, uint64_t now);

#endif
