/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The block device's wire format: constants and structures under the names of Linux's
 * <linux/virtio_blk.h>. Feature constants are bit numbers. A translation unit may include both
 * headers, in either order. The first header provides the structures. In an older Linux header
 * struct virtio_blk_config ends before `zoned`.
 *
 * virtio 1.4, 5.2 (block device)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_BLK_H
#define VIRTIO_BINDINGS_VIRTIO_BLK_H

#include <stddef.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ids.h>
#include <virtio/bindings/virtio_types.h>
#include <virtio/compiler.h>

#ifndef _LINUX_VIRTIO_BLK_H
#define _LINUX_VIRTIO_BLK_H

/* Feature bit numbers. */
#define VIRTIO_BLK_F_SIZE_MAX 1      /* size_max limits a segment */
#define VIRTIO_BLK_F_SEG_MAX 2       /* seg_max limits a request */
#define VIRTIO_BLK_F_GEOMETRY 4      /* geometry is valid */
#define VIRTIO_BLK_F_RO 5            /* writes fail */
#define VIRTIO_BLK_F_BLK_SIZE 6      /* blk_size is valid */
#define VIRTIO_BLK_F_FLUSH 9         /* the flush command */
#define VIRTIO_BLK_F_TOPOLOGY 10     /* the I/O hints are valid */
#define VIRTIO_BLK_F_CONFIG_WCE 11   /* the driver may switch the cache mode */
#define VIRTIO_BLK_F_MQ 12           /* num_queues is valid */
#define VIRTIO_BLK_F_DISCARD 13      /* the discard command */
#define VIRTIO_BLK_F_WRITE_ZEROES 14 /* the write zeroes command */
#define VIRTIO_BLK_F_SECURE_ERASE 16 /* the secure erase command */

#ifndef VIRTIO_BLK_NO_LEGACY
#define VIRTIO_BLK_F_BARRIER 0
#define VIRTIO_BLK_F_SCSI 7
#define VIRTIO_BLK_F_WCE VIRTIO_BLK_F_FLUSH
#endif

#define VIRTIO_BLK_ID_BYTES 20 /* length of the reply to GET_ID */

struct virtio_blk_config {
	__le64 capacity; /* 512-byte sectors */
	__le32 size_max; /* largest number of bytes in a segment */
	__le32 seg_max;  /* largest number of segments in a request */
	struct virtio_blk_geometry {
		__le16 cylinders;
		__u8 heads;
		__u8 sectors;
	} geometry;
	__le32 blk_size; /* bytes */
	/*
	 * Four I/O hints. physical_block_exp is log2 of the number of logical blocks in a physical
	 * block. The next three hints are in logical blocks.
	 */
	__u8 physical_block_exp;
	__u8 alignment_offset;
	__le16 min_io_size;
	__le32 opt_io_size;
	__u8 wce; /* `writeback` in the specification: 0 write-through, 1 write-back */
	__u8 unused;
	__le16 num_queues;
	/*
	 * Limits of discard, write zeroes and secure erase: the largest number of sectors in a
	 * range, and the largest number of ranges in a request. Discard and secure erase have an
	 * alignment, in sectors.
	 */
	__le32 max_discard_sectors;
	__le32 max_discard_seg;
	__le32 discard_sector_alignment;
	__le32 max_write_zeroes_sectors;
	__le32 max_write_zeroes_seg;
	__u8 write_zeroes_may_unmap;
	__u8 unused1[3];
	__le32 max_secure_erase_sectors;
	__le32 max_secure_erase_seg;
	__le32 secure_erase_sector_alignment;
	struct virtio_blk_zoned_characteristics {
		__le32 zone_sectors;
		__le32 max_open_zones;
		__le32 max_active_zones;
		__le32 max_append_sectors;
		__le32 write_granularity; /* bytes */
		__u8 model;               /* VIRTIO_BLK_Z_... */
		__u8 unused2[3];
	} zoned;
} __attribute__((packed));

/* Request types. */
#define VIRTIO_BLK_T_IN 0
#define VIRTIO_BLK_T_OUT 1
#ifndef VIRTIO_BLK_NO_LEGACY
#define VIRTIO_BLK_T_SCSI_CMD 2
#endif
#define VIRTIO_BLK_T_FLUSH 4
#define VIRTIO_BLK_T_GET_ID 8
#define VIRTIO_BLK_T_DISCARD 11
#define VIRTIO_BLK_T_WRITE_ZEROES 13
#define VIRTIO_BLK_T_SECURE_ERASE 14
#ifndef VIRTIO_BLK_NO_LEGACY
#define VIRTIO_BLK_T_BARRIER 0x80000000
#endif

/* The header of a request. */
struct virtio_blk_outhdr {
	__le32 type;   /* VIRTIO_BLK_T_... */
	__le32 ioprio; /* reserved */
	__le64 sector; /* unit: 512 bytes */
};

#define VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP 0x00000001

/* A range of discard, write zeroes or secure erase. */
struct virtio_blk_discard_write_zeroes {
	__le64 sector;
	__le32 num_sectors;
	__le32 flags;
};

#ifndef VIRTIO_BLK_NO_LEGACY
struct virtio_scsi_inhdr {
	__le32 errors;
	__le32 data_len;
	__le32 sense_len;
	__le32 residual;
};
#endif

