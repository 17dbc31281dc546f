/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The PCI transport: capabilities, registers and administration commands, under the names of
 * Linux's <linux/virtio_pci.h>. A translation unit may include both headers, in either order. The
 * first header provides the structures.
 *
 * virtio 1.4, 4.1 (virtio over PCI bus), 2.12 to 2.14 (groups, administration, parts)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_PCI_H
#define VIRTIO_BINDINGS_VIRTIO_PCI_H

#include <virtio/bindings/virtio_types.h>
#include <virtio/compiler.h>

/* C++ has flexible array members, and types inside an anonymous union, only as extensions. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"

#ifndef _LINUX_VIRTIO_PCI_H
#define _LINUX_VIRTIO_PCI_H

#ifndef VIRTIO_PCI_NO_LEGACY
/* Legacy: registers in the first BAR. */
#define VIRTIO_PCI_HOST_FEATURES 0  /* 32 bits, read */
#define VIRTIO_PCI_GUEST_FEATURES 4 /* 32 bits */
#define VIRTIO_PCI_QUEUE_PFN 8      /* 32 bits: address >> VIRTIO_PCI_QUEUE_ADDR_SHIFT */
#define VIRTIO_PCI_QUEUE_NUM 12     /* 16 bits, read: size */
#define VIRTIO_PCI_QUEUE_SEL 14     /* 16 bits */
#define VIRTIO_PCI_QUEUE_NOTIFY 16  /* 16 bits */
#define VIRTIO_PCI_STATUS 18        /* 8 bits */
#define VIRTIO_PCI_ISR 19           /* 8 bits, read; a read clears the register */

/*
 * Legacy: two more registers of 16 bits, while MSI-X is enabled. The configuration space follows.
 */
#define VIRTIO_MSI_CONFIG_VECTOR 20
#define VIRTIO_MSI_QUEUE_VECTOR 22
#define VIRTIO_PCI_CONFIG_OFF(msix_enabled) ((msix_enabled) ? 24 : 20)
#define VIRTIO_PCI_CONFIG(dev) VIRTIO_PCI_CONFIG_OFF((dev)->msix_enabled)

#define VIRTIO_PCI_ABI_VERSION 0 /* the PCI revision */
#define VIRTIO_PCI_QUEUE_ADDR_SHIFT 12
#define VIRTIO_PCI_VRING_ALIGN 4096 /* bytes */
#endif

#define VIRTIO_PCI_ISR_CONFIG 0x2 /* bit of the ISR status: the configuration has changed */

#define VIRTIO_MSI_NO_VECTOR 0xffff /* no interrupt */

#ifndef VIRTIO_PCI_NO_MODERN
/* Types of a capability. */
#define VIRTIO_PCI_CAP_COMMON_CFG 1
#define VIRTIO_PCI_CAP_NOTIFY_CFG 2
#define VIRTIO_PCI_CAP_ISR_CFG 3
#define VIRTIO_PCI_CAP_DEVICE_CFG 4
#define VIRTIO_PCI_CAP_PCI_CFG 5
#define VIRTIO_PCI_CAP_SHARED_MEMORY_CFG 8

/* The start of a capability. */
struct virtio_pci_cap {
	__u8 cap_vndr; /* PCI_CAP_ID_VNDR */
	__u8 cap_next; /* offset of the next capability */
	__u8 cap_len;  /* bytes */
	__u8 cfg_type; /* VIRTIO_PCI_CAP_..._CFG */
	__u8 bar;
	__u8 id; /* distinguishes capabilities of one type */
	__u8 padding[2];
	__le32 offset; /* in the BAR */
	__le32 length; /* bytes */
};

/* VIRTIO_PCI_CAP_SHARED_MEMORY_CFG */
struct virtio_pci_cap64 {
	struct virtio_pci_cap cap;
	__le32 offset_hi; /* upper 32 bits */
	__le32 length_hi;
};

/* VIRTIO_PCI_CAP_NOTIFY_CFG */
struct virtio_pci_notify_cap {
	struct virtio_pci_cap cap;
	__le32 notify_off_multiplier; /* bytes for each unit of queue_notify_off */
};

