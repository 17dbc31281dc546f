/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The console device: its features, its configuration space, and the data of its ports.
 *
 * A device has a table of ports in the caller's storage. Each port has
 * - an input buffer (<virtio/console_input.h>), from which virtio_console_receive() fills the
 *   driver's receive chains,
 * - a sink, which is the caller's function that gets the driver's output from
 *   virtio_console_transmit().
 * <virtio/console_ports.h> has the functions that add and remove ports, and the control messages of
 * VIRTIO_CONSOLE_F_MULTIPORT.
 *
 *	virtio_console_init(&console, &options);
 *	virtio_console_add_port(&console, 0, &port);
 *	offer virtio_console_offered(&console)
 *	FEATURES_OK:       virtio_console_negotiate(&console, features)
 *	input arrives:     virtio_console_input_enqueue(); if it sets wake: virtio_console_receive()
 *	kick of receive:   virtio_console_receive()
 *	kick of transmit:  virtio_console_transmit(); if it sets blocked: retry when sink has room
 *
 * What the guest can do: cut its chains into descriptors as it likes (virtio 1.4, 2.7.4.1), change
 * the bytes at any time, and send malformed chains. Therefore:
 * - virtio_console_receive() dequeues input only when the bytes are in guest memory and their chain
 *   is completed. So no malformed chain, bad buffer or reset loses a byte.
 * - Output is copied to the stack, in pieces of at most VIRTIO_CONSOLE_PIECE_BYTES, for chains of
 *   any length. Bytes that the sink did not take are copied again by the next call.
 * - Malformed chains and chains in the wrong direction are completed with length 0, unread and
 *   unwritten, and are counted. If a transmit chain becomes malformed after its check, the sink may
 *   get the bytes before the fault.
 *
 * Threads:
 *   functions                        who may call   what must not run beside
 *   virtio_console_receive()         any thread     another call for the same receive queue
 *   virtio_console_transmit()        any thread     another call for the same transmit queue
 *   functions of console_ports.h     any thread     see there
 *   virtio_console_config_write()    any thread     a register access
 *   virtio_console_config_read()     any thread     a register access; functions of console_ports.h
 *   virtio_console_get_port_stats()  any thread     calls that change the counters
 *   other functions of this header   any thread     any other call on the device
 *
 * Freestanding: needs memcpy and memset.
 *
 * virtio 1.4, 5.3
 */
#ifndef VIRTIO_CONSOLE_H
#define VIRTIO_CONSOLE_H

#include <virtio/bindings/virtio_console.h>
#include <virtio/console_input.h>
#include <virtio/queue.h>
#include <virtio/reader.h>

VIRTIO_BEGIN_DECLS

#define VIRTIO_CONSOLE_CONFIG_BYTES 12     /* size of the configuration space, in bytes */
#define VIRTIO_CONSOLE_PIECE_BYTES 4096u   /* largest len in one call of a sink, in bytes */
#define VIRTIO_CONSOLE_CALL_BYTES 1048576u /* bytes after which a transmit call stops mid-chain */
#define VIRTIO_CONSOLE_MAX_PORTS 32766u    /* largest port_count, for at most 65535 queues */
#define VIRTIO_CONSOLE_NAME_MAX 256u       /* largest length of a port's name, in bytes */

/*
 * Gets output of a port, on the thread that calls virtio_console_transmit().
 *
 * @context  sink_context of the port's options
 * @bytes    any bytes from the guest; valid until the function returns
 * @len      1 to VIRTIO_CONSOLE_PIECE_BYTES
 *
 * Returns the number of bytes taken, from the first byte on. If the number is less than len, the
 * chain stays in flight, and the next virtio_console_transmit() offers the remaining bytes.
 * A sink that can never accept more bytes discards the offered bytes, and returns len. The function
 * must not call functions of the device.
 */
typedef size_t virtio_console_sink_fn(void *context, const void *bytes, size_t len);

/*
 * Enough segments for a chain, if each buffer lies in one region and one translation, and the
 * queue's option allow_long_indirect is false.
 */
#define VIRTIO_CONSOLE_SEGMENTS(queue_size) (queue_size)

