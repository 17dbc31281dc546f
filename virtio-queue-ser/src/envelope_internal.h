/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Functions that act as an older or a newer library, for tests of the rules for versions. */
#ifndef VIRTIO_ENVELOPE_INTERNAL_H
#define VIRTIO_ENVELOPE_INTERNAL_H

#include <virtio/queue_ser.h>

/* Work as virtio_queue_ser_begin() and virtio_queue_ser_open(), but with the given versions. */
void virtio_impl_queue_ser_begin(struct virtio_section_writer *writer, void *bytes, size_t capacity, const uint8_t *id,
				 uint32_t version);
int virtio_impl_queue_ser_open(struct virtio_section_reader *reader, const void *bytes, size_t length,
			       const uint8_t *id, uint16_t oldest, uint16_t newest);

#endif
