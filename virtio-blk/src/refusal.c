/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The names of refusals, for an operator, and their statuses, for a driver. */
#include <virtio/blk.h>

const char *virtio_blk_refusal_name(enum virtio_blk_refusal refusal)
{
	switch (refusal) {
	case VIRTIO_BLK_REFUSAL_NONE:
		return "not refused";
	case VIRTIO_BLK_REFUSAL_BAD_CHAIN:
		return "bad chain";
	case VIRTIO_BLK_REFUSAL_UNKNOWN_TYPE:
		return "unknown type";
	case VIRTIO_BLK_REFUSAL_NOT_NEGOTIATED:
		return "feature not negotiated";
	case VIRTIO_BLK_REFUSAL_UNKNOWN_FLAG:
		return "unknown flag in a range";
	case VIRTIO_BLK_REFUSAL_WRONG_DIRECTION:
		return "data in the wrong direction";
	case VIRTIO_BLK_REFUSAL_READ_ONLY:
		return "write to a read-only disk";
	case VIRTIO_BLK_REFUSAL_NO_ROOM:
		return "no room for the answer";
	case VIRTIO_BLK_REFUSAL_NOT_SECTORS:
		return "not whole sectors";
	case VIRTIO_BLK_REFUSAL_TOO_LONG:
		return "longer than the limit of a request";
	case VIRTIO_BLK_REFUSAL_USED_LENGTH:
		return "too much data for the used length";
	case VIRTIO_BLK_REFUSAL_NOT_RANGES:
		return "not whole ranges";
	case VIRTIO_BLK_REFUSAL_NO_RANGES:
		return "no ranges";
	case VIRTIO_BLK_REFUSAL_TOO_MANY_RANGES:
		return "too many ranges";
	case VIRTIO_BLK_REFUSAL_RANGE_TOO_LONG:
		return "range longer than its limit";
	case VIRTIO_BLK_REFUSAL_PAST_END:
		return "past the end of the disk";
	}
	return "unknown refusal";
}

uint8_t virtio_blk_refusal_status(enum virtio_blk_refusal refusal)
{
	switch (refusal) {
	case VIRTIO_BLK_REFUSAL_NONE:
		return VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_REFUSAL_UNKNOWN_TYPE:
	case VIRTIO_BLK_REFUSAL_NOT_NEGOTIATED:
	case VIRTIO_BLK_REFUSAL_UNKNOWN_FLAG:
		return VIRTIO_BLK_S_UNSUPP;
	default:
		return VIRTIO_BLK_S_IOERR;
	}
}
