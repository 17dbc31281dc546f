/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The IOMMU device's wire format, under the names of Linux's <linux/virtio_iommu.h>. A translation
 * unit may include both headers, in either order. The first header provides the structures. Feature
 * constants are bit numbers.
 *
 * virtio 1.4, 5.13 (IOMMU device)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_IOMMU_H
#define VIRTIO_BINDINGS_VIRTIO_IOMMU_H

#include <virtio/bindings/virtio_types.h>
#include <virtio/compiler.h>

#ifndef _LINUX_VIRTIO_IOMMU_H
#define _LINUX_VIRTIO_IOMMU_H

/* C++ has flexible array members only as an extension. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"

/* Feature bit numbers. */
#define VIRTIO_IOMMU_F_INPUT_RANGE 0   /* input_range is valid */
#define VIRTIO_IOMMU_F_DOMAIN_RANGE 1  /* domain_range is valid */
#define VIRTIO_IOMMU_F_MAP_UNMAP 2     /* the map and unmap requests */
#define VIRTIO_IOMMU_F_BYPASS 3        /* endpoints without a domain have access */
#define VIRTIO_IOMMU_F_PROBE 4         /* the probe request */
#define VIRTIO_IOMMU_F_MMIO 5          /* VIRTIO_IOMMU_MAP_F_MMIO */
#define VIRTIO_IOMMU_F_BYPASS_CONFIG 6 /* `bypass` is valid */

/* Ranges from `start` to `end`. The value `end` belongs to the range. */
struct virtio_iommu_range_64 {
	__le64 start;
	__le64 end;
};

struct virtio_iommu_range_32 {
	__le32 start;
	__le32 end;
};

struct virtio_iommu_config {
	__le64 page_size_mask;                    /* bit n: pages of 2^n bytes are possible */
	struct virtio_iommu_range_64 input_range; /* virtual addresses */
	struct virtio_iommu_range_32 domain_range;
	__le32 probe_size; /* bytes of properties in a probe request */
	__u8 bypass;       /* 1 if endpoints without a domain have access; writable by the driver */
	__u8 reserved[3];
};

/* Types of request. */
#define VIRTIO_IOMMU_T_ATTACH 0x01
#define VIRTIO_IOMMU_T_DETACH 0x02
#define VIRTIO_IOMMU_T_MAP 0x03
#define VIRTIO_IOMMU_T_UNMAP 0x04
#define VIRTIO_IOMMU_T_PROBE 0x05

/* Status of a request. */
#define VIRTIO_IOMMU_S_OK 0x00
#define VIRTIO_IOMMU_S_IOERR 0x01
#define VIRTIO_IOMMU_S_UNSUPP 0x02
#define VIRTIO_IOMMU_S_DEVERR 0x03
#define VIRTIO_IOMMU_S_INVAL 0x04
#define VIRTIO_IOMMU_S_RANGE 0x05
#define VIRTIO_IOMMU_S_NOENT 0x06
#define VIRTIO_IOMMU_S_FAULT 0x07
#define VIRTIO_IOMMU_S_NOMEM 0x08

/* The start of every request, and its end, which the device writes. */
struct virtio_iommu_req_head {
	__u8 type; /* VIRTIO_IOMMU_T_... */
	__u8 reserved[3];
};

struct virtio_iommu_req_tail {
	__u8 status; /* VIRTIO_IOMMU_S_... */
	__u8 reserved[3];
};

/* Flag of an attach request. */
#define VIRTIO_IOMMU_ATTACH_F_BYPASS (1 << 0) /* no address of the domain is translated */

struct virtio_iommu_req_attach {
	struct virtio_iommu_req_head head;
	__le32 domain;
	__le32 endpoint;
	__le32 flags; /* VIRTIO_IOMMU_ATTACH_F_... */
	__u8 reserved[4];
	struct virtio_iommu_req_tail tail;
};

struct virtio_iommu_req_detach {
	struct virtio_iommu_req_head head;
	__le32 domain;
	__le32 endpoint;
	__u8 reserved[8];
	struct virtio_iommu_req_tail tail;
};

