/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Device status bits and the feature bits common to all devices, under the names of Linux's
 * <linux/virtio_config.h>. A translation unit may include both headers, in either order. Feature
 * constants are bit numbers, status constants are masks.
 *
 * virtio 1.4, 2.1 (device status), 2.2 (feature bits), 6 (reserved feature bits)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_CONFIG_H
#define VIRTIO_BINDINGS_VIRTIO_CONFIG_H

#ifndef _LINUX_VIRTIO_CONFIG_H
#define _LINUX_VIRTIO_CONFIG_H

/* Device status. */
#define VIRTIO_CONFIG_S_ACKNOWLEDGE 1  /* the guest has seen the device */
#define VIRTIO_CONFIG_S_DRIVER 2       /* the guest has a driver for the device */
#define VIRTIO_CONFIG_S_DRIVER_OK 4    /* the driver is ready */
#define VIRTIO_CONFIG_S_FEATURES_OK 8  /* negotiation is done */
#define VIRTIO_CONFIG_S_NEEDS_RESET 64 /* the device needs a reset */
#define VIRTIO_CONFIG_S_FAILED 128     /* the driver has given up */

/*
 * Feature bits from START to END - 1 belong to queues and transports, and mean the same for every
 * device type.
 */
#define VIRTIO_TRANSPORT_F_START 28
#define VIRTIO_TRANSPORT_F_END 42

#ifndef VIRTIO_CONFIG_NO_LEGACY
#define VIRTIO_F_NOTIFY_ON_EMPTY 24
#define VIRTIO_F_ANY_LAYOUT 27
#endif

#define VIRTIO_F_VERSION_1 32
#define VIRTIO_F_ACCESS_PLATFORM 33 /* addresses go through the platform's translation */
#define VIRTIO_F_IOMMU_PLATFORM VIRTIO_F_ACCESS_PLATFORM
#define VIRTIO_F_RING_PACKED 34
#define VIRTIO_F_IN_ORDER 35
#define VIRTIO_F_ORDER_PLATFORM 36
#define VIRTIO_F_SR_IOV 37
#define VIRTIO_F_NOTIFICATION_DATA 38
#define VIRTIO_F_NOTIF_CONFIG_DATA 39
#define VIRTIO_F_RING_RESET 40
#define VIRTIO_F_ADMIN_VQ 41

#endif /* _LINUX_VIRTIO_CONFIG_H */

/* Headers of Linux before 6.18 may lack these names. */
#ifndef VIRTIO_F_NOTIFICATION_DATA
#define VIRTIO_F_NOTIFICATION_DATA 38
#endif
#ifndef VIRTIO_F_NOTIF_CONFIG_DATA
#define VIRTIO_F_NOTIF_CONFIG_DATA 39
#endif
#ifndef VIRTIO_F_RING_RESET
#define VIRTIO_F_RING_RESET 40
#endif
#ifndef VIRTIO_F_ADMIN_VQ
#define VIRTIO_F_ADMIN_VQ 41
#endif

#endif
