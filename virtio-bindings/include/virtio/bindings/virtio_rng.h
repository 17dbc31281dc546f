/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The entropy device's wire format, under the names of Linux's <linux/virtio_rng.h>. A translation
 * unit may include both headers, in either order.
 *
 * virtio 1.4, 5.4 (entropy device)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_RNG_H
#define VIRTIO_BINDINGS_VIRTIO_RNG_H

#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ids.h>

#ifndef _LINUX_VIRTIO_RNG_H
#define _LINUX_VIRTIO_RNG_H

/*
 * The device has no feature bits and no configuration space. Its requests have no header.
 */

#endif /* _LINUX_VIRTIO_RNG_H */

#endif