/* The options of a port. */
struct virtio_console_port_options {
	bool console;     /* true: a console (input needs no PORT_OPEN); false: a generic port */
	const char *name; /* UTF-8, no NUL needed; may be NULL if name_bytes is 0 */
	uint32_t name_bytes;
	uint16_t cols;                      /* width of a console in characters; 0 if unknown */
	uint16_t rows;                      /* height of a console in characters; 0 if unknown */
	struct virtio_console_input *input; /* an initialised buffer */
	virtio_console_sink_fn *sink;
	void *sink_context;
	/*
	 * Arrays for chains of the port's receive queue and transmit queue. To hold every chain, an
	 * array needs VIRTIO_CONSOLE_SEGMENTS() entries, and one more entry for each place where a
	 * buffer continues in another region or translation. A receive chain that needs more
	 * entries is filled only in part. A transmit chain that needs more entries is read in
	 * several steps. While a transmit chain is in flight, transmit_segments must not be used
	 * for another queue.
	 */
	struct virtio_segment *receive_segments;
	uint32_t receive_capacity; /* entries of receive_segments, at least 1 */
	struct virtio_segment *transmit_segments;
	uint32_t transmit_capacity; /* entries of transmit_segments, at least 1 */
};

/*
 * Statistics of a port, for an operator. Neither a reset nor a removal clears them. A buffer is bad
 * if the map of guest memory does not permit access to all bytes of the buffer.
 */
struct virtio_console_port_stats {
	/* Changed by virtio_console_receive(). */
	uint64_t received;            /* bytes of input in completed chains */
	uint64_t receive_misdirected; /* receive chains with readable buffers of length > 0 */
	uint64_t receive_malformed;   /* receive chains that are malformed or have a bad buffer */
	uint64_t receive_empty;       /* receive chains without room for a byte */
	/* Changed by virtio_console_transmit(), ..._replay_transmit() and ..._remove_port(). */
	uint64_t transmitted;          /* bytes of output that the sink has taken */
	uint64_t transmit_misdirected; /* transmit chains with writable buffers of length > 0 */
	uint64_t transmit_malformed;   /* transmit chains that are malformed or have a bad buffer */
	uint64_t transmit_discarded;   /* transmit chains for an absent or removed port */
	/* Changed by virtio_console_disconnect() and virtio_console_remove_port(). */
	uint64_t dropped; /* bytes of input that these calls have dropped */
};

/* A transmit chain that virtio_console_transmit() has left in flight. */
struct virtio_console_output {
	struct virtio_token token;   /* token.value is 0 if no chain is in flight */
	uint64_t taken;              /* bytes that the sink has taken */
	uint64_t skip;               /* bytes counted in `taken` that `reader` must still skip */
	struct virtio_reader reader; /* reads the resolved segments */
	bool beyond;                 /* the chain continues in `piece` and `rest` */
	struct virtio_desc piece;    /* the part of a buffer that was not read yet */
	struct virtio_chain rest;    /* the descriptors after the buffer of `piece` */
	bool restored;               /* the chain must be replayed */
	uint16_t head;               /* head of the chain that must be replayed */
};

/*
 * A port: an entry of `ports` in struct virtio_console_options. The caller allocates the entries,
 * and changes them by functions only.
 */
struct virtio_console_port {
	struct virtio_console_port_options options;
	bool present;     /* added and not removed */
	uint32_t flags;   /* VIRTIO_CONSOLE_PORT_... of <virtio/console_ports.h> */
	uint32_t pending; /* VIRTIO_CONSOLE_SEND_... of <virtio/console_ports.h> */
	/* 1 if the driver's last PORT_OPEN after PORT_READY opened the port. Atomic. */
	uint32_t guest_open;
	/*
	 * Set to 1 by the removal of a port that the driver knows. Cleared by PORT_READY 1 for the
	 * next port with this number, or by a reset. Atomic.
	 */
	uint32_t awaits_ready;
	struct virtio_console_output output;
	struct virtio_console_port_stats stats;
};

/*
 * Called for a message that the driver has sent and the device has understood, on the thread that
 * calls virtio_console_control_transmit().
 *
 * @context  context of the device's options
 * @id       number of the port; 0 for DEVICE_READY
 * @event    VIRTIO_CONSOLE_DEVICE_READY, VIRTIO_CONSOLE_PORT_READY or VIRTIO_CONSOLE_PORT_OPEN
 * @value    0 or 1. After PORT_READY 1 or PORT_OPEN 1, virtio_console_receive() must be called for
 *           the port.
 */
