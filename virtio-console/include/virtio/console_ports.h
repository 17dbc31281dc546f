/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The ports of a console device: addition and removal, clients, sizes, and the messages of the
 * control queues that report changes to the driver. A client is a user of the host's end of a port.
 * A device without VIRTIO_CONSOLE_F_MULTIPORT has only port 0, and no messages.
 *
 * Pending messages to the driver are bits in the state of a port, so their storage is bounded.
 * virtio_console_control_receive() sends messages when the driver has buffers. Order for one port:
 *
 *   REMOVE         of the port that had this number before
 *   ADD            after DEVICE_READY 1, or if driver_ready is set when the port is added
 *   CONSOLE_PORT   after PORT_READY, like all messages below
 *   NAME
 *   OPEN 0         the client has left. Stays pending even if another client connects.
 *   OPEN 1         a client is connected. Always sent for a console port, because firmware waits
 *                  for OPEN 1.
 *   RESIZE         only the latest size of a console port
 *
 * PORT_READY 1 is answered for a present port, even without a DEVICE_READY since the reset. When
 * Linux resumes, it sends only PORT_READY. While REMOVE is pending, PORT_READY is ignored, because
 * the driver still means the removed port.
 *
 * The driver's PORT_OPEN is ignored before PORT_READY. Each PORT_READY closes the driver's end of
 * the port. So a PORT_OPEN for a removed port does not open the next port with the same number.
 *
 * What the guest can do: send any message at any time, or never answer. Invalid messages are
 * ignored and counted. A message is copied once. Its port number is compared with the size of the
 * table of ports (<virtio/console.h>) before the number is used as an index.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     another call of this header on the device
 *
 * If the comment of a function says "serialised against", the function must not run beside the
 * named calls either.
 *
 * virtio 1.4, 5.3.6.2
 */
#ifndef VIRTIO_CONSOLE_PORTS_H
#define VIRTIO_CONSOLE_PORTS_H

#include <virtio/console.h>

VIRTIO_BEGIN_DECLS

#define VIRTIO_CONSOLE_CONTROL_RECEIVE_QUEUE 2u  /* messages to the driver */
#define VIRTIO_CONSOLE_CONTROL_TRANSMIT_QUEUE 3u /* messages from the driver */

/*
 * Gets the queue indices of a port: 0 and 1 for port 0, 2n + 2 and 2n + 3 for another port n
 * (virtio 1.4, 5.3.2).
 *
 * @id        number of a port, present or absent
 * @receive   set to the index of the receive queue; untouched on failure
 * @transmit  set to the index of the transmit queue; untouched on failure
 *
 * Returns 0; VIRTIO_EINVAL if id is not below options.port_count.
 */
VIRTIO_MUST_CHECK
int virtio_console_port_queues(const struct virtio_console *console, uint32_t id, uint32_t *receive,
			       uint32_t *transmit);

/*
 * Returns the number of queues. If MULTIPORT is offered, the device has 2 queues for each entry of
 * the table, and 2 control queues. Otherwise the device has 2 queues.
 */
uint32_t virtio_console_queue_count(const struct virtio_console *console);

/*
 * Adds a port. Serialised against the calls for this port's queues.
 *
 * @id       number of the port, below port_count of the device's options
 * @options  copied; the memory to which its members point must live until the port is removed
 *
 * Returns 0, or an error that changes nothing:
 *   VIRTIO_EINVAL  - id is too high
 *                  - sink, segments or an initialised input are missing
 *                  - name_bytes is above VIRTIO_CONSOLE_NAME_MAX, or not 0 although name is NULL
 *   VIRTIO_EBUSY   the port is present already
 */
VIRTIO_MUST_CHECK
int virtio_console_add_port(struct virtio_console *console, uint32_t id,
			    const struct virtio_console_port_options *options);

/*
 * Removes a port. The port's input is dropped and counted. Serialised against the calls for this
 * port's queues.
 *
 * @room  set to whether the producer of the input waits for room; untouched on failure
 *
 * Afterwards call virtio_console_transmit() for the port once, and again on each kick. These calls
 * complete the driver's chains unread. If another port is added with this number, the driver may
 * send output for the old port until the driver has seen REMOVE. From PORT_READY on, the new port's
 * sink gets every chain that is still in the queue, even output for the old port. So, while
 * awaits_ready of the port is set, call virtio_console_transmit() also before each
 * virtio_console_control_transmit(), which may handle this PORT_READY.
 *
 * Returns 0; VIRTIO_EINVAL if there is no such port.
 */
