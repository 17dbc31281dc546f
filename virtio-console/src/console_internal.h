/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Shared by the sources of the console: atomic fields, input buffers, ports and data chains. */
#ifndef VIRTIO_CONSOLE_INTERNAL_H
#define VIRTIO_CONSOLE_INTERNAL_H

#include <virtio/console.h>
#include <virtio/features.h>

#define CONSOLE_FEATURE(name) virtio_feature_mask(VIRTIO_CONSOLE_F_##name)

/*
 * Access a field that several threads of the host use. After the load, a thread sees everything
 * that another thread wrote before storing the loaded value.
 */
static inline uint32_t console_load(const uint32_t *field)
{
	return __atomic_load_n(field, __ATOMIC_ACQUIRE);
}

static inline void console_store(uint32_t *field, uint32_t value)
{
	__atomic_store_n(field, value, __ATOMIC_RELEASE);
}

/*
 * Access a field of an input buffer that its producer and consumer share. Each side stores its own
 * field, then loads a field of the other side. All threads see these accesses in one order, so
 * at least one side sees the store of the other side.
 */
static inline uint32_t console_load_ordered(const uint32_t *field)
{
	return __atomic_load_n(field, __ATOMIC_SEQ_CST);
}

static inline void console_store_ordered(uint32_t *field, uint32_t value)
{
	__atomic_store_n(field, value, __ATOMIC_SEQ_CST);
}

/* Clears the other side's request to be woken. Returns whether there was a request. */
static inline bool console_was_wanted(uint32_t *field)
{
	return console_load_ordered(field) != 0 && __atomic_exchange_n(field, 0, __ATOMIC_SEQ_CST) != 0;
}

/* Input buffers */

/* Returns the position n bytes after the given position; n is at most the capacity. */
static inline uint32_t input_advance(const struct virtio_console_input *input, uint32_t position, uint32_t n)
{
	position += n;
	return position >= 2 * input->capacity ? position - 2 * input->capacity : position;
}

/* Returns the offset of a position in the storage. */
static inline uint32_t input_offset(const struct virtio_console_input *input, uint32_t position)
{
	return position >= input->capacity ? position - input->capacity : position;
}

/* Returns the number of bytes between two positions. */
static inline uint32_t input_between(const struct virtio_console_input *input, uint32_t taken, uint32_t written)
{
	return written >= taken ? written - taken : written + 2 * input->capacity - taken;
}

/* Returns whether the buffer is empty. If it is empty, the producer will wake the consumer. */
bool virtio_impl_console_input_sleep(struct virtio_console_input *input);

/*
 * Returns whether the producer waits for room and there is room. If both hold, clears the
 * producer's request. Call this after bytes were dequeued.
 */
bool virtio_impl_console_input_wanted(struct virtio_console_input *input);

/* Ports */

/* Returns whether MULTIPORT was negotiated, so that the control queues exist. */
static inline bool console_multiport(const struct virtio_console *console)
{
	return (console->negotiated & CONSOLE_FEATURE(MULTIPORT)) != 0;
}

/* Returns the entry with this number, or NULL if the table has no such entry. */
static inline struct virtio_console_port *console_entry(const struct virtio_console *console, uint32_t id)
{
	return id < console->options.port_count ? &console->options.ports[id] : NULL;
}

/* Returns the port with this number, or NULL if no such port is present. */
static inline struct virtio_console_port *console_port(const struct virtio_console *console, uint32_t id)
{
	struct virtio_console_port *port = console_entry(console, id);

	return port && port->present ? port : NULL;
}

/* Returns whether the port's queues may be served. Without MULTIPORT only port 0 has queues. */
static inline bool console_has_queues(const struct virtio_console *console, uint32_t id)
{
	return id == 0 || (id < console->options.port_count && console_multiport(console));
}

/* Data chains */

/*
 * A resolved chain of data. Before virtio_impl_console_resolve() the caller sets list.segments,
 * list.capacity and to_driver, and all other members to 0.
 */
struct console_data {
	struct virtio_chain_segments list; /* segments of buffers that have the right direction */
	bool to_driver;                    /* true: receive, writable; false: transmit, readable */
	bool misdirected;                  /* a buffer that is not empty has the wrong direction */
	bool beyond;                       /* the chain needs more segments than the array has */
	uint32_t steps;                    /* descriptors, plus extra segments of split buffers */
};

/*
 * Returns whether a call has reached its limit of steps. Without the limit, many long chains that
 * share descriptors would make the call long.
 */
#define CONSOLE_STEPS_PER_ENTRY 32u

static inline bool console_is_enough(uint32_t steps, const struct virtio_queue *queue)
{
	return steps >= CONSOLE_STEPS_PER_ENTRY * queue->size;
}

/*
 * Walks a chain to its end or to the first error, and resolves the buffers that have the right
 * direction. Returns 0, an error of virtio_chain_next(), or the error of a buffer that cannot be
 * resolved.
 */
int virtio_impl_console_resolve(struct virtio_chain *chain, struct console_data *data);

/* Sets or clears the pending message OPEN 1, as the state of the port requires. */
void virtio_impl_console_update_open(struct virtio_console_port *port);

/*
 * announce() makes ADD pending if the port is present and the driver does not know the port.
 * answer_ready() makes the answers to PORT_READY 1 pending.
 */
void virtio_impl_console_announce(struct virtio_console_port *port);
void virtio_impl_console_answer_ready(struct virtio_console_port *port);

#endif