typedef void virtio_console_event_fn(void *context, uint32_t id, uint16_t event, uint16_t value);

/* Gets the byte of an emergency write, on the thread that calls virtio_console_config_write(). */
typedef void virtio_console_emergency_fn(void *context, uint8_t byte);

/* The options of a device: its ports, and the features that it offers. */
struct virtio_console_options {
	struct virtio_console_port *ports;       /* the table; virtio_console_init() clears it */
	uint32_t port_count;                     /* table size (max_nr_ports); 1 if no multiport */
	bool size;                               /* true: offer SIZE; multiport offers SIZE, too */
	bool multiport;                          /* true: offer MULTIPORT */
	virtio_console_event_fn *event;          /* may be NULL */
	virtio_console_emergency_fn *emergency;  /* if NULL, EMERG_WRITE is not offered */
	void *context;                           /* passed to event and emergency */
	struct virtio_segment *control_segments; /* for control chains; needed with multiport */
	uint32_t control_capacity;               /* entries of control_segments, at least 1 */
};

/* Statistics of the control queues, for an operator. A reset does not clear them. */
struct virtio_console_stats {
	uint64_t sent;        /* messages sent to the driver */
	uint64_t taken;       /* messages of the driver that were understood */
	uint64_t ignored;     /* driver's messages that were too short or not understood */
	uint64_t misdirected; /* chains with buffers in the wrong direction */
	uint64_t malformed;   /* chains that are malformed or have a bad buffer */
	uint64_t too_short;   /* receive chains with too little room for the message */
};

/* A device. The caller allocates it, may read every member, and changes it by functions only. */
struct virtio_console {
	struct virtio_console_options options;
	uint64_t offered;    /* mask of the device type's feature bits */
	uint64_t negotiated; /* a subset of offered */
	bool driver_ready;   /* DEVICE_READY 1 or PORT_READY 1 has arrived since the reset */
	struct virtio_console_stats stats;
};

/*
 * Prepares a device, with no port and no feature negotiated.
 *
 * @console  set up by this call; untouched on failure
 * @options  copied; the table is filled with zeroes. Table and segments must live as long as the
 *           device.
 *
 * Returns 0, or VIRTIO_EINVAL if
 * - there is no table, or the table has no entry or more than VIRTIO_CONSOLE_MAX_PORTS entries,
 * - multiport is false, and the table has more than one entry,
 * - multiport is true, and there is no segment for the control queues.
 */
VIRTIO_MUST_CHECK
int virtio_console_init(struct virtio_console *console, const struct virtio_console_options *options);

/*
 * Returns the offered features of the device type, as a mask of bits 0 to 23. The caller adds the
 * other bits.
 */
uint64_t virtio_console_offered(const struct virtio_console *console);

/*
 * Stores the features that the driver has accepted. Call this when FEATURES_OK is set.
 *
 * @features  all negotiated features; bits above 23 are ignored
 *
 * Returns 0; VIRTIO_EINVAL for a bit that was not offered. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_console_negotiate(struct virtio_console *console, uint64_t features);

/*
 * Undoes everything that the driver has set. Call this when the device is reset. Ports, their
 * clients (<virtio/console_ports.h>), sizes and input stay. Unsent messages, and the position in
 * transmit chains in flight, are forgotten.
 */
void virtio_console_reset(struct virtio_console *console);

/* Configuration space */

/*
 * Reads from the configuration space. These bytes read as zero: fields whose feature is not
 * offered, emerg_wr, and all bytes from the offset VIRTIO_CONSOLE_CONFIG_BYTES on. cols and rows
 * belong to port 0, and are 0 while port 0 is absent.
 *
 * @offset  of the first byte; any value
 * @data    the caller's memory, len bytes, all filled in
 * @len     bytes; any value
 */
void virtio_console_config_read(const struct virtio_console *console, uint64_t offset, void *data, size_t len);

/*
 * Handles a driver's write to the configuration space. If EMERG_WRITE is offered, the low byte of
 * emerg_wr is passed to the emergency function, in every state of the device. The driver need not
 * have accepted EMERG_WRITE (virtio 1.4, 5.3.5.1). All other bytes are ignored.
 *
 * @offset  of the first byte; any value
 * @data    len bytes
 * @len     bytes; any value
 *
 * Returns whether a byte was passed to the emergency function.
 */