VIRTIO_MUST_CHECK
int virtio_console_remove_port(struct virtio_console *console, uint32_t id, bool *room);

/*
 * Call this when a client has connected to the host's end of a port. Under MULTIPORT the driver
 * gets OPEN 1, unless the port is a console.
 *
 * Returns 0; VIRTIO_EINVAL if there is no such port; VIRTIO_EBUSY if the port has a client.
 */
VIRTIO_MUST_CHECK
int virtio_console_connect(struct virtio_console *console, uint32_t id);

/*
 * Call this when a port's client has left. Input that is not in guest memory yet is dropped and
 * counted. If the last OPEN to the driver was 1, the driver gets OPEN 0, unless the port is a
 * console. Serialised against virtio_console_receive() for the port. Enqueue input of the next
 * client only after this call.
 *
 * @room  set to whether the producer of the input waits for room; untouched on failure
 *
 * Returns 0; VIRTIO_EINVAL if there is no such port; VIRTIO_ENOTREADY if the port has no client.
 */
VIRTIO_MUST_CHECK
int virtio_console_disconnect(struct virtio_console *console, uint32_t id, bool *room);

/*
 * Changes the size of a console port. Under MULTIPORT the driver gets RESIZE with the latest size.
 * If SIZE is offered, the configuration space changes with the size of port 0. So for port 0 the
 * call is serialised against register accesses.
 *
 * @cols, @rows  width and height in characters
 *
 * Returns 1 if the configuration space has changed. The caller must then send a configuration
 * change notification. Returns 0 if the space is unchanged; VIRTIO_EINVAL if there is no such port,
 * or the port is not a console.
 */
VIRTIO_MUST_CHECK
int virtio_console_resize(struct virtio_console *console, uint32_t id, uint16_t cols, uint16_t rows);

/* Returns whether a message to the driver is pending. */
bool virtio_console_control_pending(const struct virtio_console *console);

/*
 * Sends pending messages to the driver. Call this after each call that changes a port, after
 * virtio_console_control_transmit(), and on a kick of the queue.
 *
 * @queue     the control receive queue
 * @progress  filled in, also on failure
 *
 * - If MULTIPORT was not negotiated, returns 0 and does nothing.
 * - A chain that is malformed, has readable buffers or is too short for the message is completed
 *   with length 0 and counted.
 * - A name that does not fit the chain is dropped. Any other message waits for a longer chain.
 *
 * Returns 0, or an error of virtio_queue_pop() or virtio_queue_complete(). After an error the
 * unsent messages stay pending.
 */
VIRTIO_MUST_CHECK
int virtio_console_control_receive(struct virtio_console *console, struct virtio_queue *queue,
				   struct virtio_console_progress *progress);

/*
 * Handles the driver's messages. Call this on a kick of the queue. Calls the options' event
 * function for each message that was understood.
 *
 * @queue     the control transmit queue
 * @progress  filled in, also on failure
 *
 * If MULTIPORT was not negotiated, returns 0 and does nothing. Otherwise returns 0, or an error of
 * virtio_queue_pop() or virtio_queue_complete(). After an error the next call retries the message.
 */
VIRTIO_MUST_CHECK
int virtio_console_control_transmit(struct virtio_console *console, struct virtio_queue *queue,
				    struct virtio_console_progress *progress);

/* Saved state */

/* The state of a device, as plain values. */
struct virtio_console_state {
	uint64_t negotiated;  /* mask of this device type's feature bits */
	uint8_t driver_ready; /* 1: DEVICE_READY 1 or PORT_READY 1 has arrived */
};