/* The status byte. */
#define VIRTIO_BLK_S_OK 0
#define VIRTIO_BLK_S_IOERR 1
#define VIRTIO_BLK_S_UNSUPP 2

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_blk_config) == 96, "configuration space is 96 bytes");
VIRTIO_STATIC_ASSERT(offsetof(struct virtio_blk_config, zoned) == 72, "offset of zoned");

#endif /* _LINUX_VIRTIO_BLK_H */

/* Linux hides these names under VIRTIO_BLK_NO_LEGACY, although they are not legacy. */
#ifndef VIRTIO_BLK_F_FLUSH
#define VIRTIO_BLK_F_FLUSH 9
#endif
#ifndef VIRTIO_BLK_F_CONFIG_WCE
#define VIRTIO_BLK_F_CONFIG_WCE 11
#endif

/* Older headers of Linux may lack these names. */
#ifndef VIRTIO_BLK_F_SECURE_ERASE
#define VIRTIO_BLK_F_SECURE_ERASE 16
#endif
#ifndef VIRTIO_BLK_T_SECURE_ERASE
#define VIRTIO_BLK_T_SECURE_ERASE 14
#endif
#ifndef VIRTIO_BLK_F_ZONED
#define VIRTIO_BLK_F_ZONED 17 /* a zoned device */

/* Request types. */
#define VIRTIO_BLK_T_ZONE_APPEND 15
#define VIRTIO_BLK_T_ZONE_REPORT 16
#define VIRTIO_BLK_T_ZONE_OPEN 18
#define VIRTIO_BLK_T_ZONE_CLOSE 20
#define VIRTIO_BLK_T_ZONE_FINISH 22
#define VIRTIO_BLK_T_ZONE_RESET 24
#define VIRTIO_BLK_T_ZONE_RESET_ALL 26

/* Zone models, zone types and zone states. */
#define VIRTIO_BLK_Z_NONE 0
#define VIRTIO_BLK_Z_HM 1
#define VIRTIO_BLK_Z_HA 2

#define VIRTIO_BLK_ZT_CONV 1
#define VIRTIO_BLK_ZT_SWR 2
#define VIRTIO_BLK_ZT_SWP 3

#define VIRTIO_BLK_ZS_NOT_WP 0
#define VIRTIO_BLK_ZS_EMPTY 1
#define VIRTIO_BLK_ZS_IOPEN 2
#define VIRTIO_BLK_ZS_EOPEN 3
#define VIRTIO_BLK_ZS_CLOSED 4
#define VIRTIO_BLK_ZS_RDONLY 13
#define VIRTIO_BLK_ZS_FULL 14
#define VIRTIO_BLK_ZS_OFFLINE 15

struct virtio_blk_zone_descriptor {
	__le64 z_cap;   /* sectors */
	__le64 z_start; /* first sector */
	__le64 z_wp;    /* sector of the write pointer */
	__u8 z_type;    /* VIRTIO_BLK_ZT_... */
	__u8 z_state;   /* VIRTIO_BLK_ZS_... */
	__u8 reserved[38];
};

/* C++ has flexible array members only as an extension. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
struct virtio_blk_zone_report {
	__le64 nr_zones;
	__u8 reserved[56];
	struct virtio_blk_zone_descriptor zones[];
};
#pragma GCC diagnostic pop

/* The status byte. */
#define VIRTIO_BLK_S_ZONE_INVALID_CMD 3
#define VIRTIO_BLK_S_ZONE_UNALIGNED_WP 4
#define VIRTIO_BLK_S_ZONE_OPEN_RESOURCE 5
#define VIRTIO_BLK_S_ZONE_ACTIVE_RESOURCE 6

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_blk_zone_descriptor) == 64, "a zone descriptor is 64 bytes");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_blk_zone_report) == 64, "a zone report's header is 64 bytes");
#endif

/* Only the specification has these names for the device's lifetime (virtio 1.4, 5.2.3, 5.2.6). */
#ifndef VIRTIO_BLK_F_LIFETIME
#define VIRTIO_BLK_F_LIFETIME 15
#endif
#ifndef VIRTIO_BLK_T_GET_LIFETIME
#define VIRTIO_BLK_T_GET_LIFETIME 10
#endif

VIRTIO_STATIC_ASSERT(offsetof(struct virtio_blk_config, geometry) == 16, "offset of geometry");
VIRTIO_STATIC_ASSERT(offsetof(struct virtio_blk_config, blk_size) == 20, "offset of blk_size");
VIRTIO_STATIC_ASSERT(offsetof(struct virtio_blk_config, opt_io_size) == 28, "offset of opt_io_size");
VIRTIO_STATIC_ASSERT(offsetof(struct virtio_blk_config, wce) == 32, "offset of wce");
VIRTIO_STATIC_ASSERT(offsetof(struct virtio_blk_config, num_queues) == 34, "offset of num_queues");
VIRTIO_STATIC_ASSERT(offsetof(struct virtio_blk_config, max_write_zeroes_seg) == 52, "offset of max_write_zeroes_seg");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_blk_outhdr) == 16, "a request's header is 16 bytes");
VIRTIO_STATIC_ASSERT(offsetof(struct virtio_blk_outhdr, sector) == 8, "offset of sector");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_blk_discard_write_zeroes) == 16, "a range is 16 bytes");

#endif