bool virtio_console_config_write(const struct virtio_console *console, uint64_t offset, const void *data, size_t len);

/* Data */

/* The result of a call, and what its caller has to do. */
struct virtio_console_progress {
	uint64_t bytes;  /* bytes of input, output or messages that the call has moved */
	uint32_t chains; /* completed chains, including malformed chains */
	bool notify;     /* interrupt the driver for the queue */
	bool more;       /* the call has reached a limit; call again without a kick */
	bool room;       /* receive: the producer waits for room, and room is available */
	bool blocked;    /* transmit: the sink took fewer bytes than were offered */
};

/*
 * Fills receive chains from a port's input buffer. Each chain gets all bytes that fit.
 *
 * @id        number of the port
 * @queue     the port's receive queue
 * @progress  filled in, also on failure
 *
 * - If there is no input, no chain is popped.
 * - If there is no chain, kicks are enabled and the input is kept. Call this again on a kick.
 * - Under MULTIPORT a generic port accepts input only while the driver has the port open.
 * - If the driver knew an earlier port with this number, the port accepts no input before
 *   PORT_READY. Until then the driver may mistake the new port for the old port.
 * - While the port accepts no input, the call does nothing and returns 0.
 * - Each call fills at most as many chains as the queue has entries, or fewer if chains are long.
 *
 * Returns 0, or an error after which the input of an uncompleted chain is still in the buffer:
 *   VIRTIO_EINVAL      there is no such port; or MULTIPORT was not negotiated, and id is not 0
 *   VIRTIO_ENOTMAPPED  a translation is not known yet: retry later
 *   other errors       of virtio_queue_pop() or virtio_queue_complete()
 */
VIRTIO_MUST_CHECK
int virtio_console_receive(struct virtio_console *console, uint32_t id, struct virtio_queue *queue,
			   struct virtio_console_progress *progress);

/*
 * Passes the bytes of transmit chains to a port's sink, in order. Completes each chain with length
 * 0 when the sink has taken all bytes of the chain.
 *
 * @id        number of the port
 * @queue     the port's transmit queue
 * @progress  filled in, also on failure
 *
 * - If the sink takes fewer bytes than offered, progress->blocked is set. The chain stays in flight
 *   with its position, and the next call continues the chain.
 * - Chains of an absent port are completed unread. If the driver knew an earlier port with this
 *   number, chains before PORT_READY of the next port are completed unread, too.
 * - Each call pops at most as many chains as the queue has entries. The call may pop fewer chains
 *   if chains are long, or if the queue has more than 256 entries.
 * - After VIRTIO_CONSOLE_CALL_BYTES the call stops within a chain, and sets progress->more. It does
 *   not stop within a short chain, which has at most VIRTIO_CONSOLE_PIECE_BYTES and fits
 *   transmit_segments. After the limit is reached, up to 256 short chains may follow, together at
 *   most VIRTIO_CONSOLE_CALL_BYTES. So a call sends at most about twice the limit.
 * - After virtio_queue_set_memory() keep the old map until virtio_queue_old_maps_unused() returns
 *   true, because a chain in flight uses the old map. A chain with more segments than
 *   transmit_segments has entries continues in the new map.
 *
 * Returns 0, or an error after which no byte is lost or repeated:
 *   VIRTIO_EINVAL      id is not below options.port_count, or not 0 although MULTIPORT was not
 *                      negotiated
 *   VIRTIO_EBUSY       the port was restored with a chain that was not replayed yet
 *   VIRTIO_ENOTMAPPED  a translation is not known yet: retry later
 *   other errors       of virtio_queue_pop() or virtio_queue_complete()
 */
VIRTIO_MUST_CHECK
int virtio_console_transmit(struct virtio_console *console, uint32_t id, struct virtio_queue *queue,
			    struct virtio_console_progress *progress);

/*
 * Copies the counters of a port, present or absent.
 *
 * @out  untouched on failure
 *
 * Returns 0; VIRTIO_EINVAL if id is not below options.port_count.
 */
VIRTIO_MUST_CHECK
int virtio_console_get_port_stats(const struct virtio_console *console, uint32_t id,
				  struct virtio_console_port_stats *out);

VIRTIO_END_DECLS

#include <virtio/console_ports.h>

#endif