/* VIRTIO_PCI_CAP_PCI_CFG */
struct virtio_pci_cfg_cap {
	struct virtio_pci_cap cap;
	__u8 pci_cfg_data[4]; /* a window into the BAR */
};

/*
 * VIRTIO_PCI_CAP_COMMON_CFG: first the registers of the device, then the registers of the queue
 * that queue_select names.
 */
struct virtio_pci_common_cfg {
	__le32 device_feature_select;
	__le32 device_feature; /* read */
	__le32 guest_feature_select;
	__le32 guest_feature;
	__le16 msix_config; /* vector */
	__le16 num_queues;  /* read */
	__u8 device_status;
	__u8 config_generation; /* read */
	__le16 queue_select;
	__le16 queue_size; /* a power of two, unless the ring is packed */
	__le16 queue_msix_vector;
	__le16 queue_enable;
	__le16 queue_notify_off; /* read */
	__le32 queue_desc_lo;
	__le32 queue_desc_hi;
	__le32 queue_avail_lo;
	__le32 queue_avail_hi;
	__le32 queue_used_lo;
	__le32 queue_used_hi;
};

/*
 * The registers above, and registers that the specification has added later. A device may have
 * fewer registers: test the capability's length, not sizeof.
 */
struct virtio_pci_modern_common_cfg {
	struct virtio_pci_common_cfg cfg;
	__le16 queue_notify_data; /* read */
	__le16 queue_reset;
	__le16 admin_queue_index; /* read */
	__le16 admin_queue_num;   /* read */
};

/* Offsets in the structures above. */
#define VIRTIO_PCI_CAP_VNDR 0
#define VIRTIO_PCI_CAP_NEXT 1
#define VIRTIO_PCI_CAP_LEN 2
#define VIRTIO_PCI_CAP_CFG_TYPE 3
#define VIRTIO_PCI_CAP_BAR 4
#define VIRTIO_PCI_CAP_OFFSET 8
#define VIRTIO_PCI_CAP_LENGTH 12

#define VIRTIO_PCI_NOTIFY_CAP_MULT 16

#define VIRTIO_PCI_COMMON_DFSELECT 0
#define VIRTIO_PCI_COMMON_DF 4
#define VIRTIO_PCI_COMMON_GFSELECT 8
#define VIRTIO_PCI_COMMON_GF 12
#define VIRTIO_PCI_COMMON_MSIX 16
#define VIRTIO_PCI_COMMON_NUMQ 18
#define VIRTIO_PCI_COMMON_STATUS 20
#define VIRTIO_PCI_COMMON_CFGGENERATION 21
#define VIRTIO_PCI_COMMON_Q_SELECT 22
#define VIRTIO_PCI_COMMON_Q_SIZE 24
#define VIRTIO_PCI_COMMON_Q_MSIX 26
#define VIRTIO_PCI_COMMON_Q_ENABLE 28
#define VIRTIO_PCI_COMMON_Q_NOFF 30
#define VIRTIO_PCI_COMMON_Q_DESCLO 32
#define VIRTIO_PCI_COMMON_Q_DESCHI 36
#define VIRTIO_PCI_COMMON_Q_AVAILLO 40
#define VIRTIO_PCI_COMMON_Q_AVAILHI 44
#define VIRTIO_PCI_COMMON_Q_USEDLO 48
#define VIRTIO_PCI_COMMON_Q_USEDHI 52
#define VIRTIO_PCI_COMMON_Q_NDATA 56
#define VIRTIO_PCI_COMMON_Q_RESET 58

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_pci_cap) == 16, "size of struct virtio_pci_cap");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_pci_cap64) == 24, "size of struct virtio_pci_cap64");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_pci_notify_cap) == 20, "size of struct virtio_pci_notify_cap");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_pci_cfg_cap) == 20, "size of struct virtio_pci_cfg_cap");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_pci_common_cfg) == 56, "size of struct virtio_pci_common_cfg");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_pci_modern_common_cfg) == 64, "size of struct virtio_pci_modern_common_cfg");
#endif

#endif /* _LINUX_VIRTIO_PCI_H */

