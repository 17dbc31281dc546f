/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A saved state as bytes: the envelope around the sections of <virtio/section.h>, and the section
 * of a queue.
 *
 *	virtio_queue_ser_begin(&writer, buffer, capacity, id);
 *	virtio_queue_ser_write(&writer, 0, queue, &state, record, count);
 *	write other sections
 *	error = virtio_queue_ser_end(&writer, &length);
 *
 *	error = virtio_queue_ser_open(&reader, bytes, length, id);
 *	if (!error)
 *		error = virtio_queue_ser_read(&reader, 0, queue, NULL, map, &state, record,
 *					      capacity, &count, NULL);
 *	read other sections, in order
 *	if (!error)
 *		error = virtio_section_reader_end(&reader);
 *	if (error)
 *		virtio_section_describe(&reader.fault, text, sizeof text);
 *	otherwise restore
 *
 * All hosts write the same bytes, and any host can read them. virtio-queue-ser/README.md specifies
 * each byte. The magic number, the method of the checksum and all positions in the envelope never
 * change. The version is checked before the checksum, and the checksum before the content.
 *
 * Read and check all sections before you restore anything. Then a refused file leaves the target
 * untouched.
 *
 * What a guest can do: nothing. The bytes may have any origin. The checksum detects accidental
 * damage, but not forgeries.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     another call on the same writer or reader
 *
 * Nothing blocks or allocates.
 *
 * Freestanding: needs memcpy and memset.
 */
#ifndef VIRTIO_QUEUE_SER_H
#define VIRTIO_QUEUE_SER_H

#include <virtio/queue_state.h>
#include <virtio/section.h>

VIRTIO_BEGIN_DECLS

#define VIRTIO_QUEUE_SER_OLDEST 1u /* oldest file version that this library reads */
/* The newest version that this library reads, and the version that it writes. */
#define VIRTIO_QUEUE_SER_VERSION 1u
#define VIRTIO_QUEUE_SER_ID_BYTES 16u    /* length of the id that ties a file to its memory */
#define VIRTIO_QUEUE_SER_FRAME_BYTES 40u /* length of an envelope without sections */

/*
 * Returns the layout of a queue's section: values of struct virtio_queue_state, and a list
 * "in_flight" of struct virtio_queue_flight.
 */
const struct virtio_section_layout *virtio_queue_ser_layout(void);

/* The envelope */

/*
 * Begins a file.
 *
 * @bytes     the caller's buffer. NULL with a capacity of 0 only measures the file: then
 *            virtio_queue_ser_end() sets *length to the length of the file.
 * @capacity  bytes of the buffer
 * @id        VIRTIO_QUEUE_SER_ID_BYTES bytes that are also stored with the saved memory; NULL
 *            stands for zeroes
 */
void virtio_queue_ser_begin(struct virtio_section_writer *writer, void *bytes, size_t capacity, const uint8_t *id);

/*
 * Ends the file: stores its length and its checksum.
 *
 * @length  set to the length in bytes, also with VIRTIO_ENOBUFS; untouched with VIRTIO_EINVAL
 *
 * Returns 0, or:
 *   VIRTIO_ENOBUFS  the buffer is too small; its content is useless
 *   VIRTIO_EINVAL   a section could not be written: see writer->error
 */
VIRTIO_MUST_CHECK
int virtio_queue_ser_end(struct virtio_section_writer *writer, size_t *length);

/*
 * Checks a file as a whole, and begins to read its sections.
 *
 * @reader  set up by this call, also on failure: reader->fault says what is wrong
 * @bytes   the caller's bytes. They must not change while the reader is used, so they must not be
 *          a shared mapping of a file.
 * @length  number of bytes
 * @id      as for virtio_queue_ser_begin(); NULL accepts any id
 *
 * Returns 0, or an error with its reason in reader->fault. The checks have this order:
 *   VIRTIO_EFORMAT    VIRTIO_SECTION_NOT_A_STATE, VIRTIO_SECTION_FILE_SHORT
 *   VIRTIO_EVERSION   VIRTIO_SECTION_FILE_VERSION
 *   VIRTIO_EFORMAT    VIRTIO_SECTION_FILE_SHORT, VIRTIO_SECTION_FILE_LONG
 *   VIRTIO_ECHECKSUM  VIRTIO_SECTION_CHECKSUM
 *   VIRTIO_EINVAL     VIRTIO_SECTION_OTHER_ID
 */
VIRTIO_MUST_CHECK
int virtio_queue_ser_open(struct virtio_section_reader *reader, const void *bytes, size_t length, const uint8_t *id);

/*
 * Gets the id and the version of a file that virtio_queue_ser_open() has accepted.
 *
 * @id  the caller's array of VIRTIO_QUEUE_SER_ID_BYTES bytes
 *
 * Returns the version.
 */
uint32_t virtio_queue_ser_get_id(const struct virtio_section_reader *reader, uint8_t *id);

/* Returns the CRC-32C (Castagnoli, as in iSCSI) of count bytes. */
uint32_t virtio_queue_ser_checksum(const void *bytes, size_t count);

/* A queue */

/* Sets *state to all zeroes, the state of a queue that is not started. */
void virtio_queue_ser_default(struct virtio_queue_state *state);

/*
 * Writes the section of a queue.
 *
 * @device  number of the device in the file, chosen by the caller
 * @queue   the queue's number
 * @state   from virtio_queue_save() or virtio_queue_save_in_flight()
 * @record  the record of that save, with count entries; NULL if count is 0
 *
 * If count is not next_avail - next_used, virtio_queue_ser_end() returns VIRTIO_EINVAL.
 */
void virtio_queue_ser_write(struct virtio_section_writer *writer, uint32_t device, uint32_t queue,
			    const struct virtio_queue_state *state, const struct virtio_queue_flight *record,
			    uint32_t count);

/*
 * Reads and checks the section of a queue.
 *
 * @device, @queue  the numbers passed to virtio_queue_ser_write()
 * @config          the queue's configuration in the file, from virtio_device_saved_config(). The
 *                  state must agree with this configuration, or be the state of a queue that is not
 *                  started. NULL skips this comparison.
 * @map             as for virtio_queue_check_state(): the memory, or NULL
 * @state           for virtio_queue_restore()
 * @record          the caller's array, for virtio_queue_replay()
 * @capacity        number of entries in record: the largest size of the queue is enough
 * @count           set to the number of entries
 * @where           set to this section, for virtio_section_refuse() if a device refuses the record;
 *                  may be NULL
 *
 * Returns 0; VIRTIO_EINVAL for a value that disagrees with config; or an error of
 * virtio_section_read() or virtio_queue_check_state(). reader->fault then has section, value and
 * offset. A failure leaves the content of record undefined, and all other outputs untouched.
 */
VIRTIO_MUST_CHECK
int virtio_queue_ser_read(struct virtio_section_reader *reader, uint32_t device, uint32_t queue,
			  const struct virtio_queue_config *config, const struct virtio_memory_map *map,
			  struct virtio_queue_state *state, struct virtio_queue_flight *record, uint32_t capacity,
			  uint32_t *count, struct virtio_section *where);

VIRTIO_END_DECLS

#endif
