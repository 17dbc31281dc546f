/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The console device: what it offers, its configuration space, and the data of its ports.
 *
 * A device has a table of ports in the caller's storage. Each port has an input buffer (<virtio/console_input.h>), from
 * which virtio_console_receive() fills the driver's receive chains, and a sink, a function of the caller's, to which
 * virtio_console_transmit() hands what the driver sends. <virtio/console_ports.h> adds and removes ports, and has the
 * control messages of VIRTIO_CONSOLE_F_MULTIPORT.
 *
 *	virtio_console_init(&console, &options);
 *	virtio_console_add_port(&console, 0, &port);
 *	offer virtio_console_offered(&console); on FEATURES_OK virtio_console_negotiate(&console, features)
 *	input arrives:                virtio_console_input_enqueue(); if it says wake: virtio_console_receive()
 *	kick of a receive queue:      virtio_console_receive()
 *	kick of a transmit queue:     virtio_console_transmit(); if blocked: again, when the sink can take more
 *
 * What the guest can do: cut its chains into descriptors as it likes (virtio 1.4, 2.7.4.1), change the bytes at any
 * time, and send chains that make no sense. Input leaves its buffer only when it is in guest memory and its chain is
 * completed, so that no chain, bad page or reset loses a byte. Output is copied once, in pieces of at most
 * VIRTIO_CONSOLE_PIECE_BYTES on the stack, whatever the length of a chain. Chains in the wrong direction and
 * malformed ones go back with length 0, unread and unwritten, and are counted.
 *
 * Threads: virtio_console_receive() and virtio_console_transmit() run on any thread, one at a time for each queue. They
 * may run beside each other, beside the same for other ports, and beside the functions of <virtio/console_ports.h> that
 * do not say otherwise. Everything else here is serialised by the caller against all use of the device.
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

#define VIRTIO_CONSOLE_CONFIG_BYTES 12   /* length of the configuration space */
#define VIRTIO_CONSOLE_PIECE_BYTES 4096u /* the most that a sink is offered at once */
#define VIRTIO_CONSOLE_MAX_PORTS 32767u  /* so that every queue has a 16-bit index */
#define VIRTIO_CONSOLE_NAME_MAX 256u     /* bytes of a port's name */

/*
 * Takes output of a port, on the thread that calls virtio_console_transmit().
 *
 * @context  of the port's options
 * @bytes    what the guest sent, any bytes; the caller's until the function returns
 * @len      1 to VIRTIO_CONSOLE_PIECE_BYTES
 *
 * Returns how many bytes it has taken, from the first one on. If these are fewer than len, the chain stays in flight
 * until virtio_console_transmit() is called again, and the rest is offered then. A sink that can never take more
 * discards the bytes, and returns len. Must not call functions of the device.
 */
typedef size_t virtio_console_sink_fn(void *context, const void *bytes, size_t len);

/* Segments that a chain of a queue of this size needs in guest memory of one region. */
#define VIRTIO_CONSOLE_SEGMENTS(queue_size) (queue_size)

/* What a port is. */
struct virtio_console_port_options {
	bool console;     /* a console, which takes input at any time; otherwise a generic port */
	const char *name; /* UTF-8, no NUL needed; NULL if name_bytes is 0 */
	uint32_t name_bytes;
	uint16_t cols; /* characters, of a console; both 0: not known */
	uint16_t rows;
	struct virtio_console_input *input; /* initialised */
	virtio_console_sink_fn *sink;
	void *sink_context;
	/*
	 * Arrays for the chains of the two queues: VIRTIO_CONSOLE_SEGMENTS(), and one more for each place where a
	 * buffer goes on in another region. With fewer, a receive chain is filled in part, and a transmit chain is
	 * read in several goes.
	 */
	struct virtio_segment *receive_segments;
	uint32_t receive_capacity; /* entries, at least 1 */
	struct virtio_segment *transmit_segments;
	uint32_t transmit_capacity; /* entries, at least 1 */
};

/* What an operator may ask about a port. Neither a reset nor a removal clears it. */
struct virtio_console_port_stats {
	/* Changed by virtio_console_receive(). */
	uint64_t received;            /* bytes of input in completed chains */
	uint64_t receive_misdirected; /* receive chains with readable pieces */
	uint64_t receive_malformed;   /* receive chains in disorder, or with a bad buffer */
	uint64_t receive_empty;       /* receive chains without room */
	/* Changed by virtio_console_transmit(). */
	uint64_t transmitted;          /* bytes of output that the sink has taken */
	uint64_t transmit_misdirected; /* transmit chains with writable pieces */
	uint64_t transmit_malformed;   /* transmit chains in disorder, or with a bad buffer */
	uint64_t transmit_discarded;   /* transmit chains to a port that is not there */
	/* Changed by virtio_console_disconnect() and virtio_console_remove_port(). */
	uint64_t dropped; /* bytes of input of clients that have left */
};

