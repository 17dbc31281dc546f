/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The traditional memory balloon device's wire format, under the names of Linux's
 * <linux/virtio_balloon.h>. A translation unit may include both headers, in either order. The first
 * header provides the structures. Feature constants are bit numbers.
 *
 * virtio 1.4, 5.5 (traditional memory balloon device)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_BALLOON_H
#define VIRTIO_BINDINGS_VIRTIO_BALLOON_H

#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ids.h>
#include <virtio/bindings/virtio_types.h>
#include <virtio/compiler.h>

#ifndef _LINUX_VIRTIO_BALLOON_H
#define _LINUX_VIRTIO_BALLOON_H

/* Feature bit numbers. */
#define VIRTIO_BALLOON_F_MUST_TELL_HOST 0 /* the driver reports pages before it uses them again */
#define VIRTIO_BALLOON_F_STATS_VQ 1       /* the statistics queue */
#define VIRTIO_BALLOON_F_DEFLATE_ON_OOM 2 /* the balloon may deflate when memory runs out */
#define VIRTIO_BALLOON_F_FREE_PAGE_HINT 3 /* the free page queue */
#define VIRTIO_BALLOON_F_PAGE_POISON 4    /* poison_val is valid */
#define VIRTIO_BALLOON_F_REPORTING 5      /* the reporting queue */

#define VIRTIO_BALLOON_PFN_SHIFT 12 /* a page frame number is the address shifted right by 12 */

/* Values of free_page_hint_cmd_id. */
#define VIRTIO_BALLOON_CMD_ID_STOP 0
#define VIRTIO_BALLOON_CMD_ID_DONE 1

struct virtio_balloon_config {
	__le32 num_pages; /* pages that the device wants */
	__le32 actual;    /* pages in the balloon; written by the driver */
	union {
		__le32 free_page_hint_cmd_id;   /* VIRTIO_BALLOON_CMD_ID_..., or an id for hints */
		__le32 free_page_report_cmd_id; /* an older name of this field */
	};
	__le32 poison_val; /* the value that fills free pages; written by the driver */
};

/* Tags of the statistics. Memory is in bytes. */
#define VIRTIO_BALLOON_S_SWAP_IN 0
#define VIRTIO_BALLOON_S_SWAP_OUT 1
#define VIRTIO_BALLOON_S_MAJFLT 2
#define VIRTIO_BALLOON_S_MINFLT 3
#define VIRTIO_BALLOON_S_MEMFREE 4
#define VIRTIO_BALLOON_S_MEMTOT 5
#define VIRTIO_BALLOON_S_AVAIL 6 /* memory that new programs can get without swapping */
#define VIRTIO_BALLOON_S_CACHES 7
#define VIRTIO_BALLOON_S_HTLB_PGALLOC 8
#define VIRTIO_BALLOON_S_HTLB_PGFAIL 9

#define VIRTIO_BALLOON_S_NR 16 /* number of tags, including the newer tags below */

/* The names of the tags, in their order. */
/* clang-format off */
#define VIRTIO_BALLOON_S_NAMES_WITH_PREFIX(VIRTIO_BALLOON_S_NAMES_prefix) { \
	VIRTIO_BALLOON_S_NAMES_prefix "swap-in", \
	VIRTIO_BALLOON_S_NAMES_prefix "swap-out", \
	VIRTIO_BALLOON_S_NAMES_prefix "major-faults", \
	VIRTIO_BALLOON_S_NAMES_prefix "minor-faults", \
	VIRTIO_BALLOON_S_NAMES_prefix "free-memory", \
	VIRTIO_BALLOON_S_NAMES_prefix "total-memory", \
	VIRTIO_BALLOON_S_NAMES_prefix "available-memory", \
	VIRTIO_BALLOON_S_NAMES_prefix "disk-caches", \
	VIRTIO_BALLOON_S_NAMES_prefix "hugetlb-allocations", \
	VIRTIO_BALLOON_S_NAMES_prefix "hugetlb-failures", \
	VIRTIO_BALLOON_S_NAMES_prefix "oom-kills", \
	VIRTIO_BALLOON_S_NAMES_prefix "alloc-stalls", \
	VIRTIO_BALLOON_S_NAMES_prefix "async-scans", \
	VIRTIO_BALLOON_S_NAMES_prefix "direct-scans", \
	VIRTIO_BALLOON_S_NAMES_prefix "async-reclaims", \
	VIRTIO_BALLOON_S_NAMES_prefix "direct-reclaims" \
}
/* clang-format on */

#define VIRTIO_BALLOON_S_NAMES VIRTIO_BALLOON_S_NAMES_WITH_PREFIX("")

struct virtio_balloon_stat {
	__le16 tag; /* VIRTIO_BALLOON_S_... */
	__le64 val;
} __attribute__((packed));

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_balloon_stat) == 10, "size of struct virtio_balloon_stat");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_balloon_config) == 16, "size of struct virtio_balloon_config");

#endif /* _LINUX_VIRTIO_BALLOON_H */

/* Linux 6.1 lacks these names. */
#ifndef VIRTIO_BALLOON_S_OOM_KILL
#define VIRTIO_BALLOON_S_OOM_KILL 10
#define VIRTIO_BALLOON_S_ALLOC_STALL 11
#define VIRTIO_BALLOON_S_ASYNC_SCAN 12
#define VIRTIO_BALLOON_S_DIRECT_SCAN 13
#define VIRTIO_BALLOON_S_ASYNC_RECLAIM 14
#define VIRTIO_BALLOON_S_DIRECT_RECLAIM 15
#endif

#endif
