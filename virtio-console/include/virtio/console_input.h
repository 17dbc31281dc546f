/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The input buffer of a console port: bytes from the host on their way to the guest.
 *
 * The buffer is a ring of bytes in the caller's storage. One thread, the producer, enqueues. Another one, the consumer,
 * takes bytes out: virtio_console_receive() does it on the thread that serves the port's receive queue. There is no
 * lock. Each side tells its caller when the other side has to be woken:
 *
 *   the producer found the buffer full    virtio_console_receive() says "room" once bytes have been taken
 *   the consumer found the buffer empty   virtio_console_input_enqueue() says "wake"
 *
 * What the guest can do: leave its receive queue without buffers, so that the buffer fills up. It never grows.
 *
 * Threads: each function names its side. The functions of one side are serialised by the caller. Nothing blocks.
 *
 * Freestanding: 32-bit atomic loads, stores and exchanges; memcpy.
 */
#ifndef VIRTIO_CONSOLE_INPUT_H
#define VIRTIO_CONSOLE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <virtio/compiler.h>
#include <virtio/error.h>

VIRTIO_BEGIN_DECLS

#define VIRTIO_CONSOLE_INPUT_MAX 16384u    /* bytes: the largest capacity */
#define VIRTIO_CONSOLE_INPUT_DEFAULT 4096u /* bytes: for callers without a preference */

/*
 * An input buffer. The caller allocates it, and changes it through functions alone. Positions run from 0 to twice the
 * capacity, so that a full buffer and an empty one differ.
 */
struct virtio_console_input {
	uint8_t *bytes;      /* the caller's storage */
	uint32_t capacity;   /* bytes of it */
	uint32_t written;    /* position behind the last byte enqueued; the producer stores it */
	uint32_t taken;      /* position of the next byte to take; the consumer stores it */
	uint32_t want_bytes; /* 1: the consumer waits for bytes */
	uint32_t want_room;  /* 1: the producer waits for room */
};

/*
 * Prepares an empty buffer.
 *
 * @input     the caller's; untouched on failure
 * @bytes     the caller's storage, used as long as the buffer
 * @capacity  bytes of it: 1 to VIRTIO_CONSOLE_INPUT_MAX
 *
 * Before any other thread uses the buffer. Returns 0; VIRTIO_EINVAL for another capacity, or without storage.
 */
VIRTIO_MUST_CHECK
int virtio_console_input_init(struct virtio_console_input *input, uint8_t *bytes, uint32_t capacity);

/* Bytes that the buffer can hold. Either side. */
uint32_t virtio_console_input_capacity(const struct virtio_console_input *input);

/* Bytes that can be enqueued now: at least so many, for the consumer makes room at any time. The producer's side. */
uint32_t virtio_console_input_available(const struct virtio_console_input *input);

/* Whether there is nothing to take. Either side; the other side may change the answer at any time. */
bool virtio_console_input_is_empty(const struct virtio_console_input *input);

/*
 * Enqueues as many of the bytes as there is room for, from the first one on. The producer's side.
 *
 * @bytes  copied; NULL if len is 0
 * @len    bytes
 * @wake   set to whether the consumer waits: the caller has virtio_console_receive() called. Untouched on failure.
 *
 * Returns how many bytes were enqueued. If these are fewer than len, the consumer says "room" when there is room again.
 * VIRTIO_ENOBUFS if the buffer is full and len is not 0; the same holds then.
 */
VIRTIO_MUST_CHECK
int virtio_console_input_enqueue(struct virtio_console_input *input, const void *bytes, size_t len, bool *wake);

/*
 * Copies bytes without taking them, for a snapshot. The consumer's side.
 *
 * @dst  the caller's, len bytes
 *
 * Returns how many bytes were copied, from the next one on.
 */
uint32_t virtio_console_input_peek(const struct virtio_console_input *input, void *dst, uint32_t len);

/*
 * Drops everything that is in the buffer. The consumer's side.
 *
 * @room  set to whether the producer waits for room: the caller wakes it
 *
 * Returns how many bytes were dropped.
 */
uint32_t virtio_console_input_clear(struct virtio_console_input *input, bool *room);

VIRTIO_END_DECLS

#endif