/* Flags of a mapping. */
#define VIRTIO_IOMMU_MAP_F_READ (1 << 0)
#define VIRTIO_IOMMU_MAP_F_WRITE (1 << 1)
#define VIRTIO_IOMMU_MAP_F_MMIO (1 << 2)
#define VIRTIO_IOMMU_MAP_F_MASK (VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE | VIRTIO_IOMMU_MAP_F_MMIO)

struct virtio_iommu_req_map {
	struct virtio_iommu_req_head head;
	__le32 domain;
	__le64 virt_start;
	__le64 virt_end; /* the last address */
	__le64 phys_start;
	__le32 flags; /* VIRTIO_IOMMU_MAP_F_... */
	struct virtio_iommu_req_tail tail;
};

struct virtio_iommu_req_unmap {
	struct virtio_iommu_req_head head;
	__le32 domain;
	__le64 virt_start;
	__le64 virt_end; /* the last address */
	__u8 reserved[4];
	struct virtio_iommu_req_tail tail;
};

/* Types of a property. */
#define VIRTIO_IOMMU_PROBE_T_NONE 0 /* end of the list of properties */
#define VIRTIO_IOMMU_PROBE_T_RESV_MEM 1
#define VIRTIO_IOMMU_PROBE_T_MASK 0xfff

/* The start of every property. */
struct virtio_iommu_probe_property {
	__le16 type;   /* VIRTIO_IOMMU_PROBE_T_... */
	__le16 length; /* bytes after this header */
};

/* Types of a reserved range. */
#define VIRTIO_IOMMU_RESV_MEM_T_RESERVED 0
#define VIRTIO_IOMMU_RESV_MEM_T_MSI 1

struct virtio_iommu_probe_resv_mem {
	struct virtio_iommu_probe_property head;
	__u8 subtype; /* VIRTIO_IOMMU_RESV_MEM_T_... */
	__u8 reserved[3];
	__le64 start;
	__le64 end; /* the last address */
};

struct virtio_iommu_req_probe {
	struct virtio_iommu_req_head head;
	__le32 endpoint;
	__u8 reserved[64];
	__u8 properties[]; /* probe_size bytes, followed by struct virtio_iommu_req_tail */
};

/* Reasons and flags of a fault. */
#define VIRTIO_IOMMU_FAULT_R_UNKNOWN 0
#define VIRTIO_IOMMU_FAULT_R_DOMAIN 1
#define VIRTIO_IOMMU_FAULT_R_MAPPING 2

#define VIRTIO_IOMMU_FAULT_F_READ (1 << 0)
#define VIRTIO_IOMMU_FAULT_F_WRITE (1 << 1)
#define VIRTIO_IOMMU_FAULT_F_EXEC (1 << 2)
#define VIRTIO_IOMMU_FAULT_F_ADDRESS (1 << 8) /* `address` is valid */

/* A message of the event queue. */
struct virtio_iommu_fault {
	__u8 reason; /* VIRTIO_IOMMU_FAULT_R_... */
	__u8 reserved[3];
	__le32 flags; /* VIRTIO_IOMMU_FAULT_F_... */
	__le32 endpoint;
	__u8 reserved2[4];
	__le64 address;
};

#pragma GCC diagnostic pop

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_iommu_range_64) == 16, "size of struct virtio_iommu_range_64");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_iommu_range_32) == 8, "size of struct virtio_iommu_range_32");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_iommu_config) == 40, "size of struct virtio_iommu_config");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_iommu_req_head) == 4, "size of struct virtio_iommu_req_head");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_iommu_req_tail) == 4, "size of struct virtio_iommu_req_tail");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_iommu_req_attach) == 24, "size of struct virtio_iommu_req_attach");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_iommu_req_detach) == 24, "size of struct virtio_iommu_req_detach");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_iommu_req_map) == 40, "size of struct virtio_iommu_req_map");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_iommu_req_unmap) == 32, "size of struct virtio_iommu_req_unmap");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_iommu_probe_property) == 4, "size of struct virtio_iommu_probe_property");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_iommu_probe_resv_mem) == 24, "size of struct virtio_iommu_probe_resv_mem");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_iommu_fault) == 24, "size of struct virtio_iommu_fault");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_iommu_req_probe) == 72, "size of struct virtio_iommu_req_probe");

#endif /* _LINUX_VIRTIO_IOMMU_H */

#endif
