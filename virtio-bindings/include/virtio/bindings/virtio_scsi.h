/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The SCSI host device's wire format, under the names of Linux's <linux/virtio_scsi.h>. A
 * translation unit may include both headers, in either order. The first header provides the
 * structures. Feature constants are bit numbers.
 *
 * virtio 1.4, 5.6 (SCSI host device)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_SCSI_H
#define VIRTIO_BINDINGS_VIRTIO_SCSI_H

#include <virtio/bindings/virtio_types.h>
#include <virtio/compiler.h>

#ifndef _LINUX_VIRTIO_SCSI_H
#define _LINUX_VIRTIO_SCSI_H

/* Feature bit numbers. */
#define VIRTIO_SCSI_F_INOUT 0   /* a request may have data in both directions */
#define VIRTIO_SCSI_F_HOTPLUG 1 /* events report added and removed targets and logical units */
#define VIRTIO_SCSI_F_CHANGE 2  /* events report changed parameters of a logical unit */
#define VIRTIO_SCSI_F_T10_PI 3  /* protection information */

struct virtio_scsi_config {
	__le32 num_queues; /* number of request queues */
	__le32 seg_max;    /* largest number of segments in a command */
	__le32 max_sectors;
	__le32 cmd_per_lun;
	__le32 event_info_size;
	__le32 sense_size; /* writable by the driver: bytes of `sense` in a response */
	__le32 cdb_size;   /* writable by the driver: bytes of `cdb` in a request */
	__le16 max_channel;
	__le16 max_target;
	__le32 max_lun;
} __attribute__((packed));

/*
 * Lengths of `cdb` and `sense` after a reset, in bytes. A program may define other lengths for its
 * structures.
 */
#define VIRTIO_SCSI_CDB_DEFAULT_SIZE 32
#define VIRTIO_SCSI_SENSE_DEFAULT_SIZE 96
#ifndef VIRTIO_SCSI_CDB_SIZE
#define VIRTIO_SCSI_CDB_SIZE VIRTIO_SCSI_CDB_DEFAULT_SIZE
#endif
#ifndef VIRTIO_SCSI_SENSE_SIZE
#define VIRTIO_SCSI_SENSE_SIZE VIRTIO_SCSI_SENSE_DEFAULT_SIZE
#endif

/* The driver's part of a command, without and with protection information. */
struct virtio_scsi_cmd_req {
	__u8 lun[8]; /* 1, target, single-level LUN, four zeroes; REPORT LUNS: 0xc1, 1, zeroes */
	__le64 tag;
	__u8 task_attr; /* VIRTIO_SCSI_S_SIMPLE, ... */
	__u8 prio;
	__u8 crn;
	__u8 cdb[VIRTIO_SCSI_CDB_SIZE];
} __attribute__((packed));

struct virtio_scsi_cmd_req_pi {
	__u8 lun[8]; /* 1, target, single-level LUN, four zeroes; REPORT LUNS: 0xc1, 1, zeroes */
	__le64 tag;
	__u8 task_attr; /* VIRTIO_SCSI_S_SIMPLE, ... */
	__u8 prio;
	__u8 crn;
	__le32 pi_bytesout;
	__le32 pi_bytesin;
	__u8 cdb[VIRTIO_SCSI_CDB_SIZE];
} __attribute__((packed));

/* The device's part of a command. */
struct virtio_scsi_cmd_resp {
	__le32 sense_len; /* number of valid bytes in `sense` */
	__le32 resid;     /* bytes not transferred */
	__le16 status_qualifier;
	__u8 status;   /* SAM status */
	__u8 response; /* VIRTIO_SCSI_S_... */
	__u8 sense[VIRTIO_SCSI_SENSE_SIZE];
} __attribute__((packed));

/* Responses. */
#define VIRTIO_SCSI_S_OK 0
#define VIRTIO_SCSI_S_OVERRUN 1
#define VIRTIO_SCSI_S_ABORTED 2
#define VIRTIO_SCSI_S_BAD_TARGET 3
#define VIRTIO_SCSI_S_RESET 4
#define VIRTIO_SCSI_S_BUSY 5
#define VIRTIO_SCSI_S_TRANSPORT_FAILURE 6
#define VIRTIO_SCSI_S_TARGET_FAILURE 7
#define VIRTIO_SCSI_S_NEXUS_FAILURE 8
#define VIRTIO_SCSI_S_FAILURE 9
#define VIRTIO_SCSI_S_FUNCTION_SUCCEEDED 10
#define VIRTIO_SCSI_S_FUNCTION_REJECTED 11
#define VIRTIO_SCSI_S_INCORRECT_LUN 12

