/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The GPU device's wire format, under the names of Linux's <linux/virtio_gpu.h>. A translation unit
 * may include both headers, in either order. The first header provides the structures. Feature
 * constants are bit numbers.
 *
 * virtio 1.4, 5.7 (GPU device)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_GPU_H
#define VIRTIO_BINDINGS_VIRTIO_GPU_H

#include <virtio/bindings/virtio_types.h>
#include <virtio/compiler.h>

#ifndef VIRTIO_GPU_HW_H
#define VIRTIO_GPU_HW_H

/* C++ has flexible array members only as an extension. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"

/* Feature bit numbers. */
#define VIRTIO_GPU_F_VIRGL 0         /* 3D commands */
#define VIRTIO_GPU_F_EDID 1          /* VIRTIO_GPU_CMD_GET_EDID */
#define VIRTIO_GPU_F_RESOURCE_UUID 2 /* VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID */
#define VIRTIO_GPU_F_RESOURCE_BLOB 3 /* blob resources */
#define VIRTIO_GPU_F_CONTEXT_INIT 4  /* context_init, and several fence timelines */

/* Events in the configuration space. */
#define VIRTIO_GPU_EVENT_DISPLAY (1 << 0)

struct virtio_gpu_config {
	__le32 events_read;  /* VIRTIO_GPU_EVENT_... */
	__le32 events_clear; /* written by the driver to clear bits of events_read */
	__le32 num_scanouts; /* at most VIRTIO_GPU_MAX_SCANOUTS */
	__le32 num_capsets;
};

/* Commands of the control queue (2D, 3D), commands of the cursor queue, and responses. */
enum virtio_gpu_ctrl_type {
	VIRTIO_GPU_UNDEFINED = 0,
	VIRTIO_GPU_CMD_GET_DISPLAY_INFO = 0x0100,
	VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
	VIRTIO_GPU_CMD_RESOURCE_UNREF,
	VIRTIO_GPU_CMD_SET_SCANOUT,
	VIRTIO_GPU_CMD_RESOURCE_FLUSH,
	VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D,
	VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
	VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING,
	VIRTIO_GPU_CMD_GET_CAPSET_INFO,
	VIRTIO_GPU_CMD_GET_CAPSET,
	VIRTIO_GPU_CMD_GET_EDID,
	VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID,
	VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB,
	VIRTIO_GPU_CMD_SET_SCANOUT_BLOB,
	VIRTIO_GPU_CMD_CTX_CREATE = 0x0200,
	VIRTIO_GPU_CMD_CTX_DESTROY,
	VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE,
	VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE,
	VIRTIO_GPU_CMD_RESOURCE_CREATE_3D,
	VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D,
	VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D,
	VIRTIO_GPU_CMD_SUBMIT_3D,
	VIRTIO_GPU_CMD_RESOURCE_MAP_BLOB,
	VIRTIO_GPU_CMD_RESOURCE_UNMAP_BLOB,
	VIRTIO_GPU_CMD_UPDATE_CURSOR = 0x0300,
	VIRTIO_GPU_CMD_MOVE_CURSOR,
	VIRTIO_GPU_RESP_OK_NODATA = 0x1100,
	VIRTIO_GPU_RESP_OK_DISPLAY_INFO,
	VIRTIO_GPU_RESP_OK_CAPSET_INFO,
	VIRTIO_GPU_RESP_OK_CAPSET,
	VIRTIO_GPU_RESP_OK_EDID,
	VIRTIO_GPU_RESP_OK_RESOURCE_UUID,
	VIRTIO_GPU_RESP_OK_MAP_INFO,
	VIRTIO_GPU_RESP_ERR_UNSPEC = 0x1200,
	VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY,
	VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID,
	VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID,
	VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID,
	VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
};

/* Shared memory regions. */
enum virtio_gpu_shm_id { VIRTIO_GPU_SHM_ID_UNDEFINED = 0, VIRTIO_GPU_SHM_ID_HOST_VISIBLE = 1 };

/* Flags of a command. */
#define VIRTIO_GPU_FLAG_FENCE (1 << 0)         /* respond with fence_id when the command is done */
#define VIRTIO_GPU_FLAG_INFO_RING_IDX (1 << 1) /* ring_idx is valid */

/* The start of every command and of every response. */
struct virtio_gpu_ctrl_hdr {
	__le32 type;  /* enum virtio_gpu_ctrl_type */
	__le32 flags; /* VIRTIO_GPU_FLAG_... */
	__le64 fence_id;
	__le32 ctx_id;
	__u8 ring_idx; /* timeline of the context */
	__u8 padding[3];
};

/* Cursor queue. */
struct virtio_gpu_cursor_pos {
	__le32 scanout_id;
	__le32 x;
	__le32 y;
	__le32 padding;
};

