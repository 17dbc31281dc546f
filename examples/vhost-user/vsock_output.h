/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Bytes of one connection that the guest has sent and that aren't written to the host's socket yet:
 * a stream, or records with their marks. The guest's credit limits the bytes, and the connection's
 * limit of packets (max_packets) limits the records. No memory is allocated while nothing is
 * stored.
 */
#ifndef VSOCK_OUTPUT_H
#define VSOCK_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <virtio/reader.h>

/* All zeros mean empty. */
struct vsock_output {
	uint8_t *bytes;
	size_t first, end, capacity; /* bytes[first] to bytes[end - 1] are used */
	size_t last;                 /* offset of the last record, if has_last */
	bool has_last;               /* the last record is incomplete */
	uint32_t payload;            /* bytes of payload */
	uint32_t records;            /* stored records, empty records included */
};

/* Empties the output, and frees its memory. */
void vsock_output_clear(struct vsock_output *output);

/* Adds len bytes of a stream. Returns 0, or -1 if there is no memory. A failure changes nothing. */
int vsock_output_put(struct vsock_output *output, struct virtio_reader *reader, uint32_t len);

/*
 * Adds len bytes of a record. The record ends with these bytes if `marks` has VIRTIO_VSOCK_SEQ_EOM.
 * Returns the same as vsock_output_put().
 */
int vsock_output_put_record(struct vsock_output *output, struct virtio_reader *reader, uint32_t len, uint32_t marks);

/* Sets *bytes to the next bytes of a stream, and returns their number. */
size_t vsock_output_peek(const struct vsock_output *output, const uint8_t **bytes);
void vsock_output_take(struct vsock_output *output, size_t len);

/*
 * Returns whether bytes and counters fit together. Used for output that another process has saved.
 *
 * @has_records  true for records, false for a stream
 */
bool vsock_output_is_sound(const struct vsock_output *output, bool has_records);

/* The next record, as far as it has arrived. */
struct vsock_record {
	const uint8_t *bytes;
	uint32_t len;
	uint32_t marks; /* VIRTIO_VSOCK_SEQ_...; without EOM the record is incomplete */
};

/* Returns whether there is a record. */
bool vsock_output_peek_record(const struct vsock_output *output, struct vsock_record *record);

/* Removes len bytes of the next record. The record is removed with its last byte. */
void vsock_output_take_record(struct vsock_output *output, uint32_t len);

#endif
