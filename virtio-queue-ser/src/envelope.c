/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The envelope of a saved state. A reader checks the envelope before the content. */
#include <string.h>
#include <virtio/endian.h>

#include "envelope_internal.h"

/* Offsets in a file. The checksum follows the sections, and covers all bytes before it. */
#define FILE_MAGIC 0
#define FILE_VERSION 8
#define FILE_LENGTH 12
#define FILE_ID 20
#define FILE_SECTIONS 36
#define CHECKSUM_BYTES 4u

#define MAGIC_BYTES 8u

static const char magic[MAGIC_BYTES] = { 'V', 'I', 'R', 'T', 'I', 'O', 'S', 'S' };

VIRTIO_STATIC_ASSERT(FILE_SECTIONS + CHECKSUM_BYTES == VIRTIO_QUEUE_SER_FRAME_BYTES, "length of an empty file");

uint32_t virtio_queue_ser_checksum(const void *bytes, size_t count)
{
	/* CRC table for the reversed polynomial 0x82f63b78. Each look-up handles four bits. */
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};
	const uint8_t *at = (const uint8_t *)bytes;
	uint32_t crc = ~UINT32_C(0);

	for (size_t i = 0; i < count; i++) {
		crc ^= at[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

/* Writing */

void virtio_impl_queue_ser_begin(struct virtio_section_writer *writer, void *bytes, size_t capacity, const uint8_t *id,
				 uint32_t version)
{
	uint8_t number[4];

	virtio_section_writer_init(writer, bytes, capacity);
	virtio_section_put(writer, magic, sizeof magic);
	virtio_put_le32(number, version);
	virtio_section_put(writer, number, sizeof number);
	/* Leaves room for the length, which virtio_queue_ser_end() stores. */
	virtio_section_put(writer, NULL, FILE_ID - FILE_LENGTH);
	virtio_section_put(writer, id, VIRTIO_QUEUE_SER_ID_BYTES);
}

void virtio_queue_ser_begin(struct virtio_section_writer *writer, void *bytes, size_t capacity, const uint8_t *id)
{
	virtio_impl_queue_ser_begin(writer, bytes, capacity, id, VIRTIO_QUEUE_SER_VERSION);
}

int virtio_queue_ser_end(struct virtio_section_writer *writer, size_t *length)
{
	const size_t covered = writer->length;
	uint8_t checksum[CHECKSUM_BYTES];

	if (!writer->error && covered < writer->capacity) {
		virtio_put_le64(writer->bytes + FILE_LENGTH, covered + CHECKSUM_BYTES);
		virtio_put_le32(checksum, virtio_queue_ser_checksum(writer->bytes, covered));
		virtio_section_put(writer, checksum, sizeof checksum);
	} else {
		virtio_section_put(writer, NULL, CHECKSUM_BYTES);
	}
	if (writer->error)
		return writer->error;
	*length = writer->length;
	return writer->length <= writer->capacity ? 0 : VIRTIO_ENOBUFS;
}

/* Reading */

/* Records a fault of the file as a whole. */
static int refuse(struct virtio_section_reader *reader, enum virtio_section_reason reason, int error, const char *field,
		  size_t offset, uint64_t found, uint64_t expected)
{
	reader->fault = (struct virtio_section_fault){
		.error = error,
		.reason = reason,
		.field = field,
		.entry = VIRTIO_SECTION_NO_ENTRY,
		.offset = offset,
		.found = found,
		.expected = expected,
	};
	return error;
}

static int check_length(struct virtio_section_reader *reader, size_t length)
{
	const uint64_t said = virtio_get_le64(reader->bytes + FILE_LENGTH);

	if (length < said)
		return refuse(reader, VIRTIO_SECTION_FILE_SHORT, VIRTIO_EFORMAT, "length", FILE_LENGTH, length, said);
	if (length > said)
		return refuse(reader, VIRTIO_SECTION_FILE_LONG, VIRTIO_EFORMAT, "length", FILE_LENGTH, length, said);
	return 0;
}

/*
 * Replaces memcmp(). Compilers turn memcmp() into bcmp() if its result is only compared with 0, and
 * a freestanding program may lack bcmp().
 */
static bool are_equal(const void *first, const void *second, size_t count)
{
	const uint8_t *a = first, *b = second;
	uint8_t difference = 0;

	for (size_t i = 0; i < count; i++)
		difference |= (uint8_t)(a[i] ^ b[i]);
	return difference == 0;
}

int virtio_impl_queue_ser_open(struct virtio_section_reader *reader, const void *bytes, size_t length,
			       const uint8_t *id, uint16_t oldest, uint16_t newest)
{
	const size_t end = length < VIRTIO_QUEUE_SER_FRAME_BYTES ? 0 : length - CHECKSUM_BYTES;
	uint32_t version, said, is;
	int error;

	virtio_section_reader_init(reader, bytes, end ? FILE_SECTIONS : 0, end);
	if (length > 0 && !are_equal(bytes, magic, length < MAGIC_BYTES ? length : MAGIC_BYTES))
		return refuse(reader, VIRTIO_SECTION_NOT_A_STATE, VIRTIO_EFORMAT, "magic", FILE_MAGIC, 0, 0);
	if (length < FILE_LENGTH)
		return refuse(reader, VIRTIO_SECTION_FILE_SHORT, VIRTIO_EFORMAT, NULL, length, length,
			      VIRTIO_QUEUE_SER_FRAME_BYTES);
	version = virtio_get_le32(reader->bytes + FILE_VERSION);
	if (version < oldest || version > newest) {
		(void)refuse(reader, VIRTIO_SECTION_FILE_VERSION, VIRTIO_EVERSION, "version", FILE_VERSION, version, 0);
		reader->fault.oldest = oldest;
		reader->fault.newest = newest;
		return VIRTIO_EVERSION;
	}
	if (end == 0)
		return refuse(reader, VIRTIO_SECTION_FILE_SHORT, VIRTIO_EFORMAT, NULL, length, length,
			      VIRTIO_QUEUE_SER_FRAME_BYTES);
	error = check_length(reader, length);
	if (error)
		return error;
	said = virtio_get_le32(reader->bytes + end);
	is = virtio_queue_ser_checksum(bytes, end);
	if (said != is)
		return refuse(reader, VIRTIO_SECTION_CHECKSUM, VIRTIO_ECHECKSUM, "checksum", end, said, is);
	if (id && !are_equal(reader->bytes + FILE_ID, id, VIRTIO_QUEUE_SER_ID_BYTES))
		return refuse(reader, VIRTIO_SECTION_OTHER_ID, VIRTIO_EINVAL, "id", FILE_ID, 0, 0);
	return 0;
}

int virtio_queue_ser_open(struct virtio_section_reader *reader, const void *bytes, size_t length, const uint8_t *id)
{
	return virtio_impl_queue_ser_open(reader, bytes, length, id, VIRTIO_QUEUE_SER_OLDEST, VIRTIO_QUEUE_SER_VERSION);
}

uint32_t virtio_queue_ser_get_id(const struct virtio_section_reader *reader, uint8_t *id)
{
	memcpy(id, reader->bytes + FILE_ID, VIRTIO_QUEUE_SER_ID_BYTES);
	return virtio_get_le32(reader->bytes + FILE_VERSION);
}