/* UPDATE_CURSOR, MOVE_CURSOR */
struct virtio_gpu_update_cursor {
	struct virtio_gpu_ctrl_hdr hdr;
	struct virtio_gpu_cursor_pos pos;
	__le32 resource_id;
	__le32 hot_x;
	__le32 hot_y;
	__le32 padding;
};

/* Pixels, from the upper left corner. */
struct virtio_gpu_rect {
	__le32 x;
	__le32 y;
	__le32 width;
	__le32 height;
};

/* RESOURCE_UNREF */
struct virtio_gpu_resource_unref {
	struct virtio_gpu_ctrl_hdr hdr;
	__le32 resource_id;
	__le32 padding;
};

/* RESOURCE_CREATE_2D */
struct virtio_gpu_resource_create_2d {
	struct virtio_gpu_ctrl_hdr hdr;
	__le32 resource_id;
	__le32 format; /* enum virtio_gpu_formats */
	__le32 width;
	__le32 height;
};

/* SET_SCANOUT */
struct virtio_gpu_set_scanout {
	struct virtio_gpu_ctrl_hdr hdr;
	struct virtio_gpu_rect r;
	__le32 scanout_id;
	__le32 resource_id; /* 0 switches the scanout off */
};

/* RESOURCE_FLUSH */
struct virtio_gpu_resource_flush {
	struct virtio_gpu_ctrl_hdr hdr;
	struct virtio_gpu_rect r;
	__le32 resource_id;
	__le32 padding;
};

/* TRANSFER_TO_HOST_2D */
struct virtio_gpu_transfer_to_host_2d {
	struct virtio_gpu_ctrl_hdr hdr;
	struct virtio_gpu_rect r;
	__le64 offset;
	__le32 resource_id;
	__le32 padding;
};

/*
 * RESOURCE_ATTACH_BACKING: struct virtio_gpu_resource_attach_backing, followed by nr_entries times
 * struct virtio_gpu_mem_entry.
 */
struct virtio_gpu_mem_entry {
	__le64 addr; /* guest physical address */
	__le32 length;
	__le32 padding;
};

struct virtio_gpu_resource_attach_backing {
	struct virtio_gpu_ctrl_hdr hdr;
	__le32 resource_id;
	__le32 nr_entries;
};

/* RESOURCE_DETACH_BACKING */
struct virtio_gpu_resource_detach_backing {
	struct virtio_gpu_ctrl_hdr hdr;
	__le32 resource_id;
	__le32 padding;
};

#define VIRTIO_GPU_MAX_SCANOUTS 16

/* OK_DISPLAY_INFO */
struct virtio_gpu_resp_display_info {
	struct virtio_gpu_ctrl_hdr hdr;
	struct virtio_gpu_display_one {
		struct virtio_gpu_rect r;
		__le32 enabled;
		__le32 flags;
	} pmodes[VIRTIO_GPU_MAX_SCANOUTS];
};

/* Pixels of a 3D resource. */
struct virtio_gpu_box {
	__le32 x, y, z;
	__le32 w, h, d;
};

/* TRANSFER_TO_HOST_3D, TRANSFER_FROM_HOST_3D */
struct virtio_gpu_transfer_host_3d {
	struct virtio_gpu_ctrl_hdr hdr;
	struct virtio_gpu_box box;
	__le64 offset;
	__le32 resource_id;
	__le32 level;
	__le32 stride;
	__le32 layer_stride;
};

#define VIRTIO_GPU_RESOURCE_FLAG_Y_0_TOP (1 << 0) /* the first line is the top line */

/* RESOURCE_CREATE_3D */
struct virtio_gpu_resource_create_3d {
	struct virtio_gpu_ctrl_hdr hdr;
	__le32 resource_id;
	__le32 target;
	__le32 format;
	__le32 bind;
	__le32 width;
	__le32 height;
	__le32 depth;
	__le32 array_size;
	__le32 last_level;
	__le32 nr_samples;
	__le32 flags; /* VIRTIO_GPU_RESOURCE_FLAG_... */
	__le32 padding;
};

#define VIRTIO_GPU_CONTEXT_INIT_CAPSET_ID_MASK 0x000000ff

/* CTX_CREATE */
struct virtio_gpu_ctx_create {
	struct virtio_gpu_ctrl_hdr hdr;
	__le32 nlen;         /* bytes of debug_name */
	__le32 context_init; /* with VIRTIO_GPU_F_CONTEXT_INIT: capability set */
	char debug_name[64];
};

/* CTX_DESTROY */
struct virtio_gpu_ctx_destroy {
	struct virtio_gpu_ctrl_hdr hdr;
};

/* CTX_ATTACH_RESOURCE, CTX_DETACH_RESOURCE */
struct virtio_gpu_ctx_resource {
	struct virtio_gpu_ctrl_hdr hdr;
	__le32 resource_id;
	__le32 padding;
};

