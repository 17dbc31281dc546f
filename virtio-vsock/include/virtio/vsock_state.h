/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The sections of a socket device in a file of saved state.
 *
 *   section        index  content
 *   vsock          0      features, the transport reset, the next local port, and the connections
 *                         with their counters
 *   vsock.replies  0      the pending RSTs for packets without a connection
 *
 * The order of a restore:
 *   1  virtio_vsock_read_state() checks the file
 *   2  virtio_vsock_restore(), then virtio_vsock_connection_restore() for each connection
 *   3  virtio_vsock_restore_replies()
 * A connection's connect_timeout or close_timeout starts again.
 *
 * The payload in the caller's buffers, rx_cnt - fwd_cnt bytes per connection, is not saved here.
 * If the host's ends of the connections are lost, the caller has two choices:
 *   - Restore no connection, and schedule a transport reset: virtio_vsock_events_schedule_reset().
 *   - If the device has no access to the event queue: restore the connections, and reset them by
 *     virtio_vsock_table_reset_all().
 *
 * What the guest can do: nothing. The file may have any content, and every value is checked.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     another call on the same device, table, reader or writer
 *
 * virtio 1.4, 5.10
 */
#ifndef VIRTIO_VSOCK_STATE_H
#define VIRTIO_VSOCK_STATE_H

#include <virtio/section.h>
#include <virtio/vsock_connection.h>

VIRTIO_BEGIN_DECLS

/* A device without its connections, as plain values. */
struct virtio_vsock_device_state {
	uint64_t negotiated;      /* mask of this device type's feature bits */
	uint32_t next_port;       /* the first port that virtio_vsock_table_connect() tries */
	uint16_t event_avail_idx; /* avail index when the reset was sent; 0 if not event_waiting */
	bool event_unsent;        /* a transport reset must be sent */
	bool event_waiting;       /* a reset was sent, and the driver has not seen it yet */
};

/* A pending RST for a packet without a connection. */
struct virtio_vsock_reply_state {
	uint64_t src_cid; /* source of the RST, which is the packet's destination */
	uint64_t dst_cid;
	uint32_t src_port;
	uint32_t dst_port;
	uint16_t type; /* type of the packet, any value */
};

/* Return the layouts: vsock has a list "connections", and vsock.replies has a list "replies". */
const struct virtio_section_layout *virtio_vsock_layout(void);
const struct virtio_section_layout *virtio_vsock_replies_layout(void);

/*
 * Saves the device without its connections. Changes nothing.
 *
 * @events  NULL if the device has no access to the event queue
 * @out     filled in
 */
void virtio_vsock_save(const struct virtio_vsock *vsock, const struct virtio_vsock_events *events,
		       const struct virtio_vsock_table *table, struct virtio_vsock_device_state *out);

/*
 * Checks all that virtio_vsock_restore() and virtio_vsock_connection_restore() check. Changes
 * neither device nor table.
 *
 * @table        the target of the restore
 * @connections  array of count entries, which this function sorts by their addresses
 * @refusal      on error, the refused value, named as in virtio_vsock_layout(); else untouched
 *
 * Returns 0, or:
 *   VIRTIO_EINVAL   an impossible value
 *   VIRTIO_ENOTSUP  a type that was not negotiated
 *   VIRTIO_EBUSY    an address that is in use, or occurs twice
 *   VIRTIO_ENOBUFS  more connections than fit the table
 */
VIRTIO_MUST_CHECK
int virtio_vsock_check_state(const struct virtio_vsock_table *table, const struct virtio_vsock_device_state *state,
			     struct virtio_vsock_connection_state *connections, uint32_t count,
			     struct virtio_refusal *refusal);

/*
 * Restores the device, before its connections.
 *
 * @vsock   the table's device
 * @events  NULL if the device has no access to the event queue
 *
 * Returns 0; VIRTIO_EINVAL for features that are not offered, or a next port outside the options'
 * range. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_restore(struct virtio_vsock *vsock, struct virtio_vsock_events *events,
			 struct virtio_vsock_table *table, const struct virtio_vsock_device_state *state);

/*
 * Appends the saved replies to the pending replies of the table.
 *
 * @replies  array of count entries, in the order of sending
 *
 * Returns 0; VIRTIO_ENOBUFS for more replies than fit the table. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_restore_replies(struct virtio_vsock_table *table, const struct virtio_vsock_reply_state *replies,
				 uint32_t count);

/*
 * Writes both sections. Changes neither device nor table.
 *
 * @number  number of the device in the file, chosen by the caller
 * @events  NULL if the device has no access to the event queue
 */
void virtio_vsock_write_state(struct virtio_section_writer *writer, uint32_t number,
			      const struct virtio_vsock_events *events, const struct virtio_vsock_table *table);

/* The caller's arrays, filled in by virtio_vsock_read_state(). */
struct virtio_vsock_saved {
	struct virtio_vsock_connection_state *connections;
	uint32_t connection_capacity; /* entries of `connections`; the table's capacity is enough */
	uint32_t connection_count;    /* set to the number of connections */
	struct virtio_vsock_reply_state *replies;
	uint32_t reply_capacity; /* entries of `replies`; the table's reply_capacity is enough */
	uint32_t reply_count;    /* set to the number of replies */
};

/*
 * Reads and checks both sections.
 *
 * @number    the device's number in the file
 * @table     the target of the restore
 * @features  from virtio_device_saved_features(): the features in the section "device" of the same
 *            file. Bits 0 to 23 must be equal to the features in the section "vsock". NULL accepts
 *            any features.
 * @state     filled in for virtio_vsock_restore()
 * @saved     the caller's arrays, which are filled in
 *
 * Returns 0; or an error of virtio_section_read() or virtio_vsock_check_state(). reader->fault then
 * has section, value and offset. On an error, *state and the counts in *saved are untouched, and
 * the content of the arrays is undefined.
 */
VIRTIO_MUST_CHECK
int virtio_vsock_read_state(struct virtio_section_reader *reader, uint32_t number,
			    const struct virtio_vsock_table *table, const uint64_t *features,
			    struct virtio_vsock_device_state *state, struct virtio_vsock_saved *saved);

VIRTIO_END_DECLS

#endif