/* Flags of a port. */
#define VIRTIO_CONSOLE_PORT_KNOWN 0x01u        /* the driver knows the port */
#define VIRTIO_CONSOLE_PORT_IS_READY 0x02u     /* PORT_READY 1 has arrived */
#define VIRTIO_CONSOLE_PORT_TOLD_OPEN 0x04u    /* the last OPEN to the driver was 1 */
#define VIRTIO_CONSOLE_PORT_CONNECTED 0x08u    /* a client is connected; never in a saved state */
#define VIRTIO_CONSOLE_PORT_PRESENT 0x10u      /* in a saved state only: the port is present */
#define VIRTIO_CONSOLE_PORT_IS_CONSOLE 0x20u   /* in a saved state only: the port is a console */
#define VIRTIO_CONSOLE_PORT_GUEST_OPEN 0x40u   /* in a saved state only: guest_open is 1 */
#define VIRTIO_CONSOLE_PORT_AWAITS_READY 0x80u /* in a saved state only: awaits_ready is 1 */

/* Pending messages, in the order of sending. */
#define VIRTIO_CONSOLE_SEND_REMOVE 0x01u
#define VIRTIO_CONSOLE_SEND_ADD 0x02u
#define VIRTIO_CONSOLE_SEND_CONSOLE 0x04u
#define VIRTIO_CONSOLE_SEND_NAME 0x08u
#define VIRTIO_CONSOLE_SEND_CLOSE 0x10u /* OPEN 0 */
#define VIRTIO_CONSOLE_SEND_OPEN 0x20u  /* OPEN 1 */
#define VIRTIO_CONSOLE_SEND_RESIZE 0x40u

/*
 * The state of a port, as plain values. The caller saves the bytes of the port's input buffer by
 * virtio_console_input_peek().
 */
struct virtio_console_port_state {
	uint64_t taken;    /* bytes that the sink has taken of the transmit chain in flight */
	uint32_t id;       /* number of the port */
	uint16_t head;     /* head of the chain in flight; 0 if in_flight is 0 */
	uint16_t cols;     /* width in characters */
	uint16_t rows;     /* height in characters */
	uint8_t flags;     /* VIRTIO_CONSOLE_PORT_... */
	uint8_t pending;   /* VIRTIO_CONSOLE_SEND_... */
	uint8_t in_flight; /* 1: a transmit chain is in flight */
};

/* Saves the negotiated features, and whether the driver is ready. */
void virtio_console_save(const struct virtio_console *console, struct virtio_console_state *out);

/*
 * Restores the saved state. Call this after virtio_console_init() or a reset, and before the ports
 * are restored.
 *
 * Returns 0; VIRTIO_EINVAL if a feature is not offered, if driver_ready is not 0 or 1, or if
 * driver_ready is 1 without MULTIPORT. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_console_restore(struct virtio_console *console, const struct virtio_console_state *state);

/*
 * Saves a port, present or not. Serialised against the calls for the port's queues. Do not serve
 * these queues afterwards.
 *
 * @out  untouched on failure
 *
 * Returns 0; VIRTIO_EINVAL if id is not below options.port_count.
 */
VIRTIO_MUST_CHECK
int virtio_console_save_port(const struct virtio_console *console, uint32_t id, struct virtio_console_port_state *out);

/*
 * Restores a port. If a generic port has gained or lost its client since the last OPEN to the
 * driver, an OPEN becomes pending. Serialised against the calls for the port's queues.
 *
 * @state  state->id is the number of the port. The port must be present if state->flags has
 *         VIRTIO_CONSOLE_PORT_PRESENT, and absent otherwise.
 *
 * If state->in_flight is 1, the caller replays the chain with virtio_console_replay_transmit().
 * Returns 0; VIRTIO_EINVAL for a state that no port of this device can have. A failure changes
 * nothing.
 */
VIRTIO_MUST_CHECK
int virtio_console_restore_port(struct virtio_console *console, const struct virtio_console_port_state *state);

/*
 * Continues a transmit chain that was in flight when the port was saved. virtio_console_transmit()
 * then sends the bytes that the sink had not taken.
 *
 * @id     number of the restored port
 * @chain  from virtio_queue_replay() for the saved head
 *
 * Returns 0; VIRTIO_EINVAL if the restored port has no such chain in flight; VIRTIO_ENOTMAPPED if a
 * translation is not known yet. After VIRTIO_ENOTMAPPED, unpop the chain and replay it later. A
 * failure changes nothing in the port. A chain that is now malformed or misdirected is counted, and
 * virtio_console_transmit() completes the chain.
 */
VIRTIO_MUST_CHECK
int virtio_console_replay_transmit(struct virtio_console *console, uint32_t id, struct virtio_chain *chain);

VIRTIO_END_DECLS

#endif
