/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A socket device in a file of saved state: its sections, written and read.
 *
 *   section          index   what
 *   vsock            0       features, the transport reset, the next local port, and the
 *                    connections
 *                            with their counters
 *   vsock.replies    0       the RSTs that are owed to packets of no connection
 *
 * The order of a restore: virtio_vsock_read_state() judges. Then virtio_vsock_restore(), and
 * virtio_vsock_connection_restore() for each connection. virtio_vsock_restore_replies() is the
 * last. Deadlines begin anew. Payload that the owner has buffered is the owner's to save: rx_cnt
 * less fwd_cnt bytes of each connection.
 *
 * Where the host's ends of the connections are lost, the owner restores none of them, and owes the
 * driver a transport reset (virtio_vsock_events_owe_reset()); or restores and resets them
 * (virtio_vsock_table_reset_all()), where the event queue is not the device's.
 *
 * What the guest can do: nothing. A file may say anything, and every value of it is checked.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     another call on the same device, table or reader
 *
 * virtio 1.4, 5.10
 */
#ifndef VIRTIO_VSOCK_STATE_H
#define VIRTIO_VSOCK_STATE_H

#include <virtio/section.h>
#include <virtio/vsock_connection.h>

VIRTIO_BEGIN_DECLS

/* A device without its connections. Plain values. */
struct virtio_vsock_device_state {
	uint64_t negotiated;      /* mask of this device type's feature bits */
	uint32_t next_port;       /* that virtio_vsock_table_connect() tries first */
	uint16_t event_avail_idx; /* while the reset is waiting; otherwise 0 */
	bool event_owed;          /* a transport reset is to be sent */
	bool event_waiting;       /* it was sent, and the driver has not taken it */
};

/* An RST that is owed to a packet of no connection. */
struct virtio_vsock_reply_state {
	uint64_t src_cid; /* of the RST: the packet's destination */
	uint64_t dst_cid;
	uint32_t src_port;
	uint32_t dst_port;
	uint16_t type; /* of the packet, any value */
};

/* The sections: with a list "connections", and a list "replies". */
const struct virtio_section_layout *virtio_vsock_layout(void);
const struct virtio_section_layout *virtio_vsock_replies_layout(void);

/*
 * Saves what is not a connection's. Nothing changes.
 *
 * @events  NULL if the event queue is not the device's
 * @out     filled in
 */
void virtio_vsock_save(const struct virtio_vsock *vsock, const struct virtio_vsock_events *events,
		       const struct virtio_vsock_table *table, struct virtio_vsock_device_state *out);

/*
 * Judges a state as virtio_vsock_restore() and virtio_vsock_connection_restore() will, and changes
 * neither device nor table.
 *
 * @table        that it is to be restored into
 * @connections  count entries, which are sorted by their addresses here
 * @refusal      set to the value that is refused, by the names of virtio_vsock_layout(); otherwise
 *               untouched
 *
 * Returns 0; VIRTIO_EINVAL; VIRTIO_ENOTSUP for a type that was not negotiated; VIRTIO_EBUSY for an
 * address that is in use, or there twice; VIRTIO_ENOBUFS for more connections than the table takes.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_check_state(const struct virtio_vsock_table *table, const struct virtio_vsock_device_state *state,
			     struct virtio_vsock_connection_state *connections, uint32_t count,
			     struct virtio_refusal *refusal);

/*
 * Restores what is not a connection's, before the connections.
 *
 * @vsock   the table's
 * @events  NULL if the event queue is not the device's
 *
 * Returns 0; VIRTIO_EINVAL for features that are not offered, or a port outside of the options'. A
 * failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_restore(struct virtio_vsock *vsock, struct virtio_vsock_events *events,
			 struct virtio_vsock_table *table, const struct virtio_vsock_device_state *state);

/*
 * Owes replies again.
 *
 * @replies  count entries, in the order in which they are sent
 *
 * Returns 0; VIRTIO_ENOBUFS for more than the table has room for, and nothing changes.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_restore_replies(struct virtio_vsock_table *table, const struct virtio_vsock_reply_state *replies,
				 uint32_t count);

/*
 * Writes both sections. Nothing changes.
 *
 * @number  which device of the file, by the caller's numbers
 * @events  NULL if the event queue is not the device's
 */
void virtio_vsock_write_state(struct virtio_section_writer *writer, uint32_t number,
			      const struct virtio_vsock_events *events, const struct virtio_vsock_table *table);

/* The caller's arrays for what is read. */
struct virtio_vsock_saved {
	struct virtio_vsock_connection_state *connections;
	uint32_t connection_capacity; /* entries: as many as the table has are enough */
	uint32_t connection_count;    /* set */
	struct virtio_vsock_reply_state *replies;
	uint32_t reply_capacity; /* likewise */
	uint32_t reply_count;    /* set */
};

/*
 * Reads and judges both sections.
 *
 * @number  as they were written
 * @table   that they are to be restored into
 * @features  what the file's core has negotiated, from virtio_device_saved_features(): the state
 *            must agree in this device type's bits. NULL takes any.
 * @state   for virtio_vsock_restore()
 * @saved   the caller's arrays, which are filled in
 *
 * Returns 0; or an error of virtio_section_read() or virtio_vsock_check_state(), with section,
 * value and place in reader->fault. After an error state and the counts are untouched, and the
 * arrays may hold anything.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_read_state(struct virtio_section_reader *reader, uint32_t number,
			    const struct virtio_vsock_table *table, const uint64_t *features,
			    struct virtio_vsock_device_state *state, struct virtio_vsock_saved *saved);

VIRTIO_END_DECLS

#endif