/* Task attributes. */
#define VIRTIO_SCSI_S_SIMPLE 0
#define VIRTIO_SCSI_S_ORDERED 1
#define VIRTIO_SCSI_S_HEAD 2
#define VIRTIO_SCSI_S_ACA 3

/* Control queue: types of request, and subtypes of a task management function. */
#define VIRTIO_SCSI_T_TMF 0
#define VIRTIO_SCSI_T_AN_QUERY 1
#define VIRTIO_SCSI_T_AN_SUBSCRIBE 2
#define VIRTIO_SCSI_T_TMF_ABORT_TASK 0
#define VIRTIO_SCSI_T_TMF_ABORT_TASK_SET 1
#define VIRTIO_SCSI_T_TMF_CLEAR_ACA 2
#define VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET 3
#define VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET 4
#define VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET 5
#define VIRTIO_SCSI_T_TMF_QUERY_TASK 6
#define VIRTIO_SCSI_T_TMF_QUERY_TASK_SET 7

/* Task management function. */
struct virtio_scsi_ctrl_tmf_req {
	__le32 type;    /* VIRTIO_SCSI_T_TMF */
	__le32 subtype; /* VIRTIO_SCSI_T_TMF_... */
	__u8 lun[8];
	__le64 tag; /* of the command, for subtypes that concern one command */
} __attribute__((packed));

struct virtio_scsi_ctrl_tmf_resp {
	__u8 response; /* VIRTIO_SCSI_S_... */
} __attribute__((packed));

/* Asynchronous notification: query and subscription. */
struct virtio_scsi_ctrl_an_req {
	__le32 type; /* VIRTIO_SCSI_T_AN_... */
	__u8 lun[8];
	__le32 event_requested;
} __attribute__((packed));

struct virtio_scsi_ctrl_an_resp {
	__le32 event_actual;
	__u8 response;
} __attribute__((packed));

/* Event queue: events, and reasons of a transport reset. */
#define VIRTIO_SCSI_T_EVENTS_MISSED 0x80000000 /* a flag that is combined with an event */
#define VIRTIO_SCSI_T_NO_EVENT 0
#define VIRTIO_SCSI_T_TRANSPORT_RESET 1
#define VIRTIO_SCSI_T_ASYNC_NOTIFY 2
#define VIRTIO_SCSI_T_PARAM_CHANGE 3

#define VIRTIO_SCSI_EVT_RESET_HARD 0
#define VIRTIO_SCSI_EVT_RESET_RESCAN 1
#define VIRTIO_SCSI_EVT_RESET_REMOVED 2

struct virtio_scsi_event {
	__le32 event; /* VIRTIO_SCSI_T_... */
	__u8 lun[8];
	__le32 reason; /* depends on the event */
} __attribute__((packed));

#if VIRTIO_SCSI_CDB_SIZE == VIRTIO_SCSI_CDB_DEFAULT_SIZE && VIRTIO_SCSI_SENSE_SIZE == VIRTIO_SCSI_SENSE_DEFAULT_SIZE
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_scsi_cmd_req) == 51, "size of struct virtio_scsi_cmd_req");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_scsi_cmd_req_pi) == 59, "size of struct virtio_scsi_cmd_req_pi");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_scsi_cmd_resp) == 108, "size of struct virtio_scsi_cmd_resp");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_scsi_ctrl_tmf_req) == 24, "size of struct virtio_scsi_ctrl_tmf_req");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_scsi_ctrl_tmf_resp) == 1, "size of struct virtio_scsi_ctrl_tmf_resp");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_scsi_ctrl_an_req) == 16, "size of struct virtio_scsi_ctrl_an_req");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_scsi_ctrl_an_resp) == 5, "size of struct virtio_scsi_ctrl_an_resp");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_scsi_event) == 16, "size of struct virtio_scsi_event");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_scsi_config) == 36, "size of struct virtio_scsi_config");
#endif

#endif /* _LINUX_VIRTIO_SCSI_H */

#endif
