/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A block device on an image file: the library virtio-blk on the device core.
 *
 * Requests are carried out one after another, in turns. Register accesses of the guest wait for the
 * end of a turn. The work of a turn is bounded, and the remaining work waits for another turn. At
 * most one request is in flight between two turns.
 */
#ifndef BLK_DEVICE_H
#define BLK_DEVICE_H

#include "disk.h"
#include "proxy_protocol.h"

#include <virtio/blk.h>
#include <virtio/blk_file.h>
#include <virtio/blk_steps.h>
#include <virtio/device_queues.h>

#define BLK_QUEUE_SIZE 256

/*
 * A driver may ignore SEG_MAX, so there is room for the longest chain: 65536 buffers, each of which
 * may cross one border between regions of guest memory. One of the buffers may even cross all
 * borders.
 */
#define BLK_SEGMENTS (2 * 65536 + PROXY_MAX_FDS)

#define BLK_RANGES 16 /* ranges per discard */

/* Callbacks into the VMM. */
struct blk_host {
	/* Does what interrupt() of struct virtio_device_ops does. */
	void (*interrupt)(void *context, enum virtio_interrupt cause, uint16_t queue, bool level);
	/*
	 * Called when requests remain. The VMM must call blk_run() soon, but not from within this
	 * call.
	 */
	void (*again)(void *context);
	void *context;
};

struct blk_device {
	struct virtio_device device;
	struct virtio_device_queues queues;
	struct virtio_queue_registers registers[1];
	struct virtio_queue queue;
	struct virtio_inflight inflight[BLK_QUEUE_SIZE];
	struct virtio_blk_request request;
	struct virtio_blk_steps steps; /* progress of the request */
	bool serving;                  /* `request` is in flight */
	/* Storage of `request`. The array `segments` has BLK_SEGMENTS entries. */
	struct virtio_segment *segments;
	struct virtio_blk_range ranges[BLK_RANGES];
	struct virtio_blk blk;
	struct virtio_blk_file file;
	struct virtio_blk_stats stats;
	struct blk_host host;
	int fd;
};

/*
 * Opens an image and makes a device of it.
 *
 * @blk   the caller's. It must not be moved or copied.
 * @disk  the options of the image and the disk
 * @host  copied
 *
 * Returns 0, or -1 after printing why not.
 */
int blk_open(struct blk_device *blk, const struct disk_options *disk, const struct blk_host *host);

void blk_close(struct blk_device *blk);

/* Sets a new map of the guest's memory. When this returns, the old map is no longer used. */
void blk_set_memory(struct blk_device *blk, const struct virtio_memory_map *memory);

/* Takes a turn: serves requests, up to a bound. Does nothing while the device is not active. */
void blk_run(struct blk_device *blk);

/*
 * Reads the image's size again, and tells the driver about a change. Returns 0, or -1 if the size
 * can't be read, or if a disk can't have this size.
 */
int blk_resize(struct blk_device *blk);

#endif