/* SUBMIT_3D */
struct virtio_gpu_cmd_submit {
	struct virtio_gpu_ctrl_hdr hdr;
	__le32 size; /* bytes of commands after this structure */
	__le32 padding;
};

/* Capability sets. */
#define VIRTIO_GPU_CAPSET_VIRGL 1
#define VIRTIO_GPU_CAPSET_VIRGL2 2

/* GET_CAPSET_INFO, OK_CAPSET_INFO */
struct virtio_gpu_get_capset_info {
	struct virtio_gpu_ctrl_hdr hdr;
	__le32 capset_index;
	__le32 padding;
};

struct virtio_gpu_resp_capset_info {
	struct virtio_gpu_ctrl_hdr hdr;
	__le32 capset_id;
	__le32 capset_max_version;
	__le32 capset_max_size;
	__le32 padding;
};

/* GET_CAPSET, OK_CAPSET */
struct virtio_gpu_get_capset {
	struct virtio_gpu_ctrl_hdr hdr;
	__le32 capset_id;
	__le32 capset_version;
};

struct virtio_gpu_resp_capset {
	struct virtio_gpu_ctrl_hdr hdr;
	__u8 capset_data[];
};

/* GET_EDID, OK_EDID */
struct virtio_gpu_cmd_get_edid {
	struct virtio_gpu_ctrl_hdr hdr;
	__le32 scanout;
	__le32 padding;
};

struct virtio_gpu_resp_edid {
	struct virtio_gpu_ctrl_hdr hdr;
	__le32 size; /* bytes valid in edid */
	__le32 padding;
	__u8 edid[1024];
};

/* Pixel formats: the first component is in the first byte. */
enum virtio_gpu_formats {
	VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM = 1,
	VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM = 2,
	VIRTIO_GPU_FORMAT_A8R8G8B8_UNORM = 3,
	VIRTIO_GPU_FORMAT_X8R8G8B8_UNORM = 4,
	VIRTIO_GPU_FORMAT_R8G8B8A8_UNORM = 67,
	VIRTIO_GPU_FORMAT_X8B8G8R8_UNORM = 68,
	VIRTIO_GPU_FORMAT_A8B8G8R8_UNORM = 121,
	VIRTIO_GPU_FORMAT_R8G8B8X8_UNORM = 134,
};

/* RESOURCE_ASSIGN_UUID, OK_RESOURCE_UUID */
struct virtio_gpu_resource_assign_uuid {
	struct virtio_gpu_ctrl_hdr hdr;
	__le32 resource_id;
	__le32 padding;
};

struct virtio_gpu_resp_resource_uuid {
	struct virtio_gpu_ctrl_hdr hdr;
	__u8 uuid[16];
};

/* Memory of a blob resource, and flags for the uses of the resource. */
#define VIRTIO_GPU_BLOB_MEM_GUEST 0x0001
#define VIRTIO_GPU_BLOB_MEM_HOST3D 0x0002
#define VIRTIO_GPU_BLOB_MEM_HOST3D_GUEST 0x0003
#define VIRTIO_GPU_BLOB_FLAG_USE_MAPPABLE 0x0001
#define VIRTIO_GPU_BLOB_FLAG_USE_SHAREABLE 0x0002
#define VIRTIO_GPU_BLOB_FLAG_USE_CROSS_DEVICE 0x0004

/* RESOURCE_CREATE_BLOB: nr_entries entries of struct virtio_gpu_mem_entry follow. */
struct virtio_gpu_resource_create_blob {
	struct virtio_gpu_ctrl_hdr hdr;
	__le32 resource_id;
	__le32 blob_mem;   /* VIRTIO_GPU_BLOB_MEM_... */
	__le32 blob_flags; /* VIRTIO_GPU_BLOB_FLAG_... */
	__le32 nr_entries;
	__le64 blob_id;
	__le64 size; /* bytes */
};

/* SET_SCANOUT_BLOB */
struct virtio_gpu_set_scanout_blob {
	struct virtio_gpu_ctrl_hdr hdr;
	struct virtio_gpu_rect r;
	__le32 scanout_id;
	__le32 resource_id;
	__le32 width;
	__le32 height;
	__le32 format; /* enum virtio_gpu_formats */
	__le32 padding;
	__le32 strides[4];
	__le32 offsets[4];
};

/* RESOURCE_MAP_BLOB: `offset` is in the host visible region. */
struct virtio_gpu_resource_map_blob {
	struct virtio_gpu_ctrl_hdr hdr;
	__le32 resource_id;
	__le32 padding;
	__le64 offset;
};

