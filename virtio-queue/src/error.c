/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Names and descriptions of the error codes. */
#include <virtio/error.h>

const char *virtio_strerror(int error)
{
	if (error >= 0)
		return "no error";
	switch ((enum virtio_error)error) {
	case VIRTIO_EINVAL:
		return "VIRTIO_EINVAL: argument out of range";
	case VIRTIO_ENOBUFS:
		return "VIRTIO_ENOBUFS: array too small";
	case VIRTIO_EBUSY:
		return "VIRTIO_EBUSY: not possible while running or in flight";
	case VIRTIO_ESTALE:
		return "VIRTIO_ESTALE: token not in flight";
	case VIRTIO_ENOTSUP:
		return "VIRTIO_ENOTSUP: not supported";
	case VIRTIO_ENOOP:
		return "VIRTIO_ENOOP: an operation is missing";
	case VIRTIO_ENOTLAST:
		return "VIRTIO_ENOTLAST: not the last pop";
	case VIRTIO_EFAULT:
		return "VIRTIO_EFAULT: range not inside guest memory";
	case VIRTIO_EPERM:
		return "VIRTIO_EPERM: guest memory does not permit the access";
	case VIRTIO_ENOTMAPPED:
		return "VIRTIO_ENOTMAPPED: translation not known yet";
	case VIRTIO_EALIGN:
		return "VIRTIO_EALIGN: misaligned address";
	case VIRTIO_EREGION:
		return "VIRTIO_EREGION: impossible region of memory";
	case VIRTIO_EOVERLAP:
		return "VIRTIO_EOVERLAP: regions of memory overlap";
	case VIRTIO_ESIZE:
		return "VIRTIO_ESIZE: bad queue size";
	case VIRTIO_ENOTREADY:
		return "VIRTIO_ENOTREADY: queue, port or connection not ready";
	case VIRTIO_EAVAILIDX:
		return "VIRTIO_EAVAILIDX: available index incoherent";
	case VIRTIO_EHEAD:
		return "VIRTIO_EHEAD: head outside the descriptor table";
	case VIRTIO_EINFLIGHT:
		return "VIRTIO_EINFLIGHT: head made available while in flight";
	case VIRTIO_EBROKEN:
		return "VIRTIO_EBROKEN: queue broken by an earlier fault";
	case VIRTIO_ENEXT:
		return "VIRTIO_ENEXT: next descriptor outside its table";
	case VIRTIO_ETOOLONG:
		return "VIRTIO_ETOOLONG: chain longer than the queue";
	case VIRTIO_EORDER:
		return "VIRTIO_EORDER: readable descriptor after a writable one, or wrong direction";
	case VIRTIO_EINDIRECT:
		return "VIRTIO_EINDIRECT: bad indirect descriptor";
	case VIRTIO_EBYTES:
		return "VIRTIO_EBYTES: more than 2^32 bytes in a chain, or payload above its maximum";
	case VIRTIO_ESHORT:
		return "VIRTIO_ESHORT: chain shorter than the request";
	case VIRTIO_EIO:
		return "VIRTIO_EIO: back end failed";
	case VIRTIO_EFORMAT:
		return "VIRTIO_EFORMAT: not a saved state, or not the expected section";
	case VIRTIO_EVERSION:
		return "VIRTIO_EVERSION: version of a saved state not supported";
	case VIRTIO_ECHECKSUM:
		return "VIRTIO_ECHECKSUM: saved state has changed since it was written";
	}
	return "unknown error";
}
