/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Reasons why a disk refuses a request, for an operator.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     nothing: thread-safe
 *
 * virtio 1.4, 5.2.6
 */
#ifndef VIRTIO_BLK_REFUSAL_H
#define VIRTIO_BLK_REFUSAL_H

#include <stdint.h>
#include <virtio/compiler.h>

VIRTIO_BEGIN_DECLS

/* Why a request is refused. If several reasons apply, the first in this list is reported. */
enum virtio_blk_refusal {
	VIRTIO_BLK_REFUSAL_NONE,      /* not refused */
	VIRTIO_BLK_REFUSAL_BAD_CHAIN, /* base.error is set; the status is VIRTIO_BLK_S_IOERR */

	/* Refusals with the status VIRTIO_BLK_S_UNSUPP. */
	VIRTIO_BLK_REFUSAL_UNKNOWN_TYPE,
	VIRTIO_BLK_REFUSAL_NOT_NEGOTIATED, /* the feature of the type is not negotiated */
	VIRTIO_BLK_REFUSAL_UNKNOWN_FLAG,   /* an unknown flag in a range (virtio 1.4, 5.2.6.2) */

	/* Refusals with the status VIRTIO_BLK_S_IOERR. */
	VIRTIO_BLK_REFUSAL_WRONG_DIRECTION, /* data in the wrong direction for the type */
	VIRTIO_BLK_REFUSAL_READ_ONLY,       /* a write to a disk that offers RO */
	VIRTIO_BLK_REFUSAL_NO_ROOM,         /* no room for the answer to GET_ID or GET_LIFETIME */
	VIRTIO_BLK_REFUSAL_NOT_SECTORS,     /* a read or write whose data is not whole sectors */
	VIRTIO_BLK_REFUSAL_TOO_LONG,        /* a read or write of more than max_request_bytes */
	VIRTIO_BLK_REFUSAL_USED_LENGTH,     /* the used length would exceed 32 bits */
	VIRTIO_BLK_REFUSAL_NOT_RANGES,      /* the data is no whole number of ranges */
	VIRTIO_BLK_REFUSAL_NO_RANGES,
	VIRTIO_BLK_REFUSAL_TOO_MANY_RANGES, /* more ranges than max_..._seg or range_capacity */
	VIRTIO_BLK_REFUSAL_RANGE_TOO_LONG,  /* a range with more sectors than max_..._sectors */
	VIRTIO_BLK_REFUSAL_PAST_END,        /* sectors beyond the end of the disk */
};

/*
 * Describes a refusal in words, such as "past the end of the disk", for a message.
 *
 * Returns static text, never NULL: "not refused" for VIRTIO_BLK_REFUSAL_NONE, "unknown refusal" for
 * a value outside the enumeration.
 */
const char *virtio_blk_refusal_name(enum virtio_blk_refusal refusal);

/* Returns the status for a refusal: VIRTIO_BLK_S_OK for VIRTIO_BLK_REFUSAL_NONE. */
uint8_t virtio_blk_refusal_status(enum virtio_blk_refusal refusal);

VIRTIO_END_DECLS

#endif