/* A transmit chain whose bytes the sink has not all taken. */
struct virtio_console_output {
	struct virtio_token token;   /* 0 if there is none */
	uint64_t taken;              /* bytes that the sink has */
	uint64_t skip;               /* bytes of the chain to step over before the next one, after a restore */
	struct virtio_reader reader; /* over the segments that are at hand */
	bool beyond;                 /* the chain goes on behind them: in piece, ahead and rest */
	struct virtio_desc piece;    /* what is left of a buffer */
	struct virtio_desc ahead;    /* the buffer after that, unless its length is 0 */
	struct virtio_chain rest;    /* descriptors after that */
	bool restored;               /* to be replayed */
	uint16_t head;               /* then: its head */
};

/* A port. The caller allocates the table, and changes it through functions alone. */
struct virtio_console_port {
	struct virtio_console_port_options options;
	bool present;        /* added and not removed */
	uint32_t flags;      /* VIRTIO_CONSOLE_PORT_... of <virtio/console_ports.h> */
	uint32_t pending;    /* VIRTIO_CONSOLE_SEND_... of the same */
	uint32_t guest_open; /* the driver's last PORT_OPEN said 1; accessed atomically */
	struct virtio_console_output output;
	struct virtio_console_port_stats stats;
};

/*
 * Told of a message that the driver has sent and the device has understood, on the thread that calls
 * virtio_console_control_transmit().
 *
 * @context  of the options
 * @id       number of the port; 0 for DEVICE_READY
 * @event    VIRTIO_CONSOLE_DEVICE_READY, VIRTIO_CONSOLE_PORT_READY or VIRTIO_CONSOLE_PORT_OPEN
 * @value    0 or 1; 1 of PORT_OPEN: the caller has virtio_console_receive() called for the port
 */
typedef void virtio_console_event_fn(void *context, uint32_t id, uint16_t event, uint16_t value);

/* Takes the byte of an emergency write, on the thread that calls virtio_console_config_write(). */
typedef void virtio_console_emergency_fn(void *context, uint8_t byte);

/* What a device is and offers. */
struct virtio_console_options {
	struct virtio_console_port *ports;       /* the table; the entries need no value */
	uint32_t port_count;                     /* its entries, and max_nr_ports; 1 without multiport */
	bool size;                               /* offers SIZE; multiport does so, too, for Linux needs both */
	bool multiport;                          /* offers MULTIPORT */
	virtio_console_event_fn *event;          /* or NULL */
	virtio_console_emergency_fn *emergency;  /* offers EMERG_WRITE; or NULL */
	void *context;                           /* for both */
	struct virtio_segment *control_segments; /* for the chains of the control queues, with multiport */
	uint32_t control_capacity;               /* entries, at least 1 */
};

/* What an operator may ask about the control queues. A reset does not clear it. */
struct virtio_console_stats {
	uint64_t sent;        /* messages to the driver */
	uint64_t taken;       /* messages of the driver's that were understood */
	uint64_t ignored;     /* messages of the driver's that made no sense: short, unknown, of no port */
	uint64_t misdirected; /* chains with pieces in the wrong direction */
	uint64_t malformed;   /* chains in disorder, or with a bad buffer */
	uint64_t too_short;   /* receive chains with too little room */
};

/* A device. The caller allocates it, reads what it likes, and changes it through functions alone. */
struct virtio_console {
	struct virtio_console_options options;
	uint64_t offered;    /* masks of this device type's feature bits */
	uint64_t negotiated; /* a subset of offered */
	bool driver_ready;   /* DEVICE_READY or PORT_READY has come since the reset */
	struct virtio_console_stats stats;
};

/*
 * Prepares a device, with no port and no feature negotiated.
 *
 * @console  set up; untouched on failure
 * @options  copied; the table is filled with zeroes. Table and segments must live as long as the device.
 *
 * Returns 0; VIRTIO_EINVAL without a table; for more than VIRTIO_CONSOLE_MAX_PORTS entries, or without multiport more
 * than one; with multiport without a segment for the control queues.
 */
VIRTIO_MUST_CHECK
int virtio_console_init(struct virtio_console *console, const struct virtio_console_options *options);

/* The features of the device type that are offered, as a mask of bits 0 to 23. Others are the caller's to add. */
uint64_t virtio_console_offered(const struct virtio_console *console);