/* How the guest must cache a mapping. */
#define VIRTIO_GPU_MAP_CACHE_MASK 0x0f
#define VIRTIO_GPU_MAP_CACHE_NONE 0x00
#define VIRTIO_GPU_MAP_CACHE_CACHED 0x01
#define VIRTIO_GPU_MAP_CACHE_UNCACHED 0x02
#define VIRTIO_GPU_MAP_CACHE_WC 0x03

/* OK_MAP_INFO */
struct virtio_gpu_resp_map_info {
	struct virtio_gpu_ctrl_hdr hdr;
	__le32 map_info; /* VIRTIO_GPU_MAP_CACHE_... */
	__le32 padding;
};

/* RESOURCE_UNMAP_BLOB */
struct virtio_gpu_resource_unmap_blob {
	struct virtio_gpu_ctrl_hdr hdr;
	__le32 resource_id;
	__le32 padding;
};

#pragma GCC diagnostic pop

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_config) == 16, "size of struct virtio_gpu_config");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_ctrl_hdr) == 24, "size of struct virtio_gpu_ctrl_hdr");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_cursor_pos) == 16, "size of struct virtio_gpu_cursor_pos");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_update_cursor) == 56, "size of struct virtio_gpu_update_cursor");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_rect) == 16, "size of struct virtio_gpu_rect");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_resource_unref) == 32, "size of struct virtio_gpu_resource_unref");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_resource_create_2d) == 40,
		     "size of struct virtio_gpu_resource_create_2d");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_set_scanout) == 48, "size of struct virtio_gpu_set_scanout");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_resource_flush) == 48, "size of struct virtio_gpu_resource_flush");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_transfer_to_host_2d) == 56,
		     "size of struct virtio_gpu_transfer_to_host_2d");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_mem_entry) == 16, "size of struct virtio_gpu_mem_entry");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_resource_attach_backing) == 32,
		     "size of struct virtio_gpu_resource_attach_backing");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_resource_detach_backing) == 32,
		     "size of struct virtio_gpu_resource_detach_backing");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_resp_display_info) == 408, "size of struct virtio_gpu_resp_display_info");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_box) == 24, "size of struct virtio_gpu_box");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_transfer_host_3d) == 72, "size of struct virtio_gpu_transfer_host_3d");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_resource_create_3d) == 72,
		     "size of struct virtio_gpu_resource_create_3d");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_ctx_create) == 96, "size of struct virtio_gpu_ctx_create");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_ctx_destroy) == 24, "size of struct virtio_gpu_ctx_destroy");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_ctx_resource) == 32, "size of struct virtio_gpu_ctx_resource");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_cmd_submit) == 32, "size of struct virtio_gpu_cmd_submit");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_get_capset_info) == 32, "size of struct virtio_gpu_get_capset_info");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_resp_capset_info) == 40, "size of struct virtio_gpu_resp_capset_info");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_get_capset) == 32, "size of struct virtio_gpu_get_capset");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_resp_capset) == 24, "size of struct virtio_gpu_resp_capset");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_cmd_get_edid) == 32, "size of struct virtio_gpu_cmd_get_edid");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_resp_edid) == 1056, "size of struct virtio_gpu_resp_edid");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_resource_assign_uuid) == 32,
		     "size of struct virtio_gpu_resource_assign_uuid");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_resp_resource_uuid) == 40,
		     "size of struct virtio_gpu_resp_resource_uuid");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_resource_create_blob) == 56,
		     "size of struct virtio_gpu_resource_create_blob");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_set_scanout_blob) == 96, "size of struct virtio_gpu_set_scanout_blob");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_resource_map_blob) == 40, "size of struct virtio_gpu_resource_map_blob");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_resource_unmap_blob) == 32,
		     "size of struct virtio_gpu_resource_unmap_blob");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_gpu_resp_map_info) == 32, "size of struct virtio_gpu_resp_map_info");

#endif /* VIRTIO_GPU_HW_H */

/* Linux 6.1 lacks these names. */
#ifndef VIRTIO_GPU_CAPSET_VENUS
#define VIRTIO_GPU_CAPSET_VENUS 4
#endif
#ifndef VIRTIO_GPU_CAPSET_DRM
#define VIRTIO_GPU_CAPSET_DRM 6
#endif
/* Linux 6.12 lacks these names. */
#ifndef VIRTIO_GPU_CAPSET_CROSS_DOMAIN
#define VIRTIO_GPU_CAPSET_CROSS_DOMAIN 5
#endif
#ifndef VIRTIO_GPU_CAPSET_GFXSTREAM_VULKAN
#define VIRTIO_GPU_CAPSET_GFXSTREAM_VULKAN 3
#endif

/* Only the specification has this feature bit number (virtio 1.4, 5.7.3). */
#ifndef VIRTIO_GPU_F_BLOB_ALIGNMENT
#define VIRTIO_GPU_F_BLOB_ALIGNMENT 5
#endif

#endif
