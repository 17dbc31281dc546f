/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The ports of a console device: adding and removing them, their clients, their sizes, and the messages of the control
 * queues that tell the driver of all this. A device without VIRTIO_CONSOLE_F_MULTIPORT has port 0 alone, and no
 * messages.
 *
 * Messages to the driver are state of a port that has not been told yet, so that their storage is bounded.
 * virtio_console_control_receive() tells it as soon as the driver has buffers for it. For one port the order is:
 *
 *   REMOVE         of the port that had this number before
 *   ADD            once DEVICE_READY has come
 *   CONSOLE_PORT   once PORT_READY has come, and so all that follows
 *   NAME
 *   OPEN 0         the client has left. It is kept if another client comes before it is sent.
 *   OPEN 1         a client is there. A console port always sends it, for firmware waits for it.
 *   RESIZE         the latest size alone
 *
 * PORT_READY is answered for every port that there is, also when no DEVICE_READY came since the reset: Linux sends
 * PORT_READY alone when it resumes.
 *
 * What the guest can do: send any message at any time, or never answer. What makes no sense is ignored and counted. A
 * message is copied once, and its port number is compared with the table before it is an index.
 *
 * Threads: the functions of this header are serialised by the caller against each other. What else a function has to be
 * serialised against stands with it.
 *
 * virtio 1.4, 5.3.6.2
 */
#ifndef VIRTIO_CONSOLE_PORTS_H
#define VIRTIO_CONSOLE_PORTS_H

#include <virtio/console.h>

VIRTIO_BEGIN_DECLS

#define VIRTIO_CONSOLE_CONTROL_RECEIVE_QUEUE 2u  /* index of the queue of messages to the driver */
#define VIRTIO_CONSOLE_CONTROL_TRANSMIT_QUEUE 3u /* index of the queue of messages from the driver */

/*
 * The queues of a port: 0 and 1 for port 0, 2n + 2 and 2n + 3 for port n (virtio 1.4, 5.3.2).
 *
 * @id        number of the port, whether it has been added or not
 * @receive   set to the index of its receive queue; untouched on failure
 * @transmit  set to the index of its transmit queue; untouched on failure
 *
 * Returns 0; VIRTIO_EINVAL for a number that the table has not.
 */
VIRTIO_MUST_CHECK
int virtio_console_port_queues(const struct virtio_console *console, uint32_t id, uint32_t *receive,
			       uint32_t *transmit);

/* Queues of a device: 2, or with MULTIPORT offered 2 more, and 2 for each entry of the table but the first. */
uint32_t virtio_console_queue_count(const struct virtio_console *console);

/*
 * Adds a port.
 *
 * @id       number of the port, below the entries of the table
 * @options  copied; what they point to must live until the port is removed
 *
 * Serialised against the calls for this port's queues. Returns 0; VIRTIO_EINVAL for a number that is too high, or
 * options without an initialised input buffer, a sink or one segment for each direction, or with a name that is longer
 * than VIRTIO_CONSOLE_NAME_MAX; VIRTIO_EBUSY if there is such a port. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_console_add_port(struct virtio_console *console, uint32_t id,
			    const struct virtio_console_port_options *options);

/*
 * Removes a port. Its input is dropped and counted.
 *
 * @room  set to whether the producer of its input waits for room; untouched on failure
 *
 * Serialised against the calls for this port's queues. Afterwards the caller calls virtio_console_transmit() for the
 * port once, and again on each kick: it gives back, unread, what the driver has sent. Returns 0; VIRTIO_EINVAL if there
 * is no such port.
 */
VIRTIO_MUST_CHECK
int virtio_console_remove_port(struct virtio_console *console, uint32_t id, bool *room);

/*
 * A client has come to the host's end of a port. The driver is told under MULTIPORT, if the port is no console.
 *
 * Returns 0; VIRTIO_EINVAL if there is no such port; VIRTIO_EBUSY if it has a client.
 */
VIRTIO_MUST_CHECK
int virtio_console_connect(struct virtio_console *console, uint32_t id);

/*
 * The client has left. Its input that is not in guest memory yet is dropped and counted. The driver is told as above.
 *
 * @room  set to whether the producer of the input waits for room; untouched on failure
 *
 * Serialised against virtio_console_receive() for the port. The next client's input must not be enqueued before this
 * call. Returns 0; VIRTIO_EINVAL if there is no such port; VIRTIO_ENOTREADY if it has no client.
 */
VIRTIO_MUST_CHECK
int virtio_console_disconnect(struct virtio_console *console, uint32_t id, bool *room);

/*
 * Changes the size of a console port.
 *
 * @cols, @rows  characters
 *
 * Under MULTIPORT the driver is sent the last size that was set. For port 0 the configuration space changes, too, so
 * that the call is serialised against register accesses. Returns 1 if the configuration space has changed: the caller
 * sends a configuration change notification. 0 if not. VIRTIO_EINVAL if there is no such port, or it is no console.
 */
VIRTIO_MUST_CHECK
int virtio_console_resize(struct virtio_console *console, uint32_t id, uint16_t cols, uint16_t rows);

/* Whether a message to the driver is pending. */
bool virtio_console_control_pending(const struct virtio_console *console);