/*
 * Takes the features that the driver has accepted.
 *
 * @features  all negotiated features; bits above 23 are not looked at
 *
 * To be called when FEATURES_OK is set. Returns 0, or VIRTIO_EINVAL for a bit that was not offered, and then changes
 * nothing.
 */
VIRTIO_MUST_CHECK
int virtio_console_negotiate(struct virtio_console *console, uint64_t features);

/*
 * Back to what the driver found at first: to be called when the device is reset. Ports, clients, sizes and input stay.
 * Messages that were not sent, and the place in transmit chains in flight, are forgotten.
 */
void virtio_console_reset(struct virtio_console *console);

/* Configuration space */

/*
 * Reads from the configuration space. Fields whose feature is not offered, emerg_wr, and everything from
 * VIRTIO_CONSOLE_CONFIG_BYTES on read as zero. cols and rows are those of port 0.
 *
 * @offset  of the first byte; any value
 * @data    the caller's memory, len bytes, wholly filled in
 * @len     bytes; any value
 */
void virtio_console_config_read(const struct virtio_console *console, uint64_t offset, void *data, size_t len);

/*
 * A write of the driver's to the configuration space. The low byte of emerg_wr goes to the emergency function, if the
 * feature is offered: in every state of the device, negotiated or not (virtio 1.4, 5.3.5.1). Everything else is
 * ignored.
 *
 * @offset  of the first byte; any value
 * @data    len bytes
 * @len     bytes; any value
 *
 * Serialised against register accesses alone. Returns whether a byte went out.
 */
bool virtio_console_config_write(const struct virtio_console *console, uint64_t offset, const void *data, size_t len);

/* Data */

/* What a call has done, and what it leaves for its caller. */
struct virtio_console_progress {
	uint64_t bytes;  /* moved: of input, of output, or of messages */
	uint32_t chains; /* completed, whatever was in them */
	bool notify;     /* the driver is to be notified of the queue */
	bool more;       /* the limit of one call was reached: call again, a kick may not come */
	bool room;       /* receive: the producer waits for room, and there is some */
	bool blocked;    /* transmit: the sink took fewer bytes than it was offered */
};

/*
 * Fills receive chains from a port's input buffer, each with what is there.
 *
 * @id        number of the port
 * @queue     its receive queue
 * @progress  filled in, also on failure
 *
 * Without input no chain is taken. Without chains the input stays, and the next kick resumes: notifications are enabled
 * then. Under MULTIPORT a generic port takes input only while the driver has it open; until then nothing is done. Each
 * call fills at most as many chains as the queue has entries.
 *
 * Returns 0; VIRTIO_EINVAL for a port that is not there, or is beyond the first one without MULTIPORT negotiated;
 * VIRTIO_ENOTMAPPED: come again when the translation is known; another error of virtio_queue_pop() or
 * virtio_queue_complete(). The input of a chain that was not completed is still in the buffer after each of them.
 */
VIRTIO_MUST_CHECK
int virtio_console_receive(struct virtio_console *console, uint32_t id, struct virtio_queue *queue,
			   struct virtio_console_progress *progress);

/*
 * Hands the bytes of transmit chains to a port's sink, in order, and completes each chain with length 0 when the sink
 * has all of it.
 *
 * @id        number of the port
 * @queue     its transmit queue
 * @progress  filled in, also on failure
 *
 * When the sink takes fewer bytes than offered, progress->blocked is set, and the chain stays in flight with its place
 * kept. The next call goes on with it. Chains to a port that is not there go back unread. Each call takes at most as
 * many chains as the queue has entries. A device that switches maps by virtio_queue_set_memory() while blocked keeps
 * the old map until virtio_queue_old_maps_unused().
 *
 * Returns 0; VIRTIO_EINVAL for a number that the table has not, or beyond the first one without MULTIPORT negotiated;
 * VIRTIO_EBUSY for a restored port whose chain has not been replayed; VIRTIO_ENOTMAPPED: come again when the
 * translation is known; another error of virtio_queue_pop() or virtio_queue_complete(). No byte is lost or repeated
 * after any of them.
 */
VIRTIO_MUST_CHECK
int virtio_console_transmit(struct virtio_console *console, uint32_t id, struct virtio_queue *queue,
			    struct virtio_console_progress *progress);

/*
 * Copies the counters of a port, which may be absent. Serialised against the calls for the port's queues.
 *
 * @out  untouched on failure
 *
 * Returns 0; VIRTIO_EINVAL for a number that the table has not.
 */
VIRTIO_MUST_CHECK
int virtio_console_get_port_stats(const struct virtio_console *console, uint32_t id,
				  struct virtio_console_port_stats *out);

VIRTIO_END_DECLS

#include <virtio/console_ports.h>

#endif