/* Linux 6.1 lacks these names: the administration queue. */
#if !defined VIRTIO_PCI_NO_MODERN && !defined VIRTIO_PCI_COMMON_ADM_Q_IDX
#define VIRTIO_PCI_COMMON_ADM_Q_IDX 60
#define VIRTIO_PCI_COMMON_ADM_Q_NUM 62
#endif

#ifndef VIRTIO_ADMIN_STATUS_OK
#define VIRTIO_ADMIN_STATUS_OK 0

/* Types of a device group. */
#define VIRTIO_ADMIN_GROUP_TYPE_SRIOV 0x1

/* Commands. */
#define VIRTIO_ADMIN_CMD_LIST_QUERY 0x0
#define VIRTIO_ADMIN_CMD_LIST_USE 0x1
#define VIRTIO_ADMIN_CMD_LEGACY_COMMON_CFG_WRITE 0x2
#define VIRTIO_ADMIN_CMD_LEGACY_COMMON_CFG_READ 0x3
#define VIRTIO_ADMIN_CMD_LEGACY_DEV_CFG_WRITE 0x4
#define VIRTIO_ADMIN_CMD_LEGACY_DEV_CFG_READ 0x5
#define VIRTIO_ADMIN_CMD_LEGACY_NOTIFY_INFO 0x6

/* The driver's part of a command. The command's data follows. */
struct virtio_admin_cmd_hdr {
	__le16 opcode;     /* VIRTIO_ADMIN_CMD_... */
	__le16 group_type; /* VIRTIO_ADMIN_GROUP_TYPE_... */
	__u8 reserved1[12];
	__le64 group_member_id;
};

/* The device's part of a command. The command's result follows. */
struct virtio_admin_cmd_status {
	__le16 status;
	__le16 status_qualifier;
	__u8 reserved2[4];
};

/* LEGACY_COMMON_CFG_WRITE, LEGACY_DEV_CFG_WRITE */
struct virtio_admin_cmd_legacy_wr_data {
	__u8 offset; /* of the first register */
	__u8 reserved[7];
	__u8 registers[];
};

/* LEGACY_COMMON_CFG_READ, LEGACY_DEV_CFG_READ */
struct virtio_admin_cmd_legacy_rd_data {
	__u8 offset; /* of the first register */
};

/* LEGACY_NOTIFY_INFO: flags that name the device whose BAR an entry describes. */
#define VIRTIO_ADMIN_CMD_NOTIFY_INFO_FLAGS_END 0 /* end of the list */
#define VIRTIO_ADMIN_CMD_NOTIFY_INFO_FLAGS_OWNER_DEV 0x1
#define VIRTIO_ADMIN_CMD_NOTIFY_INFO_FLAGS_OWNER_MEM 0x2
#define VIRTIO_ADMIN_CMD_MAX_NOTIFY_INFO 4

struct virtio_admin_cmd_notify_info_data {
	__u8 flags; /* VIRTIO_ADMIN_CMD_NOTIFY_INFO_FLAGS_... */
	__u8 bar;
	__u8 padding[6];
	__le64 offset; /* in the BAR */
};

struct virtio_admin_cmd_notify_info_result {
	struct virtio_admin_cmd_notify_info_data entries[VIRTIO_ADMIN_CMD_MAX_NOTIFY_INFO];
};

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_admin_cmd_hdr) == 24, "size of struct virtio_admin_cmd_hdr");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_admin_cmd_status) == 8, "size of struct virtio_admin_cmd_status");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_admin_cmd_legacy_wr_data) == 8,
		     "size of struct virtio_admin_cmd_legacy_wr_data");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_admin_cmd_legacy_rd_data) == 1,
		     "size of struct virtio_admin_cmd_legacy_rd_data");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_admin_cmd_notify_info_data) == 16,
		     "size of struct virtio_admin_cmd_notify_info_data");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_admin_cmd_notify_info_result) == 64,
		     "size of struct virtio_admin_cmd_notify_info_result");
#endif

/*
 * Linux 6.12 lacks these names: the vendor's capability, and administration commands about
 * capabilities, resource objects, device parts and the device's mode.
 */
#if !defined VIRTIO_PCI_NO_MODERN && !defined VIRTIO_PCI_CAP_VENDOR_CFG
#define VIRTIO_PCI_CAP_VENDOR_CFG 9 /* type of a capability */