/*
 * Sends pending messages to the driver. To be called after each function above, after
 * virtio_console_control_transmit(), and on a kick of the queue.
 *
 * @queue     the control receive queue
 * @progress  filled in, also on failure
 *
 * Without MULTIPORT negotiated nothing is done, and 0 returned. A chain that is malformed, has readable pieces or is
 * too short for the message goes back empty and is counted. A name that does not fit is not sent again; every other
 * message waits for the next chain. Returns 0; an error of virtio_queue_pop(), or of the completion: the message
 * stays pending.
 */
VIRTIO_MUST_CHECK
int virtio_console_control_receive(struct virtio_console *console, struct virtio_queue *queue,
				   struct virtio_console_progress *progress);

/*
 * Takes the driver's messages. To be called on a kick of the queue.
 *
 * @queue     the control transmit queue
 * @progress  filled in, also on failure
 *
 * Without MULTIPORT negotiated nothing is done, and 0 returned. The options' event function is called for each message
 * that was understood. Returns 0; an error of virtio_queue_pop(), or of the completion: the message is taken later.
 */
VIRTIO_MUST_CHECK
int virtio_console_control_transmit(struct virtio_console *console, struct virtio_queue *queue,
				    struct virtio_console_progress *progress);

/* Saved state */

/* Of a device. Plain values. */
struct virtio_console_state {
	uint64_t negotiated;  /* mask of this device type's feature bits */
	uint8_t driver_ready; /* 1: DEVICE_READY or PORT_READY has come */
};

/* Flags of a port. */
#define VIRTIO_CONSOLE_PORT_KNOWN 0x01u      /* the driver knows the port: by ADD, or since before the reset */
#define VIRTIO_CONSOLE_PORT_IS_READY 0x02u   /* PORT_READY has come */
#define VIRTIO_CONSOLE_PORT_TOLD_OPEN 0x04u  /* the last OPEN to the driver said 1 */
#define VIRTIO_CONSOLE_PORT_CONNECTED 0x08u  /* a client is there; in no saved state */
#define VIRTIO_CONSOLE_PORT_PRESENT 0x10u    /* in saved states alone: added and not removed */
#define VIRTIO_CONSOLE_PORT_IS_CONSOLE 0x20u /* in saved states alone: a console */
#define VIRTIO_CONSOLE_PORT_GUEST_OPEN 0x40u /* in saved states alone: the driver's last PORT_OPEN said 1 */

/* Messages that are pending, in the order in which they are sent. */
#define VIRTIO_CONSOLE_SEND_REMOVE 0x01u
#define VIRTIO_CONSOLE_SEND_ADD 0x02u
#define VIRTIO_CONSOLE_SEND_CONSOLE 0x04u
#define VIRTIO_CONSOLE_SEND_NAME 0x08u
#define VIRTIO_CONSOLE_SEND_CLOSE 0x10u
#define VIRTIO_CONSOLE_SEND_OPEN 0x20u
#define VIRTIO_CONSOLE_SEND_RESIZE 0x40u

/* Of a port. Plain values. The bytes of its input buffer are the caller's: virtio_console_input_peek(). */
struct virtio_console_port_state {
	uint64_t taken;    /* bytes of the transmit chain in flight that the sink has taken */
	uint32_t id;       /* number of the port */
	uint16_t head;     /* of that chain; 0 if there is none */
	uint16_t cols;     /* characters */
	uint16_t rows;     /* characters */
	uint8_t flags;     /* VIRTIO_CONSOLE_PORT_... */
	uint8_t pending;   /* VIRTIO_CONSOLE_SEND_... */
	uint8_t in_flight; /* 1: a transmit chain is in flight */
};

/* Saves what the driver has negotiated and said. */
void virtio_console_save(const struct virtio_console *console, struct virtio_console_state *out);

/*
 * Restores it, after virtio_console_init() or a reset, and before the ports.
 *
 * Returns 0; VIRTIO_EINVAL for features that are not offered, or a value other than 0 and 1, and changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_console_restore(struct virtio_console *console, const struct virtio_console_state *state);

/*
 * Saves a port, present or not. Serialised against the calls for its queues, which must not be served afterwards.
 *
 * @out  untouched on failure
 *
 * Returns 0; VIRTIO_EINVAL for a number that the table has not.
 */
VIRTIO_MUST_CHECK
int virtio_console_save_port(const struct virtio_console *console, uint32_t id, struct virtio_console_port_state *out);

/*
 * Restores a port. What the driver was told and what it has said come from the state. Whether the port has a client is
 * this side's: the driver is told of the difference.
 *
 * @state  of the port with this number, which was added here beforehand as it was there, or was not there
 *
 * Serialised as virtio_console_save_port(). If state->in_flight is 1, the caller replays the chain with
 * virtio_console_replay_transmit(). Returns 0; VIRTIO_EINVAL for a state that no port of this device can have, and
 * changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_console_restore_port(struct virtio_console *console, const struct virtio_console_port_state *state);

/*
 * Goes on with a transmit chain that was in flight when the port was saved: virtio_console_transmit() sends the bytes
 * behind those that had been taken.
 *
 * @id     of the port, restored
 * @chain  from virtio_queue_replay() for the saved head
 *
 * Returns 0; VIRTIO_EINVAL if the restored port has no such chain in flight; VIRTIO_ENOTMAPPED: the caller unpops
 * the chain and replays it later. A failure changes nothing. A chain that is malformed by now goes back, and is
 * counted.
 */
VIRTIO_MUST_CHECK
int virtio_console_replay_transmit(struct virtio_console *console, uint32_t id, struct virtio_chain *chain);

VIRTIO_END_DECLS

#endif
