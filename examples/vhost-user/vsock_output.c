/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Stores a record as a word, followed by the record's bytes. The word has the record's length, and
 * in its upper bits the marks.
 */
#include "vsock_output.h"

#include <stdlib.h>
#include <string.h>
#include <virtio/vsock.h>

#define MARKS_SHIFT 30 /* a record is shorter than 2^30 bytes, as every buffer of the device is */
#define LEN_MASK ((UINT32_C(1) << MARKS_SHIFT) - 1)
#define WORD sizeof(uint32_t)
#define FIRST_CAPACITY 1024u

void vsock_output_clear(struct vsock_output *output)
{
	free(output->bytes);
	*output = (struct vsock_output){ .payload = 0 };
}

/* Makes room for len bytes at the end. */
static int make_room(struct vsock_output *output, size_t len)
{
	const size_t used = output->end - output->first;
	size_t capacity = output->capacity ? output->capacity : FIRST_CAPACITY;
	uint8_t *bytes;

	if (output->capacity - output->end >= len)
		return 0;
	/*
	 * Makes the capacity at least twice the stored bytes. Otherwise each new piece would move
	 * all bytes of a full buffer.
	 */
	while (capacity - used < len || capacity / 2 < used)
		capacity *= 2;
	bytes = malloc(capacity);
	if (!bytes)
		return -1;
	if (used)
		memcpy(bytes, output->bytes + output->first, used);
	free(output->bytes);
	output->bytes = bytes;
	output->capacity = capacity;
	output->last -= output->first;
	output->first = 0;
	output->end = used;
	return 0;
}

static void append(struct vsock_output *output, struct virtio_reader *reader, uint32_t len)
{
	virtio_reader_read(reader, output->bytes + output->end, len);
	output->end += len;
	output->payload += len;
}

int vsock_output_put(struct vsock_output *output, struct virtio_reader *reader, uint32_t len)
{
	if (make_room(output, len))
		return -1;
	append(output, reader, len);
	return 0;
}

static uint32_t word_at(const struct vsock_output *output, size_t at)
{
	uint32_t word;

	memcpy(&word, output->bytes + at, sizeof word);
	return word;
}

static void set_word(struct vsock_output *output, size_t at, uint32_t word)
{
	memcpy(output->bytes + at, &word, sizeof word);
}

int vsock_output_put_record(struct vsock_output *output, struct virtio_reader *reader, uint32_t len, uint32_t marks)
{
	if (make_room(output, len + WORD))
		return -1;
	if (!output->has_last) {
		output->last = output->end;
		output->end += WORD;
		output->records++;
		set_word(output, output->last, 0);
	}
	append(output, reader, len);
	set_word(output, output->last, (word_at(output, output->last) + len) | marks << MARKS_SHIFT);
	output->has_last = (marks & VIRTIO_VSOCK_SEQ_EOM) == 0;
	return 0;
}

size_t vsock_output_peek(const struct vsock_output *output, const uint8_t **bytes)
{
	*bytes = output->bytes ? output->bytes + output->first : NULL;
	return output->end - output->first;
}

/* Frees the memory of a connection whose output was written. */
static void tidy(struct vsock_output *output)
{
	if (output->first == output->end)
		vsock_output_clear(output);
}

void vsock_output_take(struct vsock_output *output, size_t len)
{
	output->first += len;
	output->payload -= (uint32_t)len;
	tidy(output);
}

bool vsock_output_peek_record(const struct vsock_output *output, struct vsock_record *record)
{
	uint32_t word;

	if (output->records == 0)
		return false;
	word = word_at(output, output->first);
	*record = (struct vsock_record){
		.bytes = output->bytes + output->first + WORD,
		.len = word & LEN_MASK,
		.marks = word >> MARKS_SHIFT,
	};
	return true;
}

void vsock_output_take_record(struct vsock_output *output, uint32_t len)
{
	const uint32_t word = word_at(output, output->first) - len;
	const bool is_last = output->has_last && output->last == output->first;

	output->first += len;
	output->payload -= len;
	if (word & LEN_MASK) {
		/* Writes the record's word again, directly before the remaining bytes. */
		set_word(output, output->first, word);
		if (is_last)
			output->last = output->first;
		return;
	}
	output->first += WORD;
	output->records--;
	if (is_last)
		output->has_last = false;
	tidy(output);
}

bool vsock_output_is_sound(const struct vsock_output *output, bool has_records)
{
	const size_t bytes = output->end - output->first;
	uint32_t payload = 0, records = 0, word = (uint32_t)VIRTIO_VSOCK_SEQ_EOM << MARKS_SHIFT;
	size_t last = 0;

	if (!has_records)
		return output->payload == bytes && output->records == 0 && !output->has_last;
	for (size_t at = output->first; at < output->end; at += WORD + (word & LEN_MASK)) {
		if (output->end - at < WORD)
			return false;
		word = word_at(output, at);
		if ((word & LEN_MASK) > output->end - at - WORD)
			return false;
		last = at;
		payload += word & LEN_MASK;
		records++;
	}
	if (output->has_last != !(word >> MARKS_SHIFT & VIRTIO_VSOCK_SEQ_EOM))
		return false;
	return output->payload == payload && output->records == records && (!output->has_last || output->last == last);
}