/* VIRTIO_PCI_CAP_VENDOR_CFG: a capability without a BAR. The vendor's data follows. */
struct virtio_pci_vndr_data {
	__u8 cap_vndr; /* PCI_CAP_ID_VNDR */
	__u8 cap_next; /* offset of the next capability */
	__u8 cap_len;  /* bytes */
	__u8 cfg_type; /* VIRTIO_PCI_CAP_VENDOR_CFG */
	__le16 vendor_id;
};

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_pci_vndr_data) == 6, "size of struct virtio_pci_vndr_data");
#endif

#ifndef VIRTIO_ADMIN_CMD_CAP_ID_LIST_QUERY
#define VIRTIO_ADMIN_CMD_CAP_ID_LIST_QUERY 0x7
#define VIRTIO_ADMIN_CMD_DEVICE_CAP_GET 0x8
#define VIRTIO_ADMIN_CMD_DRIVER_CAP_SET 0x9
#define VIRTIO_ADMIN_CMD_RESOURCE_OBJ_CREATE 0xa
#define VIRTIO_ADMIN_CMD_RESOURCE_OBJ_DESTROY 0xd
#define VIRTIO_ADMIN_CMD_DEV_PARTS_METADATA_GET 0xe
#define VIRTIO_ADMIN_CMD_DEV_PARTS_GET 0xf
#define VIRTIO_ADMIN_CMD_DEV_PARTS_SET 0x10
#define VIRTIO_ADMIN_CMD_DEV_MODE_SET 0x11

/* Identifiers of capabilities, and the number of 64-bit words with a bit for each identifier. */
#define VIRTIO_DEV_PARTS_CAP 0x0000
#define MAX_CAP_ID ((VIRTIO_DEV_PARTS_CAP + 1 + 63) / 64)

/* VIRTIO_DEV_PARTS_CAP */
struct virtio_dev_parts_cap {
	__u8 get_parts_resource_objects_limit;
	__u8 set_parts_resource_objects_limit;
};

/* CAP_ID_LIST_QUERY */
struct virtio_admin_cmd_query_cap_id_result {
	__le64 supported_caps[MAX_CAP_ID];
};

/* DEVICE_CAP_GET */
struct virtio_admin_cmd_cap_get_data {
	__le16 id; /* VIRTIO_DEV_PARTS_CAP */
	__u8 reserved[6];
};

/* DRIVER_CAP_SET */
struct virtio_admin_cmd_cap_set_data {
	__le16 id; /* VIRTIO_DEV_PARTS_CAP */
	__u8 reserved[6];
	__u8 cap_specific_data[];
};

/* The start of a command's data, for commands about a resource object. */
struct virtio_admin_cmd_resource_obj_cmd_hdr {
	__le16 type; /* VIRTIO_RESOURCE_OBJ_DEV_PARTS */
	__u8 reserved[2];
	__le32 id; /* unique among objects of one type */
};

/* RESOURCE_OBJ_CREATE */
struct virtio_admin_cmd_resource_obj_create_data {
	struct virtio_admin_cmd_resource_obj_cmd_hdr hdr;
	__le64 flags;
	__u8 resource_obj_specific_data[];
};

/* The resource object for device parts: its type, and its two purposes. */
#define VIRTIO_RESOURCE_OBJ_DEV_PARTS 0

#define VIRTIO_RESOURCE_OBJ_DEV_PARTS_TYPE_GET 0
#define VIRTIO_RESOURCE_OBJ_DEV_PARTS_TYPE_SET 1

struct virtio_resource_obj_dev_parts {
	__u8 type; /* VIRTIO_RESOURCE_OBJ_DEV_PARTS_TYPE_... */
	__u8 reserved[7];
};

/* DEV_PARTS_METADATA_GET: which metadata to get. */
#define VIRTIO_ADMIN_CMD_DEV_PARTS_METADATA_TYPE_SIZE 0
#define VIRTIO_ADMIN_CMD_DEV_PARTS_METADATA_TYPE_COUNT 1
#define VIRTIO_ADMIN_CMD_DEV_PARTS_METADATA_TYPE_LIST 2

