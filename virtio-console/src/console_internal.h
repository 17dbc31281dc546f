/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What the sources of the console share: the port table, the consumer's side of an input buffer, and atomic fields. */
#ifndef VIRTIO_CONSOLE_INTERNAL_H
#define VIRTIO_CONSOLE_INTERNAL_H

#include <virtio/console.h>
#include <virtio/features.h>

#define CONSOLE_FEATURE(name) virtio_feature_mask(VIRTIO_CONSOLE_F_##name)

/* A field that another thread of the host stores: what that thread wrote before is visible afterwards. */
static inline uint32_t console_load(const uint32_t *field)
{
	return __atomic_load_n(field, __ATOMIC_ACQUIRE);
}

static inline void console_store(uint32_t *field, uint32_t value)
{
	__atomic_store_n(field, value, __ATOMIC_RELEASE);
}

/*
 * For the two sides of an input buffer: each stores a field of its own, then loads one of the other's. All of these are
 * in one order, so that not both sides miss what the other one has stored.
 */
static inline uint32_t console_load_ordered(const uint32_t *field)
{
	return __atomic_load_n(field, __ATOMIC_SEQ_CST);
}

static inline void console_store_ordered(uint32_t *field, uint32_t value)
{
	__atomic_store_n(field, value, __ATOMIC_SEQ_CST);
}

/* Clears a request of the other side to be woken. Returns whether there was one. */
static inline bool console_was_wanted(uint32_t *field)
{
	return console_load_ordered(field) != 0 && __atomic_exchange_n(field, 0, __ATOMIC_SEQ_CST) != 0;
}

/* Input buffers */

/* From one position to the one n bytes further; n is at most the capacity. */
static inline uint32_t input_advance(const struct virtio_console_input *input, uint32_t position, uint32_t n)
{
	position += n;
	return position >= 2 * input->capacity ? position - 2 * input->capacity : position;
}

/* Where a position is in the storage. */
static inline uint32_t input_offset(const struct virtio_console_input *input, uint32_t position)
{
	return position >= input->capacity ? position - input->capacity : position;
}

/* Bytes between two positions. */
static inline uint32_t input_between(const struct virtio_console_input *input, uint32_t taken, uint32_t written)
{
	return written >= taken ? written - taken : written + 2 * input->capacity - taken;
}

/* Whether the buffer stays empty until the producer is told to wake the consumer. */
bool virtio_impl_console_input_sleep(struct virtio_console_input *input);

/* After bytes have been taken: whether the producer waits for room. */
bool virtio_impl_console_input_wanted(struct virtio_console_input *input);

/* Ports */

/* Whether the control queues are there. */
static inline bool console_multiport(const struct virtio_console *console)
{
	return (console->negotiated & CONSOLE_FEATURE(MULTIPORT)) != 0;
}

/* The entry of a number; NULL if the table has none. */
static inline struct virtio_console_port *console_entry(const struct virtio_console *console, uint32_t id)
{
	return id < console->options.port_count ? &console->options.ports[id] : NULL;
}

/* The port of a number; NULL if there is none. */
static inline struct virtio_console_port *console_port(const struct virtio_console *console, uint32_t id)
{
	struct virtio_console_port *port = console_entry(console, id);

	return port && port->present ? port : NULL;
}

/* Whether the port has queues that may be served: only the first one without MULTIPORT. */
static inline bool console_has_queues(const struct virtio_console *console, uint32_t id)
{
	return id == 0 || (id < console->options.port_count && console_multiport(console));
}

/* Data chains */

/* What a chain of data resolves to. list.segments and list.capacity, and to_driver, are set beforehand. */
struct console_data {
	struct virtio_chain_segments list; /* the other members of list begin as zeroes */
	bool to_driver;                    /* a receive chain, of writable buffers; otherwise a transmit chain */
	bool misdirected;                  /* a buffer of at least one byte has the other direction */
	bool beyond;                       /* the chain has more pieces than the array */
};

/*
 * Walks a chain to its end, checks all of it and resolves the buffers of its direction.
 *
 * @walked  the first descriptors, which have been walked along already
 * @count   how many
 *
 * Returns 0; an error of virtio_chain_next(), or of a buffer of that direction.
 */
int virtio_impl_console_resolve(struct virtio_chain *chain, const struct virtio_desc *walked, uint32_t count,
				struct console_data *data);

/* Makes OPEN messages pending so that the driver learns what there is now. */
void virtio_impl_console_update_open(struct virtio_console_port *port);

/* The driver is ready, or a port is: makes pending what follows. */
void virtio_impl_console_announce(struct virtio_console_port *port);
void virtio_impl_console_answer_ready(struct virtio_console_port *port);

#endif
