/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Register offsets of virtio-mmio, under the names of Linux's <linux/virtio_mmio.h>. A translation
 * unit may include both headers, in either order.
 *
 * virtio 1.4, 4.2.2 (registers); 4.2.4 (legacy registers, which the libraries do not implement)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_MMIO_H
#define VIRTIO_BINDINGS_VIRTIO_MMIO_H

#ifndef _LINUX_VIRTIO_MMIO_H
#define _LINUX_VIRTIO_MMIO_H

#define VIRTIO_MMIO_MAGIC_VALUE 0x000         /* read: "virt", little-endian */
#define VIRTIO_MMIO_VERSION 0x004             /* read */
#define VIRTIO_MMIO_DEVICE_ID 0x008           /* read: VIRTIO_ID_... */
#define VIRTIO_MMIO_VENDOR_ID 0x00c           /* read */
#define VIRTIO_MMIO_DEVICE_FEATURES 0x010     /* read: 32 offered feature bits */
#define VIRTIO_MMIO_DEVICE_FEATURES_SEL 0x014 /* write: which 32 bits to read */
#define VIRTIO_MMIO_DRIVER_FEATURES 0x020     /* write: 32 accepted feature bits */
#define VIRTIO_MMIO_DRIVER_FEATURES_SEL 0x024 /* write: which 32 bits DRIVER_FEATURES has */
#ifndef VIRTIO_MMIO_NO_LEGACY
#define VIRTIO_MMIO_GUEST_PAGE_SIZE 0x028
#endif
#define VIRTIO_MMIO_QUEUE_SEL 0x030     /* write: queue for the QUEUE registers but QUEUE_NOTIFY */
#define VIRTIO_MMIO_QUEUE_NUM_MAX 0x034 /* read: largest size */
#define VIRTIO_MMIO_QUEUE_NUM 0x038     /* write: size */
#ifndef VIRTIO_MMIO_NO_LEGACY
#define VIRTIO_MMIO_QUEUE_ALIGN 0x03c
#define VIRTIO_MMIO_QUEUE_PFN 0x040
#endif
#define VIRTIO_MMIO_QUEUE_READY 0x044      /* read, write: 1 if the queue is enabled */
#define VIRTIO_MMIO_QUEUE_NOTIFY 0x050     /* write: a queue's index, or notification data */
#define VIRTIO_MMIO_INTERRUPT_STATUS 0x060 /* read: VIRTIO_MMIO_INT_... */
#define VIRTIO_MMIO_INTERRUPT_ACK 0x064    /* write: VIRTIO_MMIO_INT_... */
#define VIRTIO_MMIO_STATUS 0x070           /* read, write: VIRTIO_CONFIG_S_... */
#define VIRTIO_MMIO_QUEUE_DESC_LOW 0x080   /* write: address of the descriptor table */
#define VIRTIO_MMIO_QUEUE_DESC_HIGH 0x084
#define VIRTIO_MMIO_QUEUE_AVAIL_LOW 0x090 /* write: address of the available ring */
#define VIRTIO_MMIO_QUEUE_AVAIL_HIGH 0x094
#define VIRTIO_MMIO_QUEUE_USED_LOW 0x0a0 /* write: address of the used ring */
#define VIRTIO_MMIO_QUEUE_USED_HIGH 0x0a4
#define VIRTIO_MMIO_SHM_SEL 0x0ac     /* write: which region the next four registers show */
#define VIRTIO_MMIO_SHM_LEN_LOW 0x0b0 /* read: bytes */
#define VIRTIO_MMIO_SHM_LEN_HIGH 0x0b4
#define VIRTIO_MMIO_SHM_BASE_LOW 0x0b8 /* read: guest address */
#define VIRTIO_MMIO_SHM_BASE_HIGH 0x0bc
#define VIRTIO_MMIO_CONFIG_GENERATION 0x0fc /* read: changes when the configuration changes */
#define VIRTIO_MMIO_CONFIG 0x100            /* start of the configuration space */

/* Bits of the interrupt status. */
#define VIRTIO_MMIO_INT_VRING (1 << 0)  /* the device has used a buffer */
#define VIRTIO_MMIO_INT_CONFIG (1 << 1) /* the configuration has changed */

#endif

/* Only the specification has this register (virtio 1.4, 4.2.2). */
#ifndef VIRTIO_MMIO_QUEUE_RESET
#define VIRTIO_MMIO_QUEUE_RESET 0x0c0 /* read, write: resets a queue */
#endif

#endif
