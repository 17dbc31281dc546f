/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The input buffer of a console port: bytes from the host on their way to the guest.
 *
 * The buffer is a ring of bytes in the caller's storage, without a lock. One thread, the producer,
 * enqueues. The thread of the port's receive queue is the consumer, and dequeues by
 * virtio_console_receive(). Each side tells its caller when to wake the other side:
 *
 *   bytes of the producer did not fit     virtio_console_receive() sets `room` when there is room
 *   the consumer found the buffer empty   virtio_console_input_enqueue() sets `wake`
 *
 * What the guest can do: provide no receive buffers, so that the input buffer fills up. The input
 * buffer never grows.
 *
 * Threads:
 *   functions                                 who may call     what must not run beside
 *   virtio_console_input_init()               one thread       any other call
 *   ..._available(), ..._enqueue()            the producer     another call of the producer
 *   ..._peek(), ..._clear(),                  the consumer     another call of the consumer
 *   virtio_console_receive()
 *   ..._capacity(), ..._is_empty()            either side
 *
 * No function blocks.
 *
 * Freestanding: needs 32-bit atomic loads, stores and exchanges, and memcpy.
 */
#ifndef VIRTIO_CONSOLE_INPUT_H
#define VIRTIO_CONSOLE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <virtio/compiler.h>
#include <virtio/error.h>

VIRTIO_BEGIN_DECLS

#define VIRTIO_CONSOLE_INPUT_MAX 16384u    /* largest capacity, in bytes */
#define VIRTIO_CONSOLE_INPUT_DEFAULT 4096u /* default capacity, in bytes */

/*
 * An input buffer. The caller allocates it, and changes it by functions only. Positions wrap at
 * twice the capacity, so `written` and `taken` are equal only if the buffer is empty.
 */
struct virtio_console_input {
	uint8_t *bytes;      /* the caller's storage */
	uint32_t capacity;   /* bytes of the storage */
	uint32_t written;    /* position after the last byte; written by the producer */
	uint32_t taken;      /* position of the next byte; written by the consumer */
	uint32_t want_bytes; /* 1: the consumer waits for bytes */
	uint32_t want_room;  /* 1: the producer waits for room */
};

/*
 * Prepares an empty buffer, before any other thread uses it.
 *
 * @input     the caller's structure; untouched on failure
 * @bytes     the caller's storage; must live as long as the buffer
 * @capacity  bytes of the storage: 1 to VIRTIO_CONSOLE_INPUT_MAX
 *
 * Returns 0; VIRTIO_EINVAL for any other capacity, or if bytes is NULL.
 */
VIRTIO_MUST_CHECK
int virtio_console_input_init(struct virtio_console_input *input, uint8_t *bytes, uint32_t capacity);

/* Returns the capacity in bytes. Either side may call this. */
uint32_t virtio_console_input_capacity(const struct virtio_console_input *input);

/*
 * Returns the number of bytes that can be enqueued now. Only the producer calls this. The consumer
 * may make more room at any time.
 */
uint32_t virtio_console_input_available(const struct virtio_console_input *input);

/*
 * Returns whether the buffer is empty. Either side may call this. The other side may change the
 * result at any time.
 */
bool virtio_console_input_is_empty(const struct virtio_console_input *input);

/*
 * Enqueues as many bytes as fit, from the first byte on. Only the producer calls this.
 *
 * @bytes  copied; may be NULL if len is 0
 * @len    bytes
 * @wake   set to whether the consumer waits for bytes. If true, the consumer must call
 *         virtio_console_receive(). Untouched on failure.
 *
 * Returns the number of bytes enqueued, or VIRTIO_ENOBUFS if the buffer is full and len is not 0.
 * If not all bytes fit, a later virtio_console_receive() sets `room` when there is room.
 */
VIRTIO_MUST_CHECK
int virtio_console_input_enqueue(struct virtio_console_input *input, const void *bytes, size_t len, bool *wake);

/*
 * Copies bytes without dequeuing them, for a snapshot. Only the consumer calls this.
 *
 * @dst  the caller's memory, len bytes
 *
 * Returns the number of bytes copied. The first copied byte is the next byte to dequeue.
 */
uint32_t virtio_console_input_peek(const struct virtio_console_input *input, void *dst, uint32_t len);

/*
 * Drops everything in the buffer. Only the consumer calls this.
 *
 * @room  set to whether the producer waits for room. If true, the caller wakes the producer.
 *
 * Returns the number of bytes dropped.
 */
uint32_t virtio_console_input_clear(struct virtio_console_input *input, bool *room);

VIRTIO_END_DECLS

#endif
