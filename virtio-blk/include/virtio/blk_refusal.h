/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Why a disk refuses a request: a reason for each status other than VIRTIO_BLK_S_OK, for an
 * operator who wants to know.
 *
 * Threads: any function on any thread.
 *
 * virtio 1.4, 5.2.6
 */
#ifndef VIRTIO_BLK_REFUSAL_H
#define VIRTIO_BLK_REFUSAL_H

#include <stdint.h>
#include <virtio/compiler.h>

VIRTIO_BEGIN_DECLS

/* Why a request is refused. Of several reasons the first in this list is reported. */
enum virtio_blk_refusal {
	VIRTIO_BLK_REFUSAL_NONE,      /* it may be carried out */
	VIRTIO_BLK_REFUSAL_BAD_CHAIN, /* base.error says what is wrong, like a short header; VIRTIO_BLK_S_IOERR */

	/* VIRTIO_BLK_S_UNSUPP */
	VIRTIO_BLK_REFUSAL_UNKNOWN_TYPE,
	VIRTIO_BLK_REFUSAL_NOT_NEGOTIATED, /* the type belongs to a feature that the driver hasn't accepted */
	VIRTIO_BLK_REFUSAL_UNKNOWN_FLAG,   /* in a range: unknown, or not of this type (virtio 1.4, 5.2.6.2) */

	/* VIRTIO_BLK_S_IOERR */
	VIRTIO_BLK_REFUSAL_WRONG_DIRECTION, /* data that the device can't read, or can't write, for this type */
	VIRTIO_BLK_REFUSAL_READ_ONLY,       /* a write, where read-only was offered, accepted or not */
	VIRTIO_BLK_REFUSAL_NO_ROOM,         /* for the answer: VIRTIO_BLK_ID_BYTES of GET_ID, 6 of GET_LIFETIME */
	VIRTIO_BLK_REFUSAL_NOT_SECTORS,     /* data of a read or a write that isn't whole sectors */
	VIRTIO_BLK_REFUSAL_TOO_LONG,        /* more data than max_request_bytes */
	VIRTIO_BLK_REFUSAL_USED_LENGTH,     /* a read whose data and status exceed the 32 bits of a used length */
	VIRTIO_BLK_REFUSAL_NOT_RANGES,      /* data that isn't whole ranges */
	VIRTIO_BLK_REFUSAL_NO_RANGES,
	VIRTIO_BLK_REFUSAL_TOO_MANY_RANGES, /* than max_..._seg, or than the storage has room for */
	VIRTIO_BLK_REFUSAL_RANGE_TOO_LONG,  /* more sectors than max_..._sectors */
	VIRTIO_BLK_REFUSAL_PAST_END,        /* sectors that the disk doesn't have */
};

/*
 * Says a refusal in words, such as "past the end of the disk", for a message.
 *
 * Never NULL: "not refused" for VIRTIO_BLK_REFUSAL_NONE, "unknown refusal" for a value outside the
 * enumeration. The text is static.
 */
const char *virtio_blk_refusal_name(enum virtio_blk_refusal refusal);

/* The status of a request that is refused so: VIRTIO_BLK_S_OK for VIRTIO_BLK_REFUSAL_NONE. */
uint8_t virtio_blk_refusal_status(enum virtio_blk_refusal refusal);

VIRTIO_END_DECLS

#endif
