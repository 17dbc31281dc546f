/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Error codes of the whole suite.
 *
 * A function that reports an error returns an int: 0 or a positive value on success, or a negative
 * code of this header on failure. The codes differ from all errno values, so a mix-up is noticed.
 * After an error the requested operation has not happened, unless the comment of the function says
 * otherwise.
 *
 * The groups below say what is at fault: the caller, guest memory, a queue's configuration,
 * the ring, a chain, the host, or the bytes of a saved state.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   virtio_strerror()     any thread     nothing: thread-safe
 */
#ifndef VIRTIO_ERROR_H
#define VIRTIO_ERROR_H

#include <virtio/compiler.h>

VIRTIO_BEGIN_DECLS

enum virtio_error {
	/* The caller's arguments. */
	VIRTIO_EINVAL = -1001,   /* an argument is outside its documented range */
	VIRTIO_ENOBUFS = -1002,  /* the caller's array is too small for the result */
	VIRTIO_EBUSY = -1003,    /* the object is running, in use, or has requests in flight */
	VIRTIO_ESTALE = -1004,   /* no request in flight has this token (any more) */
	VIRTIO_ENOTSUP = -1005,  /* a feature is not supported, or a socket type not negotiated */
	VIRTIO_ENOOP = -1006,    /* a table of operations lacks a needed operation */
	VIRTIO_ENOTLAST = -1007, /* the request is not the last one popped */

	/* Guest memory. */
	VIRTIO_EFAULT = -1010,     /* the range wraps, or is not wholly inside guest memory */
	VIRTIO_EPERM = -1011,      /* the range is in guest memory, but this access is forbidden */
	VIRTIO_ENOTMAPPED = -1012, /* the translation is not known yet: retry later */
	VIRTIO_EALIGN = -1013,     /* the address is not aligned for the access */
	VIRTIO_EREGION = -1014,    /* a region of a map is invalid */
	VIRTIO_EOVERLAP = -1015,   /* two regions of a map overlap */

	/* A queue's configuration, and readiness. */
	VIRTIO_ESIZE = -1020,     /* queue size zero, not a power of two, or above the maximum */
	VIRTIO_ENOTREADY = -1021, /* the queue, port or connection is not ready */

	/* The ring. A queue that reports one of these errors is broken until the queue is reset. */
	VIRTIO_EAVAILIDX = -1030, /* the available index is too far ahead, or moved back */
	VIRTIO_EHEAD = -1031,     /* a head in the available ring is not below the queue size */
	VIRTIO_EINFLIGHT = -1032, /* a head was made available again while still in flight */
	VIRTIO_EBROKEN = -1033,   /* an earlier fault has broken the queue */

	/* A malformed chain under a valid head. Complete the chain with length 0, and continue. */
	VIRTIO_ENEXT = -1040,     /* `next` points past the end of its table */
	VIRTIO_ETOOLONG = -1041,  /* more descriptors than the queue has entries */
	VIRTIO_EORDER = -1042,    /* readable descriptor after a writable one, or wrong direction */
	VIRTIO_EINDIRECT = -1043, /* an indirect table is nested, not negotiated or of bad length */
	VIRTIO_EBYTES = -1044,    /* over 2^32 bytes in a chain, or a payload above its maximum */
	VIRTIO_ESHORT = -1045,    /* fewer bytes than the request needs */

	/* The host. */
	VIRTIO_EIO = -1050, /* the back end failed */

	/* The bytes of a saved state. */
	VIRTIO_EFORMAT = -1060,   /* not a saved state, or not the expected section */
	VIRTIO_EVERSION = -1061,  /* a version that this library does not read */
	VIRTIO_ECHECKSUM = -1062, /* the bytes have changed since they were written */
};

/*
 * Returns the name and the meaning of an error code, such as "VIRTIO_EFAULT: range not inside guest
 * memory".
 *
 * @error   a code of enum virtio_error, or 0
 *
 * Returns static text, never NULL: "no error" for 0 and positive values, "unknown error" for a
 * negative value that is no code. Thread-safe.
 */
const char *virtio_strerror(int error);

VIRTIO_END_DECLS

#endif