struct virtio_admin_cmd_dev_parts_metadata_data {
	struct virtio_admin_cmd_resource_obj_cmd_hdr hdr;
	__u8 type; /* VIRTIO_ADMIN_CMD_DEV_PARTS_METADATA_TYPE_... */
	__u8 reserved[7];
};

/* Flag of a part: bit number. */
#define VIRTIO_DEV_PART_F_OPTIONAL 0

struct virtio_dev_part_hdr {
	__le16 part_type;
	__u8 flags; /* 1 << VIRTIO_DEV_PART_F_... */
	__u8 reserved;
	union {
		struct {
			__le32 offset;
			__le32 reserved;
		} pci_common_cfg;
		struct {
			__le16 index;
			__u8 reserved[6];
		} vq_index;
	} selector;
	__le32 length; /* number of bytes in `value` */
};

struct virtio_dev_part {
	struct virtio_dev_part_hdr hdr;
	__u8 value[];
};

/* DEV_PARTS_METADATA_GET */
struct virtio_admin_cmd_dev_parts_metadata_result {
	union {
		struct {
			__le32 size;
			__le32 reserved;
		} parts_size;
		struct {
			__le32 count;
			__le32 reserved;
		} hdr_list_count;
		struct {
			__le32 count;
			__le32 reserved;
			struct virtio_dev_part_hdr hdrs[];
		} hdr_list;
	};
};

/* DEV_PARTS_GET */
#define VIRTIO_ADMIN_CMD_DEV_PARTS_GET_TYPE_SELECTED 0
#define VIRTIO_ADMIN_CMD_DEV_PARTS_GET_TYPE_ALL 1

struct virtio_admin_cmd_dev_parts_get_data {
	struct virtio_admin_cmd_resource_obj_cmd_hdr hdr;
	__u8 type; /* VIRTIO_ADMIN_CMD_DEV_PARTS_GET_TYPE_... */
	__u8 reserved[7];
	struct virtio_dev_part_hdr hdr_list[];
};

/* DEV_PARTS_SET: parts without gaps. Each part's header has the length of the part's `value`. */
struct virtio_admin_cmd_dev_parts_set_data {
	struct virtio_admin_cmd_resource_obj_cmd_hdr hdr;
	struct virtio_dev_part parts[];
};

/* DEV_MODE_SET: bit number. */
#define VIRTIO_ADMIN_CMD_DEV_MODE_F_STOPPED 0

struct virtio_admin_cmd_dev_mode_set_data {
	__u8 flags; /* 1 << VIRTIO_ADMIN_CMD_DEV_MODE_F_... */
};

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_dev_parts_cap) == 2, "size of struct virtio_dev_parts_cap");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_admin_cmd_query_cap_id_result) == 8,
		     "size of struct virtio_admin_cmd_query_cap_id_result");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_admin_cmd_cap_get_data) == 8, "size of struct virtio_admin_cmd_cap_get_data");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_admin_cmd_cap_set_data) == 8, "size of struct virtio_admin_cmd_cap_set_data");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_admin_cmd_resource_obj_cmd_hdr) == 8,
		     "size of struct virtio_admin_cmd_resource_obj_cmd_hdr");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_admin_cmd_resource_obj_create_data) == 16,
		     "size of struct virtio_admin_cmd_resource_obj_create_data");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_resource_obj_dev_parts) == 8, "size of struct virtio_resource_obj_dev_parts");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_admin_cmd_dev_parts_metadata_data) == 16,
		     "size of struct virtio_admin_cmd_dev_parts_metadata_data");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_dev_part_hdr) == 16, "size of struct virtio_dev_part_hdr");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_dev_part) == 16, "size of struct virtio_dev_part");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_admin_cmd_dev_parts_metadata_result) == 8,
		     "size of struct virtio_admin_cmd_dev_parts_metadata_result");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_admin_cmd_dev_parts_get_data) == 16,
		     "size of struct virtio_admin_cmd_dev_parts_get_data");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_admin_cmd_dev_parts_set_data) == 8,
		     "size of struct virtio_admin_cmd_dev_parts_set_data");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_admin_cmd_dev_mode_set_data) == 1,
		     "size of struct virtio_admin_cmd_dev_mode_set_data");
#endif

#pragma GCC diagnostic pop

#endif
